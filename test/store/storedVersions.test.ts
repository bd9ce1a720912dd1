// Stores as each version of the schema has written them, with the checksums of that time. `UPDATE_GOLDENS=1` writes the one of today where there
// is none yet: what was published is never written anew.

import assert from 'node:assert/strict';

import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createSessionStore } from '../../src/core/store/createSessionStore.ts';
import { createTurns, defaultLimits } from '../../src/core/store/createTurns.ts';
import type { SessionStore } from '../../src/core/store/sessionStore.ts';
import { StoreError } from '../../src/core/store/storeError.ts';
import type { StorePlatform } from '../../src/core/store/storePlatform.ts';
import { add } from '../contract/engine.ts';
import { MemoryDisk } from './memoryDatabase.ts';
import type { ConnectionOptions } from './memoryDatabase.ts';
import { Process, Scheduler } from './scheduler.ts';
import { sha256 } from './turnsRig.ts';

const folder = new URL('../fixtures/stores/', import.meta.url);

interface StoredDisk {
	/** The statements that make the tables. */
	readonly schema: readonly string[];
	readonly rows: Readonly<Record<string, readonly Readonly<Record<string, string | number | null>>[]>>;
}

describe('a store of an earlier version', () => {
	let disk: MemoryDisk;

	beforeEach(() => (disk = new MemoryDisk()));
	afterEach(() => disk.dispose());

	it('is there for the schema of today', async () => {
		await written(await open(disk));
		const version = schemaVersion(disk);
		const file = new URL(`version-${version}.json`, folder);
		if (process.env['UPDATE_GOLDENS'] === '1' && !existsSync(file)) {
			writeFileSync(file, `${JSON.stringify(dump(disk), undefined, '\t')}\n`);
		}
		assert.ok(existsSync(file), `There is no ${file.pathname}; UPDATE_GOLDENS=1 writes it.`);
	});

	for (const name of readdirSync(folder)) {
		const version = Number(/\d+/u.exec(name)?.[0]);

		it(`is read whole, and goes on: ${version}`, async () => {
			disk = restored(version);
			const store = await open(disk);
			assert.deepEqual((await store.sessions()).map(({ id, seq }) => ({ id, seq })).sort(byId), [
				{ id: 'empty reply', seq: 1 },
				{ id: 'ключ 🔑', seq: 3 },
			]);
			const session = store.session('ключ 🔑');
			assert.deepEqual(await session.read(), { seq: 3, state: { count: 6, text: '\ud800 "ü" \u0000' } });
			assert.deepEqual((await session.stateAt(1)).state, { count: 1 });
			assert.equal(await add(session, 2, { key: 'k2' }), 3);
			assert.equal(await silent(store), undefined);
			await assert.rejects(
				add(session, 3, { key: 'k2' }),
				(error) => error instanceof StoreError && error.code === 'key-reused',
			);
			assert.equal(await add(session, 10), 16);
			assert.equal(schemaVersion(disk) >= version, true);
		});

		it(`is read where nothing can be written: ${version}`, async () => {
			disk = restored(version);
			const before = dump(disk);
			const store = await open(disk, {
				faultOf: ({ kind }) => (kind === 'claim' ? { at: 'start', code: 'read-only' } : undefined),
			});
			const session = store.session('ключ 🔑');
			assert.equal((await session.read())?.seq, 3);
			assert.deepEqual((await session.stateAt(1)).state, { count: 1 });
			await assert.rejects(add(session, 1), (error) => error instanceof StoreError && error.code === 'read-only');
			await store.close();
			assert.deepEqual(dump(disk), before);
		});
	}

	it('that is newer than any is read, and nothing of it is changed', async () => {
		await written(await open(disk));
		disk.sqlite.exec("UPDATE meta SET value = 99 WHERE name = 'schema'");
		const before = dump(disk);
		const store = await open(disk);
		const session = store.session('ключ 🔑');
		assert.equal((await session.read())?.seq, 3);
		assert.equal((await session.checkpoints()).length, 3);
		await assert.rejects(add(session, 1), (error) => error instanceof StoreError && error.code === 'read-only');
		await store.close();
		assert.deepEqual(dump(disk), before);
	});
});

async function written(store: SessionStore): Promise<void> {
	const session = store.session('ключ 🔑');
	await add(session, 1, { key: 'k1' });
	await add(session, 2, { key: 'k2' });
	await session.call({ key: undefined, tool: 'three', args: {} }, (state) => {
		state['count'] = 6;
		state['text'] = '\ud800 "ü" \u0000';
	});
	await silent(store);
	await store.close();
}

/** Replies nothing. */
function silent(store: SessionStore): Promise<unknown> {
	return store.session('empty reply').call({ key: 'k', tool: 'silent', args: [{ b: 1, a: null }] }, (state) => {
		state['ran'] = true;
	});
}

async function open(disk: MemoryDisk, options: ConnectionOptions = {}): Promise<SessionStore> {
	let ids = 0;
	const platform: StorePlatform = {
		database: disk.connect(options),
		clock: new Scheduler(1).clockOf(new Process()),
		digest: sha256,
		randomId: () => `id${ids++}`,
		onError: (error) => assert.fail(String(error)),
	};
	return createSessionStore(await createTurns(platform, defaultLimits), platform);
}

function schemaVersion(disk: MemoryDisk): number {
	return Number(disk.sqlite.prepare("SELECT value FROM meta WHERE name = 'schema'").get()?.['value']);
}

/** There are no bytes in it, only texts and numbers. */
function dump({ sqlite }: MemoryDisk): StoredDisk {
	const tables = sqlite.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
	return {
		schema: tables.map(({ sql }) => String(sql)),
		rows: Object.fromEntries(
			tables.map(({ name }) => {
				const rows = sqlite.prepare(`SELECT * FROM ${String(name)}`).all();
				return [String(name), rows.map((row) => ({ ...row }) as Record<string, string | number | null>)];
			}),
		),
	};
}

function restored(version: number): MemoryDisk {
	// It is what `dump` gave.
	const { schema, rows } = JSON.parse(readFileSync(new URL(`version-${version}.json`, folder), 'utf8')) as StoredDisk;
	const disk = new MemoryDisk();
	for (const sql of schema) disk.sqlite.exec(sql);
	for (const [table, all] of Object.entries(rows)) {
		for (const row of all) {
			const places = Object.keys(row).map(() => '?');
			disk.sqlite
				.prepare(`INSERT INTO ${table} (${Object.keys(row).join()}) VALUES (${places.join()})`)
				.run(...Object.values(row));
		}
	}
	return disk;
}

function byId(left: { readonly id: string }, right: { readonly id: string }): number {
	return left.id < right.id ? -1 : 1;
}
