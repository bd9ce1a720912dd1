// Calls of tools that agents run themselves, as far as their hooks tell: no message of theirs passes the host.

import type { HookedCallStatus } from '../status.ts';
import type { HookFacts } from './hookFacts.ts';
import { mainAgentId } from '../../base/ids.ts';
import { jsonText } from '../../base/jsonText.ts';

/** More than that are nobody's work any more: an agent that is killed tells of no end. */
const mostCalls = 4_096;

interface HookedCall {
	readonly facts: HookFacts;
	/** Epoch milliseconds. */
	readonly startedAt: number;
	/** Since when a person is asked for permission, epoch milliseconds. */
	askedAt: number | undefined;
}

export class HookedCalls {
	/** By session and tool use id, the oldest first. */
	private readonly calls = new Map<string, HookedCall>();
	private readonly now: () => number;

	/** @param clock Epoch milliseconds. */
	constructor(clock: { now(): number }) {
		this.now = () => clock.now();
	}

	/** Takes in what a hook has told. Gives whether anything is different. */
	take(facts: HookFacts): boolean {
		const { event, toolUseId, batch, sessionId } = facts;
		switch (event) {
			case 'PreToolUse':
				return toolUseId !== undefined && this.begin(keyOf(sessionId, toolUseId), facts);
			case 'PostToolUse':
			case 'PostToolUseFailure':
			case 'PermissionDenied':
				return toolUseId !== undefined && this.calls.delete(keyOf(sessionId, toolUseId));
			case 'PostToolBatch':
				return (batch ?? []).filter((id) => this.calls.delete(keyOf(sessionId, id))).length > 0;
			case 'PermissionRequest':
				return this.ask(facts);
			case 'Stop':
			case 'StopFailure':
			case 'UserPromptSubmit':
				// Of a person who breaks a turn off nobody tells; the next event of the main agent shows that it is over.
				return this.drop((call) => isOf(call, facts) && (call.facts.agentId ?? mainAgentId) === mainAgentId);
			case 'SubagentStop':
				return this.drop((call) => isOf(call, facts) && call.facts.agentId === facts.agentId);
			case 'SessionStart':
			case 'SessionEnd':
				return this.drop((call) => isOf(call, facts));
			default:
				return false;
		}
	}

	/** @param passed Tool use ids of the calls that pass the host themselves. */
	list(passed: ReadonlySet<string>): readonly HookedCallStatus[] {
		const now = this.now();
		return [...this.calls.values()].flatMap(({ facts, startedAt, askedAt }) => {
			const { toolUseId, toolName, mcpServer, mcpTool, agentId, agentType, sessionId } = facts;
			if (toolUseId === undefined || passed.has(toolUseId)) return [];
			return [
				{
					toolUseId,
					tool: mcpTool ?? toolName ?? '',
					server: mcpServer ?? null,
					state: askedAt === undefined ? 'running' : 'asking',
					agentId: agentId ?? null,
					agentType: agentType ?? null,
					sessionId,
					startedAt: new Date(startedAt).toISOString(),
					ageMs: Math.max(0, Math.round(now - startedAt)),
				},
			];
		});
	}

	private begin(key: string, facts: HookFacts): boolean {
		if (this.calls.has(key)) return false;
		this.calls.set(key, { facts, startedAt: this.now(), askedAt: undefined });
		const [oldest] = this.calls.keys();
		if (this.calls.size > mostCalls && oldest !== undefined) this.calls.delete(oldest);
		return true;
	}

	/** A permission is asked for before the tool runs; which call it is for is told by its id, or by what is called with what. */
	private ask(facts: HookFacts): boolean {
		const given = jsonText(facts.toolInput);
		for (const call of this.calls.values()) {
			const { toolUseId, toolName, agentId, toolInput } = call.facts;
			if (call.askedAt !== undefined || !isOf(call, facts)) continue;
			const isMeant =
				facts.toolUseId === undefined
					? toolName === facts.toolName && agentId === facts.agentId && jsonText(toolInput) === given
					: toolUseId === facts.toolUseId;
			if (!isMeant) continue;
			call.askedAt = this.now();
			return true;
		}
		return false;
	}

	private drop(isOver: (call: HookedCall) => boolean): boolean {
		let isChanged = false;
		for (const [key, call] of this.calls) if (isOver(call)) isChanged = this.calls.delete(key) || isChanged;
		return isChanged;
	}
}

function keyOf(session: string, toolUseId: string): string {
	return `${session} ${toolUseId}`;
}

function isOf({ facts }: HookedCall, { sessionId }: HookFacts): boolean {
	return facts.sessionId === sessionId;
}
