// Things that go wrong on purpose, and known bugs that can be seen at work.

import { ProgressLocation, commands, window } from 'vscode';
import type { QuickPickItem } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { storedSessionId } from '../core/base/ids.ts';
import { counted } from '../core/base/text.ts';
import type { FaultDefinition, FaultKind } from '../core/host/faults/index.ts';
import { programIn } from '../platform/node/host/attach.ts';
import { requestFaults } from '../platform/node/host/faultRequests.ts';
import { runProgram } from '../platform/node/host/runProgram.ts';
import type { HostConnection } from './hostConnection.ts';
import type { HostParts } from './hostParts.ts';
import { commandIds } from './ids.ts';
import { isRowTarget } from './row.ts';
import type { Sessions } from './sessions.ts';
import { shortened } from './words.ts';

interface Choice<T> extends QuickPickItem {
	readonly value: T;
}

const kinds: readonly (Choice<FaultKind> & { readonly detail: string })[] = [
	{ value: 'delay', label: 'Delay', detail: 'The call reaches its server a second later.' },
	{ value: 'hang', label: 'Hang', detail: 'The server never gets the call, and never answers.' },
	{ value: 'error', label: 'Error', detail: "The call is answered with an error in its server's place." },
	{ value: 'drop', label: 'Drop the answer', detail: 'The call is carried out, and its answer is lost.' },
	{ value: 'kill', label: 'Kill the server', detail: "The server's process is killed while the call runs." },
	{ value: 'tear', label: 'Tear the connection', detail: 'The connection to the server breaks while the call runs.' },
	{
		value: 'evict',
		label: 'Evict the session',
		detail: 'The session of the store that the call works on is put out of memory first.',
	},
	{ value: 'twice', label: 'Deliver twice', detail: 'The server gets the call twice.' },
];

const times: readonly Choice<Partial<FaultDefinition>>[] = [
	{ value: { times: 1 }, label: 'Once', description: 'the next call that matches' },
	{ value: { every: 3 }, label: 'Each third call' },
	{ value: { every: 1 }, label: 'Every call' },
	{ value: { probability: 0.2, seed: 1 }, label: 'One call in five', description: 'by chance, seed 1' },
];

/** Asks what is to go wrong with which session's calls, and arms it for as long as this window stays. */
export async function injectFault({ connection }: HostParts, sessions: Sessions, row: unknown): Promise<void> {
	await connection.look();
	const call = callOf(connection, row);
	const sessionId = call?.sessionId ?? (await chosenSession(connection, sessions));
	if (sessionId === undefined) return;
	const title = 'Inject a Fault';
	const kind = await window.showQuickPick(kinds, { title, placeHolder: 'What is to go wrong?', matchOnDetail: true });
	if (kind === undefined) return;
	const tool = call === undefined ? await chosenTool(connection) : `${call.server}/${call.tool}`;
	if (tool === undefined) return;
	const when = await window.showQuickPick(times, { title, placeHolder: `With which calls to ${tool}?` });
	if (when === undefined) return;
	const fault: FaultDefinition = { kind: kind.value, tool, ...when.value };
	const { faults } = await requestFaults(connection, 'faults/arm', {
		faults: [fault],
		target: { kind: 'session', sessionId: storedSessionId(sessionId) },
		isKept: false,
		client: 'VS Code',
	});
	for (const { description } of faults)
		void window.showWarningMessage(
			`Armed: ${description}, for ${shortened(sessionId, 60)} and nobody else. It is disarmed when this window closes.`,
		);
}

export async function disarmAllFaults({ connection }: HostParts): Promise<void> {
	const { disarmed } = await requestFaults(connection, 'faults/disarm', { ids: null });
	void window.showInformationMessage(
		disarmed === 0 ? 'Nothing was armed.' : `${counted(disarmed, 'fault')} disarmed.`,
	);
}

/** The call that a row stands for, if it still runs and it is known whose it is. */
function callOf({ status }: HostConnection, row: unknown) {
	const target = typeof row === 'object' && row !== null && 'target' in row ? row.target : row;
	if (!isRowTarget(target) || target.callId === undefined) return undefined;
	const call = status?.calls.find(({ id }) => id === target.callId);
	return call?.sessionId === null ? undefined : call;
}

async function chosenSession(connection: HostConnection, sessions: Sessions): Promise<string | undefined> {
	const inFlight = (connection.status?.calls ?? []).flatMap((call) => call.sessionId ?? []);
	await sessions.search();
	const live = sessions.list.filter(({ details, files }) => details?.state === 'live' && files.format !== 'host');
	const titles = new Map(
		live.map(({ files, details }) => [`${files.format}:${files.nativeId}`, details?.title ?? files.nativeId]),
	);
	const items = [...new Set([...inFlight, ...titles.keys()])].map((id) => ({
		label: shortened(titles.get(id) ?? id, 80),
		description: inFlight.includes(id) ? 'has calls in flight' : 'live',
		detail: id,
	}));
	if (items.length === 0)
		throw new ExpectedError(
			'No session is known whose calls something could go wrong with. Start an agent through the host, or with "crosstalk run --fault".',
		);
	const chosen = await window.showQuickPick(items, {
		title: 'Inject a Fault',
		placeHolder: 'Into which session? No other is touched',
		matchOnDetail: true,
	});
	return chosen?.detail;
}

async function chosenTool({ status }: HostConnection): Promise<string | undefined> {
	const other = 'Another Pattern…';
	const items = [
		{ label: '*', description: 'every tool' },
		...(status?.servers ?? []).map(({ name }) => ({
			label: `${name}/*`,
			description: 'every tool of this server',
		})),
		{ label: other, description: 'server/tool, with * for any characters' },
	];
	const chosen = await window.showQuickPick(items, { title: 'Inject a Fault', placeHolder: 'Calls to which tool?' });
	if (chosen?.label !== other) return chosen?.label;
	const written = await window.showInputBox({
		title: 'Inject a Fault',
		prompt: 'server/tool, with * for any characters',
		placeHolder: 'orders/book*',
	});
	return written === '' ? undefined : written;
}

const presets = [
	{
		name: 'cascade',
		label: 'The cascade',
		detail: "One agent's time-out takes the calls of three others with it: a naive reconnect, and ours, on the same script.",
	},
	{
		name: 'compaction',
		label: 'Compaction in mid-call',
		detail: 'A conversation is compacted while its calls are out, and their results come to nobody.',
	},
	{
		name: 'scope',
		label: 'The scope default',
		detail: 'A review that does not say where to look gets its own empty tab, and reports that nothing happened.',
	},
] as const;

/** What `crosstalk fault preset --json` prints, as far as it is needed here. */
interface PresetResult {
	/** The rules that name the bug. */
	readonly finds: readonly string[];
	readonly runs: readonly {
		readonly name: string;
		readonly path: string;
		readonly calls: readonly { readonly isError: boolean; readonly text: string }[];
		readonly diagnostics: readonly {
			readonly ruleId: string;
			readonly path: string;
			readonly line: number;
			readonly column: number;
		}[];
	}[];
}

/** Plays a known bug in a host of its own, and shows what is left of it: sessions in the tree, the finding in Problems. */
export async function reproduceBug(
	sessions: Sessions,
	commandLine: string,
	directory: string,
	named: unknown,
): Promise<void> {
	const preset =
		presets.find(({ name }) => name === named) ??
		(await window.showQuickPick(presets, {
			title: 'Reproduce a Known Bug',
			placeHolder: 'Small agents play it, with a host of their own. Nothing of yours is touched',
			matchOnDetail: true,
		}));
	if (preset === undefined) return;
	const result = await window.withProgress(
		{ location: ProgressLocation.Notification, title: `${preset.label} is played`, cancellable: true },
		async (_, token) => {
			const stop = new AbortController();
			const listening = token.onCancellationRequested(() => stop.abort());
			try {
				return await play(
					commandLine,
					['fault', 'preset', preset.name, '--json', '--data', directory],
					stop.signal,
				);
			} finally {
				listening.dispose();
			}
		},
	);
	if (result === undefined) return;
	for (const { path } of result.runs) await sessions.open(path);
	const [finding] = findingsOf(result);
	if (finding === undefined) return;
	await commands.executeCommand(commandIds.revealPlace, finding.path, finding.line - 1, finding.column - 1);
	await commands.executeCommand('workbench.actions.view.problems');
	void window.showInformationMessage(sentenceOf(preset.label, result));
}

/** Those that name the bug; what it has brought about beside that is in Problems, too. */
function findingsOf({ finds, runs }: PresetResult): PresetResult['runs'][number]['diagnostics'] {
	return runs.flatMap(({ diagnostics }) => diagnostics).filter(({ ruleId }) => finds.includes(ruleId));
}

function sentenceOf(label: string, result: PresetResult): string {
	const { runs } = result;
	const rules = [...new Set(findingsOf(result).map(({ ruleId }) => ruleId))].join(', ');
	const found = `${label}: found by ${rules}.`;
	if (runs.length < 2) return found;
	const lost = runs.map(
		({ name, calls }) =>
			`${name} ${calls.filter(({ isError, text }) => isError && text.includes('-31001')).length}`,
	);
	return `${found} Calls lost with the connection: ${lost.join(', ')}.`;
}

/** `undefined`: the person has stopped it. */
async function play(
	commandLine: string,
	args: readonly string[],
	signal: AbortSignal,
): Promise<PresetResult | undefined> {
	const { code, stdout, stderr } = await runProgram(programIn(commandLine), args, signal);
	if (signal.aborted) return undefined;
	// What it prints is ours, and of this very version.
	if (code === 1 && stdout.startsWith('{')) return JSON.parse(stdout) as PresetResult;
	throw new ExpectedError(stderr.replace(/^crosstalk: /gm, '').trim() || `It ended with exit code ${code}.`);
}
