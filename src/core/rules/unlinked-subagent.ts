import { agentName } from '../conversation/index.ts';
import { mainAgentId } from '../base/ids.ts';
import { defineRule } from './rule.ts';

export default defineRule({
	id: 'unlinked-subagent',
	meta: {
		description: 'The call that started a subagent is in the transcript of its parent.',
		family: 'transcript',
		severity: 'note',
		messages: { unlinked: "{{agent}} was started by the call {{id}}, which is not in its parent's transcript." },
	},
	create(context) {
		return {
			agent(agent) {
				if (
					agent.id === mainAgentId ||
					!agent.hasTranscript ||
					agent.spawnCall !== undefined ||
					agent.isWarmUp ||
					agent.relation !== 'subagent'
				) {
					return;
				}
				const first = agent.messages[0];
				if (first === undefined) return;
				const parent =
					agent.parentId === undefined || agent.parentId === null
						? context.conversation.agents.get(mainAgentId)
						: context.conversation.agents.get(agent.parentId);
				// Agents that the client starts for itself name no call, and a parent that was not read proves nothing.
				if (
					agent.spawnToolUseId === undefined ||
					parent === undefined ||
					!parent.hasTranscript ||
					parent.isHeadCut ||
					context.conversation.liveness.state === 'live'
				) {
					context.inconclusive(
						first.place,
						`Nothing that was read tells which call started ${agentName(agent)}.`,
					);
					return;
				}
				context.report({
					at: first.place,
					messageId: 'unlinked',
					data: { agent: agentName(agent), id: agent.spawnToolUseId },
					agent,
				});
			},
		};
	},
});
