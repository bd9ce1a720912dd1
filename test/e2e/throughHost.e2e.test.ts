// A real Claude Code with eight subagents, a real Codex with eight children and VS Code's own MCP client, all at the same time through
// one host. What the host says of each call is compared with what the agents themselves have written.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { CallEnded, SessionEvent } from '../../src/core/events/sessionEvent.ts';
import type { CallStatus, HostStatus } from '../../src/core/host/status.ts';
import { attach } from '../../src/platform/node/host/attach.ts';
import type { ControlClient } from '../../src/platform/node/host/controlClient.ts';
import { allEvents } from '../platform/node/recordedEvents.ts';
import { filesBelow, readJson, until } from './agentProcess.ts';
import type { AgentCommand, AgentProcess } from './agentProcess.ts';
import {
	claudeCodeVersion,
	codexVersion,
	installationTimeoutMs,
	installedClaudeCode,
	installedCodex,
} from './agents.ts';
import { ClaudeCode } from './claudeCode.ts';
import { Codex } from './codex.ts';
import { Crosstalk, builtCommandLine, cli } from './crosstalk.ts';
import { claudeCodeWorkers, codexWorkers, numbers, rootPrompt } from './scripts.ts';
import { startVscodeClient } from './vscodeClient.ts';
import type { VscodeClient } from './vscodeClient.ts';
import { Workbench } from './workbench.ts';

const workers = 8;

describe(`Claude Code ${claudeCodeVersion}, Codex ${codexVersion} and VS Code through one host`, () => {
	before('the agents are installed', async function () {
		this.timeout(2 * installationTimeoutMs);
		await installedClaudeCode();
		await installedCodex();
	});
	before('and Crosstalk is built', builtCommandLine);

	describe('at the same time', () => {
		let scene: Scene;
		let claude: AgentProcess;
		let codex: AgentProcess;
		let vscode: VscodeClient;
		let beforeRun: ReadonlyMap<string, string>;
		let during: HostStatus;
		let afterRun: HostStatus;

		before(async function () {
			this.timeout(480_000);
			scene = await Scene.create();
			beforeRun = await scene.configurations();
			claude = scene.start(scene.claudeCode.command(`${rootPrompt}: use workers`));
			// Whoever comes second gets another name for a server that is configured otherwise.
			await scene.workbench.callsStarted(workers, 'wait_for_file', claude);
			codex = scene.start(scene.codex.command(`${rootPrompt}: use workers`));
			const { workbench } = scene;
			await workbench.callsStarted(2 * workers, 'wait_for_file', claude);
			vscode = await startVscodeClient(workbench.folder, {
				dataDirectory: scene.dataDirectory,
				server: 'workbench',
				tool: 'wait_for_file',
				input: { path: workbench.gate },
			});
			await Promise.race([
				workbench.callsStarted(2 * workers + 1, 'wait_for_file', claude),
				vscode.answered.then(() => assert.fail('the gate is closed, and the call has ended')),
			]);
			during = await scene.status();
			await workbench.openGate();
			for (const agent of [claude, codex])
				assert.deepEqual(await agent.exited, { code: 0, signal: null }, agent.stderr());
			await vscode.answered;
			afterRun = await scene.status();
		});
		after(async () => {
			await vscode?.close();
			await scene?.dispose();
		});

		it('ran every call once', async () => {
			const ended = (await scene.workbench.notes()).filter(({ phase }) => phase === 'ended');
			assert.equal(ended.filter(({ tool }) => tool === 'echo').length, 2 * workers);
			assert.equal(ended.filter(({ tool }) => tool === 'wait_for_file').length, 2 * workers + 1);
			assert.match(await vscode.answered, /^found /);
		});

		it('had one server process for Claude Code and VS Code, and one for Codex, whose server gets other variables', async () => {
			const pids = new Set((await scene.workbench.notes()).map(({ pid }) => pid));
			const used = during.servers.filter(({ name }) => name !== 'broken');
			assert.deepEqual(pids, new Set(used.map(({ pid }) => pid)));
			assert.deepEqual(used.map(({ inFlight, sharing }) => `${inFlight} ${sharing}`).toSorted(), [
				`${workers} shared`,
				`${workers + 1} shared`,
			]);
		});

		it('knew of every call of Claude Code which subagent it was', async () => {
			const { id } = await scene.claudeCode.session();
			const calls = during.calls.filter(({ sessionId }) => sessionId === `claude-code:${id}`);
			assert.deepEqual(calls.map(joined).toSorted(), await scene.pendingIn(id, 'toolu_worker_'));
		});

		it('knew of every call of Codex which child it was', async () => {
			const [root = ''] = await scene.codex.rollouts();
			const id = /rollout-.{19}-(.+)\.jsonl$/.exec(root)?.[1] ?? '';
			const calls = during.calls.filter(({ sessionId }) => sessionId === `codex:${id}`);
			assert.deepEqual(calls.map(joined).toSorted(), await scene.pendingIn(id, 'call_worker_'));
		});

		it('knew of the call of VS Code that nobody knows whose it is', () => {
			const others = during.calls.filter(
				({ sessionId }) =>
					sessionId?.startsWith('claude-code:') !== true && sessionId?.startsWith('codex:') !== true,
			);
			assert.deepEqual(
				others.map(({ tool, agentId, toolUseId }) => [tool, agentId, toolUseId]),
				[['wait_for_file', null, null]],
			);
		});

		it('has taken down every call once, completed, and of the agent in whose transcript it is', async () => {
			const ended = (await scene.events()).filter((event): event is CallEnded => event.type === 'call-ended');
			assert.deepEqual(
				ended.filter(({ ending }) => ending !== 'completed'),
				[],
			);
			const known = ended
				.filter(({ toolUseId }) => toolUseId !== undefined)
				.map(({ sessionId, agent, toolUseId }) =>
					[sessionId, 'id' in agent ? agent.id : undefined, toolUseId].map(String).join(' '),
				);
			assert.deepEqual(known.toSorted(), (await scene.writtenCalls()).toSorted());
			assert.equal(ended.length, known.length + 1);
		});

		it('shows each call once, whoever has seen it, and nothing that they say against each other', async () => {
			const { id } = await scene.claudeCode.session();
			const { toolCalls, agents } = await new Crosstalk(scene.claudeCode).show(id, '--data', scene.dataDirectory);
			assert.deepEqual(
				toolCalls.filter(({ conflicts }) => conflicts !== undefined),
				[],
			);
			assert.equal(new Set(toolCalls.map((call) => call.id)).size, toolCalls.length);
			assert.deepEqual(
				toolCalls.filter(({ host, server }) => (host?.length ?? 0) !== (server === 'workbench' ? 1 : 0)),
				[],
			);
			assert.deepEqual(
				toolCalls.filter(({ hooks }) => hooks?.ending !== 'completed'),
				[],
			);
			assert.equal(agents.length, workers + 1);
			const [codexSession = ''] = (await scene.codex.rollouts()).slice(0, 1);
			const codexShown = await new Crosstalk(scene.claudeCode).show(codexSession, '--data', scene.dataDirectory);
			assert.deepEqual(
				codexShown.toolCalls.filter(({ conflicts }) => conflicts !== undefined),
				[],
			);
		});

		it('has nothing in flight any more', () => {
			assert.deepEqual(afterRun.calls, []);
			// What a run has brought goes with it.
			assert.deepEqual(afterRun.servers, []);
		});

		it('has changed no configuration file, and left nothing behind', async () => {
			assert.deepEqual(await scene.configurations(), beforeRun);
			assert.deepEqual(await filesBelow(join(scene.dataDirectory, 'runs')), []);
		});
	});

	describe('whose host is killed in mid-call', () => {
		let scene: Scene;
		let agent: AgentProcess;
		let first: number;

		before(async () => {
			scene = await Scene.create();
			agent = scene.start(scene.claudeCode.command(`${rootPrompt}: use workers`));
			await scene.workbench.callsStarted(workers, 'wait_for_file', agent);
			first = (await scene.status()).host.pid;
			process.kill(first, 'SIGKILL');
			await scene.workbench.openGate();
		});
		after(async () => scene?.dispose());

		it('goes on to its end, each call completed: the tools are read-only', async () => {
			assert.deepEqual(await agent.exited, { code: 0, signal: null }, agent.stderr());
			const { id } = await scene.claudeCode.session();
			const { toolCalls } = await new Crosstalk(scene.claudeCode).show(id);
			assert.deepEqual(
				toolCalls.filter(({ state }) => state !== 'completed'),
				[],
			);
		});

		it('had another host at the same address by then', async () => {
			const { host } = await scene.status();
			assert.notEqual(host.pid, first);
			assert.equal(host.generation, 2);
		});
	});
});

/** One project with servers in the configuration of every client, and one data directory. */
class Scene {
	readonly workbench: Workbench;
	readonly claudeCode: ClaudeCode;
	readonly codex: Codex;
	readonly dataDirectory: string;
	private control: ControlClient | undefined;

	private constructor(workbench: Workbench, claudeCode: ClaudeCode, codex: Codex) {
		this.workbench = workbench;
		this.claudeCode = claudeCode;
		this.codex = codex;
		this.dataDirectory = join(workbench.folder, 'data');
	}

	static async create(): Promise<Scene> {
		const workbench = await Workbench.create((gate) => {
			const options = {
				workers,
				secondCall: () => ({ name: 'wait_for_file', input: { path: gate } }),
			};
			const [claude, codex] = [claudeCodeWorkers(options), codexWorkers('v1', options)];
			return (request) => (request.api === 'messages' ? claude : codex)(request);
		});
		const scene = new Scene(workbench, await ClaudeCode.create(workbench), await Codex.create(workbench, 'v1'));
		const project = scene.claudeCode.workingDirectory;
		const { home } = scene.claudeCode;
		await writeFile(
			join(project, '.mcp.json'),
			// Its calls wait until a VS Code has started, which takes minutes on a slow machine.
			JSON.stringify(
				{ mcpServers: { workbench: { ...workbench.mcpServer, timeout: 900_000 } } },
				undefined,
				'\t',
			),
		);
		await mkdir(join(project, '.claude'));
		await writeFile(join(project, '.claude', 'settings.json'), '{ "permissions": { "deny": ["WebFetch"] } }\n');
		await mkdir(join(home, '.claude'), { recursive: true });
		await writeFile(join(home, '.claude', 'settings.json'), '{ "includeCoAuthoredBy": false }\n');
		// Claude Code itself writes into this one; what is in it about servers is nobody's to change.
		await writeFile(
			join(home, '.claude.json'),
			JSON.stringify({ mcpServers: { broken: { command: 'no-such-program' } } }),
		);
		return scene;
	}

	start({ command, args, cwd, environment }: AgentCommand): AgentProcess {
		return this.workbench.run({
			command: process.execPath,
			args: [cli, 'run', '--data', this.dataDirectory, '--', command, ...args],
			cwd,
			environment,
		});
	}

	async status(): Promise<HostStatus> {
		this.control?.dispose();
		this.control = await until('the host', () => attach({ directory: this.dataDirectory, client: 'test' }));
		return this.control.request('host/status', {});
	}

	/** Hashes of the configuration files, by path. */
	async configurations(): Promise<ReadonlyMap<string, string>> {
		const { home, workingDirectory } = this.claudeCode;
		const hashes = new Map<string, string>();
		for (const path of [
			join(workingDirectory, '.mcp.json'),
			join(workingDirectory, '.claude', 'settings.json'),
			join(home, '.claude', 'settings.json'),
			join(home, '.codex', 'config.toml'),
		])
			hashes.set(
				path,
				createHash('sha256')
					.update(await readFile(path))
					.digest('hex'),
			);
		const { mcpServers } = await readJson(join(home, '.claude.json'));
		hashes.set('servers of the user', JSON.stringify(mcpServers));
		return hashes;
	}

	/** What the host has taken down. */
	async events(): Promise<readonly SessionEvent[]> {
		const { events, problems } = await allEvents(this.dataDirectory);
		assert.deepEqual(problems, []);
		return events;
	}

	/** Of the agents' own transcripts: session, agent and tool use id of every call of an MCP tool. */
	async writtenCalls(): Promise<string[]> {
		const crosstalk = new Crosstalk(this.claudeCode);
		const shown = await Promise.all((await crosstalk.sessions()).map(({ id }) => crosstalk.show(id)));
		return shown.flatMap(({ session, toolCalls }) =>
			toolCalls
				.filter(({ server }) => server === 'workbench')
				.map(({ agentId, id }) => `${session.format}:${session.id} ${agentId} ${id}`),
		);
	}

	/** Of a transcript: session, agent and tool use id of what the workers asked last. */
	async pendingIn(id: string, prefix: string): Promise<string[]> {
		const { session, toolCalls } = await new Crosstalk(this.claudeCode).show(id);
		const calls = numbers(workers).map((worker) => {
			const found = toolCalls.find((call) => call.id === `${prefix}${worker}_2`);
			assert.ok(found, `${prefix}${worker}_2`);
			assert.notEqual(found.agentId, 'main');
			return `${session.format}:${id} ${found.agentId} ${found.id}`;
		});
		return calls.toSorted();
	}

	async dispose(): Promise<void> {
		this.control?.dispose();
		// Before the folder goes in which it is found.
		const control = await attach({ directory: this.dataDirectory, client: 'test' });
		// It may end before it answers.
		await control?.request('host/stop', { isForced: true }).catch(() => undefined);
		control?.dispose();
		await this.workbench.dispose();
	}
}

function joined({ sessionId, agentId, toolUseId }: CallStatus): string {
	return `${sessionId} ${agentId} ${toolUseId}`;
}
