import type { AgentId, SessionId, ToolUseId } from '../../base/ids.ts';

/** What one hook event of an agent says, as far as we know its fields; the whole of it is recorded beside. */
export interface HookFacts {
	/** The agent's own name for the event: `PreToolUse`. One that nobody has heard of is an event like any other. */
	readonly event: string;
	readonly sessionId: SessionId;
	/** Who acts; `undefined`: the event does not say. */
	readonly agentId: AgentId | undefined;
	readonly agentType: string | undefined;
	readonly toolUseId: ToolUseId | undefined;
	/** As the agent calls it: `Bash`, `mcp__server__tool`. */
	readonly toolName: string | undefined;
	/** The name of the tool's MCP server in the agent's configuration; `undefined`: a tool of the agent's own, or it does not say. */
	readonly mcpServer: string | undefined;
	/** What the agent has sent, JSON; `undefined`: not there. */
	readonly toolInput: unknown;
	readonly toolResponse: unknown;
	/** Why a call has failed. */
	readonly error: string | undefined;
	/** A person has broken it off. */
	readonly isInterrupt: boolean | undefined;
	/** Of the tool itself, without permissions and hooks. */
	readonly durationMs: number | undefined;
	/** The calls of one message that have all ended, whatever has become of them. */
	readonly batch: readonly ToolUseId[] | undefined;
	/** The agent that this call has started. */
	readonly spawnedAgentId: AgentId | undefined;
	/** Of the session; of a subagent's own, where the event names it. */
	readonly transcriptPath: string | undefined;
	readonly agentTranscriptPath: string | undefined;
	/** What has caused a compaction, a start or an end of a session: `auto`, `resume`, `clear`. */
	readonly trigger: string | undefined;
	/** The MCP tool's name at its server, where `toolName` shows it. */
	readonly mcpTool: string | undefined;
}

export type Json = Readonly<Record<string, unknown>>;

const decoder = new TextDecoder();

export function parsed(body: Uint8Array): Json | undefined {
	return record(parsedText(decoder.decode(body)));
}

/** `undefined`: it is no JSON. */
export function parsedText(json: string): unknown {
	try {
		return JSON.parse(json);
	} catch {
		// Whoever sends this is no agent; that nothing was understood is the answer.
		return undefined;
	}
}

export function record(value: unknown): Json | undefined {
	// A JSON object is a record of unknown.
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

/** Ids come from outside: an empty one is none, and none is kept that is longer than any id. */
export function text(value: unknown): string | undefined {
	return typeof value === 'string' && value !== '' && value.length <= 256 ? value : undefined;
}

export function path(value: unknown): string | undefined {
	return typeof value === 'string' && value !== '' && value.length <= 32_768 ? value : undefined;
}
