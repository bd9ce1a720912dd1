// Servers end when their stdin does, or should. Those that do not would outlive a host that was killed, and hold what the next one's
// servers need: so every process is written down, and the next host ends what is left.

import { execFile } from 'node:child_process';
import { appendFile, readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { onceLetGo } from '../host/heldFile.ts';

/** How long what was left behind may take to end, before it is made to. */
const GRACE_MS = 500;
const POLL_MS = 20;

/** The processes of one data directory's servers. */
export class StartedProcesses {
	private readonly path: string;
	private readonly warn: (sentence: string) => void;
	private writing: Promise<void> = Promise.resolve();

	/** @param path The file that they are written to. What is in it of processes that are gone harms nobody. */
	constructor(path: string, warn: (sentence: string) => void) {
		this.path = path;
		this.warn = warn;
	}

	/** Each leads a group of its own, which ends with it. */
	add(pid: number): void {
		// A process is known by its id and its start: ids are given again.
		this.writing = this.writing
			.then(async () => {
				const start = await startOf(pid);
				if (start !== undefined) await appendFile(this.path, `${pid} ${start}\n`, { mode: 0o600 });
			})
			.catch((error: unknown) => {
				this.warn(`${this.path} cannot be written: ${String(error)}. A server may outlive this host.`);
			});
	}

	/** Ends those of the host before, which is gone. */
	async endLeftBehind(): Promise<void> {
		let text: string;
		try {
			text = await readFile(this.path, 'utf8');
		} catch {
			// There was no host before, or none that has started a server.
			return;
		}
		const known = text.matchAll(/^(\d+) (.+)$/gm);
		await Promise.all([...known].map(async ([, pid, start = '']) => this.end(Number(pid), start)));
		await onceLetGo(() => rm(this.path, { force: true }));
	}

	private async end(pid: number, start: string): Promise<void> {
		if ((await startOf(pid)) !== start) return;
		this.warn(`Process ${pid}, a server of the host before, still ran; it was ended.`);
		signal(pid, 'SIGTERM');
		const deadline = performance.now() + GRACE_MS;
		while ((await startOf(pid)) === start) {
			if (performance.now() >= deadline) {
				signal(pid, 'SIGKILL');
				return;
			}
			await delay(POLL_MS);
		}
	}
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
	try {
		process.kill(-pid, name);
	} catch {
		// It has just ended.
	}
}

/** When a process was started, in words of the system; `undefined`: it is gone, or this system does not say. */
async function startOf(pid: number): Promise<string | undefined> {
	try {
		if (process.platform === 'linux') {
			const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
			// What stands before may have blanks and brackets of its own.
			const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
			return state === 'Z' ? undefined : rest[18];
		}
		// There are no groups that could be ended.
		if (process.platform === 'win32') return undefined;
		// In words that do not depend on where the host was started: an editor and a terminal may have other languages.
		const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
		const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)], { env });
		return stdout.trim() === '' ? undefined : stdout.trim();
	} catch {
		return undefined;
	}
}
