// The address of all servers together, as the official SDK's client uses it: what it is told that there is can be had.

import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { builtCommandLine } from '../e2e/crosstalk.ts';
import { fault, scratch, startHost } from './gateways.ts';
import type { Host } from './gateways.ts';

const conformanceServer = new URL('servers/conformanceServer.ts', import.meta.url).pathname;

describe('the address of all servers', () => {
	let folder: Awaited<ReturnType<typeof scratch>>;
	let host: Host | undefined;

	before(async function () {
		this.timeout(300_000);
		await builtCommandLine();
	});

	beforeEach(async () => {
		folder = await scratch();
	});

	afterEach(async () => {
		await host?.stop();
		await folder.remove();
	});

	it('reads what a server has by a template, and completes', async () => {
		const wide = { command: process.execPath, args: [conformanceServer] };
		host = await startHost({ fault: fault(`${folder.path}/executions.ndjson`), wide });
		const client = new Client({ name: 'test', version: '1.0.0' });
		const { url, token } = host.address;
		await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/${token}/mcp`)));
		try {
			assert.ok(client.getServerCapabilities()?.completions);
			const { contents } = await client.readResource({ uri: 'test://template/7/data' });
			assert.match(JSON.stringify(contents), /Data for ID: 7/);
			await client.subscribeResource({ uri: 'test://template/7/data' });
			const argument = { name: 'id', value: '' };
			for (const ref of [
				{ type: 'ref/resource', uri: 'test://template/{id}/data' },
				{ type: 'ref/prompt', name: 'wide__test_prompt_with_arguments' },
			] as const)
				assert.deepEqual((await client.complete({ ref, argument })).completion.values, []);
		} finally {
			await client.close();
		}
	});
});
