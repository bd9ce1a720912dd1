import { commands, env, window } from 'vscode';
import type { Disposable, TreeView } from 'vscode';
import { agentId as toAgentId, mainAgentId } from '../core/base/ids.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { agentName } from '../core/conversation/index.ts';
import { agentOf } from './agentsView.ts';
import type { AgentsView } from './agentsView.ts';
import { registerCommand } from './commands.ts';
import { locationOf } from './convert.ts';
import { ConversationTree, nodePlace } from './conversationTree.ts';
import type { ConversationNode } from './conversationTree.ts';
import { commandIds, contextKeys, languageId, viewIds } from './ids.ts';
import type { Log } from './log.ts';
import { MarkedTree } from './markedTree.ts';
import type { OpenTranscripts } from './openTranscripts.ts';
import { openPlace } from './reveal.ts';
import type { SessionKey } from './sessionInView.ts';
import type { Sessions } from './sessions.ts';
import { transcriptLines } from './transcriptLines.ts';

export interface ConversationView extends Disposable {
	readonly tree: ConversationTree;
	/** The tree as the view has it. */
	readonly marked: MarkedTree<ConversationNode>;
	readonly view: TreeView<ConversationNode>;
}

export function registerConversationView(
	sessions: Sessions,
	transcripts: OpenTranscripts,
	agents: AgentsView,
	log: Log,
): ConversationView {
	const disposables = new DisposableStore();
	const tree = disposables.add(new ConversationTree(sessions));
	const marked = disposables.add(new MarkedTree<ConversationNode>(tree));
	const view = disposables.add(
		window.createTreeView<ConversationNode>(viewIds.conversation, {
			treeDataProvider: marked,
			showCollapseAll: true,
		}),
	);
	disposables.add(view.onDidChangeVisibility(({ visible }) => tree.setVisible(visible)));
	tree.setVisible(view.visible);

	const show = async (key: SessionKey, agentId: string): Promise<void> => {
		tree.show(key, toAgentId(agentId));
		void commands.executeCommand('setContext', contextKeys.hasConversation, true);
		await tree.session?.whenRead;
		// Not as its title: VS Code would write the name with a capital.
		if (tree.agent !== undefined) view.description = agentName(tree.agent);
	};
	// Which of the two views a command from the palette is about: the one in which a row was chosen last.
	let lastChosenIn: string = viewIds.agents;
	disposables.add(view.onDidChangeSelection(() => (lastChosenIn = viewIds.conversation)));
	disposables.add(
		agents.view.onDidChangeSelection(({ selection }) => {
			lastChosenIn = viewIds.agents;
			const agent = agentOf(selection[0]);
			if (agent !== undefined) void show(agent.key, agent.agentId); // reading does not fail, it says why it could not
		}),
	);
	disposables.add(
		registerCommand(
			log,
			commandIds.showConversation,
			'The conversation could not be shown',
			async (node?: unknown) => {
				const agent = agentOf(agents.nodeOf(node)) ?? (await agentInEditor(transcripts));
				if (agent === undefined) {
					void window.showInformationMessage(
						'Select an agent in the Crosstalk view, or open a transcript, to see its conversation.',
					);
					return;
				}
				// At once: until the view is there, another row may be chosen, and that counts more.
				const showing = show(agent.key, agent.agentId);
				await commands.executeCommand(`${viewIds.conversation}.focus`);
				await showing;
			},
		),
	);
	disposables.add(
		registerCommand(
			log,
			commandIds.revealTranscript,
			'The transcript could not be opened',
			async (node?: unknown) => {
				if (agents.isNode(node) || (node === undefined && lastChosenIn === viewIds.agents)) {
					await agents.reveal(node);
					return;
				}
				// Menus hand over the row of the view they were opened in.
				const row = (node as ConversationNode | undefined) ?? view.selection.find(isRow);
				const place = row === undefined ? undefined : nodePlace(row);
				const location = place === undefined ? undefined : locationOf(place);
				if (location !== undefined) await openPlace(location.uri.fsPath, location.range);
				else if (row === undefined)
					void window.showInformationMessage('Select a row of the conversation to see it in its transcript.');
			},
		),
	);
	disposables.add(
		registerCommand(log, commandIds.copyId, 'The id could not be copied', async (of?: unknown) => {
			// Menus hand over a row, keys the view that they were pressed in.
			const isOfAgent = agents.isNode(of) || (!isRow(of) && (of ?? lastChosenIn) === viewIds.agents);
			const row = isRow(of) ? of : view.selection.find(isRow);
			const id = isOfAgent ? agents.idOf(of) : isCall(row) ? row.call.id : undefined;
			if (id !== undefined) await env.clipboard.writeText(id);
			else void window.showInformationMessage('Select a session, an agent or a call to copy its id.');
		}),
	);
	return { tree, marked, view, dispose: () => disposables.dispose() };
}

/** The agent that wrote what stands in the active editor. */
export async function agentInEditor(
	transcripts: OpenTranscripts,
): Promise<{ readonly key: SessionKey; readonly agentId: string } | undefined> {
	const document = window.activeTextEditor?.document;
	if (document === undefined || document.languageId !== languageId) return undefined;
	const session = await transcripts.sessionOf(document);
	if (session === undefined) return undefined;
	const [agentId = mainAgentId] = transcriptLines(session.conversation, document.uri.fsPath).agents.keys();
	return { key: session.key, agentId };
}

function isRow(value: unknown): value is { readonly kind: unknown } {
	return typeof value === 'object' && value !== null && 'kind' in value;
}

function isCall(value: unknown): value is Extract<ConversationNode, { readonly kind: 'call' }> {
	return isRow(value) && value.kind === 'call';
}
