// The hook events of Claude Code: their names and fields are those that the program itself checks them by (2.1.328; those that it lets be
// provoked were recorded from it, see test/host/hooks).

import { agentId, mainAgentId, sessionId, toolUseId } from '../../base/ids.ts';
import type { AgentId, ToolUseId } from '../../base/ids.ts';
import { path, record, text } from './hookFacts.ts';
import type { HookFacts, Json } from './hookFacts.ts';

/** The id of the transcript format, which makes a part of the session ids. */
export const claudeCode = 'claude-code';

/** All that there are. */
export const claudeCodeEvents = [
	...['PreToolUse', 'PostToolUse', 'PostToolUseFailure', 'PostToolBatch'],
	...['Notification', 'UserPromptSubmit', 'UserPromptExpansion', 'SessionStart', 'SessionEnd', 'Stop', 'StopFailure'],
	...['SubagentStart', 'SubagentStop', 'PreCompact', 'PostCompact', 'PreModelSwitch', 'PostModelSwitch'],
	...['PermissionRequest', 'PermissionDenied', 'Setup', 'TeammateIdle', 'TaskCreated', 'TaskCompleted'],
	...['Elicitation', 'ElicitationResult', 'ConfigChange', 'WorktreeCreate', 'WorktreeRemove', 'InstructionsLoaded'],
	...['CwdChanged', 'FileChanged', 'DirectoryAdded', 'MessageDisplay'],
] as const;

/** @returns `undefined` for an object that is no event of Claude Code. */
export function readClaudeCodeHook(body: Json): HookFacts | undefined {
	const event = text(body['hook_event_name']);
	const session = text(body['session_id']);
	if (event === undefined || session === undefined) return undefined;
	const toolName = text(body['tool_name']);
	// Questions of servers have it in another place than calls.
	const server = text(record(body['mcp_server'])?.['name']) ?? text(body['mcp_server_name']);
	const { error, is_interrupt: isInterrupt, duration_ms: duration, tool_calls: calls } = body;
	return {
		event,
		sessionId: sessionId(claudeCode, session),
		agentId: agentOf(body),
		agentType: text(body['agent_type']),
		toolUseId: toolUseOf(body),
		toolName,
		mcpServer: server,
		mcpTool: mcpToolOf(toolName, server),
		toolInput: body['tool_input'],
		toolResponse: body['tool_response'],
		error: typeof error === 'string' ? error : undefined,
		isInterrupt: typeof isInterrupt === 'boolean' ? isInterrupt : undefined,
		durationMs: typeof duration === 'number' ? duration : undefined,
		batch: Array.isArray(calls)
			? calls.map((call) => toolUseOf(record(call) ?? {})).filter((id) => id !== undefined)
			: undefined,
		spawnedAgentId: toolName === 'Agent' || toolName === 'Task' ? spawnedBy(body) : undefined,
		transcriptPath: path(body['transcript_path']),
		agentTranscriptPath: path(body['agent_transcript_path']),
		trigger: text(body['trigger']) ?? text(body['source']) ?? text(body['reason']),
	};
}

function agentOf(body: Json): AgentId | undefined {
	const agent = text(body['agent_id']);
	if (agent !== undefined) return agentId(agent);
	// Old versions named nobody, in subagents too. Those that name the prompt name the subagent, and leave out the main agent's name.
	return text(body['prompt_id']) === undefined ? undefined : mainAgentId;
}

function toolUseOf(value: Json): ToolUseId | undefined {
	const id = text(value['tool_use_id']);
	return id === undefined ? undefined : toolUseId(id);
}

/** `PostToolUse` of the tool that starts agents tells which one it was: it has begun by then, or has ended. */
function spawnedBy(body: Json): AgentId | undefined {
	const id = text(record(body['tool_response'])?.['agentId']);
	return id === undefined ? undefined : agentId(id);
}

/** The name is `mcp__<server>__<tool>`, with `_` for what a name of a tool may not have in it. */
function mcpToolOf(toolName: string | undefined, server: string | undefined): string | undefined {
	if (toolName === undefined || server === undefined) return undefined;
	const prefix = `mcp__${server.replaceAll(/[^\w-]/g, '_')}__`;
	return toolName.startsWith(prefix) ? toolName.slice(prefix.length) : undefined;
}
