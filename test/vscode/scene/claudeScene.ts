// A real Claude Code with four subagents, whose model is scripted, for the suites inside VS Code: a process of its own, because it needs what an
// extension host does not have. It prints how the agent is started as one line of JSON, and tidies up when its input ends.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJsonLines } from '../../e2e/agentProcess.ts';
import { installedClaudeCode } from '../../e2e/agents.ts';
import { agentCall, call, isRoot, nextTurn, rootPrompt, text } from '../../e2e/scripts.ts';
import { startScriptedModel } from '../../e2e/scriptedModel.ts';
import type { Script } from '../../e2e/scriptedModel.ts';
import type { Scene } from './scene.ts';
import { workers } from './scene.ts';

const program = await installedClaudeCode();
const folder = await mkdtemp(join(tmpdir(), 'xtalk-scene-'));
const shellLog = join(folder, 'shell.txt');
const model = await startScriptedModel(script());
const servers = join(folder, 'servers.json');
const log = join(folder, 'calls.jsonl');
await writeFile(
	servers,
	JSON.stringify({
		mcpServers: {
			analytics: {
				command: process.execPath,
				args: ['--no-warnings', join(import.meta.dirname, 'analyticsServer.ts')],
				env: { SCENE_LOG: log },
			},
		},
	}),
);
const scene: Scene = {
	folder,
	program,
	args: [
		'-p',
		`${rootPrompt}: compare the four tables`,
		'--strict-mcp-config',
		'--allowedTools',
		'mcp__analytics Agent Bash',
	],
	mcpConfig: servers,
	environment: {
		HOME: folder,
		TMPDIR: folder,
		CLAUDE_CODE_TMPDIR: folder,
		ANTHROPIC_BASE_URL: model.url,
		ANTHROPIC_API_KEY: 'scripted',
		ENABLE_TOOL_SEARCH: 'false',
		DISABLE_TELEMETRY: '1',
		DISABLE_AUTOUPDATER: '1',
		CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
	},
	log,
	shellLog,
};
process.stdout.write(`${JSON.stringify(scene)}\n`);

// What the model was asked and whether its script held, whenever a line comes in.
let rest = '';
for await (const chunk of process.stdin.setEncoding('utf8')) {
	rest += String(chunk);
	const lines = rest.split('\n');
	rest = lines.pop() ?? '';
	for (let asked = 0; asked < lines.length; asked++) {
		const said = model.requests.map(({ said: words, answered }) => ({ worker: workerOf(words), answered }));
		const state = {
			requests: said.length,
			failures: model.failures.map(({ message }) => message),
			calls: await readJsonLines(log),
			shell: await readFile(shellLog, 'utf8').catch(() => ''),
			answered: [...new Set(said.flatMap(({ answered }) => answered))],
		};
		process.stdout.write(`${JSON.stringify(state)}\n`);
	}
}
await model.close();
await rm(folder, { recursive: true, force: true, maxRetries: 5 });

function script(): Script {
	return (request) => {
		if (isRoot(request))
			return nextTurn(request, 'main', [
				[
					text('Four tables, one agent for each.'),
					...workers.map(({ name }, index) =>
						agentCall(`toolu_spawn_${index + 1}`, `WORKER ${index + 1}`, { description: name }),
					),
				],
				[text('Noted.')],
			]);
		const number = workerOf(request.said);
		const worker = workers[number - 1];
		if (worker === undefined)
			throw new Error(`Nobody in particular asks: ${request.said.join(' | ').slice(0, 300)}`);
		return nextTurn(request, `worker_${number}`, [
			[
				text(`Reading ${worker.table}.`),
				{
					...call(`toolu_query_${number}`, 'query', { table: worker.table, page: number, limit: 50 }),
					namespace: 'mcp__analytics',
				},
			],
			[
				text('Writing down what was found.'),
				call(`toolu_shell_${number}`, 'Bash', {
					command: `echo ${worker.name} >> ${shellLog}`,
					description: 'Note the result',
				}),
			],
			[text(`Worker ${number} is done.`)],
		]);
	};
}

function workerOf(said: readonly string[]): number {
	return Number(said.map((words) => /^WORKER (\d+)/.exec(words)?.[1]).find((found) => found !== undefined) ?? 0);
}
