// A failure prints the seed and the path of its schedule; with them that one schedule runs again:
//
//     CROSSTALK_SEED=… CROSSTALK_PATH=… npx mocha test/store/simulation.test.ts --grep "…"
//
// and CROSSTALK_SCHEDULES=100000 tries more than a run of the tests does.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { SqlDatabase } from '../../src/core/store/sqlDatabase.ts';
import type { StoreTurns } from '../../src/core/store/createTurns.ts';
import type { ObservedCall } from './sessionModel.ts';
import { crowdOf, everything, faults, nothing, owners, planOf, worlds } from './plans.ts';
import { simulate } from './simulation.ts';
import type { Happening, Sabotage } from './simulation.ts';

const schedules = Number(process.env['CROSSTALK_SCHEDULES'] ?? 1000);
const seed = process.env['CROSSTALK_SEED'];
const path = process.env['CROSSTALK_PATH'];
const replayed = { ...(seed !== undefined && { seed: Number(seed) }), ...(path !== undefined && { path }) };

describe('sessions in a simulated world', () => {
	for (const { title, plan } of worlds) {
		it(`are as if calls had been made one after the other, when ${title}`, async () => {
			await fc.assert(
				fc.asyncProperty(plan, async (planned) => {
					const { problems } = await simulate(planned);
					assert.deepEqual(problems, []);
				}),
				{ numRuns: schedules, ...replayed },
			);
		}).timeout(600_000);
	}

	for (const callers of [8, 64]) {
		it(`are as if calls had been made one after the other, when ${callers} share them`, async () => {
			await fc.assert(
				fc.asyncProperty(crowdOf(callers), async (planned) => {
					const { problems } = await simulate(planned);
					assert.deepEqual(problems, []);
				}),
				{ numRuns: Math.ceil(schedules / 2 / callers), endOnFailure: true, ...replayed },
			);
		}).timeout(600_000);
	}

	it('are the same when the same plan is carried out again', async () => {
		const plans = fc.sample(planOf(everything, faults), { numRuns: 20, ...replayed });
		for (const plan of plans) {
			const [first, second] = [await simulate(plan), await simulate(plan)];
			assert.equal(shown(first), shown(second));
			assert.equal(first.steps, second.steps);
		}
	});

	const sabotages: readonly {
		readonly title: string;
		readonly happenings: fc.Arbitrary<readonly Happening[]>;
		readonly sabotage: Sabotage;
	}[] = [
		{
			title: 'whoever was replaced may still write, and updates are lost',
			happenings: owners,
			sabotage: { database: withoutFence },
		},
		{ title: 'what was read before is shown again', happenings: nothing, sabotage: { turns: readingOnce() } },
		{ title: 'calls are acknowledged before they are written', happenings: owners, sabotage: { database: hasty } },
		{
			title: 'a repeated call runs again',
			happenings: nothing,
			sabotage: { turns: (turns) => ({ begin: (request) => turns.begin({ ...request, key: undefined }) }) },
		},
		{
			title: 'any arguments get the reply of the first call',
			happenings: nothing,
			sabotage: {
				turns: (turns) => ({ begin: (request) => turns.begin({ ...request, argumentsHash: '0'.repeat(64) }) }),
			},
		},
	];

	for (const { title, happenings, sabotage } of sabotages) {
		it(`are found out when ${title}`, async () => {
			const found = await fc.check(
				fc.asyncProperty(planOf(happenings, nothing), async (planned) => {
					const { problems } = await simulate(planned, sabotage);
					// Not by the world's falling apart, but by what the callers saw.
					return !problems.some((problem) => problem.includes('is not as if its calls'));
				}),
				{ numRuns: 2000, endOnFailure: true, ...replayed },
			);
			assert.equal(found.failed, true);
		}).timeout(300_000);
	}
});

function shown({ history }: { readonly history: ReadonlyMap<string, readonly ObservedCall[]> }): string {
	return [...history].map(([id, entries]) => `${id}\n${entries.join('\n')}`).join('\n');
}

/** An engine that forgot to ask whose turn it is to own it. */
function withoutFence(database: SqlDatabase): SqlDatabase {
	let generation = 0;
	return {
		read: (statement) => database.read(statement),
		write: async (statements, own) => {
			const [row] = await database.read({
				sql: "SELECT value FROM meta WHERE name = 'generation'",
				parameters: [],
			});
			generation = Number(row?.['value'] ?? own);
			await database.write(statements, generation);
		},
		claim: () => database.claim(),
		close: () => database.close(),
	};
}

/** An engine that says it has written what it will write in a moment. */
function hasty(database: SqlDatabase, pause: () => Promise<void>): SqlDatabase {
	return {
		read: (statement) => database.read(statement),
		write: (statements, generation) => {
			void pause()
				.then(() => database.write(statements, generation))
				.catch(() => {});
			return Promise.resolve();
		},
		claim: () => database.claim(),
		close: () => database.close(),
	};
}

/** Remembers what was read first of each session. */
function readingOnce(): (turns: StoreTurns) => Partial<StoreTurns> {
	const first = new WeakMap<StoreTurns, Map<string, ReturnType<StoreTurns['read']>>>();
	return (turns) => ({
		read: (sessionId) => {
			const found = first.get(turns) ?? new Map<string, ReturnType<StoreTurns['read']>>();
			first.set(turns, found);
			const read = found.get(sessionId) ?? turns.read(sessionId);
			found.set(sessionId, read);
			return read;
		},
	});
}
