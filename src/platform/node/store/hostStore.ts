// The session store of a host's data directory, which is opened when it is first asked for.

import { Emitter } from '../../../core/base/emitter.ts';
import { defaultLimits } from '../../../core/store/createTurns.ts';
import type { SqlRow, SqlStatement } from '../../../core/store/sqlDatabase.ts';
import { StoreError } from '../../../core/store/storeError.ts';
import { readAddress, removeAddress, successorFile } from '../host/dataDirectory.ts';
import { EventTable } from './eventTable.ts';
import { openNodeSqlite } from './nodeSqlite.ts';
import { connectStore } from './storeClient.ts';
import { drained, lookMs, openOwnTurns } from './storeOwner.ts';
import type { OwnTurns } from './storeOwner.ts';
import type { Loss, StoreService } from './storeServer.ts';

export interface HostStore extends StoreService {
	/** The tables of recorded events. Opens the store if it is not open yet. Rejects with `StoreError` or `SqlError`. */
	events(): Promise<EventTable>;
	/** Calls that have their turn get a moment; then whoever came for the store is sent away. */
	close(): Promise<void>;
}

export interface HostStoreOptions {
	/** This process holds its lock. */
	readonly directory: string;
	/** As for `openSessionStore`. */
	readonly takeOverMs: number;
	readonly onError: (error: unknown) => void;
}

export function createHostStore(options: HostStoreOptions): HostStore {
	return new LazyHostStore(options);
}

class LazyHostStore implements HostStore {
	readonly yield = undefined;
	readonly onDidLose: StoreService['onDidLose'];
	private readonly options: HostStoreOptions;
	private readonly losing: Emitter<Loss>;
	private readonly stop = new AbortController();
	private opened: Promise<OwnTurns> | undefined;

	constructor(options: HostStoreOptions) {
		this.options = options;
		this.losing = new Emitter(options.onError);
		this.onDidLose = this.losing.event;
	}

	async open(): Promise<OwnTurns['turns']> {
		if (this.stop.signal.aborted) throw new StoreError('closed', 'The host is ending.', undefined);
		const opening = (this.opened ??= this.claim());
		try {
			const own = await opening;
			// If this host stood still, another may have been the owner meanwhile, and have ended.
			await own.look();
			return this.opened === opening ? own.turns : await this.open();
		} catch (error) {
			// Whoever asks next has it tried again.
			if (this.opened === opening) this.opened = undefined;
			throw error;
		}
	}

	async events(): Promise<EventTable> {
		await this.open();
		const own = await this.opened;
		if (own === undefined) throw new StoreError('closed', 'The session store was lost.', undefined);
		const { database, turns } = own;
		if (turns.generation === 0) throw new StoreError('read-only', 'the session store can only be read', undefined);
		return EventTable.open(database, turns.generation);
	}

	async query(statement: SqlStatement): Promise<readonly SqlRow[]> {
		await this.open();
		const own = await this.opened;
		if (own === undefined) throw new StoreError('closed', 'The session store was lost.', undefined);
		return own.database.read(statement);
	}

	async close(): Promise<void> {
		this.stop.abort();
		const own = await this.opened?.catch(() => undefined);
		if (own === undefined) return;
		try {
			await drained(own.turns, () => this.losing.fire('ending'));
		} finally {
			this.losing.fire('lost');
		}
	}

	private async claim(): Promise<OwnTurns> {
		const { directory, takeOverMs, onError } = this.options;
		// While this host stood still, another process may have taken over the store.
		const successor = await readAddress(directory, successorFile);
		if (successor !== undefined) {
			const { signal } = this.stop;
			const found = await connectStore(successor.controlSocket, { silenceMs: takeOverMs, onError, signal });
			if (typeof found === 'object') {
				found.destroy();
				throw new StoreError('fenced', `Process ${successor.pid} has taken over the session store.`, undefined);
			}
		}
		const limits = defaultLimits;
		const openDatabase = async () => openNodeSqlite({ directory });
		const own = await openOwnTurns({ directory, openDatabase, limits, onError });
		if (successor !== undefined) await removeAddress(directory, successorFile);
		const looking = setInterval(() => {
			own.look().catch(onError);
		}, lookMs).unref();
		const endLooking = () => clearInterval(looking);
		this.stop.signal.addEventListener('abort', endLooking, { once: true });
		void own.lost.then(() => {
			endLooking();
			this.stop.signal.removeEventListener('abort', endLooking);
			if (this.stop.signal.aborted) return;
			this.opened = undefined;
			this.losing.fire('lost');
			own.turns.close().catch(onError);
		});
		return own;
	}
}
