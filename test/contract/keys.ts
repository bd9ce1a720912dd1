import assert from 'node:assert/strict';
import type { Session } from '../../src/core/store/sessionStore.ts';
import { add, heldAdd, look, need, refused, sleep } from './engine.ts';
import type { Counter, Lab } from './engine.ts';

export function keysContract(lab: Lab): void {
	describe('a call with a key that was used', () => {
		it('gets the first reply, and does not run', async () => {
			const session = (await lab.bed.open()).session('a');
			const runs: string[] = [];
			assert.equal(await noted(session, 'k', runs), 1);
			assert.equal(await noted(session, 'l', runs), 2);
			assert.equal(await noted(session, 'k', runs), 1);
			assert.deepEqual(runs, ['k', 'l']);
			assert.deepEqual(await session.read(), { seq: 2, state: { count: 2 } });
		});

		it('gets the first reply when memory was given up, and when the owner was killed', async () => {
			let session = (await lab.bed.open()).session('a');
			const runs: string[] = [];
			await noted(session, 'k', runs);
			await noted(session, 'l', runs);
			await session.evict();
			assert.equal(await noted(session, 'k', runs), 1);
			await lab.bed.kill();
			session = (await lab.bed.open()).session('a');
			assert.equal(await noted(session, 'k', runs), 1);
			assert.equal(await noted(session, 'l', runs), 2);
			assert.deepEqual(runs, ['k', 'l']);
		});

		it('runs once when it was made several times at once', async () => {
			const session = (await lab.bed.open()).session('a');
			const runs: string[] = [];
			const replies = await Promise.all(Array.from({ length: 8 }, () => noted(session, 'k', runs)));
			assert.deepEqual(
				replies,
				replies.map(() => 1),
			);
			assert.deepEqual(runs, ['k']);
		});

		it('waits for the first, and runs when that failed', async () => {
			const session = (await lab.bed.open()).session('a');
			const held = heldAdd(session, 1, { key: 'k', deadlineMs: 40 });
			const again = add(session, 1, { key: 'k' });
			await refused(held.reply, 'deadline-exceeded');
			assert.equal(await again, 1);
			held.letGo();
			assert.equal(await look(session), 1);
		});

		it('may name its arguments in another order', async () => {
			const session = (await lab.bed.open()).session('a');
			const call = (args: unknown) =>
				session.call<Counter, number>(
					{ key: 'k', tool: 'add', args },
					(state) => (state.count = (state.count ?? 0) + 1),
				);
			assert.equal(await call({ a: 1, b: { c: [1, { d: 2, e: 3 }], f: null } }), 1);
			assert.equal(await call({ b: { f: null, c: [1, { e: 3, d: 2 }] }, a: 1 }), 1);
			await refused(call({ a: 1, b: { c: [{ d: 2, e: 3 }, 1], f: null } }), 'key-reused');
		});

		it('is refused with other arguments or of another tool, and does not run', async () => {
			const session = (await lab.bed.open()).session('a');
			await add(session, 1, { key: 'k' });
			const error = await refused(add(session, 2, { key: 'k' }), 'key-reused');
			assert.equal(error.isRetryable, false);
			assert.equal(error.sessionId, 'a');
			await refused(add(session, 1, { key: 'k', tool: 'subtract' }), 'key-reused');
			await refused(add(session, 1, { key: 'k', args: { number: '1' } }), 'key-reused');
			await refused(add(session, 1, { key: 'k', args: null }), 'key-reused');
			await session.evict();
			await refused(add(session, 2, { key: 'k' }), 'key-reused');
			assert.equal(await look(session), 1);
		});

		it('is another call in another session', async () => {
			const store = await lab.bed.open();
			assert.equal(await add(store.session('a'), 1, { key: 'k' }), 1);
			assert.equal(await add(store.session('b'), 2, { key: 'k' }), 2);
			assert.equal(await add(store.session('a'), 1, { key: 'k' }), 1);
		});

		it('runs when the first failed, also with other arguments', async () => {
			const session = (await lab.bed.open()).session('a');
			const failing = session.call({ key: 'k', tool: 'fail', args: {} }, () => {
				throw new Error('It went wrong.');
			});
			await assert.rejects(failing, /It went wrong/u);
			assert.equal(await add(session, 2, { key: 'k' }), 2);
			await refused(add(session, 3, { key: 'k' }), 'key-reused');
		});

		it('gets its reply as it was, whatever the first caller did with it', async () => {
			const session = (await lab.bed.open()).session('a');
			const call = () => session.call({ key: 'k', tool: 'rows', args: {} }, () => ({ rows: [1, 2] }));
			const first = await call();
			first.rows.push(3);
			assert.deepEqual(await call(), { rows: [1, 2] });
		});

		for (const key of [
			' ',
			'toolu_01',
			'__proto__',
			'constructor',
			'ключ 🔑',
			"'; DROP TABLE x; --",
			'k'.repeat(5000),
		]) {
			it(`has any key: ${JSON.stringify(key.slice(0, 20))}`, async () => {
				const session = (await lab.bed.open()).session('a');
				assert.equal(await add(session, 1, { key }), 1);
				assert.equal(await add(session, 1, { key }), 1);
				await session.evict();
				assert.equal(await add(session, 1, { key }), 1);
				assert.equal(await add(session, 1, { key: `${key}.` }), 2);
			});
		}

		it('is refused if the key is half a character, or far too long', async () => {
			const session = (await lab.bed.open()).session('a');
			for (const key of ['\ud800', 'a\udc00b', 'k'.repeat(1_000_000)]) {
				const error = await refused(add(session, 1, { key }), 'invalid-request');
				assert.equal(error.sessionId, 'a');
			}
			assert.equal(await session.read(), undefined);
		});
	});

	it('runs again without a key', async () => {
		const session = (await lab.bed.open()).session('a');
		assert.equal(await add(session, 1), 1);
		assert.equal(await add(session, 1), 2);
	});

	describe('replies are kept for repeated calls', () => {
		it('of the latest calls only', async () => {
			let session = (await lab.bed.open({ keptCalls: 3 })).session('a');
			for (const key of ['k1', 'k2', 'k3', 'k4', 'k5']) await add(session, 1, { key });
			for (const [key, reply] of [
				['k5', 5],
				['k4', 4],
				['k3', 3],
			] as const) {
				assert.equal(await add(session, 1, { key }), reply);
			}
			assert.equal(await add(session, 1, { key: 'k1' }), 6);
			await lab.bed.kill();
			session = (await lab.bed.open({ keptCalls: 3 })).session('a');
			assert.equal(await add(session, 1, { key: 'k1' }), 6);
			assert.equal(await add(session, 1, { key: 'k5' }), 5);
			assert.equal(await add(session, 1, { key: 'k2' }), 7);
		});

		it('for some time only', async () => {
			const session = (await lab.bed.open({ keptCallsMs: 60 })).session('a');
			assert.equal(await add(session, 1, { key: 'k' }), 1);
			await sleep(150);
			assert.equal(await add(session, 1, { key: 'k' }), 2);
			await sleep(150);
			await session.evict();
			assert.equal(await add(session, 1, { key: 'k' }), 3);
		});

		it('in a space that does not grow', async () => {
			const session = (await lab.bed.open()).session('a');
			for (let index = 0; index < 300; index++) await add(session, 1, { key: `k${index}` });
			assert.equal(await look(session), 300);
			assert.ok((await session.checkpoints()).length <= 256);
			if (!lab.has('sql')) return;
			const rows = await need(lab.bed.sql)('a', 'SELECT count(*) AS number FROM checkpoints');
			assert.ok(Number(rows[0]!['number']) <= 16);
		}).timeout(300_000);
	});
}

/** Counts, and says that it ran. */
function noted(session: Session, key: string, runs: string[]): Promise<number> {
	return session.call<Counter, number>({ key, tool: 'noted', args: {} }, async (state) => {
		runs.push(key);
		await sleep(1);
		return (state.count = (state.count ?? 0) + 1);
	});
}
