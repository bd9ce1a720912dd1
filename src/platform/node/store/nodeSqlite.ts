// The embedded engine: SQLite in a thread of its own, so that nothing here waits for a disk. What is asked for in one turn of the event loop
// goes over in few messages.

import { Worker } from 'node:worker_threads';
import { SmallMap } from '../../../core/base/smallMap.ts';
import { SqlError } from '../../../core/store/sqlDatabase.ts';
import type { SqlDatabase, SqlRow, SqlStatement } from '../../../core/store/sqlDatabase.ts';
import { StoreError } from '../../../core/store/storeError.ts';
import { prepareStoreFile } from './nodeSqliteFile.ts';
import type { StoreFile } from './nodeSqliteFile.ts';
import { sqliteModulesHere } from './nodeSqliteModule.ts';
import { refuseUnportable } from '../../../core/store/portableSql.ts';
import { sqliteWorkerEntry } from './sqliteWorkerEntry.ts';
import type {
	Job,
	SentStatement,
	StatementReference,
	WorkerMessage,
	WorkerSettings,
	WorkMessage,
} from './sqliteWorkerMessages.ts';

export interface NodeSqliteOptions {
	/** Of the store alone. Made if it is not there. */
	readonly directory: string;
	/** Whether the folder is on another machine; `undefined`: the system is asked. */
	readonly isRemote?: boolean;
	/** Modules to take SQLite from: the first that there is. `undefined`: Node's own, then a package. */
	readonly sqliteModules?: readonly string[];
	/** Bytes written after which the write-ahead log is copied into the file though somebody waits. */
	readonly logBytes?: number;
}

const megabyte = 1024 * 1024;

export interface NodeSqlite extends SqlDatabase {
	/** Absolute. */
	readonly path: string;
	/** The folder or the file cannot be written to. */
	readonly isReadOnly: boolean;
	readonly sqliteVersion: string;
}

/** Rejects with `StoreError` and a sentence that names the folder or the file. */
export async function openNodeSqlite(options: NodeSqliteOptions): Promise<NodeSqlite> {
	const { directory, isRemote, sqliteModules = sqliteModulesHere(), logBytes = 32 * megabyte } = options;
	const file = await prepareStoreFile(directory, isRemote === undefined ? undefined : async () => isRemote);
	const settings: WorkerSettings = { modules: sqliteModules, ...file, logBytes };
	const { source, isProgram } = sqliteWorkerEntry;
	const worker = new Worker(source, { eval: isProgram, workerData: settings });
	const sqliteVersion = await new Promise<string>((resolve, reject) => {
		worker.once('message', (message: WorkerMessage) => {
			if (message.type === 'opened') resolve(message.sqliteVersion);
			else if (message.type === 'unusable') reject(unusable(message.message));
		});
		const failed = (reason: string) =>
			reject(unusable(`The session store ${file.path} cannot be opened: ${reason}.`));
		worker.once('error', (error) => failed(error.message));
		worker.once('exit', () => failed('its thread ended'));
	});
	return new WorkerSqlite(worker, file, sqliteVersion);
}

function unusable(sentence: string): StoreError {
	return new StoreError('unusable-directory', sentence, undefined);
}

interface Waiting {
	resolve(value: unknown): void;
	reject(error: SqlError): void;
}

/** More kinds of statements than a store has; beyond that they are not kept. */
const keptStatements = 256;

/** So many do not wait for the rest: otherwise the thread would do nothing while this one works, and then the other way round. */
const jobsAtOnce = 16;

/** Each of them goes on with a whole call at once, as a rule, while nothing else of this thread gets its turn. */
const answersAtOnce = 6;

class WorkerSqlite implements NodeSqlite {
	readonly path: string;
	readonly isReadOnly: boolean;
	readonly sqliteVersion: string;
	private readonly worker: Worker;
	private readonly waiting = new SmallMap<number, Waiting>();
	private readonly statements = new Map<string, number>();
	private newStatements: string[] = [];
	private jobs: Job[] = [];
	/** Have come, and not been told. */
	private readonly answers: (() => void)[] = [];
	private isAnswering = false;
	private lastId = 0;
	private isSending = false;
	private closing: Promise<void> | undefined;
	private hasEnded = false;

	constructor(worker: Worker, file: StoreFile, sqliteVersion: string) {
		this.worker = worker;
		this.path = file.path;
		this.isReadOnly = file.access === 'read';
		this.sqliteVersion = sqliteVersion;
		worker.removeAllListeners('error');
		worker.removeAllListeners('exit');
		worker.on('message', (message: WorkerMessage) => this.settle(message));
		worker.once('error', (error) => this.end(`The thread of ${this.path} failed: ${error.message}`));
		worker.once('exit', () => this.end('The database is closed.'));
		worker.unref();
	}

	async read(statement: SqlStatement): Promise<readonly SqlRow[]> {
		refuseUnportable(statement);
		// The answer to a reading job is rows.
		return (await this.ask((id) => ({ kind: 'read', id, ...this.sent(statement) }))) as readonly SqlRow[];
	}

	async write(statements: readonly SqlStatement[], generation: number): Promise<void> {
		for (const statement of statements) refuseUnportable(statement);
		await this.ask((id) => ({
			kind: 'write',
			id,
			generation,
			statements: statements.map((statement) => this.sent(statement)),
		}));
	}

	async claim(): Promise<number> {
		return (await this.ask((id) => ({ kind: 'claim', id }))) as number; // the answer to a claim is a generation
	}

	close(): Promise<void> {
		this.closing ??= this.hasEnded
			? Promise.resolve()
			: new Promise((resolve) => {
					this.worker.once('exit', () => resolve());
					this.worker.ref();
					this.send(true);
				});
		return this.closing;
	}

	private ask(jobOf: (id: number) => Job): Promise<unknown> {
		if (this.closing !== undefined || this.hasEnded) {
			return Promise.reject(new SqlError('closed', 'The database is closed.'));
		}
		return new Promise((resolve, reject) => {
			const id = ++this.lastId;
			// While somebody waits, the process must not end.
			if (this.waiting.size === 0) this.worker.ref();
			this.waiting.set(id, { resolve, reject });
			this.jobs.push(jobOf(id));
			if (this.jobs.length >= jobsAtOnce) this.send(false);
			else this.sendSoon();
		});
	}

	private sendSoon(): void {
		if (this.isSending) return;
		this.isSending = true;
		setImmediate(() => {
			this.isSending = false;
			this.send(false);
		});
	}

	private send(isLast: boolean): void {
		if (this.hasEnded || (this.jobs.length === 0 && !isLast)) return;
		const { newStatements, jobs } = this;
		this.newStatements = [];
		this.jobs = [];
		// A thread, unlike a window, has no origin.
		// eslint-disable-next-line unicorn/require-post-message-target-origin
		this.worker.postMessage({ newStatements, jobs, isLast } satisfies WorkMessage);
	}

	private settle(message: WorkerMessage): void {
		if (message.type !== 'answers') return;
		const { answers } = this;
		for (const id of message.written) answers.push(() => this.take(id)?.resolve(undefined));
		for (const { id, rows } of message.read) answers.push(() => this.take(id)?.resolve(rows));
		for (const { id, generation } of message.claimed) answers.push(() => this.take(id)?.resolve(generation));
		for (const { id, code, message: text } of message.failed) {
			answers.push(() => this.take(id)?.reject(new SqlError(code, text)));
		}
		if (!this.isAnswering) this.answerSome();
	}

	/** Each of those who waited goes on at once, and together they would hold up everybody else. */
	private answerSome(): void {
		for (const answer of this.answers.splice(0, answersAtOnce)) answer();
		this.isAnswering = this.answers.length > 0;
		if (this.isAnswering) setImmediate(() => this.answerSome());
		else if (this.waiting.size === 0 && this.closing === undefined) this.worker.unref();
	}

	private take(id: number): Waiting | undefined {
		const waiting = this.waiting.get(id);
		this.waiting.delete(id);
		return waiting;
	}

	private end(reason: string): void {
		this.hasEnded = true;
		for (const answer of this.answers.splice(0)) answer();
		for (const [, waiting] of this.waiting.entries()) waiting.reject(new SqlError('closed', reason));
		this.waiting.clear();
	}

	private sent({ sql, parameters }: SqlStatement): SentStatement {
		return { statement: this.referenceOf(sql), parameters };
	}

	private referenceOf(sql: string): StatementReference {
		const known = this.statements.get(sql);
		if (known !== undefined) return known;
		if (this.statements.size >= keptStatements) return sql;
		const number = this.statements.size;
		this.statements.set(sql, number);
		this.newStatements.push(sql);
		return number;
	}
}
