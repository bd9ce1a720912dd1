// A process that calls one session again and again, for as long as it is told: node storeClient.ts (store DIRECTORY | bare SOCKET | http URL) SESSION
// Says when it is ready, waits for a line on its standard input, and answers with the milliseconds of each call. The line says for how many
// milliseconds to call, as fast as it goes, or a second number how often a second; a call then counts from when it was due.

import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { openSessionStore } from '../../src/platform/node/store/openSessionStore.ts';
import { advance, newState } from '../storeJob.ts';

const [kind, address = '', session = ''] = process.argv.slice(2);
const bytes = 16 * 1024;

const callers = { store: storeCaller, bare: bareCaller, http: httpCaller };
if (kind === undefined || !Object.hasOwn(callers, kind)) throw new Error(`Nothing is called ${kind}.`);
const caller = await callers[kind as keyof typeof callers]();
for (let count = 0; count < 20; count++) await caller.call();
console.log('ready');
for await (const line of createInterface(process.stdin)) {
	const [milliseconds = 0, rate] = line.split(' ').map(Number);
	const endsAt = performance.now() + milliseconds;
	console.log(JSON.stringify(rate === undefined ? await asFastAsItGoes(endsAt) : await atRate(rate, endsAt)));
}
await caller.close();

async function asFastAsItGoes(endsAt: number): Promise<readonly number[]> {
	const times: number[] = [];
	for (let startedAt = performance.now(); startedAt < endsAt;) {
		await caller.call();
		const now = performance.now();
		times.push(now - startedAt);
		startedAt = now;
	}
	return times;
}

async function atRate(rate: number, endsAt: number): Promise<readonly number[]> {
	const times: number[] = [];
	const every = 1000 / rate;
	// All processes hear of it at once: without this they would call at once, too.
	for (let due = performance.now() + Math.random() * every; due < endsAt; due += every) {
		const early = due - performance.now();
		if (early > 0) await delay(early);
		// One that waits for the call before it has been waiting since it was due. That a timer is late is nobody's time.
		const startedAt = early > 0 ? performance.now() : due;
		await caller.call();
		times.push(performance.now() - startedAt);
	}
	return times;
}

interface Caller {
	call(): Promise<unknown>;
	close(): Promise<void>;
}

async function storeCaller(): Promise<Caller> {
	const store = await openSessionStore({ directory: address });
	const opened = store.session(session);
	let count = 0;
	return {
		call: () =>
			opened.call({ key: `${session} ${process.pid} ${++count}`, tool: 'advance', args: { bytes } }, (state) =>
				advance(state, bytes),
			),
		close: () => store.close(),
	};
}

async function bareCaller(): Promise<Caller> {
	const socket = connect(address);
	await once(socket, 'connect');
	let answered: () => void = () => undefined;
	socket.on('data', () => answered());
	const state = newState();
	return {
		call: () =>
			new Promise<void>((resolve) => {
				answered = resolve;
				advance(state, bytes);
				const text = JSON.stringify(state);
				const frame = Buffer.allocUnsafe(8 + session.length + text.length);
				frame.writeUInt32LE(session.length, 0);
				frame.writeUInt32LE(text.length, 4);
				frame.write(session, 8, 'latin1');
				frame.write(text, 8 + session.length, 'latin1');
				socket.write(frame);
			}),
		async close() {
			socket.destroy();
		},
	};
}

/** One connection, kept. Node's own client costs less than `fetch`. */
async function httpCaller(): Promise<Caller> {
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	const url = address.replace('SESSION', session);
	return {
		call: () =>
			new Promise<void>((resolve, reject) => {
				const asked = request(
					url,
					{ method: 'POST', agent, headers: { 'content-type': 'application/json' } },
					(response) => {
						if (response.statusCode !== 200) reject(new Error(`${url} answers ${response.statusCode}.`));
						response.resume().on('end', resolve);
					},
				);
				asked.on('error', reject);
				asked.end(String(bytes));
			}),
		close: async () => agent.destroy(),
	};
}
