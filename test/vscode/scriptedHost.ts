// A host whose status the test writes, behind the control socket of a real one.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Emitter } from '../../src/core/base/emitter.ts';
import { ExpectedError } from '../../src/core/base/errors.ts';
import type { Disposable } from '../../src/core/base/lifecycle.ts';
import type { HostAddress } from '../../src/core/host/control.ts';
import type { FaultStatus } from '../../src/core/host/faults/index.ts';
import type { Host } from '../../src/core/host/host.ts';
import type { CallStatus, HostStatus, ServerStatus } from '../../src/core/host/status.ts';
import { startControlServer } from '../../src/platform/node/host/controlServer.ts';
import { prepareDataDirectory, writeAddress } from '../../src/platform/node/host/dataDirectory.ts';
import { controlSocketPath } from '../../src/platform/node/host/localSocket.ts';

export interface ScriptedHost {
	readonly directory: string;
	readonly address: HostAddress;
	/** What clients have asked for, in order. */
	readonly asked: readonly string[];
	set(servers: readonly ServerStatus[], calls: readonly CallStatus[], faults?: readonly FaultStatus[]): void;
	/** What the next request to reconnect waits for. */
	whenReconnected: Promise<void>;
	/** Its process ends. The folder stays, with the address in it. */
	close(): Promise<void>;
}

export function dataDirectory(): Disposable & { readonly path: string } {
	const path = mkdtempSync(join(tmpdir(), 'crosstalk-data-'));
	return { path, dispose: () => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }) };
}

export async function startScriptedHost(directory: string): Promise<ScriptedHost> {
	const real = await prepareDataDirectory(directory);
	const changed = new Emitter<void>((error) => {
		throw error;
	});
	const asked: string[] = [];
	const startedAt = new Date().toISOString();
	let status: HostStatus = {
		version: 1,
		host: { pid: process.pid, generation: 1, startedAt },
		servers: [],
		calls: [],
		sessions: [],
	};
	const set: ScriptedHost['set'] = (servers, calls, faults) => {
		status = { ...status, servers, calls, faults: faults?.length === 0 ? undefined : faults };
		changed.fire();
	};
	const path = await controlSocketPath(real);
	const address: HostAddress = {
		url: 'http://127.0.0.1:9',
		token: 'scripted-token',
		controlSocket: path,
		pid: process.pid,
		generation: 1,
		dataDir: real,
	};
	const scripted = { directory: real, address, asked, set, whenReconnected: Promise.resolve() };
	const host: Pick<
		Host,
		'status' | 'onDidChange' | 'putServers' | 'putScopes' | 'faults' | 'reconnect' | 'outputOf' | 'cancelCall'
	> & { readonly debug: Pick<Host['debug'], 'attach'> } = {
		status: () => status,
		onDidChange: changed.event,
		putServers: () => {
			throw new ExpectedError('Nothing is put here.');
		},
		putScopes() {},
		async reconnect(server) {
			asked.push(`reconnect ${server}`);
			await scripted.whenReconnected;
		},
		debug: {
			attach: () => {
				throw new ExpectedError('Nothing can be stopped here.');
			},
		},
		faults: {
			arm(definitions, target) {
				const whose = target.kind === 'session' ? target.sessionId : target.source;
				for (const definition of definitions) asked.push(`arm ${whose} ${JSON.stringify(definition)}`);
				return [];
			},
			disarm(ids) {
				asked.push(`disarm ${ids?.join(' ') ?? 'all'}`);
				const { servers, calls, faults = [] } = status;
				const left = faults.filter(({ id }) => ids !== undefined && !ids.includes(id));
				set(servers, calls, left);
				return faults.length - left.length;
			},
			disarmOf: () => undefined,
			get status() {
				return status.faults ?? [];
			},
		},
		outputOf(server) {
			asked.push(`output ${server}`);
			return `${server} listens\n${server} says hello\n`;
		},
		cancelCall(callId) {
			asked.push(`cancel ${callId}`);
			const isInFlight = status.calls.some(({ id }) => id === callId);
			set(
				status.servers,
				status.calls.filter(({ id }) => id !== callId),
			);
			return isInFlight;
		},
	};
	const server = await startControlServer({
		host,
		path,
		address: Promise.resolve(address),
		stop: (isForced) => {
			asked.push(`stop ${isForced ? 'now' : 'later'}`);
			void server.close();
		},
		onClients: () => undefined,
		log: () => undefined,
	});
	await writeAddress(real, address);
	return Object.assign(scripted, { close: () => server.close() });
}

export function serverStatus(name: string, further: Partial<ServerStatus> = {}): ServerStatus {
	const { state = 'connected', pid = 4121, inFlight = 0, queued = 0, sharing = 'shared' } = further;
	return {
		name,
		transport: 'stdio',
		definition: `definition of ${name}`,
		state,
		sharing,
		pid,
		connections: [{ id: `${name}-1`, state, pid, owner: 'all', protocolVersion: '2025-11-25', inFlight, queued }],
		inFlight,
		queued,
		calls: 0,
		errors: 0,
		timeouts: 0,
		cancelled: 0,
		reconnects: 0,
		p50Ms: null,
		p99Ms: null,
		lastExit: null,
		...further,
	};
}

let lastCall = 0;

export function callStatus(server: string, tool: string, further: Partial<CallStatus> = {}): CallStatus {
	return {
		id: `call-${++lastCall}`,
		server,
		tool,
		state: 'running',
		agentId: null,
		sessionId: null,
		toolUseId: null,
		startedAt: new Date().toISOString(),
		ageMs: 0,
		...further,
	};
}
