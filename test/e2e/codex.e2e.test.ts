// A real Codex with eight children, in both generations of its multi-agent tools: complete, killed in mid-call and resumed, interrupted.

import assert from 'node:assert/strict';
import { readFile, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { createCore } from '../../src/core/core.ts';
import type { FollowedSession, SessionUpdate } from '../../src/core/core.ts';
import { callState } from '../../src/core/conversation/index.ts';
import { createNodePlatform } from '../../src/platform/node/platform.ts';
import { readJsonLines, until } from './agentProcess.ts';
import type { AgentProcess } from './agentProcess.ts';
import { codexVersion, installationTimeoutMs, installedCodex } from './agents.ts';
import { Codex } from './codex.ts';
import type { MultiAgentGeneration } from './codex.ts';
import { Crosstalk, builtCommandLine, findings, openQuestions, settled, states } from './crosstalk.ts';
import type { Look, Shown, Watch, Written } from './crosstalk.ts';
import { codexWorkers, numbers, resumePrompt, rootPrompt, workbenchCall } from './scripts.ts';
import { Workbench } from './workbench.ts';
import { codexCalls, list, record } from './written.ts';

const workers = 8;
const generations: readonly MultiAgentGeneration[] = ['v1', 'v2'];
/** What is out while all children are in mid-call: their own calls, and that of the root which waits for them. */
const openCalls = ['call_wait_1', ...numbers(workers).map((worker) => `call_worker_${worker}_2`)];
const orphans = openCalls.map((id) => `orphaned-tool-use killed ${id}`);

describe(`Codex ${codexVersion}`, () => {
	before('is installed', async function () {
		// Once per machine; if it fails, it is said once and not by every scenario.
		this.timeout(installationTimeoutMs);
		await installedCodex();
	});
	before('and Crosstalk is built', builtCommandLine);

	for (const generation of generations) {
		describe(`with its multi-agent tools ${generation}`, () => {
			describe('with eight children that all finish', () => {
				let workbench: Workbench;
				let codex: Codex;
				let rollouts: string[];
				let live: Look;
				let ended: Look;
				let followed: FollowedSession;
				let lastUpdate: SessionUpdate;
				const followedStates: Record<string, number>[] = [];

				before(async () => {
					const blocked = await blockedWorkers(generation);
					({ workbench, codex, rollouts } = blocked);
					const crosstalk = new Crosstalk(codex);
					live = await crosstalk.look(written(rollouts));
					followed = await follow(rollouts[0] ?? '');
					await followed.update();
					followedStates.push(statesOf(followed));
					await workbench.openGate();
					await until('the followed calls to complete', async () => {
						await followed.update({ paths: new Set(rollouts), isProbing: false });
						followedStates.push(statesOf(followed));
						return statesOf(followed)['pending'] === undefined ? true : undefined;
					});
					assert.deepEqual(await blocked.agent.exited, { code: 0, signal: null }, blocked.agent.stderr());
					await followed.update({ paths: new Set(rollouts), isProbing: false });
					lastUpdate = await followed.update();
					ended = await crosstalk.look(written(rollouts));
				});
				after(async () => workbench?.dispose());

				it('made every call through the MCP server', async () => {
					const ended = (await workbench.notes()).filter((note) => note.phase === 'ended');
					assert.equal(ended.filter((note) => note.tool === 'echo').length, workers);
					assert.equal(ended.filter((note) => note.tool === 'wait_for_file').length, workers);
				});

				it('has written every call with its output', async () => {
					const [root = '', ...children] = rollouts;
					assert.equal(children.length, workers);
					assert.equal(
						(await codexCalls(root)).filter((call) => call.name === 'spawn_agent').length,
						workers,
					);
					for (const child of children) {
						assert.deepEqual(
							(await codexCalls(child)).map((call) => call.name),
							['echo', 'wait_for_file'],
						);
					}
					for (const path of rollouts) {
						for (const call of await codexCalls(path)) {
							assert.ok(call.resultLine !== undefined, `${call.id} in ${path}`);
						}
					}
				});

				it('is shown as a tree, live and ended', () => {
					for (const { shown } of [live, ended]) {
						assertTree(shown, generation);
						assert.deepEqual(new Set(shown.agents.map(({ path }) => path)), new Set(rollouts));
						assert.equal(shown.agents[0]?.path, rollouts[0]);
					}
				});

				it('is shown as live with nine pending calls while they run, and nothing is found', () => {
					const { shown, lint, exitCode } = live;
					assert.equal(shown.session.live, true);
					assert.deepEqual(states(shown), { completed: 2 * workers, pending: workers + 1 });
					assert.deepEqual(idsOf(shown, 'pending'), openCalls);
					assert.deepEqual([findings(lint), exitCode], [[], 0]);
				});

				it('is shown as ended with every call completed, and nothing is found', () => {
					const { shown, lint, exitCode } = ended;
					assert.equal(shown.session.live, false);
					assert.deepEqual(Object.keys(states(shown)), ['completed']);
					assert.deepEqual(
						shown.agents.slice(1).map((child) => child.ended?.outcome),
						numbers(workers).map(() => 'completed'),
					);
					assert.deepEqual([findings(lint), exitCode], [[], 0]);
				});

				it('was followed: pending calls completed one by one, and the session ended', () => {
					assert.deepEqual(followedStates[0], states(live.shown));
					assert.deepEqual(statesOf(followed), states(ended.shown));
					for (const counts of followedStates) {
						assert.deepEqual(
							Object.keys(counts).filter((state) => !['completed', 'pending'].includes(state)),
							[],
						);
					}
					assert.equal(followed.conversation.liveness.state, 'ended');
					// Nothing more was written; that the process has ended is news all the same.
					assert.equal(lastUpdate.hasNewEvents, true);
					assert.deepEqual([followed.diagnostics, followed.inconclusive], [[], []]);
				});

				it('is found by its id, and where CODEX_HOME says', async () => {
					const elsewhere = new Crosstalk(codex, {
						HOME: workbench.folder,
						CODEX_HOME: join(codex.home, '.codex'),
					});
					assert.deepEqual(await elsewhere.sessions(), [ended.shown.session]);
					assert.deepEqual(await elsewhere.show(ended.shown.session.id), ended.shown);
				});
			});

			describe('with eight children in mid-call', () => {
				let workbench: Workbench;
				let codex: Codex;
				let agent: AgentProcess;
				let rollouts: string[];
				let crosstalk: Crosstalk;
				let watch: Watch;
				let live: Look;

				before(async () => {
					({ workbench, codex, agent, rollouts } = await blockedWorkers(generation, async (started) => {
						crosstalk = new Crosstalk(started);
						watch = await crosstalk.watch(join(started.home, '.codex', 'sessions'));
					}));
					await watch.until(
						'the watch to see the pending calls',
						({ summary }) => summary.pending === workers + 1,
					);
				});
				after(async () => {
					await watch?.stop();
					await workbench?.dispose();
				});

				// Only there can one look at another process's files and locks.
				if (process.platform === 'linux') {
					it('holds its rollouts and a lock for each of them while it lives', async () => {
						const held = await openFiles(agent.pid);
						for (const path of rollouts) assert.ok(held.includes(path), path);
						assert.equal((await heldLocks(codex, agent.pid)).length, workers + 1);
					});
				}

				it('leaves the calls unanswered when it is killed', async () => {
					agent.killGroup('SIGKILL');
					assert.deepEqual(await agent.exited, { code: null, signal: 'SIGKILL' });
					const [root = '', ...children] = rollouts;
					assert.deepEqual(
						(await codexCalls(root))
							.filter((call) => call.resultLine === undefined)
							.map((call) => call.name),
						['wait_agent'],
					);
					for (const child of children) {
						assert.deepEqual(
							(await codexCalls(child)).map((call) => call.resultLine !== undefined),
							[true, false],
							child,
						);
					}
				});

				it('is shown with nine orphaned calls after that', async () => {
					const { shown, lint, exitCode } = await crosstalk.look(written(rollouts));
					assert.equal(shown.session.live, false);
					assertTree(shown, generation);
					assert.deepEqual(states(shown), { completed: 2 * workers, 'orphaned: killed': workers + 1 });
					assert.deepEqual(findings(lint), orphans);
					assert.deepEqual(
						lint.sessions[0]?.agents.map(({ orphaned }) => orphaned),
						numbers(workers + 1).map(() => 1),
					);
					assert.equal(exitCode, 1);
				});

				it('was watched when it was killed, and the pending calls became orphans', async () => {
					const report = await watch.until(
						'the watch to see the orphans',
						({ summary }) => summary.orphaned > 0,
					);
					assert.deepEqual(findings(report), orphans);
					assert.equal(report.sessions[0]?.live, false);
					assert.equal(await watch.stop(), 1);
					const reports = watch.reports();
					assert.deepEqual(reports.flatMap(openQuestions), []);
					assert.deepEqual(reports.filter(({ summary }) => summary.orphaned === 0).flatMap(findings), []);
				});

				it('answers the open call for the model alone when it is resumed', async () => {
					const [root = '', ...children] = rollouts;
					const thread = String(record((await readJsonLines(root))[0]?.['payload'])['id']);
					const killed = await Promise.all(children.map(async (path) => readFile(path, 'utf8')));
					const resumed = codex.start(resumePrompt, { thread });
					await workbench.callsStarted(workers + 1, 'wait_for_file', resumed);
					await settled([root], resumed);
					live = await crosstalk.look(written(rollouts));
					await workbench.openGate();
					assert.deepEqual(await resumed.exited, { code: 0, signal: null }, resumed.stderr());
					assert.deepEqual(await Promise.all(children.map(async (path) => readFile(path, 'utf8'))), killed);
					assert.deepEqual(
						(await codexCalls(root))
							.filter((call) => call.resultLine === undefined)
							.map((call) => call.name),
						['wait_agent'],
					);
					const outputs = list(workbench.model.requests.at(-1)?.body['input']).filter(
						(item) => item['type'] === 'function_call_output',
					);
					assert.deepEqual(
						outputs.filter((item) => item['output'] === 'aborted').map((item) => item['call_id']),
						['call_wait_1'],
					);
				});

				it('is shown with the same orphans while it is resumed and lives again', () => {
					const { shown, lint, exitCode } = live;
					assert.equal(shown.session.live, true);
					assert.deepEqual(states(shown), {
						completed: 2 * workers,
						'orphaned: killed': workers + 1,
						pending: 1,
					});
					assert.deepEqual(idsOf(shown, 'pending'), ['call_main_again']);
					assert.deepEqual(findings(lint), orphans);
					assert.equal(exitCode, 1);
				});

				it('is shown with the same orphans when the resumed one has ended', async () => {
					const { shown, lint, exitCode } = await crosstalk.look(written(rollouts));
					assert.equal(shown.session.live, false);
					assert.deepEqual(states(shown), { completed: 2 * workers + 1, 'orphaned: killed': workers + 1 });
					assert.deepEqual(findings(lint), orphans);
					assert.equal(exitCode, 1);
				});
			});

			describe('with eight children in mid-call that is interrupted', () => {
				let workbench: Workbench;
				let rollouts: string[];
				let look: Look;

				before(async () => {
					const blocked = await blockedWorkers(generation);
					({ workbench, rollouts } = blocked);
					blocked.agent.kill('SIGINT');
					assert.deepEqual(await blocked.agent.exited, { code: 1, signal: null });
					look = await new Crosstalk(blocked.codex).look(written(rollouts));
				});
				after(async () => workbench?.dispose());

				it('answers every open call and ends every turn', async () => {
					for (const path of rollouts) {
						const lines = await readJsonLines(path);
						for (const call of await codexCalls(path)) {
							assert.ok(call.resultLine !== undefined, `${call.id} in ${path}`);
						}
						assert.ok(
							lines.some((line) =>
								String(record(line['payload'])['output']).startsWith('aborted by user after '),
							),
							path,
						);
						assert.equal(record(lines.at(-1)?.['payload'])['type'], 'turn_aborted', path);
					}
				});

				it('is shown with nine failed calls, and nothing is found', () => {
					const { shown, lint, exitCode } = look;
					assert.equal(shown.session.live, false);
					assertTree(shown, generation);
					assert.deepEqual(states(shown), { completed: 2 * workers, failed: workers + 1 });
					assert.deepEqual(idsOf(shown, 'failed'), openCalls);
					assert.deepEqual([findings(lint), exitCode], [[], 0]);
				});
			});
		});
	}
});

interface Blocked {
	readonly workbench: Workbench;
	readonly codex: Codex;
	readonly agent: AgentProcess;
	readonly rollouts: string[];
}

async function blockedWorkers(
	generation: MultiAgentGeneration,
	beforeStart: (codex: Codex) => Promise<void> = async () => undefined,
): Promise<Blocked> {
	const workbench = await Workbench.create((gate) =>
		codexWorkers(generation, {
			workers,
			secondCall: () => ({ name: 'wait_for_file', input: { path: gate } }),
			afterResume: workbenchCall('call_main_again', 'wait_for_file', { path: gate }),
		}),
	);
	try {
		const codex = await Codex.create(workbench, generation);
		await beforeStart(codex);
		const agent = codex.start(`${rootPrompt}: use workers`);
		await workbench.callsStarted(workers, 'wait_for_file', agent);
		const rollouts = await until(
			'the root to wait for its children',
			async () => {
				const found = await codex.rollouts();
				const calls = await Promise.all(found.map(codexCalls));
				const isRootWaiting = calls[0]?.at(-1)?.name === 'wait_agent';
				return isRootWaiting &&
					calls.filter((written) => written.at(-1)?.name === 'wait_for_file').length === workers
					? found
					: undefined;
			},
			{ agent },
		);
		await settled(rollouts, agent);
		return { workbench, codex, agent, rollouts };
	} catch (error) {
		await workbench.dispose();
		throw error;
	}
}

async function openFiles(pid: number): Promise<string[]> {
	const descriptors = await readdir(`/proc/${pid}/fd`);
	// A descriptor may be closed between the two looks.
	return Promise.all(
		descriptors.map(async (descriptor) => readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '')),
	);
}

async function heldLocks(codex: Codex, pid: number): Promise<string[]> {
	const folder = join(codex.home, '.codex', 'thread-writer-locks');
	const locks = (await readFile('/proc/locks', 'utf8'))
		.split('\n')
		.map((line) => line.split(/\s+/))
		.filter((fields) => fields[1] === 'FLOCK' && fields[4] === String(pid))
		.map((fields) => Number(fields[5]?.split(':')[2]));
	const names = (await readdir(folder)).filter((name) => !name.startsWith('.'));
	const inodes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).ino));
	return names.filter((_, index) => locks.includes(inodes[index] ?? -1));
}

function written(rollouts: readonly string[]): Written {
	return { paths: rollouts, callsOf: codexCalls };
}

/** Every child hangs on the very call that spawned it; Codex gives the names. */
function assertTree({ agents, toolCalls }: Shown, generation: MultiAgentGeneration): void {
	const [main, ...children] = agents;
	assert.deepEqual([main?.id, main?.parentId, main?.spawnToolUseId], ['main', null, null]);
	assert.deepEqual(
		children.map(({ spawnToolUseId }) => spawnToolUseId ?? '').toSorted(),
		numbers(workers).map((worker) => `call_spawn_${worker}`),
	);
	for (const { id, parentId, name, type, spawnToolUseId } of children) {
		assert.equal(parentId, 'main');
		assert.match(name, /^[A-Z]\w+/);
		assert.equal(type, generation === 'v1' ? 'worker' : null);
		assert.equal(toolCalls.find((call) => call.id === spawnToolUseId)?.spawnedAgentId, id);
		const worker = spawnToolUseId?.replace('call_spawn_', '');
		assert.deepEqual(
			toolCalls.filter(({ agentId }) => agentId === id).map((call) => call.id),
			[`call_worker_${worker}_1`, `call_worker_${worker}_2`],
		);
	}
}

function idsOf({ toolCalls }: Shown, state: string): string[] {
	return toolCalls
		.filter((call) => call.state === state)
		.map(({ id }) => id)
		.toSorted();
}

async function follow(path: string): Promise<FollowedSession> {
	const core = createCore(createNodePlatform(false));
	const { sessions } = await core.findSessions(path);
	const [session, ...others] = sessions;
	assert.ok(session !== undefined && others.length === 0);
	return core.followSession(session, { assume: 'auto', rules: {}, withPreviews: false });
}

function statesOf({ conversation }: FollowedSession): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const agent of conversation.agents.values()) {
		for (const call of agent.toolCalls) {
			const { state } = callState(conversation, call);
			counts[state] = (counts[state] ?? 0) + 1;
		}
	}
	return counts;
}
