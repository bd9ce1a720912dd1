// Each kind of fault as the agent, the server and the record see it, and whom it never touches.

import assert from 'node:assert/strict';
import { agentId, storedSessionId } from '../../../src/core/base/ids.ts';
import type { ConnectionIdentity } from '../../../src/core/host/agentIdentity.ts';
import type { FaultDefinition, FaultTarget } from '../../../src/core/host/faults/index.ts';
import { createRig } from '../rig.ts';
import type { FakeAgent, FakeCall, FakeTransport, Json, Rig, RigOptions } from '../rig.ts';

const target: FaultTarget = { kind: 'source', source: 'run-1' };
const asked: ConnectionIdentity = { sessionId: undefined, agentId: agentId('main'), scopeSource: 'run-1' };
const others: ConnectionIdentity = { sessionId: undefined, agentId: agentId('main'), scopeSource: 'run-2' };

function answerCalls(transport: FakeTransport, message: Json): void {
	const { id, method, params } = message;
	if (method === 'initialize')
		transport.say({
			...{ jsonrpc: '2.0', id },
			result: { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'files', version: '1' } },
		});
	else if (method === 'tools/call' && (params as Json)['name'] !== 'slow')
		transport.say({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'done' }] } });
	else if (method === 'ping' || method === 'tools/list')
		transport.say({ jsonrpc: '2.0', id, result: method === 'ping' ? {} : { tools: [] } });
}

async function rigWith(
	options: RigOptions,
	...faults: readonly FaultDefinition[]
): Promise<{ rig: Rig; agent: FakeAgent }> {
	const rig = createRig({ sharing: 'shared', answer: answerCalls, ...options });
	rig.host.faults.arm(faults, target, 'a test', undefined);
	const agent = await rig.initialized({}, asked);
	return { rig, agent };
}

const injected = (rig: Rig) => rig.records.filter(({ name }) => name === 'faultInjected');
const ended = (rig: Rig) => rig.records.filter(({ name }) => name === 'callEnded').map(({ ending }) => ending);
const textOf = (answer: Json | undefined) =>
	(answer?.['result'] as { content: readonly { text: string }[] } | undefined)?.content[0]?.text;

/** What a call comes to that is answered at once. */
async function said(rig: Rig, call: FakeCall): Promise<string | undefined> {
	await rig.pass(0);
	return textOf(call.answer);
}

describe('a fault on purpose', () => {
	it('delay: the call reaches its server later, and is shown to wait', async () => {
		const { rig, agent } = await rigWith({}, { kind: 'delay', ms: 3_000 });
		const call = agent.call('read');
		const [status] = rig.host.status().calls;
		assert.equal(status?.state, 'queued');
		assert.match(status.fault ?? '', /^A fault on purpose held read on files back for 3000 ms\.$/);
		await rig.pass(2_999);
		assert.equal(rig.last.requests('tools/call').length, 0);
		await rig.pass(1);
		assert.equal(textOf(call.answer), 'done');
		assert.deepEqual(ended(rig), ['completed']);
		assert.partialDeepStrictEqual(injected(rig), [{ kind: 'delay', agentId: 'main' }]);
		// Once is once.
		assert.equal(await said(rig, agent.call('read')), 'done');
		assert.equal(rig.host.status().faults?.[0]?.applied, 1);
	});

	it('delay: a call that its agent gives up meanwhile never goes out', async () => {
		const { rig, agent } = await rigWith({}, { kind: 'delay', ms: 3_000 });
		const call = agent.call('read');
		call.leave();
		await rig.pass(10_000);
		assert.equal(rig.last.requests('tools/call').length, 0);
		assert.deepEqual(ended(rig), ['cancelled']);
		assert.deepEqual(rig.host.status().calls, []);
	});

	it('hang: the server never gets it, and the call ends as one does that is never answered', async () => {
		const { rig, agent } = await rigWith({ limits: { callMs: 5_000 } }, { kind: 'hang', tool: 'files/read' });
		const call = agent.call('read');
		const free = agent.call('write');
		assert.equal(await said(rig, free), 'done');
		await rig.pass(5_000);
		assert.equal(call.failure, 'timed-out');
		assert.equal(rig.last.requests('tools/call').length, 1);
		assert.deepEqual(
			rig.last.sent.filter(({ method }) => method === 'notifications/cancelled'),
			[],
		);
		assert.equal(rig.transports.length, 1, 'the server lives on');
		assert.partialDeepStrictEqual(injected(rig), [{ kind: 'hang' }]);
	});

	it('error: an answer in its server’s place, as the tool’s own failure or as one of the protocol', async () => {
		const { rig, agent } = await rigWith(
			{},
			{ kind: 'error', message: 'No disk.' },
			{ kind: 'error', code: -32_000, message: 'Gone.' },
		);
		const first = agent.call('read');
		assert.deepEqual(first.answer?.['result'], { content: [{ type: 'text', text: 'No disk.' }], isError: true });
		const second = agent.call('read');
		assert.deepEqual(second.answer?.['error'], { code: -32_000, message: 'Gone.' });
		assert.equal(rig.last.requests('tools/call').length, 0);
		assert.deepEqual(ended(rig), ['failed', 'failed']);
	});

	it('drop: the call is carried out, and nobody hears of it', async () => {
		const { rig, agent } = await rigWith({ limits: { callMs: 5_000 } }, { kind: 'drop' });
		const call = agent.call('read');
		await rig.pass(0);
		assert.equal(rig.last.requests('tools/call').length, 1);
		assert.partialDeepStrictEqual(injected(rig), [{ kind: 'drop' }]);
		assert.equal(call.answer, undefined);
		await rig.pass(5_000);
		assert.equal(call.failure, 'timed-out');
		assert.deepEqual(ended(rig), ['timed-out']);
	});

	it('kill: the server dies while the call runs', async () => {
		const { rig, agent } = await rigWith({}, { kind: 'kill', ms: 100 });
		const call = agent.call('slow');
		await rig.pass(99);
		assert.equal(call.answer, undefined);
		await rig.pass(1_000);
		assert.equal(call.failure, 'outcome-unknown');
		assert.equal(rig.transports.length, 2, 'it is started anew');
		assert.equal(await said(rig, agent.call('read')), 'done');
		assert.partialDeepStrictEqual(injected(rig), [{ kind: 'kill' }]);
	});

	it('kill and tear: not where somebody else uses the connection; it is said, and tried again', async () => {
		for (const kind of ['kill', 'tear'] as const) {
			const { rig, agent } = await rigWith({}, { kind });
			const stranger = await rig.initialized({}, others);
			const harmless = stranger.call('slow');
			agent.call('slow');
			await rig.pass(1_000);
			assert.equal(harmless.answer, undefined);
			assert.equal(rig.transports.length, 1);
			assert.deepEqual(injected(rig), []);
			const [status] = rig.host.status().faults ?? [];
			assert.equal(status?.applied, 0);
			assert.match(status.problem ?? '', /so it was left alone/);
			harmless.leave();
			stranger.endpoint.close();
			agent.call('slow');
			await rig.pass(1_000);
			assert.equal(rig.transports.length, 2);
			assert.equal(rig.host.status().faults?.[0]?.applied, 1);
		}
	});

	it('kill and tear: not when they were disarmed meanwhile', async () => {
		for (const kind of ['kill', 'tear'] as const) {
			const { rig, agent } = await rigWith({}, { kind, ms: 100, tool: 'files/slow' });
			const call = agent.call('slow');
			await rig.pass(50);
			rig.host.faults.disarm(undefined);
			await rig.pass(10_000);
			assert.deepEqual(injected(rig), [], kind);
			assert.equal(call.answer, undefined, kind);
			call.leave();
		}
	});

	it('tear: the connection breaks while the call runs', async () => {
		const { rig, agent } = await rigWith({}, { kind: 'tear', tool: 'files/slow' });
		const call = agent.call('slow');
		await rig.pass(1_000);
		assert.equal(call.failure, 'outcome-unknown');
		assert.equal(rig.transports[0]?.isClosed, true);
		assert.equal(await said(rig, agent.call('read')), 'done');
		assert.partialDeepStrictEqual(
			rig.records.filter(({ name }) => name === 'reconnect'),
			[{ reason: 'A fault on purpose broke the connection to files while slow ran.', isSuccessful: true }],
		);
	});

	it('twice: the server gets it twice, the agent one answer', async () => {
		const { rig, agent } = await rigWith({}, { kind: 'twice' });
		const call = agent.call('read', { _meta: { progressToken: 'p' } });
		await rig.pass(0);
		const sent = rig.last.requests('tools/call');
		assert.equal(sent.length, 2);
		assert.notEqual(sent[0]?.['id'], sent[1]?.['id']);
		assert.equal(call.answers.length, 1);
		assert.deepEqual(ended(rig), ['completed']);
		assert.equal(rig.host.outputOf('files'), '', 'the second answer is no surprise');
	});

	it('evict: the session that the call names is put out of memory before it comes', async () => {
		const evicted: string[] = [];
		const evictSession = async (id: string) => {
			evicted.push(id);
			return id !== 'unknown';
		};
		const { rig, agent } = await rigWith({ evictSession }, { kind: 'evict' });
		const unknown = agent.call('read', { arguments: { session: 'unknown' } });
		await rig.pass(0);
		assert.equal(textOf(unknown.answer), 'done', 'the call goes on in any case');
		assert.match(rig.host.status().faults?.[0]?.problem ?? '', /has no session "unknown"/);
		const call = agent.call('read', { arguments: { session: 'sales' } });
		await rig.pass(0);
		assert.equal(textOf(call.answer), 'done');
		assert.deepEqual(evicted, ['unknown', 'sales']);
		assert.partialDeepStrictEqual(injected(rig), [{ kind: 'evict' }]);
	});

	it('a naive reconnect takes down with it whatever runs on the connection; without one nobody notices', async () => {
		for (const reconnect of ['naive', undefined] as const) {
			const { rig, agent } = await rigWith(
				{ limits: { callMs: 2_000, callMsByTool: { slow: 60_000 } } },
				{ kind: 'hang', tool: 'files/read', reconnect },
			);
			const hung = agent.call('read');
			const slow = [1, 2, 3].map(() => agent.call('slow'));
			await rig.pass(2_500);
			assert.equal(hung.failure, 'timed-out');
			assert.deepEqual(
				slow.map(({ failure }) => failure),
				slow.map(() => (reconnect === 'naive' ? 'outcome-unknown' : undefined)),
			);
			assert.equal(rig.transports.length, reconnect === 'naive' ? 2 : 1);
		}
	});

	describe('is for those who asked for it', () => {
		it('never hits a caller of another source, nor one without', async () => {
			const { rig } = await rigWith({}, { kind: 'error', every: 1 });
			for (const identity of [others, { sessionId: undefined, agentId: undefined }]) {
				const agent = await rig.initialized({}, identity);
				assert.equal(await said(rig, agent.call('read')), 'done');
			}
			assert.deepEqual(injected(rig), []);
			assert.equal(rig.host.status().faults?.[0]?.matched, 0);
		});

		it('never hits a call of another session, nor one of which nobody knows the session', async () => {
			const rig = createRig({ sharing: 'shared', answer: answerCalls });
			const sessionId = storedSessionId('claude-code:a');
			rig.host.faults.arm([{ kind: 'error', every: 1 }], { kind: 'session', sessionId }, 'a test', undefined);
			const textFor = async (id: string | undefined) => {
				const identity = { sessionId: id === undefined ? undefined : storedSessionId(id), agentId: undefined };
				return said(rig, (await rig.initialized({}, identity)).call('read'));
			};
			assert.equal(await textFor('claude-code:b'), 'done');
			assert.equal(await textFor(undefined), 'done');
			assert.match((await textFor('claude-code:a')) ?? '', /made to fail/);
		});

		it('of an agent and a tool that it names', async () => {
			const { rig, agent } = await rigWith(
				{},
				{ kind: 'error', every: 1, agent: 'ma*', tool: 'mcp__files__re*' },
			);
			assert.equal(await said(rig, agent.call('write')), 'done');
			assert.match((await said(rig, agent.call('read'))) ?? '', /made to fail/);
			const nameless = await rig.initialized({}, { ...asked, agentId: undefined });
			assert.equal(await said(rig, nameless.call('read')), 'done');
		});
	});

	describe('when', () => {
		async function pattern(fault: FaultDefinition, calls: number): Promise<string> {
			const { rig, agent } = await rigWith({}, fault);
			const made = Array.from({ length: calls }, () => agent.call('read'));
			await rig.pass(0);
			return made.map(({ answer }) => (textOf(answer) === 'done' ? '.' : 'x')).join('');
		}

		it('once, each n-th, so many times', async () => {
			assert.equal(await pattern({ kind: 'error' }, 6), 'x.....');
			assert.equal(await pattern({ kind: 'error', every: 3 }, 9), '..x..x..x');
			assert.equal(await pattern({ kind: 'error', every: 2, times: 2 }, 9), '.x.x.....');
			assert.equal(await pattern({ kind: 'error', times: 3 }, 6), 'xxx...');
		});

		it('by a seed: the same one hits the same calls, another one others, and as many as it should', async () => {
			const by = (seed: number) => pattern({ kind: 'error', probability: 0.3, seed }, 400);
			const first = await by(7);
			assert.equal(await by(7), first);
			assert.notEqual(await by(8), first);
			const hits = first.replaceAll('.', '').length;
			assert.ok(hits > 80 && hits < 160, `${hits} of 400`);
		});
	});

	it('is disarmed, by its id or with whoever has armed it', async () => {
		const { rig, agent } = await rigWith({}, { kind: 'error', every: 1 });
		const owner = {};
		rig.host.faults.arm([{ kind: 'error', every: 1 }], target, 'another', owner);
		assert.equal(rig.host.status().faults?.length, 2);
		rig.host.faults.disarmOf(owner);
		const [left] = rig.host.faults.status;
		assert.equal(rig.host.faults.disarm([left?.id ?? '', 'fault-unknown']), 1);
		assert.equal(rig.host.status().faults, undefined);
		assert.equal(await said(rig, agent.call('read')), 'done');
	});
});
