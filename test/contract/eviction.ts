import assert from 'node:assert/strict';
import type {
	EvictionPolicy,
	SessionEvicted,
	SessionRehydrated,
	SessionStore,
} from '../../src/core/store/sessionStore.ts';
import { StoreError } from '../../src/core/store/storeError.ts';
import { createRandom } from '../store/scheduler.ts';
import { add, heldAdd, look, need, refused, sleep, until } from './engine.ts';
import type { Lab } from './engine.ts';

const policies: readonly EvictionPolicy[] = ['never', 'always', { idleMs: 1 }];

export function evictionContract(lab: Lab): void {
	describe('memory', () => {
		it('may be given up after every call, never, or now and then: it makes no difference', async () => {
			const transcripts: unknown[] = [];
			for (const eviction of policies) {
				transcripts.push(await transcript(await lab.bed.open({ eviction }), `as ${JSON.stringify(eviction)}`));
				await lab.bed.kill();
			}
			assert.ok(JSON.stringify(transcripts[0]).length > 1000);
			assert.deepEqual(transcripts[1], transcripts[0]);
			assert.deepEqual(transcripts[2], transcripts[0]);
		}).timeout(300_000);

		it('is given up when that is asked for, and read again by the next call', async () => {
			const store = await lab.bed.open({ eviction: 'never' });
			const events = collect(store);
			const session = store.session('a');
			await add(session, 1);
			await add(session, 1);
			await session.evict();
			assert.deepEqual(await session.read(), { seq: 2, state: { count: 2 } });
			assert.equal(await add(session, 1), 3);
			await until(() => events.evicted.length >= 1 && events.rehydrated.length >= 1);
			assert.deepEqual(events.evicted, [{ sessionId: 'a', seq: 2, reason: 'asked' }]);
			assert.deepEqual(
				events.rehydrated.map(({ sessionId, seq, bytes }) => ({ sessionId, seq, bytes })),
				[{ sessionId: 'a', seq: 2, bytes: 11 }],
			);
		});

		it('that is not there is given up without a word', async () => {
			const store = await lab.bed.open({ eviction: 'never' });
			const events = collect(store);
			await store.session('a').evict();
			assert.equal(await add(store.session('a'), 1), 1);
			await sleep(20);
			assert.deepEqual(events.evicted, []);
		});

		it('is told of each time it is given up', async () => {
			const store = await lab.bed.open({ eviction: 'always' });
			const events = collect(store);
			for (let count = 1; count <= 3; count++) assert.equal(await add(store.session('a'), 1), count);
			await until(() => events.evicted.length >= 3);
			assert.deepEqual(
				events.evicted,
				[1, 2, 3].map((seq) => ({ sessionId: 'a', seq, reason: 'always' })),
			);
			assert.deepEqual(
				events.rehydrated.map(({ seq }) => seq),
				[1, 2],
			);
		});

		it('is given up when a session was idle for long enough, and not before', async () => {
			const store = await lab.bed.open({ eviction: { idleMs: 700 } });
			const events = collect(store);
			for (let count = 0; count < 5; count++) {
				await add(store.session('a'), 1);
				await sleep(5);
			}
			await until(() => events.evicted.length > 0);
			assert.deepEqual(events.evicted, [{ sessionId: 'a', seq: 5, reason: 'idle' }]);
			assert.equal(await add(store.session('a'), 1), 6);
		});

		it('is given up after a call that failed', async () => {
			const store = await lab.bed.open({ eviction: 'never' });
			const events = collect(store);
			const session = store.session('a');
			await add(session, 1);
			await assert.rejects(
				session.call({ key: undefined, tool: 'fail', args: {} }, () => {
					throw new Error('It went wrong.');
				}),
				/It went wrong/u,
			);
			await refused(heldAdd(session, 1, { deadlineMs: 20 }).reply, 'deadline-exceeded');
			assert.equal(await add(session, 1), 2);
			await until(() => events.evicted.length >= 2);
			assert.deepEqual(
				events.evicted.map(({ reason }) => reason),
				['failed', 'deadline'],
			);
		});

		it('is not given up under a call that runs because it is asked for', async () => {
			const session = (await lab.bed.open()).session('a');
			await add(session, 1);
			const held = heldAdd(session, 1, { key: 'k' });
			await held.begun;
			const evicted = session.evict();
			await sleep(20);
			held.letGo();
			await evicted;
			assert.equal(await held.reply, 2);
			assert.equal(await look(session), 2);
		});

		if (lab.has('forceOut')) {
			it('that is taken from a call that runs leaves the latest checkpoint, and the call is told', async () => {
				const store = await lab.bed.open();
				const events = collect(store);
				const session = store.session('a');
				await add(session, 1);
				const held = heldAdd(session, 10, { key: 'k' });
				const behind = add(session, 100);
				const { signal } = await held.begun;
				await need(lab.bed.forceOut)('a');
				const error = await refused(held.reply, 'evicted');
				assert.equal(error.isRetryable, true);
				assert.equal(signal.aborted, true);
				assert.equal(await behind, 101);
				held.letGo();
				assert.equal(await add(session, 10, { key: 'k' }), 111);
				assert.equal(await look(session), 111);
				assert.equal(events.evicted[0]?.sessionId, 'a');
			});
		}

		it('may be given up at any time by anybody', async () => {
			const session = (await lab.bed.open()).session('a');
			const calls = Array.from({ length: 30 }, (_, index) => add(session, 1, { key: `k${index}` }));
			for (let index = 0; index < 10; index++) {
				await session.evict();
				await sleep(1);
			}
			await Promise.all(calls);
			assert.equal(await look(session), 30);
		});

		if (lab.has('residence')) {
			it('is where the list says that it is', async () => {
				const store = await lab.bed.open({ eviction: 'never' });
				await add(store.session('a'), 1);
				await add(store.session('b'), 1);
				await store.session('b').evict();
				const residences = new Map((await store.sessions()).map(({ id, residence }) => [id, residence]));
				assert.deepEqual(
					residences,
					new Map([
						['a', 'memory'],
						['b', 'disk'],
					]),
				);
			});
		}

		it('that somebody listens to while he throws is given up nevertheless', async () => {
			const store = await lab.bed.open({ eviction: 'always' });
			const fail = (): never => {
				throw new Error('The listener went wrong.');
			};
			store.onDidCheckpoint(fail);
			store.onDidEvict(fail);
			store.onDidRehydrate(fail);
			assert.equal(await add(store.session('a'), 1), 1);
			assert.equal(await add(store.session('a'), 1), 2);
		});
	});
}

function collect(store: SessionStore): { evicted: SessionEvicted[]; rehydrated: SessionRehydrated[] } {
	const evicted: SessionEvicted[] = [];
	const rehydrated: SessionRehydrated[] = [];
	store.onDidEvict(({ sessionId, seq, reason }) => evicted.push({ sessionId, seq, reason }));
	store.onDidRehydrate((event) => rehydrated.push(event));
	return { evicted, rehydrated };
}

/** What a caller sees of some hundred calls: all of it must be the same however memory is kept. */
async function transcript(store: SessionStore, id: string): Promise<unknown[]> {
	const random = createRandom(4);
	const session = store.session(id);
	const seen: unknown[] = [];
	for (let step = 0; step < 120; step++) {
		const key = random() < 0.5 ? `k${Math.floor(random() * 20)}` : undefined;
		const args = { number: Math.floor(random() * 3) };
		const way = random();
		const reply = await session
			.call<{ log?: unknown[]; open?: boolean }>({ key, tool: 'step', args }, async (state, { seq }) => {
				state.log = [...(state.log ?? []).slice(-20), [seq, key, args]];
				if (way < 0.3) await sleep(0);
				if (way > 0.9) throw new Error(`No ${step}.`);
				state.open = way < 0.5;
				return { seq, log: state.log };
			})
			.catch((error: unknown) => (error instanceof StoreError ? error.code : String(error)));
		seen.push(reply);
		if (way > 0.4 && way < 0.5) await session.evict();
		if (way > 0.5 && way < 0.6) seen.push(await session.read());
		if (way > 0.6 && way < 0.63) await sleep(3);
	}
	const checkpoints = await session.checkpoints();
	seen.push(checkpoints.map(({ seq, key, tool, bytes }) => ({ seq, key, tool, bytes })));
	seen.push(await session.read());
	return seen;
}
