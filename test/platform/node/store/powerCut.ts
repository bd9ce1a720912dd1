// What a power cut may leave of a store: of what was written to a file since it was last synced, any part, in pieces of sectors.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { openNodeSqlite } from '../../../../src/platform/node/store/nodeSqlite.ts';
import { withPairs } from './engines.ts';

export type Step =
	| { readonly kind: 'write'; readonly file: string; readonly at: number; readonly bytes: Buffer }
	| { readonly kind: 'truncate'; readonly file: string; readonly length: number }
	| { readonly kind: 'remove'; readonly file: string }
	| { readonly kind: 'sync'; readonly file: string }
	/** What was removed is removed for good. */
	| { readonly kind: 'syncFolder' }
	/** The writer was told that this number is on disk. */
	| { readonly kind: 'acknowledged'; readonly n: number };

const files = ['sessions.sqlite', 'sessions.sqlite-wal', 'sessions.sqlite-journal'];
const sector = 512;

export function hasStrace(): boolean {
	return spawnSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0;
}

/** The system calls of a real writer, in their order. */
export function traced(folder: string, writer: readonly string[]): readonly Step[] {
	const trace = join(folder, 'trace');
	const calls = 'trace=pwrite64,write,fsync,fdatasync,ftruncate,unlink';
	const { status, stderr } = spawnSync(
		'strace',
		['-f', '-y', '-xx', '-s', '1000000', '-e', calls, '-o', trace, process.execPath, ...writer],
		{ encoding: 'utf8', timeout: 90_000 },
	);
	if (status !== 0) throw new Error(stderr);
	const unfinished = new Map<string, string>();
	const steps: Step[] = [];
	for (const line of readFileSync(trace, 'latin1').split('\n')) {
		const [, thread = '', text = ''] = /^(\d+) +(.*)$/u.exec(line) ?? [];
		if (text.endsWith('<unfinished ...>')) {
			unfinished.set(thread, text.slice(0, -'<unfinished ...>'.length).trimEnd());
			continue;
		}
		const resumed = /^<\.\.\. \w+ resumed>(.*)$/u.exec(text);
		const step = stepOf(resumed === null ? text : `${unfinished.get(thread) ?? ''}${resumed[1]}`);
		if (step !== undefined) steps.push(step);
	}
	return steps;
}

function stepOf(call: string): Step | undefined {
	const [, name = '', rest = ''] = /^(\w+)\((.*)\) += \d+/u.exec(call) ?? [];
	if (name === 'unlink') {
		const file = fileOf(bytesOf(rest.slice(1, -1)).toString());
		return file === undefined ? undefined : { kind: 'remove', file };
	}
	const [, path = '', parameters = ''] = /^\d+<([^>]*)>(?:, )?(.*)$/u.exec(rest) ?? [];
	if (name === 'write') {
		const [, text = ''] = /^"([^"]*)"/u.exec(parameters) ?? [];
		const n = /^acknowledged (\d+)\n$/u.exec(bytesOf(text).toString('latin1'))?.[1];
		return n === undefined ? undefined : { kind: 'acknowledged', n: Number(n) };
	}
	const plain = path.includes('\\x') ? bytesOf(path).toString() : path;
	const file = fileOf(plain);
	if (file === undefined)
		return name.endsWith('sync') && basename(plain) === 'store' ? { kind: 'syncFolder' } : undefined;
	switch (name) {
		case 'pwrite64': {
			const [, text, , at] = /^"([^"]*)", (\d+), (\d+)$/u.exec(parameters) ?? [];
			if (text === undefined) throw new Error(`Not understood: ${call.slice(-200)}`);
			return { kind: 'write', file, at: Number(at), bytes: bytesOf(text) };
		}
		case 'ftruncate':
			return { kind: 'truncate', file, length: Number(parameters) };
		default:
			return { kind: 'sync', file };
	}
}

function fileOf(path: string): string | undefined {
	const name = basename(path);
	return files.includes(name) ? name : undefined;
}

function bytesOf(escaped: string): Buffer {
	return Buffer.from(escaped.replaceAll('\\x', ''), 'hex');
}

/** Where nothing can watch a writer: what has changed in the files from one acknowledgement to the next, as if it was synced in between. */
export async function compared(
	directory: string,
	count: number,
	size: number,
	logBytes: number,
): Promise<readonly Step[]> {
	const database = await openNodeSqlite({ directory, logBytes });
	const { put } = await withPairs(database);
	const steps: Step[] = [];
	const before = new Map<string, Buffer>();
	const compare = () => {
		// SQLite writes the log before the file, and each is synced before the other is touched.
		for (const file of ['sessions.sqlite-wal', 'sessions.sqlite']) {
			const now = readFileSync(join(directory, file));
			const old = before.get(file) ?? Buffer.alloc(0);
			if (now.equals(old)) continue;
			for (let at = 0; at < now.length; at += sector) {
				const bytes = now.subarray(at, at + sector);
				if (!bytes.equals(old.subarray(at, at + sector))) steps.push({ kind: 'write', file, at, bytes });
			}
			steps.push({ kind: 'sync', file });
			before.set(file, now);
		}
	};
	compare();
	for (let n = 0; n < count; n++) {
		await put(n, `${n} `.repeat(size / `${n} `.length));
		// After a transaction comes the copying of the log; who is answered now knows that it is done.
		await database.read({ sql: 'SELECT 1', parameters: [] });
		compare();
		steps.push({ kind: 'acknowledged', n });
	}
	await database.close();
	return steps;
}

export interface PowerCut {
	readonly files: ReadonlyMap<string, Buffer>;
	readonly acknowledged: readonly number[];
}

/** One of the states that a cut before the step `end` may leave. */
export function cutBefore(steps: readonly Step[], end: number, random: () => number): PowerCut {
	const synced = new Map<string, Contents>();
	const pending = new Map<string, Change[]>();
	const acknowledged: number[] = [];
	for (const step of steps.slice(0, end)) {
		switch (step.kind) {
			case 'acknowledged':
				acknowledged.push(step.n);
				break;
			case 'syncFolder':
				for (const [file, since] of pending) {
					const removed = since.findLastIndex(({ kind }) => kind === 'remove');
					if (removed < 0) continue;
					synced.delete(file);
					since.splice(0, removed + 1);
				}
				break;
			case 'sync':
				for (const change of pending.get(step.file) ?? []) apply(synced, change);
				pending.delete(step.file);
				break;
			default:
				pending.set(step.file, [...(pending.get(step.file) ?? []), step]);
		}
	}
	const manner = random();
	for (const since of pending.values()) {
		// All, nothing, the first ones, or any of them, in pieces.
		const first = Math.floor(random() * (since.length + 1));
		for (const [index, change] of since.entries()) {
			if (manner < 0.1 || (manner < 0.4 && index >= first)) continue;
			const come = manner < 0.5 ? change : torn(change, random);
			if (come !== undefined) apply(synced, come);
		}
	}
	return {
		files: new Map([...synced].map(([file, { bytes, length }]) => [file, bytes.subarray(0, length)])),
		acknowledged,
	};
}

type Change = Extract<Step, { kind: 'write' | 'truncate' | 'remove' }>;

interface Contents {
	/** Longer than what is in it, so that it seldom grows. */
	readonly bytes: Buffer;
	readonly length: number;
}

/** A change of which some sectors came. */
function torn(change: Change, random: () => number): Change | undefined {
	if (change.kind !== 'write') return random() < 0.5 ? change : undefined;
	if (random() < 0.3) return undefined;
	const length = Math.ceil(random() * (change.bytes.length / sector)) * sector;
	return random() < 0.5 ? change : { ...change, bytes: change.bytes.subarray(0, length) };
}

function apply(files: Map<string, Contents>, change: Change): void {
	if (change.kind === 'remove') {
		files.delete(change.file);
		return;
	}
	const old = files.get(change.file) ?? { bytes: Buffer.alloc(0), length: 0 };
	if (change.kind === 'truncate') {
		old.bytes.fill(0, change.length);
		files.set(change.file, { bytes: old.bytes, length: Math.min(old.length, change.length) });
		return;
	}
	const length = Math.max(old.length, change.at + change.bytes.length);
	const bytes =
		length <= old.bytes.length
			? old.bytes
			: Buffer.concat([old.bytes, Buffer.alloc(2 * length - old.bytes.length)]);
	change.bytes.copy(bytes, change.at);
	files.set(change.file, { bytes, length });
}
