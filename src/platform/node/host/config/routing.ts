// What becomes of one entry of a client's configuration when it is routed through the host, and how it is put back.

import { isSame, plainOf, valueAt } from '../../../../core/host/config/configValue.ts';
import type { PlainValue } from '../../../../core/host/config/configValue.ts';
import { transportKeys } from '../../../../core/host/config/serverEntry.ts';
import type { ConfigDialect, UnresolvedServer } from '../../../../core/host/config/serverEntry.ts';
import { parseConfig } from './clientConfig.ts';
import type { ConfigFormat } from './clientConfig.ts';
import { editsOf } from './entryEdits.ts';

/** How a client starts this program. */
export interface Launcher {
	readonly command: string;
	/** Before the name of the command. */
	readonly args: readonly string[];
	readonly env: Readonly<Record<string, string>>;
}

export interface Route {
	readonly launcher: Launcher;
	/** The name that the host knows the server by. */
	readonly server: string;
	/** Where it is not the user's own. */
	readonly dataDirectory: string | undefined;
}

/** The text with the entry routed through the host; `undefined`: it cannot be changed safely. */
export function routed(
	text: string,
	format: ConfigFormat,
	path: readonly string[],
	{ server, dialect, keys }: RoutedEntry,
	route: Route,
): string | undefined {
	const edits = editsOf(format);
	const { launcher } = route;
	const urlKey = keys.includes('command') ? undefined : ['url', 'serverUrl'].find((key) => keys.includes(key));
	const args = [
		...launcher.args,
		'connect',
		...(route.dataDirectory === undefined ? [] : ['--data', route.dataDirectory]),
		// A name may look like an option.
		...(route.server.startsWith('-') ? ['--'] : []),
		route.server,
	];
	let result: string | undefined =
		urlKey === undefined
			? edits.set(text, path, 'command', launcher.command, 'command')
			: edits.replace(text, path, urlKey, 'command', launcher.command);
	const step = (change: (text: string) => string | undefined) => {
		result = result === undefined ? undefined : change(result);
	};
	step((now) => edits.set(now, path, 'args', args, 'command'));
	if (keys.includes('type')) step((now) => edits.set(now, path, 'type', 'stdio', 'args'));
	for (const key of transportKeys[dialect]) {
		if (key !== 'command' && key !== 'args' && key !== 'type') step((now) => edits.remove(now, path, key));
	}
	if (Object.keys(launcher.env).length > 0) step((now) => edits.set(now, path, 'env', launcher.env, 'args'));
	const variables = passedVariables(server);
	if (variables.length > 0) step((now) => edits.set(now, path, 'env_vars', variables, 'args'));
	return result;
}

export interface RoutedEntry {
	readonly server: UnresolvedServer;
	readonly dialect: ConfigDialect;
	readonly keys: readonly string[];
}

/** Codex gives a server few variables; the host may be started by what stands in for it, and then needs these. */
function passedVariables({ transport }: UnresolvedServer): readonly string[] {
	if (transport.kind === 'stdio') return [];
	return [
		...new Set([
			...(transport.tokenVariable === undefined ? [] : [transport.tokenVariable]),
			...Object.values(transport.headerVariables),
		]),
	];
}

/** Whether an entry starts this program, as somebody has written it by hand or as `routed` has. */
export function isRouted(entry: PlainValue): boolean {
	if (!isRecord(entry)) return false;
	const { command } = entry;
	const args = Array.isArray(entry['args']) ? entry['args'].map(String) : [];
	if (typeof command !== 'string') return false;
	if (/(?:^|[\\/])crosstalk(?:\.\w+)?$/i.test(command)) return args[0] === 'connect';
	return /(?:^|[\\/])(?:cli\.[cm]?js|bin\.ts|crosstalk)$/.test(args[0] ?? '') && args[1] === 'connect';
}

export type Returned =
	/** Put back; the text may be the same, where it was back already. */
	| { readonly text: string }
	/** Left as it is, and that is right; a part of a sentence. */
	| { readonly left: string }
	/** It should be put back, and cannot be. */
	| { readonly failed: string };

/**
 * Puts one entry back in a text that others have changed since: what we have changed in it becomes what it was, what others have changed
 * in it stays.
 */
export function returned(
	text: string,
	original: string,
	format: ConfigFormat,
	path: readonly string[],
	entry: { readonly original: PlainValue; readonly written: PlainValue },
): Returned {
	const before = plainAt(text, format, path);
	if (before === undefined) return { left: 'it is not there any more' };
	if (isSame(before, entry.original)) return { text };
	if (!isRecord(before) || !isRecord(entry.written) || !isRecord(entry.original))
		return { left: 'it is something else now' };
	if (!isSame(before['command'], entry.written['command']) || !isSame(before['args'], entry.written['args']))
		return { left: 'somebody has given it another command' };
	const expected = expectedEntry(before, entry.original, entry.written);
	const result = isSame(before, entry.written) ? editsOf(format).copyEntry(text, original, path) : undefined;
	const byKeys = result ?? returnedByKeys(text, original, format, path, before, entry.original, entry.written);
	if (byKeys === undefined || !isOnlyChange(text, byKeys, format, path, expected))
		return { failed: 'it is written in a way that cannot be changed safely' };
	return { text: byKeys };
}

type PlainRecord = { readonly [key: string]: PlainValue };

function expectedEntry(now: PlainRecord, original: PlainRecord, written: PlainRecord): PlainRecord {
	const entries = [...new Set([...Object.keys(now), ...Object.keys(original)])].flatMap(
		(key): [string, PlainValue][] => {
			const value = isTouched(key, now, original, written) ? original[key] : now[key];
			return value === undefined ? [] : [[key, value]];
		},
	);
	return Object.fromEntries(entries);
}

/** Whether a key is other than it was because we have changed it, and nobody else has. */
function isTouched(key: string, now: PlainRecord, original: PlainRecord, written: PlainRecord): boolean {
	return !isSame(original[key], written[key]) && isSame(now[key], written[key]);
}

function returnedByKeys(
	text: string,
	from: string,
	format: ConfigFormat,
	path: readonly string[],
	now: PlainRecord,
	original: PlainRecord,
	written: PlainRecord,
): string | undefined {
	const edits = editsOf(format);
	let result: string | undefined = text;
	let previous: string | undefined;
	const added = Object.keys(written).filter((key) => !Object.hasOwn(original, key));
	const remove = (key: string) => {
		if (isTouched(key, now, original, written))
			result = result === undefined ? undefined : edits.remove(result, path, key);
	};
	// An entry without anything in it may be none: the command goes last.
	for (const key of added) if (key !== 'command') remove(key);
	for (const key of Object.keys(original)) {
		if (isTouched(key, now, original, written))
			result = result === undefined ? undefined : edits.copy(result, from, path, key, previous);
		previous = key;
	}
	if (added.includes('command')) remove('command');
	return result;
}

/** Whether two texts say the same but for one entry, which is as expected in the second. */
export function isOnlyChange(
	before: string,
	after: string,
	format: ConfigFormat,
	path: readonly string[],
	expected: PlainValue | undefined,
): boolean {
	const entry = plainAt(after, format, path);
	if (entry === undefined || (expected !== undefined && !isSame(entry, expected))) return false;
	const rootBefore = plainAt(before, format, []);
	const rootAfter = plainAt(after, format, []);
	return (
		rootBefore !== undefined &&
		rootAfter !== undefined &&
		isSame(withEntry(rootBefore, path, null), withEntry(rootAfter, path, null))
	);
}

export function plainAt(text: string, format: ConfigFormat, path: readonly string[]): PlainValue | undefined {
	const { root, problems } = parseConfig(text, format);
	const value = problems.length > 0 ? undefined : valueAt(root, path);
	return value === undefined ? undefined : plainOf(value);
}

function withEntry(value: PlainValue, path: readonly string[], entry: PlainValue): PlainValue {
	const [name, ...rest] = path;
	if (name === undefined) return entry;
	if (!isRecord(value)) return value;
	return { ...value, [name]: withEntry(value[name] ?? null, rest, entry) };
}

function isRecord(value: PlainValue | undefined): value is PlainRecord {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
