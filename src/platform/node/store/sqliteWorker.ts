// The thread that holds the one connection to a store's database. All that has arrived while a transaction was being written goes into the
// next one, so that many sessions share one wait for the disk.

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { SqlRow } from '../../../core/store/sqlDatabase.ts';
import { loadSqlite } from './nodeSqliteModule.ts';
import { failureOf, NodeSqliteConnection, whyUnusable } from './nodeSqliteConnection.ts';
import type { FailedJob, Job, WorkerMessage, WorkerSettings, WorkMessage, WriteJob } from './sqliteWorkerMessages.ts';

if (parentPort === null) throw new Error('There is no main thread to work for.');
const port = parentPort;
// The main side starts this thread with nothing else.
const settings = workerData as WorkerSettings;
const post = (message: WorkerMessage) => port.postMessage(message);

/** Bytes of parameters in one transaction: what comes after waits for the next. */
const groupBytes = 16 * 1024 * 1024;

/** Who has just been answered asks again at once, as a rule: only then does nobody wait. */
const quietMs = 50;

const connection = open();
if (connection !== undefined) {
	let workedAt = 0;
	let looking: NodeJS.Timeout | undefined;
	/** A timer that is too early asks again: work then costs none. */
	const look = (): void => {
		const left = workedAt + quietMs - performance.now();
		if (left > 0) looking = setTimeout(look, left);
		else {
			looking = undefined;
			connection.checkpoint(false);
		}
	};
	port.on('message', (first: WorkMessage) => {
		for (let messages = [first, ...arrived()]; messages.length > 0; messages = arrived()) {
			if (!serve(connection, messages)) continue;
			clearTimeout(looking);
			return;
		}
		workedAt = performance.now();
		looking ??= setTimeout(look, quietMs);
	});
}

/** What waits already. */
function arrived(): WorkMessage[] {
	const messages: WorkMessage[] = [];
	for (let more = receiveMessageOnPort(port); more !== undefined; more = receiveMessageOnPort(port)) {
		messages.push(more.message as WorkMessage); // the main side sends nothing else
	}
	return messages;
}

/** Gives whether it was the last. */
function serve(connection: NodeSqliteConnection, messages: readonly WorkMessage[]): boolean {
	for (const { newStatements } of messages) connection.addStatements(newStatements);
	work(
		connection,
		messages.flatMap(({ jobs }) => jobs),
	);
	if (!messages.some(({ isLast }) => isLast)) {
		connection.checkpoint(true);
		return false;
	}
	connection.close();
	port.close();
	return true;
}

function open(): NodeSqliteConnection | undefined {
	try {
		const module = loadSqlite(settings.modules);
		const connection = new NodeSqliteConnection(module, settings);
		post({ type: 'opened', sqliteVersion: connection.sqliteVersion });
		return connection;
	} catch (error) {
		post({ type: 'unusable', message: whyUnusable(error, settings.path) });
		port.close();
		return undefined;
	}
}

function work(connection: NodeSqliteConnection, jobs: readonly Job[]): void {
	// Nobody has been told yet of what is written here, so a reader sees what was before; and it need not wait for the disk.
	const read: { id: number; rows: readonly SqlRow[] }[] = [];
	const failed: FailedJob[] = [];
	for (const job of jobs) {
		if (job.kind !== 'read') continue;
		try {
			read.push({ id: job.id, rows: connection.read(job) });
		} catch (error) {
			failed.push({ id: job.id, ...failureOf(error) });
		}
	}
	if (read.length > 0 || failed.length > 0) post({ type: 'answers', written: [], read, claimed: [], failed });
	let group: WriteJob[] = [];
	let bytes = 0;
	for (const job of jobs) {
		switch (job.kind) {
			case 'read':
				break;
			case 'write':
				group.push(job);
				bytes += bytesOf(job);
				if (bytes >= groupBytes) commit();
				break;
			case 'claim':
				commit();
				claim(job.id);
				break;
		}
	}
	commit();

	function commit(): void {
		if (group.length === 0) return;
		const jobs = group;
		group = [];
		const failed = connection.write(jobs, bytes);
		bytes = 0;
		const isFailed = new Set(failed.map(({ id }) => id));
		const written = jobs.map(({ id }) => id).filter((id) => !isFailed.has(id));
		post({ type: 'answers', written, read: [], claimed: [], failed });
	}

	function claim(id: number): void {
		try {
			const claimed = [{ id, generation: connection.claim() }];
			post({ type: 'answers', written: [], read: [], claimed, failed: [] });
		} catch (error) {
			post({ type: 'answers', written: [], read: [], claimed: [], failed: [{ id, ...failureOf(error) }] });
		}
	}
}

function bytesOf({ statements }: WriteJob): number {
	let bytes = 0;
	for (const { parameters } of statements) {
		for (const value of parameters) {
			if (typeof value === 'string') bytes += value.length;
			else if (value instanceof Uint8Array) bytes += value.byteLength;
		}
	}
	return bytes;
}
