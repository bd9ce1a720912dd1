import { agentsInOrder } from '../conversation/index.ts';
import type { Agent, Conversation, ToolCall } from '../conversation/index.ts';
import type { ScopeParameter, ScopeSettings } from '../scope/index.ts';
import { echoOf, isCompleted, knownValues, meansEverything, scopedTools, valuesIn } from './scopedCalls.ts';
import type { KnownValue, ScopedTool } from './scopedCalls.ts';

/** Who looked where in a session, and what nobody looked at: one entry for each tool of an MCP server that was called. */
export interface ToolCoverage {
	readonly server: string;
	readonly tool: string;
	/** Completed ones; a call that failed has looked nowhere. */
	readonly calls: number;
	/** Why its scopes are not known for certain. A sentence. */
	readonly unknown: string | undefined;
	/** In the order of the schema, those that only say which part of an answer left out. */
	readonly parameters: readonly ParameterCoverage[];
}

export interface ParameterCoverage {
	readonly parameter: ScopeParameter;
	/** By agent, in their order, and then as they looked. */
	readonly looks: readonly Look[];
	/** Values that are known to be there and that no call has looked at; none where a call has looked everywhere. */
	readonly missed: readonly MissedValue[];
}

export interface Look {
	readonly agent: Agent;
	/** As JSON; `undefined` where it was left out. */
	readonly value: string | undefined;
	/** Where it looked then: what the answer says as JSON, else the fallback in words or JSON; `undefined` where nothing tells, or it was passed. */
	readonly taken: string | undefined;
	readonly calls: readonly ToolCall[];
	/** Entries that they have brought together; `undefined` where some answer is no list. */
	readonly items: number | undefined;
}

export type MissedValue = KnownValue;

/** At most so many values of one parameter. */
const mostMissed = 50;

/** In the order of servers and tools. @param settings What a person says of the scopes of tools. */
export function coverageOf(conversation: Conversation, settings: ScopeSettings): readonly ToolCoverage[] {
	const tools = scopedTools(conversation, settings);
	const rank = new Map(agentsInOrder(conversation).map((agent, index) => [agent, index]));
	return tools.map((tool) => ({
		server: tool.server,
		tool: tool.name,
		calls: tool.calls.filter(isCompleted).length,
		unknown: tool.unknown,
		parameters: tool.parameters
			.filter(({ kind }) => kind !== 'page')
			.map((parameter) => {
				const looks = looksWith(tool, parameter, rank);
				const server = tools.filter((other) => other.server === tool.server);
				return { parameter, looks, missed: missedBy(looks, parameter, server) };
			}),
	}));
}

function looksWith(tool: ScopedTool, parameter: ScopeParameter, rank: ReadonlyMap<Agent, number>): readonly Look[] {
	const looks = new Map<string, { -readonly [Member in keyof Look]: Look[Member] } & { calls: ToolCall[] }>();
	for (const scoped of tool.calls) {
		const { call, given, isPartial, leftOut } = scoped;
		const isLeftOut = leftOut.includes(parameter);
		// What is only known in part may have been passed.
		if (!isCompleted(scoped) || (isLeftOut && isPartial)) continue;
		const value = isLeftOut ? undefined : given.get(parameter.path);
		const taken = isLeftOut ? (echoOf(scoped, parameter) ?? parameter.fallback?.value) : undefined;
		const items = call.result?.content?.items;
		const key = `${call.agent.id} ${value ?? ''} ${taken ?? ''}`;
		const look = looks.get(key);
		if (look === undefined) {
			looks.set(key, { agent: call.agent, value, taken, calls: [call], items });
			continue;
		}
		look.calls.push(call);
		look.items = look.items === undefined || items === undefined ? undefined : look.items + items;
	}
	return [...looks.values()].sort((one, other) => (rank.get(one.agent) ?? 0) - (rank.get(other.agent) ?? 0));
}

function missedBy(
	looks: readonly Look[],
	parameter: ScopeParameter,
	server: readonly ScopedTool[],
): readonly MissedValue[] {
	// There is no list of the times that there are.
	if (looks.length === 0 || parameter.kind === 'time') return [];
	const seen = new Set<string>();
	for (const { value, taken } of looks) {
		if (value === undefined && taken === undefined && parameter.fallback === undefined) continue;
		if (value === undefined && parameter.fallback?.isEverything === true) return [];
		for (const one of valuesIn(value ?? taken ?? '')) {
			if (meansEverything(one)) return [];
			seen.add(one);
		}
	}
	return knownValues(server, parameter)
		.filter(({ value }) => !seen.has(value))
		.slice(0, mostMissed);
}
