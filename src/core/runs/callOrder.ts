// In which order the calls of a run are made again, and what each of them waits for.

import type { RecordedCall } from './recordedCalls.ts';

/**
 * - `recorded`: a call begins when all those have ended that had ended before it began, and all those have begun that had: what overlapped overlaps
 *   again, however long it takes, and the order of the beginnings is always the same.
 * - `timed`: a call begins as long after the first as it did, and not before its own agent has the answers that it had by then.
 */
export type CallOrder = 'recorded' | 'timed';

export interface OrderedCall {
	readonly call: RecordedCall;
	/** Milliseconds after the first call began, as it was recorded. */
	readonly afterMs: number;
	/** Indexes of the calls that must have ended before it begins. The ends of others follow from these. */
	readonly after: readonly number[];
	/** Indexes of the calls that were under way when it began. */
	readonly beside: readonly number[];
}

/** @param calls In the order in which they began. */
export function callsInOrder(calls: readonly RecordedCall[], order: CallOrder): readonly OrderedCall[] {
	const firstAt = calls.find(({ startedAt }) => startedAt !== undefined)?.startedAt ?? 0;
	/** Those that have begun and whose end nobody has waited for yet. */
	let running: RecordedCall[] = [];
	return calls.map((call) => {
		const startedAt = call.startedAt ?? Infinity;
		const hasEnded = (other: RecordedCall) => (other.endedAt ?? Infinity) <= startedAt;
		const isWaitedFor = (other: RecordedCall) =>
			hasEnded(other) && (order === 'recorded' || other.agentId === call.agentId);
		const beside = running.filter((other) => !hasEnded(other));
		const after = running.filter(isWaitedFor);
		const waited = new Set(after);
		running = [...running.filter((other) => !waited.has(other)), call];
		return {
			call,
			afterMs: call.startedAt === undefined ? 0 : call.startedAt - firstAt,
			after: after.map(({ index }) => index),
			beside: beside.map(({ index }) => index),
		};
	});
}
