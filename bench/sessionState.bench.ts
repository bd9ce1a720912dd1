// What `crosstalk simulate` models, measured: the same calls on whole-context KV, on an actor's memory and on the session store in Durable
// Objects, all three in miniflare, and on the session store of this machine. Two subagents share a session; between calls sessions are
// evicted. Sticky memory is not here: it would take a fleet to be unlucky in.
//
//   node bench/sessionState.bench.ts [SECONDS]     for each row; default 2

import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Miniflare, convertV4MiniflareOptions } from 'miniflare';
import { table } from '../src/cli/table.ts';
import type { WayId } from '../src/core/simulate/model.ts';
import { simulate } from '../src/core/simulate/simulate.ts';
import type { SessionStore } from '../src/core/store/sessionStore.ts';
import { openSessionStore } from '../src/platform/node/store/openSessionStore.ts';
import { bundle, configuration, startWorker } from '../test/worker/localWorker.ts';
import { percentile, report } from './measure.ts';
import { work } from './peers/sessionWork.js';
import type { Reply, State } from './peers/sessionWork.js';

const milliseconds = 1000 * Number(process.argv[2] ?? 2);
const subagents = [1, 2, 4, 8, 16];
const perSession = 2;
/** The model's mean gap, 50 times as fast. */
const meanGapMs = 25;
const evictEveryMs = 100;

interface Place {
	readonly name: string;
	/** What it is in the model. */
	readonly way: WayId;
	/** Gives how many calls the session knows of, this one included. */
	call(session: string): Promise<number>;
	/** The session's memory goes; `undefined`: it has none between calls. */
	readonly evict: ((session: string) => Promise<void>) | undefined;
	close(): Promise<void>;
}

interface Row {
	readonly place: Place;
	readonly count: number;
	readonly measured: Measured;
	/** What the model has for it. */
	readonly p99: number;
}

interface Measured {
	readonly calls: number;
	readonly errors: number;
	readonly p50Ms: number;
	readonly p99Ms: number;
	readonly lostUpdates: number;
	readonly silentLosses: number;
	readonly evictions: number;
}

function cellsOf({ place, count, measured, p99 }: Row): string[] {
	return [
		String(count),
		place.name,
		String(measured.calls),
		String(measured.errors),
		measured.p50Ms.toFixed(1),
		measured.p99Ms.toFixed(1),
		p99.toFixed(0),
		((100 * measured.lostUpdates) / measured.calls).toFixed(1),
		String(measured.evictions),
		String(measured.silentLosses),
	];
}

async function main(): Promise<void> {
	const places = await opened();
	const rows: Row[] = [];
	try {
		for (const count of subagents) {
			const modelled = simulate({ seed: 1, subagents: [count], perSession, isHibernating: false, calls: 20_000 });
			for (const place of places) {
				const p99 = modelled.find(({ way }) => way === place.way)?.p99Ms ?? Number.NaN;
				rows.push({ place, count, measured: await measure(place, count), p99 });
			}
		}
	} finally {
		for (const place of places) await place.close();
	}
	const total = (way: WayId, figure: 'errors' | 'lostUpdates' | 'silentLosses') =>
		rows.reduce((sum, { place, measured }) => sum + (place.way === way ? measured[figure] : 0), 0);
	for (const figure of ['errors', 'lostUpdates', 'silentLosses'] as const)
		report(`session stores: ${figure}`, total('actor-checkpoint', figure), '', { at: 'most', value: 0 });
	// Else the zeros above would say nothing.
	report('actor memory: silentLosses', total('actor-memory', 'silentLosses'), '', { at: 'least', value: 1 });
	report('whole context: lostUpdates', total('whole-context-kv', 'lostUpdates'), '', { at: 'least', value: 1 });
	console.log();
	process.stdout.write(
		table(
			[
				'SUBAGENTS',
				'STATE IS KEPT IN',
				'CALLS',
				'ERRORS',
				'P50 MS',
				'P99 MS',
				'MODEL P99',
				'LOST UPDATES %',
				'EVICTIONS',
				'SILENT LOSSES',
			],
			rows.map(cellsOf),
		),
	);
	console.log(`
Latencies are of this machine: no network, no other data centre; the model's are of one that has both. What compares is who loses what,
and the order. KV in miniflare is consistent and takes any number of writes a second, so it loses less than the real one would.`);
}

/** Subagents that call, pause and call again, and somebody who evicts. */
async function measure(place: Place, count: number): Promise<Measured> {
	const run = randomUUID();
	const sessions = Array.from({ length: Math.ceil(count / perSession) }, (_, index) => new Seen(`${run}-${index}`));
	const times: number[] = [];
	let errors = 0;
	let evictions = 0;
	for (const { id } of sessions) await place.call(id);
	const endsAt = performance.now() + milliseconds;

	const caller = async (session: Seen) => {
		while (performance.now() < endsAt) {
			await delay(-meanGapMs * Math.log(1 - Math.random()));
			await session.eviction;
			session.inFlight++;
			const startedAt = performance.now();
			try {
				session.reply(await place.call(session.id));
				times.push(performance.now() - startedAt);
			} catch {
				// What it was does not matter here: none is allowed where it would.
				errors++;
			} finally {
				session.inFlight--;
			}
		}
	};
	const evictor = async () => {
		for (let next = 0; place.evict !== undefined && performance.now() < endsAt; next++) {
			await delay(evictEveryMs);
			const session = sessions[next % sessions.length];
			if (session === undefined) return;
			// The runtime evicts an object only between its calls.
			session.eviction = evictBetweenCalls(session, place.evict);
			await session.eviction;
			evictions++;
		}
	};
	const evictBetweenCalls = async (session: Seen, evict: (session: string) => Promise<void>) => {
		while (session.inFlight > 0) await delay(1);
		await evict(session.id);
		session.wasEvicted = true;
	};
	const calling = Array.from({ length: count }, (_, index) => {
		const session = sessions[Math.floor(index / perSession)];
		return session === undefined ? undefined : caller(session);
	});
	await Promise.all([...calling, evictor()]);
	return {
		calls: times.length,
		errors,
		p50Ms: percentile(times, 0.5),
		p99Ms: percentile(times, 0.99),
		lostUpdates: sessions.reduce((sum, { lostUpdates }) => sum + lostUpdates, 0),
		silentLosses: sessions.reduce((sum, { silentLosses }) => sum + silentLosses, 0),
		evictions,
	};
}

/** What callers were told of one session, and what that says of it. */
class Seen {
	readonly id: string;
	inFlight = 0;
	/** Calls wait while one runs. */
	eviction = Promise.resolve();
	wasEvicted = false;
	lostUpdates = 0;
	silentLosses = 0;
	/** One call was made before. */
	private counts = new Set([1]);

	constructor(id: string) {
		this.id = id;
	}

	reply(count: number): void {
		if (count === 1 && this.wasEvicted) {
			this.silentLosses++;
			this.wasEvicted = false;
			this.counts = new Set();
		}
		// Two calls that were both the fifth: one of them is not in the state.
		if (this.counts.has(count)) this.lostUpdates++;
		this.counts.add(count);
	}
}

async function opened(): Promise<Place[]> {
	const peers = await startPeers();
	const deployed = await startWorker({ script: await bundle() });
	const objects = await deployed.connect();
	const directory = await mkdtemp(join(tmpdir(), 'crosstalk-bench-'));
	const own = await openSessionStore({ directory });
	return [
		{
			name: 'whole context, KV in miniflare',
			way: 'whole-context-kv',
			call: (session) => post(peers, `whole-context-kv/${session}`),
			evict: undefined,
			close: async () => {},
		},
		{
			name: 'actor memory, Durable Object in miniflare',
			way: 'actor-memory',
			call: (session) => post(peers, `actor-memory/${session}`),
			evict: (session) => evicted(peers, 'MemoryActor', session),
			close: () => peers.dispose(),
		},
		{
			name: 'session store, Durable Object in miniflare',
			way: 'actor-checkpoint',
			call: (session) => callOn(objects, session),
			evict: (session) => evicted(deployed.miniflare, 'SessionObject', sha256(session)),
			close: async () => {
				await objects.close();
				await deployed.dispose();
			},
		},
		{
			name: 'session store, this machine',
			way: 'actor-checkpoint',
			call: (session) => callOn(own, session),
			evict: (session) => own.session(session).evict(),
			close: async () => {
				await own.close();
				await rm(directory, { recursive: true, force: true });
			},
		},
	];
}

async function callOn(store: SessionStore, session: string): Promise<number> {
	const salt = Math.floor(1e9 * Math.random());
	const request = { key: randomUUID(), tool: 'work', args: { salt } };
	const { count } = await store.session(session).call<State, Reply>(request, (state) => work(state, salt));
	return count;
}

async function post(peers: Miniflare, path: string): Promise<number> {
	const body = String(Math.floor(1e9 * Math.random()));
	const response = await fetch(new URL(path, await peers.ready), { method: 'POST', body });
	if (!response.ok) throw new Error(await response.text());
	const { count } = (await response.json()) as Reply; // from bench/peers/sessionWorker.js
	return count;
}

async function startPeers(): Promise<Miniflare> {
	const options = {
		modules: true as const,
		script: await bundle('bench/peers/sessionWorker.js'),
		compatibilityDate: configuration.compatibility_date,
		cf: false,
		durableObjects: { ACTORS: { className: 'MemoryActor', useSQLite: true } },
		kvNamespaces: ['CONTEXTS'],
	};
	const miniflare = new Miniflare(convertV4MiniflareOptions(options));
	await miniflare.ready;
	return miniflare;
}

function sha256(text: string): string {
	return createHash('sha256').update(text).digest('hex');
}

/** An object that the runtime does not have in memory has nothing to lose. */
async function evicted(miniflare: Miniflare, className: string, name: string): Promise<void> {
	try {
		await miniflare.unsafeEvictDurableObject('', className, { name });
	} catch (error) {
		if (!(error instanceof Error && error.message.includes('it is not currently running'))) throw error;
	}
}

await main();
