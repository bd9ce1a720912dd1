// Where recorded events are to be read as files: below the database's path, where no true file can lie.

import { dirname, join, sep } from 'node:path';
import { storeFile } from './storeFile.ts';

export function databasePath(directory: string): string {
	return join(directory, storeFile);
}

/** @param sessionId As the events have it: `claude-code:…`. */
export function recordingPath(directory: string, sessionId: string): string {
	return `${databasePath(directory)}${sep}session-${encodeURIComponent(sessionId)}.jsonl`;
}

const inDatabase = /^(.*[\\/]sessions\.sqlite)[\\/](?:session-([^\\/]+)|log-(\d+))\.jsonl$/;

/** Whether a path is one of these. */
export function isRecording(path: string): boolean {
	return path.includes(storeFile) && partsOf(path) !== undefined;
}

export interface RecordingParts {
	readonly database: string;
	/** `undefined`: it is a whole log. */
	readonly sessionId: string | undefined;
	readonly log: number;
}

export function partsOf(path: string): RecordingParts | undefined {
	const [, database, session, log] = inDatabase.exec(path) ?? [];
	if (database === undefined) return undefined;
	try {
		const sessionId = session === undefined ? undefined : decodeURIComponent(session);
		return { database, sessionId, log: Number(log) };
	} catch {
		// Somebody has made it up.
		return undefined;
	}
}

/** The session whose events a path stands for, and the data directory that they are in. */
export function sessionOfRecording(
	path: string,
): { readonly directory: string; readonly sessionId: string } | undefined {
	const { database, sessionId } = partsOf(path) ?? {};
	return database === undefined || sessionId === undefined ? undefined : { directory: dirname(database), sessionId };
}
