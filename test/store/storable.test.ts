import assert from 'node:assert/strict';
import { canonicalJson, toStorable } from '../../src/core/store/storable.ts';
import { StoreError } from '../../src/core/store/storeError.ts';
import { textOf, utf8Length, utf8Parts } from '../../src/core/store/utf8.ts';

class Cursor {
	position = 0;
}

function problem(value: unknown): string {
	try {
		toStorable(value, 'state', 's');
	} catch (error) {
		assert.ok(error instanceof StoreError, String(error));
		assert.equal(error.code, 'not-storable');
		return error.message;
	}
	return 'none';
}

describe('what is stored', () => {
	const refused: readonly [what: string, value: unknown, message: string][] = [
		['a date', { rows: [{}, { at: new Date(0) }] }, 'state.rows[1].at is a Date'],
		['an error', { last: new Error('x') }, 'state.last is an Error'],
		['an instance', { a: { cursor: new Cursor() } }, 'state.a.cursor is a Cursor'],
		['what is undefined', { filter: undefined }, 'state.filter is undefined'],
		['a hole', { rows: [1, , 3] }, 'state.rows is an array with holes'], // oxlint-disable-line no-sparse-arrays
		['a match', { found: /b/.exec('abc') }, 'state.found is an array with holes or with members that have names'],
		['a number that is none', { mean: 0 / 0 }, 'state.mean is NaN'],
		['infinity', [-Infinity], 'state[0] is -Infinity'],
		['minus zero', { 'a b': [-0] }, 'state["a b"][0] is -0'],
		['a big integer', { n: 1n }, 'state.n is a bigint'],
		['a function', { toJSON: () => 1 }, 'state.toJSON is a function'],
		['a symbol', { s: Symbol('s') }, 'state.s is a symbol'],
		['a name that is a symbol', { [Symbol('s')]: 1 }, 'state has members that are hidden or named by symbols'],
		[
			'a getter',
			{
				rows: [1],
				get count() {
					return 1;
				},
			},
			'state.count is computed by a getter',
		],
	];
	for (const [what, value, message] of refused) {
		it(`is not ${what}, and the message says where`, () => {
			assert.ok(problem(value).startsWith(message), problem(value));
		});
	}

	it('is not what contains itself', () => {
		const state: Record<string, unknown> = { rows: [] };
		state['rows'] = [{ of: state }];
		assert.match(problem(state), /^state\.rows\[0\]\.of contains itself/);
	});

	it('is not deeper than a stack', () => {
		let state: unknown = 1;
		for (let level = 0; level < 100_000; level++) state = [state];
		assert.match(problem(state), /^state\[0\]\[0\].*….*\[0\] is more than 1000 levels deep/);
		assert.ok(problem(state).length < 400);
	});

	it('is no proxy that throws, whatever that is', () => {
		for (const [thrown, words] of [
			[new Error('not today'), 'not today'],
			['x'.repeat(100_000), 'it threw a string'],
			[Object.create(null), 'it threw an object'],
		] as const) {
			const hostile = new Proxy(
				{},
				{
					ownKeys() {
						throw thrown;
					},
				},
			);
			assert.equal(problem({ hostile }), `The state of session "s" cannot be read: ${words}.`);
		}
	});

	it('is not what would never fit, and that is known before it is written', () => {
		let state: unknown = { text: 'x'.repeat(1000) };
		for (let level = 0; level < 60; level++) state = [state, state];
		assert.throws(() => toStorable(state, 'state', 's'), { code: 'too-large' });
	});

	it('is everything else, unchanged', () => {
		const state: unknown = JSON.parse(
			'{"__proto__":{"a":1},"constructor":2,"":[],"\\ud800":"\\udfff","n":[1e21,5e-324,null,true]}',
		);
		const { json, isInterchangeable } = toStorable(state, 'state', 's');
		assert.deepEqual(JSON.parse(json), state);
		assert.equal(isInterchangeable, true);
		assert.deepEqual(toStorable(undefined, 'reply', 's'), { json: '', isInterchangeable: true });
	});

	it('is read again where the value would behave in another way', () => {
		const row = { count: 0 };
		assert.equal(toStorable({ rows: [row], current: row }, 'state', 's').isInterchangeable, false);
		const dictionary: unknown = Object.assign(Object.create(null), { a: 1 });
		assert.equal(toStorable({ dictionary }, 'state', 's').isInterchangeable, false);
		assert.equal(toStorable({ rows: [{ count: 0 }, { count: 0 }] }, 'state', 's').isInterchangeable, true);
	});
});

describe('arguments', () => {
	it('are the same in any order of their members, and only then', () => {
		const one = canonicalJson({ b: [1, { y: 1, x: 2 }], a: 'x' }, 'args', 's');
		assert.equal(one, canonicalJson({ a: 'x', b: [1, { x: 2, y: 1 }] }, 'args', 's'));
		assert.notEqual(one, canonicalJson({ a: 'x', b: [{ x: 2, y: 1 }, 1] }, 'args', 's'));
		assert.equal(one, '{"a":"x","b":[1,{"x":2,"y":1}]}');
	});
});

describe('text in UTF-8', () => {
	for (const text of [
		'',
		'a',
		'äöü',
		'日本語',
		'🔑',
		'x'.repeat(70_000),
		'🔑'.repeat(40_000),
		`a${'🔑'.repeat(40_000)}`,
	]) {
		it(`is as long as it is: ${text.slice(0, 4)} of ${text.length}`, () => {
			assert.equal(utf8Length(text), Buffer.byteLength(text));
		});

		it(`is put together again wherever it was cut: ${text.slice(0, 4)} of ${text.length}`, () => {
			assert.equal(textOf(utf8Parts(text, 65_537)), text);
		});
	}

	it('is not made of what is none', () => {
		assert.throws(() => textOf([Uint8Array.of(0xf0, 0x9f)]), TypeError);
		assert.equal(textOf([Uint8Array.of(0x61)]), 'a');
	});
});
