// Enforcement of scopes with real clients, a real host process and a real server: both SDKs, both eras, one server and all together.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { StdioClientTransport, getDefaultEnvironment } from '@modelcontextprotocol/client/stdio';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { HostAddress } from '../../src/core/host/control.ts';
import type { HostStatus, ToolScopeStatus } from '../../src/core/host/status.ts';
import type { ScopeSettings, ToolScopeSettings } from '../../src/core/scope/index.ts';
import { attach } from '../../src/platform/node/host/attach.ts';
import { recordingPath } from '../../src/platform/node/store/recordingPaths.ts';
import { completeJsonLines } from '../jsonLines.ts';
import { Lab, bin, isWindows } from '../platform/node/host/hosts.ts';
import { eventsIn } from '../platform/node/recordedEvents.ts';
import { until } from './waiting.ts';

const scopeServer = new URL('servers/scopeServer.ts', import.meta.url).pathname;
const scriptedAgent = new URL('scriptedAgent.ts', import.meta.url).pathname;

interface Outcome {
	readonly isError: boolean;
	readonly text: string;
}

interface Caller {
	call(tool: string, args: Readonly<Record<string, unknown>>): Promise<Outcome>;
	close(): Promise<void>;
}

type Intent = 'interactive' | 'headless' | 'scheduled' | undefined;

describe('scopes', () => {
	let lab: Lab;
	let log: string;
	let config: string;
	let address: HostAddress;
	const callers: Caller[] = [];

	beforeEach(() => {
		lab = new Lab();
		log = join(lab.folder, 'calls.jsonl');
		config = join(lab.folder, 'mcp.json');
		writeFileSync(log, '');
	});

	afterEach(async () => {
		for (const caller of callers.splice(0)) await caller.close();
		await lab.remove();
	});

	function configure(scope: ScopeSettings): void {
		const chat = { command: process.execPath, args: [scopeServer, '--log', log] };
		writeFileSync(config, `// Mine.\n${JSON.stringify({ mcpServers: { chat }, scope })}`);
	}

	async function start(settings: Readonly<Record<string, ToolScopeSettings>>, ...args: string[]) {
		configure({ chat: settings });
		const host = await lab.host('--config', config, ...args);
		({ address } = host);
		return host;
	}

	/** What has reached the server. */
	function arrived(tool?: string): unknown[] {
		const calls = completeJsonLines(readFileSync(log, 'utf8')) as { tool: string; args: unknown }[];
		return calls.filter((call) => tool === undefined || call.tool === tool).map(({ args }) => args);
	}

	async function scopes(): Promise<readonly ToolScopeStatus[]> {
		const control = await attach({ directory: lab.data, client: 'a test' });
		assert.ok(control);
		try {
			const status: HostStatus = await control.request('host/status', {});
			return status.servers.flatMap((server) => server.scopes ?? []);
		} finally {
			control.dispose();
		}
	}

	function added<T extends Caller>(caller: T): T {
		callers.push(caller);
		return caller;
	}

	const addressOf = (path: string) => new URL(`${address.url}/${address.token}${path}`);
	const outcomeOf = (result: unknown): Outcome => {
		// By MCP.
		const { isError, content } = result as { isError?: boolean; content: { text: string }[] };
		return { isError: isError === true, text: content[0]?.text ?? '' };
	};

	/** Each reaches the server in a way of its own. */
	const ways = {
		async 'the SDK of the handshake, on HTTP'(intent: Intent): Promise<Caller> {
			const client = new Client({ name: 'test', version: '1.0.0' });
			const headers: Record<string, string> = intent === undefined ? {} : { 'x-crosstalk-intent': intent };
			await client.connect(
				new StreamableHTTPClientTransport(addressOf('/mcp/chat'), { requestInit: { headers } }),
			);
			return {
				call: async (name, args) => outcomeOf(await client.callTool({ name, arguments: args })),
				close: async () => client.close(),
			};
		},
		async 'revision 2026-07-28, with the intent in the address'(intent: Intent): Promise<Caller> {
			const client = new ModernClient(
				{ name: 'test', version: '1.0.0' },
				{ versionNegotiation: { mode: { pin: '2026-07-28' } } },
			);
			const url = addressOf(`/mcp/chat${intent === undefined ? '' : `?intent=${intent}`}`);
			await client.connect(new ModernHttp(url));
			return {
				call: async (name, args) => outcomeOf(await client.callTool({ name, arguments: { ...args } })),
				close: async () => client.close(),
			};
		},
		async 'all servers together'(intent: Intent): Promise<Caller> {
			const client = new Client({ name: 'test', version: '1.0.0' });
			const headers: Record<string, string> = intent === undefined ? {} : { 'x-crosstalk-intent': intent };
			await client.connect(new StreamableHTTPClientTransport(addressOf('/mcp'), { requestInit: { headers } }));
			return {
				call: async (name, args) =>
					outcomeOf(await client.callTool({ name: `chat__${name}`, arguments: args })),
				close: async () => client.close(),
			};
		},
		async 'crosstalk connect'(intent: Intent): Promise<Caller> {
			const client = new ModernClient({ name: 'test', version: '1.0.0' });
			const words = intent === undefined ? [] : ['--intent', intent];
			await client.connect(
				new StdioClientTransport({
					command: process.execPath,
					args: [bin, 'connect', 'chat', '--data', lab.data, ...words],
					env: { ...getDefaultEnvironment(), HOME: lab.folder },
				}),
			);
			return {
				call: async (name, args) => outcomeOf(await client.callTool({ name, arguments: { ...args } })),
				close: async () => client.close(),
			};
		},
	} satisfies Record<string, (intent: Intent) => Promise<Caller>>;

	for (const [way, connect] of Object.entries(ways)) {
		it(`hold for who is headless, and let others be, by ${way}`, async () => {
			await start({
				list_messages: { policy: { interactive: 'report', headless: 'require' } },
				search: { policy: { headless: 'fill', interactive: 'off' }, values: { 'filter.project': 'web' } },
				batch: { policy: { headless: 'fill' }, values: { 'queries[].repo': 'all' } },
			});
			const person = added(await connect(undefined));
			const nightly = added(await connect(way.includes('address') ? 'scheduled' : 'headless'));

			assert.equal((await person.call('list_messages', {})).isError, false);
			// Such a call does not wait until the server has told of its tools.
			await until('the report', async () => (await scopes()).some(({ reported }) => reported === 1) || undefined);
			await nightly.call('list_contexts', {});
			const refused = await nightly.call('list_messages', { since: '2026-11-20' });
			assert.equal(refused.isError, true);
			assert.match(refused.text, /it has to give "context_id"/);
			assert.match(refused.text, /To look everywhere give "all"/);
			assert.match(refused.text, /"night", "general"/);
			assert.equal((await nightly.call('list_messages', { context_id: 'all' })).isError, false);
			assert.deepEqual(arrived('list_messages'), [{}, { context_id: 'all' }]);

			await person.call('search', { filter: { text: 'x' } });
			await nightly.call('search', { filter: { text: 'x' } });
			await nightly.call('search', { filter: { project: 'mine' } });
			assert.deepEqual(arrived('search'), [
				{ filter: { text: 'x' } },
				{ filter: { project: 'web', text: 'x' } },
				{ filter: { project: 'mine' } },
			]);
			await nightly.call('batch', { queries: [{ words: 'a' }, { repo: 'b', words: 'b' }] });
			assert.deepEqual(arrived('batch'), [
				{
					queries: [
						{ repo: 'all', words: 'a' },
						{ repo: 'b', words: 'b' },
					],
				},
			]);
			const none = { explicit: 0, reported: 0, refused: 0, filled: 0, inconclusive: 0 };
			assert.deepEqual(await scopes(), [
				{ tool: 'batch', interactive: 'off', headless: 'fill', ...none, filled: 1 },
				{
					tool: 'list_messages',
					interactive: 'report',
					headless: 'require',
					...none,
					explicit: 1,
					reported: 1,
					refused: 1,
				},
				{ tool: 'search', interactive: 'off', headless: 'fill', ...none, explicit: 1, filled: 1 },
			]);
		});
	}

	it('are written down as they were decided, with what was put in', async () => {
		const host = await start({ '*': { policy: 'fill', values: { context_id: 'all' } } });
		const session = 'claude-code:26f2dd86-1111-4222-8333-444455556666';
		const client = new Client({ name: 'test', version: '1.0.0' });
		const headers = { 'x-crosstalk-intent': 'headless', 'x-crosstalk-session': session };
		await client.connect(new StreamableHTTPClientTransport(addressOf('/mcp/chat'), { requestInit: { headers } }));
		await client.callTool({ name: 'list_messages', arguments: {} });
		await client.close();
		await host.end('SIGTERM');
		const recorded = await eventsIn(recordingPath(lab.data, session));
		assert.deepEqual(recorded.problems, []);
		const events = recorded.events.filter((event) => event.type === 'scope-decision');
		assert.deepEqual(
			events.map(({ server, tool, policy, intent, parameters, outcome }) => ({
				server,
				tool,
				policy,
				intent,
				parameters,
				outcome,
			})),
			[
				{
					server: 'chat',
					tool: 'list_messages',
					policy: 'fill',
					intent: 'headless',
					parameters: [{ path: 'context_id', value: '"all"' }],
					outcome: 'filled',
				},
			],
		);
	});

	it('let a call through as it is where nothing can be known of its tool', async () => {
		await start({
			'list_mess*': { policy: 'require' },
			messages: { policy: 'off' },
			'bar*': { policy: 'require' },
			'gon*': { policy: 'require' },
		});
		const caller = added(await ways['the SDK of the handshake, on HTTP']('headless'));
		assert.equal((await caller.call('list_messages', {})).isError, true);
		assert.equal((await caller.call('bare', {})).isError, false);
		await assert.rejects(
			caller.call('gone', {}).then(({ isError, text }) => assert.fail(`${isError} ${text}`)),
			/gone/,
		);
		await caller.call('rename', {});
		// By its new name it has no policy, and by its old one it is not there any more: that is for the server to say.
		assert.equal((await caller.call('messages', {})).isError, false);
		await assert.rejects(caller.call('list_messages', {}), /list_messages/);
		assert.deepEqual(arrived('list_messages'), [{}]);
		const found = new Map((await scopes()).map((scope) => [scope.tool, scope]));
		assert.equal(found.get('list_messages')?.refused, 1);
		assert.equal(found.get('list_messages')?.inconclusive, 1);
		assert.equal(found.get('gone')?.inconclusive, 1);
	});

	it('refuse what cannot be decided where they are required of this very tool', async () => {
		await start({ gone: { policy: 'require' } });
		const caller = added(await ways['the SDK of the handshake, on HTTP']('headless'));
		const { isError, text } = await caller.call('gone', {});
		assert.equal(isError, true);
		assert.match(text, /whether this one does cannot be told\./);
		assert.match(text, /lists no tool "gone"/);
	});

	it('that are required by name are required of a tool that was taken away, too', async () => {
		await start({ list_messages: { policy: 'require', parameters: ['context_id'] } });
		const caller = added(await ways['the SDK of the handshake, on HTTP']('interactive'));
		await caller.call('take_away', {});
		assert.equal((await caller.call('list_messages', {})).isError, true);
		await assert.rejects(caller.call('list_messages', { context_id: 'all' }), /list_messages/);
	});

	it('follow the configuration while the host runs, and what is wrong in it costs no call', async () => {
		const host = await start({});
		const caller = added(await ways['crosstalk connect']('headless'));
		const isRefused = async () => (await caller.call('list_messages', {})).isError;
		assert.equal(await isRefused(), false);
		configure({ chat: { 'list_*': { policy: 'require' } } });
		await until('the new configuration', async () => (await isRefused()) || undefined);
		// Half a file, as an editor leaves it for a moment.
		writeFileSync(config, readFileSync(config, 'utf8').slice(0, -20));
		await until('a word of it', () => host.stderr().includes('mcp.json:2: It is not JSON') || undefined);
		assert.equal(await isRefused(), true);
		configure({ chat: { list_messages: { policy: 'forbid' as 'require' } } });
		await until('a word of it', () => /mcp\.json:2: .*policy.*\n/i.test(host.stderr()) || undefined);
		await until('the new configuration', async () => !(await isRefused()) || undefined);
		configure({ chat: { list_messages: { policy: 'fill', parameters: [], values: { context_id: 'all' } } } });
		await until('the new configuration', async () => (await scopes())[0]?.interactive === 'fill' || undefined);
		assert.equal(await isRefused(), false);
		assert.deepEqual(arrived('list_messages').at(-1), {});
		assert.equal((await scopes())[0]?.inconclusive, 1);
	});

	it('may stand in a file of their own, which counts more', async () => {
		const path = join(lab.folder, 'scope.jsonc');
		writeFileSync(path, '{ "scope": { "chat": { "list_messages": { "policy": "require" } } } } // mine');
		await start({ list_messages: { policy: 'off' } }, '--scope', path);
		const caller = added(await ways['the SDK of the handshake, on HTTP'](undefined));
		assert.equal((await caller.call('list_messages', {})).isError, true);
		writeFileSync(path, '{ "scope": {} }');
		await until('the new file', async () => !(await caller.call('list_messages', {})).isError || undefined);
	});

	for (const [words, isRefused] of [
		[['--scope', 'scope.jsonc'], true],
		[['--scope', 'scope.jsonc', '--scheduled'], true],
		[['--scope', 'scope.jsonc', '--interactive'], false],
		[[], false],
	] as const) {
		it(`of one run are for its own calls: crosstalk run ${words.join(' ')}`, async () => {
			if (isWindows) return;
			configure({});
			writeFileSync(join(lab.folder, '.mcp.json'), readFileSync(config).toString().replace(/^.*\n/, ''));
			const policy = { headless: 'require', interactive: 'report' };
			writeFileSync(
				join(lab.folder, 'scope.jsonc'),
				`{ "scope": { "chat": { "list_messages": ${JSON.stringify({ policy })}, "wrong": 1 } } }`,
			);
			const claude = join(lab.folder, 'claude');
			const version = `[ "$1" = --version ] && { echo '2.1.328 (Claude Code)'; exit; }`;
			const start = `exec "${process.execPath}" "${scriptedAgent}" "$@"`;
			writeFileSync(claude, `#!/bin/sh\n${version}\n${start}\n`, { mode: 0o755 });
			const run = lab.run(['run', '--data', lab.data, ...words, claude, '-p', 'go']);
			assert.equal(await run.ended, 0, run.stderr());
			assert.deepEqual(
				run
					.stdout()
					.trim()
					.split('\n')
					.map((line) => JSON.parse(line) as unknown),
				[
					{ args: {}, isError: isRefused },
					{ args: { context_id: 'all' }, isError: false },
				],
			);
			assert.deepEqual(
				arrived('list_messages'),
				isRefused ? [{ context_id: 'all' }] : [{}, { context_id: 'all' }],
			);
			if (words.length > 0) assert.match(run.stderr(), /scope\.jsonc:1: .*wrong.*\n/);
		});
	}

	it('know inside of Claude Code who calls, and from a variable', async () => {
		await start({ list_messages: { policy: { headless: 'require' } } });
		const told: readonly (readonly [environment: Record<string, string>, isRefused: boolean])[] = [
			[{ CLAUDE_CODE_ENTRYPOINT: 'sdk-cli' }, true],
			[{ CLAUDE_CODE_ENTRYPOINT: 'cli' }, false],
			[{ CLAUDE_CODE_ENTRYPOINT: 'cli', CROSSTALK_INTENT: 'scheduled' }, true],
			[{ CLAUDE_CODE_ENTRYPOINT: 'sdk-ts', CROSSTALK_INTENT: 'nightly' }, true],
			[{ CROSSTALK_INTENT: 'interactive' }, false],
		];
		for (const [environment, isRefused] of told) {
			const client = new ModernClient({ name: 'test', version: '1.0.0' });
			await client.connect(
				new StdioClientTransport({
					command: process.execPath,
					args: [bin, 'connect', 'chat', '--data', lab.data],
					env: { ...getDefaultEnvironment(), HOME: lab.folder, ...environment },
					stderr: 'ignore',
				}),
			);
			const { isError } = outcomeOf(await client.callTool({ name: 'list_messages', arguments: {} }));
			await client.close();
			assert.equal(isError, isRefused, JSON.stringify(environment));
		}
	});

	it('of an agent that says it is something else are refused with a sentence', async () => {
		await start({});
		for (const [url, headers] of [
			[addressOf('/mcp/chat?intent=nightly'), {}],
			[addressOf('/mcp/chat'), { 'x-crosstalk-intent': 'nightly' }],
		] as const) {
			const response = await fetch(url, { method: 'POST', headers, body: '{}' });
			assert.equal(response.status, 400);
			assert.match(
				await response.text(),
				/A caller is interactive, headless, scheduled; it cannot be \\"nightly\\"\./,
			);
		}
	});
});
