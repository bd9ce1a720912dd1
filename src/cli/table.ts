/** Rows under a head, each column as wide as its widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
	const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
	return [head, ...rows]
		.map((row) => {
			const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
			return `${cells.join('  ').trimEnd()}\n`;
		})
		.join('');
}
