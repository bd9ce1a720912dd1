import { resolve } from 'node:path';
import { printable } from '../../core/report/index.ts';
import { CrosstalkDebugSession } from '../../debugAdapter/crosstalkDebugSession.ts';
import { createLiveTargets } from '../../debugAdapter/liveTargets.ts';
import { openReplay } from '../../debugAdapter/replay/openReplay.ts';
import { storedCallsIn } from '../../platform/node/store/readStoredCalls.ts';
import { dataDirectory } from '../dataOption.ts';
import { DebugInput } from '../debugInput.ts';
import type { Command, CommandIo } from '../io.ts';
import { liveAccess } from '../liveAccess.ts';
import { isThere, namedSession } from '../namedSession.ts';
import { UsageError, absolutePath, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk debug [options]

The debug adapter, for clients of the Debug Adapter Protocol: an editor starts it and speaks with it on
stdin and stdout; nothing else is written there. What it has to say of itself goes to stderr.

Options:
  --data DIR  The data directory of the host, where a configuration names none (default: the user's)
  --help      This text

Exit code: 0 done, 2 could not run, or what came on stdin was no message of the protocol.
`;

export const debug: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, { data: { type: 'string' } });
		if (positionals.length > 0)
			throw new UsageError('What is to be debugged is said by the client, in its launch request.');
		const usual = dataDirectory(io, values.data);
		const log = (text: string) => io.stderr.write(`crosstalk: ${printable(text)}\n`);
		const onError = (error: unknown) =>
			log(error instanceof Error ? (error.stack ?? error.message) : String(error));
		const { input, output } = io.pipe;
		const closed = Promise.withResolvers<void>();
		const session = new CrosstalkDebugSession({
			openReplay: (configuration, client, signal) =>
				openReplay(
					{
						platform: io.platform,
						findSession: async (core, { transcript, cwd, data, as }) =>
							namedSession(core, io, await pathOrId(io, transcript, cwd), {
								as,
								data: data === undefined ? usual : absolutePath(io, data),
							}),
						storedCalls: (data) => storedCallsIn(data === undefined ? usual : absolutePath(io, data)),
						onError,
					},
					configuration,
					client,
					signal,
				),
			live: createLiveTargets(liveAccess(io, values.data, onError)),
			log,
			onError,
			onDidClose: () => closed.resolve(),
		});
		const stop = () => session.dispose();
		io.signal.addEventListener('abort', stop, { once: true });
		const looked = new DebugInput();
		let problem: string | undefined;
		const refuse = (found: string | undefined) => {
			if (found === undefined || problem !== undefined) return;
			problem = found;
			log(found);
			stop();
		};
		const look = (chunk: Uint8Array) => problem === undefined && refuse(looked.push(chunk));
		input.on('data', look);
		// A file, as /dev/null, ends and is never closed.
		input.once('end', () => {
			refuse(looked.end());
			setImmediate(stop);
		});
		session.start(input, output);
		if (io.signal.aborted) stop();
		await closed.promise;
		io.signal.removeEventListener('abort', stop);
		// The client may leave its end open for as long as it likes.
		input.destroy();
		return problem === undefined ? 0 : 2;
	},
};

/** A relative path starts from the configuration's folder. What is no file there may be the id of a session. */
async function pathOrId(io: CommandIo, transcript: string, cwd: string | undefined): Promise<string> {
	if (cwd === undefined) return transcript;
	const path = resolve(absolutePath(io, cwd), transcript);
	return (await isThere(io, path)) ? path : transcript;
}
