import { existsSync } from 'node:fs';
import { storedCalls } from '../../../core/store/storedCalls.ts';
import type { StoredCallReader } from '../../../core/store/storedCalls.ts';
import { databasePath } from './recordingPaths.ts';

/**
 * Reads what the session store of a data directory keeps of calls with these keys. `undefined`: there is no store; to look must not make one.
 * The reader rejects with an `ExpectedError`.
 */
export function storedCallsIn(directory: string): StoredCallReader | undefined {
	if (!existsSync(databasePath(directory))) return undefined;
	return async (keys) => {
		// Loaded when somebody looks at a state: a database comes with it.
		const { openSessionStore } = await import('./openSessionStore.ts');
		const store = await openSessionStore({ directory });
		try {
			return await storedCalls(store, keys);
		} finally {
			await store.close();
		}
	};
}
