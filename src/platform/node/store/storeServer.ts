// The owner's side of the socket: one client, from its first byte to its end.

import type { Socket } from 'node:net';
import type { Event } from '../../../core/base/emitter.ts';
import { ExpectedError } from '../../../core/base/errors.ts';
import type { HostAddress } from '../../../core/host/control.ts';
import { serveTurns } from './channelTurns.ts';
import type { ServedTurns } from './channelTurns.ts';
import type { OwnerTurns } from '../../../core/store/createTurns.ts';
import type { SqlRow, SqlStatement } from '../../../core/store/sqlDatabase.ts';
import { StoreChannel } from './storeChannel.ts';
import { preamble } from './storeFrames.ts';
import { attachRequest, storeProtocol, yieldRequest, yieldedNotice } from './storeProtocol.ts';
import type { Attached } from './storeProtocol.ts';

/** The store as those who come through the socket get it. */
export interface StoreService {
	/** Opens it if it is not open yet. Rejects with `StoreError`. */
	open(): Promise<OwnerTurns>;
	/** Reads from its database, opening it likewise. */
	query(statement: SqlStatement): Promise<readonly SqlRow[]>;
	readonly onDidLose: Event<Loss>;
	/** Gives the directory up for a host; `undefined`: here is one already. */
	readonly yield: (() => void) | undefined;
}

/**
 * What becomes of what `open` gave. `ending`: calls that have not been done with end now. Then it is worth nothing any more: `lost`, and another
 * is the owner or there is none; or `yielded` to a host.
 */
export type Loss = 'ending' | 'lost' | 'yielded';

export interface StoreClientOptions {
	readonly store?: StoreService | undefined;
	/** What a client that attaches is told. */
	readonly address: Promise<HostAddress>;
	/** A client has come. */
	readonly onClients: () => void;
	readonly log: (sentence: string) => void;
}

export interface StoreClient {
	readonly isAttached: boolean;
	end(): void;
}

export function isStoreClient(first: Buffer): boolean {
	const length = Math.min(first.length, preamble.length);
	return first.subarray(0, length).equals(preamble.subarray(0, length));
}

/** How much a client may leave unread. */
const longestUnread = 512 * 1024 * 1024;

/** @param socket Nothing of it has been read. */
export function acceptStoreClient(socket: Socket, options: StoreClientOptions): StoreClient {
	const { store, log } = options;
	let served: ServedTurns | undefined;
	let channel: StoreChannel | undefined;
	let isClosed = false;
	if (store === undefined) {
		log('A client of the control socket was turned away: There is no session store here.');
		socket.destroy();
	} else {
		const losing = store.onDidLose((how) => {
			if (how === 'ending') {
				served?.dispose();
				return;
			}
			if (how === 'yielded') channel?.notify(yieldedNotice, null);
			channel?.end();
		});
		socket.once('close', () => losing.dispose());
		readPreamble(socket, () => {
			channel = new StoreChannel(socket, {
				answer: (name, params) => answer(store, name, params),
				onNotice: () => undefined,
				onClose: () => {
					isClosed = true;
					// Whoever is gone makes no checkpoint: what it was doing ends here.
					served?.dispose();
				},
				onError: (error) =>
					log(`A client of the session store: ${error instanceof Error ? error.message : String(error)}`),
			});
		});
	}
	return {
		get isAttached() {
			return served !== undefined;
		},
		end: () => (channel === undefined ? socket.destroy() : channel.end()),
	};

	function answer(store: StoreService, name: string, params: unknown): Promise<unknown> {
		switch (name) {
			case attachRequest:
				return attach(store, params);
			case yieldRequest:
				return yieldStore(store);
			default:
				return served === undefined
					? Promise.reject(new ExpectedError(`The first request has to be ${attachRequest}.`))
					: served.answer(name, params);
		}
	}

	async function yieldStore(store: StoreService): Promise<null> {
		if (store.yield === undefined) throw new ExpectedError('A host gives its data directory to nobody.');
		store.yield();
		return null;
	}

	async function attach(store: StoreService, params: unknown): Promise<Attached> {
		refuseOtherProtocols(params);
		const [turns, address] = await Promise.all([store.open(), options.address]);
		if (served === undefined && !isClosed) {
			served = serveTurns(turns, (name, event) => {
				if (channel === undefined) return;
				// A client that has stopped reading is told nothing more, and its memory here is given back.
				if (channel.unread > longestUnread) channel.destroy();
				else channel.notify(name, event);
			});
			options.onClients();
		}
		return { address, generation: turns.generation };
	}
}

function readPreamble(socket: Socket, then: () => void): void {
	let read = Buffer.alloc(0);
	const take = (chunk: Buffer) => {
		read = Buffer.concat([read, chunk]);
		if (read.length < preamble.length) return;
		socket.off('data', take);
		if (!read.subarray(0, preamble.length).equals(preamble)) {
			socket.destroy();
			return;
		}
		socket.pause();
		if (read.length > preamble.length) socket.unshift(read.subarray(preamble.length));
		then();
		socket.resume();
	};
	socket.on('data', take);
}

function refuseOtherProtocols(params: unknown): void {
	const protocol =
		typeof params === 'object' && params !== null && 'protocol' in params ? params.protocol : undefined;
	if (protocol === storeProtocol) return;
	throw new ExpectedError(
		`The owner of the session store speaks version ${storeProtocol} of its protocol, not ${String(protocol)}: the older of the two programs has to be updated.`,
	);
}
