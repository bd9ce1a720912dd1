import { inheritedCall, toolOf } from '../conversation/index.ts';
import type { Agent, Conversation, Place, Result, ToolCall, ToolDescription } from '../conversation/index.ts';
import type { GivenValue } from '../events/sessionEvent.ts';
import {
	isAtHand,
	isChoosing,
	isEverythingWord,
	isPlainlyChoosing,
	lastName,
	leftOut,
	mattering,
	mayChoose,
	nounOf,
	scopeParametersOf,
	settingsFor,
} from '../scope/index.ts';
import type { ScopeParameter, ScopeSettings, SeenCall, ToolScopeSettings } from '../scope/index.ts';
import { isUnattended } from './callers.ts';
import type { Caller } from './callers.ts';

/** A server's tool that was called, and what is known of its scopes. */
export interface ScopedTool {
	readonly server: string;
	readonly name: string;
	readonly description: ToolDescription | undefined;
	readonly settings: ToolScopeSettings;
	/** By its schema or the settings; where `unknown` says why there are none, by the names that callers have passed. */
	readonly parameters: readonly ScopeParameter[];
	/** Why nothing is known for certain. A sentence. */
	readonly unknown: string | undefined;
	/** In the order in which they were made. */
	readonly calls: readonly ScopedCall[];
	/** Calls to its server that say which project, page or the like is the current one from then on, in the order in which they were made. */
	readonly choices: readonly ToolCall[];
}

/** A call to an MCP server's tool whose arguments are known, at least in part. */
export interface ScopedCall {
	readonly call: ToolCall;
	/** What was passed, as JSON, by path. */
	readonly given: ReadonlyMap<string, string>;
	/** More may have been passed. */
	readonly isPartial: boolean;
	/** What was passed beside scopes, sorted: what it asks for. When something happened is not where, and belongs to it. */
	readonly filters: readonly string[];
	/** Scopes of its tool that were not passed, as far as can be seen. */
	readonly leftOut: readonly ScopeParameter[];
}

type Parameters = Pick<ScopedTool, 'parameters' | 'unknown'>;

/** What is kept of a conversation while it grows: looking again costs little where little is new. */
interface Kept {
	revision: number;
	readonly settings: ScopeSettings;
	tools: readonly ScopedTool[];
	/** By server and tool. */
	readonly parameters: Map<
		string,
		{
			readonly by: string;
			readonly of: ToolDescription | undefined;
			readonly siblings: readonly ToolDescription[];
			readonly found: Parameters;
		}
	>;
	/** What each server says of its tools: the same array while it says the same. */
	readonly siblings: Map<string, readonly ToolDescription[]>;
	readonly calls: WeakMap<ToolCall, ScopedCall & { readonly parameters: readonly ScopeParameter[] }>;
	readonly shapes: WeakMap<ToolCall, { readonly result: Result | undefined; readonly shape: string }>;
}

/** For as long as somebody has the conversation: both rules and the view of what was covered ask for the same. */
const kept = new WeakMap<Conversation, Kept>();

/** The tools of MCP servers that were called in a conversation, by server and name, with their scopes. */
export function scopedTools(conversation: Conversation, settings: ScopeSettings): readonly ScopedTool[] {
	let entry = kept.get(conversation);
	if (entry?.revision === conversation.revision && entry.settings === settings) return entry.tools;
	if (entry === undefined || entry.settings !== settings) {
		entry = {
			revision: 0,
			settings,
			tools: [],
			parameters: new Map(),
			siblings: new Map(),
			calls: new WeakMap(),
			shapes: new WeakMap(),
		};
		kept.set(conversation, entry);
	}
	entry.revision = conversation.revision;
	entry.tools = toolsIn(conversation, entry);
	return entry.tools;
}

function toolsIn(conversation: Conversation, entry: Kept): readonly ScopedTool[] {
	const servers = new Map<string, ToolCall[]>();
	for (const agent of conversation.agents.values()) {
		for (const call of agent.toolCalls) {
			if (call.server === undefined || call.given === undefined) continue;
			// A fork's copy of a call is its parent's.
			if (agent.relation === 'fork' && inheritedCall(conversation, call) !== undefined) continue;
			const calls = servers.get(call.server);
			if (calls === undefined) servers.set(call.server, [call]);
			else calls.push(call);
		}
	}
	const tools: ScopedTool[] = [];
	for (const [server, calls] of [...servers].sort(byName)) {
		calls.sort(byTime);
		// Of calls that were given the same and got the same, by their names, one shows as much as all.
		const shown = new Map<string, ToolCall>();
		const byTool = new Map<string, ToolCall[]>();
		for (const call of calls) {
			const shape = shapeOf(call, entry);
			if (!shown.has(shape)) shown.set(shape, call);
			const own = byTool.get(call.name);
			if (own === undefined) byTool.set(call.name, [call]);
			else own.push(call);
		}
		const choosers = new Set([...byTool.keys()].filter(mayChoose));
		const choices = calls.filter((call) => choosers.has(call.name) && isCompletedCall(call));
		const seen = { by: [...shown.keys()].join('\n'), calls: [...shown.values()].map(seenCall) };
		const siblings = siblingsOf(conversation, server, entry);
		for (const [name, own] of [...byTool].sort(byName)) {
			const description = own[0] === undefined ? undefined : toolOf(conversation, own[0]);
			const { parameters, unknown } = parametersOf(server, name, description, siblings, seen, own, entry);
			tools.push({
				server,
				name,
				description,
				settings: settingsFor(entry.settings, server, name),
				parameters,
				unknown,
				calls: own.map((call) => scopedCall(call, parameters, entry)),
				choices,
			});
		}
	}
	return tools;
}

function siblingsOf({ tools }: Conversation, server: string, { siblings }: Kept): readonly ToolDescription[] {
	const told = [...(tools.get(server)?.values() ?? [])];
	const known = siblings.get(server);
	if (known?.length === told.length && told.every((tool, index) => tool === known[index])) return known;
	siblings.set(server, told);
	return told;
}

/** What a call and its answer show of the names that its server uses. */
function shapeOf(call: ToolCall, { shapes }: Kept): string {
	const known = shapes.get(call);
	if (known !== undefined && known.result === call.result) return known.shape;
	const names = (values: readonly GivenValue[] | undefined) => values?.map(({ path }) => path).join() ?? '?';
	const { content } = seenCall(call);
	const given = call.given?.values.map(({ path, value }) => `${path}:${typeOf(value)}`).join() ?? '?';
	const shape = `${call.name} ${given} ${call.given?.isPartial} ${names(content?.values)}`;
	shapes.set(call, { result: call.result, shape });
	return shape;
}

function seenCall({ name, given, result }: ToolCall): SeenCall {
	return { tool: name, given, content: result?.isError === true ? undefined : result?.content };
}

function parametersOf(
	server: string,
	name: string,
	description: ToolDescription | undefined,
	siblings: readonly ToolDescription[],
	seen: { readonly by: string; readonly calls: readonly SeenCall[] },
	own: readonly ToolCall[],
	{ parameters: known, settings }: Kept,
): Parameters {
	const key = `${server}\n${name}`;
	const before = known.get(key);
	if (before?.by === seen.by && before.of === description && before.siblings === siblings) return before.found;
	const found = findParameters();
	// Whatever hangs on them stays as it is where they are the same.
	const isSame = before !== undefined && JSON.stringify(before.found) === JSON.stringify(found);
	known.set(key, { by: seen.by, of: description, siblings, found: isSame ? before.found : found });
	return isSame ? before.found : found;

	function findParameters(): Parameters {
		const tool = description ?? { server, name, description: undefined, inputSchema: undefined };
		const parameters = scopeParametersOf(tool, settings, seen, siblings);
		if (!('reason' in parameters)) return { parameters, unknown: undefined };
		const named = scopeParametersOf({ ...tool, inputSchema: JSON.stringify(schemaOf(own)) }, {}, seen);
		return {
			parameters: 'reason' in named ? [] : named,
			unknown: description === undefined ? 'Nothing was read of what the server says of it.' : parameters.reason,
		};
	}
}

/** A schema that says no more than the names that callers have passed, and what kind of value each was. */
function schemaOf(calls: readonly ToolCall[]): object {
	const types = new Map<string, Set<string>>();
	for (const { given } of calls) {
		for (const { path, value } of given?.values ?? []) {
			if (/[.[]/.test(path)) continue;
			const known = types.get(path);
			if (known === undefined) types.set(path, new Set([typeOf(value)]));
			else known.add(typeOf(value));
		}
	}
	const properties = [...types].sort(byName).map(([name, its]) => [name, { type: [...its].sort() }] as const);
	return { type: 'object', properties: Object.fromEntries(properties) };
}

/** Of a value as JSON, perhaps cut off. */
function typeOf(value: string): string {
	switch (value[0]) {
		case '"':
			return 'string';
		case '[':
			return 'array';
		case '{':
			return 'object';
		case 't':
		case 'f':
			return 'boolean';
		case 'n':
			return 'null';
		default:
			return 'number';
	}
}

function scopedCall(call: ToolCall, parameters: readonly ScopeParameter[], { calls }: Kept): ScopedCall {
	const known = calls.get(call);
	if (known?.parameters === parameters) return known;
	const { values = [], isPartial = true } = call.given ?? {};
	const elsewhere = new Set(parameters.filter(({ kind }) => kind !== 'time').map(({ path }) => path));
	const scoped = {
		call,
		parameters,
		given: new Map(values.map(({ path, value }) => [path, value])),
		isPartial,
		filters: values
			.filter(({ path }) => !elsewhere.has(path))
			.map(({ path, value }) => `${path} ${value}`)
			.sort(),
		leftOut: call.given === undefined ? [] : leftOut(parameters, { ...call.given, isPartial: false }),
	};
	calls.set(call, scoped);
	return scoped;
}

/** The argument object of a call, where a parameter that was left out belongs. */
export function argumentsPlace({ place, given }: ToolCall): Place {
	return given === undefined ? place : { source: place.source, range: given.range };
}

/**
 * The scopes that a call was made without and that may make a difference to what it found: not those that a person has declared as
 * meant, nor those that something else in the call says as well.
 */
export function missingScopes(tool: ScopedTool, scoped: ScopedCall, caller: Caller): readonly ScopeParameter[] {
	if (scoped.leftOut.length === 0) return [];
	const memo = isUnattended(caller) ? missingUnattended : missingAttended;
	let missing = memo.get(scoped);
	if (missing === undefined)
		memo.set(scoped, (missing = mattering(tool, scoped, (parameter) => isFilled(tool, parameter, caller))));
	// Calls of other agents that came before may be read later.
	return tool.choices.length === 0 ? missing : missing.filter((parameter) => !isChosen(tool, scoped, parameter));
}

// Both rules ask, and again whenever the conversation has grown.
const missingUnattended = new WeakMap<ScopedCall, readonly ScopeParameter[]>();
const missingAttended = new WeakMap<ScopedCall, readonly ScopeParameter[]>();

/** The host puts a value in: what the transcript shows is not what the server got. */
function isFilled({ settings: { policy, values } }: ScopedTool, { path }: ScopeParameter, caller: Caller): boolean {
	if (values?.[path] === undefined || policy === undefined) return false;
	if (typeof policy === 'string') return policy === 'fill';
	return policy[isUnattended(caller) ? 'headless' : 'interactive'] === 'fill';
}

/** Its agent, or one that this was started by, has chosen the current one before, and no other agent has since. */
function isChosen({ choices }: ScopedTool, { call }: ScopedCall, parameter: ScopeParameter): boolean {
	const words = parameter.fallback?.words ?? '';
	const isOpen = isAtHand(parameter);
	const noun = nounOf(parameter);
	let low = 0;
	let high = choices.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		const choice = choices[middle];
		if (choice !== undefined && byTime(choice, call) < 0) low = middle + 1;
		else high = middle;
	}
	const last = choices
		.slice(Math.max(0, low - mostChoices), low)
		.findLast((choice) => words.includes(choice.name) || (isOpen && isChoiceOf(choice, noun)));
	if (last === undefined) return false;
	const path = new Set<Agent>();
	for (
		let agent: Agent | undefined = call.agent;
		agent !== undefined && !path.has(agent);
		agent = agent.spawnCall?.agent
	) {
		if (agent === last.agent) return true;
		path.add(agent);
	}
	return false;
}

const mostChoices = 200;

function isChoiceOf({ name, given }: ToolCall, noun: string): boolean {
	if (isChoosing(name, noun)) return true;
	if (!isPlainlyChoosing(name)) return false;
	return given?.values.some(({ path }) => nounOf({ path }) === noun) ?? false;
}

/** The scope that the answer says it took, as JSON. */
export function echoOf({ call }: ScopedCall, { path }: ScopeParameter): string | undefined {
	const name = lastName(path);
	return call.result?.content?.values.find((value) => lastName(value.path) === name)?.value;
}

/** A value of a scope that is known to be there. */
export interface KnownValue {
	/** As JSON. */
	readonly value: string;
	/** The schema allows it, an answer of the server names it, or a call to one of its tools has passed it. */
	readonly source: 'schema' | 'result' | 'call';
}

/** The values of a scope that the schema, answers and calls name, all words for everything left out. @param server The tools of its server. */
export function knownValues(server: readonly ScopedTool[], parameter: ScopeParameter): readonly KnownValue[] {
	const found = new Map<string, KnownValue>();
	const add = (value: string, source: KnownValue['source']) => {
		if (found.has(value) || meansEverything(value) || value === 'null' || value === '""') return;
		found.set(value, { value, source });
	};
	for (const value of parameter.allowed) add(value, 'schema');
	const name = lastName(parameter.path);
	for (const tool of server) {
		const named = tool.parameters.find((other) => other.kind === parameter.kind && lastName(other.path) === name);
		for (const scoped of tool.calls) {
			if (!isCompleted(scoped)) continue;
			const echo = echoOf(scoped, parameter);
			if (echo !== undefined) for (const value of valuesIn(echo)) add(value, 'result');
			for (const { path, value } of scoped.call.result?.content?.listed ?? []) {
				if (lastName(path) === name) add(value, 'result');
			}
			const given = named === undefined ? undefined : scoped.given.get(named.path);
			if (given !== undefined) for (const value of valuesIn(given)) add(value, 'call');
		}
	}
	return [...found.values()];
}

/** The values of a list, or the one value. */
export function valuesIn(json: string): readonly string[] {
	if (!json.startsWith('[')) return [json];
	try {
		const list: unknown = JSON.parse(json);
		return Array.isArray(list) ? list.map((value) => JSON.stringify(value)) : [json];
	} catch {
		// Cut off: what is there is one value for itself.
		return [json];
	}
}

/** Everything, in a word that a caller passes for it. */
export function meansEverything(value: string): boolean {
	return value.startsWith('"') && value.endsWith('"') && isEverythingWord(value.slice(1, -1));
}

export function isCompleted({ call }: ScopedCall): boolean {
	return isCompletedCall(call);
}

function isCompletedCall(call: ToolCall): boolean {
	return call.result !== undefined && !call.result.isError && call.result.denial === undefined;
}

function byTime(one: ToolCall, other: ToolCall): number {
	return (one.startedAt ?? 0) - (other.startedAt ?? 0) || byPlace(one.place, other.place);
}

function byPlace({ source: one, range }: Place, { source: other, range: otherRange }: Place): number {
	if (one.kind !== 'transcript' || other.kind !== 'transcript') return 0;
	if (one.path !== other.path) return one.path < other.path ? -1 : 1;
	return one.line - other.line || (range?.column ?? 0) - (otherRange?.column ?? 0);
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
	return one < other ? -1 : one > other ? 1 : 0;
}
