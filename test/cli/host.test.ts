import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostStatus } from '../../src/core/host/status.ts';
import { attach } from '../../src/platform/node/host/attach.ts';
import type { ControlClient } from '../../src/platform/node/host/controlClient.ts';
import { Agent } from '../mcp/agent.ts';
import { until, within } from '../mcp/waiting.ts';
import { Lab, addressIn, isAlive, isWindows } from '../platform/node/host/hosts.ts';
import type { RunningProcess } from '../platform/node/host/hosts.ts';
import { run } from './memoryIo.ts';

describe('crosstalk host', () => {
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

	async function control(): Promise<ControlClient> {
		const client = await attach({ directory: lab.data, client: 'a test' });
		assert.ok(client);
		clients.push(client);
		return client;
	}

	async function serverNames(): Promise<readonly string[]> {
		const { servers } = await (await control()).request('host/status', {});
		return servers.map(({ name }) => name).sort();
	}

	it('prints one line of JSON when it is ready, and nothing else on stdout', async () => {
		const host = await lab.host('--config', lab.config());
		assert.deepEqual(host.address, await addressIn(lab.data));
		assert.deepEqual(Object.keys(host.address), ['url', 'token', 'controlSocket', 'pid', 'generation', 'dataDir']);
		assert.deepEqual([host.address.pid, host.address.generation, host.address.dataDir], [host.pid, 1, lab.data]);
		const health = await fetch(`${host.address.url}/healthz`);
		assert.equal(health.status, 200);
		assert.deepEqual(await serverNames(), ['fault']);
		assert.equal(await host.end('SIGTERM'), isWindows ? 'SIGTERM' : 0);
		assert.match(host.stdout(), /^\{.*\}\n$/);
		assert.equal(host.stderr(), '');
	});

	it('ends with SIGINT too, and at once with the second signal', async () => {
		if (isWindows) return;
		const host = await lab.host();
		assert.equal(await host.end('SIGINT'), 0);
		const busy = await lab.host('--config', lab.config());
		const agent = await hangingAgent(busy);
		busy.child.kill('SIGTERM');
		await new Promise((resolve) => setTimeout(resolve, 700));
		assert.equal(busy.child.exitCode, null);
		assert.equal(await busy.end('SIGTERM'), 'SIGTERM');
		await agent.end('SIGKILL');
	});

	it('gives calls a moment when it is told to end, and then their errors', async () => {
		if (isWindows) return;
		const host = await lab.host('--config', lab.config());
		const agent = await hangingAgent(host);
		const startedAt = performance.now();
		assert.equal(await host.end('SIGTERM'), 0);
		const took = performance.now() - startedAt;
		assert.ok(took > 1_500 && took < 20_000, `${took}`);
		const answer = await until('an answer', () => /\{"jsonrpc":"2\.0","id":2,"error".*/.exec(agent.stdout())?.[0]);
		assert.match(answer, /"type":"(outcome-unknown|server-unavailable|cancelled)"/);
		await agent.end('SIGKILL');
	});

	it('is one for each data directory; another says whose it is', async () => {
		const host = await lab.host();
		const other = lab.run(['host', '--data', lab.data]);
		assert.equal(await other.ended, 2);
		assert.equal(
			other.stderr(),
			`crosstalk: A host already runs in ${lab.data}: process ${host.pid}. Stop it, or name another data directory with --data.\n`,
		);
		const background = lab.run(['host', '--data', lab.data, '--idle', '60']);
		assert.equal(await background.ended, 0);
		assert.equal(background.stdout(), '');
	});

	it('is found at the same address by its agents after an end and after a kill', async () => {
		const first = await lab.host();
		await first.end('SIGTERM');
		const second = await lab.host();
		await second.end('SIGKILL');
		const third = await lab.host('--port', '0');
		for (const { address } of [second, third]) {
			assert.deepEqual([address.url, address.token], [first.address.url, first.address.token]);
		}
		assert.deepEqual([second.address.generation, third.address.generation], [2, 3]);
	});

	it('ends servers that have outlived a host that was killed, and nothing else', async () => {
		if (isWindows) return;
		// Its stdin ends, and it goes on.
		const deaf = `process.on('SIGTERM', () => {});
			setInterval(() => {}, 1000);
			require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
				const { id } = JSON.parse(line);
				const result = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'deaf', version: '1' } };
				if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
			})`;
		const config = lab.config({ deaf: { command: process.execPath, args: ['-e', deaf] } });
		const host = await lab.host('--config', config);
		const { url, token } = host.address;
		await Agent.connect(`${url}/${token}/mcp/deaf`);
		const status = await run(['status', '--json', '--data', lab.data]);
		const { pid } = (JSON.parse(status.stdout) as HostStatus).servers[0]!; // the contract's shape
		assert.ok(pid !== null);
		await host.end('SIGKILL');
		assert.ok(isAlive(pid));
		// The id of a process that was there before, and is another's now.
		const record = join(lab.data, 'server-processes');
		appendFileSync(record, `${process.pid} 1\n`);
		const next = await lab.host('--config', config);
		await until('the end of the server', () => !isAlive(pid) || undefined);
		assert.match(next.stderr(), new RegExp(`^crosstalk: Process ${pid}, .* was ended\\.$`, 'm'));
		assert.ok(!existsSync(record));
	});

	it('goes elsewhere when its port was taken meanwhile, but not when a person has named it', async () => {
		const first = await lab.host();
		await first.end('SIGTERM');
		const port = Number(new URL(first.address.url).port);
		const squatter = createServer();
		await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve));
		try {
			const second = await lab.host();
			assert.notEqual(second.address.url, first.address.url);
			assert.match(second.stderr(), new RegExp(`^crosstalk: Port ${port}, where agents know the host, is taken`));
			await second.end('SIGTERM');
			const third = lab.run(['host', '--data', lab.data, '--port', String(port)]);
			assert.equal(await third.ended, 2);
			assert.equal(
				third.stderr(),
				`crosstalk: Port ${port} is taken by another program. Name another with --port.\n`,
			);
		} finally {
			await new Promise((resolve) => squatter.close(resolve));
		}
	});

	it('listens where it is told to', async () => {
		const port = await freePort();
		const host = await lab.host('--port', String(port));
		assert.equal(host.address.url, `http://127.0.0.1:${port}`);
	});

	it('takes over what changes in its configuration, and keeps what runs while it is broken', async () => {
		const config = lab.config();
		const host = await lab.host('--config', config);
		lab.config({ fault: lab.fault(), second: lab.fault() });
		await until('a second server', async () => ((await serverNames()).length === 2 ? true : undefined));
		writeFileSync(config, '{ "mcpServers": { "third": { "command": ');
		await until('a word about it', () => /mcp\.json:1: /.test(host.stderr()) || undefined);
		assert.deepEqual(await serverNames(), ['fault', 'second']);
		lab.config({ third: lab.fault() });
		await until('the third server alone', async () =>
			(await serverNames()).join() === 'third' ? true : undefined,
		);
		assert.equal(host.child.exitCode, null);
	});

	it('leaves out a server that is wrong, with a line about it, and cannot begin without its file', async () => {
		const config = lab.config({ good: lab.fault(), bad: { args: [] } });
		const host = await lab.host('--config', config);
		assert.deepEqual(await serverNames(), ['good']);
		assert.match(host.stderr(), /^crosstalk: .*mcp\.json:1: .*"bad".*\n$/);
		await host.end('SIGTERM');
		const without = lab.run(['host', '--data', lab.data, '--config', 'nowhere.json']);
		assert.equal(await without.ended, 2);
		assert.match(
			without.stderr(),
			/^crosstalk: The configuration .*nowhere\.json cannot be read: there is no such file\.\n$/,
		);
	});

	it('ends when a client asks for it: at once, or when no call runs any more', async () => {
		const host = await lab.host('--config', lab.config());
		const agent = await hangingAgent(host);
		await (await control()).request('host/stop', { isForced: false });
		await new Promise((resolve) => setTimeout(resolve, 500));
		assert.ok(isAlive(host.pid));
		await (await control()).request('host/stop', { isForced: true });
		assert.equal(await within(30_000, 'its end', host.ended), 0);
		await agent.end('SIGKILL');
	});

	it('ends when nobody has needed it for a while, only if it is asked to', async () => {
		const host = await lab.host('--idle', '1');
		assert.equal(await within(30_000, 'its end', host.ended), 0);
		assert.equal(host.stderr(), 'crosstalk: Nobody needs the host any more.\n');
	});

	for (const [args, sentence] of [
		[['host', '--port', 'http'], '--port is a number from 0 to 65535; it cannot be "http".'],
		[['host', '--port', '65536'], '--port is a number from 0 to 65535; it cannot be "65536".'],
		[['host', '--idle', '-1'], 'The option --idle needs a value. If "-1" is meant, write --idle=-1.'],
		[['host', '--data', ''], 'The option --data needs a value.'],
		[['host', 'now'], '"now" is one argument too many.'],
	] as const) {
		it(`refuses ${args.join(' ')} in one sentence`, async () => {
			const { code, stdout, stderr } = await run(args);
			assert.deepEqual([code, stdout, stderr.split('\n')[0]], [2, '', `crosstalk: ${sentence}`]);
		});
	}

	/** An agent whose call hangs. */
	async function hangingAgent(host: RunningProcess): Promise<RunningProcess> {
		const agent = lab.run(['connect', 'fault', '--data', lab.data]);
		const say = (message: object) =>
			agent.child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
		const clientInfo = { name: 'a test', version: '1' };
		say({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } });
		say({ method: 'notifications/initialized' });
		say({ id: 2, method: 'tools/call', params: { name: 'ignore_cancel', arguments: {} } });
		const client = await control();
		await until(`a call that runs; ${host.stderr()}`, async () => {
			const { calls } = await client.request('host/status', {});
			return calls.some(({ state }) => state === 'running') || undefined;
		});
		client.dispose();
		return agent;
	}
});

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo; // of a TCP server
	await new Promise((resolve) => server.close(resolve));
	return port;
}
