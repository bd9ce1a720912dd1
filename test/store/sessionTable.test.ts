import assert from 'node:assert/strict';
import type { StoreTurns } from '../../src/core/store/createTurns.ts';
import { checkpoint, request, sha256, TurnsRig } from './turnsRig.ts';

describe('sessions as rows', () => {
	let rig: TurnsRig;
	beforeEach(() => (rig = new TurnsRig()));
	afterEach(() => rig.dispose());

	/** Does something to the disk while nobody has it open, and opens it again. */
	async function damaged(sql: string): Promise<StoreTurns> {
		const turns = await rig.open();
		for (const number of [1, 2, 3]) await checkpoint(turns, 's', { number }, { key: `k${number}`, reply: number });
		await checkpoint(turns, 'other', { number: 1 });
		await turns.close();
		const place = "place IN (SELECT place FROM checkpoints JOIN sessions ON place / 256 = number WHERE id = 's')";
		const { changes } = rig.disk.sqlite.prepare(sql.replace('@s', place)).run();
		assert.ok(changes > 0, 'It does something.');
		rig.events.length = 0;
		return rig.open();
	}

	const damages: readonly [what: string, sql: string][] = [
		['its latest state', 'UPDATE checkpoints SET state = \'{"number":4}\' WHERE @s AND seq = 3'],
		['its latest state, which is gone', 'UPDATE checkpoints SET state = NULL WHERE @s AND seq = 3'],
		['its latest state, which is bytes', 'UPDATE checkpoints SET state = CAST(state AS BLOB) WHERE @s AND seq = 3'],
		['a key', "UPDATE checkpoints SET key = 'k9' WHERE @s AND seq = 1"],
		['a key, which is gone', 'UPDATE checkpoints SET key = NULL WHERE @s AND seq = 1'],
		['a hash of arguments', "UPDATE checkpoints SET arguments_hash = 'x' WHERE @s AND seq = 2"],
		['a tool', "UPDATE checkpoints SET tool = 'other' WHERE @s AND seq = 2"],
		['a time', 'UPDATE checkpoints SET at = at + 1 WHERE @s AND seq = 1'],
		['a generation', 'UPDATE checkpoints SET generation = 2 WHERE @s AND seq = 3'],
		['a size', 'UPDATE checkpoints SET state_bytes = 2000000 WHERE @s AND seq = 3'],
		['a place', 'UPDATE checkpoints SET place = place + 10 WHERE @s AND seq = 3'],
		['a seq', 'UPDATE checkpoints SET seq = 259 WHERE @s AND seq = 3'],
		['a checkpoint in the middle, which is gone', 'DELETE FROM checkpoints WHERE @s AND seq = 2'],
		['the first checkpoint, which is gone', 'DELETE FROM checkpoints WHERE @s AND seq = 1'],
		['all checkpoints, which are gone', 'DELETE FROM checkpoints WHERE @s'],
		['its id', "UPDATE sessions SET id = 't' WHERE id = 's'"],
		['its id, which is gone', "DELETE FROM sessions WHERE id = 's'"],
	];
	for (const [what, sql] of damages) {
		it(`tell of damage to ${what}, and leave it as it is`, async () => {
			const turns = await damaged(sql);
			const before = rig.disk.sqlite.prepare('SELECT * FROM checkpoints').all();
			for (const again of [1, 2]) {
				await assert.rejects(turns.begin(request('s', { key: `new${again}` })), { code: 'session-damaged' });
				await assert.rejects(turns.read('s'), { code: 'session-damaged', sessionId: 's' });
			}
			assert.deepEqual(rig.happenings(), ['s damaged']);
			assert.equal(await checkpoint(turns, 'fresh', {}), 1);
			assert.deepEqual(await turns.read('other'), { seq: 1, state: '{"number":1}' });
			await turns.close();
			const after = rig.disk.sqlite.prepare('SELECT * FROM checkpoints').all();
			assert.deepEqual(
				after.filter(({ place }) => before.some((row) => row['place'] === place)),
				before,
			);
		});
	}

	it('tell of damage to a reply when it is asked for', async () => {
		const turns = await damaged("UPDATE checkpoints SET reply = '7' WHERE @s AND seq = 2");
		assert.deepEqual(await turns.begin(request('s', { key: 'k1' })), { kind: 'replay', reply: '1', seq: 1 });
		await assert.rejects(turns.begin(request('s', { key: 'k2' })), {
			code: 'session-damaged',
			message:
				'What is kept of session "s" is damaged, and stays as it is: the reply of checkpoint 2 fails its checksum.',
		});
		await assert.rejects(turns.begin(request('s', { key: 'k1' })), { code: 'session-damaged' });
	});

	it('are all listed when one is not readable', async () => {
		const turns = await damaged("UPDATE checkpoints SET state_hash = '\"]' WHERE @s AND seq = 3");
		const listed = (await turns.sessions()).map(({ id, isDamaged }) => `${id} ${isDamaged}`).sort();
		assert.deepEqual(listed, ['other false', 's true']);
	});

	it('go on when an old state is damaged, on which no call rests', async () => {
		const turns = await damaged("UPDATE checkpoints SET state = '{}' WHERE @s AND seq = 2");
		await assert.rejects(turns.stateAt('s', 2), { code: 'session-damaged' });
		assert.deepEqual(rig.happenings(), ['s damaged']);
		assert.equal(await checkpoint(turns, 's', {}), 4);
	});

	it('keep 256 checkpoints, and of old ones no more than is of use', async () => {
		const turns = await rig.open({ keptStates: 2, keptCalls: 4, eviction: 'always' });
		for (let number = 1; number <= 600; number++) await checkpoint(turns, 's', { number }, { key: `k${number}` });
		const kept = await turns.checkpoints('s');
		assert.deepEqual([kept.length, kept[0]?.seq, kept.at(-1)?.seq], [256, 600, 345]);
		const { count } = rig.disk.sqlite.prepare('SELECT count(*) AS count FROM checkpoints').get()!;
		assert.equal(count, 16);
		assert.deepEqual(await turns.stateAt('s', 585), { seq: 585, state: '{"number":585}' });
		await assert.rejects(turns.stateAt('s', 584), { code: 'not-kept' });
		await assert.rejects(turns.stateAt('s', 601), { code: 'not-kept' });
	}).timeout(20_000);

	it('let go of states that weigh much and that nobody keeps', async () => {
		const turns = await rig.open({ keptStates: 2, keptCalls: 4, eviction: 'never' });
		const pad = 'x'.repeat(900_000);
		for (let number = 1; number <= 14; number++)
			await checkpoint(turns, 's', { number, pad }, { key: `k${number}`, reply: number });
		const withState = (await turns.checkpoints('s')).filter(({ hasState }) => hasState).map(({ seq }) => seq);
		assert.deepEqual(withState, [14, 13, 12, 11, 10, 9, 8, 7, 6]);
		await assert.rejects(turns.stateAt('s', 5), { code: 'not-kept' });
		await turns.evict('s', false);
		assert.equal((await turns.read('s'))?.seq, 14);
		assert.equal(await checkpoint(turns, 's', { number: 15 }), 15);
	}).timeout(20_000);

	it('hold what is larger than a row, and nothing of it remains when it is let go', async () => {
		const turns = await rig.open({ keptStates: 1, keptCalls: 1, eviction: 'always' });
		const large = { text: '🔑日a'.repeat(600_000) };
		await checkpoint(turns, 's', large, { key: 'k', reply: large });
		assert.deepEqual(JSON.parse((await turns.read('s'))!.state), large);
		const replay = await turns.begin(request('s', { key: 'k' }));
		assert.equal(replay.kind, 'replay');
		assert.deepEqual(replay.kind === 'replay' && JSON.parse(replay.reply), large);
		for (let number = 2; number <= 257; number++) await checkpoint(turns, 's', { number });
		const { count } = rig.disk.sqlite.prepare('SELECT count(*) AS count FROM chunks').get()!;
		assert.equal(count, 0);
		await checkpoint(turns, 's', large);
		rig.disk.sqlite.exec('DELETE FROM chunks WHERE number = 1');
		await assert.rejects(turns.read('s'), { code: 'session-damaged' });
	}).timeout(20_000);

	it('live next door when two ids have the same home', async () => {
		// All have the same, so that chance is not waited for.
		const home = '0'.repeat(64);
		const digest = {
			...sha256,
			sha256: (text: string) => (['a', 'b', 'c'].includes(text) ? home : sha256.sha256(text)),
		};
		const turns = await rig.open({ eviction: 'always' }, { digest });
		for (const id of ['a', 'b', 'c']) for (const number of [1, 2]) await checkpoint(turns, id, { id, number });
		for (const id of ['c', 'a', 'b'])
			assert.deepEqual(await turns.read(id), { seq: 2, state: JSON.stringify({ id, number: 2 }) });
		assert.equal((await turns.sessions()).length, 3);
	});

	it('are listed all, however many there are, and each once', async () => {
		const turns = await rig.open();
		for (let number = 0; number < 2500; number++) await checkpoint(turns, `session ${number}`, { number });
		await checkpoint(turns, 'session 7', { number: 7 });
		const listed = await turns.sessions();
		assert.equal(listed.length, 2500);
		assert.equal(new Set(listed.map(({ id }) => id)).size, 2500);
		assert.equal(listed.find(({ id }) => id === 'session 7')?.seq, 2);
	}).timeout(20_000);

	it('are listed with the latest first', async () => {
		const turns = await rig.open();
		for (const id of ['a', 'b', 'a']) {
			rig.clock.pass(1000);
			await checkpoint(turns, id, { id }, { tool: 'list' });
		}
		assert.deepEqual(await turns.sessions(), [
			{
				id: 'a',
				seq: 2,
				generation: 1,
				checkpointedAt: '2026-01-01T00:00:03.000Z',
				bytes: 10,
				residence: 'memory',
				isDamaged: false,
				inFlight: 0,
			},
			{
				id: 'b',
				seq: 1,
				generation: 1,
				checkpointedAt: '2026-01-01T00:00:02.000Z',
				bytes: 10,
				residence: 'memory',
				isDamaged: false,
				inFlight: 0,
			},
		]);
		assert.deepEqual(await turns.checkpoints('none'), []);
		assert.equal(await turns.read('none'), undefined);
	});
});
