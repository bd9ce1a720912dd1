// Whether it matters that a call leaves a scope out. Rules ask of calls that were made, a debugger of one that is about to be.

import { isHarmless } from './leftOut.ts';
import type { DescribedTool, ScopeParameter, ToolScopeSettings } from './scopeParameter.ts';

type SaidOfTool = Pick<DescribedTool, 'inputSchema'>;

/** A tool, and what is known of its scopes. */
export interface CalledTool {
	readonly name: string;
	/** What its server says of it. */
	readonly description: SaidOfTool | undefined;
	readonly settings: ToolScopeSettings;
	readonly parameters: readonly ScopeParameter[];
}

/** A call of it. */
export interface MadeCall {
	/** What was passed, as JSON, by path. */
	readonly given: ReadonlyMap<string, string>;
	/** Scopes of its tool that were not passed, as far as can be seen. */
	readonly leftOut: readonly ScopeParameter[];
}

/**
 * The scopes that a call leaves out and that may make a difference to what it finds: not those that a person has declared as meant, nor
 * those that something else in the call says as well.
 * @param isFilled Whether a value is put in on the way to the server.
 */
export function mattering(
	tool: CalledTool,
	scoped: MadeCall,
	isFilled: (parameter: ScopeParameter) => boolean,
): readonly ScopeParameter[] {
	const missing = scoped.leftOut.filter(
		(parameter) =>
			!parameter.isRequired &&
			!isHarmless(parameter) &&
			parameter.allowed.length !== 1 &&
			tool.settings.intended?.[parameter.path] === undefined &&
			!isFilled(parameter) &&
			!asksForOwn(tool, parameter) &&
			!isUsualBranch(tool, parameter),
	);
	if (missing.length === 0 || isContinued(tool, scoped) || isWidened(scoped) || namesItsObject(tool, scoped))
		return [];
	return missing.filter((parameter) => !isImplied(tool, scoped, parameter));
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
function isContinued(tool: CalledTool, { given }: MadeCall): boolean {
	return [...given].some(
		([path, value]) => cursor.test(path) && value !== 'null' && value !== '""' && isPage(tool, path),
	);
}

/** It asks for a part of the answer that is not its beginning. */
export function isLaterPage(tool: CalledTool, { given }: MadeCall): boolean {
	return [...given].some(([path, value]) => pagePosition.test(path) && !firstPage.has(value) && isPage(tool, path));
}

const firstPage: ReadonlySet<string> = new Set(['null', '""', '0', '1', '"0"', '"1"']);

/** A switch says that it is to look everywhere: `all_namespaces`, `includeAllProjects`. */
function isWidened({ given }: MadeCall): boolean {
	return [...given].some(
		([path, value]) => value === 'true' && /^(?:include|across)?(?:all|every|global)/.test(lastName(path)),
	);
}

function isPage(tool: CalledTool, path: string): boolean {
	return tool.parameters.some((parameter) => parameter.path === path && parameter.kind === 'page');
}

const idName = /(?:^|_|\.)(?:u?u?id|gid|key|url|uri|permalink|handle|sha)$|(?:Id|ID|Uuid|UUID|Key|Url|URL|Uri)$/;
const listing = /^(?:list|search|find|query|browse|scan|enumerate|count|filter)$/;

/** A tool that acts on one thing, which the call names by an id of its own: where that thing is, the id says. */
function namesItsObject(tool: CalledTool, { given }: MadeCall): boolean {
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

const requiredByDescription = new WeakMap<SaidOfTool, ReadonlySet<string>>();

function requiredNames(description: SaidOfTool | undefined): ReadonlySet<string> {
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
function isImplied(tool: CalledTool, scoped: MadeCall, left: ScopeParameter): boolean {
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
function asksForOwn({ name }: CalledTool, parameter: ScopeParameter): boolean {
	return (
		isAtHand(parameter) &&
		wordsOf(name).some((word) => /^(?:whoami|me|my|mine|own|self|current|active)$/.test(word))
	);
}

/** Without it the tool takes the one that is open, selected or otherwise the caller's. */
export function isAtHand({ fallback }: ScopeParameter): boolean {
	return (
		fallback?.source === 'caller' ||
		(fallback?.source === 'description' &&
			/\b(?:active|current|selected|focused|opened|connected)\b/i.test(fallback.words))
	);
}

/** "If omitted for close": of other actions it says nothing. */
const forAction =
	/\b(?:omitted|left out|not (?:provided|given|specified|set)) (?:for|with) ["'`]?([a-z_]+)\b(?! (?:of|in|is|are)\b)/i;

function isContainer({ kind }: ScopeParameter): boolean {
	return kind === 'project' || kind === 'tenant';
}

/** One thing is read from the default branch, or begins there: that is what nobody says. Which commits there are is another matter. */
function isUsualBranch({ name }: CalledTool, { kind, fallback }: ScopeParameter): boolean {
	if (kind !== 'project' || fallback === undefined || !usualBranch.test(fallback.value)) return false;
	const words = wordsOf(name);
	return words.some((word) => oneThing.test(word)) && !words.some((word) => listing.test(word));
}

const oneThing =
	/^(?:file|blob|contents?|readme|create|make|new|start|trigger|dispatch|deploy|open|push|commit|write|put|upload|add|update|fork|releases?)$/;
const usualBranch = /\bdefault branch\b|^"?(?:main|master|HEAD)"?$/i;

/** What is passed names the scope in words of its own: `namespace: shop` in a manifest, `repo:acme/web` in a query, `sales.orders`. */
function isNamedWithin({ given }: MadeCall, noun: string): boolean {
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
function isOutside({ given }: MadeCall, noun: string): boolean {
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
export function nounOf({ path }: Pick<ScopeParameter, 'path'>): string {
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

/** By its name a tool may say which project, page or the like is the current one from then on. */
export function mayChoose(tool: string): boolean {
	return wordsOf(tool).some((word) => choosing.test(word));
}

/** Of tools that may choose: by its name it chooses what this noun says. */
export function isChoosing(tool: string, noun: string): boolean {
	const words = wordsOf(tool);
	if (words.some((word) => word === noun || word === `${noun}s`)) return true;
	return ofPages.test(noun) && words.some((word) => toPages.test(word));
}

export function isPlainlyChoosing(tool: string): boolean {
	return wordsOf(tool).some((word) => plainlyChoosing.test(word));
}

const choosing =
	/^(?:select|activate|switch|use|open|set|change|choose|connect|attach|checkout|cd|enter|join|focus|goto|navigate|visit|launch|new|load|start)$/;
/** Whatever they are given is the current one from then on. */
const plainlyChoosing = /^(?:select|activate|switch|use|choose|connect|attach|checkout|cd|enter|focus)$/;
const ofPages = /^(?:tab|page|window|browser|frame)$/;
const toPages = /^(?:open|goto|navigate|visit|launch|new)$/;
