import assert from 'node:assert/strict';
import { ExpectedError, UnsupportedVersionError } from '../../src/core/base/errors.ts';
import { sessionEventSchema } from '../../src/core/events/schema.ts';
import { FORMAT_VERSION } from '../../src/core/events/sessionEvent.ts';
import { lift, liftEvent } from '../../src/core/events/upgrades.ts';
import type { StoredEvent } from '../../src/core/events/upgrades.ts';

const event: StoredEvent = {
	version: FORMAT_VERSION,
	seq: 3,
	at: 1795250000000,
	sessionId: 'claude-code:5e551011',
	agent: { id: 'main' },
	source: { kind: 'store', generation: 2 },
	type: 'turn-ended',
	reason: 'completed',
};

describe('stored events', () => {
	it('of the present version are taken as they are', () => {
		assert.deepEqual(liftEvent(event), event);
		assert.deepEqual(sessionEventSchema.parse(liftEvent(event)), event);
	});

	it('of an older version are lifted through every version in between', () => {
		const table = {
			1: ({ why, ...rest }: StoredEvent) => ({ ...rest, reason: why }),
			2: (stored: StoredEvent) => ({ ...stored, reason: String(stored['reason']).toLowerCase() }),
		};
		const old: StoredEvent = Object.fromEntries(Object.entries(event).filter(([key]) => key !== 'reason'));
		assert.deepEqual(lift({ ...old, version: 1, why: 'COMPLETED' }, table, 3), { ...event, version: 3 });
		assert.deepEqual(lift({ ...old, version: 2, reason: 'COMPLETED' }, table, 3), { ...event, version: 3 });
	});

	it('tell of a fault that was made on purpose', () => {
		const fault: StoredEvent = {
			...Object.fromEntries(Object.entries(event).filter(([key]) => key !== 'reason')),
			type: 'fault-injected',
			callId: 'call-1',
			server: 'chat',
			tool: 'chat_list_messages',
			toolUseId: 'toolu_1',
			faultId: 'fault-1',
			kind: 'drop',
			description: 'A fault on purpose lost the answer of chat_list_messages on chat.',
		};
		assert.deepEqual(sessionEventSchema.parse(liftEvent(fault)), fault);
		assert.throws(() => sessionEventSchema.parse(liftEvent({ ...fault, kind: 'explode' })));
	});

	it('tell of a decision on a scope, and nothing that is no decision', () => {
		const decision: StoredEvent = {
			...event,
			type: 'scope-decision',
			reason: 'The call says nothing of "context_id".',
			callId: 'call-1',
			server: 'chat',
			tool: 'chat_list_messages',
			toolUseId: 'toolu_1',
			policy: 'fill',
			intent: 'scheduled',
			parameters: [{ path: 'context_id', value: '"all"' }, { path: 'since' }],
			outcome: 'filled',
		};
		assert.deepEqual(sessionEventSchema.parse(liftEvent(decision)), decision);
		for (const broken of [{ policy: 'off' }, { outcome: 'passed' }, { intent: 'nightly' }, { parameters: ['a'] }])
			assert.equal(sessionEventSchema.safeParse({ ...decision, ...broken }).success, false);
	});

	it('are not changed by being lifted', () => {
		const old: StoredEvent = Object.freeze({ ...event, version: 1 });
		assert.equal(lift(old, { 1: (stored) => ({ ...stored, seq: 0 }) }, 2)['seq'], 0);
		assert.equal(old['seq'], 3);
	});

	it('of a newer version are refused, neutrally', () => {
		assert.throws(
			() => liftEvent({ ...event, version: FORMAT_VERSION + 1 }),
			(error) =>
				error instanceof UnsupportedVersionError &&
				error.found === FORMAT_VERSION + 1 &&
				error.newestKnown === FORMAT_VERSION,
		);
	});

	it('whose version has no upgrade any more are refused', () => {
		assert.throws(() => lift({ ...event, version: 1 }, { 2: (stored) => stored }, 3), ExpectedError);
	});

	for (const version of [undefined, null, '1', 0, -1, 1.5, Number.NaN]) {
		it(`with ${String(version)} for a version are refused`, () => {
			assert.throws(() => liftEvent({ ...event, version }), ExpectedError);
		});
	}

	it('that are no events do not pass the schema', () => {
		for (const broken of [
			{},
			{ ...event, seq: -1 },
			{ ...event, type: 'nothing' },
			{ ...event, agent: {} },
			{ ...event, version: 2 },
			{ ...event, source: { kind: 'moon' } },
		]) {
			assert.equal(sessionEventSchema.safeParse(broken).success, false, JSON.stringify(broken));
		}
	});
});
