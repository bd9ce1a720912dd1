/* oxlint-disable unicorn/no-thenable -- what a debugger does then is a word, which nobody awaits */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HeldCall } from '../src/core/debug/index.ts';
import type { HostAddress } from '../src/core/host/control.ts';
import { connectControl } from '../src/platform/node/host/controlClient.ts';
import { root } from '../tools/process.ts';
import { HttpCaller } from './mcpCallers.ts';
import { median, percentile, report } from './measure.ts';

// What a debugger costs the calls that it does not stop, how soon it hears of one that it does, and many that are held at once.

/** Per round; with and without a debugger in turn, so that whatever else the machine does is shared fairly. */
const callsPerRound = 200;
const rounds = 12;
const stops = 40;
const agents = 64;

const folder = mkdtempSync(join(tmpdir(), 'crosstalk-bench-debug-'));
const configuration = join(folder, 'mcp.json');
const server = join(root, 'test', 'mcp', 'servers', 'faultServer.ts');
writeFileSync(configuration, JSON.stringify({ mcpServers: { echo: { command: process.execPath, args: [server] } } }));
const host = spawn(
	process.execPath,
	[
		join(root, 'src', 'cli', 'bin.ts'),
		...['host', '--config', configuration, '--data', join(folder, 'data'), '--port', '0'],
	],
	{ stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, HOME: folder } },
);
try {
	const line = await new Promise<string>((resolve) => createInterface({ input: host.stdout }).once('line', resolve));
	const { url, token, controlSocket } = JSON.parse(line) as HostAddress; // as the host prints it
	const address = `${url}/${token}/mcp/echo`;
	await overhead(address, controlSocket);
	await stopping(address, controlSocket);
	await many(address, controlSocket);
} finally {
	host.kill('SIGKILL');
	rmSync(folder, { recursive: true, force: true });
}

async function debuggerAt(path: string) {
	const client = await connectControl(path, { client: 'a bench', timeoutMs: 5_000 });
	if (client === undefined) throw new Error('The host has ended.');
	await client.request('debug/attach', { client: 'a bench', sessions: null });
	return client;
}

async function overhead(address: string, path: string): Promise<void> {
	const caller = await HttpCaller.connect(address);
	const timed = async (into: number[]) => {
		for (let count = 0; count < callsPerRound; count++) {
			const began = performance.now();
			await caller.call(`text ${count}`);
			into.push(performance.now() - began);
		}
	};
	await timed([]);
	const alone: number[] = [];
	const watched: number[] = [];
	for (let round = 0; round < rounds; round++) {
		await timed(alone);
		const client = await debuggerAt(path);
		await client.request('debug/set', {
			breakpoints: [
				{
					id: '1',
					tool: 'echo/echo',
					condition: 'arguments.text.startsWith("nothing") || arguments.text.size() > 1000',
				},
				{ id: '2', tool: '*', condition: 'arguments.text.matches("^x+$")' },
				{
					id: '3',
					tool: 'echo/*',
					at: 'after',
					condition: 'result.content.exists(part, part.text == "nothing")',
				},
				{ id: '4', tool: 'analytics/*' },
				{ id: '5', tool: 'Explore:*' },
			],
			rules: ['default-scope-query', 'duplicate-execution', 'compaction-mid-call'],
			onToolError: true,
		});
		await timed(watched);
		client.dispose();
	}
	caller.close();
	report('a call through the host, p50', median(alone), ' ms');
	report('a call with a debugger and 5 breakpoints that it misses, p50', median(watched), ' ms');
	report('what the debugger costs a call, p50', median(watched) - median(alone), ' ms', { at: 'most', value: 1 });
	report('what the debugger costs a call, p99', percentile(watched, 0.99) - percentile(alone, 0.99), ' ms');
}

async function stopping(address: string, path: string): Promise<void> {
	const caller = await HttpCaller.connect(address);
	const client = await debuggerAt(path);
	let heard: (held: HeldCall) => void = () => undefined;
	client.onDebug('debug/didStop', (held) => heard(held));
	await client.request('debug/set', {
		breakpoints: [{ id: '1', tool: 'echo/echo', condition: 'arguments.text != ""' }],
		rules: [],
		onToolError: false,
	});
	const latencies: number[] = [];
	const goingOn: number[] = [];
	for (let count = 0; count < stops; count++) {
		const stopped = new Promise<HeldCall>((resolve) => (heard = resolve));
		const began = performance.now();
		const call = caller.call(`text ${count}`);
		const { stopId } = await stopped;
		latencies.push(performance.now() - began);
		const resumed = performance.now();
		await client.request('debug/resume', { stopId, then: 'run', action: 'continue' });
		await call;
		goingOn.push(performance.now() - resumed);
	}
	caller.close();
	client.dispose();
	report('from the call to the stop at the debugger, p50', median(latencies), ' ms');
	report('from the call to the stop at the debugger, p99', percentile(latencies, 0.99), ' ms', {
		at: 'most',
		value: 150,
	});
	report('from letting go to the answer, p99', percentile(goingOn, 0.99), ' ms');
}

async function many(address: string, path: string): Promise<void> {
	const callers = await Promise.all(Array.from({ length: agents }, async () => HttpCaller.connect(address)));
	const client = await debuggerAt(path);
	const held: HeldCall[] = [];
	let full: () => void = () => undefined;
	client.onDebug('debug/didStop', (call) => {
		held.push(call);
		if (held.length === agents) full();
	});
	await client.request('debug/set', {
		breakpoints: [{ id: '1', tool: '*' }],
		rules: [],
		onToolError: false,
	});
	const allHeld = new Promise<void>((resolve) => (full = resolve));
	const began = performance.now();
	const calls = callers.map(async (caller, index) => caller.call(`agent ${index}`));
	await allHeld;
	report(`${agents} agents are held after`, performance.now() - began, ' ms', { at: 'most', value: 1_000 });
	const resumed = performance.now();
	for (const { stopId } of held) await client.request('debug/resume', { stopId, then: 'run', action: 'continue' });
	// One that were lost would reject, or never end.
	await Promise.all(calls);
	report(`${agents} agents, let go one after another, have their answers after`, performance.now() - resumed, ' ms', {
		at: 'most',
		value: 1_000,
	});
	for (const caller of callers) caller.close();
	client.dispose();
}
