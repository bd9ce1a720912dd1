// Calls in flight that do not pass the host: built-in tools, and MCP servers that agents reach by themselves. Their agents' hooks tell of them.

import { counted } from '../core/base/text.ts';
import type { HookedCallStatus, HostStatus } from '../core/host/status.ts';
import { agentWords } from './hostWords.ts';
import type { AgentNames } from './hostWords.ts';
import { commandIds } from './ids.ts';
import type { Row } from './row.ts';
import { duration, shortened, spokenDuration } from './words.ts';

/** So many calls of a group have a row. Those that hang are the oldest, so it is the newest that have none. */
const shownCalls = 100;
/** A call to a server of the host has its hook a moment before it arrives there, and is that server's then. */
const arrivingMs = 1_000;

/** @param isOver Whether more is known of a call than the host's hooks have told: its agent was killed, or has written its result. */
export function hookedCallsOf(
	{ hooked = [], servers }: HostStatus,
	isOver: (call: HookedCallStatus) => boolean,
	now: number,
): readonly HookedCallStatus[] {
	const known = new Set(servers.map(({ name }) => name));
	return hooked.filter(
		(call) => !(call.server !== null && known.has(call.server) && ageOf(call, now) < arrivingMs) && !isOver(call),
	);
}

/** Built-in tools below one row, the tools of each other server below another; the oldest first. */
export function hookedRows(calls: readonly HookedCallStatus[], nameOf: AgentNames, now: number): readonly Row[] {
	const groups = new Map<string, HookedCallStatus[]>();
	for (const call of calls) {
		const group = groups.get(call.server ?? '');
		if (group === undefined) groups.set(call.server ?? '', [call]);
		else group.push(call);
	}
	return [...groups]
		.sort(([one], [other]) => (one < other ? -1 : 1))
		.map(([server, unsorted]) => {
			const group = unsorted.sort((one, other) => ageOf(other, now) - ageOf(one, now));
			const rows = group.slice(0, shownCalls).map((call) => callRow(call, nameOf, now));
			return { ...groupRow(server, group), children: rows };
		});
}

function groupRow(server: string, calls: readonly HookedCallStatus[]): Row {
	const asking = calls.filter(({ state }) => state === 'asking').length;
	const gauge = `${calls.length} in flight${asking === 0 ? '' : `, ${asking === calls.length ? 'all' : asking} waiting for permission`}`;
	const hidden = calls.length > shownCalls ? [`the oldest ${shownCalls} are shown`] : [];
	const isBuiltIn = server === '';
	return {
		id: `hooked ${server}`,
		target: { server: '' },
		label: isBuiltIn ? 'Built-in tools' : server,
		description: [gauge, ...hidden, isBuiltIn ? 'seen by hooks' : 'not through the host, seen by hooks'].join(
			' · ',
		),
		icon: isBuiltIn ? 'tools' : 'plug',
		color: undefined,
		contextValue: 'crosstalkHooked',
		spoken: `${isBuiltIn ? 'Built-in tools of agents' : `Server ${server}, not through the host`}: ${counted(calls.length, 'call')} in flight${asking === 0 ? '' : `, ${asking} waiting for permission`}. Agents' hooks tell of them.`,
		details: [
			{ name: 'In flight', text: gauge },
			{ name: 'Known by', text: "Their agents' hooks. They do not pass the host." },
		],
		command: undefined,
		children: [],
		isOpen: true,
	};
}

function callRow(call: HookedCallStatus, nameOf: AgentNames, now: number): Row {
	const age = ageOf(call, now);
	const agent = agentWords(call, nameOf);
	const type = call.agentType === null || call.agentType === agent ? [] : [shortened(call.agentType, 40)];
	const isAsking = call.state === 'asking';
	return {
		id: `hooked call ${call.sessionId} ${call.toolUseId}`,
		target: { server: '', toolUseId: call.toolUseId, sessionId: call.sessionId },
		label: call.tool,
		description: [
			duration(Math.max(1000, age)),
			agent,
			isAsking ? 'waits for permission' : 'running',
			...type,
		].join(' · '),
		icon: isAsking ? 'question' : 'play',
		color: isAsking ? 'list.warningForeground' : 'debugIcon.startForeground',
		contextValue: `crosstalkHookedCall.${call.state}`,
		spoken: `${call.tool} of ${call.agentId === null ? 'an agent that is not known' : `agent ${agent}`} has been ${isAsking ? 'waiting for permission' : 'running'} for ${spokenDuration(age)}.`,
		details: [
			{ name: 'State', text: isAsking ? 'A person is asked whether it may run.' : 'running' },
			{ name: 'Agent', text: [agent, ...type].join(', ') },
			{ name: 'Session', text: call.sessionId },
			{
				name: 'Started',
				text: `${new Date(call.startedAt).toLocaleTimeString('en-GB')}, ${duration(age)} ago`,
			},
			{ name: 'Tool use', text: call.toolUseId },
			{ name: 'Known by', text: "Its agent's hooks." },
		],
		command: { id: commandIds.revealCall, title: 'Reveal Call in Transcript' },
		children: [],
		isOpen: false,
	};
}

function ageOf({ startedAt, ageMs }: HookedCallStatus, now: number): number {
	const at = Date.parse(startedAt);
	return Number.isNaN(at) ? ageMs : Math.max(0, now - at);
}
