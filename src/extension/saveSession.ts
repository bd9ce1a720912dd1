import { ProgressLocation, Uri, commands, window, workspace } from 'vscode';
import type { QuickPickItem } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { counted } from '../core/base/text.ts';
import { savedSessionSuffix } from '../core/transcripts/savedSessionName.ts';
import { PackedWriter } from '../platform/node/packed/packedWriter.ts';
import { secretDigest } from '../platform/node/packed/secretDigest.ts';
import { agentOf } from './agentsView.ts';
import { agentInEditor } from './conversationView.ts';
import { folderOf } from './paths.ts';
import type { SavedSessionsOptions } from './savedSessions.ts';
import type { SessionKey } from './sessionInView.ts';
import type { Sessions } from './sessions.ts';
import { titleOf } from './words.ts';

/**
 * Saves a session as one file.
 * @param values The row; and, for a key binding, the file as a `Uri` and `whole` or `replaced`. What is missing is asked for.
 */
export async function saveSession(
	options: SavedSessionsOptions,
	[value, target, bodies]: readonly unknown[],
): Promise<void> {
	const { agents, transcripts, sessions } = options;
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
	const isReplacing = bodies === 'whole' || bodies === 'replaced' ? bodies === 'replaced' : await askForBodies();
	if (isReplacing === undefined) return;
	const uri = target instanceof Uri ? target : await askForFile(sessions, found.key);
	if (uri !== undefined) await save(options, found.key, uri.fsPath, isReplacing);
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
