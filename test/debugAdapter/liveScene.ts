// An agent that does as it is told, in a project of its own, with a real MCP server, the real `crosstalk run` and a real host around it.

import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { attach } from '../../src/platform/node/host/attach.ts';
import { completeJsonLines } from '../jsonLines.ts';
import type { Plan } from './scriptedClaude.ts';

export interface ServerCall {
	readonly tool: string;
	readonly input: Readonly<Record<string, unknown>>;
}

export class LiveScene {
	readonly folder: string;
	/** The host's. */
	readonly data: string;
	private readonly log: string;

	private constructor(folder: string) {
		this.folder = folder;
		this.data = join(folder, 'data');
		this.log = join(folder, 'calls.jsonl');
	}

	static async create(plan: Plan): Promise<LiveScene> {
		const scene = new LiveScene(await realpath(await mkdtemp(join(tmpdir(), 'xtalk-live-'))));
		const script = join(import.meta.dirname, 'scriptedClaude.ts');
		const server = join(import.meta.dirname, '..', 'vscode', 'scene', 'analyticsServer.ts');
		await mkdir(join(scene.folder, 'home'));
		await writeFile(join(scene.folder, 'plan.json'), JSON.stringify(plan));
		await writeFile(
			join(scene.folder, '.mcp.json'),
			JSON.stringify({
				mcpServers: {
					analytics: {
						command: process.execPath,
						args: ['--no-warnings', server],
						env: { SCENE_LOG: scene.log },
					},
				},
			}),
		);
		const program = join(scene.folder, 'claude');
		const version = `[ "$1" = --version ] && { echo '2.1.328 (Claude Code)'; exit; }`;
		await writeFile(program, `#!/bin/sh\n${version}\nexec "${process.execPath}" --no-warnings "${script}" "$@"\n`);
		await chmod(program, 0o755);
		return scene;
	}

	/** What starts it under the debugger. */
	launch(more: object = {}): object {
		return {
			program: join(this.folder, 'claude'),
			args: ['-p', 'go'],
			cwd: this.folder,
			data: this.data,
			env: {
				HOME: join(this.folder, 'home'),
				SCRIPTED_PLAN: join(this.folder, 'plan.json'),
				SCRIPTED_OUTPUT: join(this.folder, 'output.jsonl'),
			},
			...more,
		};
	}

	/** What has reached the server. */
	async calls(): Promise<readonly ServerCall[]> {
		return (await linesOf(this.log)) as readonly ServerCall[]; // written by the server alone
	}

	/** What the agent's calls came to. */
	async printed(): Promise<readonly unknown[]> {
		return linesOf(join(this.folder, 'output.jsonl'));
	}

	/** How many calls the host holds. */
	async held(): Promise<number> {
		const control = await attach({ directory: this.data, client: 'test' });
		if (control === undefined) throw new Error('There is no host.');
		try {
			const { calls } = await control.request('host/status', {});
			return calls.filter(({ state }) => state === 'held').length;
		} finally {
			control.dispose();
		}
	}

	async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
		for (const deadline = Date.now() + 60_000; !(await isSo()); await delay(25))
			if (Date.now() > deadline) throw new Error(`Waited in vain until ${what}.`);
	}

	async killHost(): Promise<void> {
		const control = await attach({ directory: this.data, client: 'test' });
		if (control === undefined) throw new Error('There is no host.');
		process.kill(control.address.pid, 'SIGKILL');
		control.dispose();
	}

	async dispose(): Promise<void> {
		const control = await attach({ directory: this.data, client: 'test' });
		// It may end before it answers.
		await control?.request('host/stop', { isForced: true }).catch(() => undefined);
		control?.dispose();
		for (
			let round = 0;
			round < 400 && (await attach({ directory: this.data, client: 'test' })) !== undefined;
			round++
		)
			await delay(50);
		await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
	}
}

async function linesOf(path: string): Promise<readonly unknown[]> {
	return completeJsonLines(await readFile(path, 'utf8').catch(() => ''));
}
