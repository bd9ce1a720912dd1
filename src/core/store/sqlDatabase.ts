/**
 * One SQLite database, wherever it lives: a file of this machine, the storage of a Durable Object, or memory in a test.
 *
 * What passes on one must pass on all, so every engine holds the limits of the narrowest (developers.cloudflare.com/durable-objects/platform/limits):
 * a row of 2 MB, 100 bound parameters, a statement of 100 KB, no `BEGIN` or `SAVEPOINT` and no `PRAGMA` in a statement.
 */
export interface SqlDatabase {
	/** The rows of one query, as they are committed. Rejects with `SqlError`. */
	read(statement: SqlStatement): Promise<readonly SqlRow[]>;
	/**
	 * Runs the statements as one transaction. When it resolves, they are on disk and stay there; when it rejects (with `SqlError`), nothing of
	 * them is. Whether they are is never left open: an engine that cannot know closes itself.
	 * @param generation Of the caller's claim. Unless it is that of the latest claim, nothing is written and the error's code is `fenced`.
	 */
	write(statements: readonly SqlStatement[], generation: number): Promise<void>;
	/** Takes the database for the caller: the result is greater than that of every claim before, and fences all of those off. */
	claim(): Promise<number>;
	/** What was written before is finished first. */
	close(): Promise<void>;
}

export interface SqlStatement {
	readonly sql: string;
	readonly parameters: readonly SqlValue[];
}

/** Text is well-formed Unicode. Numbers are doubles or safe integers. */
export type SqlValue = string | number | Uint8Array | null;

export type SqlRow = Readonly<Record<string, SqlValue>>;

export type SqlErrorCode =
	/** Another has claimed the database since. */
	| 'fenced'
	/** The disk is full (SQLite's code 13). Reads go on. */
	| 'full'
	/** Reading, writing or syncing failed (10). The engine has opened the file anew or closed itself. */
	| 'io'
	/** The file's structure is damaged (11, 26). */
	| 'damaged'
	/** The directory cannot be written to, or the schema is newer than this version knows: reads go on. */
	| 'read-only'
	/** A limit of the narrowest engine. */
	| 'limit'
	| 'closed'
	| 'other';

export class SqlError extends Error {
	override readonly name = 'SqlError';
	readonly code: SqlErrorCode;

	constructor(code: SqlErrorCode, message: string, options?: ErrorOptions) {
		super(message, options);
		this.code = code;
	}
}
