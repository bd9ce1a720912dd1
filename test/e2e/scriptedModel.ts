/**
 * The language model of the end-to-end tests: a server on 127.0.0.1 that speaks Anthropic's Messages and OpenAI's Responses,
 * both as server-sent events, and answers from a script. The agents around it are real.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ScriptedBlock =
	| { readonly type: 'text'; readonly text: string }
	| {
			readonly type: 'call';
			readonly id: string;
			readonly name: string;
			readonly namespace?: string;
			readonly input: Record<string, unknown>;
	  }
	/** Keeps the stream open between two blocks, so that what comes before it is already running when what comes after it arrives. */
	| { readonly type: 'hold'; readonly until: Promise<unknown> };

export interface ScriptedReply {
	/** Who speaks: message ids are this name and a count, so that a run is the same every time whichever agent asks first. */
	readonly speaker: string;
	readonly blocks: readonly ScriptedBlock[];
	/** What the reply claims to have read: a large figure makes agents compact on their own. */
	readonly inputTokens?: number;
}

export interface ModelRequest {
	readonly api: 'messages' | 'responses';
	/** Counts from 0 over everything the model was asked. */
	readonly index: number;
	readonly receivedAt: number;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly body: Readonly<Record<string, unknown>>;
	/** The text of everything that a user, or another agent, said; in order. */
	readonly said: readonly string[];
	/** Ids of the calls that the model made earlier in this conversation. */
	readonly asked: readonly string[];
	/** Ids of the calls whose results are in this request, as often as they are there. */
	readonly answered: readonly string[];
	/** Names of the tools on offer. */
	readonly tools: readonly string[];
}

export type Script = (request: ModelRequest) => ScriptedReply | Promise<ScriptedReply>;

export interface ScriptedModel {
	/** Without a path: the Messages base. Append `/v1` for the Responses base. */
	readonly url: string;
	readonly requests: readonly ModelRequest[];
	/** Errors of the script itself; a test that passes over one has not run what it claims. */
	readonly failures: readonly Error[];
	/** The script can be changed between two runs of an agent. */
	use(script: Script): void;
	close(): Promise<void>;
}

export async function startScriptedModel(script: Script): Promise<ScriptedModel> {
	const requests: ModelRequest[] = [];
	const failures: Error[] = [];
	const repliesOf = new Map<string, number>();
	let current = script;

	const server = createServer((request, response) => {
		answer(request, response).catch((error: unknown) => {
			failures.push(error instanceof Error ? error : new Error(String(error)));
			if (!response.headersSent) response.writeHead(500);
			response.end();
		});
	});

	async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const path = (request.url ?? '').split('?')[0] ?? '';
		const text = await readBody(request);
		if (request.method === 'POST' && path.endsWith('/count_tokens')) {
			response.writeHead(200, { 'content-type': 'application/json' });
			response.end('{"input_tokens":100}');
			return;
		}
		const api =
			request.method !== 'POST'
				? undefined
				: path === '/v1/messages'
					? 'messages'
					: path === '/v1/responses'
						? 'responses'
						: undefined;
		if (api === undefined) {
			response.writeHead(404, { 'content-type': 'application/json' });
			response.end('{"type":"error","error":{"type":"not_found_error","message":"Not part of the script."}}');
			return;
		}
		const modelRequest = describeRequest(api, requests.length, request.headers, asRecord(JSON.parse(text)));
		requests.push(modelRequest);
		const reply = await current(modelRequest);
		const count = (repliesOf.get(reply.speaker) ?? 0) + 1;
		repliesOf.set(reply.speaker, count);
		const stream = new EventStream(response);
		if (api === 'messages') await streamMessage(stream, reply, count, modelRequest);
		else await streamResponse(stream, reply, count);
		response.end();
	}

	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	// A server that listens on a port has an AddressInfo; the string form is for pipes.
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://127.0.0.1:${port}`,
		requests,
		failures,
		use(next) {
			current = next;
		},
		close: () => closeServer(server),
	};
}

async function streamMessage(
	stream: EventStream,
	reply: ScriptedReply,
	count: number,
	request: ModelRequest,
): Promise<void> {
	const usage = {
		input_tokens: reply.inputTokens ?? 10,
		cache_creation_input_tokens: 0,
		cache_read_input_tokens: 0,
		output_tokens: 1,
	};
	stream.send('message_start', {
		message: {
			id: `msg_${reply.speaker}_${count}`,
			type: 'message',
			role: 'assistant',
			model: request.body['model'],
			content: [],
			stop_reason: null,
			stop_sequence: null,
			usage,
		},
	});
	let index = 0;
	let calls = 0;
	for (const block of reply.blocks) {
		if (block.type === 'hold') {
			await block.until;
			continue;
		}
		if (block.type === 'text') {
			stream.send('content_block_start', { index, content_block: { type: 'text', text: '' } });
			stream.send('content_block_delta', { index, delta: { type: 'text_delta', text: block.text } });
		} else {
			calls += 1;
			const name = block.namespace === undefined ? block.name : `${block.namespace}__${block.name}`;
			stream.send('content_block_start', {
				index,
				content_block: { type: 'tool_use', id: block.id, name, input: {} },
			});
			for (const piece of pieces(JSON.stringify(block.input))) {
				stream.send('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: piece } });
			}
		}
		stream.send('content_block_stop', { index });
		index += 1;
	}
	stream.send('message_delta', {
		delta: { stop_reason: calls > 0 ? 'tool_use' : 'end_turn', stop_sequence: null },
		usage: { ...usage, output_tokens: 10 },
	});
	stream.send('message_stop', {});
}

async function streamResponse(stream: EventStream, reply: ScriptedReply, count: number): Promise<void> {
	const id = `resp_${reply.speaker}_${count}`;
	stream.send('response.created', { response: { id, object: 'response', status: 'in_progress', output: [] } });
	const output: unknown[] = [];
	for (const block of reply.blocks) {
		if (block.type === 'hold') {
			await block.until;
			continue;
		}
		const item =
			block.type === 'text'
				? {
						type: 'message',
						id: `msg_${reply.speaker}_${count}_${output.length}`,
						role: 'assistant',
						status: 'completed',
						content: [{ type: 'output_text', text: block.text, annotations: [] }],
					}
				: {
						type: 'function_call',
						id: `fc_${block.id}`,
						call_id: block.id,
						name: block.name,
						status: 'completed',
						...(block.namespace === undefined ? {} : { namespace: block.namespace }),
						arguments: JSON.stringify(block.input),
					};
		stream.send('response.output_item.added', { output_index: output.length, item });
		stream.send('response.output_item.done', { output_index: output.length, item });
		output.push(item);
	}
	const inputTokens = reply.inputTokens ?? 10;
	stream.send('response.completed', {
		response: {
			id,
			object: 'response',
			status: 'completed',
			output,
			usage: {
				input_tokens: inputTokens,
				input_tokens_details: { cached_tokens: 0 },
				output_tokens: 10,
				output_tokens_details: { reasoning_tokens: 0 },
				total_tokens: inputTokens + 10,
			},
		},
	});
}

class EventStream {
	private readonly response: ServerResponse;

	constructor(response: ServerResponse) {
		this.response = response;
		response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
		response.flushHeaders();
	}

	send(type: string, data: Record<string, unknown>): void {
		this.response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
	}
}

function describeRequest(
	api: ModelRequest['api'],
	index: number,
	headers: ModelRequest['headers'],
	body: Record<string, unknown>,
): ModelRequest {
	const said: string[] = [];
	const asked: string[] = [];
	const answered: string[] = [];
	const items = asList(api === 'messages' ? body['messages'] : body['input']);
	for (const item of items) {
		if (item['type'] === 'function_call') asked.push(String(item['call_id']));
		if (item['type'] === 'function_call_output') answered.push(String(item['call_id']));
		const isAssistant = item['role'] === 'assistant';
		if (typeof item['content'] === 'string' && !isAssistant) said.push(item['content']);
		for (const block of asList(item['content'])) {
			if (block['type'] === 'tool_use') asked.push(String(block['id']));
			if (block['type'] === 'tool_result') answered.push(String(block['tool_use_id']));
			if (isAssistant) continue;
			if (typeof block['text'] === 'string') said.push(block['text']);
			// Codex hands a child its task in a part that is encrypted between real models and plain here.
			if (typeof block['encrypted_content'] === 'string') said.push(block['encrypted_content']);
		}
	}
	const tools = asList(body['tools']).flatMap((tool) => {
		const nested = asList(tool['tools']);
		return nested.length > 0
			? nested.map((inner) => `${String(tool['name'])}.${String(inner['name'])}`)
			: [String(tool['name'] ?? tool['type'])];
	});
	return { api, index, receivedAt: Date.now(), headers, body, said, asked, answered, tools };
}

function* pieces(text: string): Iterable<string> {
	for (let start = 0; start < text.length; start += 48) yield text.slice(start, start + 48);
}

function asRecord(value: unknown): Record<string, unknown> {
	// JSON objects are records of unknown; anything else is taken as empty, for the script to stumble over.
	return typeof value === 'object' && value !== null && !Array.isArray(value)
		? (value as Record<string, unknown>)
		: {};
}

function asList(value: unknown): Record<string, unknown>[] {
	return Array.isArray(value) ? value.map(asRecord) : [];
}

async function readBody(request: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = [];
	// Without an encoding set a request yields buffers.
	for await (const chunk of request) chunks.push(chunk as Buffer);
	return Buffer.concat(chunks).toString('utf8');
}

function closeServer(server: Server): Promise<void> {
	return new Promise((resolve) => {
		server.close(() => resolve());
		server.closeAllConnections();
	});
}
