// What stands where in one transcript file, for the features of an editor.

import type { AgentId } from '../core/base/ids.ts';
import type { Agent, Compaction, Conversation, Message, Result, ToolCall } from '../core/conversation/index.ts';
import { lineIn } from './convert.ts';

export interface LineContents {
	readonly calls: ToolCall[];
	readonly results: { readonly result: Result; readonly call: ToolCall | undefined }[];
}

export interface TranscriptLines {
	readonly revision: number;
	/** By 0-based line. */
	readonly lines: ReadonlyMap<number, LineContents>;
	/** Agents that are written in this file, with what they said here. */
	readonly agents: ReadonlyMap<AgentId, AgentLines>;
	/** Calls of this file without a result. */
	readonly unanswered: readonly ToolCall[];
}

export interface AgentLines {
	readonly agent: Agent;
	readonly messages: Message[];
	readonly compactions: Compaction[];
}

const cache = new WeakMap<Conversation, Map<string, TranscriptLines>>();

/** Computed once for as long as the conversation stays the same; the cache goes with the conversation. */
export function transcriptLines(conversation: Conversation, path: string): TranscriptLines {
	let byPath = cache.get(conversation);
	if (byPath === undefined) cache.set(conversation, (byPath = new Map<string, TranscriptLines>()));
	const known = byPath.get(path);
	if (known?.revision === conversation.revision) return known;
	const computed = compute(conversation, path);
	byPath.set(path, computed);
	return computed;
}

function compute(conversation: Conversation, path: string): TranscriptLines {
	const lines = new Map<number, LineContents>();
	const agents = new Map<AgentId, AgentLines>();
	const unanswered: ToolCall[] = [];
	const at = (line: number): LineContents => {
		let contents = lines.get(line);
		if (contents === undefined) lines.set(line, (contents = { calls: [], results: [] }));
		return contents;
	};
	const addResult = (result: Result, call: ToolCall | undefined): void => {
		const line = lineIn(result.place, path);
		if (line !== undefined) at(line).results.push({ result, call });
	};
	for (const agent of conversation.agents.values()) {
		const messages = agent.messages.filter(({ place }) => lineIn(place, path) !== undefined);
		const compactions = agent.compactions.filter(({ place }) => lineIn(place, path) !== undefined);
		if (messages.length > 0 || compactions.length > 0) agents.set(agent.id, { agent, messages, compactions });
		for (const call of agent.toolCalls) {
			const line = lineIn(call.place, path);
			if (line !== undefined) {
				at(line).calls.push(call);
				if (call.result === undefined) unanswered.push(call);
			}
			if (call.result !== undefined) addResult(call.result, call);
			for (const result of call.furtherResults) addResult(result, call);
		}
		for (const result of agent.strayResults) addResult(result, undefined);
	}
	return { revision: conversation.revision, lines, agents, unanswered };
}
