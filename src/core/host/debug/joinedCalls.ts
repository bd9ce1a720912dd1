import type { SessionId, ToolUseId } from '../../base/ids.ts';
import type { GateCall } from './debugGate.ts';

/** How a call has come past so far, in one session. */
interface Passed {
	/** `undefined`: whoever saw it did not know. */
	sessionId: SessionId | undefined;
	readonly at: Map<'before' | 'after', GateCall['heldBy']>;
}

/** A call between its hook and the wire waits for a person's permission at the longest; more than these are of long ago. */
const mostRemembered = 5_000;

/** Knows a call again that comes past twice: at its agent's hook, and on the wire. */
export class JoinedCalls {
	/** The oldest first. */
	private readonly passed = new Map<ToolUseId, Passed[]>();

	/** Takes note of a call at a point, and says whether the other side has looked at it there already. */
	passes({ toolUseId, sessionId, heldBy }: GateCall, point: 'before' | 'after'): 'first' | 'other-side' {
		if (toolUseId === undefined) return 'first';
		const all = this.passed.get(toolUseId);
		const known = all?.find(
			(one) => one.sessionId === sessionId || one.sessionId === undefined || sessionId === undefined,
		);
		if (known === undefined) {
			const [oldest] = this.passed.keys();
			if (this.passed.size >= mostRemembered && oldest !== undefined) this.passed.delete(oldest);
			this.passed.set(toolUseId, [...(all ?? []), { sessionId, at: new Map([[point, heldBy]]) }]);
			return 'first';
		}
		known.sessionId ??= sessionId;
		const by = known.at.get(point);
		if (by !== undefined && by !== heldBy) return 'other-side';
		known.at.set(point, heldBy);
		return 'first';
	}

	clear(): void {
		this.passed.clear();
	}
}
