import { defaultLimits } from '../core/store/createTurns.ts';
import type { StoreLimits } from '../core/store/sessionStore.ts';
import { limitsFrom } from '../core/store/storeLimits.ts';

/** What differs where a session has an object and a memory of 128 MB of its own. */
const objectLimits: StoreLimits = {
	...defaultLimits,
	// The runtime gives up the memory of an object in which nothing happens. A timer of ours would only keep it there.
	eviction: 'never',
	stateBytes: 8 * 1024 * 1024,
	memoryBytes: 64 * 1024 * 1024,
};

/**
 * Throws `StoreError`.
 * @param configured The variable LIMITS, by whoever has deployed the worker.
 */
export function limitsOf(configured: unknown): StoreLimits {
	return limitsFrom(typeof configured === 'string' ? parsed(configured) : configured, objectLimits, 'LIMITS');
}

/** What is no JSON is no object either. */
function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}
