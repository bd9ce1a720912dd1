import assert from 'node:assert/strict';
import type { StoreTurns } from '../../src/core/store/createTurns.ts';
import { SqlError } from '../../src/core/store/sqlDatabase.ts';
import { checkpoint, request, turnOf, TurnsRig } from './turnsRig.ts';

describe('the half beside the database', () => {
	let rig: TurnsRig;
	beforeEach(() => (rig = new TurnsRig()));
	afterEach(() => rig.dispose());

	it('gives turns in the order in which they were asked for, one at a time', async () => {
		const turns = await rig.open();
		const order: number[] = [];
		const calls = [1, 2, 3, 4, 5].map(async (number) => {
			const { turnId, seq } = await turnOf(turns, 's');
			assert.equal(seq, number - 1);
			order.push(number);
			if (number === 3) await new Promise((resolve) => setImmediate(resolve));
			await turns.commit({ turnId, state: `{"number":${number}}`, reply: '' });
			order.push(-number);
		});
		await Promise.all(calls);
		assert.deepEqual(order, [1, -1, 2, -2, 3, -3, 4, -4, 5, -5]);
		assert.deepEqual(await turns.read('s'), { seq: 5, state: '{"number":5}' });
	});

	it('writes one row for a checkpoint', async () => {
		const turns = await rig.open();
		await checkpoint(turns, 's', { a: 1 }, { key: 'k1' });
		await checkpoint(turns, 's', { a: 2 }, { key: 'k2' });
		await checkpoint(turns, 's', { a: 3 });
		assert.deepEqual(
			rig.writes.map((statements) => statements.length),
			// The session's own row goes with its first checkpoint.
			[2, 1, 1],
		);
	});

	it('has the checkpoints of different sessions under way at once', async () => {
		let underWay = 0;
		let most = 0;
		const turns = await rig.open(
			{},
			{
				pause: async ({ kind }, moment) => {
					if (kind !== 'write') return;
					underWay += moment === 'before' ? 1 : -1;
					most = Math.max(most, underWay);
					await new Promise((resolve) => setImmediate(resolve));
				},
			},
		);
		await Promise.all(['a', 'b', 'c', 'd'].map((id) => checkpoint(turns, id, { id })));
		assert.equal(most, 4);
	});

	it('does not send the state that its caller holds, unless a turn has ended since', async () => {
		const turns = await rig.open();
		const first = await turnOf(turns, 's');
		assert.equal(first.state, '{}');
		const { stateId } = await turns.commit({ turnId: first.turnId, state: '{"a":1}', reply: '' });
		const held = await turnOf(turns, 's', { heldState: stateId });
		assert.equal(held.state, undefined);
		await turns.abort(held.turnId);
		const again = await turnOf(turns, 's', { heldState: stateId });
		assert.equal(again.state, '{"a":1}');
		assert.notEqual(again.stateId, stateId);
	});

	it('ends a turn at its deadline, says so, and refuses what comes too late', async () => {
		const turns = await rig.open({ deadlineMs: 100 });
		await checkpoint(turns, 's', { a: 1 });
		const late = await turnOf(turns, 's');
		const next = turnOf(turns, 's', { deadlineMs: 1000 });
		rig.clock.pass(99);
		assert.deepEqual(rig.happenings(), []);
		rig.clock.pass(1);
		const { seq, state } = await next;
		assert.deepEqual({ seq, state }, { seq: 1, state: '{"a":1}' });
		await assert.rejects(turns.commit({ turnId: late.turnId, state: '{"a":2}', reply: '' }), {
			code: 'deadline-exceeded',
			message: 'The call of session "s" took longer than the 100 ms it had.',
		});
		assert.deepEqual(rig.happenings(), ['s evicted: deadline', 'turn ended: deadline-exceeded', 's rehydrated: 1']);
	});

	it('has no deadline for what is being written', async () => {
		const disk = { written: Promise.resolve() };
		const turns = await rig.open(
			{ deadlineMs: 100 },
			{ pause: ({ kind }) => (kind === 'write' ? disk.written : Promise.resolve()) },
		);
		const { promise, resolve } = Promise.withResolvers<void>();
		disk.written = promise;
		const { turnId } = await turnOf(turns, 's');
		const committing = turns.commit({ turnId, state: '{"a":1}', reply: '' });
		rig.clock.pass(1000);
		resolve();
		assert.equal((await committing).seq, 1);
	});

	it('takes memory away in the middle of a call, but not of a checkpoint', async () => {
		const turns = await rig.open();
		await checkpoint(turns, 's', { a: 1 });
		const { turnId } = await turnOf(turns, 's');
		await turns.evict('s', false);
		assert.deepEqual(rig.happenings(), []);
		await turns.evict('s', true);
		await assert.rejects(turns.commit({ turnId, state: '{"a":2}', reply: '' }), { code: 'evicted' });
		const other = await turnOf(turns, 's');
		assert.equal(other.state, '{"a":1}');
		const committing = turns.commit({ turnId: other.turnId, state: '{"a":3}', reply: '' });
		await turns.evict('s', true);
		assert.equal((await committing).seq, 2);
		assert.deepEqual(rig.happenings(), [
			's evicted: asked',
			'turn ended: evicted',
			's rehydrated: 1',
			's evicted: asked',
		]);
	});

	it('gives memory up after every call, never, or when a session was idle', async () => {
		for (const eviction of ['always', 'never', { idleMs: 50 }] as const) {
			rig.events.length = 0;
			const turns = await rig.open({ eviction });
			const id = typeof eviction === 'string' ? eviction : 'idle';
			await checkpoint(turns, id, { a: 1 });
			rig.clock.pass(30);
			await checkpoint(turns, id, { a: 2 });
			rig.clock.pass(49);
			const before = rig.happenings();
			rig.clock.pass(1);
			const expected = {
				always: ['always evicted: always', 'always rehydrated: 1', 'always evicted: always'],
				never: [],
				idle: [],
			}[id];
			assert.deepEqual(before, expected);
			assert.deepEqual(rig.happenings().slice(before.length), id === 'idle' ? ['idle evicted: idle'] : []);
			await turns.close();
		}
	});

	it('has no timer when nothing is in memory', async () => {
		const turns = await rig.open({ eviction: { idleMs: 50 } });
		await checkpoint(turns, 'a', {});
		rig.clock.pass(20);
		await checkpoint(turns, 'b', {});
		rig.clock.pass(30);
		rig.clock.pass(20);
		assert.deepEqual(rig.happenings(), ['a evicted: idle', 'b evicted: idle']);
		assert.equal(rig.clock.waiting, 0);
	});

	it('gives up what was not used for longest when all states take too much', async () => {
		const turns = await rig.open({ eviction: 'never', memoryBytes: 30_000 });
		const state = { text: 'x'.repeat(8000) };
		for (const id of ['a', 'b', 'c']) await checkpoint(turns, id, state);
		await checkpoint(turns, 'a', state);
		await checkpoint(turns, 'd', state);
		await checkpoint(turns, 'e', state);
		assert.deepEqual(rig.happenings(), ['b evicted: memory', 'c evicted: memory']);
		const residences = (await turns.sessions()).map(({ id, residence }) => `${id}: ${residence}`).sort();
		assert.deepEqual(residences, ['a: memory', 'b: disk', 'c: disk', 'd: memory', 'e: memory']);
	});

	it('makes room for one that is larger than thousands of others', async () => {
		const turns = await rig.open({ eviction: 'never', memoryBytes: 12_000_000 });
		for (let number = 0; number < 3000; number++) await checkpoint(turns, `small ${number}`, { number });
		await checkpoint(turns, 'large', { text: 'x'.repeat(11_990_000) });
		const inMemory = (await turns.sessions()).filter(({ residence }) => residence === 'memory').map(({ id }) => id);
		assert.ok(inMemory.includes('large') && inMemory.length < 100, `${inMemory.length}`);
		assert.equal(await checkpoint(turns, 'small 0', {}), 2);
	}).timeout(20_000);

	it('drops the memory of a session whose checkpoint failed, and goes on', async () => {
		let fails = false;
		const turns = await rig.open(
			{},
			{ faultOf: ({ kind }) => (fails && kind === 'write' ? { at: 'middle', code: 'full' } : undefined) },
		);
		await checkpoint(turns, 's', { a: 1 }, { key: 'k1' });
		fails = true;
		await assert.rejects(checkpoint(turns, 's', { a: 2 }, { key: 'k2' }), { code: 'disk-full', isRetryable: true });
		assert.deepEqual(await turns.read('s'), { seq: 1, state: '{"a":1}' });
		fails = false;
		assert.equal(await checkpoint(turns, 's', { a: 2 }, { key: 'k2' }), 2);
		assert.deepEqual(rig.happenings(), ['s evicted: failed', 's rehydrated: 1']);
	});

	it('answers a repeated call from the disk, and refuses another with its key', async () => {
		const turns = await rig.open();
		await checkpoint(turns, 's', { a: 1 }, { key: 'k', reply: [1, 2] });
		await checkpoint(turns, 's', { a: 2 });
		const replay = { kind: 'replay', reply: '[1,2]', seq: 1 };
		assert.deepEqual(await turns.begin(request('s', { key: 'k' })), replay);
		await assert.rejects(turns.begin(request('s', { key: 'k', argumentsHash: 'other' })), {
			code: 'key-reused',
			message: 'The key "k" of session "s" was used with other arguments before: checkpoint 1.',
		});
		await turns.close();
		const later = await rig.open();
		assert.deepEqual(await later.begin(request('s', { key: 'k' })), replay);
	});

	it('keeps replies for a time that a clock which is set does not change', async () => {
		const turns = await rig.open({ keptCallsMs: 1000, eviction: 'never' });
		await checkpoint(turns, 's', {}, { key: 'k' });
		rig.clock.offsetMs = 3_600_000;
		assert.equal((await turns.begin(request('s', { key: 'k' }))).kind, 'replay');
		rig.clock.offsetMs = -3_600_000;
		rig.clock.pass(999);
		assert.equal((await turns.begin(request('s', { key: 'k' }))).kind, 'replay');
		rig.clock.pass(1);
		assert.equal((await turns.begin(request('s', { key: 'k' }))).kind, 'turn');
	});

	it('keeps the replies of so many calls, and a key may be used again after', async () => {
		const turns = await rig.open({ keptCalls: 2 });
		for (const key of ['k1', 'k2', 'k3']) await checkpoint(turns, 's', {}, { key });
		assert.equal((await turns.begin(request('s', { key: 'k2' }))).kind, 'replay');
		assert.equal(await checkpoint(turns, 's', {}, { key: 'k1' }), 4);
		assert.equal((await turns.begin(request('s', { key: 'k1' }))).kind, 'replay');
	});

	it('refuses all from the moment when another owner has written, and tells once', async () => {
		const old = await rig.open();
		await checkpoint(old, 's', { a: 1 });
		const { turnId } = await turnOf(old, 's');
		const waiting = old.begin(request('s'));
		const other = await turnOf(old, 'other');
		const young = await rig.open();
		await assert.rejects(old.commit({ turnId, state: '{}', reply: '' }), { code: 'fenced' });
		await assert.rejects(waiting, { code: 'fenced' });
		await assert.rejects(old.commit({ turnId: other.turnId, state: '{}', reply: '' }), { code: 'fenced' });
		await assert.rejects(old.begin(request('new')), { code: 'fenced', sessionId: 'new' });
		assert.deepEqual(
			rig.happenings().filter((happening) => happening.startsWith('taken over')),
			['taken over: 2'],
		);
		assert.deepEqual(await young.read('s'), { seq: 1, state: '{"a":1}' });
	});

	it('refuses what no call of ours says', async () => {
		const turns = await rig.open();
		const wrong: readonly [asked: object, code: string][] = [
			[{ sessionId: '' }, 'invalid-session-id'],
			[{ sessionId: undefined }, 'invalid-session-id'],
			[{ sessionId: 'a\ud800' }, 'invalid-session-id'],
			[{ tool: 1 }, 'invalid-request'],
			[{ key: {} }, 'invalid-request'],
			[{ key: '\udc00' }, 'invalid-request'],
			[{ argumentsHash: undefined }, 'invalid-request'],
			[{ deadlineMs: -1 }, 'invalid-request'],
			[{ deadlineMs: Number.NaN }, 'invalid-request'],
		];
		for (const [asked, code] of wrong) await assert.rejects(turns.begin(request('s', asked)), { code });
		for (const state of ['[]', 'null', '', '{']) {
			const { turnId } = await turnOf(turns, 's');
			await assert.rejects(turns.commit({ turnId, state, reply: '' }), { code: 'invalid-request' });
		}
		await assert.rejects(turns.commit({ turnId: 'none', state: '{}', reply: '' }), { code: 'owner-lost' });
		const { turnId } = await turnOf(turns, 's');
		const both = [1, 2].map((n) => turns.commit({ turnId, state: `{"n":${n}}`, reply: '' }));
		const outcomes = await Promise.allSettled(both);
		assert.deepEqual(
			outcomes.map(({ status }) => status),
			['fulfilled', 'rejected'],
		);
		assert.deepEqual(await turns.read('s'), { seq: 1, state: '{"n":1}' });
	});

	it('lets what has its turn end when it closes, and refuses the rest', async () => {
		const turns = await rig.open();
		const { turnId } = await turnOf(turns, 's');
		const waiting = turns.begin(request('s'));
		const closing = turns.close();
		await assert.rejects(waiting, { code: 'closed', sessionId: 's' });
		await assert.rejects(turns.begin(request('other')), { code: 'closed' });
		await turns.commit({ turnId, state: '{"a":1}', reply: '' });
		await closing;
		assert.deepEqual(rig.happenings(), ['s evicted: closing']);
		assert.equal(rig.clock.waiting, 0);
		await turns.close();
	});

	it('is owner no more when its database has closed itself', async () => {
		let isGone = false;
		const turns = await rig.open(
			{},
			{
				faultOf: ({ kind }) =>
					isGone && kind === 'write' ? { at: 'acknowledgement', code: 'closed' } : undefined,
			},
		);
		isGone = true;
		await assert.rejects(checkpoint(turns, 's', { a: 1 }), { code: 'owner-lost', isRetryable: true });
		await assert.rejects(turns.begin(request('other')), { code: 'owner-lost' });
	});

	it('reads, and takes no call, where the schema is newer or nothing can be written', async () => {
		const first = await rig.open();
		await checkpoint(first, 's', { a: 1 });
		await first.close();
		const looks = async (turns: StoreTurns): Promise<void> => {
			assert.equal(turns.generation, 0);
			assert.deepEqual(await turns.read('s'), { seq: 1, state: '{"a":1}' });
			assert.equal((await turns.sessions()).length, 1);
			await assert.rejects(turns.begin(request('s')), { code: 'read-only' });
			await turns.close();
		};
		await looks(
			await rig.open(
				{},
				{ faultOf: ({ kind }) => (kind === 'claim' ? { at: 'start', code: 'read-only' } : undefined) },
			),
		);
		rig.disk.sqlite.exec("UPDATE meta SET value = 99 WHERE name = 'schema'");
		await looks(await rig.open());
		const generation = rig.disk.sqlite.prepare("SELECT value FROM meta WHERE name = 'generation'").get();
		assert.deepEqual({ ...generation }, { value: 1 });
	});

	it('says that nothing can be made where nothing is and nothing can be written', async () => {
		const denied = rig.open(
			{},
			{ faultOf: ({ kind }) => (kind === 'claim' ? { at: 'start', code: 'read-only' } : undefined) },
		);
		await assert.rejects(denied, { code: 'read-only' });
		await assert.rejects(
			rig.open({}, { faultOf: () => ({ at: 'start', code: 'damaged' }) }),
			({ code, cause }: { code: string; cause: unknown }) =>
				code === 'unusable-directory' && cause instanceof SqlError,
		);
	});
});
