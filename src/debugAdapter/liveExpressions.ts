// What is evaluated in the stop of an agent that runs: the language of conditions, over the held call as it would go on.

import { ExpectedError } from '../core/base/errors.ts';
import { jsonText } from '../core/base/jsonText.ts';
import { ExpressionValues, compileExpression, jsonOf } from '../core/debug/expression.ts';
import type { ExpressionName } from './debugTarget.ts';
import type { HeldLevel } from './liveLevels.ts';

export const liveNames: readonly ExpressionName[] = [
	{ name: 'arguments', isFunction: false, detail: 'of the held call' },
	{ name: 'result', isFunction: false, detail: 'null before the call is made' },
	{ name: 'isError', isFunction: false, detail: 'whether the result is an error' },
	{ name: 'tool', isFunction: false, detail: "the tool's own name" },
	{ name: 'server', isFunction: false, detail: 'of an MCP tool' },
	{ name: 'agent', isFunction: false, detail: 'its id and type' },
	{ name: 'session', isFunction: false, detail: 'its id' },
];

/** Plain JSON. An expression that fails rejects with its own sentence. */
export function evaluateLive(text: string, { call, current }: HeldLevel): unknown {
	const expression = compileExpression(text);
	if ('problem' in expression) throw new ExpectedError(expression.problem);
	const isBefore = call.at === 'before';
	const outcome = expression.evaluate(
		new ExpressionValues({
			argumentsText: () => (isBefore ? jsonText(current()) : call.arguments),
			resultText: () => (isBefore ? undefined : jsonText(current())),
			isError: call.isError,
			tool: call.tool,
			server: call.server,
			agentId: call.agentId,
			agentType: call.agentType,
			sessionId: call.sessionId,
		}),
	);
	if ('problem' in outcome) throw new ExpectedError(outcome.problem);
	try {
		return JSON.parse(jsonOf(outcome.value)) as unknown;
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		throw new ExpectedError('The value is nested too deeply to be shown.', { cause: error });
	}
}
