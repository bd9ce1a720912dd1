// The way to an owner that runs.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { HostAddress } from '../../../core/host/control.ts';
import { remoteTurns } from './channelTurns.ts';
import { keepTurns } from './keptTurns.ts';
import type { KeepingTurns } from './keptTurns.ts';
import { ChannelClosedError, StoreChannel } from './storeChannel.ts';
import { preamble } from './storeFrames.ts';
import { attachRequest, storeProtocol, yieldRequest, yieldedNotice } from './storeProtocol.ts';
import type { Attached } from './storeProtocol.ts';

export interface StoreClientOptions {
	/** An owner that gives no sign of life for so long is given up. */
	readonly silenceMs: number;
	readonly onError: (error: unknown) => void;
	readonly signal: AbortSignal;
}

export interface StoreConnection {
	readonly address: HostAddress;
	readonly turns: KeepingTurns;
	readonly closed: Promise<void>;
	ending(): 'ended' | 'silent' | 'yielded';
	/** At once: nothing is waited for. */
	destroy(): void;
}

/** `nobody`: none listens there, or it has just ended. `silent`: somebody has accepted the connection and gives no sign of life. */
export async function connectStore(
	path: string,
	{ silenceMs, onError, signal }: StoreClientOptions,
): Promise<StoreConnection | 'nobody' | 'silent'> {
	const socket = await open(path);
	if (typeof socket === 'string') return socket;
	const closed = Promise.withResolvers<void>();
	const way: { turns?: KeepingTurns; hasYielded: boolean } = { hasYielded: false };
	const channel = new StoreChannel(socket, {
		answer: async () => null,
		onNotice: (name, params) => {
			if (name === yieldedNotice) way.hasYielded = true;
			else way.turns?.onNotice(name, params);
		},
		onClose: closed.resolve,
		onError,
	});
	const stop = () => channel.destroy();
	signal.addEventListener('abort', stop, { once: true });
	try {
		socket.write(preamble);
		channel.giveUpAfter(silenceMs);
		// Made by the other side's `attach`, which speaks the same version.
		const attached = (await channel.request(attachRequest, { protocol: storeProtocol })) as Attached;
		const request = (name: string, params: unknown) => channel.request(name, params);
		const { generation } = attached;
		way.turns = keepTurns(remoteTurns({ request, end: () => channel.end(), generation, onError }), onError);
		return {
			address: attached.address,
			turns: way.turns,
			closed: closed.promise,
			ending: () => (way.hasYielded ? 'yielded' : channel.hasBeenSilent ? 'silent' : 'ended'),
			destroy: () => channel.destroy(),
		};
	} catch (error) {
		channel.destroy();
		if (error instanceof ChannelClosedError) return channel.hasBeenSilent ? 'silent' : 'nobody';
		throw error;
	} finally {
		signal.removeEventListener('abort', stop);
	}
}

/** Asks an owner that is no host to leave its directory to a host. `false`: it does not, or is gone. */
export async function askToYield(path: string, timeoutMs: number): Promise<boolean> {
	const socket = await open(path);
	if (typeof socket === 'string') return false;
	const channel = new StoreChannel(socket, {
		answer: async () => null,
		onNotice: () => undefined,
		onClose: () => undefined,
		onError: () => undefined,
	});
	try {
		socket.write(preamble);
		channel.giveUpAfter(timeoutMs);
		await channel.request(yieldRequest, null);
		return true;
	} catch {
		// It has ended meanwhile, or is something else: whoever wants the directory finds out.
		return false;
	} finally {
		channel.destroy();
	}
}

async function open(path: string): Promise<Socket | 'nobody' | 'silent'> {
	return new Promise((resolve, reject) => {
		const socket = connect(path);
		socket.once('connect', () => {
			socket.off('error', failed);
			resolve(socket);
		});
		socket.once('error', failed);

		function failed(error: NodeJS.ErrnoException): void {
			switch (error.code) {
				case 'ENOENT':
				case 'ECONNREFUSED':
				case 'ENOTSOCK':
				case 'ECONNRESET':
					resolve('nobody');
					return;
				// More wait for it to accept them than the system lets wait.
				case 'EAGAIN':
					resolve('silent');
					return;
				default:
					reject(error);
			}
		}
	});
}
