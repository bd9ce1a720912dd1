import assert from 'node:assert/strict';
import { globSync, readFileSync, readdirSync } from 'node:fs';
import { sep } from 'node:path';
import { anchorsOf, linksIn } from './markdown.ts';

describe('the documentation', () => {
	const pages = [
		...readdirSync('.').filter((name) => name.endsWith('.md')),
		...globSync('{docs,examples,test/scope}/**/*.md').map((path) => path.split(sep).join('/')),
	];

	it('has links to files and headings that are there', () => {
		assert.ok(pages.includes('docs/cli.md') && pages.includes('docs/rules/orphaned-tool-use.md'));
		const broken = pages.flatMap((page) =>
			linksIn(page)
				.filter(({ path, anchor }) => {
					if (globSync(path).length === 0) return true;
					return anchor !== undefined && !anchorsOf(path).has(anchor);
				})
				.map(({ path, anchor }) => `${page}: ${path}${anchor === undefined ? '' : `#${anchor}`}`),
		);
		assert.deepEqual(broken, []);
	});

	it('lists every decision once, in the order of their numbers', () => {
		const decisions = readdirSync('docs/decisions')
			.filter((name) => name !== 'README.md')
			.sort();
		assert.deepEqual(
			linksIn('docs/decisions/README.md').map(({ path }) => path),
			decisions.map((name) => `docs/decisions/${name}`),
		);
		for (const [index, name] of decisions.entries()) {
			const number = index + 1;
			assert.ok(name.startsWith(`${String(number).padStart(4, '0')}-`), name);
			assert.ok(readFileSync(`docs/decisions/${name}`, 'utf8').startsWith(`# ${number}. `), name);
		}
	});

	it('shows contributors a rule and a test that are there', () => {
		const [, section = ''] = /^## A rule\n([\s\S]*?)^## /m.exec(readFileSync('CONTRIBUTING.md', 'utf8')) ?? [];
		const shown = [...section.matchAll(/```ts\n([\s\S]*?)```/g)].flatMap(([, code = '']) => code.split('\n'));
		assert.ok(shown.length > 40);
		const real = ['src/core/rules/damaged-line.ts', 'test/rules/damaged-line.test.ts'].flatMap((path) =>
			readFileSync(path, 'utf8').split('\n'),
		);
		assert.deepEqual(
			shown.filter((line) => !real.includes(line)),
			[],
		);
	});
});
