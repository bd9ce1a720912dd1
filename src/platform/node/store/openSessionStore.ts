// The session store of a directory. The first process that opens it owns it: it alone holds the database, and the others reach it through a
// local socket. When it ends, however it ends, another takes its place by itself.

import type { Event } from '../../../core/base/emitter.ts';
import { ExpectedError } from '../../../core/base/errors.ts';
import { createSessionStore } from '../../../core/store/createSessionStore.ts';
import { defaultLimits } from '../../../core/store/createTurns.ts';
import type { CallRequest, Session, SessionStore, StoreLimits } from '../../../core/store/sessionStore.ts';
import { StoreError } from '../../../core/store/storeError.ts';
import { invalidOptions, limitsFrom } from '../../../core/store/storeLimits.ts';
import type { SqlDatabase } from '../../../core/store/sqlDatabase.ts';
import { prepareDataDirectory } from '../host/dataDirectory.ts';
import { nodeStorePlatform } from './nodeStorePlatform.ts';
import { openNodeSqlite } from './nodeSqlite.ts';
import { RoutedTurns } from './routedTurns.ts';

export interface SessionStoreOptions {
	/** Made if it is not there. It should be on a disk of this machine: on a network drive it is slower, and one process holds its file. */
	readonly directory: string;
	/** Those of the process that owns the directory count. */
	readonly limits?: Partial<StoreLimits> | undefined;
	/** How long the owner may give no sign of life, as a stopped process does, until another takes its place. Default: 10 seconds. */
	readonly takeOverMs?: number | undefined;
	/** A listener has thrown, or something else went wrong that no call is to blame for. Default: a warning of the process. */
	readonly onError?: ((error: unknown) => void) | undefined;
}

const defaultTakeOverMs = 10_000;
/** Below it a process that is merely busy would look like one that is stopped. */
const leastTakeOverMs = 100;

/** Rejects with `StoreError`. A store that is not closed keeps no process from ending, but leaves its socket behind for the next to remove. */
export async function openSessionStore(options: SessionStoreOptions): Promise<SessionStore> {
	return openWith(options, async (directory) => openNodeSqlite({ directory }));
}

/** With another engine. */
export async function openWith(
	options: SessionStoreOptions,
	openDatabase: (directory: string) => Promise<SqlDatabase>,
): Promise<SessionStore> {
	checkOptions(options);
	const { takeOverMs = defaultTakeOverMs, onError = warn } = options;
	const limits = limitsFrom(options.limits, defaultLimits, 'limits');
	const directory = await prepared(options.directory);
	const turns = await RoutedTurns.open({
		directory,
		openDatabase,
		limits,
		takeOverMs,
		onError,
	});
	const store = createSessionStore(turns, { ...nodeStorePlatform(), onError });
	return new LastingStore(store, turns, takeOverMs);
}

/** Throws `StoreError`: whoever opens a store may have no compiler that would have told. */
function checkOptions(options: unknown): asserts options is SessionStoreOptions {
	if (typeof options !== 'object' || options === null)
		throw invalidOptions('A session store is opened with { directory }.');
	const { takeOverMs, onError }: { takeOverMs?: unknown; onError?: unknown } = options;
	if (takeOverMs !== undefined && !(typeof takeOverMs === 'number' && takeOverMs >= leastTakeOverMs))
		throw invalidOptions(`takeOverMs is a number from ${leastTakeOverMs} on.`);
	if (onError !== undefined && typeof onError !== 'function') throw invalidOptions('onError is a function.');
}

async function prepared(directory: unknown): Promise<string> {
	if (typeof directory !== 'string' || directory === '')
		throw new StoreError('unusable-directory', 'A session store needs a directory.', undefined);
	try {
		return await prepareDataDirectory(directory);
	} catch (error) {
		if (!(error instanceof ExpectedError)) throw error;
		// That is an option of the command line.
		const sentence = error.message.replace(' Name another with --data.', '').replace('data directory', 'directory');
		throw new StoreError('unusable-directory', sentence, undefined, { cause: error });
	}
}

function warn(error: unknown): void {
	process.emitWarning(error instanceof Error ? error : String(error));
}

/** Makes calls again that have lost their owner and left nothing. */
class LastingStore implements SessionStore {
	readonly onDidCheckpoint: SessionStore['onDidCheckpoint'];
	readonly onDidEvict: SessionStore['onDidEvict'];
	readonly onDidRehydrate: SessionStore['onDidRehydrate'];
	readonly onDidTakeOver: SessionStore['onDidTakeOver'];
	readonly onDidFindDamage: SessionStore['onDidFindDamage'];
	private readonly store: SessionStore;
	private readonly turns: RoutedTurns;
	private readonly patienceMs: number;
	private listeners = 0;

	constructor(store: SessionStore, turns: RoutedTurns, takeOverMs: number) {
		this.store = store;
		this.turns = turns;
		this.patienceMs = 3 * takeOverMs + 10_000;
		this.onDidCheckpoint = this.watched(store.onDidCheckpoint);
		this.onDidEvict = this.watched(store.onDidEvict);
		this.onDidRehydrate = this.watched(store.onDidRehydrate);
		this.onDidFindDamage = this.watched(store.onDidFindDamage);
		this.onDidTakeOver = store.onDidTakeOver;
	}

	session(sessionId: string): Session {
		const session = this.store.session(sessionId);
		return {
			id: session.id,
			call: (request, run) => this.untilKept(request, () => session.call(request, run)),
			read: async () => session.read(),
			checkpoints: async () => session.checkpoints(),
			stateAt: async (seq) => session.stateAt(seq),
			evict: async () => session.evict(),
		};
	}

	async sessions(): ReturnType<SessionStore['sessions']> {
		return this.store.sessions();
	}

	async close(): Promise<void> {
		return this.store.close();
	}

	private async untilKept<Reply>(request: CallRequest, call: () => Promise<Reply>): Promise<Reply> {
		let failed: { readonly error: StoreError; readonly at: number } | undefined;
		for (;;) {
			try {
				return await call();
			} catch (error) {
				if (!(error instanceof StoreError)) throw error;
				const { code } = error;
				// The store was closed before it could be made again: what became of it is what the first failure says.
				if (code === 'closed' && failed !== undefined) throw failed.error;
				// Of a call in doubt only its key can tell whether it was kept.
				if (code !== 'fenced' && (code !== 'owner-lost' || request.key === undefined)) throw error;
				failed ??= { error, at: performance.now() };
				if (performance.now() - failed.at > this.patienceMs) throw error;
			}
		}
	}

	/** Other processes' events are sent only where somebody listens. */
	private watched<T>(event: Event<T>): Event<T> {
		return (listener) => {
			const listening = event(listener);
			if (this.listeners++ === 0) this.turns.watch(true);
			let isListening = true;
			return {
				dispose: () => {
					listening.dispose();
					if (isListening && --this.listeners === 0) this.turns.watch(false);
					isListening = false;
				},
			};
		};
	}
}
