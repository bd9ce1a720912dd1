import assert from 'node:assert/strict';
import { scopeParametersOf } from '../../src/core/scope/index.ts';
import type { SeenCall } from '../../src/core/scope/index.ts';

type Values = Readonly<Record<string, unknown>>;

const open: SeenCall = call('open_basket', {}, { basket_id: 'b-1' });
const cases: readonly (readonly [what: string, calls: readonly SeenCall[], evidence: readonly string[]])[] = [
	['nothing was seen', [], []],
	['its values were given out, and to nobody since', [open], []],
	[
		'its values were given out and passed on to one tool',
		[open, call('add', { basket_id: 'b-1' }, {}), call('add', { basket_id: 'b-1' }, {})],
		[],
	],
	[
		'its values were given out and passed on to several tools',
		[open, call('add', { basket_id: 'b-1' }, {}), call('remove', { basketId: 'b-1' }, {})],
		['handle'],
	],
	[
		'other values than those given out were passed on',
		[open, call('add', { basket_id: 'x' }, {}), call('remove', { basket_id: 'x' }, {})],
		[],
	],
	[
		'what was given out had been given',
		[call('add', { basket_id: 'b-1' }, { basket_id: 'b-1' }), call('remove', { basket_id: 'b-1' }, {})],
		[],
	],
	['a list says where it is from', [call('list_lines', {}, { basket_id: 'b-1' }, 3)], ['echo']],
	['a list says what it was asked for', [call('list_lines', { basket_id: 'b-1' }, { basket_id: 'b-1' }, 3)], []],
	['what is no list says whose it is', [call('list_lines', {}, { basket_id: 'b-1' })], []],
	['another tool says where its list is from', [call('list_others', {}, { basket_id: 'b-1' }, 3)], []],
	['a list says that it is from nowhere', [call('list_lines', {}, { basket_id: null }, 3)], []],
];

describe('what results show of a parameter', () => {
	for (const [what, calls, evidence] of cases) {
		it(`where ${what}: ${evidence.length === 0 ? 'no scope' : evidence.join(', ')}`, () => {
			const found = scopeParametersOf(
				{
					server: 'shop',
					name: 'list_lines',
					description: undefined,
					inputSchema: '{"properties":{"basket_id":{"type":"string"},"id":{}}}',
				},
				undefined,
				{ calls },
			);
			assert.ok(!('reason' in found));
			assert.deepEqual(
				found.flatMap((parameter) => parameter.evidence.map(({ source }) => source)),
				evidence,
			);
		});
	}

	it('is added to what its name says', () => {
		const found = scopeParametersOf(
			{
				server: 'chat',
				name: 'list_messages',
				description: undefined,
				inputSchema: '{"properties":{"context_id":{"type":"string"}}}',
			},
			undefined,
			{
				calls: [
					call('open_context', {}, { context_id: 'c-1' }),
					call('list_messages', {}, { context_id: 'c-2' }, 0),
				],
			},
		);
		assert.ok(!('reason' in found));
		assert.deepEqual(found[0]?.evidence.slice(1), [
			{
				source: 'handle',
				sentence: 'The server itself gave out values of this name, in results of `open_context`.',
			},
			{ source: 'echo', sentence: 'A call without it was answered with `context_id`: "c-2".' },
		]);
	});
});

function call(tool: string, given: Values, result: Values, items?: number): SeenCall {
	return {
		tool,
		given: { range: { column: 1, endColumn: 3 }, values: valuesOf(given), isPartial: false },
		content: { items, values: valuesOf(result) },
	};
}

function valuesOf(values: Values): { path: string; value: string }[] {
	return Object.entries(values).map(([path, value]) => ({ path, value: JSON.stringify(value) }));
}
