/* oxlint-disable unicorn/no-thenable -- what a debugger does then is a word, which nobody awaits */

// Whatever people, agents, servers and debuggers do in whatever order: each call that somebody waits for has one answer, and nothing is
// left that is held.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { HeldCall, Resumption } from '../../../src/core/debug/index.ts';
import { ExpectedError } from '../../../src/core/base/errors.ts';
import type { DebuggerConnection } from '../../../src/core/host/debug/debugGate.ts';
import { answerHandshake, createRig, settled } from '../rig.ts';
import type { FakeAgent, FakeCall, FakeTransport, Json } from '../rig.ts';

type Action =
	| { readonly kind: 'call'; readonly agent: number; readonly tool: string }
	| { readonly kind: 'resume'; readonly stop: number; readonly how: Resumption }
	| { readonly kind: 'cancel' | 'cancel-by-hand'; readonly call: number }
	| { readonly kind: 'pause'; readonly undo: boolean }
	| { readonly kind: 'leave'; readonly agent: number }
	| { readonly kind: 'attach' | 'detach' | 'die' | 'reconnect' | 'silence' | 'voice' }
	| { readonly kind: 'pass'; readonly milliseconds: number };

const small = fc.nat({ max: 5 });
const then = fc.constantFrom('run' as const, 'step-over' as const, 'step-in' as const, 'step-out' as const);
const how: fc.Arbitrary<Resumption> = fc.oneof(
	fc.record({ then, action: fc.constant('continue' as const) }),
	fc.record({ then, action: fc.constant('edit-arguments' as const), arguments: fc.constant('{"edited":true}') }),
	fc.record({ then, action: fc.constant('edit-result' as const), result: fc.constant('by hand') }),
	fc.record({
		then,
		action: fc.constant('answer' as const),
		result: fc.constant('by hand'),
		isError: fc.boolean(),
	}),
	fc.record({ then, action: fc.constant('repeat' as const) }),
);
const action: fc.Arbitrary<Action> = fc.oneof(
	{
		weight: 6,
		arbitrary: fc.record({
			kind: fc.constant('call' as const),
			agent: fc.nat({ max: 2 }),
			tool: fc.constantFrom('both', 'before', 'after', 'fail', 'free'),
		}),
	},
	{ weight: 6, arbitrary: fc.record({ kind: fc.constant('resume' as const), stop: small, how }) },
	{
		weight: 2,
		arbitrary: fc.record({ kind: fc.constantFrom('cancel' as const, 'cancel-by-hand' as const), call: small }),
	},
	fc.record({ kind: fc.constant('pause' as const), undo: fc.boolean() }),
	fc.record({ kind: fc.constant('leave' as const), agent: fc.nat({ max: 2 }) }),
	fc.record({ kind: fc.constantFrom('attach', 'detach', 'die', 'reconnect', 'silence', 'voice') }),
	fc.record({ kind: fc.constant('pass' as const), milliseconds: fc.constantFrom(10, 1_000, 20_000, 60_000) }),
);

async function play(actions: readonly Action[]): Promise<void> {
	let isSilent = false;
	const silenced: (() => void)[] = [];
	const answer = (transport: FakeTransport, message: Json): void => {
		answerHandshake(transport, message);
		const { id, method } = message;
		if (method === 'tools/list') transport.say({ jsonrpc: '2.0', id, result: { tools: [{ name: 'both' }] } });
		if (method !== 'tools/call') return;
		const { name } = message['params'] as { name: string };
		const say = () => {
			if (transport.isOpen)
				transport.say({ jsonrpc: '2.0', id, result: { content: [], isError: name === 'fail' } });
		};
		if (isSilent) silenced.push(say);
		else say();
	};
	const rig = createRig({ answer, limits: { callMs: 30_000, queueMs: 30_000 } });
	const agents: FakeAgent[] = [];
	for (let count = 0; count < 3; count++) agents.push(await rig.initialized());
	const calls: { readonly agent: FakeAgent; readonly call: FakeCall; isGivenUp: boolean }[] = [];
	const gone = new Set<FakeAgent>();
	const stops: HeldCall[] = [];
	let debug: DebuggerConnection | undefined;

	for (const one of actions) {
		switch (one.kind) {
			case 'call': {
				const agent = agents[one.agent]!;
				if (gone.has(agent)) break;
				const params = { _meta: { progressToken: calls.length } };
				calls.push({ agent, call: agent.call(one.tool, params), isGivenUp: false });
				break;
			}
			case 'resume': {
				const held = debug?.held() ?? [];
				const stop = held[one.stop % Math.max(1, held.length)];
				if (stop === undefined) break;
				try {
					debug?.resume(stop.stopId, one.how);
				} catch (error) {
					// What cannot be done with this one is refused.
					if (!(error instanceof ExpectedError)) throw error;
				}
				break;
			}
			case 'cancel': {
				const made = calls[one.call % Math.max(1, calls.length)];
				if (made === undefined || gone.has(made.agent)) break;
				made.isGivenUp = true;
				const params = { requestId: made.call.id };
				made.agent.tell({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
				break;
			}
			case 'cancel-by-hand': {
				const open = rig.host.status().calls;
				const found = open[one.call % Math.max(1, open.length)];
				if (found !== undefined) rig.host.cancelCall(found.id);
				break;
			}
			case 'pause':
				debug?.pause(null, null, one.undo);
				break;
			case 'leave': {
				const agent = agents[one.agent]!;
				gone.add(agent);
				for (const made of calls) if (made.agent === agent) made.isGivenUp = true;
				agent.endpoint.close();
				break;
			}
			case 'attach':
				debug?.dispose();
				debug = rig.host.debug.attach({
					client: 'chaos',
					sessions: null,
					source: undefined,
					listener(name, value) {
						// The name says what it is.
						if (name === 'debug/didStop') stops.push(value as HeldCall);
					},
				});
				debug.set({
					breakpoints: [
						{ id: '1', tool: 'files/{both,before}' },
						{ id: '2', tool: 'files/{both,after}', at: 'after' },
					],
					rules: ['default-scope-query', 'duplicate-execution', 'compaction-mid-call'],
					onToolError: true,
				});
				break;
			case 'detach':
				debug?.dispose();
				debug = undefined;
				break;
			case 'die':
				rig.last.die();
				break;
			case 'reconnect':
				// It may not come to a connection before the end.
				rig.host.reconnect('files').catch(() => undefined);
				break;
			case 'silence':
				isSilent = true;
				break;
			case 'voice':
				isSilent = false;
				for (const say of silenced.splice(0)) say();
				break;
			case 'pass':
				await rig.pass(one.milliseconds);
		}
		await settled();
		for (const { call } of calls) assert.ok(call.answers.length <= 1, 'one answer at the most');
		const held = rig.host.status().calls.filter(({ state }) => state === 'held');
		assert.equal(held.length, debug?.held().length ?? 0, 'what the host holds is what its debugger sees');
	}
	debug?.dispose();
	await rig.pass(200_000);
	for (const { call, isGivenUp } of calls) if (!isGivenUp) assert.equal(call.answers.length, 1, 'an answer');
	assert.deepEqual(rig.host.status().calls, []);
	assert.equal(rig.host.activity.calls, 0);
	const released = new Set(rig.records.filter(({ name }) => name === 'callReleased').map(({ stopId }) => stopId));
	assert.deepEqual(
		stops.filter(({ stopId }) => !released.has(stopId)),
		[],
	);
}

describe('whatever happens while debuggers hold calls', () => {
	it('each call has one answer, and nothing stays held', async function () {
		this.timeout(300_000);
		await fc.assert(
			fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40 }), async (actions) =>
				play([{ kind: 'attach' }, ...actions]),
			),
			{ numRuns: 200 },
		);
	});
});
