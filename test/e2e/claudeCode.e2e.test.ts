// A real Claude Code with eight subagents, complete, killed in mid-call and resumed.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

import { readJson, readJsonLines, until } from './agentProcess.ts';
import type { AgentProcess } from './agentProcess.ts';
import { claudeCodeVersion, installationTimeoutMs, installedClaudeCode } from './agents.ts';
import { ClaudeCode } from './claudeCode.ts';
import type { ClaudeSession } from './claudeCode.ts';
import {
	agentCall,
	call,
	claudeCodeWorkers,
	isRoot,
	isSummaryRequest,
	nextTurn,
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

	describe('with eight subagents that all finish', () => {
		let workbench: Workbench;
		let claudeCode: ClaudeCode;
		let session: ClaudeSession;

		before(async () => {
			workbench = await Workbench.create(() =>
				claudeCodeWorkers({ workers, secondCall: () => ({ name: 'sleep', input: { seconds: 0.5 } }) }),
			);
			claudeCode = await ClaudeCode.create(workbench);
			const agent = claudeCode.start(`${rootPrompt}: use workers`);
			assert.deepEqual(await agent.exited, { code: 0, signal: null }, agent.stderr());
			session = await claudeCode.session();
		});
		after(async () => workbench?.dispose());

		it('made every call through the MCP server', async () => {
			const ended = (await workbench.notes()).filter((note) => note.phase === 'ended');
			assert.equal(ended.filter((note) => note.tool === 'echo').length, workers);
			assert.equal(ended.filter((note) => note.tool === 'sleep').length, workers);
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
	});

	describe('with eight subagents in mid-call', () => {
		let workbench: Workbench;
		let claudeCode: ClaudeCode;
		let agent: AgentProcess;
		let session: ClaudeSession;

		before(async () => {
			workbench = await Workbench.create((gate) =>
				claudeCodeWorkers({ workers, secondCall: () => ({ name: 'wait_for_file', input: { path: gate } }) }),
			);
			claudeCode = await ClaudeCode.create(workbench);
			agent = claudeCode.start(`${rootPrompt}: use workers`);
			await workbench.callsStarted(workers, 'wait_for_file', agent);
			session = await until(
				'the calls in the transcripts',
				async () => {
					const found = await claudeCode.session();
					const calls = await Promise.all(found.subagents.map(claudeCodeCalls));
					return calls.filter((written) => written.length === 2).length === workers ? found : undefined;
				},
				{ agent },
			);
		});
		after(async () => workbench?.dispose());

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

		it('does not touch the killed subagents when the session is resumed', async () => {
			const written = await Promise.all(session.subagents.map(async (path) => readFile(path, 'utf8')));
			const resumed = claudeCode.start(`${rootPrompt} again`, ['--resume', session.id]);
			assert.deepEqual(await resumed.exited, { code: 0, signal: null }, resumed.stderr());
			assert.deepEqual(await Promise.all(session.subagents.map(async (path) => readFile(path, 'utf8'))), written);
			const notices = (await readJsonLines(session.transcript))
				.filter((line) => record(line['origin'])['kind'] === 'task-notification')
				.map((line) => String(record(line['message'])['content']));
			assert.equal(notices.length, 1);
			assert.match(notices[0] ?? '', /<status>stopped<\/status>/);
			assert.equal(notices[0]?.match(/<task-id>/g)?.length, workers);
		});
	});

	describe('whose main agent is killed in mid-call and resumed', () => {
		let workbench: Workbench;
		let claudeCode: ClaudeCode;
		let session: ClaudeSession;

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
			const agent = claudeCode.start(`${rootPrompt}: wait`);
			await workbench.callsStarted(2, 'wait_for_file', agent);
			await until(
				'the quick call in the transcript',
				async () => {
					const [transcript] = await claudeCode.transcripts();
					const calls = transcript === undefined ? [] : await claudeCodeCalls(transcript);
					return calls.length === 3 && calls[1]?.resultLine !== undefined ? true : undefined;
				},
				{ agent },
			);
			agent.killGroup('SIGKILL');
			await agent.exited;
			session = await claudeCode.session();
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

		it('writes results of its own for the open calls when it is resumed', async () => {
			const resumed = claudeCode.start(`${rootPrompt} again`, ['--resume', session.id]);
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
	});

	describe('with subagents of subagents', () => {
		let workbench: Workbench;
		let session: ClaudeSession;

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
	});

	describe('that compacts after two parallel calls', () => {
		let workbench: Workbench;
		let session: ClaudeSession;

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
	});

	describe('that is interrupted in mid-call', () => {
		let workbench: Workbench;
		let session: ClaudeSession;

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
	});

	describe('that is killed while its model still speaks', () => {
		let workbench: Workbench;
		let session: ClaudeSession;

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
		});
		after(async () => workbench?.dispose());

		it('leaves no trace of a call that was made', async () => {
			assert.deepEqual(await claudeCodeCalls(session.transcript), []);
		});
	});

	describe('with a killed subagent that is sent on', () => {
		let workbench: Workbench;
		let session: ClaudeSession;

		before(async () => {
			workbench = await Workbench.create((gate) => (request) => {
				if (isRoot(request)) {
					const id = /agentId: (\w+)/.exec(JSON.stringify(request.body['messages']))?.[1] ?? '';
					const isAgain = request.said.some((words) => words.startsWith(`${rootPrompt} again`));
					return nextTurn(request, 'main', [
						[agentCall('toolu_spawn_1', 'HELPER')],
						...(isAgain
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
						? [workbenchCall('toolu_helper_2', 'echo', { text: 'again' })]
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
					const found = await claudeCode.session();
					const calls = await Promise.all(found.subagents.map(claudeCodeCalls));
					return calls.flat().length === 1 ? found : undefined;
				},
				{ agent },
			);
			agent.killGroup('SIGKILL');
			await agent.exited;
			const resumed = claudeCode.start(`${rootPrompt} again`, ['--resume', session.id]);
			assert.deepEqual(await resumed.exited, { code: 0, signal: null }, resumed.stderr());
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
	});
});
