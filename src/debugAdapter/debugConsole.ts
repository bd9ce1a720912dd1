// What is typed in the debug console: expressions, assignments, and the answers that are given in a tool's place.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { ExpectedError } from '../core/base/errors.ts';
import { indentedJson } from '../core/base/jsonText.ts';
import { assignmentOf, pathOf } from './assignments.ts';
import type { DebugTarget, Level } from './debugTarget.ts';
import { present } from './present.ts';
import type { ShownStack } from './shownStack.ts';

const consoleHelp = `Expressions over the selected call: arguments, result, isError, tool, server, agent, session, and what Ctrl+Space offers.
  arguments.page = 3       changes an argument of the call that is held
  answer {"rows": []}      does not make the call: the agent gets this
  fail no such table       the same with an error
  help                     this text`;

export async function evaluateInConsole(
	target: DebugTarget,
	stack: ShownStack,
	{ expression, frameId, context }: DebugProtocol.EvaluateArguments,
): Promise<DebugProtocol.EvaluateResponse['body']> {
	const level = stack.level(frameId);
	if (context === 'repl') {
		const text = expression.trim();
		if (text === 'help') return { result: consoleHelp, variablesReference: 0 };
		const [, verb, answer] = /^(answer|fail)\s+([^]+)$/.exec(text) ?? [];
		if (verb !== undefined && answer !== undefined) {
			await answerBy(level, answer, verb === 'fail');
			return { result: 'The agent gets this as the result.', variablesReference: 0 };
		}
		const assignment = assignmentOf(text);
		const path = assignment === undefined ? undefined : pathOf(assignment.target);
		if (assignment !== undefined && path !== undefined) {
			return bodyOf(await stack.setNamed(frameId, path.name, path.keys, assignment.value));
		}
	}
	const value = await target.evaluate(expression, level);
	if (context === 'clipboard') {
		const text = typeof value === 'string' ? value : indentedJson(value);
		return { result: text ?? '', variablesReference: 0 };
	}
	return bodyOf(stack.evaluated(value, frameId, expression));
}

/** Puts an answer in the place of a call's own. */
export async function answerBy(level: Level | undefined, answer: string, isError: boolean): Promise<void> {
	if (level === undefined) throw new ExpectedError('Select the call that is to be answered.');
	if (level.answer === undefined) throw new ExpectedError(`${level.name} cannot be answered by hand here.`);
	await level.answer(answer, isError);
}

function bodyOf({ value, ...others }: DebugProtocol.Variable): DebugProtocol.EvaluateResponse['body'] {
	const { type, variablesReference, namedVariables, indexedVariables, presentationHint } = others;
	return present({ result: value, type, variablesReference, namedVariables, indexedVariables, presentationHint });
}

/** What could follow where the cursor stands. `column` counts from 0. */
export async function completionsFor(
	target: DebugTarget,
	level: Level | undefined,
	text: string,
	column: number,
): Promise<DebugProtocol.CompletionItem[]> {
	const before = text.slice(0, column);
	const [typed = ''] = /(?<!\w)\w*$/.exec(before) ?? [];
	const start = column - typed.length;
	const head = before.slice(0, start);
	// Read from its end: what follows each name in a long text would be read again for the next one otherwise.
	const owner = /$(?<=([A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[(?:\d+|"[^"]*")\])*)\.)/.exec(head)?.[1];
	if (owner === undefined) {
		if (/["'][^"']*$/.test(head)) return [];
		return target
			.names(level)
			.filter(({ name }) => name.startsWith(typed))
			.map(({ name, isFunction, detail }) => ({
				label: name,
				text: isFunction ? `${name}(` : name,
				detail,
				type: isFunction ? 'function' : 'variable',
				start,
				length: typed.length,
			}));
	}
	let value: unknown;
	try {
		value = await target.evaluate(owner, level);
	} catch (error) {
		// Whoever is still typing has not asked for an explanation.
		if (error instanceof ExpectedError) return [];
		throw error;
	}
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
	return Object.keys(value)
		.filter((key) => key.startsWith(typed) && /^[A-Za-z_]\w*$/.test(key))
		.slice(0, mostCompletions)
		.map((key) => ({ label: key, type: 'property', start, length: typed.length }));
}

const mostCompletions = 200;
