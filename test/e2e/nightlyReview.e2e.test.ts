// A review that runs at night, in a tab of its own: a real Claude Code, headless, asks the chat server of the examples for the day's messages
// and leaves out where to look.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { busyDay, dayStart } from '../../examples/chat-server/busyDay.ts';
import type { FoundMessage } from '../../examples/chat-server/chat.ts';
import type { ScopePolicies, ToolScopeSettings } from '../../src/core/scope/scopeParameter.ts';
import type { LintResult } from '../../src/core/report/index.ts';
import { attach } from '../../src/platform/node/host/attach.ts';
import { root } from '../../tools/process.ts';
import type { AgentCommand } from './agentProcess.ts';
import { claudeCodeVersion, installationTimeoutMs, installedClaudeCode } from './agents.ts';
import { ClaudeCode } from './claudeCode.ts';
import { Crosstalk, builtCommandLine, cli } from './crosstalk.ts';
import { call, rootPrompt, text } from './scripts.ts';
import type { ModelRequest, Script } from './scriptedModel.ts';
import { Workbench } from './workbench.ts';
import { record } from './written.ts';

const said = Object.values(busyDay).flat();

describe(`The nightly review of Claude Code ${claudeCodeVersion}`, () => {
	before('the agent is installed', async function () {
		this.timeout(installationTimeoutMs);
		await installedClaudeCode();
	});
	before('and Crosstalk is built', builtCommandLine);

	describe('without Crosstalk', () => {
		let night: Night;
		before(async () => {
			night = await Night.pass(undefined);
		});
		after(async () => night?.dispose());

		it('reports nothing on a busy day', () => {
			assert.match(night.report, /^Nothing happened\.$/);
			assert.deepEqual(
				night.results.map(({ isError, messages }) => [isError, messages]),
				[[false, []]],
			);
		});

		it('and prints no warning', () => {
			assert.equal(night.warnings, '');
		});

		it('which the lint of the morning after tells from the transcript alone', () => {
			assertFlagged(night.lint);
		});
	});

	describe('with the policy "report"', () => {
		let night: Night;
		before(async () => {
			night = await Night.pass({ policy: 'report' });
		});
		after(async () => night?.dispose());

		it('still reports nothing', () => {
			assert.match(night.report, /^Nothing happened\.$/);
		});

		it('but the call is flagged, as a warning at its arguments, because nobody was there to see it', async () => {
			assertFlagged(night.lint);
		});
	});

	const requiring: Readonly<Record<string, ScopePolicies | 'require'>> = {
		'"require"': 'require',
		'"require" for those that nobody watches': { interactive: 'off', headless: 'require' },
	};
	for (const [name, policy] of Object.entries(requiring))
		describe(`with the policy ${name}`, () => {
			let night: Night;
			before(async () => {
				night = await Night.pass({ policy });
			});
			after(async () => night?.dispose());

			it('is told what to pass, asks again, and reports the day', () => {
				assert.deepEqual(
					night.results.map(({ id, isError, messages }) => [id, isError, messages.length]),
					[
						['toolu_review_1', true, 0],
						['toolu_review_2', false, said.length],
					],
				);
				const [refusal] = night.results;
				assert.match(refusal?.text ?? '', /context_id/);
				assert.match(refusal?.text ?? '', /"all"/);
				assert.equal(night.report, `${said.length} messages in ${Object.keys(busyDay).length} contexts.`);
			});

			it('leaves nothing to be flagged', () => {
				assert.deepEqual(night.lint.diagnostics, []);
			});
		});

	describe('with the policy "fill"', () => {
		let night: Night;
		before(async () => {
			night = await Night.pass({ policy: 'fill', values: { context_id: 'all' } });
		});
		after(async () => night?.dispose());

		it('reports the day at once', () => {
			assert.deepEqual(
				night.results.map(({ isError, messages }) => [isError, messages.length]),
				[[false, said.length]],
			);
			assert.equal(night.report, `${said.length} messages in ${Object.keys(busyDay).length} contexts.`);
		});
	});
});

/** A warning at the arguments of the one call, because nobody was there to see what it brought back. */
function assertFlagged({ diagnostics }: LintResult): void {
	assert.deepEqual(
		diagnostics.map(({ ruleId, severity, toolName, toolUseId }) => [ruleId, severity, toolName, toolUseId]),
		[['default-scope-query', 'warning', 'chat_list_messages', 'toolu_review_1']],
	);
	const message = diagnostics[0]?.message ?? '';
	assert.match(message, /without context_id/);
	assert.match(message, /current context/);
}

interface Result {
	readonly id: string;
	readonly isError: boolean;
	readonly text: string;
	readonly messages: readonly FoundMessage[];
}

/** One night, from the prompt to what the lint of the morning says. */
class Night {
	readonly results: readonly Result[];
	/** The last thing that the agent has said. */
	readonly report: string;
	readonly warnings: string;
	readonly lint: LintResult;
	private readonly workbench: Workbench;
	private readonly dataDirectory: string;

	private constructor(
		workbench: Workbench,
		dataDirectory: string,
		seen: { results: readonly Result[]; report: string; warnings: string; lint: LintResult },
	) {
		this.workbench = workbench;
		this.dataDirectory = dataDirectory;
		this.results = seen.results;
		this.report = seen.report;
		this.warnings = seen.warnings;
		this.lint = seen.lint;
	}

	/** @param settings Of the tool that lists messages; `undefined`: the agent runs without Crosstalk. */
	static async pass(settings: ToolScopeSettings | undefined): Promise<Night> {
		const workbench = await Workbench.create(() => review);
		const dataDirectory = join(workbench.folder, 'data');
		const claudeCode = await ClaudeCode.create(workbench);
		await configure(claudeCode, join(workbench.folder, 'chats'));
		const command = claudeCode.command(`${rootPrompt}: review the day`);
		const agent = workbench.run(
			settings === undefined
				? command
				: await watched(command, dataDirectory, { chat: { chat_list_messages: settings } }),
		);
		assert.deepEqual(await agent.exited, { code: 0, signal: null }, agent.stderr());
		const { transcript } = await claudeCode.session();
		const lint = await new Crosstalk(claudeCode).lint(transcript);
		const results = workbench.model.requests.map(resultsIn).findLast((found) => found.length > 0) ?? [];
		return new Night(workbench, dataDirectory, {
			results,
			report: lastWords(agent.stdout()),
			warnings: agent.stderr(),
			lint,
		});
	}

	async dispose(): Promise<void> {
		const control = await attach({ directory: this.dataDirectory, client: 'test' });
		// It may end before it answers.
		await control?.request('host/stop', { isForced: true }).catch(() => undefined);
		control?.dispose();
		await this.workbench.dispose();
	}
}

async function configure({ home, workingDirectory }: ClaudeCode, store: string): Promise<void> {
	const server = join(root, 'examples', 'chat-server', 'server.ts');
	const args = ['--no-warnings', server, '--store', store, '--context', 'tab-review', '--busy-day'];
	await writeFile(
		join(workingDirectory, '.mcp.json'),
		JSON.stringify({ mcpServers: { chat: { command: process.execPath, args } } }),
	);
	await mkdir(join(home, '.claude'), { recursive: true });
	await writeFile(
		join(home, '.claude', 'settings.json'),
		JSON.stringify({ permissions: { allow: ['mcp__chat'] }, enabledMcpjsonServers: ['chat'] }),
	);
}

/** The same command, with its servers behind the host. */
async function watched(
	{ command, args, cwd, environment }: AgentCommand,
	dataDirectory: string,
	scope: unknown,
): Promise<AgentCommand> {
	const file = join(cwd, '..', 'scope.json');
	await writeFile(file, JSON.stringify({ scope }));
	return {
		command: process.execPath,
		args: [cli, 'run', '--data', dataDirectory, '--scope', file, '--', command, ...args],
		cwd,
		environment,
	};
}

/** Asks for the day's messages as the tool's description suggests; told to say where to look, it does as it is told. */
const review: Script = (request) => {
	const results = resultsIn(request);
	const last = results.at(-1);
	const speaker = 'review';
	const ask = (more: Record<string, unknown>) => ({
		speaker,
		blocks: [
			{
				...call(`toolu_review_${results.length + 1}`, 'chat_list_messages', { since: dayStart, ...more }),
				namespace: 'mcp__chat',
			},
		],
	});
	if (last === undefined) return ask({});
	if (last.isError && results.length === 1) {
		// What it is told, and nothing that it was not told.
		const value = /\bcontext_id\b[^]*?"(all)"/.exec(last.text)?.[1];
		if (value !== undefined) return ask({ context_id: value });
	}
	const contexts = new Set(last.messages.map(({ context_id: context }) => context));
	const words =
		last.messages.length === 0
			? 'Nothing happened.'
			: `${last.messages.length} messages in ${contexts.size} contexts.`;
	return { speaker, blocks: [text(words)] };
};

/** Of the calls of the chat server, in order. */
function resultsIn({ body }: ModelRequest): Result[] {
	const results: Result[] = [];
	for (const message of list(body['messages'])) {
		for (const block of list(record(message)['content']).map(record)) {
			const id = String(block['tool_use_id']);
			if (block['type'] !== 'tool_result' || !id.startsWith('toolu_review_')) continue;
			const { content } = block;
			const words =
				typeof content === 'string'
					? content
					: list(content)
							.map((part) => record(part)['text'])
							.join('');
			const isError = block['is_error'] === true;
			// What the server has written, as the model has got it.
			const messages = isError ? [] : (JSON.parse(words) as { messages: FoundMessage[] }).messages;
			results.push({ id, isError, text: words, messages });
		}
	}
	return results;
}

/** Of a run whose output is a stream of JSON. */
function lastWords(stdout: string): string {
	const last = stdout.trimEnd().split('\n').at(-1) ?? '{}';
	return String(record(JSON.parse(last))['result']);
}

function list(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : [];
}
