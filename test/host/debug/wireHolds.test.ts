/* oxlint-disable unicorn/no-thenable -- what a debugger does then is a word, which nobody awaits */

import assert from 'node:assert/strict';
import { sessionId } from '../../../src/core/base/ids.ts';
import type { Breakpoint, HeldCall, Resumption } from '../../../src/core/debug/index.ts';
import { nobodyKnown } from '../../../src/core/host/agentIdentity.ts';
import type { DebuggerConnection } from '../../../src/core/host/debug/debugGate.ts';
import { answerHandshake, createRig, settled } from '../rig.ts';
import type { FakeTransport, Json, Rig, RigOptions } from '../rig.ts';

const run = { then: 'run', action: 'continue' } as const;

const schema = {
	type: 'object',
	properties: { page: { type: 'integer' }, name: { type: 'string' } },
	required: ['page'],
	additionalProperties: false,
};

/** A host whose one server answers each call with its arguments, and a debugger at it. */
interface Debugged {
	readonly rig: Rig;
	readonly debug: DebuggerConnection;
	readonly stops: HeldCall[];
	/** All that the debugger was told, in order. */
	readonly told: { readonly name: string; readonly value: unknown }[];
	readonly resume: (index: number, how: Resumption) => Promise<void>;
}

function debugged(options: RigOptions = {}, source?: string): Debugged {
	const rig = createRig({ answer: echo, ...options });
	const stops: HeldCall[] = [];
	const told: { name: string; value: unknown }[] = [];
	const debug = rig.host.debug.attach({
		client: 'test',
		sessions: null,
		source,
		listener(name, value) {
			told.push({ name, value });
			// The name says what it is.
			if (name === 'debug/didStop') stops.push(value as HeldCall);
		},
	});
	return {
		rig,
		debug,
		stops,
		told,
		async resume(index, how) {
			debug.resume(stops[index]!.stopId, how);
			await settled();
		},
	};
}

function echo(transport: FakeTransport, message: Json): void {
	answerHandshake(transport, message);
	const { id, method } = message;
	if (method === 'tools/list')
		transport.say({
			jsonrpc: '2.0',
			id,
			result: { tools: [{ name: 'query', inputSchema: schema }, { name: 'fail' }] },
		});
	if (method !== 'tools/call') return;
	const params = message['params'] as { name: string; arguments: Json };
	const text = JSON.stringify(params.arguments);
	transport.say({
		jsonrpc: '2.0',
		id,
		result: { content: [{ type: 'text', text }], isError: params.name === 'fail' },
	});
}

function set(debug: DebuggerConnection, ...breakpoints: (Partial<Breakpoint> & { tool: string })[]) {
	return debug.set({
		breakpoints: breakpoints.map((one, index) => ({ id: `b${index + 1}`, ...one })),
		rules: [],
		onToolError: false,
	});
}

function textOf(answer: Json | undefined): unknown {
	const result = answer?.['result'] as { content?: { text?: unknown }[] } | undefined;
	return result?.content?.[0]?.text;
}

describe('a call that a debugger holds on the wire', () => {
	it('waits before it is made, and goes on as it was', async () => {
		const { rig, debug, stops, told, resume } = debugged();
		set(debug, { tool: 'files/*' });
		const agent = await rig.initialized();
		const call = agent.call('query', { arguments: { page: 3 } });
		await settled();
		assert.equal(stops.length, 1);
		assert.partialDeepStrictEqual(stops[0], {
			reason: 'breakpoint',
			breakpointIds: ['b1'],
			at: 'before',
			heldBy: 'wire',
			server: 'files',
			tool: 'query',
			arguments: '{"page":3}',
			result: null,
			canEdit: true,
			canAnswer: true,
		});
		assert.equal(rig.last.requests('tools/call').length, 0);
		assert.partialDeepStrictEqual(rig.host.status().calls, [{ state: 'held', reason: 'breakpoint "files/*"' }]);
		assert.partialDeepStrictEqual(rig.host.status().servers, [{ name: 'files', inFlight: 1, queued: 0 }]);
		assert.deepEqual(rig.host.activity.calls, 1);
		await resume(0, run);
		assert.equal(textOf(call.answer), '{"page":3}');
		assert.deepEqual(
			told.map(({ name }) => name),
			['debug/didStop', 'debug/didResume'],
		);
		assert.deepEqual(rig.host.status().calls, []);
		const names = rig.records.map(({ name }) => name).filter((name) => name.startsWith('call'));
		assert.deepEqual(names, ['callHeld', 'callReleased', 'callSent', 'callEnded']);
	});

	it('is of the run that is debugged, by its connection, also where nothing tells its session', async () => {
		const { rig, debug, stops, resume } = debugged({}, 'run-1');
		set(debug, { tool: 'files/*' });
		for (const scopeSource of [undefined, 'run-2']) {
			const other = await rig.initialized({}, { ...nobodyKnown, scopeSource });
			const call = other.call('query', { arguments: {} });
			await settled();
			assert.equal(textOf(call.answer), '{}');
		}
		const own = await rig.initialized({}, { ...nobodyKnown, scopeSource: 'run-1' });
		const call = own.call('query', { arguments: {} });
		await settled();
		assert.equal(call.answers.length, 0);
		assert.deepEqual([stops.length, debug.held().length], [1, 1]);
		await resume(0, run);
		assert.equal(textOf(call.answer), '{}');
	});

	it('stops where its condition is true, and only there', async () => {
		const { rig, debug, stops, told } = debugged();
		set(debug, { tool: 'files/query', condition: 'arguments.page > 2' });
		const agent = await rig.initialized();
		const first = agent.call('query', { arguments: { page: 2 } });
		const odd = agent.call('query', { arguments: {} });
		agent.call('query', { arguments: { page: 3 } });
		await settled();
		assert.equal(textOf(first.answer), '{"page":2}');
		assert.equal(textOf(odd.answer), '{}');
		assert.deepEqual(
			stops.map(({ arguments: args }) => args),
			['{"page":3}'],
		);
		const failures = told.filter(({ name }) => name === 'debug/didFail');
		assert.equal(failures.length, 1);
		assert.match(JSON.stringify(failures[0]), /no \\"page\\"/);
		rig.host.debug.close('The test is over.');
	});

	it('stops and goes out however deeply its arguments are nested, with other ones, too', async () => {
		let deep: unknown = 1;
		for (let level = 0; level < 10_000; level++) deep = [{ a: deep }];
		const { rig, debug, stops, told, resume } = debugged({
			answer(transport, message) {
				if (message['method'] !== 'tools/call') echo(transport, message);
				else transport.say({ jsonrpc: '2.0', id: message['id'], result: { content: [] } });
			},
		});
		debug.set({
			breakpoints: [
				{ id: 'b1', tool: '*' },
				{ id: 'b2', tool: '*', condition: 'arguments.size() == 1' },
			],
			rules: ['duplicate-execution', 'default-scope-query', 'compaction-mid-call'],
			onToolError: false,
		});
		const agent = await rig.initialized();
		agent.ask('tools/list');
		await settled();
		const call = agent.call('fail', { arguments: { deep } });
		await settled();
		assert.equal(stops.length, 1);
		assert.match(
			told.flatMap(({ name, value }) => (name === 'debug/didFail' ? [JSON.stringify(value)] : [])).join(),
			/^\{"breakpointId":"b2","message":"[^"\\]*\\"arguments\.size\(\) == 1\\": [\w ]* nested too deeply to be looked at\."\}$/,
		);
		const args = stops[0]?.arguments ?? '';
		assert.ok(args.startsWith('{"deep":[{"a":[{"a":') && args.length > 70_000);
		await resume(0, { then: 'run', action: 'edit-arguments', arguments: `{"more":1,${args.slice(1)}` });
		assert.ok(rig.last.raw.at(-1)?.includes(`"arguments":{"more":1,${args.slice(1)}`));
		assert.notEqual(call.answer, undefined);
	});

	it('goes out with the arguments that somebody has put in, which have to fit the schema', async () => {
		const { rig, debug, stops, resume } = debugged();
		set(debug, { tool: 'files/query' });
		const agent = await rig.initialized();
		agent.ask('tools/list');
		await settled();
		const call = agent.call('query', { arguments: { page: 3 }, _meta: { big: 1 } });
		await settled();
		const { stopId, isRepeatable } = stops[0]!;
		assert.equal(isRepeatable, false);
		const edit = (args: string) => () =>
			debug.resume(stopId, { then: 'run', action: 'edit-arguments', arguments: args });
		assert.throws(edit('{"page":"x"}'), /at \$\.page, it has to be of type integer; it is string/);
		assert.throws(edit('{"page":1,"pgae":2}'), /at \$\.pgae, no such argument is known/);
		assert.throws(edit('{}'), /at \$, "page" is missing/);
		assert.throws(edit('[1]'), /one JSON object/);
		assert.throws(edit('{"page":'), /not JSON/);
		assert.equal(rig.host.status().calls[0]?.state, 'held');
		await resume(0, { then: 'run', action: 'edit-arguments', arguments: '{"page": 12345678901234567890}' });
		assert.match(rig.last.raw.at(-1) ?? '', /"arguments":\{"page": 12345678901234567890\}/);
		assert.match(rig.last.raw.at(-1) ?? '', /"big":1/);
		assert.notEqual(call.answer, undefined);
	});

	it('is answered by hand and never made', async () => {
		const { rig, debug, resume } = debugged();
		set(debug, { tool: '*' });
		const agent = await rig.initialized();
		const call = agent.call('query', { arguments: { page: 3 } });
		await settled();
		await resume(0, { then: 'run', action: 'answer', result: 'nothing there', isError: false });
		assert.equal(textOf(call.answer), 'nothing there');
		assert.equal(rig.last.requests('tools/call').length, 0);
		assert.partialDeepStrictEqual(
			rig.records.findLast(({ name }) => name === 'callEnded'),
			{ ending: 'completed' },
		);
	});

	it('waits with its result, which can be changed', async () => {
		const { rig, debug, stops, resume } = debugged();
		set(debug, { tool: 'files/query', at: 'after', condition: 'result.content[0].text.contains("3")' });
		const agent = await rig.initialized();
		const call = agent.call('query', { arguments: { page: 3 } });
		await settled();
		assert.partialDeepStrictEqual(stops[0], { at: 'after', isError: false, canEdit: true, canAnswer: false });
		assert.match(stops[0]?.result ?? '', /"content"/);
		assert.equal(call.answers.length, 0);
		assert.equal(rig.host.status().calls[0]?.state, 'held');
		const result = '{"content":[{"type":"text","text":"four"}]}';
		await resume(0, { then: 'run', action: 'edit-result', result });
		assert.equal(textOf(call.answer), 'four');
		assert.equal(call.answers.length, 1);
	});

	it('is made again, and waits with its new result', async () => {
		const { rig, debug, stops, resume } = debugged();
		set(debug, { tool: 'files/query', at: 'after', hitCondition: '1' });
		const agent = await rig.initialized();
		const call = agent.call('query', { arguments: { page: 3 } });
		await settled();
		await resume(0, { then: 'run', action: 'repeat' });
		assert.equal(rig.last.requests('tools/call').length, 2);
		assert.match(stops[1]?.description ?? '', /made again/);
		assert.equal(call.answers.length, 0);
		await resume(1, run);
		assert.equal(call.answers.length, 1);
	});

	it('is in flight at its server too where its hook holds it', async () => {
		const { rig, debug, stops, resume } = debugged();
		set(debug, { tool: 'files/*' });
		await rig.initialized();
		const body = {
			...{ session_id: 's', prompt_id: 'p', hook_event_name: 'PreToolUse', tool_use_id: 't1' },
			...{ tool_name: 'mcp__files__query', mcp_server: { name: 'files' }, tool_input: {} },
		};
		rig.host.hook('claude-code', new TextEncoder().encode(JSON.stringify(body)), {
			holdMs: 60_000,
			source: undefined,
		});
		assert.equal(stops.length, 1);
		const { calls, servers, sessions } = rig.host.status();
		for (const { name, inFlight, queued } of servers)
			assert.equal(calls.filter(({ server }) => server === name).length, inFlight + queued, name);
		assert.equal(calls.length, 1);
		assert.deepEqual(sessions, [{ id: 'claude-code:s', agents: 1, inFlight: 1 }]);
		await resume(0, run);
		assert.ok(rig.host.status().servers.every(({ inFlight }) => inFlight === 0));
	});

	it('waits where its result is an error', async () => {
		const { rig, debug, stops, resume } = debugged();
		debug.set({ breakpoints: [], rules: [], onToolError: true });
		const agent = await rig.initialized();
		const good = agent.call('query', { arguments: { page: 1 } });
		const bad = agent.call('fail');
		await settled();
		assert.equal(good.answers.length, 1);
		assert.partialDeepStrictEqual(stops, [{ reason: 'error', tool: 'fail', isError: true }]);
		await resume(0, run);
		assert.equal(bad.answers.length, 1);
	});

	it('waits where its server has died, and tells its agent only then', async () => {
		const { rig, debug, stops, resume } = debugged({ answer: answerHandshake });
		debug.set({ breakpoints: [], rules: [], onToolError: true });
		const agent = await rig.initialized();
		const call = agent.call('query');
		await settled();
		rig.last.die();
		await rig.pass(1_000);
		rig.last.die();
		await rig.pass(30_000);
		assert.equal(call.answers.length, 0);
		assert.match(stops[0]?.result ?? '', /outcome-unknown/);
		await resume(0, run);
		assert.equal(call.failure, 'outcome-unknown');
	});

	it('is no reason for its server to be slow', async () => {
		const { rig, debug, resume } = debugged({ limits: { callMs: 1_000 } });
		set(debug, { tool: '*' });
		const agent = await rig.initialized();
		const call = agent.call('query', { arguments: { page: 1 } });
		await rig.pass(40_000);
		assert.equal(call.answers.length, 0);
		await resume(0, run);
		assert.equal(textOf(call.answer), '{"page":1}');
		assert.equal(rig.host.status().servers[0]?.p99Ms, 0);
	});

	it('is let go before its client would give it up', async () => {
		const { rig, debug, stops, told } = debugged();
		set(debug, { tool: '*' });
		const agent = await rig.initialized();
		const call = agent.call('query', { arguments: { page: 1 } });
		await settled();
		assert.equal((stops[0]?.heldUntil ?? 0) - (stops[0]?.heldSince ?? 0), 54_000);
		await rig.pass(53_000);
		assert.equal(call.answers.length, 0);
		await rig.pass(2_000);
		assert.equal(call.answers.length, 1);
		assert.match(JSON.stringify(told.at(-1)), /time was up/);
	});

	it('is not held with its result when its client is about to give it up', async () => {
		const { rig, debug, stops, told } = debugged({ answer: answerHandshake });
		set(debug, { tool: '*', at: 'after' });
		const agent = await rig.initialized();
		const call = agent.call('query', { arguments: { page: 1 } });
		await rig.pass(58_000);
		const [sent] = rig.last.requests('tools/call');
		rig.last.say({ jsonrpc: '2.0', id: sent?.['id'], result: { content: [] } });
		await settled();
		assert.equal(call.answers.length, 1);
		assert.equal(stops.length, 0);
		assert.match(JSON.stringify(told), /was not stopped/);
	});

	it('is kept alive with progress for a client that counts it', async () => {
		const { rig, debug, stops, resume } = debugged();
		set(debug, { tool: '*' });
		const agent = rig.agent();
		agent.ask('initialize', {
			protocolVersion: '2025-06-18',
			capabilities: {},
			clientInfo: { name: 'claude-code', version: '2' },
		});
		await settled();
		const call = agent.call('query', { arguments: { page: 1 }, _meta: { progressToken: 'p1' } });
		await settled();
		assert.equal(stops[0]?.heldUntil, null);
		await rig.pass(65_000);
		const progress = call.heard.map(({ params }) => params as { progressToken: string; progress: number });
		assert.equal(progress.length, 6);
		assert.ok(progress.every(({ progressToken }) => progressToken === 'p1'));
		assert.ok(progress.every((one, index) => index === 0 || one.progress > progress[index - 1]!.progress));
		await resume(0, run);
		await rig.pass(30_000);
		assert.equal(call.heard.length, 6);
		assert.equal(call.answers.length, 1);
	});

	it('ends when its agent cancels it', async () => {
		const { rig, debug, told } = debugged();
		set(debug, { tool: '*' });
		const agent = await rig.initialized();
		const call = agent.call('query', { arguments: { page: 1 } });
		await settled();
		agent.tell({
			jsonrpc: '2.0',
			method: 'notifications/cancelled',
			params: { requestId: call.id, reason: 'enough' },
		});
		await settled();
		assert.deepEqual(debug.held(), []);
		assert.deepEqual(told.at(-1)?.name, 'debug/didResume');
		assert.match(JSON.stringify(told.at(-1)), /enough/);
		assert.equal(call.answers.length, 0);
		assert.equal(rig.last.requests('tools/call').length, 0);
		assert.deepEqual(rig.host.status().calls, []);
	});

	it('ends when its agent goes, with its result too', async () => {
		const { rig, debug } = debugged();
		set(debug, { tool: '*', at: 'after' });
		const agent = await rig.initialized();
		agent.call('query', { arguments: { page: 1 } });
		await settled();
		assert.equal(debug.held().length, 1);
		agent.endpoint.close();
		await settled();
		assert.deepEqual(debug.held(), []);
		assert.deepEqual(rig.host.activity, { calls: 0, agents: 0 });
	});

	it('goes on over another connection when its server was started anew meanwhile', async () => {
		const { rig, debug, resume } = debugged();
		set(debug, { tool: '*' });
		const agent = await rig.initialized();
		const call = agent.call('query', { arguments: { page: 1 } });
		await settled();
		const reconnected = rig.host.reconnect('files');
		await rig.pass(1_000);
		await reconnected;
		assert.equal(rig.transports.length, 2);
		rig.last.die();
		await rig.pass(5_000);
		await resume(0, run);
		await rig.pass(5_000);
		assert.equal(textOf(call.answer), '{"page":1}');
	});

	it('is told when the host closes that it was not made', async () => {
		const { rig, debug } = debugged();
		set(debug, { tool: 'files/query' }, { tool: 'files/fail', at: 'after' });
		const agent = await rig.initialized();
		const before = agent.call('query', { arguments: { page: 1 } });
		const after = agent.call('fail');
		await settled();
		await rig.host.close();
		assert.equal(before.failure, 'server-unavailable');
		assert.match(JSON.stringify(before.answer), /has not been made/);
		assert.equal(textOf(after.answer), '{}');
	});

	it('is one of 64, and each goes on in its turn', async () => {
		const { rig, debug, stops } = debugged();
		set(debug, { tool: '*', condition: 'arguments.page >= 0' });
		const answered: number[] = [];
		const agents = await Promise.all(
			Array.from({ length: 64 }, (_, index) =>
				rig.initialized({}, { ...nobodyKnown, sessionId: sessionId('test', String(index)) }),
			),
		);
		const calls = agents.map((agent, page) => agent.call('query', { arguments: { page } }));
		await settled();
		assert.equal(stops.length, 64);
		assert.equal(debug.held().length, 64);
		assert.equal(rig.host.activity.calls, 64);
		for (const { stopId } of stops) debug.resume(stopId, run);
		await settled();
		for (const sent of rig.last.requests('tools/call'))
			answered.push((sent['params'] as { arguments: { page: number } }).arguments.page);
		assert.deepEqual(
			answered,
			Array.from({ length: 64 }, (_, index) => index),
		);
		assert.ok(calls.every(({ answers }) => answers.length === 1));
		assert.equal(rig.host.activity.calls, 0);
	});

	it('goes on when its debugger has gone, and nothing stops any more', async () => {
		const { rig, debug, stops } = debugged();
		set(debug, { tool: '*' });
		const agent = await rig.initialized();
		const calls = [1, 2, 3].map((page) => agent.call('query', { arguments: { page } }));
		await settled();
		assert.equal(stops.length, 3);
		debug.dispose();
		calls.push(agent.call('query', { arguments: { page: 4 } }));
		await settled();
		assert.deepEqual(
			calls.map(({ answer }) => textOf(answer)),
			[1, 2, 3, 4].map((page) => `{"page":${page}}`),
		);
		assert.equal(rig.host.debug.isActive, false);
	});
});
