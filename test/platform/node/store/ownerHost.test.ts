// A directory's session store and the host that may run there.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { HostStatus } from '../../../../src/core/host/status.ts';
import type { SessionStore, TakenOver } from '../../../../src/core/store/sessionStore.ts';
import { attach, attachToAny } from '../../../../src/platform/node/host/attach.ts';
import { readAddress } from '../../../../src/platform/node/host/dataDirectory.ts';
import { openSessionStore } from '../../../../src/platform/node/store/openSessionStore.ts';
import { run } from '../../../cli/memoryIo.ts';
import { until, within } from '../../../mcp/waiting.ts';
import { Lab, isWindows } from '../host/hosts.ts';

async function add(store: SessionStore, key?: string): Promise<number> {
	return store.session('s').call<{ count?: number }, number>({ key, tool: 'add', args: {} }, (state) => {
		return (state.count = (state.count ?? 0) + 1);
	});
}

describe('the session store of a host’s directory', () => {
	let lab: Lab;
	const stores: SessionStore[] = [];

	beforeEach(() => {
		lab = new Lab();
	});

	afterEach(async () => {
		for (const store of stores.splice(0)) await within(30_000, 'The end of a store', store.close());
		await lab.remove();
	});

	async function open(takeOverMs = 10_000): Promise<SessionStore> {
		const store = await openSessionStore({ directory: lab.data, takeOverMs });
		stores.push(store);
		return store;
	}

	it('is opened by the host when it is first asked for, and closed with it', async () => {
		const host = await lab.host();
		assert.ok(!readdirSync(lab.data).includes('sessions.sqlite'));
		const [one, other] = [await open(), await open()];
		assert.deepEqual([await add(one), await add(other), await add(one)], [1, 2, 3]);
		assert.ok(readdirSync(lab.data).includes('sessions.sqlite-wal'));
		for (const store of stores.splice(0)) await store.close();
		assert.equal(await host.end('SIGTERM'), isWindows ? 'SIGTERM' : 0);
		assert.equal(host.stderr(), '');
		if (!isWindows) assert.ok(!readdirSync(lab.data).includes('sessions.sqlite-wal'));
	});

	it('goes on without the host that was killed, and goes back to the next one', async function () {
		this.timeout(180_000);
		const first = await lab.host();
		const [one, other] = [await open(), await open()];
		const takenOver: TakenOver[] = [];
		one.onDidTakeOver((event) => takenOver.push(event));
		assert.deepEqual([await add(one), await add(other)], [1, 2]);
		await first.end('SIGKILL');
		assert.deepEqual([await add(one), await add(other)], [3, 4]);
		assert.equal(await attach({ directory: lab.data, client: 'a test' }), undefined);
		const calls = (async () => {
			const counts: number[] = [];
			for (let call = 0; call < 200; call++) counts.push(await add(call % 2 === 0 ? one : other, `key ${call}`));
			return counts;
		})();
		const second = await lab.host();
		assert.deepEqual(
			[second.address.url, second.address.token, second.address.isStoreOnly],
			[first.address.url, first.address.token, undefined],
		);
		assert.deepEqual(
			await calls,
			Array.from({ length: 200 }, (_, index) => index + 5),
		);
		await until('the host’s store', async () => {
			await add(one);
			return takenOver.some(({ generation, isOurs }) => generation === 3 && !isOurs) ? true : undefined;
		});
		assert.deepEqual(
			takenOver.map(({ generation }) => generation),
			[2, 3],
		);
		assert.equal((await readAddress(lab.data))?.pid, second.pid);
		assert.equal(second.stderr(), '');
	});

	it('is left to a host also in the middle of a call, which is made again', async function () {
		this.timeout(180_000);
		const store = await open();
		let runs = 0;
		const signals: AbortSignal[] = [];
		const call = store
			.session('s')
			.call<{ count?: number }, number>({ key: undefined, tool: 'slow', args: {} }, async (state, { signal }) => {
				runs++;
				signals.push(signal);
				state.count = (state.count ?? 0) + 1;
				if (runs === 1) await delay(60_000, undefined, { ref: false });
				return state.count;
			});
		await until('a call that runs', () => (runs === 1 ? true : undefined));
		const host = await lab.host();
		assert.deepEqual([await within(30_000, 'The reply', call), runs], [1, 2]);
		assert.deepEqual(
			signals.map(({ aborted }) => aborted),
			[true, false],
		);
		assert.equal((await readAddress(lab.data))?.pid, host.pid);
	});

	it('is left to a host that is started in the background', async function () {
		this.timeout(180_000);
		const store = await open();
		assert.equal(await add(store), 1);
		const connected = lab.run(['connect', 'nothing', '--data', lab.data]);
		await until(
			'a host',
			async () => {
				const address = await readAddress(lab.data);
				return address !== undefined && address.isStoreOnly !== true && address.pid !== process.pid
					? true
					: undefined;
			},
			20_000,
		);
		assert.equal(await add(store), 2);
		await connected.end('SIGKILL');
	});

	it('is served by another process while the host is stopped, and the host goes on as a host', async function () {
		if (isWindows) return;
		this.timeout(180_000);
		const host = await lab.host();
		const [one, other] = [await open(500), await open(500)];
		assert.deepEqual([await add(one), await add(other)], [1, 2]);
		host.child.kill('SIGSTOP');
		const counts = await Promise.all([add(one, 'a'), add(other, 'b')]);
		assert.deepEqual(counts.toSorted(), [3, 4]);
		host.child.kill('SIGCONT');
		assert.deepEqual([await add(one), await add(other)], [5, 6]);
		const third = await open(500);
		assert.equal(await add(third), 7);
		const client = await attach({ directory: lab.data, client: 'a test' });
		assert.equal(client?.address.pid, host.pid);
		client?.dispose();
		// When the others are gone it serves the store again.
		for (const store of stores.splice(0)) await store.close();
		assert.equal(await add(await open()), 8);
		assert.equal((await readAddress(lab.data, 'successor.json'))?.pid, undefined);
		assert.equal((await readAddress(lab.data))?.pid, host.pid);
	});

	it('says to status who has it open, and what it is not', async () => {
		const store = await open();
		assert.equal(await add(store), 1);
		const { code, stdout, stderr } = await run(['status', '--json', '--data', lab.data]);
		assert.deepEqual([code, stderr], [0, '']);
		const status = JSON.parse(stdout) as HostStatus; // the contract's shape
		assert.deepEqual(
			{ ...status, host: { ...status.host, startedAt: '' } },
			{
				version: 1,
				host: { pid: process.pid, generation: 1, startedAt: '' },
				servers: [],
				calls: [],
				sessions: [],
			},
		);
		assert.match(
			(await run(['status', '--data', lab.data])).stdout,
			/^no host: the session store is open in process \d+ in .*data, since \d{4}-.* UTC, generation 1\n$/,
		);
		const client = await attachToAny({ directory: lab.data, client: 'a test' });
		assert.ok(client);
		for (const asked of [
			client.request('host/stop', { isForced: true }),
			client.request('servers/put', { source: 'a test', servers: [] }),
		])
			await assert.rejects(asked, {
				name: 'ExpectedError',
				message: `Process ${process.pid} has the session store in ${lab.data} open. It is no host.`,
			});
		client.dispose();
		await store.close();
		assert.equal((await run(['status', '--data', lab.data])).code, 2);
	});
});
