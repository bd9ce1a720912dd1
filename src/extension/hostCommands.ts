// What a person can ask of the host. Each command takes the row that it was called on, or asks which server or call is meant.

import { ProgressLocation, Uri, commands, env, window, workspace } from 'vscode';
import type { QuickPickItem } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { counted } from '../core/base/text.ts';
import type { CallStatus, HostStatus } from '../core/host/status.ts';
import { programIn } from '../platform/node/host/attach.ts';
import { exportRecording, recordedLogs } from '../platform/node/store/recordings.ts';
import type { HostConnection } from './hostConnection.ts';
import type { HostParts } from './hostParts.ts';
import type { StoreInView } from './storeView.ts';
import { agentWords, byName, byStart, callStateWords, serverStateWords, sharingWords, toolWords } from './hostWords.ts';
import { serverAddress } from './mcpServers.ts';
import { openPlace } from './reveal.ts';
import { hostStore, isRowTarget, isStoredTarget } from './row.ts';
import type { RowTarget, StoredTarget } from './row.ts';
import { bytes } from './words.ts';

export async function startHost({ connection }: HostParts): Promise<void> {
	if (connection.state === 'running') {
		void window.showInformationMessage('The host is running already.');
		return;
	}
	await window.withProgress({ location: ProgressLocation.Window, title: 'Starting the host' }, () =>
		connection.start(),
	);
}

export async function stopHost({ connection }: HostParts): Promise<void> {
	await connection.look();
	const { calls, sessions } = statusOf(connection);
	const agents = sessions.reduce((sum, session) => sum + session.agents, 0);
	const stop = 'Stop';
	const stopNow = 'Stop Now';
	const later = 'Stop When They Have Ended';
	if (calls.length === 0 && agents === 0) {
		await connection.stop(false);
		return;
	}
	const choice =
		calls.length === 0
			? await window.showWarningMessage(
					'Stop the host?',
					{
						modal: true,
						detail: `${counted(agents, 'agent')} reach ${agents === 1 ? 'its' : 'their'} MCP servers through it.`,
					},
					stop,
				)
			: await window.showWarningMessage(
					`Stop the host with ${counted(calls.length, 'call')} in flight?`,
					{
						modal: true,
						detail: 'When they have ended nothing is lost. Now, each of them fails with a reason, and what it has begun may go on in its server.',
					},
					later,
					stopNow,
				);
	if (choice === undefined) return;
	await connection.stop(choice === stopNow);
}

export async function reconnectServer({ connection }: HostParts, row: unknown): Promise<void> {
	const server = await chosenServer(connection, row, 'Reconnect Which Server?');
	if (server === undefined) return;
	await window.withProgress(
		{ location: ProgressLocation.Notification, title: `Reconnecting ${server}` },
		async (progress) => {
			const tell = () => {
				const status = connection.status?.servers.find(({ name }) => name === server);
				if (status === undefined) return;
				const message =
					status.state === 'draining' && status.inFlight > 0
						? `waiting for ${counted(status.inFlight, 'call')} in flight`
						: serverStateWords(status);
				progress.report({ message });
			};
			const listening = connection.onDidChange(tell);
			tell();
			try {
				await connection.request('servers/reconnect', { server });
			} finally {
				listening.dispose();
			}
		},
	);
}

export async function cancelCall(parts: HostParts, row: unknown): Promise<void> {
	const call = await chosenCall(parts, row, 'Cancel Which Call?');
	if (call === undefined) return;
	const { wasInFlight } = await parts.connection.request('calls/cancel', { callId: call });
	if (wasInFlight) return;
	const status = parts.connection.status?.calls.find(({ id }) => id === call);
	void window.showInformationMessage(
		status?.state === 'held'
			? 'The call is held before it is made: let it go, or answer it by hand.'
			: 'The call had ended already.',
	);
}

export async function revealCall(parts: HostParts, row: unknown): Promise<void> {
	const target = typeof row === 'object' && row !== null && 'target' in row ? row.target : undefined;
	if (isRowTarget(target) && target.toolUseId !== undefined) {
		const { toolUseId, sessionId = null } = target;
		const place = await parts.calls.placeOf({ toolUseId, sessionId });
		if (place !== undefined) await openPlace(place.path, place.range);
		else void window.showInformationMessage(`No transcript that Crosstalk has found holds the call ${toolUseId}.`);
		return;
	}
	const callId = await chosenCall(parts, row, 'Reveal Which Call?');
	if (callId === undefined) return;
	const call = parts.connection.status?.calls.find(({ id }) => id === callId);
	if (call === undefined) {
		void window.showInformationMessage('The call has ended meanwhile.');
		return;
	}
	const place = await parts.calls.placeOf(call);
	if (place !== undefined) {
		await openPlace(place.path, place.range);
		return;
	}
	void window.showInformationMessage(
		call.toolUseId === null
			? `Which line of a transcript belongs to this call to ${call.tool} is not known: its agent does not say.`
			: `No transcript that Crosstalk has found holds the call ${call.toolUseId} to ${call.tool}. Agents write a call when they make it, some only when it has ended.`,
	);
}

export async function showServerOutput({ connection, output }: HostParts, row: unknown): Promise<void> {
	const server = await chosenServer(connection, row, 'Show the Output of Which Server?');
	if (server !== undefined) await output.show(server);
}

export async function copyServerAddress({ connection }: HostParts, row: unknown): Promise<void> {
	const server = await chosenServer(connection, row, 'Copy the Address of Which Server?');
	if (server === undefined) return;
	const { address } = connection;
	if (address === undefined) throw new ExpectedError('No host is running.');
	await env.clipboard.writeText(serverAddress(address.url, address.token, server));
	void window.showInformationMessage(
		`The address of ${server} is in the clipboard. Whoever has it can call the server on this machine, so treat it like a password.`,
	);
}

/** A log as one editor shows it: the events of one run of a host, as JSON lines, in a file of their own that may be kept. */
export async function openEventLog({ connection }: HostParts): Promise<void> {
	const { dataDirectory } = connection;
	const logs = [...(await recordedLogs(dataDirectory))].sort((one, other) => other.lastAt - one.lastAt);
	const [latest] = logs;
	if (latest === undefined)
		throw new ExpectedError(`There is no log in ${dataDirectory}: no host has recorded anything there yet.`);
	const items = logs.map((log) => ({
		label: log.name,
		description: `${counted(log.events, 'event')} · ${bytes(log.bytes)}`,
		log,
	}));
	const pick = await window.showQuickPick(items, {
		title: 'Event Log',
		placeHolder: 'Which run of a host? Its events are written into a temporary file.',
	});
	if (pick === undefined) return;
	const path = await window.withProgress(
		{ location: ProgressLocation.Notification, title: 'Writing the events into a file' },
		async () => exportRecording(pick.log.path, `crosstalk-events-${pick.log.number}.jsonl`),
	);
	await commands.executeCommand('vscode.open', Uri.file(path));
}

export async function runAgent({ connection }: HostParts, commandLine: string): Promise<void> {
	if (!workspace.isTrusted) {
		throw new ExpectedError(
			'This workspace is not trusted. An agent would start the servers that it configures; trust the workspace first.',
		);
	}
	interface Agent extends QuickPickItem {
		readonly command: string;
	}
	const agents: readonly Agent[] = [
		{ label: 'Claude Code', description: 'claude', command: 'claude' },
		{ label: 'Codex', description: 'codex', command: 'codex' },
	];
	const agent = await window.showQuickPick(agents, {
		title: 'Run an Agent',
		placeHolder: 'It gets its MCP servers through the host; none of its files are changed',
	});
	if (agent === undefined) return;
	const folder = workspace.workspaceFolders?.[0]?.uri;
	const { command, args, environment } = programIn(commandLine);
	window
		.createTerminal({
			name: `${agent.label} through Crosstalk`,
			shellPath: command,
			shellArgs: [...args, 'run', '--data', connection.dataDirectory, '--', agent.command],
			env: environment,
			...(folder?.scheme === 'file' ? { cwd: folder } : {}),
		})
		.show();
}

async function chosenServer(connection: HostConnection, row: unknown, title: string): Promise<string | undefined> {
	const target = targetOf(row);
	if (target !== undefined) return target.server;
	await connection.look();
	const { servers } = statusOf(connection);
	if (servers.length === 0) {
		throw new ExpectedError(
			'The host knows no MCP server yet. Import those of your agents, or run an agent through it.',
		);
	}
	const items = [...servers].sort(byName).map((server) => ({
		label: server.name,
		description: [sharingWords[server.sharing], serverStateWords(server)].join(' · '),
	}));
	return (await window.showQuickPick(items, { title, placeHolder: 'MCP server' }))?.label;
}

/** The id of a call. */
async function chosenCall({ connection, calls }: HostParts, row: unknown, title: string): Promise<string | undefined> {
	const target = targetOf(row);
	if (target?.callId !== undefined) return target.callId;
	await connection.look();
	const inFlight = statusOf(connection).calls.filter(
		({ server }) => target === undefined || server === target.server,
	);
	if (inFlight.length === 0) {
		void window.showInformationMessage('No call is in flight.');
		return undefined;
	}
	interface Choice extends QuickPickItem {
		readonly call: CallStatus;
	}
	const items = [...inFlight].sort(byStart).map((call): Choice => ({
		label: toolWords(call),
		description: [agentWords(call, calls.nameOf), callStateWords(call)].join(' · '),
		call,
	}));
	return (await window.showQuickPick(items, { title, placeHolder: 'Call' }))?.call.id;
}

/** The state of a session after one of its checkpoints, or after the last. */
export async function showSessionState({ store, states }: HostParts, row: unknown): Promise<void> {
	const target = storeTargetOf(row) ?? (await chosenSession(store, 'Show Session State'));
	if (target !== undefined) await states.show(target);
}

/** What a call has changed in the state of its session. */
export async function compareCheckpoints({ store, states }: HostParts, row: unknown): Promise<void> {
	const target = storeTargetOf(row) ?? (await chosenSession(store, 'Compare Checkpoints'));
	if (target !== undefined) await states.compare(target);
}

async function chosenSession(store: StoreInView, title: string): Promise<StoredTarget | undefined> {
	const sessions = await store.list();
	if (sessions.length === 0) {
		void window.showInformationMessage('No session is stored.');
		return undefined;
	}
	const items = sessions.map(({ id, seq }) => ({ label: id, description: `checkpoint ${seq}` }));
	const chosen = await window.showQuickPick(items, { title, placeHolder: 'Session' });
	return chosen === undefined ? undefined : { store: hostStore, sessionId: chosen.label };
}

function storeTargetOf(row: unknown): StoredTarget | undefined {
	if (isStoredTarget(row)) return row;
	return typeof row === 'object' && row !== null && 'target' in row && isStoredTarget(row.target)
		? row.target
		: undefined;
}

function targetOf(row: unknown): RowTarget | undefined {
	if (isRowTarget(row)) return row;
	return typeof row === 'object' && row !== null && 'target' in row && isRowTarget(row.target)
		? row.target
		: undefined;
}

function statusOf({ status, problem }: HostConnection): HostStatus {
	if (status === undefined) {
		throw new ExpectedError(problem ?? 'No host is running. Start one, or run an agent through it.');
	}
	return status;
}
