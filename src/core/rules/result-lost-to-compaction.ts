import { agentName } from '../conversation/index.ts';
import { defineRule } from './rule.ts';

export default defineRule({
	id: 'result-lost-to-compaction',
	meta: {
		description: 'A compaction loses no result of a call that is out.',
		family: 'compaction',
		severity: 'error',
		messages: {
			lost: "{{agent}}'s call to {{tool}} has no result: the conversation was compacted before it came. The tool may well have run; the model does not know what came of it.",
			compaction: 'The conversation was compacted here ({{trigger}}).',
		},
	},
	create(context) {
		return {
			toolCall(call) {
				if (call.compactedBy === undefined || call.result !== undefined || call.answeredBy === 'provider') {
					return;
				}
				const { trigger } = call.compactedBy;
				context.report({
					at: call.place,
					messageId: 'lost',
					data: { agent: agentName(call.agent), tool: call.name },
					toolCall: call,
					cause: 'lost-to-compaction',
					related: [
						{
							at: call.compactedBy.place,
							messageId: 'compaction',
							data: {
								trigger:
									trigger === 'auto'
										? 'automatic'
										: trigger === 'manual'
											? 'by hand'
											: 'trigger unknown',
							},
						},
					],
				});
			},
		};
	},
});
