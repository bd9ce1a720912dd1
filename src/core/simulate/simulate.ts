import { EventQueue } from './eventQueue.ts';
import { calibratedUpTo, eviction, keyValue, latencies, pauses, sticky, stickyErrorRate, ways } from './model.ts';
import type { WayId } from './model.ts';
import { monthlyCost } from './monthlyCost.ts';
import type { MonthlyCost } from './monthlyCost.ts';
import { SeededRandom, meanOf } from './random.ts';

export interface SimulationOptions {
	/** The same seed gives the same table; each of its rows is the same whichever other rows are asked for. */
	readonly seed: number;
	/** How many subagents, one group of rows for each. */
	readonly subagents: readonly number[];
	/** How many of them share a session. */
	readonly perSession: number;
	/** Whether an actor is one that hibernates: it loses its memory sooner. */
	readonly isHibernating: boolean;
	/** For each row. */
	readonly calls: number;
}

export interface SimulatedRow {
	readonly subagents: number;
	/** More than the model was fitted to. */
	readonly isExtrapolated: boolean;
	readonly way: WayId;
	readonly calls: number;
	/** Share of the calls that fail because their session is not found. */
	readonly errorRate: number;
	/** The same without a simulation, where there is a formula. */
	readonly errorRateByFormula: number | undefined;
	/** Of calls that do not fail. */
	readonly p50Ms: number;
	readonly p99Ms: number;
	/** Share of the calls that overwrite what another has written since they read. */
	readonly lostUpdateRate: number;
	/** Calls, of 10,000, that find an empty session where there was one, and go on as if nothing were missing. */
	readonly silentLossesPer10k: number;
	/** Calls, of 10,000, whose session had left memory and was read from its checkpoint. */
	readonly rehydrationsPer10k: number;
	readonly monthlyCost: {
		/** With objects that are billed all month, and four rows for each checkpoint. */
		readonly usual: MonthlyCost;
		/** With objects that hibernate, and one row for each checkpoint. */
		readonly frugal: MonthlyCost;
	};
}

export function simulate(options: SimulationOptions): readonly SimulatedRow[] {
	const steps = simulateInSteps(options);
	for (;;) {
		const step = steps.next();
		if (step.done === true) return step.value;
	}
}

/** Step by step, for whoever has other things to do in between: each yields the number of its calls. */
export function* simulateInSteps(options: SimulationOptions): Steps<readonly SimulatedRow[]> {
	const rows: SimulatedRow[] = [];
	for (const subagents of options.subagents) {
		for (const { id } of ways) rows.push(yield* simulatedRow(id, subagents, options));
	}
	return rows;
}

/** Calls that were simulated in the step. */
type Steps<Result> = Generator<number, Result, undefined>;

function* simulatedRow(way: WayId, subagents: number, options: SimulationOptions): Steps<SimulatedRow> {
	const { seed, perSession, isHibernating, calls } = options;
	const run = {
		random: new SeededRandom(`${seed} ${way} ${subagents} ${perSession} ${String(isHibernating)}`),
		tally: new Tally(calls),
		subagents,
		perSession,
		isHibernating,
	};
	yield* simulators[way](run);
	const { tally } = run;
	const sorted = tally.sorted();
	return {
		subagents,
		isExtrapolated: subagents > calibratedUpTo,
		way,
		calls,
		errorRate: tally.errors / calls,
		errorRateByFormula: way === 'sticky-memory' ? stickyErrorRate(subagents) : undefined,
		p50Ms: percentile(sorted, 0.5),
		p99Ms: percentile(sorted, 0.99),
		lostUpdateRate: tally.lostUpdates / calls,
		silentLossesPer10k: (tally.silentLosses / calls) * 10_000,
		rehydrationsPer10k: (tally.rehydrations / calls) * 10_000,
		monthlyCost: {
			usual: monthlyCost(way, subagents, 'usual'),
			frugal: monthlyCost(way, subagents, 'frugal'),
		},
	};
}

interface Run {
	readonly random: SeededRandom;
	readonly tally: Tally;
	readonly subagents: number;
	readonly perSession: number;
	readonly isHibernating: boolean;
}

const simulators: Readonly<Record<WayId, (run: Run) => Steps<void>>> = {
	'sticky-memory': stickyMemory,
	'whole-context-kv': wholeContext,
	'actor-memory': (run) => actor(run, false),
	'actor-checkpoint': (run) => actor(run, true),
};

/** What has been counted, until there are calls enough. */
class Tally {
	errors = 0;
	lostUpdates = 0;
	silentLosses = 0;
	rehydrations = 0;
	private succeeded = 0;
	private readonly latencies: Float64Array;

	constructor(wanted: number) {
		this.latencies = new Float64Array(wanted);
	}

	get count(): number {
		return this.errors + this.succeeded;
	}

	get isFull(): boolean {
		return this.count >= this.latencies.length;
	}

	/** A call that has not failed has ended. */
	ended(latency: number): void {
		this.latencies[this.succeeded++] = latency;
	}

	/** @returns The latencies, the shortest first. */
	sorted(): Float64Array {
		return this.latencies.slice(0, this.succeeded).sort();
	}
}

function percentile(sorted: Float64Array, share: number): number {
	return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

interface Call {
	readonly subagent: number;
	/** How far it has come; 0: it begins now. */
	step: number;
	startedAt: number;
}

/**
 * Each subagent calls, waits for the reply, pauses, and calls again.
 * @param gap From a reply to the subagent's next call.
 * @param proceed Does the call's next step and gives the time of the one after; `undefined`: the call has ended.
 */
function* closedLoop<C extends Call>(
	{ tally, subagents }: Run,
	gap: () => number,
	create: (call: Call) => C,
	proceed: (call: C, at: number) => number | undefined,
): Steps<void> {
	const queue = new EventQueue<C>();
	for (let subagent = 0; subagent < subagents; subagent++)
		queue.add(gap(), create({ subagent, step: 0, startedAt: 0 }));
	// A function of its own: what runs millions of times is fast only where nothing can interrupt it.
	const count = (wanted: number) => {
		while (!tally.isFull && tally.count < wanted) {
			const next = queue.take();
			// Every call is followed by another, so there is always one.
			if (next === undefined) return;
			const { at, event: call } = next;
			if (call.step === 0) call.startedAt = at;
			const nextAt = proceed(call, at);
			call.step = nextAt === undefined ? 0 : call.step + 1;
			queue.add(nextAt ?? at + gap(), call);
		}
	};
	while (!tally.isFull) {
		const before = tally.count;
		count(before + callsOfStep);
		if (tally.count === before) return;
		yield tally.count - before;
	}
}

/** They take a hundredth of a second or so. */
const callsOfStep = 16_384;

const usualGapMs = (sticky.meanGapMs - pauses.share * meanOf(pauses.length)) / (1 - pauses.share);

function gapWithPauses(random: SeededRandom): number {
	return random.isTrue(pauses.share) ? random.logNormal(pauses.length) : random.exponential(usualGapMs);
}

/** A client's first calls side by side reach its home; one more opens a connection that ends up anywhere. */
function stickyMemory(run: Run): Steps<void> {
	const { random, tally } = run;
	let inFlight = 0;
	return closedLoop(
		run,
		// Pauses matter here through their mean alone; drawn one by one they would only make the figure less sure.
		() => random.exponential(sticky.meanGapMs),
		(call) => call,
		({ step }, at) => {
			if (step === 1) {
				inFlight--;
				return undefined;
			}
			const isElsewhere = inFlight >= sticky.sideBySide && Math.floor(random.next() * sticky.instances) !== 0;
			if (isElsewhere || random.isTrue(sticky.recycled)) tally.errors++;
			else tally.ended(random.logNormal(latencies.edge) + random.logNormal(latencies.service));
			inFlight++;
			return at + sticky.holdMs;
		},
	);
}

/** Reads the whole context, changes it, writes it back. Nobody keeps another from doing the same. */
function wholeContext(run: Run): Steps<void> {
	const { random, tally, subagents } = run;
	const others = Math.min(subagents, calibratedUpTo) - 1;
	const refused = (keyValue.refusedAtEight * others) / (calibratedUpTo - 1);
	const sessions = sessionsOf(run, () => ({ version: 0, writtenAt: -Infinity }));
	return closedLoop(
		run,
		() => gapWithPauses(random),
		(call) => ({ ...call, session: sessions(call.subagent), version: 0 }),
		(call, at) => {
			const { session } = call;
			switch (call.step) {
				case 0:
					return at + random.logNormal(latencies.edge);
				case 1: {
					call.version = session.version;
					const isHot = random.isTrue(keyValue.hotReads);
					const read = random.logNormal(isHot ? latencies.keyValueHotRead : latencies.keyValueColdRead);
					return at + read + random.logNormal(latencies.service);
				}
				case 2: {
					const isSoon = at - session.writtenAt < keyValue.writeIntervalMs;
					const write = random.logNormal(latencies.keyValueWrite);
					if (!isSoon || !random.isTrue(refused)) return at + write;
					return at + write + random.logNormal(latencies.backOff) + random.logNormal(latencies.keyValueWrite);
				}
				default:
					if (session.version !== call.version) tally.lostUpdates++;
					session.version++;
					session.writtenAt = at;
					tally.ended(at - call.startedAt);
					return undefined;
			}
		},
	);
}

/** One writer for each session, which takes calls in the order in which they arrive. */
function actor(run: Run, hasCheckpoint: boolean): Steps<void> {
	const { random, tally, isHibernating } = run;
	const sessions = sessionsOf(run, () => ({ isNew: true, freeAt: 0, restartAt: nextRestart(0, random) }));
	return closedLoop(
		run,
		() => gapWithPauses(random),
		(call) => ({ ...call, session: sessions(call.subagent), hop: 0 }),
		(call, at) => {
			const { session } = call;
			if (call.step === 0) {
				call.hop = random.logNormal(latencies.hop);
				return at + call.hop / 2;
			}
			if (call.step === 2) return undefined;
			const beginsAt = Math.max(at, session.freeAt);
			const idleMs = isHibernating ? eviction.hibernatesAfterMs : random.uniform(...eviction.idleMs);
			const isRestarted = beginsAt >= session.restartAt;
			if (isRestarted) session.restartAt = nextRestart(beginsAt, random);
			const isLost = !session.isNew && (isRestarted || beginsAt - session.freeAt > idleMs);
			session.isNew = false;
			if (isLost && hasCheckpoint) tally.rehydrations++;
			else if (isLost) tally.silentLosses++;
			const rehydration = isLost && hasCheckpoint ? random.logNormal(latencies.rehydration) : 0;
			const checkpoint = hasCheckpoint ? random.logNormal(latencies.checkpoint) : 0;
			session.freeAt = beginsAt + rehydration + random.logNormal(latencies.service);
			// The reply waits for the checkpoint; the next call does not.
			const endsAt = session.freeAt + checkpoint + call.hop / 2;
			tally.ended(endsAt - call.startedAt);
			return endsAt;
		},
	);
}

function nextRestart(at: number, random: SeededRandom): number {
	return at + random.exponential(3_600_000 / eviction.restartsPerHour);
}

/** Which session a subagent works on. */
function sessionsOf<Session>({ subagents, perSession }: Run, create: () => Session): (subagent: number) => Session {
	const sessions = Array.from({ length: Math.ceil(subagents / perSession) }, create);
	return (subagent) => {
		const session = sessions[Math.floor(subagent / perSession)];
		if (session === undefined) throw new RangeError(`There is no subagent ${subagent}.`);
		return session;
	};
}
