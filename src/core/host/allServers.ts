import type {
	AgentConnection,
	AgentEndpoint,
	AgentIntroduction,
	AgentOutput,
	MessageChannel,
} from './agentConnection.ts';
import { LATEST_LEGACY, legacyRevisions } from './revisions.ts';
import {
	INVALID_PARAMS,
	META,
	METHOD_NOT_FOUND,
	bytesAt,
	decoded,
	encoded,
	encodedText,
	errorAnswer,
	isObject,
	objectAt,
	readRpc,
	replaced,
	resultAnswer,
	stringAt,
} from './rpc.ts';
import type { JsonObject, RpcMessage } from './rpc.ts';

const SEPARATOR = '__';
/** A server that gives the same page for ever is not followed for ever. */
const MAXIMUM_PAGES = 100;

/** Lists that are put together of every server's own, and the member that holds them. */
const lists: Readonly<Record<string, string>> = {
	'tools/list': 'tools',
	'prompts/list': 'prompts',
	'resources/list': 'resources',
	'resources/templates/list': 'resourceTemplates',
};

/**
 * One agent's connection to all servers: tools and prompts are called `<server>__<name>`, resources keep their addresses. It speaks the
 * revisions with a handshake; a newer client falls back to them. To each server it is an agent connection like any other.
 */
export class AllServersConnection implements AgentEndpoint {
	readonly id: string;
	introduction: AgentIntroduction | undefined;
	private readonly version: string;
	private readonly servers: () => readonly string[];
	private readonly connectTo: (server: string) => AgentConnection;
	private readonly connections = new Map<string, AgentConnection>();
	/** Which server has told of a resource. */
	private readonly resources = new Map<string, string>();
	private lastScope = 0;

	constructor(options: {
		id: string;
		version: string;
		introduction: AgentIntroduction | undefined;
		output: AgentOutput;
		servers: () => readonly string[];
		connectTo: (server: string, output: AgentOutput) => AgentConnection;
	}) {
		this.id = options.id;
		this.version = options.version;
		this.introduction = options.introduction;
		this.servers = options.servers;
		this.connectTo = (server) => options.connectTo(server, options.output);
	}

	get runningExchanges(): number {
		return [...this.connections.values()].reduce((sum, { runningExchanges }) => sum + runningExchanges, 0);
	}

	receive(bytes: Uint8Array, channel: MessageChannel, scope: string): (() => void) | undefined {
		const message = readRpc(bytes);
		if (message.kind === 'problem') {
			const id = message.id === null ? null : encodedText(JSON.stringify(message.id));
			channel.answer(errorAnswer(id, message.code, message.reason), message.code);
			return undefined;
		}
		if (message.kind !== 'request') {
			// Each server's connection knows what is its own: an answer, a cancellation.
			for (const connection of this.connections.values())
				connection.receive(
					bytes,
					inward(() => {}),
					scope,
				);
			channel.accepted();
			return undefined;
		}
		const rawId = bytesAt(message, message.spans.id) ?? encodedText('null');
		const refuse = (code: number, reason: string) => channel.answer(errorAnswer(rawId, code, reason), code);
		const answer = (result: unknown) => channel.answer(resultAnswer(rawId, result), undefined);
		if (stringAt(objectAt(message.params, '_meta'), META.protocolVersion) !== undefined) {
			refuse(
				-32_000,
				`Bad Request: all servers together speak ${legacyRevisions[0]} and earlier; initialize first.`,
			);
			return undefined;
		}
		switch (message.method) {
			case 'initialize':
				void this.initialize(message).then(answer);
				return undefined;
			case 'ping':
				answer({});
				return undefined;
			case 'logging/setLevel':
				void this.askAll(message.method, message.params).then(() => answer({}));
				return undefined;
			case 'tools/call':
			case 'prompts/get':
				return this.passNamed(message, channel, scope, refuse);
			case 'resources/read':
			case 'resources/subscribe':
			case 'resources/unsubscribe': {
				const uri = stringAt(message.params, 'uri') ?? '';
				const server = this.resources.get(uri);
				if (server !== undefined) return this.connection(server).receive(bytes, channel, scope);
				void this.findResource(uri).then((found) =>
					found === undefined
						? refuse(INVALID_PARAMS, `No server has told of a resource ${uri}.`)
						: void this.connection(found).receive(bytes, channel, scope),
				);
				return undefined;
			}
			default: {
				const member = lists[message.method];
				if (member === undefined)
					refuse(METHOD_NOT_FOUND, `${message.method} needs the address of one server.`);
				else void this.list(message.method, member).then((items) => answer({ [member]: items }));
				return undefined;
			}
		}
	}

	close(): void {
		for (const connection of this.connections.values()) connection.close();
		this.connections.clear();
	}

	private connection(server: string): AgentConnection {
		let connection = this.connections.get(server);
		if (connection === undefined) {
			connection = this.connectTo(server);
			this.connections.set(server, connection);
		}
		return connection;
	}

	/** The handshake with every server; one that fails it is left out, and said so. */
	private async initialize(message: RpcMessage): Promise<JsonObject> {
		const requested = stringAt(message.params, 'protocolVersion');
		this.introduction = {
			protocolVersion: legacyRevisions.find((known) => known === requested) ?? LATEST_LEGACY,
			clientInfo: objectAt(message.params, 'clientInfo'),
			capabilities: objectAt(message.params, 'capabilities'),
		};
		const capabilities: Record<string, unknown> = {};
		const instructions: string[] = [];
		for (const [server, answer] of await this.askAll('initialize', message.params)) {
			if (answer.kind === 'error') {
				instructions.push(
					`${server} cannot be used: ${stringAt(answer.result, 'message') ?? 'it gave no reason.'}`,
				);
				continue;
			}
			for (const [name, value] of Object.entries(objectAt(answer.result, 'capabilities')))
				capabilities[name] = { ...objectAt(capabilities, name), ...(isObject(value) ? value : {}) };
			const told = stringAt(answer.result, 'instructions');
			if (told !== undefined) instructions.push(`${server}: ${told}`);
		}
		return {
			protocolVersion: this.introduction.protocolVersion,
			capabilities,
			serverInfo: { name: 'crosstalk', version: this.version },
			...(instructions.length === 0 ? {} : { instructions: instructions.join('\n\n') }),
		};
	}

	private passNamed(
		message: RpcMessage,
		channel: MessageChannel,
		scope: string,
		refuse: (code: number, reason: string) => void,
	): (() => void) | undefined {
		const name = stringAt(message.params, 'name') ?? '';
		// A server's own name may hold the separator; the longest that fits is meant.
		const server = this.servers()
			.filter((known) => name.startsWith(`${known}${SEPARATOR}`))
			.sort((one, other) => other.length - one.length)[0];
		if (server === undefined) {
			refuse(
				INVALID_PARAMS,
				`There is no "${name}": names begin with their server's, as in server${SEPARATOR}name.`,
			);
			return undefined;
		}
		const own = encoded(name.slice(server.length + SEPARATOR.length));
		return this.connection(server).receive(
			replaced(message.bytes, [{ span: message.spans.name, with: own }]),
			channel,
			scope,
		);
	}

	private async list(method: string, member: string): Promise<unknown[]> {
		const perServer = await Promise.all(
			this.servers().map(async (server) => {
				const items: unknown[] = [];
				let cursor: string | undefined;
				for (let page = 0; page < MAXIMUM_PAGES; page++) {
					const answer = await this.ask(server, method, cursor === undefined ? {} : { cursor });
					// A server without prompts says so with an error; it adds nothing to the list.
					if (answer.kind === 'error') break;
					const found = answer.result[member];
					if (Array.isArray(found)) for (const item of found) items.push(this.named(server, member, item));
					cursor = stringAt(answer.result, 'nextCursor');
					if (cursor === undefined) break;
				}
				return items;
			}),
		);
		return perServer.flat();
	}

	private named(server: string, member: string, item: unknown): unknown {
		if (!isObject(item)) return item;
		if (member === 'resources') this.resources.set(stringAt(item, 'uri') ?? '', server);
		if (member !== 'tools' && member !== 'prompts') return item;
		return { ...item, name: `${server}${SEPARATOR}${stringAt(item, 'name') ?? ''}` };
	}

	private async findResource(uri: string): Promise<string | undefined> {
		await this.list('resources/list', 'resources');
		return this.resources.get(uri);
	}

	private async askAll(method: string, params: JsonObject): Promise<(readonly [string, RpcMessage])[]> {
		return Promise.all(
			this.servers().map(async (server) => [server, await this.ask(server, method, params)] as const),
		);
	}

	/** One request on the agent's behalf. */
	private ask(server: string, method: string, params: JsonObject): Promise<RpcMessage> {
		return new Promise((resolve) => {
			const take = (bytes: Uint8Array) => {
				const answer = readRpc(bytes);
				// The host itself has written it, or has read it before.
				if (answer.kind === 'problem') throw new Error(`${decoded(bytes)}: ${answer.reason}`);
				resolve(answer);
			};
			const request = encoded({ jsonrpc: '2.0', id: 1, method, params });
			this.connection(server).receive(request, inward(take), `all-${++this.lastScope} `);
		});
	}
}

/** Takes what comes back to the host itself. */
function inward(answer: (bytes: Uint8Array) => void): MessageChannel {
	return { deliver() {}, answer, accepted() {}, dropped() {}, headers: undefined };
}
