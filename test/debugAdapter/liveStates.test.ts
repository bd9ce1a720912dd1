import assert from 'node:assert/strict';
import { toolUseId } from '../../src/core/base/ids.ts';
import type { HeldCall } from '../../src/core/debug/index.ts';
import type { StoredCall } from '../../src/core/store/storedCalls.ts';
import { stateSection } from '../../src/debugAdapter/liveStates.ts';

const held: HeldCall = {
	stopId: 's1',
	reason: 'breakpoint',
	description: 'It was to stop.',
	breakpointIds: [],
	at: 'after',
	heldBy: 'wire',
	sessionId: null,
	agentId: null,
	agentType: null,
	toolUseId: toolUseId('toolu_3'),
	callId: null,
	server: 'analytics',
	tool: 'query',
	arguments: '{}',
	result: null,
	isError: false,
	heldSince: 0,
	heldUntil: null,
	canEdit: false,
	canAnswer: false,
	isRepeatable: null,
};

const made = (sessionId: string, seq: number, key: string | undefined, state: unknown): StoredCall => ({
	sessionId,
	seq,
	key,
	state,
});

describe('the session state of a held call', () => {
	const earlier = ['toolu_1', 'toolu_2'];
	const noState = 'The session store knows of no state that calls of this agent have worked on.';
	for (const [name, stored, expected] of [
		['is what the call has left', [made('a', 1, 'toolu_1', { n: 1 }), made('a', 2, 'toolu_3', { n: 2 })], { n: 2 }],
		[
			'is of the session that the last call went to, as it is now',
			[
				made('a', 1, 'toolu_1', { n: 1 }),
				made('b', 1, 'toolu_2', { n: 2 }),
				made('b', 2, 'somebody else’s', { n: 3 }),
			],
			{ n: 3 },
		],
		['says so where no session was changed', [], noState],
		['says so where only others have changed one', [made('a', 1, undefined, { n: 1 })], noState],
		[
			'says so where it is not kept any more',
			[made('a', 1, 'toolu_3', undefined)],
			'The store keeps the states of the latest calls only, and this one is not among them.',
		],
	] as const)
		it(name, async () => {
			const asked: string[][] = [];
			const section = stateSection(held, earlier, async (keys) => {
				asked.push([...keys]);
				return stored;
			});
			assert.deepEqual(await section.read(), expected);
			assert.deepEqual(asked, [['toolu_1', 'toolu_2', 'toolu_3']]);
		});
});
