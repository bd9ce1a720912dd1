import assert from 'node:assert/strict';
import type { SessionEvent } from '../../src/core/events/sessionEvent.ts';
import { claudeCode } from '../../src/core/transcripts/claudeCode.ts';

const prompt = (uuid: string) =>
	`{"parentUuid":null,"sessionId":"s","type":"user","uuid":"${uuid}","message":{"role":"user","content":"hi"}}`;

describe('records that run into each other on one line', () => {
	for (const { title, line, uuids, message } of [
		{
			title: 'are both read where both are whole',
			line: prompt('u1') + prompt('u2'),
			uuids: ['u1', 'u2'],
			message: 'Two records run into each other on one line, as two writers leave them; both were read.',
		},
		{
			title: 'leave the last one where the first is cut off',
			line: prompt('u1').slice(0, 60) + prompt('u2'),
			uuids: ['u2'],
			message:
				'Two records run into each other on one line, as two writers leave them; the last one is whole and was read.',
		},
	]) {
		it(title, () => {
			const events: SessionEvent[] = [];
			const reader = claudeCode.createReader(
				{ path: '/s.jsonl', nativeSessionId: 's', agentId: null, withPreviews: true },
				(event) => void events.push(event),
			);
			const bytes = new TextEncoder().encode(line);
			reader.readLine(bytes, 0, bytes.length, { line: 1, offset: 0 }, false);
			assert.deepEqual(
				events.flatMap((event) => (event.type === 'message' ? [event.messageId] : [])),
				uuids,
			);
			assert.deepEqual(
				events.flatMap((event) => (event.type === 'damaged-line' ? [event.message] : [])),
				[message],
			);
		});
	}
});
