// Real hosts in folders of their own, for tests of the process around the host.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostAddress } from '../../../../src/core/host/control.ts';
import { attach } from '../../../../src/platform/node/host/attach.ts';
import { readAddress } from '../../../../src/platform/node/host/dataDirectory.ts';
import { until, within } from '../../../mcp/waiting.ts';

export const bin = new URL('../../../../src/cli/bin.ts', import.meta.url).pathname;
const faultServer = new URL('../../../mcp/servers/faultServer.ts', import.meta.url).pathname;
export const isWindows = process.platform === 'win32';

export interface RunningProcess {
	readonly child: ChildProcess;
	readonly pid: number;
	stdout(): string;
	stderr(): string;
	/** Its exit code, or the signal that has ended it. */
	readonly ended: Promise<number | string>;
	/** Sends a signal and waits for the end. */
	end(signal: NodeJS.Signals): Promise<number | string>;
}

/** A folder that goes at the end of the test, with every process that was started for it. */
export class Lab {
	readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'crosstalk-lab-')));
	readonly data = join(this.folder, 'data');
	readonly executions = join(this.folder, 'executions.jsonl');
	private readonly started: RunningProcess[] = [];

	async remove(): Promise<void> {
		for (const { child } of this.started) child.kill('SIGKILL');
		await this.endBackgroundHost();
		rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
	}

	/** Writes a configuration with these servers; absent, with a fault server of the name "fault". */
	config(servers: Readonly<Record<string, object>> = { fault: this.fault() }): string {
		const path = join(this.folder, 'mcp.json');
		writeFileSync(path, JSON.stringify({ mcpServers: servers }));
		return path;
	}

	fault(...args: readonly string[]): object {
		return { command: process.execPath, args: [faultServer, '--log', this.executions, ...args] };
	}

	/** Runs the command line. */
	run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): RunningProcess {
		return this.spawn(process.execPath, [bin, ...args], environment);
	}

	spawn(
		command: string,
		args: readonly string[],
		environment: Readonly<Record<string, string>> = {},
	): RunningProcess {
		const child = spawn(command, args, {
			stdio: ['pipe', 'pipe', 'pipe'],
			cwd: this.folder,
			env: { ...process.env, HOME: this.folder, ...environment },
		});
		const output = { stdout: '', stderr: '' };
		child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
		child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
		// What is written to one that has ended is of no interest.
		child.stdin.on('error', () => undefined);
		// The event's arguments are code and signal.
		const ended = once(child, 'close').then((how: unknown[]) => (how[0] ?? how[1]) as number | string);
		const running: RunningProcess = {
			child,
			pid: child.pid ?? 0,
			stdout: () => output.stdout,
			stderr: () => output.stderr,
			ended,
			async end(signal) {
				child.kill(signal);
				return within(30_000, `the end of ${args.join(' ')}`, ended);
			},
		};
		this.started.push(running);
		return running;
	}

	/** A host in the foreground, ready. */
	async host(...args: readonly string[]): Promise<RunningProcess & { readonly address: HostAddress }> {
		const host = this.run(['host', '--data', this.data, ...args]);
		const line = await until(`a host that is ready. It has printed:\n${host.stderr()}`, () => {
			if (host.child.exitCode !== null) throw new Error(`The host has ended: ${host.stderr()}`);
			return host.stdout().includes('\n') ? host.stdout() : undefined;
		});
		return { ...host, address: JSON.parse(line) as HostAddress }; // the contract's shape
	}

	/** What hosts in the background have printed. */
	log(): string {
		try {
			return readFileSync(join(this.data, 'host.log'), 'utf8');
		} catch {
			return '';
		}
	}

	private async endBackgroundHost(): Promise<void> {
		const client = await attach({ directory: this.data, client: 'a test' }).catch(() => undefined);
		if (client === undefined) return;
		const { pid } = client.address;
		await client.request('host/stop', { isForced: true }).catch(() => undefined);
		client.dispose();
		await until('the end of the host', () => !isAlive(pid) || undefined);
	}
}

export function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}

export async function addressIn(directory: string): Promise<HostAddress> {
	return until('the address of a host', async () => readAddress(directory));
}
