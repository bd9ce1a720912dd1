import assert from 'node:assert/strict';
import { SqlError } from '../../src/core/store/sqlDatabase.ts';
import type { SqlErrorCode } from '../../src/core/store/sqlDatabase.ts';
import { MemoryDisk } from './memoryDatabase.ts';
import type { Fault } from './memoryDatabase.ts';

const table = { sql: 'CREATE TABLE notes(number INTEGER PRIMARY KEY, text)', parameters: [] };
const insert = (number: number, text: string) => ({
	sql: 'INSERT INTO notes VALUES (?, ?)',
	parameters: [number, text],
});
const count = { sql: 'SELECT count(*) AS notes FROM notes', parameters: [] };

describe('the disk in memory of the tests', () => {
	let disk: MemoryDisk;

	beforeEach(() => (disk = new MemoryDisk()));
	afterEach(() => disk.dispose());

	it('is read by the next who opens it', async () => {
		const first = disk.connect();
		await first.write([table, insert(1, 'one')], await first.claim());
		await first.close();
		assert.deepEqual({ ...(await disk.connect().read(count))[0] }, { notes: 1 });
	});

	it('fences off whoever claimed it before', async () => {
		const [first, second] = [disk.connect(), disk.connect()];
		const old = await first.claim();
		await first.write([table], old);
		const young = await second.claim();
		assert.ok(young > old);
		await rejects(first.write([insert(1, 'one')], old), 'fenced');
		await second.write([insert(1, 'one')], young);
	});

	for (const at of ['start', 'middle', 'commit', 'acknowledgement'] as const) {
		it(`fails at the ${at} of a write, of which ${at === 'acknowledgement' ? 'all' : 'nothing'} remains`, async () => {
			let fault: Fault | undefined;
			const database = disk.connect({ faultOf: () => fault });
			const generation = await database.claim();
			await database.write([table], generation);
			fault = { at, code: 'io' };
			await rejects(database.write([insert(1, 'one'), insert(2, 'two')], generation), 'io');
			fault = undefined;
			const isClosed = at === 'acknowledgement';
			assert.equal((await disk.connect().read(count))[0]!['notes'], isClosed ? 2 : 0);
			if (isClosed) await rejects(database.write([insert(3, 'three')], generation), 'closed');
			else await database.write([insert(3, 'three')], generation);
		});
	}

	it('takes what Durable Objects take, and no more', async () => {
		const database = disk.connect();
		const generation = await database.claim();
		await database.write([table], generation);
		const refused = [
			{ sql: 'BEGIN', parameters: [] },
			{ sql: ' pragma user_version', parameters: [] },
			{ sql: 'SAVEPOINT a', parameters: [] },
			{ sql: 'DELETE FROM notes; DELETE FROM notes', parameters: [] },
			{
				sql: `SELECT ${Array.from({ length: 101 }, () => '?').join()}`,
				parameters: Array.from({ length: 101 }, () => 1),
			},
			insert(1, 'x'.repeat(2_000_000)),
		];
		for (const statement of refused) await rejects(database.write([statement], generation), 'limit');
		await database.write([insert(1, 'x'.repeat(1_999_000))], generation);
		await assert.rejects(database.write([{ sql: `SELECT '${'x'.repeat(100_000)}'`, parameters: [] }], generation));
	});

	it('does nothing any more for a process that was killed', async () => {
		let goOn: () => void = () => {};
		const database = disk.connect({ pause: () => new Promise((resolve) => (goOn = resolve)) });
		let hasEnded = false;
		void database.claim().finally(() => (hasEnded = true));
		database.kill();
		goOn();
		await new Promise(setImmediate);
		assert.equal(hasEnded, false);
		assert.deepEqual(disk.sqlite.prepare('SELECT * FROM sqlite_schema').all(), []);
	});
});

function rejects(promise: Promise<unknown>, code: SqlErrorCode): Promise<void> {
	return assert.rejects(promise, (error) => error instanceof SqlError && error.code === code);
}
