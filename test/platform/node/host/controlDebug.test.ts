import assert from 'node:assert/strict';
import { notifier } from '../../../../src/platform/node/host/controlDebug.ts';

describe('the way to a debugger', () => {
	it('lets log lines go that are not taken, and a debugger that does not take its stops', async () => {
		const sent: string[] = [];
		let take: () => void = () => undefined;
		let isTaking: Promise<void> = new Promise((resolve) => (take = resolve));
		let timesGivenUp = 0;
		const notify = notifier(
			async (name) => {
				sent.push(name);
				return isTaking;
			},
			() => timesGivenUp++,
		);
		for (let count = 0; count < 10_000; count++) notify('debug/didLog', { text: 'page 1' });
		assert.equal(sent.length, 2_000);
		assert.equal(timesGivenUp, 0);
		notify('debug/didStop', { stopId: 'stop-1' });
		assert.equal(timesGivenUp, 1);
		take();
		isTaking = Promise.resolve();
		await new Promise((resolve) => setImmediate(resolve));
		notify('debug/didStop', { stopId: 'stop-2' });
		assert.equal(sent.at(-1), 'debug/didStop');
		assert.equal(timesGivenUp, 1);
	});

	it('counts what is long for more', () => {
		let timesGivenUp = 0;
		const notify = notifier(
			async () => new Promise(() => undefined),
			() => timesGivenUp++,
		);
		const result = 'x'.repeat(30 * 1024 * 1024);
		notify('debug/didStop', { result });
		notify('debug/didStop', { result });
		assert.equal(timesGivenUp, 0);
		notify('debug/didStop', { result });
		assert.equal(timesGivenUp, 1);
	});

	it('takes a connection that is closed for one that is gone', async () => {
		const notify = notifier(
			() => {
				throw new Error('Connection is closed.');
			},
			() => assert.fail('It is gone already.'),
		);
		notify('debug/didLog', { text: 'page 1' });
		await new Promise((resolve) => setImmediate(resolve));
	});
});
