// What `crosstalk debug` says while agents run, message by message. `UPDATE_GOLDENS=1 npx mocha 'test/debugAdapter/live.test.ts'` writes the goldens
// anew: read the diff.

import assert from 'node:assert/strict';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { AdapterClient } from './adapterClient.ts';
import { LiveScene } from './liveScene.ts';
import type { Plan } from './scriptedClaude.ts';

const query = (page: number) => ({ tool: 'mcp__analytics__query', arguments: { table: 'orders', page } });
const shell = (command: string) => ({ tool: 'Bash', arguments: { command } });
const alone: Plan = { agents: [{ id: 'main', calls: [query(1), shell('ls'), query(2)] }] };

describe('crosstalk debug with agents that run', function () {
	this.timeout(180_000);
	let scene: LiveScene;
	let client: AdapterClient;

	async function begin(plan: Plan): Promise<void> {
		scene = await LiveScene.create(plan);
		client = new AdapterClient();
	}

	afterEach(async () => {
		await client.close();
		await scene.dispose();
	});

	const breakOn =
		(...breakpoints: readonly object[]) =>
		async () =>
			client.ask('setFunctionBreakpoints', { breakpoints });

	/** What the agent prints comes by another way than what the host tells, so their order is nobody's. */
	function compareWithGolden(name: string): void {
		const lines = client.exchange
			.filter((line) => !/^ {2}! output \{"category":"stdout"/.test(line))
			.map((line) =>
				line
					.replaceAll(scene.folder, '<folder>')
					.replaceAll(/\bstop-[\da-f]+-\d+/g, '<stop>')
					.replaceAll(/by itself at \d\d:\d\d:\d\d/g, 'by itself at <time>'),
			);
		client.exchange.splice(0, client.exchange.length, ...lines);
		client.compareWithGolden(name);
	}

	/** Waits for the agent's own end. */
	async function exited(act: () => Promise<unknown>): Promise<number> {
		const [event] = await Promise.all([
			client.waitForEvent('exited', 60_000),
			client.waitForEvent('terminated', 60_000),
			act(),
		]);
		return (event as DebugProtocol.ExitedEvent).body.exitCode; // the name says which it is
	}

	it('stops a call, takes an edited argument, steps to its result, and stops a tool of the agent itself', async () => {
		await begin(alone);
		await client.open(scene.launch(), {
			before: breakOn({ name: 'analytics/query', condition: 'arguments.page == 1' }, { name: 'Bash' }),
		});
		const first = await client.stopAfter('configurationDone');
		assert.match(String(first.description), /^Breakpoint "analytics\/query"/);
		await client.ask('threads');
		const thread = first.threadId ?? 0;
		const [frame] = await client.frames(thread);
		assert.equal(frame?.name, 'query(table: "orders", page: 1)');
		const { scopes } = (await client.ask('scopes', { frameId: frame.id })) as DebugProtocol.ScopesResponse['body'];
		const variablesReference = scopes[0]?.variablesReference ?? 0;
		await client.ask('variables', { variablesReference });
		assert.match(
			String(await client.ask('setVariable', { variablesReference, name: 'page', value: '"three"' })),
			/page/,
		);
		await client.ask('setVariable', { variablesReference, name: 'page', value: '7' });
		await client.ask('evaluate', { expression: 'arguments.page * 2', frameId: frame.id, context: 'repl' });
		const [edited] = await client.frames(thread);
		assert.deepEqual([edited?.id, edited?.name], [frame.id, 'query(table: "orders", page: 7)']);
		assert.deepEqual(await scene.calls(), []);
		const second = await client.stopAfter('next', { threadId: thread });
		assert.match(String(second.description), /with its result/);
		assert.deepEqual(await scene.calls(), [{ tool: 'query', input: { table: 'orders', page: 7 } }]);
		const [after] = await client.frames(thread);
		await client.look(after?.id ?? 0);
		const third = await client.stopAfter('continue', { threadId: thread });
		assert.match(String(third.description), /^Breakpoint "Bash"/);
		await client.frames(thread);
		assert.equal(await exited(() => client.ask('continue', { threadId: thread })), 0);
		await client.ask('disconnect');
		compareWithGolden('live');
	});

	it('lets only the breakpoints stop that were understood, says what is wrong with the others, and prints at log points', async () => {
		await begin({ agents: [{ id: 'main', calls: [query(1), query(2)] }] });
		await client.open(
			scene.launch({ breakpoints: [{ tool: 'analytics/*', logMessage: 'page {arguments.page} of {tool}' }] }),
			{
				before: async () => {
					await client.ask('setFunctionBreakpoints', {
						breakpoints: [
							{ name: 'analytics/query', condition: 'arguments.page ==' },
							{ name: 'analytics/query', condition: 'arguments.nothing > 1' },
							{ name: '' },
							{ name: 'analytics/query', hitCondition: 'often' },
						],
					});
					await client.ask('setBreakpoints', {
						source: { path: '/nowhere.jsonl' },
						breakpoints: [{ line: 3 }],
					});
					await client.ask('setExceptionBreakpoints', {
						filters: ['default-scope-query', 'orphaned-tool-use', 'toolError'],
					});
				},
			},
		);
		assert.equal(await exited(() => client.ask('configurationDone')), 0);
		// Nobody stops, so when the transcript was read and its agent met is nobody's matter.
		const withoutThreads = client.exchange.filter((line) => !line.startsWith('  ! thread '));
		client.exchange.splice(0, client.exchange.length, ...withoutThreads);
		compareWithGolden('live-breakpoints');
		const output = client.exchange.join('\n');
		assert.match(output, /page 1 of query/);
		assert.match(output, /page 2 of query/);
		assert.doesNotMatch(output, /! stopped/);
	});

	it('stops at the first call of any agent when it is told to, and at the next one of an agent that is paused', async () => {
		await begin(alone);
		await client.open(scene.launch({ stopOnEntry: true }));
		const { threadId = 0 } = await client.stopAfter('configurationDone');
		await client.ask('pause', { threadId });
		const second = await client.stopAfter('continue', { threadId });
		assert.equal(second.reason, 'pause');
		await client.frames(threadId);
		assert.equal(await exited(() => client.ask('continue', { threadId })), 0);
		compareWithGolden('live-pause');
	});

	it('answers a call by hand, changes a result, and makes a call again', async () => {
		await begin({ agents: [{ id: 'main', calls: [query(1), query(2), shell('ls')] }] });
		await client.open(
			scene.launch({ breakpoints: [{ tool: 'analytics/*', at: 'after', condition: 'arguments.page == 2' }] }),
			{ before: breakOn({ name: 'analytics/*', condition: 'arguments.page == 1' }, { name: 'Bash' }) },
		);
		const { threadId = 0 } = await client.stopAfter('configurationDone');
		const [first] = await client.frames(threadId);
		const after = await client.stopAfter('evaluate', {
			expression: 'answer {"rows": []}',
			frameId: first?.id,
			context: 'repl',
		});
		assert.match(String(after.description), /with its result/);
		assert.deepEqual(
			(await scene.calls()).map(({ input }) => input['page']),
			[2],
		);
		const [second] = await client.frames(threadId);
		await client.stopAfter('restartFrame', { frameId: second?.id });
		assert.deepEqual(
			(await scene.calls()).map(({ input }) => input['page']),
			[2, 2],
		);
		const [again] = await client.frames(threadId);
		await client.ask('evaluate', {
			expression: 'result.content[0].text = "nothing"',
			frameId: again?.id,
			context: 'repl',
		});
		await client.stopAfter('continue', { threadId });
		const [bash] = await client.frames(threadId);
		assert.equal(
			await exited(() =>
				client.ask('evaluate', { expression: 'fail not today', frameId: bash?.id, context: 'repl' }),
			),
			0,
		);
		const printed = await scene.printed();
		assert.match(JSON.stringify(printed[0]), /rows/);
		assert.match(JSON.stringify(printed[1]), /nothing/);
		assert.match(JSON.stringify(printed[2]), /not today/);
		compareWithGolden('live-answers');
	});

	it('steps into the subagent that a call starts, and out to where its end reaches its parent', async () => {
		await begin({
			agents: [
				{
					id: 'main',
					calls: [{ tool: 'Agent', arguments: { prompt: 'look' }, starts: 'explore' }, shell('ls')],
				},
				{ id: 'explore', type: 'Explore', calls: [query(1), query(2)] },
			],
		});
		await client.open(scene.launch(), { before: breakOn({ name: 'Agent' }) });
		const { threadId: main = 0 } = await client.stopAfter('configurationDone');
		const inside = await client.stopAfter('stepIn', { threadId: main });
		assert.notEqual(inside.threadId, main);
		await client.frames(inside.threadId ?? 0);
		const outside = await client.stopAfter('stepOut', { threadId: inside.threadId });
		assert.equal(outside.threadId, main);
		await client.frames(main);
		assert.equal(await exited(() => client.ask('continue', { threadId: main })), 0);
		compareWithGolden('live-subagent');
	});

	it('shows several calls of one agent one after the other', async () => {
		await begin({ agents: [{ id: 'main', isParallel: true, calls: [query(1), query(2), query(3)] }] });
		await client.open(scene.launch(), { before: breakOn({ name: '*/*' }) });
		const { threadId = 0 } = await client.stopAfter('configurationDone');
		const pages: string[] = [];
		for (let call = 1; call <= 3; call++) {
			// They come side by side; the first is shown until it goes on.
			await scene.until('the others are held', async () => (await scene.held()) === 4 - call);
			const [frame] = await client.frames(threadId);
			pages.push(frame?.name ?? '');
			if (call < 3) await client.stopAfter('continue', { threadId });
		}
		assert.deepEqual(
			pages.toSorted((one, other) => one.localeCompare(other)),
			[1, 2, 3].map((page) => `query(table: "orders", page: ${page})`),
		);
		assert.equal(await exited(() => client.ask('continue', { threadId })), 0);
		assert.equal((await scene.calls()).length, 3);
	});

	it('lets go of everything when it is disconnected, killed, or told to end its agent', async () => {
		await begin({ agents: [{ id: 'main', calls: [query(1)] }] });
		await client.open(scene.launch(), { before: breakOn({ name: '*/*' }) });
		await client.stopAfter('configurationDone');
		await client.ask('disconnect', { terminateDebuggee: false });
		assert.equal(await client.ended(), 0);
		await scene.until('the call was made', async () => (await scene.calls()).length === 1);
		await client.close();

		client = new AdapterClient();
		await client.open(scene.launch(), { before: breakOn({ name: '*/*' }) });
		await client.stopAfter('configurationDone');
		client.process.kill('SIGKILL');
		await scene.until('the call was made', async () => (await scene.calls()).length === 2);
		await client.close();

		client = new AdapterClient();
		await client.open(scene.launch(), { before: breakOn({ name: '*/*' }) });
		await client.stopAfter('configurationDone');
		await exited(() => client.ask('terminate'));
	});

	it('attaches to the host, looks on where another debugger is, and says in one sentence what cannot be done', async () => {
		await begin({ agents: [{ id: 'main', calls: [query(1)] }] });
		await client.open(scene.launch(), { before: breakOn({ name: '*/*' }) });
		const { threadId = 0 } = await client.stopAfter('configurationDone');
		const second = new AdapterClient();
		try {
			const stopped = second.waitForEvent('stopped', 60_000);
			await second.open({ data: scene.data }, { request: 'attach' });
			await second.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'Bash' }] });
			await second.ask('configurationDone');
			await stopped;
			const [frame] = await second.frames(1);
			assert.equal(frame?.name, 'query(table: "orders", page: 1)');
			assert.match(String(await second.ask('continue', { threadId: 1 })), /debugging already/);
			assert.match(String(await second.ask('pause', { threadId: 1 })), /debugging already/);
			assert.match(second.exchange.join('\n'), /"verified":false,"message":"[^"]*debugging already/);
			// It has not let go of anything.
			assert.deepEqual(await scene.calls(), []);
		} finally {
			await second.close();
		}
		assert.equal(await exited(() => client.ask('continue', { threadId })), 0);
		assert.equal((await scene.calls()).length, 1);
	});

	it('takes over when the debugger that was first is killed, with its breakpoints', async () => {
		const others = Array.from({ length: 30 }, (_, index) => shell(`echo ${index}`));
		await begin({ agents: [{ id: 'main', calls: [query(1), ...others] }] });
		await client.open(scene.launch(), { before: breakOn({ name: '*/*' }) });
		await client.stopAfter('configurationDone');
		const second = new AdapterClient();
		try {
			await second.open({ data: scene.data }, { request: 'attach' });
			const held = second.waitForEvent('stopped', 20_000);
			await second.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'Bash' }, { name: '' }] });
			await second.ask('configurationDone');
			await held;
			const changed = second.waitForEvent('breakpoint', 20_000);
			const next = new Promise<DebugProtocol.StoppedEvent['body']>((resolve) => {
				second.once('stopped', ({ body }: DebugProtocol.StoppedEvent) => resolve(body));
			});
			client.process.kill('SIGKILL');
			const report = (await changed) as DebugProtocol.BreakpointEvent; // the name says which it is
			assert.equal(report.body.breakpoint.verified, true);
			const { threadId, description } = await next;
			assert.match(String(description), /^Breakpoint "Bash"/);
			assert.match(second.exchange.join('\n'), /The other debugger has gone: this one stops calls from now on/);
			assert.match(
				second.exchange.join('\n'),
				/"verified":false,"message":"A breakpoint needs the name of a tool/,
			);
			await second.ask('setFunctionBreakpoints', { breakpoints: [] });
			await second.ask('continue', { threadId });
			await scene.until('the agent has done all', async () => (await scene.printed()).length === 31);
		} finally {
			await second.close();
		}
	});

	it('ends with a sentence when the host has ended, and the agent goes on', async () => {
		await begin({ agents: [{ id: 'main', calls: [shell('ls'), shell('pwd')] }] });
		await client.open(scene.launch(), { before: breakOn({ name: 'Bash' }) });
		await client.stopAfter('configurationDone');
		assert.equal(await exited(async () => scene.killHost()), 0);
		assert.match(client.exchange.join('\n'), /The host has ended. The agent goes on/);
	});

	it('says in one sentence why it launches nothing', async () => {
		await begin(alone);
		await client.initialize();
		const refusals = [
			[scene.launch({ program: 'emacs' }), /"emacs" is no agent that Crosstalk knows/],
			[scene.launch({ as: 'gemini' }), /"as" is to be one of claude, codex/],
			[scene.launch({ program: 'codex', mcpConfig: 'x.json' }), /"mcpConfig" is for Claude Code/],
			[scene.launch({ faults: [{ kind: 'explode' }] }), /kind/],
			[scene.launch({ cwd: `${scene.folder}/nowhere` }), /"cwd": there is no folder/],
			[scene.launch({ mcpConfig: 'nowhere.json' }), /"mcpConfig": there is no file nowhere.json/],
			[scene.launch({ args: ['mcp', 'list'] }), /starts no session/],
		] as const;
		for (const [configuration, expected] of refusals)
			assert.match(String(await client.ask('launch', configuration)), expected);
		assert.match(
			String(await client.ask('attach', { data: `${scene.folder}/nothing-here` })),
			/No host is running/,
		);
	});
});
