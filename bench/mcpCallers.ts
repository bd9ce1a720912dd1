// Callers that cost as little as can be, so that a measurement is one of what they call: a socket each, no HTTP client.

import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface Caller {
	/** Rejects when the answer is an error, or none. */
	call(text: string): Promise<void>;
	close(): void;
}

/** One agent of streamable HTTP: a session, and one connection that is kept alive. */
export class HttpCaller implements Caller {
	private readonly socket: Socket;
	private readonly head: string;
	private sessionId = '';
	private stream: Socket | undefined;
	private lastId = 0;
	private received = '';
	private waiting: { resolve: (response: string) => void; reject: (error: Error) => void } | undefined;

	private constructor(socket: Socket, head: string) {
		this.socket = socket;
		this.head = head;
		socket.setNoDelay(true);
		socket.setEncoding('latin1').on('data', (chunk: string) => this.take(chunk));
		const failed = (error: Error) => this.waiting?.reject(error);
		socket.on('error', failed).on('close', () => failed(new Error('The connection was closed.')));
	}

	static async connect(address: string): Promise<HttpCaller> {
		const { hostname, port, host, pathname } = new URL(address);
		const socket = await open(hostname, Number(port));
		const head = `${pathname} HTTP/1.1\r\nHost: ${host}\r\nMCP-Protocol-Version: 2025-11-25\r\n`;
		const caller = new HttpCaller(socket, head);
		const response = await caller.post(
			`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`,
		);
		const sessionId = /^mcp-session-id: *(\S+)/im.exec(response)?.[1];
		if (sessionId !== undefined) caller.sessionId = `Mcp-Session-Id: ${sessionId}\r\n`;
		await caller.post(`{"jsonrpc":"2.0","method":"notifications/initialized"}`);
		return caller;
	}

	async call(text: string): Promise<void> {
		const id = ++this.lastId;
		const response = await this.post(
			`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo","arguments":{"text":"${text}"}}}`,
		);
		if (!response.includes(`"text":"${text}"`)) throw new Error(response.slice(0, 500));
	}

	/** The stream for what belongs to no request, as real agents keep it open. */
	async listen(address: string): Promise<void> {
		const { hostname, port } = new URL(address);
		const stream = await open(hostname, Number(port));
		stream.write(`GET ${this.head}${this.sessionId}Accept: text/event-stream\r\n\r\n`);
		await new Promise((resolve) => stream.once('data', resolve));
		stream.on('error', () => undefined);
		this.stream = stream;
	}

	close(): void {
		this.socket.destroy();
		this.stream?.destroy();
	}

	private post(body: string): Promise<string> {
		return new Promise((resolve, reject) => {
			this.waiting = { resolve, reject };
			this.socket.write(
				`POST ${this.head}${this.sessionId}Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
			);
		});
	}

	private take(chunk: string): void {
		this.received += chunk;
		const end = endOfResponse(this.received);
		if (end === undefined) return;
		const response = this.received.slice(0, end);
		this.received = this.received.slice(end);
		this.waiting?.resolve(response);
	}
}

/** The server itself, on stdio. */
export class StdioCaller implements Caller {
	private readonly child;
	private lastId = 0;
	private received = '';
	private waiting: (() => void) | undefined;

	private constructor(command: string, args: readonly string[]) {
		this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
		this.child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
			this.received += chunk;
			if (this.received.endsWith('\n')) this.waiting?.();
		});
	}

	static async connect(command: string, args: readonly string[]): Promise<StdioCaller> {
		const caller = new StdioCaller(command, args);
		await caller.send(
			`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`,
		);
		caller.child.stdin.write(`{"jsonrpc":"2.0","method":"notifications/initialized"}\n`);
		return caller;
	}

	async call(text: string): Promise<void> {
		const id = ++this.lastId;
		const answer = await this.send(
			`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo","arguments":{"text":"${text}"}}}`,
		);
		if (!answer.includes(`"text":"${text}"`)) throw new Error(answer);
	}

	close(): void {
		this.child.kill();
	}

	private send(message: string): Promise<string> {
		this.received = '';
		return new Promise((resolve) => {
			this.waiting = () => resolve(this.received);
			this.child.stdin.write(`${message}\n`);
		});
	}
}

function open(hostname: string, port: number): Promise<Socket> {
	return new Promise((resolve, reject) => {
		const socket = connect(port, hostname, () => resolve(socket));
		socket.once('error', reject);
	});
}

/** Where the first response ends, once it is all there. */
function endOfResponse(text: string): number | undefined {
	const headEnd = text.indexOf('\r\n\r\n');
	if (headEnd === -1) return undefined;
	const head = text.slice(0, headEnd);
	const body = headEnd + 4;
	const length = /^content-length: *(\d+)/im.exec(head)?.[1];
	if (length !== undefined) return text.length >= body + Number(length) ? body + Number(length) : undefined;
	if (/^transfer-encoding: *chunked/im.test(head)) {
		const end = text.indexOf('\r\n0\r\n\r\n', headEnd);
		return end === -1 ? undefined : end + 7;
	}
	// A status without a body.
	return body;
}
