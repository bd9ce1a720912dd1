import { defaultLimits } from '../core/store/createTurns.ts';
import type { StoreLimits } from '../core/store/sessionStore.ts';

/** What differs where a session has an object and a memory of 128 MB of its own. */
const objectLimits: StoreLimits = {
	...defaultLimits,
	// The runtime gives up the memory of an object in which nothing happens. A timer of ours would only keep it there.
	eviction: 'never',
	stateBytes: 8 * 1024 * 1024,
	memoryBytes: 64 * 1024 * 1024,
};

/** @param configured The variable LIMITS, by whoever has deployed the worker. */
export function limitsOf(configured: unknown): StoreLimits {
	if (configured === undefined) return objectLimits;
	const given = typeof configured === 'string' ? (JSON.parse(configured) as unknown) : configured;
	if (typeof given !== 'object' || given === null) throw new Error('LIMITS has to be an object.');
	const limits: Record<string, unknown> = { ...objectLimits };
	for (const [name, value] of Object.entries(given)) {
		const isKnown = Object.hasOwn(objectLimits, name);
		const isRight = name === 'eviction' ? isEviction(value) : typeof value === 'number' && value > 0;
		if (!isKnown || !isRight) throw new Error(`LIMITS cannot have ${name}: ${JSON.stringify(value)}.`);
		limits[name] = value;
	}
	return limits as unknown as StoreLimits; // each member was looked at
}

function isEviction(value: unknown): boolean {
	if (value === 'never' || value === 'always') return true;
	return typeof value === 'object' && value !== null && 'idleMs' in value && typeof value.idleMs === 'number';
}
