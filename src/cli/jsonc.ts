/** A JSON value with the line on which it begins, so that a wrong one can be pointed at. */
export type JsoncValue =
	| { readonly kind: 'object'; readonly line: number; readonly members: readonly JsoncMember[] }
	| { readonly kind: 'array'; readonly line: number; readonly items: readonly JsoncValue[] }
	| { readonly kind: 'string'; readonly line: number; readonly text: string }
	| { readonly kind: 'other'; readonly line: number };

export interface JsoncMember {
	readonly name: string;
	readonly line: number;
	readonly value: JsoncValue;
}

/** Where a text is not JSON with comments. */
export class JsoncError extends Error {
	readonly line: number;

	constructor(message: string, line: number) {
		super(message);
		this.line = line;
	}
}

/** Reads JSON with comments and trailing commas, as VS Code's own settings are written. */
export function parseJsonc(text: string): JsoncValue {
	const tokens = tokensOf(text);
	let next = 0;
	const value = parseValue(0);
	const rest = tokens[next];
	if (rest !== undefined && rest.text !== '') throw new JsoncError(`${shown(rest)} stands behind the end`, rest.line);
	return value;

	function take(): Token {
		const token = tokens[next];
		if (token === undefined) throw new Error('Read beyond the end of the file.');
		next++;
		return token;
	}

	function parseValue(depth: number): JsoncValue {
		const token = take();
		if (depth > 100) throw new JsoncError('it is nested too deep', token.line);
		if (token.text === '{')
			return { kind: 'object', line: token.line, members: parseList('}', () => parseMember(depth)) };
		if (token.text === '[')
			return { kind: 'array', line: token.line, items: parseList(']', () => parseValue(depth + 1)) };
		if (token.text.startsWith('"')) return { kind: 'string', line: token.line, text: stringOf(token) };
		if (/^(?:true|false|null|-?\d[\d.eE+-]*)$/.test(token.text)) return { kind: 'other', line: token.line };
		throw new JsoncError(`a value is expected, not ${shown(token)}`, token.line);
	}

	function parseMember(depth: number): JsoncMember {
		const token = take();
		if (!token.text.startsWith('"'))
			throw new JsoncError(`a name in double quotes is expected, not ${shown(token)}`, token.line);
		const colon = take();
		if (colon.text !== ':') throw new JsoncError(`a colon is expected, not ${shown(colon)}`, colon.line);
		return { name: stringOf(token), line: token.line, value: parseValue(depth + 1) };
	}

	function parseList<T>(end: string, parseItem: () => T): T[] {
		const items: T[] = [];
		while (tokens[next]?.text !== end) {
			items.push(parseItem());
			const token = tokens[next];
			if (token?.text === ',') next++;
			else if (token?.text !== end)
				throw new JsoncError(`a comma or ${end} is expected, not ${shown(token)}`, token?.line ?? 1);
		}
		next++;
		return items;
	}
}

interface Token {
	/** Empty at the end of the text. */
	readonly text: string;
	readonly line: number;
}

const tokenPattern = /(?<space>\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|"(?:[^"\\\n]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+|"/gy;

function tokensOf(text: string): readonly Token[] {
	const tokens: Token[] = [];
	let line = 1;
	// A byte order mark is no part of the text.
	for (const match of text.replace(/^\ufeff/, '').matchAll(tokenPattern)) {
		if (match.groups?.['space'] === undefined) tokens.push({ text: match[0], line });
		for (const character of match[0]) if (character === '\n') line++;
	}
	tokens.push({ text: '', line });
	return tokens;
}

function stringOf(token: Token): string {
	try {
		// A token that begins with a quote is a JSON string or it throws.
		return JSON.parse(token.text) as string;
	} catch {
		throw new JsoncError('the text in quotes is not ended, or holds something that must be escaped', token.line);
	}
}

function shown(token: Token | undefined): string {
	return token === undefined || token.text === '' ? 'the end of the file' : token.text.slice(0, 40);
}
