// What is known of tools: from the transcript itself, and from a host's catalogue.

import assert from 'node:assert/strict';
import { createCore } from '../../src/core/core.ts';
import { createConversation, fold, toolOf } from '../../src/core/conversation/index.ts';
import type { Conversation } from '../../src/core/conversation/index.ts';
import { mainAgentId, sessionId } from '../../src/core/base/ids.ts';
import { FORMAT_VERSION } from '../../src/core/events/sessionEvent.ts';
import type { CataloguedTool, SessionEvent, ToolDescribed } from '../../src/core/events/sessionEvent.ts';
import { MemoryFiles } from '../transcripts/memoryFiles.ts';

const path = '/home/dev/session.jsonl';
const session = { format: 'claude-code', nativeId: 'session', mainPath: path, agents: [] } as const;
const options = { assume: 'ended', rules: {}, withPreviews: false } as const;

let next = 0;

function call(name: string): string {
	const id = `a${++next}`;
	const content = [{ type: 'tool_use', id: `t${next}`, name, input: {} }];
	return `${JSON.stringify({ parentUuid: null, type: 'assistant', uuid: id, sessionId: 'session', message: { id, role: 'assistant', content } })}\n`;
}

/** Of the call before. */
function answer(): string {
	const content = [{ type: 'tool_result', tool_use_id: `t${next}`, content: '[]' }];
	return `${JSON.stringify({ parentUuid: `a${next}`, type: 'user', uuid: `r${next}`, sessionId: 'session', message: { role: 'user', content } })}\n`;
}

function shape(name: string, description: string): string {
	const tools = [{ name, description, input_schema: { type: 'object' } }];
	return `${JSON.stringify({ type: 'api-request-shape', sessionId: 'session', shape: { tools } })}\n`;
}

function known(conversation: Conversation): readonly string[] {
	return [...conversation.tools].flatMap(([server, tools]) =>
		[...tools.values()].map(({ name, description }) => `${server}/${name} ${description}`),
	);
}

function tool(server: string, name: string, description = 'By the host.'): CataloguedTool {
	return { server, tool: name, description, inputSchema: '{}' };
}

function coreWith(files: MemoryFiles, read: () => readonly CataloguedTool[]) {
	return createCore({
		files,
		liveness: { probe: async () => ({ state: 'ended', evidence: 'The test says so.' }) },
		clock: { now: () => 0 },
		toolCatalogue: { read: async () => read() },
	});
}

describe('tools in a conversation', () => {
	const described = (more: Partial<ToolDescribed>): SessionEvent => ({
		version: FORMAT_VERSION,
		seq: 0,
		sessionId: sessionId('claude-code', 'session'),
		agent: { unknown: '' },
		source: { kind: 'process' },
		type: 'tool-described',
		server: 'chat',
		tool: 'list',
		...more,
	});

	it('are as their server said last, and gone when it has taken them away', () => {
		const conversation = createConversation(sessionId('claude-code', 'session'));
		fold(conversation, [
			described({ description: 'One.' }),
			described({ tool: 'post' }),
			described({ description: 'Two.' }),
		]);
		assert.deepEqual(known(conversation), ['chat/list Two.', 'chat/post undefined']);
		fold(conversation, [described({ isRemoved: true }), described({ server: 'other', isRemoved: true })]);
		assert.deepEqual(known(conversation), ['chat/post undefined']);
	});

	it('change the calls of just these tools, and only when something is other than before', async () => {
		const files = new MemoryFiles();
		files.write(path, call('mcp__chat__list') + call('mcp__chat__post') + call('mcp__other__list') + call('list'));
		const { conversation } = await coreWith(files, () => []).readSession(session, options);
		const changed = (more: Partial<ToolDescribed>) =>
			[...fold(conversation, [described(more)]).toolCalls].map((found) => `${found.server ?? ''}/${found.name}`);
		const [listCall] = conversation.agents.get(mainAgentId)?.toolCalls ?? [];
		assert.ok(listCall !== undefined);
		assert.equal(toolOf(conversation, listCall), undefined);
		assert.deepEqual(changed({ server: 'nobody' }), []);
		assert.deepEqual(changed({ description: 'Lists.' }), ['chat/list']);
		assert.equal(toolOf(conversation, listCall)?.description, 'Lists.');
		assert.deepEqual(changed({ description: 'Lists.' }), []);
		assert.deepEqual(changed({ description: 'Lists.', inputSchema: '{}' }), ['chat/list']);
		assert.deepEqual(changed({ isRemoved: true }), ['chat/list']);
		assert.deepEqual(changed({ isRemoved: true }), []);
	});

	it('come from the catalogue for the servers that are called, by the name that agents give them', async () => {
		const files = new MemoryFiles();
		files.write(path, call('mcp__my_chat__list') + call('Bash'));
		const catalogue = [tool('my chat', 'list'), tool('my chat', 'post'), tool('unused', 'list')];
		const { conversation } = await coreWith(files, () => catalogue).readSession(session, options);
		assert.deepEqual(known(conversation), ['my_chat/list By the host.', 'my_chat/post By the host.']);
	});

	for (const order of ['before', 'after'] as const) {
		it(`are as the transcript says, where it says it ${order} the first call`, async () => {
			const files = new MemoryFiles();
			const lines = [shape('mcp__chat__list', 'By the transcript.'), call('mcp__chat__list')];
			files.write(path, (order === 'before' ? lines : lines.reverse()).join(''));
			const core = coreWith(files, () => [tool('chat', 'list'), tool('chat', 'post')]);
			const expected = ['chat/list By the transcript.', 'chat/post By the host.'];
			const { conversation } = await core.readSession(session, options);
			assert.deepEqual([...known(conversation)].sort(), expected);
			const followed = core.followSession(session, options);
			await followed.update();
			assert.deepEqual([...known(followed.conversation)].sort(), expected);
		});
	}

	it('come to a session that is followed as soon as the catalogue has them', async () => {
		const files = new MemoryFiles();
		files.write(path, call('mcp__chat__list'));
		let catalogue: readonly CataloguedTool[] = [];
		const followed = coreWith(files, () => catalogue).followSession(session, options);
		await followed.update();
		assert.deepEqual(known(followed.conversation), []);
		catalogue = [tool('chat', 'list')];
		const update = await followed.update();
		assert.ok(update.hasNewEvents);
		assert.ok(update.changes.some(({ toolCalls }) => [...toolCalls].some(({ name }) => name === 'list')));
		assert.deepEqual(known(followed.conversation), ['chat/list By the host.']);
		assert.equal((await followed.update()).hasNewEvents, false);
		files.write(path, call('mcp__chat__list'));
		assert.ok((await followed.update()).isFresh);
		assert.deepEqual(known(followed.conversation), ['chat/list By the host.']);
	});

	it('are looked at again by the rules when they come later than their calls', async () => {
		const files = new MemoryFiles();
		files.write(path, call('mcp__chat__list') + answer());
		let catalogue: readonly CataloguedTool[] = [];
		const followed = coreWith(files, () => catalogue).followSession(session, options);
		await followed.update();
		assert.deepEqual(
			followed.diagnostics.filter(({ ruleId }) => ruleId === 'default-scope-query'),
			[],
		);
		const context = { type: 'string', description: "Defaults to the caller's own context." };
		const inputSchema = JSON.stringify({ type: 'object', properties: { context_id: context } });
		catalogue = [{ ...tool('chat', 'list'), inputSchema }];
		assert.ok((await followed.update()).hasNewFindings);
		assert.equal(followed.diagnostics.filter(({ ruleId }) => ruleId === 'default-scope-query').length, 1);
		catalogue = [{ ...tool('chat', 'list'), inputSchema: '{"type":"object"}' }];
		assert.ok((await followed.update()).hasNewFindings);
		assert.deepEqual(
			followed.diagnostics.filter(({ ruleId }) => ruleId === 'default-scope-query'),
			[],
		);
	});

	it('leave the time of the session as its transcript has it', async () => {
		const files = new MemoryFiles();
		files.write(path, call('mcp__chat__list'));
		const { conversation } = await coreWith(files, () => [tool('chat', 'list')]).readSession(session, options);
		assert.deepEqual([conversation.startedAt, conversation.lastEventAt], [undefined, undefined]);
	});
});
