// What can be told of a call to an MCP server's tool and of its result. Only such calls are looked into; all others are passed over.

import { JsonScanner, MemberTable, OPEN_BRACE, OPEN_BRACKET, QUOTE, asciiOrUtf8 } from '../base/jsonScanner.ts';
import type { Span } from '../base/jsonScanner.ts';
import type { ColumnRange, GivenArguments, GivenValue, ResultContent, ToolResult } from '../events/sessionEvent.ts';

const mostMembers = 64;
const mostScalars = 32;
const mostLevels = 3;
const valueLength = 200;
/** Beyond that nobody reads arguments any more, however many entries a list has. */
const mostVisits = 4096;
const mostContentBytes = 64 * 1024;
/** Calls whose result has not come; a file that is cut or damaged may have very many. */
const mostOpenCalls = 4096;

/** The ids of calls to MCP servers' tools, so that their results are known when they come. */
export class McpCalls {
	private readonly open = new Set<string>();

	add(id: string): void {
		if (this.open.size >= mostOpenCalls) {
			const [oldest] = this.open;
			if (oldest !== undefined) this.open.delete(oldest);
		}
		this.open.add(id);
	}

	/** Whether the call is one of them. It is forgotten with its result. */
	take(id: string): boolean {
		return this.open.size > 0 && this.open.delete(id);
	}
}

/**
 * What the arguments in `bytes[start, end)` say: an object, or a string that holds one.
 * @param range Where they stand in their line.
 */
export function givenArguments(bytes: Uint8Array, start: number, end: number, range: ColumnRange): GivenArguments {
	const found: Found = { values: [], paths: new Set(), isPartial: false, visits: 0 };
	const scanner = argumentScanner;
	scanner.reset(bytes, start, end);
	if (scanner.peek() === QUOTE) {
		const text = encoder.encode(scanner.readText());
		scanner.reset(text, 0, text.length);
		// No text at all is how some write a call without arguments.
		if (scanner.isAtEnd()) return { range, values: [], isPartial: false };
	}
	if (scanner.peek() !== OPEN_BRACE || !members(scanner, '', 1, found)) found.isPartial = true;
	return { range, values: found.values, isPartial: found.isPartial };
}

const argumentScanner = new JsonScanner();

interface Found {
	readonly values: GivenValue[];
	readonly paths: Set<string>;
	isPartial: boolean;
	visits: number;
}

/** Walks the object at the cursor. False: it is not JSON, or longer than anybody reads. */
function members(scanner: JsonScanner, prefix: string, level: number, found: Found): boolean {
	return eachMember(scanner, (name) => {
		const path = prefix + name;
		if (++found.visits > mostVisits) return false;
		if (level > mostLevels) {
			found.isPartial = true;
			return scanner.skipValue();
		}
		const first = scanner.peek();
		const start = scanner.position;
		if (!scanner.skipValue()) return false;
		const end = scanner.position;
		if (found.values.length < mostMembers) {
			found.values.push({ path, value: jsonText(scanner.bytes, start, end) });
			found.paths.add(path);
		} else if (!found.paths.has(path)) {
			// Further entries of a list say nothing new of what was given.
			found.isPartial = true;
		}
		if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return true;
		scanner.position = start;
		const isRead =
			first === OPEN_BRACE
				? members(scanner, `${path}.`, level + 1, found)
				: entries(scanner, `${path}[].`, level + 1, found);
		scanner.position = end;
		return isRead;
	});
}

/** The members of the objects in the list at the cursor. */
function entries(scanner: JsonScanner, prefix: string, level: number, found: Found): boolean {
	let isRead = true;
	scanner.readArray(() => {
		if (isRead && scanner.peek() === OPEN_BRACE) isRead = members(scanner, prefix, level, found);
		else scanner.skipValue();
	}, undefined);
	return isRead && scanner.failedAt === -1;
}

/** Calls `read` with the cursor before the value of each member; it has to pass over the value. False: not JSON, or it said so. */
function eachMember(scanner: JsonScanner, read: (name: string) => boolean): boolean {
	scanner.position++;
	let byte = scanner.peek();
	while (byte === QUOTE) {
		if (!scanner.readString()) return false;
		const name = scanner.string();
		if (scanner.peek() !== COLON) return false;
		scanner.position++;
		if (!read(name)) return false;
		byte = scanner.peek();
		if (byte === COMMA) {
			scanner.position++;
			byte = scanner.peek();
		} else if (byte === QUOTE) return false;
	}
	if (byte !== CLOSE_BRACE) return false;
	scanner.position++;
	return true;
}

/** The beginning of the JSON value in `bytes[start, end)`; of an empty object or list its shortest form. */
function jsonText(bytes: Uint8Array, start: number, end: number): string {
	// A unit of UTF-16 is never more than three bytes, and what the cut leaves of a character falls away with the rest.
	const text = asciiOrUtf8(bytes, start, Math.min(end, start + valueLength * 3));
	if (text.length > valueLength)
		return text.slice(0, isHighSurrogate(text, valueLength - 1) ? -1 + valueLength : valueLength);
	const first = text.charCodeAt(0);
	if (first === OPEN_BRACKET && /^\[\s*\]$/.test(text)) return '[]';
	return first === OPEN_BRACE && /^\{\s*\}$/.test(text) ? '{}' : text;
}

function isHighSurrogate(text: string, index: number): boolean {
	const unit = text.charCodeAt(index);
	return unit >= 0xd800 && unit <= 0xdbff;
}

/**
 * What can be told of a result: a string, a list of content blocks, or an object that holds such a list as `content`.
 * `undefined` where it is no JSON and not empty, or too long, or more than text.
 * @param structured The structured content, where it stands apart; `start` is -1 where there is none.
 */
export function resultContent(bytes: Uint8Array, content: Span, structured: Span): ResultContent | undefined {
	const text = content.end - content.start > mostContentBytes * 2 ? undefined : textOf(bytes, content);
	const told = text === undefined ? undefined : contentOfText(text, true);
	if (told !== undefined || structured.start === -1 || structured.end - structured.start > mostContentBytes)
		return told;
	return contentOfJson(bytes, structured.start, structured.end, false);
}

/** What can be told of the answer to a call as the wire has it: a result of MCP, or an error of JSON-RPC. */
export function wireAnswer(
	bytes: Uint8Array,
	answer: Span,
	isError: boolean,
): Pick<ToolResult, 'content' | 'errorText'> {
	if (answer.end - answer.start > mostContentBytes * 2) return {};
	const found = { content: noSpan(), structured: noSpan(), message: noSpan(), isError };
	const scanner = new JsonScanner();
	scanner.reset(bytes, answer.start, answer.end);
	if (scanner.peek() !== OPEN_BRACE || !scanner.readObject(answerMembers, found)) return {};
	if (!found.isError) return { content: resultContent(bytes, found.content, found.structured) };
	return { errorText: errorText(bytes, isError ? found.message : found.content) };
}

interface FoundAnswer {
	readonly content: Span;
	readonly structured: Span;
	readonly message: Span;
	isError: boolean;
}

const answerMembers = new MemberTable<FoundAnswer>({
	content: (scanner, found) => scanner.passValue(found.content),
	structuredContent: (scanner, found) => scanner.passValue(found.structured),
	message: (scanner, found) => scanner.passValue(found.message),
	isError: (scanner, found) => void (found.isError ||= scanner.readBoolean()),
});

function noSpan(): Span {
	return { start: -1, end: -1 };
}

const errorLength = 400;

/**
 * How the text of a failed call begins: a string, or the first text of a list of content blocks. `undefined` where it has none.
 */
export function errorText(bytes: Uint8Array, content: Span): string | undefined {
	if (content.start === -1 || content.end - content.start > mostContentBytes) return undefined;
	const scanner = new JsonScanner();
	scanner.reset(bytes, content.start, content.end);
	let text = '';
	if (scanner.peek() === QUOTE) text = scanner.readText();
	else if (scanner.peek() === OPEN_BRACKET) {
		scanner.readArray(() => {
			const first = { text: '' };
			if (text !== '' || scanner.peek() !== OPEN_BRACE) scanner.skipValue();
			else scanner.readObject(firstTextMembers, first);
			text ||= first.text;
		}, undefined);
	}
	text = withoutWallTime(text).trim();
	return text === '' ? undefined : text.slice(0, errorLength);
}

const firstTextMembers = new MemberTable<{ text: string }>({
	text: (scanner, first) => void (first.text = scanner.readText()),
});

/** The one text of a result; `undefined` where there are several, or something else beside. */
function textOf(bytes: Uint8Array, content: Span): string | undefined {
	const scanner = new JsonScanner();
	scanner.reset(bytes, content.start, content.end);
	const first = scanner.peek();
	if (first === -1) return '';
	if (first === QUOTE) return isProse(scanner) ? undefined : scanner.readText();
	return first === OPEN_BRACKET ? textOfBlocks(scanner) : undefined;
}

/** Whether the string at the cursor can be told from its first character to be no JSON: most results are, and are not decoded for nothing. */
function isProse(scanner: JsonScanner): boolean {
	const byte = scanner.bytes[scanner.position + 1] ?? 0;
	return byte > 0x20 && !tellingBytes.has(byte);
}

/** The end of the string, an object, a list, an escape; "(… completed with no output)" and "Wall time: …". */
const tellingBytes: ReadonlySet<number> = new Set([QUOTE, OPEN_BRACE, OPEN_BRACKET, 0x5c, 0x28, 0x57]);

interface Block {
	type: string;
	text: string;
	isProse: boolean;
}

const blockMembers = new MemberTable<Block>({
	type: (scanner, block) => void (block.type = scanner.readText()),
	text(scanner, block) {
		block.isProse = scanner.peek() === QUOTE && isProse(scanner);
		if (block.isProse) scanner.skipValue();
		else block.text = scanner.readText();
	},
});

/** MCP and Claude Code call it `text`, OpenAI's interface `input_text` or `output_text`. */
const textTypes: ReadonlySet<string> = new Set(['text', 'input_text', 'output_text']);

function textOfBlocks(scanner: JsonScanner): string | undefined {
	const texts: string[] = [];
	let isTextOnly = true;
	scanner.readArray(() => {
		const block = { type: '', text: '', isProse: false };
		if (scanner.peek() === OPEN_BRACE) scanner.readObject(blockMembers, block);
		else scanner.skipValue();
		if (!textTypes.has(block.type) || block.isProse) isTextOnly = false;
		else if (withoutWallTime(block.text).trim() !== '') texts.push(block.text);
	}, undefined);
	if (!isTextOnly || scanner.failedAt !== -1 || texts.length > 1) return undefined;
	return texts[0] ?? '';
}

/** Codex writes how long the call took before what it gave. */
function withoutWallTime(text: string): string {
	return text.startsWith('Wall time: ') ? text.replace(/^Wall time: [\d.]+ seconds\r?\nOutput:\r?\n?/, '') : text;
}

/** @param mayWrap Whether it may be a whole result of MCP, as the files of some agents have it. */
function contentOfText(written: string, mayWrap: boolean): ResultContent | undefined {
	const text = withoutWallTime(written).trim();
	// What Claude Code writes for a result without any content: "(mcp__chat__list completed with no output)".
	if (text === '' || /^\(\S+ completed with no output\)$/.test(text)) return { items: 0, values: [] };
	if (text.length > mostContentBytes || !(text.startsWith('[') || text.startsWith('{'))) return undefined;
	// Codex leaves out the middle of a long result, which may well look whole after that.
	if (/…\d+ \w+ truncated…/.test(text)) return undefined;
	const bytes = encoder.encode(text);
	return bytes.length > mostContentBytes ? undefined : contentOfJson(bytes, 0, bytes.length, mayWrap);
}

interface Shape {
	readonly values: GivenValue[];
	/** The lengths of its lists. */
	readonly lists: number[];
	/** What their entries name, by path and value. */
	readonly listed: Map<string, GivenValue>;
	/** Of a whole result of MCP. */
	readonly content: Span;
	readonly structured: Span;
}

function contentOfJson(bytes: Uint8Array, start: number, end: number, mayWrap: boolean): ResultContent | undefined {
	const scanner = new JsonScanner();
	scanner.reset(bytes, start, end);
	const first = scanner.peek();
	if (first === OPEN_BRACKET) {
		const blocks = mayWrap ? textOfResult(bytes, { start: scanner.position, end }) : undefined;
		if (blocks !== undefined) return contentOfText(blocks, false);
		scanner.reset(bytes, start, end);
		const listed = new Map<string, GivenValue>();
		const items = readList(scanner, '', listed);
		return scanner.failedAt === -1 && scanner.isAtEnd() ? { items, values: [], ...listedIn(listed) } : undefined;
	}
	const shape: Shape = {
		values: [],
		lists: [],
		listed: new Map(),
		content: { start: -1, end: -1 },
		structured: { start: -1, end: -1 },
	};
	if (first !== OPEN_BRACE || !shapeOf(scanner, '', 1, shape) || !scanner.isAtEnd()) return undefined;
	if (mayWrap) {
		if (shape.structured.start !== -1)
			return contentOfJson(bytes, shape.structured.start, shape.structured.end, false);
		const inner = textOfResult(bytes, shape.content);
		if (inner !== undefined) return contentOfText(inner, false);
	}
	const [items] = shape.lists;
	const told = { values: shape.values, ...listedIn(shape.listed) };
	return shape.lists.length === 1 ? { items, ...told } : told;
}

function listedIn(listed: ReadonlyMap<string, GivenValue>): Pick<ResultContent, 'listed'> {
	return listed.size === 0 ? {} : { listed: [...listed.values()] };
}

/** The text of a list that is one of MCP's content blocks; `undefined` for any other list. */
function textOfResult(bytes: Uint8Array, list: Span): string | undefined {
	if (list.start === -1) return undefined;
	const scanner = new JsonScanner();
	scanner.reset(bytes, list.start, list.end);
	if (lengthOfArray(scanner) === 0) return undefined;
	scanner.reset(bytes, list.start, list.end);
	return textOfBlocks(scanner);
}

function lengthOfArray(scanner: JsonScanner): number {
	let length = 0;
	scanner.readArray(() => {
		length++;
		scanner.skipValue();
	}, undefined);
	return length;
}

const mostListed = 32;
const listedLength = 64;
/** Names that say which of several something is, and those of the places that tools look in. */
const listedName =
	/^(?=.{3,40}$)(?:.*[a-z0-9][_-](?:id|uuid|key|slug|name)|.*[a-z0-9](?:Id|ID|Uuid|Key|Slug|Name)|context|session|chat|channel|thread|tab|project|workspace|repo|repository|branch|team|tenant|org|organization|account|region|environment|namespace|cluster|database|schema|bucket|folder)$/;

/** Gives the length of the list at the cursor, and remembers what its entries name. */
function readList(scanner: JsonScanner, path: string, listed: Map<string, GivenValue>): number {
	let length = 0;
	scanner.readArray(() => {
		length++;
		const start = (scanner.peek(), scanner.position);
		const isObject = scanner.peek() === OPEN_BRACE;
		scanner.skipValue();
		if (!isObject || listed.size >= mostListed || scanner.failedAt !== -1) return;
		const end = scanner.position;
		scanner.position = start;
		eachMember(scanner, (name) => {
			const first = scanner.peek();
			const from = scanner.position;
			if (!scanner.skipValue()) return false;
			const isWanted = first === QUOTE && scanner.position - from <= listedLength && listedName.test(name);
			if (isWanted && listed.size < mostListed) {
				const value = { path: `${path}[].${name}`, value: jsonText(scanner.bytes, from, scanner.position) };
				listed.set(`${value.path} ${value.value}`, value);
			}
			return true;
		});
		scanner.position = end;
	}, undefined);
	return length;
}

function shapeOf(scanner: JsonScanner, prefix: string, level: number, shape: Shape): boolean {
	return eachMember(scanner, (name) => {
		const first = scanner.peek();
		const start = scanner.position;
		if (first === OPEN_BRACE && !(level === 1 && name === 'structuredContent')) {
			return level < mostLevels ? shapeOf(scanner, `${prefix}${name}.`, level + 1, shape) : scanner.skipValue();
		}
		if (first === OPEN_BRACKET) {
			shape.lists.push(readList(scanner, `${prefix}${name}`, shape.listed));
			if (level === 1 && name === 'content') {
				shape.content.start = start;
				shape.content.end = scanner.position;
			}
			return scanner.failedAt === -1;
		}
		if (!scanner.skipValue()) return false;
		if (first === OPEN_BRACE) {
			shape.structured.start = start;
			shape.structured.end = scanner.position;
		} else if (shape.values.length < mostScalars) {
			shape.values.push({ path: prefix + name, value: jsonText(scanner.bytes, start, scanner.position) });
		}
		return true;
	});
}

const encoder = new TextEncoder();

const COLON = 0x3a;
const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;
