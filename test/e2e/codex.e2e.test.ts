// A real Codex with eight children, in both generations of its multi-agent tools: complete, killed in mid-call and resumed, interrupted.

import assert from 'node:assert/strict';
import { readFile, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { readJsonLines, until } from './agentProcess.ts';
import type { AgentProcess } from './agentProcess.ts';
import { codexVersion, installationTimeoutMs, installedCodex } from './agents.ts';
import { Codex } from './codex.ts';
import type { MultiAgentGeneration } from './codex.ts';
import { codexWorkers, rootPrompt } from './scripts.ts';
import { Workbench } from './workbench.ts';
import { codexCalls, list, record } from './written.ts';

const workers = 8;
const generations: readonly MultiAgentGeneration[] = ['v1', 'v2'];

describe(`Codex ${codexVersion}`, () => {
	before('is installed', async function () {
		// Once per machine; if it fails, it is said once and not by every scenario.
		this.timeout(installationTimeoutMs);
		await installedCodex();
	});

	for (const generation of generations) {
		describe(`with its multi-agent tools ${generation}`, () => {
			describe('with eight children that all finish', () => {
				let workbench: Workbench;
				let rollouts: string[];

				before(async () => {
					workbench = await Workbench.create(() =>
						codexWorkers(generation, {
							workers,
							secondCall: () => ({ name: 'sleep', input: { seconds: 0.5 } }),
						}),
					);
					const codex = await Codex.create(workbench, generation);
					const agent = codex.start(`${rootPrompt}: use workers`);
					assert.deepEqual(await agent.exited, { code: 0, signal: null }, agent.stderr());
					rollouts = await codex.rollouts();
				});
				after(async () => workbench?.dispose());

				it('made every call through the MCP server', async () => {
					const ended = (await workbench.notes()).filter((note) => note.phase === 'ended');
					assert.equal(ended.filter((note) => note.tool === 'echo').length, workers);
					assert.equal(ended.filter((note) => note.tool === 'sleep').length, workers);
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
							['echo', 'sleep'],
						);
					}
					for (const path of rollouts) {
						for (const call of await codexCalls(path)) {
							assert.ok(call.resultLine !== undefined, `${call.id} in ${path}`);
						}
					}
				});
			});

			describe('with eight children in mid-call', () => {
				let workbench: Workbench;
				let codex: Codex;
				let agent: AgentProcess;
				let rollouts: string[];

				before(async () => {
					({ workbench, codex, agent, rollouts } = await blockedWorkers(generation));
				});
				after(async () => workbench?.dispose());

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

				it('answers the open call for the model alone when it is resumed', async () => {
					const [root = '', ...children] = rollouts;
					const thread = String(record((await readJsonLines(root))[0]?.['payload'])['id']);
					const written = await Promise.all(children.map(async (path) => readFile(path, 'utf8')));
					const resumed = codex.start(`${rootPrompt} again`, { thread });
					assert.deepEqual(await resumed.exited, { code: 0, signal: null }, resumed.stderr());
					assert.deepEqual(await Promise.all(children.map(async (path) => readFile(path, 'utf8'))), written);
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
			});

			describe('with eight children in mid-call that is interrupted', () => {
				let workbench: Workbench;
				let rollouts: string[];

				before(async () => {
					const blocked = await blockedWorkers(generation);
					({ workbench, rollouts } = blocked);
					blocked.agent.kill('SIGINT');
					assert.deepEqual(await blocked.agent.exited, { code: 1, signal: null });
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

async function blockedWorkers(generation: MultiAgentGeneration): Promise<Blocked> {
	const workbench = await Workbench.create((gate) =>
		codexWorkers(generation, { workers, secondCall: () => ({ name: 'wait_for_file', input: { path: gate } }) }),
	);
	try {
		const codex = await Codex.create(workbench, generation);
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
