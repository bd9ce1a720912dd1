// Changes of a person's files: they are shown first, and nothing is written unasked.

import { Uri, commands, window, workspace } from 'vscode';
import type { Disposable, QuickPickItem } from 'vscode';
import { plannedScheme } from './ids.ts';
import type { Log } from './log.ts';

/** Beside each other: each file as it is, and as it would be. The latter are there until the result is disposed. */
export async function showChanges(
	title: string,
	files: readonly { readonly path: string; readonly text: string; readonly isNew?: boolean }[],
): Promise<Disposable> {
	const texts = new Map<string, string>();
	const changes = files.map(({ path, text, isNew }) => {
		const file = Uri.file(path);
		const planned = file.with({ scheme: plannedScheme });
		texts.set(planned.toString(), text);
		if (isNew !== true) return [file, file, planned];
		const nothing = planned.with({ query: 'before' });
		texts.set(nothing.toString(), '');
		return [file, nothing, planned];
	});
	const provider = workspace.registerTextDocumentContentProvider(plannedScheme, {
		provideTextDocumentContent: (uri) => texts.get(uri.toString()),
	});
	// Before the question, which then has the keyboard.
	await commands.executeCommand('vscode.changes', title, changes);
	return provider;
}

/** Asks above what is shown, which a person may scroll meanwhile. */
export async function confirm(question: string, yes: string, detail: string): Promise<boolean> {
	const choice: QuickPickItem = { label: `$(check) ${yes}`, detail };
	const picked = await window.showQuickPick([choice, { label: '$(close) Cancel', detail: 'Nothing is changed' }], {
		title: question,
		placeHolder: 'The editor shows what would change',
		ignoreFocusOut: true,
	});
	return picked === choice;
}

export function textOf(bytes: Uint8Array): string {
	return new TextDecoder().decode(bytes);
}

/** What has come of it, with the way to the log where that has more. */
export async function tell(log: Log, message: string, isWrong: boolean): Promise<void> {
	const showLog = 'Show Log';
	const said = isWrong
		? window.showWarningMessage(message, showLog)
		: window.showInformationMessage(message, ...(message.includes('the log') ? [showLog] : []));
	if ((await said) === showLog) log.channel.show(true);
}
