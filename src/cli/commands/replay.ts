import { randomUUID } from 'node:crypto';
import { ExpectedError } from '../../core/base/errors.ts';
import { sessionId } from '../../core/base/ids.ts';
import { didYouMean } from '../../core/base/nearest.ts';
import { nameForAgents } from '../../core/conversation/index.ts';
import { createCore } from '../../core/core.ts';
import { anyGlob } from '../../core/debug/glob.ts';
import type { ServerDefinition } from '../../core/host/serverDefinition.ts';
import { formatJson, printable } from '../../core/report/index.ts';
import { callsInOrder } from '../../core/runs/callOrder.ts';
import type { CallOrder } from '../../core/runs/callOrder.ts';
import { recordedCalls } from '../../core/runs/recordedCalls.ts';
import type { RecordedCall } from '../../core/runs/recordedCalls.ts';
import { replayCalls } from '../../core/runs/replayCalls.ts';
import type { ReplayedCall } from '../../core/runs/replayCalls.ts';
import {
	isDifferent,
	missingToolText,
	missingTools,
	plannedLines,
	replaySummary,
	replayedLines,
} from '../../core/runs/replayText.ts';
import type { MissingTool } from '../../core/runs/replayText.ts';
import { saveRecording } from '../../core/runs/saveSession.ts';
import { savedSessionSuffix } from '../../core/transcripts/savedSessionName.ts';
import { nodeHostClock } from '../../platform/node/host/hostPlatform.ts';
import { readServerConfig } from '../../platform/node/host/serverConfigs.ts';
import { dataDirectory } from '../dataOption.ts';
import { mainPlace, sourceOf } from '../findings.ts';
import { ignoreOptions } from '../ignoreOption.ts';
import type { Command, CommandIo } from '../io.ts';
import { versionOf } from '../main.ts';
import { namedSession, sayUnread } from '../namedSession.ts';
import { MemoryLog } from '../replay/memoryLog.ts';
import { ReplayServers } from '../replay/replayServers.ts';
import type { OfferedTool } from '../replay/replayServers.ts';
import { createSessionFile, sessionFileOption } from '../sessionFileOption.ts';
import { tellProblem } from '../tellProblem.ts';
import { UsageError, absolutePath, oneOf, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk replay <path|session-id> --config FILE [options]

Makes the calls of a session to MCP servers again, on the servers of a configuration, and compares
each result with the recorded one. The servers are started for it, apart from those of the running
host. The calls are made for real: without --all only tools are called that their server declares
to be read-only.

Options:
  --config FILE    MCP servers: "mcpServers" or VS Code's "servers", with comments, or Codex' config.toml
  --server NAME    Only the calls to this server; OLD=NEW: on the server NEW of the configuration.
                   May be given several times
  --only GLOB      Only calls of these tools, as in "analytics/*" or "*_query"
  --all            Also tools that may change something
  --order ORDER    recorded (default): what overlapped overlaps again, in an order that is always the
                   same; timed: at the times at which they were made
  --speed X        With timed: X times as fast
  --ignore PATH    Do not compare what is there in results, as in rows[*].id or **.generated_at; may be
                   given several times
  --dry-run        Only print what would be called, and start no server
  --out FILE       Save the replay as a session file (${savedSessionSuffix}), for show, lint and compare
  --force          With --out: replace a file that is there already
  --json           For programs
  --data DIR       The data directory of the host, for sessions that are looked for by id
  --help           This text

Exit code: 0 every result is as it was, 1 something differs or a tool is missing, 2 could not run.
`;

export const replay: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, {
			config: { type: 'string' },
			server: { type: 'string', multiple: true },
			only: { type: 'string' },
			all: { type: 'boolean' },
			order: { type: 'string' },
			speed: { type: 'string' },
			ignore: { type: 'string', multiple: true },
			'dry-run': { type: 'boolean' },
			out: { type: 'string' },
			force: { type: 'boolean' },
			json: { type: 'boolean' },
			data: { type: 'string' },
		});
		const [what, ...more] = positionals;
		if (what === undefined)
			throw new UsageError('A session is needed: a transcript, a session id or a session file.');
		if (more.length > 0) throw new UsageError('Only one session can be replayed at a time.');
		const order = values.order === undefined ? 'recorded' : oneOf('--order', values.order, orders);
		const speed = speedOption(values.speed, order);
		const ignored = ignoreOptions(values.ignore);
		const isMeant = onlyOption(values.only);
		const mapped = serverOptions(values.server);
		const isDry = values['dry-run'] === true;
		if (values.config === undefined && !isDry) throw new UsageError('--config is needed: the servers to call.');
		const out = values.out === undefined ? undefined : sessionFileOption(values.out);
		if (values.force === true && values.out === undefined) throw new UsageError('--force is for --out.');

		const core = createCore(io.platform);
		const session = await namedSession(core, io, what, { as: undefined, data: dataDirectory(io, values.data) });
		if (session.saved?.bodies === 'replaced')
			throw new ExpectedError(`${printable(what)} was saved without bodies: it holds no arguments to call with.`);
		const { files } = io.platform;
		const read = await core.readSession(session, {
			assume: 'auto',
			rules: {},
			withPreviews: false,
			signal: io.signal,
		});
		sayUnread(io, read);
		const all = await recordedCalls(files, session, read.conversation, io.signal);
		const chosen = all
			.filter(({ server, tool }) => (mapped.size === 0 || mapped.has(server)) && isMeant(server, tool))
			.map((call, index) => ({ ...call, index }));
		if (chosen.length === 0)
			throw new ExpectedError(
				all.length === 0
					? 'The session calls no MCP server.'
					: `None of its ${all.length} calls to MCP servers is meant by these options.`,
			);
		const ordered = callsInOrder(chosen, order);
		if (isDry) {
			const plan = ordered.map(({ call, afterMs, after, beside }) => ({
				...callJson(call),
				afterMs,
				after,
				beside,
			}));
			if (values.json === true) io.stdout.write(formatJson({ version: 1, order, calls: plan }));
			else io.stdout.write(`${plannedLines(ordered).map(printable).join('\n')}\n`);
			return 0;
		}

		const config = values.config ?? '';
		const servers = await serversFor(io, config, chosen, mapped);
		const writer = out === undefined ? undefined : await createSessionFile(io, out, values.force === true);
		const log = new MemoryLog(writer !== undefined);
		const version = await versionOf(io);
		const newSession = sessionId('claude-code', randomUUID());
		const running = new ReplayServers({
			servers,
			version,
			sessionId: newSession,
			log,
			onError: (error) =>
				io.stderr.write(
					`crosstalk: A bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
				),
		});
		const stop = () => void running.close(); // the calls end with it, and their failures are told
		io.signal.addEventListener('abort', stop, { once: true });
		try {
			await running.connect(chosen);
			const offered = await running.tools(chosen);
			refuse(chosen, offered, values.all === true);
			const replayed = await replayCalls(files, ordered, running, nodeHostClock, {
				ignored,
				speed,
				signal: io.signal,
				onCall: (call) => {
					if (values.json !== true && call.verdict.kind !== 'equal')
						io.stdout.write(`${replayedLines(call).map(printable).join('\n')}\n`);
				},
			});
			const missing = missingTools(replayed, (server, tool) => offered.get(server)?.has(tool) === true);
			if (values.json === true) {
				io.stdout.write(formatJson(replayJson(replayed, missing, order)));
			} else {
				const lines = [...missing.map(missingToolText), replaySummary(replayed, missing)];
				io.stdout.write(`${lines.map(printable).join('\n')}\n`);
			}
			if (writer !== undefined) {
				const recording = { sessionId: newSession, lines: log.lines, evidence: 'It is a replay.' };
				const savedAt = io.platform.clock.now();
				await saveRecording(writer, recording, { writtenBy: `crosstalk ${version}`, savedAt });
				await writer.finish();
			}
			return missing.length > 0 || replayed.some(isDifferent) ? 1 : 0;
		} catch (error) {
			await writer?.discard();
			throw error;
		} finally {
			io.signal.removeEventListener('abort', stop);
			await running.close();
		}

		function callJson(call: RecordedCall): object {
			const { path, line } = sourceOf(call.place, mainPlace(session));
			const { index, id, server, tool, agentId, agentName, durationMs } = call;
			return { index, id, server, tool, agentId, agentName, path, line, recordedMs: durationMs };
		}

		function replayJson(replayed: readonly ReplayedCall[], missing: readonly MissingTool[], by: CallOrder): object {
			return {
				version: 1,
				order: by,
				calls: replayed.map(({ call, verdict, durationMs }) => {
					const { kind, ...rest } = verdict;
					const difference =
						'difference' in rest
							? {
									path: rest.difference.path,
									recorded: rest.difference.one ?? null,
									replayed: rest.difference.other ?? null,
								}
							: undefined;
					const words = 'message' in rest ? rest.message : 'reason' in rest ? rest.reason : undefined;
					const replayedMs = durationMs === undefined ? undefined : Math.round(durationMs * 1000) / 1000;
					return { ...callJson(call), replayedMs, verdict: kind, difference, message: words };
				}),
				summary: {
					calls: replayed.length,
					different: replayed.filter(isDifferent).length,
					equal: replayed.filter(({ verdict }) => verdict.kind === 'equal').length,
					missingTools: missing,
				},
			};
		}
	},
};

const orders = ['recorded', 'timed'] as const satisfies readonly CallOrder[];

/** `undefined`: times do not matter. */
function speedOption(value: string | undefined, order: CallOrder): number | undefined {
	if (value === undefined) return order === 'timed' ? 1 : undefined;
	if (order !== 'timed') throw new UsageError('--speed is for --order timed.');
	const speed = /^\d+(\.\d+)?$/.test(value) ? Number(value) : 0;
	if (!(speed > 0)) throw new UsageError(`--speed is a number above 0; it cannot be "${value}".`);
	return speed;
}

function onlyOption(value: string | undefined): (server: string, tool: string) => boolean {
	if (value === undefined) return () => true;
	const test = anyGlob(value);
	if (typeof test === 'string') throw new UsageError(`--only "${value}" is no pattern: ${test}`);
	return (server, tool) => test(`${server}/${tool}`) || test(tool);
}

/** By their recorded names, those of the configuration. */
function serverOptions(values: readonly string[] = []): ReadonlyMap<string, string> {
	return new Map(
		values.map((value) => {
			const [recorded = '', configured = recorded, ...rest] = value.split('=');
			if (recorded === '' || configured === '' || rest.length > 0)
				throw new UsageError(`--server is a name, or OLD=NEW; it cannot be "${value}".`);
			return [recorded, configured];
		}),
	);
}

/** The servers that the calls need, by their recorded names. */
async function serversFor(
	io: CommandIo,
	config: string,
	calls: readonly RecordedCall[],
	mapped: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, ServerDefinition>> {
	const { environment, homeFolder } = io;
	const { servers, problems } = await readServerConfig(absolutePath(io, config), { environment, homeFolder });
	for (const problem of problems) tellProblem(io, { path: config, ...problem });
	const found = new Map<string, ServerDefinition>();
	for (const { server } of calls) {
		const name = mapped.get(server) ?? server;
		// Agents write names of servers without the characters that their own tools' names cannot have.
		const definition =
			servers.find((candidate) => candidate.name === name) ??
			servers.find((candidate) => nameForAgents(candidate.name) === nameForAgents(name));
		if (definition === undefined)
			throw new ExpectedError(
				`There is no server "${printable(name)}" in ${printable(config)}${servers.length === 0 ? '' : `, only ${servers.map((candidate) => printable(candidate.name)).join(', ')}`}.${didYouMean(
					name,
					servers.map((candidate) => candidate.name),
				)} Say with --server OLD=NEW which one is meant, or with --only what to leave out.`,
			);
		found.set(server, definition);
	}
	return found;
}

/** A replay makes calls for real: what may change something is only called when somebody says so. */
function refuse(
	calls: readonly RecordedCall[],
	tools: ReadonlyMap<string, ReadonlyMap<string, OfferedTool>>,
	isAll: boolean,
): void {
	if (isAll) return;
	const refused = new Map<string, string>();
	for (const { server, tool } of calls) {
		const offered = tools.get(server)?.get(tool);
		// A tool that is no longer there is called, and its error told.
		if (offered === undefined || offered.isReadOnly === true) continue;
		refused.set(
			`${server}/${tool}`,
			offered.isReadOnly === false
				? `readOnlyHint is false${offered.isDestructive === false ? '' : ', and it may destroy something'}`
				: 'its server does not say that it is read-only',
		);
	}
	if (refused.size === 0) return;
	const list = [...refused].map(([tool, why]) => `  ${printable(tool)}: ${why}`);
	throw new ExpectedError(
		`A replay makes calls for real, and these tools may change something:\n${list.join('\n')}\nNothing was called. --all calls them too; --only leaves them out.`,
	);
}
