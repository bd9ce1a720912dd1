// A server without the tools that anybody has called.

import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

serveStdio(() => {
	const server = new McpServer({ name: 'bare', version: '1.0.0' });
	server.registerTool('other', { description: 'Says nothing.' }, () => ({ content: [] }));
	return server;
});
