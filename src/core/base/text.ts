/** `text` cut to `limit` UTF-16 units, the last of them an ellipsis, never in the middle of a surrogate pair. */
export function truncated(text: string, limit: number): string {
	if (text.length <= limit) return text;
	const end = isHighSurrogate(text.charCodeAt(limit - 2)) ? limit - 2 : limit - 1;
	return `${text.slice(0, end)}…`;
}

/** One line of running text: white space folded, control characters gone. */
export function singleLine(text: string): string {
	// Control characters would move a terminal's cursor or break a tree row.
	// eslint-disable-next-line no-control-regex
	return text.replaceAll(/[\s\u0000-\u001f\u007f]+/g, ' ').trim();
}

/** "1 call", "3 calls". */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
	return `${count} ${count === 1 ? singular : plural}`;
}

function isHighSurrogate(unit: number): boolean {
	return unit >= 0xd800 && unit <= 0xdbff;
}
