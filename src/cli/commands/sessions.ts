import { ExpectedError } from '../../core/base/errors.ts';
import { singleLine, truncated } from '../../core/base/text.ts';
import { createCore } from '../../core/core.ts';
import { formatJson, printable } from '../../core/report/index.ts';
import { pathsOf } from '../../core/transcripts/sessionFiles.ts';
import type { SessionFiles } from '../../core/transcripts/sessionFiles.ts';
import { dataDirectory } from '../dataOption.ts';
import type { Command, CommandIo } from '../io.ts';
import { runTasks } from '../runTasks.ts';
import type { SessionSummary } from '../summary.ts';
import { table } from '../table.ts';
import { findEverywhere, findTargets } from '../targets.ts';
import { UsageError, assumeOption, namedPath, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk sessions [root…] [options]

Lists the sessions that agents have written, newest first. A root is a folder that is searched;
without one: every agent's own home, and what the MCP host has recorded of other sessions ("host").

Options:
  --data DIR      The data directory of the host (default: the user's)
  --json          An array for programs
  --limit N       Only the N sessions that were written to last
  --assume HOW    auto, live, ended (default: auto): how to read a last call without a result
  --help          This text

Exit code: 0 done, 2 could not run.
`;

export const sessions: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, {
			json: { type: 'boolean' },
			limit: { type: 'string' },
			data: { type: 'string' },
			assume: { type: 'string' },
		});
		const limit = values.limit === undefined ? undefined : limitOption(values.limit);
		const assume = assumeOption(values.assume);
		const found = await find(io, positionals, dataDirectory(io, values.data));
		const chosen = limit === undefined ? found : await newest(io, found, limit);
		const results = await runTasks(
			io,
			chosen.map((session) => ({ kind: 'summary', session, assume }) as const),
		);
		for (const { path, message } of results.flatMap(({ unread }) => unread)) tell(io, path, message);
		const sorted = results.map(({ summary }) => summary).sort(byLastEvent);
		io.stdout.write(values.json === true ? formatJson(sorted) : listed(sorted));
		return 0;
	},
};

function limitOption(value: string): number {
	if (!/^[1-9]\d*$/.test(value)) throw new UsageError(`--limit needs a number from 1 on; it cannot be "${value}".`);
	return Number(value);
}

async function find(io: CommandIo, roots: readonly string[], data: string): Promise<readonly SessionFiles[]> {
	const core = createCore(io.platform);
	if (roots.length === 0) {
		const found = await findEverywhere(core, io, data);
		for (const { path, message } of found.problems) {
			// That of the data directory says itself where it is.
			if (path === data) io.stderr.write(`crosstalk: ${printable(message)}\n`);
			else tell(io, path, message);
		}
		if (found.sessions.length === 0 && found.problems.length > 0) throw new ExpectedError('Nothing could be read.');
		return found.sessions;
	}
	const { targets, unread } = await findTargets(
		core,
		io,
		roots.map((root) => namedPath(io, root)),
		undefined,
	);
	for (const { path, problems } of unread) for (const { message } of problems) tell(io, path, message);
	if (targets.length === 0 && unread.length > 0) throw new ExpectedError('Nothing could be read.');
	return targets.map(({ session }) => session);
}

async function newest(io: CommandIo, found: readonly SessionFiles[], limit: number): Promise<readonly SessionFiles[]> {
	const dated = await Promise.all(
		found.map(async (session) => {
			const stats = await Promise.all(
				pathsOf(session).map(async (path) => io.platform.files.stat(path).catch(() => undefined)),
			);
			return { session, modifiedAt: Math.max(...stats.map((stat) => stat?.modifiedAt ?? 0)) };
		}),
	);
	return dated
		.sort((one, other) => other.modifiedAt - one.modifiedAt)
		.slice(0, limit)
		.map(({ session }) => session);
}

function tell(io: CommandIo, path: string, message: string): void {
	io.stderr.write(`crosstalk: ${printable(path)}: ${message}\n`);
}

function byLastEvent(one: SessionSummary, other: SessionSummary): number {
	const first = one.lastEventAt ?? '';
	const second = other.lastEventAt ?? '';
	if (first !== second) return first > second ? -1 : 1;
	return one.path < other.path ? -1 : 1;
}

function listed(summaries: readonly SessionSummary[]): string {
	if (summaries.length === 0) return 'No sessions found.\n';
	const head = ['LAST EVENT', 'AGENT', 'SESSION', 'STATE', 'AGENTS', 'CALLS', 'ORPHANED', 'PROJECT', 'TITLE'];
	const rows = summaries.map((summary) => [
		(summary.lastEventAt ?? '').slice(0, 16).replace('T', ' '),
		summary.format,
		printable(summary.id),
		summary.state === 'unknown' ? 'not known' : summary.state,
		String(summary.agents),
		String(summary.toolCalls),
		String(summary.orphaned - summary.abandoned),
		printable(summary.project ?? ''),
		printable(truncated(singleLine(summary.title ?? ''), 60)),
	]);
	return table(head, rows);
}
