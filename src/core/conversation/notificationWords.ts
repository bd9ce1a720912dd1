import { singleLine } from '../base/text.ts';

/** What a notification says to people, in one line: clients wrap it in tags that are for the model. @param text All of it. */
export function notificationWords(text: string): string {
	// What the task said comes last and may itself quote tags.
	const [head = ''] = text.split('<result>', 1);
	const summary = /<summary>([^<]+)<\/summary>/.exec(head)?.[1];
	return singleLine(summary ?? text.replaceAll(/<\/?[\w-]+>/g, ' '));
}
