import { agentId, mainAgentId, sessionId, toolUseId } from '../base/ids.ts';
import type { AgentId, SessionId } from '../base/ids.ts';
import type {
	AgentRef,
	MessageKind,
	PartKind,
	PromptOrigin,
	ToolUse,
	TranscriptSource,
} from '../events/sessionEvent.ts';
import { CodexLine, codexItemMembers, codexTimesMembers } from './codexLine.ts';
import type { CodexItem } from './codexLine.ts';
import { bodyRef, columnRange } from './fields.ts';
import { JsonLineReader } from './jsonLineReader.ts';
import { JsonScanner, MemberTable, OPEN_BRACE } from '../base/jsonScanner.ts';
import type { Span } from '../base/jsonScanner.ts';
import { McpCalls, errorText, givenArguments, resultContent } from './mcpFacts.ts';
import { ToolDescriptions } from './toolDescriptions.ts';
import { splitMcpName } from './toolNames.ts';
import type { EventSink, TranscriptFile, TranscriptFormat } from './transcriptFormat.ts';

/**
 * Codex rollouts, 0.104 to 0.169: JSON lines `{timestamp, type, payload}` in the order in which things happened. Calls and outputs
 * pair by `call_id` alone. A subagent is a thread with a rollout of its own, whose header names its parent.
 */
export const codex: TranscriptFormat = {
	id: 'codex',
	name: 'Codex',
	sniffLine(bytes, start, end) {
		const seen = { type: '', hasPayload: false };
		sniffer.reset(bytes, start, end);
		if (sniffer.peek() === OPEN_BRACE) sniffer.readObject(sniffMembers, seen);
		return seen.hasPayload && lineTypes.has(seen.type);
	},
	createReader(file, sink) {
		return new CodexReader(file, sink);
	},
};

const sniffer = new JsonScanner();
const sniffMembers = new MemberTable<{ type: string; hasPayload: boolean }>({
	type: (scanner, seen) => void (seen.type = scanner.readText()),
	payload(scanner, seen) {
		seen.hasPayload = scanner.peek() === OPEN_BRACE;
		scanner.skipValue();
	},
});
const lineTypes: ReadonlySet<string> = new Set([
	'session_meta',
	'response_item',
	'event_msg',
	'turn_context',
	'compacted',
	'world_state',
]);

class CodexReader extends JsonLineReader {
	protected readonly sessionId: SessionId;
	private line = new CodexLine();
	private readonly agent: AgentRef;
	/** The id in the first header, which is the file's own. */
	private header = '';
	/** Lines with a lower ordinal are a copy of the parent's history. */
	private historyStart = -1;
	/** No call was read as yet of a rollout whose history begins in another one. */
	private isAfterBase = false;
	/** The thread goes on in another rollout, without this line and what follows. */
	private isReverted = false;
	/** The calls and texts of one response share a message; it ends where the client counts its tokens or somebody else speaks. */
	private responseId = '';
	private readonly failed = new Set<string>();
	private readonly durations = new Map<string, number>();
	private readonly mcpCalls = new McpCalls();
	private readonly tools = new ToolDescriptions();
	/** Where this thread's prompts come from, by its header: a program, another agent, or a person at the terminal or in an editor. */
	private origin: PromptOrigin | undefined;

	constructor(file: TranscriptFile, sink: EventSink) {
		super(file, sink);
		this.sessionId = sessionId(codex.id, file.nativeSessionId);
		this.agent = { id: this.threadAgent(file.agentId ?? file.nativeSessionId) };
		if (file.agentId !== null) this.origin = 'agent';
	}

	protected fileAgent(): AgentRef {
		return this.agent;
	}

	protected scan(): boolean {
		this.line = new CodexLine();
		return this.scanner.readObject(CodexLine.members, this.line);
	}

	protected emit(bytes: Uint8Array, lineStart: number, source: TranscriptSource): void {
		const { line } = this;
		if (line.type === 'session_meta') {
			this.emitHeader(source);
			return;
		}
		if (line.ordinal !== -1 && line.ordinal < this.historyStart) {
			this.emitUnknown(source, 'inherited');
			return;
		}
		if (this.file.revertedFrom !== undefined && line.ordinal >= this.file.revertedFrom) this.isReverted = true;
		switch (line.type) {
			case 'response_item':
				this.emitItem(bytes, lineStart, source);
				break;
			case 'event_msg':
				this.emitEvent(bytes, lineStart, source);
				break;
			case 'compacted':
				this.responseId = '';
				if (this.isReverted) this.emitUnknown(source, 'reverted');
				else
					this.sink({
						...this.envelope(source, this.agent, line.at),
						type: 'compaction',
						trigger: 'unknown',
					});
				break;
			case 'token_usage_record':
				this.responseId = '';
				this.emitUnknown(source);
				break;
			default:
				this.emitUnknown(source);
		}
	}

	private emitHeader(source: TranscriptSource): void {
		const { line } = this;
		// A forked thread repeats its parent's header behind its own.
		if (this.header !== '') {
			this.emitUnknown(source, 'inherited');
			// Versions that do not say where the copy of the parent's history ends: what is in it can only be told by the parent.
			if (line.id !== this.header && line.id !== '' && this.historyStart === -1 && this.file.agentId !== null) {
				this.sink({
					...this.envelope(source, this.agent, line.at),
					type: 'agent-spawned',
					agentId: this.threadAgent(this.file.agentId),
					parentId: this.threadAgent(line.id),
					evidence: 'header',
					relation: 'fork',
				});
			}
			return;
		}
		this.header = line.id;
		this.historyStart = line.historyStart;
		this.isAfterBase = line.baseRollout !== '';
		if (this.file.agentId === null) {
			const isProgram = isProgramSource(line);
			if (isProgram) this.origin = 'program';
			else if (line.sourceWord === 'cli' || line.sourceWord === 'vscode') this.origin = 'typed';
			this.sink({
				...this.envelope(source, this.agent, line.at),
				type: 'session-started',
				format: codex.id,
				nativeId: this.file.nativeSessionId,
				cwd: line.cwd === '' ? undefined : line.cwd,
				agentVersion: line.version === '' ? undefined : line.version,
				entrypoint: isProgram ? 'headless' : line.sourceWord === '' ? 'unknown' : 'interactive',
			});
			return;
		}
		this.sink({
			...this.envelope(source, this.agent, line.at),
			type: 'agent-spawned',
			agentId: this.threadAgent(this.file.agentId),
			parentId: line.parentThreadId === '' ? undefined : this.threadAgent(line.parentThreadId),
			name: line.nickname === '' ? undefined : line.nickname,
			agentType: line.agentRole === '' ? undefined : line.agentRole,
			description: line.agentPath === '' ? undefined : line.agentPath,
			depth: line.depth === -1 ? undefined : line.depth,
			evidence: 'header',
		});
	}

	private emitItem(bytes: Uint8Array, lineStart: number, source: TranscriptSource): void {
		const { line } = this;
		switch (line.payloadType) {
			case 'message':
			// Minimal writers leave the type out of messages.
			case '':
				if (line.role === 'assistant') this.emitResponse(bytes, lineStart, source, ['text']);
				else if (line.role !== '') this.emitUserMessage(bytes, lineStart, source);
				else this.emitUnknown(source);
				break;
			case 'reasoning':
				this.emitResponse(bytes, lineStart, source, ['thinking']);
				break;
			case 'agent_message':
				// A task or a word from another agent.
				this.responseId = '';
				this.emitMessage(bytes, lineStart, source, `line ${source.line}`, 'user', 'prompt', ['text'], 'agent');
				break;
			case 'function_call':
			case 'custom_tool_call':
			case 'local_shell_call':
			case 'tool_search_call':
				this.emitToolUse(bytes, lineStart, source);
				break;
			case 'function_call_output':
			case 'custom_tool_call_output':
				this.emitToolResult(bytes, lineStart, source);
				break;
			case 'tool_search_output':
				this.emitToolResult(bytes, lineStart, source);
				this.emitTools(bytes, source);
				break;
			default:
				this.emitUnknown(source);
		}
	}

	private emitUserMessage(bytes: Uint8Array, lineStart: number, source: TranscriptSource): void {
		const { line, inner } = this;
		this.responseId = '';
		let kind: MessageKind = line.role === 'user' ? 'prompt' : 'meta';
		let notification = '';
		if (line.text.start !== -1) {
			inner.reset(bytes, line.text.start, line.text.end);
			if (inner.readString()) {
				if (inner.stringStartsWith('<turn_aborted>')) kind = 'interrupt';
				else if (inner.stringStartsWith('<subagent_notification>')) {
					kind = 'notification';
					notification = inner.string();
				} else if (inner.stringStartsWith('<') || inner.stringStartsWith('# AGENTS.md')) kind = 'meta';
			}
		}
		this.emitMessage(
			bytes,
			lineStart,
			source,
			`line ${source.line}`,
			'user',
			kind,
			line.hasImage ? ['text', 'image'] : ['text'],
			kind === 'prompt' ? this.origin : undefined,
		);
		if (notification !== '') this.emitNotification(notification, source);
	}

	private emitResponse(
		bytes: Uint8Array,
		lineStart: number,
		source: TranscriptSource,
		parts: readonly PartKind[],
	): string {
		if (this.responseId === '') this.responseId = `response ${source.line}`;
		this.emitMessage(bytes, lineStart, source, this.responseId, 'assistant', 'response', parts);
		return this.responseId;
	}

	private emitMessage(
		bytes: Uint8Array,
		lineStart: number,
		source: TranscriptSource,
		messageId: string,
		role: 'user' | 'assistant' | 'system',
		kind: MessageKind,
		parts: readonly PartKind[],
		origin?: PromptOrigin,
	): void {
		const { line } = this;
		this.sink({
			...this.envelope(source, this.agent, line.at),
			type: 'message',
			messageId,
			role,
			kind,
			origin,
			isReverted: this.isReverted ? true : undefined,
			parts,
			// It records itself that a turn was interrupted, and tells the model "aborted" when it goes on.
			unmissed:
				kind === 'interrupt' ? 'The turn was interrupted. Codex answers the call when it goes on.' : undefined,
			text:
				line.text.start === -1 || !(this.file.withPreviews || kind === 'prompt')
					? undefined
					: bodyRef(bytes, line.text.start, line.text.end, source.offset - lineStart, true),
		});
	}

	private emitToolUse(bytes: Uint8Array, lineStart: number, source: TranscriptSource): void {
		const { line } = this;
		// A shell call of old versions may carry its id alone.
		const callId = line.callId === '' ? line.id : line.callId;
		if (callId === '') {
			this.emitUnknown(source);
			return;
		}
		this.isAfterBase = false;
		const messageId = this.emitResponse(bytes, lineStart, source, ['tool-use']);
		const { name, server } = this.toolName();
		const body =
			line.arguments.start === -1 ? { start: line.payload.start, end: line.payload.start } : line.arguments;
		if (server !== undefined) this.mcpCalls.add(callId);
		this.sink({
			...this.envelope(source, this.agent, line.at),
			type: 'tool-use',
			toolUseId: toolUseId(callId),
			name,
			server,
			answeredBy: 'client',
			messageId,
			range: columnRange(bytes, lineStart, line.payload.start, line.payload.end),
			arguments: bodyRef(bytes, body.start, body.end, source.offset - lineStart, this.file.withPreviews),
			given:
				server === undefined || line.arguments.start === -1
					? undefined
					: givenArguments(bytes, body.start, body.end, columnRange(bytes, lineStart, body.start, body.end)),
			spawn: name === 'spawn_agent' ? this.readSpawn(bytes) : undefined,
		});
	}

	private toolName(): { readonly name: string; readonly server: string | undefined } {
		const { line } = this;
		switch (line.payloadType) {
			case 'local_shell_call':
				return { name: 'local_shell', server: undefined };
			case 'tool_search_call':
				return { name: 'tool_search', server: undefined };
		}
		if (line.namespace.startsWith('mcp__')) return { name: line.name, server: line.namespace.slice(5) };
		const split = splitMcpName(line.name);
		if (split.server !== undefined || line.namespace !== '') return split;
		// Old versions write `server__tool`; none of the agent's own tools has a double underscore.
		const separator = line.name.indexOf('__');
		return separator > 0 && separator + 2 < line.name.length
			? { name: line.name.slice(separator + 2), server: line.name.slice(0, separator) }
			: split;
	}

	private readSpawn(bytes: Uint8Array): ToolUse['spawn'] {
		const { line, inner } = this;
		const spawn: { taskName: string; message: string; agentType: string } = {
			taskName: '',
			message: '',
			agentType: '',
		};
		inner.reset(bytes, line.arguments.start, line.arguments.end);
		// The arguments are JSON inside a string.
		const json = encoder.encode(inner.readText());
		inner.reset(json, 0, json.length);
		inner.readObject(spawnMembers, spawn);
		return {
			description: spawn.message === '' ? undefined : spawn.message.slice(0, 200),
			agentType: spawn.agentType === '' ? undefined : spawn.agentType,
			name: spawn.taskName === '' ? undefined : spawn.taskName,
		};
	}

	private emitToolResult(bytes: Uint8Array, lineStart: number, source: TranscriptSource): void {
		const { line, inner } = this;
		if (line.callId === '') {
			this.emitUnknown(source);
			return;
		}
		// Forks and reverted threads (0.169) do not copy their history, they name where it ends: what is answered here was called there.
		if (this.isAfterBase) {
			this.emitUnknown(source, 'inherited');
			return;
		}
		const body = line.output.start === -1 ? { start: line.payload.start, end: line.payload.start } : line.output;
		inner.reset(bytes, body.start, body.end);
		const text = inner.readString();
		const isInterruption = text && (inner.stringStartsWith('aborted by user') || inner.stringEquals('aborted'));
		const isError = this.failed.has(line.callId) || isInterruption;
		const isOfServer = this.mcpCalls.take(line.callId) && line.output.start !== -1;
		const spawned =
			text && inner.stringStartsWith('{\\"agent_id\\"')
				? /"agent_id"\s*:\s*"([^"]+)"/.exec(inner.string())?.[1]
				: undefined;
		const messageId = `line ${source.line}`;
		this.emitMessage(bytes, lineStart, source, messageId, 'user', 'results', ['tool-result']);
		this.sink({
			...this.envelope(source, this.agent, line.at),
			type: 'tool-result',
			toolUseId: toolUseId(line.callId),
			isError,
			messageId,
			range: columnRange(
				bytes,
				lineStart,
				line.payload.start,
				Math.min(line.payload.end, line.payload.start + 120),
			),
			body: bodyRef(bytes, body.start, body.end, source.offset - lineStart, this.file.withPreviews),
			durationMs: this.durations.get(line.callId),
			isPrecededByOther: false,
			isInPlace: false,
			isInterruption,
			content: isOfServer ? resultContent(bytes, line.output, noSpan) : undefined,
			errorText: isOfServer && isError ? errorText(bytes, line.output) : undefined,
		});
		this.failed.delete(line.callId);
		this.durations.delete(line.callId);
		if (spawned !== undefined) this.emitSpawn(source, spawned, line.callId);
	}

	/** A search for tools gives them with their schemas. */
	private emitTools(bytes: Uint8Array, source: TranscriptSource): void {
		const { line, inner } = this;
		if (line.output.start === -1) return;
		inner.reset(bytes, line.output.start, line.output.end);
		this.tools.read(inner, (tool) =>
			this.sink({ ...this.envelope(source, this.agent, line.at), type: 'tool-described', ...tool }),
		);
	}

	private emitSpawn(source: TranscriptSource, threadId: string, callId: string): void {
		this.sink({
			...this.envelope(source, this.agent, this.line.at),
			type: 'agent-spawned',
			agentId: this.threadAgent(threadId),
			parentId: 'id' in this.agent ? this.agent.id : undefined,
			toolUseId: toolUseId(callId),
			evidence: 'result',
		});
	}

	private emitEvent(bytes: Uint8Array, lineStart: number, source: TranscriptSource): void {
		const { line } = this;
		switch (line.payloadType) {
			case 'task_started':
				this.responseId = '';
				this.emitUnknown(source);
				return;
			case 'task_complete':
				this.responseId = '';
				this.sink({ ...this.envelope(source, this.agent, line.at), type: 'turn-ended', reason: 'completed' });
				this.emitEnd(source, 'completed', 'Its last turn was completed.');
				return;
			case 'turn_aborted':
				this.responseId = '';
				this.sink({ ...this.envelope(source, this.agent, line.at), type: 'turn-ended', reason: 'interrupted' });
				this.emitMessage(bytes, lineStart, source, `line ${source.line}`, 'system', 'interrupt', []);
				this.emitEnd(source, 'killed', 'Its last turn was interrupted.');
				return;
			case 'token_count':
				this.responseId = '';
				this.emitUnknown(source);
				return;
			case 'thread_rolled_back':
				this.responseId = '';
				if (line.turnCount > 0 && !this.isReverted) {
					this.sink({ ...this.envelope(source, this.agent, line.at), type: 'branch', turns: line.turnCount });
				}
				return;
			case 'item_completed':
				this.emitItemCompleted(bytes, source);
				return;
			case 'collab_agent_spawn_end':
				this.emitUnknown(source);
				if (line.newThreadId !== '' && line.callId !== '') {
					this.emitSpawn(source, line.newThreadId, line.callId);
				}
				return;
			default:
				this.emitUnknown(source);
		}
	}

	private emitItemCompleted(bytes: Uint8Array, source: TranscriptSource): void {
		const { line, inner } = this;
		this.emitUnknown(source);
		if (line.item.start === -1) return;
		const item: CodexItem = { type: '', id: '', status: '', kind: '', threadId: '', receivers: [] };
		inner.reset(bytes, line.item.start, line.item.end);
		inner.readObject(codexItemMembers, item);
		if (item.id === '') return;
		switch (item.type) {
			case 'CommandExecution':
			case 'McpToolCall': {
				const times = { startedAt: -1, completedAt: -1 };
				inner.reset(bytes, line.payload.start, line.payload.end);
				inner.readObject(codexTimesMembers, times);
				if (times.startedAt !== -1 && times.completedAt >= times.startedAt) {
					this.durations.set(item.id, times.completedAt - times.startedAt);
				}
				if (item.status === 'failed') this.failed.add(item.id);
				return;
			}
			case 'SubAgentActivity':
				if (item.threadId !== '' && item.kind === 'started') this.emitSpawn(source, item.threadId, item.id);
				else if (item.threadId !== '' && item.kind === 'completed') {
					this.sink({
						...this.envelope(source, this.agent, line.at),
						type: 'agent-ended',
						agentId: this.threadAgent(item.threadId),
						outcome: 'completed',
						evidence: 'Its parent was told that it is complete.',
					});
				}
				return;
		}
	}

	/** v1 tells a parent of its children in a user message: `<subagent_notification>{"agent_path":…,"status":{"completed":…}}`. */
	private emitNotification(text: string, source: TranscriptSource): void {
		const thread = /"agent_path"\s*:\s*"([^"/]+)"/.exec(text)?.[1];
		if (thread === undefined) return;
		const status = /"status"\s*:\s*(?:\{\s*)?"(\w+)"/.exec(text)?.[1];
		this.sink({
			...this.envelope(source, this.agent, this.line.at),
			type: 'tool-outcome',
			agentId: this.threadAgent(thread),
			outcome:
				status === 'completed'
					? 'completed'
					: status === 'errored' || status === 'failed'
						? 'failed'
						: status === 'interrupted' || status === 'shutdown'
							? 'killed'
							: 'ended',
		});
	}

	/** A subagent rests when its turn is over; a later turn wakes it. The main agent's end is its process's. */
	private emitEnd(source: TranscriptSource, outcome: 'completed' | 'killed', evidence: string): void {
		if (this.file.agentId === null || !('id' in this.agent)) return;
		this.sink({
			...this.envelope(source, this.agent, this.line.at),
			type: 'agent-ended',
			agentId: this.agent.id,
			outcome,
			evidence,
		});
	}

	private emitUnknown(source: TranscriptSource, prefix = ''): void {
		const { line } = this;
		const nativeType = line.payloadType === '' ? line.type : `${line.type}/${line.payloadType}`;
		this.sink({
			...this.envelope(source, this.agent, line.at),
			type: 'unknown',
			nativeType: prefix === '' ? nativeType : `${prefix} ${nativeType}`,
		});
	}

	private threadAgent(threadId: string): AgentId {
		return threadId === this.file.nativeSessionId ? mainAgentId : agentId(threadId);
	}
}

const encoder = new TextEncoder();
const noSpan: Span = { start: -1, end: -1 };

/** `codex exec`, and Codex as somebody else's MCP server. */
function isProgramSource(line: CodexLine): boolean {
	return line.sourceWord === 'exec' || line.sourceWord === 'mcp' || line.originator === 'codex_exec';
}

const spawnMembers = new MemberTable<{ taskName: string; message: string; agentType: string }>({
	task_name: (scanner, spawn) => void (spawn.taskName = scanner.readText()),
	message: (scanner, spawn) => void (spawn.message = scanner.readText()),
	agent_type: (scanner, spawn) => void (spawn.agentType = scanner.readText()),
});
