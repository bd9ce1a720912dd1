import assert from 'node:assert/strict';
import { completionsFor } from '../../src/debugAdapter/debugConsole.ts';
import type { DebugTarget } from '../../src/debugAdapter/debugTarget.ts';

/** What was asked for, and what is proposed at the end of the text. */
async function completed(text: string): Promise<{ readonly owners: string[]; readonly labels: string[] }> {
	const owners: string[] = [];
	const target = {
		names: () => [{ name: 'arguments', isFunction: false, detail: '' }],
		evaluate: async (expression: string) => {
			owners.push(expression);
			return { page: 1, path: 2, 'a b': 3 };
		},
	} as unknown as DebugTarget; // nothing else of it is asked
	const items = await completionsFor(target, undefined, text, text.length);
	return { owners, labels: items.map(({ label }) => label) };
}

describe('completions in the debug console', () => {
	for (const [text, owners, labels] of [
		['', [], ['arguments']],
		['1 + ar', [], ['arguments']],
		['arguments.', ['arguments'], ['page', 'path']],
		['1 < arguments.rows[0]["a b"].pag', ['arguments.rows[0]["a b"]'], ['page']],
		['f(x).', [], ['arguments']],
		['tool == "ar', [], []],
	] as const)
		it(`of ${JSON.stringify(text)}`, async () => assert.deepEqual(await completed(text), { owners, labels }));

	it('come at once, however long the text is', async () => {
		assert.deepEqual(await completed(`${'a'.repeat(2 ** 20)} `), { owners: [], labels: ['arguments'] });
		assert.deepEqual((await completed(`${'a'.repeat(2 ** 20)}"].a.`)).owners, ['a']);
		assert.deepEqual((await completed(`${'a.'.repeat(2 ** 19)}!`)).owners, []);
	});
});
