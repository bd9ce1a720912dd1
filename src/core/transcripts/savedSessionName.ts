/** What the names of files end in that are one session each. */
export const savedSessionSuffix = '.crosstalk';

/** Whether a file of this name is to be one session. */
export function isSavedSession(path: string): boolean {
	return path.toLowerCase().endsWith(savedSessionSuffix);
}
