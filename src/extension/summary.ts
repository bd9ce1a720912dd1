// What a row says of a session and its agents, computed from the conversation.

import type { AgentId } from '../core/base/ids.ts';
import { mainAgentId } from '../core/base/ids.ts';
import { agentName, callState, callsOf } from '../core/conversation/index.ts';
import type { Agent, CallState, Conversation, ToolCall } from '../core/conversation/index.ts';
import type { Diagnostic } from '../core/rules/linter.ts';

/**
 * `running`: it works, and none of its subagents does its work for it. `waiting`: for a subagent, or for a person.
 * `done`, `failed`, `killed`: how it ended. `unknown`: nothing tells.
 */
export type AgentState = 'running' | 'waiting' | 'done' | 'failed' | 'killed' | 'unknown';

export interface AgentSummary {
	readonly agent: Agent;
	readonly name: string;
	readonly state: AgentState;
	/** Agents it has spawned, in the order in which they began. */
	readonly children: readonly AgentSummary[];
	readonly calls: number;
	readonly failed: number;
	readonly orphaned: number;
	readonly pending: readonly ToolCall[];
	/** Of these, those that wait for a person to allow them. */
	readonly asking: readonly ToolCall[];
	/** Diagnostics on this agent alone. */
	readonly findings: number;
	readonly worst: Diagnostic['severity'] | undefined;
}

export interface SessionSummary {
	readonly conversation: Conversation;
	readonly revision: number;
	/** Agents that nobody spawned, as far as is known: the main one, and those without a known parent. */
	readonly roots: readonly AgentSummary[];
	readonly agents: ReadonlyMap<AgentId, AgentSummary>;
	readonly calls: number;
	readonly pending: number;
	readonly orphaned: number;
	readonly findings: number;
	readonly worst: Diagnostic['severity'] | undefined;
}

export function summaryOf(conversation: Conversation, diagnostics: readonly Diagnostic[]): SessionSummary {
	const findingsOf = new Map<AgentId, Diagnostic[]>();
	for (const diagnostic of diagnostics) {
		if (diagnostic.agentId === undefined) continue;
		const known = findingsOf.get(diagnostic.agentId);
		if (known === undefined) findingsOf.set(diagnostic.agentId, [diagnostic]);
		else known.push(diagnostic);
	}
	const agents = new Map<AgentId, AgentSummary>();
	const childrenOf = groupByParent(conversation);
	const visit = (agent: Agent): AgentSummary => {
		const known = agents.get(agent.id);
		if (known !== undefined) return known;
		const children = (childrenOf.get(agent.id) ?? []).map(visit);
		const counts = countCalls(conversation, agent);
		const findings = findingsOf.get(agent.id) ?? [];
		const summary: AgentSummary = {
			agent,
			name: agentName(agent),
			state: stateOf(conversation, agent, counts, children),
			children,
			calls: callsOf(agent).length,
			failed: counts.failed,
			orphaned: counts.orphaned.length,
			pending: counts.pending,
			asking: counts.asking,
			findings: findings.length,
			worst: worstOf(findings),
		};
		agents.set(agent.id, summary);
		return summary;
	};
	const roots = (childrenOf.get(undefined) ?? []).map(visit);
	let calls = 0;
	let pending = 0;
	let orphaned = 0;
	for (const summary of agents.values()) {
		calls += summary.calls;
		pending += summary.pending.length;
		orphaned += summary.orphaned;
	}
	return {
		conversation,
		revision: conversation.revision,
		roots,
		agents,
		calls,
		pending,
		orphaned,
		findings: diagnostics.length,
		worst: worstOf(diagnostics),
	};
}

/** The worst severity of the findings at a call. */
export function worstAt(call: ToolCall, diagnostics: readonly Diagnostic[]): Diagnostic['severity'] | undefined {
	return worstOf(diagnostics.filter(({ agentId, toolUseId }) => toolUseId === call.id && agentId === call.agent.id));
}

function worstOf(diagnostics: readonly Diagnostic[]): Diagnostic['severity'] | undefined {
	return severityOrder.find((severity) => diagnostics.some((diagnostic) => diagnostic.severity === severity));
}

const severityOrder: readonly Diagnostic['severity'][] = ['error', 'warning', 'note'];

/** Agents by parent; those that have none under `undefined`. */
function groupByParent(conversation: Conversation): ReadonlyMap<AgentId | undefined, readonly Agent[]> {
	const groups = new Map<AgentId | undefined, Agent[]>();
	for (const agent of conversation.agents.values()) {
		const parent = parentOf(conversation, agent)?.id;
		const group = groups.get(parent);
		if (group === undefined) groups.set(parent, [agent]);
		else group.push(agent);
	}
	for (const group of groups.values()) group.sort(inOrder);
	return groups;
}

/** `undefined` also for an agent that is its own ancestor: it is shown at the top rather than nowhere. */
function parentOf(conversation: Conversation, agent: Agent): Agent | undefined {
	const next = (of: Agent): Agent | undefined =>
		of.parentId === undefined || of.parentId === null ? undefined : conversation.agents.get(of.parentId);
	const parent = next(agent);
	const seen = new Set<Agent>();
	for (let current = parent; current !== undefined && !seen.has(current); current = next(current)) {
		if (current === agent) return undefined;
		seen.add(current);
	}
	return parent;
}

function inOrder(one: Agent, other: Agent): number {
	if (one.id === mainAgentId) return -1;
	if (other.id === mainAgentId) return 1;
	return (one.firstAt ?? Infinity) - (other.firstAt ?? Infinity) || (one.id < other.id ? -1 : 1);
}

interface CallCounts {
	readonly failed: number;
	readonly pending: readonly ToolCall[];
	readonly asking: readonly ToolCall[];
	readonly orphaned: readonly { readonly call: ToolCall; readonly state: CallState & { state: 'orphaned' } }[];
}

function countCalls(conversation: Conversation, agent: Agent): CallCounts {
	let failed = 0;
	const pending: ToolCall[] = [];
	const asking: ToolCall[] = [];
	const orphaned: CallCounts['orphaned'][number][] = [];
	for (const call of callsOf(agent)) {
		if (call.result !== undefined && !call.isSeenByHostAlone) {
			if (call.result.isError) failed++;
			continue;
		}
		const state = callState(conversation, call);
		if (state.state === 'failed') failed++;
		else if (state.state === 'pending') {
			if (state.hasEnded === true) continue;
			pending.push(call);
			if (state.waitsForPersonSince !== undefined) asking.push(call);
		} else if (state.state === 'orphaned') orphaned.push({ call, state });
	}
	return { failed, pending, asking, orphaned };
}

function stateOf(
	conversation: Conversation,
	agent: Agent,
	counts: CallCounts,
	children: readonly AgentSummary[],
): AgentState {
	// It is ended wherever it stands.
	if (agent.isWarmUp) return 'done';
	const { pending } = counts;
	const isLive = conversation.liveness.state === 'live';
	if (pending.length > 0) {
		if (!isLive) return 'unknown';
		const isWaiting = (call: ToolCall) => isDoneByChild(call, children) || counts.asking.includes(call);
		return pending.every(isWaiting) ? 'waiting' : 'running';
	}
	const { report } = agent;
	const hasStopped = report?.hasStopped === true && (agent.lastAt ?? 0) <= (report.stopped?.at ?? 0);
	if (!agent.hasTranscript && report !== undefined && agent.ended === undefined && !hasStopped)
		return isLive ? 'running' : 'unknown';
	// Between two calls the host knows nothing of an agent.
	if (!agent.hasTranscript && report === undefined && agent.hostCalls.length > 0) return 'unknown';
	if (wasKilled(agent, counts)) return 'killed';
	if (agent.ended !== undefined) return endStates[agent.ended.outcome];
	if (hasStopped && isLive) {
		// Its hook says so before its last lines are there.
		if (report.stopped?.isFailure === true) return 'failed';
		return agent.id === mainAgentId ? 'waiting' : 'done';
	}
	// A message that ends a turn leaves the agent to whoever speaks next.
	const last = lastTurnMessage(agent);
	const hasFinished = last?.kind === 'response' && last.toolCalls.length === 0;
	if (isLive) {
		if (!hasFinished) return 'running';
		return agent.id === mainAgentId ? 'waiting' : 'done';
	}
	return hasFinished ? 'done' : 'unknown';
}

const endStates = { completed: 'done', failed: 'failed', killed: 'killed', ended: 'done' } as const satisfies Record<
	string,
	AgentState
>;

function isDoneByChild(call: ToolCall, children: readonly AgentSummary[]): boolean {
	return children.some(
		(child) => child.agent.id === call.spawnedAgentId && (child.state === 'running' || child.state === 'waiting'),
	);
}

/** Whether the very last thing the agent did was a call that was killed. */
function wasKilled(agent: Agent, counts: CallCounts): boolean {
	const last = lastTurnMessage(agent);
	return counts.orphaned.some(({ call, state }) => state.cause === 'killed' && call.message === last);
}

function lastTurnMessage(agent: Agent): Agent['messages'][number] | undefined {
	return agent.messages.findLast(
		({ kind }) => kind === 'response' || kind === 'prompt' || kind === 'notification' || kind === 'interrupt',
	);
}
