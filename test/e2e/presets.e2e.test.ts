// The three bugs that Crosstalk is for, played by the command line as it is shipped: a host of its own, a real server, and what lint finds.

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { output } from '../mcp/gateways.ts';
import { builtCommandLine, cli } from './crosstalk.ts';

interface Result {
	readonly version: 1;
	readonly preset: string;
	readonly isFound: boolean;
	readonly runs: readonly {
		readonly name: string;
		readonly path: string;
		readonly reconnects: number;
		readonly calls: readonly { readonly agent: string; readonly isError: boolean; readonly text: string }[];
		readonly faults: readonly { readonly applied: number }[];
		readonly diagnostics: readonly { readonly ruleId: string }[];
	}[];
}

describe('presets', () => {
	let folder: string;

	before(async function () {
		this.timeout(300_000);
		await builtCommandLine();
		folder = await mkdtemp(join(tmpdir(), 'crosstalk-presets-'));
	});

	after(async () => {
		await rm(folder, { recursive: true, force: true, maxRetries: 5 });
	});

	/** With a home of its own, so that what it leaves there is seen. */
	const crosstalk = (...args: readonly string[]) =>
		output(process.execPath, [cli, ...args], {
			PATH: process.env['PATH'],
			HOME: join(folder, 'home'),
			XDG_STATE_HOME: join(folder, 'state'),
		});

	async function played(preset: string): Promise<Result> {
		const { code, stdout, stderr } = await crosstalk('fault', 'preset', preset, '--json', '--out', folder);
		assert.equal(code, 1, stderr);
		return JSON.parse(stdout) as Result; // printed by ourselves
	}

	it('the cascade: a naive reconnect costs three others their calls, ours nobody', async () => {
		const { isFound, runs } = await played('cascade');
		assert.ok(isFound);
		const found = runs.map(({ name, calls, reconnects, diagnostics, faults }) => ({
			name,
			completed: calls.filter(({ isError }) => !isError).length,
			timedOut: calls.filter(({ text }) => text.includes('-32001')).map(({ agent }) => agent),
			lost: calls
				.filter(({ text }) => text.includes('-31001'))
				.map(({ agent }) => agent)
				.toSorted(),
			reconnects,
			applied: faults.map(({ applied }) => applied),
			hasFinding: diagnostics.some(({ ruleId }) => ruleId === 'reconnect-cascade'),
		}));
		assert.deepEqual(found, [
			{
				...{ name: 'naive', completed: 1, timedOut: ['north'], lost: ['east', 'south', 'west'] },
				...{ reconnects: 1, applied: [1], hasFinding: true },
			},
			{
				...{ name: 'crosstalk', completed: 4, timedOut: ['north'], lost: [] },
				...{ reconnects: 0, applied: [1], hasFinding: false },
			},
		]);
		// What is left is a session like any other, and says itself what was done to it.
		const [naive, ours] = runs;
		assert.deepEqual(ours?.diagnostics, [], 'nothing is wrong with ours');
		assert.ok(naive !== undefined);
		const linted = await crosstalk('lint', naive.path);
		assert.equal(linted.code, 1);
		assert.match(linted.stdout, /\[reconnect-cascade\]/);
		assert.match(
			linted.stdout,
			/host-recording\.jsonl:\d+:1: note: A fault on purpose lost the answer of quick_total on reports\./,
		);
		const recording = await readFile(join(naive.path.replace(/\.jsonl$/, ''), 'host-recording.jsonl'), 'utf8');
		assert.match(recording, /"type":"fault-injected"/);
		const shown = await crosstalk('show', naive.path);
		assert.match(shown.stdout, /a fault on purpose: drop/);
		assert.deepEqual(
			readdirSync(dirname(naive.path)).filter((name) => name.startsWith('host-')),
			[],
			'nothing is left of its hosts',
		);
	});

	it('the compaction: one result comes to nobody, the other is never written down', async () => {
		const { isFound, runs } = await played('compaction');
		assert.ok(isFound);
		const rules = runs[0]?.diagnostics.map(({ ruleId }) => ruleId) ?? [];
		assert.ok(
			rules.includes('compaction-mid-call') && rules.includes('result-lost-to-compaction'),
			rules.join(' '),
		);
		assert.deepEqual(
			runs[0]?.faults.map(({ applied }) => applied),
			[1, 1],
		);
	});

	it('the scope: a review in its own tab is told that nothing happened, and the text says where', async () => {
		const { code, stdout, stderr } = await crosstalk('fault', 'preset', 'scope');
		assert.equal(code, 1, stderr);
		assert.match(stdout, /warning: main called chat_list_messages without context_id.*\[default-scope-query\]/);
		const [, path] = /^The session is kept: (.+)$/m.exec(stdout) ?? [];
		assert.ok(path !== undefined && existsSync(path));
		assert.ok(path.startsWith(join(folder, 'state', 'crosstalk', 'practice', 'scope')), path);
		assert.equal(existsSync(join(folder, 'home')), false, 'nothing of the person’s is touched');
		assert.deepEqual(readdirSync(join(folder, 'state', 'crosstalk')), ['practice']);
	});
});
