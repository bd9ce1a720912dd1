import assert from 'node:assert/strict';
import type {
	CallContext,
	CallRequest,
	Session,
	SessionStore,
	StoreLimits,
} from '../../src/core/store/sessionStore.ts';
import type { SqlRow, SqlValue } from '../../src/core/store/sqlDatabase.ts';
import { StoreError } from '../../src/core/store/storeError.ts';
import type { StoreErrorCode } from '../../src/core/store/storeError.ts';

/** Where sessions are kept, as the contract's tests need it. */
export interface StoreEngine {
	/** What cannot be done with it. The tests that need it are not part of this engine's suite; all others are. */
	readonly lacks?: readonly Facility[];
	/** A place without sessions, for one test. */
	readonly create: () => Promise<StoreBed>;
}

/** The members of `StoreBed` of the same name, and `residence`: that the list of sessions knows what is in memory and what runs. */
export type Facility = 'join' | 'takeOver' | 'forceOut' | 'sql' | 'failNext' | 'residence';

export interface StoreBed {
	/** Opens it; it is not open: never was, or was closed or killed. What is not said of the limits is the engine's own affair. */
	readonly open: (limits?: Partial<StoreLimits>) => Promise<SessionStore>;
	/**
	 * Ends its owner as `kill -9` does: what is not on disk yet will not get there. What was open is of no use any more; a call that is open
	 * rejects as retryable, or never ends. Nothing happens if nothing is open.
	 */
	readonly kill: () => Promise<void>;
	/** A further caller of what is open, with its own copy of each state. Closing it closes nothing else. */
	readonly join?: () => Promise<SessionStore>;
	/** Opens it a second time, while its owner was stopped and thinks, awake again, that it is still his. Both are of use afterwards. */
	readonly takeOver?: () => Promise<SessionStore>;
	/** Gives up the memory of a session also under a call that runs. */
	readonly forceOut?: (sessionId: string) => Promise<void>;
	/** Runs a statement on the database that holds the session, beneath its owner. */
	readonly sql?: (sessionId: string, sql: string, ...parameters: SqlValue[]) => Promise<readonly SqlRow[]>;
	/**
	 * How the next transaction that writes will fail: the disk is full, it fails and nothing is written, or everything is written but that is
	 * not known. After the last, the bed is killed and opened again.
	 */
	readonly failNext?: (how: 'full' | 'io' | 'unacknowledged') => void;
	/** Closes whatever is open. */
	readonly dispose: () => Promise<void>;
}

/** What the tests of one engine have in common. */
export interface Lab {
	/** The bed of the test that runs. */
	readonly bed: StoreBed;
	readonly has: (facility: Facility) => boolean;
}

export interface Counter {
	count?: number;
}

/** The calls of most tests: adds to a counter, and replies what it is then. */
export function add(session: Session, number: number, request: Partial<CallRequest> = {}): Promise<number> {
	return session.call<Counter, number>({ key: undefined, tool: 'add', args: { number }, ...request }, (state) => {
		state.count = (state.count ?? 0) + number;
		return state.count;
	});
}

/** What the counter is, by a call. */
export function look(session: Session): Promise<number> {
	return session.call<Counter, number>({ key: undefined, tool: 'look', args: {} }, (state) => state.count ?? 0);
}

/** A call that has its turn, and ends when the test says so. */
export interface HeldCall<Reply> {
	/** It has its turn. */
	readonly begun: Promise<CallContext>;
	readonly reply: Promise<Reply>;
	letGo(): void;
}

/** Adds, and then waits. */
export function heldAdd(session: Session, number: number, request: Partial<CallRequest> = {}): HeldCall<number> {
	const begun = Promise.withResolvers<CallContext>();
	const held = Promise.withResolvers<void>();
	const reply = session.call<Counter, number>(
		{ key: undefined, tool: 'add', args: { number }, ...request },
		async (state, context) => {
			state.count = (state.count ?? 0) + number;
			begun.resolve(context);
			await held.promise;
			return state.count;
		},
	);
	// Tests that kill the owner do not wait for it.
	reply.catch(() => {});
	return { begun: begun.promise, reply, letGo: () => held.resolve() };
}

/** @returns The error, for a test that looks further. */
export async function refused(promise: Promise<unknown>, ...codes: StoreErrorCode[]): Promise<StoreError> {
	const outcome: unknown = await promise.then(
		(value) => ({ value }),
		(error: unknown) => error,
	);
	assert.ok(
		outcome instanceof StoreError,
		`It should have been refused as ${codes.join(' or ')}: ${String(outcome)}`,
	);
	assert.ok(codes.includes(outcome.code), `${outcome.code} is not ${codes.join(' or ')}: ${outcome.message}`);
	assert.match(outcome.message, /^[^\n]+\.$/u, 'It is a sentence.');
	if (outcome.sessionId !== undefined) assert.match(outcome.message, /session "/iu, 'It names the session.');
	return outcome;
}

export function sleep(milliseconds: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Events may come a little later than the call's own end, over a connection. What never comes is told by what follows. */
export async function until(isTrue: () => boolean): Promise<void> {
	for (const deadline = performance.now() + 20_000; !isTrue() && performance.now() < deadline;) await sleep(5);
}

export function need<T>(facility: T | undefined): T {
	assert.ok(facility !== undefined, 'The engine does not say that it lacks this.');
	return facility;
}
