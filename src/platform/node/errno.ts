// What Node says went wrong with a file, a process or a socket.

/** The code of an error of the system, as in `ENOENT`; nothing of any other. */
export function errnoOf(error: unknown): string | undefined {
	return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function isErrno(error: unknown, code: string): boolean {
	return errnoOf(error) === code;
}

/** As in “… cannot be read (EACCES).” */
export function codeOf(error: unknown): string {
	const code = errnoOf(error);
	return code === undefined ? '' : ` (${code})`;
}
