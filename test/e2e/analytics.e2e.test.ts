// Eight subagents of a real Claude Code page through the analytics server, whose sessions are in the session store, while the host between
// them is killed twice with their calls in flight. What the model is told is compared with the data.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { readStrikes } from '../../examples/analytics-server/strikes.ts';
import type { Strike } from '../../examples/analytics-server/strikes.ts';
import type { HostStatus } from '../../src/core/host/status.ts';
import { attach } from '../../src/platform/node/host/attach.ts';
import { root } from '../../tools/process.ts';
import { isAlive } from '../platform/node/host/hosts.ts';
import { until } from './agentProcess.ts';
import type { AgentProcess } from './agentProcess.ts';
import { claudeCodeVersion, installationTimeoutMs, installedClaudeCode } from './agents.ts';
import { ClaudeCode } from './claudeCode.ts';
import { Crosstalk, builtCommandLine, cli } from './crosstalk.ts';
import { agentCall, call, isRoot, nextTurn, numbers, rootPrompt, text } from './scripts.ts';
import type { ModelRequest, Script, ScriptedReply } from './scriptedModel.ts';
import { Workbench } from './workbench.ts';
import { record } from './written.ts';

const workers = 8;
const kills = 2;
/** Of its calls before a kill so many are caught in flight. */
const caught = 4;

/** Which rows are read, by whom, in how many at a time. */
interface Plan {
	readonly session: (worker: number) => string;
	readonly operator: (worker: number) => string;
	readonly pageSize: number;
}

const operators = [
	'CONTINENTAL AIRLINES',
	'ALOHA AIRLINES',
	'TRANS WORLD AIRLINES',
	'ATLANTIC COAST AIRLINES',
	'COMAIR AIRLINES',
	'EXPRESSJET (CONTINENTAL EXPRS)',
	'ALASKA AIRLINES',
	'HORIZON AIR',
];

const plans: Readonly<Record<string, Plan>> = {
	'a session for each': {
		session: (worker) => `worker ${worker}`,
		operator: (worker) => operators[worker - 1] ?? '',
		pageSize: 20,
	},
	'one session for all': {
		session: () => 'everybody',
		operator: () => 'DELTA AIR LINES',
		pageSize: 18,
	},
};

describe(`Eight subagents of Claude Code ${claudeCodeVersion} and the session store, the host killed twice`, () => {
	before('the agent is installed', async function () {
		this.timeout(installationTimeoutMs);
		await installedClaudeCode();
	});
	before('and Crosstalk is built', builtCommandLine);

	for (const [name, plan] of Object.entries(plans)) {
		describe(`with ${name}`, () => {
			let scene: Scene;
			let agent: AgentProcess;
			let results: ReadonlyMap<string, Result>;
			let strikes: readonly Strike[];

			before(async function () {
				this.timeout(480_000);
				({ strikes } = await readStrikes());
				scene = await Scene.create(plan);
				agent = scene.start();
				for (let kill = 0; kill < kills; kill++) await scene.killHost(agent);
				assert.deepEqual(await agent.exited, { code: 0, signal: null }, agent.stderr());
				results = scene.results();
			});
			after(async () => scene?.dispose());

			it('shows the model no error', () => {
				assert.ok(results.size >= workers);
				assert.deepEqual(
					[...results].filter(([, { isError }]) => isError),
					[],
				);
			});

			it('gives every row exactly once, and in order', () => {
				for (const session of new Set(numbers(workers).map(plan.session))) {
					const readers = numbers(workers).filter((worker) => plan.session(worker) === session);
					const read = readers.map((worker) => pagesOf(worker, results));
					// Nobody is given a page that is before one that it has.
					for (const pages of read)
						assert.deepEqual(pages, pages.toSorted(byPage), `pages of ${session} out of order`);
					const all = read.flat().toSorted(byPage);
					assert.deepEqual(
						all.map(({ page }) => page),
						numbers(all.length),
					);
					const operator = plan.operator(readers[0] ?? 0);
					assert.deepEqual(
						all.flatMap(({ rows }) => rows.map(({ row }) => row)),
						strikes.filter((strike) => strike.operator === operator).map(({ row }) => row),
					);
				}
			});

			it('is written so in the transcripts as well', async () => {
				const { id } = await scene.claudeCode.session();
				const { toolCalls } = await new Crosstalk(scene.claudeCode).show(id);
				const calls = toolCalls.filter(({ server }) => server === 'analytics');
				assert.deepEqual(calls.map((written) => written.id).toSorted(), [...results.keys()].toSorted());
				assert.deepEqual(
					calls.filter(({ state }) => state !== 'completed'),
					[],
				);
			});

			it('had calls in flight whenever the host was killed, and another host each time', async () => {
				assert.equal(scene.killed.length, kills);
				for (const { inFlight } of scene.killed) assert.ok(inFlight >= caught, `${inFlight}`);
				const { host } = await scene.status();
				assert.equal(host.generation, kills + 1);
				assert.equal(new Set([host.pid, ...scene.killed.map(({ pid }) => pid)]).size, kills + 1);
			});

			it('leaves no server of a killed host behind', async () => {
				for (const { server } of scene.killed)
					await until('the end of its server', () => !isAlive(server) || undefined, { timeoutMs: 60_000 });
			});
		});
	}
});

interface Result {
	readonly isError: boolean;
	readonly text: string;
}

interface Killed {
	readonly pid: number;
	readonly server: number;
	readonly inFlight: number;
}

class Scene {
	readonly workbench: Workbench;
	readonly claudeCode: ClaudeCode;
	readonly killed: Killed[] = [];
	private readonly dataDirectory: string;

	private constructor(workbench: Workbench, claudeCode: ClaudeCode) {
		this.workbench = workbench;
		this.claudeCode = claudeCode;
		this.dataDirectory = join(workbench.folder, 'data');
	}

	static async create(plan: Plan): Promise<Scene> {
		const workbench = await Workbench.create(() => script(plan));
		const scene = new Scene(workbench, await ClaudeCode.create(workbench));
		const { home, workingDirectory } = scene.claudeCode;
		const server = join(root, 'examples', 'analytics-server', 'server.ts');
		const args = ['--no-warnings', server, '--store', join(workbench.folder, 'sessions'), '--require-key'];
		await writeFile(
			join(workingDirectory, '.mcp.json'),
			JSON.stringify({ mcpServers: { analytics: { command: process.execPath, args } } }),
		);
		await mkdir(join(home, '.claude'), { recursive: true });
		await writeFile(
			join(home, '.claude', 'settings.json'),
			JSON.stringify({ permissions: { allow: ['mcp__analytics'] } }),
		);
		return scene;
	}

	start(): AgentProcess {
		const { command, args, cwd, environment } = this.claudeCode.command(`${rootPrompt}: read the reports`);
		return this.workbench.run({
			command: process.execPath,
			args: [cli, 'run', '--data', this.dataDirectory, '--', command, ...args],
			cwd,
			environment,
		});
	}

	async status(): Promise<HostStatus> {
		const control = await until('the host', () => attach({ directory: this.dataDirectory, client: 'test' }));
		try {
			return await control.request('host/status', {});
		} finally {
			control.dispose();
		}
	}

	/** In mid-call: the server is stopped until calls have piled up, and goes on when the host is gone, with nobody to answer. */
	async killHost(agent: AgentProcess): Promise<void> {
		const earlier = this.answered();
		await until('more answers', () => this.answered() >= earlier + workers + caught || undefined, { agent });
		const server = await until('the server', async () => (await this.status()).servers[0]?.pid ?? undefined, {
			agent,
		});
		process.kill(server, 'SIGSTOP');
		try {
			const { host, calls } = await until(
				'calls in flight',
				async () => {
					this.answered();
					const status = await this.status();
					return status.calls.filter(({ state }) => state === 'running').length >= caught
						? status
						: undefined;
				},
				{ agent },
			);
			process.kill(host.pid, 'SIGKILL');
			this.killed.push({ pid: host.pid, server, inFlight: calls.length });
		} finally {
			process.kill(server, 'SIGCONT');
		}
	}

	/** What the model was told each call has given. */
	results(): ReadonlyMap<string, Result> {
		return new Map(this.workbench.model.requests.flatMap((request) => [...resultsIn(request)]));
	}

	/** A worker that was told of an error stops: there would be nothing more to wait for. */
	private answered(): number {
		const results = this.results();
		for (const [id, { isError, text: said }] of results) assert.ok(!isError, `${id}: ${said}`);
		return results.size;
	}

	async dispose(): Promise<void> {
		const control = await attach({ directory: this.dataDirectory, client: 'test' });
		// It may end before it answers.
		await control?.request('host/stop', { isForced: true }).catch(() => undefined);
		control?.dispose();
		await this.workbench.dispose();
	}
}

/** The main agent starts the workers; each sets its filter and reads pages until there are no more. */
function script(plan: Plan): Script {
	return (request) => {
		if (!isRoot(request)) return workerReply(request, plan);
		const sessions = new Map(numbers(workers).map((worker) => [plan.session(worker), plan.operator(worker)]));
		return nextTurn(request, 'main', [
			[...sessions].map(([session, operator], index) =>
				analytics(`toolu_filter_${index + 1}`, 'analytics_filters', {
					session,
					add: [{ column: 'operator', is: 'equal', value: operator }],
				}),
			),
			numbers(workers).map((worker) => agentCall(`toolu_spawn_${worker}`, `WORKER ${worker}`)),
			[text('Noted.')],
		]);
	};
}

function workerReply(request: ModelRequest, plan: Plan): ScriptedReply {
	const found = request.said.map((words) => /^WORKER (\d+)/.exec(words)?.[1]).find((number) => number !== undefined);
	if (found === undefined) throw new Error(`Nobody in particular asks: ${request.said.join(' | ').slice(0, 500)}`);
	const worker = Number(found);
	const speaker = `worker_${worker}`;
	const pages = [...resultsIn(request).values()];
	if (pages.length > 100) throw new Error(`Worker ${worker} reads without an end.`);
	const last = pages.at(-1);
	if (last !== undefined && (last.isError || pageOf(last).isDone))
		return { speaker, blocks: [text(`Worker ${worker} is done.`)] };
	const session = plan.session(worker);
	return {
		speaker,
		blocks: [
			analytics(`toolu_${speaker}_${request.asked.length + 1}`, 'analytics_query', {
				session,
				pageSize: plan.pageSize,
			}),
		],
	};
}

function analytics(id: string, name: string, input: Record<string, unknown>) {
	return { ...call(id, name, input), namespace: 'mcp__analytics' };
}

/** Of the calls of the analytics server, in order. */
function resultsIn({ body }: ModelRequest): Map<string, Result> {
	const results = new Map<string, Result>();
	for (const message of list(body['messages'])) {
		for (const block of list(record(message)['content']).map(record)) {
			const id = String(block['tool_use_id']);
			if (block['type'] !== 'tool_result' || !/^toolu_(?:worker|filter)_/.test(id)) continue;
			const { content } = block;
			const said =
				typeof content === 'string'
					? content
					: list(content)
							.map((part) => record(part)['text'])
							.join('');
			results.set(id, { isError: block['is_error'] === true, text: said });
		}
	}
	return results;
}

interface ReadPage {
	readonly page: number;
	readonly rows: readonly { readonly row: number }[];
	readonly isDone: boolean;
}

function pageOf({ text: said }: Result): ReadPage {
	return JSON.parse(said) as ReadPage; // what the server has written, as the model has got it
}

/** In the order in which the worker has asked for them. */
function pagesOf(worker: number, results: ReadonlyMap<string, Result>): ReadPage[] {
	return [...results]
		.filter(([id]) => id.startsWith(`toolu_worker_${worker}_`))
		.toSorted(([one], [other]) => numberOf(one) - numberOf(other))
		.map(([, result]) => pageOf(result));
}

function numberOf(id: string): number {
	return Number(id.split('_').at(-1));
}

function byPage(one: ReadPage, other: ReadPage): number {
	return one.page - other.page;
}

function list(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : [];
}
