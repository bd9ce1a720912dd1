// What Node says went wrong with a file, a process or a socket.

/** The code of an error of the system, as in `ENOENT`; nothing of any other. */
export function errnoOf(error: unknown): string | undefined {
	return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function isErrno(error: unknown, code: string): boolean {
	return errnoOf(error) === code;
}

/** Why something cannot be written, as in “… cannot be written: the disk is full.” */
export function whyUnwritable(error: unknown): string {
	const code = errnoOf(error);
	if (code === undefined) return error instanceof Error ? error.message : String(error);
	return sentences[code] ?? `the system says ${code}.`;
}

const sentences: Readonly<Record<string, string>> = {
	ENOENT: 'there is no such folder.',
	ENOTDIR: 'there is no such folder.',
	EEXIST: 'a file is in the way.',
	EISDIR: 'there is a folder of that name.',
	EACCES: 'there is no permission to write there.',
	EPERM: 'there is no permission to write there.',
	EROFS: 'there is no permission to write there.',
	ENOSPC: 'the disk is full.',
	EDQUOT: 'the disk is full.',
	EIO: 'the device has failed.',
	ENAMETOOLONG: 'its name is too long.',
};

/** A pipe or a device was named where a file was meant. */
export class IrregularFileError extends Error {}

/** Why something cannot be read, as in “… cannot be read: there is no such file.” */
export function whyUnreadable(error: unknown): string {
	const code = errnoOf(error);
	if (code === undefined) return error instanceof IrregularFileError ? 'it is no regular file.' : String(error);
	return readingSentences[code] ?? `the system says ${code}.`;
}

const readingSentences: Readonly<Record<string, string>> = {
	ENOENT: 'there is no such file.',
	ENOTDIR: 'there is no such file.',
	EISDIR: 'it is a folder.',
	EACCES: 'there is no permission to read it.',
	EPERM: 'there is no permission to read it.',
	EIO: 'the device has failed.',
};

/** As in “… cannot be read (EACCES).” */
export function codeOf(error: unknown): string {
	if (error instanceof IrregularFileError) return ': it is no regular file';
	const code = errnoOf(error);
	return code === undefined ? '' : ` (${code})`;
}
