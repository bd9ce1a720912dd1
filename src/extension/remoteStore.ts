import { EventEmitter, workspace } from 'vscode';
import type { Disposable, Event, SecretStorage } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { StoreEvent } from '../core/store/createTurns.ts';
import type { CheckpointSummary, SessionStore, SessionSummary } from '../core/store/sessionStore.ts';
import { StoreError } from '../core/store/storeError.ts';
import type { Log } from './log.ts';
import { remoteAddressOf } from './remoteAddress.ts';
import type { RemoteStoreProblem, RemoteStoreView } from './remoteStoreRows.ts';
import type { StoreReader } from './sessionStates.ts';
import { remoteStoreSetting, section, setRemoteStore } from './settings.ts';
import { happeningOf, logHappening } from './storeRows.ts';
import type { StoreHappening } from './storeRows.ts';

/** Rejects with `StoreError`. What it gives is given up when the signal is aborted. */
export type RemoteAccess = (options: {
	readonly address: string;
	readonly token: string;
	readonly signal: AbortSignal;
}) => Promise<SessionStore>;

export interface RemoteStoreOptions {
	readonly access: RemoteAccess;
	readonly secrets: SecretStorage;
	readonly log: Log;
}

/** What this window knows of the store at one address. */
interface Known {
	readonly setting: string;
	readonly address: string;
	readonly name: string;
	/** What is wrong with the address itself. */
	readonly invalid: string | undefined;
	/** Somebody has opened its row. */
	isOpen: boolean;
	sessions: readonly SessionSummary[] | undefined;
	problem: RemoteStoreProblem | undefined;
	reading: Promise<void> | undefined;
	connected: Connected | undefined;
	readonly checkpoints: Map<string, readonly CheckpointSummary[]>;
	readonly problems: Map<string, string>;
	readonly lastEvents: Map<string, StoreHappening>;
}

interface Connected {
	readonly store: Promise<SessionStore>;
	readonly ended: AbortController;
}

/** Only what connects can help. */
class TokenError extends ExpectedError {}

/** A token is kept under the address that it was given for, and is sent nowhere else. */
function secretOf(address: string): string {
	return `${section}.store.remote ${address}`;
}

/** The session store in Durable Objects that a person has named. It is asked only when somebody opens its rows, or asks for it: each of its sessions is woken for that. */
export class RemoteStore implements Disposable {
	readonly onDidChange: Event<void>;
	private readonly options: RemoteStoreOptions;
	private readonly changed = new EventEmitter<void>();
	private readonly disposables = new DisposableStore();
	private known: Known | undefined;

	constructor(options: RemoteStoreOptions) {
		this.options = options;
		this.onDidChange = this.changed.event;
		this.disposables.add(this.changed);
		this.disposables.add(
			workspace.onDidChangeConfiguration(
				(event) => event.affectsConfiguration(`${section}.store.remote`) && this.follow(),
			),
		);
		this.disposables.add(
			options.secrets.onDidChange(({ key }) => {
				if (this.known !== undefined && key === secretOf(this.known.address)) this.renew(this.known);
			}),
		);
		this.follow();
	}

	get view(): RemoteStoreView | undefined {
		const { known } = this;
		if (known === undefined) return undefined;
		const { address, name, sessions, reading, problem, checkpoints, problems, lastEvents } = known;
		return {
			address,
			name,
			problem,
			isReading: reading !== undefined,
			contents: sessions === undefined ? undefined : { sessions, checkpoints, problems, lastEvents },
		};
	}

	/** Somebody has opened the row of the store (`undefined`), or of one of its sessions. What was read once is read again by `refresh` only. */
	open(address: string, sessionId: string | undefined): void {
		const { known } = this;
		if (known?.address !== address) return;
		if (sessionId === undefined) {
			known.isOpen = true;
			if (known.sessions === undefined && known.invalid === undefined) void this.read(known); // it fails in a row
		} else if (!known.checkpoints.has(sessionId) || known.problems.has(sessionId)) {
			known.checkpoints.set(sessionId, []);
			known.problems.delete(sessionId);
			this.changed.fire();
			void this.readCheckpoints(known, sessionId); // it fails in a row
		}
	}

	/** Reads again what is shown. */
	async refresh(): Promise<void> {
		const { known } = this;
		if (known === undefined) throw new ExpectedError('No remote session store is connected.');
		if (known.invalid === undefined) await this.read(known);
	}

	/** Tries the token there, and keeps both when it is let in. Rejects with a sentence; nothing is kept then. */
	async connect(text: string, token: string): Promise<void> {
		const found = remoteAddressOf(text);
		if (found.kind === 'invalid') throw new ExpectedError(found.message);
		const { address, name } = found;
		const { access, secrets } = this.options;
		const ended = new AbortController();
		try {
			await access({ address, token, signal: ended.signal });
		} catch (error) {
			throw isRefused(error) ? new ExpectedError(`${name} refuses the token.`, { cause: error }) : error;
		} finally {
			ended.abort();
		}
		const former = this.known;
		await secrets.store(secretOf(address), token);
		try {
			await setRemoteStore(address);
		} catch (error) {
			if (former?.address !== address) await secrets.delete(secretOf(address));
			const reason = error instanceof Error ? error.message : String(error);
			throw new ExpectedError(`The address could not be written into the settings: ${reason}`, { cause: error });
		}
		// Nobody could make it forgotten any more.
		if (former !== undefined && former.address !== address) await secrets.delete(secretOf(former.address));
	}

	/** Forgets address and token. */
	async disconnect(): Promise<void> {
		const { known } = this;
		if (known === undefined) throw new ExpectedError('No remote session store is connected.');
		await setRemoteStore(undefined);
		await this.options.secrets.delete(secretOf(known.address));
	}

	/** Throws `ExpectedError` when the store at this address is no longer the one that is connected. */
	readerOf(address: string): StoreReader {
		const { known } = this;
		if (known?.address !== address || known.invalid !== undefined) {
			throw new ExpectedError(`The session store at ${address} is no longer connected.`);
		}
		return {
			stateText: async (sessionId, seq) => {
				const session = (await this.storeOf(known)).session(sessionId);
				const stored = await mended(known, seq === undefined ? session.read() : session.stateAt(seq));
				if (stored === undefined) throw new ExpectedError(`Session ${sessionId} has no checkpoint.`);
				return `${JSON.stringify(stored.state, undefined, '\t')}\n`;
			},
			checkpointsOf: async (sessionId) =>
				mended(known, (await this.storeOf(known)).session(sessionId).checkpoints()),
		};
	}

	dispose(): void {
		const { known } = this;
		this.known = undefined;
		if (known !== undefined) release(known);
		this.disposables.dispose();
	}

	/** The setting says where. */
	private follow(): void {
		const setting = remoteStoreSetting();
		if (setting === (this.known?.setting ?? '')) return;
		if (this.known !== undefined) release(this.known);
		this.known = setting === '' ? undefined : nothingOf(setting);
		this.changed.fire();
	}

	/** There is another token, or none. */
	private renew(former: Known): void {
		release(former);
		const known = nothingOf(former.setting);
		this.known = known;
		// What is open stays open, and nobody opens it again.
		for (const sessionId of former.checkpoints.keys()) known.checkpoints.set(sessionId, []);
		known.isOpen = former.isOpen;
		this.changed.fire();
		if (known.isOpen && known.invalid === undefined) void this.read(known); // it fails in a row
	}

	private async read(known: Known): Promise<void> {
		if (known.reading !== undefined) return known.reading;
		known.problem = undefined;
		known.reading = this.readAll(known).finally(() => {
			known.reading = undefined;
			this.tell(known);
		});
		this.tell(known);
		return known.reading;
	}

	private async readAll(known: Known): Promise<void> {
		try {
			const store = await this.storeOf(known);
			known.sessions = await mended(known, store.sessions());
			this.tell(known);
			const ids = new Set(known.sessions.map(({ id }) => id));
			for (const sessionId of [...known.checkpoints.keys()]) {
				if (ids.has(sessionId)) await this.readCheckpoints(known, sessionId);
				else known.checkpoints.delete(sessionId);
			}
		} catch (error) {
			release(known);
			known.sessions = undefined;
			known.problem = {
				message: this.sentenceOf(error),
				isMendedByConnecting: error instanceof TokenError,
			};
		}
	}

	private async readCheckpoints(known: Known, sessionId: string): Promise<void> {
		try {
			const store = await this.storeOf(known);
			known.checkpoints.set(sessionId, await mended(known, store.session(sessionId).checkpoints()));
			known.problems.delete(sessionId);
		} catch (error) {
			known.problems.set(sessionId, this.sentenceOf(error));
		}
		this.tell(known);
	}

	private sentenceOf(error: unknown): string {
		if (error instanceof ExpectedError) return error.message;
		this.options.log.failure('The remote session store could not be read', error);
		return 'This is a mistake in Crosstalk; the log has the details.';
	}

	/** Rejects with a sentence. */
	private async storeOf(known: Known): Promise<SessionStore> {
		if (known.connected !== undefined) return mended(known, known.connected.store);
		const ended = new AbortController();
		const connected: Connected = { ended, store: this.connected(known, ended.signal) };
		known.connected = connected;
		connected.store.catch(() => {
			if (known.connected === connected) known.connected = undefined;
		});
		return mended(known, connected.store);
	}

	private async connected(known: Known, signal: AbortSignal): Promise<SessionStore> {
		const { access, secrets } = this.options;
		const token = await secrets.get(secretOf(known.address));
		if (token === undefined) throw new TokenError(`There is no token for ${known.name}. Connect again.`);
		const store = await access({ address: known.address, token, signal });
		const hear = (event: StoreEvent) => {
			logHappening(event, `the store at ${known.name}`, this.options.log);
			const happening = happeningOf(event, Date.now());
			if (happening === undefined || !('sessionId' in event)) return;
			known.lastEvents.set(event.sessionId, happening);
			this.tell(known);
		};
		// They end with the store.
		store.onDidEvict((event) => hear({ kind: 'evicted', ...event }));
		store.onDidRehydrate((event) => hear({ kind: 'rehydrated', ...event }));
		store.onDidFindDamage((event) => hear({ kind: 'damaged', ...event }));
		store.onDidCheckpoint((event) => hear({ kind: 'checkpointed', ...event }));
		return store;
	}

	private tell(known: Known): void {
		if (this.known === known) this.changed.fire();
	}
}

function nothingOf(setting: string): Known {
	const found = remoteAddressOf(setting);
	const isValid = found.kind === 'address';
	return {
		setting,
		address: isValid ? found.address : setting,
		name: isValid ? found.name : setting,
		invalid: isValid ? undefined : found.message,
		isOpen: false,
		sessions: undefined,
		problem: isValid ? undefined : { message: found.message, isMendedByConnecting: true },
		reading: undefined,
		connected: undefined,
		checkpoints: new Map(),
		problems: new Map(),
		lastEvents: new Map(),
	};
}

function release(known: Known): void {
	known.connected?.ended.abort();
	known.connected = undefined;
}

/** A token that is refused is mended by a person, who is told how. */
async function mended<T>({ name }: Known, promise: Promise<T>): Promise<T> {
	try {
		return await promise;
	} catch (error) {
		throw isRefused(error) ? new TokenError(`${name} refuses the token. Connect again.`, { cause: error }) : error;
	}
}

function isRefused(error: unknown): boolean {
	return error instanceof StoreError && error.code === 'unauthorized';
}
