import type { Event } from '../base/emitter.ts';
import type { Disposable } from '../base/lifecycle.ts';
import type { ServerDefinition } from './serverDefinition.ts';
import type { HostStatus } from './status.ts';

/**
 * The shared MCP host: many agents on one side, MCP servers on the other.
 */
export interface Host extends Disposable {
	status(): HostStatus;
	/** Something in `status()` is different. Fired at once and often; whoever listens slows it down. */
	readonly onDidChange: Event<void>;
	/** As `servers/put` of the control protocol. */
	putServers(source: string, servers: readonly ServerDefinition[]): Readonly<Record<string, string>>;
	/** As `servers/reconnect`. Rejects with `ExpectedError`. */
	reconnect(server: string): Promise<void>;
	/** As `servers/output`. */
	outputOf(server: string): string;
	/** As `calls/cancel`. */
	cancelCall(callId: string): boolean;
	/** One hook event of an agent: who calls what is learnt from it. `format` is the agent's (`claude-code`). */
	hook(format: string, body: Uint8Array): void;
	/** Prometheus text format 0.0.4. */
	metrics(): string;
	/** Calls in flight and open agent connections: zero and zero is idle. */
	readonly activity: { readonly calls: number; readonly agents: number };
	/** Stops taking calls, gives those in flight their errors, closes every connection. */
	close(): Promise<void>;
}
