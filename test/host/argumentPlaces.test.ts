import assert from 'node:assert/strict';
import fc from 'fast-check';
import { inserted, placesOf } from '../../src/core/host/scopes/argumentPlaces.ts';
import { readRpc } from '../../src/core/host/rpc.ts';
import type { RpcMessage } from '../../src/core/host/rpc.ts';

type Json = Record<string, unknown>;

function messageOf(text: string): RpcMessage {
	const message = readRpc(new TextEncoder().encode(text));
	assert.ok(message.kind !== 'problem');
	return message;
}

function textOf(message: RpcMessage | undefined): string {
	assert.ok(message !== undefined);
	return new TextDecoder().decode(message.bytes);
}

/** JSON with the freedom that senders take: space between the tokens, escapes in names, names twice. */
function loose(value: unknown, next: () => number): string {
	const space = () => ['', ' ', '\t', ''][next() % 4] ?? '';
	if (Array.isArray(value))
		return `[${space()}${value.map((one) => loose(one, next)).join(`${space()},${space()}`)}${space()}]`;
	if (typeof value !== 'object' || value === null) return JSON.stringify(value);
	const members = Object.entries(value as Json).flatMap(([name, member]) => {
		const written = next() % 3 === 0 ? escaped(name) : JSON.stringify(name);
		const whole = `${space()}${written}${space()}:${space()}${loose(member, next)}`;
		return next() % 7 === 0 ? [`${JSON.stringify(name)}:{"earlier":1}`, whole] : [whole];
	});
	return `{${members.join(`${space()},`)}${space()}}`;
}

function escaped(name: string): string {
	return `"${[...name].map((unit) => `\\u${(unit.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`).join('')}"`;
}

describe('a value that is put into the arguments of a call', () => {
	it('stands where it is meant and nothing else is otherwise, whatever the call looks like', () => {
		const name = fc.constantFrom('a', 'b', 'c');
		const { args } = fc.letrec((tie) => ({
			args: fc.dictionary(name, tie('any'), { maxKeys: 3 }),
			any: fc.oneof(
				{ depthSize: 'small' },
				fc.constantFrom(1, -0.5, 'x "y" }{][', null, true, '\u2028é😀'),
				tie('args'),
				fc.array(tie('any'), { maxLength: 3 }),
			),
		}));
		const step = fc.tuple(name, fc.boolean()).map(([key, isList]) => (isList ? `${key}[]` : key));
		const path = fc
			.tuple(fc.array(step, { maxLength: 3 }), name)
			.map(([steps, last]) => [...steps, last].join('.'));
		let count = 0;
		fc.assert(
			fc.property(
				args,
				path,
				fc.array(fc.nat(20), { minLength: 5 }),
				fc.jsonValue(),
				(given, at, choices, value) => {
					let turn = 0;
					const params = loose({ name: 't', arguments: given }, () => choices[turn++ % choices.length] ?? 0);
					const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`;
					const message = messageOf(text);
					const places = placesOf(message.params['arguments'], at);
					const insertions = places.flatMap(({ state, keys }) =>
						state === 'absent' ? [{ keys, value: JSON.stringify(value) }] : [],
					);
					const result = textOf(inserted(message, insertions));
					count += insertions.length;
					// What was there is still there, in its order, byte for byte.
					let position = 0;
					for (const character of result)
						if (character === [...text.slice(position)][0]) position += character.length;
					assert.equal(position, text.length);
					const expected = structuredClone(message.params['arguments']);
					for (const { keys } of insertions) put(expected, keys, JSON.parse(JSON.stringify(value)));
					assert.deepEqual(messageOf(result).params['arguments'], expected);
					for (const place of placesOf(messageOf(result).params['arguments'], at))
						assert.notEqual(place.state, 'absent');
				},
			),
			{ numRuns: 1_500 },
		);
		assert.ok(count > 200, `${count} were put in`);
	});

	it('is not put where the reader of the message would not find it', () => {
		const message = messageOf(
			'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"},"\\u0070arams":{"name":"t","arguments":{}}}',
		);
		assert.equal(inserted(message, [{ keys: ['a'], value: '1' }]), undefined);
	});

	it('is not put into what has no place for it', () => {
		const message = messageOf('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":[1]}}');
		assert.equal(inserted(message, [{ keys: ['a'], value: '1' }]), undefined);
	});
});

function put(root: unknown, keys: readonly (string | number)[], value: unknown): void {
	let at = root as Record<string | number, unknown>; // the test's own JSON
	for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string | number, unknown>;
	at[keys.at(-1) ?? ''] = value;
}

describe('the places that a path means', () => {
	const table: readonly (readonly [args: unknown, path: string, places: readonly string[]])[] = [
		[{ a: 1 }, 'a', ['given a']],
		[{}, 'a', ['absent a']],
		[undefined, 'a.b', ['absent a.b']],
		[{ a: {} }, 'a.b', ['absent a.b']],
		[{ a: null }, 'a.b', ['blocked a']],
		[{ a: [1] }, 'a.b', ['blocked a']],
		[{ 'a.b': 1 }, 'a.b', ['given a.b']],
		[{ a: [{ b: 1 }, {}, 2] }, 'a[].b', ['given a.0.b', 'absent a.1.b', 'blocked a.2']],
		[{ a: [[{}], []] }, 'a[][].b', ['absent a.0.0.b']],
		[{ a: {} }, 'a[].b', ['blocked a']],
		[{}, 'a[].b', []],
		[{ a: [] }, 'a[].b', []],
		[{ a: [1] }, 'a[]', ['given a']],
		[{}, 'toString', ['absent toString']],
		[JSON.parse('{"__proto__":{"b":1}}'), '__proto__.b', ['given __proto__.b']],
		['text', 'a', ['blocked ']],
	];
	for (const [args, path, places] of table) {
		it(`${path} in ${JSON.stringify(args)}`, () => {
			assert.deepEqual(
				placesOf(args, path).map(({ state, keys }) => `${state} ${keys.join('.')}`),
				places,
			);
		});
	}

	it('are found at once, whatever a server calls its parameters', () => {
		const path = `${'[]'.repeat(2 ** 20)}x`;
		assert.deepEqual(placesOf({ [path]: 1 }, path).length, 1);
	});
});
