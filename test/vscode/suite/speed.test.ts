// What a person waits for. The figures are printed; `npm run bench` holds them to their measure, since machines differ.

import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../runner.ts';
import { api, home, showAgents } from '../tested.ts';

const sessionId = '88888888-aaaa-4bbb-8ccc-dddddddddddd';
const project = join(home(), '.claude', 'projects', '-home-dev-large');
const path = join(project, `${sessionId}.jsonl`);
const megabytes = 200;

describe('the speed', () => {
	let calls = 0;
	before(async () => {
		await showAgents();
		mkdirSync(project, { recursive: true });
		calls = writeLargeSession();
	});
	after(() => rmSync(project, { recursive: true, force: true }));

	it('of activation', async () => {
		const { activationMs } = await api();
		await ask('report', { line: `      activate took ${activationMs.toFixed(1)} ms` });
		assert.ok(activationMs > 0);
	});

	it(`of the first rows, and of a session of ${megabytes} MB that is opened`, async () => {
		const { agents, sessions } = await api();
		const watch = watchEventLoop();
		const startedAt = performance.now();
		await sessions.searchAgain();
		const rows = await agents.tree.getChildren();
		const firstRows = performance.now() - startedAt;
		const row = rows.find((node) => node.kind === 'session' && node.key === path);
		assert.ok(row, 'it is in the list');
		const opening = performance.now();
		const agentRows = await agents.tree.getChildren(row);
		const firstAgents = performance.now() - opening;
		assert.ok(agentRows.length > 0);
		const session = sessions.inView(path);
		assert.ok(session);
		await session.whenRead;
		const whole = performance.now() - opening;
		for (const node of agentRows) agents.tree.getTreeItem(node);
		await new Promise((resolve) => setTimeout(resolve, 1500));
		const block = watch.stop();
		agents.tree.release(path);
		await ask('report', {
			line: `      first rows ${firstRows.toFixed(0)} ms, its agents ${firstAgents.toFixed(0)} ms, all of it ${whole.toFixed(0)} ms, longest block ${block.elapsed.toFixed(0)} ms (${block.busy.toFixed(0)} ms of it at work), ${session.summary.calls} calls`,
		});
		assert.equal(session.summary.calls, calls, 'nothing is left out for speed');
	});
});

/** Calls with results of 4 KB, as agents that read files have them. Gives their number. */
function writeLargeSession(): number {
	const file = openSync(path, 'w');
	const filling = 'A line of "source text" that a tool has read.\\n'.repeat(85);
	let parentUuid: string | null = null;
	let written = 0;
	let pending = '';
	let index = 0;
	for (; written < megabytes * 1e6; index++) {
		const lines = [
			...(index % 40 === 0 ? [{ type: 'user', message: { role: 'user', content: `Step ${index}` } }] : []),
			{
				type: 'assistant',
				message: {
					id: `msg_${index}`,
					type: 'message',
					role: 'assistant',
					model: 'm',
					content: [
						{
							type: 'tool_use',
							id: `toolu_${index}`,
							name: 'Read',
							input: { file_path: `/home/dev/${index}` },
						},
					],
					stop_reason: 'tool_use',
					usage: { input_tokens: 1, output_tokens: 1 },
				},
			},
			{
				type: 'user',
				message: {
					role: 'user',
					content: [{ type: 'tool_result', tool_use_id: `toolu_${index}`, content: filling }],
				},
				toolUseResult: { content: filling },
			},
		];
		for (const [number, fields] of lines.entries()) {
			const uuid = `${String(index).padStart(8, '0')}-0000-4000-8000-${String(number).padStart(12, '0')}`;
			pending += `${JSON.stringify({ parentUuid, isSidechain: false, sessionId, cwd: '/home/dev/large', version: '2.1.328', ...fields, uuid, timestamp: new Date(1_790_000_000_000 + index * 1000).toISOString() })}\n`;
			parentUuid = uuid;
		}
		if (pending.length > 1e6) {
			written += writeSync(file, pending);
			pending = '';
		}
	}
	writeSync(file, pending);
	closeSync(file);
	return index;
}

/** Measures the longest time in which nothing else could run: by the clock, and by what this process had of the processor in it. */
function watchEventLoop(): { stop(): { readonly elapsed: number; readonly busy: number } } {
	const everyMs = 5;
	let elapsed = 0;
	let busy = 0;
	let last = performance.now();
	let lastUsage = process.cpuUsage();
	const timer = setInterval(() => {
		const now = performance.now();
		const { user, system } = process.cpuUsage(lastUsage);
		elapsed = Math.max(elapsed, now - last - everyMs);
		if (now - last > 2 * everyMs) busy = Math.max(busy, Math.min((user + system) / 1000, now - last) - everyMs);
		last = now;
		lastUsage = process.cpuUsage();
	}, everyMs);
	return {
		stop() {
			clearInterval(timer);
			return { elapsed, busy };
		},
	};
}
