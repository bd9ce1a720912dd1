import { callState } from '../core/conversation/index.ts';
import type { Conversation, ToolCall } from '../core/conversation/index.ts';
import type { LintedAgent } from '../core/report/lintResult.ts';

/** Calls by their states, as scripts know them. */
type CallCounts = Pick<LintedAgent, 'completed' | 'failed' | 'pending' | 'orphaned' | 'abandoned'>;

export function countsOf(conversation: Conversation, calls: Iterable<ToolCall>): CallCounts {
	const counts = { completed: 0, failed: 0, pending: 0, orphaned: 0, abandoned: 0 };
	for (const call of calls) {
		const state = callState(conversation, call);
		if (state.state === 'abandoned' && state.as === 'orphaned') counts.abandoned++;
		counts[state.state === 'abandoned' ? state.as : state.state]++;
	}
	return counts;
}
