// What suites rely on: that they can look at the window they run in, and act in it as a person would.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { commands, window, workspace } from 'vscode';
import { actUntil, click, eventually, hover, labels, press, screenshot, type } from '../runner.ts';

describe('the window', () => {
	afterEach(async () => {
		await commands.executeCommand('workbench.action.closeQuickOpen');
		await commands.executeCommand('workbench.action.closeAllEditors');
	});

	it('has a home of its own, with recorded sessions', () => {
		assert.equal(homedir(), process.env.CROSSTALK_TEST_HOME);
		assert.ok(existsSync(join(homedir(), '.claude', 'projects')));
		assert.ok(existsSync(join(homedir(), '.codex', 'sessions')));
	});

	it('takes keys and says what a screen reader would', async () => {
		await actUntil(
			'The palette is open',
			() => press('F1'),
			async () => (await labels('.quick-input-widget input:focus')).length > 0,
		);
		await type('View: Close All Editors');
		const rows = await eventually(
			'The palette offers the command',
			() => labels('.quick-input-widget .monaco-list-row'),
			(found) => found.some((row) => row.includes('Close All Editors')),
		);
		assert.ok(rows.length > 0);
		await press('Escape');
	});

	it('is clicked', async () => {
		const notes = '.explorer-folders-view .monaco-list-row[aria-label^="notes.txt"]';
		await commands.executeCommand('workbench.view.explorer');
		await eventually(
			'The file is listed',
			() => labels(notes),
			(rows) => rows.length === 1,
		);
		await hover(notes);
		await actUntil(
			'Its editor is open',
			() => click(notes, { count: 2 }),
			() => window.activeTextEditor?.document.uri.path.endsWith('/notes.txt') === true,
		);
	});

	it('fails with a sentence when there is nothing to click', async () => {
		await assert.rejects(
			click('.no-such-thing', { withinMs: 1000 }),
			new Error('Nothing visible matches .no-such-thing.'),
		);
	});

	it('is pictured', async () => {
		const path = await screenshot('window');
		assert.ok(existsSync(path));
		assert.equal(workspace.workspaceFolders?.length, 1);
	});
});
