import type { Event } from '../base/emitter.ts';

/** Sessions with one writer each, whose state is on disk before the reply to a call leaves. */
export interface SessionStore {
	/** @param sessionId Explicit: an empty one is refused with `StoreError`, there is no default. */
	session(sessionId: string): Session;
	/** The sessions in the store, the one with the latest checkpoint first. */
	sessions(): Promise<readonly SessionSummary[]>;
	/** A call's state and reply are on disk. */
	readonly onDidCheckpoint: Event<CheckpointMade>;
	/** A session's state has left memory. It is on disk. */
	readonly onDidEvict: Event<SessionEvicted>;
	/** A session's state was read from disk. */
	readonly onDidRehydrate: Event<SessionRehydrated>;
	/** This store's database has a new owner. */
	readonly onDidTakeOver: Event<TakenOver>;
	/** What is kept of a session fails its checksum. */
	readonly onDidFindDamage: Event<DamageFound>;
	/** Calls that have their turn end first. */
	close(): Promise<void>;
}

export interface Session {
	readonly id: string;
	/**
	 * Runs `run` on the state when all calls before on this session have ended, and resolves with its result when the state it left and that
	 * result are on disk. If it throws, the state is as it was before.
	 * @param run Gets the state, a JSON object that is empty at first, to change in place. It must not be touched after the call.
	 */
	// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the shape of the state that it keeps
	call<State extends object = SessionState, Reply = unknown>(
		request: CallRequest,
		run: (state: State, context: CallContext) => Reply | Promise<Reply>,
	): Promise<Reply>;
	/** The state of the latest checkpoint; `undefined`: there is none. */
	read(): Promise<StoredState | undefined>;
	/** The latest checkpoints, newest first, of which the store keeps a few. */
	checkpoints(): Promise<readonly CheckpointSummary[]>;
	/** The state of one of them. */
	stateAt(seq: number): Promise<StoredState>;
	/** Gives up its memory, when no call is running; the next call reads it from disk. */
	evict(): Promise<void>;
}

/** What JSON can say, nothing else. */
// oxlint-disable-next-line typescript/no-explicit-any -- a state is its owner's business: whoever calls knows its shape
export type SessionState = Record<string, any>;

export interface CallRequest {
	/** The tool use id, where there is one. A second call with the same key gets the first reply. `undefined`: a repeated call runs again. */
	readonly key: string | undefined;
	readonly tool: string;
	/** JSON. */
	readonly args: unknown;
	/** How long the call may take once it has its turn. */
	readonly deadlineMs?: number;
}

export interface CallContext {
	readonly sessionId: string;
	/** Of the checkpoint that the call started from. */
	readonly seq: number;
	/** Aborted when the call has lost its turn: at its deadline, or with its owner. */
	readonly signal: AbortSignal;
}

export interface StoredState {
	readonly seq: number;
	readonly state: SessionState;
}

export interface SessionSummary {
	readonly id: string;
	readonly seq: number;
	readonly generation: number;
	/** ISO 8601. */
	readonly checkpointedAt: string;
	readonly bytes: number;
	readonly residence: 'memory' | 'disk';
	readonly isDamaged: boolean;
	/** Calls that run or wait. */
	readonly inFlight: number;
}

export interface CheckpointSummary {
	readonly seq: number;
	readonly generation: number;
	/** ISO 8601. */
	readonly at: string;
	readonly key: string | undefined;
	readonly tool: string;
	/** Of the state, as JSON in UTF-8. */
	readonly bytes: number;
	/** Of older ones only what a repeated call needs is kept. */
	readonly hasState: boolean;
}

export interface CheckpointMade {
	readonly sessionId: string;
	readonly seq: number;
	readonly generation: number;
	readonly tool: string;
	readonly key: string | undefined;
	readonly bytes: number;
	/** From the end of the call's own work. */
	readonly durationMs: number;
}

export interface SessionEvicted {
	readonly sessionId: string;
	readonly seq: number;
	/** `failed`: the call or its checkpoint failed, so memory was not worth keeping. */
	readonly reason: 'idle' | 'memory' | 'always' | 'asked' | 'failed' | 'deadline' | 'fenced' | 'closing';
}

export interface SessionRehydrated {
	readonly sessionId: string;
	readonly seq: number;
	/** Of the owner that made the checkpoint. */
	readonly generation: number;
	readonly bytes: number;
	readonly durationMs: number;
}

export interface TakenOver {
	readonly generation: number;
	/** Whether the new owner is this process. */
	readonly isOurs: boolean;
}

export interface DamageFound {
	readonly sessionId: string;
	/** A sentence. */
	readonly reason: string;
}

/** When memory is given up: after every call, never, or after so many milliseconds without one. */
export type EvictionPolicy = 'always' | 'never' | { readonly idleMs: number };

export interface StoreLimits {
	readonly eviction: EvictionPolicy;
	/** Of a call, once it has its turn. */
	readonly deadlineMs: number;
	/** Calls that wait for one session. */
	readonly queueLength: number;
	/** Replies that are kept for repeated calls, for each session: at most so many, and none that is older. */
	readonly keptCalls: number;
	readonly keptCallsMs: number;
	/** Of the latest checkpoints the state is kept too. */
	readonly keptStates: number;
	/** Of a state or a reply, as JSON in UTF-8. */
	readonly stateBytes: number;
	/** Of the states in memory together, roughly. Above it the session that was not used for longest gives up its memory. */
	readonly memoryBytes: number;
}
