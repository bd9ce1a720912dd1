import { MarkdownString, StatusBarAlignment, ThemeColor, window } from 'vscode';
import type { Disposable } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { counted } from '../core/base/text.ts';
import type { HostStatus } from '../core/host/status.ts';
import type { HostConnection } from './hostConnection.ts';
import { agentWords, byName, serverStateWords, spokenHost, withoutFullStop } from './hostWords.ts';
import type { AgentNames } from './hostWords.ts';
import { viewIds } from './ids.ts';
import { plainMarkdown } from './plainMarkdown.ts';
import { Throttle } from './throttle.ts';

/** The number of calls in flight, for as long as a host runs. */
export function createHostStatusBar(connection: HostConnection, nameOf: AgentNames): HostStatusBar {
	const disposables = new DisposableStore();
	const item = disposables.add(window.createStatusBarItem('crosstalk.calls', StatusBarAlignment.Left, 10));
	item.name = 'Crosstalk Calls in Flight';
	item.command = { command: `${viewIds.inFlight}.focus`, title: 'Show Calls in Flight' };
	let shown = '';
	let look: StatusBarLook | undefined;
	const update = () => {
		look = connection.status === undefined ? undefined : statusBarLook(connection.status, nameOf);
		// An item that is set anew closes the tooltip that somebody is reading.
		const next = JSON.stringify(look);
		if (next === shown) return;
		shown = next;
		if (look === undefined) {
			item.hide();
			return;
		}
		item.text = look.text;
		item.tooltip = new MarkdownString(look.tooltip);
		item.backgroundColor = look.background === undefined ? undefined : new ThemeColor(look.background);
		item.accessibilityInformation = { label: look.spoken };
		item.show();
	};
	// What lives ticks once a second at most; what somebody waits for is shown at once.
	const updating = disposables.add(new Throttle(1000, update));
	let alarm = '';
	disposables.add(
		connection.onDidChange(() => {
			const next = alarmOf(connection.status);
			if (next === alarm) updating.request();
			else update();
			alarm = next;
		}),
	);
	update();
	return {
		get look() {
			return look;
		},
		dispose: () => disposables.dispose(),
	};
}

export interface HostStatusBar extends Disposable {
	/** As it is shown; `undefined`: it is hidden. */
	readonly look: StatusBarLook | undefined;
}

interface StatusBarLook {
	readonly text: string;
	/** Markdown. */
	readonly tooltip: string;
	readonly background: string | undefined;
	readonly spoken: string;
}

/** What changes seldom, and is why somebody looks. */
function alarmOf(status: HostStatus | undefined): string {
	if (status === undefined) return '';
	const { servers, calls, faults = [] } = status;
	const held = calls.filter(({ state }) => state === 'held').map(({ id }) => id);
	return JSON.stringify([held, faults.length, servers.map(({ name, state }) => [name, state])]);
}

function statusBarLook(status: HostStatus, nameOf: AgentNames): StatusBarLook {
	const { servers, calls, faults = [] } = status;
	const failed = servers.filter(({ state }) => state === 'failed');
	const waiting = servers.filter(({ state }) => state === 'draining' || state === 'reconnecting');
	const held = calls.filter(({ state }) => state === 'held').length;
	const spoken = [
		spokenHost(status),
		...(held === 0 ? [] : [`${held === 1 ? '1 call is' : `${held} calls are`} held by a debugger.`]),
		...(faults.length === 0 ? [] : [`${counted(faults.length, 'fault')} armed on purpose.`]),
		...[...failed, ...waiting].map((server) => `Server ${server.name} is ${serverStateWords(server)}.`),
	];
	const numbers = [
		`$(pulse) ${calls.length}`,
		...(held === 0 ? [] : [`$(debug-pause) ${held}`]),
		...(faults.length === 0 ? [] : [`$(bug) ${faults.length}`]),
	];
	return {
		text: numbers.join(' '),
		tooltip: tooltip(status, nameOf),
		background:
			failed.length + faults.length > 0
				? 'statusBarItem.errorBackground'
				: waiting.length > 0 || held > 0
					? 'statusBarItem.warningBackground'
					: undefined,
		spoken: spoken.join(' '),
	};
}

const shownHeld = 20;

function tooltip({ servers, calls, faults = [] }: HostStatus, nameOf: AgentNames): string {
	const lines = [`**${calls.length === 0 ? 'No call' : counted(calls.length, 'call')} in flight**`, ''];
	for (const { description, applied } of faults)
		lines.push(`- A fault on purpose: ${plainMarkdown(description)}; applied ${counted(applied, 'time')}`);
	if (faults.length > 0) lines.push('');
	if (servers.length > 0) lines.push('| Server | In flight | |', '|---|---|---|');
	for (const server of [...servers].sort(byName)) {
		const count = calls.filter((call) => call.server === server.name).length;
		lines.push(`| ${plainMarkdown(server.name)} | ${count} | ${plainMarkdown(serverStateWords(server))} |`);
	}
	const held = calls.filter(({ state }) => state === 'held');
	if (held.length > 0) lines.push('', '| Held | |', '|---|---|');
	for (const call of held.slice(0, shownHeld))
		lines.push(
			`| ${plainMarkdown(`${agentWords(call, nameOf)}: ${call.tool}`)} | ${plainMarkdown(withoutFullStop(call.reason ?? 'held'))} |`,
		);
	const countOf = new Map<string, number>();
	for (const call of calls) {
		const agent = agentWords(call, nameOf);
		countOf.set(agent, (countOf.get(agent) ?? 0) + 1);
	}
	if (countOf.size > 0) lines.push('', '| Agent | In flight |', '|---|---|');
	for (const [agent, count] of countOf) lines.push(`| ${plainMarkdown(agent)} | ${count} |`);
	return lines.join('\n');
}
