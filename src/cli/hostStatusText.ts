import { durationText } from '../core/base/duration.ts';
import { counted, singleLine, truncated } from '../core/base/text.ts';
import type { CallStatus, HookedCallStatus, HostStatus, ServerStatus } from '../core/host/status.ts';
import { printable } from '../core/report/index.ts';
import { faultTable } from './faults/faultTable.ts';
import { table } from './table.ts';

/** What the host is doing, for a person. */
export function hostStatusText(
	{ host, servers, calls, hooked = [], faults = [] }: HostStatus,
	directory: string,
): string {
	return [
		`host ${ownerText(host, directory)}`,
		servers.length === 0 ? 'No MCP servers are known.\n' : serverTable(servers),
		...servers.flatMap(remarks),
		...scopeTable(servers),
		...(calls.length === 0 ? [] : [callTable(calls)]),
		...(faults.length === 0 ? [] : [`Things go wrong on purpose:\n${faultTable(faults)}`]),
		`${counted(calls.length, 'call')} in flight.\n`,
		...(hooked.length === 0 ? [] : [hookedTable(hooked)]),
	].join('\n');
}

/** The same of a process that has nothing but the session store open. */
export function storeStatusText({ host }: HostStatus, directory: string): string {
	return `no host: the session store is open in process ${ownerText(host, directory)}`;
}

function ownerText({ pid, startedAt, generation }: HostStatus['host'], directory: string): string {
	const since = startedAt.slice(0, 19).replace('T', ' ');
	return `${pid} in ${printable(directory)}, since ${since} UTC, generation ${generation}\n`;
}

function serverTable(servers: readonly ServerStatus[]): string {
	const head = [
		'SERVER',
		'STATE',
		'SHARING',
		'PID',
		'IN FLIGHT',
		'QUEUED',
		'CALLS',
		'ERRORS',
		'TIMEOUTS',
		'CANCELLED',
		'RECONNECTS',
		'P50',
		'P99',
	];
	const rows = servers.map((server) => [
		printable(server.name),
		server.state,
		server.sharing,
		server.pid === null ? '' : String(server.pid),
		String(server.inFlight),
		String(server.queued),
		String(server.calls),
		String(server.errors),
		String(server.timeouts),
		String(server.cancelled),
		String(server.reconnects),
		quantile(server.p50Ms),
		quantile(server.p99Ms),
	]);
	return table(head, rows);
}

/** What a table has no room for. */
function remarks({ name, reason, sharingReason, lastExit }: ServerStatus): readonly string[] {
	const said: string[] = [];
	const about = (text: string) => said.push(`${printable(name)}: ${printable(singleLine(text))}\n`);
	if (reason !== undefined) about(reason);
	if (sharingReason !== undefined) about(sharingReason);
	if (lastExit !== null && lastExit.reason !== reason) {
		about(`last exit ${lastExit.at.slice(0, 19).replace('T', ' ')} UTC. ${lastExit.reason}`);
	}
	return said.length === 0 ? [] : [said.join('')];
}

/** What is asked of the scopes of tools, and what has come of it. */
function scopeTable(servers: readonly ServerStatus[]): readonly string[] {
	const head = [
		'SCOPES OF',
		'TOOL',
		'INTERACTIVE',
		'HEADLESS',
		'EXPLICIT',
		'REPORTED',
		'REFUSED',
		'FILLED',
		'UNCLEAR',
	];
	const rows = servers.flatMap(({ name, scopes = [] }) =>
		scopes.map((scope) => [
			printable(name),
			printable(scope.source === undefined ? scope.tool : `${scope.tool} (${scope.source})`),
			scope.interactive,
			scope.headless,
			String(scope.explicit),
			String(scope.reported),
			String(scope.refused),
			String(scope.filled),
			String(scope.inconclusive),
		]),
	);
	return rows.length === 0 ? [] : [table(head, rows)];
}

/** Calls that do not pass the host. */
function hookedTable(calls: readonly HookedCallStatus[]): string {
	const head = ['SEEN BY HOOKS', 'STATE', 'AGE', 'SERVER', 'AGENT', 'SESSION'];
	const rows = calls.map((call) => [
		printable(call.tool),
		call.state === 'asking' ? 'asks for permission' : call.state,
		durationText(call.ageMs),
		printable(call.server ?? ''),
		printable(call.agentName ?? call.agentId ?? ''),
		printable(call.sessionId),
	]);
	return [table(head, rows), ...placesOf(calls, ({ tool }) => printable(tool))].join('');
}

function callTable(calls: readonly CallStatus[]): string {
	const head = ['CALL', 'STATE', 'AGE', 'SERVER', 'TOOL', 'AGENT', 'SESSION', 'REASON'];
	const rows = calls.map((call) => [
		call.id,
		call.state,
		durationText(call.ageMs),
		printable(call.server),
		printable(call.tool),
		printable(call.agentName ?? call.agentId ?? ''),
		printable(call.sessionId ?? ''),
		printable(truncated(singleLine(call.fault ?? call.reason ?? ''), 60)),
	]);
	return [table(head, rows), ...placesOf(calls, ({ id }) => id)].join('');
}

function placesOf<T extends CallStatus | HookedCallStatus>(
	calls: readonly T[],
	nameOf: (call: T) => string,
): readonly string[] {
	return calls.flatMap((call) => {
		const { path, line } = call;
		return path === undefined ? [] : `${nameOf(call)} is written at ${printable(`${path}:${line}`)}\n`;
	});
}

function quantile(milliseconds: number | null): string {
	if (milliseconds === null) return '';
	return milliseconds < 10 ? `${milliseconds.toFixed(1)} ms` : durationText(milliseconds);
}
