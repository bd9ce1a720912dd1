// How a call to an MCP server's tool ended when it did not end well: as the host that passed it on says, else by the words that clients and
// servers use for it. A tool that reports that something took too long in its own work (a page that did not load) has answered, and is not meant.

import type { HostCall, ToolCall } from '../conversation/index.ts';

/**
 * `timed-out`: whoever waited gave up. `cancelled`: somebody gave it up. `connection-lost`: the connection broke while it ran.
 * `unknown`: it may have run, and its answer went nowhere. `not-run`: it never reached its server.
 */
export type CallFailure = 'timed-out' | 'cancelled' | 'connection-lost' | 'unknown' | 'not-run';

/** `undefined`: it was answered, by its tool or with a refusal; or nothing is known of its end. */
export function failureOf(call: ToolCall): CallFailure | undefined {
	const passage = call.hostCalls.at(-1);
	const seen = passage === undefined ? undefined : failureOfPassage(passage);
	if (seen !== undefined) return seen;
	const { result } = call;
	if (result === undefined || !result.isError || result.errorText === undefined) return undefined;
	return failureInWords(result.errorText);
}

export function failureOfPassage(passage: HostCall): CallFailure | undefined {
	const { ended } = passage;
	const isSent = passage.attempts > 0 || isKeptByFault(passage);
	switch (ended?.ending) {
		case 'timed-out':
		case 'cancelled':
			// It may have waited in the host all the time.
			return isSent ? ended.ending : 'not-run';
		case 'outcome-unknown':
			return 'unknown';
		case 'refused':
			return 'not-run';
		case 'failed':
			// Without a reason it is the tool's own error.
			return ended.reason === undefined ? undefined : isSent ? 'connection-lost' : 'not-run';
		case 'completed':
		case undefined:
			return undefined;
	}
}

/** A fault on purpose kept it from its server, which to everybody else is a server that says nothing. */
export function isKeptByFault({ faults, attempts }: HostCall): boolean {
	return attempts === 0 && faults.some(({ kind }) => kind === 'hang');
}

/** Whether the call may have been carried out, though nobody has heard of it. */
export function mayHaveRun(failure: CallFailure | undefined): failure is Exclude<CallFailure, 'not-run'> {
	return failure !== undefined && failure !== 'not-run';
}

const notRun =
	/\bconnection closed before the tool call ran\b|^(?:Error: )?MCP server "[^"]*" (?:is not connected|session expired)\b|^(?:Error: )?Not connected\b|\bECONNREFUSED\b|^(?:Error: )?[^.]{0,80} is not available: /i;
/** Claude Code 2.1.328; `crosstalk host`. */
const unknown = /\bThe outcome is unknown: the call may have\b|\bmay or may not have been carried out\b/;
/** The SDKs of MCP, Claude Code, Codex, `crosstalk host`. */
const timedOut =
	/^(?:[^\n]{0,80}: )?MCP error -32001: Request timed out\b|\bMCP server "[^"]*" tool "[^"]*" timed out after \d|\btimed out awaiting tools\/call\b|\bdid not end in the [\d.]+ s that a call may take\b|^The operation timed out\.?$/;
const connectionLost =
	/^(?:[^\n]{0,80}: )?MCP error -32000: Connection closed\b|\bMCP server connection lost\b|^(?:Error: )?(?:tool call error: .*)?Transport (?:closed|channel closed)\b|^(?:Error: )?(?:fetch failed|socket hang up|terminated|read ECONNRESET)\b|\bClosed stdio transport\b/;

/** @param text The beginning of an error. */
export function failureInWords(text: string): CallFailure | undefined {
	if (notRun.test(text)) return 'not-run';
	if (timedOut.test(text)) return 'timed-out';
	if (unknown.test(text)) return 'unknown';
	return connectionLost.test(text) ? 'connection-lost' : undefined;
}
