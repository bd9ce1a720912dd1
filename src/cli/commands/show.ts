import { ExpectedError } from '../../core/base/errors.ts';
import { createCore } from '../../core/core.ts';
import type { Core } from '../../core/core.ts';
import { printable } from '../../core/report/index.ts';
import { pathsOf, withRecordings } from '../../core/transcripts/sessionFiles.ts';
import type { SessionFiles } from '../../core/transcripts/sessionFiles.ts';
import { readConfig } from '../configFile.ts';
import { findRecordings } from '../../platform/node/store/recordings.ts';
import { conversationJson } from '../conversationJson.ts';
import { conversationText } from '../conversationText.ts';
import { coverageJson, coverageText } from '../coverageText.ts';
import { dataDirectory } from '../dataOption.ts';
import { hasColours } from '../io.ts';
import type { Command, CommandIo } from '../io.ts';
import { findEverywhere, findTargets } from '../targets.ts';
import { UsageError, absolutePath, assumeOption, formatOption, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk show <path|session-id> [options]

Prints a conversation as a tree: agents, turns, calls with state and time, compactions. A session's
id may be cut short as long as it stays unique; it is looked for in every agent's home, and in what
the MCP host has recorded, which is shown with the transcript or, where there is none, by itself.

Options:
  --full          With the arguments and the results of calls
  --coverage      Instead: who looked where, by the scopes of the tools of MCP servers, and what
                  nobody looked at
  --config FILE   With --coverage: a configuration of lint, whose "scope" counts
  --json          For programs
  --data DIR      The data directory of the host (default: the user's)
  --as FORMAT     claude-code or codex: take the file for this without a look at it
  --assume HOW    auto, live, ended (default: auto): how to read a last call without a result
  --help          This text

Exit code: 0 done, 2 could not run.
`;

export const show: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, {
			full: { type: 'boolean' },
			coverage: { type: 'boolean' },
			config: { type: 'string' },
			json: { type: 'boolean' },
			as: { type: 'string' },
			data: { type: 'string' },
			assume: { type: 'string' },
		});
		const [what, ...more] = positionals;
		if (what === undefined) throw new UsageError('A transcript or a session id is needed.');
		if (more.length > 0) throw new UsageError('Only one session can be shown at a time.');
		if (values.coverage === true && values.full === true)
			throw new UsageError('--coverage and --full contradict each other.');
		if (values.config !== undefined && values.coverage !== true)
			throw new UsageError('--config is for --coverage.');
		const config =
			values.config === undefined ? undefined : await readConfig(absolutePath(io, values.config), values.config);
		const assume = assumeOption(values.assume);
		const as = formatOption(values.as);
		const data = dataDirectory(io, values.data);
		const core = createCore(io.platform);
		const path = absolutePath(io, what);
		const isPath = (await io.platform.files.stat(path)) !== undefined;
		const session = isPath
			? await withRecording(await sessionAt(core, io, path, as), io, data)
			: await sessionById(core, io, what, data);
		const read = await core.readSession(session, { assume, rules: {}, withPreviews: true, signal: io.signal });
		if (read.readings.every(({ lines, problem }) => lines === 0 && problem !== undefined))
			throw new ExpectedError(read.readings[0]?.problem ?? 'Nothing could be read.');
		for (const { path: file, problem } of read.readings) {
			if (problem !== undefined) io.stderr.write(`crosstalk: ${printable(file)}: ${problem}\n`);
		}
		if (values.coverage === true) {
			const scope = config?.scope ?? {};
			io.stdout.write(values.json === true ? coverageJson(read, scope) : coverageText(read, scope));
			return 0;
		}
		const options = { isFull: values.full === true, hasColours: hasColours(io) };
		const pieces =
			values.json === true
				? conversationJson(read, io.platform.files, options)
				: conversationText(read, io.platform.files, options);
		for await (const piece of pieces) {
			if (io.signal.aborted) break;
			io.stdout.write(piece);
		}
		return 0;
	},
};

async function sessionAt(
	core: Core,
	io: CommandIo,
	path: string,
	as: ReturnType<typeof formatOption>,
): Promise<SessionFiles> {
	const { targets, unread } = await findTargets(core, io, [path], as);
	const [first, ...more] = targets;
	if (first === undefined)
		throw new ExpectedError(
			`${printable(path)}: ${unread[0]?.problems[0]?.message ?? 'There is no transcript in this folder.'}`,
		);
	if (more.length > 0)
		throw new ExpectedError(
			`There are ${targets.length} sessions in ${printable(path)}; name one of them:\n${listed(targets.map(({ session }) => session))}`,
		);
	return first.session;
}

/** What a host has recorded of a session is shown with it; that it cannot be read is no reason not to show the rest. */
async function withRecording(session: SessionFiles, io: CommandIo, data: string): Promise<SessionFiles> {
	try {
		return withRecordings([session], await findRecordings(data))[0] ?? session;
	} catch (error) {
		if (!(error instanceof ExpectedError)) throw error;
		io.stderr.write(`crosstalk: ${printable(error.message)}\n`);
		return session;
	}
}

/** What people call a session by: with the name of its format, and without. */
function namesOf({ format, nativeId }: SessionFiles): readonly string[] {
	const own = [nativeId, `${format}:${nativeId}`];
	// The id of one that only the host knows names the agent itself.
	return format === 'host' ? [...own, nativeId.slice(nativeId.indexOf(':') + 1)] : own;
}

async function sessionById(core: Core, io: CommandIo, id: string, data: string): Promise<SessionFiles> {
	const { sessions, problems } = await findEverywhere(core, io, data);
	for (const { path, message } of problems) {
		if (path === data) io.stderr.write(`crosstalk: ${printable(message)}\n`);
	}
	const exact = sessions.filter((session) => namesOf(session).includes(id));
	const candidates =
		exact.length > 0 ? exact : sessions.filter((session) => namesOf(session).some((name) => name.startsWith(id)));
	const [first, ...more] = candidates;
	if (first === undefined) throw new ExpectedError(`There is neither a file nor a session "${printable(id)}".`);
	if (more.length > 0)
		throw new ExpectedError(
			`"${printable(id)}" may be one of ${candidates.length} sessions; name one of them:\n${listed(candidates)}`,
		);
	return first;
}

const mostListed = 20;

function listed(sessions: readonly SessionFiles[]): string {
	const lines = sessions
		.slice(0, mostListed)
		.map((session) => `  ${session.nativeId}  ${printable(pathsOf(session)[0] ?? '')}`);
	if (sessions.length > mostListed) lines.push(`  and ${sessions.length - mostListed} more`);
	return lines.join('\n');
}
