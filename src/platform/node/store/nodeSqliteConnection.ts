// One connection to one file, and what becomes of it when the disk fails. Runs in the worker thread: everything here is synchronous.

import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createMeta, raiseGeneration, readGeneration } from '../../../core/store/fence.ts';
import { SqlError } from '../../../core/store/sqlDatabase.ts';
import type { SqlErrorCode, SqlRow } from '../../../core/store/sqlDatabase.ts';
import { mostParameters, rowBytes, statementBytes } from '../../../core/store/portableSql.ts';
import { MissingSqliteError } from './nodeSqliteModule.ts';
import type { SqliteHandle, SqliteModule, SqlitePrepared } from './nodeSqliteModule.ts';
import { ReserveFile } from './nodeSqliteReserve.ts';
import type { DatabaseAccess, FailedJob, SentStatement, StatementReference, WriteJob } from './sqliteWorkerMessages.ts';

export interface ConnectionSettings {
	readonly path: string;
	readonly access: DatabaseAccess;
	/** Bytes written after which the write-ahead log is copied into the file. It may grow to twice that, and then begins anew. */
	readonly logBytes: number;
}

/** How long another process that reads the file, say a person with SQLite's shell, may keep a writer from it. */
const busyMs = 2_000;

/** A longer log is copied when nobody has asked for anything for a while. */
const quietLogBytes = 1024 * 1024;

const cacheKilobytes = 16 * 1024;

/** Below this version two connections can damage a write-ahead log while it begins anew (sqlite.org/wal.html#walresetbug). */
const safeVersion = [3, 51, 3] as const;

export class NodeSqliteConnection {
	readonly sqliteVersion: string;
	private readonly module: SqliteModule;
	private readonly settings: ConnectionSettings;
	private readonly reserve: ReserveFile | undefined;
	private readonly statements: string[] = [];
	private opened: OpenFile | undefined;
	private closedBecause = 'The database is closed.';
	private unsavedBytes = 0;

	constructor(module: SqliteModule, settings: ConnectionSettings) {
		this.module = module;
		this.settings = settings;
		this.sqliteVersion = versionOf(module);
		this.opened = this.openFile();
		this.reserve = settings.access === 'read' ? undefined : new ReserveFile(`${settings.path}-reserve`);
		this.reserve?.make();
	}

	addStatements(statements: readonly string[]): void {
		this.statements.push(...statements);
	}

	read(job: SentStatement): readonly SqlRow[] {
		try {
			// Values are read as they were written: the types of SQLite are those of SqlValue, except bigint, which only reading as bigint gives.
			return this.prepared(job.statement).all(...job.parameters) as SqlRow[];
		} catch (error) {
			if (codeOf(error) === 'io') this.reopen();
			throw this.errorOf(error);
		}
	}

	/** Raises the generation, which fences off all writes with an earlier one. */
	claim(): number {
		this.refuseIfReadOnly();
		const { handle } = this.file();
		try {
			handle.exec('BEGIN IMMEDIATE');
			handle.exec(createMeta);
			handle.exec(raiseGeneration);
			const generation = this.generation();
			this.commit();
			return generation;
		} catch (error) {
			this.recover(error);
			throw this.errorOf(error);
		}
	}

	/**
	 * Writes all jobs in one transaction, and gives those that failed: none of them has left anything. Of a job that fails for a reason of its
	 * own the others do not suffer.
	 */
	write(jobs: readonly WriteJob[], bytes: number): readonly FailedJob[] {
		try {
			this.refuseIfReadOnly();
			this.file();
		} catch (error) {
			return failAll(jobs, failureOf(error));
		}
		if (this.reserve?.make() === false) {
			// Only what makes room is let through.
			const [freeing, others] = partition(jobs, (job) => this.isFreeing(job));
			const failed = failAll(others, { code: 'full', message: `The disk of ${this.settings.path} is full.` });
			return [...failed, ...(freeing.length === 0 ? [] : this.writeGroup(freeing))];
		}
		this.unsavedBytes += bytes;
		return this.writeGroup(jobs);
	}

	/**
	 * Copies the log into the file, if it is long enough: that delays whoever comes next.
	 * @param isBusy Somebody has come already.
	 */
	checkpoint(isBusy: boolean): void {
		const { access, logBytes } = this.settings;
		const enough = isBusy ? logBytes : Math.min(logBytes, quietLogBytes);
		if (this.unsavedBytes < enough || access !== 'wal' || this.opened === undefined) return;
		this.unsavedBytes = 0;
		try {
			this.opened.handle.exec('PRAGMA wal_checkpoint(PASSIVE)');
		} catch (error) {
			// Nothing is lost: the log has it all, and the next time tries again. But a disk that fails is not to be trusted with what it says it has.
			if (codeOf(error) === 'io') this.reopen();
		}
	}

	close(): void {
		this.opened?.close();
		this.opened = undefined;
	}

	private writeGroup(jobs: readonly WriteJob[]): readonly FailedJob[] {
		try {
			return this.transaction(jobs, (job) => this.runStatements(job));
		} catch (error) {
			this.recover(error);
			const failure = this.failureOf(error);
			if (jobs.length === 1 || isOfAll(error)) return failAll(jobs, failure);
		}
		// One of them is bad. It is found out which by what costs more.
		try {
			return this.transaction(jobs, (job, { handle }) => {
				handle.exec('SAVEPOINT job');
				try {
					this.runStatements(job);
				} catch (error) {
					if (isOfAll(error)) throw error;
					handle.exec('ROLLBACK TO job');
					handle.exec('RELEASE job');
					return this.failureOf(error);
				}
				handle.exec('RELEASE job');
				return undefined;
			});
		} catch (error) {
			this.recover(error);
			return failAll(jobs, this.failureOf(error));
		}
	}

	private transaction(
		jobs: readonly WriteJob[],
		run: (job: WriteJob, file: OpenFile) => Failure | undefined,
	): readonly FailedJob[] {
		const file = this.file();
		const failed: FailedJob[] = [];
		// From here on nobody else can raise the generation before this transaction has ended.
		file.handle.exec('BEGIN IMMEDIATE');
		const latest = this.generation();
		for (const job of jobs) {
			const failure =
				job.generation === latest
					? run(job, file)
					: ({ code: 'fenced', message: `Generation ${job.generation} was followed by ${latest}.` } as const);
			if (failure !== undefined) failed.push({ id: job.id, ...failure });
		}
		if (failed.length === jobs.length) file.handle.exec('ROLLBACK');
		else this.commit();
		return failed;
	}

	private runStatements({ statements }: WriteJob): undefined {
		for (const { statement, parameters } of statements) this.prepared(statement).run(...parameters);
	}

	private commit(): void {
		try {
			this.file().handle.exec('COMMIT');
		} catch (error) {
			throw new CommitError(error);
		}
	}

	private generation(): number {
		const { handle, generation } = this.file();
		try {
			generation.prepared ??= handle.prepare(readGeneration);
			return Number(generation.prepared.get()?.['value'] ?? 0);
		} catch (error) {
			// Nobody has claimed it yet.
			if (error instanceof Error && error.message.includes('no such table')) return 0;
			throw error;
		}
	}

	private prepared(reference: StatementReference): SqlitePrepared {
		const { handle, prepared } = this.file();
		if (typeof reference === 'string') return handle.prepare(reference);
		const known = prepared[reference];
		if (known !== undefined) return known;
		const sql = this.statements[reference];
		if (sql === undefined) throw new Error(`Statement ${reference} was never sent.`);
		return (prepared[reference] = handle.prepare(sql));
	}

	/** After an error inside a transaction: nothing of it is left, or the connection is closed. */
	private recover(error: unknown): void {
		const file = this.opened;
		if (file === undefined) return;
		try {
			file.handle.exec('ROLLBACK');
		} catch {
			// SQLite has rolled it back by itself, or cannot; then the file is opened anew, below.
		}
		const code = codeOf(error);
		if (code === 'full') {
			this.reserve?.release();
			try {
				// What is in the file already needs no room in the log.
				file.handle.exec('PRAGMA wal_checkpoint(TRUNCATE)');
			} catch {
				// Then the log stays as long as it is.
			}
		} else if (code === 'io') {
			this.reopen(error instanceof CommitError);
		}
	}

	/**
	 * What SQLite holds of the file in memory may not be what is on a disk that failed.
	 * @param isInDoubt A commit failed: it may be in the log, whole, and what is in the log becomes true when the file is opened again.
	 */
	private reopen(isInDoubt = false): void {
		const { path, access } = this.settings;
		this.opened?.close();
		this.opened = undefined;
		// SQLite removes the log after it has copied into the file what was committed, and nothing else. Without the log there is no doubt.
		if (isInDoubt && (access !== 'wal' || existsSync(`${path}-wal`))) {
			this.closedBecause = `The disk of ${path} failed in the middle of a write, and fails still. The store is closed; open it again when the disk works.`;
			return;
		}
		try {
			this.opened = this.openFile();
		} catch (error) {
			this.closedBecause = `The disk of ${path} failed, and the store cannot be opened again: ${messageOf(error)}`;
		}
	}

	private openFile(): OpenFile {
		const file = this.settings.access === 'read' ? this.openForReading() : this.openForWriting();
		try {
			// A file that is no database, or a damaged one, says so here and not in the middle of a call.
			file.handle.prepare('SELECT count(*) FROM sqlite_schema').get();
			return file;
		} catch (error) {
			file.close();
			throw error;
		}
	}

	private openForWriting(): OpenFile {
		const { path, access, logBytes } = this.settings;
		const file = new OpenFile(new this.module.DatabaseSync(path, { limits }));
		const { handle } = file;
		try {
			// First of all, since the next line may find the file locked already. The option of the constructor is ignored by some versions of Node.
			handle.exec(`PRAGMA busy_timeout = ${busyMs}`);
			// In this mode SQLite lets no second connection in. In a folder of another machine nobody else could be kept out later.
			if (access === 'journal' || !isSafeForTwo(this.sqliteVersion)) {
				handle.exec('PRAGMA locking_mode = EXCLUSIVE');
			}
			// A checkpoint of 16 KB in fewer pieces costs a tenth less than in SQLite's own size. It counts for a new file only.
			handle.exec('PRAGMA page_size = 8192');
			handle.exec(`PRAGMA journal_mode = ${access === 'wal' ? 'WAL' : 'DELETE'}`);
			// A journal is gone for certain only when its folder has been synced too.
			handle.exec(`PRAGMA synchronous = ${access === 'wal' ? 'FULL' : 'EXTRA'}`);
			// Elsewhere than on macOS this changes nothing; there a mere fsync leaves the data in the drive's own memory.
			handle.exec('PRAGMA fullfsync = ON');
			handle.exec('PRAGMA checkpoint_fullfsync = ON');
			// Copying the log is done when nobody waits for it.
			handle.exec('PRAGMA wal_autocheckpoint = 0');
			handle.exec(`PRAGMA journal_size_limit = ${2 * logBytes}`);
			handle.exec('PRAGMA temp_store = MEMORY');
			// What a checkpoint lets go of has to be looked at first, and it was written a moment ago.
			handle.exec(`PRAGMA cache_size = -${cacheKilobytes}`);
			if (access === 'journal' || !isSafeForTwo(this.sqliteVersion)) handle.exec('BEGIN EXCLUSIVE; COMMIT');
			return file;
		} catch (error) {
			file.close();
			throw error;
		}
	}

	private openForReading(): OpenFile {
		const { path } = this.settings;
		// SQLite reads a write-ahead log only where it may write an index beside it.
		const folder = mkdtempSync(join(tmpdir(), 'crosstalk-store-'));
		const removeFolder = () => {
			try {
				rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
			} catch {
				// Somebody looks into it, as virus scanners do: it stays for the system to clear away.
			}
		};
		try {
			for (const suffix of ['', '-wal', '-journal']) {
				if (existsSync(path + suffix)) copyFileSync(path + suffix, join(folder, basename(path) + suffix));
			}
			const file = new OpenFile(new this.module.DatabaseSync(join(folder, basename(path))), removeFolder);
			file.handle.exec('PRAGMA query_only = ON');
			return file;
		} catch (error) {
			removeFolder();
			throw error;
		}
	}

	private file(): OpenFile {
		if (this.opened === undefined) throw new SqlError('closed', this.closedBecause);
		return this.opened;
	}

	private refuseIfReadOnly(): void {
		if (this.settings.access === 'read') {
			throw new SqlError('read-only', `${this.settings.path} can only be read.`);
		}
	}

	private isFreeing({ statements }: WriteJob): boolean {
		return statements.every(({ statement }) => {
			const sql = typeof statement === 'string' ? statement : this.statements[statement];
			return sql !== undefined && /^\s*DELETE\b/iu.test(sql);
		});
	}

	private errorOf(error: unknown): SqlError {
		const { code, message } = this.failureOf(error);
		return new SqlError(code, message, { cause: error });
	}

	private failureOf(error: unknown): Failure {
		if (error instanceof SqlError) return { code: error.code, message: error.message };
		const { path } = this.settings;
		const code = codeOf(error);
		const reason = messageOf(error);
		switch (code) {
			case 'full':
				return { code, message: `The disk of ${path} is full.` };
			case 'io':
				return { code, message: `The disk of ${path} failed: ${reason}.` };
			case 'damaged':
				return { code, message: `${path} is damaged (${reason}). It is kept as it is.` };
			case 'read-only':
				return { code, message: `${path} can only be read (${reason}).` };
			case 'limit':
				return { code, message: `A row is larger than ${rowBytes / 1e6} MB (${reason}).` };
			case 'fenced':
			case 'closed':
				return { code, message: reason };
			case 'other':
				return { code, message: isBusy(error) ? `Another process holds ${path}.` : reason };
		}
	}
}

interface Failure {
	readonly code: SqlErrorCode;
	readonly message: string;
}

/** A commit's outcome is known only by what the disk has. */
class CommitError extends Error {
	override readonly name = 'CommitError';

	constructor(cause: unknown) {
		super(messageOf(cause), { cause });
	}
}

class OpenFile {
	readonly handle: SqliteHandle;
	readonly prepared: SqlitePrepared[] = [];
	readonly generation: { prepared?: SqlitePrepared } = {};
	private readonly afterwards: () => void;

	constructor(handle: SqliteHandle, afterwards: () => void = () => undefined) {
		this.handle = handle;
		this.afterwards = afterwards;
	}

	close(): void {
		try {
			this.handle.close();
		} catch {
			// A disk that failed may fail here too. Whoever opens the file next finds what was committed.
		} finally {
			this.afterwards();
		}
	}
}

const limits = { length: rowBytes, sqlLength: statementBytes, variableNumber: mostParameters, column: 100 };

/** The primary result codes of SQLite that say more than "it failed". */
const codes: ReadonlyMap<number, SqlErrorCode> = new Map([
	[8, 'read-only'],
	[10, 'io'],
	[11, 'damaged'],
	[13, 'full'],
	[18, 'limit'],
	[26, 'damaged'],
]);

function codeOf(error: unknown): SqlErrorCode {
	if (error instanceof SqlError) return error.code;
	if (error instanceof CommitError) return codeOf(error.cause);
	return codes.get(basicCodeOf(error) ?? 0) ?? 'other';
}

function basicCodeOf(error: unknown): number | undefined {
	// The lower byte is the primary code.
	return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
}

/** What a failure says when there is no connection that could say more. */
export function failureOf(error: unknown): Failure {
	return { code: codeOf(error), message: messageOf(error) };
}

/** Why a store cannot be opened: a sentence. */
export function whyUnusable(error: unknown, path: string): string {
	const reason = messageOf(error);
	// What is wrong is not the file.
	if (error instanceof MissingSqliteError) return reason;
	if (isBusy(error)) return `The session store ${path} is held by another process.`;
	return codeOf(error) === 'damaged'
		? `The session store ${path} is damaged: ${reason}. It is kept as it is; move it away to begin with an empty one.`
		: `The session store ${path} cannot be opened: ${reason}.`;
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** What befell one job would befall the next. */
function isOfAll(error: unknown): boolean {
	if (error instanceof CommitError || isBusy(error)) return true;
	const code = codeOf(error);
	return code === 'full' || code === 'io' || code === 'damaged' || code === 'read-only' || code === 'closed';
}

function isBusy(error: unknown): boolean {
	return basicCodeOf(error) === 5;
}

function failAll(jobs: readonly WriteJob[], failure: Failure): readonly FailedJob[] {
	return jobs.map(({ id }) => ({ id, code: failure.code, message: failure.message }));
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): readonly [readonly T[], readonly T[]] {
	return [items.filter((item) => isFirst(item)), items.filter((item) => !isFirst(item))];
}

function versionOf(module: SqliteModule): string {
	const handle = new module.DatabaseSync(':memory:');
	try {
		return String(handle.prepare('SELECT sqlite_version() AS version').get()?.['version']);
	} finally {
		handle.close();
	}
}

function isSafeForTwo(version: string): boolean {
	const parts = version.split('.').map(Number);
	for (const [index, needed] of safeVersion.entries()) {
		const part = parts[index] ?? 0;
		if (part !== needed) return part > needed;
	}
	return true;
}
