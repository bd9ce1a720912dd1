import assert from 'node:assert/strict';
import type { CheckpointMade } from '../../src/core/store/sessionStore.ts';
import { add, heldAdd, look, need, refused, sleep, until } from './engine.ts';
import type { Counter, Lab } from './engine.ts';

export function callsContract(lab: Lab): void {
	describe('calls', () => {
		it('find an empty state first, and then what the last one left', async () => {
			const session = (await lab.bed.open()).session('a');
			assert.equal(await session.read(), undefined);
			const keys = await session.call({ key: undefined, tool: 'keys', args: null }, (state, context) => {
				assert.equal(context.seq, 0);
				assert.equal(context.sessionId, 'a');
				return Object.keys(state);
			});
			assert.deepEqual(keys, []);
			assert.equal(await add(session, 2), 2);
			assert.equal(await add(session, 3), 5);
			assert.deepEqual(await session.read(), { seq: 3, state: { count: 5 } });
		});

		it('run one at a time, also while they wait for something', async () => {
			const session = (await lab.bed.open()).session('a');
			const replies = await Promise.all(
				Array.from({ length: 20 }, () =>
					session.call<Counter, number>({ key: undefined, tool: 'add', args: {} }, async (state) => {
						const count = state.count ?? 0;
						await sleep(1);
						return (state.count = count + 1);
					}),
				),
			);
			assert.deepEqual(
				replies,
				replies.map((_, index) => index + 1),
			);
		});

		it('run in the order in which they came', async () => {
			const session = (await lab.bed.open()).session('a');
			const ran: number[] = [];
			await Promise.all(
				Array.from({ length: 30 }, (_, index) =>
					session.call({ key: undefined, tool: 'note', args: { index } }, async (state) => {
						ran.push(index);
						if (index % 3 === 0) await sleep(1);
						state['last'] = index;
					}),
				),
			);
			assert.deepEqual(ran, [...ran.keys()]);
			assert.deepEqual(await session.read(), { seq: 30, state: { last: 29 } });
		});

		it('do not wait for those of other sessions', async () => {
			const store = await lab.bed.open();
			const held = heldAdd(store.session('a'), 1);
			await held.begun;
			assert.equal(await add(store.session('b'), 5), 5);
			held.letGo();
			assert.equal(await held.reply, 1);
		});

		it('are made by many sessions at once, each with its own state', async () => {
			const store = await lab.bed.open();
			const sessions = Array.from({ length: 40 }, (_, index) => store.session(`session ${index}`));
			await Promise.all(sessions.flatMap((session, index) => [add(session, index), add(session, 1000)]));
			const counts = await Promise.all(sessions.map((session) => look(session)));
			assert.deepEqual(
				counts,
				counts.map((_, index) => index + 1000),
			);
		});

		it('may reply with nothing', async () => {
			const store = await lab.bed.open();
			const silent = () =>
				store.session('a').call({ key: 'k', tool: 'silent', args: {} }, (state) => {
					state['ran'] = true;
				});
			assert.equal(await silent(), undefined);
			assert.equal(await silent(), undefined);
			assert.deepEqual(await store.session('a').read(), { seq: 1, state: { ran: true } });
		});

		it('may reply with anything that is JSON', async () => {
			const session = (await lab.bed.open()).session('a');
			const replies = [null, false, 0, '', 'text', [], {}, [[1, [2]]], { a: { b: [null, 1.5e300, 'ü'] } }];
			for (const [index, reply] of replies.entries()) {
				const call = () => session.call({ key: `k${index}`, tool: 'reply', args: {} }, () => reply);
				assert.deepEqual(await call(), reply);
				assert.deepEqual(await call(), reply);
			}
		});

		it('are on disk once they are answered', async () => {
			let session = (await lab.bed.open()).session('a');
			for (let count = 1; count <= 5; count++) {
				assert.equal(await add(session, 1), count);
				await lab.bed.kill();
				session = (await lab.bed.open()).session('a');
				assert.deepEqual(await session.read(), { seq: count, state: { count } });
			}
		});

		it('tell of their checkpoints', async () => {
			const store = await lab.bed.open();
			const made: CheckpointMade[] = [];
			store.onDidCheckpoint((checkpoint) => made.push(checkpoint));
			const session = store.session('a');
			await add(session, 1, { key: 'k' });
			await add(session, 2);
			await add(session, 1, { key: 'k' });
			await until(() => made.length >= 2);
			assert.deepEqual(
				made.map(({ sessionId, seq, tool, key, bytes }) => ({ sessionId, seq, tool, key, bytes })),
				[
					{ sessionId: 'a', seq: 1, tool: 'add', key: 'k', bytes: 11 },
					{ sessionId: 'a', seq: 2, tool: 'add', key: undefined, bytes: 11 },
				],
			);
			assert.ok(made.every(({ durationMs, generation }) => durationMs >= 0 && generation > 0));
		});

		it('are refused, and not forgotten, when too many wait', async () => {
			const session = (await lab.bed.open({ queueLength: 2 })).session('a');
			const held = heldAdd(session, 1);
			await held.begun;
			const waiting = [add(session, 10), add(session, 100)];
			await sleep(20);
			const error = await refused(add(session, 1000), 'overloaded');
			assert.equal(error.isRetryable, true);
			held.letGo();
			assert.deepEqual(await Promise.all([held.reply, ...waiting]), [1, 11, 111]);
			assert.equal(await add(session, 1000), 1111);
		});

		it('that have their turn end first when the store is closed', async () => {
			const store = await lab.bed.open();
			const held = heldAdd(store.session('a'), 1);
			await held.begun;
			const closed = store.close();
			held.letGo();
			assert.equal(await held.reply, 1);
			await closed;
			const { sessionId, message } = await refused(add(store.session('a'), 1), 'closed');
			assert.equal(sessionId, 'a');
			assert.match(message, /session "a"/u);
			assert.equal((await refused(store.session('a').read(), 'closed', 'owner-lost')).sessionId, 'a');
			assert.equal(await look((await lab.bed.open()).session('a')), 1);
		});

		it('do not share what they replied with the state', async () => {
			const session = (await lab.bed.open()).session('a');
			const rows = await session.call<{ rows?: string[] }, string[]>(
				{ key: 'k', tool: 'rows', args: {} },
				(state) => {
					state.rows = ['first'];
					return state.rows;
				},
			);
			rows.push('hers');
			const kept = await session.call<{ rows: string[] }, number>(
				{ key: undefined, tool: 'count', args: {} },
				(state) => state.rows.length,
			);
			assert.equal(kept, 1);
			assert.deepEqual(await session.read(), { seq: 2, state: { rows: ['first'] } });
		});

		if (lab.has('join')) {
			it('of several callers see what the others did', async () => {
				const store = await lab.bed.open();
				const other = await need(lab.bed.join)();
				for (let round = 0; round < 5; round++) {
					assert.equal(await add(store.session('a'), 1), 3 * round + 1);
					assert.equal(await add(other.session('a'), 1), 3 * round + 2);
					assert.equal(await add(other.session('a'), 1), 3 * round + 3);
				}
			});

			it('of several callers at once are none lost', async () => {
				const callers = [await lab.bed.open(), await need(lab.bed.join)(), await need(lab.bed.join)()];
				const replies = await Promise.all(
					Array.from({ length: 60 }, (_, index) => add(callers[index % 3]!.session('a'), 1)),
				);
				assert.deepEqual(
					replies.sort((left, right) => left - right),
					replies.map((_, index) => index + 1),
				);
			});
		}

		if (lab.has('residence')) {
			it('that run or wait are counted', async () => {
				const store = await lab.bed.open();
				await add(store.session('b'), 1);
				const held = heldAdd(store.session('a'), 1);
				await held.begun;
				const waiting = add(store.session('a'), 1);
				await sleep(20);
				const inFlight = new Map((await store.sessions()).map((session) => [session.id, session.inFlight]));
				assert.equal(inFlight.get('b'), 0);
				if (inFlight.has('a')) assert.equal(inFlight.get('a'), 2);
				held.letGo();
				await Promise.all([held.reply, waiting]);
				assert.equal((await store.sessions()).find(({ id }) => id === 'a')?.inFlight, 0);
			});
		}

		it('are listed by session, with the latest checkpoint first', async () => {
			const store = await lab.bed.open();
			assert.deepEqual(await store.sessions(), []);
			for (const id of ['a', 'b', 'c', 'a']) {
				await add(store.session(id), 1);
				await sleep(5);
			}
			const sessions = await store.sessions();
			assert.deepEqual(
				sessions.map(({ id, seq, bytes, isDamaged }) => ({ id, seq, bytes, isDamaged })),
				[
					{ id: 'a', seq: 2, bytes: 11, isDamaged: false },
					{ id: 'c', seq: 1, bytes: 11, isDamaged: false },
					{ id: 'b', seq: 1, bytes: 11, isDamaged: false },
				],
			);
			for (const { checkpointedAt } of sessions) {
				assert.equal(new Date(checkpointedAt).toISOString(), checkpointedAt);
				assert.ok(Math.abs(Date.parse(checkpointedAt) - Date.now()) < 60_000);
			}
		});
	});
}
