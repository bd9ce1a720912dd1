import type { LogNormal } from './random.ts';

// The model: what a call does, how long its parts take, and what goes wrong. docs/simulate.md says where each figure is from and what
// it is worth. Times are in milliseconds.

/** The four places to keep a session's state. */
export const ways = [
	{ id: 'sticky-memory', title: 'memory of an instance, sticky by luck' },
	{ id: 'whole-context-kv', title: 'whole context in KV, read and written each call' },
	{ id: 'actor-memory', title: 'memory of an actor' },
	{ id: 'actor-checkpoint', title: 'memory of an actor, a checkpoint each call, KV as the index' },
] as const;

export type WayId = (typeof ways)[number]['id'];

/** Two points of a published account: 0.8 % of the calls failed with 4 subagents, 4.3 % with 8. The first three rest on them. */
export const sticky = {
	/** A call occupies its client's connection for so long. */
	holdMs: 68,
	/** Between two calls of one subagent, pauses included. */
	meanGapMs: 1279,
	/** The home instance has been recycled. */
	recycled: 0.0014,
	/** Calls of one client that reach its home side by side; with so many others in flight, the next goes anywhere. Chosen. */
	sideBySide: 2,
	/** Chosen: the account names worker-04 and worker-11. */
	instances: 12,
} as const;

/** Up to here the model was fitted; beyond, it says what would be if the same went on. */
export const calibratedUpTo = 8;

/** A few gaps are those of a person, or of a long step elsewhere. */
export const pauses = { share: 0.003, length: { median: 45_000, sigma: 0.9 } } as const;

/** Medians were chosen to hit the p99 that the account gives: 180 and 620 for KV, 38 for an actor. */
export const latencies = {
	edge: { median: 9, sigma: 0.35 },
	/** The tool's own work. */
	service: { median: 5.5, sigma: 0.35 },
	keyValueHotRead: { median: 9, sigma: 0.5 },
	keyValueColdRead: { median: 55, sigma: 0.45 },
	keyValueWrite: { median: 41, sigma: 0.52 },
	backOff: { median: 450, sigma: 0.12 },
	/** To the actor and back. */
	hop: { median: 11.5, sigma: 0.45 },
	checkpoint: { median: 3, sigma: 0.35 },
	rehydration: { median: 9, sigma: 0.4 },
} as const satisfies Readonly<Record<string, LogNormal>>;

export const keyValue = {
	hotReads: 0.92,
	/** KV takes one write a second for each key. */
	writeIntervalMs: 1000,
	/** How often a write that comes sooner is refused, with 8 subagents; with fewer, less. */
	refusedAtEight: 0.05,
} as const;

/** When an actor loses its memory. */
export const eviction = {
	/** Idle for a time between these two, as the documentation has it for an object that cannot hibernate. */
	idleMs: [70_000, 140_000],
	/** Of one that can. */
	hibernatesAfterMs: 10_000,
	/** Deployments and replaced machines. */
	restartsPerHour: 0.02,
} as const;

/** How often a call of one of so many subagents fails when state is kept in an instance's memory and stickiness is luck. */
export function stickyErrorRate(subagents: number): number {
	const { holdMs, meanGapMs, recycled, sideBySide, instances } = sticky;
	const busy = holdMs / (holdMs + meanGapMs);
	let stays = 0;
	for (let others = 0; others < sideBySide && others < subagents; others++)
		stays += binomial(subagents - 1, others) * busy ** others * (1 - busy) ** (subagents - 1 - others);
	const misses = (1 - stays) * ((instances - 1) / instances);
	return 1 - (1 - misses) * (1 - recycled);
}

function binomial(n: number, k: number): number {
	let result = 1;
	for (let index = 1; index <= k; index++) result = (result * (n - k + index)) / index;
	return result;
}
