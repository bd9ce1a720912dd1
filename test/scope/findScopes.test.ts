import assert from 'node:assert/strict';
import { scopeParametersOf } from '../../src/core/scope/index.ts';

describe('the scopes of a tool', () => {
	it('names the context of a tool that lists messages, and what it does without it', () => {
		const found = scopeParametersOf({
			server: 'chat',
			name: 'chat_list_messages',
			description: 'Lists messages.',
			inputSchema: JSON.stringify({
				type: 'object',
				properties: {
					context_id: { type: 'string', description: "Defaults to the caller's context." },
					text: { type: 'string' },
				},
			}),
		});
		assert.ok(!('reason' in found));
		assert.deepEqual(
			found.map(({ path, kind, fallback }) => ({ path, kind, fallback })),
			[
				{
					path: 'context_id',
					kind: 'context',
					fallback: {
						value: "caller's context",
						source: 'caller',
						words: "Defaults to the caller's context.",
						isEverything: false,
					},
				},
			],
		);
	});

	for (const [words, isOpen] of [
		['Only messages from then on; from the first one if left out.', true],
		['End of the range. Defaults to now.', true],
		['Optional, default: the current time.', true],
		['Defaults to 24 hours ago.', false],
		['If omitted, the last 7 days are searched.', false],
		['Defaults to the beginning of the month.', false],
		['Defaults to today.', false],
	] as const) {
		it(`${isOpen ? 'misses nothing' : 'may miss something'} where a border of time is left out: ${words}`, () => {
			const found = scopeParametersOf({
				server: 'chat',
				name: 'chat_list_messages',
				description: 'Lists messages.',
				inputSchema: JSON.stringify({ properties: { since: { type: 'string', description: words } } }),
			});
			assert.ok(!('reason' in found));
			assert.equal(found[0]?.fallback?.isEverything, isOpen);
		});
	}
});
