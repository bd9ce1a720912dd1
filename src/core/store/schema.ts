import { SqlError } from './sqlDatabase.ts';
import type { SqlDatabase, SqlStatement } from './sqlDatabase.ts';
import { StoreError } from './storeError.ts';

// A checkpoint is one row. Those of a session lie in a ring of places: with the checkpoint `seq + lapSize` the row is written anew, so that the
// file holds few states and its pages are written again and again, which is what makes a checkpoint cheap. Before a lap of the ring begins, what
// calls need of the one before, all but its states, is gathered in one row. Where the ring lies follows from the session's id alone, so no index
// that a damaged byte could make forget a session stands in between. What is small comes first in a row, so that it can be read without what is
// large.

/** Checkpoints that are kept of a session. The pieces of what is large lie at `seq % ringSize`; and so did all rows in version 1. */
export const ringSize = 256;

/** Those of them that are kept with their states. */
export const lapSize = 16;

/** Each is one transaction. What was published is never changed. */
const migrations: readonly (readonly string[])[] = [
	[
		'CREATE TABLE sessions (number INTEGER PRIMARY KEY, id TEXT NOT NULL)',
		`CREATE TABLE checkpoints (
			place INTEGER PRIMARY KEY, seq INTEGER, generation INTEGER, at INTEGER, key TEXT, tool TEXT, arguments_hash TEXT,
			state_bytes INTEGER, reply_bytes INTEGER, state_hash TEXT, reply_hash TEXT, call_hash TEXT, reply TEXT, state TEXT)`,
		`CREATE TABLE chunks (
			place INTEGER NOT NULL, part_of TEXT NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL,
			PRIMARY KEY (place, part_of, number)) WITHOUT ROWID`,
	],
	// The rows of a session are brought into their new places with its next checkpoint.
	['CREATE TABLE laps (place INTEGER PRIMARY KEY, let_go TEXT, calls TEXT, replies TEXT)'],
];

export interface Claim {
	/** 0: the database can only be read. */
	readonly generation: number;
	/** Why, a sentence. */
	readonly readOnly: string | undefined;
	/** What could be read and not be written to is of version 1, and has no laps. */
	readonly hasLaps: boolean;
}

/** Claims the database, and makes its schema or brings it up to date. What is newer than this version is let alone. */
export async function claimDatabase(database: SqlDatabase): Promise<Claim> {
	const version = await versionOf(database);
	if (version > migrations.length)
		return readOnly(
			`The store is of a newer version: its schema is ${version}, and this one knows ${migrations.length}.`,
			version,
		);
	let generation: number;
	try {
		generation = await database.claim();
	} catch (error) {
		if (!(error instanceof SqlError) || error.code !== 'read-only') throw error;
		if (version === 0) {
			const sentence = `There is no store that could be read, and none can be made: ${error.message}`;
			throw new StoreError('read-only', sentence, undefined, { cause: error });
		}
		return readOnly(`The store cannot be written to: ${error.message}`, version);
	}
	for (const [index, statements] of migrations.entries()) {
		if (index < version) continue;
		const steps = statements.map((sql) => ({ sql, parameters: [] }));
		await database.write([...steps, setVersion(index + 1)], generation);
	}
	return { generation, readOnly: undefined, hasLaps: true };
}

function readOnly(sentence: string, version: number): Claim {
	return { generation: 0, readOnly: sentence, hasLaps: version > 1 };
}

/** 0: it is new, or whoever made it came no further than its claim. */
async function versionOf(database: SqlDatabase): Promise<number> {
	const sql = "SELECT name FROM sqlite_master WHERE name IN ('meta', 'sessions', 'checkpoints', 'chunks', 'laps')";
	const tables = new Set((await database.read({ sql, parameters: [] })).map(({ name }) => name));
	const isClaimed = tables.delete('meta');
	const [row] = isClaimed
		? await database.read({ sql: "SELECT value FROM meta WHERE name = 'schema'", parameters: [] })
		: [];
	if (row === undefined) {
		if (tables.size === 0) return 0;
		throw new SqlError('damaged', 'there are tables in it, and nothing says of which version they are');
	}
	const version = Number(row['value']);
	if (!Number.isSafeInteger(version) || version < 1)
		throw new SqlError('damaged', `its schema is ${JSON.stringify(row['value'])}, which is no version`);
	return version;
}

function setVersion(version: number): SqlStatement {
	return { sql: "INSERT OR REPLACE INTO meta (name, value) VALUES ('schema', ?)", parameters: [version] };
}
