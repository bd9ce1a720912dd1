// What the thread that holds the database and the one that asks it say to each other: plain data, gathered into few messages.

import type { SqlErrorCode, SqlRow, SqlValue } from '../../../core/store/sqlDatabase.ts';

/** What the worker is started with. */
export interface WorkerSettings {
	/** Modules to take SQLite from: the first that can be loaded. */
	readonly modules: readonly string[];
	/** Absolute. */
	readonly path: string;
	readonly access: DatabaseAccess;
	/** Bytes written after which the write-ahead log is copied into the file though somebody waits. It may grow to twice that. */
	readonly logBytes: number;
}

/**
 * `wal`: a file of this machine. `journal`: one of another machine, where processes cannot share the index of a write-ahead log. `read`: nothing
 * is written, not even beside the file.
 */
export type DatabaseAccess = 'wal' | 'journal' | 'read';

/** The number of a statement that was sent before, or the text of one that is not worth keeping. */
export type StatementReference = number | string;

export interface SentStatement {
	readonly statement: StatementReference;
	readonly parameters: readonly SqlValue[];
}

export interface ReadJob extends SentStatement {
	readonly kind: 'read';
	readonly id: number;
}

export interface WriteJob {
	readonly kind: 'write';
	readonly id: number;
	readonly generation: number;
	readonly statements: readonly SentStatement[];
}

export interface ClaimJob {
	readonly kind: 'claim';
	readonly id: number;
}

export type Job = ReadJob | WriteJob | ClaimJob;

/** In the order in which they were asked for. */
export interface WorkMessage {
	/** Those that the numbers from now on stand for, counted on from those of the messages before. */
	readonly newStatements: readonly string[];
	readonly jobs: readonly Job[];
	/** Nothing comes after this message. */
	readonly isLast: boolean;
}

export interface FailedJob {
	readonly id: number;
	readonly code: SqlErrorCode;
	readonly message: string;
}

export type WorkerMessage =
	| { readonly type: 'opened'; readonly sqliteVersion: string }
	/** It ends. */
	| { readonly type: 'unusable'; readonly message: string }
	| {
			readonly type: 'answers';
			readonly written: readonly number[];
			readonly read: readonly { readonly id: number; readonly rows: readonly SqlRow[] }[];
			readonly claimed: readonly { readonly id: number; readonly generation: number }[];
			readonly failed: readonly FailedJob[];
	  };
