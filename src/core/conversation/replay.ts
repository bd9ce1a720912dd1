// A conversation as it was at each moment. Nothing is folded again to go there: who has done what by then is read off the order of the
// steps, so that going back costs no more than going on, however long the session is.

import type { AgentId } from '../base/ids.ts';
import type { Agent, Compaction, Conversation, Message, Place, Result, ToolCall } from './model.ts';
import { agentsInOrder, callsOf } from './queries.ts';

/** One thing that an agent did or that happened to it, where a replay can stand. */
export type ReplayStep = {
	/** Where in the order of all steps. */
	readonly index: number;
	readonly agent: Agent;
	readonly place: Place;
	readonly at: number | undefined;
} & ReplayMatter;

type ReplayMatter =
	| { readonly kind: 'message'; readonly message: Message }
	| { readonly kind: 'call'; readonly call: ToolCall }
	/** `call` is absent where the transcript has none for it. */
	| { readonly kind: 'result'; readonly call: ToolCall | undefined; readonly result: Result }
	| { readonly kind: 'compaction'; readonly compaction: Compaction };

/** The indexes of an agent's calls and of their results, ascending. */
interface Tally {
	readonly made: number[];
	readonly answered: number[];
	readonly failed: number[];
}

/** What lies where in a file. */
export interface StepPlace {
	readonly index: number;
	readonly line: number;
	/** 1-based; of a whole line 1. */
	readonly column: number;
	readonly endColumn: number | undefined;
}

/** The steps of a conversation that was read, in the order of time, and what was there at each of them. */
export class Replay {
	readonly conversation: Conversation;
	readonly steps: readonly ReplayStep[];
	private readonly byAgent = new Map<AgentId, number[]>();
	private readonly byPath = new Map<string, StepPlace[]>();
	private readonly callIndexes = new Map<ToolCall, number>();
	private readonly resultIndexes = new Map<Result, number>();
	private readonly tallies = new Map<AgentId, Tally>();

	constructor(conversation: Conversation) {
		this.conversation = conversation;
		this.steps = stepsInOrder(conversation);
		for (const step of this.steps) {
			const { index, agent } = step;
			const indexes = this.byAgent.get(agent.id);
			if (indexes === undefined) this.byAgent.set(agent.id, [index]);
			else indexes.push(index);
			if (step.kind === 'call') {
				this.callIndexes.set(step.call, index);
				this.tallyOf(agent).made.push(index);
			}
			if (step.kind === 'result') this.resultIndexes.set(step.result, index);
			const call = step.kind === 'call' || step.kind === 'result' ? step.call : undefined;
			if (call?.result !== undefined) this.count(call, call.result, index);
			const { source, range } = step.place;
			if (source.kind !== 'transcript') continue;
			const place: StepPlace = {
				index,
				line: source.line,
				column: range?.column ?? 1,
				endColumn: range?.endColumn,
			};
			const places = this.byPath.get(source.path);
			if (places === undefined) this.byPath.set(source.path, [place]);
			else places.push(place);
		}
		for (const places of this.byPath.values()) {
			places.sort((one, other) => one.line - other.line || one.column - other.column || one.index - other.index);
		}
	}

	get paths(): Iterable<string> {
		return this.byPath.keys();
	}

	/** The steps that a file tells of, in the order of lines and columns. */
	placesIn(path: string): readonly StepPlace[] {
		return this.byPath.get(path) ?? [];
	}

	/** Those on the line, or else on the first line behind it that has any. */
	placesAt(path: string, line: number): readonly StepPlace[] {
		const places = this.placesIn(path);
		const first = firstIndex(places.length, (index) => (places[index]?.line ?? Infinity) >= line);
		const found = places[first]?.line;
		if (found === undefined) return [];
		const end = firstIndex(places.length, (index) => (places[index]?.line ?? Infinity) > found);
		return places.slice(first, end);
	}

	/** The indexes of an agent's steps, ascending. */
	indexesOf(agent: AgentId): readonly number[] {
		return this.byAgent.get(agent) ?? [];
	}

	/** The agent's last step up to `index`. */
	lastUpTo(agent: AgentId, index: number): ReplayStep | undefined {
		const indexes = this.indexesOf(agent);
		const found = indexes[firstIndex(indexes.length, (at) => (indexes[at] ?? Infinity) > index) - 1];
		return found === undefined ? undefined : this.steps[found];
	}

	/** The agent's first step behind `index`. */
	firstAfter(agent: AgentId, index: number): ReplayStep | undefined {
		const indexes = this.indexesOf(agent);
		const found = indexes[firstIndex(indexes.length, (at) => (indexes[at] ?? Infinity) > index)];
		return found === undefined ? undefined : this.steps[found];
	}

	/** Where the call was made; `undefined` where it is no step. */
	indexOfCall(call: ToolCall): number | undefined {
		return this.callIndexes.get(call);
	}

	indexOfResult(result: Result): number | undefined {
		return this.resultIndexes.get(result);
	}

	/** Who is there at `index`: those who have begun, but for those who have ended before with nothing left open. */
	agentsAt(index: number): readonly Agent[] {
		return agentsInOrder(this.conversation).filter((agent) => {
			const indexes = this.indexesOf(agent.id);
			const first = indexes[0];
			if (first === undefined || first > index) return false;
			const hasEnded = agent.ended !== undefined && (indexes.at(-1) ?? 0) < index;
			return !hasEnded || agent.parentId === null || callsOf(agent).some(({ result }) => result === undefined);
		});
	}

	/** The agent's calls that were made by then, in order. */
	callsUpTo(agent: Agent, index: number): readonly ToolCall[] {
		return callsOf(agent).filter((call) => (this.callIndexes.get(call) ?? Infinity) <= index);
	}

	/** How many calls the agent had made by then, how many of them had no result yet, and how many had failed. */
	countsAt(
		agent: Agent,
		index: number,
	): { readonly calls: number; readonly pending: number; readonly failed: number } {
		const { made, answered, failed } = this.tallyOf(agent);
		const upTo = (indexes: readonly number[]) =>
			firstIndex(indexes.length, (at) => (indexes[at] ?? Infinity) > index);
		const calls = upTo(made);
		return { calls, pending: calls - upTo(answered), failed: upTo(failed) };
	}

	/** A call is answered when both it and its result are there: a result may be written first. */
	private count(call: ToolCall, result: Result, index: number): void {
		const [made, answered] = [this.callIndexes.get(call), this.resultIndexes.get(result)];
		if (made === undefined || answered === undefined || index !== Math.max(made, answered)) return;
		const tally = this.tallyOf(call.agent);
		tally.answered.push(index);
		if (result.isError) tally.failed.push(index);
	}

	private tallyOf({ id }: Agent): Tally {
		let tally = this.tallies.get(id);
		if (tally === undefined) this.tallies.set(id, (tally = { made: [], answered: [], failed: [] }));
		return tally;
	}

	/** The result that the call had by then. */
	resultAt(call: ToolCall, index: number): Result | undefined {
		const { result } = call;
		return result !== undefined && (this.resultIndexes.get(result) ?? Infinity) <= index ? result : undefined;
	}

	/** The turn that the agent was in at `index`: the message that began it. */
	turnAt(agent: Agent, index: number): Message | undefined {
		let begun: Message | undefined;
		const { messages } = agent;
		const steps = this.indexesOf(agent.id);
		for (let at = firstIndex(steps.length, (place) => (steps[place] ?? Infinity) > index) - 1; at >= 0; at--) {
			const step = this.steps[steps[at] ?? 0];
			if (step?.kind !== 'message') continue;
			if (step.message.kind === 'prompt' || step.message.kind === 'notification') {
				begun = step.message;
				break;
			}
		}
		return begun ?? messages[0];
	}
}

/** The first index for which `isIt` holds, as it does for all behind it; `length` where it holds for none. */
function firstIndex(length: number, isIt: (index: number) => boolean): number {
	let low = 0;
	let high = length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if (isIt(middle)) high = middle;
		else low = middle + 1;
	}
	return low;
}

interface Unordered {
	readonly agent: Agent;
	readonly place: Place;
	readonly at: number | undefined;
	readonly matter: ReplayMatter;
	readonly path: string;
	readonly line: number;
	readonly column: number;
	/** In time, as far as its file's order allows. */
	time: number;
}

/**
 * The lines of each file in their order, files woven together by time. Times of a file need not be monotonic, so that a line counts as
 * no earlier than those before it; and no agent begins before the call that starts it.
 */
function stepsInOrder(conversation: Conversation): readonly ReplayStep[] {
	const files = new Map<string, Unordered[]>();
	const calls = new Map<ToolCall, Unordered>();
	const agents = parentsFirst(conversation);
	for (const agent of agents) {
		for (const step of stepsOf(agent)) {
			const known = files.get(step.path);
			if (known === undefined) files.set(step.path, [step]);
			else known.push(step);
			if (step.matter.kind === 'call') calls.set(step.matter.call, step);
		}
	}
	const ranks = new Map([...files.keys()].map((path, rank) => [path, rank]));
	for (const [path, steps] of files) {
		steps.sort((one, other) => one.line - other.line || one.column - other.column);
		let time = Math.max(-Infinity, ...beginnings(agents, path, calls));
		for (const step of steps) {
			time = Math.max(time, step.at ?? -Infinity);
			step.time = time;
		}
	}
	const ordered = [...files.values()].flat();
	ordered.sort(
		(one, other) =>
			compared(one.time, other.time) ||
			(ranks.get(one.path) ?? 0) - (ranks.get(other.path) ?? 0) ||
			one.line - other.line ||
			one.column - other.column,
	);
	return ordered.map(({ agent, place, at, matter }, index) => ({ index, agent, place, at, ...matter }));
}

function compared(one: number, other: number): number {
	return one === other ? 0 : one < other ? -1 : 1;
}

/** The times of the calls in other files that have started the agents of this one. */
function beginnings(
	agents: readonly Agent[],
	path: string,
	calls: ReadonlyMap<ToolCall, Unordered>,
): readonly number[] {
	return agents.flatMap((agent) => {
		const spawned = agent.spawnCall === undefined ? undefined : calls.get(agent.spawnCall);
		return agent.path !== path || spawned === undefined || spawned.path === path ? [] : [spawned.time];
	});
}

function parentsFirst(conversation: Conversation): readonly Agent[] {
	const agents = agentsInOrder(conversation);
	const depths = new Map<Agent, number>();
	for (const agent of agents) {
		let depth = 0;
		// A damaged file may name parents in a circle.
		for (let up: Agent | undefined = agent; up !== undefined && depth <= agents.length; depth++) {
			up = up.parentId === undefined || up.parentId === null ? undefined : conversation.agents.get(up.parentId);
		}
		depths.set(agent, depth);
	}
	return [...agents].sort((one, other) => (depths.get(one) ?? 0) - (depths.get(other) ?? 0));
}

function stepsOf(agent: Agent): readonly Unordered[] {
	const steps: Unordered[] = [];
	const add = (place: Place, at: number | undefined, matter: ReplayMatter) => {
		const { source, range } = place;
		const isFile = source.kind === 'transcript';
		steps.push({
			agent,
			place,
			at,
			matter,
			path: isFile ? source.path : '',
			line: isFile ? source.line : 0,
			// A message stands before the blocks in its line.
			column: matter.kind === 'message' ? 0 : (range?.column ?? 1),
			time: 0,
		});
	};
	for (const message of agent.messages) {
		if (isStep(message)) add(message.place, message.at, { kind: 'message', message });
	}
	for (const call of callsOf(agent)) {
		add(call.place, call.startedAt, { kind: 'call', call });
		for (const result of [call.result, ...call.furtherResults]) {
			if (result !== undefined) add(result.place, result.at, { kind: 'result', call, result });
		}
	}
	for (const result of agent.strayResults) {
		add(result.place, result.at, { kind: 'result', call: undefined, result });
	}
	for (const compaction of agent.compactions) {
		add(compaction.place, compaction.at, { kind: 'compaction', compaction });
	}
	return steps;
}

/** Calls and results are steps of their own; what only carries them, or only thinks, is none. */
function isStep({ kind, parts }: Message): boolean {
	switch (kind) {
		case 'prompt':
		case 'notification':
		case 'summary':
		case 'interrupt':
		case 'local':
			return true;
		case 'response':
			return parts.some((part) => part !== 'tool-use' && part !== 'thinking' && part !== 'server-tool-result');
		case 'results':
		case 'meta':
			return false;
	}
}
