import { join } from 'node:path';
import { ExpectedError } from '../../core/base/errors.ts';
import { printableJson, printableLines } from '../../core/report/index.ts';
import { createHost } from '../../core/host/createHost.ts';
import { EventRecorder } from '../../core/host/eventRecorder.ts';
import { misspeltServers } from '../../core/host/misspeltServers.ts';
import type { Host } from '../../core/host/host.ts';
import type { ServerDefinition } from '../../core/host/serverDefinition.ts';
import type { ScopeSettings } from '../../core/scope/index.ts';
import { NodeEventLog } from '../../platform/node/eventLog.ts';
import { CatalogueFile } from '../../platform/node/host/catalogueFile.ts';
import { readAddress, rememberConfig, rememberedConfig } from '../../platform/node/host/dataDirectory.ts';
import { EventFeed } from '../../platform/node/host/eventFeed.ts';
import { FollowedConfig } from '../../platform/node/host/followedConfig.ts';
import { importedServers, importedServersFile } from '../../platform/node/host/importedServers.ts';
import { nodeHostClock, nodeHostRandom } from '../../platform/node/host/hostPlatform.ts';
import { runHost } from '../../platform/node/host/hostProcess.ts';
import type { RunningHost } from '../../platform/node/host/hostProcess.ts';
import type { Ownership } from '../../platform/node/host/ownership.ts';
import { readScopeConfig, readServerConfig } from '../../platform/node/host/serverConfigs.ts';
import type { HostStore } from '../../platform/node/store/hostStore.ts';
import { OtlpExporter, otlpTarget } from '../../platform/node/otlpExporter.ts';
import { StartedProcesses } from '../../platform/node/upstreams/leftBehind.ts';
import { NodeUpstreams } from '../../platform/node/upstreams/nodeUpstreams.ts';
import { dataDirectory } from '../dataOption.ts';
import type { Command, CommandIo } from '../io.ts';
import { versionOf } from '../main.ts';
import { UsageError, absolutePath, parseOptions } from '../usage.ts';

const help = `Usage: crosstalk host [options]

Runs the MCP host: many agents share one connection to each MCP server, and every call is written
down. When it is ready it prints one line of JSON that says where it is. It goes on until it is
stopped; the second SIGINT or SIGTERM ends it at once.

Options:
  --config FILE   MCP servers: "mcpServers" or VS Code's "servers", with comments, or Codex'
                  config.toml. Read again when it changes
  --scope FILE    What to do with calls that do not say where to look: "scope", with comments, as it may
                  also stand in the file of --config. Read again when it changes
  --data DIR      The data directory (default: the user's); one host runs in each
  --port N        Where to listen on 127.0.0.1 (default 0: where the last host did, or anywhere)
  --idle SECONDS  End when nobody has needed the host for so long
  --help          This text

Exit code: 0 it was stopped, 2 could not run.
`;

export const host: Command = {
	help,
	async run(args, io) {
		const { values, positionals } = parseOptions(args, {
			config: { type: 'string' },
			scope: { type: 'string' },
			data: { type: 'string' },
			port: { type: 'string' },
			idle: { type: 'string' },
		});
		const [extra] = positionals;
		if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many.`);
		const directory = dataDirectory(io, values.data);
		const idleSeconds = values.idle === undefined ? undefined : numberOption('--idle', values.idle, 86_400 * 365);
		const port = values.port === undefined ? 0 : numberOption('--port', values.port, 65_535);
		const config = values.config === undefined ? undefined : absolutePath(io, values.config);
		const scope = values.scope === undefined ? undefined : absolutePath(io, values.scope);
		const log = (sentence: string) => io.stderr.write(`crosstalk: ${printableLines(sentence)}\n`);
		const onError = (error: unknown) =>
			log(`A bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
		const version = await versionOf(io);
		const result = await runHost({
			directory,
			port,
			idleMs: idleSeconds === undefined ? undefined : idleSeconds * 1000,
			create: async (ownership, store) =>
				createRunningHost(io, ownership, store, {
					config,
					scope,
					isInBackground: idleSeconds !== undefined,
					version,
					log,
					onError,
				}),
			onReady: (address) => io.stdout.write(`${printableJson(address)}\n`),
			log,
			onError,
			signal: io.signal,
		});
		if (result === 'already-owned') {
			const sentence = await alreadyRunning(directory);
			// Whoever has started it in the background wants a host, not this one.
			if (idleSeconds === undefined) throw new ExpectedError(sentence);
			log(sentence);
		}
		return 0;
	},
};

interface Setting {
	/** Absolute. */
	readonly config: string | undefined;
	/** Absolute. */
	readonly scope: string | undefined;
	readonly isInBackground: boolean;
	readonly version: string;
	readonly log: (sentence: string) => void;
	readonly onError: (error: unknown) => void;
}

async function createRunningHost(
	io: CommandIo,
	ownership: Ownership,
	store: HostStore,
	setting: Setting,
): Promise<RunningHost> {
	const { version, log, onError } = setting;
	const { directory, generation, seal } = ownership;
	const startedAt = new Date().toISOString();
	const eventLog = new NodeEventLog({
		openStore: async () => store.events(),
		name: `${startedAt} host ${generation}, process ${process.pid}`,
		oldDirectory: join(directory, 'events'),
		warn: log,
	});
	const events = new EventFeed(eventLog, async () => eventLog.flush());
	const tools = await CatalogueFile.open(directory, log);
	const processes = new StartedProcesses(join(directory, 'server-processes'), log);
	await processes.endLeftBehind();
	const upstreams = new NodeUpstreams((pid) => processes.add(pid));
	const platform = { clock: nodeHostClock, random: nodeHostRandom, upstreams, seal };
	const running = createHost({
		platform,
		recorder: new EventRecorder(events, nodeHostClock, tools.catalogue),
		catalogue: tools.catalogue,
		async evictSession(sessionId) {
			const turns = await store.open();
			if ((await turns.read(sessionId)) === undefined) return false;
			await turns.evict(sessionId, false);
			return true;
		},
		version,
		process: { pid: process.pid, generation, startedAt },
		onError,
	});
	const configs: FollowedConfig[] = [];
	try {
		await followConfigs(io, directory, setting, configs, running);
		// After the others: where two say something of one tool, whoever names a file for it means that one.
		if (setting.scope !== undefined) configs.push(await followScopes(setting.scope, setting, running));
	} catch (error) {
		for (const config of configs) config.dispose();
		await running.close();
		await Promise.all([eventLog.close(), tools.close()]);
		throw error;
	}
	const target = otlpTarget(io.environment, undefined);
	if (typeof target === 'string') log(target);
	const exporter =
		target === undefined || typeof target === 'string'
			? undefined
			: new OtlpExporter({ target, body: (resource) => running.metrics.otlp(resource), warn: log });
	return {
		host: running,
		events,
		async close() {
			for (const config of configs) config.dispose();
			await Promise.all([eventLog.close(), tools.close(), exporter?.close()]);
		},
	};
}

async function followConfigs(
	io: CommandIo,
	directory: string,
	{ config, isInBackground, log, onError }: Setting,
	configs: FollowedConfig[],
	running: Host,
): Promise<void> {
	const { environment, homeFolder } = io;
	const open = async (path: string, read = async () => readServerConfig(path, { environment, homeFolder })) => {
		const onServers = (servers: readonly ServerDefinition[]) => void running.putServers(path, servers);
		const onScopes = scopesInto(running, path, path, log);
		configs.push(
			await FollowedConfig.open({ path, read, contents: 'servers', onServers, onScopes, warn: log, onError }),
		);
	};
	await open(importedServersFile(directory), async () => importedServers(directory, { environment, homeFolder }));
	if (!isInBackground) {
		if (config !== undefined) await open(config);
		await rememberConfig(directory, config);
		return;
	}
	const remembered = config ?? (await rememberedConfig(directory));
	if (remembered === undefined) return;
	try {
		await open(remembered);
	} catch (error) {
		// It was good for another host, and this one is wanted for more than that.
		if (config !== undefined || !(error instanceof ExpectedError)) throw error;
		log(error.message);
	}
}

async function followScopes(path: string, { log, onError }: Setting, running: Host): Promise<FollowedConfig> {
	return FollowedConfig.open({
		path,
		read: async () => readScopeConfig(path),
		contents: 'scopes',
		onServers() {},
		onScopes: scopesInto(running, `scopes of ${path}`, path, log),
		warn: log,
		onError,
	});
}

/** Gives the host what a file says of scopes, each time that it says something else, and remarks on servers that it cannot mean. */
function scopesInto(running: Host, source: string, path: string, log: (line: string) => void) {
	return (scopes: ScopeSettings): void => {
		running.putScopes(source, scopes, 'everybody');
		const known = running.status().servers.map(({ name }) => name);
		for (const remark of misspeltServers(Object.keys(scopes), known)) log(`${path}: ${remark}`);
	};
}

async function alreadyRunning(directory: string): Promise<string> {
	const address = await readAddress(directory);
	if (address?.isStoreOnly === true)
		return `Process ${address.pid} has the session store in ${directory} open and does not answer. Let it go on or end it, or name another data directory with --data.`;
	const which = address === undefined ? '' : `: process ${address.pid}`;
	return `A host already runs in ${directory}${which}. Stop it, or name another data directory with --data.`;
}

function numberOption(option: string, value: string, maximum: number): number {
	const number = /^\d+$/.test(value) ? Number(value) : NaN;
	if (!(number <= maximum))
		throw new UsageError(`${option} is a number from 0 to ${maximum}; it cannot be "${value}".`);
	return number;
}
