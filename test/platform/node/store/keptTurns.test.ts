import assert from 'node:assert/strict';
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';
import { createSessionStore } from '../../../../src/core/store/createSessionStore.ts';
import type { OwnerTurns } from '../../../../src/core/store/createTurns.ts';
import type { Session } from '../../../../src/core/store/sessionStore.ts';
import { StoreError } from '../../../../src/core/store/storeError.ts';
import { remoteTurns, serveTurns } from '../../../../src/platform/node/store/channelTurns.ts';
import type { RemoteTurns, ServedTurns } from '../../../../src/platform/node/store/channelTurns.ts';
import { KeptTurnLostError, keepTurns } from '../../../../src/platform/node/store/keptTurns.ts';
import { nodeStorePlatform } from '../../../../src/platform/node/store/nodeStorePlatform.ts';
import { add } from '../../../contract/engine.ts';
import { checkpoint, request, turnOf, TurnsRig } from '../../../store/turnsRig.ts';

describe('a turn that is kept', () => {
	let rig: TurnsRig;
	let owner: OwnerTurns;
	beforeEach(async () => {
		rig = new TurnsRig();
		owner = await rig.open();
	});
	afterEach(() => rig.dispose());

	it('is not asked for', async () => {
		const client = new Client(owner);
		for (let number = 1; number <= 50; number++)
			assert.equal(await add(client.session, 1, { key: `k${number}` }), number);
		// It is asked for twice, and once more whenever this machine has stood still between two calls.
		assert.ok(client.count('store/begin') < 10);
		assert.equal(client.count('store/commit'), 50);
		assert.equal((await owner.checkpoints('s')).length, 50);
	});

	it('is given to whoever wants it, at once', async () => {
		const client = new Client(owner);
		for (let round = 0; round < 5; round++) {
			const begun = client.count('store/begin');
			for (let number = 0; number < 3; number++) await add(client.session, 1);
			assert.ok(client.count('store/begin') - begun < 3);
			assert.equal(await checkpoint(owner, 's', { count: (round + 1) * 4 }), (round + 1) * 4);
		}
		assert.equal(await add(client.session, 1), 21);
	});

	it('is waited for while it is in use', async () => {
		const client = new Client(owner);
		for (let number = 0; number < 3; number++) await add(client.session, 1);
		const begun = client.count('store/begin');
		const order: string[] = [];
		const goOn = Promise.withResolvers<void>();
		const call = client.session.call({ key: undefined, tool: 'wait', args: {} }, async (state) => {
			order.push('begins');
			await goOn.promise;
			state['count'] = 100;
			order.push('ends');
		});
		await immediate();
		const others = [1, 2].map(async (number) => {
			const { turnId, state } = await turnOf(owner, 's');
			order.push(`other ${number}`);
			await owner.commit({ turnId, state: `{"count":${Number(/\d+/u.exec(state!)?.[0]) + 1}}`, reply: '' });
		});
		await settled();
		rig.clock.pass(6_000);
		assert.deepEqual(order, ['begins']);
		goOn.resolve();
		await Promise.all([call, ...others]);
		assert.deepEqual(order, ['begins', 'ends', 'other 1', 'other 2']);
		assert.equal(client.count('store/begin'), begun);
		assert.deepEqual(await owner.read('s'), { seq: 6, state: '{"count":102}' });
	});

	it('has its time from when it was wanted, and no more', async () => {
		owner = await rig.open({ deadlineMs: 60_000 });
		const client = new Client(owner);
		for (let number = 0; number < 3; number++) await add(client.session, 1);
		const call = client.session.call(
			{ key: undefined, tool: 'wait', args: {} },
			async () => new Promise(() => undefined),
		);
		const failed = assert.rejects(call, { code: 'deadline-exceeded' });
		await immediate();
		const other = checkpoint(owner, 's', {});
		await settled();
		rig.clock.pass(60_000);
		assert.equal(await other, 4);
		await failed;
	});

	it('is not used for a call whose key is known', async () => {
		const client = new Client(owner);
		await checkpoint(owner, 's', { count: 0 }, { key: 'elsewhere', reply: 7 });
		for (let number = 1; number <= 5; number++) await add(client.session, 1, { key: `k${number}` });
		assert.equal(await add(client.session, 1, { key: 'k2' }), 2);
		for (let number = 6; number <= 9; number++) await add(client.session, 1, { key: `k${number}` });
		assert.equal(await add(client.session, 1, { key: 'k7' }), 7);
		await assert.rejects(add(client.session, 5, { key: 'elsewhere' }), { code: 'key-reused' });
		assert.equal(await add(client.session, 1, { key: 'k10' }), 10);
	});

	it('is not used for a call that would be refused', async () => {
		const client = new Client(owner);
		for (let number = 1; number <= 3; number++) await add(client.session, 1);
		let runs = 0;
		const tool = 'x'.repeat(10_001);
		await assert.rejects(
			client.session.call({ key: undefined, tool, args: {} }, () => void runs++),
			{ code: 'invalid-request' },
		);
		assert.equal(runs, 0);
		assert.equal(await add(client.session, 1), 4);
	});

	it('of a call that fails ends as any other', async () => {
		const client = new Client(owner);
		for (let number = 1; number <= 3; number++) await add(client.session, 1);
		rig.events.length = 0;
		await assert.rejects(
			client.session.call({ key: 'k', tool: 'throw', args: {} }, (state) => {
				state['count'] = 99;
				throw new Error('no');
			}),
			/no/u,
		);
		await settled();
		assert.deepEqual(rig.happenings(), ['s evicted: failed']);
		assert.equal(await add(client.session, 1, { key: 'k' }), 4);
	});

	it('ends with its client', async () => {
		const client = new Client(owner);
		for (let number = 1; number <= 3; number++) await add(client.session, 1);
		client.served.dispose();
		assert.equal(await checkpoint(owner, 's', { count: 10 }), 4);
	});

	it('is lost by a client that stands still, and what it does with it later leaves nothing', async () => {
		const client = new Client(owner);
		for (let number = 1; number <= 3; number++) await add(client.session, 1);
		const goOn = Promise.withResolvers<void>();
		const call = client.session.call({ key: 'k', tool: 'late', args: {} }, async (state) => {
			await goOn.promise;
			state['count'] = 99;
		});
		const lost = assert.rejects(call, (error) => error instanceof KeptTurnLostError && error.code === 'fenced');
		client.standsStill = true;
		const other = checkpoint(owner, 's', { count: 10 });
		await settled();
		rig.clock.pass(4_999);
		await settled();
		assert.equal((await owner.read('s'))?.seq, 3);
		rig.clock.pass(1);
		assert.equal(await other, 4);
		client.standsStill = false;
		goOn.resolve();
		await lost;
		assert.deepEqual(await owner.read('s'), { seq: 4, state: '{"count":10}' });
		assert.equal(await add(client.session, 1), 11);
	});

	it('is given back when nobody uses it', async () => {
		const client = new Client(owner);
		for (let number = 1; number <= 3; number++) await add(client.session, 1);
		assert.equal((await owner.sessions())[0]?.inFlight, 0);
		while (client.count('store/abort') === 0) await delay(5);
		await settled();
		await owner.evict('s', false);
		assert.ok(rig.happenings().includes('s evicted: asked'));
		assert.equal(await add(client.session, 1), 4);
	});

	it('does not keep memory that is to be given up', async () => {
		const [client, other] = [new Client(owner), new Client(owner)];
		for (let number = 1; number <= 3; number++) await add(client.session, 1);
		rig.events.length = 0;
		await other.session.evict();
		await settled();
		assert.deepEqual(rig.happenings(), ['turn wanted', 's evicted: asked']);
		assert.equal(await add(client.session, 1), 4);
		await client.session.evict();
		await settled();
		assert.equal(rig.happenings().at(-1), 's evicted: asked');
	});

	it('is none where memory is given up after each call', async () => {
		owner = await rig.open({ eviction: 'always' });
		const client = new Client(owner);
		for (let number = 1; number <= 5; number++) await add(client.session, 1);
		assert.equal(client.count('store/begin'), 5);
	});

	it('does not keep an owner from ending, nor does one that is in use', async () => {
		const client = new Client(owner);
		for (let number = 1; number <= 3; number++) await add(client.session, 1);
		const goOn = Promise.withResolvers<void>();
		const call = client.session.call({ key: undefined, tool: 'wait', args: {} }, async (state) => {
			await goOn.promise;
			state['count'] = 4;
		});
		for (let number = 1; number <= 3; number++) await add(client.store.session('t'), 1);
		await immediate();
		const closed = owner.close();
		await settled();
		goOn.resolve();
		await Promise.all([call, closed]);
		await assert.rejects(add(client.session, 1), StoreError);
		owner = await rig.open();
		assert.deepEqual(await owner.read('s'), { seq: 4, state: '{"count":4}' });
	});

	it('is none of a session that is damaged', async () => {
		const client = new Client(owner);
		for (let number = 1; number <= 3; number++) await add(client.session, 1);
		rig.disk.sqlite.exec('UPDATE checkpoints SET seq = 9 WHERE seq = 2');
		await assert.rejects(owner.read('s'), { code: 'session-damaged' });
		await settled();
		await assert.rejects(add(client.session, 1), { code: 'session-damaged' });
	});

	it('is used by one of several calls that are made at once', async () => {
		const [client, other] = [new Client(owner), new Client(owner)];
		await add(client.session, 1);
		const callers = [client, other, client, other, client].map(async ({ session }, caller) => {
			for (let number = 0; number < 40; number++) {
				await add(session, 1, { key: `${caller} ${number}` });
				if (number % 7 === caller) await delay(1);
				if (number % 10 === 0) await immediate();
			}
		});
		await Promise.all(callers);
		assert.deepEqual(await owner.read('s'), { seq: 201, state: '{"count":201}' });
	});

	it('belongs to nobody else', async () => {
		const client = new Client(owner);
		for (let number = 1; number <= 3; number++) await add(client.session, 1);
		const stranger = new Client(owner);
		for (let number = 1; number < 30; number++) {
			await stranger.turns.use(`owner1-${number}`, request('s'));
			assert.equal((await owner.sessions())[0]?.inFlight, 0);
		}
		assert.equal(await add(client.session, 1), 4);
	});
});

/** Another process, as far as the owner can tell: what they say to each other is JSON. */
class Client {
	readonly turns: RemoteTurns;
	readonly served: ServedTurns;
	readonly asked: string[] = [];
	/** What comes waits until it goes on. */
	standsStill = false;

	constructor(owner: OwnerTurns) {
		const remote = remoteTurns({
			request: async (name, params) => {
				this.asked.push(name);
				await immediate();
				const answer = await this.served.answer(name, copied(params));
				await this.arrival();
				return copied(answer);
			},
			end: () => undefined,
			generation: owner.generation,
			onError: unexpected,
		});
		this.turns = keepTurns(remote, unexpected);
		this.served = serveTurns(owner, (name, event) => {
			void this.arrival().then(() => this.turns.onNotice(name, copied(event)));
		});
	}

	get store() {
		return createSessionStore(this.turns, { ...nodeStorePlatform(), onError: unexpected });
	}

	private opened: Session | undefined;

	get session(): Session {
		return (this.opened ??= this.store.session('s'));
	}

	count(name: string): number {
		return this.asked.filter((asked) => asked === name).length;
	}

	private async arrival(): Promise<void> {
		do await immediate();
		while (this.standsStill);
	}
}

/** What was said has arrived, and been answered. */
async function settled(): Promise<void> {
	for (let round = 0; round < 10; round++) await immediate();
}

function copied(value: unknown): unknown {
	return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function unexpected(error: unknown): never {
	throw error;
}
