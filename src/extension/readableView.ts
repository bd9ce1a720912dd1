import { Range, Uri, commands, languages, window, workspace } from 'vscode';
import type {
	CancellationToken,
	Diagnostic,
	Disposable,
	DocumentLink,
	DocumentLinkProvider,
	Event,
	TextDocument,
	TextDocumentContentProvider,
} from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { mainAgentId } from '../core/base/ids.ts';
import { agentOf } from './agentsView.ts';
import type { AgentsView } from './agentsView.ts';
import { registerCommand } from './commands.ts';
import type { ConversationView } from './conversationView.ts';
import { agentInEditor } from './conversationView.ts';
import { commandIds, diagnosticSource, readableScheme } from './ids.ts';
import type { Log } from './log.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import { toDiagnostic } from './problems.ts';
import { lineKey, placeKey } from './readablePlaces.ts';
import type { ReadableText } from './readableText.ts';
import { readableTarget, readableUri } from './readableUri.ts';
import { SessionDocuments } from './sessionDocuments.ts';
import type { SessionInView, SessionKey } from './sessionInView.ts';
import type { Sessions } from './sessions.ts';

interface ReadableViewOptions {
	readonly extension: Uri;
	readonly sessions: Sessions;
	readonly transcripts: OpenTranscripts;
	readonly agents: AgentsView;
	readonly conversation: ConversationView;
	readonly log: Log;
}

/** A conversation as text in an editor, for transcripts whose lines are too long to read. */
export function registerReadableView(options: ReadableViewOptions): Disposable {
	const { sessions, transcripts, agents, conversation, log } = options;
	const disposables = new DisposableStore();
	const documents = disposables.add(new ReadableDocuments(options));
	disposables.add(workspace.registerTextDocumentContentProvider(readableScheme, documents));
	disposables.add(languages.registerDocumentLinkProvider({ scheme: readableScheme }, documents));
	disposables.add(workspace.onDidCloseTextDocument(({ uri }) => documents.close(uri)));

	const chosen = async (value: unknown): Promise<Uri | undefined> => {
		if (typeof value === 'string') return Uri.parse(value, true);
		const shown = conversation.tree.agent;
		const found =
			value instanceof Uri
				? { key: await sessions.keyFor(value.fsPath), path: value.fsPath }
				: (agentOf(agents.isNode(value) ? value : undefined) ??
					(await agentInEditor(transcripts)) ??
					agentOf(agents.nodeOf(undefined)) ??
					(shown === undefined || conversation.tree.session === undefined
						? undefined
						: { key: conversation.tree.session.key, agentId: shown.id }));
		return found === undefined ? undefined : uriOf(sessions, found);
	};
	disposables.add(
		registerCommand(
			log,
			commandIds.openReadableView,
			'The readable view could not be opened',
			async (value?: unknown) => {
				const uri = await chosen(value);
				if (uri === undefined) {
					void window.showInformationMessage(
						'Select an agent in the Crosstalk view, or open a transcript, to read its conversation.',
					);
					return;
				}
				const document = await workspace.openTextDocument(uri.with({ fragment: '' }));
				const line = documents.lineOfCall(document.uri, uri.fragment) ?? 0;
				await window.showTextDocument(document, { preview: true, selection: new Range(line, 0, line, 0) });
			},
		),
	);
	disposables.add(
		registerCommand(log, commandIds.revealProblems, 'The problems could not be shown', async (value?: unknown) => {
			const agent = agentOf(agents.nodeOf(value));
			// What is asked for is shown, whatever the setting leaves out of the panel.
			if (agent !== undefined) await sessions.open(agent.key);
			await commands.executeCommand('workbench.actions.view.problems');
		}),
	);
	return { dispose: () => disposables.dispose() };
}

/** The view of an agent; with a path instead of one, of the agent that wrote the file. */
async function uriOf(
	sessions: Sessions,
	target: { readonly key: SessionKey } & ({ readonly agentId: string } | { readonly path: string }),
): Promise<Uri | undefined> {
	const hold = sessions.hold(target.key);
	if (hold === undefined) return undefined;
	try {
		await hold.session.whenRead;
		const { conversation } = hold.session;
		const all = [...conversation.agents.values()];
		const agent =
			'agentId' in target
				? all.find(({ id }) => id === target.agentId)
				: (all.find(({ id, path }) => path === target.path && id !== mainAgentId) ??
					conversation.agents.get(mainAgentId) ??
					all[0]);
		return agent === undefined ? undefined : readableUri(conversation, target.key, agent);
	} finally {
		hold.dispose();
	}
}

class ReadableDocuments implements TextDocumentContentProvider, DocumentLinkProvider, Disposable {
	readonly onDidChange: Event<Uri>;
	private readonly options: ReadableViewOptions;
	private readonly collection = languages.createDiagnosticCollection(`${diagnosticSource} readable view`);
	private readonly documents: SessionDocuments<ReadableText>;

	constructor(options: ReadableViewOptions) {
		this.options = options;
		this.documents = new SessionDocuments(options.sessions, options.log);
		this.onDidChange = this.documents.onDidChange;
	}

	async provideTextDocumentContent(uri: Uri, token: CancellationToken): Promise<string> {
		const target = readableTarget(uri);
		if (target === undefined) return 'This is no address of a conversation.';
		const { sessions, log } = this.options;
		const session = await this.documents.open(uri, target.key);
		if (session === undefined) return `The session is no longer there: ${target.key}`;
		const { conversation } = session;
		const agent = [...conversation.agents.values()].find(({ id }) => id === target.agentId);
		if (agent === undefined) return 'Nothing of this agent was found.';
		const controller = new AbortController();
		const listening = token.onCancellationRequested(() => controller.abort());
		try {
			// Loaded when somebody reads.
			const { readableText } = await import('./readableText.ts');
			const text = await readableText(sessions.platform.files, conversation, agent, controller.signal);
			this.documents.setText(uri, text);
			this.mapDiagnostics(uri, session, text);
			return text.text;
		} catch (error) {
			if (!controller.signal.aborted) log.failure('A conversation could not be written out', error);
			return '';
		} finally {
			listening.dispose();
		}
	}

	provideDocumentLinks({ uri }: TextDocument): DocumentLink[] {
		return this.documents.links(uri);
	}

	/** The line on which a call is shown. */
	lineOfCall(uri: Uri, toolUseId: string): number | undefined {
		const text = this.documents.textOf(uri);
		if (text === undefined || toolUseId === '') return undefined;
		for (const agent of this.documents.sessionOf(uri)?.conversation.agents.values() ?? []) {
			const call = agent.toolCalls.find(({ id }) => id === toolUseId);
			const key = call === undefined ? undefined : placeKey(call.place);
			if (key !== undefined) return text.lineOf.get(key);
		}
		return undefined;
	}

	close(uri: Uri): void {
		if (this.documents.close(uri)) this.collection.delete(uri);
	}

	dispose(): void {
		this.documents.dispose();
		this.collection.dispose();
	}

	/** The same problems as on the transcript, where their places are shown. */
	private mapDiagnostics(uri: Uri, session: SessionInView, text: ReadableText): void {
		const mapped: Diagnostic[] = [];
		for (const finding of session.diagnostics) {
			const diagnostic = toDiagnostic(this.options.extension, finding);
			const line =
				text.lineOf.get(placeKey(finding.place) ?? '') ?? text.lineOf.get(lineKey(finding.place) ?? '');
			if (diagnostic === undefined || line === undefined) continue;
			const length = text.text.split('\n', line + 1)[line]?.length ?? 0;
			diagnostic.range = new Range(line, 0, line, length);
			mapped.push(diagnostic);
		}
		this.collection.set(uri, mapped);
	}
}
