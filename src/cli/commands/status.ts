import { ExpectedError } from '../../core/base/errors.ts';
import type { HostAddress } from '../../core/host/control.ts';
import type { HostStatus } from '../../core/host/status.ts';
import { formatJson, printable, printableJson } from '../../core/report/index.ts';
import { attachToAny } from '../../platform/node/host/attach.ts';
import type { ControlClient } from '../../platform/node/host/controlClient.ts';
import { CallPlaces } from '../callPlaces.ts';
import { dataDirectory } from '../dataOption.ts';
import { hostStatusText, storeStatusText } from '../hostStatusText.ts';
import type { Command, CommandIo } from '../io.ts';
import { UsageError, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk status [options]

What the host is doing: its MCP servers, and the calls in flight. In a directory that holds a session
store and no host, the process that owns it.

Options:
  --json      For programs
  --watch     Go on: redrawn on a terminal, otherwise one line of JSON with every change
  --output-of SERVER
              What a server has printed on stderr, and on stdout beside the protocol
  --data DIR  The data directory of the host (default: the user's)
  --help      This text

Exit code: 0 done, 2 no host is running there.
`;

export const status: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, {
			json: { type: 'boolean' },
			watch: { type: 'boolean' },
			'output-of': { type: 'string' },
			data: { type: 'string' },
		});
		const [extra] = positionals;
		if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many.`);
		const directory = dataDirectory(io, values.data);
		const client = await attachToAny({ directory, client: 'crosstalk status' });
		if (client === undefined)
			throw new ExpectedError(
				`No host is running in ${directory}. crosstalk host starts one, and so does the first agent that needs it.`,
			);
		try {
			const server = values['output-of'];
			if (server !== undefined) {
				const { text } = await client.request('servers/output', { server });
				// On a terminal a server's text is only text.
				io.stdout.write(io.stdout.isTerminal ? printableLines(text) : text);
				return 0;
			}
			if (values.watch === true) {
				const isDrawn = values.json !== true && io.stdout.isTerminal;
				await (isDrawn ? draw(client, io) : print(client, io));
				if (io.signal.aborted) return 0;
				throw new ExpectedError('The host has ended.');
			}
			const current = await new CallPlaces(io).added(await client.request('host/status', {}));
			io.stdout.write(values.json === true ? formatJson(current) : textOf(current, client.address));
			return 0;
		} finally {
			client.dispose();
		}
	},
};

function textOf(current: HostStatus, { dataDir, isStoreOnly }: HostAddress): string {
	return isStoreOnly === true ? storeStatusText(current, dataDir) : hostStatusText(current, dataDir);
}

function printableLines(text: string): string {
	return text.split('\n').map(printable).join('\n');
}

/** One line of JSON with every change. */
async function print(client: ControlClient, io: CommandIo): Promise<void> {
	await followWithPlaces(client, io, (current) => io.stdout.write(`${printableJson(current)}\n`));
}

/** The status as it is now, in place of what was drawn before. */
async function draw(client: ControlClient, io: CommandIo): Promise<void> {
	let latest: { readonly status: HostStatus; readonly at: number } | undefined;
	const redraw = () => {
		if (latest === undefined) return;
		const since = Math.round(performance.now() - latest.at);
		const { calls, hooked } = latest.status;
		const older = <T extends { readonly ageMs: number }>(call: T) => ({ ...call, ageMs: call.ageMs + since });
		const now = { ...latest.status, calls: calls.map(older), hooked: hooked?.map(older) };
		const text = textOf(now, client.address);
		// Line by line over what is there, and the rest of the screen cleared: nothing flickers.
		io.stdout.write(`\u001b[H${text.replaceAll('\n', '\u001b[K\n')}\u001b[J`);
	};
	io.stdout.write('\u001b[2J');
	// Ages grow also when nothing else happens.
	const timer = setInterval(() => {
		if (latest !== undefined && latest.status.calls.length + (latest.status.hooked?.length ?? 0) > 0) redraw();
	}, 1000);
	try {
		await followWithPlaces(client, io, (current) => {
			latest = { status: current, at: performance.now() };
			redraw();
		});
	} finally {
		clearInterval(timer);
	}
}

/** An agent writes the line of a call about when it makes it. */
const patience = { rounds: 10, everyMs: 500 } as const;

/** As `follow`, with the lines of calls in transcripts; what is found of them later is one more change. */
async function followWithPlaces(
	client: ControlClient,
	io: CommandIo,
	tell: (current: HostStatus) => void,
): Promise<void> {
	const places = new CallPlaces(io);
	let turn = Promise.resolve();
	let again: NodeJS.Timeout | undefined;
	const failed = Promise.withResolvers<never>();
	const take = (current: HostStatus, roundsLeft: number, isNew: boolean) => {
		clearTimeout(again);
		turn = turn
			.then(async () => {
				const wasMissing = places.isMissing(current);
				const complete = await places.added(current);
				const isMissing = places.isMissing(current);
				if (isNew || (wasMissing && !isMissing)) tell(complete);
				if (!isMissing || roundsLeft === 0) return;
				again = setTimeout(() => take(current, roundsLeft - 1, false), patience.everyMs);
			})
			.catch((error: unknown) => failed.reject(error));
	};
	const ended = follow(client, io, (current) => take(current, patience.rounds, true));
	try {
		await Promise.race([ended, failed.promise]);
		await turn;
	} finally {
		clearTimeout(again);
	}
}

/** Until the host or the person ends it. */
async function follow(client: ControlClient, io: CommandIo, tell: (current: HostStatus) => void): Promise<void> {
	const listening = client.onDidChange(tell);
	try {
		await new Promise<void>((resolve, reject) => {
			io.signal.addEventListener('abort', () => resolve(), { once: true });
			client.onDidClose(() => resolve());
			client.request('host/watch', {}).catch(reject);
		});
	} finally {
		listening.dispose();
	}
}
