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
		digest: { sha256: (text) => hash('sha256', text), sha256Of },
		randomId: () => randomUUID().replaceAll('-', ''),
	};
}

/** Written over and over: most states fit. */
const scratch = Buffer.alloc(128 * 1024);

function sha256Of(head: string, text: string): string {
	// A character is three bytes at most.
	if ((head.length + text.length) * 3 > scratch.length) return hash('sha256', head + text);
	const headEnd = scratch.write(head, 0, 'utf8');
	const end = headEnd + scratch.write(text, headEnd, 'utf8');
	return hash('sha256', scratch.subarray(0, end));
}
