// A session that is being written: what a person sees follows what is appended.

import assert from 'node:assert/strict';
import {
	appendFileSync,
	closeSync,
	mkdirSync,
	openSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Range, Uri, WorkspaceEdit, commands, languages, workspace } from 'vscode';
import type { CodeLens } from 'vscode';
import { actUntil, ask, eventually, labels, offered, press, screenshot, type } from '../runner.ts';
import { agentsOutline, api, home, openTranscript, problemsOf, rangeOf, rowOfSession, showAgents } from '../tested.ts';

const sessionId = '77777777-aaaa-4bbb-8ccc-dddddddddddd';
const project = join(home(), '.claude', 'projects', '-home-dev-live');
const path = join(project, `${sessionId}.jsonl`);
const registration = join(home(), '.claude', 'sessions', `${process.pid}.json`);

let lastUuid: string | null = null;
let lines = 0;

/** A line as Claude Code writes it. */
function line(fields: Readonly<Record<string, unknown>>): string {
	const uuid = `00000000-0000-4000-8000-${String(++lines).padStart(12, '0')}`;
	const text = JSON.stringify({
		parentUuid: lastUuid,
		isSidechain: false,
		userType: 'external',
		cwd: '/home/dev/live',
		sessionId,
		version: '2.1.328',
		...fields,
		uuid,
		timestamp: new Date().toISOString(),
	});
	lastUuid = uuid;
	return `${text}\n`;
}

function prompt(text: string): string {
	return line({ type: 'user', message: { role: 'user', content: text } });
}

function call(id: string, name: string): string {
	return line({
		type: 'assistant',
		message: {
			id: `msg_${id}`,
			type: 'message',
			role: 'assistant',
			model: 'm',
			content: [{ type: 'tool_use', id, name, input: { page: 1 } }],
			stop_reason: 'tool_use',
			usage: { input_tokens: 1, output_tokens: 1 },
		},
	});
}

function result(id: string): string {
	return line({
		type: 'user',
		message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'fine' }] },
	});
}

describe('a live session', () => {
	before(async () => {
		await showAgents();
		mkdirSync(dirname(registration), { recursive: true });
		// This very process stands for the agent: it is alive.
		writeFileSync(
			registration,
			JSON.stringify({
				pid: process.pid,
				sessionId,
				startedAt: Date.now() - 1000,
				version: '2.1.328',
				kind: 'interactive',
			}),
		);
		mkdirSync(project, { recursive: true });
		writeFileSync(path, prompt('Look at the numbers') + call('toolu_live1', 'mcp__analytics__query'));
	});

	after(async () => {
		await commands.executeCommand('workbench.action.closeAllEditors');
		rmSync(registration, { force: true });
		rmSync(project, { recursive: true, force: true });
		const { sessions } = await api();
		await eventually(
			'It is gone from the list',
			() => sessions.list.some(({ files }) => files.nativeId === sessionId),
			(isThere) => !isThere,
		);
	});

	it('appears in the list by itself, at the top', async () => {
		const { agents, sessions } = await api();
		await eventually(
			'It is read',
			() => sessions.list.find(({ files }) => files.nativeId === sessionId)?.details?.state,
			(state) => state === 'live',
		);
		const [first] = await agents.tree.getChildren();
		assert.equal(first?.kind === 'session' && first.key, path);
		assert.ok(first);
		const item = agents.tree.getTreeItem(first);
		assert.match(String(item.description), /^live .*1 in flight/);
		assert.equal(item.contextValue, 'crosstalkSession.live');
	});

	it('shows a call that is out as in flight, and as no problem', async () => {
		const { agents } = await api();
		const row = await rowOf();
		await agents.view.reveal(row, { expand: 2 });
		assert.match((await agentsOutline(row))[0] ?? '', /^sync~spin main — query \d+ ?m?s?/);
		const document = await openTranscript(path);
		const lenses = await eventually(
			'The lens is there',
			() => commands.executeCommand<CodeLens[]>('vscode.executeCodeLensProvider', document.uri),
			(found) => found.length === 1,
		);
		assert.match(lenses[0]?.command?.title ?? '', /^\$\(clock\) in flight [\dms ]+ · agent main$/);
		assert.deepEqual(problemsOf(path), []);
		await screenshot('live');
	});

	it('has its result in the tree as soon as it is written', async () => {
		const row = await rowOf();
		const took = await timed(result('toolu_live1'), async () => {
			await eventually(
				'The call is answered',
				() => agentsOutline(row),
				([main]) => main?.includes('query') === false,
				{ everyMs: 2 },
			);
		});
		await ask('report', { line: `      appended result → tree: ${took} ms` });
	});

	it('has a new problem as soon as the line that makes it one is written', async () => {
		appendFileSync(path, call('toolu_live2', 'mcp__analytics__query'));
		// Results for ids that nobody has called, one after the other.
		const times: number[] = [];
		for (let round = 0; round < 20; round++) {
			const expected = round + 1;
			// VS Code tells of new diagnostics 50 ms late, so they are asked for.
			const appeared = () =>
				eventually('The problem is there', strays, (found) => found === expected, { everyMs: 1 });
			times.push(await timed(result(`toolu_nobody${round}`), appeared));
		}
		times.sort((one, other) => one - other);
		await ask('report', {
			line: `      appended line → Problems: median ${times[10]} ms, longest ${times.at(-1)} ms`,
		});
		assert.equal(strays(), 20);
	});

	it('gets a subagent when the file of one appears', async () => {
		const folder = join(project, sessionId, 'subagents');
		mkdirSync(folder, { recursive: true });
		const agent = {
			parentUuid: null,
			isSidechain: true,
			agentId: 'abc123',
			sessionId,
			cwd: '/home/dev/live',
			version: '2.1.328',
			timestamp: new Date().toISOString(),
			uuid: '11111111-0000-4000-8000-000000000001',
		};
		writeFileSync(
			join(folder, 'agent-abc123.jsonl'),
			`${JSON.stringify({ ...agent, type: 'user', message: { role: 'user', content: 'Read the schema' } })}\n`,
		);
		writeFileSync(
			join(folder, 'agent-abc123.meta.json'),
			JSON.stringify({ agentType: 'general-purpose', description: 'read-schema', toolUseId: 'toolu_live2' }),
		);
		const row = await rowOf();
		await eventually(
			'The subagent is below the agent that started it',
			() => agentsOutline(row),
			(found) => found.some((text) => /^ {2}sync~spin read-schema/.test(text)),
		);
	});

	it('is killed: its calls are orphaned, each one a problem', async () => {
		writeFileSync(
			registration,
			JSON.stringify({
				pid: 4_999_998,
				sessionId,
				startedAt: Date.now() - 1000,
				version: '2.1.328',
				kind: 'interactive',
			}),
		);
		await eventually(
			'The call without a result is a problem',
			() => problemsOf(path).map(({ message }) => message),
			(messages) => messages.some((message) => message.includes("main's call to query has no result")),
		);
		const { sessions } = await api();
		assert.equal(sessions.entry(path)?.details?.state, 'ended');
	});

	it('is what the editor has made of it: its problems move with their lines, and go when they are repaired', async () => {
		const document = await openTranscript(path);
		const orphan = () => problemsOf(path).filter(({ message }) => message.includes("main's call to query"));
		const save = async (range: Range, text: string) => {
			const edit = new WorkspaceEdit();
			edit.replace(document.uri, range, text);
			assert.ok(await workspace.applyEdit(edit));
			assert.ok(await document.save());
		};
		const [{ range } = { range: new Range(0, 0, 0, 0) }] = orphan();
		await save(new Range(0, 0, 0, 0), '\n');
		await eventually(
			'The problem has moved with its line',
			() => problemsOf(path).map((problem) => [problem.range.start.line, problem.message] as const),
			(found) =>
				found.length === 21 &&
				found.some(([line, message]) => line === range.start.line + 1 && message.includes("main's call")),
		);
		// The result of another call is made that of this one; the file is as long as before.
		await save(rangeOf(document, 'toolu_nobody0'), 'toolu_live002');
		await save(rangeOf(document, '"id":"toolu_live2"'), '"id":"toolu_live002"');
		await eventually('Nothing is orphaned any more', orphan, (found) => found.length === 0);
		await save(rangeOf(document, 'toolu_live002', 2), 'toolu_nobody0');
		await eventually('Something is again', orphan, (found) => found.length === 1);
	});

	it('is what another program has made of it, though it is as long as before', async () => {
		const orphan = () => problemsOf(path).filter(({ message }) => message.includes("main's call to query"));
		for (const [id, other] of [
			['toolu_nobody0', 'toolu_live002'],
			['toolu_live002', 'toolu_nobody0'],
		] as const) {
			const at = readFileSync(path).lastIndexOf(`"tool_use_id":"${id}"`);
			const file = openSync(path, 'r+');
			writeSync(file, `"tool_use_id":"${other}"`, at);
			closeSync(file);
			await eventually(
				'It was read again',
				() => orphan().length,
				(count) => count === (other === 'toolu_live002' ? 0 : 1),
			);
		}
	});

	it('has a subagent once when its file moves, and no more when the file goes', async () => {
		const row = await rowOf();
		const subagents = async () => (await agentsOutline(row)).slice(1);
		assert.equal((await subagents()).length, 1, JSON.stringify(await agentsOutline(row)));
		const folder = join(project, sessionId, 'subagents');
		const moved = join(project, 'agent-abc123.jsonl');
		const { sessions } = await api();
		const paths = () => sessions.entry(path)?.files.agents.map((agent) => agent.path);
		renameSync(join(folder, 'agent-abc123.jsonl'), moved);
		rmSync(join(folder, 'agent-abc123.meta.json'));
		await eventually('It has moved', paths, (found) => found?.join() === moved);
		assert.equal((await subagents()).length, 1);
		rmSync(moved);
		await eventually('It is gone', subagents, (found) => found.length === 0);
	});
});

describe('a session of Codex that goes on after midnight', () => {
	const [thread, child] = ['01a204c4-e8bd-7e73-9501-9076aea8b82a', '01a204c4-ea8f-7300-9b32-606cffe0e483'];
	const days = join(home(), '.codex', 'sessions', '2026', '10');
	const rollout = (day: string, id: string) => join(days, day, `rollout-2026-10-${day}T12-00-00-${id}.jsonl`);
	after(() => rmSync(days, { recursive: true, force: true }));

	it('keeps its subagents of the next day, whoever looks for its files', async () => {
		for (const [day, id, more] of [
			['30', thread, {}],
			['31', child, { parent_thread_id: thread }],
		] as const) {
			mkdirSync(join(days, day), { recursive: true });
			const payload = { id, session_id: thread, cli_version: '0.169.0', ...more };
			const header = { timestamp: '2026-10-30T12:00:00.000Z', type: 'session_meta', payload };
			writeFileSync(rollout(day, id), `${JSON.stringify(header)}\n`);
		}
		const { sessions } = await api();
		const key = rollout('30', thread);
		// A search that is under way has been past it.
		await eventually(
			'It is found',
			async () => {
				await sessions.search();
				return sessions.entry(key)?.files.agents.length;
			},
			(count) => count === 1,
		);
		const hold = sessions.hold(key);
		assert.ok(hold);
		try {
			const { session } = hold;
			await session.whenRead;
			const paths = () => session.files.agents.map((agent) => agent.path);
			assert.deepEqual(paths(), [rollout('31', child)]);
			await session.search();
			assert.deepEqual(paths(), [rollout('31', child)]);
			assert.deepEqual([...session.fileProblems], []);
		} finally {
			hold.dispose();
		}
	});
});

describe('commands about a row', () => {
	const folder = join(home(), '.claude', 'projects', '-home-dev-asked');
	const asked = join(folder, '66666666-aaaa-4bbb-8ccc-dddddddddddd.jsonl');

	before(async () => {
		mkdirSync(folder, { recursive: true });
		const own = (text: string) => prompt(text).replaceAll(sessionId, '66666666-aaaa-4bbb-8ccc-dddddddddddd');
		writeFileSync(asked, `${own('one')}{"torn\n${own('two')}`);
		await showAgents();
	});

	after(async () => {
		rmSync(folder, { recursive: true, force: true });
		await commands.executeCommand('crosstalk.refreshSessions');
		await commands.executeCommand('notifications.clearAll');
		await commands.executeCommand('workbench.action.closePanel');
	});

	it('are in the palette while the view is there, although it has not the focus then', async () => {
		await commands.executeCommand('crosstalk.agents.focus');
		for (const title of [
			'Copy Id',
			'Show Problems',
			'Reveal in Transcript',
			'Show Conversation',
			'Break on This Tool',
		]) {
			await actUntil(
				'The palette is open',
				() => press('F1'),
				async () => (await labels('.quick-input-widget input:focus')).length > 0,
			);
			await type(`Crosstalk: ${title}`);
			await offered(`Crosstalk: ${title}`);
			await commands.executeCommand('workbench.action.closeQuickOpen');
		}
	});

	it('show the problems of a session that the panel leaves out', async () => {
		const { agents, sessions } = await api();
		await eventually(
			'It is read',
			() => sessions.entry(asked)?.details?.diagnostics.length,
			(count) => count === 1,
		);
		assert.deepEqual(problemsOf(asked), []);
		await commands.executeCommand('crosstalk.revealProblems', agents.tree.sessionNode(asked));
		await eventually(
			'They are in Problems',
			() => problemsOf(asked).length,
			(count) => count === 1,
		);
	});
});

async function rowOf() {
	return rowOfSession(sessionId);
}

function strays(): number {
	return languages
		.getDiagnostics(Uri.file(path))
		.filter(({ code }) => typeof code === 'object' && code.value === 'orphaned-tool-result').length;
}

/** Milliseconds from the append to what comes of it. */
async function timed(text: string, seen: () => Promise<unknown>): Promise<number> {
	const startedAt = performance.now();
	appendFileSync(path, text);
	await seen();
	return Math.round(performance.now() - startedAt);
}
