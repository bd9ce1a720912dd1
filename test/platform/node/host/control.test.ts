import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StreamMessageReader, StreamMessageWriter, createMessageConnection } from 'vscode-jsonrpc/node';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { HostAddress } from '../../../../src/core/host/control.ts';
import { createHost } from '../../../../src/core/host/createHost.ts';
import { EventRecorder } from '../../../../src/core/host/eventRecorder.ts';
import type { Host } from '../../../../src/core/host/host.ts';
import { defaultLimits } from '../../../../src/core/host/serverDefinition.ts';
import type { ServerDefinition } from '../../../../src/core/host/serverDefinition.ts';
import type { HostStatus } from '../../../../src/core/host/status.ts';
import { connectControl } from '../../../../src/platform/node/host/controlClient.ts';
import type { ControlClient } from '../../../../src/platform/node/host/controlClient.ts';
import { startControlServer } from '../../../../src/platform/node/host/controlServer.ts';
import type { ControlServer } from '../../../../src/platform/node/host/controlServer.ts';
import { nodeHostClock, nodeHostRandom } from '../../../../src/platform/node/host/hostPlatform.ts';
import { controlSocketPath } from '../../../../src/platform/node/host/localSocket.ts';
import { NodeUpstreams } from '../../../../src/platform/node/upstreams/nodeUpstreams.ts';
import { until, within } from '../../../mcp/waiting.ts';
import { Lab, isWindows } from './hosts.ts';

describe('the control socket', () => {
	let lab: Lab;
	let host: Host;
	let server: ControlServer;
	let path: string;
	let address: HostAddress;
	let stops: boolean[];
	let log: string[];
	let clients: ControlClient[];
	let sockets: Socket[];

	beforeEach(async () => {
		lab = new Lab();
		[stops, log, clients, sockets] = [[], [], [], []];
		mkdirSync(lab.data, { mode: 0o700 });
		host = createHost({
			platform: {
				clock: nodeHostClock,
				random: nodeHostRandom,
				upstreams: new NodeUpstreams(),
				seal: { of: (text) => text },
			},
			recorder: new EventRecorder({ append: () => true, maximumMessageBytes: 1_000 }, nodeHostClock),
			version: '1',
			process: { pid: process.pid, generation: 1, startedAt: new Date().toISOString() },
			onError: (error) => log.push(String(error)),
		});
		path = await controlSocketPath(lab.data);
		address = {
			url: 'http://127.0.0.1:1',
			token: 't',
			controlSocket: path,
			pid: process.pid,
			generation: 1,
			dataDir: lab.data,
		};
		server = await startControlServer({
			host,
			path,
			address: Promise.resolve(address),
			stop: (isForced) => stops.push(isForced),
			onClients: () => undefined,
			log: (sentence) => log.push(sentence),
		});
	});

	afterEach(async () => {
		for (const client of clients) client.dispose();
		for (const socket of sockets) socket.destroy();
		await server.close();
		await host.close();
		await lab.remove();
	});

	async function attached(): Promise<ControlClient> {
		const client = await connectControl(path, { client: 'a test', timeoutMs: 20_000 });
		assert.ok(client);
		clients.push(client);
		return client;
	}

	/** A client that speaks for itself. */
	async function stranger(): Promise<{ socket: Socket; connection: MessageConnection; closed: Promise<void> }> {
		const socket = connect(path);
		sockets.push(socket);
		socket.on('error', () => undefined);
		const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
		await new Promise((resolve) => socket.once('connect', resolve));
		const connection = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
		connection.listen();
		return { socket, connection, closed };
	}

	it('tells who attaches where the host is, and counts who is there', async () => {
		const client = await attached();
		assert.deepEqual(client.address, address);
		await attached();
		assert.equal(server.clients, 2);
		client.dispose();
		await until('one client less', () => server.clients === 1 || undefined);
	});

	it('is nobody’s where nobody listens', async () => {
		await server.close();
		assert.equal(await connectControl(path, { client: 'a test', timeoutMs: 100 }), undefined);
	});

	it('is its user’s alone', () => {
		if (isWindows) return;
		assert.equal((statSync(path).mode & 0o777).toString(8), '600');
	});

	it('is left behind by nobody who closes it, and found by the next owner where one was killed', async () => {
		if (isWindows) return;
		const left = await controlSocketPath(lab.data);
		assert.equal(left, path);
		// The socket file was removed; a host can listen there again.
		const next = createServer();
		await new Promise<void>((resolve) => next.listen(left, resolve));
		await new Promise((resolve) => next.close(resolve));
	});

	it('lies elsewhere, as privately, where the path of the data directory is too long for a socket', async () => {
		if (isWindows) return;
		const long = join(lab.folder, 'a'.repeat(120));
		const other = await controlSocketPath(long);
		assert.ok(Buffer.byteLength(other) <= 103, other);
		assert.equal((statSync(join(other, '..')).mode & 0o777).toString(8), '700');
		assert.notEqual(await controlSocketPath(`${long}b`), other);
		const listening = createServer();
		await new Promise<void>((resolve) => listening.listen(other, resolve));
		await new Promise((resolve) => listening.close(resolve));
	});

	for (const [protocol, sentence] of [
		[
			0,
			/^The host is newer than this program: it speaks version 1 of the control protocol, not 0\. Update this program\.$/,
		],
		[
			2,
			/^The host is older than this program: it speaks version 1 of the control protocol, not 2\. Stop the host; /,
		],
	] as const) {
		it(`refuses protocol ${protocol} with a sentence`, async () => {
			const { connection } = await stranger();
			await assert.rejects(connection.sendRequest('host/attach', { protocol, client: 'x' }), {
				message: sentence,
			});
			await assert.rejects(connection.sendRequest('host/status', {}), { message: /has to be host\/attach/ });
		});
	}

	it('answers what it is asked', async () => {
		const client = await attached();
		const status = await client.request('host/status', {});
		assert.deepEqual([status.version, status.host.pid, status.servers], [1, process.pid, []]);
		const { names } = await client.request('servers/put', { source: 'a test', servers: [definition('one')] });
		assert.deepEqual(names, { one: 'one' });
		assert.deepEqual(await client.request('servers/output', { server: 'one' }), { text: '' });
		assert.deepEqual(await client.request('calls/cancel', { callId: 'none' }), { wasInFlight: false });
		await assert.rejects(client.request('servers/reconnect', { server: 'two' }), {
			name: 'ExpectedError',
			message: 'There is no MCP server "two".',
		});
		await client.request('host/stop', { isForced: false });
		await client.request('host/stop', { isForced: true });
		assert.deepEqual(stops, [false, true]);
	});

	it('outlives requests that are not as they should be', async () => {
		const { connection } = await stranger();
		await connection.sendRequest('host/attach', { protocol: 1, client: 'x' });
		for (const [method, params, sentence] of [
			['servers/put', { source: 'x', servers: 'all' }, 'servers has to be a list.'],
			['servers/put', { source: 'x', servers: [null] }, 'servers[0] has to be an object.'],
			['servers/put', { servers: [] }, 'source has to be a text.'],
			[
				'servers/put',
				{ source: 'x', servers: [{ ...definition('a'), transport: { kind: 'pigeon' } }] },
				'servers[0].transport.kind has to be one of stdio, http, sse.',
			],
			[
				'servers/put',
				{ source: 'x', servers: [{ ...definition('a'), limits: { ...defaultLimits, queueMs: 'long' } }] },
				'servers[0].limits.queueMs has to be a number that is not negative.',
			],
			['servers/output', { server: 1 }, 'server has to be a text.'],
			['host/status', 5, 'host/status needs its parameters by name.'],
			['frob', {}, 'Unhandled method frob'],
		] as const) {
			await assert.rejects(connection.sendRequest(method, params), { message: sentence });
		}
		assert.deepEqual(host.status().servers, []);
	});

	for (const [what, bytes] of [
		['noise', Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 7919) % 256))],
		['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
		['a length that is none', Buffer.from('Content-Length: many\r\n\r\n')],
		['JSON that is none', Buffer.from('Content-Length: 5\r\n\r\n{"a":')],
		['a cancellation of nothing', framed('{"jsonrpc":"2.0","method":"$/cancelRequest"}')],
		['headers without an end', Buffer.alloc(5 * 1024 * 1024, 'Content-Length: 1\r\n')],
		['a message without an end', Buffer.alloc(5 * 1024 * 1024, 'Content-Length: 99999999\r\n\r\n')],
	] as const) {
		it(`turns away a client that sends ${what}, and nobody else notices`, async () => {
			const client = await attached();
			const { socket, closed } = await stranger();
			socket.write(bytes);
			socket.write('\r\n\r\n');
			await within(20_000, 'the end of the connection', closed);
			assert.match(log.at(-1) ?? '', /^A client of the control socket was turned away: /);
			assert.equal((await client.request('host/status', {})).version, 1);
		});
	}

	for (const json of [
		'null',
		'5',
		'"text"',
		'[]',
		'{}',
		'{"jsonrpc":"2.0","id":7,"result":1}',
		'{"id":null,"error":{}}',
	]) {
		it(`is not impressed by ${json}`, async () => {
			const { socket, connection } = await stranger();
			socket.write(framed(json));
			assert.deepEqual(await connection.sendRequest('host/attach', { protocol: 1, client: 'x' }), address);
		});
	}

	it('goes on when a client dies in the middle of a request', async () => {
		const client = await attached();
		const { socket, connection } = await stranger();
		await connection.sendRequest('host/attach', { protocol: 1, client: 'x' });
		connection.sendRequest('host/watch', {}).catch(() => undefined);
		connection.sendRequest('host/status', {}).catch(() => undefined);
		await delay(5);
		socket.destroy();
		for (let count = 0; count < 20; count++) host.putServers('a test', [definition(`server-${count}`)]);
		await until('one client less', () => server.clients === 1 || undefined);
		assert.equal((await client.request('host/status', {})).servers.length, 1);
	});

	it('tells who watches of changes, at most ten times a second, and the last state for certain', async () => {
		const client = await attached();
		const told: HostStatus[] = [];
		client.onDidChange((status) => told.push(status));
		await client.request('host/watch', {});
		await until('the first status', () => told.length === 1 || undefined);
		const startedAt = performance.now();
		let count = 0;
		while (performance.now() - startedAt < 1_000) {
			host.putServers('a test', [definition(`server-${++count}`)]);
			await delay(1);
		}
		await until('the last state', () => told.at(-1)?.servers[0]?.name === `server-${count}` || undefined);
		assert.ok(count > 20, `${count} changes`);
		const seconds = (performance.now() - startedAt) / 1000;
		assert.ok(told.length - 1 <= Math.ceil(seconds * 10) + 1, `${told.length} in ${seconds} s`);
		assert.ok(told.length > 2, `${told.length}`);
	});

	it('is silent when nothing is different', async () => {
		const client = await attached();
		let told = 0;
		client.onDidChange(() => told++);
		await client.request('host/watch', {});
		await until('the first status', () => told === 1 || undefined);
		for (let count = 0; count < 5; count++) {
			host.putServers('a test', []);
			await delay(60);
		}
		assert.equal(told, 1);
	});

	it('tells a client that the host has ended, and lets no request hang', async () => {
		const client = await attached();
		const closed = new Promise<void>((resolve) => client.onDidClose(() => resolve()));
		await server.close();
		await within(20_000, 'the news', closed);
		await assert.rejects(client.request('host/status', {}), {
			name: 'ExpectedError',
			message: 'The host has ended before it answered.',
		});
		let isToldLate = false;
		client.onDidClose(() => (isToldLate = true));
		assert.equal(isToldLate, true);
	});

	it('gives up on a host that accepts and says nothing', async () => {
		await server.close();
		const mute = createServer((socket) => sockets.push(socket));
		await new Promise<void>((resolve) => mute.listen(path, resolve));
		assert.equal(await connectControl(path, { client: 'a test', timeoutMs: 100 }), undefined);
		for (const socket of sockets) socket.destroy();
		await new Promise((resolve) => mute.close(resolve));
	});
});

function framed(json: string): Buffer {
	return Buffer.from(`Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`);
}

function definition(name: string): ServerDefinition {
	return {
		name,
		transport: { kind: 'stdio', command: process.execPath, args: [], env: {} },
		sharing: 'auto',
		limits: defaultLimits,
		secrets: [],
		redactedArguments: [],
	};
}
