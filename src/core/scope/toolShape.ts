// What a tool does, and to what, as far as its name tells.

import { singular, wordsOf } from './names.ts';
import type { SchemaMember } from './schema.ts';
import type { DescribedTool } from './scopeParameter.ts';
import { doubtfulVerbs, verbs } from './words.ts';

export type Verb = keyof typeof verbs;

export interface ToolShape {
	/** `undefined`: neither the name has a verb that is known nor does the description begin with one. */
	readonly verb: Verb | undefined;
	/** The words of the name without the verb, singular, up to a `by`, `in`, `for`, `from`, `to` or `with`. */
	readonly object: readonly string[];
	/** A parameter says which of several things it does. */
	readonly isSeveral: boolean;
	/** All of its words, singular. */
	readonly words: ReadonlySet<string>;
	/** They, the name of its server and the beginning of its description, in lower case. */
	readonly text: string;
	/** The words of its server's name. */
	readonly server: ReadonlySet<string>;
}

const verbByWord = new Map<string, Verb>();
for (const verb of ['list', 'read', 'remove', 'send', 'update', 'create', 'generate', 'start'] as const) {
	for (const word of verbs[verb]) verbByWord.set(word, verb);
}
const asking = new Set(['search', 'query']);
const joints = new Set(['by', 'in', 'for', 'from', 'to', 'with', 'on', 'of', 'at', 'across', 'using']);

/** @param isSeveral A parameter says which of several things the tool does: it does not do one of them alone. */
export function shapeOf({ server, name, description }: DescribedTool, isSeveral: boolean): ToolShape {
	const words = wordsOf(name);
	const serverWords = wordsOf(server);
	let at = words.findIndex((word) => verbByWord.has(word) && !doubtfulVerbs.has(word));
	// `post-database-query` asks, whatever its method of HTTP.
	if (at < 0) at = words.findIndex((word) => asking.has(word));
	if (at < 0) at = words.findIndex((word) => verbByWord.has(word));
	let verb = verbByWord.get(words[at] ?? '');
	const told = toldVerb(description);
	// `transfer_history`: a noun that looks like a verb, and the description knows better.
	if (verb === undefined || (at > 0 && (told === 'list' || told === 'read') && writing.has(verb))) {
		at = verb === undefined ? -1 : at;
		verb = told;
	}
	if (isSeveral) verb = undefined;
	const rest = words.filter((_, index) => index !== at);
	const joint = rest.findIndex((word, index) => index > 0 && joints.has(word));
	const object = (joint < 0 ? rest : rest.slice(0, joint)).map(singular);
	// `add_to_playlist` does not say what.
	if (joints.has(object[0] ?? '')) object.length = 0;
	while (object.length > 1 && aspects.has(object.at(-1) ?? '')) object.pop();
	return {
		verb,
		object,
		isSeveral,
		words: new Set(words.map(singular)),
		server: new Set(serverWords),
		text: `${serverWords.join(' ')} ${words.join(' ')} ${(description ?? '').slice(0, 500).toLowerCase()}`,
	};
}

function toldVerb(description: string | undefined): Verb | undefined {
	const first = wordsOf(/\S+/.exec((description ?? '').slice(0, 200))?.[0] ?? '')[0] ?? '';
	return verbByWord.get(first) ?? verbByWord.get(singular(first)) ?? verbByWord.get(first.replace(/es$/, ''));
}

const writing: ReadonlySet<Verb> = new Set<Verb>(['create', 'update', 'send']);
/** What of a thing is told: `get_project_details` is about the project. */
const aspects = new Set([
	'info',
	'information',
	'detail',
	'data',
	'metadata',
	'status',
	'setting',
	'overview',
	'summary',
	'stat',
	'statistic',
	'content',
	'id',
	'property',
	'config',
	'configuration',
]);

/** `operation`, of which there are several: one tool that does what others have a tool each for. */
export function isOperation({ name, path, allowed, description }: SchemaMember): boolean {
	if (!/^(?:operation|action|mode|command|method|op)$/i.test(name) || path !== name) return false;
	return allowed.length > 1 || /\b(?:create|update|delete)\b/i.test(description ?? '');
}
