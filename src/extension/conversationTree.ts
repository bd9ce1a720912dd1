import { EventEmitter, MarkdownString, ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState } from 'vscode';
import type { Disposable, TreeDataProvider } from 'vscode';
import type { AgentId } from '../core/base/ids.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { counted } from '../core/base/text.ts';
import {
	callState,
	callsOf,
	conflictsOf,
	holdWords,
	hostCallWords,
	seenWords,
	serverChangesOf,
	serverChangeWords,
} from '../core/conversation/index.ts';
import type {
	Agent,
	HookCall,
	HostCall,
	Message,
	Place,
	Result,
	ServerChange,
	ToolCall,
} from '../core/conversation/index.ts';
import type { BodyRef } from '../core/events/sessionEvent.ts';
import { cutLines, readBody } from './bodies.ts';
import {
	compactionWords,
	firstWords,
	hostTurn,
	hostTurnNumber,
	placeOf,
	speakerOf,
	turnsOf,
} from './conversationRows.ts';
import type { Row, Turn } from './conversationRows.ts';
import { commandIds } from './ids.ts';
import { withoutFullStop } from './hostWords.ts';
import type { SessionInView, SessionKey } from './sessionInView.ts';
import type { SessionHold, Sessions } from './sessions.ts';
import { severityColor } from './severityColor.ts';
import { worstAt } from './summary.ts';
import { Throttle, viewEveryMs } from './throttle.ts';
import { callWords, duration, shortened, spokenCall, timeOfDay, toolLabel } from './words.ts';

export type ConversationNode =
	| { readonly kind: 'turn'; readonly turn: Turn }
	| { readonly kind: 'rows'; readonly rows: readonly Row[]; readonly from: number }
	| Row
	| { readonly kind: 'arguments'; readonly call: ToolCall }
	| { readonly kind: 'result'; readonly call: ToolCall; readonly result: Result }
	| { readonly kind: 'member'; readonly name: string; readonly value: unknown; readonly place: Place }
	| { readonly kind: 'note'; readonly text: string }
	/** What those who have seen a call say against each other. */
	| { readonly kind: 'conflict'; readonly text: string };

/** More rows than this are shown in groups, so that opening a turn of thousands of calls does not take long. */
const groupSize = 200;
const bodyLimitBytes = 256 * 1024;
const tooltipLines = 40;
const shownMembers = 200;

/** The conversation of one agent: turns; a call with its result as one row that opens to both. */
export class ConversationTree implements TreeDataProvider<ConversationNode>, Disposable {
	private readonly changed = new EventEmitter<ConversationNode | undefined>();
	readonly onDidChangeTreeData = this.changed.event;
	private readonly sessions: Sessions;
	private readonly disposables = new DisposableStore();
	private readonly refreshing: Throttle;
	private shown:
		| { readonly hold: SessionHold; readonly agentId: AgentId; readonly listening: Disposable }
		| undefined;
	private shownAgent: { readonly key: SessionKey; readonly agentId: AgentId } | undefined;
	/** Of notifications that have been shown. */
	private readonly words = new WeakMap<Message, string>();
	private isVisible = false;
	private ticker: NodeJS.Timeout | undefined;

	constructor(sessions: Sessions) {
		this.sessions = sessions;
		this.disposables.add(this.changed);
		this.disposables.add(
			sessions.onDidChange(() => {
				const { shownAgent } = this;
				const key = shownAgent === undefined ? undefined : sessions.currentKey(shownAgent.key);
				// Its transcript has come: from now on the session is known by that.
				if (shownAgent !== undefined && key !== undefined && key !== shownAgent.key)
					this.show(key, shownAgent.agentId);
			}),
		);
		this.refreshing = this.disposables.add(new Throttle(viewEveryMs, () => this.changed.fire(undefined)));
	}

	/** The agent whose conversation is shown, once its session has been read. */
	get agent(): Agent | undefined {
		return this.shown?.hold.session.conversation.agents.get(this.shown.agentId);
	}

	get session(): SessionInView | undefined {
		return this.shown?.hold.session;
	}

	/** Shows another agent. The session is followed while the view is visible. */
	show(key: SessionKey, agentId: AgentId): void {
		if (this.shownAgent?.key === key && this.shownAgent.agentId === agentId && this.shown !== undefined) return;
		this.letGo();
		this.shownAgent = { key, agentId };
		if (this.isVisible) this.take();
		this.changed.fire(undefined);
	}

	setVisible(isVisible: boolean): void {
		if (isVisible === this.isVisible) return;
		this.isVisible = isVisible;
		if (isVisible) {
			this.take();
			this.ticker = setInterval(() => {
				const conversation = this.session?.conversation;
				if (
					conversation?.liveness.state === 'live' &&
					this.agent !== undefined &&
					callsOf(this.agent).some((call) => call.result === undefined)
				)
					this.refreshing.request();
			}, 1000);
			this.changed.fire(undefined);
		} else {
			clearInterval(this.ticker);
			this.letGo();
		}
	}

	async getChildren(node?: ConversationNode): Promise<ConversationNode[]> {
		if (node === undefined) return this.turns();
		switch (node.kind) {
			case 'turn':
				return grouped(node.turn.rows);
			case 'rows':
				return [...node.rows];
			case 'call':
				return this.partsOf(node.call);
			case 'arguments':
				return this.membersOf(node.call.place, node.call.arguments);
			case 'result':
				return this.membersOf(node.result.place, node.result.body);
			case 'stray':
				return this.membersOf(node.result.place, node.result.body);
			case 'member':
				return members(node.value, node.place);
			case 'message':
			case 'compaction':
			case 'server':
			case 'note':
			case 'conflict':
				return [];
		}
	}

	getTreeItem(node: ConversationNode): TreeItem {
		const item = this.itemOf(node);
		const place = nodePlace(node);
		if (place?.source.kind === 'transcript') {
			item.command ??= {
				command: commandIds.revealPlace,
				title: 'Reveal in Transcript',
				arguments: [place.source.path, place.source.line - 1, (place.range?.column ?? 1) - 1],
			};
		}
		return item;
	}

	/** Bodies are read when somebody rests on their row. */
	async resolveTreeItem(item: TreeItem, node: ConversationNode): Promise<TreeItem> {
		if (node.kind === 'call')
			item.tooltip = await this.bodyTooltip(node.call.place, node.call.arguments, this.callHeading(node.call));
		if (node.kind === 'arguments') item.tooltip = await this.bodyTooltip(node.call.place, node.call.arguments);
		if (node.kind === 'result' || node.kind === 'stray')
			item.tooltip = await this.bodyTooltip(node.result.place, node.result.body);
		if (node.kind === 'message' && node.message.text !== undefined)
			item.tooltip = await this.bodyTooltip(node.message.place, node.message.text);
		return item;
	}

	dispose(): void {
		this.setVisible(false);
		this.letGo();
		this.disposables.dispose();
	}

	private take(): void {
		if (this.shownAgent === undefined || this.shown !== undefined) return;
		const { key, agentId } = this.shownAgent;
		const hold = this.sessions.hold(key);
		if (hold === undefined) return;
		const listening = new DisposableStore();
		listening.add(hold.session.onDidUpdate(() => this.refreshing.request()));
		this.shown = { hold, agentId, listening };
	}

	private letGo(): void {
		this.shown?.listening.dispose();
		this.shown?.hold.dispose();
		this.shown = undefined;
	}

	private async turns(): Promise<ConversationNode[]> {
		if (this.shown === undefined) return [];
		await this.shown.hold.session.whenRead;
		const { agent } = this;
		if (agent === undefined) return [{ kind: 'note', text: 'Nothing of this agent was found.' }];
		if (agent.messages.some(({ kind }) => kind === 'notification'))
			await (
				await import('./notifications.ts')
			).readWords(this.sessions.platform.files, agent.messages, this.words);
		const seen = hostTurn(agent, serverChangesOf(this.shown.hold.session.conversation, agent));
		const turns = [...(seen === undefined ? [] : [seen]), ...turnsOf(agent)];
		if (turns.length === 0)
			return [
				{
					kind: 'note',
					text: agent.hasTranscript ? 'Nothing was said yet.' : "This agent's transcript is missing.",
				},
			];
		return turns.map((turn) => ({ kind: 'turn', turn }));
	}

	private partsOf(call: ToolCall): ConversationNode[] {
		const parts: ConversationNode[] = [{ kind: 'arguments', call }];
		for (const result of [...(call.result === undefined ? [] : [call.result]), ...call.furtherResults])
			parts.push({ kind: 'result', call, result });
		const state = this.session === undefined ? undefined : callState(this.session.conversation, call);
		if (state?.state === 'pending' || state?.state === 'orphaned' || state?.state === 'abandoned')
			parts.push({ kind: 'note', text: `No result. ${state.evidence}` });
		for (const passage of call.hostCalls) {
			parts.push({ kind: 'note', text: hostNote(passage) });
			for (const { reason, outcome } of passage.scopeDecisions)
				parts.push({ kind: 'note', text: `Scope ${outcome} by the host. ${reason}` });
		}
		if (call.hookCall !== undefined) parts.push({ kind: 'note', text: hookNote(call.hookCall) });
		for (const hold of call.holds) parts.push({ kind: 'note', text: holdWords(hold) });
		if (call.hostCalls.length > 0 || call.hookCall !== undefined)
			parts.push({ kind: 'note', text: seenWords(call) });
		for (const text of conflictsOf(call)) parts.push({ kind: 'conflict', text });
		return parts;
	}

	private async membersOf(place: Place, body: BodyRef): Promise<ConversationNode[]> {
		const { value, cut, text } = await readBody(this.sessions.platform.files, place, body, bodyLimitBytes);
		const nodes: ConversationNode[] =
			typeof value === 'object' && value !== null
				? members(value, place)
				: cutText(text).map((line) => ({ kind: 'note', text: line }));
		if (cut !== undefined) nodes.push({ kind: 'note', text: cut });
		return nodes;
	}

	/** The row itself is cut off in a narrow sidebar. */
	private callHeading(call: ToolCall): string | undefined {
		const { session } = this;
		if (session === undefined) return undefined;
		return `${toolLabel(call)} ${spokenCall(session.conversation, call, this.sessions.platform.clock.now())}.`;
	}

	private async bodyTooltip(place: Place, body: BodyRef, heading?: string): Promise<MarkdownString> {
		const read = cutLines(await readBody(this.sessions.platform.files, place, body, bodyLimitBytes), tooltipLines);
		const markdown = new MarkdownString();
		if (heading !== undefined) markdown.appendText(heading);
		markdown.appendCodeblock(read.text, read.language);
		if (read.cut !== undefined) markdown.appendText(read.cut);
		return markdown;
	}

	private itemOf(node: ConversationNode): TreeItem {
		switch (node.kind) {
			case 'turn':
				return turnItem(node.turn, this.agent, firstWords(node.turn.prompt, this.words));
			case 'rows': {
				const item = new TreeItem(
					`Rows ${node.from} to ${node.from + node.rows.length - 1}`,
					TreeItemCollapsibleState.Collapsed,
				);
				item.iconPath = new ThemeIcon('list-flat');
				return item;
			}
			case 'message':
				return messageItem(node, firstWords(node.message, this.words));
			case 'call':
				return this.callItem(node.call);
			case 'stray': {
				const item = new TreeItem(node.result.toolUseId, TreeItemCollapsibleState.Collapsed);
				item.description = `a result without its call: ${shortened(node.result.body.preview, 80)}`;
				item.iconPath = new ThemeIcon('warning', new ThemeColor('list.warningForeground'));
				item.contextValue = 'crosstalkResult.stray';
				return item;
			}
			case 'compaction': {
				const words = compactionWords(node.compaction);
				const item = new TreeItem(`── ${words} ──`, TreeItemCollapsibleState.None);
				item.contextValue = 'crosstalkCompaction';
				item.accessibilityInformation = { label: `Here the conversation was ${words}.` };
				return item;
			}
			case 'server':
				return serverItem(node.change);
			case 'arguments':
				return bodyItem('Arguments', node.call.arguments, 'symbol-parameter');
			case 'result':
				return bodyItem(
					node.result === node.call.result ? (node.result.isError ? 'Error' : 'Result') : 'Further result',
					node.result.body,
					node.result.isError ? 'error' : 'output',
				);
			case 'member':
				return memberItem(node.name, node.value);
			case 'note': {
				const item = new TreeItem(node.text, TreeItemCollapsibleState.None);
				item.tooltip = node.text;
				return item;
			}
			case 'conflict': {
				const item = new TreeItem(node.text, TreeItemCollapsibleState.None);
				item.iconPath = new ThemeIcon('git-compare');
				item.tooltip = node.text;
				item.contextValue = 'crosstalkConflict';
				item.accessibilityInformation = { label: `Conflict. ${node.text}` };
				return item;
			}
		}
	}

	private callItem(call: ToolCall): TreeItem {
		const item = new TreeItem(toolLabel(call), TreeItemCollapsibleState.Collapsed);
		const { session } = this;
		if (session === undefined) return item;
		const { conversation } = session;
		const now = Date.now();
		const state = callState(conversation, call);
		const words = [callWords(conversation, call, now), ...hostCallWords(call, state)]
			.filter((word) => word !== '')
			.join(' · ');
		const result = call.result === undefined ? 'no result' : shortened(call.result.body.preview, 60);
		item.description = `${shortened(call.arguments.preview, 60)}  →  ${result}${words === '' ? '' : `   ${words}`}`;
		switch (state.state) {
			case 'completed':
				item.iconPath = new ThemeIcon('arrow-swap');
				break;
			case 'failed':
				item.iconPath = new ThemeIcon('error', new ThemeColor('list.errorForeground'));
				break;
			case 'pending':
				item.iconPath = state.isCertain ? new ThemeIcon('clock') : new ThemeIcon('question');
				break;
			case 'orphaned':
				// As the tree of agents has it.
				item.iconPath = new ThemeIcon('circle-slash', severityColor(worstAt(call, session.diagnostics)));
				break;
			case 'abandoned':
				item.iconPath = new ThemeIcon('dash');
				break;
		}
		item.contextValue = `crosstalkCall.${state.state}`;
		item.accessibilityInformation = {
			label: `Call to ${toolLabel(call)} ${spokenCall(conversation, call, now)}. Arguments: ${shortened(call.arguments.preview, 80)}`,
		};
		return item;
	}
}

/** Where a row is written. */
export function nodePlace(node: ConversationNode): Place | undefined {
	switch (node.kind) {
		case 'turn': {
			const [first] = node.turn.rows;
			return first === undefined ? undefined : placeOf(first);
		}
		case 'rows':
		case 'note':
		case 'conflict':
			return undefined;
		case 'message':
		case 'call':
		case 'stray':
		case 'compaction':
		case 'server':
			return placeOf(node);
		case 'arguments':
			return node.call.place;
		case 'result':
			return node.result.place;
		case 'member':
			return node.place;
	}
}

/** What the host says of one passage of a call. */
function hostNote({ server, ended, attempts, queued, callId }: HostCall): string {
	const how =
		ended === undefined
			? 'no end was recorded.'
			: `${ended.ending.replace('-', ' ')} after ${duration(ended.durationMs)}${ended.reason === undefined ? '.' : `: ${ended.reason}`}`;
	const waited = queued.length === 0 ? '' : ` It waited: ${queued.join(' ')}`;
	return `Through the host to ${server}, ${counted(attempts, 'attempt')} (${callId}): ${how}${waited}`;
}

/** What the agent's own hooks say of a call. */
function hookNote({ began, asked, ended }: HookCall): string {
	const time = (at: number | undefined) => (at === undefined ? '' : ` at ${timeOfDay(at)}`);
	const words = [
		...(began === undefined ? [] : [`begun${time(began.at)}`]),
		...(asked === undefined ? [] : [`a person was asked to allow it${time(asked.at)}`]),
		...(ended === undefined ? ['no end was told'] : [endWords(ended)]),
	];
	return `By its agent's hooks: ${words.join('; ')}.`;
}

function endWords({ how, durationMs, at, reason }: NonNullable<HookCall['ended']>): string {
	const when =
		durationMs === undefined ? (at === undefined ? '' : ` at ${timeOfDay(at)}`) : ` after ${duration(durationMs)}`;
	const why = reason === undefined ? '' : ` (${shortened(withoutFullStop(reason), 160)})`;
	return `${how === 'over' ? 'over with the other calls of its message' : how}${when}${why}`;
}

function serverItem(change: ServerChange): TreeItem {
	const words = serverChangeWords(change);
	const item = new TreeItem(`── ${words} ──`, TreeItemCollapsibleState.None);
	item.description = change.at === undefined ? '' : timeOfDay(change.at);
	item.tooltip = change.change.type === 'upstream-state' ? (change.change.stderrTail ?? words) : words;
	item.contextValue = 'crosstalkServerChange';
	item.accessibilityInformation = { label: `The server ${words}.` };
	return item;
}

function grouped(rows: readonly Row[]): ConversationNode[] {
	if (rows.length <= groupSize) return [...rows];
	const groups: ConversationNode[] = [];
	for (let start = 0; start < rows.length; start += groupSize)
		groups.push({ kind: 'rows', rows: rows.slice(start, start + groupSize), from: start + 1 });
	return groups;
}

/** @param words The first ones of what began it. */
function turnItem(turn: Turn, agent: Agent | undefined, words: string): TreeItem {
	const isOfHost = turn.number === hostTurnNumber;
	const label = isOfHost ? seenLabel(turn) : turn.number === 0 ? 'Before the first turn' : `Turn ${turn.number}`;
	const isLast = isOfHost ? agent?.hasTranscript !== true : agent?.messages.at(-1)?.turn === turn.number;
	const item = new TreeItem(label, isLast ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed);
	item.id = `turn ${agent?.id ?? ''} ${turn.number}`;
	const time = turn.at === undefined ? '' : timeOfDay(turn.at);
	const prompt = shortened(words, 80);
	item.description = [time, prompt].filter((word) => word !== '').join(' · ');
	item.contextValue = 'crosstalkTurn';
	const calls = turn.rows.filter(({ kind }) => kind === 'call').length;
	item.accessibilityInformation = {
		label: `${label}${time === '' ? '' : ` at ${time}`}, ${counted(calls, 'call')}. ${prompt}`,
	};
	return item;
}

/** Of what no transcript tells of. */
function seenLabel({ rows }: Turn): string {
	const calls = rows.flatMap((row) => (row.kind === 'call' ? [row.call] : []));
	const isByHost = calls.length === 0 || calls.some(({ hostCalls }) => hostCalls.length > 0);
	if (!isByHost) return 'Seen by hooks';
	return calls.some(({ hookCall }) => hookCall !== undefined)
		? 'Seen by the MCP host and by hooks'
		: 'Seen by the MCP host';
}

function messageItem({ message }: Extract<Row, { readonly kind: 'message' }>, words: string): TreeItem {
	const speaker = speakerOf(message);
	const text = shortened(words, 120);
	const item = new TreeItem(text, TreeItemCollapsibleState.None);
	item.iconPath = new ThemeIcon(
		message.role === 'assistant' ? 'comment' : message.kind === 'prompt' ? 'account' : 'note',
	);
	if (!message.isActive) item.description = 'no longer part of the conversation';
	item.contextValue = `crosstalkMessage.${message.kind}`;
	item.accessibilityInformation = { label: `${speaker}: ${text}` };
	return item;
}

function bodyItem(label: string, body: BodyRef, icon: string): TreeItem {
	const item = new TreeItem(label, TreeItemCollapsibleState.Collapsed);
	item.description = shortened(body.preview, 120);
	item.iconPath = new ThemeIcon(icon);
	item.contextValue = `crosstalkBody.${label === 'Arguments' ? 'arguments' : 'result'}`;
	item.accessibilityInformation = { label: `${label}: ${shortened(body.preview, 120)}` };
	return item;
}

function memberItem(name: string, value: unknown): TreeItem {
	const isOpenable = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
	const item = new TreeItem(name, isOpenable ? TreeItemCollapsibleState.Collapsed : TreeItemCollapsibleState.None);
	const text = typeof value === 'string' ? value : JSON.stringify(value);
	item.description = shortened(text, 200);
	item.tooltip = text.slice(0, 10_000);
	item.accessibilityInformation = { label: `${name}: ${shortened(text, 200)}` };
	return item;
}

function members(value: unknown, place: Place): ConversationNode[] {
	if (typeof value !== 'object' || value === null) return [];
	const entries = Object.entries(value);
	const nodes: ConversationNode[] = entries
		.slice(0, shownMembers)
		.map(([name, member]) => ({ kind: 'member', name, value: member as unknown, place }));
	if (entries.length > shownMembers)
		nodes.push({ kind: 'note', text: `… and ${entries.length - shownMembers} more` });
	return nodes;
}

function cutText(text: string): string[] {
	const lines = text.split('\n');
	return lines.length <= tooltipLines
		? lines
		: [...lines.slice(0, tooltipLines), `… and ${lines.length - tooltipLines} more lines`];
}
