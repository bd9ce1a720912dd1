// Event logs in stores of their own, for tests.

import { LineSplitter } from '../../../src/core/base/lineSplitter.ts';
import { LogReader } from '../../../src/core/events/readLog.ts';
import type { LogProblem } from '../../../src/core/events/readLog.ts';
import type { SessionEvent } from '../../../src/core/events/sessionEvent.ts';
import type { SqlDatabase } from '../../../src/core/store/sqlDatabase.ts';
import { NodeFiles } from '../../../src/platform/node/files.ts';
import { EventTable } from '../../../src/platform/node/store/eventTable.ts';
import { openNodeSqlite } from '../../../src/platform/node/store/nodeSqlite.ts';
import { recordedLogs } from '../../../src/platform/node/store/recordings.ts';

/** The tables of a folder, claimed anew with each opening, as a host does it. */
export class TestStore {
	readonly directory: string;
	opened = 0;
	private readonly databases: SqlDatabase[] = [];

	constructor(directory: string) {
		this.directory = directory;
	}

	readonly open = async (): Promise<EventTable> => {
		this.opened++;
		const database = await openNodeSqlite({ directory: this.directory });
		this.databases.push(database);
		return EventTable.open(database, await database.claim());
	};

	async close(): Promise<void> {
		for (const database of this.databases.splice(0)) await database.close();
	}
}

/** The whole content of a file, as whoever reads transcripts gets it. */
export async function contentOf(path: string): Promise<Buffer> {
	const files = new NodeFiles();
	const file = await files.open(path);
	const pieces: Buffer[] = [];
	for (let offset = 0; ;) {
		const piece = Buffer.alloc(100_000);
		const length = await file.read(piece, offset);
		if (length === 0) break;
		pieces.push(piece.subarray(0, length));
		offset += length;
	}
	await file.close();
	return Buffer.concat(pieces);
}

export interface ReadEvents {
	readonly events: SessionEvent[];
	readonly problems: LogProblem[];
}

export async function eventsIn(path: string, into: ReadEvents = { events: [], problems: [] }): Promise<ReadEvents> {
	const reader = new LogReader({
		event: (event) => into.events.push(event),
		problem: (problem) => into.problems.push(problem),
	});
	const splitter = new LineSplitter(reader.readLine.bind(reader), 65_536, (length) => Buffer.alloc(length));
	splitter.push(await contentOf(path));
	splitter.finish();
	return into;
}

/** All that is recorded in a folder, log by log. */
export async function allEvents(directory: string): Promise<ReadEvents> {
	const into: ReadEvents = { events: [], problems: [] };
	for (const { path } of await recordedLogs(directory)) await eventsIn(path, into);
	return into;
}
