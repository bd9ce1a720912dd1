import assert from 'node:assert/strict';
import { agentId, sessionId, toolUseId } from '../../src/core/base/ids.ts';
import { callState, createConversation, fold } from '../../src/core/conversation/index.ts';
import type { CallState } from '../../src/core/conversation/index.ts';
import { FORMAT_VERSION } from '../../src/core/events/sessionEvent.ts';
import type { AgentOutcome, SessionEvent } from '../../src/core/events/sessionEvent.ts';

const worker = agentId('worker');
const session = sessionId('claude-code', 'a');

function eventsOf(liveness: 'live' | 'ended' | 'unknown', outcome: AgentOutcome | undefined): SessionEvent[] {
	const envelope = (seq: number, at: number) =>
		({
			version: FORMAT_VERSION,
			seq,
			at,
			sessionId: session,
			agent: { id: worker },
			source: { kind: 'transcript', path: '/a/agent-worker.jsonl', line: seq + 1, offset: seq * 100, length: 99 },
		}) as const;
	const body = { offset: 0, length: 2, preview: '{}' };
	return [
		{
			...envelope(0, 100),
			type: 'message',
			messageId: 'm',
			role: 'assistant',
			kind: 'response',
			parts: ['tool-use'],
		},
		{
			...envelope(1, 100),
			type: 'tool-use',
			toolUseId: toolUseId('t'),
			name: 'Bash',
			answeredBy: 'client',
			messageId: 'm',
			range: { column: 1, endColumn: 2 },
			arguments: body,
		},
		...(outcome === undefined
			? []
			: [
					{
						...envelope(2, 200),
						type: 'agent-ended',
						agentId: worker,
						outcome,
						evidence: 'It was said.',
					} as const,
				]),
		{ ...envelope(3, 300), type: 'session-liveness', state: liveness, evidence: 'It was seen.' },
	];
}

describe('the state of an unanswered last call', () => {
	for (const [liveness, outcome, expected] of [
		['live', undefined, { state: 'pending', isCertain: true }],
		['unknown', undefined, { state: 'pending', isCertain: false }],
		['ended', undefined, { state: 'orphaned', cause: 'killed' }],
		// The agent's end can be told before its own last lines are written.
		['live', 'completed', { state: 'pending', isCertain: false }],
		['ended', 'completed', { state: 'orphaned', cause: 'unknown' }],
		['live', 'killed', { state: 'orphaned', cause: 'killed' }],
	] as const) {
		it(`is ${expected.state} when the session is ${liveness} and its agent ${outcome ?? 'not said to have ended'}`, () => {
			assert.deepEqual(
				{ ...stateOf(eventsOf(liveness, outcome)), evidence: undefined },
				{ ...expected, evidence: undefined },
			);
		});
	}
});

describe('a call that nobody misses', () => {
	const own = 'Its client says why.';

	it('is told by its own event, and only where the session ends with it', () => {
		for (const [liveness, expected] of [
			['ended', { state: 'abandoned', as: 'orphaned', cause: 'killed', evidence: own }],
			['live', { state: 'pending', isCertain: true, evidence: 'It was seen.' }],
		] as const) {
			const events = eventsOf(liveness, undefined);
			assert.deepEqual(
				stateOf(events.map((event) => (event.type === 'tool-use' ? { ...event, unmissed: own } : event))),
				expected,
			);
		}
	});

	it('is told by the interrupt that has cut it off, whichever client wrote it', () => {
		for (const format of ['claude-code', 'codex', 'another']) {
			for (const [unmissed, expected] of [
				[own, { state: 'abandoned', as: 'orphaned', cause: 'interrupted', evidence: own }],
				[undefined, { state: 'orphaned', cause: 'interrupted', evidence: 'The turn was interrupted.' }],
			] as const) {
				const [said, use] = eventsOf('unknown', undefined);
				assert.ok(said?.type === 'message' && use !== undefined);
				const interrupt = { ...said, seq: 2, messageId: 'i', role: 'system', kind: 'interrupt' } as const;
				const started: SessionEvent = {
					...said,
					type: 'session-started',
					format,
					nativeId: 'a',
					entrypoint: 'unknown',
				};
				assert.deepEqual(stateOf([started, said, use, { ...interrupt, unmissed }]), expected);
			}
		}
	});
});

function stateOf(events: readonly SessionEvent[]): CallState {
	const conversation = createConversation(session);
	fold(conversation, events);
	const call = conversation.agents.get(worker)?.toolCalls[0];
	assert.ok(call);
	return callState(conversation, call);
}
