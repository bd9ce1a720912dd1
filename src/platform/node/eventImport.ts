// The event log of versions that kept it in files of JSON lines. It is read into the store, piece by piece, and each file is removed when all
// of it is there; whoever is interrupted goes on where it was.

import { open, readdir, rmdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { countLine, sessionsText, timeIn } from './store/eventChunks.ts';
import type { EventChunk, SessionShare } from './store/eventChunks.ts';
import { pieceBytes } from './store/eventTable.ts';
import type { EventStore } from './store/eventTable.ts';
import { isErrno } from './errno.ts';

export interface ImportOptions {
	/** Epoch milliseconds: files that were last written before are too old to be kept. */
	readonly before: number;
	readonly isEnded: () => boolean;
	/** Lets others have the disk. */
	readonly pause: () => Promise<void>;
}

const readBytes = 512 * 1024;
/** What the recorder writes before a message is shorter. */
const headBytes = 16 * 1024;
const LINE_FEED = 0x0a;

/** Takes over the files of this folder, and removes it when it is empty. Rejects when one cannot be read or written. */
export async function importJsonLines(directory: string, store: EventStore, options: ImportOptions): Promise<void> {
	let names: readonly string[];
	try {
		names = await readdir(directory);
	} catch (error) {
		if (isMissing(error)) return;
		throw error;
	}
	for (const name of names.filter(isFileName).sort()) {
		if (options.isEnded()) return;
		const path = join(directory, name);
		if ((await stat(path)).mtimeMs >= options.before) {
			if (!(await importFile(path, name, store, options))) return;
		}
		await unlink(path);
	}
	// What else lies there is somebody else's, and keeps the folder.
	if (names.every(isFileName)) await rmdir(directory);
}

/** Gives whether all of the file is in the store. */
async function importFile(path: string, name: string, store: EventStore, options: ImportOptions): Promise<boolean> {
	const startedAt = startOf(name);
	const log = await store.openLog(name, startedAt);
	const file = await open(path, 'r');
	try {
		let length = readBytes;
		for (;;) {
			if (options.isEnded()) return false;
			const buffer = Buffer.allocUnsafeSlow(length);
			const { bytesRead } = await file.read(buffer, 0, length, log.end);
			if (bytesRead === 0) return true;
			const lastEnd = buffer.subarray(0, bytesRead).lastIndexOf(LINE_FEED);
			if (lastEnd === -1 && bytesRead === length) {
				// A line is longer than that.
				length *= 2;
				continue;
			}
			// What follows the last line end is what a host that was killed has left; in the store it is a line like any other.
			const whole =
				lastEnd === -1
					? new Uint8Array([...buffer.subarray(0, bytesRead), LINE_FEED])
					: new Uint8Array(buffer.subarray(0, lastEnd + 1));
			await store.append(log, chunksOf(whole, startedAt));
			length = readBytes;
			await options.pause();
		}
	} finally {
		await file.close();
	}
}

/** Lines that begin in the piece belong to it; of one that is longer than a row each piece is a chunk. */
function chunksOf(bytes: Uint8Array, startedAt: number): readonly EventChunk[] {
	const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
	const chunks: EventChunk[] = [];
	let start = 0;
	while (start < bytes.length) {
		let end = start;
		const shares = new Map<string, SessionShare>();
		let events = 0;
		let firstAt: number | undefined;
		let lastAt: number | undefined;
		for (;;) {
			const lineEnd = text.indexOf(LINE_FEED, end);
			const next = lineEnd === -1 ? bytes.length : lineEnd + 1;
			if (next === end || (events > 0 && next - start > pieceBytes)) break;
			const head = headOf(text.toString('utf8', end, Math.min(next, end + headBytes)));
			const at = timeIn(head);
			firstAt ??= at;
			lastAt = at ?? lastAt;
			countLine(shares, head);
			events++;
			end = next;
			if (end === bytes.length) break;
		}
		const about = {
			firstAt: firstAt ?? startedAt,
			lastAt: lastAt ?? startedAt,
			sessions: sessionsText(shares),
		};
		for (let from = start; from < end; from += pieceBytes) {
			const piece = bytes.slice(from, Math.min(end, from + pieceBytes));
			chunks.push({ ...about, bytes: piece, events: from === start ? events : 0 });
		}
		start = end;
	}
	return chunks;
}

/** What stands before the message. */
function headOf(line: string): string {
	const end = line.indexOf(',"message":');
	return end === -1 ? line : line.slice(0, end);
}

function isFileName(name: string): boolean {
	return fileName.test(name);
}

const fileName = /^(\d{4}-\d\d-\d\dT)(\d\d)-(\d\d)-(\d\d\.\d{3}Z)-\d+\.jsonl$/;

function startOf(name: string): number {
	return Date.parse(name.replace(fileName, '$1$2:$3:$4'));
}

function isMissing(error: unknown): boolean {
	return isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR');
}
