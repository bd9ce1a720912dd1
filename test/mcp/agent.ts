// An agent's side of MCP over HTTP on the bare protocol, so that a test sees every message as it came and can break off wherever it likes.

import { Agent as SocketPool, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';

export type Revision = '2025-03-26' | '2025-06-18' | '2025-11-25' | '2026-07-28';

export interface Message {
	readonly id?: string | number | null;
	readonly method?: string;
	readonly params?: Readonly<Record<string, unknown>>;
	readonly result?: Readonly<Record<string, unknown>>;
	readonly error?: WireError;
}

export interface WireError {
	readonly code: number;
	readonly message: string;
	readonly data?: Readonly<Record<string, unknown>>;
}

export interface Answer {
	readonly result: Readonly<Record<string, unknown>> | undefined;
	readonly error: WireError | undefined;
	/** The text of a tool's result. */
	readonly text: string | undefined;
	/** What came on the request's stream before the answer. */
	readonly before: readonly Message[];
	readonly milliseconds: number;
	readonly httpStatus: number;
}

export interface CallOptions {
	readonly meta?: Readonly<Record<string, unknown>>;
	/** Breaks off: the connection is closed, without a word to the other side. */
	readonly signal?: AbortSignal;
	/** Called once the id of the request is known. */
	readonly onSent?: (id: number) => void;
}

export interface AgentOptions {
	readonly name?: string;
	readonly revision?: Revision;
	readonly capabilities?: Readonly<Record<string, unknown>>;
	readonly headers?: Readonly<Record<string, string>>;
	/** Answers what the server asks; the result. */
	readonly onRequest?: (message: Message) => Readonly<Record<string, unknown>> | undefined;
}

/** The other side answered in a way that is no answer to a request, or not at all. */
export class NoAnswer extends Error {
	readonly httpStatus: number | undefined;
	/** What the answer to a handshake said. */
	readonly wire: WireError | undefined;

	constructor(message: string, httpStatus?: number, wire?: WireError) {
		super(message);
		this.httpStatus = httpStatus;
		this.wire = wire;
	}
}

export class Agent {
	readonly name: string;
	private readonly address: string;
	private readonly options: AgentOptions;
	private readonly revision: Revision;
	private readonly sockets = new SocketPool({ keepAlive: true, maxSockets: Infinity });
	private mcpSessionId: string | undefined;
	private lastId = 0;

	private constructor(address: string, options: AgentOptions) {
		this.address = address;
		this.options = options;
		this.name = options.name ?? 'agent';
		this.revision = options.revision ?? '2025-11-25';
	}

	/** Initializes, where the revision has sessions. */
	static async connect(address: string, options: AgentOptions = {}): Promise<Agent> {
		const agent = new Agent(address, options);
		if (agent.isStateless) return agent;
		const { error, httpStatus } = await agent.request('initialize', {
			protocolVersion: agent.revision,
			capabilities: options.capabilities ?? {},
			clientInfo: { name: agent.name, version: '1.0.0' },
		});
		if (error !== undefined) throw new NoAnswer(`initialize: ${error.message}`, httpStatus, error);
		await agent.notify('notifications/initialized', {});
		return agent;
	}

	private get isStateless(): boolean {
		return this.revision === '2026-07-28';
	}

	get sessionId(): string | undefined {
		return this.mcpSessionId;
	}

	/** Calls a tool. Resolves with errors of the protocol too; rejects when there is no answer. */
	call(tool: string, args: Readonly<Record<string, unknown>> = {}, options: CallOptions = {}): Promise<Answer> {
		return this.request('tools/call', { name: tool, arguments: args }, options);
	}

	async request(
		method: string,
		params: Readonly<Record<string, unknown>>,
		{ meta, signal, onSent }: CallOptions = {},
	): Promise<Answer> {
		const id = ++this.lastId;
		const withMeta = meta === undefined && !this.isStateless ? params : { ...params, _meta: this.metaOf(meta) };
		const startedAt = performance.now();
		const response = await this.post({ jsonrpc: '2.0', id, method, params: withMeta }, signal, () => onSent?.(id));
		const before: Message[] = [];
		for await (const message of messagesOf(response)) {
			if (message.id === id && message.method === undefined) {
				return {
					result: message.result,
					error: message.error,
					text: textOf(message.result),
					before,
					milliseconds: performance.now() - startedAt,
					httpStatus: response.statusCode ?? 0,
				};
			}
			before.push(message);
			if (message.method !== undefined && message.id !== undefined) this.answer(message);
		}
		throw new NoAnswer(`${method}: HTTP ${response.statusCode} without an answer`, response.statusCode);
	}

	async notify(method: string, params: Readonly<Record<string, unknown>>): Promise<void> {
		const response = await this.post({ jsonrpc: '2.0', method, params });
		response.resume();
		await new Promise((resolve) => response.once('close', resolve));
	}

	/** As a client does that has given up on one request, where the revision has a message for it. */
	cancel(requestId: number): Promise<void> {
		return this.notify('notifications/cancelled', { requestId, reason: 'No longer wanted.' });
	}

	/** The stream for what belongs to no request, of revisions that have sessions. */
	async listen(onMessage: (message: Message) => void, signal: AbortSignal): Promise<void> {
		const response = await new Promise<IncomingMessage>((resolve, reject) => {
			const request = httpRequest(this.address, { agent: this.sockets, headers: this.headers(), signal });
			request.once('response', resolve).once('error', reject).end();
		});
		if (response.statusCode !== 200) {
			response.resume();
			throw new NoAnswer(`GET: HTTP ${response.statusCode}`, response.statusCode);
		}
		void (async () => {
			try {
				for await (const message of messagesOf(response)) onMessage(message);
			} catch {
				// Its end is what the caller asked for, or shows by what does not come.
			}
		})();
	}

	/** Closes the MCP session as it is meant to be done. */
	async end(): Promise<void> {
		if (this.mcpSessionId !== undefined) {
			await new Promise<void>((resolve) => {
				const options = { method: 'DELETE', agent: this.sockets, headers: this.headers() };
				const request = httpRequest(this.address, options, (response) => {
					response.resume().once('close', resolve);
				});
				// The other side may have gone first.
				request.once('error', () => resolve()).end();
			});
		}
		this.sockets.destroy();
	}

	/** As if the process had been killed. */
	vanish(): void {
		this.sockets.destroy();
	}

	private answer({ id, method, ...rest }: Message): void {
		const result = this.options.onRequest?.({ id: id!, method: method!, ...rest });
		const outcome =
			result === undefined ? { error: { code: -32601, message: `Nobody here does ${method}.` } } : { result };
		this.post({ jsonrpc: '2.0', id: id!, ...outcome }).then(
			(response) => response.resume(),
			// The test sees it by the answer that does not come.
			() => undefined,
		);
	}

	private metaOf(meta: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
		if (!this.isStateless) return meta;
		return {
			'io.modelcontextprotocol/protocolVersion': this.revision,
			'io.modelcontextprotocol/clientCapabilities': this.options.capabilities ?? {},
			'io.modelcontextprotocol/clientInfo': { name: this.name, version: '1.0.0' },
			...meta,
		};
	}

	private headers(): Record<string, string> {
		return {
			accept: 'application/json, text/event-stream',
			'mcp-protocol-version': this.revision,
			...(this.mcpSessionId === undefined ? {} : { 'mcp-session-id': this.mcpSessionId }),
			...this.options.headers,
		};
	}

	private post(
		message: Message & { readonly jsonrpc: '2.0' },
		signal?: AbortSignal,
		onSent?: () => void,
	): Promise<IncomingMessage> {
		const body = Buffer.from(JSON.stringify(message));
		const name = message.params?.['name'] ?? message.params?.['uri'];
		const headers = {
			...this.headers(),
			'content-type': 'application/json',
			'content-length': String(body.length),
			...(this.isStateless && message.method !== undefined ? { 'mcp-method': message.method } : {}),
			...(this.isStateless && typeof name === 'string' ? { 'mcp-name': name } : {}),
		};
		return new Promise((resolve, reject) => {
			const request = httpRequest(
				this.address,
				{ method: 'POST', agent: this.sockets, headers, ...(signal === undefined ? {} : { signal }) },
				(response) => {
					this.mcpSessionId ??= response.headers['mcp-session-id']?.toString();
					resolve(response);
				},
			);
			request.once('error', reject);
			request.end(body, onSent);
		});
	}
}

/** Every message of a response, whether it is one object or a stream of events. */
async function* messagesOf(response: IncomingMessage): AsyncGenerator<Message> {
	response.setEncoding('utf8');
	let text = '';
	const isStream = response.headers['content-type']?.startsWith('text/event-stream') === true;
	for await (const chunk of response) {
		text += String(chunk);
		if (!isStream) continue;
		const events = text.split(/\r?\n\r?\n/);
		text = events.pop() ?? '';
		for (const event of events) {
			const data = event
				.split(/\r?\n/)
				.filter((line) => line.startsWith('data:'))
				.map((line) => line.slice('data:'.length).trimStart())
				.join('\n');
			// An event without data only tells how to come back.
			if (data !== '') yield JSON.parse(data) as Message; // what is wrong with it shows in the test
		}
	}
	if (!isStream && text !== '') {
		if (!text.startsWith('{')) {
			throw new NoAnswer(`HTTP ${response.statusCode}: ${text.slice(0, 200)}`, response.statusCode);
		}
		yield JSON.parse(text) as Message; // as above
	}
}

function textOf(result: Readonly<Record<string, unknown>> | undefined): string | undefined {
	const content = result?.['content'];
	if (!Array.isArray(content)) return undefined;
	const [first] = content as readonly ({ readonly text?: string } | undefined)[]; // by the spec
	return first?.text;
}
