import type { AgentId, SessionId, ToolUseId } from '../base/ids.ts';
import type {
	AgentOutcome,
	BodyRef,
	ChainLink,
	ColumnRange,
	Entrypoint,
	GivenArguments,
	MessageEvent,
	MessageKind,
	PartKind,
	PromptOrigin,
	ResultContent,
	Source,
	SpawnEvidence,
	ToolResult,
	ToolUse,
} from '../events/sessionEvent.ts';
import { Chain } from './chain.ts';
import type { HostCalls } from './hostCalls.ts';
import type { AgentReportState, SessionReportState } from './hookReports.ts';
import type { ChainNode } from './chain.ts';
import type {
	Agent,
	CallHold,
	BranchReturn,
	Compaction,
	Conversation,
	Damage,
	Duplicate,
	HookCall,
	HostCall,
	Liveness,
	Message,
	Place,
	Refusal,
	Result,
	ServerChange,
	ToolCall,
	ToolDescription,
} from './model.ts';

/** The model with the parts that folding needs and nobody else sees. */
export class ConversationState implements Conversation {
	readonly sessionId: SessionId;
	format = '';
	nativeId = '';
	/** Of the transcripts. */
	ownTitle: string | undefined;
	titleRank = 0;
	ownCwd: string | undefined;
	agentVersion: string | undefined;
	entrypoint: Entrypoint = 'unknown';
	startedAt: number | undefined;
	lastEventAt: number | undefined;
	processLiveness: Liveness = {
		state: 'unknown',
		evidence: 'Nothing was found that tells whether the session still runs.',
		since: undefined,
	};
	report: SessionReportState | undefined;
	readonly agents = new Map<AgentId, AgentState>();
	readonly damage: Damage[] = [];
	readonly tools = new Map<string, Map<string, ToolDescription>>();
	readonly unknownRecords = new Map<string, number>();
	readonly paths = new Set<string>();
	lastPath = '';
	revision = 0;
	/** Outcomes of tasks that may or may not turn out to be agents. */
	readonly outcomes = new Map<AgentId, NonNullable<Agent['ended']>>();
	/** Calls that start agents, by what they can be recognised by: the digest of their prompt, the name they give. */
	readonly spawnsByMark = new Map<string, ToolCallState[]>();
	/** Agents whose spawning call is not linked yet. */
	readonly unlinked = new Set<AgentState>();
	/** Made when the first event of a host comes. */
	host: HostCalls | undefined;

	constructor(sessionId: SessionId) {
		this.sessionId = sessionId;
	}

	get title(): string | undefined {
		return this.ownTitle ?? this.report?.prompt;
	}

	get cwd(): string | undefined {
		return this.ownCwd ?? this.report?.cwd;
	}

	get liveness(): Liveness {
		// A process is known by what its transcripts say; where there are none, what it says itself is all there is.
		if (this.format !== '' || this.report?.isEnded !== true) return this.processLiveness;
		const reason = this.report.ended?.reason;
		return {
			state: 'ended',
			evidence: `Its hook says that it has ended${reason === undefined ? '' : ` (${reason})`}.`,
			since: undefined,
		};
	}

	get serverChanges(): readonly ServerChange[] {
		return this.host?.changes ?? noChanges;
	}

	get troubledCalls(): ReadonlySet<HostCall> {
		return this.host?.troubled ?? noPassages;
	}

	get runningCalls(): ReadonlySet<HostCall> {
		return this.host?.running ?? noPassages;
	}
}

/** Of the prompt `Warmup`, as readers make it. Claude Code 2.0.x to 2.1.4 began agents with it, and ended them wherever they were. */
const warmUpDigest = 'r0pa791opzqpn6';

export class AgentState implements Agent {
	readonly id: AgentId;
	parentId: AgentId | null | undefined;
	spawnToolUseId: ToolUseId | undefined;
	spawnEvidence: SpawnEvidence | undefined;
	name: string | undefined;
	type: string | undefined;
	description: string | undefined;
	relation: Agent['relation'] = 'subagent';
	ended: Agent['ended'];
	path: string | undefined;
	hasTranscript = false;
	readonly messages: MessageState[] = [];
	readonly toolCalls: ToolCallState[] = [];
	readonly hostCalls: ToolCallState[] = [];
	report: AgentReportState | undefined;
	/** Somebody speaks of it who does not only say that it has made a call. */
	isKnown = false;
	readonly strayResults = new Set<ResultState>();
	readonly compactions: Compaction[] = [];
	/** Of nearly all agents there are none. */
	refusals: readonly RefusalState[] = noRefusals;
	readonly unmissed = new Map<ToolCall | Message, string>();
	firstAt: number | undefined;
	lastAt: number | undefined;
	promptDigest: string | undefined;
	spawnCall: ToolCallState | undefined;
	readonly chain = new Chain<MessageState>();
	/** Those whose id is not that of a line: the chain knows the others. */
	private readonly messagesById = new Map<string, MessageState>();
	/** The message of the line that came last. */
	lastMessage: MessageState | undefined;
	readonly callsById = new Map<ToolUseId, ToolCallState>();
	readonly strayById = new Map<ToolUseId, ResultState[]>();
	readonly openCalls = new OpenCalls();
	/** Calls of which more than one line or result is there: what they are depends on which of them are active. */
	readonly repeatedCalls = new Set<ToolCallState>();
	turn = 0;
	/** Nothing but the file's beginning was read as yet: no response, or the rest of one that was cut through. */
	isAtHead = true;
	readonly branchReturns: BranchReturn[] = [];
	/** The turn that was written last. */
	private lastTurn: MessageState | undefined;
	/** Turns that nothing has gone on from, and that were not the last when something else went on. */
	private readonly leftTurns = new Set<MessageState>();

	readonly sessionId: SessionId;

	constructor(id: AgentId, sessionId: SessionId) {
		this.id = id;
		this.sessionId = sessionId;
	}

	/** The message with this id: most often the one that came last. */
	message(id: string): MessageState | undefined {
		if (this.lastMessage?.id === id) return this.lastMessage;
		const known = this.messagesById.get(id);
		if (known !== undefined) return known;
		const member = this.chain.node(id)?.member;
		return member?.id === id ? member : undefined;
	}

	/** A message of which the line is the first. */
	addMessage(message: MessageState, chain: ChainLink | undefined): void {
		this.messages.push(message);
		this.lastMessage = message;
		// Half of all messages are a line of their own, and are called after it.
		if (chain?.id !== message.id) this.messagesById.set(message.id, message);
	}

	/** The call with this id: most often the one that came last. */
	call(id: ToolUseId): ToolCallState | undefined {
		const last = this.toolCalls.at(-1);
		return last?.id === id ? last : this.callsById.get(id);
	}

	/** Notes what a prompt or a response goes on from. */
	follow(message: MessageState): void {
		if (!isOfTurn(message)) return;
		const { lastTurn } = this;
		this.lastTurn = message;
		if (lastTurn === undefined) return;
		let node = message.lastNode?.parent;
		// A line that does not belong to a turn stands between two that do: results, most often.
		for (let steps = 0; node !== undefined && !isOfTurn(node.member) && steps < mostSteps; steps++)
			node = node.parent;
		const before = node?.member;
		if (before === lastTurn) return;
		if (this.leftTurns.size < mostLeft) this.leftTurns.add(lastTurn);
		if (before === undefined || !this.leftTurns.delete(before) || this.branchReturns.length >= mostLeft) return;
		this.branchReturns.push({ left: before, other: lastTurn, next: message });
	}

	get isWarmUp(): boolean {
		return this.promptDigest === warmUpDigest && this.spawnCall === undefined;
	}

	get isHeadCut(): boolean {
		return this.chain.isHeadCut;
	}

	/** The line that the block stands on. */
	nodeOf(block: ToolUse | ToolResult): ChainNode<MessageState> | undefined {
		return block.chainId === undefined ? this.chain.end : this.chain.node(block.chainId);
	}
}

export interface RefusalState extends Refusal {
	readonly message: MessageState;
}

const noRefusals: readonly RefusalState[] = [];

/** More parallel calls than that are not looked through for what they belong to. */
const mostSteps = 1_000;
/** Branches of one agent. A file may have been damaged into very many. */
const mostLeft = 10_000;

function isOfTurn(message: MessageState | undefined): boolean {
	const kind = message?.kind;
	return kind === 'prompt' || kind === 'response' || kind === 'notification';
}

/**
 * Calls that wait for an answer, in the order in which they were made. Nearly every call gets its answer at once: a set would hash each
 * of them twice for that.
 */
class OpenCalls {
	private calls: ToolCallState[] = [];
	size = 0;

	add(call: ToolCallState): void {
		call.isOpen = true;
		this.calls.push(call);
		this.size++;
	}

	delete(call: ToolCallState): void {
		if (!call.isOpen) return;
		call.isOpen = false;
		this.size--;
		while (this.calls.at(-1)?.isOpen === false) this.calls.pop();
		// Each sweep is paid for by as many deletions.
		if (this.calls.length > 2 * this.size + 16) this.calls = [...this];
	}

	*[Symbol.iterator](): Iterator<ToolCallState> {
		for (const call of this.calls) if (call.isOpen) yield call;
	}
}

export class MessageState implements Message {
	readonly id: string;
	readonly agent: AgentState;
	readonly role: Message['role'];
	readonly kind: MessageKind;
	readonly origin: PromptOrigin | undefined;
	readonly at: number | undefined;
	private readonly source: Source;
	parts: readonly PartKind[];
	texts: readonly BodyRef[];
	/** The lists above once they are this message's own; until then they may be shared with others. */
	private own: { readonly parts: PartKind[]; readonly texts: BodyRef[] } | undefined;
	toolCalls: ToolCallState[] = noCalls;
	model: string | undefined;
	stopReason: string | undefined;
	tokens: Message['tokens'];
	readonly turn: number;
	/** The calls that this message answers: mostly one, for which a list would be a waste. */
	private firstAnswered: ToolCallState | undefined;
	private furtherAnswered: readonly ToolCallState[] = noCalls;
	answeredCalls = 0;
	/** The first turn behind it, as the chain stood then. */
	later: { readonly version: number; readonly turn: MessageState | undefined } | undefined;
	/** The last of its lines. */
	lastNode: ChainNode<MessageState> | undefined;
	activeLines = 0;

	constructor(agent: AgentState, event: MessageEvent) {
		this.id = event.messageId;
		this.agent = agent;
		this.role = event.role;
		this.kind = event.kind;
		this.origin = event.origin;
		this.at = event.at;
		this.source = event.source;
		this.parts = event.parts;
		this.texts = event.text === undefined ? noTexts : [event.text];
		this.model = event.model;
		this.stopReason = event.stopReason;
		this.tokens = event.tokens;
		this.turn = agent.turn;
	}

	/** Made when somebody asks: a long session has a hundred thousand messages, and few are pointed at. */
	get place(): Place {
		return { source: this.source, range: undefined };
	}

	/** Takes in a further line of the same message. A file may have very many of them. */
	extend(parts: readonly PartKind[], text: BodyRef | undefined): void {
		if (this.own === undefined && this.parts.length < few) {
			this.parts = this.parts.concat(parts);
			if (text !== undefined) this.texts = this.texts.concat(text);
			return;
		}
		this.own ??= { parts: [...this.parts], texts: [...this.texts] };
		this.own.parts.push(...parts);
		if (text !== undefined) this.own.texts.push(text);
		this.parts = this.own.parts;
		this.texts = this.own.texts;
	}

	addToolCall(call: ToolCallState): void {
		if (this.toolCalls.length < few) this.toolCalls = this.toolCalls.concat(call);
		else this.toolCalls.push(call);
	}

	addAnswered(call: ToolCallState): void {
		if (this.firstAnswered === undefined) this.firstAnswered = call;
		else this.furtherAnswered = [...this.furtherAnswered, call];
	}

	get answered(): readonly ToolCallState[] {
		return this.firstAnswered === undefined ? noCalls : [this.firstAnswered, ...this.furtherAnswered];
	}

	get text(): BodyRef | undefined {
		return this.texts[0];
	}

	get isActive(): boolean {
		return this.activeLines > 0;
	}
}

/**
 * A block's place and its body, as numbers. The objects that they come in would be a quarter of what a long session keeps, to be moved
 * about by every sweep of the memory; they are made anew for the few that somebody looks at.
 */
class BlockState {
	readonly source: Source;
	private readonly column: number;
	private readonly endColumn: number;
	private readonly bodyOffset: number;
	private readonly bodyLength: number;
	private readonly bodyPreview: string;

	constructor(source: Source, range: ColumnRange, body: BodyRef) {
		this.source = source;
		this.column = range.column;
		this.endColumn = range.endColumn;
		this.bodyOffset = body.offset;
		this.bodyLength = body.length;
		this.bodyPreview = body.preview;
	}

	get place(): Place {
		return { source: this.source, range: { column: this.column, endColumn: this.endColumn } };
	}

	protected get bodyRef(): BodyRef {
		return { offset: this.bodyOffset, length: this.bodyLength, preview: this.bodyPreview };
	}
}

export class ResultState extends BlockState implements Result {
	readonly toolUseId: ToolUseId;
	readonly agent: AgentState;
	readonly at: number | undefined;
	readonly isError: boolean;
	readonly durationMs: number | undefined;
	readonly isPrecededByOther: boolean;
	readonly isInPlace: boolean;
	readonly isInterruption: boolean;
	readonly content: ResultContent | undefined;
	readonly errorText: string | undefined;
	readonly denial: string | undefined;
	readonly message: MessageState | undefined;
	readonly isAtHead: boolean;
	readonly chainId: string | undefined;
	readonly node: ChainNode<MessageState> | undefined;

	constructor(agent: AgentState, event: ToolResult) {
		super(event.source, event.range, event.body);
		this.toolUseId = event.toolUseId;
		this.agent = agent;
		this.at = event.at;
		this.isError = event.isError;
		this.durationMs = event.durationMs;
		this.isPrecededByOther = event.isPrecededByOther;
		this.isInPlace = event.isInPlace;
		this.isInterruption = event.isInterruption;
		this.content = event.content;
		this.errorText = event.errorText;
		this.denial = event.denial;
		this.message = agent.message(event.messageId);
		this.isAtHead = agent.isAtHead;
		this.chainId = event.chainId;
		this.node = agent.nodeOf(event);
	}

	get body(): BodyRef {
		return this.bodyRef;
	}
}

export class ToolCallState extends BlockState implements ToolCall {
	readonly id: ToolUseId;
	readonly name: string;
	readonly server: string | undefined;
	readonly agent: AgentState;
	readonly message: MessageState;
	readonly answeredBy: ToolCall['answeredBy'];
	readonly given: GivenArguments | undefined;
	readonly startedAt: number | undefined;
	readonly spawn: ToolUse['spawn'];
	readonly chainId: string | undefined;
	readonly node: ChainNode<MessageState> | undefined;
	/** Whether it waits for a result from the client. */
	isOpen = false;
	result: ResultState | undefined;
	furtherResults: ResultState[] = noResults;
	duplicates: (Duplicate & { readonly node: ChainNode<MessageState> | undefined })[] = noDuplicates;
	spawnedAgentId: AgentId | undefined;
	isDetached = false;
	outcome: AgentOutcome | undefined;
	lastProgress: ToolCall['lastProgress'];
	compactedBy: Compaction | undefined;
	isResultCleared = false;
	hostCalls: readonly HostCall[] = noHostCalls;
	hookCall: HookCall | undefined;
	holds: readonly CallHold[] = noHolds;
	isSeenByHostAlone = false;

	constructor(message: MessageState, event: ToolUse) {
		super(event.source, event.range, event.arguments);
		const { agent } = message;
		this.id = event.toolUseId;
		this.name = event.name;
		this.server = event.server;
		this.agent = agent;
		this.message = message;
		this.answeredBy = event.answeredBy;
		this.given = event.given;
		this.startedAt = event.at;
		this.spawn = event.spawn;
		this.chainId = event.chainId;
		this.node = agent.nodeOf(event);
	}

	get arguments(): BodyRef {
		return this.bodyRef;
	}
}

/** An array that is pushed to keeps room for sixteen more, so what mostly stays short is copied instead. */
const few = 16;

// Shared by the many that have none; replaced, never pushed to.
const noCalls: ToolCallState[] = [];
const noTexts: readonly BodyRef[] = [];
const noResults: ResultState[] = [];
const noHostCalls: readonly HostCall[] = [];
const noHolds: readonly CallHold[] = [];
const noChanges: readonly ServerChange[] = [];
const noPassages: ReadonlySet<HostCall> = new Set();
const noDuplicates: (Duplicate & { readonly node: ChainNode<MessageState> | undefined })[] = [];
