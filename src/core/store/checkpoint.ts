import type { Digest } from './storePlatform.ts';

/** All of a checkpoint that is small. */
export interface Checkpoint {
	readonly seq: number;
	readonly generation: number;
	/** Epoch milliseconds. */
	readonly at: number;
	readonly key: string | undefined;
	readonly tool: string;
	readonly argumentsHash: string;
	/** In UTF-8. */
	readonly stateBytes: number;
	readonly replyBytes: number;
	readonly stateHash: string;
	/** Without a key no reply is kept. */
	readonly replyHash: string | undefined;
}

/** What later calls need to know of it. Hundreds of them are in memory for each session, so it is no more than that. */
export interface PastCall {
	readonly seq: number;
	readonly generation: number;
	readonly key: string | undefined;
	readonly tool: string;
	readonly argumentsHash: string;
	readonly stateBytes: number;
	readonly replyBytes: number;
	readonly replyHash: string | undefined;
	/** Until when its reply is kept, by the clock that never goes back. */
	readonly expiresAt: number;
}

export function pastCall(checkpoint: Checkpoint, expiresAt: number): PastCall {
	const { seq, generation, key, tool, argumentsHash, stateBytes, replyBytes, replyHash } = checkpoint;
	return { seq, generation, key, tool, argumentsHash, stateBytes, replyBytes, replyHash, expiresAt };
}

export function stateHash(digest: Digest, sessionId: string, generation: number, seq: number, state: string): string {
	return digest.sha256Of(framed(['state', sessionId, generation, seq]), state);
}

export function replyHash(digest: Digest, sessionId: string, generation: number, seq: number, reply: string): string {
	return digest.sha256Of(framed(['reply', sessionId, generation, seq]), reply);
}

/** Over all the rest, and through their hashes over state and reply: it holds when those are not kept any more. */
export function callHash(digest: Digest, sessionId: string, checkpoint: Checkpoint): string {
	const { seq, generation, at, key, tool, argumentsHash, stateBytes, replyBytes } = checkpoint;
	return digest.sha256(
		framed([
			'call',
			sessionId,
			seq,
			generation,
			at,
			key === undefined ? 0 : 1,
			key ?? '',
			tool,
			argumentsHash,
			stateBytes,
			replyBytes,
			checkpoint.stateHash,
			checkpoint.replyHash ?? '',
		]),
	);
}

/** Over what a lap says: that the replies up to this call were let go. */
export function letGoHash(digest: Digest, sessionId: string, seq: number): string {
	return digest.sha256(framed(['let go', sessionId, seq]));
}

/** What a row says of itself. Whether it was meant, its hash tells. */
export interface StoredCheckpoint {
	readonly place: number;
	readonly checkpoint: Checkpoint;
	readonly callHash: string;
	readonly hasState: boolean;
	readonly hasReply: boolean;
}

/**
 * An expression for all of the row that is small, as JSON: a few hundred rows, each with a column for each value, would take several times as
 * long to come out of the database. To ask for the type of a text does not read it; to ask whether it is null would.
 */
export const storedCheckpoint = [
	...[
		'place',
		'seq',
		'generation',
		'at',
		'arguments_hash',
		'state_bytes',
		'reply_bytes',
		'state_hash',
		'call_hash',
	].map((column) => `'"' || ifnull(c.${column}, '') || '"'`),
	...['key', 'tool', 'reply_hash'].map((column) => `json_quote(CAST(c.${column} AS TEXT))`),
	...['state', 'reply'].map((column) => `(typeof(c.${column}) <> 'null')`),
]
	.join(` || ',' || `)
	.replace(/^.*$/, `'[' || $& || ']'`);

/** Those that the expression gave, one after the other with commas. Throws where that is no JSON. */
export function storedCheckpoints(text: string): readonly StoredCheckpoint[] {
	const lines = JSON.parse(`[${text}]`) as readonly StoredLine[];
	return lines.map(
		([
			place,
			seq,
			generation,
			at,
			argumentsHash,
			stateBytes,
			replyBytes,
			stateHash,
			callHash,
			key,
			tool,
			reply,
			...has
		]) => ({
			place: Number(place),
			checkpoint: {
				seq: Number(seq),
				generation: Number(generation),
				at: Number(at),
				key: key ?? undefined,
				tool: tool ?? '',
				argumentsHash,
				stateBytes: Number(stateBytes),
				replyBytes: Number(replyBytes),
				stateHash,
				replyHash: reply ?? undefined,
			},
			callHash,
			hasState: has[0] === 1,
			hasReply: has[1] === 1,
		}),
	);
}

type StoredLine = readonly [
	place: string,
	seq: string,
	generation: string,
	at: string,
	argumentsHash: string,
	stateBytes: string,
	replyBytes: string,
	stateHash: string,
	callHash: string,
	key: string | null,
	tool: string | null,
	replyHash: string | null,
	hasState: number,
	hasReply: number,
];

/** Texts one after the other, so that no two lists give the same. */
function framed(values: readonly (string | number)[]): string {
	let text = '';
	for (const value of values) {
		const part = String(value);
		text += `${part.length}:${part}`;
	}
	return text;
}
