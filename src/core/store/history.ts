import { pastCall } from './checkpoint.ts';
import type { Checkpoint, PastCall, StoredCheckpoint } from './checkpoint.ts';
import { lapSize, ringSize } from './schema.ts';

import type { StoreLimits } from './sessionStore.ts';

/** What a checkpoint takes away from those before it. */
export interface Displaced {
	/** The one that is not kept any longer. */
	readonly forgotten: PastCall | undefined;
	/** The one whose row it takes. */
	readonly replaced: PastCall | undefined;
	/** The one before, if it begins a new one. */
	readonly lap: Lap | undefined;
	readonly withoutState: readonly PastCall[];
	readonly withoutReply: readonly PastCall[];
}

/** What calls need of sixteen checkpoints is kept together. */
export interface Lap {
	/** Oldest first, and at least one. */
	readonly checkpoints: readonly [PastCall, ...PastCall[]];
	/** Up to this call the replies are not kept; 0: all are. */
	readonly letGo: number;
}

/** Texts that are kept for nobody stay until they weigh this much, so that a checkpoint is one row written, and no more, as a rule. */
const tolerableBytes = 8 * 1024 * 1024;

/** The checkpoints of a session that are stored, without their states and replies. */
export class History {
	private readonly limits: StoreLimits;
	/** Oldest first. */
	private readonly checkpoints: PastCall[];
	/** The calls that can be repeated. */
	private readonly calls = new Map<string, PastCall>();
	private readonly states: Texts;
	private readonly replies: Texts;

	/**
	 * @param now Epoch milliseconds.
	 * @param elapsed Of the same moment, by the clock that never goes back: how long a reply is kept does not depend on a clock that is set.
	 */
	constructor(kept: readonly StoredCheckpoint[], limits: StoreLimits, now: number, elapsed: number) {
		this.limits = limits;
		this.checkpoints = kept.map(({ checkpoint }) => {
			const age = Math.max(0, now - checkpoint.at);
			return pastCall(checkpoint, this.expiry(elapsed - age));
		});
		this.states = new Texts(
			({ stateBytes }) => stateBytes,
			this.checkpoints.filter((_, index) => kept[index]?.hasState),
		);
		this.replies = new Texts(
			({ replyBytes }) => replyBytes,
			this.checkpoints.filter((_, index) => kept[index]?.hasReply),
		);
		for (const [index, call] of this.checkpoints.entries()) {
			if (index >= kept.length - limits.keptCalls && kept[index]?.hasReply === true) this.remember(call);
		}
	}

	/** Of the latest one. */
	get seq(): number {
		return this.checkpoints.at(-1)?.seq ?? 0;
	}

	/** Those that are over: after each a new one begins. Oldest first. */
	laps(): readonly Lap[] {
		const laps: Lap[] = [];
		for (let next = this.seq + 1 - ((this.seq + 1) % lapSize); next > 0; next -= lapSize) {
			const lap = this.lapBefore(next);
			if (lap === undefined) break;
			laps.unshift(lap);
		}
		return laps;
	}

	/** How many bytes it takes in memory, roughly. */
	get weight(): number {
		return this.checkpoints.length * 500;
	}

	/** The call with this key, if its reply is still kept. */
	find(key: string, elapsed: number): PastCall | undefined {
		const call = this.calls.get(key);
		return call === undefined || call.expiresAt <= elapsed ? undefined : call;
	}

	/** Of all calls that can be repeated, and of some that could be once. */
	keys(): readonly string[] {
		return [...this.calls.keys()];
	}

	add(checkpoint: Checkpoint, elapsed: number): Displaced {
		const { seq } = checkpoint;
		const call = pastCall(checkpoint, this.expiry(elapsed));
		const forgotten = this.checkpoints.length < ringSize ? undefined : this.checkpoints.shift();
		if (forgotten !== undefined) this.replies.drop(forgotten.seq);
		const replaced = this.checkpoints.at(-lapSize);
		if (replaced !== undefined) this.states.drop(replaced.seq);
		const lap = seq % lapSize === 0 ? this.lapBefore(seq) : undefined;
		this.checkpoints.push(call);
		this.states.add(call);
		if (call.replyHash !== undefined) {
			this.replies.add(call);
			this.remember(call);
		}
		const { keptCalls, keptStates } = this.limits;
		this.forget(this.checkpoints.at(-keptCalls - 1));
		return {
			forgotten,
			replaced,
			lap,
			withoutState: this.states.prune(seq - keptStates),
			withoutReply: this.replies.prune(seq - keptCalls),
		};
	}

	/** @param next With which the next one begins. */
	private lapBefore(next: number): Lap | undefined {
		const [first, ...others] = this.checkpoints.filter(({ seq }) => seq < next && seq >= next - lapSize);
		if (first === undefined) return undefined;
		const checkpoints = [first, ...others] as const;
		const letGo = checkpoints.findLast(({ replyHash, seq }) => replyHash !== undefined && !this.replies.has(seq));
		return { checkpoints, letGo: letGo?.seq ?? 0 };
	}

	/** @param elapsed When the call was made. In whole milliseconds: those are no objects. */
	private expiry(elapsed: number): number {
		return Math.ceil(elapsed + this.limits.keptCallsMs);
	}

	private remember(call: PastCall): void {
		if (call.key !== undefined) this.calls.set(call.key, call);
	}

	private forget(call: PastCall | undefined): void {
		const key = call?.key;
		// A key whose time was over may have been used again.
		if (key !== undefined && this.calls.get(key) === call) this.calls.delete(key);
	}
}

/** The checkpoints of which one of the two texts is stored. */
class Texts {
	private readonly bytesOf: (call: PastCall) => number;
	/** Oldest first. */
	private readonly stored: PastCall[];
	private bytes = 0;

	constructor(bytesOf: (call: PastCall) => number, stored: readonly PastCall[]) {
		this.bytesOf = bytesOf;
		this.stored = [...stored];
		for (const call of stored) this.bytes += bytesOf(call);
	}

	/** Of one that has had it. */
	has(seq: number): boolean {
		const [oldest] = this.stored;
		return oldest !== undefined && seq >= oldest.seq;
	}

	add(call: PastCall): void {
		this.stored.push(call);
		this.bytes += this.bytesOf(call);
	}

	/** Up to this one they are not stored any longer. */
	drop(seq: number): void {
		for (let [oldest] = this.stored; oldest !== undefined && oldest.seq <= seq; [oldest] = this.stored)
			this.shift();
	}

	/** Lets go of the oldest of those up to `seq`, as long as all weigh too much. */
	prune(seq: number): readonly PastCall[] {
		const pruned: PastCall[] = [];
		for (let [oldest] = this.stored; oldest !== undefined; [oldest] = this.stored) {
			if (this.bytes <= tolerableBytes || oldest.seq > seq || pruned.length === mostPruned) break;
			this.shift();
			pruned.push(oldest);
		}
		return pruned;
	}

	private shift(): void {
		const oldest = this.stored.shift();
		if (oldest !== undefined) this.bytes -= this.bytesOf(oldest);
	}
}

/** With one checkpoint: each is a row to write, for which its call waits. */
const mostPruned = 4;
