// How long clients wait for the answer to a call, as far as it is known. The protocol leaves it to them: "Implementations SHOULD establish
// timeouts for all sent requests", which "MAY" begin anew with each progress notification (MCP 2025-11-25, basic/lifecycle, Timeouts).

/** How long a client waits. */
interface Patience {
	/** The `name` of its `clientInfo`. */
	readonly client: RegExp;
	/** Milliseconds from the call on, whatever is heard meanwhile; `null`: longer than anybody debugs. */
	readonly totalMs: number | null;
	/** Milliseconds without a word; progress is one. Absent: it does not mind. */
	readonly silentMs?: number | undefined;
	/** Of clients that mind only over HTTP. */
	readonly isSilenceOfHttp?: true | undefined;
}

const minute = 60_000;

const known: readonly Patience[] = [
	// A call may take MCP_TOOL_TIMEOUT, by default more than a day; over HTTP one is given up that is silent for
	// CLAUDE_CODE_MCP_TOOL_IDLE_TIMEOUT, by default five minutes (its change log, 2.1.187).
	{ client: /^claude-code$/, totalMs: null, silentMs: 5 * minute, isSilenceOfHttp: true },
	// The SDK's 60 s, begun anew by progress; it asks for progress only since that is so (anomalyco/opencode, pull request 32477).
	{ client: /^opencode$/, totalMs: null, silentMs: minute },
	// Ten minutes, whatever is heard (google-gemini/gemini-cli and QwenLM/qwen-code, the setting `timeout` of a server).
	{ client: /^(gemini-cli|qwen-code|qwen-cli)/, totalMs: 10 * minute },
];

/** What the MCP SDKs do by default, and Codex' `tool_timeout_sec`: one minute, and progress does not help. */
const anybody: Patience = { client: /^/, totalMs: minute };

/** Of a limit so much is left over for the call itself. */
const reserve = 0.1;
const leastReserveMs = 5_000;

/**
 * Until when a call can be held.
 * @param call.client The `name` in its client's `clientInfo`.
 * @param call.sentAt When the client has sent it: epoch milliseconds.
 * @param call.hasProgress The client has given a progress token, and hears of the hold every now and then.
 * @returns Epoch milliseconds; `null`: as long as one likes.
 */
export function heldUntil(call: {
	readonly client: string | undefined;
	readonly transport: 'stdio' | 'http';
	readonly sentAt: number;
	readonly hasProgress: boolean;
}): number | null {
	const patience = known.find(({ client }) => client.test(call.client ?? '')) ?? anybody;
	const { totalMs, silentMs, isSilenceOfHttp } = patience;
	const mindsSilence =
		silentMs !== undefined && !call.hasProgress && !(isSilenceOfHttp && call.transport === 'stdio');
	const limits = [totalMs, mindsSilence ? silentMs : null].filter((limit) => limit !== null);
	if (limits.length === 0) return null;
	const limit = Math.min(...limits);
	return call.sentAt + limit - Math.max(leastReserveMs, limit * reserve);
}
