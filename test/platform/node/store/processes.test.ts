// What holds of a session store whose processes are killed, stopped and let go on, or all want it at once.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import type { TakenOver } from '../../../../src/core/store/sessionStore.ts';
import { readAddress } from '../../../../src/platform/node/host/dataDirectory.ts';
import { until } from '../../../mcp/waiting.ts';
import { isWindows } from '../host/hosts.ts';
import type { Caller, LoadResult } from './storeProcess.ts';
import { stopAt } from './failpoints.ts';
import { StoreLab, failpointSqlite } from './stores.ts';
import type { StoreProcess } from './stores.ts';

describe('the processes of a session store', () => {
	let lab: StoreLab;

	beforeEach(async () => {
		lab = await StoreLab.create();
	});

	afterEach(async () => lab.remove());

	for (const clients of [8, 64]) {
		it(`lose no acknowledged call of ${clients} callers while their owner is killed a hundred times`, async function () {
			this.timeout(600_000);
			const kills = 100;
			const processes = 4;
			const sessions = 4;
			const acknowledged = new Map<string, number>();
			const sessionOf = new Map<string, string>();
			const running = new Map<number, StoreProcess>();
			const errors: string[] = [];
			let started = 0;
			const startOne = async () => {
				const member = ++started;
				const callers: Caller[] = Array.from({ length: clients / processes }, (_, index) => ({
					name: `${member}-${index}`,
					session: `session ${(member + index) % sessions}`,
				}));
				for (const { name, session } of callers) sessionOf.set(name, session);
				const one = await lab.started({ takeOverMs: 5_000 });
				await one.order({ do: 'load', callers, bytes: 1_000, isTold: true });
				running.set(one.pid, one);
			};
			const noteAcknowledged = (one: StoreProcess) => {
				for (const [caller, number] of one.acknowledged) acknowledged.set(caller, number);
			};
			await Promise.all(Array.from({ length: processes }, startOne));
			// Begins while the one before is still there, so that there are always as many.
			const starting = new Set<Promise<void>>();
			let lastKilled = 0;
			for (let kill = 0; kill < kills; kill++) {
				const owner = await until('a new owner', async () => {
					const pid = (await readAddress(lab.directory))?.pid;
					return pid === lastKilled ? undefined : running.get(pid ?? 0);
				});
				await delay(Math.random() * 40);
				lastKilled = owner.pid;
				await owner.kill();
				running.delete(owner.pid);
				noteAcknowledged(owner);
				const start = startOne();
				starting.add(start);
				void start.finally(() => starting.delete(start)).catch(() => undefined);
				if (starting.size >= processes - 1) await Promise.race(starting);
			}
			await Promise.all(starting);
			for (const one of running.values()) {
				const result = (await one.order({ do: 'endLoad' })) as LoadResult; // as the order has it
				errors.push(...result.errors);
				for (const [caller, calls] of Object.entries(result.calls)) acknowledged.set(caller, calls);
			}
			await Promise.all([...running.values()].map(async (one) => one.close()));
			assert.deepEqual(errors, []);

			const total = [...acknowledged.values()].reduce((sum, calls) => sum + calls, 0);
			assert.ok(total > kills, `${total} calls were acknowledged.`);
			checkIntegrity(lab.directory);
			const store = await lab.open();
			for (const { id, isDamaged, generation } of await store.sessions())
				assert.deepEqual([isDamaged, generation > 0], [false, true], id);
			const lost: string[] = [];
			const states = new Map<string, Readonly<Record<string, unknown>>>();
			for (const session of new Set(sessionOf.values()))
				states.set(session, (await store.session(session).read())?.state ?? {});
			for (const [caller, calls] of acknowledged) {
				const kept = Number(states.get(sessionOf.get(caller) ?? '')?.[caller] ?? 0);
				if (kept < calls) lost.push(`${caller}: ${kept} of ${calls}`);
			}
			assert.deepEqual(lost, []);
		});
	}

	for (const count of [2, 8, 16]) {
		it(`${count} that open a directory at once have one owner, and after its death again`, async function () {
			this.timeout(180_000);
			const racers = Array.from({ length: count }, () => lab.start());
			await Promise.all(racers.map(async (one) => one.open({ takeOverMs: 5_000 })));
			const counts = await Promise.all(racers.map(async (one) => one.add('shared')));
			assert.deepEqual(
				counts.toSorted((one, other) => one - other),
				Array.from({ length: count }, (_, index) => index + 1),
			);
			const first = await lab.owner();
			assert.equal(first.generation, 1);
			const owner = racers.find(({ pid }) => pid === first.pid);
			assert.ok(owner);
			await owner.kill();
			const rest = racers.filter((one) => one !== owner);
			const more = await Promise.all(rest.map(async (one) => one.add('shared')));
			assert.deepEqual(
				more.toSorted((one, other) => one - other),
				Array.from({ length: count - 1 }, (_, index) => count + index + 1),
			);
			const second = await lab.owner();
			assert.equal(second.generation, 2);
			for (const one of rest)
				assert.deepEqual(await one.order({ do: 'takenOver' }), [
					{ generation: 2, isOurs: one.pid === second.pid },
				]);
			const store = await lab.open();
			const [newest] = await store.session('shared').checkpoints();
			assert.deepEqual([newest?.seq, newest?.generation], [2 * count - 1, 2]);
		});
	}

	it('take over from an owner that is stopped, which is refused and becomes a client when it goes on', async function () {
		// There is no such signal.
		if (isWindows) return;
		this.timeout(180_000);
		const options = { takeOverMs: 1_500 };
		const owner = await lab.started(options);
		const others = [await lab.started(options), await lab.started(options), await lab.started(options)];
		assert.equal(await owner.add('s'), 1);
		assert.equal(await others[0]?.add('s'), 2);
		// It stops in the middle of this one.
		const held = owner.add('s', 'held', 2_000);
		await delay(500);
		owner.child.kill('SIGSTOP');
		const counts = await Promise.all(others.map(async (one, index) => one.add('s', `key ${index}`)));
		assert.deepEqual(
			counts.toSorted((one, other) => one - other),
			[3, 4, 5],
		);
		const successor = await until('a successor', async () => readAddress(lab.directory, 'successor.json'));
		assert.notEqual(successor.pid, owner.pid);
		const late = await lab.started(options);
		assert.equal(await late.add('s'), 6);
		owner.child.kill('SIGCONT');
		assert.equal(await held, 7);
		assert.equal(await owner.add('s'), 8);
		for (const one of [owner, ...others])
			assert.deepEqual(await one.order({ do: 'takenOver' }), [
				{ generation: 2, isOurs: one.pid === successor.pid },
			]);
		assert.deepEqual(await late.order({ do: 'takenOver' }), []);
		// The lock comes to the successor, and whoever comes later finds it where owners are found.
		await until('the lock of the successor', async () =>
			(await lab.owner()).pid === successor.pid ? true : undefined,
		);
		assert.ok(!readdirSync(lab.directory).includes('successor.json'));
		const store = await lab.open();
		const generations = (await store.session('s').checkpoints()).map(({ generation }) => generation);
		assert.deepEqual(generations, [2, 2, 2, 2, 2, 2, 1, 1]);
		// And all goes on when it dies.
		await others.find(({ pid }) => pid === successor.pid)?.kill();
		assert.equal(await owner.add('s'), 9);
	});

	for (const step of ['before BEGIN', 'after BEGIN', 'before COMMIT', 'after COMMIT'] as const) {
		it(`see one effect of a call whose owner is stopped ${step} and goes on`, async function () {
			if (isWindows) return;
			this.timeout(180_000);
			const owner = await lab.started({ takeOverMs: 1_500, sqliteModule: failpointSqlite });
			const client = await lab.started({ takeOverMs: 1_500 });
			assert.equal(await client.add('s', 'first'), 1);
			lab.arm(stopAt(step));
			const call = client.add('s', 'second');
			await until('a stop', () => (lab.isArmed ? undefined : true));
			// In the middle of a transaction nobody can take its place; before and after one somebody does.
			await delay(3_000);
			owner.child.kill('SIGCONT');
			assert.equal(await call, 2);
			assert.deepEqual(
				[
					await client.add('s', 'second'),
					await owner.add('s', 'first'),
					await owner.add('s'),
					await client.add('s'),
				],
				[2, 1, 3, 4],
			);
			const [tellsClient, tellsOwner] = [
				await client.order({ do: 'takenOver' }),
				await owner.order({ do: 'takenOver' }),
			] as TakenOver[][]; // as the order has it
			assert.ok(tellsClient !== undefined && tellsClient.length <= 1 && tellsOwner !== undefined);
			assert.deepEqual(
				tellsClient.map(({ isOurs }) => !isOurs),
				tellsOwner.map(({ isOurs }) => isOurs),
			);
		});
	}

	it('are served alike: of eight that call without a pause none is left behind', async function () {
		this.timeout(180_000);
		const owner = await lab.started();
		const callers = await Promise.all(Array.from({ length: 8 }, async () => lab.started()));
		await Promise.all(
			callers.map(async (one, index) =>
				one.order({
					do: 'load',
					callers: [{ name: 'caller', session: `session ${index}` }],
					bytes: 16_000,
					isTold: false,
				}),
			),
		);
		await delay(2_000);
		const results = await Promise.all(
			callers.map(async (one) => (await one.order({ do: 'endLoad' })) as LoadResult), // as the order has it
		);
		const calls = results.map((result) => result.calls['caller'] ?? 0);
		const share = calls.reduce((sum, count) => sum + count, 0) / calls.length;
		assert.ok(share > 5, calls.join());
		assert.ok(Math.min(...calls) >= share / 4, calls.join());
		await owner.close();
	});
});

function checkIntegrity(directory: string): void {
	const database = new DatabaseSync(join(directory, 'sessions.sqlite'));
	try {
		assert.deepEqual(
			database
				.prepare('PRAGMA integrity_check')
				.all()
				.map((row) => ({ ...row })),
			[{ integrity_check: 'ok' }],
		);
	} finally {
		database.close();
	}
}
