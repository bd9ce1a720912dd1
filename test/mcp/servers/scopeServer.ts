// A real MCP server on stdio, made with the SDK, whose tools look in a default scope. It writes down what arguments reached it: what a host
// claims to have refused or put in is judged by this log alone.
//
//   node scopeServer.ts --log FILE

import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const { values } = parseArgs({ options: { log: { type: 'string' } } });
const { log } = values;
if (log === undefined) throw new Error('Say where calls are written down: --log FILE.');

serveStdio(() => {
	const server = new McpServer({ name: 'scopes', version: '1.0.0' });
	const answer = (tool: string, args: unknown, result: unknown) => {
		appendFileSync(log, `${JSON.stringify({ tool, args })}\n`);
		return { content: [{ type: 'text' as const, text: JSON.stringify(result) }] };
	};
	server.registerTool('list_contexts', { inputSchema: z.object({}) }, (args) =>
		answer('list_contexts', args, { contexts: [{ id: 'general' }, { id: 'night' }] }),
	);
	const listed = server.registerTool(
		'list_messages',
		{
			inputSchema: z.object({
				context_id: z
					.string()
					.optional()
					.describe('The context, or "all" for every context. Defaults to the current context.'),
				since: z.string().optional(),
			}),
		},
		(args) => answer('list_messages', args, { context_id: args.context_id ?? 'own', messages: [] }),
	);
	server.registerTool(
		'search',
		{
			inputSchema: z.object({
				filter: z
					.object({
						project: z.string().optional().describe('Defaults to the current project.'),
						text: z.string().optional(),
					})
					.optional(),
			}),
		},
		(args) => answer('search', args, []),
	);
	server.registerTool(
		'batch',
		{
			inputSchema: z.object({
				queries: z.array(
					z.object({
						repo: z.string().optional().describe('Defaults to the current repository.'),
						words: z.string(),
					}),
				),
			}),
		},
		(args) => answer('batch', args, []),
	);
	// What the SDK tells of a tool without parameters is a schema without any.
	server.registerTool('bare', {}, () => answer('bare', {}, []));
	server.registerTool('take_away', { inputSchema: z.object({}) }, (args) => {
		listed.remove();
		return answer('take_away', args, {});
	});
	server.registerTool('rename', { inputSchema: z.object({}) }, (args) => {
		listed.update({ name: 'messages' });
		return answer('rename', args, {});
	});
	return server;
});
