import { randomBytes } from 'node:crypto';
import { link, open, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';
import { ExpectedError } from '../../../core/base/errors.ts';
import {
	blocksField,
	deflated,
	directoryHeader,
	endRecord,
	isSafeName,
	largestBlock,
	lastBlock,
	localHeader,
	mostBlocks,
	mostBytes,
	mostEntries,
	smallestBlock,
	utf8Flag,
	versionNeeded,
} from './packedFormat.ts';
import { errnoOf, isErrno, whyUnwritable } from '../errno.ts';
import { onceLetGo } from '../host/heldFile.ts';

const deflate = promisify(deflateRaw);

/** What packs worse than this is left as it is: no reader has to take what unpacks to a multiple of itself for an attack. */
const mostRatio = 150;

interface WrittenEntry {
	readonly name: Uint8Array;
	readonly offset: number;
	readonly packedBytes: number;
	readonly bytes: number;
	readonly checksum: number;
	readonly dosTime: number;
	readonly blocks: Uint8Array;
}

/** Writes a folder as one file. Nothing stands under the file's name before all of it is written. */
export class PackedWriter {
	private readonly path: string;
	private readonly draft: string;
	private readonly isReplacing: boolean;
	private readonly file: FileHandle;
	private readonly entries: WrittenEntry[] = [];
	private position = 0;

	private constructor(path: string, draft: string, options: { isReplacing: boolean; file: FileHandle }) {
		this.path = path;
		this.draft = draft;
		this.isReplacing = options.isReplacing;
		this.file = options.file;
	}

	/** @param isReplacing Whether a file that is there already may be replaced. Rejects with a sentence. */
	static async create(path: string, isReplacing: boolean): Promise<PackedWriter> {
		try {
			const there = await stat(path).catch(() => undefined);
			if (there?.isFile() === false) throw new ExpectedError('it is no regular file.');
			if (there !== undefined && !isReplacing) throw taken();
			const draft = `${path}.${randomBytes(4).toString('hex')}.tmp`;
			return new PackedWriter(path, draft, { isReplacing, file: await open(draft, 'wx', 0o600) });
		} catch (error) {
			throw unwritable(path, error);
		}
	}

	/**
	 * Adds a file.
	 * @param name With slashes.
	 * @param expectedBytes About how much it is.
	 * @param modifiedAt Epoch milliseconds.
	 */
	async add(
		name: string,
		chunks: AsyncIterable<Uint8Array>,
		expectedBytes: number,
		modifiedAt: number,
	): Promise<void> {
		if (!isSafeName(name))
			throw new ExpectedError(`A file of the session has a name that cannot be kept: ${name}.`);
		if (this.entries.length >= mostEntries) throw tooLarge();
		const bytesOfName = new TextEncoder().encode(name);
		const offset = this.position;
		const begin = offset + localHeader.length + bytesOfName.length;
		this.position = begin;
		let exponent = smallestBlock;
		while (exponent < largestBlock && expectedBytes / 2 ** exponent > mostBlocks / 2) exponent++;
		const written: { length: number; checksum: number }[] = [];
		let checksum = 0;
		let bytes = 0;
		for await (const block of blocksOf(chunks, 2 ** exponent)) {
			const packed = await packedBlock(block);
			await this.write(packed);
			written.push({ length: packed.length, checksum: crc32(block) });
			checksum = crc32(block, checksum);
			bytes += block.length;
			if (written.length > mostBlocks || this.position > mostBytes || bytes > mostBytes) throw tooLarge();
		}
		await this.write(lastBlock);
		const blocks = Buffer.alloc(blocksField.headLength + written.length * blocksField.blockLength);
		blocks[0] = blocksField.version;
		blocks[1] = exponent;
		for (const [index, block] of written.entries()) {
			const at = blocksField.headLength + index * blocksField.blockLength;
			blocks.writeUInt32LE(block.length, at);
			blocks.writeUInt32LE(block.checksum, at + 4);
		}
		const entry: WrittenEntry = {
			name: bytesOfName,
			offset,
			packedBytes: this.position - begin,
			bytes,
			checksum,
			dosTime: dosTime(modifiedAt),
			blocks,
		};
		this.entries.push(entry);
		await this.writeAt(localHeaderOf(entry), offset);
	}

	/** Puts the file where it belongs. */
	async finish(): Promise<void> {
		const directory = this.position;
		for (const entry of this.entries) await this.write(directoryHeaderOf(entry));
		const end = Buffer.alloc(endRecord.length);
		end.writeUInt32LE(endRecord.signature, 0);
		end.writeUInt16LE(this.entries.length, 8);
		end.writeUInt16LE(this.entries.length, 10);
		end.writeUInt32LE(this.position - directory, 12);
		end.writeUInt32LE(directory, 16);
		if (this.position + end.length > mostBytes) throw tooLarge();
		await this.write(end);
		try {
			await this.file.sync();
			await this.file.close();
			await this.place();
		} catch (error) {
			throw unwritable(this.path, error);
		}
	}

	/** Another may have written a file of that name in the meantime, and `rename` would replace it without a word. */
	private async place(): Promise<void> {
		if (!this.isReplacing) {
			try {
				await link(this.draft, this.path);
				await this.removeDraft();
				return;
			} catch (error) {
				if (isErrno(error, 'EEXIST')) throw taken();
				// A disk without links.
			}
		}
		await onceLetGo(() => rename(this.draft, this.path));
	}

	/** What somebody holds for longer stays: the session is written, or it is not, without it. */
	private async removeDraft(): Promise<void> {
		await onceLetGo(() => rm(this.draft, { force: true })).catch(() => undefined);
	}

	/** Leaves nothing behind. */
	async discard(): Promise<void> {
		await this.file.close().catch(() => undefined);
		await this.removeDraft();
	}

	private async write(bytes: Uint8Array): Promise<void> {
		await this.writeAt(bytes, this.position);
		this.position += bytes.length;
	}

	private async writeAt(bytes: Uint8Array, position: number): Promise<void> {
		try {
			for (let done = 0; done < bytes.length;) {
				done += (await this.file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
			}
		} catch (error) {
			throw unwritable(this.path, error);
		}
	}
}

async function packedBlock(block: Uint8Array): Promise<Uint8Array> {
	const finishFlush = constants.Z_FULL_FLUSH;
	const packed = await deflate(block, { finishFlush });
	return packed.length * mostRatio >= block.length ? packed : deflate(block, { finishFlush, level: 0 });
}

/** The same bytes in pieces of one length; the last may be shorter. */
async function* blocksOf(chunks: AsyncIterable<Uint8Array>, length: number): AsyncIterable<Uint8Array> {
	let block = Buffer.allocUnsafeSlow(length);
	let filled = 0;
	for await (const chunk of chunks) {
		for (let start = 0; start < chunk.length;) {
			const piece = chunk.subarray(start, start + length - filled);
			block.set(piece, filled);
			filled += piece.length;
			start += piece.length;
			if (filled < length) continue;
			yield block;
			block = Buffer.allocUnsafeSlow(length);
			filled = 0;
		}
	}
	if (filled > 0) yield block.subarray(0, filled);
}

function localHeaderOf({ name, packedBytes, bytes, checksum, dosTime }: WrittenEntry): Uint8Array {
	const header = Buffer.alloc(localHeader.length + name.length);
	header.writeUInt32LE(localHeader.signature, 0);
	header.writeUInt16LE(versionNeeded, 4);
	header.writeUInt16LE(utf8Flag, 6);
	header.writeUInt16LE(deflated, 8);
	header.writeUInt32LE(dosTime, 10);
	header.writeUInt32LE(checksum, 14);
	header.writeUInt32LE(packedBytes, 18);
	header.writeUInt32LE(bytes, 22);
	header.writeUInt16LE(name.length, 26);
	header.set(name, localHeader.length);
	return header;
}

function directoryHeaderOf({ name, offset, packedBytes, bytes, checksum, dosTime, blocks }: WrittenEntry): Uint8Array {
	const header = Buffer.alloc(directoryHeader.length + name.length + 4 + blocks.length);
	header.writeUInt32LE(directoryHeader.signature, 0);
	header.writeUInt16LE(versionNeeded, 4);
	header.writeUInt16LE(versionNeeded, 6);
	header.writeUInt16LE(utf8Flag, 8);
	header.writeUInt16LE(deflated, 10);
	header.writeUInt32LE(dosTime, 12);
	header.writeUInt32LE(checksum, 16);
	header.writeUInt32LE(packedBytes, 20);
	header.writeUInt32LE(bytes, 24);
	header.writeUInt16LE(name.length, 28);
	header.writeUInt16LE(4 + blocks.length, 30);
	header.writeUInt32LE(offset, 42);
	header.set(name, directoryHeader.length);
	const extra = directoryHeader.length + name.length;
	header.writeUInt16LE(blocksField.id, extra);
	header.writeUInt16LE(blocks.length, extra + 2);
	header.set(blocks, extra + 4);
	return header;
}

/** In UTC, so that the same files give the same archive everywhere; from 1980 on, to two seconds. */
function dosTime(at: number): number {
	const time = new Date(at);
	const year = time.getUTCFullYear() - 1980;
	if (!(year >= 0 && year < 128)) return (1 << 21) | (1 << 16);
	const date = (year << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate();
	const clock = (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1);
	return ((date << 16) | clock) >>> 0;
}

function taken(): ExpectedError {
	return new ExpectedError('there is a file of that name already.');
}

function tooLarge(): ExpectedError {
	return new ExpectedError('The session is too large for one file: more than 4 GB cannot be saved.');
}

function unwritable(path: string, error: unknown): unknown {
	if (error instanceof ExpectedError) return new ExpectedError(`${path} cannot be written: ${error.message}`);
	if (errnoOf(error) === undefined) return error;
	return new ExpectedError(`${path} cannot be written: ${whyUnwritable(error)}`, { cause: error });
}
