import type { AgentId, SessionId } from '../base/ids.ts';

/** What an agent's connection says about who is behind it. `undefined`: it does not say, and nothing is filled in. */
export interface ConnectionIdentity {
	/** From the environment of `crosstalk connect`, or from the run that made the address. */
	readonly sessionId: SessionId | undefined;
	/** From the address `…/agent/<name>/mcp/…` or `connect --agent`. */
	readonly agentId: AgentId | undefined;
}

export const nobodyKnown: ConnectionIdentity = { sessionId: undefined, agentId: undefined };
