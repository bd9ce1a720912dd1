import { agentName } from '../conversation/index.ts';
import { damageAround } from './evidence.ts';
import { consequence } from './refusals.ts';
import { defineRule } from './rule.ts';

export default defineRule({
	id: 'orphaned-tool-result',
	meta: {
		description: 'Every tool result answers a call that stands before it.',
		family: 'pairing',
		severity: 'error',
		messages: {
			headCut:
				"A result in {{agent}}'s transcript answers {{id}}, whose call is not there: the beginning of the transcript is missing.",
			unknown:
				"A result in {{agent}}'s transcript answers {{id}}, but no call with that id is there. {{consequence}}",
		},
	},
	create(context) {
		return {
			strayResult(result) {
				if (result.isInPlace || !(result.message?.isActive ?? false)) return;
				const { agent } = result;
				const damage = damageAround(context.conversation, result.place);
				if (damage !== undefined) {
					context.inconclusive(
						result.place,
						`A result answers ${result.toolUseId}, whose call may have stood on a damaged line near it.`,
					);
					return;
				}
				const isHeadCut = agent.isHeadCut && result.isAtHead;
				context.report({
					at: result.place,
					messageId: isHeadCut ? 'headCut' : 'unknown',
					// A transcript that was moved away or cut while its session ran begins like this, and nothing is broken.
					severity: isHeadCut ? 'note' : undefined,
					data: {
						agent: agentName(agent),
						id: result.toolUseId,
						consequence: consequence(context, 'unasked', {
							id: result.toolUseId,
							message: result.message,
							place: result.place,
						}),
					},
					agent,
					toolUseId: result.toolUseId,
					cause: isHeadCut ? 'head-cut' : 'unknown',
				});
			},
		};
	},
});
