import { epochMilliseconds } from './fields.ts';
import { MemberTable } from '../base/jsonScanner.ts';
import type { JsonScanner, MemberReader, Span } from '../base/jsonScanner.ts';

/** One content block of a message. */
export interface Block extends Span {
	type: string;
	/** The tool use id of a call or of the result that answers it; '' otherwise. */
	id: string;
	name: string;
	/** The name of the call before: most calls of a session go to the same few tools. */
	nameHint: string;
	isError: boolean;
	/** The arguments of a call, the content of a result. */
	readonly body: Span;
	/** The text of a text block, with its quotes. */
	readonly text: Span;
	/** Where the id's value ends. */
	idEnd: number;
}

/**
 * What one line says, filled anew for each line by `claudeCodeLine`. Strings that repeat from line to line are remembered, so that a
 * repetition is recognised by its bytes.
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

	/** The same for most lines of a file; they keep their value. */
	cwd = '';
	version = '';
	entrypoint = '';

	private readonly wantsUsage: boolean;
	private previousUuid = '';
	private previousMessageId = '';
	private previousAgentId = '';
	private previousModel = '';
	private previousParentToolUseId = '';
	private previousName = '';

	/** @param wantsUsage Whether somebody will look at the token counts. */
	constructor(wantsUsage: boolean) {
		this.wantsUsage = wantsUsage;
	}

	reset(): void {
		if (this.uuid !== '') this.previousUuid = this.uuid;
		if (this.messageId !== '') this.previousMessageId = this.messageId;
		if (this.agentId !== '') this.previousAgentId = this.agentId;
		if (this.model !== '') this.previousModel = this.model;
		if (this.parentToolUseId !== '') this.previousParentToolUseId = this.parentToolUseId;
		this.type = this.subtype = this.uuid = this.agentId = this.originKind = this.title = this.parentToolUseId = '';
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
				false;
		this.durationMs = this.resultDurationMs = this.inputTokens = -1;
		this.outputTokens = this.blockCount = 0;
		this.text.start =
			this.content.start =
			this.attachment.start =
			this.compactMetadata.start =
			this.microcompactMetadata.start =
			this.data.start =
				-1;
	}

	static readonly members = new MemberTable<ClaudeCodeLine>({
		type: (scanner, line) => void (line.type = word(scanner, lineTypeWords)),
		subtype: (scanner, line) => void (line.subtype = scanner.readText()),
		uuid: (scanner, line) => void (line.uuid = scanner.readText()),
		parentUuid: (scanner, line) =>
			void (line.parentUuid = scanner.readString() ? scanner.stringLike(line.previousUuid) : null),
		timestamp: (scanner, line) =>
			void (line.at = scanner.readString()
				? epochMilliseconds(scanner.bytes, scanner.stringStart, scanner.stringEnd)
				: undefined),
		cwd: (scanner, line) => void (line.cwd = scanner.readText(line.cwd)),
		version: (scanner, line) => void (line.version = scanner.readText(line.version)),
		entrypoint: (scanner, line) => void (line.entrypoint = scanner.readText(line.entrypoint)),
		isSidechain: (scanner, line) => void (line.isSidechain = scanner.readBoolean()),
		agentId: (scanner, line) => void (line.agentId = scanner.readText(line.previousAgentId)),
		isMeta: (scanner, line) => void (line.isMeta = scanner.readBoolean()),
		isCompactSummary: (scanner, line) => void (line.isCompactSummary = scanner.readBoolean()),
		isApiErrorMessage: (scanner, line) => void (line.isApiError = scanner.readBoolean()),
		isVisibleInTranscriptOnly: (scanner, line) => void (line.isTranscriptOnly = scanner.readBoolean()),
		toolDenialKind: (scanner, line) => void (line.denial = scanner.readText()),
		durationMs: (scanner, line) => void (line.durationMs = scanner.readNumber()),
		parentToolUseID: (scanner, line) =>
			void (line.parentToolUseId = scanner.readText(line.previousParentToolUseId)),
		aiTitle: readTitle,
		customTitle: readTitle,
		title: readTitle,
		summary: readTitle,
		message: (scanner, line) => void scanner.readObject(ClaudeCodeLine.messageMembers, line),
		toolUseResult: (scanner, line) => void scanner.readObject(ClaudeCodeLine.resultMembers, line),
		origin: (scanner, line) => void scanner.readObject(originMembers, line),
		content: (scanner, line) => scanner.passValue(line.content),
		attachment: (scanner, line) => scanner.passValue(line.attachment),
		compactMetadata: (scanner, line) => scanner.passValue(line.compactMetadata),
		microcompactMetadata: (scanner, line) => scanner.passValue(line.microcompactMetadata),
		data: (scanner, line) => scanner.passValue(line.data),
	});

	private static readonly messageMembers = new MemberTable<ClaudeCodeLine>({
		id: (scanner, line) => void (line.messageId = scanner.readText(line.previousMessageId)),
		model: (scanner, line) => void (line.model = scanner.readText(line.previousModel)),
		stop_reason: (scanner, line) => void (line.stopReason = word(scanner, stopReasonWords)),
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
	});

	private static readonly readBlock: MemberReader<ClaudeCodeLine> = (scanner, line) => {
		scanner.peek();
		const block = (line.blocks[line.blockCount++] ??= newBlock());
		block.start = scanner.position;
		block.type = block.id = '';
		block.name = '';
		block.nameHint = line.previousName;
		block.isError = false;
		block.body.start = block.text.start = -1;
		scanner.readObject(blockMembers, block);
		block.end = scanner.position;
		if (block.name !== '') line.previousName = block.name;
	};

	private static readonly resultMembers = new MemberTable<ClaudeCodeLine>({
		agentId: (scanner, line) => void (line.resultAgentId = scanner.readText()),
		agentType: (scanner, line) => void (line.resultAgentType = scanner.readText()),
		status: (scanner, line) => void (line.resultStatus = scanner.readText()),
		isAsync(scanner, line) {
			if (scanner.readBoolean()) line.resultIsDetached = true;
		},
		backgroundTaskId(scanner, line) {
			if (scanner.readString()) line.resultIsDetached = true;
		},
		totalDurationMs: (scanner, line) => void (line.resultDurationMs = scanner.readNumber()),
		durationMs: (scanner, line) => void (line.resultDurationMs = scanner.readNumber()),
	});
}

const blockMembers = new MemberTable<Block>({
	type: (scanner, block) => void (block.type = word(scanner, blockTypeWords)),
	id: readBlockId,
	tool_use_id: readBlockId,
	name: (scanner, block) => void (block.name = scanner.readText(block.nameHint)),
	input: (scanner, block) => scanner.passValue(block.body),
	content: (scanner, block) => scanner.passValue(block.body),
	is_error: (scanner, block) => void (block.isError = scanner.readBoolean()),
	text: (scanner, block) => scanner.passValue(block.text),
});

const addInput: MemberReader<ClaudeCodeLine> = (scanner, line) =>
	void (line.inputTokens = Math.max(0, line.inputTokens) + Math.max(0, scanner.readNumber()));
const usageMembers = new MemberTable<ClaudeCodeLine>({
	// What the model was given: fresh, written to the cache and read from it.
	input_tokens: addInput,
	cache_creation_input_tokens: addInput,
	cache_read_input_tokens: addInput,
	output_tokens: (scanner, line) => void (line.outputTokens = Math.max(0, scanner.readNumber())),
});

const originMembers = new MemberTable<ClaudeCodeLine>({
	kind: (scanner, line) => void (line.originKind = scanner.readText()),
});

const lineTypeWords = ['user', 'assistant', 'progress', 'attachment', 'system'];
const blockTypeWords = ['tool_result', 'tool_use', 'text', 'thinking'];
const stopReasonWords = ['tool_use', 'end_turn'];

function readTitle(scanner: JsonScanner, line: ClaudeCodeLine): void {
	line.title = scanner.readText();
}

function readBlockId(scanner: JsonScanner, block: Block): void {
	block.id = scanner.readText();
	block.idEnd = scanner.position;
}

/** Reads a string that is mostly one of a few words. */
function word(scanner: JsonScanner, words: readonly string[]): string {
	if (!scanner.readString()) return '';
	for (const candidate of words) {
		if (scanner.stringEquals(candidate)) return candidate;
	}
	return scanner.string();
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
		nameHint: '',
		isError: false,
		body: noSpan(),
		text: noSpan(),
		idEnd: 0,
	};
}
