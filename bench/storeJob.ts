// What a call does in every bench of stores: it goes on by a page, so that all of the state changes.

import { randomBytes } from 'node:crypto';

/** Bytes that no disk can make less of. */
export const noise = randomBytes(96 * 1024).toString('base64');

export type JobState = Record<string, unknown>;

export function newState(): JobState {
	return {};
}

/** Makes the state about so many bytes of JSON, none of which is where it was, and gives how often that was done. */
export function advance(state: JobState, bytes: number): number {
	const count = Number(state['count'] ?? 0) + 1;
	state['count'] = count;
	const from = (count * 37) % (noise.length - bytes);
	state['rows'] = Array.from({ length: 16 }, (_, index) =>
		noise.slice(from + (index * bytes) / 16, from + ((index + 1) * bytes) / 16),
	);
	return count;
}
