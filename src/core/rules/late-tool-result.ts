import { agentName, turnsBetween } from '../conversation/index.ts';
import { consequence } from './refusals.ts';
import { defineRule } from './rule.ts';

export default defineRule({
	id: 'late-tool-result',
	meta: {
		description: 'A result comes before the next response of the model.',
		family: 'pairing',
		severity: 'error',
		messages: {
			late: "The result of {{agent}}'s call to {{tool}} comes too late: another response stands between them. {{consequence}}",
			between: 'This response stands between the call and its result.',
			call: 'The call to {{tool}} is here.',
		},
	},
	create(context) {
		return {
			toolCall(call) {
				if (
					context.client.pairing !== 'adjacent' ||
					call.answeredBy === 'provider' ||
					call.result === undefined ||
					!call.message.isActive
				) {
					return;
				}
				// Text of a person in between is no matter: clients put results first.
				const between = turnsBetween(call, call.result).find((message) => message.kind === 'response');
				if (between === undefined) return;
				context.report({
					at: call.result.place,
					messageId: 'late',
					data: {
						agent: agentName(call.agent),
						tool: call.name,
						consequence: consequence(context, 'late', {
							id: call.id,
							message: call.result.message,
							place: call.result.place,
						}),
					},
					toolCall: call,
					related: [
						{ at: call.place, messageId: 'call', data: { tool: call.name } },
						{ at: between.place, messageId: 'between' },
					],
				});
			},
		};
	},
});
