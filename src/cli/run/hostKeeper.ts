import { setTimeout as delay } from 'node:timers/promises';
import { ExpectedError } from '../../core/base/errors.ts';
import type { Disposable } from '../../core/base/lifecycle.ts';
import type { HostAddress } from '../../core/host/control.ts';
import type { FaultDefinition } from '../../core/host/faults/index.ts';
import type { ServerDefinition } from '../../core/host/serverDefinition.ts';
import type { ScopeSettings } from '../../core/scope/index.ts';
import { requestFaults } from '../../platform/node/host/faultRequests.ts';
import type { ControlClient } from '../../platform/node/host/controlClient.ts';

const longestPauseMs = 10_000;

/**
 * Sees to it that a host knows the servers of this run for as long as the run takes: an agent cannot start one by itself, and its
 * addresses stay the same when another takes over.
 */
export class HostKeeper implements Disposable {
	readonly address: HostAddress;
	readonly names: Readonly<Record<string, string>>;
	private readonly attach: () => Promise<ControlClient>;
	private readonly source: string;
	private readonly servers: readonly ServerDefinition[];
	private readonly scopes: ScopeSettings | undefined;
	private client: ControlClient;
	private isDisposed = false;

	private constructor(options: KeeperOptions, client: ControlClient, names: Readonly<Record<string, string>>) {
		this.attach = options.attach;
		this.source = options.source;
		this.servers = options.servers;
		this.scopes = options.scopes;
		this.client = client;
		this.address = client.address;
		this.names = names;
		this.watch();
	}

	/** Rejects with an `ExpectedError` when there is no host and none can be started. */
	static async begin(options: KeeperOptions): Promise<HostKeeper> {
		const client = await options.attach();
		try {
			const { source, servers, scopes } = options;
			const { names, hasTakenScopes } = await client.request('servers/put', { source, servers, scopes });
			if (scopes !== undefined && hasTakenScopes !== true)
				throw new ExpectedError(
					'The host that runs is older than this program and knows nothing of scopes. Stop it; the next one to need it starts a new one.',
				);
			if (options.faults.length > 0) await arm(client, options);
			return new HostKeeper(options, client, names);
		} catch (error) {
			client.dispose();
			throw error;
		}
	}

	/** The host forgets the servers of this run. */
	async end(): Promise<void> {
		this.isDisposed = true;
		try {
			await this.client.request('servers/put', { source: this.source, servers: [] });
		} catch (error) {
			// A host that has ended knows them no more.
			if (!(error instanceof ExpectedError)) throw error;
		} finally {
			this.dispose();
		}
	}

	dispose(): void {
		this.isDisposed = true;
		this.client.dispose();
	}

	private watch(): void {
		this.client.onDidClose(() => void this.renew()); // has no failures
	}

	private async renew(): Promise<void> {
		for (let pauseMs = 50; !this.isDisposed; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
			try {
				const client = await this.attach();
				if (this.isDisposed) {
					client.dispose();
					return;
				}
				this.client = client;
				const { source, servers, scopes } = this;
				await client.request('servers/put', { source, servers, scopes });
				// No fault survives its host: whoever has armed it has seen to one host, and not to the next.
				this.watch();
				return;
			} catch {
				// The agent goes on without its servers; a line in the middle of its screen would help nobody.
				await delay(pauseMs, undefined, { ref: false });
			}
		}
	}
}

/** For the calls of this run alone, and as long as the client stays. */
async function arm(client: ControlClient, { source, faults }: KeeperOptions): Promise<void> {
	const target = { kind: 'source', source } as const;
	await requestFaults(client, 'faults/arm', { faults, target, isKept: false, client: 'crosstalk run' });
}

export interface KeeperOptions {
	/** Attaches to the host, and starts one where there is none. */
	readonly attach: () => Promise<ControlClient>;
	/** Names this run among all that give servers to the host. */
	readonly source: string;
	readonly servers: readonly ServerDefinition[];
	/** What it says of the scopes of tools, for its own calls. */
	readonly scopes: ScopeSettings | undefined;
	/** What is to go wrong with its calls on purpose. */
	readonly faults: readonly FaultDefinition[];
}
