import { EventEmitter } from 'vscode';
import type { Disposable, Event } from 'vscode';
import { ExpectedError } from '../core/base/errors.ts';
import { DisposableStore } from '../core/base/lifecycle.ts';
import type { ControlRequests, HostAddress } from '../core/host/control.ts';
import type { HostStatus } from '../core/host/status.ts';
import type { ControlClient } from '../platform/node/host/controlClient.ts';
import type { Log } from './log.ts';
import { delay } from './throttle.ts';

/** How a host is found and started. */
export interface HostAccess {
	/** `undefined`: none is running there. */
	attach(directory: string): Promise<ControlClient | undefined>;
	/** Attaches to the one that is running, or starts one. Rejects with a sentence when that cannot be done. */
	attachOrStart(directory: string): Promise<ControlClient>;
}

/** `failed`: one is running, but it cannot be spoken to; `problem` says why. */
export type HostState = 'none' | 'starting' | 'running' | 'failed';

interface Attached {
	readonly client: ControlClient;
	readonly disposables: DisposableStore;
}

/** A host that ends may have been replaced by another, which first makes itself known. */
const settleMs = 200;

/** What this window knows of the host: nothing, until one runs. It never starts one by itself. */
export class HostConnection implements Disposable {
	/** Fires when the state or the status is different. */
	readonly onDidChange: Event<void>;
	private readonly access: HostAccess;
	private readonly log: Log;
	private readonly changed = new EventEmitter<void>();
	private directory: string;
	private attached: Attached | undefined;
	private lastStatus: HostStatus | undefined;
	private looking: Promise<void> | undefined;
	private starting: Promise<ControlClient> | undefined;
	private isDisposed = false;
	private currentProblem: string | undefined;

	constructor(access: HostAccess, directory: string, log: Log) {
		this.access = access;
		this.directory = directory;
		this.log = log;
		this.onDidChange = this.changed.event;
	}

	get state(): HostState {
		if (this.attached !== undefined) return 'running';
		if (this.starting !== undefined) return 'starting';
		return this.currentProblem === undefined ? 'none' : 'failed';
	}

	/** `undefined`: no host is running, or it has not said anything yet. */
	get status(): HostStatus | undefined {
		return this.attached === undefined ? undefined : this.lastStatus;
	}

	get address(): HostAddress | undefined {
		return this.attached?.client.address;
	}

	/** The way to the host that runs. Whoever takes it asks again with every change. */
	get client(): ControlClient | undefined {
		return this.attached?.client;
	}

	/** A sentence: why a host that is there cannot be spoken to. */
	get problem(): string | undefined {
		return this.state === 'failed' ? this.currentProblem : undefined;
	}

	get dataDirectory(): string {
		return this.directory;
	}

	/** Another folder has another host. */
	setDirectory(directory: string): void {
		if (directory === this.directory) return;
		this.directory = directory;
		this.currentProblem = undefined;
		this.release(this.attached);
		void this.look(); // its failures are logged
	}

	/** Attaches when a host is running. Nobody has asked for it, so nobody is told when that fails. */
	async look(): Promise<void> {
		if (this.attached !== undefined || this.starting !== undefined || this.isDisposed) return;
		this.looking ??= this.lookOnce().finally(() => {
			this.looking = undefined;
		});
		await this.looking;
	}

	/** Rejects with a sentence when no host can be had. */
	async start(): Promise<ControlClient> {
		await this.looking;
		if (this.attached !== undefined) return this.attached.client;
		this.starting ??= this.startOnce().finally(() => {
			this.starting = undefined;
			this.changed.fire();
		});
		this.changed.fire();
		return this.starting;
	}

	/** Of the host that runs; a person who asks is told when there is none. */
	async request<Name extends keyof ControlRequests>(
		name: Name,
		params: ControlRequests[Name]['params'],
	): Promise<ControlRequests[Name]['result']> {
		await this.looking;
		if (this.attached === undefined) {
			throw new ExpectedError(
				this.currentProblem ?? 'No host is running. Start one, or run an agent through it.',
			);
		}
		return this.attached.client.request(name, params);
	}

	/** Ends the host: as soon as no call is in flight, or at once. */
	async stop(isForced: boolean): Promise<void> {
		try {
			await this.request('host/stop', { isForced });
		} catch (error) {
			// One that ends at once may not come to say so.
			if (this.attached !== undefined || !isForced) throw error;
		}
	}

	dispose(): void {
		this.isDisposed = true;
		this.release(this.attached);
		this.changed.dispose();
	}

	private async lookOnce(): Promise<void> {
		const { directory } = this;
		try {
			const client = await this.access.attach(directory);
			if (client !== undefined) await this.take(client, directory);
			this.setProblem(undefined);
		} catch (error) {
			// It is looked at again and again; the log needs to be told once.
			const message = error instanceof Error ? error.message : String(error);
			if (message !== this.currentProblem) this.log.failure('The host could not be attached to', error);
			this.setProblem(message);
		}
	}

	private async startOnce(): Promise<ControlClient> {
		const { directory } = this;
		const client = await this.access.attachOrStart(directory);
		this.currentProblem = undefined;
		await this.take(client, directory);
		return client;
	}

	private async take(client: ControlClient, directory: string): Promise<void> {
		if (this.isDisposed || directory !== this.directory) {
			client.dispose();
			return;
		}
		const attached: Attached = { client, disposables: new DisposableStore() };
		attached.disposables.add(client);
		attached.disposables.add(
			client.onDidChange((status) => {
				if (this.attached !== attached) return;
				this.lastStatus = status;
				this.changed.fire();
			}),
		);
		attached.disposables.add(client.onDidClose(() => this.lose(attached)));
		this.lastStatus = undefined;
		this.attached = attached;
		this.log.info(`Attached to the host in ${directory} (pid ${client.address.pid}).`);
		this.changed.fire();
		await client.request('host/watch', {});
	}

	private lose(attached: Attached): void {
		if (this.attached !== attached) return;
		this.log.info('The host has ended.');
		this.release(attached);
		void delay(settleMs).then(() => this.look()); // its failures are logged
	}

	private release(attached: Attached | undefined): void {
		if (attached === undefined) return;
		if (this.attached === attached) {
			this.attached = undefined;
			this.lastStatus = undefined;
			if (!this.isDisposed) this.changed.fire();
		}
		attached.disposables.dispose();
	}

	private setProblem(problem: string | undefined): void {
		if (problem === this.currentProblem) return;
		this.currentProblem = problem;
		this.changed.fire();
	}
}
