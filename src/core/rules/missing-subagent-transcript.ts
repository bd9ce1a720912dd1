import { agentName } from '../conversation/index.ts';
import { mainAgentId } from '../base/ids.ts';
import { defineRule } from './rule.ts';

export default defineRule({
	id: 'missing-subagent-transcript',
	meta: {
		description: 'The transcript of every subagent that was started is there.',
		family: 'transcript',
		severity: 'note',
		messages: {
			missing: 'This call started {{agent}}, whose transcript is not beside those of the other subagents.',
		},
	},
	create(context) {
		return {
			agent(agent) {
				if (agent.hasTranscript || agent.spawnCall === undefined) return;
				const { conversation } = context;
				// It is there, and damaged or closed to us: whoever has read it says so.
				if (context.hasFile(agent)) {
					context.inconclusive(
						agent.spawnCall.place,
						`The transcript of ${agentName(agent)} is there, and nothing of it could be read.`,
					);
					return;
				}
				const hasOthers = [...conversation.agents.values()].some(
					(other) =>
						other.id !== mainAgentId && other.hasTranscript && other.path !== agent.spawnCall?.agent.path,
				);
				// A transcript that was copied alone has none of its subagents', and one that was just started may not have begun.
				const isLive = conversation.liveness.state === 'live';
				if (!hasOthers || isLive) {
					context.inconclusive(
						agent.spawnCall.place,
						`The transcript of ${agentName(agent)} is not there; perhaps it ${isLive ? 'has not begun yet' : 'was never copied'}.`,
					);
					return;
				}
				context.report({
					at: agent.spawnCall.place,
					messageId: 'missing',
					data: { agent: agentName(agent) },
					toolCall: agent.spawnCall,
					agent,
				});
			},
		};
	},
});
