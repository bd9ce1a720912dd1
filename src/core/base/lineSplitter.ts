const NEWLINE = 0x0a;

/** Where a line stands in its file or stream. */
export interface LinePosition {
	/** 1-based. */
	readonly line: number;
	/** Bytes before the line. */
	readonly offset: number;
}

/** Called with `bytes[start, end)`, one line without its line end; `isTerminated` is false for what follows the last line end. */
export type LineConsumer = (
	bytes: Uint8Array,
	start: number,
	end: number,
	position: LinePosition,
	isTerminated: boolean,
) => void;

/**
 * Cuts a stream of bytes into lines without copying them: the caller reads into `room()` and says with `advance` how much came.
 * Only the unfinished last line is kept between two reads, so memory grows with the longest line, not with the file.
 */
export class LineSplitter {
	private readonly consume: LineConsumer;
	private readonly allocate: (length: number) => Uint8Array;
	private readonly maximumLength: number;
	private buffer: Uint8Array;
	/** The unfinished line is `buffer[0, filled)`. */
	private filled = 0;
	/** The line that comes next, 1-based, and its place in the file. */
	private line = 1;
	private offset = 0;
	/** Bytes of the unfinished line that were let go because it is longer than `maximumLength`. */
	private dropped = 0;

	/**
	 * @param chunkLength Bytes to ask for at a time.
	 * @param allocate Gives the memory to read into; a runtime may have a kind that it searches faster.
	 * @param maximumLength Bytes that a line may have; of a longer one only the beginning is handed on.
	 */
	constructor(
		consume: LineConsumer,
		chunkLength: number,
		allocate: (length: number) => Uint8Array,
		maximumLength = 512 * 1024 * 1024,
	) {
		this.consume = consume;
		this.maximumLength = maximumLength;
		this.allocate = allocate;
		this.buffer = allocate(chunkLength);
	}

	/** All bytes so far, the unfinished line included: where to go on reading. */
	get bytesRead(): number {
		return this.offset + this.filled + this.dropped;
	}

	/** Whole lines so far. */
	get linesRead(): number {
		return this.line - 1;
	}

	get hasUnfinishedLine(): boolean {
		return this.filled > 0;
	}

	/** Where the next bytes of the file go. Valid until the next call of any method. */
	room(): Uint8Array {
		if (this.filled === this.buffer.length) {
			if (this.filled >= this.maximumLength) {
				this.dropped += this.filled - this.maximumLength / 2;
				this.filled = this.maximumLength / 2;
			} else {
				const grown = this.allocate(Math.min(this.buffer.length * 2, this.maximumLength));
				grown.set(this.buffer);
				this.buffer = grown;
			}
		}
		return this.buffer.subarray(this.filled);
	}

	/** Takes the first `length` bytes of `room()` as read, and hands on every line that is now whole. */
	advance(length: number): void {
		const { buffer } = this;
		const end = this.filled + length;
		let start = 0;
		let searchFrom = this.filled;
		for (;;) {
			const newline = buffer.indexOf(NEWLINE, searchFrom);
			if (newline === -1 || newline >= end) break;
			this.consume(buffer, start, newline, { line: this.line, offset: this.offset }, true);
			this.line++;
			this.offset += newline - start + 1 + this.dropped;
			this.dropped = 0;
			start = searchFrom = newline + 1;
		}
		if (start > 0) buffer.copyWithin(0, start, end);
		this.filled = end - start;
	}

	/** Reads bytes that are in memory already. */
	push(bytes: Uint8Array): void {
		for (let start = 0; start < bytes.length;) {
			const room = this.room();
			const piece = bytes.subarray(start, start + room.length);
			room.set(piece);
			this.advance(piece.length);
			start += piece.length;
		}
	}

	/** Hands on what follows the last line end, if anything does, without taking it: more of that line may still come. */
	finish(): void {
		if (this.filled > 0) this.consume(this.buffer, 0, this.filled, { line: this.line, offset: this.offset }, false);
	}
}
