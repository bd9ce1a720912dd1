import type { AgentId, SessionId, ToolUseId } from '../base/ids.ts';
import type {
	AgentOutcome,
	BodyRef,
	CallEnding,
	CallHeld,
	CallReleased,
	FaultInjected,
	ColumnRange,
	DamageKind,
	Entrypoint,
	GivenArguments,
	MessageKind,
	PartKind,
	PromptOrigin,
	Reconnect,
	ResultContent,
	ScopeDecision,
	Source,
	SpawnEvidence,
	ToolUse,
	UpstreamStateChanged,
} from '../events/sessionEvent.ts';

/**
 * The model a person thinks in, folded from events. Everything in it can be computed again from the events, and every item knows
 * where it is written. Readers see it read-only; only `fold.ts` and `chain.ts` change it.
 */
export interface Conversation {
	readonly sessionId: SessionId;
	readonly format: string;
	readonly nativeId: string;
	readonly title: string | undefined;
	readonly cwd: string | undefined;
	readonly agentVersion: string | undefined;
	readonly entrypoint: Entrypoint;
	/** Epoch milliseconds of the first and the last event that has a time. */
	readonly startedAt: number | undefined;
	readonly lastEventAt: number | undefined;
	readonly liveness: Liveness;
	readonly agents: ReadonlyMap<AgentId, Agent>;
	readonly damage: readonly Damage[];
	/** What servers say of their tools, by server and tool: see `toolOf`. */
	readonly tools: ReadonlyMap<string, ReadonlyMap<string, ToolDescription>>;
	/** Records of types that this build does not interpret, by native type. */
	readonly unknownRecords: ReadonlyMap<string, number>;
	/** The transcript files that were read for it. */
	readonly paths: ReadonlySet<string>;
	/** What a host has told of the connections to servers, in the order of time. */
	readonly serverChanges: readonly ServerChange[];
	/** Calls that a host has passed on and that did not simply complete at the first attempt, or that passed it more than once; in no order. */
	readonly troubledCalls: ReadonlySet<HostCall>;
	/** Calls that were handed to a server and have not ended, as far as hosts have told. */
	readonly runningCalls: ReadonlySet<HostCall>;
	/** What the agent's hooks have told of the session; `undefined`: nothing. */
	readonly report: SessionReport | undefined;
	/** Counts up with every fold that changed something. */
	readonly revision: number;
}

/** What hooks tell of a session. Times are epoch milliseconds. */
export interface SessionReport {
	readonly startedAt: number | undefined;
	readonly ended: { readonly at: number; readonly reason: string | undefined } | undefined;
	/** It was told to have ended, and of nothing after that. */
	readonly isEnded: boolean;
	/** Where the agent writes, or will write. */
	readonly transcriptPath: string | undefined;
}

/** What the hooks of an agent tell of it beside its calls. */
export interface AgentReport {
	readonly startedAt: number | undefined;
	/** The end of its turn, or of a subagent; it may be woken again. */
	readonly stopped:
		| {
				readonly at: number;
				readonly isFailure: boolean;
				/** Its first characters. */ readonly lastMessage: string | undefined;
		  }
		| undefined;
	/** It was told to have stopped, and of nothing after that. */
	readonly hasStopped: boolean;
	/** Of a subagent: where it writes. */
	readonly transcriptPath: string | undefined;
	/** A compaction is going on. */
	readonly compactingSince: number | undefined;
	/** The last that the client has told the person of, on its behalf. */
	readonly notification: { readonly at: number; readonly words: string } | undefined;
	readonly lastAt: number | undefined;
}

export interface Liveness {
	readonly state: 'live' | 'ended' | 'unknown';
	/** A sentence: how this is known. */
	readonly evidence: string;
	/** When the process that is alive began. */
	readonly since: number | undefined;
}

/** What an MCP server said last of one of its tools. */
export interface ToolDescription {
	readonly server: string;
	readonly name: string;
	/** The server's words, cut off after 4,096 characters. */
	readonly description: string | undefined;
	/** JSON Schema of the arguments, as JSON text; `undefined` where there is none that is known. */
	readonly inputSchema: string | undefined;
}

/** A block in a transcript, or the line when the item is no block. */
export interface Place {
	readonly source: Source;
	readonly range: ColumnRange | undefined;
}

export interface Agent {
	readonly id: AgentId;
	/** `null`: the main agent, which nobody spawned. `undefined`: not known. */
	readonly parentId: AgentId | null | undefined;
	/** As a source names it; `spawnCall` is the call itself once it was read, found by prompt where nothing names it. */
	readonly spawnToolUseId: ToolUseId | undefined;
	readonly spawnCall: ToolCall | undefined;
	readonly spawnEvidence: SpawnEvidence | undefined;
	readonly name: string | undefined;
	readonly type: string | undefined;
	readonly description: string | undefined;
	readonly relation: 'subagent' | 'fork' | 'teammate' | 'workflow';
	/** Begun by the client for itself, to warm a cache: nobody asked for it, and nobody waits for its calls. */
	readonly isWarmUp: boolean;
	/** How it ended, as far as that is known; `undefined` while it runs or when nothing tells. */
	readonly ended:
		| { readonly outcome: AgentOutcome; readonly evidence: string; readonly at: number | undefined }
		| undefined;
	/** The transcript of its own, or the one it is written in. */
	readonly path: string | undefined;
	/** Whether any line of it was read; false for an agent that is only spoken of. */
	readonly hasTranscript: boolean;
	/** In file order of their first line. */
	readonly messages: readonly Message[];
	readonly toolCalls: readonly ToolCall[];
	/** Calls that a host has seen and no transcript tells of, in the order of time. Rules of pairing do not look at them. */
	readonly hostCalls: readonly ToolCall[];
	/** Results whose call is nowhere in this agent's transcript. */
	readonly strayResults: ReadonlySet<Result>;
	readonly compactions: readonly Compaction[];
	/** In file order; of one that is refused again and again the first hundred. */
	readonly refusals: readonly Refusal[];
	/** Why nobody misses an answer: to the call, where the session ends with it, or to those that the interrupt has cut off. Sentences. */
	readonly unmissed: ReadonlyMap<ToolCall | Message, string>;
	/** What its hooks have told of it; `undefined`: nothing. */
	readonly report: AgentReport | undefined;
	readonly firstAt: number | undefined;
	readonly lastAt: number | undefined;
	/** Whether the transcript begins in the middle: its first line has a parent that is not there. */
	readonly isHeadCut: boolean;
	/** In the order in which they were written; nearly always none. */
	readonly branchReturns: readonly BranchReturn[];
}

/** The provider has refused a request for what it held. */
export interface Refusal {
	readonly message: Message;
	/** In the words that the client shows, cut off after 2,000 characters. */
	readonly words: string;
}

/** A turn that went on from the end of one branch after another branch had been written to. Whoever rewinds leaves a branch for good. */
export interface BranchReturn {
	/** The end of the branch until then. */
	readonly left: Message;
	/** What was written last before the return, on the other branch. */
	readonly other: Message;
	/** What goes on from there. */
	readonly next: Message;
}

/** One message as the provider counts them: all lines with the same message id. */
export interface Message {
	readonly id: string;
	readonly agent: Agent;
	readonly role: 'user' | 'assistant' | 'system';
	readonly kind: MessageKind;
	/** Of a prompt: where its words came from, as far as the source tells. */
	readonly origin: PromptOrigin | undefined;
	readonly at: number | undefined;
	/** The first line. */
	readonly place: Place;
	readonly parts: readonly PartKind[];
	/** The first text. */
	readonly text: BodyRef | undefined;
	/** All texts, one a line at most. */
	readonly texts: readonly BodyRef[];
	readonly toolCalls: readonly ToolCall[];
	/** How many of its calls the client has answered. */
	readonly answeredCalls: number;
	readonly model: string | undefined;
	readonly stopReason: string | undefined;
	readonly tokens: { readonly input: number; readonly output: number } | undefined;
	/** Counts prompts: messages with the same number are one turn. */
	readonly turn: number;
	/** Whether it is part of the conversation as it stands, as against a branch that was left or what a compaction replaced. */
	readonly isActive: boolean;
}

export interface ToolCall {
	readonly id: ToolUseId;
	/** The tool's own name. */
	readonly name: string;
	readonly server: string | undefined;
	readonly agent: Agent;
	readonly message: Message;
	readonly answeredBy: 'client' | 'provider';
	readonly place: Place;
	readonly arguments: BodyRef;
	/** Of a call to an MCP server's tool: where its arguments stand, and what they say. */
	readonly given: GivenArguments | undefined;
	readonly startedAt: number | undefined;
	/** The result that counts: the first. */
	readonly result: Result | undefined;
	/** Further results for the same id, in file order. */
	readonly furtherResults: readonly Result[];
	/** Further lines that bear the same call: copies that a resume wrote, or a true duplicate. */
	readonly duplicates: readonly Duplicate[];
	readonly spawn: ToolUse['spawn'];
	/** The agent that this call started, when known. */
	readonly spawnedAgentId: AgentId | undefined;
	/** The result is only an acknowledgement: the work went on in the background. */
	readonly isDetached: boolean;
	/** What became of a detached call. */
	readonly outcome: AgentOutcome | undefined;
	readonly lastProgress: { readonly phase: string; readonly at: number | undefined } | undefined;
	/** The compaction that was written while this call was out. */
	readonly compactedBy: Compaction | undefined;
	/** The model no longer sees the result (microcompaction). */
	readonly isResultCleared: boolean;
	/** What hosts have seen of it: mostly one passage, more when it was made again. What they say beside the transcript stands beside it. */
	readonly hostCalls: readonly HostCall[];
	/** What the agent's own hooks have told of it. */
	readonly hookCall: HookCall | undefined;
	/** What a debugger has done with it, in the order of time. */
	readonly holds: readonly CallHold[];
	/** No transcript tells of it: place, arguments and result are the host's, or its hooks'. */
	readonly isSeenByHostAlone: boolean;
}

/** A debugger has stopped a call, before it was made or with its result. */
export interface CallHold {
	readonly stopId: string;
	readonly place: Place;
	/** `undefined`: of the beginning nothing is known. */
	readonly held:
		| (Pick<CallHeld, 'point' | 'heldBy' | 'cause' | 'ruleId' | 'reason'> & { readonly at: number | undefined })
		| undefined;
	/** `undefined`: it is held, or its host has ended before it was let go. */
	readonly released:
		| (Pick<CallReleased, 'how' | 'reason' | 'heldMs' | 'change'> & { readonly at: number | undefined })
		| undefined;
}

/** What an agent's hooks have told of one of its calls. */
export interface HookCall {
	readonly toolUseId: ToolUseId;
	readonly agentId: AgentId | undefined;
	readonly agentType: string | undefined;
	/** The tool's own name. */
	readonly tool: string | undefined;
	/** The MCP server, when the tool is one's, as the agent calls it. */
	readonly server: string | undefined;
	readonly startedAt: number | undefined;
	/** Before it was made. */
	readonly began: HookLook | undefined;
	/** A person was asked whether it may be made. */
	readonly asked: HookLook | undefined;
	readonly ended:
		| (HookLook & {
				/** `over`: it has ended with the other calls of its message, and nothing tells how. */
				readonly how: 'completed' | 'failed' | 'interrupted' | 'denied' | 'over';
				readonly durationMs: number | undefined;
				/** A sentence of the agent's. */
				readonly reason: string | undefined;
				readonly response: BodyRef | undefined;
		  })
		| undefined;
}

export interface HookLook {
	readonly at: number | undefined;
	readonly place: Place;
	/** The arguments, as they were then. */
	readonly content: BodyRef | undefined;
	readonly given: GivenArguments | undefined;
}

/** One passage of a call through a host. */
export interface HostCall {
	readonly callId: string;
	readonly server: string;
	/** As its server calls it. */
	readonly tool: string | undefined;
	/** The call that this is a passage of; `undefined` while that is not settled. */
	readonly call: ToolCall | undefined;
	readonly toolUseId: ToolUseId | undefined;
	/** Who made it, as the host knows it. */
	readonly agentId: AgentId | undefined;
	readonly startedAt: number | undefined;
	/** Where it is recorded. */
	readonly place: Place;
	/** Why it waited, sentences. */
	readonly queued: readonly string[];
	/** What was made to go wrong with it on purpose. */
	readonly faults: readonly {
		readonly kind: FaultInjected['kind'];
		readonly description: string;
		readonly place: Place;
	}[];
	/** How often it was sent to its server. */
	readonly attempts: number;
	/** What its arguments said, as the agent sent them. */
	readonly given: GivenArguments | undefined;
	/** What was decided where it left out where its tool is to look. */
	readonly scopeDecisions: readonly Pick<ScopeDecision, 'policy' | 'outcome' | 'reason' | 'parameters'>[];
	/** The connections that it was sent over. */
	readonly upstreamIds: readonly string[];
	/** Whether running it twice does no harm, as its server says; `undefined`: nobody has asked it. */
	readonly isRepeatable: boolean | undefined;
	/** When its server said something of it last, progress most often. */
	readonly heardAt: number | undefined;
	/** Its server has asked something back for it: somebody may have to answer. */
	readonly hasAskedBack: boolean;
	/** Each time that it was handed to its server, in the order of time. */
	readonly sends: readonly Sending[];
	/** `undefined`: it runs, or its host has ended before it. */
	readonly ended:
		| {
				readonly ending: CallEnding;
				readonly durationMs: number;
				/** A sentence, when it did not complete. */
				readonly reason: string | undefined;
				readonly at: number | undefined;
				readonly place: Place;
		  }
		| undefined;
}

/** A call was handed to its server. */
export interface Sending {
	readonly upstreamId: string;
	readonly attempt: number;
	readonly at: number | undefined;
	readonly place: Place;
}

/** A connection to a server was made, lost, or made anew. */
export interface ServerChange {
	readonly server: string;
	readonly upstreamId: string;
	readonly at: number | undefined;
	readonly place: Place;
	readonly change: UpstreamStateChanged | Reconnect;
}

export interface Result {
	readonly toolUseId: ToolUseId;
	readonly agent: Agent;
	readonly place: Place;
	readonly at: number | undefined;
	readonly isError: boolean;
	readonly body: BodyRef;
	readonly durationMs: number | undefined;
	readonly isPrecededByOther: boolean;
	readonly isInPlace: boolean;
	readonly isInterruption: boolean;
	/** Of a call to an MCP server's tool: what can be told of it without understanding it. */
	readonly content: ResultContent | undefined;
	/** Of a failed one: how its text begins. */
	readonly errorText: string | undefined;
	readonly denial: string | undefined;
	readonly message: Message | undefined;
	/** Nothing but the file's beginning stands before it: its call may have been cut off. */
	readonly isAtHead: boolean;
}

export interface Duplicate {
	readonly place: Place;
	readonly message: Message;
	/** Whether it is a line of its own rather than a copy of the same line. */
	readonly isDistinct: boolean;
}

export interface Compaction {
	readonly agent: Agent;
	readonly place: Place;
	readonly at: number | undefined;
	readonly trigger: 'auto' | 'manual' | 'unknown';
	readonly tokensBefore: number | undefined;
	readonly tokensAfter: number | undefined;
	/** Number of the turn in which it came. */
	readonly turn: number;
}

export interface Damage {
	readonly place: Place;
	readonly agent: Agent | undefined;
	readonly kind: DamageKind;
	readonly message: string;
	readonly isAtEnd: boolean;
}

/** `outcome-unknown`: the host has lost the server while the call ran. */
export type OrphanCause = 'killed' | 'lost-to-compaction' | 'interrupted' | 'head-cut' | 'outcome-unknown' | 'unknown';

/**
 * What has become of a call. `pending`: unanswered, and nothing shows that no answer can come; `isCertain` tells whether something
 * shows that it still runs. `orphaned`: unanswered for ever, and missed. `abandoned`: unanswered, and nobody misses the answer: that
 * is no fault, and no rule speaks of it; but for that it would be what `as` says.
 */
export type CallState =
	| { readonly state: 'completed' | 'failed' }
	| {
			readonly state: 'pending';
			readonly isCertain: boolean;
			/** Sentences: who says that it still runs, or why nobody can. */
			readonly evidence: string;
			/** Its host or its agent's hook says that it has ended: only its result is not there yet. */
			readonly hasEnded?: boolean | undefined;
			/** Epoch milliseconds since when it waits for a person to allow it. */
			readonly waitsForPersonSince?: number | undefined;
	  }
	| { readonly state: 'orphaned'; readonly cause: OrphanCause; readonly evidence: string }
	| {
			readonly state: 'abandoned';
			readonly as: 'pending' | 'orphaned';
			readonly cause?: OrphanCause | undefined;
			readonly evidence: string;
	  };
