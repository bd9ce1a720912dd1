// The hooks of a real Claude Code: what of it reaches the host, and what it does with what the host answers.

import assert from 'node:assert/strict';
import { access, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { HeldCall, Resumption } from '../../src/core/debug/index.ts';
import type { HookEvent } from '../../src/core/events/sessionEvent.ts';
import { attach } from '../../src/platform/node/host/attach.ts';
import type { ControlClient } from '../../src/platform/node/host/controlClient.ts';
import { AdapterClient } from '../debugAdapter/adapterClient.ts';
import { allEvents } from '../platform/node/recordedEvents.ts';
import { until } from './agentProcess.ts';
import type { AgentProcess } from './agentProcess.ts';
import { claudeCodeVersion, installationTimeoutMs, installedClaudeCode } from './agents.ts';
import { ClaudeCode } from './claudeCode.ts';
import { Codex } from './codex.ts';
import { Crosstalk, builtCommandLine, cli } from './crosstalk.ts';
import type { ScriptedBlock } from './scriptedModel.ts';
import { agentCall, call, isRoot, nextTurn, rootPrompt, text, workbenchCall } from './scripts.ts';
import { Workbench } from './workbench.ts';
import { list, record } from './written.ts';

describe(`the hooks of Claude Code ${claudeCodeVersion}`, () => {
	before('it is installed', async function () {
		this.timeout(installationTimeoutMs);
		await installedClaudeCode();
	});
	before('and Crosstalk is built', builtCommandLine);

	describe('with a debugger', () => {
		let scene: Scene;
		let stops: readonly HeldCall[];
		let results: ReadonlyMap<string, unknown>;
		let events: readonly HookEvent[];

		before(async () => {
			scene = await Scene.create([
				[bash('held', 'echo as it was')],
				[workbenchCall('edited', 'echo', { text: 'as it was' })],
				[bash('forbidden', 'echo as it was')],
				[bash('changed', 'echo as it was')],
				[workbenchCall('answered', 'echo', { text: 'as it was' })],
				[bash('refused', 'touch refused')],
				[workbenchCall('failed', 'fail', {})],
				[agentCall('spawning', 'WORKER 1')],
				[text('Noted.')],
			]);
			const agent = scene.run();
			const control = await scene.attach();
			const all: HeldCall[] = [];
			control.onDebug('debug/didStop', (held) => {
				all.push(held);
				const how = answers[`${held.at} ${held.toolUseId}`] ?? { action: 'continue' };
				// oxlint-disable-next-line unicorn/no-thenable -- a word of the protocol
				void control.request('debug/resume', { stopId: held.stopId, ...how, then: 'run' });
			});
			await scene.debug(control, [
				{ id: 'own', tool: 'Bash' },
				{ id: 'own results', tool: 'Bash', at: 'after' },
				{ id: 'of a server', tool: 'workbench/echo', agent: 'main' },
			]);
			scene.begin();
			assert.deepEqual(await agent.exited, { code: 0, signal: null }, agent.stderr());
			control.dispose();
			stops = all;
			results = scene.results();
			events = await scene.hookEvents();
		});
		after(async () => scene?.dispose());

		it('stop calls of all tools, before and after, of the agents that are meant', () => {
			assert.deepEqual(
				stops.map(({ at, toolUseId, server, tool, heldBy, agentId }) =>
					[at, toolUseId, server, tool, heldBy, agentId].join(' '),
				),
				[
					'before held  Bash hook main',
					'after held  Bash hook main',
					'before edited workbench echo hook main',
					'before forbidden  Bash hook main',
					'before changed  Bash hook main',
					'after changed  Bash hook main',
					'before answered workbench echo hook main',
					'before refused  Bash hook main',
				],
			);
			for (const { heldUntil, heldSince } of stops) assert.ok((heldUntil ?? 0) - heldSince > 3_500_000);
		});

		it('let them go on as they were', () => assert.equal(results.get('held'), 'as it was'));

		it('give the server other arguments', async () => {
			assert.deepEqual(results.get('edited'), [{ type: 'text', text: 'edited' }]);
			const inputs = (await scene.workbench.notes()).filter(
				({ phase, tool }) => phase === 'started' && tool === 'echo',
			);
			// The one that was answered by hand is not among them.
			assert.deepEqual(
				inputs.map(({ input }) => input),
				[{ text: 'edited' }, { text: 'from the worker' }],
			);
		});

		it('leave it to the agent whether a call with other arguments is allowed', async () => {
			assert.match(String(results.get('forbidden')), /needs approval/);
			await assert.rejects(access(join(scene.workbench.folder, 'forbidden')));
		});

		it('give the model another result', () => assert.equal(results.get('changed'), 'changed'));

		it('answer a call of a server on its way there', () =>
			assert.deepEqual(results.get('answered'), [{ type: 'text', text: 'by hand' }]));

		it('answer another one with a refusal that has the words', async () => {
			assert.match(String(results.get('refused')), /by hand$/);
			await assert.rejects(access(join(scene.claudeCode.workingDirectory, 'refused')));
		});

		it('tell the host of everything, each once', () => {
			const kinds = new Set(events.map(({ event }) => event));
			for (const kind of [
				...['SessionStart', 'UserPromptSubmit', 'PreToolUse', 'PermissionRequest', 'PostToolUse'],
				...['PostToolUseFailure', 'PostToolBatch', 'SubagentStart', 'SubagentStop', 'MessageDisplay'],
				...['Stop', 'SessionEnd'],
			])
				assert.ok(kinds.has(kind), kind);
			const calls = events.filter(({ event }) => event === 'PreToolUse').map(({ toolUseId }) => toolUseId);
			assert.equal(new Set(calls).size, calls.length);
		});

		it('tell which agent a call has started', () => {
			const [spawn] = events.filter(
				({ event, toolUseId }) => event === 'PostToolUse' && toolUseId === 'spawning',
			);
			const [started] = events.filter(({ event }) => event === 'SubagentStart');
			assert.ok(spawn?.spawnedAgentId);
			assert.deepEqual(started?.agent, { id: spawn.spawnedAgentId });
		});
	});

	describe('whose host is killed while it holds a call', () => {
		let scene: Scene;
		after(async () => scene?.dispose());

		it('let it go, and the agent runs to its end', async () => {
			scene = await Scene.create([[bash('held', 'echo as it was')], [text('Done.')]]);
			const agent = scene.run();
			const control = await scene.attach();
			const held = new Promise<HeldCall>((resolve) => control.onDebug('debug/didStop', resolve));
			await scene.debug(control, [{ id: 'own', tool: 'Bash' }]);
			scene.begin();
			await Promise.race([held, agent.exited.then(() => assert.fail('the agent has ended'))]);
			const { host } = await control.request('host/status', {});
			process.kill(host.pid, 'SIGKILL');
			assert.deepEqual(await agent.exited, { code: 0, signal: null }, agent.stderr());
			assert.equal(scene.results().get('held'), 'as it was');
			control.dispose();
		});
	});

	describe('beside a Codex', () => {
		let scene: Scene;
		after(async () => scene?.dispose());

		it('and its hooks stop calls of all its tools', async function () {
			this.timeout(installationTimeoutMs);
			scene = await Scene.create([
				[call('held', 'exec_command', { cmd: 'echo as it was' })],
				[workbenchCall('edited', 'echo', { text: 'as it was' })],
				[call('changed', 'exec_command', { cmd: 'echo as it was' })],
				[text('Done.')],
			]);
			const agent = scene.runCodex(await Codex.create(scene.workbench, 'v1'));
			const control = await scene.attach();
			const stops: string[] = [];
			control.onDebug('debug/didStop', ({ at, toolUseId, server, tool, heldBy, agentId, stopId }) => {
				stops.push([at, toolUseId, server, tool, heldBy, agentId].join(' '));
				const how = answers[`${at} ${toolUseId}`] ?? { action: 'continue' };
				// oxlint-disable-next-line unicorn/no-thenable -- a word of the protocol
				void control.request('debug/resume', { stopId, ...how, then: 'run' });
			});
			await scene.debug(control, [
				{ id: 'own', tool: 'Bash' },
				{ id: 'own results', tool: 'Bash', at: 'after' },
				{ id: 'of a server', tool: 'workbench/echo' },
			]);
			scene.begin();
			assert.deepEqual(await agent.exited, { code: 0, signal: null }, agent.stderr());
			control.dispose();
			assert.deepEqual(stops, [
				'before held  Bash hook main',
				'after held  Bash hook main',
				'before edited workbench echo hook main',
				'before changed  Bash hook main',
				'after changed  Bash hook main',
			]);
			const input = list(scene.workbench.model.requests.at(-1)?.body['input']);
			const outputs = new Map(input.map((item) => [item['call_id'], JSON.stringify(item['output'])]));
			assert.match(outputs.get('held') ?? '', /as it was/);
			assert.match(outputs.get('edited') ?? '', /"edited"/);
			assert.equal(outputs.get('changed'), '"changed"');
		});
	});

	describe('beside a Codex that a debugger has launched', () => {
		let scene: Scene;
		let client: AdapterClient;
		after(async () => {
			await client?.close();
			await scene?.dispose();
		});

		it('stop its calls, take an edited argument, and let it run to its end', async function () {
			this.timeout(installationTimeoutMs);
			scene = await Scene.create([
				[call('held', 'exec_command', { cmd: 'echo as it was' })],
				[workbenchCall('edited', 'echo', { text: 'as it was' })],
				[text('Done.')],
			]);
			const codex = await Codex.create(scene.workbench, 'v1');
			const { command: program, args, cwd, environment: env } = codex.command(`${rootPrompt}: go`);
			client = new AdapterClient();
			client.defaultTimeout = 60_000;
			const configuration = { program, as: 'codex', args, cwd, env, data: scene.dataDirectory };
			const breakpoints = [{ name: 'Bash' }, { name: 'main:workbench/echo' }];
			await client.open(configuration, {
				before: async () => client.ask('setFunctionBreakpoints', { breakpoints }),
			});
			const stop = async (act: () => Promise<unknown>) => {
				const [stopped] = await Promise.all([client.waitForEvent('stopped', 60_000), act()]);
				return (stopped as DebugProtocol.StoppedEvent).body; // the name says which it is
			};
			const first = await stop(async () => {
				await client.ask('configurationDone');
				scene.begin();
			});
			assert.match(String(first.description), /^Breakpoint "Bash"/);
			const threadId = first.threadId ?? 0;
			const [bash] = await client.frames(threadId);
			assert.match(bash?.name ?? '', /^Bash\(.*echo as it was/);
			await stop(async () => client.ask('continue', { threadId }));
			const [echo] = await client.frames(threadId);
			assert.equal(echo?.name, 'echo(text: "as it was")');
			const { scopes } = (await client.ask('scopes', {
				frameId: echo.id,
			})) as DebugProtocol.ScopesResponse['body']; // as the protocol says
			const variablesReference = scopes[0]?.variablesReference ?? 0;
			await client.ask('setVariable', { variablesReference, name: 'text', value: '"edited"' });
			const [exited] = await Promise.all([
				client.waitForEvent('exited', 60_000),
				client.waitForEvent('terminated', 60_000),
				client.ask('continue', { threadId }),
			]);
			assert.equal((exited as DebugProtocol.ExitedEvent).body.exitCode, 0, client.exchange.join('\n'));
			const input = list(scene.workbench.model.requests.at(-1)?.body['input']);
			const outputs = new Map(input.map((item) => [item['call_id'], JSON.stringify(item['output'])]));
			assert.match(outputs.get('held') ?? '', /as it was/);
			assert.match(outputs.get('edited') ?? '', /"edited"/);
		});
	});

	describe('that are installed in a project', () => {
		let scene: Scene;
		const turns = [[bash('own', 'echo as it was')], [text('Done.')]];
		after(async () => scene?.dispose());

		it('start a host where none runs, and go without a trace', async () => {
			scene = await Scene.create(turns);
			scene.begin();
			await scene.hooks('install', '--write');
			const settings = join(scene.claudeCode.workingDirectory, '.claude', 'settings.local.json');
			assert.match(await readFile(settings, 'utf8'), /\/hooks\/claude-code/);
			await scene.stopHost();
			const agent = scene.start();
			assert.deepEqual(await agent.exited, { code: 0, signal: null }, agent.stderr());
			assert.equal(agent.stderr(), '');
			const kinds = (await scene.hookEvents()).map(({ event }) => event);
			for (const kind of ['SessionStart', 'UserPromptSubmit', 'PreToolUse', 'PostToolUse', 'SessionEnd'])
				assert.ok(kinds.includes(kind), `${kind} of ${kinds.join(' ')}`);
			assert.equal(scene.results().get('own'), 'as it was');
		});

		it('do no harm where there is no host and none can be', async () => {
			await scene.stopHost();
			await rename(scene.dataDirectory, `${scene.dataDirectory}-gone`);
			await writeFile(scene.dataDirectory, 'in the way');
			const before = scene.workbench.model.requests.length;
			const agent = scene.start();
			assert.deepEqual(await agent.exited, { code: 0, signal: null }, agent.stderr());
			assert.equal(scene.results(before).get('own'), 'as it was');
		});
	});
});

type Answer = Resumption extends infer One ? (One extends unknown ? Omit<One, 'then'> : never) : never;

const answers: Readonly<Record<string, Answer>> = {
	'before edited': { action: 'edit-arguments', arguments: '{"text":"edited"}' },
	'before forbidden': {
		action: 'edit-arguments',
		arguments: '{"command":"touch ../forbidden","description":"x"}',
	},
	'after changed': { action: 'edit-result', result: 'changed' },
	'before answered': { action: 'answer', result: 'by hand', isError: false },
	'before refused': { action: 'answer', result: 'by hand', isError: false },
};

function bash(id: string, command: string): ScriptedBlock {
	return call(id, 'Bash', { command, description: command });
}

class Scene {
	readonly workbench: Workbench;
	readonly claudeCode: ClaudeCode;
	readonly dataDirectory: string;
	/** The model says nothing before. */
	readonly begin: () => void;

	private constructor(workbench: Workbench, claudeCode: ClaudeCode, begin: () => void) {
		this.workbench = workbench;
		this.claudeCode = claudeCode;
		this.dataDirectory = join(workbench.folder, 'data');
		this.begin = begin;
	}

	static async create(turns: readonly (readonly ScriptedBlock[])[]): Promise<Scene> {
		const begun = Promise.withResolvers<void>();
		const workbench = await Workbench.create(() => async (request) => {
			await begun.promise;
			if (isRoot(request)) return nextTurn(request, 'main', turns);
			return nextTurn(request, 'worker', [
				[workbenchCall('worker_1', 'echo', { text: 'from the worker' })],
				[text('Worker 1 is done.')],
			]);
		});
		const claudeCode = await ClaudeCode.create(workbench);
		await writeFile(
			join(claudeCode.workingDirectory, '.mcp.json'),
			JSON.stringify({ mcpServers: { workbench: workbench.mcpServer } }),
		);
		return new Scene(workbench, claudeCode, begun.resolve);
	}

	/** Through Crosstalk. */
	run(): AgentProcess {
		const { command, args, cwd, environment } = this.claudeCode.command(`${rootPrompt}: go`);
		return this.workbench.run({
			command: process.execPath,
			args: [cli, 'run', '--data', this.dataDirectory, '--', command, ...args],
			cwd,
			environment,
		});
	}

	runCodex(codex: Codex): AgentProcess {
		const { command, args, cwd, environment } = codex.command(`${rootPrompt}: go`);
		return this.workbench.run({
			command: process.execPath,
			args: [cli, 'run', '--hooks', '--data', this.dataDirectory, '--', command, ...args],
			cwd,
			environment,
		});
	}

	/** As a person starts it who does not think of Crosstalk. */
	start(): AgentProcess {
		return this.workbench.run(this.claudeCode.command(`${rootPrompt}: go`));
	}

	async hooks(...args: readonly string[]): Promise<void> {
		const command = new Crosstalk(this.claudeCode).start('hooks', ...args, '--data', this.dataDirectory);
		assert.deepEqual(await command.exited, { code: 0, signal: null }, command.stderr());
	}

	async attach(): Promise<ControlClient> {
		return until('the host', () => attach({ directory: this.dataDirectory, client: 'test' }));
	}

	async debug(
		control: ControlClient,
		breakpoints: Parameters<typeof control.request<'debug/set'>>[1]['breakpoints'],
	): Promise<void> {
		const { isReadOnly } = await control.request('debug/attach', { client: 'test', sessions: null });
		assert.equal(isReadOnly, false);
		const status = await control.request('debug/set', { breakpoints, rules: [], onToolError: false });
		for (const { isVerified, message } of status.breakpoints) assert.ok(isVerified, message);
	}

	/** What the model was told its calls have come to, by id. */
	results(from = 0): ReadonlyMap<string, unknown> {
		const requests = this.workbench.model.requests.slice(from).filter(isRoot);
		const messages = list(requests.at(-1)?.body['messages']);
		const blocks = messages.flatMap(({ content }) => (Array.isArray(content) ? list(content) : []));
		return new Map(
			blocks
				.filter(({ type }) => type === 'tool_result')
				.map((block) => [String(record(block)['tool_use_id']), block['content']]),
		);
	}

	async hookEvents(): Promise<readonly HookEvent[]> {
		// What is recorded is written when the host ends.
		await this.stopHost();
		const { events, problems } = await allEvents(this.dataDirectory);
		assert.deepEqual(problems, []);
		return events.filter((event): event is HookEvent => event.type === 'hook');
	}

	async stopHost(): Promise<void> {
		const control = await attach({ directory: this.dataDirectory, client: 'test' });
		if (control === undefined) return;
		const closed = new Promise<void>((resolve) => control.onDidClose(resolve));
		// It may end before it answers.
		await control.request('host/stop', { isForced: true }).catch(() => undefined);
		await closed;
		const { pid } = control.address;
		control.dispose();
		await until('the end of the host', () => (isRunning(pid) ? undefined : true));
	}

	async dispose(): Promise<void> {
		await this.stopHost().catch(() => undefined); // its folder may be gone
		await this.workbench.dispose();
	}
}

function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}
