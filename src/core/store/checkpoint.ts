import type { SqlRow, SqlValue } from './sqlDatabase.ts';
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

export function stateHash(digest: Digest, sessionId: string, generation: number, seq: number, state: string): string {
	return digest.sha256(framed(['state', sessionId, generation, seq]) + state);
}

export function replyHash(digest: Digest, sessionId: string, generation: number, seq: number, reply: string): string {
	return digest.sha256(framed(['reply', sessionId, generation, seq]) + reply);
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

/** Whatever the row says; its hash tells whether it was meant. */
export function checkpointOf(row: SqlRow): Checkpoint {
	return {
		seq: Number(row['seq']),
		generation: Number(row['generation']),
		at: Number(row['at']),
		key: textOrNothing(row['key']),
		tool: String(row['tool']),
		argumentsHash: String(row['arguments_hash']),
		stateBytes: Number(row['state_bytes']),
		replyBytes: Number(row['reply_bytes']),
		stateHash: String(row['state_hash']),
		replyHash: textOrNothing(row['reply_hash']),
	};
}

function textOrNothing(value: SqlValue | undefined): string | undefined {
	return value === undefined || value === null ? undefined : String(value);
}

/** Texts one after the other, so that no two lists give the same. */
function framed(values: readonly (string | number)[]): string {
	let text = '';
	for (const value of values) {
		const part = String(value);
		text += `${part.length}:${part}`;
	}
	return text;
}
