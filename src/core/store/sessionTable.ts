import { callHash, letGoHash, replyHash, stateHash, storedCheckpoint, storedCheckpoints } from './checkpoint.ts';
import type { Checkpoint, PastCall, StoredCheckpoint } from './checkpoint.ts';
import type { History, Lap } from './history.ts';
import { lapSize, ringSize } from './schema.ts';
import { SqlError } from './sqlDatabase.ts';
import type { SqlDatabase, SqlRow, SqlStatement, SqlValue } from './sqlDatabase.ts';
import type { Digest } from './storePlatform.ts';
import { textOf, utf8Parts } from './utf8.ts';

/** What is stored of a session is not what was written. The message is a part of a sentence. */
class DamageError extends Error {
	override readonly name = 'DamageError';
}

/** Where the checkpoints of a session lie. */
export interface SessionHome {
	readonly number: number;
	/** They lie as version 1 of the schema had them, until the next one is made. */
	readonly isOfVersion1: boolean;
}

export interface StoredSession {
	readonly home: SessionHome;
	readonly latest: { readonly checkpoint: Checkpoint; readonly state: string } | undefined;
	/** Oldest first. */
	readonly checkpoints: readonly StoredCheckpoint[];
}

/** By which its texts are found. */
type CallTexts = Pick<Checkpoint, 'seq' | 'generation' | 'key' | 'tool' | 'stateBytes' | 'replyBytes'>;

/** The statement of a checkpoint, and of what goes with it. */
export interface CheckpointWrite {
	readonly sessionId: string;
	readonly home: SessionHome;
	readonly checkpoint: Checkpoint;
	readonly state: string;
	/** `undefined`: none is kept. */
	readonly reply: string | undefined;
	/** The one that is not kept any longer. */
	readonly forgotten: PastCall | undefined;
	/** The one whose row it takes. */
	readonly replaced: PastCall | undefined;
	/** The one before, if it begins a new one. */
	readonly lap: Lap | undefined;
	/** Whose states, and whose replies, are not kept any longer. */
	readonly withoutState: readonly PastCall[];
	readonly withoutReply: readonly PastCall[];
}

/** What `sessions` tells of each: the latest checkpoint is not verified. */
export interface ListedSession {
	readonly id: string;
	/** `undefined`: its checkpoints are gone, or not readable. */
	readonly checkpoint: Checkpoint | undefined;
}

/** Larger texts do not fit into the row: a Durable Object takes 2 MB, and everything else is in it too. */
const inlineBytes = { state: 1_000_000, reply: 500_000 } as const;
const chunkBytes = 1_000_000;

/** Checkpoints in one text. With the longest names it still is no longer than a row may be. */
const groupSize = 16;
const groups = Array.from({ length: ringSize / groupSize }, (_, index) => `(${index * groupSize})`).join(', ');

const selectSessionOfVersion1 = `
	SELECT 'id' AS part, id AS text FROM sessions WHERE number = ?
	UNION ALL
	SELECT 'state', state FROM checkpoints
	WHERE place = (SELECT place FROM checkpoints WHERE place BETWEEN ? AND ? ORDER BY seq DESC LIMIT 1)
	UNION ALL
	SELECT 'checkpoints', (
		SELECT group_concat(${storedCheckpoint}) FROM checkpoints AS c
		WHERE c.place BETWEEN first + column1 AND first + column1 + ${groupSize - 1}
	) FROM (SELECT ? AS first), (VALUES ${groups})`;

const selectSession = `${selectSessionOfVersion1}
	UNION ALL
	SELECT 'lap', place || '|' || ifnull(let_go, '') || '|' || calls FROM laps WHERE place BETWEEN ? AND ?`;

/** So many sessions in one read, so that no call waits long behind a list of them all. */
const listedAtOnce = 1000;

const selectSessions = `
	SELECT s.number, s.id, ${storedCheckpoint} AS checkpoint, max(c.seq)
	FROM sessions AS s LEFT JOIN checkpoints AS c ON c.place BETWEEN s.number * ${ringSize} AND s.number * ${ringSize} + ${ringSize - 1}
	WHERE s.number > ? GROUP BY s.number ORDER BY s.number LIMIT ${listedAtOnce}`;

const insertCheckpoint = `
	INSERT OR REPLACE INTO checkpoints (
		place, seq, generation, at, key, tool, arguments_hash, state_bytes, reply_bytes, state_hash, reply_hash, call_hash, reply, state
	) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** All but the states. A reply that was let go, or that lies in pieces, is null. */
const insertLap = `
	INSERT OR REPLACE INTO laps (place, let_go, calls, replies)
	SELECT ?, ?, group_concat(${storedCheckpoint}), json_group_object(
		c.seq, CASE WHEN c.seq IN (SELECT value FROM json_each(?)) THEN NULL ELSE CAST(c.reply AS TEXT) END
	) FROM checkpoints AS c WHERE c.place BETWEEN ? AND ? AND c.seq BETWEEN ? AND ?`;

const insertReplyPiece = `
	INSERT OR REPLACE INTO chunks (place, part_of, number, bytes)
	SELECT ?, 'reply', 0, CAST(reply AS BLOB) FROM checkpoints WHERE place = ? AND reply IS NOT NULL`;

/** What one call may take of the row of its lap, at most: sixteen of them fit into it. */
const lapShare = 110_000;

/** The sessions of one database, as rows. */
export class SessionTable {
	private readonly database: SqlDatabase;
	private readonly digest: Digest;
	private readonly hasLaps: boolean;

	/** @param hasLaps `false`: it is of version 1, and can only be read. */
	constructor(database: SqlDatabase, digest: Digest, hasLaps: boolean) {
		this.database = database;
		this.digest = digest;
		this.hasLaps = hasLaps;
	}

	/** The one with the latest checkpoint first. */
	async list(): Promise<readonly ListedSession[]> {
		const listed: ListedSession[] = [];
		for (let after = -1, isMore = true; isMore;) {
			const rows = await this.database.read({ sql: selectSessions, parameters: [after] });
			for (const { number, id, checkpoint } of rows) {
				after = Number(number);
				listed.push({ id: String(id), checkpoint: listedCheckpoint(checkpoint) });
			}
			isMore = rows.length === listedAtOnce;
		}
		return listed.sort((one, other) => (other.checkpoint?.at ?? 0) - (one.checkpoint?.at ?? 0));
	}

	/** Everything that a call rests on, verified. Throws `DamageError`. */
	async load(sessionId: string): Promise<StoredSession> {
		try {
			return await this.loadOnce(sessionId);
		} catch (error) {
			if (!isDamage(error)) throw error;
			// What is larger than a row is read in two steps, between which there may have been a checkpoint.
			return this.loadOnce(sessionId);
		}
	}

	/** The text of one checkpoint that `load` gave, or of a call that has been made since. */
	async textOf(
		sessionId: string,
		home: SessionHome,
		part: 'state' | 'reply',
		call: CallTexts,
		hash: string | undefined,
	): Promise<string> {
		const { seq } = call;
		const place = placeOf(home, seq);
		const row = `SELECT ${part} AS text FROM checkpoints WHERE place = ? AND seq = ?`;
		const statement =
			part === 'state'
				? { sql: row, parameters: [place, seq] }
				: {
						sql: `${row} UNION ALL SELECT json_extract(replies, ?) FROM laps WHERE place = ?`,
						parameters: [place, seq, `$."${seq}"`, lapPlaceOf(home, seq)],
					};
		const rows = await this.database.read(statement);
		const stored = rows.map(({ text }) => text).find((text) => text !== null);
		// In the row of a lap nothing stands for a reply that lies in pieces.
		const isInPieces = part === 'reply' && stored === undefined && !fitsIntoLap(call);
		return this.verifiedText(sessionId, home, part, call, hash, isInPieces ? '' : stored);
	}

	/** The checkpoint that a call makes. */
	checkpoint(
		sessionId: string,
		call: Omit<Checkpoint, 'stateHash' | 'replyHash'>,
		state: string,
		reply: string | undefined,
	): Checkpoint {
		const { digest } = this;
		const { seq, generation } = call;
		return {
			...call,
			stateHash: stateHash(digest, sessionId, generation, seq, state),
			replyHash: reply === undefined ? undefined : replyHash(digest, sessionId, generation, seq, reply),
		};
	}

	/** One row, unless it is the session's first, begins a lap, or something large is written or let go. */
	statements(write: CheckpointWrite): readonly SqlStatement[] {
		const { sessionId, checkpoint, state, reply, forgotten, replaced } = write;
		const home = movedHome(write.home);
		const place = placeOf(home, checkpoint.seq);
		const piecesPlace = piecesPlaceOf(home, checkpoint.seq);
		const isStateInline = checkpoint.stateBytes <= inlineBytes.state;
		const isReplyInline = checkpoint.replyBytes <= inlineBytes.reply;
		const statements: SqlStatement[] = [];
		if (checkpoint.seq === 1)
			statements.push({
				sql: 'INSERT INTO sessions (number, id) VALUES (?, ?)',
				parameters: [home.number, sessionId],
			});
		if (forgotten !== undefined && !fitsIntoLap(forgotten)) statements.push(dropPieces(home, 'reply', forgotten));
		if (replaced !== undefined && isInPieces('state', replaced))
			statements.push(dropPieces(home, 'state', replaced));
		if (write.lap !== undefined) statements.push(...this.lapOf(sessionId, home, write.lap));
		statements.push({
			sql: insertCheckpoint,
			parameters: [
				place,
				checkpoint.seq,
				checkpoint.generation,
				checkpoint.at,
				checkpoint.key ?? null,
				checkpoint.tool,
				checkpoint.argumentsHash,
				checkpoint.stateBytes,
				checkpoint.replyBytes,
				checkpoint.stateHash,
				checkpoint.replyHash ?? null,
				callHash(this.digest, sessionId, checkpoint),
				reply === undefined ? null : isReplyInline ? reply : '',
				isStateInline ? state : '',
			],
		});
		if (!isStateInline) statements.push(...piecesOf(piecesPlace, 'state', state));
		if (reply !== undefined && !isReplyInline) statements.push(...piecesOf(piecesPlace, 'reply', reply));
		for (const old of write.withoutState) {
			statements.push(dropText('state', placeOf(home, old.seq)));
			if (isInPieces('state', old)) statements.push(dropPieces(home, 'state', old));
		}
		for (const old of write.withoutReply)
			statements.push(...this.withoutReply(sessionId, home, old, checkpoint.seq));
		return statements;
	}

	/** Brings what lies as version 1 had it into its new places. */
	moved(sessionId: string, home: SessionHome, history: History): readonly SqlStatement[] {
		if (!home.isOfVersion1) return [];
		const statements = history.laps().flatMap((lap) => this.lapOf(sessionId, home, lap));
		const range = rangeOf(home);
		const old = [...range, history.seq - lapSize];
		statements.push(
			{
				sql: `DELETE FROM chunks WHERE part_of = 'state' AND place IN (
					SELECT place FROM checkpoints WHERE place BETWEEN ? AND ? AND seq <= ?)`,
				parameters: old,
			},
			{ sql: 'DELETE FROM checkpoints WHERE place BETWEEN ? AND ? AND seq <= ?', parameters: old },
			// The places that they come into have been left by those that were deleted.
			{
				sql: `UPDATE checkpoints SET place = ? + seq % ${lapSize} WHERE place BETWEEN ? AND ?`,
				parameters: [range[0], range[0] + lapSize, range[1]],
			},
		);
		return statements;
	}

	private lapOf(sessionId: string, home: SessionHome, { checkpoints, letGo }: Lap): readonly SqlStatement[] {
		const first = checkpoints[0].seq;
		const last = first + checkpoints.length - 1;
		const apart = checkpoints.filter((checkpoint) => !fitsIntoLap(checkpoint));
		const statements: SqlStatement[] = apart
			.filter((checkpoint) => !isInPieces('reply', checkpoint))
			.map(({ seq }) => ({ sql: insertReplyPiece, parameters: [piecesPlaceOf(home, seq), placeOf(home, seq)] }));
		const numbers = JSON.stringify(apart.map(({ seq }) => seq));
		const parameters = [
			lapPlaceOf(home, last),
			this.letGo(sessionId, letGo),
			numbers,
			...rangeOf(home),
			first,
			last,
		];
		statements.push({ sql: insertLap, parameters });
		return statements;
	}

	/** As a lap says it. */
	private letGo(sessionId: string, seq: number): string | null {
		return seq === 0 ? null : `${seq} ${letGoHash(this.digest, sessionId, seq)}`;
	}

	private withoutReply(
		sessionId: string,
		home: SessionHome,
		checkpoint: CallTexts,
		newest: number,
	): readonly SqlStatement[] {
		const { seq } = checkpoint;
		const statements: SqlStatement[] = [];
		if (seq > newest - lapSize) statements.push(dropText('reply', placeOf(home, seq)));
		if (seq < newest - (newest % lapSize))
			statements.push({
				sql: 'UPDATE laps SET let_go = ? WHERE place = ?',
				parameters: [this.letGo(sessionId, seq), lapPlaceOf(home, seq)],
			});
		if (!fitsIntoLap(checkpoint)) statements.push(dropPieces(home, 'reply', checkpoint));
		return statements;
	}

	private async loadOnce(sessionId: string): Promise<StoredSession> {
		const ideal = this.numberOf(sessionId);
		for (let number = ideal; ; number = (number + 1) % numbers) {
			const [first, last] = rangeOf({ number });
			const firstLap = number * lapsKept;
			const parameters = [number, first, last, first];
			const rows = await this.database.read(
				this.hasLaps
					? { sql: selectSession, parameters: [...parameters, firstLap, firstLap + lapsKept - 1] }
					: { sql: selectSessionOfVersion1, parameters },
			);
			const id = rows.find(({ part }) => part === 'id')?.['text'];
			// Two ids may have the same home; the later one then lives next door.
			if (typeof id === 'string' && id !== sessionId && this.isNear(this.numberOf(id), number)) continue;
			if (id !== undefined && id !== sessionId) throw new DamageError('its id is not readable');
			return this.verified(sessionId, number, rows);
		}
	}

	private async verified(sessionId: string, number: number, rows: readonly SqlRow[]): Promise<StoredSession> {
		const isKnown = rows.some(({ part }) => part === 'id');
		const inRing = rows
			.filter(({ part, text }) => part === 'checkpoints' && text !== null)
			.flatMap(({ text }) => readable(text))
			.sort(bySeq);
		const newest = inRing.at(-1);
		if (newest === undefined) {
			if (isKnown) throw new DamageError('all its checkpoints are gone');
			return { home: { number, isOfVersion1: false }, latest: undefined, checkpoints: [] };
		}
		if (!isKnown) throw new DamageError('its id is gone');
		const isOfVersion1 = inRing.some(({ place }) => place >= number * ringSize + lapSize);
		const home = { number, isOfVersion1 };
		for (const stored of inRing) {
			const { seq } = stored.checkpoint;
			if (stored.place !== placeOf(home, seq)) throw new DamageError(`checkpoint ${seq} is not at its place`);
			this.verify(sessionId, stored);
		}
		const { checkpoint } = newest;
		refuseGaps(inRing, isOfVersion1 ? ringSize : lapSize);
		const inLaps = isOfVersion1 ? [] : this.verifiedLaps(sessionId, home, rows, checkpoint.seq);
		const checkpoints = [...inLaps, ...inRing];
		refuseGaps(checkpoints, ringSize);
		const stored = rows.find(({ part }) => part === 'state')?.['text'];
		const state = await this.verifiedText(sessionId, home, 'state', checkpoint, checkpoint.stateHash, stored);
		return { home, latest: { checkpoint, state }, checkpoints };
	}

	/** Those that are not in the ring as well. */
	private verifiedLaps(
		sessionId: string,
		home: SessionHome,
		rows: readonly SqlRow[],
		newest: number,
	): readonly StoredCheckpoint[] {
		const inLaps: StoredCheckpoint[] = [];
		for (const { part, text } of rows) {
			if (part !== 'lap') continue;
			const { place, letGo, calls } = this.verifiedLap(sessionId, text);
			for (const call of calls) {
				const { seq } = call.checkpoint;
				this.verify(sessionId, call);
				if (place !== lapPlaceOf(home, seq)) throw new DamageError(`checkpoint ${seq} is not in its lap`);
				// It was written together with the first of the next one.
				if (seq >= newest - (newest % lapSize)) throw new DamageError(`a checkpoint after ${newest} is gone`);
				if (seq > newest - lapSize || seq <= newest - ringSize) continue;
				// What the row says of its texts itself is under no checksum.
				const hasReply = call.checkpoint.replyHash !== undefined && seq > letGo;
				inLaps.push({ ...call, hasState: false, hasReply });
			}
		}
		return inLaps.sort(bySeq);
	}

	private verifiedLap(sessionId: string, text: SqlValue | undefined): StoredLap {
		const [place = '', letGo = '', ...calls] = String(text).split('|');
		const [seq, hash] = letGo.split(' ');
		if (letGo !== '' && hash !== letGoHash(this.digest, sessionId, Number(seq)))
			throw new DamageError('what it says of replies that were let go fails its checksum');
		return { place: Number(place), letGo: Number(seq), calls: readable(calls.join('|')) };
	}

	private verify(sessionId: string, { checkpoint, callHash: stored }: StoredCheckpoint): void {
		if (stored !== callHash(this.digest, sessionId, checkpoint))
			throw new DamageError(`checkpoint ${checkpoint.seq} fails its checksum`);
	}

	/** @param stored Empty where it lies in pieces. */
	private async verifiedText(
		sessionId: string,
		home: SessionHome,
		part: 'state' | 'reply',
		call: CallTexts,
		hash: string | undefined,
		stored: SqlValue | undefined,
	): Promise<string> {
		const { seq, generation } = call;
		if (typeof stored !== 'string') throw new DamageError(`the ${part} of checkpoint ${seq} is gone`);
		const mayBeInPieces = isInPieces(part, call) || (part === 'reply' && !fitsIntoLap(call));
		const text =
			mayBeInPieces && stored === '' ? await this.chunkedText(piecesPlaceOf(home, seq), part, seq) : stored;
		const hashOf = part === 'state' ? stateHash : replyHash;
		if (hashOf(this.digest, sessionId, generation, seq, text) !== hash)
			throw new DamageError(`the ${part} of checkpoint ${seq} fails its checksum`);
		return text;
	}

	private async chunkedText(place: number, part: 'state' | 'reply', seq: number): Promise<string> {
		const rows = await this.database.read({
			sql: 'SELECT bytes FROM chunks WHERE place = ? AND part_of = ? ORDER BY number',
			parameters: [place, part],
		});
		const parts = rows.map(({ bytes }) => bytes);
		if (!parts.every((bytes) => bytes instanceof Uint8Array))
			throw new DamageError(`the ${part} of checkpoint ${seq} is not readable`);
		try {
			return textOf(parts);
		} catch {
			// What the bytes are not is told by their type and length; here they are no UTF-8.
			throw new DamageError(`the ${part} of checkpoint ${seq} is not readable`);
		}
	}

	/** Where its ring would lie if it were alone. */
	private numberOf(sessionId: string): number {
		return Number.parseInt(this.digest.sha256(sessionId).slice(0, numberDigits), 16);
	}

	/** Even with a billion sessions hardly two live next door to their homes, let alone ten in a row. */
	private isNear(home: number, number: number): boolean {
		return (number - home + numbers) % numbers < 10;
	}
}

interface StoredLap {
	readonly place: number;
	/** Up to this call the replies are not kept. */
	readonly letGo: number;
	readonly calls: readonly StoredCheckpoint[];
}

/** Hexadecimal. With the ring's 8 bits a place then is an integer that a double holds. */
const numberDigits = 11;
const numbers = 16 ** numberDigits;

/** One more than all their checkpoints need together with those of the ring: the oldest is the one that is written over. */
const lapsKept = ringSize / lapSize;

function placeOf({ number, isOfVersion1 }: SessionHome, seq: number): number {
	return number * ringSize + (seq % (isOfVersion1 ? ringSize : lapSize));
}

function piecesPlaceOf({ number }: SessionHome, seq: number): number {
	return number * ringSize + (seq % ringSize);
}

function lapPlaceOf({ number }: SessionHome, seq: number): number {
	return number * lapsKept + (Math.floor(seq / lapSize) % lapsKept);
}

/** The first and the last place that is this session's in any version. */
function rangeOf({ number }: Pick<SessionHome, 'number'>): readonly [first: number, last: number] {
	return [number * ringSize, number * ringSize + ringSize - 1];
}

/** Where they lie after the next checkpoint. */
function movedHome(home: SessionHome): SessionHome {
	return { ...home, isOfVersion1: false };
}

function isInPieces(part: 'state' | 'reply', { stateBytes, replyBytes }: CallTexts): boolean {
	return (part === 'state' ? stateBytes : replyBytes) > inlineBytes[part];
}

/** Whether its reply is in the row of its lap, where all is JSON, and texts are JSON within JSON. */
function fitsIntoLap({ key, tool, replyBytes }: CallTexts): boolean {
	return ((key?.length ?? 0) + tool.length) * 6 + replyBytes * 2 <= lapShare;
}

function piecesOf(place: number, part: 'state' | 'reply', text: string): SqlStatement[] {
	return utf8Parts(text, chunkBytes).map((bytes, number) => ({
		sql: 'INSERT INTO chunks (place, part_of, number, bytes) VALUES (?, ?, ?, ?)',
		parameters: [place, part, number, bytes],
	}));
}

function dropPieces(home: SessionHome, part: 'state' | 'reply', { seq }: CallTexts): SqlStatement {
	const sql = 'DELETE FROM chunks WHERE place = ? AND part_of = ?';
	return { sql, parameters: [piecesPlaceOf(home, seq), part] };
}

function dropText(part: 'state' | 'reply', place: number): SqlStatement {
	return { sql: `UPDATE checkpoints SET ${part} = NULL WHERE place = ?`, parameters: [place] };
}

/** All lie in different places, each in its own, so their number tells whether there is a gap. */
function refuseGaps(checkpoints: readonly StoredCheckpoint[], size: number): void {
	const newest = checkpoints.at(-1)?.checkpoint.seq ?? 0;
	const expected = Math.min(newest, size);
	const oldest = newest - expected + 1;
	if (checkpoints.length !== expected || checkpoints[0]?.checkpoint.seq !== oldest)
		throw new DamageError(`a checkpoint between ${oldest} and ${newest} is gone`);
}

function bySeq(one: StoredCheckpoint, other: StoredCheckpoint): number {
	return one.checkpoint.seq - other.checkpoint.seq;
}

function readable(text: SqlValue | undefined): readonly StoredCheckpoint[] {
	try {
		return storedCheckpoints(String(text));
	} catch (error) {
		throw new DamageError('one of its checkpoints is not readable', { cause: error });
	}
}

function listedCheckpoint(text: SqlValue | undefined): Checkpoint | undefined {
	if (text === null) return undefined;
	try {
		return readable(text)[0]?.checkpoint;
	} catch {
		// It is listed as damaged; whoever opens it is told how.
		return undefined;
	}
}

/** SQLite itself finds that what it reads is no database. */
export function isDamage(error: unknown): boolean {
	return error instanceof DamageError || (error instanceof SqlError && error.code === 'damaged');
}
