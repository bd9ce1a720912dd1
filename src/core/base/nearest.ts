/**
 * The one of `candidates` that somebody who wrote `word` most likely meant: a few letters are wrong, missing, doubled or have changed places.
 * `undefined`: none is near enough, or two are equally near and it cannot be told which. Upper and lower case do not count.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
	const written = word.toLowerCase();
	// A third of a word: more, and every short word is like every other.
	const most = written.length > mostCompared ? 0 : Math.floor((written.length + 1) / 3);
	let best: string | undefined;
	let distance = most + 1;
	let isTie = false;
	for (const candidate of new Set(candidates)) {
		// It is the word itself: whatever is wrong, it is not misspelt.
		if (candidate === word) return undefined;
		if (Math.abs(candidate.length - word.length) > most) continue;
		const found = editDistance(written, candidate.toLowerCase());
		if (found < distance) {
			best = candidate;
			distance = found;
			isTie = false;
		} else if (found === distance) isTie = true;
	}
	return isTie || distance > most ? undefined : best;
}

/** ` Did you mean "analytics"?`, to be put behind a sentence, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
	const meant = nearest(word, candidates);
	return meant === undefined ? '' : ` Did you mean "${meant}"?`;
}

/** Names are shorter; of longer ones nobody needs to be told, and the work grows with the square. */
const mostCompared = 100;

/** Letters to put in, take out, replace, or swap with their neighbour. */
function editDistance(one: string, other: string): number {
	let before: readonly number[] = [];
	let last: readonly number[] = Array.from({ length: other.length + 1 }, (_, index) => index);
	for (let row = 1; row <= one.length; row++) {
		const next = [row];
		for (let column = 1; column <= other.length; column++) {
			const isSame = one[row - 1] === other[column - 1];
			let least = Math.min(
				(last[column] ?? 0) + 1,
				(next[column - 1] ?? 0) + 1,
				(last[column - 1] ?? 0) + (isSame ? 0 : 1),
			);
			const isSwapped =
				row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
			if (isSwapped) least = Math.min(least, (before[column - 2] ?? 0) + 1);
			next.push(least);
		}
		before = last;
		last = next;
	}
	return last[other.length] ?? 0;
}
