// Agents that run, through the host: their calls are held, looked at, changed and let go. The host decides what stops and keeps the time; what a
// debugger has set and what it holds ends with its connection.

import { setTimeout as delay } from 'node:timers/promises';
import { Emitter } from '../core/base/emitter.ts';
import { ExpectedError, assertNever } from '../core/base/errors.ts';
import type { AgentId, SessionId } from '../core/base/ids.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { Disposable } from '../core/base/lifecycle.ts';
import type { BreakpointStatus, HeldCall, NamedAgent, Resumption, StopReason } from '../core/debug/index.ts';
import type {
	AgentKey,
	BreakpointPlan,
	BreakpointReport,
	ChangedValues,
	DebugTarget,
	DebuggedAgent,
	ExpressionName,
	FilePlace,
	Level,
	Output,
	ResumeKind,
	Stop,
	StopKind,
} from './debugTarget.ts';
import type { HostLink } from './hostLink.ts';
import type { LaunchedRun } from './launchedRun.ts';
import { LiveAgents } from './liveAgents.ts';
import { evaluateLive, liveNames } from './liveExpressions.ts';
import { withReplaced } from './editedJson.ts';
import { levelsOf, parsed } from './liveLevels.ts';
import { callIn } from './liveTranscripts.ts';
import { Timers } from './timers.ts';
import type { StoredCallReader } from '../core/store/storedCalls.ts';
import type { LiveTranscripts } from './liveTranscripts.ts';

export interface LiveTargetOptions {
	readonly link: HostLink;
	/** `null`: all of the host. Of a run: those that are known from the beginning. */
	readonly sessions: readonly SessionId[] | null;
	/** Why nothing can be changed here for now, a sentence; `undefined`: it can. */
	readonly readOnlyReason: string | undefined;
	readonly transcripts: LiveTranscripts;
	/** The agent's run, where this debugger has started it. */
	readonly run: LaunchedRun | undefined;
	readonly stopOnEntry: boolean;
	/** `undefined`: there is no session store. */
	readonly storedCalls: StoredCallReader | undefined;
	readonly onError: (error: unknown) => void;
}

/** A held call as people see it: with what they have changed in it. */
export interface HeldView {
	readonly call: HeldCall;
	readonly agent: DebuggedAgent;
	/** What the call would go on with: its arguments `before`, its result `after`; JSON. */
	readonly value: unknown;
	readonly isEdited: boolean;
}

type Passage = Resumption extends infer One ? (One extends Resumption ? Omit<One, 'then'> : never) : never;

interface Held {
	readonly call: HeldCall;
	readonly agent: DebuggedAgent;
	/** What stands in the place of the arguments, or of the result, when it goes on; JSON. */
	edited: string | undefined;
	/** Whether this debugger has let it go, and waits for the host to say so. */
	isLeaving: boolean;
}

export class LiveTarget implements DebugTarget {
	readonly abilities = {
		canGoBack: false,
		hasLineBreakpoints: false,
		hasDataBreakpoints: false,
		canRepeat: true,
	} as const;
	private readonly options: LiveTargetOptions;
	private readonly disposables = new DisposableStore();
	private readonly timers = this.disposables.add(new Timers());
	private readonly liveAgents: LiveAgents;
	/** Of each agent that is held, the oldest first: it stands still at the first, and the others wait their turn to be shown. */
	private readonly held = new Map<AgentKey, Held[]>();
	private readonly started: Emitter<DebuggedAgent>;
	private readonly endedAgent: Emitter<DebuggedAgent>;
	private readonly stopped: Emitter<Stop>;
	private readonly continued: Emitter<AgentKey | null>;
	private readonly breakpointChanged: Emitter<BreakpointReport>;
	private readonly printed: Emitter<Output>;
	private readonly valuesChanged: Emitter<ChangedValues>;
	private readonly terminated: Emitter<{ readonly exitCode: number | undefined }>;
	private readonly heldChanged: Emitter<void>;
	private readonly disposed: Emitter<void>;
	/** Agents that are being let go, with what stops there meanwhile. */
	private readonly releasing = new Map<AgentKey, HeldCall[]>();
	/** The levels that were shown of held calls. */
	private readonly heldLevels = new WeakMap<Level, Held>();
	private reasonToLookOn: string | undefined;
	/** What was set last, also what could not be set yet. */
	private plan: BreakpointPlan | undefined;
	/** Of the run, as the host has told. */
	private readonly learnedSessions = new Set<SessionId>();
	private isStarted = false;
	private isOver = false;
	/** What came before anybody could hear it. */
	private readonly early: (() => void)[] = [];

	constructor(options: LiveTargetOptions) {
		this.options = options;
		this.reasonToLookOn = options.readOnlyReason;
		const { onError } = options;
		const emitter = <T>(): Emitter<T> => this.disposables.add(new Emitter<T>(onError));
		this.started = emitter();
		this.endedAgent = emitter();
		this.stopped = emitter();
		this.continued = emitter();
		this.breakpointChanged = emitter();
		this.printed = emitter();
		this.valuesChanged = emitter();
		this.terminated = emitter();
		this.heldChanged = emitter();
		this.disposed = emitter();
		this.liveAgents = this.disposables.add(
			new LiveAgents({
				transcripts: options.transcripts,
				onDidStart: (agent) => this.started.fire(agent),
				onDidEnd: (agent) => this.endedAgent.fire(agent),
				onDidName: (agents) => void this.name(agents),
				onError,
			}),
		);
		this.listen();
	}

	get onDidStart() {
		return this.started.event;
	}

	get onDidEnd() {
		return this.endedAgent.event;
	}

	get onDidStop() {
		return this.stopped.event;
	}

	get onDidContinue() {
		return this.continued.event;
	}

	get onDidChangeBreakpoint() {
		return this.breakpointChanged.event;
	}

	get onDidPrint() {
		return this.printed.event;
	}

	get onDidChangeValues() {
		return this.valuesChanged.event;
	}

	get onDidTerminate() {
		return this.terminated.event;
	}

	/** Fires when a call is held, goes on, or was edited. */
	get onDidChangeHeld() {
		return this.heldChanged.event;
	}

	/** Fires when it is over, whoever has ended it. */
	get onDidDispose() {
		return this.disposed.event;
	}

	get agents(): readonly DebuggedAgent[] {
		return this.liveAgents.list;
	}

	/** The calls that this debugger holds, the oldest first. */
	get heldCalls(): readonly HeldView[] {
		return [...this.held.values()]
			.flat()
			.filter(({ isLeaving }) => !isLeaving)
			.sort((one, other) => one.call.heldSince - other.call.heldSince)
			.map((held) => ({
				call: held.call,
				agent: held.agent,
				value: valueOf(held),
				isEdited: held.edited !== undefined,
			}));
	}

	/** Why nothing can be changed here, a sentence. */
	get readOnlyReason(): string | undefined {
		return this.reasonToLookOn;
	}

	async start(): Promise<void> {
		const { link, run, stopOnEntry } = this.options;
		const { readOnlyReason } = this;
		this.isStarted = true;
		if (readOnlyReason !== undefined) this.print('important', readOnlyReason);
		for (const tell of this.early.splice(0)) tell();
		if (stopOnEntry && readOnlyReason === undefined) await this.pauseAll();
		// What was held before this debugger came, for one that may only look.
		for (const call of (await link.request('debug/held', {})).calls) this.take(call);
		run?.go();
	}

	async setBreakpoints(plan: BreakpointPlan): Promise<readonly BreakpointReport[]> {
		const { link } = this.options;
		const { readOnlyReason } = this;
		this.plan = plan;
		const reports: BreakpointReport[] = [
			...plan.lines.map(({ id }) => refused(id, lineRefusal)),
			...plan.data.map(({ id }) => refused(id, dataRefusal)),
		];
		const filters = [...plan.rules, ...(plan.toolError === undefined ? [] : [plan.toolError])];
		for (const { id, condition } of filters) {
			if (condition !== undefined && condition.trim() !== '') reports.push(refused(id, conditionRefusal));
		}
		const all = [...plan.tools.map(({ id }) => id), ...filters.map(({ id }) => id)];
		if (readOnlyReason !== undefined) {
			const told = new Set(reports.map(({ id }) => id));
			return [...reports, ...all.filter((id) => !told.has(id)).map((id) => refused(id, readOnlyReason))];
		}
		const isPlain = ({ condition }: { readonly condition?: string | undefined }) =>
			condition === undefined || condition.trim() === '';
		const { breakpoints } = await link.request('debug/set', {
			breakpoints: plan.tools,
			rules: plan.rules.filter(isPlain).map(({ ruleId }) => ruleId),
			onToolError: plan.toolError !== undefined && isPlain(plan.toolError),
		});
		const statuses = new Map(breakpoints.map((status) => [status.id, status]));
		for (const { id, ruleId } of plan.rules.filter(isPlain))
			reports.push(withId(id, statuses.get(ruleId) ?? { id, isVerified: true }));
		if (plan.toolError !== undefined && isPlain(plan.toolError))
			reports.push({ id: plan.toolError.id, isVerified: true });
		for (const { id } of plan.tools) reports.push(statuses.get(id) ?? { id, isVerified: true });
		return reports;
	}

	async stackOf(key: AgentKey): Promise<readonly Level[]> {
		const { transcripts } = this.options;
		const held = this.current(key);
		const agent = held?.agent ?? this.liveAgents.get(key);
		if (agent === undefined) return [];
		const look = async () =>
			levelsOf({
				agent,
				held: held === undefined ? undefined : this.viewOf(held),
				transcripts,
				storedCalls: this.options.storedCalls,
				actions: {
					edit: (keys, value) => this.edit(held, keys, value),
					answer: async (result, isError) => {
						if (held !== undefined) await this.answer(held, result, isError);
					},
					repeat: async () => {
						if (held !== undefined) await this.repeat(held);
					},
				},
			});
		let { levels, isComplete, hasTranscript } = await look();
		// An agent writes the line of a call about when it asks its hook. A frame that comes with its line is one that the editor can go to.
		for (const until = performance.now() + patienceMs; hasTranscript && !isComplete && performance.now() < until;) {
			await delay(lookEveryMs);
			if (held === undefined || this.current(key) !== held) break;
			({ levels, isComplete, hasTranscript } = await look());
		}
		if (held !== undefined) {
			if (levels[0] !== undefined) this.heldLevels.set(levels[0], held);
			if (!isComplete) this.lookAgain(key, held);
		}
		return levels;
	}

	async resume(key: AgentKey | null, how: ResumeKind): Promise<void> {
		const next = nextOf(how);
		if (key !== null) {
			const held = this.current(key);
			if (held !== undefined) await this.release(held, this.passageOf(held), next);
			return;
		}
		const failures: unknown[] = [];
		for (const held of [...this.held.values()].flat()) {
			try {
				await this.release(held, this.passageOf(held), next);
			} catch (error) {
				// One that is refused does not hold the others.
				failures.push(error);
			}
		}
		const [failure] = failures;
		if (failure instanceof Error) throw failure;
	}

	async pause(key: AgentKey | null): Promise<void> {
		const { link } = this.options;
		if (key === null) {
			await this.pauseAll();
			return;
		}
		const agent = this.liveAgents.get(key);
		if (agent === undefined) throw new ExpectedError('This agent has ended.');
		await link.request('debug/pause', { sessionId: agent.sessionId, agentId: agent.agentId });
	}

	/**
	 * Also one that has called nothing since this debugger came: it has not been heard of here.
	 * @returns `false`: its session is none that this debugger watches.
	 */
	async pauseAgent(sessionId: SessionId, agentId: AgentId): Promise<boolean> {
		const { link } = this.options;
		const { sessions } = this;
		if (sessions !== null && !sessions.includes(sessionId)) return false;
		await link.request('debug/pause', { sessionId, agentId });
		return true;
	}

	async evaluate(expression: string, level: Level | undefined): Promise<unknown> {
		const held = level === undefined ? this.all()[0] : this.heldLevels.get(level);
		if (held === undefined)
			throw new ExpectedError(
				level === undefined
					? 'No call is held: there is nothing to look at.'
					: 'Select the frame of a held call: of the others nothing is known but where they are written.',
			);
		return evaluateLive(expression, this.viewOf(held));
	}

	names(): readonly ExpressionName[] {
		return liveNames;
	}

	async breakpointPlaces(): Promise<readonly FilePlace[]> {
		return [];
	}

	async terminate(): Promise<void> {
		const { run } = this.options;
		if (run === undefined) {
			// What this debugger has not started goes on without it.
			this.end(undefined);
			return;
		}
		// A held call would keep its agent from ending in its own way.
		this.options.link.dispose();
		run.terminate();
	}

	dispose(): void {
		this.isOver = true;
		this.held.clear();
		this.disposed.fire();
		this.options.link.dispose();
		void this.options.run?.dispose(); // has no failures that anybody could act on
		this.disposables.dispose();
	}

	/** What the agent itself has printed, where it has no terminal. */
	printProgram(text: string): void {
		this.later(() => this.printed.fire({ kind: 'program', text }));
	}

	/** Lets one of the held calls go. Rejects with a sentence when it is held no more, or is refused by its tool's schema. */
	async continueCall(stopId: string): Promise<void> {
		const held = this.find(stopId);
		await this.release(held, this.passageOf(held), 'run', true);
	}

	/** Its agent gets this result: JSON, or a text. One that is held before it is made is not made. */
	async answerCall(stopId: string, result: string, isError: boolean): Promise<void> {
		await this.answer(this.find(stopId), result, isError);
	}

	/** In place of the whole of its arguments, or of its result; it stays held. */
	async replaceValue(stopId: string, value: unknown): Promise<void> {
		await this.edit(this.find(stopId), [], value);
	}

	/** `null`: all of the host. */
	private get sessions(): readonly SessionId[] | null {
		const { sessions } = this.options;
		return sessions === null ? null : [...new Set([...sessions, ...this.learnedSessions])];
	}

	private async pauseAll(): Promise<void> {
		const { link, run, sessions } = this.options;
		// Without a session all that this debugger watches are meant: those of a run may not have begun.
		for (const sessionId of run !== undefined || sessions === null ? [null] : sessions)
			await link.request('debug/pause', { sessionId, agentId: null });
	}

	private listen(): void {
		const { link, run } = this.options;
		const later = (tell: () => void) => this.later(tell);
		const add = (item: Disposable) => this.disposables.add(item);
		add(link.onNotification('debug/didStop', (call) => later(() => this.take(call))));
		add(link.onNotification('debug/didResume', ({ stopId, reason }) => later(() => this.letGo(stopId, reason))));
		add(
			link.onNotification('debug/didLog', ({ text, sessionId, agentId }) =>
				later(() => {
					const name = this.liveAgents.nameOf(sessionId, agentId);
					this.print('log-point', `${name}: ${text}`);
				}),
			),
		);
		add(
			link.onNotification('debug/didFail', ({ breakpointId, message }) =>
				later(() => {
					this.breakpointChanged.fire({ id: breakpointId, isVerified: false, message });
					this.print('important', message);
				}),
			),
		);
		add(link.onNotification('debug/didLearnSession', ({ sessionId }) => this.learnedSessions.add(sessionId)));
		add(
			link.onNotification('debug/didStartAgent', ({ sessionId, agentId, agentType }) =>
				later(() => this.liveAgents.begin(sessionId, agentId, agentType)),
			),
		);
		add(
			link.onNotification('debug/didEndAgent', ({ sessionId, agentId }) =>
				later(() => this.liveAgents.finish(sessionId, agentId)),
			),
		);
		add(link.onNotification('debug/didTakeOver', () => later(() => void this.takeOver())));
		add(link.watchStatus((status) => later(() => this.liveAgents.follow(status, this.sessions))));
		add(
			link.onDidClose(() =>
				later(() => {
					if (run === undefined) this.print('important', hostGone);
					else this.print('important', hostGoneInRun);
					this.forgetAll();
					// An agent that this debugger has started is shown until it has ended.
					if (run === undefined) this.end(undefined);
				}),
			),
		);
		void run?.ended.then((end) =>
			later(() => {
				if (end.kind === 'failed') this.print('important', end.message);
				this.forgetAll();
				this.end(end.kind === 'ended' ? end.exitCode : undefined);
			}),
		);
	}

	/** Breakpoints may name agents as people know them, which the host does not. */
	private async name(agents: readonly NamedAgent[]): Promise<void> {
		if (this.isOver) return;
		try {
			await this.options.link.request('debug/name', { agents });
		} catch (error) {
			// One that has ended tells of that by itself, and one of before knows agents by their types and ids.
			if (!(error instanceof ExpectedError)) this.options.onError(error);
		}
	}

	/** The debugger that had these sessions has gone, and they are this one's. */
	private async takeOver(): Promise<void> {
		this.reasonToLookOn = undefined;
		const { plan } = this;
		try {
			const reports = plan === undefined ? [] : await this.setBreakpoints(plan);
			if (this.isOver) return;
			// What has been set meanwhile was told to whoever has set it.
			if (this.plan === plan) for (const report of reports) this.breakpointChanged.fire(report);
			this.print('important', tookOver);
		} catch (error) {
			// That the host has ended is told by itself.
			if (!(error instanceof ExpectedError)) this.options.onError(error);
		}
	}

	/** When somebody can hear it. */
	private later(tell: () => void): void {
		if (this.isOver) return;
		if (this.isStarted) tell();
		else this.early.push(tell);
	}

	private take(call: HeldCall): void {
		if (this.all().some((held) => held.call.stopId === call.stopId)) return;
		const agent = this.liveAgents.meet(call);
		const releases = this.releasing.get(agent.key);
		if (releases !== undefined) {
			// Its agent has gone on, but that was not told yet: what comes of it is told afterwards.
			this.liveAgents.resumed(call);
			releases.push(call);
			return;
		}
		const held: Held = { call, agent, edited: undefined, isLeaving: false };
		const queue = this.held.get(agent.key);
		if (queue === undefined) this.held.set(agent.key, [held]);
		else queue.push(held);
		this.heldChanged.fire();
		if (queue === undefined) this.tellStop(held);
	}

	private tellStop({ call, agent }: Held): void {
		this.stopped.fire({
			agent: agent.key,
			kind: stopKinds[call.reason],
			description: causeOf(call),
			details: withCountdown(call),
			breakpointIds: call.breakpointIds,
			isEveryone: false,
			ruleId: call.ruleId,
		});
	}

	/** The host says that a call goes on. */
	private letGo(stopId: string, reason: string): void {
		const held = this.all().find(({ call }) => call.stopId === stopId);
		if (held === undefined) return;
		const isShown = this.current(held.agent.key) === held;
		this.forget(held);
		if (held.isLeaving) return;
		this.print('note', `${held.agent.name}: ${reason}`);
		if (!isShown) return;
		this.continued.fire(held.agent.key);
		this.tellNext(held.agent.key);
	}

	/** @param isAsideOfSession Whether somebody else than the debug session asks for it, so that it has to be told. */
	private async release(
		held: Held,
		passage: Passage,
		next: Resumption['then'],
		isAsideOfSession = false,
	): Promise<void> {
		if (held.isLeaving) return;
		const { key } = held.agent;
		const isShown = this.current(key) === held;
		held.isLeaving = true;
		const stops: HeldCall[] = this.releasing.get(key) ?? [];
		this.releasing.set(key, stops);
		try {
			// oxlint-disable-next-line unicorn/no-thenable -- a text, which nobody awaits
			await this.options.link.request('debug/resume', { stopId: held.call.stopId, ...passage, then: next });
		} catch (error) {
			held.isLeaving = false;
			this.takeReleased(key, stops);
			throw error;
		}
		this.forget(held);
		if (isShown && isAsideOfSession) this.continued.fire(key);
		// The session hears first that the agent goes on, from whoever waits for this promise.
		setImmediate(() => {
			if (isShown) this.tellNext(key);
			this.takeReleased(key, stops);
		});
	}

	/** What an agent has come to while it was let go. */
	private takeReleased(key: AgentKey, stops: readonly HeldCall[]): void {
		if (this.releasing.get(key) === stops) this.releasing.delete(key);
		if (!this.isOver) for (const call of stops) this.take(call);
	}

	private tellNext(key: AgentKey): void {
		const next = this.current(key);
		if (next !== undefined && !this.isOver) this.tellStop(next);
	}

	private passageOf(held: Held): Passage {
		if (held.edited === undefined) return { action: 'continue' };
		return held.call.at === 'before'
			? { action: 'edit-arguments', arguments: held.edited }
			: { action: 'edit-result', result: held.edited };
	}

	private async edit(held: Held | undefined, keys: readonly (string | number)[], value: unknown): Promise<void> {
		if (held === undefined) throw new ExpectedError('The call has gone on meanwhile.');
		if (!held.call.canEdit) throw new ExpectedError(cannotEdit(held.call));
		const next = withReplaced(textOf(held), keys, value);
		await this.options.link.request('debug/check', { stopId: held.call.stopId, value: next });
		held.edited = next;
		this.heldChanged.fire();
		this.valuesChanged.fire({ agent: held.agent.key, change: 'title' });
	}

	private async answer(held: Held, result: string, isError: boolean): Promise<void> {
		const passage: Passage =
			held.call.at === 'before' ? { action: 'answer', result, isError } : { action: 'edit-result', result };
		await this.release(held, passage, 'run', true);
	}

	private async repeat(held: Held): Promise<void> {
		const { call } = held;
		if (call.isRepeatable !== true) this.print('important', `${call.tool} is called again. ${repeatWarning(call)}`);
		await this.release(held, { action: 'repeat' }, 'run', true);
	}

	/** An agent may write the line of a call a moment after it has asked its hook. */
	private lookAgain(key: AgentKey, held: Held): void {
		const { transcripts, onError } = this.options;
		const { sessionId, toolUseId } = held.call;
		if (sessionId === null || toolUseId === null) return;
		let rounds = 0;
		const look = async (): Promise<void> => {
			if (this.isOver || this.current(key) !== held || ++rounds > 10) return;
			if (callIn(await transcripts.read(sessionId), toolUseId) === undefined) {
				later();
				return;
			}
			if (this.current(key) === held) this.valuesChanged.fire({ agent: key, change: 'stack' });
		};
		const later = () => {
			this.timers.after(150 * (rounds + 1), () => void look().catch(onError));
		};
		later();
	}

	private end(exitCode: number | undefined): void {
		if (this.isOver) return;
		this.isOver = true;
		this.terminated.fire({ exitCode });
	}

	private forgetAll(): void {
		if (this.held.size === 0) return;
		this.held.clear();
		this.continued.fire(null);
		this.heldChanged.fire();
	}

	private forget(held: Held): void {
		const queue = this.held.get(held.agent.key) ?? [];
		// The host says so too, before it has answered.
		if (!queue.includes(held)) return;
		const rest = queue.filter((other) => other !== held);
		if (rest.length === 0) this.held.delete(held.agent.key);
		else this.held.set(held.agent.key, rest);
		this.liveAgents.resumed(held.call);
		this.heldChanged.fire();
	}

	private find(stopId: string): Held {
		const held = this.all().find(({ call }) => call.stopId === stopId);
		if (held === undefined) throw new ExpectedError('The call has gone on meanwhile.');
		return held;
	}

	private all(): readonly Held[] {
		return [...this.held.values()].flat();
	}

	private current(key: AgentKey): Held | undefined {
		return this.held.get(key)?.find(({ isLeaving }) => !isLeaving);
	}

	private viewOf(held: Held): HeldView & { readonly current: () => unknown } {
		return {
			call: held.call,
			agent: held.agent,
			value: valueOf(held),
			isEdited: held.edited !== undefined,
			current: () => valueOf(held),
		};
	}

	private print(kind: Output['kind'], text: string): void {
		this.printed.fire({ kind, text: `${text}\n` });
	}
}

/** How long the frames of a stop wait for the line of its call. */
const patienceMs = 300;
const lookEveryMs = 25;

const stopKinds = {
	breakpoint: 'tool',
	rule: 'rule',
	error: 'error',
	pause: 'pause',
	step: 'step',
} as const satisfies Record<StopReason, StopKind>;

const lineRefusal =
	'Lines of a transcript stop a replay. A call of an agent that runs is stopped by its tool: add a function breakpoint, for example "analytics/*" or "Bash".';
const dataRefusal = 'Values of a session state stop a replay alone.';
const conditionRefusal = 'While agents run, rules and errors stop without a condition.';
const tookOver =
	'The other debugger has gone: this one stops calls from now on, and what could not be set before is set.';
const hostGone =
	'The host has ended. Its agents go on without it, and nothing stops them any more. Attach again when another runs.';
const hostGoneInRun = 'The host has ended. The agent goes on, and nothing stops it any more.';

function refused(id: string, message: string): BreakpointReport {
	return { id, isVerified: false, message };
}

function withId(id: string, { isVerified, message }: BreakpointStatus): BreakpointReport {
	return { id, isVerified, ...(message === undefined ? {} : { message }) };
}

function nextOf(how: ResumeKind): Resumption['then'] {
	switch (how) {
		case 'run':
		case 'step-over':
		case 'step-in':
		case 'step-out':
			return how;
		case 'step-back':
		case 'back-to-breakpoint':
			throw new ExpectedError(
				'What an agent has done cannot be taken back. Replay its transcript to step backwards in it.',
			);
		default:
			return assertNever(how);
	}
}

function textOf({ call, edited }: Pick<Held, 'call' | 'edited'>): string {
	return edited ?? (call.at === 'before' ? call.arguments : (call.result ?? 'null'));
}

function valueOf(held: Pick<Held, 'call' | 'edited'>): unknown {
	return parsed(textOf(held));
}

function cannotEdit({ at, heldBy }: HeldCall): string {
	const what = at === 'before' ? 'The arguments' : 'The result';
	return heldBy === 'hook'
		? `${what} cannot be changed: this agent's hooks let nobody do that.`
		: `${what} cannot be changed here.`;
}

function repeatWarning({ isRepeatable }: HeldCall): string {
	return isRepeatable === false
		? 'Its server says that this is not the same as calling it once.'
		: 'Its server does not say whether this does harm.';
}

/** `Breakpoint "analytics/*"`: short, for it stands beside the agent's name. */
function causeOf({ description, short, at, isError }: HeldCall): string {
	if (short === undefined) return description;
	const when = at === 'before' ? '' : isError ? ', with its error' : ', with its result';
	return `${short.charAt(0).toUpperCase()}${short.slice(1)}${when}`;
}

function withCountdown({ description, heldUntil }: HeldCall): string {
	if (heldUntil === null) return description;
	const time = new Date(heldUntil).toLocaleTimeString('en-GB');
	return `${description} It goes on by itself at ${time}, before its client gives it up.`;
}
