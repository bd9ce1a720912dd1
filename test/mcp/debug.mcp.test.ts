/* oxlint-disable unicorn/no-thenable -- what a debugger does then is a word, which nobody awaits */

// Debuggers at a real host, with real servers behind it. What was executed is judged by the log of the server.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Breakpoint, HeldCall, Resumption } from '../../src/core/debug/index.ts';
import { connectControl } from '../../src/platform/node/host/controlClient.ts';
import type { ControlClient } from '../../src/platform/node/host/controlClient.ts';
import { root } from '../../tools/process.ts';
import { builtCommandLine } from '../e2e/crosstalk.ts';
import { Agent } from './agent.ts';
import type { Answer } from './agent.ts';
import { Executions } from './executions.ts';
import { cli, fault, faultServer, scratch, startHost, startHttpServer } from './gateways.ts';
import type { Host } from './gateways.ts';
import { until, within } from './waiting.ts';

const patience = 60_000;

/** A debugger on the control socket. */
class Debugger {
	readonly stops: HeldCall[] = [];
	readonly resumed: { readonly stopId: string; readonly reason: string }[] = [];
	readonly client: ControlClient;

	private constructor(client: ControlClient) {
		this.client = client;
		client.onDebug('debug/didStop', (held) => void this.stops.push(held));
		client.onDebug('debug/didResume', (resumed) => void this.resumed.push(resumed));
	}

	static async attach(host: Host): Promise<Debugger> {
		const { controlSocket } = host.address;
		const client = await connectControl(controlSocket, { client: 'a test', timeoutMs: 20_000 });
		if (client === undefined) throw new Error('The host has ended.');
		const debug = new Debugger(client);
		await client.request('debug/attach', { client: 'a test', sessions: null });
		return debug;
	}

	async set(...breakpoints: readonly (Partial<Breakpoint> & { readonly tool: string })[]): Promise<void> {
		const all = breakpoints.map((one, index) => ({ id: String(index + 1), ...one }));
		await this.client.request('debug/set', { breakpoints: all, rules: [], onToolError: false });
	}

	async stopped(count: number): Promise<HeldCall> {
		return until(`stop ${count}`, () => this.stops[count - 1], patience);
	}

	async resume(stopId: string, how: Partial<Resumption> = {}): Promise<void> {
		// The rest of it is what the caller says.
		await this.client.request('debug/resume', { stopId, then: 'run', action: 'continue', ...how } as {
			stopId: string;
		} & Resumption);
	}
}

describe('a debugger at the host', () => {
	let folder: Awaited<ReturnType<typeof scratch>>;
	let executions: Executions;
	let remote: Awaited<ReturnType<typeof startHttpServer>>;
	let host: Host;
	let debug: Debugger;
	let agents: Agent[] = [];

	before(async function () {
		this.timeout(300_000);
		await builtCommandLine();
		folder = await scratch();
		executions = new Executions(join(folder.path, 'executions.ndjson'));
		remote = await startHttpServer(faultServer, '--http', '--log', executions.path);
		host = await startHost({ local: fault(executions.path), remote: { type: 'http', url: remote.url } });
	});

	after(async () => {
		await host.stop();
		await remote.stop();
		await folder.remove();
	});

	beforeEach(async () => {
		agents = [];
		debug = await Debugger.attach(host);
	});

	afterEach(async () => {
		debug.client.dispose();
		for (const agent of agents) agent.vanish();
		await until('a host at rest', async () => (await host.status()).calls.length === 0 || undefined, patience);
	});

	async function agentOf(server: string, options: Parameters<typeof Agent.connect>[1] = {}): Promise<Agent> {
		const agent = await Agent.connect(host.addressOf(server), options);
		agents.push(agent);
		return agent;
	}

	for (const server of ['local', 'remote']) {
		for (const revision of ['2025-11-25', '2026-07-28'] as const) {
			it(`holds, edits and answers calls of ${revision} to a ${server} server`, async () => {
				const agent = await agentOf(server, { revision });
				await debug.set({ tool: `${server}/echo`, condition: 'arguments.text != "free"' });
				assert.equal((await agent.call('echo', { text: 'free' })).text, 'free');
				const key = `${server} ${revision}`;
				const edited = agent.call('echo', { text: 'one', key });
				const first = await debug.stopped(1);
				assert.partialDeepStrictEqual(first, { reason: 'breakpoint', at: 'before', heldBy: 'wire', server });
				const [call] = (await host.status()).calls;
				assert.partialDeepStrictEqual(call, { state: 'held', reason: `breakpoint "${server}/echo"` });
				assert.equal(executions.of('start', key).length, 0);
				const args = JSON.stringify({ text: 'two', key });
				await debug.resume(first.stopId, { action: 'edit-arguments', arguments: args });
				assert.equal((await within(patience, 'the answer', edited)).text, 'two');

				const answered = agent.call('echo', { text: 'three', key });
				const second = await debug.stopped(2);
				await debug.resume(second.stopId, { action: 'answer', result: 'by hand', isError: true });
				const answer = await within(patience, 'the answer', answered);
				assert.equal(answer.text, 'by hand');
				assert.equal(answer.result?.['isError'], true);
				assert.equal(executions.of('start', key).length, 1);
			});

			it(`changes results of ${revision} of a ${server} server, and makes calls again`, async () => {
				const agent = await agentOf(server, { revision });
				await debug.set({ tool: 'mcp__*__echo', at: 'after' });
				const key = `again ${server} ${revision}`;
				const calling = agent.call('echo', { text: 'one', key });
				const first = await debug.stopped(1);
				assert.match(first.result ?? '', /"one"/);
				await debug.resume(first.stopId, { action: 'repeat' });
				const second = await debug.stopped(2);
				assert.equal(executions.of('end', key).length, 2);
				const result = JSON.stringify({ content: [{ type: 'text', text: 'other' }] });
				await debug.resume(second.stopId, { action: 'edit-result', result });
				const answer = await within(patience, 'the answer', calling);
				assert.equal(answer.text, 'other');
				assert.equal(answer.error, undefined);
			});
		}
	}

	it('holds calls that come over stdio', async () => {
		await debug.set({ tool: 'local/echo' });
		const child = spawn(process.execPath, [cli, 'connect', 'local', '--data', host.dataDir], {
			stdio: ['pipe', 'pipe', 'ignore'],
		});
		try {
			const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
			const say = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
			const clientInfo = { name: 'claude-code', version: '2' };
			say({
				id: 1,
				method: 'initialize',
				params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
			});
			await within(patience, 'the handshake', lines.next());
			say({ method: 'notifications/initialized' });
			const meta = { 'claudecode/toolUseId': 'toolu_stdio', progressToken: 7 };
			say({ id: 2, method: 'tools/call', params: { name: 'echo', arguments: { text: 'one' }, _meta: meta } });
			const held = await debug.stopped(1);
			assert.partialDeepStrictEqual(held, { toolUseId: 'toolu_stdio', heldUntil: null });
			await debug.resume(held.stopId, { action: 'edit-arguments', arguments: '{"text":"two"}' });
			const answer: IteratorResult<string, unknown> = await within(patience, 'the answer', lines.next());
			assert.match(String(answer.value), /"two"/);
		} finally {
			child.kill();
		}
	});

	it('holds 64 agents at once, and lets them go in its own order', async () => {
		await debug.set({ tool: 'local/echo' });
		const names = Array.from({ length: 64 }, (_, index) => `one of 64: ${index}`);
		const all = await Promise.all(names.map(async () => agentOf('local')));
		const calls = all.map((agent, index) => agent.call('echo', { text: names[index], key: names[index] }));
		await debug.stopped(64);
		const { calls: held } = await debug.client.request('debug/held', {});
		assert.equal(held.length, 64);
		for (const { stopId } of held) await debug.resume(stopId);
		const answers = await within(patience, 'all answers', Promise.all(calls));
		assert.deepEqual(
			answers.map(({ text }) => text),
			names,
		);
		const textsOfHeld = held.map(({ arguments: args }) => (JSON.parse(args) as { key: string }).key);
		const begun = executions
			.of('start')
			.map(({ key }) => key)
			.filter((key) => names.includes(key ?? ''));
		assert.deepEqual(begun, textsOfHeld);
	});

	it('lets everything go when its process is killed', async () => {
		debug.client.dispose();
		const child = spawn(
			process.execPath,
			[join(root, 'test', 'mcp', 'debuggerProcess.ts'), host.address.controlSocket],
			{ stdio: ['ignore', 'pipe', 'inherit'] },
		);
		const lines: string[] = [];
		createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
		await until('the debugger', () => lines[0], patience);
		const all = await Promise.all(Array.from({ length: 8 }, async () => agentOf('local')));
		const calls = all.map((agent, index) => agent.call('echo', { text: `killed ${index}` }));
		await until('eight stops', () => lines.length === 9 || undefined, patience);
		child.kill('SIGKILL');
		const answers = await within(patience, 'all answers', Promise.all(calls));
		assert.deepEqual(
			answers.map(({ text }) => text),
			all.map((_, index) => `killed ${index}`),
		);
		// Whoever comes next can stop calls again.
		debug = await Debugger.attach(host);
		await debug.set({ tool: 'local/echo' });
		const call = all[0]!.call('echo', { text: 'later' });
		await debug.resume((await debug.stopped(1)).stopId);
		assert.equal((await call).text, 'later');
	});

	it('is alone: a second one looks on and is told so', async () => {
		await debug.set({ tool: 'local/echo' });
		const { controlSocket } = host.address;
		const second = await connectControl(controlSocket, { client: 'another', timeoutMs: 20_000 });
		assert.ok(second !== undefined);
		try {
			const seen: HeldCall[] = [];
			second.onDebug('debug/didStop', (held) => void seen.push(held));
			const attached = await second.request('debug/attach', { client: 'a window', sessions: null });
			assert.equal(attached.isReadOnly, true);
			assert.match(attached.reason ?? '', /^a test is debugging already/);
			const call = (await agentOf('local')).call('echo', { text: 'seen' });
			const { stopId } = await debug.stopped(1);
			await until('the stop at the second', () => seen[0], patience);
			const resuming = second.request('debug/resume', { stopId, then: 'run', action: 'continue' });
			await assert.rejects(resuming, /can look on, and stops nothing/);
			await debug.resume(stopId);
			assert.equal((await call).text, 'seen');
		} finally {
			second.dispose();
		}
	});

	it('hears when an agent cancels a held call, or goes', async () => {
		await debug.set({ tool: 'local/echo' });
		const agent = await agentOf('local');
		let id = 0;
		const key = 'cancelled while held';
		const call = agent.call('echo', { text: 'x', key }, { onSent: (sent) => (id = sent) });
		const gone = call.then(
			(answer: Answer) => answer.text,
			() => 'no answer',
		);
		const { stopId } = await debug.stopped(1);
		await agent.cancel(id);
		await until('the end of the stop', () => debug.resumed.find((one) => one.stopId === stopId), patience);
		assert.equal(await within(patience, 'the end', gone), 'no answer');
		const given = new AbortController();
		const left = agent.call('echo', { text: 'x', key }, { signal: given.signal }).catch(() => 'left');
		const second = await debug.stopped(2);
		given.abort();
		assert.equal(await left, 'left');
		await until('the end', () => debug.resumed.find((one) => one.stopId === second.stopId), patience);
		assert.deepEqual((await debug.client.request('debug/held', {})).calls, []);
		assert.equal(executions.of('start', key).length, 0);
	});

	it('does not keep a server from being started anew', async () => {
		await debug.set({ tool: 'local/echo' });
		const agent = await agentOf('local');
		const call = agent.call('echo', { text: 'after all' });
		const { stopId } = await debug.stopped(1);
		const before = (await host.server('local')).pid;
		await within(patience, 'the new server', debug.client.request('servers/reconnect', { server: 'local' }));
		assert.notEqual((await host.server('local')).pid, before);
		await debug.resume(stopId);
		assert.equal((await within(patience, 'the answer', call)).text, 'after all');
	});

	it('is told what is wrong with what it says', async () => {
		const { client } = debug;
		const { breakpoints } = await client.request('debug/set', {
			breakpoints: [
				{ id: 'a', tool: 'local/*', condition: '1 +' },
				{ id: 'b', tool: 'local/*', condition: 'arguments.text == "x"' },
				{ id: 'c', tool: '', at: 'after' },
			],
			rules: ['orphaned-tool-use'],
			onToolError: false,
		});
		assert.deepEqual(
			breakpoints.map(({ id, isVerified }) => [id, isVerified]),
			[
				['a', false],
				['b', true],
				['c', false],
				['orphaned-tool-use', false],
			],
		);
		assert.match(breakpoints[0]?.message ?? '', /^"1 \+", column 4: /);
		const wrong = { breakpoints: [{ id: 1 }], rules: [], onToolError: false } as unknown as Parameters<
			typeof client.request<'debug/set'>
		>[1];
		await assert.rejects(client.request('debug/set', wrong), /id of a breakpoint has to be a text/);
		await assert.rejects(debug.resume('stop-none'), /not held any more/);
		const { controlSocket } = host.address;
		const other = await connectControl(controlSocket, { client: 'another', timeoutMs: 20_000 });
		await assert.rejects(other!.request('debug/held', {}), /has to be debug\/attach/);
		other!.dispose();
	});

	it('stops the host from nothing: held calls go on when it is told to end', async () => {
		const own = await startHost({ local: fault(executions.path) });
		const other = await Debugger.attach(own);
		try {
			await other.set({ tool: '*' });
			const agent = await Agent.connect(own.addressOf('local'));
			agents.push(agent);
			const call = agent.call('echo', { text: 'the last' });
			await other.stopped(1);
			own.process?.kill('SIGTERM');
			assert.equal((await within(patience, 'the answer', call)).text, 'the last');
		} finally {
			other.client.dispose();
			await own.stop();
		}
	});
});
