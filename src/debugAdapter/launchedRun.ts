// A `crosstalk run` that this debugger has started in a terminal: when its agent may begin, which session it is, and how it ended.

import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExpectedError } from '../core/base/errors.ts';
import { linesOf, parseRunLine } from '../core/debug/runLink.ts';
import type { RunMessage, RunOrder } from '../core/debug/runLink.ts';

export type RunBeginning = Extract<RunMessage, { type: 'begin' }>;

/** `failed`: a sentence why the agent was not started. `lost`: the run itself was ended before it could say how. */
export type RunEnd =
	| { readonly kind: 'ended'; readonly exitCode: number }
	| { readonly kind: 'failed'; readonly message: string }
	| { readonly kind: 'lost' };

/** A terminal that shows nothing of the run for so long has not started it. */
const patienceMs = 60_000;

export class LaunchedRun {
	/** What `--debugger` is to be given. */
	readonly address: string;
	/** The run is there, and its agent waits for `go`. Rejects with a sentence when it fails before, or never comes. */
	readonly begun: Promise<RunBeginning>;
	/** Never rejects. */
	readonly ended: Promise<RunEnd>;
	private readonly folder: string | undefined;
	private readonly server: Server;
	private socket: Socket | undefined;
	private readonly begin = Promise.withResolvers<RunBeginning>();
	private readonly end = Promise.withResolvers<RunEnd>();
	private timer: NodeJS.Timeout | undefined;

	private constructor(address: string, folder: string | undefined) {
		this.address = address;
		this.folder = folder;
		this.begun = this.begin.promise;
		this.ended = this.end.promise;
		// Whoever waits for the end alone is told by that.
		this.begun.catch(() => undefined);
		this.server = createServer((socket) => this.accept(socket));
	}

	/** Listens where only this user can come. */
	static async create(): Promise<LaunchedRun> {
		// A path of this length is short enough for a socket on every system, unless the folder for temporary files is somewhere odd.
		const folder = process.platform === 'win32' ? undefined : await mkdtemp(join(tmpdir(), 'crosstalk-'));
		const address =
			folder === undefined
				? `\\\\.\\pipe\\crosstalk-run-${randomBytes(16).toString('hex')}`
				: join(folder, 'run.sock');
		const run = new LaunchedRun(address, folder);
		try {
			await new Promise<void>((resolve, reject) => {
				run.server.once('error', reject);
				run.server.listen(address, resolve);
			});
			if (folder !== undefined) await chmod(address, 0o600);
		} catch (error) {
			await run.dispose();
			const reason = error instanceof Error ? error.message : String(error);
			throw new ExpectedError(`The debugger cannot listen for its run: ${reason}.`, { cause: error });
		}
		run.timer = setTimeout(
			() => run.finish({ kind: 'failed', message: 'The terminal did not start the agent.' }),
			patienceMs,
		);
		return run;
	}

	/** The agent may begin. */
	go(): void {
		this.order({ type: 'go' });
	}

	/** The run could not even be started. */
	fail(message: string): void {
		this.finish({ kind: 'failed', message });
	}

	terminate(): void {
		this.order({ type: 'terminate' });
	}

	/** The run goes on by itself. */
	async dispose(): Promise<void> {
		clearTimeout(this.timer);
		this.socket?.destroy();
		// One that never came to listen has nothing to close.
		await new Promise<void>((resolve) => this.server.close(() => resolve()));
		this.finish({ kind: 'lost' });
		if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
	}

	private order(order: RunOrder): void {
		this.socket?.write(`${JSON.stringify(order)}\n`);
	}

	private accept(socket: Socket): void {
		// There is one run; whoever comes later is none.
		if (this.socket !== undefined) {
			socket.destroy();
			return;
		}
		this.socket = socket;
		socket.on('error', () => socket.destroy());
		const take = linesOf((line) => {
			const message = parseRunLine<RunMessage>(line, ['begin', 'ended', 'failed']);
			if (message?.type === 'begin') {
				clearTimeout(this.timer);
				this.begin.resolve(message);
			}
			if (message?.type === 'ended') this.finish({ kind: 'ended', exitCode: message.exitCode });
			if (message?.type === 'failed') this.finish({ kind: 'failed', message: message.message });
		});
		socket.setEncoding('utf8').on('data', take);
		socket.once('close', () => this.finish({ kind: 'lost' }));
	}

	private finish(end: RunEnd): void {
		clearTimeout(this.timer);
		this.begin.reject(
			new ExpectedError(end.kind === 'failed' ? end.message : 'The run has ended before its agent was started.'),
		);
		this.end.resolve(end);
	}
}
