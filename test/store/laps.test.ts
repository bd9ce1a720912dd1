import assert from 'node:assert/strict';
import type { StoreTurns } from '../../src/core/store/createTurns.ts';
import { checkpoint, request, TurnsRig } from './turnsRig.ts';

describe('the laps of a session', () => {
	let rig: TurnsRig;
	beforeEach(() => (rig = new TurnsRig()));
	afterEach(() => rig.dispose());

	const count = (what: string): number =>
		Number(rig.disk.sqlite.prepare(`SELECT count(*) AS count FROM ${what}`).get()!['count']);

	async function calls(turns: StoreTurns, first: number, last: number, pad = ''): Promise<void> {
		for (let number = first; number <= last; number++) {
			const reply = number % 5 === 0 ? undefined : { number, pad };
			const key = number % 7 === 0 ? undefined : `k${number}`;
			await checkpoint(turns, 's', { number, pad }, { key, reply });
		}
	}

	/** All that is kept of it can be had. */
	async function check(turns: StoreTurns, newest: number, pad = ''): Promise<void> {
		const kept = await turns.checkpoints('s');
		const oldest = Math.max(1, newest - 255);
		assert.deepEqual([kept.length, kept[0]?.seq, kept.at(-1)?.seq], [newest - oldest + 1, newest, oldest]);
		for (const { seq, hasState } of kept) {
			if (hasState)
				assert.deepEqual(await turns.stateAt('s', seq), { seq, state: JSON.stringify({ number: seq, pad }) });
			else assert.ok(seq <= newest - 8);
			if (seq % 7 === 0) continue;
			const reply = seq % 5 === 0 ? 'null' : JSON.stringify({ number: seq, pad });
			assert.deepEqual(await turns.begin(request('s', { key: `k${seq}` })), { kind: 'replay', reply, seq });
		}
	}

	for (const length of [1, 15, 16, 17, 31, 32, 33, 100, 255, 256, 257, 300, 511, 512, 530]) {
		it(`hold what calls need, and no more: ${length}`, async () => {
			const limits = { keptCalls: 256, keptStates: 8 };
			let turns = await rig.open(limits);
			await calls(turns, 1, length);
			await check(turns, length);
			await turns.close();
			turns = await rig.open(limits);
			await check(turns, length);
			await calls(turns, length + 1, length + 20);
			await check(turns, length + 20);
			assert.ok(count('checkpoints') <= 16 && count('laps') <= 16);
			assert.equal(count('chunks'), 0);
		});

		it(`are made of what version 1 has written: ${length}`, async () => {
			const limits = { keptCalls: 256, keptStates: 16 };
			const pad = length % 2 === 0 ? '' : 'x'.repeat(60_000);
			let turns = await rig.open(limits);
			const rows: Record<string, string | number | Uint8Array | null>[] = [];
			const newest = rig.disk.sqlite.prepare('SELECT * FROM checkpoints ORDER BY seq DESC LIMIT 1');
			for (let number = 1; number <= length; number++) {
				await calls(turns, number, number, pad);
				// Version 1 had the same rows, at other places.
				const row = newest.get() as (typeof rows)[number];
				rows.push({ ...row, place: Number(row['place']) - (number % 16) + (number % 256) });
			}
			await turns.close();
			rig.disk.sqlite.exec('DELETE FROM checkpoints; DELETE FROM chunks; DROP TABLE laps');
			rig.disk.sqlite.exec("UPDATE meta SET value = 1 WHERE name = 'schema'");
			for (const row of rows.slice(-256)) {
				const places = Object.keys(row).map(() => '?');
				rig.disk.sqlite
					.prepare(`INSERT INTO checkpoints (${Object.keys(row).join()}) VALUES (${places.join()})`)
					.run(...Object.values(row));
			}
			turns = await rig.open(limits);
			await check(turns, length, pad);
			await calls(turns, length + 1, length + 1, pad);
			await check(turns, length + 1, pad);
			assert.ok(count('checkpoints') <= 16 && count('laps') <= 17);
			await turns.close();
			turns = await rig.open(limits);
			await check(turns, length + 1, pad);
			await calls(turns, length + 2, length + 40, pad);
			await turns.evict('s', false);
			await check(turns, length + 40, pad);
		}).timeout(20_000);
	}

	it('are one row written for sixteen checkpoints', async () => {
		const turns = await rig.open();
		await calls(turns, 1, 320);
		assert.equal(rig.writes.flat().length, 320 + 320 / 16 + 1);
	});

	it('take replies of all sizes, and names of all lengths', async () => {
		const limits = { keptCalls: 256 };
		let turns = await rig.open(limits);
		const sizes = [0, 100, 40_000, 54_000, 55_500, 200_000, 499_000, 501_000, 1_500_000];
		const replyOf = (number: number): string => '"\\'.repeat(Math.floor((sizes[number % sizes.length] ?? 0) / 4));
		const names = (number: number) => ({
			key: `${number}`.padEnd(number % 3 === 0 ? 10_000 : 10, '\u0001'),
			tool: 'ü'.repeat(number % 4 === 0 ? 10_000 : 10),
		});
		for (let number = 1; number <= 40; number++)
			await checkpoint(turns, 's', { number }, { ...names(number), reply: replyOf(number) });
		await turns.close();
		turns = await rig.open(limits);
		for (let number = 40; number > 0; number--) {
			const start = await turns.begin(request('s', names(number)));
			assert.deepEqual(start, { kind: 'replay', reply: JSON.stringify(replyOf(number)), seq: number });
		}
		for (let number = 41; number <= 300; number++) await checkpoint(turns, 's', { number });
		assert.equal(count('chunks'), 0);
	}).timeout(30_000);

	it('take the longest names there may be', async () => {
		const turns = await rig.open({ eviction: 'always' });
		const names = { key: '', tool: '\u0001'.repeat(10_000) };
		for (let number = 1; number <= 33; number++) {
			names.key = `${number}`.padEnd(10_000, '\u0001');
			assert.equal(await checkpoint(turns, 's', {}, { ...names, reply: 1 }), number);
		}
		assert.equal((await turns.begin(request('s', names))).kind, 'replay');
		names.key = '2'.padEnd(10_000, '\u0001');
		assert.deepEqual(await turns.begin(request('s', names)), { kind: 'replay', reply: '1', seq: 2 });
	}).timeout(20_000);

	for (const size of [50_000, 300_000, 600_000]) {
		it(`say which replies were let go: ${size} bytes`, async () => {
			const reply = 'x'.repeat(size);
			let turns = await rig.open({ keptCalls: 4 });
			for (let number = 1; number <= 256; number++)
				await checkpoint(turns, 's', { number }, { key: `k${number}`, reply });
			await turns.close();
			// Those that are too old are kept for nobody; one who would keep more finds what there is, and runs the others.
			turns = await rig.open({ keptCalls: 256 });
			let replayed = 0;
			for (let number = 256; number > 0; number--) {
				const start = await turns.begin(request('s', { key: `k${number}` }));
				if (start.kind === 'turn') {
					await turns.abort(start.turnId);
					break;
				}
				assert.equal(start.reply, JSON.stringify(reply));
				replayed++;
			}
			assert.ok(replayed >= 4 && replayed * size < 8.6 * 1024 * 1024, `${replayed}`);
			await turns.close();
			rig.disk.sqlite.exec("UPDATE laps SET let_go = replace(let_go, ' ', '0 ')");
			turns = await rig.open();
			await assert.rejects(turns.read('s'), { code: 'session-damaged' });
		}).timeout(30_000);
	}

	const damages: readonly [what: string, sql: string][] = [
		['of which one is gone', 'DELETE FROM laps WHERE calls LIKE \'%"k33"%\''],
		['of which the oldest is gone', 'DELETE FROM laps WHERE calls LIKE \'%"k1"%\''],
		['of which the newest is gone', 'DELETE FROM laps WHERE calls LIKE \'%"k78"%\''],
		['with another key', 'UPDATE laps SET calls = replace(calls, \'"k33"\', \'"k99"\')'],
		['with another tool', 'UPDATE laps SET calls = replace(calls, \'"tool"\', \'"tool2"\')'],
		['that say that a reply was let go', "UPDATE laps SET let_go = '33 x'"],
		['that are no JSON', 'UPDATE laps SET calls = substr(calls, 2)'],
		['that are nothing', 'UPDATE laps SET calls = NULL WHERE calls LIKE \'%"k33"%\''],
		['that are at each other’s place', 'UPDATE laps SET place = place + 8'],
		['of which the newest checkpoint is gone', 'DELETE FROM checkpoints WHERE seq = 96'],
		['of which one of the ring is gone', 'DELETE FROM checkpoints WHERE seq = 85'],
		['of which all after a lap are gone', 'DELETE FROM checkpoints WHERE seq = 96 OR seq = 80'],
	];
	for (const [what, sql] of damages) {
		it(`${what} are damage, and stay as they are`, async () => {
			let turns = await rig.open();
			await calls(turns, 1, 96);
			await checkpoint(turns, 'other', {});
			await turns.close();
			assert.ok(rig.disk.sqlite.prepare(sql).run().changes > 0);
			const dump = () => rig.disk.sqlite.prepare('SELECT * FROM laps').all();
			const before = dump();
			turns = await rig.open();
			await assert.rejects(turns.begin(request('s', { key: 'new' })), { code: 'session-damaged' });
			await assert.rejects(turns.read('s'), { code: 'session-damaged', sessionId: 's' });
			assert.deepEqual(dump(), before);
			assert.equal(await checkpoint(turns, 'other', {}), 2);
		});
	}

	it('keep their replies whatever they say of them without a checksum', async () => {
		let turns = await rig.open();
		await calls(turns, 1, 96);
		await turns.close();
		rig.disk.sqlite.exec("UPDATE laps SET calls = replace(calls, ',1,1]', ',1,0]')");
		turns = await rig.open();
		await check(turns, 96);
	});

	it('with another reply are damage as soon as it is asked for', async () => {
		const turns = await rig.open();
		await calls(turns, 1, 96);
		await turns.evict('s', false);
		rig.disk.sqlite.exec("UPDATE laps SET replies = replace(replies, '33', '34')");
		assert.equal((await turns.begin(request('s', { key: 'k31' }))).kind, 'replay');
		await assert.rejects(turns.begin(request('s', { key: 'k33' })), { code: 'session-damaged' });
		await assert.rejects(turns.begin(request('s', { key: 'k31' })), { code: 'session-damaged' });
	});
});
