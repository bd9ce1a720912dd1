import assert from 'node:assert/strict';
import { LeftOutScopes } from '../../../src/core/host/debug/leftOutScopes.ts';
import { ScopeBook } from '../../../src/core/host/scopes/scopeBook.ts';
import type { ScopeSettings } from '../../../src/core/scope/index.ts';

const context = { type: 'string', description: 'The context that is listed. Defaults to the current context.' };
const environment = { type: 'string', enum: ['staging', 'production'], default: 'staging' };

const tools: Record<string, Record<string, unknown>> = {
	list_messages: { context_id: context, limit: { type: 'integer', default: 20 } },
	get_message: { context_id: context, message_id: { type: 'string' } },
	deploy: { environment },
	echo: { text: { type: 'string' } },
};

function left(tool: string, args: unknown, more: readonly string[] = [], settings?: ScopeSettings) {
	const book = new ScopeBook();
	if (settings !== undefined) book.put('test', settings, 'everybody');
	const all = [...Object.entries(tools), ...more.map((name) => [name, {}] as const)].map(([name, properties]) => ({
		server: 'chat',
		name,
		description: undefined,
		inputSchema: JSON.stringify({ type: 'object', properties }),
	}));
	return new LeftOutScopes(book).of(['chat'], tool, () => all, args);
}

describe('what a call that is about to be made leaves out', () => {
	it('is told with what the tool takes for it', () => {
		assert.equal(
			left('list_messages', { limit: 5 }),
			'The call does not say "context_id"; the tool takes current context for it.',
		);
		assert.equal(left('deploy', {}), 'The call does not say "environment"; the tool takes "staging" for it.');
		assert.match(String(left('deploy', null)), /environment/);
	});

	it('is nothing where it is said, or something else says it', () => {
		assert.equal(left('list_messages', { context_id: 'c1' }), null);
		assert.equal(left('get_message', { message_id: 'm1' }), null);
		assert.equal(left('echo', {}), null);
	});

	it('is not told where it cannot be known', () => {
		assert.equal(left('unheard_of', {}), undefined);
		assert.equal(left('list_messages', [1]), undefined);
		assert.equal(left('list_messages', { a: { b: { c: { d: 1 } } } }), undefined);
		const many = Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`m${index}`, index]));
		assert.equal(left('list_messages', many), undefined);
		let deep: unknown = 1;
		for (let level = 0; level < 10_000; level++) deep = [deep];
		assert.match(String(left('list_messages', { limit: deep })), /"context_id"/);
		// Its agent may have chosen the current one.
		assert.equal(left('list_messages', {}, ['switch_context']), null);
		assert.match(String(left('deploy', {}, ['switch_context'])), /environment/);
	});

	it('is what people have set', () => {
		const of = (tool: string, settings: ScopeSettings[string][string]) => ({ chat: { [tool]: settings } });
		assert.equal(left('deploy', {}, [], of('deploy', { intended: { environment: 'That is meant.' } })), null);
		assert.match(String(left('echo', {}, [], of('echo', { parameters: ['text'] }))), /does not say "text"/);
		const filled = of('deploy', { policy: 'fill', values: { environment: 'production' } });
		assert.equal(left('deploy', {}, [], filled), null);
	});
});
