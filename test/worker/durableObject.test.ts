import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Session, SessionStore } from '../../src/core/store/sessionStore.ts';
import { StoreError } from '../../src/core/store/storeError.ts';
import { connectSessionStore } from '../../src/platform/node/store/connectSessionStore.ts';
import { add, heldAdd, look, refused, sleep } from '../contract/engine.ts';
import type { Counter } from '../contract/engine.ts';
import { Bed, nameOf } from './bed.ts';
import { bundle, startWorker, token } from './localWorker.ts';
import type { LocalWorker } from './localWorker.ts';

describe('a session in a Durable Object', () => {
	let worker: LocalWorker;
	let store: SessionStore;
	/** What takes long, for the last tests. */
	let sleeping: Promise<Slept>;
	let silence: Promise<readonly number[]>;
	before(async () => {
		worker = await startWorker({ script: await bundle() });
		store = await worker.connect();
		sleeping = sleep12(store);
		silence = throughSilence(worker.url);
		for (const promise of [sleeping, silence]) promise.catch(() => undefined);
	});
	after(async () => {
		await store.close();
		await worker.dispose();
	});

	async function evict(sessionId: string): Promise<void> {
		await worker.miniflare.unsafeEvictDurableObject('', 'SessionObject', { name: nameOf(sessionId) });
	}

	it('loses nothing when its memory is taken between two calls, and its callers stay connected', async () => {
		const session = store.session('evicted between');
		const rehydrated: number[] = [];
		const listening = store.onDidRehydrate(({ sessionId, seq }) => {
			if (sessionId === session.id) rehydrated.push(seq);
		});
		for (let count = 1; count <= 5; count++) {
			assert.equal(await add(session, 1, { key: `k${count}` }), count);
			await evict(session.id);
		}
		assert.equal(await add(session, 1, { key: 'k1' }), 1);
		assert.equal(await look(session), 5);
		listening.dispose();
		assert.deepEqual(rehydrated, [1, 2, 3, 4, 5]);
		const generations = (await session.checkpoints()).map(({ generation }) => generation);
		assert.equal(new Set(generations).size, generations.length, 'Each life has a generation of its own.');
	});

	it('ends the turn of a client that vanishes, at once', async () => {
		const gone = new AbortController();
		const other = await connectSessionStore({ url: worker.url, token, signal: gone.signal });
		const session = store.session('left alone');
		const held = heldAdd(other.session(session.id), 10);
		await held.begun;
		const waiting = add(session, 1);
		const waitingToo = heldAdd(other.session(session.id), 100);
		const beganAt = performance.now();
		gone.abort();
		assert.equal(await waiting, 1);
		assert.ok(performance.now() - beganAt < 30_000, 'It did not wait for the deadline.');
		held.letGo();
		await assert.rejects(held.reply, StoreError);
		await assert.rejects(waitingToo.reply, StoreError);
		assert.equal(await look(session), 1);
	});

	it('ends the turn of a client that is killed', async () => {
		const session = store.session('killed');
		await add(session, 1);
		const holder = spawn(process.execPath, ['test/worker/holder.ts', worker.url, session.id], {
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		await once(holder.stdout, 'data');
		const waiting = add(session, 1);
		const beganAt = performance.now();
		holder.kill('SIGKILL');
		await once(holder, 'close');
		assert.equal(await waiting, 2);
		assert.ok(performance.now() - beganAt < 30_000, 'It did not wait for the deadline.');
	});

	it('answers who asks whether it is there, also when its memory was taken', async () => {
		const session = store.session('there');
		await add(session, 1);
		const socket = new WebSocket(`${worker.url.replace('http', 'ws')}/v1/sessions/${nameOf(session.id)}`, {
			headers: { authorization: `Bearer ${token}` },
		});
		await event(socket, 'open');
		await evict(session.id);
		const answered = event(socket, 'message');
		socket.send('ping');
		assert.equal((await answered).data, 'pong');
		socket.close();
		await event(socket, 'close');
	});

	it('is in the index once, which knows its id and nothing else', async () => {
		const session = store.session('in the index');
		for (let count = 1; count <= 10; count++) await add(session, 1);
		const index = await worker.miniflare.getKVNamespace('INDEX');
		const { keys } = await index.list({ prefix: `session:${nameOf(session.id)}` });
		assert.equal(keys.length, 1);
		assert.equal(await index.get(keys[0]!.name), session.id);
		// What is lost there is not looked up again: the object knows that it is listed.
		await index.delete(keys[0]!.name);
		await add(session, 1);
		assert.equal(await index.get(keys[0]!.name), null);
		assert.equal(await look(session), 11);
	});

	it('takes only messages of its own session, and only messages', async () => {
		const url = `${worker.url.replace('http', 'ws')}/v1/sessions/${nameOf('mine')}`;
		const headers = { authorization: `Bearer ${token}` };
		const foreign = new WebSocket(url, { headers });
		await event(foreign, 'open');
		foreign.send('["request",1,"read",{"sessionId":"yours"},[]]\n');
		const message = await event(foreign, 'message');
		assert.match(String(message.data), /^\["failure",1,.*not the one of its WebSocket/u);
		foreign.close();
		await event(foreign, 'close');
		for (const garbage of [
			'',
			'{}',
			'[]\n',
			'["request",1,"drop",{},[]]\n',
			'["answer",1,"",{},[]]\n',
			'["request",1,"read",{},[["state",5]]]\nabc',
			'["request",1,"read",{},[["__proto__",0]]]\n',
			new Uint8Array([1, 2, 3]),
		]) {
			const socket = new WebSocket(url, { headers });
			await event(socket, 'open');
			const closed = event(socket, 'close');
			socket.send(garbage);
			assert.equal((await closed).code, 4400, String(garbage));
		}
	});

	it('is reached again when the network has swallowed a call', async () => {
		assert.deepEqual(await silence, [1, 2]);
	});

	it('sleeps when nothing happens, with its callers connected, and never under a call', async () => {
		const { idle, running } = await sleeping;
		assert.equal(idle.after, idle.before + 1, 'It woke up with a new generation.');
		assert.equal(idle.count, 2);
		assert.equal(idle.rehydrated, 1, 'The socket is still the one that was connected before: it hears of it.');
		assert.equal(running.after, running.before, 'The call had its turn all the time, in one life.');
		assert.equal(running.count, 2);
	}).timeout(40_000);
});

/** Two calls over a network that swallows everything between them. */
async function throughSilence(url: string): Promise<readonly number[]> {
	const pairs: (readonly [Socket, Socket])[] = [];
	const proxy = createServer((near) => {
		const far = connect(Number(new URL(url).port), '127.0.0.1');
		pairs.push([near, far]);
		for (const socket of [near, far]) socket.on('error', () => undefined);
		near.pipe(far).pipe(near);
	});
	proxy.listen(0, '127.0.0.1');
	await once(proxy, 'listening');
	const { port } = proxy.address() as AddressInfo;
	const store = await connectSessionStore({ url: `http://127.0.0.1:${port}`, token });
	try {
		const session = store.session('silence');
		const first = await add(session, 1);
		for (const [near, far] of pairs) {
			near.unpipe(far);
			far.unpipe(near);
			near.resume();
			far.resume();
		}
		return [first, await add(session, 1, { key: 'k' })];
	} finally {
		await store.close();
		for (const socket of pairs.flat()) socket.destroy();
		proxy.close();
	}
}

interface Life {
	/** Generations. */
	readonly before: number;
	readonly after: number;
	readonly count: number;
	readonly rehydrated: number;
}

interface Slept {
	readonly idle: Life;
	readonly running: Life;
}

/** Longer than the runtime waits before it puts an object to sleep. */
async function sleep12(store: SessionStore): Promise<Slept> {
	const rehydrated: string[] = [];
	store.onDidRehydrate(({ sessionId }) => rehydrated.push(sessionId));
	const life = async (session: Session, between: () => Promise<number>): Promise<Life> => {
		await add(session, 1);
		const count = await between();
		const [newest, oldest] = await session.checkpoints();
		return {
			before: oldest!.generation,
			after: newest!.generation,
			count,
			rehydrated: rehydrated.filter((id) => id === session.id).length,
		};
	};
	const quiet = store.session('asleep');
	const busy = store.session('awake');
	const [idle, running] = await Promise.all([
		life(quiet, async () => {
			await sleep(12_000);
			return add(quiet, 1);
		}),
		life(busy, async () => {
			const held = heldAdd(busy, 1);
			await sleep(12_000);
			held.letGo();
			return held.reply;
		}),
	]);
	return { idle, running };
}

describe('an object', () => {
	let worker: LocalWorker;
	let beds = 0;
	let bed: Bed;
	before(async () => (worker = await startWorker({ script: await bundle('test/worker/runtime/beds.ts') })));
	after(async () => worker.dispose());
	beforeEach(() => (bed = new Bed(`${worker.url}/object${beds++}`)));
	afterEach(async () => bed.dispose());

	it('that is reset under a call gets it again: it has one effect, and runs once', async () => {
		const store = await bed.open();
		for (const key of ['k', undefined]) {
			const session = store.session(`reset, key ${key}`);
			await add(session, 1);
			const held = heldAdd(session, 10, { key });
			await held.begun;
			await bed.reset();
			held.letGo();
			assert.equal(await held.reply, 11);
			assert.equal(await look(session), 11);
		}
	});

	it('whose memory is taken under a call, while the connection stays, gets the call again', async () => {
		// The runtime does not do that to an object that has a timer running.
		await bed.fail('without timers');
		const store = await bed.open();
		for (const key of ['k', undefined]) {
			const session = store.session(`forgetful, key ${key}`);
			await add(session, 1);
			let runs = 0;
			const reply = await session.call<Counter, number>({ key, tool: 'add', args: {} }, async (state) => {
				runs++;
				state.count = (state.count ?? 0) + 10;
				const name = `${bed.name}/${nameOf(session.id)}`;
				await worker.miniflare.unsafeEvictDurableObject('', 'SessionObject', { name });
				return state.count;
			});
			assert.equal(reply, 11);
			assert.equal(runs, 1);
			assert.equal(await look(session), 11);
			const generations = (await session.checkpoints()).map(({ generation }) => generation);
			assert.deepEqual(generations, [2, 2, 1]);
		}
	});

	it('that is reset under a call refuses it when another went on meanwhile', async () => {
		const session = (await bed.open()).session('overtaken');
		const other = (await bed.join()).session('overtaken');
		await add(session, 1);
		const held = heldAdd(session, 10, { key: 'k' });
		await held.begun;
		await bed.reset();
		assert.equal(await add(other, 100), 101);
		held.letGo();
		const error = await refused(held.reply, 'evicted');
		assert.equal(error.isRetryable, true);
		assert.equal(await add(session, 10, { key: 'k' }), 111);
		assert.equal(await look(session), 111);
	});

	it('that is reset under a call gives the first reply when the same call was made meanwhile', async () => {
		const session = (await bed.open()).session('overtaken by itself');
		const other = (await bed.join()).session(session.id);
		await add(session, 1);
		const held = heldAdd(session, 10, { key: 'k' });
		await held.begun;
		await bed.reset();
		assert.equal(await add(other, 10, { key: 'k' }), 11);
		held.letGo();
		assert.equal(await held.reply, 11);
		assert.equal(await look(session), 11);
	});

	it('whose storage another has claimed writes nothing more, and begins anew', async () => {
		const session = (await bed.open()).session('claimed');
		assert.equal(await add(session, 1), 1);
		const held = heldAdd(session, 10, { key: 'k' });
		await held.begun;
		await bed.sql(session.id, "UPDATE meta SET value = 7 WHERE name = 'generation'");
		held.letGo();
		// It may be told, or get its turn again in the next life.
		await held.reply.catch(() => undefined);
		assert.equal(await add(session, 10, { key: 'k' }), 11);
		const generations = (await session.checkpoints()).map(({ generation }) => generation);
		assert.deepEqual(generations, [8, 1]);
	});

	it('leaves nothing behind for who only looks', async () => {
		const session = (await bed.open()).session('only looked at');
		assert.equal(await session.read(), undefined);
		assert.deepEqual(await session.checkpoints(), []);
		await session.evict();
		const tables = await bed.sql(session.id, "SELECT name FROM sqlite_master WHERE substr(name, 1, 3) <> '_cf'");
		assert.deepEqual(tables, []);
		await add(session, 1);
		assert.equal((await session.read())?.seq, 1);
	});

	it('that is lost before it has written a call writes it in its next life', async () => {
		const store = await bed.open();
		for (const key of ['k', undefined]) {
			const session = store.session(`lost before, key ${key}`);
			await add(session, 1);
			await bed.fail('lost before');
			assert.equal(await add(session, 10, { key }), 11);
			assert.deepEqual(await session.read(), { seq: 2, state: { count: 11 } });
		}
	});

	it('that is lost after it has written a call, and could not say so, is asked by the key', async () => {
		const session = (await bed.open()).session('a');
		await add(session, 1);
		await bed.fail('lost after');
		assert.equal(await add(session, 10, { key: 'k' }), 11);
		assert.deepEqual(await session.read(), { seq: 2, state: { count: 11 } });
		await bed.fail('lost after');
		const error = await refused(add(session, 100), 'owner-lost');
		assert.equal(error.isRetryable, true);
		assert.match(error.message, /may have been/u);
		assert.equal(await look(session), 111);
	});

	it('that is reset under many calls loses none and makes none twice', async () => {
		const store = await bed.open();
		const sessions = ['a', 'b', 'c'].map((id) => store.session(id));
		let isOver = false;
		const resets = (async () => {
			for (let count = 0; count < 5; count++) {
				await sleep(60);
				await bed.reset();
			}
			isOver = true;
		})();
		const replies = sessions.map((): number[] => []);
		await Promise.all(
			Array.from({ length: 6 }, async (_, caller) => {
				for (let call = 0; !isOver; call++) {
					const reply = await untilItWorks(() => add(sessions[caller % 3]!, 1, { key: `${caller} ${call}` }));
					replies[caller % 3]!.push(reply);
				}
			}),
		);
		await resets;
		for (const [index, session] of sessions.entries()) await assertOnce(session, replies[index]!);
	});

	it('writes one row for each checkpoint, and one more for sixteen of them', async () => {
		const session = (await bed.open()).session('a');
		await add(session, 1);
		const before = await bed.counts();
		for (let call = 0; call < 300; call++) await add(session, 1, { key: `k${call}` });
		const { rowsWritten } = await bed.counts();
		assert.equal(rowsWritten - before.rowsWritten, 300 + Math.floor(301 / 16));
	});

	it('that has too much to do is not asked again', async () => {
		const store = await bed.open();
		await bed.fail('overloaded');
		const { requests } = await bed.counts();
		const error = await refused(add(store.session('a'), 1), 'overloaded');
		assert.equal(error.isRetryable, true);
		assert.equal(error.sessionId, 'a');
		assert.equal((await bed.counts()).requests, requests + 1);
		await bed.fail('nothing');
		assert.equal(await add(store.session('a'), 1), 1);
		await bed.fail('overloaded');
		await refused(store.sessions(), 'overloaded');
	});

	it('goes on when what a call has done is longer than a message may be', async () => {
		const session = (await bed.open()).session('a');
		await add(session, 1);
		await refused(
			session.call({ key: undefined, tool: 'long', args: {} }, () => 'x'.repeat(34 * 1024 * 1024)),
			'too-large',
		);
		// Its turn has ended, and not only at its deadline.
		assert.equal(await add(session, 1, { deadlineMs: 10_000 }), 2);
	}).timeout(30_000);

	it('whose limits make no sense says so', async () => {
		for (const limits of [{ nonsense: 1 }, { queueLength: -1 }, { eviction: 'sometimes' }, { stateBytes: '1' }]) {
			const store = await bed.open(limits as object);
			await assert.rejects(
				add(store.session('a'), 1),
				new RegExp(`LIMITS cannot have ${Object.keys(limits)[0]}`, 'u'),
			);
		}
		assert.equal(await add((await bed.open()).session('a'), 1), 1);
	});

	it('that could not be put into the index works, and is put there later', async () => {
		const store = await bed.open();
		await bed.fail('unlisted');
		assert.equal(await add(store.session('a'), 1), 1);
		assert.deepEqual(await store.sessions(), []);
		await bed.fail('nothing');
		assert.equal(await add(store.session('a'), 1), 2);
		for (let tries = 0; tries < 2_000 && (await store.sessions()).length === 0; tries++) await sleep(10);
		assert.deepEqual(
			(await store.sessions()).map(({ id }) => id),
			['a'],
		);
	});

	it('is one of more than a page of them', async () => {
		const store = await bed.open();
		const ids = Array.from({ length: 60 }, (_, index) => `session ${index}`);
		await Promise.all(ids.map((id) => add(store.session(id), 1)));
		const sessions = await store.sessions();
		assert.deepEqual(sessions.map(({ id }) => id).sort(), ids.sort());
		const times = sessions.map(({ checkpointedAt }) => checkpointedAt);
		assert.deepEqual(times, times.toSorted().toReversed());
	});

	const statements: readonly { what: string; sql: string; parameters?: unknown[]; outcome: string }[] = [
		{ what: 'a statement', sql: 'SELECT 1', outcome: 'ok ok' },
		{ what: 'a transaction', sql: 'BEGIN', outcome: 'limit limit' },
		{ what: 'a savepoint', sql: ' savepoint a', outcome: 'limit limit' },
		{ what: 'a pragma', sql: 'PRAGMA user_version = 1', outcome: 'limit limit' },
		{ what: 'two statements', sql: 'SELECT 1; SELECT 2', outcome: 'limit limit' },
		{ what: 'a long statement', sql: `SELECT 1 --${'x'.repeat(100_000)}`, outcome: 'limit limit' },
		{ what: '100 parameters', sql: `SELECT ${marks(100)}`, parameters: numbers(100), outcome: 'ok ok' },
		{ what: '101 parameters', sql: `SELECT ${marks(101)}`, parameters: numbers(101), outcome: 'limit limit' },
		{ what: 'two megabytes', sql: 'SELECT ?', parameters: ['x'.repeat(2_000_000)], outcome: 'ok ok' },
		{ what: 'more', sql: 'SELECT ?', parameters: ['é'.repeat(1_000_001)], outcome: 'limit limit' },
		{ what: 'more in two', sql: 'SELECT ?, ?', parameters: ['x'.repeat(1_999_999), 'xx'], outcome: 'limit limit' },
		{ what: 'a lone surrogate', sql: 'SELECT ?', parameters: ['\ud800'], outcome: 'other other' },
		{ what: 'a number that is not safe', sql: 'SELECT ?', parameters: [2 ** 60], outcome: 'other other' },
		{ what: 'what is no SQL', sql: 'SELEKT 1', outcome: 'other other' },
	];
	for (const { what, sql, parameters = [], outcome } of statements) {
		it(`holds the limits of the platform: ${what}`, async () => {
			assert.equal(await bed.query({ sql, parameters: parameters as never }), outcome);
		});
	}
});

describe('the runtime', () => {
	it('that does not come back, or not to this token, is given up with a sentence that says so', async () => {
		const script = await bundle();
		const [gone, other] = await Promise.all([startWorker({ script }), startWorker({ script })]);
		const [store, locked] = await Promise.all([gone.connect(), other.connect()]);
		let changed: LocalWorker | undefined;
		try {
			await Promise.all([add(store.session('a'), 1), add(locked.session('a'), 1)]);
			const port = Number(new URL(other.url).port);
			await Promise.all([gone.dispose(false), other.dispose(false)]);
			changed = await startWorker({ script, port, variables: { TOKEN: 'another' } });
			const [lost, refusal] = await Promise.all([
				refused(add(store.session('a'), 1, { key: 'k' }), 'owner-lost'),
				refused(add(locked.session('a'), 1, { key: 'k' }), 'unauthorized'),
			]);
			assert.deepEqual([lost.isRetryable, lost.sessionId], [true, 'a']);
			assert.ok(lost.message.includes(gone.url), lost.message);
			assert.deepEqual([refusal.isRetryable, refusal.sessionId], [false, 'a']);
			await refused(store.sessions(), 'owner-lost');
			await refused(locked.sessions(), 'unauthorized');
		} finally {
			await Promise.all([store.close(), locked.close(), changed?.dispose()]);
		}
	});

	it('that is killed under eight callers has lost nothing of what was acknowledged', async () => {
		const directory = mkdtempSync(join(tmpdir(), 'crosstalk-worker-'));
		const script = await bundle();
		let worker = await startWorker({ script, directory });
		const port = Number(new URL(worker.url).port);
		const stores = await Promise.all(Array.from({ length: 8 }, async () => worker.connect()));
		try {
			let isOver = false;
			const acknowledged = new Map<string, number[]>();
			const callers = stores.map(async (store, caller) => {
				// Of two sessions that two callers share each, and four that are one's own.
				const id = caller < 4 ? `shared ${caller % 2}` : `own ${caller}`;
				const replies = acknowledged.get(id) ?? [];
				acknowledged.set(id, replies);
				for (let call = 0; !isOver; call++) {
					const request = { key: `${caller} ${call}`, tool: 'add', args: {} };
					const count = (state: Counter & { noise?: string }): number => {
						state.noise = String(Math.random()).repeat(200);
						return (state.count = (state.count ?? 0) + 1);
					};
					replies.push(await untilItWorks(() => store.session(id).call(request, count)));
				}
			});
			const over = Promise.all(callers);
			const untilThereAre = async (calls: number): Promise<void> => {
				while (sum(acknowledged) < calls) await Promise.race([sleep(5), over]);
			};
			for (let life = 0; life < 2; life++) {
				await untilThereAre(sum(acknowledged) + 100);
				killRuntimes();
				// Its own runtime is gone; that of its successor has the same address.
				await worker.dispose(false);
				worker = await startWorker({ script, directory, port });
			}
			await untilThereAre(sum(acknowledged) + 100);
			isOver = true;
			await over;
			const store = await worker.connect();
			for (const [id, replies] of acknowledged) await assertOnce(store.session(id), replies);
			await store.close();
		} finally {
			await Promise.all(stores.map(async (store) => store.close()));
			await worker.dispose();
			rmSync(directory, { recursive: true, force: true });
		}
	}).timeout(300_000);
});

/** Those that this process has started. */
function killRuntimes(): void {
	const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,comm='], { encoding: 'utf8' });
	const own = processes
		.split('\n')
		.map((line) => /^\s*(\d+)\s+(\d+)\s+(.+)$/u.exec(line))
		.filter((match) => match !== null && Number(match[2]) === process.pid && basename(match[3]!) === 'workerd');
	assert.ok(own.length > 0, processes);
	for (const match of own) process.kill(Number(match![1]), 'SIGKILL');
}

/** A call with a key, however often: another may have gone on where it lost its turn. */
async function untilItWorks(call: () => Promise<number>): Promise<number> {
	for (;;) {
		try {
			return await call();
		} catch (error) {
			if (!(error instanceof StoreError) || !error.isRetryable) throw error;
		}
	}
}

/** Each of the calls added one, and was told what it was then: none is missing, and none was made twice. */
async function assertOnce(session: Session, replies: readonly number[]): Promise<void> {
	assert.deepEqual(
		replies.toSorted((left, right) => left - right),
		replies.map((_, index) => index + 1),
		session.id,
	);
	assert.equal(await look(session), replies.length, session.id);
}

function sum(replies: ReadonlyMap<string, readonly number[]>): number {
	return [...replies.values()].reduce((total, { length }) => total + length, 0);
}

function marks(count: number): string {
	return Array.from({ length: count }, () => '?').join();
}

function numbers(count: number): number[] {
	return Array.from({ length: count }, (_, index) => index);
}

interface SocketEvent {
	readonly data?: unknown;
	readonly code?: number;
}

async function event(socket: WebSocket, name: 'open' | 'message' | 'close'): Promise<SocketEvent> {
	return new Promise((resolve, reject) => {
		socket.addEventListener(name, (happened: Event) => resolve(happened as SocketEvent), { once: true });
		if (name === 'close') return;
		socket.addEventListener('error', () => reject(new Error(`It is not ${name}.`)), { once: true });
	});
}
