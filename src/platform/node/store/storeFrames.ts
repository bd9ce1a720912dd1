// What processes say to the owner of a session store, as frames. A state travels as the text that it is: inside of JSON-RPC it would be
// quoted once more, which costs more than all the rest of a call.

export interface Frame {
	readonly kind: FrameKind;
	/** Of a request, and of its answer. 0: there is none. */
	readonly id: number;
	/** Of a request or a notice. */
	readonly name: string;
	/** Long texts among its members are sent as they are. */
	readonly value: unknown;
}

export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

export const frameKinds = {
	request: 1,
	answer: 2,
	/** The value says why. */
	failure: 3,
	notice: 4,
	/** Whoever gets it sends `alive` at once. */
	isAlive: 5,
	alive: 6,
} as const;

/** No frame of JSON-RPC begins like this. */
export const preamble = Buffer.from('\0crosstalk-store/1\n', 'latin1');

/** In bytes, far more than a state may have. */
const longestFrame = 256 * 1024 * 1024;

/** From this length on a text is sent as it is. */
const longText = 256;

/** The length of the rest, the kind, the id, the length of the head. */
const prefixBytes = 4 + 1 + 4 + 4;

/** Name, value, and of each text that follows the member that it is and its length in bytes. */
type Head = readonly [name: string, value: unknown, texts: readonly (readonly [member: string, bytes: number])[]];

export class FrameTooLongError extends Error {
	override readonly name = 'FrameTooLongError';
}

/** More is not kept for the next frames. */
const mostKept = 256 * 1024;

/**
 * Frames one after the other, written into memory that is used again. New memory for each would be given back only when all garbage is
 * collected: V8 counts it as old from the beginning, and eight megabytes of it let it look through everything.
 */
export class FrameWriter {
	private memory: Buffer = Buffer.alloc(0);
	/** In bytes, of all that has been added and not been taken. */
	length = 0;

	/** Throws `FrameTooLongError`, and then has added nothing. */
	add({ kind, id, name, value }: Frame): void {
		const texts: string[] = [];
		const lengths: [string, number][] = [];
		const head = JSON.stringify([name, withoutTexts(value, texts, lengths), lengths] satisfies Head);
		const headBytes = Buffer.byteLength(head);
		const total = lengths.reduce((sum, [, bytes]) => sum + bytes, prefixBytes + headBytes);
		if (total > longestFrame) throw new FrameTooLongError(`A message of ${total} bytes is longer than any may be.`);
		const from = this.length;
		const memory = this.withRoomFor(total);
		memory.writeUInt32LE(total - 4, from);
		memory.writeUInt8(kind, from + 4);
		memory.writeUInt32LE(id, from + 5);
		memory.writeUInt32LE(headBytes, from + 9);
		let position = from + prefixBytes;
		position += memory.write(head, position);
		for (const text of texts) position += memory.write(text, position);
		this.length = position;
	}

	/**
	 * Gives all that has been added to `send`, which says whether it is done with it; otherwise the memory is its own from now on.
	 */
	take(send: (bytes: Buffer) => boolean): void {
		const { memory, length } = this;
		this.length = 0;
		const isDone = send(memory.subarray(0, length));
		if (!isDone || memory.length > mostKept) this.memory = Buffer.alloc(0);
	}

	private withRoomFor(bytes: number): Buffer {
		const needed = this.length + bytes;
		if (needed <= this.memory.length) return this.memory;
		// Not from the pool, which others write to as well; and by so much more that all that is said in one turn is copied few times.
		const memory = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.memory.length, 4096));
		this.memory.copy(memory, 0, 0, this.length);
		return (this.memory = memory);
	}
}

function withoutTexts(value: unknown, texts: string[], lengths: [string, number][]): unknown {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
	const members = value as Readonly<Record<string, unknown>>; // it is an object
	let rest: Record<string, unknown> | undefined;
	for (const member of Object.keys(members)) {
		const text = members[member];
		if (typeof text !== 'string' || text.length < longText) continue;
		texts.push(text);
		lengths.push([member, Buffer.byteLength(text)]);
		rest ??= { ...members };
		// Not written as JSON, and quicker than to delete it.
		rest[member] = undefined;
	}
	return rest ?? value;
}

/** Puts together what the socket brings in pieces. */
export class FrameReader {
	private readonly onFrame: (frame: Frame) => void;
	/** The frame that has begun, as soon as its length is known. */
	private frame: Buffer | undefined;
	private readonly length = Buffer.alloc(4);
	private filled = 0;

	constructor(onFrame: (frame: Frame) => void) {
		this.onFrame = onFrame;
	}

	/** Throws when this is no frame. The chunk is worth nothing afterwards. */
	push(chunk: Buffer): void {
		this.read(chunk);
		release(chunk);
	}

	private read(chunk: Buffer): void {
		let position = 0;
		while (position < chunk.length) {
			if (this.frame === undefined) {
				// Most frames come as a whole, and need not be copied.
				if (this.filled === 0 && chunk.length - position >= 4) {
					const end = position + 4 + checkedLength(chunk.readUInt32LE(position));
					if (end <= chunk.length) {
						this.onFrame(decodeFrame(chunk.subarray(position + 4, end)));
						position = end;
						continue;
					}
				}
				const taken = chunk.copy(this.length, this.filled, position);
				position += taken;
				this.filled += taken;
				if (this.filled < 4) return;
				this.frame = Buffer.allocUnsafe(checkedLength(this.length.readUInt32LE(0)));
				this.filled = 0;
			}
			const taken = chunk.copy(this.frame, this.filled, position);
			position += taken;
			this.filled += taken;
			if (this.filled < this.frame.length) return;
			const whole = this.frame;
			this.frame = undefined;
			this.filled = 0;
			this.onFrame(decodeFrame(whole));
			release(whole);
		}
	}
}

/** Below it memory is not worth giving back by itself. */
const worthReleasing = 4096;

/** Gives memory back that nobody reads any more, for the reason that `FrameWriter` has not to ask for it. */
function release(bytes: Buffer): void {
	const { buffer } = bytes;
	// What is a part of something larger is others' too.
	if (bytes.length < worthReleasing || bytes.length !== buffer.byteLength) return;
	if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

function checkedLength(length: number): number {
	if (length > longestFrame || length < prefixBytes - 4) throw new Error(`A frame of ${length} bytes is none.`);
	return length;
}

function decodeFrame(frame: Buffer): Frame {
	const kind = frame.readUInt8(0);
	const id = frame.readUInt32LE(1);
	const headEnd = 9 + frame.readUInt32LE(5);
	// What is sent is made by `encodeFrame`, and whoever takes it looks at the members.
	const [name, value, lengths] = JSON.parse(frame.toString('utf8', 9, headEnd)) as Head;
	let position = headEnd;
	for (const [member, bytes] of lengths) {
		(value as Record<string, unknown>)[member] = frame.toString('utf8', position, position + bytes);
		position += bytes;
	}
	return { kind: kind as FrameKind, id, name, value };
}
