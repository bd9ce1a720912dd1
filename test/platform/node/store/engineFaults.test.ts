import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { SqlError } from '../../../../src/core/store/sqlDatabase.ts';
import { hasStrace } from './powerCut.ts';
import { randomFrom } from './random.ts';
import { Engines, rejectsWith, sql, wholePairs, withPairs } from './engines.ts';

const writer = join(import.meta.dirname, 'storeWriter.ts');

const unshare = ['--user', '--map-root-user', '--mount'];

describe('the embedded engine, when something fails', () => {
	let engines: Engines;

	beforeEach(async () => {
		engines = await Engines.create();
	});

	afterEach(() => engines.dispose());

	describe('the disk is full', () => {
		it('refuses writes, goes on reading, and goes on writing when there is room', async () => {
			const database = await engines.openFaulty();
			const { generation, put } = await withPairs(database);
			await put(1, 'x'.repeat(10_000));
			engines.fail({ pages: 20 });
			let n = 2;
			await rejectsWith(
				(async () => {
					for (; n < 100; n++) await put(n, 'x'.repeat(10_000));
				})(),
				'full',
				/The disk of .*sessions\.sqlite is full/u,
			);
			const kept = await wholePairs(database);
			assert.deepEqual(
				kept,
				Array.from({ length: n - 1 }, (_, index) => index + 1),
			);
			const together = await Promise.allSettled([put(200, 'x'.repeat(20_000)), put(201, 'x'.repeat(20_000))]);
			assert.deepEqual(
				together.map(({ status }) => status),
				['rejected', 'rejected'],
			);
			assert.deepEqual(await wholePairs(database), kept);
			// What is deleted makes room.
			await database.write([sql('DELETE FROM pairs WHERE n = 1')], generation);
			await put(300, 'x'.repeat(10_000));
			engines.fail({ pages: 10_000 });
			await put(301, 'x'.repeat(50_000));
			assert.deepEqual(await wholePairs(database), [...kept.slice(1), 300, 301]);
		});

		if (canMount()) {
			it('gives its reserve, so that a store on a file system without room can be tidied, closed and opened', () => {
				// The disk is this process's alone, and goes with it.
				const script = `
					mount -t tmpfs -o size=4m tmpfs "$1" && mkdir -m 700 "$1/store" &&
					"$2" "$3" "$1" `;
				const program = join(import.meta.dirname, 'fullDisk.ts');
				mkdirSync(engines.directory);
				const { status, stdout, stderr } = spawnSync(
					'unshare',
					[...unshare, 'sh', '-c', script, 'sh', engines.directory, process.execPath, program],
					{ encoding: 'utf8', timeout: 60_000 },
				);
				assert.equal(status, 0, stderr);
				assert.equal(stdout, 'full\nread\ndeleted\nclosed\nopened\nrecovered\n', stderr);
			});
		}
	});

	describe('the disk fails', () => {
		it('acknowledges nothing of a group whose commit fails, and goes on with the file opened anew', async () => {
			const database = await engines.openFaulty();
			const { put } = await withPairs(database);
			await put(1);
			engines.fail({ failing: [{ sql: '^COMMIT$', errcode: 10 | (4 << 8) }] });
			const outcomes = await Promise.allSettled([put(2), put(3), put(4)]);
			for (const outcome of outcomes) {
				assert.ok(outcome.status === 'rejected' && outcome.reason instanceof SqlError);
				assert.equal(outcome.reason.code, 'io');
			}
			engines.fail({});
			assert.deepEqual(await wholePairs(database), [1]);
			await put(5);
			assert.deepEqual(await wholePairs(database), [1, 5]);
		});

		it('opens the file anew when reading fails', async () => {
			const database = await engines.openFaulty();
			const { put } = await withPairs(database);
			await put(1);
			engines.fail({ failing: [{ sql: '^SELECT n', errcode: 10 | (1 << 8) }] });
			await rejectsWith(wholePairs(database), 'io', /The disk of .*sessions\.sqlite failed/u);
			engines.fail({});
			assert.deepEqual(await wholePairs(database), [1]);
			await put(2);
		});

		it('closes when the file cannot be opened again', async () => {
			const database = await engines.openFaulty();
			const { put } = await withPairs(database);
			await put(1);
			engines.fail({ failing: [{ sql: '^COMMIT$', errcode: 10 }], isAway: true });
			await rejectsWith(put(2), 'io');
			engines.fail({});
			await rejectsWith(put(3), 'closed', /failed, and the store cannot be opened again/u);
			await rejectsWith(wholePairs(database), 'closed');
			await database.close();
			assert.deepEqual(await wholePairs(await engines.open()), [1]);
		});

		it('rejects a group whose commit fails for another reason, and each of its writes can be made again', async () => {
			const database = await engines.openFaulty();
			const { put } = await withPairs(database);
			engines.fail({ failing: [{ sql: '^COMMIT$', errcode: 1 }] });
			const outcomes = await Promise.allSettled([put(1), put(2)]);
			assert.deepEqual(
				outcomes.map(({ status }) => status),
				['rejected', 'rejected'],
			);
			engines.fail({});
			assert.deepEqual(await wholePairs(database), []);
			await Promise.all([put(1), put(2)]);
			assert.deepEqual(await wholePairs(database), [1, 2]);
		});

		if (process.platform !== 'win32') {
			it('acknowledges nothing that a disk has not taken, whose writes fail from some byte on', async () => {
				const outcomes = new Set<string>();
				for (const blocks of [300, 433, 612]) {
					const directory = join(engines.folder, `limited-${blocks}`);
					// Beyond this length the system refuses every write to a file, which SQLite takes for a disk that fails.
					const { stdout, stderr } = spawnSync(
						'sh',
						[
							'-c',
							`ulimit -f ${blocks}; exec "$@"`,
							'sh',
							process.execPath,
							writer,
							directory,
							'0',
							'60',
							'5000',
							'3',
							'8000000',
						],
						{ encoding: 'utf8', timeout: 60_000 },
					);
					const told = toldBy(stdout);
					assert.ok(told.acknowledged.length > 0 && told.rejected.length > 0, stdout + stderr);
					for (const { code } of told.rejected) outcomes.add(code);
					const database = await engines.open({ directory });
					assert.deepEqual(await wholePairs(database), told.acknowledged);
				}
				assert.ok(outcomes.has('io'), [...outcomes].join());
			});
		}

		if (hasStrace()) {
			it('acknowledges nothing that was not synced', async () => {
				let rejected = 0;
				for (const failing of ['12', '15..16', '13+7', '12+', '20+']) {
					const directory = join(engines.folder, `unsynced-${failing}`);
					const { stdout, stderr } = spawnSync(
						'strace',
						[
							'-f',
							'-o',
							join(engines.folder, 'trace'),
							'-e',
							'trace=fsync,fdatasync',
							'-e',
							`inject=fsync,fdatasync:error=EIO:when=${failing}`,
							process.execPath,
							writer,
							directory,
							'0',
							'20',
							'3000',
							'2',
							'60000',
						],
						{ encoding: 'utf8', timeout: 60_000 },
					);
					const told = toldBy(stdout);
					assert.ok(told.acknowledged.length > 0, `${failing}: ${stdout}${stderr}`);
					rejected += told.rejected.length;
					const kept = await wholePairs(await engines.open({ directory }));
					const missing = told.acknowledged.filter((n) => !kept.includes(n));
					assert.deepEqual(missing, [], `${failing}: acknowledged, and lost`);
					// Only when the store had to close was it left open what became of the last group.
					const isClosed = told.rejected.some(({ code }) => code === 'closed');
					const wrong = told.rejected.filter(({ n }) => kept.includes(n));
					if (!isClosed) assert.deepEqual(wrong, [], `${failing}: rejected, and kept`);
				}
				assert.ok(rejected > 0);
			}).timeout(300_000);
		}
	});

	describe('the log is damaged', () => {
		it('keeps a part of the commits from the first on, each whole, and writes on', async () => {
			const database = await engines.open();
			const { put } = await withPairs(database);
			for (let n = 0; n < 30; n++) await put(n, `${n}`.repeat(1_000));
			const log = readFileSync(`${engines.path}-wal`);
			const random = randomFrom(1);
			const lengths = new Set<number>();
			for (let round = 0; round < 24; round++) {
				const directory = join(engines.folder, `damaged-${round}`);
				mkdirSync(directory);
				copyFileSync(engines.path, join(directory, 'sessions.sqlite'));
				writeFileSync(join(directory, 'sessions.sqlite-wal'), damaged(log, round, random));
				const engine = await engines.open({ directory, logBytes: 1_000_000 });
				const tables = await engine.read(sql("SELECT name FROM sqlite_schema WHERE name = 'pairs'"));
				const kept = tables.length === 0 ? [] : await wholePairs(engine);
				assert.deepEqual(
					kept,
					Array.from({ length: kept.length }, (_, n) => n),
				);
				lengths.add(kept.length);
				await (await withPairs(engine)).put(1_000);
				assert.deepEqual(await wholePairs(engine), [...kept, 1_000]);
				await engine.close();
			}
			assert.ok(lengths.size > 6, [...lengths].join());
		}).timeout(300_000);
	});

	describe('the file is damaged', () => {
		it('says which file, keeps it, and goes on with what can be read', async () => {
			const database = await engines.open();
			const { generation, put } = await withPairs(database);
			await database.write([sql('CREATE TABLE sound (a)'), sql('INSERT INTO sound VALUES (1)')], generation);
			for (let n = 0; n < 100; n++) await put(n, `${n}`.repeat(1_000));
			await database.close();
			const bytes = readFileSync(engines.path);
			// Pages of the table, past the first ones, where the schema and the sound table are.
			for (let page = 40; page < 60; page++) bytes.fill(0xff, page * 4096, page * 4096 + 512);
			writeFileSync(engines.path, bytes);
			const damaged = await engines.open();
			await rejectsWith(
				damaged.read(sql('SELECT count(DISTINCT text) FROM pairs')),
				'damaged',
				/sessions\.sqlite is damaged/u,
			);
			assert.equal((await damaged.read(sql('SELECT a FROM sound'))).length, 1);
			const again = await damaged.claim();
			await damaged.write([sql('INSERT INTO sound VALUES (2)')], again);
			await rejectsWith(
				damaged.write([sql("UPDATE pairs SET text = text || 'x'")], again),
				'damaged',
				/It is kept as it is/u,
			);
			await damaged.close();
			assert.equal(statSync(engines.path).size, bytes.length);
		});

		it('notices no flipped bit in a row: that is what the checksums above are for', async () => {
			const database = await engines.open();
			await (await withPairs(database)).put(1, 'needle'.repeat(100));
			await database.close();
			const bytes = readFileSync(engines.path);
			const at = bytes.indexOf('needleneedle');
			bytes[at] = bytes[at]! ^ 1;
			writeFileSync(engines.path, bytes);
			const rows = await (await engines.open()).read(sql('SELECT DISTINCT text FROM pairs'));
			assert.equal(rows.length, 2);
		});
	});

	describe('the folder cannot be written to', () => {
		it('is read, with what is only in its log, and refuses writes', async () => {
			const database = await engines.open();
			const { put } = await withPairs(database);
			await put(1);
			const copy = join(engines.folder, 'copy');
			mkdirSync(copy);
			for (const suffix of ['', '-wal'])
				copyFileSync(engines.path + suffix, join(copy, `sessions.sqlite${suffix}`));
			await put(2);
			assert.equal(
				readOnly(copy),
				'read only: true\nread: 1\nread-only: %s can only be read.\nread-only: %s can only be read.\n'.replaceAll(
					'%s',
					join(copy, 'sessions.sqlite'),
				),
			);
			assert.deepEqual(readdirSync(copy).sort(), ['sessions.sqlite', 'sessions.sqlite-wal']);
			assert.deepEqual(await wholePairs(await engines.open({ directory: copy })), [1]);
		});

		it('is refused where there is no store to read', () => {
			mkdirSync(engines.directory);
			assert.match(
				readOnly(engines.directory),
				/^unusable-directory: .* cannot be written to, and holds no session store\.\n$/u,
			);
		});
	});
});

/** What a process says that may only read. Root may write everywhere, so it starts it as nobody. */
function readOnly(directory: string): string {
	chmodSync(dirname(directory), 0o755);
	for (const name of readdirSync(directory)) chmodSync(join(directory, name), 0o444);
	chmodSync(directory, 0o555);
	try {
		const program = join(import.meta.dirname, 'readOnlyStore.ts');
		const { stdout, stderr } = spawnSync(process.execPath, [program, directory], {
			encoding: 'utf8',
			timeout: 60_000,
			...(process.getuid?.() === 0 ? { uid: 65_534 } : {}),
		});
		assert.equal(stderr, '');
		return stdout;
	} finally {
		chmodSync(directory, 0o755);
		for (const name of readdirSync(directory)) chmodSync(join(directory, name), 0o644);
	}
}

function canMount(): boolean {
	const { status } = spawnSync('unshare', [...unshare, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
	return status === 0;
}

interface Told {
	readonly acknowledged: readonly number[];
	readonly rejected: readonly { readonly n: number; readonly code: string }[];
}

function toldBy(output: string): Told {
	const lines = output.split('\n').map((line) => line.split(' '));
	return {
		acknowledged: lines.filter(([word]) => word === 'acknowledged').map(([, n]) => Number(n)),
		rejected: lines.filter(([word]) => word === 'rejected').map(([, n, code = '']) => ({ n: Number(n), code })),
	};
}

function damaged(log: Buffer, round: number, random: () => number): Buffer {
	const at = Math.floor(random() * log.length);
	const copy = Buffer.from(log);
	switch (round % 3) {
		case 0:
			return copy.subarray(0, at);
		case 1:
			for (let index = at; index < copy.length; index++) copy[index] = Math.floor(random() * 256);
			return copy;
		default:
			copy[at] = copy[at]! ^ (1 << Math.floor(random() * 8));
			return copy;
	}
}
