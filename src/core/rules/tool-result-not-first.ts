import { agentName, isActiveResult } from '../conversation/index.ts';
import { consequence } from './refusals.ts';
import { defineRule } from './rule.ts';

export default defineRule({
	id: 'tool-result-not-first',
	meta: {
		description: 'In the message that answers calls the results come first.',
		family: 'pairing',
		severity: 'error',
		messages: {
			notFirst:
				"The result of {{agent}}'s call to {{tool}} stands behind other content in its message. {{consequence}}",
			call: 'The call to {{tool}} is here.',
		},
	},
	create(context) {
		return {
			toolCall(call) {
				const { result } = call;
				if (
					context.client.pairing !== 'adjacent' ||
					result === undefined ||
					!result.isPrecededByOther ||
					!isActiveResult(call, result)
				) {
					return;
				}
				context.report({
					at: result.place,
					messageId: 'notFirst',
					data: {
						agent: agentName(call.agent),
						tool: call.name,
						consequence: consequence(context, 'notFirst', {
							id: call.id,
							message: call.message,
							place: result.place,
						}),
					},
					toolCall: call,
					related: [{ at: call.place, messageId: 'call', data: { tool: call.name } }],
				});
			},
		};
	},
});
