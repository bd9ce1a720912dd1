// The life of the process around the host: it owns its data directory, is reached by agents and by clients of the control socket, and
// ends when it is told to or when nobody needs it.

import { ExpectedError } from '../../../core/base/errors.ts';
import type { HostAddress } from '../../../core/host/control.ts';
import type { Host } from '../../../core/host/host.ts';
import { startGateway } from '../httpGateway.ts';
import type { Gateway } from '../httpGateway.ts';
import { createHostStore } from '../store/hostStore.ts';
import type { HostStore } from '../store/hostStore.ts';
import { startControlServer } from './controlServer.ts';
import type { ControlServer } from './controlServer.ts';
import type { EventFeed } from './eventFeed.ts';
import { isErrno } from '../errno.ts';
import { controlSocketPath } from './localSocket.ts';
import { takeFromStore } from './takeFromStore.ts';
import { takeOwnership } from './ownership.ts';
import type { Ownership } from './ownership.ts';

export interface HostProcessOptions {
	readonly directory: string;
	/** 0: that of the host before, or any. */
	readonly port: number;
	/** Nobody has needed it for so long: it ends. `undefined`: it stays. */
	readonly idleMs: number | undefined;
	/** Makes the host once the data directory is owned. The store is opened when it is first asked for. */
	readonly create: (ownership: Ownership, store: HostStore) => Promise<RunningHost>;
	/** Agents and clients can come from now on. */
	readonly onReady: (address: HostAddress) => void;
	readonly log: (sentence: string) => void;
	/** A bug of ours. */
	readonly onError: (error: unknown) => void;
	readonly signal: AbortSignal;
}

export interface RunningHost {
	readonly host: Host;
	/** What it records. */
	readonly events: EventFeed;
	/** After the host was closed: writes what is still to be written. */
	close(): Promise<void>;
}

/** How long a host that is told to end lets calls run on. */
const drainMs = 2_000;
/** How long a process that has taken over the session store may give no sign of life. */
const storeTakeOverMs = 10_000;
const lookMs = 50;

/** Runs a host to its end. `already-owned`: another process has one for this folder. */
export async function runHost(options: HostProcessOptions): Promise<'ended' | 'already-owned'> {
	const ownership = (await takeOwnership(options.directory)) ?? (await takeFromStore(options.directory));
	if (ownership === undefined) return 'already-owned';
	try {
		await serve(ownership, options);
		return 'ended';
	} finally {
		// Last of all: from now on another may be the owner.
		ownership.dispose();
	}
}

async function serve(ownership: Ownership, options: HostProcessOptions): Promise<void> {
	const { log, onError, signal } = options;
	const store = createHostStore({ directory: ownership.directory, takeOverMs: storeTakeOverMs, onError });
	let running: RunningHost;
	try {
		running = await options.create(ownership, store);
	} catch (error) {
		await store.close();
		throw error;
	}
	const { host } = running;
	const end = new End();
	// What a debugger holds would never end by itself.
	const letGo = () => host.debug.close('The host is closing.');
	const ready = Promise.withResolvers<HostAddress>();
	let gateway: Gateway | undefined;
	let control: ControlServer | undefined;
	try {
		gateway = await openGateway(host, ownership, options);
		const path = await controlSocketPath(ownership.directory);
		const idle = new IdleWatch(
			() => host.activity.calls + host.activity.agents + (control?.clients ?? 0) > 0 || host.hasHookedSessions,
		);
		control = await startControlServer({
			host,
			store,
			events: running.events,
			path,
			// Who knows the socket from the host before may come while this one still writes where it is.
			address: ready.promise,
			stop: (isForced) => {
				letGo();
				end.ask(isForced ? 0 : Infinity);
			},
			onClients: () => idle.look(),
			log,
		});
		const address = await ownership.publish({ port: gateway.port, controlSocket: path });
		ready.resolve(address);
		options.onReady(address);
		const stop = () => {
			letGo();
			end.ask(drainMs);
		};
		if (signal.aborted) stop();
		signal.addEventListener('abort', stop, { once: true });
		if (options.idleMs !== undefined) {
			idle.start(options.idleMs, () => {
				log('Nobody needs the host any more.');
				end.ask(0);
			});
		}
		try {
			await end.untilDue(() => host.activity.calls > 0);
		} finally {
			signal.removeEventListener('abort', stop);
			idle.dispose();
		}
	} finally {
		// Calls get their answers before the ways on which these go are closed; what fails must not keep the rest open.
		for (const close of [
			() => host.close(),
			() => gateway?.close(),
			// What was recorded goes into the store.
			() => running.close(),
			() => store.close(),
			() => control?.close(),
		]) {
			try {
				await close();
			} catch (error) {
				onError(error);
			}
		}
		host.dispose();
	}
}

async function openGateway(host: Host, ownership: Ownership, options: HostProcessOptions): Promise<Gateway> {
	const { token, hookToken, previousPort } = ownership;
	const { port, onError } = options;
	if (port === 0 && previousPort !== undefined) {
		try {
			return await startGateway(host, { port: previousPort, token, hookToken, onError });
		} catch (error) {
			if (!isErrno(error, 'EADDRINUSE') && !isErrno(error, 'EACCES')) throw error;
			options.log(
				`Port ${previousPort}, where agents know the host, is taken by another program; there is a new one.`,
			);
		}
	}
	try {
		return await startGateway(host, { port, token, hookToken, onError });
	} catch (error) {
		if (isErrno(error, 'EADDRINUSE'))
			throw new ExpectedError(`Port ${port} is taken by another program. Name another with --port.`, {
				cause: error,
			});
		if (isErrno(error, 'EACCES'))
			throw new ExpectedError(`The system does not let this user listen at port ${port}.`, { cause: error });
		throw error;
	}
}

/** When the host is to end: as soon as no call runs, at the latest after so long, and of several wishes the most urgent counts. */
class End {
	private deadline: number | undefined;
	private wake: () => void = () => undefined;

	ask(withinMs: number): void {
		const deadline = performance.now() + withinMs;
		this.deadline = Math.min(this.deadline ?? Infinity, deadline);
		this.wake();
	}

	async untilDue(isBusy: () => boolean): Promise<void> {
		while (this.deadline === undefined) await this.nextWish(undefined);
		while (isBusy() && performance.now() < this.deadline) await this.nextWish(lookMs);
	}

	private async nextWish(atMostMs: number | undefined): Promise<void> {
		await new Promise<void>((resolve) => {
			const timer = atMostMs === undefined ? undefined : setTimeout(resolve, atMostMs);
			this.wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}
}

/** Finds out that nobody has needed the host for a while. */
class IdleWatch {
	private readonly isNeeded: () => boolean;
	private timer: NodeJS.Timeout | undefined;
	private lastNeeded = performance.now();

	constructor(isNeeded: () => boolean) {
		this.isNeeded = isNeeded;
	}

	start(idleMs: number, onIdle: () => void): void {
		this.lastNeeded = performance.now();
		// A call between two looks has left an agent behind or was a stranger's.
		this.timer = setInterval(
			() => {
				this.look();
				if (performance.now() - this.lastNeeded >= idleMs) onIdle();
			},
			Math.min(1_000, Math.max(50, idleMs / 4)),
		);
	}

	/** Somebody has come or gone. */
	look(): void {
		if (this.isNeeded()) this.lastNeeded = performance.now();
	}

	dispose(): void {
		clearInterval(this.timer);
	}
}
