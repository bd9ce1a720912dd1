import assert from 'node:assert/strict';
import { leftOut, scopeParametersOf } from '../../src/core/scope/index.ts';
import type { GivenArguments } from '../../src/core/events/sessionEvent.ts';

const schema = {
	properties: {
		channel_id: { type: 'string' },
		channel_name: { type: 'string' },
		project: { type: ['string', 'null'], description: 'Null for the current project.' },
		since: { type: 'string', format: 'date-time' },
		until: { type: 'string', format: 'date-time' },
		days: { type: 'integer', description: 'Days back.' },
		filter: { type: 'object', properties: { repos: { type: 'array', items: { type: 'string' } } } },
		queries: { type: 'array', items: { type: 'object', properties: { region: { type: 'string' } } } },
		text: { type: 'string' },
	},
};

const all = ['channel_id', 'channel_name', 'project', 'since', 'until', 'days', 'filter.repos', 'queries[].region'];
const cases: readonly (readonly [what: string, given: Readonly<Record<string, string>>, missing: readonly string[]])[] =
	[
		['nothing was given', {}, all],
		['what was given is no scope', { text: '"a"' }, all],
		['a scope was given', { project: '"a"' }, without('project')],
		['it was given as nothing, and that stands for the default', { project: 'null' }, all],
		[
			'it was given as nothing, and no word says what that means',
			{ channel_id: 'null' },
			without('channel_id', 'channel_name'),
		],
		['another says the same', { channel_name: '"general"' }, without('channel_id', 'channel_name')],
		['it is within an object', { filter: '{"repos":["a"]}', 'filter.repos': '["a"]' }, without('filter.repos')],
		['its object was given without it', { filter: '{}' }, all],
		['its object is a text', { filter: '"repos:a"' }, without('filter.repos')],
		[
			'it is within the entries of a list',
			{ queries: '[{}]', 'queries[].region': '"eu"' },
			without('queries[].region'),
		],
		['the beginning of a stretch of time is known', { since: '"2026-01-01"' }, without('since', 'days')],
		['its end alone is known', { until: '"2026-01-01"' }, without('until', 'days')],
		['its length is known', { days: '3' }, without('since', 'until', 'days')],
	];

describe('what a call leaves out', () => {
	const parameters = scopeParametersOf({
		server: 'any',
		name: 'list_messages',
		description: undefined,
		inputSchema: JSON.stringify(schema),
	});
	assert.ok(!('reason' in parameters));

	it('is asked of every scope that the schema names', () => {
		assert.deepEqual(
			parameters.map(({ path }) => path),
			all,
		);
	});

	for (const [what, given, missing] of cases) {
		it(`where ${what}: ${missing.length === all.length ? 'all of them' : missing.join(', ')}`, () => {
			assert.deepEqual(
				leftOut(parameters, givenOf(given)).map(({ path }) => path),
				missing,
			);
		});
	}

	it('is not said where a call is not known, or in part', () => {
		assert.deepEqual(leftOut(parameters, undefined), []);
		assert.deepEqual(leftOut(parameters, { ...givenOf({}), isPartial: true }), []);
	});
});

function without(...given: readonly string[]): readonly string[] {
	return all.filter((path) => !given.includes(path));
}

function givenOf(values: Readonly<Record<string, string>>): GivenArguments {
	return {
		range: { column: 1, endColumn: 3 },
		values: Object.entries(values).map(([path, value]) => ({ path, value })),
		isPartial: false,
	};
}
