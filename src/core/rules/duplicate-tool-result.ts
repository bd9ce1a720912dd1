import { agentName, isActiveResult } from '../conversation/index.ts';
import { consequence } from './refusals.ts';
import { defineRule } from './rule.ts';

export default defineRule({
	id: 'duplicate-tool-result',
	meta: {
		description: 'Every call has one result.',
		family: 'pairing',
		severity: 'error',
		messages: {
			duplicate: "{{agent}}'s call to {{tool}} has a second result. {{consequence}}",
			first: 'The first result is here.',
			call: 'The call to {{tool}} is here.',
		},
	},
	create(context) {
		return {
			toolCall(call) {
				const first = call.result;
				// Two calls with one id have two results with one id: that is another rule's.
				if (
					context.client.pairing !== 'adjacent' ||
					first === undefined ||
					call.furtherResults.length <= call.duplicates.length
				) {
					return;
				}
				if (call.answeredBy === 'provider' || !isActiveResult(call, first)) return;
				for (const result of call.furtherResults) {
					if (!isActiveResult(call, result)) continue;
					context.report({
						at: result.place,
						messageId: 'duplicate',
						data: {
							agent: agentName(call.agent),
							tool: call.name,
							consequence: consequence(context, 'duplicateResult', {
								id: call.id,
								message: result.message,
								place: result.place,
							}),
						},
						toolCall: call,
						related: [
							{ at: first.place, messageId: 'first' },
							{ at: call.place, messageId: 'call', data: { tool: call.name } },
						],
					});
				}
			},
		};
	},
});
