import type { Event } from '../base/emitter.ts';
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
import type { StoreErrorCode } from './storeError.ts';
import type { StorePlatform } from './storePlatform.ts';
import type { Turns } from './turns.ts';

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
	| { readonly kind: 'turn-ended'; readonly turnId: string; readonly error: StoreErrorRecord };

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
export async function createTurns(_platform: StorePlatform, _limits: StoreLimits): Promise<StoreTurns> {
	throw new Error('Not there yet.');
}
