// Codex is asked for its servers; what it answers is what 0.169.0 prints. The real one is asked in the end-to-end tests.

import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planCodex } from '../../../src/cli/run/codex.ts';
import type { HostPlace, Invocation } from '../../../src/cli/run/agentPlan.ts';

type Json = Record<string, unknown>;

const stdio = { type: 'stdio', command: 'node', args: ['x.js'], env: null, env_vars: [], cwd: null };
const http = {
	type: 'streamable_http',
	url: 'https://a.example/mcp',
	bearer_token_env_var: null,
	http_headers: null,
	env_http_headers: null,
	http_headers_helper: null,
};

function listed(name: string, transport: Json, more: Json = {}): Json {
	return {
		name,
		enabled: true,
		disabled_reason: null,
		transport,
		startup_timeout_sec: null,
		tool_timeout_sec: null,
		auth_status: 'unsupported',
		...more,
	};
}

describe('crosstalk run codex', () => {
	let folder: string;

	beforeEach(async () => {
		folder = await realpath(await mkdtemp(join(tmpdir(), 'xtalk-run-')));
	});
	afterEach(() => rm(folder, { recursive: true, force: true }));

	/** With a Codex that prints this, and takes down how it was asked. */
	async function plan(output: unknown, args: readonly string[] = ['exec', 'go'], more: Partial<Invocation> = {}) {
		const command = join(folder, 'codex');
		const text = typeof output === 'string' ? output : JSON.stringify(output);
		await writeFile(join(folder, 'output'), text);
		await writeFile(command, `#!/bin/sh\nprintf '%s\\n' "$PWD" "$@" > ${folder}/asked\ncat ${folder}/output\n`);
		await chmod(command, 0o755);
		return planCodex({
			command,
			args,
			workingFolder: folder,
			homeFolder: folder,
			environment: { PATH: process.env['PATH'], TOKEN: 'a long secret' },
			isTerminal: false,
			serverVariables: {},
			hasHooks: false,
			...more,
		});
	}

	function hostPlace(source?: string): HostPlace {
		return {
			address: {
				url: 'http://127.0.0.1:4711',
				token: 'secret',
				controlSocket: '',
				pid: 1,
				generation: 1,
				dataDir: folder,
			},
			names: { one: 'one-2' },
			source,
			hooks: {
				url: 'http://127.0.0.1:4711/hook-secret/hooks/claude-code',
				launcher: { command: 'node', args: ['cli.js'], env: {} },
				dataDirectory: '/data',
				startsHost: true,
			},
			connect: { command: '/usr/bin/node', args: ['/a "b"/cli.js', 'connect'], environment: { AS_NODE: '1' } },
			write: () => assert.fail('Codex needs no files'),
		};
	}

	async function launch(output: unknown, args: readonly string[], source?: string): Promise<readonly string[]> {
		const planned = await plan(output, args);
		assert.ok(planned);
		const { args: launched } = await planned.launch(hostPlace(source));
		return launched;
	}

	it('takes the commands that Codex would start, with their limits and variables', async () => {
		const planned = await plan([
			listed(
				'one',
				{ ...stdio, env: { A: '1' }, env_vars: ['TOKEN', { name: 'NOT_SET' }], cwd: 'sub' },
				{ tool_timeout_sec: 7.0, startup_timeout_sec: 3 },
			),
			listed('off', stdio, { enabled: false }),
		]);
		assert.deepEqual(planned?.notes, []);
		assert.equal(planned?.servers.length, 1);
		const [{ name, transport, limits, secrets } = assert.fail()] = planned.servers;
		assert.equal(name, 'one');
		assert.deepEqual(transport, {
			kind: 'stdio',
			command: 'node',
			args: ['x.js'],
			cwd: join(folder, 'sub'),
			env: { TOKEN: 'a long secret', A: '1' },
		});
		assert.equal(limits.callMs, 7_000);
		assert.equal(limits.connectMs, 3_000);
		assert.ok(secrets.includes('a long secret'));
	});

	it('leaves alone what it cannot stand in for, and says why', async () => {
		const planned = await plan([
			listed('open', http),
			listed('signed', http, { auth_status: 'not_logged_in' }),
			listed('two words', stdio),
		]);
		assert.deepEqual(planned?.servers, []);
		const notes = planned?.notes.join('\n') ?? '';
		for (const name of ['open', 'signed', 'two words']) assert.match(notes, new RegExp(`"${name}" is left to it`));
	});

	it('leaves alone what goes through the host already', async () => {
		const planned = await plan([listed('one', { ...stdio, args: ['/x/cli.js', 'connect', 'one'] })]);
		assert.deepEqual([planned?.servers, planned?.notes], [[], []]);
	});

	it('has what goes through the host already say whose run it is of, where somebody asks', async () => {
		const routed = [
			listed('one', { ...stdio, args: ['/x/cli.js', 'connect', '--data', '/d', '--', '-one'] }),
			listed('two', { ...stdio, command: '/bin/crosstalk', args: ['connect', 'two'] }),
			listed('off', { ...stdio, command: '/bin/crosstalk', args: ['connect', 'off'] }, { enabled: false }),
		];
		assert.deepEqual(await launch(routed, ['exec', 'go']), ['exec', 'go']);
		assert.deepEqual(await launch(routed, ['exec', 'go'], 'run-1'), [
			...['exec', 'go'],
			...['-c', 'mcp_servers.one.args=["/x/cli.js","connect","--source","run-1","--data","/d","--","-one"]'],
			...['-c', 'mcp_servers.two.args=["connect","--source","run-1","two"]'],
		]);
	});

	describe('with hooks', () => {
		/** A Codex that tells of these hooks. */
		async function launchTelling(
			hooks: readonly unknown[] | undefined,
			args: readonly string[] = ['exec', 'go'],
			source?: string,
		) {
			const planned = await plan([], args, { hasHooks: true });
			assert.ok(planned);
			const answer = JSON.stringify({ id: 2, result: { data: [{ cwd: folder, hooks }] } });
			const conversation = `read a; echo '{"id":1,"result":{}}'; read b; read c; cat ${folder}/hooks`;
			await writeFile(join(folder, 'hooks'), `${answer}\n`);
			await writeFile(
				join(folder, 'codex'),
				`#!/bin/sh\n${hooks === undefined ? '' : `printf 'some noise\\n'; ${conversation}\n`}`,
			);
			return planned.launch(hostPlace(source));
		}
		const command = 'node cli.js hook codex --data /data';
		const key = '/<session-flags>/config.toml:pre_tool_use:0:0';

		it('has those trusted that are ours, and no other', async () => {
			const { args, remarks } = await launchTelling([
				{ key, currentHash: 'sha256:1', source: 'sessionFlags', command: `${command} --hold 3595` },
				{ key: 'theirs', currentHash: 'sha256:2', source: 'user', command },
				{ key: 'other', currentHash: 'sha256:3', source: 'sessionFlags', command: 'rm -rf' },
			]);
			assert.deepEqual(remarks, []);
			assert.ok(
				args.includes(
					`hooks.PreToolUse=[{hooks=[{type="command",command="${command} --hold 3595",timeout=3600}]}]`,
				),
			);
			assert.ok(args.includes(`hooks.SubagentStop=[{hooks=[{type="command",command="${command}",timeout=3}]}]`));
			assert.equal(args.at(-1), `hooks.state={${JSON.stringify(key)}={trusted_hash="sha256:1"}}`);
		});

		it('has them say whose run they are of, where somebody asks', async () => {
			const own = `${command} --source run-1`;
			const hooks = [
				{ key, currentHash: 'sha256:1', source: 'sessionFlags', command: `${own} --hold 3595` },
				{ key: 'another', currentHash: 'sha256:2', source: 'sessionFlags', command },
			];
			const { args } = await launchTelling(hooks, ['exec', 'go'], 'run-1');
			assert.ok(
				args.includes(
					`hooks.PreToolUse=[{hooks=[{type="command",command="${own} --hold 3595",timeout=3600}]}]`,
				),
			);
			assert.ok(args.includes(`hooks.SessionStart=[{hooks=[{type="command",command="${own}",timeout=3}]}]`));
			assert.equal(args.at(-1), `hooks.state={${JSON.stringify(key)}={trusted_hash="sha256:1"}}`);
		});

		it('goes without them where it cannot be known what Codex makes of them, and says so', async () => {
			for (const hooks of [undefined, [], [{ key, source: 'sessionFlags', command }]]) {
				const { args, remarks } = await launchTelling(hooks);
				assert.deepEqual(args, ['exec', 'go']);
				assert.match(remarks?.[0] ?? '', /^Its hooks are left out: it does not tell which there are/);
			}
		});

		it('goes without them where the person gives some', async () => {
			const args = ['-c', 'hooks.Stop=[]', 'exec', 'go'];
			const launched = await launchTelling([], args);
			assert.deepEqual(launched.args, args);
			assert.match(launched.remarks?.[0] ?? '', /its command line has hooks of its own/);
		});

		it('has none unless they are asked for', async () => {
			assert.deepEqual(await launch([], ['exec', 'go']), ['exec', 'go']);
		});
	});

	for (const output of ['', 'no JSON', '{}']) {
		it(`leaves all alone when Codex answers ${JSON.stringify(output)}`, async () => {
			const planned = await plan(output);
			assert.deepEqual(planned?.servers, []);
			assert.match(planned?.notes.join(' ') ?? '', /left to it/);
		});
	}

	it('asks with the options that choose the configuration, in the folder that the session will be in', async () => {
		await plan(
			[],
			[
				...[
					'-c',
					'a=1',
					'--config=b=2',
					'-m',
					'mcp',
					'exec',
					'--json',
					'-pmine',
					'--cd',
					'/',
					'-i',
					'x.png',
					'go',
				],
				...['--enable', 'f', '--', '-c', 'c=3'],
			],
		);
		assert.deepEqual((await readFile(join(folder, 'asked'), 'utf8')).trim().split('\n'), [
			'/',
			'-c',
			'a=1',
			'--config',
			'b=2',
			'-p',
			'mine',
			'--enable',
			'f',
			'mcp',
			'list',
			'--json',
		]);
	});

	it('starts it with overrides behind its own, and no secret among them', async () => {
		const args = await launch(
			[listed('one', { ...stdio, env: { A: 'hidden' } })],
			[...['exec', '-c', 'mcp_servers.one.command="mine"', 'go', '--', '-x']],
		);
		assert.deepEqual(args, [
			...['exec', '-c', 'mcp_servers.one.command="mine"', 'go'],
			...['-c', 'mcp_servers.one.command="/usr/bin/node"'],
			...['-c', 'mcp_servers.one.args=["/a \\"b\\"/cli.js","connect","one-2"]'],
			...['-c', 'mcp_servers.one.env.AS_NODE="1"', '--', '-x'],
		]);
	});

	for (const args of [['mcp', 'list'], ['--version'], ['-m', 'gpt', 'login'], ['exec', '--help']]) {
		it(`has nothing to do with: codex ${args.join(' ')}`, async () => {
			assert.equal(await plan([], args), undefined);
		});
	}

	for (const args of [[], ['please log in'], ['resume', '--last'], ['e', 'mcp'], ['-m', 'mcp']]) {
		it(`begins a session with: codex ${args.join(' ')}`, async () => {
			assert.ok(await plan([], args));
		});
	}
});
