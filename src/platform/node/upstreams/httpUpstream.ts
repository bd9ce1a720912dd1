import type {
	OutgoingRequest,
	RequestFailure,
	TransportListener,
	UpstreamTransport,
} from '../../../core/host/ports.ts';
import { HttpEndpoint } from './httpEndpoint.ts';
import type { HeaderList, HttpCall, HttpTransport } from './httpEndpoint.ts';
import { HttpExchange } from './httpExchange.ts';
import { post } from './httpPost.ts';
import { findOlderTransport, mayBeOlderTransport } from './olderTransport.ts';
import { ServerStream } from './serverStream.ts';

/** The first revision without handshake, sessions, and streams that can be taken up again. */
const MODERN = '2026-07-28';
/** How long a server may keep everything else waiting while it takes `notifications/initialized`. */
const INTRODUCTION_MS = 5000;
/** How long an abandoned stream stays open for a cancellation that is on its way. */
const CANCELLATION_MS = 1000;
const GOODBYE_MS = 1000;

const POST_HEADERS: HeaderList = [
	['Accept', 'application/json, text/event-stream'],
	['Content-Type', 'application/json'],
];

/** A server that is asked over streamable HTTP: each message is a POST of its own, and so may be each answer a stream of its own. */
export class HttpUpstream implements UpstreamTransport {
	readonly pid = undefined;
	private readonly listener: TransportListener;
	private readonly endpoint: HttpEndpoint | undefined;
	private readonly exchanges = new Map<number, HttpExchange>();
	/** Messages that are no requests and are on their way. */
	private readonly posts = new Set<HttpCall>();
	/** Called when none of them is on its way any more. */
	private onPosted: (() => void) | undefined;
	private readonly abandoned = new Set<HttpExchange>();
	private serverStream: ServerStream | undefined;
	/** For the transport that a server has which refused the handshake. */
	private search: HttpCall | undefined;
	private mcpSessionId: string | undefined;
	private protocolVersion: string | undefined;
	/** Of 2025-era connections: the first message after the handshake is on its way, and no request may overtake it. */
	private introduction: 'to come' | { readonly held: HttpExchange[] } | 'done' = 'done';
	private ending: Promise<void> | undefined;
	private isClosed = false;

	constructor(transport: HttpTransport, listener: TransportListener) {
		this.listener = listener;
		const endpoint = HttpEndpoint.of(transport);
		if (typeof endpoint === 'string') {
			process.nextTick(() => this.finish(endpoint, true));
			return;
		}
		this.endpoint = endpoint;
		// HTTP connects when there is something to ask.
		process.nextTick(() => {
			if (!this.isClosed && this.ending === undefined) listener.onOpened();
		});
	}

	send(message: Uint8Array, request: OutgoingRequest | undefined): void {
		const { endpoint, introduction } = this;
		if (endpoint === undefined || this.isClosed || this.ending !== undefined) return;
		if (request === undefined) {
			this.notify(endpoint, message);
			return;
		}
		const { id } = request;
		const isModern = (request.protocolVersion ?? this.protocolVersion ?? '') >= MODERN;
		const exchange = new HttpExchange({
			id,
			endpoint,
			message,
			headers: this.headers(request, isModern),
			resumeHeaders: isModern ? undefined : this.sessionHeaders(),
			hadSession: !isModern && this.mcpSessionId !== undefined,
			onMessage: (message) => this.listener.onMessage(message, id),
			onSession: (mcpSessionId) => {
				if (request.method === 'initialize') this.mcpSessionId = mcpSessionId;
			},
			onNoise: (text) => this.listener.onNoise(text),
			onFailed: (failure) => this.failed(endpoint, request, failure),
			onEnded: () => {
				if (this.exchanges.get(id) === exchange) this.exchanges.delete(id);
				this.abandoned.delete(exchange);
			},
		});
		this.exchanges.set(id, exchange);
		if (typeof introduction === 'object' && !isModern) introduction.held.push(exchange);
		else exchange.begin();
	}

	abandon(id: number): void {
		const exchange = this.exchanges.get(id);
		if (exchange === undefined) return;
		this.exchanges.delete(id);
		// In the 2025 era a closed stream says nothing, and a server may take it for a client that has gone; the cancellation says it.
		if (exchange.isResumable && exchange.isBegun && this.posts.size > 0) {
			this.abandoned.add(exchange);
			setTimeout(() => exchange.abort(), CANCELLATION_MS);
		} else {
			exchange.abort();
		}
	}

	kill(): boolean {
		// It runs elsewhere.
		return false;
	}

	handshaken(protocolVersion: string): void {
		this.protocolVersion = protocolVersion;
		if (protocolVersion < MODERN) this.introduction = 'to come';
	}

	close(): Promise<void> {
		this.ending ??= this.end();
		return this.ending;
	}

	private headers(request: OutgoingRequest, isModern: boolean): HeaderList {
		if (!isModern) return [...POST_HEADERS, ...this.sessionHeaders(request.protocolVersion)];
		const { method, name, headers } = request;
		return [
			...POST_HEADERS,
			['MCP-Protocol-Version', request.protocolVersion ?? this.protocolVersion ?? MODERN],
			['Mcp-Method', method],
			...(name === undefined ? [] : [['Mcp-Name', headerValue(name)] as const]),
			// These are encoded already.
			...Object.entries(headers ?? {}),
		];
	}

	/** What every message of the 2025 era has after the handshake. */
	private sessionHeaders(protocolVersion = this.protocolVersion): HeaderList {
		const headers: [string, string][] = [];
		if (protocolVersion !== undefined) headers.push(['MCP-Protocol-Version', protocolVersion]);
		if (this.mcpSessionId !== undefined) headers.push(['Mcp-Session-Id', this.mcpSessionId]);
		return headers;
	}

	/** Who has configured the wrong one of the two transports is told so. */
	private failed(endpoint: HttpEndpoint, { id, method }: OutgoingRequest, failure: RequestFailure): void {
		if (method !== 'initialize' || !mayBeOlderTransport(failure)) {
			this.listener.onRequestFailed(id, failure);
			return;
		}
		this.search = findOlderTransport(endpoint, (isOlder) => {
			const reason = `${endpoint.name} has an MCP server of the older transport at this path, HTTP with SSE, and refused the handshake of streamable HTTP (HTTP ${failure.httpStatus}): configure it with "type": "sse".`;
			this.listener.onRequestFailed(id, isOlder ? { ...failure, reason } : failure);
		});
	}

	/** Sends what has no answer. */
	private notify(endpoint: HttpEndpoint, message: Uint8Array): void {
		const held: HttpExchange[] = [];
		const isIntroduction = this.introduction === 'to come';
		if (isIntroduction) this.introduction = { held };
		const timer = isIntroduction ? setTimeout(() => this.introduced(held), INTRODUCTION_MS) : undefined;
		const headers = [...POST_HEADERS, ...this.sessionHeaders()];
		const call = post({ endpoint, headers, message, hadSession: this.mcpSessionId !== undefined }, (failure) => {
			this.posts.delete(call);
			clearTimeout(timer);
			if (this.isClosed) return;
			if (failure !== undefined) this.listener.onNoise(`The server did not take a message. ${failure.reason}\n`);
			if (isIntroduction) this.introduced(held);
			if (this.posts.size > 0) return;
			for (const exchange of this.abandoned) exchange.abort();
			this.onPosted?.();
		});
		this.posts.add(call);
	}

	private introduced(held: readonly HttpExchange[]): void {
		if (typeof this.introduction !== 'object' || this.introduction.held !== held || this.ending !== undefined)
			return;
		this.introduction = 'done';
		const { endpoint } = this;
		if (endpoint === undefined) return;
		for (const exchange of held) exchange.begin();
		this.serverStream = new ServerStream(endpoint, this.sessionHeaders(), this.listener);
	}

	private async end(): Promise<void> {
		const { endpoint, mcpSessionId } = this;
		if (endpoint === undefined) return;
		this.serverStream?.close();
		this.search?.abort();
		for (const exchange of [...this.exchanges.values(), ...this.abandoned]) exchange.abort();
		// What was sent just before may be a cancellation.
		await settled((resolve) => {
			if (this.posts.size === 0) resolve();
			else this.onPosted = resolve;
		});
		if (mcpSessionId !== undefined) await settled((resolve) => this.forgetSession(endpoint, resolve));
		for (const call of this.posts) call.abort();
		endpoint.dispose();
		this.finish('The connection was closed.', false);
	}

	/** The server may let go of what it keeps for this session. Some do not know how (405), which is no harm. */
	private forgetSession(endpoint: HttpEndpoint, resolve: () => void): void {
		endpoint.call('DELETE', this.sessionHeaders(), undefined, {
			onResponse(response) {
				response.resume();
				response.on('close', resolve);
			},
			onFailed: resolve,
		});
	}

	private finish(reason: string, isHopeless: boolean): void {
		if (this.isClosed) return;
		this.isClosed = true;
		this.listener.onClosed({ reason, code: null, signal: null, stderrTail: '', isHopeless });
	}
}

/** Resolves when `begin` calls back, and after a second in any case. */
function settled(begin: (resolve: () => void) => void): Promise<void> {
	return new Promise((resolve) => {
		const timer = setTimeout(resolve, GOODBYE_MS);
		begin(() => {
			clearTimeout(timer);
			resolve();
		});
	});
}

/** As the revision 2026-07-28 writes a text into a header: what is no plain ASCII goes as base64. */
function headerValue(text: string): string {
	const isPlain = /^[!-~](?:[\t -~]*[!-~])?$/.test(text) && !(text.startsWith('=?base64?') && text.endsWith('?='));
	return isPlain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;
}
