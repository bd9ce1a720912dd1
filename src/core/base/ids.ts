declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Our id of a recorded session: format and native id, for example `claude-code:26f2dd86-…`. */
export type SessionId = Branded<'SessionId'>;
/** Who acts inside a session. The first agent is `main`, an id like any other. */
export type AgentId = Branded<'AgentId'>;
/** The provider's id of one tool call: `toolu_…`, `call_…`. */
export type ToolUseId = Branded<'ToolUseId'>;

export const mainAgentId = agentId('main');

// A brand exists only in the type system, so giving one needs an assertion; it happens here and nowhere else.
export function sessionId(format: string, nativeId: string): SessionId {
	return `${format}:${nativeId}` as SessionId;
}

export function storedSessionId(id: string): SessionId {
	return id as SessionId;
}

export function agentId(id: string): AgentId {
	return id as AgentId;
}

export function toolUseId(id: string): ToolUseId {
	return id as ToolUseId;
}
