import type { AgentId, SessionId, ToolUseId } from '../base/ids.ts';

/**
 * Everything that happened, as one kind of record: the only thing that moves between producers (transcript readers, the host,
 * hooks, the store) and the conversation. Events are facts: appended, never edited. A producer reports what its own source says and
 * infers nothing from another source; joining is the conversation's work.
 */
export type SessionEvent =
	| SessionStarted
	| SessionTitled
	| SessionLiveness
	| AgentSpawned
	| AgentEnded
	| MessageEvent
	| TurnEnded
	| Branch
	| CompactionEvent
	| ResultsCleared
	| ToolUse
	| ToolResult
	| ToolProgress
	| ToolDetached
	| ToolOutcome
	| ToolDescribed
	| WireMessage
	| CallQueued
	| CallSent
	| CallEnded
	| ScopeDecision
	| FaultInjected
	| CallHeld
	| CallReleased
	| UpstreamStateChanged
	| Reconnect
	| HookEvent
	| UnknownRecord
	| DamagedLine;

/** The version of the format in which events are stored. Older ones are lifted by `upgrades.ts`, newer ones refused. */
export const FORMAT_VERSION = 1;

interface Envelope {
	readonly version: typeof FORMAT_VERSION;
	/** Order within its log, dense, given by whoever appends. Never a time. */
	readonly seq: number;
	/** Epoch milliseconds; absent where the source has none. Times of one log need not be monotonic. */
	readonly at?: number | undefined;
	readonly sessionId: SessionId;
	readonly agent: AgentRef;
	readonly source: Source;
}

/** Who acted. Never filled in by default: where the source does not say, the reason stands in the id's place. */
export type AgentRef = { readonly id: AgentId } | { readonly unknown: string };

/** Where it is written. */
export type Source =
	| TranscriptSource
	| { readonly kind: 'process'; readonly pid?: number | undefined }
	| {
			readonly kind: 'wire';
			readonly connectionId: string;
			readonly direction: 'in' | 'out';
			readonly rpcId?: string | number | undefined;
	  }
	| { readonly kind: 'hook'; readonly event: string }
	| { readonly kind: 'store'; readonly generation: number };

export interface TranscriptSource {
	readonly kind: 'transcript';
	readonly path: string;
	/** 1-based. */
	readonly line: number;
	/** Bytes from the start of the file to the start of the line. */
	readonly offset: number;
	/** Bytes of the line without its line end. */
	readonly length: number;
}

/** A body is a reference: it is read when someone looks, so that a session folds in memory that grows with its calls. */
export interface BodyRef {
	/** Bytes from the start of the source's file to the start of the JSON value. */
	readonly offset: number;
	/** Bytes of the JSON value. */
	readonly length: number;
	/** The first characters of the value, on one line. */
	readonly preview: string;
}

/** Columns of a block within its line: 1-based, in UTF-16 units as editors count, the end exclusive. */
export interface ColumnRange {
	readonly column: number;
	readonly endColumn: number;
}

/** The position of a line in a transcript that is a tree of lines. Absent in formats whose lines simply follow each other. */
export interface ChainLink {
	readonly id: string;
	/** `null` at a root. */
	readonly parentId: string | null;
}

export type Entrypoint = 'interactive' | 'headless' | 'scheduled' | 'unknown';

export interface SessionStarted extends Envelope {
	readonly type: 'session-started';
	readonly format: string;
	readonly nativeId: string;
	readonly cwd?: string | undefined;
	readonly agentVersion?: string | undefined;
	readonly entrypoint: Entrypoint;
}

export interface SessionTitled extends Envelope {
	readonly type: 'session-titled';
	readonly title: string;
	/** A title that a person chose outranks one that a model wrote, and that one the first prompt. */
	readonly by: 'person' | 'model' | 'prompt';
}

export interface SessionLiveness extends Envelope {
	readonly type: 'session-liveness';
	readonly state: 'live' | 'ended' | 'unknown';
	/** A sentence: how this is known. */
	readonly evidence: string;
	/** When the process that is alive began, epoch milliseconds: what an earlier process left unanswered stays so. */
	readonly since?: number | undefined;
}

export type SpawnEvidence = 'sidecar' | 'result' | 'header' | 'progress' | 'hook' | 'prompt' | 'guess';

export interface AgentSpawned extends Envelope {
	readonly type: 'agent-spawned';
	readonly agentId: AgentId;
	/** Absent: not known from this source. */
	readonly parentId?: AgentId | undefined;
	/** The call in the parent that started it. */
	readonly toolUseId?: ToolUseId | undefined;
	readonly name?: string | undefined;
	readonly agentType?: string | undefined;
	readonly description?: string | undefined;
	readonly depth?: number | undefined;
	readonly evidence: SpawnEvidence;
	/** Digest of the first prompt, to find the spawning call by when nothing better is known. */
	readonly promptDigest?: string | undefined;
	/** What kind of agent this is: an ordinary subagent, a copy of its parent, a team mate, a step of a workflow. */
	readonly relation?: 'subagent' | 'fork' | 'teammate' | 'workflow' | undefined;
}

export type AgentOutcome = 'completed' | 'failed' | 'killed' | 'ended';

export interface AgentEnded extends Envelope {
	readonly type: 'agent-ended';
	readonly agentId: AgentId;
	readonly outcome: AgentOutcome;
	/** A sentence: how this is known. */
	readonly evidence: string;
}

/**
 * What a message is to the request that the provider will see.
 * `prompt`, `response` and `notification` make a turn; `results` answers calls; `summary` replaces what was compacted;
 * `interrupt` is the client's own mark that a person stopped the turn; `meta` is sent but is nobody's turn;
 * `local` (an error shown to the user, a synthetic reply) is never sent.
 */
export type MessageKind =
	| 'prompt'
	| 'response'
	| 'notification'
	| 'results'
	| 'summary'
	| 'interrupt'
	| 'meta'
	| 'local';

export type PartKind =
	| 'text'
	| 'thinking'
	| 'tool-use'
	| 'tool-result'
	| 'image'
	| 'document'
	| 'server-tool-result'
	| 'other';

/**
 * Where the words of a prompt came from, as far as the source tells: `typed` by a person now, or earlier and `queued`; `scheduled` by a
 * timer; put in by a `hook`; sent by a `program` through the agent's own interface; `agent`: another agent; `system`: the client itself.
 */
export type PromptOrigin = 'typed' | 'queued' | 'scheduled' | 'hook' | 'program' | 'agent' | 'system';

/** One line's worth of a message. Several lines with the same message id are one message. */
export interface MessageEvent extends Envelope {
	readonly type: 'message';
	readonly messageId: string;
	readonly role: 'user' | 'assistant' | 'system';
	readonly kind: MessageKind;
	/** Of a prompt. */
	readonly origin?: PromptOrigin | undefined;
	readonly chain?: ChainLink | undefined;
	/** The conversation goes on without it, from an earlier message. */
	readonly isReverted?: true | undefined;
	readonly parts: readonly PartKind[];
	readonly text?: BodyRef | undefined;
	/** Of a `local` message: the provider has refused the request for what it held (HTTP status 400); the words, cut off after 2,000 characters. */
	readonly refusal?: string | undefined;
	/** Of an `interrupt`: why nobody misses an answer to the calls that it has cut off, sentences. Absent: they are missed. */
	readonly unmissed?: string | undefined;
	readonly model?: string | undefined;
	readonly stopReason?: string | undefined;
	readonly tokens?: { readonly input: number; readonly output: number } | undefined;
}

export interface TurnEnded extends Envelope {
	readonly type: 'turn-ended';
	readonly reason: 'completed' | 'interrupted';
	readonly durationMs?: number | undefined;
}

/** The conversation went back: the last `turns` prompts and all that followed them are no longer part of it. */
export interface Branch extends Envelope {
	readonly type: 'branch';
	readonly turns: number;
}

export interface CompactionEvent extends Envelope {
	readonly type: 'compaction';
	readonly chain?: ChainLink | undefined;
	readonly trigger: 'auto' | 'manual' | 'unknown';
	readonly tokensBefore?: number | undefined;
	readonly tokensAfter?: number | undefined;
	/** The stretch of lines, first to last, that follows the summary (the anchor) unchanged. */
	readonly preserved?: { readonly headId: string; readonly anchorId: string; readonly tailId: string } | undefined;
}

/** Results that the model no longer sees (microcompaction); they stay in the file. */
export interface ResultsCleared extends Envelope {
	readonly type: 'results-cleared';
	readonly toolUseIds: readonly ToolUseId[];
}

export interface ToolUse extends Envelope {
	readonly type: 'tool-use';
	readonly toolUseId: ToolUseId;
	/** The tool's own name, without the client's prefix for its server. */
	readonly name: string;
	/** The MCP server, when the tool is one's. */
	readonly server?: string | undefined;
	/** Who answers: `client` with a result in the next message, `provider` in place, inside the same response. */
	readonly answeredBy: 'client' | 'provider';
	readonly messageId: string;
	readonly chainId?: string | undefined;
	readonly range: ColumnRange;
	readonly arguments: BodyRef;
	/** Of a call to an MCP server's tool: where its arguments stand, and what they say. */
	readonly given?: GivenArguments | undefined;
	/** Present when the call starts an agent. */
	readonly spawn?:
		| {
				readonly description?: string | undefined;
				readonly agentType?: string | undefined;
				readonly name?: string | undefined;
				readonly promptDigest?: string | undefined;
		  }
		| undefined;
	/** Why nobody misses an answer where the session ends with the call, sentences. Absent: it is missed. */
	readonly unmissed?: string | undefined;
}

/** A member of a JSON object, or of an object within it. */
export interface GivenValue {
	/** Names with dots between them, `[]` behind that of an array: `context_id`, `filter.project`, `queries[].repo`. */
	readonly path: string;
	/** The value as JSON, cut off after 200 characters; of an array or object its beginning. */
	readonly value: string;
}

export interface GivenArguments {
	readonly range: ColumnRange;
	/** The first 64 members, three levels deep. */
	readonly values: readonly GivenValue[];
	/** There was more than that, or it could not be read: what is not among the values may have been given. */
	readonly isPartial: boolean;
}

/** What can be told of a result of an MCP server's tool without understanding it. */
export interface ResultContent {
	/** Entries of the one list that it holds: 0 for an empty one, or for no content at all. Absent where it is no list, or more than one. */
	readonly items?: number | undefined;
	/** Members of the object that it is, beside its lists: a scope is often echoed there. The first 32 scalars. */
	readonly values: readonly GivenValue[];
	/** What its lists name: members of their entries that are called like an id or a scope, `contexts[].context_id`. The first 32 values of up to 64 characters, each once. */
	readonly listed?: readonly GivenValue[] | undefined;
}

export interface ToolResult extends Envelope {
	readonly type: 'tool-result';
	readonly toolUseId: ToolUseId;
	readonly isError: boolean;
	readonly chainId?: string | undefined;
	/** The message that this block belongs to. */
	readonly messageId: string;
	readonly range: ColumnRange;
	readonly body: BodyRef;
	/** Milliseconds as measured by the agent, when it says so. */
	readonly durationMs?: number | undefined;
	/** Content of another kind stands before this block in its own message. */
	readonly isPrecededByOther: boolean;
	/** The provider's own answer, inside its response. */
	readonly isInPlace: boolean;
	/** Who refused the call, when it was refused. */
	readonly denial?: string | undefined;
	/** A person stopped the call. */
	readonly isInterruption: boolean;
	/** Of a call to an MCP server's tool, where its text is JSON or empty and at most 64 KB. */
	readonly content?: ResultContent | undefined;
	/** Of a call to an MCP server's tool that failed: how its text begins, at most 400 characters. */
	readonly errorText?: string | undefined;
}

/** The phase of a call that a hook of Claude Code has put off: the process ends, and whoever resumes the session has it made. */
export const deferredPhase = 'deferred';

export interface ToolProgress extends Envelope {
	readonly type: 'tool-progress';
	readonly toolUseId: ToolUseId;
	readonly phase: string;
}

/** The call went to the background: its result is only an acknowledgement. */
export interface ToolDetached extends Envelope {
	readonly type: 'tool-detached';
	readonly toolUseId: ToolUseId;
	readonly agentId?: AgentId | undefined;
}

/** What became of a detached call, told later and out of band. */
export interface ToolOutcome extends Envelope {
	readonly type: 'tool-outcome';
	readonly toolUseId?: ToolUseId | undefined;
	readonly agentId?: AgentId | undefined;
	readonly outcome: AgentOutcome;
}

/** What a server says of one of its tools. A later one of the same name replaces it. */
export interface ToolDescribed extends Envelope {
	readonly type: 'tool-described';
	readonly server: string;
	/** The tool's own name. */
	readonly tool: string;
	/** The server's words, cut off after 4,096 characters. */
	readonly description?: string | undefined;
	/** JSON Schema of the arguments, as JSON text. Absent: the server gave none, or one of more than 64 KB. */
	readonly inputSchema?: string | undefined;
	/** The server has taken the tool away. */
	readonly isRemoved?: boolean | undefined;
}

/** The part of it that outlives the session in which it was said. */
export type CataloguedTool = Pick<ToolDescribed, 'server' | 'tool' | 'description' | 'inputSchema'>;

/** One JSON-RPC message between an agent and the host. What passes between host and server says the same and is not recorded twice. */
export interface WireMessage extends Envelope {
	readonly type: 'wire-message';
	readonly kind: 'request' | 'response' | 'error' | 'notification';
	readonly server: string;
	/** Of a response: that of its request. */
	readonly method?: string | undefined;
	readonly tool?: string | undefined;
	readonly toolUseId?: ToolUseId | undefined;
	/** The host's id of the call that the message belongs to, when it belongs to one. */
	readonly callId?: string | undefined;
	/** The whole message. */
	readonly body: BodyRef;
	/** What a person looks for in it: the arguments of a call, the result or the error of an answer. Found when it is read, and not stored. */
	readonly content?: BodyRef | undefined;
	/** Of a request that calls a tool: what its arguments say, as with `ToolUse`. Likewise. */
	readonly given?: GivenArguments | undefined;
	/** Of the answer to one: what can be told of it, as with `ToolResult`. Likewise. */
	readonly answer?: Pick<ToolResult, 'content' | 'errorText'> | undefined;
}

/** A call waits for its server. */
export interface CallQueued extends Envelope {
	readonly type: 'call-queued';
	readonly callId: string;
	readonly server: string;
	/** A sentence. */
	readonly reason: string;
}

/** A call was handed to its server. */
export interface CallSent extends Envelope {
	readonly type: 'call-sent';
	readonly callId: string;
	readonly server: string;
	readonly tool?: string | undefined;
	readonly toolUseId?: ToolUseId | undefined;
	readonly upstreamId: string;
	/** The process behind the connection. */
	readonly pid?: number | undefined;
	/** 1 for the first time; more when a call that is safe to repeat was sent again. */
	readonly attempt: number;
	/** Whether running it twice does no harm, as its server says of the tool. Absent: nobody has asked the server. */
	readonly isRepeatable?: boolean | undefined;
}

/** How a call ended. `outcome-unknown`: it may have run, and nobody will ever hear of it. */
export type CallEnding = 'completed' | 'failed' | 'cancelled' | 'timed-out' | 'refused' | 'outcome-unknown';

export interface CallEnded extends Envelope {
	readonly type: 'call-ended';
	readonly callId: string;
	readonly server: string;
	readonly tool?: string | undefined;
	readonly toolUseId?: ToolUseId | undefined;
	readonly ending: CallEnding;
	readonly durationMs: number;
	/** A sentence, when it did not complete. */
	readonly reason?: string | undefined;
}

/** What the host did with a call that leaves out where its tool is to look, on a tool that somebody has set a policy for. */
export interface ScopeDecision extends Envelope {
	readonly type: 'scope-decision';
	readonly callId: string;
	readonly server: string;
	readonly tool: string;
	readonly toolUseId?: ToolUseId | undefined;
	readonly policy: 'report' | 'require' | 'fill';
	/** What the caller has declared itself to be. */
	readonly intent: Entrypoint;
	/** Those that were left out, as paths; `value` is the JSON that was put in. What the agent sent is in its own message. */
	readonly parameters: readonly { readonly path: string; readonly value?: string | undefined }[];
	/** `reported` and `inconclusive`: the call went through as it was. `refused`: it did not reach the server. */
	readonly outcome: 'reported' | 'refused' | 'filled' | 'inconclusive';
	/** A sentence. */
	readonly reason: string;
}

/** Something went wrong with a call because somebody wanted it to. */
export interface FaultInjected extends Envelope {
	readonly type: 'fault-injected';
	readonly callId: string;
	readonly server: string;
	readonly tool?: string | undefined;
	readonly toolUseId?: ToolUseId | undefined;
	/** The host's id of the fault that was armed. */
	readonly faultId: string;
	readonly kind: 'delay' | 'hang' | 'error' | 'drop' | 'kill' | 'tear' | 'evict' | 'twice';
	/** A sentence. */
	readonly description: string;
}

/** A debugger has stopped a call: before it was made, or with its result, before its agent saw that. */
export interface CallHeld extends Envelope {
	readonly type: 'call-held';
	/** Of this stop; `call-released` has the same. */
	readonly stopId: string;
	/** Absent at an agent's hook: the call has not reached the host, and one of a tool of the agent's own never does. */
	readonly callId?: string | undefined;
	/** Of an MCP tool. */
	readonly server?: string | undefined;
	/** The tool's own name. */
	readonly tool: string;
	readonly toolUseId?: ToolUseId | undefined;
	readonly point: 'before' | 'after';
	readonly heldBy: 'hook' | 'wire';
	readonly cause: 'breakpoint' | 'rule' | 'error' | 'pause' | 'step';
	readonly ruleId?: string | undefined;
	/** A sentence. */
	readonly reason: string;
}

/** A call that was held goes on, or has ended. */
export interface CallReleased extends Envelope {
	readonly type: 'call-released';
	readonly stopId: string;
	readonly callId?: string | undefined;
	readonly server?: string | undefined;
	readonly tool: string;
	readonly toolUseId?: ToolUseId | undefined;
	/** `given-up`: its agent did not want it any more. */
	readonly how:
		| 'continued'
		| 'arguments-edited'
		| 'result-edited'
		| 'answered'
		| 'repeated'
		| 'time-up'
		| 'debugger-gone'
		| 'given-up'
		| 'host-closing';
	/** A sentence. */
	readonly reason: string;
	readonly heldMs: number;
	/** JSON: the new arguments, or the new result; of a long one the beginning. */
	readonly change?: string | undefined;
}

/** A connection to an MCP server changed its state. */
export interface UpstreamStateChanged extends Envelope {
	readonly type: 'upstream-state';
	readonly server: string;
	readonly upstreamId: string;
	readonly state: 'connecting' | 'connected' | 'draining' | 'reconnecting' | 'failed' | 'stopped';
	readonly pid?: number | undefined;
	readonly exitCode?: number | undefined;
	readonly signal?: string | undefined;
	/** A sentence. */
	readonly reason?: string | undefined;
	readonly stderrTail?: string | undefined;
}

/**
 * Why a connection is made anew: its process or stream has ended by itself; it answered neither a call nor the question whether it lives;
 * somebody asked for it; the server no longer knew the session; or a single call has passed its limit, which is no good reason.
 */
export type ReconnectCause = 'exited' | 'unresponsive' | 'requested' | 'lost' | 'timed-out';

/** A connection was made anew: one, however many callers waited for it. */
export interface Reconnect extends Envelope {
	readonly type: 'reconnect';
	readonly server: string;
	readonly upstreamId: string;
	/** A sentence. */
	readonly reason: string;
	/** What it was made anew for. Absent: the producer does not say. */
	readonly cause?: ReconnectCause | undefined;
	/** Calls that waited when the new connection stood. */
	readonly callersWaiting: number;
	/** From the decision to reconnect until no call was running on the old connection. */
	readonly drainedMs: number;
	/** From the decision to the new connection. */
	readonly durationMs: number;
	readonly attempts: number;
	readonly isSuccessful: boolean;
}

/** An agent's own report through one of its hooks. */
export interface HookEvent extends Envelope {
	readonly type: 'hook';
	/** The agent's own name for it: `PreToolUse`. */
	readonly event: string;
	readonly toolUseId?: ToolUseId | undefined;
	readonly toolName?: string | undefined;
	readonly agentType?: string | undefined;
	/** The name of the tool's MCP server in the agent's configuration. */
	readonly mcpServer?: string | undefined;
	/** Of the tool itself. */
	readonly durationMs?: number | undefined;
	/** Why a call has failed; the first characters of it. */
	readonly error?: string | undefined;
	/** A person has broken the call off. */
	readonly isInterrupt?: boolean | undefined;
	/** The calls of one message, all of which have ended. */
	readonly batch?: readonly ToolUseId[] | undefined;
	/** The agent that the call has started. */
	readonly spawnedAgentId?: AgentId | undefined;
	/** Of the session; `agentTranscriptPath`: of a subagent. */
	readonly transcriptPath?: string | undefined;
	readonly agentTranscriptPath?: string | undefined;
	/** What has caused a compaction, a start or an end of a session. */
	readonly trigger?: string | undefined;
	/** All that the agent has sent. */
	readonly body: BodyRef;
	/** What a person looks for in it, found when it is read, and not stored: the arguments of a call, and what came of it. */
	readonly content?: BodyRef | undefined;
	readonly response?: BodyRef | undefined;
	/** Likewise, the first characters: a prompt, a notification, an agent's last message, the reason of a denial. */
	readonly words?: string | undefined;
	/** Likewise. */
	readonly cwd?: string | undefined;
	/** Of a call: what its arguments say, as with `ToolUse`; likewise. */
	readonly given?: GivenArguments | undefined;
}

/** A record that this build does not interpret. It is kept, and it keeps its place in the tree of lines. */
export interface UnknownRecord extends Envelope {
	readonly type: 'unknown';
	readonly nativeType: string;
	readonly chain?: ChainLink | undefined;
}

export type DamageKind =
	| 'invalid-line'
	| 'truncated-line'
	| 'spliced-line'
	| 'nul-bytes'
	| 'unsupported-version'
	| 'unreadable';

export interface DamagedLine extends Envelope {
	readonly type: 'damaged-line';
	readonly kind: DamageKind;
	/** A sentence without the place. */
	readonly message: string;
	/** The damage is at the very end of the file, where a writer may still be at work. */
	readonly isAtEnd: boolean;
}
