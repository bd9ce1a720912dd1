// Where calls pass a debugger. They come from two places: an agent's own hooks, for every tool it has, and the wire, for MCP tools. What
// was stopped or let through at one of them is not looked at again at the other, as long as both name the same tool use.

import type { AgentId, SessionId, ToolUseId } from '../../base/ids.ts';
import type { Disposable } from '../../base/lifecycle.ts';
import type {
	BreakpointStatus,
	DebugNotifications,
	DebugSettings,
	HeldCall,
	NamedAgent,
	Resumption,
} from '../../debug/debugControl.ts';

/** A call, as whoever could hold it knows it. It is asked for what costs something only when a debugger has reason to look. */
export interface GateCall {
	/** Who could hold it. */
	readonly heldBy: 'hook' | 'wire';
	readonly sessionId: SessionId | undefined;
	readonly agentId: AgentId | undefined;
	readonly agentType: string | undefined;
	readonly toolUseId: ToolUseId | undefined;
	/** The host's id of it; at a hook there is none yet. */
	readonly callId: string | undefined;
	/** The agent's connection, on the wire: two calls of one connection are of one agent as far as anybody knows. */
	readonly connectionId: string | undefined;
	/** The run of an agent that it has come with (`ConnectionIdentity.scopeSource`). */
	readonly source: string | undefined;
	/** Of an MCP tool: as the agent or the host calls its server. */
	readonly server: string | undefined;
	/** The tool's own name: `query`, `Bash`. */
	readonly tool: string;
	/** The agent's own name of it, where that is another: `mcp__analytics__query`. */
	readonly agentsName: string | undefined;
	/** JSON: an object, as far as it is a proper call. */
	readonly argumentsText: () => string;
	/** Epoch milliseconds up to which it can be held, now; `null`: as long as one likes. */
	readonly heldUntil: () => number | null;
	/** Whether its arguments (at `before`) or its result (at `after`) can be replaced, and whether it can be answered without being made. */
	readonly canEdit: boolean;
	readonly canAnswer: boolean;
	/** Of a call whose result can be replaced, but not by any: a sentence why not by this one; `undefined`: it can. */
	readonly resultProblem?: ((result: string) => string | undefined) | undefined;
	/** It can be made again from here, for `repeat`. Hooks cannot. */
	readonly canRepeat: boolean;
}

/** What a call has come to. */
export interface GateResult {
	/** JSON: of an MCP tool its `CallToolResult`, or `{"error": …}` where it has none; of another one what its hook says. */
	readonly text: () => string;
	readonly isError: boolean;
	/** There is no result, and nobody knows whether the call was carried out. */
	readonly isOutcomeUnknown?: boolean | undefined;
}

/** A held call. */
export interface Hold<Passage> {
	readonly stopId: string;
	/** For a list: `breakpoint "analytics/*"`. */
	readonly reason: string;
	/** Never rejects. Settles once, when a debugger lets it go, or is gone, or the time is up. */
	readonly passage: Promise<Passage>;
	/**
	 * Its agent has given it up, or whoever holds it cannot hold it any longer: the stop is over, and `passage` says `continue`, which
	 * nobody has to follow any more.
	 * @param reason A sentence.
	 */
	giveUp(reason: string): void;
}

/** How a call goes on from `before`. */
export type BeforePassage =
	| { readonly action: 'continue' }
	/** One JSON object, checked against the tool's schema as far as it is known. */
	| { readonly action: 'edit-arguments'; readonly arguments: string }
	/** Not made: this is its result. JSON, of an MCP tool always a `CallToolResult`. */
	| { readonly action: 'answer'; readonly result: string; readonly isError: boolean };

/** How a call goes on from `after`. */
export type AfterPassage =
	| { readonly action: 'continue' }
	/** JSON, of an MCP tool always a `CallToolResult`. */
	| { readonly action: 'edit-result'; readonly result: string }
	/** Make it again, and come back with the new result. */
	| { readonly action: 'repeat' };

/** What hooks, transcripts and connections tell of agents: steps and some rules rest on it. Facts may come twice and in any order. */
export type AgentFact =
	| {
			readonly kind: 'agent-started';
			readonly sessionId: SessionId;
			readonly agentId: AgentId;
			readonly agentType: string | undefined;
			/** Who has started it, and with which call; as far as that is known. */
			readonly parentId: AgentId | undefined;
			readonly spawnedBy: ToolUseId | undefined;
	  }
	| { readonly kind: 'agent-ended'; readonly sessionId: SessionId; readonly agentId: AgentId }
	/** An agent makes its conversation shorter, from now on, up to now. */
	| {
			readonly kind: 'compaction-began' | 'compaction-ended';
			readonly sessionId: SessionId;
			readonly agentId: AgentId;
	  }
	/** What has come with this source is of this session. */
	| { readonly kind: 'session-of-source'; readonly sessionId: SessionId; readonly source: string }
	/** The session begins, or goes on. */
	| { readonly kind: 'session-started'; readonly sessionId: SessionId }
	/** The session is over: nothing of it is remembered. */
	| { readonly kind: 'session-ended'; readonly sessionId: SessionId };

/** For whoever could hold calls. */
export interface DebugGate {
	/** Somebody is attached who could stop something. While this is `false`, `before` and `after` need not be asked at all. */
	readonly isActive: boolean;
	/** Before a call is made. `undefined`: it goes on at once. */
	before(call: GateCall): Hold<BeforePassage> | undefined;
	/** With what a call has come to, before its agent sees it. `undefined`: it goes on at once. */
	after(call: GateCall, result: GateResult): Hold<AfterPassage> | undefined;
	/** A call will have no result that its agent could see: it was cancelled, or denied. Not for one that has had its `after`. */
	gone(call: GateCall): void;
	tell(fact: AgentFact): void;
}

/** A debugger's side of the gate: one for each that is attached. */
export interface DebuggerConnection extends Disposable {
	readonly isReadOnly: boolean;
	/** A sentence: who has it, where it is read-only. */
	readonly reason: string | undefined;
	/** Those that throw do so with an `ExpectedError`. */
	set(settings: DebugSettings): readonly BreakpointStatus[];
	/** What people call agents. */
	name(agents: readonly NamedAgent[]): void;
	held(): readonly HeldCall[];
	/** Whether it could go on with this, in place of its arguments or its result. */
	check(stopId: string, value: string): void;
	resume(stopId: string, how: Resumption): void;
	pause(sessionId: SessionId | null, agentId: AgentId | null, undo: boolean): void;
}

/** Takes what a debugger is told. */
export type DebugListener = <Name extends keyof DebugNotifications>(
	name: Name,
	value: DebugNotifications[Name],
) => void;

/** The gate, for whoever lets debuggers in. */
export interface DebugHost extends DebugGate {
	attach(options: {
		readonly client: string;
		readonly sessions: readonly SessionId[] | null;
		/** Of a run: its calls alone are watched, and those of `sessions`. */
		readonly source: string | undefined;
		/** What does not say of which run it is, is of this one when its session is: an agent that does not say it of all that it does. */
		readonly hasWholeSessions?: boolean | undefined;
		readonly listener: DebugListener;
	}): DebuggerConnection;
	/** What is held there, the oldest first, each with its reason as for a list. */
	heldAt(side: GateCall['heldBy']): readonly { readonly held: HeldCall; readonly reason: string }[];
	/** Lets go of all that is held: nothing is stopped from now on. */
	close(reason: string): void;
}
