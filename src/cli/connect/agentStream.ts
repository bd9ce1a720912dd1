// What stands between an agent's stdio and the host, and outlives the host: it knows what waits for an answer, so that nobody waits for
// one that cannot come any more.

import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { ExpectedError } from '../../core/base/errors.ts';
import { CallFailure } from '../../core/host/failures.ts';
import { MessageLines } from '../../platform/node/upstreams/messageLines.ts';
import { lookAt } from './messageLook.ts';
import { ToolPromises } from './toolPromises.ts';

export interface AgentStreamOptions {
	readonly input: Readable;
	readonly output: Writable;
	/** The server's name, for what the agent is told. */
	readonly server: string;
	/** The way to the host, which is found or started for it. Rejects with an `ExpectedError`. */
	readonly open: () => Promise<Socket>;
	/** Whether whoever has started this is gone: a stream that has ended does not tell. */
	readonly isOrphan: () => boolean;
	/** Takes a sentence for a person. */
	readonly warn: (sentence: string) => void;
	readonly signal: AbortSignal;
}

/** A request of the agent that has no answer yet. */
interface Waiting {
	readonly method: string;
	readonly line: Buffer;
	/** How often it was given to a host. */
	attempts: number;
}

/** A line for the host. */
interface Outgoing {
	readonly line: Buffer;
	/** Of the requests in it. */
	readonly ids: readonly string[];
}

interface Remembered {
	readonly id: string;
	readonly line: Buffer;
}

/** A new host, or the server behind it, does not take the agent in. */
class RefusedError extends ExpectedError {
	readonly error: unknown;

	constructor(error: unknown) {
		super('The server does not go on with this agent.');
		this.error = error;
	}
}

/** What changes nothing, or belongs to a handshake that nobody has finished. Of calls the tool says whether one may be repeated. */
const repeatable = new Set([
	'initialize',
	'server/discover',
	'ping',
	'tools/list',
	'prompts/list',
	'prompts/get',
	'resources/list',
	'resources/templates/list',
	'resources/read',
	'completion/complete',
	'subscriptions/listen',
]);

/** What a host has ended over so often may be what ends it. */
const mostAttempts = 3;

/** A server that has always one more page of tools is not asked for ever. */
const mostPages = 100;

/** So much waits for a host that is being started; then the agent waits too. */
const longestQueue = 1024 * 1024;
/** Who has closed its side may want its answers, as in `… | crosstalk connect`. Nobody waits for one for longer who has not said so. */
const lastAnswersMs = 60_000;
/** How soon the calls of an agent that has died are cancelled. */
const lastLookMs = 20;
/** For the host to close its side of the stream, once all is said. */
const farewellMs = 1_000;
/** A new host starts its servers too. */
const handshakeMs = 60_000;

export class AgentStream {
	private readonly options: AgentStreamOptions;
	private socket: Socket | undefined;
	/** It knows of this agent what the host before knew. */
	private isReady = false;
	private connecting: Promise<void> | undefined;
	/** What has not been given to any host. */
	private queue: Outgoing[] = [];
	private queuedBytes = 0;
	/** Requests of the agent, by id as it is written. */
	private readonly waiting = new Map<string, Waiting>();
	/** Requests of the server that the agent has not answered, and those of a host that is gone. */
	private readonly asked = new Set<string>();
	private readonly askedInVain = new Set<string>();
	/** What a new host has to be told of before it can go on where the one before has ended: in the era of handshakes. */
	private initialize: Remembered | undefined;
	private initialized: Buffer | undefined;
	private logLevel: Remembered | undefined;
	private readonly subscriptions = new Map<string, Remembered>();
	private readonly tools = new ToolPromises();
	/** Calls that were under way when a host ended, of tools that nobody has listed: the next host is asked about them. */
	private undecided: string[] = [];
	private listings = 0;
	/** Who waits for the answers to what is said again for the agent, which has had its own. `undefined`: there will be none. */
	private readonly replayed = new Map<string, (answer: Buffer | undefined) => void>();
	private isInputEnded = false;
	private isEnded = false;
	private finish: () => void = () => undefined;

	constructor(options: AgentStreamOptions) {
		this.options = options;
	}

	/** Runs until the agent ends or the signal comes. Rejects when there is no way to the host to begin with. */
	async run(): Promise<void> {
		const { input, output, signal } = this.options;
		const finished = new Promise<void>((resolve) => (this.finish = resolve));
		const stop = () => this.end();
		signal.addEventListener('abort', stop, { once: true });
		try {
			if (signal.aborted) return;
			// Nothing is read before there is somebody to give it to.
			this.take(await this.options.open());
			if (this.isEnded) return;
			this.isReady = true;
			this.readAgent();
			output.on('drain', () => this.socket?.resume());
			// The agent is gone; its input ends as well, or is as good as ended.
			output.on('error', () => this.end());
			await finished;
		} finally {
			signal.removeEventListener('abort', stop);
			this.isEnded = true;
			this.socket?.destroy();
			input.destroy();
		}
	}

	private end(): void {
		this.isEnded = true;
		this.socket?.destroy();
		this.finish();
	}

	// From the agent

	private readAgent(): void {
		const { input, warn } = this.options;
		const lines = new MessageLines({
			onLine: (line) => this.fromAgent(line),
			onOversizedLine: ({ head, length }) => {
				const look = lookAt(head);
				const sentence = `A message of ${Math.round(length / 1024 / 1024)} MB is too long for the host.`;
				if (look?.id !== undefined && look.method !== undefined)
					this.answerError(look.id, -32_600, sentence, undefined);
				else warn(sentence);
			},
		});
		input.on('data', (chunk: Buffer) => lines.push(chunk));
		input.once('end', () => {
			lines.finish();
			this.isInputEnded = true;
			void this.farewell();
		});
		input.once('error', () => this.end());
	}

	private fromAgent(line: Buffer): void {
		const { id, method } = lookAt(line) ?? {};
		const ids: string[] = [];
		if (method === undefined) {
			// Whoever has asked this is gone.
			if (id !== undefined && !this.asked.delete(id) && this.askedInVain.delete(id)) return;
		} else if (id === undefined) {
			if (method === 'notifications/initialized') this.initialized = line;
			if (method === 'notifications/cancelled') this.forget(line);
		} else {
			ids.push(id);
			this.waiting.set(id, { method, line, attempts: 0 });
			this.remember(method, id, line);
		}
		if (this.socket !== undefined && this.isReady) this.write(this.socket, { line, ids });
		// What is no request and meets no host says something to a host that is gone.
		else if (ids.length > 0 || this.connecting !== undefined) this.enqueue({ line, ids });
	}

	/** Nobody waits any more for what the agent has cancelled: it has no answer, and is given to no host. */
	private forget(cancellation: Buffer): void {
		const id = JSON.stringify(paramsOf(cancellation)?.['requestId']);
		// Of a handshake there is no cancelling.
		if (!this.waiting.has(id) || this.waiting.get(id)?.method === 'initialize') return;
		this.waiting.delete(id);
		this.undecided = this.undecided.filter((other) => other !== id);
		const dropped = this.queue.filter(({ ids }) => ids.includes(id));
		this.queue = this.queue.filter((outgoing) => !dropped.includes(outgoing));
		for (const { line } of dropped) this.queuedBytes -= line.length;
	}

	/** What holds for the whole connection, not for one request. */
	private remember(method: string, id: string, line: Buffer): void {
		switch (method) {
			case 'initialize':
				this.initialize = { id, line };
				break;
			case 'logging/setLevel':
				this.logLevel = { id, line };
				break;
			case 'resources/subscribe':
			case 'resources/unsubscribe': {
				const uri = paramsOf(line)?.['uri'];
				if (typeof uri !== 'string') break;
				if (method === 'resources/subscribe') this.subscriptions.set(uri, { id, line });
				else this.subscriptions.delete(uri);
				break;
			}
		}
	}

	private write(socket: Socket, { line, ids }: Outgoing): void {
		for (const id of ids) {
			const waiting = this.waiting.get(id);
			if (waiting !== undefined) waiting.attempts++;
		}
		socket.cork();
		socket.write(line);
		if (!socket.write('\n')) this.options.input.pause();
		socket.uncork();
	}

	private enqueue(outgoing: Outgoing): void {
		this.queue.push(outgoing);
		this.queuedBytes += outgoing.line.length;
		if (this.queuedBytes > longestQueue) this.options.input.pause();
		this.connect();
	}

	private async farewell(): Promise<void> {
		const { isOrphan, warn } = this.options;
		const since = performance.now();
		while (!this.isEnded && !isOrphan() && this.isAnswerDue()) {
			if (performance.now() - since > lastAnswersMs) {
				warn(`What is not answered ${lastAnswersMs / 1000} s after the end of the input is given up.`);
				break;
			}
			await delay(lastLookMs);
		}
		const { socket } = this;
		if (socket === undefined) {
			this.end();
			return;
		}
		// With the stream their calls are cancelled.
		this.waiting.clear();
		socket.end();
		setTimeout(() => this.end(), farewellMs).unref();
	}

	private isAnswerDue(): boolean {
		// That one has its answer when it ends.
		return [...this.waiting.values()].some(({ method }) => method !== 'subscriptions/listen');
	}

	// From the host

	private take(socket: Socket): void {
		if (this.isEnded) {
			socket.destroy();
			return;
		}
		this.socket = socket;
		const { input, output, warn } = this.options;
		const lines = new MessageLines({
			onLine: (line) => {
				if (this.socket === socket && this.isForAgent(line)) this.tell(line);
			},
			// The host sends nothing that is longer than what it takes.
			onOversizedLine: () => warn('The host has sent a message that is too long; it was let go.'),
		});
		socket.on('data', (chunk: Buffer) => {
			lines.push(chunk);
			if (output.writableNeedDrain) socket.pause();
		});
		socket.on('drain', () => input.resume());
		socket.on('error', () => socket.destroy());
		socket.on('end', () => socket.end());
		// A line that has no end is not a message.
		socket.once('close', () => {
			if (this.socket === socket) this.lose();
		});
		if (output.writableNeedDrain) socket.pause();
	}

	private tell(line: Buffer): void {
		const { output } = this.options;
		output.cork();
		output.write(line);
		output.write('\n');
		output.uncork();
	}

	private isForAgent(line: Buffer): boolean {
		const { id, method } = lookAt(line) ?? {};
		if (method === 'notifications/tools/list_changed') this.tools.forget();
		if (id === undefined) return true;
		if (method !== undefined) {
			this.asked.add(id);
			return true;
		}
		const replay = this.replayed.get(id);
		if (replay !== undefined) {
			this.replayed.delete(id);
			replay(line);
			return false;
		}
		if (this.waiting.get(id)?.method === 'tools/list') this.tools.learn(line);
		this.waiting.delete(id);
		return true;
	}

	/** The host is gone. Whoever waits for it is told so, or waits for the next one. */
	private lose(): void {
		this.socket = undefined;
		this.isReady = false;
		for (const done of this.replayed.values()) done(undefined);
		this.replayed.clear();
		if (this.isEnded || (this.isInputEnded && !this.isAnswerDue())) {
			this.end();
			return;
		}
		for (const id of this.asked) {
			this.askedInVain.add(id);
			this.tellJson(
				`"method":"notifications/cancelled","params":{"requestId":${id},"reason":"The host has ended."}`,
			);
		}
		this.asked.clear();
		// What was never given to it waits in the queue already, and has come later.
		const again: Outgoing[] = [];
		for (const [id, waiting] of [...this.waiting]) {
			if (waiting.attempts === 0 || this.isQueued(id) || this.undecided.includes(id)) continue;
			const isRepeatable = waiting.attempts < mostAttempts ? this.isRepeatable(waiting) : false;
			if (isRepeatable === true) again.push({ line: waiting.line, ids: [id] });
			else if (isRepeatable === undefined) this.undecided.push(id);
			else this.answerUnknown(id, waiting);
		}
		this.queueFirst(again);
		this.options.input.resume();
		this.connectIfNeeded();
	}

	private isQueued(id: string): boolean {
		return this.queue.some(({ ids }) => ids.includes(id));
	}

	private queueFirst(again: readonly Outgoing[]): void {
		this.queue = [...again, ...this.queue];
		for (const { line } of again) this.queuedBytes += line.length;
	}

	/** `undefined`: that depends on a tool of which nothing is known. */
	private isRepeatable({ method, line }: Waiting): boolean | undefined {
		if (method !== 'tools/call') return repeatable.has(method);
		const tool = paramsOf(line)?.['name'];
		// The host refuses what names no tool.
		return typeof tool === 'string' ? this.tools.isRepeatable(tool) : true;
	}

	private answerUnknown(id: string, { method, line }: Waiting): void {
		const { server } = this.options;
		const tool = method === 'tools/call' ? paramsOf(line)?.['name'] : undefined;
		this.answerFailure(
			id,
			new CallFailure(
				'outcome-unknown',
				`The host ended while ${server} worked on ${typeof tool === 'string' ? tool : method}. It may have been carried out; it was not sent again.`,
				{ server, ...(typeof tool === 'string' ? { tool } : {}) },
			),
		);
	}

	private answerFailure(id: string, { code, message, data }: CallFailure): void {
		this.answerError(id, code, message, data);
	}

	private answerError(id: string, code: number, message: string, data: unknown): void {
		this.answer(id, `"error":${JSON.stringify({ code, message, data })}`);
	}

	private answer(id: string, outcome: string): void {
		this.waiting.delete(id);
		this.tellJson(`"id":${id},${outcome}`);
	}

	private tellJson(members: string): void {
		this.tell(Buffer.from(`{"jsonrpc":"2.0",${members}}`));
	}

	// A host that takes the place of the one before

	private connectIfNeeded(): void {
		// Who has asked to be told of changes does not ask again.
		if (this.queue.length > 0 || this.undecided.length > 0 || this.subscriptions.size > 0) this.connect();
	}

	private connect(): void {
		if (this.isEnded) return;
		this.connecting ??= this.connectAgain()
			.catch((error: unknown) => this.failQueue(error))
			.finally(() => {
				this.connecting = undefined;
				// It was lost again.
				if (this.socket === undefined && (this.queue.length > 0 || this.undecided.length > 0)) this.connect();
			});
	}

	private async connectAgain(): Promise<void> {
		for (let attempt = 1; !this.isEnded; attempt++) {
			const socket = await this.options.open();
			this.take(socket);
			const isAgain = this.initialize !== undefined && !this.waiting.has(this.initialize.id);
			const isIn = (!isAgain || (await this.introduce(socket))) && (await this.decide(socket));
			if (isIn && this.socket === socket) {
				this.isReady = true;
				const { queue } = this;
				this.queue = [];
				this.queuedBytes = 0;
				this.options.input.resume();
				for (const outgoing of queue) this.write(socket, outgoing);
				return;
			}
			if (attempt === mostAttempts)
				throw new ExpectedError(`${attempt} hosts in a row ended while they took this agent in.`);
		}
	}

	/** Finds out which calls of tools that nobody has listed may be sent again. `false`: this host has ended too. */
	private async decide(socket: Socket): Promise<boolean> {
		const [first] = this.undecided;
		if (first === undefined) return true;
		const known = this.waiting.get(first)?.line;
		if (!(await this.listTools(socket, known === undefined ? {} : ownMetaOf(known)))) return false;
		const again: Outgoing[] = [];
		for (const id of this.undecided.splice(0)) {
			const waiting = this.waiting.get(id);
			if (waiting === undefined) continue;
			if (this.isRepeatable(waiting) === true) again.push({ line: waiting.line, ids: [id] });
			else this.answerUnknown(id, waiting);
		}
		this.queueFirst(again);
		return true;
	}

	/** @param meta What every request of this agent says of it, in the revision without handshakes. */
	private async listTools(socket: Socket, meta: object): Promise<boolean> {
		let cursor: string | undefined;
		for (let page = 0; page < mostPages; page++) {
			const id = JSON.stringify(`crosstalk-tools-${++this.listings}`);
			const params = JSON.stringify({ ...(cursor === undefined ? {} : { cursor }), ...meta });
			const line = Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"tools/list","params":${params}}`);
			const answer = await this.ask(socket, { id, line });
			if (answer === undefined) return false;
			cursor = this.tools.learn(answer);
			if (cursor === undefined) break;
		}
		return true;
	}

	/** Says to a new host what the agent has said to the one before. `false`: it has ended too. */
	private async introduce(socket: Socket): Promise<boolean> {
		const { initialize, initialized, logLevel, subscriptions } = this;
		if (initialize === undefined) return true;
		const answer = await this.ask(socket, initialize);
		if (answer === undefined) return false;
		const error = errorIn(answer);
		if (error !== undefined) {
			socket.destroy();
			throw new RefusedError(error);
		}
		if (initialized !== undefined) this.write(socket, { line: initialized, ids: [] });
		for (const remembered of [...(logLevel === undefined ? [] : [logLevel]), ...subscriptions.values()]) {
			// One that the agent waits for itself is in the queue.
			if (!this.waiting.has(remembered.id)) void this.ask(socket, remembered);
		}
		return true;
	}

	/** `undefined`: there will be no answer. */
	private async ask(socket: Socket, { id, line }: Remembered): Promise<Buffer | undefined> {
		return new Promise((resolve) => {
			const timer = setTimeout(() => socket.destroy(), handshakeMs);
			this.replayed.set(id, (answer) => {
				clearTimeout(timer);
				resolve(answer);
			});
			this.write(socket, { line, ids: [] });
		});
	}

	/** There is no way to a host: nobody waits for longer than it took to find that out. */
	private failQueue(error: unknown): void {
		const { queue } = this;
		this.queue = [];
		this.queuedBytes = 0;
		const { server, warn, input, signal } = this.options;
		if (this.isEnded || signal.aborted) return;
		const reason = error instanceof Error ? error.message : String(error);
		warn(reason);
		const undecided = this.undecided.splice(0);
		for (const id of [...undecided, ...queue.flatMap(({ ids }) => ids)]) {
			const waiting = this.waiting.get(id);
			// A host that is gone had it: whatever is wrong with the next one, it may have been carried out.
			if (waiting?.method === 'tools/call' && waiting.attempts > 0) this.answerUnknown(id, waiting);
			else if (error instanceof RefusedError) this.answer(id, `"error":${JSON.stringify(error.error)}`);
			else this.answerFailure(id, new CallFailure('server-unavailable', reason, { server }));
		}
		input.resume();
	}
}

/** The error of an answer that is one. */
function errorIn(answer: Buffer): unknown {
	try {
		const { error } = JSON.parse(answer.toString('utf8')) as { error?: unknown }; // passed on as it is
		return error;
	} catch {
		// The host writes JSON, and an answer without an error is one to go on with.
		return undefined;
	}
}

function paramsOf(line: Buffer): Readonly<Record<string, unknown>> | undefined {
	try {
		// A request's params are an object; what is read of it is looked at.
		const { params } = JSON.parse(line.toString('utf8')) as { params?: Readonly<Record<string, unknown>> };
		return params ?? undefined;
	} catch {
		// The host will say what is wrong with it.
		return undefined;
	}
}

/** What a request says of its sender, and not of itself. */
function ownMetaOf(line: Buffer): object {
	const meta = paramsOf(line)?.['_meta'];
	if (typeof meta !== 'object' || meta === null) return {};
	const own = Object.entries(meta).filter(([key]) => key.startsWith('io.modelcontextprotocol/'));
	return own.length === 0 ? {} : { _meta: Object.fromEntries(own) };
}
