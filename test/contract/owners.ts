import assert from 'node:assert/strict';
import { add, heldAdd, look, need, refused, until } from './engine.ts';
import type { Lab } from './engine.ts';

export function ownersContract(lab: Lab): void {
	describe('an owner', () => {
		it('comes with a generation that is greater than all before', async () => {
			const generations: number[] = [];
			for (let life = 0; life < 3; life++) {
				const store = await lab.bed.open();
				const session = store.session('a');
				await add(session, 1);
				generations.push((await session.checkpoints())[0]!.generation);
				if (life === 1) await lab.bed.kill();
				else await store.close();
			}
			assert.ok(generations[0]! < generations[1]! && generations[1]! < generations[2]!, generations.join());
		});

		if (!lab.has('takeOver')) return;

		it('who wakes up late is refused, and what the new one wrote stays', async () => {
			const old = await lab.bed.open({ eviction: 'never' });
			assert.equal(await add(old.session('a'), 1), 1);
			const young = await need(lab.bed.takeOver)();
			assert.equal(await add(young.session('a'), 10), 11);
			const error = await refused(add(old.session('a'), 100, { key: 'k' }), 'fenced');
			assert.equal(error.isRetryable, true);
			assert.deepEqual(await young.session('a').read(), { seq: 2, state: { count: 11 } });
			assert.equal(await add(young.session('a'), 100, { key: 'k' }), 111);
			await refused(add(old.session('a'), 1), 'fenced');
			await refused(add(old.session('new'), 1), 'fenced');
			assert.equal(await look(young.session('a')), 111);
		});

		it('who was stopped in the middle of a call does not end it', async () => {
			const old = await lab.bed.open();
			await add(old.session('a'), 1);
			const held = heldAdd(old.session('a'), 10, { key: 'k' });
			await held.begun;
			const young = await need(lab.bed.takeOver)();
			assert.equal(await add(young.session('a'), 10, { key: 'k' }), 11);
			held.letGo();
			await refused(held.reply, 'fenced');
			assert.equal(await look(young.session('a')), 11);
		});

		it('who was replaced is told so, and does not show what is not so any more', async () => {
			const old = await lab.bed.open({ eviction: 'never' });
			const takenOver: boolean[] = [];
			old.onDidTakeOver(({ isOurs }) => takenOver.push(isOurs));
			await add(old.session('a'), 1);
			const young = await need(lab.bed.takeOver)();
			await add(young.session('a'), 1);
			await refused(add(old.session('a'), 1), 'fenced');
			await until(() => takenOver.length > 0);
			assert.deepEqual(takenOver, [false]);
			const read = await old
				.session('a')
				.read()
				.catch(() => undefined);
			assert.ok(read === undefined || read.seq === 2, JSON.stringify(read));
		});
	});
}
