import { ExpectedError } from '../../base/errors.ts';
import { mainAgentId } from '../../base/ids.ts';
import type { AgentId, SessionId, ToolUseId } from '../../base/ids.ts';
import type { Disposable } from '../../base/lifecycle.ts';
import { compileBreakpoint } from '../../debug/breakpoint.ts';
import type { BreakpointCall, CompiledBreakpoint } from '../../debug/breakpoint.ts';
import type {
	BreakpointStatus,
	DebugNotifications,
	DebugSettings,
	HeldCall,
	NamedAgent,
	Resumption,
	StopPoint,
	StopReason,
} from '../../debug/debugControl.ts';
import { ExpressionValues } from '../../debug/expression.ts';
import { isStoppableRule, stoppableRules } from '../../debug/stoppableRules.ts';
import { mcpToolNames } from '../../debug/toolPattern.ts';
import type { HostClock } from '../ports.ts';
import type { RecordedRelease, Recorder } from '../recorder.ts';
import { isObject } from '../rpc.ts';
import type { JsonObject } from '../rpc.ts';
import { brokenBy } from './argumentsCheck.ts';
import type {
	AfterPassage,
	AgentFact,
	BeforePassage,
	DebuggerConnection,
	DebugHost,
	DebugListener,
	GateCall,
	GateResult,
	Hold,
} from './debugGate.ts';
import { JoinedCalls } from './joinedCalls.ts';
import { callResult } from './resultByHand.ts';
import { DuplicateWatch } from './duplicateWatch.ts';

/** What the gate asks of the host around it. */
export interface DebugGateOptions {
	readonly clock: HostClock;
	readonly newId: (prefix: string) => string;
	readonly recorder: Pick<Recorder, 'callHeld' | 'callReleased'>;
	/** Every name that somebody has for a server, this one among them. */
	readonly namesOf: (server: string) => readonly string[];
	/** What a server has listed of a tool; `undefined`: nobody has seen its list. */
	readonly toolOf: (server: string, tool: string) => DebuggedTool | undefined;
	/** Whether a session's calls to a server it calls so are known to come through the host. */
	readonly isThroughHost: (sessionId: SessionId | undefined, server: string) => boolean;
	/** Whether a call leaves out where its tool is to look: a sentence; `null`: it says all that there is to say; `undefined`: not known. */
	readonly scopeLeftOut: (server: string, tool: string, args: unknown) => string | null | undefined;
	/** What is held is different. */
	readonly didChange: () => void;
}

export interface DebuggedTool {
	readonly inputSchema: unknown;
	/** By its annotations. */
	readonly isRepeatable: boolean;
}

/** The longest time that a clock of any platform can wait. */
const longestTimerMs = 2_000_000_000;
const mostBreakpoints = 1_000;
/** Of arguments or of a result, in characters. */
const longestShown = 8 * 1024 * 1024;
const mostAnswered = 100;
const mostAgents = 20_000;

/** Tools with which agents start others, by their own names. */
const spawningTools: ReadonlySet<string> = new Set(['Agent', 'Task', 'spawn_agent']);

/** Makes the gate of a host. Nobody is attached yet. */
export function createDebugGate(options: DebugGateOptions): DebugHost {
	return new Gate(options);
}

/** What is to stop next, beside breakpoints. */
type Step =
	/** The next event of an agent. */
	| {
			readonly kind: 'next';
			readonly agent: string;
			readonly call: string | undefined;
			readonly why: string;
			/** The agent is taken for the one that this call starts: it was the next of its type to start. */
			readonly takenFor?: ToolUseId | undefined;
	  }
	/** An agent that this call starts; `next` as soon as it has started. */
	| {
			readonly kind: 'in';
			readonly sessionId: SessionId;
			readonly spawnedBy: ToolUseId | undefined;
			readonly agentType: string | undefined;
			readonly known: ReadonlySet<AgentId>;
	  }
	/** The parent of an agent, as soon as that agent has ended. */
	| { readonly kind: 'out'; readonly sessionId: SessionId; readonly agentId: AgentId };

interface Pause {
	readonly sessionId: SessionId | null;
	readonly agentId: AgentId | null;
	/** Agents that have stopped for it. */
	readonly stopped: Set<string>;
}

/** Why a call stops. */
interface Cause {
	readonly reason: StopReason;
	/** For a list: `breakpoint "analytics/*"`. */
	readonly short: string;
	/** A sentence. */
	readonly description: string;
	readonly breakpointIds: readonly string[];
	readonly ruleId?: string | undefined;
}

interface KnownAgent {
	readonly sessionId: SessionId;
	readonly agentId: AgentId;
	agentType: string | undefined;
	parentId: AgentId | undefined;
}

/** One call that is held at one point. */
interface Stop {
	readonly held: HeldCall;
	readonly call: GateCall;
	readonly cause: Cause;
	readonly owner: Debugger;
	readonly settle: (passage: BeforePassage | AfterPassage) => void;
	timer: Disposable | undefined;
}

type LookedCall = BreakpointCall & Pick<HeldCall, 'sessionId' | 'agentId' | 'toolUseId'>;

class Gate implements DebugHost {
	private readonly options: DebugGateOptions;
	/** In the order in which they came. */
	private readonly debuggers = new Set<Debugger>();
	/** Those that may stop calls. */
	private stoppers: readonly Debugger[] = [];
	/** Oldest first. */
	private readonly stops = new Map<string, Stop>();
	private readonly joined = new JoinedCalls();
	/** By session and agent. */
	private readonly agents = new Map<string, KnownAgent>();
	private readonly compacting = new Set<string>();
	/** Calls that were out when their agent began to make its conversation shorter. */
	private readonly overtaken = new Set<string>();
	/** By key of the call: whose. */
	private readonly out = new Map<string, string>();
	/** Calls that are being made again, by their own ids. */
	private readonly repeating = new Set<string>();
	/**
	 * Calls that were answered by hand at their hook, where an answer can only be a refusal: they go on and get it on the wire. Whoever has
	 * answered need not be there any more.
	 */
	private readonly answered = new Map<ToolUseId, { readonly by: GateCall; readonly passage: BeforePassage }>();
	private isClosed = false;

	constructor(options: DebugGateOptions) {
		this.options = options;
	}

	get isActive(): boolean {
		return this.stoppers.length > 0 || this.answered.size > 0;
	}

	before(call: GateCall): Hold<BeforePassage> | undefined {
		const answer = this.answerFor(call);
		if (answer !== undefined) return answer;
		this.learnSession(call);
		const debug = this.stopperOf(call);
		if (debug === undefined) return undefined;
		const known = this.joined.passes(call, 'before');
		const agent = agentKey(call);
		const [oldest] = this.out.keys();
		// Of a call that is denied nobody tells.
		if (this.out.size >= mostAgents && oldest !== undefined) this.out.delete(oldest);
		this.out.set(callKey(call), agent);
		if (known === 'other-side') return undefined;
		const looked = this.lookable(debug, call, undefined);
		const cause = this.causeBefore(debug, call, agent, looked);
		return cause === undefined ? undefined : this.hold<BeforePassage>(debug, call, undefined, cause);
	}

	after(call: GateCall, result: GateResult): Hold<AfterPassage> | undefined {
		const debug = this.stopperOf(call);
		const key = callKey(call);
		this.out.delete(key);
		const isOvertaken = this.overtaken.delete(key);
		if (debug === undefined) return undefined;
		debug.duplicates.ended(key, result.isOutcomeUnknown === true, this.options.clock.elapsed());
		const { server, tool } = call;
		const isLook =
			debug.rules.has('duplicate-execution') &&
			!result.isError &&
			server !== undefined &&
			this.options.toolOf(server, tool)?.isRepeatable === true;
		if (isLook) debug.duplicates.looked(`${agentKey(call)} ${server}`);
		if (this.joined.passes(call, 'after') === 'other-side') return undefined;
		const cause = this.causeAfter(debug, call, result, isOvertaken);
		return cause === undefined ? undefined : this.hold<AfterPassage>(debug, call, result, cause);
	}

	gone(call: GateCall): void {
		const key = callKey(call);
		this.out.delete(key);
		this.overtaken.delete(key);
		this.repeating.delete(key);
		// Who cancels a call and then makes it again means it.
		for (const debug of this.stoppers) debug.duplicates.ended(key, false, this.options.clock.elapsed());
	}

	tell(fact: AgentFact): void {
		const { sessionId } = fact;
		if (fact.kind === 'session-of-source') {
			for (const debug of this.debuggers)
				if (debug.learnSession(fact.source, sessionId)) debug.listener('debug/didLearnSession', { sessionId });
			return;
		}
		if (fact.kind === 'session-started') {
			this.tellAll(sessionId, 'debug/didStartAgent', { sessionId, agentId: mainAgentId, agentType: null });
			return;
		}
		if (fact.kind === 'session-ended') {
			this.tellAll(sessionId, 'debug/didEndAgent', { sessionId, agentId: null });
			for (const debug of this.debuggers) debug.forgetSession(sessionId);
			for (const [key, agent] of this.agents) if (agent.sessionId === sessionId) this.agents.delete(key);
			for (const key of this.compacting) if (key.startsWith(`${sessionId} `)) this.compacting.delete(key);
			return;
		}
		const { agentId } = fact;
		const key = keyOf(sessionId, agentId);
		switch (fact.kind) {
			case 'agent-started': {
				const known = this.agents.get(key);
				if (known === undefined) {
					const [oldest] = this.agents.keys();
					if (this.agents.size >= mostAgents && oldest !== undefined) this.agents.delete(oldest);
				}
				const agent: KnownAgent = {
					sessionId,
					agentId,
					agentType: fact.agentType ?? known?.agentType,
					parentId: fact.parentId ?? known?.parentId,
				};
				this.agents.set(key, agent);
				for (const debug of this.stoppers) debug.agentStarted(agent, fact.spawnedBy);
				// By what a call has started, its end may be told first.
				if (fact.spawnedBy !== undefined) return;
				const agentType = agent.agentType ?? null;
				this.tellAll(sessionId, 'debug/didStartAgent', { sessionId, agentId, agentType });
				return;
			}
			case 'agent-ended': {
				const known = this.agents.get(key);
				for (const debug of this.stoppers) debug.agentEnded(sessionId, agentId, known?.parentId ?? mainAgentId);
				this.tellAll(sessionId, 'debug/didEndAgent', { sessionId, agentId });
				return;
			}
			case 'compaction-began':
				this.compacting.add(key);
				for (const [call, agent] of this.out) if (agent === key) this.overtaken.add(call);
				return;
			case 'compaction-ended':
				this.compacting.delete(key);
		}
	}

	heldAt(side: GateCall['heldBy']): readonly { readonly held: HeldCall; readonly reason: string }[] {
		return [...this.stops.values()]
			.filter(({ held }) => held.heldBy === side)
			.map(({ held, cause }) => ({ held, reason: cause.short }));
	}

	attach(options: Parameters<DebugHost['attach']>[0]): DebuggerConnection {
		if (this.isClosed) throw new ExpectedError('The host is closing.');
		const debug = new Debugger(this, options);
		debug.waitFor(this.stoppers.find((one) => one.overlaps(debug)));
		this.debuggers.add(debug);
		this.changed();
		return debug;
	}

	close(reason: string): void {
		this.isClosed = true;
		for (const stop of this.stops.values()) this.release(stop, { action: 'continue' }, 'host-closing', reason);
		for (const debug of this.debuggers) debug.dispose();
	}

	// What debuggers ask.

	detach(debug: Debugger): void {
		this.debuggers.delete(debug);
		this.changed();
		for (const stop of this.stops.values())
			if (stop.owner === debug)
				this.release(stop, { action: 'continue' }, 'debugger-gone', `${debug.client} has gone.`);
		if (!debug.isReadOnly && !this.isClosed) this.handOver(debug);
		if (!this.isActive) {
			this.joined.clear();
			this.out.clear();
			this.overtaken.clear();
			this.repeating.clear();
		}
	}

	/** Those who have waited for its sessions have them now, the first of them first. */
	private handOver(gone: Debugger): void {
		for (const debug of this.debuggers) {
			if (!debug.isReadOnly) continue;
			const other = this.stoppers.find((one) => one.overlaps(debug));
			debug.waitFor(other);
			if (other !== undefined) continue;
			this.changed();
			debug.listener('debug/didTakeOver', { from: gone.client });
		}
	}

	heldFor(debug: Debugger): readonly HeldCall[] {
		return [...this.stops.values()].filter((stop) => debug.watchesCall(stop.call)).map(({ held }) => held);
	}

	check(debug: Debugger, stopId: string, value: string): void {
		const { held } = this.stopFor(debug, stopId);
		if (held.at === 'before') this.checkArguments(held.server, held.tool, value);
		else callResult(value, held.server !== null, undefined);
	}

	resume(debug: Debugger, stopId: string, how: Resumption): void {
		const stop = this.stopFor(debug, stopId);
		const { held, call } = stop;
		const { server, tool } = held;
		switch (how.action) {
			case 'continue':
				debug.arm(how.then, stop.call, this.knownIn(held.sessionId));
				this.release(stop, { action: 'continue' }, 'continued', 'It was let go.');
				return;
			case 'edit-arguments': {
				if (held.at !== 'before')
					throw new ExpectedError('The call has been made; its arguments are what they were.');
				if (!held.canEdit)
					throw new ExpectedError('The arguments of this call cannot be changed where it is held.');
				this.checkArguments(server, tool, how.arguments);
				debug.arm(how.then, stop.call, this.knownIn(held.sessionId));
				const passage = { action: 'edit-arguments', arguments: how.arguments } as const;
				this.release(stop, passage, 'arguments-edited', 'Its arguments were changed.', how.arguments);
				return;
			}
			case 'answer': {
				if (held.at !== 'before') throw new ExpectedError('The call has been made; its result can be changed.');
				if (!held.canAnswer) throw new ExpectedError('This call cannot be answered by hand where it is held.');
				const result = callResult(how.result, server !== null, how.isError);
				debug.arm(how.then, stop.call, this.knownIn(held.sessionId));
				const passage = { action: 'answer', result, isError: how.isError } as const;
				this.out.delete(callKey(call));
				debug.duplicates.ended(callKey(call), false, this.options.clock.elapsed());
				const now = this.keepAnswer(call, passage) ? ({ action: 'continue' } as const) : passage;
				this.release(stop, now, 'answered', 'It was answered by hand and not made.', result);
				return;
			}
			case 'edit-result': {
				if (held.at !== 'after') throw new ExpectedError('The call has no result yet.');
				if (!held.canEdit)
					throw new ExpectedError('The result of this call cannot be changed where it is held.');
				const result = callResult(how.result, server !== null, undefined);
				const problem = call.resultProblem?.(result);
				if (problem !== undefined) throw new ExpectedError(problem);
				debug.arm(how.then, stop.call, this.knownIn(held.sessionId));
				this.release(
					stop,
					{ action: 'edit-result', result },
					'result-edited',
					'Its result was changed.',
					result,
				);
				return;
			}
			case 'repeat': {
				if (held.at !== 'after') throw new ExpectedError('The call has not been made yet.');
				if (!call.canRepeat)
					throw new ExpectedError(
						'Only its agent can make this call again: it does not come through the host.',
					);
				this.repeating.add(callKey(call));
				this.out.set(callKey(call), agentKey(call));
				this.release(stop, { action: 'repeat' }, 'repeated', 'It is made again.');
			}
		}
	}

	/** @returns Whether the call is known to come to the wire, where it gets this answer. */
	private keepAnswer(call: GateCall, passage: BeforePassage): boolean {
		const { heldBy, toolUseId, sessionId, server } = call;
		if (heldBy !== 'hook' || toolUseId === undefined || server === undefined) return false;
		if (!this.options.isThroughHost(sessionId, server)) return false;
		this.answered.set(toolUseId, { by: call, passage });
		const [oldest] = this.answered.keys();
		// A person who is asked for a permission may refuse it, and then nothing comes.
		if (this.answered.size > mostAnswered && oldest !== undefined) this.answered.delete(oldest);
		return true;
	}

	private answerFor(call: GateCall): Hold<BeforePassage> | undefined {
		const { heldBy, toolUseId, sessionId } = call;
		if (this.answered.size === 0 || heldBy !== 'wire' || toolUseId === undefined) return undefined;
		const answer = this.answered.get(toolUseId);
		if (answer === undefined || (sessionId !== undefined && sessionId !== answer.by.sessionId)) return undefined;
		this.answered.delete(toolUseId);
		return {
			stopId: '',
			reason: 'answered by hand',
			passage: Promise.resolve(answer.passage),
			giveUp() {},
		};
	}

	changed(): void {
		this.stoppers = [...this.debuggers].filter(({ isReadOnly }) => !isReadOnly);
		this.options.didChange();
	}

	// How a call is looked at.

	private stopFor(debug: Debugger, stopId: string): Stop {
		const stop = this.stops.get(stopId);
		if (stop === undefined || !debug.watchesCall(stop.call))
			throw new ExpectedError('This call is not held any more.');
		return stop;
	}

	private stopperOf(call: GateCall): Debugger | undefined {
		return this.stoppers.find((debug) => debug.watchesCall(call));
	}

	private learnSession({ source, sessionId }: GateCall): void {
		if (source !== undefined && sessionId !== undefined)
			this.tell({ kind: 'session-of-source', source, sessionId });
	}

	private knownIn(sessionId: SessionId | null): ReadonlySet<AgentId> {
		const known = new Set<AgentId>();
		for (const agent of this.agents.values()) if (agent.sessionId === sessionId) known.add(agent.agentId);
		return known;
	}

	private lookable(debug: Debugger, call: GateCall, result: GateResult | undefined): LookedCall {
		const { server, tool, agentsName, sessionId, agentId } = call;
		const names = new Set<string>(agentsName === undefined ? [] : [agentsName]);
		if (server === undefined) names.add(tool);
		else
			for (const name of this.options.namesOf(server)) for (const one of mcpToolNames(name, tool)) names.add(one);
		return {
			names: [...names],
			tool,
			server: server ?? null,
			agentId: agentId ?? null,
			agentType: this.typeOf(call) ?? null,
			agentName:
				sessionId === undefined || agentId === undefined ? null : (debug.nameOf(sessionId, agentId) ?? null),
			sessionId: sessionId ?? null,
			toolUseId: call.toolUseId ?? null,
			isError: result?.isError ?? false,
			argumentsText: () => call.argumentsText(),
			resultText: () => result?.text(),
		};
	}

	private typeOf({ agentType, agentId, sessionId }: GateCall): string | undefined {
		if (agentType !== undefined || agentId === undefined || sessionId === undefined) return agentType;
		return this.agents.get(keyOf(sessionId, agentId))?.agentType;
	}

	private causeBefore(debug: Debugger, call: GateCall, agent: string, looked: LookedCall): Cause | undefined {
		const isPaused = debug.takePause(call, agent);
		const step = debug.takeStep(agent, callKey(call));
		const rule = this.ruleBefore(debug, call, agent);
		const who = nameOf(call, debug);
		const what = toolOf(call);
		const point = debug.breakpointsAt(['before'], looked);
		if (point !== undefined) return { ...point, description: `${who} is about to call ${what}: ${point.short}.` };
		if (rule !== undefined) return rule;
		if (step !== undefined)
			return {
				reason: 'step',
				short: 'a step',
				description: `${who} is about to call ${what}: ${step}.`,
				breakpointIds: [],
			};
		if (!isPaused) return undefined;
		return {
			reason: 'pause',
			short: 'paused',
			description: `${who} is about to call ${what}: somebody has paused it.`,
			breakpointIds: [],
		};
	}

	private causeAfter(debug: Debugger, call: GateCall, result: GateResult, isOvertaken: boolean): Cause | undefined {
		const step = debug.takeStep(agentKey(call), callKey(call));
		const who = nameOf(call, debug);
		const what = toolOf(call);
		const has = result.isError ? 'has failed' : 'has its result';
		if (this.repeating.delete(callKey(call)))
			return {
				reason: 'step',
				short: 'made again',
				description: `${who}'s call of ${what} was made again and ${has}.`,
				breakpointIds: [],
			};
		const points: readonly StopPoint[] = result.isError ? ['after', 'error'] : ['after'];
		const point = debug.breakpointsAt(points, this.lookable(debug, call, result));
		if (point !== undefined) return { ...point, description: `${who}'s call of ${what} ${has}: ${point.short}.` };
		if (result.isError && debug.stopsOnError)
			return {
				reason: 'error',
				short: 'its result is an error',
				description: `${who}'s call of ${what} has failed.`,
				breakpointIds: [],
			};
		if (isOvertaken && debug.rules.has('compaction-mid-call'))
			return ruleCause(
				'compaction-mid-call',
				`${who}'s call of ${what} ${has}; its conversation was made shorter while the call was out.`,
			);
		if (step === undefined) return undefined;
		return {
			reason: 'step',
			short: 'a step',
			description: `${who}'s call of ${what} ${has}: ${step}.`,
			breakpointIds: [],
		};
	}

	private ruleBefore(debug: Debugger, call: GateCall, agent: string): Cause | undefined {
		const { rules } = debug;
		if (rules.size === 0) return undefined;
		const who = nameOf(call, debug);
		const what = toolOf(call);
		const { server, tool } = call;
		// Watched first: whatever stops the call, the next one is compared with it.
		const isDuplicate =
			rules.has('duplicate-execution') &&
			server !== undefined &&
			this.options.toolOf(server, tool)?.isRepeatable === false &&
			debug.duplicates.begins(
				callKey(call),
				`${agent} ${server}`,
				tool,
				call.argumentsText(),
				this.options.clock.elapsed(),
			);
		if (rules.has('compaction-mid-call') && this.compacting.has(agent))
			return ruleCause(
				'compaction-mid-call',
				`${who} is about to call ${what} while its conversation is being made shorter.`,
			);
		if (isDuplicate)
			return ruleCause(
				'duplicate-execution',
				`${who} is about to call ${what} as before; whether the call before was carried out is not known, and twice is not as good as once.`,
			);
		if (rules.has('default-scope-query') && server !== undefined) {
			const said = this.options.scopeLeftOut(server, tool, parsed(call.argumentsText()));
			if (typeof said === 'string')
				return ruleCause('default-scope-query', `${who} is about to call ${what}. ${said}`);
		}
		return undefined;
	}

	private checkArguments(server: string | null, tool: string, text: string): void {
		const value = parsed(text);
		if (value === undefined) throw new ExpectedError('The arguments are not JSON.');
		if (!isObject(value)) throw new ExpectedError('The arguments of a call are one JSON object.');
		const known = server === null ? undefined : this.options.toolOf(server, tool);
		const broken = known === undefined ? undefined : brokenBy(value, known.inputSchema);
		if (broken !== undefined) throw new ExpectedError(`${tool} would not take these arguments: ${broken}`);
	}

	private hold<Passage extends BeforePassage | AfterPassage>(
		debug: Debugger,
		call: GateCall,
		result: GateResult | undefined,
		cause: Cause,
	): Hold<Passage> | undefined {
		const { clock } = this.options;
		const { server, tool } = call;
		const now = clock.now();
		const heldUntil = call.heldUntil();
		if (heldUntil !== null && heldUntil <= now) {
			debug.cannotHold(cause.breakpointIds);
			return undefined;
		}
		const stopId = this.options.newId('stop');
		const at = result === undefined ? 'before' : 'after';
		const known = server === undefined ? undefined : this.options.toolOf(server, tool);
		const args = call.argumentsText();
		const outcome = result?.text();
		const held: HeldCall = {
			stopId,
			reason: cause.reason,
			description: cause.description,
			short: cause.short,
			breakpointIds: cause.breakpointIds,
			...(cause.ruleId === undefined ? {} : { ruleId: cause.ruleId }),
			at,
			heldBy: call.heldBy,
			sessionId: call.sessionId ?? null,
			agentId: call.agentId ?? null,
			agentType: this.typeOf(call) ?? null,
			toolUseId: call.toolUseId ?? null,
			callId: call.callId ?? null,
			server: server ?? null,
			tool,
			arguments: shownText(args),
			result: outcome === undefined ? null : shownText(outcome),
			isError: result?.isError ?? false,
			heldSince: now,
			heldUntil,
			canEdit: call.canEdit && (outcome ?? args).length <= longestShown,
			canAnswer: call.canAnswer && at === 'before',
			isRepeatable: known?.isRepeatable ?? null,
		};
		const passage = Promise.withResolvers<BeforePassage | AfterPassage>();
		const stop: Stop = { held, call, cause, owner: debug, settle: passage.resolve, timer: undefined };
		this.stops.set(stopId, stop);
		this.watch(stop);
		this.options.recorder.callHeld(originOf(call), held);
		this.tellOf(call, 'debug/didStop', held);
		this.options.didChange();
		return {
			stopId,
			reason: cause.short,
			// Which of the two it is was decided by who asked.
			passage: passage.promise as Promise<Passage>,
			giveUp: (reason) => {
				if (this.stops.has(stopId)) this.release(stop, { action: 'continue' }, 'given-up', reason);
			},
		};
	}

	/** Lets go before the call's client does. */
	private watch(stop: Stop): void {
		const { heldUntil } = stop.held;
		if (heldUntil === null) return;
		const left = heldUntil - this.options.clock.now();
		stop.timer = this.options.clock.after(Math.min(Math.max(0, left), longestTimerMs), () => {
			if (this.options.clock.now() < heldUntil) {
				this.watch(stop);
				return;
			}
			const reason = 'Its time was up: its client would not have waited much longer.';
			this.release(stop, { action: 'continue' }, 'time-up', reason);
		});
	}

	private release(
		stop: Stop,
		passage: BeforePassage | AfterPassage,
		how: RecordedRelease['how'],
		reason: string,
		change?: string,
	): void {
		const { held, call } = stop;
		if (!this.stops.delete(held.stopId)) return;
		stop.timer?.dispose();
		const heldMs = this.options.clock.now() - held.heldSince;
		this.options.recorder.callReleased(originOf(call), held, { how, reason, heldMs, change });
		stop.settle(passage);
		this.tellOf(call, 'debug/didResume', { stopId: held.stopId, reason });
		this.options.didChange();
	}

	private tellAll<Name extends keyof DebugNotifications>(
		sessionId: SessionId,
		name: Name,
		value: DebugNotifications[Name],
	): void {
		for (const debug of this.debuggers) if (debug.watches(sessionId)) debug.listener(name, value);
	}

	private tellOf<Name extends keyof DebugNotifications>(
		call: GateCall,
		name: Name,
		value: DebugNotifications[Name],
	): void {
		for (const debug of this.debuggers) if (debug.watchesCall(call)) debug.listener(name, value);
	}
}

class Debugger implements DebuggerConnection {
	readonly client: string;
	readonly listener: DebugListener;
	readonly duplicates = new DuplicateWatch();
	rules: ReadonlySet<string> = new Set();
	stopsOnError = false;
	private readonly gate: Gate;
	/** `undefined`: all. With a source those that are known to be of it. */
	private readonly sessions: Set<SessionId> | undefined;
	/** Those of them that were named from the beginning. */
	private readonly chosen: readonly SessionId[];
	private readonly source: string | undefined;
	private readonly hasWholeSessions: boolean;
	private breakpoints: readonly CompiledBreakpoint[] = [];
	private readonly failures = new Set<string>();
	/** By session and agent. */
	private readonly names = new Map<string, string>();
	private pauses: readonly Pause[] = [];
	private steps: readonly Step[] = [];
	/** Who has its sessions. */
	private other: string | undefined;
	private isDisposed = false;

	constructor(gate: Gate, options: Parameters<DebugHost['attach']>[0]) {
		this.gate = gate;
		this.client = options.client;
		this.listener = options.listener;
		this.source = options.source;
		this.hasWholeSessions = options.hasWholeSessions === true;
		this.chosen = options.sessions ?? [];
		// All would be more than the source.
		this.sessions =
			options.sessions === null && options.source === undefined ? undefined : new Set(options.sessions);
	}

	get isReadOnly(): boolean {
		return this.other !== undefined;
	}

	get reason(): string | undefined {
		return this.other === undefined
			? undefined
			: `${this.other} is debugging already; ${this.client} can look on, and stops nothing.`;
	}

	/** @param other Who has its sessions; `undefined`: itself. */
	waitFor(other: Debugger | undefined): void {
		this.other = other?.client;
	}

	watches(sessionId: SessionId): boolean {
		return this.sessions === undefined || this.sessions.has(sessionId);
	}

	/** Two processes may write one session: of a run that says it everywhere is what has come with its source, and nothing else. */
	watchesCall({ sessionId, source }: GateCall): boolean {
		if (this.source !== undefined && (source !== undefined || !this.hasWholeSessions))
			return source === this.source;
		return this.sessions === undefined || (sessionId !== undefined && this.sessions.has(sessionId));
	}

	/** @returns Whether it is news. */
	learnSession(source: string, sessionId: SessionId): boolean {
		if (source !== this.source || this.sessions?.has(sessionId) !== false) return false;
		this.sessions.add(sessionId);
		return true;
	}

	/** Who has chosen sessions means them also when they go on. */
	forgetSession(sessionId: SessionId): void {
		if (this.source !== undefined && !this.chosen.includes(sessionId)) this.sessions?.delete(sessionId);
	}

	overlaps({ sessions, source }: Debugger): boolean {
		const own = this.sessions;
		if (own === undefined || sessions === undefined) return true;
		return (source !== undefined && source === this.source) || [...sessions].some((one) => own.has(one));
	}

	set(settings: DebugSettings): readonly BreakpointStatus[] {
		this.refuseReadOnly();
		const before = new Map(this.breakpoints.map((known) => [JSON.stringify(known.breakpoint), known]));
		const statuses: BreakpointStatus[] = [];
		const compiled: CompiledBreakpoint[] = [];
		for (const breakpoint of settings.breakpoints) {
			const { id } = breakpoint;
			if (compiled.length >= mostBreakpoints) {
				const message = `There are ${mostBreakpoints} breakpoints already.`;
				statuses.push({ id, isVerified: false, message });
				continue;
			}
			const one = compileBreakpoint(breakpoint);
			if ('problem' in one) {
				statuses.push({ id, isVerified: false, message: one.problem });
				continue;
			}
			const same = before.get(JSON.stringify(breakpoint));
			if (same !== undefined) one.goOnFrom(same);
			compiled.push(one);
			statuses.push({ id, isVerified: true });
		}
		this.breakpoints = compiled;
		this.failures.clear();
		this.rules = new Set(settings.rules.filter(isStoppableRule));
		for (const rule of settings.rules)
			if (!isStoppableRule(rule))
				statuses.push({
					id: rule,
					isVerified: false,
					message: `What ${rule} finds is not known before a call is made, so it cannot stop one; ${stoppableRules.join(', ')} can.`,
				});
		this.stopsOnError = settings.onToolError;
		return statuses;
	}

	name(agents: readonly NamedAgent[]): void {
		for (const { sessionId, agentId, name } of agents) this.names.set(keyOf(sessionId, agentId), name);
		for (const key of this.names.keys()) {
			if (this.names.size <= mostAgents) return;
			this.names.delete(key);
		}
	}

	nameOf(sessionId: SessionId, agentId: AgentId): string | undefined {
		return this.names.get(keyOf(sessionId, agentId));
	}

	held(): readonly HeldCall[] {
		return this.gate.heldFor(this);
	}

	check(stopId: string, value: string): void {
		this.gate.check(this, stopId, value);
	}

	resume(stopId: string, how: Resumption): void {
		this.refuseReadOnly();
		this.gate.resume(this, stopId, how);
	}

	pause(sessionId: SessionId | null, agentId: AgentId | null, undo: boolean): void {
		this.refuseReadOnly();
		const rest = this.pauses.filter(
			(known) =>
				(sessionId !== null && known.sessionId !== sessionId) ||
				(agentId !== null && known.agentId !== agentId),
		);
		this.pauses = undo ? rest : [...rest, { sessionId, agentId, stopped: new Set() }];
	}

	dispose(): void {
		if (this.isDisposed) return;
		this.isDisposed = true;
		this.gate.detach(this);
	}

	/** What of the breakpoints stops a call; log points are told, and conditions that fail. */
	breakpointsAt(points: readonly StopPoint[], call: LookedCall): Cause | undefined {
		if (this.breakpoints.length === 0) return undefined;
		const values = new ExpressionValues(call);
		const found: CompiledBreakpoint[] = [];
		for (const one of this.breakpoints) {
			for (const point of points) {
				const answer = one.lookAt(point, call, values);
				if (answer === undefined) continue;
				if (answer.kind === 'stop') found.push(one);
				else if (answer.kind === 'log') this.log(one.breakpoint.id, answer.text, call);
				else this.fail(one.breakpoint.id, answer.message);
			}
		}
		const [first] = found;
		if (first === undefined) return undefined;
		const breakpointIds = found.map(({ breakpoint }) => breakpoint.id);
		const short = `breakpoint "${first.breakpoint.tool}"`;
		return { reason: 'breakpoint', short, description: '', breakpointIds };
	}

	/** Whether somebody has asked this agent to stop at its next call. */
	takePause(call: GateCall, agent: string): boolean {
		const { sessionId, agentId } = call;
		let isPaused = false;
		for (const pause of this.pauses) {
			if (pause.sessionId !== null && pause.sessionId !== sessionId) continue;
			if (pause.agentId !== null && pause.agentId !== agentId) continue;
			if (pause.stopped.has(agent)) continue;
			pause.stopped.add(agent);
			isPaused = true;
			if (pause.agentId !== null) this.pauses = this.pauses.filter((known) => known !== pause);
		}
		return isPaused;
	}

	/** Why the step stops here: the end of a sentence. */
	takeStep(agent: string, call: string): string | undefined {
		if (this.steps.length === 0) return undefined;
		const taken = this.steps.find((step) => step.kind === 'next' && (step.agent === agent || step.call === call));
		if (taken?.kind !== 'next') return undefined;
		this.steps = this.steps.filter((step) => step !== taken);
		return taken.why;
	}

	arm(then: Resumption['then'], call: GateCall, known: ReadonlySet<AgentId>): void {
		const { sessionId, agentId, tool } = call;
		const agent = agentKey(call);
		// What an agent was to do before is forgotten with what it is to do now.
		this.steps = this.steps.filter((step) => step.kind !== 'next' || step.agent !== agent);
		switch (then) {
			case 'run':
				return;
			case 'step-in':
				if (sessionId !== undefined && spawningTools.has(tool)) {
					const { subagent_type: type } = objectIn(call.argumentsText());
					const agentType = typeof type === 'string' ? type : undefined;
					this.steps = [
						...this.steps,
						{ kind: 'in', sessionId, spawnedBy: call.toolUseId, agentType, known },
					];
					return;
				}
				this.next(agent, callKey(call), 'a step');
				return;
			case 'step-over':
				this.next(agent, callKey(call), 'a step');
				return;
			case 'step-out':
				// Nobody has started the first agent of a session.
				if (sessionId !== undefined && agentId !== undefined && agentId !== mainAgentId)
					this.steps = [...this.steps, { kind: 'out', sessionId, agentId }];
		}
	}

	agentStarted({ sessionId, agentId, agentType }: KnownAgent, spawnedBy: ToolUseId | undefined): void {
		const key = keyOf(sessionId, agentId);
		if (spawnedBy !== undefined) {
			// Whose it is has turned out: another one was mistaken for it.
			const mistaken = this.steps.find((one) => one.kind === 'next' && one.takenFor === spawnedBy);
			if (mistaken?.kind === 'next' && mistaken.agent !== key) {
				this.steps = this.steps.filter((one) => one !== mistaken);
				this.next(key, undefined, mistaken.why);
				return;
			}
		}
		const step = this.steps.find(
			(one) =>
				one.kind === 'in' &&
				one.sessionId === sessionId &&
				!one.known.has(agentId) &&
				(spawnedBy === undefined || one.spawnedBy === undefined
					? one.agentType === undefined || agentType === undefined || one.agentType === agentType
					: one.spawnedBy === spawnedBy),
		);
		if (step === undefined) return;
		this.steps = this.steps.filter((one) => one !== step);
		const takenFor = step.kind === 'in' && spawnedBy === undefined ? step.spawnedBy : undefined;
		this.next(key, undefined, 'a step into it', takenFor);
	}

	agentEnded(sessionId: SessionId, agentId: AgentId, parentId: AgentId): void {
		const step = this.steps.find(
			(one) => one.kind === 'out' && one.sessionId === sessionId && one.agentId === agentId,
		);
		if (step === undefined) return;
		this.steps = this.steps.filter((one) => one !== step);
		this.next(keyOf(sessionId, parentId), undefined, 'a step out of a subagent');
	}

	/** A call has run for so long that its client may give it up at any moment. */
	cannotHold(breakpointIds: readonly string[]): void {
		const message =
			'A call had taken so long that its client would not have waited any longer; it was not stopped.';
		for (const id of breakpointIds) this.fail(id, message);
	}

	private next(agent: string, call: string | undefined, why: string, takenFor?: ToolUseId): void {
		this.steps = [...this.steps, { kind: 'next', agent, call, why, takenFor }];
	}

	private log(breakpointId: string, text: string, { sessionId, agentId, toolUseId }: LookedCall): void {
		this.listener('debug/didLog', { breakpointId, text, sessionId, agentId, toolUseId });
	}

	private fail(breakpointId: string, message: string): void {
		const key = `${breakpointId} ${message}`;
		if (this.failures.has(key) || this.failures.size >= mostBreakpoints) return;
		this.failures.add(key);
		this.listener('debug/didFail', { breakpointId, message });
	}

	private refuseReadOnly(): void {
		if (this.isDisposed) throw new ExpectedError('This debugger is not attached any more.');
		if (this.isReadOnly) throw new ExpectedError(this.reason ?? 'This debugger can look on, and stops nothing.');
	}
}

/** JSON for a debugger, which takes messages of any length but has nobody who would read them. */
function shownText(json: string): string {
	if (json.length <= longestShown) return json;
	return JSON.stringify(`(${json.length} characters, which are too many to be shown or changed)`);
}

function ruleCause(ruleId: string, description: string): Cause {
	return { reason: 'rule', short: `rule ${ruleId}`, description, breakpointIds: [], ruleId };
}

/** Who acts, as far as is known: an agent of a session, or a connection. */
function agentKey({ sessionId, agentId, connectionId = '' }: GateCall): string {
	if (agentId === undefined) return `${sessionId ?? ''} @${connectionId}`;
	return sessionId === undefined ? `@${connectionId} ${agentId}` : keyOf(sessionId, agentId);
}

function keyOf(sessionId: SessionId, agentId: AgentId): string {
	return `${sessionId} ${agentId}`;
}

/** One call on either side. */
function callKey({ toolUseId, callId = '' }: GateCall): string {
	return toolUseId ?? callId;
}

/** As the call stack calls it, where the debugger knows. */
function nameOf({ sessionId, agentId, agentType }: GateCall, debug: Debugger): string {
	if (agentId === undefined) return 'An agent';
	const name = sessionId === undefined ? undefined : debug.nameOf(sessionId, agentId);
	if (name !== undefined) return name;
	return agentType === undefined ? agentId : `${agentType} ${agentId}`;
}

function toolOf({ server, tool }: GateCall): string {
	return server === undefined ? tool : `${server}/${tool}`;
}

function originOf({ connectionId, heldBy, sessionId, agentId }: GateCall) {
	return { connectionId: connectionId ?? heldBy, sessionId, agentId };
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		// What is no JSON is told to whoever has written it, or is nothing that a rule could look at.
		return undefined;
	}
}

function objectIn(text: string): JsonObject {
	const value = parsed(text);
	return isObject(value) ? value : {};
}
