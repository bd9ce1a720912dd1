// Routes the servers of a person's agents through the host, and back: what would change is shown first, and nothing is written unasked.

import { window, workspace } from 'vscode';
import type { QuickPickItem } from 'vscode';
import { counted } from '../core/base/text.ts';
import { programIn } from '../platform/node/host/attach.ts';
import { clientNames, clients } from '../platform/node/host/config/clientFiles.ts';
import { readBackup, readImportRecord } from '../platform/node/host/config/importStore.ts';
import { planImport, writeImport } from '../platform/node/host/config/importing.ts';
import type { ImportOptions, ImportPlan, PlannedFile } from '../platform/node/host/config/importing.ts';
import { restoreImports } from '../platform/node/host/config/restoring.ts';
import type { RestoredFile } from '../platform/node/host/config/restoring.ts';
import { writeLauncher } from '../platform/node/host/lastingLauncher.ts';
import { userHome } from '../platform/node/userHome.ts';
import type { Log } from './log.ts';
import { confirm, showChanges, tell, textOf } from './plannedChanges.ts';
import { defaultHostDirectory } from './settings.ts';

interface ImportSetting {
	readonly directory: string;
	/** Of Crosstalk, as clients are to start it. */
	readonly commandLine: string;
	readonly log: Log;
}

export async function importServers({ directory, commandLine, log }: ImportSetting): Promise<void> {
	const folder = await projectFolder();
	if (folder === undefined) return;
	const options: ImportOptions = {
		platform: process.platform,
		environment: process.env,
		homeFolder: userHome(),
		workingFolder: folder,
		clients,
		dataDirectory: directory,
		defaultDataDirectory: defaultHostDirectory(),
		launcher: await writeLauncher(directory, programIn(commandLine)),
	};
	const plan = await planImport(options);
	writePlan(plan, log);
	const changed = plan.files.filter(({ diff }) => diff !== '');
	if (changed.length === 0) {
		await tell(log, nothingToImport(plan), plan.problems.length > 0);
		return;
	}
	const chosen = await chooseFiles(changed);
	if (chosen.length === 0) return;
	const servers = counted(countRouted(chosen), 'server');
	const shown = await showChanges(
		'Import MCP Servers',
		chosen.map(({ path, after }) => ({ path, text: textOf(after) })),
	);
	try {
		const isWanted = await confirm(
			`Route ${servers} in ${counted(chosen.length, 'file')} through the host?`,
			'Write',
			'The files are kept as they are now, byte for byte; "Restore MCP Servers" puts them back',
		);
		if (!isWanted) return;
		const failures = await writeImport({ ...plan, files: chosen }, options);
		for (const { path, message } of failures) log.info(`${path}: ${message}`);
		const [failure] = failures;
		await tell(
			log,
			failure === undefined
				? `${servers} ${countRouted(chosen) === 1 ? 'goes' : 'go'} through the host now. Start the agents anew to use ${countRouted(chosen) === 1 ? 'it' : 'them'}.`
				: `${counted(failures.length, 'file')} could not be changed. ${failure.path}: ${failure.message}`,
			failure !== undefined,
		);
	} finally {
		shown.dispose();
	}
}

export async function restoreServers({ directory, log }: ImportSetting): Promise<void> {
	const { record } = await readImportRecord(directory);
	const { files } = record;
	if (files.length === 0) {
		await tell(log, 'There is nothing to restore: no file of an agent was changed.', false);
		return;
	}
	const before: { path: string; text: string }[] = [];
	for (const { path, steps } of files) {
		const backup = steps[0] && (await readBackup(directory, steps[0].originalSha256));
		if (backup !== undefined) before.push({ path, text: textOf(backup) });
	}
	const shown = await showChanges('Restore MCP Servers', before);
	try {
		const isWanted = await confirm(
			`Put ${counted(files.length, 'file')} back as ${files.length === 1 ? 'it was' : 'they were'}?`,
			'Restore',
			'What was changed in them since stays; only the servers are put back then',
		);
		if (!isWanted) return;
		const restored = await restoreImports(directory);
		for (const { path, result, remarks } of restored) log.info(`${path}: ${[result, ...remarks].join('. ')}`);
		const failed = restored.filter(({ result }) => result === 'failed');
		await tell(log, restoredWords(restored), failed.length > 0);
	} finally {
		shown.dispose();
	}
}

/** Whose configuration counts beside the person's own; `undefined`: the person has changed their mind. */
async function projectFolder(): Promise<string | undefined> {
	const folders = (workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
	// Servers that an untrusted folder configures are nothing to be started, by nobody.
	if (!workspace.isTrusted || folders.length === 0) return userHome();
	if (folders.length === 1) return folders[0]?.uri.fsPath;
	const picked = await window.showWorkspaceFolderPick({ placeHolder: 'The project whose servers are meant' });
	return picked?.uri.fsPath;
}

async function chooseFiles(files: readonly PlannedFile[]): Promise<readonly PlannedFile[]> {
	interface Choice extends QuickPickItem {
		readonly file: PlannedFile;
	}
	const items = files.map((file): Choice => ({
		label: clientNames[file.client],
		description: file.path,
		detail: file.servers
			.filter(({ action }) => action === 'route')
			.map(({ name }) => name)
			.join(', '),
		picked: true,
		file,
	}));
	const picked = await window.showQuickPick(items, {
		title: 'Import MCP Servers',
		placeHolder: 'Files whose servers are to go through the host; nothing is written yet',
		canPickMany: true,
	});
	return (picked ?? []).map(({ file }) => file);
}

function writePlan({ files, problems }: ImportPlan, log: Log): void {
	for (const { path, servers } of files) {
		for (const { name, line, action, remark } of servers) {
			if (action === 'leave' || remark !== undefined)
				log.info(`${path}:${line}: ${name}${action === 'leave' ? ' is left as it is' : ''}. ${remark ?? ''}`);
		}
	}
	for (const { path, line, message } of problems)
		log.info(`${path}${line === undefined ? '' : `:${line}`}: ${message}`);
}

function nothingToImport({ files, problems }: ImportPlan): string {
	const [problem] = problems;
	if (problem !== undefined) return `${problem.path}: ${problem.message}`;
	const servers = files.flatMap((file) => file.servers);
	const routed = servers.filter(({ action }) => action === 'routed').length;
	const left = servers.length - routed;
	if (servers.length === 0) return 'No configuration of MCP servers was found, neither of this project nor of yours.';
	const all =
		routed === 0 ? '' : `${counted(routed, 'server')} go${routed === 1 ? 'es' : ''} through the host already.`;
	return `${all}${left === 0 ? '' : ` ${counted(left, 'server')} cannot; the log says why.`}`.trim();
}

function restoredWords(restored: readonly RestoredFile[]): string {
	const count = (result: RestoredFile['result']) => restored.filter((file) => file.result === result).length;
	const exact = count('restored') + count('unchanged');
	const failed = restored.find(({ result }) => result === 'failed');
	return [
		...(exact > 0
			? [`${counted(exact, 'file')} ${exact === 1 ? 'is as it was' : 'are as they were'}, byte for byte.`]
			: []),
		...(count('merged') > 0
			? [`${counted(count('merged'), 'file')} had been changed since; the servers in it were put back.`]
			: []),
		...(count('gone') > 0
			? [`${counted(count('gone'), 'file')} ${count('gone') === 1 ? 'is' : 'are'} not there any more.`]
			: []),
		...(failed === undefined
			? []
			: [
					`${counted(count('failed'), 'file')} could not be put back. ${failed.path}: ${failed.remarks.join(' ')}`,
				]),
	].join(' ');
}

function countRouted(files: readonly PlannedFile[]): number {
	return files.flatMap(({ servers }) => servers).filter(({ action }) => action === 'route').length;
}
