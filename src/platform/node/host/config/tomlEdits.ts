import type { AST } from 'toml-eslint-parser';
import { isList, lineEnd, lineStart, newlineOf, nextLine, spliced } from './entryEdits.ts';
import type { EditValue, EntryEdits } from './entryEdits.ts';
import { namesOf, parseToml } from './tomlConfig.ts';

export const tomlEdits: EntryEdits = {
	set(text, path, key, value, after) {
		const entry = entryAt(text, path);
		if (entry === undefined) return undefined;
		if (entry.kind === 'inline') return withInline(text, entry, (members) => setMember(members, key, value, after));
		const [piece, ...more] = piecesOf(entry, key);
		if (piece === undefined) return insertLines(text, entry, (prefix) => `${prefix}${lineOf(key, value)}`, after);
		if (more.length > 0 || piece.kind !== 'value' || piece.names.length > 1) {
			const without = this.remove(text, path, key);
			return without === undefined ? undefined : this.set(without, path, key, value, after);
		}
		const [offset, end] = piece.node.value.range;
		return spliced(text, offset, end, tomlOf(value));
	},

	replace(text, path, key, newKey, value) {
		const entry = entryAt(text, path);
		if (entry === undefined) return undefined;
		if (entry.kind === 'inline')
			return withInline(text, entry, (members) =>
				members.map((member) => (member.key === key ? { key: newKey, text: lineOf(newKey, value) } : member)),
			);
		const [piece, ...more] = piecesOf(entry, key);
		if (piece?.kind !== 'value' || more.length > 0 || piece.names.length > 1) return undefined;
		const { range } = lastKey(piece.node);
		return spliced(text, range[0], piece.node.value.range[1], lineOf(newKey, value));
	},

	remove(text, path, key) {
		const entry = entryAt(text, path);
		if (entry === undefined) return undefined;
		if (entry.kind === 'inline')
			return withInline(text, entry, (members) => members.filter((member) => member.key !== key));
		let result = text;
		// From the end, so that what is before keeps its place.
		for (const piece of piecesOf(entry, key).toReversed()) {
			const [from, to] = linesOf(text, piece);
			result = spliced(result, from, to, '');
		}
		return result;
	},

	copy(text, from, path, key, after) {
		const entry = entryAt(text, path);
		const source = entryAt(from, path);
		if (entry === undefined || source?.kind !== entry.kind) return undefined;
		if (entry.kind === 'inline' || source.kind === 'inline') {
			if (entry.kind !== 'inline' || source.kind !== 'inline') return undefined;
			const original = membersOf(from, source).filter((member) => member.key === key);
			return withInline(text, entry, (members) => {
				const at = members.findIndex((member) => member.key === key);
				const rest = members.filter((member) => member.key !== key);
				const index = at !== -1 ? at : rest.findLastIndex((member) => member.key === after) + 1;
				return rest.toSpliced(index, 0, ...original);
			});
		}
		const originals = piecesOf(source, key);
		const [original] = originals;
		const [present, ...more] = piecesOf(entry, key);
		if (original === undefined) return undefined;
		if (
			originals.length === 1 &&
			more.length === 0 &&
			original.kind === 'value' &&
			present?.kind === 'value' &&
			present.names.length === original.names.length
		)
			return spliced(text, ...present.node.value.range, from.slice(...original.node.value.range));
		let result = this.remove(text, path, key);
		for (const piece of originals)
			result = result === undefined ? undefined : insertPiece(result, from, path, piece);
		return result;
	},

	copyEntry(text, from, path) {
		const entry = entryAt(text, path);
		const source = entryAt(from, path);
		if (entry?.kind !== 'inline' || source?.kind !== 'inline') return undefined;
		return spliced(text, ...entry.node.range, from.slice(...source.node.range));
	},
};

/** Where an entry stands: as one inline table, or on lines of its own, which may be far apart. */
type Entry =
	| { readonly kind: 'inline'; readonly node: AST.TOMLInlineTable }
	| { readonly kind: 'lines'; readonly head: AST.TOMLTable | undefined; readonly pieces: readonly Piece[] };

type Piece =
	| {
			readonly kind: 'value';
			/** Below the entry: one, or several for a dotted key. */
			readonly names: readonly string[];
			readonly node: AST.TOMLKeyValue;
			/** The table below the entry's own that it stands in. */
			readonly table: AST.TOMLTable | undefined;
	  }
	| { readonly kind: 'table'; readonly names: readonly string[]; readonly node: AST.TOMLTable };

function entryAt(text: string, path: readonly string[]): Entry | undefined {
	const [top] = parseToml(text).body;
	const pieces: Piece[] = [];
	let head: AST.TOMLTable | undefined;
	for (const node of top.body) {
		const names = node.type === 'TOMLTable' ? namesOf(node.key) : [];
		if (node.type === 'TOMLTable' && isBelow(names, path)) {
			// A list of tables is no server.
			if (names.length === path.length && node.kind === 'array') return undefined;
			if (names.length === path.length) head = node;
			else pieces.push({ kind: 'table', names: names.slice(path.length), node });
		}
		for (const member of node.type === 'TOMLTable' ? node.body : [node]) {
			const whole = [...names, ...namesOf(member.key)];
			if (whole.length < path.length) {
				if (isBelow(path, whole)) return inlineAt(member.value, path.slice(whole.length));
				continue;
			}
			if (!isBelow(whole, path)) continue;
			if (whole.length === path.length)
				return member.value.type === 'TOMLInlineTable' ? { kind: 'inline', node: member.value } : undefined;
			pieces.push({
				kind: 'value',
				names: whole.slice(path.length),
				node: member,
				table: node.type === 'TOMLTable' && names.length > path.length ? node : undefined,
			});
		}
	}
	return pieces.length === 0 && head === undefined ? undefined : { kind: 'lines', head, pieces };
}

/** Inside an inline table, where names are not dotted. */
function inlineAt(value: AST.TOMLContentNode, path: readonly string[]): Entry | undefined {
	let node = value;
	for (const name of path) {
		if (node.type !== 'TOMLInlineTable') return undefined;
		const found = node.body.filter((member) => namesOf(member.key)[0] === name);
		const [member] = found;
		if (member === undefined || found.length > 1 || member.key.keys.length > 1) return undefined;
		node = member.value;
	}
	return node.type === 'TOMLInlineTable' ? { kind: 'inline', node } : undefined;
}

function isBelow(names: readonly string[], path: readonly string[]): boolean {
	return names.length >= path.length && path.every((name, index) => names[index] === name);
}

function piecesOf(entry: Extract<Entry, { kind: 'lines' }>, key: string): readonly Piece[] {
	const found = entry.pieces.filter(({ names }) => names[0] === key);
	// What stands in a table goes and comes with it.
	const tables = new Set(found.flatMap((piece) => (piece.kind === 'table' ? [piece.node] : [])));
	return found.filter((piece) => piece.kind === 'table' || piece.table === undefined || !tables.has(piece.table));
}

/** The whole lines of a piece, with what is said beside it. */
function linesOf(text: string, piece: Piece): [from: number, to: number] {
	const { range } = piece.node;
	const last = piece.kind === 'table' ? (piece.node.body.at(-1)?.range[1] ?? piece.node.key.range[1]) : range[1];
	return [lineStart(text, range[0]), nextLine(text, last)];
}

function headEnd(text: string, { head }: Extract<Entry, { kind: 'lines' }>): number | undefined {
	return head === undefined ? undefined : nextLine(text, head.key.range[1]);
}

/** Puts lines of another text where they stood there: behind what was before them, and behind what was said above them. */
function insertPiece(text: string, from: string, path: readonly string[], piece: Piece): string | undefined {
	const source = entryAt(from, path);
	const entry = entryAt(text, path);
	if (source?.kind !== 'lines' || entry?.kind !== 'lines') return undefined;
	const [start, end] = linesOf(from, piece);
	const block = withoutNewline(from.slice(start, end));
	const earlier = source.pieces.filter((other) => linesOf(from, other)[0] < start);
	// The nearest one that is there.
	for (const other of earlier.toReversed()) {
		const anchor = entry.pieces.find(
			(candidate) => candidate.kind === other.kind && isSameName(candidate.names, other.names),
		);
		if (anchor !== undefined) return insertBehind(linesOf(text, anchor)[1], linesOf(from, other)[1]);
	}
	const headOfSource = headEnd(from, source);
	const head = headEnd(text, entry);
	if (head !== undefined && headOfSource !== undefined) return insertBehind(head, headOfSource);
	const [next] = entry.pieces;
	if (next === undefined) return undefined;
	const before = linesOf(text, next)[0];
	return spliced(text, before, before, block + newlineOf(text));

	function insertBehind(offset: number, offsetInSource: number): string {
		const own =
			entry?.kind === 'lines' ? entry.pieces.filter((other) => other.kind === 'value' && !other.table) : [];
		// What stood below a table would belong to it.
		const least = piece.kind === 'table' ? Math.max(0, ...own.map((other) => linesOf(text, other)[1])) : 0;
		const between = from.slice(offsetInSource, start);
		const behind = Math.max(offset, least);
		const at = text.startsWith(between, behind) ? behind + between.length : behind;
		return spliced(text, at, at, atLineStart(text, at) + block + newlineOf(text));
	}
}

function isSameName(one: readonly string[], other: readonly string[]): boolean {
	return one.length === other.length && isBelow(one, other);
}

/** Puts lines behind a key of the entry, or first. */
function insertLines(
	text: string,
	entry: Extract<Entry, { kind: 'lines' }>,
	line: (prefix: string) => string,
	after: string,
): string | undefined {
	const own = entry.pieces.filter((piece) => piece.kind === 'value' && piece.table === undefined);
	const [first] = own;
	const previous = own.findLast(({ names }) => names[0] === after);
	const model = previous ?? first;
	if (model?.kind !== 'value' && entry.head === undefined) return undefined;
	let indent = '';
	let prefix = '';
	if (model?.kind === 'value') {
		const start = lineStart(text, model.node.range[0]);
		indent = text.slice(start, model.node.range[0]);
		// `mcp_servers.name.` where the entry has no table of its own.
		const [partOffset] = model.node.key.keys[model.node.key.keys.length - model.names.length]?.range ?? [];
		prefix = text.slice(model.node.range[0], partOffset ?? model.node.range[0]);
	}
	const inserted = indent + line(prefix);
	const newline = newlineOf(text);
	if (previous !== undefined) {
		const at = lineEnd(text, previous.node.range[1]);
		return spliced(text, at, at, newline + inserted);
	}
	const at = headEnd(text, entry) ?? lineStart(text, model?.node.range[0] ?? 0);
	return spliced(text, at, at, atLineStart(text, at) + inserted + newline);
}

function atLineStart(text: string, at: number): string {
	return at === 0 || text[at - 1] === '\n' ? '' : newlineOf(text);
}

function withoutNewline(lines: string): string {
	return lines.replace(/\r?\n$/, '');
}

function lastKey(node: AST.TOMLKeyValue): AST.TOMLBare | AST.TOMLQuoted {
	const last = node.key.keys.at(-1);
	if (last === undefined) throw new Error('A key has no name.');
	return last;
}

interface Member {
	readonly key: string;
	readonly text: string;
}

function membersOf(text: string, { node }: Extract<Entry, { kind: 'inline' }>): readonly Member[] {
	return node.body.map((member) => ({ key: namesOf(member.key)[0] ?? '', text: text.slice(...member.range) }));
}

function withInline(
	text: string,
	entry: Extract<Entry, { kind: 'inline' }>,
	change: (members: readonly Member[]) => readonly Member[],
): string {
	const before = membersOf(text, entry);
	const after = change(before);
	if (after.length === before.length && after.every((member, index) => member.text === before[index]?.text))
		return text;
	return spliced(text, ...entry.node.range, `{ ${after.map((member) => member.text).join(', ')} }`);
}

function setMember(members: readonly Member[], key: string, value: EditValue, after: string): readonly Member[] {
	const member = { key, text: lineOf(key, value) };
	const at = members.findIndex((candidate) => candidate.key === key);
	const rest = members.filter((candidate) => candidate.key !== key);
	return rest.toSpliced(at === -1 ? rest.findLastIndex((candidate) => candidate.key === after) + 1 : at, 0, member);
}

function lineOf(key: string, value: EditValue): string {
	return `${keyOf(key)} = ${tomlOf(value)}`;
}

function tomlOf(value: EditValue): string {
	if (typeof value === 'string') return quoted(value);
	if (isList(value)) return `[${value.map(quoted).join(', ')}]`;
	return `{ ${Object.entries(value)
		.map(([name, item]) => `${keyOf(name)} = ${quoted(item)}`)
		.join(', ')} }`;
}

function keyOf(name: string): string {
	return /^[\w-]+$/.test(name) ? name : quoted(name);
}

/** JSON's strings are TOML's basic strings, but for one character. */
function quoted(text: string): string {
	return JSON.stringify(text).replaceAll('\u007F', '\\u007F');
}
