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
import { fitOf } from './uriTemplates.ts';

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

/** What they are for is asked by ids that only one server knows. */
const unservedCapabilities: ReadonlySet<string> = new Set(['tasks']);

/** A request on its way to the server that it is for. */
interface Passing {
	readonly bytes: Uint8Array;
	readonly channel: MessageChannel;
	readonly scope: string;
	readonly refuse: (code: number, reason: string) => void;
}

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
	/** Which servers have told of a template of resources. */
	private readonly templates = new Map<string, Set<string>>();
	/** A resource that is told of goes before every template, so without them nothing is known. */
	private hasListedResources = false;
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
				return this.passFound({ bytes, channel, scope, refuse }, uri);
			}
			case 'completion/complete':
				return this.complete(message, { bytes, channel, scope, refuse });
			default: {
				const member = lists[message.method];
				if (member === undefined)
					refuse(METHOD_NOT_FOUND, `${message.method} needs the address of one server.`);
				else void this.list(message.method).then((items) => answer({ [member]: items }));
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
				if (!unservedCapabilities.has(name))
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
		const named = this.serverIn(name);
		if (named === undefined) {
			refuse(INVALID_PARAMS, noSuchName(name));
			return undefined;
		}
		const own = replaced(message.bytes, [{ span: message.spans.name, with: encoded(named.own) }]);
		return this.connection(named.server).receive(own, channel, scope);
	}

	private complete(message: RpcMessage, passing: Passing): (() => void) | undefined {
		const ref = objectAt(message.params, 'ref');
		const uri = stringAt(ref, 'uri');
		if (uri !== undefined) return this.passFound(passing, uri);
		const name = stringAt(ref, 'name') ?? '';
		const named = this.serverIn(name);
		if (named === undefined) {
			passing.refuse(INVALID_PARAMS, noSuchName(name));
			return undefined;
		}
		const params = encoded({ ...message.params, ref: { ...ref, name: named.own } });
		const own = replaced(message.bytes, [{ span: message.spans.params, with: params }]);
		return this.connection(named.server).receive(own, passing.channel, passing.scope);
	}

	/** Whose prompt or tool it is that has this name here, and what its server calls it. */
	private serverIn(name: string): { readonly server: string; readonly own: string } | undefined {
		// A server's own name may hold the separator; the longest that fits is meant.
		const server = this.servers()
			.filter((known) => name.startsWith(`${known}${SEPARATOR}`))
			.sort((one, other) => other.length - one.length)[0];
		return server === undefined ? undefined : { server, own: name.slice(server.length + SEPARATOR.length) };
	}

	/** Hands on what is about a resource, or about a template of them. Where no server is known to have it, all are asked what they have. */
	private passFound(passing: Passing, uri: string): () => void {
		const known = this.serversOf(uri);
		if (known.length > 0) return this.passToFirst(passing, known);
		let leave: (() => void) | undefined;
		let isUnwanted = false;
		void this.findResources().then(() => {
			const found = this.serversOf(uri);
			if (isUnwanted) passing.channel.dropped();
			else if (found.length > 0) leave = this.passToFirst(passing, found);
			else passing.refuse(INVALID_PARAMS, `No server has told of a resource ${uri}, nor of a template for it.`);
		});
		return () => {
			isUnwanted = true;
			leave?.();
		};
	}

	/** Nothing tells apart those that have the same template but what they say: the first answer that is no error counts, or the last. */
	private passToFirst(passing: Passing, [server, ...others]: readonly string[]): () => void {
		if (server === undefined) throw new Error('Whoever passes something on has found somebody to pass it to.');
		const { bytes, channel, scope } = passing;
		if (others.length === 0) return this.connection(server).receive(bytes, channel, scope) ?? (() => {});
		let next: (() => void) | undefined;
		const first = this.connection(server).receive(
			bytes,
			{
				deliver: (message) => channel.deliver(message),
				answer: (answer, error) => {
					if (error === undefined) channel.answer(answer, error);
					else next = this.passToFirst(passing, others);
				},
				accepted: () => channel.accepted(),
				dropped: () => channel.dropped(),
				headers: channel.headers,
			},
			scope,
		);
		return () => (next ?? first)?.();
	}

	/** Who has told of a resource; else those whose templates say most of it. */
	private serversOf(uri: string): readonly string[] {
		const known = this.resources.get(uri);
		if (known !== undefined) return [known];
		const exact = this.templates.get(uri);
		if (exact !== undefined) return [...exact];
		if (!this.hasListedResources) return [];
		let best = -1;
		let servers: string[] = [];
		for (const [template, those] of this.templates) {
			const fit = fitOf(template, uri) ?? -1;
			if (fit < best || fit === -1) continue;
			servers = fit > best ? [...those] : [...new Set([...servers, ...those])];
			best = fit;
		}
		return servers;
	}

	private async findResources(): Promise<void> {
		await Promise.all(['resources/list', 'resources/templates/list'].map(async (method) => this.list(method)));
		this.hasListedResources = true;
	}

	private async list(method: string): Promise<unknown[]> {
		const member = lists[method] ?? '';
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
		const template = member === 'resourceTemplates' ? stringAt(item, 'uriTemplate') : undefined;
		if (template !== undefined)
			this.templates.set(template, (this.templates.get(template) ?? new Set()).add(server));
		if (member !== 'tools' && member !== 'prompts') return item;
		return { ...item, name: `${server}${SEPARATOR}${stringAt(item, 'name') ?? ''}` };
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

function noSuchName(name: string): string {
	return `There is no "${name}": names begin with their server's, as in server${SEPARATOR}name.`;
}

/** Takes what comes back to the host itself. */
function inward(answer: (bytes: Uint8Array) => void): MessageChannel {
	return { deliver() {}, answer, accepted() {}, dropped() {}, headers: undefined };
}
