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
});
