import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attach, attachOrStart, programIn } from '../../../../src/platform/node/host/attach.ts';
import type { StartOptions } from '../../../../src/platform/node/host/attach.ts';
import type { ControlClient } from '../../../../src/platform/node/host/controlClient.ts';
import { until } from '../../../mcp/waiting.ts';
import { Lab, addressIn, bin, isAlive, isWindows } from './hosts.ts';

describe('a host that is needed', () => {
	let lab: Lab;
	let clients: ControlClient[];

	beforeEach(() => {
		lab = new Lab();
		clients = [];
	});

	afterEach(async () => {
		for (const client of clients) client.dispose();
		await lab.remove();
	});

	async function need(options: Partial<StartOptions> = {}): Promise<ControlClient> {
		const client = await attachOrStart({
			directory: lab.data,
			client: 'a test',
			program: programIn(bin),
			...options,
		});
		clients.push(client);
		return client;
	}

	it('is attached to when it runs, and is not started by those who only look', async () => {
		assert.equal(await attach({ directory: lab.data, client: 'a test' }), undefined);
		const host = await lab.host();
		const looking = await attach({ directory: lab.data, client: 'a test' });
		assert.ok(looking);
		clients.push(looking);
		assert.deepEqual(looking.address, host.address);
		assert.equal((await need()).address.pid, host.pid);
	});

	it('is started in the background, alone however many need it at once', async () => {
		const all = await Promise.all(Array.from({ length: 8 }, async () => need()));
		const pids = new Set(all.map(({ address }) => address.pid));
		assert.equal(pids.size, 1);
		const [{ address } = await need()] = all;
		assert.notEqual(address.pid, process.pid);
		assert.equal(address.generation, 1);
		assert.deepEqual(await addressIn(lab.data), address);
		const status = await need().then(async (client) => client.request('host/status', {}));
		assert.equal(status.host.pid, address.pid);
		// The others have found out and left.
		await until('seven that have left', () =>
			lab.log().match(/A host already runs in /g)?.length === 7 ? true : undefined,
		);
	});

	it('keeps nothing secret in its log, and its log to its user', async () => {
		const { address } = await need();
		assert.ok(!lab.log().includes(address.token));
		if (!isWindows) assert.equal((statSync(join(lab.data, 'host.log')).mode & 0o777).toString(8), '600');
	});

	it('stays for as long as somebody is attached, and ends itself when nobody has needed it for a while', async () => {
		const client = await need({ idleSeconds: 1 });
		const { pid } = client.address;
		await new Promise((resolve) => setTimeout(resolve, 1_500));
		assert.ok(isAlive(pid));
		const startedAt = performance.now();
		client.dispose();
		await until('the end of the host', () => !isAlive(pid) || undefined);
		assert.ok(performance.now() - startedAt > 700);
		assert.match(lab.log(), /Nobody needs the host any more\./);
		assert.equal(await attach({ directory: lab.data, client: 'a test' }), undefined);
	});

	it('is started anew after it was killed, where it was before', async () => {
		const { address } = await need();
		process.kill(address.pid, 'SIGKILL');
		await until('its end', () => !isAlive(address.pid) || undefined);
		const next = (await need()).address;
		assert.deepEqual([next.url, next.token, next.generation], [address.url, address.token, 2]);
	});

	it('says why it could not be started', async () => {
		mkdirSync(lab.data);
		writeFileSync(
			join(lab.data, 'owner.sqlite'),
			'This is no database, and it is long enough to be looked at. '.repeat(40),
		);
		await assert.rejects(need(), {
			name: 'ExpectedError',
			message: /^The host could not be started: The lock .* cannot be used: .*not a database\. /,
		});
	});

	it('says so when its program ends at once, with its last words', async () => {
		const program = join(lab.folder, 'broken.mjs');
		writeFileSync(program, 'throw new TypeError("It was built badly.");');
		await assert.rejects(need({ program: programIn(program) }), {
			name: 'ExpectedError',
			message:
				/^The host ended as soon as it was started \(exit code 1\): TypeError: It was built badly\. What it has printed is in .*host\.log\.$/,
		});
	});

	it('says so when there is no such program', async () => {
		const program = { command: join(lab.folder, 'nowhere'), args: [], environment: {} };
		await assert.rejects(need({ program }), {
			name: 'ExpectedError',
			message: /^The host cannot be started with .*nowhere \(ENOENT\)\.$/,
		});
	});

	it('says so when it does not become ready in time', async () => {
		const program = join(lab.folder, 'sleeping.mjs');
		writeFileSync(program, 'setTimeout(() => undefined, 1_500);');
		await assert.rejects(need({ program: programIn(program), timeoutMs: 300 }), {
			name: 'ExpectedError',
			message: /^The host did not become ready in time\. What it has printed is in .*host\.log\.$/,
		});
	});

	it('is waited for no longer than somebody wants it', async () => {
		const stop = new AbortController();
		const program = join(lab.folder, 'sleeping.mjs');
		writeFileSync(program, 'setTimeout(() => undefined, 1_500);');
		const needed = need({ program: programIn(program), signal: stop.signal });
		setTimeout(() => stop.abort(), 100);
		await assert.rejects(needed, { name: 'AbortError' });
	});

	it('begins a new log when the old one has grown long', async () => {
		mkdirSync(lab.data);
		writeFileSync(join(lab.data, 'host.log'), 'x'.repeat(1_100_000));
		await need();
		assert.equal(lab.log(), '');
		assert.equal(readFileSync(join(lab.data, 'host.log.1'), 'utf8').length, 1_100_000);
	});

	it('works as a program that runs inside VS Code starts it', () => {
		// What an extension host has for a Node is VS Code itself.
		const before = process.versions['electron'];
		Object.defineProperty(process.versions, 'electron', { value: '35.0.0', configurable: true });
		try {
			assert.deepEqual(programIn('/extension/dist/cli.js'), {
				command: process.execPath,
				args: ['/extension/dist/cli.js'],
				environment: { ELECTRON_RUN_AS_NODE: '1' },
			});
		} finally {
			if (before === undefined) Reflect.deleteProperty(process.versions, 'electron');
		}
	});
});
