import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hook } from '../../src/cli/commands/hook.ts';
import type { HookPlace } from '../../src/platform/node/host/hooks/claudeCodeSettings.ts';
import { planHooks, writeHooks } from '../../src/platform/node/host/hooks/hookFiles.ts';
import { placeAt } from '../../src/platform/node/host/hooks/hookTarget.ts';
import { hookTokenIn } from '../../src/platform/node/host/ownership.ts';
import { MemoryIo, run } from './memoryIo.ts';
import type { Ran } from './memoryIo.ts';

/** A folder with a project, a home and a data directory whose host is said to be at a port. */
class Place {
	readonly root: string;
	readonly project: string;
	readonly data: string;
	readonly settings: string;

	private constructor(root: string) {
		this.root = root;
		this.project = join(root, 'project');
		this.data = join(root, 'data');
		this.settings = join(this.project, '.claude', 'settings.local.json');
	}

	static async create(): Promise<Place> {
		const place = new Place(await realpath(await mkdtemp(join(tmpdir(), 'xtalk-hooks-'))));
		await mkdir(place.project);
		await mkdir(place.data, { mode: 0o700 });
		await place.claude('2.1.328');
		return place;
	}

	async hostAt(port: number): Promise<HookPlace> {
		const address = {
			url: `http://127.0.0.1:${port}`,
			token: 'host-secret',
			controlSocket: join(this.root, 'no-socket'),
			pid: 1,
			generation: 1,
			dataDir: this.data,
		};
		await writeFile(join(this.data, 'host.json'), JSON.stringify(address));
		return placeAt(address, { command: 'crosstalk', args: [], env: {} });
	}

	async install(place: HookPlace): Promise<void> {
		const planned = await planHooks(this.settings, place);
		assert.ok('diff' in planned);
		assert.equal(await writeHooks(this.data, planned), undefined);
	}

	/** A program of that name that says this of itself. */
	async claude(version: string): Promise<void> {
		await mkdir(join(this.root, 'bin'), { recursive: true });
		await writeFile(join(this.root, 'bin', 'claude'), `#!/bin/sh\necho '${version} (Claude Code)'\n`, {
			mode: 0o755,
		});
	}

	async run(...args: string[]): Promise<Ran> {
		const environment = { PATH: `${join(this.root, 'bin')}:/usr/bin:/bin` };
		const io = new MemoryIo({ workingFolder: this.project, homeFolder: this.root, environment });
		return run([...args, '--data', this.data], io);
	}

	async dispose(): Promise<void> {
		await rm(this.root, { recursive: true, force: true });
	}
}

describe('crosstalk hooks', () => {
	let place: Place;
	beforeEach(async () => (place = await Place.create()));
	afterEach(async () => place.dispose());

	it('shows what it would change, and changes nothing', async () => {
		await place.hostAt(4711);
		const { code, stdout, stderr } = await place.run('hooks', 'install');
		assert.deepEqual([code, stderr], [0, '']);
		assert.ok(stdout.startsWith(`Claude Code: ${place.settings}\n\n--- `), stdout);
		assert.match(stdout, /\+ .*"PreToolUse": .*http:\/\/127\.0\.0\.1:4711\/…\/hooks\/claude-code\?hold=3595/);
		assert.match(
			stdout,
			/Agents would tell the host of 30 kinds of events\. Nothing was changed; --write does it\.\n$/,
		);
		await assert.rejects(readFile(place.settings));
	});

	it('says that a host which has never run has no address yet', async () => {
		const { code, stderr } = await place.run('hooks', 'install');
		assert.deepEqual(
			[code, stderr],
			[0, 'crosstalk: The port in it will be that of the host, which has not run yet.\n'],
		);
	});

	for (const version of ['1.0.128', '2.0.50', '2.1.69', '2.1.164']) {
		it(`leaves the settings of Claude Code ${version} alone, which would read nothing of them any more`, async () => {
			await place.hostAt(4711);
			await place.claude(version);
			const { code, stdout, stderr } = await place.run('hooks', 'install');
			const sentence = `Claude Code ${version} is too old for these hooks: with them it would read nothing of a settings file.`;
			assert.deepEqual(
				[code, stdout, stderr],
				[2, '', `crosstalk: ${sentence} It has to be 2.1.165 or newer.\n`],
			);
		});
	}

	for (const version of ['2.1.165', '2.2.0', '3.0.0']) {
		it(`takes Claude Code ${version}`, async () => {
			await place.hostAt(4711);
			await place.claude(version);
			const { code, stderr } = await place.run('hooks', 'install');
			assert.deepEqual([code, stderr], [0, '']);
		});
	}

	it('says what it does not know where there is no Claude Code', async () => {
		await place.hostAt(4711);
		await rm(join(place.root, 'bin'), { recursive: true });
		const { code, stderr } = await place.run('hooks', 'install');
		assert.equal(code, 0);
		assert.match(stderr, /^crosstalk: There is no "claude" here that says its version\. One older than 2\.1\.165 /);
	});

	it('names what keeps hooks from running, wherever it stands', async () => {
		await place.hostAt(4711);
		await mkdir(join(place.project, '.claude'));
		const settings = join(place.project, '.claude', 'settings.json');
		await writeFile(settings, '{ "disableAllHooks": true }');
		const { stderr } = await place.run('hooks', 'install');
		assert.equal(stderr, `crosstalk: "disableAllHooks" in ${settings} keeps these hooks from running.\n`);
		const { stdout } = await place.run('hooks', 'status');
		assert.match(stdout, /"disableAllHooks" in it keeps them from running\./);
	});

	it('says with file and line why a file is left alone', async () => {
		await mkdir(join(place.project, '.claude'));
		await writeFile(place.settings, '{\n  // mine\n}');
		const sentence = 'It has comments. Claude Code reads nothing of a file like this; mend it first.';
		assert.deepEqual(await place.run('hooks', 'install'), {
			code: 2,
			stdout: '',
			stderr: `crosstalk: ${place.settings}:2: ${sentence}\n`,
		});
		const { code, stdout } = await place.run('hooks', 'install', '--json');
		assert.deepEqual(
			[code, JSON.parse(stdout)],
			[2, { version: 1, problems: [{ path: place.settings, line: 2, message: sentence }] }],
		);
	});

	it('knows what is installed, whether it leads to the host, and takes it out', async () => {
		const empty = await place.run('hooks', 'status');
		assert.equal(
			empty.stdout,
			'No hooks of Crosstalk are installed here.\nNo host is running; the next session to begin here starts it.\n',
		);
		await place.install(await place.hostAt(4711));
		assert.match(
			(await place.run('hooks', 'status')).stdout,
			/^Claude Code: .*\n {2}30 kinds of events go to the host\.\nNo host/,
		);
		await place.hostAt(4712);
		assert.match((await place.run('hooks', 'status')).stdout, /They lead to where the host is not\./);
		const { files } = JSON.parse((await place.run('hooks', 'status', '--json')).stdout) as {
			files: { path: string; isCurrent: boolean; missing: string[] }[];
		};
		assert.deepEqual(
			files.map(({ path, isCurrent, missing }) => [path, isCurrent, missing]),
			[[place.settings, false, []]],
		);
		assert.deepEqual(await place.run('hooks', 'remove'), {
			code: 0,
			stdout: `Claude Code: ${place.settings}\n  The file is as it was before, byte for byte.\n`,
			stderr: '',
		});
		assert.match((await place.run('hooks', 'remove')).stdout, /There are no hooks of Crosstalk in it\./);
	});

	it('takes them out of every project of the data directory, or of the one that is named', async () => {
		const host = await place.hostAt(4711);
		await place.install(host);
		const other = join(place.root, 'other');
		await mkdir(other);
		assert.match(
			(await place.run('hooks', 'remove', '--project', other)).stdout,
			/other.*\n {2}There are no hooks/,
		);
		const io = new MemoryIo({ workingFolder: other, homeFolder: place.root });
		const { stdout } = await run(['hooks', 'remove', '--data', place.data], io);
		assert.match(stdout, /project.*\n {2}The file is as it was before/);
	});

	for (const [args, sentence] of [
		[['hooks'], 'It has to be said what is to be done: install, remove or status.'],
		[
			['hooks', 'instal'],
			'What is to be done is one of install, remove, status; it cannot be "instal". Did you mean "install"?',
		],
		[['hooks', 'install', 'now'], '"now" is one argument too many.'],
		[['hooks', 'remove', '--write'], '--write is for "install" alone.'],
		[['hooks', 'install', '--user', '--project', 'x'], '--user and --project exclude each other.'],
	] as const) {
		it(`says what is wrong with: ${args.join(' ')}`, async () => {
			const { code, stderr } = await place.run(...args);
			assert.deepEqual([code, stderr.split('\n')[0]], [2, `crosstalk: ${sentence}`]);
		});
	}

	it('says that there is no such project', async () => {
		const missing = join(place.root, 'missing');
		const { code, stderr } = await place.run('hooks', 'install', '--project', missing);
		assert.deepEqual([code, stderr], [2, `crosstalk: There is no folder ${missing}.\n`]);
	});
});

describe('crosstalk hook', () => {
	let place: Place;
	let server: Server;
	const posted: string[] = [];

	async function serve(answer: string | undefined): Promise<void> {
		server = createServer((request, response) => {
			let body = '';
			request.setEncoding('utf8').on('data', (text: string) => (body += text));
			request.on('end', () => {
				posted.push(`${request.method} ${request.url} ${body}`);
				if (answer !== undefined) response.end(answer);
			});
		});
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		// A TCP server has an address of this kind.
		await place.hostAt((server.address() as AddressInfo).port);
	}

	async function send(body: string, ...args: string[]): Promise<Ran> {
		const io = new MemoryIo({ workingFolder: place.project, homeFolder: place.root });
		io.pipe.input.end(body);
		const code = await hook.run(['claude-code', '--data', place.data, ...args], io);
		return { code, stdout: io.stdout.text, stderr: io.stderr.text };
	}

	beforeEach(async () => {
		place = await Place.create();
		posted.length = 0;
	});
	afterEach(async () => {
		server?.closeAllConnections();
		server?.close();
		await place.dispose();
	});

	it('brings an event to the host, and says nothing where that has nothing to say', async () => {
		await serve('{}');
		assert.deepEqual(await send('{"a":1}'), { code: 0, stdout: '', stderr: '' });
		// Where the host was somebody else may listen by now: he does not learn what lets in to the servers.
		assert.deepEqual(posted, [`POST /${await hookTokenIn(place.data)}/hooks/claude-code {"a":1}`]);
	});

	it('prints what the host answers', async () => {
		await serve('{"hookSpecificOutput":{}}');
		assert.deepEqual(await send('{"a":1}', '--hold', '30'), {
			code: 0,
			stdout: '{"hookSpecificOutput":{}}',
			stderr: '',
		});
		assert.deepEqual(posted, [`POST /${await hookTokenIn(place.data)}/hooks/claude-code?hold=30 {"a":1}`]);
	});

	it('says nothing and ends well where there is no host', async () => {
		assert.deepEqual(await send('{"a":1}'), { code: 0, stdout: '', stderr: '' });
		// A host that was killed leaves its address behind.
		await place.hostAt(1);
		assert.deepEqual(await send('{"a":1}'), { code: 0, stdout: '', stderr: '' });
		await writeFile(join(place.data, 'host.json'), 'damaged');
		assert.deepEqual(await send('{"a":1}'), { code: 0, stdout: '', stderr: '' });
	});

	it('does not wait for a host that says nothing', async () => {
		await serve(undefined);
		assert.deepEqual(await send('{"a":1}'), { code: 0, stdout: '', stderr: '' });
		assert.equal(posted.length, 1);
	});

	for (const args of [['--hold', 'x'], ['--nonsense'], ['again']]) {
		it(`keeps no agent from its work by ${args.join(' ')}`, async () => {
			await serve('{}');
			const { code, stdout, stderr } = await send('{"a":1}', ...args);
			// An agent that is answered with 2 stops what it does.
			assert.deepEqual([code, stdout], [1, '']);
			assert.match(stderr, /^crosstalk: /);
		});
	}

	it('posts nothing where the agent has nothing to say', async () => {
		await serve('{}');
		assert.deepEqual(await send(''), { code: 0, stdout: '', stderr: '' });
		assert.deepEqual(posted, []);
	});
});
