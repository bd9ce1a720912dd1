import { parentPort } from 'node:worker_threads';
import { createCore } from '../core/core.ts';
import type { SessionFindings } from '../core/report/index.ts';
import { createNodePlatform } from '../platform/node/platform.ts';
import { userCatalogue } from './userCatalogue.ts';
import { runTask } from './sessionTasks.ts';
import type { SessionTask } from './sessionTasks.ts';
import type { SessionSummary } from './summary.ts';

export interface TaskMessage {
	readonly index: number;
	readonly task: SessionTask;
}

export type WorkerMessage =
	| { readonly type: 'ready' }
	| { readonly type: 'progress'; readonly bytes: number }
	| { readonly type: 'done'; readonly index: number; readonly result: SessionFindings | SessionSummary };

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
	report({ type: 'ready' });
	port.on('message', ({ index, task }: TaskMessage) => {
		// What fails here is a bug: the rejection ends the thread and reaches the main one as its `error` event.
		void runTask(core, platform, task, { onProgress }).then((result) => report({ type: 'done', index, result }));
	});
}
