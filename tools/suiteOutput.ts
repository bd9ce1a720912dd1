// What a suite has printed, read: how many tests it counted, and what it says of those that failed.

import { stripVTControlCharacters } from 'node:util';

interface Counts {
	readonly passed: number;
	readonly failed: number;
}

/** Of one that failed without saying which test did: how much of its end is told. */
const endLines = 60;
/** So much of the failures of one suite is told again. */
const mostLines = 200;

/** What a suite counted, in our own words or in Mocha's. Nothing run is no count. */
export function countsIn(coloured: string): Counts | undefined {
	const output = stripVTControlCharacters(coloured);
	const ours = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
	const passing = /^\s*(\d+) passing\b/m.exec(output);
	const failing = /^\s*(\d+) failing\b/m.exec(output);
	const counts = ours
		? { passed: Number(ours[1]), failed: Number(ours[2]) }
		: { passed: Number(passing?.[1] ?? 0), failed: Number(failing?.[1] ?? 0) };
	return counts.passed + counts.failed === 0 ? undefined : counts;
}

/** What a suite that failed says of its failures: Mocha's list of them, or, without one, the end of its output. */
export function failuresIn(coloured: string): string {
	const lines = stripVTControlCharacters(coloured).trimEnd().split('\n');
	const start = lines.findLastIndex((line) => /^\s*\d+ failing\b/.test(line));
	const told = start < 0 ? lines.slice(-endLines) : lines.slice(start);
	const left = told.length - mostLines;
	return left > 0 ? [...told.slice(0, mostLines), `… and ${left} lines more, above`].join('\n') : told.join('\n');
}
