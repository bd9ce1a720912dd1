// An agent program as a child process, in a process group that can be killed as one.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { completeJsonLines } from '../jsonLines.ts';

export interface AgentExit {
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
}

export interface AgentProcess {
	readonly pid: number;
	readonly stdout: () => string;
	readonly stderr: () => string;
	readonly exited: Promise<AgentExit>;
	isRunning(): boolean;
	/** To the agent and everything it started. */
	killGroup(signal: NodeJS.Signals): void;
	/** To the agent alone, as Ctrl-C in a script or a supervisor does. */
	kill(signal: NodeJS.Signals): void;
}

export interface AgentCommand {
	readonly command: string;
	readonly args: readonly string[];
	readonly cwd: string;
	/** The whole environment; nothing of the developer's own is passed on. */
	readonly environment: Readonly<Record<string, string>>;
}

export function startAgent(options: AgentCommand): AgentProcess {
	const child: ChildProcess = spawn(options.command, options.args, {
		cwd: options.cwd,
		env: options.environment,
		detached: true,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let stdout = '';
	let stderr = '';
	let isRunning = true;
	child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
	child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
	const exited = new Promise<AgentExit>((resolve, reject) => {
		child.once('error', reject);
		child.once('exit', () => (isRunning = false));
		child.once('close', (code, signal) => resolve({ code, signal }));
	});
	// A test that does not wait for the end is told of a failed start by the conditions it does wait for.
	exited.catch(() => (isRunning = false));
	const pid = child.pid ?? -1;
	return {
		pid,
		stdout: () => stdout,
		stderr: () => stderr,
		exited,
		isRunning: () => isRunning,
		killGroup: (signal) => {
			if (isRunning) process.kill(-pid, signal);
		},
		kill: (signal) => {
			if (isRunning) process.kill(pid, signal);
		},
	};
}

/** Waits until the condition gives something, and says what it waited for when it never does. */
export async function until<T>(
	what: string,
	condition: () => Promise<T | undefined> | T | undefined,
	options: { readonly agent?: AgentProcess; readonly timeoutMs?: number } = {},
): Promise<T> {
	const deadline = Date.now() + (options.timeoutMs ?? 120_000);
	for (;;) {
		const value = await condition();
		if (value !== undefined) return value;
		const { agent } = options;
		if (agent !== undefined && !agent.isRunning()) {
			throw new Error(
				`The agent ended before ${what}.\n${agent.stdout().slice(-2000)}\n${agent.stderr().slice(-2000)}`,
			);
		}
		if (Date.now() > deadline) {
			throw new Error(
				`Waited in vain for ${what}.${agent === undefined ? '' : `\n${agent.stdout().slice(-2000)}\n${agent.stderr().slice(-2000)}`}`,
			);
		}
		await delay(25);
	}
}

/** Every complete line of a file of JSON lines; none if there is no such file yet. */
export async function readJsonLines(path: string): Promise<Record<string, unknown>[]> {
	const text = await readFile(path, 'utf8').catch(() => '');
	return completeJsonLines(text) as Record<string, unknown>[]; // the files read here are JSON objects, one a line
}

/** A file that is one JSON object, without a newline at its end. */
export async function readJson(path: string): Promise<Record<string, unknown>> {
	// The files read here are JSON objects.
	return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
}

/** Paths of all files below a folder, sorted; none if there is no such folder. */
export async function filesBelow(folder: string): Promise<string[]> {
	const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
	return entries
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name))
		.sort();
}
