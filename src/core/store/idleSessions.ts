import type { Disposable } from '../base/lifecycle.ts';
import type { SessionActor } from './sessionActor.ts';
import type { StoreLimits } from './sessionStore.ts';
import type { StoreClock } from './storePlatform.ts';

/** Those whose memory can be given up, and when it is: after a time without a call, or when all states together take too much. */
export class IdleSessions implements Disposable {
	private readonly clock: StoreClock;
	private readonly limits: StoreLimits;
	private readonly evict: (actor: SessionActor, reason: 'idle' | 'memory') => void;
	/** Since when, the longest first: all of them wait for the same time, so one timer does. */
	private readonly idleSince = new Map<SessionActor, number>();
	private timer: Disposable | undefined;
	private totalBytes = 0;

	constructor(
		clock: StoreClock,
		limits: StoreLimits,
		evict: (actor: SessionActor, reason: 'idle' | 'memory') => void,
	) {
		this.clock = clock;
		this.limits = limits;
		this.evict = evict;
	}

	add(actor: SessionActor): void {
		this.idleSince.set(actor, this.clock.elapsed());
		this.schedule();
		this.makeRoom();
	}

	delete(actor: SessionActor): void {
		this.idleSince.delete(actor);
	}

	/** All states in memory have grown by so much, also those in use. */
	weigh(bytes: number): void {
		this.totalBytes += bytes;
		if (bytes > 0) this.makeRoom();
	}

	dispose(): void {
		this.timer?.dispose();
		this.idleSince.clear();
	}

	private makeRoom(): void {
		const { memoryBytes } = this.limits;
		if (this.totalBytes <= memoryBytes) return;
		// A little more than needed: to find the first of many whose predecessors were deleted takes time.
		const target = memoryBytes - memoryBytes / 64;
		for (const actor of this.idleSince.keys()) {
			this.idleSince.delete(actor);
			this.evict(actor, 'memory');
			if (this.totalBytes <= target) return;
		}
	}

	/** A timer that is too early asks again: a call then costs none. */
	private schedule(): void {
		const { eviction } = this.limits;
		const [first] = this.idleSince.values();
		if (typeof eviction !== 'object' || this.timer !== undefined || first === undefined) return;
		this.timer = this.clock.after(Math.max(1, first + eviction.idleMs - this.clock.elapsed()), () => {
			this.timer = undefined;
			this.evictUntil(this.clock.elapsed() - eviction.idleMs);
			this.schedule();
		});
	}

	private evictUntil(moment: number): void {
		for (const [actor, since] of this.idleSince) {
			if (since > moment) return;
			this.idleSince.delete(actor);
			this.evict(actor, 'idle');
		}
	}
}
