import assert from 'node:assert/strict';
import { add, look } from '../contract/engine.ts';
import { bundle, startWorker } from './localWorker.ts';
import type { LocalWorker } from './localWorker.ts';

describe('a session in a Durable Object', () => {
	let worker: LocalWorker;

	before(async () => (worker = await startWorker({ script: await bundle() })));
	after(async () => worker.dispose());

	it('is called', async () => {
		const store = await worker.connect();
		const session = store.session('one');
		try {
			assert.equal(await add(session, 1), 1);
			assert.equal(await look(session), 1);
			console.log(await store.sessions(), await session.checkpoints());
			await store.close();
		} finally {
			console.log(worker.log);
		}
	});
});
