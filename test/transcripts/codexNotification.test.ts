import assert from 'node:assert/strict';
import { codex } from '../../src/core/transcripts/codex.ts';
import type { SessionEvent } from '../../src/core/events/sessionEvent.ts';

/** What a parent is told of its child, as the events of its transcript have it. */
function outcomesIn(text: string): readonly string[] {
	const events: SessionEvent[] = [];
	const file = { path: 'a.jsonl', nativeSessionId: 's', agentId: null, withPreviews: true };
	const payload = { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
	const line = Buffer.from(JSON.stringify({ timestamp: '2026-11-21T08:00:00.000Z', type: 'response_item', payload }));
	codex
		.createReader(file, (event) => void events.push(event))
		.readLine(line, 0, line.length, { line: 1, offset: 0 }, false);
	return events.flatMap((event) => (event.type === 'tool-outcome' ? [`${event.agentId} ${event.outcome}`] : []));
}

function notification(status: string): string {
	return `<subagent_notification>\n{"agent_path":"01a1",${status}}\n</subagent_notification>`;
}

describe('what Codex tells an agent of its subagent', () => {
	for (const [status, outcome] of [
		['"status":{"completed":"42"}', 'completed'],
		['"status" : { "errored" : "no"}', 'failed'],
		['"status":"completed"', 'completed'],
		['"status":{"not_found":null}', 'ended'],
	] as const)
		it(`is ${outcome} for ${status}`, () =>
			assert.match(outcomesIn(notification(status)).join(), RegExp(`^\\S+ ${outcome}$`)));

	it('is read at once, whatever its text has been made to be', () => {
		assert.equal(outcomesIn(notification(`"status":${' '.repeat(2 ** 20)}x`)).length, 1);
	});
});
