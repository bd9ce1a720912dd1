import assert from 'node:assert/strict';
import { eviction, latencies, pauses, stickyErrorRate, ways } from '../../src/core/simulate/model.ts';
import type { WayId } from '../../src/core/simulate/model.ts';
import { monthlyCost } from '../../src/core/simulate/monthlyCost.ts';
import { EventQueue } from '../../src/core/simulate/eventQueue.ts';
import { cost, prices } from '../../src/core/simulate/prices.ts';
import { SeededRandom, meanOf } from '../../src/core/simulate/random.ts';
import { simulate } from '../../src/core/simulate/simulate.ts';
import type { SimulatedRow, SimulationOptions } from '../../src/core/simulate/simulate.ts';

const usual: SimulationOptions = { seed: 1, subagents: [4, 8], perSession: 2, isHibernating: false, calls: 60_000 };

describe('the formula for stickiness by luck', () => {
	const expected: readonly [subagents: number, percent: string][] = [
		[1, '0.14'],
		[2, '0.14'],
		[4, '0.82'],
		[6, '2.25'],
		[8, '4.27'],
		[16, '16.03'],
		[32, '43.02'],
		[64, '76.45'],
	];
	for (const [subagents, percent] of expected) {
		it(`gives ${percent} % for ${subagents}`, () =>
			assert.equal((100 * stickyErrorRate(subagents)).toFixed(2), percent));
	}
});

describe('the simulation', () => {
	it('goes from 0.8 % errors with 4 subagents to 4.3 % with 8, as the account does', () => {
		const [four, eight] = simulate({ ...usual, calls: 400_000 }).filter(({ way }) => way === 'sticky-memory');
		assert.ok(four !== undefined && eight !== undefined);
		assert.ok(Math.abs(four.errorRate - 0.008) < 0.001, String(four.errorRate));
		assert.ok(Math.abs(eight.errorRate - 0.043) < 0.002, String(eight.errorRate));
	});

	it('agrees with the formula, below 8 subagents and above', () => {
		for (const seed of [1, 2, 3]) {
			for (const row of simulate({ ...usual, seed, subagents: [1, 2, 4, 6, 8, 16, 32, 64] })) {
				if (row.way !== 'sticky-memory') continue;
				const expected = stickyErrorRate(row.subagents);
				assert.equal(row.errorRateByFormula, expected);
				// Calls fail in groups, so the figure moves more than that of independent calls would.
				const tolerance = 6 * Math.sqrt((expected * (1 - expected)) / row.calls);
				assert.ok(Math.abs(row.errorRate - expected) < tolerance, `${row.subagents}: ${row.errorRate}`);
			}
		}
	});

	it('is the same for the same seed, whatever else is asked for, and not for another', () => {
		const rows = simulate(usual);
		assert.deepEqual(simulate(usual), rows);
		assert.deepEqual(
			simulate({ ...usual, subagents: [2, 8] }).filter(({ subagents }) => subagents === 8),
			rows.filter(({ subagents }) => subagents === 8),
		);
		assert.notDeepEqual(simulate({ ...usual, seed: 2 }), rows);
	});

	it('gives the latencies that the account tells: 180 and 620 ms for KV, 38 for an actor', () => {
		const alone = rowsOf({ ...usual, subagents: [1] });
		const eight = rowsOf({ ...usual, subagents: [8] });
		assertNear(alone['whole-context-kv'].p99Ms, 180, 12);
		assertNear(eight['whole-context-kv'].p99Ms, 620, 30);
		assertNear(eight['actor-memory'].p99Ms, 38, 3);
	});

	it('puts the ways in the order of the account: KV is far slower than an actor, and a checkpoint costs it a little', () => {
		for (const subagents of [2, 4, 8, 64]) {
			const row = rowsOf({ ...usual, subagents: [subagents] });
			assert.ok(row['whole-context-kv'].p99Ms > 4 * row['actor-checkpoint'].p99Ms);
			assert.ok(row['actor-checkpoint'].p50Ms > row['actor-memory'].p50Ms);
			assert.ok(row['actor-checkpoint'].p99Ms < row['actor-memory'].p99Ms + 10);
		}
	});

	it('loses updates in KV alone, and only where a session is shared: the more share it, the more', () => {
		const rates = [1, 2, 4, 8].map((perSession) => {
			const row = rowsOf({ ...usual, subagents: [8], perSession });
			for (const { id } of ways)
				if (id !== 'whole-context-kv')
					assert.equal(row[id].lostUpdateRate, 0, `${id}, ${perSession} a session`);
			return row['whole-context-kv'].lostUpdateRate;
		});
		assert.equal(rates[0], 0);
		assert.deepEqual(
			rates,
			rates.toSorted((one, other) => one - other),
		);
		assert.ok(rates.at(-1)! > 0.25, String(rates));
	});

	it('loses memory silently in an actor without a checkpoint, and reads it back in one that has one', () => {
		const options = { ...usual, subagents: [1], calls: 300_000 };
		const alone = rowsOf(options);
		// A pause is longer than 105 s, the middle of 70 and 140, in so many of 10,000 calls.
		const expected = 10_000 * pauses.share * longerThan((eviction.idleMs[0] + eviction.idleMs[1]) / 2);
		assertNear(alone['actor-memory'].silentLossesPer10k, expected, 0.4 * expected);
		assert.equal(alone['actor-memory'].rehydrationsPer10k, 0);
		assertNear(alone['actor-checkpoint'].rehydrationsPer10k, expected, 0.4 * expected);
		assert.equal(alone['actor-checkpoint'].silentLossesPer10k, 0);

		const hibernating = rowsOf({ ...options, isHibernating: true });
		assert.ok(hibernating['actor-memory'].silentLossesPer10k > 3 * expected);
		assert.equal(hibernating['actor-checkpoint'].silentLossesPer10k, 0);
	});

	it('marks what is beyond the points that it was calibrated on', () => {
		assert.deepEqual(
			simulate({ ...usual, subagents: [8, 9], calls: 1000 }).map(({ isExtrapolated }) => isExtrapolated),
			[false, false, false, false, true, true, true, true],
		);
	});
});

describe('the monthly cost', () => {
	it('comes out as the four sums of the account, of one volume of calls', () => {
		const keyValue = monthlyCost('whole-context-kv', 8, 'usual');
		const memory = monthlyCost('actor-memory', 8, 'usual');
		const checkpointed = monthlyCost('actor-checkpoint', 8, 'usual');
		assert.equal(keyValue.total.toFixed(2), '152.75'); // "over $150"
		assert.equal(memory.total.toFixed(2), '46.94'); // "$40–60"
		assert.equal(checkpointed.checkpoints?.toFixed(2), '12.00'); // "about $10 more"
		assert.equal(checkpointed.index?.toFixed(2), '2.75'); // KV, read only
		assert.equal(checkpointed.total.toFixed(2), '61.69');
		// On the older backend a checkpoint is one unit.
		assert.equal(cost(15_500_000, prices.durableObjects.keyValueWrites).toFixed(2), '14.50');
	});

	it('is a small part of that for actors that hibernate and write one row', () => {
		const { requests, duration } = monthlyCost('actor-memory', 8, 'frugal');
		assert.deepEqual([requests?.toFixed(3), duration], ['2.175', 0]);
		const { checkpoints, total } = monthlyCost('actor-checkpoint', 8, 'frugal');
		assert.deepEqual([checkpoints, total.toFixed(3)], [0, '4.925']);
	});

	it('is never less for more subagents', () => {
		for (const { id } of ways) {
			for (const manner of ['usual', 'frugal'] as const) {
				const totals = [1, 2, 4, 8, 16, 64].map((subagents) => monthlyCost(id, subagents, manner).total);
				assert.deepEqual(
					totals,
					totals.toSorted((one, other) => one - other),
				);
			}
		}
	});
});

describe('the seeded random numbers', () => {
	it('have the means that they should', () => {
		const random = new SeededRandom('means');
		const mean = (draw: () => number) =>
			Array.from({ length: 200_000 }, draw).reduce((sum, x) => sum + x) / 200_000;
		assertNear(
			mean(() => random.next()),
			0.5,
			0.005,
		);
		assertNear(
			mean(() => random.exponential(7)),
			7,
			0.1,
		);
		assertNear(
			mean(() => random.logNormal(latencies.keyValueWrite)),
			meanOf(latencies.keyValueWrite),
			0.5,
		);
	});
});

describe('the queue of events', () => {
	it('gives back what was added by time, and by order at the same time', () => {
		const random = new SeededRandom('queue');
		const queue = new EventQueue<number>();
		const added = Array.from({ length: 500 }, (_, order) => ({ at: Math.floor(random.next() * 40), order }));
		for (const { at, order } of added) queue.add(at, order);
		const taken = Array.from({ length: 500 }, () => queue.take()!).map(({ at, event }) => ({ at, order: event }));
		assert.deepEqual(
			taken,
			added.toSorted((one, other) => one.at - other.at || one.order - other.order),
		);
		assert.equal(queue.take(), undefined);
	});
});

function rowsOf(options: SimulationOptions): Record<WayId, SimulatedRow> {
	// One row for each way, when one number of subagents is asked for.
	return Object.fromEntries(simulate(options).map((row) => [row.way, row])) as Record<WayId, SimulatedRow>;
}

function assertNear(actual: number, expected: number, tolerance: number): void {
	assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected} ± ${tolerance}`);
}

/** How many of the pauses are longer: by counting, which needs no table of the normal distribution. */
function longerThan(milliseconds: number): number {
	const random = new SeededRandom('pauses');
	const count = 100_000;
	let longer = 0;
	for (let index = 0; index < count; index++) if (random.logNormal(pauses.length) > milliseconds) longer++;
	return longer / count;
}
