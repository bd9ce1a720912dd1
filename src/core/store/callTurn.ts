import type { Disposable } from '../base/lifecycle.ts';
import type { CallContext } from './sessionStore.ts';
import { quoted } from './storable.ts';
import { StoreError } from './storeError.ts';
import type { StoreClock } from './storePlatform.ts';
import type { Turn } from './turns.ts';

/** A call that has its turn, on the caller's side, until its work is done. */
export class CallTurn implements CallContext {
	readonly sessionId: string;
	readonly seq: number;
	/** Most calls never ask for it. */
	private controller: AbortController | undefined;
	private failure: StoreError | undefined;
	private rejectLost: ((error: StoreError) => void) | undefined;
	private timer: Disposable | undefined;

	constructor(sessionId: string, turn: Turn) {
		this.sessionId = sessionId;
		this.seq = turn.seq;
	}

	get signal(): AbortSignal {
		this.controller ??= new AbortController();
		if (this.failure !== undefined) this.controller.abort(this.failure);
		return this.controller.signal;
	}

	/** Never resolves; rejects when the turn is lost. */
	async lost(clock: StoreClock, deadlineMs: number): Promise<never> {
		// The other half ends the turn at the same time, but may be too far away to say so.
		this.timer = clock.after(deadlineMs, () => this.lose(deadlineExceeded(this.sessionId, deadlineMs)));
		return new Promise<never>((_, reject) => (this.rejectLost = reject));
	}

	lose(failure: StoreError): void {
		if (this.failure !== undefined) return;
		this.failure = failure;
		this.timer?.dispose();
		this.controller?.abort(failure);
		this.rejectLost?.(failure);
	}

	/** Its work is done: from now on only the commit decides. */
	end(): void {
		this.timer?.dispose();
	}
}

export function deadlineExceeded(sessionId: string, deadlineMs: number): StoreError {
	const id = quoted(sessionId);
	return new StoreError(
		'deadline-exceeded',
		`The call of session ${id} took longer than the ${deadlineMs} ms it had.`,
		sessionId,
	);
}
