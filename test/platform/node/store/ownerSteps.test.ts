import assert from 'node:assert/strict';
import { steps } from './failpoints.ts';
import { StoreLab, failpointSqlite } from './stores.ts';

describe('an owner that is killed between two steps of a call', () => {
	let lab: StoreLab;

	beforeEach(async () => {
		lab = await StoreLab.create();
	});

	afterEach(async () => lab.remove());

	for (const step of steps) {
		it(`${step}: its own call, made again by another, has one effect`, async () => {
			const owner = await lab.started({ sqliteModule: failpointSqlite });
			assert.equal(await owner.add('s', 'first'), 1);
			lab.arm(step);
			await assert.rejects(owner.add('s', 'second'), /The process has ended/);
			assert.equal(await owner.ended, 'SIGKILL');
			lab.arm(undefined);
			const store = await lab.open();
			const add = async (key: string) =>
				store
					.session('s')
					.call<{ count: number }, number>({ key, tool: 'add', args: {} }, (state) => ++state.count);
			assert.deepEqual(
				[await add('second'), await add('second'), await add('first'), await add('third')],
				[2, 2, 1, 3],
			);
			assert.deepEqual(await store.session('s').read(), { seq: 3, state: { count: 3 } });
		});
	}

	for (const step of steps.slice(2)) {
		it(`${step}: a client's call is made again by itself, and has one effect`, async () => {
			const owner = await lab.started({ sqliteModule: failpointSqlite });
			const store = await lab.open();
			let runs = 0;
			const add = async (key: string | undefined) =>
				store.session('s').call<{ count?: number }, number>({ key, tool: 'add', args: {} }, (state) => {
					runs++;
					return (state.count = (state.count ?? 0) + 1);
				});
			assert.equal(await add('first'), 1);
			lab.arm(step);
			assert.equal(await add('second'), 2);
			assert.equal(await owner.ended, 'SIGKILL');
			lab.arm(undefined);
			assert.deepEqual([await add('second'), await add('first'), await add('third')], [2, 1, 3]);
			const isKept = step === 'after COMMIT' || step === 'before the reply';
			assert.equal(runs, isKept ? 3 : 4);
			assert.deepEqual(await store.session('s').read(), { seq: 3, state: { count: 3 } });
		});
	}

	it('leaves a client in doubt about a call without a key, and says so', async () => {
		for (const [step, count] of [
			['before COMMIT', 1],
			['after COMMIT', 2],
		] as const) {
			const session = `s ${step}`;
			const owner = await lab.started({ sqliteModule: failpointSqlite });
			const store = await lab.open();
			const add = async () =>
				store
					.session(session)
					.call<{ count?: number }, number>({ key: undefined, tool: 'add', args: {} }, (state) => {
						return (state.count = (state.count ?? 0) + 1);
					});
			assert.equal(await add(), 1);
			lab.arm(step);
			await assert.rejects(add(), { name: 'StoreError', code: 'owner-lost', isRetryable: true });
			await owner.ended;
			lab.arm(undefined);
			assert.equal((await store.session(session).read())?.state['count'], count);
			await store.close();
		}
	});
});
