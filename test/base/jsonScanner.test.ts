// The scanner builds nothing of what it passes over; what it does give must be what JSON.parse gives.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { JsonScanner, MemberTable } from '../../src/core/base/jsonScanner.ts';

type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

const encoder = new TextEncoder();

/** Every string, number and boolean below the root, with its path, read by the scanner alone. */
function leavesByScanner(json: string, root: Value): string[] {
	const bytes = encoder.encode(json);
	const scanner = new JsonScanner();
	scanner.reset(bytes, 0, bytes.length);
	const leaves: string[] = [];
	read(scanner, root, '', leaves);
	assert.equal(scanner.failedAt, -1, json.slice(0, 200));
	assert.equal(scanner.isAtEnd(), true);
	return leaves;
}

/** Walks as the parsed value leads, so that every member is asked for by its name. */
function read(scanner: JsonScanner, shape: Value, path: string, leaves: string[]): void {
	if (typeof shape === 'string') leaves.push(`${path} ${JSON.stringify(scanner.readText())}`);
	else if (typeof shape === 'number') leaves.push(`${path} ${scanner.readNumber()}`);
	else if (typeof shape === 'boolean') leaves.push(`${path} ${scanner.readBoolean()}`);
	else if (Array.isArray(shape)) {
		let index = 0;
		scanner.readArray((element) => {
			read(element, shape[index]!, `${path}/${index}`, leaves);
			index++;
		}, undefined);
		assert.equal(index, shape.length, path);
	} else if (shape === null) {
		assert.equal(scanner.readString(), false);
	} else {
		// A key with an escape is known by what is written; no agent writes one, so such members are passed over.
		const entries = Object.entries(shape).filter(([key]) => isPlain(key));
		const readers = Object.fromEntries(
			entries.map(([key, value]) => [key, (inner: JsonScanner) => read(inner, value, `${path}/${key}`, leaves)]),
		);
		assert.equal(scanner.readObject(new MemberTable<undefined>(readers), undefined), true, path);
	}
}

function leavesByParser(value: Value, path = ''): string[] {
	if (typeof value === 'string') return [`${path} ${JSON.stringify(value)}`];
	// The scanner has -1 for what is beyond a double.
	if (typeof value === 'number') return [`${path} ${Number.isFinite(value) ? value : -1}`];
	if (typeof value === 'boolean') return [`${path} ${value}`];
	if (value === null) return [];
	if (Array.isArray(value)) return value.flatMap((element, index) => leavesByParser(element, `${path}/${index}`));
	return Object.entries(value)
		.filter(([key]) => isPlain(key))
		.flatMap(([key, element]) => leavesByParser(element, `${path}/${key}`));
}

function isPlain(key: string): boolean {
	return /^[\u0020-\u007f]*$/.test(key) && !/["\\]/.test(key) && key !== '__proto__';
}

function parse(json: string): Value {
	// JSON.parse gives `any`; a JSON text is a value of this type.
	return JSON.parse(json) as Value;
}

function agree(json: string): void {
	const value = parse(json);
	assert.deepEqual(leavesByScanner(json, value).sort(), leavesByParser(value).sort());
}

describe('the JSON scanner', () => {
	it('reads what JSON.parse reads on every line of every fixture and recording', () => {
		let lines = 0;
		for (const folder of ['test/fixtures/transcripts', 'examples/recorded']) {
			for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((entry) =>
				entry.endsWith('.jsonl'),
			)) {
				for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
					if (!isJson(line)) continue;
					agree(line);
					lines++;
				}
			}
		}
		assert.ok(lines > 500, String(lines));
	});

	it('reads what JSON.parse reads on any JSON, with any white space', () => {
		fc.assert(
			fc.property(
				fc.jsonValue({ maxDepth: 6, noUnicodeString: false }),
				fc.constantFrom(undefined, 1, '\t', ' \r\n'.slice(0, 3)),
				(value, space) => {
					agree(JSON.stringify(value, undefined, space));
				},
			),
			{ numRuns: 3000 },
		);
	});

	it('reads strings with every escape, long and short, whatever their length in bytes', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (text) => {
				agree(JSON.stringify([text, `\\${text}`, `${text}"\\`]));
				agree(
					`["${[...text].map((character) => [...Array.from({ length: character.length }, (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)].join('')).join('')}"]`,
				);
			}),
			{ numRuns: 2000 },
		);
	});

	it('takes no text for another one that it has read before, however alike they are', () => {
		// The bytes of each are the characters of another, or end as another does.
		const pairs = [
			['"a\u00c3\u00a9"', '"a\u00e9"'],
			['"a\\\\nb"', '"a\\nb"'],
			['"toolu_1"', '"toolu_2"'],
			['"xxxabc"', '"yyyabc"'],
			['"abcabc"', '"abc"'],
			[`"${'x'.repeat(300)}abc"`, `"${'y'.repeat(300)}abc"`],
		];
		for (const [one = '', other = ''] of pairs) {
			for (const json of [one, other, one, one, other]) agree(`[${json},${json}]`);
		}
	});

	it('reads numbers as JSON.parse does', () => {
		fc.assert(
			fc.property(
				fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger()),
				(number) => {
					agree(JSON.stringify([number]));
					agree(`[${number.toExponential().toUpperCase()}]`);
				},
			),
			{ numRuns: 2000 },
		);
	});

	it('passes over every value that JSON.parse takes, to its very end', () => {
		fc.assert(
			fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
				const bytes = encoder.encode(`${JSON.stringify(value)} x`);
				const scanner = new JsonScanner();
				scanner.reset(bytes, 0, bytes.length - 2);
				assert.equal(scanner.skipValue(), true);
				assert.equal(scanner.position, bytes.length - 2);
				assert.equal(scanner.isAtEnd(), true);
			}),
			{ numRuns: 2000 },
		);
	});

	it('never reads beyond its end, whatever stands there', () => {
		fc.assert(
			fc.property(fc.jsonValue(), fc.nat(), (value, at) => {
				const whole = encoder.encode(JSON.stringify({ value }));
				const end = at % whole.length;
				const scanner = new JsonScanner();
				scanner.reset(whole, 0, end);
				assert.equal(
					scanner.readObject(
						new MemberTable<undefined>({ value: (inner) => void inner.skipValue() }),
						undefined,
					) && scanner.position <= end,
					false,
				);
				assert.ok(
					scanner.position <= whole.length && scanner.failedAt <= end + 1,
					`${scanner.position} ${end}`,
				);
			}),
			{ numRuns: 2000 },
		);
	});

	it('takes no object that is cut, has a comma too many or a colon too few', () => {
		for (const broken of [
			'{',
			'{"a"',
			'{"a":',
			'{"a":1',
			'{"a":1,',
			'{"a":1,}',
			'{"a" 1}',
			'{a:1}',
			'{"a":1 "b":2}',
			'{"a":[1}',
			'{"a":"x}',
			'{"a":"x\\"}',
			'{,}',
			'}',
			'',
		]) {
			const bytes = encoder.encode(broken);
			const scanner = new JsonScanner();
			scanner.reset(bytes, 0, bytes.length);
			assert.equal(scanner.readObject(new MemberTable<undefined>({}), undefined), false, broken);
		}
	});
});

function isJson(line: string): boolean {
	try {
		JSON.parse(line);
		return true;
	} catch {
		// The fixtures hold damaged lines too.
		return false;
	}
}
