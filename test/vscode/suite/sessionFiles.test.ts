// Sessions as single files, and two sessions beside each other, as a person has them in VS Code.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Uri, commands, languages, window, workspace } from 'vscode';
import type { DocumentLink } from 'vscode';
import { eventually, labels, screenshot } from '../runner.ts';
import { agentsOutline, api, endedId, killedId, rowOfSession, showAgents } from '../tested.ts';

describe('a session as one file', () => {
	const folder = mkdtempSync(join(tmpdir(), 'crosstalk-files-'));
	const file = join(folder, 'killed.crosstalk');

	after(async () => {
		await commands.executeCommand('workbench.action.closeAllEditors');
		rmSync(folder, { recursive: true, force: true });
		const { sessions } = await api();
		await sessions.searchAgain();
	});

	it('is saved from its row', async () => {
		await showAgents();
		await commands.executeCommand('crosstalk.saveSession', await rowOfSession(killedId), Uri.file(file), 'whole');
		assert.equal(readFileSync(file).subarray(0, 2).toString(), 'PK');
		await eventually(
			'What was saved is told',
			async () => {
				await commands.executeCommand('notifications.showList');
				return labels('.notifications-center .notification-list-item-message');
			},
			(said) => said.some((text) => text.includes('What was said in it is in the file as it was.')),
		);
		await commands.executeCommand('notifications.clearAll');
	});

	it('opens as a page that says what it is, and as a session of the view', async () => {
		const { sessions, agents } = await showAgents();
		await commands.executeCommand('vscode.open', Uri.file(file));
		const entry = await eventually(
			'The session is in the list',
			() => sessions.list.find(({ files }) => files.saved?.path === file),
			(found) => found?.details !== undefined,
		);
		assert.equal(entry?.files.nativeId, killedId);
		const row = agents.tree.sessionNode(entry.key);
		await eventually(
			'It has a row',
			() =>
				agents.view.reveal(row, { expand: true }).then(
					() => true,
					() => false,
				),
			(isShown) => isShown,
		);
		const outline = await agentsOutline(row);
		assert.deepEqual(outline.length, 4);
		assert.match(
			String(agents.tree.getTreeItem(row).description),
			/3 orphaned · 3 problems · saved \d{4}-\d\d-\d\d · Claude Code/,
		);
		await screenshot('session-file');
	});

	it('shows its transcripts in editors, with their problems', async () => {
		const { sessions, agents } = await showAgents();
		const entry = sessions.list.find(({ files }) => files.saved?.path === file);
		assert.ok(entry);
		const [main] = await agents.tree.getChildren(agents.tree.sessionNode(entry.key));
		const [worker] = await agents.tree.getChildren(main);
		await commands.executeCommand('crosstalk.revealTranscript', worker);
		const document = await eventually(
			'The transcript is recognised',
			() => window.activeTextEditor?.document,
			(shown) => shown?.uri.scheme === 'crosstalk-session' && shown.languageId === 'agent-transcript',
		);
		assert.ok(document);
		const [problem] = await eventually(
			'Its problem is shown',
			() => languages.getDiagnostics(document.uri),
			(found) => found.length > 0,
		);
		assert.match(problem?.message ?? '', /has no result/);
		await commands.executeCommand('crosstalk.revealProblems', agents.tree.sessionNode(entry.key));
		await screenshot('session-file-transcript');
	});

	it('says in a sentence why a file is none', async () => {
		const damaged = join(folder, 'damaged.crosstalk');
		writeFileSync(damaged, readFileSync(file).subarray(0, 5000));
		await assert.rejects(
			async () => (await api()).sessions.open(damaged),
			/The session file is damaged: it is cut off, its end is missing\./,
		);
		// An editor says it in its page.
		await commands.executeCommand('vscode.open', Uri.file(damaged));
		await eventually(
			'The editor is there',
			() => window.tabGroups.activeTabGroup.activeTab?.label,
			(label) => label === 'damaged.crosstalk',
		);
	});
});

describe('two sessions beside each other', () => {
	after(() => commands.executeCommand('workbench.action.closeAllEditors'));

	it('are compared in a document whose places lead to the transcripts', async () => {
		await showAgents();
		await commands.executeCommand('workbench.action.closeAllEditors');
		await commands.executeCommand(
			'crosstalk.compareSessions',
			await rowOfSession(endedId),
			await rowOfSession(killedId),
		);
		const document = await eventually(
			'The comparison is shown',
			() => workspace.textDocuments.find(({ uri }) => uri.scheme === 'crosstalk-comparison'),
			(found) => (found?.getText().length ?? 0) > 0,
		);
		assert.ok(document);
		const text = document.getText();
		assert.match(
			text,
			/~ everything\/trigger-long-running-operation completed → orphaned {2}agent-\w+\.jsonl:14\n/,
		);
		assert.match(text, /arguments duration: 2 → 30\n/);
		assert.match(text, /Findings\n {2}\+ error: worker/);
		const links = await commands.executeCommand<DocumentLink[]>('vscode.executeLinkProvider', document.uri);
		const [first] = links;
		assert.ok(first?.target);
		assert.match(document.getText(first.range), /^agent-\w+\.jsonl:14$/);
		await screenshot('comparison');
	});
});
