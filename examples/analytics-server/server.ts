// An MCP server that keeps its state in the session store.
//
//   node server.ts --store DIR|URL [--http [--port N]] [--session argument|caller] [--require-key]

import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { parseArgs } from 'node:util';
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { SessionStore } from '../../src/platform/node/sessionStore.ts';
import { StoreError } from '../../src/platform/node/sessionStore.ts';
import { openStore } from './openStore.ts';
import { readStrikes } from './strikes.ts';
import { createAnalyticsServer } from './tools.ts';

const options = {
	/** A directory of this machine, or the address of a Worker with Durable Objects. */
	store: { type: 'string' },
	/** Streamable HTTP instead of stdio. */
	http: { type: 'boolean', default: false },
	port: { type: 'string', default: '0' },
	/** Who names the session: an argument of the tool, or the caller's client. */
	session: { type: 'string', default: 'argument' },
	/** Refuses calls that have no tool use id. */
	'require-key': { type: 'boolean', default: false },
} as const;

const values = parsed();

const place = values.store ?? process.env['ANALYTICS_STORE'];
if (place === undefined || place === '') usage('Say where the sessions are kept: --store DIR or --store https://….');
const sessionFrom = values.session;
if (sessionFrom !== 'argument' && sessionFrom !== 'caller') usage('--session is argument or caller.');
const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : Number.NaN;
if (!(port <= 65_535)) usage('--port is a whole number from 0 to 65535.');

const store = await openStore(place, process.env['ANALYTICS_STORE_TOKEN']).catch((error: unknown) => {
	// Its message is a finished sentence: what is wrong with the place, and what to do.
	if (error instanceof StoreError) return usage(error.message);
	throw error;
});
const data = await readStrikes();
const create = (): McpServer =>
	createAnalyticsServer({ store, data, sessionFrom, isKeyRequired: values['require-key'] });

if (values.http) serveHttp(port);
else serveStdio(create);

// Calls that have their turn end, and their checkpoints are made; those of a process that is killed instead are made again by their callers.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(store));
process.stdin.once('end', () => void end(store));
// Over stdio the SDK reads it.
if (values.http) process.stdin.resume();

/** There is no MCP session to come back to: every request gets a server of its own, and finds its state in the store. */
function serveHttp(ofPort: number): void {
	const handler = toNodeHandler(createMcpHandler(create));
	const isLocalHost = localhostHostValidation();
	const isLocalOrigin = localhostOriginValidation();
	const listener = createServer((request, response) => {
		if (!isLocalHost(request, response) || !isLocalOrigin(request, response)) return;
		// Node sets both on every request that reaches a server.
		void handler(request as IncomingMessage & { method: string; url: string }, response);
	});
	listener.once('error', (error) => usage(`Nothing can be served on port ${ofPort}: ${error.message}.`));
	listener.listen(ofPort, '127.0.0.1', () => {
		const address = listener.address();
		const actual = typeof address === 'object' ? address?.port : undefined;
		process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${actual}/mcp`, pid: process.pid })}\n`);
	});
}

async function end(opened: SessionStore): Promise<never> {
	await opened.close();
	process.exit(0);
}

function parsed() {
	try {
		return parseArgs({ options }).values;
	} catch (error) {
		// What is wrong is in the first line; the rest is for the author of a program.
		return usage(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
	}
}

function usage(message: string): never {
	process.stderr.write(`${message}\n`);
	process.exit(2);
}
