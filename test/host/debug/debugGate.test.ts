/* oxlint-disable unicorn/no-thenable -- what a debugger does then is a word, which nobody awaits */

import assert from 'node:assert/strict';
import { agentId, mainAgentId, sessionId, toolUseId } from '../../../src/core/base/ids.ts';
import type { AgentId } from '../../../src/core/base/ids.ts';
import type { Breakpoint, DebugSettings, HeldCall, Resumption } from '../../../src/core/debug/index.ts';
import { createDebugGate } from '../../../src/core/host/debug/createDebugGate.ts';
import type { DebuggedTool } from '../../../src/core/host/debug/createDebugGate.ts';
import type { DebuggerConnection, DebugHost, GateCall, Hold } from '../../../src/core/host/debug/debugGate.ts';

const session = sessionId('claude-code', 's1');
const main = mainAgentId;
const helper = agentId('helper');

/** A gate, a debugger at it, and what that is told. */
interface Gated {
	readonly gate: DebugHost;
	readonly debug: DebuggerConnection;
	readonly stops: HeldCall[];
	readonly told: { readonly name: string; readonly value: unknown }[];
	/** What was recorded. */
	readonly records: { readonly name: string; readonly how?: string }[];
	readonly tools: Map<string, DebuggedTool>;
	readonly pass: (milliseconds: number) => void;
	/** The agent's hook has come, for a tool of its own or of a server (`server/tool`). */
	readonly before: (agent: AgentId | undefined, tool: string, more?: Partial<GateCall>) => Hold<unknown> | undefined;
	readonly after: (
		agent: AgentId | undefined,
		tool: string,
		more?: Partial<GateCall>,
		isError?: boolean,
	) => Hold<unknown> | undefined;
}

let lastUse = 0;

function callOf(agent: AgentId | undefined, tool: string, more: Partial<GateCall>): GateCall {
	const [server, name] = tool.includes('/') ? tool.split('/') : [undefined, tool];
	return {
		heldBy: 'hook',
		sessionId: session,
		agentId: agent,
		agentType: undefined,
		toolUseId: toolUseId(`toolu_${++lastUse}`),
		callId: undefined,
		connectionId: undefined,
		source: undefined,
		server,
		tool: name ?? '',
		agentsName: server === undefined ? undefined : `mcp__${server}__${name ?? ''}`,
		argumentsText: () => '{}',
		heldUntil: () => null,
		canEdit: true,
		canAnswer: true,
		canRepeat: false,
		...more,
	};
}

function gated(): Gated {
	let now = 1_000;
	let timers: { at: number; callback: () => void }[] = [];
	let lastId = 0;
	const records: { name: string; how?: string }[] = [];
	const tools = new Map<string, DebuggedTool>();
	const gate = createDebugGate({
		clock: {
			now: () => now,
			elapsed: () => now,
			after(milliseconds, callback) {
				const timer = { at: now + milliseconds, callback };
				timers.push(timer);
				return { dispose: () => void (timers = timers.filter((other) => other !== timer)) };
			},
		},
		newId: (prefix) => `${prefix}-${++lastId}`,
		recorder: {
			callHeld: () => void records.push({ name: 'held' }),
			callReleased: (_origin, _held, { how }) => void records.push({ name: 'released', how }),
		},
		namesOf: (server) => [server],
		toolOf: (_server, tool) => tools.get(tool),
		isThroughHost: (_sessionId, server) => server === 'through-host',
		scopeLeftOut: (_server, _tool, args) =>
			'project' in (args as object) ? null : 'The call does not say "project".',
		didChange() {},
	});
	const stops: HeldCall[] = [];
	const told: { name: string; value: unknown }[] = [];
	const debug = gate.attach({
		client: 'the test',
		sessions: null,
		source: undefined,
		listener(name, value) {
			told.push({ name, value });
			// The name says what it is.
			if (name === 'debug/didStop') stops.push(value as HeldCall);
		},
	});
	return {
		gate,
		debug,
		stops,
		told,
		records,
		tools,
		pass(milliseconds) {
			now += milliseconds;
			const due = timers.filter(({ at }) => at <= now);
			timers = timers.filter(({ at }) => at > now);
			for (const { callback } of due) callback();
		},
		before: (agent, tool, more = {}) => gate.before(callOf(agent, tool, more)),
		after: (agent, tool, more = {}, isError = false) =>
			gate.after(callOf(agent, tool, more), { text: () => '"done"', isError }),
	};
}

function set(debug: DebuggerConnection, ...breakpoints: (Partial<Breakpoint> & { tool: string })[]) {
	const settings: DebugSettings = {
		breakpoints: breakpoints.map((one, index) => ({ id: `b${index + 1}`, ...one })),
		rules: [],
		onToolError: false,
	};
	return debug.set(settings);
}

function goOn(then: Resumption['then'] = 'run'): Resumption {
	return { then, action: 'continue' };
}

describe('the gate that calls pass for a debugger', () => {
	it('lets everything through while nobody is attached', () => {
		const { gate, debug, before, after } = gated();
		set(debug, { tool: '*' });
		debug.dispose();
		assert.equal(gate.isActive, false);
		assert.equal(before(main, 'Bash'), undefined);
		assert.equal(after(main, 'Bash'), undefined);
	});

	it('finds tools by every name that they have', () => {
		const { debug, before } = gated();
		const names: [pattern: string, tool: string, type: string | undefined, isStopped: boolean][] = [
			['Bash', 'Bash', undefined, true],
			['bash', 'Bash', undefined, false],
			['B*', 'Bash', undefined, true],
			['Ba?h', 'Bash', undefined, true],
			['{Read,Bash}', 'Bash', undefined, true],
			['analytics/*', 'analytics/query', undefined, true],
			['*/query', 'analytics/query', undefined, true],
			['mcp__analytics__query', 'analytics/query', undefined, true],
			['query', 'analytics/query', undefined, false],
			['Explore:Bash', 'Bash', 'Explore', true],
			['Explore:Bash', 'Bash', 'Plan', false],
			['Explore:Bash', 'Bash', undefined, false],
			['plugin:reviewer:*', 'Bash', 'plugin:reviewer', true],
			['general-purpose:analytics/*', 'analytics/query', 'general-purpose', true],
		];
		for (const [pattern, tool, agentType, isStopped] of names) {
			set(debug, { tool: pattern });
			const hold = before(main, tool, { agentType });
			assert.equal(hold !== undefined, isStopped, `${pattern} and ${tool} of ${agentType}`);
			hold?.giveUp('enough');
		}
	});

	it('knows an agent by its id, its session and the type that somebody has told of', () => {
		const { gate, debug, before } = gated();
		set(debug, { tool: '*', agent: 'help*' });
		assert.equal(before(main, 'Bash'), undefined);
		assert.equal(before(undefined, 'Bash'), undefined);
		assert.notEqual(before(helper, 'Bash'), undefined);
		set(debug, { tool: '*', sessionId: sessionId('claude-code', 's2') });
		assert.equal(before(helper, 'Bash'), undefined);
		set(debug, { tool: 'Explore:*' });
		assert.equal(before(helper, 'Bash'), undefined);
		const facts = { sessionId: session, agentId: helper, parentId: undefined, spawnedBy: undefined };
		gate.tell({ kind: 'agent-started', agentType: 'Explore', ...facts });
		assert.notEqual(before(helper, 'Bash'), undefined);
	});

	it('knows an agent by the name that its debugger has told, in a pattern of tools and of agents', () => {
		const { debug, before, stops } = gated();
		set(debug, { tool: 'check-*:Bash', hitCondition: '2' }, { tool: 'Read', agent: '{check-payments,other}' });
		for (const tool of ['Bash', 'Read']) assert.equal(before(helper, tool), undefined);
		debug.name([{ sessionId: session, agentId: helper, name: 'check-payments' }]);
		assert.notEqual(before(helper, 'Read'), undefined);
		assert.match(stops[0]?.description ?? '', /^check-payments is about to call Read: /);
		assert.equal(before(main, 'Read'), undefined);
		assert.equal(before(helper, 'Read', { sessionId: sessionId('codex', 's2') }), undefined);
		// Hits are counted from when it is known, and on over another name.
		assert.equal(before(helper, 'Bash'), undefined);
		debug.name([{ sessionId: session, agentId: helper, name: 'check-refunds' }]);
		assert.notEqual(before(helper, 'Bash'), undefined);
		assert.equal(before(helper, 'Read'), undefined);
		set(debug, { tool: 'helper:Bash' }, { tool: 'main:Read' });
		assert.notEqual(before(helper, 'Bash'), undefined);
		assert.notEqual(before(main, 'Read'), undefined);
		assert.equal(before(main, 'Bash'), undefined);
	});

	it('tells debuggers of agents that start and end, as their hooks say', () => {
		const { gate, told } = gated();
		const helperFacts = { sessionId: session, agentId: helper, agentType: 'Explore', parentId: undefined };
		gate.tell({ kind: 'session-started', sessionId: session });
		gate.tell({ kind: 'agent-started', ...helperFacts, spawnedBy: undefined });
		gate.tell({ kind: 'agent-ended', sessionId: session, agentId: helper });
		// Told by the result of the call that has started it.
		gate.tell({ kind: 'agent-started', ...helperFacts, spawnedBy: toolUseId('t1') });
		gate.tell({ kind: 'session-ended', sessionId: session });
		assert.deepEqual(told, [
			{ name: 'debug/didStartAgent', value: { sessionId: session, agentId: main, agentType: null } },
			{ name: 'debug/didStartAgent', value: { sessionId: session, agentId: helper, agentType: 'Explore' } },
			{ name: 'debug/didEndAgent', value: { sessionId: session, agentId: helper } },
			{ name: 'debug/didEndAgent', value: { sessionId: session, agentId: null } },
		]);
	});

	it('does not stop a call on the wire that came past at its hook', () => {
		const { debug, before, after, stops } = gated();
		set(debug, { tool: 'analytics/*', hitCondition: '>= 1' }, { tool: 'analytics/*', at: 'after' });
		const toolUse = toolUseId('toolu_joined');
		const wire = { heldBy: 'wire', toolUseId: toolUse, callId: 'call-1', connectionId: 'agent-1' } as const;
		before(main, 'analytics/query', { toolUseId: toolUse })?.giveUp('let through');
		assert.equal(before(main, 'analytics/query', wire), undefined);
		assert.equal(before(undefined, 'analytics/query', { ...wire, sessionId: undefined }), undefined);
		assert.notEqual(after(main, 'analytics/query', wire), undefined);
		assert.equal(after(main, 'analytics/query', { toolUseId: toolUse }), undefined);
		assert.equal(stops.length, 2);
		// The same id in another session is another call.
		assert.notEqual(before(main, 'analytics/query', { ...wire, sessionId: sessionId('codex', 's9') }), undefined);
	});

	it('gives the answer that was typed at a hook to the call on the wire, where it is known to come there', async () => {
		const { gate, debug, stops, before } = gated();
		set(debug, { tool: '*' });
		const answer = { then: 'run', action: 'answer', result: 'by hand', isError: false } as const;
		const toolUse = toolUseId('toolu_both');
		const wire = { heldBy: 'wire', toolUseId: toolUse, callId: 'call-1', connectionId: 'agent-1' } as const;
		const result = '{"content":[{"type":"text","text":"by hand"}],"isError":false}';

		const elsewhere = before(main, 'elsewhere/query', { toolUseId: toolUseId('toolu_1') });
		debug.resume(stops.at(-1)?.stopId ?? '', answer);
		assert.deepEqual(await elsewhere?.passage, { action: 'answer', result, isError: false });

		const through = before(main, 'through-host/query', { toolUseId: toolUse });
		debug.resume(stops.at(-1)?.stopId ?? '', answer);
		assert.deepEqual(await through?.passage, { action: 'continue' });
		// Who has answered need not be there any more; the call was answered all the same.
		debug.dispose();
		assert.equal(gate.isActive, true);
		const other = { ...wire, sessionId: sessionId('claude-code', 'another') };
		assert.equal(before(main, 'through-host/query', other), undefined);
		const held = before(main, 'through-host/query', wire);
		assert.deepEqual(await held?.passage, { action: 'answer', result, isError: false });
		assert.equal(gate.isActive, false);
		assert.equal(before(main, 'through-host/query', wire), undefined);
	});

	it('refuses a result that cannot be put in the place of the call’s own', () => {
		const { debug, stops, after } = gated();
		set(debug, { tool: '*', at: 'after' });
		after(main, 'Glob', { resultProblem: (result) => (result === '"good"' ? undefined : 'That is none.') });
		const edit = (result: string) =>
			debug.resume(stops[0]?.stopId ?? '', { then: 'run', action: 'edit-result', result });
		assert.throws(() => edit('bad'), /^ExpectedError: That is none\.$/);
		edit('good');
	});

	it('counts hits, stops for a hit condition and says what a log point says', () => {
		const { debug, before, told, stops } = gated();
		set(
			debug,
			{ tool: 'Read', hitCondition: '% 2' },
			{ tool: 'Bash', logMessage: '{agent.id} ran {arguments.command}: {hits}' },
		);
		for (let count = 0; count < 4; count++) before(main, 'Read')?.giveUp('enough');
		assert.equal(stops.length, 2);
		before(main, 'Bash', { argumentsText: () => '{"command":"ls"}' });
		before(main, 'Bash', { argumentsText: () => '{}' });
		const logs = told.filter(({ name }) => name === 'debug/didLog').map(({ value }) => value as { text: string });
		assert.equal(logs[0]?.text, 'main ran ls: 1');
		assert.match(logs[1]?.text ?? '', /^main ran \{.*no "command".*\}: 2$/);
		assert.partialDeepStrictEqual(logs[0], { breakpointId: 'b2', sessionId: session, agentId: main });
	});

	it('keeps the hits of a breakpoint that stays', () => {
		const { debug, before } = gated();
		const breakpoint = { tool: 'Bash', hitCondition: '3' };
		set(debug, breakpoint);
		assert.equal(before(main, 'Bash'), undefined);
		set(debug, breakpoint, { tool: 'Read' });
		assert.equal(before(main, 'Bash'), undefined);
		set(debug, breakpoint);
		assert.notEqual(before(main, 'Bash'), undefined);
	});

	it('says what is wrong with a breakpoint, and heeds the others', () => {
		const { debug, before } = gated();
		const statuses = set(
			debug,
			{ tool: 'Bash', condition: 'arguments.page >' },
			{ tool: 'Bash', condition: 'page > 2' },
			{ tool: 'Bash', hitCondition: 'often' },
			{ tool: '{Bash' },
			{ tool: ' ' },
			{ tool: 'Bash', logMessage: 'page {arguments.page' },
			{ tool: 'Read' },
		);
		assert.deepEqual(
			statuses.map(({ message }) => message),
			[
				'"arguments.page >", column 17: Unexpected token: EOF.',
				'"page > 2", column 1: Unknown variable: page.',
				'"often" is no hit condition: write a number, or one behind ==, >, >=, <, <= or %.',
				'"{Bash" is no pattern: a "{" has no "}" behind it.',
				'A breakpoint needs the name of a tool, for example "analytics/query", "Bash" or "*".',
				'The log message has a "{" without a "}": write {{ for a brace.',
				undefined,
			],
		);
		assert.equal(before(main, 'Bash'), undefined);
		assert.notEqual(before(main, 'Read'), undefined);
	});

	it('says once that a condition fails, and does not stop', () => {
		const { debug, before, told } = gated();
		set(debug, { tool: '*', condition: 'arguments.page > 2' }, { tool: '*', condition: 'arguments.size() + 1' });
		for (let count = 0; count < 3; count++) assert.equal(before(main, 'Bash'), undefined);
		assert.deepEqual(
			told.map(({ name, value }) => [name, (value as { breakpointId: string }).breakpointId]),
			[
				['debug/didFail', 'b1'],
				['debug/didFail', 'b2'],
			],
		);
		assert.match(JSON.stringify(told[1]), /neither true nor false/);
	});

	it('steps over: to the result, or to the next call of the same agent', () => {
		const { debug, before, after, stops } = gated();
		set(debug, { tool: 'Edit' });
		before(main, 'Edit');
		debug.resume(stops[0]!.stopId, goOn('step-over'));
		assert.equal(before(helper, 'Bash'), undefined);
		assert.notEqual(after(main, 'Edit'), undefined);
		assert.equal(stops[1]?.reason, 'step');
		debug.resume(stops[1].stopId, goOn('step-over'));
		assert.equal(after(helper, 'Bash'), undefined);
		assert.notEqual(before(main, 'Read'), undefined);
		debug.resume(stops[2]!.stopId, goOn());
		assert.equal(after(main, 'Read'), undefined);
		assert.equal(before(main, 'Read'), undefined);
	});

	it('steps into the agent that a call starts', () => {
		const { gate, debug, before, after, stops } = gated();
		const other = agentId('other');
		set(debug, { tool: 'Agent' });
		const toolUse = toolUseId('toolu_spawn');
		before(main, 'Agent', { toolUseId: toolUse, argumentsText: () => '{"subagent_type":"Explore"}' });
		debug.resume(stops[0]!.stopId, goOn('step-in'));
		assert.equal(after(main, 'Agent', { toolUseId: toolUse }), undefined);
		const started = (agent: AgentId, agentType: string, spawnedBy = undefined as typeof toolUse | undefined) =>
			gate.tell({
				kind: 'agent-started',
				sessionId: session,
				agentId: agent,
				agentType,
				parentId: main,
				spawnedBy,
			});
		started(other, 'Plan');
		started(helper, 'Explore', toolUse);
		assert.equal(before(other, 'Bash'), undefined);
		assert.equal(before(main, 'Bash'), undefined);
		assert.notEqual(before(helper, 'Bash'), undefined);
		assert.match(stops[1]?.description ?? '', /a step into it/);
	});

	it('steps into the right one of several agents that start at once', () => {
		const { gate, debug, before, stops } = gated();
		const other = agentId('other');
		set(debug, { tool: 'Agent', hitCondition: '1' });
		const toolUse = toolUseId('toolu_second');
		before(main, 'Agent', { toolUseId: toolUse });
		debug.resume(stops[0]!.stopId, goOn('step-in'));
		const started = { kind: 'agent-started', sessionId: session, agentType: 'Explore' } as const;
		gate.tell({ ...started, agentId: other, parentId: undefined, spawnedBy: undefined });
		gate.tell({ ...started, agentId: helper, parentId: undefined, spawnedBy: undefined });
		gate.tell({ ...started, agentId: other, parentId: main, spawnedBy: toolUseId('toolu_first') });
		gate.tell({ ...started, agentId: helper, parentId: main, spawnedBy: toolUse });
		assert.equal(before(other, 'Bash'), undefined);
		assert.notEqual(before(helper, 'Bash'), undefined);
	});

	it('steps out to the parent, when the subagent has ended', () => {
		const { gate, debug, before, stops } = gated();
		const parent = agentId('parent');
		gate.tell({
			kind: 'agent-started',
			sessionId: session,
			agentId: helper,
			agentType: undefined,
			parentId: parent,
			spawnedBy: undefined,
		});
		set(debug, { tool: 'Edit' });
		before(helper, 'Edit');
		debug.resume(stops[0]!.stopId, goOn('step-out'));
		assert.equal(before(helper, 'Bash'), undefined);
		assert.equal(before(parent, 'Bash'), undefined);
		gate.tell({ kind: 'agent-ended', sessionId: session, agentId: helper });
		assert.equal(before(main, 'Bash'), undefined);
		assert.notEqual(before(parent, 'Bash'), undefined);
	});

	it('pauses one agent, or each agent once', () => {
		const { debug, before, stops } = gated();
		debug.pause(session, helper, false);
		assert.equal(before(main, 'Bash'), undefined);
		assert.notEqual(before(helper, 'Bash'), undefined);
		assert.equal(before(helper, 'Bash'), undefined);
		debug.pause(null, null, false);
		assert.notEqual(before(main, 'Bash'), undefined);
		assert.notEqual(before(helper, 'Bash'), undefined);
		assert.equal(before(main, 'Bash'), undefined);
		assert.ok(stops.every(({ reason }) => reason === 'pause'));
		debug.pause(session, null, false);
		debug.pause(null, null, true);
		assert.equal(before(agentId('new'), 'Bash'), undefined);
	});

	it('stops on an error of any tool', () => {
		const { debug, after, stops } = gated();
		debug.set({ breakpoints: [{ id: 'b1', tool: 'Read', at: 'error' }], rules: [], onToolError: true });
		assert.equal(after(main, 'Bash'), undefined);
		after(main, 'Bash', {}, true);
		after(main, 'Read', {}, true);
		assert.deepEqual(
			stops.map(({ reason, breakpointIds }) => [reason, ...breakpointIds]),
			[['error'], ['breakpoint', 'b1']],
		);
	});

	it('stops where a rule would find something, and only where that is known', () => {
		const { gate, debug, before, after, stops, tools, pass } = gated();
		const statuses = debug.set({
			breakpoints: [],
			rules: ['default-scope-query', 'duplicate-execution', 'compaction-mid-call', 'lost-update'],
			onToolError: false,
		});
		assert.deepEqual(
			statuses.map(({ id, isVerified }) => [id, isVerified]),
			[['lost-update', false]],
		);
		const everywhere = { argumentsText: () => '{"project":"x"}' };
		assert.equal(before(main, 'a/list', everywhere), undefined);
		before(main, 'a/list')?.giveUp('seen');
		assert.equal(stops.at(-1)?.ruleId, 'default-scope-query');

		// Nobody knows whether `pay` may be made twice.
		const lost = { text: () => '{}', isError: true, isOutcomeUnknown: true };
		const pay = (more: Partial<GateCall> = {}, agent = main) => {
			const call = callOf(agent, 'bank/pay', { ...everywhere, ...more });
			const hold = gate.before(call);
			hold?.giveUp('seen');
			gate.after(call, lost);
			return hold !== undefined;
		};
		assert.equal(pay() || pay(), false);
		tools.set('pay', { inputSchema: undefined, isRepeatable: false });
		assert.equal(pay(), false);
		assert.equal(pay(), true);
		assert.equal(stops.at(-1)?.ruleId, 'duplicate-execution');
		assert.equal(pay({}, helper), false);
		assert.equal(pay({ argumentsText: () => '{"project":"y"}' }), false);
		const keyed = { argumentsText: () => '{"project":"x","idempotency_key":"k"}' };
		assert.equal(pay(keyed) || pay(keyed), false);
		pass(11 * 60_000);
		assert.equal(pay(), false);
		// It has looked.
		tools.set('balance', { inputSchema: undefined, isRepeatable: true });
		after(main, 'bank/balance');
		assert.equal(pay(), false);
		// What has an answer, or was cancelled, is known.
		after(main, 'bank/balance');
		const known = callOf(main, 'bank/pay', everywhere);
		gate.before(known);
		gate.gone(known);
		assert.equal(gate.before(known), undefined);
		gate.after(known, { text: () => '{}', isError: false });
		assert.equal(pay(), false);

		const compaction = { sessionId: session, agentId: helper } as const;
		const out = toolUseId('toolu_out');
		assert.equal(before(helper, 'Read', { toolUseId: out }), undefined);
		gate.tell({ kind: 'compaction-began', ...compaction });
		assert.equal(before(main, 'Read'), undefined);
		before(helper, 'Read')?.giveUp('seen');
		assert.equal(stops.at(-1)?.ruleId, 'compaction-mid-call');
		gate.tell({ kind: 'compaction-ended', ...compaction });
		assert.equal(before(helper, 'Read'), undefined);
		after(helper, 'Read', { toolUseId: out })?.giveUp('seen');
		assert.partialDeepStrictEqual(stops.at(-1), { ruleId: 'compaction-mid-call', at: 'after' });
		// A session that ends in the middle of one, and is taken up again.
		gate.tell({ kind: 'compaction-began', ...compaction });
		gate.tell({ kind: 'session-ended', sessionId: session });
		assert.equal(before(helper, 'Read'), undefined);
	});

	it('lets go before the time is up, and holds for longer than a timer can', async () => {
		const { debug, before, stops, told, records, pass } = gated();
		set(debug, { tool: '*' });
		const hold = before(main, 'Bash', { heldUntil: () => 61_000 });
		assert.equal(stops[0]?.heldUntil, 61_000);
		pass(59_000);
		assert.equal(debug.held().length, 1);
		pass(1_000);
		assert.deepEqual(await hold?.passage, { action: 'continue' });
		assert.match(JSON.stringify(told.at(-1)), /time was up/);
		assert.deepEqual(records.at(-1), { name: 'released', how: 'time-up' });
		before(main, 'Bash', { heldUntil: () => 61_000 + 3_000_000_000 });
		pass(2_000_000_000);
		assert.equal(debug.held().length, 1);
		pass(1_000_000_000);
		assert.equal(debug.held().length, 0);
	});

	it('tells a person what cannot be done with a held call', () => {
		const { debug, before, after, stops } = gated();
		set(debug, { tool: '*' }, { tool: '*', at: 'after' });
		before(main, 'Bash', { canEdit: false, canAnswer: false });
		after(main, 'Bash', { canEdit: false });
		const [first, second] = stops.map(({ stopId }) => stopId);
		const refused = (stopId: string, how: object, expected: RegExp) =>
			assert.throws(() => debug.resume(stopId, { then: 'run', ...how } as Resumption), expected);
		refused(first!, { action: 'edit-arguments', arguments: '{}' }, /cannot be changed where it is held/);
		refused(first!, { action: 'answer', result: 'x', isError: false }, /cannot be answered by hand/);
		refused(first!, { action: 'edit-result', result: 'x' }, /no result yet/);
		refused(first!, { action: 'repeat' }, /has not been made yet/);
		refused(second!, { action: 'edit-arguments', arguments: '{}' }, /has been made/);
		refused(second!, { action: 'edit-result', result: 'x' }, /cannot be changed where it is held/);
		refused(second!, { action: 'repeat' }, /Only its agent/);
		refused('stop-99', { action: 'continue' }, /not held any more/);
		assert.equal(debug.held().length, 2);
	});

	it('shows no more of a call than a person could look at', () => {
		const { gate, debug, stops } = gated();
		set(debug, { tool: '*', at: 'after' });
		const text = () => JSON.stringify('x'.repeat(9 * 1024 * 1024));
		assert.notEqual(gate.after(callOf(main, 'Bash', {}), { text, isError: false }), undefined);
		assert.partialDeepStrictEqual(stops[0], {
			result: '"(9437186 characters, which are too many to be shown or changed)"',
			canEdit: false,
		});
		debug.resume(stops[0]!.stopId, goOn());
	});

	it('lets one debugger stop a session, and others look on', () => {
		const { gate, debug, before, stops } = gated();
		set(debug, { tool: '*' });
		const seen: string[] = [];
		const second = gate.attach({
			client: 'a window',
			sessions: [session],
			source: undefined,
			listener: (name) => void seen.push(name),
		});
		assert.equal(second.isReadOnly, true);
		assert.equal(second.reason, 'the test is debugging already; a window can look on, and stops nothing.');
		before(main, 'Bash');
		assert.deepEqual(seen, ['debug/didStop']);
		assert.deepEqual(second.held(), debug.held());
		const { stopId } = stops[0]!;
		assert.throws(() => second.resume(stopId, goOn()), /can look on/);
		assert.throws(() => second.pause(null, null, false), /can look on/);
		assert.throws(() => set(second, { tool: '*' }), /can look on/);
		second.dispose();
		assert.equal(debug.held().length, 1);
		debug.dispose();
		assert.throws(() => debug.resume(stopId, goOn()), /not attached any more/);
	});

	it('gives the sessions of a debugger that goes to the one that has waited longest, once what was held has gone on', () => {
		const { gate, debug, before, records } = gated();
		set(debug, { tool: '*' });
		const heard: string[] = [];
		const attach = (client: string, sessions: readonly (typeof session)[] | null) =>
			gate.attach({
				client,
				sessions,
				source: undefined,
				listener: (name, value) => void heard.push(`${client} ${name} ${JSON.stringify(value)}`),
			});
		const all = attach('one of all', null);
		const same = attach('one of the same', [session]);
		const other = attach('one of another', [sessionId('codex', 's2')]);
		before(main, 'Bash');
		heard.length = 0;
		// One that only looks on leaves nothing to anybody.
		attach('nobody', null).dispose();
		assert.equal(heard.length, 0);
		debug.dispose();
		assert.deepEqual(records.at(-1), { name: 'released', how: 'debugger-gone' });
		assert.deepEqual(
			heard.filter((line) => line.includes('didTakeOver')),
			['one of all debug/didTakeOver {"from":"the test"}'],
		);
		assert.match(heard.at(-1) ?? '', /^one of all debug\/didTakeOver/);
		assert.deepEqual([all.isReadOnly, same.isReadOnly, other.isReadOnly], [false, true, true]);
		assert.equal(same.reason, 'one of all is debugging already; one of the same can look on, and stops nothing.');
		// Nothing was set by it yet.
		assert.equal(before(main, 'Bash'), undefined);
		set(all, { tool: '*' });
		assert.notEqual(before(main, 'Bash'), undefined);
		heard.length = 0;
		all.dispose();
		// Both can have theirs: they have no session in common.
		assert.deepEqual(
			heard.filter((line) => line.includes('didTakeOver')).map((line) => line.split(' debug/')[0]),
			['one of the same', 'one of another'],
		);
		assert.deepEqual([same.isReadOnly, other.isReadOnly], [false, false]);
		gate.close('The host is closing.');
	});

	it('keeps debuggers of different sessions apart', () => {
		const { gate, debug } = gated();
		debug.dispose();
		const other = sessionId('codex', 's2');
		const told: string[] = [];
		const attach = (client: string, sessions: readonly (typeof session)[]) =>
			gate.attach({
				client,
				sessions,
				source: undefined,
				listener: (name) => void told.push(`${client} ${name}`),
			});
		const one = attach('one', [session]);
		const two = attach('two', [other]);
		assert.equal(two.isReadOnly, false);
		set(one, { tool: '*' });
		assert.notEqual(gate.before(callOf(main, 'Bash', {})), undefined);
		assert.equal(gate.before(callOf(main, 'Bash', { sessionId: other })), undefined);
		assert.equal(gate.before(callOf(main, 'Bash', { sessionId: undefined })), undefined);
		assert.deepEqual(told, ['one debug/didStop']);
		assert.equal(two.held().length, 0);
	});

	it('watches of a run what has come with it, in whatever sessions, and nothing else', () => {
		const { gate, debug } = gated();
		debug.dispose();
		const codex = sessionId('codex', 's2');
		const later = sessionId('codex', 's3');
		const told: string[] = [];
		const run = gate.attach({
			client: 'a run',
			sessions: [],
			source: 'run-1',
			listener: (name, value) =>
				void told.push(`${name} ${'sessionId' in value ? String(value.sessionId) : ''}`.trim()),
		});
		assert.equal(run.isReadOnly, false);
		set(run, { tool: '*' });
		const stops = (more: Partial<GateCall>) => gate.before(callOf(main, 'Bash', more)) !== undefined;
		const wire = { heldBy: 'wire', callId: 'call-1', connectionId: 'agent-1' } as const;
		// Others, before and after the run has said which its session is; another process may even go on with the same one.
		for (const others of [
			{ sessionId: session },
			{ sessionId: codex },
			{ sessionId: codex, source: 'run-2' },
			{ ...wire, sessionId: codex },
			{ ...wire, sessionId: undefined },
		] as const) {
			for (const isKnown of [false, true]) {
				if (isKnown) gate.tell({ kind: 'session-of-source', sessionId: codex, source: 'run-1' });
				assert.equal(stops(others), false, JSON.stringify(others));
			}
		}
		assert.deepEqual(told.splice(0), ['debug/didLearnSession codex:s2']);
		gate.tell({ kind: 'session-started', sessionId: codex });
		gate.tell({ kind: 'session-started', sessionId: session });
		assert.deepEqual(told.splice(0), ['debug/didStartAgent codex:s2']);
		// Its own, in a session that it has begun since, and where nothing tells the session.
		assert.equal(stops({ sessionId: codex, source: 'run-1' }), true);
		assert.equal(stops({ ...wire, sessionId: later, source: 'run-1' }), true);
		assert.equal(stops({ ...wire, sessionId: undefined, source: 'run-1' }), true);
		assert.deepEqual(told.splice(0), [
			'debug/didStop codex:s2',
			'debug/didLearnSession codex:s3',
			'debug/didStop codex:s3',
			'debug/didStop null',
		]);
		const held = run.held();
		assert.equal(held.length, 3);
		for (const { stopId } of held) run.resume(stopId, goOn());
		assert.deepEqual(told.splice(0), ['debug/didResume', 'debug/didResume', 'debug/didResume']);
		gate.tell({ kind: 'session-ended', sessionId: codex });
		assert.deepEqual(told.splice(0), ['debug/didEndAgent codex:s2']);
		gate.tell({ kind: 'session-started', sessionId: codex });
		assert.deepEqual(told, []);
	});

	it('goes on with a run whose agent begins another session', () => {
		const [first, second, third, other] = ['f1', 'f2', 'f3', 'f4'].map((id) => sessionId('claude-code', id)) as [
			typeof session,
			typeof session,
			typeof session,
			typeof session,
		];
		for (const sessions of [[first], []]) {
			const { gate, debug } = gated();
			debug.dispose();
			const told: string[] = [];
			const run = gate.attach({
				client: 'a run',
				sessions,
				source: 'run-1',
				hasWholeSessions: true,
				listener: (name, value) =>
					void told.push(`${name} ${'sessionId' in value ? String(value.sessionId) : ''}`.trim()),
			});
			set(run, { tool: '*' });
			// What Claude Code posts of its calls does not say whose run it is.
			const stops = (more: Partial<GateCall>) => {
				const hold = gate.before(callOf(main, 'Bash', more));
				for (const { stopId } of run.held()) run.resume(stopId, goOn());
				return hold !== undefined;
			};
			/** As it is told by a command that knows the run, or by a post that does not. */
			const begin = (id: typeof session, source: string | undefined) => {
				if (source !== undefined) gate.tell({ kind: 'session-of-source', sessionId: id, source });
				gate.tell({ kind: 'session-started', sessionId: id });
			};
			begin(first, 'run-1');
			assert.equal(stops({ sessionId: first }), true);
			assert.equal(stops({ sessionId: second }), false);
			told.length = 0;
			// `/clear`, `/resume`
			gate.tell({ kind: 'session-ended', sessionId: first });
			begin(second, 'run-1');
			assert.deepEqual(told, [
				`debug/didEndAgent ${first}`,
				`debug/didLearnSession ${second}`,
				`debug/didStartAgent ${second}`,
			]);
			assert.equal(stops({ sessionId: second }), true);
			// A compaction begins nothing.
			begin(second, 'run-1');
			assert.equal(stops({ sessionId: second }), true);
			gate.tell({ kind: 'session-ended', sessionId: second });
			begin(third, 'run-1');
			assert.deepEqual([stops({ sessionId: second }), stops({ sessionId: third })], [false, true]);
			// Whatever others begin, and what comes of their runs.
			begin(other, undefined);
			assert.equal(stops({ sessionId: other }), false);
			begin(other, 'run-2');
			assert.equal(stops({ sessionId: other }), false);
			assert.equal(stops({ sessionId: third, source: 'run-2' }), false);
			assert.equal(stops({ heldBy: 'wire', sessionId: undefined, source: 'run-1' }), true);
		}
	});

	it('pauses all of a run before it has begun, and nothing beside it', () => {
		const { gate, debug } = gated();
		debug.dispose();
		const run = gate.attach({ client: 'a run', sessions: null, source: 'run-1', listener() {} });
		run.pause(null, null, false);
		assert.equal(gate.before(callOf(main, 'Bash', {})), undefined);
		assert.equal(gate.before(callOf(main, 'Bash', { source: 'run-2' })), undefined);
		assert.notEqual(gate.before(callOf(main, 'Bash', { source: 'run-1' })), undefined);
	});

	it('keeps a run apart from others, and from whoever debugs all', () => {
		const { gate, debug } = gated();
		const attach = (source: string | undefined, sessions: readonly (typeof session)[] | null = []) =>
			gate.attach({ client: source ?? 'sessions', sessions, source, listener() {} });
		assert.equal(attach('run-1').isReadOnly, true);
		debug.dispose();
		const other = attach('run-2');
		assert.deepEqual([other.isReadOnly, attach('run-2').isReadOnly], [false, true]);
		gate.tell({ kind: 'session-of-source', sessionId: session, source: 'run-2' });
		assert.equal(attach(undefined, [session]).isReadOnly, true);
		assert.equal(attach(undefined, [sessionId('codex', 'another')]).isReadOnly, false);
	});

	it('lets everything go when the host closes', async () => {
		const { gate, debug, before, records } = gated();
		set(debug, { tool: '*' });
		const holds = [before(main, 'Bash'), before(helper, 'Bash')];
		gate.close('The host is closing.');
		assert.deepEqual(await Promise.all(holds.map(async (hold) => hold?.passage)), [
			{ action: 'continue' },
			{ action: 'continue' },
		]);
		assert.deepEqual(records.slice(2), [
			{ name: 'released', how: 'host-closing' },
			{ name: 'released', how: 'host-closing' },
		]);
		assert.equal(before(main, 'Bash'), undefined);
		assert.throws(
			() => gate.attach({ client: 'x', sessions: null, source: undefined, listener: () => {} }),
			/closing/,
		);
	});
});
