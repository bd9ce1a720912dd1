// How a folder is packed into one file: a zip archive (APPNOTE.TXT 6.3.10), which every system can look into. What is deflated consists of
// blocks that can be read each by itself, so that a line in the middle of a long file costs one block and not all before it: a block ends with a
// full flush, and a field of our own in the archive's directory says where each one ends. Other programs pass over that field.

import { ExpectedError } from '../../../core/base/errors.ts';
import { singleLine } from '../../../core/base/text.ts';

export const localHeader = { signature: 0x04034b50, length: 30 } as const;
export const directoryHeader = { signature: 0x02014b50, length: 46 } as const;
export const endRecord = { signature: 0x06054b50, length: 22 } as const;

/** Names are UTF-8. */
export const utf8Flag = 0x0800;
export const deflated = 8;
export const stored = 0;
/** Version 2.0 of the specification: deflated files in folders. */
export const versionNeeded = 20;

/** Of our field in the directory: a version, the logarithm of the block's length, and for each block its packed length and the CRC-32 of what is in it. */
export const blocksField = { id: 0x7458, version: 1, headLength: 2, blockLength: 8 } as const;
/** An extra field is at most 65,535 bytes. */
export const mostBlocks = 8000;
/** Bytes of a block before it is packed, as a power of two. Much smaller would pack worse, much larger make single lines dear. */
export const smallestBlock = 18;
export const largestBlock = 24;
/** What ends a stream of deflated blocks: one that is the last, and empty. */
export const lastBlock = Uint8Array.of(0x03, 0x00);

/** What fits without the 64-bit fields of later versions. */
export const mostBytes = 0xffff_fffe;
export const mostEntries = 0xfffe;

/** Whether a name of an entry leads to something below the archive, and nowhere else, on every system. */
export function isSafeName(name: string): boolean {
	return (
		name.length <= 1024 &&
		!/[\\:\0]/.test(name) &&
		name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
	);
}

/** @param what May name a file as the directory has it, which is damaged too then. */
export function damaged(what: string): ExpectedError {
	return new ExpectedError(`The session file is damaged: ${singleLine(what)}.`);
}
