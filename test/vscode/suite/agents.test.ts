import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ConfigurationTarget, MarkdownString, ThemeIcon, commands, env, workspace } from 'vscode';
import { accept, actUntil, click, eventually, labels, offered, press, screenshot, type } from '../runner.ts';
import {
	agentsOutline,
	api,
	conversationOutline,
	endedId,
	home,
	killedId,
	rowOfSession,
	showAgents,
} from '../tested.ts';

describe('the view of agents', () => {
	before(showAgents);
	after(() => commands.executeCommand('crosstalk.clearFilter'));

	it('shows who did what in a session that ended well', async () => {
		assert.deepEqual(await agentsOutline(await rowOfSession(endedId)), [
			'pass main — 3 calls',
			'  pass worker 1 — done · 1 call · general-purpose',
			'  pass worker 2 — done · 1 call · general-purpose',
			'  pass worker 3 — done · 1 call · general-purpose',
		]);
	});

	it('shows which calls a killed session has left', async () => {
		assert.deepEqual((await agentsOutline(await rowOfSession(killedId))).slice(1), [
			'  circle-slash worker 1 — killed · 1 orphaned · general-purpose',
			'  circle-slash worker 2 — killed · 1 orphaned · general-purpose',
			'  circle-slash worker 3 — killed · 1 orphaned · general-purpose',
		]);
	});

	it('has rows in the window whose labels are sentences', async () => {
		const { agents } = await api();
		const spoken: string[] = [];
		// A view has rows in the window for what there is room for.
		for (const [session, workers] of [
			[endedId, /^Agent worker \d, general-purpose, is done/],
			[killedId, /^Agent worker \d, general-purpose, was killed/],
		] as const) {
			let rows: readonly string[] = [];
			// VS Code forgets to open a row whose view is told of other rows in the same moment.
			await actUntil(
				'The agents are shown',
				async () => agents.view.reveal(await rowOfSession(session), { expand: 2, select: true }),
				async () => {
					rows = await labels('.monaco-list-row[role="treeitem"]');
					return rows.filter((label) => workers.test(label)).length === 3;
				},
			);
			spoken.push(...rows);
		}
		assert.ok(
			spoken.includes('Agent worker 1, general-purpose, was killed. 1 call, 1 orphaned. 1 problem.'),
			spoken.join('\n'),
		);
		assert.ok(
			spoken.some((label) =>
				/^Session LEAD go of Claude Code, last active .* ago\. 4 agents, 6 calls\. 3 problems\.$/.test(label),
			),
			spoken.join('\n'),
		);
		await screenshot('agents');
	});

	it('is narrowed down to what a person looks for, and says so', async () => {
		const { agents } = await api();
		void commands.executeCommand('crosstalk.filterSessions');
		await accept('With findings');
		const rows = await eventually(
			'Only what has findings is shown',
			() => agents.tree.getChildren(),
			(found) => found.length === 1,
		);
		assert.equal(rows[0]?.kind === 'session' && rows[0].key.includes(killedId), true);
		assert.equal(agents.view.description, 'with findings');
		await commands.executeCommand('crosstalk.clearFilter');
		assert.equal((await agents.tree.getChildren()).length, 3);
	});

	it('finds sessions by a part of their name', async () => {
		const { agents } = await api();
		void commands.executeCommand('crosstalk.filterSessions');
		await offered('With findings');
		await type('root_task');
		await accept('root_task');
		await eventually(
			'Only the Codex session is shown',
			() => agents.tree.getChildren(),
			(found) => found.length === 1,
		);
		await commands.executeCommand('crosstalk.clearFilter');
	});
});

describe('the view of agents, without any', () => {
	const setHomes = (homes: readonly string[] | undefined) =>
		workspace.getConfiguration('crosstalk').update('homes', homes, ConfigurationTarget.Global);
	after(async () => {
		await setHomes(undefined);
		await showAgents();
	});

	it('says where it has looked, and what to do next', async () => {
		const { sessions } = await showAgents();
		await setHomes([join(home(), 'nothing-here')]);
		await eventually(
			'The list is empty',
			() => sessions.list.length,
			(length) => length === 0,
		);
		const said = await eventually(
			'The welcome is shown',
			() => labels('.welcome-view-content p, .welcome-view-content .monaco-button'),
			(found) => found.some((text) => text.includes('crosstalk.homes')),
		);
		assert.ok(
			said.some((text) => text.includes('Open a Transcript…')),
			said.join('\n'),
		);
		await screenshot('empty');
	});

	it('searches a folder that a person has named', async () => {
		const { sessions } = await api();
		await setHomes([join(home(), '.codex')]);
		const list = await eventually(
			'The Codex session is found',
			() => sessions.list,
			(found) => found.length === 1,
		);
		assert.equal(list[0]?.files.format, 'codex');
	});
});

describe('the view of a conversation', () => {
	it('shows the turns of the chosen agent, and each call with its result as one row that opens to both', async () => {
		const { agents, conversation } = await showAgents();
		const [main] = await agents.tree.getChildren(await rowOfSession(endedId));
		const [worker] = await agents.tree.getChildren(main);
		assert.ok(worker);
		// VS Code tells of the selected row when it comes to it.
		await actUntil(
			'The agent is shown',
			async () => {
				await agents.view.reveal(worker, { select: true, focus: true });
				await commands.executeCommand('crosstalk.showConversation');
			},
			() => conversation.view.description === 'worker 1',
		);
		const rows = await conversationOutline(3);
		assert.match(rows[0] ?? '', /^Turn 1 — \d\d:\d\d:\d\d/);
		const call = rows.findIndex((row) => row.includes('arrow-swap '));
		assert.ok(call > 0, rows.join('\n'));
		assert.match(rows[call + 1] ?? '', /Arguments — \{/);
		assert.match(rows[call + 2] ?? '', /Result — /);
		await screenshot('conversation');
	});

	it('is that of the row that a key is pressed on', async () => {
		const { agents, conversation } = await showAgents();
		const [main] = await agents.tree.getChildren(await rowOfSession(endedId));
		assert.ok(main);
		const choose = () => agents.view.reveal(main, { select: true, focus: true, expand: true });
		await actUntil('The main agent is shown', choose, () => conversation.view.description === 'main');
		await actUntil(
			'The agent below is shown',
			async () => {
				await choose();
				await press('ArrowDown');
				await press('Enter');
			},
			() => conversation.view.description === 'worker 1',
		);
	});

	it("gives the id of the call that is chosen in it, and the agent's where an agent is", async () => {
		const { agents, conversation } = await showAgents();
		const [main] = await agents.tree.getChildren(await rowOfSession(endedId));
		const [worker] = await agents.tree.getChildren(main);
		assert.ok(worker?.kind === 'agent');
		const copied = async (what: string, copy: () => PromiseLike<unknown>, expected: string) => {
			await env.clipboard.writeText('');
			await eventually(
				what,
				async () => {
					// A window that draws its rows anew lets a key fall.
					await copy();
					return env.clipboard.readText();
				},
				(text) => text === expected,
				{ everyMs: 300, timeoutMs: 120_000 },
			);
		};
		const pressOn = async () => {
			await agents.view.reveal(worker, { select: true, focus: true });
			await press('Control+C');
		};
		await copied('Of the agent, by key', pressOn, worker.agentId);
		await commands.executeCommand('crosstalk.showConversation', worker);
		const call = await eventually(
			'The call is there',
			async () => {
				const [turn] = await conversation.tree.getChildren();
				return (await conversation.tree.getChildren(turn)).find((node) => node.kind === 'call');
			},
			(node) => node !== undefined,
		);
		assert.ok(call?.kind === 'call');
		await copied('Of the call, by menu', () => commands.executeCommand('crosstalk.copyId', call), call.call.id);
		await click('.pane-body [role=treeitem][aria-label^="Call to"]');
		await copied('Of the call, by key', () => press('Control+C'), call.call.id);
		await copied('Of the call, from the palette', () => commands.executeCommand('crosstalk.copyId'), call.call.id);
		await copied(
			'Of the agent, by menu',
			() => commands.executeCommand('crosstalk.copyId', worker),
			worker.agentId,
		);
	});

	it('is that of the row that was chosen last, also while the view is still opening for another', async () => {
		const { agents, conversation } = await showAgents();
		const [main] = await agents.tree.getChildren(await rowOfSession(endedId));
		const [worker] = await agents.tree.getChildren(main);
		assert.ok(main && worker?.kind === 'agent');
		const opening = commands.executeCommand('crosstalk.showConversation', main);
		await new Promise((resolve) => setImmediate(resolve));
		conversation.tree.show(worker.key, worker.agentId);
		await opening;
		assert.equal(conversation.tree.agent?.id, worker.agentId);
	});

	it('marks the call that never came back', async () => {
		const { agents, conversation } = await showAgents();
		const [main] = await agents.tree.getChildren(await rowOfSession(killedId));
		const [worker] = await agents.tree.getChildren(main);
		assert.ok(worker);
		await commands.executeCommand('crosstalk.showConversation', worker);
		await eventually(
			'Its session was read',
			() => conversation.tree.session?.key.includes(killedId) ?? false,
			(isShown) => isShown,
		);
		const rows = await conversationOutline(3);
		assert.ok(
			rows.some((row) => /^ {2}circle-slash .*→ {2}no result {3}orphaned: killed in mid-call$/.test(row)),
			rows.join('\n'),
		);
		assert.ok(
			rows.some((row) => row.includes('No result. ')),
			rows.join('\n'),
		);
		const [turn] = await conversation.tree.getChildren();
		const call = (await conversation.tree.getChildren(turn)).find(({ kind }) => kind === 'call');
		assert.ok(call);
		const { tooltip } = await conversation.tree.resolveTreeItem(conversation.tree.getTreeItem(call), call);
		assert.ok(tooltip instanceof MarkdownString);
		const told = tooltip.value.replaceAll('&nbsp;', ' ').replaceAll('\\', '');
		assert.match(told, /^everything\/trigger-long-running-operation has no result: killed in mid-call\.\s/);
		assert.match(told, /"duration": 30/);
		await actUntil(
			'Agent and call are in the window',
			() => agents.view.reveal(worker, { select: true }),
			async () => {
				const shown = await labels('.monaco-list-row[role="treeitem"]');
				return (
					shown.some((label) => label.startsWith('Agent worker 1, general-purpose, was killed')) &&
					shown.some((label) => /^Call to .* has no result: killed in mid-call/.test(label))
				);
			},
		);
		await screenshot('orphaned call');
	});

	it('gives an orphaned call the colour that its agent has: that of the finding', async () => {
		const { agents, conversation } = await showAgents();
		const settings = workspace.getConfiguration('crosstalk');
		const [main] = await agents.tree.getChildren(await rowOfSession(killedId));
		const [worker] = await agents.tree.getChildren(main);
		assert.ok(worker);
		await commands.executeCommand('crosstalk.showConversation', worker);
		const colors = async (): Promise<readonly (string | undefined)[]> => {
			const [turn] = await conversation.tree.getChildren();
			const call = (await conversation.tree.getChildren(turn)).find(({ kind }) => kind === 'call');
			// Settings have the session read anew.
			if (call === undefined) return ['nothing is shown'];
			return [agents.tree.getTreeItem(worker), conversation.tree.getTreeItem(call)].map(({ iconPath }) =>
				iconPath instanceof ThemeIcon ? iconPath.color?.id : 'no icon',
			);
		};
		try {
			for (const [severity, color] of [
				[undefined, 'list.errorForeground'],
				['warning', 'list.warningForeground'],
				['note', undefined],
				['off', undefined],
			] as const) {
				const rules = severity === undefined ? undefined : { 'orphaned-tool-use': severity };
				await settings.update('rules', rules, ConfigurationTarget.Global);
				await eventually(`Both are shown as ${severity ?? 'an error'}`, colors, (shown) =>
					shown.every((id) => id === color),
				);
			}
		} finally {
			await settings.update('rules', undefined, ConfigurationTarget.Global);
		}
	});
});
