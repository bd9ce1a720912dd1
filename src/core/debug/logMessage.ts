import { compileExpression, shownValue } from './expression.ts';
import type { Expression, ExpressionValues } from './expression.ts';

/** What a log point says of a call. */
export type LogMessage = (values: ExpressionValues) => string;

/** In characters. */
const longestMessage = 2_000;
const longestLine = 10_000;

/**
 * A text in which `{expression}` stands for the expression's value; `{{` and `}}` are braces.
 * @returns A sentence where it cannot be read.
 */
export function logMessage(text: string): LogMessage | { readonly problem: string } {
	if (text.length > longestMessage) return { problem: `A log message has at most ${longestMessage} characters.` };
	const parts: (string | Expression)[] = [];
	let plain = '';
	for (let index = 0; index < text.length; index++) {
		const character = text[index] ?? '';
		if ((character === '{' || character === '}') && text[index + 1] === character) {
			plain += character;
			index++;
		} else if (character === '{') {
			const end = endOfExpression(text, index);
			if (end === -1) return { problem: 'The log message has a "{" without a "}": write {{ for a brace.' };
			const expression = compileExpression(text.slice(index + 1, end));
			if ('problem' in expression) return expression;
			parts.push(plain, expression);
			plain = '';
			index = end;
		} else plain += character;
	}
	parts.push(plain);
	return (values) => {
		let said = '';
		for (const part of parts) {
			if (typeof part === 'string') said += part;
			else {
				const outcome = part.evaluate(values);
				said += 'problem' in outcome ? `{${outcome.problem}}` : shownValue(outcome.value);
			}
			if (said.length > longestLine) return `${said.slice(0, longestLine)}…`;
		}
		return said;
	};
}

/** Where the brace closes that opens at `open`; braces of maps and those in texts do not count. */
function endOfExpression(text: string, open: number): number {
	let depth = 0;
	let quote = '';
	for (let index = open; index < text.length; index++) {
		const character = text[index] ?? '';
		if (quote !== '') {
			if (character === '\\') index++;
			else if (character === quote) quote = '';
		} else if (character === '"' || character === "'") quote = character;
		else if (character === '{') depth++;
		else if (character === '}' && --depth === 0) return index;
	}
	return -1;
}
