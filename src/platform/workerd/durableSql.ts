import { createMeta, raiseGeneration, readGeneration } from '../../core/store/fence.ts';
import { SqlError } from '../../core/store/sqlDatabase.ts';
import type { SqlDatabase, SqlErrorCode, SqlRow, SqlStatement, SqlValue } from '../../core/store/sqlDatabase.ts';
import { refuseUnportable } from '../../core/store/portableSql.ts';

/** The storage of one Durable Object as a database. */
export class DurableSql implements SqlDatabase {
	private readonly storage: DurableObjectStorage;
	private readonly onBroken: (error: unknown) => void;
	private isClosed = false;

	/** @param onBroken What was written may not be on disk. This database is closed, and its object had better begin anew. */
	constructor(storage: DurableObjectStorage, onBroken: (error: unknown) => void) {
		this.storage = storage;
		this.onBroken = onBroken;
	}

	// Asynchronous by its interface: whatever fails has to reject.
	async read(statement: SqlStatement): Promise<readonly SqlRow[]> {
		this.refuseWhenClosed();
		try {
			return this.rows(statement);
		} catch (error) {
			throw sqlErrorOf(error);
		}
	}

	async write(statements: readonly SqlStatement[], generation: number): Promise<void> {
		this.transaction(() => {
			const latest = this.generation();
			if (latest !== generation)
				throw new SqlError('fenced', `Generation ${generation} was followed by ${latest}.`);
			for (const statement of statements) this.rows(statement);
		});
		try {
			await this.storage.sync();
		} catch (error) {
			this.isClosed = true;
			this.onBroken(error);
			throw new SqlError('io', `The object's storage could not keep what was written: ${textOf(error)}`, {
				cause: error,
			});
		}
	}

	async claim(): Promise<number> {
		// It gets to the disk no later than what is written under it.
		return this.transaction(() => {
			this.storage.sql.exec(createMeta);
			this.storage.sql.exec(raiseGeneration);
			return this.generation();
		});
	}

	async close(): Promise<void> {
		this.isClosed = true;
	}

	private transaction<T>(work: () => T): T {
		this.refuseWhenClosed();
		try {
			// Whatever it throws, nothing of it remains.
			return this.storage.transactionSync(work);
		} catch (error) {
			throw sqlErrorOf(error);
		}
	}

	private generation(): number {
		return Number(this.storage.sql.exec(readGeneration).toArray()[0]?.['value'] ?? 0);
	}

	private rows(statement: SqlStatement): readonly SqlRow[] {
		refuseUnportable(statement);
		const { sql, parameters } = statement;
		return this.storage.sql
			.exec(sql, ...parameters)
			.toArray()
			.map((row) => Object.fromEntries(Object.entries(row).map(([column, value]) => [column, valueOf(value)])));
	}

	private refuseWhenClosed(): void {
		if (this.isClosed) throw new SqlError('closed', 'The database is closed.');
	}
}

function valueOf(value: SqlStorageValue): SqlValue {
	return value instanceof ArrayBuffer ? new Uint8Array(value) : value;
}

/** What SQLite calls it, as the runtime passes it on: in the message. */
const codes: readonly (readonly [name: RegExp, code: SqlErrorCode])[] = [
	[/\bSQLITE_FULL\b/u, 'full'],
	[/\bSQLITE_IOERR/u, 'io'],
	[/\bSQLITE_(?:CORRUPT|NOTADB)/u, 'damaged'],
	[/\bSQLITE_READONLY/u, 'read-only'],
	[/\bSQLITE_(?:TOOBIG|AUTH)\b|exceeds? .*limit/u, 'limit'],
];

function sqlErrorOf(error: unknown): SqlError {
	if (error instanceof SqlError) return error;
	const message = textOf(error);
	const code = codes.find(([name]) => name.test(message))?.[1] ?? 'other';
	return new SqlError(code, message, { cause: error });
}

function textOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
