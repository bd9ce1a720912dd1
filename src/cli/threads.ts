// The threads that work on sessions. To start one takes a tenth of a second, so they are started while the rest of the program is loaded,
// where a look at the files says that they will be needed.

import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CommandIo } from './io.ts';

/** Below this a thread costs more to start than it saves. */
export const worthThreads = 32 * 1024 * 1024;
/** Each thread takes some 35 MB; with three, half a gigabyte of transcripts is linted in less than 200 MB. */
const mostThreads = 3;
/** Megabytes. What a reader makes is short-lived: a larger room for it would only fill up before it is swept. */
const youngGeneration = 8;
/** A folder may have more in it than it is worth to look at. */
const mostLooks = 2000;

const waiting: Worker[] = [];

export function threadCount(): number {
	return Math.min(availableParallelism(), mostThreads);
}

/** One that waits already, or a new one. It is the caller's to end. */
export function takeThread(entry: URL): Worker {
	const warm = waiting.shift();
	if (warm === undefined) return start(entry);
	warm.ref();
	return warm;
}

/** Those that nobody needs. */
export async function endThreads(): Promise<void> {
	await Promise.all(waiting.splice(0).map((worker) => worker.terminate()));
}

/**
 * Starts threads when there is much in these files and folders. They keep nobody from ending.
 * @param args Of a command: what is no path is none that exists.
 */
export function warmThreads({ workerEntry, workingFolder }: CommandIo, args: readonly string[]): void {
	if (workerEntry === undefined) return;
	const paths = args
		.filter((argument) => !argument.startsWith('-'))
		.map((path) => (isAbsolute(path) ? path : join(workingFolder, path)));
	if (!isMuch(paths)) return;
	// This thread works too, and one is not needed on a machine that can do but one thing.
	for (let count = Math.max(1, threadCount() - 1); count > 0; count--) {
		const worker = start(workerEntry);
		worker.unref();
		waiting.push(worker);
		// One that cannot start is none. Who needs it starts another, and hears why not.
		worker.on('error', () => undefined);
		worker.once('exit', () => waiting.splice(0, waiting.length, ...waiting.filter((other) => other !== worker)));
	}
}

function start(entry: URL): Worker {
	return new Worker(entry, { resourceLimits: { maxYoungGenerationSizeMb: youngGeneration } });
}

/** Whether there are more bytes of transcripts than one thread should read. */
function isMuch(paths: readonly string[]): boolean {
	const left = [...paths];
	let bytes = 0;
	for (let looks = 0; looks < mostLooks && bytes <= worthThreads; looks++) {
		const path = left.pop();
		if (path === undefined) return false;
		try {
			const found = statSync(path);
			if (found.isFile() && path.endsWith('.jsonl')) bytes += found.size;
			if (!found.isDirectory()) continue;
			for (const name of readdirSync(path)) left.push(join(path, name));
		} catch {
			// Not there, not allowed, links in a circle: whoever reads it says so.
		}
	}
	return bytes > worthThreads;
}
