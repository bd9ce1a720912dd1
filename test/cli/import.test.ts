// What import writes into realistic configurations of each client stands in test/fixtures/mcp-configs/after, what it prints in plan.txt.
// `UPDATE_GOLDENS=1 npx mocha test/cli/import.test.ts` writes both anew: read the diff.

import assert from 'node:assert/strict';
import { chmod, cp, lstat, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import fc from 'fast-check';
import { parse } from 'jsonc-parser';
import { readServerConfig } from '../../src/platform/node/host/serverConfigs.ts';
import { importedServers } from '../../src/platform/node/host/importedServers.ts';
import { MemoryIo, run } from './memoryIo.ts';
import type { Ran } from './memoryIo.ts';

const fixtures = 'test/fixtures/mcp-configs';
const environment = { DOCS_TOKEN: 'SECRET-docs', SEARCH_KEY: 'SECRET-search' };

/** A home and a project of their own, and `crosstalk` on the path. */
class Place {
	readonly root: string;
	readonly project: string;
	readonly home: string;
	readonly data: string;
	path = '';

	private constructor(root: string) {
		this.root = root;
		this.project = join(root, 'project');
		this.home = join(root, 'home');
		this.data = join(this.home, '.local', 'state', 'crosstalk');
	}

	static async make(): Promise<Place> {
		const place = new Place(await mkdtemp(join(tmpdir(), 'crosstalk-import-')));
		await mkdir(place.project);
		await mkdir(place.home);
		const program = join(place.root, 'bin', 'crosstalk');
		await mkdir(dirname(program));
		await writeFile(program, '#!/bin/sh\n', { mode: 0o755 });
		place.path = dirname(program);
		return place;
	}

	/** All realistic configurations, with our paths in them. */
	async fill(change: (text: string) => string = (text) => text): Promise<void> {
		await cp(join(fixtures, 'before'), this.root, { recursive: true });
		for (const path of await this.files())
			await this.write(path, change((await this.read(path)).replaceAll('PROJECT', this.project)));
	}

	async run(...args: string[]): Promise<Ran> {
		return run(
			args,
			new MemoryIo({
				workingFolder: this.project,
				homeFolder: this.home,
				environment: { ...environment, PATH: this.path, XDG_CONFIG_HOME: join(this.home, '.config') },
			}),
		);
	}

	async read(path: string): Promise<string> {
		return readFile(join(this.root, path), 'utf8');
	}

	async write(path: string, text: string | Uint8Array): Promise<string> {
		const whole = join(this.root, path);
		await mkdir(dirname(whole), { recursive: true });
		await writeFile(whole, text);
		return whole;
	}

	/** Every file of the home and the project but for our own data. */
	async files(): Promise<readonly string[]> {
		const entries = await readdir(this.root, { recursive: true, withFileTypes: true });
		return entries
			.filter((entry) => entry.isFile())
			.map((entry) => relative(this.root, join(entry.parentPath, entry.name)))
			.filter((path) => !path.startsWith('bin') && !path.startsWith(relative(this.root, this.data)))
			.sort();
	}

	async contents(): Promise<Readonly<Record<string, string>>> {
		return Object.fromEntries(
			await Promise.all((await this.files()).map(async (path) => [path, await this.read(path)] as const)),
		);
	}

	async remove(): Promise<void> {
		await rm(this.root, { recursive: true, force: true });
	}
}

describe('crosstalk import and restore', () => {
	let place: Place;
	beforeEach(async () => {
		place = await Place.make();
	});
	afterEach(() => place.remove());

	describe('with realistic configurations', () => {
		it('prints the plan and changes nothing', async () => {
			await place.fill();
			const before = await place.contents();
			const { code, stdout, stderr } = await place.run('import');
			await golden('plan.txt', stdout.replaceAll(place.root, ''));
			assert.equal(stderr, '');
			assert.equal(code, 0);
			assert.deepEqual(await place.contents(), before);
			assert.equal(await exists(place.data), false);
		});

		it('is shown in docs/cli.md as it is', async () => {
			const page = await readFile('docs/cli.md', 'utf8');
			const [, example = ''] = /```text\n\$ crosstalk import\n([\s\S]*?)```/.exec(page) ?? [];
			const plan = await readFile(join(fixtures, 'plan.txt'), 'utf8');
			let at = 0;
			for (const part of example.split('…\n')) {
				const found = plan.indexOf(part, at);
				assert.notEqual(found, -1, part);
				at = found + part.length;
			}
			assert.equal(at, plan.length);
			for (const command of ['import', 'restore']) {
				const { stdout } = await place.run(command, '--help');
				for (const [option] of stdout.matchAll(/--[a-z-]+/g))
					if (option !== '--help') assert.ok(page.includes(option), option);
			}
		});

		it('writes what the goldens say', async () => {
			await place.fill();
			const { code } = await place.run('import', '--write');
			assert.equal(code, 0);
			for (const [path, text] of Object.entries(await place.contents()))
				await golden(join('after', path), text.replaceAll(place.root, '').replaceAll('/project', 'PROJECT'));
		});

		for (const [what, change] of [
			['as they are', (text: string) => text],
			['with CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
			['with a byte order mark', (text: string) => `\uFEFF${text}`],
			['without a last line end', (text: string) => text.trimEnd()],
		] as const) {
			it(`changes the same lines and nothing else, and restores every byte, ${what}`, async () => {
				await place.fill(change);
				const before = await place.contents();
				await place.run('import', '--write');
				const after = await place.contents();
				for (const [path, text] of Object.entries(after)) {
					const expected = (await readFile(join(fixtures, 'after', path), 'utf8')).replaceAll(
						'PROJECT',
						place.project,
					);
					assert.equal(text, change(expected), path);
				}
				const { code, stdout } = await place.run('restore');
				assert.equal(code, 0);
				assert.equal(stdout.match(/Restored, byte for byte\./g)?.length, 7);
				assert.deepEqual(await place.contents(), before);
				assert.deepEqual(await readdir(join(place.data, 'backups')), []);
			});
		}

		it('shows no secret, neither as text nor to programs', async () => {
			await place.fill();
			for (const args of [['import'], ['import', '--json'], ['import', '--write', '--json']]) {
				const { stdout, stderr } = await place.run(...args);
				assert.doesNotMatch(stdout + stderr, /SECRET/);
			}
			await place.write('home/.claude.json', (await place.read('home/.claude.json')).replace('42', '43'));
			for (const path of ['project/.vscode/mcp.json', 'home/.codex/config.toml'])
				await place.write(path, `${await place.read(path)}\n`);
			const { stdout, stderr } = await place.run('restore');
			assert.match(stdout, /^\+.*"env"|^\+"API.KEY"/m);
			assert.doesNotMatch(stdout + stderr, /SECRET/);
		});

		it('shows nothing that would move the cursor of a terminal, as a project may bring it', async () => {
			const text = `{ "mcpServers": { // \u001b[2J\n\t"a\\u001b[1A": { "command": "\${NO\\u001b[2K}" },\r\n\t"b": { "command": "node", "args": ["\u009b2K"] } } }\n`;
			await place.write('project/.mcp.json', text);
			for (const args of [['import'], ['import', '--write'], ['restore']]) {
				const { stdout, stderr } = await place.run(...args);
				// eslint-disable-next-line no-control-regex
				assert.doesNotMatch(stdout + stderr, /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/);
			}
			assert.equal(await place.read('project/.mcp.json'), text);
		});

		it('changes nothing the second time', async () => {
			await place.fill();
			await place.run('import', '--write');
			const after = await place.contents();
			const record = await readFile(join(place.data, 'servers.json'), 'utf8');
			const { code, stdout } = await place.run('import', '--write');
			assert.equal(code, 0);
			assert.match(stdout, /Nothing is to be changed\.\n$/);
			assert.deepEqual(await place.contents(), after);
			assert.equal(await readFile(join(place.data, 'servers.json'), 'utf8'), record);
			await place.run('restore');
			const again = await place.run('restore');
			assert.deepEqual(again, { code: 0, stdout: 'There is nothing to restore.\n', stderr: '' });
		});

		it('lets the host reach what the clients reached', async () => {
			await place.fill();
			const options = { environment, homeFolder: place.home };
			const direct = await Promise.all(
				[
					['project/.mcp.json', place.project],
					['home/.cursor/mcp.json', place.home],
					['home/.codex/config.toml', place.home],
					['project/.codex/config.toml', place.project],
					['project/.vscode/mcp.json', place.project],
				].map(async ([path = '', folder]) => {
					const { servers } = await readServerConfig(join(place.root, path), { ...options, folder });
					return servers;
				}),
			);
			await place.run('import', '--write');
			const { servers, problems } = await importedServers(place.data, options);
			assert.deepEqual(problems, []);
			const names = servers.map(({ name }) => name);
			assert.deepEqual(names.toSorted(), [...new Set(names)].sort());
			// The same name in two files with two meanings is two servers.
			assert.deepEqual(names.filter((name) => /analytics|search|build/.test(name)).sort(), [
				'analytics',
				'analytics-2',
				'build',
				'build-2',
				'search',
				'search-2',
			]);
			const reached = servers.map(({ transport, secrets }) => JSON.stringify({ transport, secrets }));
			for (const { name, transport, secrets } of direct.flat()) {
				if (['by hand', 'signed-in', 'helper'].includes(name)) continue;
				assert.ok(reached.includes(JSON.stringify({ transport, secrets })), name);
			}
			// Switched off in the client, it is still there for whoever switches it on.
			assert.ok(names.includes('memory'));
		});

		it('looks only at the clients that are named', async () => {
			await place.fill();
			const { stdout } = await place.run('import', '--from', 'codex', '--from', 'cursor', '--json');
			const { files } = JSON.parse(stdout) as { files: { client: string; path: string }[] };
			assert.deepEqual(
				files.map(({ client, path }) => [client, relative(place.root, path)]),
				[
					['cursor', 'home/.cursor/mcp.json'],
					['codex', 'project/.codex/config.toml'],
					['codex', 'home/.codex/config.toml'],
				],
			);
		});
	});

	describe('when a file was changed since', () => {
		it('puts the servers back and keeps everything else', async () => {
			await place.fill();
			await place.run('import', '--write');
			const claude = await place.read('home/.claude.json');
			await place.write('home/.claude.json', claude.replace('42', '43'));
			const code = await place.read('project/.vscode/mcp.json');
			await place.write('project/.vscode/mcp.json', code.replace('// Shared', '// Still shared'));
			const codex = await place.read('home/.codex/config.toml');
			await place.write('home/.codex/config.toml', codex.replace('"gpt-5" ', '"gpt-6" '));
			const before = await Place.make();
			await before.fill();
			const { code: exit, stdout } = await place.run('restore');
			assert.equal(exit, 0);
			assert.equal(stdout.match(/It was changed since/g)?.length, 3);
			const original = async (path: string) =>
				(await before.read(path)).replaceAll(before.project, place.project);
			assert.equal(
				await place.read('home/.claude.json'),
				(await original('home/.claude.json')).replace('42', '43'),
			);
			assert.equal(
				await place.read('project/.vscode/mcp.json'),
				(await original('project/.vscode/mcp.json')).replace('// Shared', '// Still shared'),
			);
			assert.equal(
				await place.read('home/.codex/config.toml'),
				(await original('home/.codex/config.toml')).replace('"gpt-5" ', '"gpt-6" '),
			);
			await before.remove();
			assert.equal((await place.run('restore')).stdout, 'There is nothing to restore.\n');
		});

		it('keeps what was done to a server since, and takes back only its own', async () => {
			await place.write(
				'project/.mcp.json',
				'{\n  "mcpServers": {\n    "a": {\n      "command": "one",\n      "env": { "K": "v" }\n    },\n    "b": { "command": "two" },\n    "c": { "command": "three" }\n  }\n}\n',
			);
			await place.run('import', '--write');
			const routed = parse(await place.read('project/.mcp.json')) as {
				mcpServers: Record<string, Record<string, unknown> | undefined>;
			};
			routed.mcpServers['a'] = { ...routed.mcpServers['a'], alwaysLoad: true };
			routed.mcpServers['b'] = { command: 'another' };
			delete routed.mcpServers['c'];
			await place.write('project/.mcp.json', JSON.stringify(routed));
			const { code, stdout } = await place.run('restore');
			assert.equal(code, 0);
			assert.match(stdout, /Server "b" is left as it is: somebody has given it another command\./);
			assert.match(stdout, /Server "c" is left as it is: it is not there any more\./);
			assert.deepEqual(parse(await place.read('project/.mcp.json')), {
				mcpServers: {
					a: { command: 'one', env: { K: 'v' }, alwaysLoad: true },
					b: { command: 'another' },
				},
			});
		});

		it('imports what was added since, and restores both', async () => {
			await place.write('project/.mcp.json', '{"mcpServers":{"a":{"command":"one"}}}');
			await place.run('import', '--write');
			const once = await place.read('project/.mcp.json');
			await place.write('project/.mcp.json', once.replace('"a":', '"b":{"command":"two"},"a":'));
			await place.run('import', '--write');
			assert.equal(
				(await importedServers(place.data, { environment, homeFolder: place.home })).servers.length,
				2,
			);
			const { code } = await place.run('restore');
			assert.equal(code, 0);
			assert.equal(
				await place.read('project/.mcp.json'),
				'{"mcpServers":{"b":{"command":"two"},"a":{"command":"one"}}}',
			);
		});

		it('refuses to write over what a client has written since the plan', async () => {
			// A client that writes while we do: the plan is made from a file that is another when it is written.
			const { planImport, writeImport } = await import('../../src/platform/node/host/config/importing.ts');
			const path = await place.write('home/.claude.json', '{"mcpServers":{"a":{"command":"one"}}}');
			const options = {
				platform: process.platform,
				environment,
				homeFolder: place.home,
				workingFolder: place.project,
				clients: ['claude'] as const,
				dataDirectory: place.data,
				defaultDataDirectory: place.data,
				launcher: { command: 'crosstalk', args: [], env: {} },
			};
			const plan = await planImport(options);
			await writeFile(path, '{"mcpServers":{"a":{"command":"one"}},"numStartups":1}');
			const problems = await writeImport(plan, options);
			assert.deepEqual(
				problems.map(({ path: of, message }) => [of, message]),
				[
					[
						path,
						'Somebody has changed it since it was read, as clients that run do. Nothing was written to it; run the command again.',
					],
				],
			);
			assert.equal(await readFile(path, 'utf8'), '{"mcpServers":{"a":{"command":"one"}},"numStartups":1}');
			assert.equal((await place.run('restore')).stdout, 'There is nothing to restore.\n');
		});

		it('makes no file anew that somebody has removed', async () => {
			const path = await place.write('project/.mcp.json', '{"mcpServers":{"a":{"command":"one"}}}');
			await place.run('import', '--write');
			await rm(path);
			const { code, stdout } = await place.run('restore');
			assert.equal(code, 0);
			assert.match(stdout, /It is not there any more, and is not made anew\./);
			const [, backup = ''] = /As it was before the import: (.*)/.exec(stdout) ?? [];
			assert.equal(await readFile(backup, 'utf8'), '{"mcpServers":{"a":{"command":"one"}}}');
		});

		it('says which file is broken now, and restores it once it is mended', async () => {
			await place.write('project/.mcp.json', '{"mcpServers":{"a":{"command":"one"}}}');
			await place.run('import', '--write');
			const routed = await place.read('project/.mcp.json');
			await place.write('project/.mcp.json', `${routed.slice(0, -1)} `);
			const broken = await place.run('restore');
			assert.equal(broken.code, 2);
			assert.match(broken.stdout, /It is not JSON: close brace expected\. Mend it, and run the command again\./);
			await place.write('project/.mcp.json', `${routed}\n`);
			assert.equal((await place.run('restore')).code, 0);
			assert.equal(await place.read('project/.mcp.json'), '{"mcpServers":{"a":{"command":"one"}}}\n');
		});
	});

	describe('with files', () => {
		it('keeps links and modes, and keeps its own files from others', async () => {
			const real = await place.write('dotfiles/mcp.json', '{"mcpServers":{"a":{"command":"one"}}}');
			await chmod(real, 0o640);
			await mkdir(join(place.home, '.cursor'));
			await symlink(real, join(place.home, '.cursor', 'mcp.json'));
			await place.run('import', '--write');
			assert.ok((await lstat(join(place.home, '.cursor', 'mcp.json'))).isSymbolicLink());
			assert.equal((await stat(real)).mode & 0o777, 0o640);
			assert.match(await readFile(real, 'utf8'), /"connect"/);
			assert.deepEqual(await readdir(dirname(real)), ['mcp.json']);
			assert.equal((await stat(join(place.data, 'servers.json'))).mode & 0o777, 0o600);
			assert.equal((await stat(join(place.data, 'backups'))).mode & 0o777, 0o700);
			for (const name of await readdir(join(place.data, 'backups')))
				assert.equal((await stat(join(place.data, 'backups', name))).mode & 0o777, 0o600);
			await place.run('restore');
			assert.ok((await lstat(join(place.home, '.cursor', 'mcp.json'))).isSymbolicLink());
			assert.equal(await readFile(real, 'utf8'), '{"mcpServers":{"a":{"command":"one"}}}');
		});

		it('names the file and the line that it cannot read, and goes on with the others', async () => {
			await place.write('project/.mcp.json', '{"mcpServers":{"a":{"command":"one"}}}');
			await place.write('project/.vscode/mcp.json', '{\n"servers": {\n"a" {} } }');
			await place.write('home/.codex/config.toml', '[mcp_servers.a]\ncommand = oops\n');
			await place.write('home/.cursor/mcp.json', Buffer.from('\uFEFF{}', 'utf16le'));
			const { code, stdout, stderr } = await place.run('import', '--write');
			assert.equal(code, 2);
			assert.match(stdout, /1 server in 1 file goes through the host now\./);
			assert.deepEqual(stderr.trimEnd().split('\n'), [
				`crosstalk: ${place.project}/.vscode/mcp.json:3: It is not JSON: colon expected. The file is left alone.`,
				`crosstalk: ${place.home}/.cursor/mcp.json:1: It is UTF-16; clients read UTF-8. Save it as UTF-8.`,
				`crosstalk: ${place.home}/.codex/config.toml:2: It is not TOML: Unexpected character. The file is left alone.`,
			]);
		});

		it('has nothing to do where there is nothing', async () => {
			assert.deepEqual(await place.run('import', '--write'), {
				code: 0,
				stdout: 'No configuration of MCP servers was found.\n',
				stderr: '',
			});
			assert.equal(await exists(place.data), false);
		});

		it('starts itself by its path where it is not on the path, and names a data directory that is not the usual one', async () => {
			place.path = '/nowhere';
			await place.write('project/.mcp.json', '{"mcpServers":{"-a":{"command":"one"}}}');
			const data = join(place.root, 'data');
			await place.run('import', '--write', '--data', data);
			assert.deepEqual(parse(await place.read('project/.mcp.json')), {
				mcpServers: {
					'-a': {
						command: process.execPath,
						args: [join(process.cwd(), 'dist', 'cli.js'), 'connect', '--data', data, '--', '-a'],
					},
				},
			});
			assert.match(
				(await place.run('import', '--write', '--data', data)).stdout,
				/goes through the host already/,
			);
			await place.run('restore', '--data', data);
			assert.equal(await place.read('project/.mcp.json'), '{"mcpServers":{"-a":{"command":"one"}}}');
		});

		it('shares one server between clients that mean the same', async () => {
			await place.write('home/.cursor/mcp.json', '{"mcpServers":{"a":{"command":"one","args":["x"]}}}');
			await place.write('home/.codex/config.toml', '[mcp_servers.a]\ncommand = "one"\nargs = ["x"]\n');
			await place.run('import', '--write');
			const { servers } = await importedServers(place.data, { environment, homeFolder: place.home });
			assert.deepEqual(
				servers.map(({ name }) => name),
				['a'],
			);
		});

		it('has a sentence for a record that is damaged', async () => {
			await place.write(relative(place.root, join(place.data, 'servers.json')), '{"version": 1');
			const { code, stderr } = await place.run('restore');
			assert.equal(code, 2);
			assert.match(stderr, /servers\.json is damaged\. The originals .* are in .*backups\.\n$/);
			const { servers, problems } = await importedServers(place.data, { environment, homeFolder: place.home });
			assert.deepEqual(servers, []);
			assert.match(problems[0]?.message ?? '', /servers\.json is damaged\./);
		});
	});

	it('tells the host of a server whose variable is gone by then', async () => {
		await place.fill();
		await place.run('import', '--write', '--from', 'claude');
		const { servers, problems } = await importedServers(place.data, { environment: {}, homeFolder: place.home });
		assert.deepEqual(servers.map(({ name }) => name).sort(), ['analytics', 'analytics-2', 'local']);
		assert.equal(problems.length, 1);
		assert.match(problems[0]!.message, /^Server "docs" is left out\. The variable DOCS_TOKEN is not set/);
		const text = await readFile(join(place.data, 'servers.json'), 'utf8');
		assert.match(text.split('\n')[problems[0]!.line - 1] ?? '', /"docs": \{/);
	});

	describe('for any configuration', () => {
		const space = fc.constantFrom('', ' ', '\n', '\n\t', '  ');
		const comment = fc.constantFrom('', '', '', '/* c */', '// c\n', '\n  // "x": {\n');
		const gap = fc.tuple(space, comment, space).map((parts) => parts.join(''));
		const word = fc.constantFrom('a', 'b c', 'd"e', 'ü', '-f', '__proto__', '1');
		const scalar = fc.constantFrom('"x"', '"${HOME:-y}"', '12', 'true', '"C:\\\\x"', '"é\\u0041"');
		const property = fc.oneof(
			fc.constantFrom(
				'"args": ["1", /* two */ "2"]',
				'"env": { "A": "b" }',
				'"env": {\n "A": "b", // c\n}',
				'"type": "stdio"',
				'"cwd": "/x"',
				'"timeout": 5000',
				'"disabled": true',
				'"dev": { "watch": "x" }',
			),
			fc.tuple(fc.constantFrom('"alwaysLoad"', '"x-y"'), scalar).map(([key, value]) => `${key}: ${value}`),
		);
		const entry = fc
			.tuple(
				fc.constantFrom('"command": "one"', '"url": "http://localhost/x"', '"command": "two" /* c */'),
				fc.uniqueArray(property, { maxLength: 4, selector: (text) => text.split(':')[0] }),
				fc.nat(4),
				fc.array(fc.tuple(gap, gap), { minLength: 6, maxLength: 6 }),
				fc.boolean(),
			)
			.map(([main, others, at, gaps, hasTrailing]) => {
				const all = others.toSpliced(at, 0, main);
				const texts = all.map((text, index) => (gaps[index]?.[0] ?? '') + text + (gaps[index]?.[1] ?? ''));
				return `{${texts.join(',')}${hasTrailing ? ',' : ''}${gaps[5]?.[0] ?? ''}}`;
			});
		const json = fc
			.tuple(
				fc.uniqueArray(fc.tuple(word, entry, gap, gap), { maxLength: 4, selector: ([name]) => name }),
				gap,
				fc.boolean(),
				fc.boolean(),
			)
			.map(([entries, between, hasMark, isCrlf]) => {
				const servers = entries
					.map(([name, text, before, after]) => `${before}${JSON.stringify(name)}:${after}${text}`)
					.join(',');
				const text = `{${between}"mcpServers": {${servers}}${between}, "other": [1, {"x": null}]}`;
				return (hasMark ? '\uFEFF' : '') + (isCrlf ? text.replaceAll(/\r?\n/g, '\r\n') : text);
			});
		const tomlLine = fc.constantFrom(
			'args = ["1", "2"] # two',
			'args = [\n  "1", # one\n  "2",\n]',
			'env = { A = "b" }',
			'env.A = "b"\nenv."B.C" = \'d\' # c',
			'cwd = "/x"',
			'startup_timeout_sec = 1_0.5',
			'enabled = false',
			'# a comment',
			'',
			'  env_vars = ["X"]',
		);
		const tomlEntry = (name: string) =>
			fc.oneof(
				fc
					.tuple(
						fc.uniqueArray(tomlLine, { maxLength: 5, selector: (line) => line.trim().split(/[ .]/)[0] }),
						fc.nat(5),
						fc.constantFrom('command = "one"', "  command = 'one' # c", 'url = "http://localhost/x" # c'),
						fc.constantFrom(
							'',
							'[mcp_servers.NAME.tools.t]\nx = 1\n',
							'# env\n[mcp_servers.NAME.env]\nD = """\ne"""\n\n',
						),
					)
					.map(([lines, at, main, table]) => {
						const isUrl = main.startsWith('url');
						const kept = lines.filter(
							(line) =>
								!(isUrl && /^\s*(?:args|env|cwd)/.test(line)) &&
								!(line.startsWith('env') && /\.env\]/.test(table)),
						);
						const below = isUrl && /\.env\]/.test(table) ? '' : table;
						return `[mcp_servers.${name}] # head\n${[...kept.slice(0, at), main, ...kept.slice(at)].join('\n')}\n${below.replaceAll('NAME', name)}`;
					}),
				fc.constantFrom(
					`[mcp_servers]\n${name} = { command = "one", env = { A = "b" }, enabled = true } # c\n`,
					`[mcp_servers]\n${name}.command = "one" # c\n${name}.env.A = "b"\n`,
				),
			);
		const toml = fc
			.tuple(
				tomlEntry('a'),
				tomlEntry('"b c"'),
				fc.constantFrom('', 'model = "x" # m\n'),
				fc.constantFrom('', '[tail]\nx = 1_000\n'),
				fc.boolean(),
				fc.boolean(),
				fc.boolean(),
			)
			.map(([one, other, head, tail, hasBoth, isCrlf, hasEnd]) => {
				// The table [mcp_servers] may be opened once.
				const two =
					hasBoth && !(one.startsWith('[mcp_servers]') && other.startsWith('[mcp_servers]')) ? other : '';
				const text = (head + one + two + tail).replace(/\n$/, hasEnd ? '\n' : '');
				return isCrlf ? text.replaceAll('\n', '\r\n') : text;
			});

		for (const [format, path, arbitrary] of [
			['JSON', 'home/.cursor/mcp.json', json],
			['TOML', 'home/.codex/config.toml', toml],
		] as const) {
			it(`restores every byte of ${format}, and changes only what belongs to the servers`, async () => {
				await fc.assert(
					fc.asyncProperty(arbitrary, async (text) => {
						await place.write(path, text);
						const planned = await place.run('import', '--write');
						assert.equal(planned.stderr, '');
						assert.doesNotMatch(planned.stdout, /cannot be changed safely/);
						const after = await place.read(path);
						// Once more is nothing more.
						await place.run('import', '--write');
						assert.equal(await place.read(path), after);
						const restored = await place.run('restore');
						assert.equal(restored.code, 0);
						assert.equal(await place.read(path), text);
					}),
					{ numRuns: 60 },
				);
			});

			it(`restores ${format} that was changed since to what it would have been`, async () => {
				await fc.assert(
					fc.asyncProperty(arbitrary, async (text) => {
						await place.write(path, text);
						await place.run('import', '--write');
						const after = await place.read(path);
						if (after === text) return;
						const addition = format === 'JSON' ? '\n// later\n' : '\n[later]\nx = 1\n';
						await place.write(path, after + addition);
						const { code, stdout } = await place.run('restore');
						assert.equal(code, 0, stdout);
						const parsed = await readable(path, await place.read(path));
						assert.deepEqual(parsed, await readable(path, text + addition));
						// In JSON an entry is one piece, and comes back as it was.
						if (format === 'JSON') assert.equal(await place.read(path), text + addition);
					}),
					{ numRuns: 60 },
				);
			});
		}

		it('takes back its own in JSON, and keeps what was added to a server since', async () => {
			await fc.assert(
				fc.asyncProperty(json, async (text) => {
					await place.write('home/.cursor/mcp.json', text);
					await place.run('import', '--write');
					const after = await place.read('home/.cursor/mcp.json');
					await place.write(
						'home/.cursor/mcp.json',
						after.replaceAll('"command": "crosstalk"', '"added": [1], "command": "crosstalk"'),
					);
					const { code, stdout } = await place.run('restore');
					assert.equal(code, 0, stdout);
					const expected = serversIn(text);
					for (const [name, server] of Object.entries(serversIn(after)))
						if (server['command'] === 'crosstalk') expected[name]!['added'] = [1];
					assert.deepEqual(serversIn(await place.read('home/.cursor/mcp.json')), expected);
				}),
				{ numRuns: 60 },
			);
		});

		function serversIn(text: string): Record<string, Record<string, unknown>> {
			const parsed = parse(text.replace(/^\uFEFF/, ''), [], { allowTrailingComma: true }) as {
				mcpServers: Record<string, Record<string, unknown>>;
			};
			return parsed.mcpServers;
		}

		async function readable(path: string, text: string): Promise<unknown> {
			await place.write(`again/${path}`, text);
			const { servers, problems } = await readServerConfig(join(place.root, 'again', path), {
				environment: {},
				homeFolder: place.home,
				folder: place.home,
			});
			return {
				servers: servers.map(({ secrets, ...server }) => ({ ...server, secrets: secrets.length })),
				problems: problems.map(({ message }) => message).sort(),
			};
		}
	});
});

async function golden(name: string, text: string): Promise<void> {
	const path = join(fixtures, name);
	if (process.env['UPDATE_GOLDENS'] !== undefined) {
		await mkdir(dirname(path), { recursive: true });
		await writeFile(path, text);
	}
	assert.equal(text, await readFile(path, 'utf8'), path);
}

async function exists(path: string): Promise<boolean> {
	return stat(path).then(
		() => true,
		() => false,
	);
}
