// The servers that a replay makes its calls on: a host of its own, in this process, with nothing of the user's. What it makes of a server's answers,
// time-outs and ends is what every agent gets from a host.

import { createHmac, randomBytes } from 'node:crypto';
import { agentId } from '../../core/base/ids.ts';
import { ExpectedError } from '../../core/base/errors.ts';
import type { AgentEndpoint } from '../../core/host/agentConnection.ts';
import { createHost } from '../../core/host/createHost.ts';
import type { EventLog } from '../../core/host/eventLog.ts';
import { EventRecorder } from '../../core/host/eventRecorder.ts';
import type { Host } from '../../core/host/host.ts';
import { LATEST_LEGACY } from '../../core/host/revisions.ts';
import type { ServerDefinition } from '../../core/host/serverDefinition.ts';
import type { CallMaker, MadeCall } from '../../core/runs/replayCalls.ts';
import type { RecordedCall } from '../../core/runs/recordedCalls.ts';
import type { SessionId } from '../../core/base/ids.ts';
import { nodeHostClock, nodeHostRandom } from '../../platform/node/host/hostPlatform.ts';
import { NodeUpstreams } from '../../platform/node/upstreams/nodeUpstreams.ts';

type Json = Readonly<Record<string, unknown>>;

/** What a server says of a tool. */
export interface OfferedTool {
	readonly name: string;
	/** `undefined`: the server does not say. */
	readonly isReadOnly: boolean | undefined;
	readonly isDestructive: boolean | undefined;
}

export interface ReplayServersOptions {
	/** By the name that the recorded calls have for them. */
	readonly servers: ReadonlyMap<string, ServerDefinition>;
	readonly version: string;
	/** The session that the calls are made as: a new one, so that no server takes them for calls that it knows. */
	readonly sessionId: SessionId;
	/** Takes what passes. */
	readonly log: EventLog;
	readonly onError: (error: unknown) => void;
}

interface Answer {
	readonly result?: Json;
	readonly error?: { readonly code: number; readonly message: string };
}

/** Every recorded agent has a connection of its own to each server, as it had then. */
export class ReplayServers implements CallMaker {
	private readonly host: Host;
	private readonly options: ReplayServersOptions;
	private readonly connections = new Map<string, Connection>();
	/** Tells the tool use ids of this replay from those of the run, and of other replays. */
	private readonly nonce = randomBytes(4).toString('hex');

	constructor(options: ReplayServersOptions) {
		this.options = options;
		const key = randomBytes(32);
		this.host = createHost({
			platform: {
				clock: nodeHostClock,
				random: nodeHostRandom,
				upstreams: new NodeUpstreams(),
				seal: { of: (text) => createHmac('sha256', key).update(text).digest('base64url') },
			},
			recorder: new EventRecorder(options.log, nodeHostClock),
			version: options.version,
			process: { pid: process.pid, generation: 1, startedAt: new Date().toISOString() },
			onError: options.onError,
		});
		const servers = new Map([...options.servers.values()].map((server) => [server.name, server]));
		this.host.putServers('replay', [...servers.values()]);
	}

	/** Connects whoever makes calls. Rejects with a sentence when a server cannot be had. */
	async connect(calls: readonly RecordedCall[]): Promise<void> {
		const wanted = new Map(calls.map((call) => [keyOf(call), call]));
		await Promise.all([...wanted.values()].map(async (call) => this.connection(call).open()));
	}

	/** By the recorded name of the server. */
	async tools(calls: readonly RecordedCall[]): Promise<ReadonlyMap<string, ReadonlyMap<string, OfferedTool>>> {
		const tools = new Map<string, ReadonlyMap<string, OfferedTool>>();
		for (const call of calls) {
			if (!tools.has(call.server)) tools.set(call.server, await this.connection(call).tools());
		}
		return tools;
	}

	async make(call: RecordedCall, given: Json): Promise<MadeCall> {
		const beganAt = performance.now();
		const meta = {
			'claudecode/toolUseId': `${call.id}-${this.nonce}`,
			'claudecode/sessionId': this.options.sessionId.slice(this.options.sessionId.indexOf(':') + 1),
			'claudecode/agentId': call.agentId,
		};
		const params = { name: call.tool, arguments: given, _meta: meta };
		const { result, error } = await this.connection(call).request('tools/call', params);
		const durationMs = performance.now() - beganAt;
		return result === undefined
			? { kind: 'error', message: error?.message ?? 'There was no answer.', durationMs }
			: { kind: 'result', result, durationMs };
	}

	/** Ends every server that was started. */
	async close(): Promise<void> {
		for (const connection of this.connections.values()) connection.close();
		await this.host.close();
		this.host.dispose();
	}

	private connection(call: RecordedCall): Connection {
		const key = keyOf(call);
		let connection = this.connections.get(key);
		if (connection === undefined) {
			const definition = this.options.servers.get(call.server);
			if (definition === undefined) throw new Error(`Nobody has said which server ${call.server} is.`);
			const endpoint = this.host.connectAgent({
				server: definition.name,
				identity: { sessionId: this.options.sessionId, agentId: agentId(call.agentId) },
				transport: 'stdio',
				isolationKey: call.agentId,
				output: () => true,
			});
			connection = new Connection(endpoint, call.server, this.options.version);
			this.connections.set(key, connection);
		}
		return connection;
	}
}

function keyOf({ agentId: agent, server }: RecordedCall): string {
	return `${agent}\n${server}`;
}

/** An agent's side of MCP. */
class Connection {
	private readonly endpoint: AgentEndpoint;
	private readonly server: string;
	private readonly version: string;
	private lastId = 0;

	constructor(endpoint: AgentEndpoint, server: string, version: string) {
		this.endpoint = endpoint;
		this.server = server;
		this.version = version;
	}

	async open(): Promise<void> {
		const { error } = await this.request('initialize', {
			protocolVersion: LATEST_LEGACY,
			capabilities: {},
			clientInfo: { name: 'crosstalk-replay', version: this.version },
		});
		if (error !== undefined) throw new ExpectedError(`Server ${this.server}: ${error.message}`);
		this.send({ jsonrpc: '2.0', method: 'notifications/initialized' }, () => undefined);
	}

	async tools(): Promise<ReadonlyMap<string, OfferedTool>> {
		const tools = new Map<string, OfferedTool>();
		let cursor: unknown;
		do {
			const { result, error } = await this.request('tools/list', cursor === undefined ? {} : { cursor });
			if (error !== undefined) throw new ExpectedError(`Server ${this.server}: ${error.message}`);
			const list = result?.['tools'];
			for (const tool of Array.isArray(list) ? (list as readonly Json[]) : []) {
				const name = tool['name'];
				const annotations = tool['annotations'];
				// Each member is looked at before it is used.
				const hints = typeof annotations === 'object' && annotations !== null ? (annotations as Json) : {};
				const hint = (key: string) => (typeof hints[key] === 'boolean' ? hints[key] : undefined);
				if (typeof name === 'string')
					tools.set(name, { name, isReadOnly: hint('readOnlyHint'), isDestructive: hint('destructiveHint') });
			}
			cursor = tools.size < mostTools ? result?.['nextCursor'] : undefined;
		} while (typeof cursor === 'string' && cursor !== '');
		return tools;
	}

	/** Sends before it returns. */
	request(method: string, params: Json): Promise<Answer> {
		const id = ++this.lastId;
		return new Promise((resolve) => {
			this.send({ jsonrpc: '2.0', id, method, params }, (answer) =>
				resolve(answer ?? { error: { code: 0, message: 'The call was cancelled.' } }),
			);
		});
	}

	close(): void {
		this.endpoint.close();
	}

	/** @param answered Gets `undefined` when there will be no answer. */
	private send(message: Json, answered: (answer: Answer | undefined) => void): void {
		this.endpoint.receive(
			encoder.encode(JSON.stringify(message)),
			{
				deliver() {},
				// It comes from the host: a response of JSON-RPC.
				answer: (bytes) => answered(JSON.parse(decoder.decode(bytes)) as Answer),
				accepted: () => answered(undefined),
				dropped: () => answered(undefined),
				headers: undefined,
			},
			'',
		);
	}
}

/** A server that always has one more page is told apart from one with many tools. */
const mostTools = 20_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
