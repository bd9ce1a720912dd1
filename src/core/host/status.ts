import type { ScopePolicy } from '../scope/index.ts';
import type { FaultStatus } from './faults/faultBook.ts';
import type { Sharing } from './serverDefinition.ts';

/** What the host is doing, as `crosstalk status --json` prints it and as the views show it. Times are ISO 8601. */
export interface HostStatus {
	readonly version: 1;
	readonly host: { readonly pid: number; readonly generation: number; readonly startedAt: string };
	readonly servers: readonly ServerStatus[];
	readonly calls: readonly CallStatus[];
	/** Calls that do not pass the host, built-in tools among them: as far as agents' hooks tell. Absent: none. */
	readonly hooked?: readonly HookedCallStatus[] | undefined;
	readonly sessions: readonly SessionStatus[];
	/** What is armed to go wrong on purpose; absent where nothing is. */
	readonly faults?: readonly FaultStatus[] | undefined;
}

export type UpstreamState = 'connected' | 'connecting' | 'draining' | 'reconnecting' | 'stopped' | 'failed';

/** One server. Where it has several connections, the counters are sums and `state` is that of the worst. */
export interface ServerStatus {
	readonly name: string;
	readonly transport: 'stdio' | 'http' | 'sse';
	/** A digest of the definition that gives nothing of it away: another one, another definition. */
	readonly definition?: string | undefined;
	readonly state: UpstreamState;
	readonly sharing: Exclude<Sharing, 'auto'>;
	/** A sentence: why it is shared or not, when that was not a person's choice. */
	readonly sharingReason?: string | undefined;
	readonly pid: number | null;
	readonly connections: readonly ConnectionStatus[];
	/** Of `calls` those of this server that are not queued: also those that a debugger holds, which no connection has, on the wire or at their agents' hooks. */
	readonly inFlight: number;
	readonly queued: number;
	readonly calls: number;
	readonly errors: number;
	readonly timeouts: number;
	readonly cancelled: number;
	readonly reconnects: number;
	/** Of the last calls, milliseconds; `null` before the first. */
	readonly p50Ms: number | null;
	readonly p99Ms: number | null;
	readonly lastExit: ExitStatus | null;
	/** A sentence: why it failed or reconnects. */
	readonly reason?: string | undefined;
	/** Tools for whose scopes somebody has set a policy; absent where there are none. */
	readonly scopes?: readonly ToolScopeStatus[] | undefined;
}

/** What holds for the calls of a tool, and how often it was decided how, since the host began. */
export interface ToolScopeStatus {
	readonly tool: string;
	/** The run whose callers alone this is for; absent: for everybody. */
	readonly source?: string | undefined;
	readonly interactive: ScopePolicy;
	readonly headless: ScopePolicy;
	/** Calls that said all that is asked for. */
	readonly explicit: number;
	readonly reported: number;
	readonly refused: number;
	readonly filled: number;
	readonly inconclusive: number;
}

export interface ConnectionStatus {
	readonly id: string;
	readonly state: UpstreamState;
	readonly pid: number | null;
	/** Whom it is for: `all`, a session id or an agent. */
	readonly owner: string;
	readonly protocolVersion: string | null;
	readonly inFlight: number;
	readonly queued: number;
}

export interface ExitStatus {
	readonly code: number | null;
	readonly signal: string | null;
	readonly stderrTail: string;
	readonly at: string;
	readonly reason: string;
}

export type CallState = 'queued' | 'held' | 'running';

export interface CallStatus {
	readonly id: string;
	/** The host's name of it. Empty: the tool is the agent's own, and its call is held at the agent's hook. */
	readonly server: string;
	readonly tool: string;
	readonly state: CallState;
	/** `null`: not known, and not guessed. */
	readonly agentId: string | null;
	readonly sessionId: string | null;
	readonly toolUseId: string | null;
	readonly startedAt: string;
	readonly ageMs: number;
	/** The call's line in the transcript, when it was found there; 1-based. */
	readonly path?: string | undefined;
	readonly line?: number | undefined;
	/** What the agent is called there. */
	readonly agentName?: string | undefined;
	/** A sentence: why it waits. */
	readonly reason?: string | undefined;
	/** Of a held call: when it is let go by itself, shortly before its client would give it up. */
	readonly heldUntil?: string | undefined;
	/** A sentence: what goes wrong with it on purpose. */
	readonly fault?: string | undefined;
}

export interface HookedCallStatus {
	readonly toolUseId: string;
	/** The tool's own name. */
	readonly tool: string;
	/** As the agent calls it; `null`: the tool is the agent's own. */
	readonly server: string | null;
	/** `asking`: a person is asked whether it may be made. */
	readonly state: 'running' | 'asking';
	/** `null`: not known, and not guessed. */
	readonly agentId: string | null;
	readonly agentType: string | null;
	readonly sessionId: string;
	readonly startedAt: string;
	readonly ageMs: number;
	/** As of a call that passes the host. */
	readonly path?: string | undefined;
	readonly line?: number | undefined;
	readonly agentName?: string | undefined;
}

export interface SessionStatus {
	readonly id: string;
	readonly agents: number;
	readonly inFlight: number;
}
