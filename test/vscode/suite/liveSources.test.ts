// A session as it happens, told by its agent's hooks and its transcript, through a real host.

import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigurationTarget, commands, workspace } from 'vscode';
import { actUntil, ask, click, eventually, labels, screenshot } from '../runner.ts';
import { dataDirectory } from '../scriptedHost.ts';
import { agentsOutline, api, conversationOutline, endHost, home, rowText } from '../tested.ts';

const sessionId = '66666666-aaaa-4bbb-8ccc-dddddddddddd';
const id = `claude-code:${sessionId}`;
const project = join(home(), '.claude', 'projects', '-home-dev-sources');
const path = join(project, `${sessionId}.jsonl`);
const registration = join(home(), '.claude', 'sessions', `${process.pid}.json`);

describe('a session that its agent’s hooks tell of', () => {
	const directory = dataDirectory();
	let rowId = '';

	before(async () => {
		await workspace
			.getConfiguration('crosstalk')
			.update('host.dataDirectory', directory.path, ConfigurationTarget.Global);
		mkdirSync(dirname(registration), { recursive: true });
		// This very process stands for the agent: it is alive.
		const startedAt = Date.now() - 1000;
		writeFileSync(
			registration,
			JSON.stringify({ pid: process.pid, sessionId, startedAt, version: '2.1.328', kind: 'interactive' }),
		);
		await commands.executeCommand('crosstalk.startHost');
		await commands.executeCommand('crosstalk.inFlight.focus');
		await commands.executeCommand('crosstalk.agents.focus');
		const { sessions } = await api();
		await eventually(
			'The list is there',
			() => sessions.isSearched && sessions.list.length >= 3,
			(is) => is,
		);
	});

	after(async () => {
		const { sessions } = await api();
		await endHost();
		await workspace
			.getConfiguration('crosstalk')
			.update('host.dataDirectory', undefined, ConfigurationTarget.Global);
		rmSync(registration, { force: true });
		rmSync(project, { recursive: true, force: true });
		directory.dispose();
		await sessions.searchAgain();
		await eventually(
			'It is gone from the list',
			() => sessions.list.some(({ files }) => files.nativeId === sessionId),
			(isThere) => !isThere,
		);
	});

	async function hook(event: string, fields: object = {}): Promise<void> {
		const { connection } = await (await api()).host.load();
		const { url, token } = connection.address ?? assert.fail('no host');
		const body = {
			hook_event_name: event,
			session_id: sessionId,
			prompt_id: 'p1',
			transcript_path: path,
			cwd: '/home/dev/sources',
			...fields,
		};
		const answer = await fetch(`${url}/${token}/hooks/claude-code`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify(body),
		});
		assert.equal(answer.status, 200);
	}

	async function row() {
		const { agents, sessions } = await api();
		const key = sessions.list.find(({ files }) => files.nativeId === id || files.nativeId === sessionId)?.key;
		return key === undefined ? undefined : agents.tree.sessionNode(key);
	}

	async function outline(): Promise<string> {
		const node = await row();
		return node === undefined ? '' : (await agentsOutline(node)).join('\n');
	}

	/** In the window itself. */
	async function showsInFlight(count: number): Promise<void> {
		await eventually(
			`${count} calls are on the screen`,
			() => labels('.monaco-list-row'),
			(rows) => rows.some((text) => text.startsWith(`Built-in tools of agents: ${count} calls in flight`)),
			{ everyMs: 2 },
		);
	}

	/** The rows of the view of calls in flight. */
	async function inFlight(): Promise<readonly string[]> {
		const { tree } = (await api()).host.inFlight;
		const lines: string[] = [];
		for (const group of await tree.getChildren()) {
			lines.push(rowText(tree.getTreeItem(group)));
			for (const each of await tree.getChildren(group)) lines.push(`  ${rowText(tree.getTreeItem(each))}`);
		}
		return lines;
	}

	const bash = (toolUseId: string, command: string) => ({
		tool_name: 'Bash',
		tool_use_id: toolUseId,
		tool_input: { command },
	});

	it('has a row before there is a transcript, with what its agent does', async () => {
		await hook('SessionStart', { source: 'startup' });
		await hook('UserPromptSubmit', { prompt: 'Look at the numbers' });
		await hook('PreToolUse', bash('toolu_first', 'sleep 60'));
		const { agents, sessions } = await api();
		await eventually('Its call is there', outline, (text) => /^sync~spin main — Bash \d+ ?m?s?/.test(text));
		const item = await eventually(
			'Its row is complete',
			async () => {
				const node = await row();
				return node === undefined ? undefined : { node, shown: agents.tree.getTreeItem(node) };
			},
			(found) => /^live .*1 in flight · MCP host$/.test(String(found?.shown.description)),
		);
		assert.ok(item);
		assert.equal(item.shown.label, 'Look at the numbers');
		rowId = item.shown.id ?? '';
		assert.equal(sessions.entry(item.node.key)?.files.format, 'host');
		const times: number[] = [];
		for (let round = 0; round < 8; round++) {
			const began = performance.now();
			await hook('PreToolUse', bash(`toolu_round${round}`, 'ls'));
			await eventually('The next call is there', outline, (text) => text.includes(`${round + 2} in flight`), {
				everyMs: 2,
			});
			times.push(Math.round(performance.now() - began));
		}
		await showsInFlight(9);
		const shownAt: number[] = [];
		for (let round = 0; round < 4; round++) {
			await new Promise((resolve) => setTimeout(resolve, 400));
			const began = performance.now();
			await hook('PostToolUse', bash(`toolu_round${round}`, 'ls'));
			await showsInFlight(8 - round);
			shownAt.push(Math.round(performance.now() - began));
		}
		await ask('report', { line: `      hook → row on the screen: ${shownAt.join(', ')} ms` });
		times.sort((one, other) => one - other);
		await ask('report', {
			line: `      hook → row of its agent: median ${times[4]} ms, longest ${times.at(-1)} ms`,
		});
		for (let round = 4; round < 8; round++) await hook('PostToolUse', bash(`toolu_round${round}`, 'ls'));
		await eventually('They have ended', outline, (text) => !text.includes('in flight'));
	});

	it('has its built-in tools among the calls in flight, apart from those of servers', async () => {
		await hook('SubagentStart', { agent_id: 'abc1', agent_type: 'Explore' });
		await hook('PreToolUse', { ...bash('toolu_asked', 'rm -r x'), agent_id: 'abc1', agent_type: 'Explore' });
		await hook('PermissionRequest', { ...bash('toolu_asked', 'rm -r x'), agent_id: 'abc1', agent_type: 'Explore' });
		const group = 'tools Built-in tools — 2 in flight, 1 waiting for permission · seen by hooks';
		const lines = await eventually('They are there', inFlight, ([first]) => first === group);
		assert.equal(lines.length, 3);
		assert.match(lines[1] ?? '', /^ {2}play Bash — [\dms ]+ · main · running$/);
		assert.match(lines[2] ?? '', /^ {2}question Bash — [\dms ]+ · abc1 · waits for permission · Explore$/);
		await eventually('Its agent waits', outline, (text) => /clock abc1 — Bash waits for permission/.test(text));
		await commands.executeCommand('crosstalk.conversation.focus');
		const node = await row();
		assert.ok(node?.kind === 'session');
		const { agents, conversation } = await api();
		await agents.view.reveal(node, { expand: 2 });
		const [main] = await agents.tree.getChildren(node);
		assert.ok(main?.kind === 'agent');
		conversation.tree.show(main.key, main.agentId);
		await eventually(
			'Its calls are told',
			() => conversationOutline(3),
			(found) =>
				found.some((line) => line.startsWith('Seen by hooks')) &&
				found.some((line) =>
					line.includes("Its agent's hook says that it has begun, and nothing says that it has ended."),
				),
		);
		await screenshot('live-hooks');
	});

	it('is the same row when its transcript comes, and each call is one call', async () => {
		const { agents, conversation, sessions } = await api();
		mkdirSync(project, { recursive: true });
		writeFileSync(path, line('user', 'Look at the numbers') + call('toolu_first'));
		await eventually(
			'It is known by its transcript',
			() => sessions.list.filter(({ files }) => [id, sessionId].includes(files.nativeId)).map(({ key }) => key),
			(keys) => keys.length === 1 && keys[0] === path,
		);
		const node = await row();
		assert.ok(node);
		assert.equal(agents.tree.getTreeItem(node).id, rowId);
		await eventually('It is read', outline, (text) => text.startsWith('sync~spin main — Bash'));
		const main = sessions.inView(path)?.conversation.agents.get(conversation.tree.agent?.id ?? assert.fail());
		assert.deepEqual(
			main?.toolCalls.map(({ id: toolUseId, hookCall }) => [toolUseId, hookCall?.tool]),
			[['toolu_first', 'Bash']],
		);
		assert.ok(main.hostCalls.every(({ id: toolUseId }) => toolUseId !== 'toolu_first'));
		await eventually(
			'The view of its conversation goes on with it',
			() => conversation.tree.session?.key,
			(key) => key === path,
		);
	});

	it('shows who has seen a call, and what they say against each other', async () => {
		await hook('PostToolUseFailure', {
			...bash('toolu_first', 'sleep 61'),
			error: 'Exit code 1',
			duration_ms: 1234,
		});
		await eventually('It has ended there', inFlight, (found) => found.length === 2);
		await eventually(
			'No call of the main agent is out',
			outline,
			(text) => !text.startsWith('sync~spin main — Bash'),
		);
		appendFileSync(path, result('toolu_first'));
		const lines = await eventually(
			'It is told',
			() => conversationOutline(3),
			(found) => found.some((text) => text.includes('How it ended')),
		);
		const shown = lines.join('\n');
		assert.match(shown, /Seen in the transcript and by hooks\./);
		assert.match(shown, /git-compare How it ended: completed, says the transcript; failed, says a hook\./);
		assert.match(shown, /By its agent's hooks: begun at \S+; failed after 1 s \(Exit code 1\)\./);
		assert.deepEqual(await eventuallyNone(), []);
		// What stands above it would leave no room for it.
		for (const [which, isOpen] of [
			['[aria-label^="Seen by hooks"]', false],
			['[aria-label^="Call to Bash"][aria-label*="sleep 60"]', true],
		] as const) {
			const shownRow = `.monaco-list-row${which}`;
			await actUntil(
				`${which} is ${isOpen ? 'open' : 'closed'}`,
				() => click(`${shownRow} .monaco-tl-twistie`),
				async () => (await labels(`${shownRow}[aria-expanded="${isOpen}"]`)).length === 1,
			);
		}
		await eventually(
			'The conflict is on the screen',
			() => labels('.monaco-list-row'),
			(rows) => rows.some((text) => text.startsWith('Conflict. How it ended')),
		);
		await screenshot('live-conflict');
	});

	async function eventuallyNone(): Promise<readonly string[]> {
		await hook('PermissionDenied', { ...bash('toolu_asked', 'rm -r x'), agent_id: 'abc1', reason: 'No.' });
		return eventually('Nothing is in flight', inFlight, (found) => found.length === 0);
	}
});

let lines = 0;
let lastUuid: string | null = null;

/** A line as Claude Code writes it. */
function line(type: 'user' | 'assistant', content: unknown, message: object = {}): string {
	const uuid = `00000000-0000-4000-8000-${String(++lines).padStart(12, '0')}`;
	const text = JSON.stringify({
		parentUuid: lastUuid,
		isSidechain: false,
		userType: 'external',
		cwd: '/home/dev/sources',
		sessionId,
		version: '2.1.328',
		type,
		message: { role: type, content, ...message },
		uuid,
		timestamp: new Date().toISOString(),
	});
	lastUuid = uuid;
	return `${text}\n`;
}

function call(toolUseId: string): string {
	return line('assistant', [{ type: 'tool_use', id: toolUseId, name: 'Bash', input: { command: 'sleep 60' } }], {
		id: `msg_${toolUseId}`,
		type: 'message',
		model: 'm',
		stop_reason: 'tool_use',
		usage: { input_tokens: 1, output_tokens: 1 },
	});
}

function result(toolUseId: string): string {
	return line('user', [{ type: 'tool_result', tool_use_id: toolUseId, content: 'fine' }]);
}
