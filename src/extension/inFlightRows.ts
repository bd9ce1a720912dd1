import { counted } from '../core/base/text.ts';
import type { CallState, CallStatus, HostStatus, ServerStatus } from '../core/host/status.ts';
import {
	ageOf,
	agentWords,
	byStart,
	callStateWords,
	countdownWords,
	errorRate,
	inFlightWords,
	latency,
	serverStateWords,
	sharingWords,
	spokenCall,
	stateWords,
	transportWords,
} from './hostWords.ts';
import type { AgentNames } from './hostWords.ts';
import { commandIds } from './ids.ts';
import type { Row } from './row.ts';
import { serverIcon } from './serverRows.ts';
import { duration, shortened } from './words.ts';

/** So many calls of a server have a row. Those that hang are the oldest, so it is the newest that have none. */
const shownCalls = 100;

/** Calls in flight below their servers, the oldest first. Servers without a call have no row. */
export function inFlightRows(status: HostStatus, nameOf: AgentNames, now: number): readonly Row[] {
	const callsOf = new Map<string, CallStatus[]>();
	for (const call of status.calls) {
		const calls = callsOf.get(call.server);
		if (calls === undefined) callsOf.set(call.server, [call]);
		else calls.push(call);
	}
	return [...callsOf]
		.sort(([one], [other]) => (one < other ? -1 : 1))
		.map(([name, unsorted]) => {
			const server = status.servers.find((candidate) => candidate.name === name);
			const calls = unsorted.sort(byStart);
			const row =
				name === ''
					? ownToolsRow(calls)
					: server === undefined
						? strayRow(name, calls)
						: serverRow(server, calls);
			const children = calls.slice(0, shownCalls).map((call) => callRow(call, nameOf, now));
			if (calls.length > shownCalls) children.push(moreRow(name, calls.length - shownCalls));
			return { ...row, children };
		});
}

/** Calls of tools that no server has: they are known of while they are held. */
function ownToolsRow(calls: readonly CallStatus[]): Row {
	return {
		id: 'own tools',
		target: { server: '' },
		label: "Agents' own tools",
		description: gaugeOf(calls),
		icon: 'tools',
		color: undefined,
		contextValue: 'crosstalkOwnTools',
		spoken: `Tools of the agents themselves: ${counted(calls.length, 'call')} held.`,
		details: [{ name: 'In flight', text: gaugeOf(calls) }],
		command: undefined,
		children: [],
		isOpen: true,
	};
}

/** The server was forgotten while its calls go on. */
function strayRow(name: string, calls: readonly CallStatus[]): Row {
	return {
		id: `server ${name}`,
		target: { server: name },
		label: name,
		description: gaugeOf(calls),
		icon: 'question',
		color: undefined,
		contextValue: 'crosstalkServer.unknown',
		spoken: `Server ${name}, which the host knows no more: ${counted(calls.length, 'call')} in flight.`,
		details: [{ name: 'State', text: 'The host knows it no more.' }],
		command: undefined,
		children: [],
		isOpen: true,
	};
}

function serverRow(server: ServerStatus, calls: readonly CallStatus[]): Row {
	const gauge = gaugeOf(calls);
	const queued = countQueued(calls);
	const p99 = server.p99Ms === null ? [] : [`p99 ${latency(server.p99Ms)}`];
	const kind = [
		sharingWords[server.sharing],
		transportWords[server.transport],
		...(server.pid === null ? [] : [`pid ${server.pid}`]),
	];
	const isQuiet = server.state === 'connected';
	return {
		id: `server ${server.name}`,
		target: { server: server.name },
		label: server.name,
		// In a narrow sidebar the end is cut off, so what stays the same comes last.
		description: [...(isQuiet ? [] : [stateWords[server.state]]), gauge, ...p99, kind.join(', ')].join(' · '),
		...serverIcon(server.state),
		contextValue: `crosstalkServer.${server.state}`,
		spoken: `Server ${server.name}, ${kind.join(', ')}, is ${serverStateWords(server)}: ${counted(calls.length, 'call')} in flight${queued === 0 ? '' : `, ${queued} of them waiting`}.`,
		details: [
			{ name: 'State', text: stateWords[server.state] },
			{ name: 'Why', text: server.reason ?? '' },
			{ name: 'In flight', text: gauge },
			{ name: 'Calls so far', text: `${server.calls}, ${errorRate(server)} errors` },
			{ name: 'Latency', text: latencies(server) },
			{ name: 'Sharing', text: [sharingWords[server.sharing], server.sharingReason ?? ''].join(' – ') },
		],
		command: undefined,
		children: [],
		isOpen: true,
	};
}

/** The rows below are counted, so that the gauge and what it counts are never at odds. */
function gaugeOf(calls: readonly CallStatus[]): string {
	const queued = countQueued(calls);
	return inFlightWords({ inFlight: calls.length - queued, queued });
}

function countQueued(calls: readonly CallStatus[]): number {
	return calls.filter(({ state }) => state === 'queued').length;
}

function moreRow(server: string, count: number): Row {
	return {
		id: `more ${server}`,
		target: { server },
		label: `${count} more`,
		description: 'younger than those above',
		icon: 'ellipsis',
		color: undefined,
		contextValue: 'crosstalkMoreCalls',
		spoken: `${counted(count, 'call')} more, younger than those above.`,
		details: [],
		command: undefined,
		children: [],
		isOpen: false,
	};
}

function callRow(call: CallStatus, nameOf: AgentNames, now: number): Row {
	const age = ageOf(call, now);
	const countdown = countdownWords(call, now);
	return {
		id: `call ${call.id}`,
		target: { server: call.server, callId: call.id },
		label: call.tool,
		description: [
			duration(Math.max(1000, age)),
			agentWords(call, nameOf),
			callStateWords(call),
			...(countdown === undefined ? [] : [countdown]),
			...(call.fault === undefined ? [] : ['a fault on purpose']),
		].join(' · '),
		...(call.fault === undefined ? callIcons[call.state] : faultIcon),
		contextValue: `crosstalkInFlight.${call.state}`,
		spoken: [spokenCall(call, nameOf, now), ...(call.fault === undefined ? [] : [call.fault])].join(' '),
		details: [
			{ name: 'State', text: callStateWords(call) },
			{ name: 'Held', text: countdown ?? '' },
			{ name: 'On purpose', text: call.fault ?? '' },
			{ name: 'Agent', text: agentWords(call, nameOf) },
			{ name: 'Session', text: call.sessionId ?? 'unknown session' },
			{ name: 'Started', text: `${new Date(call.startedAt).toLocaleTimeString('en-GB')}, ${duration(age)} ago` },
			{ name: 'Tool use', text: call.toolUseId ?? '' },
			{ name: 'Call', text: shortened(call.id, 80) },
		],
		command: { id: commandIds.revealCall, title: 'Reveal Call in Transcript' },
		children: [],
		isOpen: false,
	};
}

function latencies({ p50Ms, p99Ms }: ServerStatus): string {
	if (p50Ms === null || p99Ms === null) return '';
	return `p50 ${latency(p50Ms)}, p99 ${latency(p99Ms)}`;
}

/** What happens to it is no real failure. */
const faultIcon = { icon: 'bug', color: 'list.errorForeground' } as const;

const callIcons = {
	running: { icon: 'play', color: 'debugIcon.startForeground' },
	held: { icon: 'debug-pause', color: 'debugIcon.pauseForeground' },
	queued: { icon: 'ellipsis', color: undefined },
} as const satisfies Record<CallState, Pick<Row, 'icon' | 'color'>>;
