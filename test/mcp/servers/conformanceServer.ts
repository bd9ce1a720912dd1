// The server that the scenarios of the MCP project's conformance suite ask for by name, in both protocol eras.
//
//   node conformanceServer.ts [--http]
//
// On stdio the first message decides on the era; over HTTP (it prints its address as one JSON line) each request does.

import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { localhostHostValidation, NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import {
	acceptedContent,
	classifyInboundRequest,
	CLIENT_CAPABILITIES_META_KEY,
	createMcpHandler,
	createRequestStateCodec,
	fromJsonSchema,
	inputRequired,
	isInitializeRequest,
	McpServer,
	ResourceTemplate,
} from '@modelcontextprotocol/server';
import type {
	CallToolResult,
	EventStore,
	GetPromptResult,
	InputRequiredResult,
	InputRequests,
	JSONRPCMessage,
	ServerContext,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

type Arguments = Readonly<Record<string, unknown>>;
type Schema = Readonly<Record<string, unknown>>;
type ToolResult = CallToolResult | InputRequiredResult;

interface ToolDefinition {
	readonly schema?: Schema;
	readonly run: (context: ServerContext, args: Arguments, server: McpServer) => ToolResult | Promise<ToolResult>;
}

/** What says that lists have changed, to those who listen. */
let listsOf: (server: McpServer) => { toolsChanged(): void; promptsChanged(): void } = (server) => ({
	toolsChanged: () => server.sendToolListChanged(),
	promptsChanged: () => server.sendPromptListChanged(),
});

const states = createRequestStateCodec<Readonly<Record<string, unknown>>>({ key: randomBytes(32) });

// The smallest PNG, and a WAV without a sample.
const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const sound = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=';

const text = (value: string): CallToolResult => ({ content: [{ type: 'text', text: value }] });
const object = (properties: Readonly<Record<string, unknown>>, required: readonly string[] = []) => ({
	type: 'object' as const,
	properties,
	...(required.length === 0 ? {} : { required }),
});

const embedded = (uri: string, mimeType: string, value: string) => ({
	type: 'resource' as const,
	resource: { uri, mimeType, text: value },
});

const schemaOf = (schema: Schema) => fromJsonSchema<Arguments>(schema);

/** A question to the person in front of the client, for a single value. */
const question = (
	message: string,
	name: string,
	schema: { type: 'string' } | { type: 'boolean' } = { type: 'string' },
) =>
	inputRequired.elicit({
		message,
		requestedSchema: { type: 'object', properties: { [name]: schema }, required: [name] },
	});

const completion = (prompt: string) =>
	inputRequired.createMessage({
		messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
		maxTokens: 64,
	});

/** What the client has answered to a question of an earlier round. */
function answered(context: ServerContext, key: string, name: string): unknown {
	return acceptedContent(context.mcpReq.inputResponses, key)?.[name];
}

function responded(context: ServerContext, key: string): Arguments | undefined {
	return context.mcpReq.inputResponses?.[key] as Arguments | undefined; // an object, by the SDK
}

async function elicited(context: ServerContext, message: string, properties: object): Promise<CallToolResult> {
	const answer = await context.mcpReq.send({
		method: 'elicitation/create',
		params: { mode: 'form', message, requestedSchema: { type: 'object', properties } },
	});
	return text(`The user's answer: ${JSON.stringify(answer)}`);
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const tools: Readonly<Record<string, ToolDefinition>> = {
	test_simple_text: { run: () => text('This is a simple text response for testing.') },
	test_image_content: { run: () => ({ content: [{ type: 'image', data: picture, mimeType: 'image/png' }] }) },
	test_audio_content: { run: () => ({ content: [{ type: 'audio', data: sound, mimeType: 'audio/wav' }] }) },
	test_embedded_resource: {
		run: () => ({ content: [embedded('test://embedded-resource', 'text/plain', 'A resource within a result.')] }),
	},
	test_multiple_content_types: {
		run: () => ({
			content: [
				{ type: 'text', text: 'Text, a picture and a resource:' },
				{ type: 'image', data: picture, mimeType: 'image/png' },
				embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
			],
		}),
	},
	test_tool_with_logging: {
		async run({ mcpReq }) {
			for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
				await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
				await pause(50);
			}
			return text('Logged three times.');
		},
	},
	test_tool_with_progress: {
		async run({ mcpReq }) {
			const { _meta: { progressToken } = {} } = mcpReq;
			for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
				await mcpReq.notify({
					method: 'notifications/progress',
					params: { progressToken, progress, total: 100, message: `${progress} of 100` },
				});
				await pause(progress === 100 ? 0 : 50);
			}
			return text(String(progressToken ?? 'Nobody asked for progress.'));
		},
	},
	test_error_handling: {
		run: () => Promise.reject(new Error('This tool intentionally returns an error for testing')),
	},
	test_reconnection: {
		async run({ http }) {
			http?.closeSSE?.();
			await pause(100);
			return text('The stream was closed on purpose; whoever reads this has come back.');
		},
	},
	test_sampling: {
		schema: object({ prompt: { type: 'string' } }, ['prompt']),
		async run({ mcpReq }, { prompt }) {
			const answer = await mcpReq.send({
				method: 'sampling/createMessage',
				params: {
					messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
					maxTokens: 100,
				},
			});
			return text(`LLM response: ${JSON.stringify(answer.content)}`);
		},
	},
	test_elicitation: {
		schema: object({ message: { type: 'string' } }, ['message']),
		run: (context, { message }) =>
			elicited(context, String(message), { response: { type: 'string', description: "The user's response" } }),
	},
	test_elicitation_sep1034_defaults: {
		run: (context) =>
			elicited(context, 'Is all of this right?', {
				name: { type: 'string', default: 'John Doe' },
				age: { type: 'integer', default: 30 },
				score: { type: 'number', default: 95.5 },
				status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
				verified: { type: 'boolean', default: true },
			}),
	},
	test_elicitation_sep1330_enums: {
		run(context) {
			const values = ['option1', 'option2', 'option3'];
			const titled = values.map((value, index) => ({ const: `value${index + 1}`, title: `Title of ${value}` }));
			return elicited(context, 'Choose.', {
				untitledSingle: { type: 'string', enum: values },
				titledSingle: { type: 'string', oneOf: titled },
				legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
				untitledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { type: 'string', enum: values } },
				titledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { anyOf: titled } },
			});
		},
	},
	json_schema_2020_12_tool: {
		schema: {
			$schema: 'https://json-schema.org/draft/2020-12/schema',
			...object({
				name: { type: 'string' },
				address: { $ref: '#/$defs/address' },
				contactMethod: { type: 'string', enum: ['phone', 'email'] },
				phone: { type: 'string' },
				email: { type: 'string' },
			}),
			$defs: {
				address: { $anchor: 'addressDef', ...object({ street: { type: 'string' }, city: { type: 'string' } }) },
			},
			allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
			if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
			// oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
			then: { required: ['phone'] },
			else: { required: ['email'] },
			additionalProperties: false,
		},
		run: (_context, args) => text(JSON.stringify(args)),
	},
	test_x_mcp_header: {
		schema: object({ region: { type: 'string', 'x-mcp-header': 'Region' }, level: { type: 'integer' } }),
		run: (_context, { region }) => text(`region=${String(region)}`),
	},
	// Of the revision without sessions: what may and may not be on a stream.
	test_streaming_elicitation: { run: () => text('Nothing but this.') },
	test_logging_tool: {
		async run({ mcpReq }) {
			await mcpReq.log('info', 'Sent to those alone who have named a level.');
			return text('Logged.');
		},
	},
	test_missing_capability: {
		run: (context) =>
			responded(context, 'llm_answer') === undefined
				? inputRequired({ inputRequests: { llm_answer: completion('Say "pong".') } })
				: text('pong'),
	},
	test_trigger_tool_change: {
		run(_context, _args, server) {
			listsOf(server).toolsChanged();
			return text('Said that the tools have changed.');
		},
	},
	test_trigger_prompt_change: {
		run(_context, _args, server) {
			listsOf(server).promptsChanged();
			return text('Said that the prompts have changed.');
		},
	},
	test_input_required_result_elicitation: {
		run(context) {
			const name = answered(context, 'user_name', 'name');
			return typeof name === 'string'
				? text(`Hello, ${name}!`)
				: inputRequired({ inputRequests: { user_name: question('What is your name?', 'name') } });
		},
	},
	test_input_required_result_sampling: {
		run(context) {
			const answer = responded(context, 'capital_question');
			return answer === undefined
				? inputRequired({ inputRequests: { capital_question: completion('What is the capital of France?') } })
				: text(JSON.stringify(answer['content']));
		},
	},
	test_input_required_result_list_roots: {
		run(context) {
			const roots = responded(context, 'client_roots')?.['roots'];
			return Array.isArray(roots)
				? text(`Roots: ${JSON.stringify(roots)}`)
				: inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
		},
	},
	test_input_required_result_request_state: {
		run: async (context) =>
			// Only what this server has sealed gets here.
			answered(context, 'confirm', 'ok') !== undefined && context.mcpReq.requestState() !== undefined
				? text('state-ok: the request state is as it was given')
				: inputRequired({
						inputRequests: { confirm: question('Please confirm', 'ok', { type: 'boolean' }) },
						requestState: await states.mint({ nonce: randomUUID() }),
					}),
	},
	test_input_required_result_multiple_inputs: {
		async run(context) {
			const name = answered(context, 'user_name', 'name');
			const greeting = responded(context, 'greeting');
			const roots = responded(context, 'client_roots');
			if (typeof name !== 'string' || greeting === undefined || roots === undefined) {
				return inputRequired({
					inputRequests: {
						user_name: question('What is your name?', 'name'),
						greeting: completion('Greet somebody.'),
						client_roots: inputRequired.listRoots(),
					},
					requestState: await states.mint({ nonce: randomUUID() }),
				});
			}
			return text(`${JSON.stringify(greeting['content'])}, ${name} (${JSON.stringify(roots['roots'])})`);
		},
	},
	test_input_required_result_multi_round: {
		async run(context) {
			const state = context.mcpReq.requestState<Readonly<Record<string, unknown>>>();
			if (state === undefined) {
				return inputRequired({
					inputRequests: { step1: question('Step 1: What is your name?', 'name') },
					requestState: await states.mint({ round: 1, nonce: randomUUID() }),
				});
			}
			if (state['round'] === 1) {
				return inputRequired({
					inputRequests: { step2: question('Step 2: What is your favourite colour?', 'color') },
					requestState: await states.mint({ round: 2, name: answered(context, 'step1', 'name') }),
				});
			}
			return text(`${String(state['name'])} likes ${String(answered(context, 'step2', 'color'))}.`);
		},
	},
	test_input_required_result_tampered_state: {
		run: async (context) =>
			context.mcpReq.requestState() !== undefined && answered(context, 'confirm', 'ok') !== undefined
				? text('The request state is as it was given.')
				: inputRequired({
						inputRequests: { confirm: question('Please confirm', 'ok', { type: 'boolean' }) },
						requestState: await states.mint({ nonce: randomUUID() }),
					}),
	},
	test_input_required_result_capabilities: {
		run(context) {
			if (context.mcpReq.inputResponses !== undefined) return text('All was answered.');
			// By the specification, an object with a key for each capability.
			const envelope = context.mcpReq.envelope as Readonly<Record<string, Arguments>> | undefined;
			const declared = envelope?.[CLIENT_CAPABILITIES_META_KEY];
			const inputRequests: InputRequests = {
				...(declared?.['elicitation'] === undefined
					? {}
					: { user_name: question('What is your name?', 'name') }),
				...(declared?.['sampling'] === undefined ? {} : { greeting: completion('Greet somebody.') }),
				...(declared?.['roots'] === undefined ? {} : { client_roots: inputRequired.listRoots() }),
			};
			return Object.keys(inputRequests).length === 0
				? text('The client can be asked for nothing.')
				: inputRequired({ inputRequests });
		},
	},
};

const resources: Readonly<Record<string, { uri: string; mimeType: string; text?: string; blob?: string }>> = {
	'static-text': { uri: 'test://static-text', mimeType: 'text/plain', text: 'A text that never changes.' },
	'static-binary': { uri: 'test://static-binary', mimeType: 'image/png', blob: picture },
	'watched-resource': { uri: 'test://watched-resource', mimeType: 'text/plain', text: 'A text to be watched.' },
};

interface PromptDefinition {
	readonly args?: Schema;
	readonly render: (args: Arguments, context: ServerContext) => GetPromptResult | InputRequiredResult;
}

const prompts: Readonly<Record<string, PromptDefinition>> = {
	test_simple_prompt: { render: () => said('This is a simple prompt for testing.') },
	test_prompt_with_arguments: {
		args: object({ arg1: { type: 'string' }, arg2: { type: 'string' } }, ['arg1', 'arg2']),
		render: ({ arg1, arg2 }) => said(`Prompt with arguments: arg1='${String(arg1)}', arg2='${String(arg2)}'`),
	},
	test_prompt_with_embedded_resource: {
		args: object({ resourceUri: { type: 'string' } }, ['resourceUri']),
		render: ({ resourceUri }) => ({
			messages: [
				{ role: 'user', content: embedded(String(resourceUri), 'text/plain', 'A resource within a prompt.') },
				...said('What does the resource say?').messages,
			],
		}),
	},
	test_prompt_with_image: {
		render: () => ({
			messages: [
				{ role: 'user', content: { type: 'image', data: picture, mimeType: 'image/png' } },
				...said('What does the picture show?').messages,
			],
		}),
	},
	test_input_required_result_prompt: {
		render(_args, context) {
			const given = answered(context, 'user_context', 'context');
			return typeof given !== 'string'
				? inputRequired({ inputRequests: { user_context: question('In which context?', 'context') } })
				: said(`Use this context: ${given}`);
		},
	},
};

function said(value: string): GetPromptResult {
	return { messages: [{ role: 'user', content: { type: 'text', text: value } }] };
}

function createConformanceServer(): McpServer {
	const server = new McpServer(
		{ name: 'conformance', version: '1.0.0' },
		{
			capabilities: {
				tools: { listChanged: true },
				resources: { subscribe: true, listChanged: true },
				prompts: { listChanged: true },
				logging: {},
				completions: {},
			},
			requestState: { verify: (state, context) => states.verify(state, context) },
		},
	);
	for (const [name, { schema = object({}), run }] of Object.entries(tools)) {
		server.registerTool(
			name,
			{ description: `As the scenario of "${name}" wants it.`, inputSchema: schemaOf(schema) },
			(args, context) => run(context, args, server),
		);
	}
	for (const [name, { uri, mimeType, ...content }] of Object.entries(resources)) {
		server.registerResource(name, uri, { mimeType, description: name }, () => ({
			contents: [
				content.blob === undefined
					? { uri, mimeType, text: content.text ?? '' }
					: { uri, mimeType, blob: content.blob },
			],
		}));
	}
	server.registerResource(
		'template',
		new ResourceTemplate('test://template/{id}/data', { list: undefined }),
		{ mimeType: 'application/json', description: 'A resource for every id.' },
		({ href }, { id }) => ({
			contents: [
				{
					uri: href,
					mimeType: 'application/json',
					text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
				},
			],
		}),
	);
	for (const [name, { args, render }] of Object.entries(prompts)) {
		const config = { description: `As the scenario of "${name}" wants it.` };
		if (args === undefined) {
			// Without arguments the context comes first, whatever the type says.
			server.registerPrompt(name, config, ((context: ServerContext) => render({}, context)) as never);
		} else {
			server.registerPrompt(name, { ...config, argsSchema: schemaOf(args) }, render as never);
		}
	}
	// Nothing depends on a subscription or on the level here, and nothing is known that would complete.
	for (const method of ['resources/subscribe', 'resources/unsubscribe', 'logging/setLevel'] as const) {
		server.server.setRequestHandler(method, () => ({}));
	}
	server.server.setRequestHandler('completion/complete', () => ({
		completion: { values: [], total: 0, hasMore: false },
	}));
	return server;
}

/** What was sent on the streams of one MCP session, for those who come back to one. */
class SentEvents implements EventStore {
	private readonly sent: { readonly id: string; readonly stream: string; readonly message: JSONRPCMessage }[] = [];

	storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
		const id = `${this.sent.length}/${stream}`;
		this.sent.push({ id, stream, message });
		return Promise.resolve(id);
	}

	async replayEventsAfter(
		lastId: string,
		{ send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
	): Promise<string> {
		const [position, stream = ''] = lastId.split(/\/(.*)/s);
		for (const event of this.sent.slice(Number(position) + 1)) {
			// The empty event only gives a new stream its first id.
			if (event.stream === stream && Object.keys(event.message).length > 0) await send(event.id, event.message);
		}
		return stream;
	}
}

function serveHttp(): void {
	const stateless = createMcpHandler(createConformanceServer, { legacy: 'reject' });
	listsOf = () => stateless.notify;
	const serveStateless = toNodeHandler(stateless);
	const transports = new Map<string, NodeStreamableHTTPServerTransport>();
	const isLocal = localhostHostValidation();

	async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
		if (!isLocal(request, response)) return;
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer); // no encoding is set
		const raw = Buffer.concat(chunks).toString();
		const body: unknown = raw === '' ? undefined : JSON.parse(raw);
		const { kind } = classifyInboundRequest({
			httpMethod: request.method ?? '',
			...header('protocolVersionHeader', request.headers['mcp-protocol-version']),
			...header('mcpMethodHeader', request.headers['mcp-method']),
			body,
		});
		if (request.method === 'POST' && kind !== 'legacy') {
			// Node sets both on every request that reaches a server.
			return serveStateless(request as IncomingMessage & { method: string; url: string }, response, body);
		}

		const sessionId = request.headers['mcp-session-id'];
		if (sessionId === undefined && isInitializeRequest(body)) {
			const transport = new NodeStreamableHTTPServerTransport({
				sessionIdGenerator: randomUUID,
				eventStore: new SentEvents(),
				retryInterval: 500,
				onsessioninitialized: (id) => void transports.set(id, transport),
				onsessionclosed: (id) => void transports.delete(id),
			});
			await createConformanceServer().connect(transport);
			return transport.handleRequest(request, response, body);
		}
		const transport = transports.get(String(sessionId));
		if (transport !== undefined) return transport.handleRequest(request, response, body);
		const code = sessionId === undefined ? 400 : 404;
		const message = sessionId === undefined ? 'There is no Mcp-Session-Id.' : 'There is no such session.';
		response.writeHead(code, { 'content-type': 'application/json' });
		response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32_000, message } }));
	}

	const server = createServer((request, response) => {
		handle(request, response).catch((error: unknown) => {
			console.error(error);
			if (!response.headersSent) response.writeHead(500);
			response.end();
		});
	});
	server.listen(0, '127.0.0.1', () => {
		const address = server.address();
		const port = typeof address === 'object' ? address?.port : undefined;
		console.log(JSON.stringify({ url: `http://127.0.0.1:${port}/mcp`, pid: process.pid }));
	});
	// Whoever started it holds its stdin: it must not outlive a test that was killed.
	process.stdin.on('end', () => process.exit(0)).resume();
}

function header<Name extends string>(name: Name, value: string | string[] | undefined): Partial<Record<Name, string>> {
	const first = Array.isArray(value) ? value[0] : value;
	return (first === undefined ? {} : { [name]: first }) as Partial<Record<Name, string>>; // by the line itself
}

if (process.argv.includes('--http')) serveHttp();
else serveStdio(createConformanceServer);
