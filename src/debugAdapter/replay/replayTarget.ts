// A session that was written down, as something to debug: it stands at one step for all of its agents, and goes forth and back.

import { setImmediate } from 'node:timers/promises';
import { sep } from 'node:path';
import { Emitter } from '../../core/base/emitter.ts';
import { ExpectedError } from '../../core/base/errors.ts';
import { indentedJson } from '../../core/base/jsonText.ts';
import { counted } from '../../core/base/text.ts';
import { agentName } from '../../core/conversation/index.ts';
import { Replay } from '../../core/conversation/replay.ts';
import type { Agent, Place } from '../../core/conversation/index.ts';
import type { ReplayStep } from '../../core/conversation/replay.ts';
import type { ReadSession } from '../../core/core.ts';
import type { StoredCallReader } from '../../core/store/storedCalls.ts';
import type { TranscriptFiles } from '../../core/transcripts/files.ts';
import type {
	Abilities,
	AgentKey,
	BreakpointPlan,
	ChangedValues,
	BreakpointReport,
	DebugTarget,
	DebuggedAgent,
	ExpressionName,
	FilePlace,
	Level,
	Output,
	ResumeKind,
	Stop,
} from '../debugTarget.ts';
import { ReplayBodies } from './replayBodies.ts';
import { evaluateAt, expressionNames } from './replayExpressions.ts';
import { ReplayLevels } from './replayLevels.ts';
import type { ReplayLevel } from './replayLevels.ts';
import { ReplayStates } from './replayStates.ts';
import { ReplayStops } from './replayStops.ts';

export interface ReplayOptions {
	readonly files: TranscriptFiles;
	readonly stopOnEntry: boolean;
	/** `undefined`: nothing is known of states. */
	readonly states?: StoredCallReader | undefined;
	/** For listeners that throw. */
	readonly onError: (error: unknown) => void;
}

/** Where a move ends when nothing stops it before. */
interface Destination {
	readonly index: number;
	readonly stop: Pick<Stop, 'kind' | 'description'>;
	/** Who stands there; `undefined`: whose step it is. */
	readonly agent: Agent | undefined;
}

/** Steps that are looked at before others have their turn. */
const stepsAtOnce = 2_000;

export class ReplayTarget implements DebugTarget {
	readonly abilities: Abilities = {
		canGoBack: true,
		hasLineBreakpoints: true,
		hasDataBreakpoints: true,
		canRepeat: true,
	};
	readonly onDidStart;
	readonly onDidEnd;
	readonly onDidStop;
	readonly onDidContinue;
	readonly onDidChangeBreakpoint;
	readonly onDidPrint;
	readonly onDidChangeValues;
	readonly onDidTerminate;
	private readonly started: Emitter<DebuggedAgent>;
	private readonly ended: Emitter<DebuggedAgent>;
	private readonly stopped: Emitter<Stop>;
	private readonly continued: Emitter<AgentKey | null>;
	private readonly breakpointChanged: Emitter<BreakpointReport>;
	private readonly printed: Emitter<Output>;
	private readonly valuesChanged: Emitter<ChangedValues>;
	private readonly terminated: Emitter<{ readonly exitCode: number | undefined }>;

	private readonly read: ReadSession;
	private readonly options: ReplayOptions;
	private readonly replay: Replay;
	private readonly bodies: ReplayBodies;
	private readonly levels: ReplayLevels;
	private readonly stops: ReplayStops;
	/** Of the step at which all stand; -1: before the first. */
	private index = -1;
	private shown: readonly Agent[] = [];
	/** The move that is under way; another one, or a pause, ends it. */
	private move = 0;
	private isMoving = false;
	private isDisposed = false;

	constructor(read: ReadSession, options: ReplayOptions) {
		const emitter = <Value>() => new Emitter<Value>(options.onError);
		this.started = emitter();
		this.ended = emitter();
		this.stopped = emitter();
		this.continued = emitter();
		this.breakpointChanged = emitter();
		this.printed = emitter();
		this.valuesChanged = emitter();
		this.terminated = emitter();
		this.onDidStart = this.started.event;
		this.onDidEnd = this.ended.event;
		this.onDidStop = this.stopped.event;
		this.onDidContinue = this.continued.event;
		this.onDidChangeBreakpoint = this.breakpointChanged.event;
		this.onDidPrint = this.printed.event;
		this.onDidChangeValues = this.valuesChanged.event;
		this.onDidTerminate = this.terminated.event;
		this.read = read;
		this.options = options;
		this.replay = new Replay(read.conversation);
		this.bodies = new ReplayBodies(options.files);
		const states = new ReplayStates(this.replay, options.states);
		this.levels = new ReplayLevels(this.replay, this.bodies, states, {
			lineText: (place) => lineText(options.files, place),
			goTo: async (index) => this.goTo(index),
		});
		// Windows does not tell capitals from small letters, and clients write the drive's in either.
		const comparable =
			sep === '\\' ? (path: string) => path.replaceAll('/', sep).toLowerCase() : (path: string) => path;
		this.stops = new ReplayStops(this.replay, { bodies: this.bodies, states }, read.diagnostics, comparable);
	}

	get agents(): readonly DebuggedAgent[] {
		return this.shown.map((agent) => this.debugged(agent));
	}

	async start(): Promise<void> {
		for (const text of introduction(this.read, this.replay)) this.printed.fire({ kind: 'note', text });
		if (this.replay.steps.length === 0) {
			this.printed.fire({
				kind: 'important',
				text: 'Nothing has happened in this session that could be replayed.',
			});
			this.terminated.fire({ exitCode: undefined });
			return;
		}
		if (this.options.stopOnEntry) {
			this.arrive(0, undefined, { kind: 'entry', description: 'Paused at the beginning of the session.' });
			return;
		}
		// Threads are there before the first stop.
		this.show(0);
		this.travel(1, this.atEnd());
	}

	async setBreakpoints(plan: BreakpointPlan): Promise<readonly BreakpointReport[]> {
		return this.stops.set(plan);
	}

	async stackOf(key: AgentKey): Promise<readonly Level[]> {
		if (this.isMoving) return [];
		return this.levels.stackOf(this.agentOf(key), this.index);
	}

	async resume(key: AgentKey | null, how: ResumeKind): Promise<void> {
		const { index, replay } = this;
		const last = replay.steps.length - 1;
		if (how === 'run' && index >= last) {
			this.terminated.fire({ exitCode: undefined });
			return;
		}
		if ((how === 'step-back' || how === 'back-to-breakpoint') && index <= 0)
			throw new ExpectedError('This is the beginning of the session.');
		if (how === 'run') this.travel(1, this.atEnd());
		else if (how === 'back-to-breakpoint') this.travel(-1, this.atBeginning());
		else {
			const agent = key === null ? replay.steps[index]?.agent : this.agentOf(key);
			if (agent === undefined) throw new ExpectedError('There is no agent that could make a step.');
			if (how === 'step-back') this.stepBack(agent);
			else if (index >= last)
				throw new ExpectedError('This is the end of the session: only the way back is left.');
			else this.travel(1, this.stepFor(agent, how));
		}
	}

	async pause(): Promise<void> {
		if (!this.isMoving) return;
		this.move++;
		this.isMoving = false;
		this.arrive(Math.max(0, this.index), undefined, { kind: 'pause', description: 'Paused.' });
	}

	async evaluate(expression: string, level: Level | undefined): Promise<unknown> {
		const selected = (level as ReplayLevel | undefined) ?? (await this.currentLevel()); // levels come from `stackOf` alone
		if (selected === undefined) throw new ExpectedError('Nothing has happened yet.');
		return evaluateAt(this.replay, this.bodies, expression, selected);
	}

	names(): readonly ExpressionName[] {
		return expressionNames;
	}

	async breakpointPlaces(path: string, line: number, endLine: number): Promise<readonly FilePlace[]> {
		const known = this.stops.pathOf(path);
		if (known === undefined) return [];
		return this.replay
			.placesIn(known)
			.filter((place) => place.line >= line && place.line <= endLine)
			.map((place) => ({ path, line: place.line, column: place.column, endColumn: place.endColumn }));
	}

	async terminate(): Promise<void> {
		this.move++;
		this.isMoving = false;
		this.terminated.fire({ exitCode: undefined });
	}

	dispose(): void {
		if (this.isDisposed) return;
		this.isDisposed = true;
		this.move++;
		for (const emitter of [
			this.started,
			this.ended,
			this.stopped,
			this.continued,
			this.breakpointChanged,
			this.printed,
			this.valuesChanged,
			this.terminated,
		])
			emitter.dispose();
		// Nobody is left who could be told that a file could not be closed.
		this.bodies.close().catch(this.options.onError);
	}

	private stepFor(agent: Agent, how: 'step-over' | 'step-in' | 'step-out'): Destination {
		const { replay, index } = this;
		// The agent may have been started long before what stands here now, which others did.
		const step = how === 'step-in' ? replay.lastUpTo(agent.id, index) : undefined;
		if (step?.kind === 'call' && step.call.spawnedAgentId !== undefined) {
			const first = replay.firstAfter(step.call.spawnedAgentId, index);
			if (first !== undefined)
				return destination(first, `In ${agentName(first.agent)}, which this call has started.`);
		}
		if (how !== 'step-out') {
			const next = replay.firstAfter(agent.id, index);
			if (next !== undefined) return destination(next, stepWords(next));
		}
		return this.returnOf(agent) ?? this.atEnd();
	}

	/** Where an agent's end reaches the one that has started it. */
	private returnOf(agent: Agent): Destination | undefined {
		const { replay, index } = this;
		const { spawnCall } = agent;
		if (spawnCall === undefined) return undefined;
		const ownEnd = Math.max(index, replay.indexesOf(agent.id).at(-1) ?? 0);
		const result = spawnCall.result === undefined ? undefined : replay.indexOfResult(spawnCall.result);
		// The result of a call that went to the background only says that it did.
		const step =
			result !== undefined && result > ownEnd
				? replay.steps[result]
				: replay.firstAfter(spawnCall.agent.id, ownEnd);
		// A parent that does nothing any more has come to its own end with it. Nobody descends from themselves.
		return step === undefined
			? this.returnOf(spawnCall.agent)
			: destination(step, `Back from ${agentName(agent)}.`);
	}

	private stepBack(agent: Agent): void {
		const { replay, index } = this;
		const own = replay.lastUpTo(agent.id, index - 1);
		const { spawnCall } = agent;
		const spawned = spawnCall === undefined ? undefined : replay.indexOfCall(spawnCall);
		const target = own ?? (spawned === undefined ? undefined : replay.steps[spawned]);
		this.move++;
		this.isMoving = false;
		if (target === undefined || target.index >= index) this.stopAt(this.atBeginning());
		else this.stopAt(destination(target, `Back: ${lowered(stepWords(target))}`));
	}

	private atEnd(): Destination {
		const index = this.replay.steps.length - 1;
		return { index, agent: undefined, stop: { kind: 'step', description: 'Paused at the end of the session.' } };
	}

	private atBeginning(): Destination {
		return {
			index: 0,
			agent: undefined,
			stop: { kind: 'step', description: 'Paused at the beginning of the session.' },
		};
	}

	private goTo(index: number): void {
		this.move++;
		this.isMoving = false;
		const step = this.replay.steps[index];
		if (step !== undefined) this.stopAt(destination(step, `Back where the call was made.`));
	}

	/** Step by step, until a breakpoint or the destination is reached. Goes on beside whatever else there is to do. */
	private travel(direction: 1 | -1, to: Destination): void {
		const move = ++this.move;
		this.isMoving = true;
		this.walk(direction, to, move).catch((error: unknown) => {
			// A bug; and who waits for the stop gets one.
			this.options.onError(error);
			if (move === this.move) this.stopAt({ ...to, index: Math.max(0, this.index) });
		});
	}

	private async walk(direction: 1 | -1, to: Destination, move: number): Promise<void> {
		let looked = 0;
		while (this.index !== to.index) {
			const step = this.replay.steps[this.index + direction];
			if (step === undefined) break;
			this.index = step.index;
			if (++looked % stepsAtOnce === 0) {
				await setImmediate();
				if (move !== this.move) return;
			}
			if (!this.stops.mayStopAt(step)) continue;
			const { stop, logs, failures } = await this.stops.at(step);
			if (move !== this.move) return;
			for (const report of failures) {
				this.breakpointChanged.fire(report);
				this.printed.fire({ kind: 'important', text: `A breakpoint has not stopped: ${report.message ?? ''}` });
			}
			// Nothing is said on the way back: it was said before, or will be.
			if (direction === 1) for (const log of logs) this.printed.fire(log);
			if (stop === undefined) continue;
			this.isMoving = false;
			this.show(step.index);
			this.stopped.fire({ ...stop, isEveryone: true });
			return;
		}
		this.isMoving = false;
		this.stopAt(to);
	}

	private stopAt({ index, stop, agent }: Destination): void {
		this.isMoving = false;
		this.arrive(index, agent, stop);
	}

	private arrive(index: number, agent: Agent | undefined, stop: Pick<Stop, 'kind' | 'description'>): void {
		this.index = index;
		this.show(index);
		const whose = agent ?? this.replay.steps[index]?.agent;
		if (whose === undefined) return;
		this.stopped.fire({ ...stop, agent: whose.id, breakpointIds: [], isEveryone: true });
	}

	/** Tells who has come and who has gone. */
	private show(index: number): void {
		const before = this.shown;
		this.shown = this.replay.agentsAt(index);
		for (const agent of before) if (!this.shown.includes(agent)) this.ended.fire(this.debugged(agent));
		for (const agent of this.shown) if (!before.includes(agent)) this.started.fire(this.debugged(agent));
	}

	private debugged(agent: Agent): DebuggedAgent {
		return {
			key: agent.id,
			sessionId: this.read.conversation.sessionId,
			agentId: agent.id,
			name: agentName(agent),
		};
	}

	private agentOf(key: AgentKey): Agent {
		const agent = this.shown.find(({ id }) => id === key);
		if (agent === undefined) throw new ExpectedError('This agent is not there any more.');
		return agent;
	}

	private async currentLevel(): Promise<ReplayLevel | undefined> {
		const step = this.replay.steps[this.index];
		return step === undefined ? undefined : (await this.levels.stackOf(step.agent, this.index))[0];
	}
}

function destination(step: ReplayStep, description: string): Destination {
	return { index: step.index, agent: step.agent, stop: { kind: 'step', description } };
}

/** What happened at a step, as a sentence. */
function stepWords(step: ReplayStep): string {
	switch (step.kind) {
		case 'call':
			return `At a call of ${step.call.name}.`;
		case 'result': {
			const of = step.call === undefined ? 'that no call is there for' : `of ${step.call.name}`;
			return `At ${step.result.isError ? 'the error' : 'the result'} ${of}.`;
		}
		case 'message':
			return step.message.role === 'assistant' ? 'At a message of the agent.' : 'At a message to the agent.';
		case 'compaction':
			return 'At a compaction.';
	}
}

function lowered(sentence: string): string {
	return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

/** What a person has to know of what is replayed. */
function introduction(
	{ conversation, diagnostics, readings, files }: ReadSession,
	{ steps }: Replay,
): readonly string[] {
	const agents = new Set(steps.map(({ agent }) => agent));
	const lines = [
		`Replaying ${conversation.title ?? files.nativeId} (${files.format}): ${counted(steps.length, 'step')} of ${counted(agents.size, 'agent')}.`,
	];
	if (conversation.liveness.state === 'live')
		lines.push(
			'The session is still written: what stands there now is replayed, and what comes later is there after a restart.',
		);
	for (const { path, problem } of readings) if (problem !== undefined) lines.push(`${path}: ${problem}`);
	if (conversation.damage.length > 0)
		lines.push(`${counted(conversation.damage.length, 'damaged line')} could not be read; the rest is replayed.`);
	if (diagnostics.length > 0)
		lines.push(`${counted(diagnostics.length, 'finding')}: break on a rule to stop where they are.`);
	return lines;
}

/** One line of a file, as JSON for people. */
async function lineText(files: TranscriptFiles, { source }: Place): Promise<string> {
	if (source.kind !== 'transcript') return '';
	const file = await files.open(source.path);
	try {
		const bytes = new Uint8Array(source.length);
		let filled = 0;
		while (filled < bytes.length) {
			const count = await file.read(bytes.subarray(filled), source.offset + filled);
			if (count === 0) break;
			filled += count;
		}
		const text = new TextDecoder().decode(bytes.subarray(0, filled));
		try {
			return indentedJson(JSON.parse(text));
		} catch {
			// Shown as it stands.
			return text;
		}
	} finally {
		await file.close();
	}
}
