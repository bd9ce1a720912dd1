import { EventEmitter } from 'vscode';
import type { Disposable, Event } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { HostAddress } from '../core/host/control.ts';
import type { CheckpointSummary, SessionSummary } from '../core/store/sessionStore.ts';
import type { StoreEvent, StoreTurns } from '../core/store/createTurns.ts';
import type { HostConnection } from './hostConnection.ts';
import type { Log } from './log.ts';
import type { StoreReader } from './sessionStates.ts';
import type { StoreHappening, StoreView } from './storeRows.ts';
import { happeningOf, logHappening } from './storeRows.ts';
import { Throttle } from './throttle.ts';

/** Speaks to the session store of the process that owns the data directory. */
export type StoreAccess = (address: HostAddress) => Promise<StoreTurns>;

/** What lives is asked after once a second at most. */
const readEveryMs = 1000;

/** What this window knows of the session store of the host: nothing, until somebody looks. */
export class StoreInView implements StoreView, StoreReader, Disposable {
	sessions: readonly SessionSummary[] = [];
	readonly checkpoints = new Map<string, readonly CheckpointSummary[]>();
	readonly problems: ReadonlyMap<string, string> = new Map();
	readonly lastEvents = new Map<string, StoreHappening>();
	readonly onDidChange: Event<void>;
	private readonly connection: HostConnection;
	private readonly access: StoreAccess;
	private readonly log: Log;
	private readonly changed = new EventEmitter<void>();
	private readonly disposables = new DisposableStore();
	private readonly reading = new Throttle(readEveryMs, () => void this.read()); // its failures are logged
	private attached: { readonly address: HostAddress; readonly turns: Promise<StoreTurns> } | undefined;
	private isWatched = false;
	private isDisposed = false;

	constructor(connection: HostConnection, access: StoreAccess, log: Log) {
		this.connection = connection;
		this.access = access;
		this.log = log;
		this.onDidChange = this.changed.event;
		this.disposables.add(this.changed);
		this.disposables.add(this.reading);
		this.disposables.add(connection.onDidChange(() => this.follow()));
	}

	/** Somebody looks, or nobody does any more. */
	setWatched(isWatched: boolean): void {
		this.isWatched = isWatched;
		this.follow();
	}

	/** From now on the checkpoints of this session are shown. */
	open(sessionId: string): void {
		if (this.checkpoints.has(sessionId)) return;
		this.checkpoints.set(sessionId, []);
		this.reading.request();
	}

	/** The state after a checkpoint, as indented JSON; of the latest for `undefined`. */
	async stateText(sessionId: string, seq: number | undefined): Promise<string> {
		const turns = await this.turns();
		const kept = seq === undefined ? await turns.read(sessionId) : await turns.stateAt(sessionId, seq);
		if (kept === undefined) throw new ExpectedError(`Session ${sessionId} has no checkpoint.`);
		return `${JSON.stringify(JSON.parse(kept.state), undefined, '\t')}\n`;
	}

	async list(): Promise<readonly SessionSummary[]> {
		return (await this.turns()).sessions();
	}

	async checkpointsOf(sessionId: string): Promise<readonly CheckpointSummary[]> {
		return (await this.turns()).checkpoints(sessionId);
	}

	dispose(): void {
		this.isDisposed = true;
		this.release();
		this.disposables.dispose();
	}

	private follow(): void {
		const { address } = this.connection;
		if (this.attached !== undefined && this.attached.address !== address) this.release();
		if (this.isWatched && address !== undefined && this.attached === undefined) this.reading.request();
	}

	private async turns(): Promise<StoreTurns> {
		const { address } = this.connection;
		if (address === undefined) throw new ExpectedError('No host is running, so its session store cannot be read.');
		if (this.attached?.address !== address) {
			this.release();
			const turns = this.access(address);
			const attached = { address, turns };
			this.attached = attached;
			turns.then(
				(store) => {
					if (this.attached !== attached) void store.close(); // nobody waits for it
					else this.disposables.add(store.onDidHappen((event) => this.hear(event)));
				},
				() => {
					if (this.attached === attached) this.attached = undefined;
				},
			);
		}
		return this.attached.turns;
	}

	private hear(event: StoreEvent): void {
		logHappening(event, "the host's store", this.log);
		const happening = happeningOf(event, Date.now());
		if (happening !== undefined && 'sessionId' in event) this.lastEvents.set(event.sessionId, happening);
		if (this.isWatched) this.reading.request();
	}

	private async read(): Promise<void> {
		if (this.isDisposed || this.connection.address === undefined) return;
		try {
			const turns = await this.turns();
			this.sessions = await turns.sessions();
			for (const sessionId of this.checkpoints.keys()) {
				this.checkpoints.set(sessionId, await turns.checkpoints(sessionId));
			}
			this.changed.fire();
		} catch (error) {
			// The host may have ended since; whoever asks for something is told.
			if (!this.isDisposed) this.log.failure('The session store could not be read', error);
		}
	}

	private release(): void {
		const { attached } = this;
		this.attached = undefined;
		if (this.sessions.length > 0) {
			this.sessions = [];
			this.changed.fire();
		}
		void attached?.turns.then(
			(turns) => turns.close(),
			() => undefined,
		);
	}
}
