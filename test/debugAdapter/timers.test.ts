import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { Timers } from '../../src/debugAdapter/timers.ts';

describe('what a debugger does in a while', () => {
	it('is done once, and then nothing is left of it', async () => {
		const timers = new Timers();
		const done: number[] = [];
		for (const which of [1, 2, 3]) timers.after(which, () => done.push(which));
		assert.equal(timers.size, 3);
		for (const deadline = Date.now() + 20_000; done.length < 3 && Date.now() < deadline;) await delay(5);
		assert.deepEqual(done, [1, 2, 3]);
		assert.equal(timers.size, 0);
	});

	it('is not done when its owner has gone', async () => {
		const timers = new Timers();
		let isDone = false;
		timers.after(1, () => (isDone = true));
		timers.dispose();
		timers.after(1, () => (isDone = true));
		assert.equal(timers.size, 0);
		await delay(20);
		assert.equal(isDone, false);
	});
});
