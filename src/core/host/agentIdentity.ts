import type { AgentId, SessionId } from '../base/ids.ts';
import type { Entrypoint } from '../events/sessionEvent.ts';

/** What an agent's connection says about who is behind it. `undefined`: it does not say, and nothing is filled in. */
export interface ConnectionIdentity {
	/** From the environment of `crosstalk connect`, or from the run that made the address. */
	readonly sessionId: SessionId | undefined;
	/** From the address `…/agent/<name>/mcp/…` or `connect --agent`. */
	readonly agentId: AgentId | undefined;
	/** What the caller has declared itself to be, and its subagents with it. Who declares nothing counts as interactive. */
	readonly intent?: Entrypoint | undefined;
	/** The run of an agent that it is of: settings of scopes, faults and debuggers may be for that alone. */
	readonly scopeSource?: string | undefined;
}

export const nobodyKnown: ConnectionIdentity = { sessionId: undefined, agentId: undefined };

/** The words with which a caller declares itself. */
export const declaredIntents = ['interactive', 'headless', 'scheduled'] as const;

export type DeclaredIntent = (typeof declaredIntents)[number];
