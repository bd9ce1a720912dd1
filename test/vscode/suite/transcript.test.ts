import assert from 'node:assert/strict';
import { join } from 'node:path';
import {
	ConfigurationTarget,
	DiagnosticSeverity,
	Uri,
	commands,
	extensions,
	languages,
	window,
	workspace,
} from 'vscode';
import type { CodeLens, DocumentSymbol, FoldingRange, Hover, Location, LocationLink, Position, Range } from 'vscode';
import { eventually, labels, screenshot } from '../runner.ts';
import {
	claudePath,
	conversationOutline,
	endedId,
	killedId,
	openTranscript,
	problemsOf,
	rangeOf,
	subagentPaths,
} from '../tested.ts';

describe('a transcript in an editor', () => {
	afterEach(() => commands.executeCommand('workbench.action.closeAllEditors'));

	it('is known by what is in it', async () => {
		const document = await openTranscript(claudePath(endedId));
		assert.equal(document.languageId, 'agent-transcript');
	});

	it('leads from the call that starts an agent to the agent, and back', async () => {
		const main = await openTranscript(claudePath(endedId));
		const call = rangeOf(main, '"type":"tool_use"');
		const links = await definitions(main.uri, call.start);
		const agent = links.find(({ path }) => subagentPaths(endedId).includes(path));
		assert.ok(agent, JSON.stringify(links));
		assert.equal(agent.range.start.line, 0);
		const subagent = await openTranscript(agent.path);
		const [back] = await definitions(subagent.uri, subagent.positionAt(0));
		assert.equal(back?.path, main.uri.fsPath);
		assert.equal(back.range.start.line, call.start.line);
	});

	it('leads from a call to its result, and back', async () => {
		const [path] = subagentPaths(endedId);
		const document = await openTranscript(path!);
		const call = rangeOf(document, '"type":"tool_use"');
		const result = rangeOf(document, '"type":"tool_result"');
		const [there] = await definitions(document.uri, call.start);
		assert.equal(there?.range.start.line, result.start.line);
		const [back] = await definitions(document.uri, result.start);
		assert.equal(back?.range.start.line, call.start.line);
		assert.ok(back.range.contains(call), 'the block of the call is the target, not its line');
	});

	it('tells of a call when one rests on it', async () => {
		const [path] = subagentPaths(endedId);
		const document = await openTranscript(path!);
		const hovers = await commands.executeCommand<Hover[]>(
			'vscode.executeHoverProvider',
			document.uri,
			rangeOf(document, '"type":"tool_use"').start,
		);
		const text = hovers
			.flatMap(({ contents }) =>
				contents.map((content) => (typeof content === 'string' ? content : content.value)),
			)
			.join('\n');
		assert.match(text, /\| Agent \| Tool \| State \| Started \| Took \| Tokens \|/);
		assert.match(text, /worker&nbsp;\d|worker \d/);
		assert.match(text, /completed/);
		assert.match(text, /\*\*Arguments\*\*\n\n```json\n\{\n/);
		assert.match(text, /\*\*Result\*\*/);
		assert.match(text, /command:crosstalk\.openReadableView/);
	});

	it('has an outline in which notifications are their words', async () => {
		const document = await openTranscript(backgroundPath());
		const symbols = await commands.executeCommand<DocumentSymbol[]>(
			'vscode.executeDocumentSymbolProvider',
			document.uri,
		);
		assert.deepEqual(
			symbols.map(({ name, detail }) => [name, detail]),
			[
				['Turn 1', 'Do it in the background'],
				['Turn 2', 'It is over'],
			],
		);
	});

	it('has an outline of turns and calls, and folds by turn', async () => {
		const [path] = subagentPaths(endedId);
		const document = await openTranscript(path!);
		const symbols = await commands.executeCommand<DocumentSymbol[]>(
			'vscode.executeDocumentSymbolProvider',
			document.uri,
		);
		assert.deepEqual(
			symbols.map(({ name }) => name),
			['Turn 1'],
		);
		assert.ok(
			symbols[0]?.children.some(({ name }) => name.includes('/')),
			symbols[0]?.children.map(({ name }) => name).join(', '),
		);
		const folds = await commands.executeCommand<FoldingRange[]>('vscode.executeFoldingRangeProvider', document.uri);
		assert.equal(folds.length, 1);
		assert.equal(folds[0]?.start, 0);
	});

	it('has problems where calls never came back, with the places that belong to them, and nowhere else', async () => {
		await openTranscript(claudePath(killedId));
		const paths = subagentPaths(killedId);
		const found = await eventually(
			'Each of the three calls is a problem',
			() => paths.flatMap((path) => problemsOf(path)),
			(problems) => problems.length === 3,
		);
		for (const problem of found) {
			assert.equal(typeof problem.code === 'object' && problem.code.value, 'orphaned-tool-use');
			assert.equal(
				typeof problem.code === 'object' &&
					problem.code.target.path.endsWith('/docs/rules/orphaned-tool-use.md'),
				true,
			);
			assert.match(problem.message, /^worker \d's call to [\w-]+ has no result/);
			assert.ok(problem.range.isSingleLine);
			assert.ok(problem.range.start.character > 0, 'it stands at the block, not at its line');
		}
		await openTranscript(claudePath(endedId));
		assert.deepEqual(
			subagentPaths(endedId).flatMap((path) => problemsOf(path)),
			[],
		);
	});

	it('takes its problems away when the last transcript of the session is closed', async () => {
		await eventually(
			'No problems are left',
			() => subagentPaths(killedId).flatMap((path) => problemsOf(path)),
			(problems) => problems.length === 0,
		);
	});

	it('says above a call that it was killed', async () => {
		const [path] = subagentPaths(killedId);
		const document = await openTranscript(path!);
		const lenses = await eventually(
			'The lens is there',
			() => commands.executeCommand<CodeLens[]>('vscode.executeCodeLensProvider', document.uri),
			(found) => found.length === 1,
		);
		assert.equal(lenses[0]?.command?.title, '$(warning) orphaned: killed in mid-call');
		const block = rangeOf(document, '"type":"tool_use"');
		assert.equal(lenses[0].range.start.line, block.start.line);
		await commands.executeCommand('workbench.actions.view.problems');
		window.activeTextEditor?.revealRange(block);
		await commands.executeCommand('workbench.action.focusActiveEditorGroup');
		await commands.executeCommand('editor.action.marker.next');
		await commands.executeCommand('closeMarkersNavigation');
		await eventually(
			'Its hover is shown',
			async () => {
				// One that the mouse has asked for may stand in its place.
				await commands.executeCommand('editor.action.showHover');
				return labels('.monaco-hover .hover-row, .monaco-resizable-hover');
			},
			(texts) => texts.some((text) => text.includes('Arguments')),
			{ everyMs: 1000 },
		);
		await screenshot('killed');
	});

	it('follows the setting for a rule', async () => {
		await openTranscript(claudePath(killedId));
		const [path] = subagentPaths(killedId);
		const severities = () => problemsOf(path!).map(({ severity }) => severity);
		await eventually(
			'It is an error',
			severities,
			(found) => found.length === 1 && found[0] === DiagnosticSeverity.Error,
		);
		const settings = workspace.getConfiguration('crosstalk');
		await settings.update('rules', { 'orphaned-tool-use': 'note' }, ConfigurationTarget.Global);
		await eventually(
			'It is a note',
			severities,
			(found) => found.length === 1 && found[0] === DiagnosticSeverity.Information,
		);
		await settings.update('rules', { 'orphaned-tool-use': 'off' }, ConfigurationTarget.Global);
		await eventually('It is silent', severities, (found) => found.length === 0);
		await settings.update('rules', undefined, ConfigurationTarget.Global);
		await eventually(
			'It is an error again',
			severities,
			(found) => found.length === 1 && found[0] === DiagnosticSeverity.Error,
		);
	});
});

describe('the readable view', () => {
	afterEach(() => commands.executeCommand('workbench.action.closeAllEditors'));

	it('shows a conversation as text, with its problems where the calls are', async () => {
		const [path] = subagentPaths(killedId);
		await openTranscript(path!);
		await commands.executeCommand('crosstalk.openReadableView', Uri.file(path!));
		const document = await eventually(
			'It is in an editor',
			() => window.activeTextEditor?.document,
			(shown) => shown?.uri.scheme === 'crosstalk-conversation',
		);
		assert.ok(document);
		const text = document.getText();
		assert.match(text, /^# worker \d\n/);
		assert.match(text, /\n## Turn 1 · \d\d:\d\d:\d\d\n/);
		assert.match(text, /\n### ⚠ .* · orphaned: killed in mid-call \(line \d+\)\n\n```json\n\{\n/);
		const problems = await eventually(
			'Its problem is there',
			() => languages.getDiagnostics(document.uri),
			(found) => found.length === 1,
		);
		assert.match(document.lineAt(problems[0]!.range.start.line).text, /^### ⚠ /);
		await screenshot('readable');
	});

	it('says what a notification says, and shows all of it as what it is', async () => {
		await openTranscript(backgroundPath());
		await commands.executeCommand('crosstalk.openReadableView', Uri.file(backgroundPath()));
		const shown = await eventually(
			'It is in an editor',
			() => window.activeTextEditor?.document,
			(shown) => shown?.uri.scheme === 'crosstalk-conversation',
		);
		assert.match(shown?.getText() ?? '', /\n\*\*Notification\*\*.*\n\nIt is over\n\n```\n<task-notification>\n/);
	});
});

describe('the conversation of a transcript in an editor', () => {
	afterEach(() => commands.executeCommand('workbench.action.closeAllEditors'));

	it('says what a notification says that began a turn', async () => {
		await openTranscript(backgroundPath());
		await commands.executeCommand('crosstalk.showConversation');
		const rows = await eventually(
			'It is shown',
			() => conversationOutline(2),
			(shown) => shown.some((row) => row.includes('Turn 2')),
		);
		assert.match(rows.find((row) => row.startsWith('Turn 2')) ?? '', / · It is over$/);
		assert.ok(
			rows.some((row) => row.trim() === 'note It is over'),
			rows.join('\n'),
		);
	});
});

function backgroundPath(): string {
	const extension = extensions.getExtension('crosstalk.crosstalk');
	assert.ok(extension);
	return join(
		extension.extensionPath,
		'test/fixtures/transcripts/claude-code/background-2.1.150/-home-dev-shop/5e551004-0000-4000-8000-000000000004.jsonl',
	);
}

interface Target {
	readonly path: string;
	readonly range: Range;
}

async function definitions(uri: Uri, position: Position): Promise<readonly Target[]> {
	const found = await commands.executeCommand<(Location | LocationLink)[]>(
		'vscode.executeDefinitionProvider',
		uri,
		position,
	);
	return found.map((link) =>
		'targetUri' in link
			? { path: link.targetUri.fsPath, range: link.targetRange }
			: { path: link.uri.fsPath, range: link.range },
	);
}
