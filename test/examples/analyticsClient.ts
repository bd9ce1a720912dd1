// A real MCP client of the analytics server, and the server's process to be rude to.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport, getDefaultEnvironment } from '@modelcontextprotocol/client/stdio';
import type { Page } from '../../examples/analytics-server/analytics.ts';

export interface Answer {
	readonly isError: boolean;
	readonly text: string;
	readonly meta: Readonly<Record<string, unknown>>;
}

export class AnalyticsClient {
	private readonly client: Client;
	/** Of the server on stdio. */
	private readonly pid: number | null;

	private constructor(client: Client, pid: number | null) {
		this.client = client;
		this.pid = pid;
	}

	/** Starts a server of its own. */
	static async start(args: readonly string[], environment: Record<string, string>): Promise<AnalyticsClient> {
		const transport = new StdioClientTransport({
			command: process.execPath,
			args: ['examples/analytics-server/server.ts', ...args],
			env: { ...getDefaultEnvironment(), ...environment },
			stderr: 'inherit',
		});
		const client = new Client({ name: 'a test', version: '1' });
		await client.connect(transport);
		return new AnalyticsClient(client, transport.pid);
	}

	/** @param session What the header says. */
	static async connect(url: string, session?: string): Promise<AnalyticsClient> {
		const headers = session === undefined ? {} : { 'x-crosstalk-session': session };
		const client = new Client({ name: 'a test', version: '1' });
		await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
		return new AnalyticsClient(client, null);
	}

	async tools() {
		return (await this.client.listTools()).tools;
	}

	async call(tool: string, args: Readonly<Record<string, unknown>>, toolUseId: string | undefined): Promise<Answer> {
		const meta = toolUseId === undefined ? {} : { _meta: { 'claudecode/toolUseId': toolUseId } };
		const result = await this.client.callTool({ name: tool, arguments: args, ...meta });
		const [content] = result.content;
		assert.equal(content?.type, 'text');
		const { _meta: said = {} } = result;
		return { isError: result.isError === true, text: content.text, meta: said };
	}

	/** A page, which must be one. */
	async page(args: Readonly<Record<string, unknown>>, toolUseId?: string): Promise<Page> {
		const { isError, text } = await this.call('analytics_query', args, toolUseId);
		assert.ok(!isError, text);
		return JSON.parse(text) as Page; // what the server has just made
	}

	/** kill -9, without a word. */
	async kill(): Promise<void> {
		const { pid } = this;
		if (pid === null) throw new Error('Its server is not on stdio.');
		const closed = new Promise<void>((resolve) => {
			// The SDK's client has no other way to tell.
			// oxlint-disable-next-line unicorn/prefer-add-event-listener
			this.client.onclose = resolve;
		});
		process.kill(pid, 'SIGKILL');
		await closed;
	}

	async close(): Promise<void> {
		await this.client.close();
	}
}

/** A server of streamable HTTP. */
export interface HttpServer {
	readonly url: string;
	/** Ends it as its owner does, and waits. */
	stop(): Promise<void>;
}

export async function startHttp(args: readonly string[]): Promise<HttpServer> {
	const child = spawn(process.execPath, ['examples/analytics-server/server.ts', '--http', ...args], {
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
	const { url } = JSON.parse(line) as { url: string }; // as server.ts prints it
	return {
		url,
		async stop() {
			const exited = once(child, 'exit');
			child.stdin.end();
			await exited;
		},
	};
}

/** A server that ends by itself. */
export async function ended(
	args: readonly string[],
): Promise<{ readonly code: number | null; readonly stderr: string }> {
	const child = spawn(process.execPath, ['examples/analytics-server/server.ts', ...args], {
		stdio: ['pipe', 'ignore', 'pipe'],
	});
	let stderr = '';
	child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
	const [code] = (await once(child, 'close')) as [number | null];
	return { code, stderr };
}
