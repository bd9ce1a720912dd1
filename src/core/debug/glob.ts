/** Of `{a,b}{c,d}…`, once they are written out. */
const mostAlternatives = 256;

/**
 * A test for `*` (any characters, also none), `?` (one character) and `{a,b}` (one of these). It takes no longer than the text is long
 * times the pattern, whatever the pattern.
 * @returns What is wrong with the pattern: the end of a sentence.
 */
export function anyGlob(pattern: string): ((text: string) => boolean) | string {
	const alternatives = writtenOut(pattern);
	if (typeof alternatives === 'string') return alternatives;
	return (text) => alternatives.some((alternative) => isMatch(alternative, text));
}

function writtenOut(pattern: string): readonly string[] | string {
	const open = pattern.indexOf('{');
	if (open === -1) return pattern.includes('}') ? 'a "}" has no "{" before it.' : [pattern];
	if (pattern.slice(0, open).includes('}')) return 'a "}" has no "{" before it.';
	const parts: string[] = [];
	let depth = 0;
	let from = open + 1;
	let close = -1;
	for (let index = open; index < pattern.length; index++) {
		const character = pattern[index];
		if (character === '{') depth++;
		else if (character === '}') depth--;
		if (depth === 0) {
			parts.push(pattern.slice(from, index));
			close = index;
			break;
		}
		if (character === ',' && depth === 1) {
			parts.push(pattern.slice(from, index));
			from = index + 1;
		}
	}
	if (close === -1) return 'a "{" has no "}" behind it.';
	const all: string[] = [];
	for (const part of parts) {
		const rest = writtenOut(`${part}${pattern.slice(close + 1)}`);
		if (typeof rest === 'string') return rest;
		for (const one of rest) all.push(pattern.slice(0, open) + one);
		if (all.length > mostAlternatives) return `it stands for more than ${mostAlternatives} patterns.`;
	}
	return all;
}

function isMatch(pattern: string, text: string): boolean {
	let at = 0;
	let star = -1;
	let resume = 0;
	let index = 0;
	while (index < text.length) {
		const expected = pattern[at];
		if (expected === '*') {
			star = at++;
			resume = index;
		} else if (expected !== undefined && (expected === '?' || expected === text[index])) {
			at++;
			index++;
		} else if (star !== -1) {
			// The last `*` takes one character more.
			at = star + 1;
			index = ++resume;
		} else return false;
	}
	while (pattern[at] === '*') at++;
	return at === pattern.length;
}
