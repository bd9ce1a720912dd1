// The scene's process, as suites in the extension host drive it.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { extensions } from 'vscode';
import type { Scene, SceneState } from './scene.ts';

export interface SceneProcess {
	readonly scene: Scene;
	state(): Promise<SceneState>;
	close(): Promise<void>;
}

export async function startScene(): Promise<SceneProcess> {
	const folder = extensions.getExtension('crosstalk.crosstalk')?.extensionPath ?? '';
	const child = spawn(
		process.execPath,
		['--no-warnings', join(folder, 'test', 'vscode', 'scene', 'claudeScene.ts')],
		{ stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } },
	);
	const lines = new Lines(child);
	// The scene's own words, typed by the same contract.
	const scene = JSON.parse(await lines.next()) as Scene;
	return {
		scene,
		async state() {
			child.stdin.write('\n');
			return JSON.parse(await lines.next()) as SceneState; // as above
		},
		async close() {
			const closed = new Promise((resolve) => child.once('close', resolve));
			child.stdin.end();
			if (child.exitCode === null) await closed;
		},
	};
}

class Lines {
	private readonly read: string[] = [];
	private readonly waiting: {
		readonly resolve: (line: string) => void;
		readonly reject: (error: Error) => void;
	}[] = [];
	private errors = '';

	constructor(child: ChildProcess) {
		let rest = '';
		child.stdout?.setEncoding('utf8').on('data', (text: string) => {
			const lines = (rest + text).split('\n');
			rest = lines.pop() ?? '';
			for (const line of lines) {
				const next = this.waiting.shift();
				if (next === undefined) this.read.push(line);
				else next.resolve(line);
			}
		});
		child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
		child.once('close', () => {
			for (const { reject } of this.waiting) reject(new Error(`The scene has ended: ${this.errors}`));
		});
	}

	next(): Promise<string> {
		const line = this.read.shift();
		if (line !== undefined) return Promise.resolve(line);
		return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
	}
}
