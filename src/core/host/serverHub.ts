import type { SessionId } from '../base/ids.ts';
import type { Disposable } from '../base/lifecycle.ts';
import { counted } from '../base/text.ts';
import { logLevels } from './agentConnection.ts';
import type { AgentConnection } from './agentConnection.ts';
import type { ConnectionIdentity } from './agentIdentity.ts';
import type { Attribution } from './attribution.ts';
import type { Exchange, ExchangeEnd } from './exchange.ts';
import { CallFailure } from './failures.ts';
import type { Metrics } from './metrics.ts';
import { mirroredArguments } from './mirroredArguments.ts';
import type { MirroredArgument } from './mirroredArguments.ts';
import type { DebuggedTool } from './debug/createDebugGate.ts';
import type { DebugGate } from './debug/debugGate.ts';
import { LeftOutScopes } from './debug/leftOutScopes.ts';
import { WireHolds } from './debug/wireHolds.ts';
import type { HoldingServer } from './debug/wireHolds.ts';
import { ListedTools } from './listedTools.ts';
import type { HostPlatform } from './ports.ts';
import { RecentDurations } from './recentDurations.ts';
import type { RecordOrigin, Recorder } from './recorder.ts';
import {
	INVALID_REQUEST,
	METHOD_NOT_FOUND,
	bytesAt,
	errorAnswer,
	isObject,
	objectAt,
	readRpc,
	replaced,
	stringAt,
} from './rpc.ts';
import type { JsonObject, RpcMessage } from './rpc.ts';
import { MODERN, legacyRevisions } from './revisions.ts';
import type { FaultBook } from './faults/faultBook.ts';
import { FaultInjection } from './faults/faultInjection.ts';
import type { ScopeBook } from './scopes/scopeBook.ts';
import { ScopeEnforcement } from './scopes/scopeEnforcement.ts';
import type { EnforcedServer } from './scopes/scopeEnforcement.ts';
import type { ServerDefinition } from './serverDefinition.ts';
import type { ExitStatus, ServerStatus, UpstreamState } from './status.ts';
import { SoleUse, readingMethods } from './soleUse.ts';
import { MAXIMUM_OUTPUT, Upstream } from './upstream.ts';
import type { ReconnectCause } from '../events/sessionEvent.ts';
import type { ClientIntroduction, Era, UpstreamListener } from './upstream.ts';

/** What the parts of the host share. */
export interface HostServices {
	readonly platform: HostPlatform;
	readonly recorder: Recorder;
	readonly attribution: Attribution;
	readonly metrics: Metrics;
	readonly version: string;
	readonly scopeBook: ScopeBook;
	readonly faultBook: FaultBook;
	/** Where calls pass debuggers. */
	readonly debug: DebugGate;
	/** Puts a session of the host's own store out of memory. `false`: the store knows none of that name. */
	readonly evictSession: ((sessionId: string) => Promise<boolean>) | undefined;
	/** Every name that somebody has for a server, its own among them. */
	namesOf(server: string): readonly string[];
	/** A new id of ours, unique in this host. */
	newId(prefix: string): string;
	/** A number that no other request has which a server asks through this host. */
	newRequestId(): number;
	/** The tools that a host before this one has known of a server. */
	toolsBefore(server: string): readonly string[];
	didChange(): void;
}

/** A server that no agent has used for so long is let go. Agents come and go, and a start may cost seconds. */
const UNUSED_MS = 5 * 60_000;

/** A server that has always one more page of tools is not asked for ever. */
const MOST_PAGES = 100;

type EffectiveSharing = ServerStatus['sharing'];

/** Which capability an agent needs for a server's request. */
const capabilityOf: Readonly<Record<string, string>> = {
	'roots/list': 'roots',
	'sampling/createMessage': 'sampling',
	'elicitation/create': 'elicitation',
};

/** One MCP server as the agents know it: its connections, who uses which, and what was learnt about it. */
export class ServerHub implements UpstreamListener {
	readonly services: HostServices;
	readonly platform: HostPlatform;
	readonly attribution: Attribution;
	definition: ServerDefinition;
	/** What people have set for the scopes of its tools. */
	readonly scopes: ScopeEnforcement;
	private readonly faults: FaultInjection;
	/** Calls that a debugger holds. */
	readonly holds: WireHolds;
	private readonly leftOutScopes: LeftOutScopes;
	/** The server speaks revision 2026-07-28; `undefined`: nobody has asked it yet. */
	private modern: boolean | undefined;
	/** It does not know the handshake. */
	private isModernOnly = false;
	private readonly upstreams = new Map<string, Upstream>();
	private readonly agents = new Set<AgentConnection>();
	/** Who has used a connection: one agent's subagents may have several. */
	private readonly users = new WeakMap<Upstream, Set<AgentConnection>>();
	private readonly soleUse = new SoleUse();
	/** Of tools that have been listed: whether they may run twice without harm, by their annotations. */
	private readonly repeatableTools = new Map<string, boolean>();
	/** What it has said of its tools, for the record. */
	private readonly listed: ListedTools;
	/** By tool: which arguments are also said in headers. */
	private readonly mirrored = new Map<string, readonly MirroredArgument[]>();
	private digest: string;
	private statefulBecause: string | undefined;
	private readonly durations = new RecentDurations();
	private readonly totals = { calls: 0, errors: 0, timeouts: 0, cancelled: 0, reconnects: 0 };
	/** Of connections that are gone. */
	private pastExit: ExitStatus | undefined;
	private pastOutput = '';
	private unused: Disposable | undefined;
	/** Why nothing is started for anybody any more. */
	private closedBecause: string | undefined;

	constructor(definition: ServerDefinition, services: HostServices) {
		this.definition = definition;
		this.services = services;
		this.platform = services.platform;
		this.attribution = services.attribution;
		this.digest = this.platform.seal.of(JSON.stringify(definition));
		this.scopes = new ScopeEnforcement(this.enforcedServer());
		this.faults = new FaultInjection(services.faultBook, {
			name: definition.name,
			clock: services.platform.clock,
			recorder: services.recorder,
			usersOf: (upstream) => this.agentsOf(upstream),
			evictSession: services.evictSession,
			didChange: () => this.didChange(),
		});
		this.holds = new WireHolds(this.holdingServer());
		this.leftOutScopes = new LeftOutScopes(services.scopeBook);
		this.listed = new ListedTools(services.toolsBefore(definition.name));
	}

	get name(): string {
		return this.definition.name;
	}

	/** The revisions that an agent may speak to this server. */
	get supportedRevisions(): readonly string[] {
		for (const { introduction } of this.upstreams.values()) {
			const told = introduction?.era === 'modern' ? introduction.result['supportedVersions'] : undefined;
			if (Array.isArray(told)) return told.map(String);
		}
		return [MODERN, ...legacyRevisions];
	}

	get isKnownModern(): boolean {
		return this.modern === true;
	}

	get sharing(): EffectiveSharing {
		const { sharing } = this.definition;
		if (sharing !== 'auto') return sharing;
		return this.statefulBecause === undefined ? 'shared' : 'per-agent';
	}

	/** Requests of agents that have no answer yet. */
	get exchanges(): readonly Exchange[] {
		return [
			...[...this.upstreams.values()].flatMap(({ runningExchanges, waitingExchanges }) => [
				...runningExchanges,
				...waitingExchanges,
			]),
			...this.scopes.deciding,
			...this.holds.held,
		];
	}

	/** What the server has printed beside the protocol, as far as it is kept. */
	get output(): string {
		return [this.pastOutput, ...[...this.upstreams.values()].map(({ output }) => output)].join('\n').trimStart();
	}

	/** Why there is no connection to be had; `undefined`: there may be one. */
	get refusal(): CallFailure | undefined {
		const reason = this.closedBecause;
		return reason === undefined ? undefined : new CallFailure('server-unavailable', reason, { server: this.name });
	}

	get agentCount(): number {
		return this.agents.size;
	}

	/** Whether an agent of this session is connected. */
	hasAgentOf(sessionId: SessionId): boolean {
		return [...this.agents].some(({ identity }) => identity.sessionId === sessionId);
	}

	get callsInFlight(): number {
		let count = 0;
		for (const upstream of this.upstreams.values()) count += inFlight(upstream).running + inFlight(upstream).queued;
		return count + this.scopes.deciding.size + this.holds.held.size;
	}

	/** Whose a call is that is under way is known only now. */
	learnt(upstream: Upstream, exchange: Exchange): void {
		this.soleUse.learnt(upstream, exchange);
		this.didChange();
	}

	newCallId(): string {
		return this.services.newId('call');
	}

	newRequestId(): number {
		return this.services.newRequestId();
	}

	didChange(): void {
		this.services.didChange();
	}

	attach(agent: AgentConnection): void {
		this.agents.add(agent);
		this.unused?.dispose();
		this.unused = undefined;
		this.didChange();
	}

	detach(agent: AgentConnection): void {
		this.agents.delete(agent);
		for (const [key, upstream] of this.upstreams) {
			this.users.get(upstream)?.delete(agent);
			if (upstream.owner === 'all' || this.isWanted(upstream) || hasWork(upstream)) continue;
			this.letGo(key, upstream, `${this.name} was closed because the agent that it was for has gone.`);
		}
		if (this.agents.size === 0 && this.closedBecause === undefined) {
			this.unused?.dispose();
			this.unused = this.platform.clock.after(UNUSED_MS, () => this.letAllGo());
		}
		this.didChange();
	}

	private enforcedServer(): EnforcedServer {
		const { services } = this;
		const names = () => services.namesOf(this.name);
		const definition = () => this.definition;
		return {
			get definition() {
				return definition();
			},
			get names() {
				return names();
			},
			book: services.scopeBook,
			clock: services.platform.clock,
			recorder: services.recorder,
			listTools: async (upstream) => this.listTools(upstream),
			mirroredOf: (tool) => this.mirroredOf(tool),
			didChange: () => this.didChange(),
		};
	}

	private holdingServer(): HoldingServer {
		const name = () => this.name;
		return {
			get name() {
				return name();
			},
			gate: this.services.debug,
			clock: this.platform.clock,
			mirroredOf: (tool) => this.mirroredOf(tool),
			learnOf: (tool, upstream) => {
				if (this.repeatableTools.has(tool)) return;
				upstream
					.ready()
					.then(async () => this.listTools(upstream))
					// Then nothing is known of the tool, and whatever somebody makes of its arguments is tried.
					.catch(() => {});
			},
			tellAgent: (exchange, bytes) => {
				const message = readRpc(bytes);
				if (message.kind !== 'problem') this.recordOut(exchange.record, message, bytes, exchange);
				exchange.deliver(bytes);
			},
			didChange: () => this.didChange(),
		};
	}

	/** What the server has listed of a tool, and has not taken back since. */
	toolOf(tool: string): DebuggedTool | undefined {
		const isRepeatable = this.repeatableTools.get(tool);
		const { inputSchema } = this.listed.of(tool) ?? {};
		if (isRepeatable === undefined) return undefined;
		return {
			isRepeatable,
			// Most of those who ask do not look at it.
			get inputSchema(): unknown {
				return inputSchema === undefined ? undefined : (JSON.parse(inputSchema) as unknown);
			},
		};
	}

	/** As `DebugGateOptions.scopeLeftOut`. */
	scopeLeftOut(tool: string, args: unknown): string | null | undefined {
		if (!this.repeatableTools.has(tool)) return undefined;
		const tools = () =>
			this.listed.all.map((one) => ({
				server: this.name,
				name: one.tool,
				description: one.description,
				inputSchema: one.inputSchema,
			}));
		return this.leftOutScopes.of(this.services.namesOf(this.name), tool, tools, args);
	}

	private letAllGo(): void {
		// Of one that failed nothing is left but the reason, which people still want to see.
		for (const [key, upstream] of this.upstreams)
			if (!hasWork(upstream) && upstream.state !== 'failed')
				this.letGo(key, upstream, `${this.name} was closed because no agent uses it.`);
		this.didChange();
	}

	/** Connections of the time when all agents shared one. */
	private letSharedGo(): void {
		for (const [key, upstream] of this.upstreams)
			if (upstream.owner === 'all' && !hasWork(upstream) && isAtRest(upstream))
				this.letGo(key, upstream, `${this.name} is not shared any more.`);
	}

	private letGo(key: string, upstream: Upstream, reason: string): void {
		this.upstreams.delete(key);
		this.remember(upstream);
		void upstream.close(reason);
	}

	/** The connection that serves this agent. */
	upstreamFor(agent: AgentConnection, origin: ConnectionIdentity, era: Era): Upstream {
		const upstream = this.findOrMakeUpstream(agent, origin, era);
		const users = this.users.get(upstream) ?? new Set();
		this.users.set(upstream, users.add(agent));
		return upstream;
	}

	private findOrMakeUpstream(agent: AgentConnection, origin: ConnectionIdentity, era: Era): Upstream {
		const owner = this.ownerFor(agent, origin);
		const key = `${era} ${owner}`;
		const known = this.upstreams.get(key);
		if (known !== undefined) return known;
		// A connection that was made for agents of the older era, to a server that knows only the newer, is as good for both.
		const other = this.upstreams.get(`${era === 'modern' ? 'legacy' : 'modern'} ${owner}`);
		if (other?.introduction?.era === 'modern' && (era === 'modern' || this.isModernOnly)) return other;
		const upstream = new Upstream({
			id: this.services.newId('upstream'),
			definition: this.definition,
			owner,
			era,
			client: this.introductionFor(agent, owner),
			platform: this.platform,
			recorder: this.services.recorder,
			listener: this,
		});
		this.upstreams.set(key, upstream);
		return upstream;
	}

	/** The connection that this agent's messages without an answer go to, if there is one. */
	existingUpstream(agent: AgentConnection): Upstream | undefined {
		return this.upstreams.get(`legacy ${this.ownerFor(agent, agent.identity)}`);
	}

	/** Finds out whether the server speaks revision 2026-07-28. Rejects with `CallFailure` when there is no connection to be had. */
	async speaksModern(agent: AgentConnection): Promise<boolean> {
		if (this.modern !== undefined) return this.modern;
		const upstream = this.upstreamFor(agent, agent.identity, 'modern');
		await upstream.ready();
		this.modern = upstream.era === 'modern';
		if (this.modern) return true;
		// It has answered the older handshake: from now on this is the connection for agents of that era.
		this.upstreams.delete(`modern ${upstream.owner}`);
		const key = `legacy ${upstream.owner}`;
		if (this.upstreams.has(key)) {
			this.remember(upstream);
			void upstream.close('A connection of this kind exists already.');
		} else this.upstreams.set(key, upstream);
		return false;
	}

	isSubscribed(uri: string): boolean {
		return [...this.agents].some((agent) => agent.subscriptions.has(uri));
	}

	/** The lowest level that an agent wants of the log on the connection of this one; `undefined`: none has said. */
	logLevelFor(agent: AgentConnection): string | undefined {
		const upstream = this.existingUpstream(agent);
		return lowestLevel(upstream === undefined ? [agent] : this.agentsOf(upstream));
	}

	/** Agents of the older era hear of changes without asking; of resources, when they have subscribed to them. */
	listenFor(upstream: Upstream): void {
		const resourceSubscriptions = [
			...new Set(this.agentsOf(upstream).flatMap((agent) => [...agent.subscriptions])),
		];
		const lists = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
		upstream.listen({ ...lists, resourceSubscriptions });
	}

	async reconnect(reason: string): Promise<void> {
		await Promise.all([...this.upstreams.values()].map((upstream) => upstream.reconnect(reason)));
	}

	/** Takes up another definition: connections are made anew when their calls have ended. */
	redefine(definition: ServerDefinition): void {
		if (JSON.stringify(definition) === JSON.stringify(this.definition)) return;
		this.definition = definition;
		this.digest = this.platform.seal.of(JSON.stringify(definition));
		this.modern = undefined;
		this.forgetTools();
		for (const upstream of this.upstreams.values()) {
			upstream.definition = definition;
			// Whoever waits for the new connection is told if there is none.
			if (upstream.state !== 'stopped') upstream.reconnect('its configuration was changed').catch(() => {});
		}
	}

	/** It is in the configuration again: those who were its agents all the while are so again. */
	reopen(definition: ServerDefinition): void {
		this.closedBecause = undefined;
		this.redefine(definition);
	}

	cancelCall(callId: string, reason: string): boolean {
		return [...this.agents].some((agent) => agent.cancelCall(callId, reason));
	}

	async close(reason: string): Promise<void> {
		this.closedBecause = reason;
		this.unused?.dispose();
		// What was held is not begun any more.
		this.holds.close(reason);
		const upstreams = [...this.upstreams.values()];
		await Promise.all(upstreams.map((upstream) => upstream.close(reason)));
	}

	// What happens on the server's side.

	onConnected(upstream: Upstream): void {
		// It may be of another version.
		this.scopes.forget();
		// A process that was started anew knows nothing of what its forerunner was asked to tell.
		if (upstream.era === 'modern') {
			if (this.upstreams.get(`legacy ${upstream.owner}`) !== upstream) return;
			this.isModernOnly = true;
			this.modern = true;
			this.listenFor(upstream);
			return;
		}
		const { connectMs } = this.definition.limits;
		const agents = this.agentsOf(upstream);
		for (const uri of new Set(agents.flatMap((agent) => [...agent.subscriptions])))
			upstream.ask('resources/subscribe', { uri }, connectMs).catch(() => {});
		const level = lowestLevel(agents);
		if (level !== undefined) upstream.ask('logging/setLevel', { level }, connectMs).catch(() => {});
	}

	befall(upstream: Upstream, exchange: Exchange): boolean {
		if (upstream.owner === 'all') this.soleUse.note(upstream, exchange);
		return this.faults.befall(upstream, exchange);
	}

	onReconnect(cause: ReconnectCause): void {
		this.services.metrics.reconnect(this.name, cause);
	}

	onDidChange(): void {
		this.didChange();
	}

	isWanted(upstream: Upstream): boolean {
		if (upstream.owner === 'all' && this.sharing !== 'shared') return false;
		return this.agentsOf(upstream).length > 0;
	}

	isRepeatable(exchange: Exchange): boolean | undefined {
		if (exchange.tool === undefined) return readingMethods.has(exchange.message.method);
		return this.repeatableTools.get(exchange.tool);
	}

	async listTools(upstream: Upstream): Promise<void> {
		const meta = upstream.era === 'modern' ? { _meta: upstream.ownMeta() } : {};
		let cursor: string | undefined;
		for (let page = 0; page < MOST_PAGES; page++) {
			const params = { ...(cursor === undefined ? {} : { cursor }), ...meta };
			const { result } = await upstream.ask('tools/list', params, this.definition.limits.connectMs);
			this.learn(result);
			this.recordTools(result, cursor, upstream.owner);
			cursor = stringAt(result, 'nextCursor');
			if (cursor === undefined) return;
		}
	}

	onNotification(upstream: Upstream, message: RpcMessage, exchange: Exchange | undefined): void {
		if (message.method === 'notifications/tools/list_changed') {
			this.forgetTools();
		}
		if (message.method === 'notifications/cancelled') {
			for (const agent of this.agents) if (agent.unask(upstream, message)) return;
			return;
		}
		if (exchange !== undefined) {
			if (!exchange.agent.isWanted(message)) return;
			const { progress } = message.params;
			if (typeof progress === 'number') exchange.progress = Math.max(exchange.progress, progress);
			const bytes = replaced(message.bytes, [
				...(exchange.progressToken === undefined
					? []
					: [{ span: message.spans.progressToken, with: exchange.progressToken }]),
				{ span: message.spans.subscriptionId, with: exchange.rawId },
			]);
			this.recordOut(exchange.record, message, bytes, exchange);
			exchange.deliver(bytes);
			return;
		}
		// Progress of a request that nobody waits for any more; what the server says to the host's own subscription.
		if (
			message.method === 'notifications/progress' ||
			message.method === 'notifications/subscriptions/acknowledged'
		)
			return;
		if (message.method === 'notifications/resources/updated') {
			const uri = stringAt(message.params, 'uri') ?? '';
			for (const agent of this.agentsOf(upstream))
				if (agent.subscriptions.has(uri)) agent.send(message.bytes, message);
			return;
		}
		// What a server says while it works for one agent is that agent's; what it says by itself is everybody's.
		const working =
			message.method === 'notifications/message' ? agentsWithCalls(upstream) : new Set<AgentConnection>();
		const [only] = working;
		if (working.size === 1 && only !== undefined) {
			const [running] = upstream.runningExchanges;
			if (running === undefined) only.send(message.bytes, message);
			else if (only.isWanted(message)) {
				this.recordOut(running.record, message, message.bytes, running);
				running.deliver(message.bytes);
			}
			return;
		}
		for (const agent of this.agentsOf(upstream)) agent.send(message.bytes, message);
	}

	onRequest(upstream: Upstream, message: RpcMessage, related: Exchange | undefined): void {
		const id = bytesAt(message, message.spans.id) ?? null;
		if (message.method === 'ping') {
			upstream.answer(
				replaced(pong, [{ span: { start: pongIdAt, end: pongIdAt + 1 }, with: id ?? new Uint8Array() }]),
			);
			return;
		}
		if (message.method !== 'roots/list') this.provedStateful(upstream, message.method, related?.agent);
		const found = related === undefined ? this.whomToAsk(upstream) : { agent: related.agent, exchange: related };
		if (typeof found === 'string') {
			upstream.answer(errorAnswer(id, INVALID_REQUEST, `${message.method} was refused: ${found}`));
			return;
		}
		const { agent, exchange } = found;
		const capability = capabilityOf[message.method];
		if (capability !== undefined && !agent.hasCapability(capability)) {
			upstream.answer(
				errorAnswer(
					id,
					METHOD_NOT_FOUND,
					`The agent whose call this belongs to has no capability "${capability}".`,
				),
			);
			return;
		}
		agent.ask(upstream, message, exchange);
	}

	// What the agents' side tells.

	recordIn(origin: RecordOrigin, message: RpcMessage, exchange: Exchange | undefined): void {
		this.record('in', origin, message, message.bytes, exchange, message.kind);
	}

	/** @param message Of an answer: the request that it answers. */
	recordOut(
		origin: RecordOrigin,
		message: RpcMessage,
		bytes: Uint8Array,
		exchange: Exchange | undefined,
		kind: RpcMessage['kind'] = message.kind,
	): void {
		this.record('out', origin, message, bytes, exchange, kind);
	}

	/** The arguments of a tool that are also said in headers, as far as the tool has been seen. */
	mirroredOf(tool: string | undefined): readonly MirroredArgument[] {
		return (tool === undefined ? undefined : this.mirrored.get(tool)) ?? [];
	}

	/** Learns from what passes: which tools may be repeated, and which of their arguments are said in headers. */
	observe(exchange: Exchange, answer: RpcMessage): void {
		const { method, params } = exchange.message;
		if (method === 'tools/list') {
			this.learn(answer.result);
			if (answer.kind === 'response') this.recordTools(answer.result, stringAt(params, 'cursor'), exchange.owner);
		} else if (exchange.tool !== undefined) this.scopes.observe(exchange, answer);
	}

	private forgetTools(): void {
		this.repeatableTools.clear();
		this.leftOutScopes.forget();
		this.scopes.forget();
	}

	private learn({ tools }: JsonObject): void {
		for (const tool of Array.isArray(tools) ? (tools as readonly unknown[]) : []) {
			if (!isObject(tool)) continue;
			const name = stringAt(tool, 'name');
			if (name === undefined) continue;
			const mirrored = mirroredArguments(tool['inputSchema']);
			if (mirrored.length > 0) this.mirrored.set(name, mirrored);
			else this.mirrored.delete(name);
			const { readOnlyHint, idempotentHint } = objectAt(tool, 'annotations');
			this.leftOutScopes.forget();
			this.repeatableTools.set(name, readOnlyHint === true || idempotentHint === true);
			this.scopes.learn(tool);
		}
	}

	private recordTools(result: JsonObject, cursor: string | undefined, owner: string): void {
		const upstreamOf = (of: string) => this.upstreams.get(`legacy ${of}`) ?? this.upstreams.get(`modern ${of}`);
		const upstream = upstreamOf(owner);
		if (upstream === undefined) return;
		const { id: upstreamId, pid } = upstream;
		const changes = this.listed.take(result, cursor, owner, (of) => upstreamOf(of) !== undefined);
		for (const change of changes)
			this.services.recorder.toolDescribed({ ...change, server: this.name, upstreamId, pid });
	}

	ended(exchange: Exchange, end: ExchangeEnd, code: number | undefined): void {
		if (this.sharing !== 'shared' && [...this.upstreams.values()].some(({ owner }) => owner === 'all')) {
			// Not from within what the connection itself is doing.
			this.platform.clock.after(0, () => this.letSharedGo());
		}
		const durationMs = this.platform.clock.elapsed() - exchange.began;
		// While somebody looks at a call in a debugger nobody is slow.
		const workedMs = durationMs - exchange.heldMs;
		const isToolError = end.answer?.kind === 'response' && end.answer.result['isError'] === true;
		if (exchange.tool !== undefined) {
			this.totals.calls++;
			if (end.ending === 'timed-out') this.totals.timeouts++;
			else if (end.ending === 'cancelled') this.totals.cancelled++;
			else if (end.ending !== 'completed') this.totals.errors++;
			// What the host answers itself tells nothing of how fast the server is.
			if (end.reason === undefined) this.durations.add(workedMs);
			this.services.recorder.callEnded(exchange.record, exchange, {
				ending: end.ending,
				durationMs,
				reason: end.failure?.message ?? end.reason,
			});
		}
		const operation = {
			server: this.name,
			method: exchange.message.method,
			tool: exchange.tool,
			transport: this.definition.transport.kind,
			protocolVersion: exchange.protocolVersion ?? exchange.agent.introduction?.protocolVersion,
			errorType: isToolError
				? 'tool_error'
				: code === undefined
					? undefined
					: (end.failure?.type ?? String(code)),
			callId: exchange.callId,
		};
		const { metrics } = this.services;
		metrics.operation({
			...operation,
			side: 'server',
			transport: exchange.agent.transport,
			seconds: workedMs / 1000,
		});
		if (exchange.attempts === 0) return;
		const answeredMs = this.platform.clock.elapsed() - exchange.sentAt;
		metrics.operation({ ...operation, side: 'client', seconds: answeredMs / 1000 });
	}

	status(): ServerStatus {
		const scopes = this.scopes.status;
		const upstreams = [...this.upstreams.values()];
		const sorted = upstreams.sort((one, other) => severity(other.state) - severity(one.state));
		const [worst] = sorted;
		const counts = sorted.map(inFlight);
		const exits = [this.pastExit, ...sorted.map(({ lastExit }) => lastExit)].filter((exit) => exit !== undefined);
		const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
		return {
			name: this.name,
			transport: this.definition.transport.kind,
			definition: this.digest,
			state: worst?.state ?? 'stopped',
			sharing: this.sharing,
			...(this.statefulBecause === undefined
				? {}
				: { sharingReason: `Each agent has a connection of its own because ${this.statefulBecause}.` }),
			pid: sorted.find(({ pid }) => pid !== undefined)?.pid ?? null,
			connections: sorted.map((upstream, index) => ({
				id: upstream.id,
				state: upstream.state,
				pid: upstream.pid ?? null,
				owner: upstream.owner,
				protocolVersion: upstream.introduction?.protocolVersion ?? null,
				inFlight: counts[index]?.running ?? 0,
				queued: counts[index]?.queued ?? 0,
			})),
			inFlight: sum(counts.map(({ running }) => running)) + this.holds.held.size,
			queued: sum(counts.map(({ queued }) => queued)) + this.scopes.deciding.size,
			...this.totals,
			reconnects: this.totals.reconnects + sum(sorted.map(({ reconnects }) => reconnects)),
			p50Ms: this.durations.quantile(0.5) ?? null,
			p99Ms: this.durations.quantile(0.99) ?? null,
			lastExit: exits.sort((one, other) => other.at.localeCompare(one.at))[0] ?? null,
			...(worst?.reason === undefined ? {} : { reason: worst.reason }),
			...(scopes.length === 0 ? {} : { scopes }),
		};
	}

	/** What a connection that is gone has to leave behind. */
	private remember({ reconnects, lastExit, output }: Upstream): void {
		this.totals.reconnects += reconnects;
		this.pastOutput = (this.pastOutput + output).slice(-MAXIMUM_OUTPUT);
		if (lastExit !== undefined && lastExit.at >= (this.pastExit?.at ?? '')) this.pastExit = lastExit;
	}

	private record(
		direction: 'in' | 'out',
		origin: RecordOrigin,
		message: RpcMessage,
		bytes: Uint8Array,
		exchange: Exchange | undefined,
		kind: RpcMessage['kind'],
	): void {
		this.services.recorder.message(
			origin,
			{
				kind,
				direction,
				rpcId: message.id,
				server: this.name,
				method: message.method === '' ? exchange?.message.method : message.method,
				tool: exchange?.tool,
				toolUseId: exchange?.toolUseId,
				callId: exchange?.callId,
			},
			bytes,
		);
	}

	private ownerFor(agent: AgentConnection, origin: ConnectionIdentity): string {
		const session = origin.sessionId ?? agent.identity.sessionId;
		switch (this.sharing) {
			case 'shared':
				return 'all';
			case 'per-session':
				return session ?? agent.isolationKey;
			case 'per-agent':
				return this.soleUse.ownerOf(agent, origin);
		}
	}

	/** A connection for one agent introduces that agent; one for all says what the host can pass on. */
	private introductionFor(agent: AgentConnection, owner: string): ClientIntroduction {
		const { introduction } = agent;
		if (owner !== 'all' && introduction !== undefined)
			return { clientInfo: introduction.clientInfo, capabilities: introduction.capabilities };
		return { clientInfo: { name: 'crosstalk', version: this.services.version }, capabilities: sharedCapabilities };
	}

	private provedStateful(upstream: Upstream, asked: string, asker: AgentConnection | undefined): void {
		if (this.definition.sharing !== 'auto' || this.statefulBecause !== undefined) return;
		this.statefulBecause = `it asks its clients (${asked})`;
		const working = agentsWithCalls(upstream);
		const [only] = working.size === 1 ? working : [];
		for (const [key, shared] of this.upstreams)
			if (shared.owner === 'all') this.keepForOne(key, shared, shared === upstream ? (asker ?? only) : undefined);
		this.didChange();
	}

	/** What a server knows of the only agent that has used it is not lost: the connection for all becomes that agent's own. */
	private keepForOne(key: string, upstream: Upstream, asker: AgentConnection | undefined): void {
		// What waits for a debugger or a decision goes to the connection that it was meant for.
		for (const exchange of this.exchanges) if (exchange.owner === 'all') this.soleUse.note(upstream, exchange);
		const kept = this.soleUse.keep(upstream, [...this.agents], asker);
		if (kept === undefined) return;
		const { agent, owner } = kept;
		const ownKey = key.replace(/ all$/, ` ${owner}`);
		// It has one of the time before the configuration was changed.
		if (this.upstreams.has(ownKey)) return;
		this.upstreams.delete(key);
		this.upstreams.set(ownKey, upstream);
		upstream.belongTo(owner, this.introductionFor(agent, owner));
		const { isolationKey } = agent;
		this.users.set(upstream, new Set([...this.agents].filter((other) => other.isolationKey === isolationKey)));
	}

	private agentsOf(upstream: Upstream): AgentConnection[] {
		const { owner } = upstream;
		const users = this.users.get(upstream);
		return [...this.agents].filter(
			(agent) => owner === 'all' || users?.has(agent) === true || this.ownerFor(agent, agent.identity) === owner,
		);
	}

	/** Whose a server's request is that does not say it: certain only where there is but one. */
	private whomToAsk(upstream: Upstream): { agent: AgentConnection; exchange: Exchange | undefined } | string {
		const running = [...upstream.runningExchanges];
		const working = agentsWithCalls(upstream);
		const [only] = working;
		if (working.size === 1 && only !== undefined) return { agent: only, exchange: running[0] };
		if (working.size > 1)
			return `${counted(working.size, 'agent')} have calls in flight on this connection, and nothing tells whose it is. Set the server's sharing to per-agent.`;
		const agents = this.agentsOf(upstream);
		const [sole] = agents;
		if (agents.length === 1 && sole !== undefined) return { agent: sole, exchange: undefined };
		return `no call is in flight, and ${counted(agents.length, 'agent')} share this connection.`;
	}
}

const sharedCapabilities: JsonObject = {
	roots: { listChanged: true },
	sampling: {},
	elicitation: { form: {}, url: {} },
};

const pong = new TextEncoder().encode('{"jsonrpc":"2.0","id":0,"result":{}}');
const pongIdAt = '{"jsonrpc":"2.0","id":'.length;

function lowestLevel(agents: readonly AgentConnection[]): string | undefined {
	const levels = agents.flatMap(({ logLevel }) => (logLevel === undefined ? [] : [logLevel]));
	return levels.length === 0 ? undefined : logLevels[Math.min(...levels)];
}

function agentsWithCalls(upstream: Upstream): Set<AgentConnection> {
	return new Set([...upstream.runningExchanges].map(({ agent }) => agent));
}

/** Nobody waits for it. */
function isAtRest({ state }: Upstream): boolean {
	return state === 'connected' || state === 'stopped';
}

function hasWork(upstream: Upstream): boolean {
	return upstream.waitingExchanges.length > 0 || !upstream.runningExchanges[Symbol.iterator]().next().done;
}

/** Counted anew each time: a counter that is kept could drift. */
function inFlight(upstream: Upstream): { running: number; queued: number } {
	let running = 0;
	for (const { tool } of upstream.runningExchanges) if (tool !== undefined) running++;
	return { running, queued: upstream.waitingExchanges.filter(({ tool }) => tool !== undefined).length };
}

const states: readonly UpstreamState[] = ['stopped', 'connected', 'connecting', 'draining', 'reconnecting', 'failed'];

function severity(state: UpstreamState): number {
	return states.indexOf(state);
}
