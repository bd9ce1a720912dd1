// Which agent has a connection for itself, though it was made for all of them: when a server proves to be stateful, that agent keeps it.

import type { AgentConnection } from './agentConnection.ts';
import type { ConnectionIdentity } from './agentIdentity.ts';
import type { Exchange } from './exchange.ts';
import type { Upstream } from './upstream.ts';

/** Requests that only read: MCP itself says so, whatever the server. */
export const readingMethods: ReadonlySet<string> = new Set([
	'tools/list',
	'prompts/list',
	'prompts/get',
	'resources/list',
	'resources/read',
	'resources/templates/list',
	'completion/complete',
	'server/discover',
]);

/** What the host asks anew on every connection that it makes. */
const repeatedMethods: ReadonlySet<string> = new Set([
	'logging/setLevel',
	'resources/subscribe',
	'resources/unsubscribe',
]);

export class SoleUse {
	/** By connection and isolation key: the owners that the connections of its agents would have had. Who has only read is not in it. */
	private readonly users = new WeakMap<Upstream, Map<string, Set<string>>>();
	/** By isolation key: the owner that a connection for all has got since. */
	private readonly keepers = new Map<string, string>();

	/** Whom a connection of its own is for. */
	ownerOf(agent: AgentConnection, origin: ConnectionIdentity): string {
		const named = namedOwner(agent, origin);
		const key = agent.isolationKey;
		return this.keepers.get(named ?? key) ?? named ?? key;
	}

	/** A request is about to go to a connection for all. */
	note(upstream: Upstream, { agent, record, message }: Exchange): void {
		if (readingMethods.has(message.method) || repeatedMethods.has(message.method)) return;
		const users = this.users.get(upstream) ?? new Map<string, Set<string>>();
		this.users.set(upstream, users);
		const names = users.get(agent.isolationKey) ?? new Set();
		users.set(agent.isolationKey, names);
		const named = namedOwner(agent, record);
		if (named !== undefined) names.add(named);
	}

	/** Whose a call is that has been sent is known only now. */
	learnt(upstream: Upstream, exchange: Exchange): void {
		const named = namedOwner(exchange.agent, exchange.record);
		if (upstream.owner === 'all') this.note(upstream, exchange);
		// The connection has become its agent's meanwhile, when that had no name yet.
		else if (exchange.owner === 'all' && upstream.owner === exchange.agent.isolationKey && named !== undefined)
			this.keepers.set(named, upstream.owner);
	}

	/**
	 * The agent whose a connection for all becomes, which nobody else has used.
	 * @param agents Those that are there.
	 * @param asker Whose request it is that the server asks about, as far as that is known.
	 */
	keep(
		upstream: Upstream,
		agents: readonly AgentConnection[],
		asker: AgentConnection | undefined,
	): { readonly agent: AgentConnection; readonly owner: string } | undefined {
		const users = this.users.get(upstream) ?? new Map<string, ReadonlySet<string>>();
		const living = new Map(agents.map((agent) => [agent.isolationKey, agent] as const));
		const keys = new Set([...users.keys()].filter((key) => living.has(key)));
		if (asker !== undefined) keys.add(asker.isolationKey);
		const [key] = keys.size === 0 ? living.keys() : keys;
		const isSole = (keys.size === 0 ? living : keys).size === 1;
		const agent = key === undefined ? undefined : living.get(key);
		const names = [...(users.get(key ?? '') ?? [])];
		if (!isSole || agent === undefined || names.length > 1) return undefined;
		const owner = names[0] ?? agent.isolationKey;
		// What it asks without saying who it is went to this connection, too.
		this.keepers.set(agent.isolationKey, owner);
		return { agent, owner };
	}
}

/** The owner of a connection for the agent that acts; `undefined`: it is not known by name. */
function namedOwner(agent: AgentConnection, origin: ConnectionIdentity): string | undefined {
	const acting = origin.agentId ?? agent.identity.agentId;
	if (acting === undefined) return undefined;
	return `${origin.sessionId ?? agent.identity.sessionId ?? agent.isolationKey} ${acting}`;
}
