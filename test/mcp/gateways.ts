// What may stand between agents and servers: our host, and the gateways of others that it is measured against. The judges of the host are
// judged by them: `CROSSTALK_TEST_GATEWAY=mcporter npx mocha --config test/mcp/.mocharc.json …` must fail where its faults are known.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { HostAddress } from '../../src/core/host/control.ts';
import type { ServerLimits, Sharing } from '../../src/core/host/serverDefinition.ts';
import type { HostStatus, ServerStatus } from '../../src/core/host/status.ts';
import { connectControl } from '../../src/platform/node/host/controlClient.ts';
import { root } from '../../tools/process.ts';
import { installedTool } from '../../tools/toolCache.ts';

export interface ServerSetup {
	readonly command?: string;
	readonly args?: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
	readonly type?: 'stdio' | 'http' | 'sse';
	readonly url?: string;
	readonly sharing?: Sharing;
	readonly limits?: Partial<ServerLimits>;
}

export type Servers = Readonly<Record<string, ServerSetup>>;

export interface Gateway {
	readonly name: string;
	readonly process: ChildProcess | undefined;
	/** Where an agent finds this one server, its tools under the names that the server gives them. */
	addressOf(server: string): string;
	stop(): Promise<void>;
}

export interface Host extends Gateway {
	readonly address: HostAddress;
	readonly dataDir: string;
	stderr(): string;
	/** What `crosstalk status --json` prints. */
	status(): Promise<HostStatus>;
	server(name: string): Promise<ServerStatus>;
}

export const cli = join(root, 'dist', 'cli.js');
export const faultServer = join(root, 'test', 'mcp', 'servers', 'faultServer.ts');

/** The fault server as a configuration has it. */
export function fault(log: string, ...args: readonly string[]): ServerSetup {
	return { command: process.execPath, args: [faultServer, '--log', log, ...args] };
}

export interface HostOptions {
	/** Where an earlier host has lived. Absent: a folder of its own, which goes with it. */
	readonly dataDir?: string;
	readonly environment?: Readonly<Record<string, string>>;
	/** The configuration as text, where it is not to be well formed. */
	readonly configuration?: string;
	readonly args?: readonly string[];
}

export async function startHost(servers: Servers, options: HostOptions = {}): Promise<Host> {
	const folder = await mkdtemp(join(tmpdir(), 'crosstalk-host-'));
	const dataDir = options.dataDir ?? join(folder, 'data');
	const configuration = join(folder, 'mcp.json');
	await writeFile(configuration, options.configuration ?? JSON.stringify({ mcpServers: configured(servers) }));
	const child = spawn(
		process.execPath,
		[cli, 'host', '--config', configuration, '--data', dataDir, '--port', '0', ...(options.args ?? [])],
		{ stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: folder, ...options.environment } },
	);
	let stderr = '';
	child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
	const address = await firstLine<HostAddress>(child, () => stderr);

	async function status(): Promise<HostStatus> {
		const client = await connectControl(address.controlSocket, { client: 'a test', timeoutMs: 20_000 });
		if (client === undefined) throw new Error('The host has ended.');
		try {
			return await client.request('host/status', {});
		} finally {
			client.dispose();
		}
	}

	return {
		name: 'crosstalk',
		process: child,
		address,
		dataDir,
		addressOf: (server) => `${address.url}/${address.token}/mcp/${server}`,
		stderr: () => stderr,
		status,
		async server(name) {
			const { servers: known } = await status();
			const found = known.find((server) => server.name === name);
			if (found === undefined) throw new Error(`The host knows no server ${name}.`);
			return found;
		},
		async stop() {
			await ended(child, 'SIGTERM');
			await rm(folder, { recursive: true, force: true, maxRetries: 5 });
		},
	};
}

/** Gateways of others, each with the flags that serve it best; one that holds a single server takes the first. */
export const peers = {
	/** Keeps servers in a daemon and serves each of them by HTTP. */
	async mcporter(servers: Servers, { callMs }: { callMs?: number } = {}): Promise<Gateway> {
		const folder = await mkdtemp(join(tmpdir(), 'crosstalk-mcporter-'));
		const configuration = join(folder, 'mcporter.json');
		const entries: Record<string, object> = {};
		for (const [name, { command, args, env, url }] of Object.entries(servers)) {
			entries[name] =
				url === undefined ? { command, args, env: env ?? {}, lifecycle: 'keep-alive' } : { baseUrl: url };
		}
		await writeFile(configuration, JSON.stringify({ mcpServers: entries, imports: [] }));
		const port = await freePort();
		const script = join(await peerModules(), 'mcporter', 'dist', 'cli.js');
		const environment = {
			...process.env,
			HOME: folder,
			XDG_CONFIG_HOME: folder,
			MCPORTER_DAEMON_DIR: folder,
			...(callMs === undefined
				? {}
				: { MCPORTER_CALL_TIMEOUT: String(callMs), MCPORTER_DAEMON_TIMEOUT_MS: String(callMs) }),
		};
		const child = spawn(process.execPath, [script, '--config', configuration, 'serve', '--http', String(port)], {
			stdio: 'ignore',
			cwd: folder,
			env: environment,
		});
		await answering(port);
		return {
			name: 'mcporter',
			process: child,
			addressOf: (server) => `http://127.0.0.1:${port}/mcp/${server}`,
			async stop() {
				await output(process.execPath, [script, '--config', configuration, 'daemon', 'stop'], environment);
				await ended(child, 'SIGTERM');
				await rm(folder, { recursive: true, force: true, maxRetries: 5 });
			},
		};
	},

	/** One stdio server behind streamable HTTP. */
	async 'mcp-proxy'(servers: Servers, { callMs }: { callMs?: number } = {}): Promise<Gateway> {
		const [server] = Object.values(servers);
		if (server?.command === undefined) throw new Error('mcp-proxy starts a command.');
		const port = await freePort();
		const script = join(await peerModules(), 'mcp-proxy', 'dist', 'bin', 'mcp-proxy.mjs');
		const child = spawn(
			process.execPath,
			[
				...[script, '--host', '127.0.0.1', '--port', String(port), '--server', 'stream', '--no-eventStore'],
				...(callMs === undefined ? [] : ['--requestTimeout', String(callMs)]),
				...['--', server.command, ...(server.args ?? [])],
			],
			{ stdio: 'ignore', env: { ...process.env, ...server.env } },
		);
		await answering(port);
		return {
			name: 'mcp-proxy',
			process: child,
			addressOf: () => `http://127.0.0.1:${port}/mcp`,
			stop: () => ended(child, 'SIGTERM'),
		};
	},
} satisfies Record<string, (servers: Servers, options?: { callMs?: number }) => Promise<Gateway>>;

/** What is to be judged: our host, unless the judge is. */
export function startGateway(servers: Servers, options: { readonly callMs?: number } = {}): Promise<Gateway> {
	const name = process.env['CROSSTALK_TEST_GATEWAY'];
	if (name === undefined) {
		const { callMs } = options;
		const limited = Object.entries(servers).map(([server, setup]) => [
			server,
			callMs === undefined ? setup : { ...setup, limits: { ...setup.limits, callMs } },
		]);
		return startHost(Object.fromEntries(limited) as Servers);
	}
	if (!Object.hasOwn(peers, name))
		throw new Error(`CROSSTALK_TEST_GATEWAY=${name} is none of ${Object.keys(peers).join(', ')}.`);
	return peers[name as keyof typeof peers](servers, options);
}

/** A server that serves HTTP by itself and tells its address first. */
export async function startHttpServer(script: string, ...args: readonly string[]) {
	// Its stdin is ours: it ends when we do.
	const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
	const { url } = await firstLine<{ url: string }>(child, () => '');
	return { url, process: child, stop: () => ended(child, 'SIGTERM') };
}

/** The `node_modules` folder that holds the peers. */
async function peerModules(): Promise<string> {
	const folder = await installedTool({
		name: 'mcp-gateways',
		version: '1',
		packages: ['mcporter@0.12.3', 'mcp-proxy@6.7.19'],
		ignoreScripts: true,
	});
	return join(folder, 'node_modules');
}

/** A folder for one test, with whatever it leaves. */
export async function scratch(): Promise<{ readonly path: string; remove(): Promise<void> }> {
	const path = await mkdtemp(join(tmpdir(), 'crosstalk-mcp-'));
	return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

export function output(
	command: string,
	args: readonly string[],
	environment: NodeJS.ProcessEnv = process.env,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
	const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
	let stdout = '';
	let stderr = '';
	child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
	child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
	return new Promise((resolve, reject) => {
		child.once('error', reject).once('close', (code) => resolve({ code, stdout, stderr }));
	});
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const exited = new Promise((resolve) => child.once('exit', resolve));
	child.kill(signal);
	const patience = setTimeout(() => child.kill('SIGKILL'), 20_000);
	await exited;
	clearTimeout(patience);
}

function configured(servers: Servers): object {
	return Object.fromEntries(
		Object.entries(servers).map(([name, { sharing, limits, ...entry }]) => [
			name,
			{
				...entry,
				...(sharing === undefined && limits === undefined ? {} : { crosstalk: { sharing, limits } }),
			},
		]),
	);
}

async function firstLine<T>(child: ChildProcess, stderr: () => string): Promise<T> {
	const lines = createInterface({ input: child.stdout! }); // a pipe, by how it was started
	const line = await new Promise<string>((resolve, reject) => {
		lines.once('line', resolve);
		child.once('error', reject);
		child.once('close', (code, signal) =>
			reject(new Error(`It ended with ${signal ?? code} before it was ready: ${stderr()}`)),
		);
	});
	return JSON.parse(line) as T; // both sides are ours
}

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	if (address === null || typeof address === 'string') throw new Error('There is no free port.');
	return address.port;
}

/** Whatever it answers, it does. */
async function answering(port: number): Promise<void> {
	for (let attempt = 0; attempt < 200; attempt++) {
		try {
			await fetch(`http://127.0.0.1:${port}/`);
			return;
		} catch {
			// Not yet.
			await delay(50);
		}
	}
	throw new Error(`Nothing answers on port ${port}.`);
}
