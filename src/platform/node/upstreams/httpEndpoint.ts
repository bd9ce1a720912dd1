import * as http from 'node:http';
import * as https from 'node:https';
import { TLSSocket } from 'node:tls';
import { secretsInAddress } from '../../../core/host/config/secretLooks.ts';
import type { ServerTransport } from '../../../core/host/serverDefinition.ts';
import { megabytes } from './messageLines.ts';
import { readInTurns } from './pacedReading.ts';
import { errnoOf } from '../errno.ts';

export type HttpTransport = Extract<ServerTransport, { kind: 'http' | 'sse' }>;

export interface HttpCall {
	/** Closes the connection of this call. Nothing is told about it any more. */
	abort(): void;
}

export interface HttpListener {
	/** The head of the answer is here. Whoever is told reads its body. */
	onResponse(response: http.IncomingMessage): void;
	/** There was no answer. `mayHaveArrived` is false only where it is certain that the server has not got what was sent. */
	onFailed(reason: string, mayHaveArrived: boolean): void;
}

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** An idle connection is let go before a server does it; Node, uvicorn and others do after 5 s. Who writes just then has bad luck. */
const IDLE_MS = 4000;
/** Tells us of a peer that is gone without a word, on a stream that may be silent for hours. */
const KEEP_ALIVE_PROBE_MS = 30_000;
const MAXIMUM_REDIRECTS = 5;

/** Headers that the transport sets itself. */
const ownHeaders = new Set([
	'accept',
	'connection',
	'content-length',
	'content-type',
	'last-event-id',
	'mcp-protocol-version',
	'mcp-session-id',
	'transfer-encoding',
]);

/** An address, the connections to it, and the headers that every request there has. */
export class HttpEndpoint {
	url: URL;
	private readonly agent: http.Agent;
	private readonly configured: HeaderList;

	private constructor(url: URL, configured: HeaderList) {
		this.url = url;
		this.configured = configured;
		const options = {
			keepAlive: true,
			keepAliveMsecs: KEEP_ALIVE_PROBE_MS,
			timeout: IDLE_MS,
			// HTTP_PROXY, HTTPS_PROXY and NO_PROXY. Node knows them from 22.21 and 24.5 on, and passes over this before.
			proxyEnv: isOnThisMachine(url) ? undefined : process.env,
		};
		this.agent = url.protocol === 'https:' ? new https.Agent(options) : new http.Agent(options);
	}

	/** @returns A sentence when the definition cannot be used. */
	static of(transport: HttpTransport): HttpEndpoint | string {
		const url = URL.parse(transport.url);
		if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
			return 'The address of the server is no URL that begins with http:// or https://.';
		const headers: [string, string][] = [];
		for (const [name, value] of Object.entries(transport.headers)) {
			try {
				http.validateHeaderName(name);
				http.validateHeaderValue(name, value);
			} catch {
				return `The configured header ${JSON.stringify(name)} has a name or a value that HTTP does not allow.`;
			}
			if (!ownHeaders.has(name.toLowerCase())) headers.push([name, value]);
		}
		const has = (name: string) => headers.some(([other]) => other.toLowerCase() === name);
		if (!has('host')) headers.unshift(['Host', url.host]);
		if (!has('user-agent')) headers.push(['User-Agent', 'crosstalk']);
		if (!has('authorization') && url.username !== '') {
			const account = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
			headers.push(['Authorization', `Basic ${Buffer.from(account).toString('base64')}`]);
		}
		try {
			return new HttpEndpoint(url, headers);
		} catch {
			return 'The proxy that HTTP_PROXY or HTTPS_PROXY in the environment of the host names has no valid address.';
		}
	}

	/** What people are told of the address: the rest of it may hold secrets. */
	get name(): string {
		return this.url.origin;
	}

	call(
		method: 'GET' | 'POST' | 'DELETE',
		headers: HeaderList,
		body: Uint8Array | undefined,
		listener: HttpListener,
		url = this.url,
	): HttpCall {
		return new Call({ endpoint: this, method, headers, body, listener, url });
	}

	/** Of `Call` only. */
	request(method: string, url: URL, headers: HeaderList, body: Uint8Array | undefined): http.ClientRequest {
		const list: string[] = [];
		for (const [name, value] of this.configured) list.push(name, value);
		for (const [name, value] of headers) list.push(name, value.replaceAll(notInHeaders, ''));
		if (body !== undefined) list.push('Content-Length', String(body.length));
		// What an IPv6 address has around it belongs to the URL.
		const hostname = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
		const port = url.port === '' ? undefined : Number(url.port);
		const { request } = url.protocol === 'https:' ? https : http;
		return request({ hostname, port, path: url.pathname + url.search, method, headers: list, agent: this.agent });
	}

	/** What a server says about a refused request may quote what it was sent. */
	concealed(text: string): string {
		let result = text;
		for (const secret of secretsInAddress(this.url.href)) result = result.replaceAll(secret, '…');
		for (const [name, value] of this.configured) {
			const lowerCase = name.toLowerCase();
			if (lowerCase === 'host' || lowerCase === 'user-agent') continue;
			const [, scheme] = /^(\S+) +\S/.exec(value) ?? [];
			for (const secret of [value, value.slice(scheme === undefined ? 0 : scheme.length).trim()])
				if (secret.length > 3) result = result.replaceAll(secret, '…');
		}
		return result;
	}

	dispose(): void {
		this.agent.destroy();
	}
}

/** No proxy leads there. */
function isOnThisMachine({ hostname }: URL): boolean {
	return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

interface CallOptions {
	readonly endpoint: HttpEndpoint;
	readonly method: string;
	readonly headers: HeaderList;
	readonly body: Uint8Array | undefined;
	readonly listener: HttpListener;
	readonly url: URL;
}

class Call implements HttpCall {
	private readonly options: CallOptions;
	private request: http.ClientRequest;
	private isOver = false;
	private redirects = 0;

	constructor(options: CallOptions) {
		this.options = options;
		this.request = this.begin(options.url);
	}

	abort(): void {
		this.isOver = true;
		this.request.destroy();
	}

	private begin(url: URL): http.ClientRequest {
		const { endpoint, method, headers, body } = this.options;
		const request = endpoint.request(method, url, headers, body);
		request.on('error', (error) => this.onError(error));
		request.on('response', (response) => this.onResponse(response, url));
		if (body === undefined) request.end();
		else request.end(body);
		return request;
	}

	private onError(error: Error): void {
		if (this.isOver) return;
		this.isOver = true;
		const { socket } = this.request;
		const wasConnected =
			!(error instanceof AggregateError) &&
			!('syscall' in error && (error.syscall === 'connect' || error.syscall === 'getaddrinfo')) &&
			!(socket instanceof TLSSocket && !socket.authorized);
		this.options.listener.onFailed(this.explained(error, wasConnected), wasConnected);
	}

	private onResponse(response: http.IncomingMessage, url: URL): void {
		// A response that breaks off closes; its error says nothing more.
		response.on('error', () => undefined);
		if (this.isOver) return;
		const { location } = response.headers;
		if (location !== undefined && redirectStatuses.has(response.statusCode ?? 0)) {
			response.resume();
			this.redirect(URL.parse(location, url.href), url);
			return;
		}
		this.options.listener.onResponse(response);
	}

	/** Follows where the configured headers may go: to the same server, or to its encrypted side. */
	private redirect(target: URL | null, url: URL): void {
		const { endpoint, listener } = this.options;
		const isSame = target !== null && target.origin === url.origin;
		if (!isSame || ++this.redirects > MAXIMUM_REDIRECTS) {
			this.isOver = true;
			const where = isSame
				? 'in a circle'
				: `to ${target?.origin ?? 'no valid address'}, which is another server`;
			listener.onFailed(`${endpoint.name} redirects ${where}: configure the address that is meant.`, false);
			return;
		}
		// Most often a slash is missing at the end; the next request need not ask again.
		if (url === endpoint.url) endpoint.url = target;
		this.request = this.begin(target);
	}

	private explained(error: Error, wasConnected: boolean): string {
		const { name, url } = this.options.endpoint;
		const code = errnoOf(error) ?? error.name;
		if (code === 'ECONNREFUSED') return `Nothing listens at ${name}: is the server running?`;
		if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
			return `The name ${url.hostname} cannot be resolved (${code}).`;
		return wasConnected
			? `The connection to ${name} broke before there was an answer (${code}).`
			: `No connection to ${name} could be made (${code}).`;
	}
}

/** Parts of what a server has said (a revision, an event id) come back to it in headers, and Node throws for what HTTP does not allow. */
const notInHeaders = /[^\t -~\u0080-\u00ff]/g;

const redirectStatuses = new Set([301, 302, 307, 308]);

/** Reads a body as a whole. A body that is longer than the limit, or breaks off, is told as a sentence. */
export function readBody(
	response: http.IncomingMessage,
	limit: number,
	onRead: (body: Buffer) => void,
	onFailed: (reason: string) => void,
): void {
	const chunks: Buffer[] = [];
	let length = 0;
	let isOver = false;
	const fail = (reason: string): void => {
		if (isOver) return;
		isOver = true;
		response.destroy();
		onFailed(reason);
	};
	const tooLong = (length: string): string =>
		`The server sent a message of ${length}; the limit is ${megabytes(limit)}.`;
	const announced = Number(response.headers['content-length'] ?? 0);
	if (announced > limit) {
		fail(tooLong(megabytes(announced)));
		return;
	}
	readInTurns(response, (chunk) => {
		if (isOver) return;
		length += chunk.length;
		if (length > limit) fail(tooLong(`more than ${megabytes(limit)}`));
		else chunks.push(chunk);
	});
	response.on('end', () => {
		if (isOver) return;
		isOver = true;
		const [first] = chunks;
		onRead(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks));
	});
	response.on('close', () => fail('The answer broke off.'));
}

/** What stands before any parameters, in lower case. */
export function contentType(response: http.IncomingMessage): string {
	return (response.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** A text whose UTF-8 bytes are to stand in a header, as Node wants it. */
export function utf8Header(text: string): string {
	return Buffer.from(text).toString('latin1');
}
