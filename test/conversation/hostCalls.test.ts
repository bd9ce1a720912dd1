import assert from 'node:assert/strict';
import { agentId, mainAgentId, sessionId, toolUseId } from '../../src/core/base/ids.ts';
import {
	agentsInOrder,
	callState,
	callsOf,
	createConversation,
	fold,
	hostCallWords,
	serverChangesOf,
	serverChangeWords,
	serverOf,
} from '../../src/core/conversation/index.ts';
import type { Conversation, HostCall } from '../../src/core/conversation/index.ts';
import type { BodyRef, CallEnding, SessionEvent } from '../../src/core/events/sessionEvent.ts';
import { Linter } from '../../src/core/rules/linter.ts';

const session = sessionId('claude-code', '1');
const range = { column: 1, endColumn: 2 };
const body: BodyRef = { offset: 0, length: 2, preview: '{}' };

/** Events of a log, each on a line of its own. */
function log(path: string) {
	let line = 0;
	return (agent: string | undefined, at: number, event: object): SessionEvent => {
		line++;
		return {
			version: 1,
			seq: line,
			at,
			sessionId: session,
			agent: agent === undefined ? { unknown: 'nobody says it' } : { id: agentId(agent) },
			source: { kind: 'transcript', path, line, offset: line * 100, length: 99 },
			...event,
		} as unknown as SessionEvent; // the table below gives each its members
	};
}

function transcript(): SessionEvent[] {
	const said = log('/t.jsonl');
	const message = (messageId: string, role: string, kind: string) =>
		({ type: 'message', messageId, role, kind, parts: ['text'] }) as const;
	const use = (id: string) => ({
		type: 'tool-use',
		toolUseId: toolUseId(id),
		name: 'query',
		answeredBy: 'client',
		messageId: 'm2',
		range,
		arguments: body,
	});
	return [
		said('main', 1_000, message('m1', 'user', 'prompt')),
		said('main', 1_100, message('m2', 'assistant', 'response')),
		said('main', 1_100, use('toolu_both')),
		said('main', 1_100, use('toolu_lost')),
		said('main', 1_100, use('toolu_unseen')),
		said('main', 1_900, message('m3', 'user', 'results')),
		said('main', 1_900, {
			type: 'tool-result',
			toolUseId: toolUseId('toolu_both'),
			isError: false,
			messageId: 'm3',
			range,
			body,
			isPrecededByOther: false,
			isInPlace: false,
			isInterruption: false,
		}),
	];
}

function recorded(): SessionEvent[] {
	const said = log('/recording.jsonl');
	const call = (
		agent: string | undefined,
		callId: string,
		id: string | undefined,
		at: number,
		ending: CallEnding | undefined,
	): SessionEvent[] => {
		const about = {
			callId,
			server: 'analytics',
			tool: 'query',
			toolUseId: id === undefined ? undefined : toolUseId(id),
		};
		const wire = { type: 'wire-message', method: 'tools/call', body, content: body, ...about };
		const events = [
			said(agent, at, { ...wire, kind: 'request' }),
			said(agent, at + 1, { type: 'call-sent', ...about, upstreamId: 'upstream-1', attempt: 1 }),
		];
		if (ending === undefined) return events;
		const reason = ending === 'completed' ? undefined : `It was ${ending}.`;
		return [
			...events,
			said(agent, at + 9, { type: 'call-ended', ...about, ending, durationMs: 8.5, reason }),
			said(agent, at + 9, { ...wire, kind: ending === 'completed' ? 'response' : 'error' }),
		];
	};
	const change = { type: 'upstream-state', server: 'analytics', upstreamId: 'upstream-1' };
	return [
		said(undefined, 900, { ...change, state: 'connected', pid: 7 }),
		...call('main', 'call-1', 'toolu_both', 1_200, 'timed-out'),
		...call('main', 'call-2', 'toolu_lost', 1_210, 'completed'),
		...call('a1', 'call-3', 'toolu_alone', 1_300, 'completed'),
		// Sent again by an agent whose host had ended.
		...call('a1', 'call-4', 'toolu_again', 1_310, undefined),
		...call('a1', 'call-5', 'toolu_again', 1_350, 'outcome-unknown'),
		...call(undefined, 'call-6', undefined, 1_400, 'cancelled'),
		...call('a1', 'call-7', 'toolu_runs', 1_500, undefined),
		said(undefined, 1_600, {
			type: 'reconnect',
			server: 'analytics',
			upstreamId: 'upstream-1',
			reason: 'Its process ended.',
			callersWaiting: 2,
			drainedMs: 1,
			durationMs: 41.6,
			attempts: 1,
			isSuccessful: true,
		}),
		said(undefined, 1_700, { ...change, upstreamId: 'upstream-9', state: 'failed' }),
	];
}

function seen(conversation: Conversation): unknown {
	return agentsInOrder(conversation).map((agent) => ({
		agent: agent.id,
		calls: callsOf(agent).map((call) => {
			const state = callState(conversation, call);
			return [
				call.id,
				serverOf(call),
				state.state === 'orphaned' ? state.cause : state.state,
				call.isSeenByHostAlone ? 'host' : 'transcript',
				call.hostCalls.map(({ callId, ended }) => `${callId} ${ended?.ending ?? ''}`),
				hostCallWords(call, state),
			];
		}),
		changes: serverChangesOf(conversation, agent).map((change) => serverChangeWords(change)),
	}));
}

const changes = ['analytics: connected', 'analytics: reconnected after 42 ms, 2 waiting (Its process ended.)'];

const expected = [
	{
		agent: 'main',
		calls: [
			// What the two say of it stands side by side.
			['toolu_both', 'analytics', 'completed', 'transcript', ['call-1 timed-out'], ['timed out, says the host']],
			['toolu_lost', 'analytics', 'pending', 'transcript', ['call-2 completed'], ['completed, says the host']],
			['toolu_unseen', undefined, 'pending', 'transcript', [], []],
		],
		changes,
	},
	{
		agent: 'a1',
		calls: [
			['toolu_alone', 'analytics', 'completed', 'host', ['call-3 completed'], []],
			[
				'toolu_again',
				'analytics',
				'outcome-unknown',
				'host',
				['call-4 ', 'call-5 outcome-unknown'],
				['passed the host 2 times', 'outcome unknown, says the host'],
			],
			['toolu_runs', 'analytics', 'pending', 'host', ['call-7 '], []],
		],
		changes,
	},
	{
		agent: '(unnamed)',
		calls: [['call-6', 'analytics', 'failed', 'host', ['call-6 cancelled'], ['cancelled']]],
		changes,
	},
];

/** A random order that is the same with the same seed. */
function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
	const left = [...items];
	let state = seed;
	return items.map(() => {
		state = (state * 48_271) % 2_147_483_647;
		return left.splice(state % left.length, 1)[0]!; // there are as many as are asked for
	});
}

describe('what a host has seen of calls', () => {
	it('is joined with what a transcript says, whichever comes first and in whatever pieces', () => {
		for (const isHostFirst of [true, false]) {
			const conversation = createConversation(session);
			const [first, second] = isHostFirst ? [recorded(), transcript()] : [transcript(), recorded()];
			fold(conversation, first);
			fold(conversation, second);
			assert.deepEqual(seen(conversation), expected, `host first: ${isHostFirst}`);
		}
		for (let seed = 1; seed <= 300; seed++) {
			const conversation = createConversation(session);
			const [written, host] = [transcript(), shuffled(recorded(), seed)];
			// The transcript's own order is its own; the host's events may come in any.
			const isWritten = shuffled([...written.map(() => true), ...host.map(() => false)], seed * 7);
			for (const turn of isWritten) fold(conversation, [(turn ? written : host).shift()!]); // counted above
			assert.deepEqual(seen(conversation), expected, `seed ${seed}`);
		}
	});

	it('stands for itself where there is no transcript, and what ran is lost with its host', () => {
		const conversation = createConversation(session);
		fold(conversation, recorded());
		const liveness = log('/recording.jsonl')(undefined, 1_500, {
			type: 'session-liveness',
			state: 'ended',
			evidence: 'No host is running.',
		});
		fold(conversation, [liveness]);
		const states = [...conversation.agents.values()].flatMap((agent) =>
			agent.hostCalls.map((call) => `${call.id} ${callState(conversation, call).state}`),
		);
		assert.deepEqual(states.sort(), [
			'call-6 failed',
			'toolu_again orphaned',
			'toolu_alone completed',
			'toolu_both failed',
			'toolu_lost completed',
			'toolu_runs orphaned',
		]);
		const [call] = conversation.agents.get(mainAgentId)?.hostCalls ?? [];
		assert.deepEqual([call?.arguments, call?.result?.body, call?.result?.durationMs], [body, body, 8.5]);
	});

	it('is nothing that rules of pairing speak of', () => {
		for (const state of ['live', 'ended'] as const) {
			const conversation = createConversation(session);
			fold(conversation, [
				...recorded(),
				log('/recording.jsonl')(undefined, 2_000, { type: 'session-liveness', state, evidence: 'So it is.' }),
			]);
			const linter = new Linter(conversation, {}, {});
			linter.lintAll();
			assert.deepEqual([linter.diagnostics, linter.inconclusive], [[], []]);
		}
	});

	it('keeps apart what went wrong and what runs, in whatever order it is told', () => {
		for (let seed = 1; seed <= 50; seed++) {
			const conversation = createConversation(session);
			for (const event of shuffled(recorded(), seed)) fold(conversation, [event]);
			const ids = (calls: ReadonlySet<HostCall>) => [...calls].map(({ callId }) => callId).sort();
			// Call 4 is only there because its tool use passed the host twice.
			assert.deepEqual(ids(conversation.troubledCalls), ['call-1', 'call-4', 'call-5', 'call-6']);
			assert.deepEqual(ids(conversation.runningCalls), ['call-4', 'call-7']);
		}
	});

	it('says of two agents that made one call who it was by each', () => {
		const conversation = createConversation(session);
		const [first] = recorded().filter((event) => event.type === 'wire-message');
		assert.ok(first !== undefined);
		fold(conversation, [...transcript(), { ...first, agent: { id: agentId('a7') } }]);
		const call = conversation.agents.get(mainAgentId)?.toolCalls[0];
		assert.ok(call !== undefined);
		assert.deepEqual(hostCallWords(call, { state: 'completed' }), ['made by a7, says the host']);
		assert.deepEqual([...conversation.agents.keys()], [mainAgentId]);
	});
});
