// Whether a parameter says where its tool looks, by its name, its type, its words and what the tool does.

import { singular, wordsOf } from './names.ts';
import type { SchemaMember } from './schema.ts';
import type { ScopeEvidence, ScopeKind } from './scopeParameter.ts';
import type { ToolShape } from './toolShape.ts';
import {
	bareContainers,
	containers,
	costs,
	countables,
	countBeginnings,
	doubtful,
	kindPhrases,
	nameEndings,
	otherBeginnings,
	pageEndings,
	pageNames,
	plainBeginnings,
	timeEnds,
	timeLikeNames,
	timeNames,
	timeWords,
} from './words.ts';

export interface Classification {
	readonly kind: ScopeKind;
	/** What the name speaks of, in a word or two. */
	readonly noun: string;
	readonly evidence: ScopeEvidence;
}

interface NamedMember {
	readonly member: SchemaMember;
	/** Words of its name as they are, and singular. */
	readonly words: readonly string[];
	readonly singulars: readonly string[];
	/** Words of the names above it, singular; empty at the top. */
	readonly above: readonly string[];
	readonly description: string;
	readonly shape: ToolShape;
}

/** What kind of scope the parameter is; `undefined` for anything else. */
export function classify(member: SchemaMember, shape: ToolShape): Classification | undefined {
	const words = wordsOf(member.name);
	if (words.length === 0) return undefined;
	const named: NamedMember = {
		member,
		words,
		singulars: words.map(singular),
		above: member.path.split('.').slice(0, -1).flatMap(wordsOf).map(singular),
		description: (member.description ?? '').slice(0, 1_000).toLowerCase(),
		shape,
	};
	if (hasType(member, 'boolean') && !hasType(member, 'string')) return wideningFlag(named);
	if (member.isParent || isPlainObject(member)) return undefined;
	return page(named) ?? time(named) ?? container(named) ?? doubtfulContainer(named) ?? describedContainer(named);
}

function page(named: NamedMember): Classification | undefined {
	const { member, singulars, description, shape } = named;
	if (isWrite(shape)) return undefined;
	if (hasType(member, 'array') && !/(?:range|view)/.test(singulars.join(' '))) return undefined;
	const name = singulars.join(' ');
	const last = singulars.at(-1) ?? '';
	const isNumber = hasType(member, 'integer') || hasType(member, 'number');
	if (pageNames.has(name)) {
		const isPlain =
			!numbersOnly.has(name) ||
			isNumber ||
			/\b(?:number|how many|maximum|results|lines|pagina|per page)\b/.test(description);
		if (isPlain && !/\bpage (?:id|title|url|name)\b/.test(description)) return found(named, 'page', name);
	}
	const first = singulars[0] ?? '';
	if (singulars.length > 1) {
		const ending = singulars.slice(-2).join(' ');
		const isPart = pageEndings.has(last) || pageEndings.has(ending);
		if (isPart && !singulars.slice(0, -1).some((word) => costs.has(word))) return found(named, 'page', name);
		const isCount = countBeginnings.has(first) && singulars.slice(1).some((word) => countables.has(word));
		if (isCount && !singulars.some((word) => word === 'retry' || word === 'depth'))
			return found(named, 'page', name);
		if ((last === 'max' || last === 'maximum') && isNumber) return found(named, 'page', name);
	}
	return undefined;
}

const numbersOnly = new Set([
	'page',
	'top',
	'k',
	'n',
	'count',
	'size',
	'length',
	'head',
	'tail',
	'first',
	'last',
	'line',
	'marker',
]);

function time(named: NamedMember): Classification | undefined {
	const { member, singulars, description, shape, above } = named;
	if (isWrite(shape)) return undefined;
	const name = singulars.join(' ');
	if (otherBeginnings.has(singulars[0] ?? '') && !timeEnds.has(singulars[0] ?? '')) return undefined;
	const core = singulars.filter((word) => word !== 'filter' && word !== 'search' && word !== 'by');
	if (timeNames.has(name) || timeNames.has(core.join(' '))) return found(named, 'time', name);
	if (core.some((word) => timeNames.has(word)) && core.length === 2) return found(named, 'time', name);
	const hasTimeWord = core.some((word) => timeWords.has(word));
	if (
		hasTimeWord &&
		core.some((word) => timeEnds.has(word)) &&
		core.every((word) => timeWords.has(word) || timeEnds.has(word) || word === 'the')
	) {
		return found(named, 'time', name);
	}
	const speaksOfTime =
		member.format === 'date' ||
		member.format === 'date-time' ||
		/\b(?:dates?|times?|timestamps?|iso[- ]?8601|rfc ?3339|epoch|unix|yyyy|days?|hours?|weeks?|months?|today|yesterday|period|ago)\b/.test(
			description,
		) ||
		above.some((word) => timeWords.has(word) || timeNames.has(word));
	if (
		core.length === 1 &&
		timeLikeNames.has(name) &&
		speaksOfTime &&
		!/cursor|version|pagination/.test(description)
	) {
		return found(named, 'time', name);
	}
	return undefined;
}

const containerByNoun = new Map<string, ScopeKind>();
for (const kind of ['context', 'project', 'place', 'tenant', 'environment', 'database'] as const) {
	for (const noun of containers[kind]) containerByNoun.set(noun, kind);
}

function container(named: NamedMember): Classification | undefined {
	for (const { noun, before } of readings(named.singulars)) {
		const kind = containerByNoun.get(noun);
		if (kind === undefined) continue;
		if (bareContainers.has(noun) && !before.every((word) => plainBeginnings.has(word))) continue;
		if (before.some((word) => otherBeginnings.has(word))) return undefined;
		if (!isContainerHere(named, noun, kind, before)) return undefined;
		return found(named, isKubernetesContext(named, noun) ? 'environment' : kind, noun);
	}
	return undefined;
}

/** The nouns that a name may end in, beside its endings: the longest first. */
function* readings(words: readonly string[]): Generator<{ readonly noun: string; readonly before: readonly string[] }> {
	let end = words.length;
	for (;;) {
		for (const length of [2, 1]) {
			if (end >= length)
				yield { noun: words.slice(end - length, end).join(' '), before: words.slice(0, end - length) };
		}
		if (end < 2 || !nameEndings.has(words[end - 1] ?? '')) return;
		end--;
	}
}

function isContainerHere(named: NamedMember, noun: string, kind: ScopeKind, before: readonly string[]): boolean {
	const { member, shape, description, above } = named;
	const isNumber = hasType(member, 'integer') || hasType(member, 'number');
	if ((noun === 'index' || noun === 'stage' || noun === 'branch') && isNumber) return false;
	if (shape.verb === 'create') {
		// What is made has no place yet: its name is what it will be called.
		if (
			shape.object.at(-1) === noun &&
			!before.some((word) => word === 'parent' || word === 'source' || word === 'from')
		)
			return false;
		if (noun === 'sprint' || noun === 'cycle') return false;
	}
	if (shape.verb === 'update' && !member.isRequired && kind === 'project') {
		if (/\b(?:new|move|moved|change|assign|set)\b/.test(description)) return false;
	}
	if (above.includes('exclude')) return false;
	return true;
}

function isKubernetesContext(named: NamedMember, noun: string): boolean {
	return noun === 'context' && /\bkube/.test(named.description);
}

function doubtfulContainer(named: NamedMember): Classification | undefined {
	for (const { noun, before } of readings(named.singulars)) {
		const kind = doubtful[noun];
		if (kind === undefined || !Object.hasOwn(doubtful, noun)) continue;
		if (before.some((word) => otherBeginnings.has(word))) return undefined;
		return isDoubtfulScope(named, noun, before) ? found(named, kind, noun) : undefined;
	}
	return undefined;
}

function isDoubtfulScope(named: NamedMember, noun: string, before: readonly string[]): boolean {
	const { member, shape, description } = named;
	const isLooking = shape.verb === 'list' || shape.verb === 'read' || shape.verb === undefined;
	switch (noun) {
		case 'path':
			if (before.some((word) => containerByNoun.has(word))) return true;
			if (shape.verb === 'create') return false;
			if (
				/\b(?:director(?:y|ies)|folders?|root)\b/.test(description) &&
				!/\bfile (?:or|and|path)|path (?:of|to) (?:the )?file\b/.test(description)
			)
				return true;
			return ['directory', 'dir', 'folder', 'tree', 'search', 'grep', 'glob', 'find'].some((word) =>
				shape.words.has(word),
			);
		case 'user':
		case 'username':
		case 'login':
		case 'person':
			if (!isLooking) return false;
			if (
				['user', 'member', 'person', 'people', 'profile', 'contact', 'author'].some(
					(word) => shape.object.at(-1) === word,
				)
			)
				return false;
			return !/\b(?:author|assign|creator|created by|mention|recipient|invite|filter)/.test(description);
		case 'list':
		case 'group':
		case 'company':
		case 'profile':
			return (
				named.singulars.length > before.length + 1 ||
				(before.length === 0 && shape.verb !== 'create' && !hasType(member, 'array'))
			);
		case 'host':
		case 'hostname':
		case 'server':
			return shape.object.at(-1) !== noun;
		case 'service':
			return false;
		case 'ref':
			return before.every((word) => plainBeginnings.has(word));
		case 'head':
			return shape.verb === 'list' && before.length === 0;
		case 'location':
		case 'latitude':
		case 'longitude':
		case 'lat':
		case 'lng':
		case 'lon':
		case 'radius':
		case 'bbox':
		case 'bound':
		case 'proximity':
		case 'city':
			return shape.verb === 'list';
		case 'domain':
		case 'website':
			return shape.verb === 'list' || before.includes('search');
		default:
			return false;
	}
}

/** A name that says nothing of its own (`id`, `name`): what the words or the tool say it is of. */
function describedContainer(named: NamedMember): Classification | undefined {
	const { member, singulars, description, shape } = named;
	if (!singulars.every((word) => nameEndings.has(word))) return undefined;
	if (shape.verb === 'create' || shape.verb === 'update') return undefined;
	const above = named.above.at(-1);
	const own = above !== undefined && member.path.includes('[]') ? above : shape.object.at(-1);
	const kind = own === undefined ? undefined : containerByNoun.get(own);
	if (own === undefined || kind === undefined) return undefined;
	if (singulars.includes('name') && shape.verb === 'list') return undefined;
	if (description !== '' && singulars[0] === 'name' && /contain|filter/.test(description)) return undefined;
	return found(named, kind, own);
}

function wideningFlag(named: NamedMember): Classification | undefined {
	const { singulars } = named;
	const noun =
		singulars[0] === 'all'
			? singulars.slice(1).join(' ')
			: singulars.at(-1) === 'wide'
				? singulars.slice(0, -1).join(' ')
				: undefined;
	const kind = noun === undefined ? undefined : containerByNoun.get(noun);
	return noun === undefined || kind === undefined ? undefined : found(named, kind, noun);
}

function found(named: NamedMember, kind: ScopeKind, noun: string): Classification {
	return {
		kind,
		noun,
		evidence: {
			source: 'name',
			sentence: `The name \`${named.member.name}\` speaks of a ${noun}: it says ${kindPhrases[kind]}.`,
		},
	};
}

function hasType(member: SchemaMember, type: string): boolean {
	return member.types.has(type) || (member.types.has('array') && member.entryTypes.has(type) && type !== 'boolean');
}

function isPlainObject(member: SchemaMember): boolean {
	return member.types.has('object') && member.types.size === 1;
}

function isWrite(shape: ToolShape): boolean {
	return shape.verb === 'create' || shape.verb === 'update' || shape.verb === 'send';
}
