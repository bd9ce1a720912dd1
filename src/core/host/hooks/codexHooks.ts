// The hook events of Codex: names and fields are those of the schemas in the program (0.169); those that were provoked are recorded, see
// test/host/hooks.

import { agentId, mainAgentId, sessionId, toolUseId } from '../../base/ids.ts';
import type { AgentId } from '../../base/ids.ts';
import { parsedText, path, record, text } from './hookFacts.ts';
import type { HookFacts, Json } from './hookFacts.ts';

/** The id of the transcript format. */
export const codex = 'codex';

/** Those that are heard of. Codex tells of calls of servers that have failed before they are made, and not afterwards. */
export const codexEvents = [
	...['PreToolUse', 'PostToolUse', 'PermissionRequest', 'PreCompact', 'PostCompact', 'UserPromptSubmit'],
	...['SessionStart', 'SessionEnd', 'SubagentStart', 'SubagentStop', 'Stop', 'Interrupt'],
] as const;

/** @returns `undefined` for an object that is no event of Codex. */
export function readCodexHook(body: Json): HookFacts | undefined {
	const event = text(body['hook_event_name']);
	// Of the root's thread, in the threads of its subagents too.
	const session = text(body['session_id']);
	if (event === undefined || session === undefined) return undefined;
	const agent = text(body['agent_id']);
	const toolName = text(body['tool_name']);
	const [server, tool] = /^mcp__(.+?)__(.+)$/.exec(toolName ?? '')?.slice(1) ?? [];
	const use = text(body['tool_use_id']);
	return {
		event,
		sessionId: sessionId(codex, session),
		agentId: agent === undefined ? mainAgentId : agentId(agent),
		agentType: text(body['agent_type']),
		toolUseId: use === undefined ? undefined : toolUseId(use),
		toolName,
		mcpServer: server,
		mcpTool: tool,
		toolInput: body['tool_input'],
		toolResponse: body['tool_response'],
		error: undefined,
		isInterrupt: undefined,
		durationMs: undefined,
		batch: undefined,
		spawnedAgentId: toolName?.endsWith('spawn_agent') === true ? spawnedBy(body['tool_response']) : undefined,
		transcriptPath: path(body['transcript_path']),
		agentTranscriptPath: path(body['agent_transcript_path']),
		trigger: text(body['trigger']) ?? text(body['source']) ?? text(body['reason']),
	};
}

/** The tool answers with JSON in a text. */
function spawnedBy(response: unknown): AgentId | undefined {
	const value = typeof response === 'string' ? parsedText(response) : response;
	const id = text(record(value)?.['agent_id']);
	return id === undefined ? undefined : agentId(id);
}
