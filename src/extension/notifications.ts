import { notificationWords } from '../core/conversation/index.ts';
import type { Message, Place } from '../core/conversation/index.ts';
import type { BodyRef } from '../core/events/sessionEvent.ts';
import type { TranscriptFiles } from '../core/transcripts/files.ts';
import { readBody } from './bodies.ts';

/** What comes later is what a task has said. */
const limitBytes = 16 * 1024;

/** What a notification says to people. Not in its first characters, as a rule. */
export async function wordsOf(files: TranscriptFiles, place: Place, text: BodyRef): Promise<string> {
	const { value, text: read } = await readBody(files, place, text, limitBytes);
	return notificationWords(typeof value === 'string' ? value : read);
}

/** Those of many, by their messages. */
export async function readWords(
	files: TranscriptFiles,
	messages: readonly Message[],
	words: WeakMap<Message, string>,
): Promise<void> {
	for (const message of messages) {
		if (message.kind === 'notification' && message.text !== undefined && !words.has(message))
			words.set(message, await wordsOf(files, message.place, message.text));
	}
}
