// Where an argument stands in a call, or would stand, and how it is put there without touching a byte of the rest.

import { jsonText } from '../../base/jsonText.ts';
import { JsonScanner, MemberTable } from '../../base/jsonScanner.ts';
import type { Span } from '../../base/jsonScanner.ts';
import { decoded, encodedText, isObject, readRpc, replaced } from '../rpc.ts';
import type { Replacement, RpcMessage } from '../rpc.ts';

/** One place that a path means; a path through an array means one in each of its elements. */
export interface ArgumentPlace {
	/** From the arguments down to it: names, and numbers of elements. */
	readonly keys: readonly (string | number)[];
	/** `blocked`: something stands on the way that is no object, or no array where one has to be. */
	readonly state: 'given' | 'absent' | 'blocked';
	/** Where it is given. */
	readonly value: unknown;
}

/**
 * @param args The arguments; `null` counts as none.
 * @param path As in `GivenValue`: `context_id`, `filter.project`, `queries[].repo`.
 * @returns None where the path goes through an array that is not there, or is empty.
 */
export function placesOf(args: unknown, path: string): readonly ArgumentPlace[] {
	const places: ArgumentPlace[] = [];
	const steps = withoutElements(path)
		.split('.')
		.flatMap((name) => [
			withoutElements(name),
			...Array.from({ length: (name.match(/\[\]/g) ?? []).length }, () => element),
		]);
	collect(args ?? {}, steps, [], places);
	return places;
}

/** Stands for each element of an array; as a name it could not be written in a path. */
const element = '[]';

function withoutElements(name: string): string {
	let { length } = name;
	while (name.endsWith(element, length)) length -= element.length;
	return name.slice(0, length);
}

function collect(
	value: unknown,
	steps: readonly string[],
	keys: readonly (string | number)[],
	places: ArgumentPlace[],
): void {
	const [step, ...rest] = steps;
	if (step === undefined) {
		places.push({ keys, state: 'given', value });
		return;
	}
	if (step === element) {
		if (!Array.isArray(value)) places.push({ keys, state: 'blocked', value: undefined });
		else for (const [index, one] of value.entries()) collect(one, rest, [...keys, index], places);
		return;
	}
	if (!isObject(value)) {
		places.push({ keys, state: 'blocked', value: undefined });
		return;
	}
	if (Object.hasOwn(value, step)) {
		collect(value[step], rest, [...keys, step], places);
		return;
	}
	// A name may hold a dot itself.
	const whole = steps.every((one) => one !== element) ? steps.join('.') : step;
	if (Object.hasOwn(value, whole)) {
		places.push({ keys: [...keys, whole], state: 'given', value: value[whole] });
		return;
	}
	const names = steps.filter((one) => one !== element);
	if (names.length === steps.length) places.push({ keys: [...keys, ...names], state: 'absent', value: undefined });
}

/** A value for a place that is absent. */
export interface Insertion {
	readonly keys: readonly (string | number)[];
	/** JSON. */
	readonly value: string;
}

/**
 * A `tools/call` with values in places of its arguments where there were none. Objects that are missing on the way are made.
 * `undefined`: the places are not in these bytes.
 */
export function inserted(message: RpcMessage, insertions: readonly Insertion[]): RpcMessage | undefined {
	const { bytes, spans } = message;
	if (spans.params.start < 0) return undefined;
	const root: Addition = { members: new Map(), value: undefined };
	for (const { keys, value } of insertions) {
		let node = root;
		for (const key of ['arguments', ...keys]) {
			let next = node.members.get(key);
			if (next === undefined) node.members.set(key, (next = { members: new Map(), value: undefined }));
			node = next;
		}
		node.value = value;
	}
	const scanner = new JsonScanner();
	scanner.reset(bytes, spans.params.start, spans.params.end);
	const edits: Replacement[] = [];
	// Arguments that are null are none.
	const isNull = message.params['arguments'] === null;
	if (!added(scanner, root, edits, isNull)) return undefined;
	const read = readRpc(replaced(bytes, edits));
	// A message may be written so (`params` with escapes in its name) that what was found is not what its reader will take.
	const isThere = ({ keys }: Insertion) =>
		valueAt(read.kind === 'problem' ? {} : read.params, ['arguments', ...keys]);
	return read.kind === 'problem' || insertions.some((insertion) => isThere(insertion) === undefined)
		? undefined
		: read;
}

/**
 * A `tools/call` with other arguments; not a byte of the rest is touched.
 * @param json One JSON object.
 * `undefined`: there is no place for them in these bytes.
 */
export function withArguments(message: RpcMessage, json: string): RpcMessage | undefined {
	const { bytes, spans } = message;
	if (spans.params.start < 0) return undefined;
	const scanner = new JsonScanner();
	scanner.reset(bytes, spans.params.start, spans.params.end);
	const edits: Replacement[] = [];
	const root: Addition = { members: new Map([['arguments', { members: new Map(), value: json }]]), value: undefined };
	if (!added(scanner, root, edits, true)) return undefined;
	const read = readRpc(replaced(bytes, edits));
	return read.kind === 'problem' ? undefined : read;
}

/** The arguments of a `tools/call` as they stand there, JSON; `{}` where there are none. */
export function argumentsOf(message: RpcMessage): string {
	const { bytes, spans, params } = message;
	if (spans.params.start < 0 || params['arguments'] === undefined || params['arguments'] === null) return '{}';
	const scanner = new JsonScanner();
	const span = { start: -1, end: -1 };
	scanner.reset(bytes, spans.params.start, spans.params.end);
	scanner.readObject(argumentsMember, span);
	return span.start < 0 ? jsonText(params['arguments']) : decoded(bytes.subarray(span.start, span.end));
}

const argumentsMember = new MemberTable<Span>({ arguments: (scanner, span) => scanner.passValue(span) });

function valueAt(root: unknown, keys: readonly (string | number)[]): unknown {
	let value = root;
	for (const key of keys) {
		if (Array.isArray(value)) value = value[Number(key)] as unknown;
		else value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
	}
	return value;
}

/** What is to be added below a place. */
interface Addition {
	readonly members: Map<string | number, Addition>;
	value: string | undefined;
}

/** @param replacesMembers A member that is there and is no object gives way. */
function added(scanner: JsonScanner, node: Addition, edits: Replacement[], replacesMembers: boolean): boolean {
	const open = scanner.peek();
	if (open === OPEN_BRACKET) return addedToElements(scanner, node, edits);
	if (open !== OPEN_BRACE) return false;
	const start = scanner.position + 1;
	const found = new Map<string | number, { readonly start: number; readonly end: number }>();
	scanner.position = start;
	let isEmpty = true;
	for (let next = scanner.peek(); next !== CLOSE_BRACE; next = scanner.peek()) {
		if (!isEmpty) {
			if (next !== COMMA) return false;
			scanner.position++;
		}
		isEmpty = false;
		if (scanner.peek() !== QUOTE || !scanner.skipValue()) return false;
		const name = scanner.string();
		if (scanner.peek() !== COLON) return false;
		scanner.position++;
		scanner.peek();
		const from = scanner.position;
		if (!scanner.skipValue()) return false;
		// Of two members with one name the last one counts.
		if (node.members.has(name)) found.set(name, { start: from, end: scanner.position });
	}
	const end = scanner.position + 1;
	const missing: string[] = [];
	for (const [name, addition] of node.members) {
		const span = found.get(name);
		if (span === undefined) missing.push(`${JSON.stringify(name)}:${textOf(addition)}`);
		else if (replacesMembers) edits.push({ span, with: encodedText(textOf(addition)) });
		else {
			scanner.position = span.start;
			if (!added(scanner, addition, edits, false)) return false;
		}
	}
	if (missing.length > 0)
		edits.push({ span: { start, end: start }, with: encodedText(`${missing.join(',')}${isEmpty ? '' : ','}`) });
	scanner.position = end;
	return true;
}

function addedToElements(scanner: JsonScanner, node: Addition, edits: Replacement[]): boolean {
	scanner.position++;
	let missing = node.members.size;
	for (let index = 0; scanner.peek() !== CLOSE_BRACKET; index++) {
		if (index > 0) {
			if (scanner.peek() !== COMMA) return false;
			scanner.position++;
		}
		const addition = node.members.get(index);
		if (addition !== undefined) missing--;
		if (!(addition === undefined ? scanner.skipValue() : added(scanner, addition, edits, false))) return false;
	}
	scanner.position++;
	return missing === 0;
}

function textOf(addition: Addition): string {
	if (addition.value !== undefined) return addition.value;
	return `{${[...addition.members].map(([name, member]) => `${JSON.stringify(name)}:${textOf(member)}`).join(',')}}`;
}

/** The scalar at a place, as JSON; `undefined` for what is no scalar, or too long to be a name of anything. */
export function scalarJson(value: unknown): string | undefined {
	if (typeof value === 'number' || (typeof value === 'string' && value !== '' && value.length <= LONGEST_SCALAR))
		return JSON.stringify(value);
	return undefined;
}

const LONGEST_SCALAR = 100;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
