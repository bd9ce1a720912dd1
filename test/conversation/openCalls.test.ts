import assert from 'node:assert/strict';
import { agentId, sessionId, toolUseId } from '../../src/core/base/ids.ts';
import { createConversation, fold } from '../../src/core/conversation/index.ts';
import { FORMAT_VERSION } from '../../src/core/events/sessionEvent.ts';
import type { SessionEvent } from '../../src/core/events/sessionEvent.ts';

const main = agentId('main');
const session = sessionId('codex', 'a');
const body = { offset: 0, length: 2, preview: '{}' };
const range = { column: 1, endColumn: 2 };
let seq = 0;

function envelope() {
	const line = ++seq;
	const source = { kind: 'transcript', path: '/a.jsonl', line, offset: line * 100, length: 99 } as const;
	return { version: FORMAT_VERSION, seq: line, sessionId: session, agent: { id: main }, source } as const;
}

function message(messageId: string, role: 'assistant' | 'user'): SessionEvent {
	const isCall = role === 'assistant';
	return {
		...envelope(),
		type: 'message',
		messageId,
		role,
		kind: isCall ? 'response' : 'results',
		parts: [isCall ? 'tool-use' : 'tool-result'],
	};
}

function call(number: number): readonly SessionEvent[] {
	const messageId = `call ${number}`;
	return [
		message(messageId, 'assistant'),
		{
			...envelope(),
			type: 'tool-use',
			toolUseId: toolUseId(`t${number}`),
			name: 'Bash',
			answeredBy: 'client',
			messageId,
			range,
			arguments: body,
		},
	];
}

function answer(number: number): readonly SessionEvent[] {
	const messageId = `answer ${number}`;
	return [
		message(messageId, 'user'),
		{
			...envelope(),
			type: 'tool-result',
			toolUseId: toolUseId(`t${number}`),
			isError: false,
			messageId,
			range,
			body,
			isPrecededByOther: false,
			isInPlace: false,
			isInterruption: false,
		},
	];
}

const numbers = Array.from({ length: 100 }, (_, index) => index);

describe('the calls that wait for a result', () => {
	for (const [order, answered] of [
		['none is answered', []],
		['the first are answered first', numbers.slice(0, 90)],
		['the last are answered first', numbers.slice(10).reverse()],
		['every third is left out', numbers.filter((number) => number % 3 !== 0)],
		['some are answered twice', [...numbers.slice(40, 60), ...numbers.slice(50, 70)]],
		['all are answered', numbers.toSorted((one, other) => (one % 7) - (other % 7))],
	] as readonly (readonly [string, readonly number[]])[]) {
		it(`are the others, in the order in which they were made, when ${order}`, () => {
			const conversation = createConversation(session);
			fold(conversation, numbers.flatMap(call));
			fold(conversation, answered.flatMap(answer));
			// Whether they are pending depends on it, so it changes these and no others.
			const changes = fold(conversation, [
				{ ...envelope(), type: 'session-liveness', state: 'live', evidence: 'It was seen.' },
			]);
			const expected = numbers.filter((number) => !answered.includes(number));
			assert.deepEqual(
				[...changes.toolCalls].filter(({ result }) => result === undefined).map(({ id }) => id),
				expected.map((number) => `t${number}`),
			);
			assert.equal(changes.agents.size, expected.length === 0 ? 0 : 1);
		});
	}
});
