// The way to the recorded events of a data directory, whether its owner runs, was stopped or was killed. Nothing is written.

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { ExpectedError } from '../../../core/base/errors.ts';
import type { EventQuery } from '../../../core/host/recordedEvents.ts';
import type { SqlRow } from '../../../core/store/sqlDatabase.ts';
import type { ControlClient } from '../host/controlClient.ts';
import { chunkOf, chunksAtOnce, logOf, mostSessions, receivedRows, statementOf } from './eventQueries.ts';
import type { StoredChunk, StoredLog } from './eventQueries.ts';
import { eventSchemaVersion, readEventSchema } from './eventTable.ts';
import { loadSqlite, sqliteModulesHere } from './nodeSqliteModule.ts';
import { unpacked } from './packedBytes.ts';
import type { SqliteHandle } from './nodeSqliteModule.ts';

/** Recorded events, for as long as somebody reads. Everything rejects with an `ExpectedError`. */
export interface EventSource {
	logs(): Promise<readonly StoredLog[]>;
	/** The number of the newest chunk; 0: there is none. */
	latest(): Promise<number>;
	/** By number. `of`: only chunks with lines of one of these sessions. */
	chunks(after: number, of?: readonly string[]): Promise<readonly StoredChunk[]>;
	chunksOfLog(log: number): Promise<readonly StoredChunk[]>;
	/** Whether it was not removed since. */
	has(number: number): Promise<boolean>;
	/** `undefined`: it was removed since, or is damaged. */
	bytes(chunk: Pick<StoredChunk, 'number' | 'checksum' | 'bytes'>): Promise<Uint8Array | undefined>;
	close(): void;
}

/** A writer may hold the file for a moment. */
const busyMs = 200;

/**
 * @param path Of the database. `undefined`: nothing was recorded there.
 * @throws ExpectedError when it cannot be read, with a sentence.
 */
export async function openEventSource(path: string): Promise<EventSource | undefined> {
	if (!existsSync(path)) return undefined;
	try {
		return openDirectly(path);
	} catch (error) {
		if (!isLocked(error)) throw expected(error, path);
	}
	// Below SQLite 3.51.3 the owner lets nobody else at the file: it is asked instead.
	const { attachToAny } = await import('../host/attach.ts');
	const client = await attachToAny({ directory: dirname(path), client: 'a reader of recorded events' });
	if (client === undefined) throw new ExpectedError(`Another process holds ${path}, and cannot be asked.`);
	return new OwnersEvents(client);
}

function openDirectly(path: string): EventSource | undefined {
	const { DatabaseSync } = loadSqlite(sqliteModulesHere());
	const handle = new DatabaseSync(path, { readOnly: true });
	try {
		handle.exec(`PRAGMA busy_timeout = ${busyMs}`);
		const hasMeta = handle.prepare("SELECT 1 FROM sqlite_master WHERE name = 'meta'").get() !== undefined;
		const version = hasMeta ? Number(handle.prepare(readEventSchema).get()?.['value'] ?? 0) : 0;
		refuseNewer(version, path);
		if (version > 0) return new DirectEvents(path, handle);
		handle.close();
		return undefined;
	} catch (error) {
		handle.close();
		throw error;
	}
}

function refuseNewer(version: number, path: string): void {
	if (version <= eventSchemaVersion) return;
	throw new ExpectedError(
		`The events in ${path} were recorded by a newer version: their schema is ${version}, and this one knows ${eventSchemaVersion}.`,
	);
}

/** What both ways have in common. */
abstract class QueriedEvents implements EventSource {
	abstract close(): void;
	protected abstract rows(query: EventQuery): Promise<readonly SqlRow[]>;

	async logs(): Promise<readonly StoredLog[]> {
		return (await this.rows({ kind: 'logs' })).map(logOf);
	}

	async chunks(after: number, of?: readonly string[]): Promise<readonly StoredChunk[]> {
		if (of === undefined) return this.paged(after, (from) => ({ kind: 'chunks', after: from, of: undefined }));
		const found = new Map<number, StoredChunk>();
		for (let start = 0; start < of.length; start += mostSessions) {
			const some = of.slice(start, start + mostSessions);
			for (const chunk of await this.paged(after, (from) => ({ kind: 'chunks', after: from, of: some })))
				found.set(chunk.number, chunk);
		}
		return [...found.values()].sort((one, other) => one.number - other.number);
	}

	async chunksOfLog(log: number): Promise<readonly StoredChunk[]> {
		return this.paged(0, (from) => ({ kind: 'log-chunks', after: from, log }));
	}

	async latest(): Promise<number> {
		const [row] = await this.rows({ kind: 'latest' });
		return Number(row?.['number'] ?? 0);
	}

	async has(number: number): Promise<boolean> {
		return (await this.rows({ kind: 'chunk', number })).length > 0;
	}

	async bytes(chunk: Pick<StoredChunk, 'number' | 'checksum' | 'bytes'>): Promise<Uint8Array | undefined> {
		const [row] = await this.rows({ kind: 'bytes', number: chunk.number });
		const stored = row?.['bytes'];
		const bytes = stored instanceof Uint8Array ? unpacked(stored, chunk.bytes) : undefined;
		return bytes !== undefined && crc32(bytes) === chunk.checksum ? bytes : undefined;
	}

	private async paged(after: number, queryOf: (after: number) => EventQuery): Promise<readonly StoredChunk[]> {
		const chunks: StoredChunk[] = [];
		for (let from = after; ;) {
			const rows = (await this.rows(queryOf(from))).map(chunkOf);
			chunks.push(...rows);
			if (rows.length < chunksAtOnce) return chunks;
			from = rows.at(-1)?.number ?? Infinity;
		}
	}
}

class DirectEvents extends QueriedEvents {
	private readonly path: string;
	private readonly handle: SqliteHandle;

	constructor(path: string, handle: SqliteHandle) {
		super();
		this.path = path;
		this.handle = handle;
	}

	protected async rows(query: EventQuery): Promise<readonly SqlRow[]> {
		const { sql, parameters } = statementOf(query);
		try {
			// Values are read as they were written: the types of SQLite are those of SqlValue.
			return this.handle.prepare(sql).all(...parameters) as readonly SqlRow[];
		} catch (error) {
			throw expected(error, this.path);
		}
	}

	close(): void {
		this.handle.close();
	}
}

class OwnersEvents extends QueriedEvents {
	private readonly client: ControlClient;

	constructor(client: ControlClient) {
		super();
		this.client = client;
	}

	protected async rows(query: EventQuery): Promise<readonly SqlRow[]> {
		try {
			return receivedRows((await this.client.request('events/read', { query })).rows);
		} catch (error) {
			if (error instanceof ExpectedError) throw error;
			const sentence =
				'The process that holds the recorded events is of another version, and cannot be asked for them.';
			throw new ExpectedError(sentence, { cause: error });
		}
	}

	close(): void {
		this.client.dispose();
	}
}

function isLocked(error: unknown): boolean {
	// SQLite's basic codes for busy and locked.
	const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
	return code === 5 || code === 6;
}

function expected(error: unknown, path: string): unknown {
	if (error instanceof ExpectedError || !(error instanceof Error)) return error;
	return new ExpectedError(`The events in ${path} cannot be read: ${error.message.replace(/\.$/, '')}.`, {
		cause: error,
	});
}
