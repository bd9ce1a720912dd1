import type { IncomingMessage } from 'node:http';
import type { RequestFailure } from '../../../core/host/ports.ts';
import { EventStream } from './eventStream.ts';
import { contentType, readBody, utf8Header } from './httpEndpoint.ts';
import type { HeaderList, HttpCall, HttpEndpoint } from './httpEndpoint.ts';
import { REFUSAL_LIMIT, isErrorFor, refused, unexpected } from './httpFailure.ts';
import { MESSAGE_LIMIT, answeredId, isBlank, objectIn, tooLong } from './messageLines.ts';
import { readInTurns } from './pacedReading.ts';

const FIRST_RETRY_MS = 1000;
const MAXIMUM_RETRY_MS = 30_000;
/** How often in a row a stream is taken up again without anything coming through it. */
const MAXIMUM_RETRIES = 5;
/** A server should end the stream after the answer. */
const AFTER_ANSWER_MS = 5000;

export interface HttpExchangeOptions {
	readonly id: number;
	readonly endpoint: HttpEndpoint;
	readonly message: Uint8Array;
	readonly headers: HeaderList;
	/** The headers to take a broken stream up again with; absent in revisions that do not have this. */
	readonly resumeHeaders: HeaderList | undefined;
	readonly hadSession: boolean;
	onMessage(message: Uint8Array): void;
	onNoise(text: string): void;
	/** The server has given an MCP session id. */
	onSession(mcpSessionId: string): void;
	onFailed(failure: RequestFailure): void;
	/** Once, after everything else, unless it was aborted. */
	onEnded(): void;
}

/** One request on its way over streamable HTTP, until its answer is here and the stream that brought it has ended. */
export class HttpExchange {
	private readonly options: HttpExchangeOptions;
	private call: HttpCall | undefined;
	private timer: NodeJS.Timeout | undefined;
	private lastEventId: string | undefined;
	private retryMs: number | undefined;
	private retries = 0;
	private isAnswered = false;
	private isOver = false;

	constructor(options: HttpExchangeOptions) {
		this.options = options;
	}

	get isResumable(): boolean {
		return this.options.resumeHeaders !== undefined;
	}

	get isBegun(): boolean {
		return this.call !== undefined;
	}

	begin(): void {
		if (this.isOver) return;
		const { endpoint, headers, message } = this.options;
		this.call = endpoint.call('POST', headers, message, {
			onResponse: (response) => this.onResponse(response),
			onFailed: (reason, mayHaveRun) => this.fail({ reason, mayHaveRun, isSessionLost: false }),
		});
	}

	/** Closes its connection. Nothing more is told about it. */
	abort(): void {
		if (this.isOver) return;
		this.isOver = true;
		clearTimeout(this.timer);
		this.call?.abort();
	}

	private onResponse(response: IncomingMessage): void {
		const { endpoint, hadSession, id } = this.options;
		const status = response.statusCode ?? 0;
		const type = contentType(response);
		if (status >= 200 && status < 300) {
			const mcpSessionId = response.headers['mcp-session-id'];
			if (typeof mcpSessionId === 'string') this.options.onSession(mcpSessionId);
			if (type === 'text/event-stream') {
				this.readStream(response);
			} else if (type === 'application/json') {
				const onFailed = (reason: string): void =>
					this.fail({ reason, mayHaveRun: true, isSessionLost: false });
				readBody(response, MESSAGE_LIMIT, (body) => this.onBody(body), onFailed);
			} else {
				this.fail(unexpected(status, type, endpoint));
				response.destroy();
			}
			return;
		}
		const settle = (body: Buffer): void => {
			if (isErrorFor(body, id)) this.onBody(body);
			else this.fail(refused({ status, contentType: type, body, hadSession, endpoint }));
		};
		readBody(response, REFUSAL_LIMIT, settle, () => settle(Buffer.alloc(0)));
	}

	private onBody(body: Buffer): void {
		if (this.isOver) return;
		const message = objectIn(body);
		if (message !== undefined) this.receive(message);
		if (this.isAnswered) {
			this.end();
			return;
		}
		const { endpoint } = this.options;
		const what = message === undefined ? 'something that is no JSON object' : 'a message that is not the answer';
		this.fail({ reason: `${endpoint.name} answered with ${what}.`, mayHaveRun: true, isSessionLost: false });
	}

	private receive(message: Buffer): void {
		if (answeredId(message) === this.options.id) this.isAnswered = true;
		this.options.onMessage(message);
	}

	private readStream(response: IncomingMessage): void {
		const events = new EventStream({
			onEvent: (type, data) => this.onEvent(type, data),
			onOversizedEvent: ({ length }) =>
				this.fail({ reason: tooLong(length), mayHaveRun: true, isSessionLost: false }),
		});
		readInTurns(response, (chunk) => {
			if (!this.isOver) events.push(chunk);
		});
		response.on('close', () => {
			this.lastEventId = events.lastEventId ?? this.lastEventId;
			this.retryMs = events.retryMs ?? this.retryMs;
			this.onStreamEnded();
		});
	}

	private onEvent(type: string, data: Buffer): void {
		this.retries = 0;
		// The first event of a stream may have no data: it is there for its id.
		if (this.isOver || type !== 'message' || isBlank(data)) return;
		const message = objectIn(data);
		if (message === undefined) {
			this.options.onNoise(`${data.toString('utf8', 0, 1000)}\n`);
			return;
		}
		this.receive(message);
		if (this.isAnswered && this.timer === undefined)
			this.timer = setTimeout(() => this.closeLate(), AFTER_ANSWER_MS);
	}

	private closeLate(): void {
		this.call?.abort();
		this.end();
	}

	private onStreamEnded(): void {
		if (this.isOver) return;
		if (this.isAnswered) this.end();
		else if (this.isResumable && this.lastEventId !== undefined) this.resumeLater();
		else this.break('The stream ended before the answer came.');
	}

	private resumeLater(): void {
		if (this.retries === MAXIMUM_RETRIES) {
			this.break('The stream of the answer broke, and could not be taken up again.');
			return;
		}
		const delay = Math.min((this.retryMs ?? FIRST_RETRY_MS) * 1.5 ** this.retries, MAXIMUM_RETRY_MS);
		this.retries++;
		this.timer = setTimeout(() => this.resume(), delay);
	}

	/** Asks for what has come since the last event. The request itself is never sent again. */
	private resume(): void {
		this.timer = undefined;
		const { endpoint, resumeHeaders } = this.options;
		const headers: HeaderList = [
			['Accept', 'text/event-stream'],
			...(resumeHeaders ?? []),
			['Last-Event-ID', utf8Header(this.lastEventId ?? '')],
		];
		this.call = endpoint.call('GET', headers, undefined, {
			onResponse: (response) => {
				const status = response.statusCode ?? 0;
				if (status === 200 && contentType(response) === 'text/event-stream') {
					this.readStream(response);
					return;
				}
				response.resume();
				if (status >= 500) this.resumeLater();
				else
					this.break(
						`The stream of the answer broke, and the server does not take it up again (HTTP ${status}).`,
					);
			},
			onFailed: () => this.resumeLater(),
		});
	}

	private break(reason: string): void {
		this.fail({ reason, mayHaveRun: true, isSessionLost: false });
	}

	private fail(failure: RequestFailure): void {
		if (this.isOver) return;
		this.call?.abort();
		if (!this.isAnswered) this.options.onFailed(failure);
		this.end();
	}

	private end(): void {
		if (this.isOver) return;
		this.isOver = true;
		clearTimeout(this.timer);
		this.options.onEnded();
	}
}
