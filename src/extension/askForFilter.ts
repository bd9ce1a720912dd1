import { window } from 'vscode';
import type { QuickPickItem } from 'vscode';
import type { Sessions } from './sessions.ts';
import { noFilter } from './sessionFilter.ts';
import type { SessionFilter } from './sessionFilter.ts';
import { formatNames, projectOf } from './words.ts';

/** @returns `undefined`: the person has left it. */
export async function askForFilter(sessions: Sessions, current: SessionFilter): Promise<SessionFilter | undefined> {
	interface Choice extends QuickPickItem {
		readonly filter: SessionFilter;
	}
	const projects = [...new Set(sessions.list.map(projectOf))].filter((project) => project !== '').sort();
	const formats = [...new Set(sessions.list.map(({ files }) => files.format))].sort();
	const fixed: Choice[] = [
		{ label: '$(warning) With findings', filter: { ...current, isWithFindings: true } },
		...formats.map((format) => ({
			label: `$(hubot) ${formatNames[format] ?? format}`,
			description: 'format',
			filter: { ...current, format },
		})),
		...projects.map((project) => ({
			label: `$(folder) ${project}`,
			description: 'project',
			filter: { ...current, project },
		})),
		{ label: '$(clear-all) Show all sessions', alwaysShow: true, filter: noFilter },
	];
	const { promise, resolve } = Promise.withResolvers<SessionFilter | undefined>();
	const pick = window.createQuickPick<Choice>();
	pick.title = 'Filter Sessions';
	pick.placeholder = 'Type a part of a name, or choose';
	pick.items = fixed;
	pick.onDidChangeValue((value) => {
		const text = value.trim();
		pick.items =
			text === ''
				? fixed
				: [
						{ label: `$(search) Name contains “${text}”`, alwaysShow: true, filter: { ...current, text } },
						...fixed,
					];
	});
	pick.onDidAccept(() => {
		resolve(pick.selectedItems[0]?.filter);
		pick.hide();
	});
	pick.onDidHide(() => {
		resolve(undefined);
		pick.dispose();
	});
	pick.show();
	return promise;
}
