/** A whole document, for people and programs. */
export function formatJson(value: unknown): string {
	return `${printableJson(value, 2)}\n`;
}

/** JSON that moves no cursor and turns no text around, whatever is in it: a terminal may show it. Read, it is the same value. */
export function printableJson(value: unknown, indentation = 0): string {
	// JSON itself escapes only the first 32 characters.
	return JSON.stringify(value, undefined, indentation).replaceAll(
		/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
		(character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
	);
}
