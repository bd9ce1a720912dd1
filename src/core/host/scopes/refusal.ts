// What a model is told of a call that was refused: everything that it needs to make a better one.

import { singleLine, truncated } from '../../base/text.ts';
import { isEverythingWord } from '../../scope/index.ts';
import type { ScopeParameter } from '../../scope/index.ts';
import type { KnownValues } from './recentValues.ts';

const MOST_VALUES = 20;
const LONGEST_WORDS = 300;

/** Of a call of which it cannot be told whether it says where to look. @param reason Why not, as a sentence. */
export function undecidedText(tool: string, reason: string): string {
	return `This call was not carried out: the person who runs this demands that calls to ${tool} say where to look, and whether this one does cannot be told. ${reason} Nothing has been read or changed. Do not try again with other arguments; tell the person, who can name the parameters in the settings for scopes or take the demand back.`;
}

/** @param valuesOf What has been seen of a parameter's values; nothing of it may be a secret. */
export function refusalText(
	missing: readonly ScopeParameter[],
	valuesOf: (parameter: ScopeParameter) => KnownValues,
): string {
	const names = missing.map(({ path }) => `"${path}"`).join(' and ');
	const lines = [
		`This call was not carried out, because it does not say where to look: it has to give ${names}. Nothing has been read or changed. Make the same call again with ${names}.`,
	];
	for (const parameter of missing) {
		lines.push(`"${parameter.path}":`);
		const say = (words: string) => lines.push(`- ${words}`);
		const { description, fallback, allowed } = parameter;
		if (description !== undefined && description.trim() !== '')
			say(`In the tool's own words: ${words(description)}`);
		if (fallback !== undefined) say(`Without it the tool would have taken: ${words(fallback.value)}.`);
		const everything = everythingOf(parameter);
		if (everything !== undefined) say(`To look everywhere give ${everything}.`);
		const known = valuesOf(parameter);
		const said = new Set<string>();
		const list = (head: string, values: readonly string[]) => {
			const fresh = values.filter((value) => !said.has(value)).slice(0, MOST_VALUES);
			for (const value of fresh) said.add(value);
			if (fresh.length > 0) say(`${head}: ${fresh.join(', ')}.`);
		};
		list('The schema allows', allowed);
		list('This server has told of', known.told);
		list('Other calls to this server gave', known.given);
		if (said.size === 0 && everything === undefined)
			say('No values are known yet. Another tool of this server may list them; else ask the person.');
	}
	return lines.join('\n');
}

function words(text: string): string {
	return truncated(singleLine(text), LONGEST_WORDS);
}

/** The value that asks for everything, as JSON, where the schema knows one. */
function everythingOf({ allowed, description }: ScopeParameter): string | undefined {
	const listed = allowed.find((value) => isEverythingWord(value.slice(1, -1)));
	if (listed !== undefined) return listed;
	for (const [, , value = ''] of (description ?? '').matchAll(/(["'`])(.{1,20}?)\1/g))
		if (isEverythingWord(value)) return JSON.stringify(value);
	return undefined;
}
