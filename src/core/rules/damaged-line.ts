import { defineRule } from './rule.ts';

export default defineRule({
	id: 'damaged-line',
	meta: {
		description: 'Every line of a transcript can be read.',
		family: 'transcript',
		severity: 'warning',
		messages: { damaged: '{{problem}}' },
	},
	create(context) {
		return {
			damage(damage) {
				if (
					damage.isAtEnd &&
					damage.kind === 'truncated-line' &&
					context.conversation.liveness.state === 'live'
				) {
					context.inconclusive(
						damage.place,
						'The last line is not finished; the agent is running and may be writing it.',
					);
					return;
				}
				context.report({
					at: damage.place,
					messageId: 'damaged',
					data: { problem: damage.message },
					agent: damage.agent,
				});
			},
		};
	},
});
