import type { DamageKind } from '../events/sessionEvent.ts';
import { JsonScanner, OPEN_BRACE } from '../base/jsonScanner.ts';

export interface Damage {
	readonly kind: DamageKind;
	/** A sentence without the place. */
	readonly message: string;
	/** Where a whole record begins that the damage has left intact; -1 when there is none. */
	readonly intactFrom: number;
}

export const runIntoEachOther = 'Two records run into each other on one line, as two writers leave them;';

/** Says what is wrong with a line that is not one JSON object, and whether a whole record stands at its end. */
export function diagnoseLine(bytes: Uint8Array, start: number, end: number, failedAt: number): Damage {
	const hasNul = hasNulByte(bytes, start, end);
	// What is whole stands behind the last of them.
	const intactFrom = findIntactTail(bytes, hasNul ? bytes.lastIndexOf(0, end - 1) + 1 : start + 1, end);
	if (hasNul) {
		return {
			kind: 'nul-bytes',
			message: 'The line is filled with NUL bytes, as a crash or a full disk leaves them.',
			intactFrom,
		};
	}
	if (intactFrom !== -1) {
		return {
			kind: 'spliced-line',
			message: `${runIntoEachOther} the last one is whole and was read.`,
			intactFrom,
		};
	}
	if (failedAt >= end && bytes[start] === OPEN_BRACE) {
		return { kind: 'truncated-line', message: 'The line is cut off before its end.', intactFrom };
	}
	return {
		kind: 'invalid-line',
		message: `The line is not a JSON object (byte ${failedAt - start + 1}).`,
		intactFrom,
	};
}

export function hasNulByte(bytes: Uint8Array, start: number, end: number): boolean {
	// A search in all of the bytes would run on far behind the line.
	return bytes.subarray(start, end).includes(0);
}

const scanner = new JsonScanner();

function findIntactTail(bytes: Uint8Array, start: number, end: number): number {
	// A record begins with a brace and a quote. Each candidate costs a walk to the end of the line, so only so many are tried.
	let position = start;
	for (let candidates = 0; candidates < 64; candidates++) {
		const brace = bytes.indexOf(OPEN_BRACE, position);
		if (brace === -1 || brace >= end - 1) return -1;
		position = brace + 1;
		if (!startsRecord(bytes, brace + 1, end)) continue;
		scanner.reset(bytes, brace, end);
		if (scanner.skipValue() && scanner.isAtEnd()) return brace;
	}
	return -1;
}

// The first members that agents write. An inner object begins with one of these now and then, but does not end where the line does.
const firstMembers = ['"parentUuid":', '"type":', '"timestamp":', '"sessionId":', '"uuid":'].map((text) =>
	[...text].map((character) => character.charCodeAt(0)),
);

function startsRecord(bytes: Uint8Array, position: number, end: number): boolean {
	return firstMembers.some(
		(member) => position + member.length < end && member.every((byte, index) => bytes[position + index] === byte),
	);
}
