import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SmallMap } from '../../src/core/base/smallMap.ts';

type Step =
	| { readonly what: 'set'; readonly key: string; readonly value: number }
	| { readonly what: 'delete'; readonly key: string }
	| { readonly what: 'clear' };

const key = fc.integer({ min: 0, max: 60 }).map((number) => `turn-${number}`);
const step: fc.Arbitrary<Step> = fc.oneof(
	{ weight: 30, arbitrary: fc.record({ what: fc.constant('set'), key, value: fc.nat() }) },
	{ weight: 20, arbitrary: fc.record({ what: fc.constant('delete'), key }) },
	{ weight: 1, arbitrary: fc.record({ what: fc.constant('clear') }) },
);

/** All keys that there are, and then none. */
const largeAndSmall = (['set', 'delete'] as const).flatMap((what) =>
	Array.from({ length: 61 }, (_, number): Step => ({ what, key: `turn-${number}`, value: number })),
);

describe('a small map', () => {
	it('is what a Map is, also when it has become large and small again', () => {
		let largest = 0;
		fc.assert(
			fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
				const small = new SmallMap<string, number>();
				const map = new Map<string, number>();
				for (const step of steps) {
					switch (step.what) {
						case 'set':
							small.set(step.key, step.value);
							map.set(step.key, step.value);
							break;
						case 'delete':
							assert.equal(small.delete(step.key), map.delete(step.key));
							break;
						case 'clear':
							small.clear();
							map.clear();
							break;
					}
					largest = Math.max(largest, map.size);
					assert.equal(small.size, map.size);
					assert.deepEqual(small.entries(), [...map]);
					assert.equal(small.oldest(), [...map.keys()][0]);
				}
				for (const name of ['turn-0', 'turn-30', 'turn-60', 'nobody']) {
					assert.equal(small.get(name), map.get(name));
					assert.equal(small.has(name), map.has(name));
				}
			}),
			{ examples: [[largeAndSmall]] },
		);
		assert.equal(largest, 61);
	});

	it('tells what it held, whatever is deleted meanwhile', () => {
		const small = new SmallMap<number, string>();
		for (const number of [1, 2, 3]) small.set(number, `${number}`);
		const seen: number[] = [];
		for (const [number] of small.entries()) {
			seen.push(number);
			small.delete(number);
		}
		assert.deepEqual([seen, small.size], [[1, 2, 3], 0]);
	});
});
