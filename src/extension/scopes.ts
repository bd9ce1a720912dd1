// What a call left out of its tool's scopes, for what an editor shows on it.

import type { Conversation, ToolCall } from '../core/conversation/index.ts';
import { callersOf } from '../core/rules/callers.ts';
import { missingScopes, scopedTools } from '../core/rules/scopedCalls.ts';
import type { ScopedTool } from '../core/rules/scopedCalls.ts';
import { fallsBack } from '../core/scope/index.ts';
import type { ScopeParameter, ScopeSettings } from '../core/scope/index.ts';

/** A call to a tool that has scopes. */
export interface CallScopes {
	readonly call: ToolCall;
	readonly tool: ScopedTool;
	/** Those that the call does not name and that make a difference; what is intended is not among them. */
	readonly missing: readonly ScopeParameter[];
}

interface ScopesOfConversation {
	readonly tools: readonly ScopedTool[];
	readonly byCall: ReadonlyMap<ToolCall, ScopedTool>;
}

const cache = new WeakMap<Conversation, ScopesOfConversation>();

/** `undefined`: the tool is no server's, has no scope, or nothing is known of it. */
export function scopesOf(conversation: Conversation, call: ToolCall, settings: ScopeSettings): CallScopes | undefined {
	const tools = scopedTools(conversation, settings);
	let known = cache.get(conversation);
	// The same list for as long as conversation and settings are the same.
	if (known?.tools !== tools) {
		const byCall = new Map(tools.flatMap((tool) => tool.calls.map((scoped) => [scoped.call, tool] as const)));
		cache.set(conversation, (known = { tools, byCall }));
	}
	const tool = known.byCall.get(call);
	const scoped = tool?.calls.find((candidate) => candidate.call === call);
	if (tool === undefined || scoped === undefined || tool.parameters.length === 0) return undefined;
	// Names alone are no schema, and what is only known in part may have been passed.
	const isKnown = tool.unknown === undefined && !scoped.isPartial;
	const missing = isKnown ? missingScopes(tool, scoped, callersOf(conversation)(call)).filter(fallsBack) : [];
	return { call, tool, missing };
}

/** What the tool takes instead, in a few words: `default: "main"`, `default: current context`. */
export function fallbackWords({ fallback }: ScopeParameter): string {
	return fallback === undefined ? 'not given' : `default: ${fallback.value}`;
}
