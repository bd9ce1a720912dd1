import { mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { counted } from '../../core/base/text.ts';
import type { EventLog } from '../../core/host/eventLog.ts';

export interface EventLogOptions {
	/** Made when there is something to write. */
	readonly directory: string;
	/** Takes a sentence for a person. */
	readonly warn: (sentence: string) => void;
	readonly limits?: Partial<EventLogLimits>;
	/** Epoch milliseconds. */
	readonly now?: () => number;
	/** Makes the file; a test puts a slow or a full disk in its place. */
	readonly openFile?: (path: string) => Promise<LogFile>;
}

export interface EventLogLimits {
	/** A file that has so many bytes, or is older than a day, is followed by a new one. */
	readonly fileBytes: number;
	/** Of all files. The oldest go first. */
	readonly totalBytes: number;
	/** Files that were last written so many milliseconds ago are removed. */
	readonly ageMs: number;
	/** Of longer messages only their length is kept. */
	readonly messageBytes: number;
	/** What may wait for the disk. From half of it on, messages are let go; at all of it, events too. */
	readonly waitingBytes: number;
	/** How long an event waits for more. */
	readonly flushMs: number;
	/** So many bytes wait for no more. */
	readonly flushBytes: number;
	/** After a failure nothing is tried for so long. */
	readonly retryMs: number;
}

const megabyte = 1024 * 1024;
const hour = 3_600_000;

const defaultEventLogLimits: EventLogLimits = {
	fileBytes: 64 * megabyte,
	totalBytes: 1024 * megabyte,
	ageMs: 14 * 24 * hour,
	messageBytes: 16 * megabyte,
	waitingBytes: 64 * megabyte,
	flushMs: 20,
	flushBytes: 256 * 1024,
	retryMs: 5_000,
};

/** The part of a file handle that the log uses. */
export type LogFile = Pick<FileHandle, 'close' | 'truncate'> & {
	write(
		bytes: Uint8Array,
		offset: number,
		length: number,
		position: number,
	): Promise<{ readonly bytesWritten: number }>;
};

/**
 * The host's log as files of JSON lines. Events gather in memory and are written together; nothing waits for the disk, so an interrupted
 * host loses the last moment, and of the last line perhaps the end.
 */
export class NodeEventLog implements EventLog {
	private readonly directory: string;
	private readonly warn: (sentence: string) => void;
	private readonly now: () => number;
	private readonly openFile: (path: string) => Promise<LogFile>;
	private readonly limits: EventLogLimits;
	readonly maximumMessageBytes: number;
	/** What waits, line by line: its head and its message. */
	private heads: string[] = [];
	private messages: (Uint8Array | undefined)[] = [];
	private waitingBytes = 0;
	private timer: NodeJS.Timeout | undefined;
	private writing: Promise<void> | undefined;
	private isClosed = false;
	private file: OpenLogFile | undefined;
	/** One piece of writing at a time, so one piece of memory is enough. */
	private readonly scratch = Buffer.allocUnsafeSlow(scratchBytes);
	private lastStartedAt = 0;
	private sweptAt = Number.NEGATIVE_INFINITY;
	/** Until then the disk is left alone. */
	private retryAt = 0;
	private hasFailed = false;
	private lostEvents = 0;
	private lostMessages = 0;
	private hasToldOfLoss = false;

	constructor(options: EventLogOptions) {
		const { directory, warn, now = () => Date.now(), openFile = createPrivateFile } = options;
		this.directory = directory;
		this.warn = warn;
		this.now = now;
		this.openFile = openFile;
		this.limits = { ...defaultEventLogLimits, ...options.limits };
		this.maximumMessageBytes = this.limits.messageBytes;
	}

	append(head: string, message: Uint8Array | undefined): boolean {
		const { limits } = this;
		if (this.isClosed) return false;
		let line = head;
		let body = message;
		if (body !== undefined && this.waitingBytes + head.length + body.length > limits.waitingBytes / 2) {
			line += `,"droppedBytes":${body.length}`;
			body = undefined;
		}
		const length = line.length + (body?.length ?? 0) + lineOverhead;
		if (this.waitingBytes + length > limits.waitingBytes) {
			this.lostEvents++;
			this.tellOfLoss();
			return false;
		}
		if (body !== message) {
			this.lostMessages++;
			this.tellOfLoss();
		}
		this.heads.push(line);
		this.messages.push(body);
		this.waitingBytes += length;
		this.plan();
		return true;
	}

	/** Writes everything that waits. Does not reject. */
	async flush(): Promise<void> {
		do {
			clearTimeout(this.timer);
			this.timer = undefined;
			this.start();
			await this.writing;
			// The end of one piece of writing may have begun the next.
		} while (this.isWriting() || (this.heads.length > 0 && !this.hasFailed));
	}

	/** Writes what waits and takes nothing more. Does not reject. */
	async close(): Promise<void> {
		if (this.isClosed) return;
		this.isClosed = true;
		this.retryAt = 0;
		await this.flush();
		clearTimeout(this.timer);
		this.timer = undefined;
		await this.closeFile();
	}

	private isWriting(): boolean {
		return this.writing !== undefined;
	}

	private plan(): void {
		if (this.writing !== undefined) return;
		if (this.waitingBytes >= this.limits.flushBytes && !this.hasFailed) this.start();
		else this.timer ??= setTimeout(() => this.start(), this.hasFailed ? this.limits.retryMs : this.limits.flushMs);
	}

	private start(): void {
		clearTimeout(this.timer);
		this.timer = undefined;
		if (this.writing !== undefined || this.heads.length === 0) return;
		if (this.hasFailed && this.now() < this.retryAt && !this.isClosed) {
			this.plan();
			return;
		}
		this.writing = this.writeAll().finally(() => {
			this.writing = undefined;
			if (this.heads.length > 0 && !(this.isClosed && this.hasFailed)) this.plan();
		});
	}

	/** Writes what waits now; what comes meanwhile is for the next time. Never rejects. */
	private async writeAll(): Promise<void> {
		const { heads, messages } = this;
		this.heads = [];
		this.messages = [];
		for (let next = 0; next < heads.length;) {
			const first = next;
			let bytes = 0;
			try {
				const file = await this.currentFile();
				let filled = 0;
				while (next < heads.length) {
					const head = heads[next] ?? '';
					const message = messages[next];
					const size = head.length * 3 + (message?.length ?? 0) + lineOverhead;
					if (filled + size > scratchBytes) break;
					filled = putLine(this.scratch, filled, head, message);
					bytes += head.length + (message?.length ?? 0) + lineOverhead;
					next++;
				}
				if (filled > 0) {
					await file.append(this.scratch, filled);
				} else {
					const head = heads[next] ?? '';
					const message = messages[next];
					bytes = head.length + (message?.length ?? 0) + lineOverhead;
					next++;
					const line = Buffer.allocUnsafe(head.length * 3 + (message?.length ?? 0) + lineOverhead);
					await file.append(line, putLine(line, 0, head, message));
				}
				this.waitingBytes -= bytes;
				this.succeeded();
			} catch (error) {
				// The host serves its agents with or without a log. What could not be written is put back; its place in memory is bounded.
				this.heads = [...heads.slice(first), ...this.heads];
				this.messages = [...messages.slice(first), ...this.messages];
				await this.failed(error);
				return;
			}
		}
	}

	private async currentFile(): Promise<OpenLogFile> {
		const now = this.now();
		const { file, limits } = this;
		if (file !== undefined && file.size < limits.fileBytes && now - file.startedAt < 24 * hour) {
			if (now - this.sweptAt > hour) await this.sweep(now, file.path);
			return file;
		}
		await this.closeFile();
		await mkdir(this.directory, { recursive: true, mode: 0o700 });
		await this.sweep(now, undefined);
		let taken = 0;
		// Names are in the order of the files, also of files of one millisecond and when the clock is set back.
		for (let startedAt = Math.max(now, this.lastStartedAt + 1); ; startedAt++) {
			const path = join(this.directory, fileName(startedAt, process.pid));
			try {
				const opened = await this.openFile(path);
				this.lastStartedAt = startedAt;
				return (this.file = new OpenLogFile(path, startedAt, opened));
			} catch (error) {
				// Another program has taken the name; the next one is free.
				if (codeOf(error) !== 'EEXIST' || ++taken > 1_000) throw error;
			}
		}
	}

	/** Removes what is too old or too much. `current` is being written. */
	private async sweep(now: number, current: string | undefined): Promise<void> {
		this.sweptAt = now;
		const { ageMs, totalBytes, fileBytes } = this.limits;
		const files: { path: string; size: number; modifiedAt: number }[] = [];
		for (const name of (await readdir(this.directory)).filter(isFileName).sort().reverse()) {
			const path = join(this.directory, name);
			if (path === current) continue;
			try {
				const { size, mtimeMs } = await stat(path);
				files.push({ path, size, modifiedAt: mtimeMs });
			} catch {
				// Somebody else has removed it.
			}
		}
		// Room for the file that is written now.
		let kept = fileBytes;
		for (const { path, size, modifiedAt } of files) {
			kept += size;
			if (kept <= totalBytes && now - modifiedAt <= ageMs) continue;
			try {
				await unlink(path);
			} catch (error) {
				if (codeOf(error) === 'ENOENT') continue;
				this.warn(`The old event log "${path}" could not be removed (${reasonOf(error)}).`);
			}
		}
	}

	private succeeded(): void {
		if (this.hasFailed) this.warn(`The event log is written again; ${this.missing()}.`);
		else if (this.hasToldOfLoss && this.waitingBytes < this.limits.waitingBytes / 4) {
			this.warn(`The event log has caught up; ${this.missing()}.`);
		} else return;
		this.hasFailed = false;
		this.hasToldOfLoss = false;
		this.lostEvents = 0;
		this.lostMessages = 0;
	}

	private missing(): string {
		const { lostEvents, lostMessages } = this;
		if (lostEvents === 0 && lostMessages === 0) return 'nothing is missing';
		return `it misses ${counted(lostEvents, 'event')} and the content of ${counted(lostMessages, 'message')}`;
	}

	private async failed(error: unknown): Promise<void> {
		this.retryAt = this.now() + this.limits.retryMs;
		const { file } = this;
		await this.closeFile();
		// A full disk often lets files be made and nothing be written to them.
		if (file?.size === 0) await removed(file.path);
		if (this.hasFailed) return;
		this.hasFailed = true;
		this.warn(
			`The event log in "${this.directory}" cannot be written (${reasonOf(error)}); agents are served without it.`,
		);
	}

	private tellOfLoss(): void {
		if (this.hasToldOfLoss || this.hasFailed) return;
		this.hasToldOfLoss = true;
		this.warn(
			`The disk is too slow for the event log in "${this.directory}"; for now only the lengths of messages are kept.`,
		);
	}

	private async closeFile(): Promise<void> {
		const { file } = this;
		this.file = undefined;
		await file?.close();
	}
}

class OpenLogFile {
	readonly path: string;
	readonly startedAt: number;
	/** Up to the end of the last whole line. */
	size = 0;
	private readonly file: LogFile;

	constructor(path: string, startedAt: number, file: LogFile) {
		this.path = path;
		this.startedAt = startedAt;
		this.file = file;
	}

	async append(bytes: Uint8Array, length: number): Promise<void> {
		let done = 0;
		while (done < length) {
			const { bytesWritten } = await this.file.write(bytes, done, length - done, this.size + done);
			if (bytesWritten === 0) throw new Error('The system wrote nothing.');
			done += bytesWritten;
		}
		this.size += length;
	}

	async close(): Promise<void> {
		try {
			// A write that failed half way leaves a torn line; without it the file is whole.
			await this.file.truncate(this.size);
		} catch {
			// The reader copes with the torn line.
		}
		try {
			await this.file.close();
		} catch {
			// There is nothing left to be done with it.
		}
	}
}

const scratchBytes = 512 * 1024;
/** What a line has beside its head and its message. */
const lineOverhead = 16;

function putLine(into: Buffer, at: number, head: string, message: Uint8Array | undefined): number {
	let end = at + into.write(head, at);
	if (message !== undefined) {
		end += into.write(',"message":', end, 'latin1');
		into.set(message, end);
		end += message.length;
	}
	return end + into.write('}\n', end, 'latin1');
}

async function createPrivateFile(path: string): Promise<LogFile> {
	return open(path, 'wx', 0o600);
}

async function removed(path: string): Promise<void> {
	try {
		await unlink(path);
	} catch {
		// It is empty; the next round of cleaning up finds it.
	}
}

/** Names that sort by time, and that every file system takes. */
function fileName(startedAt: number, pid: number): string {
	return `${new Date(startedAt).toISOString().replaceAll(':', '-')}-${pid}.jsonl`;
}

function isFileName(name: string): boolean {
	return /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-\d+\.jsonl$/.test(name);
}

function codeOf(error: unknown): string {
	return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function reasonOf(error: unknown): string {
	const code = codeOf(error);
	return reasons[code] ?? (error instanceof Error ? error.message : String(error));
}

const reasons: Readonly<Record<string, string>> = {
	ENOSPC: 'the disk is full',
	EDQUOT: 'the disk quota is used up',
	EACCES: 'there is no permission',
	EPERM: 'there is no permission',
	EROFS: 'the file system is read-only',
	EIO: 'the device has an error',
	ENOTDIR: 'something in its path is no folder',
	EMFILE: 'too many files are open',
};
