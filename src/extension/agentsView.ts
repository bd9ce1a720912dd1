import { Uri, commands, window } from 'vscode';
import type { Disposable, TreeView } from 'vscode';
import { mainAgentId } from '../core/base/ids.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { AgentsTree } from './agentsTree.ts';
import type { AgentNode, AgentsNode } from './agentsTree.ts';
import { registerCommand } from './commands.ts';
import { commandIds, contextKeys, viewIds } from './ids.ts';
import type { Log } from './log.ts';
import { MarkedTree } from './markedTree.ts';
import type { SessionKey } from './sessionInView.ts';
import type { Sessions } from './sessions.ts';
import { filterWords, noFilter } from './sessionFilter.ts';
import type { SessionFilter } from './sessionFilter.ts';
import { ownHomes } from './settings.ts';
import { delay, viewEveryMs } from './throttle.ts';

export interface AgentsView extends Disposable {
	readonly tree: AgentsTree;
	/** The tree as the view has it. */
	readonly marked: MarkedTree<AgentsNode>;
	readonly view: TreeView<AgentsNode>;
	isNode(value: unknown): value is AgentsNode;
	/** The row that a command is about: the one it was called on, or the selected one when a key was pressed. */
	nodeOf(value: unknown): AgentsNode | undefined;
	/** Of the row's session or agent. */
	idOf(value: unknown): string | undefined;
	/** Shows where the row's agent begins. */
	reveal(value: unknown): Promise<void>;
}

export function registerAgentsView(sessions: Sessions, log: Log): AgentsView {
	const disposables = new DisposableStore();
	const tree = disposables.add(new AgentsTree(sessions));
	const marked = disposables.add(new MarkedTree<AgentsNode>(tree));
	const view = disposables.add(
		window.createTreeView<AgentsNode>(viewIds.agents, { treeDataProvider: marked, showCollapseAll: true }),
	);
	disposables.add(view.onDidChangeVisibility(({ visible }) => tree.setVisible(visible)));
	disposables.add(
		view.onDidCollapseElement(({ element }) => element.kind === 'session' && tree.release(element.key)),
	);
	tree.setVisible(view.visible);

	const setContext = (key: string, value: unknown) => void commands.executeCommand('setContext', key, value);
	disposables.add(
		sessions.onDidChange(() => {
			setContext(contextKeys.hasSearched, sessions.isSearched);
			setContext(contextKeys.hasOwnHomes, ownHomes().length > 0);
		}),
	);

	const setFilter = (filter: SessionFilter) => {
		tree.setFilter(filter);
		view.description = filterWords(filter) ?? '';
		setContext(contextKeys.isFiltered, filter !== noFilter);
	};
	const rowOf = (node: unknown): AgentsNode | undefined => [node, view.selection[0]].find(isNode);

	disposables.add(
		registerCommand(log, commandIds.refreshSessions, 'The sessions could not be looked for', () =>
			sessions.searchAgain(),
		),
	);
	disposables.add(
		registerCommand(log, commandIds.filterSessions, 'The list could not be filtered', async () => {
			const { askForFilter } = await import('./askForFilter.ts');
			const filter = await askForFilter(sessions, tree.shownFilter);
			if (filter !== undefined) setFilter(filter);
		}),
	);
	disposables.add(
		registerCommand(log, commandIds.clearFilter, 'The filter could not be cleared', () => setFilter(noFilter)),
	);
	disposables.add(
		registerCommand(log, commandIds.showMore, 'More sessions could not be shown', () => tree.showMore()),
	);
	disposables.add(
		registerCommand(log, commandIds.openHomesSetting, 'The settings could not be opened', () =>
			commands.executeCommand('workbench.action.openSettings', 'crosstalk.homes'),
		),
	);
	disposables.add(
		registerCommand(log, commandIds.openSession, 'The session could not be opened', async (uri?: unknown) => {
			const path =
				uri instanceof Uri ? uri.fsPath : await (await import('./askForTranscript.ts')).askForTranscript();
			if (path === undefined) return;
			const key = await sessions.open(path);
			setFilter(noFilter);
			await revealRow(view, tree.sessionNode(key));
		}),
	);
	disposables.add(
		registerCommand(
			log,
			commandIds.revealInAgents,
			'The agent could not be shown',
			async (key: unknown, agentId: unknown) => {
				if (typeof key !== 'string' || typeof agentId !== 'string') return;
				const hold = sessions.hold(key);
				await hold?.session.whenRead;
				const agent =
					[...(hold?.session.conversation.agents.keys() ?? [])].find((id) => id === agentId) ?? mainAgentId;
				await revealRow(view, tree.agentNode(key, agent));
				hold?.dispose();
			},
		),
	);
	return {
		tree,
		marked,
		view,
		isNode,
		nodeOf: rowOf,
		idOf(node) {
			const row = rowOf(node);
			return row?.kind === 'session'
				? sessions.entry(row.key)?.files.nativeId
				: row?.kind === 'agent'
					? row.agentId
					: undefined;
		},
		async reveal(node) {
			const { revealRowInTranscript } = await import('./revealAgent.ts');
			await revealRowInTranscript(sessions, rowOf(node));
		},
		dispose: () => disposables.dispose(),
	};
}

function isNode(value: unknown): value is AgentsNode {
	return typeof value === 'object' && value !== null && 'kind' in value && ('key' in value || value.kind === 'more');
}

/** For tests and other views: the session and agent that a row stands for. */
export function agentOf(
	node: AgentsNode | undefined,
): { readonly key: SessionKey; readonly agentId: AgentNode['agentId'] } | undefined {
	if (node?.kind === 'agent') return node;
	return node?.kind === 'session' ? { key: node.key, agentId: mainAgentId } : undefined;
}

/** A view knows the rows that it was told of last, which for one that has just come is a moment later. */
async function revealRow(view: Pick<TreeView<AgentsNode>, 'reveal'>, row: AgentsNode): Promise<void> {
	for (let round = 1; ; round++) {
		try {
			await view.reveal(row, { select: true, focus: true, expand: true });
			return;
		} catch (error) {
			if (round === 5) throw error;
			await delay(viewEveryMs);
		}
	}
}
