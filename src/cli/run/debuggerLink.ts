import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Disposable } from '../../core/base/lifecycle.ts';
import { linesOf, parseRunLine } from '../../core/debug/runLink.ts';
import type { RunMessage, RunOrder } from '../../core/debug/runLink.ts';

/** The debugger that has started this run. Whatever becomes of it, the run goes on. */
export interface DebuggerLink extends Disposable {
	/** Tells it that the run begins, and resolves when the agent may be started: when it says so, is gone, or takes too long. */
	begin(message: Omit<Extract<RunMessage, { type: 'begin' }>, 'type'>): Promise<void>;
	/** The last word. Resolves when it has left this process. */
	end(message: Extract<RunMessage, { type: 'ended' | 'failed' }>): Promise<void>;
	/** Aborted when the debugger wants the agent to end. */
	readonly terminated: AbortSignal;
}

/** A debugger has to attach to the host and to set its breakpoints before the agent makes its first call. */
const patienceMs = 10_000;
/** For the last words, to one that reads no more. */
const goodbyeMs = 1000;

/** `undefined`: nobody listens there any more. */
export async function connectDebugger(path: string): Promise<DebuggerLink | undefined> {
	const socket = connect(path);
	const isConnected = await new Promise<boolean>((resolve) => {
		socket.once('connect', () => resolve(true));
		socket.once('error', () => resolve(false));
	});
	return isConnected ? new NodeDebuggerLink(socket) : undefined;
}

class NodeDebuggerLink implements DebuggerLink {
	readonly terminated: AbortSignal;
	private readonly socket: Socket;
	private readonly goOn: Promise<void>;

	constructor(socket: Socket) {
		this.socket = socket;
		const terminate = new AbortController();
		this.terminated = terminate.signal;
		const { promise, resolve } = Promise.withResolvers<void>();
		this.goOn = promise;
		const take = linesOf((line) => {
			const order = parseRunLine<RunOrder>(line, ['go', 'terminate']);
			if (order?.type === 'terminate') terminate.abort();
			if (order !== undefined) resolve();
		});
		socket.setEncoding('utf8').on('data', take);
		// What goes wrong with it closes it.
		socket.on('error', () => socket.destroy());
		socket.once('close', () => resolve());
		// The agent alone decides how long this process lives.
		socket.unref();
	}

	async begin(message: Omit<Extract<RunMessage, { type: 'begin' }>, 'type'>): Promise<void> {
		void this.send({ type: 'begin', ...message }); // its answer is waited for
		let timer: NodeJS.Timeout | undefined;
		const timeout = new Promise<void>((resolve) => {
			timer = setTimeout(resolve, patienceMs);
		});
		await Promise.race([this.goOn, timeout]);
		clearTimeout(timer);
	}

	async end(message: Extract<RunMessage, { type: 'ended' | 'failed' }>): Promise<void> {
		await this.send(message);
	}

	dispose(): void {
		this.socket.end();
		this.socket.destroySoon();
	}

	private async send(message: RunMessage): Promise<void> {
		if (this.socket.destroyed) return;
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, goodbyeMs);
			this.socket.write(`${JSON.stringify(message)}\n`, () => {
				clearTimeout(timer);
				resolve();
			});
		});
	}
}
