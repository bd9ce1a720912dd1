// Recorded events as files of JSON lines, which is how whatever reads transcripts reads them too. They lie "in" the database: below its
// path, where no true file can lie.

import { mkdtemp, open, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import type { FileStat, OpenFile } from '../../../core/transcripts/files.ts';
import { ExpectedError } from '../../../core/base/errors.ts';
import { sharesIn } from './eventChunks.ts';
import type { StoredChunk, StoredLog } from './eventQueries.ts';
import type { EventSource } from './eventSource.ts';
import { databasePath, partsOf, recordingPath } from './recordingPaths.ts';

/** A session that agents had through the host, as far as looking over it tells. */
export interface RecordedSession {
	/** As the events have it: `claude-code:…`, or `mcp:…` for a connection that does not say which session it is of. */
	readonly id: string;
	/** Of its events as a file. */
	readonly path: string;
	/** Calls of tools; a superset: what is found out later about a call may make it another session's. */
	readonly calls: number;
	/** Epoch milliseconds. */
	readonly firstAt: number;
	readonly lastAt: number;
}

/** One run of a host, or a file of an earlier version. */
export interface RecordedLog extends StoredLog {
	readonly path: string;
	readonly bytes: number;
	readonly events: number;
	readonly lastAt: number;
}

/** The sessions whose calls a data directory's host has recorded, or whose agents' hooks. Rejects with an `ExpectedError`. */
export async function findRecordings(directory: string): Promise<readonly RecordedSession[]> {
	const database = databasePath(directory);
	const identity = await identityOf(database);
	if (identity === undefined) return [];
	let listing = listings.get(database);
	if (listing?.identity !== identity) listing = { after: 0, identity, sessions: new Map() };
	const source = await openRecorded(database);
	if (source === undefined) return [];
	try {
		for (const chunk of await source.chunks(listing.after)) {
			listing.after = chunk.number;
			// A line over several chunks is counted with the first.
			if (chunk.events === 0) continue;
			for (const [id, { begun, ended, hooks }] of sharesIn(chunk.sessions)) {
				const known = listing.sessions.get(id);
				if (known === undefined) {
					const { firstAt, lastAt } = chunk;
					listing.sessions.set(id, { begun, ended, hooks, firstAt, lastAt });
					continue;
				}
				known.begun += begun;
				known.ended += ended;
				known.hooks += hooks;
				known.firstAt = Math.min(known.firstAt, chunk.firstAt);
				known.lastAt = Math.max(known.lastAt, chunk.lastAt);
			}
		}
	} finally {
		source.close();
	}
	listings.delete(database);
	listings.set(database, listing);
	for (const oldest of listings.keys()) {
		if (listings.size <= mostListings) break;
		listings.delete(oldest);
	}
	return [...listing.sessions].flatMap(([id, { begun, ended, hooks, firstAt, lastAt }]) => {
		// What is found out about a call while it runs can make its end another session's than its beginning.
		const calls = Math.max(begun, ended);
		return calls === 0 && hooks === 0 ? [] : [{ id, path: recordingPath(directory, id), calls, firstAt, lastAt }];
	});
}

/** As `openEventSource`, which is loaded where something was recorded: most who look have no host. */
async function openRecorded(database: string): Promise<EventSource | undefined> {
	const { openEventSource } = await import('./eventSource.ts');
	return openEventSource(database);
}

interface Listing {
	after: number;
	readonly identity: string;
	readonly sessions: Map<string, { begun: number; ended: number; hooks: number; firstAt: number; lastAt: number }>;
}

/** What was listed before, so that looking again costs in proportion to what is new. */
const listings = new Map<string, Listing>();
const mostListings = 4;

/** The logs, oldest first. Rejects with an `ExpectedError`. */
export async function recordedLogs(directory: string): Promise<readonly RecordedLog[]> {
	const database = databasePath(directory);
	const source = await openRecorded(database);
	if (source === undefined) return [];
	try {
		const logs: RecordedLog[] = [];
		for (const log of await source.logs()) {
			const chunks = await source.chunksOfLog(log.number);
			if (chunks.length === 0) continue;
			logs.push({
				...log,
				path: `${database}${sep}log-${log.number}.jsonl`,
				bytes: chunks.reduce((sum, { bytes }) => sum + bytes, 0),
				events: chunks.reduce((sum, { events }) => sum + events, 0),
				lastAt: Math.max(...chunks.map(({ lastAt }) => lastAt)),
			});
		}
		return logs;
	} finally {
		source.close();
	}
}

/** Writes a recording into a new file in a folder of its own among the temporary ones, for its user alone to read, and gives the path. */
export async function exportRecording(path: string, name: string): Promise<string> {
	const recording = await recordingAt(path);
	const target = join(await mkdtemp(join(tmpdir(), 'crosstalk-')), name);
	const file = await open(target, 'wx', 0o600);
	try {
		const piece = Buffer.allocUnsafeSlow(exportedBytes);
		for (let offset = 0; ;) {
			const length = await recording.read(piece, offset);
			if (length === 0) break;
			await file.writeFile(piece.subarray(0, length));
			offset += length;
		}
		if (process.platform !== 'win32') await file.chmod(0o400);
	} finally {
		await file.close();
	}
	return target;
}

const exportedBytes = 1024 * 1024;

async function identityOf(database: string): Promise<string | undefined> {
	try {
		const { dev, ino } = await stat(database, { bigint: true });
		return `${dev}:${ino}`;
	} catch {
		// Whatever keeps it from being looked at: `openEventSource` finds nothing there either, or says why.
		return undefined;
	}
}

/** `undefined`: there is nothing of this session. Rejects with an `ExpectedError`. */
export async function statRecording(path: string): Promise<FileStat | undefined> {
	const recording = await recordingAt(path);
	return recording.size === 0
		? undefined
		: { isDirectory: false, size: recording.size, modifiedAt: recording.lastAt, identity: recording.identity };
}

export async function openRecording(path: string): Promise<OpenFile> {
	const recording = await recordingAt(path);
	if (recording.size === 0) throw new ExpectedError('The file is no longer there.');
	return { read: async (into, offset) => recording.read(into, offset), close: async () => undefined };
}

/** The newest last. */
const recordings = new Map<string, Recording>();
const mostRecordings = 32;

async function recordingAt(path: string): Promise<Recording> {
	const parts = partsOf(path);
	if (parts === undefined) throw new Error(`${path} is no recording.`);
	const { database, sessionId, log } = parts;
	const identity = await identityOf(database);
	let recording = recordings.get(path);
	if (recording === undefined || recording.database !== identity) {
		recording = new Recording(database, identity ?? '', sessionId, log);
	}
	recordings.delete(path);
	recordings.set(path, recording);
	for (const oldest of recordings.keys()) {
		if (recordings.size <= mostRecordings) break;
		recordings.delete(oldest);
	}
	if (identity !== undefined) await recording.look();
	return recording;
}

/** Consecutive bytes of a chunk that are consecutive in the file. */
interface Piece {
	readonly chunk: StoredChunk;
	readonly start: number;
	readonly length: number;
	/** Bytes of the file before it. */
	readonly offset: number;
}

/** What the lines of a session say that other lines are found by. */
interface LineFacts {
	readonly sessionId?: unknown;
	readonly type?: unknown;
	readonly callId?: unknown;
	readonly upstreamId?: unknown;
	readonly source?: { readonly connectionId?: unknown };
}

const LINE_FEED = 0x0a;
const messageMember = Buffer.from(',"message":');
/** Chunks that were read last: a file is read in pieces that are smaller. */
const keptChunks = 4;
/** Lines that wait for their call to turn out to be one of the session's. */
const mostParked = 20_000;

/**
 * All lines that are about one session: its own; those of its calls from before it was known whose they are; and those of the connections
 * to servers that its calls went over. What is found out later is added at the end, so a file only ever grows.
 */
class Recording {
	readonly database: string;
	size = 0;
	lastAt = 0;
	private readonly path: string;
	private readonly sessionId: string | undefined;
	private readonly log: number;
	private pieces: Piece[] = [];
	private after = 0;
	private round = 0;
	private readonly calls = new Set<string>();
	/** Connections of agents that its calls came over, and of servers that they went over. */
	private readonly related = new Set<string>();
	private unread: string[] = [];
	/** Of these, those whose lines have been looked at. */
	private readonly known = new Set<string>();
	private readonly parked = new Map<
		string,
		{ readonly chunk: StoredChunk; readonly start: number; readonly end: number }[]
	>();
	private parkedLines = 0;
	private looking: Promise<void> | undefined;
	private readonly cache = new Map<number, Uint8Array | undefined>();

	/** @param sessionId `undefined`: all lines of the log. */
	constructor(path: string, database: string, sessionId: string | undefined, log: number) {
		this.path = path;
		this.database = database;
		this.sessionId = sessionId;
		this.log = log;
	}

	get identity(): string {
		return `${this.database} ${this.round}`;
	}

	/** Finds what is new. */
	async look(): Promise<void> {
		this.looking ??= this.lookNow().finally(() => {
			this.looking = undefined;
		});
		return this.looking;
	}

	async read(into: Uint8Array, offset: number): Promise<number> {
		let index = this.pieceAt(offset);
		let filled = 0;
		let source: EventSource | undefined;
		try {
			for (; index < this.pieces.length && filled < into.length; index++) {
				const piece = this.pieces[index];
				if (piece === undefined) break;
				if (!this.cache.has(piece.chunk.number)) source ??= await openRecorded(this.path);
				const bytes = await this.bytesOf(source, piece.chunk);
				const skipped = offset + filled - piece.offset;
				const length = Math.min(piece.length - skipped, into.length - filled);
				const from = piece.start + skipped;
				if (bytes === undefined) into.fill(0, filled, filled + length);
				else into.set(bytes.subarray(from, from + length), filled);
				filled += length;
				if (skipped + length < piece.length) break;
			}
		} finally {
			source?.close();
		}
		return filled;
	}

	private pieceAt(offset: number): number {
		let low = 0;
		let high = this.pieces.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			const piece = this.pieces[middle];
			if (piece !== undefined && piece.offset + piece.length <= offset) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	private async lookNow(): Promise<void> {
		const source = await openRecorded(this.path);
		if (source === undefined) return;
		try {
			const [first] = this.pieces;
			// The oldest is let go in the course of time; what is left is another file.
			if (first !== undefined && !(await source.has(first.chunk.number))) this.startOver();
			const { sessionId } = this;
			if (sessionId === undefined) {
				for (const chunk of await source.chunksOfLog(this.log)) {
					if (chunk.number <= this.after) continue;
					this.after = chunk.number;
					this.add(chunk, 0, chunk.bytes);
				}
				return;
			}
			const logs = new Map((await source.logs()).map((log) => [log.number, log]));
			const latest = await source.latest();
			if (latest <= this.after) return;
			const upToNow = async (after: number, ids: readonly string[]) =>
				inOrder(
					(await source.chunks(after, ids)).filter(({ number }) => number <= latest),
					logs,
				);
			await this.scan(source, await upToNow(this.after, [sessionId, ...this.related]), undefined);
			this.after = latest;
			while (this.unread.length > 0) {
				const ids = this.unread.splice(0);
				for (const id of ids) this.known.add(id);
				await this.scan(source, await upToNow(0, ids), new Set(ids));
			}
		} finally {
			source.close();
		}
	}

	private startOver(): void {
		this.round++;
		this.pieces = [];
		this.size = 0;
		this.after = 0;
		this.calls.clear();
		this.related.clear();
		this.known.clear();
		this.unread = [];
		this.parked.clear();
		this.parkedLines = 0;
		this.cache.clear();
	}

	/** @param only Lines of these sessions alone; `undefined`: of all that belong here. */
	private async scan(
		source: EventSource,
		chunks: readonly StoredChunk[],
		only: ReadonlySet<string> | undefined,
	): Promise<void> {
		for (let index = 0; index < chunks.length;) {
			const found = chunks[index];
			if (found === undefined) break;
			index++;
			// What is kept of it for as long as the file is known need not hold the names of all sessions.
			const chunk = { ...found, sessions: '' };
			// The beginning of what is left of a line whose own beginning was removed.
			if (chunk.events === 0) continue;
			const rest: StoredChunk[] = [];
			let end = chunk.start + chunk.bytes;
			for (; index < chunks.length; index++) {
				const next = chunks[index];
				if (next === undefined || next.log !== chunk.log || next.start !== end || next.events > 0) break;
				rest.push(next);
				end += next.bytes;
			}
			const bytes = await this.bytesOf(source, chunk);
			if (bytes === undefined) {
				// Damaged: the reader is to say so, once.
				if (only === undefined && chunk.number > this.after) this.addDamaged(chunk);
				continue;
			}
			const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
			for (let start = 0; start < buffer.length;) {
				const lineEnd = buffer.indexOf(LINE_FEED, start);
				const next = lineEnd === -1 ? buffer.length : lineEnd + 1;
				const facts = factsIn(buffer, start, lineEnd === -1 ? buffer.length : lineEnd);
				if (facts !== undefined && (only === undefined || only.has(String(facts.sessionId)))) {
					this.take(facts, chunk, start, next, next === buffer.length ? rest : []);
				}
				start = next;
			}
		}
	}

	private take(facts: LineFacts, chunk: StoredChunk, start: number, end: number, rest: readonly StoredChunk[]): void {
		const id = String(facts.sessionId);
		const callId = typeof facts.callId === 'string' ? facts.callId : undefined;
		if (id === this.sessionId) {
			if (callId !== undefined && !this.calls.has(callId)) {
				this.calls.add(callId);
				this.unpark(callId);
			}
			const connectionId = facts.source?.connectionId;
			if (typeof connectionId === 'string') this.relate(`mcp:${connectionId}`);
		} else if (!this.known.has(id)) {
			// Nobody's here; or all that there is of it is read in a moment.
			return;
		} else if (callId !== undefined && !this.calls.has(callId)) {
			if (rest.length === 0) this.park(callId, { chunk, start, end });
			return;
		} else if (
			callId === undefined &&
			facts.type !== 'upstream-state' &&
			facts.type !== 'reconnect' &&
			facts.type !== 'tool-described'
		) {
			return;
		}
		if (typeof facts.upstreamId === 'string') this.relate(`mcp:${facts.upstreamId}`);
		this.add(chunk, start, end);
		for (const further of rest) this.add(further, 0, further.bytes);
	}

	private relate(id: string): void {
		if (id === this.sessionId || this.related.has(id)) return;
		this.related.add(id);
		this.unread.push(id);
	}

	private park(
		callId: string,
		line: { readonly chunk: StoredChunk; readonly start: number; readonly end: number },
	): void {
		if (this.parkedLines >= mostParked) {
			this.parked.clear();
			this.parkedLines = 0;
		}
		const lines = this.parked.get(callId);
		if (lines === undefined) this.parked.set(callId, [line]);
		else lines.push(line);
		this.parkedLines++;
	}

	private unpark(callId: string): void {
		for (const { chunk, start, end } of this.parked.get(callId) ?? []) {
			this.parkedLines--;
			this.add(chunk, start, end);
		}
		this.parked.delete(callId);
	}

	private add(chunk: StoredChunk, start: number, end: number): void {
		const last = this.pieces.at(-1);
		this.lastAt = Math.max(this.lastAt, chunk.lastAt);
		if (last !== undefined && last.chunk.number === chunk.number && last.start + last.length === start) {
			this.pieces[this.pieces.length - 1] = { ...last, length: last.length + end - start };
		} else {
			this.pieces.push({ chunk, start, length: end - start, offset: this.size });
		}
		this.size += end - start;
	}

	/** As NUL bytes, which is what damage mostly looks like, up to a line end of its own. */
	private addDamaged(chunk: StoredChunk): void {
		this.add(chunk, 0, Math.min(chunk.bytes, 64));
		this.add(lineEndChunk, 0, 1);
	}

	private async bytesOf(source: EventSource | undefined, chunk: StoredChunk): Promise<Uint8Array | undefined> {
		if (chunk === lineEndChunk) return lineEnd;
		const { cache } = this;
		if (cache.has(chunk.number)) return cache.get(chunk.number);
		const bytes = await source?.bytes(chunk);
		cache.set(chunk.number, bytes);
		for (const oldest of cache.keys()) {
			if (cache.size <= keptChunks) break;
			cache.delete(oldest);
		}
		return bytes;
	}
}

const lineEnd = new Uint8Array([LINE_FEED]);
const lineEndChunk: StoredChunk = {
	number: -1,
	log: -1,
	start: 0,
	bytes: 1,
	checksum: 0,
	events: 0,
	firstAt: 0,
	lastAt: 0,
	sessions: '[]',
};

/** As they were recorded: logs by their beginning, files of an earlier version among them. */
function inOrder(chunks: readonly StoredChunk[], logs: ReadonlyMap<number, StoredLog>): readonly StoredChunk[] {
	const startOf = ({ log }: StoredChunk) => logs.get(log)?.startedAt ?? 0;
	return [...chunks].sort(
		(one, other) => startOf(one) - startOf(other) || one.log - other.log || one.start - other.start,
	);
}

/** `undefined`: the line is no event of ours. */
function factsIn(buffer: Buffer, start: number, end: number): LineFacts | undefined {
	const line = buffer.subarray(start, end);
	const message = line.indexOf(messageMember);
	for (const text of [
		...(message === -1 ? [] : [`${line.toString('utf8', 0, message)}}`]),
		// A text of that name may stand in an event that has no message.
		line,
	]) {
		try {
			const value: unknown = JSON.parse(String(text));
			// Each member is looked at before it is used.
			return typeof value === 'object' && value !== null ? value : undefined;
		} catch {
			// Damaged, or not of our own writing.
		}
	}
	return undefined;
}
