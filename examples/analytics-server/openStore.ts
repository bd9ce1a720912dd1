// Outside of this repository: 'crosstalk/session-store'.
import { connectSessionStore, openSessionStore } from '../../src/platform/node/sessionStore.ts';
import type { SessionStore } from '../../src/platform/node/sessionStore.ts';

/**
 * Where the sessions are kept is one setting, and the rest of the server does not know it.
 * @param place A directory of this machine, or the address of the Worker in `src/worker`.
 * @param token The Worker's.
 */
export async function openStore(place: string, token: string | undefined): Promise<SessionStore> {
	// An address of another kind is refused as one. A single letter is a drive.
	if (!/^[a-z][a-z\d+.-]+:\/\//i.test(place)) return openSessionStore({ directory: place });
	return connectSessionStore({ url: place, token: token ?? '' });
}
