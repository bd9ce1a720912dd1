// A real Claude Code in a home of its own, with the scripted model behind it and the workbench server beside it.

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { filesBelow, readJson } from './agentProcess.ts';
import type { AgentCommand, AgentProcess } from './agentProcess.ts';
import { installedClaudeCode } from './agents.ts';
import type { Workbench } from './workbench.ts';

export class ClaudeCode {
	readonly home: string;
	readonly workingDirectory: string;
	private readonly program: string;
	private readonly workbench: Workbench;
	private readonly servers: string;

	private constructor(program: string, workbench: Workbench) {
		this.program = program;
		this.workbench = workbench;
		this.home = join(workbench.folder, 'home');
		this.workingDirectory = join(workbench.folder, 'project');
		this.servers = join(workbench.folder, 'servers.json');
	}

	static async create(workbench: Workbench): Promise<ClaudeCode> {
		const claudeCode = new ClaudeCode(await installedClaudeCode(), workbench);
		await mkdir(claudeCode.home, { recursive: true });
		await mkdir(claudeCode.workingDirectory, { recursive: true });
		await writeFile(claudeCode.servers, JSON.stringify({ mcpServers: { workbench: workbench.mcpServer } }));
		return claudeCode;
	}

	start(prompt: string, flags: readonly string[] = []): AgentProcess {
		return this.workbench.run(
			this.command(prompt, [...flags, '--mcp-config', this.servers, '--strict-mcp-config']),
		);
	}

	/** With the servers that its configuration files name. */
	command(prompt: string, flags: readonly string[] = []): AgentCommand {
		return {
			command: this.program,
			args: [
				'-p',
				prompt,
				...flags,
				'--allowedTools',
				'mcp__workbench Agent SendMessage',
				'--output-format',
				'stream-json',
				'--verbose',
			],
			cwd: this.workingDirectory,
			environment: {
				HOME: this.home,
				PATH: '/usr/local/bin:/usr/bin:/bin',
				TMPDIR: this.workbench.folder,
				CLAUDE_CODE_TMPDIR: this.workbench.folder,
				ANTHROPIC_BASE_URL: this.workbench.model.url,
				ANTHROPIC_API_KEY: 'scripted',
				// Otherwise the workbench's tools hide behind a search and the script would have to search for them.
				ENABLE_TOOL_SEARCH: 'false',
				DISABLE_TELEMETRY: '1',
				DISABLE_AUTOUPDATER: '1',
				CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
			},
		};
	}

	/** Main transcripts, oldest first: one per session. */
	async transcripts(): Promise<string[]> {
		const projects = join(this.home, '.claude', 'projects');
		const found: string[] = [];
		for (const project of await readdir(projects).catch(() => [])) {
			for (const name of await readdir(join(projects, project))) {
				if (name.endsWith('.jsonl')) found.push(join(projects, project, name));
			}
		}
		return found;
	}

	/** The one session there is. */
	async session(): Promise<ClaudeSession> {
		const session = await this.sessionSoFar();
		if (session === undefined) throw new Error('There is no session.');
		return session;
	}

	/** Of one that has only begun nothing may be written yet. */
	async sessionSoFar(): Promise<ClaudeSession | undefined> {
		const [transcript, ...more] = await this.transcripts();
		if (transcript === undefined) return undefined;
		if (more.length > 0) throw new Error(`There should be one session: ${[transcript, ...more].join(', ')}`);
		const folder = transcript.slice(0, -'.jsonl'.length);
		const subagents = (await filesBelow(join(folder, 'subagents'))).filter((path) => path.endsWith('.jsonl'));
		return { id: basename(folder), transcript, subagents };
	}

	/** What the running processes say of themselves. */
	async registry(): Promise<Record<string, unknown>[]> {
		const files = (await filesBelow(join(this.home, '.claude', 'sessions'))).filter((path) =>
			path.endsWith('.json'),
		);
		return Promise.all(files.map(readJson));
	}
}

export interface ClaudeSession {
	readonly id: string;
	readonly transcript: string;
	readonly subagents: readonly string[];
}
