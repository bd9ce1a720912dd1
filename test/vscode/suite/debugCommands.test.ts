// What a person asks of the debugger by command: it attaches, pauses agents and answers their calls. A real host with a real MCP server; the agents
// are callers of ours, so that each call is made when the test says so.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationTarget, FunctionBreakpoint, commands, debug, extensions, window, workspace } from 'vscode';
import type { DebugAdapterTracker } from 'vscode';
import { defaultLimits } from '../../../src/core/host/serverDefinition.ts';
import type { ServerDefinition } from '../../../src/core/host/serverDefinition.ts';
import type { AgentNode } from '../../../src/extension/agentsTree.ts';
import type { DebugParts } from '../../../src/extension/debugParts.ts';
import { Agent } from '../../mcp/agent.ts';
import type { Answer } from '../../mcp/agent.ts';
import { actUntil, appears, click, eventually, labels, offered, press, screenshot, type } from '../runner.ts';
import { dataDirectory } from '../scriptedHost.ts';
import { api, endHost, endedId, rowOfSession } from '../tested.ts';

const configure = (name: string, value: unknown) =>
	workspace.getConfiguration('crosstalk').update(name, value, ConfigurationTarget.Global);

const sessionId = 'claude-code:7d1f8a52-0c6e-4b1d-9a37-2f5be1c80d64';

/** The function breakpoints that the debugger has, as VS Code has set them last. */
class SetBreakpoints implements DebugAdapterTracker {
	/** Their names, with commas; `undefined`: it has not answered yet. */
	set: string | undefined;
	private asked: { readonly seq: number; readonly names: string } | undefined;

	onWillReceiveMessage(message: SetRequest): void {
		if (message.command !== 'setFunctionBreakpoints') return;
		this.set = undefined;
		this.asked = { seq: message.seq, names: message.arguments.breakpoints.map(({ name }) => name).join() };
	}

	onDidSendMessage(message: SetResponse): void {
		if (message.command !== 'setFunctionBreakpoints' || message.request_seq !== this.asked?.seq) return;
		if (message.body.breakpoints.every(({ verified }) => verified)) this.set = this.asked.names;
	}
}

interface SetRequest {
	readonly seq: number;
	readonly command: string;
	readonly arguments: { readonly breakpoints: readonly { readonly name: string }[] };
}

interface SetResponse {
	readonly request_seq: number;
	readonly command: string;
	readonly body: { readonly breakpoints: readonly { readonly verified: boolean }[] };
}

describe('what the debugger does on command', () => {
	const directory = dataDirectory();
	const log = join(directory.path, 'calls.jsonl');
	const agents = new Map<string, Agent>();
	let address: { readonly url: string; readonly token: string };
	let parts: DebugParts;
	const breakpoints = new SetBreakpoints();
	const tracking = debug.registerDebugAdapterTrackerFactory('crosstalk', {
		createDebugAdapterTracker: () => breakpoints,
	});

	before(async () => {
		await configure('host.dataDirectory', directory.path);
		parts = await (await api()).debug.load();
	});

	afterEach(async () => {
		debug.removeBreakpoints(debug.breakpoints);
		for (const { call, target } of parts.held) await target.continueCall(call.stopId);
		await commands.executeCommand('notifications.clearAll');
	});

	after(async () => {
		if (debug.activeDebugSession !== undefined) await debug.stopDebugging();
		tracking.dispose();
		for (const agent of agents.values()) agent.vanish();
		await endHost();
		await configure('host.dataDirectory', undefined);
		directory.dispose();
		await commands.executeCommand('workbench.action.closeAllEditors');
		await commands.executeCommand('workbench.action.closePanel');
		await commands.executeCommand('workbench.view.extension.crosstalk');
	});

	it('says what is missing while nobody debugs', async () => {
		await commands.executeCommand('crosstalk.pauseAgents');
		await eventually('It is said', notifications, (said) =>
			said.some((message) => message.startsWith('The agents could not be paused: No debug session of type')),
		);
		await screenshot('debug-nobody');
	});

	it('has nothing to attach to while no host runs, and offers to start one', async () => {
		// The command ends when a person has chosen.
		const attaching = commands.executeCommand('crosstalk.attachDebugger');
		await eventually('It is said', notifications, (said) =>
			said.some((message) => message.startsWith('No host is running, so there is nothing to attach to.')),
		);
		assert.equal(parts.targets.size, 0);
		await screenshot('debug-no-host');
		await click('.notifications-center .monaco-button:has-text("Start Host")');
		await attaching;
		await attached();
		await debug.stopDebugging();
		await eventually(
			'It has detached',
			() => parts.targets.size,
			(size) => size === 0,
		);
	});

	it('attaches to the host that runs, whose agents are at work', async () => {
		address = await addServer();
		for (const [name, table] of Object.entries({ 'explore-orders': 'orders', 'sum-refunds': 'refunds' }))
			assert.match((await ask(name, table)).text ?? '', /"page":1/);
		await commands.executeCommand('crosstalk.attachDebugger');
		await attached();
	});

	it('pauses the agent of a row alone, also one that has called nothing since the debugger came', async () => {
		const row = await rowOfAgent('sum-refunds');
		await commands.executeCommand('crosstalk.pauseAgent', row);
		const failures = (await notifications()).filter((said) => said.startsWith('The agent could not be paused'));
		assert.deepEqual(failures, []);
		assert.match((await ask('explore-orders', 'orders', 2)).text ?? '', /"page":2/);
		const refunds = ask('sum-refunds', 'refunds', 2);
		const held = await theHeld();
		assert.deepEqual([held.call.agentId, held.call.reason], ['sum-refunds', 'pause']);
		await screenshot('debug-paused-one');
		await commands.executeCommand('crosstalk.continueCall', rowOf(held.call.stopId));
		assert.match((await refunds).text ?? '', /"page":2/);
		assert.match((await ask('sum-refunds', 'refunds', 3)).text ?? '', /"page":3/);
	});

	it('does not pause an agent that has ended', async () => {
		const session = await rowOfSession(endedId);
		await commands.executeCommand('crosstalk.pauseAgent', session);
		await eventually('It is said', notifications, (said) =>
			said.includes('The agent could not be paused: This agent has ended.'),
		);
	});

	it('pauses all agents: the next call of each stops, and no further one', async () => {
		await commands.executeCommand('crosstalk.inFlight.focus');
		await screenshot('debug-attached');
		const before = reached().length;
		let isPaused = false;
		const said = appears('.statusbar-item', 'The next call of each agent stops').then(() => (isPaused = true));
		await actUntil(
			'All agents are to pause',
			async () => {
				// Only a view that has the focus shows its buttons, and something that opens late takes the focus away.
				await commands.executeCommand('crosstalk.inFlight.focus');
				await click('.action-item a[aria-label^="Pause All Agents"]', { withinMs: 3000 }).catch(
					() => undefined,
				);
			},
			() => isPaused,
		);
		await said;
		const orders = ask('explore-orders', 'orders', 3);
		const refunds = ask('sum-refunds', 'refunds', 4);
		const held = await eventually(
			'Both have stopped',
			() => parts.held,
			({ length }) => length === 2,
		);
		assert.deepEqual(
			held
				.map(({ call, agent }) => `${agent.name.split(' ')[0]} ${call.reason} ${call.at} ${call.tool}`)
				.toSorted(),
			['explore-orders pause before query', 'sum-refunds pause before query'],
		);
		await eventually(
			'They have rows that say why',
			() => labels('.monaco-list-row'),
			(rows) =>
				['explore-orders', 'sum-refunds'].every((name) =>
					rows.some((row) => row.includes(name) && row.includes('paused')),
				),
		);
		await screenshot('debug-paused');
		assert.equal(reached().length, before);
		for (const { call } of held) await commands.executeCommand('crosstalk.continueCall', rowOf(call.stopId));
		assert.match((await orders).text ?? '', /"page":3/);
		assert.match((await refunds).text ?? '', /"page":4/);
		assert.match((await ask('sum-refunds', 'refunds', 5)).text ?? '', /"page":5/);
	});

	it('answers a call by hand: its agent gets what was typed, and its server never hears of it', async () => {
		debug.addBreakpoints([new FunctionBreakpoint('analytics/query')]);
		const before = reached().length;
		const orders = await stopped('explore-orders', 'orders', 5);
		void commands.executeCommand('crosstalk.answerCall', rowOf(orders.stopId));
		await choose('As a result');
		await typeAnswer('{"rows": []}', 'debug-answer');
		const { result, text } = await orders.answer;
		assert.equal(text, '{"rows": []}');
		assert.notEqual(result?.['isError'], true);
		assert.equal(reached().length, before);
	});

	it('answers a call by hand with an error', async () => {
		debug.addBreakpoints([new FunctionBreakpoint('analytics/query')]);
		const before = reached().length;
		const orders = await stopped('explore-orders', 'orders', 6);
		// Of the only call that is held, from the palette.
		void commands.executeCommand('crosstalk.answerCall');
		await choose('As an error');
		await typeAnswer('no such table');
		const { result, text } = await orders.answer;
		assert.deepEqual([result?.['isError'], text], [true, 'no such table']);
		assert.equal(reached().length, before);
	});

	it('answers by hand in the place of a result', async () => {
		debug.addBreakpoints([new FunctionBreakpoint('analytics/query after')]);
		const before = reached().length;
		const orders = await stopped('explore-orders', 'orders', 7);
		void commands.executeCommand('crosstalk.answerCall', rowOf(orders.stopId));
		await typeAnswer('nothing today', 'debug-answer-after');
		assert.equal((await orders.answer).text, 'nothing today');
		assert.equal(reached().length, before + 1);
	});

	it('asks no longer for an answer when the call goes on meanwhile, and says so', async () => {
		debug.addBreakpoints([new FunctionBreakpoint('analytics/query')]);
		const orders = await stopped('explore-orders', 'orders', 8);
		const answering = commands.executeCommand('crosstalk.answerCall', rowOf(orders.stopId));
		await offered('As a result');
		await commands.executeCommand('crosstalk.continueCall', rowOf(orders.stopId));
		await answering;
		assert.match((await orders.answer).text ?? '', /"page":8/);
		await eventually('It is said', notifications, (said) =>
			said.some((message) => message === 'The call could not be answered: The call has gone on meanwhile.'),
		);
		await eventually(
			'Nothing is asked any more',
			() => labels(input),
			({ length }) => length === 0,
		);
	});

	it("answers an agent's own tool by hand, which its hook then forbids with these words", async () => {
		debug.addBreakpoints([new FunctionBreakpoint('Bash')]);
		await eventually(
			'The breakpoint is set',
			() => breakpoints.set,
			(names) => names === 'Bash',
		);
		const response = fetch(`${address.url}/${address.token}/hooks/claude-code?hold=600`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({
				hook_event_name: 'PreToolUse',
				session_id: sessionId.slice('claude-code:'.length),
				transcript_path: '/nowhere.jsonl',
				cwd: directory.path,
				tool_name: 'Bash',
				tool_use_id: 'toolu_shell',
				tool_input: { command: 'rm -r build', description: 'Clean up' },
			}),
		});
		const { call } = await theHeld();
		assert.deepEqual([call.heldBy, call.tool], ['hook', 'Bash']);
		await shown(/rm -r build/);
		void commands.executeCommand('crosstalk.answerCall', { server: '', callId: call.stopId });
		await choose('As a result');
		await typeAnswer('there is nothing to clean up');
		const answer = JSON.stringify(await (await response).json());
		assert.match(answer, /"permissionDecision":"deny"/);
		assert.match(answer, /there is nothing to clean up/);
	});

	async function attached(): Promise<void> {
		const [target] = await eventually(
			'It has attached',
			() => [...parts.targets],
			({ length }) => length === 1,
		);
		assert.equal(target?.readOnlyReason, undefined);
		await eventually(
			'VS Code has it as its session',
			() => debug.activeDebugSession?.configuration.request,
			(request) => request === 'attach',
		);
		// Only then it hears of stops.
		await eventually(
			'It has its breakpoints',
			() => breakpoints.set,
			(names) => names === '',
		);
	}

	/** As `crosstalk run` makes the servers of an agent known. */
	async function addServer(): Promise<{ readonly url: string; readonly token: string }> {
		const { connection } = await (await api()).host.load();
		const extension = extensions.getExtension('crosstalk.crosstalk')?.extensionPath ?? '';
		const server: ServerDefinition = {
			name: 'analytics',
			sharing: 'shared',
			secrets: [],
			redactedArguments: [],
			limits: defaultLimits,
			transport: {
				kind: 'stdio',
				command: process.execPath,
				args: ['--no-warnings', join(extension, 'test', 'vscode', 'scene', 'analyticsServer.ts')],
				env: { SCENE_LOG: log, ELECTRON_RUN_AS_NODE: '1' },
			},
		};
		await connection.request('servers/put', { source: 'a test', servers: [server] });
		assert.ok(connection.address);
		return connection.address;
	}

	/** What has come to the server. */
	function reached(): readonly string[] {
		return existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
	}

	/** A call of this agent. It ends when the debugger lets it. */
	async function ask(name: string, table: string, page = 1): Promise<Answer> {
		let agent = agents.get(name);
		if (agent === undefined) {
			agent = await Agent.connect(`${address.url}/${address.token}/agent/${name}/mcp/analytics`, {
				name,
				headers: { 'x-crosstalk-session': sessionId },
			});
			agents.set(name, agent);
		}
		return agent.call('query', { table, page });
	}

	/** What VS Code opens for a stop takes the focus from whatever has it by then. */
	async function shown(part: RegExp): Promise<void> {
		await eventually(
			'The call is in an editor',
			() => window.activeTextEditor?.document.getText(),
			(text) => text !== undefined && part.test(text),
		);
	}

	async function theHeld() {
		const [held] = await eventually(
			'One call is held',
			() => parts.held,
			({ length }) => length === 1,
		);
		assert.ok(held);
		return held;
	}

	async function stopped(name: string, table: string, page: number) {
		await eventually(
			'The breakpoint is set',
			() => breakpoints.set,
			(names) => names === debug.breakpoints.map((each) => (each as FunctionBreakpoint).functionName).join(), // those of this suite
		);
		const answer = ask(name, table, page);
		const { call } = await theHeld();
		await shown(new RegExp(`page\\D+${page}\\b`));
		return { stopId: call.stopId, answer };
	}

	async function rowOfAgent(agentId: string): Promise<AgentNode> {
		const { agents: view } = await api();
		await commands.executeCommand('crosstalk.agents.focus');
		const found = await eventually(
			'The agent has a row',
			async () => {
				for (const session of await view.tree.getChildren()) {
					const rows = [...(await view.tree.getChildren(session))];
					for (const row of rows) rows.push(...(await view.tree.getChildren(row)));
					const agent = rows.find((row) => row.kind === 'agent' && row.agentId === agentId);
					if (agent?.kind === 'agent') return agent;
				}
				return undefined;
			},
			(row) => row !== undefined,
		);
		assert.ok(found);
		return found;
	}
});

/** As the row of a held call. */
function rowOf(stopId: string): object {
	return { server: 'analytics', callId: stopId };
}

async function notifications(): Promise<readonly string[]> {
	await commands.executeCommand('notifications.showList');
	return labels('.notifications-center .notification-list-item-message');
}

/** With the mouse. */
async function choose(row: string): Promise<void> {
	const selector = `.quick-input-list .monaco-list-row:has-text("${row}")`;
	await actUntil(
		`${row} is chosen`,
		() => click(selector),
		async () => (await labels(`${input} .quick-input-message`)).some((words) => words.startsWith(prompt)),
	);
}

async function typeAnswer(text: string, picture?: string): Promise<void> {
	await eventually(
		'The answer can be typed',
		async () => [await labels(`${input} .quick-input-message`), await labels(`${input} input:focus`)],
		([words = [], focused = []]) => words.some((each) => each.startsWith(prompt)) && focused.length > 0,
	);
	await type(text);
	if (picture !== undefined) await screenshot(picture);
	await press('Enter');
}

/** One that has been closed is hidden, with what stood in it. */
const input = '.quick-input-widget:not([style*="display: none"])';
const prompt = 'A text, or JSON.';
