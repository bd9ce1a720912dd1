import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

export interface Finished {
	readonly code: number;
	/** What it wrote to either stream, in the order in which it came. */
	readonly output: string;
}

export interface RunOptions {
	readonly directory?: string;
	readonly environment?: Readonly<Record<string, string>>;
	/** Also pass on what it writes while it runs. */
	readonly isShown?: boolean;
	/** After so long it is killed, and has failed. */
	readonly limitMs?: number;
}

/** So long we wait for the streams of a process that has ended. */
const graceMs = 5_000;

/** Runs a script with the Node that runs us. */
export function runNode(arguments_: readonly string[], options: RunOptions = {}): Promise<Finished> {
	const { directory = root, environment = {}, isShown = false, limitMs } = options;
	const child = spawn(process.execPath, arguments_, {
		cwd: directory,
		env: { ...process.env, ...environment },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let output = '';
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		output += text;
		if (isShown) process.stdout.write(text);
	});
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		output += text;
		if (isShown) process.stderr.write(text);
	});
	return new Promise((resolve, reject) => {
		const limit = limitMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), limitMs);
		child.once('error', reject);
		// What it started may hold its streams for longer than it lives.
		child.once('exit', (code) => {
			clearTimeout(limit);
			const end = () => {
				clearTimeout(grace);
				resolve({ code: code ?? 1, output });
				child.stdout.destroy();
				child.stderr.destroy();
			};
			const grace = setTimeout(end, graceMs);
			child.once('close', end);
		});
	});
}

/** The script behind a command that a dev dependency brings. */
export function commandOf(packageName: string, command: string = packageName): string {
	const manifestPath = manifestOf(packageName);
	// Written by the package's author; a wrong one fails below.
	const { bin } = JSON.parse(readFileSync(manifestPath, 'utf8')) as { bin?: string | Record<string, string> };
	const script = typeof bin === 'string' ? bin : bin?.[command];
	if (script === undefined) throw new Error(`${packageName} has no command ${command}`);
	return join(dirname(manifestPath), script);
}

function manifestOf(packageName: string): string {
	// Not by import: a package's exports need not name its manifest.
	const require = createRequire(import.meta.url);
	for (const folder of require.resolve.paths(packageName) ?? []) {
		const path = join(folder, packageName, 'package.json');
		try {
			readFileSync(path);
			return path;
		} catch {
			// Then it is in one of the folders further up.
		}
	}
	throw new Error(`${packageName} is not installed: run npm ci`);
}
