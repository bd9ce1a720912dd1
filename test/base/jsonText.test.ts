import assert from 'node:assert/strict';
import fc from 'fast-check';
import { jsonText } from '../../src/core/base/jsonText.ts';

const levels = 100_000;

describe('JSON of a value', () => {
	it('is written however deeply the value is nested', () => {
		const json = `${'[{"a":'.repeat(levels)}1${'}]'.repeat(levels)}`;
		assert.ok(jsonText(JSON.parse(json)) === json);
	});

	it('is the same for a deep value as for a flat one', () => {
		const [before, after] = ['[0,'.repeat(levels), ']'.repeat(levels)];
		fc.assert(
			fc.property(fc.jsonValue(), (value) => {
				let deep: unknown = value;
				for (let level = 0; level < levels; level++) deep = [0, deep];
				assert.ok(jsonText(deep) === `${before}${JSON.stringify(value)}${after}`);
			}),
			{ numRuns: 30 },
		);
		assert.equal(jsonText({ a: undefined, b: [1] }), '{"b":[1]}');
	});
});
