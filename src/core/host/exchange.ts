import type { Disposable } from '../base/lifecycle.ts';
import type { CallEnding } from '../events/sessionEvent.ts';
import type { AgentConnection } from './agentConnection.ts';
import type { CallOrigin } from './attribution.ts';
import type { CallFailure } from './failures.ts';
import type { CallFault } from './faults/faultInjection.ts';
import type { RecordOrigin, RecordedCall } from './recorder.ts';
import type { RpcMessage } from './rpc.ts';

/** One request of an agent on its way to a server and back. */
export class Exchange implements RecordedCall {
	readonly callId: string;
	readonly server: string;
	readonly agent: AgentConnection;
	/** As the agent sent it, until something is put in. */
	message: RpcMessage;
	/** Whose it is. An agent that is not known yet may become known while the call runs. */
	readonly record: { -readonly [Name in keyof RecordOrigin]: RecordOrigin[Name] };
	/** Of a `tools/call`: the tool, as the server calls it. */
	readonly tool: string | undefined;
	readonly toolUseId: string | undefined;
	/** Epoch milliseconds. */
	readonly startedAt: number;
	/** On the clock for durations. */
	readonly began: number;
	/** The id and the progress token as the agent wrote them: JSON. */
	readonly rawId: Uint8Array;
	readonly progressToken: Uint8Array | undefined;
	/** `Mcp-Param-*`, encoded: as its agent sent them, or for an agent that does not send such headers, as they would be. */
	headers: Readonly<Record<string, string>> | undefined;
	/** Whom the connection to the server is for, as `Upstream.owner`. */
	readonly owner: string;
	/** The revision that the request itself names; absent in the era of handshakes. */
	readonly protocolVersion: string | undefined;
	/** Takes what belongs to this request before its answer: notifications and requests of the server, bytes ready for the agent. */
	readonly deliver: (bytes: Uint8Array) => void;
	/** Takes the end: what the server answered, as it came, or why there is no answer. Called once. */
	private readonly finish: (end: ExchangeEnd) => void;

	/** Questions of the server that its agent has not answered yet: as long as there are any, the server is not slow. */
	openQuestions = 0;
	/** Its agent does not wait for the answer any more. */
	isUnwanted = false;
	/** What goes wrong with it on purpose. */
	fault: CallFault | undefined;
	/** It was looked at for faults: what befalls a call befalls it once. */
	hasMetFaults = false;
	/** `held`: by a debugger, before it is made or with what it has come to. */
	state: 'queued' | 'held' | 'running' | 'ended' = 'queued';
	/** While it is held. */
	hold: { giveUp(reason: string): void } | undefined;
	/** What it has come to, while it is held with that. */
	heldEnd: ExchangeEnd | undefined;
	/** No debugger looks at what it has come to any more. */
	hasPassed = false;
	/** For how long it was held in all. */
	heldMs = 0;
	/** The last that its server has said of how far it is. */
	progress = 0;
	reason: string | undefined;
	/** The id on the server's connection; meaningful while running. */
	upstreamId = 0;
	attempts = 0;
	sentAt = 0;
	heardAt = 0;
	timer: Disposable | undefined;

	constructor(options: {
		callId: string;
		server: string;
		agent: AgentConnection;
		message: RpcMessage;
		origin: CallOrigin;
		connectionId: string;
		owner: string;
		tool: string | undefined;
		startedAt: number;
		began: number;
		headers: Readonly<Record<string, string>> | undefined;
		protocolVersion: string | undefined;
		rawId: Uint8Array;
		progressToken: Uint8Array | undefined;
		deliver: (bytes: Uint8Array) => void;
		finish: (end: ExchangeEnd) => void;
	}) {
		const { origin } = options;
		this.callId = options.callId;
		this.server = options.server;
		this.agent = options.agent;
		this.message = options.message;
		this.owner = options.owner;
		this.tool = options.tool;
		this.toolUseId = origin.toolUseId;
		this.record = { connectionId: options.connectionId, sessionId: origin.sessionId, agentId: origin.agentId };
		this.startedAt = options.startedAt;
		this.began = options.began;
		this.rawId = options.rawId;
		this.progressToken = options.progressToken;
		this.headers = options.headers;
		this.protocolVersion = options.protocolVersion;
		this.deliver = options.deliver;
		this.finish = options.finish;
	}

	end(end: ExchangeEnd): void {
		if (this.state === 'ended') return;
		this.state = 'ended';
		this.timer?.dispose();
		this.timer = undefined;
		const { hold } = this;
		this.hold = undefined;
		hold?.giveUp(end.failure?.message ?? 'The call has ended.');
		this.finish(end);
	}
}

export interface ExchangeEnd {
	readonly ending: CallEnding;
	/** The server's answer, its id still the one of its own connection. */
	readonly answer?: RpcMessage | undefined;
	/** Why there is none. */
	readonly failure?: CallFailure | undefined;
	/** A sentence: why the host has answered in the server's place. */
	readonly reason?: string | undefined;
}
