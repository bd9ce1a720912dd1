import { inheritedCall, toolOf } from '../conversation/index.ts';
import type { Agent, Conversation, Place, Result, ToolCall, ToolDescription } from '../conversation/index.ts';
import type { GivenValue } from '../events/sessionEvent.ts';
import { isEverythingWord, isHarmless, leftOut, scopeParametersOf, settingsFor } from '../scope/index.ts';
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
		const choosers = new Set(
			[...byTool.keys()].filter((name) => wordsOf(name).some((word) => choosing.test(word))),
		);
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
	if (missing === undefined) memo.set(scoped, (missing = findMissing(tool, scoped, caller)));
	// Calls of other agents that came before may be read later.
	return tool.choices.length === 0 ? missing : missing.filter((parameter) => !isChosen(tool, scoped, parameter));
}

// Both rules ask, and again whenever the conversation has grown.
const missingUnattended = new WeakMap<ScopedCall, readonly ScopeParameter[]>();
const missingAttended = new WeakMap<ScopedCall, readonly ScopeParameter[]>();

function findMissing(tool: ScopedTool, scoped: ScopedCall, caller: Caller): readonly ScopeParameter[] {
	const missing = scoped.leftOut.filter(
		(parameter) =>
			!parameter.isRequired &&
			!isHarmless(parameter) &&
			parameter.allowed.length !== 1 &&
			tool.settings.intended?.[parameter.path] === undefined &&
			!isFilled(tool, parameter, caller) &&
			!asksForOwn(tool, parameter) &&
			!isUsualBranch(tool, parameter),
	);
	if (missing.length === 0 || isContinued(tool, scoped) || isWidened(scoped) || namesItsObject(tool, scoped))
		return [];
	return missing.filter((parameter) => !isImplied(tool, scoped, parameter));
}

/** The host puts a value in: what the transcript shows is not what the server got. */
function isFilled({ settings: { policy, values } }: ScopedTool, { path }: ScopeParameter, caller: Caller): boolean {
	if (values?.[path] === undefined || policy === undefined) return false;
	if (typeof policy === 'string') return policy === 'fill';
	return policy[isUnattended(caller) ? 'headless' : 'interactive'] === 'fill';
}

const cursor = /(?:cursor|token|continuation|bookmark|scroll_?id)$/i;
const pagePosition =
	/(?:cursor|token|continuation|bookmark|scroll_?id|page|offset|skip|start_?(?:index|at)|page_?(?:number|index))$/i;

/** Whether something is known to be taken in its place without a word, or a person says that it matters. */
export function fallsBack(parameter: ScopeParameter): boolean {
	const { kind, fallback, evidence } = parameter;
	if (evidence.some(({ source }) => source === 'settings')) return true;
	if (fallback === undefined || saysNothing.test(fallback.value)) return false;
	if (speaksUp.test(fallback.value) || speaksUp.test(fallback.words) || findsOut.test(fallback.value)) return false;
	const noun = nounOf(parameter);
	if (person.test(noun) && themselves.test(fallback.words)) return false;
	if (country.test(noun) && locale.test(fallback.value)) return false;
	if (noun === 'region' && localeOfBoth.test(fallback.value)) return false;
	// So many days, so many metres: how much is wanted rather than where.
	return !((kind === 'time' || kind === 'place') && howMuch.test(fallback.value));
}

const person = /^(?:user|login|person|member|author|assignee|owner)/;
/** Whoever has lent the agent their credentials is meant by whatever it does. */
const themselves = /\b(?:authenticated|logged[- ]in|signed[- ]in|current|calling)[- ]user\b|\byourself\b|\byour own\b/i;
/** The web is searched from there rather than in there. A region of two letters may be that of a cloud. */
const country = /^(?:country|market|locale|gl)\b/;
const locale = /^"?[a-z]{2}(?:[-_][a-z]{2})?"?$/i;
const localeOfBoth = /^"?[a-z]{2}[-_][a-z]{2}"?$/i;
/** No value, a switch that is left as it is, or all that there is. */
const saysNothing = /^(?:"?(?:null|none|nil|undefined|unset|empty|unknown|not set|true|false|both|)"?|an?|the|it)$/i;
/** The tool asks, refuses, or finds out by something else that the call says. */
const speaksUp =
	/\b(?:prompt will|be prompted|asks?\b|be asked|elicit\w*|errors?\b|fails?\b|throws?\b|refused|must be|will be listed|(?:auto(?:matically)?[- ]?)?(?:resolved|inferred|derived|determined|detected|extracted|looked up|taken) from|auto(?:matically)?[- ]?(?:detect|resolv|infer|determin)\w*|call `)/i;
/** "Analyzes the code base for folders with tests". */
const findsOut = /^(?:analy[sz]es?|scans?|detects?|discovers?|determines?|finds?|identif(?:y|ies))\b/i;
const howMuch = /^\W*\d+(?:\.\d+)?\W*$|^\[/;

/** It goes on where an earlier answer ended; what that one looked in is in the token. */
function isContinued(tool: ScopedTool, { given }: ScopedCall): boolean {
	return [...given].some(
		([path, value]) => cursor.test(path) && value !== 'null' && value !== '""' && isPage(tool, path),
	);
}

/** It asks for a part of the answer that is not its beginning. */
export function isLaterPage(tool: ScopedTool, { given }: ScopedCall): boolean {
	return [...given].some(([path, value]) => pagePosition.test(path) && !firstPage.has(value) && isPage(tool, path));
}

const firstPage: ReadonlySet<string> = new Set(['null', '""', '0', '1', '"0"', '"1"']);

/** A switch says that it is to look everywhere: `all_namespaces`, `includeAllProjects`. */
function isWidened({ given }: ScopedCall): boolean {
	return [...given].some(
		([path, value]) => value === 'true' && /^(?:include|across)?(?:all|every|global)/.test(lastName(path)),
	);
}

function isPage(tool: ScopedTool, path: string): boolean {
	return tool.parameters.some((parameter) => parameter.path === path && parameter.kind === 'page');
}

const idName = /(?:^|_|\.)(?:u?u?id|gid|key|url|uri|permalink|handle|sha)$|(?:Id|ID|Uuid|UUID|Key|Url|URL|Uri)$/;
const listing = /^(?:list|search|find|query|browse|scan|enumerate|count|filter)$/;

/** A tool that acts on one thing, which the call names by an id of its own: where that thing is, the id says. */
function namesItsObject(tool: ScopedTool, { given }: ScopedCall): boolean {
	const words = wordsOf(tool.name);
	if (words.some((word) => listing.test(word))) return false;
	const required = requiredNames(tool.description);
	for (const path of given.keys()) {
		if (!idName.test(path) || path.includes('.') || tool.parameters.some((parameter) => parameter.path === path))
			continue;
		const [noun = ''] = wordsOf(path);
		if (required.has(path) || words.some((word) => word === noun || word === `${noun}s`)) return true;
	}
	return false;
}

/** The words of a tool's or a parameter's name, in lower case. */
export function wordsOf(name: string): string[] {
	return name
		.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_')
		.toLowerCase()
		.split(/[^a-z0-9]+/)
		.filter((word) => word !== '');
}

const requiredByDescription = new WeakMap<ToolDescription, ReadonlySet<string>>();

function requiredNames(description: ToolDescription | undefined): ReadonlySet<string> {
	if (description?.inputSchema === undefined) return new Set();
	let names = requiredByDescription.get(description);
	if (names === undefined)
		requiredByDescription.set(description, (names = new Set(namesIn(description.inputSchema))));
	return names;
}

function namesIn(inputSchema: string): readonly string[] {
	try {
		const schema: unknown = JSON.parse(inputSchema);
		if (typeof schema !== 'object' || schema === null || !('required' in schema)) return [];
		return Array.isArray(schema.required) ? schema.required.filter((name) => typeof name === 'string') : [];
	} catch {
		// A schema that is no JSON says nothing; that it says nothing is told elsewhere.
		return [];
	}
}

/** From the narrow to the wide: who says which thread has said which workspace. */
const width: Readonly<Record<string, number>> = { context: 0, database: 1, project: 1, tenant: 2 };

/** Something else in the call says it: an id of something within it, an absolute path, an address, words within a text. */
function isImplied(tool: ScopedTool, scoped: ScopedCall, left: ScopeParameter): boolean {
	const { given } = scoped;
	const noun = nounOf(left);
	const action = forAction.exec(left.fallback?.words ?? '')?.[1]?.toLowerCase();
	if (action !== undefined && ![...given.values()].some((value) => value.toLowerCase() === `"${action}"`))
		return true;
	if (left.kind !== 'time' && (isNamedWithin(scoped, noun) || isOutside(scoped, noun))) return true;
	// `repo:acme/web` says whose it is, `org:acme` where to look.
	if (
		isContainer(left) &&
		tool.parameters.some((other) => isContainer(other) && isNamedWithin(scoped, nounOf(other)))
	)
		return true;
	// Where a host is said, it is that host's own.
	if (left.kind === 'environment' && /^"?(?:localhost|127\.0\.0\.1)\b/.test(left.fallback?.value ?? '')) {
		if (tool.parameters.some(({ kind, path }) => kind === 'environment' && given.has(path))) return true;
	}
	const own = width[left.kind];
	for (const [path, value] of given) {
		if (left.kind === 'place' && /^\[?"(?:[/~]|[A-Za-z]:[\\/]|\w+:\/\/)/.test(value)) return true;
		if (/^"https?:\/\//.test(value) && left.kind !== 'time') return true;
		if (own === undefined || !idName.test(path)) continue;
		const other = tool.parameters.find((parameter) => parameter.path === path);
		const otherWidth = other === undefined ? undefined : width[other.kind];
		if (otherWidth !== undefined && otherWidth < own) return true;
	}
	return false;
}

/** `whoami`, `get_current_project`, `list_my_issues`: its own is what the caller asks for. */
function asksForOwn({ name }: ScopedTool, parameter: ScopeParameter): boolean {
	return (
		isAtHand(parameter) &&
		wordsOf(name).some((word) => /^(?:whoami|me|my|mine|own|self|current|active)$/.test(word))
	);
}

/** Without it the tool takes the one that is open, selected or otherwise the caller's. */
function isAtHand({ fallback }: ScopeParameter): boolean {
	return (
		fallback?.source === 'caller' ||
		(fallback?.source === 'description' &&
			/\b(?:active|current|selected|focused|opened|connected)\b/i.test(fallback.words))
	);
}

const choosing =
	/^(?:select|activate|switch|use|open|set|change|choose|connect|attach|checkout|cd|enter|join|focus|goto|navigate|visit|launch|new|load|start)$/;
/** Whatever they are given is the current one from then on. */
const plainlyChoosing = /^(?:select|activate|switch|use|choose|connect|attach|checkout|cd|enter|focus)$/;
const ofPages = /^(?:tab|page|window|browser|frame)$/;
const toPages = /^(?:open|goto|navigate|visit|launch|new)$/;

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
	const words = wordsOf(name);
	if (words.some((word) => word === noun || word === `${noun}s`)) return true;
	if (ofPages.test(noun) && words.some((word) => toPages.test(word))) return true;
	if (!words.some((word) => plainlyChoosing.test(word))) return false;
	return given?.values.some(({ path }) => nounOf({ path }) === noun) ?? false;
}

/** "If omitted for close": of other actions it says nothing. */
const forAction =
	/\b(?:omitted|left out|not (?:provided|given|specified|set)) (?:for|with) ["'`]?([a-z_]+)\b(?! (?:of|in|is|are)\b)/i;

function isContainer({ kind }: ScopeParameter): boolean {
	return kind === 'project' || kind === 'tenant';
}

/** One thing is read from the default branch, or begins there: that is what nobody says. Which commits there are is another matter. */
function isUsualBranch({ name }: ScopedTool, { kind, fallback }: ScopeParameter): boolean {
	if (kind !== 'project' || fallback === undefined || !usualBranch.test(fallback.value)) return false;
	const words = wordsOf(name);
	return words.some((word) => oneThing.test(word)) && !words.some((word) => listing.test(word));
}

const oneThing =
	/^(?:file|blob|contents?|readme|create|make|new|start|trigger|dispatch|deploy|open|push|commit|write|put|upload|add|update|fork|releases?)$/;
const usualBranch = /\bdefault branch\b|^"?(?:main|master|HEAD)"?$/i;

/** What is passed names the scope in words of its own: `namespace: shop` in a manifest, `repo:acme/web` in a query, `sales.orders`. */
function isNamedWithin({ given }: ScopedCall, noun: string): boolean {
	if (noun.length < 3) return false;
	const named = new RegExp(
		`(?:^|[^a-z]|\\\\[nrt])${noun}(?:[_-]?(?:id|name))?[\\\\"'\`]{0,3}\\s{0,4}(?:[:=]|=~|!=)`,
		'i',
	);
	const isOfTables = /^(?:schema|database|db|dataset|catalog)$/.test(noun);
	return [...given.values()].some((value) => named.test(value) || (isOfTables && qualifiedTable.test(value)));
}

/** The whole text is `sales.orders`, or a query reads from there. */
const qualifiedTable =
	/^"[[`]?\w+[\]`]?\.[[`]?\w+[\]`]?"$|\b(?:from|join|into|update|table)\s+(?:\\"|[[`])?\w+(?:\\"|[\]`])?\.\w/i;

/** Asked for are the places themselves, or what is in none of them. */
function isOutside({ given }: ScopedCall, noun: string): boolean {
	for (const value of given.values()) {
		const word = value.replaceAll('"', '').toLowerCase();
		if (word === noun || word === `${noun}s` || (noun === 'namespace' && inNoNamespace.test(word))) return true;
	}
	return false;
}

/** Kinds of Kubernetes: https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#not-all-objects-are-in-a-namespace. */
const inNoNamespace =
	/^(?:no|nodes?|ns|namespaces?|pv|persistentvolumes?|sc|storageclass(?:es)?|crds?|customresourcedefinitions?|clusterroles?|clusterrolebindings?|ingressclass(?:es)?|priorityclass(?:es)?|runtimeclass(?:es)?|apiservices?|volumeattachments?)$/;

/** What a parameter's name speaks of, in lower case: `namespace` of `namespaceId`. */
function nounOf({ path }: Pick<ScopeParameter, 'path'>): string {
	const words = wordsOf(path.slice(path.lastIndexOf('.') + 1));
	while (words.length > 1 && /^(?:u?u?id|name|slug|key)s?$/.test(words.at(-1) ?? '')) words.pop();
	return words.join('[_-]?');
}

/** The last name of a path, for comparing what tools of one server call their parameters. */
export function lastName(path: string): string {
	let name = lastNames.get(path);
	if (name === undefined) {
		name = path
			.slice(path.lastIndexOf('.') + 1)
			.replaceAll('[]', '')
			.replaceAll(/[-_]/g, '')
			.toLowerCase();
		if (lastNames.size >= mostNames) lastNames.clear();
		lastNames.set(path, name);
	}
	return name;
}

/** A server uses the same few names all the time. */
const lastNames = new Map<string, string>();
const mostNames = 1000;

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
