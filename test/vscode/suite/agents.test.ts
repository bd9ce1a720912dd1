import assert from 'node:assert/strict';
import { commands, languages } from 'vscode';
import { ask, eventually, labels, screenshot } from '../runner.ts';
import { api, childrenOf, outline, showAgents } from '../tested.ts';

describe('the view of agents', () => {
	before(showAgents);

	it('lists the sessions of all agents, with what was read of them', async () => {
		const { agents, sessions } = await api();
		const rows = await eventually(
			'Every session was read',
			() => agents.tree.getChildren(),
			(found) => found.length === 3 && sessions.list.every(({ details }) => details !== undefined),
		);
		assert.equal(rows.length, 3);
		const text = await outline();
		await say(text);
		assert.match(text, /claude-code|Claude Code/);
	});

	it('shows rows in the window, with labels that are sentences', async () => {
		const { agents } = await api();
		const [row] = await agents.tree.getChildren();
		assert.ok(row);
		await agents.view.reveal(row, { expand: 2 });
		const spoken = await eventually(
			'The agents are shown',
			() => labels('.monaco-list-row[role="treeitem"]'),
			(found) => found.some((label) => label.startsWith('Agent main')),
		);
		await say(spoken.join('\n'));
		await screenshot('agents');
	});

	it('finds what is wrong in the session that was killed', async () => {
		await commands.executeCommand('workbench.action.closeAllEditors');
		await say(languages.getDiagnostics().map(([uri, list]) => `${uri.path}: ${list.map((d) => d.message).join(' | ')}`).join('\n'));
		assert.ok(await childrenOf());
	});
});

async function say(line: string): Promise<void> {
	await ask('report', { line });
}
