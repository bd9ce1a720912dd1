// Where a replay stops. Whether a breakpoint holds at a step depends on the session alone, and not on the way there: hits are counted from
// the session's beginning, so that going back and forth gives the same stops.

import type { AgentId } from '../../core/base/ids.ts';
import { singleLine, truncated } from '../../core/base/text.ts';
import { callsOf } from '../../core/conversation/index.ts';
import type { Agent, Place, ToolCall } from '../../core/conversation/index.ts';
import type { Replay, ReplayStep } from '../../core/conversation/replay.ts';
import { compileBreakpoint } from '../../core/debug/breakpoint.ts';
import type { BreakpointAnswer, CompiledBreakpoint } from '../../core/debug/breakpoint.ts';
import { toolPattern } from '../../core/debug/toolPattern.ts';
import type { Breakpoint, StopPoint } from '../../core/debug/index.ts';
import { rules } from '../../core/rules/index.ts';
import type { Diagnostic } from '../../core/rules/linter.ts';
import type {
	BreakpointPlan,
	BreakpointReport,
	FilePlace,
	LineBreakpoint,
	Output,
	Stop,
	StopKind,
} from '../debugTarget.ts';
import type { ReplayBodies } from './replayBodies.ts';
import { callersOf, namesOf, seenAt } from './replayCalls.ts';
import type { SeenCall } from './replayCalls.ts';
import { filePlace } from './replayLevels.ts';
import type { ReplayStates } from './replayStates.ts';
import { argumentWatch } from './watchedArguments.ts';

/** A breakpoint at work. */
interface Watch {
	readonly id: string;
	readonly kind: StopKind;
	/** Cheap: what has no chance is not looked at. */
	mayStopAt(step: ReplayStep): boolean;
	/** What is to be said of the stop; `undefined`: nothing happens here. */
	said(step: ReplayStep): Promise<Said | undefined>;
	/** Condition, hit condition and log message; `undefined`: it has none. */
	readonly limits: CompiledBreakpoint | undefined;
	readonly point: StopPoint;
	/** Where hits are counted: what was found at each step that was looked at, and up to which. */
	readonly counted: { readonly answers: Map<number, BreakpointAnswer>; upTo: number } | undefined;
}

interface SeenTool {
	readonly names: readonly string[];
	readonly ownName: string;
	readonly agents: ReadonlySet<Agent>;
}

type Said = Pick<Stop, 'description' | 'details' | 'ruleId' | 'related'>;

/** What happens at a step. */
export interface StepOutcome {
	readonly stop: Omit<Stop, 'isEveryone'> | undefined;
	readonly logs: readonly Output[];
	/** Conditions that could not be decided. */
	readonly failures: readonly BreakpointReport[];
}

export class ReplayStops {
	private readonly replay: Replay;
	private readonly bodies: ReplayBodies;
	private readonly states: ReplayStates;
	/** Findings by the step that they are about. */
	private readonly findings = new Map<number, Diagnostic[]>();
	private watches: readonly Watch[] = [];
	private readonly hasFailed = new Set<string>();
	private seenTools: readonly SeenTool[] | undefined;
	/** Made for agents of which a finding is written down elsewhere. */
	private readonly callsById = new Map<AgentId, ReadonlyMap<string, ToolCall>>();
	/** The session's files as the client may write their paths. */
	private readonly paths: ReadonlyMap<string, string>;

	constructor(
		replay: Replay,
		{ bodies, states }: { readonly bodies: ReplayBodies; readonly states: ReplayStates },
		diagnostics: readonly Diagnostic[],
		comparable: (path: string) => string,
	) {
		this.replay = replay;
		this.bodies = bodies;
		this.states = states;
		this.comparable = comparable;
		this.paths = new Map([...replay.paths].map((path) => [comparable(path), path]));
		for (const diagnostic of diagnostics) {
			const index = this.stepOf(diagnostic);
			if (index === undefined) continue;
			const known = this.findings.get(index);
			if (known === undefined) this.findings.set(index, [diagnostic]);
			else known.push(diagnostic);
		}
	}

	private readonly comparable: (path: string) => string;

	/** The session's own spelling of a path; `undefined`: it is no file of it. */
	pathOf(path: string): string | undefined {
		return this.paths.get(this.comparable(path));
	}

	/** In place of all that were set before. */
	set(plan: BreakpointPlan): readonly BreakpointReport[] {
		const watches: Watch[] = [];
		const reports: BreakpointReport[] = [];
		const take = (made: Watch | BreakpointReport, place?: FilePlace) => {
			if (!('mayStopAt' in made)) {
				reports.push(made);
				return;
			}
			watches.push(made);
			reports.push({ id: made.id, isVerified: true, place });
		};
		for (const breakpoint of plan.lines) {
			const step = this.stepAt(breakpoint);
			if (typeof step === 'string') take({ id: breakpoint.id, isVerified: false, message: step });
			else take(this.lineWatch(breakpoint, step), filePlace(step.place));
		}
		for (const breakpoint of plan.tools) take(this.toolWatch(breakpoint));
		for (const { id, dataId, ...limits } of plan.data) take(this.dataWatch(id, dataId, limits));
		for (const { id, ruleId, condition } of plan.rules) take(this.ruleWatch(id, ruleId, condition));
		if (plan.toolError !== undefined) take(this.errorWatch(plan.toolError.id, plan.toolError.condition));
		this.watches = watches;
		this.hasFailed.clear();
		return reports;
	}

	/** Cheap: whether anything could happen at the step. */
	mayStopAt(step: ReplayStep): boolean {
		return this.watches.some((watch) => watch.mayStopAt(step));
	}

	async at(step: ReplayStep): Promise<StepOutcome> {
		const hit: { readonly watch: Watch; readonly said: Said }[] = [];
		const logs: Output[] = [];
		const failures: BreakpointReport[] = [];
		let seen: SeenCall | undefined;
		for (const watch of this.watches) {
			if (!watch.mayStopAt(step)) continue;
			const said = await watch.said(step);
			if (said === undefined) continue;
			let answer: BreakpointAnswer | undefined = { kind: 'stop' };
			if (watch.counted !== undefined) answer = await this.countedAnswer(watch, step);
			else if (watch.limits !== undefined) {
				seen ??= await seenAt(this.replay, this.bodies, step);
				answer = lookAt(watch, seen);
			}
			if (answer === undefined) continue;
			if (answer.kind === 'stop') hit.push({ watch, said });
			else if (answer.kind === 'log')
				logs.push({ kind: 'log-point', text: answer.text, place: filePlace(step.place) });
			else if (!this.hasFailed.has(`${watch.id} ${answer.message}`)) {
				this.hasFailed.add(`${watch.id} ${answer.message}`);
				failures.push({ id: watch.id, isVerified: true, message: answer.message });
			}
		}
		const [first] = hit;
		const stop =
			first === undefined
				? undefined
				: {
						...first.said,
						agent: step.agent.id,
						kind: first.watch.kind,
						breakpointIds: hit.map(({ watch }) => watch.id),
					};
		return { stop, logs, failures };
	}

	/** Looks at all steps before this one that were not looked at yet, in their order. */
	private async countedAnswer(watch: Watch, { index }: ReplayStep): Promise<BreakpointAnswer | undefined> {
		const { counted } = watch;
		if (counted === undefined) return undefined;
		while (counted.upTo < index) {
			const step = this.replay.steps[++counted.upTo];
			if (step === undefined || !watch.mayStopAt(step) || (await watch.said(step)) === undefined) continue;
			const answer = lookAt(watch, await seenAt(this.replay, this.bodies, step));
			if (answer !== undefined) counted.answers.set(step.index, answer);
		}
		return counted.answers.get(index);
	}

	private lineWatch(breakpoint: LineBreakpoint, { index }: ReplayStep): Watch | BreakpointReport {
		const { id, condition, hitCondition, logMessage } = breakpoint;
		return watchOf(
			{ id, kind: 'line', limits: { condition, hitCondition, logMessage } },
			{
				mayStopAt: (step) => step.index === index,
				said: async () => ({ description: 'Paused on a breakpoint.' }),
			},
		);
	}

	private toolWatch(breakpoint: Breakpoint): Watch | BreakpointReport {
		const { id, tool, at: point = 'before', agent, condition, hitCondition, logMessage, sessionId } = breakpoint;
		const pattern = toolPattern(tool);
		if (typeof pattern === 'string') return { id, isVerified: false, message: pattern };
		if (
			!this.tools().some(({ names, agents }) =>
				[...agents].some((caller) => pattern.matches(names, callersOf(caller))),
			)
		)
			return { id, isVerified: false, message: this.unknownTool(tool) };
		const where = point === 'before' ? '' : point === 'after' ? ', after the call' : ', after the call has failed';
		return watchOf(
			{
				id,
				kind: 'tool',
				point,
				limits: { tool, at: point, agent, condition, hitCondition, logMessage, sessionId },
			},
			{
				mayStopAt(step) {
					if (step.kind !== (point === 'before' ? 'call' : 'result') || step.call === undefined) return false;
					if (step.kind === 'result' && point === 'error' && !step.result.isError) return false;
					return pattern.matches(namesOf(step.call), callersOf(step.agent));
				},
				said: async () => ({ description: `Paused on "${tool}"${where}.` }),
			},
		);
	}

	private dataWatch(
		id: string,
		dataId: string,
		limits: { readonly condition?: string | undefined; readonly hitCondition?: string | undefined },
	): Watch | BreakpointReport {
		const watch = argumentWatch(dataId, this.replay, this.bodies) ?? this.states.watch(dataId);
		if (watch === undefined)
			return { id, isVerified: false, message: 'What it waits for is not to be found in this session.' };
		return watchOf(
			{ id, kind: 'data', limits },
			{
				mayStopAt: ({ index }) => watch.mayChangeAt(index),
				async said({ index }) {
					const change = await watch.changeAt(index);
					return change === undefined
						? undefined
						: { description: `Paused where ${watch.description} changes: ${change}.` };
				},
			},
		);
	}

	private ruleWatch(id: string, ruleId: string, condition: string | undefined): Watch | BreakpointReport {
		if (!rules.some((rule) => rule.id === ruleId))
			return { id, isVerified: false, message: `There is no rule "${ruleId}".` };
		const at = (step: ReplayStep) =>
			this.findings.get(step.index)?.filter((finding) => finding.ruleId === ruleId) ?? [];
		return watchOf(
			{ id, kind: 'rule', limits: { condition } },
			{
				mayStopAt: (step) => at(step).length > 0,
				async said(step) {
					const found = at(step);
					return {
						description: `Paused where ${ruleId} finds something.`,
						details: found.map(({ message }) => message).join('\n'),
						ruleId,
						related: found.flatMap(({ related }) =>
							related.flatMap(({ place, message }) => {
								const file = filePlace(place);
								return file === undefined ? [] : [{ place: file, message }];
							}),
						),
					};
				},
			},
		);
	}

	private errorWatch(id: string, condition: string | undefined): Watch | BreakpointReport {
		const { bodies } = this;
		return watchOf(
			{ id, kind: 'error', point: 'after', limits: { condition } },
			{
				mayStopAt: (step) => step.kind === 'result' && step.result.isError,
				async said(step) {
					if (step.kind !== 'result') return undefined;
					const { call, result } = step;
					const details = truncated(singleLine(textIn(await bodies.resultOf(call, result))), 500);
					return { description: `Paused on an error of ${call?.name ?? 'a tool'}.`, details };
				},
			},
		);
	}

	/** The tools that are called in the session, with the agents that call them. */
	private tools(): readonly SeenTool[] {
		if (this.seenTools !== undefined) return this.seenTools;
		const seen = new Map<string, SeenTool & { readonly agents: Set<Agent> }>();
		for (const step of this.replay.steps) {
			if (step.kind !== 'call') continue;
			const names = namesOf(step.call);
			const key = names[0] ?? '';
			let tool = seen.get(key);
			if (tool === undefined) seen.set(key, (tool = { names, ownName: step.call.name, agents: new Set() }));
			tool.agents.add(step.agent);
		}
		this.seenTools = [...seen.values()];
		return this.seenTools;
	}

	/** A tool of a server is named with it, which is easily forgotten. */
	private unknownTool(pattern: string): string {
		const meant = this.tools().filter(
			({ ownName, names }) => ownName === pattern.trim() && !names.includes(ownName),
		);
		const hint = meant.length === 0 ? '' : ` Did you mean ${meant.map(({ names }) => names[0]).join(' or ')}?`;
		return `No agent in this session calls "${pattern}".${hint}`;
	}

	/** The step that a line breakpoint is for; a sentence where there is none. */
	private stepAt({ path, line, column }: LineBreakpoint): ReplayStep | string {
		const known = this.pathOf(path);
		if (known === undefined) return 'The file is no transcript of the session that is replayed.';
		const places = this.replay.placesAt(known, line);
		// A column names the block that it is in, or else the next one.
		const place =
			column === undefined
				? places[0]
				: (places.find((candidate) => column < (candidate.endColumn ?? candidate.column + 1)) ?? places.at(-1));
		const step = place === undefined ? undefined : this.replay.steps[place.index];
		return step ?? 'Nothing happens on this line or behind it.';
	}

	/** Where a finding is: at its block, at its call, in its line, or where something is that belongs to it. */
	private stepOf({ place, agentId, toolUseId: id, related }: Diagnostic): number | undefined {
		const call = agentId === undefined || id === undefined ? undefined : this.callWith(agentId, id);
		return (
			this.blockAt(place) ??
			(call === undefined ? undefined : this.replay.indexOfCall(call)) ??
			this.lineAt(place) ??
			related
				.map((other) => this.blockAt(other.place) ?? this.lineAt(other.place))
				.find((index) => index !== undefined)
		);
	}

	private callWith(agent: AgentId, id: string): ToolCall | undefined {
		let calls = this.callsById.get(agent);
		if (calls === undefined) {
			const of = this.replay.conversation.agents.get(agent);
			calls = new Map((of === undefined ? [] : callsOf(of)).map((call) => [call.id, call]));
			this.callsById.set(agent, calls);
		}
		return calls.get(id);
	}

	private blockAt({ source, range }: Place): number | undefined {
		if (source.kind !== 'transcript' || range === undefined) return undefined;
		const places = this.replay.placesAt(source.path, source.line);
		return places.find(({ line, column }) => line === source.line && column === range.column)?.index;
	}

	private lineAt({ source }: Place): number | undefined {
		if (source.kind !== 'transcript') return undefined;
		const [first] = this.replay.placesAt(source.path, source.line);
		return (first ?? this.replay.placesIn(source.path).at(-1))?.index;
	}
}

interface WatchSettings {
	readonly id: string;
	readonly kind: StopKind;
	readonly point?: StopPoint;
	readonly limits: Omit<Breakpoint, 'id' | 'tool'> & { readonly tool?: string | undefined };
}

function watchOf(
	{ id, kind, point = 'before', limits }: WatchSettings,
	looks: Pick<Watch, 'mayStopAt' | 'said'>,
): Watch | BreakpointReport {
	const { condition, hitCondition, logMessage, agent, sessionId } = limits;
	const isLimited = [condition, hitCondition, logMessage, agent, sessionId].some((limit) => limit !== undefined);
	const { tool = '*' } = limits;
	const compiled = isLimited ? compileBreakpoint({ ...limits, id, tool, at: point }) : undefined;
	if (compiled !== undefined && 'problem' in compiled) return { id, isVerified: false, message: compiled.problem };
	// A log message may tell the number of the hit.
	const isCounting = hitCondition !== undefined || /\bhits\b/.test(`${condition ?? ''} ${logMessage ?? ''}`);
	return {
		id,
		kind,
		point,
		limits: compiled,
		counted: isCounting ? { answers: new Map(), upTo: -1 } : undefined,
		...looks,
	};
}

function lookAt({ limits, point, kind }: Watch, { call, values }: SeenCall): BreakpointAnswer | undefined {
	// A line or a finding need not be of a call; then only the rest is looked at.
	const named = kind === 'tool' ? call : { ...call, names: ['*'] };
	return limits?.lookAt(point, named, values);
}

/** The words in a result. */
function textIn(value: unknown): string {
	if (typeof value === 'string') return value;
	if (Array.isArray(value)) return value.map(textIn).join(' ');
	if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? '');
	const { text, content } = value as { readonly text?: unknown; readonly content?: unknown };
	return text !== undefined ? textIn(text) : content !== undefined ? textIn(content) : JSON.stringify(value);
}
