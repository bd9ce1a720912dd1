// Crosstalk's own command line, as it is shipped: a process of its own that knows nothing but the home of the scenario's agent.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { SessionSummary } from '../../src/cli/summary.ts';
import type { LintResult, LintedSession } from '../../src/core/report/index.ts';
import { root, runNode } from '../../tools/process.ts';
import { filesBelow, startAgent, until } from './agentProcess.ts';
import type { AgentProcess } from './agentProcess.ts';
import { record } from './written.ts';
import type { WrittenCall } from './written.ts';

export const cli = join(root, 'dist', 'cli.js');
let build: Promise<void> | undefined;

/** Builds the command line from the present source, once per run. */
export function builtCommandLine(): Promise<void> {
	build ??= runNode(['esbuild.js']).then(({ code, output }) => {
		if (code !== 0) throw new Error(`The command line to be tested cannot be built (npm run build):\n${output}`);
	});
	return build;
}

export interface ShownCall {
	readonly id: string;
	readonly name: string;
	readonly server?: string;
	readonly agentId: string;
	readonly state: 'completed' | 'failed' | 'pending' | 'orphaned';
	readonly cause?: string;
	readonly path: string;
	readonly line: number;
	readonly resultLine?: number;
	readonly spawnedAgentId?: string;
	/** What the host has seen of it, and what hooks have told. */
	readonly host?: readonly unknown[];
	readonly hooks?: { readonly ending?: string };
	readonly conflicts?: readonly string[];
}

export type ShownAgent = LintedSession['agents'][number] & {
	readonly type: string | null;
	readonly relation: string;
	readonly ended: { readonly outcome: string } | null;
};

/** What `show --json` says. */
export interface Shown {
	readonly version: 1;
	readonly session: SessionSummary;
	readonly agents: readonly ShownAgent[];
	readonly compactions: readonly {
		readonly agentId: string;
		readonly path: string;
		readonly line: number;
		readonly trigger: string;
		readonly tokensBefore?: number;
		readonly tokensAfter?: number;
	}[];
	readonly toolCalls: readonly ShownCall[];
}

/** Of a session: what all commands say, and the exit code of `lint` where it is to fail on errors. */
export interface Look {
	readonly shown: Shown;
	readonly lint: LintResult;
	readonly exitCode: number | null;
}

/** What an agent has written, with the yardstick for it. */
export interface Written {
	/** The main agent's first. */
	readonly paths: readonly string[];
	readonly callsOf: (path: string) => Promise<readonly WrittenCall[]>;
}

export class Crosstalk {
	private readonly agent: { readonly home: string; readonly workingDirectory: string };
	private readonly environment: Readonly<Record<string, string>>;

	/** @param environment In place of the home, for agents that are told of their folders in other ways. */
	constructor(
		agent: { readonly home: string; readonly workingDirectory: string },
		environment: Readonly<Record<string, string>> = { HOME: agent.home },
	) {
		this.agent = agent;
		this.environment = environment;
	}

	start(...args: readonly string[]): AgentProcess {
		return startAgent({
			command: process.execPath,
			args: [cli, ...args],
			cwd: this.agent.workingDirectory,
			environment: { PATH: '/usr/local/bin:/usr/bin:/bin', ...this.environment },
		});
	}

	async show(what: string, ...options: readonly string[]): Promise<Shown> {
		// The contract's shape; what is read of it is compared.
		return (await this.json(['show', what, '--json', ...options])) as Shown;
	}

	async sessions(): Promise<SessionSummary[]> {
		// As above.
		return (await this.json(['sessions', '--json'])) as SessionSummary[];
	}

	async lint(path: string): Promise<LintResult> {
		// As above.
		return (await this.json(['lint', path, '--format', 'json', '--fail-on', 'never'])) as LintResult;
	}

	private async json(args: readonly string[]): Promise<unknown> {
		const command = this.start(...args);
		const { code } = await command.exited;
		assert.equal(`${code} ${command.stderr()}`, '0 ', `crosstalk ${args.join(' ')}`);
		return JSON.parse(command.stdout());
	}

	/** Lints again with every change until it is stopped. A folder need not be there yet: the agent has not been started. */
	async watch(path: string): Promise<Watch> {
		if (!path.endsWith('.jsonl')) await mkdir(path, { recursive: true });
		const command = this.start('lint', path, '--watch', '--format', 'json');
		// From then on nothing is missed.
		await until('the first report', () => reports(command.stdout())[0], { agent: command });
		return {
			reports: () => reports(command.stdout()),
			until: async (what, condition) =>
				until(what, () => reports(command.stdout()).findLast(condition), { agent: command }),
			stop: async () => {
				command.kill('SIGINT');
				return (await command.exited).code;
			},
		};
	}

	/**
	 * Lets every command look at a session to which nothing is written meanwhile. What they say must agree with each other and with what
	 * is written, every finding must cover exactly the block that it is about, and no file of the agent's may have been touched.
	 */
	async look({ paths, callsOf }: Written, inconclusive: readonly string[] = []): Promise<Look> {
		const [main = ''] = paths;
		const before = await this.snapshot(paths);
		const shown = await this.show(main);
		const lint = await this.lint(main);
		const plain = this.start('lint', main);
		const { code: exitCode } = await plain.exited;
		assert.deepEqual(await this.sessions(), [shown.session]);
		assert.deepEqual(await this.snapshot(paths), before);

		const [session, ...others] = lint.sessions;
		assert.deepEqual(others, []);
		assert.deepEqual([session?.id, session?.live], [shown.session.id, shown.session.live]);
		assert.deepEqual(
			session?.agents.map((agent, index) => ({ ...shown.agents[index], ...agent })),
			shown.agents,
		);

		const written = await Promise.all(
			paths.map(async (path) => (await callsOf(path)).map((call) => ({ ...call, path }))),
		);
		assert.deepEqual(
			shown.toolCalls
				.map(({ id, name, state, path, line, resultLine }) => ({
					...{ id, name, path, line, resultLine },
					state: ['pending', 'orphaned'].includes(state) ? 'unanswered' : state,
				}))
				.toSorted(byPlace),
			written
				.flat()
				.map(({ id, name, path, line, resultLine, isError }) => ({
					...{ id, name: name.replace(/^mcp__workbench__/, ''), path, line, resultLine },
					state: resultLine === undefined ? 'unanswered' : isError ? 'failed' : 'completed',
				}))
				.toSorted(byPlace),
		);
		const answered = written.flat().filter((call) => call.resultLine !== undefined).length;
		const { summary } = lint;
		assert.deepEqual(
			{
				files: summary.files,
				agents: summary.agents,
				toolCalls: summary.toolCalls,
				toolResults: summary.toolResults,
			},
			{ files: paths.length, agents: paths.length, toolCalls: written.flat().length, toolResults: answered },
		);
		assert.equal(summary.pending + summary.orphaned, summary.toolCalls - answered);
		const texts = new Map(
			await Promise.all(paths.map(async (path) => [path, await readFile(path, 'utf8')] as const)),
		);
		assert.deepEqual(
			lint.files,
			[...texts]
				.map(([path, text]) => ({
					path,
					format: shown.session.format,
					lines: text.split('\n').length - 1,
					bytes: Buffer.byteLength(text),
					problems: [],
				}))
				.toSorted((one, other) => (one.path < other.path ? -1 : 1)),
		);
		for (const { path, line, endLine, column, endColumn, toolUseId } of lint.diagnostics) {
			assert.equal(endLine, line);
			const text = texts.get(path)?.split('\n')[line - 1] ?? '';
			const block = text.slice(column - 1, endColumn - 1);
			const { id, call_id: callId } = record(JSON.parse(block));
			assert.equal(callId ?? id, toolUseId, `${path}:${line}:${column}`);
		}
		// In all scenarios the agent's version and the system tell whether it still runs.
		assert.deepEqual(
			lint.inconclusive.map(({ ruleId, message }) => `${ruleId}: ${message}`),
			inconclusive,
		);
		return { shown, lint, exitCode };
	}

	/** The agent's transcripts and what lies beside them, with content and time of the last change. */
	private async snapshot(paths: readonly string[]): Promise<Record<string, string>> {
		const files = (await Promise.all([...new Set(paths.map(dirname))].map(filesBelow))).flat();
		const entries = await Promise.all(
			files.map(async (path) => {
				const hash = createHash('sha256')
					.update(await readFile(path))
					.digest('hex');
				return [path, `${(await stat(path)).mtimeMs} ${hash}`] as const;
			}),
		);
		return Object.fromEntries(entries);
	}
}

export interface Watch {
	/** All so far. */
	reports(): LintResult[];
	/** Waits for a report of which the condition is true. */
	until(what: string, condition: (report: LintResult) => boolean): Promise<LintResult>;
	/** As a person stops it. Gives its exit code. */
	stop(): Promise<number | null>;
}

function reports(stdout: string): LintResult[] {
	return (
		stdout
			.split(/^(?=\{$)/m)
			// The last one may still be coming.
			.filter((report) => report.endsWith('\n}\n'))
			// As in `lint`.
			.map((report) => JSON.parse(report) as LintResult)
	);
}

/** How many calls are in which state, and why those are that have none to come. */
export function states({ toolCalls }: Shown): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const { state, cause } of toolCalls) {
		const key = cause === undefined ? state : `${state}: ${cause}`;
		counts[key] = (counts[key] ?? 0) + 1;
	}
	return counts;
}

/** The findings, each as its rule, its cause and its call. */
export function findings({ diagnostics }: LintResult): string[] {
	return diagnostics.map(({ ruleId, cause, toolUseId }) => `${ruleId} ${cause} ${toolUseId}`).toSorted();
}

/**
 * What could not be told for want of evidence. That an agent's files do not grow in the order of events is no such thing: for a moment a
 * subagent has been started and its transcript is not there, or its sidecar says that it has finished and its last lines are not there.
 */
export function openQuestions({ inconclusive }: LintResult): LintResult['inconclusive'] {
	return inconclusive.filter(
		({ ruleId, message }) =>
			ruleId !== 'missing-subagent-transcript' &&
			ruleId !== 'unlinked-subagent' &&
			!message.endsWith(' Its last lines may still come.'),
	);
}

/** Waits until the files have not grown for a while: agents gather lines for a moment before they write them. */
export async function settled(paths: readonly string[], agent: AgentProcess): Promise<void> {
	const sizes = async () => (await Promise.all(paths.map(async (path) => (await stat(path)).size))).join(' ');
	let last = '';
	let since = Date.now();
	await until(
		'the transcripts to settle',
		async () => {
			const now = await sizes();
			if (now !== last) {
				last = now;
				since = Date.now();
			}
			return Date.now() - since > quietMs ? true : undefined;
		},
		{ agent },
	);
}

const quietMs = 500;

function byPlace(one: { path: string; line: number; id: string }, other: typeof one): number {
	if (one.path !== other.path) return one.path < other.path ? -1 : 1;
	return one.line - other.line || (one.id < other.id ? -1 : 1);
}
