import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { CommandIo } from '../../src/cli/io.ts';
import { main } from '../../src/cli/main.ts';
import { createNodePlatform } from '../../src/platform/node/platform.ts';

export const root = process.cwd();

/** A command's surroundings, with what it writes kept in memory. Nothing of the machine's own agents is seen. */
export class MemoryIo implements CommandIo {
	readonly stdout = new MemoryOutput();
	readonly stderr = new MemoryOutput();
	readonly pipe = { input: new PassThrough(), output: new PassThrough(), isOrphan: () => false };
	readonly workingFolder: string;
	readonly homeFolder: string;
	readonly environment: Readonly<Record<string, string | undefined>>;
	readonly platform = createNodePlatform(true);
	readonly installation = pathToFileURL(`${root}/`);
	readonly workerEntry: URL | undefined;
	readonly stop = new AbortController();

	constructor(
		options: Partial<Pick<CommandIo, 'workingFolder' | 'homeFolder' | 'environment' | 'workerEntry'>> = {},
	) {
		this.workingFolder = options.workingFolder ?? root;
		this.homeFolder = options.homeFolder ?? `${root}/test/fixtures/no-home`;
		this.environment = options.environment ?? {};
		this.workerEntry = options.workerEntry;
	}

	get signal(): AbortSignal {
		return this.stop.signal;
	}
}

class MemoryOutput {
	isTerminal = false;
	text = '';

	write(text: string): void {
		this.text += text;
	}

	/** Waits until what was written satisfies a condition. */
	async until(isReached: (text: string) => boolean, milliseconds = 30_000): Promise<void> {
		const deadline = Date.now() + milliseconds;
		while (!isReached(this.text)) {
			if (Date.now() > deadline) throw new Error(`It was not written in time. Written was:\n${this.text}`);
			await new Promise((resolve) => setTimeout(resolve, 10));
		}
	}
}

export interface Ran {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** Runs one command to its end. */
export async function run(args: readonly string[], io = new MemoryIo()): Promise<Ran> {
	const code = await main(args, io);
	return { code, stdout: io.stdout.text, stderr: io.stderr.text };
}

/** The superuser may read everything, so it gives that up for a while. */
export async function asNobody<T>(act: () => Promise<T>): Promise<T> {
	if (process.getuid?.() !== 0 || process.seteuid === undefined) return act();
	process.seteuid(65_534);
	try {
		return await act();
	} finally {
		process.seteuid(0);
	}
}
