import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createSessionStore } from '../../../../src/core/store/createSessionStore.ts';
import { createTurns, defaultLimits } from '../../../../src/core/store/createTurns.ts';
import type { SessionStore } from '../../../../src/core/store/sessionStore.ts';
import { StoreError } from '../../../../src/core/store/storeError.ts';
import { openNodeSqlite } from '../../../../src/platform/node/store/nodeSqlite.ts';
import { nodeStorePlatform } from '../../../../src/platform/node/store/nodeStorePlatform.ts';
import { Engines } from './engines.ts';
import { randomFrom } from './random.ts';

const rounds = 30;
const ids = Array.from({ length: 12 }, (_, index) => `session ${index}`);

describe('a bit that flips in the file of a store', () => {
	let engines: Engines;

	beforeEach(async () => {
		engines = await Engines.create();
	});

	afterEach(() => engines.dispose());

	it('costs the session that it belongs to, which says so, and no other', async () => {
		const store = await opened(engines.directory);
		for (const id of ids) {
			for (let count = 1; count <= 3; count++) {
				await store.session(id).call({ key: `call ${count}`, tool: 'fill', args: {} }, (state) => {
					state['text'] = `${id} ${count} `.repeat(300);
				});
			}
		}
		await store.close();
		const original = readFileSync(engines.path);
		const random = randomFrom(5);
		const costs: number[] = [];
		for (let round = 0; round < rounds; round++) {
			const bytes = Buffer.from(original);
			const at = Math.floor(random() * bytes.length);
			bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
			const directory = join(engines.folder, `flipped-${round}`);
			mkdirSync(directory);
			writeFileSync(join(directory, 'sessions.sqlite'), bytes);
			costs.push(await damagedIn(directory));
			rmSync(directory, { recursive: true });
		}
		// Of the states that are kept, the newest is a third: a bit in the others, and in what is free, costs nobody anything.
		const single = costs.filter((cost) => cost === 1).length;
		assert.ok(single > rounds / 6, costs.join());
		// Pages that hold the tree together are few.
		assert.ok(costs.filter((cost) => cost > 1).length < rounds / 6, costs.join());
	}).timeout(300_000);
});

describe('a store of a newer version', () => {
	let engines: Engines;

	beforeEach(async () => {
		engines = await Engines.create();
	});

	afterEach(() => engines.dispose());

	it('is read, and not a byte of it is changed', async () => {
		const store = await opened(engines.directory);
		await store.session('a').call({ key: undefined, tool: 'fill', args: {} }, (state) => {
			state['text'] = 'old';
		});
		await store.close();
		const later = new DatabaseSync(engines.path);
		later.exec("UPDATE meta SET value = 99 WHERE name = 'schema'; ALTER TABLE checkpoints ADD COLUMN more");
		later.close();
		const before = readFileSync(engines.path);
		const older = await opened(engines.directory);
		assert.deepEqual(await older.session('a').read(), { seq: 1, state: { text: 'old' } });
		await assert.rejects(
			older.session('a').call({ key: undefined, tool: 'fill', args: {} }, () => assert.fail('It must not run.')),
			(error) => error instanceof StoreError && error.code === 'read-only',
		);
		await older.close();
		assert.ok(readFileSync(engines.path).equals(before));
	});
});

/** How many of the sessions are refused. What is not refused must be as it was. */
async function damagedIn(directory: string): Promise<number> {
	let store: SessionStore;
	try {
		store = await opened(directory);
	} catch (error) {
		assert.ok(error instanceof StoreError, String(error));
		assert.match(error.message, /sessions\.sqlite|newer/u);
		return ids.length;
	}
	try {
		let damaged = 0;
		for (const id of ids) {
			try {
				const seen = await store
					.session(id)
					.call({ key: undefined, tool: 'look', args: {} }, (state) => state['text'] as unknown);
				assert.equal(seen, `${id} 3 `.repeat(300));
			} catch (error) {
				assert.ok(error instanceof StoreError, String(error));
				damaged++;
			}
		}
		return damaged;
	} finally {
		await store.close();
	}
}

async function opened(directory: string): Promise<SessionStore> {
	const database = await openNodeSqlite({ directory });
	try {
		const platform = { database, onError: () => undefined, ...nodeStorePlatform() };
		return createSessionStore(await createTurns(platform, defaultLimits), platform);
	} catch (error) {
		await database.close();
		throw error;
	}
}
