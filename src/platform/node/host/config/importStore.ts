// servers.json in the data directory: which servers of which client go through the host, and what stood in their place.

import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ExpectedError } from '../../../../core/base/errors.ts';
import type { PlainValue } from '../../../../core/host/config/configValue.ts';
import type { ConfigDialect } from '../../../../core/host/config/serverEntry.ts';
import { makeFolder } from '../makeFolder.ts';
import { codeOf, isErrno } from '../../errno.ts';
import { onceLetGo } from '../heldFile.ts';
import { readRegularText } from '../../regularFile.ts';
import { prepareDataDirectory, writePrivateFile } from '../dataDirectory.ts';
import { clients } from './clientFiles.ts';
import type { Client } from './clientFiles.ts';

export interface ImportRecord {
	readonly version: 1;
	/** By the name that the host and `crosstalk connect` know them by. */
	readonly imported: Readonly<Record<string, ImportedServer>>;
	readonly files: readonly ImportedFile[];
}

/** A server as its client had it, every `${…}` still in it. */
export interface ImportedServer {
	readonly dialect: ConfigDialect;
	/** What relative paths and `${workspaceFolder}` mean. */
	readonly folder: string;
	readonly entry: PlainValue;
}

export interface ImportedFile {
	readonly client: Client;
	readonly path: string;
	/** Each time that the file was written, the first one first. */
	readonly steps: readonly ImportStep[];
}

export interface ImportStep {
	readonly importedAt: string;
	/** Of the bytes before and after. The file `backups/<originalSha256>` holds those before. */
	readonly originalSha256: string;
	readonly writtenSha256: string;
	readonly entries: readonly ImportedEntry[];
}

export interface ImportedEntry {
	/** The server's name in `imported`. */
	readonly server: string;
	/** Where the entry stands in the file. */
	readonly path: readonly string[];
	readonly original: PlainValue;
	readonly written: PlainValue;
}

export const importFile = 'servers.json';
const emptyRecord: ImportRecord = { version: 1, imported: {}, files: [] };

export async function readImportRecord(directory: string): Promise<{ record: ImportRecord; text: string }> {
	const path = join(directory, importFile);
	let text: string;
	try {
		text = await readRegularText(path);
	} catch (error) {
		if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return { record: emptyRecord, text: '' };
		throw new ExpectedError(`${path} cannot be read${codeOf(error)}.`, { cause: error });
	}
	let record: unknown;
	try {
		record = JSON.parse(text);
	} catch (error) {
		throw new ExpectedError(
			`${path} is damaged. The originals of the files that it tells of are in ${join(directory, 'backups')}.`,
			{ cause: error },
		);
	}
	if (typeof record === 'object' && record !== null && 'version' in record && record.version !== 1)
		throw new ExpectedError(
			`${path} has the version ${String(record.version)}, which this version of Crosstalk does not know.`,
		);
	if (!isImportRecord(record))
		throw new ExpectedError(
			`${path} is not as it was written. The originals of the files that it tells of are in ${join(directory, 'backups')}.`,
		);
	return { record, text };
}

export async function writeImportRecord(directory: string, record: ImportRecord): Promise<string> {
	const text = `${JSON.stringify(record, undefined, '\t')}\n`;
	await writePrivateFile(join(directory, importFile), text);
	return text;
}

/** Servers that no file refers to any more are forgotten. */
export function pruned(record: ImportRecord): ImportRecord {
	const files = record.files.filter(({ steps }) => steps.length > 0);
	const used = new Set(
		files.flatMap(({ steps }) => steps.flatMap(({ entries }) => entries.map(({ server }) => server))),
	);
	return {
		...record,
		imported: Object.fromEntries(Object.entries(record.imported).filter(([name]) => used.has(name))),
		files,
	};
}

export async function prepareBackups(directory: string): Promise<void> {
	await prepareDataDirectory(directory);
	await makeFolder(join(directory, 'backups'), 0o700);
}

export function backupPath(directory: string, sha256: string): string {
	return join(directory, 'backups', sha256);
}

/** The bytes, if they are there and still the same. */
export async function readBackup(directory: string, sha256: string): Promise<Buffer | undefined> {
	try {
		const bytes = await readFile(backupPath(directory, sha256));
		return sha256Of(bytes) === sha256 ? bytes : undefined;
	} catch (error) {
		if (isErrno(error, 'ENOENT')) return undefined;
		throw new ExpectedError(`${backupPath(directory, sha256)} cannot be read${codeOf(error)}.`, { cause: error });
	}
}

export async function removeBackup(directory: string, sha256: string): Promise<void> {
	await onceLetGo(() => rm(backupPath(directory, sha256), { force: true }));
}

export function sha256Of(bytes: Uint8Array): string {
	return createHash('sha256').update(bytes).digest('hex');
}

/** Nobody but us writes the file; this keeps a bug, or a hand in it, from becoming a broken configuration. */
function isImportRecord(value: unknown): value is ImportRecord {
	return (
		isObject(value) &&
		isObject(value['imported']) &&
		Object.values(value['imported']).every(
			(server) =>
				isObject(server) &&
				['claude', 'cursor', 'vscode', 'codex'].includes(String(server['dialect'])) &&
				typeof server['folder'] === 'string' &&
				isObject(server['entry']),
		) &&
		isListOf(
			value['files'],
			(file) =>
				clients.some((client) => client === file['client']) &&
				typeof file['path'] === 'string' &&
				isListOf(
					file['steps'],
					(step) =>
						/^[\da-f]{64}$/.test(String(step['originalSha256'])) &&
						/^[\da-f]{64}$/.test(String(step['writtenSha256'])) &&
						isListOf(
							step['entries'],
							(entry) =>
								typeof entry['server'] === 'string' &&
								Array.isArray(entry['path']) &&
								entry['path'].every((name) => typeof name === 'string') &&
								isObject(entry['original']) &&
								isObject(entry['written']),
						),
				),
		)
	);
}

function isListOf(value: unknown, is: (item: Readonly<Record<string, unknown>>) => boolean): boolean {
	return Array.isArray(value) && value.every((item) => isObject(item) && is(item));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
