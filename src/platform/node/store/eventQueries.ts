// What readers of recorded events ask the database, be it through a connection of their own or through its owner.

import type { EventQuery, EventRow } from '../../../core/host/recordedEvents.ts';
import type { SqlRow, SqlStatement } from '../../../core/store/sqlDatabase.ts';

/** So many chunks are given at once. */
export const chunksAtOnce = 2_000;
/** A statement may have a hundred parameters. */
export const mostSessions = 90;

const columns = 'number, log, start, bytes, checksum, events, first_at, last_at, sessions';

/** @throws RangeError for what no reader of ours asks. */
export function statementOf(query: EventQuery): SqlStatement {
	switch (query.kind) {
		case 'logs':
			return {
				sql: 'SELECT number, name, started_at FROM event_logs ORDER BY started_at, number',
				parameters: [],
			};
		case 'chunks': {
			const of = query.of ?? [];
			if (of.length > mostSessions) throw new RangeError(`${of.length} sessions are too many.`);
			const filter = of.map(() => 'instr(sessions, ?) > 0').join(' OR ');
			return {
				sql: `SELECT ${columns} FROM event_chunks WHERE number > ?${filter === '' ? '' : ` AND (${filter})`}
					ORDER BY number LIMIT ${chunksAtOnce}`,
				parameters: [query.after, ...of.map((id) => `[${JSON.stringify(id)},`)],
			};
		}
		case 'log-chunks':
			return {
				sql: `SELECT ${columns} FROM event_chunks WHERE log = ? AND number > ? ORDER BY number LIMIT ${chunksAtOnce}`,
				parameters: [query.log, query.after],
			};
		case 'latest':
			return { sql: 'SELECT max(number) AS number FROM event_chunks', parameters: [] };
		case 'chunk':
			return { sql: 'SELECT number FROM event_chunks WHERE number = ?', parameters: [query.number] };
		case 'bytes':
			return { sql: 'SELECT bytes FROM event_bytes WHERE number = ?', parameters: [query.number] };
	}
}

export interface StoredLog {
	readonly number: number;
	readonly name: string;
	/** Epoch milliseconds. */
	readonly startedAt: number;
}

export interface StoredChunk {
	readonly number: number;
	readonly log: number;
	/** Bytes of its log before it. */
	readonly start: number;
	readonly bytes: number;
	readonly checksum: number;
	readonly events: number;
	readonly firstAt: number;
	readonly lastAt: number;
	readonly sessions: string;
}

export function logOf(row: SqlRow): StoredLog {
	return { number: Number(row['number']), name: String(row['name']), startedAt: Number(row['started_at']) };
}

export function chunkOf(row: SqlRow): StoredChunk {
	return {
		number: Number(row['number']),
		log: Number(row['log']),
		start: Number(row['start']),
		bytes: Number(row['bytes']),
		checksum: Number(row['checksum']),
		events: Number(row['events']),
		firstAt: Number(row['first_at']),
		lastAt: Number(row['last_at']),
		sessions: String(row['sessions']),
	};
}

/** A query that came from a process of perhaps another version; `undefined`: it is none. */
export function queryIn(value: unknown): EventQuery | undefined {
	if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined;
	const { kind, after, of, log, number }: Partial<Record<string, unknown>> = { ...value };
	switch (kind) {
		case 'logs':
		case 'latest':
			return { kind };
		case 'chunks': {
			const ids = Array.isArray(of) ? of.filter((id) => typeof id === 'string') : undefined;
			if (!isNumber(after) || (ids?.length ?? 0) > mostSessions) return undefined;
			return { kind, after, of: ids };
		}
		case 'log-chunks':
			return isNumber(after) && isNumber(log) ? { kind, after, log } : undefined;
		case 'chunk':
		case 'bytes':
			return isNumber(number) ? { kind, number } : undefined;
		default:
			return undefined;
	}
}

function isNumber(value: unknown): value is number {
	return typeof value === 'number' && Number.isSafeInteger(value);
}

/** Rows as JSON. */
export function sentRows(rows: readonly SqlRow[]): readonly EventRow[] {
	return rows.map((row) =>
		Object.fromEntries(
			Object.entries(row).map(([name, value]) => [
				name,
				value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
			]),
		),
	);
}

export function receivedRows(rows: readonly EventRow[]): readonly SqlRow[] {
	return rows.map((row) =>
		typeof row['bytes'] === 'string' ? { ...row, bytes: Buffer.from(row['bytes'], 'base64') } : row,
	);
}
