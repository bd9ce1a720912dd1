// What a person can ask of the debugger outside of VS Code's own debug views. Only the debugger that holds a call can let it go, so each of these
// goes to one of the debug sessions of this window.

import { CancellationTokenSource, FunctionBreakpoint, debug, window, workspace } from 'vscode';
import type { CancellationToken, QuickPickItem } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { agentName, callsOf, serverOf } from '../core/conversation/index.ts';
import type { Agent, ToolCall } from '../core/conversation/index.ts';
import { sessionIdOf } from '../core/transcripts/sessionFiles.ts';
import { agentOf } from './agentsView.ts';
import type { AgentsView } from './agentsView.ts';
import { agentInEditor } from './conversationView.ts';
import type { ConversationView } from './conversationView.ts';
import { attachConfiguration, launchConfiguration, replayConfiguration } from './debugConfigurations.ts';
import type { DebugParts, HeldHere } from './debugParts.ts';
import type { HostFeature } from './host.ts';
import { debugType } from './ids.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import { isRowTarget } from './row.ts';
import type { Sessions } from './sessions.ts';
import { shortened } from './words.ts';

export interface CommandContext {
	readonly sessions: Sessions;
	readonly transcripts: OpenTranscripts;
	readonly agents: AgentsView;
	readonly conversation: ConversationView;
	readonly host: HostFeature;
	readonly parts: DebugParts;
}

export async function debugAgent(): Promise<void> {
	interface Choice extends QuickPickItem {
		readonly program: string;
	}
	const choices: readonly Choice[] = [
		{ label: 'Claude Code', description: 'claude', program: 'claude' },
		{ label: 'Codex', description: 'codex', program: 'codex' },
	];
	const choice = await window.showQuickPick(choices, {
		title: 'Debug an Agent',
		placeHolder: 'It is run in the integrated terminal; none of its files are changed',
	});
	if (choice === undefined) return;
	const [folder] = workspace.workspaceFolders ?? [];
	await debug.startDebugging(folder, launchConfiguration(choice.program, folder));
}

export async function attachDebugger({ host }: Pick<CommandContext, 'host'>): Promise<void> {
	const { connection } = await host.load();
	await connection.look();
	if (connection.problem !== undefined) throw new ExpectedError(connection.problem);
	if (connection.state === 'none') {
		// VS Code's own dialog for what a debugger refuses offers to edit a launch.json, which has no part in it.
		const start = 'Start Host';
		const launch = 'Debug an Agent…';
		const choice = await window.showWarningMessage(
			'No host is running, so there is nothing to attach to. Start one for agents that are to run through it, or debug an agent.',
			start,
			...(workspace.isTrusted ? [launch] : []),
		);
		if (choice === launch) await debugAgent();
		if (choice !== start) return;
		await connection.start();
	}
	await debug.startDebugging(workspace.workspaceFolders?.[0], attachConfiguration());
}

export async function replayTranscript(context: CommandContext, row: unknown): Promise<void> {
	const { agents, sessions, transcripts } = context;
	const found =
		agentOf(agents.isNode(row) ? row : undefined) ??
		(await agentInEditor(transcripts)) ??
		agentOf(agents.nodeOf(undefined));
	const files = found === undefined ? undefined : sessions.entry(found.key)?.files;
	const path = files?.mainPath ?? files?.agents[0]?.path ?? files?.recordingPath;
	if (path === undefined) {
		void window.showInformationMessage(
			'Select a session in the Crosstalk view, or open a transcript, to replay it in the debugger.',
		);
		return;
	}
	await debug.startDebugging(workspace.workspaceFolders?.[0], replayConfiguration(path));
}

interface Tool {
	readonly server: string | undefined;
	readonly tool: string;
}

/** A breakpoint on the tool of a row: of a call in flight, of a call in a conversation, or one of those that an agent has used. */
export async function breakOnTool(context: CommandContext, row: unknown): Promise<void> {
	const tool = await toolOfRow(context, row);
	if (tool === undefined) return;
	const name = tool.server === undefined ? tool.tool : `${tool.server}/${tool.tool}`;
	const isThere = debug.breakpoints.some(
		(breakpoint) => breakpoint instanceof FunctionBreakpoint && breakpoint.functionName === name,
	);
	if (!isThere) debug.addBreakpoints([new FunctionBreakpoint(name)]);
	if (context.parts.targets.size > 0) return;
	const attach = 'Attach to the Host';
	const choice = await window.showInformationMessage(
		`Calls of ${name} will be stopped in a debug session. None is running.`,
		attach,
	);
	if (choice === attach) await attachDebugger(context);
}

async function toolOfRow(
	{ agents, conversation, host, sessions }: CommandContext,
	row: unknown,
): Promise<Tool | undefined> {
	if (agents.isNode(row)) {
		const found = agentOf(row);
		const hold = found === undefined ? undefined : sessions.hold(found.key);
		if (found === undefined || hold === undefined) return undefined;
		try {
			await hold.session.whenRead;
			const agent = hold.session.conversation.agents.get(found.agentId);
			return agent === undefined ? undefined : await chosenTool(agent);
		} finally {
			hold.dispose();
		}
	}
	const node = row ?? host.inFlight.view.selection[0] ?? conversation.view.selection[0];
	if (typeof node === 'object' && node !== null && 'kind' in node && node.kind === 'call' && 'call' in node) {
		const call = node.call as ToolCall; // a row of a conversation
		return { server: serverOf(call), tool: call.name };
	}
	const callId = callIdOf(node);
	if (callId !== undefined) {
		const { connection } = await host.load();
		const call = connection.status?.calls.find(({ id }) => id === callId);
		if (call !== undefined) return { server: call.server, tool: call.tool };
	}
	void window.showInformationMessage('Select a call, or an agent, to choose a tool to break on.');
	return undefined;
}

async function chosenTool(agent: Agent): Promise<Tool | undefined> {
	const counts = new Map<string, { readonly tool: Tool; calls: number; isRunning: boolean }>();
	for (const call of callsOf(agent)) {
		const server = serverOf(call);
		const name = server === undefined ? call.name : `${server}/${call.name}`;
		const known = counts.get(name) ?? { tool: { server, tool: call.name }, calls: 0, isRunning: false };
		known.calls++;
		known.isRunning ||= call.result === undefined;
		counts.set(name, known);
	}
	if (counts.size === 0) {
		void window.showInformationMessage(`${agentName(agent)} has not called a tool yet.`);
		return undefined;
	}
	const items = [...counts]
		.sort(([, one], [, other]) => Number(other.isRunning) - Number(one.isRunning) || other.calls - one.calls)
		.map(([label, { tool, calls, isRunning }]) => ({
			label,
			description: `${calls} calls${isRunning ? ', one without a result' : ''}`,
			tool,
		}));
	const title = `Break on Which Tool of ${agentName(agent)}?`;
	return (await window.showQuickPick(items, { title, placeHolder: 'Its next call stops, whoever makes it' }))?.tool;
}

export async function pauseAgents({ parts }: CommandContext): Promise<void> {
	const targets = [...parts.targets].filter(({ readOnlyReason }) => readOnlyReason === undefined);
	if (targets.length === 0) throw new ExpectedError(nobodyDebugs(parts));
	for (const target of targets) await target.pause(null);
	void window.setStatusBarMessage('The next call of each agent stops', 4000);
}

export async function pauseAgent(context: CommandContext, row: unknown): Promise<void> {
	const { agents, sessions, parts } = context;
	const found = agentOf(agents.nodeOf(row));
	const files = found === undefined ? undefined : sessions.entry(found.key)?.files;
	if (found === undefined || files === undefined) {
		void window.showInformationMessage('Select an agent in the Crosstalk view to pause it.');
		return;
	}
	const id = sessionIdOf(files);
	const { targets } = parts;
	const isSeen = [...targets].some(({ agents: seen }) =>
		seen.some((agent) => agent.sessionId === id && agent.agentId === found.agentId),
	);
	const summary = sessions.inView(found.key)?.summary.agents.get(found.agentId);
	// One whose call is held has not ended, whatever its files say.
	const isOver =
		!isSeen && (summary?.agent.ended !== undefined || sessions.entry(found.key)?.details?.state === 'ended');
	if (isOver && targets.size > 0) throw new ExpectedError('This agent has ended.');
	let isPaused = false;
	for (const target of targets) isPaused = (await target.pauseAgent(id, found.agentId)) || isPaused;
	if (!isPaused)
		throw new ExpectedError(
			targets.size === 0 ? nobodyDebugs(parts) : 'No debug session of this window watches this agent.',
		);
	void window.setStatusBarMessage(isSeen ? 'Its next call stops' : 'Its next call through the host stops', 4000);
}

export async function continueCall({ parts }: CommandContext, row: unknown): Promise<void> {
	const held = await chosenHeld(parts, row, 'Continue Which Call?');
	if (held !== undefined) await held.target.continueCall(held.call.stopId);
}

/** Of a call that is held with its result it is the result. The call stays held, so that it can be looked at before it goes on. */
export async function editArguments({ parts }: CommandContext, row: unknown): Promise<void> {
	const held = await chosenHeld(parts, row, 'Edit the Arguments of Which Call?');
	if (held === undefined) return;
	const { call, target } = held;
	const what = call.at === 'before' ? 'arguments' : 'result';
	const text = await whileHeld(parts, held, (token) =>
		window.showInputBox(
			{
				title: `${call.tool}: ${what}`,
				prompt: `JSON. The call goes on with it when you continue.`,
				value: JSON.stringify(held.value),
				ignoreFocusOut: true,
				validateInput: (value) => problemIn(value, call.at === 'before'),
			},
			token,
		),
	);
	if (text !== undefined) await target.replaceValue(call.stopId, JSON.parse(text));
}

/** The call is not made; of one that has come back, its agent gets this in place of the result. */
export async function answerCall({ parts }: CommandContext, row: unknown): Promise<void> {
	const held = await chosenHeld(parts, row, 'Answer Which Call by Hand?');
	if (held === undefined) return;
	const { call, target } = held;
	const kinds = [
		{ label: 'As a result', isError: false },
		{ label: 'As an error', isError: true },
	];
	const pick = {
		title: `Answer ${call.tool} by Hand`,
		placeHolder: `${call.tool} is not called; ${held.agent.name} gets what you type`,
		// Another call that stops meanwhile has its own editor opened.
		ignoreFocusOut: true,
	};
	const kind =
		call.at === 'after'
			? kinds[0]
			: await whileHeld(parts, held, (token) => window.showQuickPick(kinds, pick, token));
	if (kind === undefined) return;
	const box = {
		title: `${call.tool}: ${kind.isError ? 'error' : 'result'}`,
		prompt: 'A text, or JSON.',
		ignoreFocusOut: true,
	};
	const text = await whileHeld(parts, held, (token) => window.showInputBox(box, token));
	if (text === undefined) return;
	await target.answerCall(call.stopId, text, kind.isError);
}

/** Nobody is asked about a call that has gone on: the question goes away with it, and why is said. @returns `undefined`: the person has left it. */
async function whileHeld<T>(
	parts: DebugParts,
	{ call }: HeldHere,
	ask: (token: CancellationToken) => PromiseLike<T | undefined>,
): Promise<T | undefined> {
	const isHeld = () => parts.held.some((other) => other.call.stopId === call.stopId);
	const source = new CancellationTokenSource();
	const listening = parts.onDidChangeHeld(() => {
		if (!isHeld()) source.cancel();
	});
	try {
		const answer = await ask(source.token);
		if (!isHeld()) throw new ExpectedError('The call has gone on meanwhile.');
		return answer;
	} finally {
		listening.dispose();
		source.dispose();
	}
}

async function chosenHeld(parts: DebugParts, row: unknown, title: string): Promise<HeldHere | undefined> {
	const { held } = parts;
	const id = callIdOf(row);
	if (id !== undefined) {
		const found = held.find(({ call }) => call.stopId === id || call.callId === id);
		if (found !== undefined) return found;
		throw new ExpectedError(
			'No debugger of this window holds this call: only the one that has stopped it can let it go. Close that one, and the call goes on.',
		);
	}
	if (held.length === 0) throw new ExpectedError(parts.targets.size === 0 ? nobodyDebugs(parts) : 'No call is held.');
	if (held.length === 1) return held[0];
	const items = held.map((each) => ({
		label: each.call.server === null ? each.call.tool : `${each.call.server}/${each.call.tool}`,
		description: `${each.agent.name} · ${shortened(each.call.description, 80)}`,
		each,
	}));
	return (await window.showQuickPick(items, { title, placeHolder: 'Held call', ignoreFocusOut: true }))?.each;
}

function nobodyDebugs({ targets }: DebugParts): string {
	const readOnly = [...targets][0]?.readOnlyReason;
	return (
		readOnly ??
		`No debug session of type "${debugType}" is running in this window. Attach to the host, or debug an agent.`
	);
}

function callIdOf(row: unknown): string | undefined {
	const target = isRowTarget(row)
		? row
		: typeof row === 'object' && row !== null && 'target' in row && isRowTarget(row.target)
			? row.target
			: undefined;
	return target?.callId;
}

function problemIn(text: string, isObject: boolean): string | undefined {
	try {
		const value: unknown = JSON.parse(text);
		if (isObject && (typeof value !== 'object' || value === null || Array.isArray(value)))
			return 'Arguments are one JSON object.';
		return undefined;
	} catch (error) {
		return error instanceof Error ? `This is no JSON: ${error.message}` : 'This is no JSON.';
	}
}
