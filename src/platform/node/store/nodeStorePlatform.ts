import { hash, randomUUID } from 'node:crypto';
import type { StorePlatform } from '../../../core/store/storePlatform.ts';

/** What the session store needs of Node besides a database. Its timers keep no process from ending. */
export function nodeStorePlatform(): Pick<StorePlatform, 'clock' | 'digest' | 'randomId'> {
	return {
		clock: {
			now: () => Date.now(),
			elapsed: () => performance.now(),
			after(milliseconds, callback) {
				// A longer time would be over at once.
				const timer = setTimeout(callback, Math.min(milliseconds, 2 ** 31 - 1)).unref();
				return { dispose: () => clearTimeout(timer) };
			},
		},
		digest: { sha256: (text) => hash('sha256', text) },
		randomId: () => randomUUID().replaceAll('-', ''),
	};
}
