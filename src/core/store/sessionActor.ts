import type { Disposable } from '../base/lifecycle.ts';
import { deadlineExceeded } from './callTurn.ts';
import type { Checkpoint, PastCall } from './checkpoint.ts';
import type { StoreEvent } from './createTurns.ts';
import { History } from './history.ts';
import type { SessionEvicted, StoreLimits } from './sessionStore.ts';
import type { SessionHome, SessionTable } from './sessionTable.ts';
import type { SqlDatabase } from './sqlDatabase.ts';
import { quoted, tooLarge } from './storable.ts';
import { StoreError } from './storeError.ts';
import type { StoreErrorCode } from './storeError.ts';
import type { StoreClock } from './storePlatform.ts';
import { storeErrorOf } from './storeErrors.ts';
import { checkEnd, checkRequest } from './turnRequest.ts';
import type { KeptTurn, TurnCommitted, TurnEnd, TurnRequest, TurnStart } from './turns.ts';
import { utf8Length } from './utf8.ts';

/** What the sessions of a store share. */
export interface ActorContext {
	readonly database: SqlDatabase;
	readonly table: SessionTable;
	readonly generation: number;
	readonly clock: StoreClock;
	readonly limits: StoreLimits;
	/** A name that nothing else of this store has. */
	newId(): string;
	/** Whether another call on this session would be taken. */
	isTaken(sessionId: string): boolean;
	fire(event: StoreEvent): void;
	/** Something has gone wrong; the result is what the caller is told. */
	failed(error: unknown, sessionId: string): Promise<StoreError>;
	turnBegan(turnId: string, actor: SessionActor): void;
	/** @param failure Why, if neither a commit nor an abort has ended it. */
	turnEnded(turnId: string, failure: StoreError | undefined): void;
	/** Its memory has grown by so much. */
	memoryChanged(bytes: number): void;
	/** No call runs or waits. */
	becameIdle(actor: SessionActor): void;
}

/** The one writer of a session: whole calls, one at a time, in the order in which they came. */
export class SessionActor {
	readonly sessionId: string;
	private readonly context: ActorContext;
	private readonly waiting: WaitingCall[] = [];
	/** A call has left the mailbox and has not ended. */
	private isServing = false;
	private memory: Memory | undefined;
	private turn: RunningTurn | undefined;
	/** Has left the mailbox before it came: whoever made the call before may go on without asking. */
	private kept: WaitingTurn | undefined;

	constructor(sessionId: string, context: ActorContext) {
		this.sessionId = sessionId;
		this.context = context;
	}

	/** Turns that run, wait or are kept. */
	get inFlight(): number {
		return this.waiting.length + (this.isServing ? 1 : 0);
	}

	/** Those that run or wait, as far as is known here. */
	get calls(): number {
		return this.inFlight - (this.kept === undefined ? 0 : 1);
	}

	get isInMemory(): boolean {
		return this.memory !== undefined;
	}

	begin(request: TurnRequest): Promise<TurnStart> {
		const { sessionId, context } = this;
		if (this.waiting.length >= context.limits.queueLength) {
			const sentence = `${this.waiting.length} calls wait for session ${quoted(sessionId)} already.`;
			return Promise.reject(new StoreError('overloaded', sentence, sessionId));
		}
		return new Promise((resolve, reject) => {
			this.waiting.push({ request, resolve, reject });
			if (!this.isServing) this.serveNext();
			this.want();
		});
	}

	/** @param end Of a turn of this session. */
	commit(end: TurnEnd): Promise<TurnCommitted> {
		const refusal = end.request === undefined ? undefined : this.use(end.turnId, end.request);
		if (refusal !== undefined) return Promise.reject(refusal);
		const { turn, memory } = this;
		if (turn?.turnId !== end.turnId || turn.isCommitting || memory === undefined)
			return Promise.reject(this.error('closed', 'has been committed already'));
		const startedAt = this.context.clock.elapsed();
		turn.isCommitting = true;
		turn.deadline.dispose();
		return new Promise((resolve, reject) => {
			this.write(turn.request, memory, end).then(
				(checkpoint) => {
					const committed = this.keep(turn, memory, checkpoint, end.state, startedAt);
					const next = end.keep === undefined ? undefined : this.keepTurn(end.keep.knowsKeys);
					// Its caller hears of it before the next one has its turn, and can lend it the state.
					resolve(next === undefined ? committed : { ...committed, next });
					this.endTurn(turn);
				},
				async (error: unknown) => {
					const failure = await this.context.failed(error, this.sessionId);
					reject(failure);
					this.dropMemory(failure.code === 'fenced' ? 'fenced' : 'failed');
					this.endTurn(turn);
				},
			);
		});
	}

	/** A turn that was kept is in use. Gives why it may not be, and it has ended. */
	use(turnId: string, request: TurnRequest): StoreError | undefined {
		const { kept, memory } = this;
		if (kept?.turnId !== turnId || memory === undefined) return undefined;
		const failure = this.problemOf(request, memory);
		if (failure !== undefined) {
			this.loseKept(kept, failure);
			return failure;
		}
		kept.patience?.dispose();
		this.kept = undefined;
		this.run(turnId, request, kept.isEvictedAfter);
		return undefined;
	}

	private problemOf(request: TurnRequest, { history }: Memory): StoreError | undefined {
		try {
			checkRequest(request);
		} catch (error) {
			return storeErrorOf(error, this.sessionId);
		}
		const { sessionId, key } = request;
		if (sessionId !== this.sessionId) return this.error('invalid-request', `is one of ${quoted(sessionId)}`);
		// Its caller should have known: it is made again, and gets its reply.
		const isKnown = key !== undefined && history.find(key, this.context.clock.elapsed()) !== undefined;
		return isKnown ? this.error('fenced', 'has been made before') : undefined;
	}

	/** What waits is refused, and what was kept is asked for. */
	close(refusal: StoreError): void {
		this.refuseWaiting(refusal);
		this.want(true);
	}

	/** The call has failed on its caller's side. */
	abort(turnId: string): void {
		if (this.kept?.turnId === turnId) this.loseKept(this.kept, undefined);
		const { turn } = this;
		if (turn?.turnId !== turnId || turn.isCommitting) return;
		this.dropMemory('failed');
		this.endTurn(turn);
	}

	/** Gives up its memory, unless the session is in use. */
	evict(reason: SessionEvicted['reason']): void {
		if (!this.isServing) this.dropMemory(reason);
		else if (this.kept !== undefined) {
			this.kept.isEvictedAfter = true;
			this.want(true);
		}
	}

	/** Gives up its memory also in the middle of a call, which then fails. */
	evictByForce(): void {
		// What is being written cannot be taken back.
		if (this.turn?.isCommitting === true) this.turn.isEvictedAfter = true;
		else this.loseTurn('asked', this.error('evicted', 'was evicted in the middle of the call'));
	}

	/** From now on nothing can be written: what has its turn and what waits fails. What is being committed learns it from the database. */
	fail(reason: SessionEvicted['reason'], failure: StoreError): void {
		this.refuseWaiting(failure);
		if (this.turn?.isCommitting !== true) this.loseTurn(reason, failure);
	}

	refuseWaiting(failure: StoreError): void {
		for (const { reject } of this.waiting.splice(0)) reject(failure);
	}

	private serveNext(): void {
		const call = this.waiting.shift();
		this.isServing = call !== undefined;
		if (call === undefined) this.context.becameIdle(this);
		else if (this.memory === undefined) void this.loadAndServe(call);
		else this.serve(call, this.memory);
	}

	private async loadAndServe(call: WaitingCall): Promise<void> {
		let memory: Memory;
		try {
			memory = await this.load();
		} catch (error) {
			call.reject(await this.context.failed(error, this.sessionId));
			this.serveNext();
			return;
		}
		this.serve(call, memory);
	}

	private serve(call: WaitingCall, memory: Memory): void {
		const { key } = call.request;
		const known = key === undefined ? undefined : memory.history.find(key, this.context.clock.elapsed());
		if (known === undefined) this.startTurn(call, memory);
		else void this.replay(call, known, memory);
	}

	private startTurn({ request, resolve }: WaitingCall, memory: Memory): void {
		const { context } = this;
		const turnId = context.newId();
		const deadlineMs = this.run(turnId, request);
		context.turnBegan(turnId, this);
		const { seq, stateId } = memory;
		const state = request.heldState === stateId ? undefined : memory.state;
		resolve({ kind: 'turn', turnId, seq, stateId, state, deadlineMs });
	}

	/** Gives how long it may take, in milliseconds. */
	private run(turnId: string, request: TurnRequest, isEvictedAfter = false): number {
		const { clock, limits } = this.context;
		const deadlineMs = Math.min(request.deadlineMs ?? limits.deadlineMs, longestTimer);
		const deadline = clock.after(deadlineMs, () =>
			this.loseTurn('deadline', deadlineExceeded(this.sessionId, deadlineMs)),
		);
		this.turn = { turnId, request, deadline, isCommitting: false, isEvictedAfter };
		return deadlineMs;
	}

	/** For the caller whose checkpoint was just made, if nobody else is there. */
	private keepTurn(knowsKeys: boolean): KeptTurn | undefined {
		const { context, memory } = this;
		const { eviction, deadlineMs } = context.limits;
		if (memory === undefined || this.waiting.length > 0 || eviction === 'always') return undefined;
		if (!context.isTaken(this.sessionId)) return undefined;
		const keys = knowsKeys ? undefined : memory.history.keys();
		if (keys !== undefined && keys.reduce((sum, key) => sum + key.length, 0) > mostKeyCharacters) return undefined;
		const turnId = context.newId();
		this.kept = { turnId, patience: undefined, isEvictedAfter: false };
		context.turnBegan(turnId, this);
		return { turnId, deadlineMs: Math.min(deadlineMs, longestTimer), keys };
	}

	/**
	 * Asks for the turn that was kept, if somebody waits for it.
	 * @param isAlone It is wanted for no call.
	 */
	private want(isAlone = false): void {
		const { kept, context } = this;
		if (kept === undefined || kept.patience !== undefined || (!isAlone && this.waiting.length === 0)) return;
		kept.patience = context.clock.after(patienceMs, () =>
			this.loseKept(kept, this.error('fenced', 'began while its process stood still, and another went on')),
		);
		context.fire({ kind: 'turn-wanted', turnId: kept.turnId });
	}

	private loseKept(kept: WaitingTurn, failure: StoreError | undefined): void {
		kept.patience?.dispose();
		this.kept = undefined;
		this.context.turnEnded(kept.turnId, failure);
		if (kept.isEvictedAfter) this.dropMemory('asked');
		this.serveNext();
	}

	private async replay({ request, resolve, reject }: WaitingCall, known: PastCall, memory: Memory): Promise<void> {
		const { sessionId, context } = this;
		try {
			if (known.argumentsHash !== request.argumentsHash) throw keyReused(sessionId, known, request);
			const reply = await context.table.textOf(sessionId, memory.home, 'reply', known, known.replyHash);
			resolve({ kind: 'replay', reply, seq: known.seq });
		} catch (error) {
			reject(await context.failed(error, sessionId));
		}
		if (context.limits.eviction === 'always') this.dropMemory('always');
		this.serveNext();
	}

	private async load(): Promise<Memory> {
		const { sessionId, context } = this;
		const { clock, limits } = context;
		const startedAt = clock.elapsed();
		const { home, latest, checkpoints } = await context.table.load(sessionId);
		const state = latest?.state ?? '{}';
		const history = new History(checkpoints, limits, clock.now(), clock.elapsed());
		const weight = weightOf(state, history);
		const memory: Memory = {
			home,
			seq: latest?.checkpoint.seq ?? 0,
			state,
			stateId: context.newId(),
			history,
			weight,
		};
		this.memory = memory;
		context.memoryChanged(weight);
		if (latest !== undefined) {
			const { seq, generation, stateBytes } = latest.checkpoint;
			const durationMs = clock.elapsed() - startedAt;
			context.fire({ kind: 'rehydrated', sessionId, seq, generation, bytes: stateBytes, durationMs });
		}
		return memory;
	}

	private async write(request: TurnRequest, memory: Memory, end: TurnEnd): Promise<Checkpoint> {
		const { sessionId, context } = this;
		const { table, clock, generation, limits } = context;
		const { key, tool, argumentsHash } = request;
		const { state, reply } = end;
		const { home } = memory;
		checkEnd(end, sessionId);
		const stateBytes = utf8Length(state);
		const replyBytes = utf8Length(reply);
		if (stateBytes > limits.stateBytes) throw tooLarge('state', sessionId, limits.stateBytes);
		if (replyBytes > limits.stateBytes) throw tooLarge('reply', sessionId, limits.stateBytes);
		// Nobody can ask for it again.
		const keptReply = key === undefined ? undefined : reply;
		const checkpoint = table.checkpoint(
			sessionId,
			{
				seq: memory.seq + 1,
				generation,
				at: Math.round(clock.now()),
				key,
				tool,
				argumentsHash,
				stateBytes,
				replyBytes: keptReply === undefined ? 0 : replyBytes,
			},
			state,
			keptReply,
		);
		const moved = table.moved(sessionId, home, memory.history);
		// If it is not written the memory is given up, and the history with it.
		const displaced = memory.history.add(checkpoint, clock.elapsed());
		const statements = table.statements({ sessionId, home, checkpoint, state, reply: keptReply, ...displaced });
		await context.database.write([...moved, ...statements], generation);
		return checkpoint;
	}

	/** The checkpoint is on disk. */
	private keep(
		turn: RunningTurn,
		before: Memory,
		checkpoint: Checkpoint,
		state: string,
		startedAt: number,
	): TurnCommitted {
		const { sessionId, context } = this;
		const { seq, generation, tool, key, stateBytes } = checkpoint;
		const stateId = context.newId();
		const weight = weightOf(state, before.history);
		const home = { ...before.home, isOfVersion1: false };
		this.memory = { ...before, home, seq, stateId, state, weight };
		context.memoryChanged(weight - before.weight);
		const durationMs = context.clock.elapsed() - startedAt;
		context.fire({ kind: 'checkpointed', sessionId, seq, generation, tool, key, bytes: stateBytes, durationMs });
		if (turn.isEvictedAfter) this.dropMemory('asked');
		return { seq, stateId };
	}

	/** The turn is taken from its caller, if there is one, and memory is given up. */
	private loseTurn(reason: SessionEvicted['reason'], failure: StoreError): void {
		this.dropMemory(reason);
		if (this.kept !== undefined) this.loseKept(this.kept, failure);
		else if (this.turn !== undefined) this.endTurn(this.turn, failure);
	}

	private endTurn(turn: RunningTurn, failure?: StoreError): void {
		const { context } = this;
		turn.deadline.dispose();
		this.turn = undefined;
		context.turnEnded(turn.turnId, failure);
		if (context.limits.eviction === 'always') this.dropMemory('always');
		if (this.kept === undefined) this.serveNext();
	}

	private dropMemory(reason: SessionEvicted['reason']): void {
		const { memory, sessionId, context } = this;
		if (memory === undefined) return;
		this.memory = undefined;
		context.memoryChanged(-memory.weight);
		if (memory.seq > 0) context.fire({ kind: 'evicted', sessionId, seq: memory.seq, reason });
	}

	private error(code: StoreErrorCode, what: string): StoreError {
		return new StoreError(code, `The call of session ${quoted(this.sessionId)} ${what}.`, this.sessionId);
	}
}

interface WaitingCall {
	readonly request: TurnRequest;
	readonly resolve: (start: TurnStart) => void;
	readonly reject: (error: StoreError) => void;
}

interface RunningTurn {
	readonly turnId: string;
	readonly request: TurnRequest;
	readonly deadline: Disposable;
	isCommitting: boolean;
	/** Somebody asked for it while it was being committed. */
	isEvictedAfter: boolean;
}

/** One that was kept, and of which nothing was heard yet. */
interface WaitingTurn {
	readonly turnId: string;
	/** It is wanted, and may be waited for until then. */
	patience: Disposable | undefined;
	isEvictedAfter: boolean;
}

/** What is in memory is what is on disk. */
interface Memory {
	/** Where its checkpoints lie. */
	readonly home: SessionHome;
	readonly seq: number;
	/** JSON. */
	readonly state: string;
	readonly stateId: string;
	readonly history: History;
	/** In bytes, roughly. */
	readonly weight: number;
}

/** Whoever has kept a turn and does not say whether it is in use stands still, or is very busy. */
const patienceMs = 5_000;

/** To tell more of them would cost more than asking for a turn does. */
const mostKeyCharacters = 32 * 1024;

/** A timer that is set for longer goes off at once. */
const longestTimer = 2 ** 31 - 1;

function weightOf(state: string, history: History): number {
	return state.length + history.weight;
}

function keyReused(sessionId: string, known: PastCall, { key = '', tool }: TurnRequest): StoreError {
	const other = known.tool === tool ? 'with other arguments' : `for ${quoted(known.tool)}`;
	const sentence = `The key ${quoted(key)} of session ${quoted(sessionId)} was used ${other} before: checkpoint ${known.seq}.`;
	return new StoreError('key-reused', sentence, sessionId);
}
