// Wing and Gong's search ("Testing and Verifying Concurrent Objects", 1993), with Lowe's memory of what was tried: is there an order of the
// operations that keeps to the times at which they were begun and answered, and in which one after the other gives the same answers?

export interface Observed<State> {
	/** Any clock that both ends were read from. */
	readonly begunAt: number;
	/** `undefined`: its caller does not know whether it took effect. It may have, at any time from then on, or never. */
	readonly answeredAt: number | undefined;
	/** The state after it; `undefined`: it would have been answered otherwise. */
	apply(state: State): State | undefined;
	toString(): string;
}

/** @param State Equal states are one JSON. */
export function isLinearizable<State>(history: readonly Observed<State>[], initial: State): boolean {
	const tried = new Set<string>();
	const search = (left: readonly number[], state: State): boolean => {
		if (left.every((index) => history[index]!.answeredAt === undefined)) return true;
		const place = `${left.join()} ${JSON.stringify(state)}`;
		if (tried.has(place)) return false;
		tried.add(place);
		// Whatever is next was begun before any of the others was answered.
		const firstAnswer = Math.min(...left.map((index) => history[index]!.answeredAt ?? Infinity));
		const next: (readonly [index: number, state: State])[] = [];
		for (const index of left) {
			const operation = history[index]!;
			if (operation.begunAt > firstAnswer) continue;
			const after = operation.apply(state);
			// What changes nothing may as well be the next: in any order that is right it can be moved to here.
			if (after === state && operation.answeredAt !== undefined) return search(without(left, index), state);
			if (after === undefined || after === state) continue;
			// Those that may never have taken effect are tried last.
			if (operation.answeredAt === undefined) next.push([index, after]);
			else next.unshift([index, after]);
		}
		return next.some(([index, after]) => search(without(left, index), after));
	};
	return search([...history.keys()], initial);
}

function without(indexes: readonly number[], index: number): readonly number[] {
	return indexes.filter((other) => other !== index);
}
