import type { Readable, Writable } from 'node:stream';
import type { Platform } from '../core/platform.ts';

/** Everything a command may touch of the process it runs in. */
export interface CommandIo {
	/** Results. */
	readonly stdout: Output;
	/** Progress and whatever a person has to be told. */
	readonly stderr: Output;
	/** For a command that stands between two programs: bytes, as they come and go. Opened when they are first asked for. */
	readonly pipe: {
		readonly input: Readable;
		readonly output: Writable;
		/** Whether the program that has started this one is known to be gone. */
		isOrphan(): boolean;
	};
	/** Absolute. */
	readonly workingFolder: string;
	readonly homeFolder: string;
	readonly environment: Readonly<Record<string, string | undefined>>;
	readonly platform: Platform;
	/** The program's own folder: `package.json`, `docs/`. */
	readonly installation: URL;
	/** The module that a worker thread starts with; `undefined`: everything happens on this thread. */
	readonly workerEntry: URL | undefined;
	/** Aborted when the person, or the reader of the output, wants no more. */
	readonly signal: AbortSignal;
}

export interface Output {
	readonly isTerminal: boolean;
	write(text: string): void;
}

export interface Command {
	readonly help: string;
	/** Where some of the arguments are another program's: those that are not. */
	ownArguments?(args: readonly string[]): readonly string[];
	/** Gives the exit code: 0 done or clean, 1 findings, 2 could not run. */
	run(args: readonly string[], io: CommandIo): Promise<number>;
}

/** Colours are for a person at a terminal who has not said otherwise (https://no-color.org). */
export function hasColours(io: CommandIo): boolean {
	return io.stdout.isTerminal && !io.environment['NO_COLOR'] && io.environment['TERM'] !== 'dumb';
}
