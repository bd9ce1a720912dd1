// A real Claude Code under `crosstalk run --fault`: its own call goes wrong as it was asked for, and that of another run at the same time does not.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FaultInjected } from '../../src/core/events/sessionEvent.ts';
import { attach } from '../../src/platform/node/host/attach.ts';
import { root } from '../../tools/process.ts';
import { allEvents } from '../platform/node/recordedEvents.ts';
import { claudeCodeVersion, installationTimeoutMs, installedClaudeCode } from './agents.ts';
import { ClaudeCode } from './claudeCode.ts';
import { builtCommandLine, cli } from './crosstalk.ts';
import { call, rootPrompt, text } from './scripts.ts';
import type { ModelRequest, Script } from './scriptedModel.ts';
import { Workbench } from './workbench.ts';
import { record } from './written.ts';

describe(`Claude Code ${claudeCodeVersion} under crosstalk run --fault`, () => {
	let workbench: Workbench;
	let dataDirectory: string;

	before('the agent is installed', async function () {
		this.timeout(installationTimeoutMs);
		await installedClaudeCode();
	});
	before('and Crosstalk is built', builtCommandLine);
	before(async () => {
		workbench = await Workbench.create(() => asks);
		dataDirectory = join(workbench.folder, 'data');
	});
	after(async () => {
		const control = await attach({ directory: dataDirectory, client: 'test' });
		// It may end before it answers.
		await control?.request('host/stop', { isForced: true }).catch(() => undefined);
		control?.dispose();
		await workbench?.dispose();
	});

	it('gets the error once, asks again and gets on; the run beside it hears nothing of it', async function () {
		this.timeout(300_000);
		const claudeCode = await ClaudeCode.create(workbench);
		await configure(claudeCode, join(workbench.folder, 'chats'));
		const run = async (...faults: readonly string[]) => {
			const { command, args, cwd, environment } = claudeCode.command(`${rootPrompt}: list the contexts`);
			const own = faults.flatMap((fault) => ['--fault', fault]);
			const agent = workbench.run({
				command: process.execPath,
				args: [cli, 'run', '--data', dataDirectory, ...own, '--', command, ...args],
				cwd,
				environment,
			});
			assert.deepEqual(await agent.exited, { code: 0, signal: null }, agent.stderr());
			return agent;
		};
		const hit = run('error,tool=chat/chat_list_contexts,message=The disk is gone.');
		const free = run();
		const [first, second] = await Promise.all([hit, free]);
		assert.match(first.stdout(), /2 answers, 1 of them: The disk is gone\./);
		assert.match(second.stdout(), /1 answers, 0 of them: /);

		const control = await attach({ directory: dataDirectory, client: 'test' });
		assert.ok(control !== undefined);
		try {
			assert.equal((await control.request('host/status', {})).faults, undefined, 'nothing is armed any more');
			await control.request('host/stop', { isForced: true });
			await new Promise<void>((resolve) => void control.onDidClose(() => resolve()));
		} finally {
			control.dispose();
		}
		const injected = (await allEvents(dataDirectory)).events.filter(
			(event): event is FaultInjected => event.type === 'fault-injected',
		);
		assert.deepEqual(
			injected.map(({ kind, tool, toolUseId, sessionId }) => [kind, tool, toolUseId, sessionId.split(':')[0]]),
			[['error', 'chat_list_contexts', 'toolu_faults_1', 'claude-code']],
		);
	});
});

async function configure({ home, workingDirectory }: ClaudeCode, store: string): Promise<void> {
	const server = join(root, 'examples', 'chat-server', 'server.ts');
	const args = ['--no-warnings', server, '--store', store, '--context', 'tab-1'];
	const chat = { command: process.execPath, args };
	await writeFile(join(workingDirectory, '.mcp.json'), JSON.stringify({ mcpServers: { chat } }));
	await mkdir(join(home, '.claude'), { recursive: true });
	await writeFile(
		join(home, '.claude', 'settings.json'),
		JSON.stringify({ permissions: { allow: ['mcp__chat'] }, enabledMcpjsonServers: ['chat'] }),
	);
}

/** Asks until it is answered, and says how often it was not. */
const asks: Script = (request) => {
	const results = resultsIn(request);
	const speaker = 'lister';
	const errors = results.filter(({ isError }) => isError);
	if (results.length === errors.length && results.length < 3) {
		const use = call(`toolu_faults_${results.length + 1}`, 'chat_list_contexts', {});
		return { speaker, blocks: [{ ...use, namespace: 'mcp__chat' }] };
	}
	const words = errors.map(({ words: said }) => said).join(' ');
	return { speaker, blocks: [text(`${results.length} answers, ${errors.length} of them: ${words}`)] };
};

function resultsIn({ body }: ModelRequest): readonly { readonly isError: boolean; readonly words: string }[] {
	return list(body['messages'])
		.flatMap((message) => list(record(message)['content']))
		.map(record)
		.filter(({ type, tool_use_id: id }) => type === 'tool_result' && String(id).startsWith('toolu_faults_'))
		.map(({ content, is_error: isError }) => ({
			isError: isError === true,
			words:
				typeof content === 'string'
					? content
					: list(content)
							.map((part) => String(record(part)['text']))
							.join(''),
		}));
}

function list(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : [];
}
