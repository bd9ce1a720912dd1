import type { IncomingMessage } from 'node:http';
import type { TransportListener } from '../../../core/host/ports.ts';
import { EventStream } from './eventStream.ts';
import { contentType, utf8Header } from './httpEndpoint.ts';
import type { HeaderList, HttpCall, HttpEndpoint } from './httpEndpoint.ts';
import { isBlank, objectIn, tooLong } from './messageLines.ts';
import { readInTurns } from './pacedReading.ts';

const FIRST_RETRY_MS = 1000;
const MAXIMUM_RETRY_MS = 30_000;

/** The stream on which a server of the 2025 era sends what belongs to no request. Not every server has one. */
export class ServerStream {
	private readonly endpoint: HttpEndpoint;
	private readonly headers: HeaderList;
	private readonly listener: TransportListener;
	private call: HttpCall | undefined;
	private timer: NodeJS.Timeout | undefined;
	private lastEventId: string | undefined;
	private retryMs = FIRST_RETRY_MS;
	/** In a row, without anything coming through. */
	private retries = 0;
	private isClosed = false;

	constructor(endpoint: HttpEndpoint, headers: HeaderList, listener: TransportListener) {
		this.endpoint = endpoint;
		this.headers = headers;
		this.listener = listener;
		this.open();
	}

	close(): void {
		this.isClosed = true;
		clearTimeout(this.timer);
		this.call?.abort();
	}

	private open(): void {
		const headers: HeaderList = [
			['Accept', 'text/event-stream'],
			...this.headers,
			...(this.lastEventId === undefined ? [] : [['Last-Event-ID', utf8Header(this.lastEventId)] as const]),
		];
		this.call = this.endpoint.call('GET', headers, undefined, {
			onResponse: (response) => this.onResponse(response),
			onFailed: () => this.openLater(),
		});
	}

	private onResponse(response: IncomingMessage): void {
		const status = response.statusCode ?? 0;
		if (status === 200 && contentType(response) === 'text/event-stream') {
			this.read(response);
			return;
		}
		response.resume();
		// Any other status says that there is no such stream (405), or that the session is gone, which the next request will find out.
		if (status >= 500) this.openLater();
	}

	private read(response: IncomingMessage): void {
		const events = new EventStream({
			onEvent: (type, data) => {
				this.retries = 0;
				if (this.isClosed || type !== 'message' || isBlank(data)) return;
				const message = objectIn(data);
				if (message === undefined) this.listener.onNoise(`${data.toString('utf8', 0, 1000)}\n`);
				else this.listener.onMessage(message, undefined);
			},
			onOversizedEvent: ({ length }) => this.listener.onNoise(`${tooLong(length)}\n`),
		});
		readInTurns(response, (chunk) => {
			if (!this.isClosed) events.push(chunk);
		});
		response.on('close', () => {
			this.lastEventId = events.lastEventId ?? this.lastEventId;
			this.retryMs = events.retryMs ?? this.retryMs;
			this.openLater();
		});
	}

	private openLater(): void {
		if (this.isClosed) return;
		const delay = Math.min(this.retryMs * 1.5 ** this.retries, MAXIMUM_RETRY_MS);
		this.retries++;
		this.timer = setTimeout(() => this.open(), delay);
	}
}
