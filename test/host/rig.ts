// A host whose servers, clock and chance are in a test's hands. Time passes when the test says so.

import { jsonText } from '../../src/core/base/jsonText.ts';
import type { Disposable } from '../../src/core/base/lifecycle.ts';
import type { AgentEndpoint, MessageChannel } from '../../src/core/host/agentConnection.ts';
import { nobodyKnown } from '../../src/core/host/agentIdentity.ts';
import type { ConnectionIdentity } from '../../src/core/host/agentIdentity.ts';
import { createHost } from '../../src/core/host/createHost.ts';
import type { Host } from '../../src/core/host/host.ts';
import type { HostPlatform, TransportExit, TransportListener } from '../../src/core/host/ports.ts';
import type { Recorder } from '../../src/core/host/recorder.ts';
import { defaultLimits } from '../../src/core/host/serverDefinition.ts';
import type { ServerDefinition, ServerLimits, Sharing } from '../../src/core/host/serverDefinition.ts';

export type Json = Record<string, unknown>;

/** One connection that the host has opened. */
export class FakeTransport {
	readonly sent: Json[] = [];
	/** The same as text. */
	readonly raw: string[] = [];
	/** What the headers of each were to say beside it. */
	readonly headers: (Readonly<Record<string, string>> | undefined)[] = [];
	readonly abandoned: number[] = [];
	readonly listener: TransportListener;
	readonly pid: number;
	isClosed = false;
	isOpen = true;

	constructor(listener: TransportListener, pid: number) {
		this.listener = listener;
		this.pid = pid;
	}

	say(message: Json, relatedTo?: number): void {
		this.listener.onMessage(bytesOf(message), relatedTo);
	}

	/** The requests of this method that it was sent, and has to answer. */
	requests(method: string): Json[] {
		return this.sent.filter((message) => message['method'] === method && 'id' in message);
	}

	die(exit: Partial<TransportExit> = {}): void {
		if (!this.isOpen) return;
		this.isOpen = false;
		this.listener.onClosed({
			reason: 'The process was killed by SIGKILL.',
			code: null,
			signal: 'SIGKILL',
			stderrTail: '',
			isHopeless: false,
			...exit,
		});
	}
}

export interface Answered {
	readonly body: Json;
	readonly error: number | undefined;
}

export class FakeAgent {
	readonly endpoint: AgentEndpoint;
	/** What came outside of any request. */
	readonly heard: Json[];
	private nextId = 1;

	constructor(endpoint: AgentEndpoint, heard: Json[]) {
		this.endpoint = endpoint;
		this.heard = heard;
	}

	tell(message: Json): void {
		this.endpoint.receive(
			bytesOf(message),
			channelTo([], () => {}),
			'',
		);
	}

	ask(method: string, params: Json = {}): FakeCall {
		const id = this.nextId++;
		const call = new FakeCall(id);
		const channel = channelTo(call.heard, (answer) => call.answers.push(answer));
		call.leave = this.endpoint.receive(bytesOf({ jsonrpc: '2.0', id, method, params }), channel, '') ?? (() => {});
		return call;
	}

	call(tool: string, params: Json = {}): FakeCall {
		return this.ask('tools/call', { name: tool, arguments: {}, ...params });
	}
}

export class FakeCall {
	readonly id: number;
	readonly heard: Json[] = [];
	readonly answers: Answered[] = [];
	leave: () => void = () => {};

	constructor(id: number) {
		this.id = id;
	}

	get answer(): Json | undefined {
		return this.answers[0]?.body;
	}

	/** The `data.type` of its error. */
	get failure(): unknown {
		const error = this.answer?.['error'] as { data?: { type?: string } } | undefined;
		return error?.data?.type;
	}
}

type StdioDefinition = ServerDefinition & { readonly transport: { readonly kind: 'stdio' } };

export interface Rig {
	readonly host: Host;
	readonly transports: FakeTransport[];
	/** What the host was given at first. */
	readonly definition: StdioDefinition;
	/** What was started, in order. */
	readonly commands: string[];
	/** The one that was opened last. */
	readonly last: FakeTransport;
	/** What was recorded: the name of the record, and its fields. */
	readonly records: { readonly name: string; readonly [field: string]: unknown }[];
	agent(identity?: ConnectionIdentity): FakeAgent;
	/** An agent that has made its handshake; the server answers it. */
	initialized(capabilities?: Json, identity?: ConnectionIdentity): Promise<FakeAgent>;
	/** Lets so many milliseconds pass, and what they bring happen. */
	pass(milliseconds: number): Promise<void>;
}

export interface RigOptions {
	readonly sharing?: Sharing;
	readonly limits?: Partial<ServerLimits>;
	/** As of `createHost`. */
	readonly evictSession?: (sessionId: string) => Promise<boolean>;
	/** Takes down what passes, in place of `records`. */
	readonly recorder?: (clock: { now(): number }) => Recorder;
	/** What a server says to what it is sent; the handshake of 2025-11-25 when this says nothing. */
	readonly answer?: (transport: FakeTransport, message: Json) => void;
}

export function createRig(options: RigOptions = {}): Rig {
	const transports: FakeTransport[] = [];
	const commands: string[] = [];
	const records: { readonly name: string; readonly [field: string]: unknown }[] = [];
	let now = 1_000_000;
	let timers: { at: number; callback: () => void }[] = [];
	const after = (milliseconds: number, callback: () => void): Disposable => {
		const timer = { at: now + milliseconds, callback };
		timers.push(timer);
		return { dispose: () => void (timers = timers.filter((other) => other !== timer)) };
	};
	let lastId = 0;
	const platform: HostPlatform = {
		clock: { now: () => now, elapsed: () => now, after },
		random: { id: () => `id${++lastId}`.padEnd(8, 'x'), fraction: () => 0.5 },
		seal: { of: (text) => `seal${text.length}${text.at(-1) ?? ''}` },
		upstreams: {
			open(to, listener) {
				if (to.kind === 'stdio') commands.push(to.command);
				const transport = new FakeTransport(listener, 100 + transports.length);
				transports.push(transport);
				queueMicrotask(() => listener.onOpened());
				return {
					pid: transport.pid,
					send(bytes, request) {
						const text = new TextDecoder().decode(bytes);
						const message = JSON.parse(text) as Json;
						transport.raw.push(text);
						transport.headers.push(request?.headers);
						transport.sent.push(message);
						queueMicrotask(() => {
							if (!transport.isOpen) return;
							if (options.answer === undefined) answerHandshake(transport, message);
							else options.answer(transport, message);
						});
					},
					abandon: (id) => void transport.abandoned.push(id),
					handshaken() {},
					kill: () => {
						transport.die();
						return true;
					},
					close: () => {
						transport.isClosed = true;
						transport.isOpen = false;
						return Promise.resolve();
					},
				};
			},
		},
	};
	const note =
		(name: string) =>
		(...fields: unknown[]) =>
			void records.push(Object.assign({ name }, ...(fields as object[])) as { name: string });
	const recorder: Recorder = {
		setServers() {},
		withoutSecrets: (text) => text,
		message: note('message'),
		callQueued: (_origin, call, reason) => note('callQueued')({ callId: call.callId, reason }),
		callSent: (_origin, call, to) => note('callSent')({ callId: call.callId, ...to }),
		callEnded: (origin, call, how) => note('callEnded')({ callId: call.callId, ...how, agentId: origin.agentId }),
		scopeDecision: (origin, call, decision) =>
			note('scopeDecision')({ callId: call.callId, tool: call.tool, ...decision, agentId: origin.agentId }),
		faultInjected: (origin, call, fault) =>
			note('faultInjected')({ callId: call.callId, ...fault, agentId: origin.agentId }),
		callHeld: (_origin, held) => note('callHeld')({ ...held }),
		callReleased: (_origin, held, release) => note('callReleased')({ stopId: held.stopId, ...release }),
		toolDescribed: note('toolDescribed'),
		upstreamState: note('upstreamState'),
		reconnect: note('reconnect'),
		hook: note('hook'),
	};
	const host = createHost({
		platform,
		recorder: options.recorder?.({ now: () => now }) ?? recorder,
		evictSession: options.evictSession,
		version: '0.0.0',
		process: { pid: 1, generation: 1, startedAt: new Date(now).toISOString() },
		onError: (error) => {
			throw error;
		},
	});
	const definition: StdioDefinition = {
		name: 'files',
		transport: { kind: 'stdio', command: 'files', args: [], env: {} },
		sharing: options.sharing ?? 'auto',
		limits: { ...defaultLimits, ...options.limits },
		secrets: [],
		redactedArguments: [],
	};
	host.putServers('test', [definition]);
	const rig: Rig = {
		host,
		transports,
		definition,
		commands,
		records,
		get last() {
			return transports.at(-1)!;
		},
		agent(identity = nobodyKnown) {
			const heard: Json[] = [];
			const endpoint = host.connectAgent({
				server: 'files',
				identity,
				transport: 'http',
				isolationKey: undefined,
				output: (bytes) => heard.push(JSON.parse(new TextDecoder().decode(bytes)) as Json) > 0,
			});
			return new FakeAgent(endpoint, heard);
		},
		async initialized(capabilities = {}, identity = nobodyKnown) {
			const agent = rig.agent(identity);
			agent.ask('initialize', {
				protocolVersion: '2025-06-18',
				capabilities,
				clientInfo: { name: 'test', version: '1' },
			});
			await settled();
			return agent;
		},
		async pass(milliseconds) {
			const end = now + milliseconds;
			for (;;) {
				await settled();
				const next = timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
				if (next === undefined) break;
				now = Math.max(now, next.at);
				timers = timers.filter((timer) => timer !== next);
				next.callback();
			}
			now = end;
			await settled();
		},
	};
	return rig;
}

export function answerHandshake(transport: FakeTransport, message: Json): void {
	if (message['method'] === 'initialize')
		transport.say({
			jsonrpc: '2.0',
			id: message['id'],
			result: {
				protocolVersion: '2025-11-25',
				capabilities: { tools: {} },
				serverInfo: { name: 'files', version: '1' },
			},
		});
	if (message['method'] === 'ping') transport.say({ jsonrpc: '2.0', id: message['id'], result: {} });
	if (message['method'] === 'server/discover')
		transport.say({ jsonrpc: '2.0', id: message['id'], error: { code: -32_601, message: 'Method not found' } });
}

/** Lets everything happen that waits for no time to pass. */
export async function settled(): Promise<void> {
	await new Promise((resolve) => setImmediate(resolve));
}

export function bytesOf(message: Json): Uint8Array {
	return new TextEncoder().encode(jsonText(message));
}

function channelTo(heard: Json[], answered: (answer: Answered) => void): MessageChannel {
	const read = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as Json;
	return {
		deliver: (bytes) => void heard.push(read(bytes)),
		answer: (bytes, error) => answered({ body: read(bytes), error }),
		accepted() {},
		dropped() {},
		headers: undefined,
	};
}
