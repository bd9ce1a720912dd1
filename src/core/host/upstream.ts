import type { Disposable } from '../base/lifecycle.ts';
import type { ReconnectCause } from '../events/sessionEvent.ts';
import { counted } from '../base/text.ts';
import type { Exchange } from './exchange.ts';
import { CallFailure } from './failures.ts';
import type { HostPlatform, RequestFailure, TransportExit, UpstreamTransport } from './ports.ts';
import type { Recorder } from './recorder.ts';
import {
	META,
	encoded,
	encodedText,
	flawOf,
	isObject,
	objectAt,
	onOneLine,
	readRpc,
	replaced,
	stringAt,
} from './rpc.ts';
import type { JsonObject, RpcMessage } from './rpc.ts';
import { LATEST_LEGACY, MODERN } from './revisions.ts';
import type { ServerDefinition } from './serverDefinition.ts';
import type { ExitStatus, UpstreamState } from './status.ts';

/** How a server is spoken to: after a handshake (2025-11-25 and earlier), or with all that is needed in each request (2026-07-28). */
export type Era = 'legacy' | 'modern';

/** What the handshake tells the server about its client. */
export interface ClientIntroduction {
	readonly clientInfo: JsonObject;
	readonly capabilities: JsonObject;
}

/** What the server has told about itself: the result of `initialize` or of `server/discover`. */
export interface ServerIntroduction {
	readonly era: Era;
	readonly protocolVersion: string;
	readonly result: JsonObject;
}

export interface UpstreamListener {
	/** A notification of the server; `exchange` is the running request that it came on the stream of, where that is known. */
	onNotification(upstream: Upstream, message: RpcMessage, exchange: Exchange | undefined): void;
	/** A request of the server. It is answered with `upstream.answer`. */
	onRequest(upstream: Upstream, message: RpcMessage, exchange: Exchange | undefined): void;
	/** A connection stands, for the first time or again. */
	onConnected(upstream: Upstream): void;
	/** Something that a person sees is different. */
	onDidChange(): void;
	/** An agent uses this upstream: when its connection breaks a new one is made at once. */
	isWanted(upstream: Upstream): boolean;
	/** Whether running it twice does no harm, as the server says; `undefined`: that depends on a tool that nobody has listed. */
	isRepeatable(exchange: Exchange): boolean | undefined;
	/** Asks a server what its tools say of themselves. Rejects with `CallFailure` when it does not tell. */
	listTools(upstream: Upstream): Promise<void>;
	/** A request is about to go on. `true`: a fault on purpose has taken it, and it does not, or later. */
	befall(upstream: Upstream, exchange: Exchange): boolean;
	/** A connection was made anew, or could not be. */
	onReconnect(cause: ReconnectCause): void;
}

/** Since when, and why, the connection is to be made anew. */
interface Renewal {
	readonly cause: ReconnectCause;
	readonly reason: string;
	readonly began: number;
	drainedMs: number;
}

/** Of what a server prints; what is before is let go. */
export const MAXIMUM_OUTPUT = 64 * 1024;
const FIRST_BACKOFF_MS = 250;
const MAXIMUM_BACKOFF_MS = 10_000;
/** A connection that lasted this long was a good one: what happens to it later begins a new count of attempts. */
const PROVEN_AFTER_MS = 10_000;
/** After a server has failed its callers are told so at once for this long; the next call then tries again. */
const REST_AFTER_FAILURE_MS = 15_000;
const IDS_GIVEN_UP = 256;
/** A server of the older era may well ignore what it does not know. */
const DISCOVER_MS = 5_000;

/**
 * One connection to an MCP server, and the coordinator of its reconnects. Whoever has a request hands it in; it is sent at once, or
 * waits while there is no connection. However many wait, one connection is made. A connection is torn down only when nothing runs on
 * it any more or when it has died: a call that passes its limit is cancelled alone.
 */
export class Upstream {
	readonly id: string;
	/** Taken up with the next connection when it changes. */
	definition: ServerDefinition;
	/** Whom it is for: `all`, a session or an agent. */
	owner: string;
	/** What is tried first; a server that does not speak it says so in the handshake. */
	era: Era;
	state: UpstreamState = 'stopped';
	introduction: ServerIntroduction | undefined;
	lastExit: ExitStatus | undefined;
	/** Why it is in the state it is in, when that needs a reason. */
	reason: string | undefined;
	reconnects = 0;

	private readonly platform: HostPlatform;
	private readonly recorder: Recorder;
	private readonly listener: UpstreamListener;
	private client: ClientIntroduction;
	private readonly running = new Map<number, Exchange>();
	private waiting: Exchange[] = [];
	/** What a fault on purpose keeps from being sent for now. */
	private readonly heldBack = new Set<Exchange>();
	/** What ran when the connection broke, and may or may not be sent again: the next one is asked. With what it fails if not. */
	private readonly undecided = new Map<Exchange, CallFailure>();
	/** Questions of the host itself. */
	private readonly own = new Map<number, (answer: RpcMessage | CallFailure) => void>();
	/** Requests whose answers nobody waits for any more. */
	private readonly givenUp = new Set<number>();
	private readonly arrivals: { resolve: () => void; reject: (failure: CallFailure) => void }[] = [];
	private transport: UpstreamTransport | undefined;
	/** Tells what a connection says from what an earlier one still had to say. */
	private epoch = 0;
	private nextId = 1;
	/** Attempts since the last handshake that went well. */
	private attempts = 0;
	/** Connections in a row that broke before they had served anybody. */
	private breaks = 0;
	private connectedAt = 0;
	private heardAt = 0;
	private failedAt = 0;
	private timer: Disposable | undefined;
	private isProbing = false;
	/** The host's own subscription. */
	private listening: number | undefined;
	private renewal: Renewal | undefined;
	/** The last connection has gone by itself, and none has stood since. */
	private hasGone = false;
	private text = '';

	constructor(options: {
		id: string;
		definition: ServerDefinition;
		owner: string;
		era: Era;
		client: ClientIntroduction;
		platform: HostPlatform;
		recorder: Recorder;
		listener: UpstreamListener;
	}) {
		this.id = options.id;
		this.definition = options.definition;
		this.owner = options.owner;
		this.era = options.era;
		this.client = options.client;
		this.platform = options.platform;
		this.recorder = options.recorder;
		this.listener = options.listener;
	}

	get pid(): number | undefined {
		return this.transport?.pid;
	}

	/** Requests that the server works on. */
	get runningExchanges(): Iterable<Exchange> {
		return this.running.values();
	}

	get waitingExchanges(): readonly Exchange[] {
		if (this.undecided.size + this.heldBack.size === 0) return this.waiting;
		return [...this.undecided.keys(), ...this.waiting, ...this.heldBack];
	}

	/** The last that the server has printed beside the protocol. */
	get output(): string {
		// What is left of a line may be what is left of a secret.
		const start = this.text.length < MAXIMUM_OUTPUT ? 0 : this.text.indexOf('\n') + 1;
		// As a whole: a secret may have come in two parts.
		return this.recorder.withoutSecrets(this.text.slice(start));
	}

	exchangeOf(upstreamId: unknown): Exchange | undefined {
		return typeof upstreamId === 'number' ? this.running.get(upstreamId) : undefined;
	}

	/** Sends a request, now or when there is a connection. */
	submit(exchange: Exchange): void {
		if (!this.listener.befall(this, exchange)) this.take(exchange);
	}

	/** Lets a request wait, connection or not, until it is released. */
	holdBack(exchange: Exchange, reason: string): void {
		exchange.state = 'queued';
		exchange.reason = reason;
		this.heldBack.add(exchange);
		this.recorder.callQueued(exchange.record, exchange, reason);
		this.listener.onDidChange();
	}

	release(exchange: Exchange): void {
		// Its agent has given it up meanwhile.
		if (!this.heldBack.delete(exchange)) return;
		exchange.timer?.dispose();
		exchange.timer = undefined;
		this.take(exchange);
	}

	/** Kills the process behind the connection, without a warning. `false`: there is none. */
	killProcess(): boolean {
		return this.transport?.kill() ?? false;
	}

	/**
	 * Breaks the connection as if it had broken by itself.
	 * @param isNaive Nothing that ran on it is sent again.
	 */
	tear(reason: string, isNaive: boolean): void {
		const { transport } = this;
		if (transport === undefined || (this.state !== 'connected' && this.state !== 'draining')) return;
		const lost = isNaive ? [...this.running.values()] : [];
		for (const exchange of lost) {
			this.running.delete(exchange.upstreamId);
			const message = `${this.unknownOutcome(exchange)} ${reason}`;
			exchange.end({ ending: 'outcome-unknown', failure: this.failure('outcome-unknown', message, exchange) });
		}
		if (isNaive)
			this.renewal ??= { cause: 'timed-out', reason, began: this.platform.clock.elapsed(), drainedMs: 0 };
		this.closed({ reason, code: null, signal: null, stderrTail: '', isHopeless: false });
		void transport.close();
	}

	private take(exchange: Exchange): void {
		if (this.state === 'connected' && !this.isProbing) {
			this.dispatch(exchange);
			this.listener.onDidChange();
			return;
		}
		if (this.state === 'failed' && this.platform.clock.elapsed() - this.failedAt < REST_AFTER_FAILURE_MS) {
			exchange.end({ ending: 'failed', failure: this.unavailable(exchange) });
			return;
		}
		const { queueLength, queueMs } = this.definition.limits;
		if (this.waiting.length >= queueLength) {
			const message = `${this.definition.name} has no connection, and ${counted(queueLength, 'call')} wait for one already. Try again later.`;
			exchange.end({ ending: 'refused', failure: this.failure('queue-full', message, exchange) });
			return;
		}
		exchange.state = 'queued';
		exchange.reason = this.reasonToWait();
		this.waiting.push(exchange);
		exchange.timer = this.platform.clock.after(queueMs, () => {
			const message = `${this.definition.name} had no connection for the ${queueMs / 1000} s that a call waits at most: ${this.reasonToWait()}.`;
			this.remove(exchange);
			exchange.end({ ending: 'refused', failure: this.failure('queue-full', message, exchange) });
			this.listener.onDidChange();
		});
		this.recorder.callQueued(exchange.record, exchange, exchange.reason);
		if (this.state === 'stopped' || this.state === 'failed') this.begin();
		this.listener.onDidChange();
	}

	/** Resolves when a connection stands; rejects with a `CallFailure` when there will be none. */
	ready(): Promise<void> {
		if (this.state === 'connected') return Promise.resolve();
		if (this.state === 'failed' && this.platform.clock.elapsed() - this.failedAt < REST_AFTER_FAILURE_MS)
			return Promise.reject(this.unavailable(undefined));
		const arrival = new Promise<void>((resolve, reject) => this.arrivals.push({ resolve, reject }));
		if (this.state === 'stopped' || this.state === 'failed') this.begin();
		return arrival;
	}

	/** Gives one request up. The server is told, and nobody else notices. */
	cancel(exchange: Exchange, ending: 'cancelled' | 'timed-out', failure: CallFailure, reason: string): void {
		if (exchange.state === 'queued') this.remove(exchange);
		else if (exchange.state === 'running') this.abandon(exchange, reason);
		else if (exchange.state !== 'held') return;
		exchange.end({ ending, failure });
		this.settle();
		this.listener.onDidChange();
	}

	/** Sends a message that has no answer. Without a connection it is dropped. */
	notify(message: Uint8Array): void {
		if (this.state === 'connected' || this.state === 'draining')
			this.transport?.send(onOneLine(message), undefined);
	}

	/** The answer to a request of the server. */
	answer(message: Uint8Array): void {
		this.transport?.send(onOneLine(message), undefined);
	}

	/** Asks the server something on the host's own account. */
	ask(method: string, params: JsonObject, milliseconds: number): Promise<RpcMessage> {
		const id = this.nextId++;
		return new Promise((resolve, reject) => {
			const timer = this.platform.clock.after(milliseconds, () => {
				this.own.delete(id);
				this.rememberGivenUp(id);
				reject(
					this.failure(
						'timed-out',
						`${this.definition.name} did not answer ${method} in ${milliseconds / 1000} s.`,
					),
				);
			});
			this.own.set(id, (answer) => {
				timer.dispose();
				if (answer instanceof CallFailure) reject(answer);
				else resolve(answer);
			});
			this.transport?.send(encoded({ jsonrpc: '2.0', id, method, params }), {
				id,
				method,
				name: undefined,
				headers: undefined,
				protocolVersion: this.era === 'modern' ? MODERN : undefined,
			});
		});
	}

	/** Asks a server of the modern era to tell of changes; what it was asked before is forgotten. */
	listen(notifications: JsonObject): void {
		if (this.listening !== undefined) this.withdraw(this.listening, 'Another subscription takes its place.');
		const id = this.nextId++;
		this.listening = id;
		this.own.set(id, () => {});
		const method = 'subscriptions/listen';
		const request = { id, method, name: undefined, headers: undefined, protocolVersion: MODERN };
		this.transport?.send(
			encoded({ jsonrpc: '2.0', id, method, params: { _meta: this.ownMeta(), notifications } }),
			request,
		);
	}

	/** The `_meta` of a request that the host makes on its own account to a server of the modern era. */
	ownMeta(): JsonObject {
		return {
			[META.protocolVersion]: MODERN,
			[META.clientInfo]: this.client.clientInfo,
			[META.clientCapabilities]: this.client.capabilities,
		};
	}

	/** Makes the connection anew as soon as nothing runs on it. Resolves when the new one stands. */
	reconnect(reason: string): Promise<void> {
		if (this.state === 'failed') this.failedAt = -REST_AFTER_FAILURE_MS;
		if (this.state === 'connected') this.renew('requested', reason);
		return this.ready();
	}

	/** From now on it is for this one; its server hears of that when the connection is made anew. */
	belongTo(owner: string, client: ClientIntroduction): void {
		this.owner = owner;
		this.client = client;
	}

	/** Ends the connection for good. What runs or waits gets its failure. */
	async close(reason: string): Promise<void> {
		const transport = this.leave();
		this.failAll(reason);
		this.changeState('stopped', reason);
		await transport?.close();
	}

	private begin(): void {
		this.attempts = 0;
		this.breaks = 0;
		this.open();
	}

	private open(): void {
		this.attempts++;
		this.changeState(this.renewal === undefined ? 'connecting' : 'reconnecting', this.renewal?.reason);
		const epoch = ++this.epoch;
		const isCurrent = () => this.epoch === epoch;
		const { connectMs } = this.definition.limits;
		this.timer = this.platform.clock.after(connectMs, () => {
			const text = `${this.definition.name} did not answer the handshake in ${connectMs / 1000} s`;
			this.attemptFailed(`${text}.${this.tailSentence()}`, false);
		});
		this.transport = this.platform.upstreams.open(this.definition.transport, {
			onOpened: () => {
				if (isCurrent()) void this.introduce(isCurrent);
			},
			onMessage: (message, relatedTo) => {
				if (isCurrent()) this.receive(message, relatedTo);
			},
			onNoise: (text) => this.keepOutput(text),
			onStderr: (text) => this.keepOutput(text),
			onRequestFailed: (id, failure) => {
				if (isCurrent()) this.requestFailed(id, failure);
			},
			onClosed: (exit) => {
				if (isCurrent()) this.closed(exit);
			},
		});
		this.listener.onDidChange();
	}

	/** Makes the handshake in the era that is tried first, or in the older one where the server does not know the newer. */
	private async introduce(isCurrent: () => boolean): Promise<void> {
		const { connectMs } = this.definition.limits;
		try {
			if (this.era === 'modern') {
				const discovered = await this.ask(
					'server/discover',
					{ _meta: this.ownMeta() },
					Math.min(connectMs, DISCOVER_MS),
				).catch(noAnswer);
				if (!isCurrent()) return;
				if (discovered !== undefined && speaksModern(discovered)) {
					this.connected({ era: 'modern', protocolVersion: MODERN, result: discovered.result });
					return;
				}
				this.era = 'legacy';
			}
			const params = { protocolVersion: LATEST_LEGACY, ...this.client };
			const answer = await this.ask('initialize', params, connectMs);
			if (!isCurrent()) return;
			if (answer.kind === 'error') {
				// A server of the modern era alone does not know the handshake.
				const modern = await this.ask(
					'server/discover',
					{ _meta: this.ownMeta() },
					Math.min(connectMs, DISCOVER_MS),
				).catch(noAnswer);
				if (!isCurrent()) return;
				if (modern !== undefined && speaksModern(modern)) {
					this.era = 'modern';
					this.connected({ era: 'modern', protocolVersion: MODERN, result: modern.result });
					return;
				}
			}
			const flaw = flawOf(answer) ?? introductionFlaw(answer);
			if (flaw !== undefined) {
				this.attemptFailed(
					`${this.definition.name} gave an answer to the handshake that no client takes. ${flaw}`,
					true,
				);
				return;
			}
			if (answer.kind === 'error') {
				const message = this.recorder.withoutSecrets(String(answer.result['message']));
				this.attemptFailed(
					`${this.definition.name} refused the handshake: ${message} (${String(answer.result['code'])}).`,
					true,
				);
				return;
			}
			const protocolVersion = stringAt(answer.result, 'protocolVersion') ?? LATEST_LEGACY;
			// The server may send at once, and HTTP needs the revision in a header from here on.
			this.transport?.handshaken(protocolVersion);
			this.transport?.send(encodedText('{"jsonrpc":"2.0","method":"notifications/initialized"}'), undefined);
			this.connected({ era: 'legacy', protocolVersion, result: answer.result });
		} catch (error) {
			if (!(error instanceof CallFailure)) throw error;
			if (isCurrent()) this.attemptFailed(error.message, false);
		}
	}

	private connected(introduction: ServerIntroduction): void {
		this.timer?.dispose();
		this.timer = undefined;
		this.introduction = introduction;
		this.connectedAt = this.platform.clock.elapsed();
		this.hasGone = false;
		const { attempts } = this;
		this.attempts = 0;
		const { renewal } = this;
		this.renewal = undefined;
		this.changeState('connected', undefined);
		if (renewal !== undefined) {
			this.reconnects++;
			this.recordReconnect(renewal, attempts, true);
		}
		this.listener.onConnected(this);
		if (this.undecided.size > 0) void this.decide();
		for (const { resolve } of this.arrivals.splice(0)) resolve();
		this.dispatchWaiting();
		this.listener.onDidChange();
	}

	/** What may be sent again to a server that has just been started is sent; of the rest the outcome stays unknown. */
	private async decide(): Promise<void> {
		const { epoch } = this;
		try {
			await this.listener.listTools(this);
		} catch (error) {
			if (!(error instanceof CallFailure)) throw error;
		}
		// Those of a connection that broke meanwhile have had their answer.
		if (this.epoch !== epoch) return;
		for (const [exchange, failure] of this.undecided) {
			this.undecided.delete(exchange);
			exchange.timer?.dispose();
			if (this.listener.isRepeatable(exchange) === true) this.submit(exchange);
			else exchange.end({ ending: 'outcome-unknown', failure });
		}
		this.listener.onDidChange();
	}

	private endUndecided(): void {
		for (const [exchange, failure] of this.undecided) {
			this.undecided.delete(exchange);
			exchange.end({ ending: 'outcome-unknown', failure });
		}
	}

	private dispatchWaiting(): void {
		const { waiting } = this;
		this.waiting = [];
		for (const exchange of waiting) this.dispatch(exchange);
	}

	private dispatch(exchange: Exchange): void {
		const { transport } = this;
		if (transport === undefined) throw new Error('A connected upstream has a transport.');
		const id = this.nextId++;
		const now = this.platform.clock.elapsed();
		exchange.timer?.dispose();
		exchange.state = 'running';
		exchange.reason = undefined;
		exchange.upstreamId = id;
		exchange.attempts++;
		exchange.sentAt = now;
		exchange.heardAt = now;
		this.running.set(id, exchange);
		this.watch(exchange);
		const { fault } = exchange;
		if (fault?.deliveries === 0) return;
		this.recorder.callSent(exchange.record, exchange, {
			upstreamId: this.id,
			pid: transport.pid,
			attempt: exchange.attempts,
			isRepeatable: this.listener.isRepeatable(exchange),
		});
		this.deliver(exchange, id, transport);
		if (fault === undefined || exchange.attempts > 1) return;
		if (fault.deliveries === 2) {
			const second = this.nextId++;
			// Nobody waits for what it answers.
			this.rememberGivenUp(second);
			this.deliver(exchange, second, transport);
		}
		fault.onSent?.();
	}

	private deliver(
		{ message, tool, headers, protocolVersion }: Exchange,
		id: number,
		transport: UpstreamTransport,
	): void {
		const raw = encodedText(String(id));
		const bytes = replaced(onOneLine(message.bytes), [
			{ span: message.spans.id, with: raw },
			{ span: message.spans.metaProgressToken, with: raw },
		]);
		transport.send(bytes, {
			id,
			method: message.method,
			name: tool ?? stringAt(message.params, 'uri') ?? stringAt(message.params, 'name'),
			headers,
			protocolVersion,
		});
	}

	/** Holds a running request to its limits. One timer at a time: it looks anew when progress has moved the limit. */
	private watch(exchange: Exchange): void {
		const { limits } = this.definition;
		// A stream of notifications is open for as long as its agent wants.
		if (isSubscription(exchange)) return;
		const callMs = (exchange.tool === undefined ? undefined : limits.callMsByTool[exchange.tool]) ?? limits.callMs;
		const now = this.platform.clock.elapsed();
		const left = Math.min(exchange.heardAt + callMs, exchange.sentAt + limits.maximumCallMs) - now;
		exchange.timer = this.platform.clock.after(Math.max(0, Math.ceil(left)), () => {
			const later = this.platform.clock.elapsed();
			const isOverMaximum = later >= exchange.sentAt + limits.maximumCallMs;
			if (exchange.openQuestions > 0) exchange.heardAt = later;
			if (!isOverMaximum && later < exchange.heardAt + callMs) {
				this.watch(exchange);
				return;
			}
			const limit = isOverMaximum ? limits.maximumCallMs : callMs;
			const what = exchange.tool ?? exchange.message.method;
			const message = `${what} on ${this.definition.name} did not end in the ${limit / 1000} s that a call may take; it was cancelled. Other calls go on.`;
			this.cancel(exchange, 'timed-out', this.failure('timed-out', message, exchange), message);
			if (exchange.fault?.onTimedOut === undefined) void this.probe();
			else exchange.fault.onTimedOut();
		});
	}

	/** A slow tool is not a dead server: the server is asked before anything is torn down, and new calls wait for what it says. */
	private async probe(): Promise<void> {
		if (this.isProbing || this.state !== 'connected') return;
		this.isProbing = true;
		const { epoch } = this;
		const asked = this.platform.clock.elapsed();
		const { probeMs } = this.definition.limits;
		try {
			if (this.era === 'modern') await this.ask('server/discover', { _meta: this.ownMeta() }, probeMs);
			else await this.ask('ping', {}, probeMs);
		} catch (error) {
			if (!(error instanceof CallFailure)) throw error;
			// Whatever it has said in the meantime shows that it lives.
			if (this.epoch === epoch && this.state === 'connected' && this.heardAt <= asked)
				this.renew(
					'unresponsive',
					`it let a call pass its limit and then did not answer a ping in ${probeMs / 1000} s`,
				);
		} finally {
			this.isProbing = false;
			if (this.state === 'connected') this.dispatchWaiting();
		}
	}

	/** From now on calls wait; when those that run have ended the connection is made anew. */
	private renew(cause: ReconnectCause, reason: string): void {
		if (this.renewal !== undefined) return;
		this.renewal = { cause, reason, began: this.platform.clock.elapsed(), drainedMs: 0 };
		this.changeState('draining', reason);
		this.settle();
		this.listener.onDidChange();
	}

	private settle(): void {
		if (this.state !== 'draining' || this.renewal === undefined) return;
		const running = [...this.running.values()];
		if (!running.every(isSubscription)) return;
		// These never end by themselves: they go on over the next connection.
		this.running.clear();
		for (const exchange of running) this.requeue(exchange);
		this.renewal.drainedMs = this.platform.clock.elapsed() - this.renewal.began;
		const transport = this.leave();
		this.attempts = 0;
		this.changeState('reconnecting', this.renewal.reason);
		// The new process may need what the old one holds, a port or a lock.
		const { epoch } = this;
		void transport?.close().then(() => {
			if (this.epoch === epoch) this.open();
		});
	}

	/** Lets go of the present connection: whatever it still says is not heard. */
	private leave(): UpstreamTransport | undefined {
		const { transport } = this;
		this.epoch++;
		this.transport = undefined;
		this.timer?.dispose();
		this.timer = undefined;
		this.givenUp.clear();
		this.listening = undefined;
		for (const [id, settle] of this.own) {
			this.own.delete(id);
			settle(this.failure('server-unavailable', `The connection to ${this.definition.name} was closed.`));
		}
		return transport;
	}

	private receive(bytes: Uint8Array, relatedTo: number | undefined): void {
		this.heardAt = this.platform.clock.elapsed();
		// Over HTTP a message may come on several lines; where it goes on to it has to be one.
		const message = readRpc(onOneLine(bytes));
		if (message.kind === 'problem') {
			this.keepOutput(`${message.reason}\n`);
			// The answer that somebody waits for may be the very one that cannot be read.
			const exchange = this.exchangeOf(message.id ?? relatedTo);
			if (exchange !== undefined) this.finish(exchange, { failure: this.malformed(exchange, message.reason) });
			else this.settleOwn(message.id, this.malformed(undefined, message.reason));
			return;
		}
		if (message.kind === 'request' || message.kind === 'notification') {
			this.receiveFromServer(message, relatedTo);
			return;
		}
		const id = typeof message.id === 'number' ? message.id : Number(message.id);
		if (this.settleOwn(id, message)) return;
		// An error without an id on a request's own stream is about that request.
		const exchange = this.running.get(id) ?? (message.id === undefined ? this.exchangeOf(relatedTo) : undefined);
		if (exchange === undefined) {
			if (!this.givenUp.delete(id))
				this.keepOutput(`An answer to the unknown request ${JSON.stringify(message.id)} was ignored.\n`);
			return;
		}
		this.breaks = 0;
		const flaw = flawOf(message);
		if (exchange.fault?.onLost !== undefined) exchange.fault.onLost();
		else if (flaw === undefined) this.finish(exchange, { answer: message });
		else this.finish(exchange, { failure: this.malformed(exchange, flaw) });
	}

	/** @returns Whether it was the host itself that asked this. */
	private settleOwn(id: unknown, answer: RpcMessage | CallFailure): boolean {
		const own = typeof id === 'number' ? this.own.get(id) : undefined;
		if (own === undefined || typeof id !== 'number') return false;
		this.own.delete(id);
		own(answer);
		return true;
	}

	private receiveFromServer(message: RpcMessage, relatedTo: number | undefined): void {
		let exchange = this.exchangeOf(relatedTo);
		if (message.method === 'notifications/progress') {
			exchange = this.exchangeOf(message.params['progressToken']) ?? exchange;
			if (exchange !== undefined) exchange.heardAt = this.heardAt;
		} else if (message.spans.subscriptionId.start >= 0) {
			exchange = this.exchangeOf(objectAt(message.params, '_meta')[META.subscriptionId]) ?? exchange;
		}
		if (message.kind === 'request') this.listener.onRequest(this, message, exchange);
		else this.listener.onNotification(this, message, exchange);
	}

	private finish(exchange: Exchange, how: { answer: RpcMessage } | { failure: CallFailure }): void {
		this.running.delete(exchange.upstreamId);
		if ('answer' in how) {
			const { answer } = how;
			const isFailed = answer.kind === 'error' || answer.result['isError'] === true;
			exchange.end({ ending: isFailed ? 'failed' : 'completed', answer });
		} else {
			exchange.end({ ending: how.failure.type === 'outcome-unknown' ? 'outcome-unknown' : 'failed', ...how });
		}
		if (this.state === 'draining') this.settle();
		this.listener.onDidChange();
	}

	private abandon(exchange: Exchange, reason: string): void {
		this.running.delete(exchange.upstreamId);
		// What it has never got it need not be told of.
		if (exchange.fault?.deliveries === 0) return;
		this.withdraw(exchange.upstreamId, reason);
	}

	/** Tells the server that nobody waits for this answer any more. */
	private withdraw(id: number, reason: string): void {
		this.own.delete(id);
		this.rememberGivenUp(id);
		// In the modern era a closed stream says it on HTTP; a pipe has no streams, so it is said there in words.
		const isWordy = this.era === 'legacy' || this.definition.transport.kind === 'stdio';
		if (isWordy)
			this.transport?.send(
				encoded({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id, reason } }),
				undefined,
			);
		this.transport?.abandon(id);
	}

	private rememberGivenUp(id: number): void {
		this.givenUp.add(id);
		if (this.givenUp.size <= IDS_GIVEN_UP) return;
		const [oldest] = this.givenUp;
		if (oldest !== undefined) this.givenUp.delete(oldest);
	}

	private requestFailed(id: number, failure: RequestFailure): void {
		if (this.settleOwn(id, this.failure('server-unavailable', failure.reason))) return;
		const exchange = this.running.get(id);
		if (exchange === undefined) return;
		if (failure.httpStatus !== undefined && !failure.isSessionLost && !failure.mayHaveRun) {
			// The server has refused it, and would refuse it again.
			this.finish(exchange, { failure: this.failure('server-unavailable', failure.reason, exchange) });
			return;
		}
		if (failure.isSessionLost || !failure.mayHaveRun) {
			// It was certainly not run: it goes to the next connection.
			this.running.delete(id);
			if (exchange.attempts <= 2) {
				if (this.state === 'connected') this.renew('lost', failure.reason);
				this.submit(exchange);
				this.settle();
				return;
			}
			this.finish(exchange, { failure: this.failure('server-unavailable', failure.reason, exchange) });
			return;
		}
		const [type, what] =
			exchange.message.method === 'tools/call'
				? (['outcome-unknown', this.unknownOutcome(exchange)] as const)
				: ([
						'server-unavailable',
						`${this.definition.name} did not answer ${exchange.message.method}.`,
					] as const);
		this.finish(exchange, {
			failure: this.failure(type, `${what} ${failure.reason}`, exchange, { httpStatus: failure.httpStatus }),
		});
	}

	/** The connection has gone by itself. */
	private closed(told: TransportExit): void {
		const exit = { ...told, stderrTail: this.recorder.withoutSecrets(told.stderrTail) };
		this.lastExit = {
			code: exit.code,
			signal: exit.signal,
			stderrTail: exit.stderrTail,
			reason: exit.reason,
			at: new Date(this.platform.clock.now()).toISOString(),
		};
		this.hasGone = true;
		if (this.state === 'connecting' || this.state === 'reconnecting') {
			// Some servers end when they hear anything before `initialize`: they are of the older era.
			if (this.era === 'modern' && !exit.isHopeless) {
				this.era = 'legacy';
				this.attempts--;
				this.leave();
				this.open();
				return;
			}
			this.attemptFailed(`${exit.reason}${this.tailSentence(exit.stderrTail)}`, exit.isHopeless);
			return;
		}
		const wasProven = this.platform.clock.elapsed() - this.connectedAt >= PROVEN_AFTER_MS;
		this.breaks = wasProven ? 1 : this.breaks + 1;
		this.leave();
		this.renewal ??= { cause: 'exited', reason: exit.reason, began: this.platform.clock.elapsed(), drainedMs: 0 };
		this.changeState('reconnecting', exit.reason);
		// Their second connection broke before it could tell.
		this.endUndecided();
		const lost = [...this.running.values()];
		this.running.clear();
		for (const exchange of lost) {
			const isRepeatable =
				isSubscription(exchange) || (exchange.attempts < 2 && this.listener.isRepeatable(exchange));
			if (isRepeatable === true) {
				this.requeue(exchange);
				continue;
			}
			const message = `${this.unknownOutcome(exchange)} ${exit.reason}${this.tailSentence(exit.stderrTail)}`;
			const failure = this.failure('outcome-unknown', message, exchange, {
				exitCode: exit.code,
				signal: exit.signal,
				stderrTail: exit.stderrTail,
			});
			if (isRepeatable === undefined) this.postpone(exchange, failure);
			else exchange.end({ ending: 'outcome-unknown', failure });
		}
		if (this.waitingExchanges.length > 0 || this.arrivals.length > 0 || this.listener.isWanted(this))
			this.tryAgain(exit.reason);
		else {
			this.renewal = undefined;
			this.changeState('stopped', exit.reason);
		}
		this.listener.onDidChange();
	}

	private requeue(exchange: Exchange): void {
		this.waiting.push(exchange);
		this.queued(exchange, () => exchange.end({ ending: 'failed', failure: this.unavailable(exchange) }));
	}

	private postpone(exchange: Exchange, failure: CallFailure): void {
		this.undecided.set(exchange, failure);
		this.queued(exchange, () => exchange.end({ ending: 'outcome-unknown', failure }));
	}

	/** @param end When it has waited too long. */
	private queued(exchange: Exchange, end: () => void): void {
		exchange.timer?.dispose();
		exchange.state = 'queued';
		exchange.reason = this.reasonToWait();
		exchange.timer = this.platform.clock.after(this.definition.limits.queueMs, () => {
			this.remove(exchange);
			end();
			this.listener.onDidChange();
		});
		this.recorder.callQueued(exchange.record, exchange, exchange.reason);
	}

	private attemptFailed(reason: string, isHopeless: boolean): void {
		const transport = this.leave();
		void transport?.close();
		// Whether they were carried out is not worth more waiting: their agents may look for themselves.
		this.endUndecided();
		this.tryAgain(reason, isHopeless);
		this.listener.onDidChange();
	}

	/** The next attempt, after a while that grows with their number; or the end of it. */
	private tryAgain(reason: string, isHopeless = false): void {
		this.reason = reason;
		if (isHopeless || this.attempts + Math.max(0, this.breaks - 1) >= this.definition.limits.connectAttempts) {
			if (this.renewal !== undefined) this.recordReconnect(this.renewal, this.attempts, false);
			this.renewal = undefined;
			this.failedAt = this.platform.clock.elapsed();
			this.changeState('failed', reason);
			this.failWaiting();
			return;
		}
		this.changeState(this.renewal === undefined ? 'connecting' : 'reconnecting', reason);
		// The first attempt after a good connection comes at once.
		const failures = this.attempts + Math.max(0, this.breaks - 1);
		const backoff = failures === 0 ? 0 : Math.min(FIRST_BACKOFF_MS * 2 ** (failures - 1), MAXIMUM_BACKOFF_MS);
		const delay = backoff * (0.5 + this.platform.random.fraction() / 2);
		this.timer?.dispose();
		this.timer = this.platform.clock.after(delay, () => this.open());
	}

	private failWaiting(): void {
		const { waiting } = this;
		this.waiting = [];
		for (const exchange of waiting) exchange.end({ ending: 'failed', failure: this.unavailable(exchange) });
		for (const { reject } of this.arrivals.splice(0)) reject(this.unavailable(undefined));
	}

	private failAll(reason: string): void {
		const lost = [...this.running.values()];
		this.running.clear();
		for (const exchange of lost) {
			const message = `${this.unknownOutcome(exchange)} ${reason}`;
			exchange.end({ ending: 'outcome-unknown', failure: this.failure('outcome-unknown', message, exchange) });
		}
		this.endUndecided();
		this.reason = reason;
		for (const exchange of this.heldBack) exchange.end({ ending: 'failed', failure: this.unavailable(exchange) });
		this.heldBack.clear();
		this.failWaiting();
	}

	private remove(exchange: Exchange): void {
		this.undecided.delete(exchange);
		this.heldBack.delete(exchange);
		this.waiting = this.waiting.filter((other) => other !== exchange);
	}

	private changeState(state: UpstreamState, reason: string | undefined): void {
		const { lastExit } = this;
		this.reason = reason;
		if (this.state === state) return;
		this.state = state;
		// How a connection ended that was torn down on purpose is not what an earlier one ended with.
		const isAfterExit = this.hasGone && (state === 'reconnecting' || state === 'failed' || state === 'stopped');
		this.recorder.upstreamState({
			server: this.definition.name,
			upstreamId: this.id,
			state,
			pid: this.pid,
			exitCode: isAfterExit ? (lastExit?.code ?? undefined) : undefined,
			signal: isAfterExit ? (lastExit?.signal ?? undefined) : undefined,
			reason,
			stderrTail: isAfterExit ? lastExit?.stderrTail : undefined,
		});
		this.listener.onDidChange();
	}

	private recordReconnect(renewal: Renewal, attempts: number, isSuccessful: boolean): void {
		this.listener.onReconnect(renewal.cause);
		this.recorder.reconnect({
			server: this.definition.name,
			upstreamId: this.id,
			reason: renewal.reason,
			cause: renewal.cause,
			callersWaiting: this.waitingExchanges.length,
			drainedMs: renewal.drainedMs,
			durationMs: this.platform.clock.elapsed() - renewal.began,
			attempts,
			isSuccessful,
		});
	}

	private keepOutput(text: string): void {
		this.text = (this.text + text).slice(-MAXIMUM_OUTPUT);
	}

	private reasonToWait(): string {
		if (this.state === 'draining') return `draining for a reconnect: ${this.renewal?.reason ?? ''}`;
		if (this.state === 'reconnecting') return `reconnecting: ${this.reason ?? ''}`;
		if (this.state === 'connected') return 'asking the server whether it lives: a call has passed its limit';
		return 'connecting';
	}

	private unavailable(exchange: Exchange | undefined): CallFailure {
		const reason = this.reason ?? 'it has no connection.';
		return this.failure('server-unavailable', `${this.definition.name} is not available: ${reason}`, exchange, {
			exitCode: this.lastExit?.code,
			signal: this.lastExit?.signal,
			stderrTail: this.lastExit?.stderrTail,
		});
	}

	private unknownOutcome(exchange: Exchange): string {
		const what = exchange.tool ?? exchange.message.method;
		return `${what} on ${this.definition.name} may or may not have been carried out.`;
	}

	private malformed(exchange: Exchange | undefined, reason: string): CallFailure {
		return this.failure(
			'malformed-answer',
			`${this.definition.name} gave an answer that cannot be read. ${this.recorder.withoutSecrets(reason)}`,
			exchange,
		);
	}

	private failure(
		type: CallFailure['type'],
		message: string,
		exchange?: Exchange,
		details: JsonObject = {},
	): CallFailure {
		return new CallFailure(type, message, { server: this.definition.name, tool: exchange?.tool, ...details });
	}

	private tailSentence(tail = ''): string {
		const last = tail.trim().split('\n').at(-1) ?? '';
		return last === '' ? '' : ` Its last words: ${last}`;
	}
}

/** A stream of notifications that lasts. */
function isSubscription({ message }: Exchange): boolean {
	return message.method === 'subscriptions/listen';
}

/** Whether an answer to `server/discover` shows a server of the modern era that speaks our revision of it. */
function speaksModern(answer: RpcMessage): boolean {
	const versions =
		answer.kind === 'response'
			? answer.result['supportedVersions']
			: isObject(answer.result['data']) && answer.result['code'] === UNSUPPORTED_PROTOCOL_VERSION
				? answer.result['data']['supported']
				: undefined;
	return Array.isArray(versions) && versions.includes(MODERN);
}

/** What no agent could go on with. A server that does not name its revision, or itself, is met half way. */
function introductionFlaw({ kind, result }: RpcMessage): string | undefined {
	if (kind === 'error' || isObject(result['capabilities'])) return undefined;
	return 'Its "result" has no "capabilities".';
}

function noAnswer(error: unknown): undefined {
	if (!(error instanceof CallFailure)) throw error;
}

/** Of revision 2026-07-28, basic/versioning. */
const UNSUPPORTED_PROTOCOL_VERSION = -32_022;
