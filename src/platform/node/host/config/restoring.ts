// crosstalk restore: puts back what import has changed.

import { valueAt } from '../../../../core/host/config/configValue.ts';
import { codeOf, isErrno } from '../../errno.ts';
import { readRegularFile } from '../../regularFile.ts';
import { decodeConfig, formatOf, parseConfig } from './clientConfig.ts';
import type { Client } from './clientFiles.ts';
import { spliced } from './entryEdits.ts';
import { maskedDiff } from './importing.ts';
import {
	backupPath,
	pruned,
	readBackup,
	readImportRecord,
	removeBackup,
	sha256Of,
	writeImportRecord,
} from './importStore.ts';
import type { ImportRecord, ImportStep, ImportedEntry, ImportedFile } from './importStore.ts';
import { replaceFile } from './replaceFile.ts';
import { returned } from './routing.ts';

export interface RestoredFile {
	readonly client: Client;
	readonly path: string;
	/**
	 * `restored`: the same bytes as before the import; `unchanged`: they were there already; `merged`: the file was changed since, and its
	 * servers were put back one by one; `gone`: there is no such file any more; `failed`: it is not as it was.
	 */
	readonly result: 'restored' | 'unchanged' | 'merged' | 'gone' | 'failed';
	/** Of a file that was changed since: what has been put back, without a secret in it. */
	readonly diff: string;
	/** Finished sentences. */
	readonly remarks: readonly string[];
	/** The file as it was before the import, where it is still kept. */
	readonly backup: string | undefined;
}

/** Puts every file back, and forgets those that are. */
export async function restoreImports(directory: string): Promise<readonly RestoredFile[]> {
	let { record } = await readImportRecord(directory);
	const results: RestoredFile[] = [];
	for (const file of record.files) {
		const { result, steps } = await restoreFile(directory, file);
		results.push(result);
		record = pruned({
			...record,
			files: record.files.map((other) => (other === file ? { ...file, steps } : other)),
		});
		await writeImportRecord(directory, record);
		if (result.backup === undefined) await removeBackups(directory, file, record);
	}
	return results;
}

async function restoreFile(
	directory: string,
	file: ImportedFile,
): Promise<{ result: RestoredFile; steps: readonly ImportStep[] }> {
	const { client, path } = file;
	const [first] = file.steps;
	const backup = first === undefined ? undefined : backupPath(directory, first.originalSha256);
	const done = (result: Omit<RestoredFile, 'client' | 'path'>, steps: readonly ImportStep[] = []) => ({
		result: { client, path, ...result },
		steps,
	});
	const failed = (remarks: readonly string[], steps: readonly ImportStep[] = file.steps) =>
		done({ result: 'failed', diff: '', remarks, backup }, steps);
	let before: Buffer;
	try {
		before = await readRegularFile(path);
	} catch (error) {
		if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR'))
			return done({
				result: 'gone',
				diff: '',
				remarks: ['It is not there any more, and is not made anew.'],
				backup,
			});
		return failed([`It cannot be read${codeOf(error)}.`]);
	}
	const work = new FileRestorer(directory, file, before);
	await work.run();
	if (work.bytes.equals(before)) {
		if (work.kept.length > 0) return failed(work.remarks, work.kept);
		return done({
			result: 'unchanged',
			diff: '',
			remarks: work.remarks,
			backup: work.isExact ? undefined : backup,
		});
	}
	try {
		if (!(await replaceFile(path, before, work.bytes)))
			return failed(['Somebody is changing it just now. Nothing was written to it; run the command again.']);
	} catch (error) {
		return failed([`It cannot be written${codeOf(error)}.`]);
	}
	if (work.isExact) return done({ result: 'restored', diff: '', remarks: [], backup: undefined });
	return done(
		{
			result: work.kept.length > 0 ? 'failed' : 'merged',
			diff: work.diff(),
			remarks: ['It was changed since; its servers were put back one by one.', ...work.remarks],
			backup,
		},
		work.kept,
	);
}

class FileRestorer {
	bytes: Buffer;
	/** Whether every step could be taken back byte for byte. */
	isExact = true;
	readonly remarks: string[] = [];
	/** What could not be put back, for another time. */
	kept: readonly ImportStep[] = [];
	private readonly directory: string;
	private readonly file: ImportedFile;
	private readonly before: Buffer;

	constructor(directory: string, file: ImportedFile, before: Buffer) {
		this.directory = directory;
		this.file = file;
		this.before = before;
		this.bytes = before;
	}

	/** The last step first. */
	async run(): Promise<void> {
		for (const step of this.file.steps.toReversed()) {
			const now = sha256Of(this.bytes);
			if (now === step.originalSha256) continue;
			const original = await readBackup(this.directory, step.originalSha256);
			if (original === undefined) {
				this.remarks.push(
					`Its backup ${backupPath(this.directory, step.originalSha256)} is not there or damaged.`,
				);
				this.kept = [step, ...this.kept];
				this.isExact = false;
			} else if (now === step.writtenSha256) this.bytes = original;
			else this.merge(step, original);
		}
	}

	diff(): string {
		const [before, after] = [decodeConfig(this.before), decodeConfig(this.bytes)];
		if (typeof before === 'string' || typeof after === 'string') return '';
		const containers = this.file.steps.flatMap(({ entries }) =>
			entries.map(({ path }) => ({ path: path.slice(0, -1) })),
		);
		return maskedDiff(this.file.path, before.text, after.text, formatOf(this.file.path), containers);
	}

	private merge(step: ImportStep, original: Buffer): void {
		this.isExact = false;
		const format = formatOf(this.file.path);
		const now = decodeConfig(this.bytes);
		const from = decodeConfig(original);
		const parsed = typeof now === 'string' ? undefined : parseConfig(now.text, format);
		const problem = typeof now === 'string' ? now : typeof from === 'string' ? from : parsed?.problems[0]?.message;
		if (problem !== undefined || typeof now === 'string' || typeof from === 'string') {
			this.remarks.push(`${problem ?? ''} Mend it, and run the command again.`);
			this.kept = [step, ...this.kept];
			return;
		}
		let { text } = now;
		const edits: { offset: number; end: number; text: string }[] = [];
		const source = format === 'json' ? parseConfig(from.text, format).root : undefined;
		// In JSON an object stands for itself: what is around it, megabytes at times, need not be read for each server.
		const back = (entry: ImportedEntry) => {
			if (format === 'toml') return returned(text, from.text, format, entry.path, entry);
			const place = valueAt(parsed?.root, entry.path);
			const original = valueAt(source, entry.path);
			if (place === undefined || original === undefined) return { left: 'it is not there any more' };
			const before = text.slice(place.offset, place.end);
			const result = returned(before, from.text.slice(original.offset, original.end), format, [], entry);
			if (!('text' in result)) return result;
			edits.push({ offset: place.offset, end: place.end, text: result.text });
			return { text };
		};
		const failures: ImportedEntry[] = [];
		for (const entry of step.entries) {
			const result = back(entry);
			const name = entry.path.at(-1) ?? '';
			if ('text' in result) ({ text } = result);
			else if ('left' in result) this.remarks.push(`Server "${name}" is left as it is: ${result.left}.`);
			else {
				failures.push(entry);
				this.remarks.push(`Server "${name}" could not be put back: ${result.failed}.`);
			}
		}
		for (const edit of edits.toSorted((one, other) => other.offset - one.offset))
			text = spliced(text, edit.offset, edit.end, edit.text);
		if (failures.length > 0) this.kept = [{ ...step, entries: failures }, ...this.kept];
		this.bytes = Buffer.from(now.mark + text);
	}
}

/** The originals hold secrets: they go when nobody needs them any more. */
async function removeBackups(directory: string, { steps }: ImportedFile, record: ImportRecord): Promise<void> {
	const needed = new Set(record.files.flatMap((file) => file.steps.map(({ originalSha256 }) => originalSha256)));
	for (const { originalSha256 } of steps)
		if (!needed.has(originalSha256)) await removeBackup(directory, originalSha256);
}
