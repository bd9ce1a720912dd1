// A process that calls one session again and again, for as long as it is told: node storeClient.ts (store DIRECTORY | http URL) SESSION
// Says when it is ready, waits for a number of milliseconds on its standard input, and answers with the milliseconds of each call.

import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { openSessionStore } from '../../src/platform/node/store/openSessionStore.ts';
import { advance } from '../storeJob.ts';

const [kind, address = '', session = ''] = process.argv.slice(2);
const bytes = 16 * 1024;

const caller = kind === 'store' ? await storeCaller() : httpCaller();
for (let count = 0; count < 20; count++) await caller.call();
console.log('ready');
for await (const line of createInterface(process.stdin)) {
	const endsAt = performance.now() + Number(line);
	const times: number[] = [];
	for (let startedAt = performance.now(); startedAt < endsAt;) {
		await caller.call();
		const now = performance.now();
		times.push(now - startedAt);
		startedAt = now;
	}
	console.log(JSON.stringify(times));
}
await caller.close();

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

/** One connection, kept. Node's own client costs less than `fetch`. */
function httpCaller(): Caller {
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
