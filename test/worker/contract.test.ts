import { sessionStoreContract } from '../contract/sessionStore.ts';
import { Bed } from './bed.ts';
import { bundle, startWorker } from './localWorker.ts';
import type { LocalWorker } from './localWorker.ts';

describe('a Durable Object', () => {
	let worker: LocalWorker;
	let beds = 0;
	before(async () => (worker = await startWorker({ script: await bundle('test/worker/runtime/beds.ts') })));
	after(async () => worker.dispose());

	sessionStoreContract('in Durable Objects', {
		// Who owns an object's storage is the platform's affair: there is no second owner to be had.
		lacks: ['takeOver'],
		create: async () => new Bed(`${worker.url}/bed${beds++}`),
	});
});
