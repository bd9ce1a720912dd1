import { MESSAGE_LIMIT, MessageLines } from './messageLines.ts';
import type { LineSink, OversizedLine } from './messageLines.ts';

const CARRIAGE_RETURN = 0x0d;
const NEWLINE = 0x0a;
const COLON = 0x3a;
const SPACE = 0x20;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const DATA_PREFIX = /^data: ?/;
const LINE_END = Buffer.from('\n');

export interface EventStreamSink {
	/** One event that has data. */
	onEvent(type: string, data: Buffer): void;
	/** One event that was not kept because its data is too long. */
	onOversizedEvent(data: OversizedLine): void;
}

/** Reads server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
export class EventStream implements LineSink {
	/** Of the last whole event that had one: where to go on when the stream breaks. */
	lastEventId: string | undefined;
	/** How long to wait before going on, where the server has said it. */
	retryMs: number | undefined;

	private readonly sink: EventStreamSink;
	private readonly limit: number;
	private readonly lines: MessageLines;
	private isFirstLine = true;
	private endedWithCarriageReturn = false;
	private type = '';
	private data: Buffer[] = [];
	private dataLength = 0;
	private id: string | undefined;
	private oversized: OversizedLine | undefined;

	constructor(sink: EventStreamSink, limit = MESSAGE_LIMIT) {
		this.sink = sink;
		this.limit = limit;
		this.lines = new MessageLines(this, limit);
	}

	push(chunk: Buffer): void {
		this.lines.push(this.withNewlines(chunk));
	}

	/** Each of the three line ends that the format has becomes a newline. */
	private withNewlines(chunk: Buffer): Buffer {
		let start = this.endedWithCarriageReturn && chunk[0] === NEWLINE ? 1 : 0;
		if (chunk.length > 0) this.endedWithCarriageReturn = chunk.at(-1) === CARRIAGE_RETURN;
		let found = chunk.indexOf(CARRIAGE_RETURN, start);
		if (found === -1) return start === 0 ? chunk : chunk.subarray(start);
		const pieces: Buffer[] = [];
		for (; found !== -1; found = chunk.indexOf(CARRIAGE_RETURN, start)) {
			pieces.push(chunk.subarray(start, found), LINE_END);
			start = chunk[found + 1] === NEWLINE ? found + 2 : found + 1;
		}
		pieces.push(chunk.subarray(start));
		return Buffer.concat(pieces);
	}

	onLine(line: Buffer, isTerminated: boolean): void {
		// An event that was not finished by an empty line is dropped, says the format.
		if (!isTerminated) return;
		const isMarked = this.isFirstLine && line.subarray(0, 3).equals(BYTE_ORDER_MARK);
		this.isFirstLine = false;
		this.field(isMarked ? line.subarray(3) : line);
	}

	onOversizedLine(line: OversizedLine): void {
		this.isFirstLine = false;
		const prefix = DATA_PREFIX.exec(line.head.subarray(0, 8).toString('latin1'))?.[0];
		// Too long, and no data: whatever it is, no field of ours has such a value.
		if (prefix === undefined) return;
		this.oversized = { ...line, head: line.head.subarray(prefix.length), length: line.length - prefix.length };
	}

	private field(line: Buffer): void {
		if (line.length === 0) {
			this.dispatch();
			return;
		}
		const colon = line.indexOf(COLON);
		// A comment; servers send them so that nobody takes the connection for idle.
		if (colon === 0) return;
		const name = line.toString('latin1', 0, colon === -1 ? line.length : colon);
		const start = colon === -1 ? line.length : line[colon + 1] === SPACE ? colon + 2 : colon + 1;
		const value = line.subarray(start);
		if (name === 'data') this.keep(value);
		else if (name === 'event') this.type = value.toString();
		else if (name === 'id' && !value.includes(0)) this.id = value.toString();
		else if (name === 'retry' && /^\d{1,9}$/.test(value.toString('latin1')))
			this.retryMs = Number(value.toString());
	}

	private keep(value: Buffer): void {
		this.dataLength += value.length + 1;
		if (this.dataLength > this.limit && this.data.length > 0) {
			const head = this.data[0] ?? value;
			this.oversized = { head: head.subarray(0, 4096), tail: value.subarray(-4096), length: this.dataLength };
			this.data = [];
		} else if (this.oversized === undefined) {
			this.data.push(value);
		} else {
			this.oversized = { ...this.oversized, tail: value.subarray(-4096), length: this.dataLength };
		}
	}

	private dispatch(): void {
		const { type, data, oversized } = this;
		const [first] = data;
		this.type = '';
		this.data = [];
		this.dataLength = 0;
		this.oversized = undefined;
		if (this.id !== undefined) this.lastEventId = this.id === '' ? undefined : this.id;
		this.id = undefined;
		if (oversized !== undefined) this.sink.onOversizedEvent(oversized);
		else if (first !== undefined)
			this.sink.onEvent(type === '' ? 'message' : type, data.length === 1 ? first : joined(data));
	}
}

function joined(lines: readonly Buffer[]): Buffer {
	return Buffer.concat(lines.flatMap((line, index) => (index === 0 ? [line] : [LINE_END, line])));
}
