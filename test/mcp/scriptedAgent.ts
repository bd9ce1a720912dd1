// Stands in for an agent that is run under the debugger: it starts the servers that it was given, as agents do, calls one tool twice and
// prints what it was answered, one JSON object a line.
//
//   node scriptedAgent.ts --mcp-config=FILE …

import { readFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const words = process.argv.slice(2);
const config = words.find((word) => word.startsWith('--mcp-config='))?.slice('--mcp-config='.length) ?? '';
// It is what `crosstalk run` writes.
const { mcpServers } = JSON.parse(readFileSync(config, 'utf8')) as {
	mcpServers: Record<string, { command: string; args: string[]; env: Record<string, string> }>;
};
const { chat } = mcpServers;
if (chat === undefined) throw new Error('There is no server "chat".');
const client = new Client({ name: 'scripted', version: '1.0.0' });
const inherited = Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
await client.connect(
	new StdioClientTransport({
		...chat,
		env: { ...(Object.fromEntries(inherited) as Record<string, string>), ...chat.env },
	}),
);
for (const args of [{}, { context_id: 'all' }]) {
	const { isError } = await client.callTool({ name: 'list_messages', arguments: args });
	process.stdout.write(`${JSON.stringify({ args, isError: isError === true })}\n`);
}
await client.close();
