import { agentId, mainAgentId, sessionId, toolUseId } from '../base/ids.ts';
import type { AgentId, SessionId, ToolUseId } from '../base/ids.ts';
import { FORMAT_VERSION, deferredPhase } from '../events/sessionEvent.ts';
import type {
	AgentRef,
	ChainLink,
	Entrypoint,
	MessageKind,
	PartKind,
	PromptOrigin,
	ToolUse,
	TranscriptSource,
} from '../events/sessionEvent.ts';
import { ClaudeCodeLine } from './claudeCodeLine.ts';
import type { Block } from './claudeCodeLine.ts';
import { truncated } from '../base/text.ts';
import { bodyRef, columnRange, digest } from './fields.ts';
import { JsonLineReader } from './jsonLineReader.ts';
import { JsonScanner, MemberTable, OPEN_BRACE } from '../base/jsonScanner.ts';
import type { MemberReader, Span } from '../base/jsonScanner.ts';
import { McpCalls, errorText, givenArguments, resultContent } from './mcpFacts.ts';
import { parseTaskNotification } from './taskNotification.ts';
import { ToolDescriptions } from './toolDescriptions.ts';
import { splitMcpName } from './toolNames.ts';
import type { EventSink, TranscriptFile, TranscriptFormat } from './transcriptFormat.ts';

/**
 * Claude Code's transcripts, 1.0.9x to 2.1.32x: JSON lines in which one API message is written over several lines with the same
 * `message.id`, and lines form a tree by `uuid` and `parentUuid`. The format is internal to its vendor: whatever is not known here
 * passes as an `unknown` event.
 */
export const claudeCode: TranscriptFormat = {
	id: 'claude-code',
	name: 'Claude Code',
	sniffLine(bytes, start, end) {
		const seen = { type: '', hasIdentity: false };
		sniffer.reset(bytes, start, end);
		// The head of a file may be cut in the middle of a line; what was seen until there counts.
		if (sniffer.peek() === OPEN_BRACE) sniffer.readObject(sniffMembers, seen);
		return seen.hasIdentity && lineTypes.has(seen.type);
	},
	createReader(file, sink) {
		return new ClaudeCodeReader(file, sink);
	},
};

const sniffer = new JsonScanner();
const identity: MemberReader<{ hasIdentity: boolean }> = (scanner, seen) =>
	void (seen.hasIdentity = scanner.readString() || seen.hasIdentity);
const sniffMembers = new MemberTable<{ type: string; hasIdentity: boolean }>({
	type: (scanner, seen) => void (seen.type = scanner.readText()),
	sessionId: identity,
	uuid: identity,
	leafUuid: identity,
	messageId: identity,
});

/** The line types that open a transcript. Later lines may have any type. */
const lineTypes: ReadonlySet<string> = new Set([
	'user',
	'assistant',
	'system',
	'summary',
	'attachment',
	'progress',
	'queue-operation',
	'file-history-snapshot',
	'file-history-delta',
	'last-prompt',
	'mode',
	'permission-mode',
	'ai-title',
	'custom-title',
	'agent-name',
	'agent-color',
	'agent-setting',
	'atis-latch',
	'bridge-session',
	'tag',
	'relocated',
	'worktree-state',
	'fork-context-ref',
	'content-replacement',
	'cost-state',
	'api-request',
	'api-request-shape',
	'api-request-blob',
	'tools-used',
]);

class ClaudeCodeReader extends JsonLineReader {
	protected readonly sessionId: SessionId;
	private readonly line: ClaudeCodeLine;
	private readonly agents = new Map<string, AgentRef>();
	/** Inline side chains (1.0.x) name no agent: a line belongs to the agent of its parent, a root line to a new one. */
	private readonly sidechainOf = new Map<string, AgentRef>();
	private readonly agentsWithPrompt = new Set<string>();
	private readonly agentsInProgress = new Set<string>();
	private lastProgress = '';
	private announced = { cwd: '', version: '', entrypoint: '', sessionKind: '' };
	private readonly mcpCalls = new McpCalls();
	private readonly tools = new ToolDescriptions();
	/** Requests are written down; snapshots say the same again. */
	private hasRequestShapes = false;
	/** A scheduled task has fired, and its prompt has not come yet. */
	private hasFired = false;
	/** Digests of what was put into the queue, for versions whose prompts do not say where they came from. */
	private readonly queued = new Set<string>();

	constructor(file: TranscriptFile, sink: EventSink) {
		super(file, sink);
		this.line = new ClaudeCodeLine(file.withPreviews);
		this.sessionId = sessionId(claudeCode.id, file.nativeSessionId);
	}

	protected scan(): boolean {
		this.line.reset();
		return this.scanner.readObject(ClaudeCodeLine.members, this.line);
	}

	protected emit(bytes: Uint8Array, lineStart: number, source: TranscriptSource): void {
		const { line, inner } = this;
		const agent = this.agentOf(line);
		this.announceSession(source, agent);
		if (line.type === 'user' || line.type === 'assistant') {
			this.emitMessage(bytes, lineStart, source, agent);
			return;
		}
		if (line.type === 'system' && line.subtype === 'compact_boundary') {
			this.emitCompaction(bytes, source, agent);
			return;
		}
		this.emitUnknown(source, agent);
		switch (line.type) {
			case 'system':
				this.emitSystem(bytes, source, agent);
				break;
			case 'progress':
				this.emitProgress(bytes, source, agent);
				break;
			case 'attachment':
				this.emitAttachment(bytes, source, agent);
				break;
			case 'api-request-shape':
				this.hasRequestShapes = true;
				if (line.shape.start === -1) break;
				inner.reset(bytes, line.shape.start, line.shape.end);
				inner.readObject(shapeMembers, (scanner) => this.emitTools(scanner, source, agent));
				break;
			case 'queue-operation':
				if (line.content.start === -1) break;
				this.rememberQueued(bytes, line.content);
				this.emitOutcomes(this.stringAt(bytes, line.content), source, agent);
				break;
			case 'ai-title':
			case 'custom-title':
			case 'summary':
				if (line.title !== '') {
					this.sink({
						...this.envelope(source, agent, line.at),
						type: 'session-titled',
						title: line.title,
						by: line.type === 'custom-title' ? 'person' : 'model',
					});
				}
				break;
		}
	}

	private announceSession(source: TranscriptSource, agent: AgentRef): void {
		const { line, announced } = this;
		if (this.file.agentId !== null || line.version === '') return;
		if (
			line.version === announced.version &&
			line.cwd === announced.cwd &&
			line.entrypoint === announced.entrypoint &&
			line.sessionKind === announced.sessionKind
		) {
			return;
		}
		const { cwd, version, entrypoint, sessionKind } = line;
		this.announced = { cwd, version, entrypoint, sessionKind };
		this.sink({
			...this.envelope(source, agent, line.at),
			type: 'session-started',
			format: claudeCode.id,
			nativeId: this.file.nativeSessionId,
			cwd: line.cwd === '' ? undefined : line.cwd,
			agentVersion: line.version,
			entrypoint: entrypointOf(entrypoint, sessionKind),
		});
	}

	private emitMessage(bytes: Uint8Array, lineStart: number, source: TranscriptSource, agent: AgentRef): void {
		const { line } = this;
		const role = line.type === 'assistant' ? 'assistant' : 'user';
		const messageId = line.messageId !== '' ? line.messageId : line.uuid !== '' ? line.uuid : `line ${source.line}`;
		const parts = this.partsOf(line);
		const text = firstText(line);
		const kind = role === 'assistant' ? this.responseKind() : this.userKind(bytes, parts, text);
		this.sink({
			version: FORMAT_VERSION,
			seq: this.nextSeq(),
			at: line.at,
			sessionId: this.sessionId,
			agent,
			source,
			type: 'message',
			messageId,
			role,
			kind,
			origin: kind === 'prompt' || kind === 'meta' ? this.promptOrigin(bytes, kind, text) : undefined,
			chain: chainOf(line),
			parts,
			// A session is called after its first prompt, so prompts always have a preview; there are few.
			text:
				text === undefined || !(this.file.withPreviews || kind === 'prompt')
					? undefined
					: bodyRef(bytes, text.start, text.end, source.offset - lineStart, true),
			refusal:
				kind === 'local' && role === 'assistant' && text !== undefined ? this.refusal(bytes, text) : undefined,
			model: line.model === '' ? undefined : line.model,
			stopReason: line.stopReason === '' ? undefined : line.stopReason,
			tokens: line.inputTokens === -1 ? undefined : { input: line.inputTokens, output: line.outputTokens },
		});
		for (let index = 0; index < line.blockCount; index++) {
			const block = line.blocks[index];
			if (block === undefined || block.id === '') continue;
			const part = parts[index];
			if (part === 'tool-use') this.emitToolUse(bytes, lineStart, source, agent, block, messageId);
			else if (part === 'tool-result' || part === 'server-tool-result') {
				const isPrecededByOther =
					role === 'user' &&
					part === 'tool-result' &&
					parts.slice(0, index).some((before) => before !== 'tool-result');
				this.emitToolResult(bytes, lineStart, source, agent, block, messageId, isPrecededByOther);
			}
		}
		if (text === undefined) return;
		if (kind === 'notification') this.emitOutcomes(this.stringAt(bytes, text), source, agent);
		else if (kind === 'prompt') this.announcePrompt(bytes, text, source, agent);
	}

	private partsOf(line: ClaudeCodeLine): readonly PartKind[] {
		if (line.text.start !== -1) return textOnly;
		if (line.blockCount === 1) return singlePart[partKind(line.blocks[0]?.type ?? '')];
		return line.blocks.slice(0, line.blockCount).map((block) => partKind(block.type));
	}

	private emitToolUse(
		bytes: Uint8Array,
		lineStart: number,
		source: TranscriptSource,
		agent: AgentRef,
		block: Block,
		messageId: string,
	): void {
		const { line } = this;
		const { name, server } = splitMcpName(block.name);
		const body = block.body.start === -1 ? { start: block.start, end: block.start } : block.body;
		if (server !== undefined) this.mcpCalls.add(block.id);
		this.sink({
			version: FORMAT_VERSION,
			seq: this.nextSeq(),
			at: line.at,
			sessionId: this.sessionId,
			agent,
			source,
			type: 'tool-use',
			toolUseId: toolUseId(block.id),
			name,
			server,
			answeredBy: block.type === 'tool_use' ? 'client' : 'provider',
			messageId,
			chainId: line.uuid === '' ? undefined : line.uuid,
			range: columnRange(bytes, lineStart, block.start, block.end),
			arguments: this.bodyRef(bytes, body, lineStart, source),
			given:
				server === undefined || block.body.start === -1
					? undefined
					: givenArguments(bytes, body.start, body.end, columnRange(bytes, lineStart, body.start, body.end)),
			// `Task` until 2.1.50, `Agent` since.
			spawn: block.name === 'Task' || block.name === 'Agent' ? this.readSpawn(bytes, body) : undefined,
			unmissed: block.name === 'ExitPlanMode' && agent === mainAgent ? goesOnElsewhere : undefined,
		});
	}

	private emitToolResult(
		bytes: Uint8Array,
		lineStart: number,
		source: TranscriptSource,
		agent: AgentRef,
		block: Block,
		messageId: string,
		isPrecededByOther: boolean,
	): void {
		const { line } = this;
		const id = toolUseId(block.id);
		// Gateways put the provider's own answer into the response as a plain result.
		const isInPlace = block.type !== 'tool_result' || line.type === 'assistant';
		const isDetached = line.resultIsDetached || line.resultStatus === 'async_launched';
		const body = block.body.start === -1 ? { start: block.start, end: block.start } : block.body;
		const isOfServer = this.mcpCalls.take(block.id);
		this.sink({
			version: FORMAT_VERSION,
			seq: this.nextSeq(),
			at: line.at,
			sessionId: this.sessionId,
			agent,
			source,
			type: 'tool-result',
			toolUseId: id,
			isError: block.isError,
			chainId: line.uuid === '' ? undefined : line.uuid,
			messageId,
			// The head of the block as far as the id: enough to find it, where the whole could be a megabyte to count and to underline.
			range: columnRange(bytes, lineStart, block.start, block.idEnd),
			body: this.bodyRef(bytes, body, lineStart, source),
			durationMs: line.resultDurationMs === -1 ? undefined : line.resultDurationMs,
			isPrecededByOther,
			isInPlace,
			denial: line.denial,
			// `interrupted` is what a resume writes for a call that a killed process left open.
			isInterruption: line.denial === 'cancelled' || line.denial === 'interrupted',
			content: isOfServer ? resultContent(bytes, body, line.structured) : undefined,
			errorText: isOfServer && block.isError ? errorText(bytes, body) : undefined,
		});
		if (isDetached) {
			this.sink({
				...this.envelope(source, agent, line.at),
				type: 'tool-detached',
				toolUseId: id,
				agentId: line.resultAgentId === '' ? undefined : agentId(line.resultAgentId),
			});
		}
		if (line.resultAgentId !== '' && !isInPlace) this.emitSpawnResult(source, agent, id, isDetached);
	}

	private emitSpawnResult(source: TranscriptSource, agent: AgentRef, id: ToolUseId, isDetached: boolean): void {
		const { line } = this;
		const spawned = agentId(line.resultAgentId);
		this.sink({
			...this.envelope(source, agent, line.at),
			type: 'agent-spawned',
			agentId: spawned,
			parentId: 'id' in agent ? agent.id : undefined,
			toolUseId: id,
			agentType: line.resultAgentType === '' ? undefined : line.resultAgentType,
			evidence: 'result',
		});
		if (isDetached) return;
		const outcome = line.resultStatus === 'completed' ? 'completed' : 'ended';
		this.sink({
			...this.envelope(source, agent, line.at),
			type: 'agent-ended',
			agentId: spawned,
			outcome,
			evidence: 'The call that started it has returned.',
		});
	}

	private readSpawn(bytes: Uint8Array, body: Span): ToolUse['spawn'] {
		const spawn: Spawn = {};
		this.inner.reset(bytes, body.start, body.end);
		this.inner.readObject(spawnMembers, spawn);
		return spawn;
	}

	/** The first prompt of a subagent identifies the call that spawned it, where nothing better does. */
	private announcePrompt(bytes: Uint8Array, text: Span, source: TranscriptSource, agent: AgentRef): void {
		if (!('id' in agent) || agent.id === mainAgentId || this.agentsWithPrompt.has(agent.id)) return;
		this.agentsWithPrompt.add(agent.id);
		this.sink({
			...this.envelope(source, agent, this.line.at),
			type: 'agent-spawned',
			agentId: agent.id,
			evidence: 'prompt',
			promptDigest: digest(bytes, text.start + 1, text.end - 1),
		});
	}

	private emitSystem(bytes: Uint8Array, source: TranscriptSource, agent: AgentRef): void {
		const { line } = this;
		if (line.subtype === 'scheduled_task_fire') this.hasFired = true;
		else if (line.subtype === 'turn_duration') {
			this.sink({
				...this.envelope(source, agent, line.at),
				type: 'turn-ended',
				reason: 'completed',
				durationMs: line.durationMs === -1 ? undefined : line.durationMs,
			});
		} else if (line.subtype === 'microcompact_boundary' && line.microcompactMetadata.start !== -1) {
			const toolUseIds: ToolUseId[] = [];
			this.inner.reset(bytes, line.microcompactMetadata.start, line.microcompactMetadata.end);
			this.inner.readObject(microcompactMembers, toolUseIds);
			this.sink({ ...this.envelope(source, agent, line.at), type: 'results-cleared', toolUseIds });
		}
	}

	private emitCompaction(bytes: Uint8Array, source: TranscriptSource, agent: AgentRef): void {
		const { line, inner } = this;
		const found: CompactMetadata = {
			trigger: '',
			tokensBefore: -1,
			tokensAfter: -1,
			headId: '',
			anchorId: '',
			tailId: '',
		};
		if (line.compactMetadata.start !== -1) {
			inner.reset(bytes, line.compactMetadata.start, line.compactMetadata.end);
			inner.readObject(compactMembers, found);
		}
		const { headId, anchorId, tailId } = found;
		this.sink({
			...this.envelope(source, agent, line.at),
			type: 'compaction',
			chain: chainOf(line),
			trigger: found.trigger === 'auto' || found.trigger === 'manual' ? found.trigger : 'unknown',
			tokensBefore: found.tokensBefore === -1 ? undefined : found.tokensBefore,
			tokensAfter: found.tokensAfter === -1 ? undefined : found.tokensAfter,
			preserved: headId !== '' && anchorId !== '' && tailId !== '' ? { headId, anchorId, tailId } : undefined,
		});
	}

	/** Written by 2.1.12 to 2.1.81, many lines for one call; one event for a run of the same phase is enough. */
	private emitProgress(bytes: Uint8Array, source: TranscriptSource, agent: AgentRef): void {
		const { line, inner } = this;
		if (line.data.start === -1 || line.parentToolUseId === '') return;
		const data = { type: '', agentId: '', status: '' };
		inner.reset(bytes, line.data.start, line.data.end);
		inner.readObject(progressMembers, data);
		const id = toolUseId(line.parentToolUseId);
		if (data.type === 'agent_progress' && data.agentId !== '' && !this.agentsInProgress.has(data.agentId)) {
			this.agentsInProgress.add(data.agentId);
			this.sink({
				...this.envelope(source, agent, line.at),
				type: 'agent-spawned',
				agentId: agentId(data.agentId),
				parentId: 'id' in agent ? agent.id : undefined,
				toolUseId: id,
				evidence: 'progress',
			});
		}
		const phase = data.status === '' ? data.type : `${data.type} ${data.status}`;
		const progress = `${id} ${phase}`;
		if (progress === this.lastProgress) return;
		this.lastProgress = progress;
		this.sink({
			...this.envelope(source, agent, line.at),
			type: 'tool-progress',
			toolUseId: id,
			phase,
		});
	}

	private emitAttachment(bytes: Uint8Array, source: TranscriptSource, agent: AgentRef): void {
		const { line, inner } = this;
		if (line.attachment.start === -1) return;
		const found: Attachment = { type: '', prompt: '', toolUseId: '', tools: { start: -1, end: -1 } };
		inner.reset(bytes, line.attachment.start, line.attachment.end);
		inner.readObject(attachmentMembers, found);
		if (found.type === 'queued_command') this.emitOutcomes(found.prompt, source, agent);
		if (found.type === 'hook_deferred_tool' && found.toolUseId !== '') {
			this.sink({
				...this.envelope(source, agent, line.at),
				type: 'tool-progress',
				toolUseId: toolUseId(found.toolUseId),
				phase: deferredPhase,
			});
		}
		if (found.tools.start === -1) return;
		if (found.type !== 'deferred_tools_record' && (found.type !== 'prompt_snapshot' || this.hasRequestShapes))
			return;
		inner.reset(bytes, found.tools.start, found.tools.end);
		this.emitTools(inner, source, agent);
	}

	/** What was offered to the model of MCP servers' tools, since 2.1.3xx: with requests, in snapshots of the prompt, and when a tool is found by search. */
	private emitTools(list: JsonScanner, source: TranscriptSource, agent: AgentRef): void {
		this.tools.read(list, (tool) =>
			this.sink({ ...this.envelope(source, agent, this.line.at), type: 'tool-described', ...tool }),
		);
	}

	private emitOutcomes(text: string, source: TranscriptSource, agent: AgentRef): void {
		const notification = parseTaskNotification(text);
		if (notification === undefined) return;
		for (const task of notification.taskIds) {
			this.sink({
				...this.envelope(source, agent, this.line.at),
				type: 'tool-outcome',
				toolUseId: notification.toolUseId === undefined ? undefined : toolUseId(notification.toolUseId),
				agentId: agentId(task),
				outcome: notification.outcome,
			});
		}
	}

	private emitUnknown(source: TranscriptSource, agent: AgentRef): void {
		const { line } = this;
		this.sink({
			...this.envelope(source, agent, line.at),
			type: 'unknown',
			nativeType: line.subtype === '' ? line.type : `${line.type}/${line.subtype}`,
			chain: chainOf(line),
		});
	}

	private responseKind(): MessageKind {
		// Errors and stand-ins that the client shows and never sends.
		return this.line.isApiError || this.line.model === '<synthetic>' ? 'local' : 'response';
	}

	/** Claude Code writes an error with its HTTP status where the answer would stand; 400 says that the request itself was wrong. */
	private refusal(bytes: Uint8Array, text: Span): string | undefined {
		const { inner } = this;
		inner.reset(bytes, text.start, text.end);
		if (!inner.readString() || !inner.stringStartsWith('API Error: 400')) return undefined;
		return truncated(inner.string(), longestRefusal);
	}

	private userKind(bytes: Uint8Array, parts: readonly PartKind[], text: Span | undefined): MessageKind {
		const { line, inner } = this;
		if (parts.includes('tool-result')) return 'results';
		if (line.isCompactSummary) return 'summary';
		// A parent that wakes its subagent begins a turn too.
		if (isNotification(line)) return 'notification';
		if (text !== undefined) {
			inner.reset(bytes, text.start, text.end);
			inner.readString();
			if (inner.stringStartsWith('[Request interrupted by user')) return 'interrupt';
			if (inner.stringStartsWith('<task-notification>')) return 'notification';
			if (localMarks.some((mark) => inner.stringStartsWith(mark))) return 'meta';
		}
		if (line.isTranscriptOnly) return 'local';
		// What a timer or the client itself sends is hidden from the person, and begins a turn all the same.
		const isTurn = line.turnOrigin !== '' || line.promptSource !== '' || line.isWakeup || this.hasFired;
		return line.isMeta && !isTurn ? 'meta' : 'prompt';
	}

	/** Where a prompt came from: of new versions as the line says, of older ones as the lines before it say. */
	private promptOrigin(bytes: Uint8Array, kind: 'prompt' | 'meta', text: Span | undefined): PromptOrigin | undefined {
		const { line, inner, hasFired } = this;
		if (kind === 'meta') {
			if (text === undefined) return undefined;
			inner.reset(bytes, text.start, text.end);
			return inner.readString() && inner.stringStartsWith('Stop hook feedback') ? 'hook' : undefined;
		}
		this.hasFired = false;
		const told = toldOrigin(line);
		if (told !== undefined) return told;
		if (hasFired) return 'scheduled';
		// Nobody types on a side chain; where somebody does, in that of a team mate, the line says so.
		if (line.isSidechain) return 'agent';
		if (text === undefined || this.queued.size === 0 || line.promptSource !== '') return undefined;
		return this.queued.delete(digest(bytes, text.start + 1, text.end - 1)) &&
			entrypointOf(line.entrypoint, line.sessionKind) === 'interactive'
			? 'queued'
			: undefined;
	}

	private rememberQueued(bytes: Uint8Array, content: Span): void {
		if (this.queued.size >= mostQueued) this.queued.clear();
		this.queued.add(digest(bytes, content.start + 1, content.end - 1));
	}

	private agentOf(line: ClaudeCodeLine): AgentRef {
		if (this.file.agentId !== null) return this.fileAgent();
		if (line.agentId !== '') return this.agentRef(line.agentId);
		if (!line.isSidechain) return mainAgent;
		const known = line.parentUuid === null ? undefined : this.sidechainOf.get(line.parentUuid);
		const agent =
			known ?? (line.uuid === '' ? unknownSidechain : this.agentRef(`sidechain-${line.uuid.slice(0, 8)}`));
		if (line.uuid !== '') this.sidechainOf.set(line.uuid, agent);
		return agent;
	}

	protected fileAgent(): AgentRef {
		return this.file.agentId === null ? mainAgent : this.agentRef(this.file.agentId);
	}

	private agentRef(id: string): AgentRef {
		let agent = this.agents.get(id);
		if (agent === undefined) {
			agent = id === mainAgentId ? mainAgent : { id: agentId(id) };
			this.agents.set(id, agent);
		}
		return agent;
	}

	private stringAt(bytes: Uint8Array, span: Span): string {
		this.inner.reset(bytes, span.start, span.end);
		return this.inner.readText();
	}

	private bodyRef(bytes: Uint8Array, span: Span, lineStart: number, source: TranscriptSource) {
		return bodyRef(bytes, span.start, span.end, source.offset - lineStart, this.file.withPreviews);
	}
}

const longestRefusal = 2_000;

/** 2.1.14 to 2.1.29 write no answer when a plan is accepted with the context cleared. */
const goesOnElsewhere =
	'It asked whether a plan may be carried out. A plan that is accepted with the context cleared goes on in another session.';

const mainAgent: { readonly id: AgentId } = { id: mainAgentId };
const unknownSidechain: AgentRef = {
	unknown: 'The line belongs to a side chain and names neither an agent nor a parent.',
};

// What a local command or its output leaves in the conversation; nobody's turn. A command that prompts the model begins with `<command-message>`.
const localMarks = ['<local-command-', '<command-name>', '<bash-', '<user-memory-input>'];

interface Spawn {
	description?: string;
	agentType?: string;
	name?: string;
	promptDigest?: string;
}

const spawnMembers = new MemberTable<Spawn>({
	description: (scanner, spawn) => void (spawn.description = scanner.readText()),
	subagent_type: (scanner, spawn) => void (spawn.agentType = scanner.readText()),
	name: (scanner, spawn) => void (spawn.name = scanner.readText()),
	prompt(scanner, spawn) {
		if (scanner.readString()) spawn.promptDigest = digest(scanner.bytes, scanner.stringStart, scanner.stringEnd);
	},
});

interface CompactMetadata {
	trigger: string;
	tokensBefore: number;
	tokensAfter: number;
	headId: string;
	anchorId: string;
	tailId: string;
}

const segmentMembers = new MemberTable<CompactMetadata>({
	headUuid: (scanner, found) => void (found.headId = scanner.readText()),
	anchorUuid: (scanner, found) => void (found.anchorId = scanner.readText()),
	tailUuid: (scanner, found) => void (found.tailId = scanner.readText()),
});
const compactMembers = new MemberTable<CompactMetadata>({
	trigger: (scanner, found) => void (found.trigger = scanner.readText()),
	preTokens: (scanner, found) => void (found.tokensBefore = scanner.readNumber()),
	postTokens: (scanner, found) => void (found.tokensAfter = scanner.readNumber()),
	preservedSegment: (scanner, found) => void scanner.readObject(segmentMembers, found),
});

const microcompactMembers = new MemberTable<ToolUseId[]>({
	compactedToolIds: (scanner, ids) =>
		void scanner.readArray((element, target: ToolUseId[]) => {
			if (element.readString()) target.push(toolUseId(element.string()));
		}, ids),
});

const progressMembers = new MemberTable<{ type: string; agentId: string; status: string }>({
	type: (scanner, data) => void (data.type = scanner.readText()),
	agentId: (scanner, data) => void (data.agentId = scanner.readText()),
	status: (scanner, data) => void (data.status = scanner.readText()),
});

interface Attachment {
	type: string;
	prompt: string;
	toolUseId: string;
	readonly tools: Span;
}

const attachmentMembers = new MemberTable<Attachment>({
	type: (scanner, found) => void (found.type = scanner.readText()),
	prompt: (scanner, found) => void (found.prompt = scanner.readText()),
	toolUseID: (scanner, found) => void (found.toolUseId = scanner.readText()),
	tools: (scanner, found) => scanner.passValue(found.tools),
	entries: (scanner, found) => scanner.passValue(found.tools),
});

const shapeMembers = new MemberTable<(list: JsonScanner) => void>({ tools: (scanner, read) => read(scanner) });

/** The text that a message begins with: its content when that is a string, else its first text block. */
function firstText(line: ClaudeCodeLine): Span | undefined {
	if (line.text.start !== -1) return line.text;
	for (let index = 0; index < line.blockCount; index++) {
		const block = line.blocks[index];
		if (block !== undefined && block.type === 'text' && block.text.start !== -1) return block.text;
	}
	return undefined;
}

const textOnly: readonly PartKind[] = ['text'];
// Nearly every line has one block: the list of its kinds need not be made anew.
const singlePart: Readonly<Record<PartKind, readonly PartKind[]>> = {
	text: textOnly,
	thinking: ['thinking'],
	'tool-use': ['tool-use'],
	'tool-result': ['tool-result'],
	image: ['image'],
	document: ['document'],
	'server-tool-result': ['server-tool-result'],
	other: ['other'],
};

function partKind(type: string): PartKind {
	switch (type) {
		case 'text':
		case 'thinking':
		case 'image':
		case 'document':
			return type;
		case 'redacted_thinking':
			return 'thinking';
		case 'tool_use':
		case 'server_tool_use':
		case 'mcp_tool_use':
			return 'tool-use';
		case 'tool_result':
			return 'tool-result';
		default:
			return type.endsWith('_tool_result') ? 'server-tool-result' : 'other';
	}
}

function chainOf(line: ClaudeCodeLine): ChainLink | undefined {
	return line.uuid === '' ? undefined : { id: line.uuid, parentId: line.parentUuid };
}

/** Prompts that wait for their turn; nobody types that many. */
const mostQueued = 64;

/** What the line itself says of where its prompt came from: `turnOrigin` of 2.1.3xx, `origin` and `promptSource` of 2.1.1xx and later. */
function toldOrigin(line: ClaudeCodeLine): PromptOrigin | undefined {
	switch (line.turnOrigin) {
		case 'human':
			return line.promptSource === 'queued' ? 'queued' : 'typed';
		case 'sdk':
			return 'program';
		case 'scheduled':
			return 'scheduled';
		case 'peer':
			return isFromProgram(line.originKind) ? 'program' : 'agent';
		case 'auto_continuation':
		case 'host_synthetic':
		case 'system':
			return 'system';
	}
	if (line.isWakeup) return 'scheduled';
	switch (line.originKind) {
		case 'human':
			return line.promptSource === 'queued' ? 'queued' : 'typed';
		case 'task-notification':
			return line.originSubkind === 'scheduled-trigger' ? 'scheduled' : 'agent';
		case 'peer':
		case 'observer':
		case 'observer-activity':
			return 'agent';
		case 'channel':
		case 'slack-ping':
			return 'program';
		case 'auto-continuation':
		case 'plugin':
			return 'system';
	}
	switch (line.promptSource) {
		case 'typed':
		// A suggestion that the person took with one key.
		case 'suggestion_accepted':
			return 'typed';
		case 'queued':
			return 'queued';
		case 'sdk':
			return 'program';
		case 'system':
			return 'system';
		default:
			return undefined;
	}
}

/** What a schedule or another session has sent comes the same way, and is a prompt. */
function isNotification(line: ClaudeCodeLine): boolean {
	if (line.originKind === 'coordinator') return true;
	const { originSubkind } = line;
	return (
		line.originKind === 'task-notification' &&
		originSubkind !== 'scheduled-trigger' &&
		originSubkind !== 'peer-send-message'
	);
}

/** A message from outside: another program wrote it, whoever may be behind that. */
function isFromProgram(originKind: string): boolean {
	return originKind === 'channel' || originKind === 'slack-ping';
}

/**
 * @param entrypoint `sdk-cli` is `-p`; `sdk-ts` and `sdk-py` are programs; a trigger is a schedule or an event that starts a session by itself.
 * @param sessionKind `bg`, `daemon`, `daemon-worker`: nobody sits before it.
 */
function entrypointOf(entrypoint: string, sessionKind: string): Entrypoint {
	if (entrypoint === 'remote_trigger' || entrypoint === 'remote_cowork_trigger') return 'scheduled';
	if (sessionKind !== '') return 'headless';
	if (entrypoint === '') return 'unknown';
	const isProgram =
		entrypoint.startsWith('sdk') || entrypoint === 'mcp' || entrypoint === 'claude-code-github-action';
	return isProgram ? 'headless' : 'interactive';
}
