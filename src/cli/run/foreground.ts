import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { ExpectedError } from '../../core/base/errors.ts';
import { agentStart } from '../../platform/node/agentStart.ts';
import { killProcess } from '../../platform/node/upstreams/processEnd.ts';

export interface ForegroundCommand {
	readonly command: string;
	readonly args: readonly string[];
	readonly workingFolder: string;
	readonly environment: Readonly<Record<string, string | undefined>>;
	/** Aborted when somebody outside wants it to end. */
	readonly terminated?: AbortSignal | undefined;
	/** Whoever reads its output may go before it does: it is not to notice. */
	readonly isOutputRelayed?: boolean | undefined;
}

/**
 * Runs a command in place of this process: the same terminal, the same input and output. Gives its exit code, as a shell does for a
 * command that a signal has ended.
 */
export async function runInForeground({
	command,
	args,
	workingFolder,
	environment,
	terminated,
	isOutputRelayed = false,
}: ForegroundCommand): Promise<number> {
	const child = startAgent(
		{ command, args, workingFolder, environment },
		isOutputRelayed ? ['inherit', 'pipe', 'pipe'] : 'inherit',
	);
	const isRelayed = Promise.all([relay(child.stdout, process.stdout), relay(child.stderr, process.stderr)]);
	const forward = (signal: NodeJS.Signals) => {
		// Windows has no signals: what is ended may be a shell, with the agent in it.
		if (process.platform === 'win32') killProcess(child);
		else child.kill(signal);
	};
	// A terminal sends Ctrl-C to the agent as well; what it means is the agent's to say. Without one it came to us alone.
	const interrupt = (signal: NodeJS.Signals) => {
		if (!process.stdin.isTTY) forward(signal);
	};
	const terminate = () => forward('SIGTERM');
	terminated?.addEventListener('abort', terminate);
	process.on('SIGINT', interrupt);
	process.on('SIGQUIT', interrupt);
	process.on('SIGTERM', forward);
	process.on('SIGHUP', forward);
	try {
		const exitCode = await new Promise<number>((resolve, reject) => {
			child.once('error', (error) => reject(cannotStart(command, error)));
			child.once('exit', (code, signal) => {
				resolve(code ?? (signal === null ? 1 : 128 + constants.signals[signal]));
			});
		});
		// What it has started in the background may have its output open for as long as it likes, and does not keep this process.
		await Promise.race([isRelayed, delay(lastOutputMs, undefined, { ref: false })]);
		child.stdout?.destroy();
		child.stderr?.destroy();
		return exitCode;
	} finally {
		terminated?.removeEventListener('abort', terminate);
		process.off('SIGINT', interrupt);
		process.off('SIGQUIT', interrupt);
		process.off('SIGTERM', forward);
		process.off('SIGHUP', forward);
	}
}

/** Resolves when there is nothing more. What nobody reads any more is let go, so that whoever writes it is not held up. */
async function relay(from: Readable | null, to: Writable): Promise<void> {
	if (from === null) return;
	to.on('error', () => {
		from.unpipe(to);
		from.resume();
	});
	from.pipe(to, { end: false });
	await new Promise((resolve) => from.once('close', resolve));
}

const lastOutputMs = 1_000;

/** Rejects with a sentence for people when there is no such program, or none that may be started. It is asked for its version. */
export async function assertStarts({
	command,
	workingFolder,
	environment,
}: Omit<ForegroundCommand, 'args'>): Promise<void> {
	const child = startAgent({ command, args: ['--version'], workingFolder, environment }, 'ignore');
	await new Promise<void>((resolve, reject) => {
		child.once('error', (error) => reject(cannotStart(command, error)));
		child.once('spawn', resolve);
	});
	// What it says was of no use before.
	child.kill();
	child.unref();
}

/** Throws a sentence for people where the system would not even be asked. */
function startAgent(
	{ command, args, workingFolder, environment }: ForegroundCommand,
	stdio: 'inherit' | 'ignore' | ['inherit', 'pipe', 'pipe'],
): ChildProcess {
	const start = agentStart({ command, args, cwd: workingFolder }, environment);
	if (typeof start === 'string') throw new ExpectedError(start);
	return spawn(start.file, start.args, {
		cwd: workingFolder,
		// `undefined` leaves a variable out.
		env: { ...environment },
		stdio,
		windowsHide: stdio === 'ignore',
		windowsVerbatimArguments: start.isVerbatim,
	});
}

function cannotStart(command: string, error: NodeJS.ErrnoException): Error {
	const reason =
		error.code === 'ENOENT'
			? 'there is no such program'
			: error.code === 'EACCES'
				? 'it is no program that may be started'
				: error.message;
	return new ExpectedError(`"${command}" cannot be started: ${reason}.`, { cause: error });
}
