#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import type { Output } from './io.ts';
import { nodeObstacle } from './nodeVersion.ts';
import { userHome } from '../platform/node/userHome.ts';
import { whyUnwritable } from '../platform/node/errno.ts';

if (isMainThread) {
	process.exitCode = await runMain();
} else {
	const { serveTasks } = await import('./sessionWorker.ts');
	serveTasks();
}

async function runMain(): Promise<number> {
	// Before anything that an older one does not know.
	const obstacle = nodeObstacle(process.versions.node);
	if (obstacle !== undefined) {
		process.stderr.write(`crosstalk: ${obstacle}\n`);
		return 2;
	}
	const [{ main }, { createNodePlatform }, { userCatalogue }] = await Promise.all([
		import('./main.ts'),
		import('../platform/node/platform.ts'),
		import('./userCatalogue.ts'),
	]);
	const parent = process.ppid;
	const stop = new AbortController();
	// The second time the system's own way ends the process.
	process.once('SIGINT', () => stop.abort());
	process.once('SIGTERM', () => stop.abort());
	return main(process.argv.slice(2), {
		stdout: outputOf(process.stdout, stop, cannotWrite),
		stderr: outputOf(process.stderr, stop, () => undefined),
		pipe: {
			get input() {
				return process.stdin;
			},
			get output() {
				return process.stdout;
			},
			// A process that loses its parent is given another one; on Windows it keeps the number.
			isOrphan: () => process.ppid !== parent,
		},
		workingFolder: process.cwd(),
		// Some commands are of use where there is none.
		get homeFolder() {
			return userHome();
		},
		environment: process.env,
		platform: createNodePlatform(true, userCatalogue),
		installation: installation(),
		workerEntry: new URL(import.meta.url),
		signal: stop.signal,
	});
}

/** Such as a disk that is full: what was to be said is lost, whatever the command then gives. */
function cannotWrite(error: Error): void {
	process.once('exit', () => (process.exitCode = 2));
	process.stderr.write(`crosstalk: The output cannot be written: ${whyUnwritable(error)}\n`);
}

function outputOf(stream: NodeJS.WriteStream, stop: AbortController, failed: (error: Error) => void): Output {
	let isClosed = false;
	stream.on('error', (error: NodeJS.ErrnoException) => {
		// `| head` has seen enough: that is no failure.
		if (!isClosed && error.code !== 'EPIPE') failed(error);
		isClosed = true;
		stop.abort();
	});
	return {
		isTerminal: stream.isTTY,
		write(text) {
			if (!isClosed) stream.write(text);
		},
	};
}

/** The folder of `package.json`: one up from the bundle, two up from the source. */
function installation(): URL {
	const above = new URL('../', import.meta.url);
	return existsSync(new URL('package.json', above)) ? above : new URL('../../', import.meta.url);
}
