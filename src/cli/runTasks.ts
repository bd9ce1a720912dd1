import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import type { Worker } from 'node:worker_threads';
import { createCore } from '../core/core.ts';
import { ExpectedError } from '../core/base/errors.ts';
import { pathsOf } from '../core/transcripts/sessionFiles.ts';
import type { CommandIo } from './io.ts';
import { ProgressBar } from './progressBar.ts';
import { runTask } from './sessionTasks.ts';
import type { SessionTask, TaskResult } from './sessionTasks.ts';
import type { TasksMessage, WorkerMessage } from './sessionWorker.ts';
import { TaskShare } from './taskShare.ts';
import { endThreads, takeThread, threadCount, worthThreads } from './threads.ts';

/** Bytes of a session that this thread works on itself: a quarter of a second, in which it hears nobody. */
const largestOwn = 64 * 1024 * 1024;

/**
 * Works on whole sessions, on other threads too where there is enough to do: reading blocks its thread, and this one draws and listens. Results come in the order of the tasks, whoever was faster.
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
		if (io.workerEntry !== undefined && total > worthThreads) {
			const order = tasks.map((_, index) => index).sort((one, other) => (sizes[other] ?? 0) - (sizes[one] ?? 0));
			// It draws and listens: of what would keep it from that for long it takes nothing.
			const own = threadCount() < 2 ? 0 : sizes.filter((size) => size <= largestOwn).length;
			const row = order.flatMap((index) => tasks[index] ?? []);
			const found = await runOnThreads(io, io.workerEntry, row, own, onProgress);
			const results: TaskResult<Task>[] = [];
			for (const [place, index] of order.entries()) {
				const result = found[place];
				if (result !== undefined) results[index] = result;
			}
			return results;
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

/**
 * @param row The largest first: threads take from the front, this one from the back.
 * @param own How many of the smallest this thread may take.
 * @returns What became of each, in the order of the row.
 */
async function runOnThreads<Task extends SessionTask>(
	io: CommandIo,
	entry: URL,
	row: readonly Task[],
	own: number,
	onProgress: (bytes: number) => void,
): Promise<readonly TaskResult<Task>[]> {
	const { platform, signal } = io;
	const count = Math.max(1, Math.min(threadCount(), row.length) - (own > 0 ? 1 : 0));
	const share = new TaskShare(row.length);
	const results: TaskResult<Task>[] = [];
	const threads: Worker[] = [];
	const { promise: allDone, resolve, reject } = Promise.withResolvers<void>();
	let open = row.length;
	// What a task gives is said by its kind; the compiler cannot follow that through a thread, nor through a type parameter.
	const settle = (index: number, result: TaskResult<SessionTask>) => {
		results[index] = result as TaskResult<Task>;
		if (--open === 0) resolve();
	};
	let starting = count;
	const runOn = (thread: Worker): void => {
		thread.on('message', (message: WorkerMessage) => {
			switch (message.type) {
				case 'begun':
					if (--starting === 0) tuneEngine();
					break;
				case 'progress':
					onProgress(message.bytes);
					break;
				case 'done':
					settle(message.index, message.result);
					break;
			}
		});
		thread.on('error', reject);
		thread.on('exit', () => reject(new Error('A thread ended before its work was done.')));
		// A thread, unlike a window, has no origin.
		// eslint-disable-next-line unicorn/require-post-message-target-origin
		thread.postMessage({ tasks: row, share: share.memory } satisfies TasksMessage);
	};
	const runHere = async (): Promise<void> => {
		const core = createCore(platform);
		for (let taken = 0; taken < own; taken++) {
			// Messages of the threads, signals and the bar have their turn.
			await setImmediate();
			signal.throwIfAborted();
			const index = share.next('back');
			const task = index === undefined ? undefined : row[index];
			if (index === undefined || task === undefined) return;
			settle(index, await runTask(core, platform, task, { onProgress, signal }));
		}
	};
	signal.addEventListener('abort', () => reject(new Error('Stopped.')), { once: true });
	try {
		for (let started = 0; started < count; started++) threads.push(takeThread(entry));
		threads.forEach(runOn);
		runHere().catch(reject);
		await allDone;
	} finally {
		await Promise.all([...threads.map((thread) => thread.terminate()), endThreads()]);
	}
	return results;
}

/** For threads that have all started: with flags other than those that Node was built with, V8 compiles Node's own modules anew, which takes longer than a start. */
function tuneEngine(): void {
	// Each thread has a heap of its own, and left alone it grows to a multiple of what it keeps before it is swept.
	setFlagsFromString('--heap-growing-percent=80');
	// Every core has a thread of ours already: helpers that sweep beside it only make it wait for them.
	setFlagsFromString('--no-parallel-scavenge');
	// What a reader makes is short-lived: a larger room for it would only fill up before it is swept. Measured: the same time, and 30 to 60 MB less.
	setFlagsFromString('--semi-space-growth-factor=1');
	// Every thread compiles for itself, and no core is free to do that beside it: only what runs very often is worth the dearest kind of code.
	// Measured: a quarter less of the processor, for 500 MB and for 1 GB. Before V8 13 there is no kind below it.
	if (Number.parseInt(process.versions.v8, 10) >= 13) setFlagsFromString('--invocation-count-for-turbofan=100000');
}
