import { createCore } from '../../core/core.ts';
import type { ReadSession } from '../../core/core.ts';
import { formatJson, pathFrom, printable } from '../../core/report/index.ts';
import { compareRuns } from '../../core/runs/compareRuns.ts';
import type { CallFacts, Comparison } from '../../core/runs/compareRuns.ts';
import { comparisonLines } from '../../core/runs/comparisonText.ts';
import { dataDirectory } from '../dataOption.ts';
import { mainPlace, sourceOf } from '../findings.ts';
import { ignoreOptions } from '../ignoreOption.ts';
import type { Command } from '../io.ts';
import { namedSession, sayUnread } from '../namedSession.ts';
import { UsageError, assumeOption, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk compare <A> <B> [options]

Compares two runs, each a transcript, a session id or a file of save: agent by agent the first
difference in the order of the calls that both have, calls that came or went, arguments and results
that changed, findings that came or went, and how long calls of each tool took. Agents are matched by
who spawned them and by what they were to do. Where one was saved without bodies, arguments and
results are not compared.

Options:
  --ignore PATH   Do not compare what is there in arguments and results, as in rows[*].id or
                  **.generated_at; may be given several times
  --json          For programs
  --data DIR      The data directory of the host (default: the user's)
  --assume HOW    auto, live, ended (default: auto): how to read a last call without a result
  --help          This text

Exit code: 0 nothing differs but times, 1 something differs, 2 could not run.
`;

export const compare: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, {
			ignore: { type: 'string', multiple: true },
			json: { type: 'boolean' },
			data: { type: 'string' },
			assume: { type: 'string' },
		});
		const [first, second, ...more] = positionals;
		if (first === undefined || second === undefined || more.length > 0)
			throw new UsageError('Two sessions are needed: transcripts, session ids or session files.');
		const ignored = ignoreOptions(values.ignore);
		const assume = assumeOption(values.assume);
		const core = createCore(io.platform);
		const data = dataDirectory(io, values.data);
		const read = async (what: string): Promise<ReadSession> => {
			const session = await namedSession(core, io, what, { as: undefined, data });
			const run = await core.readSession(session, { assume, rules: {}, withPreviews: false, signal: io.signal });
			sayUnread(io, run);
			return run;
		};
		const [one, other] = [await read(first), await read(second)];
		const comparison = await compareRuns(io.platform.files, one, other, { ignored, signal: io.signal });
		if (values.json === true) {
			io.stdout.write(formatJson(comparisonJson(comparison, one, other)));
		} else {
			const base = { folder: io.workingFolder, separator: io.platform.files.separator };
			const lines = comparisonLines(comparison, {
				names: [printable(first), printable(second)],
				placeText: (place) => {
					const { path, line } = sourceOf(place, mainPlace(one.files));
					return `${pathFrom(base, path)}:${line}`;
				},
			});
			io.stdout.write(`${lines.map(({ text }) => printable(text)).join('\n')}\n`);
		}
		return comparison.isSame ? 0 : 1;
	},
};

function comparisonJson(
	{ one, other, agents, tools, findings, withoutBodies, isSame }: Comparison,
	left: ReadSession,
	right: ReadSession,
): object {
	const callJson = ({ id, tool, state, durationMs, place }: CallFacts, of: ReadSession) => {
		const { path, line } = sourceOf(place, mainPlace(of.files));
		return { id, tool, state, durationMs, path, line };
	};
	const before = (call: CallFacts) => callJson(call, left);
	const after = (call: CallFacts) => callJson(call, right);
	return {
		version: 1,
		isSame,
		withoutBodies: withoutBodies.map((side) => (side === 'one' ? 'a' : 'b')),
		a: one,
		b: other,
		agents: agents.map(({ name, one: first, other: second, sameCalls, firstInOrder, changes }) => ({
			name,
			a: first ?? null,
			b: second ?? null,
			sameCalls,
			firstInOrder:
				firstInOrder === undefined
					? null
					: { position: firstInOrder.position, a: before(firstInOrder.one), b: after(firstInOrder.other) },
			changes: changes.map((change) => {
				switch (change.kind) {
					case 'gone':
						return { kind: change.kind, a: before(change.one) };
					case 'added':
						return { kind: change.kind, b: after(change.other) };
					case 'changed':
						return {
							kind: change.kind,
							a: before(change.one),
							b: after(change.other),
							arguments: sidesOf(change.arguments),
							result: sidesOf(change.result),
						};
				}
			}),
		})),
		tools: tools.map(({ tool, one: first, other: second }) => ({ tool, a: first, b: second })),
		findings: findings.map(({ kind, diagnostic }) => {
			const { ruleId, severity, message, place, toolUseId, toolName } = diagnostic;
			const { path, line } = sourceOf(place, mainPlace((kind === 'gone' ? left : right).files));
			return { kind, ruleId, severity, message, path, line, toolUseId, toolName };
		}),
	};
}

function sidesOf(difference: { readonly path: string; readonly one: unknown; readonly other: unknown } | undefined) {
	return difference === undefined
		? undefined
		: { path: difference.path, a: difference.one ?? null, b: difference.other ?? null };
}
