import { open, readdir, stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { ExpectedError } from '../../core/base/errors.ts';
import type { DirectoryEntry, FileStat, OpenFile, TranscriptFiles } from '../../core/transcripts/files.ts';

/** The file system of the machine. */
export class NodeFiles implements TranscriptFiles {
	readonly separator = sep;

	async stat(path: string): Promise<FileStat | undefined> {
		try {
			const found = await stat(path);
			return { isDirectory: found.isDirectory(), size: found.size, modifiedAt: found.mtimeMs, identity: `${found.dev}:${found.ino}` };
		} catch (error) {
			if (isMissing(error)) return undefined;
			throw expected(error);
		}
	}

	async list(path: string): Promise<readonly DirectoryEntry[]> {
		try {
			// Links are not followed: a link that leads back up would never end.
			return (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isDirectory() || entry.isFile()).map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }));
		} catch (error) {
			throw expected(error);
		}
	}

	async open(path: string): Promise<OpenFile> {
		try {
			const handle = await open(path, 'r');
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

function isMissing(error: unknown): boolean {
	const code = codeOf(error);
	return code === 'ENOENT' || code === 'ENOTDIR';
}

function codeOf(error: unknown): string {
	return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** What the system answers, as a sentence for a person. Anything that is no answer of the system is a bug and stays what it is. */
function expected(error: unknown): unknown {
	const code = codeOf(error);
	if (code === '') return error;
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
