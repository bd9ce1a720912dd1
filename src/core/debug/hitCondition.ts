/** Whether a breakpoint stops the n-th time that all else is true; n counts from 1. */
export type HitCondition = (hits: number) => boolean;

/** `5`, `== 5`, `> 5`, `>= 5`, `< 5`, `<= 5`, `% 5` (every fifth). @returns A sentence where the text is none of these. */
export function hitCondition(text: string): HitCondition | string {
	const match = /^(==?|>=?|<=?|%)?\s*(\d{1,15})$/.exec(text.trim());
	if (match === null)
		return `"${text.trim().slice(0, 100)}" is no hit condition: write a number, or one behind ==, >, >=, <, <= or %.`;
	const [, operator = '==', digits = ''] = match;
	const count = Number(digits);
	switch (operator) {
		case '>':
			return (hits) => hits > count;
		case '>=':
			return (hits) => hits >= count;
		case '<':
			return (hits) => hits < count;
		case '<=':
			return (hits) => hits <= count;
		case '%':
			return count === 0
				? 'Every 0th time is never: write a number from 1 on behind %.'
				: (hits) => hits % count === 0;
		default:
			return (hits) => hits === count;
	}
}
