import { DocumentLink, EventEmitter, Range, Uri, languages, window, workspace } from 'vscode';
import type { Disposable, DocumentLinkProvider, TextDocument, TextDocumentContentProvider } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { ComparisonLine } from '../core/runs/comparisonText.ts';
import type { AgentsView } from './agentsView.ts';
import { registerCommand } from './commands.ts';
import { filePlace } from './convert.ts';
import { commandIds, comparisonScheme } from './ids.ts';
import type { Log } from './log.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import type { Sessions } from './sessions.ts';

export interface ComparisonOptions {
	readonly sessions: Sessions;
	readonly transcripts: OpenTranscripts;
	readonly agents: AgentsView;
	readonly log: Log;
}

/** Two sessions beside each other, as text in an editor. */
export function registerComparisonView({ sessions, transcripts, agents, log }: ComparisonOptions): Disposable {
	const disposables = new DisposableStore();
	const documents = disposables.add(new ComparisonDocuments(sessions));
	disposables.add(workspace.registerTextDocumentContentProvider(comparisonScheme, documents));
	disposables.add(languages.registerDocumentLinkProvider({ scheme: comparisonScheme }, documents));
	disposables.add(workspace.onDidCloseTextDocument(({ uri }) => documents.close(uri)));
	disposables.add(
		registerCommand(log, commandIds.compareSessions, 'The sessions could not be compared', async (...values) => {
			const { askWhatToCompare } = await import('./comparisonText.ts');
			const uri = await askWhatToCompare({ sessions, transcripts, agents, log }, values);
			if (uri === undefined) return;
			documents.refresh(uri);
			await window.showTextDocument(await workspace.openTextDocument(uri), { preview: true });
		}),
	);
	return { dispose: () => disposables.dispose() };
}

class ComparisonDocuments implements TextDocumentContentProvider, DocumentLinkProvider, Disposable {
	private readonly changed = new EventEmitter<Uri>();
	readonly onDidChange = this.changed.event;
	private readonly sessions: Sessions;
	private readonly shown = new Map<string, readonly ComparisonLine[]>();

	constructor(sessions: Sessions) {
		this.sessions = sessions;
	}

	async provideTextDocumentContent(uri: Uri): Promise<string> {
		// Loaded when somebody compares.
		const { comparisonText } = await import('./comparisonText.ts');
		const lines = await comparisonText(this.sessions, uri);
		this.shown.set(uri.toString(), lines);
		return `${lines.map(({ text }) => text).join('\n')}\n`;
	}

	provideDocumentLinks({ uri }: TextDocument): DocumentLink[] {
		return (this.shown.get(uri.toString()) ?? []).flatMap(({ text, place }, line) => {
			const at = place === undefined ? undefined : filePlace(place);
			if (at === undefined) return [];
			const values = encodeURIComponent(JSON.stringify([at.path, at.range.start.line, at.range.start.character]));
			const link = new DocumentLink(
				new Range(line, text.lastIndexOf('  ') + 2, line, text.length),
				Uri.parse(`command:${commandIds.revealPlace}?${values}`),
			);
			link.tooltip = 'Reveal in the transcript';
			return [link];
		});
	}

	/** Made anew, should it be open already. */
	refresh(uri: Uri): void {
		if (this.shown.has(uri.toString())) this.changed.fire(uri);
	}

	close(uri: Uri): void {
		this.shown.delete(uri.toString());
	}

	dispose(): void {
		this.changed.dispose();
	}
}
