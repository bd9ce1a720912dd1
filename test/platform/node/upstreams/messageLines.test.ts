import assert from 'node:assert/strict';
import fc from 'fast-check';
import { EventStream } from '../../../../src/platform/node/upstreams/eventStream.ts';
import {
	MessageLines,
	answeredId,
	answeredIdOfOversized,
} from '../../../../src/platform/node/upstreams/messageLines.ts';
import type { OversizedLine } from '../../../../src/platform/node/upstreams/messageLines.ts';

/** Cuts bytes at the given places and pushes the pieces. */
function inPieces(bytes: Buffer, cuts: readonly number[], push: (piece: Buffer) => void): void {
	let start = 0;
	for (const cut of [...cuts].map((cut) => cut % (bytes.length + 1)).sort((one, other) => one - other)) {
		if (cut > start) push(Buffer.from(bytes.subarray(start, cut)));
		start = Math.max(start, cut);
	}
	push(Buffer.from(bytes.subarray(start)));
}

describe('lines of a pipe', () => {
	it('are the same however the bytes arrive, and a long one is told by its ends', () => {
		const line = fc.oneof(
			fc.string({ unit: fc.constantFrom('a', 'é', ' ', '{'), maxLength: 30 }),
			fc.constant('x'.repeat(90)),
		);
		fc.assert(
			fc.property(
				fc.array(line, { maxLength: 8 }),
				fc.boolean(),
				fc.array(fc.nat(), { maxLength: 6 }),
				(texts, isTerminated, cuts) => {
					const told: string[] = [];
					const lines = new MessageLines(
						{
							onLine: (line) => void told.push(line.toString()),
							onOversizedLine: ({ head, tail, length }) => {
								// The head ends where the line became too long, or at 4 KB.
								assert.ok(tail.toString().startsWith(head.toString()));
								told.push(`${length}: ${tail.toString()}`);
							},
						},
						70,
					);
					inPieces(Buffer.from(texts.join('\n') + (isTerminated ? '\n' : '')), cuts, (piece) =>
						lines.push(piece),
					);
					lines.finish();
					const expected = (isTerminated || texts.at(-1) !== '' ? texts : texts.slice(0, -1)).map((text) =>
						Buffer.byteLength(text) > 70 ? `${Buffer.byteLength(text)}: ${text}` : text,
					);
					// No text at all has a line end and so one empty line.
					assert.deepEqual(told, texts.length === 0 && isTerminated ? [''] : expected);
				},
			),
		);
	});

	it('do not keep the memory of a chunk, nor that of a long line, for a short one', () => {
		const kept: Buffer[] = [];
		const lines = new MessageLines({
			onLine: (line) => void kept.push(line),
			onOversizedLine: () => assert.fail(),
		});
		const chunk = Buffer.alloc(1 << 20, 'x');
		chunk[10] = chunk[20] = 0x0a;
		lines.push(chunk);
		lines.push(Buffer.from('\n{}\n'));
		assert.deepEqual(
			kept.map(({ length }) => length),
			[10, 9, (1 << 20) - 21, 2],
		);
		assert.ok(kept.every(({ buffer, length }) => buffer.byteLength <= Math.max(64 * 1024, length * 2)));
	});

	it('of one byte each chunk cost no more memory than the line', () => {
		let length = 0;
		const lines = new MessageLines({
			onLine: (line) => void (length = line.length),
			onOversizedLine: () => assert.fail(),
		});
		const byte = Buffer.from('x');
		for (let count = 0; count < 500_000; count++) lines.push(byte);
		lines.push(Buffer.from('\n'));
		assert.equal(length, 500_000);
	});
});

describe('the request that a message answers', () => {
	const table: readonly [text: string, id: number | undefined][] = [
		['{"jsonrpc":"2.0","id":5,"result":{}}', 5],
		['{"result":{"id":6},"id":5}', 5],
		['{"id":5,"error":{"code":1,"message":"x"}}', 5],
		['{"id":5,"method":"ping"}', undefined],
		['{"id":"5","result":{}}', undefined],
		['{"id":null,"error":{}}', undefined],
		['{"id":5.5,"result":{}}', undefined],
		['{"method":"x","params":{"id":5,"result":1}}', undefined],
		['nonsense', undefined],
	];
	for (const [text, id] of table) {
		it(`of ${text} is ${id}`, () => assert.equal(answeredId(Buffer.from(text)), id));
	}

	const long = 'x'.repeat(10_000);
	const oversized = (text: string): OversizedLine => ({
		head: Buffer.from(text.slice(0, 4096)),
		tail: Buffer.from(text.slice(-4096)),
		length: text.length,
	});
	const oversizedTable: readonly [text: string, id: number | undefined][] = [
		[`{"jsonrpc":"2.0","id":12,"result":{"a":"${long}"}}`, 12],
		[`{"jsonrpc":"2.0","result":{"a":"${long}","id":3},"id":12}`, 12],
		[`{"result":{"a":"${long}"}, "id" : 12 , "jsonrpc":"2.0"}\n`, 12],
		[`{"result":{"a":"${long}","id":3}}`, undefined],
		[`{"jsonrpc":"2.0","id":12,"method":"m","params":{"result":"${long}"}}`, undefined],
		[`{"method":"m","params":{"a":"${long}"},"id":12}`, undefined],
		[`{"id":${'1'.repeat(5000)},"result":"${long}"}`, undefined],
	];
	for (const [text, id] of oversizedTable) {
		it(`of ${text.slice(0, 40)}… is ${id}, though only its ends are known`, () =>
			assert.equal(answeredIdOfOversized(oversized(text)), id));
	}
});

describe('server-sent events', () => {
	const read = (text: string, cuts: readonly number[] = [], limit = 1000): string[] => {
		const told: string[] = [];
		const events = new EventStream(
			{
				onEvent: (type, data) =>
					void told.push(`${type} ${JSON.stringify(data.toString())} ${events.lastEventId}`),
				onOversizedEvent: ({ head, length }) =>
					void told.push(`oversized ${length} ${head.toString('utf8', 0, 4)}`),
			},
			limit,
		);
		inPieces(Buffer.from(text), cuts, (piece) => events.push(piece));
		return [...told, `${events.lastEventId} ${events.retryMs}`];
	};
	const table: readonly [name: string, text: string, expected: string[]][] = [
		['a message', 'data: {}\n\n', ['message "{}" undefined', 'undefined undefined']],
		['no space, a type, an id', 'event:endpoint\nid:1\ndata:/m\n\n', ['endpoint "/m" 1', '1 undefined']],
		[
			'data over several lines',
			'data: a\ndata\ndata:  b\n\n',
			['message "a\\n\\n b" undefined', 'undefined undefined'],
		],
		['an id alone', 'id: 7\nretry: 50\n\n', ['7 50']],
		['an event that is not finished', 'id: 7\ndata: x\n', ['undefined undefined']],
		[
			'comments and unknown fields',
			': hi\nfoo: bar\ndata: x\n\n:\n\n',
			['message "x" undefined', 'undefined undefined'],
		],
		['a byte order mark', '\ufeffdata: x\n\n', ['message "x" undefined', 'undefined undefined']],
		[
			'what is no time and no id',
			'retry: soon\nid: a\0b\ndata: x\n\n',
			['message "x" undefined', 'undefined undefined'],
		],
		[
			'a long line',
			`data: {"a${'x'.repeat(2000)}\n\ndata: y\n\n`,
			['oversized 2003 {"ax', 'message "y" undefined', 'undefined undefined'],
		],
		[
			'many lines',
			`${`data: ${'x'.repeat(99)}\n`.repeat(20)}\ndata: y\n\n`,
			['oversized 2000 xxxx', 'message "y" undefined', 'undefined undefined'],
		],
	];
	for (const [name, text, expected] of table) {
		it(`with ${name} are read, whatever ends the lines and however the bytes arrive`, () => {
			for (const lineEnd of ['\n', '\r\n', '\r'])
				assert.deepEqual(read(text.replaceAll('\n', lineEnd)), expected, JSON.stringify(lineEnd));
			fc.assert(
				fc.property(
					fc.array(fc.nat(), { maxLength: 5 }),
					fc.constantFrom('\n', '\r\n', '\r'),
					(cuts, lineEnd) => assert.deepEqual(read(text.replaceAll('\n', lineEnd), cuts), expected),
				),
			);
		});
	}
});
