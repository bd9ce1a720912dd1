import { activeDuplicates, agentName } from '../conversation/index.ts';
import { consequence } from './refusals.ts';
import { defineRule } from './rule.ts';

export default defineRule({
	id: 'duplicate-tool-use-id',
	meta: {
		description: 'No two calls of one conversation have the same id.',
		family: 'pairing',
		severity: 'error',
		messages: {
			duplicate:
				"{{agent}}'s call to {{tool}} has an id that an earlier call has already: {{id}}. {{consequence}}",
			first: 'The first call with this id is here.',
		},
	},
	create(context) {
		return {
			toolCall(call) {
				if (context.client.pairing !== 'adjacent') return;
				for (const duplicate of activeDuplicates(call)) {
					context.report({
						at: duplicate.place,
						messageId: 'duplicate',
						data: {
							agent: agentName(call.agent),
							tool: call.name,
							id: call.id,
							consequence: consequence(context, 'duplicateCall', { ...duplicate, id: call.id }),
						},
						toolCall: call,
						related: [{ at: call.place, messageId: 'first' }],
					});
				}
			},
		};
	},
});
