/** Rows under a head, each column as wide as its widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
	const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => widthOf(row[column] ?? ''))));
	return [head, ...rows]
		.map((row) => {
			const cells = row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)));
			return `${cells.join('  ').trimEnd()}\n`;
		})
		.join('');
}

/** In columns of a terminal, of which signs of East Asian scripts and pictures take two. */
function widthOf(text: string): number {
	if (/^[\x20-\x7e]*$/.test(text)) return text.length;
	let width = 0;
	for (const { segment } of new Intl.Segmenter().segment(text)) {
		if (/^[\p{M}\p{Cf}]+$/u.test(segment)) continue;
		width += isWide.test(segment) ? 2 : 1;
	}
	return width;
}

const isWide =
	/^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6\p{Emoji_Presentation}]|\ufe0f/u;
