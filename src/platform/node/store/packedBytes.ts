// Recorded events are JSON that repeats itself: packed, there is a fraction of it for the database to write.

import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { ExpectedError } from '../../../core/base/errors.ts';

/** Packing what is smaller saves no page of a database. */
const worthPacking = 2048;

/** The magic number of a Zstandard frame (RFC 8878, 3.1.1). A line of JSON begins with none of these bytes. */
const magic = [0x28, 0xb5, 0x2f, 0xfd];

/** Node has Zstandard from 22.15 on. Nobody needs it to write. */
const compress: typeof zlib.zstdCompress | undefined = zlib.zstdCompress;

/** The same bytes, or fewer that `unpacked` makes them of again. Does not block. */
export async function packed(bytes: Uint8Array): Promise<Uint8Array> {
	if (bytes.length < worthPacking || compress === undefined) return bytes;
	const frame = await promisify(compress)(bytes, fastest);
	return frame.length < bytes.length ? frame : bytes;
}

const fastest = { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } };

/**
 * @param length Of the bytes that were packed: no more are made, whatever a damaged frame asks for.
 * @returns `undefined`: the frame is damaged.
 * @throws ExpectedError where this Node cannot read such frames.
 */
export function unpacked(stored: Uint8Array, length: number): Uint8Array | undefined {
	if (!magic.every((byte, index) => stored[index] === byte)) return stored;
	if (compress === undefined)
		throw new ExpectedError('What was recorded is packed, and can be read with Node 22.15 or later.');
	try {
		return zlib.zstdDecompressSync(stored, { maxOutputLength: Math.max(length, 1) });
	} catch {
		// Its checksum would not have been right either.
		return undefined;
	}
}
