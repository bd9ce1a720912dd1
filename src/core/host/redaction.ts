import { JsonScanner } from '../base/jsonScanner.ts';

/** What stands in the place of what must not be written. */
export const redacted = '[redacted]';

/** The part of a server's definition that says what must not be written. */
export interface RedactedServer {
	readonly name: string;
	readonly secrets: readonly string[];
	readonly redactedArguments: readonly string[];
}

/**
 * Takes secrets out of messages before they are recorded.
 *
 * A message is first searched for anything that could be one, which costs a look at every few bytes; only when something is found is
 * the message walked and written anew. It stays JSON: a string keeps what is around the secret, a value of another kind is replaced.
 * Every server's secrets are looked for in every message: an agent may well hand one server's key to another.
 */
export class Redaction {
	private readonly search: ByteSearch;
	/** What is looked for in text, longest first, so that a secret that holds another is taken out whole. */
	private readonly texts: readonly string[];
	/** Some encoder would write one of the secrets with escapes of its own choice. */
	private readonly isEscapedAtWill: boolean;
	private readonly argumentPaths = new Map<
		string,
		{ readonly arguments: PathNode; readonly calls: PathNode; readonly hooks: PathNode }
	>();
	/** In a list of calls of different servers each is spared what any of them is to be spared. */
	private readonly batchPaths: PathNode | undefined;

	constructor(servers: readonly RedactedServer[]) {
		const secrets = new Set(
			servers.flatMap((server) => server.secrets.flatMap((secret) => [secret, secret.trim()])),
		);
		secrets.delete('');
		const texts = new Set<string>();
		const needles = new Set<string>([
			'eaders"',
			'EADERS"',
			'uthorization',
			'UTHORIZATION',
			'-api-key',
			'-API-KEY',
			'-Api-Key',
			'-API-Key',
			'ookie',
			'OOKIE',
		]);
		for (const secret of secrets) {
			for (const text of textForms(secret)) {
				texts.add(text);
				needles.add(text);
				needles.add(escaped(text));
			}
			// A short secret is looked for as a whole string only; that string may be of any length of escapes.
			if (secret.length < shortest) needles.add(JSON.stringify(secret));
		}
		this.texts = [...texts].sort((left, right) => right.length - left.length);
		this.search = new ByteSearch([...needles].map((needle) => utf8.encode(needle)));
		this.isEscapedAtWill = [...secrets].some((secret) => !/^[\w.~:@ -]*$/.test(secret));
		for (const { name, redactedArguments } of servers) {
			if (redactedArguments.length === 0) continue;
			const paths = redactedArguments.map((path) => path.split('.'));
			this.argumentPaths.set(name, {
				arguments: pathTree(paths),
				calls: pathTree(paths.map((path) => ['params', 'arguments', ...path])),
				hooks: pathTree(paths.map((path) => ['tool_input', ...path])),
			});
		}
		const all = servers.flatMap(({ redactedArguments }) => redactedArguments.map((path) => path.split('.')));
		this.batchPaths =
			all.length === 0 ? undefined : pathTree(all.map((path) => ['tool_calls', 'tool_input', ...path]));
	}

	/** Text that is no JSON: a reason, what a server printed. */
	text(text: string): string {
		let clean = text.replace(writtenHeader, `$1${redacted}`).replace(writtenCookies, `$1${redacted}`);
		for (const secret of this.texts) if (clean.includes(secret)) clean = clean.replaceAll(secret, redacted);
		return clean;
	}

	/** One JSON-RPC message; the same bytes when there is nothing to take out. `isCall`: it is a `tools/call`. */
	message(bytes: Uint8Array, server: string, isCall: boolean): Uint8Array {
		const paths = isCall && this.argumentPaths.size > 0 ? this.argumentPaths.get(server)?.calls : undefined;
		return this.json(bytes, paths);
	}

	/** What an agent's hook says. The arguments of a call stand there too, or those of all calls of a message (`PostToolBatch`). */
	hook(bytes: Uint8Array, toolName: string | undefined): Uint8Array {
		return this.json(bytes, toolName === undefined ? this.batchPaths : this.pathsOfTool(toolName));
	}

	/** Whether an argument of a call must not be written. @param path As in `GivenValue`: `filter.project`, `queries[].repo`. */
	isArgumentRedacted(server: string, path: string): boolean {
		const root = this.argumentPaths.get(server)?.arguments;
		let nodes: readonly PathNode[] = root === undefined ? noNodes : [root];
		// Whoever names a member of a list's elements means each of them.
		for (const key of path.replaceAll('[]', '').split('.')) {
			nodes = childrenOf(nodes, key);
			if (nodes.some(({ isEnd }) => isEnd)) return true;
		}
		return false;
	}

	private pathsOfTool(toolName: string): PathNode | undefined {
		for (const [server, { hooks }] of this.argumentPaths) {
			// Agents write `mcp__server__tool`, and put `_` for what the provider does not take in a name.
			if (toolName.startsWith(`mcp__${server.replaceAll(/[^\w-]/g, '_')}__`)) return hooks;
		}
		return undefined;
	}

	private json(bytes: Uint8Array, paths: PathNode | undefined): Uint8Array {
		if (paths === undefined && !this.search.isIn(bytes) && !(this.isEscapedAtWill && hasUnusualEscape(bytes))) {
			return bytes;
		}
		return new Rewriter(bytes, this, paths).rewrite();
	}
}

/** Shorter secrets would be found inside of nearly everything. They count only where they are all that a string says. */
const shortest = 4;

/** A secret as it stands in a string, and as it stands in JSON that is itself the content of a string. */
function textForms(secret: string): readonly string[] {
	if (secret.length < shortest) return [JSON.stringify(secret)];
	return [secret, escaped(secret)];
}

function escaped(text: string): string {
	return JSON.stringify(text).slice(1, -1);
}

/** Keys below `headers` whose values let somebody in. */
const sensitiveHeader =
	/authorization|cookie|token|secret|password|api-?key|access-?key|auth-?key|credential|signature/i;
/**
 * A header as a command line, a log or JSON inside of a string has it. The schemes that everybody knows are kept. A word before something as long as
 * a credential may be another one (`ApiKey`, `SSWS`), or the credential itself: both go. Several parameters have quotes of their own.
 */
const writtenHeader =
	/((?:authorization|x-api-key)["'\\]*\s*[:=]\s*["'\\]*(?!(?:\w+\s+)?\[redacted\])(?:(?:bearer|basic|digest|token)\s+)?)(?:[\w-]+[ \t]+(?![-/]|\w+:\/\/)(?=[^\s"'\\,;}]{8}))?(?:[\w-]+=\\*["'][^"'\\]*\\*["']|[^\s"'\\,;}]+)(?:,[ \t]*[\w-]+=(?:\\*["'][^"'\\]*\\*["']|[^\s"'\\,;}]+))*/gi;
/** The header of cookies, likewise: a name and a value, and all that follows them. */
const writtenCookies = /(cookie["'\\]*\s*:\s*["'\\]*)[\w!#$%&*+.^`|~-]+=[^"'\\\r\n]*/gi;
const headersKey = /headers$/i;
/** Of a header in a list, as the archives of browsers (HAR) and clients of HTTP have it. */
const nameKey = /^(?:name|key)$/i;
const valueKey = /^value$/i;

/** Where arguments must not be written: what follows a key, and whether the value there is meant itself. */
interface PathNode {
	readonly children: Map<string, PathNode>;
	isEnd: boolean;
}

function pathTree(paths: readonly (readonly string[])[]): PathNode {
	const root: PathNode = { children: new Map(), isEnd: false };
	for (const path of paths) {
		let node = root;
		for (const key of path) {
			let child = node.children.get(key);
			if (child === undefined) node.children.set(key, (child = { children: new Map(), isEnd: false }));
			node = child;
		}
		node.isEnd = true;
	}
	return root;
}

interface Frame {
	readonly isObject: boolean;
	/** The places in the tree of paths that this value stands at; several, because `*` and a name may both fit. */
	readonly nodes: readonly PathNode[];
	readonly isHeaders: boolean;
	/** One header of a list: `{ name, value }` or `[name, value]`. */
	readonly isHeader: boolean;
	/** Its value lets somebody in; `undefined`: its name has not come. */
	isSensitive: boolean | undefined;
}

const noNodes: readonly PathNode[] = [];

/** Walks one message, however deep, and copies it but for what is taken out. */
class Rewriter {
	private readonly bytes: Uint8Array;
	private readonly redaction: Redaction;
	private readonly rootNodes: readonly PathNode[];
	private readonly scanner = new JsonScanner();
	private readonly pieces: Uint8Array[] = [];
	/** What is before has been copied. */
	private copied = 0;

	constructor(bytes: Uint8Array, redaction: Redaction, paths: PathNode | undefined) {
		this.bytes = bytes;
		this.redaction = redaction;
		this.rootNodes = paths === undefined ? noNodes : [paths];
	}

	rewrite(): Uint8Array {
		const { scanner, bytes } = this;
		scanner.reset(bytes, 0, bytes.length);
		// What cannot be read cannot be searched either, so nothing of it is kept.
		if (!this.walk() || !scanner.isAtEnd()) return quotedRedacted;
		if (this.pieces.length === 0) return bytes;
		this.pieces.push(bytes.subarray(this.copied));
		return joined(this.pieces);
	}

	private walk(): boolean {
		const { scanner } = this;
		const frames: Frame[] = [];
		let nodes = this.rootNodes;
		let isHeaders = false;
		let isName = false;
		for (;;) {
			// Before a value.
			const first = scanner.peek();
			if (first === OPEN_BRACE || first === OPEN_BRACKET) {
				scanner.position++;
				const outer = frames.at(-1);
				const isHeader = outer?.isObject === false && outer.isHeaders && !outer.isHeader;
				frames.push({ isObject: first === OPEN_BRACE, nodes, isHeaders, isHeader, isSensitive: undefined });
				if (this.closes(frames)) {
					if (!this.leave(frames)) return frames.length === 0;
				}
			} else {
				if (!this.scalar(first)) return false;
				const frame = frames.at(-1);
				if (isName && frame !== undefined)
					frame.isSensitive = first === QUOTE && sensitiveHeader.test(scanner.string());
				if (!this.leave(frames)) return frames.length === 0 && scanner.failedAt === -1;
			}
			// Before an element or a member of the innermost container; members that are taken out are passed over here.
			for (;;) {
				const frame = frames.at(-1);
				if (frame === undefined) return false;
				if (!frame.isObject) {
					// Whoever names a member of a list's elements means each of them.
					nodes = frame.nodes.length === 0 ? noNodes : [...frame.nodes, ...childrenOf(frame.nodes, '*')];
					isHeaders = frame.isHeaders;
					isName = frame.isHeader && frame.isSensitive === undefined;
					if (frame.isSensitive !== true && !nodes.some((node) => node.isEnd && !frame.nodes.includes(node)))
						break;
				} else {
					const key = this.key();
					if (key === undefined) return false;
					nodes = frame.nodes.length === 0 ? noNodes : childrenOf(frame.nodes, key);
					isHeaders = headersKey.test(key);
					isName = frame.isHeader && nameKey.test(key);
					const isCredential =
						(frame.isSensitive === true && valueKey.test(key)) ||
						(frame.isHeaders && sensitiveHeader.test(key));
					if (!isCredential && !nodes.some((node) => node.isEnd)) break;
				}
				scanner.peek();
				const start = scanner.position;
				if (!scanner.skipValue()) return false;
				this.replace(start, scanner.position, quotedRedacted);
				if (!this.leave(frames)) return frames.length === 0;
			}
		}
	}

	/** After a value: goes past the comma to the next one, out of every container that ends here. False: there is no next value. */
	private leave(frames: Frame[]): boolean {
		const { scanner } = this;
		for (;;) {
			if (frames.length === 0) return false;
			const next = scanner.peek();
			if (next === COMMA) {
				scanner.position++;
				return true;
			}
			if (!this.closes(frames)) return false;
		}
	}

	/** Whether the innermost container ends here; then it has been left. */
	private closes(frames: Frame[]): boolean {
		const frame = frames.at(-1);
		if (frame === undefined || this.scanner.peek() !== (frame.isObject ? CLOSE_BRACE : CLOSE_BRACKET)) return false;
		this.scanner.position++;
		frames.pop();
		return true;
	}

	private key(): string | undefined {
		const { scanner } = this;
		if (scanner.peek() !== QUOTE || !this.scalar(QUOTE)) return undefined;
		const key = scanner.string();
		if (scanner.peek() !== COLON) return undefined;
		scanner.position++;
		return key;
	}

	/** Passes over a string, number or word, and takes out what is secret in it. False: not JSON. */
	private scalar(first: number): boolean {
		const { scanner, redaction } = this;
		const start = scanner.position;
		if (!scanner.skipValue()) return false;
		if (first === QUOTE) {
			const text = scanner.string();
			// A short secret is known by its quotes.
			const isShort = text.length < shortest && redaction.text(JSON.stringify(text)) === redacted;
			const clean = isShort ? redacted : redaction.text(text);
			if (clean !== text) this.replace(start, scanner.position, utf8.encode(JSON.stringify(clean)));
			return true;
		}
		const word = asText(this.bytes.subarray(start, scanner.position));
		if (redaction.text(word) !== word) this.replace(start, scanner.position, quotedRedacted);
		return true;
	}

	private replace(start: number, end: number, by: Uint8Array): void {
		this.pieces.push(this.bytes.subarray(this.copied, start), by);
		this.copied = end;
	}
}

function childrenOf(nodes: readonly PathNode[], key: string): readonly PathNode[] {
	const found: PathNode[] = [];
	for (const { children } of nodes) {
		const named = children.get(key);
		if (named !== undefined) found.push(named);
		const any = key === '*' ? undefined : children.get('*');
		if (any !== undefined) found.push(any);
	}
	return found;
}

/** Whether there is an escape that the shortest form of the text would not need. */
function hasUnusualEscape(bytes: Uint8Array): boolean {
	for (let position = bytes.indexOf(BACKSLASH); position !== -1; position = bytes.indexOf(BACKSLASH, position + 2)) {
		const next = bytes[position + 1];
		if (next === LOWER_U || next === SLASH) return true;
	}
	return false;
}

/**
 * Finds out whether any of several texts is in a message, looking at one place for every few bytes and only once however many texts
 * there are (Wu and Manber).
 */
export class ByteSearch {
	private readonly needles: readonly Uint8Array[];
	/** Bytes that are looked at together: as many as the shortest text has. */
	private readonly width: number;
	/** By two neighbouring bytes: how far the window can move when it ends with them. */
	private readonly shifts = new Uint8Array(TABLE_SIZE);
	private readonly candidates = new Map<number, Uint8Array[]>();

	/** @param needles None shorter than two bytes. */
	constructor(needles: readonly Uint8Array[]) {
		this.needles = needles;
		this.width = Math.min(255, ...needles.map((needle) => needle.length));
		const { width, shifts, candidates } = this;
		shifts.fill(width - 1);
		for (const needle of needles) {
			for (let end = 1; end < width; end++) {
				const slot = slotOf(needle, end);
				shifts[slot] = Math.min(shifts[slot] ?? 0, width - 1 - end);
			}
			const slot = slotOf(needle, width - 1);
			candidates.set(slot, [...(candidates.get(slot) ?? []), needle]);
		}
	}

	isIn(bytes: Uint8Array): boolean {
		if (this.needles.length === 0) return false;
		const { shifts, width } = this;
		const { length } = bytes;
		let position = width - 1;
		while (position < length) {
			const slot = slotOf(bytes, position);
			// Every slot has its entry.
			const shift = shifts[slot] as number;
			if (shift > 0) {
				position += shift;
				continue;
			}
			const start = position - width + 1;
			for (const needle of this.candidates.get(slot) ?? []) if (startsWithAt(bytes, start, needle)) return true;
			position++;
		}
		return false;
	}
}

const TABLE_SIZE = 4096;

function slotOf(bytes: Uint8Array, end: number): number {
	// Both places are inside, as every caller has checked.
	return ((bytes[end - 1] as number) ^ ((bytes[end] as number) << 4)) & (TABLE_SIZE - 1);
}

function startsWithAt(bytes: Uint8Array, start: number, needle: Uint8Array): boolean {
	if (start + needle.length > bytes.length) return false;
	for (let index = 0; index < needle.length; index++) if (bytes[start + index] !== needle[index]) return false;
	return true;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
	const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
	let position = 0;
	for (const piece of pieces) {
		all.set(piece, position);
		position += piece.length;
	}
	return all;
}

function asText(bytes: Uint8Array): string {
	return decoder.decode(bytes);
}

const decoder = new TextDecoder();
const utf8 = new TextEncoder();
const quotedRedacted = utf8.encode(`"${redacted}"`);

const QUOTE = 0x22;
const COMMA = 0x2c;
const SLASH = 0x2f;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
