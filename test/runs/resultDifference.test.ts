// Two results beside each other, as a server has sent them and as agents write them down.

import assert from 'node:assert/strict';
import { resultDifference } from '../../src/core/runs/replayCalls.ts';

const blocks = (value: string) => [{ type: 'text', text: value }];

const cases: readonly [title: string, one: unknown, other: unknown, path: string | undefined][] = [
	[
		'what a server says beside a result',
		{ content: blocks('a'), _meta: { 'crosstalk/delivery': 'once' } },
		{ content: blocks('a') },
		undefined,
	],
	['two from servers', { content: blocks('a') }, { content: blocks('b') }, 'content[0].text'],
	['the same in a transcript', blocks('a'), { content: blocks('a'), _meta: { at: 1 } }, undefined],
	['the same as text', 'a', { content: blocks('a') }, undefined],
	['another one in a transcript', blocks('a'), { content: blocks('b') }, '[0].text'],
	['two from transcripts', blocks('{"_meta":1}'), blocks('{"_meta":2}'), '[0].text._meta'],
	['none on one side', undefined, { content: blocks('a') }, ''],
];

describe('the difference of two results', () => {
	for (const [title, one, other, path] of cases) {
		it(`is ${path === undefined ? 'none' : `at "${path}"`}: ${title}`, () => {
			const there = resultDifference(one, other, []);
			const back = resultDifference(other, one, []);
			assert.deepEqual([there?.path, back?.path], [path, path]);
			assert.deepEqual([there?.one, there?.other], [back?.other, back?.one]);
		});
	}
});
