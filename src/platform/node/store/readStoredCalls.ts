import { existsSync } from 'node:fs';
import { storedCalls } from '../../../core/store/storedCalls.ts';
import type { StoredCall } from '../../../core/store/storedCalls.ts';
import { openSessionStore } from './openSessionStore.ts';
import { databasePath } from './recordingPaths.ts';

/** What the session store of a data directory keeps of calls with these keys; nothing, where there is no store. Rejects with an `ExpectedError`. */
export async function readStoredCalls(directory: string, keys: ReadonlySet<string>): Promise<readonly StoredCall[]> {
	// To look must not make one.
	if (!existsSync(databasePath(directory))) return [];
	const store = await openSessionStore({ directory });
	try {
		return await storedCalls(store, keys);
	} finally {
		await store.close();
	}
}
