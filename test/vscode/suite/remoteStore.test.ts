// Sessions in Durable Objects, in the window: Cloudflare's own runtime on this machine, with the worker as it is deployed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { ConfigurationTarget, TabInputTextDiff, commands, extensions, window, workspace } from 'vscode';
import type { SessionStore } from '../../../src/core/store/sessionStore.ts';
import type { HostView } from '../../../src/extension/host.ts';
import type { HostParts } from '../../../src/extension/hostParts.ts';
import type { RowNode } from '../../../src/extension/rowTree.ts';
import { connectSessionStore } from '../../../src/platform/node/store/connectSessionStore.ts';
import { actUntil, eventually, labels, press, screenshot, type } from '../runner.ts';
import { dataDirectory } from '../scriptedHost.ts';
import { api } from '../tested.ts';

const setting = () => workspace.getConfiguration('crosstalk').inspect<string>('store.remote')?.globalValue;

const configure = (name: string, value: unknown) =>
	workspace.getConfiguration('crosstalk').update(name, value, ConfigurationTarget.Global);

async function notifications(): Promise<readonly string[]> {
	await commands.executeCommand('notifications.showList');
	return labels('.notifications-center .notification-list-item-message');
}

/** Answers the input box with this prompt. */
async function answer(prompt: string, text: string): Promise<void> {
	const isAsked = async () =>
		(await labels('.quick-input-widget:not([style*="display: none"]) .quick-input-message')).some((message) =>
			message.includes(prompt),
		);
	await eventually(`${prompt} is asked`, isAsked, (is) => is);
	await eventually(
		'It takes keys',
		() => labels('.quick-input-widget :focus'),
		(focused) => focused.length > 0,
	);
	await press('Control+A');
	await type(text);
	await actUntil(
		`${prompt} is answered`,
		() => press('Enter'),
		async () => !(await isAsked()),
	);
}

interface ScriptedWorker {
	readonly url: string;
	/** Path and authorization of each request. */
	readonly asked: readonly string[];
	/** Of its answers. */
	status: number;
	close(): Promise<void>;
}

/** A store without sessions. */
async function startScriptedWorker(): Promise<ScriptedWorker> {
	const asked: string[] = [];
	const server = createServer((request, response) => {
		asked.push(`${request.url} ${request.headers.authorization}`);
		const body = request.url === '/v1' ? { store: 'crosstalk', protocol: 1 } : { sessions: [] };
		response.writeHead(scripted.status).end(scripted.status === 200 ? JSON.stringify(body) : '');
	});
	await once(server.listen(0, '127.0.0.1'), 'listening');
	const { port } = server.address() as AddressInfo; // it listens on a port
	const scripted: ScriptedWorker = {
		url: `http://127.0.0.1:${port}`,
		asked,
		status: 200,
		async close() {
			server.close();
			server.closeAllConnections();
			await once(server, 'close');
		},
	};
	return scripted;
}

describe('a remote session store in a window', () => {
	const directory = dataDirectory();
	let worker: ChildProcess;
	let url: string;
	let token: string;
	let store: SessionStore;
	let servers: HostView;
	let parts: HostParts;

	before(async () => {
		const folder = extensions.getExtension('crosstalk.crosstalk')?.extensionPath;
		worker = spawn(process.execPath, ['test/worker/serve.ts'], {
			cwd: folder,
			env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
			stdio: ['pipe', 'pipe', 'inherit'],
		});
		assert.ok(worker.stdout);
		for await (const line of createInterface({ input: worker.stdout })) {
			({ url, token } = JSON.parse(line) as { url: string; token: string }); // as serve.ts says it
			break;
		}
		store = await connectSessionStore({ url, token });
		await addPage('nightly-review', 1);
		await addPage('nightly-review', 2);
		await addPage('weekly-report', 1);
		await configure('host.dataDirectory', directory.path);
		const feature = (await api()).host;
		servers = feature.servers;
		await commands.executeCommand('crosstalk.servers.focus');
		parts = await feature.load();
	});

	after(async () => {
		await store.close();
		const ended = once(worker, 'exit');
		worker.stdin?.end();
		await ended;
		await configure('store.remote', undefined);
		await configure('host.dataDirectory', undefined);
		directory.dispose();
		await commands.executeCommand('workbench.action.closeAllEditors');
		await commands.executeCommand('notifications.clearAll');
	});

	async function addPage(sessionId: string, page: number): Promise<void> {
		await store
			.session(sessionId)
			.call({ key: `${sessionId} ${page}`, tool: 'analytics_query', args: { page } }, (state) => {
				state.cursor = page * 50;
				state.pages = [...((state.pages as number[] | undefined) ?? []), page];
				return page;
			});
	}

	async function root(): Promise<RowNode> {
		const found = await eventually(
			'The store has a row',
			async () => (await servers.tree.getChildren()).find(({ id }) => id.startsWith('remote store ')),
			(row) => row !== undefined,
		);
		assert.ok(found);
		return found;
	}

	async function lines(): Promise<readonly string[]> {
		const row = await root();
		return (await servers.tree.getChildren(row)).map((child) => {
			const { label, description } = servers.tree.getTreeItem(child);
			assert.ok(typeof label === 'string' && typeof description === 'string');
			return `${label} — ${description}`;
		});
	}

	async function child(name: string): Promise<RowNode> {
		const found = (await servers.tree.getChildren(await root())).find(
			(row) => servers.tree.getTreeItem(row).label === name,
		);
		assert.ok(found, `There is no row ${name}.`);
		return found;
	}

	it('is not connected to where the token is refused, and nothing is kept of that', async () => {
		void commands.executeCommand('crosstalk.connectRemoteStore');
		await answer('Address of the Worker', url);
		await answer('Token of 127.0.0.1', 'another token');
		await eventually('It is said', notifications, (found) =>
			found.some((text) => text.includes('refuses the token')),
		);
		assert.equal(setting(), undefined);
		await assert.rejects(parts.remote.refresh(), /No remote session store is connected/);
		await commands.executeCommand('notifications.clearAll');
	});

	it('is connected to with address and token, and only the address is in the settings', async () => {
		void commands.executeCommand('crosstalk.connectRemoteStore');
		await answer('Address of the Worker', `${url}/`);
		await answer('Token of 127.0.0.1', token);
		await eventually('The address is kept', setting, (value) => value === url);
		assert.ok(!JSON.stringify(workspace.getConfiguration('crosstalk')).includes(token));
		const row = await root();
		assert.equal(servers.tree.getTreeItem(row).label, 'Remote session store');
		assert.equal(servers.tree.getTreeItem(row).description, new URL(url).host);
		await commands.executeCommand('notifications.clearAll');
	});

	it('is read when somebody opens its row, and not before', async () => {
		await commands.executeCommand('crosstalk.servers.focus');
		await new Promise((resolve) => setTimeout(resolve, 2500));
		assert.equal(parts.remote.view?.contents, undefined);
		assert.equal(parts.remote.view?.isReading, false);
		await actUntil(
			'The sessions are there',
			async () => servers.view.reveal(await root(), { expand: true, select: false }),
			async () => (await lines()).length === 2,
		);
		const found = [...(await lines())].sort();
		assert.match(found[0] ?? '', /^nightly-review — checkpoint 2 · .* · generation \d+ · (?:in memory|on disk)$/);
		assert.match(found[1] ?? '', /^weekly-report — checkpoint 1 · /);
		// The worker gives up what is in memory when it comes to it.
		await eventually(
			'Its row counts them',
			async () => String(servers.tree.getTreeItem(await root()).description),
			(said) => said.startsWith(`${new URL(url).host} · 2 sessions`),
		);
	});

	it('shows checkpoints and what a call has changed, as of the store of the host', async () => {
		const session = await child('nightly-review');
		let checkpoints: readonly RowNode[] = [];
		await actUntil(
			'Its checkpoints are there',
			() => servers.view.reveal(session, { expand: true, select: false }),
			async () => {
				checkpoints = (await servers.tree.getChildren(session)).filter(({ id }) => id.includes('checkpoint '));
				return checkpoints.length === 2;
			},
		);
		await commands.executeCommand('crosstalk.compareCheckpoints', checkpoints[0]);
		const tab = await eventually(
			'The difference is shown',
			() => window.tabGroups.activeTabGroup.activeTab,
			(active) => active?.input instanceof TabInputTextDiff,
		);
		assert.equal(tab?.label, 'nightly-review: checkpoint 1 ↔ 2 (analytics_query)');
		const newer = await eventually(
			'What it has come to is in the editor',
			() => window.activeTextEditor?.document.getText() ?? '',
			(text) => text !== '',
		);
		assert.deepEqual(JSON.parse(newer), { cursor: 100, pages: [1, 2] });
		await eventually(
			'It is in the window',
			() => labels('.pane-body .monaco-list-row[role="treeitem"]'),
			(found) => found.some((text) => text.startsWith('Stored session nightly-review')),
		);
		await screenshot('remote-session-store');
		await commands.executeCommand('crosstalk.showSessionState', checkpoints[1]);
		await eventually(
			'The state is shown',
			() => JSON.parse(window.activeTextEditor?.document.getText() ?? 'null') as { cursor: number } | null,
			(state) => state?.cursor === 50,
		);
	});

	it('is read again when somebody asks for that, and never by itself', async () => {
		await addPage('monthly-report', 1);
		await addPage('nightly-review', 3);
		await new Promise((resolve) => setTimeout(resolve, 2500));
		assert.equal((await lines()).length, 2);
		await commands.executeCommand('crosstalk.refreshRemoteStore');
		await eventually('The new session is there', lines, (found) => found.length === 3);
		const session = await child('nightly-review');
		await eventually(
			'And the checkpoint in the one that is open',
			() => servers.tree.getChildren(session),
			(rows) => rows.filter(({ id }) => id.includes('checkpoint ')).length === 3,
		);
	});

	it('sends a token to no other address, and says in one sentence why there are no rows', async () => {
		const address = parts.remote.view?.address ?? '';
		const scripted = await startScriptedWorker();
		const first = (sentence: string) =>
			eventually(
				sentence,
				async () => (await lines())[0],
				(line) => line?.startsWith(sentence) === true,
			);
		try {
			// Somebody who writes the settings does not get the token of another address.
			await configure('store.remote', scripted.url);
			await eventually(
				'The row is another',
				async () => servers.tree.getTreeItem(await root()).description,
				(description) => description === new URL(scripted.url).host,
			);
			assert.throws(() => parts.remote.readerOf(address), /is no longer connected/);
			await commands.executeCommand('crosstalk.refreshRemoteStore');
			await first(`There is no token for ${new URL(scripted.url).host}. Connect again.`);
			assert.deepEqual(scripted.asked, []);

			await parts.remote.connect(scripted.url, 'a scripted token');
			await commands.executeCommand('crosstalk.refreshRemoteStore');
			await first('No session is stored there yet');
			assert.deepEqual(scripted.asked, [
				'/v1 Bearer a scripted token',
				'/v1 Bearer a scripted token',
				'/v1/sessions Bearer a scripted token',
			]);

			scripted.status = 401;
			await commands.executeCommand('crosstalk.refreshRemoteStore');
			await first(`${new URL(scripted.url).host} refuses the token. Connect again.`);
			await actUntil(
				'It is in the window',
				async () => servers.view.reveal(await root(), { expand: true, select: false }),
				async () =>
					(await labels('.pane-body .monaco-list-row[role="treeitem"]')).some((text) =>
						text.endsWith('refuses the token. Connect again.'),
					),
			);
			await screenshot('remote-session-store-refused');

			scripted.status = 404;
			await commands.executeCommand('crosstalk.refreshRemoteStore');
			await first(`At ${scripted.url} there is a server, but no session store`);
		} finally {
			await scripted.close();
		}
		await commands.executeCommand('crosstalk.refreshRemoteStore');
		await first(`The session store at ${scripted.url} cannot be reached`);
		await configure('store.remote', 'http://sessions.example.org');
		await first('A token is not sent to sessions.example.org unencrypted');
		await assert.rejects(parts.remote.connect('http://sessions.example.org', token), /unencrypted/);
		await parts.remote.connect(address, token);
		await commands.executeCommand('crosstalk.refreshRemoteStore');
		await eventually('It is there again', lines, (found) => found.length === 3);
	});

	it('is forgotten, with its token', async () => {
		await commands.executeCommand('crosstalk.disconnectRemoteStore');
		await eventually('The setting is gone', setting, (value) => value === undefined);
		assert.equal(parts.remote.view, undefined);
		await configure('store.remote', url);
		await root();
		await commands.executeCommand('crosstalk.refreshRemoteStore');
		await eventually('There is no token', lines, (found) => found[0]?.includes('There is no token for') === true);
		await screenshot('remote-session-store-no-token');
	});
});
