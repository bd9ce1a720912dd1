import { chmod } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { ErrorCodes, ResponseError } from 'vscode-jsonrpc/node';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { ExpectedError } from '../../../core/base/errors.ts';
import type { Disposable } from '../../../core/base/lifecycle.ts';
import type { ControlRequests, HostAddress } from '../../../core/host/control.ts';
import type { Host } from '../../../core/host/host.ts';
import { storedSessionId } from '../../../core/base/ids.ts';
import { checkFaults } from '../../../core/host/faults/index.ts';
import type { FaultDefinition, FaultTarget } from '../../../core/host/faults/index.ts';
import { settingsIn } from '../../../core/host/scopes/scopeBook.ts';
import type { HostStatus } from '../../../core/host/status.ts';
import { queryIn, sentRows, statementOf } from '../store/eventQueries.ts';
import { acceptStoreClient, isStoreClient } from '../store/storeServer.ts';
import type { StoreService } from '../store/storeServer.ts';
import { ControlDebug, notifier } from './controlDebug.ts';
import { connectionOver } from './controlConnection.ts';
import { controlProtocol, expectedFailure } from './controlProtocol.ts';
import { serversIn } from './controlServers.ts';
import type { EventFeed } from './eventFeed.ts';

/** Of a host what its clients ask for. */
export type ControlledHost = Pick<
	Host,
	'status' | 'onDidChange' | 'putServers' | 'putScopes' | 'faults' | 'reconnect' | 'outputOf' | 'cancelCall'
> & { readonly debug: Pick<Host['debug'], 'attach'> };

export interface ControlServerOptions {
	readonly host: ControlledHost;
	/** For those who come for the session store, in a protocol of its own. */
	readonly store?: StoreService | undefined;
	/** What is recorded while it happens, for those who follow it. */
	readonly events?: Pick<EventFeed, 'follow' | 'flush'> | undefined;
	/** Where to listen; nothing may lie there. */
	readonly path: string;
	/** What a client that attaches is told, as soon as it is known. */
	readonly address: Promise<HostAddress>;
	readonly stop: (isForced: boolean) => void;
	/** A client has come or gone. */
	readonly onClients: () => void;
	readonly log: (sentence: string) => void;
	/** `false`: a process that has nothing else to do ends. */
	readonly keepsProcess?: boolean | undefined;
}

/** The host's side of the control socket. */
export interface ControlServer {
	/** Clients that have attached and are still there. */
	readonly clients: number;
	close(): Promise<void>;
}

export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
	const server = new NodeControlServer(options);
	await server.listen();
	return server;
}

/** At most ten times a second, as the protocol promises. */
const throttleMs = 100;

/** Of a client: far more than the servers of a person. */
const longestMessage = 4 * 1024 * 1024;

/** Who has said nothing by then is no client. */
const greetingMs = 10_000;

class NodeControlServer implements ControlServer {
	private readonly options: ControlServerOptions;
	private readonly server: Server;
	private readonly connected = new Set<Connected>();
	private readonly watch: StatusWatch;

	constructor(options: ControlServerOptions) {
		this.options = options;
		this.watch = new StatusWatch(options.host);
		this.server = createServer((socket) => this.accept(socket));
		if (options.keepsProcess === false) this.server.unref();
	}

	get clients(): number {
		let attached = 0;
		for (const { isAttached } of this.connected) if (isAttached) attached++;
		return attached;
	}

	async listen(): Promise<void> {
		const { path } = this.options;
		await new Promise<void>((resolve, reject) => {
			this.server.once('error', (error) =>
				reject(new ExpectedError(`The host cannot listen at ${path}: ${error.message}.`, { cause: error })),
			);
			this.server.listen(path, resolve);
		});
		this.server.on('error', (error) => this.options.log(`The control socket: ${error.message}.`));
		// The folder keeps others out already, where it is the data directory's own.
		if (process.platform !== 'win32') await chmod(path, 0o600);
	}

	async close(): Promise<void> {
		this.watch.dispose();
		// It removes the socket file too.
		const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
		for (const client of this.connected) client.end();
		await closed;
	}

	private accept(socket: Socket): void {
		if (this.options.keepsProcess === false) socket.unref();
		const connected: { client: Connected } = { client: new Silent(socket) };
		this.connected.add(connected.client);
		socket.once('close', () => {
			this.connected.delete(connected.client);
			if (connected.client.isAttached) this.options.onClients();
		});
		// What goes wrong with a socket closes it, and that is all there is to do about it.
		socket.on('error', () => socket.destroy());
		const greeting = setTimeout(() => {
			if (!connected.client.isAttached) socket.destroy();
		}, greetingMs);
		greeting.unref();
		socket.once('close', () => clearTimeout(greeting));
		socket.once('data', (first: Buffer) => {
			socket.pause();
			this.connected.delete(connected.client);
			connected.client = isStoreClient(first)
				? acceptStoreClient(socket, this.options)
				: new Client(socket, this.options, this.watch);
			this.connected.add(connected.client);
			socket.unshift(first);
			socket.resume();
		});
	}
}

interface Connected {
	/** It has said who it is. */
	readonly isAttached: boolean;
	/** What was already answered still arrives. */
	end(): void;
}

/** One that has said nothing yet. */
class Silent implements Connected {
	readonly isAttached = false;
	private readonly socket: Socket;

	constructor(socket: Socket) {
		this.socket = socket;
	}

	end(): void {
		this.socket.destroy();
	}
}

class Client implements Connected {
	isAttached = false;
	private readonly socket: Socket;
	private readonly connection: MessageConnection;
	private readonly options: ControlServerOptions;
	private readonly watch: StatusWatch;
	private following: Disposable | undefined;
	private readonly debug: ControlDebug;

	constructor(socket: Socket, options: ControlServerOptions, watch: StatusWatch) {
		this.socket = socket;
		this.options = options;
		this.watch = watch;
		this.connection = connectionOver(socket, {
			longestMessage,
			onBroken: ({ message }) => options.log(`A client of the control socket was turned away: ${message}`),
		});
		const notify = notifier(
			async (name, value) => this.connection.sendNotification(name, value),
			() => {
				options.log('A debugger was let go that did not listen any more.');
				socket.destroy();
			},
		);
		this.debug = new ControlDebug(options.host.debug, notify);
		this.connection.onClose(() => {
			watch.remove(this.connection);
			this.following?.dispose();
			options.host.faults.disarmOf(this);
			this.debug.dispose();
		});
		this.answerRequests();
		this.connection.listen();
	}

	end(): void {
		this.socket.end();
		const forced = setTimeout(() => this.socket.destroy(), 500);
		this.socket.once('close', () => clearTimeout(forced));
	}

	private answerRequests(): void {
		const { host, stop, onClients, address } = this.options;
		this.answer('host/attach', (params) => {
			refuseOtherProtocols(params.protocol);
			if (!this.isAttached) {
				this.isAttached = true;
				onClients();
			}
			return address;
		});
		this.answer('host/status', () => host.status());
		this.answer('host/watch', () => {
			this.watch.add(this.connection);
			return null;
		});
		this.answer('host/stop', ({ isForced }) => {
			stop(isForced);
			return null;
		});
		this.answer('servers/put', ({ source, servers, scopes }) => {
			const names = host.putServers(text('source', source), serversIn(servers));
			host.putScopes(source, settingsIn(scopes), 'own');
			return { names, hasTakenScopes: true };
		});
		this.answer('servers/reconnect', async ({ server }) => {
			await host.reconnect(text('server', server));
			return null;
		});
		this.answer('servers/output', ({ server }) => ({ text: host.outputOf(text('server', server)) }));
		this.answer('events/read', async ({ query }) => {
			const known = queryIn(query);
			if (known === undefined) throw new ResponseError(ErrorCodes.InvalidParams, 'query has to be one.');
			if (this.options.store === undefined) throw new ExpectedError('There is no session store here.');
			return { rows: sentRows(await this.options.store.query(statementOf(known))) };
		});
		this.answer('events/follow', async ({ sessions }) => {
			const { events } = this.options;
			if (events === undefined) throw new ExpectedError('Nothing is recorded here.');
			const wanted = sessionsIn(sessions);
			this.following?.dispose();
			this.following = events.follow(wanted, async (appended) =>
				this.connection.sendNotification('events/didAppend', appended),
			);
			await events.flush();
			return null;
		});
		this.answer('events/unfollow', () => {
			this.following?.dispose();
			this.following = undefined;
			return null;
		});
		this.answer('faults/arm', ({ faults, target, isKept, client }) => ({
			faults: host.faults.arm(
				faultsIn(faults),
				targetIn(target),
				text('client', client),
				isKept ? undefined : this,
			),
		}));
		this.answer('faults/disarm', ({ ids }) => ({
			disarmed: host.faults.disarm(ids === null ? undefined : texts('ids', ids)),
		}));
		this.answer('faults/list', () => ({ faults: host.faults.status }));
		const { debug } = this;
		this.answer('debug/attach', (params) => debug.attach(params));
		this.answer('debug/detach', () => {
			debug.dispose();
			return null;
		});
		this.answer('debug/set', (params) => debug.set(params));
		this.answer('debug/name', (params) => debug.name(params));
		this.answer('debug/held', () => debug.held());
		this.answer('debug/check', (params) => debug.check(params));
		this.answer('debug/resume', (params) => debug.resume(params));
		this.answer('debug/pause', (params) => debug.pause(params));
		this.answer('calls/cancel', ({ callId }) => ({ wasInFlight: host.cancelCall(text('callId', callId)) }));
	}

	private answer<Name extends keyof ControlRequests>(
		name: Name,
		handle: (
			params: ControlRequests[Name]['params'],
		) => ControlRequests[Name]['result'] | Promise<ControlRequests[Name]['result']>,
	): void {
		this.connection.onRequest<unknown, void>(name, async (params: unknown) => {
			if (!this.isAttached && name !== 'host/attach')
				throw new ResponseError(ErrorCodes.InvalidRequest, 'The first request has to be host/attach.');
			if (typeof params !== 'object' || params === null)
				throw new ResponseError(ErrorCodes.InvalidParams, `${name} needs its parameters by name.`);
			try {
				// Each handler looks at the members that it takes from a client that may be of another version.
				return await handle(params as ControlRequests[Name]['params']);
			} catch (error) {
				if (error instanceof ExpectedError) throw expectedFailure(error.message);
				throw error;
			}
		});
	}
}

function refuseOtherProtocols(protocol: unknown): void {
	if (protocol === controlProtocol) return;
	const isOlder = typeof protocol === 'number' && protocol < controlProtocol;
	throw expectedFailure(
		isOlder
			? `The host is newer than this program: it speaks version ${controlProtocol} of the control protocol, not ${protocol}. Update this program.`
			: `The host is older than this program: it speaks version ${controlProtocol} of the control protocol, not ${String(protocol)}. Stop the host; the next one to need it starts a new one.`,
	);
}

function text(name: string, value: unknown): string {
	if (typeof value === 'string') return value;
	throw new ResponseError(ErrorCodes.InvalidParams, `${name} has to be a text.`);
}

function sessionsIn(value: unknown): ReadonlySet<string> | undefined {
	if (value === null || value === undefined) return undefined;
	if (!Array.isArray(value))
		throw new ResponseError(ErrorCodes.InvalidParams, 'sessions has to be a list of texts, or null.');
	return new Set(value.map((session: unknown, index) => text(`sessions[${index}]`, session)));
}

function texts(name: string, values: unknown): readonly string[] {
	if (!Array.isArray(values)) throw new ResponseError(ErrorCodes.InvalidParams, `${name} has to be a list.`);
	return values.map((value: unknown) => text(name, value));
}

function faultsIn(value: unknown): readonly FaultDefinition[] {
	const { faults, problems } = checkFaults(value);
	const [problem] = problems;
	if (problem !== undefined) throw new ExpectedError(`${problem.path}: ${problem.message}`);
	return faults;
}

/** A fault that does not say whose calls it is for is for nobody's. */
function targetIn(value: unknown): FaultTarget {
	if (typeof value === 'object' && value !== null && 'kind' in value) {
		if (value.kind === 'source' && 'source' in value)
			return { kind: 'source', source: text('source', value.source) };
		if (value.kind === 'session' && 'sessionId' in value)
			return { kind: 'session', sessionId: storedSessionId(text('sessionId', value.sessionId)) };
	}
	throw new ResponseError(ErrorCodes.InvalidParams, 'target has to name a source or a session.');
}

/** Tells everybody who watches what is different, as fast as each of them reads and no faster than the throttle. */
class StatusWatch {
	private readonly host: ControlledHost;
	/** For each the last status that it was told, and whether it is being told one. */
	private readonly watchers = new Map<MessageConnection, { told: string; isBusy: boolean }>();
	private readonly subscription: { dispose(): void };
	private timer: NodeJS.Timeout | undefined;
	private lastRound = -Infinity;

	constructor(host: ControlledHost) {
		this.host = host;
		this.subscription = host.onDidChange(() => this.soon());
	}

	add(connection: MessageConnection): void {
		this.watchers.set(connection, { told: '', isBusy: false });
		this.tell(this.host.status());
	}

	remove(connection: MessageConnection): void {
		this.watchers.delete(connection);
	}

	dispose(): void {
		clearTimeout(this.timer);
		this.subscription.dispose();
		this.watchers.clear();
	}

	private soon(): void {
		if (this.watchers.size === 0 || this.timer !== undefined) return;
		this.timer = setTimeout(
			() => {
				this.timer = undefined;
				this.lastRound = performance.now();
				this.tell(this.host.status());
			},
			Math.max(0, this.lastRound + throttleMs - performance.now()),
		);
	}

	private tell(status: HostStatus): void {
		// Ages grow all the time and are no news.
		const news = JSON.stringify(status, (key, value: unknown) => (key === 'ageMs' ? undefined : value));
		for (const [connection, watcher] of this.watchers) {
			if (watcher.isBusy || watcher.told === news) continue;
			watcher.told = news;
			watcher.isBusy = true;
			void connection.sendNotification('host/didChange', status).then(
				() => {
					watcher.isBusy = false;
					this.soon();
				},
				// It is gone; its socket's end removes it.
				() => this.watchers.delete(connection),
			);
		}
	}
}
