/* oxlint-disable unicorn/no-thenable -- what a debugger does then is a word, which nobody awaits */

// A debugger holds the results of calls of a real Claude Code and a real Codex on their way through the host. What their models got is
// what the agents themselves have written down.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { HeldCall } from '../../src/core/debug/index.ts';
import { attach } from '../../src/platform/node/host/attach.ts';
import type { ControlClient } from '../../src/platform/node/host/controlClient.ts';
import { until } from './agentProcess.ts';
import type { AgentCommand, AgentProcess } from './agentProcess.ts';
import {
	claudeCodeVersion,
	codexVersion,
	installationTimeoutMs,
	installedClaudeCode,
	installedCodex,
} from './agents.ts';
import { ClaudeCode } from './claudeCode.ts';
import { Codex } from './codex.ts';
import { Crosstalk, builtCommandLine, cli } from './crosstalk.ts';
import { claudeCodeWorkers, codexWorkers, rootPrompt } from './scripts.ts';
import { Workbench } from './workbench.ts';

const workers = 2;

describe(`calls of Claude Code ${claudeCodeVersion} and Codex ${codexVersion} that a debugger holds on the wire`, () => {
	let workbench: Workbench;
	let claudeCode: ClaudeCode;
	let codex: Codex;
	let control: ControlClient;
	const stops: HeldCall[] = [];
	/** By tool use id: the state of the call, and the line with its result. */
	const results = new Map<string, string>();

	before('the agents are installed', async function () {
		this.timeout(2 * installationTimeoutMs);
		await installedClaudeCode();
		await installedCodex();
	});
	before('and Crosstalk is built', builtCommandLine);
	before(async function () {
		this.timeout(300_000);
		workbench = await Workbench.create((gate) => {
			const options = { workers, secondCall: () => ({ name: 'wait_for_file', input: { path: gate } }) };
			const [claude, other] = [claudeCodeWorkers(options), codexWorkers('v1', options)];
			return (request) => (request.api === 'messages' ? claude : other)(request);
		});
		claudeCode = await ClaudeCode.create(workbench);
		codex = await Codex.create(workbench, 'v1');
		const servers = JSON.stringify({ mcpServers: { workbench: workbench.mcpServer } });
		await writeFile(join(claudeCode.workingDirectory, '.mcp.json'), servers);
		const first = run(claudeCode.command(`${rootPrompt}: use workers`));
		await workbench.callsStarted(workers, 'wait_for_file', first);
		const second = run(codex.command(`${rootPrompt}: use workers`));
		await workbench.callsStarted(2 * workers, 'wait_for_file', second);

		control = await until('the host', () => attach({ directory: dataDirectory(), client: 'a test' }));
		control.onDebug('debug/didStop', (held) => void stops.push(held));
		await control.request('debug/attach', { client: 'a test', sessions: null });
		await control.request('debug/set', {
			breakpoints: [
				// Servers of two clients with the same name are told apart by a number.
				{ id: '1', tool: 'workbench*/wait_for_file', at: 'after', condition: 'agent.id != "main" && !isError' },
			],
			rules: [],
			onToolError: false,
		});
		await workbench.openGate();
		await until('all stops', () => stops.length === 2 * workers || undefined);
		for (const { stopId, toolUseId } of stops) {
			const result = JSON.stringify({ content: [{ type: 'text', text: `by hand for ${toolUseId}` }] });
			await control.request('debug/resume', {
				stopId,
				then: 'run',
				...(isOdd(toolUseId) ? { action: 'edit-result', result } : { action: 'continue' }),
			});
		}
		for (const agent of [first, second])
			assert.deepEqual(await agent.exited, { code: 0, signal: null }, agent.stderr());
		const crosstalk = new Crosstalk(claudeCode);
		for (const { id } of await crosstalk.sessions()) {
			for (const { id: toolUseId, state, path, resultLine } of (await crosstalk.show(id)).toolCalls) {
				const lines = (await readFile(path, 'utf8')).split('\n');
				if (resultLine !== undefined) results.set(toolUseId, `${state} ${lines[resultLine - 1]}`);
			}
		}
	});
	after(async () => {
		// It may end before it answers.
		await control?.request('host/stop', { isForced: true }).catch(() => undefined);
		control?.dispose();
		await workbench?.dispose();
	});

	function dataDirectory(): string {
		return join(workbench.folder, 'data');
	}

	function run({ command, args, cwd, environment }: AgentCommand): AgentProcess {
		return workbench.run({
			command: process.execPath,
			args: [cli, 'run', '--data', dataDirectory(), '--', command, ...args],
			cwd,
			environment,
		});
	}

	it('are told apart by agent and tool use, with the time that their clients wait', () => {
		assert.deepEqual(stops.map(({ toolUseId }) => String(toolUseId)).toSorted(), [
			'call_worker_1_2',
			'call_worker_2_2',
			'toolu_worker_1_2',
			'toolu_worker_2_2',
		]);
		for (const { toolUseId, heldBy, heldUntil, heldSince, sessionId, agentId } of stops) {
			const isClaude = toolUseId?.startsWith('toolu_') === true;
			assert.equal(heldBy, 'wire');
			assert.ok(sessionId?.startsWith(isClaude ? 'claude-code:' : 'codex:'));
			assert.ok(agentId !== null && agentId !== 'main');
			if (isClaude) assert.equal(heldUntil, null);
			else assert.ok(heldUntil !== null && heldUntil > heldSince);
		}
		assert.equal(new Set(stops.map(({ agentId }) => agentId)).size, 2 * workers);
	});

	it('reach their models as they were, or with what was put in their place', () => {
		for (const { toolUseId } of stops) {
			const call = results.get(toolUseId ?? '') ?? '';
			assert.match(call, /^completed /);
			assert.match(call, isOdd(toolUseId) ? new RegExp(`by hand for ${toolUseId}`) : /found /);
		}
	});
});

function isOdd(toolUseId: string | null): boolean {
	return toolUseId?.includes('_1_') === true;
}
