// A real host with a real MCP server behind it, from the import of a configuration to a call of VS Code's own agents.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationTarget, commands, extensions, lm, workspace } from 'vscode';
import type { LanguageModelToolResult } from 'vscode';
import { ask, eventually, labels, offered, press, screenshot } from '../runner.ts';
import { dataDirectory } from '../scriptedHost.ts';
import { api } from '../tested.ts';

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
		const { connection } = await (await api()).host.load();
		if (connection.state === 'running') await connection.stop(true);
		await eventually(
			'It has ended',
			() => connection.state,
			(state) => state === 'none',
		);
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
		await press('Enter');
		await offered('Write');
		await eventually(
			'What would change is shown',
			() => labels('.monaco-editor .view-line'),
			(lines) => lines.some((line) => line.includes('connect')),
		);
		assert.equal(readFileSync(config, 'utf8'), original);
		await screenshot('import');
		await press('Enter');
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

	it("serves VS Code's own agents, whose calls are shown while they run", async () => {
		const { inFlight, load } = (await api()).host;
		const { mcpServers } = await load();
		const [definition] = await mcpServers.provide();
		assert.equal(definition?.label, 'faults');
		assert.match(definition.uri.toString(true), /^http:\/\/127\.0\.0\.1:\d+\/[\w-]+\/mcp\/faults$/);
		assert.ok((definition.version?.length ?? 0) > 8, 'the version is that of the definition');

		await configure('mcp.provideServers', true);
		const sleep = await eventually(
			'Its tools are there',
			async () => {
				// VS Code asks for the servers when it comes to it.
				await commands.executeCommand('workbench.mcp.startServer', '*', { waitForLiveTools: true });
				return sleepTool();
			},
			(name) => name !== '',
			{ timeoutMs: 20_000, everyMs: 500 },
		);
		const answer = lm.invokeTool(sleep, { input: { ms: 2500 }, toolInvocationToken: undefined });
		const [server] = await eventually(
			'The call is in flight',
			() => inFlight.tree.getChildren(),
			(found) => found.length === 1,
			{ timeoutMs: 20_000 },
		);
		assert.ok(server);
		const [call] = await inFlight.tree.getChildren(server);
		assert.ok(call);
		assert.equal(inFlight.tree.getTreeItem(call).label, 'sleep');
		await screenshot('host-real');
		assert.match(JSON.stringify((await answer).content), /slept 2500 ms/);
		await eventually(
			'Nothing is in flight any more',
			() => inFlight.tree.getChildren(),
			(found) => found.length === 0,
		);
	}).timeout(60_000);

	it('cancels a call of theirs when a person asks for it', async () => {
		const { inFlight } = (await api()).host;
		const answer: Promise<LanguageModelToolResult | Error> = Promise.resolve(
			lm.invokeTool(sleepTool(), { input: { ms: 60_000 }, toolInvocationToken: undefined }),
		).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
		let early: string | undefined;
		void answer.then((ended) => (early = ended instanceof Error ? ended.message : JSON.stringify(ended.content)));
		const [server] = await eventually(
			'The call is in flight',
			() => {
				assert.equal(early, undefined, 'it has ended before');
				return inFlight.tree.getChildren();
			},
			(found) => found.length === 1,
		);
		const [call] = await inFlight.tree.getChildren(server);
		const startedAt = performance.now();
		await commands.executeCommand('crosstalk.cancelCall', call);
		const ended = await answer;
		await ask('report', { line: `      cancel → answer: ${Math.round(performance.now() - startedAt)} ms` });
		assert.match(ended instanceof Error ? ended.message : JSON.stringify(ended.content), /cancelled/i);
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
		assert.ok(existsSync(join(directory.path, 'events')));
		void commands.executeCommand('crosstalk.openEventLog');
		await eventually(
			'The files are offered',
			() => labels('.quick-input-widget .monaco-list-row'),
			(rows) => rows.length > 0,
		);
		await press('Escape');
	});

	it('leaves files as they were when a person wants them back', async () => {
		void commands.executeCommand('crosstalk.restoreServers');
		await offered('Restore');
		await press('Enter');
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

function sleepTool(): string {
	return lm.tools.map(({ name }) => name).find((name) => name.endsWith('_sleep')) ?? '';
}
