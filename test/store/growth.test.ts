import assert from 'node:assert/strict';
import { add, look, need } from '../contract/engine.ts';
import type { StoreBed } from '../contract/engine.ts';
import { memoryEngine } from './memoryEngine.ts';

describe('a store that is used for long', () => {
	let bed: StoreBed;

	beforeEach(async () => (bed = await memoryEngine.create()));
	afterEach(() => bed.dispose());

	const count = async (what: string): Promise<number> => {
		const [row] = await need(bed.sql)('', `SELECT count(*) AS number FROM ${what}`);
		return Number(row!['number']);
	};

	it('keeps as much of a session after thousands of calls as after hundreds', async () => {
		let session = (await bed.open({ keptCalls: 100, keptStates: 4 })).session('a');
		for (let number = 1; number <= 5000; number++) await add(session, 1, { key: `k${number}` });
		assert.ok((await count('checkpoints')) <= 16 && (await count('laps')) <= 16);
		assert.equal((await session.checkpoints())[0]?.seq, 5000);
		assert.equal(await add(session, 1, { key: 'k5000' }), 5000);
		assert.equal(await add(session, 1, { key: 'k4901' }), 4901);
		await bed.kill();
		session = (await bed.open({ keptCalls: 100, keptStates: 4 })).session('a');
		assert.equal(await add(session, 1, { key: 'k4901' }), 4901);
		assert.equal(await look(session), 5000);
	}).timeout(300_000);

	it('keeps large states only for as long as it says', async () => {
		const session = (await bed.open({ keptStates: 3, stateBytes: 4_000_000 })).session('a');
		for (let number = 0; number < 40; number++) {
			await session.call({ key: `k${number}`, tool: 'fill', args: {} }, (state) => {
				state['text'] = `${number} `.padEnd(1_500_000, 'x');
			});
		}
		const [row] = await need(bed.sql)('', 'SELECT total(length(bytes)) AS bytes FROM chunks');
		const [inline] = await need(bed.sql)('', 'SELECT total(length(state)) AS bytes FROM checkpoints');
		const bytes = Number(row!['bytes']) + Number(inline!['bytes']);
		// Some may be let go together, but not all 60 MB stay.
		assert.ok(bytes < 20_000_000, `${bytes} bytes`);
		assert.ok(String((await session.stateAt(40)).state['text']).startsWith('39 '));
		assert.ok(String((await session.stateAt(38)).state['text']).startsWith('37 '));
	}).timeout(300_000);

	it('has memory for the sessions that are used, and not for all that ever were', async () => {
		const sessions = 20_000;
		const store = await bed.open({ memoryBytes: 1_000_000 });
		for (let index = 0; index < sessions; index += 100) {
			await Promise.all(
				Array.from({ length: 100 }, (_, offset) => add(store.session(`session ${index + offset}`), 1)),
			);
		}
		assert.equal(await count('checkpoints'), sessions);
		const all = await store.sessions();
		assert.equal(all.length, sessions);
		const inMemory = all.filter(({ residence }) => residence === 'memory').length;
		assert.ok(inMemory > 0 && inMemory < sessions / 2, `${inMemory} in memory`);
		assert.equal(await add(store.session('session 0'), 1), 2);
		assert.equal(await add(store.session('session 10000'), 1), 2);
	}).timeout(300_000);
});
