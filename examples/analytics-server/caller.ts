// Whose call it is. Nothing here has a default: a tool that guesses its session gives one agent another's rows.

export type SessionFrom =
	/** The tools have a required argument `session`. */
	| 'argument'
	/** The client, or the host in front of it, says so with each call. */
	| 'caller';

/** What comes with a call beside its arguments. */
export interface CallFacts {
	/** `params._meta` of the request. */
	readonly meta: Readonly<Record<string, unknown>>;
	/** Of an HTTP request. */
	readonly headers: Pick<Headers, 'get'> | undefined;
}

/** Of Codex, of VS Code and, as soon as it sends it, of Claude Code. */
const sessionKeys = [
	['threadId', 'codex'],
	['vscode.conversationId', 'vscode'],
	['claudecode/sessionId', 'claude-code'],
] as const;

/** The session that the caller names, in the form that Crosstalk uses everywhere; `undefined`: it names none. */
export function callersSession({ meta, headers }: CallFacts): string | undefined {
	for (const [key, client] of sessionKeys) {
		const id = textAt(meta, key);
		if (id !== undefined) return `${client}:${id}`;
	}
	return headers?.get('x-crosstalk-session') || undefined;
}

/** The id that the model's tool use has. A request that is sent again has the same one; a model that tries again has another. */
export function idempotencyKey({ meta }: CallFacts): string | undefined {
	return textAt(meta, 'claudecode/toolUseId') ?? textAt(meta, 'callId');
}

function textAt(meta: Readonly<Record<string, unknown>>, key: string): string | undefined {
	const value = meta[key];
	return typeof value === 'string' && value !== '' ? value : undefined;
}
