import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { mock } from 'node:test';
import fc from 'fast-check';
import { StoreChannel } from '../../../../src/platform/node/store/storeChannel.ts';
import { FrameReader, FrameWriter } from '../../../../src/platform/node/store/storeFrames.ts';
import type { Frame } from '../../../../src/platform/node/store/storeFrames.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 2_000, size: 'max' });
const anyValue = fc.oneof(
	fc.constant(null),
	fc.boolean(),
	fc.integer(),
	text,
	fc.array(text, { maxLength: 3 }),
	fc.record({ turnId: text, state: text, reply: text, seq: fc.nat() }, { noNullPrototype: true }),
);
const anyFrame: fc.Arbitrary<Frame> = fc.record(
	{
		kind: fc.constantFrom(1, 2, 3, 4, 5, 6),
		id: fc.nat(0xffff_ffff),
		name: fc.string({ unit: 'grapheme', maxLength: 20 }),
		value: anyValue,
	},
	{ noNullPrototype: true },
);

describe('a frame', () => {
	it('comes out as it went in, however the socket cuts it', () => {
		fc.assert(
			fc.property(
				fc.array(anyFrame, { minLength: 1, maxLength: 5 }),
				fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 50 }),
				(frames, cuts) => {
					const bytes = encoded(frames);
					const read: Frame[] = [];
					const reader = new FrameReader((frame) => read.push(frame));
					for (let position = 0, turn = 0; position < bytes.length; turn++) {
						const end = position + (cuts[turn % cuts.length] ?? 1);
						reader.push(bytes.subarray(position, end));
						position = end;
					}
					assert.deepEqual(read, frames);
				},
			),
			{ numRuns: 300 },
		);
	});

	it('of a state is hardly longer than the state', () => {
		const state = JSON.stringify({
			rows: Array.from({ length: 500 }, (_, index) => ({ index, name: `"${index}"` })),
		});
		const frame = encoded([{ kind: 1, id: 7, name: 'store/commit', value: { turnId: 'turn', state, reply: '1' } }]);
		assert.ok(frame.length < Buffer.byteLength(state) + 200);
	});

	it('that is none is refused', () => {
		const read = (bytes: readonly number[]) => new FrameReader(() => undefined).push(Buffer.from(bytes));
		for (const bytes of [
			[0, 0, 0, 0],
			[255, 255, 255, 255],
			[9, 0, 0, 0, 1, 0, 0, 0, 0, 255, 255, 255, 255],
			[11, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 123, 125],
			[9, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0],
		])
			assert.throws(() => read(bytes), bytes.join());
	});

	it('stays as it was while others are written after it', () => {
		fc.assert(
			fc.property(fc.array(fc.tuple(anyFrame, fc.boolean()), { minLength: 1, maxLength: 8 }), (rounds) => {
				const writer = new FrameWriter();
				const kept: (readonly [Frame, Buffer])[] = [];
				for (const [frame, isDone] of rounds) {
					writer.add(frame);
					writer.take((bytes) => {
						kept.push([frame, isDone ? Buffer.from(bytes) : bytes]);
						return isDone;
					});
				}
				for (const [frame, bytes] of kept) assert.deepEqual(read(bytes), [frame]);
			}),
		);
	});

	it('costs little memory beside many others', () => {
		const writer = new FrameWriter();
		const state = 'x'.repeat(20 * 1024);
		const allocated = allocatedBy(() => {
			for (let id = 1; id <= 500; id++) writer.add({ kind: 1, id, name: 'a', value: { state } });
		});
		assert.ok(allocated < 5 * writer.length, `${allocated} bytes for ${writer.length}`);
	});

	it('that cannot be said leaves those before it', () => {
		const writer = new FrameWriter();
		const frame: Frame = { kind: 1, id: 1, name: 'a', value: 'b' };
		writer.add(frame);
		const long = 'x'.repeat(200 * 1024 * 1024);
		assert.throws(() => writer.add({ kind: 1, id: 2, name: 'a', value: { state: long, reply: long } }));
		writer.take((bytes) => {
			assert.deepEqual(read(bytes), [frame]);
			return true;
		});
	});
});

describe('a way whose other side does not read', () => {
	it('keeps no more than what is said', async () => {
		// It takes one write, and is never done with it.
		const socket = Object.assign(new Duplex({ read: () => undefined, write: () => undefined }), {
			ref: () => undefined,
			unref: () => undefined,
		});
		const channel = new StoreChannel(socket as unknown as Socket, {
			answer: async () => null,
			onNotice: () => undefined,
			onClose: () => undefined,
			onError: assert.ifError,
		});
		let allocated = 0;
		for (let number = 0; number < 200; number++) {
			allocated += allocatedBy(() => channel.notify('a', { number }));
			await new Promise((resolve) => setImmediate(resolve));
		}
		assert.ok(channel.unread > 200 * 20, `${channel.unread}`);
		assert.ok(allocated <= 2 * 4096, `${allocated} bytes for ${channel.unread}`);
		channel.destroy();
	});
});

/** Bytes of memory that is nobody else's. */
function allocatedBy(run: () => void): number {
	const { mock: seen } = mock.method(Buffer, 'allocUnsafeSlow');
	try {
		run();
		return seen.calls.reduce((sum, { arguments: [size] }) => sum + size, 0);
	} finally {
		seen.restore();
	}
}

function encoded(frames: readonly Frame[]): Buffer {
	const writer = new FrameWriter();
	for (const frame of frames) writer.add(frame);
	let encoded = Buffer.alloc(0);
	writer.take((bytes) => {
		encoded = Buffer.from(bytes);
		return true;
	});
	return encoded;
}

function read(bytes: Buffer): readonly Frame[] {
	const frames: Frame[] = [];
	new FrameReader((frame) => frames.push(frame)).push(bytes);
	return frames;
}
