import { createHash } from 'node:crypto';
import type { SqlDatabase } from '../../core/store/sqlDatabase.ts';
import type { StorePlatform } from '../../core/store/storePlatform.ts';

/**
 * What the session store asks of the world, in a Durable Object. A timer keeps the object in memory while it runs, so whoever uses this has
 * timers only for as long as a call has its turn.
 */
export function durablePlatform(database: SqlDatabase, onError: (error: unknown) => void): StorePlatform {
	return {
		database,
		clock: {
			now: () => Date.now(),
			// Both stand still between two events, which makes what is measured with them too short and never negative.
			elapsed: () => performance.now(),
			after(milliseconds, callback) {
				const timer = setTimeout(callback, milliseconds);
				return { dispose: () => clearTimeout(timer) };
			},
		},
		digest: {
			sha256,
			sha256Of: (head, text) => sha256(head + text),
		},
		randomId: () => crypto.randomUUID().replaceAll('-', ''),
		onError,
	};
}

/** Of the text's UTF-8, as 64 hexadecimal digits. */
export function sha256(text: string): string {
	return createHash('sha256').update(text).digest('hex');
}
