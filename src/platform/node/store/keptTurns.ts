// A client that goes on with a session keeps its turn from one call to the next, and need not ask for it: a call then is one way to the owner
// and back instead of two. What the owner promises holds all the same. It decides whose turn it is; a turn that somebody else wants is given
// back at once unless it is in use; and a call whose key may be known is asked for.

import { Emitter } from '../../../core/base/emitter.ts';
import { SmallMap } from '../../../core/base/smallMap.ts';
import type { StoreEvent } from '../../../core/store/createTurns.ts';
import { StoreError } from '../../../core/store/storeError.ts';
import { checkRequest } from '../../../core/store/turnRequest.ts';
import type { KeptTurn, Turn, TurnCommitted, TurnEnd, TurnRequest, TurnStart } from '../../../core/store/turns.ts';
import type { RemoteTurns } from './channelTurns.ts';

/** Between the end of a call and the next one: whoever takes longer may as well ask. */
const soonMs = 20;

/** A turn that is kept for longer is given back, so that an owner's sessions become idle as if none had been. */
const keptMs = 50;

/** Sessions and keys that are remembered; beyond that it begins anew. */
const mostRemembered = 1_000;

/** Whoever owns the store has given a turn that was kept to somebody else. If it is the owner no more, it says so when it is asked again. */
export class KeptTurnLostError extends StoreError {
	constructor(cause: StoreError) {
		super('fenced', cause.message, cause.sessionId, { cause });
	}
}

interface Run {
	readonly request: TurnRequest;
	readonly seq: number;
	/** Of the turn that was kept, if it is one. */
	readonly keys: Set<string> | undefined;
	isCommitting: boolean;
}

interface Kept {
	readonly turnId: string;
	readonly seq: number;
	readonly stateId: string;
	readonly deadlineMs: number;
	readonly keys: Set<string>;
	/** By `performance.now()`. */
	readonly since: number;
}

export interface KeepingTurns extends RemoteTurns {
	/** The turn of a call that need not ask for it. */
	beginKept(request: TurnRequest): Turn | undefined;
}

export function keepTurns(turns: RemoteTurns, onError: (error: unknown) => void): KeepingTurns {
	const happened = new Emitter<StoreEvent>(onError);
	/** By their sessions: the turns that nobody uses. */
	const idle = new SmallMap<string, Kept>();
	const runs = new SmallMap<string, Run>();
	/** By their sessions: the calls that were made last. */
	const latest = new Map<string, { readonly seq: number; readonly at: number }>();
	/** Turns that are wanted and not known yet. */
	const wanted = new Set<string>();
	let looking: NodeJS.Timeout | undefined;

	turns.onDidHappen((event) => {
		if (event.kind === 'turn-wanted') want(event.turnId);
		else if (event.kind !== 'turn-ended' || !forget(event.turnId)) happened.fire(event);
	});

	return {
		...turns,
		onDidHappen: happened.event,
		beginKept(request): Turn | undefined {
			const kept = take(request.sessionId);
			if (kept === undefined) return undefined;
			const { turnId, seq, stateId, deadlineMs, keys } = kept;
			const isNew = request.key === undefined || !keys.has(request.key);
			if (!isNew || request.heldState !== stateId || !isInOrder(request)) {
				giveBack(turnId);
				return undefined;
			}
			runs.set(turnId, { request, seq, keys, isCommitting: false });
			const ownDeadlineMs = Math.min(request.deadlineMs ?? deadlineMs, longestTimer);
			return { kind: 'turn', turnId, seq, stateId, state: undefined, deadlineMs: ownDeadlineMs };
		},
		async begin(request): Promise<TurnStart> {
			const kept = this.beginKept(request);
			if (kept !== undefined) return kept;
			const start = await turns.begin(request);
			if (start.kind === 'turn')
				runs.set(start.turnId, { request, seq: start.seq, keys: undefined, isCommitting: false });
			return start;
		},
		async commit(end): Promise<TurnCommitted> {
			const run = runs.get(end.turnId);
			if (run === undefined) return turns.commit(end);
			run.isCommitting = true;
			try {
				const { seq, stateId, next } = await turns.commit(withRun(end, run));
				if (next !== undefined) keep(run, next, seq, stateId);
				note(run.request.sessionId, seq);
				return { seq, stateId };
			} catch (error) {
				throw run.keys !== undefined && isFenced(error) ? new KeptTurnLostError(error) : error;
			} finally {
				runs.delete(end.turnId);
			}
		},
		async abort(turnId) {
			const run = runs.get(turnId);
			runs.delete(turnId);
			// It fails as any other does.
			if (run?.keys !== undefined) void turns.use(turnId, run.request).catch(() => undefined);
			return turns.abort(turnId);
		},
		async evict(sessionId, isForced) {
			const kept = take(sessionId);
			if (kept !== undefined) giveBack(kept.turnId);
			return turns.evict(sessionId, isForced);
		},
		async close() {
			clearTimeout(looking);
			return turns.close();
		},
	} satisfies KeepingTurns;

	function withRun({ turnId, state, reply }: TurnEnd, { request, seq, keys }: Run): TurnEnd {
		const { sessionId } = request;
		const before = latest.get(sessionId);
		const goesOn =
			keys !== undefined ||
			(before?.seq === seq && performance.now() - before.at < soonMs && !idle.has(sessionId));
		const keep = goesOn ? { knowsKeys: keys !== undefined && keys.size < mostRemembered } : undefined;
		return { turnId, state, reply, keep, request: keys === undefined ? undefined : request };
	}

	function keep({ request, keys }: Run, next: KeptTurn, seq: number, stateId: string): void {
		const known = next.keys === undefined ? (keys ?? new Set()) : new Set(next.keys);
		if (request.key !== undefined) known.add(request.key);
		const { turnId, deadlineMs } = next;
		if (wanted.delete(turnId)) giveBack(turnId);
		else {
			idle.set(request.sessionId, { turnId, seq, stateId, deadlineMs, keys: known, since: performance.now() });
			looking ??= setTimeout(look, keptMs).unref();
		}
	}

	function note(sessionId: string, seq: number): void {
		if (latest.size >= mostRemembered) latest.clear();
		latest.set(sessionId, { seq, at: performance.now() });
	}

	function take(sessionId: string): Kept | undefined {
		const kept = idle.get(sessionId);
		idle.delete(sessionId);
		return kept;
	}

	function want(turnId: string): void {
		const run = runs.get(turnId);
		if (run !== undefined) {
			if (!run.isCommitting) void turns.use(turnId, run.request).catch(() => undefined);
		} else if (forget(turnId)) giveBack(turnId);
		else {
			// Its commit has not been answered yet, or it was given back a moment ago.
			if (wanted.size >= mostRemembered) wanted.clear();
			wanted.add(turnId);
		}
	}

	/** Gives whether it was idle. */
	function forget(turnId: string): boolean {
		for (const [sessionId, kept] of idle.entries()) if (kept.turnId === turnId) return idle.delete(sessionId);
		return false;
	}

	function giveBack(turnId: string): void {
		// Where it cannot be said, the owner or the way to it has ended, and the turn too.
		void turns.abort(turnId).catch(() => undefined);
	}

	/** A timer that is too early asks again: a call then costs none. */
	function look(): void {
		const until = performance.now() - keptMs;
		for (const [sessionId, { turnId, since }] of idle.entries()) {
			if (since > until) continue;
			idle.delete(sessionId);
			giveBack(turnId);
		}
		looking = idle.size === 0 ? undefined : setTimeout(look, keptMs).unref();
	}
}

function isFenced(error: unknown): error is StoreError {
	return error instanceof StoreError && error.code === 'fenced';
}

/** What is in order is not refused later, when the call has run. */
function isInOrder(request: TurnRequest): boolean {
	try {
		checkRequest(request);
		return true;
	} catch {
		// The owner says what is wrong.
		return false;
	}
}

/** A timer that is set for longer goes off at once. */
const longestTimer = 2 ** 31 - 1;
