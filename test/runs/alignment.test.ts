import assert from 'node:assert/strict';
import fc from 'fast-check';
import { aligned, firstOutOfOrder } from '../../src/core/runs/alignment.ts';

const letters = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });

describe('the alignment of two lists', () => {
	it('pairs equal entries, in order, as many as there can be', () => {
		fc.assert(
			fc.property(letters, letters, (one, other) => {
				const pairs = aligned(one, other);
				assertPairs(one, other, pairs);
				assert.equal(pairs.length, longest(one, other));
			}),
		);
	});

	it('pairs equal entries, in order, of lists that are too long for a table', () => {
		const one = Array.from({ length: 3000 }, (_, index) => `${index % 700}`);
		const other = one
			.filter((_, index) => index % 10 !== 3)
			.toSpliced(100, 0, ...Array.from({ length: 50 }, () => 'new'));
		const pairs = aligned([...one, 'end'], ['begin', ...other]);
		assertPairs([...one, 'end'], ['begin', ...other], pairs);
		assert.ok(pairs.length > 600, String(pairs.length));
	});

	it('finds another order where what both have cannot be kept in order as a whole, and nowhere else', () => {
		fc.assert(
			fc.property(letters, letters, (one, other) => {
				const count = (keys: readonly string[], key: string) =>
					keys.filter((candidate) => candidate === key).length;
				const common = 'a b c d'
					.split(' ')
					.reduce((sum, key) => sum + Math.min(count(one, key), count(other, key)), 0);
				const found = firstOutOfOrder(one, other);
				assert.equal(found === undefined, longest(one, other) === common);
				if (found === undefined) return;
				const [left, right] = [one[found[0]] ?? '', other[found[1]] ?? ''];
				assert.notEqual(left, right);
				assert.ok(count(other, left) > 0 && count(one, right) > 0);
			}),
		);
	});
});

function assertPairs(one: readonly string[], other: readonly string[], pairs: readonly (readonly [number, number])[]) {
	for (const [index, [left, right]] of pairs.entries()) {
		assert.equal(one[left], other[right]);
		const [before, after] = pairs[index - 1] ?? [-1, -1];
		assert.ok(left > before && right > after);
	}
}

/** The length of a longest common subsequence, by trying. */
function longest([first, ...one]: readonly string[], other: readonly string[]): number {
	if (first === undefined) return 0;
	const place = other.indexOf(first);
	return Math.max(longest(one, other), place === -1 ? 0 : 1 + longest(one, other.slice(place + 1)));
}
