// An agent that does as it is told, in a project of its own, with a real MCP server, the real `crosstalk run` and a real host around it.

import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { attach } from '../../src/platform/node/host/attach.ts';
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
		await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" --no-warnings "${script}" "$@"\n`);
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
			env: { HOME: join(this.folder, 'home'), SCRIPTED_PLAN: join(this.folder, 'plan.json') },
			...more,
		};
	}

	/** What has reached the server. */
	async calls(): Promise<readonly ServerCall[]> {
		const text = await readFile(this.log, 'utf8').catch(() => '');
		return text
			.split('\n')
			.filter((line) => line !== '')
			.map((line) => JSON.parse(line) as ServerCall); // written by the server alone
	}

	async dispose(): Promise<void> {
		const control = await attach({ directory: this.data, client: 'test' });
		// It may end before it answers.
		await control?.request('host/stop', { isForced: true }).catch(() => undefined);
		control?.dispose();
		for (
			let round = 0;
			round < 50 && (await attach({ directory: this.data, client: 'test' })) !== undefined;
			round++
		)
			await delay(50);
		await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
	}
}
