import { Emitter } from '../base/emitter.ts';
import { assertNever } from '../base/errors.ts';
import { CallTurn } from './callTurn.ts';
import type { KeptState, StoreEvent, StoreTurns } from './createTurns.ts';
import { LiveStates } from './liveStates.ts';
import type { LiveState } from './liveStates.ts';
import type {
	CallContext,
	CallRequest,
	CheckpointMade,
	CheckpointSummary,
	DamageFound,
	Session,
	SessionEvicted,
	SessionRehydrated,
	SessionState,
	SessionStore,
	SessionSummary,
	StoredState,
	TakenOver,
} from './sessionStore.ts';
import { canonicalJson, quoted, toStorable } from './storable.ts';
import { StoreError } from './storeError.ts';
import { ofSession, storeErrorFrom } from './storeErrors.ts';
import type { StorePlatform } from './storePlatform.ts';
import { checkCall, checkSessionId } from './turnRequest.ts';
import type { Turn, TurnStart } from './turns.ts';

type CallerPlatform = Pick<StorePlatform, 'clock' | 'digest' | 'onError'>;

/** The half beside the caller, over turns that are in this process or elsewhere. Closing it closes the turns. */
export function createSessionStore(turns: StoreTurns, platform: CallerPlatform): SessionStore {
	return new CallerStore(turns, platform);
}

type Work<Reply> = (state: SessionState, context: CallContext) => Reply | Promise<Reply>;

interface WorkDone<Reply> {
	readonly state: SessionState;
	readonly reply: Reply;
	readonly stateJson: string;
	/** Empty: there is none. */
	readonly replyJson: string;
	/** The state may be used for what is stored of it. */
	readonly isInterchangeable: boolean;
}

class CallerStore implements SessionStore {
	readonly turns: StoreTurns;
	readonly onDidCheckpoint;
	readonly onDidEvict;
	readonly onDidRehydrate;
	readonly onDidTakeOver;
	readonly onDidFindDamage;
	private readonly platform: CallerPlatform;
	private readonly live = new LiveStates();
	/** By the ids of their turns. */
	private readonly running = new Map<string, CallTurn>();
	private readonly checkpointed: Emitter<CheckpointMade>;
	private readonly evicted: Emitter<SessionEvicted>;
	private readonly rehydrated: Emitter<SessionRehydrated>;
	private readonly takenOver: Emitter<TakenOver>;
	private readonly damaged: Emitter<DamageFound>;

	constructor(turns: StoreTurns, platform: CallerPlatform) {
		const { onError } = platform;
		this.turns = turns;
		this.platform = platform;
		this.checkpointed = new Emitter<CheckpointMade>(onError);
		this.evicted = new Emitter<SessionEvicted>(onError);
		this.rehydrated = new Emitter<SessionRehydrated>(onError);
		this.takenOver = new Emitter<TakenOver>(onError);
		this.damaged = new Emitter<DamageFound>(onError);
		this.onDidCheckpoint = this.checkpointed.event;
		this.onDidEvict = this.evicted.event;
		this.onDidRehydrate = this.rehydrated.event;
		this.onDidTakeOver = this.takenOver.event;
		this.onDidFindDamage = this.damaged.event;
		turns.onDidHappen((event) => this.happened(event));
	}

	session(sessionId: string): Session {
		checkSessionId(sessionId);
		return new CallerSession(sessionId, this);
	}

	sessions(): Promise<readonly SessionSummary[]> {
		return this.turns.sessions();
	}

	async close(): Promise<void> {
		await this.turns.close();
		this.live.clear();
	}

	async call<Reply>(sessionId: string, request: CallRequest, work: Work<Reply>): Promise<Reply> {
		checkCall(request, work, sessionId);
		const held = this.live.get(sessionId);
		let start: TurnStart;
		try {
			start = await this.turns.begin({
				sessionId,
				key: request.key,
				tool: request.tool,
				argumentsHash: this.argumentsHash(sessionId, request),
				heldState: held?.stateId,
				// JSON, by which it may go to another process, has no word for it.
				deadlineMs: request.deadlineMs === Infinity ? Number.MAX_SAFE_INTEGER : request.deadlineMs,
			});
		} catch (error) {
			throw ofSession(error, sessionId);
		}
		// What was stored under this key was given by a function of this type.
		if (start.kind === 'replay') return parsed(start.reply, sessionId) as Reply;
		const { turnId } = start;
		const { state, reply, stateJson, replyJson, isInterchangeable } = await this.work(sessionId, start, held, work);
		let stateId: string;
		try {
			({ stateId } = await this.turns.commit({ turnId, state: stateJson, reply: replyJson }));
		} catch (error) {
			throw ofSession(error, sessionId);
		}
		if (isInterchangeable) this.live.put(sessionId, { stateId, state, characters: stateJson.length });
		// As a repeated call gets it, and no part of the state that lives on.
		return typeof reply === 'object' ? (parsed(replyJson, sessionId) as Reply) : reply;
	}

	/** From the beginning of the turn to what is to be stored. Ends the turn if it fails. */
	private async work<Reply>(
		sessionId: string,
		turn: Turn,
		held: LiveState | undefined,
		work: Work<Reply>,
	): Promise<WorkDone<Reply>> {
		const { turnId } = turn;
		try {
			const state = this.stateOf(sessionId, turn, held);
			// While the call runs it belongs to nobody else, and if it fails it is worth nothing.
			this.live.delete(sessionId);
			const running = new CallTurn(sessionId, turn);
			const begun = work(state, running);
			// Most are done at once: nothing can come in between, so nobody has to be told.
			const reply = isPromise(begun) ? await this.outcome(begun, turn, running) : begun;
			const { json: replyJson } = toStorable(reply, 'reply', sessionId);
			const { json: stateJson, isInterchangeable } = toStorable(state, 'state', sessionId);
			return { state, reply, stateJson, replyJson, isInterchangeable };
		} catch (error) {
			// Where it cannot be said, the turn ends with the connection or at its deadline.
			await this.turns.abort(turnId).catch(() => undefined);
			throw error;
		}
	}

	/** Rejects as soon as the turn is lost. */
	private async outcome<Reply>(
		begun: PromiseLike<Reply>,
		{ turnId, deadlineMs }: Turn,
		running: CallTurn,
	): Promise<Reply> {
		this.running.set(turnId, running);
		try {
			return await Promise.race([begun, running.lost(this.platform.clock, deadlineMs)]);
		} finally {
			running.end();
			this.running.delete(turnId);
		}
	}

	private stateOf(sessionId: string, { stateId, state }: Turn, held: LiveState | undefined): SessionState {
		// The call before may have left it meanwhile.
		const live = this.live.get(sessionId);
		if (live?.stateId === stateId) return live.state;
		if (state !== undefined) return parsed(state, sessionId) as SessionState;
		if (held?.stateId === stateId) return held.state;
		throw new Error(`The state ${stateId} was not sent, and nobody holds it.`);
	}

	private argumentsHash(sessionId: string, { tool, args }: CallRequest): string {
		return this.platform.digest.sha256(`[${JSON.stringify(tool)},${canonicalJson(args, 'args', sessionId)}]`);
	}

	private turnLost({ turnId, error }: Extract<StoreEvent, { kind: 'turn-ended' }>): void {
		const running = this.running.get(turnId);
		running?.lose(ofSession(storeErrorFrom(error), running.sessionId));
	}

	private happened(event: StoreEvent): void {
		switch (event.kind) {
			case 'checkpointed':
				return this.checkpointed.fire(withoutKind(event));
			case 'evicted':
				this.live.delete(event.sessionId);
				return this.evicted.fire(withoutKind(event));
			case 'rehydrated':
				return this.rehydrated.fire(withoutKind(event));
			case 'taken-over':
				return this.takenOver.fire(withoutKind(event));
			case 'damaged':
				return this.damaged.fire(withoutKind(event));
			case 'turn-wanted':
				// Nothing is kept here.
				return undefined;
			case 'turn-ended':
				return this.turnLost(event);
			default:
				return assertNever(event);
		}
	}
}

class CallerSession implements Session {
	readonly id: string;
	private readonly store: CallerStore;

	constructor(id: string, store: CallerStore) {
		this.id = id;
		this.store = store;
	}

	// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as the interface has it
	call<State extends object, Reply>(
		request: CallRequest,
		run: (state: State, context: CallContext) => Reply | Promise<Reply>,
	): Promise<Reply> {
		// The caller names the shape of the state that it keeps.
		return this.store.call(this.id, request, run as unknown as Work<Reply>);
	}

	async read(): Promise<StoredState | undefined> {
		const kept = await this.asked((turns) => turns.read(this.id));
		return kept === undefined ? undefined : storedState(kept, this.id);
	}

	async checkpoints(): Promise<readonly CheckpointSummary[]> {
		return this.asked((turns) => turns.checkpoints(this.id));
	}

	async stateAt(seq: number): Promise<StoredState> {
		if (!Number.isInteger(seq))
			throw new StoreError('not-kept', `Session ${quoted(this.id)} has no checkpoint ${String(seq)}.`, this.id);
		return storedState(await this.asked((turns) => turns.stateAt(this.id, seq)), this.id);
	}

	async evict(): Promise<void> {
		return this.asked((turns) => turns.evict(this.id, false));
	}

	private async asked<T>(ask: (turns: StoreTurns) => Promise<T>): Promise<T> {
		try {
			return await ask(this.store.turns);
		} catch (error) {
			throw ofSession(error, this.id);
		}
	}
}

function withoutKind<T extends StoreEvent>({ kind: _kind, ...event }: T): Omit<T, 'kind'> {
	return event;
}

function isPromise<Reply>(begun: Reply | PromiseLike<Reply>): begun is PromiseLike<Reply> {
	return typeof begun === 'object' && begun !== null && 'then' in begun && typeof begun.then === 'function';
}

function storedState({ seq, state }: KeptState, sessionId: string): StoredState {
	return { seq, state: parsed(state, sessionId) as SessionState };
}

function parsed(json: string, sessionId: string): unknown {
	if (json === '') return undefined;
	try {
		return JSON.parse(json);
	} catch (error) {
		const sentence = `What is kept of session ${quoted(sessionId)} was written by another program, and is no JSON.`;
		throw new StoreError('session-damaged', sentence, sessionId, { cause: error });
	}
}
