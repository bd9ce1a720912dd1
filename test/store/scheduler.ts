// Decides who goes on next, and what time it is: the same seed gives the same run. Everything that runs under it waits for nothing but
// `pause`, its clocks and promises that follow from those.

import type { Disposable } from '../../src/core/base/lifecycle.ts';
import type { StoreClock } from '../../src/core/store/storePlatform.ts';

/** Numbers that follow from the seed, below 1. */
export function createRandom(seed: number): () => number {
	let state = seed;
	// mulberry32
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** What is stopped, woken and killed as one. */
export class Process {
	isStopped = false;
	isKilled = false;
	/** Of the wall clock, against the others'. */
	clockOffsetMs = 0;
}

interface Waiting {
	readonly process: Process;
	/** Not before. */
	readonly at: number;
	readonly goOn: () => void;
}

export class Scheduler {
	readonly random: () => number;
	steps = 0;
	private elapsedMs = 0;
	private waiting: Waiting[] = [];

	constructor(seed: number) {
		this.random = createRandom(seed);
	}

	/** Waits until it is this one's turn, which may be after any of the others. */
	pause(process: Process): Promise<void> {
		return new Promise((resolve) => this.waiting.push({ process, at: this.elapsedMs, goOn: resolve }));
	}

	sleep(process: Process, milliseconds: number): Promise<void> {
		return new Promise((resolve) => this.clockOf(process).after(milliseconds, resolve));
	}

	clockOf(process: Process): StoreClock {
		return {
			now: () => Date.UTC(2026, 0, 1) + this.elapsedMs + process.clockOffsetMs,
			elapsed: () => this.elapsedMs,
			after: (milliseconds, callback): Disposable => {
				const waiting = { process, at: this.elapsedMs + milliseconds, goOn: callback };
				this.waiting.push(waiting);
				return { dispose: () => this.remove(waiting) };
			},
		};
	}

	/**
	 * Goes on until it is done.
	 * @param beforeStep May kill, stop and wake, and then says so.
	 * @throws If nobody can go on, or too many steps were taken: somebody waits for ever.
	 */
	async run(isDone: () => boolean, beforeStep: (step: number) => boolean): Promise<void> {
		for (;;) {
			await settled();
			if (beforeStep(this.steps++)) await settled();
			if (isDone()) return;
			if (this.steps > 200_000) throw new Error('It does not end.');
			this.waiting = this.waiting.filter(({ process }) => !process.isKilled);
			let able = this.waiting.filter(({ process }) => !process.isStopped);
			// Whoever is stopped wakes some time.
			if (able.length === 0) able = this.waiting;
			if (able.length === 0) throw new Error('Nobody can go on.');
			const ready = able.filter(({ at }) => at <= this.elapsedMs);
			const later = able.filter(({ at }) => at > this.elapsedMs);
			// Now and then time passes though somebody could go on: a slow disk, a busy machine.
			const isTime = ready.length === 0 || (later.length > 0 && this.random() < 0.03);
			const next = isTime ? first(later) : this.any(ready);
			this.elapsedMs = Math.max(this.elapsedMs, next.at);
			this.remove(next);
			next.goOn();
		}
	}

	private any(waiting: readonly Waiting[]): Waiting {
		return waiting[Math.floor(this.random() * waiting.length)]!;
	}

	private remove(waiting: Waiting): void {
		const index = this.waiting.indexOf(waiting);
		if (index >= 0) this.waiting.splice(index, 1);
	}
}

function first(waiting: readonly Waiting[]): Waiting {
	return waiting.reduce((left, right) => (right.at < left.at ? right : left));
}

/** When promises have said all they have to say to each other. */
function settled(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
