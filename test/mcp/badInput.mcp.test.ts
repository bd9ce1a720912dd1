// Whatever one of them sends, server or client: it gets one clear line, and everybody else goes on.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectControl } from '../../src/platform/node/host/controlClient.ts';
import { builtCommandLine } from '../e2e/crosstalk.ts';
import { Agent, NoAnswer } from './agent.ts';
import type { WireError } from './agent.ts';
import { Executions } from './executions.ts';
import { cli, fault, scratch, startHost } from './gateways.ts';
import type { Host, HostOptions, Servers } from './gateways.ts';
import { send, write } from './rawHttp.ts';
import type { RawRequest } from './rawHttp.ts';
import { until, within } from './waiting.ts';

describe('bad input', function () {
	this.timeout(180_000);
	let folder: Awaited<ReturnType<typeof scratch>>;
	let host: Host;
	let sound: Executions;
	let innocent: Agent;

	before(async function () {
		this.timeout(300_000);
		await builtCommandLine();
	});

	beforeEach(async () => {
		folder = await scratch();
		sound = new Executions(join(folder.path, 'sound.ndjson'));
	});

	afterEach(async () => {
		innocent?.vanish();
		await host?.stop();
		await folder.remove();
	});

	/** A host with the server `sound` and an agent that works with it all the while. */
	async function start(servers: Servers = {}, options: HostOptions = {}): Promise<void> {
		host = await startHost({ sound: fault(sound.path), ...servers }, options);
		innocent = await Agent.connect(host.addressOf('sound'), { name: 'innocent' });
		await assertAllIsWell();
	}

	/** Nobody has noticed anything. */
	async function assertAllIsWell(): Promise<void> {
		const { text } = await within(
			20_000,
			'an answer to the innocent',
			innocent.call('echo', { text: 'still here' }),
		);
		assert.equal(text, 'still here');
		assert.equal(sound.of('boot').length, 1, 'their server was left alone');
	}

	/** What the host keeps of what a server has printed. */
	async function outputOf(server: string): Promise<string> {
		const client = await connectControl(host.address.controlSocket, { client: 'a test', timeoutMs: 20_000 });
		try {
			const { text } = await client!.request('servers/output', { server });
			return text;
		} finally {
			client?.dispose();
		}
	}

	async function wireErrorOf(server: string, tool: string, args: object = {}): Promise<WireError> {
		let error: WireError | undefined;
		try {
			const agent = await Agent.connect(host.addressOf(server));
			({ error } = await agent.call(tool, { ...args }));
			agent.vanish();
		} catch (failure) {
			error = failure instanceof NoAnswer ? failure.wire : undefined;
			if (error === undefined) throw failure;
		}
		assert.ok(error !== undefined, 'it should have failed');
		return error;
	}

	describe('in a configuration', () => {
		it('comments and commas at the end are no harm', async () => {
			const entry = JSON.stringify(fault(sound.path));
			host = await startHost(
				{},
				{ configuration: `{ // servers\n "mcpServers": { /* one */ "sound": ${entry}, }, }` },
			);
			innocent = await Agent.connect(host.addressOf('sound'));
			await assertAllIsWell();
		});

		it('a server without a command is named, with what to do, and costs that server alone', async () => {
			await start({ empty: { args: ['x'] } });
			assert.match(host.stderr(), /^.*mcp\.json:\d+.*empty.*command.*$/m);
		});

		it('a command that is not there is named when it is asked for, at once', async () => {
			await start({ absent: { command: 'no-such-command-anywhere' } });
			const error = await within(20_000, 'the error', wireErrorOf('absent', 'echo'));
			assert.equal(error.code, -31003);
			assert.match(error.message, /absent/);
			assert.match(error.message, /no-such-command-anywhere/);
			await assertAllIsWell();
		});

		it('an unknown key is named, and the server serves all the same', async () => {
			const odd = { ...fault(join(folder.path, 'odd.ndjson')), comand: 'typing error' };
			await start({ odd });
			assert.match(host.stderr(), /^.*mcp\.json:\d+.*odd.*comand.*$/m);
			const agent = await Agent.connect(host.addressOf('odd'));
			assert.equal((await agent.call('echo', { text: 'served' })).text, 'served');
			agent.vanish();
		});

		it('a file that is no JSON is one line, with its place', async () => {
			// Perhaps somebody is writing it just now: it is read again when it changes.
			await start(
				{},
				{ configuration: `{ "mcpServers": { "sound": ${JSON.stringify(fault(sound.path))}, "odd": ` },
			);
			assert.match(host.stderr(), /^.*mcp\.json:1.*$/m);
		});
	});

	describe('from a server', () => {
		const odd = () => new Executions(join(folder.path, 'odd.ndjson'));

		async function startWith(args: readonly string[] = [], limits: Servers[string]['limits'] = {}): Promise<Agent> {
			await start({
				odd: { ...fault(odd().path, ...args), limits: { callMs: 5_000, connectMs: 20_000, ...limits } },
			});
			return Agent.connect(host.addressOf('odd'));
		}

		it('noise on stdout before the handshake and in the middle of a call is kept and shown, and does no harm', async () => {
			const agent = await startWith(['--noise']);
			assert.equal((await agent.call('noise', { text: 'Here I am {' })).text, 'made noise');
			assert.equal((await agent.call('echo', { text: 'x' })).text, 'x');
			const text = await outputOf('odd');
			for (const noise of ['Loading plugins…', '{"this is": no JSON', '42', 'Here I am {']) {
				assert.ok(text.includes(noise), `"${noise}" is in what is shown:\n${text}`);
			}
			await assertAllIsWell();
		});

		it('what it prints on stderr is kept and shown', async () => {
			const agent = await startWith();
			await agent.call('stderr', { text: 'Warning: the disk is almost full.' });
			const text = await until('what it printed', async () => {
				const printed = await outputOf('odd');
				return printed.includes('almost full') ? printed : undefined;
			});
			assert.match(text, /Warning: the disk is almost full\./);
		});

		it('an answer to nobody, at its start or later, is named and dropped', async () => {
			const agent = await startWith(['--stray']);
			assert.equal((await agent.call('echo', { text: 'x' })).text, 'x');
			await until(
				'the line about it',
				async () => /987654321/.test((await outputOf('odd')) + host.stderr()) || undefined,
			);
			await assertAllIsWell();
		});

		it('a call that is answered with a wrong id reaches its limit; the call beside it has its own answer', async () => {
			const agent = await startWith();
			const other = await Agent.connect(host.addressOf('odd'));
			const wrong = agent.call('wrong_id', { key: 'wrong' });
			assert.equal((await other.call('echo', { text: 'mine' })).text, 'mine');
			const { error } = await within(30_000, 'the limit', wrong);
			assert.equal(error?.code, -32001);
			assert.match(error?.message ?? '', /odd/);
			await until(
				'the line about it',
				async () => /987654321/.test((await outputOf('odd')) + host.stderr()) || undefined,
			);
			await assertAllIsWell();
		});

		it("an answer that is none is the server's fault and not the client's", async () => {
			const agent = await startWith();
			const { error } = await within(20_000, 'the error', agent.call('malformed'));
			assert.equal(error?.code, -32603);
			assert.match(error?.message ?? '', /odd/);
			await assertAllIsWell();
		});

		it('an error of its own passes as it is', async () => {
			const agent = await startWith();
			const { error } = await agent.call('refuse');
			assert.equal(error?.code, -32602);
			assert.match(error?.message ?? '', /The argument is not acceptable\./);
			assert.deepEqual(error?.data, { argument: 'all' });
		});

		it('a flood of notifications delays nobody much, and is not kept in memory', async function () {
			const agent = await startWith([], { callMs: 120_000 });
			const before = memoryOf(host);
			const startedAt = performance.now();
			const flooding = agent.call('flood', { count: 200_000 });
			let slowest = 0;
			let isOver = false;
			const working = (async () => {
				while (!isOver) {
					const { milliseconds } = await innocent.call('echo', { text: 'x' });
					slowest = Math.max(slowest, milliseconds);
					await delay(10);
				}
			})();
			const { text } = await within(120_000, 'the end of the flood', flooding);
			const took = performance.now() - startedAt;
			isOver = true;
			await working;
			assert.equal(text, 'flooded');
			assert.ok(slowest < 1_000 + took / 2, `the innocent waited for ${slowest} of ${took} ms`);
			const grown = memoryOf(host) - before;
			assert.ok(grown < 250, `the host has grown by ${grown} MB`);
			await assertAllIsWell();
		});

		it('a message of 100 MB is refused with its size, or delivered whole; nobody else waits for it', async () => {
			const agent = await startWith([], { callMs: 120_000 });
			const before = memoryOf(host);
			const startedAt = performance.now();
			const big = agent.call('big', { bytes: 100_000_000 });
			let slowest = 0;
			let isOver = false;
			const working = (async () => {
				while (!isOver) {
					const { milliseconds } = await innocent.call('echo', { text: 'x' });
					slowest = Math.max(slowest, milliseconds);
					await delay(10);
				}
			})();
			const { text, error } = await within(120_000, 'an answer', big);
			const took = performance.now() - startedAt;
			isOver = true;
			await working;
			if (error === undefined) assert.equal(text?.length, 100_000_000);
			else {
				// It was carried out, and what came of it nobody knows.
				assert.equal(error.code, -31001);
				assert.match(error.message, /odd.*\b\d+ MB/);
			}
			assert.ok(slowest < 1_000 + took / 2, `the innocent waited for ${slowest} of ${took} ms`);
			assert.equal((await agent.call('echo', { text: 'next' })).text, 'next');
			assert.equal(odd().of('boot').length, 1, 'its server was left alone');
			const grown = memoryOf(host) - before;
			assert.ok(grown < 450, `the host has grown by ${grown} MB`);
			await assertAllIsWell();
		});

		it('a server that never answers initialize is given up after its time', async () => {
			const limits = { connectMs: 500, connectAttempts: 2, queueMs: 60_000 };
			await start({ odd: { ...fault(odd().path, '--mute'), limits } });
			const error = await within(60_000, 'the error', wireErrorOf('odd', 'echo'));
			assert.equal(error.code, -31003);
			assert.match(error.message, /odd/);
			assert.ok(odd().of('boot').length <= 2);
			await until('its processes to end', () => odd().pids.every((pid) => !isRunning(pid)) || undefined);
			await assertAllIsWell();
		});

		it('a server that is slow to start is waited for', async () => {
			const agent = await startWith(['--slow', '1200']);
			assert.equal((await agent.call('echo', { text: 'at last' })).text, 'at last');
		});

		it('none of our own environment reaches it, but for the few variables that every program needs', async () => {
			host = await startHost(
				{ odd: { ...fault(odd().path), env: { ASKED_FOR: 'yes' } } },
				{ environment: { ANTHROPIC_API_KEY: 'secret', MY_TOKEN: 'secret' } },
			);
			innocent = await Agent.connect(host.addressOf('odd'));
			const { text } = await innocent.call('environment');
			const environment = JSON.parse(text!) as Record<string, string>; // process.env
			assert.equal(environment['ASKED_FOR'], 'yes');
			assert.deepEqual(
				Object.keys(environment).filter((name) => /KEY|TOKEN/.test(name)),
				[],
			);
		});
	});

	describe('from a client', () => {
		const initialize = (protocolVersion: string, id: unknown = 1) => ({
			...{ jsonrpc: '2.0', id, method: 'initialize' },
			params: { protocolVersion, capabilities: {}, clientInfo: { name: 'odd', version: '1' } },
		});

		interface Row {
			readonly what: string;
			readonly request: (session: string) => RawRequest;
			/** Below `{url}/{token}`; absent: the sound server. */
			readonly path?: string;
			readonly token?: string;
			readonly status: number | readonly number[];
			readonly code?: number;
			readonly id?: string | number;
			readonly says?: RegExp;
		}

		const inSession = (body: unknown) => (session: string) => ({
			headers: { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' },
			body: typeof body === 'string' ? body : JSON.stringify(body),
		});

		const rows: readonly Row[] = [
			{ what: 'no JSON', request: inSession('{"jsonrpc": "2.0", "id"'), status: 400, code: -32700, says: /JSON/ },
			{ what: 'an empty body', request: inSession(''), status: 400, code: -32700 },
			{ what: 'JSON that is no message', request: inSession({ hello: 'world' }), status: 400, code: -32600 },
			{ what: 'a number', request: inSession('42'), status: 400, code: -32600 },
			{
				what: 'a message of no version',
				request: inSession({ id: 1, method: 'ping' }),
				status: 400,
				code: -32600,
			},
			{
				what: 'an id that is an object',
				request: inSession({ jsonrpc: '2.0', id: {}, method: 'ping' }),
				status: 400,
				code: -32600,
			},
			{
				what: 'a method that is a number',
				request: inSession({ jsonrpc: '2.0', id: 7, method: 7 }),
				status: 400,
				code: -32600,
			},
			{
				what: 'a batch',
				request: inSession([
					{ jsonrpc: '2.0', id: 1, method: 'ping' },
					{ jsonrpc: '2.0', id: 2, method: 'ping' },
				]),
				status: 400,
				code: -32600,
				says: /batch/i,
			},
			{
				what: 'an unknown method',
				request: inSession({ jsonrpc: '2.0', id: 'u', method: 'tools/juggle' }),
				status: 200,
				code: -32601,
				id: 'u',
			},
			{
				what: 'an unknown tool',
				request: inSession({ jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'juggle' } }),
				status: 200,
				code: -32602,
				id: 3,
			},
			{
				what: 'a call without a tool',
				request: inSession({ jsonrpc: '2.0', id: 4, method: 'tools/call', params: {} }),
				status: [200, 400],
				code: -32602,
				id: 4,
			},
			{
				what: 'brackets without an end',
				request: inSession('['.repeat(200_000)),
				status: 400,
				code: -32700,
			},
			{
				what: 'bytes that are no UTF-8',
				request: (session) => ({
					...inSession('')(session),
					body: Buffer.from([0x7b, 0xff, 0xfe, 0x22, 0x7d]),
				}),
				status: 400,
				code: -32700,
			},
			{
				what: 'a session that is not there',
				request: () => inSession({ jsonrpc: '2.0', id: 5, method: 'ping' })('made-up'),
				status: 404,
			},
			{
				what: 'no session',
				request: () => ({ body: JSON.stringify({ jsonrpc: '2.0', id: 6, method: 'tools/list' }) }),
				status: 400,
				code: -32000,
				says: /initialize/,
			},
			{
				what: 'a newer revision in the header',
				request: (session) => ({
					...inSession({ jsonrpc: '2.0', id: 8, method: 'tools/list' })(session),
					headers: { 'mcp-session-id': session, 'mcp-protocol-version': '2031-01-01' },
				}),
				status: 400,
				says: /2031-01-01/,
			},
			{
				what: 'a newer revision in a request without a session',
				request: () => ({
					headers: { 'mcp-protocol-version': '2031-01-01', 'mcp-method': 'tools/list' },
					body: JSON.stringify({
						...{ jsonrpc: '2.0', id: 9, method: 'tools/list' },
						params: {
							_meta: {
								'io.modelcontextprotocol/protocolVersion': '2031-01-01',
								'io.modelcontextprotocol/clientCapabilities': {},
							},
						},
					}),
				}),
				status: 400,
				code: -32022,
				says: /2026-07-28/,
			},
			{
				what: "another site's name",
				request: () => ({ headers: { host: 'evil.example' }, body: JSON.stringify(initialize('2025-11-25')) }),
				status: 403,
			},
			{
				what: "another site's origin",
				request: () => ({
					headers: { origin: 'https://evil.example' },
					body: JSON.stringify(initialize('2025-11-25')),
				}),
				status: 403,
			},
			{
				what: 'an origin of null',
				request: () => ({ headers: { origin: 'null' }, body: JSON.stringify(initialize('2025-11-25')) }),
				status: 403,
			},
			{
				what: 'a wrong token',
				token: 'a'.repeat(32),
				request: () => ({ body: JSON.stringify(initialize('2025-11-25')) }),
				status: 401,
			},
			{
				what: 'no token',
				token: '',
				request: () => ({ body: JSON.stringify(initialize('2025-11-25')) }),
				status: 401,
			},
			{
				what: 'a wrong token for hooks',
				token: 'b'.repeat(32),
				path: '/hooks/claude-code',
				request: () => ({ body: '{}' }),
				status: 401,
			},
			{
				what: 'a wrong token for metrics',
				token: 'b',
				path: '/metrics',
				request: () => ({ method: 'GET' }),
				status: 401,
			},
			{
				what: 'a server that is not there',
				path: '/mcp/nobody',
				request: () => ({ body: JSON.stringify(initialize('2025-11-25')) }),
				status: 404,
				says: /nobody/,
			},
			{
				what: 'another address',
				path: '/../../etc/passwd',
				request: () => ({ method: 'GET' }),
				status: [401, 404],
			},
			{
				what: 'another verb',
				request: (session) => ({ ...inSession('{}')(session), method: 'PUT' }),
				status: 405,
			},
			{
				what: 'a header of 64 KB',
				request: () => ({ headers: { 'x-long': 'x'.repeat(65_536) }, body: '{}' }),
				status: 431,
			},
			{
				what: 'hook events that are no JSON',
				path: '/hooks/claude-code',
				request: () => ({ body: 'PreToolUse' }),
				status: [200, 400],
			},
		];

		it('every row of the table has its answer, and nobody else notices', async () => {
			await start();
			const opened = await send(host.addressOf('sound'), { body: JSON.stringify(initialize('2025-11-25')) });
			const session = String(opened.headers['mcp-session-id']);
			const wrong: string[] = [];
			for (const { what, request, path, token, status, code, id, says } of rows) {
				const address = `${host.address.url}/${token ?? host.address.token}${path ?? '/mcp/sound'}`;
				const answer = await within(20_000, `an answer to ${what}`, send(address, request(session)));
				const told = `${what}: ${answer.status} ${answer.body.slice(0, 200)}`;
				if (![status].flat().includes(answer.status)) wrong.push(`${told} (not ${String(status)})`);
				else if (code !== undefined && answer.error?.code !== code) wrong.push(`${told} (not ${code})`);
				else if (id !== undefined && answer.id !== id) wrong.push(`${told} (not of id ${id})`);
				else if (says !== undefined && !says.test(answer.body)) wrong.push(`${told} (not ${String(says)})`);
				// Who has no key learns nothing of what is behind the door.
				if (/^40[13]$/.test(String(answer.status)) && answer.body.includes('sound'))
					wrong.push(`${told} (tells)`);
				await assertAllIsWell();
			}
			assert.deepEqual(wrong, []);
			const { text } = await Agent.connect(host.addressOf('sound')).then((agent) => agent.call('pid'));
			assert.equal(Number(text), sound.pids[0]);
		});

		it('a revision that is not known yet is answered with one that is', async () => {
			await start();
			const { status, body } = await send(host.addressOf('sound'), {
				body: JSON.stringify(initialize('2031-01-01')),
			});
			assert.equal(status, 200);
			assert.match(body, /"protocolVersion":"2025-11-25"/);
		});

		it('an id that is in use is refused; the request that has it goes on', async () => {
			await start();
			const opened = await send(host.addressOf('sound'), { body: JSON.stringify(initialize('2025-11-25')) });
			const session = String(opened.headers['mcp-session-id']);
			const call = (name: string, args: object) =>
				send(
					host.addressOf('sound'),
					inSession({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } })(
						session,
					),
				);
			const first = call('sleep', { ms: 500, key: 'first' });
			await until('the first to run', () => sound.of('start', 'first')[0]);
			const second = await call('echo', { text: 'second', key: 'second' });
			assert.equal(second.error?.code, -32600);
			assert.match(second.error?.message ?? '', /\b1\b/);
			assert.match((await first).body, /slept 500 ms/);
			assert.equal(sound.of('start', 'second').length, 0);
			// Afterwards it is free again.
			assert.match((await call('echo', { text: 'third' })).body, /third/);
		});

		it('the same ids of different clients are not the same', async () => {
			await start();
			const agents = await Promise.all(Array.from({ length: 20 }, () => Agent.connect(host.addressOf('sound'))));
			const answers = await Promise.all(
				agents.map((agent, index) => agent.call('sleep', { ms: 20 * (20 - index) })),
			);
			assert.deepEqual(
				answers.map(({ text }) => text),
				agents.map((_, index) => `slept ${20 * (20 - index)} ms`),
			);
		});

		it('half a request costs its own connection alone', async () => {
			await start();
			const { pathname, host: name } = new URL(host.addressOf('sound'));
			const head = `POST ${pathname} HTTP/1.1\r\nHost: ${name}\r\nContent-Type: application/json\r\n`;
			for (const half of [
				'POST ',
				'GARBAGE\r\n\r\n',
				head,
				`${head}Content-Length: 100\r\n\r\n{"jsonrpc":"2.0","id":1,"meth`,
				`${head}Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n{`,
				`${head}Transfer-Encoding: chunked\r\n\r\nnonsense\r\n`,
				`${head}Content-Length: 5\r\nContent-Length: 9\r\n\r\n{}`,
				`${head}Content-Length: -1\r\n\r\n{}`,
			]) {
				for (const thenClose of [true, false]) {
					const text = await write(host.address.url, half, { thenClose });
					assert.ok(text === '' || /^HTTP\/1\.1 4\d\d/.test(text), text);
					await assertAllIsWell();
				}
			}
			const { inFlight, calls } = await host.server('sound');
			assert.equal(inFlight, 0);
			assert.equal(calls, sound.of('start').length);
		});

		it('two hundred who say nothing keep nobody from working', async () => {
			await start();
			const silent = Array.from({ length: 200 }, () => write(host.address.url, 'POST / HTTP/1.1\r\nHost: x\r\n'));
			for (let count = 0; count < 20; count++) await assertAllIsWell();
			await Promise.all(silent);
		});

		it('a body without end is refused before it is read, and not kept', async () => {
			await start();
			const before = memoryOf(host);
			const { pathname, host: name } = new URL(host.addressOf('sound'));
			const head = `POST ${pathname} HTTP/1.1\r\nHost: ${name}\r\nContent-Type: application/json\r\n`;
			const said = await write(
				host.address.url,
				Buffer.concat([
					Buffer.from(`${head}Content-Length: 300000000\r\n\r\n{"a":"`),
					Buffer.alloc(150_000_000, 'x'),
				]),
				{ patienceMs: 20_000 },
			);
			assert.match(said, /^HTTP\/1\.1 413/);
			assert.match(said, /\d+ MB/);
			const grown = memoryOf(host) - before;
			assert.ok(grown < 200, `the host has grown by ${grown} MB`);
			await assertAllIsWell();
		});

		it('on stdio, a line that is no message has its answer, and half a line is nothing', async () => {
			await start();
			const client = spawn(process.execPath, [cli, 'connect', 'sound', '--data', host.dataDir], {
				stdio: ['pipe', 'pipe', 'inherit'],
			});
			let said = '';
			client.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
			const answers = () =>
				said
					.split('\n')
					.slice(0, -1)
					.map((line) => JSON.parse(line) as { id: unknown; error?: WireError; result?: object }); // compared below
			const lines = [
				JSON.stringify(initialize('2025-11-25', 'one')),
				'no JSON',
				'',
				'[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
				'{"jsonrpc":"2.0","id":"u","method":"tools/juggle"}',
				'{"jsonrpc":"2.0","id":"p","method":"ping"}\r',
			];
			client.stdin.write(`${lines.join('\n')}\n{"jsonrpc":"2.0","id":"half","met`);
			await until(
				'the answers',
				() => (answers().some(({ id }) => id === 'p') && answers().length >= 5) || undefined,
			);
			const codes = answers().map(({ id, error }) => [id, error?.code]);
			assert.deepEqual(
				codes.sort(
					(one, other) => String(one[0]).localeCompare(String(other[0])) || Number(one[1]) - Number(other[1]),
				),
				[
					[null, -32700],
					[null, -32600],
					['one', undefined],
					['p', undefined],
					['u', -32601],
				],
			);
			client.stdin.end();
			const code = await within(
				20_000,
				'its end',
				new Promise<number | null>((resolve) => client.once('exit', resolve)),
			);
			assert.equal(code, 0);
			await assertAllIsWell();
		});
	});
});

/** In MB. Only Linux tells it of another process; elsewhere it cannot have grown. */
function memoryOf(host: Host): number {
	if (process.platform !== 'linux') return 0;
	const status = readFileSync(`/proc/${host.address.pid}/status`, 'utf8');
	return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1000;
}

function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		// There is no such process any more.
		return false;
	}
}
