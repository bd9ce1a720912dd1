import { createSessionStore } from '../../../core/store/createSessionStore.ts';
import type { SessionStore } from '../../../core/store/sessionStore.ts';
import { StoreError } from '../../../core/store/storeError.ts';
import { invalidOptions } from '../../../core/store/storeLimits.ts';
import { nodeStorePlatform } from './nodeStorePlatform.ts';
import { ObjectTurns, greet } from './objectTurns.ts';

export interface ConnectOptions {
	/** Of the worker that was deployed: `https://crosstalk-sessions.<account>.workers.dev`. */
	readonly url: string;
	/** Its secret TOKEN. */
	readonly token: string;
	/** What throws in a listener of the store's events goes here. */
	readonly onError?: (error: unknown) => void;
	/** Gives the store up at once, where `close` waits for calls that have their turn. */
	readonly signal?: AbortSignal;
}

/**
 * Opens a session store that is kept in Durable Objects. The functions of its calls run in this process. Rejects with `StoreError` when
 * nothing answers there (`owner-lost`), something else does (`not-a-store`), or the token is wrong (`unauthorized`).
 */
export async function connectSessionStore(options: ConnectOptions): Promise<SessionStore> {
	checkOptions(options);
	const url = addressOf(options.url);
	const { token, onError = throwLater, signal = new AbortController().signal } = options;
	await greet({ url, token });
	const platform = { ...nodeStorePlatform(), onError };
	return createSessionStore(new ObjectTurns({ url, token, platform, signal }), platform);
}

/** Throws `StoreError`: whoever connects may have no compiler that would have told. */
function checkOptions(options: unknown): asserts options is ConnectOptions {
	if (typeof options !== 'object' || options === null)
		throw invalidOptions('A session store is connected with { url, token }.');
	const { token, onError, signal }: Partial<Record<keyof ConnectOptions, unknown>> = options;
	if (onError !== undefined && typeof onError !== 'function') throw invalidOptions('onError is a function.');
	if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidOptions('signal is an AbortSignal.');
	if (typeof token !== 'string') throw new StoreError('unauthorized', 'A session store needs its token.', undefined);
	// Whatever says so later would say the token too.
	if (!/^[\x20-\x7e]*$/.test(token.trim()))
		throw new StoreError(
			'unauthorized',
			'The token is none: it has characters beyond ASCII, or several lines.',
			undefined,
		);
}

/** Without what a token should not be sent to. */
function addressOf(text: string): string {
	const url = URL.canParse(text) ? new URL(text) : undefined;
	if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
		throw new StoreError(
			'not-a-store',
			`"${text}" is no address of a session store: it begins with https://.`,
			undefined,
		);
	}
	return `${url.origin}${url.pathname.replace(/\/+$/u, '')}`;
}

/** A listener that throws is a bug of its own; it must not end what other listeners wait for. */
function throwLater(error: unknown): void {
	queueMicrotask(() => {
		throw error;
	});
}
