import type { SessionId } from '../../base/ids.ts';
import type { HookFacts } from './hookFacts.ts';

/** A person may think for a while between two prompts; an agent that was killed says nothing more. */
const memoryMs = 15 * 60_000;
const mostSessions = 1_000;

/** The sessions that hooks have told of lately, and not of their end: a host is there for them even while they do not call a server. */
export class HookedSessions {
	/** When each was heard of last; the longest ago first. */
	private readonly heardAt = new Map<SessionId, number>();

	/** @param now In milliseconds, from any fixed point. */
	heard({ event, sessionId }: HookFacts, now: number): void {
		this.heardAt.delete(sessionId);
		if (event === 'SessionEnd') return;
		this.heardAt.set(sessionId, now);
		const [oldest] = this.heardAt.keys();
		if (this.heardAt.size > mostSessions && oldest !== undefined) this.heardAt.delete(oldest);
	}

	hasAny(now: number): boolean {
		for (const [session, at] of this.heardAt) {
			if (now - at < memoryMs) return true;
			this.heardAt.delete(session);
		}
		return false;
	}
}
