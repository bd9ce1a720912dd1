// A real Codex in a home of its own, with the scripted model behind it and the workbench server beside it.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { filesBelow, readJsonLines } from './agentProcess.ts';
import type { AgentCommand, AgentProcess } from './agentProcess.ts';
import { installedCodex } from './agents.ts';
import type { Workbench } from './workbench.ts';

/** Codex has two sets of tools for subagents; 0.169 offers the first unless told otherwise. */
export type MultiAgentGeneration = 'v1' | 'v2';

export class Codex {
	readonly home: string;
	readonly workingDirectory: string;
	private readonly program: string;
	private readonly workbench: Workbench;

	private constructor(program: string, workbench: Workbench) {
		this.program = program;
		this.workbench = workbench;
		this.home = join(workbench.folder, 'home');
		this.workingDirectory = join(workbench.folder, 'project');
	}

	static async create(workbench: Workbench, generation: MultiAgentGeneration): Promise<Codex> {
		const codex = new Codex(await installedCodex(), workbench);
		await mkdir(join(codex.home, '.codex'), { recursive: true });
		await mkdir(codex.workingDirectory, { recursive: true });
		await writeFile(join(codex.home, '.codex', 'config.toml'), configuration(workbench, generation));
		return codex;
	}

	start(prompt: string, resume?: { readonly thread: string }): AgentProcess {
		return this.workbench.run(this.command(prompt, resume));
	}

	command(prompt: string, resume?: { readonly thread: string }): AgentCommand {
		return {
			command: this.program,
			args: [
				'exec',
				'--skip-git-repo-check',
				'--json',
				...(resume === undefined ? [] : ['resume', resume.thread]),
				prompt,
			],
			cwd: this.workingDirectory,
			environment: { HOME: this.home, PATH: '/usr/local/bin:/usr/bin:/bin', SCRIPTED_KEY: 'scripted' },
		};
	}

	/** All rollouts, in the order in which they were begun: the root's first. */
	async rollouts(): Promise<string[]> {
		const rollouts = (await filesBelow(join(this.home, '.codex', 'sessions'))).filter((path) =>
			path.endsWith('.jsonl'),
		);
		const begun = await Promise.all(
			rollouts.map(async (path) => ({ path, at: String((await readJsonLines(path))[0]?.['timestamp']) })),
		);
		return begun.toSorted((one, other) => (one.at < other.at ? -1 : 1)).map(({ path }) => path);
	}
}

function configuration(workbench: Workbench, generation: MultiAgentGeneration): string {
	const { command, args, env } = workbench.mcpServer;
	// Both limits default to fewer than the eight children of the scenarios; the second counts the root too.
	const multiAgent =
		generation === 'v1'
			? '[agents]\nmax_threads = 8'
			: '[features.multi_agent_v2]\nenabled = true\nmax_concurrent_threads_per_session = 9';
	return `
model = "gpt-5.5"
model_provider = "scripted"
approval_policy = "never"
sandbox_mode = "danger-full-access"

${multiAgent}

[model_providers.scripted]
name = "scripted"
base_url = "${workbench.model.url}/v1"
wire_api = "responses"
env_key = "SCRIPTED_KEY"

[mcp_servers.workbench]
command = ${JSON.stringify(command)}
args = ${JSON.stringify(args)}
env = { ${Object.entries(env)
		.map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
		.join(', ')} }
# Else its children make their first calls whether their servers are ready or not: on a busy machine they are not.
required = true
startup_timeout_sec = 120
tool_timeout_sec = 900
`;
}
