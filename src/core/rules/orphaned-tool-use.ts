import { agentName } from '../conversation/index.ts';
import { damageAfter } from './evidence.ts';
import { consequence } from './refusals.ts';
import { defineRule } from './rule.ts';
import { hasAnsweredSibling } from './siblings.ts';

export default defineRule({
	id: 'orphaned-tool-use',
	meta: {
		description: 'Every tool call of the conversation as it stands has a result, or may still get one.',
		family: 'pairing',
		severity: 'error',
		messages: {
			killed: "{{agent}}'s call to {{tool}} has no result: its process ended in mid-call. {{consequence}}",
			interrupted: "{{agent}}'s call to {{tool}} has no result: the turn was interrupted. {{consequence}}",
			unknown: "{{agent}}'s call to {{tool}} has no result, and the conversation went on. {{consequence}}",
			later: 'The conversation goes on here.',
		},
	},
	create(context) {
		return {
			toolCall(call) {
				if (call.result !== undefined || call.answeredBy === 'provider') return;
				const state = context.stateOf(call);
				if (state.state === 'pending') {
					if (!state.isCertain) {
						context.inconclusive(
							call.place,
							`${agentName(call.agent)}'s call to ${call.name} has no result yet. ${state.evidence}`,
						);
					}
					return;
				}
				// What a compaction lost is another rule's.
				if (state.state !== 'orphaned' || state.cause === 'lost-to-compaction') return;
				const later = context.laterTurn(call);
				if (state.cause === 'unknown' && later !== undefined && hasAnsweredSibling(call)) return;
				const damage = damageAfter(context.conversation, call.place);
				if (damage !== undefined) {
					context.inconclusive(
						call.place,
						`${agentName(call.agent)}'s call to ${call.name} has no result, but a damaged line behind it may have held it.`,
					);
					return;
				}
				context.report({
					at: call.place,
					messageId: state.cause === 'killed' || state.cause === 'interrupted' ? state.cause : 'unknown',
					data: {
						agent: agentName(call.agent),
						tool: call.name,
						consequence: consequence(context, 'unanswered', call),
					},
					toolCall: call,
					cause: state.cause,
					related: later === undefined ? undefined : [{ at: later.place, messageId: 'later' }],
				});
			},
		};
	},
});
