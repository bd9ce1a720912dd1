import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { StoreLimits } from '../../src/core/store/sessionStore.ts';
import { request, TurnsRig } from './turnsRig.ts';

type Action =
	| { readonly kind: 'call'; readonly key: string | undefined }
	| { readonly kind: 'time passes'; readonly milliseconds: number }
	| { readonly kind: 'memory is given up' | 'owner ends' };

const action: fc.Arbitrary<Action> = fc.oneof(
	{
		weight: 6,
		arbitrary: fc.record({ kind: fc.constant('call' as const), key: fc.constantFrom('a', 'b', 'c', undefined) }),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			kind: fc.constant('time passes' as const),
			milliseconds: fc.integer({ min: 1, max: 80 }),
		}),
	},
	{
		weight: 1,
		arbitrary: fc.record({ kind: fc.constantFrom('memory is given up' as const, 'owner ends' as const) }),
	},
);

describe('replies for repeated calls', () => {
	it('are those of the latest calls, while they are young, wherever they are remembered', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(action, { maxLength: 40, size: '+1' }),
				fc.integer({ min: 0, max: 4 }),
				fc.constantFrom('always' as const, 'never' as const),
				async (actions, keptCalls, eviction) => {
					const rig = new TurnsRig();
					try {
						await carryOut(rig, actions, { keptCalls, keptCallsMs: 100, eviction });
					} finally {
						rig.dispose();
					}
				},
			),
			{ numRuns: 300 },
		);
	}).timeout(300_000);
});

/** Compares with a list of all calls that were ever made. */
async function carryOut(rig: TurnsRig, actions: readonly Action[], limits: Partial<StoreLimits>): Promise<void> {
	const { keptCalls = 0, keptCallsMs = 0 } = limits;
	const made: { readonly key: string | undefined; readonly at: number }[] = [];
	let turns = await rig.open(limits);
	for (const [index, step] of actions.entries()) {
		switch (step.kind) {
			case 'call': {
				const first = Math.max(0, made.length - keptCalls);
				const now = rig.clock.elapsed();
				const seq =
					1 +
					made.findLastIndex(
						({ key, at }, place) =>
							key !== undefined && key === step.key && place >= first && now < at + keptCallsMs,
					);
				const start = await turns.begin(request('s', { key: step.key }));
				if (start.kind === 'replay') {
					assert.deepEqual({ seq: start.seq, reply: start.reply }, { seq, reply: `${seq}` }, `Step ${index}`);
					break;
				}
				assert.equal(seq, 0, `Step ${index} should have been answered with the reply of ${seq}.`);
				made.push({ key: step.key, at: now });
				await turns.commit({ turnId: start.turnId, state: '{}', reply: `${made.length}` });
				break;
			}
			case 'time passes':
				rig.clock.pass(step.milliseconds);
				break;
			case 'memory is given up':
				await turns.evict('s', false);
				break;
			case 'owner ends':
				await turns.close();
				turns = await rig.open(limits);
		}
	}
	await turns.close();
}
