// What `crosstalk debug` says in a replay, message by message. `UPDATE_GOLDENS=1 npx mocha test/debugAdapter` writes the goldens anew: read the diff.

import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { rules } from '../../src/core/rules/index.ts';
import { AdapterClient } from './adapterClient.ts';

const recorded = resolve('examples/recorded');
const killed = `${recorded}/.claude/projects/-home-dev-analytics/4286b68e-7bda-44a4-87ea-3c0f563e00a3.jsonl`;
const codex = `${recorded}/.codex/sessions/2026/11/21/rollout-2026-11-21T08-31-11-01a1fd3b-1b83-7790-960d-31c753b48ea7.jsonl`;
const faraday = `${recorded}/.codex/sessions/2026/11/21/rollout-2026-11-21T08-31-11-01a1fd3b-1c2b-7c30-a123-59ae74653e96.jsonl`;
const fixtures = resolve('test/fixtures/transcripts/claude-code');
const nested = `${fixtures}/subagents-2.1.200/-home-dev-shop/5e551003-0000-4000-8000-000000000003.jsonl`;
const damaged = `${fixtures}/damaged-2.1.49/-home-dev-shop`;

describe('crosstalk debug in a replay', () => {
	let client: AdapterClient;

	beforeEach(() => {
		client = new AdapterClient();
	});

	afterEach(async () => client.close());

	it('offers every rule, and errors of tools, as what to stop at', async () => {
		const { exceptionBreakpointFilters = [], ...capabilities } = await client.initialize();
		assert.deepEqual(
			exceptionBreakpointFilters.map(({ filter }) => filter),
			['toolError', ...rules.map(({ id }) => id)],
		);
		assert.equal(capabilities.supportsStepBack, true);
		assert.equal(capabilities.supportsFunctionBreakpoints, true);
		assert.equal(capabilities.supportsLogPoints, true);
	});

	it('steps over, in, out and back through four agents, and shows what was there', async () => {
		await client.open({ transcript: killed });
		await client.stopAfter('configurationDone');
		await client.ask('threads');
		await client.frames(1);
		await client.stopAfter('next', { threadId: 1 });
		await client.stopAfter('next', { threadId: 1 });
		await client.stopAfter('stepIn', { threadId: 1 });
		const [, spawning] = await client.frames(2);
		assert.equal(spawning?.name, 'Agent(worker 1)');
		await client.look(spawning.id);
		// The call is at the main agent's place in time: from there the others begin.
		await client.stopAfter('restartFrame', { frameId: spawning.id });
		await client.stopAfter('next', { threadId: 1 });
		await client.ask('threads');
		await client.stopAfter('next', { threadId: 2 });
		await client.stopAfter('next', { threadId: 2 });
		const [call] = await client.frames(2);
		assert.equal(call?.name, 'trigger-long-running-operation(duration: 30, steps: 2)');
		await client.look(call.id);
		await client.stopAfter('stepBack', { threadId: 2 });
		await client.stopAfter('stepBack', { threadId: 2 });
		await client.stopAfter('stepBack', { threadId: 2 });
		await client.stopAfter('continue', { threadId: 1 });
		await client.stopAfter('reverseContinue', { threadId: 1 });
		await client.ask('stepBack', { threadId: 1 });
		await client.ask('disconnect');
		assert.equal(await client.ended(), 0);
		client.compareWithGolden('steps');
	});

	it('goes into the agent of an agent, and out to where each came back', async () => {
		await client.open({ transcript: nested });
		await client.stopAfter('configurationDone');
		await client.stopAfter('next', { threadId: 1 });
		await client.stopAfter('stepIn', { threadId: 1 });
		const lead = await client.stopAfter('next', { threadId: 2 });
		const kid = await client.stopAfter('stepIn', { threadId: lead.threadId });
		const stack = await client.frames(kid.threadId ?? 0);
		assert.deepEqual(
			stack.map(({ name }) => name),
			['prompt: Look closer', 'Agent(kid)', 'Agent(Review lead)', 'main'],
		);
		// Its parent has had its result and does nothing any more: both come back to the main agent.
		await client.stopAfter('stepOut', { threadId: kid.threadId });
		await client.ask('threads');
		client.compareWithGolden('nested');
	});

	it('stops at tools, by pattern, condition, number of the hit, after the call and on an error, forth and back', async () => {
		const places: string[] = [];
		const note = async ({ threadId }: { threadId?: number }) => {
			const [frame] = await client.frames(threadId ?? 0);
			places.push(`${frame?.name} ${frame?.line}`);
		};
		await client.open(
			{
				transcript: codex,
				stopOnEntry: false,
				breakpoints: [{ tool: '*/echo', logMessage: 'echo says {arguments} in {agent.id}' }],
			},
			{
				before: async () =>
					client.ask('setFunctionBreakpoints', {
						breakpoints: [
							{ name: 'exec_command', condition: 'arguments.cmd.contains("pwd")' },
							{ name: 'wait_agent', hitCondition: '2' },
							{ name: 'spawn_agent after', condition: 'agent.id != "main"' },
							{ name: '* on error' },
							{ name: 'exec_command', condition: 'arguments.nothing == 1' },
							{ name: 'wait_agent', condition: 'a b' },
							{ name: 'wait_agent', hitCondition: 'often' },
							{ name: '{a' },
						],
					}),
			},
		);
		await note(await client.stopAfter('configurationDone'));
		for (let stops = 0; stops < 4; stops++) await note(await client.stopAfter('continue', { threadId: 1 }));
		const forth = [...places];
		places.length = 0;
		for (let stops = 0; stops < 4; stops++) await note(await client.stopAfter('reverseContinue', { threadId: 1 }));
		assert.deepEqual(places, forth.slice(0, -1).reverse());
		client.compareWithGolden('tools');
	});

	it('stops at findings and at errors, and says what was found', async () => {
		await client.open(
			{ transcript: killed, stopOnEntry: false },
			{
				before: async () =>
					client.ask('setExceptionBreakpoints', {
						filters: [],
						filterOptions: [
							{ filterId: 'orphaned-tool-use', condition: 'agent.id.startsWith("a0")' },
							{ filterId: 'no-such-rule' },
						],
					}),
			},
		);
		const { threadId = 0 } = await client.stopAfter('configurationDone');
		await client.ask('exceptionInfo', { threadId });
		await client.stopAfter('continue', { threadId });
		await client.ask('exceptionInfo', { threadId: 1 });
		client.compareWithGolden('findings');
	});

	it("stops on an error of a tool, with the tool's own words", async () => {
		await client.open(
			{ transcript: codex, stopOnEntry: false },
			{ before: async () => client.ask('setExceptionBreakpoints', { filters: ['toolError'] }) },
		);
		const { threadId = 0 } = await client.stopAfter('configurationDone');
		await client.ask('exceptionInfo', { threadId });
		const [call] = await client.frames(threadId);
		await client.look(call?.id ?? 0);
		client.compareWithGolden('errors');
	});

	it('stops on lines of transcripts, on a block in them, with conditions and log points', async () => {
		await client.open(
			{ transcript: codex, stopOnEntry: false },
			{
				before: async () => {
					await client.ask('breakpointLocations', { source: { path: faraday }, line: 16, endLine: 20 });
					await client.ask('setBreakpoints', {
						source: { path: faraday },
						breakpoints: [
							{ line: 15 },
							{ line: 17, column: 60, condition: 'tool == "echo"' },
							{ line: 22, logMessage: '{tool} of {agent.id} gave an error: {isError}' },
							{ line: 24, condition: 'arguments.x == 1' },
							{ line: 9_999 },
						],
					});
					await client.ask('setBreakpoints', { source: { path: killed }, breakpoints: [{ line: 1 }] });
				},
			},
		);
		await client.stopAfter('configurationDone');
		await client.stopAfter('continue', { threadId: 1 });
		await client.stopAfter('continue', { threadId: 1 });
		client.compareWithGolden('lines');
	});

	it('stops where an argument is another one than in the call before', async () => {
		await client.open({ transcript: codex });
		await client.stopAfter('configurationDone');
		await client.stopAfter('next', { threadId: 1 });
		await client.stopAfter('next', { threadId: 1 });
		await client.stopAfter('next', { threadId: 1 });
		const [call] = await client.frames(1);
		const { scopes } = (await client.ask('scopes', { frameId: call?.id })) as {
			scopes: { variablesReference: number }[];
		}; // as the protocol says
		const info = await client.ask('dataBreakpointInfo', {
			variablesReference: scopes[0]?.variablesReference,
			name: 'message',
		});
		await client.ask('dataBreakpointInfo', { name: 'usage.model', frameId: call?.id });
		await client.ask('setDataBreakpoints', {
			breakpoints: [{ dataId: (info as { dataId: string }).dataId }, { dataId: 'of somebody else' }],
		});
		await client.stopAfter('continue', { threadId: 1 });
		client.compareWithGolden('data');
	});

	it('evaluates expressions over what was there, completes them, and says what is wrong with them', async () => {
		await client.open({ transcript: codex });
		await client.stopAfter('configurationDone');
		await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: '*/echo after' }, { name: 'echo' }] });
		const { threadId = 0 } = await client.stopAfter('continue', { threadId: 1 });
		const [call] = await client.frames(threadId);
		const frameId = call?.id;
		for (const expression of [
			'arguments',
			'result.content[0].text',
			'isError || tool == "echo"',
			'agent.type',
			'calls.size()',
			'calls.filter(id, calls[id].state == "pending").size()',
			'agents["main"].pending + 1',
			'usage.durationMs',
			'message.role',
			'nonsense',
			'arguments.nothing',
			'1 +',
			'help',
			'answer done',
			'arguments.message = 3',
			'calls["call_nobody"].result',
		])
			await client.ask('evaluate', { expression, frameId, context: 'repl' });
		const { scopes } = (await client.ask('scopes', { frameId })) as { scopes: { variablesReference: number }[] }; // as the protocol says
		await client.ask('setVariable', {
			variablesReference: scopes[0]?.variablesReference,
			name: 'message',
			value: '"x"',
		});
		await client.ask('setExpression', { frameId, expression: 'arguments.message', value: '"x"' });
		await client.ask('evaluate', { expression: 'arguments', frameId, context: 'clipboard' });
		await client.ask('evaluate', { expression: 'tool' });
		await client.ask('completions', { frameId, text: 'agents["main"].', column: 16 });
		await client.ask('completions', { frameId, text: '1 + us', column: 7 });
		await client.ask('completions', { frameId, text: 'nonsense.', column: 10 });
		client.compareWithGolden('expressions');
	});

	it('counts lines and columns from 0 for a client that does', async () => {
		await client.open(
			{ transcript: codex, stopOnEntry: false },
			{
				initialize: { linesStartAt1: false, columnsStartAt1: false },
				before: async () =>
					client.ask('setBreakpoints', { source: { path: faraday }, breakpoints: [{ line: 15, column: 0 }] }),
			},
		);
		const { threadId = 0 } = await client.stopAfter('configurationDone');
		const [frame] = await client.frames(threadId);
		assert.equal(frame?.line, 15);
		client.compareWithGolden('from-zero');
	});

	it('starts again, ends at the end, and when it is told to', async () => {
		await client.open(
			{ transcript: killed, stopOnEntry: false },
			{
				before: async () =>
					client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'Agent', hitCondition: '3' }] }),
			},
		);
		await client.stopAfter('configurationDone');
		await client.stopAfter('restart');
		await client.stopAfter('continue', { threadId: 1 });
		await Promise.all([client.waitForEvent('terminated', 60_000), client.ask('continue', { threadId: 1 })]);
		await client.stopAfter('restart', { arguments: { transcript: killed, stopOnEntry: true } });
		await Promise.all([client.waitForEvent('terminated', 60_000), client.ask('terminate')]);
		client.compareWithGolden('lifecycle');
	});

	it('says in one sentence what is wrong with a configuration, and takes the next one', async () => {
		await client.initialize();
		for (const configuration of [
			{},
			{ program: '' },
			{ program: 'claude', transcript: killed },
			{ transcript: 3 },
			{ transcript: '' },
			{ transcript: resolve('package.json') },
			{ transcript: resolve('no/such.jsonl') },
			{ transcript: 'no-such-session' },
			{ transcript: recorded },
			{ transcript: killed, as: 'gemini' },
			{ transcript: killed, stopOnEntry: 'yes' },
			{ transcript: killed, breakpoints: [{ agent: 'main' }] },
			{ transcript: killed, breakpoints: [{ tool: 'x', at: 'never' }] },
			{ program: 'claude', args: 'one' },
			{ program: 'claude', env: { A: {} } },
		])
			await client.ask('launch', configuration);
		await client.ask('attach', { transcript: killed });
		await client.ask('threads');
		await client.ask('configurationDone');
		await client.ask('dance');
		await client.ask('disconnect');
		assert.equal(await client.ended(), 0);
		client.compareWithGolden('bad-input');
		// One that is wrong is no bug: nothing of it is in the log.
		assert.equal(client.stderr, '');
	});

	it('replays what can be read of a damaged session, and says so', async () => {
		await client.open({ transcript: damaged });
		await client.stopAfter('configurationDone');
		await client.stopAfter('continue', { threadId: 1 });
		client.compareWithGolden('damaged');
	});

	it('ends when the client has gone without a word', async () => {
		await client.open({ transcript: killed });
		await client.stopAfter('configurationDone');
		client.process.stdin?.end();
		assert.equal(await client.ended(), 0);
	});
});
