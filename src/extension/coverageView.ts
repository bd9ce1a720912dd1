import { DocumentLink, EventEmitter, Range, Uri, languages, window, workspace } from 'vscode';
import type { Disposable, DocumentLinkProvider, TextDocument, TextDocumentContentProvider } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { coverageOf } from '../core/rules/coverage.ts';
import { agentOf } from './agentsView.ts';
import type { AgentsView } from './agentsView.ts';
import { registerCommand } from './commands.ts';
import { agentInEditor } from './conversationView.ts';
import { coverageText } from './coverageText.ts';
import type { CoverageText } from './coverageText.ts';
import { commandIds, coverageScheme } from './ids.ts';
import type { Log } from './log.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import type { SessionKey } from './sessionInView.ts';
import type { SessionHold, Sessions } from './sessions.ts';
import { scopeSettings, section } from './settings.ts';
import { Throttle } from './throttle.ts';
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

interface Shown {
	readonly uri: Uri;
	readonly hold: SessionHold;
	readonly listening: Disposable;
	text: CoverageText | undefined;
}

class CoverageDocuments implements TextDocumentContentProvider, DocumentLinkProvider, Disposable {
	private readonly changed = new EventEmitter<Uri>();
	readonly onDidChange = this.changed.event;
	private readonly sessions: Sessions;
	private readonly log: Log;
	private readonly shown = new Map<string, Shown>();

	constructor(sessions: Sessions, log: Log) {
		this.sessions = sessions;
		this.log = log;
	}

	async provideTextDocumentContent(uri: Uri): Promise<string> {
		const shown = await this.take(uri, uri.query);
		if (shown === undefined) return `The session is no longer there: ${uri.query}`;
		const { session } = shown.hold;
		await session.whenRead;
		shown.text = coverageText(session.conversation, coverageOf(session.conversation, scopeSettings()));
		return shown.text.text;
	}

	provideDocumentLinks(document: TextDocument): DocumentLink[] {
		const links = this.shown.get(document.uri.toString())?.text?.links ?? [];
		return links.map(({ line, column, length, path, targetLine }) => {
			const values = encodeURIComponent(JSON.stringify([path, targetLine, 0]));
			const link = new DocumentLink(
				new Range(line, column, line, column + length),
				Uri.parse(`command:${commandIds.revealPlace}?${values}`),
			);
			link.tooltip = 'Reveal in the transcript';
			return link;
		});
	}

	refresh(): void {
		for (const { uri } of this.shown.values()) this.changed.fire(uri);
	}

	close(uri: Uri): void {
		const id = uri.toString();
		const shown = this.shown.get(id);
		if (shown === undefined) return;
		this.shown.delete(id);
		shown.listening.dispose();
		shown.hold.dispose();
	}

	dispose(): void {
		for (const { uri } of this.shown.values()) this.close(uri);
		this.changed.dispose();
	}

	private async take(uri: Uri, key: SessionKey): Promise<Shown | undefined> {
		const id = uri.toString();
		const known = this.shown.get(id);
		if (known !== undefined) return known;
		// A window that is opened again shows its editors before anybody has looked for sessions.
		await this.sessions.keyFor(key).catch((error: unknown) => this.log.failure(key, error));
		const hold = this.sessions.hold(key);
		if (hold === undefined) return undefined;
		const listening = new DisposableStore();
		const refreshing = listening.add(new Throttle(1000, () => this.changed.fire(uri)));
		listening.add(
			hold.session.onDidUpdate(() => {
				if (hold.session.isRead) refreshing.request();
			}),
		);
		const shown: Shown = { uri, hold, listening, text: undefined };
		this.shown.set(id, shown);
		return shown;
	}
}
