import { agentName } from '../conversation/index.ts';
import { damageAfter } from './evidence.ts';
import { consequence } from './refusals.ts';
import { defineRule } from './rule.ts';
import { hasAnsweredSibling } from './siblings.ts';

export default defineRule({
	id: 'incomplete-parallel-results',
	meta: {
		description: 'The parallel calls of one response are all answered before the conversation goes on.',
		family: 'pairing',
		severity: 'error',
		messages: {
			incomplete:
				'{{agent}} called {{count}} tools at once, of which {{answered}} gave a result: the call to {{tool}} has none, and the conversation went on. {{consequence}}',
			answered: 'The call to {{tool}} of the same response is answered.',
			later: 'The conversation goes on here.',
		},
	},
	create(context) {
		return {
			toolCall(call) {
				if (call.result !== undefined || call.answeredBy === 'provider' || !hasAnsweredSibling(call)) {
					return;
				}
				const state = context.stateOf(call);
				// A process that ended in mid-call is the other rule's.
				if (state.state !== 'orphaned' || state.cause !== 'unknown') return;
				const later = context.laterTurn(call);
				if (later === undefined) return;
				if (damageAfter(context.conversation, call.place) !== undefined) {
					context.inconclusive(
						call.place,
						`${agentName(call.agent)}'s call to ${call.name} has no result, but a damaged line behind it may have held it.`,
					);
					return;
				}
				const siblings = call.message.toolCalls.filter((sibling) => sibling.answeredBy === 'client');
				const answered = siblings.filter((sibling) => sibling.result !== undefined);
				context.report({
					at: call.place,
					messageId: 'incomplete',
					data: {
						agent: agentName(call.agent),
						count: siblings.length,
						answered: answered.length,
						tool: call.name,
						consequence: consequence(context, 'unanswered', call),
					},
					toolCall: call,
					cause: state.cause,
					related: [
						...answered.slice(0, 3).map((sibling) => ({
							at: sibling.result?.place ?? sibling.place,
							messageId: 'answered',
							data: { tool: sibling.name },
						})),
						{ at: later.place, messageId: 'later' },
					],
				});
			},
		};
	},
});
