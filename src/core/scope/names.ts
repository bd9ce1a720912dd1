// The words of a name, however it is spelt.

/** `projectID`, `project_id`, `project-id`, `ProjectId`: `["project", "id"]`. At most 12 words of the first 100 characters. */
export function wordsOf(name: string): string[] {
	const words: string[] = [];
	let word = '';
	const text = name.slice(0, 100).replaceAll('IDs', 'Ids');
	for (let index = 0; index < text.length; index++) {
		const character = text.charAt(index);
		if (!isLetter(character) && !isDigit(character)) {
			if (word !== '') words.push(word);
			word = '';
			continue;
		}
		const isStart =
			word !== '' &&
			isUpper(character) &&
			// `projectId`, and the last capital of `IDName` begins a word.
			(!isUpper(text.charAt(index - 1)) || isLower(text.charAt(index + 1)));
		if (isStart) {
			words.push(word);
			word = '';
		}
		word += character.toLowerCase();
	}
	if (word !== '') words.push(word);
	return words.slice(0, 12);
}

/** The word without its plural, where it looks like one. */
export function singular(word: string): string {
	const known = irregular.get(word);
	if (known !== undefined) return known;
	if (word.length <= 3 || !word.endsWith('s') || /(?:ss|us|is)$/.test(word)) return word;
	if (word.endsWith('ies') && word.length > 4) return `${word.slice(0, -3)}y`;
	if (/(?:ch|sh|x|ss|zz)es$/.test(word)) return word.slice(0, -2);
	return word.slice(0, -1);
}

const irregular = new Map([
	['ids', 'id'],
	['dbs', 'db'],
	['indices', 'index'],
	['people', 'person'],
	['corpora', 'corpus'],
	['series', 'series'],
	['status', 'status'],
	['alias', 'alias'],
	['aliases', 'alias'],
	['atlas', 'atlas'],
	['canvas', 'canvas'],
	['news', 'news'],
	['aws', 'aws'],
	['dns', 'dns'],
	['css', 'css'],
	['ts', 'ts'],
]);

/**
 * A word that was written without a boundary, in its two: `projectid`, `startdate`. Only where both are in `known`, and the whole is not.
 * `known` is singular.
 */
export function parted(word: string, known: ReadonlySet<string>): string[] {
	if (word.length < 5 || known.has(singular(word))) return [word];
	for (let at = word.length - 2; at >= 2; at--) {
		const parts = [word.slice(0, at), word.slice(at)];
		if (parts.every((part) => known.has(part) || known.has(singular(part)))) return parts;
	}
	return [word];
}

function isLetter(character: string): boolean {
	return character.toLowerCase() !== character.toUpperCase();
}

function isDigit(character: string): boolean {
	return character >= '0' && character <= '9';
}

function isUpper(character: string): boolean {
	return character !== '' && isLetter(character) && character === character.toUpperCase();
}

function isLower(character: string): boolean {
	return character !== '' && isLetter(character) && character === character.toLowerCase();
}
