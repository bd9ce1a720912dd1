// One call that goes wrong must not take others with it. The judge is a server that writes down what it executes.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { builtCommandLine } from '../e2e/crosstalk.ts';
import { Agent, NoAnswer } from './agent.ts';
import type { Answer } from './agent.ts';
import { Executions } from './executions.ts';
import { cli, fault, faultServer, scratch, startGateway, startHost, startHttpServer } from './gateways.ts';
import type { Gateway, Host } from './gateways.ts';
import { until, within } from './waiting.ts';

const isOurs = process.env['CROSSTALK_TEST_GATEWAY'] === undefined;

describe('the cascade', () => {
	let folder: Awaited<ReturnType<typeof scratch>>;
	let executions: Executions;
	let gateway: Gateway | undefined;
	let agents: Agent[] = [];

	before(async function () {
		this.timeout(300_000);
		if (isOurs) await builtCommandLine();
	});

	beforeEach(async () => {
		folder = await scratch();
		executions = new Executions(join(folder.path, 'executions.ndjson'));
		agents = [];
	});

	afterEach(async () => {
		for (const agent of agents) agent.vanish();
		await gateway?.stop();
		gateway = undefined;
		await folder.remove();
	});

	async function agentsOf(count: number, server = 'fault'): Promise<Agent[]> {
		const address = gateway!.addressOf(server);
		const met = await Promise.all(
			Array.from({ length: count }, (_, index) => Agent.connect(address, { name: `agent-${index}` })),
		);
		agents.push(...met);
		return met;
	}

	/** What is left when everybody has gone home. Only our host says so. */
	async function assertNothingIsLeft(counters: Readonly<Record<string, number>> = {}): Promise<void> {
		if (!isOurs) return;
		// What an agent was told, the host may have yet to write down.
		const { server } = await until('the host to have nothing left', async () => {
			const { calls, servers, sessions } = await (gateway as Host).status(); // as startGateway has it
			const [only] = servers;
			const counted = [
				only?.inFlight,
				only?.queued,
				...(only?.connections.map(({ inFlight, queued }) => inFlight + queued) ?? []),
				...sessions.map(({ inFlight }) => inFlight),
				calls.length,
			];
			return counted.every((count) => count === 0) ? { server: only } : undefined;
		});
		for (const [name, count] of Object.entries(counters)) {
			assert.equal(server?.[name as keyof typeof server], count, name);
		}
	}

	it('a call that passes its limit leaves the calls of others alone', async () => {
		gateway = await startGateway({ fault: fault(executions.path) }, { callMs: 8_000 });
		const [one, other] = await agentsOf(2);
		const hung = one!.call('hang', { key: 'hung' });
		await until('the call that hangs', () => executions.of('start', 'hung')[0]);
		await delay(5_000);
		// Still running when the other's limit is reached.
		const slept = await other!.call('sleep', { ms: 4_500, key: 'slept' });
		const { error } = await within(20_000, 'the answer to the call that hangs', hung);

		assert.equal(slept.text, 'slept 4500 ms');
		assert.equal(executions.of('boot').length, 1, 'the server was started once');
		assert.deepEqual(
			[...executions.counts()],
			[
				['hung', 1],
				['slept', 1],
			],
		);
		assert.equal(executions.of('cancelled', 'hung').length, 1, 'the call that hung was cancelled');
		assert.equal(error?.code, -32001);
		assert.partialDeepStrictEqual(error?.data, { type: 'timed-out', server: 'fault', tool: 'hang' });
		const asked = executions.all().filter(({ event }) => event === 'ping' || event === 'list');
		assert.ok(
			asked.some(({ at }) => at >= executions.of('cancelled', 'hung')[0]!.at - 50),
			'the server was asked whether it lives',
		);
		await assertNothingIsLeft({ timeouts: 1, reconnects: 0, calls: 2 });
	});

	it('a server that is busy for good is replaced, once those who wait have been told', async () => {
		gateway = await startHost({
			fault: {
				...fault(executions.path),
				limits: { callMs: 3_000, probeMs: 1_000 },
			},
		});
		const [one, other] = await agentsOf(2);
		const frozen = await within(30_000, 'the answer of a busy server', one!.call('freeze', { key: 'frozen' }));
		assert.equal(frozen.error?.code, -32001);
		const next = await within(30_000, 'a server that answers', other!.call('echo', { text: 'again' }));
		assert.equal(next.text, 'again', JSON.stringify(next.error));
		assert.equal(executions.of('boot').length, 2);
		const server = await (gateway as Host).server('fault');
		assert.equal(server.reconnects, 1);
	});

	it('eight callers of a server that is killed get eight answers, and go on at once', async () => {
		gateway = await startGateway({ fault: fault(executions.path) });
		const callers = await agentsOf(8);
		// As agents do before they call; otherwise the new server would be asked before anybody is told.
		await callers[0]!.request('tools/list', {});
		await callers[0]!.call('stderr', { text: 'last words' });
		const calls = callers.map((caller, index) => caller.call('sleep', { ms: 60_000, key: `call-${index}` }));
		await until('all of them to run', () => executions.of('start').length === 9 || undefined);
		process.kill(executions.pids[0]!, 'SIGKILL');
		const answers = await within(20_000, 'the answers of a server that was killed', Promise.all(calls));
		const next = await within(
			20_000,
			'the next answers',
			Promise.all(callers.map((caller, index) => caller.call('echo', { text: `next-${index}` }))),
		);

		assert.deepEqual(
			[...executions.counts()].filter(([, count]) => count > 1),
			[],
			'nothing was executed twice',
		);
		assert.equal(executions.of('boot').length, 2, 'one new server');
		for (const { error } of answers) {
			assert.equal(error?.code, -31001);
			assert.partialDeepStrictEqual(error?.data, {
				...{ type: 'outcome-unknown', server: 'fault', tool: 'sleep', exitCode: null, signal: 'SIGKILL' },
			});
			assert.match(String(error?.data?.['stderrTail']), /last words/);
			assert.match(error?.message ?? '', /SIGKILL/);
		}
		assert.deepEqual(
			next.map(({ text }) => text),
			callers.map((_, index) => `next-${index}`),
		);
		await assertNothingIsLeft({ reconnects: 1 });
	});

	it('what may be executed twice is sent again, and nothing else', async () => {
		gateway = await startGateway({ fault: fault(executions.path) });
		const [one, two, three] = await agentsOf(3);
		// Nobody has listed the tools: the host asks what they say of themselves before it decides.
		const calls = [
			one!.call('sleep_readonly', { ms: 2_500, key: 'read-only' }),
			two!.call('sleep_idempotent', { ms: 2_500, key: 'idempotent' }),
			three!.call('sleep', { ms: 2_500, key: 'neither' }),
		];
		await until('all of them to run', () => executions.of('start').length === 3 || undefined);
		process.kill(executions.pids[0]!, 'SIGKILL');
		const [readOnly, idempotent, neither] = await within(20_000, 'the answers', Promise.all(calls));
		assert.deepEqual(Object.fromEntries(executions.counts()), { 'read-only': 2, idempotent: 2, neither: 1 });
		assert.deepEqual([readOnly?.text, idempotent?.text], ['slept 2500 ms', 'slept 2500 ms']);
		assert.equal(neither?.error?.code, -31001);
		await assertNothingIsLeft();
	});

	it('sixty-four callers get through twenty kills: nothing hangs, nothing runs twice, nothing is lost track of', async function () {
		this.timeout(300_000);
		gateway = await startGateway({ fault: fault(executions.path) });
		const callers = await agentsOf(64);
		await callers[0]!.call('echo', { text: 'awake' });
		let isOver = false;
		const ended: { readonly key: string; readonly answer: Answer }[] = [];
		const random = randomOf(20_261_121);
		const working = callers.map(async (caller, index) => {
			for (let count = 0; !isOver; count++) {
				const key = `${index}:${count}`;
				const call = caller.call('sleep', { ms: Math.floor(random() * 120), key });
				ended.push({ key, answer: await within(60_000, `the answer to ${key}`, call) });
			}
		});
		const killed = new Set<number>();
		while (killed.size < 20) {
			const pid = await until('a server to kill', () => {
				const last = executions.of('initialize').at(-1)?.pid;
				return last === undefined || killed.has(last) ? undefined : last;
			});
			// Before its first call or in the middle of many: as it comes.
			await delay(random() * 300);
			process.kill(pid, 'SIGKILL');
			killed.add(pid);
		}
		await delay(300);
		isOver = true;
		await within(60_000, 'the last answers', Promise.all(working));

		const begun = executions.counts();
		const finished = new Set(executions.of('end').map(({ key }) => key));
		const wrong = ended.flatMap(({ key, answer }) => {
			const times = begun.get(key) ?? 0;
			const { error } = answer;
			if (error === undefined) return times === 1 && finished.has(key) ? [] : [`${key} ok, ran ${times} times`];
			// Whoever is told that it did not run must be told the truth, and "unknown" is no answer to a call that never left.
			if (error.code === -31001) return times <= 1 ? [] : [`${key} unknown, ran ${times} times`];
			if (error.code === -31002 || error.code === -31003) return times === 0 ? [] : [`${key} ${error.code}, ran`];
			return [`${key} ${error.code} ${error.message}`];
		});
		assert.deepEqual(wrong, []);
		const answered = new Set(ended.map(({ key }) => key));
		assert.deepEqual(
			[...begun.keys()].filter((key) => !answered.has(key)),
			[],
			'every execution has its answer',
		);
		assert.ok(ended.filter(({ answer }) => answer.error === undefined).length > 64, 'work was done meanwhile');
		assert.equal(executions.of('boot').length, 21, 'each server that was killed was replaced once');
		await assertNothingIsLeft({ calls: ended.length + 1, reconnects: 20 });
	});

	it('a server that ends at its start is tried a few times, and then it is said why', async () => {
		const sound = new Executions(join(folder.path, 'sound.ndjson'));
		gateway = await startHost({
			broken: { ...fault(executions.path, '--crash', '3'), limits: { connectAttempts: 3, queueMs: 60_000 } },
			sound: fault(sound.path),
		});
		const working = (async () => {
			const agent = await Agent.connect(gateway.addressOf('sound'));
			agents.push(agent);
			for (let count = 0; count < 20; count++) {
				assert.equal((await agent.call('sleep', { ms: 20 })).text, 'slept 20 ms');
			}
		})();
		const told = await within(60_000, 'the error', failure(gateway.addressOf('broken')));
		assert.equal(told?.code, -31003);
		assert.partialDeepStrictEqual(told?.data, { type: 'server-unavailable', server: 'broken', exitCode: 3 });
		assert.match(String(told?.data?.['stderrTail']), /the licence file is missing/);
		assert.match(told?.message ?? '', /broken/);
		const attempts = executions.of('boot').length;
		assert.ok(attempts >= 1 && attempts <= 3, `${attempts} attempts`);
		await delay(1_500);
		assert.equal(executions.of('boot').length, attempts, 'nobody tries on when nobody asks');
		await working;
		const server = await (gateway as Host).server('broken');
		assert.equal(server.state, 'failed');
		assert.equal(server.lastExit?.code, 3);
		assert.match(server.lastExit?.stderrTail ?? '', /the licence file is missing/);
	});

	it('eight who call a server that cannot start wait for the same attempts', async () => {
		gateway = await startHost({
			broken: { ...fault(executions.path, '--crash', '3'), limits: { connectAttempts: 3, queueMs: 60_000 } },
		});
		const address = gateway.addressOf('broken');
		const told = await within(60_000, 'the errors', Promise.all(Array.from({ length: 8 }, () => failure(address))));
		assert.deepEqual(
			told.map((error) => error?.code),
			told.map(() => -31003),
		);
		assert.ok(executions.of('boot').length <= 6, `${executions.of('boot').length} attempts`);
	});

	describe('a client that has gone away in the middle of a call', () => {
		/** Of the call `gone`, whose own limit is far away. */
		async function assertCancelled(): Promise<void> {
			await until('the server to be told', () => executions.of('cancelled', 'gone')[0], 20_000);
		}

		for (const revision of ['2025-06-18', '2025-11-25', '2026-07-28'] as const) {
			it(`is cancelled when its connection closes (${revision})`, async () => {
				gateway = await startGateway({ fault: fault(executions.path) });
				const agent = await Agent.connect(gateway.addressOf('fault'), { revision });
				const gone = new AbortController();
				const call = agent.call('hang', { key: 'gone' }, { signal: gone.signal });
				await until('the call to run', () => executions.of('start', 'gone')[0]);
				gone.abort();
				await assert.rejects(call);
				await assertCancelled();
				await assertNothingIsLeft({ cancelled: 1 });
			});
		}

		it('is cancelled when it says so', async () => {
			gateway = await startGateway({ fault: fault(executions.path) });
			const [agent] = await agentsOf(1);
			let id = 0;
			const call = agent!.call('hang', { key: 'gone' }, { onSent: (sent) => (id = sent) });
			await until('the call to run', () => executions.of('start', 'gone')[0]);
			await agent!.cancel(id);
			await assertCancelled();
			// By the specification nobody waits for an answer to it, so the stream may just end.
			await within(
				20_000,
				'the end of the stream',
				call.then(
					() => undefined,
					() => undefined,
				),
			);
			await assertNothingIsLeft({ cancelled: 1 });
		});

		it('is cancelled when its session is ended', async () => {
			gateway = await startGateway({ fault: fault(executions.path) });
			const agent = await Agent.connect(gateway.addressOf('fault'));
			const call = agent.call('hang', { key: 'gone' });
			call.catch(() => undefined); // whichever way it ends
			await until('the call to run', () => executions.of('start', 'gone')[0]);
			await agent.end();
			await assertCancelled();
			await assertNothingIsLeft({ cancelled: 1 });
		});

		it('is cancelled when its "crosstalk connect" is killed', async () => {
			const host = await startHost({ fault: fault(executions.path) });
			gateway = host;
			const client = spawn(process.execPath, [cli, 'connect', 'fault', '--data', host.dataDir], {
				stdio: ['pipe', 'pipe', 'inherit'],
			});
			const said = { text: '' };
			client.stdout.setEncoding('utf8').on('data', (text: string) => (said.text += text));
			const say = (message: object) => client.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
			say({
				id: 1,
				method: 'initialize',
				params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
			});
			await until('the handshake', () => said.text.includes('"id":1') || undefined);
			say({ method: 'notifications/initialized' });
			say({ id: 2, method: 'tools/call', params: { name: 'hang', arguments: { key: 'gone' } } });
			await until('the call to run', () => executions.of('start', 'gone')[0]);
			client.kill('SIGKILL');
			await assertCancelled();
			await assertNothingIsLeft({ cancelled: 1 });
		});

		it('is cancelled at a server that is reached by HTTP', async () => {
			const server = await startHttpServer(faultServer, '--http', '--log', executions.path);
			try {
				gateway = await startHost({ fault: { type: 'http', url: server.url } });
				const agent = await Agent.connect(gateway.addressOf('fault'));
				const gone = new AbortController();
				const call = agent.call('hang', { key: 'gone' }, { signal: gone.signal });
				await until('the call to run', () => executions.of('start', 'gone')[0]);
				gone.abort();
				await assert.rejects(call);
				await assertCancelled();
				await assertNothingIsLeft({ cancelled: 1 });
			} finally {
				await server.stop();
			}
		});
	});

	describe('the end of the host itself', () => {
		it('is not noticed by agents whose next call comes after it is back', async () => {
			const data = join(folder.path, 'data');
			const first = await startHost({ fault: fault(executions.path) }, { dataDir: data });
			gateway = first;
			const [agent] = await agentsOf(1);
			assert.equal((await agent!.call('echo', { text: 'before' })).text, 'before');
			const hung = agent!.call('hang', { key: 'hung' });
			await until('the call to run', () => executions.of('start', 'hung')[0]);
			first.process!.kill('SIGKILL');
			await assert.rejects(within(20_000, 'the end of the call', hung));

			const second = await startHost({ fault: fault(executions.path) }, { dataDir: data });
			gateway = second;
			assert.deepEqual([second.address.url, second.address.token], [first.address.url, first.address.token]);
			assert.ok(second.address.generation > first.address.generation);
			// The same MCP session, without a new handshake.
			assert.equal((await agent!.call('echo', { text: 'after' })).text, 'after');
			await until('the first server to end', () => !isRunning(executions.pids[0]!) || undefined);
		});
	});
});

async function failure(address: string): Promise<Answer['error']> {
	try {
		const agent = await Agent.connect(address);
		return (await agent.call('echo', { text: 'x' })).error;
	} catch (error) {
		// A host may also refuse the handshake: what it says is the same.
		if (!(error instanceof NoAnswer) || error.wire === undefined) throw error;
		return error.wire;
	}
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

/** The same numbers in every run. */
function randomOf(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32;
	};
}
