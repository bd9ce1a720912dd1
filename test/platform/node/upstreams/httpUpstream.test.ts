import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { answerTo, event, httpServer, json, stream } from './httpServer.ts';
import type { Asked, TestServer } from './httpServer.ts';
import { Observed } from './observed.ts';

type Answer = (asked: Asked, response: ServerResponse) => void;

const LEGACY = '2025-11-25';
const MODERN = '2026-07-28';
const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } };
const result = (id: number) => ({ jsonrpc: '2.0', id, result: {} });
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('a server on streamable HTTP', () => {
	const opened: { servers: TestServer[]; clients: Observed[] } = { servers: [], clients: [] };
	afterEach(async () => {
		for (const client of opened.clients.splice(0)) await client.transport.close();
		for (const server of opened.servers.splice(0)) await server.close();
	});

	async function connect(
		answer: Answer,
		headers: Record<string, string> = {},
		path = '',
	): Promise<[Observed, TestServer]> {
		const server = await httpServer(answer);
		opened.servers.push(server);
		return [reach(server.url + path, headers), server];
	}

	function reach(url: string, headers: Record<string, string> = {}): Observed {
		const client = new Observed({ kind: 'http', url, headers });
		opened.clients.push(client);
		return client;
	}

	/** Past the handshake of the 2025 era, with an MCP session. Requests after it, and the GET, are answered by `answer`. */
	async function session(answer: Answer): Promise<[Observed, TestServer]> {
		const [client, server] = await connect((asked, response) => {
			if (asked.body.includes('"initialize"'))
				json(response, answerTo(asked), 200, { 'mcp-session-id': 'session-1' });
			else if (asked.body.includes('"notifications/')) response.writeHead(202).end();
			else answer(asked, response);
		});
		client.send(0, 'initialize');
		await client.until(() => client.messages.length === 1);
		client.transport.handshaken(LEGACY);
		client.send(undefined, 'notifications/initialized');
		return [client, server];
	}

	const noStream = (response: ServerResponse): void => void response.writeHead(405).end();

	it('is opened at once, though nothing listens, and only the request that needed it fails', async () => {
		const server = await httpServer(() => undefined);
		const { url } = server;
		await server.close();
		const client = reach(url);
		assert.deepEqual(client.told, []);
		client.send(1, 'ping');
		await client.until(() => client.failures.size === 1);
		const { origin } = new URL(url);
		assert.deepEqual(client.told, [
			'opened',
			`failed 1 (has not run): Nothing listens at ${origin}: is the server running?`,
		]);
	});

	it('is asked with the headers of its revision, session and definition', async () => {
		const [client, server] = await connect(
			(asked, response) => {
				if (asked.method !== 'POST') noStream(response);
				else if (asked.body.includes('notifications/')) response.writeHead(202).end();
				else json(response, answerTo(asked), 200, { 'Mcp-Session-Id': 'one' });
			},
			{ Authorization: 'Bearer secret', 'content-type': 'text/plain' },
		);
		client.send(0, 'initialize');
		await client.until(() => client.messages.length === 1);
		client.transport.handshaken('2025-06-18');
		client.send(undefined, 'notifications/initialized');
		client.send(1, 'tools/list');
		await client.until(() => client.messages.length === 2);
		await client.transport.close();
		const wanted = [
			'accept',
			'content-type',
			'authorization',
			'mcp-protocol-version',
			'mcp-session-id',
			'mcp-method',
			'host',
		];
		const table = server.asked.map(({ method, headers }) => [method, ...wanted.map((name) => headers[name])]);
		const both = 'application/json, text/event-stream';
		const { host } = new URL(server.url);
		const bearer = 'Bearer secret';
		const later = ['2025-06-18', 'one', undefined, host];
		assert.deepEqual(table.slice(0, 2), [
			['POST', both, 'application/json', bearer, undefined, undefined, undefined, host],
			['POST', both, 'application/json', bearer, ...later],
		]);
		// The two that come next do not wait for each other.
		assert.deepEqual(
			table.slice(2).sort(([one], [other]) => String(one).localeCompare(String(other))),
			[
				['DELETE', undefined, undefined, bearer, ...later],
				['GET', 'text/event-stream', undefined, bearer, ...later],
				['POST', both, 'application/json', bearer, ...later],
			],
		);
	});

	it('is asked as the revision 2026-07-28 wants it, and there is no session, no stream of the server, and no DELETE', async () => {
		const [client, server] = await connect((asked, response) =>
			json(response, answerTo(asked), 200, { 'mcp-session-id': 'x' }),
		);
		client.send(1, 'server/discover', { protocolVersion: MODERN });
		await client.until(() => client.messages.length === 1);
		client.transport.handshaken(MODERN);
		client.send(2, 'tools/call', { name: 'schön', headers: { 'Mcp-Param-Region': 'eu' } });
		client.send(3, 'resources/read', { name: 'file:///a b' });
		await client.until(() => client.messages.length === 3);
		await client.transport.close();
		const wanted = ['mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-param-region', 'mcp-session-id'];
		assert.deepEqual(
			server.asked.map(({ headers }) => wanted.map((name) => headers[name])),
			[
				[MODERN, 'server/discover', undefined, undefined, undefined],
				[MODERN, 'tools/call', `=?base64?${Buffer.from('schön').toString('base64')}?=`, 'eu', undefined],
				[MODERN, 'resources/read', 'file:///a b', undefined, undefined],
			],
		);
	});

	it('gets no request before it has taken notifications/initialized', async () => {
		const [client, server] = await connect((asked, response) => {
			if (asked.method !== 'POST') noStream(response);
			else if (asked.body.includes('notifications/')) setTimeout(() => response.writeHead(202).end(), 100);
			else json(response, answerTo(asked));
		});
		client.transport.handshaken(LEGACY);
		client.send(undefined, 'notifications/initialized');
		client.send(1, 'tools/list');
		await pause(50);
		assert.equal(server.asked.length, 1);
		await client.until(() => client.messages.length === 1);
	});

	it('answers with a stream: everything on it belongs to the request', async () => {
		const [client] = await connect((asked, response) => {
			stream(
				response,
				': hello\r\n\r\n',
				event(progress).replaceAll('\n', '\r\n'),
				event(answerTo(asked)).replaceAll('\n', '\r'),
			);
			response.end('\n');
		});
		client.send(1, 'tools/call');
		await client.until(() => client.messages.length === 2);
		await pause(50);
		assert.deepEqual(client.told, [
			'opened',
			`message ${JSON.stringify(progress)} for 1`,
			`message ${JSON.stringify(result(1))} for 1`,
		]);
	});

	it('has the stream of what belongs to no request, and one that breaks is taken up again where it broke', async () => {
		const change = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
		const [client, server] = await session((asked, response) => {
			if (asked.method === 'DELETE') return void response.end();
			stream(
				response,
				'retry: 20\n\n',
				event(change, `event-${String(asked.headers['last-event-id'] ?? 'none')}`),
			);
			setTimeout(() => response.destroy(), 20);
		});
		await client.until(() => client.messages.length === 3);
		assert.deepEqual(client.told.slice(2, 4), [
			`message ${JSON.stringify(change)}`,
			`message ${JSON.stringify(change)}`,
		]);
		const gets = server.asked.filter(({ method }) => method === 'GET');
		assert.deepEqual(
			gets.slice(0, 2).map(({ headers }) => [headers['last-event-id'], headers['mcp-session-id']]),
			[
				[undefined, 'session-1'],
				['event-none', 'session-1'],
			],
		);
	});

	it('may close the stream of an answer and have the client come back for it', async () => {
		const [client, server] = await session((asked, response) => {
			if (asked.method === 'POST') {
				stream(response, 'id: first\nretry: 20\ndata: \n\n');
				response.end();
			} else if (asked.headers['last-event-id'] === 'first') {
				stream(response, event(progress, 'second'));
				response.end();
			} else if (asked.headers['last-event-id'] === 'second') {
				stream(response, event(result(1), 'third'));
				response.end();
			} else noStream(response);
		});
		client.send(1, 'tools/call');
		await client.until(() => client.messages.length === 3);
		assert.deepEqual(client.told.slice(2), [
			`message ${JSON.stringify(progress)} for 1`,
			`message ${JSON.stringify(result(1))} for 1`,
		]);
		assert.equal(
			server.asked.filter(({ method, body }) => method === 'POST' && body.includes('tools/call')).length,
			1,
		);
	});

	it('of revision 2026-07-28 is never come back to: the request is lost', async () => {
		const [client, server] = await connect((_asked, response) => {
			stream(response, 'id: first\nretry: 20\ndata: \n\n');
			response.destroy();
		});
		client.send(1, 'tools/call', { protocolVersion: MODERN });
		await client.until(() => client.failures.size === 1);
		await pause(60);
		assert.equal(client.told.at(-1), 'failed 1 (may have run): The stream ended before the answer came.');
		assert.equal(server.asked.length, 1);
	});

	it('of revision 2026-07-28 sees an abandoned request at once as a closed stream', async () => {
		const [client, server] = await connect((_asked, response) => stream(response, ':\n\n'));
		client.send(1, 'tools/call', { protocolVersion: MODERN });
		client.send(2, 'tools/call', { protocolVersion: MODERN });
		while (server.asked.length < 2) await pause(5);
		const began = performance.now();
		client.transport.abandon(1);
		while (!server.asked.some(({ isAborted }) => isAborted)) await pause(2);
		// A cancellation that is on its way would be given a second.
		assert.ok(performance.now() - began < 900);
		await pause(20);
		assert.deepEqual(server.asked.map(({ isAborted, body }) => `${body.includes('"id":1')} ${isAborted}`).sort(), [
			'false false',
			'true true',
		]);
		assert.deepEqual(client.told, ['opened']);
	});

	it('of the 2025 era gets the cancellation before the stream of an abandoned request is closed', async () => {
		const order: string[] = [];
		const [client, server] = await connect((asked, response) => {
			if (asked.method !== 'POST') return noStream(response);
			if (!asked.body.includes('cancelled')) {
				response.on('close', () => order.push('closed'));
				return stream(response, ':\n\n');
			}
			setTimeout(() => {
				order.push('cancelled');
				response.writeHead(202).end();
			}, 60);
		});
		client.send(1, 'tools/call', { protocolVersion: LEGACY });
		while (server.asked.length < 1) await pause(5);
		client.send(undefined, 'notifications/cancelled', { params: { requestId: 1 } });
		client.transport.abandon(1);
		while (order.length < 2) await pause(5);
		assert.deepEqual(order, ['cancelled', 'closed']);
	});

	it('that no longer knows the session says so, with the status of the spec or that of its examples', async () => {
		const [client] = await session((asked, response) => {
			if (asked.method !== 'POST') noStream(response);
			else if (asked.body.includes('"id":1')) response.writeHead(404).end();
			else
				json(
					response,
					{
						jsonrpc: '2.0',
						id: null,
						error: { code: -32_000, message: 'Bad Request: No valid session ID provided' },
					},
					400,
				);
		});
		client.send(1, 'tools/list');
		client.send(2, 'tools/list');
		await client.until(() => client.failures.size === 2);
		assert.deepEqual(client.told.slice(2).sort(), [
			'failed 1 (has not run, session lost): The server no longer knows this MCP session (HTTP 404).',
			'failed 2 (has not run, session lost): The server no longer knows this MCP session (HTTP 400).',
		]);
	});

	const error = (id: unknown, message: string) => ({ jsonrpc: '2.0', id, error: { code: -32_600, message } });
	const badInput: readonly [name: string, answer: Answer, expected: string[]][] = [
		[
			'a JSON-RPC error for the request',
			(_, response) => json(response, error(1, 'No.'), 400),
			[`message ${JSON.stringify(error(1, 'No.'))} for 1`],
		],
		[
			'a JSON-RPC error for nobody',
			(_, response) => json(response, error(null, 'Unsupported protocol version'), 400),
			['failed 1 (has not run): ORIGIN answered with HTTP 400, and said: Unsupported protocol version.'],
		],
		[
			'401 that quotes the token',
			(asked, response) => json(response, error(null, `Bad token ${asked.headers.authorization?.slice(7)}`), 401),
			[
				'failed 1 (has not run): ORIGIN answered with HTTP 401: it wants to know who asks; configure a header such as Authorization, and said: Bad token …',
			],
		],
		[
			'403',
			(_, response) => response.writeHead(403).end(),
			['failed 1 (has not run): ORIGIN answered with HTTP 403: it refuses access.'],
		],
		[
			'404 without a session',
			(_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<html>'),
			['failed 1 (has not run): ORIGIN answered with HTTP 404: there is no MCP server at this path.'],
		],
		[
			'500 and a web page',
			(_, response) => response.writeHead(500, { 'content-type': 'text/html; charset=utf-8' }).end('<html>'),
			['failed 1 (may have run): ORIGIN answered with HTTP 500 and a web page, which is no MCP.'],
		],
		[
			'503 and a text',
			(_, response) => response.writeHead(503, { 'content-type': 'text/plain' }).end('Come back\nlater!'),
			['failed 1 (may have run): ORIGIN answered with HTTP 503, and said: Come back later!'],
		],
		[
			'a web page',
			(_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
			[
				'failed 1 (may have run): ORIGIN answered with HTTP 200 and a web page, which is no MCP: check its address.',
			],
		],
		[
			'202 to a request',
			(_, response) => response.writeHead(202).end(),
			['failed 1 (may have run): ORIGIN answered with HTTP 202 and nothing, which is no MCP: check its address.'],
		],
		[
			'JSON that is no object',
			(_, response) => json(response, '[]'),
			['failed 1 (may have run): ORIGIN answered with something that is no JSON object.'],
		],
		[
			'the answer to another request',
			(_, response) => json(response, result(5)),
			[
				`message ${JSON.stringify(result(5))} for 1`,
				'failed 1 (may have run): ORIGIN answered with a message that is not the answer.',
			],
		],
		[
			'JSON over several lines',
			(_, response) => json(response, '\n{"jsonrpc":"2.0",\n"id":1,"result":{}}\n'),
			['message {"jsonrpc":"2.0",\n"id":1,"result":{}}\n for 1'],
		],
		[
			'half of the JSON that was announced',
			(_, response) => {
				response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
				response.write('{"json');
				setTimeout(() => response.destroy(), 20);
			},
			['failed 1 (may have run): The answer broke off.'],
		],
		[
			'nothing: it hangs up',
			(_, response) => response.destroy(),
			['failed 1 (may have run): The connection to ORIGIN broke before there was an answer (ECONNRESET).'],
		],
		[
			'a stream without the answer',
			(_, response) => {
				stream(response, event(progress));
				response.end();
			},
			[
				`message ${JSON.stringify(progress)} for 1`,
				'failed 1 (may have run): The stream ended before the answer came.',
			],
		],
		[
			'a stream with other things than messages',
			(_, response) => {
				stream(
					response,
					'data: ping\n\n',
					'event: custom\ndata: {}\n\n',
					'data:\n\n',
					`data: {"jsonrpc":"2.0",\ndata: "id":1,"result":{}}\n\n`,
				);
				response.end();
			},
			['noise ping', 'message {"jsonrpc":"2.0",\n"id":1,"result":{}} for 1'],
		],
		[
			'an announced body of 104 MB',
			(_, response) => {
				response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(104 << 20) });
				response.write('{');
			},
			['failed 1 (may have run): The server sent a message of 104 MB; the limit is 64 MB.'],
		],
		[
			'an event of 65 MB',
			(_, response) => {
				stream(response, `data: {"jsonrpc":"2.0","id":1,"result":{"x":"${'y'.repeat(65 << 20)}"}}\n\n`);
				response.end();
			},
			['failed 1 (may have run): The server sent a message of 65 MB; the limit is 64 MB.'],
		],
		[
			'a redirect to another server',
			(_, response) => response.writeHead(307, { location: 'https://example.com/mcp?key=1' }).end(),
			[
				'failed 1 (has not run): ORIGIN redirects to https://example.com, which is another server: configure the address that is meant.',
			],
		],
		[
			'redirects for ever',
			(_, response) => response.writeHead(307, { location: '/mcp' }).end(),
			['failed 1 (has not run): ORIGIN redirects in a circle: configure the address that is meant.'],
		],
	];
	for (const [name, answer, expected] of badInput) {
		it(`that answers with ${name} is told of as it is, and the connection goes on`, async () => {
			const [client, server] = await connect(
				(asked, response) => {
					if (asked.body.includes('"id":2')) json(response, answerTo(asked));
					else answer(asked, response);
				},
				{ Authorization: 'Bearer sesame-open' },
				'?key=hidden',
			);
			client.send(1, 'tools/call');
			await client.until(() => client.told.length > expected.length);
			client.send(2, 'ping');
			await client.until(() => client.told.at(-1)?.endsWith(' for 2') === true);
			const { origin } = new URL(server.url);
			const told = client.told.map((text) => text.replaceAll(origin, 'ORIGIN'));
			assert.deepEqual(told, ['opened', ...expected, `message ${JSON.stringify(result(2))} for 2`]);
			assert.ok(!told.join().includes('sesame') && !told.join().includes('hidden'));
		});
	}

	it('that quotes its address is quoted without the key in it', async () => {
		const [client] = await connect(
			(asked, response) => response.writeHead(403, { 'content-type': 'text/plain' }).end(`Not ${asked.url}`),
			{},
			'?team=analytics&api_key=s3cret%2Bkey',
		);
		client.send(1, 'initialize');
		await client.until(() => client.failures.size === 1);
		assert.match(client.told.join(), /and said: Not \/mcp\?team=analytics&api_key=…$/);
	});

	const refuseHandshake = (asked: Asked, response: ServerResponse, status: number): boolean => {
		if (asked.method !== 'GET') response.writeHead(status).end();
		return asked.method !== 'GET';
	};
	const refusal = (status: number) =>
		`failed 1 (has not run): ORIGIN answered with HTTP ${status}${status === 400 ? '' : ': there is no MCP server at this path'}.`;
	const older = (status: number) =>
		`failed 1 (has not run): ORIGIN has an MCP server of the older transport at this path, HTTP with SSE, and refused the handshake of streamable HTTP (HTTP ${status}): configure it with "type": "sse".`;
	for (const [name, status, answer, expected] of [
		[
			'has the older transport',
			404,
			(response) => stream(response, ': hello\n\n', 'event: endpoint\ndata: /messages?id=1\n\n'),
			older(404),
		],
		[
			'has the older transport and takes no POST',
			405,
			(response) => stream(response, 'event: endpoint\ndata: /messages?id=1\n\n'),
			older(405),
		],
		['has nothing there', 404, (response) => void response.writeHead(404).end(), refusal(404)],
		['has other events', 405, (response) => stream(response, 'event: message\ndata: {}\n\n'), refusal(405)],
		['has a stream without events', 400, (response) => stream(response), refusal(400)],
		['breaks off', 404, (response) => void response.destroy(), refusal(404)],
	] as const satisfies readonly (readonly [string, number, (response: ServerResponse) => void, string])[]) {
		it(`that refuses the handshake and ${name} is told of as it is`, async () => {
			const [client, server] = await connect((asked, response) => {
				if (!refuseHandshake(asked, response, status)) answer(response);
			});
			client.send(1, 'initialize');
			await client.until(() => client.failures.size === 1);
			const told = client.told.map((text) => text.replaceAll(new URL(server.url).origin, 'ORIGIN'));
			assert.deepEqual(told, ['opened', expected]);
			assert.equal(server.asked.length, 2);
		});
	}

	it('that refuses the handshake is let go while it is looked for what it has', async () => {
		const [client, server] = await connect((asked, response) => void refuseHandshake(asked, response, 404));
		client.send(1, 'initialize');
		await client.until(() => server.asked.length === 2);
		await client.transport.close();
		await pause(50);
		assert.deepEqual(client.told, ['opened', 'closed: The connection was closed.']);
		assert.ok(server.asked[1]!.isAborted);
	});

	it('is followed where it says its path ends with a slash, and asked there from then on', async () => {
		const [client, server] = await connect((asked, response) => {
			if (asked.url === '/mcp/') json(response, answerTo(asked));
			else response.writeHead(307, { location: '/mcp/' }).end();
		});
		for (const id of [1, 2]) {
			client.send(id, 'ping');
			await client.until(() => client.messages.length === id);
		}
		assert.deepEqual(
			server.asked.map(({ url }) => url),
			['/mcp', '/mcp/', '/mcp/'],
		);
	});

	describe('where the way out is a proxy', () => {
		const names = ['http_proxy', 'no_proxy', 'HTTP_PROXY', 'NO_PROXY'];
		const before = names.map((name) => [name, process.env[name]] as const);

		afterEach(() => {
			for (const [name, value] of before) {
				if (value === undefined) delete process.env[name];
				else process.env[name] = value;
			}
		});

		it('is asked through it, but on this machine directly', async () => {
			for (const name of names) delete process.env[name];
			const answer: Answer = (asked, response) => json(response, answerTo(asked));
			const [proxy, near] = [await httpServer(answer), await httpServer(answer)];
			opened.servers.push(proxy, near);
			process.env['http_proxy'] = new URL(proxy.url).origin;
			const clients = [reach('http://mcp.example.test/mcp'), reach(near.url)];
			for (const client of clients) {
				client.send(0, 'initialize');
				await client.until(() => client.messages.length === 1 || client.failures.size > 0);
				assert.deepEqual([...client.failures.values()], []);
			}
			assert.deepEqual(
				proxy.asked.map(({ url }) => url),
				['http://mcp.example.test/mcp'],
			);
			assert.equal(near.asked.length, 1);
		});

		it('is hopeless when the proxy has an address that is none', async () => {
			process.env['http_proxy'] = 'http://user:100%@proxy.example.test';
			const client = reach('http://mcp.example.test/mcp');
			await client.until(() => client.exit !== undefined);
			assert.deepEqual([client.exit?.isHopeless, client.exit?.reason.includes('HTTP_PROXY')], [true, true]);
		});
	});

	it('is asked over connections that stay open', async () => {
		const ports = new Set<number | undefined>();
		const [client] = await connect((asked, response) => {
			ports.add(response.socket?.remotePort);
			json(response, answerTo(asked));
		});
		for (let id = 1; id <= 20; id++) {
			client.send(id, 'ping');
			await client.until(() => client.messages.length === id);
		}
		assert.equal(ports.size, 1);
	});

	it('is hopeless when its definition is', async () => {
		const table: [url: string, headers: Record<string, string>, reason: string][] = [
			['localhost:3000/mcp', {}, 'The address of the server is no URL that begins with http:// or https://.'],
			[
				'http://127.0.0.1/',
				{ Key: 'a\nb' },
				'The configured header "Key" has a name or a value that HTTP does not allow.',
			],
		];
		for (const [url, headers, reason] of table) {
			const client = reach(url, headers);
			client.send(1, 'ping');
			await client.until(() => client.exit !== undefined);
			assert.deepEqual(client.told, [`closed (hopeless): ${reason}`]);
		}
	});

	it('may give ids and a revision that no header can hold, which harms nobody', async () => {
		const [client, server] = await connect((asked, response) => {
			if (asked.method === 'POST' && asked.body.includes('"id":1')) {
				stream(response, 'id: ünï\u0001日\nretry: 10\ndata:\n\n');
				response.end();
			} else if (asked.method === 'GET' && asked.headers['last-event-id'] !== undefined) {
				stream(response, event(result(1)));
				response.end();
			} else if (asked.method === 'POST') response.writeHead(202).end();
			else noStream(response);
		});
		client.transport.handshaken('2025\r\nX: y');
		client.send(undefined, 'notifications/initialized');
		client.send(1, 'tools/call');
		await client.until(() => client.messages.length === 1);
		const last = server.asked.find(({ headers }) => headers['last-event-id'] !== undefined)!;
		assert.equal(Buffer.from(String(last.headers['last-event-id']), 'latin1').toString(), 'ünï日');
		assert.equal(last.headers['x'], undefined);
	});

	it('is closed once, and what runs is let go', async () => {
		const [client, server] = await session((asked, response) => {
			if (asked.method === 'DELETE') response.end();
		});
		client.send(1, 'tools/call');
		// The stream of the server has a connection of its own, and its request may arrive after the call's.
		const hasArrived = (is: (asked: Asked) => boolean): boolean => server.asked.some(is);
		while (!hasArrived(({ body }) => body.includes('tools/call')) || !hasArrived(({ method }) => method === 'GET'))
			await pause(5);
		await Promise.all([client.transport.close(), client.transport.close()]);
		assert.deepEqual(client.told.slice(2), ['closed: The connection was closed.']);
		assert.equal(server.asked.at(-1)?.method, 'DELETE');
		client.send(2, 'ping');
		await pause(20);
		assert.equal(client.told.length, 3);
	});
});
