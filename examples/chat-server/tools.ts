import { McpServer } from '@modelcontextprotocol/server';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { StoreError } from '../../src/platform/node/sessionStore.ts';
import { idempotencyKey } from '../analytics-server/caller.ts';
import { ChatError, everything } from './chat.ts';
import type { Chats } from './chat.ts';

export interface ChatOptions {
	readonly chats: Chats;
	/** Writes under this name. */
	readonly author: string;
}

/**
 * The tools of a chat with several contexts. `chat_list_messages` is made as many such tools are: it is kind to whoever chats, because
 * one need not say where one is, and it misleads whoever runs at night in a tab of its own.
 */
export function createChatServer({ chats, author }: ChatOptions): McpServer {
	const server = new McpServer({ name: 'chat', version: '1.0.0' });
	const reads = { readOnlyHint: true, openWorldHint: false };

	server.registerTool(
		'chat_list_contexts',
		{
			description: 'The contexts there are, with the number of their messages and the time of the last one.',
			inputSchema: z.object({}),
			annotations: reads,
		},
		() => answered(async () => ({ contexts: await chats.contexts() })),
	);
	server.registerTool(
		'chat_list_messages',
		{
			description: 'Lists chat messages, oldest first.',
			inputSchema: z.object({
				context_id: z
					.string()
					.optional()
					.describe(
						`The context whose messages are listed, or "${everything}" for those of every context. Defaults to the current context.`,
					),
				since: z
					.string()
					.optional()
					.describe('ISO 8601. Only messages from then on; from the first one if left out.'),
				limit: z.int().min(1).max(1000).default(200).describe('At most so many, the latest ones'),
			}),
			annotations: reads,
		},
		({ context_id: named, since, limit }) =>
			answered(async () => {
				const contextId = named ?? chats.ownContext;
				return { context_id: contextId, messages: await chats.messages(contextId, since, limit) };
			}),
	);
	server.registerTool(
		'chat_post_message',
		{
			description: 'Writes a message.',
			inputSchema: z.object({
				context_id: z.string().describe('The context that it is written to'),
				text: z.string().min(1).max(10_000),
			}),
			annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: false },
		},
		({ context_id: contextId, text }, { mcpReq: { _meta: meta = {} } }) =>
			answered(() =>
				chats.post(
					contextId,
					{ at: new Date().toISOString(), author, text },
					idempotencyKey({ meta, headers: undefined }),
				),
			),
	);
	return server;
}

async function answered(run: () => Promise<object>): Promise<CallToolResult> {
	try {
		return { content: [{ type: 'text', text: JSON.stringify(await run()) }] };
	} catch (error) {
		if (error instanceof ChatError || error instanceof StoreError)
			return { content: [{ type: 'text', text: error.message }], isError: true };
		throw error;
	}
}
