// Things that go wrong on purpose: the mark in every view while one is armed, and known bugs that end in Problems.

import assert from 'node:assert/strict';
import { ConfigurationTarget, commands, languages, workspace } from 'vscode';
import type { Diagnostic } from 'vscode';
import type { FaultStatus } from '../../../src/core/host/faults/index.ts';
import type { HostParts } from '../../../src/extension/hostParts.ts';
import { storedSessionId } from '../../../src/core/base/ids.ts';
import { accept, eventually, labels, offered, screenshot, type } from '../runner.ts';
import { callStatus, dataDirectory, serverStatus, startScriptedHost } from '../scriptedHost.ts';
import type { ScriptedHost } from '../scriptedHost.ts';
import { api } from '../tested.ts';

const setDirectory = (path: string | undefined) =>
	workspace.getConfiguration('crosstalk').update('host.dataDirectory', path, ConfigurationTarget.Global);

/** The first of those that are offered. */
const presetRow = 'The cascade';

const sessionId = storedSessionId('claude-code:5e55');

const armed: FaultStatus = {
	id: 'fault-1',
	definition: { kind: 'drop', tool: 'orders/*', every: 3 },
	description: 'drop of orders/*, each 3. call',
	target: { kind: 'session', sessionId },
	armedBy: 'VS Code',
	isKept: false,
	matched: 6,
	applied: 2,
};

/** Rows of Problems that a rule of ours has made, by rule. */
function found(ruleId: string): readonly (readonly [path: string, diagnostic: Diagnostic])[] {
	return languages
		.getDiagnostics()
		.flatMap(([uri, diagnostics]) => diagnostics.map((diagnostic) => [uri.fsPath, diagnostic] as const))
		.filter(
			([, { source, code }]) =>
				source === 'Crosstalk' && typeof code === 'object' && 'value' in code && code.value === ruleId,
		);
}

/** What views say above their rows, as a screen reader does. */
async function marks(): Promise<readonly string[]> {
	const rows = await labels('.pane-body .monaco-list-row[role="treeitem"]');
	return rows.filter((text) => text.includes('armed on purpose'));
}

describe('faults in a window', () => {
	const directory = dataDirectory();
	let parts: HostParts;

	before(async () => {
		await setDirectory(directory.path);
		parts = await (await api()).host.load();
	});

	after(async () => {
		await setDirectory(undefined);
		directory.dispose();
		await commands.executeCommand('workbench.action.closeAllEditors');
	});

	describe('while one is armed', () => {
		let host: ScriptedHost;

		before(async () => {
			host = await startScriptedHost(directory.path);
			await eventually(
				'The window is attached',
				() => parts.connection.state,
				(state) => state === 'running',
			);
			const calls = [
				callStatus('orders', 'book', {
					sessionId,
					agentId: 'agent-2',
					fault: 'A fault on purpose lost the answer of book on orders.',
				}),
				callStatus('orders', 'list', { sessionId, agentId: 'main' }),
			];
			host.set([serverStatus('orders', { inFlight: 2, calls: 14 })], calls, [armed]);
		});

		after(async () => {
			await host.close();
		});

		it('every view says so in red, and so does the status bar', async () => {
			await commands.executeCommand('crosstalk.inFlight.focus');
			const said = await eventually('The views say it', marks, (rows) => rows.length === 4);
			assert.deepEqual(
				[...new Set(said)],
				['1 fault armed on purpose: drop of orders/*, each 3. call · applied 2 times.'],
			);
			const look = await eventually(
				'The status bar is red',
				() => parts.statusBar.look,
				(shown) => shown?.background === 'statusBarItem.errorBackground',
			);
			assert.equal(look?.text, '$(pulse) 2 $(bug) 1');
			assert.match(look.tooltip, /A fault on purpose: drop of orders/);
			assert.match(look.spoken, /1 fault armed on purpose\./);
		});

		it('a call that is hit says what is done to it', async () => {
			const { tree } = (await api()).host.inFlight;
			const rows = await eventually(
				'The rows are there',
				async () => {
					const [server] = await tree.getChildren();
					return server === undefined
						? []
						: (await tree.getChildren(server)).map((row) => tree.getTreeItem(row));
				},
				(items) => items.length === 2,
			);
			const hit = rows.find(({ label }) => label === 'book');
			assert.match(String(hit?.description), /a fault on purpose/);
			assert.partialDeepStrictEqual(hit?.iconPath, { id: 'bug', color: { id: 'list.errorForeground' } });
			assert.match(hit?.accessibilityInformation?.label ?? '', /lost the answer of book on orders\./);
			const free = rows.find(({ label }) => label === 'list');
			assert.doesNotMatch(String(free?.description), /on purpose/);
			await screenshot('faults-armed');
		});

		it('one more is asked for step by step, and is for that session alone', async () => {
			const done = commands.executeCommand('crosstalk.injectFault');
			await accept('claude-code:5e55');
			await offered('Delay');
			await type('Kill');
			await accept('Kill the server');
			await offered('every tool');
			await type('orders');
			await accept('orders/*');
			await accept('Once');
			await done;
			assert.deepEqual(host.asked.at(-1), `arm ${sessionId} {"kind":"kill","tool":"orders/*","times":1}`);
		});

		it('all of them are disarmed by one command, and the marks go', async () => {
			await commands.executeCommand('crosstalk.disarmAllFaults');
			assert.equal(host.asked.at(-1), 'disarm all');
			await eventually('No view says it any more', marks, (rows) => rows.length === 0);
			await eventually(
				'Nor does the status bar',
				() => parts.statusBar.look?.background,
				(background) => background === undefined,
			);
		});
	});

	describe('a known bug', () => {
		for (const [name, label, ruleId, runs] of [
			['scope', 'The scope default', 'default-scope-query', 1],
			['compaction', 'Compaction in mid-call', 'result-lost-to-compaction', 1],
			['cascade', 'The cascade', 'reconnect-cascade', 2],
		] as const) {
			it(`${name}: played from the palette, it ends with ${ruleId} in Problems`, async () => {
				const { sessions } = await api();
				await commands.executeCommand('notifications.clearAll');
				const before = new Set(sessions.list.map(({ key }) => key));
				const done = commands.executeCommand('crosstalk.reproduceBug');
				await offered(presetRow);
				await type(label);
				await accept(label);
				await done;
				const findings = await eventually(
					`${ruleId} is in Problems`,
					() => found(ruleId),
					(some) => some.length > 0,
				);
				assert.ok(findings.every(([path]) => path.startsWith(directory.path) || path.includes('practice')));
				await eventually(
					'Its sessions are in the tree',
					() => sessions.list.filter(({ key }) => !before.has(key)).map(({ key }) => key),
					(added) => added.length === runs,
				);
				await screenshot(`faults-${name}`);
			});
		}
	});
});
