import type { StoreErrorRecord } from './createTurns.ts';
import { isDamage } from './sessionTable.ts';
import { SqlError } from './sqlDatabase.ts';
import { inSession, quoted } from './storable.ts';
import { StoreError } from './storeError.ts';
import type { StoreErrorCode } from './storeError.ts';

/** What a caller is told when the database has failed. */
export function storeErrorOf(error: unknown, sessionId: string | undefined): StoreError {
	if (error instanceof StoreError) return error;
	const [code, sentence] = explain(error, sessionId);
	return new StoreError(code, sentence, sessionId, { cause: error });
}

function explain(error: unknown, sessionId: string | undefined): readonly [code: StoreErrorCode, sentence: string] {
	const detail = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
	const session = sessionId === undefined ? 'the store' : `session ${quoted(sessionId)}`;
	if (isDamage(error))
		return sessionId === undefined
			? // To try again is of no use.
				['unusable-directory', `The session store cannot be read: ${detail}.`]
			: ['session-damaged', `What is kept of ${session} is damaged, and stays as it is: ${detail}.`];
	// Whatever else is thrown is no answer of the database; nothing was acknowledged then either.
	const code = error instanceof SqlError ? error.code : 'other';
	switch (code) {
		case 'fenced':
			return ['fenced', `Another owner has taken over ${session}.`];
		case 'full':
			return ['disk-full', `The disk is full; nothing was written to ${session}: ${detail}.`];
		case 'read-only':
			return ['read-only', `Nothing can be written to ${session}: ${detail}.`];
		case 'closed':
			return ['owner-lost', `The owner of ${session} has ended: ${detail}.`];
		case 'limit':
			return ['too-large', `That is more than ${session} takes: ${detail}.`];
		case 'io':
		case 'damaged':
		case 'other':
			return ['disk-failed', `The database of ${session} has failed: ${detail}.`];
	}
}

/** As whoever has called hears it: what has failed may have known of no session. */
export function ofSession(error: StoreError, sessionId: string): StoreError;
export function ofSession(error: unknown, sessionId: string): unknown;
export function ofSession(error: unknown, sessionId: string): unknown {
	if (!(error instanceof StoreError) || error.sessionId !== undefined) return error;
	return new StoreError(error.code, inSession(error.message, sessionId), sessionId, { cause: error });
}

export function recordOf({ code, message, sessionId }: StoreError): StoreErrorRecord {
	return { code, message, sessionId };
}

export function storeErrorFrom({ code, message, sessionId }: StoreErrorRecord): StoreError {
	return new StoreError(code, message, sessionId);
}
