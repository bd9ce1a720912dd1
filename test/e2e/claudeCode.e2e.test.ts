// A real Claude Code with eight subagents, complete, killed in mid-call and resumed.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { readJson, readJsonLines, until } from './agentProcess.ts';
import type { AgentProcess } from './agentProcess.ts';
import { claudeCodeVersion, installationTimeoutMs, installedClaudeCode } from './agents.ts';
import { ClaudeCode } from './claudeCode.ts';
import type { ClaudeSession } from './claudeCode.ts';
import { Crosstalk, builtCommandLine, findings, openQuestions, settled, states } from './crosstalk.ts';
import type { Look, Shown, Watch, Written } from './crosstalk.ts';
import {
	agentCall,
	call,
	claudeCodeWorkers,
	isResumed,
	isRoot,
	isSummaryRequest,
	nextTurn,
	numbers,
	resumePrompt,
	rootPrompt,
	text,
	workbenchCall,
} from './scripts.ts';
import { Workbench } from './workbench.ts';
import { claudeCodeCalls, list, record } from './written.ts';

const workers = 8;

describe(`Claude Code ${claudeCodeVersion}`, () => {
	before('is installed', async function () {
		// Once per machine; if it fails, it is said once and not by every scenario.
		this.timeout(installationTimeoutMs);
		await installedClaudeCode();
	});
	before('and Crosstalk is built', builtCommandLine);

	describe('with eight subagents that all finish', () => {
		let workbench: Workbench;
		let claudeCode: ClaudeCode;
		let session: ClaudeSession;
		let crosstalk: Crosstalk;
		let watch: Watch;
		let live: Look;
		let ended: Look;

		before(async () => {
			const blocked = await blockedWorkers(workers, async (started) => {
				crosstalk = new Crosstalk(started);
				watch = await crosstalk.watch(join(started.home, '.claude', 'projects'));
			});
			({ workbench, claudeCode, session } = blocked);
			await watch.until('the watch to see the pending calls', ({ summary }) => summary.pending === workers);
			live = await crosstalk.look(written(session));
			await workbench.openGate();
			assert.deepEqual(await blocked.agent.exited, { code: 0, signal: null }, blocked.agent.stderr());
			ended = await crosstalk.look(written(session));
		});
		after(async () => {
			await watch?.stop();
			await workbench?.dispose();
		});

		it('made every call through the MCP server', async () => {
			const ended = (await workbench.notes()).filter((note) => note.phase === 'ended');
			assert.equal(ended.filter((note) => note.tool === 'echo').length, workers);
			assert.equal(ended.filter((note) => note.tool === 'wait_for_file').length, workers);
		});

		it('has written every call with its result', async () => {
			const main = await claudeCodeCalls(session.transcript);
			assert.deepEqual(
				main.map((call) => call.name),
				Array.from({ length: workers }, () => 'Agent'),
			);
			assert.equal(session.subagents.length, workers);
			for (const path of session.subagents) {
				assert.equal((await readJson(path.replace(/\.jsonl$/, '.meta.json')))['finished'], true);
			}
			for (const path of [session.transcript, ...session.subagents]) {
				for (const written of await claudeCodeCalls(path)) {
					assert.ok(written.resultLine !== undefined && !written.isError, `${written.id} in ${path}`);
				}
			}
		});

		it('sends lines that belong to one message as one message, and their results together', () => {
			const request = workbench.model.requests.find(({ answered }) => answered.includes('toolu_spawn_8'));
			const messages = list(request?.body['messages']).filter((message) => message['role'] !== 'system');
			assert.deepEqual(
				list(messages[1]?.['content']).map((block) => block['type']),
				['text', ...Array.from({ length: workers }, () => 'tool_use')],
			);
			assert.deepEqual(
				list(messages[2]?.['content']).map((block) => block['type']),
				Array.from({ length: workers }, () => 'tool_result'),
			);
		});

		it('takes itself off the register when it ends', async () => {
			assert.deepEqual(await claudeCode.registry(), []);
		});

		it('is shown as a tree, live and ended', () => {
			for (const { shown } of [live, ended]) {
				assert.deepEqual(tree(shown), [
					['main', null, null, null],
					...numbers(workers).map((worker) => [
						`worker ${worker}`,
						'main',
						`toolu_spawn_${worker}`,
						'general-purpose',
					]),
				]);
				assert.deepEqual(
					new Set(shown.agents.map(({ path }) => path)),
					new Set([session.transcript, ...session.subagents]),
				);
				for (const { id, spawnToolUseId } of shown.agents.slice(1)) {
					assert.equal(shown.toolCalls.find((call) => call.id === spawnToolUseId)?.spawnedAgentId, id);
					const worker = spawnToolUseId?.replace('toolu_spawn_', '');
					assert.deepEqual(
						shown.toolCalls.filter(({ agentId }) => agentId === id).map((call) => call.id),
						[`toolu_worker_${worker}_1`, `toolu_worker_${worker}_2`],
					);
				}
			}
		});

		it('is shown as live with eight pending calls while they run, and nothing is found', () => {
			assert.equal(live.shown.session.live, true);
			assert.deepEqual(states(live.shown), { completed: 2 * workers, pending: workers });
			assert.deepEqual(
				live.shown.toolCalls
					.filter(({ state }) => state === 'pending')
					.map(({ id }) => id)
					.toSorted(),
				numbers(workers).map((worker) => `toolu_worker_${worker}_2`),
			);
			assert.deepEqual(
				live.shown.agents.map(({ ended }) => ended),
				live.shown.agents.map(() => null),
			);
			assert.deepEqual(live.lint.diagnostics, []);
			assert.equal(live.exitCode, 0);
		});

		it('is shown as ended with every call completed, and nothing is found', () => {
			assert.equal(ended.shown.session.live, false);
			assert.deepEqual(states(ended.shown), { completed: 3 * workers });
			assert.deepEqual(
				ended.shown.agents.slice(1).map(({ ended }) => ended?.outcome),
				numbers(workers).map(() => 'completed'),
			);
			assert.deepEqual(ended.lint.diagnostics, []);
			assert.equal(ended.exitCode, 0);
		});

		it('was watched from before its first line to after its last, and nothing was found at any time', async () => {
			const last = await watch.until(
				'the watch to see the end',
				({ summary, sessions }) => summary.pending === 0 && sessions[0]?.live === false,
			);
			assert.deepEqual(last.sessions, ended.lint.sessions);
			assert.deepEqual(
				watch.reports().flatMap((report) => [...findings(report), ...openQuestions(report)]),
				[],
			);
			assert.equal(await watch.stop(), 0);
		});

		it('is found by its id, and where CLAUDE_CONFIG_DIR says', async () => {
			const elsewhere = new Crosstalk(claudeCode, {
				HOME: workbench.folder,
				CLAUDE_CONFIG_DIR: join(claudeCode.home, '.claude'),
			});
			assert.deepEqual(await elsewhere.sessions(), [ended.shown.session]);
			assert.deepEqual(await elsewhere.show(session.id.slice(0, 8)), ended.shown);
		});
	});

	describe('with eight subagents in mid-call', () => {
		let workbench: Workbench;
		let claudeCode: ClaudeCode;
		let crosstalk: Crosstalk;
		let agent: AgentProcess;
		let session: ClaudeSession;
		let orphans: string[];
		let watch: Watch;
		let killed: string[];

		before(async () => {
			({ workbench, claudeCode, agent, session } = await blockedWorkers());
			crosstalk = new Crosstalk(claudeCode);
			watch = await crosstalk.watch(session.transcript);
			await watch.until('the watch to see the pending calls', ({ summary }) => summary.pending === workers);
			orphans = numbers(workers).map((worker) => `orphaned-tool-use killed toolu_worker_${worker}_2`);
		});
		after(async () => {
			await watch?.stop();
			await workbench?.dispose();
		});

		it('is on the register while it lives', async () => {
			const [entry, ...others] = await claudeCode.registry();
			assert.deepEqual(others, []);
			assert.equal(entry?.['pid'], agent.pid);
			assert.equal(entry['sessionId'], session.id);
			assert.equal(entry['status'], 'busy');
			if (process.platform === 'linux') {
				const stat = await readFile(`/proc/${agent.pid}/stat`, 'utf8');
				assert.equal(entry['procStart'], stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
			}
		});

		it('leaves the calls unanswered and itself on the register when it is killed', async () => {
			agent.killGroup('SIGKILL');
			assert.deepEqual(await agent.exited, { code: null, signal: 'SIGKILL' });
			assert.equal((await claudeCode.registry())[0]?.['pid'], agent.pid);
			for (const path of session.subagents) {
				assert.deepEqual(
					(await claudeCodeCalls(path)).map((call) => call.resultLine !== undefined),
					[true, false],
					path,
				);
				assert.equal((await readJson(path.replace(/\.jsonl$/, '.meta.json')))['finished'], undefined);
			}
		});

		it('is shown with eight orphaned calls after that', async () => {
			const { shown, lint, exitCode } = await crosstalk.look(written(session));
			assert.equal(shown.session.live, false);
			assert.deepEqual(states(shown), { completed: 2 * workers, 'orphaned: killed': workers });
			assert.deepEqual(findings(lint), orphans);
			assert.deepEqual(
				lint.sessions[0]?.agents.map(({ orphaned }) => orphaned),
				[0, ...numbers(workers).map(() => 1)],
			);
			assert.equal(exitCode, 1);
		});

		it('was watched when it was killed, and the pending calls became orphans', async () => {
			const report = await watch.until('the watch to see the orphans', ({ summary }) => summary.orphaned > 0);
			assert.deepEqual(findings(report), orphans);
			assert.equal(report.sessions[0]?.live, false);
			assert.equal(await watch.stop(), 1);
			const reports = watch.reports();
			assert.deepEqual(reports.flatMap(openQuestions), []);
			assert.deepEqual(reports.filter(({ summary }) => summary.orphaned === 0).flatMap(findings), []);
		});

		it('is shown with the same orphans while it is resumed and lives again', async () => {
			killed = await Promise.all(session.subagents.map(async (path) => readFile(path, 'utf8')));
			const resumed = claudeCode.start(resumePrompt, ['--resume', session.id]);
			await workbench.callsStarted(workers + 1, 'wait_for_file', resumed);
			await settled([session.transcript], resumed);
			const { shown, lint, exitCode } = await crosstalk.look(written(session));
			assert.equal(shown.session.live, true);
			assert.deepEqual(states(shown), { completed: 2 * workers, 'orphaned: killed': workers, pending: 1 });
			assert.equal(shown.toolCalls.find(({ state }) => state === 'pending')?.id, 'toolu_main_again');
			assert.deepEqual(
				shown.agents.slice(1).map(({ ended }) => ended?.outcome),
				numbers(workers).map(() => 'killed'),
			);
			assert.deepEqual(findings(lint), orphans);
			assert.equal(exitCode, 1);
			await workbench.openGate();
			assert.deepEqual(await resumed.exited, { code: 0, signal: null }, resumed.stderr());
		});

		it('does not touch the killed subagents when the session is resumed', async () => {
			assert.deepEqual(await Promise.all(session.subagents.map(async (path) => readFile(path, 'utf8'))), killed);
			const notices = (await readJsonLines(session.transcript))
				.filter((line) => record(line['origin'])['kind'] === 'task-notification')
				.map((line) => String(record(line['message'])['content']));
			assert.equal(notices.length, 1);
			assert.match(notices[0] ?? '', /<status>stopped<\/status>/);
			assert.equal(notices[0]?.match(/<task-id>/g)?.length, workers);
		});

		it('is shown with the same orphans when the resumed one has ended', async () => {
			const { shown, lint, exitCode } = await crosstalk.look(written(session));
			assert.equal(shown.session.live, false);
			assert.deepEqual(states(shown), { completed: 2 * workers + 1, 'orphaned: killed': workers });
			assert.deepEqual(findings(lint), orphans);
			assert.equal(exitCode, 1);
		});
	});

	describe('whose main agent is killed in mid-call and resumed', () => {
		let workbench: Workbench;
		let claudeCode: ClaudeCode;
		let session: ClaudeSession;
		let crosstalk: Crosstalk;

		before(async () => {
			workbench = await Workbench.create(
				(gate) => (request) =>
					isRoot(request)
						? nextTurn(request, 'main', [
								[
									text('Two subagents in the foreground, and a call.'),
									agentCall('toolu_spawn_1', 'HELPER', { run_in_background: false }),
									workbenchCall('toolu_main_1', 'echo', { text: 'quick' }),
									workbenchCall('toolu_main_2', 'wait_for_file', { path: gate }),
								],
								[text('Noted.')],
							])
						: nextTurn(request, 'helper', [
								[workbenchCall('toolu_helper_1', 'wait_for_file', { path: gate })],
								[text('Done.')],
							]),
			);
			claudeCode = await ClaudeCode.create(workbench);
			crosstalk = new Crosstalk(claudeCode);
			const agent = claudeCode.start(`${rootPrompt}: wait`);
			await workbench.callsStarted(2, 'wait_for_file', agent);
			session = await until(
				'the calls in the transcripts',
				async () => {
					const found = await claudeCode.sessionSoFar();
					if (found === undefined) return undefined;
					const [main, helper] = await Promise.all(written(found).paths.map(claudeCodeCalls));
					return main?.length === 3 && main[1]?.resultLine !== undefined && helper?.length === 1
						? found
						: undefined;
				},
				{ agent },
			);
			agent.killGroup('SIGKILL');
			await agent.exited;
		});
		after(async () => workbench?.dispose());

		it('has answered what ended before', async () => {
			assert.deepEqual(
				(await claudeCodeCalls(session.transcript)).map((call) => [call.id, call.resultLine !== undefined]),
				[
					['toolu_spawn_1', false],
					['toolu_main_1', true],
					['toolu_main_2', false],
				],
			);
		});

		it('is shown with the calls of both agents orphaned', async () => {
			const { shown, lint, exitCode } = await crosstalk.look(written(session));
			assert.deepEqual(states(shown), { completed: 1, 'orphaned: killed': 3 });
			assert.deepEqual(findings(lint), [
				'orphaned-tool-use killed toolu_helper_1',
				'orphaned-tool-use killed toolu_main_2',
				'orphaned-tool-use killed toolu_spawn_1',
			]);
			assert.deepEqual(tree(shown), [
				['main', null, null, null],
				['helper', 'main', 'toolu_spawn_1', 'general-purpose'],
			]);
			assert.equal(exitCode, 1);
		});

		it('writes results of its own for the open calls when it is resumed', async () => {
			const resumed = claudeCode.start(resumePrompt, ['--resume', session.id]);
			assert.deepEqual(await resumed.exited, { code: 0, signal: null }, resumed.stderr());
			const interrupted = (await readJsonLines(session.transcript))
				.filter((line) => line['toolDenialKind'] === 'interrupted')
				.map((line) => list(record(line['message'])['content'])[0]);
			assert.deepEqual(
				interrupted.map((block) => block?.['tool_use_id']),
				['toolu_spawn_1', 'toolu_main_2'],
			);
			assert.match(
				String(interrupted[0]?.['content']),
				/^\[Tool call interrupted: the session ended before this call's result was recorded/,
			);
			assert.deepEqual(workbench.model.requests.at(-1)?.answered, [
				'toolu_main_1',
				'toolu_spawn_1',
				'toolu_main_2',
			]);
		});

		it('is shown with the answered calls as failed and that of the subagent orphaned after that', async () => {
			const { shown, lint, exitCode } = await crosstalk.look(written(session), [
				"outcome-unknown: Whether main's call to wait_for_file on workbench was carried out nobody knows: the process of its agent ended while it ran. Nothing tells whether it may be repeated.",
			]);
			assert.deepEqual(states(shown), { completed: 1, failed: 2, 'orphaned: killed': 1 });
			assert.deepEqual(findings(lint), ['orphaned-tool-use killed toolu_helper_1']);
			assert.equal(exitCode, 1);
		});
	});

	describe('with subagents of subagents', () => {
		let workbench: Workbench;
		let session: ClaudeSession;
		let look: Look;

		before(async () => {
			workbench = await Workbench.create(() => (request) => {
				if (isRoot(request)) {
					return nextTurn(request, 'main', [[agentCall('toolu_spawn_1', 'LEAD')], [text('Noted.')]]);
				}
				if (request.said.includes('LEAD')) {
					return nextTurn(request, 'lead', [[agentCall('toolu_spawn_2', 'HELPER')], [text('Lead is done.')]]);
				}
				return nextTurn(request, 'helper', [
					[workbenchCall('toolu_helper_1', 'echo', { text: 'deep' })],
					[text('Helper is done.')],
				]);
			});
			const claudeCode = await ClaudeCode.create(workbench);
			const agent = claudeCode.start(`${rootPrompt}: delegate`);
			assert.deepEqual(await agent.exited, { code: 0, signal: null }, agent.stderr());
			session = await claudeCode.session();
			look = await new Crosstalk(claudeCode).look(written(session));
		});
		after(async () => workbench?.dispose());

		it('says in the sidecar who spawned whom', async () => {
			const sidecars = await Promise.all(
				session.subagents.map(async (path) => ({
					path,
					content: await readJson(path.replace(/\.jsonl$/, '.meta.json')),
				})),
			);
			const lead = sidecars.find(({ content }) => content['toolUseId'] === 'toolu_spawn_1');
			const helper = sidecars.find(({ content }) => content['toolUseId'] === 'toolu_spawn_2');
			assert.deepEqual([lead?.content['spawnDepth'], helper?.content['spawnDepth']], [1, 2]);
			assert.equal(lead?.content['parentAgentId'], undefined);
			assert.equal(`agent-${String(helper?.content['parentAgentId'])}.jsonl`, basename(lead?.path ?? ''));
		});

		it('is shown as a tree of that depth', () => {
			const { shown, lint, exitCode } = look;
			const lead = shown.agents.find(({ name }) => name === 'lead');
			assert.deepEqual(tree(shown), [
				['main', null, null, null],
				['helper', lead?.id, 'toolu_spawn_2', 'general-purpose'],
				['lead', 'main', 'toolu_spawn_1', 'general-purpose'],
			]);
			assert.equal(shown.toolCalls.find(({ id }) => id === 'toolu_spawn_2')?.agentId, lead?.id);
			assert.deepEqual(states(shown), { completed: 3 });
			assert.deepEqual([findings(lint), exitCode], [[], 0]);
		});
	});

	describe('that compacts after two parallel calls', () => {
		let workbench: Workbench;
		let session: ClaudeSession;
		let look: Look;

		before(async () => {
			workbench = await Workbench.create(() => (request) => {
				if (isSummaryRequest(request)) {
					return { speaker: 'summary', blocks: [text('<summary>All that mattered.</summary>')] };
				}
				const reply = nextTurn(request, 'main', [
					[workbenchCall('toolu_first', 'echo', { text: 'early' })],
					[
						text('Much to read.'),
						workbenchCall('toolu_quick', 'echo', { text: 'quick' }),
						workbenchCall('toolu_slow', 'sleep', { seconds: 0.5 }),
					],
					[workbenchCall('toolu_last', 'echo', { text: 'late' })],
					[text('Done.')],
				]);
				// After the compaction the first call is gone from the conversation and must not be made again.
				if (workbench.model.requests.some(isSummaryRequest)) {
					return nextTurn(request, 'main', [
						[workbenchCall('toolu_last', 'echo', { text: 'late' })],
						[text('Done.')],
					]);
				}
				return request.asked.length === 1 ? { ...reply, inputTokens: 985_000 } : reply;
			});
			const claudeCode = await ClaudeCode.create(workbench);
			const agent = claudeCode.start(`${rootPrompt}: read much`);
			assert.deepEqual(await agent.exited, { code: 0, signal: null }, agent.stderr());
			session = await claudeCode.session();
			look = await new Crosstalk(claudeCode).look(written(session));
		});
		after(async () => workbench?.dispose());

		it('writes both results before the boundary and keeps their message', async () => {
			const lines = await readJsonLines(session.transcript);
			const boundary = lines.findIndex((line) => line['subtype'] === 'compact_boundary');
			assert.equal(record(lines[boundary]?.['compactMetadata'])['trigger'], 'auto');
			const calls = await claudeCodeCalls(session.transcript);
			assert.deepEqual(
				calls.map((call) => [call.id, (call.resultLine ?? Infinity) <= boundary]),
				[
					['toolu_first', true],
					['toolu_quick', true],
					['toolu_slow', true],
					['toolu_last', false],
				],
			);
			assert.deepEqual(workbench.model.requests.at(-1)?.answered, ['toolu_quick', 'toolu_slow', 'toolu_last']);
		});

		it('is shown with its compaction, and nothing is found', async () => {
			const lines = await readJsonLines(session.transcript);
			const boundary = lines.findIndex((line) => line['subtype'] === 'compact_boundary');
			const { shown, lint, exitCode } = look;
			assert.deepEqual(
				shown.compactions.map(({ agentId, path, line, trigger }) => ({ agentId, path, line, trigger })),
				[{ agentId: 'main', path: session.transcript, line: boundary + 1, trigger: 'auto' }],
			);
			assert.ok((shown.compactions[0]?.tokensBefore ?? 0) >= 985_000);
			assert.deepEqual(states(shown), { completed: 4 });
			assert.deepEqual([findings(lint), exitCode], [[], 0]);
		});
	});

	describe('that is interrupted in mid-call', () => {
		let workbench: Workbench;
		let session: ClaudeSession;
		let look: Look;

		before(async () => {
			workbench = await Workbench.create(
				(gate) => (request) =>
					nextTurn(request, 'main', [
						[workbenchCall('toolu_main_1', 'wait_for_file', { path: gate })],
						[text('Noted.')],
					]),
			);
			const claudeCode = await ClaudeCode.create(workbench);
			const agent = claudeCode.start(`${rootPrompt}: wait`);
			await workbench.callsStarted(1, 'wait_for_file', agent);
			agent.kill('SIGINT');
			await agent.exited;
			session = await claudeCode.session();
			look = await new Crosstalk(claudeCode).look(written(session));
		});
		after(async () => workbench?.dispose());

		it('answers the call itself', async () => {
			const [call, ...others] = await claudeCodeCalls(session.transcript);
			assert.deepEqual(others, []);
			assert.equal(call?.isError, true);
			assert.equal(
				(await readJsonLines(session.transcript))[(call?.resultLine ?? 0) - 1]?.['toolDenialKind'],
				'user-rejected',
			);
		});

		it('is shown with a failed call, and nothing is found', () => {
			const { shown, lint, exitCode } = look;
			assert.equal(shown.session.live, false);
			assert.deepEqual(states(shown), { failed: 1 });
			assert.deepEqual([findings(lint), exitCode], [[], 0]);
		});
	});

	describe('that is interrupted while a subagent is in mid-call', () => {
		let workbench: Workbench;
		let session: ClaudeSession;
		let look: Look;

		before(async () => {
			const blocked = await blockedWorkers(1);
			({ workbench, session } = blocked);
			blocked.agent.kill('SIGINT');
			assert.deepEqual(await blocked.agent.exited, { code: 0, signal: null });
			look = await new Crosstalk(blocked.claudeCode).look(written(session));
		});
		after(async () => workbench?.dispose());

		it('is shown with that call orphaned, or failed if it was answered in passing', async () => {
			const { shown, lint, exitCode } = look;
			assert.equal(shown.session.live, false);
			const [first, second, ...others] = await claudeCodeCalls(session.subagents[0] ?? '');
			assert.deepEqual([first?.resultLine !== undefined, others], [true, []]);
			// On its way out it closes the connection to the server; sometimes it still writes down that the call fails of it.
			if (second?.resultLine === undefined) {
				assert.deepEqual(states(shown), { completed: 2, 'orphaned: killed': 1 });
				assert.deepEqual(findings(lint), ['orphaned-tool-use killed toolu_worker_1_2']);
				assert.equal(exitCode, 1);
			} else {
				assert.deepEqual(states(shown), { completed: 2, failed: 1 });
				assert.deepEqual([findings(lint), exitCode], [[], 0]);
			}
		});
	});

	describe('that is killed while its model still speaks', () => {
		let workbench: Workbench;
		let session: ClaudeSession;
		let look: Look;

		before(async () => {
			workbench = await Workbench.create(() => () => ({
				speaker: 'main',
				blocks: [
					workbenchCall('toolu_main_1', 'echo', { text: 'already done' }),
					{ type: 'hold', until: new Promise(() => undefined) },
				],
			}));
			const claudeCode = await ClaudeCode.create(workbench);
			const agent = claudeCode.start(`${rootPrompt}: speak`);
			await until(
				'the call to end',
				async () => (await workbench.notes()).find((note) => note.phase === 'ended'),
				{ agent },
			);
			// Lines are gathered for a moment before they are written; this one is noted after the call has begun.
			await until(
				'a later line in the transcript',
				async () => {
					const [transcript] = await claudeCode.transcripts();
					const lines = transcript === undefined ? [] : await readJsonLines(transcript);
					return lines.find((line) => line['type'] === 'tools-used');
				},
				{ agent },
			);
			agent.killGroup('SIGKILL');
			await agent.exited;
			session = await claudeCode.session();
			look = await new Crosstalk(claudeCode).look(written(session));
		});
		after(async () => workbench?.dispose());

		it('leaves no trace of a call that was made', async () => {
			assert.deepEqual(await claudeCodeCalls(session.transcript), []);
		});

		it('is shown without calls, and nothing is found', () => {
			const { shown, lint, exitCode } = look;
			assert.equal(shown.session.live, false);
			assert.deepEqual(states(shown), {});
			assert.deepEqual([findings(lint), exitCode], [[], 0]);
		});
	});

	describe('with a killed subagent that is sent on', () => {
		let workbench: Workbench;
		let session: ClaudeSession;
		let live: Look;
		let ended: Look;

		before(async () => {
			workbench = await Workbench.create((gate) => (request) => {
				if (isRoot(request)) {
					const id = /agentId: (\w+)/.exec(JSON.stringify(request.body['messages']))?.[1] ?? '';
					return nextTurn(request, 'main', [
						[agentCall('toolu_spawn_1', 'HELPER')],
						...(isResumed(request)
							? [
									[
										call('toolu_message', 'SendMessage', {
											to: id,
											summary: 'go on',
											message: 'Go on, please.',
										}),
									],
								]
							: []),
						[text('Noted.')],
					]);
				}
				const isSentOn = request.said.some((words) => words.includes('Go on, please.'));
				return nextTurn(request, 'helper', [
					isSentOn
						? [workbenchCall('toolu_helper_2', 'wait_for_file', { path: gate })]
						: [workbenchCall('toolu_helper_1', 'wait_for_file', { path: gate })],
					[text('Helper is done.')],
				]);
			});
			const claudeCode = await ClaudeCode.create(workbench);
			const agent = claudeCode.start(`${rootPrompt}: delegate`);
			await workbench.callsStarted(1, 'wait_for_file', agent);
			session = await until(
				'the call in the transcript',
				async () => {
					const found = await claudeCode.sessionSoFar();
					if (found === undefined) return undefined;
					const calls = await Promise.all(found.subagents.map(claudeCodeCalls));
					return calls.flat().length === 1 ? found : undefined;
				},
				{ agent },
			);
			agent.killGroup('SIGKILL');
			await agent.exited;
			const resumed = claudeCode.start(resumePrompt, ['--resume', session.id]);
			await workbench.callsStarted(2, 'wait_for_file', resumed);
			await settled([session.transcript, ...session.subagents], resumed);
			const crosstalk = new Crosstalk(claudeCode);
			live = await crosstalk.look(written(session));
			await workbench.openGate();
			assert.deepEqual(await resumed.exited, { code: 0, signal: null }, resumed.stderr());
			ended = await crosstalk.look(written(session));
		});
		after(async () => workbench?.dispose());

		it('goes on in its own file, with the killed call unanswered for ever', async () => {
			const [path = ''] = session.subagents;
			assert.deepEqual(
				(await claudeCodeCalls(path)).map((written) => [written.id, written.resultLine !== undefined]),
				[
					['toolu_helper_1', false],
					['toolu_helper_2', true],
				],
			);
			assert.equal((await readJson(path.replace(/\.jsonl$/, '.meta.json')))['finished'], true);
			const last = workbench.model.requests.findLast((request) => !isRoot(request));
			assert.deepEqual(last?.asked, ['toolu_helper_2']);
		});

		it('is shown with the killed call, however live the session is, and nothing is found', () => {
			for (const [{ shown, lint, exitCode }, second] of [
				[live, 'pending'],
				[ended, 'completed'],
			] as const) {
				assert.equal(shown.session.live, second === 'pending');
				assert.deepEqual(
					shown.toolCalls
						.filter(({ agentId }) => agentId !== 'main')
						.map(({ id, state, cause }) => [id, state, cause]),
					[
						['toolu_helper_1', 'orphaned', 'killed'],
						['toolu_helper_2', second, undefined],
					],
				);
				// The message hangs on the line before the killed call: that call is in no request any more.
				assert.deepEqual([findings(lint), exitCode], [[], 0]);
			}
			assert.equal(ended.shown.agents[1]?.ended?.outcome, 'completed');
		});
	});
});

interface Blocked {
	readonly workbench: Workbench;
	readonly claudeCode: ClaudeCode;
	readonly agent: AgentProcess;
	readonly session: ClaudeSession;
}

/** Subagents that wait in their second call until the gate is opened. */
async function blockedWorkers(
	count: number = workers,
	beforeStart: (claudeCode: ClaudeCode) => Promise<void> = async () => undefined,
): Promise<Blocked> {
	const workbench = await Workbench.create((gate) =>
		claudeCodeWorkers({
			workers: count,
			secondCall: () => ({ name: 'wait_for_file', input: { path: gate } }),
			afterResume: workbenchCall('toolu_main_again', 'wait_for_file', { path: gate }),
		}),
	);
	try {
		const claudeCode = await ClaudeCode.create(workbench);
		await beforeStart(claudeCode);
		const agent = claudeCode.start(`${rootPrompt}: use workers`);
		await workbench.callsStarted(count, 'wait_for_file', agent);
		const session = await until(
			'the calls in the transcripts',
			async () => {
				const found = await claudeCode.sessionSoFar();
				if (found === undefined) return undefined;
				const calls = await Promise.all(found.subagents.map(claudeCodeCalls));
				return calls.filter((written) => written.length === 2).length === count ? found : undefined;
			},
			{ agent },
		);
		await settled([session.transcript, ...session.subagents], agent);
		return { workbench, claudeCode, agent, session };
	} catch (error) {
		await workbench.dispose();
		throw error;
	}
}

function written({ transcript, subagents }: ClaudeSession): Written {
	return { paths: [transcript, ...subagents], callsOf: claudeCodeCalls };
}

/** The main agent, then the others by name: each with its parent, the call that spawned it, and its type. */
function tree({ agents }: Shown): unknown[][] {
	return agents
		.toSorted((one, other) =>
			one.parentId === null ? -1 : other.parentId === null ? 1 : one.name < other.name ? -1 : 1,
		)
		.map(({ name, parentId, spawnToolUseId, type }) => [name, parentId, spawnToolUseId, type]);
}
