import type { ConfigFormat } from './clientConfig.ts';
import { jsonEdits } from './jsonEdits.ts';
import { tomlEdits } from './tomlEdits.ts';

export type EditValue = string | readonly string[] | Readonly<Record<string, string>>;

/**
 * Changes of one entry of a configuration that leave every other byte as it is. `path` leads to the entry. `undefined`: the text is
 * written in a way that cannot be changed safely.
 */
export interface EntryEdits {
	/** Gives a key another value; one that is not there is put behind `after`. */
	set(text: string, path: readonly string[], key: string, value: EditValue, after: string): string | undefined;
	/** Puts another key with another value in the place of one. */
	replace(text: string, path: readonly string[], key: string, newKey: string, value: EditValue): string | undefined;
	/** Without the key; the same text where it is not there. */
	remove(text: string, path: readonly string[], key: string): string | undefined;
	/** The key as another text has it, put behind `after` where it is not there, or first. */
	copy(
		text: string,
		from: string,
		path: readonly string[],
		key: string,
		after: string | undefined,
	): string | undefined;
	/** The whole entry as another text has it; `undefined` also where the format scatters entries. */
	copyEntry(text: string, from: string, path: readonly string[]): string | undefined;
}

export function isList(value: EditValue): value is readonly string[] {
	return Array.isArray(value);
}

export function editsOf(format: ConfigFormat): EntryEdits {
	return format === 'toml' ? tomlEdits : jsonEdits;
}

export function spliced(text: string, offset: number, end: number, replacement: string): string {
	return text.slice(0, offset) + replacement + text.slice(end);
}

export function lineStart(text: string, offset: number): number {
	return text.lastIndexOf('\n', offset - 1) + 1;
}

/** Behind the line's end. */
export function nextLine(text: string, offset: number): number {
	const end = text.indexOf('\n', offset);
	return end === -1 ? text.length : end + 1;
}

/** Before the line's end. */
export function lineEnd(text: string, offset: number): number {
	const end = text.indexOf('\n', offset);
	if (end === -1) return text.length;
	return text[end - 1] === '\r' && end > offset ? end - 1 : end;
}

export function newlineOf(text: string): string {
	return /\r?\n/.exec(text)?.[0] ?? '\n';
}
