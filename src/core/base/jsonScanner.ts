/**
 * Walks one line of JSON without building it. Most bytes of a transcript are tool results that nobody looks at: the scanner passes
 * over them, and only what a reader asks for becomes a string.
 *
 * A scanner is a cursor. Each method begins at `position` and leaves it behind what it has read. When the bytes are not JSON,
 * `failedAt` is the place, and nothing that is read after it means anything.
 * Of what is passed over only the balance is checked, so the scanner accepts all that `JSON.parse` accepts and a little more.
 */
export class JsonScanner {
	bytes: Uint8Array = new Uint8Array(0);
	position = 0;
	end = 0;
	/** Where the bytes stopped being JSON; -1 as long as they are. */
	failedAt = -1;
	/** The content of the string that was read last, its quotes not included. */
	stringStart = 0;
	stringEnd = 0;

	reset(bytes: Uint8Array, start: number, end: number): void {
		this.bytes = bytes;
		this.position = start;
		this.end = end;
		this.failedAt = -1;
	}

	/** The first byte of the next token, or -1 at the end. */
	peek(): number {
		const { bytes, end } = this;
		let position = this.position;
		while (position < end) {
			const byte = byteAt(bytes, position);
			if (byte > SPACE || (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) {
				this.position = position;
				return byte;
			}
			position++;
		}
		this.position = position;
		return -1;
	}

	/** Whether only white space is left. */
	isAtEnd(): boolean {
		return this.peek() === -1;
	}

	/**
	 * Reads an object and calls for each member that `table` knows its reader; other members are passed over. A value that is no
	 * object is passed over too. False: not JSON.
	 */
	readObject<Target>(table: MemberTable<Target>, target: Target): boolean {
		if (this.peek() !== OPEN_BRACE) return this.skipValue();
		this.position++;
		const { bytes, end } = this;
		let byte = this.peek();
		if (byte === CLOSE_BRACE) {
			this.position++;
			return true;
		}
		for (;;) {
			if (byte !== QUOTE) return this.fail();
			const keyStart = this.position + 1;
			let position = keyStart;
			let hash = 0;
			for (; position < end; position++) {
				byte = byteAt(bytes, position);
				if (byte === QUOTE) break;
				if (byte === BACKSLASH) position++;
				hash = (Math.imul(hash, 31) + byte) | 0;
			}
			this.position = position + 1;
			if (this.peek() !== COLON) return this.fail();
			this.position++;
			const member = table.find(hash, position - keyStart);
			if (member === undefined) {
				if (!this.skipValue()) return false;
			} else if (member.take !== undefined) {
				const isString = this.peek() === QUOTE;
				if (!this.skipValue()) return false;
				if (isString) member.take(this.text(), target, this.position);
			} else {
				member.read(this, target);
				if (this.failedAt !== -1) return false;
			}
			byte = this.peek();
			if (byte === CLOSE_BRACE) {
				this.position++;
				return true;
			}
			if (byte !== COMMA) return this.fail();
			this.position++;
			byte = this.peek();
		}
	}

	/** Reads an array and calls `read` before each element; it has to read the element. A value that is no array is passed over. */
	readArray<Target>(read: MemberReader<Target>, target: Target): boolean {
		if (this.peek() !== OPEN_BRACKET) return this.skipValue();
		this.position++;
		for (let isFirst = true; ; isFirst = false) {
			const byte = this.peek();
			if (byte === CLOSE_BRACKET) {
				this.position++;
				return true;
			}
			if (!isFirst) {
				if (byte !== COMMA) return this.fail();
				this.position++;
			}
			read(this, target);
			if (this.failedAt !== -1) return false;
		}
	}

	/** Reads a string and leaves its content in [stringStart, stringEnd). A value of another kind is passed over: false. */
	readString(): boolean {
		if (this.peek() !== QUOTE) {
			this.skipValue();
			return false;
		}
		return this.passString();
	}

	/** Reads a string, or '' in place of a value of another kind. */
	readText(): string {
		return this.readString() ? this.text() : '';
	}

	/** Reads `true`; any other value is passed over and counts as `false`. */
	readBoolean(): boolean {
		const first = this.peek();
		const isTrue = first === LOWER_T;
		// Said apart from the general case, which would be compiled into every reader of a flag.
		if (isTrue || first === LOWER_F) this.skipWord();
		else this.skipValue();
		return isTrue;
	}

	/** Reads a number; -1 in place of a value of another kind. */
	readNumber(): number {
		const first = this.peek();
		const start = this.position;
		if (!this.skipValue() || first === QUOTE || first === OPEN_BRACE || first === OPEN_BRACKET) return -1;
		const value = Number(asciiOrUtf8(this.bytes, start, this.position));
		return Number.isFinite(value) ? value : -1;
	}

	/** Passes over one value and notes where it stands. */
	passValue(span: Span): void {
		this.peek();
		span.start = this.position;
		this.skipValue();
		span.end = this.position;
	}

	/** Passes over one value of any kind. False: not JSON. */
	skipValue(): boolean {
		const byte = this.peek();
		if (byte === QUOTE) return this.passString();
		if (byte === OPEN_BRACE || byte === OPEN_BRACKET) return this.skipContainer();
		return this.skipWord();
	}

	private skipWord(): boolean {
		const { bytes, end } = this;
		const start = this.position;
		let position = start;
		while (position < end && isScalarByte(byteAt(bytes, position))) position++;
		this.position = position;
		return position > start || this.fail();
	}

	private passString(): boolean {
		const start = this.position + 1;
		const end = stringEnd(this.bytes, start, this.end);
		if (end === -1) {
			this.position = this.end;
			return this.fail();
		}
		this.stringStart = start;
		this.stringEnd = end;
		this.position = end + 1;
		return true;
	}

	private skipContainer(): boolean {
		const { bytes, end } = this;
		let position = this.position;
		let depth = 0;
		while (position < end) {
			const byte = byteAt(bytes, position++);
			if (byte === QUOTE) {
				const close = stringEnd(bytes, position, end);
				if (close === -1) break;
				position = close + 1;
			} else if (byte >= OPEN_BRACKET) {
				if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
				else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) {
					this.position = position;
					return true;
				}
			}
		}
		this.position = end;
		return this.fail();
	}

	private fail(): false {
		if (this.failedAt === -1) this.failedAt = this.position;
		return false;
	}

	/** The string that was read last. */
	string(): string {
		const text = asciiOrUtf8(this.bytes, this.stringStart, this.stringEnd);
		return text.includes('\\') ? unescaped(text) : text;
	}

	/**
	 * The string that was read last, the very same one as before when it is repeated: neighbouring lines repeat most of their ids and
	 * words, and a repetition should cost neither a decoding nor memory.
	 */
	text(): string {
		const { bytes, stringStart, stringEnd: end } = this;
		const length = end - stringStart;
		if (length < 3 || length > longestRemembered) return this.string();
		// Ids that differ mostly differ at their end.
		const slot =
			(byteAt(bytes, end - 1) ^ (byteAt(bytes, end - 2) << 3) ^ (byteAt(bytes, end - 3) << 6) ^ length) &
			(rememberedTexts.length - 1);
		const remembered = rememberedTexts[slot];
		if (remembered !== undefined && this.stringEquals(remembered)) return remembered;
		const text = asciiOrUtf8(bytes, stringStart, end);
		if (text.includes('\\')) return unescaped(text);
		// Of equal length: every character is one byte, so that comparing bytes is comparing characters.
		if (text.length === length) rememberedTexts[slot] = text;
		return text;
	}

	/** Whether the string that was read last is the given ASCII text. */
	stringEquals(text: string): boolean {
		const { bytes, stringStart } = this;
		const length = text.length;
		if (this.stringEnd - stringStart !== length) return false;
		// Ids that differ mostly differ at their end, and versions too.
		for (let index = length - 1; index >= 0; index--) {
			if (bytes[stringStart + index] !== text.charCodeAt(index)) return false;
		}
		return true;
	}

	/** Whether the string that was read last begins with the given ASCII text. */
	stringStartsWith(text: string): boolean {
		const { bytes, stringStart } = this;
		if (this.stringEnd - stringStart < text.length) return false;
		for (let index = 0; index < text.length; index++) {
			if (bytes[stringStart + index] !== text.charCodeAt(index)) return false;
		}
		return true;
	}
}

/** A stretch of a line: the byte positions of a JSON value; `start` is -1 when there is none. */
export interface Span {
	start: number;
	end: number;
}

/** Reads the value at the cursor into the target, or passes over it. */
export type MemberReader<Target> = (scanner: JsonScanner, target: Target) => void;

/** Puts a text into the target; `end` is the position behind its closing quote. */
export type TextTaker<Target> = (text: string, target: Target, end: number) => void;

interface Member<Target> {
	readonly hash: number;
	readonly length: number;
	readonly read: MemberReader<Target>;
	readonly take: TextTaker<Target> | undefined;
}

/** The members of an object that a reader wants, found by the hash that the scanner computes while it passes over the key. */
export class MemberTable<Target> {
	private readonly slots: (Member<Target> | undefined)[];
	private readonly mask: number;

	/**
	 * @param values Called with the cursor before the value.
	 * @param texts Called with a string that was read already; a value of another kind is passed over. Most members are such. One place
	 * that reads all of them is compiled once; in as many as there are members it is compiled into each, at a third of a short run's time.
	 */
	constructor(
		values: Readonly<Record<string, MemberReader<Target>>>,
		texts: Readonly<Record<string, TextTaker<Target>>> = {},
	) {
		const members = [
			...Object.entries(values).map(([name, read]) => ({ name, read, take: undefined })),
			...Object.entries(texts).map(([name, take]) => ({ name, read: passOver, take })),
		];
		let size = 16;
		while (size < members.length * 4) size *= 2;
		this.mask = size - 1;
		this.slots = Array.from({ length: size }, () => undefined);
		for (const { name, read, take } of members) {
			let hash = 0;
			for (const character of name) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0;
			let slot = hash & this.mask;
			while (this.slots[slot] !== undefined) slot = (slot + 1) & this.mask;
			this.slots[slot] = { hash, length: name.length, read, take };
		}
	}

	find(hash: number, length: number): Member<Target> | undefined {
		for (let slot = hash & this.mask; ; slot = (slot + 1) & this.mask) {
			const member = this.slots[slot];
			if (member === undefined) return undefined;
			// Two keys of one length with one 32-bit hash would be mistaken for each other; no agent writes such a pair.
			if (member.hash === hash && member.length === length) return member;
		}
	}
}

function passOver(scanner: JsonScanner): void {
	scanner.skipValue();
}

/** Bytes of the longest text that is remembered: paths and ids are shorter. */
const longestRemembered = 256;
/** A text that was read lately, by its length and its last bytes. */
const rememberedTexts: string[] = Array.from({ length: 1024 }, () => '');

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** The text of UTF-8 bytes. Below a dozen bytes the loop is cheaper than calling the decoder. */
export function asciiOrUtf8(bytes: Uint8Array, start: number, end: number): string {
	if (end - start === 36) return uuidOrUtf8(bytes, start);
	if (end - start > 12) return utf8.decode(bytes.subarray(start, end));
	let text = '';
	for (let position = start; position < end; position++) {
		const byte = byteAt(bytes, position);
		if (byte >= 0x80) return utf8.decode(bytes.subarray(start, end));
		text += String.fromCharCode(byte);
	}
	return text;
}

/** Every line has a UUID or two. One call for all of its characters takes half the time of the decoder. */
function uuidOrUtf8(bytes: Uint8Array, start: number): string {
	let all = 0;
	for (let offset = 0; offset < 36; offset++) all |= byteAt(bytes, start + offset);
	if (all >= 0x80) return utf8.decode(bytes.subarray(start, start + 36));
	const at = (offset: number) => byteAt(bytes, start + offset);
	// prettier-ignore
	return String.fromCharCode(
		at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8), at(9), at(10), at(11),
		at(12), at(13), at(14), at(15), at(16), at(17), at(18), at(19), at(20), at(21), at(22), at(23),
		at(24), at(25), at(26), at(27), at(28), at(29), at(30), at(31), at(32), at(33), at(34), at(35),
	);
}

/** The number of UTF-16 units that the UTF-8 bytes [start, end) decode to. */
export function utf16Length(bytes: Uint8Array, start: number, end: number): number {
	let units = end - start;
	let ascii = start;
	// Most are ASCII all through; looking at eight at a time takes half the time.
	for (; ascii + 8 <= end; ascii += 8) {
		const all =
			byteAt(bytes, ascii) |
			byteAt(bytes, ascii + 1) |
			byteAt(bytes, ascii + 2) |
			byteAt(bytes, ascii + 3) |
			byteAt(bytes, ascii + 4) |
			byteAt(bytes, ascii + 5) |
			byteAt(bytes, ascii + 6) |
			byteAt(bytes, ascii + 7);
		if (all >= 0x80) break;
	}
	for (let position = ascii; position < end; position++) {
		const byte = byteAt(bytes, position);
		// Most are ASCII. Of the others continuation bytes add nothing; a four-byte sequence is a surrogate pair.
		if (byte >= 0x80) units += byte < 0xc0 ? -1 : byte >= 0xf0 ? 1 : 0;
	}
	return units;
}

/** Where the string whose content starts at `position` has its closing quote; -1 when it has none before `end`. */
function stringEnd(bytes: Uint8Array, position: number, end: number): number {
	// Most strings are short; calling out for them would cost more than looking.
	const near = position + 40 < end ? position + 40 : end;
	while (position < near) {
		const byte = byteAt(bytes, position);
		if (byte === QUOTE) return position;
		if (byte === BACKSLASH) position += 2;
		else position++;
	}
	// The typed array's own search runs in native code.
	for (;;) {
		const quote = bytes.indexOf(QUOTE, position);
		if (quote === -1 || quote >= end) return -1;
		let backslashes = 0;
		while (quote - 1 - backslashes >= position && bytes[quote - 1 - backslashes] === BACKSLASH) backslashes++;
		if (backslashes % 2 === 0) return quote;
		position = quote + 1;
	}
}

function unescaped(literal: string): string {
	try {
		// JSON.parse gives `any`; what stands between two quotes can only be a string.
		return JSON.parse(`"${literal}"`) as string;
	} catch {
		// An escape that JSON does not know: show what is written.
		return literal;
	}
}

function byteAt(bytes: Uint8Array, position: number): number {
	// Every caller has checked the bound; `noUncheckedIndexedAccess` cannot know.
	return bytes[position] as number;
}

function isScalarByte(byte: number): boolean {
	// Letters, digits, sign, point.
	return (
		(byte >= 0x30 && byte <= 0x39) ||
		(byte >= 0x61 && byte <= 0x7a) ||
		byte === 0x2d ||
		byte === 0x2b ||
		byte === 0x2e ||
		byte === 0x45
	);
}

export const QUOTE = 0x22;
export const OPEN_BRACE = 0x7b;
export const OPEN_BRACKET = 0x5b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const LOWER_T = 0x74;
const LOWER_F = 0x66;
