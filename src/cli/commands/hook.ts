import { setTimeout as delay } from 'node:timers/promises';
import { attach, attachOrStart } from '../../platform/node/host/attach.ts';
import { readAddress } from '../../platform/node/host/dataDirectory.ts';
import { postHook } from '../../platform/node/host/hooks/postHook.ts';
import { hookTokenIn } from '../../platform/node/host/ownership.ts';
import { dataDirectory } from '../dataOption.ts';
import type { Command, CommandIo } from '../io.ts';
import { ownProgram } from '../ownProgram.ts';
import { UsageError, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk hook <claude-code|codex> [options]

Brings one hook event of an agent, which it reads from stdin, to the host, and prints what the host
answers to it. Agents start it; nobody has to. Whatever goes wrong, it says nothing and ends well:
an agent is never kept from its work by it.

Options:
  --hold SECONDS  How long the agent waits for an answer: a debugger may hold the call
  --source NAME   The run of an agent that the event is of
  --start         Starts the host when none runs
  --data DIR      The data directory of the host (default: the user's)
  --help          This text

Exit code: 0, whatever goes wrong; 1 wrong usage.
`;

/** An agent waits meanwhile. */
const patienceMs = 2_000;
const startingMs = 5_000;
/** An event that is not there by then will not come. */
const readingMs = 5_000;
const longestBody = 64 * 1024 * 1024;

export const hook: Command = {
	help,
	async run(args, io) {
		try {
			await bring(readOptions(args, io), io);
			return 0;
		} catch (error) {
			// With 2, the code of other commands for this, an agent is told to stop.
			if (error instanceof UsageError) {
				io.stderr.write(`crosstalk: ${error.message}\n`);
				return 1;
			}
			// The agent is not to be troubled with what is wrong here: it goes on as if nobody listened.
			return 0;
		}
	},
};

interface Options {
	readonly format: 'claude-code' | 'codex';
	readonly holdSeconds: number | undefined;
	readonly source: string | undefined;
	readonly startsHost: boolean;
	readonly directory: string;
}

function readOptions(args: readonly string[], io: CommandIo): Options {
	const { values, positionals } = parseOptions(args, {
		hold: { type: 'string' },
		source: { type: 'string' },
		start: { type: 'boolean' },
		data: { type: 'string' },
	});
	const [format, extra] = positionals;
	if (format !== 'claude-code' && format !== 'codex')
		throw new UsageError('It has to be said whose event it is: claude-code or codex.');
	if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many.`);
	const holdSeconds = values.hold === undefined ? undefined : Number(values.hold);
	if (holdSeconds !== undefined && !(holdSeconds > 0)) throw new UsageError('--hold is a number of seconds.');
	const { source, start } = values;
	return { format, holdSeconds, source, startsHost: start === true, directory: dataDirectory(io, values.data) };
}

async function bring({ format, holdSeconds, source, startsHost, directory }: Options, io: CommandIo): Promise<void> {
	const body = await readBody(io);
	if (body === undefined) return;
	const address = await hostAddress(directory, startsHost, io);
	if (address === undefined) return;
	// Where the host was somebody else may listen by now: only what lets in to the addresses of hooks is said there.
	const place = { url: address.url, token: await hookTokenIn(address.dataDir) };
	const answer = await postHook(place, format, body, {
		holdSeconds,
		source,
		timeoutMs: patienceMs + (holdSeconds ?? 0) * 1_000,
		signal: io.signal,
	});
	// What changes nothing need not be said.
	if (answer !== undefined && answer !== '{}') io.stdout.write(answer);
}

async function hostAddress(directory: string, starts: boolean, io: CommandIo) {
	if (!starts) return readAddress(directory);
	const client = 'crosstalk hook';
	const signal = AbortSignal.any([io.signal, AbortSignal.timeout(startingMs)]);
	const running =
		(await attach({ directory, client })) ??
		(await attachOrStart({ directory, client, program: ownProgram(io), timeoutMs: startingMs, signal }));
	const { address } = running;
	running.dispose();
	return address;
}

async function readBody({ pipe }: CommandIo): Promise<Buffer | undefined> {
	const chunks: Buffer[] = [];
	let length = 0;
	const read = (async () => {
		for await (const chunk of pipe.input) {
			// A stream without an encoding gives buffers.
			chunks.push(chunk as Buffer);
			length += (chunk as Buffer).length;
			if (length > longestBody) return false;
		}
		return true;
	})();
	const isWhole = await Promise.race([read, delay(readingMs, false, { ref: false })]);
	return isWhole && length > 0 ? Buffer.concat(chunks) : undefined;
}
