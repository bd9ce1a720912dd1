import { JsonScanner, MemberTable, OPEN_BRACE } from '../../../core/base/jsonScanner.ts';

/** How long one message may be. A longer one is not kept. */
export const MESSAGE_LIMIT = 64 * 1024 * 1024;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
/** What is kept of the beginning and of the end of a line that is too long. */
const KEPT_OF_OVERSIZED = 4096;
const FIRST_ROOM = 16 * 1024;
const NOTHING = Buffer.alloc(0);

export interface LineSink {
	/** One line without its line end. The bytes belong to the receiver. */
	onLine(line: Buffer, isTerminated: boolean): void;
	onOversizedLine(line: OversizedLine): void;
}

/** A line that was longer than the limit: where it begins and ends, at most 4 KB each. */
export interface OversizedLine {
	readonly head: Buffer;
	readonly tail: Buffer;
	readonly length: number;
}

/**
 * Cuts what comes through a pipe into lines. Unlike the `LineSplitter` for files it takes the chunks as the stream gives them, gives
 * lines away for good, and lets the memory of a long line go when that line has ended or has passed the limit.
 */
export class MessageLines {
	private readonly sink: LineSink;
	private readonly limit: number;
	/** The unfinished line is `room[0, filled)`. */
	private room = NOTHING;
	private filled = 0;
	private oversized: { readonly head: Buffer; tail: Buffer; length: number } | undefined;

	constructor(sink: LineSink, limit = MESSAGE_LIMIT) {
		this.sink = sink;
		this.limit = limit;
	}

	push(chunk: Buffer): void {
		let start = 0;
		for (;;) {
			const newline = chunk.indexOf(NEWLINE, start);
			if (newline === -1) break;
			const length = newline - start;
			if (this.filled === 0 && this.oversized === undefined && length <= this.limit) {
				const line = chunk.subarray(start, newline);
				// A short line would keep the whole chunk in memory for as long as somebody holds the line.
				this.sink.onLine(length * 4 < chunk.length ? Buffer.from(line) : line, true);
			} else {
				this.keep(chunk, start, newline);
				this.endLine(true);
			}
			start = newline + 1;
		}
		if (start < chunk.length) this.keep(chunk, start, chunk.length);
	}

	/** The stream has ended: what follows its last line end is a line too. */
	finish(): void {
		if (this.filled > 0 || this.oversized !== undefined) this.endLine(false);
	}

	private keep(chunk: Buffer, start: number, end: number): void {
		const { filled, oversized } = this;
		const length = filled + end - start;
		if (oversized !== undefined) {
			oversized.tail = lastOf(oversized.tail, chunk.subarray(start, end));
			oversized.length += end - start;
		} else if (length > this.limit) {
			const line = this.room.subarray(0, filled);
			const piece = chunk.subarray(start, end);
			this.oversized = { head: firstOf(line, piece), tail: lastOf(line, piece), length };
			this.forget();
		} else {
			this.grow(length);
			chunk.copy(this.room, filled, start, end);
			this.filled = length;
		}
	}

	private grow(length: number): void {
		if (length <= this.room.length) return;
		const room = Buffer.allocUnsafeSlow(Math.max(FIRST_ROOM, length, this.room.length * 2));
		this.room.copy(room, 0, 0, this.filled);
		this.room = room;
	}

	private endLine(isTerminated: boolean): void {
		const { oversized, room, filled } = this;
		if (oversized !== undefined) {
			this.oversized = undefined;
			this.sink.onOversizedLine(oversized);
			return;
		}
		const line = room.subarray(0, filled);
		if (room.length > FIRST_ROOM) {
			// The receiver takes the memory over where little of it is wasted.
			this.forget();
			this.sink.onLine(filled * 2 < room.length ? Buffer.from(line) : line, isTerminated);
		} else {
			this.filled = 0;
			this.sink.onLine(Buffer.from(line), isTerminated);
		}
	}

	private forget(): void {
		this.room = NOTHING;
		this.filled = 0;
	}
}

function firstOf(line: Buffer, more: Buffer): Buffer {
	const first = Buffer.concat([line.subarray(0, KEPT_OF_OVERSIZED), more.subarray(0, KEPT_OF_OVERSIZED)]);
	return Buffer.from(first.subarray(0, KEPT_OF_OVERSIZED));
}

function lastOf(line: Buffer, more: Buffer): Buffer {
	if (more.length >= KEPT_OF_OVERSIZED) return Buffer.from(more.subarray(-KEPT_OF_OVERSIZED));
	return Buffer.concat([line.subarray(-KEPT_OF_OVERSIZED), more]).subarray(-KEPT_OF_OVERSIZED);
}

/** The line without white space and a byte order mark around it, when it can be a JSON object; otherwise nothing. */
export function objectIn(line: Buffer): Buffer | undefined {
	let start = 0;
	let end = line.length;
	if (end > 0 && line[end - 1] === CARRIAGE_RETURN) end--;
	if (line[0] !== OPEN_BRACE) {
		if (line.subarray(0, 3).equals(BYTE_ORDER_MARK)) start = 3;
		while (start < end && isSpace(line[start])) start++;
		if (line[start] !== OPEN_BRACE) return undefined;
	}
	return start === 0 && end === line.length ? line : line.subarray(start, end);
}

export function isBlank(line: Buffer): boolean {
	return line.every(isSpace);
}

function isSpace(byte: number | undefined): boolean {
	return byte === 0x20 || byte === 0x09 || byte === CARRIAGE_RETURN || byte === NEWLINE;
}

interface Answer {
	id: number | undefined;
	isAnswer: boolean;
}

const scanner = new JsonScanner();
const answerMembers = new MemberTable<Answer>({
	id: (scan, answer) => {
		const isNumber = scan.peek() !== 0x22;
		const id = scan.readNumber();
		// A number that the bytes end in may go on.
		if (isNumber && Number.isSafeInteger(id) && id >= 0 && scan.position < scan.end) answer.id = id;
	},
	result: (scan, answer) => {
		answer.isAnswer = true;
		scan.skipValue();
	},
	error: (scan, answer) => {
		answer.isAnswer = true;
		scan.skipValue();
	},
});

/** The id of the request that a message answers; nothing when it is no answer, or not to one of our requests, whose ids are numbers. */
export function answeredId(message: Uint8Array): number | undefined {
	const answer = read(message);
	return answer.isAnswer ? answer.id : undefined;
}

/** As `answeredId`, for a message of which only the beginning and the end are there. */
export function answeredIdOfOversized({ head, tail }: OversizedLine): number | undefined {
	const answer = read(head);
	if (!answer.isAnswer || answer.id !== undefined) return answer.isAnswer ? answer.id : undefined;
	// `id` comes after the long `result`.
	const id = idAtEnd.exec(tail.toString('latin1'))?.[1];
	return id === undefined ? undefined : Number(id);
}

function read(bytes: Uint8Array): Answer {
	const answer: Answer = { id: undefined, isAnswer: false };
	scanner.reset(bytes, 0, bytes.length);
	scanner.readObject(answerMembers, answer);
	return answer;
}

const idAtEnd = /"id"\s*:\s*(\d{1,15})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/;

/** "104 MB". */
export function megabytes(length: number): string {
	return `${Math.round(length / 1024 / 1024)} MB`;
}

/** A finished sentence. */
export function tooLong(length: number): string {
	return `The server sent a message of ${megabytes(length)}; the limit is ${megabytes(MESSAGE_LIMIT)}.`;
}
