// Node's SQLite with faults, for the thread of an engine under test: they are read from the file that `CROSSTALK_TEST_FAULTS` names, so that
// a test can change them while the engine runs.

import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync as NodeDatabase } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { raiseGeneration } from '../../../../src/core/store/fence.ts';

export interface SqliteFaults {
	/** What `sqlite_version()` gives. */
	readonly version?: string;
	/** Pages that the file may have: more is a full disk. */
	readonly pages?: number;
	/** Statements that fail before they run, and with which code of SQLite. */
	readonly failing?: readonly { readonly sql: string; readonly errcode: number; readonly isOnce?: boolean }[];
	/** A file that gets a line for each transaction that is committed. */
	readonly committedInto?: string;
	/** Once, just before such a statement runs, another connection claims the database. */
	readonly claimedBefore?: string;
	/** The file cannot be opened. */
	readonly isAway?: boolean;
}

export class DatabaseSync extends NodeDatabase {
	private readonly path: string;
	private pages = 0;

	constructor(path: string, options?: ConstructorParameters<typeof NodeDatabase>[1]) {
		if (faults().isAway === true && path !== ':memory:') throw failure('unable to open database file', 14);
		super(path, options ?? {});
		this.path = path;
	}

	override exec(sql: string): void {
		this.before(sql);
		super.exec(sql);
		const { committedInto } = faults();
		if (sql === 'COMMIT' && committedInto !== undefined) appendFileSync(committedInto, 'committed\n');
	}

	override prepare(sql: string): StatementSync {
		this.before(sql);
		const { version } = faults();
		if (version !== undefined && sql.includes('sqlite_version()')) {
			return super.prepare(`SELECT '${version}' AS version`);
		}
		const statement = super.prepare(sql);
		const run = statement.run.bind(statement);
		const all = statement.all.bind(statement);
		Object.assign(statement, {
			run: (...parameters: Parameters<typeof run>) => {
				this.before(sql);
				return run(...parameters);
			},
			all: (...parameters: Parameters<typeof all>) => {
				this.before(sql);
				return all(...parameters);
			},
		});
		return statement;
	}

	private before(sql: string): void {
		const { failing = [], pages, claimedBefore } = faults();
		if (claimedBefore !== undefined && new RegExp(claimedBefore, 'u').test(sql)) {
			write({ ...faults(), claimedBefore: '(?!)' });
			const other = new NodeDatabase(this.path);
			other.exec(raiseGeneration);
			other.close();
		}
		if (pages !== undefined && pages !== this.pages) {
			this.pages = pages;
			super.exec(`PRAGMA max_page_count = ${pages}`);
		}
		const fault = failing.find((one) => new RegExp(one.sql, 'u').test(sql));
		if (fault === undefined) return;
		if (fault.isOnce === true) {
			write({ ...faults(), failing: failing.filter((one) => one !== fault) });
		}
		throw failure('it was to fail', fault.errcode);
	}
}

function faults(): SqliteFaults {
	return JSON.parse(readFileSync(faultsPath(), 'utf8')) as SqliteFaults; // written by a test
}

function write(faults: SqliteFaults): void {
	writeFileSync(faultsPath(), JSON.stringify(faults));
}

function faultsPath(): string {
	const path = process.env['CROSSTALK_TEST_FAULTS'];
	if (path === undefined) throw new Error('CROSSTALK_TEST_FAULTS names no file.');
	return path;
}

function failure(message: string, errcode: number): Error {
	return Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode });
}
