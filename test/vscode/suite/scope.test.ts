// A call that leaves out where to look, on its transcript: Problems, the hint, the hover, what can be done about it, and who looked where.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
	CodeActionKind,
	ConfigurationTarget,
	DiagnosticSeverity,
	Range,
	commands,
	env,
	extensions,
	languages,
	window,
	workspace,
} from 'vscode';
import type { CodeAction, DocumentLink, Hover, InlayHint, TextDocument } from 'vscode';
import { accept, eventually, labels, offered, press, screenshot, type } from '../runner.ts';
import { api, home, openTranscript, showAgents } from '../tested.ts';

const sessionId = '5e551011-0000-4000-8000-000000000011';
const project = join(home(), '.claude', 'projects', '-home-dev-shop');
const path = join(project, `${sessionId}.jsonl`);
const ruleId = 'default-scope-query';

describe('a scope that was left out', () => {
	let document: TextDocument;
	/** Just behind the brace that opens the arguments. */
	let insertion: { readonly line: number; readonly character: number };

	before(async () => {
		await showAgents();
		mkdirSync(project, { recursive: true });
		writeFileSync(path, transcript());
		const { sessions } = await api();
		await sessions.searchAgain();
	});
	after(async () => {
		await setScope(undefined);
		rmSync(project, { recursive: true, force: true });
		const { sessions } = await api();
		await sessions.searchAgain();
	});
	beforeEach(async () => {
		await setScope(undefined);
		document = await openTranscript(path);
		const line = document
			.getText()
			.split('\n')
			.findIndex((text) => text.includes('"input":{"since"'));
		insertion = { line, character: document.lineAt(line).text.indexOf('{"since"') + 1 };
	});
	afterEach(() => commands.executeCommand('workbench.action.closeAllEditors'));

	it('is a problem at the very arguments, a warning because nobody was there', async () => {
		const [problem] = await problems(1);
		assert.equal(problem?.severity, DiagnosticSeverity.Warning);
		assert.equal(document.getText(problem.range), '{"since":"2026-02-28T00:00:00Z"}');
		assert.match(problem.message, /without context_id/);
		assert.match(problem.message, /Defaults to the caller's own/);
		// What others asked for.
		assert.deepEqual(
			problem.relatedInformation?.map(({ message }) => message),
			['main passed "all" here.'],
		);
	});

	it('is hinted at where the argument belongs', async () => {
		const hints = await hintsOf(document);
		assert.deepEqual(
			hints.map(({ label, position }) => [label, position.line, position.character]),
			[[hints[0]?.label, insertion.line, insertion.character]],
		);
		assert.match(JSON.stringify(hints[0]?.label), /^"context_id: \(default: .+\)"$/);
		reveal(document, insertion);
		await screenshot('scope-hint');
	});

	it('is explained in the hover, in the words of the schema', async () => {
		await problems(1);
		const hovers = await commands.executeCommand<Hover[]>(
			'vscode.executeHoverProvider',
			document.uri,
			document.validatePosition(document.positionAt(0).with(insertion.line, insertion.character)),
		);
		const text = hovers
			.flatMap(({ contents }) =>
				contents.map((content) => (typeof content === 'string' ? content : content.value)),
			)
			.join('\n')
			.replaceAll('\\', '')
			.replaceAll('&nbsp;', ' ');
		assert.match(text, /\*\*context_id\*\* says where the tool looks/);
		assert.match(text, /> Chat context\. Defaults to the caller's own\./);
		assert.match(text, /Without it the tool takes /);
	});

	it('can be declared as intended, with a reason', async () => {
		await problems(1);
		const action = await actionNamed(/^The default of "context_id" is intended…$/);
		const running = run(action);
		await eventually('The reason is asked for', isInputOpen, (is) => is);
		await type('Each agent works in its own tab.');
		await press('Enter');
		await running;
		assert.deepEqual(workspace.getConfiguration('crosstalk').get('scope'), {
			chat: { chat_list_messages: { intended: { context_id: 'Each agent works in its own tab.' } } },
		});
		await problems(0);
		assert.deepEqual(await hintsOf(document), []);
	});

	it('can be put right by saying which parameters are scopes', async () => {
		await problems(1);
		const action = await actionNamed(/^Declare the scopes of chat_list_messages in the settings…$/);
		const running = run(action);
		await offered('context_id');
		await accept('context_id');
		await running;
		const { chat } =
			workspace.getConfiguration('crosstalk').get<Record<string, Record<string, unknown>>>('scope') ?? {};
		assert.match(JSON.stringify(chat?.['chat_list_messages']), /^\{"parameters":\[.*"context_id"/);
		// A person has said that it has no scope at all.
		await setScope({ chat: { chat_list_messages: { parameters: [] } } });
		await problems(0);
	});

	it('can be copied as the call that says it', async () => {
		await problems(1);
		const action = await actionNamed(/^Copy the call with "context_id"$/);
		const running = run(action);
		await accept('"all"');
		await running;
		assert.deepEqual(JSON.parse(await env.clipboard.readText()), {
			name: 'chat_list_messages',
			arguments: { since: '2026-02-28T00:00:00Z', context_id: 'all' },
		});
	});

	it('keeps what else stands in the settings', async () => {
		await setScope({ other: { '*': { policy: 'report' } }, chat: { chat_post: { parameters: [] } } });
		await problems(1);
		const running = run(await actionNamed(/is intended…$/));
		await eventually('The reason is asked for', isInputOpen, (is) => is);
		await type('So it is.');
		await press('Enter');
		await running;
		assert.deepEqual(workspace.getConfiguration('crosstalk').get('scope'), {
			other: { '*': { policy: 'report' } },
			chat: { chat_post: { parameters: [] }, chat_list_messages: { intended: { context_id: 'So it is.' } } },
		});
	});

	it('is said in one sentence when a person has set it wrongly, and the rest of the setting holds', async () => {
		await setScope({ chat: { chat_list_messages: { policy: 'sometimes', parameters: [] } } });
		const shown = await eventually('It is said', notifications, (messages) =>
			messages.some((message) => message.includes('scopes:')),
		);
		assert.match(shown.join(' '), /"chat" › "chat_list_messages" › "policy"/);
		await commands.executeCommand('notifications.clearAll');
		await problems(0);
	});

	it('is seen in the view of who looked where, from which each call is one click away', async () => {
		await commands.executeCommand('crosstalk.showCoverage');
		const shown = await eventually(
			'The view is open',
			() => window.activeTextEditor?.document,
			(open) => open?.uri.scheme === 'crosstalk-coverage' && open.getText().includes('## chat'),
		);
		assert.ok(shown);
		const text = shown.getText();
		assert.match(text, /## chat · chat_list_messages/);
		assert.match(text, /### context_id/);
		assert.match(text, /\| main +\| .+\(not said\) +\| 0 +\| line \d+ \|/);
		assert.match(text, /\| main +\| "all" +\| 2 +\| line \d+ \|/);
		const links = await commands.executeCommand<DocumentLink[]>('vscode.executeLinkProvider', shown.uri);
		assert.deepEqual(
			links.map(({ range }) => shown.getText(range)).every((words) => /^line \d+$/.test(words)),
			true,
		);
		assert.ok(links.length >= 2);
		await screenshot('coverage');
	});

	async function problems(count: number) {
		return eventually(
			`${count} problems`,
			() =>
				languages
					.getDiagnostics(document.uri)
					.filter(({ code }) => typeof code === 'object' && code.value === ruleId),
			(found) => found.length === count,
		);
	}

	async function actionNamed(title: RegExp): Promise<CodeAction> {
		const [problem] = await problems(1);
		assert.ok(problem);
		const actions = await commands.executeCommand<CodeAction[]>(
			'vscode.executeCodeActionProvider',
			document.uri,
			new Range(problem.range.start, problem.range.start),
			CodeActionKind.QuickFix.value,
		);
		const found = actions.find((action) => title.test(action.title));
		assert.ok(found, actions.map((action) => action.title).join('\n'));
		return found;
	}
});

async function notifications(): Promise<readonly string[]> {
	await commands.executeCommand('notifications.showList');
	return labels('.notifications-center .notification-list-item-message');
}

async function run({ command }: CodeAction): Promise<void> {
	assert.ok(command);
	await commands.executeCommand(command.command, ...((command.arguments ?? []) as unknown[]));
}

async function hintsOf(document: TextDocument): Promise<readonly InlayHint[]> {
	return commands.executeCommand<InlayHint[]>(
		'vscode.executeInlayHintProvider',
		document.uri,
		new Range(0, 0, document.lineCount, 0),
	);
}

function reveal(document: TextDocument, { line, character }: { line: number; character: number }): void {
	const editor = window.visibleTextEditors.find((candidate) => candidate.document === document);
	editor?.revealRange(new Range(line, character, line, character + 40));
}

async function isInputOpen(): Promise<boolean> {
	return (await labels('.quick-input-widget:not([style*="display: none"]) .quick-input-box input:focus')).length > 0;
}

async function setScope(value: unknown): Promise<void> {
	await workspace.getConfiguration('crosstalk').update('scope', value, ConfigurationTarget.Workspace);
}

/** The nightly review among the fixtures, which here leaves out where to look before it says so. */
function transcript(): string {
	const extension = extensions.getExtension('crosstalk.crosstalk');
	assert.ok(extension);
	const fixture = join(
		extension.extensionPath,
		'test/fixtures/transcripts/claude-code/scheduled-2.1.328/-home-dev-shop',
		`${sessionId}.jsonl`,
	);
	return readFileSync(fixture, 'utf8')
		.replace('"input":{"context_id":"tab-7"}', '"input":{"since":"2026-02-28T00:00:00Z"}')
		.replaceAll('\\"messages\\":[\\"c\\"]', '\\"messages\\":[]');
}
