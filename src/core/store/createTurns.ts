import { Emitter } from '../base/emitter.ts';
import type { Event } from '../base/emitter.ts';
import type { StoredCheckpoint } from './checkpoint.ts';
import { SmallMap } from '../base/smallMap.ts';
import { EndedTurns } from './endedTurns.ts';
import { readGeneration } from './fence.ts';
import { IdleSessions } from './idleSessions.ts';
import { claimDatabase, lapSize, ringSize } from './schema.ts';
import type { Claim } from './schema.ts';
import { SessionActor } from './sessionActor.ts';
import type { ActorContext } from './sessionActor.ts';
import type {
	CheckpointMade,
	CheckpointSummary,
	DamageFound,
	SessionEvicted,
	SessionRehydrated,
	SessionSummary,
	StoreLimits,
	TakenOver,
} from './sessionStore.ts';
import { isDamage, SessionTable } from './sessionTable.ts';
import type { ListedSession, StoredSession } from './sessionTable.ts';
import { SqlError } from './sqlDatabase.ts';
import { quoted } from './storable.ts';
import { StoreError } from './storeError.ts';
import type { StoreErrorCode } from './storeError.ts';
import { recordOf, storeErrorOf } from './storeErrors.ts';
import type { StorePlatform } from './storePlatform.ts';
import { checkRequest, checkSessionId } from './turnRequest.ts';
import type { TurnCommitted, TurnEnd, TurnRequest, Turns, TurnStart } from './turns.ts';

/** All that is beside the database. Over a socket it is the same interface (`remoteTurns`). Everything rejects with `StoreError`. */
export interface StoreTurns extends Turns {
	/** Of this owner's claim; 0: the store can only be read. */
	readonly generation: number;
	readonly onDidHappen: Event<StoreEvent>;
	/** The one with the latest checkpoint first. */
	sessions(): Promise<readonly SessionSummary[]>;
	/** The state of the latest checkpoint. */
	read(sessionId: string): Promise<KeptState | undefined>;
	/** Newest first. */
	checkpoints(sessionId: string): Promise<readonly CheckpointSummary[]>;
	stateAt(sessionId: string, seq: number): Promise<KeptState>;
	/** Forced, it ends the call that has its turn too, unless that is being committed; otherwise a session in use is let alone. */
	evict(sessionId: string, isForced: boolean): Promise<void>;
	/** Calls that have their turn end first; those that wait are refused. Closes the database. */
	close(): Promise<void>;
}

/** As it is beside the database itself, where turns can be kept. */
export interface OwnerTurns extends StoreTurns {
	/** A turn that was kept is in use, and has its time from now on. One that has ended already is let alone. */
	use(turnId: string, request: TurnRequest): void;
}

export interface KeptState {
	readonly seq: number;
	/** JSON. */
	readonly state: string;
}

/** JSON throughout. */
export type StoreEvent =
	| ({ readonly kind: 'checkpointed' } & CheckpointMade)
	| ({ readonly kind: 'evicted' } & SessionEvicted)
	| ({ readonly kind: 'rehydrated' } & SessionRehydrated)
	| ({ readonly kind: 'taken-over' } & TakenOver)
	| ({ readonly kind: 'damaged' } & DamageFound)
	/** A call has lost its turn, and not by its caller's doing. */
	| { readonly kind: 'turn-ended'; readonly turnId: string; readonly error: StoreErrorRecord }
	/** Somebody waits for a turn that was kept. */
	| { readonly kind: 'turn-wanted'; readonly turnId: string };

/** A `StoreError` as JSON. */
export interface StoreErrorRecord {
	readonly code: StoreErrorCode;
	readonly message: string;
	readonly sessionId: string | undefined;
}

export const defaultLimits: StoreLimits = {
	eviction: { idleMs: 5 * 60_000 },
	deadlineMs: 150_000,
	queueLength: 1000,
	keptCalls: 128,
	keptCallsMs: 24 * 60 * 60_000,
	keptStates: 8,
	stateBytes: 16 * 1024 * 1024,
	memoryBytes: 256 * 1024 * 1024,
};

/**
 * Claims the database for this owner and makes its schema or brings it up to date. One that is newer, or that cannot be written to, is read
 * only: what is stored can be read, and calls are refused.
 */
export async function createTurns(platform: StorePlatform, limits: StoreLimits): Promise<OwnerTurns> {
	try {
		return new LocalTurns(platform, portable(limits), await claimDatabase(platform.database));
	} catch (error) {
		throw storeErrorOf(error, undefined);
	}
}

class LocalTurns implements OwnerTurns {
	readonly generation: number;
	readonly onDidHappen: Event<StoreEvent>;
	private readonly platform: StorePlatform;
	private readonly table: SessionTable;
	private readonly happened: Emitter<StoreEvent>;
	private readonly context: ActorContext;
	/** Those in memory or in use. */
	private readonly actors = new Map<string, SessionActor>();
	private readonly idleSessions: IdleSessions;
	/** By the id of the turn that each has given. */
	private readonly running = new SmallMap<string, SessionActor>();
	private readonly endedTurns = new EndedTurns();
	private readonly damaged = new Map<string, StoreError>();
	/** Why no call is taken any more. */
	private refusal: ((sessionId: string) => StoreError) | undefined;
	private closing: Promise<void> | undefined;
	private drained: (() => void) | undefined;

	constructor(platform: StorePlatform, limits: StoreLimits, { generation, readOnly, hasLaps }: Claim) {
		const { database, clock, digest, onError } = platform;
		this.platform = platform;
		this.generation = generation;
		this.happened = new Emitter(onError);
		this.onDidHappen = this.happened.event;
		this.table = new SessionTable(database, digest, hasLaps);
		this.idleSessions = new IdleSessions(clock, limits, (actor, reason) => {
			actor.evict(reason);
			this.actors.delete(actor.sessionId);
		});
		if (readOnly !== undefined)
			this.refusal = (id) =>
				new StoreError('read-only', `Session ${quoted(id)} can only be read. ${readOnly}`, id);
		const prefix = platform.randomId();
		let ids = 0;
		this.context = {
			database,
			table: this.table,
			generation,
			clock,
			limits,
			newId: () => `${prefix}-${++ids}`,
			isTaken: (sessionId) => this.refusal === undefined && !this.damaged.has(sessionId),
			fire: (event) => this.happened.fire(event),
			failed: (error, sessionId) => this.failed(error, sessionId),
			turnBegan: (turnId, actor) => this.running.set(turnId, actor),
			turnEnded: (turnId, failure) => this.turnEnded(turnId, failure),
			memoryChanged: (bytes) => this.idleSessions.weigh(bytes),
			becameIdle: (actor) => this.becameIdle(actor),
		};
	}

	// Not `async`, as commit is not: each would add a step between a call and the next.
	begin(request: TurnRequest): Promise<TurnStart> {
		try {
			checkRequest(request);
		} catch (error) {
			return Promise.reject(storeErrorOf(error, undefined));
		}
		const { sessionId } = request;
		const refusal = this.refusal?.(sessionId) ?? this.damaged.get(sessionId);
		if (refusal !== undefined) return Promise.reject(refusal);
		let actor = this.actors.get(sessionId);
		if (actor === undefined) {
			actor = new SessionActor(sessionId, this.context);
			this.actors.set(sessionId, actor);
		} else this.idleSessions.delete(actor);
		return actor.begin(request);
	}

	commit(end: TurnEnd): Promise<TurnCommitted> {
		const actor = this.running.get(end.turnId);
		return actor === undefined ? Promise.reject(this.endedTurns.failureOf(end.turnId)) : actor.commit(end);
	}

	abort(turnId: string): Promise<void> {
		this.running.get(turnId)?.abort(turnId);
		return Promise.resolve();
	}

	use(turnId: string, request: TurnRequest): void {
		this.running.get(turnId)?.use(turnId, request);
	}

	async sessions(): Promise<readonly SessionSummary[]> {
		return (await this.listed()).map(({ id, checkpoint }) => {
			const actor = this.actors.get(id);
			return {
				id,
				seq: checkpoint?.seq ?? 0,
				generation: checkpoint?.generation ?? 0,
				checkpointedAt: isoTime(checkpoint?.at ?? 0),
				bytes: checkpoint?.stateBytes ?? 0,
				residence: actor?.isInMemory === true ? 'memory' : 'disk',
				isDamaged: checkpoint === undefined || this.damaged.has(id),
				inFlight: actor?.calls ?? 0,
			};
		});
	}

	async read(sessionId: string): Promise<KeptState | undefined> {
		const { latest } = await this.stored(sessionId);
		return latest === undefined ? undefined : { seq: latest.checkpoint.seq, state: latest.state };
	}

	async checkpoints(sessionId: string): Promise<readonly CheckpointSummary[]> {
		const { checkpoints } = await this.stored(sessionId);
		return checkpoints.map(summaryOf).reverse();
	}

	async stateAt(sessionId: string, seq: number): Promise<KeptState> {
		const { home, checkpoints } = await this.stored(sessionId);
		const kept = checkpoints.find(({ checkpoint }) => checkpoint.seq === seq);
		if (kept?.hasState !== true) {
			const sentence = `The state of checkpoint ${seq} of session ${quoted(sessionId)} is not kept.`;
			throw new StoreError('not-kept', sentence, sessionId);
		}
		try {
			return {
				seq,
				state: await this.table.textOf(sessionId, home, 'state', kept.checkpoint, kept.checkpoint.stateHash),
			};
		} catch (error) {
			const failure = storeErrorOf(error, sessionId);
			// No call rests on it, so none is refused.
			if (isDamage(error)) this.happened.fire({ kind: 'damaged', sessionId, reason: failure.message });
			throw failure;
		}
	}

	evict(sessionId: string, isForced: boolean): Promise<void> {
		const actor = this.actors.get(sessionId);
		if (actor === undefined) return Promise.resolve();
		if (isForced) actor.evictByForce();
		else actor.evict('asked');
		if (actor.inFlight === 0) this.becameIdle(actor);
		return Promise.resolve();
	}

	close(): Promise<void> {
		this.closing ??= this.shut();
		return this.closing;
	}

	private async shut(): Promise<void> {
		const refusal = (id: string): StoreError =>
			new StoreError('closed', `The store of session ${quoted(id)} is closed.`, id);
		this.refusal = refusal;
		for (const actor of this.actors.values()) actor.close(refusal(actor.sessionId));
		for (const actor of this.actors.values()) {
			while (actor.inFlight > 0) await new Promise<void>((resolve) => (this.drained = resolve));
		}
		this.idleSessions.dispose();
		for (const actor of this.actors.values()) actor.evict('closing');
		this.actors.clear();
		this.happened.dispose();
		try {
			await this.platform.database.close();
		} catch (error) {
			throw storeErrorOf(error, undefined);
		}
	}

	private async listed(): Promise<readonly ListedSession[]> {
		try {
			return await this.table.list();
		} catch (error) {
			throw storeErrorOf(error, undefined);
		}
	}

	private async stored(sessionId: string): Promise<StoredSession> {
		checkSessionId(sessionId);
		const damage = this.damaged.get(sessionId);
		if (damage !== undefined) throw damage;
		try {
			return await this.table.load(sessionId);
		} catch (error) {
			throw await this.failed(error, sessionId);
		}
	}

	/** Something has gone wrong with one session, or while it was served with all. */
	private async failed(error: unknown, sessionId: string): Promise<StoreError> {
		const failure = storeErrorOf(error, sessionId);
		if (failure.code === 'session-damaged') this.noteDamage(sessionId, failure);
		else if (error instanceof SqlError && error.code === 'fenced') await this.lose('fenced', error);
		else if (error instanceof SqlError && error.code === 'closed') await this.lose('failed', error);
		return failure;
	}

	/** From now on nothing of it is served, and nothing writes over what there is. */
	private noteDamage(sessionId: string, failure: StoreError): void {
		if (this.damaged.has(sessionId)) return;
		this.damaged.set(sessionId, failure);
		this.actors.get(sessionId)?.close(failure);
		this.happened.fire({ kind: 'damaged', sessionId, reason: failure.message });
	}

	/** Nothing can be written any more. */
	private async lose(reason: 'fenced' | 'failed', error: SqlError): Promise<void> {
		if (this.refusal !== undefined) return;
		const refusal = (id: string): StoreError => storeErrorOf(error, id);
		this.refusal = refusal;
		for (const actor of this.actors.values()) actor.fail(reason, refusal(actor.sessionId));
		if (reason === 'fenced') await this.tellOfTakeOver();
	}

	private async tellOfTakeOver(): Promise<void> {
		let generation = this.generation + 1;
		try {
			const [row] = await this.platform.database.read({ sql: readGeneration, parameters: [] });
			generation = Number(row?.['value'] ?? generation);
		} catch {
			// Who has taken over is at least the next one.
		}
		this.happened.fire({ kind: 'taken-over', generation, isOurs: false });
	}

	private turnEnded(turnId: string, failure: StoreError | undefined): void {
		this.running.delete(turnId);
		if (failure === undefined) return;
		this.endedTurns.add(turnId, failure);
		this.happened.fire({ kind: 'turn-ended', turnId, error: recordOf(failure) });
	}

	private becameIdle(actor: SessionActor): void {
		if (actor.isInMemory) this.idleSessions.add(actor);
		else {
			this.idleSessions.delete(actor);
			this.actors.delete(actor.sessionId);
		}
		this.drained?.();
	}
}

/** Within what the tables can hold. */
function portable(limits: StoreLimits): StoreLimits {
	return {
		...limits,
		keptCalls: Math.min(limits.keptCalls, ringSize),
		keptStates: Math.max(1, Math.min(limits.keptStates, lapSize)),
	};
}

function summaryOf({ checkpoint, hasState }: StoredCheckpoint): CheckpointSummary {
	const { seq, generation, at, key, tool, stateBytes } = checkpoint;
	return { seq, generation, at: isoTime(at), key, tool, bytes: stateBytes, hasState };
}

/** Whatever a clock said. */
function isoTime(at: number): string {
	const date = new Date(at);
	return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString();
}
