import { ProgressLocation, Uri, commands, window, workspace } from 'vscode';
import type { CustomDocument, CustomReadonlyEditorProvider, Disposable, QuickPickItem, WebviewPanel } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { counted } from '../core/base/text.ts';
import { savedSessionSuffix } from '../core/transcripts/savedSession.ts';
import { agentOf } from './agentsView.ts';
import type { AgentsView } from './agentsView.ts';
import { registerCommand } from './commands.ts';
import { agentInEditor } from './conversationView.ts';
import { commandIds, savedEditorId } from './ids.ts';
import type { Log } from './log.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import { folderOf } from './paths.ts';
import { savedSessionPage } from './savedSessionPage.ts';
import type { SessionKey } from './sessionInView.ts';
import type { Sessions } from './sessions.ts';
import { titleOf } from './words.ts';

interface SavedSessionsOptions {
	/** Of this extension. */
	readonly version: string;
	readonly sessions: Sessions;
	readonly transcripts: OpenTranscripts;
	readonly agents: AgentsView;
	readonly log: Log;
}

/** Sessions as single files: saving one, and what an editor shows of one. */
export function registerSavedSessions(options: SavedSessionsOptions): Disposable {
	const { sessions, transcripts, agents, log } = options;
	const disposables = new DisposableStore();
	disposables.add(
		registerCommand(
			log,
			commandIds.saveSession,
			'The session could not be saved',
			async (value?: unknown, target?: unknown, bodies?: unknown) => {
				const found =
					agentOf(agents.isNode(value) ? value : undefined) ??
					(await agentInEditor(transcripts)) ??
					agentOf(agents.nodeOf(undefined));
				if (found === undefined) {
					void window.showInformationMessage(
						'Select a session in the Crosstalk view, or open a transcript, to save it as one file.',
					);
					return;
				}
				// A task or a key binding may say both.
				const isReplacing =
					bodies === 'whole' || bodies === 'replaced' ? bodies === 'replaced' : await askForBodies();
				if (isReplacing === undefined) return;
				const uri = target instanceof Uri ? target : await askForFile(sessions, found.key);
				if (uri !== undefined) await save(options, found.key, uri.fsPath, isReplacing);
			},
		),
	);
	disposables.add(
		window.registerCustomEditorProvider(savedEditorId, new SavedSessionEditor(sessions), {
			supportsMultipleEditorsPerDocument: true,
		}),
	);
	return { dispose: () => disposables.dispose() };
}

async function askForBodies(): Promise<boolean | undefined> {
	interface Choice extends QuickPickItem {
		readonly isReplacing: boolean;
	}
	const choices: Choice[] = [
		{
			label: '$(archive) Everything',
			description: 'texts, arguments and results as they were',
			detail: 'For yourself, and for those who may read what was said.',
			isReplacing: false,
		},
		{
			label: '$(eye-closed) Without What Was Said',
			description: 'letters of the same length in place of texts, arguments and results',
			detail: 'To give away: structure, ids, times and findings stay.',
			isReplacing: true,
		},
	];
	return (await window.showQuickPick(choices, { title: 'Save Session as One File' }))?.isReplacing;
}

async function askForFile(sessions: Sessions, key: SessionKey): Promise<Uri | undefined> {
	const entry = sessions.entry(key);
	const name = titleOf(entry)
		.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-')
		.replaceAll(/^[-.]+|[-.]+$/g, '')
		.slice(0, 60);
	const folder = workspace.workspaceFolders?.[0]?.uri ?? Uri.file(folderOf(key));
	const uri = await window.showSaveDialog({
		title: 'Save Session as One File',
		defaultUri: Uri.joinPath(folder, `${name === '' ? 'session' : name}${savedSessionSuffix}`),
		filters: { 'Session Files': [savedSessionSuffix.slice(1)] },
	});
	if (uri === undefined) return undefined;
	return uri.path.endsWith(savedSessionSuffix) ? uri : uri.with({ path: `${uri.path}${savedSessionSuffix}` });
}

async function save(
	{ version, sessions }: SavedSessionsOptions,
	key: SessionKey,
	path: string,
	isReplacing: boolean,
): Promise<void> {
	const entry = sessions.entry(key);
	if (entry === undefined) throw new ExpectedError('The session is no longer there.');
	// Loaded when somebody saves.
	const { PackedWriter } = await import('../platform/node/packed/packedWriter.ts');
	const { secretDigest } = await import('../platform/node/packed/secretDigest.ts');
	const title = `Saving “${titleOf(entry)}”`;
	const saved = await window.withProgress(
		{ location: ProgressLocation.Notification, title, cancellable: true },
		async (_progress, token) => {
			const abort = new AbortController();
			const stopping = token.onCancellationRequested(() => abort.abort());
			// The dialog has asked whether a file that is there may go.
			const writer = await PackedWriter.create(path, true);
			try {
				const result = await sessions.core.saveSession(entry.files, writer, {
					writtenBy: `crosstalk ${version}`,
					savedAt: Date.now(),
					replacing: isReplacing ? secretDigest() : undefined,
					signal: abort.signal,
				});
				await writer.finish();
				return result;
			} catch (error) {
				await writer.discard();
				if (abort.signal.aborted) return undefined;
				throw error;
			} finally {
				stopping.dispose();
			}
		},
	);
	if (saved === undefined) return;
	const words = [
		`Saved with ${counted(saved.files, 'file')}.`,
		...(saved.isUnfinished ? ['The session still runs: this is what there is of it by now.'] : []),
		...saved.problems.map(({ path: missed, message }) => `Not in it: ${missed}. ${message}`),
		isReplacing
			? 'Texts, arguments and results are replaced; names of tools and servers, ids and times are not.'
			: 'What was said in it is in the file as it was.',
	];
	const open = 'Open';
	void window.showInformationMessage(words.join(' '), open).then(async (answer) => {
		if (answer === open) await commands.executeCommand('vscode.open', Uri.file(path));
	});
}

/** Opening a session file puts it into the view, and shows what it is. */
class SavedSessionEditor implements CustomReadonlyEditorProvider {
	private readonly sessions: Sessions;

	constructor(sessions: Sessions) {
		this.sessions = sessions;
	}

	openCustomDocument(uri: Uri): CustomDocument {
		return { uri, dispose: () => undefined };
	}

	async resolveCustomEditor({ uri }: CustomDocument, panel: WebviewPanel): Promise<void> {
		const { webview } = panel;
		webview.options = {
			enableScripts: false,
			enableCommandUris: [commandIds.revealInAgents, commandIds.revealPlace, commandIds.openSession],
			localResourceRoots: [],
		};
		try {
			const key = await this.sessions.open(uri.fsPath);
			const hold = this.sessions.hold(key);
			await hold?.session.whenRead;
			webview.html = savedSessionPage(hold?.session, key);
			hold?.dispose();
		} catch (error) {
			if (!(error instanceof ExpectedError)) throw error;
			webview.html = savedSessionPage(undefined, error.message);
		}
	}
}
