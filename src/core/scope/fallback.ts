// What a tool does without a parameter, by the schema's own words.

import { truncated, singleLine } from '../base/text.ts';
import type { SchemaMember } from './schema.ts';
import type { ScopeFallback, ScopeKind } from './scopeParameter.ts';

/** Of a description, in characters. */
const longestText = 4_096;
const longestSentence = 400;
const longestValue = 80;

/** What the tool takes for the parameter when it is left out, as far as the schema tells. */
export function fallbackOf(
	member: SchemaMember,
	toolDescription: string | undefined,
	noun: string,
): ScopeFallback | undefined {
	const spoken = fromDescription(member.description);
	const value = member.defaultValue;
	if (value !== undefined && !isBlank(value)) {
		const json = truncated(JSON.stringify(value), 200);
		return {
			value: json,
			source: 'schema',
			words: `"default": ${json}`,
			isEverything: isEverythingValue(value) || (spoken?.isEverything ?? false),
		};
	}
	if (spoken !== undefined) return spoken;
	if (member.allowed.length === 1 && member.allowed[0] !== undefined) {
		return {
			value: member.allowed[0],
			source: 'schema',
			words: `The schema allows ${member.allowed[0]} alone.`,
			isEverything: true,
		};
	}
	return fromToolDescription(toolDescription, noun);
}

const openEnd =
	/^(?:up to |until |till |to |as of |from |since |starting (?:at|from|with) )*(?:the )?(?:very )?(?:now|present|current (?:time|date|moment|timestamp)|first|beginning|start|earliest|oldest|no (?:lower |upper |time )?(?:bound|limit|restriction)s?)\b/i;

/** A range of time that is open at one end misses nothing there: up to now, from the first one on. */
export function openEnded(kind: ScopeKind, fallback: ScopeFallback | undefined): ScopeFallback | undefined {
	if (kind !== 'time' || fallback === undefined || fallback.isEverything) return fallback;
	const words = fallback.value.replace(/^"(.*)"$/, '$1');
	// The beginning of this month is a border after all.
	const isOpen = openEnd.test(words) && !/\b(?:hour|today|day|week|month|quarter|year)s?\b/i.test(words);
	return isOpen ? { ...fallback, isEverything: true } : fallback;
}

/** Which of `null`, `""` and `[]` mean the same as leaving the parameter out. */
export function blanksOf(member: SchemaMember): string[] {
	const blanks: string[] = [];
	if (member.defaultValue === null) blanks.push('null');
	if (member.defaultValue === '') blanks.push('""');
	if (Array.isArray(member.defaultValue) && member.defaultValue.length === 0) blanks.push('[]');
	const text = (member.description ?? '').slice(0, longestText).toLowerCase();
	if (/\b(?:null|none)\b/.test(text) && !blanks.includes('null')) blanks.push('null');
	if (/\b(?:empty|blank)\b/.test(text)) {
		if (!blanks.includes('""')) blanks.push('""');
		if (!blanks.includes('[]')) blanks.push('[]');
	}
	return blanks;
}

function fromDescription(description: string | undefined): ScopeFallback | undefined {
	if (description === undefined) return undefined;
	for (const sentence of sentencesOf(description)) {
		const value = spokenDefault(sentence);
		if (value !== undefined) return fallback(value, sentence);
	}
	for (const sentence of sentencesOf(description)) {
		if (
			/^(?:optional(?:ly)?[\s:,.-]*)?(?:an? )?(?:filter|restrict|narrow|limit (?:results |search )?to|only (?:show|return|include|list))/i.test(
				sentence,
			)
		) {
			return { value: 'everything', source: 'description', words: sentence, isEverything: true };
		}
	}
	return undefined;
}

function fromToolDescription(description: string | undefined, noun: string): ScopeFallback | undefined {
	if (description === undefined || noun === '') return undefined;
	for (const sentence of sentencesOf(description)) {
		if (!sentence.toLowerCase().includes(noun)) continue;
		const value = spokenDefault(sentence);
		if (value !== undefined && value.toLowerCase().includes(noun)) return fallback(value, sentence);
	}
	return undefined;
}

function fallback(value: string, words: string): ScopeFallback {
	const isEverything = isEverythingWords(value);
	return {
		value: asValue(value),
		source: !isEverything && isCallers(value) ? 'caller' : 'description',
		words,
		isEverything,
	};
}

const omitted =
	/\b(?:(?:if|when|where)\b[^,.;]{0,40}?\b(?:omitted|not (?:provided|specified|given|set|passed|supplied|present|included)|unspecified|unset|undefined|absent|missing|empty|blank|null|none|left (?:out|blank|empty|off))|unless (?:otherwise )?(?:specified|given|provided|set)|otherwise)\b/i;

/** The words for what is taken, where the sentence says so. */
function spokenDefault(sentence: string): string | undefined {
	const condition = omitted.exec(sentence);
	if (condition !== null) {
		const after = clause(sentence.slice(condition.index + condition[0].length));
		if (after !== '') return after;
		const before = lastClause(sentence.slice(0, condition.index));
		if (before !== '') return before;
	}
	const left = /\b(?:omit|leave (?:it )?(?:empty|blank|out|unset|off))(?: (?:it|this))? (?:to|for) (.{1,200})/i.exec(
		sentence,
	);
	if (left?.[1] !== undefined) return clause(left[1]);
	const by = /\bby default,? (.{1,200})/i.exec(sentence);
	if (by?.[1] !== undefined) return clause(by[1]);
	const plain = /\bdefault(?:s|ed|ing)?(?: value)?(?: ?(?:is|to|will be|of|[:=])| (?=["'`\d]))\s*(.{1,200})/i.exec(
		sentence,
	);
	if (plain?.[1] !== undefined) return clause(plain[1]);
	return undefined;
}

function clause(text: string): string {
	const start = text.replace(/^[\s,:;–—-]+/, '');
	const quoted = /^(["'`])(.{1,80}?)\1/.exec(start);
	if (quoted?.[0] !== undefined) return quoted[0];
	const end = /[,;()]|\.(?:\s|$)| [–—-] /.exec(start);
	return start
		.slice(0, end?.index ?? start.length)
		.trim()
		.replace(/\.$/, '');
}

function lastClause(text: string): string {
	const pieces = text.split(/[,;()]/).map((piece) => piece.trim());
	return pieces.findLast((piece) => /[a-z]/i.test(piece) && !/^optional(?:ly)?:?$/i.test(piece)) ?? '';
}

const leadingVerbs =
	/^(?:(?:then|it|this|the tool|the server|will|is|are|be|to|we|searches|search|uses?|using|lists?|returns?|used|defaults? to|falls? back to|assumes?|applies to|for|shows?|gets?)\s+)+/i;

function asValue(words: string): string {
	const quoted = /^(["'`])(.*)\1$/.exec(words);
	if (quoted?.[2] !== undefined) return JSON.stringify(quoted[2]);
	if (/^-?\d{1,15}(?:\.\d{1,10})?$/.test(words)) return words;
	const short = words.replace(leadingVerbs, '').replace(/^(?:the|your|an?)\s+/i, '');
	return truncated(singleLine(short === '' ? words : short), longestValue);
}

const callers =
	/\b(?:current(?:ly)?|active|calling|caller(?:'s)?|own|this|primary|selected|focused|open|authenticated|logged|your|you|my|me|same|working)\b/i;

function isCallers(words: string): boolean {
	return callers.test(words);
}

export function isEverythingWords(words: string): boolean {
	if (
		!/\b(?:all|any|every|everything|everywhere|entire|whole|across|unfiltered|unrestricted|no (?:filter|limit|restriction)s?)\b/i.test(
			words,
		)
	) {
		return false;
	}
	return !/\b(?:current(?:ly)?|active|calling|caller(?:'s)?|own|this|primary|selected|focused|same|default|working)\b/i.test(
		words,
	);
}

function isEverythingValue(value: unknown): boolean {
	return typeof value === 'string' && /^(?:all|any|\*|everything|everywhere)$/i.test(value.trim());
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
