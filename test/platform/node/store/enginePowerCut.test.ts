import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { Engines, wholePairs, withPairs } from './engines.ts';
import { compared, cutBefore, hasStrace, traced } from './powerCut.ts';
import type { PowerCut, Step } from './powerCut.ts';
import { randomFrom } from './random.ts';

const writer = join(import.meta.dirname, 'storeWriter.ts');

describe('the embedded engine, when the power goes', () => {
	let engines: Engines;

	beforeEach(async () => {
		engines = await Engines.create();
	});

	afterEach(() => engines.dispose());

	if (hasStrace()) {
		it('has kept what it acknowledged, and is whole, at whichever of its system calls that was', async () => {
			const steps = traced(engines.folder, [writer, engines.directory, '0', '48', '3000', '2', '60000']);
			assert.equal(steps.filter(({ kind }) => kind === 'acknowledged').length, 48);
			await cutEverywhere(steps, 48);
		}).timeout(300_000);

		it('has done so where the folder is on another machine, without a log', async () => {
			const steps = traced(engines.folder, [writer, engines.directory, '0', '48', '3000', '2', '0', '1']);
			assert.equal(steps.filter(({ kind }) => kind === 'acknowledged').length, 48);
			assert.ok(steps.every((step) => !('file' in step) || !step.file.endsWith('-wal')));
			await cutEverywhere(steps, 48);
		}).timeout(300_000);
	}

	it('has kept what it acknowledged, and is whole, whatever part of the last changes came to the disk', async () => {
		const steps = await compared(engines.directory, 40, 3_000, 60_000);
		await cutEverywhere(steps, 40);
	}).timeout(300_000);

	it('would be found out if it did not wait for the disk', async () => {
		const steps = await compared(engines.directory, 10, 3_000, 8_000_000);
		const unsynced = steps.filter((step, index) => step.kind !== 'sync' || index < 5);
		await assert.rejects(cutEverywhere(unsynced, 10), /acknowledged, and lost|not a database|malformed/u);
	}).timeout(300_000);

	async function cutEverywhere(steps: readonly Step[], count: number): Promise<void> {
		// The log is copied into the file, and begins anew, in the middle of it all.
		const random = randomFrom(1);
		const lengths = new Set<number>();
		const rounds = 200;
		for (let round = 0; round < rounds; round++) {
			const cut = cutBefore(steps, Math.ceil((steps.length * (round + random())) / rounds), random);
			const directory = written(cut);
			const kept = pairsIn(directory);
			const missing = cut.acknowledged.filter((n) => !kept.includes(n));
			assert.deepEqual(missing, [], `round ${round}: acknowledged, and lost`);
			// Those of one transaction are all there or all missing, so nothing is missing in between.
			assert.deepEqual(
				[...kept].sort((one, other) => one - other),
				Array.from({ length: kept.length }, (_, n) => n),
			);
			lengths.add(kept.length);
			if (round % 40 === 0) {
				const engine = await engines.open({ directory });
				await (await withPairs(engine)).put(1_000);
				assert.deepEqual(await wholePairs(engine), [...kept, 1_000]);
				await engine.close();
			}
			rmSync(directory, { recursive: true });
		}
		assert.ok(lengths.size > count / 4, [...lengths].join());
	}

	function written({ files }: PowerCut): string {
		const directory = join(engines.folder, 'cut');
		mkdirSync(directory);
		for (const [name, bytes] of files) writeFileSync(join(directory, name), bytes);
		return directory;
	}
});

/** As the engine would see them, but in no time. */
function pairsIn(directory: string): readonly number[] {
	const database = new DatabaseSync(join(directory, 'sessions.sqlite'));
	try {
		assert.deepEqual(
			database
				.prepare('PRAGMA integrity_check')
				.all()
				.map((row) => Object.values(row)[0]),
			['ok'],
		);
		if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'pairs'").get() === undefined) return [];
		const rows = database.prepare('SELECT n, count(*) AS halves FROM pairs GROUP BY n ORDER BY n').all();
		for (const { n, halves } of rows) assert.deepEqual([n, halves], [n, 2]);
		return rows.map(({ n }) => Number(n));
	} finally {
		database.close();
	}
}
