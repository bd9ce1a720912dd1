// Two runs beside each other: who did what in another order, which calls came or went, what they were given and answered, how long it took, and
// what is found wrong in only one of them.

import { ExpectedError } from '../base/errors.ts';
import { mainAgentId } from '../base/ids.ts';
import type { AgentId } from '../base/ids.ts';
import type { BodyRef } from '../events/sessionEvent.ts';
import { agentName, agentsInOrder, callState, callsOf, durationOf, serverOf } from '../conversation/index.ts';
import type { Agent, Conversation, Place, ToolCall } from '../conversation/index.ts';
import { rules } from '../rules/index.ts';
import type { Diagnostic } from '../rules/linter.ts';
import type { TranscriptFiles } from '../transcripts/files.ts';
import type { SessionFiles } from '../transcripts/sessionFiles.ts';
import { aligned, firstOutOfOrder } from './alignment.ts';
import { Bodies, unwrapped } from './bodies.ts';
import { canonicalJson, jsonDifference } from './jsonDifference.ts';
import type { IgnoredPath, JsonDifference } from './jsonDifference.ts';
import { resultDifference } from './replayCalls.ts';

/** A run that was read. */
export interface Run {
	readonly files: Pick<SessionFiles, 'saved'>;
	readonly conversation: Conversation;
	readonly diagnostics: readonly Diagnostic[];
}

export interface Comparison {
	readonly one: RunFacts;
	readonly other: RunFacts;
	/** Matched by their place in the chain of spawns and by what they were to do, main agents first. */
	readonly agents: readonly AgentComparison[];
	/** Only those whose number of calls or whose median time can be told of at least one side. */
	readonly tools: readonly ToolTimes[];
	readonly findings: readonly FindingChange[];
	/** Who was saved without bodies: then texts, arguments and results are not compared, nor what `wordRules` find. */
	readonly withoutBodies: readonly ('one' | 'other')[];
	/** Nothing differs but times, of what was compared. */
	readonly isSame: boolean;
}

/** The rules that rest on words: of a session without bodies they find other things, or nothing. */
export const wordRules: readonly string[] = rules.filter(({ meta }) => meta.family === 'scope').map(({ id }) => id);

export interface RunFacts {
	readonly id: string;
	readonly agents: number;
	readonly calls: number;
	readonly findings: number;
	/** Milliseconds from the first event to the last. */
	readonly durationMs: number | undefined;
}

export interface AgentComparison {
	readonly name: string;
	/** `undefined`: this side has no such agent. */
	readonly one: AgentId | undefined;
	readonly other: AgentId | undefined;
	/** Calls with the same tool, arguments, state and result. */
	readonly sameCalls: number;
	/** The first two calls where those that both sides have come in another order, by their tools; what came or went is no other order. */
	readonly firstInOrder:
		| {
				/** Among all calls of the first side, from 1. */
				readonly position: number;
				readonly one: CallFacts;
				readonly other: CallFacts;
		  }
		| undefined;
	/** In order. */
	readonly changes: readonly CallChange[];
}

export interface CallFacts {
	readonly id: string;
	readonly tool: string;
	readonly place: Place;
	readonly state: string;
	readonly durationMs: number | undefined;
}

export type CallChange =
	| { readonly kind: 'gone'; readonly one: CallFacts }
	| { readonly kind: 'added'; readonly other: CallFacts }
	| {
			readonly kind: 'changed';
			readonly one: CallFacts;
			readonly other: CallFacts;
			readonly arguments: JsonDifference | undefined;
			readonly result: JsonDifference | undefined;
			readonly hasOtherState: boolean;
	  };

export interface ToolTimes {
	readonly tool: string;
	readonly one: { readonly calls: number; readonly p50Ms: number | undefined };
	readonly other: { readonly calls: number; readonly p50Ms: number | undefined };
}

export interface FindingChange {
	readonly kind: 'gone' | 'added';
	readonly diagnostic: Diagnostic;
}

export interface CompareOptions {
	readonly ignored?: readonly IgnoredPath[] | undefined;
	readonly signal?: AbortSignal | undefined;
}

/** Bodies are read where they are written, two at a time. */
export async function compareRuns(
	files: TranscriptFiles,
	one: Run,
	other: Run,
	{ ignored = [], signal }: CompareOptions = {},
): Promise<Comparison> {
	const agents: AgentComparison[] = [];
	const sides = { one, other };
	const withoutBodies = (['one', 'other'] as const).filter((side) => sides[side].files.saved?.bodies === 'replaced');
	const hasBodies = withoutBodies.length === 0;
	const bodies = [new Bodies(files), new Bodies(files)] as const;
	const pairs = pairedAgents(one.conversation, other.conversation);
	// Ids differ from run to run, and stand in what agents are told of each other.
	const ids = [
		new OwnIds(
			one.conversation,
			pairs.map(([agent]) => agent),
		),
		new OwnIds(
			other.conversation,
			pairs.map(([, agent]) => agent),
		),
	] as const;
	try {
		for (const [first, second] of pairs) {
			signal?.throwIfAborted();
			agents.push(await comparedAgent(first, second));
		}
	} finally {
		for (const reader of bodies) await reader.close();
	}
	const findings = findingChanges(one, other, hasBodies ? undefined : pairs);
	const facts = { one: runFacts(one), other: runFacts(other) };
	return {
		...facts,
		agents,
		tools: toolTimes(one.conversation, other.conversation),
		findings,
		withoutBodies,
		isSame:
			findings.length === 0 &&
			agents.every((agent) => agent.one !== undefined && agent.other !== undefined && agent.changes.length === 0),
	};

	async function comparedAgent(first: Agent | undefined, second: Agent | undefined): Promise<AgentComparison> {
		const left = await entriesOf(one.conversation, first, hasBodies ? bodies[0] : undefined, ids[0], second);
		const right = await entriesOf(other.conversation, second, hasBodies ? bodies[1] : undefined, ids[1], first);
		const changes: CallChange[] = [];
		let sameCalls = 0;
		for (const [before, after] of pairedCalls(left, right)) {
			signal?.throwIfAborted();
			if (after === undefined) {
				if (before !== undefined) changes.push({ kind: 'gone', one: before.facts });
			} else if (before === undefined) changes.push({ kind: 'added', other: after.facts });
			else {
				const change = await changeOf(before, after);
				if (change === undefined) sameCalls++;
				else changes.push(change);
			}
		}
		return {
			name: agentName(first ?? second ?? impossible()),
			one: first?.id,
			other: second?.id,
			sameCalls,
			firstInOrder: firstInOrder(left, right),
			changes,
		};
	}

	async function changeOf(before: Entry, after: Entry): Promise<CallChange | undefined> {
		const [given, result] = hasBodies ? await bodyDifferences(before, after) : [];
		const hasOtherState = before.facts.state !== after.facts.state;
		if (given === undefined && result === undefined && !hasOtherState) return undefined;
		return { kind: 'changed', one: before.facts, other: after.facts, arguments: given, result, hasOtherState };
	}

	async function bodyDifferences(
		before: Entry,
		after: Entry,
	): Promise<readonly [given: JsonDifference | undefined, result: JsonDifference | undefined]> {
		const given =
			before.given === after.given
				? undefined
				: jsonDifference(
						ids[0].without(await argumentsOf(before.call, bodies[0])),
						ids[1].without(await argumentsOf(after.call, bodies[1])),
						ignored,
					);
		const result = resultDifference(
			ids[0].without(await resultOf(before.call, bodies[0])),
			ids[1].without(await resultOf(after.call, bodies[1])),
			ignored,
		);
		return [given, result];
	}
}

/** The ids of one run, each to be shown by what it is an id of. */
class OwnIds {
	private readonly words = new Map<string, string>();
	private readonly pattern: RegExp | undefined;

	/** @param agents The same agent of both runs has the same place. */
	constructor({ nativeId }: Conversation, agents: readonly (Agent | undefined)[]) {
		if (nativeId.length >= shortestId) this.words.set(nativeId, '(session)');
		for (const [index, agent] of agents.entries()) {
			if (agent !== undefined && agent.id.length >= shortestId) this.words.set(agent.id, `(agent ${index})`);
		}
		const ids = [...this.words.keys()].map((id) => id.replaceAll(/[^\w-]/g, '\\$&'));
		this.pattern = ids.length === 0 ? undefined : new RegExp(ids.join('|'), 'g');
	}

	without(value: unknown): unknown {
		const { pattern, words } = this;
		if (pattern === undefined) return value;
		if (typeof value === 'string') return value.replaceAll(pattern, (id) => words.get(id) ?? id);
		if (Array.isArray(value)) return value.map((element) => this.without(element));
		if (typeof value !== 'object' || value === null) return value;
		return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.without(inner)]));
	}
}

/** Shorter ids may be words. */
const shortestId = 6;

interface Entry {
	readonly call: ToolCall;
	readonly facts: CallFacts;
	/** The call's id, where the other side has the same one, and names cannot be compared: a name of a tool that is none is replaced too. */
	readonly same: string | undefined;
	/** Its arguments in one form, or what stands for them; empty where they are not compared. */
	readonly given: string;
}

async function entriesOf(
	conversation: Conversation,
	agent: Agent | undefined,
	bodies: Bodies | undefined,
	ids: OwnIds,
	partner: Agent | undefined,
): Promise<readonly Entry[]> {
	const entries: Entry[] = [];
	const others =
		partner === undefined || bodies !== undefined ? new Set() : new Set(callsOf(partner).map(({ id }) => id));
	for (const call of agent === undefined ? [] : callsOf(agent)) {
		const given = bodies === undefined ? '' : canonicalJson(ids.without(await argumentsOf(call, bodies)));
		entries.push({
			call,
			facts: factsOf(conversation, call),
			same: others.has(call.id) ? call.id : undefined,
			given: given.length > 256 ? digest(given) : given,
		});
	}
	return entries;
}

function factsOf(conversation: Conversation, call: ToolCall): CallFacts {
	return {
		id: call.id,
		tool: toolOf(call),
		place: call.place,
		state: callState(conversation, call).state,
		durationMs: durationOf(call),
	};
}

function toolOf(call: ToolCall): string {
	const server = serverOf(call);
	return server === undefined ? call.name : `${server}/${call.name}`;
}

async function argumentsOf(call: ToolCall, bodies: Bodies): Promise<unknown> {
	return unwrapped(await bodyOf(call.place, call.arguments, bodies));
}

async function resultOf(call: ToolCall, bodies: Bodies): Promise<unknown> {
	return call.result === undefined ? undefined : bodyOf(call.result.place, call.result.body, bodies);
}

/** That a body cannot be read any more is no difference, and no agreement either. */
async function bodyOf(place: Place, body: BodyRef, bodies: Bodies): Promise<unknown> {
	const value = await bodies.read(place, body);
	if (value === undefined && place.source.kind === 'transcript' && body.length > 0)
		throw new ExpectedError(
			`${place.source.path}:${place.source.line} can no longer be read: it was changed or removed.`,
		);
	return value;
}

/** The same calls first; of what lies between them, those of the same tool. */
function* pairedCalls(
	left: readonly Entry[],
	right: readonly Entry[],
): Iterable<readonly [Entry | undefined, Entry | undefined]> {
	const key = ({ same, facts, given }: Entry) => `${same ?? facts.tool} ${given}`;
	const exact = aligned(left.map(key), right.map(key));
	let from = 0;
	let to = 0;
	for (const [one, other] of [...exact, [left.length, right.length] as const]) {
		const before = left.slice(from, one);
		const after = right.slice(to, other);
		const byTool = aligned(
			before.map(({ facts }) => facts.tool),
			after.map(({ facts }) => facts.tool),
		);
		let first = 0;
		let second = 0;
		for (const [earlier, later] of [...byTool, [before.length, after.length] as const]) {
			for (; first < earlier; first++) yield [before[first], undefined];
			for (; second < later; second++) yield [undefined, after[second]];
			if (earlier < before.length) yield [before[first++], after[second++]];
		}
		if (one < left.length) yield [left[one], right[other]];
		from = one + 1;
		to = other + 1;
	}
}

function firstInOrder(left: readonly Entry[], right: readonly Entry[]): AgentComparison['firstInOrder'] {
	const key = ({ same, facts }: Entry) => same ?? facts.tool;
	const found = firstOutOfOrder(left.map(key), right.map(key));
	if (found === undefined) return undefined;
	const [one, other] = [left[found[0]], right[found[1]]];
	return one === undefined || other === undefined
		? undefined
		: { position: found[0] + 1, one: one.facts, other: other.facts };
}

/** Main agents, then from each pair their children: those that were to do the same, then those of one type, each in the order in which they began. */
function pairedAgents(
	one: Conversation,
	other: Conversation,
): readonly (readonly [Agent | undefined, Agent | undefined])[] {
	const left = agentsInOrder(one);
	const right = agentsInOrder(other);
	const pairs: (readonly [Agent | undefined, Agent | undefined])[] = [];
	const seen = new Set<Agent>();
	const visit = (first: Agent | undefined, second: Agent | undefined): void => {
		pairs.push([first, second]);
		for (const agent of [first, second]) if (agent !== undefined) seen.add(agent);
		match(childrenOf(left, first), childrenOf(right, second));
	};
	const match = (before: readonly Agent[], after: readonly Agent[]): void => {
		const found: [Agent | undefined, Agent | undefined][] = [];
		// The same id is the same agent: one run as two sources tell of it, or a replay.
		for (const agent of before) {
			const partner = other.agents.get(agent.id);
			if (partner !== undefined && !seen.has(partner)) found.push([agent, partner]);
		}
		for (const agent of after) {
			const partner = one.agents.get(agent.id);
			const isFound = partner === undefined || seen.has(partner) || found.some(([first]) => first === partner);
			if (!isFound) found.push([partner, agent]);
		}
		const same = new Set(found.flat());
		before = before.filter((agent) => !same.has(agent));
		after = after.filter((agent) => !same.has(agent));
		for (const keyOf of agentKeys) {
			const partners = new Map<string, Agent[]>();
			for (const agent of after) {
				const key = keyOf(agent);
				const known = partners.get(key);
				if (known === undefined) partners.set(key, [agent]);
				else known.push(agent);
			}
			const taken = new Set<Agent>();
			for (const agent of before) {
				const partner = partners.get(keyOf(agent))?.shift();
				if (partner === undefined) continue;
				found.push([agent, partner]);
				taken.add(agent).add(partner);
			}
			before = before.filter((agent) => !taken.has(agent));
			after = after.filter((agent) => !taken.has(agent));
		}
		found.push(...before.map((agent): [Agent, undefined] => [agent, undefined]));
		found.push(...after.map((agent): [undefined, Agent] => [undefined, agent]));
		const rank = ([first, second]: (typeof found)[number]) =>
			first === undefined ? left.length + right.indexOf(second ?? impossible()) : left.indexOf(first);
		for (const [first, second] of found.sort((a, b) => rank(a) - rank(b))) {
			const isSeen = [first, second].some((agent) => agent !== undefined && seen.has(agent));
			if (!isSeen) visit(first, second);
		}
	};
	const childrenOf = (agents: readonly Agent[], parent: Agent | undefined): readonly Agent[] =>
		parent === undefined ? [] : agents.filter((agent) => agent.parentId === parent.id && !seen.has(agent));
	const mainOf = (agents: readonly Agent[]) => agents.find(({ id }) => id === mainAgentId);
	const [first, second] = [mainOf(left), mainOf(right)];
	if (first !== undefined || second !== undefined) visit(first, second);
	// Those of whose parents nothing is known, and those whose parents are in a circle.
	const rest = (agents: readonly Agent[]) => agents.filter((agent) => !seen.has(agent));
	match(rest(left), rest(right));
	return pairs;
}

const agentKeys: readonly ((agent: Agent) => string)[] = [
	({ name, description, type, relation }) => canonicalJson([relation, type, name, description]),
	({ description, type, relation }) => canonicalJson([relation, type, description]),
	({ type, relation }) => canonicalJson([relation, type]),
	({ relation }) => relation,
];

function runFacts({ conversation, diagnostics }: Run): RunFacts {
	const { startedAt, lastEventAt, nativeId, agents } = conversation;
	return {
		id: nativeId,
		agents: agents.size,
		calls: [...agents.values()].reduce((sum, agent) => sum + callsOf(agent).length, 0),
		findings: diagnostics.length,
		durationMs: startedAt === undefined || lastEventAt === undefined ? undefined : lastEventAt - startedAt,
	};
}

function toolTimes(one: Conversation, other: Conversation): readonly ToolTimes[] {
	const left = durationsByTool(one);
	const right = durationsByTool(other);
	return [...new Set([...left.keys(), ...right.keys()])].sort().map((tool) => ({
		tool,
		one: { calls: left.get(tool)?.calls ?? 0, p50Ms: median(left.get(tool)?.durations ?? []) },
		other: { calls: right.get(tool)?.calls ?? 0, p50Ms: median(right.get(tool)?.durations ?? []) },
	}));
}

function durationsByTool(conversation: Conversation): Map<string, { calls: number; readonly durations: number[] }> {
	const tools = new Map<string, { calls: number; readonly durations: number[] }>();
	for (const agent of conversation.agents.values()) {
		for (const call of callsOf(agent)) {
			const name = toolOf(call);
			const tool = tools.get(name) ?? { calls: 0, durations: [] };
			tools.set(name, tool);
			tool.calls++;
			const duration = durationOf(call);
			if (duration !== undefined) tool.durations.push(duration);
		}
	}
	return tools;
}

function median(values: readonly number[]): number | undefined {
	return [...values].sort((one, other) => one - other)[Math.floor((values.length - 1) / 2)];
}

/**
 * What one side has more often than the other.
 * @param pairs Agents have no names that could be compared: who is who is told by this alone, and findings that rest on words are left out.
 */
function findingChanges(
	one: Run,
	other: Run,
	pairs: readonly (readonly [Agent | undefined, Agent | undefined])[] | undefined,
): readonly FindingChange[] {
	const numbers = new Map((pairs ?? []).flatMap((pair, index) => pair.map((agent) => [agent, index] as const)));
	const findingKey = ({ conversation }: Run, { ruleId, agentId, toolName, cause }: Diagnostic): string => {
		const agent = agentId === undefined ? undefined : conversation.agents.get(agentId);
		// Ids differ from run to run; who does what does not.
		const who = agent === undefined ? null : pairs === undefined ? agentName(agent) : (numbers.get(agent) ?? null);
		return canonicalJson([ruleId, who, toolName, cause]);
	};
	const surplus = (of: Run, over: Run): readonly Diagnostic[] => {
		const left = new Map<string, number>();
		for (const diagnostic of over.diagnostics) {
			const key = findingKey(over, diagnostic);
			left.set(key, (left.get(key) ?? 0) + 1);
		}
		return of.diagnostics.filter((diagnostic) => {
			if (pairs !== undefined && wordRules.includes(diagnostic.ruleId)) return false;
			const key = findingKey(of, diagnostic);
			const count = left.get(key) ?? 0;
			left.set(key, count - 1);
			return count <= 0;
		});
	};
	return [
		...surplus(one, other).map((diagnostic) => ({ kind: 'gone', diagnostic }) as const),
		...surplus(other, one).map((diagnostic) => ({ kind: 'added', diagnostic }) as const),
	];
}

/** FNV-1a over two lanes, 64 bits: whoever wants to see two arguments as one has to look for them. */
function digest(text: string): string {
	let one = 0x811c9dc5;
	let other = 0x1000193;
	for (let index = 0; index < text.length; index++) {
		const unit = text.charCodeAt(index);
		one = Math.imul(one ^ unit, 0x01000193);
		other = Math.imul(other ^ unit, 0x85ebca6b) + index;
	}
	return `${text.length} ${one >>> 0} ${other >>> 0}`;
}

function impossible(): never {
	throw new Error('A pair of nobody.');
}
