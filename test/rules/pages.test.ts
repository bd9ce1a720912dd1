// Every rule has code, a test and a page, and what the page shows is true.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { rules } from '../../src/core/rules/index.ts';
import { check } from './ruleTester.ts';
import type { RuleCase } from './ruleTester.ts';

const headings = [
	'What it finds',
	'Why it matters',
	'Example that is wrong',
	'Example that is right',
	'When it is silent or inconclusive',
	'How to mend',
	'Settings',
];

/** Files in `src/core/rules` that are no rules. */
const helpers = new Set([
	'callFailure.ts',
	'callers.ts',
	'clients.ts',
	'coverage.ts',
	'evidence.ts',
	'index.ts',
	'linter.ts',
	'refusals.ts',
	'repeatable.ts',
	'rule.ts',
	'scopedCalls.ts',
	'siblings.ts',
]);

const ids = rules.map((rule) => rule.id).sort();

describe('the rules', () => {
	it('have a file each, named like the rule', () => {
		assert.deepEqual(
			filesIn('src/core/rules', '.ts').filter((id) => !helpers.has(`${id}.ts`)),
			ids,
		);
	});

	it('have a page each, and no page is about nothing', () => {
		assert.deepEqual(filesIn('docs/rules', '.md'), ids);
	});

	it('have a test each', () => {
		const tests = new Set(filesIn('test/rules', '.test.ts'));
		assert.deepEqual(
			ids.filter((id) => !tests.has(id)),
			[],
		);
	});

	for (const rule of rules) {
		describe(rule.id, () => {
			const test = readFileSync(`test/rules/${rule.id}.test.ts`, 'utf8');
			const page = readFileSync(`docs/rules/${rule.id}.md`, 'utf8');
			const sections = new Map(
				page
					.split(/^## /m)
					.slice(1)
					.map((section) => [
						section.slice(0, section.indexOf('\n')),
						section.slice(section.indexOf('\n')).trim(),
					]),
			);

			it('has every message marked in its test', () => {
				const marked = new Set([...test.matchAll(/^\s*(?:\^+|~+)\s+(\w+)/gm)].map((match) => match[1]));
				assert.deepEqual(
					Object.keys(rule.meta.messages).filter((messageId) => !marked.has(messageId)),
					[],
				);
			});

			it('is described by one finished sentence', () => {
				assert.match(rule.meta.description, /^[A-Z][^.]*\.$/);
			});

			it('has a page with the headings of all pages, none of them empty', () => {
				assert.ok(page.startsWith(`# ${rule.id}\n`));
				assert.deepEqual([...sections.keys()], headings);
				assert.deepEqual(
					[...sections].filter(([, text]) => text === ''),
					[],
				);
			});

			it('has a page that tells its severity', () => {
				assert.ok(sections.get('Settings')?.includes(`**${rule.meta.severity}**`));
			});

			it('reports the example that is wrong, where the page says so', async () => {
				const marks = await check(rule, exampleIn(sections.get('Example that is wrong')));
				assert.ok(marks.some((mark) => mark.kind === 'diagnostic'));
			});

			it('is silent on the example that is right', async () => {
				assert.deepEqual(await check(rule, exampleIn(sections.get('Example that is right'))), []);
			});

			it('links only to pages that are there', () => {
				const links = [...page.matchAll(/\]\(([\w-]+)\.md\)/g)].map((match) => match[1] ?? '');
				assert.deepEqual(
					links.filter((id) => !ids.includes(id)),
					[],
				);
			});
		});
	}
});

function filesIn(folder: string, ending: string): string[] {
	return readdirSync(folder)
		.filter((name) => name.endsWith(ending))
		.map((name) => name.slice(0, -ending.length))
		.sort();
}

/** `transcript with other-rule`: another rule has something to say of it too. */
function exampleIn(section: string | undefined): RuleCase {
	const example = /```transcript(?: with ([\w-]+))?\n([^]*?)```/.exec(section ?? '');
	assert.ok(example?.[2], 'The page has an example.');
	return { name: 'its example', transcript: example[2], also: example[1] === undefined ? [] : [example[1]] };
}
