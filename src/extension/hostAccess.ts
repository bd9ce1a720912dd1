import { attach, attachOrStart, programIn } from '../platform/node/host/attach.ts';
import { ExpectedError } from '../core/base/errors.ts';
import { connectStore } from '../platform/node/store/storeClient.ts';
import type { HostAccess } from './hostConnection.ts';
import type { Log } from './log.ts';
import type { RemoteAccess } from './remoteStore.ts';
import type { StoreAccess } from './storeView.ts';

const client = 'VS Code';

/**
 * @param commandLine Crosstalk's own, which is what a host that is started runs.
 * @param idleSeconds Asked whenever one is started.
 */
export function createHostAccess(commandLine: string, idleSeconds: () => number): HostAccess {
	return {
		attach: async (directory) => attach({ directory, client }),
		attachOrStart: async (directory) =>
			attachOrStart({ directory, client, program: programIn(commandLine), idleSeconds: idleSeconds() }),
	};
}

/** An owner that says nothing for so long is given up. */
const silenceMs = 10_000;

export function createStoreAccess(log: Log): StoreAccess {
	return async ({ controlSocket }) => {
		const connection = await connectStore(controlSocket, {
			silenceMs,
			onError: (error) => log.failure('The connection to the session store', error),
			signal: new AbortController().signal,
		});
		if (typeof connection === 'string') throw new ExpectedError('The host does not answer for its session store.');
		await connection.turns.watch(true);
		return connection.turns;
	};
}

/** What speaks to Durable Objects is loaded when somebody looks into them. */
export function createRemoteAccess(log: Log): RemoteAccess {
	return async ({ address, token, signal }) => {
		const { connectSessionStore } = await import('../platform/node/store/connectSessionStore.ts');
		return connectSessionStore({
			url: address,
			token,
			signal,
			onError: (error) => log.failure('The connection to the remote session store', error),
		});
	};
}
