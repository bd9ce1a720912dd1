// What a window shows of the shared host: its calls, its servers, and what a person can do about them.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ConfigurationTarget, commands, env, window, workspace } from 'vscode';
import type { TerminalOptions } from 'vscode';
import type { HostView } from '../../../src/extension/host.ts';
import type { HostParts } from '../../../src/extension/hostParts.ts';
import type { RowNode } from '../../../src/extension/rowTree.ts';
import { accept, actUntil, eventually, hover, labels, offered, screenshot, type } from '../runner.ts';
import { callStatus, dataDirectory, serverStatus, startScriptedHost } from '../scriptedHost.ts';
import type { ScriptedHost } from '../scriptedHost.ts';
import { api, killedId, subagentPaths } from '../tested.ts';

const setDirectory = (path: string | undefined) =>
	workspace.getConfiguration('crosstalk').update('host.dataDirectory', path, ConfigurationTarget.Global);

function secondsAgo(seconds: number): { readonly startedAt: string; readonly ageMs: number } {
	return { startedAt: new Date(Date.now() - seconds * 1000).toISOString(), ageMs: seconds * 1000 };
}

/** A row a line, indented by its depth, as the view is told. */
async function outline({ tree }: Pick<HostView, 'tree'>, node?: RowNode, depth = 0): Promise<readonly string[]> {
	const lines: string[] = [];
	for (const child of await tree.getChildren(node)) {
		const { label, description } = tree.getTreeItem(child);
		assert.ok(typeof label === 'string' && typeof description === 'string');
		lines.push(`${'  '.repeat(depth)}${label} — ${description}`, ...(await outline({ tree }, child, depth + 1)));
	}
	return lines;
}

/** Rows in the window, as a screen reader says them. */
function spokenRows(): Promise<readonly string[]> {
	return labels('.pane-body .monaco-list-row[role="treeitem"]');
}

/** What was said to the person. In a driven window it does not pop up by itself. */
async function notifications(): Promise<readonly string[]> {
	await commands.executeCommand('notifications.showList');
	return labels('.notifications-center .notification-list-item-message');
}

async function nodeOf({ tree }: HostView, id: string): Promise<RowNode> {
	for (const node of await tree.getChildren()) {
		if (node.id === id) return node;
		for (const child of await tree.getChildren(node)) if (child.id === id) return child;
	}
	throw new Error(`There is no row ${id}.`);
}

describe('the host in a window', () => {
	const directory = dataDirectory();
	let host: ScriptedHost;
	let inFlight: HostView;
	let servers: HostView;
	let parts: HostParts;

	before(async () => {
		await setDirectory(directory.path);
		const feature = (await api()).host;
		({ inFlight, servers } = feature);
		await commands.executeCommand('crosstalk.inFlight.focus');
		await commands.executeCommand('crosstalk.servers.focus');
		parts = await feature.load();
	});

	after(async () => {
		await host.close();
		await setDirectory(undefined);
		directory.dispose();
		await commands.executeCommand('workbench.action.closeAllEditors');
	});

	it('is told of as long as none runs, and none is started for that', async () => {
		const said = await eventually(
			'The welcome is shown',
			() => labels('.welcome-view-content p, .welcome-view-content .monaco-button'),
			(found) => found.some((text) => text.includes('The host shares MCP servers')),
		);
		assert.ok(said.includes('Run an Agent…'), said.join('\n'));
		assert.ok(said.includes('Import MCP Servers…'), said.join('\n'));
		assert.equal(parts.statusBar.look, undefined);
		assert.equal(parts.connection.state, 'none');
		assert.equal(existsSync(join(directory.path, 'host.json')), false);
		await screenshot('host-none');
	});

	it('is there as soon as one runs, without anybody asking', async () => {
		host = await startScriptedHost(directory.path);
		await eventually(
			'The window is attached',
			() => parts.connection.state,
			(state) => state === 'running',
		);
		await eventually(
			'The view says that nothing is in flight',
			() => labels('.welcome-view-content p'),
			(found) => found.some((text) => text.startsWith('No call is in flight')),
		);
		await eventually(
			'The status bar says so too',
			() => parts.statusBar.look?.text,
			(text) => text === '$(pulse) 0',
		);
	});

	it('shows its calls by server, in rows that read as sentences', async () => {
		host.set(
			[
				serverStatus('analytics', {
					state: 'draining',
					inFlight: 2,
					queued: 1,
					calls: 1204,
					errors: 3,
					timeouts: 1,
					reconnects: 1,
					p50Ms: 4.2,
					p99Ms: 38,
					reason: 'analytics_query let its limit of 150 s pass.',
				}),
				serverStatus('chat', {
					state: 'reconnecting',
					sharing: 'per-agent',
					sharingReason:
						'Each agent has a connection of its own because the server asked one of them a question.',
					pid: null,
					calls: 40,
					reconnects: 2,
					reason: 'Its process was killed.',
					lastExit: {
						code: null,
						signal: 'SIGKILL',
						at: new Date().toISOString(),
						reason: 'The process was ended by SIGKILL.',
						stderrTail: 'chat listens on stdio\nmodel loaded in 2.1 s\nout of memory\n',
					},
				}),
				serverStatus('files', { pid: 4300, calls: 88, inFlight: 1, p50Ms: 0.4, p99Ms: 2.1 }),
			],
			[
				callStatus('analytics', 'analytics_query', {
					id: 'hanging',
					...secondsAgo(41),
					agentId: 'explore-api',
				}),
				callStatus('analytics', 'analytics_query', {
					...secondsAgo(8),
					agentId: 'read-schema',
					state: 'held',
					reason: 'Breakpoint "analytics/*".',
				}),
				callStatus('analytics', 'analytics_query', {
					...secondsAgo(2),
					agentId: 'main',
					state: 'queued',
					reason: 'The server is draining for a reconnect.',
				}),
				callStatus('files', 'read_file', { id: 'reading', ...secondsAgo(1) }),
			],
		);
		const rows = await eventually(
			'The calls are there',
			() => outline(inFlight),
			(found) => found.length === 6,
		);
		assert.equal(rows[0], 'analytics — draining · 3 in flight, 1 waiting · p99 38 ms · shared, stdio, pid 4121');
		assert.match(rows[1] ?? '', /^ {2}analytics_query — [\dms ]+ · explore-api · running$/);
		assert.match(
			rows[2] ?? '',
			/^ {2}analytics_query — [\dms ]+ · read-schema · held: Breakpoint "analytics\/\*"$/,
		);
		assert.match(
			rows[3] ?? '',
			/^ {2}analytics_query — [\dms ]+ · main · queued: The server is draining for a reconnect$/,
		);
		assert.match(rows[5] ?? '', /^ {2}read_file — [\dms ]+ · unknown agent · running$/);
		await inFlight.view.reveal(await nodeOf(inFlight, 'call hanging'), { select: false });
		const spoken = await eventually('They are in the window', spokenRows, (found) =>
			found.some((label) => /^analytics_query of agent explore-api has been running for \d[\w ]+\.$/.test(label)),
		);
		assert.ok(spoken.some((label) => label.startsWith('Server analytics, shared, stdio, pid 4121, is draining')));
		await screenshot('host-calls');
	});

	it('shows its servers, and below each what a person asks of one', async () => {
		const rows = await eventually(
			'The servers are there',
			() => outline(servers),
			(found) => found.some((row) => row.startsWith('chat')),
		);
		assert.equal(
			rows[0],
			'analytics — draining (1 waiting) · shared · 3 in flight, 1 waiting · 0.3 % errors · 1 reconnect',
		);
		const chat = rows.findIndex((row) => row.startsWith('chat'));
		assert.equal(rows[chat], 'chat — reconnecting · per agent · 0.0 % errors · 2 reconnects · last exit: SIGKILL');
		assert.match(rows[chat + 2] ?? '', /^ {2}Last exit — SIGKILL at /);
		assert.deepEqual(
			rows.slice(chat + 3, chat + 6).map((row) => row.trim()),
			['chat listens on stdio —', 'model loaded in 2.1 s —', 'out of memory —'],
		);
		await actUntil(
			'It is open in the window',
			async () => servers.view.reveal(await nodeOf(servers, 'server chat'), { expand: 2, focus: true }),
			async () =>
				(await spokenRows()).some((label) => label.startsWith('State: reconnecting – Its process was killed.')),
		);
		await actUntil(
			'The tooltip tells of the last exit',
			() => hover('.pane-body .monaco-list-row[aria-label^="Server chat, per agent, is"]'),
			async () => (await labels('.workbench-hover')).some((text) => text.includes('out of memory')),
		);
		await screenshot('host-servers');
	});

	it('tells the view of the rows that are different, and of no other', async () => {
		const { servers: now, calls } = parts.connection.status ?? { servers: [], calls: [] };
		const told: string[] = [];
		const listening = inFlight.tree.onDidChangeTreeData((nodes) =>
			told.push(...(nodes === undefined ? ['everything'] : nodes.map(({ id }) => id))),
		);
		try {
			const kept = calls.map((call) => (call.id === 'reading' ? { ...call, agentId: 'explore-api' } : call));
			host.set(now, kept);
			await eventually(
				'The agent has become known',
				() => outline(inFlight),
				(rows) => rows.some((row) => row.includes('read_file') && row.includes('explore-api')),
			);
			assert.deepEqual(
				told.filter((id) => !id.startsWith('call ')),
				[],
				'a call has changed, and no server',
			);
			told.length = 0;
			host.set(now, [...kept, callStatus('files', 'write_file')]);
			await eventually(
				'The new call is there',
				() => outline(inFlight),
				(rows) => rows.length === 7,
			);
			assert.deepEqual(
				told.filter((id) => !id.startsWith('call ')),
				['server files'],
			);
			host.set(now, kept);
			await eventually(
				'It has ended',
				() => outline(inFlight),
				(rows) => rows.length === 6,
			);
		} finally {
			listening.dispose();
		}
	});

	it('lets calls grow older by the second, and only in front of somebody', async () => {
		let rounds = 0;
		const listening = inFlight.tree.onDidChangeTreeData((nodes) => {
			assert.ok(
				nodes?.every(({ id }) => id.startsWith('call ')),
				'rows of servers do not age',
			);
			rounds++;
		});
		try {
			const [, before] = await outline(inFlight);
			const startedAt = performance.now();
			await eventually(
				'They grow older',
				() => rounds,
				(count) => count >= 4,
			);
			assert.notEqual((await outline(inFlight))[1], before);
			const took = performance.now() - startedAt;
			assert.ok(took > 2000, `4 rounds in ${took} ms`);
			await commands.executeCommand('workbench.view.explorer');
			await eventually(
				'Nobody looks',
				() => inFlight.view.visible,
				(visible) => !visible,
			);
			rounds = 0;
			await new Promise((resolve) => setTimeout(resolve, 3200));
			assert.equal(rounds, 0);
		} finally {
			listening.dispose();
			await commands.executeCommand('crosstalk.inFlight.focus');
		}
	});

	it('counts in the status bar, in the colour of what goes wrong', async () => {
		assert.equal(parts.statusBar.look?.text, '$(pulse) 4 $(debug-pause) 1');
		assert.equal(parts.statusBar.look.background, 'statusBarItem.warningBackground');
		const spoken =
			'4 calls in flight on 2 MCP servers. 1 call is held by a debugger. Server analytics is draining (1 waiting). Server chat is reconnecting.';
		await eventually(
			'It is in the window',
			() => labels('#crosstalk\\.crosstalk\\.crosstalk\\.calls a'),
			([label]) => label === spoken,
		);
		const { servers: now, calls } = parts.connection.status ?? { servers: [], calls: [] };
		host.set([...now, serverStatus('tickets', { state: 'failed', pid: null })], calls);
		await eventually(
			'A server that has failed is worse',
			() => parts.statusBar.look?.background,
			(background) => background === 'statusBarItem.errorBackground',
		);
	});

	it('names agents as their transcripts do, and leads to the line of a call', async () => {
		const [path = ''] = subagentPaths(killedId);
		const agentId = basename(path, '.jsonl').replace(/^agent-/, '');
		const lines = readFileSync(path, 'utf8').split('\n');
		const orphan = lines.findLastIndex((line) => line.includes('"type":"tool_use"'));
		const toolUseId = /"id":"(toolu_\w+)"/.exec(lines[orphan] ?? '')?.[1] ?? '';
		assert.notEqual(toolUseId, '');
		host.set(
			[serverStatus('files', { inFlight: 1 })],
			[
				callStatus('files', 'read_file', {
					id: 'known',
					agentId,
					toolUseId,
					sessionId: `claude-code:${killedId}`,
				}),
			],
		);
		await eventually(
			'The agent has its name',
			() => outline(inFlight),
			(rows) => /read_file — [\dms ]+ · worker \d · running/.test(rows[1] ?? ''),
		);
		await commands.executeCommand('crosstalk.revealCall', await nodeOf(inFlight, 'call known'));
		await eventually(
			'The transcript is shown at the line',
			() => [window.activeTextEditor?.document.uri.fsPath, window.activeTextEditor?.selection.start.line],
			([shownPath, shownLine]) => shownPath === path && shownLine === orphan,
		);
	});

	it('says so when nobody knows the line of a call', async () => {
		host.set([serverStatus('files', { inFlight: 1 })], [callStatus('files', 'read_file', { id: 'nowhere' })]);
		await eventually(
			'It is there',
			() => outline(inFlight),
			(rows) => rows[1]?.includes('unknown agent') === true,
		);
		void commands.executeCommand('crosstalk.revealCall', await nodeOf(inFlight, 'call nowhere'));
		await eventually('It is said', notifications, (found) =>
			found.some((text) => text.includes('its agent does not say')),
		);
		await commands.executeCommand('notifications.clearAll');
	});

	it('cancels a call', async () => {
		await commands.executeCommand('crosstalk.cancelCall', await nodeOf(inFlight, 'call nowhere'));
		assert.equal(host.asked.at(-1), 'cancel nowhere');
		await eventually(
			'It is gone',
			() => outline(inFlight),
			(rows) => rows.length === 0,
		);
	});

	it('tells how a reconnect that waits for its calls is going on', async () => {
		const { promise, resolve } = Promise.withResolvers<void>();
		host.whenReconnected = promise;
		host.set([serverStatus('files', { state: 'draining', inFlight: 2 })], []);
		const done = commands.executeCommand('crosstalk.reconnectServer', { server: 'files' });
		await eventually('The progress says what it waits for', notifications, (found) =>
			found.some((text) => text.includes('Reconnecting files: waiting for 2 calls in flight')),
		);
		assert.equal(host.asked.at(-1), 'reconnect files');
		resolve();
		await done;
	});

	it('shows what a server has printed, to be read only', async () => {
		await commands.executeCommand('crosstalk.showServerOutput', { server: 'files' });
		const shown = await eventually(
			'It is in an editor',
			() => window.activeTextEditor?.document,
			(document) => document?.uri.scheme === 'crosstalk-server-output',
		);
		assert.equal(shown?.getText(), 'files listens\nfiles says hello\n');
		assert.equal(workspace.fs.isWritableFileSystem('crosstalk-server-output') ?? false, false);
	});

	it('copies the address of a server, for a client that takes one', async () => {
		await commands.executeCommand('crosstalk.copyServerAddress', { server: 'my files' });
		assert.equal(await env.clipboard.readText(), 'http://127.0.0.1:9/scripted-token/mcp/my%20files');
		await commands.executeCommand('notifications.clearAll');
	});

	it('lets a person run an agent through it, in a terminal', async () => {
		void commands.executeCommand('crosstalk.runAgent');
		await offered('Claude Code');
		await type('Codex');
		await accept('Codex');
		const terminal = await eventually(
			'There is a terminal',
			() => window.terminals.find(({ name }) => name === 'Codex through Crosstalk'),
			(found) => found !== undefined,
		);
		const options = terminal?.creationOptions as TerminalOptions; // no terminal of an extension's own making
		assert.equal(options.shellPath, process.execPath);
		assert.deepEqual(options.shellArgs?.slice(1), ['run', '--data', directory.path, '--', 'codex']);
		assert.ok(existsSync(options.shellArgs?.[0] ?? ''));
		terminal?.dispose();
	});

	it('is attached to again when another has taken its place', async () => {
		await host.close();
		await eventually(
			'It is gone',
			() => [parts.connection.state, parts.statusBar.look],
			([state, look]) => state === 'none' && look === undefined,
		);
		host = await startScriptedHost(directory.path);
		await eventually(
			'The next one is there',
			() => parts.connection.state,
			(state) => state === 'running',
		);
	});

	it('is stopped at once when nothing is in flight', async () => {
		await eventually(
			'It has said what it knows',
			() => parts.connection.status,
			(status) => status !== undefined,
		);
		await commands.executeCommand('crosstalk.stopHost');
		assert.equal(host.asked.at(-1), 'stop later');
		await eventually(
			'It is gone',
			() => parts.connection.state,
			(state) => state === 'none',
		);
	});
});
