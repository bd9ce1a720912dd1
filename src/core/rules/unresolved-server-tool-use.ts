import { agentName } from '../conversation/index.ts';
import { anthropicErrors, willBeRefused } from './clients.ts';
import { refused } from './refusals.ts';
import { defineRule } from './rule.ts';

export default defineRule({
	id: 'unresolved-server-tool-use',
	meta: {
		description: "A tool that the provider runs has its result in the model's responses before the next prompt.",
		family: 'pairing',
		severity: 'error',
		messages: {
			unresolved:
				"{{agent}}'s use of {{tool}}, a tool that the provider runs, has no result, and the conversation went on. {{consequence}}",
			later: 'The conversation goes on here.',
		},
	},
	create(context) {
		return {
			toolCall(call) {
				if (call.answeredBy !== 'provider' || call.result !== undefined || !call.message.isActive) return;
				// A paused turn is sent back as it is and goes on later.
				if (call.message.stopReason === 'pause_turn') return;
				const later = context.laterTurn(call);
				if (later === undefined) {
					const state = context.stateOf(call);
					if (state.state === 'pending' && !state.isCertain) {
						context.inconclusive(
							call.place,
							`The provider's answer to ${call.name} is not there yet. ${state.evidence}`,
						);
					}
					return;
				}
				if (later.kind === 'response') return;
				context.report({
					at: call.place,
					messageId: 'unresolved',
					data: {
						agent: agentName(call.agent),
						tool: call.name,
						consequence:
							refused(call) ?? willBeRefused(anthropicErrors.unresolvedServerTool(call.name, call.id)),
					},
					toolCall: call,
					related: [{ at: later.place, messageId: 'later' }],
				});
			},
		};
	},
});
