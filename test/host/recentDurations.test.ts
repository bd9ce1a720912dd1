import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RecentDurations } from '../../src/core/host/recentDurations.ts';

describe('recent durations', () => {
	it('have no percentile before the first call', () => {
		const durations = new RecentDurations();
		assert.equal(durations.p50Ms, null);
		assert.equal(durations.p99Ms, null);
	});

	it('of one call are that call', () => {
		const durations = new RecentDurations();
		durations.add(12.3456789);
		assert.equal(durations.p50Ms, 12.346);
		assert.equal(durations.p99Ms, 12.346);
	});

	it('are taken anew when calls follow', () => {
		const durations = new RecentDurations();
		for (let call = 1; call <= 100; call++) durations.add(call);
		assert.equal(durations.p50Ms, 50);
		assert.equal(durations.p99Ms, 99);
		for (let call = 0; call < 100; call++) durations.add(1000);
		assert.equal(durations.p50Ms, 100);
		assert.equal(durations.p99Ms, 1000);
	});

	it('forget the calls before the last ones, and nothing else', () => {
		fc.assert(
			fc.property(
				fc.array(fc.double({ min: 0, max: 1e6, noNaN: true })),
				fc.integer({ min: 1, max: 20 }),
				fc.double({ min: 0, max: 1, noNaN: true }),
				(calls, capacity, fraction) => {
					const durations = new RecentDurations(capacity);
					for (const call of calls) durations.add(call);
					const last = calls.slice(-capacity).sort((left, right) => left - right);
					const found = durations.quantile(fraction);
					if (last.length === 0) return found === null;
					const notAbove = last.filter((call) => Math.round(call * 1000) / 1000 <= (found ?? -1)).length;
					return (
						last.some((call) => Math.round(call * 1000) / 1000 === found) &&
						notAbove >= fraction * last.length
					);
				},
			),
		);
	});
});
