// Callers, owners and a disk, in one thread under one scheduler: whoever could go on at a moment may be the next, owners are killed, stopped
// and woken, writes fail, and clocks jump. What the callers saw is a history, and that is judged. The same plan gives the same history.

import { Emitter } from '../../src/core/base/emitter.ts';
import { createSessionStore } from '../../src/core/store/createSessionStore.ts';
import { createTurns, defaultLimits } from '../../src/core/store/createTurns.ts';
import type { StoreEvent, StoreTurns } from '../../src/core/store/createTurns.ts';
import type { EvictionPolicy, Session, SessionStore } from '../../src/core/store/sessionStore.ts';
import type { SqlDatabase } from '../../src/core/store/sqlDatabase.ts';
import { StoreError } from '../../src/core/store/storeError.ts';
import type { StorePlatform } from '../../src/core/store/storePlatform.ts';
import { forwarded } from './forwarded.ts';
import { isLinearizable } from './linearizability.ts';
import { MemoryDisk } from './memoryDatabase.ts';
import type { Fault, MemoryDatabase } from './memoryDatabase.ts';
import { Process, Scheduler } from './scheduler.ts';
import { ObservedCall, emptyModel, perform } from './sessionModel.ts';
import type { ModelCall, ModelReply, Outcome } from './sessionModel.ts';
import { sha256 } from './turnsRig.ts';

export interface Plan {
	readonly seed: number;
	readonly eviction: EvictionPolicy;
	readonly keptCalls: number;
	/** What each of the callers does, one after the other. */
	readonly callers: readonly (readonly Step[])[];
	readonly happenings: readonly Happening[];
	readonly faults: readonly PlannedFault[];
}

export type Step = CallStep | { readonly kind: 'read' | 'evict'; readonly session: string };

export interface CallStep {
	readonly kind: 'call';
	readonly session: string;
	readonly call: ModelCall;
	/** `endless`: far longer than its deadline. `late`: about as long. */
	readonly manner: 'at once' | 'waits' | 'throws' | 'endless' | 'late' | 'not storable';
	/** Also made a second time at the same time. */
	readonly isDoubled: boolean;
	/** The caller goes on with his next step at once. */
	readonly isAlongside: boolean;
}

export interface Happening {
	readonly atStep: number;
	readonly kind:
		| 'owner is killed'
		| 'owner is stopped and replaced'
		| 'owner is replaced'
		| 'all wake'
		| 'clock jumps on'
		| 'clock jumps back'
		| 'memory is taken'
		| 'memory is taken by force'
		| 'caller dies';
}

export interface PlannedFault extends Fault {
	/** Counted over all that is done on the disk. */
	readonly atOperation: number;
}

/** How the simulated world is broken, to see that it is found out. */
export interface Sabotage {
	readonly database?: (database: SqlDatabase, pause: () => Promise<void>) => SqlDatabase;
	readonly turns?: (turns: StoreTurns) => Partial<StoreTurns>;
}

export interface Verdict {
	/** Empty: all is well. */
	readonly problems: readonly string[];
	/** By session. */
	readonly history: ReadonlyMap<string, readonly ObservedCall[]>;
	readonly steps: number;
}

const sessionIds = ['a', 'b'] as const;
const deadlineMs = 20;

class ToolError extends Error {}

class Owner {
	readonly process = new Process();
	readonly database: MemoryDatabase;
	readonly killed = Promise.withResolvers<never>();
	readonly turns: Promise<StoreTurns>;

	constructor(database: (process: Process) => MemoryDatabase, turns: (owner: Owner) => Promise<StoreTurns>) {
		this.database = database(this.process);
		this.turns = turns(this);
		this.killed.promise.catch(() => {});
		this.turns.catch(() => {});
	}

	kill(): void {
		this.process.isKilled = true;
		this.database.kill();
		this.killed.reject(new StoreError('owner-lost', 'The owner was killed.', undefined));
	}

	/** What comes of it, unless the owner is killed before. */
	orKilled<T>(promise: Promise<T>): Promise<T> {
		return Promise.race([promise, this.killed.promise]);
	}
}

class Caller {
	readonly process = new Process();
	readonly store: SessionStore;
	isDone = false;
	/** The one that it knows. */
	owner: Owner | undefined;
	readonly openTurns = new Map<string, Owner>();

	constructor(world: World) {
		this.store = createSessionStore(world.connectionOf(this), {
			clock: world.scheduler.clockOf(this.process),
			digest: world.digest,
			onError: world.onError,
		});
	}
}

/** One call, from its beginning to what its caller knows of its end. */
class ObservedAttempt {
	private readonly history: ObservedCall[];
	private readonly call: ModelCall;
	private readonly tick: () => number;
	private readonly begunAt: number;
	private open: ObservedCall | undefined;

	constructor(history: ObservedCall[], call: ModelCall, tick: () => number) {
		this.history = history;
		this.call = call;
		this.tick = tick;
		this.begunAt = tick();
	}

	/** From now on it may take effect, also if nobody hears of its end. */
	hasRun(): void {
		this.open = new ObservedCall(this.call, { kind: 'unknown' }, this.begunAt, Infinity);
		this.history.push(this.open);
	}

	/** @param outcome `undefined`: nothing of it remains. */
	end(outcome: Outcome | undefined): void {
		if (this.open !== undefined) this.history.splice(this.history.indexOf(this.open), 1);
		if (outcome !== undefined) this.history.push(new ObservedCall(this.call, outcome, this.begunAt, this.tick()));
	}
}

export async function simulate(plan: Plan, sabotage: Sabotage = {}): Promise<Verdict> {
	const world = new World(plan, sabotage);
	try {
		await world.run();
	} catch (error) {
		world.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
	} finally {
		world.dispose();
	}
	for (const [session, history] of world.history) {
		if (!isLinearizable(history, { ...emptyModel, keptCalls: plan.keptCalls })) {
			world.problems.push(
				`Session ${session} is not as if its calls had been made one after the other:\n${history.join('\n')}`,
			);
		}
	}
	return { problems: world.problems, history: world.history, steps: world.scheduler.steps };
}

class World {
	readonly scheduler: Scheduler;
	readonly problems: string[] = [];
	readonly history = new Map<string, ObservedCall[]>(sessionIds.map((id) => [id, []]));
	readonly digest = sha256;
	private readonly plan: Plan;
	private readonly sabotage: Sabotage;
	private readonly disk = new MemoryDisk();
	private readonly owners: Owner[] = [];
	private readonly callers: Caller[];
	private readonly announced = new Set<string>();
	private operations = 0;
	private ids = 0;
	private ticks = 0;
	private isFailing = true;

	constructor(plan: Plan, sabotage: Sabotage) {
		this.plan = plan;
		this.sabotage = sabotage;
		this.scheduler = new Scheduler(plan.seed);
		this.callers = plan.callers.map(() => new Caller(this));
	}

	readonly onError = (error: unknown): void => void this.problems.push(`A listener threw ${String(error)}`);

	async run(): Promise<void> {
		for (const [index, steps] of this.plan.callers.entries()) {
			const caller = this.callers[index]!;
			void this.follow(caller, steps)
				.catch((error: unknown) => this.problems.push(`A caller failed: ${String(error)}`))
				.finally(() => (caller.isDone = true));
		}
		await this.scheduler.run(
			() => this.callers.every(({ process, isDone }) => process.isKilled || isDone),
			(step) => {
				const due = this.plan.happenings.filter(({ atStep }) => atStep === step);
				for (const { kind } of due) this.happen(kind);
				return due.length > 0;
			},
		);
		// Whoever comes later finds all that was acknowledged.
		this.isFailing = false;
		for (const { process } of [...this.owners, ...this.callers]) process.isStopped = false;
		const last = new Caller(this);
		last.owner = this.open();
		void this.lookAfterwards(last)
			.catch((error: unknown) => this.problems.push(`The last look failed: ${String(error)}`))
			.finally(() => (last.isDone = true));
		await this.scheduler.run(
			() => last.isDone,
			() => false,
		);
	}

	dispose(): void {
		for (const owner of this.owners) owner.kill();
		this.disk.dispose();
	}

	private async follow(caller: Caller, steps: readonly Step[]): Promise<void> {
		let open: Promise<unknown>[] = [];
		for (const step of steps) {
			await this.scheduler.pause(caller.process);
			open.push(this.take(caller, step));
			if (step.kind === 'call' && step.isAlongside) continue;
			await Promise.all(open);
			open = [];
		}
		await Promise.all(open);
	}

	private async take(caller: Caller, step: Step): Promise<void> {
		const session = caller.store.session(step.session);
		switch (step.kind) {
			case 'read':
				return this.read(session);
			case 'evict':
				try {
					return await session.evict();
				} catch (error) {
					this.judge(caller, error);
					return;
				}
			case 'call': {
				const copies = step.isDoubled ? [step, step] : [step];
				await Promise.all(copies.map((copy) => this.insist(caller, session, copy)));
			}
		}
	}

	/** Makes the call, again while that is of use. */
	private async insist(caller: Caller, session: Session, step: CallStep): Promise<void> {
		for (let attempt = 0; attempt < 5; attempt++) {
			const isToBeRepeated = await this.attempt(caller, session, step);
			if (!isToBeRepeated || step.call.key === undefined) return;
			await this.scheduler.sleep(caller.process, 5);
		}
	}

	private async attempt(caller: Caller, session: Session, step: CallStep): Promise<boolean> {
		const { call } = step;
		const entry = this.observe(session.id, call);
		try {
			const reply = await session.call<{ register?: number; count?: number }, ModelReply>(
				{
					key: call.key,
					tool: call.tool,
					args: { number: call.number },
					...(step.manner === 'endless' || step.manner === 'late' ? { deadlineMs } : {}),
				},
				async (state, { seq }) => {
					const reply = await this.tool(caller, step, state, seq);
					entry.hasRun();
					return reply;
				},
			);
			entry.end({ kind: 'replied', reply });
			return false;
		} catch (error) {
			const judgement = this.judge(caller, error);
			if (judgement === 'reused') entry.end({ kind: 'reused' });
			if (judgement === 'nothing') entry.end(undefined);
			return error instanceof StoreError && (error.isRetryable || error.code === 'closed');
		}
	}

	private async tool(
		caller: Caller,
		{ call, manner }: CallStep,
		state: { register?: number; count?: number },
		seq: number,
	): Promise<ModelReply> {
		const found = { register: state.register ?? 0, count: state.count ?? 0 };
		if (manner !== 'at once') await this.scheduler.pause(caller.process);
		perform(call, found);
		Object.assign(state, found);
		switch (manner) {
			case 'at once':
				break;
			case 'waits':
				await this.scheduler.sleep(caller.process, 3);
				break;
			case 'throws':
				throw new ToolError('The tool went wrong.');
			case 'late':
				await this.scheduler.sleep(caller.process, deadlineMs);
				break;
			case 'endless':
				await this.scheduler.sleep(caller.process, 50 * deadlineMs);
				state.count = -1;
				throw new ToolError('The tool came to its end after all.');
			case 'not storable':
				Object.assign(state, { itself: state });
		}
		return { ...found, seq };
	}

	private async read(session: Session): Promise<void> {
		const entry = this.observe(session.id, { key: undefined, tool: 'look', number: 0 });
		try {
			const found = await session.read();
			const { register = 0, count = 0 }: { register?: number; count?: number } = found?.state ?? {};
			entry.end({ kind: 'read', found: { seq: found?.seq ?? 0, register, count } });
		} catch (error) {
			this.judge(undefined, error);
		}
	}

	private observe(session: string, call: ModelCall): ObservedAttempt {
		return new ObservedAttempt(this.history.get(session)!, call, () => this.ticks++);
	}

	/** What its caller knows by the error. */
	private judge(caller: Caller | undefined, error: unknown): 'nothing' | 'unknown' | 'reused' {
		if (error instanceof ToolError) return 'nothing';
		if (!(error instanceof StoreError)) {
			this.problems.push(`Not an error of the store: ${error instanceof Error ? error.stack : String(error)}`);
			return 'unknown';
		}
		switch (error.code) {
			case 'key-reused':
				return 'reused';
			case 'deadline-exceeded':
			case 'evicted':
			case 'overloaded':
			case 'disk-full':
			case 'not-storable':
				return 'nothing';
			case 'fenced':
				this.leave(caller);
				return 'nothing';
			case 'owner-lost':
			case 'closed':
				this.leave(caller);
				return 'unknown';
			case 'disk-failed':
				if (caller?.owner?.database.hasClosed === true) this.leave(caller);
				return 'unknown';
			default:
				this.problems.push(`Nothing here gives rise to ${error.code}: ${error.message}`);
				return 'unknown';
		}
	}

	private async lookAfterwards(last: Caller): Promise<void> {
		for (const id of sessionIds) {
			const session = last.store.session(id);
			await this.read(session);
			const keys = new Map<string, CallStep>();
			for (const step of this.plan.callers.flat()) {
				if (step.kind === 'call' && step.session === id && step.call.key !== undefined)
					keys.set(step.call.key, step);
			}
			for (const step of keys.values()) await this.attempt(last, session, { ...step, manner: 'at once' });
			await this.read(session);
			const seqs = (await session.checkpoints()).map(({ seq }) => seq);
			if (seqs.some((seq, index) => seq !== seqs[0]! - index)) this.problems.push(`Checkpoints ${seqs.join()}`);
		}
	}

	private happen(kind: Happening['kind']): void {
		const owner = this.owners.at(-1);
		const id = sessionIds[this.scheduler.random() < 0.85 ? 0 : 1];
		switch (kind) {
			case 'owner is killed':
				owner?.kill();
				break;
			case 'owner is stopped and replaced':
				if (owner !== undefined) owner.process.isStopped = true;
				this.open();
				break;
			case 'owner is replaced':
				this.open();
				break;
			case 'all wake':
				for (const { process } of this.owners) process.isStopped = false;
				break;
			case 'clock jumps on':
				if (owner !== undefined) owner.process.clockOffsetMs += 3_600_000;
				break;
			case 'clock jumps back':
				if (owner !== undefined) owner.process.clockOffsetMs -= 3_600_000;
				break;
			case 'memory is taken':
			case 'memory is taken by force':
				void owner?.turns
					.then((turns) => turns.evict(id, kind === 'memory is taken by force'))
					.catch((error: unknown) => this.judge(undefined, error));
				break;
			case 'caller dies':
				this.die(this.callers[Math.floor(this.scheduler.random() * this.callers.length)]!);
		}
	}

	/** Its connections end, and with them the turns that it has. */
	private die(caller: Caller): void {
		caller.process.isKilled = true;
		for (const [turnId, owner] of caller.openTurns) this.abortFor(owner, turnId);
	}

	private abortFor(owner: Owner, turnId: string): void {
		void owner.turns.then((turns) => turns.abort(turnId)).catch((error: unknown) => this.judge(undefined, error));
	}

	private open(): Owner {
		const owner = new Owner(
			(process) =>
				this.disk.connect({
					faultOf: () => {
						const operation = this.operations++;
						return this.isFailing
							? this.plan.faults.find(({ atOperation }) => atOperation === operation)
							: undefined;
					},
					pause: () => this.scheduler.pause(process),
				}),
			(owner) => this.openTurns(owner),
		);
		this.owners.push(owner);
		return owner;
	}

	private async openTurns(owner: Owner): Promise<StoreTurns> {
		// Not before the owner is made.
		await this.scheduler.pause(owner.process);
		const pause = (): Promise<void> => this.scheduler.pause(owner.process);
		const platform: StorePlatform = {
			database: this.sabotage.database?.(owner.database, pause) ?? owner.database,
			clock: this.scheduler.clockOf(owner.process),
			digest: this.digest,
			randomId: () => `id${this.ids++}`,
			onError: this.onError,
		};
		const limits = {
			...defaultLimits,
			eviction: this.plan.eviction,
			keptCalls: this.plan.keptCalls,
			deadlineMs: 1000,
		};
		const turns = await createTurns(platform, limits);
		turns.onDidHappen((event) => {
			if (event.kind !== 'checkpointed') return;
			const checkpoint = `${event.sessionId} ${event.seq}`;
			if (this.announced.has(checkpoint)) this.problems.push(`Checkpoint ${checkpoint} was made twice.`);
			this.announced.add(checkpoint);
		});
		return turns;
	}

	/** The caller asks another owner from now on. */
	private leave(caller: Caller | undefined): void {
		if (caller !== undefined) caller.owner = undefined;
	}

	/** The owner that the caller asks: one that has been replaced it may take for the owner still. */
	private ownerOf(caller: Caller): Owner {
		if (caller.owner === undefined || caller.owner.process.isKilled) {
			const latest = this.owners.at(-1);
			caller.owner =
				latest === undefined || latest.process.isKilled || latest.database.hasClosed ? this.open() : latest;
		}
		return caller.owner;
	}

	/** What a caller says to the owner and hears from him takes its time on the way. */
	connectionOf(caller: Caller): StoreTurns {
		const happened = new Emitter<StoreEvent>(this.onError);
		const heard = new Set<Owner>();
		const ask = async <T>(owner: Owner, request: (turns: StoreTurns) => Promise<T>): Promise<T> => {
			const answer = (async () => {
				await this.scheduler.pause(owner.process);
				const turns = await owner.turns.catch((error: unknown) => {
					owner.kill();
					throw new StoreError(
						'owner-lost',
						`The owner could not open the store: ${String(error)}.`,
						undefined,
					);
				});
				if (!heard.has(owner)) {
					heard.add(owner);
					turns.onDidHappen(
						(event) => void this.scheduler.pause(caller.process).then(() => happened.fire(event)),
					);
				}
				const broken = this.sabotage.turns?.(turns);
				return request(broken === undefined ? turns : { ...forwarded(turns), ...broken });
			})();
			try {
				return await owner.orKilled(answer);
			} finally {
				await this.scheduler.pause(caller.process);
			}
		};
		const askCurrent = <T>(request: (turns: StoreTurns) => Promise<T>): Promise<T> =>
			ask(this.ownerOf(caller), request);
		return {
			generation: 1,
			onDidHappen: happened.event,
			begin: (request) => {
				const owner = this.ownerOf(caller);
				return ask(owner, async (turns) => {
					const start = await turns.begin(request);
					if (start.kind === 'replay') return start;
					if (caller.process.isKilled) this.abortFor(owner, start.turnId);
					else caller.openTurns.set(start.turnId, owner);
					return start;
				});
			},
			commit: (end) => ask(this.takeTurn(caller, end.turnId), (turns) => turns.commit(end)),
			abort: (turnId) => ask(this.takeTurn(caller, turnId), (turns) => turns.abort(turnId)),
			sessions: () => askCurrent((turns) => turns.sessions()),
			read: (sessionId) => askCurrent((turns) => turns.read(sessionId)),
			checkpoints: (sessionId) => askCurrent((turns) => turns.checkpoints(sessionId)),
			stateAt: (sessionId, seq) => askCurrent((turns) => turns.stateAt(sessionId, seq)),
			evict: (sessionId, isForced) => askCurrent((turns) => turns.evict(sessionId, isForced)),
			close: () => Promise.resolve(),
		};
	}

	private takeTurn(caller: Caller, turnId: string): Owner {
		const owner = caller.openTurns.get(turnId);
		if (owner === undefined) throw new Error(`Nobody gave the turn ${turnId}.`);
		return owner;
	}
}
