import type { ToolCall } from '../conversation/index.ts';

/** Whether another client-answered call of the same message has its result: then the answer to the message is incomplete, not absent. */
export function hasAnsweredSibling(call: ToolCall): boolean {
	return call.message.toolCalls.some(
		(sibling) => sibling !== call && sibling.answeredBy === 'client' && sibling.result !== undefined,
	);
}
