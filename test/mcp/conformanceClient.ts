// The agent of the conformance suite's client scenarios: does what the scenario of this name expects of a client, at the address that comes
// last on the command line. With --host the scenario's server is put behind our host first, and the agent is sent there.
//
//   MCP_CONFORMANCE_SCENARIO=NAME node conformanceClient.ts [--host] URL

import { createServer, request as httpRequest } from 'node:http';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { ClientOptions } from '@modelcontextprotocol/client';
import { startHost } from './gateways.ts';

type Scenario = (address: string) => Promise<void>;

const isStateless = process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'] === '2026-07-28';
const negotiating = { versionNegotiation: { mode: 'auto' } } satisfies ClientOptions;

const scenarios: Readonly<Record<string, Scenario>> = {
	initialize: async (address) => {
		const client = await connected(address);
		await client.listTools();
		await client.close();
	},
	tools_call: async (address) => {
		const client = await connected(address, isStateless ? negotiating : {});
		await client.listTools();
		await client.callTool({ name: 'add_numbers', arguments: { a: 5, b: 3 } });
		await client.close();
	},
	'elicitation-sep1034-client-defaults': async (address) => {
		const client = new Client(whoWeAre, { capabilities: { elicitation: { form: { applyDefaults: true } } } });
		client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: {} }));
		await client.connect(new StreamableHTTPClientTransport(new URL(address)));
		await client.listTools();
		await client.callTool({ name: 'test_client_elicitation_defaults', arguments: {} });
		await client.close();
	},
	'sse-retry': async (address) => {
		const client = await connected(address);
		await client.listTools();
		await client.callTool({ name: 'test_reconnection', arguments: {} });
		await client.close();
	},
	'json-schema-2020-12-preservation': async (address) => {
		const client = await connected(address, isStateless ? negotiating : {});
		const { tools } = await client.listTools();
		const schema = tools.find(({ name }) => name === 'json_schema_2020_12_tool')?.inputSchema;
		// What the client has seen goes back to the judge.
		await client.callTool({ name: 'json_schema_echo', arguments: { schema } });
		await client.close();
	},
	'json-schema-ref-no-deref': async (address) => {
		const client = await connected(address);
		await client.listTools();
		await client.close();
	},
	'request-metadata': async (address) => {
		const capabilities = { roots: { listChanged: true }, sampling: {}, elicitation: {} };
		const client = await connected(address, { capabilities, ...negotiating });
		await client.close();
	},
	'http-standard-headers': async (address) => {
		const client = await connected(address, negotiating);
		const { tools } = await client.listTools();
		if (tools[0] !== undefined) await client.callTool({ name: tools[0].name, arguments: {} });
		const { resources } = await client.listResources();
		if (resources[0] !== undefined) await client.readResource({ uri: resources[0].uri });
		const { prompts } = await client.listPrompts();
		if (prompts[0] !== undefined) await client.getPrompt({ name: prompts[0].name, arguments: {} });
		await client.close();
	},
	'http-custom-headers': async (address) => {
		const client = await connected(address, negotiating);
		await client.listTools();
		// Written by the suite.
		const { toolCalls = [] } = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as {
			toolCalls?: readonly { readonly name: string; readonly arguments: Record<string, unknown> }[];
		};
		for (const call of toolCalls) await client.callTool(call);
		await client.close();
	},
	'http-invalid-tool-headers': async (address) => {
		const client = await connected(address, negotiating);
		const { tools } = await client.listTools();
		for (const { name } of tools) {
			try {
				await client.callTool({ name, arguments: { region: 'us-west1' } });
			} catch {
				// The judge looks at what reaches it, not at what it answers.
			}
		}
		await client.close();
	},
	'sep-2322-client-request-state': async (address) => {
		const client = new Client(whoWeAre, { capabilities: { elicitation: {} }, ...negotiating });
		client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { confirmed: true } }));
		await client.connect(new StreamableHTTPClientTransport(new URL(address)));
		for (const name of ['echo_state', 'no_state', 'unrelated']) {
			await client.callTool({ name: `test_mrtr_${name}`, arguments: {} });
		}
		// Its result is of no type, which the client may refuse; what it may not do is to try again.
		await client.callTool({ name: 'test_mrtr_no_result_type', arguments: {} }).catch(() => undefined);
		await client.close();
	},
};

/** Their servers answer neither server/discover nor initialize, so that no client could ever connect to them. */
const withoutHandshake = new Set([
	'http-standard-headers',
	'http-custom-headers',
	'http-invalid-tool-headers',
	'sep-2322-client-request-state',
]);

const whoWeAre = { name: 'conformance', version: '1.0.0' };

async function connected(address: string, options: ClientOptions = {}): Promise<Client> {
	const client = new Client(whoWeAre, options);
	await client.connect(new StreamableHTTPClientTransport(new URL(address)));
	return client;
}

/** Stands before a server and answers server/discover in its place; everything else passes as it is. */
async function withDiscovery(address: string): Promise<{ readonly address: string; close(): void }> {
	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			const body = Buffer.concat(chunks);
			const message = request.method === 'POST' ? (JSON.parse(body.toString()) as Record<string, unknown>) : {}; // ours
			if (message['method'] === 'server/discover') {
				const result = {
					resultType: 'complete',
					supportedVersions: ['2026-07-28'],
					capabilities: { tools: {}, resources: {}, prompts: {} },
					ttlMs: 0,
					cacheScope: 'private',
					_meta: { 'io.modelcontextprotocol/serverInfo': { name: 'scenario', version: '1.0.0' } },
				};
				response.writeHead(200, { 'content-type': 'application/json' });
				response.end(JSON.stringify({ jsonrpc: '2.0', id: message['id'], result }));
				return;
			}
			const headers = { ...request.headers, host: new URL(address).host };
			const onward = httpRequest(address, { method: request.method, headers }, (answer) => {
				response.writeHead(answer.statusCode ?? 502, answer.headers);
				answer.pipe(response);
			});
			onward.on('error', () => response.destroy());
			response.on('close', () => onward.destroy());
			onward.end(body);
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const bound = server.address();
	const port = typeof bound === 'object' ? bound?.port : undefined;
	return { address: `http://127.0.0.1:${port}/mcp`, close: () => server.close() };
}

const name = process.env['MCP_CONFORMANCE_SCENARIO'] ?? '';
const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined;
let address = process.argv.at(-1) ?? '';
if (scenario === undefined) throw new Error(`Nobody here knows the scenario "${name}".`);
const front = withoutHandshake.has(name) ? await withDiscovery(address) : undefined;
address = front?.address ?? address;
const host = process.argv.includes('--host')
	? await startHost({ scenario: { type: 'http', url: address } })
	: undefined;
try {
	await scenario(host?.addressOf('scenario') ?? address);
} finally {
	await host?.stop();
}
// Connections that are kept alive would keep this process.
process.exit(0);
