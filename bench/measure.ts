import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** One run of a command as a whole process. */
export interface Run {
	readonly seconds: number;
	/** Peak resident memory in MB; `undefined` where the system does not tell. */
	readonly peakMegabytes: number | undefined;
	readonly stdout: string;
	readonly code: number | null;
}

/** Runs a command with its output kept. Peak memory is read while it runs; the kernel keeps the highest, so a late look is enough. */
export async function run(command: string, args: readonly string[]): Promise<Run> {
	const start = performance.now();
	const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
	let stdout = '';
	child.stdout.on('data', (chunk: Buffer) => {
		if (stdout.length < 10_000_000) stdout += chunk.toString();
	});
	let peak: number | undefined;
	const look = setInterval(() => {
		if (process.platform !== 'linux' || child.pid === undefined) return;
		try {
			const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
			if (found !== undefined) peak = Number(found) / 1000;
		} catch {
			// It has ended meanwhile.
		}
	}, 10);
	const code = await new Promise<number | null>((resolve, reject) => {
		child.on('close', resolve);
		child.on('error', reject);
	});
	clearInterval(look);
	return { seconds: (performance.now() - start) / 1000, peakMegabytes: peak, stdout, code };
}

/** The middle of an odd number of values, or the upper middle. */
export function median(values: readonly number[]): number {
	return percentile(values, 0.5);
}

export function percentile(values: readonly number[], share: number): number {
	const sorted = [...values].sort((one, other) => one - other);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Prints one figure with the bound that it is held to. */
export function report(
	name: string,
	value: number,
	unit: string,
	bound?: { readonly at: 'most' | 'least'; readonly value: number },
): void {
	const isHeld = bound === undefined || (bound.at === 'most' ? value <= bound.value : value >= bound.value);
	const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
	const wanted = bound === undefined ? '' : `  (at ${bound.at} ${bound.value}${unit})${isHeld ? '' : '  MISSED'}`;
	console.log(`${name.padEnd(66)} ${value.toFixed(digits).padStart(8)}${unit}${wanted}`);
	if (!isHeld) process.exitCode = 1;
}
