// A real host with a real MCP server behind it, from the import of a configuration to a call of VS Code's own agents.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationTarget, TabInputTextDiff, commands, extensions, lm, window, workspace } from 'vscode';
import type { RowNode } from '../../../src/extension/rowTree.ts';
import { openSessionStore } from '../../../src/platform/node/store/openSessionStore.ts';
import { accept, actUntil, ask, eventually, labels, offered, press, screenshot } from '../runner.ts';
import { dataDirectory } from '../scriptedHost.ts';
import { agentsOutline, api, conversationOutline, endHost } from '../tested.ts';

const configure = (name: string, value: unknown) =>
	workspace.getConfiguration('crosstalk').update(name, value, ConfigurationTarget.Global);

describe('a host that a window starts', () => {
	const directory = dataDirectory();
	const project = workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
	const config = join(project, '.mcp.json');
	let original = '';

	before(async () => {
		const extension = extensions.getExtension('crosstalk.crosstalk');
		assert.ok(extension);
		const server = join(extension.extensionPath, 'test', 'mcp', 'servers', 'faultServer.ts');
		original = `${JSON.stringify({ mcpServers: { faults: { command: process.execPath, args: [server] } } }, undefined, '  ')}\n`;
		writeFileSync(config, original);
		await configure('host.dataDirectory', directory.path);
		await commands.executeCommand('crosstalk.inFlight.focus');
		await commands.executeCommand('crosstalk.servers.focus');
	});

	after(async () => {
		await configure('mcp.provideServers', undefined);
		await endHost();
		await configure('host.dataDirectory', undefined);
		rmSync(config, { force: true });
		directory.dispose();
		await commands.executeCommand('workbench.action.closeAllEditors');
		await commands.executeCommand('notifications.clearAll');
	});

	it('gets the servers of a project once a person has seen what changes, and has agreed', async () => {
		void commands.executeCommand('crosstalk.importServers');
		await offered('Claude Code');
		assert.equal(readFileSync(config, 'utf8'), original);
		await accept('Claude Code');
		await offered('Write');
		await eventually(
			'What would change is shown',
			() => labels('.monaco-editor .view-line'),
			(lines) => lines.some((line) => line.includes('connect')),
		);
		assert.equal(readFileSync(config, 'utf8'), original);
		await screenshot('import');
		await accept('Write');
		await eventually(
			'The server goes through the host',
			() => readFileSync(config, 'utf8'),
			(text) => text.includes('"connect"') && text.includes(join(directory.path, 'bin')),
		);
		assert.ok(existsSync(join(directory.path, 'servers.json')));
	});

	it('is started on command, and knows them', async () => {
		await commands.executeCommand('crosstalk.startHost');
		const { servers } = (await api()).host;
		const rows = await eventually(
			'The server is there',
			() => servers.tree.getChildren(),
			(found) => found.length === 1,
		);
		assert.ok(rows[0]);
		assert.equal(servers.tree.getTreeItem(rows[0]).label, 'faults');
		assert.equal(servers.tree.getTreeItem(rows[0]).contextValue, 'crosstalkServer.stopped');
		assert.ok(existsSync(join(directory.path, 'host.json')));
	});

	it('is told by the agents of a project once a person has seen what changes, and has agreed', async () => {
		const settings = join(project, '.claude', 'settings.local.json');
		void commands.executeCommand('crosstalk.installHooks');
		await offered('This project');
		await accept('This project');
		await offered('Install');
		await eventually(
			'What would change is shown',
			() => labels('.monaco-editor .view-line'),
			(lines) => lines.some((line) => line.includes('PreToolUse')),
		);
		assert.equal(existsSync(settings), false);
		await screenshot('hooks');
		await accept('Install');
		await eventually(
			'They are installed',
			() => existsSync(settings) && readFileSync(settings, 'utf8'),
			(text) => typeof text === 'string' && text.includes('/hooks/claude-code'),
		);
		assert.ok(readFileSync(settings, 'utf8').includes(join(directory.path, 'bin')));
		void commands.executeCommand('crosstalk.removeHooks');
		await offered(settings);
		await accept(settings);
		await eventually(
			'They are gone without a trace',
			() => existsSync(settings),
			(isThere) => !isThere,
		);
	});

	it("serves VS Code's own agents, whose calls are shown while they run", async () => {
		const { inFlight, load } = (await api()).host;
		const { mcpServers } = await load();
		const [definition] = await mcpServers.provide();
		assert.equal(definition?.label, 'faults');
		assert.match(definition.uri.toString(true), /^http:\/\/127\.0\.0\.1:\d+\/[\w-]+\/mcp\/faults$/);
		assert.ok((definition.version?.length ?? 0) > 8, 'the version is that of the definition');

		await configure('mcp.provideServers', true);
		const { answer } = await callSleep(6000);
		const [server] = await eventually(
			'The call is in flight',
			() => inFlight.tree.getChildren(),
			(found) => found.length === 1,
		);
		assert.ok(server);
		const [call] = await inFlight.tree.getChildren(server);
		assert.ok(call);
		assert.equal(inFlight.tree.getTreeItem(call).label, 'sleep');
		await screenshot('host-real');
		assert.match(await answer, /slept 6000 ms/);
		await eventually(
			'Nothing is in flight any more',
			() => inFlight.tree.getChildren(),
			(found) => found.length === 0,
		);
	});

	it('cancels a call of theirs when a person asks for it', async () => {
		const { inFlight } = (await api()).host;
		const { answer, ended: endedEarly } = await callSleep(60_000);
		const [server] = await eventually(
			'The call is in flight',
			() => {
				assert.equal(endedEarly(), undefined, 'it has ended before');
				return inFlight.tree.getChildren();
			},
			(found) => found.length === 1,
		);
		const [call] = await inFlight.tree.getChildren(server);
		const startedAt = performance.now();
		await commands.executeCommand('crosstalk.cancelCall', call);
		const words = await answer;
		await ask('report', { line: `      cancel → answer: ${Math.round(performance.now() - startedAt)} ms` });
		assert.match(words, /cancelled/i);
	});

	it('knows them again when they connect anew, as VS Code does whenever it comes to it', async () => {
		const { mcpServers } = await (await api()).host.load();
		const [definition] = await mcpServers.provide();
		assert.ok(definition);
		let session: string | undefined;
		const post = async (message: object) => {
			const answer = await fetch(definition.uri.toString(true), {
				method: 'POST',
				headers: {
					...definition.headers,
					'content-type': 'application/json',
					accept: 'application/json, text/event-stream',
					...(session === undefined ? {} : { 'mcp-session-id': session }),
				},
				body: JSON.stringify({ jsonrpc: '2.0', ...message }),
			});
			session ??= answer.headers.get('mcp-session-id') ?? undefined;
			return answer.text();
		};
		const clientInfo = { name: 'anew', version: '1' };
		const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo };
		await post({ id: 1, method: 'initialize', params });
		await post({ method: 'notifications/initialized' });
		const answer = await post({ id: 2, method: 'tools/call', params: { name: 'sleep', arguments: { ms: 7 } } });
		assert.match(answer, /slept 7 ms/);
	});

	it('reconnects a server on command', async () => {
		const { load } = (await api()).host;
		const { connection } = await load();
		const before = connection.status?.servers[0]?.pid;
		await commands.executeCommand('crosstalk.reconnectServer', { server: 'faults' });
		const after = await eventually(
			'It is connected again',
			() => connection.status?.servers[0],
			(server) => server?.state === 'connected' && server.pid !== before,
		);
		assert.equal(after?.reconnects, 1);
	});

	it('has kept what passed through it, for whoever looks', async () => {
		assert.ok(existsSync(join(directory.path, 'sessions.sqlite')));
		void commands.executeCommand('crosstalk.openEventLog');
		await eventually(
			'The runs are offered',
			() => labels('.quick-input-widget:not([style*="display: none"]) .monaco-list-row.focused'),
			(rows) => rows.length > 0,
		);
		await actUntil(
			'The log is in an editor',
			() => press('Enter'),
			() => window.activeTextEditor?.document.fileName.includes('crosstalk-events-') === true,
		);
		const opened = window.activeTextEditor?.document;
		assert.match(opened?.lineAt(0).text ?? '', /^\{"version":1,"seq":0,/);
		await commands.executeCommand('workbench.action.closeActiveEditor');
	});

	it('shows in the tree what it has recorded of agents that write no transcript', async () => {
		const { agents, conversation, sessions } = await api();
		await commands.executeCommand('crosstalk.agents.focus');
		const rows = await eventually(
			'The session has a row',
			async () =>
				(await agents.tree.getChildren()).filter(
					(node) =>
						node.kind === 'session' &&
						/^(?:vscode|mcp):/.test(sessions.entry(node.key)?.files.nativeId ?? ''),
				),
			(found) => found.length > 0,
		);
		// However often its clients have connected.
		assert.deepEqual(
			rows.map((node) => (node.kind === 'session' ? sessions.entry(node.key)?.files.nativeId.slice(0, 14) : '')),
			['vscode:window-'],
		);
		const [row] = rows;
		assert.ok(row?.kind === 'session');
		assert.match(String(agents.tree.getTreeItem(row).description), /MCP host/);
		const outline = await eventually(
			'Its calls are counted',
			() => agentsOutline(row),
			(lines) => lines.length > 0 && !lines.some((line) => line.includes('Reading')),
		);
		assert.equal(outline.length, 1);
		const [agent] = await agents.tree.getChildren(row);
		assert.ok(agent?.kind === 'agent');
		await commands.executeCommand('crosstalk.conversation.focus');
		conversation.tree.show(agent.key, agent.agentId);
		const lines = await eventually(
			'Its calls are shown',
			() => conversationOutline(2),
			(found) => {
				const text = found.join('\n');
				return ['"ms":6000', '"ms":60000', '"ms":7}', 'reconnected after'].every((part) => text.includes(part));
			},
			// The store has it a moment after it was, and it is looked for every other second.
		);
		await screenshot('host-recorded');
		const shown = lines.join('\n');
		assert.match(shown, /^Seen by the MCP host — /m);
		assert.match(shown, /faults\/sleep — \{"ms":6000\}.* (?:[6-9]|\d\d) s$/m);
		assert.match(shown, /faults\/sleep — \{"ms":60000\}.*cancelled$/m);
		assert.match(shown, /── faults: connected ──/);
		const [turn] = await conversation.tree.getChildren();
		const call = (await conversation.tree.getChildren(turn)).find(({ kind }) => kind === 'call');
		assert.ok(call?.kind === 'call');
		const parts = await conversation.tree.getChildren(call);
		assert.ok(parts[0]);
		const [argument] = await conversation.tree.getChildren(parts[0]);
		assert.equal(argument?.kind === 'member' ? `${argument.name} ${String(argument.value)}` : '', 'ms 6000');
		assert.ok(parts.some((part) => part.kind === 'note' && part.text.startsWith('Through the host to faults')));
		// The place of a call is a line of what was recorded, in an editor of its own.
		const { command } = conversation.tree.getTreeItem(call);
		assert.ok(command);
		const place: readonly unknown[] = command.arguments ?? [];
		await commands.executeCommand(command.command, ...place);
		const opened = await eventually(
			'The line is in an editor',
			() => window.activeTextEditor?.document,
			(document) => document?.uri.scheme === 'crosstalk-recording',
		);
		assert.match(opened?.getText() ?? '', /"tool":"sleep"/);
		await commands.executeCommand('workbench.action.closeActiveEditor');
	});

	it('shows the sessions in its store, and what a call has changed', async () => {
		const { servers, load } = (await api()).host;
		const store = await openSessionStore({ directory: directory.path });
		try {
			const session = store.session('nightly-review');
			for (const page of [1, 2, 3]) {
				await session.call<{ cursor?: number; pages?: number[] }>(
					{ key: `toolu_${page}`, tool: 'analytics_query', args: { page } },
					(state) => {
						state.cursor = page * 50;
						state.pages = [...(state.pages ?? []), page];
						return state.cursor;
					},
				);
			}
			const { view, tree } = servers;
			await commands.executeCommand('crosstalk.servers.focus');
			const [, root] = await eventually(
				'The store is there',
				() => tree.getChildren(),
				(found) => found.length === 2,
			);
			assert.ok(root);
			const [row] = await tree.getChildren(root);
			assert.ok(row);
			assert.equal(tree.getTreeItem(row).label, 'nightly-review');
			await eventually(
				'It says where its state is',
				() => tree.getTreeItem(row).description,
				(description) => /^checkpoint 3 · .+ · generation 1 · (?:in memory|on disk)$/.test(String(description)),
			);
			let facts: readonly RowNode[] = [];
			await actUntil(
				'Its checkpoints are there',
				() => view.reveal(row, { expand: true, select: true }),
				async () => {
					facts = await tree.getChildren(row);
					return facts.length === 3;
				},
			);
			assert.deepEqual(
				facts.map((fact) => tree.getTreeItem(fact).label),
				['3 analytics_query', '2 analytics_query', '1 analytics_query'],
			);
			await commands.executeCommand('crosstalk.compareCheckpoints', facts[0]);
			const activeTab = await eventually(
				'The difference is shown',
				() => window.tabGroups.activeTabGroup.activeTab,
				(tab) => tab?.input instanceof TabInputTextDiff,
			);
			assert.ok(activeTab?.input instanceof TabInputTextDiff);
			assert.equal(activeTab.label, 'nightly-review: checkpoint 2 ↔ 3 (analytics_query)');
			const { original: older, modified: newer } = activeTab.input;
			assert.deepEqual(JSON.parse((await workspace.openTextDocument(older)).getText()), {
				cursor: 100,
				pages: [1, 2],
			});
			assert.deepEqual(JSON.parse((await workspace.openTextDocument(newer)).getText()), {
				cursor: 150,
				pages: [1, 2, 3],
			});
			await screenshot('session-store');
			await session.evict();
			await eventually(
				'It is told that its memory was given up',
				async () => tree.getTreeItem((await tree.getChildren(row))[0] ?? row).label,
				(label) => label === 'evicted from memory: somebody asked for it',
			);
			await commands.executeCommand('crosstalk.showLog');
			await eventually(
				'The log says so, and keeps it',
				() => workspace.textDocuments.filter(({ uri }) => uri.scheme === 'output').map((one) => one.getText()),
				(texts) =>
					texts.some((text) =>
						/"nightly-review" of the host's store was evicted from memory: somebody asked for it\. Checkpoint 3 is on disk\./.test(
							text,
						),
					),
			);
			await eventually(
				'Its row says so, too',
				() => String(tree.getTreeItem(row).description),
				(description) => description.endsWith(' · on disk'),
			);
			await (await load()).states.show({ store: 'host', sessionId: 'nightly-review' });
			await eventually(
				'Its state is shown',
				() => window.activeTextEditor?.document.getText() ?? '',
				(text) => text.includes('"cursor": 150'),
			);
		} finally {
			await store.close();
		}
	});

	it('leaves files as they were when a person wants them back', async () => {
		void commands.executeCommand('crosstalk.restoreServers');
		await accept('Restore');
		await eventually(
			'The file is as it was',
			() => readFileSync(config, 'utf8'),
			(text) => text === original,
		);
		const { connection } = await (await api()).host.load();
		await eventually(
			'The host has forgotten the server',
			() => connection.status?.servers.length,
			(length) => length === 0,
		);
	});
});

/** The name that VS Code has given to the server's tool. It may take tools away and bring them back whenever a server says something. */
/** A call that VS Code has passed on: it takes a tool away for a moment when it lists its server's tools anew. Its answer is in words, also where it failed. */
async function callSleep(ms: number): Promise<{ answer: Promise<string>; ended: () => string | undefined }> {
	for (;;) {
		let ended: string | undefined;
		const called = lm.invokeTool(await sleepTool(), { input: { ms }, toolInvocationToken: undefined });
		const answer = Promise.resolve(called).then(
			({ content }) => JSON.stringify(content),
			(error: unknown) => (error instanceof Error ? error.message : String(error)),
		);
		void answer.then((words) => (ended = words));
		await new Promise((resolve) => setTimeout(resolve, 300));
		if (!/^Tool \S+ was not contributed$/.test(ended ?? '')) return { answer, ended: () => ended };
	}
}

function sleepTool(): Promise<string> {
	return eventually(
		'Its tools are there',
		async () => {
			const { name = '' } = lm.tools.find((tool) => tool.name.endsWith('_sleep')) ?? {};
			// VS Code asks for the servers when it comes to it.
			if (name === '')
				await commands.executeCommand('workbench.mcp.startServer', '*', { waitForLiveTools: true });
			return name;
		},
		(name) => name !== '',
		{ everyMs: 200 },
	);
}
