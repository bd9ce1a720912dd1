import assert from 'node:assert/strict';
import {
	chmodSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LintResult } from '../../src/core/report/index.ts';
import { MemoryIo, asNobody, root, run } from './memoryIo.ts';

const shop = 'test/fixtures/cli/projects';
const shopMain = `${shop}/-home-dev-shop/5ca1ab1e-0000-4000-8000-000000000001.jsonl`;
const shopAgent = `${shop}/-home-dev-shop/5ca1ab1e-0000-4000-8000-000000000001/subagents/agent-a0000000000000001.jsonl`;
const notes = 'test/fixtures/cli/notes.jsonl';
const recorded = 'examples/recorded';

// The very expression of the problem matcher in the manifest.
const matcher = /^(.+?):(\d+):(\d+): (error|warning|note): (.+) \[([a-z-]+)\]$/;

async function lintJson(...args: readonly string[]): Promise<LintResult> {
	// What lint prints as JSON has the shape of its result; the goldens hold it to that.
	return JSON.parse((await run(['lint', '--json', ...args])).stdout) as LintResult;
}

describe('crosstalk lint', () => {
	let folder = '';
	beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'crosstalk-cli-'))));
	afterEach(() => rmSync(folder, { recursive: true, force: true }));

	for (const format of ['text', 'json', 'sarif', 'junit', 'github'] as const) {
		it(`writes ${format} as the golden file has it`, async () => {
			const { code, stdout } = await run(['lint', shop, notes, '--assume', 'ended', '--format', format]);
			assert.equal(code, 1);
			const written = stdout
				.replaceAll(root, '<root>')
				.replace(/"durationMs": \d+/, '"durationMs": 0')
				.replace(/(?<="name": "Crosstalk",\s+"version": )"[^"]+"/, '"<version>"');
			assertGolden(`test/fixtures/cli/golden/lint.${format}`, written);
		});

		it(`writes the same ${format} twice, whatever the order of the paths`, async () => {
			const first = await run(['lint', shop, recorded, '--format', format]);
			const second = await run(['lint', recorded, shopAgent, shop, '--format', format]);
			const withoutTime = (text: string) => text.replace(/"durationMs": \d+/, '');
			assert.equal(withoutTime(second.stdout), withoutTime(first.stdout));
		});
	}

	it('finds nothing in the complete recorded sessions', async () => {
		const claude = `${recorded}/.claude/projects/-home-dev-analytics/26f2dd86-5462-4f7a-aac2-ce9ac421faeb.jsonl`;
		const result = await lintJson(claude, `${recorded}/.codex`, '--assume', 'ended');
		assert.deepEqual(result.diagnostics, []);
		assert.deepEqual(result.inconclusive, []);
		assert.equal(result.sessions.length, 2);
		assert.equal(result.summary.toolCalls, 20);
		assert.equal((await run(['lint', claude])).code, 0);
	});

	it('finds the three calls that were out when the recorded session was killed', async () => {
		const { code, stdout } = await run(['lint', recorded]);
		assert.equal(code, 1);
		const found = stdout.split('\n').flatMap((line) => matcher.exec(line) ?? []);
		const result = await lintJson(recorded);
		assert.equal(found.length, 3 * 7, stdout);
		assert.deepEqual(
			result.diagnostics.map(({ ruleId, cause, agentId }) => [ruleId, cause, agentId]),
			['a0beff11c128ecaa2', 'a4bd5548313e457e6', 'a7d944833d7c4f26f'].map((id) => [
				'orphaned-tool-use',
				'killed',
				id,
			]),
		);
		assert.equal(result.summary.orphaned, 3);
	});

	it('writes text that a problem matcher resolves to the very places', async () => {
		const { stdout } = await run(['lint', shop, '--assume', 'ended']);
		const places = stdout.split('\n').flatMap((line) => {
			const [, path = '', row, column, severity, , rule] = matcher.exec(line) ?? [];
			return row === undefined ? [] : [{ path, line: Number(row), column: Number(column), severity, rule }];
		});
		const { diagnostics } = await lintJson(shop, '--assume', 'ended');
		assert.deepEqual(
			places.map((place) => ({ ...place, path: resolve(root, place.path) })),
			diagnostics.map(({ path, line, column, severity, ruleId }) => ({
				path,
				line,
				column,
				severity,
				rule: ruleId,
			})),
		);
		assert.ok(places.every(({ path }) => existsSync(path)));
	});

	it('points with line and columns at the block, and at the whole of a damaged line', async () => {
		const { diagnostics } = await lintJson(shop, '--assume', 'ended');
		const texts = diagnostics.map(({ path, line, column, endColumn }) =>
			readFileSync(path, 'utf8')
				.split('\n')
				.at(line - 1)!
				.slice(column - 1, endColumn - 1),
		);
		assert.equal((JSON.parse(texts[0]!) as { id: string }).id, 'toolu_lost');
		assert.equal(texts[1], '{"parentUuid":"größe 🛒", broken');
	});

	it("reports of a subagent's file that was named only what is in it", async () => {
		const result = await lintJson(shopAgent, '--assume', 'ended');
		assert.deepEqual(
			result.files.map(({ path }) => path),
			[resolve(shopAgent)],
		);
		assert.deepEqual(
			result.diagnostics.map(({ ruleId }) => ruleId),
			['damaged-line'],
		);
		assert.deepEqual(
			result.sessions[0]?.agents.map(({ id, spawnToolUseId }) => [id, spawnToolUseId]),
			[['a0000000000000001', 'toolu_task']],
		);
	});

	it('reports of a main transcript its subagents too', async () => {
		const result = await lintJson(shopMain, '--assume', 'ended');
		assert.deepEqual(
			result.files.map(({ path }) => path),
			[resolve(shopMain), resolve(shopAgent)],
		);
	});

	it('fails from the severity on that was asked for', async () => {
		assert.equal((await run(['lint', shopAgent, '--assume', 'ended'])).code, 0);
		assert.equal((await run(['lint', shopAgent, '--assume', 'ended', '--fail-on', 'warning'])).code, 1);
		assert.equal((await run(['lint', shop, '--assume', 'ended', '--fail-on', 'never'])).code, 0);
		assert.equal((await run(['lint', shop, '--assume', 'ended', '--rule', 'orphaned-tool-use=note'])).code, 0);
		assert.equal(
			(
				await run([
					'lint',
					shop,
					'--assume',
					'ended',
					'--rule',
					'orphaned-tool-use=off',
					'--rule',
					'damaged-line=error',
				])
			).code,
			1,
		);
	});

	it('takes rules and --fail-on from a configuration with comments, and options before it', async () => {
		const config = join(folder, 'crosstalk.jsonc');
		writeFileSync(
			config,
			'\ufeff// ours\n{ "rules": { "orphaned-tool-use": "off", /* soon */ "damaged-line": "note", }, "failOn": "note", }\n',
		);
		const run1 = await run(['lint', shop, '--assume', 'ended', '--config', config]);
		assert.equal(run1.code, 1);
		assert.match(run1.stdout, /: note: The line is not a JSON object/);
		assert.doesNotMatch(run1.stdout, /orphaned-tool-use/);
		assert.equal(
			(await run(['lint', shop, '--assume', 'ended', '--config', config, '--fail-on', 'warning'])).code,
			0,
		);
		assert.equal(
			(await run(['lint', shop, '--assume', 'ended', '--config', config, '--rule', 'damaged-line=off'])).code,
			0,
		);
	});

	for (const [text, sentence] of [
		['{\n "rules": {\n "no-such-rule": "off" } }', ':3: There is no rule "no-such-rule".'],
		[
			'{\n "rules": { "damaged-line":\n "loud" } }',
			':3: "damaged-line" must be one of "off", "note", "warning", "error".',
		],
		['{\n "failOn": 3 }', ':2: "failOn" must be one of "note", "warning", "error", "never".'],
		['{ "rule": {} }', ':1: There is no setting "rule"; there are "rules", "failOn" and "scope".'],
		[
			'{\n "scope": {\n "chat": {\n "list": { "policy": "maybe" } } } }',
			':4: A policy is one of off, report, require and fill, or an object with such a one for interactive and for headless callers.',
		],
		[
			'{\n "scope": { "chat": { "list": {\n "parameters": "all" } } } }',
			':3: `parameters` must be a list of paths of parameters, such as ["context_id"].',
		],
		['{\n "scope":\n [] }', ':3: Scopes are told by server and then by tool: an object is needed here.'],
		['{\n "failOn" "error" }', ':2: The configuration is not JSON: colon expected.'],
		['{\n "failOn": "error\n', ':2: The configuration is not JSON: unexpected end of string.'],
		['{\n "a": 1,\n', ':3: The configuration is not JSON: property name expected.'],
		['', ':1: The configuration is not JSON: value expected.'],
		['[]', ':1: The configuration must be an object.'],
		['{} {}', ':1: The configuration is not JSON: end of file expected.'],
	] as const) {
		it(`says in one sentence what is wrong with the configuration ${JSON.stringify(text)}`, async () => {
			const config = join(folder, 'bad.jsonc');
			writeFileSync(config, text);
			const { code, stdout, stderr } = await run(['lint', shop, '--config', config]);
			assert.deepEqual([code, stdout, stderr], [2, '', `crosstalk: ${config}${sentence}\n`]);
		});
	}

	it('says everything that is wrong with a configuration, each with its line', async () => {
		const config = join(folder, 'bad.jsonc');
		const lines = [
			'{',
			'"scope": {',
			'"chat": {',
			'"list": { "policy": "maybe" },',
			'"search": { "parameters": "all" } },',
			'"mail": 3 },',
			'"rules": { "damaged-lin": "off",',
			'"lost-update": "loud" } }',
		];
		writeFileSync(config, lines.join('\n'));
		const { code, stderr } = await run(['lint', shop, '--config', config]);
		assert.equal(code, 2);
		assert.equal(
			stderr,
			[
				'4: A policy is one of off, report, require and fill, or an object with such a one for interactive and for headless callers.',
				'5: `parameters` must be a list of paths of parameters, such as ["context_id"].',
				'6: The tools of `mail` must be an object, by their names.',
				'7: There is no rule "damaged-lin". Did you mean "damaged-line"?',
				'8: "lost-update" must be one of "off", "note", "warning", "error".',
			]
				.map((text) => `crosstalk: ${config}:${text}\n`)
				.join(''),
		);
	});

	it('says when there is no configuration', async () => {
		const { code, stderr } = await run(['lint', shop, '--config', 'nowhere.json']);
		assert.deepEqual(
			[code, stderr],
			[2, 'crosstalk: The configuration nowhere.json cannot be read: there is no such file.\n'],
		);
	});

	it('cannot run when nothing could be read, and says why', async () => {
		for (const [path, message] of [
			[notes, /notes\.jsonl: The file is no transcript of an agent that Crosstalk knows/],
			['nowhere', /nowhere: There is no such file or folder\./],
			[folder, /There is no transcript in /],
		] as const) {
			const { code, stdout, stderr } = await run(['lint', path]);
			assert.equal(code, 2);
			assert.equal(stdout, '');
			assert.match(stderr, message);
			assert.equal(stderr.trim().split('\n').length, 1);
		}
	});

	it('does not pass when only a part of what was named could be read', async () => {
		const whole = `${recorded}/.claude/projects/-home-dev-analytics/26f2dd86-5462-4f7a-aac2-ce9ac421faeb.jsonl`;
		assert.equal((await run(['lint', whole])).code, 0);
		for (const path of ['nowhere', notes]) {
			for (const format of ['text', 'sarif']) {
				const { code, stdout, stderr } = await run(['lint', whole, path, '--format', format]);
				assert.equal(code, 2);
				assert.notEqual(stdout, '');
				assert.match(stderr, /^crosstalk: .*\n$/);
			}
		}
		// What was found says more than what was not looked at.
		assert.equal((await run(['lint', shop, 'nowhere', '--assume', 'ended'])).code, 1);
	});

	it('lists a named file that is no transcript as unknown, and reads the rest', async () => {
		const { files } = await lintJson(notes, shopMain, 'nowhere');
		assert.deepEqual(
			files
				.filter(({ format }) => format === 'unknown')
				.map(({ path, problems }) => [path, problems.map(({ line, kind }) => [line, kind])]),
			[
				[resolve('nowhere'), [[1, 'unreadable']]],
				[resolve(notes), [[1, 'unreadable']]],
			],
		);
		assert.equal(files.length, 4);
	});

	it('reads the rest of a folder of which a part may not be read', async function () {
		// Windows has no such permissions to take away.
		if (process.platform === 'win32') return;
		cpSync(shop, folder, { recursive: true });
		const closed = join(folder, '-home-dev-shop', 'closed.jsonl');
		const closedFolder = join(folder, 'closed');
		writeFileSync(closed, '{}\n');
		mkdirSync(closedFolder);
		chmodSync(folder, 0o755);
		chmodSync(closed, 0);
		chmodSync(closedFolder, 0);
		const ran = await asNobody(() => run(['lint', folder, '--json', '--assume', 'ended']));
		const whole = await asNobody(() => run(['lint', closedFolder]));
		chmodSync(closedFolder, 0o700);
		const { files } = JSON.parse(ran.stdout) as LintResult;
		assert.equal(ran.code, 1);
		assert.deepEqual(
			files
				.filter(({ format }) => format === 'unknown')
				.map(({ path, problems }) => [path, problems.map(({ message }) => message)]),
			[
				[closed, ['There is no permission to read it.']],
				[closedFolder, ['There is no permission to read it.']],
			],
		);
		assert.equal(files.filter(({ format }) => format === 'claude-code').length, 2);
		assert.equal(ran.stderr.trim().split('\n').length, 2);
		assert.deepEqual(
			[whole.code, whole.stdout, whole.stderr],
			[2, '', `crosstalk: ${closedFolder}: There is no permission to read it.\n`],
		);
	});

	it('writes the report to a file, without colours', async () => {
		const io = new MemoryIo({ environment: { TERM: 'xterm' } });
		io.stdout.isTerminal = true;
		const output = join(folder, 'report.txt');
		assert.equal((await run(['lint', shop, '--assume', 'ended', '--output', output], io)).code, 1);
		assert.equal(io.stdout.text, '');
		assert.equal(readFileSync(output, 'utf8'), (await run(['lint', shop, '--assume', 'ended'])).stdout);
	});

	it('says when the report cannot be written', async () => {
		const { code, stderr } = await run(['lint', shop, '--output', join(folder, 'no', 'such', 'folder')]);
		assert.equal(code, 2);
		assert.match(stderr, /^crosstalk: The report cannot be written to .*: there is no such folder\.\n$/);
	});

	it('uses colours on a terminal only, and not when NO_COLOR is set', async () => {
		const coloured = new MemoryIo({ environment: { TERM: 'xterm' } });
		coloured.stdout.isTerminal = true;
		const plain = new MemoryIo({ environment: { TERM: 'xterm', NO_COLOR: '1' } });
		plain.stdout.isTerminal = true;
		const isColoured = (text: string) => text.includes('\u001b[');
		assert.ok(isColoured((await run(['lint', shop], coloured)).stdout));
		assert.ok(!isColoured((await run(['lint', shop], plain)).stdout));
		assert.ok(!isColoured((await run(['lint', shop])).stdout));
	});

	it('looks without a path at the current project, of every agent', async () => {
		const claudeProject = join(folder, '.claude', 'projects', '-home-dev-shop');
		cpSync(`${shop}/-home-dev-shop`, claudeProject, { recursive: true });
		cpSync(`${recorded}/.codex`, join(folder, '.codex'), { recursive: true });
		const inFolder = async (workingFolder: string) => {
			const { code, stdout, stderr } = await run(
				['lint', '--json'],
				new MemoryIo({ workingFolder, homeFolder: folder }),
			);
			return code === 2 ? stderr : (JSON.parse(stdout) as LintResult).sessions.map(({ format }) => format);
		};
		assert.deepEqual(await inFolder('/home/dev/shop'), ['claude-code']);
		assert.deepEqual(await inFolder('/home/dev/project'), ['codex']);
		assert.equal(
			await inFolder('/home/dev'),
			'crosstalk: No agent has written a session in /home/dev. Name a transcript or a folder.\n',
		);
	});

	it('says in one sentence of a path that the system does not follow, also where threads may be needed', async function () {
		// Windows has no such permissions to take away, and lets few people make links.
		if (process.platform === 'win32') return;
		const circle = join(folder, 'circle.jsonl');
		const closed = join(folder, 'closed');
		symlinkSync('circle.jsonl', circle);
		cpSync(shop, join(folder, 'shop'), { recursive: true });
		mkdirSync(closed);
		chmodSync(folder, 0o755);
		chmodSync(closed, 0);
		const io = () => new MemoryIo({ workerEntry: new URL('../../src/cli/bin.ts', import.meta.url) });
		for (const [path, message] of [
			[circle, 'Its links lead in a circle.'],
			[join(closed, 'one.jsonl'), 'There is no permission to read it.'],
		] as const) {
			const { code, stderr } = await asNobody(() => run(['lint', path], io()));
			assert.deepEqual([code, stderr], [2, `crosstalk: ${path}: ${message}\n`]);
		}
		const whole = await asNobody(() => run(['lint', folder, '--assume', 'ended'], io()));
		chmodSync(closed, 0o700);
		assert.equal(whole.code, 1, whole.stderr);
	});

	it('gives on several threads the very result of one', async () => {
		const line = (number: number) =>
			`{"parentUuid":null,"isSidechain":false,"cwd":"/home/dev/shop","sessionId":"s","version":"2.1.150","type":"user","message":{"role":"user","content":"${'x'.repeat(1000)}"},"uuid":"u${number}","timestamp":"2026-11-20T10:00:00.000Z"}\n`;
		const text = Array.from({ length: 9000 }, (_, number) => line(number)).join('');
		for (let number = 0; number < 4; number++)
			writeFileSync(join(folder, `5ca1ab1e-0000-4000-8000-00000000000${number}.jsonl`), `${text}{"broken":\n`);
		const workerEntry = new URL('../../src/cli/bin.ts', import.meta.url);
		const alone = await run(['lint', folder, '--json']);
		const together = await run(['lint', folder, '--json'], new MemoryIo({ workerEntry }));
		const withoutTime = (written: string) => written.replace(/"durationMs": \d+/, '');
		assert.equal((JSON.parse(alone.stdout) as LintResult).diagnostics.length, 4);
		assert.equal(withoutTime(together.stdout), withoutTime(alone.stdout));
	});
});

/** Compares with a golden file, or writes it when UPDATE_GOLDENS is set. */
function assertGolden(path: string, text: string): void {
	if (process.env['UPDATE_GOLDENS'] === '1') {
		mkdirSync(resolve(path, '..'), { recursive: true });
		writeFileSync(path, text);
	}
	assert.equal(text, readFileSync(path, 'utf8'));
}
