/**
 * The values of a file of JSON lines that a process may still be writing: only lines that are whole. A reader can
 * see half of an appended line, for a write that spans two pages of memory is seen a page at a time.
 */
export function completeJsonLines(text: string): unknown[] {
	return text
		.slice(0, text.lastIndexOf('\n') + 1)
		.split('\n')
		.filter((line) => line !== '')
		.map((line): unknown => JSON.parse(line));
}
