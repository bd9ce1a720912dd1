import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../platform/node/host/makeFolder.ts';

/** A folder for what one run hands to its agent. It holds the host's secret, so it lies in the data directory, for its user alone. */
export class RunFolder {
	private readonly path: string;

	private constructor(path: string) {
		this.path = path;
	}

	/** @param isRunning Whether there is a process of that number. */
	static async create(dataDirectory: string, isRunning: (pid: number) => boolean): Promise<RunFolder> {
		const runs = join(dataDirectory, 'runs');
		await makeFolder(runs, 0o700);
		// Runs that were killed could not tidy up.
		for (const name of await readdir(runs)) {
			const pid = Number(/^(\d+)-/.exec(name)?.[1] ?? Number.NaN);
			if (!Number.isNaN(pid) && !isRunning(pid)) await removeFolder(join(runs, name));
		}
		return new RunFolder(await mkdtemp(join(runs, `${process.pid}-`)));
	}

	async write(name: string, text: string): Promise<string> {
		const path = join(this.path, name);
		await writeFile(path, text, { mode: 0o600, flag: 'wx' });
		return path;
	}

	async remove(): Promise<void> {
		await removeFolder(this.path);
	}
}

/** On Windows a file may be in use a moment longer than the agent. What is in use for longer goes with a later run. */
async function removeFolder(path: string): Promise<void> {
	await rm(path, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
}

export function isProcessRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		// Somebody else's process is one, too.
		return error instanceof Error && 'code' in error && error.code === 'EPERM';
	}
}
