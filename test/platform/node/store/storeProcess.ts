// A process that has a session store open and does what its parent tells it, over Node's own channel between them.

import type { SessionStore, StoreLimits, TakenOver } from '../../../../src/core/store/sessionStore.ts';
import type { SqlDatabase } from '../../../../src/core/store/sqlDatabase.ts';
import { StoreError } from '../../../../src/core/store/storeError.ts';
import { openNodeSqlite } from '../../../../src/platform/node/store/nodeSqlite.ts';
import { openSessionStore, openWith } from '../../../../src/platform/node/store/openSessionStore.ts';
import { dieAt } from './failpoints.ts';

export type Order =
	| { readonly do: 'open'; readonly options: OpenOrder }
	| { readonly do: 'add'; readonly session: string; readonly key?: string; readonly holdMs?: number }
	| { readonly do: 'takenOver' }
	/** Callers that call for as long as they are let, and say which calls were acknowledged. */
	| { readonly do: 'load'; readonly callers: readonly Caller[]; readonly bytes: number; readonly isTold: boolean }
	| { readonly do: 'endLoad' }
	| { readonly do: 'close' };

export interface OpenOrder {
	readonly directory: string;
	readonly takeOverMs?: number;
	readonly limits?: Partial<StoreLimits>;
	/** What the engine takes for SQLite. */
	readonly sqliteModule?: string;
}

export interface Caller {
	readonly name: string;
	readonly session: string;
}

export type Told =
	| { readonly id: number; readonly result: unknown }
	| { readonly id: number; readonly error: { readonly code: string; readonly message: string } }
	/** Acknowledged calls, each caller's last. */
	| { readonly acknowledged: Readonly<Record<string, number>> };

export interface LoadResult {
	/** Each caller's calls. */
	readonly calls: Readonly<Record<string, number>>;
	readonly slowestMs: number;
	readonly errors: readonly string[];
}

let store: SessionStore | undefined;
const takenOver: TakenOver[] = [];
let isLoaded = false;
let load: Promise<LoadResult> | undefined;

process.on('message', (message) => {
	const { id, order } = message as { id: number; order: Order }; // the parent sends nothing else
	follow(order).then(
		(result) => tell({ id, result }),
		(error: unknown) => {
			const code = error instanceof StoreError ? error.code : 'bug';
			tell({ id, error: { code, message: error instanceof Error ? (error.stack ?? '') : String(error) } });
		},
	);
});
process.on('disconnect', () => process.exit());

function tell(told: Told): void {
	if (process.connected) process.send?.(told);
}

async function follow(order: Order): Promise<unknown> {
	switch (order.do) {
		case 'open':
			store = await open(order.options);
			store.onDidTakeOver((event) => takenOver.push(event));
			return null;
		case 'add':
			return add(opened(), order.session, order.key, order.holdMs);
		case 'takenOver':
			return takenOver.map(({ generation, isOurs }) => ({ generation, isOurs }));
		case 'load':
			isLoaded = true;
			load = runLoad(opened(), order.callers, order.bytes, order.isTold);
			return null;
		case 'endLoad':
			isLoaded = false;
			return load;
		case 'close':
			isLoaded = false;
			await load;
			await store?.close();
			return null;
	}
}

function opened(): SessionStore {
	if (store === undefined) throw new Error('The store is not open.');
	return store;
}

async function open({ sqliteModule, ...options }: OpenOrder): Promise<SessionStore> {
	if (sqliteModule === undefined) return openSessionStore(options);
	return openWith(options, async (directory) =>
		dyingBeforeReply(await openNodeSqlite({ directory, sqliteModules: [sqliteModule] })),
	);
}

function dyingBeforeReply(database: SqlDatabase): SqlDatabase {
	return {
		read: async (statement) => database.read(statement),
		async write(statements, generation) {
			await database.write(statements, generation);
			dieAt('before the reply');
		},
		claim: async () => database.claim(),
		close: async () => database.close(),
	};
}

async function add(store: SessionStore, session: string, key: string | undefined, holdMs = 0): Promise<number> {
	return store.session(session).call<{ count?: number }, number>({ key, tool: 'add', args: {} }, async (state) => {
		dieAt('before the tool');
		state.count = (state.count ?? 0) + 1;
		if (holdMs > 0) await new Promise((resolve) => setTimeout(resolve, holdMs));
		dieAt('after the tool');
		return state.count;
	});
}

/** Each caller counts its own calls in the state: a lost one leaves a gap, and one that has two effects does too. */
async function runLoad(
	store: SessionStore,
	callers: readonly Caller[],
	bytes: number,
	isTold: boolean,
): Promise<LoadResult> {
	const calls: Record<string, number> = {};
	const errors: string[] = [];
	let slowestMs = 0;
	let acknowledged: Record<string, number> = {};
	let isTelling = false;
	await Promise.all(
		callers.map(async ({ name, session }) => {
			for (let number = 1; isLoaded; number++) {
				const startedAt = performance.now();
				try {
					await store
						.session(session)
						.call<Record<string, unknown>>(
							{ key: `${name}-${number}`, tool: 'count', args: { number } },
							(state) => {
								const before = Number(state[name] ?? 0);
								if (before !== number - 1)
									throw new Error(`Call ${number} of ${name} has ${before} before it.`);
								state[name] = number;
								// Other bytes each time: SQLite writes no page that is as it was.
								if (bytes > 0) state['filling'] = String(number % 10).repeat(bytes);
								return null;
							},
						);
				} catch (error) {
					errors.push(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
					return;
				}
				slowestMs = Math.max(slowestMs, performance.now() - startedAt);
				calls[name] = number;
				acknowledged[name] = number;
				if (!isTold || isTelling) continue;
				isTelling = true;
				setImmediate(() => {
					tell({ acknowledged });
					acknowledged = {};
					isTelling = false;
				});
			}
		}),
	);
	return { calls, slowestMs, errors };
}
