// A hook that is answered late holds its call, whatever tool it is. What an answer may say is what Claude Code 2.1.328 and Codex 0.169
// were seen to follow.

import { jsonText } from '../../base/jsonText.ts';
import type { AfterPassage, BeforePassage, DebugGate, GateCall, Hold } from '../debug/debugGate.ts';
import { wordsOf } from './editedOutput.ts';
import type { EditedOutput } from './editedOutput.ts';
import type { HookFacts } from './hookFacts.ts';

/** A call that waits at its agent's hook. */
export interface HeldHook {
	/** JSON, for the agent. Never rejects. */
	readonly answer: Promise<string>;
	/** The agent waits no longer. */
	abandon(): void;
}

/** How an agent waits at its hook. */
export interface HookWaiting {
	/** Epoch milliseconds up to which it does. */
	readonly heldUntil: number;
	/** The run of it that the hook has come with. */
	readonly source: string | undefined;
}

/** An answer that changes nothing. A decision would be one too many: the person may still have to be asked. */
export const noAnswer = '{}';

/** How hooks of an agent are answered. */
export interface HookDialect {
	/** An agent that takes other arguments only from who allows the call. */
	readonly allowsWithInput: boolean;
	readonly output: EditedOutput;
}

/**
 * Shows a call to whoever debugs.
 * @returns `undefined`: it goes on at once.
 */
export function holdAtHook(
	gate: DebugGate,
	facts: HookFacts,
	dialect: HookDialect,
	waiting: HookWaiting,
): HeldHook | undefined {
	if (!gate.isActive || facts.toolName === undefined) return undefined;
	switch (facts.event) {
		case 'PreToolUse':
			return held(gate.before(callOf(facts, waiting, dialect, true)), (passage) =>
				answerBefore(passage, dialect),
			);
		case 'PostToolUse': {
			const result = { text: () => resultText(facts), isError: false };
			const hold = gate.after(callOf(facts, waiting, dialect, true), result);
			return held(hold, (passage) => answerAfter(passage, facts, dialect));
		}
		case 'PostToolUseFailure': {
			const result = { text: () => resultText(facts), isError: true };
			return held(gate.after(callOf(facts, waiting, dialect, false), result), () => noAnswer);
		}
		default:
			return undefined;
	}
}

/** What whoever debugs has to know of agents. */
export function tellGate(gate: DebugGate, facts: HookFacts): void {
	const { sessionId, agentId, agentType, toolUseId, spawnedAgentId } = facts;
	if (spawnedAgentId !== undefined) {
		gate.tell({
			kind: 'agent-started',
			sessionId,
			agentId: spawnedAgentId,
			agentType: undefined,
			parentId: agentId,
			spawnedBy: toolUseId,
		});
	}
	switch (facts.event) {
		case 'SubagentStart':
			if (agentId === undefined) return;
			gate.tell({
				kind: 'agent-started',
				sessionId,
				agentId,
				agentType,
				parentId: undefined,
				spawnedBy: undefined,
			});
			return;
		case 'SubagentStop':
			if (agentId !== undefined) gate.tell({ kind: 'agent-ended', sessionId, agentId });
			return;
		case 'PreCompact':
			if (agentId !== undefined) gate.tell({ kind: 'compaction-began', sessionId, agentId });
			return;
		case 'PostCompact':
		// Of a compaction that was broken off nobody tells; who takes a prompt is not in one.
		case 'UserPromptSubmit':
			if (agentId !== undefined) gate.tell({ kind: 'compaction-ended', sessionId, agentId });
			return;
		case 'SessionStart':
			gate.tell({ kind: 'session-started', sessionId });
			return;
		case 'SessionEnd':
			gate.tell({ kind: 'session-ended', sessionId });
	}
}

function callOf(
	facts: HookFacts,
	{ heldUntil, source }: HookWaiting,
	{ output }: HookDialect,
	canEdit: boolean,
): GateCall {
	const { toolName = '', mcpServer, mcpTool, toolInput } = facts;
	const tool = mcpTool ?? toolName;
	return {
		heldBy: 'hook',
		sessionId: facts.sessionId,
		agentId: facts.agentId,
		agentType: facts.agentType,
		toolUseId: facts.toolUseId,
		callId: undefined,
		connectionId: undefined,
		source,
		server: mcpServer,
		tool,
		agentsName: tool === toolName ? undefined : toolName,
		argumentsText: () => jsonText(toolInput ?? {}),
		heldUntil: () => heldUntil,
		canEdit,
		canAnswer: facts.event === 'PreToolUse',
		resultProblem: (result) => (output(result, facts) === undefined ? outputProblem(tool) : undefined),
		canRepeat: false,
	};
}

function outputProblem(tool: string): string {
	return `${tool} takes as another result only JSON with the members that its own has.`;
}

function held<Passage>(hold: Hold<Passage> | undefined, answer: (passage: Passage) => string): HeldHook | undefined {
	if (hold === undefined) return undefined;
	return {
		// What cannot be written down must not keep the agent waiting: its call goes on as it was.
		answer: hold.passage.then(answer).catch(() => noAnswer),
		abandon: () => hold.giveUp('Its agent waits no longer.'),
	};
}

function answerBefore(passage: BeforePassage, { allowsWithInput }: HookDialect): string {
	switch (passage.action) {
		case 'continue':
			return noAnswer;
		case 'edit-arguments':
			return answerText('PreToolUse', {
				// What needs a permission is asked for with the new arguments, where the agent lets us leave that to it.
				...(allowsWithInput ? { permissionDecision: 'allow' } : {}),
				updatedInput: JSON.parse(passage.arguments) as unknown,
			});
		case 'answer':
			// Hooks have no other way to keep a call from being made than to say why.
			return answerText('PreToolUse', {
				permissionDecision: 'deny',
				permissionDecisionReason: wordsOf(passage.result),
			});
	}
}

function answerAfter(passage: AfterPassage, facts: HookFacts, { output }: HookDialect): string {
	// A hook cannot make the call again; nobody is told that it could.
	if (passage.action !== 'edit-result') return noAnswer;
	return jsonText(output(passage.result, facts) ?? {});
}

function answerText(hookEventName: string, answer: Readonly<Record<string, unknown>>): string {
	return jsonText({ hookSpecificOutput: { hookEventName, ...answer } });
}

/** The result as the gate wants it: of an MCP tool a `CallToolResult`, of another one what its hook says. */
function resultText({ mcpServer, toolResponse, error }: HookFacts): string {
	if (mcpServer === undefined) return jsonText(error ?? toolResponse ?? null);
	if (error !== undefined) return jsonText({ content: [{ type: 'text', text: error }], isError: true });
	if (Array.isArray(toolResponse)) return jsonText({ content: toolResponse });
	if (typeof toolResponse === 'string') return jsonText({ content: [{ type: 'text', text: toolResponse }] });
	return jsonText(toolResponse ?? { content: [] });
}
