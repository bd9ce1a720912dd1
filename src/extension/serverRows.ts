import { counted } from '../core/base/text.ts';
import type { ConnectionStatus, ExitStatus, HostStatus, ServerStatus, UpstreamState } from '../core/host/status.ts';
import {
	byName,
	errorRate,
	exitWords,
	inFlightWords,
	latency,
	serverStateWords,
	sharingWords,
	stateWords,
	transportWords,
	withoutFullStop,
} from './hostWords.ts';
import { commandIds } from './ids.ts';
import type { Row } from './row.ts';
import { shortened, timeOfDay } from './words.ts';

/** So many of the last lines that a server has printed have a row; the command shows the rest. */
const shownLines = 10;

/** Every server that the host knows, and below it what a person asks of one. */
export function serverRows(status: HostStatus): readonly Row[] {
	return [...status.servers].sort(byName).map(serverRow);
}

export function serverIcon(state: UpstreamState): Pick<Row, 'icon' | 'color'> {
	return icons[state];
}

const icons = {
	connected: { icon: 'circle-filled', color: 'charts.green' },
	connecting: { icon: 'sync', color: undefined },
	draining: { icon: 'clock', color: 'list.warningForeground' },
	reconnecting: { icon: 'sync', color: 'list.warningForeground' },
	stopped: { icon: 'circle-outline', color: undefined },
	failed: { icon: 'error', color: 'list.errorForeground' },
} as const satisfies Record<UpstreamState, Pick<Row, 'icon' | 'color'>>;

function serverRow(server: ServerStatus): Row {
	const { name, state, lastExit } = server;
	const isQuiet = state === 'connected' || state === 'stopped';
	const words = [
		...(state === 'connected' ? [] : [serverStateWords(server)]),
		sharingWords[server.sharing],
		...(isQuiet || server.inFlight > 0 ? [inFlightWords(server)] : []),
		`${errorRate(server)} errors`,
		counted(server.reconnects, 'reconnect'),
		...(isQuiet || lastExit === null ? [] : [`last exit: ${exitWords(lastExit)}`]),
	];
	return {
		id: `server ${name}`,
		target: { server: name },
		label: name,
		description: words.join(' · '),
		...serverIcon(state),
		contextValue: `crosstalkServer.${state}`,
		spoken: spokenServer(server),
		details: [
			{ name: 'State', text: serverStateWords(server) },
			{ name: 'Why', text: server.reason ?? '' },
			{ name: 'Sharing', text: sharingDetail(server) },
			{ name: 'Transport', text: transportDetail(server) },
			...(lastExit === null ? [] : exitDetails(lastExit)),
		],
		command: undefined,
		children: serverFacts(server),
		isOpen: false,
	};
}

function spokenServer(server: ServerStatus): string {
	const { name, lastExit, reason } = server;
	const why = reason === undefined ? '' : `: ${withoutFullStop(reason)}`;
	const exit = lastExit === null ? '' : ` It last ended with ${exitWords(lastExit)}.`;
	return `Server ${name}, ${sharingWords[server.sharing]}, is ${serverStateWords(server)}${why}. ${counted(server.inFlight, 'call')} in flight, ${counted(server.calls, 'call')} so far, ${errorRate(server)} errors, ${counted(server.reconnects, 'reconnect')}.${exit}`;
}

function serverFacts(server: ServerStatus): readonly Row[] {
	const { name, connections, lastExit } = server;
	const fact = (id: string, label: string, description: string, icon: string, further: Partial<Row> = {}): Row => ({
		id: `${id} ${name}`,
		target: { server: name },
		label,
		description,
		icon,
		color: undefined,
		contextValue: `crosstalkServerFact.${id}`,
		spoken: `${label}: ${withoutFullStop(description)}.`,
		details: [{ name: label, text: description }],
		command: undefined,
		children: [],
		isOpen: false,
		...further,
	});
	return [
		fact(
			'state',
			'State',
			[serverStateWords(server), ...(server.reason === undefined ? [] : [server.reason])].join(' – '),
			'pulse',
		),
		...(lastExit === null
			? []
			: [
					fact(
						'exit',
						'Last exit',
						`${exitWords(lastExit)} at ${timeOfDay(Date.parse(lastExit.at))} – ${lastExit.reason}`,
						'debug-disconnect',
						{
							details: exitDetails(lastExit),
							children: linesOf(lastExit.stderrTail).map((line, index) =>
								outputRow(server, lastExit, line, index),
							),
						},
					),
				]),
		fact('sharing', 'Sharing', sharingDetail(server), 'organization'),
		fact('transport', 'Transport', transportDetail(server), 'plug'),
		fact('calls', 'Calls', callsDetail(server), 'arrow-swap'),
		// One that everybody shares has been told of above.
		...(connections.length > 1 || server.sharing !== 'shared'
			? [
					fact('connections', 'Connections', String(connections.length), 'git-branch', {
						children: connections.map((connection) => connectionRow(server, connection)),
					}),
				]
			: []),
	];
}

function connectionRow(server: ServerStatus, connection: ConnectionStatus): Row {
	const owner = connection.owner === 'all' ? 'all agents' : connection.owner;
	const words = [
		stateWords[connection.state],
		inFlightWords(connection),
		...(connection.pid === null ? [] : [`pid ${connection.pid}`]),
		...(connection.protocolVersion === null ? [] : [connection.protocolVersion]),
	];
	return {
		id: `connection ${connection.id} ${server.name}`,
		target: { server: server.name },
		label: shortened(owner, 60),
		description: words.join(' · '),
		...serverIcon(connection.state),
		contextValue: `crosstalkConnection.${connection.state}`,
		spoken: `The connection for ${owner} is ${words.join(', ')}.`,
		details: [
			{ name: 'For', text: owner },
			{ name: 'State', text: words.join(', ') },
		],
		command: undefined,
		children: [],
		isOpen: false,
	};
}

function outputRow(server: ServerStatus, exit: ExitStatus, line: string, index: number): Row {
	return {
		// A line has no name of its own; those of another exit are other lines.
		id: `output ${exit.at} ${index} ${server.name}`,
		target: { server: server.name },
		label: shortened(line, 200),
		description: '',
		icon: undefined,
		color: undefined,
		contextValue: 'crosstalkServerOutput',
		spoken: `Printed before its end: ${shortened(line, 200)}`,
		details: [{ name: 'Printed', text: line, isBlock: true }],
		command: { id: commandIds.showServerOutput, title: 'Show Server Output' },
		children: [],
		isOpen: false,
	};
}

function sharingDetail({ sharing, sharingReason }: ServerStatus): string {
	return sharingReason === undefined ? sharingWords[sharing] : `${sharingWords[sharing]} – ${sharingReason}`;
}

function transportDetail({ transport, pid, connections }: ServerStatus): string {
	const [first] = connections;
	return [
		transportWords[transport],
		...(pid === null ? [] : [`pid ${pid}`]),
		...(connections.length === 1 && first?.protocolVersion ? [`protocol ${first.protocolVersion}`] : []),
	].join(' · ');
}

function callsDetail(server: ServerStatus): string {
	return [
		inFlightWords(server),
		`${server.calls} so far`,
		counted(server.errors, 'error'),
		`${server.timeouts} timed out`,
		`${server.cancelled} cancelled`,
		...(server.p50Ms === null ? [] : [`p50 ${latency(server.p50Ms)}`]),
		...(server.p99Ms === null ? [] : [`p99 ${latency(server.p99Ms)}`]),
	].join(' · ');
}

function exitDetails(exit: ExitStatus): Row['details'] {
	return [
		{ name: 'Last exit', text: `${exitWords(exit)}, ${new Date(exit.at).toLocaleString('en-GB')}` },
		{ name: 'What happened', text: exit.reason },
		{ name: 'Printed last:', text: linesOf(exit.stderrTail).join('\n'), isBlock: true },
	];
}

function linesOf(tail: string): readonly string[] {
	return tail
		.split('\n')
		.filter((line) => line.trim() !== '')
		.slice(-shownLines);
}
