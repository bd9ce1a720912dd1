// An MCP server of revision 2025-11-25 on the bare protocol, for tests of what stands in front of it. It does wrong on request, and writes
// down what it executes: what a host claims about executions is judged by this log alone.
//
//   node faultServer.ts [--http] [--log FILE] [--mute | --crash CODE | --slow MS | --noise | --stray]
//
// With --http it serves streamable HTTP with MCP sessions and prints its address as one JSON line.

import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
	options: {
		http: { type: 'boolean', default: false },
		/** Where executions are logged, one JSON object a line. */
		log: { type: 'string' },
		/** Never answers initialize. */
		mute: { type: 'boolean', default: false },
		/** Ends at once with this code. */
		crash: { type: 'string' },
		/** Waits so many milliseconds before it answers initialize. */
		slow: { type: 'string' },
		/** Prints lines that are no protocol, before anything else. */
		noise: { type: 'boolean', default: false },
		/** Answers a request that nobody made, before anything else. */
		stray: { type: 'boolean', default: false },
	},
});

type Id = string | number;

interface Message {
	readonly id?: Id;
	readonly method?: string;
	readonly params?: Readonly<Record<string, unknown>>;
	readonly result?: unknown;
	readonly error?: unknown;
}

/** The way back to one client; `related` is the request that a message belongs to. */
interface Client {
	send(message: object, related: Id | undefined): void;
	/** Bytes that need not be a message. Only stdio has a place for them. */
	print(text: string): void;
	readonly running: Map<Id, Running>;
	readonly asked: Map<Id, (answer: Message) => void>;
}

interface Running {
	readonly tool: string;
	readonly key: string | undefined;
	readonly ended: AbortController;
}

interface Call {
	readonly id: Id;
	readonly args: Readonly<Record<string, unknown>>;
	readonly progressToken: Id | undefined;
	readonly client: Client;
	/** Aborted when the call is cancelled. */
	readonly signal: AbortSignal;
}

/** What a tool answers: a text, or nothing at all. */
type Tool = (call: Call) => Promise<string | undefined> | string | undefined;

let asked = 0;
let counter = 0;

const tools: Readonly<Record<string, Tool>> = {
	echo: ({ args }) => String(args['text']),
	async sleep({ args, signal }) {
		await pause(Number(args['ms']), signal);
		return `slept ${String(args['ms'])} ms`;
	},
	sleep_readonly: (call) => tools['sleep']?.(call),
	sleep_idempotent: (call) => tools['sleep']?.(call),
	async hang({ signal }) {
		await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Cancelled())));
		return undefined;
	},
	/** Neither ends nor listens to being cancelled. */
	ignore_cancel: () => new Promise(() => undefined),
	async progress({ args, id, client, progressToken, signal }) {
		const steps = Number(args['steps']);
		for (let step = 1; step <= steps; step++) {
			if (args['everyMs'] !== undefined) await pause(Number(args['everyMs']), signal);
			if (progressToken === undefined) continue;
			client.send(
				{ method: 'notifications/progress', params: { progressToken, progress: step, total: steps } },
				id,
			);
		}
		return `${steps} steps`;
	},
	crash({ args }) {
		if (args['stderr'] !== undefined) process.stderr.write(`${textOf(args['stderr'])}\n`);
		if (args['signal'] !== undefined) process.kill(process.pid, textOf(args['signal']));
		else process.exit(Number(args['code']));
		return new Promise(() => undefined);
	},
	/** Stays a process and says nothing any more, as a server in an endless loop does. */
	freeze({ args }) {
		const until = performance.now() + Number(args['ms'] ?? 600_000);
		while (performance.now() < until);
		return 'thawed';
	},
	big: ({ args }) => 'x'.repeat(Number(args['bytes'])),
	sample: (call) =>
		ask(call, 'sampling/createMessage', {
			messages: [{ role: 'user', content: { type: 'text', text: String(call.args['text']) } }],
			maxTokens: 10,
		}),
	elicit: (call) =>
		ask(call, 'elicitation/create', {
			message: String(call.args['text']),
			requestedSchema: { type: 'object', properties: { answer: { type: 'string' } } },
		}),
	roots: (call) => ask(call, 'roots/list', {}),
	noise({ args, client }) {
		client.print(`${String(args['text'])}\n`);
		return 'made noise';
	},
	stderr({ args }) {
		process.stderr.write(`${String(args['text'])}\n`);
		return 'said so';
	},
	/** Answers a request that is not there, and never the one that is. */
	wrong_id({ client, id }) {
		client.send({ id: 987_654_321, result: { content: [{ type: 'text', text: 'for somebody else' }] } }, id);
		return undefined;
	},
	/** An answer that is neither a result nor an error. */
	malformed({ client, id }) {
		client.send({ id, outcome: 'fine' }, id);
		return undefined;
	},
	refuse: () => Promise.reject(new WireError(-32602, 'The argument is not acceptable.', { argument: 'all' })),
	flood({ args, client, id }) {
		const params = { level: 'info', logger: 'flood', data: 'x'.repeat(100) };
		for (let count = 0; count < Number(args['count']); count++) {
			client.send({ method: 'notifications/message', params }, id);
		}
		return 'flooded';
	},
	/** Keeps something for its caller: to be shared only by those who say so. */
	count: () => String(++counter),
	list_changed({ client }) {
		client.send({ method: 'notifications/tools/list_changed' }, undefined);
		return 'changed';
	},
	pid: () => String(process.pid),
	environment: () => JSON.stringify(process.env),
	meta: ({ args }) => JSON.stringify(args['_meta'] ?? null),
};

const annotations: Readonly<Record<string, object>> = {
	sleep_readonly: { readOnlyHint: true },
	sleep_idempotent: { idempotentHint: true },
};

class Cancelled extends Error {}

class WireError extends Error {
	readonly code: number;
	readonly data: unknown;

	constructor(code: number, message: string, data?: unknown) {
		super(message);
		this.code = code;
		this.data = data;
	}
}

async function receive(client: Client, message: Message): Promise<void> {
	const { id, method, params = {} } = message;
	if (method === undefined) {
		if (id !== undefined) client.asked.get(id)?.(message);
		return;
	}
	if (id === undefined) {
		if (method === 'notifications/cancelled') {
			// As the spec has it; what is not running is not cancelled.
			const running = client.running.get(params['requestId'] as Id);
			if (running === undefined) note('cancelled-unknown', { id: params['requestId'] });
			running?.ended.abort();
		} else if (method !== 'notifications/initialized') note('notification', { method });
		return;
	}
	try {
		const result = await answer(client, id, method, params);
		if (result !== undefined) client.send({ id, result }, id);
	} catch (error) {
		if (error instanceof Cancelled) return;
		const { code = -32603, data } = error instanceof WireError ? error : {};
		client.send({ id, error: { code, message: String(error), ...(data === undefined ? {} : { data }) } }, id);
	}
}

async function answer(
	client: Client,
	id: Id,
	method: string,
	params: Readonly<Record<string, unknown>>,
): Promise<unknown> {
	switch (method) {
		case 'initialize':
			note('initialize', { client: params['clientInfo'] });
			if (options.mute) return undefined;
			if (options.slow !== undefined) await pause(Number(options.slow));
			return {
				protocolVersion: params['protocolVersion'] === '2025-06-18' ? '2025-06-18' : '2025-11-25',
				capabilities: { tools: { listChanged: true }, logging: {} },
				serverInfo: { name: 'fault', version: '1.0.0' },
			};
		case 'ping':
			note('ping', {});
			return {};
		case 'logging/setLevel':
			note('level', { level: params['level'] });
			return {};
		case 'tools/list':
			note('list', {});
			return {
				tools: Object.keys(tools).map((name) => ({
					name,
					description: `Does what "${name}" says.`,
					inputSchema: { type: 'object' },
					...(annotations[name] === undefined ? {} : { annotations: annotations[name] }),
				})),
			};
		case 'tools/call':
			return callTool(client, id, params);
		case 'fault/echo':
			// A method of nobody's, with which a relay has no business.
			return { echoed: params };
		default:
			throw new WireError(-32601, `There is no method ${method}.`);
	}
}

async function callTool(client: Client, id: Id, params: Readonly<Record<string, unknown>>): Promise<unknown> {
	const name = String(params['name']);
	const tool = Object.hasOwn(tools, name) ? tools[name] : undefined;
	if (tool === undefined) throw new WireError(-32602, `There is no tool ${name}.`);
	const meta = (params['_meta'] ?? {}) as Readonly<Record<string, unknown>>; // an object by the spec
	const args = { ...(params['arguments'] as object | undefined), _meta: meta }; // as above
	const key = 'key' in args ? String(args.key) : undefined;
	const ended = new AbortController();
	client.running.set(id, { tool: name, key, ended });
	note('start', { id, tool: name, key });
	try {
		const progressToken = meta['progressToken'] as Id | undefined;
		const text = await tool({ id, args, progressToken, client, signal: ended.signal });
		note('end', { id, tool: name, key });
		return text === undefined ? undefined : { content: [{ type: 'text', text }] };
	} catch (error) {
		note(error instanceof Cancelled ? 'cancelled' : 'failed', { id, tool: name, key });
		throw error;
	} finally {
		client.running.delete(id);
	}
}

async function ask({ client, id, signal }: Call, method: string, params: object): Promise<string> {
	const own = `ask-${++asked}`;
	const answered = new Promise<Message>((resolve, reject) => {
		client.asked.set(own, resolve);
		signal.addEventListener('abort', () => reject(new Cancelled()));
	});
	client.send({ id: own, method, params }, id);
	const { result, error } = await answered;
	return JSON.stringify(error === undefined ? { result } : { error });
}

function textOf(argument: unknown): string {
	return typeof argument === 'string' ? argument : JSON.stringify(argument);
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(resolve, milliseconds);
		signal?.addEventListener('abort', () => {
			clearTimeout(timer);
			reject(new Cancelled());
		});
	});
}

function note(event: string, about: object): void {
	if (options.log === undefined) return;
	// At once and whole: the next instruction may be this process's last.
	appendFileSync(options.log, `${JSON.stringify({ at: Date.now(), pid: process.pid, event, ...about })}\n`);
}

function serveStdio(): void {
	const client: Client = {
		send: (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`),
		print: (text) => process.stdout.write(text),
		running: new Map(),
		asked: new Map(),
	};
	if (options.noise) process.stdout.write('Loading plugins…\n{"this is": no JSON\n\n42\n');
	if (options.stray) client.send({ id: 987_654_321, result: {} }, undefined);
	createInterface({ input: process.stdin })
		.on('line', (line) => void receive(client, JSON.parse(line) as Message)) // whatever is wrong with it shows below
		.on('close', () => {
			note('stdin-end', {});
			process.exit(0);
		});
}

function serveHttp(): void {
	interface HttpClient extends Client {
		/** Of the requests under way. */
		readonly streams: Map<Id, ServerResponse>;
		/** For what belongs to no request. */
		general: ServerResponse | undefined;
	}
	const clients = new Map<string, HttpClient>();
	const server = createServer((request, response) => {
		const client = clients.get(String(request.headers['mcp-session-id']));
		switch (request.method) {
			case 'POST':
				void post(client, request, response);
				return;
			case 'GET':
				if (client === undefined) return void response.writeHead(404).end();
				client.general = response.writeHead(200, { 'content-type': 'text/event-stream' });
				response.flushHeaders();
				return;
			case 'DELETE':
				clients.delete(String(request.headers['mcp-session-id']));
				return void response.writeHead(client === undefined ? 404 : 200).end();
			default:
				return void response.writeHead(405).end();
		}
	});

	async function post(known: HttpClient | undefined, request: IncomingMessage, response: ServerResponse) {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer); // no encoding is set
		const message = JSON.parse(Buffer.concat(chunks).toString()) as Message; // whatever is wrong with it shows below
		const sessionId = randomUUID();
		const client = message.method === 'initialize' ? newClient() : known;
		if (client === undefined) return void response.writeHead(404).end();
		if (message.method === 'initialize') {
			clients.set(sessionId, client);
			response.setHeader('mcp-session-id', sessionId);
		}
		if (message.id === undefined || message.method === undefined) {
			response.writeHead(202).end();
		} else {
			const { id } = message;
			client.streams.set(id, response);
			// Of revision 2025-11-25 a lost connection is no cancellation.
			response.on('close', () => note('stream-closed', { id, ended: response.writableEnded }));
		}
		await receive(client, message);
	}

	function newClient(): HttpClient {
		const client: HttpClient = {
			streams: new Map(),
			general: undefined,
			running: new Map(),
			asked: new Map(),
			print: () => undefined,
			send(message, related) {
				const text = JSON.stringify({ jsonrpc: '2.0', ...message });
				const isAnswer = 'id' in message && !('method' in message);
				const stream = related === undefined ? client.general : client.streams.get(related);
				if (stream === undefined) return;
				if (isAnswer && !stream.headersSent) {
					stream.writeHead(200, { 'content-type': 'application/json' }).end(text);
				} else {
					if (!stream.headersSent) stream.writeHead(200, { 'content-type': 'text/event-stream' });
					stream.write(`event: message\ndata: ${text}\n\n`);
					if (isAnswer) stream.end();
				}
				if (isAnswer && related !== undefined) client.streams.delete(related);
			},
		};
		return client;
	}

	server.listen(0, '127.0.0.1', () => {
		const address = server.address();
		const port = typeof address === 'object' ? address?.port : undefined;
		console.log(JSON.stringify({ url: `http://127.0.0.1:${port}/mcp`, pid: process.pid }));
	});
	// Whoever started it holds its stdin: it must not outlive a test that was killed.
	process.stdin.on('end', () => process.exit(0)).resume();
}

note('boot', {});
process.on('exit', (code) => note('exit', { code }));
if (options.crash !== undefined) {
	process.stderr.write('Cannot start: the licence file is missing.\n');
	process.exit(Number(options.crash));
}
if (options.http) serveHttp();
else serveStdio();
