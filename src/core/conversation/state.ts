import type { AgentId, SessionId, ToolUseId } from '../base/ids.ts';
import type {
	AgentOutcome,
	BodyRef,
	Entrypoint,
	MessageKind,
	PartKind,
	Source,
	SpawnEvidence,
	ToolUse,
} from '../events/sessionEvent.ts';
import { Chain } from './chain.ts';
import type { ChainNode } from './chain.ts';
import type {
	Agent,
	Compaction,
	Conversation,
	Damage,
	Duplicate,
	Liveness,
	Message,
	Place,
	Result,
	ToolCall,
} from './model.ts';

/** The model with the parts that folding needs and nobody else sees. */
export class ConversationState implements Conversation {
	readonly sessionId: SessionId;
	format = '';
	nativeId = '';
	title: string | undefined;
	titleRank = 0;
	cwd: string | undefined;
	agentVersion: string | undefined;
	entrypoint: Entrypoint = 'unknown';
	startedAt: number | undefined;
	lastEventAt: number | undefined;
	liveness: Liveness = {
		state: 'unknown',
		evidence: 'Nothing was found that tells whether the session still runs.',
		since: undefined,
	};
	readonly agents = new Map<AgentId, AgentState>();
	readonly damage: Damage[] = [];
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

	constructor(sessionId: SessionId) {
		this.sessionId = sessionId;
	}
}

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
	readonly strayResults = new Set<ResultState>();
	readonly compactions: Compaction[] = [];
	firstAt: number | undefined;
	lastAt: number | undefined;
	promptDigest: string | undefined;
	spawnCall: ToolCallState | undefined;
	readonly chain = new Chain<MessageState>();
	readonly messagesById = new Map<string, MessageState>();
	readonly callsById = new Map<ToolUseId, ToolCallState>();
	readonly strayById = new Map<ToolUseId, ResultState[]>();
	/** Calls that wait for a result from the client. */
	readonly openCalls = new Set<ToolCallState>();
	/** Calls of which more than one line or result is there: what they are depends on which of them are active. */
	readonly repeatedCalls = new Set<ToolCallState>();
	turn = 0;
	hasResponse = false;

	constructor(id: AgentId) {
		this.id = id;
	}

	get isHeadCut(): boolean {
		return this.chain.isHeadCut;
	}
}

export class MessageState implements Message {
	readonly id: string;
	readonly agent: AgentState;
	readonly role: Message['role'];
	readonly kind: MessageKind;
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
	/** The calls that this message answers. */
	answers: ToolCallState[] = noCalls;
	answeredCalls = 0;
	/** The first turn behind it, as the chain stood then. */
	later: { readonly version: number; readonly turn: MessageState | undefined } | undefined;
	/** The last of its lines. */
	lastNode: ChainNode<MessageState> | undefined;
	activeLines = 0;

	constructor(
		fields: Pick<
			Message,
			'id' | 'role' | 'kind' | 'at' | 'parts' | 'texts' | 'model' | 'stopReason' | 'tokens' | 'turn'
		> & { readonly agent: AgentState; readonly source: Source },
	) {
		this.id = fields.id;
		this.agent = fields.agent;
		this.role = fields.role;
		this.kind = fields.kind;
		this.at = fields.at;
		this.source = fields.source;
		this.parts = fields.parts;
		this.texts = fields.texts;
		this.model = fields.model;
		this.stopReason = fields.stopReason;
		this.tokens = fields.tokens;
		this.turn = fields.turn;
	}

	/** Made when somebody asks: a long session has a hundred thousand messages, and few are pointed at. */
	get place(): Place {
		return { source: this.source, range: undefined };
	}

	/** Takes in a further line of the same message. A file may have very many of them. */
	extend(parts: readonly PartKind[], text: BodyRef | undefined): void {
		this.own ??= { parts: [...this.parts], texts: [...this.texts] };
		this.own.parts.push(...parts);
		if (text !== undefined) this.own.texts.push(text);
		this.parts = this.own.parts;
		this.texts = this.own.texts;
	}

	get text(): BodyRef | undefined {
		return this.texts[0];
	}

	get isActive(): boolean {
		return this.activeLines > 0;
	}
}

export interface ResultState extends Result {
	readonly agent: AgentState;
	readonly message: MessageState | undefined;
	readonly chainId: string | undefined;
	readonly node: ChainNode<MessageState> | undefined;
}

export class ToolCallState implements ToolCall {
	readonly id: ToolUseId;
	readonly name: string;
	readonly server: string | undefined;
	readonly agent: AgentState;
	readonly message: MessageState;
	readonly answeredBy: ToolCall['answeredBy'];
	readonly place: Place;
	readonly arguments: BodyRef;
	readonly startedAt: number | undefined;
	readonly spawn: ToolUse['spawn'];
	readonly chainId: string | undefined;
	readonly node: ChainNode<MessageState> | undefined;
	result: ResultState | undefined;
	furtherResults: ResultState[] = noResults;
	duplicates: (Duplicate & { readonly node: ChainNode<MessageState> | undefined })[] = noDuplicates;
	spawnedAgentId: AgentId | undefined;
	isDetached = false;
	outcome: AgentOutcome | undefined;
	lastProgress: ToolCall['lastProgress'];
	compactedBy: Compaction | undefined;
	isResultCleared = false;

	constructor(
		fields: Pick<
			ToolCall,
			'id' | 'name' | 'server' | 'answeredBy' | 'place' | 'arguments' | 'startedAt' | 'spawn'
		> & {
			readonly agent: AgentState;
			readonly message: MessageState;
			readonly chainId: string | undefined;
			readonly node: ChainNode<MessageState> | undefined;
		},
	) {
		this.id = fields.id;
		this.name = fields.name;
		this.server = fields.server;
		this.agent = fields.agent;
		this.message = fields.message;
		this.answeredBy = fields.answeredBy;
		this.place = fields.place;
		this.arguments = fields.arguments;
		this.startedAt = fields.startedAt;
		this.spawn = fields.spawn;
		this.chainId = fields.chainId;
		this.node = fields.node;
	}
}

// Shared by the many calls that have none; replaced, never pushed to.
const noCalls: ToolCallState[] = [];
const noResults: ResultState[] = [];
const noDuplicates: (Duplicate & { readonly node: ChainNode<MessageState> | undefined })[] = [];
