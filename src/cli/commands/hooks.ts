import { ExpectedError } from '../../core/base/errors.ts';
import { counted } from '../../core/base/text.ts';
import { formatJson, printable, printableLines } from '../../core/report/index.ts';
import { attach } from '../../platform/node/host/attach.ts';
import {
	claudeCodeVersion,
	unknownVersion,
	versionObstacle,
} from '../../platform/node/host/hooks/claudeCodeVersion.ts';
import {
	findHooks,
	installedPaths,
	planHooks,
	removeHooks,
	writeHooks,
} from '../../platform/node/host/hooks/hookFiles.ts';
import type { FoundHooks, HookProblem, RemovedHooks } from '../../platform/node/host/hooks/hookFiles.ts';
import {
	plannedPlace,
	preparedPlace,
	projectSettings,
	settingsInPlay,
	userSettings,
} from '../../platform/node/host/hooks/hookTarget.ts';
import { dataDirectory } from '../dataOption.ts';
import type { Command, CommandIo } from '../io.ts';
import { launcherOf } from '../launcher.ts';
import { ownProgram } from '../ownProgram.ts';
import { tellProblem } from '../tellProblem.ts';
import { UsageError, absolutePath, oneOf, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk hooks install [--write] [options]
       crosstalk hooks remove [options]
       crosstalk hooks status [options]

Has Claude Code tell the host what its agents do, also where nobody starts it with "crosstalk run":
which agent makes which call, built-in tools included, when agents begin and end, when a conversation
is compacted. With a debugger attached, calls can be stopped there. "install" says what would change,
and changes nothing without --write. "remove" makes the file again as it was, byte for byte; in a file
that was changed since only the hooks are taken out.

An agent is never kept from its work: where no host runs, its calls go on at once. The host is started
when a session begins.

Options:
  --project DIR   The project whose .claude/settings.local.json is meant (default: the working folder)
  --user          The user's own settings, for all projects, in place of a project's
  --write         Does it
  --data DIR      The data directory of the host (default: the user's)
  --json          For programs
  --help          This text

Exit code: 0 done, 2 could not run, or a file could not be read or written.
`;

export const hooks: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, {
			project: { type: 'string' },
			user: { type: 'boolean' },
			write: { type: 'boolean' },
			data: { type: 'string' },
			json: { type: 'boolean' },
		});
		const [what, extra] = positionals;
		if (what === undefined)
			throw new UsageError('It has to be said what is to be done: install, remove or status.');
		if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many.`);
		const action = oneOf('What is to be done', what, ['install', 'remove', 'status']);
		if (values.user === true && values.project !== undefined)
			throw new UsageError('--user and --project exclude each other.');
		if (values.write === true && action !== 'install') throw new UsageError(`--write is for "install" alone.`);
		const options: Options = {
			directory: dataDirectory(io, values.data),
			project: absolutePath(io, values.project ?? '.'),
			isUser: values.user === true,
			isNamed: values.user === true || values.project !== undefined,
			isWritten: values.write === true,
			isJson: values.json === true,
		};
		switch (action) {
			case 'install':
				return install(options, io);
			case 'remove':
				return remove(options, io);
			case 'status':
				return status(options, io);
		}
	},
};

interface Options {
	readonly directory: string;
	readonly project: string;
	readonly isUser: boolean;
	/** Somebody has said which file is meant. */
	readonly isNamed: boolean;
	readonly isWritten: boolean;
	readonly isJson: boolean;
}

/** Of a host that has never run. */
const unknownPlace = 'http://127.0.0.1:0/unknown/hooks/claude-code';

async function install(options: Options, io: CommandIo): Promise<number> {
	const { directory, isWritten, isJson } = options;
	const path = await targetOf(options, io);
	const version = await claudeCodeVersion('claude', io.environment);
	const obstacle = version === undefined ? undefined : versionObstacle(version);
	if (obstacle !== undefined) throw new ExpectedError(obstacle);
	const program = ownProgram(io);
	const launcher = launcherOf(io);
	const known = isWritten
		? await preparedPlace(directory, program, launcher)
		: await plannedPlace(directory, launcher);
	const place = known ?? { url: unknownPlace, launcher, dataDirectory: directory, startsHost: true };
	const planned = await planHooks(path, place);
	if ('message' in planned) return failed([planned], io, isJson);
	const failure = isWritten ? await writeHooks(directory, planned) : undefined;
	if (failure !== undefined) return failed([failure], io, isJson);
	const notes = await obstacles(options, io);
	if (version === undefined) notes.push(unknownVersion);
	if (known === undefined) notes.push('The port in it will be that of the host, which has not run yet.');
	const { diff, events } = planned;
	if (isJson) io.stdout.write(formatJson({ version: 1, path, isWritten, diff, events, notes, problems: [] }));
	else {
		const lines = [`Claude Code: ${printable(path)}`];
		if (diff === '') lines.push('The hooks are there already.');
		else {
			lines.push('', printableLines(diff.trimEnd()), '');
			lines.push(
				isWritten
					? `Agents tell the host of ${counted(events.length, 'kind')} of events now. "crosstalk hooks remove" takes it back.`
					: `Agents would tell the host of ${counted(events.length, 'kind')} of events. Nothing was changed; --write does it.`,
			);
		}
		io.stdout.write(`${lines.join('\n')}\n`);
		for (const note of notes) io.stderr.write(`crosstalk: ${printable(note)}\n`);
	}
	return 0;
}

async function remove(options: Options, io: CommandIo): Promise<number> {
	const { directory, isJson, isNamed } = options;
	const target = await targetOf(options, io);
	// Who names no file means all that were changed.
	const paths = isNamed ? [target] : [...new Set([...(await installedPaths(directory)), target])];
	const all: RemovedHooks[] = [];
	for (const path of paths) all.push(await removeHooks(directory, path));
	const files = all.filter(({ path, result }) => result !== 'unchanged' || path === target);
	if (isJson) io.stdout.write(formatJson({ version: 1, files }));
	else for (const file of files) io.stdout.write(removedText(file));
	return files.some(({ result }) => result === 'failed') ? 2 : 0;
}

function removedText({ path, result, diff, remarks, backup }: RemovedHooks): string {
	const lines = [`Claude Code: ${printable(path)}`, `  ${removedWords[result]}`];
	for (const remark of remarks) lines.push(`  ${printable(remark)}`);
	if (backup !== undefined) lines.push(`  As it was before: ${printable(backup)}`);
	if (diff !== '') lines.push('', printableLines(diff.trimEnd()), '');
	return `${lines.join('\n')}\n`;
}

const removedWords: Readonly<Record<RemovedHooks['result'], string>> = {
	restored: 'The file is as it was before, byte for byte.',
	merged: 'The hooks are gone.',
	unchanged: 'There are no hooks of Crosstalk in it.',
	failed: 'The hooks are still there.',
};

async function status(options: Options, io: CommandIo): Promise<number> {
	const { directory, project, isJson } = options;
	const place = await plannedPlace(directory, launcherOf(io));
	const running = await attach({ directory, client: 'crosstalk hooks' });
	running?.dispose();
	const paths = new Set([...(await settingsInPlay(project, io)), ...(await installedPaths(directory))]);
	const found: FoundHooks[] = [];
	const problems: HookProblem[] = [];
	for (const path of paths) {
		const file = await findHooks(path, place);
		if ('message' in file) problems.push(file);
		else if (file.events.length > 0 || file.obstacle !== undefined) found.push(file);
	}
	const isHostRunning = running !== undefined;
	if (isJson) {
		const files = found.map(({ obstacle, ...file }) => ({ ...file, obstacle: obstacle ?? null }));
		io.stdout.write(formatJson({ version: 1, isHostRunning, files, problems }));
	} else {
		const lines = found.flatMap(foundText);
		if (found.every(({ events }) => events.length === 0)) lines.push('No hooks of Crosstalk are installed here.');
		lines.push(
			isHostRunning ? 'The host is running.' : 'No host is running; the next session to begin here starts it.',
		);
		io.stdout.write(`${lines.join('\n')}\n`);
		tell(problems, io);
	}
	return problems.length > 0 ? 2 : 0;
}

function foundText({ path, events, missing, isCurrent, obstacle }: FoundHooks): readonly string[] {
	const lines = [`Claude Code: ${printable(path)}`];
	if (events.length > 0) {
		lines.push(`  ${counted(events.length, 'kind')} of events go to the host.`);
		if (!isCurrent)
			lines.push('  They lead to where the host is not. "crosstalk hooks install --write" sets that right.');
		else if (missing.length > 0)
			lines.push(`  Not among them: ${missing.join(', ')}. "crosstalk hooks install --write" adds them.`);
	}
	if (obstacle !== undefined) lines.push(`  "${obstacle}" in it keeps them from running.`);
	return lines;
}

async function obstacles({ project }: Options, io: CommandIo): Promise<string[]> {
	const notes: string[] = [];
	for (const path of await settingsInPlay(project, io)) {
		const file = await findHooks(path, undefined);
		if (!('message' in file) && file.obstacle !== undefined)
			notes.push(`"${file.obstacle}" in ${path} keeps these hooks from running.`);
	}
	return notes;
}

async function targetOf({ isUser, project }: Options, io: CommandIo): Promise<string> {
	if (isUser) return userSettings(io);
	return projectSettings(project);
}

function failed(problems: readonly HookProblem[], io: CommandIo, isJson: boolean): number {
	if (isJson) io.stdout.write(formatJson({ version: 1, problems }));
	tell(problems, io);
	return 2;
}

function tell(problems: readonly HookProblem[], io: CommandIo): void {
	for (const problem of problems) tellProblem(io, problem);
}
