/**
 * The MCP server of the end-to-end tests, on stdio. Its tools take as long as a test wants: `sleep` by the clock, `wait_for_file` until
 * the test writes a file, which makes "in mid-call" a fact and not a race. Every call is noted in the file that WORKBENCH_LOG names.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const POLL_MS = 20;
// Clients run calls of one message side by side only if the tools say that they change nothing.
const annotations = { readOnlyHint: true };

const tools = [
	{
		name: 'echo',
		description: 'Gives the text back.',
		annotations,
		inputSchema: { type: 'object' as const, properties: { text: { type: 'string' } }, required: ['text'] },
	},
	{
		name: 'sleep',
		description: 'Answers after a number of seconds.',
		annotations,
		inputSchema: { type: 'object' as const, properties: { seconds: { type: 'number' } }, required: ['seconds'] },
	},
	{
		name: 'wait_for_file',
		description: 'Answers when the file exists.',
		annotations,
		inputSchema: { type: 'object' as const, properties: { path: { type: 'string' } }, required: ['path'] },
	},
	{
		name: 'fail',
		description: 'Answers with an error.',
		annotations,
		inputSchema: { type: 'object' as const, properties: {} },
	},
];

const server = new Server({ name: 'workbench', version: '1.0.0' }, { capabilities: { tools: {} } });

server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }));

server.setRequestHandler(CallToolRequestSchema, async (request, extra) => {
	const { name, arguments: input = {}, _meta: meta } = request.params;
	note({ phase: 'started', tool: name, input, meta });
	const text = await runTool(name, input, extra.signal);
	note({ phase: 'ended', tool: name, input, meta });
	return text === undefined
		? { content: [{ type: 'text', text: 'It failed, as asked.' }], isError: true }
		: { content: [{ type: 'text', text }] };
});

async function runTool(name: string, input: Record<string, unknown>, signal: AbortSignal): Promise<string | undefined> {
	switch (name) {
		case 'echo':
			return String(input['text']);
		case 'sleep':
			await delay(Number(input['seconds']) * 1000, undefined, { signal });
			return `slept ${String(input['seconds'])} s`;
		case 'wait_for_file':
			while (!existsSync(String(input['path']))) await delay(POLL_MS, undefined, { signal });
			return `found ${String(input['path'])}`;
		case 'fail':
			return undefined;
		default:
			throw new Error(`There is no tool ${name}.`);
	}
}

function note(entry: Record<string, unknown>): void {
	const log = process.env['WORKBENCH_LOG'];
	if (log !== undefined) appendFileSync(log, `${JSON.stringify({ at: Date.now(), pid: process.pid, ...entry })}\n`);
}

// A client that was killed sends no goodbye: its end of the pipe closes, and a waiting tool must not keep this process alive.
process.stdin.on('end', () => process.exit(0));
process.stdin.on('close', () => process.exit(0));

await server.connect(new StdioServerTransport());
