// Threads of Codex that were reverted: they go on in a rollout of their own, without what was taken back.

import assert from 'node:assert/strict';
import { createCore } from '../../src/core/core.ts';
import type { OpenOptions, ReadSession } from '../../src/core/core.ts';
import { callState } from '../../src/core/conversation/index.ts';
import { MemoryFiles } from './memoryFiles.ts';

const options: OpenOptions = { assume: 'ended', rules: {}, withPreviews: false };
const folder = '/home/dev/.codex/sessions/2026/11/22';
const thread = '01a204c4-e8bd-7e73-9501-9076aea8b82a';
const [first, second] = ['01a204c4-ea8f-7300-9b32-606cffe0e483', '01a204c4-ebdb-7900-bdbe-1e32488237cb'];
const child = '01a204c4-eb00-7000-9b32-606cffe0e483';

interface Base {
	readonly thread_id: string;
	readonly end_ordinal_exclusive: number;
}

/** A rollout whose calls are killed in mid-call where their name is a question. */
function rollout(from: number, base: Base | undefined, turns: readonly string[], thread_ = thread): string {
	let ordinal = from;
	const line = (type: string, payload: unknown) =>
		`${JSON.stringify({ timestamp: '2026-11-22T19:39:03.232Z', ordinal: ordinal++, type, payload })}\n`;
	const header = {
		id: thread_,
		session_id: thread,
		...(thread_ === thread ? {} : { parent_thread_id: thread }),
		cli_version: '0.169.0',
		// It stands before the base, and is long.
		base_instructions: { text: 'x'.repeat(20_000) },
		history_mode: 'paginated',
		history_base: base,
	};
	return [
		line('session_meta', header),
		...turns.map((name) =>
			[
				line('response_item', { type: 'message', role: 'user', content: [{ type: 'input_text', text: name }] }),
				line('response_item', { type: 'function_call', name: 'exec', call_id: name, arguments: '{}' }),
				name.endsWith('?')
					? ''
					: line('response_item', { type: 'function_call_output', call_id: name, output: 'ok' }),
			].join(''),
		),
	].join('');
}

function coreWith(files: MemoryFiles) {
	return createCore({
		files,
		liveness: { probe: async () => ({ state: 'ended', evidence: 'The test says so.' }) },
		clock: { now: () => 0 },
	});
}

const paths = {
	original: `${folder}/rollout-2026-11-22T19-39-03-${thread}.jsonl`,
	first: `${folder}/rollout-2026-11-22T19-39-04-${thread}_${first}.jsonl`,
	second: `${folder}/rollout-2026-11-22T19-39-05-${thread}_${second}.jsonl`,
} as const;

function written(changes: Partial<Record<keyof typeof paths, string>>): MemoryFiles {
	const files = new MemoryFiles();
	for (const [name, text] of Object.entries(changes)) files.write(paths[name as keyof typeof paths], text);
	return files;
}

/** Ordinals: header 0, turn one 1 to 3, two? 4 and 5. */
const original = rollout(0, undefined, ['one', 'two?']);

async function readAll(files: MemoryFiles): Promise<readonly ReadSession[]> {
	const core = coreWith(files);
	const { sessions } = await core.findSessions('/home/dev/.codex/sessions');
	return Promise.all(sessions.map((session) => core.readSession(session, options)));
}

function callsOf({ conversation }: ReadSession): readonly string[] {
	return [...conversation.agents.values()].flatMap((agent) =>
		agent.toolCalls.map(
			(call) =>
				`${call.id} ${callState(conversation, call).state}${call.message.isActive ? '' : ', no longer part of it'}`,
		),
	);
}

describe('a thread of Codex that was reverted', () => {
	it('is an orphan before', async () => {
		const [read] = await readAll(written({ original }));
		assert.deepEqual(read && callsOf(read), ['one completed', 'two? orphaned']);
		assert.deepEqual(
			read?.diagnostics.map(({ ruleId }) => ruleId),
			['orphaned-tool-use'],
		);
	});

	it('misses no answer to what was taken back, however often', async () => {
		const base = { thread_id: thread, end_ordinal_exclusive: 4 };
		const firstTurns = rollout(4, base, ['three', 'four?']);
		const once = await readAll(written({ original, first: firstTurns }));
		assert.deepEqual(once.map(callsOf), [
			['one completed', 'two? abandoned, no longer part of it'],
			['three completed', 'four? orphaned'],
		]);
		const again = { thread_id: first, end_ordinal_exclusive: 8 };
		const twice = await readAll(written({ original, first: firstTurns, second: rollout(8, again, ['five']) }));
		assert.deepEqual(twice.map(callsOf), [
			['one completed', 'two? abandoned, no longer part of it'],
			['three completed', 'four? abandoned, no longer part of it'],
			['five completed'],
		]);
		assert.deepEqual(
			twice.flatMap(({ diagnostics }) => diagnostics),
			[],
		);
	});

	it('may be reverted to before what an earlier revert has kept, and to its very beginning', async () => {
		const base = { thread_id: thread, end_ordinal_exclusive: 4 };
		const firstTurns = rollout(4, base, ['three']);
		const earlier = { thread_id: thread, end_ordinal_exclusive: 1 };
		for (const second of [rollout(1, earlier, ['five']), rollout(0, undefined, ['five'])]) {
			assert.deepEqual((await readAll(written({ original, first: firstTurns, second }))).map(callsOf), [
				['one completed, no longer part of it', 'two? abandoned, no longer part of it'],
				['three completed, no longer part of it'],
				['five completed'],
			]);
		}
	});

	it('is no other thread that was forked from it', async () => {
		const files = written({ original });
		const forked = '01a204c4-ffff-7300-9b32-606cffe0e483';
		const fork = rollout(4, { thread_id: thread, end_ordinal_exclusive: 4 }, ['three'], forked);
		files.write(
			`${folder}/rollout-2026-11-22T19-39-09-${forked}.jsonl`,
			fork.replaceAll(`"parent_thread_id":"${thread}",`, ''),
		);
		assert.deepEqual((await readAll(files)).map(callsOf), [
			['one completed', 'two? orphaned'],
			['three completed'],
		]);
	});

	it('has the subagents of each part with that part', async () => {
		const base = { thread_id: thread, end_ordinal_exclusive: 4 };
		const files = written({ original, first: rollout(4, base, ['three']) });
		files.write(`${folder}/rollout-2026-11-22T19-39-06-${child}.jsonl`, rollout(0, undefined, ['six'], child));
		assert.deepEqual((await readAll(files)).map(callsOf), [
			['one completed', 'two? abandoned, no longer part of it'],
			['three completed', 'six completed'],
		]);
	});

	it('is read anew by whoever follows it', async () => {
		const files = written({ original });
		const core = coreWith(files);
		const find = async () => (await core.findSessions(paths.original)).sessions[0]!;
		const followed = core.followSession(await find(), options);
		await followed.update();
		assert.equal(followed.diagnostics.length, 1);
		files.write(paths.first, rollout(4, { thread_id: thread, end_ordinal_exclusive: 4 }, ['three']));
		followed.setFiles(await find());
		assert.equal((await followed.update({ paths: new Set(), isProbing: false })).isFresh, true);
		assert.deepEqual(followed.diagnostics, []);
		assert.equal((await followed.update()).isFresh, false);
	});

	it('loses nothing by a compaction or a rollback that was taken back with the rest', async () => {
		const event = (ordinal: number, type: string, payload: unknown) =>
			`${JSON.stringify({ timestamp: '2026-11-22T19:39:03.232Z', ordinal, type, payload })}\n`;
		const longer = `${original}${event(6, 'event_msg', { type: 'thread_rolled_back', num_turns: 2 })}${event(7, 'compacted', { message: '' })}`;
		const base = { thread_id: thread, end_ordinal_exclusive: 4 };
		assert.deepEqual(
			(await readAll(written({ original: longer, first: rollout(4, base, ['three']) }))).map(callsOf),
			[['one completed', 'two? abandoned, no longer part of it'], ['three completed']],
		);
	});
});
