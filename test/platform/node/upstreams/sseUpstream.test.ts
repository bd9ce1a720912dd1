import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { answerTo, event, httpServer, stream } from './httpServer.ts';
import type { Asked, TestServer } from './httpServer.ts';
import { Observed } from './observed.ts';

const result = (id: number) => ({ jsonrpc: '2.0', id, result: {} });

describe('a server on HTTP with SSE, revision 2024-11-05', () => {
	const opened: { servers: TestServer[]; clients: Observed[] } = { servers: [], clients: [] };
	afterEach(async () => {
		for (const client of opened.clients.splice(0)) await client.transport.close();
		for (const server of opened.servers.splice(0)) await server.close();
	});

	async function connect(answer: (asked: Asked, response: ServerResponse) => void): Promise<[Observed, TestServer]> {
		const server = await httpServer(answer);
		opened.servers.push(server);
		const client = new Observed({ kind: 'sse', url: server.url, headers: { 'X-Key': 'sesame' } });
		opened.clients.push(client);
		return [client, server];
	}

	it('says where messages go, and gets there what was sent before', async () => {
		let events: ServerResponse | undefined;
		const [client, server] = await connect((asked, response) => {
			if (asked.method === 'GET') {
				events = response;
				setTimeout(() => stream(response, 'event: endpoint\ndata: messages?session=1\n\n'), 30);
				return;
			}
			response.writeHead(202).end('Accepted');
			if (asked.body.includes('"id"')) events?.write(event(answerTo(asked)));
		});
		client.send(1, 'initialize');
		await client.until(() => client.messages.length === 1);
		client.transport.handshaken('2024-11-05');
		client.send(undefined, 'notifications/initialized');
		client.send(2, 'tools/list');
		await client.until(() => client.messages.length === 2);
		assert.deepEqual(client.told, ['opened', ...[1, 2].map((id) => `message ${JSON.stringify(result(id))}`)]);
		assert.deepEqual(
			server.asked.map(({ method, url, headers }) => [method, url, headers['x-key']]),
			[['GET', '/mcp', 'sesame'], ...[1, 2, 3].map(() => ['POST', '/messages?session=1', 'sesame'])],
		);
		assert.match(server.asked[2]!.body, /initialized/);
	});

	const table: readonly [
		name: string,
		answer: (asked: Asked, response: ServerResponse) => void,
		expected: string[],
	][] = [
		[
			'wants messages sent to another server',
			(_, response) => stream(response, 'event: endpoint\ndata: http://127.0.0.1:1/messages\n\n'),
			[
				'failed 1 (has not run): ORIGIN wants messages to be sent to http://127.0.0.1:1, which is another server.',
				'closed (hopeless): ORIGIN wants messages to be sent to http://127.0.0.1:1, which is another server.',
			],
		],
		[
			'ends the stream',
			(asked, response) => {
				if (asked.method === 'POST') {
					response.writeHead(202).end();
					return;
				}
				stream(response, 'event: endpoint\ndata: /m\n\n');
				setTimeout(() => response.end(), 100);
			},
			['opened', 'closed: The stream from ORIGIN ended.'],
		],
		[
			'refuses a message',
			(asked, response) => {
				if (asked.method === 'POST') {
					response.writeHead(500).end();
					return;
				}
				stream(response, 'event: endpoint\ndata: /m\n\n');
				setTimeout(() => response.end(), 200);
			},
			[
				'opened',
				'failed 1 (may have run): ORIGIN answered with HTTP 500.',
				'closed: The stream from ORIGIN ended.',
			],
		],
		[
			'wants to know who asks',
			(_, response) => response.writeHead(401).end(),
			[
				'failed 1 (has not run): ORIGIN answered with HTTP 401: it wants to know who asks; configure a header such as Authorization.',
				'closed (hopeless): ORIGIN answered with HTTP 401: it wants to know who asks; configure a header such as Authorization.',
			],
		],
		...[
			[
				405,
				'ORIGIN has no stream of the older transport, HTTP with SSE, at this path (HTTP 405).',
				' (hopeless)',
			],
			[400, 'ORIGIN answered with HTTP 400, and said: No session.', ''],
		].map(([status, said, how]): (typeof table)[number] => {
			const told = `${said} If its server speaks streamable HTTP, configure it with "type": "http".`;
			return [
				`may speak streamable HTTP (${status})`,
				(_, response) =>
					response.writeHead(Number(status), { 'content-type': 'text/plain' }).end('No session.'),
				[`failed 1 (has not run): ${told}`, `closed${how}: ${told}`],
			];
		}),
		[
			'is a web page',
			(_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
			[
				'failed 1 (has not run): ORIGIN answered with HTTP 200 and a web page, which is no MCP: check its address.',
				'closed: ORIGIN answered with HTTP 200 and a web page, which is no MCP: check its address.',
			],
		],
		[
			'sends a message of 65 MB',
			(asked, response) => {
				if (asked.method === 'POST') {
					response.writeHead(202).end();
					return;
				}
				stream(response, 'event: endpoint\ndata: /m\n\n');
				setTimeout(
					() => response.end(`data: {"jsonrpc":"2.0","id":1,"result":"${'y'.repeat(65 << 20)}"}\n\n`),
					100,
				);
			},
			[
				'opened',
				'failed 1 (may have run): The server sent a message of 65 MB; the limit is 64 MB.',
				'closed: The stream from ORIGIN ended.',
			],
		],
	];
	for (const [name, answer, expected] of table) {
		it(`that ${name} is told of as it is`, async () => {
			const [client, server] = await connect(answer);
			client.send(1, 'initialize');
			await client.until(() => client.exit !== undefined);
			assert.deepEqual(
				client.told.map((text) => text.replaceAll(new URL(server.url).origin, 'ORIGIN')),
				expected,
			);
		});
	}
});
