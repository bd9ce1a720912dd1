import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { connectSessionStore } from '../../src/platform/node/store/connectSessionStore.ts';
import type { ConnectOptions } from '../../src/platform/node/store/connectSessionStore.ts';
import { add, refused } from '../contract/engine.ts';
import { bundle, startWorker, token } from './localWorker.ts';
import type { LocalWorker } from './localWorker.ts';

const nameOfSession = 'a'.repeat(64);

const paths: readonly string[] = [
	'/',
	'/v1',
	'/v1/sessions',
	`/v1/sessions/${nameOfSession}`,
	'/v1/sessions/..%2f..',
	'/v2',
	'/nothing',
];

describe('the worker', () => {
	let script: string;
	let worker: LocalWorker;
	before(async () => {
		script = await bundle();
		worker = await startWorker({ script });
	});
	after(async () => worker.dispose());

	const others: readonly { readonly what: string; readonly authorization: string | undefined }[] = [
		{ what: 'no token', authorization: undefined },
		{ what: 'an empty token', authorization: 'Bearer ' },
		{ what: 'another token', authorization: 'Bearer another' },
		{ what: 'the beginning of the token', authorization: `Bearer ${token.slice(0, -1)}` },
		{ what: 'more than the token', authorization: `Bearer ${token}x` },
		{ what: 'another scheme', authorization: `Basic ${token}` },
		{ what: 'the token alone', authorization: token },
	];
	for (const { what, authorization } of others) {
		it(`answers 401 to ${what}, whatever is asked, and nothing else`, async () => {
			const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
			for (const path of paths) {
				for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
					const response = await fetch(worker.url + path, { method, headers });
					assert.deepEqual([response.status, await response.text()], [401, ''], `${method} ${path}`);
				}
			}
		});
	}

	it('opens no WebSocket without the token', async () => {
		for (const headers of [{}, { authorization: 'Bearer another' }]) {
			const url = `${worker.url.replace('http', 'ws')}/v1/sessions/${nameOfSession}`;
			const socket = new WebSocket(url, { headers });
			const outcome = await new Promise((resolve) => {
				socket.addEventListener('open', () => resolve('open'));
				socket.addEventListener('error', () => resolve('refused'));
			});
			assert.equal(outcome, 'refused');
		}
	});

	it('knows its few paths, to who has the token', async () => {
		const statuses: Record<string, number> = {};
		for (const path of paths) {
			const response = await fetch(worker.url + path, { headers: { authorization: `Bearer ${token}` } });
			await response.text();
			statuses[path] = response.status;
		}
		assert.deepEqual(statuses, {
			'/': 404,
			'/v1': 200,
			'/v1/sessions': 200,
			[`/v1/sessions/${nameOfSession}`]: 426,
			'/v1/sessions/..%2f..': 404,
			'/v2': 404,
			'/nothing': 404,
		});
	});

	it('lets nobody in when it has no token', async () => {
		for (const variables of [{}, { TOKEN: '' }]) {
			const open = await startWorker({ script, variables });
			try {
				for (const authorization of ['Bearer ', 'Bearer undefined', 'Bearer null']) {
					const response = await fetch(`${open.url}/v1`, { headers: { authorization } });
					await response.text();
					assert.equal(response.status, 401);
				}
			} finally {
				await open.dispose();
			}
		}
	});

	it('logs no token', () => {
		assert.ok(!worker.log.join('\n').includes(token), worker.log.join('\n'));
	});
});

describe('who connects to a session store', () => {
	const servers: Server[] = [];
	afterEach(() => {
		for (const server of servers.splice(0)) server.close();
	});

	async function serve(status: number, body: string, headers: Record<string, string> = {}): Promise<string> {
		const server = createServer((_request, response) => response.writeHead(status, headers).end(body));
		servers.push(server);
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	}

	it('gets by the example of the documentation what it says', async () => {
		const worker = await startWorker({ script: await bundle() });
		const folder = await mkdtemp(join(tmpdir(), 'crosstalk-example-'));
		try {
			const page = await readFile('docs/durable-objects.md', 'utf8');
			const example = /```js\n(.*?)```/su.exec(page)?.[1] ?? '';
			const library = pathToFileURL('src/platform/node/sessionStore.ts').href;
			const file = join(folder, 'example.mjs');
			await writeFile(
				file,
				example
					.replace('crosstalk/session-store', library)
					.replace('https://crosstalk-sessions.example.workers.dev', worker.url),
			);
			const { stdout } = await promisify(execFile)(process.execPath, [file], {
				env: { ...process.env, TOKEN: token },
				timeout: 60_000,
			});
			assert.equal(stdout.trim(), /console\.log\(page\); \/\/ (.*)/u.exec(example)?.[1]);
		} finally {
			await rm(folder, { recursive: true });
			await worker.dispose();
		}
	});

	it('is told that the token is wrong', async () => {
		const worker = await startWorker({ script: await bundle() });
		try {
			for (const [options, code, message] of [
				[undefined, 'invalid-options', 'A session store is connected with { url, token }.'],
				[{ url: worker.url, token, onError: 5 }, 'invalid-options', 'onError is a function.'],
				[{ url: worker.url, token, signal: 5 }, 'invalid-options', 'signal is an AbortSignal.'],
				[{ url: worker.url }, 'unauthorized', 'A session store needs its token.'],
				[
					{ url: worker.url, token: 'two\nlines' },
					'unauthorized',
					'The token is none: it has characters beyond ASCII, or several lines.',
				],
			] as const) {
				const refusal = await refused(connectSessionStore(options as unknown as ConnectOptions), code);
				assert.equal(refusal.message, message);
			}
			const error = await refused(connectSessionStore({ url: worker.url, token: 'another' }), 'unauthorized');
			assert.equal(error.isRetryable, false);
			assert.ok(!error.message.includes('another'), error.message);
			// The address may end with a slash, and the token as a file does.
			const store = await connectSessionStore({ url: `${worker.url}/`, token: `${token}\n` });
			assert.equal(await add(store.session('a'), 1), 1);
			await store.close();
			await refused(add(store.session('a'), 1), 'closed');
		} finally {
			await worker.dispose();
		}
	});

	it('is told that nothing answers', async () => {
		const url = await serve(200, '');
		servers.splice(0).forEach((server) => server.close());
		const error = await refused(connectSessionStore({ url, token }), 'owner-lost');
		assert.equal(error.isRetryable, true);
		assert.match(error.message, /ECONNREFUSED/u);
	});

	const otherServers: readonly { readonly what: string; readonly status: number; readonly body: string }[] = [
		{ what: 'a page', status: 200, body: '<html>Welcome</html>' },
		{ what: 'other JSON', status: 200, body: '{"ok":true}' },
		{ what: 'null', status: 200, body: 'null' },
		{ what: 'nothing', status: 404, body: '' },
		{ what: 'a mistake', status: 500, body: '{"store":"crosstalk"}' },
		{ what: 'another version', status: 200, body: '{"store":"crosstalk","protocol":2}' },
	];
	for (const { what, status, body } of otherServers) {
		it(`is told that another server answers, with ${what}`, async () => {
			const url = await serve(status, body);
			const error = await refused(connectSessionStore({ url, token }), 'not-a-store');
			assert.ok(error.message.includes(url), error.message);
			assert.equal(error.isRetryable, false);
		});
	}

	it('gives its token to no other server', async () => {
		const seen: (string | undefined)[] = [];
		const other = createServer((request, response) => {
			seen.push(request.headers.authorization);
			response.end('{"store":"crosstalk","protocol":1}');
		});
		servers.push(other);
		await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
		const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/v1`;
		const url = await serve(302, '', { location });
		await refused(connectSessionStore({ url, token }), 'not-a-store');
		assert.deepEqual(seen, []);
	});

	for (const url of ['', 'example.com', 'ftp://example.com', 'file:///etc/passwd', 'https://']) {
		it(`is told that "${url}" is no address`, async () => {
			await refused(connectSessionStore({ url, token }), 'not-a-store');
		});
	}
});
