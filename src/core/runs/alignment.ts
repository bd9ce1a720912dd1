// Two lists beside each other: which entries of the one are which of the other, in order, and as many of them as can be.

/** Pairs of indexes, rising on both sides. */
export type Alignment = readonly (readonly [one: number, other: number])[];

/** The table of the exact answer would be larger than this; an answer is found then that may miss pairs. */
const mostCells = 4_000_000;

/** A longest common subsequence of the keys. */
export function aligned(one: readonly string[], other: readonly string[]): Alignment {
	const pairs: [number, number][] = [];
	let start = 0;
	while (start < one.length && start < other.length && one[start] === other[start]) pairs.push([start, start++]);
	let end = 0;
	while (
		end < one.length - start &&
		end < other.length - start &&
		one[one.length - 1 - end] === other[other.length - 1 - end]
	)
		end++;
	const first = one.slice(start, one.length - end);
	const second = other.slice(start, other.length - end);
	const inner = first.length * second.length <= mostCells ? exactly(first, second) : byUnique(first, second);
	for (const [left, right] of inner) pairs.push([left + start, right + start]);
	for (let index = end; index > 0; index--) pairs.push([one.length - index, other.length - index]);
	return pairs;
}

/**
 * Where entries that both lists have come in another order for the first time; what only one of them has, or has more often, is passed
 * over. `undefined`: the order is the same, or the lists are so long that nobody can tell it from entries that are missing.
 */
export function firstOutOfOrder(
	one: readonly string[],
	other: readonly string[],
): readonly [one: number, other: number] | undefined {
	const [left, right] = [counts(one), counts(other)];
	const common = new Map([...left].map(([key, count]) => [key, Math.min(count, right.get(key) ?? 0)]));
	// Which of several is the one that is missing? It is those without a partner in the alignment that keeps most.
	const isClear = [...common].every(([key, count]) => count === 0 || left.get(key) === right.get(key));
	if (!isClear && one.length * other.length > mostCells) return undefined;
	const pairs = isClear ? [] : aligned(one, other);
	const first = kept(
		one,
		common,
		pairs.map(([index]) => index),
	);
	const second = kept(
		other,
		common,
		pairs.map(([, index]) => index),
	);
	for (const [place, index] of first.entries()) {
		const partner = second[place];
		if (partner !== undefined && one[index] !== other[partner]) return [index, partner];
	}
	return undefined;
}

function counts(keys: readonly string[]): Map<string, number> {
	const found = new Map<string, number>();
	for (const key of keys) found.set(key, (found.get(key) ?? 0) + 1);
	return found;
}

/** The indexes of as many entries of each key as are wanted: those that are aligned, and of the others the first. */
function kept(
	keys: readonly string[],
	wanted: ReadonlyMap<string, number>,
	alignedIndexes: readonly number[],
): readonly number[] {
	const sure = new Set(alignedIndexes);
	const left = new Map(wanted);
	const take = (key: string) => void left.set(key, (left.get(key) ?? 0) - 1);
	for (const index of sure) take(keys[index] ?? '');
	return [...keys.entries()].flatMap(([index, key]) => {
		if (sure.has(index)) return [index];
		if ((left.get(key) ?? 0) <= 0) return [];
		take(key);
		return [index];
	});
}

function exactly(one: readonly string[], other: readonly string[]): Alignment {
	const width = other.length + 1;
	// The length of the best answer for what is left of each.
	const lengths = new Uint32Array((one.length + 1) * width);
	for (let left = one.length - 1; left >= 0; left--) {
		for (let right = other.length - 1; right >= 0; right--) {
			lengths[left * width + right] =
				one[left] === other[right]
					? (lengths[(left + 1) * width + right + 1] ?? 0) + 1
					: Math.max(lengths[(left + 1) * width + right] ?? 0, lengths[left * width + right + 1] ?? 0);
		}
	}
	const pairs: [number, number][] = [];
	for (let left = 0, right = 0; left < one.length && right < other.length;) {
		if (one[left] === other[right]) pairs.push([left++, right++]);
		else if ((lengths[(left + 1) * width + right] ?? 0) >= (lengths[left * width + right + 1] ?? 0)) left++;
		else right++;
	}
	return pairs;
}

/** By keys that each side has as often as the other, in the order in which they come: those that rise on both sides count. */
function byUnique(one: readonly string[], other: readonly string[]): Alignment {
	const places = new Map<string, number[]>();
	for (const [index, key] of other.entries()) {
		const known = places.get(key);
		if (known === undefined) places.set(key, [index]);
		else known.push(index);
	}
	const taken = new Map<string, number>();
	const candidates: [number, number][] = [];
	for (const [index, key] of one.entries()) {
		const nth = taken.get(key) ?? 0;
		taken.set(key, nth + 1);
		const place = places.get(key)?.[nth];
		if (place !== undefined) candidates.push([index, place]);
	}
	// The longest rising sequence of places: for each length the candidate that ends it lowest.
	const ends: number[] = [];
	const before: number[] = [];
	for (const [index, [, place]] of candidates.entries()) {
		let low = 0;
		let high = ends.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((candidates[ends[middle] ?? 0]?.[1] ?? 0) < place) low = middle + 1;
			else high = middle;
		}
		before[index] = low === 0 ? -1 : (ends[low - 1] ?? -1);
		ends[low] = index;
	}
	const pairs: [number, number][] = [];
	for (let index = ends.at(-1) ?? -1; index !== -1; index = before[index] ?? -1) {
		const pair = candidates[index];
		if (pair !== undefined) pairs.push(pair);
	}
	return pairs.reverse();
}
