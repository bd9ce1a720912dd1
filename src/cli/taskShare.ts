// Who works on which task, where several threads take from one row of them: no two get the same one, and nobody has to ask another thread,
// which may be busy.

/** Places of numbers in the memory that the threads share. */
const claimed = 0;
const fromFront = 1;
const fromBack = 2;

export class TaskShare {
	/** Can be sent to other threads. */
	readonly memory: SharedArrayBuffer;
	private readonly numbers: Int32Array;
	private readonly count: number;

	/** @param count Of tasks. @param memory Of the share that another thread has made. */
	constructor(count: number, memory = new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT)) {
		this.count = count;
		this.memory = memory;
		this.numbers = new Int32Array(memory);
	}

	/** The place of a task in the row, from its front or from its back; `undefined`: all are taken. */
	next(end: 'front' | 'back'): number | undefined {
		// Whoever has claimed one finds one, from whichever end: the two ends do not meet before all are claimed.
		if (Atomics.add(this.numbers, claimed, 1) >= this.count) return undefined;
		return end === 'front'
			? Atomics.add(this.numbers, fromFront, 1)
			: this.count - 1 - Atomics.add(this.numbers, fromBack, 1);
	}
}
