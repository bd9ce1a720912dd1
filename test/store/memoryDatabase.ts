// A disk in memory that outlives whoever opens it, with the limits and the fence of a real engine, and with faults where a test wants them.
// Each connection is one process: it can be killed, stopped and woken, and another can open the same disk meanwhile.

import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import type { Disposable } from '../../src/core/base/lifecycle.ts';
import { createMeta, raiseGeneration, readGeneration } from '../../src/core/store/fence.ts';
import { SqlError } from '../../src/core/store/sqlDatabase.ts';
import type { SqlDatabase, SqlErrorCode, SqlRow, SqlStatement } from '../../src/core/store/sqlDatabase.ts';

export interface Operation {
	readonly kind: 'read' | 'write' | 'claim';
	readonly statements: readonly SqlStatement[];
}

/** At `acknowledgement` everything is written, but the caller cannot be told: as an engine must that does not know, the connection closes. */
export interface Fault {
	readonly at: 'start' | 'middle' | 'commit' | 'acknowledgement';
	readonly code: SqlErrorCode;
}

export interface ConnectionOptions {
	/** Asked once for each operation, when it begins. */
	readonly faultOf?: (operation: Operation) => Fault | undefined;
	/** Awaited before an operation begins, and before its caller is told how it ended. Operations may overtake each other there. */
	readonly pause?: (operation: Operation, moment: 'before' | 'after') => Promise<void>;
}

// developers.cloudflare.com/durable-objects/platform/limits. Node's types do not know of them yet.
const narrow = {
	open: true,
	limits: { length: 2_000_000, sqlLength: 100_000, variableNumber: 100, column: 100 },
};

/** What is on it stays until it is disposed. */
export class MemoryDisk implements Disposable {
	/** For a test that looks at the bytes, or damages them. */
	readonly sqlite = new DatabaseSync(':memory:', narrow);

	/** To prepare one takes longer than to run it. */
	private readonly prepared = new Map<string, StatementSync>();

	connect(options: ConnectionOptions = {}): MemoryDatabase {
		return new MemoryDatabase(this, options);
	}

	statement(sql: string): StatementSync {
		const statement = this.prepared.get(sql) ?? this.sqlite.prepare(sql);
		this.prepared.set(sql, statement);
		return statement;
	}

	dispose(): void {
		this.sqlite.close();
	}
}

export class MemoryDatabase implements SqlDatabase {
	private readonly disk: MemoryDisk;
	private readonly options: ConnectionOptions;
	private readonly running = new Set<Promise<unknown>>();
	private isClosed = false;
	private isKilled = false;

	constructor(disk: MemoryDisk, options: ConnectionOptions) {
		this.disk = disk;
		this.options = options;
	}

	/** Closed, or has closed itself. */
	get hasClosed(): boolean {
		return this.isClosed;
	}

	read(statement: SqlStatement): Promise<readonly SqlRow[]> {
		return this.run({ kind: 'read', statements: [statement] }, (fault) => {
			if (fault !== undefined) throw failed(fault);
			return this.rows(statement);
		});
	}

	write(statements: readonly SqlStatement[], generation: number): Promise<void> {
		return this.run({ kind: 'write', statements }, (fault) =>
			this.transaction(fault, statements.length, (step) => {
				const latest = this.generation();
				if (latest !== generation) {
					throw new SqlError('fenced', `Generation ${generation} was followed by ${latest}.`);
				}
				for (const statement of statements) {
					step();
					this.rows(statement);
				}
			}),
		);
	}

	claim(): Promise<number> {
		return this.run({ kind: 'claim', statements: [] }, (fault) =>
			this.transaction(fault, 1, (step) => {
				this.disk.sqlite.exec(createMeta);
				step();
				this.disk.sqlite.exec(raiseGeneration);
				return this.generation();
			}),
		);
	}

	async close(): Promise<void> {
		this.isClosed = true;
		await Promise.allSettled(this.running);
	}

	/** As `kill -9`: what has not been done is not done any more, and nobody is told of what has. */
	kill(): void {
		this.isKilled = true;
		this.isClosed = true;
		this.running.clear();
	}

	private run<T>(operation: Operation, work: (fault: Fault | undefined) => T): Promise<T> {
		if (this.isKilled) return new Promise<never>(() => {});
		if (this.isClosed) return Promise.reject(new SqlError('closed', 'The database is closed.'));
		const running = this.paused(operation, work);
		this.running.add(running);
		const ended = (): void => void this.running.delete(running);
		running.then(ended, ended);
		return running;
	}

	private async paused<T>(operation: Operation, work: (fault: Fault | undefined) => T): Promise<T> {
		const { pause, faultOf } = this.options;
		await pause?.(operation, 'before');
		await this.untilAlive();
		try {
			return work(faultOf?.(operation));
		} catch (error) {
			throw sqlError(error);
		} finally {
			await pause?.(operation, 'after');
			await this.untilAlive();
		}
	}

	/** A killed process goes no further. */
	private async untilAlive(): Promise<void> {
		if (this.isKilled) await new Promise<never>(() => {});
	}

	private transaction<T>(fault: Fault | undefined, steps: number, work: (step: () => void) => T): T {
		if (fault?.at === 'start') throw failed(fault);
		let step = 0;
		let result: T;
		this.disk.sqlite.exec('BEGIN IMMEDIATE');
		try {
			result = work(() => {
				if (fault?.at === 'middle' && step === Math.floor(steps / 2)) throw failed(fault);
				step++;
			});
			if (fault?.at === 'middle' || fault?.at === 'commit') throw failed(fault);
			this.disk.sqlite.exec('COMMIT');
		} catch (error) {
			this.disk.sqlite.exec('ROLLBACK');
			throw error;
		}
		if (fault?.at === 'acknowledgement') {
			this.isClosed = true;
			throw failed(fault);
		}
		return result;
	}

	private generation(): number {
		const row = this.disk.statement(readGeneration).get();
		return Number(row?.['value'] ?? 0);
	}

	private rows(statement: SqlStatement): readonly SqlRow[] {
		refuseUnportable(statement);
		// Values are read as they were written: the types of SQLite are those of SqlValue, except bigint, which only reading as bigint gives.
		return this.disk.statement(statement.sql).all(...statement.parameters) as SqlRow[];
	}
}

function refuseUnportable({ sql, parameters }: SqlStatement): void {
	if (/^\s*(?:BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA|ATTACH|DETACH|VACUUM)\b/iu.test(sql)) {
		throw new SqlError('limit', `A statement may not be "${sql}".`);
	}
	if (sql.replace(/;\s*$/u, '').includes(';')) throw new SqlError('limit', `More than one statement: "${sql}".`);
	if (parameters.length > 100) throw new SqlError('limit', `${parameters.length} parameters are more than 100.`);
	for (const value of parameters) {
		if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) {
			throw new SqlError('other', 'A lone surrogate would not be read back as it was written.');
		}
		if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
			throw new SqlError('other', `${value} is not a safe integer.`);
		}
	}
}

function failed(fault: Fault): SqlError {
	return new SqlError(fault.code, `It was to fail at the ${fault.at}.`);
}

/** The primary result codes of SQLite that say more than "it failed". */
const codes: ReadonlyMap<number, SqlErrorCode> = new Map([
	[8, 'read-only'],
	[10, 'io'],
	[11, 'damaged'],
	[13, 'full'],
	[18, 'limit'],
	[26, 'damaged'],
]);

function sqlError(error: unknown): SqlError {
	if (error instanceof SqlError) return error;
	const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : -1;
	return new SqlError(codes.get(code) ?? 'other', String(error), { cause: error });
}
