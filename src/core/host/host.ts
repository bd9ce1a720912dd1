import type { Event } from '../base/emitter.ts';
import type { Disposable } from '../base/lifecycle.ts';
import type { AgentEndpoint, AgentOutput } from './agentConnection.ts';
import type { ConnectionIdentity } from './agentIdentity.ts';
import type { ScopeSettings } from '../scope/index.ts';
import type { DebugHost } from './debug/debugGate.ts';
import type { FaultBook } from './faults/faultBook.ts';
import type { HeldHook } from './hooks/hookGate.ts';
import type { Metrics } from './metrics.ts';
import type { ScopeReach } from './scopes/scopeBook.ts';
import type { ServerDefinition } from './serverDefinition.ts';
import type { HostStatus } from './status.ts';

export interface AgentOptions {
	/** `undefined`: all of them, each tool with its server's name before it. */
	readonly server: string | undefined;
	readonly identity: ConnectionIdentity;
	readonly transport: 'stdio' | 'http';
	/** Connections with the same key are the same agent where servers are not shared; `undefined`: this connection is one of its own. */
	readonly isolationKey: string | undefined;
	readonly output: AgentOutput;
}

/** How a hook event has come. */
export interface HookDelivery {
	/** For how long the agent waits for an answer; `undefined`: it is not to be held. */
	readonly holdMs: number | undefined;
	/** The run of the agent that it is of (`ConnectionIdentity.scopeSource`), where it says so. */
	readonly source: string | undefined;
}

/**
 * The shared MCP host: many agents on one side, MCP servers on the other.
 */
export interface Host extends Disposable {
	status(): HostStatus;
	/** Something in `status()` is different. Fired at once and often; whoever listens slows it down. */
	readonly onDidChange: Event<void>;
	/** As `servers/put` of the control protocol. */
	putServers(source: string, servers: readonly ServerDefinition[]): Readonly<Record<string, string>>;
	/**
	 * What a source says of the scopes of tools, in place of what it said before; `{}` takes it back. The settings were checked.
	 * @param reach `own`: only callers are meant that have come with this source (`ConnectionIdentity.scopeSource`).
	 */
	putScopes(source: string, settings: ScopeSettings, reach: ScopeReach): void;
	/** As `servers/reconnect`. Rejects with `ExpectedError`. */
	reconnect(server: string): Promise<void>;
	/** As `servers/output`. */
	outputOf(server: string): string;
	/** As `calls/cancel`. */
	cancelCall(callId: string): boolean;
	/**
	 * One hook event of an agent: who calls what is learnt from it.
	 * @param format The agent's: `claude-code`.
	 * @returns Present: whoever debugs has stopped the call. Otherwise the answer is `{}`, at once.
	 */
	hook(format: string, body: Uint8Array, delivery: HookDelivery): HeldHook | undefined;
	/** Where calls pass debuggers. */
	readonly debug: DebugHost;
	/** What is to go wrong on purpose; as `faults/arm` and the others. */
	readonly faults: Pick<FaultBook, 'arm' | 'disarm' | 'disarmOf' | 'status'>;
	readonly metrics: Metrics;
	/** Whether agents can ask for a server of this name. */
	hasServer(name: string): boolean;
	/** Connects an agent; there has to be a server of that name. */
	connectAgent(options: AgentOptions): AgentEndpoint;
	/** What an agent of the era of handshakes gets as its MCP session id: enough to go on with after the host was started anew. */
	sessionIdOf(agent: AgentEndpoint): string;
	/** The connection that such an id was given for, made again; `undefined`: the id is not ours. */
	resumeAgent(mcpSessionId: string, options: AgentOptions): AgentEndpoint | undefined;
	/** There are sessions that have told of themselves a while ago at the longest, and not of their end. */
	readonly hasHookedSessions: boolean;
	/** Calls in flight and open agent connections: zero and zero is idle. */
	readonly activity: { readonly calls: number; readonly agents: number };
	/** Stops taking calls, gives those in flight their errors, closes every connection. */
	close(): Promise<void>;
}
