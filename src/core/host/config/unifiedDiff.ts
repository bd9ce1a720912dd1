/** As a unified diff shows it, with three lines around every change. The texts may be masked: what is compared are the first two. */
export function unifiedDiff(
	path: string,
	before: string,
	after: string,
	shownBefore: string = before,
	shownAfter: string = after,
): string {
	const hunks = hunksOf(changesBetween(linesOf(before), linesOf(after)));
	if (hunks.length === 0) return '';
	const shown = { before: linesOf(shownBefore), after: linesOf(shownAfter) };
	const countBefore = shown.before.length;
	const lines = [`--- ${path}`, `+++ ${path}`];
	let shift = 0;
	for (const hunk of hunks) {
		const first = hunk[0];
		const last = hunk.at(-1);
		if (first === undefined || last === undefined) continue;
		const from = Math.max(0, first.before.start - context);
		const to = Math.min(countBefore, last.before.end + context);
		const removed = hunk.reduce((sum, change) => sum + change.before.end - change.before.start, 0);
		const added = hunk.reduce((sum, change) => sum + change.after.end - change.after.start, 0);
		lines.push(`@@ -${rangeOf(from, to - from)} +${rangeOf(from + shift, to - from - removed + added)} @@`);
		let at = from;
		for (const change of hunk) {
			for (; at < change.before.start; at++) lines.push(` ${shown.before[at] ?? ''}`);
			for (; at < change.before.end; at++) lines.push(`-${shown.before[at] ?? ''}`);
			for (let line = change.after.start; line < change.after.end; line++)
				lines.push(`+${shown.after[line] ?? ''}`);
		}
		for (; at < to; at++) lines.push(` ${shown.before[at] ?? ''}`);
		shift += added - removed;
	}
	return `${lines.map((line) => line.replace(/\r$/, '')).join('\n')}\n`;
}

interface Span {
	readonly start: number;
	readonly end: number;
}

/** Lines that stand in the place of others; either span may be empty. */
interface Change {
	readonly before: Span;
	readonly after: Span;
}

const context = 3;

function rangeOf(start: number, count: number): string {
	// Of an empty range the line before it is named.
	return `${count === 0 ? start : start + 1}${count === 1 ? '' : `,${count}`}`;
}

function linesOf(text: string): readonly string[] {
	const lines = text.split('\n');
	if (lines.at(-1) === '') lines.pop();
	return lines;
}

function hunksOf(changes: readonly Change[]): readonly (readonly Change[])[] {
	const hunks: Change[][] = [];
	let last: Change | undefined;
	for (const change of changes) {
		if (last !== undefined && change.before.start - last.before.end <= 2 * context) hunks.at(-1)?.push(change);
		else hunks.push([change]);
		last = change;
	}
	return hunks;
}

/** Myers' algorithm: the fewest lines removed and added. */
function changesBetween(before: readonly string[], after: readonly string[]): readonly Change[] {
	let head = 0;
	while (head < before.length && head < after.length && before[head] === after[head]) head++;
	let tail = 0;
	while (
		tail < before.length - head &&
		tail < after.length - head &&
		before[before.length - 1 - tail] === after[after.length - 1 - tail]
	)
		tail++;
	const a = before.slice(head, before.length - tail);
	const b = after.slice(head, after.length - tail);
	const steps = shortestEdit(a, b);
	const changes: Change[] = [];
	let x = a.length;
	let y = b.length;
	// From the end to the start, merging what touches.
	let end: { x: number; y: number } | undefined;
	const close = () => {
		if (end === undefined) return;
		changes.unshift({
			before: { start: head + x, end: head + end.x },
			after: { start: head + y, end: head + end.y },
		});
		end = undefined;
	};
	for (let depth = steps.length - 1; depth >= 0; depth--) {
		const furthest = steps[depth];
		if (furthest === undefined) break;
		const k = x - y;
		const isDown = k === -depth || (k !== depth && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
		const previousX = depth === 0 ? 0 : (furthest.get(isDown ? k + 1 : k - 1) ?? 0);
		const previousY = depth === 0 ? 0 : previousX - (isDown ? k + 1 : k - 1);
		while (x > previousX && y > previousY && a[x - 1] === b[y - 1]) {
			close();
			x--;
			y--;
		}
		if (depth === 0) break;
		end ??= { x, y };
		x = previousX;
		y = previousY;
	}
	close();
	return changes;
}

/** For each number of steps how far each diagonal had come before it. */
function shortestEdit(a: readonly string[], b: readonly string[]): readonly ReadonlyMap<number, number>[] {
	const steps: Map<number, number>[] = [];
	const furthest = new Map<number, number>([[1, 0]]);
	for (let depth = 0; depth <= a.length + b.length; depth++) {
		steps.push(new Map(furthest));
		for (let k = -depth; k <= depth; k += 2) {
			const down = furthest.get(k + 1) ?? -1;
			const right = furthest.get(k - 1) ?? -1;
			let x = k === -depth || (k !== depth && right < down) ? down : right + 1;
			while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
			furthest.set(k, x);
			if (x >= a.length && x - k >= b.length) return steps;
		}
	}
	return steps;
}
