// Has agents tell the host what they do, by hooks in their settings, and takes these out again.

import { window, workspace } from 'vscode';
import type { QuickPickItem } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { counted } from '../core/base/text.ts';
import { programIn } from '../platform/node/host/attach.ts';
import { claudeCodeVersion, unknownVersion, versionObstacle } from '../platform/node/host/hooks/claudeCodeVersion.ts';
import { installedPaths, planHooks, removeHooks, writeHooks } from '../platform/node/host/hooks/hookFiles.ts';
import { preparedPlace, projectSettings, userSettings } from '../platform/node/host/hooks/hookTarget.ts';
import { writeLauncher } from '../platform/node/host/lastingLauncher.ts';
import { userHome } from '../platform/node/userHome.ts';
import type { Log } from './log.ts';
import { confirm, showChanges, tell, textOf } from './plannedChanges.ts';

interface HookSetting {
	readonly directory: string;
	/** Of Crosstalk, as agents are to start it. */
	readonly commandLine: string;
	readonly log: Log;
}

export async function installHooks({ directory, commandLine, log }: HookSetting): Promise<void> {
	const path = await chosenSettings();
	if (path === undefined) return;
	const version = await claudeCodeVersion('claude', process.env);
	const obstacle = version === undefined ? undefined : versionObstacle(version);
	if (obstacle !== undefined) throw new ExpectedError(obstacle);
	const program = programIn(commandLine);
	const place = await preparedPlace(directory, program, await writeLauncher(directory, program));
	const planned = await planHooks(path, place);
	if ('message' in planned)
		throw new ExpectedError(`${path}${planned.line === undefined ? '' : `:${planned.line}`}: ${planned.message}`);
	if (planned.diff === '') {
		await tell(log, `The hooks are in ${path} already.`, false);
		return;
	}
	const shown = await showChanges('Install Hooks', [
		{ path, text: textOf(planned.after), isNew: planned.before === undefined },
	]);
	try {
		const isWanted = await confirm(
			`Have Claude Code tell the host of ${counted(planned.events.length, 'kind')} of events?`,
			'Install',
			'The file is kept as it is now, byte for byte; "Remove Hooks of Agents" puts it back. Without a host agents go on as ever',
		);
		if (!isWanted) return;
		const failure = await writeHooks(directory, planned);
		await tell(
			log,
			failure === undefined
				? `Sessions that begin from now on tell the host what they do.${version === undefined ? ` ${unknownVersion}` : ''}`
				: `${failure.path}: ${failure.message}`,
			failure !== undefined,
		);
	} finally {
		shown.dispose();
	}
}

export async function uninstallHooks({ directory, log }: HookSetting): Promise<void> {
	const paths = await installedPaths(directory);
	if (paths.length === 0) {
		await tell(log, 'There is nothing to remove: no settings of an agent have hooks of Crosstalk.', false);
		return;
	}
	interface Choice extends QuickPickItem {
		readonly path: string;
	}
	const items = paths.map((path): Choice => ({ label: path, picked: true, path }));
	const chosen = await window.showQuickPick(items, {
		title: 'Remove Hooks',
		placeHolder: 'Files that are to be as they were; what was changed in them since stays',
		canPickMany: true,
	});
	if (chosen === undefined || chosen.length === 0) return;
	const removed = [];
	for (const { path } of chosen) removed.push(await removeHooks(directory, path));
	for (const { path, result, remarks } of removed) log.info(`${path}: ${[result, ...remarks].join('. ')}`);
	const failed = removed.find(({ result }) => result === 'failed');
	await tell(
		log,
		failed === undefined
			? `The hooks are gone from ${counted(removed.length, 'file')}.`
			: `${failed.path}: ${failed.remarks.join(' ')}`,
		failed !== undefined,
	);
}

/** The settings file that is meant; `undefined`: the person has changed their mind. */
async function chosenSettings(): Promise<string | undefined> {
	interface Choice extends QuickPickItem {
		readonly path: () => Promise<string>;
	}
	const folders = (workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
	const items: readonly Choice[] = [
		// What an untrusted folder would start is nothing to be looked at closer, either.
		...(workspace.isTrusted ? folders : []).map((folder) => ({
			label: `This project: ${folder.name}`,
			description: '.claude/settings.local.json',
			path: async () => projectSettings(folder.uri.fsPath),
		})),
		{
			label: 'All my projects',
			description: '~/.claude/settings.json',
			path: async () => userSettings({ environment: process.env, homeFolder: userHome() }),
		},
	];
	const picked = await window.showQuickPick(items, {
		title: 'Install Hooks',
		placeHolder: 'Where Claude Code is to tell the host what its agents do; nothing is written yet',
	});
	return picked?.path();
}
