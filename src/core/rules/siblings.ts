import type { ToolCall } from '../conversation/index.ts';

/** Whether another client-answered call of the same message has its result: then the answer to the message is incomplete, not absent. */
export function hasAnsweredSibling(call: ToolCall): boolean {
	const own = call.result !== undefined && call.answeredBy === 'client' ? 1 : 0;
	return call.message.answeredCalls > own;
}
