import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { Emitter } from '../../../core/base/emitter.ts';
import { ExpectedError } from '../../../core/base/errors.ts';
import type { Disposable } from '../../../core/base/lifecycle.ts';
import type { DebugNotifications } from '../../../core/debug/index.ts';
import type { AppendedEvents, ControlRequests, HostAddress } from '../../../core/host/control.ts';
import type { HostStatus } from '../../../core/host/status.ts';
import { connectionOver } from './controlConnection.ts';
import { controlProtocol, isExpectedFailure } from './controlProtocol.ts';

/** The way to one host that runs. */
export interface ControlClient extends Disposable {
	readonly address: HostAddress;
	/** Rejects with an `ExpectedError` when the host refuses, or ends before it has answered. */
	request<Name extends keyof ControlRequests>(
		name: Name,
		params: ControlRequests[Name]['params'],
	): Promise<ControlRequests[Name]['result']>;
	/** From `host/watch` on. */
	readonly onDidChange: (listener: (status: HostStatus) => void) => Disposable;
	/** From `events/follow` on. */
	readonly onDidAppend: (listener: (appended: AppendedEvents) => void) => Disposable;
	/** From `debug/attach` on. */
	onDebug<Name extends keyof DebugNotifications>(
		name: Name,
		listener: (params: DebugNotifications[Name]) => void,
	): Disposable;
	/** Once, when the host has ended or closed the way. At once for whoever asks later. */
	readonly onDidClose: (listener: () => void) => Disposable;
}

export interface ControlClientOptions {
	/** Who is asking, for the host's log. */
	readonly client: string;
	/** How long a host that accepts the connection may take to greet. */
	readonly timeoutMs: number;
}

/** `undefined`: nobody listens there. Rejects with an `ExpectedError` when somebody does who cannot be spoken to. */
export async function connectControl(path: string, options: ControlClientOptions): Promise<ControlClient | undefined> {
	const socket = await open(path);
	if (socket === undefined) return undefined;
	const client = new NodeControlClient(socket);
	try {
		return await client.attach(options);
	} catch (error) {
		const isGone = socket.destroyed;
		client.dispose();
		if (isExpectedFailure(error)) throw new ExpectedError(error.message, { cause: error });
		// It has ended between accepting and greeting, as one does that is killed or closes.
		if (isGone) return undefined;
		throw error;
	}
}

async function open(path: string): Promise<Socket | undefined> {
	return new Promise((resolve, reject) => {
		const socket = connect(path);
		socket.once('connect', () => {
			socket.off('error', failed);
			// What goes wrong from now on closes it.
			socket.on('error', () => socket.destroy());
			resolve(socket);
		});
		socket.once('error', failed);

		function failed(error: NodeJS.ErrnoException): void {
			const { code } = error;
			if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTSOCK' || code === 'ECONNRESET')
				resolve(undefined);
			else
				reject(new ExpectedError(`The host cannot be reached at ${path}: ${error.message}.`, { cause: error }));
		}
	});
}

/** Far more than the status of thousands of calls. */
const longestMessage = 64 * 1024 * 1024;

class NodeControlClient implements ControlClient {
	readonly onDidChange: (listener: (status: HostStatus) => void) => Disposable;
	readonly onDidAppend: (listener: (appended: AppendedEvents) => void) => Disposable;
	private isClosed = false;
	private readonly socket: Socket;
	private readonly connection: MessageConnection;
	private readonly changed = new Emitter<HostStatus>(rethrowLater);
	private readonly appended = new Emitter<AppendedEvents>(rethrowLater);
	private readonly closed = new Emitter<void>(rethrowLater);
	private isDisposed = false;
	private knownAddress: HostAddress | undefined;

	constructor(socket: Socket) {
		this.socket = socket;
		this.onDidChange = this.changed.event;
		this.onDidAppend = this.appended.event;
		// Whatever the host has sent that is no message ends the connection, and that is told by `onDidClose`.
		this.connection = connectionOver(socket, { longestMessage, onBroken: () => undefined });
		this.connection.onNotification('host/didChange', (status: HostStatus) => this.changed.fire(status));
		this.connection.onNotification('events/didAppend', (appended: AppendedEvents) => this.appended.fire(appended));
		socket.once('close', () => {
			this.isClosed = true;
			if (!this.isDisposed) this.closed.fire();
		});
		this.connection.listen();
	}

	get address(): HostAddress {
		if (this.knownAddress === undefined) throw new Error('A client is handed on only after it has attached.');
		return this.knownAddress;
	}

	onDidClose(listener: () => void): Disposable {
		if (!this.isClosed) return this.closed.event(listener);
		listener();
		return { dispose: () => undefined };
	}

	onDebug<Name extends keyof DebugNotifications>(
		name: Name,
		listener: (params: DebugNotifications[Name]) => void,
	): Disposable {
		return this.connection.onNotification(name, listener);
	}

	async attach({ client, timeoutMs }: ControlClientOptions): Promise<ControlClient> {
		const timer = setTimeout(() => this.socket.destroy(), timeoutMs);
		try {
			this.knownAddress = await this.send('host/attach', { protocol: controlProtocol, client });
			return this;
		} finally {
			clearTimeout(timer);
		}
	}

	async request<Name extends keyof ControlRequests>(
		name: Name,
		params: ControlRequests[Name]['params'],
	): Promise<ControlRequests[Name]['result']> {
		try {
			return await this.send(name, params);
		} catch (error) {
			if (isExpectedFailure(error)) throw new ExpectedError(error.message, { cause: error });
			if (this.socket.destroyed)
				throw new ExpectedError('The host has ended before it answered.', { cause: error });
			throw error;
		}
	}

	dispose(): void {
		this.isDisposed = true;
		this.connection.dispose();
		this.socket.destroy();
		this.changed.dispose();
		this.appended.dispose();
		this.closed.dispose();
	}

	private async send<Name extends keyof ControlRequests>(
		name: Name,
		params: ControlRequests[Name]['params'],
	): Promise<ControlRequests[Name]['result']> {
		return this.connection.sendRequest(name, params);
	}
}

/** A listener that throws is a bug of its own; it must not end what other listeners wait for. */
function rethrowLater(error: unknown): void {
	queueMicrotask(() => {
		throw error;
	});
}
