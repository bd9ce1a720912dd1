import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canonicalJson, ignoredPath, jsonDifference } from '../../src/core/runs/jsonDifference.ts';

const cases: readonly [title: string, one: unknown, other: unknown, path: string | undefined][] = [
	['the same', { a: [1, { b: 'x' }] }, { a: [1, { b: 'x' }] }, undefined],
	['members in another order', { a: 1, b: 2 }, { b: 2, a: 1 }, undefined],
	['a number', { a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }, 'a[1].b'],
	['the value itself', 1, 2, ''],
	['another kind', { a: [] }, { a: {} }, 'a'],
	['one element more', [1], [1, 2], '[1]'],
	['a member that went', { a: 1, b: 2 }, { a: 1 }, 'b'],
	['a member that came', { a: 1 }, { a: 1, 'b c': 2 }, '["b c"]'],
	['null is not nothing', { a: null }, {}, 'a'],
	['a text that holds JSON', [{ text: '{"rows":[1,2]}' }], [{ text: '{"rows":[1,3]}' }], '[0].text.rows[1]'],
	['the same JSON, written otherwise', { text: '{"a":1,"b":2}' }, { text: '{ "b": 2, "a": 1 }' }, undefined],
	['JSON against a text', { text: '{"a":1}' }, { text: 'failed' }, 'text'],
];

describe('the difference of two JSON values', () => {
	for (const [title, one, other, path] of cases) {
		it(`finds ${path === undefined ? 'none' : `"${path}"`}: ${title}`, () => {
			assert.equal(jsonDifference(one, other)?.path, path);
			assert.equal(jsonDifference(other, one)?.path, path);
		});
	}

	it('is none exactly where the canonical forms agree, and holds for what JSON can be', () => {
		fc.assert(
			fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
				// A text may hold what its canonical form does not show; 0 and -0 are written alike.
				fc.pre(!/"\s*[{[]/.test(canonicalJson([one, other])));
				const [first, second] = [
					JSON.parse(JSON.stringify(one)),
					JSON.parse(JSON.stringify(other)),
				] as unknown[];
				assert.equal(jsonDifference(first, first), undefined);
				assert.equal(
					jsonDifference(first, second) === undefined,
					canonicalJson(first) === canonicalJson(second),
				);
			}),
		);
	});

	const ignoring: readonly [pattern: string, path: string, isIgnored: boolean][] = [
		['a', 'a', true],
		['a', 'b', false],
		['rows[*].id', 'rows[3].id', true],
		['rows.*.id', 'rows[3].id', true],
		['rows[2].id', 'rows[3].id', false],
		['**.id', 'rows[3].deep.id', true],
		['rows.**', 'rows[3].id', true],
		['$.rows[3].id', 'rows[3].id', true],
		// Written as the tool has written it, whatever the protocol has put around that.
		['rows[*].id', 'content[0].text.rows[3].id', true],
		['rows[*].id', '[0].text.rows[3].id', true],
		['rows[*].id', 'other[0].rows[3].id', false],
	];
	for (const [pattern, path, isIgnored] of ignoring) {
		it(`${isIgnored ? 'does not look' : 'looks'} at ${path} when ${pattern} is ignored`, () => {
			const ignored = ignoredPath(pattern);
			assert.ok(ignored !== undefined);
			const [one, other] = [at(path, 1), at(path, 2)];
			assert.equal(jsonDifference(one, other)?.path, path);
			assert.equal(jsonDifference(one, other, [ignored]) === undefined, isIgnored);
		});
	}

	for (const text of ['', 'a..b', 'rows[', '[x]']) {
		it(`does not take "${text}" for a path`, () => assert.equal(ignoredPath(text), undefined));
	}
});

/** A value with another value at a path. */
function at(path: string, value: unknown): unknown {
	const steps = path.match(/\[\d+\]|[^.[]+/g) ?? [];
	return steps.reduceRight<unknown>((inner, step) => {
		const index = /^\[(\d+)\]$/.exec(step)?.[1];
		if (index === undefined) return { [step]: inner };
		return Array.from({ length: Number(index) + 1 }, (_, place) => (place === Number(index) ? inner : null));
	}, value);
}
