// A configuration file that the host follows: what changes in it is taken over while the host runs.

import { basename, dirname } from 'node:path';
import { stat } from 'node:fs/promises';
import { ExpectedError } from '../../../core/base/errors.ts';
import type { Disposable } from '../../../core/base/lifecycle.ts';
import type { ServerDefinition } from '../../../core/host/serverDefinition.ts';
import type { ScopeSettings } from '../../../core/scope/index.ts';
import { watchFolder } from '../watch.ts';
import type { ServerConfig } from './serverConfigs.ts';

export interface FollowedConfigOptions {
	/** Absolute. */
	readonly path: string;
	readonly read: () => Promise<ServerConfig>;
	/** What is taken from it. */
	readonly contents: 'servers' | 'scopes';
	readonly onServers: (servers: readonly ServerDefinition[]) => void;
	/** Not called where the file cannot be read: what it said before holds on. */
	readonly onScopes: (scopes: ScopeSettings) => void;
	readonly warn: (sentence: string) => void;
	/** A bug of ours. */
	readonly onError: (error: unknown) => void;
}

/** Editors write in several steps. */
const settleMs = 100;
/** What is not watched, as on network drives, is looked at. */
const lookMs = 5_000;

export class FollowedConfig implements Disposable {
	private readonly options: FollowedConfigOptions;
	private readonly watcher: Disposable;
	private readonly timer: NodeJS.Timeout;
	private settling: NodeJS.Timeout | undefined;
	private servers: readonly ServerDefinition[];
	private seen: string | undefined;
	private lastWarnings = '';
	private reading: Promise<void> = Promise.resolve();
	private isDisposed = false;

	private constructor(
		options: FollowedConfigOptions,
		servers: readonly ServerDefinition[],
		seen: string | undefined,
	) {
		this.options = options;
		this.servers = servers;
		this.seen = seen;
		const name = basename(options.path);
		this.watcher = watchFolder(dirname(options.path), (changed) => {
			if (changed === undefined || changed === name) this.soon();
		});
		this.timer = setInterval(() => this.soon(), lookMs);
		this.timer.unref();
	}

	/** Reads the file now, and again whenever it changes. Rejects when it cannot be read now. */
	static async open(options: FollowedConfigOptions): Promise<FollowedConfig> {
		const seen = await stateOf(options.path);
		const { servers, scopes, problems } = await options.read();
		const config = new FollowedConfig(options, servers, seen);
		config.warn(problems);
		options.onServers(servers);
		if (scopes !== undefined) options.onScopes(scopes);
		return config;
	}

	dispose(): void {
		this.isDisposed = true;
		clearInterval(this.timer);
		clearTimeout(this.settling);
		this.watcher.dispose();
	}

	private soon(): void {
		clearTimeout(this.settling);
		this.settling = setTimeout(() => {
			this.reading = this.reading.then(() => this.readAgain()).catch(this.options.onError);
		}, settleMs);
		this.settling.unref();
	}

	private async readAgain(): Promise<void> {
		const { path, read, contents, onServers, onScopes, warn } = this.options;
		const state = await stateOf(path);
		if (state === this.seen || this.isDisposed) return;
		this.seen = state;
		try {
			const { servers, isWhole, scopes, problems } = await read();
			if (this.isDisposed) return;
			this.warn(problems);
			// An editor's half-written file or a slip: an entry may be cut short, and who says which?
			if (!isWhole) return;
			// What is wrong with a server costs nobody the one that runs.
			const kept =
				problems.length === 0
					? []
					: this.servers.filter((known) => servers.every(({ name }) => name !== known.name));
			this.servers = [...servers, ...kept];
			onServers(this.servers);
			if (scopes !== undefined) onScopes(scopes);
		} catch (error) {
			if (!(error instanceof ExpectedError)) throw error;
			warn(`${error.message} Its ${contents} stay as they are.`);
		}
	}

	private warn(problems: ServerConfig['problems']): void {
		const lines = problems.map(({ line, message }) => `${this.options.path}:${line}: ${message}`);
		const warnings = lines.join('\n');
		// Once is enough for what has been so before.
		if (warnings !== this.lastWarnings) for (const line of lines) this.options.warn(line);
		this.lastWarnings = warnings;
	}
}

async function stateOf(path: string): Promise<string | undefined> {
	try {
		const { ino, size, mtimeMs } = await stat(path);
		return `${ino} ${size} ${mtimeMs}`;
	} catch {
		// Reading it says why.
		return undefined;
	}
}
