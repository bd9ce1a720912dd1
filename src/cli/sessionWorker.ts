import { parentPort } from 'node:worker_threads';
import { createCore } from '../core/core.ts';
import type { SessionFindings } from '../core/report/index.ts';
import { createNodePlatform } from '../platform/node/platform.ts';
import { userCatalogue } from './userCatalogue.ts';
import { runTask } from './sessionTasks.ts';
import type { SessionTask, SummaryResult } from './sessionTasks.ts';
import { TaskShare } from './taskShare.ts';

/** What there is to do: the thread takes from the front of the row for as long as there is something. */
export interface TasksMessage {
	readonly tasks: readonly SessionTask[];
	readonly share: SharedArrayBuffer;
}

export type WorkerMessage =
	/** It has started, and is about to take its first task. */
	| { readonly type: 'begun' }
	| { readonly type: 'progress'; readonly bytes: number }
	/** `index`: in the row. */
	| { readonly type: 'done'; readonly index: number; readonly result: SessionFindings | SummaryResult };

// Often enough for a progress bar, seldom enough to cost nothing.
const progressStep = 4 * 1024 * 1024;

/** The other side of `runTasks`: one task at a time, until the main thread ends this one. */
export function serveTasks(): void {
	const port = parentPort;
	if (port === null) throw new Error('There is no main thread to work for.');
	const platform = createNodePlatform(true, { ...userCatalogue, warn: () => undefined });
	const core = createCore(platform);
	let unreported = 0;
	const report = (message: WorkerMessage) => port.postMessage(message);
	const onProgress = (bytes: number) => {
		unreported += bytes;
		if (unreported < progressStep) return;
		report({ type: 'progress', bytes: unreported });
		unreported = 0;
	};
	const work = async ({ tasks, share: memory }: TasksMessage): Promise<void> => {
		report({ type: 'begun' });
		const share = new TaskShare(tasks.length, memory);
		for (let index = share.next('front'); index !== undefined; index = share.next('front')) {
			const task = tasks[index];
			if (task === undefined) throw new Error(`There is no task ${index}.`);
			report({ type: 'done', index, result: await runTask(core, platform, task, { onProgress }) });
		}
	};
	// What fails here is a bug: the rejection ends the thread and reaches the main one as its `error` event.
	port.on('message', (message: TasksMessage) => void work(message));
}
