import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent } from '../test/mcp/agent.ts';
import { Executions } from '../test/mcp/executions.ts';
import { cli, fault, peers, scratch, startHost } from '../test/mcp/gateways.ts';
import type { Gateway, Servers } from '../test/mcp/gateways.ts';
import { until } from '../test/mcp/waiting.ts';
import { HttpCaller, StdioCaller } from './mcpCallers.ts';
import type { Caller } from './mcpCallers.ts';
import { median, percentile, report } from './measure.ts';

// What the host costs, beside the same server without it and beside other gateways, in turn and in one run. Everything is recorded
// meanwhile. `node bench/host.bench.ts 5` lets the thousand agents work for five seconds in place of a minute.

const seconds = Number(process.argv[2] ?? 60);
if (!existsSync(cli)) throw new Error('Run "npm run build" first.');
const echoServer = join(import.meta.dirname, 'peers', 'echoServer.js');
const servers: Servers = { echo: { command: process.execPath, args: [echoServer] } };

/** Milliseconds of each of so many calls, one after the other. */
async function sequential(caller: Caller, count: number): Promise<readonly number[]> {
	const times: number[] = [];
	for (let index = 0; index < count; index++) {
		const startedAt = performance.now();
		await caller.call(`call ${index}`);
		times.push(performance.now() - startedAt);
	}
	return times;
}

/** Calls per second of so many agents that call again and again. */
async function concurrent(gateway: Gateway, agents: number, milliseconds: number): Promise<number> {
	const address = gateway.addressOf('echo');
	const callers = await Promise.all(Array.from({ length: agents }, () => HttpCaller.connect(address)));
	await Promise.all(callers.map((caller) => sequential(caller, 5)));
	let count = 0;
	const startedAt = performance.now();
	const endsAt = startedAt + milliseconds;
	await Promise.all(
		callers.map(async (caller) => {
			while (performance.now() < endsAt) {
				await caller.call('the same text for all');
				count++;
			}
		}),
	);
	const took = performance.now() - startedAt;
	for (const caller of callers) caller.close();
	return count / (took / 1000);
}

function residentKilobytes(pid: number): number {
	return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

const host = await startHost(servers);
const mcporter = await peers.mcporter(servers);
const mcpProxy = await peers['mcp-proxy'](servers);
try {
	await latency();
	await throughput();
} finally {
	await mcporter.stop();
	await mcpProxy.stop();
	await host.stop();
}
await promptness();
await memory();
await endurance();

async function latency(): Promise<void> {
	const direct = await StdioCaller.connect(process.execPath, [echoServer]);
	const through = await HttpCaller.connect(host.addressOf('echo'));
	const others = new Map<string, Caller>();
	for (const peer of [mcporter, mcpProxy]) others.set(peer.name, await HttpCaller.connect(peer.addressOf('echo')));
	for (const caller of [direct, through, ...others.values()]) await sequential(caller, 500);
	const added: number[] = [];
	const p50s = new Map<string, number[]>();
	const note = (name: string, times: readonly number[]) => {
		const p50 = median(times);
		p50s.set(name, [...(p50s.get(name) ?? []), p50]);
		return p50;
	};
	for (let round = 0; round < 7; round++) {
		const without = note('direct stdio', await sequential(direct, 1_000));
		added.push(note('the host', await sequential(through, 1_000)) - without);
		for (const [name, caller] of others) note(name, await sequential(caller, 100));
	}
	for (const [name, values] of p50s) report(`sequential tools/call, p50, ${name}`, median(values), ' ms');
	report('added by the host to direct stdio, p50', median(added), ' ms', { at: 'most', value: 0.4 });
	for (const caller of [direct, through, ...others.values()]) caller.close();
}

async function throughput(): Promise<void> {
	const rates = { host: [] as number[], mcporter: [] as number[], mcpProxy: [] as number[] };
	// Each has run for as long when it is measured: a gateway that is cold is slow.
	for (const gateway of [host, mcporter, mcpProxy]) await concurrent(gateway, 64, 4_000);
	for (let round = 0; round < 3; round++) {
		rates.host.push(await concurrent(host, 64, 2_000));
		rates.mcporter.push(await concurrent(mcporter, 64, 2_000));
		rates.mcpProxy.push(await concurrent(mcpProxy, 64, 2_000));
	}
	const ratio = (peer: readonly number[]) =>
		median(rates.host.map((rate, round) => rate / (peer[round] ?? Number.NaN)));
	report('64 callers at once, the host', median(rates.host), ' calls/s');
	report('64 callers at once, mcporter', median(rates.mcporter), ' calls/s');
	report('64 callers at once, mcp-proxy', median(rates.mcpProxy), ' calls/s');
	report('host / mcporter', ratio(rates.mcporter), '', { at: 'least', value: 5 });
	report('host / mcp-proxy', ratio(rates.mcpProxy), '', { at: 'least', value: 3 });
}

/** What a server that writes down what it executes says of clients that go, and agents of a server that is killed. */
async function promptness(): Promise<void> {
	const folder = await scratch();
	const executions = new Executions(join(folder.path, 'executions.ndjson'));
	const gateway = await startHost({ fault: fault(executions.path) });
	const connect = () => Agent.connect(gateway.addressOf('fault'));
	const started = (key: string) => until(`${key} to run`, () => executions.of('start', key)[0]);
	const gone: number[] = [];
	const cancelled: number[] = [];
	const told: number[] = [];
	const back: number[] = [];
	/** Milliseconds by the server's own clock, which is the same machine's. */
	const heardAfter = async (key: string, since: number) =>
		(await until(`the end of ${key}`, () => executions.of('cancelled', key)[0])).at - since;
	try {
		for (let round = 0; round < 20; round++) {
			const leaving = await connect();
			const leave = new AbortController();
			const left = leaving.call('hang', { key: `gone ${round}` }, leave).catch(() => undefined);
			await started(`gone ${round}`);
			const goneAt = Date.now();
			leave.abort();
			gone.push(await heardAfter(`gone ${round}`, goneAt));
			await left;

			const saying = await connect();
			let id = 0;
			const onSent = (sent: number) => (id = sent);
			const said = saying.call('hang', { key: `said ${round}` }, { onSent }).catch(() => undefined);
			await started(`said ${round}`);
			const saidAt = Date.now();
			await saying.cancel(id);
			cancelled.push(await heardAfter(`said ${round}`, saidAt));
			await said;
			for (const agent of [leaving, saying]) agent.vanish();
		}
		const callers = await Promise.all(Array.from({ length: 8 }, connect));
		for (let round = 0; round < 5; round++) {
			const calls = callers.map((caller, index) =>
				caller.call('sleep', { ms: 60_000, key: `${round} ${index}` }),
			);
			await Promise.all(callers.map((_, index) => started(`${round} ${index}`)));
			const killedAt = performance.now();
			process.kill(executions.pids.at(-1) ?? Number.NaN, 'SIGKILL');
			await Promise.all(calls);
			told.push(performance.now() - killedAt);
			await Promise.all(callers.map((caller) => caller.call('echo', { text: 'again' })));
			back.push(performance.now() - killedAt);
		}
		for (const caller of callers) caller.vanish();
	} finally {
		await gateway.stop();
		await folder.remove();
	}
	const limit = { at: 'most', value: 100 } as const;
	report('a client that has gone: its server hears of it, longest of 20', Math.max(...gone), ' ms', limit);
	report('a client that cancels: likewise', Math.max(...cancelled), ' ms', limit);
	report('kill -9 of a server under 8 callers: all are told, median', median(told), ' ms');
	report('  all are served by the next, median', median(back), ' ms', { at: 'most', value: 500 });
}

/** Each with its session, its connection and its open stream, as a real agent has them when it does nothing. */
async function memory(): Promise<void> {
	// Only Linux tells the memory of another process.
	if (process.platform !== 'linux') return;
	const empty = await startHost(servers);
	const address = empty.addressOf('echo');
	const callers: HttpCaller[] = [];
	async function add(count: number): Promise<number> {
		for (let index = 0; index < count; index += 50) {
			const some = await Promise.all(Array.from({ length: 50 }, () => HttpCaller.connect(address)));
			await Promise.all(some.map((caller) => caller.listen(address)));
			callers.push(...some);
		}
		await delay(3_000);
		return residentKilobytes(empty.address.pid);
	}
	// The first ones let the heap grow to the size that it works in.
	const before = await add(500);
	const after = await add(2_000);
	report('memory per idle agent connection', (after - before) / 2_000, ' KB', { at: 'most', value: 100 });
	for (const caller of callers) caller.close();
	await empty.stop();
}

async function endurance(): Promise<void> {
	const shared = await startHost(servers);
	const address = shared.addressOf('echo');
	const agents: HttpCaller[] = [];
	for (let index = 0; index < 1_000; index += 50) {
		agents.push(...(await Promise.all(Array.from({ length: 50 }, () => HttpCaller.connect(address)))));
	}
	const endsAt = performance.now() + seconds * 1000;
	const times: number[] = [];
	const errors: string[] = [];
	await Promise.all(
		agents.map(async (agent, index) => {
			await delay(Math.random() * 1_000);
			for (let count = 0; performance.now() < endsAt; count++) {
				const startedAt = performance.now();
				try {
					await agent.call(`${index}-${count}`);
				} catch (error) {
					errors.push(String(error));
					return;
				}
				times.push(performance.now() - startedAt);
				await delay(250 + Math.random() * 500);
			}
		}),
	);
	const status = await shared.server('echo');
	const processes = status.connections.length;
	report(`1,000 agents on one server for ${seconds} s, calls`, times.length, '');
	report('  p50', median(times), ' ms');
	report('  p99', percentile(times, 0.99), ' ms');
	report('  errors', errors.length + status.errors, '', { at: 'most', value: 0 });
	report('  connections to the server', processes, '', { at: 'most', value: 1 });
	if (errors.length > 0) console.log(errors.slice(0, 5).join('\n'));
	for (const agent of agents) agent.close();
	await shared.stop();
}
