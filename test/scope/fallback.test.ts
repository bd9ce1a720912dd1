import assert from 'node:assert/strict';
import { isHarmless, scopeParametersOf } from '../../src/core/scope/index.ts';
import type { DescribedTool, ScopeParameter } from '../../src/core/scope/index.ts';

/** What the words of a parameter `project_id` come to; "-" where nothing tells. A `*` behind the value: it is everything there is. */
const spoken: readonly (readonly [words: string, value: string, source: string])[] = [
	['Defaults to the current project.', 'current project', 'caller'],
	['The project. Defaults to the current project', 'current project', 'caller'],
	['The project (defaults to the active project)', 'active project', 'caller'],
	['Project id (default: "main")', '"main"', 'description'],
	['Project id, default `main`', '"main"', 'description'],
	['Default is 7', '7', 'description'],
	['Default value: all', 'all*', 'description'],
	['If omitted, uses the active project.', 'active project', 'caller'],
	['If not provided, the current project is used', 'current project', 'caller'],
	['When omitted, searches all repositories.', 'all repositories*', 'description'],
	['If no project is given, every project is searched', 'every project*', 'description'],
	['Optional; all projects if not given', 'all projects*', 'description'],
	["Uses the caller's project unless specified", "caller's project", 'caller'],
	['Searches in your own workspace if not set', 'own workspace', 'caller'],
	['By default, uses your primary project', 'primary project', 'caller'],
	['Leave empty to search all projects', 'all projects*', 'description'],
	['Omit to search across everything', 'across everything*', 'description'],
	['Omit for all projects', 'all projects*', 'description'],
	['Null for the current project', 'current project', 'caller'],
	['Project. Otherwise the one of the session is taken', 'one of the session', 'description'],
	['Optional, current project', 'current project', 'caller'],
	['If unset, all messages in the current project', 'all messages in the current project', 'caller'],
	['Filter by project', 'everything*', 'description'],
	['Optional filter by project', 'everything*', 'description'],
	['Only return messages of this project', 'everything*', 'description'],
	['Project (for the names of boards; if omitted, lists projects)', 'projects*', 'description'],
	['If omitted, lists projects of the current team', 'projects of the current team', 'caller'],
	['ID of the project where the card exists (uses default if not provided)', 'default', 'description'],
	["Keywords mean days of the account's timezone, falling back to UTC otherwise", '-', ''],
	[
		'Overrides the environment if provided. Use empty string to disable filtering.',
		'disable filtering*',
		'description',
	],
	['The project of the task, or empty string to clear it', '-', ''],
	['If omitted for close, current project is closed.', 'current project is closed', 'caller'],
	['The id of the default branch', '-', ''],
	['The project to look in.', '-', ''],
	['If omitted, an error is returned', '-', ''],
	['If not provided, the user is asked', '-', ''],
	['', '-', ''],
];

describe('what a tool does without a scope', () => {
	for (const [words, value, source] of spoken) {
		it(`${words === '' ? 'no words' : words}: ${value === '-' ? 'nothing tells' : value}`, () => {
			const { fallback } = one({ type: 'string', description: words });
			if (value === '-') return assert.equal(fallback, undefined);
			assert.deepEqual(
				{ value: fallback?.value, source: fallback?.source, isEverything: fallback?.isEverything },
				{ value: value.replace('*', ''), source, isEverything: value.endsWith('*') },
			);
			assert.ok(words.includes(fallback?.words ?? '?'), fallback?.words);
		});
	}

	it('is the default of the schema before any words', () => {
		assert.deepEqual(one({ default: 'main', description: 'Defaults to the current project.' }).fallback, {
			value: '"main"',
			source: 'schema',
			words: '"default": "main"',
			isEverything: false,
		});
	});

	it('is everything where the default of the schema says so', () => {
		for (const value of ['all', '*', 'ANY']) assert.equal(one({ default: value }).fallback?.isEverything, true);
	});

	it('is told by the words where the default is none', () => {
		for (const value of [null, '', []]) {
			const { fallback, blanks } = one({ default: value, description: 'Defaults to the current project.' });
			assert.equal(fallback?.value, 'current project');
			assert.deepEqual(blanks, [JSON.stringify(value)]);
		}
	});

	it('is the only value that the schema allows', () => {
		const parameter = one({ enum: ['main'] });
		assert.equal(parameter.fallback?.value, '"main"');
		assert.ok(isHarmless(parameter));
	});

	it('is told by the words of the tool where those of the parameter do not', () => {
		const words = 'Lists issues. Uses the current project if none is given. Sorted by default: newest first.';
		assert.deepEqual(one({ type: 'string' }, words).fallback, {
			value: 'current project',
			source: 'caller',
			words: 'Uses the current project if none is given.',
			isEverything: false,
		});
		assert.equal(one({ type: 'string' }, 'Lists issues. Defaults to JSON.').fallback, undefined);
	});

	it('is nothing for what must be given', () => {
		assert.equal(one({ description: 'Defaults to the current project.' }, undefined, true).fallback, undefined);
	});

	it('loses nothing where a stretch of time ends now, and something where it begins late', () => {
		const schema = (words: string) => ({ type: 'string', description: words });
		assert.ok(isHarmless(of({ properties: { end_time: schema('Defaults to now.') } })));
		assert.ok(!isHarmless(of({ properties: { start_time: schema('Defaults to 24 hours ago.') } })));
	});

	it('loses nothing where it is the part of an answer', () => {
		assert.ok(isHarmless(of({ properties: { limit: { type: 'integer', default: 20 } } })));
	});

	it('loses nothing where it says where the answer is saved', () => {
		for (const name of ['output_directory', 'outputDir', 'downloadPath']) {
			const parameter = of({
				properties: { [name]: { type: 'string', description: 'Directory (default: ./out)' } },
			});
			assert.ok(isHarmless(parameter), name);
		}
		assert.ok(!isHarmless(of({ properties: { search_dir: { type: 'string', default: './src' } } })));
	});

	it('loses something where it is not everything, or nothing tells', () => {
		assert.ok(!isHarmless(one({ default: 'main' })));
		assert.ok(!isHarmless(one({})));
	});
});

describe('the values that mean the same as none', () => {
	const cases: readonly (readonly [words: string, blanks: readonly string[]])[] = [
		['The project.', []],
		['The project, or null for all.', ['null']],
		['Leave empty for all.', ['""', '[]']],
	];
	for (const [words, blanks] of cases) {
		it(`${words} ${blanks.join(' ')}`, () => assert.deepEqual(one({ description: words }).blanks, blanks));
	}
});

function one(schema: object, description?: string, isRequired = false): ScopeParameter {
	return of({ properties: { project_id: schema }, required: isRequired ? ['project_id'] : [] }, description);
}

function of(schema: object, description?: string): ScopeParameter {
	const tool: DescribedTool = {
		server: 'any',
		name: 'list_issues',
		description,
		inputSchema: JSON.stringify(schema),
	};
	const found = scopeParametersOf(tool);
	assert.ok(!('reason' in found));
	const [parameter] = found;
	assert.ok(parameter !== undefined && found.length === 1);
	return parameter;
}
