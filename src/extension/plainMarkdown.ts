import { MarkdownString } from 'vscode';

/** Names and texts come from elsewhere: whatever they hold is text. One cell of a table, or a part of a line. */
export function plainMarkdown(text: string): string {
	const { value } = new MarkdownString().appendText(text.replaceAll('|', '¦').replaceAll(/\s+/g, ' '));
	// Such spaces would keep a sentence from being wrapped.
	return value.replaceAll('&nbsp;', ' ');
}
