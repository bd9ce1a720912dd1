import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { packed, unpacked } from '../../../../src/platform/node/store/packedBytes.ts';

const utf8 = new TextEncoder();
const line = '{"version":1,"seq":0,"type":"call-sent","server":"faults"}\n';

describe('packed bytes', () => {
	const cases: readonly (readonly [name: string, bytes: Uint8Array, isSmaller: boolean])[] = [
		['lines that repeat themselves', utf8.encode(line.repeat(1_000)), true],
		['a single line', utf8.encode(line), false],
		['nothing', new Uint8Array(0), false],
		['noise', randomBytes(10_000), false],
	];
	for (const [name, bytes, isSmaller] of cases) {
		it(`are as they were: ${name}`, async () => {
			const stored = await packed(bytes);
			assert.equal(stored.length < bytes.length, isSmaller);
			assert.deepEqual(Buffer.from(unpacked(stored, bytes.length) ?? []), Buffer.from(bytes));
		});
	}

	it('are no more than was packed, whatever a frame asks for', () => {
		assert.equal(unpacked(zstdCompressSync(Buffer.alloc(10_000_000)), 1_000), undefined);
	});

	it('are none where a frame is damaged', async () => {
		const stored = Buffer.from(await packed(utf8.encode(line.repeat(1_000))));
		assert.equal(unpacked(stored.subarray(0, -10), line.length * 1_000), undefined);
		stored[10] = (stored[10] ?? 0) ^ 0xff;
		const bytes = unpacked(stored, line.length * 1_000);
		assert.notDeepEqual(bytes, utf8.encode(line.repeat(1_000)));
	});
});
