import { EventEmitter, MarkdownString, ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState } from 'vscode';
import type { Disposable, TreeDataProvider } from 'vscode';
import type { AgentId } from '../core/base/ids.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { counted } from '../core/base/text.ts';
import { pathsOf } from '../core/transcripts/sessionFiles.ts';
import { commandIds } from './ids.ts';
import type { SessionInView, SessionKey } from './sessionInView.ts';
import type { SessionEntry, SessionHold, Sessions } from './sessions.ts';
import { severityColor } from './severityColor.ts';
import { isShown, noFilter } from './sessionFilter.ts';
import type { SessionFilter } from './sessionFilter.ts';
import type { AgentState, AgentSummary } from './summary.ts';
import { Throttle, delay, viewEveryMs } from './throttle.ts';
import {
	agentWords,
	ago,
	bytes,
	duration,
	formatNames,
	projectOf,
	shortened,
	spokenAgent,
	spokenDuration,
	titleOf,
} from './words.ts';

export type AgentsNode = SessionNode | AgentNode | NoteNode | MoreNode;

export interface SessionNode {
	readonly kind: 'session';
	readonly key: SessionKey;
}

export interface AgentNode {
	readonly kind: 'agent';
	readonly key: SessionKey;
	readonly agentId: AgentId;
}

/** Something to be said in place of agents. */
interface NoteNode {
	readonly kind: 'note';
	readonly key: SessionKey;
	readonly text: string;
}

interface MoreNode {
	readonly kind: 'more';
	readonly hidden: number;
}

/** A home may hold thousands of sessions; this many are shown, and as many more whenever a person asks. */
const pageSize = 50;
/** A session that is read this fast is shown whole at once, a larger one in part. */
const patienceMs = 400;

/** Sessions, their agents and their subagents, as deep as it goes. */
export class AgentsTree implements TreeDataProvider<AgentsNode>, Disposable {
	private readonly changed = new EventEmitter<AgentsNode | undefined>();
	readonly onDidChangeTreeData = this.changed.event;
	private readonly sessions: Sessions;
	private readonly disposables = new DisposableStore();
	private readonly nodes = new Map<string, AgentsNode>();
	private readonly holds = new Map<SessionKey, { readonly hold: SessionHold; readonly listening: Disposable }>();
	private readonly changedKeys = new Set<SessionKey>();
	private readonly refreshing: Throttle;
	/** The list itself is to be made anew. */
	private isRootChanged = false;
	/** The order of the sessions as the rows were last made. */
	private shownOrder = '';
	private shownCount = pageSize;
	private filter: SessionFilter = noFilter;
	private isVisible = false;
	private watching: Disposable | undefined;
	private ticker: NodeJS.Timeout | undefined;

	constructor(sessions: Sessions) {
		this.sessions = sessions;
		this.disposables.add(this.changed);
		this.refreshing = this.disposables.add(new Throttle(viewEveryMs, () => this.refresh()));
		this.disposables.add(
			sessions.onDidChange((key) => {
				if (!this.isVisible) return;
				if (key === undefined) this.fireRoot();
				else {
					this.changedKeys.add(key);
					this.refreshing.request();
				}
			}),
		);
	}

	get shownFilter(): SessionFilter {
		return this.filter;
	}

	setFilter(filter: SessionFilter): void {
		this.filter = filter;
		this.shownCount = pageSize;
		// A row's findings are known when its session was read.
		this.fireRoot();
	}

	showMore(): void {
		this.shownCount += pageSize;
		this.fireRoot();
	}

	/** Nothing is read or watched while nobody looks. */
	setVisible(isVisible: boolean): void {
		if (isVisible === this.isVisible) return;
		this.isVisible = isVisible;
		if (isVisible) {
			this.watching = this.sessions.watch();
			this.ticker = setInterval(() => this.tick(), 1000);
			this.fireRoot();
		} else {
			this.watching?.dispose();
			this.watching = undefined;
			clearInterval(this.ticker);
			for (const key of [...this.holds.keys()]) this.release(key);
		}
	}

	/** A collapsed session need not be followed any more. */
	release(key: SessionKey): void {
		const holding = this.holds.get(key);
		this.holds.delete(key);
		holding?.listening.dispose();
		holding?.hold.dispose();
	}

	async getChildren(node?: AgentsNode): Promise<AgentsNode[]> {
		if (node === undefined) return this.rootNodes();
		if (node.kind === 'session') return this.agentNodes(node);
		if (node.kind !== 'agent') return [];
		const children = this.summaryOf(node)?.children ?? [];
		return children.map(({ agent }) => this.agentNode(node.key, agent.id));
	}

	getParent(node: AgentsNode): AgentsNode | undefined {
		if (node.kind !== 'agent') return undefined;
		const session = this.sessions.inView(node.key);
		const parent = [...(session?.summary.agents.values() ?? [])].find(({ children }) =>
			children.some(({ agent }) => agent.id === node.agentId),
		);
		return parent === undefined ? this.sessionNode(node.key) : this.agentNode(node.key, parent.agent.id);
	}

	getTreeItem(node: AgentsNode): TreeItem {
		switch (node.kind) {
			case 'session':
				return this.sessionItem(node);
			case 'agent':
				return this.agentItem(node);
			case 'note': {
				const item = new TreeItem(node.text, TreeItemCollapsibleState.None);
				item.iconPath = new ThemeIcon('info');
				return item;
			}
			case 'more': {
				const item = new TreeItem(`Show more (${node.hidden} hidden)`, TreeItemCollapsibleState.None);
				item.iconPath = new ThemeIcon('ellipsis');
				item.command = { command: commandIds.showMore, title: 'Show More Sessions' };
				item.accessibilityInformation = { label: `Show more sessions. ${node.hidden} are hidden.` };
				return item;
			}
		}
	}

	/** The same object for the same row, as the view wants it. */
	sessionNode(key: SessionKey): SessionNode {
		return this.node(`session ${key}`, { kind: 'session', key });
	}

	agentNode(key: SessionKey, agentId: AgentId): AgentNode {
		return this.node(`agent ${agentId} ${key}`, { kind: 'agent', key, agentId });
	}

	dispose(): void {
		this.setVisible(false);
		this.disposables.dispose();
	}

	private node<N extends AgentsNode>(id: string, node: N): N {
		const known = this.nodes.get(id);
		if (known !== undefined) return known as N; // an id names its kind
		this.nodes.set(id, node);
		return node;
	}

	private async rootNodes(): Promise<AgentsNode[]> {
		await this.sessions.search();
		for (const key of [...this.holds.keys()]) {
			if (this.sessions.entry(key) === undefined) this.release(key);
		}
		const shown = this.sessions.list.filter((entry) => isShown(entry, this.filter));
		const page = shown.slice(0, this.shownCount);
		this.shownOrder = this.order();
		// Whether a session has findings shows when it was read, so that a filter for them needs more of the list.
		const wanted = this.filter === noFilter ? page : this.sessions.list.slice(0, this.shownCount * 4);
		if (this.isVisible) this.sessions.wantDetails(wanted.map(({ key }) => key));
		const nodes: AgentsNode[] = page.map(({ key }) => this.sessionNode(key));
		if (shown.length > page.length) nodes.push({ kind: 'more', hidden: shown.length - page.length });
		return nodes;
	}

	private async agentNodes(node: SessionNode): Promise<AgentsNode[]> {
		const session = this.hold(node.key);
		if (session === undefined) return [];
		if (!session.isRead) await Promise.race([session.whenRead, delay(patienceMs)]);
		const { roots } = session.summary;
		if (roots.length > 0) return roots.map(({ agent }) => this.agentNode(node.key, agent.id));
		const problem = [...session.fileProblems.values()][0];
		return [
			{
				kind: 'note',
				key: node.key,
				text: session.isRead ? (problem ?? 'Nothing was said in this session.') : 'Reading…',
			},
		];
	}

	private hold(key: SessionKey): SessionInView | undefined {
		const known = this.holds.get(key);
		if (known !== undefined) return known.hold.session;
		const hold = this.sessions.hold(key);
		if (hold === undefined) return undefined;
		const listening = hold.session.onDidProgress(() => {
			this.changedKeys.add(key);
			this.refreshing.request();
		});
		this.holds.set(key, { hold, listening });
		return hold.session;
	}

	private summaryOf(node: AgentNode): AgentSummary | undefined {
		return this.sessions.inView(node.key)?.summary.agents.get(node.agentId);
	}

	private sessionItem(node: SessionNode): TreeItem {
		const entry = this.sessions.entry(node.key);
		const item = new TreeItem(titleOf(entry), TreeItemCollapsibleState.Collapsed);
		item.id = `session ${this.sessions.entry(node.key)?.rowId ?? node.key}`;
		if (entry === undefined) return item;
		const now = Date.now();
		const { details, files } = entry;
		const isLive = details?.state === 'live';
		const lastAt = details?.lastEventAt ?? entry.modifiedAt;
		const since = details?.since;
		const words = [
			isLive && files.saved !== undefined
				? 'unfinished'
				: isLive
					? `live${since === undefined ? '' : ` ${duration(now - since)}`}`
					: ago(lastAt, now),
		];
		if (details !== undefined) {
			if (details.pending > 0)
				words.push(isLive ? `${details.pending} in flight` : `${details.pending} without a result`);
			if (details.orphaned > 0) words.push(`${details.orphaned} orphaned`);
			if (details.diagnostics.length > 0) words.push(counted(details.diagnostics.length, 'problem'));
		}
		// In a narrow sidebar the end is cut off, so what stays the same comes last.
		if (files.saved !== undefined) words.push(`saved ${files.saved.savedAt.slice(0, 10)}`);
		words.push(formatNames[files.format] ?? files.format);
		if (details === undefined) words.push(bytes(entry.bytes));
		item.description = words.join(' · ');
		const icon = files.saved !== undefined ? 'archive' : isLive ? 'circle-filled' : 'circle-outline';
		item.iconPath = new ThemeIcon(
			icon,
			severityColor(details?.worst) ?? (isLive ? new ThemeColor('charts.green') : undefined),
		);
		item.contextValue = `crosstalkSession.${details?.state ?? 'unread'}`;
		item.tooltip = sessionTooltip(entry);
		const agents =
			details === undefined ? '' : ` ${counted(details.agents, 'agent')}, ${counted(details.calls, 'call')}.`;
		const problems =
			details === undefined || details.diagnostics.length === 0
				? ''
				: ` ${counted(details.diagnostics.length, 'problem')}.`;
		const inFlight = isLive && details.pending > 0 ? ` ${counted(details.pending, 'call')} in flight.` : '';
		const life = isLive
			? `live${since === undefined ? '' : ` for ${spokenDuration(now - since)}`}`
			: `last active ${ago(lastAt, now)}`;
		item.accessibilityInformation = {
			label: `Session ${titleOf(entry)} of ${formatNames[files.format] ?? files.format}, ${life}.${agents}${inFlight}${problems}`,
			role: 'treeitem',
		};
		return item;
	}

	private agentItem(node: AgentNode): TreeItem {
		const session = this.sessions.inView(node.key);
		const summary = this.summaryOf(node);
		const item = new TreeItem(summary?.name ?? node.agentId, TreeItemCollapsibleState.None);
		item.id = `agent ${node.agentId} ${this.sessions.entry(node.key)?.rowId ?? node.key}`;
		if (summary === undefined || session === undefined) return item;
		const now = Date.now();
		if (summary.children.length > 0) item.collapsibleState = TreeItemCollapsibleState.Expanded;
		item.description = agentWords(summary, now);
		item.iconPath = agentIcon(summary);
		item.contextValue = `crosstalkAgent.${summary.state}`;
		item.tooltip = agentTooltip(session, summary);
		item.accessibilityInformation = { label: spokenAgent(session.conversation, summary, now), role: 'treeitem' };
		item.command = { command: commandIds.revealTranscript, title: 'Reveal in Transcript', arguments: [node] };
		return item;
	}

	private refresh(): void {
		// What a session says of its last event may move it among the others; rows do not move by themselves.
		if (this.isRootChanged || this.order() !== this.shownOrder) {
			this.isRootChanged = false;
			this.changedKeys.clear();
			this.changed.fire(undefined);
			return;
		}
		const keys = [...this.changedKeys];
		this.changedKeys.clear();
		for (const key of keys) this.changed.fire(this.sessionNode(key));
	}

	private order(): string {
		return this.sessions.list
			.slice(0, this.shownCount)
			.map(({ key }) => key)
			.join('\n');
	}

	private fireRoot(): void {
		this.isRootChanged = true;
		this.refreshing.request();
	}

	/** Ages grow; nothing else changes by itself. */
	private tick(): void {
		for (const entry of this.sessions.list.slice(0, this.shownCount)) {
			if (entry.details?.state === 'live') this.changedKeys.add(entry.key);
		}
		if (this.changedKeys.size > 0) this.refreshing.request();
	}
}

const stateIcons = {
	running: 'sync~spin',
	waiting: 'clock',
	done: 'pass',
	failed: 'error',
	killed: 'circle-slash',
	unknown: 'question',
} as const satisfies Record<AgentState, string>;

/** That it failed its own transcript says; whether a call that was killed is missed, the findings say. */
function agentIcon({ state, worst }: AgentSummary): ThemeIcon {
	const color = state === 'failed' ? severityColor('error') : severityColor(worst);
	return new ThemeIcon(
		stateIcons[state],
		color ?? (state === 'done' ? new ThemeColor('testing.iconPassed') : undefined),
	);
}

function sessionTooltip(entry: SessionEntry): MarkdownString {
	const { details, files } = entry;
	const rows: [string, string][] = [
		['Agent', formatNames[files.format] ?? files.format],
		['Session', files.nativeId],
		['Folder', projectOf(entry)],
		['Written', new Date(entry.modifiedAt).toLocaleString()],
		['Files', `${counted(pathsOf(files).length, 'file')}, ${bytes(entry.bytes)}`],
	];
	if (details !== undefined)
		rows.push(
			['Agents', String(details.agents)],
			['Calls', String(details.calls)],
			['Problems', String(details.diagnostics.length)],
		);
	return table(titleOf(entry), rows);
}

function agentTooltip(session: SessionInView, { agent, name, calls, orphaned, failed }: AgentSummary): MarkdownString {
	const { ended, spawnCall } = agent;
	const rows: [string, string][] = [['Id', agent.id]];
	if (agent.type !== undefined) rows.push(['Type', agent.type]);
	if (agent.description !== undefined) rows.push(['Task', agent.description]);
	if (spawnCall !== undefined) rows.push(['Started by', `${spawnCall.name} (${spawnCall.id})`]);
	rows.push(['Calls', `${calls}, ${failed} failed, ${orphaned} orphaned`]);
	rows.push(['State', ended === undefined ? session.conversation.liveness.evidence : ended.evidence]);
	if (!agent.hasTranscript) rows.push(['Transcript', agent.report?.transcriptPath ?? 'Nothing of it was found.']);
	if (agent.report?.hasStopped === true) rows.push(['Last message', agent.report.stopped?.lastMessage ?? '']);
	return table(name, rows);
}

function table(title: string, rows: readonly (readonly [string, string])[]): MarkdownString {
	const markdown = new MarkdownString();
	markdown.appendMarkdown('**').appendText(title).appendMarkdown('**\n\n| | |\n|---|---|\n');
	for (const [name, value] of rows) {
		if (value === '') continue;
		markdown
			.appendMarkdown(`| ${name} | `)
			.appendText(shortened(value, 200).replaceAll('|', '¦'))
			.appendMarkdown(' |\n');
	}
	return markdown;
}
