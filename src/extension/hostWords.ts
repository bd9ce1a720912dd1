// How rows, tooltips and messages speak of the host, its servers and its calls.

import { counted, singleLine } from '../core/base/text.ts';
import type { CallStatus, ExitStatus, HostStatus, ServerStatus, UpstreamState } from '../core/host/status.ts';
import { duration, shortened, spokenDuration } from './words.ts';

/** "0.4 ms", "38 ms", "1.2 s". */
export function latency(milliseconds: number): string {
	if (milliseconds < 9.95) return `${milliseconds.toFixed(1)} ms`;
	if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
	return milliseconds < 59_950 ? `${(milliseconds / 1000).toFixed(1)} s` : duration(milliseconds);
}

export const sharingWords = {
	shared: 'shared',
	'per-session': 'per session',
	'per-agent': 'per agent',
} as const satisfies Record<ServerStatus['sharing'], string>;

export const stateWords = {
	connected: 'connected',
	connecting: 'connecting',
	draining: 'draining',
	reconnecting: 'reconnecting',
	stopped: 'not started',
	failed: 'failed',
} as const satisfies Record<UpstreamState, string>;

export const transportWords = {
	stdio: 'stdio',
	http: 'HTTP',
	sse: 'HTTP+SSE',
} as const satisfies Record<ServerStatus['transport'], string>;

/** "0.0 %": of its calls, those that failed or timed out. */
export function errorRate({ calls, errors, timeouts }: ServerStatus): string {
	return `${(calls === 0 ? 0 : (100 * (errors + timeouts)) / calls).toFixed(1)} %`;
}

/** "SIGKILL", "code 1", "no exit code". */
export function exitWords({ code, signal }: ExitStatus): string {
	if (signal !== null) return signal;
	return code === null ? 'no exit code' : `code ${code}`;
}

/** "draining (2 waiting)" */
export function serverStateWords({ state, queued }: ServerStatus): string {
	return queued > 0 ? `${stateWords[state]} (${queued} waiting)` : stateWords[state];
}

export function agentWords(call: CallerStatus, nameOf: AgentNames): string {
	return call.agentId === null ? 'unknown agent' : shortened(nameOf(call) ?? call.agentId, 40);
}

/** What a person calls the agent of a call, as far as its session is known. */
export type AgentNames = (call: CallerStatus) => string | undefined;

/** Of a call: who makes it. */
export type CallerStatus = Pick<CallStatus, 'agentId' | 'sessionId'>;

export function ageOf(call: CallStatus, now: number): number {
	const startedAt = Date.parse(call.startedAt);
	return Number.isNaN(startedAt) ? call.ageMs : Math.max(0, now - startedAt);
}

/** "goes on in 52 s": a held call that its client will not wait for for ever. */
export function countdownWords({ state, heldUntil }: CallStatus, now: number): string | undefined {
	const until = state === 'held' && heldUntil !== undefined ? Date.parse(heldUntil) : Number.NaN;
	return Number.isNaN(until) ? undefined : `goes on in ${duration(Math.max(1000, until - now))}`;
}

/** "analytics/query"; a tool of the agent's own has no server. */
export function toolWords({ server, tool }: Pick<CallStatus, 'server' | 'tool'>): string {
	return server === '' ? tool : `${server}/${tool}`;
}

/** "held: breakpoint "analytics/*"", "queued: draining for reconnect". */
export function callStateWords({ state, reason }: CallStatus): string {
	return reason === undefined ? state : `${state}: ${shortened(withoutFullStop(reason), 120)}`;
}

/** As a sentence: "analytics_query of agent explore-api has been running for 41 seconds." */
export function spokenCall(call: CallStatus, nameOf: AgentNames, now: number): string {
	const agent = call.agentId === null ? 'an agent that is not known' : `agent ${agentWords(call, nameOf)}`;
	const countdown = countdownWords(call, now);
	const reason = call.reason === undefined ? '' : `: ${withoutFullStop(call.reason)}`;
	return `${call.tool} of ${agent} has been ${spokenStates[call.state]} for ${spokenDuration(ageOf(call, now))}${reason}.${countdown === undefined ? '' : ` It ${countdown}.`}`;
}

const spokenStates = { running: 'running', held: 'held', queued: 'waiting' } as const satisfies Record<
	CallStatus['state'],
	string
>;

/** "3 in flight", "3 in flight, 2 of them waiting". */
export function inFlightWords({ inFlight, queued }: Pick<ServerStatus, 'inFlight' | 'queued'>): string {
	const all = inFlight + queued;
	if (queued === 0) return `${all} in flight`;
	return `${all} in flight, ${queued === all ? 'all' : queued} waiting`;
}

/** As a sentence: "3 calls in flight on 2 MCP servers." */
export function spokenHost({ calls }: HostStatus): string {
	if (calls.length === 0) return 'No call in flight.';
	const servers = new Set(calls.map(({ server }) => server).filter((server) => server !== '')).size;
	if (servers === 0) return `${counted(calls.length, 'call')} in flight.`;
	return `${counted(calls.length, 'call')} in flight on ${counted(servers, 'MCP server')}.`;
}

export function withoutFullStop(sentence: string): string {
	return singleLine(sentence).replace(/\.$/, '');
}

export function byName(one: ServerStatus, other: ServerStatus): number {
	return one.name < other.name ? -1 : one.name > other.name ? 1 : 0;
}

/** Oldest first. */
export function byStart(one: CallStatus, other: CallStatus): number {
	return Date.parse(one.startedAt) - Date.parse(other.startedAt) || (one.id < other.id ? -1 : 1);
}
