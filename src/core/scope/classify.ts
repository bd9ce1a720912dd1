// Whether a parameter says where its tool looks, by its name, its type, its words and what the tool does.

import { parted, singular, wordsOf } from './names.ts';
import type { SchemaMember } from './schema.ts';
import type { ScopeEvidence, ScopeKind } from './scopeParameter.ts';
import type { ToolShape } from './toolShape.ts';
import {
	attributesWhenCreated,
	attributesWhenUpdated,
	batchNames,
	commonWords,
	containerNouns,
	copyingVerbs,
	costs,
	countables,
	countBeginnings,
	emptyNames,
	filterNouns,
	kindPhrases,
	nameEndings,
	objectNouns,
	otherBeginnings,
	payloadNames,
	pageEndings,
	pageLikeNames,
	pageNames,
	pathEndings,
	plainBeginnings,
	timeAmounts,
	timeEnds,
	timeLikeNames,
	timeNames,
	timeUnits,
	timeWords,
} from './words.ts';
import type { ContainerNoun, NounCondition } from './words.ts';

export interface Classification {
	readonly kind: ScopeKind;
	/** What it speaks of, in a word or two. */
	readonly noun: string;
	readonly evidence: ScopeEvidence;
}

/** A parameter with what its conditions ask for again and again. */
interface Subject {
	readonly member: SchemaMember;
	/** The words of its name, singular. */
	readonly words: readonly string[];
	/** They with spaces between them. */
	readonly name: string;
	/** Words of the names above it, singular; empty at the top. */
	readonly above: readonly string[];
	/** Names beside it, each as `name`. */
	readonly beside: ReadonlySet<string>;
	/** The beginning of its description, in lower case. */
	readonly description: string;
	readonly shape: ToolShape;
	readonly isNumber: boolean;
	readonly isText: boolean;
}

const knownWords: ReadonlySet<string> = new Set([
	...[...containerNouns.keys()].flatMap((noun) => noun.split(' ')),
	...nameEndings,
	...timeEnds,
	...timeWords,
	...countables,
	...countBeginnings,
	...[...pageNames, ...timeNames].flatMap((name) => name.split(' ')),
	'username',
	'timezone',
	'today',
	'outbound',
	'inbound',
	'background',
]);

/** The name as its words, singular, with spaces between them: how two names are compared. */
export function plainName(name: string): string {
	return plainWords(name).join(' ');
}

function plainWords(name: string): string[] {
	return wordsOf(name)
		.flatMap((word) => parted(word, knownWords))
		.map(singular);
}

/** The kind of the container that a name ends in, whatever else speaks for or against it. */
export function nounIn(name: string): ScopeKind | undefined {
	for (const { noun } of readings(plainWords(name))) {
		const entry = containerNouns.get(noun);
		if (entry !== undefined) return entry.kind;
	}
	return undefined;
}

/** What kind of scope the parameter is; `undefined` for anything else. `beside`: the plain names of the members of the same object. */
export function classify(
	member: SchemaMember,
	shape: ToolShape,
	beside: ReadonlySet<string>,
): Classification | undefined {
	const subject = subjectOf(member, shape, beside);
	if (subject === undefined) return undefined;
	const { words } = subject;
	if (hasType(member, 'boolean') && !hasType(member, 'string')) return wideningFlag(subject);
	if (member.isParent && !hasType(member, 'string')) return undefined;
	if (!member.isParent && isPlainObject(member)) return timeNames.has(subject.name) ? time(subject) : undefined;
	if ([...subject.above, ...words].some((word) => word === 'exclude' || word === 'excluded' || word === 'not'))
		return undefined;
	const named = page(subject) ?? time(subject) ?? container(subject);
	if (named === 'not one') return undefined;
	return (
		named ??
		describedContainer(subject) ??
		searchScope(subject) ??
		describedPlace(subject) ??
		describedPage(subject) ??
		describedTime(subject) ??
		ownDefault(subject)
	);
}

/** Its name speaks of a container, and of what a new or changed thing is called or becomes a part of, or of what is left out. */
export function refusesToBe(member: SchemaMember, shape: ToolShape): boolean {
	const subject = subjectOf(member, shape, new Set());
	if (subject === undefined || container(subject) === 'not one') return true;
	// Its words say another meaning of its noun.
	for (const { noun } of readings(subject.words)) {
		if (containerNouns.get(noun)?.unless?.test(subject.description) === true) return true;
	}
	return false;
}

function subjectOf(member: SchemaMember, shape: ToolShape, beside: ReadonlySet<string>): Subject | undefined {
	const words = plainWords(member.name);
	if (words.length === 0) return undefined;
	const isNumber = hasType(member, 'integer') || hasType(member, 'number');
	return {
		member,
		words,
		name: words.join(' '),
		above: member.path.split('.').slice(0, -1).flatMap(plainWords),
		beside,
		description: (member.description ?? member.title ?? '').slice(0, 1_000).toLowerCase(),
		shape,
		isNumber,
		isText: !isNumber || hasType(member, 'string'),
	};
}

const speaksOfPages =
	/\b(?:how many|maximum (?:number|results?|items?)|max results|number of|results?|lines?|paginat\w*|per page|cursor|offset|page (?:number|token|range)|next page|previous page|index|skip)\b/;
const speaksOfTime =
	/\b(?:dates?|datetimes?|times?|timestamps?|iso[- ]?8601|rfc ?3339|epoch|unix|yyyy|days?|hours?|minutes?|weeks?|months?|years?|today|yesterday|ago|now|recency|period of)\b/;

function page(subject: Subject): Classification | undefined {
	const { member, words, name, description, isNumber, isText, beside, shape } = subject;
	if (isWrite(subject)) return undefined;
	if (hasType(member, 'array') && !words.includes('range')) return undefined;
	// How many of them are made.
	if (shape.verb === 'generate' && !pageNames.has(name)) return undefined;
	if (pageNames.has(name)) return found(subject, 'page', name);
	if (pageLikeNames.has(name)) {
		if (name.endsWith('token') && !(isNumber && isAsking(subject) && ofAnswer.test(description))) return undefined;
		const isPosition = positions.has(name);
		if (/\b(?:page|object|element) (?:id|title|url|name)\b/.test(description) && name === 'page') return undefined;
		if (speaksOfPages.test(description) && !(isPosition && speaksOfTime.test(description)))
			return found(subject, 'page', name);
		if (name.endsWith('token')) return found(subject, 'page', name);
		if (name === 'last' && speaksOfTime.test(description)) return undefined;
		if (!isPosition && isNumber && !onlySaid.has(name)) return found(subject, 'page', name);
		if (name === 'page' && ['page size', 'per page', 'limit'].some((one) => beside.has(one)))
			return found(subject, 'page', name);
		const hasPage = ['limit', 'size', 'count', 'first', 'max result', 'page size', 'per page', 'length'].some(
			(one) => beside.has(one),
		);
		// A number without a word: `start` beside `limit` is a place in the answer, `from` beside `to` more often a time.
		if (isPosition && description === '' && hasPage) {
			if (isNumber && name === 'start' && !beside.has('end')) return found(subject, 'page', name);
			if (isNumber && name === 'from' && !beside.has('to')) return found(subject, 'page', name);
			if (!isNumber && isText && (name === 'after' || name === 'before')) return found(subject, 'page', name);
		}
		// A mark in a list, or a time in it: a part of it either way.
		if (
			description === '' &&
			shape.verb === 'list' &&
			isText &&
			['after', 'before', 'marker', 'continue'].includes(name)
		)
			return found(subject, 'page', name);
		return undefined;
	}
	if (words.length < 2) return undefined;
	const ending = words.slice(-2).join(' ');
	const last = words.at(-1) ?? '';
	const isEdge = edges.has(words[0] ?? '') && parts.has(last) && words.length === 2;
	if ((isEdge && isNumber) || (last === 'range' && parts.has(words.at(-2) ?? '')))
		return found(subject, 'page', name);
	if (words.some((word) => costs.has(word)) || /\b(?:file|image|upload|attachment|body) size$/.test(name))
		return undefined;
	if (words[0] === 'limit' && isNumber) return found(subject, 'page', name);
	if (pageEndings.has(ending) || (pageEndings.has(last) && words.length > 1)) return found(subject, 'page', name);
	if (
		countBeginnings.has(words[0] ?? '') &&
		words.slice(1).some((word) => countables.has(word)) &&
		!otherNumber.test(description)
	) {
		return words[0] === 'no' && !isNumber ? undefined : found(subject, 'page', name);
	}
	// `maxProblemsToShow`: of whatever there are several.
	const counted = wordsOf(member.name)
		.slice(1)
		.some((word) => singular(word) !== word);
	if (
		(words[0] === 'max' || words[0] === 'maximum') &&
		counted &&
		isNumber &&
		(subject.shape.verb === 'list' || subject.shape.verb === 'read') &&
		!otherNumber.test(description) &&
		!words.includes('token')
	) {
		return found(subject, 'page', name);
	}
	if ((last === 'max' || last === 'maximum') && isNumber && speaksOfPages.test(description))
		return found(subject, 'page', name);
	if (last === 'count' && isNumber && /\b(?:return|results?|show|fetch|retrieve|how many)\b/.test(description)) {
		return found(subject, 'page', name);
	}
	return undefined;
}

const onlySaid = new Set(['current', 'position', 'max', 'maximum', 'show', 'display', 'number', 'amount', 'quantity']);
const edges = new Set(['start', 'end', 'from', 'to', 'begin', 'first', 'last', 'starting', 'ending']);
const parts = new Set([
	'line',
	'char',
	'character',
	'row',
	'paragraph',
	'byte',
	'index',
	'position',
	'offset',
	'page',
	'item',
	'record',
	'frame',
]);
const ofAnswer = /\b(?:responses?|results?|return(?:ed)?|retrieve|documentation|content|truncate[sd]?)\b/;
const positions = new Set(['start', 'from', 'end', 'stop', 'to', 'before', 'after']);
const otherNumber =
	/\b(?:consider|price|age|rating|score|identifier|(?:issue|pull request|phone|invoice|order|page) number)\b/;

/** Words of tools whose answers lie along time. */
const overTime = new Set([
	'history',
	'log',
	'event',
	'metric',
	'report',
	'stat',
	'statistic',
	'activity',
	'usage',
	'series',
	'audit',
	'analytic',
]);
const borders = new Set(['after', 'before', 'since', 'until', 'from', 'within']);
const ofOtherRange = /\b(?:bytes?|lines?|rows?|cells?|pages?|characters?|numbers?|ip|price|ports?)\b/;
const dateWords = new Set(['date', 'datetime', 'timestamp']);
/** Names of a stretch of time, beside other meanings of theirs. */
const stretchNames = new Set(['period', 'range', 'window', 'past', 'last', 'duration', 'within', 'recent', 'age']);
/** Of what is listed without a word. */
const untoldNames = new Set(['date', 'period']);
const saysStretches = /\b\d+ ?(?:min|h|hr|d|w|wk|mo|y|yr)\b/;
const stretchValue = /^"(?:past|last)?[_ -]?\d*[_ -]?(?:hour|day|week|month|year|today)s?"$/;

function time(subject: Subject): Classification | undefined {
	const { member, words, description, above, isNumber, beside } = subject;
	if (isWrite(subject)) return undefined;
	if (/\btime ?zone\b/.test(words.join(' '))) return undefined;
	if (
		/\b(?:candles?|candlesticks?|klines?|data points|moving average|technical|indicators?|ta analysis|bars?|1m, ?5m)\b/.test(
			description,
		)
	)
		return undefined;
	// A thing's own dates are set with the same names by a tool that also lists.
	const isSet = subject.shape.isSeveral && words.some((word) => ['start', 'starting', 'end', 'due'].includes(word));
	if (isSet && !/\b(?:filter|list|range|search|query)/.test(description)) return undefined;
	const core = words.filter((word) => !['filter', 'search', 'by', 'query'].includes(word));
	const name = core.join(' ');
	if (timeNames.has(name) || timeNames.has(subject.name)) return found(subject, 'time', name);
	if (core.length === 2 && core.some((word) => timeNames.has(word)) && !otherBeginnings.has(core[0] ?? '')) {
		return found(subject, 'time', name);
	}
	const isSpoken =
		member.format === 'date' ||
		member.format === 'date-time' ||
		speaksOfTime.test(description) ||
		above.some((word) => timeWords.has(word) || timeNames.has(word)) ||
		(member.allowed.length > 1 && member.allowed.some((value) => stretchValue.test(value))) ||
		(stretchNames.has(name) && saysStretches.test(description));
	const areTimes = core.length > 0 && core.every((word) => timeWords.has(word) || timeEnds.has(word));
	const hasWord = core.some((word) => timeWords.has(word));
	const hasEnd = core.some((word) => timeEnds.has(word));
	if (areTimes && hasWord && hasEnd) return found(subject, 'time', name);
	// `posted_after`: whatever is done at that time.
	if (
		core.length === 2 &&
		isAsking(subject) &&
		borders.has(core[1] ?? '') &&
		/ed$|^(?:sent|due|expires?|begun)$/.test(core[0] ?? '')
	)
		return found(subject, 'time', name);
	// `rangeStart`, `period_end`
	const isOfStretch = core.length === 2 && ['range', 'period', 'window'].includes(core[0] ?? '');
	if (
		isOfStretch &&
		['start', 'end', 'from', 'to', 'begin'].includes(core[1] ?? '') &&
		!ofOtherRange.test(description)
	)
		return found(subject, 'time', name);
	// `min_release_date`: of whatever it is the date.
	if (timeEnds.has(core[0] ?? '') && dateWords.has(core.at(-1) ?? '')) return found(subject, 'time', name);
	if (
		areTimes &&
		hasWord &&
		core.length > 1 &&
		isAsking(subject) &&
		/\b(?:after|before|since|range|filter|between|from|newer|older)\b/.test(description)
	) {
		return found(subject, 'time', name);
	}
	if (core.at(-1) === 'date' && core.length === 2 && subject.shape.verb === 'list')
		return found(subject, 'time', name);
	// `past_days`, `daysBack`: a unit and words of how many of them.
	const isAmount =
		core.length > 1 &&
		core.filter((word) => timeUnits.has(word)).length === 1 &&
		core.every((word) => timeUnits.has(word) || timeAmounts.has(word));
	if (isAmount && isAsking(subject) && (isNumber || description === '')) return found(subject, 'time', name);
	if (/\b(?:grace|terminat|timeout|wait)/.test(description)) return undefined;
	const isStretch = ['period', 'range', 'window', 'timeframe', 'lookback'].includes(core.at(-1) ?? '');
	if (core.length === 2 && isStretch && isSpoken) return found(subject, 'time', name);
	if (name === 'time limit' && isAsking(subject) && /\b(?:days?|weeks?|months?)\b/.test(description))
		return found(subject, 'time', name);
	if (name === 'duration' && isAsking(subject) && /\b(?:back|past|last|history|ago)\b/.test(description))
		return found(subject, 'time', name);
	if (core.length !== 1 || !timeLikeNames.has(name)) return undefined;
	if (/\b(?:cursor|version|paginat\w*|token|expir\w*)\b/.test(description)) return undefined;
	if (name === 'period' && isNumber && !/\b(?:day|hour|week|month)s?\b/.test(description)) return undefined;
	if (name === 'time' && /\b(?:wait|timeout|delay|sleep|seconds)\b/.test(description)) return undefined;
	if (isSpoken) return found(subject, 'time', name);
	if (description === '' && isAsking(subject) && timeUnits.has(name)) return found(subject, 'time', name);
	if (description === '' && subject.shape.verb === 'list' && untoldNames.has(name))
		return found(subject, 'time', name);
	// No word about them, but both ends are there, and they are numbers.
	const hasOther = [
		['from', 'to'],
		['start', 'end'],
		['before', 'after'],
	].some((pair) => pair.includes(name) && pair.every((one) => beside.has(one)));
	if (!hasOther || description !== '') return undefined;
	// Of a mail they are who wrote it and to whom.
	if (['subject', 'cc', 'sender', 'body'].some((one) => beside.has(one))) return undefined;
	const isOverTime = subject.shape.verb === 'list' || [...subject.shape.words].some((word) => overTime.has(word));
	return isNumber || isOverTime ? found(subject, 'time', name) : undefined;
}

/** `not one`: it names a container, and yet does not say where the tool looks. */
function container(subject: Subject): Classification | 'not one' | undefined {
	for (const { noun, before, ending } of readings(subject.words)) {
		const entry = containerNouns.get(noun);
		if (entry === undefined) continue;
		// `iteration_path` is the path of an iteration.
		if (noun === 'path' && containerNouns.has(before.at(-1) ?? '')) continue;
		if (/^(?:the )?\w+ description\b/.test(subject.description)) return 'not one';
		// `threads`, `rooms`: how many of them.
		if (!subject.isText && ending.length === 0 && isCount(subject.member)) return 'not one';
		if (before.some((word) => otherBeginnings.has(word) && !(word === 'new' && noun === 'folder')))
			return 'not one';
		if (isAttribute(subject, noun, before, ending) || isNamePattern(subject, noun, ending)) return 'not one';
		if (!holds(subject, entry, noun, before, ending)) continue;
		return found(subject, kindOf(subject, entry, noun, ending), noun);
	}
	// Its words may still tell of another one.
	return undefined;
}

function isCount(member: SchemaMember): boolean {
	const last = wordsOf(member.name).at(-1) ?? '';
	return !member.types.has('array') && singular(last) !== last;
}

interface Reading {
	readonly noun: string;
	readonly before: readonly string[];
	/** What follows the noun. */
	readonly ending: readonly string[];
}

/** The nouns that a name may speak of: what it ends in, beside its endings. */
function* readings(words: readonly string[]): Generator<Reading> {
	let end = words.length;
	for (;;) {
		for (const length of [2, 1]) {
			if (end < length) continue;
			yield {
				noun: words.slice(end - length, end).join(' '),
				before: words.slice(0, end - length),
				ending: words.slice(end),
			};
		}
		if (end < 2 || !nameEndings.has(words[end - 1] ?? '')) return;
		end--;
	}
}

/** It says what a new or changed thing is called or becomes a part of. */
function isAttribute(subject: Subject, noun: string, before: readonly string[], ending: readonly string[]): boolean {
	const { shape, description, member } = subject;
	const isWithin = before.some((word) => startWords.has(word));
	if (/\bunique name\b/.test(description)) return true;
	if (shape.verb === 'start' || shape.words.has('open'))
		return shape.object.at(-1) === noun && ending.includes('name');
	// One tool for several things: what a new one is called.
	const isForNew = /\b(?:required|only) (?:for|in|when) (?:the )?creat|\(for create\b/.test(description);
	if (shape.verb === undefined && isForNew && shape.object.at(-1) === noun && !ending.includes('id')) return true;
	if (
		shape.verb === undefined &&
		/\bmoves?\b|\btransfers?\b/.test(description) &&
		before.some((word) => word === 'target' || word === 'destination' || word === 'new')
	)
		return true;
	if (shape.isSeveral && isPartOfPayload(subject)) return true;
	if (shape.verb !== 'create' && shape.verb !== 'update') return false;
	if (isPartOfPayload(subject)) return true;
	if (shape.verb === 'create') {
		if (attributesWhenCreated.has(noun) && !shape.words.has(noun)) return true;
		// Of a pull request they say what is to be merged into what.
		if (/^(?:head|base)(?: ref)?$/.test(noun) && ending.length === 0 && !shape.words.has('branch')) return true;
		if (noun === 'account' && ending.includes('code')) return true;
		// What is made has no place yet: its name is what it will be called.
		if (shape.object.at(-1) !== noun || isWithin) return false;
		const isCopy = [...copyingVerbs].some((verb) => shape.words.has(verb));
		return !isCopy || ending.includes('name') || /\bnew\b/.test(description);
	}
	if (before.includes('default')) return true;
	if (
		/\b(?:new|move[sd]?|moving|reassign|change[sd]?) (?:\w+ ){0,3}(?:to|for|id|name|project|team|folder|list|section)\b/.test(
			description,
		)
	)
		return true;
	// `mock.collection` of an update of mocks: what the thing is given, not where it is.
	const inside = member.path.split('.').slice(0, -1);
	if (inside.some((name) => !name.endsWith('[]') && plainName(name) === shape.object.at(-1))) return true;
	if (member.isRequired || !attributesWhenUpdated.has(noun) || isWithin) return false;
	if (shape.object.at(-1) === noun) return false;
	return !/\b(?:in which|containing|contains|belongs? to|where|defaults?|configured|omitted|optional (?:if|when))\b/.test(
		description,
	);
}

const startWords = new Set(['parent', 'source', 'from', 'base', 'start', 'original']);

/** An entry of a list within what is made or changed, where that list is not of such things themselves. */
function isPartOfPayload({ member, shape }: Subject): boolean {
	return member.path
		.split('.')
		.slice(0, -1)
		.some((name) => {
			if (!name.endsWith('[]')) return false;
			const plain = plainName(name);
			return plain !== shape.object.at(-1) && !batchNames.has(plain);
		});
}

/** What is listed is itself chosen by a part of its name. */
function isNamePattern({ shape, description }: Subject, noun: string, ending: readonly string[]): boolean {
	if (shape.verb !== 'list' || shape.object.at(-1) !== noun || !ending.includes('name')) return false;
	return ending.includes('filter') || /\b(?:filter|contain|search|match|partial|substring)/.test(description);
}

function holds(
	subject: Subject,
	entry: ContainerNoun,
	noun: string,
	before: readonly string[],
	ending: readonly string[],
): boolean {
	if (entry.unless?.test(subject.description) === true || entry.unless?.test(subject.name) === true) return false;
	if (noun === 'app' && ending.includes('path')) return false;
	// The three of them name a type of resource.
	if (noun === 'group' && subject.beside.has('kind')) return false;
	if (entry.inTool !== undefined && !entry.inTool.test(subject.shape.text)) return false;
	if (entry.ifSaid !== undefined && !entry.ifSaid.test(subject.description)) return false;
	if (entry.about !== undefined && !entry.about.test(subject.description) && !entry.about.test(subject.shape.text))
		return false;
	return entry.when.every((condition) => holdsOne(subject, condition, noun, before, ending));
}

function holdsOne(
	subject: Subject,
	condition: NounCondition,
	noun: string,
	before: readonly string[],
	ending: readonly string[],
): boolean {
	const { shape, description, isText } = subject;
	switch (condition) {
		case 'plain':
			return before.every(
				(word) =>
					plainBeginnings.has(word) || shape.server.has(word) || containerNouns.get(word)?.when.length === 0,
			);
		case 'text':
			// A number may be an id.
			return isText || ending.some((word) => idNames.has(word));
		case 'alone':
			return before.every(
				(word) => plainBeginnings.has(word) || word === 'browser' || word === 'kube' || word === 'cluster',
			);
		case 'bare':
			return ending.length === 0;
		case 'named':
			return ending.length > 0 || (isText && before.every((word) => plainBeginnings.has(word)));
		case 'looking':
			return isAsking(subject);
		case 'searching':
			return (
				shape.verb === 'list' ||
				before.includes('search') ||
				subject.beside.has('radius') ||
				subject.beside.has('bound')
			);
		case 'other':
			if (shape.verb === 'create') return false;
			return !shape.object.slice(-1).some((word) => word === noun || `${word}name` === noun);
		case 'running':
			return shape.verb !== 'start' && shape.verb !== 'create';
		case 'whose':
			if (/\b(?:alias|org|organi[sz]ation|account) (?:for|of|to|alias)\b/.test(description)) return true;
			if (!isAsking(subject) || hasType(subject.member, 'array')) return false;
			if (
				[...subject.beside].some((name) => name.endsWith('password')) ||
				/\b(?:database|db|ssh|login) user/.test(description)
			)
				return false;
			if (shape.object.at(-1) === noun || personNouns.has(shape.object.at(-1) ?? '')) return false;
			if (shape.object.includes('and') && shape.object.some((word) => personNouns.has(word))) return false;
			return !/\b(?:author|assign|creator|created by|mention|recipient|receive|invite|filter)/.test(description);
		case 'directory':
			return isDirectory(subject, before);
	}
}

const personNouns = new Set(['user', 'member', 'person', 'people', 'profile', 'contact', 'author']);

/** Words before `path` by which a search is held to it. */
const heldTo = new Set(['root', 'base', 'include', 'included', 'select', 'search', 'allowed', 'working']);

function isDirectory(subject: Subject, before: readonly string[]): boolean {
	const { shape, description } = subject;
	if (before.includes('name')) return false;
	if (before.some((word) => containerNouns.get(word)?.when.length === 0 || heldTo.has(word))) return true;
	if (/\b(?:save|saved|saving)\b/.test(description) && /\bdirectory\b/.test(description)) return true;
	if (
		/\b(?:path|root) (?:to|of|in|inside|within) (?:the |a |an |your |local |git |target )*(?:repo|repository|project|workspace|codebase|vault|working tree)\b|\b(?:repo|repository|project|workspace|codebase|vault|base|root) (?:root )?path\b/.test(
			description,
		)
	)
		return true;
	if (shape.verb === 'create' || shape.verb === 'send') return false;
	const saysDirectory = /\b(?:director(?:y|ies)|folders?|root)\b/.test(description);
	const saysFile =
		/\bto (?:the|a|an) (?:[^ ]+ ){0,5}files?\b|\bfiles? (?:or|and|path|to (?:read|write|edit))|(?:path|directory) (?:of|to|or) (?:the |a )?file\b/.test(
			description,
		);
	if (saysDirectory && !saysFile) return true;
	return ['directory', 'dir', 'folder', 'tree', 'search', 'grep', 'glob', 'find'].some((word) =>
		shape.words.has(word),
	);
}

function kindOf(subject: Subject, entry: ContainerNoun, noun: string, ending: readonly string[]): ScopeKind {
	for (const { said, kind, isOfTool } of entry.otherKinds ?? []) {
		if (said.test(subject.description) || (isOfTool === true && said.test(subject.shape.text))) return kind;
	}
	if (noun === 'base' && (subject.beside.has('head') || subject.beside.has('repo'))) return 'project';
	if (entry.kind === 'project' && pathEndings.has(ending[0] ?? '') && noun !== 'branch') return 'place';
	return entry.kind;
}

const determiners =
	'(?:(?:optional(?:ly)?|required|the|a|an|your|this|its|unique|full|exact|numeric|specific|target|of|list|array|comma-separated|one or more)[ .:,]+)*';
const endingWords =
	'(?:ids?|names?|keys?|slugs?|identifiers?|uids?|uuids?|gids?|urls?|uris?|arns?|jids?|sids?|handles?|codes?)(?! (?:type|format|kind|pattern))';
const nounPhrase = "((?:[a-z][a-z'-]* ){0,3}[a-z][a-z'-]*)";
/** "The ID of the board": a determiner, an ending, the noun. */
const idOfNoun = new RegExp(
	`^${determiners}${endingWords}(?:(?:/| or | and )${endingWords})? (?:of|for) (?:(?:the|a|an|your|this|specific|target) )*${nounPhrase}`,
);
/** "Board ID". */
const nounId = new RegExp(`^${determiners}${nounPhrase} ${endingWords}\\b`);
/** "Directory to search in". */
const nounToUse = new RegExp(
	`^${determiners}${nounPhrase} (?:to|in which|where|within which|from which|on which) (?:to )?(?:search|list|query|look|scan|fetch|read|get|use|filter|scope|limit|retrieve|run|operate|work|post|connect|save|store)`,
);
const phraseEnd = new Set([
	'to',
	'in',
	'for',
	'of',
	'where',
	'that',
	'which',
	'from',
	'on',
	'containing',
	'with',
	'you',
	'and',
	'or',
	'is',
	'within',
	'whose',
	'being',
	'if',
	'when',
	'as',
	'e',
	'by',
	'must',
	'can',
	'should',
	'at',
]);

/** The nouns of the thing that a description is about, and the words before it. */
function describedNouns(description: string): string[] | undefined {
	const text = description
		.slice(0, 200)
		.replaceAll(/[()]/g, ' . ')
		.replaceAll(/[`"]/g, '')
		.replaceAll(/ {2,}/g, ' ')
		.trimStart();
	const phrase = (idOfNoun.exec(text) ?? nounId.exec(text) ?? nounToUse.exec(text))?.[1];
	if (phrase === undefined) return undefined;
	const words = phrase.split(' ');
	const end = words.findIndex((word) => phraseEnd.has(word));
	return (end < 0 ? words : words.slice(0, end)).map(singular);
}

/** Of the empty names those that need words. */
const indirect = new Set(['parent', 'resource', 'target', 'scope']);

/** A name that says nothing of its own (`id`, `parent`): what its words, the name above it or the tool say it is of. */
function describedContainer(subject: Subject): Classification | undefined {
	const { member, words, name, description, shape } = subject;
	if (payloadNames.has(name) || otherBeginnings.has(words[0] ?? '')) return undefined;
	const isEmpty = words.every((word) => emptyNames.has(word));
	if (isEmpty && /\b(?:projects|organizations|folders)\/[[{<$]/.test(description))
		return found(subject, 'project', 'resource path');
	const isName = words.includes('name');
	if (isName && (shape.verb === 'start' || shape.words.has('open'))) return undefined;
	if (isWrite(subject) && !isEmpty && !nameEndings.has(words.at(-1) ?? '')) return undefined;
	if (isName && (isWrite(subject) || shape.verb === 'list' || /\b(?:contain|filter|match|search)/.test(description)))
		return undefined;
	const said = describedNouns(description);
	if (said !== undefined && shape.verb === 'update' && !member.isRequired) return undefined;
	if (said !== undefined) {
		const noun = said.at(-1) ?? '';
		const pair = said.slice(-2).join(' ');
		const entry = containerNouns.get(pair) ?? containerNouns.get(noun);
		if (entry === undefined || isAttribute(subject, noun, said.slice(0, -1), isName ? ['name'] : ['id']))
			return undefined;
		if (!holds(subject, entry, noun, said.slice(0, -1), ['id']) || said.includes('new') || said.includes('created'))
			return undefined;
		if (entry.when.includes('whose')) return undefined;
		return {
			kind: kindOf(subject, entry, noun, []),
			noun,
			evidence: {
				source: 'description',
				sentence: `Its description speaks of the ${said.join(' ')}: it says ${kindPhrases[entry.kind]}.`,
			},
		};
	}
	if (!isEmpty || words.some((word) => indirect.has(word))) return undefined;
	// Of an update the id says what is changed, and the name what it becomes.
	if (isWrite(subject) && !(shape.verb === 'update' && member.isRequired && idNames.has(name))) return undefined;
	const own = member.path.includes('[].') ? subject.above.at(-1) : shape.object.at(-1);
	const entry = containerNouns.get(own ?? '');
	if (own === undefined || entry === undefined || entry.when.includes('whose')) return undefined;
	const isTold = entry.when.every(
		(condition) => condition === 'other' || holdsOne(subject, condition, own, [], ['id']),
	);
	return isTold &&
		entry.unless?.test(description) !== true &&
		entry.ifSaid === undefined &&
		entry.inTool === undefined
		? found(subject, entry.kind, own)
		: undefined;
}

const idNames = new Set(['id', 'uuid', 'gid', 'guid', 'uid', 'identifier', 'key', 'slug']);

const thing = '(?:[a-z][a-z-]*)';
/** "ID of the depot the part belongs to", "where the parts are stored", "to search in". */
const placeOf = [
	new RegExp(
		`\\b(?:that |which |to which |in which |where )?(?:the |this |these |a |an )${thing}s? (?:belongs?(?: to)?|resides?|lives?|(?:is|are) (?:located|stored|hosted|kept))\\b`,
	),
	new RegExp(`\\b(?:that |which )?(?:contains|containing|owns|owning|hosts|hosting) (?:the|this|these) ${thing}`),
	/\b(?:to|in which to|where to|within which to) (?:search|look|list|query|browse)(?: for [a-z]+)? (?:in|within|inside|under)\b/,
	/\bin which to (?:search|look|list|query|browse|find|run|execute|create)\b/,
];

/** Whatever it is called: its words say that something is in it, or is looked for there. */
function describedPlace(subject: Subject): Classification | undefined {
	const { description, words, name, isText, member } = subject;
	if (payloadNames.has(name) || otherBeginnings.has(words[0] ?? '') || hasType(member, 'boolean')) return undefined;
	if (isWrite(subject) && !member.isRequired) return undefined;
	const ending = words.at(-1) ?? '';
	const stem = [...words];
	while (stem.length > 1 && nameEndings.has(stem.at(-1) ?? '')) stem.pop();
	if (!isText && !idNames.has(ending)) return undefined;
	const noun = stem.at(-1) ?? '';
	if (objectNouns.has(noun) || filterNouns.has(noun) || stem.some((word) => commonWords.has(word))) return undefined;
	const text = description.slice(0, 200);
	if (!placeOf.some((pattern) => pattern.test(text))) return undefined;
	// A noun that is known and whose conditions do not hold means something else here.
	for (const reading of readings(words)) if (containerNouns.has(reading.noun)) return undefined;
	return described('project', stem.join(' '));
}

const countOf =
	/^(?:optional[.:,]? )?(?:(?:the |a )?(?:maximum |max\.? |total |exact |desired )?(?:number|amount|count|quantity) of|how many|max(?:imum)?) (?:[a-z-]+ ){0,4}(?:to (?:return|fetch|retrieve|get|show|display|include|list|read|output)|per page|returned|shown)\b/;
const placeInAnswer =
	/^(?:optional[.:,]? )?(?:the |a |an )?(?:pagination (?:cursor|token|offset)|cursor (?:for|from|to)|page (?:number|token|index|size|cursor)|next page|token (?:for|of) the next page|(?:number of|how many) (?:[a-z]+ ){1,3}to skip|(?:chunk|part) (?:number|index) (?:of|to)|which (?:chunk|part|page) (?:of|to)|(?:url|link) (?:of|to) the (?:next|previous) page|(?:truncate|cut off|trim) .{0,40}\b(?:characters?|chars|lines|bytes)|(?:starting|start) (?:offset|row|line|position|character))\b/;

/** A part of an answer that its words tell of alone. */
function describedPage(subject: Subject): Classification | undefined {
	const { member, description, isNumber, name } = subject;
	if (isWrite(subject) || hasType(member, 'array') || payloadNames.has(name)) return undefined;
	if (subject.words.some((word) => costs.has(word)) && !/\bper page\b/.test(description)) return undefined;
	if (!((isNumber && countOf.test(description)) || placeInAnswer.test(description))) return undefined;
	return described('page', 'part of an answer');
}

const endOfTime =
	/^(?:optional[.:,]? )?(?:the |a |an )?(?:iso[- ]?8601 )?(?:(?:start|end|beginning|earliest|latest|lower bound|upper bound|minimum|maximum) (?:of (?:the )?)?(?:date|time|timestamp|datetime)(?:[ -](?:range|period|window|interval))?|date range|time (?:range|window|period)|(?:number of|how many) (?:past |previous )?(?:days|hours|weeks|months|minutes) (?:back|of (?:history|data)|to (?:look|go|fetch|search|include|analyze)|ago))\b/;
const borderOfTime =
	/\b(?:created|updated|modified|published|after|before|since|until|newer than|older than|on or after|on or before) (?:this|the given|the specified|a given|a|that) (?:date|time|timestamp|day)\b/;

/** A stretch of time that its words tell of alone. */
function describedTime(subject: Subject): Classification | undefined {
	const { description, name, member } = subject;
	if (!isAsking(subject) || payloadNames.has(name) || hasType(member, 'array')) return undefined;
	if (!endOfTime.test(description) && !borderOfTime.test(description)) return undefined;
	return described('time', 'stretch of time');
}

const ownWords =
	/\b(?:defaults? to|default:|uses?|using|falls? back to|otherwise|omitted)\b[^.;]{0,40}?\b(?:current(?:ly)?|active|configured|default|own|your|selected)\b (?:\w+ )?([a-z]+)/;

/** Whatever it is called: what it takes when it is left out is the caller's own of something. */
function ownDefault(subject: Subject): Classification | undefined {
	const { member, description, name, words } = subject;
	if (member.isRequired || isWrite(subject) || payloadNames.has(name) || !subject.isText || hasType(member, 'array'))
		return undefined;
	const noun = singular(ownWords.exec(description)?.[1] ?? '');
	const entry = containerNouns.get(noun);
	if (entry?.when.length !== 0 || otherBeginnings.has(words[0] ?? '')) return undefined;
	return described(entry.kind, noun);
}

function described(kind: ScopeKind, noun: string): Classification {
	return {
		kind,
		noun,
		evidence: {
			source: 'description',
			sentence: `Its description speaks of the ${noun}: it says ${kindPhrases[kind]}.`,
		},
	};
}

/** `scope`, `search_scope`: in which of several kinds of places the tool looks. */
function searchScope(subject: Subject): Classification | undefined {
	const { member, words, description } = subject;
	if (words.at(-1) !== 'scope' || !isAsking(subject) || hasType(member, 'array')) return undefined;
	if (/\bwhat to\b/.test(description)) return undefined;
	const text = `${member.allowed.join(' ')} ${description}`.toLowerCase();
	for (const word of text.split(/[^a-z]+/)) {
		const entry = containerNouns.get(singular(word));
		if (entry?.when.length === 0) return found(subject, entry.kind, 'scope');
	}
	return /\bsearch scope\b|\bscope of (?:the )?search\b|\bwhere\b/.test(text)
		? found(subject, 'project', 'scope')
		: undefined;
}

/** A flag by which the tool looks in all of them: `allNamespaces`, `accountWide`. */
function wideningFlag(subject: Subject): Classification | undefined {
	const { words } = subject;
	const rest = words.filter((word) => !['all', 'wide', 'include', 'search', 'across', 'in', 'list'].includes(word));
	const isPages =
		words.includes('pagination') ||
		words.includes('page') ||
		words.includes('paginate') ||
		/\b(?:fetch|follow|return|get|retrieve|load)(?:es|s|ing)? all (?:the )?(?:available )?pages\b|\bauto(?:matically)?[- ]?paginat|\bfollow(?:s|ing)? (?:the )?pagination\b|\bthrough (?:all )?(?:the )?pages\b/.test(
			subject.description,
		);
	if (isPages && words.some((word) => ['all', 'bypass', 'auto', 'fetch', 'disable', 'every'].includes(word))) {
		return found(subject, 'page', 'pages');
	}
	// `include_channels` of a search for messages: in what else it looks.
	const included = words[0] === 'include' ? containerNouns.get(words.slice(1).join(' ')) : undefined;
	if (included?.kind === 'context' && subject.shape.object.at(-1) !== words.at(-1))
		return found(subject, 'context', words.slice(1).join(' '));
	if (!words.some((word) => word === 'all' || word === 'wide' || word === 'across')) return undefined;
	const entry = containerNouns.get(rest.join(' '));
	if (entry !== undefined) return found(subject, entry.kind, rest.join(' '));
	const said = /\b(?:across|in|from|of|search|list|searches|lists) (?:\w+ )?all (?:\w+ )?([a-z]+)\b/.exec(
		subject.description,
	)?.[1];
	const told = said === undefined ? undefined : containerNouns.get(singular(said));
	return told?.when.length === 0 ? found(subject, told.kind, singular(said ?? '')) : undefined;
}

function found(subject: Subject, kind: ScopeKind, noun: string): Classification {
	return {
		kind,
		noun,
		evidence: {
			source: 'name',
			sentence: `The name \`${subject.member.name}\` speaks of "${noun}": it says ${kindPhrases[kind]}.`,
		},
	};
}

function hasType(member: SchemaMember, type: string): boolean {
	return member.types.has(type) || (member.types.has('array') && member.entryTypes.has(type) && type !== 'boolean');
}

function isPlainObject(member: SchemaMember): boolean {
	return member.types.has('object') && member.types.size === 1;
}

function isAsking({ shape }: Subject): boolean {
	return shape.verb === 'list' || shape.verb === 'read' || shape.verb === undefined;
}

function isWrite({ shape }: Subject): boolean {
	return shape.verb === 'create' || shape.verb === 'update' || shape.verb === 'send';
}
