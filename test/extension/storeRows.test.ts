// What the rows of the session store say, and in which order.

import assert from 'node:assert/strict';
import type { StoreEvent } from '../../src/core/store/createTurns.ts';
import type { CheckpointSummary, SessionSummary } from '../../src/core/store/sessionStore.ts';
import type { Row } from '../../src/extension/row.ts';
import { happeningOf, storeRows } from '../../src/extension/storeRows.ts';
import type { StoreView } from '../../src/extension/storeRows.ts';

const now = Date.parse('2026-11-21T14:00:00.000Z');

function session(id: string, seq: number, further: Partial<SessionSummary> = {}): SessionSummary {
	return {
		id,
		seq,
		generation: 3,
		checkpointedAt: new Date(now - seq * 60_000).toISOString(),
		bytes: 16_384,
		residence: 'memory',
		isDamaged: false,
		inFlight: 0,
		...further,
	};
}

function checkpoint(seq: number, further: Partial<CheckpointSummary> = {}): CheckpointSummary {
	return {
		seq,
		generation: 3,
		at: new Date(now - 1000).toISOString(),
		key: `toolu_${seq}`,
		tool: 'analytics_query',
		bytes: 16_384,
		hasState: true,
		...further,
	};
}

function view(further: Partial<StoreView> = {}): StoreView {
	return { sessions: [], checkpoints: new Map(), lastEvents: new Map(), ...further };
}

function outline(rows: readonly Row[], depth = 0): readonly string[] {
	return rows.flatMap(({ icon, label, description, children }) => [
		`${'  '.repeat(depth)}${icon ?? '-'} ${label} — ${description.replaceAll(/\d\d:\d\d:\d\d/g, 'TIME')}`,
		...outline(children, depth + 1),
	]);
}

describe('the rows of the session store', () => {
	it('are none where nothing is stored', () => assert.deepEqual(storeRows(view(), now), []));

	it('tell of each session where its state is, and what last happened to its memory', () => {
		const rows = storeRows(
			view({
				sessions: [
					session('reports', 5, { inFlight: 2 }),
					session('nightly', 61, { residence: 'disk' }),
					session('broken', 90, { isDamaged: true, residence: 'disk' }),
				],
				checkpoints: new Map([
					[
						'reports',
						[
							checkpoint(5, { generation: 4 }),
							checkpoint(4),
							checkpoint(3, { hasState: false, tool: 'reset' }),
						],
					],
				]),
				lastEvents: new Map([['nightly', { words: 'evicted from memory: it was idle', at: now - 120_000 }]]),
			}),
			now,
		);
		assert.deepEqual(outline(rows), [
			'database Session store — 3 sessions · 1 in memory · 1 damaged',
			'  circle-filled reports — checkpoint 5 · 5 min ago · generation 3 · in memory · 2 in flight',
			'    git-commit 5 analytics_query — TIME · 16 KB · taken over by generation 4',
			'    git-commit 4 analytics_query — TIME · 16 KB',
			'    git-commit 3 reset — TIME · state no longer kept',
			'  circle-outline nightly — checkpoint 61 · 1 h ago · generation 3 · on disk',
			'    history evicted from memory: it was idle — 2 min ago',
			'    loading~spin Checkpoints — being read',
			'  error broken — damaged · checkpoint 90 · 1 h ago · generation 3 · on disk',
			'    loading~spin Checkpoints — being read',
		]);
	});

	it('offer a comparison where both states are kept, and a state where one is', () => {
		const [store] = storeRows(
			view({
				sessions: [session('reports', 5)],
				checkpoints: new Map([['reports', [checkpoint(5), checkpoint(4), checkpoint(3, { hasState: false })]]]),
			}),
			now,
		);
		assert.deepEqual(
			store?.children[0]?.children.map(({ contextValue, command, target }) => [
				contextValue,
				command?.id,
				target,
			]),
			[
				[
					'crosstalkCheckpoint.state.comparable',
					'crosstalk.compareCheckpoints',
					{ sessionId: 'reports', seq: 5 },
				],
				['crosstalkCheckpoint.state', 'crosstalk.showSessionState', { sessionId: 'reports', seq: 4 }],
				['crosstalkCheckpoint', undefined, { sessionId: 'reports', seq: 3 }],
			],
		);
	});

	it('are the hundred with the latest checkpoints where there are thousands', () => {
		const sessions = Array.from({ length: 1000 }, (_, index) => session(`s${index}`, 1));
		const [store] = storeRows(view({ sessions }), now);
		assert.equal(store?.children.length, 101);
		assert.equal(store.children[100]?.label, '900 more');
	});

	const happenings: readonly [StoreEvent, string | undefined][] = [
		[{ kind: 'evicted', sessionId: 'a', seq: 1, reason: 'deadline' }, 'evicted from memory: a call took too long'],
		[
			{ kind: 'rehydrated', sessionId: 'a', seq: 1, generation: 1, bytes: 9, durationMs: 2 },
			'rehydrated from disk in 2 ms',
		],
		[{ kind: 'damaged', sessionId: 'a', reason: 'its checksum is wrong' }, 'damaged: its checksum is wrong'],
		[{ kind: 'taken-over', generation: 2, isOurs: true }, undefined],
	];
	for (const [event, words] of happenings) {
		it(`say of "${event.kind}": ${words ?? 'nothing'}`, () => assert.equal(happeningOf(event, now)?.words, words));
	}
});
