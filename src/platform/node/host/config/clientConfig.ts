// One configuration file of a client: how its bytes become a text and its text becomes values.

import { basename, dirname } from 'node:path';
import type { ConfigValue } from '../../../../core/host/config/configValue.ts';
import type { ConfigDialect } from '../../../../core/host/config/serverEntry.ts';
import { parseJsonConfig } from './jsonConfig.ts';
import { parseTomlConfig } from './tomlConfig.ts';

export interface ParsedConfig {
	/** `undefined`: there is nothing in it that could be used. */
	readonly root: ConfigValue | undefined;
	/** What is wrong with the text itself. */
	readonly problems: readonly { readonly offset: number; readonly message: string }[];
	comments(): readonly { readonly offset: number; readonly end: number }[];
}

export type ConfigFormat = 'json' | 'toml';

export function formatOf(path: string): ConfigFormat {
	return /\.toml$/i.test(path) ? 'toml' : 'json';
}

export function parseConfig(text: string, format: ConfigFormat): ParsedConfig {
	return format === 'toml' ? parseTomlConfig(text) : parseJsonConfig(text);
}

/** Text and byte order mark of a file, or a sentence why it has no text. */
export function decodeConfig(bytes: Uint8Array): { readonly text: string; readonly mark: string } | string {
	if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
		return 'It is UTF-16; clients read UTF-8. Save it as UTF-8.';
	try {
		const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
		return text.startsWith('\uFEFF') ? { text: text.slice(1), mark: '\uFEFF' } : { text, mark: '' };
	} catch {
		// The decoder says no more than that.
		return 'It is not UTF-8.';
	}
}

/** The folder that a file's relative paths and its `${workspaceFolder}` mean. */
export function folderOf(path: string): string {
	const folder = dirname(path);
	return clientFolders.has(basename(folder)) ? dirname(folder) : folder;
}

const clientFolders: ReadonlySet<string> = new Set(['.vscode', '.cursor', '.codex', '.copilot', '.claude']);

/** Whose rules hold for servers below a key of a file. */
export function dialectOf(path: string, rootKey: string): ConfigDialect {
	if (rootKey === 'mcp_servers') return 'codex';
	if (rootKey === 'servers') return 'vscode';
	return basename(dirname(path)) === '.cursor' ? 'cursor' : 'claude';
}
