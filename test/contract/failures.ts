import assert from 'node:assert/strict';
import type { Session } from '../../src/core/store/sessionStore.ts';
import { add, heldAdd, look, need, refused, sleep } from './engine.ts';
import type { Counter, Lab } from './engine.ts';

export function failuresContract(lab: Lab): void {
	describe('a call that fails', () => {
		for (const way of ['throws', 'rejects', 'rejects after a while'] as const) {
			it(`leaves nothing when it ${way}`, async () => {
				const store = await lab.bed.open();
				const session = store.session('a');
				await add(session, 1);
				let checkpoints = 0;
				store.onDidCheckpoint(() => checkpoints++);
				const error = new Error('It went wrong.');
				const failing = session.call<Counter>({ key: undefined, tool: 'fail', args: {} }, (state) => {
					state.count = 99;
					return fail(way, error);
				});
				await assert.rejects(failing, (found) => found === error);
				assert.deepEqual(await session.read(), { seq: 1, state: { count: 1 } });
				assert.equal(checkpoints, 0);
				assert.equal(await add(session, 1), 2);
			});
		}

		it('leaves nothing when it was the first', async () => {
			const store = await lab.bed.open();
			const session = store.session('a');
			await assert.rejects(
				session.call({ key: 'k', tool: 'fail', args: {} }, (state) => {
					state['mark'] = 1;
					throw new Error('It went wrong.');
				}),
				/It went wrong/u,
			);
			assert.equal(await session.read(), undefined);
			assert.deepEqual(await session.checkpoints(), []);
			assert.deepEqual(await store.sessions(), []);
			assert.equal(await add(session, 1), 1);
		});

		it('is refused where it is none, and the session goes on', async () => {
			const session = (await lab.bed.open()).session('a');
			// As a program without a compiler may have it.
			const call = session.call.bind(session) as (request: unknown, run?: unknown) => Promise<unknown>;
			for (const [request, run] of [
				[undefined, () => 1],
				[null, () => 1],
				['next_page', () => 1],
				[{ key: undefined, tool: 'next_page', args: {} }, undefined],
				[{ key: undefined, tool: 'next_page', args: {} }, 'next_page'],
				[{ key: undefined, tool: 'next_page', args: {}, deadlineMs: 0 }, () => 1],
				[{ key: undefined, tool: 'next_page', args: {}, deadlineMs: Number.NaN }, () => 1],
				[{ key: undefined, tool: 'next_page', args: {}, deadlineMs: '50' }, () => 1],
				[{ key: undefined, tool: 'next_page', args: {}, deadlineMs: null }, () => 1],
				[{ key: undefined, tool: 'next_page', args: {}, deadlineMs: 50n }, () => 1],
				[{ key: undefined, args: {} }, () => 1],
				[{ key: undefined, tool: 5n, args: {} }, () => 1],
				[{ key: null, tool: 'next_page', args: {} }, () => 1],
				// Whoever writes "no key" like this would get the reply of another call.
				[{ key: '', tool: 'next_page', args: {} }, () => 1],
			] as const) {
				const error = await refused(call(request, run), 'invalid-request');
				assert.equal(error.sessionId, 'a');
				assert.match(error.message, /^[^\n]{1,300} \(session "a"\)\.$/u);
			}
			assert.equal(await add(session, 1), 1);
			// Of a call that may take as long as it likes.
			assert.equal(await call({ key: undefined, tool: 'next_page', args: {}, deadlineMs: Infinity }, () => 2), 2);
		});

		it('passes on whatever was thrown', async () => {
			const session = (await lab.bed.open()).session('a');
			for (const thrown of [undefined, null, 0, 'text', { code: 1 }]) {
				const outcome = await session
					.call({ key: undefined, tool: 'fail', args: {} }, () => {
						// oxlint-disable-next-line typescript/only-throw-error -- tools throw what they like
						throw thrown;
					})
					.then(
						() => 'it was answered',
						(error: unknown) => ({ error }),
					);
				assert.deepEqual(outcome, { error: thrown });
			}
			assert.equal(await add(session, 1), 1);
		});

		it('does not stop those behind it', async () => {
			const session = (await lab.bed.open()).session('a');
			const outcomes = await Promise.allSettled(
				Array.from({ length: 12 }, (_, index) =>
					index % 3 === 1
						? session.call<Counter>({ key: undefined, tool: 'fail', args: {} }, async (state) => {
								state.count = -1000;
								await sleep(1);
								throw new Error('It went wrong.');
							})
						: add(session, 1),
				),
			);
			assert.deepEqual(
				outcomes.map(({ status }) => status),
				outcomes.map((_, index) => (index % 3 === 1 ? 'rejected' : 'fulfilled')),
			);
			assert.equal(await look(session), 8);
		});
	});

	for (const { way, end } of [
		{ way: 'throws', end: () => Promise.reject(new Error('It went wrong.')) },
		{ way: 'takes too long', end: () => sleep(200) },
		{ way: 'leaves no JSON', end: () => Promise.resolve(new Date(0)) },
	]) {
		it(`leaves nothing to a call that has been made already when it ${way}`, async () => {
			const session = (await lab.bed.open({ eviction: 'never' })).session('a');
			await add(session, 1);
			const failing = session.call<Counter>(
				{ key: undefined, tool: 'fail', args: {}, deadlineMs: 50 },
				(state) => {
					state.count = 99;
					return end();
				},
			);
			// The store may hold the same object for both.
			const behind = add(session, 1);
			await assert.rejects(failing);
			assert.equal(await behind, 2);
			assert.deepEqual(await session.read(), { seq: 2, state: { count: 2 } });
		});
	}

	describe('a call that takes too long', () => {
		it('ends at its deadline, is told so, and leaves nothing', async () => {
			const session = (await lab.bed.open()).session('a');
			await add(session, 1);
			const held = heldAdd(session, 10, { deadlineMs: 400 });
			const { signal } = await held.begun;
			assert.equal(signal.aborted, false);
			const error = await refused(held.reply, 'deadline-exceeded');
			assert.equal(error.sessionId, 'a');
			assert.equal(signal.aborted, true);
			assert.equal(await add(session, 1), 2);
			// It wakes up late, and what it does then is nobody's.
			held.letGo();
			await sleep(20);
			assert.deepEqual(await session.read(), { seq: 2, state: { count: 2 } });
			assert.equal(await add(session, 1), 3);
		});

		it('ends at the deadline of the store when it has none of its own', async () => {
			const session = (await lab.bed.open({ deadlineMs: 40 })).session('a');
			const held = heldAdd(session, 1);
			await refused(held.reply, 'deadline-exceeded');
			assert.equal(await add(session, 1), 1);
			held.letGo();
		});

		it('ends though others end too: none is in the way of those behind', async () => {
			const session = (await lab.bed.open()).session('a');
			const endless = Array.from({ length: 3 }, () => heldAdd(session, 100, { deadlineMs: 20 }));
			const behind = add(session, 1);
			for (const { reply } of endless) await refused(reply, 'deadline-exceeded');
			assert.equal(await behind, 1);
			for (const held of endless) held.letGo();
			assert.equal(await add(session, 1), 2);
		});

		it('has its time from the moment when it has its turn', async () => {
			const session = (await lab.bed.open()).session('a');
			const held = heldAdd(session, 1);
			const behind = add(session, 10, { deadlineMs: 20_000 });
			const quick = add(session, 100, { deadlineMs: 600 });
			await held.begun;
			await sleep(700);
			held.letGo();
			assert.deepEqual(await Promise.all([held.reply, behind, quick]), [1, 11, 111]);
		});

		it('may be made again with its key', async () => {
			const session = (await lab.bed.open()).session('a');
			const held = heldAdd(session, 1, { key: 'k', deadlineMs: 30 });
			await refused(held.reply, 'deadline-exceeded');
			assert.equal(await add(session, 1, { key: 'k' }), 1);
			held.letGo();
			assert.equal(await add(session, 1, { key: 'k' }), 1);
			assert.deepEqual(await session.read(), { seq: 1, state: { count: 1 } });
		});

		it('ends though it waits for a call of its own session', async () => {
			const session = (await lab.bed.open()).session('a');
			let inner: Promise<number> | undefined;
			const outer = session.call<Counter>(
				{ key: undefined, tool: 'outer', args: {}, deadlineMs: 50 },
				async (state) => {
					state.count = 100;
					inner = add(session, 1);
					await inner;
				},
			);
			await refused(outer, 'deadline-exceeded');
			assert.equal(await inner, 1);
			assert.equal(await look(session), 1);
		});
	});

	describe('an owner who is killed', () => {
		it('in the middle of a call leaves the latest checkpoint, and the call is made again', async () => {
			let session = (await lab.bed.open()).session('a');
			await add(session, 1);
			const held = heldAdd(session, 10, { key: 'k' });
			await held.begun;
			await lab.bed.kill();
			held.letGo();
			session = (await lab.bed.open()).session('a');
			assert.deepEqual(await session.read(), { seq: 1, state: { count: 1 } });
			assert.equal(await add(session, 10, { key: 'k' }), 11);
			assert.equal(await add(session, 10, { key: 'k' }), 11);
			assert.equal(await look(session), 11);
		});

		it('while many call loses none that was answered', async () => {
			let store = await lab.bed.open();
			const answered = new Map<string, number>();
			for (const wanted of [0, 1, 3, 6]) {
				const reached = Promise.withResolvers<void>();
				let answers = 0;
				for (let index = 0; index < 12; index++) {
					const id = `session ${index % 3}`;
					void add(store.session(id), 1).then(
						() => {
							answered.set(id, (answered.get(id) ?? 0) + 1);
							if (++answers === wanted) reached.resolve();
						},
						() => {}, // it was under way when its owner was killed
					);
				}
				if (wanted > 0) await reached.promise;
				await lab.bed.kill();
				store = await lab.bed.open();
				for (const [id, count] of answered) assert.ok((await look(store.session(id))) >= count);
			}
		});
	});

	if (lab.has('failNext')) {
		describe('a disk', () => {
			it('that is full refuses the call, still reads, and goes on when there is room', async () => {
				const session = (await lab.bed.open()).session('a');
				await add(session, 1);
				need(lab.bed.failNext)('full');
				const error = await refused(add(session, 10, { key: 'k' }), 'disk-full');
				assert.equal(error.isRetryable, true);
				assert.deepEqual(await session.read(), { seq: 1, state: { count: 1 } });
				assert.equal(await add(session, 10, { key: 'k' }), 11);
			});

			it('that fails refuses the call, of which nothing remains', async () => {
				const session = (await lab.bed.open()).session('a');
				await add(session, 1);
				need(lab.bed.failNext)('io');
				const error = await refused(add(session, 10, { key: 'k' }), 'disk-failed');
				assert.equal(error.isRetryable, true);
				assert.equal(await add(session, 10, { key: 'k' }), 11);
				assert.deepEqual(await session.read(), { seq: 2, state: { count: 11 } });
			});

			it('that does not say whether it wrote is asked again, with the same key', async () => {
				let session = (await lab.bed.open()).session('a');
				await add(session, 1);
				need(lab.bed.failNext)('unacknowledged');
				const call = add(session, 10, { key: 'k' });
				// An object that begins anew may be gone before it has said why; then the client asks for the caller.
				if ((await call.catch(() => 0)) !== 11) {
					const error = await refused(call, 'disk-failed', 'owner-lost');
					assert.equal(error.isRetryable, true);
				}
				await lab.bed.kill();
				session = (await lab.bed.open()).session('a');
				let runs = 0;
				const reply = await session.call<Counter, number>(
					{ key: 'k', tool: 'add', args: { number: 10 } },
					(state) => (runs++, (state.count = (state.count ?? 0) + 10)),
				);
				assert.equal(reply, 11);
				assert.equal(runs, 0);
				assert.equal(await look(session), 11);
			});

			it('that fails for one transaction answers nobody who was in it', async () => {
				const store = await lab.bed.open();
				const sessions = ['a', 'b', 'c', 'd'].map((id) => store.session(id));
				await Promise.all(sessions.map((session) => add(session, 1)));
				need(lab.bed.failNext)('io');
				const outcomes = await Promise.allSettled(sessions.map((session) => add(session, 10)));
				assert.ok(outcomes.some(({ status }) => status === 'rejected'));
				for (const [index, session] of sessions.entries()) {
					assert.equal(await look(session), outcomes[index]!.status === 'fulfilled' ? 11 : 1);
				}
			});
		});
	}

	it('keeps its memory apart from what a failed call still holds', async () => {
		const session = (await lab.bed.open()).session('a');
		await add(session, 1);
		const held = await leaked(session);
		held.count = 99;
		assert.equal(await add(session, 1), 2);
		assert.deepEqual(await session.read(), { seq: 2, state: { count: 2 } });
	});
}

/** The state that a failed call had. */
async function leaked(session: Session): Promise<Counter> {
	let held: Counter = {};
	await assert.rejects(
		session.call<Counter>({ key: undefined, tool: 'fail', args: {} }, (state) => {
			held = state;
			throw new Error('It went wrong.');
		}),
		/It went wrong/u,
	);
	return held;
}

async function rejectLater(error: Error): Promise<never> {
	await sleep(5);
	throw error;
}

function fail(way: 'throws' | 'rejects' | 'rejects after a while', error: Error): Promise<never> {
	switch (way) {
		case 'throws':
			throw error;
		case 'rejects':
			return Promise.reject(error);
		case 'rejects after a while':
			return rejectLater(error);
	}
}
