import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { defaultLimits } from '../../../../src/core/host/serverDefinition.ts';
import type { ServerDefinition } from '../../../../src/core/host/serverDefinition.ts';
import { readScopeConfig, readServerConfig } from '../../../../src/platform/node/host/serverConfigs.ts';
import type { ServerConfigOptions } from '../../../../src/platform/node/host/serverConfigs.ts';

describe('a configuration of MCP servers', () => {
	let folder = '';
	before(async () => {
		folder = await mkdtemp(join(tmpdir(), 'crosstalk-configs-'));
	});
	after(() => rm(folder, { recursive: true, force: true }));

	async function read(name: string, text: string | Uint8Array, options: Partial<ServerConfigOptions> = {}) {
		const path = join(folder, name);
		await mkdir(dirname(path), { recursive: true });
		await writeFile(path, text);
		const { servers, problems } = await readServerConfig(path, {
			environment: { TOKEN: 'tok-123456', EMPTY: '', PORT: '8080' },
			homeFolder: '/home/ada',
			...options,
		});
		return { servers, problems: problems.map(({ line, message }) => `${line}: ${message}`) };
	}

	function stdio(name: string, transport: object, more: Partial<ServerDefinition> = {}): ServerDefinition {
		return {
			name,
			transport: { kind: 'stdio', command: 'npx', args: [], cwd: folder, env: {}, ...transport },
			sharing: 'auto',
			limits: defaultLimits,
			secrets: [],
			redactedArguments: [],
			...more,
		};
	}

	function http(name: string, transport: object, more: Partial<ServerDefinition> = {}): ServerDefinition {
		return {
			...stdio(name, {}, more),
			transport: { kind: 'http', url: 'https://example.com/mcp', headers: {}, ...transport },
		};
	}

	describe('for Claude Code', () => {
		it('gives commands, URLs, variables, defaults and secrets', async () => {
			const { servers, problems } = await read(
				'.mcp.json',
				`{
					"mcpServers": {
						"files": { "command": "npx", "args": ["-y", "files", "\${ROOT:-/srv}", "\${CLAUDE_PROJECT_DIR:-.}"], "timeout": 600000 },
						"api": { "type": "http", "url": "https://example.com/\${PORT}", "headers": { "Authorization": "Bearer \${TOKEN}", "X-Team": "analytics" } },
						"old": { "url": "http://localhost:3000/sse" },
						"off": { "command": "npx", "disabled": true },
						"local": { "command": "~/bin/server", "cwd": "tools", "env": { "KEY": "k3y-value", "DEBUG": "1", "TOKEN": "\${TOKEN}" } }
					}
				}`,
			);
			assert.deepEqual(problems, []);
			assert.deepEqual(servers, [
				stdio(
					'files',
					{ args: ['-y', 'files', '/srv', folder] },
					{ limits: { ...defaultLimits, callMs: 600_000 } },
				),
				http(
					'api',
					{
						url: 'https://example.com/8080',
						headers: { Authorization: 'Bearer tok-123456', 'X-Team': 'analytics' },
					},
					{ secrets: ['tok-123456', 'Bearer tok-123456', 'analytics'] },
				),
				http('old', { kind: 'sse', url: 'http://localhost:3000/sse' }),
				stdio(
					'local',
					{
						command: '/home/ada/bin/server',
						cwd: join(folder, 'tools'),
						env: { KEY: 'k3y-value', DEBUG: '1', TOKEN: 'tok-123456' },
					},
					{ secrets: ['tok-123456', 'k3y-value'] },
				),
			]);
		});

		const withSecrets: readonly (readonly [entry: object, secrets: readonly string[]])[] = [
			[{ command: 'x', args: ['--api-key', 'arg-s3cret', '--port', '8080', 'folder'] }, ['arg-s3cret']],
			[
				{ command: 'x', args: ['--token=arg-s3cret', '--max-tokens=100000', '--token', '--verbose'] },
				['arg-s3cret'],
			],
			[
				{
					command: 'docker',
					args: [
						'run',
						'-e',
						'GITHUB_TOKEN=ghp_123',
						'-e',
						'OPENAI_KEY=sk-proj-123456',
						'-e',
						'REGION=europe',
					],
				},
				['ghp_123', 'sk-proj-123456'],
			],
			[
				{
					command: 'mcp-remote',
					args: ['--header', 'Authorization: Bearer arg-s3cret', '--header', 'X-Team: a-team'],
				},
				['Bearer arg-s3cret', 'arg-s3cret'],
			],
			[
				{ command: 'mcp-remote', args: ['https://example.com/mcp?project=analytics&exaApiKey=s3cret%2B-key'] },
				['s3cret%2B-key', 's3cret+-key'],
			],
			[{ command: 'postgres', args: ['postgresql://ada:p4ssword@localhost/db'] }, ['ada:p4ssword', 'p4ssword']],
			[
				{ url: 'https://example.com/mcp?api_key=s3cret-key&sort_key=created&profile=ada-lovelace' },
				['s3cret-key'],
			],
			[{ url: 'https://ada:p4ssword@example.com/mcp' }, ['ada:p4ssword', 'p4ssword']],
			[
				{
					command: 'x',
					args: ['--keyboard', 'german', '--sort-key=created', '--auth', 'oauth', 'KEY', '-e', 'A=b'],
				},
				[],
			],
			[
				{
					command: 'git',
					args: ['https://example.com/a@b', 'https://ada@example.com/x', '%', '?token=%zz-broken'],
				},
				[],
			],
		];
		for (const [entry, secrets] of withSecrets)
			it(`knows by its looks what is secret in ${JSON.stringify(entry)}`, async () => {
				const { servers } = await read('looks.json', JSON.stringify({ mcpServers: { a: entry } }));
				assert.deepEqual(new Set(servers[0]?.secrets), new Set(secrets));
			});

		it('reads the servers of the user and of one project, the project first', async () => {
			const text = JSON.stringify({
				numStartups: 4,
				mcpServers: { both: { command: 'user' }, user: { command: 'user' } },
				projects: {
					'/work/a': { mcpServers: { both: { command: 'a' } } },
					'/work/b': { mcpServers: { b: { command: 'b' } } },
				},
			});
			const { servers, problems } = await read('.claude.json', text, { project: '/work/a' });
			assert.deepEqual(problems, []);
			assert.deepEqual(servers, [
				stdio('both', { command: 'a', cwd: '/work/a' }),
				stdio('user', { command: 'user' }),
			]);
		});
	});

	describe('for VS Code', () => {
		it('resolves what can be resolved without the editor', async () => {
			await mkdir(join(folder, '.vscode'), { recursive: true });
			await writeFile(join(folder, '.vscode', 'dev.env'), '# keys\nA="from file"\nexport B=file-b-value\n');
			const { servers, problems } = await read(
				'.vscode/mcp.json',
				`{
	// Shared with the team.
	"inputs": [{ "type": "promptString", "id": "key", "password": true }],
	"servers": {
		"one": {
			"type": "stdio",
			"command": "\${workspaceFolder}/run",
			"args": ["\${env:NOT_SET}", "\${userHome}", "\${workspaceFolderBasename}"],
			"envFile": "\${workspaceFolder}/.vscode/dev.env",
			"env": { "B": "from env", "C": null },
		},
		"two": { "type": "http", "url": "https://example.com/mcp", "headers": { "X-Key": "\${input:key}" } },
	},
}`,
			);
			assert.deepEqual(servers, [
				stdio(
					'one',
					{
						command: `${folder}/run`,
						args: ['', '/home/ada', folder.split('/').at(-1)],
						env: { A: 'from file', B: 'from env' },
					},
					{ secrets: ['from file', 'from env'] },
				),
			]);
			assert.deepEqual(problems, [
				'12: Server "two" is left out. ${input:key} is asked for by the editor and kept in its secret storage, where nobody else can read it: use ${env:…} or an envFile.',
			]);
		});
	});

	describe('for Cursor', () => {
		it('has the variables of an editor below "mcpServers"', async () => {
			const { servers, problems } = await read(
				'.cursor/mcp.json',
				'{ "mcpServers": { "a": { "command": "npx", "args": ["${workspaceFolder}${/}x"], "env": { "T": "${env:TOKEN}" }, "envFile": ".env" } } }',
			);
			assert.deepEqual(servers, []);
			assert.deepEqual(problems, [
				`1: Server "a" is left out. There is no file ${join(folder, '.env')}, which its envFile names.`,
			]);
			await writeFile(join(folder, '.env'), 'T=from-file\n');
			assert.deepEqual(
				(
					await read(
						'.cursor/mcp.json',
						'{ "mcpServers": { "a": { "command": "npx", "args": ["${workspaceFolder}${/}x"], "env": { "T": "${env:TOKEN}" }, "envFile": ".env" } } }',
					)
				).servers,
				[stdio('a', { args: [join(folder, 'x')], env: { T: 'tok-123456' } }, { secrets: ['tok-123456'] })],
			);
		});
	});

	describe('for Codex', () => {
		it('reads tables, dotted keys and inline tables, and takes texts as they are', async () => {
			const { servers, problems } = await read(
				'.codex/config.toml',
				`model = "gpt-5"
[mcp_servers]
dotted.command = 'npx'
dotted.args = ["\${TOKEN}"]   # Codex has no variables
inline = { command = "npx", env = { A = "aaaa", "B" = "bbbb" } }

[mcp_servers.table] # a comment
command = "npx"
args = [
  "-y", # yes
  "x",
]
env_vars = ["TOKEN", { name = "PORT", source = "local" }, "NOT_SET"]
startup_timeout_sec = 2.5
tool_timeout_sec = 1_200
[mcp_servers.table.env]
K = """
kkkk"""
[mcp_servers.table.tools.search]
approval_mode = "approve"

[mcp_servers."with space"]
url = "https://example.com/mcp"
bearer_token_env_var = "TOKEN"
http_headers = { "X-A" = "header-a" }
env_http_headers = { "X-B" = "PORT", "X-C" = "EMPTY" }
[mcp_servers.off]
command = "npx"
enabled = false
`.replaceAll('\n', '\r\n'),
			);
			assert.deepEqual(problems, []);
			assert.deepEqual(servers, [
				stdio('dotted', { args: ['${TOKEN}'] }),
				stdio('inline', { env: { A: 'aaaa', B: 'bbbb' } }, { secrets: ['aaaa', 'bbbb'] }),
				stdio(
					'table',
					{ args: ['-y', 'x'], env: { TOKEN: 'tok-123456', PORT: '8080', K: 'kkkk' } },
					{
						secrets: ['tok-123456', 'kkkk'],
						limits: { ...defaultLimits, connectMs: 2500, callMs: 1_200_000 },
					},
				),
				http(
					'with space',
					{ headers: { 'X-A': 'header-a', 'X-B': '8080', Authorization: 'Bearer tok-123456' } },
					{ secrets: ['header-a', 'Bearer tok-123456', 'tok-123456'] },
				),
			]);
		});
	});

	describe('with options of our own', () => {
		it('takes sharing, limits and what is not to be written', async () => {
			const { servers, problems } = await read(
				'own.json',
				`{ "mcpServers": { "a": { "command": "npx", "timeout": 5000, "crosstalk": {
					"sharing": "per-agent",
					"limits": { "callMs": 7200000, "callMsByTool": { "slow": 9000000 }, "queueLength": 0, "connectAttempts": 1 },
					"redact": ["password", "auth.*"]
				} } } }`,
			);
			assert.deepEqual(problems, []);
			assert.deepEqual(servers, [
				stdio(
					'a',
					{},
					{
						sharing: 'per-agent',
						limits: {
							...defaultLimits,
							callMs: 7_200_000,
							maximumCallMs: 7_200_000,
							callMsByTool: { slow: 9_000_000 },
							queueLength: 0,
							connectAttempts: 1,
						},
						redactedArguments: ['password', 'auth.*'],
					},
				),
			]);
		});

		it('says what it does not know, and goes on with what it does', async () => {
			const { servers, problems } = await read(
				'own.json',
				`{ "mcpServers": {
	"a": { "command": "npx", "crosstalk": { "sharing": "all", "speed": 9, "limits": { "callMs": -1, "waitMs": 5, "queueLength": 1.5 } } },
	"b": { "command": "npx", "crosstalk": { "redact": "password" } },
	"c": { "command": "npx", "crosstalk": true } } }`,
			);
			assert.deepEqual(servers, [stdio('a', {}), stdio('c', {})]);
			assert.deepEqual(problems, [
				'2: Server "a" has a "sharing" that is none of "auto", "shared", "per-session", "per-agent"; it is ignored.',
				'2: Server "a" has an option "crosstalk.speed" that is not known; there are "sharing", "limits" and "redact".',
				'2: Server "a" has a "callMs" that is no number above 0 and up to 2147483647; it is ignored.',
				'2: Server "a" has a limit "waitMs" that is not known; there are callMs, callMsByTool, maximumCallMs, connectMs, probeMs, queueMs, queueLength, connectAttempts.',
				'2: Server "a" has a "queueLength" that is no whole number from 0 on; it is ignored.',
				'3: Server "b" has a "redact" that is no list of argument names; it is left out.',
				'4: Server "c" has a "crosstalk" that is no object; it is ignored.',
			]);
		});
	});

	describe('that is wrong', () => {
		const good = '"good": { "command": "npx" }';
		const table: readonly [what: string, text: string, problems: readonly string[], isGoodThere?: false][] = [
			[
				'an unknown key',
				`{ "mcpServers": {\n"bad": { "command": "x", "comand": "y" }, ${good} } }`,
				['2: Server "bad" has a key "comand" that is not known; it is ignored.'],
			],
			[
				'no command',
				`{ "mcpServers": {\n"bad": { "args": [] }, ${good} } }`,
				['2: Server "bad" has no "command" and no "url"; it is left out.'],
			],
			[
				'an empty command',
				`{ "mcpServers": {\n"bad": { "command": " " }, ${good} } }`,
				['2: Server "bad" has an empty "command"; it is left out.'],
			],
			[
				'a command that is no text',
				`{ "mcpServers": {\n"bad": { "command": ["npx"] }, ${good} } }`,
				['2: Server "bad" has a "command" that is no text; it is left out.'],
			],
			[
				'both command and URL',
				`{ "mcpServers": {\n"bad": { "command": "x", "url": "http://y" }, ${good} } }`,
				['2: Server "bad" has both a command and a URL: one of them must go; it is left out.'],
			],
			[
				'a type that does not fit',
				`{ "mcpServers": {\n"bad": { "type": "http", "command": "x" }, ${good} } }`,
				['2: Server "bad" has the type "http", but a command; it is left out.'],
			],
			[
				'a type nobody knows',
				`{ "mcpServers": {\n"bad": { "type": "carrier", "url": "http://x" }, ${good} } }`,
				[
					'2: Server "bad" has the type "carrier", which is not known: there are "stdio", "http" and "sse"; it is left out.',
				],
			],
			[
				'a URL that is none',
				`{ "mcpServers": {\n"bad": { "url": "example.com" }, ${good} } }`,
				['2: Server "bad" is left out. Its URL must begin with http:// or https:// and name a host.'],
			],
			[
				'arguments that are no list',
				`{ "mcpServers": {\n"bad": { "command": "x", "args": "y" }, ${good} } }`,
				['2: Server "bad" has "args" that are no list; it is left out.'],
			],
			[
				'an environment that is no object',
				`{ "mcpServers": {\n"bad": { "command": "x", "env": ["y"] }, ${good} } }`,
				['2: Server "bad" has "env" that is no object; it is left out.'],
			],
			[
				'a variable that is not set',
				`{ "mcpServers": {\n"bad": { "command": "x", "env": { "A": "\${NOPE}" } }, ${good} } }`,
				[
					'2: Server "bad" is left out. The variable NOPE is not set: set it, or write a default as ${NOPE:-…}.',
				],
			],
			[
				'a variable of another client',
				`{ "mcpServers": {\n"bad": { "command": "x", "args": ["\${env:TOKEN}"] }, ${good} } }`,
				[
					'2: Server "bad" is left out. ${env:TOKEN} is how other clients write a variable: in this file it is ${TOKEN}.',
				],
			],
			[
				'a time-out in seconds',
				`{ "mcpServers": {\n"bad": { "command": "x", "timeout": 60 }, ${good} } }`,
				['2: Server "bad" has a "timeout" of 60, which is in milliseconds; it is ignored.'],
			],
			[
				'a server that is no object',
				`{ "mcpServers": {\n"bad": "npx", ${good} } }`,
				['2: Server "bad" must be an object; it is left out.'],
			],
			[
				'a server without a name',
				`{ "mcpServers": {\n"": { "command": "x" }, ${good} } }`,
				['2: A server needs a name; this one is left out.'],
			],
			[
				'a name that is there twice',
				`{ "mcpServers": {\n"good": { "command": "x" },\n${good} } }`,
				['3: Server "good" is there twice; the last one counts.'],
			],
			[
				'a key that is there twice',
				`{ "mcpServers": {\n"bad": { "command": "x", "command": "y" }, ${good} } }`,
				['2: Server "bad" has "command" twice; the last one counts.'],
			],
			['comments and trailing commas', `// one\n{ "mcpServers": { /* two */ ${good}, }, }`, []],
			['a byte order mark', `\uFEFF{ "mcpServers": { ${good} } }`, []],
			[
				'a missing comma',
				`{ "mcpServers": { "bad": { "command": "x" }\n${good} } }`,
				['2: It is not JSON: comma expected.'],
			],
			['an end that is missing', `{ "mcpServers": { ${good}`, ['1: It is not JSON: close brace expected.']],
			['nothing', '', ['1: It is not JSON: value expected.'], false],
			['a list', '[]', ['1: The file must hold an object.'], false],
			[
				'servers that are a list',
				'{ "mcpServers": [] }',
				['1: "mcpServers" must be an object of servers.'],
				false,
			],
			[
				'no servers',
				'{ "theme": "dark" }',
				['1: There are no servers in this file: it needs an object "mcpServers" or "servers".'],
				false,
			],
			['no end of lists', '['.repeat(100_000), ['1: It is nested too deep.'], false],
		];
		for (const [what, text, problems, isGoodThere = true] of table) {
			it(`with ${what} says so, and everything else goes on`, async () => {
				const found = await read('wrong.json', text);
				assert.deepEqual(found.problems, problems);
				assert.equal(
					found.servers.some(({ name }) => name === 'good'),
					isGoodThere,
				);
			});
		}

		it('in TOML names the line', async () => {
			assert.deepEqual(await read('wrong.toml', 'a = 1\n[mcp_servers.x]\ncommand = npx\n'), {
				servers: [],
				problems: ['3: It is not TOML: Unexpected character.'],
			});
			assert.deepEqual(await read('none.toml', 'a = 1\n'), {
				servers: [],
				problems: ['1: There are no servers in this file: it needs tables [mcp_servers.<name>].'],
			});
		});

		it('in UTF-16 or no encoding at all says so', async () => {
			assert.deepEqual((await read('wide.json', Buffer.from('\uFEFF{}', 'utf16le'))).problems, [
				'1: It is UTF-16; clients read UTF-8. Save it as UTF-8.',
			]);
			assert.deepEqual((await read('latin.json', Buffer.from([0x7b, 0xe9, 0x7d]))).problems, [
				'1: It is not UTF-8.',
			]);
		});

		it('by not being there says so', async () => {
			await assert.rejects(readServerConfig(join(folder, 'none.json'), { environment: {}, homeFolder: '/' }), {
				name: 'ExpectedError',
				message: `The configuration ${join(folder, 'none.json')} cannot be read: there is no such file.`,
			});
		});

		it('never throws, whatever it holds', async () => {
			const text = JSON.stringify({
				mcpServers: {
					a: { command: 'x', args: ['y'], env: { A: '${B}' }, crosstalk: { limits: { callMs: 1 } } },
				},
			});
			const toml = '[mcp_servers.a]\ncommand = "x"\nargs = ["y"]\nenv.A = "b"\n[[mcp_servers.b]]\nx = 1\n';
			await fc.assert(
				fc.asyncProperty(
					fc.constantFrom(['a.json', text] as const, ['a.toml', toml] as const),
					fc.nat(200),
					fc.nat(20),
					fc.string({ maxLength: 10 }),
					async ([name, original], at, length, inserted) => {
						const { servers } = await read(
							name,
							original.slice(0, at) + inserted + original.slice(at + length),
						);
						assert.ok(servers.length <= 2);
					},
				),
				{ numRuns: 300 },
			);
		});
	});
});

describe('what a file says of scopes', () => {
	let folder = '';
	before(async () => {
		folder = await mkdtemp(join(tmpdir(), 'crosstalk-scopes-'));
	});
	after(() => rm(folder, { recursive: true, force: true }));

	async function write(name: string, text: string): Promise<string> {
		const path = join(folder, name);
		await writeFile(path, text);
		return path;
	}

	const options = { environment: {}, homeFolder: '/' };
	const scopes = { chat: { list: { policy: { headless: 'require' } } } };
	const server = '"chat": { "command": "x" }';
	const table: readonly (readonly [what: string, name: string, text: string])[] = [
		[
			'beside "mcpServers"',
			'a.json',
			`{ "mcpServers": { ${server} }, "scope": { "chat": { "list": { "policy": { "headless": "require" } } } } }`,
		],
		[
			'below "crosstalk"',
			'b.json',
			`{ "mcpServers": { ${server} }, "crosstalk": { "scope": ${JSON.stringify(scopes)} } }`,
		],
		[
			'beside VS Code\'s "servers", with comments',
			'c.jsonc',
			`{ // mine\n "servers": { ${server} }, "scope": ${JSON.stringify(scopes)}, }`,
		],
		[
			"as VS Code's own settings write it",
			'd.json',
			`{ "crosstalk.scope": ${JSON.stringify(scopes)}, "servers": { ${server} } }`,
		],
		[
			'in TOML',
			'e.toml',
			`[mcp_servers.chat]\ncommand = "x"\n[crosstalk.scope.chat.list]\npolicy = { headless = "require" }\n`,
		],
	];
	for (const [what, name, text] of table) {
		it(`is read ${what}, from a configuration of servers and by itself`, async () => {
			const path = await write(name, text);
			const config = await readServerConfig(path, options);
			assert.deepEqual(config.problems, []);
			assert.deepEqual(config.scopes, scopes);
			assert.deepEqual(
				config.servers.map((one) => one.name),
				['chat'],
			);
			assert.deepEqual(await readScopeConfig(path), { servers: [], isWhole: true, scopes, problems: [] });
		});
	}

	it('is put together from all places, by tool', async () => {
		const path = await write(
			'places.json',
			`{ "scope": { "a": { "x": { "policy": "report" }, "y": { "policy": "off" } } },
			   "crosstalk": { "scope": { "a": { "y": { "policy": "require" } }, "b": { "z": { "policy": "off" } } } } }`,
		);
		const { scopes: found, problems } = await readServerConfig(path, options);
		assert.deepEqual(problems, []);
		assert.deepEqual(found, {
			a: { x: { policy: 'report' }, y: { policy: 'require' } },
			b: { z: { policy: 'off' } },
		});
	});

	it('is told with the line where it is wrong, and what is right of it holds', async () => {
		const path = await write(
			'wrong.json',
			`{
	"mcpServers": { ${server} },
	"scope": {
		"chat": {
			"list": {
				"policy": "forbid"
			},
			"post": { "policy": { "headless": "require",
				"nightly": "require" } },
			"read": 7
		},
		"mail": []
	}
}`,
		);
		const config = await readServerConfig(path, options);
		assert.deepEqual(
			config.problems.map(({ line }) => line).sort((one, other) => one - other),
			[6, 9, 10, 12],
		);
		assert.ok(
			config.problems.every(({ message }) => /^[A-Z`].*\.$/.test(message)),
			JSON.stringify(config.problems),
		);
		assert.deepEqual(config.scopes, { chat: { list: {}, post: { policy: { headless: 'require' } } } });
		assert.equal(config.servers.length, 1);
	});

	it('is not known where the file cannot be read, and nothing where it says nothing', async () => {
		for (const text of ['{ "scope": { "chat": ', '', '[]'])
			assert.equal('scopes' in (await readServerConfig(await write('half.json', text), options)), false, text);
		assert.deepEqual(
			(await readServerConfig(await write('none.json', `{ "mcpServers": {} }`), options)).scopes,
			{},
		);
		assert.deepEqual((await readScopeConfig(await write('none.json', '{ "mcpServers": {} }'))).problems, [
			{ line: 1, message: 'There is nothing of scopes in this file: it needs an object "scope".' },
		]);
	});

	it('never throws, whatever it holds', async () => {
		const text = JSON.stringify({
			scope: { chat: { list: { policy: 'fill', values: { a: 1 }, parameters: ['a'] } } },
		});
		await fc.assert(
			fc.asyncProperty(fc.nat(120), fc.nat(20), fc.string({ maxLength: 10 }), async (at, length, more) => {
				await readScopeConfig(await write('any.json', text.slice(0, at) + more + text.slice(at + length)));
			}),
			{ numRuns: 200 },
		);
	});
});
