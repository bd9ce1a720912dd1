import { Uri, languages, window, workspace } from 'vscode';
import type {
	Disposable,
	DocumentLink,
	DocumentLinkProvider,
	Event,
	TextDocument,
	TextDocumentContentProvider,
} from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { agentOf } from './agentsView.ts';
import type { AgentsView } from './agentsView.ts';
import { registerCommand } from './commands.ts';
import { agentInEditor } from './conversationView.ts';
import { commandIds, coverageScheme } from './ids.ts';
import type { Log } from './log.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import { SessionDocuments } from './sessionDocuments.ts';
import type { SessionText } from './sessionDocuments.ts';
import type { Sessions } from './sessions.ts';
import { scopeSettings, section } from './settings.ts';
import { shortened } from './words.ts';

interface CoverageOptions {
	readonly sessions: Sessions;
	readonly transcripts: OpenTranscripts;
	readonly agents: AgentsView;
	readonly log: Log;
}

/** A session's tools with the scopes that its agents looked at, as text in an editor. */
export function registerCoverageView({ sessions, transcripts, agents, log }: CoverageOptions): Disposable {
	const disposables = new DisposableStore();
	const documents = disposables.add(new CoverageDocuments(sessions, log));
	disposables.add(workspace.registerTextDocumentContentProvider(coverageScheme, documents));
	disposables.add(languages.registerDocumentLinkProvider({ scheme: coverageScheme }, documents));
	disposables.add(workspace.onDidCloseTextDocument(({ uri }) => documents.close(uri)));
	disposables.add(
		workspace.onDidChangeConfiguration((event) => {
			if (event.affectsConfiguration(`${section}.scope`)) documents.refresh();
		}),
	);
	disposables.add(
		registerCommand(
			log,
			commandIds.showCoverage,
			'Who looked where could not be shown',
			async (value?: unknown) => {
				const found =
					agentOf(agents.isNode(value) ? value : undefined) ??
					(await agentInEditor(transcripts)) ??
					agentOf(agents.nodeOf(undefined));
				if (found === undefined) {
					void window.showInformationMessage(
						'Select a session in the Crosstalk view, or open a transcript, to see who looked where in it.',
					);
					return;
				}
				const title = shortened(sessions.entry(found.key)?.details?.title ?? 'session', 40);
				const uri = Uri.from({
					scheme: coverageScheme,
					// The path is what the tab says; the query tells what it is.
					path: `/Who looked where · ${title.replaceAll(/[/\\?#:*"<>|]/g, '_').replace(/\.+$/, '')}.md`,
					query: found.key,
				});
				await window.showTextDocument(await workspace.openTextDocument(uri), { preview: true });
			},
		),
	);
	return { dispose: () => disposables.dispose() };
}

class CoverageDocuments implements TextDocumentContentProvider, DocumentLinkProvider, Disposable {
	readonly onDidChange: Event<Uri>;
	private readonly documents: SessionDocuments<SessionText>;

	constructor(sessions: Sessions, log: Log) {
		this.documents = new SessionDocuments(sessions, log);
		this.onDidChange = this.documents.onDidChange;
	}

	async provideTextDocumentContent(uri: Uri): Promise<string> {
		const session = await this.documents.open(uri, uri.query);
		if (session === undefined) return `The session is no longer there: ${uri.query}`;
		// Loaded when somebody wants to know.
		const [{ coverageText }, { coverageOf }] = await Promise.all([
			import('./coverageText.ts'),
			import('../core/rules/coverage.ts'),
		]);
		const text = coverageText(session.conversation, coverageOf(session.conversation, scopeSettings()));
		this.documents.setText(uri, text);
		return text.text;
	}

	provideDocumentLinks({ uri }: TextDocument): DocumentLink[] {
		return this.documents.links(uri);
	}

	refresh(): void {
		this.documents.refresh();
	}

	close(uri: Uri): void {
		this.documents.close(uri);
	}

	dispose(): void {
		this.documents.dispose();
	}
}
