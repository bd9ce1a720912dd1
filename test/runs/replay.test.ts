// A run that a host has recorded, made again on real servers: on the one it was made on, and on one that has changed since.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { run } from '../cli/memoryIo.ts';
import type { Ran } from '../cli/memoryIo.ts';
import { Agent } from '../mcp/agent.ts';
import { findRecordings } from '../../src/platform/node/store/recordings.ts';
import { Lab } from '../platform/node/host/hosts.ts';
import { platform } from './savedSessions.ts';

const native = '26f2dd86-1111-4222-8333-444455556666';

interface Replayed {
	readonly calls: readonly {
		readonly tool: string;
		readonly agentId: string;
		readonly verdict: string;
		readonly difference?: { readonly path: string; readonly recorded: unknown; readonly replayed: unknown };
		readonly message?: string;
	}[];
	readonly summary: {
		readonly calls: number;
		readonly equal: number;
		readonly different: number;
		readonly missingTools: readonly object[];
	};
}

interface Shown {
	readonly toolCalls: readonly {
		readonly id: string;
		readonly name: string;
		readonly state: string;
		readonly startedAt?: string;
	}[];
}

describe('a replay', function () {
	this.timeout(300_000);
	let lab: Lab;
	let saved: string;
	let stores = 0;

	before(async () => {
		lab = new Lab();
		saved = join(lab.folder, 'run.crosstalk');
		const host = await lab.host('--config', config('recorded', analytics()));
		const { url, token } = host.address;
		const agents = await Promise.all(
			['main', 'a1', 'a2'].map((name) => Agent.connect(`${url}/${token}/agent/${name}/mcp/analytics`)),
		);
		let calls = 0;
		const call = async (agent: number, tool: string, args: object) => {
			const meta = {
				'claudecode/toolUseId': `toolu_${++calls}`,
				'claudecode/sessionId': native,
				...(agent === 0 ? {} : { 'claudecode/agentId': `a${agent}` }),
			};
			const answer = await agents[agent]!.call(tool, { ...args }, { meta });
			assert.equal(answer.error, undefined);
		};
		await call(0, 'analytics_query', { session: 'one', pageSize: 5 });
		await Promise.all([
			call(1, 'analytics_query', { session: 'two', pageSize: 3 }),
			call(2, 'analytics_query', { session: 'three', pageSize: 4 }),
		]);
		await call(0, 'analytics_query', { session: 'one', pageSize: 5 });
		// Refused by the tool, and so it is when it is made again.
		await call(0, 'analytics_query', { session: 'one', pageSize: -1 });
		for (const agent of agents) await agent.end();
		// It writes what it has recorded some ten times a second, and the rest when it ends.
		await host.end('SIGTERM');
		await crosstalk(0, 'save', `claude-code:${native}`, '--out', saved, '--data', lab.data);
	});

	after(async () => lab.remove());

	it('rests on a file with everything that the host has recorded, byte for byte', async () => {
		const [recording] = (await findRecordings(lab.data)).filter(({ id }) => id === `claude-code:${native}`);
		assert.ok(recording !== undefined);
		const path = join(lab.folder, 'again.crosstalk');
		await crosstalk(0, 'save', `claude-code:${native}`, '--out', path, '--data', lab.data);
		const original = await bytesOf(recording.path);
		assert.ok(original.length > 1000);
		assert.deepEqual(await bytesOf(join(path, 'host', 'events.jsonl')), original);
	});

	it('cannot be made without bodies, of which nothing but the shape is left', async () => {
		const path = join(lab.folder, 'replaced.crosstalk');
		await crosstalk(0, 'save', saved, '--out', path, '--without-bodies');
		const events = String(await bytesOf(join(path, 'host', 'events.jsonl')));
		assert.ok(!/"session":"one"|strikes|BALTIMORE/i.test(events), events.slice(0, 2000));
		assert.match(events, /"tool":"analytics_query"/);
		const [whole, replaced] = await Promise.all(
			[saved, path].map(async (file) => JSON.parse((await crosstalk(0, 'show', file, '--json')).stdout) as Shown),
		);
		assert.deepEqual(
			replaced?.toolCalls.map(({ id, name, state, startedAt }) => ({ id, name, state, startedAt })),
			whole?.toolCalls.map(({ id, name, state, startedAt }) => ({ id, name, state, startedAt })),
		);
		const { stderr } = await crosstalk(2, 'replay', path, '--config', config('x', analytics()));
		assert.match(stderr, /was saved without bodies: it holds no arguments to call with\.\n$/);
	});

	it('gives the same results on the same server', async () => {
		const { calls, summary } = await replayed(0, '--config', config('same', analytics()), '--all');
		assert.deepEqual(
			summary,
			{ calls: 5, equal: 5, different: 0, missingTools: [] },
			JSON.stringify(calls, undefined, 1),
		);
		assert.deepEqual(calls.map(({ agentId }) => agentId).toSorted(), ['a1', 'a2', 'main', 'main', 'main']);
	});

	it('finds what a changed server answers otherwise, and where', async () => {
		const changed = {
			command: process.execPath,
			args: [resolve('test/runs/changedAnalyticsServer.ts'), newStore()],
		};
		const { calls, summary } = await replayed(1, '--config', config('changed', changed), '--all');
		assert.equal(summary.different, 4);
		const [first] = calls;
		assert.equal(first?.verdict, 'differs');
		assert.match(first.difference?.path ?? '', /^content\[0\]\.text\.rows\[1\]\./);
		// The call that is refused is refused by both.
		assert.equal(calls.filter(({ verdict }) => verdict === 'equal').length, 1);
		const ignoring = await replayed(
			1,
			'--config',
			config('changed-2', { ...changed, args: [changed.args[0], newStore()] }),
			'--all',
			'--ignore',
			'rows[*].**',
		);
		assert.ok(ignoring.calls.every(({ difference }) => !difference?.path.includes('rows[')));
	});

	it('says which tools the server lacks, and how many calls are to them', async () => {
		const bare = { command: process.execPath, args: [resolve('test/runs/bareServer.ts')] };
		const { stdout } = await crosstalk(1, 'replay', saved, '--config', config('bare', bare));
		assert.match(
			stdout,
			/\nServer analytics has no tool "analytics_query": 5 calls of the session are to it\.\n5 calls: 1 different, 4 failed\. 1 tool missing\.\n$/,
		);
		const { summary } = await replayed(1, '--config', config('bare', bare));
		assert.deepEqual(summary.missingTools, [{ server: 'analytics', tool: 'analytics_query', calls: 5 }]);
	});

	it('says so of a tool whose calls were never answered', async () => {
		const session = resolve(
			'examples/recorded/.claude/projects/-home-dev-analytics/4286b68e-7bda-44a4-87ea-3c0f563e00a3.jsonl',
		);
		const bare = { command: process.execPath, args: [resolve('test/runs/bareServer.ts')] };
		const { stdout } = await crosstalk(1, 'replay', session, '--config', config('killed', bare, 'everything'));
		assert.match(
			stdout,
			/\nServer everything has no tool "trigger-long-running-operation": 3 calls of the session are to it\.\n/,
		);
	});

	it('calls only what the server declares to be read-only, unless it is told otherwise', async () => {
		const { stderr } = await crosstalk(2, 'replay', saved, '--config', config('refused', analytics()));
		assert.match(stderr, /analytics\/analytics_query: readOnlyHint is false\n/);
		assert.match(stderr, /Nothing was called\./);
	});

	it('prints what it would call, and what overlaps, without a server', async () => {
		const { stdout } = await crosstalk(0, 'replay', saved, '--dry-run');
		const lines = stdout.trimEnd().split('\n');
		assert.equal(lines.length, 5);
		assert.match(lines[0] ?? '', /^#1 main: analytics\/analytics_query {2}at 0 ms$/);
		assert.match(lines[1] ?? '', /after #1$/);
		assert.match(lines[2] ?? '', /after #1, beside #2|beside #2$|after #2$/);
	});

	it('is saved as a session of its own, which can be compared with the run', async () => {
		const out = join(lab.folder, 'replayed.crosstalk');
		await replayed(0, '--config', config('saved', analytics()), '--all', '--out', out);
		const { stdout } = await crosstalk(0, 'compare', saved, out, '--json');
		const { isSame, agents } = JSON.parse(stdout) as {
			isSame: boolean;
			agents: { a: string; b: string; sameCalls: number }[];
		};
		assert.ok(isSame, stdout);
		assert.deepEqual(agents.map(({ a, b, sameCalls }) => `${a} ${b} ${sameCalls}`).toSorted(), [
			'a1 a1 1',
			'a2 a2 1',
			'main main 3',
		]);
	});

	it('replaces a file only when it is told to', async () => {
		const out = join(lab.folder, 'there.crosstalk');
		writeFileSync(out, 'mine');
		const args = ['replay', saved, '--config', config('there', analytics()), '--all', '--out', out];
		const { stderr } = await crosstalk(2, ...args);
		assert.equal(stderr, `crosstalk: ${out} is there already; --force replaces it.\n`);
		assert.equal(readFileSync(out, 'utf8'), 'mine');
		await crosstalk(0, ...args, '--force');
		await crosstalk(0, 'compare', saved, out);
	});

	const wrong: readonly [title: string, args: () => readonly string[], sentence: RegExp][] = [
		['no configuration', () => [], /--config is needed/],
		[
			'no such server',
			() => ['--config', config('other', analytics(), 'other')],
			/There is no server "analytics" in .*, only other\. Say with --server OLD=NEW/,
		],
		[
			'no call that is meant',
			() => ['--config', config('none', analytics()), '--only', 'nothing*'],
			/None of its 5 calls to MCP servers is meant/,
		],
		[
			'a server that cannot be started',
			() => ['--config', config('gone', { command: '/nowhere/server' })],
			/Server analytics: /,
		],
		['speed without times', () => ['--config', 'x', '--speed', '2'], /--speed is for --order timed/],
		['no number', () => ['--config', 'x', '--order', 'timed', '--speed', '0'], /--speed is a number above 0/],
	];
	for (const [title, args, sentence] of wrong) {
		it(`says what is wrong: ${title}`, async () => {
			const { stdout, stderr } = await crosstalk(2, 'replay', saved, ...args());
			assert.equal(stdout, '');
			assert.match(stderr, sentence);
			assert.ok(stderr.trimEnd().split('\n').length <= 2, stderr);
		});
	}

	it('takes a server of another name, and keeps the times', async () => {
		const { summary } = await replayed(
			0,
			'--config',
			config('renamed', analytics(), 'new'),
			'--all',
			'--server',
			'analytics=new',
			'--order',
			'timed',
			'--speed',
			'4',
		);
		assert.equal(summary.equal, 5);
	});

	async function replayed(code: number, ...args: readonly string[]): Promise<Replayed> {
		const { stdout } = await crosstalk(code, 'replay', saved, '--json', ...args);
		return JSON.parse(stdout) as Replayed; // as it is documented
	}

	async function bytesOf(path: string): Promise<Buffer> {
		const bytes = Buffer.alloc((await platform.files.stat(path))?.size ?? 0);
		const file = await platform.files.open(path);
		for (let filled = 0; filled < bytes.length;) filled += await file.read(bytes.subarray(filled), filled);
		await file.close();
		return bytes;
	}

	/** In this process: most of these tests are about what a person reads. */
	async function crosstalk(code: number, ...args: readonly string[]): Promise<Ran> {
		const ran = await run(args);
		assert.equal(ran.code, code, `${args.join(' ')}\n${ran.stdout}\n${ran.stderr}`);
		return ran;
	}

	function config(name: string, server: object, as = 'analytics'): string {
		const path = join(lab.folder, `${name}.json`);
		writeFileSync(path, JSON.stringify({ mcpServers: { [as]: server } }));
		return path;
	}

	function analytics(): object {
		const script = resolve('examples/analytics-server/server.ts');
		return { command: process.execPath, args: [script, '--store', newStore(), '--require-key'] };
	}

	function newStore(): string {
		const path = join(lab.folder, `store-${++stores}`);
		mkdirSync(path);
		return path;
	}
});
