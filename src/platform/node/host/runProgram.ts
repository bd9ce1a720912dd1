import { spawn } from 'node:child_process';
import { ExpectedError } from '../../../core/base/errors.ts';
import type { Program } from './attach.ts';

export interface ProgramOutput {
	/** `null`: it was ended by a signal. */
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

/** Runs Crosstalk's own command line to its end, with nothing on its input. Rejects with an `ExpectedError` when it cannot be started. */
export function runProgram(
	{ command, args: before, environment }: Program,
	args: readonly string[],
	signal: AbortSignal,
): Promise<ProgramOutput> {
	const child = spawn(command, [...before, ...args], {
		env: { ...process.env, ...environment },
		stdio: ['ignore', 'pipe', 'pipe'],
		windowsHide: true,
	});
	signal.addEventListener('abort', () => child.kill(), { once: true });
	const output = { stdout: '', stderr: '' };
	child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
	child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
	return new Promise((resolve, reject) => {
		child.once('error', (error) =>
			reject(new ExpectedError(`${command} cannot be started: ${error.message}.`, { cause: error })),
		);
		child.once('close', (code) => resolve({ code, ...output }));
	});
}
