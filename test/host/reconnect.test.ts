// The reconnect coordinator: who is told what when a server is slow, dies, or cannot be started.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { EventRecorder } from '../../src/core/host/eventRecorder.ts';
import { answerHandshake, createRig, settled } from './rig.ts';
import type { FakeCall, Rig, RigOptions } from './rig.ts';

function reply(rig: Rig, index = 0): void {
	const request = rig.last.requests('tools/call')[index]!;
	rig.last.say({ jsonrpc: '2.0', id: request['id'], result: { content: [] } });
}

function server(rig: Rig) {
	return rig.host.status().servers[0]!;
}

const annotated = [
	{ name: 'read', annotations: { readOnlyHint: true } },
	{ name: 'put', annotations: { idempotentHint: true } },
	{ name: 'write', annotations: {} },
];

/** Answers what the server was asked for last. */
function tellTools(rig: Rig, tools: readonly object[], nextCursor?: string): void {
	const id = rig.last.requests('tools/list').at(-1)?.['id'];
	rig.last.say({ jsonrpc: '2.0', id, result: { tools, ...(nextCursor === undefined ? {} : { nextCursor }) } });
}

function called(rig: Rig): string[] {
	return rig.last.requests('tools/call').map(({ params }) => (params as { name: string }).name);
}

describe('a call that passes its limit', () => {
	it('is cancelled alone: the server stays, and the other call gets its answer', async () => {
		const rig = createRig({ limits: { callMs: 1_000, callMsByTool: { slow: 10_000 } } });
		const [one, other] = [await rig.initialized(), await rig.initialized()];
		const hanging = one.call('hang');
		const slow = other.call('slow');
		await rig.pass(1_500);
		assert.equal(hanging.failure, 'timed-out');
		assert.deepEqual(
			rig.last.sent.filter(({ method }) => method === 'notifications/cancelled').map(({ params }) => params),
			[
				{
					requestId: rig.last.requests('tools/call')[0]!['id'],
					reason: (hanging.answer!['error'] as { message: string }).message,
				},
			],
		);
		assert.equal(slow.answer, undefined);
		reply(rig, 1);
		assert.deepEqual(slow.answer, { jsonrpc: '2.0', id: slow.id, result: { content: [] } });
		assert.equal(rig.transports.length, 1);
		assert.equal(server(rig).timeouts, 1);
		assert.equal(server(rig).inFlight, 0);
	});

	it('has its limit moved by progress, up to the maximum', async () => {
		const rig = createRig({ limits: { callMs: 1_000, maximumCallMs: 3_000 } });
		const agent = await rig.initialized();
		const call = agent.call('count', { _meta: { progressToken: 'mine' } });
		const sent = rig.last.requests('tools/call')[0]!['params'] as Record<'_meta', { progressToken: unknown }>;
		const token = sent['_meta'].progressToken;
		for (let step = 1; step <= 3; step++) {
			await rig.pass(900);
			rig.last.say({
				jsonrpc: '2.0',
				method: 'notifications/progress',
				params: { progressToken: token, progress: step },
			});
		}
		assert.equal(call.answer, undefined);
		assert.deepEqual(
			call.heard.map(({ params }) => params),
			[1, 2, 3].map((progress) => ({ progressToken: 'mine', progress })),
		);
		await rig.pass(400);
		assert.equal(call.failure, 'timed-out');
	});

	it('makes the host ask the server, and drain it when it does not answer', async () => {
		const rig = createRig({
			limits: { callMs: 1_000, callMsByTool: { slow: 20_000 }, probeMs: 500 },
			answer: (transport, message) => {
				if (message['method'] === 'initialize') answerHandshake(transport, message);
			},
		});
		const agent = await rig.initialized();
		const slow = agent.call('slow');
		agent.call('hang');
		await rig.pass(1_600);
		assert.equal(server(rig).state, 'draining');
		const waiting = [agent.call('echo'), agent.call('echo'), agent.call('echo')];
		assert.equal(server(rig).queued, 3);
		assert.equal(rig.transports.length, 1, 'the slow call still runs on the old connection');
		reply(rig);
		assert.ok(slow.answer);
		await rig.pass(100);
		assert.equal(rig.transports.length, 2);
		assert.ok(rig.transports[0]!.isClosed);
		assert.equal(rig.last.requests('tools/call').length, 3);
		for (const index of [0, 1, 2]) reply(rig, index);
		assert.deepEqual(
			waiting.map(({ answers }) => answers.length),
			[1, 1, 1],
		);
		assert.equal(server(rig).reconnects, 1);
	});
});

describe('a server that dies', () => {
	it('is started once for all of its callers, and no call that may have run is sent again', async () => {
		const rig = createRig();
		const agents = await Promise.all(Array.from({ length: 8 }, () => rig.initialized()));
		agents[0]!.ask('tools/list');
		tellTools(rig, annotated);
		const calls = agents.map((agent) => agent.call('write'));
		rig.last.die({ stderrTail: 'out of memory' });
		assert.deepEqual(
			calls.map(({ failure }) => failure),
			Array.from({ length: 8 }, () => 'outcome-unknown'),
		);
		const { data } = calls[0]!.answer!['error'] as { data: { signal: string; stderrTail: string } };
		assert.deepEqual([data.signal, data.stderrTail], ['SIGKILL', 'out of memory']);
		const next = agents.map((agent) => agent.call('write'));
		await rig.pass(10);
		assert.equal(rig.transports.length, 2);
		assert.equal(rig.last.requests('tools/call').length, 8);
		for (let index = 0; index < 8; index++) reply(rig, index);
		assert.deepEqual(
			next.map(({ answers }) => answers[0]?.error),
			Array.from({ length: 8 }, () => undefined),
		);
	});

	it('gets a call again only where its tool says that this does no harm', async () => {
		const rig = createRig();
		const agent = await rig.initialized();
		const listing = agent.ask('tools/list');
		tellTools(rig, annotated);
		assert.ok(listing.answer);
		const calls = ['read', 'put', 'write'].map((tool) => agent.call(tool));
		rig.last.die();
		await rig.pass(10);
		assert.deepEqual(called(rig), ['read', 'put']);
		assert.equal(calls[2]!.failure, 'outcome-unknown');
		// Twice is enough: a call that kills its server would kill it for ever.
		rig.last.die();
		assert.deepEqual(
			calls.map(({ failure }) => failure),
			['outcome-unknown', 'outcome-unknown', 'outcome-unknown'],
		);
	});

	it('is asked for its tools when it is there again, where nobody has listed them, and gets again what it may', async () => {
		const rig = createRig();
		const agent = await rig.initialized();
		const calls = ['write', 'read', 'put'].map((tool) => agent.call(tool));
		rig.last.die({ stderrTail: 'out of memory' });
		await rig.pass(10);
		assert.deepEqual(called(rig), []);
		assert.equal(server(rig).queued, 3);
		tellTools(rig, annotated.slice(0, 1), 'more');
		await settled();
		assert.deepEqual(rig.last.requests('tools/list').at(-1)?.['params'], { cursor: 'more' });
		tellTools(rig, annotated.slice(1));
		await settled();
		assert.deepEqual(called(rig), ['read', 'put']);
		reply(rig, 0);
		reply(rig, 1);
		assert.deepEqual(
			calls.map(({ failure, answers }) => [failure, answers.length]),
			[
				['outcome-unknown', 1],
				[undefined, 1],
				[undefined, 1],
			],
		);
		assert.match(JSON.stringify(calls[0]!.answer), /out of memory/);
		assert.equal(server(rig).inFlight + server(rig).queued, 0);
	});

	it('is not waited for with calls of unknown tools when it dies again, cannot be started, or does not tell', async () => {
		for (const fate of ['dies', 'cannot be started', 'refuses'] as const) {
			let isBroken = false;
			const rig = createRig({
				answer: (transport, message) => {
					if (isBroken) transport.die({ code: 1, signal: null });
					else if (message['method'] === 'initialize') answerHandshake(transport, message);
				},
			});
			const agent = await rig.initialized();
			const call = agent.call('put');
			isBroken = fate === 'cannot be started';
			rig.last.die();
			await rig.pass(10);
			if (fate === 'dies') rig.last.die();
			if (fate === 'refuses') {
				const id = rig.last.requests('tools/list')[0]!['id'];
				rig.last.say({ jsonrpc: '2.0', id, error: { code: -32601, message: 'What?' } });
				await settled();
			}
			assert.equal(call.failure, 'outcome-unknown', fate);
			assert.equal(call.answers.length, 1);
			assert.equal(server(rig).queued, 0);
		}
	});

	it('takes back a call whose tool it was to be asked for', async () => {
		const rig = createRig();
		const agent = await rig.initialized();
		const call = agent.call('put');
		rig.last.die();
		await rig.pass(10);
		call.leave();
		tellTools(rig, annotated);
		await settled();
		assert.deepEqual(called(rig), []);
		assert.equal(call.answer, undefined);
		assert.equal(server(rig).queued, 0);
	});

	it('at its start is tried a bounded number of times, and then its callers learn why', async () => {
		const rig = createRig({
			limits: { connectAttempts: 3 },
			answer: (transport) =>
				transport.die({ code: 1, signal: null, reason: 'It ended with exit code 1.', stderrTail: 'no config' }),
		});
		const agent = rig.agent();
		const call = agent.call('echo');
		await rig.pass(5_000);
		assert.equal(rig.transports.length, 3);
		assert.equal(call.failure, 'server-unavailable');
		assert.match(JSON.stringify(call.answer), /exit code 1.*no config/);
		assert.equal(server(rig).state, 'failed');
		assert.equal(
			agent.call('echo').failure,
			'server-unavailable',
			'a server that has just failed is left in peace',
		);
		await rig.pass(15_000);
		const another = agent.call('echo');
		assert.equal(another.failure, undefined);
		assert.equal(rig.transports.length, 4, 'after its rest the server is tried again');
	});

	it('whenever it is used is not started for ever', async () => {
		const rig = createRig({ limits: { connectAttempts: 3 } });
		const agent = await rig.initialized();
		for (let round = 0; round < 10; round++) {
			rig.last.die();
			await rig.pass(1_000);
		}
		assert.equal(rig.transports.length, 4, 'the first, and three attempts');
		assert.equal(server(rig).state, 'failed');
		agent.endpoint.close();
	});

	it('that cannot be started at all is not tried again', async () => {
		const rig = createRig({
			answer: (transport) => transport.die({ isHopeless: true, reason: 'There is no command "files".' }),
		});
		const call = rig.agent().call('echo');
		await rig.pass(1_000);
		assert.equal(rig.transports.length, 1);
		assert.match(JSON.stringify(call.answer), /There is no command/);
	});

	const noClientTakes = (reason: string) =>
		`files is not available: files gave an answer to the handshake that no client takes. ${reason}`;
	for (const [answer, message, starts] of [
		[{ result: {} }, noClientTakes('Its "result" has no "capabilities".'), 1],
		[{ result: { protocolVersion: '2025-11-25' } }, noClientTakes('Its "result" has no "capabilities".'), 1],
		[{ result: null }, noClientTakes('Its "result" is no object.'), 1],
		[{ result: 'ready' }, noClientTakes('Its "result" is no object.'), 1],
		[{ error: {} }, noClientTakes('Its "error" has no "code" that is a number and "message".'), 1],
		[
			{ error: { code: -32_000, message: 'Not today' } },
			'files is not available: files refused the handshake: Not today (-32000).',
			1,
		],
		[
			{ error: 'no' },
			'files is not available: files gave an answer that cannot be read. The message is neither a request nor an answer: it has no "method", "result" or "error".',
			5,
		],
	] as const)
		it(`that answers its handshake with ${JSON.stringify(answer)} has failed, and its callers learn why`, async () => {
			const rig = createRig({
				answer: (transport, { id }) =>
					void (id !== undefined && transport.say({ jsonrpc: '2.0', id, ...answer })),
			});
			const agent = rig.agent();
			const call = agent.ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: {} });
			await rig.pass(60_000);
			assert.equal((call.answer!['error'] as { message: string }).message, message);
			assert.equal(server(rig).state, 'failed');
			assert.equal(rig.transports.length, starts);
		});

	it('that names neither its revision nor itself in the handshake is used all the same', async () => {
		const rig = createRig({
			answer: (transport, { id, method }) =>
				void (method === 'initialize' && transport.say({ jsonrpc: '2.0', id, result: { capabilities: {} } })),
		});
		await rig.initialized();
		assert.equal(server(rig).state, 'connected');
	});

	it('that never answers its handshake is given up', async () => {
		const rig = createRig({ limits: { connectMs: 1_000, connectAttempts: 2, queueMs: 60_000 }, answer: () => {} });
		const call = rig.agent().call('echo');
		await rig.pass(10_000);
		assert.equal(call.failure, 'server-unavailable');
		assert.ok(rig.transports.every(({ isClosed }) => isClosed));
	});
});

describe('what a server prints', () => {
	const secrets = ['env-s3cret', 'arg-s3cret'];

	function withSecrets(options: Pick<RigOptions, 'answer'> = {}): Rig {
		const log = { append: () => true, maximumMessageBytes: 1_000 };
		const rig = createRig({ ...options, recorder: (clock) => new EventRecorder(log, clock) });
		rig.host.putServers('test', [{ ...rig.definition, secrets }]);
		return rig;
	}

	it('is told to nobody with its secrets in it', async () => {
		const rig = withSecrets();
		const agent = await rig.initialized();
		const call = agent.call('write');
		rig.last.listener.onStderr('Using env-s');
		rig.last.listener.onStderr('3cret.\nAuthorization: Bearer abcdefgh12345\n');
		rig.last.listener.onNoise('Started with arg-s3cret.');
		assert.equal(
			rig.host.outputOf('files'),
			'Using [redacted].\nAuthorization: Bearer [redacted]\nStarted with [redacted].',
		);
		rig.last.die({ stderrTail: 'No key arg-s3cret\nnor env-s3cret' });
		assert.equal(server(rig).lastExit?.stderrTail, 'No key [redacted]\nnor [redacted]');
		await rig.pass(10);
		rig.last.die({ stderrTail: 'arg-s3cret again' });
		assert.match(JSON.stringify(call.answer), /Its last words: nor \[redacted\]/);
		assert.equal(server(rig).lastExit?.stderrTail, '[redacted] again');
		for (const text of [JSON.stringify([call.answer, rig.host.status()]), rig.host.outputOf('files')])
			assert.doesNotMatch(text, /s3cret|abcdefgh/);
	});

	it('is told from its first whole line on when there is much of it', async () => {
		const rig = withSecrets();
		await rig.initialized();
		rig.last.listener.onStderr(`env-s3cret\n${'x'.repeat(64 * 1024 - 5)}`);
		assert.equal(rig.host.outputOf('files'), 'x'.repeat(64 * 1024 - 5));
	});

	it('is no more than what it says to the handshake', async () => {
		const rig = withSecrets({
			answer: (transport, { id }) =>
				void (
					id !== undefined &&
					transport.say({ jsonrpc: '2.0', id, error: { code: -32_000, message: 'Bad key env-s3cret' } })
				),
		});
		await rig.initialized();
		assert.equal(server(rig).reason, 'files refused the handshake: Bad key [redacted] (-32000).');
	});
});

describe('calls that wait', () => {
	it('are bounded in number and in time', async () => {
		const rig = createRig({ limits: { queueLength: 2, queueMs: 1_000 }, answer: () => {} });
		const agent = rig.agent();
		const calls = [agent.call('a'), agent.call('b'), agent.call('c')];
		assert.equal(calls[2]!.failure, 'queue-full');
		await rig.pass(1_100);
		assert.deepEqual(
			calls.map(({ failure }) => failure),
			['queue-full', 'queue-full', 'queue-full'],
		);
		assert.equal(server(rig).queued, 0);
	});
});

describe('an agent that goes away', () => {
	it('has its call cancelled at the server at once, and nobody else notices', async () => {
		const rig = createRig();
		const [one, other] = [await rig.initialized(), await rig.initialized()];
		const left = one.call('slow');
		const kept = other.call('slow');
		left.leave();
		assert.equal(rig.last.sent.filter(({ method }) => method === 'notifications/cancelled').length, 1);
		assert.deepEqual(rig.last.abandoned, [rig.last.requests('tools/call')[0]!['id']]);
		// The server had finished all the same: its answer is nobody's.
		reply(rig, 0);
		reply(rig, 1);
		assert.equal(left.answer, undefined);
		assert.ok(kept.answer);
		one.endpoint.close();
		other.endpoint.close();
		assert.deepEqual(rig.host.activity, { calls: 0, agents: 0 });
	});
});

describe('a server that no agent uses', () => {
	it('is let go after a while, and started again by the next agent', async () => {
		const rig = createRig();
		const [one, other] = [await rig.initialized(), await rig.initialized()];
		const call = one.call('echo');
		reply(rig);
		assert.equal(call.answers.length, 1);
		one.endpoint.close();
		await rig.pass(3_600_000);
		assert.equal(rig.last.isClosed, false, 'somebody is still there');
		other.endpoint.close();
		await rig.pass(60_000);
		const third = await rig.initialized();
		await rig.pass(3_600_000);
		assert.equal(rig.last.isClosed, false, 'somebody came in time');
		third.endpoint.close();
		await rig.pass(300_000);
		assert.equal(rig.last.isClosed, true);
		const { state, pid, calls, connections } = server(rig);
		assert.deepEqual([state, pid, calls, connections], ['stopped', null, 1, []]);
		await rig.initialized();
		assert.equal(rig.transports.length, 2);
		assert.equal(server(rig).state, 'connected');
	});
});

describe('a server that is taken out of the configuration', () => {
	const other = 'other';

	it('is not started again by an agent that still knows it', async () => {
		const rig = createRig();
		const agent = await rig.initialized();
		const running = agent.call('echo');
		rig.host.putServers('test', []);
		await settled();
		assert.equal(running.failure, 'outcome-unknown');
		assert.match(JSON.stringify(running.answer), /may or may not have been carried out\. .* taken out/);
		const late = agent.call('echo');
		await rig.pass(60_000);
		assert.equal(late.failure, 'server-unavailable');
		assert.match(JSON.stringify(late.answer), /files was taken out of the configuration/);
		assert.equal(rig.transports.length, 1);
		assert.equal(agent.ask('ping').answers.length, 1, 'the agent itself is well');
	});

	it('is there again for that agent, as it is defined then, when it is put back', async () => {
		const rig = createRig();
		const agent = await rig.initialized();
		const definition = rig.definition;
		rig.host.putServers('test', [{ ...definition, name: other }]);
		await settled();
		rig.host.putServers('test', [{ ...definition, transport: { ...definition.transport, command: 'new' } }]);
		const call = agent.call('echo');
		await settled();
		reply(rig);
		assert.equal(call.answers.length, 1);
		assert.equal(call.failure, undefined);
		assert.deepEqual([rig.transports.length, rig.commands], [2, ['files', 'new']]);
		assert.equal(server(rig).calls, 1);
	});
});

describe('a connection of one agent', () => {
	it('leaves behind how often it was made anew, how it ended and what its server has printed', async () => {
		const rig = createRig({ sharing: 'per-agent' });
		const agent = await rig.initialized();
		rig.last.listener.onStderr('first words\n');
		rig.last.die({ stderrTail: 'first words' });
		await rig.pass(1_000);
		assert.equal(server(rig).reconnects, 1);
		agent.endpoint.close();
		await settled();
		const { connections, reconnects, lastExit } = server(rig);
		assert.deepEqual([connections, reconnects, lastExit?.signal], [[], 1, 'SIGKILL']);
		assert.match(rig.host.outputOf('files'), /first words/);
	});
});

describe('whatever goes wrong', () => {
	it('every call has exactly one answer and every counter returns to zero', async () => {
		const faults = fc.constantFrom(
			'call',
			'answer',
			'fail',
			'die',
			'hang',
			'leave',
			'reconnect',
			'wrong-id',
			'noise',
			'pass',
		);
		await fc.assert(
			fc.asyncProperty(fc.array(faults, { maxLength: 60 }), async (steps) => {
				const rig = createRig({
					limits: { callMs: 2_000, queueMs: 3_000, queueLength: 5, connectAttempts: 2 },
				});
				const agents = [await rig.initialized(), await rig.initialized()];
				const calls: FakeCall[] = [];
				const left = new Set<FakeCall>();
				const running = () => rig.last.requests('tools/call').at(-1);
				for (const [index, step] of steps.entries()) {
					const request = running();
					if (step === 'call') calls.push(agents[index % 2]!.call('echo'));
					else if (step === 'answer' && request && rig.last.isOpen)
						rig.last.say({ jsonrpc: '2.0', id: request['id'], result: {} });
					else if (step === 'fail' && request && rig.last.isOpen)
						rig.last.say({ jsonrpc: '2.0', id: request['id'], error: { code: -32_000, message: 'no' } });
					else if (step === 'die') rig.last.die();
					else if (step === 'hang') await rig.pass(2_500);
					else if (step === 'leave' && calls.length > 0) {
						left.add(calls.at(-1)!);
						calls.at(-1)!.leave();
					} else if (step === 'reconnect') rig.host.reconnect('files').catch(() => {});
					else if (step === 'wrong-id' && rig.last.isOpen)
						rig.last.say({ jsonrpc: '2.0', id: 'nobody', result: {} });
					else if (step === 'noise' && rig.last.isOpen)
						rig.last.listener.onMessage(new TextEncoder().encode('{"a":'), undefined);
					else if (step === 'pass') await rig.pass(100);
					await settled();
				}
				await rig.pass(120_000);
				for (const call of calls)
					assert.ok(call.answers.length === 1 || (left.has(call) && call.answers.length === 0));
				const { inFlight, queued } = server(rig);
				assert.deepEqual(
					{ inFlight, queued, calls: rig.host.status().calls },
					{ inFlight: 0, queued: 0, calls: [] },
				);
				// Each call was sent at most once: this tool does not say that it may run twice.
				const sent = rig.records.filter(({ name }) => name === 'callSent').map(({ callId }) => callId);
				assert.equal(new Set(sent).size, sent.length);
			}),
			{ numRuns: 60 },
		);
	});
});
