import type { SessionStore } from './sessionStore.ts';

/** What a store keeps of one call: the state that the session had after it. */
export interface StoredCall {
	readonly sessionId: string;
	readonly seq: number;
	/** Mostly the tool use id. */
	readonly key: string | undefined;
	/** `undefined`: it is not kept any more. */
	readonly state: unknown;
}

/** Gives what is kept of the sessions that calls with these keys were made on, oldest first in each. Rejects with an `ExpectedError`. */
export type StoredCallReader = (keys: ReadonlySet<string>) => Promise<readonly StoredCall[]>;

/** All that is kept of the sessions that calls with one of these keys were made on, oldest first in each. Rejects with `StoreError`. */
export async function storedCalls(store: SessionStore, keys: ReadonlySet<string>): Promise<readonly StoredCall[]> {
	const found: StoredCall[] = [];
	for (const { id, isDamaged } of await store.sessions()) {
		if (isDamaged) continue;
		const session = store.session(id);
		const checkpoints = await session.checkpoints();
		if (!checkpoints.some(({ key }) => key !== undefined && keys.has(key))) continue;
		for (const { seq, key, hasState } of [...checkpoints].reverse()) {
			const state: unknown = hasState ? (await session.stateAt(seq)).state : undefined;
			found.push({ sessionId: id, seq, key, state });
		}
	}
	return found;
}
