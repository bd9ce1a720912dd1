import assert from 'node:assert/strict';
import { ExpectedError } from '../../src/core/base/errors.ts';
import type { HeldCall } from '../../src/core/debug/index.ts';
import { evaluateLive } from '../../src/debugAdapter/liveExpressions.ts';
import { levelsOf } from '../../src/debugAdapter/liveLevels.ts';
import type { LiveTranscripts } from '../../src/debugAdapter/liveTranscripts.ts';

const rows = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;

const call: HeldCall = {
	stopId: 'stop-1',
	reason: 'breakpoint',
	description: 'main is about to call analytics/query.',
	short: 'breakpoint "*"',
	breakpointIds: [],
	at: 'before',
	heldBy: 'wire',
	sessionId: null,
	agentId: null,
	agentType: null,
	toolUseId: null,
	callId: 'c1',
	server: 'analytics',
	tool: 'query',
	arguments: `{"rows":${rows}}`,
	result: null,
	isError: false,
	heldSince: 0,
	heldUntil: null,
	canEdit: true,
	canAnswer: true,
	isRepeatable: null,
};

describe('the level of a held call whose arguments are nested very deeply', () => {
	const held = { call, current: () => JSON.parse(call.arguments) as unknown };

	it('is shown by its name, and as a text', async () => {
		const { levels } = await levelsOf({
			agent: { key: 'a', name: 'main', sessionId: null, agentId: null, agentType: null } as never, // nothing else is asked
			held,
			transcripts: { read: async () => undefined } as unknown as LiveTranscripts, // there is none
			actions: { edit: async () => {}, answer: async () => {}, repeat: async () => {} },
			storedCalls: undefined,
		});
		assert.equal(levels[0]?.name, `query(rows: ${'['.repeat(29)}…)`);
		assert.equal(await levels[0]?.text?.read(), `{"rows":${rows}}\n`);
	});

	it('answers an expression with a sentence', () => {
		for (const expression of ['arguments', 'arguments.rows.size()'])
			assert.throws(
				() => evaluateLive(expression, held),
				(error) => error instanceof ExpectedError && /nested too deeply/.test(error.message),
			);
		assert.equal(evaluateLive('tool', held), 'query');
	});
});
