// What the rows of the session store say, and in which order.

import assert from 'node:assert/strict';
import type { StoreEvent } from '../../src/core/store/createTurns.ts';
import type { CheckpointSummary, SessionSummary } from '../../src/core/store/sessionStore.ts';
import { remoteAddressOf, problemOfToken } from '../../src/extension/remoteAddress.ts';
import { remoteStoreRows } from '../../src/extension/remoteStoreRows.ts';
import type { RemoteStoreView } from '../../src/extension/remoteStoreRows.ts';
import type { Row } from '../../src/extension/row.ts';
import { happeningOf, logHappening, storeRows } from '../../src/extension/storeRows.ts';
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
	return { sessions: [], checkpoints: new Map(), problems: new Map(), lastEvents: new Map(), ...further };
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
					{ store: 'host', sessionId: 'reports', seq: 5 },
				],
				[
					'crosstalkCheckpoint.state',
					'crosstalk.showSessionState',
					{ store: 'host', sessionId: 'reports', seq: 4 },
				],
				['crosstalkCheckpoint', undefined, { store: 'host', sessionId: 'reports', seq: 3 }],
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

	const told: readonly [StoreEvent, string][] = [
		[
			{ kind: 'evicted', sessionId: 'a "b"', seq: 7, reason: 'deadline' },
			'info: Session "a \\"b\\"" of the host\'s store was evicted from memory: a call took too long. Checkpoint 7 is on disk.',
		],
		[
			{ kind: 'rehydrated', sessionId: 'a', seq: 7, generation: 1, bytes: 9, durationMs: 2 },
			'info: Session "a" of the host\'s store was rehydrated from disk in 2 ms: checkpoint 7, generation 1.',
		],
		[
			{ kind: 'damaged', sessionId: 'a', reason: 'Its checksum is wrong.' },
			'info: Session "a" of the host\'s store is damaged: Its checksum is wrong.',
		],
		[
			{ kind: 'taken-over', generation: 2, isOurs: false },
			"info: Another process has taken over the host's store: generation 2.",
		],
		[
			{
				kind: 'checkpointed',
				...{ sessionId: 'a', seq: 8, generation: 2, tool: 'query', key: 'k', bytes: 2048, durationMs: 3 },
			},
			'debug: Session "a" of the host\'s store has checkpoint 8 after query: 2 KB in 3 ms, generation 2.',
		],
	];
	for (const [event, line] of told) {
		it(`go into the log: "${event.kind}"`, () => {
			const lines: string[] = [];
			logHappening(event, "the host's store", {
				info: (sentence) => lines.push(`info: ${sentence}`),
				debug: (sentence) => lines.push(`debug: ${sentence}`),
			});
			assert.deepEqual(lines, [line]);
		});
	}
});

describe('the rows of a remote session store', () => {
	const address = 'https://sessions.example.workers.dev';
	const remote = (further: Partial<RemoteStoreView> = {}): RemoteStoreView => ({
		address,
		name: 'sessions.example.workers.dev',
		contents: undefined,
		isReading: false,
		problem: undefined,
		...further,
	});
	const idsOf = (rows: readonly Row[]): readonly string[] =>
		rows.flatMap(({ id, children }) => [id, ...idsOf(children)]);

	it('are none where none is connected', () => assert.deepEqual(remoteStoreRows(undefined, now), []));

	it('are closed, and say where it is, until somebody looks', () => {
		const rows = remoteStoreRows(remote(), now);
		assert.deepEqual(outline(rows), [
			'cloud Remote session store — sessions.example.workers.dev',
			'  loading~spin Sessions — being read',
		]);
		assert.equal(rows[0]?.isOpen, false);
		assert.deepEqual(rows[0].target, { store: address, sessionId: undefined });
		assert.equal(
			rows[0].spoken,
			'The remote session store sessions.example.workers.dev; its sessions are read when it is opened.',
		);
	});

	it('are those of the store of the host below it, with ids of their own', () => {
		const contents = view({
			sessions: [session('reports', 5), session('lost', 6), session('broken', 90, { isDamaged: true })],
			checkpoints: new Map([
				['reports', [checkpoint(5), checkpoint(4)]],
				['lost', []],
			]),
			problems: new Map([['lost', 'The connection to session "lost" was lost again and again.']]),
		});
		const rows = remoteStoreRows(remote({ contents }), now);
		assert.deepEqual(outline(rows), [
			'cloud Remote session store — sessions.example.workers.dev · 3 sessions · 3 in memory · 1 damaged',
			'  circle-filled reports — checkpoint 5 · 5 min ago · generation 3 · in memory',
			'    git-commit 5 analytics_query — TIME · 16 KB',
			'    git-commit 4 analytics_query — TIME · 16 KB',
			'  circle-filled lost — checkpoint 6 · 6 min ago · generation 3 · in memory',
			'    warning The connection to session "lost" was lost again and again. — ',
			'  error broken — damaged · checkpoint 90 · 1 h ago · generation 3 · in memory',
			'    loading~spin Checkpoints — being read',
		]);
		assert.deepEqual(rows[0]?.children[0]?.children[0]?.target, { store: address, sessionId: 'reports', seq: 5 });
		const ids = [...idsOf(rows), ...idsOf(storeRows(contents, now))];
		assert.equal(new Set(ids).size, ids.length);
		assert.equal(rows[0].isOpen, false);
	});

	it('are one sentence where it cannot be read, and a click on it helps', () => {
		const problems: readonly [RemoteStoreView['problem'] & object, string][] = [
			[
				{ message: 'sessions.example refuses the token. Connect again.', isMendedByConnecting: true },
				'crosstalk.connectRemoteStore',
			],
			[
				{ message: 'The session store cannot be reached: connect ECONNREFUSED.', isMendedByConnecting: false },
				'crosstalk.refreshRemoteStore',
			],
		];
		for (const [problem, command] of problems) {
			const [store] = remoteStoreRows(remote({ problem }), now);
			assert.deepEqual(
				store?.children.map(({ label, command: mend }) => [label, mend?.id]),
				[[problem.message, command]],
			);
			assert.equal(store.icon, 'warning');
		}
	});

	it('say so where nothing is stored', () => {
		const [store] = remoteStoreRows(remote({ contents: view() }), now);
		assert.deepEqual(outline(store?.children ?? []), ['- No session is stored there yet — ']);
	});
});

describe('the address of a remote session store', () => {
	const addresses: readonly [string, string][] = [
		['https://Sessions.Example.workers.dev', 'https://sessions.example.workers.dev'],
		[' https://sessions.example.workers.dev/ ', 'https://sessions.example.workers.dev'],
		['https://example.org:443/stores/one//', 'https://example.org/stores/one'],
		['http://localhost:8787/', 'http://localhost:8787'],
		['http://127.0.0.1:8787', 'http://127.0.0.1:8787'],
		['http://[::1]:8787', 'http://[::1]:8787'],
	];
	for (const [text, address] of addresses) {
		it(`"${text}" is ${address}`, () => {
			const found = remoteAddressOf(text);
			assert.equal(found.kind === 'address' ? found.address : found.message, address);
		});
	}
	const refused: readonly [string, RegExp][] = [
		['', /is no address of a Worker/],
		['sessions.example.workers.dev', /is no address of a Worker/],
		['ftp://sessions.example.workers.dev', /is no address of a Worker/],
		['http://sessions.example.workers.dev', /is not sent to sessions\.example\.workers\.dev unencrypted/],
		['http://127.0.0.1.example.org', /unencrypted/],
		['http://localhost.example.org', /unencrypted/],
		['http://192.168.1.4:8787', /unencrypted/],
		['https://me:token@sessions.example.workers.dev', /has no name, password/],
		['https://sessions.example.workers.dev/?token=a', /has no name, password/],
	];
	for (const [text, message] of refused) {
		it(`is not "${text}"`, () => {
			const found = remoteAddressOf(text);
			assert.match(found.kind === 'invalid' ? found.message : '', message);
		});
	}

	it('gets no token that is no text of a header', () => {
		assert.equal(problemOfToken('a token with spaces & signs'), undefined);
		for (const token of ['', 'two\nlines', 'schlüssel']) assert.match(problemOfToken(token) ?? '', /token/);
	});
});
