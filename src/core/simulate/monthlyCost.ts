import { sticky } from './model.ts';
import type { WayId } from './model.ts';
import { cost, prices } from './prices.ts';

/** In US dollars, beside the plan itself. What is not given is not paid for in that way. */
export interface MonthlyCost {
	readonly total: number;
	readonly keyValueReads?: number;
	readonly keyValueWrites?: number;
	readonly requests?: number;
	readonly duration?: number;
	readonly checkpoints?: number;
	readonly index?: number;
}

/** Of one volume, 15.5 million calls a month by 8 subagents, all four sums that the account names come out; docs/simulate.md. */
const callsPerSubagent = 15_500_000 / 8;

/** Objects that are billed all month: 12 for 8 subagents, likewise fitted. */
const objectsPerSubagent = 12 / 8;

const secondsPerMonth = 30 * 24 * 60 * 60;

/** `usual`: as in the account. `frugal`: objects that hibernate, so that only calls are billed, and one row for each checkpoint. */
export type Manner = 'usual' | 'frugal';

const rowsPerCheckpoint: Readonly<Record<Manner, number>> = { usual: 4, frugal: 1 };

/** What keeping the state costs, all month, without a break. */
export function monthlyCost(way: WayId, subagents: number, manner: Manner): MonthlyCost {
	const calls = callsPerSubagent * subagents;
	switch (way) {
		case 'sticky-memory':
			// Memory that is there anyway. The errors are what it costs.
			return { total: 0 };
		case 'whole-context-kv':
			// Two writes a call: with 8 subagents that is the account's "16 times the writes".
			return summed({
				keyValueReads: cost(calls, prices.keyValue.reads),
				keyValueWrites: cost(2 * calls, prices.keyValue.writes),
			});
		case 'actor-memory':
			return summed(actor(calls, subagents, manner));
		case 'actor-checkpoint':
			return summed({
				...actor(calls, subagents, manner),
				checkpoints: cost(calls * rowsPerCheckpoint[manner], prices.durableObjects.rowsWritten),
				index: cost(calls, prices.keyValue.reads),
			});
	}
}

function actor(calls: number, subagents: number, manner: Manner): { requests: number; duration: number } {
	const { requests, duration, gigabytes } = prices.durableObjects;
	const billed = { usual: objectsPerSubagent * subagents * secondsPerMonth, frugal: (calls * sticky.holdMs) / 1000 };
	return { requests: cost(calls, requests), duration: cost(billed[manner] * gigabytes, duration) };
}

function summed(parts: Omit<MonthlyCost, 'total'>): MonthlyCost {
	return { total: Object.values(parts).reduce((sum, part) => sum + part, 0), ...parts };
}
