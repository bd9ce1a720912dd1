import { createHash } from 'node:crypto';
import { createSessionStore } from '../../src/core/store/createSessionStore.ts';
import { createTurns, defaultLimits } from '../../src/core/store/createTurns.ts';
import type { OwnerTurns, StoreEvent, StoreTurns } from '../../src/core/store/createTurns.ts';
import type { SessionStore, StoreLimits } from '../../src/core/store/sessionStore.ts';
import type { SqlStatement } from '../../src/core/store/sqlDatabase.ts';
import type { Digest, StoreClock, StorePlatform } from '../../src/core/store/storePlatform.ts';
import type { Turn, TurnRequest } from '../../src/core/store/turns.ts';
import { MemoryDisk } from './memoryDatabase.ts';
import type { ConnectionOptions } from './memoryDatabase.ts';

export const sha256: Digest = {
	sha256: (text) => createHash('sha256').update(text, 'utf8').digest('hex'),
	sha256Of: (head, text) => sha256.sha256(head + text),
};

/** Time passes when a test says so. */
class ManualClock implements StoreClock {
	/** How far the clock that people set is away from the other. */
	offsetMs = 0;
	private milliseconds = 0;
	private readonly timers = new Set<{ readonly at: number; readonly callback: () => void }>();

	now(): number {
		return Date.UTC(2026, 0, 1) + this.milliseconds + this.offsetMs;
	}

	elapsed(): number {
		return this.milliseconds;
	}

	after(milliseconds: number, callback: () => void): { dispose(): void } {
		const timer = { at: this.milliseconds + milliseconds, callback };
		this.timers.add(timer);
		return { dispose: () => void this.timers.delete(timer) };
	}

	get waiting(): number {
		return this.timers.size;
	}

	pass(milliseconds: number): void {
		this.milliseconds += milliseconds;
		const due = [...this.timers]
			.filter(({ at }) => at <= this.milliseconds)
			.sort((one, other) => one.at - other.at);
		for (const timer of due) if (this.timers.delete(timer)) timer.callback();
	}
}

/** One disk, and those who open it one after the other. */
export class TurnsRig {
	readonly disk = new MemoryDisk();
	readonly clock = new ManualClock();
	readonly events: StoreEvent[] = [];
	/** Of the owner that was opened last. */
	readonly writes: (readonly SqlStatement[])[] = [];
	private ids = 0;

	async open(
		limits: Partial<StoreLimits> = {},
		{ digest = sha256, ...options }: ConnectionOptions & { readonly digest?: Digest } = {},
	): Promise<OwnerTurns> {
		const platform = this.platform(options, digest);
		const turns = await createTurns(platform, { ...defaultLimits, ...limits });
		this.writes.length = 0;
		turns.onDidHappen((event) => this.events.push(event));
		return turns;
	}

	store(turns: StoreTurns): SessionStore {
		const { clock } = this;
		return createSessionStore(turns, { clock, digest: sha256, onError: unexpected });
	}

	/** What has happened, but for the checkpoints. */
	happenings(): readonly string[] {
		return this.events.flatMap((event) => {
			switch (event.kind) {
				case 'evicted':
					return [`${event.sessionId} evicted: ${event.reason}`];
				case 'rehydrated':
					return [`${event.sessionId} rehydrated: ${event.seq}`];
				case 'damaged':
					return [`${event.sessionId} damaged`];
				case 'turn-ended':
					return [`turn ended: ${event.error.code}`];
				case 'taken-over':
					return [`taken over: ${event.generation}`];
				case 'turn-wanted':
					return [`turn wanted`];
				case 'checkpointed':
					return [];
			}
		});
	}

	dispose(): void {
		this.disk.dispose();
	}

	private platform(options: ConnectionOptions, digest: Digest): StorePlatform {
		const connected = this.disk.connect({
			...options,
			faultOf: (operation) => {
				if (operation.kind === 'write') this.writes.push(operation.statements);
				return options.faultOf?.(operation);
			},
		});
		const randomId = (): string => `owner${++this.ids}`;
		return { database: connected, clock: this.clock, digest, randomId, onError: unexpected };
	}
}

/** A turn that is there to be taken. */
export async function turnOf(turns: StoreTurns, sessionId: string, asked: Partial<TurnRequest> = {}): Promise<Turn> {
	const start = await turns.begin(request(sessionId, asked));
	if (start.kind === 'replay') throw new Error(`It was made before: ${start.reply}`);
	return start;
}

/** A whole call. */
export async function checkpoint(
	turns: StoreTurns,
	sessionId: string,
	state: unknown,
	asked: Partial<TurnRequest> & { readonly reply?: unknown } = {},
): Promise<number> {
	const { reply = null, ...rest } = asked;
	const { turnId } = await turnOf(turns, sessionId, rest);
	const { seq } = await turns.commit({ turnId, state: JSON.stringify(state), reply: JSON.stringify(reply) });
	return seq;
}

export function request(sessionId: string, asked: Partial<TurnRequest> = {}): TurnRequest {
	return {
		sessionId,
		key: undefined,
		tool: 'tool',
		argumentsHash: sha256.sha256('[]'),
		heldState: undefined,
		deadlineMs: undefined,
		...asked,
	};
}

function unexpected(error: unknown): void {
	throw error;
}
