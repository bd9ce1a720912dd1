import type { BodyRef, ColumnRange } from '../events/sessionEvent.ts';
import { singleLine, truncated } from '../base/text.ts';
import { asciiOrUtf8, QUOTE, utf16Length } from '../base/jsonScanner.ts';

const previewLength = 80;

/**
 * A reference to the JSON value in `bytes[start, end)`; `fileOffset` is the place of `bytes[0]` in its file.
 * Linting needs no previews, and half of its time would go into them.
 */
export function bodyRef(
	bytes: Uint8Array,
	start: number,
	end: number,
	fileOffset: number,
	withPreview: boolean,
): BodyRef {
	return { offset: fileOffset + start, length: end - start, preview: withPreview ? preview(bytes, start, end) : '' };
}

function preview(bytes: Uint8Array, start: number, end: number): string {
	// Of a string a person wants to see the text.
	const isString = bytes[start] === QUOTE && end - start >= 2;
	const from = isString ? start + 1 : start;
	const to = isString ? end - 1 : end;
	// Room for escapes and for characters of several bytes; what the cut leaves of the last character is dropped with the rest.
	const text = asciiOrUtf8(bytes, from, Math.min(to, from + previewLength * 3));
	return truncated(singleLine(text.replaceAll(/\\[nrt]/g, ' ').replaceAll('\\"', '"')), previewLength);
}

/**
 * Epoch milliseconds of an ISO 8601 time in UTC such as `2026-11-21T08:53:38.000Z`, the form that agents write;
 * `undefined` for anything else. Reading digits is many times cheaper than the general parser, and it runs for every line.
 */
export function epochMilliseconds(bytes: Uint8Array, start: number, end: number): number | undefined {
	const length = end - start;
	if (length < 20 || bytes[end - 1] !== 0x5a || bytes[start + 4] !== 0x2d || bytes[start + 10] !== 0x54) {
		return undefined;
	}
	let milliseconds = digits(bytes, start + 17, start + 19) * 1000;
	if (length > 20) {
		if (bytes[start + 19] !== 0x2e) return undefined;
		milliseconds +=
			digits(bytes, start + 20, Math.min(end - 1, start + 23)) * (length === 22 ? 100 : length === 23 ? 10 : 1);
	}
	if (!isLastMinute(bytes, start)) {
		lastMinute.set(bytes.subarray(start, start + lastMinute.length));
		lastMinuteAt = Date.UTC(
			digits(bytes, start, start + 4),
			digits(bytes, start + 5, start + 7) - 1,
			digits(bytes, start + 8, start + 10),
			digits(bytes, start + 11, start + 13),
			digits(bytes, start + 14, start + 16),
		);
	}
	const value = lastMinuteAt + milliseconds;
	return Number.isNaN(value) ? undefined : value;
}

// Neighbouring lines are mostly of one minute, and the calendar is what costs most.
const lastMinute = new Uint8Array('2026-11-21T08:53:'.length);
let lastMinuteAt = Number.NaN;

function isLastMinute(bytes: Uint8Array, start: number): boolean {
	for (let index = lastMinute.length - 1; index >= 0; index--) {
		if (lastMinute[index] !== bytes[start + index]) return false;
	}
	return true;
}

function digits(bytes: Uint8Array, start: number, end: number): number {
	let value = 0;
	for (let position = start; position < end; position++) {
		const digit = (bytes[position] ?? 0) - 0x30;
		if (digit < 0 || digit > 9) return Number.NaN;
		value = value * 10 + digit;
	}
	return value;
}

/** A short fingerprint of the bytes, to recognise a prompt in another file. Not for security. */
export function digest(bytes: Uint8Array, start: number, end: number): string {
	// FNV-1a, twice with different seeds: 64 bits are enough to tell the prompts of one session apart.
	let first = 0x811c9dc5;
	let second = 0x1000193;
	for (let position = start; position < end; position++) {
		const byte = bytes[position] ?? 0;
		first = Math.imul(first ^ byte, 0x01000193);
		second = Math.imul(second ^ byte, 0x01000197);
	}
	return `${(first >>> 0).toString(36)}${(second >>> 0).toString(36)}${end - start}`;
}

/** The columns of `bytes[start, end)` in the line that begins at `lineStart`. */
export function columnRange(bytes: Uint8Array, lineStart: number, start: number, end: number): ColumnRange {
	const column = utf16Length(bytes, lineStart, start) + 1;
	return { column, endColumn: column + utf16Length(bytes, start, end) };
}
