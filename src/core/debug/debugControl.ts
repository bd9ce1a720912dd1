import type { AgentId, SessionId, ToolUseId } from '../base/ids.ts';

/**
 * What a debugger asks of the host and hears from it, over the same control socket as everything else (`core/host/control.ts`). The
 * debugger is a debug adapter, a window or a command line; what it says holds as long as its connection: when that ends, whatever it
 * holds is let go at once, as it was, and its breakpoints and steps are forgotten.
 */
export interface DebugRequests {
	/**
	 * First. The debugger watches these sessions, `null`: all; with a source, which is one run of an agent (`crosstalk run`), the calls that
	 * come with that, in whatever sessions, and those alone: it need name no sessions then, and hears of them (`debug/didLearnSession`). Of
	 * an agent that does not say of each call which run it is of, its sessions are watched as wholes. One debugger at a time may stop a session; another one that asks for it
	 * is attached read-only: it sees everything, and its requests that would change something are refused with a sentence. When the one before
	 * it goes, it has the sessions (`debug/didTakeOver`); until then, what it would set is not remembered.
	 */
	'debug/attach': {
		params: {
			readonly client: string;
			readonly sessions: readonly SessionId[] | null;
			readonly source?: string | undefined;
			readonly hasWholeSessions?: boolean | undefined;
		};
		result: { readonly isReadOnly: boolean; /** A sentence: who has it. */ readonly reason?: string | undefined };
	};
	'debug/detach': { params: Record<string, never>; result: null };
	/**
	 * In place of everything that this debugger has set before. What cannot be used is told, and does not stop; the rest holds. A rule
	 * that can stop nothing has a status too, by its own id.
	 */
	'debug/set': {
		params: DebugSettings;
		result: { readonly breakpoints: readonly BreakpointStatus[] };
	};
	/**
	 * What people call these agents, as their transcripts tell, which the host does not read. It holds for breakpoints of this debugger, from now
	 * on and beside what it has said before.
	 */
	'debug/name': { params: { readonly agents: readonly NamedAgent[] }; result: null };
	/** Those of the sessions that this debugger watches, oldest first. */
	'debug/held': { params: Record<string, never>; result: { readonly calls: readonly HeldCall[] } };
	/**
	 * Whether a held call could go on with this: JSON, its arguments `before`, its result `after`. Fails with a sentence that names the place
	 * where it could not, and changes nothing.
	 */
	'debug/check': { params: { readonly stopId: string; readonly value: string }; result: null };
	/** Lets a held call go. Fails with a sentence, and the call stays held, when edited arguments break the tool's schema. */
	'debug/resume': { params: { readonly stopId: string } & Resumption; result: null };
	/**
	 * The next call of this agent stops, before it is made; without an agent the next call of each agent of the session, or of every
	 * session, once for each of them. `undo`: not any more, of all that is named.
	 */
	'debug/pause': {
		params: {
			readonly sessionId: SessionId | null;
			readonly agentId: AgentId | null;
			readonly undo?: boolean | undefined;
		};
		result: null;
	};
}

export interface DebugNotifications {
	'debug/didStop': HeldCall;
	/** The run that is debugged has begun this session, or goes on with it. Before anything else of the session is told. */
	'debug/didLearnSession': { readonly sessionId: SessionId };
	/** By its hooks: an agent has started, or one that had ended goes on. */
	'debug/didStartAgent': {
		readonly sessionId: SessionId;
		readonly agentId: AgentId;
		readonly agentType: string | null;
	};
	/** By its hooks: an agent has ended; `null`: its whole session. */
	'debug/didEndAgent': { readonly sessionId: SessionId; readonly agentId: AgentId | null };
	/** The call goes on: somebody has let it go, or nobody was there any more, or its time was up, or its agent has given it up. */
	'debug/didResume': { readonly stopId: string; readonly reason: string };
	/** A log point was passed. */
	'debug/didLog': {
		readonly breakpointId: string;
		readonly text: string;
		readonly sessionId: SessionId | null;
		readonly agentId: AgentId | null;
		readonly toolUseId: ToolUseId | null;
	};
	/** The debugger was read-only, and is no more: the one that had its sessions has gone. Nothing of its own is set yet. */
	'debug/didTakeOver': { /** Who has gone. */ readonly from: string };
	/** A breakpoint's condition has failed on a call: it did not stop. Once for each breakpoint and message. */
	'debug/didFail': { readonly breakpointId: string; readonly message: string };
}

export interface NamedAgent {
	readonly sessionId: SessionId;
	readonly agentId: AgentId;
	readonly name: string;
}

/** When in the life of a call a breakpoint is looked at. */
export type StopPoint = 'before' | 'after' | 'error';

export interface Breakpoint {
	/** The debugger's own. */
	readonly id: string;
	/**
	 * A glob (`*`, `?`, `{a,b}`) over `server/tool` of an MCP tool, or over the agent's own name of any tool (`mcp__server__tool`, `Bash`);
	 * behind `agent:` it is looked at for agents alone that have that type, that name or that id (`Explore:Bash`, `check-payments:chat/*`).
	 */
	readonly tool: string;
	/** A glob over the agent's id or its name; absent: any. Of names the host knows those that its debugger has told (`debug/name`). */
	readonly agent?: string | undefined;
	readonly sessionId?: SessionId | undefined;
	/** Absent: `before`. */
	readonly at?: StopPoint | undefined;
	/** An expression (`expression.ts`) that has to be true. */
	readonly condition?: string | undefined;
	/** `5`, `== 5`, `> 5`, `>= 5`, `< 5`, `<= 5`, `% 5`: of the times that all else was true. */
	readonly hitCondition?: string | undefined;
	/** Not stop but say this; `{expression}` within it is replaced. */
	readonly logMessage?: string | undefined;
}

export interface DebugSettings {
	readonly breakpoints: readonly Breakpoint[];
	/** Stop a call where one of these rules would find something, before it is made. */
	readonly rules: readonly string[];
	/** Stop a call of any tool whose result is an error, before its agent sees it. */
	readonly onToolError: boolean;
}

export interface BreakpointStatus {
	readonly id: string;
	readonly isVerified: boolean;
	/** A sentence: what is wrong with it, or why it cannot stop now. */
	readonly message?: string | undefined;
}

/** Why a call is held. */
export type StopReason = 'breakpoint' | 'rule' | 'error' | 'pause' | 'step';

export interface HeldCall {
	/** The host's own, of this stop: a call may stop before it is made and once more with its result. */
	readonly stopId: string;
	readonly reason: StopReason;
	/** A sentence. */
	readonly description: string;
	/** The cause alone, without whose call it is: `breakpoint "analytics/*"`. */
	readonly short?: string | undefined;
	readonly breakpointIds: readonly string[];
	/** Present where a rule has stopped it. */
	readonly ruleId?: string | undefined;
	/** `after`: with its result, which its agent has not seen yet. */
	readonly at: 'before' | 'after';
	/** Where it is held: at its agent's hook, or on its way through the host. */
	readonly heldBy: 'hook' | 'wire';
	readonly sessionId: SessionId | null;
	/** `null`: nobody knows. */
	readonly agentId: AgentId | null;
	readonly agentType: string | null;
	readonly toolUseId: ToolUseId | null;
	/** The host's id of a call that has reached it. */
	readonly callId: string | null;
	readonly server: string | null;
	/** The tool's own name. */
	readonly tool: string;
	/** JSON, as they are now. */
	readonly arguments: string;
	/** JSON; present `after`. */
	readonly result: string | null;
	readonly isError: boolean;
	/** Epoch milliseconds. */
	readonly heldSince: number;
	/** Epoch milliseconds when it is let go by itself, shortly before its client would give it up; `null`: it may be held for as long as one likes. */
	readonly heldUntil: number | null;
	/** Whether its arguments (`before`) or its result (`after`) can be changed, and whether it can be answered by hand. */
	readonly canEdit: boolean;
	readonly canAnswer: boolean;
	/** By the tool's annotations: whether it may be made twice without harm; `null`: it does not say. */
	readonly isRepeatable: boolean | null;
}

export type Resumption = {
	/** What is to stop next: nothing but breakpoints; the next event of this agent; the agent that this call starts; its parent, when this agent has ended. */
	readonly then: 'run' | 'step-over' | 'step-in' | 'step-out';
} & (
	| { readonly action: 'continue' }
	/** With other arguments: one JSON object. */
	| { readonly action: 'edit-arguments'; readonly arguments: string }
	/** The agent gets another result: JSON, of an MCP tool a `CallToolResult`, of another one what that tool's result would be, or a text. */
	| { readonly action: 'edit-result'; readonly result: string }
	/** The call is not made: the agent gets this as its result. */
	| { readonly action: 'answer'; readonly result: string; readonly isError: boolean }
	/** The call is made again, and held again with its new result. `after` only. */
	| { readonly action: 'repeat' }
);
