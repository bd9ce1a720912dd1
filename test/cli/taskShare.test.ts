import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TaskShare } from '../../src/cli/taskShare.ts';

describe('a row of tasks that threads share', () => {
	it('gives each task to one of them, whichever ends they take from', () => {
		fc.assert(
			fc.property(
				fc.nat(20),
				fc.array(fc.constantFrom('front', 'back'), { minLength: 25, maxLength: 40 }),
				(count, ends) => {
					const one = new TaskShare(count);
					const other = new TaskShare(count, one.memory);
					const given = ends.flatMap((end, turn) => (turn % 3 === 0 ? other : one).next(end) ?? []);
					assert.deepEqual(
						given.toSorted((a, b) => a - b),
						Array.from({ length: count }, (_, index) => index),
					);
				},
			),
		);
	});

	it('has the first at the front and the last at the back', () => {
		const share = new TaskShare(3);
		assert.deepEqual(
			[share.next('front'), share.next('back'), share.next('front'), share.next('back')],
			[0, 2, 1, undefined],
		);
	});
});
