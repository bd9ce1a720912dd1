import { execFile } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';

/** How long a server may take to end by itself, and again after it was asked to by a signal. */
const GRACE_MS = 2000;
const POLL_MS = 20;

/**
 * Sees to the end of a process and of all that it has started in its group: `npx` and `uvx` are not the server itself, and what they
 * leave behind would run for ever. Its stdin is closed already.
 */
export async function endProcess(child: ChildProcess): Promise<void> {
	if (await isGone(child, GRACE_MS)) return;
	signal(child, 'SIGTERM');
	if (await isGone(child, GRACE_MS)) return;
	signal(child, 'SIGKILL');
	// Nothing outlives this but what the kernel holds, and zombies in a container without an init process.
	await isGone(child, GRACE_MS);
}

/** Kills a process and all that it has started in its group. */
export function killProcess(child: ChildProcess): void {
	signal(child, 'SIGKILL');
}

/** After a process has ended by itself: ends what it has left behind. */
export async function endLeftovers(child: ChildProcess): Promise<void> {
	if (!isGroupAlive(child)) return;
	signal(child, 'SIGTERM');
	if (!(await isGone(child, GRACE_MS))) signal(child, 'SIGKILL');
}

async function isGone(child: ChildProcess, withinMs: number): Promise<boolean> {
	const deadline = performance.now() + withinMs;
	while (hasNotExited(child) || isGroupAlive(child)) {
		const left = deadline - performance.now();
		if (left <= 0) return false;
		await nextLook(child, Math.min(left, hasNotExited(child) ? left : POLL_MS));
	}
	return true;
}

/** Resolves when the process exits, or when the time is over. */
function nextLook(child: ChildProcess, milliseconds: number): Promise<void> {
	return new Promise((resolve) => {
		const look = (): void => {
			clearTimeout(timer);
			child.off('exit', look);
			resolve();
		};
		const timer = setTimeout(look, milliseconds);
		child.once('exit', look);
	});
}

function hasNotExited(child: ChildProcess): boolean {
	return child.exitCode === null && child.signalCode === null;
}

function isGroupAlive(child: ChildProcess): boolean {
	// Windows has no groups: its `taskkill` goes from parent to child, which is possible only while the parent lives.
	if (process.platform === 'win32' || child.pid === undefined) return false;
	try {
		process.kill(-child.pid, 0);
		return true;
	} catch {
		// Nobody is left, or only a process that has changed its user and is out of reach.
		return false;
	}
}

function signal(child: ChildProcess, name: 'SIGTERM' | 'SIGKILL'): void {
	if (child.pid === undefined) return;
	if (process.platform === 'win32') {
		const taskkill = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'taskkill.exe');
		const force = name === 'SIGKILL' ? ['/f'] : [];
		// It fails when the process is gone already.
		execFile(taskkill, ['/pid', String(child.pid), '/t', ...force], { windowsHide: true }, () => undefined);
		return;
	}
	try {
		process.kill(-child.pid, name);
	} catch {
		// The last process of the group has just ended.
	}
}
