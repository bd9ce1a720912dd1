import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { CheckpointMade, SessionStore, TakenOver } from '../../../../src/core/store/sessionStore.ts';
import type { SqlDatabase } from '../../../../src/core/store/sqlDatabase.ts';
import { StoreError } from '../../../../src/core/store/storeError.ts';
import { createHostStore } from '../../../../src/platform/node/store/hostStore.ts';
import { openNodeSqlite } from '../../../../src/platform/node/store/nodeSqlite.ts';
import { openSessionStore, openWith } from '../../../../src/platform/node/store/openSessionStore.ts';
import type { SessionStoreOptions } from '../../../../src/platform/node/store/openSessionStore.ts';
import { until, within } from '../../../mcp/waiting.ts';
import { isWindows } from '../host/hosts.ts';
import { StoreLab } from './stores.ts';

/** What the next owner needs. */
const lasting = ['owner.sqlite', 'sessions.sqlite', 'sessions.sqlite-reserve'];

interface Counter {
	count?: number;
}

async function add(store: SessionStore, session: string, key?: string): Promise<number> {
	return store.session(session).call<Counter, number>({ key, tool: 'add', args: {} }, (state) => {
		return (state.count = (state.count ?? 0) + 1);
	});
}

/** What a process says that may only read. Root may write everywhere, so it is nobody who asks, to whom the directory belongs. */
function asReader(directory: string): string {
	const isRoot = process.getuid?.() === 0;
	const nobody = 65_534;
	const names = readdirSync(directory).map((name) => join(directory, name));
	const own = (user: number) => {
		if (isRoot) for (const path of [directory, ...names]) chownSync(path, user, user);
	};
	chmodSync(dirname(directory), 0o755);
	for (const path of names) chmodSync(path, 0o400);
	chmodSync(directory, 0o500);
	own(nobody);
	try {
		const program = join(import.meta.dirname, 'readOnlySession.ts');
		const { stdout, stderr } = spawnSync(process.execPath, [program, directory], {
			encoding: 'utf8',
			timeout: 60_000,
			...(isRoot ? { uid: nobody } : {}),
		});
		assert.equal(stderr, '');
		return stdout;
	} finally {
		own(0);
		chmodSync(directory, 0o700);
		for (const path of names) chmodSync(path, 0o600);
	}
}

function changed(sql: string): (file: string) => void {
	return (file) => {
		const database = new DatabaseSync(file);
		database.exec(sql);
		database.close();
	};
}

describe('a session store that is opened', () => {
	let lab: StoreLab;

	beforeEach(async () => {
		lab = await StoreLab.create();
	});

	afterEach(async () => lab.remove());

	it('is one, whoever opens it', async () => {
		const [one, other] = [await lab.open(), await lab.open()];
		const process = await lab.started();
		assert.deepEqual(
			[
				await add(one, 's'),
				await add(other, 's'),
				await process.add('s'),
				await add(other, 's'),
				await add(one, 't'),
			],
			[1, 2, 3, 4, 1],
		);
		assert.deepEqual(
			(await other.sessions()).map(({ id, seq, generation, residence }) => [id, seq, generation, residence]),
			[
				['t', 1, 1, 'memory'],
				['s', 4, 1, 'memory'],
			],
		);
		const session = other.session('s');
		assert.deepEqual(await session.read(), { seq: 4, state: { count: 4 } });
		assert.deepEqual(await session.stateAt(2), { seq: 2, state: { count: 2 } });
		assert.deepEqual(
			(await session.checkpoints()).map(({ seq, tool }) => [seq, tool]),
			[4, 3, 2, 1].map((seq) => [seq, 'add']),
		);
		await session.evict();
		assert.deepEqual(
			(await one.sessions()).map(({ residence }) => residence),
			['memory', 'disk'],
		);
		assert.equal(await add(other, 's'), 5);
	});

	it('runs the calls on one session one at a time, in the order in which they came, whoever makes them', async () => {
		const stores = [await lab.open(), await lab.open(), await lab.open()];
		const order: number[] = [];
		await Promise.all(
			Array.from({ length: 60 }, async (_, index) => {
				const store = stores[index % 3];
				assert.ok(store);
				await store
					.session('s')
					.call<{ running?: boolean }>({ key: undefined, tool: 't', args: {} }, async (state) => {
						assert.ok(state.running !== true);
						state.running = true;
						await delay(1);
						state.running = false;
						order.push(index);
					});
			}),
		);
		// Of each caller; what two send at the same time may arrive in any order.
		for (const store of [0, 1, 2]) {
			const own = order.filter((index) => index % 3 === store);
			assert.deepEqual(
				own,
				own.toSorted((one, other) => one - other),
			);
		}
	});

	it('gives a client the errors that the owner has', async () => {
		await lab.open({ limits: { queueLength: 1, stateBytes: 1_000 } });
		const store = await lab.open();
		const session = store.session('s');
		await assert.rejects(
			session.call({ key: undefined, tool: 't', args: {} }, (state) => {
				state['text'] = 'x'.repeat(2_000);
			}),
			{ name: 'StoreError', code: 'too-large', sessionId: 's', isRetryable: false },
		);
		assert.equal(await add(store, 's', 'key'), 1);
		await assert.rejects(
			session.call({ key: 'key', tool: 'other', args: {} }, () => 1),
			{ code: 'key-reused' },
		);
		await assert.rejects(
			session.call({ key: undefined, tool: 't', args: {} }, () => {
				throw new TypeError('its own');
			}),
			{ name: 'TypeError', message: 'its own' },
		);
		await assert.rejects(
			session.call({ key: undefined, tool: 't', args: {}, deadlineMs: 50 }, async (_state, { signal }) => {
				await delay(10_000, undefined, { signal, ref: false });
			}),
			{ code: 'deadline-exceeded' },
		);
		// Also of a turn that it has kept, for which it need not ask.
		for (let number = 0; number < 3; number++) await add(store, 's');
		await assert.rejects(
			session.call(
				{ key: undefined, tool: 't', args: {}, deadlineMs: 50 },
				async () => new Promise(() => undefined),
			),
			{ code: 'deadline-exceeded', message: 'The call of session "s" took longer than the 50 ms it had.' },
		);
		const held = Promise.withResolvers<void>();
		const running = session.call({ key: undefined, tool: 't', args: {} }, async () => held.promise);
		await until('a call that runs', async () => (await store.sessions())[0]?.inFlight === 1 || undefined);
		const waiting = add(store, 's');
		await assert.rejects(add(store, 's'), { code: 'overloaded', isRetryable: true });
		held.resolve();
		await running;
		assert.equal(await waiting, 5);
	});

	it('carries any text and large states between processes', async () => {
		const process = await lab.started();
		const store = await lab.open();
		const text = `${'\u0000"\\\n\u2028é€😀 '.repeat(300)}\ud800`;
		const state = { text, ['__proto__x']: [1, -1.5e300, null, true, { deep: { er: '' } }], 'ключ 鍵': text };
		const session = store.session('séance 😀 "\\\n');
		const reply = await session.call({ key: 'schlüssel', tool: 'werkzeug', args: { text } }, (kept) => {
			Object.assign(kept, state);
			return state;
		});
		assert.deepEqual(reply, state);
		await session.call({ key: undefined, tool: 'more', args: {} }, (kept) => {
			assert.deepEqual({ ...kept }, state);
			kept['large'] = '€'.repeat(1_500_000);
		});
		await process.close();
		assert.deepEqual((await session.read())?.state, { ...state, large: '€'.repeat(1_500_000) });
		assert.deepEqual(await session.call({ key: 'schlüssel', tool: 'werkzeug', args: { text } }, () => 0), state);
	});

	it('tells what happens only to those who listen, whoever did it', async () => {
		const owner = await lab.open();
		const client = await lab.open();
		const made: CheckpointMade[] = [];
		await add(owner, 's');
		const listening = client.onDidCheckpoint((event) => made.push(event));
		await until('an event', async () => {
			await add(owner, 's', 'watched');
			return made.length > 0 ? true : undefined;
		});
		const [{ sessionId, tool, key } = { sessionId: '' }] = made;
		assert.deepEqual([sessionId, tool, key], ['s', 'add', 'watched']);
		listening.dispose();
		const known = made.length;
		for (let index = 0; index < 5; index++) await add(client, 's');
		assert.equal(made.length, known);
	});

	it('leaves nothing behind but what the next owner needs', async () => {
		const owner = await lab.open();
		const client = await lab.open();
		assert.equal(await add(client, 's'), 1);
		assert.ok(existsSync(join(lab.directory, 'host.json')));
		await owner.close();
		await client.close();
		assert.deepEqual(readdirSync(lab.directory).sort(), lasting);
		await assert.rejects(add(client, 's'), { code: 'closed' });
		const killed = await lab.started();
		await killed.kill();
		const next = await lab.open();
		assert.equal(await add(next, 's'), 2);
		const sockets = readdirSync(lab.directory).filter((name) => name.endsWith('.sock'));
		assert.equal(sockets.length, 1);
		await next.close();
		assert.deepEqual(readdirSync(lab.directory).sort(), lasting);
	});

	it('goes over to a client when its owner closes it, and nobody’s call is lost', async () => {
		const owner = await lab.open();
		const client = await lab.open();
		const takenOver: TakenOver[] = [];
		client.onDidTakeOver((event) => takenOver.push(event));
		let isEnding = false;
		const counts: number[] = [];
		const calling = (async () => {
			for (let index = 1; !isEnding || index < 20; index++) counts.push(await add(client, 's', `key ${index}`));
		})();
		await delay(50);
		await owner.close();
		isEnding = true;
		await calling;
		assert.deepEqual(
			counts,
			counts.map((_, index) => index + 1),
		);
		assert.deepEqual(
			takenOver.map(({ generation, isOurs }) => [generation, isOurs]),
			[[2, true]],
		);
	});

	it('ends calls that run elsewhere before its owner ends, or lets them be made again', async () => {
		const owner = await lab.open();
		const client = await lab.open();
		let runs = 0;
		const slow = async (ms: number) =>
			client.session('s').call<Counter, number>({ key: undefined, tool: 't', args: {} }, async (state) => {
				runs++;
				state.count = (state.count ?? 0) + 1;
				await delay(runs === 1 || ms < 1_000 ? ms : 0);
				return state.count;
			});
		const quick = slow(200);
		await until('a call that runs', () => (runs === 1 ? true : undefined));
		await owner.close();
		assert.deepEqual([await quick, runs], [1, 1]);
		// It is the owner now.
		assert.equal(await add(client, 's'), 2);
		runs = 0;
		const other = await lab.open();
		const endless = other
			.session('s')
			.call<Counter, number>({ key: undefined, tool: 't', args: {} }, async (state) => {
				runs++;
				state.count = (state.count ?? 0) + 1;
				if (runs === 1) await delay(60_000, undefined, { ref: false });
				return state.count;
			});
		await until('a call that runs', () => (runs === 1 ? true : undefined));
		await within(20_000, 'The end of an owner', client.close());
		assert.deepEqual([await endless, runs], [3, 2]);
	});

	it('ends the calls of a client that dies, and goes on with the next', async () => {
		const store = await lab.open();
		const client = await lab.started();
		assert.equal(await client.add('s'), 1);
		const held = client.add('s', 'held', 60_000);
		const queued = client.add('s', 'queued');
		held.catch(() => undefined);
		queued.catch(() => undefined);
		await until('two calls', async () => ((await store.sessions())[0]?.inFlight === 2 ? true : undefined));
		const mine = add(store, 's');
		await client.kill();
		assert.equal(await within(20_000, 'The next call', mine), 2);
		assert.deepEqual(await store.session('s').read(), { seq: 2, state: { count: 2 } });
	});

	it('lets no call hang when its directory goes, and brings it back for nobody', async () => {
		const owner = await lab.open();
		const client = await lab.open();
		await add(client, 's');
		rmSync(lab.directory, { recursive: true });
		for (const store of [owner, client])
			await until('a refusal', async () => {
				const failure = await within(20_000, 'An answer', add(store, 's')).then(
					() => undefined,
					(error: unknown) => error as { code: string }, // looked at below
				);
				if (failure === undefined) return undefined;
				assert.equal(failure.code, 'unusable-directory');
				return true;
			});
		assert.ok(!existsSync(lab.directory));
		await within(20_000, 'The end', Promise.all([owner.close(), client.close()]));
		assert.ok(!existsSync(lab.directory));
	});

	it('says what is in the way of a directory', async () => {
		writeFileSync(lab.directory, '');
		for (const directory of [lab.directory, join(lab.directory, 'deeper'), ''])
			await assert.rejects(openSessionStore({ directory }), {
				name: 'StoreError',
				code: 'unusable-directory',
				message:
					directory === ''
						? /^A session store needs a directory\.$/
						: /^The directory \S+ cannot be used.*[^-]\.$/,
			});
	});

	it('keeps a program until its call is answered, though it waits for nothing but a turn that another process has', async () => {
		const library = pathToFileURL('src/platform/node/sessionStore.ts').href;
		const program = `
			const { openSessionStore } = await import(${JSON.stringify(library)});
			const store = await openSessionStore({ directory: ${JSON.stringify(lab.directory)} });
			for (let number = 0; number < 50; number++)
				await store.session('s').call({ key: undefined, tool: 't', args: {} }, (state) => {
					state.count = (state.count ?? 0) + 1;
				});
			await store.close();`;
		const file = join(lab.folder, 'program.mjs');
		writeFileSync(file, program);
		const run = promisify(execFile);
		await Promise.all([1, 2, 3].map(async () => run(process.execPath, [file], { timeout: 60_000 })));
		assert.deepEqual((await (await lab.open()).session('s').read())?.state, { count: 150 });
	});

	it('says nothing of its own end, also when it was just looking whether it is still the owner', async () => {
		const told: unknown[] = [];
		let onLook: () => Promise<void> = async () => undefined;
		const open = async (directory: string): Promise<SqlDatabase> => {
			const database = await openNodeSqlite({ directory });
			return {
				read: async (statement) => onLook().then(async () => database.read(statement)),
				write: async (statements, generation) => database.write(statements, generation),
				claim: async () => database.claim(),
				close: async () => database.close(),
			};
		};
		const store = await openWith({ directory: lab.directory, onError: (error) => told.push(error) }, open);
		const looked = Promise.withResolvers<void>();
		onLook = async () => {
			await store.close();
			looked.resolve();
		};
		await within(20_000, 'A look', looked.promise);
		await delay(20);
		assert.deepEqual(told, []);
	});

	it('lets a session go on when what a client has done is longer than a message may be', async () => {
		await lab.open();
		const session = (await lab.open()).session('s');
		const call = (run: (state: Record<string, unknown>) => unknown) =>
			session.call({ key: undefined, tool: 't', args: {} }, run);
		// Each of them is six bytes as JSON.
		const text = '\u0001'.repeat(45 * 1024 * 1024);
		// Also in a turn that was kept.
		for (let number = 1; number <= 3; number++) await call((state) => (state['count'] = number));
		await assert.rejects(
			call(() => text),
			{ code: 'too-large', sessionId: 's' },
		);
		assert.equal(
			await within(
				20_000,
				'The next call',
				call(({ count }) => count),
			),
			3,
		);
		await assert.rejects(
			call(() => [text, text]),
			{ code: 'too-large', sessionId: 's' },
		);
	}).timeout(60_000);

	it('says what is wrong with an option, and makes nothing', async () => {
		const directory = join(lab.folder, 'other');
		for (const [options, message] of [
			[undefined, /^A session store is opened with \{ directory \}\.$/],
			[null, /^A session store is opened with \{ directory \}\.$/],
			['.sessions', /^A session store is opened with \{ directory \}\.$/],
			[{ directory, takeOverMs: 0 }, /^takeOverMs is a number from 100 on\.$/],
			[{ directory, takeOverMs: '5000' }, /^takeOverMs is a number from 100 on\.$/],
			[{ directory, onError: 5 }, /^onError is a function\.$/],
			[{ directory, limits: { eviction: null } }, /^limits cannot have eviction: /],
			[{ directory, limits: null }, /^limits is an object /],
		] as const)
			await assert.rejects(openSessionStore(options as unknown as SessionStoreOptions), {
				name: 'StoreError',
				code: 'invalid-options',
				message,
			});
		assert.ok(!existsSync(directory));
	});

	it('is read where its directory cannot be written to, and says so of each call', async () => {
		// Access lists do that there.
		if (isWindows) return;
		const store = await lab.open();
		assert.equal(await add(store, 'a'), 1);
		await store.close();
		assert.equal(
			asReader(lab.directory),
			`read: {"seq":1,"state":{"count":1}}
listed: a 1
read-only: Session "a" can only be read. The store cannot be written to: ${join(lab.directory, 'sessions.sqlite')} can only be read.
`,
		);
		assert.deepEqual(readdirSync(lab.directory).sort(), lasting);
		assert.equal(await add(await lab.open(), 'a'), 2);
	});

	it('of a newer version is read, for as long as somebody wants, by whoever opens it and by a host', async () => {
		const old = await lab.open();
		assert.equal(await add(old, 'a'), 1);
		await old.close();
		const file = join(lab.directory, 'sessions.sqlite');
		const later = new DatabaseSync(file);
		later.exec("UPDATE meta SET value = 99 WHERE name = 'schema'");
		later.close();
		const before = readFileSync(file);
		const [owner, client] = [await lab.open(), await lab.open()];
		const address = await lab.owner();
		// Longer than an owner goes without a look whether it still is that.
		for (let tries = 0; tries < 5; tries++) {
			for (const store of [owner, client]) {
				assert.deepEqual(await store.session('a').read(), { seq: 1, state: { count: 1 } });
				await assert.rejects(add(store, 'a'), {
					code: 'read-only',
					message: /^Session "a" can only be read\. The store is of a newer version: its schema is 99, /,
				});
			}
			await delay(500);
		}
		assert.deepEqual(await lab.owner(), address);
		await Promise.all([client.close(), owner.close()]);
		const host = createHostStore({ directory: lab.directory, takeOverMs: 5_000, onError: assert.ifError });
		const turns = await within(20_000, 'The store of a host', host.open());
		assert.deepEqual(await turns.read('a'), { seq: 1, state: '{"count":1}' });
		await assert.rejects(host.events(), { code: 'read-only' });
		await host.close();
		assert.ok(readFileSync(file).equals(before));
	});

	const damages: readonly {
		readonly title: string;
		readonly damage: (file: string) => void;
		readonly why: RegExp;
	}[] = [
		{
			title: 'is no database',
			damage: (file) => writeFileSync(file, 'precious '.repeat(2_000)),
			why: /is damaged: file is not a database\. It is kept as it is/,
		},
		{
			title: 'is cut off',
			damage: (file) => writeFileSync(file, readFileSync(file).subarray(0, 9_000)),
			why: /is damaged: database disk image is malformed\. It is kept as it is/,
		},
		{
			title: 'is garbage but for its beginning',
			damage: (file) => writeFileSync(file, readFileSync(file).fill(0xff, 8_192)),
			why: /is damaged \(database disk image is malformed\)\. It is kept as it is/,
		},
		{
			title: 'does not say of which version it is',
			damage: changed("DELETE FROM meta WHERE name = 'schema'"),
			why: /there are tables in it, and nothing says of which version they are/,
		},
		{
			title: 'says of a version that is none',
			damage: changed("UPDATE meta SET value = 'x' WHERE name = 'schema'"),
			why: /its schema is "x", which is no version/,
		},
		{
			title: 'is the database of something else',
			damage: changed('DROP TABLE meta; DROP TABLE checkpoints; DROP TABLE chunks; DROP TABLE laps'),
			why: /there are tables in it, and nothing says of which version they are/,
		},
	];
	for (const { title, damage, why } of damages)
		it(`whose file ${title} is refused by a sentence that names it, and kept`, async () => {
			const store = await lab.open();
			assert.equal(await add(store, 'a'), 1);
			await store.close();
			const file = join(lab.directory, 'sessions.sqlite');
			damage(file);
			const before = readFileSync(file);
			await assert.rejects(openSessionStore({ directory: lab.directory }), (error) => {
				assert.ok(error instanceof StoreError, String(error));
				assert.deepEqual([error.code, error.isRetryable], ['unusable-directory', false]);
				assert.ok(error.message.includes(lab.directory), error.message);
				assert.match(error.message, why);
				return true;
			});
			assert.ok(readFileSync(file).equals(before));
		});

	it('is refused in a directory that cannot be written to and holds none', () => {
		if (isWindows) return;
		mkdirSync(lab.directory);
		assert.match(
			asReader(lab.directory),
			/^unusable-directory: [^\n]* cannot be written to, and holds no session store\.\n$/,
		);
		assert.deepEqual(readdirSync(lab.directory), []);
	});

	it('turns away who speaks another protocol, and nobody else notices', async () => {
		const told: unknown[] = [];
		const store = await lab.open({ onError: (error) => told.push(error) });
		const { controlSocket } = await lab.owner();
		for (const noise of [
			'\0crosstalk-store/2\n',
			'\0crosstalk-store/1\n\u0001\0\0\0\0',
			'\0crosstalk-store/1\n\u00ff\u00ff\u00ff\u00ff',
			`\0crosstalk-store/1\n\u0014\0\0\0\u0001\u0001\0\0\0\u000b\0\0\0not json at`,
			'\0',
		]) {
			const socket = connect(controlSocket);
			socket.on('error', () => undefined);
			const closed = new Promise((resolve) => socket.once('close', resolve));
			socket.write(Buffer.from(noise, 'latin1'));
			if (noise.length > 1) await within(20_000, `The end of ${JSON.stringify(noise)}`, closed);
			else socket.destroy();
		}
		assert.equal(await add(store, 's'), 1);
		assert.equal(await add(await lab.open(), 's'), 2);
		assert.equal(told.length, 4, told.join('\n'));
	});
});
