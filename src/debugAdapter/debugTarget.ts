// What is debugged, as the debug adapter's protocol side sees it: agents of a session that runs, or of one that is replayed. It speaks of agents,
// calls and their values; threads, frames, scopes and variables are made of them by the session alone.

import type { AgentId, SessionId } from '../core/base/ids.ts';
import type { Event } from '../core/base/emitter.ts';
import type { Disposable } from '../core/base/lifecycle.ts';
import type { Breakpoint, BreakpointStatus } from '../core/debug/index.ts';
import type { FaultDefinition } from '../core/host/faults/index.ts';

/** Whom a target means, unique among all that it debugs: agents of two sessions may have the same id. */
export type AgentKey = string;

export interface DebuggedAgent {
	readonly key: AgentKey;
	readonly sessionId: SessionId | null;
	readonly agentId: AgentId | null;
	/** As people know it: `main`, `explore-api`; with its session where there are several. */
	readonly name: string;
}

/** What a target can do beside what each can. */
export interface Abilities {
	/** Step back and reverse continue. */
	readonly canGoBack: boolean;
	/** Breakpoints on lines of transcripts. */
	readonly hasLineBreakpoints: boolean;
	/** Breakpoints on values, of which `Section.watched` tells. */
	readonly hasDataBreakpoints: boolean;
	/** Calls can be made again. */
	readonly canRepeat: boolean;
}

/**
 * A method that rejects with an `ExpectedError` has refused: its sentence is shown, and nothing has changed. What happens is told by the
 * events, also what was asked for: a step tells that the agent goes on by resolving, and where it has stopped by `onDidStop`.
 */
export interface DebugTarget extends Disposable {
	readonly abilities: Abilities;
	/** All that there are now, in an order that people understand. */
	readonly agents: readonly DebuggedAgent[];

	readonly onDidStart: Event<DebuggedAgent>;
	readonly onDidEnd: Event<DebuggedAgent>;
	readonly onDidStop: Event<Stop>;
	/** Somebody else has let it go, its time was up, or its agent has given it up. `null`: all of them. */
	readonly onDidContinue: Event<AgentKey | null>;
	/** What was told of a breakpoint holds no longer: its condition has failed, or what it waits for is there now. */
	readonly onDidChangeBreakpoint: Event<BreakpointReport>;
	readonly onDidPrint: Event<Output>;
	/** What was shown of the stopped agent is not up to date: its values are to be asked for again. */
	readonly onDidChangeValues: Event<ChangedValues>;
	/** Nothing is left to debug. */
	readonly onDidTerminate: Event<{ readonly exitCode: number | undefined }>;

	/** Once, when the first breakpoints are set. */
	start(): Promise<void>;
	/** In place of all that were set before; one report for each, in any order. */
	setBreakpoints(plan: BreakpointPlan): Promise<readonly BreakpointReport[]>;
	/** From what the agent does up to the main agent; a target may know nothing of an agent that runs. */
	stackOf(agent: AgentKey): Promise<readonly Level[]>;
	/** @param agent `null`: all of them; only for `run` and `back-to-breakpoint`. */
	resume(agent: AgentKey | null, how: ResumeKind): Promise<void>;
	/** The next call of the agent stops. @param agent `null`: all of them. */
	pause(agent: AgentKey | null): Promise<void>;
	/** The value of an expression over what is there, JSON; an expression that fails rejects with an `ExpectedError`. @param level `undefined`: nothing is selected. */
	evaluate(expression: string, level: Level | undefined): Promise<unknown>;
	/** The names that an expression may begin with. */
	names(level: Level | undefined): readonly ExpressionName[];
	/** Lines of a transcript that a breakpoint can be set on, with the columns of the calls and results in them. */
	breakpointPlaces(path: string, line: number, endLine: number): Promise<readonly FilePlace[]>;
	/** Ends what is debugged, as far as the target has started it. */
	terminate(): Promise<void>;
	/** Leaves what is debugged alone from now on: held calls go on, breakpoints are gone. */
	dispose(): void;
}

export interface ChangedValues {
	/** `null`: all of them. */
	readonly agent: AgentKey | null;
	/** `title`: also what the level is called that they stand in. `stack`: also the levels: where they are written, for one. */
	readonly change: 'values' | 'title' | 'stack';
}

export type ResumeKind =
	/** To the next breakpoint. */
	| 'run'
	/** To the agent's next event. */
	| 'step-over'
	/** Into the agent that the call starts. */
	| 'step-in'
	/** To where the agent's own end reaches its parent. */
	| 'step-out'
	/** To the agent's event before. */
	| 'step-back'
	/** Back to the breakpoint before. */
	| 'back-to-breakpoint';

export type StopKind = 'entry' | 'step' | 'pause' | 'line' | 'tool' | 'data' | 'rule' | 'error';

export interface Stop {
	readonly agent: AgentKey;
	readonly kind: StopKind;
	/** A sentence: why, without the agent's name. */
	readonly description: string;
	/** More of it: the finding's or the error's own words. */
	readonly details?: string | undefined;
	/** Of the plan. */
	readonly breakpointIds: readonly string[];
	/** Whether all stand still with it. */
	readonly isEveryone: boolean;
	/** Of `rule`: which. */
	readonly ruleId?: string | undefined;
	/** Places that belong to a finding. */
	readonly related?: readonly { readonly place: FilePlace; readonly message: string }[] | undefined;
}

/** Lines and columns are 1-based, columns in UTF-16 units, ends exclusive. */
export interface FilePlace {
	readonly path: string;
	readonly line: number;
	readonly column?: number | undefined;
	readonly endColumn?: number | undefined;
}

/** One level of a stack: what the agent does, or the call from which it was started, or the main agent. */
export interface Level {
	/** `analytics_query(page: 2)`, `Agent(explore-api)`, `main`. */
	readonly name: string;
	/** Where it is written. */
	readonly place: FilePlace | undefined;
	/** Shown in place of a transcript, where there is none or it is no file that an editor could open. */
	readonly text?: { readonly name: string; read(): Promise<string> } | undefined;
	readonly sections: readonly Section[];
	/** Makes the call again: `undefined` where it cannot be. Prints a warning where this may do harm. */
	readonly repeat?: (() => Promise<void>) | undefined;
	/** The call is not made, or its result not passed on: the agent gets this one. */
	readonly answer?: ((result: string, isError: boolean) => Promise<void>) | undefined;
}

/** A part of what there is to see of a level. */
export interface Section {
	readonly name: 'Arguments' | 'Result' | 'Session state' | 'Usage' | 'Message';
	/** What it is called in an expression, where it can be named there. */
	readonly expression?: string | undefined;
	/** Whether it takes long: it is read when somebody opens it. */
	readonly isExpensive: boolean;
	/** JSON; `undefined`: there is nothing (yet). */
	read(): Promise<unknown>;
	/** Puts a value in the place of what the keys lead to; checked against the tool's schema, and refused with the place where it breaks it. */
	readonly edit?: ((keys: readonly (string | number)[], value: unknown) => Promise<void>) | undefined;
	/** What a data breakpoint on the value would wait for; a sentence where there can be none. */
	readonly watched?: ((keys: readonly (string | number)[]) => WatchedValue | string) | undefined;
}

export interface WatchedValue {
	/** The target's own, and still good in the next run of the same session. */
	readonly dataId: string;
	/** `cursor of analytics`. */
	readonly description: string;
}

export interface ExpressionName {
	readonly name: string;
	readonly isFunction: boolean;
	/** What it is, in a few words. */
	readonly detail: string;
}

export interface BreakpointPlan {
	readonly lines: readonly LineBreakpoint[];
	readonly tools: readonly Breakpoint[];
	readonly data: readonly DataBreakpoint[];
	/** Stop where a rule finds something. */
	readonly rules: readonly FilteredStop[];
	/** Stop at a result that is an error. */
	readonly toolError: Omit<FilteredStop, 'ruleId'> | undefined;
}

interface Limits {
	readonly id: string;
	readonly condition?: string | undefined;
	readonly hitCondition?: string | undefined;
}

export interface LineBreakpoint extends Limits {
	readonly path: string;
	readonly line: number;
	/** Of the call or result in the line; absent: the first. */
	readonly column?: number | undefined;
	readonly logMessage?: string | undefined;
}

export interface DataBreakpoint extends Limits {
	readonly dataId: string;
}

export interface FilteredStop {
	readonly id: string;
	readonly ruleId: string;
	readonly condition?: string | undefined;
}

/** Whether a breakpoint can stop, and where, when that is another place than the one asked for. */
export interface BreakpointReport extends BreakpointStatus {
	readonly place?: FilePlace | undefined;
}

export interface Output {
	/** `important` stands out. */
	readonly kind: 'log-point' | 'note' | 'important' | 'program';
	/** Whole lines, mostly. */
	readonly text: string;
	readonly place?: FilePlace | undefined;
}

/** The sides of the debug client that a target may ask for something. */
export interface TargetClient {
	/** Runs a command in a terminal of the client's; `undefined` where it has none. */
	readonly runInTerminal:
		| ((command: TerminalCommand) => Promise<{ readonly processId: number | undefined }>)
		| undefined;
	/** Tells that something takes long; disposed when it is done. */
	progress(title: string): Disposable;
}

export interface TerminalCommand {
	readonly title: string;
	readonly cwd: string;
	readonly args: readonly string[];
	readonly env: Readonly<Record<string, string | null>>;
	readonly isIntegrated: boolean;
}

/** What makes live targets; handed in by the shells, which know the host. */
export interface LiveTargets {
	/** Rejects with one sentence: no known agent, no host, a host of another version. */
	launch(configuration: LaunchConfiguration, client: TargetClient, signal: AbortSignal): Promise<DebugTarget>;
	attach(configuration: AttachConfiguration, client: TargetClient, signal: AbortSignal): Promise<DebugTarget>;
}

/** An agent command under the debugger. */
export interface LaunchConfiguration {
	readonly program: string;
	/** Which agent it is, where the program's name does not say so. */
	readonly as?: 'claude' | 'codex' | undefined;
	readonly args: readonly string[];
	/** As given; `undefined`: the shell's own. */
	readonly cwd: string | undefined;
	readonly env: Readonly<Record<string, string | null>>;
	readonly mcpConfig: string | undefined;
	readonly stopOnEntry: boolean;
	readonly console: 'integratedTerminal' | 'externalTerminal' | 'internalConsole';
	/** For the calls of this run alone, and as long as it takes. */
	readonly faults: readonly FaultDefinition[];
	readonly data: string | undefined;
}

/** The host that runs. */
export interface AttachConfiguration {
	/** The data directory. */
	readonly data: string | undefined;
	/** Only these sessions, by id or its beginning; empty: all. */
	readonly sessions: readonly string[];
	readonly stopOnEntry: boolean;
}
