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
	this.timeout(60_000);
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
					.replaceAll(/by itself at \d\d:\d\d:\d\d/g, 'by itself at <time>'),
			);
		client.exchange.splice(0, client.exchange.length, ...lines);
		client.compareWithGolden(name);
	}

	/** Waits for the agent's own end. */
	async function exited(act: () => Promise<unknown>): Promise<number> {
		const [event] = await Promise.all([client.waitForEvent('exited', 30_000), act()]);
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
});
