import { callHash, replyHash, stateHash, storedCheckpoint, storedCheckpoints } from './checkpoint.ts';
import type { Checkpoint, StoredCheckpoint } from './checkpoint.ts';
import { ringSize } from './schema.ts';
import { SqlError } from './sqlDatabase.ts';
import type { SqlDatabase, SqlRow, SqlStatement, SqlValue } from './sqlDatabase.ts';
import type { Digest } from './storePlatform.ts';
import { textOf, utf8Parts } from './utf8.ts';

/** What is stored of a session is not what was written. The message is a part of a sentence. */
class DamageError extends Error {
	override readonly name = 'DamageError';
}

export interface StoredSession {
	/** Where its checkpoints lie. */
	readonly number: number;
	readonly latest: { readonly checkpoint: Checkpoint; readonly state: string } | undefined;
	/** Oldest first. */
	readonly checkpoints: readonly StoredCheckpoint[];
}

/** The statement of a checkpoint, and of what goes with it. */
export interface CheckpointWrite {
	readonly sessionId: string;
	readonly number: number;
	readonly checkpoint: Checkpoint;
	readonly state: string;
	/** `undefined`: none is kept. */
	readonly reply: string | undefined;
	/** The one whose place it takes. */
	readonly replaced: Checkpoint | undefined;
	/** Whose states, and whose replies, are not kept any longer. */
	readonly withoutState: readonly Checkpoint[];
	readonly withoutReply: readonly Checkpoint[];
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

const selectSession = `
	SELECT 'id' AS part, id AS text FROM sessions WHERE number = ?
	UNION ALL
	SELECT 'state', state FROM checkpoints
	WHERE place = (SELECT place FROM checkpoints WHERE place BETWEEN ? AND ? ORDER BY seq DESC LIMIT 1)
	UNION ALL
	SELECT 'checkpoints', (
		SELECT group_concat(${storedCheckpoint}) FROM checkpoints AS c
		WHERE c.place BETWEEN first + column1 AND first + column1 + ${groupSize - 1}
	) FROM (SELECT ? AS first), (VALUES ${groups})`;

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

/** The sessions of one database, as rows. */
export class SessionTable {
	private readonly database: SqlDatabase;
	private readonly digest: Digest;

	constructor(database: SqlDatabase, digest: Digest) {
		this.database = database;
		this.digest = digest;
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

	/** The text of one checkpoint that `load` gave. */
	async textOf(sessionId: string, number: number, part: 'state' | 'reply', checkpoint: Checkpoint): Promise<string> {
		const place = placeOf(number, checkpoint.seq);
		const sql = `SELECT ${part} AS text FROM checkpoints WHERE place = ?`;
		const [row] = await this.database.read({ sql, parameters: [place] });
		return this.verifiedText(sessionId, place, part, checkpoint, row?.['text']);
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

	/** One row, unless it is the session's first, or something large is written or let go. */
	statements(write: CheckpointWrite): readonly SqlStatement[] {
		const { sessionId, number, checkpoint, state, reply, replaced } = write;
		const place = placeOf(number, checkpoint.seq);
		const isStateInline = checkpoint.stateBytes <= inlineBytes.state;
		const isReplyInline = checkpoint.replyBytes <= inlineBytes.reply;
		const statements: SqlStatement[] = [];
		if (checkpoint.seq === 1)
			statements.push({
				sql: 'INSERT INTO sessions (number, id) VALUES (?, ?)',
				parameters: [number, sessionId],
			});
		if (replaced !== undefined && isLarge(replaced))
			statements.push({ sql: 'DELETE FROM chunks WHERE place = ?', parameters: [place] });
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
		if (!isStateInline) statements.push(...chunksOf(place, 'state', state));
		if (reply !== undefined && !isReplyInline) statements.push(...chunksOf(place, 'reply', reply));
		for (const old of write.withoutState) statements.push(...dropText(number, 'state', old));
		for (const old of write.withoutReply) statements.push(...dropText(number, 'reply', old));
		return statements;
	}

	private async loadOnce(sessionId: string): Promise<StoredSession> {
		const home = this.numberOf(sessionId);
		for (let number = home; ; number = (number + 1) % numbers) {
			const first = number * ringSize;
			const parameters = [number, first, first + ringSize - 1, first];
			const rows = await this.database.read({ sql: selectSession, parameters });
			const id = rows.find(({ part }) => part === 'id')?.['text'];
			// Two ids may have the same home; the later one then lives next door.
			if (typeof id === 'string' && id !== sessionId && this.isNear(this.numberOf(id), number)) continue;
			if (id !== undefined && id !== sessionId) throw new DamageError('its id is not readable');
			return this.verified(sessionId, number, rows);
		}
	}

	private async verified(sessionId: string, number: number, rows: readonly SqlRow[]): Promise<StoredSession> {
		const isKnown = rows.some(({ part }) => part === 'id');
		const checkpoints = rows
			.filter(({ part, text }) => part === 'checkpoints' && text !== null)
			.flatMap(({ text }) => readable(text))
			.sort((one, other) => one.checkpoint.seq - other.checkpoint.seq);
		const newest = checkpoints.at(-1);
		if (newest === undefined) {
			if (isKnown) throw new DamageError('all its checkpoints are gone');
			return { number, latest: undefined, checkpoints };
		}
		if (!isKnown) throw new DamageError('its id is gone');
		for (const stored of checkpoints) this.verify(sessionId, number, stored);
		const { checkpoint } = newest;
		// All lie in different places of the ring, each in its own, so their number tells whether there is a gap.
		const expected = Math.min(checkpoint.seq, ringSize);
		const oldest = checkpoint.seq - expected + 1;
		if (checkpoints.length !== expected || checkpoints[0]?.checkpoint.seq !== oldest)
			throw new DamageError(`a checkpoint between ${oldest} and ${checkpoint.seq} is gone`);
		const place = placeOf(number, checkpoint.seq);
		const stored = rows.find(({ part }) => part === 'state')?.['text'];
		const state = await this.verifiedText(sessionId, place, 'state', checkpoint, stored);
		return { number, latest: { checkpoint, state }, checkpoints };
	}

	private verify(sessionId: string, number: number, { place, checkpoint, callHash: stored }: StoredCheckpoint): void {
		const { seq } = checkpoint;
		if (place !== placeOf(number, seq)) throw new DamageError(`checkpoint ${seq} is not at its place`);
		if (stored !== callHash(this.digest, sessionId, checkpoint))
			throw new DamageError(`checkpoint ${seq} fails its checksum`);
	}

	private async verifiedText(
		sessionId: string,
		place: number,
		part: 'state' | 'reply',
		checkpoint: Checkpoint,
		stored: SqlValue | undefined,
	): Promise<string> {
		const { seq, generation } = checkpoint;
		if (typeof stored !== 'string') throw new DamageError(`the ${part} of checkpoint ${seq} is gone`);
		const bytes = part === 'state' ? checkpoint.stateBytes : checkpoint.replyBytes;
		const text = bytes <= inlineBytes[part] ? stored : await this.chunkedText(place, part, seq);
		const isIntact =
			part === 'state'
				? stateHash(this.digest, sessionId, generation, seq, text) === checkpoint.stateHash
				: replyHash(this.digest, sessionId, generation, seq, text) === checkpoint.replyHash;
		if (!isIntact) throw new DamageError(`the ${part} of checkpoint ${seq} fails its checksum`);
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

/** Hexadecimal. With the ring's 8 bits a place then is an integer that a double holds. */
const numberDigits = 11;
const numbers = 16 ** numberDigits;

function placeOf(number: number, seq: number): number {
	return number * ringSize + (seq % ringSize);
}

function isLarge({ stateBytes, replyBytes }: Checkpoint): boolean {
	return stateBytes > inlineBytes.state || replyBytes > inlineBytes.reply;
}

function chunksOf(place: number, part: 'state' | 'reply', text: string): SqlStatement[] {
	return utf8Parts(text, chunkBytes).map((bytes, number) => ({
		sql: 'INSERT INTO chunks (place, part_of, number, bytes) VALUES (?, ?, ?, ?)',
		parameters: [place, part, number, bytes],
	}));
}

function dropText(number: number, part: 'state' | 'reply', checkpoint: Checkpoint): SqlStatement[] {
	const place = placeOf(number, checkpoint.seq);
	const statements: SqlStatement[] = [
		{ sql: `UPDATE checkpoints SET ${part} = NULL WHERE place = ?`, parameters: [place] },
	];
	if (isLarge(checkpoint)) {
		const sql = 'DELETE FROM chunks WHERE place = ? AND part_of = ?';
		statements.push({ sql, parameters: [place, part] });
	}
	return statements;
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
