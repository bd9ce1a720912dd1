import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StoreError } from '../../../../src/core/store/storeError.ts';
import { nodeStorePlatform } from '../../../../src/platform/node/store/nodeStorePlatform.ts';
import { root, runNode } from '../../../../tools/process.ts';
import { Engines, rejectsWith, sql, values, wholePairs, withPairs } from './engines.ts';

describe('the embedded engine', () => {
	let engines: Engines;

	beforeEach(async () => {
		engines = await Engines.create();
	});

	afterEach(() => engines.dispose());

	it('gives back every kind of value as it was written, also after it was closed', async () => {
		const first = await engines.open();
		const generation = await first.claim();
		const row = ['', 'é\0😀', -1.5, 2 ** 53 - 1, null, new Uint8Array([0, 255]), 'x'.repeat(500_000)];
		await first.write(
			[sql('CREATE TABLE a (b, c, d, e, f, g, h)'), sql('INSERT INTO a VALUES (?, ?, ?, ?, ?, ?, ?)', ...row)],
			generation,
		);
		await first.close();
		const second = await engines.open();
		const [read] = await second.read(sql('SELECT * FROM a'));
		assert.deepEqual(Object.values(read ?? {}), row);
	});

	it('writes all of a transaction or nothing', async () => {
		const database = await engines.open();
		const { generation, put } = await withPairs(database);
		await put(1);
		const half = [sql('INSERT INTO pairs VALUES (2, 1, ?)', ''), sql('INSERT INTO pairs VALUES (2, 2)')];
		await rejectsWith(database.write(half, generation), 'other', /values/u);
		assert.deepEqual(await wholePairs(database), [1]);
	});

	it('writes what is asked for at once in few transactions', async () => {
		const database = await engines.openFaulty();
		const { put } = await withPairs(database);
		const committedInto = join(engines.folder, 'committed');
		engines.fail({ committedInto });
		const numbers = Array.from({ length: 64 }, (_, n) => n);
		await Promise.all(numbers.map(async (n) => put(n)));
		assert.deepEqual(await wholePairs(database), numbers);
		const transactions = readFileSync(committedInto, 'utf8').split('\n').length - 1;
		assert.ok(transactions > 0 && transactions <= 16, `${transactions} transactions`);
	});

	it('lets the others of a group live when one of them is bad', async () => {
		const database = await engines.open();
		const { generation, put } = await withPairs(database);
		const outcomes = await Promise.allSettled([
			put(1),
			database.write(
				[sql('INSERT INTO pairs VALUES (2, 1, ?)', ''), sql('INSERT INTO nowhere VALUES (1)')],
				generation,
			),
			put(3),
			put(4),
		]);
		assert.deepEqual(
			outcomes.map(({ status }) => status),
			['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
		);
		assert.deepEqual(await wholePairs(database), [1, 3, 4]);
	});

	it('keeps the order in which writes were asked for', async () => {
		const database = await engines.open();
		const { put } = await withPairs(database);
		await Promise.all(Array.from({ length: 500 }, (_, n) => put(n)));
		assert.deepEqual(
			await values(database, 'SELECT n FROM pairs WHERE half = 1 ORDER BY rowid'),
			Array.from({ length: 500 }, (_, n) => n),
		);
	});

	it('fences off every claim but the latest, in the same group too', async () => {
		const database = await engines.open();
		const { generation, put } = await withPairs(database);
		const other = await engines.open();
		assert.equal(await other.claim(), generation + 1);
		const outcomes = await Promise.allSettled([
			put(1),
			database.write([sql('INSERT INTO pairs VALUES (2, 1, ?), (2, 2, ?)', '', '')], generation + 1),
			put(3),
		]);
		assert.deepEqual(
			outcomes.map(({ status }) => status),
			['rejected', 'fulfilled', 'rejected'],
		);
		await rejectsWith(put(4), 'fenced', /Generation 1 was followed by 2/u);
		assert.deepEqual(await wholePairs(other), [2]);
	});

	it('fences itself off when another claims the database at the last moment', async () => {
		const database = await engines.openFaulty();
		const { put } = await withPairs(database);
		await put(1);
		// Who looked before its transaction began would not know.
		engines.fail({ claimedBefore: '^BEGIN' });
		await rejectsWith(put(2), 'fenced', /Generation 1 was followed by 2/u);
		assert.deepEqual(await wholePairs(database), [1]);
	});

	it('gives each of many claims at once a generation of its own', async () => {
		const databases = await Promise.all(Array.from({ length: 4 }, () => engines.open()));
		const generations = await Promise.all(databases.flatMap((database) => [database.claim(), database.claim()]));
		assert.deepEqual(
			generations.sort((one, other) => one - other),
			[1, 2, 3, 4, 5, 6, 7, 8],
		);
	});

	it('refuses what a Durable Object would refuse', async () => {
		const database = await engines.open();
		const { generation, put } = await withPairs(database);
		const write = (text: string, ...parameters: Parameters<typeof sql>[1][]) =>
			database.write([sql(text, ...parameters)], generation);
		await rejectsWith(write(`SELECT 1 -- ${'x'.repeat(100_000)}`), 'limit', /100000/u);
		await rejectsWith(
			write(`SELECT ${'?,'.repeat(100)}?`, ...Array.from({ length: 101 }, () => 1)),
			'limit',
			/101/u,
		);
		await rejectsWith(put(1, 'x'.repeat(2_000_001)), 'limit', /2000/u);
		await rejectsWith(put(1, 'é'.repeat(1_000_001)), 'limit', /2000/u);
		for (const text of ['BEGIN', ' savepoint a', 'PRAGMA user_version = 1', 'VACUUM', 'SELECT 1; SELECT 2']) {
			await rejectsWith(write(text), 'limit');
		}
		await rejectsWith(write('SELECT ?', '\ud800'), 'other', /surrogate/u);
		await rejectsWith(write('SELECT ?', 2 ** 60), 'other', /safe integer/u);
		await put(2, 'x'.repeat(1_990_000));
		assert.deepEqual(await wholePairs(database), [2]);
	});

	it('takes more kinds of statements than it keeps prepared', async () => {
		const database = await engines.open();
		const results = await Promise.all(Array.from({ length: 600 }, (_, n) => values(database, `SELECT ${n}`)));
		assert.deepEqual(
			results,
			Array.from({ length: 600 }, (_, n) => [n]),
		);
	});

	it('finishes what was asked for before it closes, and takes nothing after', async () => {
		const database = await engines.open();
		const { put } = await withPairs(database);
		const writing = Array.from({ length: 20 }, (_, n) => put(n));
		const closing = database.close();
		await rejectsWith(put(100), 'closed');
		await rejectsWith(database.read(sql('SELECT 1')), 'closed');
		await Promise.all(writing);
		await closing;
		await database.close();
		assert.equal((await wholePairs(await engines.open())).length, 20);
	});

	it('is for its user alone', async function () {
		if (process.platform === 'win32') return;
		const database = await engines.open();
		const { put } = await withPairs(database);
		await put(1);
		const modes = [
			'',
			'sessions.sqlite',
			'sessions.sqlite-wal',
			'sessions.sqlite-shm',
			'sessions.sqlite-reserve',
		].map((name) => statSync(join(engines.directory, name)).mode & 0o777);
		assert.deepEqual(modes, [0o700, 0o600, 0o600, 0o600, 0o600]);
	});

	it('keeps its log short, however much is written', async () => {
		const database = await engines.open({ logBytes: 200_000 });
		const { put } = await withPairs(database);
		const longest = { bytes: 0 };
		for (let n = 0; n < 200; n++) {
			await put(n, `${n}`.padEnd(10_000, 'x'));
			longest.bytes = Math.max(longest.bytes, statSync(`${engines.path}-wal`).size);
		}
		assert.ok(longest.bytes < 600_000, `${longest.bytes} bytes`);
		assert.equal((await wholePairs(database)).length, 200);
	});

	it('copies a long log into the file when nobody waits', async () => {
		const database = await engines.open();
		const { put } = await withPairs(database);
		for (let n = 0; n < 20; n++) await put(n, `${n}`.padEnd(100_000, 'x'));
		assert.equal((await wholePairs(database)).length, 20);
		// However long it takes: nothing more is asked for.
		while (statSync(engines.path).size <= 2_000_000) await delay(10);
	});

	it('keeps no process from ending, and loses nothing of one that ends without closing', async () => {
		const program = join(engines.folder, 'program.ts');
		const module = join(root, 'src', 'platform', 'node', 'store', 'nodeSqlite.ts');
		writeFileSync(
			program,
			`import { openNodeSqlite } from ${JSON.stringify(module)};
			const database = await openNodeSqlite({ directory: ${JSON.stringify(engines.directory)} });
			const generation = await database.claim();
			await database.write([{ sql: 'CREATE TABLE a (b)', parameters: [] }], generation);
			await database.write([{ sql: 'INSERT INTO a VALUES (1)', parameters: [] }], generation);
			void database.write([{ sql: 'INSERT INTO a VALUES (2)', parameters: [] }], generation).then(() => console.log('written'));`,
		);
		assert.deepEqual(await runNode([program], { limitMs: 60_000 }), { code: 0, output: 'written\n' });
		assert.deepEqual(await values(await engines.open(), 'SELECT b FROM a ORDER BY b'), [1, 2]);
	});

	it('opens the store as a single connection only where two of that version of SQLite could damage it', async () => {
		const old = await engines.openFaulty({ version: '3.51.2' });
		const { put } = await withPairs(old);
		await put(1);
		await assert.rejects(engines.open(), isUnusable(/sessions\.sqlite is held by another process\./u));
		await put(2);
		await old.close();
		const safe = await engines.openFaulty({ version: '3.51.3' });
		await withPairs(safe);
		const second = await engines.open();
		assert.deepEqual(await wholePairs(second), [1, 2]);
	});

	it('takes the first SQLite there is, and says what to do where there is none', async () => {
		const substitute = join(import.meta.dirname, 'faultySqlite.ts');
		engines.fail({ version: '3.99.0' });
		const options = { sqliteModules: ['node:nothing', join(engines.folder, 'nothing.js'), substitute] };
		process.env['CROSSTALK_TEST_FAULTS'] = join(engines.folder, 'faults.json');
		const database = await engines.open(options);
		assert.equal(database.sqliteVersion, '3.99.0');
		await withPairs(database);
		await assert.rejects(
			engines.open({ sqliteModules: ['node:nothing'] }),
			isUnusable(
				/^SQLite is needed \(node:sqlite\), which Node has from 22\.13 on; .*install the package @photostructure\/sqlite/u,
			),
		);
	});

	it('says of a folder that cannot hold a store what is wrong', async () => {
		const file = join(engines.folder, 'file');
		writeFileSync(file, '');
		await assert.rejects(engines.open({ directory: '' }), isUnusable(/must be named/u));
		await assert.rejects(engines.open({ directory: file }), isUnusable(/file is not a folder/u));
		await assert.rejects(engines.open({ directory: join(file, 'below') }), isUnusable(/is not a folder/u));
		mkdirSync(join(engines.folder, 'odd', 'sessions.sqlite'), { recursive: true });
		await assert.rejects(
			engines.open({ directory: join(engines.folder, 'odd') }),
			isUnusable(/sessions\.sqlite is not a file/u),
		);
	});

	it('keeps a file that is no database as it is', async () => {
		mkdirSync(engines.directory);
		writeFileSync(engines.path, 'precious '.repeat(1_000));
		await assert.rejects(
			engines.open(),
			isUnusable(/sessions\.sqlite is damaged: .*not a database\. It is kept as it is/u),
		);
		assert.equal(readFileSync(engines.path, 'utf8'), 'precious '.repeat(1_000));
	});

	it('uses no log that processes share where the folder is on another machine, and lets one in', async () => {
		const here = await engines.open();
		await (await withPairs(here)).put(1);
		await here.close();
		const remote = await engines.open({ isRemote: true });
		const { put } = await withPairs(remote);
		await put(2);
		assert.equal(existsSync(`${engines.path}-wal`), false);
		assert.equal(existsSync(`${engines.path}-shm`), false);
		await assert.rejects(engines.open({ isRemote: true }), isUnusable(/held by another process/u));
		assert.deepEqual(await wholePairs(remote), [1, 2]);
		await remote.close();
		assert.deepEqual(await wholePairs(await engines.open()), [1, 2]);
	});
});

describe('what the store is given of Node', () => {
	it('digests UTF-8, gives ids once, and measures time', async () => {
		const { clock, digest, randomId } = nodeStorePlatform();
		assert.equal(digest.sha256('é'), '4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c');
		for (const length of [0, 1, 16_000, 43_690, 43_691, 100_000, 1_000_000]) {
			const text = 'é日a🔑'.repeat(length / 5);
			assert.equal(digest.sha256Of('ü1:', text), digest.sha256(`ü1:${text}`), `${length}`);
		}
		const ids = new Set(Array.from({ length: 1_000 }, () => randomId()));
		assert.equal(ids.size, 1_000);
		for (const id of ids) assert.match(id, /^[0-9a-z]{32}$/u);
		const before = clock.elapsed();
		clock.after(10, () => assert.fail('It was disposed of.')).dispose();
		const keepsAlive = setTimeout(() => undefined, 5_000);
		await new Promise<void>((resolve) => clock.after(20, resolve));
		clearTimeout(keepsAlive);
		assert.ok(clock.elapsed() - before >= 19);
	});
});

function isUnusable(message: RegExp): (error: unknown) => true {
	return (error) => {
		assert.ok(error instanceof StoreError, String(error));
		assert.equal(error.code, 'unusable-directory');
		assert.match(error.message, message);
		return true;
	};
}
