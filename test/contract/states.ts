import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Session, SessionState } from '../../src/core/store/sessionStore.ts';
import { StoreError } from '../../src/core/store/storeError.ts';
import { add, look, refused } from './engine.ts';
import type { Lab } from './engine.ts';

class Cursor {
	at = 1;
}

const unstorable: readonly { readonly what: string; readonly make: () => unknown }[] = [
	{ what: 'a cycle', make: cycle },
	{ what: 'undefined', make: () => undefined },
	{ what: 'a function', make: () => () => 1 },
	{ what: 'a symbol', make: () => Symbol('s') },
	{ what: 'a bigint', make: () => 1n },
	{ what: 'NaN', make: () => NaN },
	{ what: 'infinity', make: () => -Infinity },
	{ what: '-0', make: () => -0 },
	{ what: 'a date', make: () => new Date(0) },
	{ what: 'a map', make: () => new Map([[1, 2]]) },
	{ what: 'a set', make: () => new Set([1]) },
	{ what: 'a regular expression', make: () => /a/u },
	{ what: 'an error', make: () => new Error('e') },
	{ what: 'bytes', make: () => new Uint8Array([1, 2]) },
	{ what: 'a promise', make: () => Promise.resolve(1) },
	{ what: 'an instance of a class', make: () => new Cursor() },
	{ what: 'a boxed text', make: () => new Object('text') },
	{ what: 'an array with a hole', make: hole },
	{ what: 'an array with a name', make: () => Object.assign([1], { name: 1 }) },
	{ what: 'an object that says its own JSON', make: () => ({ toJSON: () => 1 }) },
	{
		what: 'a getter',
		make: () => ({
			get at() {
				return 1;
			},
		}),
	},
	{
		what: 'a getter that throws',
		make: () => ({
			get at(): never {
				throw new Error('No.');
			},
		}),
	},
	{ what: 'a name that is a symbol', make: () => ({ [Symbol('s')]: 1 }) },
	{ what: 'a hidden member', make: () => Object.defineProperty({}, 'at', { value: 1, enumerable: false }) },
	{ what: 'too many objects in each other', make: () => deep(200_000) },
	{
		what: 'a proxy that throws',
		make: () =>
			new Proxy(
				{ at: 1 },
				{
					ownKeys: () => {
						throw new Error('No.');
					},
				},
			),
	},
];

export function statesContract(lab: Lab): void {
	describe('a state', () => {
		for (const { what, make } of unstorable) {
			it(`with ${what} in it is refused, and nothing of the call remains`, async () => {
				const session = (await lab.bed.open()).session('a');
				await add(session, 1);
				const error = await refused(
					session.call({ key: 'k', tool: 'spoil', args: {} }, (state) => {
						state['count'] = 99;
						state['rows'] = [{ at: 1 }, { at: make() }];
					}),
					'not-storable',
				);
				if (!what.includes('proxy')) assert.match(error.message, /rows\[1\]\.at/u);
				assert.equal(error.sessionId, 'a');
				assert.equal(error.isRetryable, false);
				assert.deepEqual(await session.read(), { seq: 1, state: { count: 1 } });
				assert.equal(await add(session, 1, { key: 'k' }), 2);
			});
		}

		it('that is not a plain object any more is refused', async () => {
			const session = (await lab.bed.open()).session('a');
			await refused(
				session.call(
					{ key: undefined, tool: 'spoil', args: {} },
					(state) => void Object.setPrototypeOf(state, { at: 1 }),
				),
				'not-storable',
			);
			assert.equal(await session.read(), undefined);
		});

		it('may have any name in it, and any text', async () => {
			let store = await lab.bed.open();
			const names = [
				'',
				'__proto__',
				'constructor',
				'toString',
				'hasOwnProperty',
				'0',
				'-1',
				' ',
				'ü',
				'\u0000',
				'\u2028',
			];
			const texts = [
				'',
				'\u0000',
				'\ud800',
				'\udfff',
				'a\udc00\ud800b',
				'\u2028',
				'\ufeff',
				'👩‍👩‍👧‍👦',
				"'",
				'"',
				'\\',
			];
			const wanted = JSON.stringify({ texts, ...Object.fromEntries(names.map((name) => [name, { name }])) });
			await store.session('a').call({ key: 'k', tool: 'fill', args: {} }, (state) => {
				state['texts'] = texts;
				for (const name of names) define(state, name, { name });
			});
			assert.equal(JSON.stringify(await seen(store.session('a'))), JSON.stringify(sorted(wanted)));
			await lab.bed.kill();
			store = await lab.bed.open();
			assert.equal(JSON.stringify(await seen(store.session('a'))), JSON.stringify(sorted(wanted)));
			assert.equal(
				JSON.stringify(sorted(JSON.stringify((await store.session('a').read())?.state))),
				JSON.stringify(sorted(wanted)),
			);
			assert.equal(({} as SessionState)['name'], undefined);
		});

		it('comes back as it was, or is refused', async () => {
			const store = await lab.bed.open();
			let number = 0;
			const text = fc.oneof(
				fc.string({ unit: 'binary' }),
				fc.constantFrom('__proto__', 'constructor', '\ud800', 'a\udfff'),
			);
			const value = fc.letrec<{ value: unknown }>((tie) => ({
				value: fc.oneof(
					{ maxDepth: 4, withCrossShrink: true },
					fc.oneof(text, fc.double(), fc.integer(), fc.boolean(), fc.constantFrom(null, undefined, -0, NaN)),
					fc.array(tie('value'), { maxLength: 4 }),
					fc.dictionary(text, tie('value'), { maxKeys: 4 }),
				),
			})).value;
			await fc.assert(
				fc.asyncProperty(fc.dictionary(text, value, { maxKeys: 5 }), value, async (members, reply) => {
					const session = store.session(`session ${number++}`);
					const call = () =>
						session.call({ key: 'k', tool: 'fill', args: {} }, (state) => {
							for (const [name, member] of Object.entries(members)) define(state, name, member);
							return reply;
						});
					try {
						assert.deepStrictEqual(await call(), plain(reply));
					} catch (error) {
						if (!(error instanceof StoreError)) throw error;
						assert.equal(error.code, 'not-storable');
						assert.ok(!isJson(members) || !isJson(reply), `It is JSON: ${error.message}`);
						assert.equal(await session.read(), undefined);
						return;
					}
					await session.evict();
					assert.deepStrictEqual(await call(), plain(reply));
					const state = await session.read();
					assert.equal(state?.seq, 1);
					assert.deepStrictEqual(state.state, plain(members));
				}),
				{ numRuns: 100 },
			);
		}).timeout(300_000);

		for (const size of [999_000, 1_048_576, 2_000_000, 2_097_152, 5_000_000]) {
			it(`of ${size} bytes is kept whole, and so is the next, smaller one`, async () => {
				let session = (await lab.bed.open({ stateBytes: 8_000_000 })).session('a');
				// Characters of one, two, three and four bytes, so that no cut falls between all of them.
				const text = 'aé€😀'.repeat(Math.floor(size / 10));
				await session.call({ key: 'k', tool: 'fill', args: {} }, (state) => void (state['text'] = text));
				await lab.bed.kill();
				session = (await lab.bed.open({ stateBytes: 8_000_000 })).session('a');
				assert.ok((await session.read())?.state['text'] === text, 'It is read as it was.');
				await session.call({ key: undefined, tool: 'shorten', args: {} }, (state) => {
					assert.ok(state['text'] === text, 'The next call finds it as it was.');
					state['text'] = 'short';
				});
				await session.evict();
				assert.deepEqual(await session.read(), { seq: 2, state: { text: 'short' } });
				assert.ok((await session.stateAt(1)).state['text'] === text, 'It is still there.');
			}).timeout(30_000);
		}

		it('that is too large is refused', async () => {
			const session = (await lab.bed.open({ stateBytes: 1000 })).session('a');
			const fill = (length: number) =>
				session.call(
					{ key: undefined, tool: 'fill', args: {} },
					(state) => void (state['text'] = 'é'.repeat(length)),
				);
			// {"text":"…"} is 11 bytes, and the letter two.
			await fill(494);
			await refused(fill(495), 'too-large');
			assert.equal((await session.checkpoints())[0]?.bytes, 999);
			assert.equal((await session.read())?.seq, 1);
			assert.equal(await add(session, 1).catch(() => 'no room'), 'no room');
		});
	});

	describe('a reply', () => {
		for (const { what, make } of unstorable.filter(({ what }) => what !== 'a promise')) {
			it(`with ${what} in it is refused, and nothing of the call remains`, async () => {
				const session = (await lab.bed.open()).session('a');
				const error = await refused(
					session.call({ key: 'k', tool: 'spoil', args: {} }, (state) => {
						state['count'] = 99;
						return { rows: [make()] };
					}),
					'not-storable',
				);
				if (!what.includes('proxy')) assert.match(error.message, /rows\[0\]/u);
				assert.equal(await session.read(), undefined);
				assert.equal(await add(session, 1), 1);
			});
		}

		it('of any size is given again', async () => {
			let session = (await lab.bed.open()).session('a');
			const text = 'aé€😀'.repeat(300_000);
			const call = () => session.call({ key: 'k', tool: 'tell', args: {} }, () => ({ text }));
			assert.ok((await call()).text === text);
			await lab.bed.kill();
			session = (await lab.bed.open()).session('a');
			assert.ok((await call()).text === text);
			assert.equal((await session.read())?.seq, 1);
		}).timeout(30_000);
	});

	describe('arguments', () => {
		for (const { what, make } of unstorable) {
			it(`with ${what} in them are refused before anything is run`, async () => {
				const session = (await lab.bed.open()).session('a');
				let runs = 0;
				const error = await refused(
					session.call({ key: 'k', tool: 'spoil', args: { rows: [make()] } }, () => void runs++),
					'not-storable',
				);
				if (!what.includes('proxy')) assert.match(error.message, /rows\[0\]/u);
				assert.equal(runs, 0);
				assert.equal(await look(session), 0);
			});
		}
	});

	describe('checkpoints', () => {
		it('are listed, the newest first, and have their states', async () => {
			let session = (await lab.bed.open({ keptStates: 3 })).session('a');
			for (let number = 1; number <= 6; number++) await add(session, 1, { key: `k${number}` });
			const check = async (): Promise<void> => {
				const checkpoints = await session.checkpoints();
				assert.deepEqual(
					checkpoints
						.slice(0, 3)
						.map(({ seq, key, tool, bytes, hasState }) => ({ seq, key, tool, bytes, hasState })),
					[6, 5, 4].map((seq) => ({ seq, key: `k${seq}`, tool: 'add', bytes: 11, hasState: true })),
				);
				for (const { seq, at, generation, hasState } of checkpoints) {
					assert.equal(new Date(at).toISOString(), at);
					assert.ok(generation > 0);
					if (hasState) assert.deepEqual(await session.stateAt(seq), { seq, state: { count: seq } });
					else await assert.rejects(session.stateAt(seq), StoreError);
				}
			};
			await check();
			await lab.bed.kill();
			session = (await lab.bed.open({ keptStates: 3 })).session('a');
			await check();
		});

		it('that are not there are refused', async () => {
			const session = (await lab.bed.open()).session('a');
			assert.deepEqual(await session.checkpoints(), []);
			await assert.rejects(session.stateAt(1), StoreError);
			await add(session, 1);
			for (const seq of [0, 2, -1, 0.5, NaN, 257, 1e300])
				await assert.rejects(session.stateAt(seq), StoreError, `${seq}`);
			for (const seq of [undefined, null, '1', 1n, {}] as unknown as number[])
				await refused(session.stateAt(seq), 'not-kept');
			assert.deepEqual(await session.stateAt(1), { seq: 1, state: { count: 1 } });
		});

		it('are not changed by who reads them', async () => {
			const session = (await lab.bed.open()).session('a');
			await add(session, 1);
			for (const read of [await session.read(), await session.stateAt(1)]) read!.state['count'] = 99;
			assert.equal(await look(session), 1);
			assert.deepEqual(await session.read(), { seq: 2, state: { count: 1 } });
		});
	});
}

/** The state that a call finds, with its names in order. */
async function seen(session: Session): Promise<unknown> {
	const text = await session.call({ key: undefined, tool: 'see', args: {} }, (state) => JSON.stringify(state));
	return sorted(text);
}

function sorted(json: string | undefined): unknown {
	return Object.entries(JSON.parse(json ?? '{}') as SessionState).sort(byName);
}

function byName([left]: [string, unknown], [right]: [string, unknown]): number {
	return left < right ? -1 : 1;
}

/** Also `__proto__` becomes a member. */
function define(state: SessionState, name: string, value: unknown): void {
	Object.defineProperty(state, name, { value, enumerable: true, configurable: true, writable: true });
}

function isJson(value: unknown): boolean {
	try {
		assert.deepStrictEqual(JSON.parse(JSON.stringify(value)), plain(value));
		return true;
	} catch {
		// It is not what JSON gives back, or there is no JSON of it at all.
		return false;
	}
}

/** With objects that have the prototype that JSON gives them. */
function plain(value: unknown): unknown {
	if (Array.isArray(value)) return value.map((item) => plain(item));
	if (typeof value !== 'object' || value === null) return value;
	const copy: SessionState = {};
	for (const [name, member] of Object.entries(value)) define(copy, name, plain(member));
	return copy;
}

function cycle(): unknown {
	const first: { again?: unknown }[] = [{}];
	first[0]!.again = first;
	return first;
}

function hole(): unknown[] {
	const holes: unknown[] = [];
	holes.length = 2;
	return holes;
}

function deep(levels: number): unknown {
	let value: unknown = 1;
	for (let level = 0; level < levels; level++) value = [value];
	return value;
}
