// What passes through the host, and to whom.

import assert from 'node:assert/strict';
import { agentId, storedSessionId } from '../../src/core/base/ids.ts';
import type { MessageChannel } from '../../src/core/host/agentConnection.ts';
import { nobodyKnown } from '../../src/core/host/agentIdentity.ts';
import { readRpc, replaced } from '../../src/core/host/rpc.ts';
import { answerHandshake, bytesOf, createRig, settled } from './rig.ts';
import type { FakeTransport, Json, Rig } from './rig.ts';

const decoder = new TextDecoder();
const toldOnly = { holdMs: undefined, source: undefined };

function lastCall(rig: Rig): Json {
	return rig.last.requests('tools/call').at(-1)!;
}

describe('a message', () => {
	it('keeps every byte but its id and its progress token', () => {
		const text = `{ "id":"a\\"b" ,"params":{"big":12345678901234567890,"_meta":{"x":1,"progressToken":7},"name":"é"},"jsonrpc":"2.0","method":"m"}`;
		const message = readRpc(new TextEncoder().encode(text));
		assert.notEqual(message.kind, 'problem');
		if (message.kind === 'problem') return;
		const bytes = replaced(message.bytes, [
			{ span: message.spans.id, with: new TextEncoder().encode('5') },
			{ span: message.spans.metaProgressToken, with: new TextEncoder().encode('99') },
		]);
		assert.equal(
			decoder.decode(bytes),
			text.replace('"a\\"b"', '5').replace('"progressToken":7', '"progressToken":99'),
		);
	});

	const problems: readonly [text: string, code: number, id: unknown][] = [
		['{"jsonrpc":"2.0","id":1', -32_700, null],
		['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32_600, null],
		['7', -32_600, null],
		['{"id":4,"method":"ping"}', -32_600, 4],
		['{"jsonrpc":"2.0","id":{},"method":"ping"}', -32_600, null],
		['{"jsonrpc":"2.0","id":2,"method":"ping","params":[1]}', -32_600, 2],
		['{"jsonrpc":"2.0","id":3}', -32_600, 3],
	];
	for (const [text, code, id] of problems) {
		it(`that is none gets ${code}: ${text}`, () => {
			const rig = createRig();
			let answer = '';
			const channel: MessageChannel = {
				deliver() {},
				answer: (bytes) => void (answer = decoder.decode(bytes)),
				accepted() {},
				dropped() {},
				headers: undefined,
			};
			rig.agent().endpoint.receive(new TextEncoder().encode(text), channel, '');
			const body = JSON.parse(answer) as { id: unknown; error: { code: number } };
			assert.deepEqual([body.error.code, body.id], [code, id]);
		});
	}
});

describe('a request', () => {
	it('whose id is in use is refused, and the first goes on', async () => {
		const rig = createRig();
		const agent = await rig.initialized();
		const first = agent.call('slow');
		let second: Json = {};
		agent.endpoint.receive(
			bytesOf({ jsonrpc: '2.0', id: first.id, method: 'tools/call', params: { name: 'slow' } }),
			{
				deliver() {},
				answer: (bytes) => void (second = JSON.parse(decoder.decode(bytes)) as Json),
				accepted() {},
				dropped() {},
				headers: undefined,
			},
			'',
		);
		assert.equal((second['error'] as { code: number }).code, -32_600);
		rig.last.say({ jsonrpc: '2.0', id: lastCall(rig)['id'], result: {} });
		assert.ok(first.answer);
	});

	it('that is a call is told to whoever watches when it runs, and when it has ended', async () => {
		const rig = createRig();
		const agent = await rig.initialized();
		const told: number[] = [];
		rig.host.onDidChange(() => told.push(rig.host.status().calls.length));
		agent.call('slow');
		assert.equal(told.at(-1), 1);
		rig.last.say({ jsonrpc: '2.0', id: lastCall(rig)['id'], result: {} });
		assert.equal(told.at(-1), 0);
	});

	it('of a method that nobody knows goes to the server, and so does what it says', async () => {
		const rig = createRig();
		const agent = await rig.initialized();
		const call = agent.ask('vendor/own', { x: 1 });
		const request = rig.last.requests('vendor/own')[0]!;
		assert.deepEqual(request['params'], { x: 1 });
		rig.last.say({ jsonrpc: '2.0', id: request['id'], error: { code: -32_601, message: 'no' } });
		assert.deepEqual(call.answer, { jsonrpc: '2.0', id: call.id, error: { code: -32_601, message: 'no' } });
	});

	it('that its agent cancels is cancelled at the server under the id that the server knows, and gets no answer', async () => {
		const rig = createRig();
		const agent = await rig.initialized();
		const call = agent.call('slow');
		agent.tell({
			jsonrpc: '2.0',
			method: 'notifications/cancelled',
			params: { requestId: call.id, reason: 'enough' },
		});
		const cancelled = rig.last.sent.find(({ method }) => method === 'notifications/cancelled');
		assert.deepEqual(cancelled?.['params'], { requestId: lastCall(rig)['id'], reason: 'enough' });
		assert.deepEqual(call.answers, []);
		assert.equal(rig.host.status().servers[0]!.cancelled, 1);
	});

	it('whose answer cannot be read fails as the fault of the server', async () => {
		const rig = createRig();
		const agent = await rig.initialized();
		const call = agent.call('echo');
		rig.last.listener.onMessage(
			new TextEncoder().encode(`{"id":${JSON.stringify(lastCall(rig)['id'])},"result":{}}`),
			undefined,
		);
		assert.equal(call.failure, 'malformed-answer');
		assert.match(JSON.stringify(call.answer), /has no \\"jsonrpc\\": \\"2.0\\"/);
	});

	for (const [answer, reason] of [
		[{ result: null }, 'Its "result" is no object.'],
		[{ result: 'done' }, 'Its "result" is no object.'],
		[{ error: { code: 'E_FAIL', message: 'No.' } }, 'Its "error" has no "code" that is a number and "message".'],
		[{ error: { code: -5 } }, 'Its "error" has no "code" that is a number and "message".'],
	] as const)
		it(`whose answer no client takes, ${JSON.stringify(answer)}, fails at once as the fault of the server`, async () => {
			const rig = createRig();
			const agent = await rig.initialized();
			const call = agent.call('echo');
			rig.last.say({ jsonrpc: '2.0', id: lastCall(rig)['id'], ...answer });
			assert.equal(call.failure, 'malformed-answer');
			assert.ok(JSON.stringify(call.answer).includes(JSON.stringify(reason).slice(1, -1)));
		});
});

describe('a request of a server', () => {
	const sampling = { jsonrpc: '2.0', id: 'q', method: 'sampling/createMessage', params: { messages: [] } };

	it('goes to the only agent that has a call in flight, and its answer back', async () => {
		const rig = createRig({ sharing: 'shared' });
		const [one, other] = [await rig.initialized({ sampling: {} }), await rig.initialized({ sampling: {} })];
		const call = one.call('sample');
		rig.last.say(sampling);
		assert.equal(call.heard.length, 1);
		assert.deepEqual(other.heard, []);
		const asked = call.heard[0]!;
		one.tell({ jsonrpc: '2.0', id: asked['id'], result: { role: 'assistant' } });
		assert.deepEqual(rig.last.sent.at(-1), { jsonrpc: '2.0', id: 'q', result: { role: 'assistant' } });
	});

	it('is refused with a reason when two agents have calls in flight: nobody is guessed', async () => {
		const rig = createRig({ sharing: 'shared' });
		const [one, other] = [await rig.initialized({ sampling: {} }), await rig.initialized({ sampling: {} })];
		const calls = [one.call('sample'), other.call('sample')];
		rig.last.say(sampling);
		assert.deepEqual(
			calls.map(({ heard }) => heard),
			[[], []],
		);
		const answer = rig.last.sent.at(-1)!;
		assert.equal(answer['id'], 'q');
		assert.match(JSON.stringify(answer), /2 agents have calls in flight.*per-agent/);
	});

	it('leaves no shared connection behind that nobody will use again', async () => {
		const rig = createRig();
		const [agent, other] = [await rig.initialized({ sampling: {} }), await rig.initialized({ sampling: {} })];
		const calls = [agent.call('sample'), other.call('slow')];
		const [shared] = rig.transports;
		rig.last.say(sampling);
		for (const [index, call] of calls.entries()) {
			assert.equal(shared!.isClosed, false);
			shared!.say({ jsonrpc: '2.0', id: shared!.requests('tools/call')[index]!['id'], result: {} });
			assert.equal(call.answers.length, 1);
			await rig.pass(1);
		}
		assert.equal(shared!.isClosed, true);
		agent.call('echo');
		await settled();
		assert.equal(rig.transports.length, 2);
	});

	describe('that is the first, on a connection for all', () => {
		const session = storedSessionId('claude-code:s');
		const by = (id: string) => ({ _meta: { 'claudecode/toolUseId': id } });
		const started = (rig: Rig, id: string, agent: string) => {
			const hook = {
				hook_event_name: 'PreToolUse',
				session_id: 's',
				tool_name: 'mcp__files__count',
				tool_input: {},
			};
			const named = agent === 'main' ? { prompt_id: 'p' } : { agent_id: agent, agent_type: 'general-purpose' };
			rig.host.hook('claude-code', bytesOf({ ...hook, tool_use_id: id, ...named }), toldOnly);
		};
		const owners = (rig: Rig) => rig.host.status().servers[0]!.connections.map(({ owner }) => owner);

		it('leaves the connection to the only agent that has called anything, with all that the server knows of it', async () => {
			const rig = createRig();
			const [one, other] = [await rig.initialized({ sampling: {} }), await rig.initialized({ roots: {} })];
			const gone = await rig.initialized();
			gone.call('count');
			rig.last.say({ jsonrpc: '2.0', id: lastCall(rig)['id'], result: {} });
			gone.endpoint.close();
			for (const method of ['tools/list', 'resources/subscribe']) {
				other.ask(method, { uri: 'file:///a' });
				rig.last.say({ jsonrpc: '2.0', id: rig.last.requests(method)[0]!['id'], result: {} });
			}
			const call = one.call('sample');
			rig.last.say(sampling);
			assert.equal(call.heard.length, 1);
			assert.deepEqual(owners(rig), [one.endpoint.id]);
			for (const { id } of rig.last.requests('tools/call')) rig.last.say({ jsonrpc: '2.0', id, result: {} });
			await rig.pass(10);
			one.call('count');
			assert.equal(rig.transports.length, 1);
			assert.equal(rig.last.requests('tools/call').length, 3);
			rig.last.say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
			assert.deepEqual([one.heard.length, other.heard.length], [1, 0]);

			other.call('count');
			await settled();
			assert.equal(rig.transports.length, 2);
			assert.deepEqual((rig.last.requests('initialize')[0]!['params'] as Json)['capabilities'], { roots: {} });
			const [kept] = rig.transports;
			kept!.die();
			await rig.pass(10);
			const again = rig.last.requests('initialize')[0]!['params'];
			assert.deepEqual((again as Json)['capabilities'], { sampling: {} });
			assert.equal(rig.last.requests('tools/call').length, 0);

			one.endpoint.close();
			assert.ok(rig.last.isClosed, 'it ends with its agent');
		});

		it('leaves it to the only agent of a session of several that has called anything, by whatever name', async () => {
			const rig = createRig();
			const one = await rig.initialized({ sampling: {} }, { sessionId: session, agentId: undefined });
			// Its hook is held up.
			one.call('sample', by('t1'));
			started(rig, 't1', 'main');
			rig.last.say(sampling);
			assert.deepEqual(owners(rig), ['claude-code:s main']);
			started(rig, 't2', 'main');
			one.call('count', by('t2'));
			one.ask('resources/read', { uri: 'count:///1' });
			assert.equal(rig.transports.length, 1);
			started(rig, 't3', 'sub');
			one.call('count', by('t3'));
			await settled();
			assert.deepEqual(owners(rig).sort(), ['claude-code:s main', 'claude-code:s sub']);
			assert.equal(rig.last.requests('tools/call').length, 1);
		});

		it('leaves it to an agent that gets its name only then', async () => {
			const rig = createRig();
			const one = await rig.initialized({ sampling: {} }, { sessionId: session, agentId: undefined });
			one.call('sample', by('t1'));
			rig.last.say(sampling);
			for (const id of ['t1', 't2']) started(rig, id, 'main');
			one.call('count', by('t2'));
			await settled();
			assert.equal(rig.transports.length, 1);
		});

		it('leaves it to nobody where two have called something', async () => {
			const rig = createRig();
			const [one, other] = [await rig.initialized({ sampling: {} }), await rig.initialized({ sampling: {} })];
			other.call('count');
			rig.last.say({ jsonrpc: '2.0', id: lastCall(rig)['id'], result: {} });
			const call = one.call('sample');
			rig.last.say(sampling);
			rig.last.say({ jsonrpc: '2.0', id: lastCall(rig)['id'], result: {} });
			assert.equal(call.answers.length, 1);
			one.call('count');
			other.call('count');
			await rig.pass(10);
			assert.equal(rig.transports.length, 3);
			assert.ok(rig.transports[0]!.isClosed);
		});

		it('leaves it to nobody where it comes with what another one reads', async () => {
			const rig = createRig();
			const [one, other] = [await rig.initialized({ sampling: {} }), await rig.initialized({ sampling: {} })];
			one.call('count');
			rig.last.say({ jsonrpc: '2.0', id: lastCall(rig)['id'], result: {} });
			const reading = other.ask('resources/read', { uri: 'count:///1' });
			rig.last.say(sampling);
			assert.equal(reading.heard.length, 1);
			assert.deepEqual(owners(rig), ['all']);
		});
	});

	it('makes a server that is shared by default give each agent a connection of its own from then on', async () => {
		const rig = createRig();
		const [one, other] = [await rig.initialized({ sampling: {} }), await rig.initialized({ sampling: {} })];
		one.call('sample');
		rig.last.say(sampling);
		assert.equal(rig.host.status().servers[0]!.sharing, 'per-agent');
		assert.match(rig.host.status().servers[0]!.sharingReason ?? '', /asks its clients/);
		other.call('sample');
		await settled();
		assert.equal(rig.transports.length, 2);
		assert.equal(rig.last.requests('tools/call').length, 1);
		other.endpoint.close();
		one.endpoint.close();
		await rig.pass(10);
		assert.ok(rig.last.isClosed, 'a connection of one agent ends with it');
	});

	it('that the agent has no capability for is refused as unknown', async () => {
		const rig = createRig();
		const agent = await rig.initialized();
		agent.call('sample');
		rig.last.say(sampling);
		assert.equal((rig.last.sent.at(-1)!['error'] as { code: number }).code, -32_601);
	});

	it('keeps the time limit of the call from running out while a person answers it', async () => {
		const rig = createRig({ limits: { callMs: 1_000 } });
		const agent = await rig.initialized({ sampling: {} });
		const call = agent.call('sample');
		rig.last.say(sampling);
		await rig.pass(5_000);
		assert.deepEqual(call.answers, []);
		agent.tell({ jsonrpc: '2.0', id: call.heard[0]!['id'], result: {} });
		await rig.pass(2_100);
		assert.equal(call.failure, 'timed-out');
	});

	it('is taken back under the id that the agent knows', async () => {
		const rig = createRig();
		const agent = await rig.initialized({ sampling: {} });
		const call = agent.call('sample');
		rig.last.say(sampling);
		rig.last.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'q' } });
		assert.deepEqual(call.heard[1]!['params'], { requestId: call.heard[0]!['id'] });
	});

	it('for a ping is answered by the host', async () => {
		const rig = createRig();
		await rig.initialized();
		rig.last.say({ jsonrpc: '2.0', id: 'p"1', method: 'ping' });
		assert.deepEqual(rig.last.sent.at(-1), { jsonrpc: '2.0', id: 'p"1', result: {} });
	});
});

describe('a notification of a server', () => {
	it('about its lists goes to every agent', async () => {
		const rig = createRig();
		const agents = [await rig.initialized(), await rig.initialized()];
		rig.last.say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
		assert.deepEqual(
			agents.map(({ heard }) => heard.length),
			[1, 1],
		);
	});

	it('about a resource goes to who has subscribed to it, and is asked for again after a reconnect', async () => {
		const rig = createRig();
		const [one, other] = [await rig.initialized(), await rig.initialized()];
		one.ask('resources/subscribe', { uri: 'file:///a' });
		const updated = { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'file:///a' } };
		rig.last.say(updated);
		assert.deepEqual([one.heard, other.heard], [[updated], []]);
		rig.last.die();
		await rig.pass(10);
		assert.deepEqual(
			rig.last.requests('resources/subscribe').map(({ params }) => params),
			[{ uri: 'file:///a' }],
		);
	});

	it('of its log goes to the one agent that it works for', async () => {
		const rig = createRig();
		const [one, other] = [await rig.initialized(), await rig.initialized()];
		const call = one.call('slow');
		rig.last.say({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } });
		assert.equal(call.heard.length, 1);
		assert.deepEqual([one.heard, other.heard], [[], []]);
	});
});

describe('the level of a log', () => {
	const log = (level: string) => ({
		jsonrpc: '2.0',
		method: 'notifications/message',
		params: { level, data: 'x' },
	});

	it('on a shared connection is the lowest that an agent wants, and each agent hears what it has asked for', async () => {
		const rig = createRig();
		const [one, other] = [await rig.initialized(), await rig.initialized()];
		one.ask('logging/setLevel', { level: 'info' });
		other.ask('logging/setLevel', { level: 'error' });
		const levels = () => rig.last.requests('logging/setLevel').map(({ params }) => params);
		assert.deepEqual(levels(), [{ level: 'info' }, { level: 'info' }]);
		for (const { id } of rig.last.requests('logging/setLevel')) rig.last.say({ jsonrpc: '2.0', id, result: {} });
		for (const level of ['debug', 'warning', 'critical']) rig.last.say(log(level));
		const heard = [one, other].map((agent) => agent.heard.map(({ params }) => (params as Json)['level']));
		assert.deepEqual(heard, [['warning', 'critical'], ['critical']]);
		const call = other.call('slow');
		rig.last.say(log('info'));
		assert.deepEqual([call.heard, one.heard.length, other.heard.length], [[], 2, 1]);
		rig.last.die();
		await rig.pass(10);
		assert.deepEqual(levels(), [{ level: 'info' }], 'a new process is told again');
	});

	it('that there is not is the server’s to refuse', async () => {
		const rig = createRig();
		const agent = await rig.initialized();
		agent.ask('logging/setLevel', { level: 'loud' });
		const request = rig.last.requests('logging/setLevel')[0]!;
		assert.deepEqual(request['params'], { level: 'loud' });
		rig.last.say({ jsonrpc: '2.0', id: request['id'], error: { code: -32_602, message: 'No such level.' } });
		rig.last.say(log('debug'));
		assert.equal(agent.heard.length, 1);
	});
});

describe('the id of an MCP session', () => {
	it('fits in a header however much an agent says of itself, and is enough to go on with', async () => {
		const rig = createRig();
		const agent = rig.agent();
		agent.ask('initialize', {
			protocolVersion: '2025-06-18',
			capabilities: { sampling: { context: {} }, experimental: { notes: 'n'.repeat(20_000) } },
			clientInfo: { name: 'ada', version: '1', icons: [{ src: `data:image/png;base64,${'A'.repeat(20_000)}` }] },
		});
		await settled();
		const id = rig.host.sessionIdOf(agent.endpoint);
		assert.ok(id.length < 8_000, `${id.length}`);
		const again = rig.host.resumeAgent(id, {
			server: 'files',
			identity: nobodyKnown,
			transport: 'http',
			isolationKey: undefined,
			output: () => false,
		});
		const { clientInfo, capabilities, protocolVersion } = again!.introduction!;
		assert.deepEqual([protocolVersion, clientInfo], ['2025-06-18', { name: 'ada', version: '1' }]);
		assert.deepEqual(Object.keys(capabilities), ['sampling', 'experimental']);
	});
});

describe('sharing', () => {
	const session = (id: string, agent: string) => ({ sessionId: storedSessionId(id), agentId: agentId(agent) });
	const cases: readonly [sharing: 'shared' | 'per-session' | 'per-agent', connections: number][] = [
		['shared', 1],
		['per-session', 2],
		['per-agent', 3],
	];
	for (const [sharing, connections] of cases) {
		it(`${sharing} makes ${connections} of two agents of one session and one of another`, async () => {
			const rig = createRig({ sharing });
			for (const identity of [session('s1', 'a'), session('s1', 'b'), session('s2', 'a')])
				await rig.initialized({}, identity);
			assert.equal(rig.transports.length, connections);
		});
	}
});

describe('a connection of a subagent', () => {
	it('stays for as long as its session does, whoever else goes', async () => {
		const rig = createRig({ sharing: 'per-agent' });
		const session = storedSessionId('claude-code:s1');
		const one = await rig.initialized({}, { sessionId: session, agentId: undefined });
		const other = await rig.initialized({}, { sessionId: storedSessionId('claude-code:s2'), agentId: undefined });
		const hook = { hook_event_name: 'PreToolUse', session_id: 's1', agent_id: 'explorer', tool_use_id: 'toolu_1' };
		rig.host.hook('claude-code', bytesOf({ ...hook, tool_name: 'mcp__files__open', tool_input: {} }), toldOnly);
		const call = one.call('open', { _meta: { 'claudecode/toolUseId': 'toolu_1' } });
		await settled();
		await settled();
		assert.equal(rig.transports.length, 3);
		const own = rig.last;
		own.say({ jsonrpc: '2.0', id: lastCall(rig)['id'], result: {} });
		assert.equal(call.answers.length, 1);
		other.endpoint.close();
		assert.equal(own.isClosed, false);
		own.say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
		assert.equal(one.heard.length, 1, 'what it tells reaches the session');
		one.endpoint.close();
		assert.equal(own.isClosed, true);
	});
});

describe('a session that hooks tell of', () => {
	const tell = (rig: Rig, event: string, session: string) =>
		rig.host.hook('claude-code', bytesOf({ hook_event_name: event, session_id: session }), toldOnly);

	it('is there until its end, or until nothing was heard of it for long', async () => {
		const rig = createRig();
		assert.equal(rig.host.hasHookedSessions, false);
		tell(rig, 'SessionStart', 's1');
		tell(rig, 'SessionStart', 's2');
		tell(rig, 'SessionEnd', 's1');
		assert.equal(rig.host.hasHookedSessions, true);
		tell(rig, 'SessionEnd', 's2');
		assert.equal(rig.host.hasHookedSessions, false);
		tell(rig, 'Stop', 's3');
		await rig.pass(14 * 60_000);
		assert.equal(rig.host.hasHookedSessions, true);
		await rig.pass(60_000);
		assert.equal(rig.host.hasHookedSessions, false);
	});
});

describe('an agent of revision 2026-07-28', () => {
	const said = {
		_meta: {
			'io.modelcontextprotocol/protocolVersion': '2026-07-28',
			'io.modelcontextprotocol/clientInfo': { name: 'm', version: '1' },
			'io.modelcontextprotocol/clientCapabilities': {},
		},
	};
	function modernServer(transport: FakeTransport, message: Json): void {
		if (message['method'] === 'server/discover')
			transport.say({
				jsonrpc: '2.0',
				id: message['id'],
				result: { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: {} },
			});
		else answerHandshake(transport, message);
	}

	it('is served without a handshake by a server of that revision', async () => {
		const rig = createRig({ answer: modernServer });
		const agent = rig.agent();
		const call = agent.call('echo', said);
		await settled();
		await settled();
		assert.deepEqual(rig.last.requests('initialize'), []);
		assert.deepEqual((lastCall(rig)['params'] as Json)['_meta'], said['_meta']);
		rig.last.say({ jsonrpc: '2.0', id: lastCall(rig)['id'], result: { resultType: 'complete' } });
		assert.deepEqual(call.answer, { jsonrpc: '2.0', id: call.id, result: { resultType: 'complete' } });
	});

	it('learns which revisions there are when it asks for another', () => {
		const rig = createRig();
		const call = rig.agent().ask('tools/list', {
			_meta: { 'io.modelcontextprotocol/protocolVersion': '1900-01-01' },
		});
		const { code, data } = call.answer!['error'] as { code: number; data: { supported: string[] } };
		assert.equal(code, -32_022);
		assert.ok(data.supported.includes('2026-07-28'));
	});

	it('gets the notifications of its own subscription under its own id', async () => {
		const rig = createRig({ answer: modernServer });
		const agent = rig.agent();
		const call = agent.ask('subscriptions/listen', { ...said, notifications: { toolsListChanged: true } });
		await settled();
		await settled();
		const request = rig.last.requests('subscriptions/listen')[0]!;
		rig.last.say({
			jsonrpc: '2.0',
			method: 'notifications/tools/list_changed',
			params: { _meta: { 'io.modelcontextprotocol/subscriptionId': request['id'] } },
		});
		assert.deepEqual(
			call.heard.map(({ params }) => params),
			[{ _meta: { 'io.modelcontextprotocol/subscriptionId': call.id } }],
		);
		await rig.pass(4_000_000);
		assert.deepEqual(call.answers, [], 'it is open for as long as its agent wants');
	});

	it('keeps its subscription over a new connection, which does not wait for its end', async () => {
		const rig = createRig({ answer: modernServer });
		const agent = rig.agent();
		const call = agent.ask('subscriptions/listen', { ...said, notifications: { toolsListChanged: true } });
		await rig.pass(10);
		const [before] = rig.transports;
		void rig.host.reconnect('files');
		await rig.pass(10);
		assert.equal(rig.host.status().servers[0]!.state, 'connected');
		assert.notEqual(rig.last, before);
		rig.last.die();
		await rig.pass(1_000);
		assert.equal(rig.transports.length, 3);
		const again = rig.last.requests('subscriptions/listen')[0]!;
		rig.last.say({
			jsonrpc: '2.0',
			method: 'notifications/tools/list_changed',
			params: { _meta: { 'io.modelcontextprotocol/subscriptionId': again['id'] } },
		});
		assert.deepEqual(
			call.heard.map(({ params }) => params),
			[{ _meta: { 'io.modelcontextprotocol/subscriptionId': call.id } }],
		);
		assert.deepEqual(call.answers, []);
	});
});

describe('an agent of the era of handshakes before a server that knows none', () => {
	function modernOnly(transport: FakeTransport, message: Json): void {
		const { id, method } = message;
		if (id === undefined || method === 'tools/call') return;
		if (method === 'server/discover') {
			const result = {
				resultType: 'complete',
				supportedVersions: ['2026-07-28'],
				capabilities: { tools: {} },
				_meta: { 'io.modelcontextprotocol/serverInfo': { name: 'new', version: '2' } },
			};
			transport.say({ jsonrpc: '2.0', id, result });
		} else if (method !== 'subscriptions/listen')
			transport.say({ jsonrpc: '2.0', id, error: { code: -32_601, message: 'Method not found' } });
	}

	it('is introduced, and each of its requests says what the handshake had said', async () => {
		const rig = createRig({ answer: modernOnly });
		const agent = rig.agent();
		const hello = agent.ask('initialize', {
			protocolVersion: '2025-06-18',
			capabilities: { elicitation: {} },
			clientInfo: { name: 'old', version: '1' },
		});
		for (let turn = 0; turn < 4; turn++) await settled();
		assert.deepEqual(hello.answer?.['result'], {
			protocolVersion: '2025-06-18',
			capabilities: { tools: {} },
			serverInfo: { name: 'new', version: '2' },
		});
		const call = agent.call('echo', { _meta: { mine: 1 } });
		assert.deepEqual((lastCall(rig)['params'] as Json)['_meta'], {
			'io.modelcontextprotocol/protocolVersion': '2026-07-28',
			'io.modelcontextprotocol/clientInfo': { name: 'old', version: '1' },
			'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
			mine: 1,
		});
		rig.last.say({ jsonrpc: '2.0', id: lastCall(rig)['id'], result: { resultType: 'complete', content: [] } });
		assert.deepEqual(call.answer?.['result'], { resultType: 'complete', content: [] });
		assert.equal(rig.transports.length, 1);
	});

	it('is asked in requests what the server asks in results, and the call is sent again with the answers', async () => {
		const rig = createRig({ answer: modernOnly });
		const agent = await rig.initialized({ elicitation: {} });
		for (let turn = 0; turn < 4; turn++) await settled();
		const call = agent.call('login');
		rig.last.say({
			jsonrpc: '2.0',
			id: lastCall(rig)['id'],
			result: {
				resultType: 'input_required',
				inputRequests: { who: { method: 'elicitation/create', params: { message: 'Who?' } } },
				requestState: 'opaque',
			},
		});
		assert.deepEqual(
			call.heard.map(({ method, params }) => [method, params]),
			[['elicitation/create', { message: 'Who?' }]],
		);
		agent.tell({
			jsonrpc: '2.0',
			id: call.heard[0]!['id'],
			result: { action: 'accept', content: { name: 'ada' } },
		});
		await settled();
		const again = lastCall(rig)['params'] as Json;
		assert.deepEqual(
			[again['name'], again['inputResponses'], again['requestState']],
			['login', { who: { action: 'accept', content: { name: 'ada' } } }, 'opaque'],
		);
		assert.deepEqual(call.answers, []);
		rig.last.say({ jsonrpc: '2.0', id: lastCall(rig)['id'], result: { resultType: 'complete', content: [] } });
		assert.equal(call.answers.length, 1);
	});

	it('hears of changes that it never had to ask for', async () => {
		const rig = createRig({ answer: modernOnly });
		const agent = await rig.initialized();
		for (let turn = 0; turn < 4; turn++) await settled();
		agent.ask('resources/subscribe', { uri: 'file:///a' });
		const listens = rig.last.requests('subscriptions/listen');
		assert.deepEqual((listens.at(-1)!['params'] as Json)['notifications'], {
			toolsListChanged: true,
			promptsListChanged: true,
			resourcesListChanged: true,
			resourceSubscriptions: ['file:///a'],
		});
		rig.last.say({
			jsonrpc: '2.0',
			method: 'notifications/tools/list_changed',
			params: { _meta: { 'io.modelcontextprotocol/subscriptionId': listens.at(-1)!['id'] } },
		});
		assert.deepEqual(
			agent.heard.map(({ method }) => method),
			['notifications/tools/list_changed'],
		);
	});
});

describe('an agent of revision 2026-07-28 before a server of the era of handshakes', () => {
	const meta = {
		_meta: {
			'io.modelcontextprotocol/protocolVersion': '2026-07-28',
			'io.modelcontextprotocol/clientInfo': { name: 'm', version: '1' },
			'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
		},
	};
	async function connected(): Promise<Rig & { modern: ReturnType<Rig['agent']> }> {
		const rig = createRig();
		const modern = rig.agent();
		const discover = modern.ask('server/discover', meta);
		for (let turn = 0; turn < 4; turn++) await settled();
		assert.match(JSON.stringify(discover.answer), /initialize first/, 'most clients fall back when they hear this');
		return Object.assign(rig, { modern });
	}

	it('that does not fall back has its results completed', async () => {
		const rig = await connected();
		const call = rig.modern.ask('tools/list', meta);
		await settled();
		rig.last.say({ jsonrpc: '2.0', id: rig.last.requests('tools/list')[0]!['id'], result: { tools: [] } });
		assert.deepEqual(call.answer?.['result'], {
			resultType: 'complete',
			ttlMs: 0,
			cacheScope: 'private',
			tools: [],
		});
		assert.equal(rig.transports.length, 1, 'the connection that was tried is the one that is used');
	});

	it('is asked in a result what the server asks in a request, and its next request goes on with the call', async () => {
		const rig = await connected();
		const call = rig.modern.call('login', meta);
		await settled();
		rig.last.say({ jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params: { message: 'Who?' } });
		const { resultType, inputRequests, requestState } = call.answer!['result'] as Json;
		assert.equal(resultType, 'input_required');
		const [[key, asked]] = Object.entries(inputRequests as Json) as [[string, Json]];
		assert.deepEqual(asked, { method: 'elicitation/create', params: { message: 'Who?' } });
		const response = { action: 'accept', content: { name: 'ada' } };
		const again = rig.modern.call('login', { ...meta, requestState, inputResponses: { [key]: response } });
		await settled();
		assert.deepEqual(rig.last.sent.at(-1), { jsonrpc: '2.0', id: 'q', result: response });
		assert.equal(rig.last.requests('tools/call').length, 1);
		rig.last.say({ jsonrpc: '2.0', id: lastCall(rig)['id'], result: { content: [] } });
		assert.deepEqual(again.answer, {
			jsonrpc: '2.0',
			id: again.id,
			result: { resultType: 'complete', content: [] },
		});
		assert.deepEqual(rig.host.activity.calls, 0);
		const used = rig.modern.call('login', { ...meta, requestState });
		await settled();
		assert.equal((used.answer!['error'] as { code: number }).code, -32_602);
	});

	it('that leaves while it goes on with a call has that call cancelled', async () => {
		const rig = await connected();
		const call = rig.modern.call('login', meta);
		await settled();
		rig.last.say({ jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params: {} });
		const { requestState } = call.answer!['result'] as Json;
		const again = rig.modern.call('login', { ...meta, requestState, inputResponses: {} });
		await settled();
		again.leave();
		assert.ok(rig.last.sent.some(({ method }) => method === 'notifications/cancelled'));
		assert.equal(rig.host.activity.calls, 0);
	});

	it('gets the changes that it has subscribed to, and no others', async () => {
		const rig = await connected();
		const filter = { toolsListChanged: true, resourceSubscriptions: ['file:///a'] };
		const call = rig.modern.ask('subscriptions/listen', { ...meta, notifications: filter });
		for (let turn = 0; turn < 4; turn++) await settled();
		assert.deepEqual(
			rig.last.requests('resources/subscribe').map(({ params }) => params),
			[{ uri: 'file:///a' }],
		);
		for (const method of ['tools', 'prompts'])
			rig.last.say({ jsonrpc: '2.0', method: `notifications/${method}/list_changed` });
		for (const uri of ['file:///a', 'file:///b'])
			rig.last.say({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } });
		const own = { 'io.modelcontextprotocol/subscriptionId': call.id };
		assert.deepEqual(
			call.heard.map(({ method, params }) => [method, params]),
			[
				['notifications/subscriptions/acknowledged', { _meta: own, notifications: filter }],
				['notifications/tools/list_changed', { _meta: own }],
				['notifications/resources/updated', { _meta: own, uri: 'file:///a' }],
			],
		);
		call.leave();
		rig.last.say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
		assert.equal(call.heard.length, 3);
	});
});
