// What a checkpoint at the end of each call costs, beside SQLite without a store around it, and beside others that keep sessions. All write
// bytes that change: SQLite does not write a row that is what it was. `node bench/store.bench.ts 0.3 throughput` shortens every part to a third, and
// runs one of them.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Session, SessionStore } from '../src/core/store/sessionStore.ts';
import { openSessionStore } from '../src/platform/node/store/openSessionStore.ts';
import { median, percentile, report } from './measure.ts';
import { startBareStore, startDurableObjects, startRestate, startStoreOwner } from './storePeers.ts';
import { advance, newState } from './storeJob.ts';

const share = Number(process.argv[2] ?? 1);
const only = process.argv[3];
const kilobyte = 1024;

/** 64 sessions of 16 KB, each called again as soon as it has answered. */
async function throughput(): Promise<void> {
	const folder = await newFolder();
	const store = await openSessionStore({ directory: join(folder, 'store') });
	const raw = new RawCommits(join(folder, 'raw.sqlite'), 16);
	const latestOnly = new RawCommits(join(folder, 'latest.sqlite'), 1);
	const sessions = Array.from({ length: 64 }, (_, index) => store.session(`session ${index}`));
	const rates = { raw: [] as number[], latestOnly: [] as number[], ours: [] as number[] };
	const times: number[] = [];
	const lags: number[] = [];
	for (const one of [raw, latestOnly]) one.run(500 * share);
	await loop(sessions, 1_000 * share);
	for (let round = 0; round < 7; round++) {
		rates.raw.push(raw.run(700 * share));
		rates.latestOnly.push(latestOnly.run(700 * share));
		await settle();
		// A new one for each round: what goes on in between blocks this thread.
		const lag = monitorEventLoopDelay({ resolution: 1 });
		lag.enable();
		const ours = await loop(sessions, 700 * share);
		lag.disable();
		lags.push(lag.percentile(99) / 1e6);
		rates.ours.push(ours.rate);
		times.push(...ours.times);
	}
	report('64 sessions of 16 KB, SQLite by hand, the same rows', median(rates.raw), ' checkpoints/s');
	report('64 sessions of 16 KB, SQLite by hand, the latest state only', median(rates.latestOnly), ' checkpoints/s');
	report('64 sessions of 16 KB, the store', median(rates.ours), ' checkpoints/s');
	const ratio = (others: readonly number[]) =>
		median(rates.ours.map((rate, round) => rate / (others[round] ?? Number.NaN)));
	report('  the store / by hand, the same rows', ratio(rates.raw), '', { at: 'least', value: 0.8 });
	report('  the store / by hand, the latest state only', ratio(rates.latestOnly), '');
	report('  a call, p50', median(times), ' ms');
	report('  a call, p99', percentile(times, 0.99), ' ms');
	report('  delay of the main thread, p99', median(lags), ' ms', { at: 'most', value: 5 });
	for (const one of [raw, latestOnly]) one.close();
	await store.close();
	await rm(folder, { recursive: true });
}

/** A store that holds 100,000 sessions beside one that holds few. */
async function manySessions(): Promise<void> {
	const folder = await newFolder();
	const [many, few] = await Promise.all([
		openSessionStore({ directory: join(folder, 'many'), limits: { eviction: { idleMs: 1_000 } } }),
		openSessionStore({ directory: join(folder, 'few'), limits: { eviction: { idleMs: 1_000 } } }),
	]);
	const count = Math.round(100_000 * Math.min(1, share));
	for (let first = 0; first < count; first += 500) {
		await Promise.all(
			Array.from({ length: 500 }, (_, index) => call(many.session(`session ${first + index}`), kilobyte)),
		);
	}
	const sample = (store: SessionStore, round: number) =>
		Array.from({ length: 8 }, (_, index) => store.session(`session ${(index * 11_939 + round * 7) % count}`));
	const ratios: number[] = [];
	for (let round = 0; round < 9; round++) {
		const slow = await loop(sample(many, round), 400 * share);
		const quick = await loop(sample(few, round), 400 * share);
		// Not the first calls, which read from disk.
		ratios.push(median(slow.times) / median(quick.times));
	}
	report(`a call in a store of ${count} sessions / of few, p50`, median(ratios), '', { at: 'most', value: 1.1 });
	await Promise.all([many.close(), few.close()]);
	await rm(folder, { recursive: true });
}

async function rehydration(): Promise<void> {
	const folder = await newFolder();
	const store = await openSessionStore({ directory: join(folder, 'store') });
	const sessions = Array.from({ length: 50 }, (_, index) => store.session(`session ${index}`));
	const times: number[] = [];
	store.onDidRehydrate(({ durationMs }) => times.push(durationMs));
	for (let round = 0; round < 8; round++) {
		for (const session of sessions) {
			await call(session, 64 * kilobyte);
			await session.evict();
		}
	}
	report('rehydration of 64 KB, p50', median(times), ' ms', { at: 'most', value: 2 });
	report('  p99', percentile(times, 0.99), ' ms');
	await store.close();
	await rm(folder, { recursive: true });
}

/** Of each of 8 processes. The slowest of the stores can do it: as fast as they go, the faster one has the shorter waits and makes the more calls. */
const callsPerSecond = 40;

/** Eight processes, each with a session of its own, against one owner; likewise against others. In turn, so that what else runs here is all's. */
async function processes(): Promise<void> {
	const store = await startStoreOwner();
	const bare = await startBareStore();
	const objects = await startDurableObjects();
	const restate = await startRestate();
	const ours = { name: 'the store', clients: await clientsOf(['store', store.url]) };
	const byHand = { name: 'SQLite by hand behind a socket', clients: await clientsOf(['bare', bare.url]) };
	const peers = [
		{ name: 'Durable Objects in workerd', clients: await clientsOf(['http', objects.url]) },
		{ name: 'Restate', clients: await clientsOf(['http', restate.url]) },
	];
	const groups = [ours, byHand, ...peers];
	try {
		const p99s = new Map<string, number[]>();
		let counts: readonly number[] = [];
		// The first round is nobody's, and long: every one of them compiles what it runs often while it runs, eight processes on few cores.
		for (let round = -1; round < 5; round++) {
			for (const { name, clients } of groups) {
				const milliseconds = round < 0 ? 15_000 : 3_000;
				const results = await Promise.all(clients.map((client) => client.run(milliseconds * share)));
				if (round < 0) continue;
				const times = results.flat();
				p99s.set(name, [...(p99s.get(name) ?? []), percentile(times, 0.99)]);
				if (name === ours.name) counts = results.map((own, index) => own.length + (counts[index] ?? 0));
				if (round === 4) report(`8 processes, 16 KB, ${name}, p50`, median(times), ' ms');
			}
		}
		const paced = new Map<string, number[]>();
		for (let round = 0; round < 5; round++) {
			for (const { name, clients } of groups) {
				const results = await Promise.all(clients.map((client) => client.run(2_000 * share, callsPerSecond)));
				paced.set(name, [...(paced.get(name) ?? []), percentile(results.flat(), 0.99)]);
			}
		}
		const p99 = ({ name }: { readonly name: string }) => p99s.get(name) ?? [];
		const pacedP99 = ({ name }: { readonly name: string }) => paced.get(name) ?? [];
		const ratio = (own: readonly number[], others: readonly number[]) =>
			median(own.map((value, round) => value / (others[round] ?? Number.NaN)));
		for (const group of groups) report(`8 processes, 16 KB, ${group.name}, p99`, median(p99(group)), ' ms');
		for (const peer of peers) {
			report(`  the store / ${peer.name}`, ratio(p99(ours), p99(peer)), '', { at: 'most', value: 0.1 });
			// How near to that bound this machine, its disk and eight processes of Node let anybody come.
			report(`  by hand / ${peer.name}`, ratio(p99(byHand), p99(peer)), '');
		}
		for (const group of groups)
			report(`8 processes at ${callsPerSecond} calls/s, ${group.name}, p99`, median(pacedP99(group)), ' ms');
		for (const peer of peers) {
			report(`  the store / ${peer.name}, at the same rate`, ratio(pacedP99(ours), pacedP99(peer)), '');
			report(`  by hand / ${peer.name}, at the same rate`, ratio(pacedP99(byHand), pacedP99(peer)), '');
		}
		const fair = counts.reduce((sum, count) => sum + count, 0) / counts.length;
		report('  calls of the slowest process / a fair share', Math.min(...counts) / fair, '', {
			at: 'least',
			value: 0.25,
		});
	} finally {
		for (const { clients } of groups) for (const client of clients) client.end();
		await Promise.all([store, bare, objects, restate].map((peer) => peer.stop()));
	}
}

interface Client {
	/** Gives the milliseconds of each call. @param rate Calls a second; absent: as fast as it goes. */
	run(milliseconds: number, rate?: number): Promise<readonly number[]>;
	end(): void;
}

async function clientsOf(arguments_: readonly string[]): Promise<readonly Client[]> {
	return Promise.all(Array.from({ length: 8 }, (_, index) => startClient([...arguments_, `session-${index}`])));
}

async function startClient(arguments_: readonly string[]): Promise<Client> {
	const child = spawn(process.execPath, [join(import.meta.dirname, 'peers', 'storeClient.ts'), ...arguments_], {
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
	const next = async () => {
		const line: IteratorResult<string, undefined> = await lines.next();
		if (line.done === true) throw new Error(`A client of ${arguments_.join(' ')} has ended.`);
		return line.value;
	};
	await next();
	return {
		async run(milliseconds, rate) {
			child.stdin.write(rate === undefined ? `${milliseconds}\n` : `${milliseconds} ${rate}\n`);
			return JSON.parse(await next()) as readonly number[]; // our own client has written it
		},
		end: () => child.stdin.end(),
	};
}

/** Calls each session again and again; gives milliseconds of each, and calls per second. */
async function loop(
	sessions: readonly Session[],
	milliseconds: number,
): Promise<{ readonly times: readonly number[]; readonly rate: number }> {
	const times: number[] = [];
	const startedAt = performance.now();
	await Promise.all(
		sessions.map(async (session) => {
			for (let now = performance.now(); now - startedAt < milliseconds;) {
				await call(session, 16 * kilobyte);
				const after = performance.now();
				times.push(after - now);
				now = after;
			}
		}),
	);
	return { times, rate: (times.length / (performance.now() - startedAt)) * 1_000 };
}

let calls = 0;

async function call(session: Session, bytes: number): Promise<number> {
	return session.call({ key: `call ${++calls}`, tool: 'advance', args: { bytes } }, (state) => advance(state, bytes));
}

/** What one writes who needs no store: no turns, no checksums, no repeated calls; one thread, and all sessions in each transaction. */
class RawCommits {
	private readonly database: DatabaseSync;
	private readonly keptStates: number;
	private readonly states = Array.from({ length: 64 }, () => newState());
	private seq = 0;

	/** @param keptStates Of each session, as many rows. */
	constructor(path: string, keptStates: number) {
		this.keptStates = keptStates;
		this.database = new DatabaseSync(path);
		this.database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
		this.database.exec('CREATE TABLE checkpoints (place INTEGER PRIMARY KEY, seq, key, tool, reply, state)');
	}

	/** Gives checkpoints per second. */
	run(milliseconds: number): number {
		const write = this.database.prepare('INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?)');
		const startedAt = performance.now();
		let count = 0;
		while (performance.now() - startedAt < milliseconds) {
			this.seq++;
			this.database.exec('BEGIN IMMEDIATE');
			for (const [index, state] of this.states.entries()) {
				const reply = advance(state, 16 * kilobyte);
				const place = index * this.keptStates + (this.seq % this.keptStates);
				write.run(place, this.seq, `call ${++calls}`, 'advance', JSON.stringify(reply), JSON.stringify(state));
				count++;
			}
			this.database.exec('COMMIT');
		}
		return (count / (performance.now() - startedAt)) * 1_000;
	}

	close(): void {
		this.database.close();
	}
}

async function newFolder(): Promise<string> {
	return mkdtemp(join(tmpdir(), 'crosstalk-bench-store-'));
}

/** What one part leaves to be done is not counted with the next. */
async function settle(): Promise<void> {
	await delay(20);
}

const parts = { throughput, manySessions, rehydration, processes };

for (const [name, run] of Object.entries(parts)) {
	if (only === undefined || name === only) await run();
}
