// What a tool does, and to what, as far as its name tells.

import { singular, wordsOf } from './names.ts';
import { verbs } from './words.ts';

export type Verb = keyof typeof verbs;

export interface ToolShape {
	/** `undefined`: neither name nor description begins with a verb that is known. */
	readonly verb: Verb | undefined;
	/** The words of the name without the verb, singular; what follows `by`, `in`, `for`, `from`, `to` and `with` is not among them. */
	readonly object: readonly string[];
	/** All of its words, singular. */
	readonly words: ReadonlySet<string>;
}

const verbByWord = new Map<string, Verb>();
for (const verb of ['list', 'read', 'remove', 'send', 'update', 'create'] as const) {
	for (const word of verbs[verb]) verbByWord.set(word, verb);
}
const joints = new Set(['by', 'in', 'for', 'from', 'to', 'with', 'on', 'of', 'at', 'across']);

export function shapeOf(name: string, description: string | undefined): ToolShape {
	const words = wordsOf(name);
	let at = words.findIndex((word) => verbByWord.has(word));
	let verb = verbByWord.get(words[at] ?? '');
	if (verb === undefined) {
		at = -1;
		const first = wordsOf((description ?? '').trimStart().slice(0, 40).split(/\s/, 1)[0] ?? '')[0] ?? '';
		verb = verbByWord.get(first) ?? verbByWord.get(singular(first));
	}
	const rest = words.filter((_, index) => index !== at);
	const joint = rest.findIndex((word, index) => index > 0 && joints.has(word));
	const object = (joint < 0 ? rest : rest.slice(0, joint)).map(singular);
	return { verb, object, words: new Set(words.map(singular)) };
}
