import { timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { agentId, storedSessionId } from '../../core/base/ids.ts';
import type { Disposable } from '../../core/base/lifecycle.ts';
import { LineSplitter } from '../../core/base/lineSplitter.ts';
import type { AgentEndpoint, MessageChannel } from '../../core/host/agentConnection.ts';
import { declaredIntents } from '../../core/host/agentIdentity.ts';
import type { AgentOptions, Host } from '../../core/host/host.ts';
import { noAnswer } from '../../core/host/hooks/hookGate.ts';
import type { HeldHook } from '../../core/host/hooks/hookGate.ts';

/** A message of an agent may be this long; what is longer is refused before it is read to its end. */
const MAXIMUM_BODY = 64 * 1024 * 1024;
/** After this long without an answer a request's stream is opened, so that no client gives up waiting for the head of the answer. */
const QUIET_MS = 10_000;
const KEEP_ALIVE_MS = 15_000;
/** An agent that is not heard of for this long is forgotten. Its MCP session id stays good. */
const FORGOTTEN_AFTER_MS = 30 * 60_000;
/** What belongs to no request waits for a stream; of more than this the oldest is let go. */
const MAXIMUM_WAITING = 100;
/** Revisions with a handshake; whatever else is asked for is a newer one. */
const legacyRevisions: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];
const MODERN = '2026-07-28';
const MAXIMUM_ENDED = 10_000;

export interface Gateway {
	readonly port: number;
	/** Takes no more, and ends what is open. */
	close(): Promise<void>;
}

export interface GatewayOptions {
	/** 0: any. */
	readonly port: number;
	readonly token: string;
	/** Lets in to the addresses of hooks and to no other: it stands in files that others may read. */
	readonly hookToken: string;
	readonly onError: (error: unknown) => void;
}

/** Listens for agents on the loopback interface. Rejects as `listen` does (`EADDRINUSE`). */
export async function startGateway(host: Host, options: GatewayOptions): Promise<Gateway> {
	const gateway = new HttpGateway(host, options);
	await gateway.listen();
	return gateway;
}

class HttpGateway implements Gateway {
	port = 0;
	private readonly host: Host;
	private readonly options: GatewayOptions;
	private readonly token: Buffer;
	private readonly hookToken: Buffer;
	private readonly server: Server;
	/** By MCP session id. */
	private readonly sessions = new Map<string, HttpSession>();
	/** Agents of the era without handshakes, by address and isolation key. */
	private readonly statelessAgents = new Map<string, { agent: AgentEndpoint; usedAt: number }>();
	private readonly pending = new Set<PendingAnswer>();
	private readonly streams = new Set<ServerResponse>();
	private readonly sockets = new Set<Duplex>();
	private readonly ticking: Disposable;
	/** Sessions that their agents have ended: their ids would still be good. */
	private readonly ended = new Set<string>();
	private lastScope = 0;

	constructor(host: Host, options: GatewayOptions) {
		this.host = host;
		this.options = options;
		this.token = Buffer.from(options.token);
		this.hookToken = Buffer.from(options.hookToken);
		this.server = createServer((request, response) => {
			try {
				this.serve(request, response);
			} catch (error) {
				options.onError(error);
				if (response.headersSent) response.destroy();
				else refuse(response, 500, -32_603, 'The host failed on this request.');
			}
		});
		// Agents keep their connections for as long as they live.
		this.server.keepAliveTimeout = 10 * 60_000;
		this.server.on('upgrade', (request, socket) => this.upgrade(request, socket));
		this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
			// Half a request, or none at all.
			const status =
				error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
			if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
		});
		const timer = setInterval(() => this.tick(), 1_000);
		timer.unref();
		this.ticking = { dispose: () => clearInterval(timer) };
	}

	async listen(): Promise<void> {
		await new Promise<void>((resolve, reject) => {
			this.server.once('error', reject);
			this.server.listen(this.options.port, '127.0.0.1', () => {
				this.server.off('error', reject);
				this.server.on('error', this.options.onError);
				resolve();
			});
		});
		// A TCP server has an address of this kind.
		this.port = (this.server.address() as AddressInfo).port;
	}

	async close(): Promise<void> {
		this.ticking.dispose();
		for (const session of this.sessions.values()) session.agent.close();
		for (const { agent } of this.statelessAgents.values()) agent.close();
		for (const stream of this.streams) stream.end();
		for (const socket of this.sockets) socket.end();
		const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
		this.server.closeIdleConnections();
		const forced = setTimeout(() => {
			this.server.closeAllConnections();
			// An agent that has stopped reading does not close its side.
			for (const socket of this.sockets) socket.destroy();
		}, 500);
		await closed;
		clearTimeout(forced);
	}

	private serve(request: IncomingMessage, response: ServerResponse): void {
		if (!this.isLocal(request)) {
			// Whatever else might be said would be said to a stranger's page.
			refuse(response, 403, -32_000, 'Forbidden.');
			return;
		}
		const path = pathOf(request);
		if (path.length === 1 && path[0] === 'healthz') {
			send(response, 200, 'application/json', '{"ok":true}');
			return;
		}
		const [token, ...rest] = path;
		if (rest[0] === 'hooks' && rest.length === 2 && this.isToken(token, this.hookToken)) {
			this.hook(rest[1] ?? '', request, response);
			return;
		}
		if (!this.isToken(token, this.token)) {
			refuse(response, 401, -32_000, 'Unauthorized.');
			return;
		}
		if (rest[0] === 'metrics' && rest.length === 1) {
			const { contentType, body } = this.host.metrics.scrape(request.headers.accept);
			send(response, 200, contentType, body);
		} else if (rest[0] === 'hooks' && rest.length === 2) {
			this.hook(rest[1] ?? '', request, response);
		} else {
			const address = addressIn(rest);
			const intent = intentOf(request);
			if (intent !== undefined && !isIntent(intent)) refuse(response, 400, -32_000, unknownIntent(intent));
			else if (address?.server !== undefined && !this.host.hasServer(address.server))
				refuse(response, 404, -32_000, `There is no MCP server "${address.server}" here.`);
			else if (address === undefined) refuse(response, 404, -32_000, 'Not found.');
			else this.mcp(address, request, response);
		}
	}

	private isLocal({ headers }: IncomingMessage): boolean {
		const host = headers.host ?? '';
		const named =
			host === `127.0.0.1:${this.port}` || host === `localhost:${this.port}` || host === `[::1]:${this.port}`;
		return named && (headers.origin === undefined || isLoopback(headers.origin));
	}

	private isToken(given: string | undefined, token: Buffer): boolean {
		const bytes = Buffer.from(given ?? '');
		return bytes.length === token.length && timingSafeEqual(bytes, token);
	}

	private hook(format: string, request: IncomingMessage, response: ServerResponse): void {
		if (request.method !== 'POST') {
			refuse(response, 405, -32_000, 'Hooks are posted.');
			return;
		}
		const delivery = { holdMs: holdOf(request), source: headerOf(request, 'x-crosstalk-source') };
		this.readBody(request, response, (body) => {
			const held = this.host.hook(format, body, delivery);
			if (held === undefined) send(response, 200, 'application/json', noAnswer);
			else this.answerHook(held, response);
		});
	}

	private answerHook(held: HeldHook, response: ServerResponse): void {
		let isAnswered = false;
		response.on('close', () => {
			// The agent was ended or has had enough of waiting.
			if (!isAnswered) held.abandon();
		});
		void held.answer.then((answer) => {
			isAnswered = true;
			if (!response.destroyed) send(response, 200, 'application/json', answer);
		}, this.options.onError);
	}

	private mcp(address: Address, request: IncomingMessage, response: ServerResponse): void {
		switch (request.method) {
			case 'POST':
				this.readBody(request, response, (body) => this.post(address, body, request, response));
				return;
			case 'GET':
				this.stream(address, request, response);
				return;
			case 'DELETE': {
				const id = sessionIdOf(request);
				const session = id === undefined ? undefined : this.sessions.get(id);
				if (id === undefined || session === undefined) refuse(response, 404, -32_001, 'Session not found.');
				else {
					this.sessions.delete(id);
					this.rememberEnded(id);
					session.stream?.end();
					session.agent.close();
					send(response, 200, 'application/json', '{}');
				}
				return;
			}
			default:
				response.setHeader('Allow', 'GET, POST, DELETE');
				refuse(response, 405, -32_000, 'Method not allowed.');
		}
	}

	private rememberEnded(id: string): void {
		this.ended.add(id);
		const [oldest] = this.ended;
		if (this.ended.size > MAXIMUM_ENDED && oldest !== undefined) this.ended.delete(oldest);
	}

	private readBody(request: IncomingMessage, response: ServerResponse, take: (body: Buffer) => void): void {
		const chunks: Buffer[] = [];
		let length = 0;
		let isTooLong = false;
		request.on('data', (chunk: Buffer) => {
			length += chunk.length;
			if (length <= MAXIMUM_BODY) chunks.push(chunk);
			else if (!isTooLong) {
				isTooLong = true;
				chunks.length = 0;
				response.setHeader('Connection', 'close');
				const limit = MAXIMUM_BODY / 1024 / 1024;
				refuse(response, 413, -32_600, `The message is longer than the ${limit} MB that a message may have.`);
			}
		});
		request.on('end', () => {
			if (isTooLong) return;
			const [only] = chunks;
			try {
				take(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
			} catch (error) {
				this.options.onError(error);
				if (!response.headersSent) refuse(response, 500, -32_603, 'The host failed on this message.');
			}
		});
	}

	private post(address: Address, body: Buffer, request: IncomingMessage, response: ServerResponse): void {
		const id = sessionIdOf(request);
		const version = headerOf(request, 'mcp-protocol-version');
		if (
			(version !== undefined && !legacyRevisions.includes(version)) ||
			(id === undefined && hasModernMeta(body))
		) {
			this.postModern(address, body, request, response);
			return;
		}
		if (id === undefined) {
			if (parsed(body) === undefined) {
				refuse(response, 400, -32_700, 'The message is not JSON.');
				return;
			}
			if (!isInitialize(body)) {
				refuse(response, 400, -32_000, 'Bad Request: the header Mcp-Session-Id is missing; initialize first.');
				return;
			}
			const session = this.newSession(address, request, (options) => this.host.connectAgent(options));
			// The id of the session is known once the agent has introduced itself, and that is what this message does.
			const answer = this.answerTo(response, undefined, () => {
				const mcpSessionId = this.host.sessionIdOf(session.agent);
				this.sessions.set(mcpSessionId, session);
				return { 'Mcp-Session-Id': mcpSessionId };
			});
			answer.onFailed = () => session.agent.close();
			answer.cancel = session.agent.receive(body, answer, '');
			return;
		}
		const session = this.sessionOf(id, address, request);
		if (session === undefined) {
			refuse(response, 404, -32_001, 'Session not found.');
			return;
		}
		const answer = this.answerTo(response, undefined, noHeaders);
		answer.cancel = session.agent.receive(body, answer, '');
	}

	/** One request of the era without handshakes: all that is needed is in it. */
	private postModern(address: Address, body: Buffer, request: IncomingMessage, response: ServerResponse): void {
		const facts = modernFacts(body);
		if (facts?.method === 'initialize') {
			refuse(response, 404, -32_601, 'There is no handshake in this revision.', undefined, facts.id);
			return;
		}
		const version = headerOf(request, 'mcp-protocol-version');
		if (facts !== undefined && facts.version === undefined && version !== undefined && version !== MODERN) {
			const supported = [MODERN, ...legacyRevisions];
			const reason = `Revision ${version} is not supported.`;
			refuse(response, 400, -32_022, reason, { supported, requested: version }, facts.id);
			return;
		}
		if (facts?.id !== undefined && !facts.isComplete) {
			const needed = 'a request needs the protocol version and the capabilities of its client in _meta';
			refuse(response, 400, -32_602, `In this revision ${needed}.`, undefined, facts.id);
			return;
		}
		const mismatch = facts === undefined ? undefined : headerMismatch(facts, request);
		if (facts !== undefined && mismatch !== undefined) {
			refuse(response, 400, -32_020, mismatch, undefined, facts.id);
			return;
		}
		const isolationKey = `${address.agent ?? ''} ${headerOf(request, 'x-crosstalk-session') ?? ''} ${facts?.client ?? ''}`;
		const identity = identityOf(address, request);
		const key = `${address.server ?? ''} ${identity.intent ?? ''} ${identity.scopeSource ?? ''} ${isolationKey}`;
		let known = this.statelessAgents.get(key);
		if (known === undefined) {
			const agent = this.host.connectAgent({
				server: address.server,
				identity,
				transport: 'http',
				isolationKey,
				output: () => false,
			});
			known = { agent, usedAt: 0 };
			this.statelessAgents.set(key, known);
		}
		known.usedAt = Date.now();
		const answer = this.answerTo(response, parameterHeaders(request), noHeaders);
		answer.isModern = true;
		answer.cancel = known.agent.receive(body, answer, `${++this.lastScope} `);
	}

	private newSession(
		address: Address,
		request: IncomingMessage,
		connect: (options: AgentOptions) => AgentEndpoint,
	): HttpSession {
		// The agent and its session know each other; the session is there first.
		const session: Omit<HttpSession, 'agent'> & { agent?: AgentEndpoint } = {
			usedAt: Date.now(),
			server: address.server,
			stream: undefined,
			waiting: [],
		};
		session.agent = connect({
			server: address.server,
			identity: identityOf(address, request),
			transport: 'http',
			isolationKey: undefined,
			output: (bytes) => {
				if (session.stream !== undefined) writeEvent(session.stream, bytes);
				else {
					session.waiting.push(bytes);
					if (session.waiting.length > MAXIMUM_WAITING) session.waiting.shift();
				}
				return true;
			},
		});
		return session as HttpSession;
	}

	/** The session of this id: one that is open, or one of before the host was started anew. */
	private sessionOf(id: string, address: Address, request: IncomingMessage): HttpSession | undefined {
		let session = this.sessions.get(id);
		if (this.ended.has(id)) return undefined;
		if (session === undefined) {
			let isOurs = true;
			const resumed = (options: AgentOptions): AgentEndpoint => {
				const agent = this.host.resumeAgent(id, options);
				isOurs = agent !== undefined;
				return agent as AgentEndpoint; // looked at below
			};
			session = this.newSession(address, request, resumed);
			if (!isOurs) return undefined;
			this.sessions.set(id, session);
		}
		session.usedAt = Date.now();
		return session.server === address.server ? session : undefined;
	}

	private answerTo(
		response: ServerResponse,
		headers: Readonly<Record<string, string>> | undefined,
		headersOfAnswer: () => Readonly<Record<string, string>>,
	): PendingAnswer {
		const answer = new PendingAnswer(response, headers, headersOfAnswer, () => this.pending.delete(answer));
		this.pending.add(answer);
		return answer;
	}

	/** The stream of an agent for what belongs to no request of its own. */
	private stream(address: Address, request: IncomingMessage, response: ServerResponse): void {
		const id = sessionIdOf(request);
		if (id === undefined) {
			response.setHeader('Allow', 'POST');
			refuse(response, 405, -32_000, 'A stream belongs to a session; the header Mcp-Session-Id is missing.');
			return;
		}
		const session = this.sessionOf(id, address, request);
		if (session === undefined) {
			refuse(response, 404, -32_001, 'Session not found.');
			return;
		}
		if (session.stream !== undefined) {
			refuse(response, 409, -32_000, 'The session has an open stream already.');
			return;
		}
		openStream(response, {});
		session.stream = response;
		this.streams.add(response);
		for (const bytes of session.waiting.splice(0)) writeEvent(response, bytes);
		response.on('close', () => {
			this.streams.delete(response);
			if (session.stream === response) session.stream = undefined;
		});
	}

	/** `crosstalk connect`: the messages of stdio, on a socket. */
	private upgrade(request: IncomingMessage, socket: Duplex): void {
		const [token, ...rest] = pathOf(request);
		const address = addressIn(rest);
		const status = !this.isLocal(request)
			? '403 Forbidden'
			: !this.isToken(token, this.token)
				? '401 Unauthorized'
				: address === undefined || (address.server !== undefined && !this.host.hasServer(address.server))
					? '404 Not Found'
					: request.headers.upgrade?.toLowerCase() !== 'mcp-stdio' ||
						  !isIntent(intentOf(request) ?? 'interactive')
						? '400 Bad Request'
						: undefined;
		if (status !== undefined || address === undefined) {
			socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
			return;
		}
		// The sockets of an HTTP server are TCP sockets.
		(socket as Socket).setNoDelay(true);
		socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: mcp-stdio\r\n\r\n');
		const write = (bytes: Uint8Array) => {
			socket.cork();
			socket.write(bytes);
			socket.write('\n');
			socket.uncork();
		};
		const agent = this.host.connectAgent({
			server: address.server,
			identity: identityOf(address, request),
			transport: 'stdio',
			isolationKey: undefined,
			output: (bytes) => {
				write(bytes);
				return true;
			},
		});
		const channel: MessageChannel = {
			deliver: write,
			answer: write,
			accepted() {},
			dropped() {},
			headers: undefined,
		};
		const lines = new LineSplitter(
			(bytes, start, end) => {
				// The splitter's memory is used again for the next line.
				if (end > start) agent.receive(bytes.slice(start, end), channel, '');
			},
			4096,
			// A buffer's own `slice` would share its memory.
			(length) => new Uint8Array(length),
			MAXIMUM_BODY,
		);
		this.sockets.add(socket);
		socket.on('data', (chunk: Buffer) => {
			try {
				lines.push(chunk);
			} catch (error) {
				this.options.onError(error);
				socket.destroy();
			}
		});
		socket.on('error', () => socket.destroy());
		socket.on('end', () => socket.end());
		socket.on('close', () => {
			this.sockets.delete(socket);
			agent.close();
		});
	}

	private tick(): void {
		const now = Date.now();
		for (const answer of this.pending) answer.keepAlive(now);
		for (const stream of this.streams) if (now % KEEP_ALIVE_MS < 1_000) stream.write(':\n\n');
		for (const [id, session] of this.sessions) {
			if (session.stream !== undefined || session.agent.runningExchanges > 0) session.usedAt = now;
			else if (now - session.usedAt > FORGOTTEN_AFTER_MS) {
				this.sessions.delete(id);
				session.agent.close();
			}
		}
		for (const [key, known] of this.statelessAgents) {
			if (known.agent.runningExchanges > 0) known.usedAt = now;
			else if (now - known.usedAt > FORGOTTEN_AFTER_MS) {
				this.statelessAgents.delete(key);
				known.agent.close();
			}
		}
	}
}

interface HttpSession {
	readonly agent: AgentEndpoint;
	readonly server: string | undefined;
	usedAt: number;
	stream: ServerResponse | undefined;
	readonly waiting: Uint8Array[];
}

/** One POST whose answer is not complete: one JSON object, or a stream as soon as anything comes before the answer. */
class PendingAnswer implements MessageChannel {
	readonly headers: Readonly<Record<string, string>> | undefined;
	cancel: (() => void) | undefined;
	onFailed: (() => void) | undefined;
	isModern = false;
	private readonly response: ServerResponse;
	private readonly headersOfAnswer: () => Readonly<Record<string, string>>;
	private readonly ended: () => void;
	private readonly since = Date.now();
	private spokeAt = this.since;
	private isEnded = false;

	constructor(
		response: ServerResponse,
		headers: Readonly<Record<string, string>> | undefined,
		headersOfAnswer: () => Readonly<Record<string, string>>,
		ended: () => void,
	) {
		this.response = response;
		this.headers = headers;
		this.headersOfAnswer = headersOfAnswer;
		this.ended = ended;
		response.on('close', () => {
			if (this.isEnded) return;
			// The agent has gone before its answer was there.
			this.end();
			this.cancel?.();
		});
	}

	deliver(bytes: Uint8Array): void {
		if (this.isEnded) return;
		this.open();
		this.spokeAt = Date.now();
		writeEvent(this.response, bytes);
	}

	answer(bytes: Uint8Array, error: number | undefined): void {
		if (this.isEnded) return;
		this.end();
		const { response } = this;
		if (error !== undefined) this.onFailed?.();
		if (response.headersSent) {
			writeEvent(response, bytes);
			response.end();
			return;
		}
		const headers = error === undefined ? this.headersOfAnswer() : {};
		response.writeHead(statusOf(error, this.isModern), {
			...headers,
			'Content-Type': 'application/json',
			'Content-Length': bytes.length,
		});
		response.end(bytes);
	}

	accepted(): void {
		if (this.isEnded) return;
		this.end();
		this.response.writeHead(202, { 'Content-Length': 0 });
		this.response.end();
	}

	dropped(): void {
		if (this.isEnded) return;
		this.end();
		if (!this.response.headersSent) openStream(this.response, {});
		this.response.end();
	}

	keepAlive(now: number): void {
		if (now - this.since < QUIET_MS || now - this.spokeAt < KEEP_ALIVE_MS) return;
		this.spokeAt = now;
		this.open();
		this.response.write(':\n\n');
	}

	private open(): void {
		if (!this.response.headersSent) openStream(this.response, this.headersOfAnswer());
	}

	private end(): void {
		this.isEnded = true;
		this.ended();
	}
}

interface Address {
	/** `undefined`: all of them. */
	readonly server: string | undefined;
	readonly agent: string | undefined;
}

/** `mcp`, `mcp/<server>`, `agent/<name>/mcp` or `agent/<name>/mcp/<server>`. */
function addressIn(path: readonly string[]): Address | undefined {
	const [first, name] = path;
	const isNamed = first === 'agent' && name !== undefined && name !== '';
	const [mcp, server, ...rest] = isNamed ? path.slice(2) : path;
	if (mcp !== 'mcp' || server === '' || rest.length > 0) return undefined;
	return { server, agent: isNamed ? name : undefined };
}

function identityOf(address: Address, request: IncomingMessage): AgentOptions['identity'] {
	const session = headerOf(request, 'x-crosstalk-session');
	return {
		sessionId: session === undefined ? undefined : storedSessionId(session),
		agentId: address.agent === undefined ? undefined : agentId(address.agent),
		intent: declaredIntents.find((known) => known === intentOf(request)),
		scopeSource: headerOf(request, 'x-crosstalk-source'),
	};
}

/** What a caller declares itself to be: in a header, or in the address, for those who can set nothing else. */
function intentOf(request: IncomingMessage): string | undefined {
	const said = headerOf(request, 'x-crosstalk-intent');
	if (said !== undefined) return said;
	const [, query] = (request.url ?? '').split('?');
	return query === undefined ? undefined : (new URLSearchParams(query).get('intent') ?? undefined);
}

/** No hook of ours waits longer, and no timer counts to any number. */
const longestHoldMs = 3_600_000;

/** For how long a hook's agent waits, which it says in the address; `undefined`: its hooks are only told. */
function holdOf(request: IncomingMessage): number | undefined {
	const [, query] = (request.url ?? '').split('?');
	const seconds = query === undefined ? Number.NaN : Number(new URLSearchParams(query).get('hold') ?? Number.NaN);
	return seconds > 0 ? Math.min(seconds * 1_000, longestHoldMs) : undefined;
}

function isIntent(text: string): boolean {
	return declaredIntents.some((known) => known === text);
}

/** Whoever mistypes it would otherwise be taken for somebody who says nothing. */
function unknownIntent(text: string): string {
	return `A caller is ${declaredIntents.join(', ')}; it cannot be "${text.slice(0, 100)}".`;
}

function pathOf({ url = '/' }: IncomingMessage): string[] {
	const [path = ''] = url.split('?');
	try {
		return path.split('/').slice(1).map(decodeURIComponent);
	} catch {
		// A broken escape is in no address of ours.
		return [];
	}
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
	const value = headers[name];
	return typeof value === 'string' ? value : undefined;
}

function sessionIdOf(request: IncomingMessage): string | undefined {
	return headerOf(request, 'mcp-session-id');
}

function parameterHeaders({ headers }: IncomingMessage): Record<string, string> {
	const found: Record<string, string> = {};
	for (const [name, value] of Object.entries(headers)) {
		if (name.startsWith('mcp-param-') && typeof value === 'string') found[name] = value;
	}
	return found;
}

function isLoopback(origin: string): boolean {
	try {
		return ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(origin).hostname);
	} catch {
		// `null` and other things that are no URL.
		return false;
	}
}

function isInitialize(body: Buffer): boolean {
	return body.includes('"initialize"') && memberOf(parsed(body), 'method') === 'initialize';
}

function hasModernMeta(body: Buffer): boolean {
	return body.includes('"io.modelcontextprotocol/protocolVersion"') && !isInitialize(body);
}

interface ModernFacts {
	readonly id: unknown;
	readonly method: unknown;
	readonly name: unknown;
	readonly version: unknown;
	/** Has all that revision 2026-07-28 wants in `_meta`. */
	readonly isComplete: boolean;
	/** Who asks, as far as it says. */
	readonly client: string;
}

function modernFacts(body: Buffer): ModernFacts | undefined {
	const message = parsed(body);
	const method = memberOf(message, 'method');
	if (typeof method !== 'string') return undefined;
	const params = memberOf(message, 'params');
	const meta = memberOf(params, '_meta');
	return {
		id: memberOf(message, 'id'),
		method,
		name: memberOf(params, 'name') ?? memberOf(params, 'uri'),
		version: memberOf(meta, 'io.modelcontextprotocol/protocolVersion'),
		isComplete:
			typeof memberOf(meta, 'io.modelcontextprotocol/protocolVersion') === 'string' &&
			typeof memberOf(meta, 'io.modelcontextprotocol/clientCapabilities') === 'object',
		client: JSON.stringify(memberOf(meta, 'io.modelcontextprotocol/clientInfo')) ?? '',
	};
}

/** Revision 2026-07-28, streamable HTTP, "Server Validation": headers say the same as the body, or the request is refused. */
function headerMismatch(facts: ModernFacts, request: IncomingMessage): string | undefined {
	if (facts.id === undefined) return undefined;
	const version = headerOf(request, 'mcp-protocol-version');
	if (version === undefined) return 'The header MCP-Protocol-Version is missing.';
	if (facts.version !== undefined && version !== facts.version)
		return `The header MCP-Protocol-Version says ${version}, the message ${JSON.stringify(facts.version)}.`;
	const method = headerOf(request, 'mcp-method');
	if (method === undefined) return 'The header Mcp-Method is missing.';
	if (method !== facts.method)
		return `The header Mcp-Method says ${method}, the message ${JSON.stringify(facts.method)}.`;
	if (!['tools/call', 'resources/read', 'prompts/get'].includes(method)) return undefined;
	const name = headerOf(request, 'mcp-name');
	if (name === undefined) return 'The header Mcp-Name is missing.';
	const decoded = headerText(name);
	return decoded === facts.name
		? undefined
		: `The header Mcp-Name says ${decoded}, the message ${JSON.stringify(facts.name)}.`;
}

/** Names that are no plain ASCII are sent as `=?base64?…?=`. */
function headerText(value: string): string {
	const base64 = /^=\?base64\?(.*)\?=$/.exec(value)?.[1];
	return base64 === undefined ? value : Buffer.from(base64, 'base64').toString('utf8');
}

function parsed(body: Buffer): unknown {
	try {
		return JSON.parse(body.toString('utf8'));
	} catch {
		// What is no JSON is told to the agent by the relay, with the place.
		return undefined;
	}
}

function memberOf(value: unknown, key: string): unknown {
	return typeof value === 'object' && value !== null && key in value
		? (value as Record<string, unknown>)[key]
		: undefined;
}

function noHeaders(): Readonly<Record<string, string>> {
	return {};
}

/** Which HTTP status goes with a JSON-RPC error: 2026-07-28 says it for some; before, errors of a request come with 200. */
function statusOf(error: number | undefined, isModern: boolean): number {
	if (error === -32_700 || error === -32_600) return 400;
	if (!isModern) return 200;
	if (error === -32_601) return 404;
	return error === -32_022 || error === -32_020 || error === -32_021 || error === -32_000 ? 400 : 200;
}

function openStream(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
	response.writeHead(200, {
		...headers,
		'Content-Type': 'text/event-stream',
		'Cache-Control': 'no-cache, no-transform',
		'X-Accel-Buffering': 'no',
	});
	response.flushHeaders();
}

function writeEvent(response: ServerResponse, bytes: Uint8Array): void {
	response.cork();
	response.write('event: message\ndata: ');
	response.write(bytes);
	response.write('\n\n');
	response.uncork();
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
	const bytes = Buffer.from(body);
	response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': bytes.length });
	response.end(bytes);
}

function refuse(
	response: ServerResponse,
	status: number,
	code: number,
	message: string,
	data?: unknown,
	id: unknown = null,
): void {
	send(
		response,
		status,
		'application/json',
		JSON.stringify({ jsonrpc: '2.0', id: id ?? null, error: { code, message, data } }),
	);
}
