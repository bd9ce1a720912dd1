import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqlError } from '../../../../src/core/store/sqlDatabase.ts';
import type {
	SqlDatabase,
	SqlErrorCode,
	SqlRow,
	SqlStatement,
	SqlValue,
} from '../../../../src/core/store/sqlDatabase.ts';
import { openNodeSqlite } from '../../../../src/platform/node/store/nodeSqlite.ts';
import type { NodeSqlite, NodeSqliteOptions } from '../../../../src/platform/node/store/nodeSqlite.ts';
import type { SqliteFaults } from './faultySqlite.ts';

/** A folder, and the engines that a test opens: all are closed after it. */
export class Engines {
	readonly folder: string;
	/** The store's. */
	readonly directory: string;
	private readonly opened: NodeSqlite[] = [];

	static async create(): Promise<Engines> {
		return new Engines(await mkdtemp(join(tmpdir(), 'crosstalk-engine-')));
	}

	private constructor(folder: string) {
		this.folder = folder;
		this.directory = join(folder, 'store');
	}

	get path(): string {
		return join(this.directory, 'sessions.sqlite');
	}

	async open(options: Partial<NodeSqliteOptions> = {}): Promise<NodeSqlite> {
		const engine = await openNodeSqlite({ directory: this.directory, ...options });
		this.opened.push(engine);
		return engine;
	}

	/** With faults that can be changed later, by `fail`. */
	async openFaulty(faults: SqliteFaults = {}, options: Partial<NodeSqliteOptions> = {}): Promise<NodeSqlite> {
		this.fail(faults);
		// The thread gets a copy of this environment.
		process.env['CROSSTALK_TEST_FAULTS'] = this.faultsPath;
		return this.open({ sqliteModules: [join(import.meta.dirname, 'faultySqlite.ts')], ...options });
	}

	fail(faults: SqliteFaults): void {
		writeFileSync(this.faultsPath, JSON.stringify(faults));
	}

	async dispose(): Promise<void> {
		await Promise.all(this.opened.map((engine) => engine.close()));
		await rm(this.folder, { recursive: true, force: true });
	}

	private get faultsPath(): string {
		return join(this.folder, 'faults.json');
	}
}

export function sql(text: string, ...parameters: readonly SqlValue[]): SqlStatement {
	return { sql: text, parameters };
}

export async function values(database: SqlDatabase, text: string): Promise<readonly SqlValue[]> {
	const rows: readonly SqlRow[] = await database.read(sql(text));
	return rows.map((row) => Object.values(row)[0] ?? null);
}

export async function rejectsWith(promise: Promise<unknown>, code: SqlErrorCode, message = /./u): Promise<void> {
	await assert.rejects(promise, (error) => {
		assert.ok(error instanceof SqlError, String(error));
		assert.equal(error.code, code, error.message);
		assert.match(error.message, message);
		return true;
	});
}

/** Claimed, with a table `pairs` whose rows come in twos: `put(n)` writes both, in one transaction. */
export async function withPairs(
	database: SqlDatabase,
): Promise<{ generation: number; put: (n: number, text?: string) => Promise<void> }> {
	const generation = await database.claim();
	await database.write([sql('CREATE TABLE IF NOT EXISTS pairs (n INTEGER, half INTEGER, text TEXT)')], generation);
	const insert = 'INSERT INTO pairs VALUES (?, ?, ?)';
	return {
		generation,
		put: (n, text = '') => database.write([sql(insert, n, 1, text), sql(insert, n, 2, text)], generation),
	};
}

/** The numbers of the pairs that are there, each of which must be there as a whole. */
export async function wholePairs(database: SqlDatabase): Promise<readonly number[]> {
	const rows = await database.read(
		sql('SELECT n, count(*) AS halves, count(DISTINCT text) AS texts FROM pairs GROUP BY n ORDER BY n'),
	);
	for (const { n, halves, texts } of rows) assert.deepEqual([n, halves, texts], [n, 2, 1]);
	return rows.map(({ n }) => Number(n));
}
