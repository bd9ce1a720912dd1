/** What comes before the last separator, whichever kind the path has. */
export function folderOf(path: string): string {
	return path.slice(0, Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')));
}
