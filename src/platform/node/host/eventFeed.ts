// What is recorded, for those who look while it happens: each event is on its way to them a moment after it was, and long before the store has it.

import type { Disposable } from '../../../core/base/lifecycle.ts';
import type { AppendedEvents } from '../../../core/host/control.ts';
import type { EventLog } from '../../../core/host/eventLog.ts';

export interface FeedLimits {
	/** How long an event waits for more: a message costs more than what is in it. */
	readonly gatherMs: number;
	/** What may wait for a follower who reads slowly. */
	readonly waitingBytes: number;
	/** Of a longer event only the head is sent; the store has all of it. */
	readonly eventBytes: number;
}

const defaultLimits: FeedLimits = { gatherMs: 10, waitingBytes: 4 * 1024 * 1024, eventBytes: 256 * 1024 };

/** Who is told. Resolves when the other side can take more; rejects when it is gone. */
export type TellFollower = (appended: AppendedEvents) => Promise<void>;

/** A log in front of the one that is written. Nobody who follows it slows it down: what a follower cannot take in time, it is told to have lost. */
export class EventFeed implements EventLog {
	private readonly log: EventLog;
	private readonly flushed: () => Promise<void>;
	private readonly limits: FeedLimits;
	private readonly followers = new Set<Follower>();

	/** @param flush Resolves when all that was appended before can be read from the store, or the store cannot be written. */
	constructor(log: EventLog, flush: () => Promise<void>, limits: Partial<FeedLimits> = {}) {
		this.log = log;
		this.flushed = flush;
		this.limits = { ...defaultLimits, ...limits };
	}

	get maximumMessageBytes(): number {
		return this.log.maximumMessageBytes;
	}

	append(head: string, message: Uint8Array | undefined): boolean {
		if (!this.log.append(head, message)) return false;
		for (const follower of this.followers) follower.take(head, message);
		return true;
	}

	async flush(): Promise<void> {
		await this.flushed();
	}

	/** @param sessions As the events have them; `undefined`: all. */
	follow(sessions: ReadonlySet<string> | undefined, tell: TellFollower): Disposable {
		const follower = new Follower(sessions, tell, this.limits, () => this.followers.delete(follower));
		this.followers.add(follower);
		return follower;
	}
}

interface Waiting {
	readonly head: string;
	readonly message: Uint8Array | undefined;
}

class Follower implements Disposable {
	private readonly sessions: ReadonlySet<string> | undefined;
	private readonly tell: TellFollower;
	private readonly limits: FeedLimits;
	private readonly forget: () => void;
	private waiting: Waiting[] = [];
	private waitingBytes = 0;
	private lost = 0;
	private timer: NodeJS.Timeout | undefined;
	private isTelling = false;
	private isDisposed = false;

	constructor(sessions: ReadonlySet<string> | undefined, tell: TellFollower, limits: FeedLimits, forget: () => void) {
		this.sessions = sessions;
		this.tell = tell;
		this.limits = limits;
		this.forget = forget;
	}

	/** It runs for every event of every call, so what is to be sent is put together later. */
	take(head: string, message: Uint8Array | undefined): void {
		const bytes = head.length + (message?.length ?? 0);
		const isLong = bytes > this.limits.eventBytes;
		this.waitingBytes += isLong ? head.length : bytes;
		if (this.waitingBytes > this.limits.waitingBytes) {
			// It has to read again in any case; the newest alone would tell it nothing.
			this.lost += this.waiting.length + 1;
			this.waiting = [];
			this.waitingBytes = 0;
		} else {
			this.waiting.push(
				isLong && message !== undefined
					? { head: `${head},"omittedBytes":${message.length}`, message: undefined }
					: { head, message },
			);
		}
		this.soon();
	}

	dispose(): void {
		this.isDisposed = true;
		clearTimeout(this.timer);
		this.waiting = [];
		this.forget();
	}

	private soon(): void {
		if (this.isTelling || this.timer !== undefined || this.isDisposed) return;
		this.timer = setTimeout(() => {
			this.timer = undefined;
			void this.tellNow(); // it does not reject
		}, this.limits.gatherMs);
		// A host that has nothing else to do may end.
		this.timer.unref();
	}

	private async tellNow(): Promise<void> {
		const { waiting, lost, sessions } = this;
		this.waiting = [];
		this.waitingBytes = 0;
		this.lost = 0;
		const lines = waiting
			.filter(({ head }) => sessions === undefined || sessions.has(sessionIn(head) ?? ''))
			.map(({ head, message }) =>
				message === undefined ? `${head}}` : `${head},"message":${Buffer.from(message).toString('utf8')}}`,
			);
		if (lines.length === 0 && lost === 0) return;
		this.isTelling = true;
		try {
			await this.tell({ lines: lines.join('\n'), lost });
		} catch {
			// It is gone; whoever let it follow finds that out too.
			this.dispose();
		}
		this.isTelling = false;
		if (this.waiting.length > 0 || this.lost > 0) this.soon();
	}
}

const sessionMember = /"sessionId":("(?:[^"\\]|\\.)*")/;

/** Whose a line is, as its head says: the recorder writes the session before anything that comes from outside. */
export function sessionIn(head: string): string | undefined {
	const [, text] = sessionMember.exec(head) ?? [];
	if (text === undefined) return undefined;
	try {
		// A JSON string is a string.
		return JSON.parse(text) as string;
	} catch {
		// Not of our writing.
		return undefined;
	}
}
