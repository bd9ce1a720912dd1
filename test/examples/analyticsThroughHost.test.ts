// The analytics server behind the host, shared by several agents, while now the server and now the host is killed.

import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { readStrikes } from '../../examples/analytics-server/strikes.ts';
import { attach } from '../../src/platform/node/host/attach.ts';
import { Lab } from '../platform/node/host/hosts.ts';
import { AnalyticsClient } from './analyticsClient.ts';

const agents = 4;

describe('the analytics server behind the host', function () {
	this.timeout(300_000);
	let lab: Lab;
	let servers: string;

	beforeEach(() => {
		lab = new Lab();
		const script = resolve('examples/analytics-server/server.ts');
		const args = [script, '--store', `${lab.folder}/sessions`, '--require-key'];
		servers = lab.config({ analytics: { command: process.execPath, args } });
	});
	afterEach(async () => lab.remove());

	it('gives every row to one of the agents though the server is killed twice, and no agent sees an error', async () => {
		const { address } = await lab.host('--config', servers);
		const url = `${address.url}/${address.token}/mcp/analytics`;
		const clients = await Promise.all(Array.from({ length: agents }, () => AnalyticsClient.connect(url)));
		let answered = 0;
		const rows = await Promise.all(
			clients.map(async (client, index) => {
				// As agents do; the host learns from it that a call may be sent again.
				await client.tools();
				return readAll(async (call) => {
					const page = await client.page({ session: 'shared', pageSize: 200 }, `toolu_${index}_${call}`);
					if ([10, 30].includes(++answered)) await killServer();
					return page;
				});
			}),
		);
		for (const client of clients) await client.close();
		await assertEachOnce(rows);
	});

	it('gives every row to one of the agents though the host is killed, whose calls are then made again', async () => {
		let host = await lab.host('--config', servers);
		let answered = 0;
		let killed: Promise<void> | undefined;
		const killHost = async () => {
			await host.end('SIGKILL');
			host = await lab.host('--config', servers);
		};
		const rows = await Promise.all(
			Array.from({ length: agents }, async (_, index) => {
				let client: AnalyticsClient | undefined;
				const read = await readAll(async (call) => {
					// A host that was killed comes back at the same address, with nothing of the connection.
					for (;;) {
						await killed;
						try {
							const { url, token } = host.address;
							client ??= await AnalyticsClient.connect(`${url}/${token}/mcp/analytics`);
							const asked = { session: 'shared', pageSize: 200 };
							const page = await client.page(asked, `toolu_${index}_${call}`);
							if (++answered === 15) killed = killHost();
							return page;
						} catch (error) {
							if (killed === undefined || error instanceof assert.AssertionError) throw error;
							await client?.close();
							client = undefined;
						}
					}
				});
				await client?.close();
				return read;
			}),
		);
		await killed;
		assert.ok(answered > 15);
		await assertEachOnce(rows);
	});

	async function killServer(): Promise<void> {
		const control = await attach({ directory: lab.data, client: 'a test' });
		assert.ok(control !== undefined);
		const { servers: running } = await control.request('host/status', {});
		control.dispose();
		const pid = running.find(({ name }) => name === 'analytics')?.pid;
		assert.equal(typeof pid, 'number');
		process.kill(Number(pid), 'SIGKILL');
	}
});

async function readAll(ask: (call: number) => Promise<{ rows: readonly { row: number }[]; isDone: boolean }>) {
	const rows: number[] = [];
	for (let call = 0; ; call++) {
		const page = await ask(call);
		rows.push(...page.rows.map(({ row }) => row));
		if (page.isDone) return rows;
	}
}

async function assertEachOnce(read: readonly (readonly number[])[]): Promise<void> {
	const ascending = (one: number, other: number) => one - other;
	// What one agent was given is in order, and together it is all.
	for (const rows of read) assert.deepEqual(rows, rows.toSorted(ascending));
	const { strikes } = await readStrikes();
	assert.deepEqual(
		read.flat().sort(ascending),
		strikes.map(({ row }) => row),
	);
}
