import assert from 'node:assert/strict';
import { brokenBy } from '../../../src/core/host/debug/argumentsCheck.ts';
import { heldUntil } from '../../../src/core/host/debug/clientPatience.ts';
import { callResult } from '../../../src/core/host/debug/resultByHand.ts';

describe('edited arguments', () => {
	const schema = {
		type: 'object',
		properties: {
			page: { type: 'integer', minimum: 1, maximum: 100 },
			name: { type: ['string', 'null'], minLength: 2, pattern: '^[a-z]+$' },
			kind: { enum: ['a', 'b', 3] },
			fixed: { const: { x: [1] } },
			tags: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 2, uniqueItems: true },
			pair: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }], items: false },
			either: { anyOf: [{ type: 'string' }, { type: 'object', required: ['id'] }] },
			tree: { $ref: '#/$defs/tree' },
			deep: { type: 'object', additionalProperties: { type: 'boolean' } },
			'odd name': { allOf: [{ type: 'number' }, { exclusiveMinimum: 0 }] },
			date: { type: 'string', format: 'date' },
			remote: { $ref: 'https://example.org/schema' },
			maybe: { type: 'string', nullable: true },
			step: { type: 'integer', multipleOf: 5 },
		},
		$defs: {
			tree: { type: 'object', properties: { child: { $ref: '#/$defs/tree' } }, additionalProperties: false },
		},
		required: ['page'],
		additionalProperties: false,
	};
	const cases: readonly (readonly [args: object, problem: string | undefined])[] = [
		[{ page: 1 }, undefined],
		[{ page: 1.0, name: null }, undefined],
		[{}, 'at $, "page" is missing.'],
		[{ page: '1' }, 'at $.page, it has to be of type integer; it is string.'],
		[{ page: 1.5 }, 'at $.page, it has to be of type integer; it is number.'],
		[{ page: 0 }, 'at $.page, it has to be 1 at least.'],
		[{ page: 101 }, 'at $.page, it may be 100 at most.'],
		[{ page: 1, name: 'x' }, 'at $.name, it has to have 2 characters at least; it has 1.'],
		[{ page: 1, name: 'X1' }, 'at $.name, it has to match ^[a-z]+$.'],
		[{ page: 1, kind: 3 }, undefined],
		[{ page: 1, kind: 'c' }, 'at $.kind, it has to be one of "a", "b", 3.'],
		[{ page: 1, fixed: { x: [1] } }, undefined],
		[{ page: 1, fixed: { x: [2] } }, 'at $.fixed, it has to be {"x":[1]}.'],
		[{ page: 1, tags: [] }, 'at $.tags, there have to be 1 element at least; there are 0.'],
		[{ page: 1, tags: ['a', 7] }, 'at $.tags[1], it has to be of type string; it is number.'],
		[{ page: 1, tags: ['a', 'a'] }, 'at $.tags, each element may be there once.'],
		[{ page: 1, pair: ['a', 1] }, undefined],
		[{ page: 1, pair: ['a', 1, 2] }, 'at $.pair[2], nothing is allowed.'],
		[{ page: 1, either: { id: 1 } }, undefined],
		[
			{ page: 1, either: {} },
			'at $.either, it is none of what is allowed; for one, at $.either, it has to be of type string; it is object.',
		],
		[{ page: 1, tree: { child: { child: {} } } }, undefined],
		[{ page: 1, tree: { child: { kid: {} } } }, 'at $.tree.child.kid, no such argument is known (known: child).'],
		[{ page: 1, deep: { any: true } }, undefined],
		[{ page: 1, deep: { any: 1 } }, 'at $.deep.any, it has to be of type boolean; it is number.'],
		[{ page: 1, 'odd name': -1 }, 'at $["odd name"], it has to be more than 0.'],
		[{ page: 1, date: 'tomorrow', remote: 1, maybe: null }, undefined],
		[{ page: 1, step: 7 }, 'at $.step, it has to be a multiple of 5.'],
	];
	for (const [args, problem] of cases)
		it(`${JSON.stringify(args)}: ${problem ?? 'fit'}`, () => assert.equal(brokenBy(args, schema), problem));

	it('fit what says nothing, and what cannot be understood', () => {
		for (const odd of [undefined, true, 'object', 7, [], { type: 'thing' }, { $ref: '#/nowhere' }, { $ref: '#' }])
			assert.equal(brokenBy({ any: 1 }, odd), undefined);
		assert.equal(brokenBy({ any: 1 }, false), 'at $, nothing is allowed.');
	});
});

describe('a result by hand', () => {
	const cases: readonly (readonly [given: string, isError: boolean | undefined, result: string])[] = [
		['two rows', false, '{"content":[{"type":"text","text":"two rows"}],"isError":false}'],
		['"two rows"', true, '{"content":[{"type":"text","text":"two rows"}],"isError":true}'],
		['[1, 2]', false, '{"content":[{"type":"text","text":"[1, 2]"}],"isError":false}'],
		['{"content": []}', undefined, '{"content": []}'],
		['{"content":[],"n":12345678901234567890}', false, '{"content":[],"n":12345678901234567890}'],
		['{"content":[]}', true, '{"content":[],"isError":true}'],
		['{"structuredContent":{"a":1}}', undefined, '{"content":[],"structuredContent":{"a":1},"isError":false}'],
	];
	for (const [given, isError, result] of cases)
		it(`${given} becomes ${result}`, () => assert.equal(callResult(given, true, isError), result));

	for (const [given, problem] of [
		['{"content":"x"}', /At \$\.content: /],
		['{"content":[{}]}', /At \$\.content\[0\]: /],
		['{"content":[{"type":"text"}]}', /At \$\.content\[0\]\.text: /],
		['{"content":[],"isError":1}', /At \$\.isError: /],
		['{"structuredContent":[]}', /At \$\.structuredContent: /],
	] as const)
		it(`${given} is refused`, () => assert.throws(() => callResult(given, true, undefined), problem));

	it('of a tool of the agent’s own is JSON, or a text', () => {
		assert.equal(callResult('{"stdout": ""}', false, undefined), '{"stdout":""}');
		assert.equal(callResult('fine', false, undefined), '"fine"');
	});
});

describe('how long a client waits', () => {
	const cases: readonly (readonly [
		client: string | undefined,
		transport: 'stdio' | 'http',
		hasProgress: boolean,
		ms: number | null,
	])[] = [
		['claude-code', 'http', true, null],
		['claude-code', 'http', false, 270_000],
		['claude-code', 'stdio', false, null],
		['opencode', 'stdio', true, null],
		['opencode', 'stdio', false, 54_000],
		['gemini-cli-mcp-client', 'http', true, 540_000],
		['codex-mcp-client', 'stdio', true, 54_000],
		['somebody', 'http', true, 54_000],
		[undefined, 'http', false, 54_000],
	];
	for (const [client, transport, hasProgress, ms] of cases)
		it(`${client ?? 'nobody'} over ${transport} ${hasProgress ? 'with' : 'without'} progress: ${ms ?? 'as long as one likes'}`, () => {
			const until = heldUntil({ client, transport, sentAt: 1_000, hasProgress });
			assert.equal(until, ms === null ? null : 1_000 + ms);
		});
});
