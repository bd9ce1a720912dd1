import type { IncomingMessage } from 'node:http';
import type { OutgoingRequest, TransportListener, UpstreamTransport } from '../../../core/host/ports.ts';
import { EventStream } from './eventStream.ts';
import { HttpEndpoint, contentType, readBody } from './httpEndpoint.ts';
import type { HeaderList, HttpCall, HttpTransport } from './httpEndpoint.ts';
import { REFUSAL_LIMIT, refused, unexpected } from './httpFailure.ts';
import { post } from './httpPost.ts';
import { answeredIdOfOversized, isBlank, objectIn, tooLong } from './messageLines.ts';
import { readInTurns } from './pacedReading.ts';

interface Message {
	readonly bytes: Uint8Array;
	readonly id: number | undefined;
}

/**
 * A server of revision 2024-11-05 over HTTP: one stream brings everything, and its first event says where messages are to be posted.
 * The stream is the connection: when it ends there is no way to get the answers to what runs.
 */
export class SseUpstream implements UpstreamTransport {
	readonly pid = undefined;
	private readonly listener: TransportListener;
	private readonly endpoint: HttpEndpoint | undefined;
	private readonly posts = new Set<HttpCall>();
	private readonly stream: HttpCall | undefined;
	private readonly events: EventStream;
	/** Where messages go; until it is known they wait. */
	private messageUrl: URL | undefined;
	private waiting: Message[] = [];
	/** The first message after the handshake is on its way, and no other may overtake it. */
	private introduction: 'to come' | 'sent' | 'done' = 'done';
	private protocolVersion: string | undefined;
	private isClosed = false;

	constructor(transport: HttpTransport, listener: TransportListener) {
		this.listener = listener;
		this.events = new EventStream({
			onEvent: (type, data) => this.onEvent(type, data),
			onOversizedEvent: (data) => {
				const id = answeredIdOfOversized(data);
				const reason = tooLong(data.length);
				if (id === undefined) listener.onNoise(`${reason}\n`);
				else listener.onRequestFailed(id, { reason, mayHaveRun: true, isSessionLost: false });
			},
		});
		const endpoint = HttpEndpoint.of(transport);
		if (typeof endpoint === 'string') {
			process.nextTick(() => this.finish(endpoint, true));
			return;
		}
		this.endpoint = endpoint;
		this.stream = endpoint.call('GET', [['Accept', 'text/event-stream']], undefined, {
			onResponse: (response) => this.onResponse(endpoint, response),
			onFailed: (reason) => this.finish(reason, false),
		});
	}

	send(message: Uint8Array, request: OutgoingRequest | undefined): void {
		if (this.isClosed) return;
		this.waiting.push({ bytes: message, id: request?.id });
		this.flush();
	}

	abandon(): void {
		// Requests have no streams of their own here.
	}

	kill(): boolean {
		// It runs elsewhere.
		return false;
	}

	handshaken(protocolVersion: string): void {
		this.protocolVersion = protocolVersion;
		this.introduction = 'to come';
	}

	close(): Promise<void> {
		this.finish('The connection was closed.', false);
		return Promise.resolve();
	}

	private onResponse(endpoint: HttpEndpoint, response: IncomingMessage): void {
		const status = response.statusCode ?? 0;
		const type = contentType(response);
		if (status === 200 && type === 'text/event-stream') {
			readInTurns(response, (chunk) => {
				if (!this.isClosed) this.events.push(chunk);
			});
			response.on('close', () => this.finish(`The stream from ${endpoint.name} ended.`, false));
			return;
		}
		if (status < 300) {
			this.finish(unexpected(status, type, endpoint).reason, false);
			return;
		}
		const settle = (body: Buffer): void => {
			const { reason } = refused({ status, contentType: type, body, hadSession: false, endpoint });
			// Servers on streamable HTTP say so to a GET without a session.
			const isOtherTransport = status === 400 || status === 405 || status === 406;
			const said =
				status === 405
					? `${endpoint.name} has no stream of the older transport, HTTP with SSE, at this path (HTTP 405).`
					: reason;
			const advice = ' If its server speaks streamable HTTP, configure it with "type": "http".';
			this.finish(`${said}${isOtherTransport ? advice : ''}`, status === 401 || status === 403 || status === 405);
		};
		readBody(response, REFUSAL_LIMIT, settle, () => settle(Buffer.alloc(0)));
	}

	private onEvent(type: string, data: Buffer): void {
		if (this.isClosed || isBlank(data)) return;
		if (type === 'endpoint') {
			this.takeEndpoint(data.toString().trim());
		} else if (type === 'message') {
			const message = objectIn(data);
			if (message === undefined) this.listener.onNoise(`${data.toString('utf8', 0, 1000)}\n`);
			else this.listener.onMessage(message, undefined);
		}
	}

	private takeEndpoint(address: string): void {
		const { endpoint } = this;
		if (endpoint === undefined || this.messageUrl !== undefined) return;
		const url = URL.parse(address, endpoint.url.href);
		// The configured headers go there too.
		if (url === null || url.origin !== endpoint.url.origin) {
			const where = url === null ? 'no valid address' : `${url.origin}, which is another server`;
			this.finish(`${endpoint.name} wants messages to be sent to ${where}.`, true);
			return;
		}
		this.messageUrl = url;
		this.listener.onOpened();
		this.flush();
	}

	private flush(): void {
		const { endpoint, messageUrl } = this;
		if (endpoint === undefined || messageUrl === undefined) return;
		while (this.waiting.length > 0 && this.introduction !== 'sent') {
			const message = this.waiting.shift();
			if (message !== undefined) this.post(endpoint, messageUrl, message);
		}
	}

	private post(endpoint: HttpEndpoint, url: URL, { bytes, id }: Message): void {
		const isIntroduction = id === undefined && this.introduction === 'to come';
		if (isIntroduction) this.introduction = 'sent';
		const headers: HeaderList = [
			['Content-Type', 'application/json'],
			['Accept', 'application/json, text/event-stream'],
			...(this.protocolVersion === undefined ? [] : [['MCP-Protocol-Version', this.protocolVersion] as const]),
		];
		const call = post({ endpoint, headers, message: bytes, hadSession: false, url }, (failure) => {
			this.posts.delete(call);
			if (this.isClosed) return;
			if (isIntroduction) {
				this.introduction = 'done';
				this.flush();
			}
			if (failure === undefined) return;
			if (id !== undefined) this.listener.onRequestFailed(id, failure);
			else this.listener.onNoise(`The server did not take a message. ${failure.reason}\n`);
		});
		this.posts.add(call);
	}

	private finish(reason: string, isHopeless: boolean): void {
		if (this.isClosed) return;
		for (const { id } of this.waiting) {
			if (id !== undefined)
				this.listener.onRequestFailed(id, { reason, mayHaveRun: false, isSessionLost: false });
		}
		this.waiting = [];
		this.isClosed = true;
		this.stream?.abort();
		for (const call of this.posts) call.abort();
		this.endpoint?.dispose();
		this.listener.onClosed({ reason, code: null, signal: null, stderrTail: '', isHopeless });
	}
}
