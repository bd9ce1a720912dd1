// The way to the host of a data directory: to the one that runs, or to one that is started for it. Nothing here needs the lock, so it
// works in every process, an extension host included.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ExpectedError } from '../../../core/base/errors.ts';
import { connectControl } from './controlClient.ts';
import type { ControlClient } from './controlClient.ts';
import { codeOf } from '../errno.ts';
import { userHome } from '../userHome.ts';
import { logFile, prepareDataDirectory, readAddress, successorFile } from './dataDirectory.ts';

/** How Crosstalk's command line is started from here. */
export interface Program {
	readonly command: string;
	/** What stands before the command's name. */
	readonly args: readonly string[];
	/** Added to this process's own environment. */
	readonly environment: Readonly<Record<string, string>>;
}

/** The command line that lies in this file, run by whatever runs this process: Node, or VS Code in Node's place. */
export function programIn(commandLine: string): Program {
	return {
		command: process.execPath,
		args: [commandLine],
		environment: process.versions['electron'] === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' },
	};
}

export interface AttachOptions {
	readonly directory: string;
	/** Who is asking, for the host's log. */
	readonly client: string;
	readonly signal?: AbortSignal | undefined;
}

export interface StartOptions extends AttachOptions {
	readonly program: Program;
	/** After how long without a use the host that is started ends. */
	readonly idleSeconds?: number | undefined;
	/** How long it may take until a host is ready. */
	readonly timeoutMs?: number | undefined;
}

/** For a host that accepts a connection and neither greets nor closes. */
const greetingMs = 5_000;
const defaultIdleSeconds = 300;
const defaultTimeoutMs = 20_000;
/** How long a start that leaves the field to another waits for that one before it tries again by itself. */
const otherOwnerMs = 3_000;
const longestLog = 1024 * 1024;

/** `undefined`: none is running there. Rejects with a sentence when the one that runs cannot be spoken to. */
export async function attach({ directory, client }: AttachOptions): Promise<ControlClient | undefined> {
	const address = await readAddress(directory);
	// Whoever has only the session store open leaves the directory to a host that is started.
	if (address === undefined || address.isStoreOnly === true) return undefined;
	return connectControl(address.controlSocket, { client, timeoutMs: greetingMs });
}

/** Attaches also to a process that has opened the directory's session store and is no host. */
export async function attachToAny({ directory, client }: AttachOptions): Promise<ControlClient | undefined> {
	for (const file of [undefined, successorFile]) {
		const address = await readAddress(directory, file);
		if (address === undefined) continue;
		const found = await connectControl(address.controlSocket, { client, timeoutMs: greetingMs });
		if (found !== undefined) return found;
	}
	return undefined;
}

/** Attaches to the host that runs, or starts one in the background. Rejects with a sentence when that cannot be done. */
export async function attachOrStart(options: StartOptions): Promise<ControlClient> {
	const { signal } = options;
	const running = await attach(options);
	if (running !== undefined) return running;
	// The folder's one true path is what the host itself is told.
	const directory = await prepareDataDirectory(options.directory);
	const deadline = performance.now() + (options.timeoutMs ?? defaultTimeoutMs);
	while (performance.now() < deadline) {
		signal?.throwIfAborted();
		const start = await Start.begin(directory, options);
		const client = await start.outcome(async () => attach({ ...options, directory }), deadline, signal);
		if (client !== undefined) return client;
		// Another was the owner and is gone again: now it may be ours.
	}
	throw new ExpectedError(
		`The host did not become ready in time. What it has printed is in ${join(directory, logFile)}.`,
	);
}

/** One attempt to start a host. */
class Start {
	private readonly child: ChildProcess;
	private readonly log: string;
	/** Where in the log this attempt begins. */
	private readonly offset: number;
	private ended: { readonly code: number | null; readonly signal: string | null } | undefined;
	private spawnError: Error | undefined;

	private constructor(child: ChildProcess, log: string, offset: number) {
		this.child = child;
		this.log = log;
		this.offset = offset;
		child.once('error', (error) => (this.spawnError = error));
		child.once('exit', (code, signal) => (this.ended = { code, signal }));
	}

	static async begin(directory: string, options: StartOptions): Promise<Start> {
		const { program, idleSeconds = defaultIdleSeconds } = options;
		const log = join(directory, logFile);
		const file = await openLog(log);
		try {
			const { size } = await file.stat();
			const child = spawn(
				program.command,
				[...program.args, 'host', '--data', directory, '--idle', String(idleSeconds)],
				{
					// It outlives this process and the terminal, and stands in nobody's way.
					detached: true,
					windowsHide: true,
					cwd: existsSync(userHome()) ? userHome() : directory,
					env: { ...backgroundEnvironment(process.env), ...program.environment },
					// The address that it prints holds the token; those who may know it find it in a file of its own.
					stdio: ['ignore', 'ignore', file.fd],
				},
			);
			child.unref();
			return new Start(child, log, size);
		} finally {
			await file.close();
		}
	}

	/** The way to the host, whoever has started it; `undefined`: there is none, and it is worth another attempt. */
	async outcome(
		look: () => Promise<ControlClient | undefined>,
		deadline: number,
		signal: AbortSignal | undefined,
	): Promise<ControlClient | undefined> {
		let otherUntil = deadline;
		for (let pause = 15; performance.now() < otherUntil; pause = Math.min(pause * 1.3, 150)) {
			signal?.throwIfAborted();
			// Asked before the look, so that one which became ready and ended in between is not missed.
			const { ended, spawnError } = this;
			if (spawnError !== undefined)
				throw new ExpectedError(
					`The host cannot be started with ${this.child.spawnfile}${codeOf(spawnError)}.`,
					{
						cause: spawnError,
					},
				);
			const client = await look();
			if (client !== undefined) return client;
			if (ended !== undefined) {
				if (ended.code !== 0) throw new ExpectedError(await this.cause(ended));
				// It has found another owner.
				otherUntil = Math.min(otherUntil, performance.now() + otherOwnerMs);
			}
			await delay(pause);
		}
		return undefined;
	}

	private async cause({ code, signal }: NonNullable<Start['ended']>): Promise<string> {
		const printed = await this.printed();
		const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
		const own = /^crosstalk: (.+)$/m.exec(printed)?.[1];
		if (own !== undefined) return `The host could not be started: ${own}`;
		const words = /^\w*Error: .+$/m.exec(printed)?.[0] ?? printed.trim().split('\n').at(-1) ?? '';
		const error = words.replace(/\.$/, '');
		return `The host ended as soon as it was started (${how})${error === '' ? '' : `: ${error}`}. What it has printed is in ${this.log}.`;
	}

	private async printed(): Promise<string> {
		try {
			const file = await open(this.log, 'r');
			try {
				const room = Buffer.alloc(64 * 1024);
				const { bytesRead } = await file.read(room, 0, room.length, this.offset);
				return room.toString('utf8', 0, bytesRead);
			} finally {
				await file.close();
			}
		} catch {
			// Then the exit code has to do.
			return '';
		}
	}
}

async function openLog(path: string): Promise<FileHandle> {
	try {
		const known = await stat(path).catch(() => undefined);
		if (known !== undefined && known.size > longestLog) {
			const before = `${path}.1`;
			// On Windows not while a host still writes into it, or somebody reads the one before; then it grows until the next time.
			await rename(path, before).catch(() => undefined);
		}
		return await open(path, 'a', 0o600);
	} catch (error) {
		throw new ExpectedError(`The log ${path} cannot be written${codeOf(error)}.`, { cause: error });
	}
}

/** What belongs to the session of whoever happens to come first is nothing that the host of all should have. */
function backgroundEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const rest = { ...environment };
	// A debugger of the starting process would hold the host too.
	if (rest['VSCODE_INSPECTOR_OPTIONS'] !== undefined) delete rest['NODE_OPTIONS'];
	for (const name of [
		...['VSCODE_INSPECTOR_OPTIONS', 'CLAUDE_CODE_SESSION_ID', 'CLAUDECODE', 'CROSSTALK_SESSION'],
		'NODE_CHANNEL_FD',
	])
		delete rest[name];
	return rest;
}
