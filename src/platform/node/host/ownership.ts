// One host for each data directory. Who holds the lock of the operating system is the owner; the system takes it back from a process
// that ends, however it ends, so there is no such thing as a lock left behind.

import { createHmac } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { ExpectedError } from '../../../core/base/errors.ts';
import { DisposableStore } from '../../../core/base/lifecycle.ts';
import type { Disposable } from '../../../core/base/lifecycle.ts';
import type { HostAddress } from '../../../core/host/control.ts';
import type { Seal } from '../../../core/host/ports.ts';
import { isErrno } from '../errno.ts';
import { loadSqlite, MissingSqliteError, sqliteModulesHere } from '../store/nodeSqliteModule.ts';
import type { SqliteHandle, SqliteModule } from '../store/nodeSqliteModule.ts';
import { lastingSecret, ownerFile, prepareDataDirectory, readAddress, writeAddress } from './dataDirectory.ts';

/** Held until it is disposed of or the process ends. */
export interface Ownership extends Disposable {
	/** The folder's one true path. */
	readonly directory: string;
	/** Greater than that of every owner before. */
	readonly generation: number;
	/** The same for every owner of this folder, so that the addresses which clients know stay true. */
	readonly token: string;
	/** Likewise, for the addresses of hooks alone. */
	readonly hookToken: string;
	/** Likewise: the port that the owner before had. */
	readonly previousPort: number | undefined;
	readonly seal: Seal;
	/** Tells everybody where this owner is to be found. */
	publish(place: { readonly port: number; readonly controlSocket: string }): Promise<HostAddress>;
}

/** `undefined`: another process owns this folder. */
export async function takeOwnership(directory: string): Promise<Ownership | undefined> {
	const real = await prepareDataDirectory(directory);
	const lock = await takeLock(join(real, ownerFile), { contentionMs });
	if (lock === undefined) return undefined;
	try {
		const [token, hookToken, key, previous] = [
			await lastingSecret(real, 'token', 24),
			await hookTokenIn(real),
			await lastingSecret(real, 'seal-key', 32),
			await readAddress(real),
		];
		const { generation } = lock;
		return {
			directory: real,
			generation,
			token,
			hookToken,
			previousPort: previous === undefined ? undefined : portOf(previous),
			seal: { of: (text) => createHmac('sha256', key).update(text).digest('base64url') },
			async publish({ port, controlSocket }) {
				const url = `http://127.0.0.1:${port}`;
				const address = { url, token, controlSocket, pid: process.pid, generation, dataDir: real };
				await writeAddress(real, address);
				return address;
			},
			dispose: () => lock.dispose(),
		};
	} catch (error) {
		lock.dispose();
		throw error;
	}
}

/** Who knows it can post hook events to the host of this folder, and nothing else. */
export async function hookTokenIn(directory: string): Promise<string> {
	return lastingSecret(directory, 'hook-token', 24);
}

/** `undefined`: the owner before listened nowhere. */
function portOf({ url }: HostAddress): number | undefined {
	const port = Number(new URL(url).port);
	return port === 0 ? undefined : port;
}

export interface Lock extends Disposable {
	/** How often it has been taken. */
	readonly generation: number;
}

/** How long two that begin at the same time try again; one of them has it well before. */
const contentionMs = 300;

const sqliteBusy = 5;

export interface LockOptions {
	/** For so long it is tried again, in which this process does nothing else. */
	readonly contentionMs: number;
	/** As for `openNodeSqlite`. */
	readonly sqliteModules?: readonly string[];
}

/** A lock of the operating system on a file of its own. `undefined`: another process holds it. */
export async function takeLock(path: string, options: LockOptions): Promise<Lock | undefined> {
	const lock = lockFile(path, options);
	try {
		if (lock !== undefined && process.platform !== 'win32') await chmod(path, 0o600);
	} catch (error) {
		lock?.dispose();
		throw error;
	}
	return lock;
}

function lockFile(path: string, { contentionMs, sqliteModules = sqliteModulesHere() }: LockOptions): Lock | undefined {
	const { DatabaseSync } = sqliteOf(sqliteModules);
	let database: SqliteHandle | undefined;
	try {
		createPrivately(path);
		database = new DatabaseSync(path);
		// Not the constructor's own option, which some versions of Node ignore.
		database.exec(`PRAGMA busy_timeout = ${contentionMs}`);
		// In this mode SQLite keeps the lock of the first transaction for as long as the connection is open.
		database.exec('PRAGMA locking_mode = EXCLUSIVE');
		database.exec('BEGIN EXCLUSIVE');
		database.exec(
			'CREATE TABLE IF NOT EXISTS owner (id INTEGER PRIMARY KEY CHECK (id = 1), generation INTEGER NOT NULL)',
		);
		const row = database
			.prepare(
				'INSERT INTO owner VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET generation = generation + 1 RETURNING generation',
			)
			.get();
		database.exec('COMMIT');
		const held = new DisposableStore();
		const taken = database;
		held.add({ dispose: () => taken.close() });
		return { generation: Number(row?.['generation']), dispose: () => held.dispose() };
	} catch (error) {
		database?.close();
		// The lower byte is SQLite's basic code.
		if (error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === sqliteBusy)
			return undefined;
		throw new ExpectedError(
			`The lock ${path} cannot be used: ${error instanceof Error ? error.message : String(error)}. If no host is running there, remove it.`,
			{ cause: error },
		);
	}
}

function sqliteOf(modules: readonly string[]): SqliteModule {
	try {
		return loadSqlite(modules);
	} catch (error) {
		throw error instanceof MissingSqliteError ? new ExpectedError(error.message, { cause: error }) : error;
	}
}

/** What SQLite writes beside a file may be read by whoever may read the file. One that is there is left alone: closing it would end locks. */
function createPrivately(path: string): void {
	try {
		closeSync(openSync(path, 'wx', 0o600));
	} catch (error) {
		if (!isErrno(error, 'EEXIST')) throw error;
	}
}
