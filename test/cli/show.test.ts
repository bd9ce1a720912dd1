import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseTranscript } from '../rules/notation.ts';
import { MemoryIo, asNobody, run } from './memoryIo.ts';

const shop = 'test/fixtures/cli/projects/-home-dev-shop/5ca1ab1e-0000-4000-8000-000000000001.jsonl';
const killed = 'examples/recorded/.claude/projects/-home-dev-analytics/4286b68e-7bda-44a4-87ea-3c0f563e00a3.jsonl';
const codex = 'examples/recorded/.codex';

interface Shown {
	readonly version: number;
	readonly session: Record<string, unknown>;
	readonly agents: readonly Record<string, unknown>[];
	readonly compactions: readonly unknown[];
	readonly toolCalls: readonly Record<string, unknown>[];
}

describe('crosstalk show', () => {
	let home = '';
	before(() => {
		home = mkdtempSync(join(tmpdir(), 'crosstalk-home-'));
		cpSync('examples/recorded', home, { recursive: true });
	});
	after(() => rmSync(home, { recursive: true, force: true }));

	it('prints agents below the calls that started them, turns, and the state of each call', async () => {
		const { code, stdout } = await run(['show', shop, '--assume', 'ended']);
		assert.equal(code, 0);
		assert.equal(
			stdout.split('\n').slice(5).join('\n'),
			`main · 4 calls
├─ turn 1 "Check the 🛒 shop: "prices" & <stock>." · line 1
│  ├─ Read · completed · 1.0 s · line 2
│  ├─ Task · completed · 1.0 s · line 4
│  │  └─ Count the stock (general-purpose) · 1 call · completed
│  │     └─ turn 1 "Count the stock." · line 1
│  │        └─ analytics/count · completed · 1.0 s · line 2
│  ├─ Bash · failed · 1.0 s · line 6
│  └─ analytics/query · orphaned (killed) · line 8
└─ turn 2 "Are you still there?" · line 9
`,
		);
	});

	it('prints what woke an agent as the turn that it began, in the words of the notification', async () => {
		const { stdout } = await run([
			'show',
			'test/fixtures/transcripts/claude-code/background-2.1.150',
			'--assume',
			'ended',
		]);
		assert.match(stdout, /^├─ turn 1 "Do it in the background" · line 2$/m);
		assert.match(stdout, /^└─ turn 2, a notification "It is over" · line 8$/m);
	});

	it('counts turns without a gap', async () => {
		let wokenTurns = 0;
		for (const folder of ['test/fixtures/transcripts', 'examples/recorded']) {
			const { stdout: listed } = await run(['sessions', folder, '--json']);
			// As the command writes it; only the paths are looked at.
			for (const { path } of JSON.parse(listed) as { path: string }[]) {
				const { code, stdout } = await run(['show', path, '--assume', 'ended']);
				assert.equal(code, 0, path);
				wokenTurns += stdout.split(/turn \d+, a notification/).length - 1;
				for (const turns of turnsOf(stdout))
					assert.deepEqual(
						turns,
						turns.map((_, index) => index + 1),
						`${path}\n${stdout}`,
					);
			}
		}
		assert.ok(wokenTurns >= 5, `${wokenTurns} turns of the fixtures were begun by notifications.`);
	});

	it('prints where the provider has refused to go on, with its words', async () => {
		const { stdout } = await run([
			'show',
			'test/fixtures/transcripts/claude-code/unknown-types-2.1.328',
			'--assume',
			'ended',
		]);
		assert.match(stdout, /^[│ ]*[├└]─ API Error: .+ · line \d+$/m);
	});

	it('says since when a call has been out', async () => {
		const { stdout } = await run(['show', killed, '--assume', 'live']);
		assert.match(stdout, /running-operation · pending · since 2026-11-21T08:53:4\d\.\d{3}Z · line 14$/m);
	});

	it('says what of a session it was not allowed to look at', async () => {
		// Windows has no such permissions to take away.
		if (process.platform === 'win32') return;
		const folder = mkdtempSync(join(tmpdir(), 'crosstalk-closed-'));
		cpSync('test/fixtures/cli/projects/-home-dev-shop', folder, { recursive: true });
		const agents = join(folder, '5ca1ab1e-0000-4000-8000-000000000001', 'subagents');
		chmodSync(folder, 0o755);
		chmodSync(agents, 0);
		const path = join(folder, '5ca1ab1e-0000-4000-8000-000000000001.jsonl');
		const { code, stderr } = await asNobody(() => run(['show', path]));
		chmodSync(agents, 0o700);
		rmSync(folder, { recursive: true });
		assert.deepEqual([code, stderr], [0, `crosstalk: ${agents}: There is no permission to read it.\n`]);
	});

	it('names the path that it was not allowed to look at', async () => {
		// Windows has no such permissions to take away.
		if (process.platform === 'win32') return;
		const folder = mkdtempSync(join(tmpdir(), 'crosstalk-closed-'));
		const path = join(folder, 'one.jsonl');
		writeFileSync(path, '');
		chmodSync(folder, 0);
		const shown = await asNobody(() => run(['show', path]));
		const out = join(folder, 'one.crosstalk');
		const saved = await asNobody(() => run(['save', shop, '--out', out]));
		chmodSync(folder, 0o700);
		rmSync(folder, { recursive: true });
		assert.deepEqual([shown.code, shown.stderr], [2, `crosstalk: ${path}: There is no permission to read it.\n`]);
		assert.deepEqual(
			[saved.code, saved.stderr],
			[2, `crosstalk: ${out} cannot be written: there is no permission to write there.\n`],
		);
	});

	it('prints what was given to a call and what came back when asked for all', async () => {
		const { stdout } = await run(['show', shop, '--full']);
		assert.match(stdout, /│ {2}│ {6}arguments:\n│ {2}│ {8}\{\n.*"file_path": "\/home\/dev\/shop\/prices\.csv"\n/);
		assert.match(stdout, /result:\n.*sku,price\n.*1,9\.50\n/);
	});

	it('gives programs the tree as JSON, arguments and results only when asked for all', async () => {
		const shown = JSON.parse((await run(['show', shop, '--json', '--assume', 'ended'])).stdout) as Shown;
		assert.deepEqual(Object.keys(shown), ['version', 'session', 'agents', 'compactions', 'toolCalls']);
		assert.equal(shown.session['id'], '5ca1ab1e-0000-4000-8000-000000000001');
		assert.deepEqual(
			shown.agents.map(({ id, parentId, spawnToolUseId }) => [id, parentId, spawnToolUseId]),
			[
				['main', null, null],
				['a0000000000000001', 'main', 'toolu_task'],
			],
		);
		const [read, , bad, lost] = shown.toolCalls;
		assert.deepEqual(read, {
			id: 'toolu_read',
			name: 'Read',
			agentId: 'main',
			state: 'completed',
			startedAt: '2026-11-20T10:00:02.000Z',
			endedAt: '2026-11-20T10:00:03.000Z',
			durationMs: 1000,
			path: resolve(shop),
			line: 2,
			resultLine: 3,
		});
		assert.equal(bad?.['state'], 'failed');
		assert.deepEqual(
			[lost?.['state'], lost?.['cause'], lost?.['server'], lost?.['resultLine']],
			['orphaned', 'killed', 'analytics', undefined],
		);
		const full = JSON.parse((await run(['show', shop, '--json', '--full'])).stdout) as Shown;
		assert.deepEqual(full.toolCalls[0]?.['arguments'], { file_path: '/home/dev/shop/prices.csv' });
		assert.equal(full.toolCalls[0]?.['result'], 'sku,price\n1,9.50');
		assert.equal(full.toolCalls[3]?.['result'], undefined);
	});

	it('takes the arguments of Codex out of their text', async () => {
		const { toolCalls } = JSON.parse((await run(['show', codex, '--json', '--full'])).stdout) as Shown;
		assert.equal(toolCalls.length, 14);
		assert.ok(toolCalls.some((call) => typeof call['arguments'] === 'object'));
	});

	it('finds a session by its id, or the beginning of it, in every home', async () => {
		for (const id of ['4286b68e-7bda-44a4-87ea-3c0f563e00a3', '4286', 'claude-code:4286', '01a1fd3b-1b83']) {
			const { code, stdout } = await run(['show', id, '--json'], new MemoryIo({ homeFolder: home }));
			assert.equal(code, 0);
			const { session } = JSON.parse(stdout) as Shown;
			assert.ok(`${String(session['format'])}:${String(session['id'])}`.includes(id));
		}
	});

	it('says so when an id is not unique, not known, or a folder holds several sessions', async () => {
		const ambiguous = new MemoryIo({ homeFolder: home });
		cpSync(
			killed,
			join(home, '.claude', 'projects', '-home-dev-analytics', '42869999-7bda-44a4-87ea-3c0f563e00a3.jsonl'),
		);
		assert.equal((await run(['show', '4286'], ambiguous)).code, 2);
		assert.match(
			ambiguous.stderr.text,
			/^crosstalk: "4286" may be one of 2 sessions; name one of them:\n {2}4286.*\n {2}4286.*\n$/,
		);
		assert.deepEqual(await run(['show', 'ffff']), {
			code: 2,
			stdout: '',
			stderr: 'crosstalk: There is neither a file nor a session "ffff".\n',
		});
		assert.match((await run(['show', 'examples/recorded'])).stderr, /There are 3 sessions in /);
		assert.match((await run(['show', 'README.md'])).stderr, /^crosstalk: .*README\.md: The file is no transcript/);
		assert.match((await run(['show'])).stderr, /^crosstalk: A transcript or a session id is needed\.\n/);
	});

	it('ends where agents claim each other for parents', async () => {
		const folder = mkdtempSync(join(tmpdir(), 'crosstalk-circle-'));
		cpSync('test/fixtures/cli/projects/-home-dev-shop', folder, { recursive: true });
		const agents = join(folder, '5ca1ab1e-0000-4000-8000-000000000001', 'subagents');
		const other = 'a0000000000000002';
		cpSync(join(agents, 'agent-a0000000000000001.jsonl'), join(agents, `agent-${other}.jsonl`));
		writeFileSync(join(agents, 'agent-a0000000000000001.meta.json'), JSON.stringify({ parentAgentId: other }));
		writeFileSync(join(agents, `agent-${other}.meta.json`), JSON.stringify({ parentAgentId: 'a0000000000000001' }));
		const { code, stdout } = await run(['show', folder]);
		rmSync(folder, { recursive: true });
		assert.equal(code, 0);
		assert.equal(stdout.match(/analytics\/count/g)?.length, 2);
	});
});

describe('JSON for programs', () => {
	let folder = '';
	let session = '';
	const nasty = 'a\u007f\u009b2Jb\u202ec\u2028d\u2066e';
	before(() => {
		folder = mkdtempSync(join(tmpdir(), 'crosstalk-nasty-'));
		cpSync('test/fixtures/cli/projects/-home-dev-shop', join(folder, nasty), { recursive: true });
		session = join(folder, nasty, basename(shop));
		const text = readFileSync(session, 'utf8');
		writeFileSync(session, text.replaceAll('Check the', nasty).replaceAll('/home/dev/shop', `/home/${nasty}`));
	});
	after(() => rmSync(folder, { recursive: true, force: true }));

	for (const args of [
		['sessions', '.', '--json'],
		['show', '.', '--json'],
		['show', '.', '--json', '--full'],
		['show', '.', '--json', '--coverage'],
		['lint', '.', '--json'],
		['lint', '.', '--format', 'sarif'],
		['compare', '.', killed, '--json'],
		['save', '.', '--force', '--json', '--out', `${nasty}.crosstalk`],
	])
		it(`moves no cursor of a terminal and turns no text around: ${args.filter((arg) => /^[-a-z]+$/.test(arg)).join(' ')}`, async () => {
			const own = args.map((arg) => (arg === '.' ? session : arg === killed ? resolve(killed) : arg));
			const { stdout } = await run(own, new MemoryIo({ workingFolder: folder }));
			assert.doesNotMatch(stdout, /[^\n -~\u00a0-\u2027\u202f-\u2065\u206a-\uffff]/);
			assert.ok(
				JSON.stringify(JSON.parse(stdout)).includes(args.includes('sarif') ? '%7F%C2%9B2J' : nasty),
				stdout,
			);
		});
});

describe('crosstalk sessions', () => {
	it('lists the sessions of every home, newest first', async () => {
		const homeFolder = resolve('examples/recorded');
		const { code, stdout } = await run(['sessions', '--json'], new MemoryIo({ homeFolder }));
		assert.equal(code, 0);
		const sessions = JSON.parse(stdout) as Record<string, unknown>[];
		assert.deepEqual(Object.keys(sessions[0] ?? {}), [
			'id',
			'format',
			'path',
			'project',
			'title',
			'startedAt',
			'lastEventAt',
			'live',
			'state',
			'agents',
			'toolCalls',
			'orphaned',
			'abandoned',
		]);
		assert.deepEqual(
			sessions.map(({ id, format, project, agents, toolCalls, orphaned, live }) => [
				id,
				format,
				project,
				agents,
				toolCalls,
				orphaned,
				live,
			]),
			[
				['4286b68e-7bda-44a4-87ea-3c0f563e00a3', 'claude-code', '/home/dev/analytics', 4, 6, 3, false],
				['26f2dd86-5462-4f7a-aac2-ce9ac421faeb', 'claude-code', '/home/dev/analytics', 4, 6, 0, false],
				['01a1fd3b-1b83-7790-960d-31c753b48ea7', 'codex', '/home/dev/project', 3, 14, 0, false],
			],
		);
		const times = sessions.map(({ lastEventAt }) => String(lastEventAt));
		assert.deepEqual(times, times.toSorted().reverse());
	});

	it('lists those below a folder as a table', async () => {
		const { stdout } = await run(['sessions', 'test/fixtures/cli/projects', '--assume', 'ended']);
		assert.equal(
			stdout,
			`LAST EVENT        AGENT        SESSION                               STATE  AGENTS  CALLS  ORPHANED  PROJECT         TITLE
2026-11-20 10:00  claude-code  5ca1ab1e-0000-4000-8000-000000000001  ended  2       5      1         /home/dev/shop  Check the 🛒 shop: "prices" & <stock>.
`,
		);
	});

	it('does not claim that a session has ended when nothing tells', async () => {
		// The one that was written so long ago that no call can still run has ended.
		const folder = mkdtempSync(join(tmpdir(), 'crosstalk-recent-'));
		cpSync('test/fixtures/cli/projects', join(folder, 'projects'), { recursive: true });
		const copy = join(folder, shop.slice(shop.indexOf('projects')));
		const today = new Date().toISOString().slice(0, 10);
		writeFileSync(copy, readFileSync(shop, 'utf8').replaceAll('2026-11-20T', `${today}T`));
		const args = ['sessions', folder];
		assert.match((await run(args)).stdout, /  not known  2       5 /);
		const [session] = JSON.parse((await run([...args, '--json'])).stdout) as Record<string, unknown>[];
		rmSync(folder, { recursive: true });
		assert.deepEqual([session?.['live'], session?.['state']], [false, 'unknown']);
	});

	it('keeps its columns where a folder is named in signs that are twice as wide', async () => {
		const folder = mkdtempSync(join(tmpdir(), 'crosstalk-wide-'));
		const text = readFileSync(shop, 'utf8');
		writeFileSync(join(folder, 'narrow.jsonl'), text);
		writeFileSync(join(folder, 'wide.jsonl'), text.replaceAll('/home/dev/shop', '/家/デ/🛒é'));
		const { stdout } = await run(['sessions', folder]);
		rmSync(folder, { recursive: true });
		assert.match(stdout, / \/home\/dev\/shop {2}Check/);
		// 4 columns of 14 are left over.
		assert.match(stdout, / \/家\/デ\/🛒é {6}Check/);
	});

	it('takes no empty path for the working folder', async () => {
		for (const command of ['sessions', 'lint', 'show', 'save']) {
			const { code, stderr } = await run([command, '', ...(command === 'save' ? ['--out', 'x.crosstalk'] : [])]);
			assert.equal(code, 2);
			assert.match(stderr, /^crosstalk: A path is empty; the working folder is "\."\.\n/);
		}
	});

	it('says when there are none', async () => {
		assert.deepEqual(await run(['sessions']), { code: 0, stdout: 'No sessions found.\n', stderr: '' });
		assert.equal((await run(['sessions', '--json'])).stdout, '[]\n');
		assert.equal((await run(['sessions', 'nowhere'])).code, 2);
	});

	it('does not take a home that it may not look into for one without sessions, nor do show and lint', async () => {
		// Windows has no such permissions to take away.
		if (process.platform === 'win32') return;
		const homeFolder = mkdtempSync(join(tmpdir(), 'crosstalk-closed-'));
		cpSync('examples/recorded/.claude', join(homeFolder, '.claude'), { recursive: true });
		cpSync('examples/recorded/.codex', join(homeFolder, '.codex'), { recursive: true });
		const workingFolder = '/home/dev/analytics';
		const ran = async (...args: readonly string[]) =>
			asNobody(() => run(args, new MemoryIo({ homeFolder, workingFolder })));
		chmodSync(homeFolder, 0o755);
		chmodSync(join(homeFolder, '.claude'), 0);
		const some = await ran('sessions', '--json');
		chmodSync(join(homeFolder, '.codex'), 0);
		const none = await ran('sessions');
		const shown = await ran('show', '4286b68e');
		const linted = await ran('lint');
		chmodSync(join(homeFolder, '.claude'), 0o700);
		chmodSync(join(homeFolder, '.codex'), 0o700);
		rmSync(homeFolder, { recursive: true });
		const claude = `crosstalk: ${join(homeFolder, '.claude', 'projects')}: There is no permission to read it.\n`;
		assert.deepEqual([some.code, some.stderr, (JSON.parse(some.stdout) as unknown[]).length], [0, claude, 1]);
		assert.deepEqual([none.code, none.stdout], [2, '']);
		assert.match(
			none.stderr,
			/archived_sessions: There is no permission to read it\.\ncrosstalk: Nothing could be read\.\n$/,
		);
		assert.equal(shown.code, 2);
		assert.ok(shown.stderr.startsWith(claude), shown.stderr);
		assert.match(shown.stderr, /There is neither a file nor a session "4286b68e"\.\n$/);
		assert.equal(linted.code, 2);
		assert.match(linted.stderr, /-home-dev-analytics: There is no permission to read it\.\n/);
	});

	it('says which part of a session it could not read, and counts the rest', async () => {
		const folder = mkdtempSync(join(tmpdir(), 'crosstalk-damaged-'));
		const path = join(folder, 'damaged.crosstalk');
		await run(['save', killed, '--out', path]);
		const bytes = readFileSync(path);
		// The first entry is the main transcript.
		bytes.fill('X', 200, 204);
		writeFileSync(path, bytes);
		const { code, stdout, stderr } = await run(['sessions', path, '--json']);
		rmSync(folder, { recursive: true });
		const [found] = JSON.parse(stdout) as { agents: number; unread?: unknown }[];
		assert.deepEqual([code, found?.agents, found !== undefined && 'unread' in found], [0, 3, false]);
		assert.match(stderr, /^crosstalk: .*\.jsonl: The session file is damaged: .* cannot be unpacked\.\n$/);
	});

	it('stops at a limit', async () => {
		const { stdout } = await run(['sessions', 'examples/recorded', '--json', '--limit', '2']);
		assert.equal((JSON.parse(stdout) as unknown[]).length, 2);
		assert.match((await run(['sessions', '--limit', '0'])).stderr, /--limit needs a number from 1 on/);
	});

	it('misses no answer of an agent that the client began to warm a cache, nor do lint and show', async () => {
		const folder = mkdtempSync(join(tmpdir(), 'crosstalk-warm-'));
		const { appends } = parseTranscript(`
client: claude-code 2.1.4
layout: beside
user: hi
assistant: done
user [agent=warm]: Warmup
assistant [agent=warm]: call t1 Bash | call t2 Glob
tool [agent=warm]: result t1 ok
assistant [agent=warm]: call t3 Read`);
		for (const { path, text } of appends) appendFileSync(join(folder, basename(path)), text);
		const told = async (...args: string[]) =>
			JSON.parse((await run([...args, folder, '--assume', 'ended'])).stdout) as Record<string, unknown>;
		const lint = await run(['lint', folder, '--assume', 'ended']);
		const { stdout } = await run(['show', folder, '--assume', 'ended']);
		const sessions = (await told('sessions', '--json')) as unknown as Record<string, unknown>[];
		const { toolCalls } = (await told('show', '--json')) as unknown as Shown;
		const listed = (await run(['sessions', folder, '--assume', 'ended'])).stdout;
		rmSync(folder, { recursive: true });
		assert.equal(lint.code, 0, lint.stdout);
		assert.match(lint.stdout, /3 tool calls \(1 completed, 2 abandoned\)/);
		assert.match(stdout, /Glob · abandoned · line 2\n/);
		// Scripts know four states: for them it is one of the orphans that nobody misses.
		const { toolCalls: count, orphaned, abandoned } = sessions[0] ?? {};
		assert.deepEqual({ count, orphaned, abandoned }, { count: 3, orphaned: 2, abandoned: 2 });
		assert.match(listed, /\b3 +0 /);
		assert.deepEqual(
			toolCalls.map(({ state, cause, isAbandoned }) => [state, cause, isAbandoned]),
			[
				['completed', undefined, undefined],
				['orphaned', 'unknown', true],
				['orphaned', 'killed', true],
			],
		);
	});
});

/** The numbers of the turns of each agent, in the order of rows. */
function turnsOf(tree: string): number[][] {
	const turns = new Map<number, number[]>();
	// The row above that each depth hangs on.
	const above: number[] = [];
	for (const [index, line] of tree.split('\n').entries()) {
		const depth = /^(?:[│ ] {2})*(?:[├└]─ )?/.exec(line)?.[0].length ?? 0;
		above.length = Math.min(above.length, depth);
		const number = /^[│├└─ ]*turn (\d+)/.exec(line)?.[1];
		if (number !== undefined) {
			const owner = above.findLast((row) => row !== undefined) ?? -1;
			turns.set(owner, [...(turns.get(owner) ?? []), Number(number)]);
		}
		above[depth] = index;
	}
	return [...turns.values()];
}
