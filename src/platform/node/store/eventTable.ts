// The recorded events in the store's database: chunks of JSON lines, appended and never changed. They are Node's alone, so they have
// migrations of their own beside those of the sessions.

import { crc32 } from 'node:zlib';
import { SqlError } from '../../../core/store/sqlDatabase.ts';
import type { SqlDatabase, SqlStatement } from '../../../core/store/sqlDatabase.ts';
import type { EventChunk } from './eventChunks.ts';
import { packed } from './packedBytes.ts';

/** Each is one transaction. What was published is never changed. */
const migrations: readonly (readonly string[])[] = [
	[
		'CREATE TABLE event_logs (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, started_at INTEGER NOT NULL)',
		// Apart from the bytes, so that what is looked through is small.
		`CREATE TABLE event_chunks (
			number INTEGER PRIMARY KEY, log INTEGER NOT NULL, start INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL,
			events INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, sessions TEXT NOT NULL)`,
		'CREATE TABLE event_bytes (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL)',
	],
	// From here on the bytes may be packed (`packedBytes.ts`): whoever does not know of that must not take them for damaged.
	[],
];

const schemaName = 'events-schema';
export const readEventSchema = `SELECT value FROM meta WHERE name = '${schemaName}'`;
export const eventSchemaVersion = migrations.length;

/** Bytes of one row: below the limit of every engine, with room for what stands beside them. */
export const pieceBytes = 1_000_000;

/** One log being written: that of this host, or a file that is taken over. */
export interface OpenLog {
	readonly number: number;
	/** Bytes that are stored: where the next chunk starts. */
	end: number;
}

/** Where chunks of events are kept. Everything rejects with `SqlError`. */
export interface EventStore {
	/** Goes on with the log of this name, or begins it. */
	openLog(name: string, startedAt: number): Promise<OpenLog>;
	/** Writes the chunks as one transaction: when it resolves, they are on disk. */
	append(log: OpenLog, chunks: readonly EventChunk[]): Promise<void>;
	/** Removes what was written before (epoch milliseconds) and, oldest first, what is more than so many bytes. */
	sweep(limits: { readonly totalBytes: number; readonly before: number }): Promise<void>;
}

/** The events of a database that this process has claimed. */
export class EventTable implements EventStore {
	private readonly database: SqlDatabase;
	private readonly generation: number;
	private nextNumber: number;
	private storedBytes: number;

	private constructor(database: SqlDatabase, generation: number, nextNumber: number, storedBytes: number) {
		this.database = database;
		this.generation = generation;
		this.nextNumber = nextNumber;
		this.storedBytes = storedBytes;
	}

	/** Makes the tables, or brings them up to date. */
	static async open(database: SqlDatabase, generation: number): Promise<EventTable> {
		const [row] = await database.read({ sql: readEventSchema, parameters: [] });
		const version = Number(row?.['value'] ?? 0);
		if (version > migrations.length) {
			throw new SqlError(
				'read-only',
				`its events are of a newer version: their schema is ${version}, and this one knows ${migrations.length}`,
			);
		}
		for (const [index, statements] of migrations.entries()) {
			if (index < version) continue;
			const steps = statements.map((sql) => ({ sql, parameters: [] }));
			await database.write([...steps, setVersion(index + 1)], generation);
		}
		const [known] = await database.read({
			sql: 'SELECT coalesce(max(number), 0) AS number, coalesce(sum(bytes), 0) AS bytes FROM event_chunks',
			parameters: [],
		});
		return new EventTable(database, generation, Number(known?.['number']) + 1, Number(known?.['bytes']));
	}

	async openLog(name: string, startedAt: number): Promise<OpenLog> {
		await this.database.write(
			[
				{
					sql: 'INSERT INTO event_logs (name, started_at) VALUES (?, ?) ON CONFLICT (name) DO NOTHING',
					parameters: [name, startedAt],
				},
			],
			this.generation,
		);
		const [log] = await this.database.read({
			sql: `SELECT number, (SELECT coalesce(max(start + bytes), 0) FROM event_chunks WHERE log = event_logs.number) AS end
				FROM event_logs WHERE name = ?`,
			parameters: [name],
		});
		return { number: Number(log?.['number']), end: Number(log?.['end']) };
	}

	async append(log: OpenLog, chunks: readonly EventChunk[]): Promise<void> {
		const statements: SqlStatement[] = [];
		const stored = await Promise.all(chunks.map(({ bytes }) => packed(bytes)));
		let { end } = log;
		let number = this.nextNumber;
		for (const [index, { bytes, events, firstAt, lastAt, sessions }] of chunks.entries()) {
			statements.push(
				{
					sql: insertChunk,
					parameters: [
						number,
						log.number,
						end,
						bytes.length,
						crc32(bytes),
						events,
						firstAt,
						lastAt,
						sessions,
					],
				},
				{
					sql: 'INSERT INTO event_bytes (number, bytes) VALUES (?, ?)',
					parameters: [number, stored[index] ?? bytes],
				},
			);
			end += bytes.length;
			number++;
		}
		// Another log may be written at the same time.
		this.nextNumber = number;
		await this.database.write(statements, this.generation);
		this.storedBytes += end - log.end;
		log.end = end;
	}

	/** A little at a time: sessions are written in between. The latest chunk stays, for its number is counted on from. */
	async sweep(limits: { readonly totalBytes: number; readonly before: number }): Promise<void> {
		for (;;) {
			const isTooMuch = this.storedBytes > limits.totalBytes;
			const rows = await this.database.read({
				sql: `SELECT number, bytes, last_at FROM event_chunks
					WHERE number < (SELECT max(number) FROM event_chunks)${isTooMuch ? '' : ' AND last_at < ?'}
					ORDER BY last_at, number LIMIT ${sweptAtOnce}`,
				parameters: isTooMuch ? [] : [limits.before],
			});
			const removed: number[] = [];
			let bytes = 0;
			for (const row of rows) {
				const isOld = Number(row['last_at']) < limits.before;
				if (!isOld && this.storedBytes - bytes <= limits.totalBytes) break;
				removed.push(Number(row['number']));
				bytes += Number(row['bytes']);
			}
			if (removed.length === 0) break;
			const places = removed.map(() => '?').join(', ');
			await this.database.write(
				[
					{ sql: `DELETE FROM event_bytes WHERE number IN (${places})`, parameters: removed },
					{ sql: `DELETE FROM event_chunks WHERE number IN (${places})`, parameters: removed },
				],
				this.generation,
			);
			this.storedBytes -= bytes;
		}
		await this.database.write(
			[
				{
					sql: `DELETE FROM event_logs WHERE number < (SELECT max(number) FROM event_logs)
						AND started_at < ? AND NOT EXISTS (SELECT 1 FROM event_chunks WHERE log = event_logs.number)`,
					parameters: [limits.before],
				},
			],
			this.generation,
		);
	}
}

/** As many as a statement may have parameters, and at most some tens of megabytes. */
const sweptAtOnce = 50;

const insertChunk = `INSERT INTO event_chunks (number, log, start, bytes, checksum, events, first_at, last_at, sessions)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

function setVersion(version: number): SqlStatement {
	return {
		sql: `INSERT OR REPLACE INTO meta (name, value) VALUES ('${schemaName}', ?)`,
		parameters: [version],
	};
}
