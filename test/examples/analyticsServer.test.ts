// The analytics server as agents meet it: a process that is started, asked, and killed.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '../../examples/analytics-server/analytics.ts';
import { bundle, startWorker, token } from '../worker/localWorker.ts';
import { readStrikes } from '../../examples/analytics-server/strikes.ts';
import type { Strike } from '../../examples/analytics-server/strikes.ts';
import { AnalyticsClient, ended, startHttp } from './analyticsClient.ts';

describe('the analytics server', function () {
	this.timeout(300_000);
	let directory: string;
	let strikes: readonly Strike[];
	const clients = new Set<AnalyticsClient>();

	before(async () => {
		({ strikes } = await readStrikes());
	});

	beforeEach(async () => {
		directory = await mkdtemp(join(tmpdir(), 'crosstalk-analytics-'));
	});

	afterEach(async () => {
		await Promise.all([...clients].map((client) => client.close()));
		clients.clear();
		await rm(directory, { recursive: true, force: true });
	});

	async function start(...args: readonly string[]): Promise<AnalyticsClient> {
		return startOn(directory, args);
	}

	async function startOn(store: string, args: readonly string[] = []): Promise<AnalyticsClient> {
		const client = await AnalyticsClient.start(['--store', store, ...args], { ANALYTICS_STORE_TOKEN: token });
		clients.add(client);
		return client;
	}

	const large = { session: 's1', add: [{ column: 'size', is: 'equal', value: 'Large' }] };

	it('gives every row once and in order though it is killed between any two pages', async () => {
		const expected = strikes.filter(({ size }) => size === 'Large');
		const rows: Strike[] = [];
		let client = await start();
		await client.call('analytics_filters', large, 'toolu_filters');
		let page: Page;
		do {
			await client.kill();
			client = await start();
			page = await client.page({ session: 's1', pageSize: 150, groupBy: 'phase' }, `toolu_${rows.length}`);
			rows.push(...page.rows);
		} while (!page.isDone);
		assert.deepEqual(rows, expected);
		assert.equal(page.page, 5);
		// The sums went through as many processes.
		for (const { name, count } of page.aggregates.groups)
			assert.equal(count, expected.filter(({ phase }) => phase === name).length);
		const sum = page.aggregates.groups.reduce((total, group) => total + group.sum, 0);
		assert.equal(
			sum,
			expected.reduce((total, { cost }) => total + (cost ?? 0), 0),
		);
	});

	it('gives every row once and in order though it is killed in the middle of calls, which are then made again', async () => {
		const rows: number[] = [];
		let client = await start();
		let killed = 0;
		for (let call = 0; call < 10; call++) {
			const ask = () => client.page({ session: 's1', pageSize: 50 }, `toolu_${call}`);
			const asked = ask().catch(() => undefined);
			if (call % 2 === 1) {
				// From before the call is read to after it is answered.
				await new Promise((resolve) => setTimeout(resolve, 2 * call));
				await client.kill();
				killed++;
				client = await start();
			}
			const page = (await asked) ?? (await ask());
			// What was answered before the kill is the same once more.
			assert.deepEqual(await ask(), page);
			rows.push(...page.rows.map(({ row }) => row));
		}
		assert.equal(killed, 5);
		assert.deepEqual(
			rows,
			Array.from({ length: 500 }, (_, row) => row),
		);
	});

	it('answers a repeated tool use with the first page, and another one with the next', async () => {
		const client = await start();
		const first = await client.page({ session: 's1' }, 'toolu_1');
		assert.deepEqual(await client.page({ session: 's1' }, 'toolu_1'), first);
		const second = await client.page({ session: 's1' }, 'toolu_2');
		assert.equal(second.rows[0]?.row, 50);
		assert.deepEqual(await client.page({ session: 's1' }, 'toolu_1'), first);
		// The same id in another session is another call.
		assert.deepEqual(await client.page({ session: 's2' }, 'toolu_2'), first);
		const misused = await client.call('analytics_query', { session: 's1', pageSize: 7 }, 'toolu_1');
		assert.ok(misused.isError);
		assert.equal((await client.page({ session: 's1' }, 'toolu_3')).rows[0]?.row, 100);
	});

	it('says that a call without a tool use id may be run twice, and refuses it where that is not wanted', async () => {
		const client = await start();
		const { meta, isError } = await client.call('analytics_query', { session: 's1' }, undefined);
		assert.deepEqual([isError, meta['crosstalk/delivery']], [false, 'at-least-once']);
		assert.ok((await client.tools()).every(({ annotations }) => annotations?.idempotentHint === false));

		const strict = await start('--require-key');
		assert.ok((await strict.tools()).every(({ annotations }) => annotations?.idempotentHint === true));
		assert.ok((await strict.call('analytics_query', { session: 's1' }, undefined)).isError);
		assert.equal((await strict.page({ session: 's1' }, 'toolu_1')).page, 2);
	});

	it('shares one session between servers in five processes, each row for one of them', async () => {
		const five = await Promise.all(Array.from({ length: 5 }, () => start()));
		const read = await Promise.all(
			five.map(async (client, index) => {
				const rows: number[] = [];
				for (let call = 0; ; call++) {
					const page = await client.page({ session: 'shared', pageSize: 200 }, `toolu_${index}_${call}`);
					rows.push(...page.rows.map(({ row }) => row));
					if (page.isDone) return rows;
				}
			}),
		);
		for (const rows of read) assert.deepEqual(rows, rows.toSorted(ascending));
		assert.deepEqual(
			read.flat().sort(ascending),
			strikes.map(({ row }) => row),
		);
	});

	it('leaves no trace of a call that it refuses', async () => {
		const client = await start();
		await client.page({ session: 's1', groupBy: 'phase' }, 'toolu_1');
		const other = await client.call('analytics_query', { session: 's1', groupBy: 'size' }, 'toolu_2');
		assert.ok(other.isError);
		assert.match(other.text, /Pass reset/);
		const wrong = { session: 's1', add: [{ column: 'size', is: 'one-of', value: 'Large' }] };
		assert.ok((await client.call('analytics_filters', wrong, 'toolu_3')).isError);
		assert.equal((await client.page({ session: 's1' }, 'toolu_4')).rows[0]?.row, 50);
	});

	it('has no session for those who name none', async () => {
		const client = await start();
		assert.ok((await client.call('analytics_query', {}, 'toolu_1')).isError);
		assert.ok((await client.call('analytics_query', { session: '' }, 'toolu_2')).isError);
		const byCaller = await start('--session', 'caller');
		const refused = await byCaller.call('analytics_query', {}, 'toolu_3');
		assert.ok(refused.isError);
		assert.match(refused.text, /there is no default/);
	});

	it('says in a sentence why it cannot start', async () => {
		const file = join(directory, 'file');
		await writeFile(file, 'not a directory');
		const taken = createServer().listen(0, '127.0.0.1');
		await once(taken, 'listening');
		const port = String((taken.address() as AddressInfo).port); // of a port, as it listens on one
		const cases: readonly [args: readonly string[], message: RegExp][] = [
			[[], /Say where the sessions are kept/],
			[['--store', directory, '--session', 'guessed'], /--session is argument or caller/],
			[['--store', file], /file/],
			[['--store', 'ftp://nowhere'], /"ftp:\/\/nowhere" is no address of a session store/],
			[['--stroe', directory], /--stroe/],
			[['--store', directory, 'extra'], /extra/],
			[['--store'], /--store/],
			[['--store', directory, '--http', '--port', 'abc'], /--port is a whole number from 0 to 65535/],
			[['--store', directory, '--http', '--port', '99999'], /--port is a whole number from 0 to 65535/],
			[['--store', directory, '--http', '--port', port], new RegExp(`port ${port}.*in use`, 'u')],
			[['--store', 'http://127.0.0.1:1'], /127\.0\.0\.1/],
		];
		for (const [args, message] of cases) {
			const { code, stderr } = await ended(args);
			assert.equal(code, 2, stderr);
			assert.match(stderr, message);
			assert.equal(stderr.trim().split('\n').length, 1, stderr);
		}
		taken.close();
	});

	it('does over HTTP what it does on stdio, where the header names the session', async () => {
		const server = await startHttp(['--store', directory, '--session', 'caller']);
		try {
			const [one, other, nobody] = await Promise.all([
				AnalyticsClient.connect(server.url, 'claude-code:one'),
				AnalyticsClient.connect(server.url, 'claude-code:other'),
				AnalyticsClient.connect(server.url),
			]);
			for (const client of [one, other, nobody]) clients.add(client);
			const first = await one.page({}, 'toolu_1');
			assert.equal((await one.page({}, 'toolu_2')).rows[0]?.row, 50);
			assert.deepEqual(await other.page({}, 'toolu_1'), first);
			assert.ok((await nobody.call('analytics_query', {}, 'toolu_1')).isError);
			// Another server of the same directory goes on where this one is.
			const third = await start();
			assert.equal((await third.page({ session: 'claude-code:one' }, 'toolu_3')).rows[0]?.row, 100);
			const foreign = await fetch(server.url, { method: 'POST', headers: { origin: 'https://example.com' } });
			assert.equal(foreign.status, 403);
		} finally {
			await server.stop();
		}
	});

	it('keeps its sessions in Durable Objects when it is told to, and loses as little there', async () => {
		const worker = await startWorker({ script: await bundle() });
		try {
			const rows: number[] = [];
			for (let call = 0; call < 3; call++) {
				const client = await startOn(worker.url);
				const page = await client.page({ session: 's1' }, `toolu_${call}`);
				assert.deepEqual(await client.page({ session: 's1' }, `toolu_${call}`), page);
				rows.push(...page.rows.map(({ row }) => row));
				await client.kill();
			}
			assert.deepEqual(
				rows,
				Array.from({ length: 150 }, (_, row) => row),
			);
		} finally {
			await worker.dispose();
		}
	});
});

function ascending(one: number, other: number): number {
	return one - other;
}
