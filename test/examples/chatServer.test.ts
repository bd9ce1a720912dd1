// The chat server as agents meet it.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport, getDefaultEnvironment } from '@modelcontextprotocol/client/stdio';
import { busyDay, dayStart } from '../../examples/chat-server/busyDay.ts';
import type { ContextSummary, FoundMessage } from '../../examples/chat-server/chat.ts';
import { startAgent } from '../e2e/agentProcess.ts';

const said = Object.values(busyDay).reduce((sum, messages) => sum + messages.length, 0);

describe('the chat server', function () {
	this.timeout(300_000);
	let directory: string;
	const clients = new Set<Client>();

	beforeEach(async () => {
		directory = await mkdtemp(join(tmpdir(), 'crosstalk-chat-'));
	});
	afterEach(async () => {
		await Promise.all([...clients].map((client) => client.close()));
		clients.clear();
		await rm(directory, { recursive: true, force: true });
	});

	async function start(context: string, ...more: readonly string[]): Promise<Client> {
		const client = new Client({ name: 'a test', version: '1' });
		await client.connect(
			new StdioClientTransport({
				command: process.execPath,
				args: ['examples/chat-server/server.ts', '--store', directory, '--context', context, ...more],
				env: getDefaultEnvironment(),
				stderr: 'inherit',
			}),
		);
		clients.add(client);
		return client;
	}

	async function call(client: Client, name: string, args: Record<string, unknown>, toolUseId?: string) {
		const meta = toolUseId === undefined ? {} : { _meta: { 'claudecode/toolUseId': toolUseId } };
		const result = await client.callTool({ name, arguments: args, ...meta });
		const [content] = result.content;
		assert.equal(content?.type, 'text');
		return { isError: result.isError === true, text: content.text };
	}

	async function messages(client: Client, args: Record<string, unknown>) {
		const { isError, text } = await call(client, 'chat_list_messages', args);
		assert.ok(!isError, text);
		// What the server has just made.
		return JSON.parse(text) as { context_id: string; messages: FoundMessage[] };
	}

	it('lists the messages of its own tab when it is not told where to look, and those are none', async () => {
		const review = await start('tab-review', '--busy-day');
		assert.deepEqual(await messages(review, { since: dayStart }), { context_id: 'tab-review', messages: [] });
	});

	it('lists those of every tab, or of one, when it is told so', async () => {
		const review = await start('tab-review', '--busy-day');
		const all = await messages(review, { context_id: 'all', since: dayStart });
		assert.equal(all.messages.length, said);
		assert.deepEqual(
			all.messages.map(({ at }) => at),
			all.messages.map(({ at }) => at).toSorted(),
		);
		const billing = await messages(review, { context_id: 'tab-billing' });
		assert.deepEqual(
			billing.messages.map(({ text }) => text),
			busyDay['tab-billing']?.map(([, , text]) => text),
		);
		const late = await messages(review, { context_id: 'all', since: '2026-11-20T15:00:00Z', limit: 1 });
		assert.deepEqual(
			late.messages.map(({ context_id: context, number }) => [context, number]),
			[['tab-billing', 4]],
		);
	});

	it('says which contexts there are', async () => {
		const review = await start('tab-review', '--busy-day');
		const { text } = await call(review, 'chat_list_contexts', {});
		const { contexts } = JSON.parse(text) as { contexts: ContextSummary[] };
		assert.deepEqual(
			contexts.map(({ context_id: id, messages: count }) => [id, count]),
			[
				['tab-billing', 4],
				['tab-checkout', 5],
				['tab-review', 0],
				['tab-search', 3],
			],
		);
	});

	it('writes a message once though it is sent twice, and servers of other tabs see it', async () => {
		const [one, other] = [await start('tab-one'), await start('tab-other')];
		const post = { context_id: 'tab-one', text: 'hello' };
		const first = await call(one, 'chat_post_message', post, 'toolu_1');
		assert.deepEqual(await call(one, 'chat_post_message', post, 'toolu_1'), first);
		assert.equal((await messages(other, { context_id: 'tab-one' })).messages.length, 1);
	});

	it('writes its demonstration day once', async () => {
		await messages(await start('tab-review', '--busy-day'), {});
		const again = await start('tab-review', '--busy-day');
		assert.equal((await messages(again, { context_id: 'all' })).messages.length, said);
	});

	for (const [what, name, args, words] of [
		[
			'a context that is not there',
			'chat_list_messages',
			{ context_id: 'tab-x' },
			/There is no context "tab-x"; there are tab-a/,
		],
		['a time that is none', 'chat_list_messages', { since: 'yesterday' }, /"yesterday" is no time/],
		['a message to all', 'chat_post_message', { context_id: 'all', text: 'x' }, /A message belongs to one context/],
	] as const)
		it(`refuses ${what}`, async () => {
			const { isError, text } = await call(await start('tab-a'), name, args);
			assert.ok(isError);
			assert.match(text, words);
		});

	for (const [what, args, words] of [
		['without a store', ['--context', 'a'], /^Say where the chats are kept: --store DIR\.\n$/],
		['without a context', ['--store', 'x'], /^Say which context its client runs in: --context ID\.\n$/],
	] as const)
		it(`does not start ${what}`, async () => {
			const server = startAgent({
				command: process.execPath,
				args: ['--no-warnings', 'examples/chat-server/server.ts', ...args],
				cwd: process.cwd(),
				environment: {},
			});
			assert.deepEqual(await server.exited, { code: 2, signal: null });
			assert.match(server.stderr(), words);
		});
});
