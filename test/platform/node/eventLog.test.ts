import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SqlError } from '../../../src/core/store/sqlDatabase.ts';
import { NodeEventLog } from '../../../src/platform/node/eventLog.ts';
import type { EventLogOptions } from '../../../src/platform/node/eventLog.ts';
import type { EventStore } from '../../../src/platform/node/store/eventTable.ts';
import { openNodeSqlite } from '../../../src/platform/node/store/nodeSqlite.ts';
import { recordedLogs } from '../../../src/platform/node/store/recordings.ts';
import { allEvents, contentOf, TestStore } from './recordedEvents.ts';

const firstAt = 1_795_250_000_000;

function head(seq: number, sessionId = 'mcp:c1'): string {
	return `{"version":1,"seq":${seq},"at":${firstAt + seq},"sessionId":${JSON.stringify(sessionId)},"agent":{"unknown":"ü"},"source":{"kind":"hook","event":"x"},"type":"hook","event":"x"`;
}

/** A hook without a word. */
const none = Buffer.from('{}');

describe('the event log', () => {
	let root: string;
	let directory: string;
	let warnings: string[];
	let store: TestStore;

	beforeEach(async () => {
		root = await mkdtemp(join(tmpdir(), 'crosstalk-log-'));
		directory = join(root, 'data');
		warnings = [];
		store = new TestStore(directory);
	});

	afterEach(async () => {
		await store.close();
		await rm(root, { recursive: true, force: true });
	});

	function createLog(options: Partial<EventLogOptions> = {}): NodeEventLog {
		return new NodeEventLog({
			openStore: store.open,
			name: 'a log',
			warn: (sentence) => warnings.push(sentence),
			// Of the day of its events: what is old is removed.
			now: () => firstAt + performance.now(),
			...options,
		});
	}

	function seqs(count: number): readonly number[] {
		return Array.from({ length: count }, (_, seq) => seq);
	}

	async function readSeqs(): Promise<readonly number[]> {
		const { events, problems } = await allEvents(directory);
		assert.deepEqual(problems, []);
		return events.map(({ seq }) => seq);
	}

	it('makes nothing as long as there is nothing to write', async () => {
		const log = createLog();
		await log.flush();
		await log.close();
		await assert.rejects(stat(directory), { code: 'ENOENT' });
	});

	it('writes by itself, soon, for its user alone', async () => {
		const log = createLog();
		assert.equal(log.append(head(0), Buffer.from('{"ü":1}')), true);
		assert.equal(log.append(head(1), undefined), true);
		for (let tries = 0; tries < 3_000 && (await recordedLogs(directory)).length === 0; tries++) await delay(10);
		const [written] = await recordedLogs(directory);
		assert.ok(written !== undefined);
		assert.equal((await contentOf(written.path)).toString(), `${head(0)},"message":{"ü":1}}\n${head(1)}}\n`);
		assert.deepEqual([written.name, written.events, written.lastAt], ['a log', 2, 1_795_250_000_001]);
		if (process.platform !== 'win32') {
			assert.equal((await stat(join(directory, 'sessions.sqlite'))).mode & 0o777, 0o600);
			assert.equal((await stat(join(directory, 'sessions.sqlite-wal'))).mode & 0o777, 0o600);
			assert.equal((await stat(directory)).mode & 0o777, 0o700);
		}
		await log.close();
		assert.equal(log.append(head(2), undefined), false);
		assert.deepEqual(warnings, []);
	});

	it('keeps every event in its order, small ones and large ones, larger than a row too', async () => {
		const log = createLog();
		const length = (seq: number) => (seq === 700 ? 5_000_000 : seq % 500 === 0 ? 700_000 : seq);
		for (const seq of seqs(3_000)) {
			assert.equal(log.append(head(seq), Buffer.from(JSON.stringify('x'.repeat(length(seq))))), true);
			if (seq % 100 === 0) await delay(1);
		}
		await log.close();
		const { events, problems } = await allEvents(directory);
		assert.deepEqual(problems, []);
		assert.deepEqual(
			events.map((event) => event.seq),
			seqs(3_000),
		);
		assert.ok(events.every((event) => event.type === 'hook' && event.body.length === length(event.seq) + 2));
		assert.deepEqual(warnings, []);
	});

	it('removes the oldest when there is too much, in whole lines', async () => {
		const log = createLog({ limits: { totalBytes: 60_000, sweepBytes: 10_000 } });
		for (const seq of seqs(200)) {
			log.append(head(seq), Buffer.from(JSON.stringify('x'.repeat(1_000))));
			await log.flush();
		}
		await log.close();
		const [written] = await recordedLogs(directory);
		assert.ok((written?.bytes ?? 0) > 40_000 && (written?.bytes ?? 0) <= 62_000, String(written?.bytes));
		const left = await readSeqs();
		assert.ok((left[0] ?? 0) > 0);
		assert.deepEqual(left, seqs(200).slice(left[0]));
	});

	it('removes what is too old, and never the newest', async () => {
		const day = 24 * 3_600_000;
		let now = 1_795_250_000_000;
		const log = createLog({ now: () => now });
		log.append(head(0), none);
		await log.flush();
		now += 13 * day;
		log.append(head(1).replace('"at":1795250000001', `"at":${now}`), none);
		await log.flush();
		assert.deepEqual(await readSeqs(), [0, 1]);
		now += 1.5 * day;
		log.append(head(2).replace('"at":1795250000002', `"at":${now}`), none);
		await log.flush();
		assert.deepEqual(await readSeqs(), [1, 2]);
		now += 100 * day;
		log.append(head(3).replace('"at":1795250000003', `"at":${now}`), none);
		await log.close();
		assert.deepEqual(await readSeqs(), [3]);
	});

	it('lets messages go first when the disk is slow, then events, and says so once', async () => {
		let isStuck = true;
		const release: (() => void)[] = [];
		const openStore = async (): Promise<EventStore> => {
			const table = await store.open();
			return {
				openLog: async (name, at) => table.openLog(name, at),
				append: async (log, chunks) => {
					if (isStuck) await new Promise<void>((resolve) => release.push(resolve));
					return table.append(log, chunks);
				},
				sweep: async (limits) => table.sweep(limits),
			};
		};
		const log = createLog({ openStore, limits: { waitingBytes: 100_000, flushBytes: 1_000 } });
		const message = Buffer.from(JSON.stringify('x'.repeat(998)));
		let taken = 0;
		while (taken < 10_000 && log.append(head(taken), message)) taken++;
		assert.ok(taken > 100 && taken < 1_000, String(taken));
		assert.deepEqual(warnings, [
			'The disk is too slow for the event log; for now only the lengths of messages are kept.',
		]);
		while (release.length === 0) await delay(1);
		isStuck = false;
		for (const resolve of release) resolve();
		await log.flush();
		assert.equal(log.append(head(taken), message), true);
		await log.close();
		const { events, problems } = await allEvents(directory);
		assert.deepEqual(problems, []);
		assert.deepEqual(
			events.map((event) => event.seq),
			seqs(taken + 1),
		);
		const lengths = events.map((event) => (event.type === 'hook' ? event.body.length : -1));
		const missing = lengths.filter((length) => length === 0).length;
		assert.ok(missing > 50, String(missing));
		assert.equal(lengths.at(-1), 1_000);
		assert.deepEqual(warnings.slice(1), [
			`The event log has caught up; it misses 1 event and the content of ${missing} messages.`,
		]);
	});

	it('says once that the disk is full, loses nothing that memory can hold, and goes on when there is room', async () => {
		let isFull = true;
		const openStore = async (): Promise<EventStore> => {
			const table = await store.open();
			return {
				openLog: async (name, at) => table.openLog(name, at),
				append: async (log, chunks) => {
					if (isFull) throw new SqlError('full', 'The disk of it is full.');
					return table.append(log, chunks);
				},
				sweep: async (limits) => table.sweep(limits),
			};
		};
		const log = createLog({ openStore, limits: { retryMs: 10 } });
		for (const seq of seqs(20)) {
			log.append(head(seq), Buffer.from('{}'));
			await log.flush();
		}
		await delay(50);
		assert.deepEqual(warnings, [
			'The event log cannot be written (the disk is full); agents are served without it.',
		]);
		isFull = false;
		for (let tries = 0; tries < 3_000 && warnings.length < 2; tries++) await delay(10);
		assert.equal(warnings[1], 'The event log is written again; nothing is missing.');
		await log.close();
		assert.deepEqual(await readSeqs(), seqs(20));
		assert.equal(store.opened, 1);
	});

	it('serves on when there can be no store, and ends in time', async () => {
		await writeFile(directory, '');
		const log = createLog({ limits: { waitingBytes: 10_000 } });
		for (const seq of seqs(1_000)) {
			log.append(head(seq), Buffer.from('{}'));
			if (seq === 0) await log.flush();
		}
		await log.flush();
		await log.close();
		assert.equal(warnings.length, 1);
		assert.match(
			warnings[0] ?? '',
			/^The event log cannot be written \(.* is not a folder\); agents are served without it\.$/,
		);
	});

	it('goes on in a store that another had claimed meanwhile, each event once', async () => {
		const log = createLog({ limits: { retryMs: 10 } });
		log.append(head(0), none);
		await log.flush();
		const other = await openNodeSqlite({ directory });
		await other.claim();
		await other.close();
		for (const seq of [1, 2, 3]) {
			log.append(head(seq), none);
			await log.flush();
		}
		for (let tries = 0; tries < 3_000 && warnings.length < 2; tries++) await delay(10);
		await log.close();
		assert.deepEqual(await readSeqs(), [0, 1, 2, 3]);
		assert.equal(warnings.length, 2);
		assert.match(warnings[0] ?? '', /^The event log cannot be written \(Generation 1 was followed by 2\)/);
		assert.equal((await recordedLogs(directory)).length, 1);
	});

	for (const isStored of [true, false]) {
		it(`writes no event twice when its commit was in doubt and ${isStored ? 'was' : 'was not'} stored`, async () => {
			let isFailing = true;
			const openStore = async (): Promise<EventStore> => {
				const table = await store.open();
				return {
					openLog: async (name, at) => table.openLog(name, at),
					append: async (log, chunks) => {
						if (!isFailing) return table.append(log, chunks);
						isFailing = false;
						if (isStored) await table.append({ ...log }, chunks);
						throw new SqlError('closed', 'The disk failed in the middle of a write.');
					},
					sweep: async (limits) => table.sweep(limits),
				};
			};
			const log = createLog({ openStore, limits: { retryMs: 5 } });
			for (const seq of seqs(10)) log.append(head(seq), none);
			await log.flush();
			log.append(head(10), none);
			for (let tries = 0; tries < 3_000 && warnings.length < 2; tries++) await delay(10);
			await log.close();
			assert.deepEqual(await readSeqs(), seqs(11));
		});
	}

	it('takes over the files of an earlier version, those of a killed host too, and removes them', async () => {
		const old = join(root, 'events');
		await mkdir(old);
		const lines = (from: number, count: number) =>
			seqs(count)
				.map(
					(seq) =>
						`${head(from + seq, `claude-code:"${seq % 3}`)},"message":${JSON.stringify('x'.repeat(seq === 7 ? 2_500_000 : 200))}}\n`,
				)
				.join('');
		await writeFile(join(old, '2026-11-20T08-00-00.000Z-12.jsonl'), lines(100, 5_000));
		await writeFile(join(old, '2026-11-20T07-00-00.000Z-11.jsonl'), `${lines(0, 100)}${head(100).slice(0, 90)}`);
		await writeFile(join(old, '2020-11-20T07-00-00.000Z-10.jsonl'), lines(0, 3));
		await utimes(join(old, '2020-11-20T07-00-00.000Z-10.jsonl'), new Date(0), new Date(0));
		const log = createLog({ oldDirectory: old });
		log.append(head(6_000), none);
		for (let tries = 0; tries < 3_000; tries++) {
			if ((await readdir(old).catch(() => [])).length === 0) break;
			await delay(10);
		}
		await log.close();
		await assert.rejects(stat(old), { code: 'ENOENT' });
		const { events, problems } = await allEvents(directory);
		assert.deepEqual(
			events.map(({ seq }) => seq),
			[...seqs(5_100), 6_000],
		);
		assert.deepEqual(
			problems.map(({ kind, line }) => [kind, line]),
			[['truncated-line', 101]],
		);
		assert.deepEqual(warnings, []);
	});

	it('goes on with taking over where it was interrupted, and leaves alone what is not its own', async () => {
		const old = join(root, 'events');
		await mkdir(old);
		const name = '2026-11-20T08-00-00.000Z-12.jsonl';
		const message = `,"message":${JSON.stringify('x'.repeat(10_000))}}\n`;
		await writeFile(
			join(old, name),
			seqs(400)
				.map((seq) => head(seq) + message)
				.join(''),
		);
		await writeFile(join(old, 'notes.txt'), '');
		const first = createLog({ oldDirectory: old });
		first.append(head(1_000), none);
		await first.flush();
		await first.close();
		assert.deepEqual((await readdir(old)).sort(), [name, 'notes.txt'].sort());
		const second = createLog({ name: 'another log', oldDirectory: old });
		second.append(head(1_001), none);
		for (let tries = 0; tries < 3_000 && (await readdir(old)).length > 1; tries++) await delay(10);
		await second.close();
		assert.deepEqual(await readdir(old), ['notes.txt']);
		assert.deepEqual(await readSeqs(), [...seqs(400), 1_000, 1_001]);
	});

	it('loses nothing but the last moment when its process is killed, and never a part of an event', async () => {
		const child = spawn(
			process.execPath,
			[fileURLToPath(new URL('eventLogWriter.ts', import.meta.url)), directory],
			{ stdio: ['ignore', 'pipe', 'inherit'] },
		);
		await once(child.stdout, 'data');
		for (let tries = 0; tries < 3_000 && (await recordedLogs(directory)).length === 0; tries++) await delay(10);
		for (let tries = 0; tries < 3_000 && (await readSeqs()).length <= 1_000; tries++) await delay(10);
		child.kill('SIGKILL');
		await once(child, 'close');
		const written = await readSeqs();
		assert.ok(written.length > 1_000, String(written.length));
		assert.deepEqual(written, seqs(written.length));
	});
});
