import { printable } from '../core/report/index.ts';
import type { CommandIo } from './io.ts';

export interface FileProblem {
	readonly path: string;
	/** 1-based, where it is about a place in the file. */
	readonly line?: number | undefined;
	/** A finished sentence. */
	readonly message: string;
}

/** What is wrong with a file, as one line on stderr. */
export function tellProblem(io: CommandIo, { path, line, message }: FileProblem): void {
	const place = `${printable(path)}${line === undefined ? '' : `:${line}`}`;
	io.stderr.write(`crosstalk: ${place}: ${printable(message)}\n`);
}
