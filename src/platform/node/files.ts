import { closeSync, fstatSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import type { BigIntStats, Dirent } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { ExpectedError } from '../../core/base/errors.ts';
import { packedPart } from './packed/packedPaths.ts';
import { isRecording } from './store/recordingPaths.ts';
import type { DirectoryEntry, FileStat, OpenFile, TranscriptFiles } from '../../core/transcripts/files.ts';
import { errnoOf } from './errno.ts';
import { isIrregular, openFlags } from './regularFile.ts';

/** The file system of the machine, what hosts have recorded in files that only it knows, and what is in session files, for a process that has other things to do meanwhile. */
export class NodeFiles implements TranscriptFiles {
	readonly separator = sep;

	allocate(length: number): Uint8Array {
		return allocate(length);
	}

	async stat(path: string): Promise<FileStat | undefined> {
		if (isRecording(path)) return (await recordings()).statRecording(path);
		const packed = packedPart(path);
		if (packed !== undefined) return (await packedFiles()).statPacked(packed.path, packed.name);
		try {
			return statOf(await stat(path, { bigint: true }));
		} catch (error) {
			if (isMissing(error)) return undefined;
			throw expected(error);
		}
	}

	async list(path: string): Promise<readonly DirectoryEntry[]> {
		const packed = packedPart(path);
		if (packed !== undefined) return (await packedFiles()).listPacked(packed.path, packed.name);
		try {
			return entriesOf(await readdir(path, { withFileTypes: true }));
		} catch (error) {
			throw expected(error);
		}
	}

	async open(path: string): Promise<OpenFile> {
		if (isRecording(path)) return (await recordings()).openRecording(path);
		const packed = packedPart(path);
		if (packed !== undefined) return (await packedFiles()).openPacked(packed.path, packed.name);
		try {
			const handle = await open(path, openFlags);
			// A pipe or a device has no places to read at.
			if (isIrregular(await handle.stat())) {
				await handle.close();
				throw new ExpectedError('It is no regular file.');
			}
			return {
				async read(into, offset) {
					try {
						return (await handle.read(into, 0, into.length, offset)).bytesRead;
					} catch (error) {
						throw expected(error);
					}
				},
				close: () => handle.close(),
			};
		} catch (error) {
			throw expected(error);
		}
	}
}

/**
 * The same for a process that has nothing else to do: waiting for the pool of threads behind the asynchronous calls takes a third of
 * the time that reading and linting take together.
 */
export class BlockingNodeFiles implements TranscriptFiles {
	readonly separator = sep;

	allocate(length: number): Uint8Array {
		return allocate(length);
	}

	async stat(path: string): Promise<FileStat | undefined> {
		if (isRecording(path)) return (await recordings()).statRecording(path);
		const packed = packedPart(path);
		if (packed !== undefined) return (await packedFiles()).statPacked(packed.path, packed.name);
		try {
			const found = statSync(path, { throwIfNoEntry: false, bigint: true });
			return found === undefined ? undefined : statOf(found);
		} catch (error) {
			if (isMissing(error)) return undefined;
			throw expected(error);
		}
	}

	async list(path: string): Promise<readonly DirectoryEntry[]> {
		const packed = packedPart(path);
		if (packed !== undefined) return (await packedFiles()).listPacked(packed.path, packed.name);
		try {
			return entriesOf(readdirSync(path, { withFileTypes: true }));
		} catch (error) {
			throw expected(error);
		}
	}

	async open(path: string): Promise<OpenFile> {
		if (isRecording(path)) return (await recordings()).openRecording(path);
		const packed = packedPart(path);
		if (packed !== undefined) return (await packedFiles()).openPacked(packed.path, packed.name);
		try {
			const descriptor = openSync(path, openFlags);
			if (isIrregular(fstatSync(descriptor))) {
				closeSync(descriptor);
				throw new ExpectedError('It is no regular file.');
			}
			return {
				async read(into, offset) {
					try {
						return readSync(descriptor, into, 0, into.length, offset);
					} catch (error) {
						throw expected(error);
					}
				},
				close: async () => closeSync(descriptor),
			};
		} catch (error) {
			throw expected(error);
		}
	}
}

/** What was recorded is read from its database, and most files are not of that kind. */
const recordings = async () => import('./store/recordings.ts');
/** And few lie in a session file. */
const packedFiles = async () => import('./packed/packedReader.ts');

function allocate(length: number): Uint8Array {
	// A Buffer's own search for a byte is several times faster than a typed array's.
	return Buffer.allocUnsafeSlow(length);
}

/** @param found With all digits: on Windows two files may differ in the last ones of `ino` only. */
function statOf(found: BigIntStats): FileStat {
	return {
		isDirectory: found.isDirectory(),
		size: Number(found.size),
		modifiedAt: Number(found.mtimeNs) / 1e6,
		identity: `${found.dev}:${found.ino}`,
	};
}

function entriesOf(entries: readonly Dirent[]): readonly DirectoryEntry[] {
	// Links are not followed: a link that leads back up would never end.
	return entries
		.filter((entry) => entry.isDirectory() || entry.isFile())
		.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }));
}

function isMissing(error: unknown): boolean {
	const code = errnoOf(error);
	return code === 'ENOENT' || code === 'ENOTDIR';
}

/** What the system answers, as a sentence for a person. Anything that is no answer of the system is a bug and stays what it is. */
function expected(error: unknown): unknown {
	const code = errnoOf(error);
	if (code === undefined) return error;
	return new ExpectedError(sentences[code] ?? `The system could not read it (${code}).`, { cause: error });
}

const sentences: Readonly<Record<string, string>> = {
	ENOENT: 'The file is no longer there.',
	EACCES: 'There is no permission to read it.',
	EPERM: 'There is no permission to read it.',
	EISDIR: 'It is a folder.',
	ENOTDIR: 'It is no folder.',
	EMFILE: 'Too many files are open.',
	EIO: 'The device could not read it.',
	EBUSY: 'Another program holds it.',
	ELOOP: 'Its links lead in a circle.',
};
