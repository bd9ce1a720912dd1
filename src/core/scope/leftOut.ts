import type { GivenArguments, GivenValue } from '../events/sessionEvent.ts';
import { plainName } from './classify.ts';
import type { ScopeParameter } from './scopeParameter.ts';
import { nameEndings, timeEnds } from './words.ts';

/**
 * Those of the parameters that a call was made without. A value that the schema's words call the same as none (`null`, `""`, `[]`) counts
 * as none. One that another parameter says in its stead is not left out: `channel_name` says what `channel_id` would, and `days` where a
 * stretch of time begins. What cannot be known of a call (`undefined`, or it is known in part) is not said to be left out.
 */
export function leftOut(
	parameters: readonly ScopeParameter[],
	given: GivenArguments | undefined,
): readonly ScopeParameter[] {
	if (given === undefined || given.isPartial) return [];
	const missing = parameters.filter((parameter) => !isGiven(parameter, given.values));
	if (missing.length === 0 || missing.length === parameters.length) return missing;
	const missed = new Set(missing);
	const said = new Set(parameters.filter((parameter) => !missed.has(parameter)).flatMap(standsFor));
	return missing.filter((parameter) => !standsFor(parameter).some((one) => said.has(one)));
}

/**
 * Leaving it out loses nothing of an answer: it says which part of one, or where it is saved, or without it the tool looks everywhere.
 */
export function isHarmless({ kind, path, fallback }: ScopeParameter): boolean {
	if (kind === 'page' || fallback?.isEverything === true) return true;
	return kind === 'place' && savedIn.test(plainName(path.slice(path.lastIndexOf('.') + 1)));
}

const savedIn =
	/^(?:outputs?|out|saves?|saved?|downloads?|exports?|dest|destination|reports?|screenshots?|artifacts?) (?:dir|directory|folder|path|to)\b/;

function isGiven({ path, blanks }: ScopeParameter, values: readonly GivenValue[]): boolean {
	for (const { path: given, value } of values) {
		if (given === path) {
			if (!blanks.includes(value)) return true;
		} else if (given.startsWith(path)) {
			// A member of it, or an entry.
			if (/^(?:\[\]|\.)/.test(given.slice(path.length))) return true;
		} else if (path.startsWith(`${given}.`) && !value.startsWith('{') && value !== 'null') {
			// What it would be a member of has another shape: whatever that says, it may say this too.
			return true;
		}
	}
	return false;
}

/** What the parameter says, in words that are the same for others that say it too. */
function standsFor({ path, kind }: ScopeParameter): readonly string[] {
	const end = path.lastIndexOf('.') + 1;
	const parent = path.slice(0, end);
	const words = plainName(path.slice(end)).split(' ');
	if (kind === 'time') {
		const isEnd = words.some((word) => endWords.has(word));
		const isStart = words.some(
			(word) => timeEnds.has(word) && !endWords.has(word) && word !== 'range' && word !== 'window',
		);
		if (isEnd !== isStart) return [`${parent}${isEnd ? 'end' : 'start'} of time`];
		// `days`, `period`, `date`: where it begins and where it ends.
		return [`${parent}start of time`, `${parent}end of time`];
	}
	if (kind === 'page') return [path];
	while (words.length > 1 && nameEndings.has(words.at(-1) ?? '')) words.pop();
	return [`${parent}${words.join(' ')}`];
}

const endWords = new Set([
	'until',
	'to',
	'end',
	'ended',
	'ending',
	'before',
	'max',
	'maximum',
	'lte',
	'lt',
	'latest',
	'older',
	'upper',
]);
