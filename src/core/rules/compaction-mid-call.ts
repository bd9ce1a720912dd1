import { agentName } from '../conversation/index.ts';
import { consequence } from './refusals.ts';
import { defineRule } from './rule.ts';

export default defineRule({
	id: 'compaction-mid-call',
	meta: {
		description: 'A conversation is compacted only while no call is out.',
		family: 'compaction',
		severity: 'warning',
		messages: {
			midCall:
				"The conversation was compacted while {{agent}}'s call to {{tool}} was out. Its result came afterwards, to a conversation that no longer holds the call. {{consequence}}",
			compaction: 'The conversation was compacted here.',
			result: 'The result came here.',
		},
	},
	create(context) {
		return {
			toolCall(call) {
				// A call that the compaction preserved is still part of the conversation, and its result belongs to it.
				if (call.compactedBy === undefined || call.result === undefined || call.message.isActive) return;
				context.report({
					at: call.place,
					messageId: 'midCall',
					data: {
						agent: agentName(call.agent),
						tool: call.name,
						consequence: consequence(context, 'unasked', {
							id: call.id,
							message: call.result.message,
							place: call.place,
						}),
					},
					toolCall: call,
					related: [
						{ at: call.compactedBy.place, messageId: 'compaction' },
						{ at: call.result.place, messageId: 'result' },
					],
				});
			},
		};
	},
});
