import assert from 'node:assert/strict';
import { compileExpression, ExpressionValues, shownValue } from '../../src/core/debug/expression.ts';
import type { ExpressionCall } from '../../src/core/debug/expression.ts';
import { logMessage } from '../../src/core/debug/logMessage.ts';

const call: ExpressionCall = {
	argumentsText: () =>
		JSON.stringify({ page: 2, ratio: 0.5, whole: 3, name: 'x', list: [1, 2, { a: 1 }], none: null }).replace(
			'"whole":3',
			'"whole":3.0,"big":9007199254740993,"huge":123456789012345678901234567890,"power":1e3',
		),
	resultText: () => '{"content":[{"type":"text","text":"rows: 12"}],"isError":false}',
	isError: false,
	tool: 'query',
	server: 'analytics',
	agentId: 'main',
	agentType: null,
	sessionId: 'claude-code:1',
};

function evaluated(text: string, of: Partial<ExpressionCall> = {}): string {
	const expression = compileExpression(text);
	if ('problem' in expression) return `not compiled: ${expression.problem}`;
	const outcome = expression.evaluate(new ExpressionValues({ ...call, ...of }));
	return 'problem' in outcome ? `failed: ${outcome.problem}` : shownValue(outcome.value);
}

const values: readonly (readonly [text: string, value: string])[] = [
	['arguments.page > 2', 'false'],
	['arguments.page >= 2', 'true'],
	['arguments.page + 1', '3'],
	['arguments.page == 2', 'true'],
	['arguments.page == 2.0', 'true'],
	['arguments.page * 1.5', '3'],
	['arguments.ratio + 1', '1.5'],
	['1 - arguments.ratio', '0.5'],
	['arguments.ratio < 1', 'true'],
	['arguments.whole + 1', '4'],
	['arguments.power + 1', '1001'],
	['arguments.page % 2 == 0', 'true'],
	['-arguments.page', '-2'],
	// JavaScript's own numbers would make it …992.
	['arguments.big', '9007199254740993'],
	['arguments.big == 9007199254740992', 'false'],
	['arguments.huge > 5', 'true'],
	['arguments.name == "x" && arguments.page == 2', 'true'],
	['arguments.name in ["x", "y"]', 'true'],
	['arguments.name.startsWith("x") || arguments.nobody', 'true'],
	['arguments.none == null', 'true'],
	['has(arguments.page)', 'true'],
	['has(arguments.nobody)', 'false'],
	['"page" in arguments', 'true'],
	['arguments["page"]', '2'],
	['arguments.list[2].a', '1'],
	['arguments.list.size()', '3'],
	['arguments.list.exists(one, one == 2)', 'true'],
	['[1, 2].map(one, one * 2)', '[2,4]'],
	['arguments.page > 1 ? "later" : "first"', 'later'],
	['result.content[0].text.contains("12")', 'true'],
	['result.isError', 'false'],
	['isError', 'false'],
	['tool == "query" && server == "analytics"', 'true'],
	['agent.id', 'main'],
	['agent.type == null', 'true'],
	['session.startsWith("claude-code:")', 'true'],
	['hits', '1'],
	['type(arguments.page) == int', 'true'],
	['arguments.name.matches("^[a-z]$")', 'true'],
	['"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab".matches("^(a+)+$")', 'false'],
];

const problems: readonly (readonly [text: string, problem: string])[] = [
	['', 'not compiled: The expression is empty.'],
	['arguments.page >', 'not compiled: "arguments.page >", column 17: Unexpected token: EOF.'],
	['page > 2', 'not compiled: "page > 2", column 1: Unknown variable: page.'],
	['arguments.page = 3', 'not compiled: "arguments.page = 3", column 16: Unexpected character: =.'],
	[
		'arguments.page.matches("x")',
		`failed: "arguments.page.matches("x")", column 1: found no matching overload for 'int.matches(string)'.`,
	],
	[
		'arguments.nobody > 1',
		'failed: "arguments.nobody > 1", column 11: there is no "nobody"; has(….nobody) asks whether there is.',
	],
	['arguments.name > 1', 'failed: "arguments.name > 1", column 1: no such overload: dyn<string> > int.'],
	['1 / 0', 'failed: "1 / 0", column 1: division by zero.'],
	[
		'arguments.constructor',
		'failed: "arguments.constructor", column 11: there is no "constructor"; has(….constructor) asks whether there is.',
	],
	['constructor', 'not compiled: "constructor", column 1: Unknown variable: constructor.'],
	['count', 'not compiled: "count", column 1: Unknown variable: count.'],
	['arguments.name.matches("(")', 'failed: The regular expression "(" cannot be used: a "(" has no ")" behind it.'],
	['cel.bind(x, [1], x + x)', 'not compiled: cel.bind cannot be used here.'],
	['[1].map(a, [1].map(b, [1].map(c, c)))', 'not compiled: More than 2 loops inside one another are too slow.'],
	['x'.repeat(2_001), 'not compiled: An expression has at most 2000 characters.'],
];

describe('an expression over a call', () => {
	for (const [text, value] of values) it(`${text} is ${value}`, () => assert.equal(evaluated(text), value));

	for (const [text, problem] of problems)
		it(`"${text.slice(0, 40)}" is refused`, () => assert.equal(evaluated(text), problem));

	it('knows that a call that was not made has no result', () => {
		assert.equal(evaluated('result == null', { resultText: () => undefined }), 'true');
		assert.match(evaluated('result.content', { resultText: () => undefined }), /^failed: /);
	});

	it('asks for nothing that it does not look at', () => {
		const never = () => {
			throw new Error('Nobody needs this.');
		};
		assert.equal(evaluated('tool == "query"', { argumentsText: never, resultText: never }), 'true');
	});

	it('does not go through more than it can in a moment', () => {
		const list = {
			argumentsText: () => JSON.stringify({ list: Array.from({ length: 5_000 }, (_, index) => index) }),
		};
		assert.equal(evaluated('arguments.list.exists(one, one == 4999)', list), 'true');
		const began = process.cpuUsage();
		const nested = 'arguments.list.all(one, arguments.list.exists(other, one == other))';
		assert.match(evaluated(nested, list), /^failed: The loops of .* would go through too many values\.$/);
		assert.ok(process.cpuUsage(began).user < 2e6);
	});

	it('says so when arguments are none, too long or too deep', () => {
		assert.match(
			evaluated('arguments.page', { argumentsText: () => 'page 2' }),
			/^failed: "arguments\.page": .*JSON/,
		);
		const long = JSON.stringify({ text: 'x'.repeat(5_000_000) });
		assert.match(evaluated('arguments.text.size()', { argumentsText: () => long }), /longer than the 4 MB/);
		const deep = '['.repeat(100_000) + ']'.repeat(100_000);
		assert.match(evaluated('arguments.size()', { argumentsText: () => deep }), /^(failed|1)/);
	});
});

describe('a log message', () => {
	function said(text: string): string {
		const message = logMessage(text);
		return typeof message === 'function' ? message(new ExpressionValues(call)) : `refused: ${message.problem}`;
	}

	const messages: readonly (readonly [text: string, said: string])[] = [
		['plain', 'plain'],
		['{agent.id} asks for page {arguments.page}', 'main asks for page 2'],
		['{arguments.list} and {arguments.name}', '[1,2,{"a":1}] and x'],
		['{{literally}}', '{literally}'],
		['{ {"a": "}"}.a }', '}'],
		['{result.content[0].text + "}"}', 'rows: 12}'],
		['{arguments.page > 1 ? "yes" : "no"}', 'yes'],
		[
			'a {arguments.nobody} b',
			'a {"arguments.nobody", column 11: there is no "nobody"; has(….nobody) asks whether there is.} b',
		],
		['{arguments.page', 'refused: The log message has a "{" without a "}": write {{ for a brace.'],
		['{}', 'refused: The expression is empty.'],
		['{1 +}', 'refused: "1 +", column 4: Unexpected token: EOF.'],
	];
	for (const [text, wanted] of messages) it(`${text} says ${wanted}`, () => assert.equal(said(text), wanted));
});
