// Others that keep the state of a session with one writer each, started as they come.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { controlSocketPath } from '../src/platform/node/host/localSocket.ts';
import { installedTool } from '../tools/toolCache.ts';
import { advance, noise } from './storeJob.ts';

export interface StorePeer {
	/** Where a session is called: a folder, a socket, or an address in which `SESSION` stands for its id. */
	readonly url: string;
	stop(): Promise<void>;
}

/** A Durable Object that writes its state with each request, in workerd on this machine. */
export async function startDurableObjects(): Promise<StorePeer> {
	const folder = await mkdtemp(join(tmpdir(), 'crosstalk-bench-objects-'));
	const script = `
		import { DurableObject } from 'cloudflare:workers';
		const noise = ${JSON.stringify(noise)};
		${advance.toString()}
		export class SessionObject extends DurableObject {
			constructor(context, environment) {
				super(context, environment);
				this.sql = context.storage.sql;
				this.sql.exec('CREATE TABLE IF NOT EXISTS checkpoint (id INTEGER PRIMARY KEY, state TEXT)');
				const [row] = this.sql.exec('SELECT state FROM checkpoint').toArray();
				this.state = row === undefined ? {} : JSON.parse(row.state);
			}
			advance(bytes) {
				const count = advance(this.state, bytes);
				this.sql.exec('INSERT OR REPLACE INTO checkpoint VALUES (1, ?)', JSON.stringify(this.state));
				return count;
			}
		}
		export default {
			async fetch(request, environment) {
				const object = environment.SESSIONS.getByName(new URL(request.url).pathname.slice(1));
				return new Response(String(await object.advance(Number(await request.text()))));
			},
		};`;
	const miniflare = new Miniflare({
		...convertV4MiniflareOptions({
			host: '127.0.0.1',
			port: 0,
			cf: false,
			log: new Log(LogLevel.NONE),
			modules: true,
			script,
			compatibilityDate: '2026-10-01',
			durableObjects: { SESSIONS: { className: 'SessionObject', useSQLite: true } },
		}),
		resourcePersistencePath: folder,
	});
	const url = await miniflare.ready;
	return {
		url: `${url.origin}/SESSION`,
		async stop() {
			await miniflare.dispose();
			await rm(folder, { recursive: true, force: true });
		},
	};
}

/** The session store, owned by a process of its own. */
export async function startStoreOwner(): Promise<StorePeer> {
	const folder = await mkdtemp(join(tmpdir(), 'crosstalk-bench-store-'));
	return programIn(folder, folder, 'storeOwner.ts', [folder]);
}

/** SQLite behind a socket, and nothing else. */
export async function startBareStore(): Promise<StorePeer> {
	const folder = await mkdtemp(join(tmpdir(), 'crosstalk-bench-bare-'));
	const socket = await controlSocketPath(folder, 'bare');
	return programIn(folder, socket, 'bareStore.ts', [join(folder, 'bare.sqlite'), socket]);
}

/** Is up when it says something, and ends when it is told nothing more. */
async function programIn(
	folder: string,
	url: string,
	program: string,
	arguments_: readonly string[],
): Promise<StorePeer> {
	const child = spawn(process.execPath, [join(import.meta.dirname, 'peers', program), ...arguments_], {
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	await once(child.stdout, 'data');
	return {
		url,
		async stop() {
			const exited = once(child, 'exit');
			child.stdin.end();
			await exited;
			await rm(folder, { recursive: true, force: true });
		},
	};
}

/** Restate's server with a service in Node. */
export async function startRestate(): Promise<StorePeer> {
	const installed = await installedTool({
		name: 'restate',
		version: '1.7.12',
		packages: ['@restatedev/restate-server@1.7.12', '@restatedev/restate-sdk@1.17.2'],
		ignoreScripts: true,
	});
	const packages = join(installed, 'node_modules', '@restatedev');
	const [platform] = readdirSync(packages).filter((name) => name.startsWith('restate-server-'));
	if (platform === undefined) throw new Error('Restate has no server for this system.');
	const folder = await mkdtemp(join(tmpdir(), 'crosstalk-bench-restate-'));
	const [ingress, admin, node, service] = [await freePort(), await freePort(), await freePort(), await freePort()];
	const sdk = createRequire(join(installed, 'bench.js')).resolve('@restatedev/restate-sdk');
	const child = spawn(
		process.execPath,
		[join(import.meta.dirname, 'peers', 'restateService.ts'), sdk, String(service)],
		{ stdio: ['ignore', 'pipe', 'inherit'] },
	);
	const server = spawn(join(packages, platform, 'bin', 'restate-server'), ['--node-name', 'bench'], {
		stdio: 'ignore',
		cwd: folder,
		env: {
			...process.env,
			RESTATE_BASE_DIR: folder,
			RESTATE_LISTEN_MODE: 'tcp',
			RESTATE_BIND_IP: '127.0.0.1',
			RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
			RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
			RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
			RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
			RESTATE_DISABLE_TELEMETRY: 'true',
			DO_NOT_TRACK: '1',
		},
	});
	const stop = async () => {
		await Promise.all([ended(child), ended(server)]);
		await rm(folder, { recursive: true, force: true });
	};
	try {
		await once(child.stdout, 'data');
		await registered(`http://127.0.0.1:${admin}/deployments`, `http://127.0.0.1:${service}`);
		return { url: `http://127.0.0.1:${ingress}/session/SESSION/advance`, stop };
	} catch (error) {
		await stop();
		throw error;
	}
}

async function registered(address: string, uri: string): Promise<void> {
	const endsAt = performance.now() + 60_000;
	for (;;) {
		try {
			const response = await fetch(address, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify({ uri }),
			});
			if (response.ok) return;
			if (performance.now() > endsAt)
				throw new Error(`Restate answers ${response.status}: ${await response.text()}`);
		} catch (error) {
			// It is not up yet.
			if (performance.now() > endsAt) throw error;
		}
		await delay(200);
	}
}

async function ended(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	child.kill('SIGKILL');
	await once(child, 'exit');
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const address = server.address();
	server.close();
	await once(server, 'close');
	if (address === null || typeof address === 'string') throw new Error('It listens on no port.');
	return address.port;
}
