import { epochMilliseconds } from './fields.ts';
import { MemberTable } from '../base/jsonScanner.ts';
import type { JsonScanner, MemberReader, Span } from '../base/jsonScanner.ts';

/** One content block of a message. */
export interface Block extends Span {
	type: string;
	/** The tool use id of a call or of the result that answers it; '' otherwise. */
	id: string;
	name: string;
	isError: boolean;
	/** The arguments of a call, the content of a result. */
	readonly body: Span;
	/** The text of a text block, with its quotes. */
	readonly text: Span;
	/** Where the id's value ends. */
	idEnd: number;
}

/**
 * What one line says, filled anew for each line by `claudeCodeLine`.
 */
export class ClaudeCodeLine {
	type = '';
	subtype = '';
	uuid = '';
	parentUuid: string | null = null;
	at: number | undefined;
	isSidechain = false;
	agentId = '';
	isMeta = false;
	isCompactSummary = false;
	isApiError = false;
	isTranscriptOnly = false;
	denial: string | undefined;
	originKind = '';
	originSubkind = '';
	/** Of a prompt: how it came (`promptSource`), and who began the turn (`turnOrigin`, since 2.1.3xx). */
	promptSource = '';
	turnOrigin = '';
	/** A timer or a scheduled task has sent the prompt. */
	isWakeup = false;
	title = '';
	durationMs = -1;
	parentToolUseId = '';
	messageId = '';
	model = '';
	stopReason = '';
	inputTokens = -1;
	outputTokens = 0;
	/** The string that is the whole content, when it is one. */
	readonly text: Span = noSpan();
	blockCount = 0;
	readonly blocks: Block[] = [];
	resultAgentId = '';
	resultAgentType = '';
	resultStatus = '';
	resultIsDetached = false;
	resultDurationMs = -1;
	readonly content: Span = noSpan();
	readonly attachment: Span = noSpan();
	readonly compactMetadata: Span = noSpan();
	readonly microcompactMetadata: Span = noSpan();
	readonly data: Span = noSpan();
	/** The structured content of an MCP server's result. */
	readonly structured: Span = noSpan();
	/** What a request to the model offered, tools included. */
	readonly shape: Span = noSpan();

	/** The same for most lines of a file; they keep their value. */
	cwd = '';
	version = '';
	entrypoint = '';
	sessionKind = '';

	private readonly wantsUsage: boolean;

	/** @param wantsUsage Whether somebody will look at the token counts. */
	constructor(wantsUsage: boolean) {
		this.wantsUsage = wantsUsage;
	}

	reset(): void {
		this.type = this.subtype = this.uuid = this.agentId = this.originKind = this.title = this.parentToolUseId = '';
		this.promptSource = this.turnOrigin = this.originSubkind = '';
		this.messageId =
			this.model =
			this.stopReason =
			this.resultAgentId =
			this.resultAgentType =
			this.resultStatus =
				'';
		this.parentUuid = null;
		this.at = this.denial = undefined;
		this.isSidechain =
			this.isMeta =
			this.isCompactSummary =
			this.isApiError =
			this.isTranscriptOnly =
			this.resultIsDetached =
			this.isWakeup =
				false;
		this.durationMs = this.resultDurationMs = this.inputTokens = -1;
		this.outputTokens = this.blockCount = 0;
		this.text.start =
			this.content.start =
			this.attachment.start =
			this.compactMetadata.start =
			this.microcompactMetadata.start =
			this.data.start =
			this.structured.start =
			this.shape.start =
				-1;
	}

	static readonly members = new MemberTable<ClaudeCodeLine>(
		{
			isSidechain: (scanner, line) => void (line.isSidechain = scanner.readBoolean()),
			isMeta: (scanner, line) => void (line.isMeta = scanner.readBoolean()),
			isCompactSummary: (scanner, line) => void (line.isCompactSummary = scanner.readBoolean()),
			isApiErrorMessage: (scanner, line) => void (line.isApiError = scanner.readBoolean()),
			isVisibleInTranscriptOnly: (scanner, line) => void (line.isTranscriptOnly = scanner.readBoolean()),
			durationMs: (scanner, line) => void (line.durationMs = scanner.readNumber()),
			timestamp(scanner, line) {
				if (!scanner.readString()) return;
				line.at = epochMilliseconds(scanner.bytes, scanner.stringStart, scanner.stringEnd);
			},
			message: (scanner, line) => void scanner.readObject(ClaudeCodeLine.messageMembers, line),
			toolUseResult: (scanner, line) => void scanner.readObject(ClaudeCodeLine.resultMembers, line),
			origin: (scanner, line) => void scanner.readObject(originMembers, line),
			content: (scanner, line) => scanner.passValue(line.content),
			attachment: (scanner, line) => scanner.passValue(line.attachment),
			compactMetadata: (scanner, line) => scanner.passValue(line.compactMetadata),
			microcompactMetadata: (scanner, line) => scanner.passValue(line.microcompactMetadata),
			data: (scanner, line) => scanner.passValue(line.data),
			mcpMeta: (scanner, line) => void scanner.readObject(mcpMetaMembers, line),
			shape: (scanner, line) => scanner.passValue(line.shape),
		},
		{
			type: (text, line) => void (line.type = text),
			subtype: (text, line) => void (line.subtype = text),
			uuid: (text, line) => void (line.uuid = text),
			parentUuid: (text, line) => void (line.parentUuid = text),
			cwd: (text, line) => void (line.cwd = text),
			version: (text, line) => void (line.version = text),
			entrypoint: (text, line) => void (line.entrypoint = text),
			agentId: (text, line) => void (line.agentId = text),
			sessionKind: (text, line) => void (line.sessionKind = text),
			promptSource: (text, line) => void (line.promptSource = text),
			turnOrigin: (text, line) => void (line.turnOrigin = text),
			wakeupSource: (_, line) => void (line.isWakeup = true),
			scheduledTaskId: (_, line) => void (line.isWakeup = true),
			toolDenialKind: (text, line) => void (line.denial = text),
			parentToolUseID: (text, line) => void (line.parentToolUseId = text),
			aiTitle: readTitle,
			customTitle: readTitle,
			title: readTitle,
			summary: readTitle,
		},
	);

	private static readonly messageMembers = new MemberTable<ClaudeCodeLine>(
		{
			usage(scanner, line) {
				if (line.wantsUsage) scanner.readObject(usageMembers, line);
				else scanner.skipValue();
			},
			content(scanner, line) {
				const start = (scanner.peek(), scanner.position);
				if (isString(scanner)) {
					line.text.start = start;
					scanner.skipValue();
					line.text.end = scanner.position;
				} else {
					scanner.readArray(ClaudeCodeLine.readBlock, line);
				}
			},
		},
		{
			id: (text, line) => void (line.messageId = text),
			model: (text, line) => void (line.model = text),
			stop_reason: (text, line) => void (line.stopReason = text),
		},
	);

	private static readonly readBlock: MemberReader<ClaudeCodeLine> = (scanner, line) => {
		scanner.peek();
		const block = (line.blocks[line.blockCount++] ??= newBlock());
		block.start = scanner.position;
		block.type = block.id = '';
		block.name = '';
		block.isError = false;
		block.body.start = block.text.start = -1;
		scanner.readObject(blockMembers, block);
		block.end = scanner.position;
	};

	private static readonly resultMembers = new MemberTable<ClaudeCodeLine>(
		{
			isAsync(scanner, line) {
				if (scanner.readBoolean()) line.resultIsDetached = true;
			},
			totalDurationMs: (scanner, line) => void (line.resultDurationMs = scanner.readNumber()),
			durationMs: (scanner, line) => void (line.resultDurationMs = scanner.readNumber()),
			structuredContent: (scanner, line) => scanner.passValue(line.structured),
		},
		{
			agentId: (text, line) => void (line.resultAgentId = text),
			agentType: (text, line) => void (line.resultAgentType = text),
			status: (text, line) => void (line.resultStatus = text),
			backgroundTaskId: (_, line) => void (line.resultIsDetached = true),
		},
	);
}

const blockMembers = new MemberTable<Block>(
	{
		input: (scanner, block) => scanner.passValue(block.body),
		content: (scanner, block) => scanner.passValue(block.body),
		is_error: (scanner, block) => void (block.isError = scanner.readBoolean()),
		text: (scanner, block) => scanner.passValue(block.text),
	},
	{
		type: (text, block) => void (block.type = text),
		id: readBlockId,
		tool_use_id: readBlockId,
		name: (text, block) => void (block.name = text),
	},
);

const addInput: MemberReader<ClaudeCodeLine> = (scanner, line) =>
	void (line.inputTokens = Math.max(0, line.inputTokens) + Math.max(0, scanner.readNumber()));
const usageMembers = new MemberTable<ClaudeCodeLine>({
	// What the model was given: fresh, written to the cache and read from it.
	input_tokens: addInput,
	cache_creation_input_tokens: addInput,
	cache_read_input_tokens: addInput,
	output_tokens: (scanner, line) => void (line.outputTokens = Math.max(0, scanner.readNumber())),
});

const originMembers = new MemberTable<ClaudeCodeLine>(
	{},
	{
		kind: (text, line) => void (line.originKind = text),
		subkind: (text, line) => void (line.originSubkind = text),
	},
);

const mcpMetaMembers = new MemberTable<ClaudeCodeLine>({
	structuredContent: (scanner, line) => scanner.passValue(line.structured),
});

function readTitle(text: string, line: ClaudeCodeLine): void {
	line.title = text;
}

function readBlockId(text: string, block: Block, end: number): void {
	block.id = text;
	block.idEnd = end;
}

function isString(scanner: JsonScanner): boolean {
	return scanner.peek() === 0x22;
}

function noSpan(): Span {
	return { start: -1, end: -1 };
}

function newBlock(): Block {
	return {
		start: 0,
		end: 0,
		type: '',
		id: '',
		name: '',
		isError: false,
		body: noSpan(),
		text: noSpan(),
		idEnd: 0,
	};
}
