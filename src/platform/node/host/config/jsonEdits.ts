import { parseTree, visit } from 'jsonc-parser';
import type { Node } from 'jsonc-parser';
import { isList, lineEnd, lineStart, newlineOf, nextLine, spliced } from './entryEdits.ts';
import type { EditValue, EntryEdits } from './entryEdits.ts';

export const jsonEdits: EntryEdits = {
	set(text, path, key, value, after) {
		const entry = entryAt(text, path);
		if (entry === undefined) return undefined;
		const property = propertyOf(entry, key);
		if (property === undefined) return insert(text, entry, `${JSON.stringify(key)}: ${jsonOf(value)}`, after);
		const { offset, length } = property.value;
		return spliced(text, offset, offset + length, jsonOf(value));
	},

	replace(text, path, key, newKey, value) {
		const entry = entryAt(text, path);
		const property = entry === undefined ? undefined : propertyOf(entry, key)?.node;
		if (property === undefined) return undefined;
		return spliced(
			text,
			property.offset,
			property.offset + property.length,
			`${JSON.stringify(newKey)}: ${jsonOf(value)}`,
		);
	},

	remove(text, path, key) {
		const entry = entryAt(text, path);
		if (entry === undefined) return undefined;
		const property = propertyOf(entry, key)?.node;
		return property === undefined ? text : removeProperty(text, entry, property);
	},

	copy(text, from, path, key, after) {
		const entry = entryAt(text, path);
		const source = entryAt(from, path);
		const original = source === undefined ? undefined : propertyOf(source, key);
		if (entry === undefined || original === undefined) return undefined;
		const property = propertyOf(entry, key);
		if (property === undefined) return insert(text, entry, textOf(from, original.node), after);
		const { offset, length } = property.value;
		return spliced(text, offset, offset + length, textOf(from, original.value));
	},

	copyEntry(text, from, path) {
		const entry = entryAt(text, path);
		const source = entryAt(from, path);
		if (entry === undefined || source === undefined) return undefined;
		return spliced(text, entry.offset, entry.offset + entry.length, textOf(from, source));
	},
};

interface Property {
	readonly node: Node;
	readonly value: Node;
}

/** What may follow on a line that is still one property's own. */
const nothingButComments = /^\s*(?:\/\*(?:(?!\*\/).)*\*\/\s*)*(?:\/\/.*)?$/;

/** The object at a path, if every name on the way is there once. */
function entryAt(text: string, path: readonly string[]): Node | undefined {
	let node: Node | undefined = parseTree(text, [], { allowTrailingComma: true });
	for (const name of path) {
		const found: readonly Node[] = (node?.children ?? []).filter(
			(property) => property.children?.[0]?.value === name,
		);
		node = node?.type === 'object' && found.length === 1 ? found[0]?.children?.[1] : undefined;
	}
	return node?.type === 'object' ? node : undefined;
}

function propertyOf(entry: Node, key: string): Property | undefined {
	for (const node of entry.children ?? []) {
		const [name, value] = node.children ?? [];
		if (name?.value === key && value !== undefined) return { node, value };
	}
	return undefined;
}

function textOf(text: string, { offset, length }: Node): string {
	return text.slice(offset, offset + length);
}

function jsonOf(value: EditValue): string {
	if (typeof value === 'string') return JSON.stringify(value);
	if (isList(value)) return `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
	return `{ ${Object.entries(value)
		.map(([name, item]) => `${JSON.stringify(name)}: ${JSON.stringify(item)}`)
		.join(', ')} }`;
}

/** Puts a property behind another one, or first. */
function insert(text: string, entry: Node, property: string, after: string | undefined): string {
	const previous = after === undefined ? undefined : propertyOf(entry, after)?.node;
	const [first] = entry.children ?? [];
	if (previous === undefined) {
		const at = entry.offset + 1;
		if (first === undefined) {
			const rest = text.slice(at, entry.offset + entry.length - 1);
			return spliced(text, at, at, rest.trim() === '' && !rest.includes('\n') ? ` ${property} ` : ` ${property}`);
		}
		if (!isAlone(text, first)) return spliced(text, first.offset, first.offset, `${property}, `);
		const start = lineStart(text, first.offset);
		return spliced(text, start, start, `${text.slice(start, first.offset)}${property},${newlineOf(text)}`);
	}
	const end = previous.offset + previous.length;
	const comma = commaBehind(text, entry, end);
	const at = lineEnd(text, end);
	const restOfLine = text.slice(comma === undefined ? end : comma + 1, at);
	const isCommaAway = comma !== undefined && comma >= at;
	if (isCommaAway || !isAlone(text, previous) || !nothingButComments.test(restOfLine))
		return spliced(text, end, end, `, ${property}`);
	const start = lineStart(text, previous.offset);
	const line = `${newlineOf(text)}${text.slice(start, previous.offset)}${property}`;
	if (comma !== undefined) return spliced(text, at, at, `${line},`);
	return spliced(text, end, at, `,${text.slice(end, at)}${line}`);
}

function removeProperty(text: string, entry: Node, property: Node): string {
	const end = property.offset + property.length;
	const comma = commaBehind(text, entry, end);
	const behind = comma === undefined ? end : comma + 1;
	const isLine = isAlone(text, property) && nothingButComments.test(text.slice(behind, lineEnd(text, behind)));
	// A brace behind it on the same line must stay.
	const from = isLine ? lineStart(text, property.offset) : property.offset;
	let to = isLine ? nextLine(text, behind) : behind;
	if (!isLine && comma !== undefined) while (/[ \t]/.test(text[to] ?? '')) to++;
	const without = spliced(text, from, to, '');
	if (comma !== undefined) return without;
	// It was the last: the comma before it has nothing to part any more.
	const siblings = entry.children ?? [];
	const previous = siblings[siblings.indexOf(property) - 1];
	if (previous === undefined) return without;
	const parting = commaBehind(text, entry, previous.offset + previous.length);
	if (parting === undefined) return without;
	const between = text.slice(parting + 1, from);
	// On one line the blanks before it go as well.
	if (!isLine && between.trim() === '') return spliced(text, parting, to, '');
	return spliced(without, parting, parting + 1, '');
}

/** Whether nothing else stands before it on its line. */
function isAlone(text: string, { offset }: Node): boolean {
	return text.slice(lineStart(text, offset), offset).trim() === '';
}

/** The comma that follows before anything else, comments aside. */
function commaBehind(text: string, entry: Node, offset: number): number | undefined {
	// A comma in a comment is none: the parser says which ones part something.
	let found: number | undefined;
	visit(
		text.slice(entry.offset, entry.offset + entry.length),
		{
			onSeparator(character, at) {
				if (character === ',' && found === undefined && entry.offset + at >= offset) found = entry.offset + at;
			},
		},
		{ allowTrailingComma: true },
	);
	if (found === undefined) return undefined;
	const next = (entry.children ?? []).find((sibling) => sibling.offset >= offset);
	return next === undefined || found < next.offset ? found : undefined;
}
