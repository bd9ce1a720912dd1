// What a session store promises, kept also to a client of another process's store.

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SessionStore, StoreLimits } from '../../../../src/core/store/sessionStore.ts';
import type { SqlRow, SqlValue } from '../../../../src/core/store/sqlDatabase.ts';
import { connectStore } from '../../../../src/platform/node/store/storeClient.ts';
import type { StoreBed } from '../../../contract/engine.ts';
import { sessionStoreContract } from '../../../contract/sessionStore.ts';
import { within } from '../../../mcp/waiting.ts';
import { StoreLab } from './stores.ts';
import type { StoreProcess } from './stores.ts';

/** Kept from one test to the next, as long as none kills it. */
let kept: StoreProcess | undefined;
let program: StoreLab | undefined;

after(async () => program?.remove());

sessionStoreContract('of another process', {
	// Who was replaced is a client of the new owner, and so nothing that it does is refused.
	lacks: ['takeOver', 'failNext'],
	create: async () => {
		program ??= await StoreLab.create();
		return new RemoteBed(program, await StoreLab.create());
	},
});

class RemoteBed implements StoreBed {
	private readonly program: StoreLab;
	private readonly lab: StoreLab;
	private owner: StoreProcess | undefined;
	private clients: SessionStore[] = [];

	constructor(program: StoreLab, lab: StoreLab) {
		this.program = program;
		this.lab = lab;
	}

	readonly open = async (limits: Partial<StoreLimits> = {}): Promise<SessionStore> => {
		this.owner = kept ?? this.program.start();
		kept = this.owner;
		await this.owner.order({ do: 'open', options: { directory: this.lab.directory, limits } });
		const store = await this.join();
		return {
			session: (sessionId) => store.session(sessionId),
			sessions: async () => store.sessions(),
			onDidCheckpoint: store.onDidCheckpoint,
			onDidEvict: store.onDidEvict,
			onDidRehydrate: store.onDidRehydrate,
			onDidTakeOver: store.onDidTakeOver,
			onDidFindDamage: store.onDidFindDamage,
			// Closed is the whole of it.
			close: async () => {
				await store.close();
				await this.owner?.order({ do: 'close' });
				this.owner = undefined;
			},
		};
	};

	readonly join = async (): Promise<SessionStore> => {
		// Listeners of the contract throw.
		const store = await this.lab.open({ onError: () => undefined });
		this.clients.push(store);
		return store;
	};

	readonly kill = async (): Promise<void> => {
		if (this.owner === undefined) return;
		kept = undefined;
		// The clients must not take over.
		const closing = this.clients.map(async (store) => store.close());
		this.clients = [];
		await this.owner.kill();
		this.owner = undefined;
		await within(30_000, 'The end of the clients', Promise.all(closing));
	};

	readonly forceOut = async (sessionId: string): Promise<void> => {
		const { controlSocket } = await this.lab.owner();
		const { signal } = new AbortController();
		const connection = await connectStore(controlSocket, {
			silenceMs: 5_000,
			onError: (error) => {
				throw error;
			},
			signal,
		});
		if (typeof connection === 'string') throw new Error('There is no owner.');
		await connection.turns.evict(sessionId, true);
		connection.destroy();
	};

	readonly sql = async (
		_sessionId: string,
		sql: string,
		...parameters: readonly SqlValue[]
	): Promise<readonly SqlRow[]> => {
		const database = new DatabaseSync(join(this.lab.directory, 'sessions.sqlite'));
		try {
			return database.prepare(sql).all(...parameters) as SqlRow[]; // no bigint is asked for
		} finally {
			database.close();
		}
	};

	readonly dispose = async (): Promise<void> => {
		for (const store of this.clients) await within(30_000, 'The end of a client', store.close());
		await this.owner?.order({ do: 'close' });
		await this.lab.remove();
	};
}
