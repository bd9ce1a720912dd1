// Requests as no well-behaved client sends them.

import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import type { WireError } from './agent.ts';

export interface RawAnswer {
	readonly status: number;
	readonly body: string;
	/** Of a body that is a JSON-RPC error. */
	readonly error: WireError | undefined;
	readonly id: unknown;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface RawRequest {
	readonly method?: string;
	readonly headers?: Readonly<Record<string, string>>;
	/** Headers that every MCP client sends, here left out. */
	readonly without?: readonly string[];
	readonly body?: string | Buffer;
}

/** Sends a request with exactly these headers. Rejects when the connection ends without an answer. */
export function send(address: string, { method = 'POST', headers, without, body }: RawRequest): Promise<RawAnswer> {
	const all: Record<string, string> = {
		host: new URL(address).host,
		accept: 'application/json, text/event-stream',
		...(body === undefined
			? {}
			: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
		...headers,
	};
	for (const name of without ?? []) delete all[name];
	return new Promise((resolve, reject) => {
		const request = httpRequest(address, { method, headers: all, setHost: false, agent: false }, (response) => {
			let text = '';
			response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
			response.on('error', reject);
			response.on('end', () => {
				const message = jsonIn(text);
				resolve({
					status: response.statusCode ?? 0,
					body: text,
					error: message?.error,
					id: message?.id,
					headers: response.headers,
				});
			});
		});
		request.on('error', reject);
		request.end(body);
	});
}

/** Writes bytes and gives what comes back until the other side closes, or until nothing more comes. */
export function write(
	address: string,
	bytes: string | Buffer,
	{ thenClose = false, patienceMs = 1_000 } = {},
): Promise<string> {
	const { hostname, port } = new URL(address);
	return new Promise((resolve, reject) => {
		const socket = connect(Number(port), hostname, () => {
			socket.write(bytes, () => {
				if (thenClose) socket.destroy();
			});
		});
		let text = '';
		socket.setTimeout(patienceMs, () => socket.destroy());
		socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
		socket.on('error', (error: NodeJS.ErrnoException) => {
			// Closing on somebody who still writes is an answer too.
			if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
		});
		socket.on('close', () => resolve(text));
	});
}

function jsonIn(text: string): { readonly id?: unknown; readonly error?: WireError } | undefined {
	const data = /^data: ?(.*)$/m.exec(text)?.[1] ?? text;
	try {
		return JSON.parse(data) as { id?: unknown; error?: WireError }; // what is read of it is compared
	} catch {
		// Not every answer is JSON.
		return undefined;
	}
}
