/** The MCP server of the scene that is debugged, on stdio. Every call is noted in the file that SCENE_LOG names, as it reached the server. */
import { appendFileSync } from 'node:fs';

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const server = new Server({ name: 'analytics', version: '1.0.0' }, { capabilities: { tools: {} } });

server.setRequestHandler(ListToolsRequestSchema, () => ({
	tools: [
		{
			name: 'query',
			description: 'One page of the rows of a table.',
			annotations: { readOnlyHint: true },
			inputSchema: {
				type: 'object' as const,
				properties: {
					table: { type: 'string' },
					page: { type: 'integer', minimum: 1 },
					limit: { type: 'integer', minimum: 1, maximum: 50 },
				},
				required: ['table', 'page'],
			},
		},
	],
}));

server.setRequestHandler(CallToolRequestSchema, (request) => {
	const { name, arguments: input = {} } = request.params;
	const log = process.env['SCENE_LOG'];
	if (log !== undefined) appendFileSync(log, `${JSON.stringify({ tool: name, input })}\n`);
	const { page = 1 } = input as { page?: number };
	const rows = [1, 2, 3].map((row) => ({ id: (page - 1) * 50 + row, total: page * 100 + row }));
	return { content: [{ type: 'text', text: JSON.stringify({ page, rows }) }] };
});

process.stdin.on('end', () => process.exit(0));
process.stdin.on('close', () => process.exit(0));

await server.connect(new StdioServerTransport());
