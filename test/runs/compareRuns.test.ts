// Two runs beside each other: what is told of them, and that it is told of nothing else.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../cli/memoryIo.ts';
import { SavingFolder, everySession, nameOf, saveAs } from './savedSessions.ts';

const sessions = await everySession();
const recorded = 'examples/recorded/.claude/projects/-home-dev-analytics';
const completed = `${recorded}/26f2dd86-5462-4f7a-aac2-ce9ac421faeb.jsonl`;
const killed = `${recorded}/4286b68e-7bda-44a4-87ea-3c0f563e00a3.jsonl`;
const native = '5e551000-0000-4000-8000-000000000001';

describe('comparing two runs', () => {
	let folder: SavingFolder;

	before(() => {
		folder = new SavingFolder();
	});

	after(() => folder.remove());

	for (const session of sessions) {
		it(`finds no difference between a session and what was saved of it: ${nameOf(session)}`, async () => {
			const path = folder.of('same.crosstalk');
			await saveAs(path, session);
			const { code, stdout } = await run(['compare', nameOf(session), path, '--json']);
			const { isSame, agents } = JSON.parse(stdout) as { isSame: boolean; agents: { a: string; b: string }[] };
			assert.equal(isSame, true, stdout);
			assert.equal(code, 0);
			// Each agent was matched with itself.
			assert.deepEqual(
				agents.filter(({ a, b }) => a !== b),
				[],
			);
		});
	}

	for (const session of sessions) {
		it(`finds no difference between a session and its copy without bodies: ${nameOf(session)}`, async () => {
			const path = folder.of('replaced.crosstalk');
			await saveAs(path, session, 'replaced');
			for (const [args, without] of [
				[[nameOf(session), path], ['b']],
				[[path, nameOf(session)], ['a']],
				[
					[path, path],
					['a', 'b'],
				],
			] as const) {
				const { code, stdout } = await run(['compare', ...args, '--json']);
				const { isSame, withoutBodies } = JSON.parse(stdout) as { isSame: boolean; withoutBodies: string[] };
				assert.equal(isSame, true, stdout);
				assert.equal(code, 0);
				assert.deepEqual(withoutBodies, without);
			}
		});
	}

	it('says once that one of them has no bodies, and what was therefore not compared', async () => {
		const [session] = sessions.filter((candidate) => nameOf(candidate) === killed);
		assert.ok(session !== undefined);
		const path = folder.of('killed.crosstalk');
		await saveAs(path, session, 'replaced');
		const same = await run(['compare', killed, path]);
		assert.match(
			same.stdout,
			/\n\nB was saved without bodies: texts, arguments and results were not compared, nor what the rules find that rest on them \(default-scope-query, suspiciously-empty-result\)\.\n\nThe same calls in the same order, with the same endings and findings\.\n/,
		);
		assert.doesNotMatch(same.stdout, /arguments \w+:|^Findings/m);
		assert.doesNotMatch(same.stdout, /\n\n\n/);
		// What is no body is compared as ever.
		const { code, stdout } = await run(['compare', completed, path]);
		assert.equal(code, 1);
		assert.match(stdout, /completed → orphaned/);
		assert.match(stdout, /\+ error: [^\n]*\[orphaned-tool-use\]/);
		assert.doesNotMatch(stdout, /^ {6}(?:arguments|result) /m);
	});

	it('tells of a killed run what is missing in it', async () => {
		const { code, stdout, stderr } = await run(['compare', completed, killed]);
		assert.equal(stderr, '');
		assert.equal(code, 1);
		golden('killed', stdout);
	});

	it('tells calls that came, went, changed their order, their arguments, their results', async () => {
		const one = written('one', [
			['read', { id: 1 }, '{"rows":[1,2],"at":"10:00"}'],
			['write', { id: 1, text: 'a' }, 'done'],
			['read', { id: 2 }, '{"rows":[3],"at":"10:01"}'],
			['close', {}, 'closed'],
		]);
		const other = written('other', [
			['open', {}, 'opened'],
			['read', { id: 1 }, '{"rows":[1,5],"at":"11:00"}'],
			['read', { id: 2 }, '{"rows":[3],"at":"11:01"}'],
			['write', { id: 1, text: 'b' }, 'done'],
		]);
		const { code, stdout } = await run(['compare', one, other]);
		assert.equal(code, 1);
		golden('order', stdout.replaceAll(folder.path, '(folder)').replaceAll('\\', '/'));
		const ignoring = await run(['compare', one, other, '--ignore', '**.at', '--json']);
		const { agents } = JSON.parse(ignoring.stdout) as {
			agents: {
				sameCalls: number;
				firstInOrder: { position: number };
				changes: { kind: string; result?: { path: string } }[];
			}[];
		};
		assert.equal(agents[0]?.firstInOrder.position, 2);
		assert.deepEqual(
			agents[0]?.changes.map(({ kind, result }) => `${kind} ${result?.path ?? ''}`.trim()),
			['added', 'changed [0].text.rows[1]', 'gone', 'gone', 'added'],
		);
		assert.equal(agents[0]?.sameCalls, 1);
	});

	const orders: readonly [what: string, one: string, other: string, differs: RegExp | undefined][] = [
		['calls are merely gone', 'open read write read close', 'read write close', undefined],
		['calls were merely added', 'read write', 'open read look write close', undefined],
		['some are gone and others were added', 'open read write', 'read look write close', undefined],
		['the first of two is gone, not the second', 'read write read', 'write read', undefined],
		['one is another tool now', 'open read close', 'open look close', undefined],
		['nothing is there any more', 'open read close', '', undefined],
		[
			'two have changed places',
			'open read write',
			'open write read',
			/from call 2 of A on: A calls notes\/read, B calls notes\/write$/m,
		],
		[
			'two have changed places, and one before them is gone',
			'open look read write',
			'open write read',
			/from call 3 of A on: A calls notes\/read, B calls notes\/write$/m,
		],
		[
			'the last comes first, beside what is gone',
			'read write read close',
			'close read',
			/from call 1 of A on: A calls notes\/read, B calls notes\/close$/m,
		],
	];
	for (const [what, one, other, differs] of orders) {
		it(`${differs === undefined ? 'says nothing of' : 'tells'} the order where ${what}`, async () => {
			const calls = (names: string) =>
				names.split(' ').flatMap((name) => (name === '' ? [] : [[name, {}, 'done'] as const]));
			const [left, right] = [written('left', calls(one)), written('right', calls(other))];
			const { code, stdout } = await run(['compare', left, right]);
			assert.equal(code, 1);
			if (differs === undefined) assert.doesNotMatch(stdout, /the order of its calls/);
			else assert.match(stdout, differs);
			const { stdout: json } = await run(['compare', left, right, '--json']);
			const { agents } = JSON.parse(json) as { agents: { firstInOrder: object | null }[] };
			assert.equal(agents[0]?.firstInOrder === null, differs === undefined);
		});
	}

	it('says nothing of the order where thousands of calls are merely gone', async () => {
		const many = Array.from({ length: 2_500 }, (_, index) => [`tool_${index % 7}`, {}, 'done'] as const);
		const [left, right] = [
			written('left', many),
			written(
				'right',
				many.filter((_, index) => index % 5 !== 3),
			),
		];
		const { stdout } = await run(['compare', left, right]);
		assert.doesNotMatch(stdout, /the order of its calls/);
	});

	const wrong: readonly [args: readonly string[], sentence: RegExp][] = [
		[[completed], /^crosstalk: Two sessions are needed/],
		[[completed, killed, killed], /^crosstalk: Two sessions are needed/],
		[[completed, 'nowhere.jsonl'], /^crosstalk: There is neither a file nor a session "nowhere\.jsonl"\.\n$/],
		[[completed, killed, '--ignore', 'a..b'], /^crosstalk: --ignore needs a path into a result/],
	];
	for (const [args, sentence] of wrong) {
		it(`says what is wrong with: compare ${args.join(' ')}`, async () => {
			const { code, stdout, stderr } = await run(['compare', ...args]);
			assert.equal(code, 2);
			assert.equal(stdout, '');
			assert.match(stderr, sentence);
		});
	}

	/** A session of one agent that calls the tools of a server one after the other. */
	function written(name: string, calls: readonly (readonly [tool: string, input: object, text: string])[]): string {
		const lines: object[] = [{ type: 'user', message: { role: 'user', content: 'Go' } }];
		for (const [index, [tool, input, text]] of calls.entries()) {
			const id = `toolu_${name}_${index}`;
			const use = { type: 'tool_use', id, name: `mcp__notes__${tool}`, input };
			lines.push({ type: 'assistant', message: { id: `msg_${index}`, role: 'assistant', content: [use] } });
			const result = { type: 'tool_result', tool_use_id: id, content: [{ type: 'text', text }] };
			lines.push({ type: 'user', message: { role: 'user', content: [result] } });
		}
		mkdirSync(folder.of(name), { recursive: true });
		const path = join(folder.of(name), `${native}.jsonl`);
		const uuid = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
		const text = lines.map((line, index) =>
			JSON.stringify({
				parentUuid: index === 0 ? null : uuid(index - 1),
				sessionId: native,
				version: '2.1.328',
				...line,
				uuid: uuid(index),
				timestamp: new Date(Date.UTC(2026, 10, 21) + index * 1000).toISOString(),
			}),
		);
		writeFileSync(path, `${text.join('\n')}\n`);
		return path;
	}
});

/** As it stands in a file; written anew with UPDATE_GOLDENS=1. */
function golden(name: string, text: string): void {
	const path = `test/fixtures/runs/${name}.txt`;
	if (process.env['UPDATE_GOLDENS'] === '1') {
		mkdirSync('test/fixtures/runs', { recursive: true });
		writeFileSync(path, text);
	}
	assert.equal(text, readFileSync(path, 'utf8'));
}
