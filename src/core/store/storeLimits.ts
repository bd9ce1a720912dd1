// Limits come from whoever configures a store, perhaps without a compiler that looked at them.

import type { StoreLimits } from './sessionStore.ts';
import { StoreError } from './storeError.ts';

/**
 * The defaults with what is given in their place; a member that is `undefined` is not given. Throws `StoreError`, which names the member.
 * @param name What whoever gave them calls them.
 */
export function limitsFrom(given: unknown, defaults: StoreLimits, name: string): StoreLimits {
	if (given === undefined) return defaults;
	if (typeof given !== 'object' || given === null || Array.isArray(given))
		throw invalidOptions(`${name} is an object with members such as deadlineMs, not ${shown(given)}.`);
	const limits: Record<string, unknown> = { ...defaults };
	for (const [member, value] of Object.entries(given)) {
		if (!isLimit(member))
			throw invalidOptions(
				`${name} cannot have ${member}: there is no such limit. Those that there are: ${known}.`,
			);
		if (value === undefined) continue;
		const { is, words } = kinds[member];
		if (!is(value)) throw invalidOptions(`${name} cannot have ${member}: it is ${words}, not ${shown(value)}.`);
		limits[member] = value;
	}
	return limits as unknown as StoreLimits; // each member was looked at
}

interface Kind {
	readonly words: string;
	readonly is: (value: unknown) => boolean;
}

const length: Kind = { words: 'a number above 0', is: (value) => typeof value === 'number' && value > 0 };
const count: Kind = {
	words: 'a whole number from 1 on',
	is: (value) => value === Infinity || (Number.isInteger(value) && Number(value) >= 1),
};
const policy: Kind = {
	words: '"always", "never", or { idleMs } with a number above 0',
	is: (value) =>
		value === 'always' ||
		value === 'never' ||
		(typeof value === 'object' && value !== null && 'idleMs' in value && length.is(value.idleMs)),
};

const kinds: Readonly<Record<keyof StoreLimits, Kind>> = {
	eviction: policy,
	deadlineMs: length,
	queueLength: count,
	keptCalls: count,
	keptCallsMs: length,
	keptStates: count,
	stateBytes: length,
	memoryBytes: length,
};

const known = Object.keys(kinds).join(', ');

function isLimit(name: string): name is keyof StoreLimits {
	return Object.hasOwn(kinds, name);
}

/** @param message A sentence that names the option or limit. */
export function invalidOptions(message: string): StoreError {
	return new StoreError('invalid-options', message, undefined);
}

/** A value as it can stand in a sentence: JSON has no words for some. */
function shown(value: unknown): string {
	if (Array.isArray(value)) return 'a list';
	if (typeof value === 'object' && value !== null) {
		const members = Object.entries(value).map(
			([name, member]) => `${name}: ${typeof member === 'object' ? '…' : shown(member)}`,
		);
		return members.length === 0 ? '{}' : `{ ${members.slice(0, 3).join(', ')} }`;
	}
	return typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : String(value);
}
