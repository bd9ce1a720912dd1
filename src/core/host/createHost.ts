import { ExpectedError } from '../base/errors.ts';
import { didYouMean } from '../base/nearest.ts';
import { Emitter } from '../base/emitter.ts';
import { AgentConnection } from './agentConnection.ts';
import type { AgentEndpoint, AgentIntroduction, AgentOutput } from './agentConnection.ts';
import { AllServersConnection } from './allServers.ts';
import { Attribution } from './attribution.ts';
import { createDebugGate } from './debug/createDebugGate.ts';
import type { DebugHost } from './debug/debugGate.ts';
import { FaultBook } from './faults/faultBook.ts';
import type { AgentOptions, Host } from './host.ts';
import { dialectOf, readHook } from './hooks/agentHooks.ts';
import { HookedSessions } from './hooks/hookedSessions.ts';
import { HookedCalls } from './hooks/hookedCalls.ts';
import { holdAtHook, tellGate } from './hooks/hookGate.ts';
import { Metrics } from './metrics.ts';
import type { HostPlatform } from './ports.ts';
import type { Recorder } from './recorder.ts';
import { isObject, objectAt, stringAt } from './rpc.ts';
import { ScopeBook } from './scopes/scopeBook.ts';
import { ServerHub } from './serverHub.ts';
import type { HostServices } from './serverHub.ts';
import type { ServerDefinition } from './serverDefinition.ts';
import type { ToolCatalogue } from './toolCatalogue.ts';
import type { CallStatus, HostStatus, SessionStatus } from './status.ts';

export interface CreateHostOptions {
	readonly platform: HostPlatform;
	readonly recorder: Recorder;
	/** What servers have said of their tools; the recorder keeps it up to date. */
	readonly catalogue?: ToolCatalogue | undefined;
	/** Puts a session of the host's own store out of memory. `false`: the store knows none of that name. */
	readonly evictSession?: ((sessionId: string) => Promise<boolean>) | undefined;
	/** Of this program. */
	readonly version: string;
	readonly process: { readonly pid: number; readonly generation: number; readonly startedAt: string };
	/** A listener of ours has thrown: a bug, told to whoever keeps the log. */
	readonly onError: (error: unknown) => void;
}

/** The host, in the order in which a call passes: agent connection, server hub, upstream. */
export function createHost(options: CreateHostOptions): Host {
	const { platform, recorder, version } = options;
	const changed = new Emitter<void>(options.onError);
	const metrics = new Metrics(platform.clock, version);
	const attribution = new Attribution(platform.clock);
	const hookedSessions = new HookedSessions();
	const hookedCalls = new HookedCalls(platform.clock);
	const hubs = new Map<string, ServerHub>();
	/** Of servers that were taken out, for those of their agents that are still there. */
	const closedHubs = new Map<string, ServerHub>();
	/** By source: the names that it gave, and the names that they have here. */
	const sources = new Map<string, Map<string, string>>();
	const scopeBook = new ScopeBook();
	const faultBook = new FaultBook({
		namesOf,
		newId: () => `fault-${start}-${++lastId}`,
		changed: () => changed.fire(),
	});
	// Ids are read by people, so they are short; the host's own start keeps those of two hosts apart.
	const start = platform.random.id().slice(0, 6);
	let lastId = 0;
	let lastRequestId = 0;
	const services: HostServices & { readonly debug: DebugHost } = {
		platform,
		recorder,
		attribution,
		metrics,
		version,
		scopeBook,
		faultBook,
		evictSession: options.evictSession,
		namesOf,
		newId: (prefix) => `${prefix}-${start}-${++lastId}`,
		newRequestId: () => ++lastRequestId,
		toolsBefore: (server) => options.catalogue?.toolsOf(server) ?? [],
		debug: createDebugGate({
			clock: platform.clock,
			newId: (prefix) => `${prefix}-${start}-${++lastId}`,
			recorder,
			namesOf: (server) => namesOf(hubNamed(server)?.name ?? server),
			toolOf: (server, tool) => hubNamed(server)?.toolOf(tool),
			isThroughHost: (sessionId, server) =>
				sessionId !== undefined &&
				[...hubs.values()].some((hub) => namesOf(hub.name).includes(server) && hub.hasAgentOf(sessionId)),
			scopeLeftOut: (server, tool, args) => hubNamed(server)?.scopeLeftOut(tool, args),
			didChange: () => changed.fire(),
		}),
		didChange: () => changed.fire(),
	};
	metrics.observeInFlight(() => [...hubs.values()].map((hub) => [hub.name, hub.callsInFlight] as const));

	function namesOf(server: string): readonly string[] {
		const names = new Set([server]);
		for (const given of sources.values()) for (const [own, name] of given) if (name === server) names.add(own);
		return [...names];
	}

	/** The server that somebody calls so, when there is but one. */
	function hubNamed(name: string): ServerHub | undefined {
		const known = hubs.get(name);
		if (known !== undefined) return known;
		const so = [...hubs.values()].filter((hub) => namesOf(hub.name).includes(name));
		return so.length === 1 ? so[0] : undefined;
	}

	function hubOf(name: string): ServerHub {
		const hub = hubs.get(name);
		if (hub === undefined)
			throw new ExpectedError(`There is no MCP server "${name}".${didYouMean(name, hubs.keys())}`);
		return hub;
	}

	function openHub(definition: ServerDefinition): ServerHub {
		for (const [name, { agentCount }] of closedHubs) if (agentCount === 0) closedHubs.delete(name);
		const closed = closedHubs.get(definition.name);
		if (closed === undefined) return new ServerHub(definition, services);
		closedHubs.delete(definition.name);
		closed.reopen(definition);
		return closed;
	}

	function connect(agent: AgentOptions, introduction: AgentIntroduction | undefined): AgentEndpoint {
		const id = services.newId('agent');
		if (agent.server === undefined) {
			const connectTo = (server: string, output: AgentOutput) =>
				connectOne({ ...agent, server, output }, services.newId('agent'), introduction);
			return new AllServersConnection({
				id,
				version,
				introduction,
				output: agent.output,
				servers: () => [...hubs.keys()],
				connectTo,
			});
		}
		return connectOne({ ...agent, server: agent.server }, id, introduction);
	}

	function connectOne(
		agent: AgentOptions & { server: string },
		id: string,
		introduction: AgentIntroduction | undefined,
	): AgentConnection {
		return new AgentConnection({
			id,
			hub: hubOf(agent.server),
			identity: agent.identity,
			isolationKey: agent.isolationKey ?? id,
			transport: agent.transport,
			introduction,
			output: agent.output,
		});
	}

	return {
		onDidChange: changed.event,
		metrics,
		faults: faultBook,
		debug: services.debug,
		status: () =>
			statusOf(options, {
				hubs: [...hubs.values()],
				nameOf: (server) => hubNamed(server)?.name ?? server,
				hookedCalls,
				faults: faultBook,
				debug: services.debug,
			}),
		putServers(source, servers) {
			const before = sources.get(source) ?? new Map<string, string>();
			const names = new Map<string, string>();
			for (const definition of servers) {
				const name = before.get(definition.name) ?? freeName(hubs, definition);
				names.set(definition.name, name);
				const known = hubs.get(name);
				if (known === undefined) hubs.set(name, openHub({ ...definition, name }));
				else known.redefine({ ...definition, name });
			}
			sources.set(source, names);
			// Policies are looked up by the names of servers.
			scopeBook.revision++;
			const used = new Set([...sources.values()].flatMap((given) => [...given.values()]));
			for (const [name, hub] of hubs) {
				if (used.has(name)) continue;
				hubs.delete(name);
				closedHubs.set(name, hub);
				void hub.close(`${name} was taken out of the configuration.`);
			}
			recorder.setServers([...hubs.values()].map(({ definition }) => definition));
			changed.fire();
			return Object.fromEntries(names);
		},
		putScopes(source, settings, reach) {
			scopeBook.put(source, settings, reach);
			changed.fire();
		},
		reconnect: async (server) => hubOf(server).reconnect('somebody asked for it'),
		outputOf: (server) => hubOf(server).output,
		cancelCall: (callId) => [...hubs.values()].some((hub) => hub.cancelCall(callId, 'It was cancelled by hand.')),
		hook(format, body, { holdMs, source }) {
			const facts = readHook(format, body);
			const dialect = dialectOf(format);
			if (facts === undefined || dialect === undefined) return undefined;
			attribution.learn(facts);
			const origin = { connectionId: `hooks-${format}`, sessionId: facts.sessionId, agentId: facts.agentId };
			recorder.hook(origin, facts, body);
			hookedSessions.heard(facts, platform.clock.elapsed());
			if (hookedCalls.take(facts)) changed.fire();
			const { debug } = services;
			const { sessionId } = facts;
			if (source !== undefined) debug.tell({ kind: 'session-of-source', sessionId, source });
			tellGate(debug, facts);
			if (holdMs === undefined) return undefined;
			return holdAtHook(debug, facts, dialect, { heldUntil: platform.clock.now() + holdMs, source });
		},
		hasServer: (name) => hubs.has(name),
		connectAgent: (agent) => connect(agent, undefined),
		sessionIdOf(agent) {
			const text = `${agent.id}.${introductionText(agent.introduction)}`;
			return `${text}.${platform.seal.of(text)}`;
		},
		resumeAgent(mcpSessionId, agent) {
			const end = mcpSessionId.lastIndexOf('.');
			const text = mcpSessionId.slice(0, end);
			if (end === -1 || platform.seal.of(text) !== mcpSessionId.slice(end + 1)) return undefined;
			const introduction = introductionIn(text.slice(text.indexOf('.') + 1));
			return introduction === undefined ? undefined : connect(agent, introduction);
		},
		get hasHookedSessions() {
			return hookedSessions.hasAny(platform.clock.elapsed());
		},
		get activity() {
			const all = [...hubs.values()];
			return {
				calls: all.reduce((sum, hub) => sum + hub.callsInFlight, 0),
				agents: all.reduce((sum, hub) => sum + hub.agentCount, 0),
			};
		},
		async close() {
			for (const hub of hubs.values()) hub.holds.close('The host is closing.');
			services.debug.close('The host is closing.');
			await Promise.all([...hubs.values()].map((hub) => hub.close('The host is closing.')));
		},
		dispose: () => changed.dispose(),
	};
}

/** The name that a server gets: its own, unless another server has it. */
function freeName(hubs: ReadonlyMap<string, ServerHub>, definition: ServerDefinition): string {
	for (let count = 1; ; count++) {
		const name = count === 1 ? definition.name : `${definition.name}-${count}`;
		const known = hubs.get(name);
		if (known === undefined) return name;
		if (JSON.stringify(known.definition) === JSON.stringify({ ...definition, name })) return name;
	}
}

/** It travels in a header of each request, and servers and clients take 16 KB of headers in all. */
const LONGEST_INTRODUCTION = 4_096;

/** An agent's introduction; of a long one what is needed to go on with. */
function introductionText(introduction: AgentIntroduction | undefined): string {
	const whole = encodeURIComponent(JSON.stringify(introduction));
	if (introduction === undefined || whole.length <= LONGEST_INTRODUCTION) return whole;
	const { protocolVersion, clientInfo, capabilities } = introduction;
	const { name, version } = clientInfo;
	const names = Object.keys(capabilities).filter((capability) => isObject(capabilities[capability]));
	const short = {
		protocolVersion,
		clientInfo: { name: cut(name), version: cut(version) },
		capabilities: Object.fromEntries(names.slice(0, 20).map((capability) => [cut(capability), {}])),
	};
	return encodeURIComponent(JSON.stringify(short));
}

/** Nine bytes a character at the most. */
function cut(text: unknown): string {
	return String(text).slice(0, 32);
}

/** What was sealed is what we wrote; it is looked at all the same, for an older version of ours may have written it. */
function introductionIn(text: string): AgentIntroduction | undefined {
	const value: unknown = JSON.parse(decodeURIComponent(text));
	if (!isObject(value)) return undefined;
	const protocolVersion = stringAt(value, 'protocolVersion');
	if (protocolVersion === undefined) return undefined;
	return {
		protocolVersion,
		clientInfo: objectAt(value, 'clientInfo'),
		capabilities: objectAt(value, 'capabilities'),
	};
}

function timeOf(epochMs: number | null): string | undefined {
	return epochMs === null ? undefined : new Date(epochMs).toISOString();
}

interface StatusParts {
	readonly hubs: readonly ServerHub[];
	/** What a server is called here, by what an agent calls it. */
	readonly nameOf: (server: string) => string;
	readonly hookedCalls: HookedCalls;
	readonly faults: FaultBook;
	readonly debug: DebugHost;
}

function statusOf(options: CreateHostOptions, { hubs, nameOf, hookedCalls, faults, debug }: StatusParts): HostStatus {
	const { clock } = options.platform;
	const calls: CallStatus[] = [];
	const sessions = new Map<string, { agents: Set<string>; inFlight: number }>();
	const count = (sessionId: string | undefined, agentId: string | undefined) => {
		if (sessionId === undefined) return;
		const session = sessions.get(sessionId) ?? { agents: new Set<string>(), inFlight: 0 };
		sessions.set(sessionId, session);
		session.inFlight++;
		if (agentId !== undefined) session.agents.add(agentId);
	};
	const heldUntil = new Map(debug.heldAt('wire').map(({ held }) => [held.callId, timeOf(held.heldUntil)] as const));
	for (const hub of hubs) {
		for (const exchange of hub.exchanges) {
			const { record, tool } = exchange;
			const until = exchange.state === 'held' ? heldUntil.get(exchange.callId) : undefined;
			if (tool === undefined) continue;
			calls.push({
				id: exchange.callId,
				server: hub.name,
				tool,
				state: exchange.state === 'ended' ? 'running' : exchange.state,
				agentId: record.agentId ?? null,
				sessionId: record.sessionId ?? null,
				toolUseId: exchange.toolUseId ?? null,
				startedAt: new Date(exchange.startedAt).toISOString(),
				ageMs: Math.round(clock.elapsed() - exchange.began),
				...(exchange.reason === undefined ? {} : { reason: exchange.reason }),
				...(until === undefined ? {} : { heldUntil: until }),
				...(exchange.fault === undefined ? {} : { fault: exchange.fault.description }),
			});
			count(record.sessionId, record.agentId);
		}
	}
	const heldAtHooks = new Map<string, number>();
	for (const { held, reason } of debug.heldAt('hook')) {
		const { stopId, tool, agentId, sessionId, toolUseId, heldSince } = held;
		const server = held.server === null ? '' : nameOf(held.server);
		const until = timeOf(held.heldUntil);
		const ageMs = clock.now() - heldSince;
		const startedAt = new Date(heldSince).toISOString();
		// It has not reached the host: its id is that of the stop, and a tool of the agent's own has no server.
		const call = { id: stopId, server, tool, state: 'held' as const, agentId, sessionId, toolUseId };
		calls.push({ ...call, startedAt, ageMs, reason, ...(until === undefined ? {} : { heldUntil: until }) });
		heldAtHooks.set(server, (heldAtHooks.get(server) ?? 0) + 1);
		count(sessionId ?? undefined, agentId ?? undefined);
	}
	const hooked = hookedCalls.list(new Set(calls.map(({ toolUseId }) => toolUseId ?? '')));
	return {
		version: 1,
		host: options.process,
		servers: hubs.map((hub) => {
			const status = hub.status();
			return { ...status, inFlight: status.inFlight + (heldAtHooks.get(hub.name) ?? 0) };
		}),
		calls,
		sessions: [...sessions].map(([id, { agents, inFlight }]): SessionStatus => ({
			id,
			agents: agents.size,
			inFlight,
		})),
		...(hooked.length === 0 ? {} : { hooked }),
		...(faults.isEmpty ? {} : { faults: faults.status }),
	};
}
