import type { Disposable } from '../base/lifecycle.ts';
import type { ConnectionIdentity } from './agentIdentity.ts';
import type { CallOrigin } from './attribution.ts';
import { initializeResult, modernized, neededInput, serverRequest, withMeta, withParams } from './eras.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeEnd } from './exchange.ts';
import { CallFailure } from './failures.ts';
import { LegacyBridge } from './legacyBridge.ts';
import { mirroredHeaders, mismatchOf } from './mirroredArguments.ts';
import type { RecordOrigin } from './recorder.ts';
import { LATEST_LEGACY, MODERN, legacyRevisions } from './revisions.ts';
import {
	INVALID_PARAMS,
	INVALID_REQUEST,
	META,
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
import type { ServerHub } from './serverHub.ts';
import type { Upstream } from './upstream.ts';

/** The way back to an agent for one message that it has sent. */
export interface MessageChannel {
	/** A message that belongs to the agent's request, before its answer. */
	deliver(bytes: Uint8Array): void;
	/** The answer, the last of it. `error` is its JSON-RPC code when it is an error. */
	answer(bytes: Uint8Array, error: number | undefined): void;
	/** The message needs no answer. */
	accepted(): void;
	/** The request will have no answer: the agent has cancelled it. */
	dropped(): void;
	/** `Mcp-Param-*` of the agent's HTTP request, names in lower case; `undefined` where an agent does not send such headers. */
	readonly headers: Readonly<Record<string, string>> | undefined;
}

/** The way to an agent for what belongs to no request of its own. `false`: there is none at this time. */
export type AgentOutput = (bytes: Uint8Array) => boolean;

/** An agent's connection, to one server or to all of them. */
export interface AgentEndpoint {
	readonly id: string;
	readonly introduction: AgentIntroduction | undefined;
	/** Requests of this agent that are under way. */
	readonly runningExchanges: number;
	/**
	 * Takes one message of the agent. It never throws; every request gets exactly one answer.
	 * @param scope Ids are unique within it: '' where a connection is one stream, something of its own for each request where it is not.
	 * @returns Of a request: tells that its agent does not wait for the answer any more.
	 */
	receive(bytes: Uint8Array, channel: MessageChannel, scope: string): (() => void) | undefined;
	/** Ends the connection: what is under way for this agent is cancelled at its servers. */
	close(): void;
}

/** What the agent was asked in the name of a server. */
interface Question {
	readonly upstream: Upstream;
	/** The id that the server gave it, when it was the server's own request. */
	readonly id: Uint8Array | undefined;
	readonly exchange: Exchange | undefined;
	/** Takes the answer; `undefined`: there will be none. */
	readonly take: (answer: RpcMessage | undefined) => void;
}

/** A subscription of revision 2026-07-28 to a server of the older era. */
interface Subscription {
	readonly rawId: Uint8Array;
	readonly channel: MessageChannel;
	readonly filter: JsonObject;
	readonly uris: readonly string[];
}

/** Which member of a subscription's filter asks for a notification. */
const filterOf: Readonly<Record<string, string>> = {
	'notifications/tools/list_changed': 'toolsListChanged',
	'notifications/prompts/list_changed': 'promptsListChanged',
	'notifications/resources/list_changed': 'resourcesListChanged',
};

/** For what the host itself takes in an agent's name. */
const unheard: MessageChannel = { deliver() {}, answer() {}, accepted() {}, dropped() {}, headers: undefined };

/** What an agent of the era of handshakes has said of itself. */
export interface AgentIntroduction {
	readonly protocolVersion: string;
	readonly clientInfo: JsonObject;
	readonly capabilities: JsonObject;
}

/** Of revision 2026-07-28, basic/versioning. */
const UNSUPPORTED_PROTOCOL_VERSION = -32_022;
/** Of revision 2026-07-28, streamable HTTP, "Server Validation". */
const HEADER_MISMATCH = -32_020;
/** What a server of the older era says on HTTP to a request without a session. */
const LEGACY_BAD_REQUEST = -32_000;

export const logLevels: readonly string[] = [
	'debug',
	'info',
	'notice',
	'warning',
	'error',
	'critical',
	'alert',
	'emergency',
];

/** One agent's connection to one server, as the agent sees it: the agent side of the relay. */
export class AgentConnection implements AgentEndpoint {
	readonly id: string;
	readonly identity: ConnectionIdentity;
	/** Whoever has the same key is the same agent as far as isolation goes. */
	readonly isolationKey: string;
	/** How it reaches the host. */
	readonly transport: 'stdio' | 'http';
	introduction: AgentIntroduction | undefined;
	readonly subscriptions = new Set<string>();
	private readonly hub: ServerHub;
	private readonly output: AgentOutput;
	/** By their scope and the raw JSON of their ids. */
	private readonly exchanges = new Map<string, { exchange: Exchange; upstream: Upstream }>();
	/** Requests of servers that the agent has not answered. */
	private readonly asked = new Map<number, Question>();
	/** Requests that wait for the agent's own input, by scope and id; `true`: nobody wants them any more. */
	private readonly gathering = new Map<string, { isCancelled: boolean }>();
	/** From which level on it wants to hear a log, by the place in the list; `undefined`: it has not said. */
	logLevel: number | undefined;
	/** Calls at servers of the older era that wait for the agent of the newer to come again, by the state that it comes with. */
	private readonly held = new Map<string, { readonly bridge: LegacyBridge; readonly key: string }>();
	/** A request that goes on with an earlier one, by scope and id: the earlier one's. */
	private readonly aliases = new Map<string, string>();
	private readonly listening = new Map<string, Subscription>();
	private isClosed = false;

	constructor(options: {
		id: string;
		hub: ServerHub;
		identity: ConnectionIdentity;
		isolationKey: string;
		transport: 'stdio' | 'http';
		introduction: AgentIntroduction | undefined;
		output: AgentOutput;
	}) {
		this.id = options.id;
		this.hub = options.hub;
		this.identity = options.identity;
		this.isolationKey = options.isolationKey;
		this.transport = options.transport;
		this.introduction = options.introduction;
		this.output = options.output;
		this.hub.attach(this);
	}

	get runningExchanges(): number {
		return this.exchanges.size;
	}

	hasCapability(name: string): boolean {
		return this.introduction !== undefined && isObject(this.introduction.capabilities[name]);
	}

	get record(): RecordOrigin {
		return { connectionId: this.id, ...this.identity };
	}

	receive(bytes: Uint8Array, channel: MessageChannel, scope: string): (() => void) | undefined {
		const message = readRpc(bytes);
		if (message.kind === 'problem') {
			const id = message.id === null ? null : encodedText(JSON.stringify(message.id));
			channel.answer(errorAnswer(id, message.code, message.reason), message.code);
			return undefined;
		}
		switch (message.kind) {
			case 'response':
			case 'error':
				this.takeAnswer(message);
				channel.accepted();
				return undefined;
			case 'notification':
				this.takeNotification(message);
				channel.accepted();
				return undefined;
			case 'request': {
				const rawId = bytesAt(message, message.spans.id) ?? encodedText('null');
				const key = `${scope}${decoded(rawId)}`;
				this.takeRequest(message, rawId, key, channel);
				return () => this.disconnected(key);
			}
		}
	}

	private disconnected(key: string): void {
		this.cancelExchange(key, 'The agent closed its connection while the call was running.', true);
	}

	/** Whether a notification is one that the agent wants to hear. */
	isWanted(message: RpcMessage): boolean {
		if (message.method !== 'notifications/message' || this.logLevel === undefined) return true;
		const level = levelOf(message.params['level']);
		return level === -1 || level >= this.logLevel;
	}

	/** Sends something that belongs to no request. */
	send(bytes: Uint8Array, message: RpcMessage): void {
		if (!this.isWanted(message)) return;
		for (const { rawId, channel, filter, uris } of this.listening.values()) {
			const wanted = filterOf[message.method];
			const isWanted =
				wanted === undefined ? uris.includes(String(message.params['uri'])) : filter[wanted] === true;
			if (isWanted) this.tellSubscriber(rawId, channel, message);
		}
		if (!this.output(bytes)) return;
		this.hub.recordOut(this.record, message, bytes, undefined);
	}

	/** Hands a request of a server to the agent; its answer goes back to the server. */
	ask(upstream: Upstream, message: RpcMessage, exchange: Exchange | undefined): void {
		const id = this.hub.newRequestId();
		const own = bytesAt(message, message.spans.id) ?? encodedText('null');
		const take = (answer: RpcMessage | undefined) =>
			upstream.answer(
				answer === undefined
					? errorAnswer(own, LEGACY_BAD_REQUEST, 'The agent closed its connection.')
					: replaced(answer.bytes, [{ span: answer.spans.id, with: own }]),
			);
		this.asked.set(id, { upstream, id: own, exchange, take });
		if (exchange !== undefined) exchange.openQuestions++;
		const bytes = replaced(message.bytes, [{ span: message.spans.id, with: encodedText(String(id)) }]);
		if (exchange !== undefined) exchange.deliver(bytes);
		else if (!this.output(bytes)) {
			this.asked.delete(id);
			const reason = 'The agent has no open stream on which it could be asked.';
			upstream.answer(errorAnswer(bytesAt(message, message.spans.id) ?? null, INVALID_REQUEST, reason));
			return;
		}
		this.hub.recordOut(exchange?.record ?? this.record, message, bytes, exchange);
	}

	/** The server takes a question back. */
	unask(upstream: Upstream, message: RpcMessage): boolean {
		const requestId = bytesAt(message, message.spans.requestId);
		if (requestId === undefined) return false;
		const raw = decoded(requestId);
		for (const [id, question] of this.asked) {
			if (question.upstream !== upstream || question.id === undefined || decoded(question.id) !== raw) continue;
			this.asked.delete(id);
			if (question.exchange !== undefined) question.exchange.openQuestions--;
			const bytes = replaced(message.bytes, [{ span: message.spans.requestId, with: encodedText(String(id)) }]);
			if (question.exchange === undefined) this.output(bytes);
			else question.exchange.deliver(bytes);
			return true;
		}
		return false;
	}

	close(): void {
		if (this.isClosed) return;
		this.isClosed = true;
		for (const rawId of [...this.exchanges.keys()]) this.disconnected(rawId);
		for (const { channel } of this.listening.values()) channel.dropped();
		this.listening.clear();
		for (const { take } of this.asked.values()) take(undefined);
		this.asked.clear();
		this.hub.detach(this);
	}

	private takeAnswer(message: RpcMessage): void {
		const question = typeof message.id === 'number' ? this.asked.get(message.id) : undefined;
		this.hub.recordIn(question?.exchange?.record ?? this.record, message, question?.exchange);
		// An answer that nobody has asked for is of no use to anybody.
		if (question === undefined || typeof message.id !== 'number') return;
		this.asked.delete(message.id);
		if (question.exchange !== undefined) question.exchange.openQuestions--;
		question.take(message);
	}

	private takeNotification(message: RpcMessage): void {
		this.hub.recordIn(this.record, message, undefined);
		switch (message.method) {
			case 'notifications/initialized':
				return;
			case 'notifications/cancelled': {
				const reason = stringAt(message.params, 'reason') ?? 'The agent cancelled the call.';
				const requestId = bytesAt(message, message.spans.requestId);
				if (requestId !== undefined) this.cancelExchange(decoded(requestId), reason, true);
				return;
			}
			default:
				this.hub.existingUpstream(this)?.notify(message.bytes);
		}
	}

	private takeRequest(message: RpcMessage, rawId: Uint8Array, key: string, channel: MessageChannel): void {
		const refuse = (code: number, reason: string, data?: JsonObject) => {
			const bytes = errorAnswer(rawId, code, reason, data);
			this.hub.recordOut(this.record, message, bytes, undefined, 'error');
			channel.answer(bytes, code);
		};
		if (this.isClosed) return refuse(INVALID_REQUEST, 'The connection is closed.');
		const { refusal } = this.hub;
		if (refusal !== undefined && message.method !== 'ping')
			return refuse(refusal.code, refusal.message, refusal.data);
		const meta = objectAt(message.params, '_meta');
		const version = stringAt(meta, META.protocolVersion);
		if (version !== undefined && message.method !== 'initialize') {
			if (version === MODERN) return void this.takeModern(message, rawId, key, meta, channel, refuse);
			const supported = this.hub.supportedRevisions;
			return refuse(UNSUPPORTED_PROTOCOL_VERSION, `Revision ${version} is not supported.`, {
				supported,
				requested: version,
			});
		}
		switch (message.method) {
			case 'initialize':
				this.hub.recordIn(this.record, message, undefined);
				return void this.initialize(message, rawId, channel, refuse);
			case 'ping': {
				const answer = resultAnswer(rawId, {});
				this.hub.recordIn(this.record, message, undefined);
				this.hub.recordOut(this.record, message, answer, undefined, 'response');
				return channel.answer(answer, undefined);
			}
			case 'logging/setLevel':
				return this.setLogLevel(message, rawId, key, channel, refuse);
			case 'resources/subscribe':
				this.subscriptions.add(stringAt(message.params, 'uri') ?? '');
				break;
			case 'resources/unsubscribe': {
				const uri = stringAt(message.params, 'uri') ?? '';
				this.subscriptions.delete(uri);
				if (!this.hub.isSubscribed(uri)) break;
				// Others of the same connection still want it.
				const answer = resultAnswer(rawId, {});
				return channel.answer(answer, undefined);
			}
		}
		this.relay(message, rawId, key, undefined, channel, refuse);
	}

	/** Of agents that share a connection the server is to serve the one that wants to hear the most. */
	private setLogLevel(
		message: RpcMessage,
		rawId: Uint8Array,
		key: string,
		channel: MessageChannel,
		refuse: (code: number, reason: string, data?: JsonObject) => void,
	): void {
		const level = levelOf(message.params['level']);
		if (level !== -1) this.logLevel = level;
		const lowest = this.hub.logLevelFor(this);
		const isAsItIs = level === -1 || lowest === undefined || lowest === logLevels[level];
		const { id, method, params } = message;
		const asked = isAsItIs
			? message
			: readRpc(encoded({ jsonrpc: '2.0', id, method, params: { ...params, level: lowest } }));
		if (asked.kind === 'request') this.relay(asked, rawId, key, undefined, channel, refuse);
	}

	private async initialize(
		message: RpcMessage,
		rawId: Uint8Array,
		channel: MessageChannel,
		refuse: (code: number, reason: string, data?: JsonObject) => void,
	): Promise<void> {
		const requested = stringAt(message.params, 'protocolVersion');
		if (requested === undefined) return refuse(INVALID_PARAMS, 'initialize needs a "protocolVersion".');
		this.introduction = {
			protocolVersion: legacyRevisions.find((known) => known === requested) ?? LATEST_LEGACY,
			clientInfo: objectAt(message.params, 'clientInfo'),
			capabilities: objectAt(message.params, 'capabilities'),
		};
		const upstream = this.hub.upstreamFor(this, this.identity, 'legacy');
		try {
			await upstream.ready();
		} catch (error) {
			if (!(error instanceof CallFailure)) throw error;
			return refuse(error.code, error.message, error.data);
		}
		const { protocolVersion } = this.introduction;
		const told = upstream.introduction;
		const result =
			told?.era === 'modern'
				? initializeResult(told.result, protocolVersion, this.hub.name)
				: { ...told?.result, protocolVersion };
		const answer = resultAnswer(rawId, result);
		this.hub.recordOut(this.record, message, answer, undefined, 'response');
		channel.answer(answer, undefined);
	}

	private async takeModern(
		message: RpcMessage,
		rawId: Uint8Array,
		key: string,
		meta: JsonObject,
		channel: MessageChannel,
		refuse: (code: number, reason: string, data?: JsonObject) => void,
	): Promise<void> {
		this.introduction ??= {
			protocolVersion: MODERN,
			clientInfo: objectAt(meta, META.clientInfo),
			capabilities: objectAt(meta, META.clientCapabilities),
		};
		if (!this.hub.isKnownModern) {
			try {
				if (!(await this.hub.speaksModern(this))) return this.bridge(message, rawId, key, channel, refuse);
			} catch (error) {
				if (!(error instanceof CallFailure)) throw error;
				return refuse(error.code, error.message, error.data);
			}
		}
		this.relay(message, rawId, key, MODERN, channel, refuse);
	}

	/** A request of revision 2026-07-28 for a server that speaks only those before it. */
	private bridge(
		message: RpcMessage,
		rawId: Uint8Array,
		key: string,
		channel: MessageChannel,
		refuse: (code: number, reason: string, data?: JsonObject) => void,
	): void {
		switch (message.method) {
			case 'server/discover':
				// Nearly every client falls back to the handshake when it hears this, and then nothing has to be translated.
				return refuse(
					LEGACY_BAD_REQUEST,
					`Bad Request: ${this.hub.name} speaks ${legacyRevisions[0]} and earlier; initialize first.`,
				);
			case 'subscriptions/listen':
				this.listen(objectAt(message.params, 'notifications'), rawId, key, channel);
				return;
			case 'tools/call':
			case 'prompts/get':
			case 'resources/read': {
				const state = stringAt(message.params, 'requestState');
				if (state === undefined) break;
				const held = this.held.get(state);
				if (held === undefined)
					return refuse(
						INVALID_PARAMS,
						'The requestState is not one that this server has given, or was used before.',
					);
				this.held.delete(state);
				this.aliases.set(key, held.key);
				held.bridge.goOn(message.params, rawId, channel);
				return;
			}
		}
		const bridge = new LegacyBridge({
			method: message.method,
			channel,
			rawId,
			hold: (holding) => {
				const state = this.hub.platform.random.id();
				this.held.set(state, { bridge: holding, key });
				return state;
			},
			reply: (bytes) => void this.receive(bytes, unheard, ''),
			ended: () => {
				for (const [state, held] of this.held) if (held.bridge === bridge) this.held.delete(state);
				for (const [alias, first] of this.aliases) if (first === key) this.aliases.delete(alias);
			},
		});
		this.relay(message, rawId, key, undefined, bridge, refuse);
	}

	/** A subscription to changes, which servers of the older era tell without being asked, but for those of resources. */
	private listen(filter: JsonObject, rawId: Uint8Array, key: string, channel: MessageChannel): void {
		const uris = Array.isArray(filter['resourceSubscriptions']) ? filter['resourceSubscriptions'].map(String) : [];
		this.listening.set(key, { rawId, channel, filter, uris });
		for (const uri of uris) this.subscriptions.add(uri);
		const acknowledged = readRpc(
			encoded({
				jsonrpc: '2.0',
				method: 'notifications/subscriptions/acknowledged',
				params: { notifications: filter },
			}),
		);
		if (acknowledged.kind === 'notification') this.tellSubscriber(rawId, channel, acknowledged);
		const upstream = this.hub.upstreamFor(this, this.identity, 'legacy');
		upstream
			.ready()
			.then(() =>
				uris.map((uri) => upstream.ask('resources/subscribe', { uri }, this.hub.definition.limits.connectMs)),
			)
			.then(async (asked) => Promise.all(asked))
			// A server that cannot be subscribed to tells nothing; the subscription stays open for what else it tells.
			.catch(() => {});
	}

	private tellSubscriber(rawId: Uint8Array, channel: MessageChannel, message: RpcMessage): void {
		channel.deliver(withMeta(message, { [META.subscriptionId]: JSON.parse(decoded(rawId)) as unknown }).bytes);
	}

	private relay(
		message: RpcMessage,
		rawId: Uint8Array,
		key: string,
		protocolVersion: string | undefined,
		channel: MessageChannel,
		refuse: (code: number, reason: string, data?: JsonObject) => void,
	): void {
		if (this.exchanges.has(key))
			return refuse(INVALID_REQUEST, `The id ${decoded(rawId)} is in use by a request that has no answer yet.`);
		const tool = message.method === 'tools/call' ? stringAt(message.params, 'name') : undefined;
		if (message.method === 'tools/call' && tool === undefined)
			return refuse(INVALID_PARAMS, 'tools/call needs the "name" of a tool.');
		const { hub } = this;
		const args = objectAt(message.params, 'arguments');
		const mismatch =
			channel.headers === undefined ? undefined : mismatchOf(hub.mirroredOf(tool), channel.headers, args);
		if (mismatch !== undefined) return refuse(HEADER_MISMATCH, mismatch);
		const upstream = hub.upstreamFor(this, this.identity, protocolVersion === undefined ? 'legacy' : 'modern');
		if (protocolVersion === undefined && upstream.introduction?.era === 'modern') {
			if (this.answerForModern(message, rawId, upstream, channel)) return;
			const level = this.logLevel === undefined ? undefined : logLevels[this.logLevel];
			const translated = modernized(message, this.introduction, level);
			this.start(translated, rawId, key, MODERN, channel, true);
			return;
		}
		this.start(message, rawId, key, protocolVersion, channel, false);
	}

	/** What a server of the modern era is not asked any more. `true`: it is answered. */
	private answerForModern(
		message: RpcMessage,
		rawId: Uint8Array,
		upstream: Upstream,
		channel: MessageChannel,
	): boolean {
		if (!['logging/setLevel', 'resources/subscribe', 'resources/unsubscribe'].includes(message.method))
			return false;
		if (message.method !== 'logging/setLevel') this.hub.listenFor(upstream);
		channel.answer(resultAnswer(rawId, {}), undefined);
		return true;
	}

	private start(
		message: RpcMessage,
		rawId: Uint8Array,
		key: string,
		protocolVersion: string | undefined,
		channel: MessageChannel,
		isTranslated: boolean,
	): void {
		const { hub } = this;
		const tool = message.method === 'tools/call' ? stringAt(message.params, 'name') : undefined;
		let learning: Disposable | undefined;
		let origin: CallOrigin = { ...this.identity, toolUseId: undefined };
		if (tool !== undefined) {
			const attributed = hub.attribution.wire(objectAt(message.params, '_meta'), this.identity, (learnt) => {
				exchange.record.agentId = learnt.agentId;
				exchange.record.sessionId = learnt.sessionId;
				hub.learnt(upstream, exchange);
			});
			learning = attributed;
			({ origin } = attributed);
		}
		const era = protocolVersion === undefined ? 'legacy' : 'modern';
		const upstream = hub.upstreamFor(this, origin, era);
		const again = () => {
			// While it was held its connection may have become another.
			const next = hub.upstreamFor(this, origin, era);
			this.exchanges.set(key, { exchange, upstream: next });
			next.submit(exchange);
		};
		const exchange = new Exchange({
			callId: hub.newCallId(),
			server: hub.name,
			agent: this,
			message,
			origin,
			connectionId: this.id,
			owner: upstream.owner,
			tool,
			startedAt: hub.platform.clock.now(),
			began: hub.platform.clock.elapsed(),
			headers: channel.headers ?? mirroredHeaders(hub.mirroredOf(tool), objectAt(message.params, 'arguments')),
			protocolVersion,
			deliver: (bytes) => channel.deliver(bytes),
			progressToken: bytesAt(message, message.spans.metaProgressToken),
			rawId,
			finish: (end) => {
				if (hub.holds.after(exchange, end, again)) return;
				learning?.dispose();
				this.exchanges.delete(key);
				const input = isTranslated && end.answer !== undefined ? neededInput(end.answer) : undefined;
				if (input === undefined) {
					this.answer(exchange, end, channel);
					return;
				}
				hub.ended(exchange, end, undefined);
				const gathering = { isCancelled: false };
				this.gathering.set(key, gathering);
				void this.gather(input.requests, upstream, channel).then((inputResponses) => {
					this.gathering.delete(key);
					if (gathering.isCancelled || this.isClosed) {
						channel.dropped();
						return;
					}
					const state = input.requestState === undefined ? {} : { requestState: input.requestState };
					this.start(
						withParams(exchange.message, { inputResponses, ...state }),
						rawId,
						key,
						protocolVersion,
						channel,
						true,
					);
				});
			},
		});
		this.exchanges.set(key, { exchange, upstream });
		hub.recordIn(exchange.record, message, exchange);
		if (!hub.holds.before(exchange, upstream, submit)) submit();

		function submit(): void {
			const policy = tool === undefined ? 'off' : hub.scopes.policyOf(tool, exchange.agent.identity);
			if (tool === undefined || policy === 'off') upstream.submit(exchange);
			else hub.scopes.enforce(exchange, tool, policy, upstream);
		}
	}

	/** Asks the agent what a server needs to know, as servers of the agent's own era ask. What it refuses is left out. */
	private async gather(
		requests: readonly { key: string; method: string; params: JsonObject }[],
		upstream: Upstream,
		channel: MessageChannel,
	): Promise<JsonObject> {
		const answers = await Promise.all(
			requests.map(
				({ key, method, params }) =>
					new Promise<readonly [string, JsonObject][]>((resolve) => {
						const id = this.hub.newRequestId();
						const take = (answer: RpcMessage | undefined) =>
							resolve(answer?.kind === 'response' ? [[key, answer.result]] : []);
						this.asked.set(id, { upstream, id: undefined, exchange: undefined, take });
						channel.deliver(serverRequest(id, method, params));
					}),
			),
		);
		return Object.fromEntries(answers.flat());
	}

	private answer(exchange: Exchange, end: ExchangeEnd, channel: MessageChannel): void {
		const { hub } = this;
		const { message, rawId } = exchange;
		let bytes: Uint8Array;
		let code: number | undefined;
		if (end.answer !== undefined) {
			const { spans } = end.answer;
			bytes = replaced(end.answer.bytes, [
				{ span: spans.id, with: rawId },
				{ span: spans.subscriptionId, with: rawId },
			]);
			if (end.answer.kind === 'error') code = Number(end.answer.result['code']);
			hub.observe(exchange, end.answer);
		} else {
			const failure = end.failure ?? new CallFailure('refused', 'The call has no answer.', { server: hub.name });
			({ code } = failure);
			bytes = errorAnswer(rawId, failure.code, failure.message, failure.data);
		}
		hub.ended(exchange, end, code);
		if (exchange.isUnwanted) {
			// MCP, cancellation: "should not send a response for the cancelled request".
			channel.dropped();
			return;
		}
		hub.recordOut(exchange.record, message, bytes, exchange, code === undefined ? 'response' : 'error');
		channel.answer(bytes, code);
	}

	/** @param isOwn The agent itself does not want it any more, so it gets no answer. */
	private cancelExchange(rawId: string, reason: string, isOwn: boolean): void {
		const subscription = this.listening.get(rawId);
		if (subscription !== undefined) {
			this.listening.delete(rawId);
			subscription.channel.dropped();
			return;
		}
		const gathering = this.gathering.get(rawId);
		if (gathering !== undefined) gathering.isCancelled = true;
		const found = this.exchanges.get(this.aliases.get(rawId) ?? rawId);
		if (found === undefined) return;
		found.exchange.isUnwanted = isOwn;
		const failure = new CallFailure('cancelled', reason, { server: this.hub.name, tool: found.exchange.tool });
		found.upstream.cancel(found.exchange, 'cancelled', failure, reason);
	}

	/** As `cancelExchange`, from outside: the call with the host's own id. */
	cancelCall(callId: string, reason: string): boolean {
		for (const [rawId, { exchange }] of this.exchanges) {
			if (exchange.callId !== callId) continue;
			this.cancelExchange(rawId, reason, false);
			return true;
		}
		return false;
	}
}

function levelOf(level: unknown): number {
	return logLevels.indexOf(String(level));
}
