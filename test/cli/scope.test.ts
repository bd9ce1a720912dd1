// Default scopes from the command line: what lint says in each format, and who looked where.

import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { LintResult } from '../../src/core/report/index.ts';
import { main } from '../../src/cli/main.ts';
import { parseTranscript } from '../rules/notation.ts';
import { MemoryIo, run } from './memoryIo.ts';

const session = '5e551011-0000-4000-8000-000000000001';
const review = `
entrypoint: sdk-cli
describes: chat list_messages {"context_id": {"type": "string", "enum": ["all", "tab-1", "tab-2", "tab-3"], "description": "Which chat. Defaults to the current context."}} Lists messages.
user: review the day
assistant: call t1 mcp__chat__list_messages {}
tool: result t1 {"messages": []}
assistant: call t2 mcp__chat__list_messages {"context_id": "tab-2"}
tool: result t2 {"messages": [1, 2, 3]}
assistant: done`;

describe('scopes on the command line', () => {
	let folder = '';
	let path = '';
	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), 'crosstalk-scope-'));
		path = write(review);
	});
	afterEach(() => rmSync(folder, { recursive: true, force: true }));

	/** Writes what the notation says, and gives the path of the session's own file. */
	function write(notation: string): string {
		const { appends, root } = parseTranscript(notation);
		for (const append of appends) {
			const at = join(folder, append.path.slice(root.length));
			mkdirSync(dirname(at), { recursive: true });
			appendFileSync(at, append.text);
		}
		return join(folder, `${session}.jsonl`);
	}

	function config(value: unknown): string {
		const at = join(folder, 'crosstalk.json');
		writeFileSync(at, JSON.stringify(value));
		return at;
	}

	async function lintJson(...args: readonly string[]): Promise<LintResult> {
		// What lint prints as JSON has the shape of its result.
		return JSON.parse((await run(['lint', path, '--assume', 'ended', '--json', ...args])).stdout) as LintResult;
	}

	it('are told at the argument object, as a warning where nobody looks', async () => {
		const { code, stdout } = await run(['lint', path, '--assume', 'ended', '--fail-on', 'warning']);
		assert.equal(code, 1);
		assert.match(
			stdout,
			/\.jsonl:3:\d+: warning: main called list_messages without context_id, so it took its caller's own \(current context\): "Defaults to the current context"\. Other calls in this session passed "tab-2"\. There are also "tab-1", "tab-3", which no call to it asked for\. The session was started to print an answer, or by a program\. \[default-scope-query\]\n.*:5:\d+: note: main passed "tab-2" here\.\n/,
		);
		assert.match(
			stdout,
			/:3:\d+: note: main's call to list_messages without context_id \(default: current context\) brought nothing, while there was something with context_id "tab-2" \(3 entries\)\. \[suspiciously-empty-result\]\n/,
		);
		const { diagnostics, summary } = await lintJson();
		const [first] = diagnostics;
		assert.equal(first?.endColumn, (first?.column ?? 0) + '{}'.length);
		assert.deepEqual(
			[first?.toolUseId, first?.toolName, first?.agentId, first?.endLine],
			['t1', 'list_messages', 'main', 3],
		);
		assert.deepEqual(summary.byRule, { 'default-scope-query': 1, 'suspiciously-empty-result': 1 });
	});

	it('fail the command when the rule is an error, and stay a note where a person looks', async () => {
		assert.equal((await run(['lint', path, '--assume', 'ended'])).code, 0);
		const asError = ['--rule', 'default-scope-query=error', '--rule', 'suspiciously-empty-result=off'];
		assert.equal((await run(['lint', path, '--assume', 'ended', ...asError])).code, 1);
		rmSync(path);
		write(review.replace('sdk-cli', 'cli'));
		assert.deepEqual(
			(await lintJson(...asError)).diagnostics.map(({ severity }) => severity),
			['note'],
		);
	});

	it('are silent where a configuration says that the default is meant, on a thread of its own and while watching too', async () => {
		const meant = config({ scope: { chat: { '*': { intended: { context_id: 'It is about its own tab.' } } } } });
		assert.deepEqual((await lintJson('--config', meant)).diagnostics, []);
		// Below this size no thread is started.
		const filler = `${JSON.stringify({ type: 'filler', text: 'x'.repeat(1024 * 1024) })}\n`;
		for (let megabytes = 0; megabytes <= 32; megabytes++) appendFileSync(path, filler);
		const onThreads = new MemoryIo({ workerEntry: new URL('../../src/cli/bin.ts', import.meta.url) });
		assert.equal(await main(['lint', path, '--assume', 'ended', '--config', meant], onThreads), 0);
		assert.match(onThreads.stdout.text, /^Nothing found\.\n/);
		const watching = new MemoryIo();
		const ended = main(['lint', path, '--watch', '--assume', 'ended', '--config', meant], watching);
		await watching.stdout.until((text) => text.includes('lint finished'));
		watching.stop.abort();
		assert.equal(await ended, 0);
		assert.match(watching.stdout.text, /\nNothing found\.\n/);
	});

	it('are told of a tool that only a configuration speaks of', async () => {
		rmSync(path);
		write(review.replace(/describes:.*\n/, ''));
		assert.deepEqual(
			(await lintJson()).diagnostics.map(({ ruleId }) => ruleId),
			['suspiciously-empty-result'],
		);
		const declared = config({ scope: { chat: { list_messages: { parameters: ['context_id'] } } } });
		assert.deepEqual(
			(await lintJson('--config', declared)).diagnostics.map(({ ruleId }) => ruleId),
			['default-scope-query', 'suspiciously-empty-result'],
		);
	});

	it('are shown as a table of who looked where, and what nobody looked at', async () => {
		const { code, stdout } = await run(['show', path, '--coverage', '--assume', 'ended']);
		assert.equal(code, 0);
		assert.equal(
			stdout,
			`TOOL                PARAMETER   VALUE                        LOOKED AT BY                    CALLS  ENTRIES
chat/list_messages  context_id  (left out: current context)  main                            1      0
chat/list_messages  context_id  "tab-2"                      main                            1      3
chat/list_messages  context_id  "tab-1"                      nobody (allowed by the schema)
chat/list_messages  context_id  "tab-3"                      nobody (allowed by the schema)
`,
		);
		const none = config({ scope: { chat: { '*': { parameters: [] } } } });
		assert.equal(
			(await run(['show', path, '--coverage', '--assume', 'ended', '--config', none])).stdout,
			'chat/list_messages: it has no scope.\n',
		);
	});

	it('are shown to programs as JSON', async () => {
		const shown: unknown = JSON.parse((await run(['show', path, '--coverage', '--json'])).stdout);
		assert.partialDeepStrictEqual(shown, {
			version: 1,
			session: { id: session },
			tools: [
				{
					server: 'chat',
					tool: 'list_messages',
					calls: 2,
					parameters: [
						{
							path: 'context_id',
							kind: 'context',
							required: false,
							fallback: { value: 'current context', source: 'caller', isEverything: false },
							looks: [
								{
									agentId: 'main',
									agent: 'main',
									value: null,
									taken: 'current context',
									items: 0,
									calls: [{ id: 't1', path, line: 3 }],
								},
								{ agentId: 'main', value: '"tab-2"', items: 3, calls: [{ id: 't2', path, line: 5 }] },
							],
							missed: [
								{ value: '"tab-1"', source: 'schema' },
								{ value: '"tab-3"', source: 'schema' },
							],
						},
					],
				},
			],
		});
	});

	it('say in one sentence what cannot be shown', async () => {
		rmSync(path);
		write('user: hi\nassistant: hello');
		assert.equal(
			(await run(['show', path, '--coverage'])).stdout,
			'No call to a tool of an MCP server, or nothing is known of what was passed.\n',
		);
		assert.deepEqual(await run(['show', path, '--coverage', '--full']), {
			code: 2,
			stdout: '',
			stderr: 'crosstalk: --coverage and --full contradict each other.\nTry: crosstalk show --help\n',
		});
		assert.match((await run(['show', path, '--config', 'a.json'])).stderr, /--config is for --coverage\./);
	});
});
