import { setTimeout as delay } from 'node:timers/promises';
import { counted } from '../../core/base/text.ts';
import type { EventLog } from '../../core/host/eventLog.ts';
import { SqlError } from '../../core/store/sqlDatabase.ts';
import { importJsonLines } from './eventImport.ts';
import { countLine, sessionsText, timeIn } from './store/eventChunks.ts';
import type { EventChunk, SessionShare } from './store/eventChunks.ts';
import { pieceBytes } from './store/eventTable.ts';
import type { EventStore, OpenLog } from './store/eventTable.ts';

export interface EventLogOptions {
	/** The store, when there is something to write; again when it was lost. */
	readonly openStore: () => Promise<EventStore>;
	/** Of this log, among all that the store has ever had. */
	readonly name: string;
	/** Where an earlier version kept its files of JSON lines: they are taken over into the store. */
	readonly oldDirectory?: string | undefined;
	/** Takes a sentence for a person. */
	readonly warn: (sentence: string) => void;
	readonly limits?: Partial<EventLogLimits>;
	/** Epoch milliseconds. */
	readonly now?: () => number;
}

export interface EventLogLimits {
	/** Of all that is kept. The oldest goes first. */
	readonly totalBytes: number;
	/** What is older is removed. */
	readonly ageMs: number;
	/** After so many bytes it is looked again what is too much. */
	readonly sweepBytes: number;
	/** Of longer messages only their length is kept. */
	readonly messageBytes: number;
	/** What may wait for the disk. From half of it on, messages are let go; at all of it, events too. */
	readonly waitingBytes: number;
	/** How long an event waits for more: a transaction costs more than what is in it. */
	readonly flushMs: number;
	/** So many bytes wait for no more. */
	readonly flushBytes: number;
	/** After a failure nothing is tried for so long. */
	readonly retryMs: number;
}

const megabyte = 1024 * 1024;
const hour = 3_600_000;

const defaultEventLogLimits: EventLogLimits = {
	totalBytes: 1024 * megabyte,
	ageMs: 14 * 24 * hour,
	sweepBytes: 64 * megabyte,
	messageBytes: 16 * megabyte,
	waitingBytes: 64 * megabyte,
	flushMs: 100,
	flushBytes: 4 * megabyte,
	retryMs: 5_000,
};

/**
 * The host's log in the session store of its data directory. Events gather in memory and are written together, as one row of many JSON
 * lines in a transaction that checkpoints share; nothing waits for the disk, so an interrupted host loses the last moment, and never a part of an event.
 */
export class NodeEventLog implements EventLog {
	private readonly options: EventLogOptions;
	private readonly warn: (sentence: string) => void;
	private readonly now: () => number;
	private readonly limits: EventLogLimits;
	private readonly startedAt: number;
	readonly maximumMessageBytes: number;
	/** What waits: the page that is being filled, behind those that are full or were to be written. */
	private page: Page | undefined;
	private pages: Page[] = [];
	private waitingBytes = 0;
	private timer: NodeJS.Timeout | undefined;
	private writing: Promise<void> | undefined;
	private isClosed = false;
	private opened: { readonly store: EventStore; readonly log: OpenLog } | undefined;
	/** Bytes of the log that are known to be stored. */
	private end = 0;
	/** What was being written when the store was lost: it may be stored all the same. */
	private inDoubt: { readonly pages: number; readonly bytes: number } | undefined;
	/** Memory of pages that were written, for those to come. */
	private readonly spare: Buffer[] = [];
	private sweptAt = Number.NEGATIVE_INFINITY;
	private sweptEnd = 0;
	/** Until then the disk is left alone. */
	private retryAt = 0;
	private hasFailed = false;
	private lostEvents = 0;
	private lostMessages = 0;
	private hasToldOfLoss = false;
	private importing: Promise<void> | undefined;

	constructor(options: EventLogOptions) {
		const { warn, now = () => Date.now() } = options;
		this.options = options;
		this.warn = warn;
		this.now = now;
		this.limits = { ...defaultEventLogLimits, ...options.limits };
		this.maximumMessageBytes = this.limits.messageBytes;
		this.startedAt = now();
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
		if (this.waitingBytes + line.length + (body?.length ?? 0) + lineOverhead > limits.waitingBytes) {
			this.lostEvents++;
			this.tellOfLoss();
			return false;
		}
		if (body !== message) {
			this.lostMessages++;
			this.tellOfLoss();
		}
		// Bytes at once: strings and messages that waited would outlive the garbage that they were made with.
		this.waitingBytes += this.pageFor(line.length * 3 + (body?.length ?? 0) + lineOverhead).add(line, body);
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
		} while (this.isWriting() || (this.waitingBytes > 0 && !this.hasFailed));
	}

	/** Writes what waits and takes nothing more. Does not reject. */
	async close(): Promise<void> {
		if (this.isClosed) return;
		this.isClosed = true;
		this.retryAt = 0;
		await this.flush();
		clearTimeout(this.timer);
		this.timer = undefined;
		await this.importing;
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
		if (this.writing !== undefined || this.waitingBytes === 0) return;
		if (this.hasFailed && this.now() < this.retryAt && !this.isClosed) {
			this.plan();
			return;
		}
		this.writing = this.writeAll().finally(() => {
			this.writing = undefined;
			if (this.waitingBytes > 0 && !(this.isClosed && this.hasFailed)) this.plan();
		});
	}

	/** Writes what waits now; what comes meanwhile is for the next time. Never rejects. */
	private async writeAll(): Promise<void> {
		try {
			await this.open();
		} catch (error) {
			this.failed(error);
			return;
		}
		this.endPage();
		const written = this.pages;
		this.pages = [];
		while (written.length > 0) {
			// Who is behind writes more at once: a wait for the disk is as long for much as for little.
			const batch = written.slice(0, mostPages);
			const bytes = batch.reduce((sum, { filled }) => sum + filled, 0);
			try {
				// The store may be lost at any time, and is opened anew with the next writing.
				if (this.opened === undefined) throw new SqlError('closed', 'The session store was lost.');
				const { store, log } = this.opened;
				await store.append(
					log,
					batch.flatMap((page) => page.chunks(this.now())),
				);
				this.end = log.end;
				this.waitingBytes -= bytes;
				written.splice(0, batch.length);
				for (const { memory } of batch) {
					if (memory.length === pageBytes && this.spare.length < mostPages) this.spare.push(memory);
				}
				this.succeeded();
			} catch (error) {
				// The host serves its agents with or without a log. What could not be written is put back; its place in memory is bounded.
				this.pages = [...written, ...this.pages];
				if (error instanceof SqlError && error.code === 'closed') this.inDoubt = { pages: batch.length, bytes };
				this.failed(error);
				return;
			}
		}
		await this.sweepIfDue();
	}

	private async open(): Promise<void> {
		if (this.opened !== undefined) return;
		const store = await this.options.openStore();
		const log = await store.openLog(this.options.name, this.startedAt);
		const { inDoubt } = this;
		this.inDoubt = undefined;
		if (inDoubt !== undefined && log.end === this.end + inDoubt.bytes) {
			this.pages.splice(0, inDoubt.pages);
			this.waitingBytes -= inDoubt.bytes;
		}
		this.end = log.end;
		this.opened = { store, log };
		this.importing ??= this.import(store);
	}

	/** A page with room for so many bytes. */
	private pageFor(bytes: number): Page {
		if (this.page !== undefined && this.page.room < bytes) this.endPage();
		// A line that is larger than a page gets one of its own.
		return (this.page ??= new Page(
			bytes > pageBytes
				? Buffer.from(new SharedArrayBuffer(bytes))
				: (this.spare.pop() ?? Buffer.from(new SharedArrayBuffer(pageBytes))),
		));
	}

	private endPage(): void {
		if (this.page !== undefined) this.pages.push(this.page);
		this.page = undefined;
	}

	private async sweepIfDue(): Promise<void> {
		const now = this.now();
		const { opened, limits } = this;
		if (opened === undefined) return;
		if (now - this.sweptAt < hour && this.end - this.sweptEnd < limits.sweepBytes) return;
		this.sweptAt = now;
		this.sweptEnd = this.end;
		try {
			// Room for what is written until the next time.
			await opened.store.sweep({
				totalBytes: Math.max(0, limits.totalBytes - limits.sweepBytes),
				before: now - limits.ageMs,
			});
		} catch (error) {
			// Should the store be lost, the next event finds out; there is another round in an hour.
			if (!(error instanceof SqlError)) throw error;
		}
	}

	/** Files of an earlier version, in the background. */
	private async import(store: EventStore): Promise<void> {
		const { oldDirectory } = this.options;
		if (oldDirectory === undefined) return;
		try {
			await importJsonLines(oldDirectory, store, {
				before: this.now() - this.limits.ageMs,
				isEnded: () => this.isClosed,
				pause: async () => delay(importPauseMs, undefined, { ref: false }),
			});
		} catch (error) {
			this.warn(
				`The event log of an earlier version in "${oldDirectory}" could not be taken over (${reasonOf(error)}); the next host tries again.`,
			);
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

	private failed(error: unknown): void {
		this.retryAt = this.now() + this.limits.retryMs;
		// On a full disk the store is as good as before; otherwise it may be another's by now.
		if (!(error instanceof SqlError && error.code === 'full')) this.opened = undefined;
		if (this.hasFailed) return;
		this.hasFailed = true;
		this.warn(`The event log cannot be written (${reasonOf(error)}); agents are served without it.`);
	}

	private tellOfLoss(): void {
		if (this.hasToldOfLoss || this.hasFailed) return;
		this.hasToldOfLoss = true;
		this.warn('The disk is too slow for the event log; for now only the lengths of messages are kept.');
	}
}

/** Below what a row may have. */
const pageBytes = 768 * 1024;
const mostPages = 6;
/** What a line has beside its head and its message. */
const lineOverhead = 16;

/** Lines as bytes, in memory that the thread of the database looks into as well. */
class Page {
	readonly memory: Buffer;
	filled = 0;
	private events = 0;
	private first = '';
	private last = '';
	private readonly shares = new Map<string, SessionShare>();

	constructor(memory: Buffer) {
		this.memory = memory;
	}

	get room(): number {
		return this.memory.length - this.filled;
	}

	/** Gives how many bytes the line has. */
	add(head: string, message: Uint8Array | undefined): number {
		const { memory, filled } = this;
		let end = filled + memory.write(head, filled);
		if (message !== undefined) {
			end += memory.write(',"message":', end, 'latin1');
			memory.set(message, end);
			end += message.length;
		}
		end += memory.write('}\n', end, 'latin1');
		this.filled = end;
		if (this.events++ === 0) this.first = head;
		this.last = head;
		countLine(this.shares, head);
		return end - filled;
	}

	/** Whole lines as one; a line that is longer than a row may be as several. */
	chunks(now: number): readonly EventChunk[] {
		const { events } = this;
		const bytes = this.memory.subarray(0, this.filled);
		const firstAt = timeIn(this.first) ?? now;
		const lastAt = timeIn(this.last) ?? now;
		const sessions = sessionsText(this.shares);
		const chunks: EventChunk[] = [];
		for (let start = 0; start < bytes.length; start += pieceBytes) {
			const piece = bytes.subarray(start, start + pieceBytes);
			chunks.push({ bytes: piece, events: start === 0 ? events : 0, firstAt, lastAt, sessions });
		}
		return chunks;
	}
}

function reasonOf(error: unknown): string {
	if (error instanceof SqlError && error.code === 'full') return 'the disk is full';
	const reason = error instanceof Error ? error.message : String(error);
	return reason.replace(/\.$/, '');
}

/** Between two pieces of an old file: the disk is for what happens now. */
const importPauseMs = 30;
