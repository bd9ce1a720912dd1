import type { StoreTurns } from './createTurns.ts';
import type { SessionStore } from './sessionStore.ts';
import type { StorePlatform } from './storePlatform.ts';

/** The half beside the caller, over turns that are in this process or elsewhere. Closing it closes the turns. */
export function createSessionStore(
	_turns: StoreTurns,
	_platform: Pick<StorePlatform, 'clock' | 'digest' | 'onError'>,
): SessionStore {
	throw new Error('Not there yet.');
}
