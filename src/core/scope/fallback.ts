// What a tool does without a parameter, by the schema's own words.

import { singleLine, truncated } from '../base/text.ts';
import type { SchemaMember } from './schema.ts';
import type { ScopeFallback, ScopeKind } from './scopeParameter.ts';

/** Of a description, in characters. */
const longestText = 4_096;
const longestSentence = 400;
const longestValue = 80;

/** What the parameter is, as far as it is known. */
export interface FallbackOf {
	readonly kind: ScopeKind;
	/** What its name speaks of, singular. */
	readonly noun: string | undefined;
}

/**
 * What the tool takes for a parameter that is left out: the schema's default, else what the parameter's description says, else what the
 * tool's does. `undefined`: nothing tells.
 */
export function fallbackOf(
	member: SchemaMember,
	toolDescription: string | undefined,
	of: FallbackOf,
): ScopeFallback | undefined {
	const spoken = fromDescription(member.description, of);
	const value = member.defaultValue;
	if (value !== undefined && !isBlank(value)) {
		const json = truncated(JSON.stringify(value), 200);
		const found: ScopeFallback = {
			value: json,
			source: 'schema',
			words: `"default": ${json}`,
			isEverything: isEverythingValue(value) || spoken?.isEverything === true,
		};
		return openEnded(found, of);
	}
	if (spoken !== undefined) return spoken;
	const [only, ...others] = member.allowed;
	if (only !== undefined && others.length === 0) {
		return { value: only, source: 'schema', words: `The schema allows ${only} alone.`, isEverything: true };
	}
	// A flag that widens does not when it is not set.
	return member.types.has('boolean') ? undefined : fromToolDescription(toolDescription, of);
}

/** What `x-scope` says is taken. */
export function annotatedFallback(words: string): ScopeFallback {
	return { ...fallback(words, `"x-scope": { "default": ${JSON.stringify(words)} }`), source: 'schema' };
}

/** Which of `null`, `""` and `[]` mean the same as leaving the parameter out. */
export function blanksOf(member: SchemaMember): string[] {
	const blanks = new Set<string>();
	const { defaultValue } = member;
	if (isBlank(defaultValue)) blanks.add(JSON.stringify(defaultValue));
	const text = (member.description ?? '').slice(0, longestText).toLowerCase();
	if (/\b(?:null|none|nil)\b/.test(text)) blanks.add('null');
	if (/\b(?:empty|blank)\b/.test(text)) blanks.add('""').add('[]');
	return [...blanks];
}

function fromDescription(description: string | undefined, of: FallbackOf): ScopeFallback | undefined {
	if (description === undefined) return undefined;
	const sentences = sentencesOf(description);
	for (const sentence of sentences) {
		const value = spokenDefault(sentence);
		if (value !== undefined) return openEnded(fallback(value, sentence), of);
	}
	for (const sentence of sentences) {
		// What narrows an answer narrows nothing when it is not there.
		if (narrowing.test(sentence))
			return { value: 'everything', source: 'description', words: sentence, isEverything: true };
	}
	return undefined;
}

const narrowing =
	/^(?:\(?optional(?:ly)?\)?[\s:,.-]*)?(?:used to |to )?(?:an? )?(?:filter(?:s|ed|ing)?\b|restrict(?:s|ed)?\b|narrow(?:s|ed)?\b|limits? (?:the )?(?:results?|search|answers?|list|it|output)? ?(?:to|by)\b|only (?:show|return|include|list|get|search|fetch|results?|items?|messages?|those|content)\b|(?:only )?(?:results?|items?|messages?|those) (?:from|in|after|before|since)\b)/i;

const openEnd =
	/^(?:up to |until |till |to |as of |from |since |starting (?:at|from|with) )*(?:the )?(?:very )?(?:now|present|current (?:time|date|moment|timestamp)|first|beginning|start|earliest|oldest|no (?:lower |upper |time )?(?:bound|limit|restriction)s?)\b/i;

/** A stretch of time that is open at one end misses nothing there: up to now, from the first one on. */
function openEnded(found: ScopeFallback, { kind }: FallbackOf): ScopeFallback {
	if (kind !== 'time' || found.isEverything) return found;
	const words = found.value.replace(/^"(.*)"$/, '$1');
	// The beginning of this month is a border after all.
	const isOpen = openEnd.test(words) && !/\b(?:hour|today|day|week|month|quarter|year)s?\b/i.test(words);
	return isOpen ? { ...found, isEverything: true } : found;
}

function fromToolDescription(description: string | undefined, { noun, kind }: FallbackOf): ScopeFallback | undefined {
	// "days", "limit" and "path" are too common to be found by the word alone.
	if (description === undefined || noun === undefined || noun === '' || kind === 'time' || kind === 'page')
		return undefined;
	const speaksOfIt = new RegExp(`\\b${noun.replaceAll(/[^a-z0-9 ]/g, '')}s?\\b`, 'i');
	for (const sentence of sentencesOf(description)) {
		if (!speaksOfIt.test(sentence)) continue;
		const value = spokenDefault(sentence);
		if (value !== undefined && speaksOfIt.test(value)) return fallback(value, sentence);
	}
	return undefined;
}

function fallback(value: string, words: string): ScopeFallback {
	const isEverything = isEverythingWords(value);
	return {
		value: asValue(value),
		source: !isEverything && callers.test(value) ? 'caller' : 'description',
		words,
		isEverything,
	};
}

const nothingGiven =
	"(?:omitted|left (?:out|blank|empty|off|unset)|not (?:provided|specified|given|set|passed|supplied|present|included|used)|n[o']t (?:provided|specified|given|set)|unspecified|unset|undefined|absent|missing|empty|blank|null|none)";
/** "if omitted", "when no project is given", "unless specified", "otherwise". */
const condition = new RegExp(
	`\\b(?:(?:if|when) (?:no|none)\\b[^,.;:]{0,30}\\b(?:is|are) (?:provided|specified|given|set|passed|supplied)|(?:if|when|where)\\b[^,.;:()]{0,40}?\\b${nothingGiven}|unless (?:otherwise )?(?:specified|given|provided|set|overridden)|(?:if|when) not\\b|without (?:it|this|one|an? value)|otherwise)\\b`,
	'i',
);
/** "leave it empty to", "omit for". */
const leaving =
	/\b(?:omit|skip|leave (?:it |this )?(?:empty|blank|out|unset|off)|(?:null|none|empty|blank)(?: string| value)?)(?: (?:it|this))? (?:to|for|means|=) (.{1,200})/i;
const byDefault = /\bby default,? (.{1,200})/i;
/** "Defaults to", "default: 5", "(default 5)"; not the default branch of something. */
const plainDefault =
	/\bdefault(?:s|ed|ing)?(?: value)?(?: ?(?:is|are|to|will be|of|[:=])| (?=["'`\d]))\s*(?:to )?(.{1,200})/i;
/** "Optional; all projects", "(optional, current tab)". */
const optionally =
	/^\(?optional\b[\s:;,.()–—-]{1,4}((?:all|any|every|uses?|defaults?|the (?:current|active|default)|current|active|your)\b.{0,200})/i;

/** The words for what is taken, where the sentence says so. */
function spokenDefault(sentence: string): string | undefined {
	const found = condition.exec(sentence);
	if (found !== null) {
		const rest = sentence.slice(found.index + found[0].length);
		// "If omitted for close, current tab is closed."
		const after = clause(rest.replace(/^ (?:for|with|when|on) [^,.;:()]{1,30},/i, ''));
		if (says(after)) return after;
		const before = lastClause(sentence.slice(0, found.index));
		if (says(before)) return before;
	}
	for (const pattern of [leaving, byDefault, plainDefault, optionally]) {
		const words = pattern.exec(sentence)?.[1];
		if (words === undefined) continue;
		const value = clause(words);
		if (says(value)) return value;
	}
	return undefined;
}

/** Of a time that is given without its zone. */
const timeZone =
	/^(?:(?:falls?|falling) back to |(?:is |are )?(?:interpreted|parsed|treated|read) (?:as|in) |uses? |in |as )?(?:the )?(?:UTC|GMT|[\w' ]{0,30}\btime ?zone)$/i;

/** It names something that is taken: not that an error is, nor that it is asked for, nor how what is given is read. */
function says(words: string): boolean {
	return (
		/[\p{L}\p{N}*]/u.test(words) &&
		!timeZone.test(words) &&
		!/^(?:clear|remove|unset|reset|delete|detach)s?\b/i.test(words) &&
		!/\b(?:errors?|fails?|must|required?|rejected|prompt(?:ed|s)?|ask(?:ed|s)?|null|none|undefined|ignored)\b/i.test(
			words,
		)
	);
}

function clause(text: string): string {
	const start = text.replace(/^[\s,:;)–—-]{1,8}/, '');
	const quoted = /^(["'`])([^"'`]{1,80})\1/.exec(start);
	if (quoted?.[0] !== undefined) return quoted[0];
	const end = /[,;()]|\.(?:\s|$)| [–—-] /.exec(start);
	return start.slice(0, end?.index ?? start.length).trim();
}

function lastClause(text: string): string {
	const pieces = text.split(/[,;()]/).map((piece) => piece.trim());
	return (
		pieces.findLast((piece) => /[\p{L}\p{N}]/u.test(piece) && !/^(?:optional(?:ly)?|required):?$/i.test(piece)) ??
		''
	);
}

const leadingVerbs = new Set(
	'then it this tool server will is are be to we i search searches searching use uses using list lists listing return returns returned used default defaults fall falls back assume assumes assumed apply applies for show shows get gets take takes taken value of from in'.split(
		' ',
	),
);

function asValue(words: string): string {
	const quoted = /^(["'`])(.*)\1$/.exec(words);
	if (quoted?.[2] !== undefined) return JSON.stringify(quoted[2]);
	if (/^-?\d{1,15}(?:\.\d{1,10})?$/.test(words)) return words;
	const parts = words.split(' ');
	let start = 0;
	while (start < parts.length - 1 && leadingVerbs.has((parts[start] ?? '').toLowerCase())) start++;
	while (start < parts.length - 1 && /^(?:the|your|an?)$/i.test(parts[start] ?? '')) start++;
	let end = parts.length;
	while (
		end - start > 1 &&
		/^(?:is|are|will|be|used|returned|searched|listed|included|assumed|taken)$/i.test(parts[end - 1] ?? '')
	)
		end--;
	return truncated(singleLine(parts.slice(start, end).join(' ')), longestValue);
}

/** The words say that it is the caller's own, or the one at hand. */
const callers =
	/\b(?:current(?:ly)?|active|calling|caller(?:'s)?|own|this|primary|selected|focused|opened|authenticated|logged|your|my|me|same|working|connected)\b/i;

const everything =
	/\b(?:all|any|every|everything|everywhere|entire|whole|across|unfiltered|unrestricted|no (?:filter(?:ing)?|limit|restriction)s?|disables? (?:the )?filter(?:ing|s)?|not filtered)\b/i;
/** "All messages in the current tab" is not everything. */
const within =
	/\b(?:current(?:ly)?|active|calling|caller(?:'s)?|own|this|primary|selected|focused|same|default|working|first|last|latest|recent|up to)\b/i;

/** "If omitted, lists databases": those that there are. */
const listsThem = /^(?:it |this )?(?:lists?|returns?|shows?|searches) \p{L}+s$/iu;

function isEverythingWords(words: string): boolean {
	return (everything.test(words) || listsThem.test(words)) && !within.test(words);
}

function isEverythingValue(value: unknown): boolean {
	return typeof value === 'string' && isEverythingWord(value.trim());
}

function isBlank(value: unknown): boolean {
	return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

function sentencesOf(text: string): string[] {
	return text
		.slice(0, longestText)
		.split(/(?<=[.!?;])\s+|\n+/)
		.map((sentence) => truncated(singleLine(sentence), longestSentence))
		.filter((sentence) => sentence !== '');
}

/** Whether a value, without quotes, is a word that asks for everything there is. */
export function isEverythingWord(value: string): boolean {
	return /^(?:all|any|\*|everything|everywhere)$/i.test(value);
}
