// What a durable call costs when nothing is done but that: one thread that takes states from a socket, writes all that have come in one
// transaction and answers then. No turns, no repeated calls, no history, no checksums. node bareStore.ts FILE SOCKET
// Whoever calls sends the length of the session's name, that of the state (each four bytes, the lower ones first) and both; the answer is one byte.

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { DatabaseSync } from 'node:sqlite';

const [file = '', path = ''] = process.argv.slice(2);
/** As many rows of each session as the store keeps. */
const keptStates = 16;
const logBytes = 32 * 1024 * 1024;

const database = new DatabaseSync(file);
database.exec('PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON');
database.exec('PRAGMA wal_autocheckpoint = 0');
database.exec('CREATE TABLE checkpoints (place INTEGER PRIMARY KEY, seq, session, state)');
const write = database.prepare('INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?)');

interface Call {
	readonly socket: Socket;
	readonly session: string;
	readonly state: string;
}

const numbers = new Map<string, { readonly number: number; seq: number }>();
const answer = Buffer.from([1]);
let calls: Call[] = [];
let unsavedBytes = 0;

createServer((socket) => {
	let read = Buffer.alloc(0);
	socket.on('data', (chunk) => {
		read = read.length === 0 ? chunk : Buffer.concat([read, chunk]);
		while (read.length >= 8) {
			const stateAt = 8 + read.readUInt32LE(0);
			const end = stateAt + read.readUInt32LE(4);
			if (read.length < end) return;
			calls.push({
				socket,
				session: read.toString('utf8', 8, stateAt),
				state: read.toString('utf8', stateAt, end),
			});
			read = read.subarray(end);
			if (calls.length === 1) setImmediate(commit);
		}
	});
	socket.on('error', () => socket.destroy());
}).listen(path, () => console.log('ready'));
process.stdin.resume();
await once(process.stdin, 'end');
database.close();
process.exit();

function commit(): void {
	const group = calls;
	calls = [];
	database.exec('BEGIN IMMEDIATE');
	for (const { session, state } of group) {
		let own = numbers.get(session);
		if (own === undefined) numbers.set(session, (own = { number: numbers.size, seq: 0 }));
		own.seq++;
		write.run(own.number * keptStates + (own.seq % keptStates), own.seq, session, state);
		unsavedBytes += state.length;
	}
	database.exec('COMMIT');
	for (const { socket } of group) socket.write(answer);
	if (unsavedBytes < logBytes) return;
	unsavedBytes = 0;
	database.exec('PRAGMA wal_checkpoint(PASSIVE)');
}
