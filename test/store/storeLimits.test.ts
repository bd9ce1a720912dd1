import assert from 'node:assert/strict';
import { defaultLimits } from '../../src/core/store/createTurns.ts';
import { limitsFrom } from '../../src/core/store/storeLimits.ts';

describe('limits of a store', () => {
	it('are the defaults, with what is given in their place', () => {
		assert.deepEqual(limitsFrom(undefined, defaultLimits, 'limits'), defaultLimits);
		assert.deepEqual(limitsFrom({ deadlineMs: undefined }, defaultLimits, 'limits'), defaultLimits);
		const given = { eviction: { idleMs: 0.5 }, deadlineMs: Infinity, queueLength: 1, keptCalls: 1, keptStates: 99 };
		assert.deepEqual(limitsFrom(given, defaultLimits, 'limits'), { ...defaultLimits, ...given });
		for (const eviction of ['always', 'never'])
			assert.equal(limitsFrom({ eviction }, defaultLimits, 'limits').eviction, eviction);
	});

	for (const [given, message] of [
		[null, /^limits is an object with members such as deadlineMs, not null\.$/],
		['always', /^limits is an object .* not "always"\.$/],
		[[1], /^limits is an object .* not a list\.$/],
		[
			{ deadline: 5 },
			/^limits cannot have deadline: there is no such limit\. Those that there are: eviction, deadlineMs, .*\.$/,
		],
		[{ deadlineMs: '5' }, /^limits cannot have deadlineMs: it is a number above 0, not "5"\.$/],
		[{ deadlineMs: Number.NaN }, /not NaN\.$/],
		[{ deadlineMs: 5n }, /not 5\.$/],
		[{ queueLength: -1 }, /^limits cannot have queueLength: it is a whole number from 1 on, not -1\.$/],
		[{ queueLength: 1.5 }, /not 1\.5\.$/],
		[{ keptCalls: 0 }, /not 0\.$/],
		[{ keptCallsMs: null }, /not null\.$/],
		[{ keptStates: {} }, /not \{\}\.$/],
		[{ stateBytes: -5 }, /^limits cannot have stateBytes/],
		[{ memoryBytes: 'a lot' }, /^limits cannot have memoryBytes/],
		[
			{ eviction: null },
			/^limits cannot have eviction: it is "always", "never", or \{ idleMs \} with a number above 0, not null\.$/,
		],
		[{ eviction: 'sometimes' }, /not "sometimes"\.$/],
		[{ eviction: { idle: '5' } }, /not \{ idle: "5" \}\.$/],
		[{ eviction: { idleMs: Number.NaN } }, /not \{ idleMs: NaN \}\.$/],
		[JSON.parse('{ "__proto__": 5 }'), /^limits cannot have __proto__: there is no such limit/],
	] as const)
		it(`are refused with the member that cannot be: ${String(message)}`, () => {
			assert.throws(() => limitsFrom(given, defaultLimits, 'limits'), {
				name: 'StoreError',
				code: 'invalid-options',
				message,
			});
		});
});
