import { ExpectedError } from '../core/base/errors.ts';
import type { Keys } from './valueTree.ts';

/** What a person has typed in a value's place. @param before What stands there now. */
export function typedValue(text: string, before: unknown): unknown {
	try {
		return JSON.parse(text) as unknown; // anything that JSON can be
	} catch {
		// A text may be typed without its quotes, where a text was before.
		if (typeof before === 'string' && !text.trimStart().startsWith('"')) return text;
		throw new ExpectedError(
			`${text} is no JSON value: write a number, true, false, null, a text in double quotes, or {…} or […].`,
		);
	}
}

/** `arguments.filter["a b"][0]` as the name that it begins with and the keys behind it; `undefined`: it is no path. */
export function pathOf(expression: string): { readonly name: string; readonly keys: Keys } | undefined {
	const head = /^\s*([A-Za-z_]\w*)/.exec(expression);
	if (head === null) return undefined;
	const keys: (string | number)[] = [];
	const access = /\s*(?:\.\s*([A-Za-z_]\w*)|\[\s*(\d+|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*\])/y;
	let at = head[0].length;
	for (;;) {
		access.lastIndex = at;
		const found = access.exec(expression);
		if (found === null) break;
		at = access.lastIndex;
		const [, name, key = ''] = found;
		if (name !== undefined) keys.push(name);
		else if (/^\d/.test(key)) keys.push(Number(key));
		else {
			const text = unquoted(key);
			if (text === undefined) return undefined;
			keys.push(text);
		}
	}
	return expression.slice(at).trim() === '' ? { name: head[1] ?? '', keys } : undefined;
}

/** `arguments.page = 3`, typed in the console; `undefined`: it is no assignment. */
export function assignmentOf(text: string): { readonly target: string; readonly value: string } | undefined {
	const at = text.search(/[=!<>]/);
	if (text[at] !== '=' || text[at + 1] === '=') return undefined;
	const target = text.slice(0, at).trim();
	const value = text.slice(at + 1).trim();
	return value === '' || pathOf(target) === undefined ? undefined : { target, value };
}

/** What the keys lead to. */
export function valueAt(value: unknown, keys: Keys): unknown {
	let current = value;
	for (const key of keys) {
		if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
		current = (current as Readonly<Record<string | number, unknown>>)[key]; // it has that member
	}
	return current;
}

function unquoted(text: string): string | undefined {
	try {
		return JSON.parse(
			text.startsWith("'") ? `"${text.slice(1, -1).replaceAll('"', '\\"').replaceAll("\\'", "'")}"` : text,
		) as string; // it begins and ends with quotes
	} catch {
		return undefined;
	}
}
