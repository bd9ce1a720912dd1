// Which servers `crosstalk run claude` takes over is what Claude Code 2.1.328 itself would have started, which was tried out.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { claudeCodeEvents } from '../../../src/core/host/hooks/claudeCodeHooks.ts';
import { planClaudeCode } from '../../../src/cli/run/claudeCode.ts';
import type { AgentPlan, HostPlace, Invocation, Launch } from '../../../src/cli/run/agentPlan.ts';

type Json = Record<string, unknown>;

class Project {
	readonly folder: string;
	readonly home: string;
	readonly working: string;
	/** What the agent was handed, by name. */
	readonly handed = new Map<string, Json>();

	private constructor(folder: string) {
		this.folder = folder;
		this.home = join(folder, 'home');
		this.working = join(folder, 'project', 'sub');
	}

	static async create(): Promise<Project> {
		const project = new Project(await realpath(await mkdtemp(join(tmpdir(), 'xtalk-run-'))));
		await mkdir(project.home, { recursive: true });
		await mkdir(project.working, { recursive: true });
		return project;
	}

	async write(path: string, value: unknown): Promise<void> {
		const absolute = join(this.folder, path);
		await mkdir(dirname(absolute), { recursive: true });
		await writeFile(absolute, typeof value === 'string' ? value : JSON.stringify(value));
	}

	async plan(args: readonly string[] = ['-p', 'go'], more: Partial<Invocation> = {}): Promise<AgentPlan | undefined> {
		return planClaudeCode({
			command: 'claude',
			args,
			workingFolder: this.working,
			homeFolder: this.home,
			environment: { HOME: this.home, TOKEN: 'from the environment' },
			isTerminal: true,
			serverVariables: {},
			hasHooks: false,
			...more,
		});
	}

	/** Server names and first arguments: each test's servers tell themselves apart by these. */
	async servers(args?: readonly string[], more?: Partial<Invocation>): Promise<Record<string, string>> {
		const plan = await this.plan(args, more);
		assert.ok(plan);
		return Object.fromEntries(
			plan.servers.map(({ name, transport }) => [
				name,
				transport.kind === 'stdio' ? (transport.args[0] ?? '') : transport.url,
			]),
		);
	}

	async launch(args: readonly string[], more?: Partial<Invocation>, source?: string): Promise<Launch> {
		const plan = await this.plan(args, more);
		assert.ok(plan);
		return plan.launch(this.host(source));
	}

	private host(source: string | undefined): HostPlace {
		return {
			address: {
				url: 'http://127.0.0.1:4711',
				token: 'secret',
				controlSocket: '',
				pid: 1,
				generation: 1,
				dataDir: this.folder,
			},
			source,
			names: { workbench: 'workbench-2' },
			hooks: {
				url: 'http://127.0.0.1:4711/hook-secret/hooks/claude-code',
				launcher: { command: 'node', args: ['cli.js'], env: {} },
				dataDirectory: '/data',
				startsHost: true,
			},
			connect: { command: 'node', args: ['cli.js', 'connect'], environment: { ELECTRON_RUN_AS_NODE: '1' } },
			write: async (name, text) => {
				// Checked by the tests.
				this.handed.set(name, JSON.parse(text) as Json);
				return `/handed/${name}`;
			},
		};
	}

	async dispose(): Promise<void> {
		await rm(this.folder, { recursive: true, force: true });
	}
}

function server(from: string, more: Json = {}): Json {
	return { command: 'node', args: [from], ...more };
}

describe('crosstalk run claude', () => {
	let project: Project;

	beforeEach(async () => {
		project = await Project.create();
	});
	afterEach(() => project.dispose());

	it('takes the servers of the user, of the project and of the user in the project, the last one first', async () => {
		await project.write('home/.claude.json', {
			mcpServers: { one: server('user'), two: server('user'), three: server('user'), off: server('user') },
			projects: {
				[project.working]: { mcpServers: { three: server('local') }, disabledMcpServers: ['off'] },
				[project.folder]: { mcpServers: { four: server('elsewhere') } },
			},
		});
		await project.write('project/.mcp.json', { mcpServers: { two: server('above'), five: server('above') } });
		await project.write('project/sub/.mcp.json', {
			mcpServers: { two: server('project'), three: server('project') },
		});
		assert.deepEqual(await project.servers(), { one: 'user', two: 'project', three: 'local', five: 'above' });
	});

	it('looks for the servers of a repository at its root, also in a worktree', async () => {
		await project.write('home/.claude.json', {
			projects: {
				[join(project.folder, 'project')]: { mcpServers: { one: server('root') } },
				[project.working]: { mcpServers: { two: server('sub') } },
			},
		});
		await mkdir(join(project.folder, 'project', '.git'));
		assert.deepEqual(await project.servers(), { one: 'root' });
		const worktree = join(project.folder, 'worktree');
		await project.write('worktree/.git', `gitdir: ${join(project.folder, 'project', '.git', 'worktrees', 'w')}\n`);
		assert.deepEqual(await project.servers(undefined, { workingFolder: worktree }), { one: 'root' });
	});

	it('finds everything where CLAUDE_CONFIG_DIR says', async () => {
		await project.write('config/.claude.json', { mcpServers: { one: server('user') } });
		await project.write('home/.claude.json', { mcpServers: { two: server('home') } });
		const environment = { CLAUDE_CONFIG_DIR: join(project.folder, 'config') };
		assert.deepEqual(await project.servers(undefined, { environment }), { one: 'user' });
	});

	it('takes the servers of the command line, of files and of JSON, the last one first', async () => {
		await project.write('home/.claude.json', { mcpServers: { one: server('user'), two: server('user') } });
		await project.write('project/sub/a.json', { mcpServers: { two: server('a'), three: server('a') } });
		const json = JSON.stringify({ mcpServers: { three: server('json') } });
		const args = ['--mcp-config', 'a.json', json, '-p', 'go'];
		assert.deepEqual(await project.servers(args), { one: 'user', two: 'a', three: 'json' });
		assert.deepEqual(await project.servers([...args, '--strict-mcp-config']), { two: 'a', three: 'json' });
		assert.deepEqual(await project.servers(['--bare', '--mcp-config=a.json']), { two: 'a', three: 'a' });
	});

	describe('with servers of a project', () => {
		beforeEach(() => project.write('project/sub/.mcp.json', { mcpServers: { one: server('project') } }));

		it('leaves those to Claude Code that nobody has approved', async () => {
			assert.deepEqual(await project.servers([]), {});
			const plan = await project.plan([]);
			assert.match(plan?.notes.join(' ') ?? '', /"one" is left to it: you have not approved/);
		});

		it('takes them when there is nobody to be asked, as Claude Code does', async () => {
			assert.deepEqual(await project.servers(['-p', 'go']), { one: 'project' });
			assert.deepEqual(await project.servers([], { isTerminal: false }), { one: 'project' });
		});

		for (const [what, path, settings] of [
			['the user', 'home/.claude/settings.json', { enabledMcpjsonServers: ['one'] }],
			['the user for all', 'home/.claude/settings.json', { enableAllProjectMcpServers: true }],
		] as const) {
			it(`takes those that ${what} has approved`, async () => {
				await project.write(path, settings);
				assert.deepEqual(await project.servers([]), { one: 'project' });
			});
		}

		it('takes those that were approved when Claude Code asked', async () => {
			await project.write('home/.claude.json', {
				projects: { [project.working]: { enabledMcpjsonServers: ['one'] } },
			});
			assert.deepEqual(await project.servers([]), { one: 'project' });
		});

		it('lets a project approve its own servers only where the user trusts it', async () => {
			await project.write('project/sub/.claude/settings.json', { enableAllProjectMcpServers: true });
			assert.deepEqual(await project.servers([]), {});
			await project.write('home/.claude.json', {
				projects: { [join(project.folder, 'project')]: { hasTrustDialogAccepted: true } },
			});
			assert.deepEqual(await project.servers([]), { one: 'project' });
		});

		for (const path of [
			'home/.claude/settings.json',
			'project/sub/.claude/settings.json',
			'project/sub/.claude/settings.local.json',
		]) {
			it(`never takes one that ${path} rejects`, async () => {
				await project.write(path, { disabledMcpjsonServers: ['one'], enableAllProjectMcpServers: true });
				await project.write('home/.claude.json', {
					projects: { [project.working]: { enabledMcpjsonServers: ['one'], hasTrustDialogAccepted: true } },
				});
				assert.deepEqual(await project.servers(['-p', 'go']), {});
			});
		}

		it('never takes one that was rejected when Claude Code asked, or on the command line', async () => {
			const rejected = { disabledMcpjsonServers: ['one'] };
			assert.deepEqual(await project.servers(['-p', 'go', '--settings', JSON.stringify(rejected)]), {});
			await project.write('home/.claude.json', { projects: { [project.working]: rejected } });
			assert.deepEqual(await project.servers(['-p', 'go']), {});
		});

		it('takes none where project settings are not to be read', async () => {
			assert.deepEqual(await project.servers(['-p', 'go', '--setting-sources', 'user']), {});
		});
	});

	it('leaves alone what it cannot stand in for, and says why', async () => {
		await project.write('home/.claude.json', {
			mcpServers: {
				helper: { type: 'http', url: 'https://a.example/mcp', headersHelper: 'print-token' },
				unset: server('user', { env: { KEY: '${NO_SUCH_VARIABLE}' } }),
				socket: { type: 'ws', url: 'wss://a.example' },
				fine: server('user', { env: { KEY: '${TOKEN}' } }),
			},
		});
		const plan = await project.plan();
		assert.deepEqual(
			plan?.servers.map(({ name }) => name),
			['fine'],
		);
		const notes = plan?.notes.join('\n') ?? '';
		for (const name of ['helper', 'unset', 'socket']) assert.match(notes, new RegExp(`"${name}" is left to it`));
		assert.doesNotMatch(notes, /from the environment/);
	});

	it('leaves all servers alone where an administrator decides about them', async () => {
		await project.write('home/.claude.json', { mcpServers: { one: server('user') } });
		await project.write('home/.claude/settings.json', { deniedMcpServers: [{ serverName: 'two' }] });
		const plan = await project.plan();
		assert.deepEqual(plan?.servers, []);
		assert.match(plan?.notes.join(' ') ?? '', /deniedMcpServers/);
	});

	it('leaves alone what goes through the host already', async () => {
		const routed = { command: 'crosstalk', args: ['connect', 'one'] };
		await project.write('home/.claude.json', { mcpServers: { one: routed, two: server('user') } });
		const plan = await project.plan();
		assert.deepEqual(
			plan?.servers.map(({ name }) => name),
			['two'],
		);
		assert.deepEqual(plan?.notes, []);
	});

	describe('with a server on the net', () => {
		let listener: Server;
		let url: string;
		let status: number;

		beforeEach(async () => {
			status = 200;
			listener = createServer((_request, response) => response.writeHead(status).end('{}'));
			await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
			url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/mcp`;
			await project.write('home/.claude.json', { mcpServers: { net: { type: 'http', url } } });
		});
		afterEach(() => listener.close());

		it('takes one that lets everybody in', async () => {
			assert.deepEqual(await project.servers(), { net: url });
		});

		it('leaves one alone to which Claude Code has signed in', async () => {
			status = 401;
			assert.deepEqual(await project.servers(), {});
			assert.deepEqual((await project.plan())?.notes, ['"net" is left to it: one has to sign in there.']);
		});

		it('leaves one alone that does not answer, and does not say that one has to sign in there', async () => {
			await new Promise((resolve) => listener.close(resolve));
			const plan = await project.plan();
			assert.deepEqual([plan?.servers, plan?.notes], [[], ['"net" is left to it: it does not answer.']]);
		});

		it('takes one whose key is in its entry', async () => {
			status = 401;
			const headers = { Authorization: 'Bearer ${TOKEN}' };
			await project.write('home/.claude.json', { mcpServers: { net: { type: 'http', url, headers } } });
			const plan = await project.plan();
			assert.deepEqual(plan?.servers[0]?.transport, {
				kind: 'http',
				url,
				headers: { Authorization: 'Bearer from the environment' },
			});
		});
	});

	it('gives servers the project and the variables that the person names, and knows these for secrets', async () => {
		await project.write('home/.claude.json', { mcpServers: { one: server('user', { env: { OWN: 'entry' } }) } });
		const plan = await project.plan(undefined, { serverVariables: { OWN: 'run', KEY: 'a long secret' } });
		const [{ transport, secrets } = assert.fail()] = plan?.servers ?? [];
		assert.deepEqual(transport, {
			kind: 'stdio',
			command: 'node',
			args: ['user'],
			cwd: project.working,
			env: { CLAUDE_PROJECT_DIR: project.working, OWN: 'entry', KEY: 'a long secret' },
		});
		assert.ok(secrets.includes('a long secret'));
	});

	describe('starts it', () => {
		const session = '26f2dd86-5462-4f7a-aac2-ce9ac421faeb';

		beforeEach(() =>
			project.write('home/.claude.json', {
				mcpServers: {
					workbench: server('user', { timeout: 5_000, alwaysLoad: true, env: { KEY: '${TOKEN}' } }),
				},
			}),
		);

		it('with servers of the same names at the host, and nothing of theirs but what is Claude Code’s to know', async () => {
			await project.launch(['-p', 'go', '--session-id', session]);
			assert.deepEqual(project.handed.get('mcp.json'), {
				mcpServers: {
					workbench: {
						timeout: 5_000,
						alwaysLoad: true,
						type: 'stdio',
						command: 'node',
						args: ['cli.js', 'connect', 'workbench-2'],
						env: { ELECTRON_RUN_AS_NODE: '1', CLAUDE_CODE_SESSION_ID: session },
					},
				},
			});
		});

		it('with its own arguments first, and no secret among them', async () => {
			const { args } = await project.launch(['--allowedTools', 'a', 'b', '-p', 'go', '--', '--not-an-option']);
			assert.deepEqual(args.slice(0, 5), ['--allowedTools', 'a', 'b', '-p', 'go']);
			assert.deepEqual(args.slice(6), [
				'--mcp-config=/handed/mcp.json',
				'--settings=/handed/settings.json',
				'--',
				'--not-an-option',
			]);
			assert.match(args[5] ?? '', /^--session-id=[0-9a-f-]{36}$/);
		});

		for (const [args, expected] of [
			[['--session-id', session], session],
			[[`--resume=${session}`], session],
			[['-r', session, '--fork-session'], undefined],
			[['--resume'], undefined],
			[['-c'], undefined],
		] as const) {
			it(`and says which session it is for ${args.join(' ')}: ${expected ?? 'none'}`, async () => {
				const launch = await project.launch(args);
				const servers = project.handed.get('mcp.json')?.['mcpServers'] as Record<string, Json> | undefined;
				const env = servers?.['workbench']?.['env'] as Json | undefined;
				assert.ok(env);
				assert.equal(env['CLAUDE_CODE_SESSION_ID'], expected);
				assert.equal(launch.args.filter((arg) => arg.startsWith('--session-id=')).length, 0);
			});
		}

		it('with hooks beside those that the person gives', async () => {
			const own = { matcher: 'Bash', hooks: [{ type: 'command', command: 'true' }] };
			await project.write('project/sub/mine.json', { model: 'opus', hooks: { PreToolUse: [own] } });
			await project.launch(['--settings', 'mine.json', '-p', 'go']);
			const settings = project.handed.get('settings.json');
			assert.equal(settings?.['model'], 'opus');
			const hooks = settings['hooks'] as Record<string, unknown[]>;
			const url = 'http://127.0.0.1:4711/hook-secret/hooks/claude-code';
			// These may be held; the others are told and go on.
			for (const event of ['PreToolUse', 'PostToolUse', 'PostToolUseFailure'])
				assert.deepEqual(hooks[event]?.at(-1), {
					hooks: [{ type: 'http', url: `${url}?hold=3595`, timeout: 3600, onFailure: 'continue' }],
				});
			assert.deepEqual(hooks['PreToolUse']?.[0], own);
			assert.deepEqual(hooks['SubagentStop'], [
				{ hooks: [{ type: 'http', url, timeout: 5, onFailure: 'continue' }] },
			]);
			// Claude Code posts this one nowhere.
			assert.deepEqual(hooks['SessionStart'], [
				{
					hooks: [
						{
							type: 'command',
							command: 'node',
							args: ['cli.js', 'hook', 'claude-code', '--data', '/data', '--start'],
							timeout: 10,
							onFailure: 'continue',
						},
					],
				},
			]);
			assert.deepEqual(
				claudeCodeEvents.filter((event) => hooks[event] === undefined),
				// Listening to these would change what it does.
				['PreModelSwitch', 'WorktreeCreate', 'WorktreeRemove'],
			);
			// The person's own file stays what it is.
			assert.match(await readFile(join(project.working, 'mine.json'), 'utf8'), /^\{"model":"opus","hooks":/);
		});

		it('with hooks that say of which run a session is, where somebody asks', async () => {
			const starting = () => {
				// As it was handed over.
				const hooks = (project.handed.get('settings.json')?.['hooks'] ?? {}) as Record<
					string,
					readonly { readonly hooks: readonly Json[] }[]
				>;
				const { SessionStart, UserPromptSubmit, PreToolUse } = hooks;
				return [SessionStart, UserPromptSubmit, PreToolUse].map((groups) => groups?.at(-1)?.hooks[0]);
			};
			await project.launch(['-p', 'go']);
			const plain = starting();
			await project.write('project/sub/.claude/settings.local.json', {
				hooks: project.handed.get('settings.json')?.['hooks'],
			});
			await project.launch(['-p', 'go'], {}, 'run-1');
			const [sessionStart, prompt, call] = starting();
			assert.deepEqual(sessionStart, {
				...plain[0],
				args: ['cli.js', 'hook', 'claude-code', '--data', '/data', '--start', '--source', 'run-1'],
			});
			// What is posted Claude Code sends once, whoever has asked for it: as long as it is the same.
			assert.deepEqual(call, plain[2]);
			assert.equal(prompt, undefined);
		});

		it('without starting twice what its settings start already', async () => {
			await project.launch(['-p', 'go']);
			const { hooks } = project.handed.get('settings.json') ?? {};
			await project.write('project/sub/.claude/settings.local.json', { hooks });
			await project.launch(['-p', 'go']);
			const again = project.handed.get('settings.json')?.['hooks'] as Json;
			assert.deepEqual(
				Object.keys(hooks as Json).filter((event) => again[event] === undefined),
				['UserPromptSubmit', 'SessionStart', 'Setup'],
			);
		});

		it('without hooks where it is so old that it would not read these settings', async () => {
			const command = join(project.folder, 'claude');
			await writeFile(command, "#!/bin/sh\necho '2.1.69 (Claude Code)'\n", { mode: 0o755 });
			const { args } = await project.launch(['-p', 'go'], { command });
			assert.deepEqual(
				args.filter((arg) => arg.startsWith('--settings')),
				[],
			);
			const plan = await project.plan(['-p', 'go'], { command });
			assert.match(plan?.notes.join('\n') ?? '', /Claude Code 2\.1\.69 is too old for these hooks/);
		});

		it('without hooks where it would not have read the person’s settings either', async () => {
			const { args } = await project.launch(['--settings', 'no-such-file.json', '-p', 'go']);
			assert.deepEqual(
				args.filter((arg) => arg.startsWith('--settings')),
				['--settings'],
			);
		});

		it('so that it does not look for the host behind a proxy', async () => {
			const environment = { HTTPS_PROXY: 'http://proxy:3128', no_proxy: 'intranet' };
			const expected = { NO_PROXY: 'intranet,127.0.0.1', no_proxy: 'intranet,127.0.0.1' };
			assert.deepEqual((await project.launch(['-p', 'go'], { environment })).environment, expected);
			assert.deepEqual((await project.launch(['-p', 'go'])).environment, {});
		});
	});

	for (const args of [['mcp', 'list'], ['update'], ['--version'], ['-p', 'go', '--help'], ['--bg', 'go']]) {
		it(`has nothing to do with: claude ${args.join(' ')}`, async () => {
			assert.equal(await project.plan(args), undefined);
		});
	}

	it('takes a prompt for a prompt', async () => {
		assert.ok(await project.plan(['please update']));
		assert.ok(await project.plan(['-p', 'mcp']));
	});
});
