import { setTimeout as delay } from 'node:timers/promises';
import { ExpectedError } from '../../core/base/errors.ts';
import { didYouMean } from '../../core/base/nearest.ts';
import { declaredIntents } from '../../core/host/agentIdentity.ts';
import type { DeclaredIntent } from '../../core/host/agentIdentity.ts';
import { printable } from '../../core/report/index.ts';
import { attachOrStart } from '../../platform/node/host/attach.ts';
import type { ControlClient } from '../../platform/node/host/controlClient.ts';
import { AgentStream } from '../connect/agentStream.ts';
import { HostGoneError, UnknownServerError, openStream } from '../connect/hostStream.ts';
import type { StreamTarget } from '../connect/hostStream.ts';
import { dataDirectory } from '../dataOption.ts';
import type { Command, CommandIo } from '../io.ts';
import { ownProgram } from '../ownProgram.ts';
import { UsageError, oneOf, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk connect <server> [options]

An MCP server on stdio that is in truth one of the host's, shared with every other agent. For agents
that only start commands. Starts the host when none runs, and again when it has ended.

Options:
  --agent NAME   Calls are this agent's
  --intent WHO   Who calls: interactive, headless or scheduled, where scopes are held to by that
                 (default: CROSSTALK_INTENT, or what Claude Code says of itself)
  --source NAME  The run of an agent that the calls are of
  --data DIR     The data directory of the host (default: the user's)
  --help         This text

Exit code: 0 the agent has closed its side and has its answers, 2 could not run.
`;

/**
 * How long a new host is given to learn of a server that the one before knew, from whoever has told that one; and how long hosts may go
 * as soon as they are found.
 */
const patienceMs = 5_000;

export const connect: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, {
			agent: { type: 'string' },
			intent: { type: 'string' },
			source: { type: 'string' },
			data: { type: 'string' },
		});
		const [server, extra] = positionals;
		if (server === undefined || server === '') throw new UsageError('The name of a server is needed.');
		if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many.`);
		if (values.agent === '') throw new UsageError('The option --agent needs a value.');
		const target: StreamTarget = {
			server,
			agent: values.agent,
			sessionId: sessionIdIn(io),
			intent: intentOf(values.intent, io),
			source: values.source,
		};
		const open = opener(io, dataDirectory(io, values.data), target);
		const stream = new AgentStream({
			...io.pipe,
			server,
			open,
			warn: (sentence) => io.stderr.write(`crosstalk: ${printable(sentence)}\n`),
			signal: io.signal,
		});
		try {
			await stream.run();
		} catch (error) {
			// Told to end before there was a way to the host.
			if (!io.signal.aborted) throw error;
		}
		return 0;
	},
};

function opener(io: CommandIo, directory: string, target: StreamTarget) {
	const { signal } = io;
	let isFirst = true;
	return async () => {
		const since = performance.now();
		for (;;) {
			const control = await attachOrStart({
				directory,
				client: `crosstalk connect ${target.server}`,
				program: ownProgram(io),
				signal,
			});
			try {
				// The host counts the stream as a use from here on, so the control connection may go.
				const socket = await openStream(control.address, target);
				isFirst = false;
				return socket;
			} catch (error) {
				const isPatient = performance.now() - since <= patienceMs;
				const mayPass =
					error instanceof HostGoneError ||
					(error instanceof UnknownServerError && (!isFirst || (await isNew(control))));
				if (!mayPass || !isPatient)
					throw error instanceof UnknownServerError ? await withOthers(error, target.server, control) : error;
			} finally {
				control.dispose();
			}
			await delay(100, undefined, { signal });
		}
	};
}

/** Whoever has told the host before of servers may not have found this one yet. */
async function isNew(control: ControlClient): Promise<boolean> {
	try {
		const { host } = await control.request('host/status', {});
		return Date.now() - Date.parse(host.startedAt) < patienceMs;
	} catch (error) {
		// It has ended as well.
		if (error instanceof ExpectedError) return true;
		throw error;
	}
}

async function withOthers(error: UnknownServerError, server: string, control: ControlClient): Promise<ExpectedError> {
	try {
		const { servers } = await control.request('host/status', {});
		const names = servers.map(({ name }) => name).toSorted();
		const others =
			names.length === 0 ? ', nor any other' : `, only ${names.map((name) => printable(name)).join(', ')}`;
		return new UnknownServerError(
			`The host has no MCP server "${server}"${others}.${didYouMean(server, names)} crosstalk import and crosstalk host --config bring others.`,
		);
	} catch (ended) {
		// What it has said before is true all the same.
		if (ended instanceof ExpectedError) return error;
		throw ended;
	}
}

/** Claude Code tells its servers which session starts them; of a window of VS Code the extension does. */
function sessionIdIn({ environment }: CommandIo): string | undefined {
	const id = environment['CLAUDE_CODE_SESSION_ID'];
	if (id !== undefined && /^[\w-]{1,100}$/.test(id)) return `claude-code:${id}`;
	const named = environment['CROSSTALK_SESSION'];
	return named !== undefined && /^vscode:[\w-]{1,100}$/.test(named) ? named : undefined;
}

function intentOf(option: string | undefined, { environment, stderr }: CommandIo): DeclaredIntent | undefined {
	const named = environment['CROSSTALK_INTENT'];
	if (option !== undefined) return oneOf('--intent', option, declaredIntents);
	const known = declaredIntents.find((intent) => intent === named);
	if (known !== undefined) return known;
	// A slip in a variable that is for all servers of an agent is not to cost it these.
	if (named !== undefined && named !== '')
		stderr.write(
			`crosstalk: CROSSTALK_INTENT is one of ${declaredIntents.join(', ')}; "${printable(named)}" is ignored.\n`,
		);
	// Claude Code says how it was started, in the same words as in its transcripts: `cli`, `sdk-cli` for -p, `sdk-ts`, `claude-vscode`.
	const entrypoint = environment['CLAUDE_CODE_ENTRYPOINT'];
	if (entrypoint === undefined || entrypoint === '') return undefined;
	return entrypoint.startsWith('sdk') ? 'headless' : 'interactive';
}
