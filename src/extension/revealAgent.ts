import { window } from 'vscode';
import type { AgentNode, AgentsNode } from './agentsTree.ts';
import { locationOf } from './convert.ts';
import { openPlace } from './reveal.ts';
import type { Sessions } from './sessions.ts';

/** Shows where the row's agent begins. @param row `undefined`: none is selected. */
export async function revealRowInTranscript(sessions: Sessions, row: AgentsNode | undefined): Promise<void> {
	if (row?.kind === 'session') await openPlace(row.key, undefined);
	if (row?.kind === 'agent') await revealAgent(sessions, row);
	if (row === undefined)
		void window.showInformationMessage('Select a session or an agent to see it in its transcript.');
}

async function revealAgent(sessions: Sessions, { key, agentId }: AgentNode): Promise<void> {
	const agent = sessions.inView(key)?.conversation.agents.get(agentId);
	const first = agent?.messages[0];
	const location = first === undefined ? undefined : locationOf(first.place);
	const path = location?.uri.fsPath ?? agent?.path;
	if (path === undefined) void window.showInformationMessage("Nothing of this agent's transcript was found.");
	else await openPlace(path, location?.range);
}
