import { jsonText } from '../../core/base/jsonText.ts';
import { agentName, callState, serverOf } from '../../core/conversation/index.ts';
import type { Agent, ToolCall } from '../../core/conversation/index.ts';
import type { Replay, ReplayStep } from '../../core/conversation/replay.ts';
import { ExpressionValues } from '../../core/debug/expression.ts';
import type { BreakpointCall } from '../../core/debug/breakpoint.ts';
import { callerNames, mcpToolNames } from '../../core/debug/toolPattern.ts';
import type { ReplayBodies } from './replayBodies.ts';

/** A call as breakpoints and expressions see it at one step. */
export interface SeenCall {
	readonly call: BreakpointCall;
	readonly values: ExpressionValues;
}

/** Every name that a breakpoint can have for the call's tool. */
export function namesOf(call: ToolCall): readonly string[] {
	const server = serverOf(call);
	return server === undefined ? [call.name] : mcpToolNames(server, call.name);
}

/** What a breakpoint may call an agent by. */
export function callersOf(agent: Agent): readonly string[] {
	return callerNames({ agentType: agent.type ?? null, agentName: agentName(agent), agentId: agent.id });
}

/** @param step Of the call or of its result; others have neither arguments nor a result. */
export async function seenAt(replay: Replay, bodies: ReplayBodies, step: ReplayStep): Promise<SeenCall> {
	const { agent, index } = step;
	const call = step.kind === 'call' || step.kind === 'result' ? step.call : undefined;
	const result = step.kind === 'result' ? step.result : call === undefined ? undefined : replay.resultAt(call, index);
	const given = call === undefined ? undefined : valueText(await bodies.argumentsOf(call));
	const brought = result === undefined ? undefined : valueText(await bodies.resultOf(call, result));
	const seen: BreakpointCall = {
		names: call === undefined ? [] : namesOf(call),
		argumentsText: () => given ?? '{}',
		resultText: () => brought,
		isError: result?.isError ?? false,
		tool: call?.name ?? '',
		server: call === undefined ? null : (serverOf(call) ?? null),
		agentId: agent.id,
		agentType: agent.type ?? null,
		agentName: agentName(agent),
		sessionId: replay.conversation.sessionId,
	};
	return { call: seen, values: new ExpressionValues(seen) };
}

/** What is gone from its file is `null`. */
function valueText(value: unknown): string {
	return jsonText(value ?? null);
}

/** A call in a few words, for lists of them: what it came to by then. */
export function summaryOfCall(replay: Replay, call: ToolCall, index: number): Readonly<Record<string, unknown>> {
	const result = replay.resultAt(call, index);
	const { startedAt, server, name } = call;
	return {
		tool: name,
		server: server ?? null,
		state: stateAt(replay, call, index),
		isError: result?.isError ?? false,
		startedAt: startedAt === undefined ? null : new Date(startedAt).toISOString(),
		durationMs: result === undefined ? null : durationOf(call, result.at),
	};
}

/** At the end what has become of it; before that it may still be answered. */
function stateAt(replay: Replay, call: ToolCall, index: number): string {
	const result = replay.resultAt(call, index);
	if (result !== undefined) return result.isError ? 'failed' : 'completed';
	if (call.result !== undefined || index < replay.steps.length - 1) return 'pending';
	return callState(replay.conversation, call).state;
}

export function durationOf(call: ToolCall, endedAt: number | undefined): number | null {
	if (call.result?.durationMs !== undefined) return call.result.durationMs;
	return endedAt === undefined || call.startedAt === undefined ? null : Math.max(0, endedAt - call.startedAt);
}

export function summaryOfAgent(replay: Replay, agent: Agent, index: number): Readonly<Record<string, unknown>> {
	return { id: agent.id, type: agent.type ?? null, ...replay.countsAt(agent, index) };
}

/** Agents by the names that people know them by; where two have the same, by their ids too. */
export function namedAgents(agents: readonly Agent[]): ReadonlyMap<string, Agent> {
	const named = new Map<string, Agent>();
	for (const agent of agents) {
		const name = agentName(agent);
		named.set(named.has(name) ? `${name} ${agent.id}` : name, agent);
	}
	return named;
}
