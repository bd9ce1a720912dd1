/**
 * One call of a stateful tool: the cursor moves, a sum grows, and 16 KB of the state change.
 * @typedef {{ count?: number, cursor?: number, sum?: number, context?: string }} State
 * @typedef {{ count: number }} Reply
 * @param {State} state
 * @param {number} salt
 * @returns {Reply}
 */
export function work(state, salt) {
	const count = (state.count ?? 0) + 1;
	state.count = count;
	state.cursor = (state.cursor ?? 0) + 50;
	state.sum = (state.sum ?? 0) + salt;
	// The same bytes again would be no work for a database.
	state.context = context(salt + count);
	return { count };
}

/** @param {number} seed */
function context(seed) {
	let text = '';
	let value = seed >>> 0 || 1;
	while (text.length < 16_384) {
		value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0;
		text += value.toString(36).padStart(7, '0');
	}
	return text;
}
