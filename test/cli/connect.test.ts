import assert from 'node:assert/strict';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { AgentStream } from '../../src/cli/connect/agentStream.ts';
import type { HostStatus } from '../../src/core/host/status.ts';
import { attach } from '../../src/platform/node/host/attach.ts';
import { readServerConfig } from '../../src/platform/node/host/serverConfigs.ts';
import { Executions } from '../mcp/executions.ts';
import { until, within } from '../mcp/waiting.ts';
import { Lab, addressIn, bin, isAlive, isWindows } from '../platform/node/host/hosts.ts';
import type { RunningProcess } from '../platform/node/host/hosts.ts';
import { run } from './memoryIo.ts';

interface Answer {
	readonly id: number;
	readonly result?: { readonly content?: readonly { readonly text: string }[]; readonly tools?: readonly object[] };
	readonly error?: {
		readonly code: number;
		readonly message: string;
		readonly data?: { readonly type: string; readonly server: string; readonly reason: string };
	};
}

/** An agent that has started `crosstalk connect` as its MCP server. */
class Agent {
	readonly process: RunningProcess;
	private lastId = 0;

	constructor(running: RunningProcess) {
		this.process = running;
	}

	send(message: object): void {
		this.process.child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
	}

	messages(): readonly (Answer & { readonly method?: string })[] {
		const lines = this.process.stdout().split('\n').slice(0, -1);
		return lines.map((line) => JSON.parse(line) as Answer); // every line has to be JSON; what is read of it is compared
	}

	/** The answer will come; for its id, `answer`. */
	ask(method: string, params: object): number {
		this.send({ id: ++this.lastId, method, params });
		return this.lastId;
	}

	async answer(id: number, milliseconds = 60_000): Promise<Answer> {
		const what = `the answer to ${id}; there was:\n${this.process.stdout()}\n${this.process.stderr()}`;
		return until(what, () => this.messages().find((message) => message.id === id), milliseconds);
	}

	async request(method: string, params: object): Promise<Answer> {
		return this.answer(this.ask(method, params));
	}

	call(name: string, args: object): number {
		return this.ask('tools/call', { name, arguments: args });
	}

	async initialize(): Promise<Answer> {
		const clientInfo = { name: 'a test', version: '1' };
		const answer = await this.request('initialize', {
			protocolVersion: '2025-06-18',
			capabilities: { roots: {} },
			clientInfo,
		});
		this.send({ method: 'notifications/initialized' });
		return answer;
	}
}

describe('crosstalk connect', () => {
	let lab: Lab;
	let executions: Executions;

	beforeEach(() => {
		lab = new Lab();
		executions = new Executions(lab.executions);
	});

	afterEach(async () => lab.remove());

	function agent(args: readonly string[] = [], environment: Readonly<Record<string, string>> = {}): Agent {
		return new Agent(lab.run(['connect', 'fault', '--data', lab.data, ...args], environment));
	}

	async function status(): Promise<HostStatus> {
		const { stdout } = await run(['status', '--json', '--data', lab.data]);
		return JSON.parse(stdout) as HostStatus; // the contract's shape
	}

	it('is an MCP server on stdio that the host shares', async () => {
		await lab.host('--config', lab.config());
		const agents = [agent(), agent()];
		await Promise.all(agents.map(async (one) => one.initialize()));
		const answers = await Promise.all(
			agents.map(async (one, index) => one.answer(one.call('echo', { text: `Grüße ${index}` }))),
		);
		assert.deepEqual(
			answers.map(({ result }) => result?.content?.[0]?.text),
			['Grüße 0', 'Grüße 1'],
		);
		assert.equal(executions.pids.length, 1);
		for (const { process } of agents) {
			process.child.stdin?.end();
			assert.equal(await process.ended, 0);
			assert.equal(process.stderr(), '');
		}
	});

	for (const [environment, session] of [
		[
			{ CLAUDE_CODE_SESSION_ID: '26f2dd86-5462-4f7a-aac2-ce9ac421faeb', CROSSTALK_SESSION: 'vscode:window-1' },
			'claude-code:26f2dd86-5462-4f7a-aac2-ce9ac421faeb',
		],
		[{ CROSSTALK_SESSION: 'vscode:window-1' }, 'vscode:window-1'],
		[{ CROSSTALK_SESSION: 'anything' }, null],
	] as const) {
		it(`says whose the calls are: ${session ?? 'nobody knows'}`, async () => {
			await lab.host('--config', lab.config());
			const one = agent(['--agent', 'explore api'], environment);
			await one.initialize();
			one.call('hang', {});
			const call = await until('a call', async () => (await status()).calls[0]);
			assert.deepEqual([call.agentId, call.sessionId, call.tool], ['explore api', session, 'hang']);
		});
	}

	it('starts the host when none runs, with the configuration of the last one', async () => {
		const first = await lab.host('--config', lab.config());
		await first.end('SIGTERM');
		const one = agent();
		await one.initialize();
		const answer = await one.answer(one.call('echo', { text: 'here' }));
		assert.equal(answer.result?.content?.[0]?.text, 'here');
		assert.notEqual((await addressIn(lab.data)).pid, first.pid);
	});

	it('outlives a host that is killed: calls in flight are answered, nothing runs twice, and the next call goes on', async () => {
		const host = await lab.host('--config', lab.config());
		const agents = [agent(), agent(), agent()];
		await Promise.all(agents.map(async (one) => one.initialize()));
		await Promise.all(agents.map(async (one) => one.request('tools/list', {})));
		const hanging = agents.map((one, index) => one.call('sleep', { ms: 60_000, key: `call-${index}` }));
		await until('three calls that run', () => (executions.of('start').length === 3 ? true : undefined));
		await host.end('SIGKILL');
		for (const [index, one] of agents.entries()) {
			const { error } = await one.answer(hanging[index] ?? 0);
			assert.equal(error?.code, -31_001);
			assert.match(
				error.message,
				/^The host ended while fault worked on sleep\. It may have been carried out; it was not sent again\.$/,
			);
			const { message: reason } = error;
			assert.deepEqual(error.data, { type: 'outcome-unknown', server: 'fault', tool: 'sleep', reason });
		}
		const answers = await Promise.all(agents.map(async (one) => one.answer(one.call('echo', { text: 'again' }))));
		assert.deepEqual(
			answers.map(({ result, error }) => result?.content?.[0]?.text ?? error),
			['again', 'again', 'again'],
		);
		for (const one of agents) {
			// One answer to each request: that the handshake was held again is nobody's business.
			const ids = one.messages().map(({ id }) => id);
			assert.deepEqual(ids, [1, 2, 3, 4]);
		}
		assert.deepEqual(
			[...executions.counts().values()].filter((count) => count !== 1),
			[],
		);
		assert.equal((await status()).host.generation, 2);
		const log = lab.log();
		assert.ok(!/bug/i.test(log), log);
	});

	for (const [what, isListed] of [
		['tools that the agent has listed', true],
		['tools of which it has to ask the next host itself', false],
	] as const) {
		it(`sends a call again to the next host where its tool says that this does no harm, of ${what}`, async () => {
			const host = await lab.host('--config', lab.config());
			const one = agent();
			await one.initialize();
			if (isListed) await one.request('tools/list', {});
			const known = one.messages().length;
			const tools = ['sleep_readonly', 'sleep', 'sleep_idempotent'];
			const calls = tools.map((tool) => one.call(tool, { ms: 1_000, key: tool }));
			await until('calls that run', () => executions.of('start').length === calls.length || undefined);
			await host.end('SIGKILL');
			const answers = await Promise.all(calls.map(async (id) => one.answer(id)));
			assert.deepEqual(
				answers.map(({ result, error }) => result?.content?.[0]?.text ?? error?.data?.type),
				['slept 1000 ms', 'outcome-unknown', 'slept 1000 ms'],
			);
			assert.deepEqual(Object.fromEntries(executions.counts()), {
				sleep_readonly: 2,
				sleep: 1,
				sleep_idempotent: 2,
			});
			// Whatever was asked in between was not the agent's question.
			assert.equal(one.messages().length, known + calls.length);
		});
	}

	it('sends a call again to so many hosts and not to more: it may be what ends them', async () => {
		await lab.host('--config', lab.config());
		const one = agent();
		await one.initialize();
		const call = one.call('sleep_idempotent', { ms: 60_000, key: 'deadly' });
		for (const count of [1, 2, 3]) {
			await until('a call that runs', () => executions.of('start', 'deadly').length === count || undefined);
			process.kill((await addressIn(lab.data)).pid, 'SIGKILL');
		}
		const { error } = await one.answer(call);
		assert.equal(error?.data?.type, 'outcome-unknown');
		assert.equal(executions.of('start', 'deadly').length, 3);
	});

	it('gives no host again what the agent has cancelled', async () => {
		const host = await lab.host('--config', lab.config());
		const one = agent();
		await one.initialize();
		const cancelled = one.call('sleep_idempotent', { ms: 60_000, key: 'cancelled' });
		await until('a call that runs', () => executions.of('start', 'cancelled')[0]);
		one.send({ method: 'notifications/cancelled', params: { requestId: cancelled } });
		await until('its cancellation', () => executions.of('cancelled', 'cancelled')[0]);
		await host.end('SIGKILL');
		// One that may be asked twice: the end of the host may not have been seen when it is sent.
		const answer = await one.answer(one.call('sleep_readonly', { ms: 1 }));
		assert.equal(answer.result?.content?.[0]?.text, 'slept 1 ms');
		assert.equal(executions.of('start', 'cancelled').length, 1);
		assert.ok(one.messages().every(({ id }) => id !== cancelled));
	});

	it('says of a call that was under way that its outcome is unknown, also where no other host can be had', async () => {
		const host = await lab.host('--config', lab.config());
		const one = agent();
		await one.initialize();
		const call = one.call('sleep_idempotent', { ms: 60_000, key: 'lost' });
		await until('a call that runs', () => executions.of('start', 'lost')[0]);
		// The lock of the host that runs is no longer this file's.
		const lock = join(lab.data, 'owner.sqlite');
		renameSync(lock, `${lock}.aside`);
		writeFileSync(lock, 'This is no database, and it is long enough to be looked at. '.repeat(40));
		await host.end('SIGKILL');
		const { error } = await one.answer(call);
		assert.equal(error?.data?.type, 'outcome-unknown');
		renameSync(`${lock}.aside`, lock);
	});

	it('asks again for what may be asked twice, so that only calls are ever answered with an error', async () => {
		const host = await lab.host('--config', lab.config({ fault: lab.fault('--slow', '700') }));
		const one = agent();
		const initialize = one.ask('initialize', {
			protocolVersion: '2025-06-18',
			capabilities: {},
			clientInfo: { name: 'a test', version: '1' },
		});
		await until('a server that was asked', () => (executions.of('boot').length === 1 ? true : undefined));
		await host.end('SIGKILL');
		const answer = await one.answer(initialize);
		assert.ok(answer.result, JSON.stringify(answer));
		one.send({ method: 'notifications/initialized' });
		const tools = await one.request('tools/list', {});
		assert.ok((tools.result?.tools?.length ?? 0) > 3);
	});

	it('answers the next call with the reason when no host can be had, and goes on when one can', async () => {
		const host = await lab.host('--config', lab.config());
		const one = agent();
		await one.initialize();
		await host.end('SIGKILL');
		const lock = join(lab.data, 'owner.sqlite');
		renameSync(lock, `${lock}.aside`);
		writeFileSync(lock, 'This is no database, and it is long enough to be looked at. '.repeat(40));
		let { error } = await one.answer(one.call('echo', { text: 'x' }));
		// It went to the host whose end had not been seen.
		if (error?.code === -31_001) ({ error } = await one.answer(one.call('echo', { text: 'x' })));
		assert.equal(error?.code, -31_003);
		assert.match(error.message, /^The host could not be started: The lock .* cannot be used/);
		assert.deepEqual(error.data, { type: 'server-unavailable', server: 'fault', reason: error.message });
		renameSync(`${lock}.aside`, lock);
		const answer = await one.answer(one.call('echo', { text: 'back' }));
		assert.equal(answer.result?.content?.[0]?.text, 'back');
	});

	it('speaks the revision without handshakes too, and has nothing to say again then', async () => {
		const host = await lab.host('--config', lab.config());
		const one = agent();
		const modern = {
			_meta: {
				'io.modelcontextprotocol/protocolVersion': '2026-07-28',
				'io.modelcontextprotocol/clientInfo': { name: 'a test', version: '1' },
				'io.modelcontextprotocol/clientCapabilities': {},
			},
		};
		const echo = async (text: string) =>
			one.request('tools/call', { name: 'echo', arguments: { text }, ...modern });
		assert.equal((await echo('one')).result?.content?.[0]?.text, 'one');
		await host.end('SIGKILL');
		assert.equal((await echo('two')).result?.content?.[0]?.text, 'two');
		const sleep = one.ask('tools/call', {
			name: 'sleep_idempotent',
			arguments: { ms: 500, key: 'modern' },
			...modern,
		});
		await until('a call that runs', () => executions.of('start', 'modern')[0]);
		process.kill((await addressIn(lab.data)).pid, 'SIGKILL');
		assert.equal((await one.answer(sleep)).result?.content?.[0]?.text, 'slept 500 ms');
		assert.deepEqual(
			one.messages().map(({ id }) => id),
			[1, 2, 3],
		);
	});

	it('cancels the calls of an agent that is gone', async function () {
		// A process there does not lose its parent.
		if (isWindows) this.skip();
		await lab.host('--config', lab.config());
		const started = JSON.stringify([bin, 'connect', 'fault', '--data', lab.data]);
		const killed = new Agent(
			lab.spawn(process.execPath, [
				'--input-type=module',
				'--eval',
				`import { spawn } from 'node:child_process';
				const server = spawn(process.execPath, ${started}, { stdio: ['pipe', 'pipe', 'inherit'] });
				process.stdin.pipe(server.stdin);
				server.stdout.pipe(process.stdout);`,
			]),
		);
		await killed.initialize();
		killed.call('hang', { key: 'gone' });
		await until('a call that runs', () => executions.of('start', 'gone')[0]);
		killed.process.child.kill('SIGKILL');
		await until('its cancellation', () => executions.of('cancelled', 'gone')[0], 5_000);
	});

	it('answers whoever has said everything at once and closed its side: calls too, however slow', async () => {
		await lab.host('--config', lab.config());
		const one = agent();
		const initialize = one.ask('initialize', {
			protocolVersion: '2025-06-18',
			capabilities: {},
			clientInfo: { name: 'a test', version: '1' },
		});
		one.send({ method: 'notifications/initialized' });
		const calls = [one.call('sleep', { ms: 1_500, key: 'slow' }), one.call('echo', { text: 'fast' })];
		one.process.child.stdin?.end();
		assert.equal(await within(20_000, 'the end', one.process.ended), 0);
		assert.equal(one.process.stderr(), '');
		assert.deepEqual(
			one.messages().map(({ id, result }) => [id, result?.content?.[0]?.text]),
			[
				[initialize, undefined],
				[calls[1], 'fast'],
				[calls[0], 'slept 1500 ms'],
			],
		);
	});

	it('says that an outcome is unknown also to whoever has closed its side when the host dies', async () => {
		const host = await lab.host('--config', lab.config());
		const one = agent();
		await one.initialize();
		const call = one.call('sleep', { ms: 60_000, key: 'lost' });
		const again = one.call('sleep_readonly', { ms: 1_000, key: 'again' });
		one.process.child.stdin?.end();
		await until('calls that run', () => executions.of('start').length === 2 || undefined);
		await host.end('SIGKILL');
		assert.equal(await within(20_000, 'the end', one.process.ended), 0);
		const answers = one.messages();
		assert.equal(answers.find(({ id }) => id === call)?.error?.data?.type, 'outcome-unknown');
		const { result } = answers.find(({ id }) => id === again) ?? {};
		assert.equal(result?.content?.[0]?.text, 'slept 1000 ms');
	});

	it('says of no call that the host has ended over it when the agent has', async () => {
		const server = createServer({ allowHalfOpen: true }, (host) => host.on('end', () => host.end()).resume());
		await once(server.listen(0, '127.0.0.1'), 'listening');
		const [input, output] = [new PassThrough(), new PassThrough()];
		const stream = new AgentStream({
			input,
			output,
			isOrphan: () => true,
			server: 'one',
			open: async () => connect((server.address() as AddressInfo).port, '127.0.0.1'), // it listens
			warn: assert.fail,
			signal: new AbortController().signal,
		});
		input.end('{"jsonrpc":"2.0","id":1,"method":"tools/juggle"}\n');
		await within(10_000, 'the end', stream.run());
		server.close();
		assert.equal(output.read(), null);
	});

	it('waits no longer for the answers to one that has closed its side when a signal comes', async () => {
		await lab.host('--config', lab.config());
		const one = agent();
		await one.initialize();
		one.call('hang', { key: 'closed' });
		one.process.child.stdin?.end();
		await until('a call that runs', () => executions.of('start', 'closed')[0]);
		assert.equal(await within(5_000, 'the end', one.process.end('SIGTERM')), isWindows ? 'SIGTERM' : 0);
		await until('its cancellation', () => executions.of('cancelled', 'closed')[0]);
	});

	it('ends with a signal, and when nobody reads its answers any more', async () => {
		await lab.host('--config', lab.config());
		const [one, other] = [agent(), agent()];
		await Promise.all([one.initialize(), other.initialize()]);
		one.call('hang', {});
		assert.equal(await one.process.end('SIGTERM'), isWindows ? 'SIGTERM' : 0);
		other.process.child.stdout?.destroy();
		other.call('echo', { text: 'x' });
		await within(20_000, 'the end', other.process.ended);
		await until('a host without agents', async () =>
			(await status()).servers.every(({ inFlight }) => inFlight === 0) ? true : undefined,
		);
	});

	it('carries long messages, and answers to whoever has asked and closed at once', async () => {
		await lab.host('--config', lab.config());
		const one = agent();
		await one.initialize();
		const text = 'ä'.repeat(2_000_000);
		const echoed = await one.answer(one.call('echo', { text }));
		assert.equal(echoed.result?.content?.[0]?.text, text);
		const big = await one.answer(one.call('big', { bytes: 8_000_000 }));
		assert.equal(big.result?.content?.[0]?.text.length, 8_000_000);
		const piped = agent();
		await piped.initialize();
		const listing = piped.ask('tools/list', {});
		piped.process.child.stdin?.end();
		assert.equal(await piped.process.ended, 0);
		assert.ok(piped.messages().some(({ id, result }) => id === listing && result !== undefined));
	});

	it('says which server there is not, which there are, and which of them may be meant', async () => {
		await lab.host('--config', lab.config({ fault: lab.fault(), everything: lab.fault() }));
		const [one, misspelt] = ['nope', 'evrything'].map((name) => lab.run(['connect', name, '--data', lab.data]));
		assert.equal(await one?.ended, 2);
		assert.equal(one?.stdout(), '');
		assert.equal(
			one?.stderr(),
			'crosstalk: The host has no MCP server "nope", only everything, fault. crosstalk import and crosstalk host --config bring others.\n',
		);
		assert.equal(await misspelt?.ended, 2);
		assert.equal(
			misspelt?.stderr(),
			'crosstalk: The host has no MCP server "evrything", only everything, fault. Did you mean "everything"? crosstalk import and crosstalk host --config bring others.\n',
		);
	});

	it('waits for a server of which a host that has just begun was not told yet', async () => {
		const one = agent();
		const client = await until('a host', async () => attach({ directory: lab.data, client: 'a test' }));
		const { servers } = await readServerConfig(lab.config(), { environment: {}, homeFolder: lab.folder });
		await client.request('servers/put', { source: 'a test', servers });
		await one.initialize();
		const answer = await one.answer(one.call('echo', { text: 'here' }));
		client.dispose();
		assert.equal(answer.result?.content?.[0]?.text, 'here');
	});

	it('finds no server in a host that nobody has told of one', async () => {
		const one = agent();
		assert.equal(await one.process.ended, 2);
		const { pid } = await addressIn(lab.data);
		assert.ok(isAlive(pid));
		assert.match(
			one.process.stderr(),
			/^crosstalk: The host has no MCP server "fault", nor any other\. crosstalk import and .*\n$/,
		);
	});

	for (const [args, sentence] of [
		[['connect'], 'The name of a server is needed.'],
		[['connect', 'one', 'two'], '"two" is one argument too many.'],
		[['connect', 'one', '--agent', ''], 'The option --agent needs a value.'],
	] as const) {
		it(`refuses ${args.join(' ')} in one sentence`, async () => {
			const { code, stdout, stderr } = await run(args);
			assert.deepEqual([code, stdout, stderr.split('\n')[0]], [2, '', `crosstalk: ${sentence}`]);
		});
	}
});
