import assert from 'node:assert/strict';
import { anyGlob } from '../../src/core/debug/glob.ts';
import { hitCondition } from '../../src/core/debug/hitCondition.ts';
import { mcpToolNames, toolPattern } from '../../src/core/debug/toolPattern.ts';

describe('a glob', () => {
	const cases: readonly (readonly [pattern: string, text: string, isMatch: boolean])[] = [
		['*', '', true],
		['*', 'a/b', true],
		['a*', 'a', true],
		['a*c', 'abbc', true],
		['a*c', 'abbcd', false],
		['*b*', 'abc', true],
		['a?c', 'abc', true],
		['a?c', 'ac', false],
		['{read,write}*', 'write_file', true],
		['{read,write}', 'list', false],
		['{a,b}{1,2}', 'b2', true],
		['{a,{b,c}d}', 'cd', true],
		['{,x}y', 'y', true],
		['a.c', 'abc', false],
		['[a]', 'a', false],
	];
	for (const [pattern, text, wanted] of cases)
		it(`${pattern} is ${wanted ? '' : 'not '}${JSON.stringify(text)}`, () => {
			const matches = anyGlob(pattern);
			assert.equal(typeof matches === 'string' ? matches : matches(text), wanted);
		});

	for (const [pattern, problem] of [
		['{a', /no "}" behind/],
		['a}', /no "{" before/],
		['}{', /no "{" before/],
		['{a,b}'.repeat(20), /more than 256/],
	] as const)
		it(`${pattern.slice(0, 20)} is refused`, () => assert.match(String(anyGlob(pattern)), problem));

	it('takes no longer for a pattern that is meant to', () => {
		const matches = anyGlob('*a'.repeat(100));
		assert.ok(typeof matches !== 'string');
		const began = process.cpuUsage();
		assert.equal(matches('b'.repeat(100_000)), false);
		assert.ok(process.cpuUsage(began).user < 5e6);
	});
});

describe('the names of a tool', () => {
	it('of a server are those that people and agents have for it', () => {
		assert.deepEqual(mcpToolNames('analytics', 'query'), ['analytics/query', 'mcp__analytics__query']);
		assert.deepEqual(mcpToolNames('my server', 'a.b'), [
			'my server/a.b',
			'mcp__my server__a.b',
			'mcp__my_server__a_b',
		]);
	});

	it('are matched with what the agent is called by, where a pattern says so', () => {
		const pattern = toolPattern(' Explore:{Read,Grep} ');
		assert.ok(typeof pattern !== 'string');
		assert.equal(pattern.matches(['Grep'], ['Explore', 'a1']), true);
		assert.equal(pattern.matches(['Grep'], ['Plan']), false);
		assert.equal(pattern.matches(['Grep'], []), false);
		assert.equal(toolPattern(':Read'), '":Read" names no agents before the colon.');
		assert.equal(toolPattern('Explore:'), '"Explore:" names no tool: write one behind the colon, or "*".');
	});
});

describe('a hit condition', () => {
	const cases: readonly (readonly [text: string, hits: readonly number[]])[] = [
		['3', [3]],
		['== 3', [3]],
		['=3', [3]],
		['> 3', [4, 5, 6]],
		['>= 3', [3, 4, 5, 6]],
		['< 3', [1, 2]],
		['<= 3', [1, 2, 3]],
		[' % 2 ', [2, 4, 6]],
	];
	for (const [text, hits] of cases)
		it(`${text} stops at ${hits.join(', ')} of 6`, () => {
			const stops = hitCondition(text);
			assert.ok(typeof stops !== 'string');
			assert.deepEqual([1, 2, 3, 4, 5, 6].filter(stops), hits);
		});

	for (const text of ['', 'x', '3 times', '> ', '!= 3', '3.5', '-1', '% 0', '9'.repeat(16)])
		it(`"${text}" is refused`, () => assert.match(String(hitCondition(text)), /hit condition|never/));

	it('is refused at once, however much space it has', () => {
		assert.match(String(hitCondition(`${' '.repeat(2 ** 20)}x`)), /"x" is no hit condition/);
	});
});
