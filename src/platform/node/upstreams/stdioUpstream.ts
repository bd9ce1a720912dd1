import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { errnoOf } from '../errno.ts';
import type { OutgoingRequest, TransportExit, TransportListener, UpstreamTransport } from '../../../core/host/ports.ts';
import type { ServerTransport } from '../../../core/host/serverDefinition.ts';
import { truncated } from '../../../core/base/text.ts';
import { serverEnvironment } from './environment.ts';
import {
	MESSAGE_LIMIT,
	MessageLines,
	answeredIdOfOversized,
	isBlank,
	megabytes,
	objectIn,
	tooLong,
} from './messageLines.ts';
import type { LineSink, OversizedLine } from './messageLines.ts';
import { readInTurns } from './pacedReading.ts';
import { endLeftovers, endProcess, killProcess } from './processEnd.ts';
import { notFound, windowsStartCommand } from './startCommand.ts';

export type StdioTransport = Extract<ServerTransport, { kind: 'stdio' }>;

/** Messages that are sent while the server does not read: more than this is not kept for it. */
const WAITING_LIMIT = MESSAGE_LIMIT;
/** Messages up to this length are copied into one buffer, which costs less than a vector of many. */
const JOINED_LENGTH = 64 * 1024;
const STDERR_TAIL = 4096;
const NOISE_LENGTH = 4096;
/** For the rest of the output once the process has exited: a process that it has left behind may hold the pipes open for ever. */
const OUTPUT_GRACE_MS = 200;
/** For the exit of a process that has closed its stdin or stdout, which mostly is on its way. */
const EXIT_GRACE_MS = 500;

const LINE_END = Buffer.from('\n');
const isWindows = process.platform === 'win32';

/** A server that is a process of ours. One line is one message, in both directions. */
export class StdioUpstream implements UpstreamTransport, LineSink {
	private readonly transport: StdioTransport;
	private readonly listener: TransportListener;
	private readonly lines = new MessageLines(this);
	private readonly child: ChildProcess | undefined;
	private readonly onWritten = (error: Error | null | undefined): void => this.afterWrite(error);

	/** Messages that wait until the one write before them is done, and the requests among them. */
	private waiting: Uint8Array[] = [];
	private waitingIds: number[] = [];
	private waitingLength = 0;
	private writtenIds: number[] = [];
	private writtenCount = 0;
	/** Nothing is written before the process is there. */
	private isWriting = true;

	private stderrTail = Buffer.alloc(0);
	private timer: NodeJS.Timeout | undefined;
	private ending: Promise<void> | undefined;
	/** Why it will end, where the exit alone would not tell. */
	private cause: string | undefined;
	private isInputClosed = false;
	private isClosedByUs = false;
	private isClosed = false;

	constructor(transport: StdioTransport, listener: TransportListener) {
		this.transport = transport;
		this.listener = listener;
		const child = this.start();
		if (typeof child === 'string') {
			process.nextTick(() => this.finish({ reason: child, code: null, signal: null, isHopeless: true }));
			return;
		}
		this.child = child;
		child.on('error', (error) => this.onSpawnError(error));
		const { stdin, stdout, stderr } = child;
		// Without pipes there is no process either: the system has no file descriptors left.
		if (!stdin || !stdout || !stderr) return;
		child.on('spawn', () => {
			listener.onOpened();
			this.afterWrite(undefined);
		});
		child.on('exit', () => this.onExit());
		child.on('close', () => this.onClose());
		stdin.on('error', () => this.onInputClosed());
		stdout.on('error', () => undefined);
		stderr.on('error', () => undefined);
		readInTurns(stdout, (chunk) => this.lines.push(chunk));
		stdout.on('end', () => this.onOutputEnded());
		const decoder = new StringDecoder('utf8');
		readInTurns(stderr, (chunk) => {
			this.stderrTail = Buffer.concat([this.stderrTail, chunk.subarray(-STDERR_TAIL)]).subarray(-STDERR_TAIL);
			listener.onStderr(decoder.write(chunk));
		});
	}

	get pid(): number | undefined {
		return this.child?.pid;
	}

	send(message: Uint8Array, request: OutgoingRequest | undefined): void {
		if (this.isClosed) return;
		if (this.isInputClosed) {
			if (request !== undefined) this.refuse(request.id, `${this.name} does not read its input any more.`);
			return;
		}
		// What is no request is short, and must not be lost: an answer, or a cancellation.
		if (request !== undefined && this.waitingLength > WAITING_LIMIT) {
			const length = megabytes(this.waitingLength);
			this.refuse(request.id, `${this.name} does not read its input: ${length} of messages wait for it already.`);
			return;
		}
		this.waiting.push(message);
		this.waitingLength += message.length + 1;
		if (request !== undefined) this.waitingIds.push(request.id);
		if (!this.isWriting) this.write();
	}

	kill(): boolean {
		const { child } = this;
		if (child?.pid === undefined || this.hasExited()) return false;
		killProcess(child);
		return true;
	}

	abandon(): void {
		// A pipe has no streams to close.
	}

	handshaken(): void {
		// A pipe does not care what is said through it.
	}

	close(): Promise<void> {
		this.isClosedByUs = true;
		this.ending ??= this.end();
		return this.ending;
	}

	onLine(line: Buffer, isTerminated: boolean): void {
		const message = objectIn(line);
		// A server that is killed leaves its last line unfinished.
		if (message !== undefined && (isTerminated || message.at(-1) === 0x7d))
			this.listener.onMessage(message, undefined);
		else if (!isBlank(line)) this.listener.onNoise(`${textOf(line)}\n`);
	}

	onOversizedLine(line: OversizedLine): void {
		const id = answeredIdOfOversized(line);
		const reason = tooLong(line.length);
		if (id === undefined)
			this.listener.onNoise(`${reason} It begins with: ${textOf(line.head.subarray(0, 200))}\n`);
		else this.listener.onRequestFailed(id, { reason, mayHaveRun: true, isSessionLost: false });
	}

	private get name(): string {
		return `The server's process (${this.transport.command})`;
	}

	/** The process, or a sentence that says why there can be none. */
	private start(): ChildProcess | string {
		const { command, args, cwd } = this.transport;
		const env = serverEnvironment(this.transport.env, process.env, isWindows);
		const start = isWindows
			? windowsStartCommand(this.transport, { ...withoutUndefined(process.env), ...env }, { isFile })
			: { file: command, args, isVerbatim: false };
		if (typeof start === 'string') return isFolder(cwd) ? start : noFolder(cwd);
		try {
			return spawn(start.file, start.args, {
				...(cwd === undefined ? {} : { cwd }),
				env,
				stdio: 'pipe',
				shell: false,
				// A group of its own: Ctrl-C in the terminal of the host must not end a server that still works on a call.
				detached: !isWindows,
				windowsHide: true,
				windowsVerbatimArguments: start.isVerbatim,
			});
		} catch (error) {
			return this.explained(error);
		}
	}

	private write(): void {
		const stdin = this.child?.stdin;
		const { waiting, waitingLength } = this;
		if (!stdin || waiting.length === 0) return;
		this.isWriting = true;
		this.writtenIds = this.waitingIds;
		this.writtenCount = waiting.length;
		this.waiting = [];
		this.waitingIds = [];
		this.waitingLength = 0;
		if (waitingLength <= JOINED_LENGTH) {
			const joined = Buffer.allocUnsafe(waitingLength);
			let position = 0;
			for (const message of waiting) {
				joined.set(message, position);
				position += message.length;
				joined[position++] = 0x0a;
			}
			stdin.write(joined, this.onWritten);
		} else {
			stdin.cork();
			const last = waiting.length - 1;
			for (const [index, message] of waiting.entries()) {
				stdin.write(message);
				if (index < last) stdin.write(LINE_END);
				else stdin.write(LINE_END, this.onWritten);
			}
			stdin.uncork();
		}
		// The system has refused the write itself: not a byte of it was taken.
		if (stdin.errored !== null) this.refuseWritten(this.writtenIds, `${this.name} has closed its input.`);
	}

	private afterWrite(error: Error | null | undefined): void {
		this.isWriting = false;
		if (error === null || error === undefined) {
			if (this.waiting.length > 0) this.write();
			return;
		}
		// Of several messages the first may have been read before the pipe broke. A single one was not: its end was never taken.
		if (this.writtenCount === 1) this.refuseWritten(this.writtenIds, `${this.name} has closed its input.`);
		this.onInputClosed();
	}

	private refuseWritten(ids: readonly number[], reason: string): void {
		this.writtenIds = [];
		for (const id of ids) this.refuse(id, reason);
	}

	/** Never from within `send`. */
	private refuse(id: number, reason: string): void {
		process.nextTick(() => {
			if (!this.isClosed) this.failUndelivered(id, reason);
		});
	}

	private failUndelivered(id: number, reason: string): void {
		this.listener.onRequestFailed(id, { reason, mayHaveRun: false, isSessionLost: false });
	}

	/** The server has closed its stdin, mostly because it is about to end. What it still says is heard. */
	private onInputClosed(): void {
		if (this.isInputClosed) return;
		this.isInputClosed = true;
		this.waiting = [];
		this.waitingLength = 0;
		for (const id of this.waitingIds.splice(0)) this.refuse(id, `${this.name} has closed its input.`);
		this.endUnlessItDoes('closed its input');
	}

	private onOutputEnded(): void {
		this.lines.finish();
		this.endUnlessItDoes('closed its output');
	}

	private endUnlessItDoes(what: string): void {
		if (this.isClosed || this.isClosedByUs || this.timer !== undefined || this.hasExited()) return;
		this.timer = setTimeout(() => {
			if (this.hasExited()) return;
			this.cause = `${this.name} ${what} without ending, so it was ended.`;
			this.ending ??= this.end();
		}, EXIT_GRACE_MS);
	}

	private hasExited(): boolean {
		return this.child?.exitCode !== null || this.child.signalCode !== null;
	}

	private async end(): Promise<void> {
		const { child } = this;
		if (child === undefined || child.pid === undefined) return;
		this.isInputClosed = true;
		child.stdin?.end();
		await endProcess(child);
		// `onClosed` has come when this resolves, also where something out of reach still holds the pipes.
		this.finishWithExit();
	}

	private onExit(): void {
		const { child } = this;
		if (child === undefined) return;
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.onClose(), OUTPUT_GRACE_MS);
		// Nobody waits for it: the connection has ended.
		if (this.ending === undefined) this.ending = endLeftovers(child);
	}

	private onClose(): void {
		// Of a process that was never there `close` comes too.
		if (this.child?.pid !== undefined) this.finishWithExit();
	}

	private finishWithExit(): void {
		const { child } = this;
		if (child === undefined) return;
		const { exitCode: code, signalCode: signal } = child;
		const how =
			signal !== null
				? `was ended by the signal ${signal}`
				: code === null
					? 'does not end'
					: `ended with exit code ${code}`;
		const reason = this.isClosedByUs ? 'The connection was closed.' : (this.cause ?? `${this.name} ${how}.`);
		this.finish({ reason, code, signal, isHopeless: false });
	}

	private onSpawnError(error: Error): void {
		// Later errors of a process (a signal that could not be sent) end nothing.
		if (this.child?.pid !== undefined) return;
		const isHopeless = !passingErrors.has(errnoOf(error) ?? '');
		this.finish({ reason: this.explained(error), code: null, signal: null, isHopeless });
	}

	private finish(exit: Omit<TransportExit, 'stderrTail'>): void {
		if (this.isClosed) return;
		clearTimeout(this.timer);
		this.lines.finish();
		for (const id of this.waitingIds.splice(0)) this.failUndelivered(id, exit.reason);
		this.isClosed = true;
		this.waiting = [];
		this.child?.stdin?.destroy();
		this.child?.stdout?.destroy();
		this.child?.stderr?.destroy();
		this.listener.onClosed({ ...exit, stderrTail: tailText(this.stderrTail) });
	}

	/** Why it could not be started. */
	private explained(error: unknown): string {
		const { command, cwd, env } = this.transport;
		const code = errnoOf(error);
		if (!isFolder(cwd)) return noFolder(cwd);
		const path = command.includes('/') ? resolve(cwd ?? '', command) : undefined;
		if (code === 'ENOENT') {
			if (path !== undefined && isFile(path))
				return `"${command}" cannot be started: the interpreter that its first line names does not exist.`;
			return notFound(command);
		}
		if (code === 'EACCES' || code === 'EPERM') {
			return `"${command}" cannot be started: it is not executable, or permission is denied.`;
		}
		if (code === 'ENOTDIR' && path !== undefined)
			return `"${command}" cannot be started: ${dirname(path)} is no folder.`;
		// What Node says of bad arguments quotes them, and with them values of the environment that are secret.
		if (code === 'ERR_INVALID_ARG_VALUE')
			return `"${command.replaceAll('\0', '')}" cannot be started: its command, its arguments or one of the variables ${Object.keys(env).join(', ')} has a null byte.`;
		return `"${command}" cannot be started: ${code ?? String(error)}.`;
	}
}

/** Errors that another attempt may not meet again: the system lacks something at the moment. */
const passingErrors = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM', 'ETXTBSY']);

function noFolder(cwd: string | undefined): string {
	return `The folder "${cwd}" to start it in does not exist.`;
}

function isFolder(path: string | undefined): boolean {
	return path === undefined || (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
}

function isFile(path: string): boolean {
	return isAbsolute(path) && (statSync(path, { throwIfNoEntry: false })?.isFile() ?? false);
}

function withoutUndefined(environment: NodeJS.ProcessEnv): Record<string, string> {
	return Object.fromEntries(
		Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
	);
}

function textOf(line: Buffer): string {
	return truncated(
		line
			.subarray(0, NOISE_LENGTH * 4)
			.toString()
			.trimEnd(),
		NOISE_LENGTH,
	);
}

/** The tail from its first whole line on. */
function tailText(tail: Buffer): string {
	if (tail.length < STDERR_TAIL) return tail.toString();
	const lineEnd = tail.indexOf(0x0a);
	return tail.subarray(lineEnd === -1 || lineEnd === tail.length - 1 ? 0 : lineEnd + 1).toString();
}
