import assert from 'node:assert/strict';
import { scopeParametersOf } from '../../src/core/scope/index.ts';
import type { DescribedTool } from '../../src/core/scope/index.ts';

/** Tools by name, each with its parameters: a name, with `?` for what may be left out, or a name and its words. */
type Tools = Readonly<Record<string, readonly (string | readonly [name: string, words: string])[]>>;

const cases: readonly (readonly [what: string, tools: Tools, tool: string, found: readonly string[]])[] = [
	[
		'most tools take it',
		{ find_bolts: ['silo'], find_nuts: ['silo?'], read_bolt: ['silo', 'bolt_id'], count_nuts: ['silo'], ping: [] },
		'find_nuts',
		['silo'],
	],
	[
		'fewer than four tools take it',
		{ find_bolts: ['silo'], find_nuts: ['silo'], read_bolt: ['silo'] },
		'find_nuts',
		[],
	],
	[
		'half of the tools take it',
		{ a_x: ['silo'], b_x: ['silo'], c_x: ['silo'], d_x: ['silo'], e: ['o'], f: ['o'], g: ['r'], h: ['r'] },
		'a_x',
		[],
	],
	[
		'objects, texts and ways of working that most tools take',
		{
			list_a: ['spreadsheet_id', 'page_id', 'response_format', 'query', 'timezone', 'api_key', 'url', 'selector'],
			list_b: ['spreadsheet_id', 'page_id', 'response_format', 'query', 'timezone', 'api_key', 'url', 'selector'],
			list_c: ['spreadsheet_id', 'page_id', 'response_format', 'query', 'timezone', 'api_key', 'url', 'selector'],
			list_d: ['spreadsheet_id', 'page_id', 'response_format', 'query', 'timezone', 'api_key', 'url', 'selector'],
		},
		'list_a',
		[],
	],
	[
		'the words of other tools say so',
		{
			list_parts: [['silo', 'ID of the project']],
			list_nails: [['silo', 'ID of the project']],
			list_screws: ['silo'],
			ping: [],
			pong: [],
		},
		'list_screws',
		['silo'],
	],
	[
		'the words of one other tool say so',
		{ list_parts: [['silo', 'ID of the project']], list_screws: ['silo'], list_nails: ['silo'] },
		'list_screws',
		[],
	],
	[
		'a new thing may be given one',
		{
			list_parts: ['silo'],
			list_nails: ['silo'],
			list_screws: ['silo'],
			list_bolts: ['silo'],
			create_part: ['silo?'],
		},
		'create_part',
		[],
	],
];

describe('what the other tools of a server tell of a parameter', () => {
	for (const [what, tools, tool, expected] of cases) {
		it(`is ${expected.length === 0 ? 'nothing' : 'that it is a scope'} where ${what}`, () => {
			const siblings = Object.entries(tools).map(([name, parameters]) => describedTool(name, parameters));
			const own = siblings.find(({ name }) => name === tool);
			assert.ok(own !== undefined);
			const alone = scopeParametersOf(own);
			assert.ok(!('reason' in alone));
			assert.deepEqual(alone, []);
			const found = scopeParametersOf(own, undefined, undefined, siblings);
			assert.ok(!('reason' in found));
			assert.deepEqual(
				found.map(({ path }) => path),
				expected,
			);
			for (const { evidence } of found) {
				assert.deepEqual(
					evidence.map(({ source }) => source),
					['siblings'],
				);
				assert.match(
					evidence[0]?.sentence ?? '',
					/^\d+ of the server's \d+ tools|^In other tools of the server, such as `/,
				);
			}
		});
	}

	it('is taken into account though the list holds schemas that say nothing', () => {
		const siblings = [
			...['a', 'b', 'c', 'd'].map((name) => describedTool(`list_${name}`, ['silo'])),
			{ server: 'store', name: 'odd', description: undefined, inputSchema: 'no JSON' },
			{ server: 'store', name: 'none', description: undefined, inputSchema: undefined },
		];
		const [own] = siblings;
		assert.ok(own !== undefined);
		const found = scopeParametersOf(own, undefined, undefined, siblings);
		assert.ok(!('reason' in found));
		assert.equal(found.length, 1);
	});
});

function describedTool(name: string, parameters: Tools[string]): DescribedTool {
	const members = parameters.map((parameter) => (typeof parameter === 'string' ? [parameter, ''] : parameter));
	const schema = {
		type: 'object',
		properties: Object.fromEntries(
			members.map(([own = '', words]) => [
				own.replace('?', ''),
				{ type: 'string', ...(words === '' ? {} : { description: words }) },
			]),
		),
		required: members.flatMap(([own = '']) => (own.endsWith('?') ? [] : [own])),
	};
	return { server: 'store', name, description: undefined, inputSchema: JSON.stringify(schema) };
}
