import { isObject } from './rpc.ts';
import type { JsonObject } from './rpc.ts';

/** An argument that revision 2026-07-28 also wants in a header of an HTTP request, for whoever routes by it (`x-mcp-header`). */
export interface MirroredArgument {
	/** `Mcp-Param-…`. */
	readonly header: string;
	/** From the arguments down to it. */
	readonly path: readonly string[];
}

/** Those of a tool, by its input schema. */
export function mirroredArguments(inputSchema: unknown): readonly MirroredArgument[] {
	const found: MirroredArgument[] = [];
	collect(inputSchema, [], found);
	return found;
}

/** The headers of a call, encoded as HTTP needs it. */
export function mirroredHeaders(
	mirrored: readonly MirroredArgument[],
	args: JsonObject,
): Readonly<Record<string, string>> {
	const headers: Record<string, string> = {};
	for (const { header, path } of mirrored) {
		const value = valueAt(args, path);
		if (value !== undefined) headers[header] = isPlain(String(value)) ? String(value) : wrapped(String(value));
	}
	return headers;
}

/**
 * What is wrong with the headers that a call came with: a finished sentence.
 * @param headers Their names in lower case.
 */
export function mismatchOf(
	mirrored: readonly MirroredArgument[],
	headers: Readonly<Record<string, string>>,
	args: JsonObject,
): string | undefined {
	for (const { header, path } of mirrored) {
		const said = headers[header.toLowerCase()];
		const value = valueAt(args, path);
		const where = `the argument ${path.join('.')}`;
		if (value === undefined && said !== undefined) return `The header ${header} is there, and ${where} is not.`;
		if (value !== undefined && said === undefined)
			return `The header ${header} is missing; it says what ${where} says.`;
		if (value === undefined || said === undefined) continue;
		const text = String(value);
		const isSame =
			said === wrapped(text) ||
			(isPlain(text) && said === text) ||
			(typeof value === 'number' && said.trim() !== '' && Number(said) === value);
		if (!isSame) return `The header ${header} does not say what ${where} says.`;
	}
	return undefined;
}

function collect(schema: unknown, path: readonly string[], found: MirroredArgument[]): void {
	if (!isObject(schema) || !isObject(schema['properties'])) return;
	for (const [name, property] of Object.entries(schema['properties'])) {
		if (!isObject(property)) continue;
		const header = property['x-mcp-header'];
		const at = [...path, name];
		if (typeof header === 'string' && /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/.test(header))
			found.push({ header: `Mcp-Param-${header}`, path: at });
		collect(property, at, found);
	}
}

function valueAt(args: JsonObject, path: readonly string[]): string | number | boolean | undefined {
	let value: unknown = args;
	for (const name of path) value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
	return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}

/** It can stand in a header as it is, and is not taken for something else there. */
function isPlain(text: string): boolean {
	return /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !/^=\?base64\?.*\?=$/.test(text);
}

function wrapped(text: string): string {
	return `=?base64?${base64(new TextEncoder().encode(text))}?=`;
}

function base64(bytes: Uint8Array): string {
	const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
	let text = '';
	for (let index = 0; index < bytes.length; index += 3) {
		const [one = 0, two = 0, three = 0] = bytes.subarray(index, index + 3);
		const bits = (one << 16) | (two << 8) | three;
		const all = [18, 12, 6, 0].map((shift) => digits[(bits >> shift) & 63]).join('');
		const missing = Math.max(0, index + 3 - bytes.length);
		text += all.slice(0, 4 - missing) + '='.repeat(missing);
	}
	return text;
}
