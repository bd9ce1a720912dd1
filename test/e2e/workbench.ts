// What every end-to-end scenario stands on: a folder, a scripted model, an MCP server that notes its calls, and a gate that keeps
// calls running until the test opens it.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readJsonLines, startAgent, until } from './agentProcess.ts';
import type { AgentCommand, AgentProcess } from './agentProcess.ts';
import { startScriptedModel } from './scriptedModel.ts';
import type { Script, ScriptedModel } from './scriptedModel.ts';

export interface ServerNote {
	readonly at: number;
	readonly pid: number;
	readonly phase: 'started' | 'ended';
	readonly tool: string;
	readonly input: Record<string, unknown>;
}

export class Workbench {
	readonly folder: string;
	readonly model: ScriptedModel;
	/** `wait_for_file` with this path waits until `openGate`. */
	readonly gate: string;
	readonly mcpServer: {
		readonly command: string;
		readonly args: readonly string[];
		readonly env: Readonly<Record<string, string>>;
	};
	private readonly log: string;
	private readonly processes: AgentProcess[] = [];

	private constructor(folder: string, model: ScriptedModel) {
		this.folder = folder;
		this.model = model;
		this.gate = join(folder, 'gate');
		this.log = join(folder, 'workbench.jsonl');
		this.mcpServer = {
			command: process.execPath,
			args: ['--no-warnings', join(import.meta.dirname, 'mcpServer.ts')],
			env: { WORKBENCH_LOG: this.log },
		};
	}

	static async create(script: (gate: string) => Script): Promise<Workbench> {
		// Short, because agents put unix sockets below it.
		const folder = await mkdtemp(join(tmpdir(), 'xtalk-'));
		return new Workbench(folder, await startScriptedModel(script(join(folder, 'gate'))));
	}

	run(command: AgentCommand): AgentProcess {
		const agent = startAgent(command);
		this.processes.push(agent);
		return agent;
	}

	async openGate(): Promise<void> {
		await writeFile(this.gate, '');
	}

	async notes(): Promise<ServerNote[]> {
		// Written by mcpServer.ts alone.
		return (await readJsonLines(this.log)) as unknown as ServerNote[];
	}

	/** Waits for a number of calls of one tool to have reached the server. */
	async callsStarted(count: number, tool: string, agent: AgentProcess): Promise<void> {
		await until(
			`${count} calls of ${tool}`,
			async () =>
				(await this.notes()).filter((note) => note.phase === 'started' && note.tool === tool).length >= count
					? true
					: undefined,
			{ agent },
		);
	}

	/** Ends what still runs and fails if the script itself failed: the scenario was then not the one it claims to be. */
	async dispose(): Promise<void> {
		for (const agent of this.processes) {
			agent.killGroup('SIGKILL');
			await agent.exited.catch(() => undefined); // a program that did not start has been reported where it was waited for
		}
		await this.model.close();
		if (process.env['CROSSTALK_E2E_KEEP'] === undefined) {
			await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
		}
		const [failure] = this.model.failures;
		if (failure !== undefined) throw failure;
	}
}
