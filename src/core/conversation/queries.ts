import { mainAgentId } from '../base/ids.ts';
import { singleLine, truncated } from '../base/text.ts';
import type { Agent, Conversation, Duplicate, ServerChange, ToolCall, ToolDescription } from './model.ts';
import type { ToolCallState } from './state.ts';

/** What a person calls the agent: its name, else what it was asked to do, else its id. */
export function agentName(agent: Agent): string {
	if (agent.id === mainAgentId) return 'main';
	return truncated(singleLine(agent.name ?? agent.description ?? agent.id), 60);
}

/** Further lines with the call's id that are part of the conversation together with the call itself. */
export function activeDuplicates(call: ToolCall): readonly Duplicate[] {
	const { node, duplicates, message } = call as ToolCallState;
	if (duplicates.length === 0) return duplicates;
	const isActive = node === undefined ? message.isActive : node.activeIndex !== -1;
	if (!isActive) return [];
	// Lines of one message that bear the same id are a copy that a resume wrote, or a gateway's own way of counting.
	return duplicates.filter(
		(duplicate) =>
			duplicate.isDistinct &&
			duplicate.message !== message &&
			(duplicate.node === undefined ? duplicate.message.isActive : duplicate.node.activeIndex !== -1),
	);
}

/** What its server says of the tool that is called; `undefined` where no source tells, or the tool is no server's. */
export function toolOf(conversation: Conversation, call: ToolCall): ToolDescription | undefined {
	return call.server === undefined ? undefined : conversation.tools.get(call.server)?.get(call.name);
}

/** All calls of an agent: those that its transcript tells of, and those that only a host has seen. */
export function callsOf({ toolCalls, hostCalls }: Agent): readonly ToolCall[] {
	return hostCalls.length === 0 ? toolCalls : [...toolCalls, ...hostCalls];
}

/** The server that a call went to: as the transcript names it, else as the host does. */
export function serverOf({ server, hostCalls }: ToolCall): string | undefined {
	return server ?? hostCalls[0]?.server;
}

/** How long a call took: as the agent has measured it, or the host, else by the times of its lines. */
export function durationOf(call: ToolCall): number | undefined {
	if (call.result?.durationMs !== undefined) return call.result.durationMs;
	if (call.hostCalls.length === 1 && call.hostCalls[0]?.ended !== undefined)
		return call.hostCalls[0].ended.durationMs;
	if (call.result?.at === undefined || call.startedAt === undefined) return undefined;
	return Math.max(0, call.result.at - call.startedAt);
}

/** What has happened to the connections that the agent's calls went over. */
export function serverChangesOf(conversation: Conversation, agent: Agent): readonly ServerChange[] {
	if (conversation.serverChanges.length === 0) return conversation.serverChanges;
	const used = new Set(callsOf(agent).flatMap((call) => call.hostCalls.flatMap(({ upstreamIds }) => upstreamIds)));
	return conversation.serverChanges.filter(({ upstreamId }) => used.has(upstreamId));
}

/** The agents in an order that does not depend on what was read first: the main one, then as they began. */
export function agentsInOrder(conversation: Conversation): readonly Agent[] {
	const rank = (agent: Agent) => (agent.id === mainAgentId ? 0 : 1);
	return [...conversation.agents.values()].sort(
		(one, other) =>
			rank(one) - rank(other) ||
			(one.firstAt ?? Infinity) - (other.firstAt ?? Infinity) ||
			(one.id < other.id ? -1 : 1),
	);
}
