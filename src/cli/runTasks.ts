import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { createCore } from '../core/core.ts';
import { ExpectedError } from '../core/base/errors.ts';
import { pathsOf } from '../core/transcripts/sessionFiles.ts';
import type { CommandIo } from './io.ts';
import { ProgressBar } from './progressBar.ts';
import { runTask } from './sessionTasks.ts';
import type { SessionTask, TaskResult } from './sessionTasks.ts';
import type { TaskMessage, WorkerMessage } from './sessionWorker.ts';

/** Below this a thread costs more to start than it saves. */
const worthThreads = 32 * 1024 * 1024;
/** Each thread takes some 35 MB; with three, half a gigabyte of transcripts is linted in less than 200 MB. */
const mostThreads = 3;
/** Megabytes. What a reader makes is short-lived: a larger room for it would only fill up before it is swept. */
const youngGeneration = 8;

/**
 * Works on whole sessions, on other threads where there is enough to do: reading blocks its thread, and this one draws and listens. Results come in the order of the tasks, whoever was faster.
 */
export async function runTasks<Task extends SessionTask>(
	io: CommandIo,
	tasks: readonly Task[],
): Promise<readonly TaskResult<Task>[]> {
	const sizes = await Promise.all(tasks.map(async (task) => sizeOf(io, task)));
	const total = sizes.reduce((sum, size) => sum + size, 0);
	const progress = new ProgressBar(io, total);
	const onProgress = (bytes: number) => progress.add(bytes);
	try {
		const threads = Math.min(availableParallelism(), mostThreads, tasks.length);
		if (io.workerEntry !== undefined && threads > 0 && total > worthThreads) {
			const largestFirst = tasks
				.map((_, index) => index)
				.sort((one, other) => (sizes[other] ?? 0) - (sizes[one] ?? 0));
			return await runOnThreads(io.workerEntry, threads, tasks, largestFirst, onProgress, io.signal);
		}
		const core = createCore(io.platform);
		const results: TaskResult<Task>[] = [];
		for (const task of tasks) {
			io.signal.throwIfAborted();
			// What a task gives is said by its kind; the compiler cannot follow that through a type parameter.
			results.push(
				(await runTask(core, io.platform, task, { onProgress, signal: io.signal })) as TaskResult<Task>,
			);
		}
		return results;
	} finally {
		progress.end();
	}
}

async function sizeOf(io: CommandIo, task: SessionTask): Promise<number> {
	let size = 0;
	for (const path of pathsOf(task.session)) {
		try {
			size += (await io.platform.files.stat(path))?.size ?? 0;
		} catch (error) {
			// Whoever reads it will say what is wrong with it.
			if (!(error instanceof ExpectedError)) throw error;
		}
	}
	return size;
}

async function runOnThreads<Task extends SessionTask>(
	entry: URL,
	threads: number,
	tasks: readonly Task[],
	order: readonly number[],
	onProgress: (bytes: number) => void,
	signal: AbortSignal,
): Promise<TaskResult<Task>[]> {
	let starting = threads;
	const results: TaskResult<Task>[] = [];
	const waiting = [...order];
	const workers: Worker[] = [];
	try {
		await Promise.all(
			Array.from({ length: threads }, () => {
				const worker = new Worker(entry, { resourceLimits: { maxYoungGenerationSizeMb: youngGeneration } });
				workers.push(worker);
				return new Promise<void>((resolve, reject) => {
					const next = () => {
						const index = waiting.shift();
						const task = index === undefined ? undefined : tasks[index];
						if (index === undefined || task === undefined) return resolve();
						// A thread, unlike a window, has no origin.
						// eslint-disable-next-line unicorn/require-post-message-target-origin
						worker.postMessage({ index, task } satisfies TaskMessage);
					};
					worker.on('message', (message: WorkerMessage) => {
						if (message.type === 'ready') {
							if (--starting === 0) tuneHeaps();
							return;
						}
						if (message.type === 'progress') return onProgress(message.bytes);
						// What a task gives is said by its kind; the compiler cannot follow that through a thread.
						results[message.index] = message.result as TaskResult<Task>;
						next();
					});
					worker.on('error', reject);
					worker.on('exit', () => reject(new Error('A thread ended before its work was done.')));
					signal.addEventListener('abort', () => reject(new Error('Stopped.')), { once: true });
					next();
				});
			}),
		);
	} finally {
		await Promise.all(workers.map((worker) => worker.terminate()));
	}
	return results;
}

/** For threads that have all started: with flags other than those that Node was built with, V8 compiles Node's own modules anew, which takes longer than a start. */
function tuneHeaps(): void {
	// Each thread has a heap of its own, and left alone it grows to a multiple of what it keeps before it is swept. Measured: the same time
	// as with twice as much, and 10 MB less.
	setFlagsFromString('--heap-growing-percent=60');
	// Every core has a thread of ours already: helpers that sweep beside it only make it wait for them.
	setFlagsFromString('--no-parallel-scavenge');
}
