import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
	readonly method: string;
	readonly url: string;
	readonly headers: IncomingMessage['headers'];
	readonly body: string;
	/** The client has closed the connection before the answer was complete. */
	isAborted: boolean;
}

export interface TestServer {
	readonly url: string;
	readonly asked: Asked[];
	close(): Promise<void>;
}

/** An HTTP server on any port of this machine, which notes what it is asked. */
export async function httpServer(answer: (asked: Asked, response: ServerResponse) => void): Promise<TestServer> {
	const asked: Asked[] = [];
	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			const { method = '', url = '', headers } = request;
			const one: Asked = { method, url, headers, body: Buffer.concat(chunks).toString(), isAborted: false };
			response.on('close', () => {
				one.isAborted = !response.writableFinished;
			});
			asked.push(one);
			answer(one, response);
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	// A server that listens on a port has this kind of address.
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://127.0.0.1:${port}/mcp`,
		asked,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

export function json(
	response: ServerResponse,
	body: object | string,
	status = 200,
	headers: Record<string, string> = {},
): void {
	response.writeHead(status, { 'content-type': 'application/json', ...headers });
	response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** Begins a stream of events, with these first. */
export function stream(response: ServerResponse, ...events: string[]): void {
	response.writeHead(200, { 'content-type': 'text/event-stream' });
	response.flushHeaders();
	for (const event of events) response.write(event);
}

export function event(message: object, id?: string): string {
	return `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(message)}\n\n`;
}

export function answerTo(asked: Asked): { jsonrpc: '2.0'; id: unknown; result: object } {
	// JSON.parse gives `any`; every request of these tests has an id.
	const { id } = JSON.parse(asked.body) as { id: unknown };
	return { jsonrpc: '2.0', id, result: {} };
}
