// A packed folder as files: below the path of the archive, where no true file can lie. Nothing is unpacked onto a disk. What an archive says of
// itself is believed only as far as it fits the archive.

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, crc32, inflateRaw } from 'node:zlib';
import type { DirectoryEntry, FileStat, OpenFile } from '../../../core/transcripts/files.ts';
import { ExpectedError } from '../../../core/base/errors.ts';
import {
	blocksField,
	damaged,
	deflated,
	directoryHeader,
	endRecord,
	isSafeName,
	largestBlock,
	lastBlock,
	localHeader,
	smallestBlock,
	stored,
} from './packedFormat.ts';
import { errnoOf } from '../errno.ts';

const inflate = promisify(inflateRaw);

/** What unpacks to more than this and to so many times itself was not made of a session. */
const alwaysTakenBytes = 256 * 1024 * 1024;
const mostRatio = 200;
/** An entry that another program has packed is one block. */
const mostForeignBytes = 256 * 1024 * 1024;
const mostDirectoryBytes = 64 * 1024 * 1024;

interface Block {
	/** Bytes of the archive before it. */
	readonly offset: number;
	readonly length: number;
	readonly checksum: number;
}

interface Entry {
	readonly name: string;
	readonly bytes: number;
	readonly isDeflated: boolean;
	readonly blockBytes: number;
	readonly headerAt: number;
	readonly packedBytes: number;
	/** From the beginning of its data on. */
	readonly blocks: readonly Block[];
}

interface Archive {
	readonly identity: string;
	readonly modifiedAt: number;
	readonly entries: ReadonlyMap<string, Entry>;
}

/** The newest last. */
const archives = new Map<string, Archive>();
const mostArchives = 8;

/** @param name With slashes. `undefined`: there is no such entry. */
export async function statPacked(path: string, name: string): Promise<FileStat | undefined> {
	const file = await openFile(path);
	try {
		const { entries, identity, modifiedAt } = await archiveOf(path, file);
		const entry = entries.get(name);
		if (entry !== undefined) return { isDirectory: false, size: entry.bytes, modifiedAt, identity };
		const isFolder = [...entries.keys()].some((other) => other.startsWith(`${name}/`));
		return isFolder ? { isDirectory: true, size: 0, modifiedAt, identity } : undefined;
	} finally {
		await file.close();
	}
}

export async function listPacked(path: string, name: string): Promise<readonly DirectoryEntry[]> {
	const file = await openFile(path);
	try {
		const { entries } = await archiveOf(path, file);
		const found = new Map<string, DirectoryEntry>();
		for (const other of entries.keys()) {
			if (!other.startsWith(`${name}/`)) continue;
			const [first = '', ...more] = other.slice(name.length + 1).split('/');
			found.set(first, { name: first, isDirectory: more.length > 0 });
		}
		if (found.size === 0) throw new ExpectedError('The file is no longer there.');
		return [...found.values()];
	} finally {
		await file.close();
	}
}

export async function openPacked(path: string, name: string): Promise<OpenFile> {
	const file = await openFile(path);
	try {
		const entry = (await archiveOf(path, file)).entries.get(name);
		if (entry === undefined) throw new ExpectedError('The file is no longer there.');
		const begin = await beginOf(file, entry);
		return new PackedFile(file, entry, begin);
	} catch (error) {
		await file.close();
		throw error;
	}
}

/** One entry. What was unpacked last is kept: files are read in pieces that are smaller. */
class PackedFile implements OpenFile {
	private readonly file: FileHandle;
	private readonly entry: Entry;
	private readonly begin: number;
	private block: Uint8Array = new Uint8Array(0);
	private blockIndex = -1;

	constructor(file: FileHandle, entry: Entry, begin: number) {
		this.file = file;
		this.entry = entry;
		this.begin = begin;
	}

	async read(into: Uint8Array, offset: number): Promise<number> {
		const { blockBytes, bytes } = this.entry;
		let filled = 0;
		while (filled < into.length && offset + filled < bytes) {
			const index = Math.floor((offset + filled) / blockBytes);
			if (index !== this.blockIndex) {
				this.block = await this.unpacked(index);
				this.blockIndex = index;
			}
			const from = offset + filled - index * blockBytes;
			const piece = this.block.subarray(from, from + into.length - filled);
			if (piece.length === 0) break;
			into.set(piece, filled);
			filled += piece.length;
		}
		return filled;
	}

	close(): Promise<void> {
		return this.file.close();
	}

	private async unpacked(index: number): Promise<Uint8Array> {
		const { name, blocks, blockBytes, bytes, isDeflated } = this.entry;
		const block = blocks[index];
		if (block === undefined) throw new Error(`${name} has no block ${index}.`);
		const expected = Math.min(blockBytes, bytes - index * blockBytes);
		const packed = await readExactly(this.file, this.begin + block.offset, block.length);
		let unpacked: Uint8Array = packed;
		if (isDeflated) {
			try {
				unpacked = await inflate(packed, {
					finishFlush: constants.Z_SYNC_FLUSH,
					maxOutputLength: Math.max(expected, 1),
				});
			} catch (error) {
				throw new ExpectedError(damaged(`${name} cannot be unpacked`).message, { cause: error });
			}
		}
		if (unpacked.length !== expected || crc32(unpacked) !== block.checksum)
			throw damaged(`${name} is not what was saved`);
		return unpacked;
	}
}

async function openFile(path: string): Promise<FileHandle> {
	try {
		return await open(path, 'r');
	} catch (error) {
		const code = errnoOf(error);
		if (code === undefined) throw error;
		throw new ExpectedError(
			code === 'ENOENT' ? 'The file is no longer there.' : `The system could not read it (${code}).`,
			{ cause: error },
		);
	}
}

async function archiveOf(path: string, file: FileHandle): Promise<Archive> {
	const { dev, ino, size, mtimeMs } = await file.stat();
	const identity = `${dev}:${ino}:${size}:${mtimeMs}`;
	const known = archives.get(path);
	if (known?.identity === identity) return known;
	const archive = { identity, modifiedAt: mtimeMs, entries: await readDirectory(file, size) };
	archives.delete(path);
	archives.set(path, archive);
	for (const oldest of archives.keys()) {
		if (archives.size <= mostArchives) break;
		archives.delete(oldest);
	}
	return archive;
}

async function readDirectory(file: FileHandle, size: number): Promise<ReadonlyMap<string, Entry>> {
	const tailLength = Math.min(size, endRecord.length + 0xffff);
	const tail = await readExactly(file, size - tailLength, tailLength);
	const at = endOf(tail);
	if (at === -1) {
		const head = await readExactly(file, 0, Math.min(4, size));
		const isArchive = head.length === 4 && head.readUInt32LE(0) === localHeader.signature;
		throw isArchive
			? damaged('it is cut off, its end is missing')
			: new ExpectedError('It is no session file: Crosstalk has not written it.');
	}
	const count = tail.readUInt16LE(at + 10);
	const length = tail.readUInt32LE(at + 12);
	const begin = tail.readUInt32LE(at + 16);
	const endAt = size - tailLength + at;
	if (tail.readUInt16LE(at + 4) !== 0 || tail.readUInt16LE(at + 8) !== count || begin + length > endAt)
		throw damaged('its directory does not fit it');
	if (length > mostDirectoryBytes) throw damaged('its directory is larger than any session needs');
	const directory = await readExactly(file, begin, length);
	const entries = new Map<string, Entry>();
	let position = 0;
	for (let index = 0; index < count; index++) {
		const read = readEntry(directory, position, begin);
		position = read.next;
		// Other programs have an entry for each folder.
		if (read.entry === undefined) continue;
		if (entries.has(read.entry.name)) throw damaged(`it has two files of the name ${read.entry.name}`);
		entries.set(read.entry.name, read.entry);
	}
	refuseOverlaps([...entries.values()], begin);
	const bytes = [...entries.values()].reduce((sum, entry) => sum + entry.bytes, 0);
	if (bytes > alwaysTakenBytes && bytes > size * mostRatio)
		throw new ExpectedError(
			`It would unpack to ${Math.round(bytes / 1024 / 1024)} MB, ${Math.round(bytes / size)} times its size: no session does that.`,
		);
	return entries;
}

/** Where the record is that ends an archive; -1: nowhere. */
function endOf(tail: Buffer): number {
	for (let at = tail.length - endRecord.length; at >= 0; at--) {
		if (
			tail.readUInt32LE(at) === endRecord.signature &&
			tail.readUInt16LE(at + 20) === tail.length - at - endRecord.length
		)
			return at;
	}
	return -1;
}

function readEntry(
	directory: Buffer,
	at: number,
	end: number,
): { readonly entry: Entry | undefined; readonly next: number } {
	if (at + directoryHeader.length > directory.length || directory.readUInt32LE(at) !== directoryHeader.signature)
		throw damaged('its directory cannot be read');
	const nameLength = directory.readUInt16LE(at + 28);
	const extraLength = directory.readUInt16LE(at + 30);
	const nameAt = at + directoryHeader.length;
	const next = nameAt + nameLength + extraLength + directory.readUInt16LE(at + 32);
	if (next > directory.length) throw damaged('its directory cannot be read');
	const name = directory.toString('utf8', nameAt, nameAt + nameLength);
	const method = directory.readUInt16LE(at + 10);
	const checksum = directory.readUInt32LE(at + 16);
	const packedBytes = directory.readUInt32LE(at + 20);
	const bytes = directory.readUInt32LE(at + 24);
	const headerAt = directory.readUInt32LE(at + 42);
	if (name.endsWith('/') && bytes === 0) return { entry: undefined, next };
	if (!isSafeName(name)) throw damaged(`it has a file of the name ${JSON.stringify(name.slice(0, 200))}`);
	// Bit 0: encrypted.
	if ((directory.readUInt16LE(at + 8) & 1) !== 0) throw damaged(`${name} is encrypted`);
	if (method !== deflated && method !== stored) throw damaged(`${name} is packed in an unknown way`);
	if (headerAt + localHeader.length + packedBytes > end) throw damaged(`${name} does not fit it`);
	const isDeflated = method === deflated;
	if (isDeflated ? packedBytes > mostPacked(bytes) : packedBytes !== bytes) throw damaged(`${name} does not fit it`);
	const common = { name, bytes, isDeflated, headerAt, packedBytes };
	const extra = directory.subarray(nameAt + nameLength, nameAt + nameLength + extraLength);
	const blocks = isDeflated ? blocksIn(extra, name, bytes, packedBytes) : undefined;
	if (blocks !== undefined) return { entry: { ...common, ...blocks }, next };
	if (bytes > mostForeignBytes)
		throw new ExpectedError(
			`${name} in it is too large: another program has packed it, and it must be read whole.`,
		);
	const whole = bytes === 0 ? [] : [{ offset: 0, length: packedBytes, checksum }];
	return { entry: { ...common, blockBytes: Math.max(bytes, 1), blocks: whole }, next };
}

/** What cannot be packed grows a little. */
function mostPacked(bytes: number): number {
	return bytes + bytes / 64 + 1024;
}

/** `undefined`: another program has packed it. */
function blocksIn(
	extra: Buffer,
	name: string,
	bytes: number,
	packedBytes: number,
): Pick<Entry, 'blocks' | 'blockBytes'> | undefined {
	for (let at = 0; at + 4 <= extra.length;) {
		const length = extra.readUInt16LE(at + 2);
		const field = extra.subarray(at + 4, at + 4 + length);
		if (extra.readUInt16LE(at) !== blocksField.id) {
			at += 4 + length;
			continue;
		}
		const { headLength, blockLength, version } = blocksField;
		if (field.length !== length || length < headLength) throw damaged(`${name} does not fit it`);
		if (field[0] !== version) return undefined;
		const exponent = field[1] ?? 0;
		const count = (length - headLength) / blockLength;
		if (exponent < smallestBlock || exponent > largestBlock || count !== Math.ceil(bytes / 2 ** exponent))
			throw damaged(`${name} does not fit it`);
		const blocks: Block[] = [];
		let offset = 0;
		for (let index = 0; index < count; index++) {
			const place = headLength + index * blockLength;
			const packed = field.readUInt32LE(place);
			if (packed > mostPacked(2 ** exponent)) throw damaged(`${name} does not fit it`);
			blocks.push({ offset, length: packed, checksum: field.readUInt32LE(place + 4) });
			offset += packed;
		}
		if (offset + lastBlock.length !== packedBytes) throw damaged(`${name} does not fit it`);
		return { blocks, blockBytes: 2 ** exponent };
	}
	return undefined;
}

/** Two files in the same bytes are how a small archive unpacks to a large one. */
function refuseOverlaps(entries: readonly Entry[], end: number): void {
	const sorted = [...entries].sort((one, other) => one.headerAt - other.headerAt);
	for (const [index, { name, headerAt, packedBytes }] of sorted.entries()) {
		if (headerAt + localHeader.length + packedBytes > (sorted[index + 1]?.headerAt ?? end))
			throw damaged(`${name} runs into another file`);
	}
}

/** Where the data of an entry begin. */
async function beginOf(file: FileHandle, { name, headerAt, packedBytes }: Entry): Promise<number> {
	const header = await readExactly(file, headerAt, localHeader.length);
	if (header.readUInt32LE(0) !== localHeader.signature) throw damaged(`${name} is not where it should be`);
	const begin = headerAt + localHeader.length + header.readUInt16LE(26) + header.readUInt16LE(28);
	if (begin + packedBytes > (await file.stat()).size) throw damaged(`${name} does not fit it`);
	return begin;
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
	const bytes = Buffer.allocUnsafeSlow(length);
	for (let filled = 0; filled < length;) {
		const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
		if (bytesRead === 0) throw damaged('it ends too early');
		filled += bytesRead;
	}
	return bytes;
}
