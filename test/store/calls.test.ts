import assert from 'node:assert/strict';
import type { StoreTurns } from '../../src/core/store/createTurns.ts';
import type { CallContext, SessionState } from '../../src/core/store/sessionStore.ts';
import { checkpoint, turnOf, TurnsRig } from './turnsRig.ts';

const plain = { key: undefined, tool: 'tool', args: {} };

describe('the half beside the caller', () => {
	let rig: TurnsRig;
	beforeEach(() => (rig = new TurnsRig()));
	afterEach(() => rig.dispose());

	/** What `begin` sends of states. */
	function counted(turns: StoreTurns): { readonly turns: StoreTurns; readonly sent: (string | undefined)[] } {
		const sent: (string | undefined)[] = [];
		const begin: StoreTurns['begin'] = async (request) => {
			const start = await turns.begin(request);
			if (start.kind === 'turn') sent.push(start.state);
			return start;
		};
		const { generation, onDidHappen } = turns;
		return {
			turns: {
				generation,
				onDidHappen,
				begin,
				commit: (end) => turns.commit(end),
				abort: (turnId) => turns.abort(turnId),
				sessions: () => turns.sessions(),
				read: (id) => turns.read(id),
				checkpoints: (id) => turns.checkpoints(id),
				stateAt: (id, seq) => turns.stateAt(id, seq),
				evict: (id, isForced) => turns.evict(id, isForced),
				close: () => turns.close(),
			},
			sent,
		};
	}

	it('goes on with the object that the call before has left', async () => {
		const { turns, sent } = counted(await rig.open());
		const store = rig.store(turns);
		const states: SessionState[] = [];
		const call = (): Promise<unknown> => store.session('s').call(plain, (state) => void states.push(state));
		await call();
		await call();
		assert.equal(states[0], states[1]);
		assert.deepEqual(sent, ['{}', undefined]);
		await store.session('s').evict();
		await call();
		assert.notEqual(states[1], states[2]);
		assert.deepEqual(sent, ['{}', undefined, '{}']);
	});

	it('goes on with it also when the next call was waiting already', async () => {
		const store = rig.store(await rig.open());
		const states: SessionState[] = [];
		const call = (): Promise<unknown> => store.session('s').call(plain, (state) => void states.push(state));
		await Promise.all([call(), call(), call()]);
		assert.equal(new Set(states).size, 1);
	});

	it('does not when another has made a call meanwhile, or a call has failed', async () => {
		const turns = await rig.open();
		const store = rig.store(turns);
		await store.session('s').call(plain, (state) => void (state['by'] = 'us'));
		await checkpoint(turns, 's', { by: 'another' });
		const found = await store.session('s').call(plain, (state) => ({ ...state }));
		assert.deepEqual(found, { by: 'another' });
		const failing = store.session('s').call(plain, (state) => {
			state['by'] = 'nobody';
			throw new Error('No.');
		});
		await assert.rejects(failing, /No\./);
		assert.deepEqual(await store.session('s').call(plain, (state) => ({ ...state })), { by: 'another' });
	});

	it('reads the state again where the object would behave in another way than what is stored', async () => {
		const store = rig.store(await rig.open({ eviction: 'never' }));
		const session = store.session('s');
		await session.call(plain, (state) => {
			state['rows'] = [{ count: 0 }];
			state['current'] = (state['rows'] as unknown[])[0];
		});
		await session.call<{ current: { count: number } }>(plain, ({ current }) => void current.count++);
		// As it would be after an eviction: what is stored is two rows.
		assert.deepEqual((await session.read())?.state, { rows: [{ count: 0 }], current: { count: 1 } });
	});

	it('tells a call that it has lost its turn, and does not wait for it', async () => {
		const store = rig.store(await rig.open());
		const contexts: CallContext[] = [];
		const begun = Promise.withResolvers<void>();
		const endless = store.session('s').call({ ...plain, deadlineMs: 50 }, (_state, context) => {
			contexts.push(context);
			begun.resolve();
			return new Promise(() => {});
		});
		await begun.promise;
		const [context] = contexts;
		assert.equal(context?.signal.aborted, false);
		rig.clock.pass(50);
		await assert.rejects(endless, { code: 'deadline-exceeded' });
		assert.equal(context.signal.aborted, true);
		assert.equal(await store.session('s').call(plain, (_state, { seq }) => seq), 0);
	});

	it('keeps to the deadline also when the other half is too far away to say so', async () => {
		const turns = await rig.open();
		const begun = Promise.withResolvers<void>();
		const store = rig.store({ ...counted(turns).turns, onDidHappen: () => ({ dispose: () => undefined }) });
		const endless = store.session('s').call({ ...plain, deadlineMs: 50 }, () => {
			begun.resolve();
			return new Promise(() => {});
		});
		await begun.promise;
		rig.clock.pass(50);
		await assert.rejects(endless, { code: 'deadline-exceeded' });
	});

	it('tells a call that was evicted in the middle', async () => {
		const turns = await rig.open();
		const store = rig.store(turns);
		const begun = Promise.withResolvers<void>();
		const evicted = store.session('s').call(plain, async (_state, { signal }) => {
			begun.resolve();
			await new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
		});
		await begun.promise;
		await turns.evict('s', true);
		await assert.rejects(evicted, { code: 'evicted', isRetryable: true });
	});

	it('says so when what is stored is no JSON, and lets the session be', async () => {
		const turns = await rig.open();
		const { turnId } = await turnOf(turns, 's');
		await turns.commit({ turnId, state: '{"a":}', reply: '' });
		const store = rig.store(turns);
		await assert.rejects(store.session('s').read(), { code: 'session-damaged' });
		await assert.rejects(
			store.session('s').call(plain, () => 1),
			{ code: 'session-damaged' },
		);
		assert.equal((await turns.sessions())[0]?.inFlight, 0);
	});

	it('leaves no timer behind', async () => {
		const store = rig.store(await rig.open());
		await store.session('s').call({ ...plain, key: 'k' }, () => 1);
		await store.session('s').call({ ...plain, key: 'k' }, () => 2);
		await store
			.session('s')
			.call(plain, () => Promise.reject(new Error('No.')))
			.catch(() => undefined);
		await store.close();
		assert.equal(rig.clock.waiting, 0);
	});
});
