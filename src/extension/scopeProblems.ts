import { commands, window, workspace } from 'vscode';
import type { Disposable } from 'vscode';
import type { Log } from './log.ts';
import { scopeProblems, section } from './settings.ts';

/** Says what is wrong with the scopes that a person has just set, in one sentence; what is right of them holds all the same. */
export function registerScopeProblems(log: Log): Disposable {
	return workspace.onDidChangeConfiguration((event) => {
		if (!event.affectsConfiguration(`${section}.scope`)) return;
		const [first, ...more] = scopeProblems();
		if (first === undefined) return;
		for (const problem of [first, ...more]) log.channel.warn(`${section}.scope: ${problem}`);
		void tell(more.length === 0 ? first : `${first} (And ${more.length} more; the log has them.)`);
	});
}

async function tell(problem: string): Promise<void> {
	const open = 'Open Settings';
	const chosen = await window.showWarningMessage(`Crosstalk's scopes: ${problem}`, open);
	if (chosen === open) await commands.executeCommand('workbench.action.openSettings', `${section}.scope`);
}
