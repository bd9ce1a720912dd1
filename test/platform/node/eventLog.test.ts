import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LineSplitter } from '../../../src/core/base/lineSplitter.ts';
import { LogReader } from '../../../src/core/events/readLog.ts';
import type { LogProblem } from '../../../src/core/events/readLog.ts';
import type { SessionEvent } from '../../../src/core/events/sessionEvent.ts';
import { NodeEventLog } from '../../../src/platform/node/eventLog.ts';
import type { EventLogOptions, LogFile } from '../../../src/platform/node/eventLog.ts';

function head(seq: number): string {
	return `{"version":1,"seq":${seq},"sessionId":"mcp:c1","agent":{"unknown":"ü"},"source":{"kind":"hook","event":"x"},"type":"hook","event":"x"`;
}

describe('the event log', () => {
	let root: string;
	let directory: string;
	let warnings: string[];

	beforeEach(async () => {
		root = await mkdtemp(join(tmpdir(), 'crosstalk-log-'));
		directory = join(root, 'events');
		warnings = [];
	});

	afterEach(async () => rm(root, { recursive: true, force: true }));

	function createLog(options: Partial<EventLogOptions> = {}): NodeEventLog {
		return new NodeEventLog({ directory, warn: (sentence) => warnings.push(sentence), ...options });
	}

	async function files(): Promise<readonly string[]> {
		return (await readdir(directory)).sort();
	}

	async function read(): Promise<{ events: SessionEvent[]; problems: LogProblem[] }> {
		const events: SessionEvent[] = [];
		const problems: LogProblem[] = [];
		for (const name of await files()) {
			const reader = new LogReader({
				event: (event) => events.push(event),
				problem: (problem) => problems.push(problem),
			});
			const splitter = new LineSplitter(reader.readLine.bind(reader), 65_536, (length) => Buffer.alloc(length));
			splitter.push(await readFile(join(directory, name)));
			splitter.finish();
		}
		return { events, problems };
	}

	function seqs(count: number): readonly number[] {
		return Array.from({ length: count }, (_, seq) => seq);
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
		for (let tries = 0; tries < 500; tries++) {
			const [name] = await files().catch(() => []);
			if (name !== undefined && (await stat(join(directory, name))).size > 0) break;
			await delay(10);
		}
		const [name = ''] = await files();
		assert.match(name, new RegExp(String.raw`^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-${process.pid}\.jsonl$`));
		assert.equal(await readFile(join(directory, name), 'utf8'), `${head(0)},"message":{"ü":1}}\n${head(1)}}\n`);
		if (process.platform !== 'win32') {
			assert.equal((await stat(join(directory, name))).mode & 0o777, 0o600);
			assert.equal((await stat(directory)).mode & 0o777, 0o700);
		}
		await log.close();
		assert.equal(log.append(head(2), undefined), false);
		assert.deepEqual(warnings, []);
	});

	it('keeps every event in its order, small ones and large ones', async () => {
		const log = createLog();
		for (const seq of seqs(3_000)) {
			const message = Buffer.from(JSON.stringify('x'.repeat(seq % 500 === 0 ? 700_000 : seq)));
			assert.equal(log.append(head(seq), message), true);
			if (seq % 100 === 0) await delay(1);
		}
		await log.close();
		const { events, problems } = await read();
		assert.deepEqual(problems, []);
		assert.deepEqual(
			events.map((event) => event.seq),
			seqs(3_000),
		);
		assert.equal(
			events.every(
				(event) =>
					event.type === 'hook' && event.body.length === (event.seq % 500 === 0 ? 700_002 : event.seq + 2),
			),
			true,
		);
		assert.deepEqual(warnings, []);
	});

	it('begins a new file when one is full, and removes the oldest when there are too many', async () => {
		const log = createLog({ limits: { fileBytes: 10_000, totalBytes: 50_000 } });
		for (const seq of seqs(200)) {
			log.append(head(seq), Buffer.from(JSON.stringify('x'.repeat(1_000))));
			await log.flush();
		}
		await log.close();
		const sizes = await Promise.all((await files()).map(async (name) => (await stat(join(directory, name))).size));
		assert.ok(sizes.length >= 4, String(sizes));
		assert.ok(
			sizes.every((size) => size > 0 && size < 12_000),
			String(sizes),
		);
		assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= 52_000, String(sizes));
		const { events } = await read();
		const first = events[0]?.seq ?? 0;
		assert.ok(first > 0);
		assert.deepEqual(
			events.map((event) => event.seq),
			seqs(200).slice(first),
		);
	});

	it('begins a new file after a day, and removes what is too old', async () => {
		const day = 24 * 3_600_000;
		let now = Date.now();
		await mkdir(directory);
		const old = ['2020-01-01T00-00-00.000Z-1.jsonl', '2020-01-02T00-00-00.000Z-1.jsonl', 'notes.jsonl'];
		for (const name of old) {
			await writeFile(join(directory, name), '{}\n');
			await utimes(join(directory, name), new Date(now - 15 * day), new Date(now - 15 * day));
		}
		await utimes(join(directory, old[1] ?? ''), new Date(now - 13.5 * day), new Date(now - 13.5 * day));
		const log = createLog({ now: () => now });
		log.append(head(0), undefined);
		await log.flush();
		const [second, third, notes] = await files();
		assert.equal(second, old[1]);
		assert.equal(notes, 'notes.jsonl');
		now += day;
		log.append(head(1), undefined);
		await log.close();
		const left = await files();
		assert.equal(left.length, 3);
		assert.equal(left[0], third);
		assert.equal(left[2], 'notes.jsonl');
	});

	it('takes a name of its own when another file has it', async () => {
		const logs = [createLog({ now: () => 1795250000000 }), createLog({ now: () => 1795250000000 })];
		for (const log of logs) log.append(head(0), undefined);
		for (const log of logs) await log.close();
		assert.equal((await files()).length, 2);
		assert.deepEqual(warnings, []);
	});

	it('lets messages go first when the disk is slow, then events, and says so once', async () => {
		let isStuck = true;
		const release: (() => void)[] = [];
		const openFile = async (path: string): Promise<LogFile> => {
			const file = await open(path, 'wx', 0o600);
			return {
				write: async (bytes, offset, length, position) => {
					if (isStuck) await new Promise<void>((resolve) => release.push(resolve));
					return file.write(bytes, offset, length, position);
				},
				truncate: (length) => file.truncate(length),
				close: () => file.close(),
			};
		};
		const log = createLog({ openFile, limits: { waitingBytes: 100_000, flushBytes: 1_000 } });
		const message = Buffer.from(JSON.stringify('x'.repeat(998)));
		let taken = 0;
		while (taken < 10_000 && log.append(head(taken), message)) taken++;
		assert.ok(taken > 100 && taken < 1_000, String(taken));
		assert.equal(warnings.length, 1);
		assert.match(
			warnings[0] ?? '',
			/^The disk is too slow for the event log in ".*"; for now only the lengths of messages are kept\.$/,
		);
		while (release.length === 0) await delay(1);
		isStuck = false;
		for (const resolve of release) resolve();
		await log.flush();
		assert.equal(log.append(head(taken), message), true);
		await log.close();
		const { events, problems } = await read();
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
		let room = 700;
		const openFile = async (path: string): Promise<LogFile> => {
			const file = await open(path, 'wx', 0o600);
			return {
				write: async (bytes, offset, length, position) => {
					// A full disk takes what still fits and refuses the rest.
					const fitting = Math.min(length, room);
					if (fitting === 0)
						throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
					room -= fitting;
					return file.write(bytes, offset, fitting, position);
				},
				truncate: (length) => file.truncate(length),
				close: () => file.close(),
			};
		};
		const log = createLog({ openFile, limits: { retryMs: 10 } });
		for (const seq of seqs(20)) {
			log.append(head(seq), Buffer.from('{}'));
			await log.flush();
		}
		await delay(50);
		assert.deepEqual(warnings, [
			`The event log in "${directory}" cannot be written (the disk is full); agents are served without it.`,
		]);
		room = Number.POSITIVE_INFINITY;
		for (let tries = 0; tries < 500 && warnings.length < 2; tries++) await delay(10);
		assert.equal(warnings[1], 'The event log is written again; nothing is missing.');
		await log.close();
		const { events, problems } = await read();
		assert.deepEqual(problems, []);
		assert.deepEqual(
			events.map((event) => event.seq),
			seqs(20),
		);
	});

	it('serves on when its folder cannot be written, and ends in time', async function () {
		if (process.platform === 'win32' || process.getuid?.() === 0) {
			// A file where the folder should be keeps out whoever may otherwise do everything.
			await writeFile(directory, '');
		} else {
			await mkdir(directory, { mode: 0o500 });
		}
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
			/cannot be written \((there is no permission|something in its path is no folder|.*EEXIST.*)\)/,
		);
		await chmod(root, 0o700);
	});

	it('loses at most the last line when its process is killed', async () => {
		const child = spawn(
			process.execPath,
			[fileURLToPath(new URL('eventLogWriter.ts', import.meta.url)), directory],
			{
				stdio: ['ignore', 'pipe', 'inherit'],
			},
		);
		await once(child.stdout, 'data');
		await delay(30);
		child.kill('SIGKILL');
		await once(child, 'close');
		const { events, problems } = await read();
		assert.ok(events.length > 1_000, String(events.length));
		assert.deepEqual(
			events.map((event) => event.seq),
			seqs(events.length),
		);
		assert.ok(problems.length <= 1);
		assert.ok(
			problems.every((problem) => problem.isAtEnd && problem.kind === 'truncated-line'),
			JSON.stringify(problems),
		);
	});
});
