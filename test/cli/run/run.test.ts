// `crosstalk run` as a process, around an agent that only writes down how it was started.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { HostStatus } from '../../../src/core/host/status.ts';
import { attach } from '../../../src/platform/node/host/attach.ts';

const program = join(import.meta.dirname, '..', '..', '..', 'src', 'cli', 'bin.ts');

interface Run {
	readonly process: ChildProcess;
	readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

describe('crosstalk run', () => {
	let folder: string;
	let data: string;

	beforeEach(async () => {
		folder = await realpath(await mkdtemp(join(tmpdir(), 'xtalk-run-')));
		data = join(folder, 'data');
		await mkdir(join(folder, 'home'));
		const entry = { command: process.execPath, args: ['server.js'], env: { KEY: 'a long secret' } };
		await writeFile(join(folder, '.mcp.json'), JSON.stringify({ mcpServers: { files: entry } }));
	});
	afterEach(async () => {
		const control = await attach({ directory: data, client: 'test' });
		// It may end before it answers.
		await control?.request('host/stop', { isForced: true }).catch(() => undefined);
		control?.dispose();
		await rm(folder, { recursive: true, force: true, maxRetries: 5 });
	});

	/** An agent that does this, in the language of the shell. */
	async function agent(script: string): Promise<string> {
		const path = join(folder, 'claude');
		// Asked for its version it does nothing else.
		const version = `[ "$1" = --version ] && { echo '2.1.328 (Claude Code)'; exit; }`;
		await writeFile(path, `#!/bin/sh\n${version}\n${script}\n`);
		await chmod(path, 0o755);
		return path;
	}

	function start(args: readonly string[], input = '', path = process.env['PATH']): Run {
		const child = spawn(process.execPath, ['--no-warnings', program, 'run', ...args], {
			cwd: folder,
			env: { HOME: join(folder, 'home'), PATH: path, MINE: 'kept' },
			stdio: 'pipe',
		});
		let stdout = '';
		let stderr = '';
		child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
		child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
		// It may have ended before it is written to.
		child.stdin.on('error', () => undefined);
		child.stdin.end(input);
		const ended = once(child, 'close').then(([code]: (number | null)[]) => ({
			code: code ?? null,
			stdout,
			stderr,
		}));
		return { process: child, ended };
	}

	async function status(): Promise<HostStatus> {
		const control = await attach({ directory: data, client: 'test' });
		assert.ok(control, 'no host');
		try {
			return await control.request('host/status', {});
		} finally {
			control.dispose();
		}
	}

	async function until(path: string): Promise<string> {
		for (const deadline = Date.now() + 60_000; ; await delay(20)) {
			const text = await readFile(path, 'utf8').catch(() => '');
			if (text !== '') return text;
			if (Date.now() > deadline) throw new Error(`Nobody has written ${path}.`);
		}
	}

	it('gives the agent its input, output, environment and folder, and its exit code to whoever asked', async () => {
		const claude = await agent('read line; echo "$line $MINE $PWD"; echo oops >&2; exit 7');
		const { code, stdout, stderr } = await start(['--data', data, '--', claude, '-p', 'go'], 'typed\n').ended;
		assert.deepEqual([code, stdout, stderr], [7, `typed kept ${folder}\n`, 'oops\n']);
	});

	it('hands it the servers and the hooks in files that nobody else can read, and takes both back at the end', async () => {
		const claude = await agent(
			`for arg; do case "$arg" in --*=/*) cp "\${arg#*=}" ${folder}/; ls -l "\${arg#*=}" >> ${folder}/modes;; esac; done`,
		);
		const { code, stderr } = await start(['--data', data, claude, '-p', 'go']).ended;
		assert.deepEqual([code, stderr], [0, '']);
		const given = await readFile(join(folder, 'mcp.json'), 'utf8');
		assert.match(
			given,
			/"files":\{"type":"stdio","command":"[^"]+","args":\["[^"]+","connect","--data","[^"]+","--intent","headless","files"\]/,
		);
		assert.doesNotMatch(given, /secret|127\.0\.0\.1/);
		assert.match(await readFile(join(folder, 'settings.json'), 'utf8'), /\/hooks\/claude-code"/);
		const modes = (await readFile(join(folder, 'modes'), 'utf8')).trim().split('\n');
		assert.deepEqual(
			modes.map((line) => line.slice(0, 10)),
			['-rw-------', '-rw-------'],
		);
		assert.deepEqual(await readdir(join(data, 'runs')), []);
		assert.equal((await stat(join(data, 'runs'))).mode & 0o077, 0);
		assert.deepEqual((await status()).servers, []);
	});

	it('tells the host of the servers for as long as the agent runs, also the next host', async () => {
		const claude = await agent(`echo ready > ${folder}/ready; while [ ! -e ${folder}/go ]; do sleep 0.05; done`);
		const run = start(['--data', data, claude, '-p', 'go']);
		await until(join(folder, 'ready'));
		const first = await status();
		assert.deepEqual(
			first.servers.map(({ name }) => name),
			['files'],
		);
		process.kill(first.host.pid, 'SIGKILL');
		for (const deadline = Date.now() + 60_000; ; await delay(50)) {
			const next = await status().catch(() => undefined);
			if (next !== undefined && next.host.pid !== first.host.pid && next.servers.length === 1) break;
			assert.ok(Date.now() < deadline, 'no other host has the servers');
		}
		await writeFile(join(folder, 'go'), '');
		assert.equal((await run.ended).code, 0);
		assert.deepEqual((await status()).servers, []);
	});

	it('is ended by a signal as the agent is', async () => {
		const claude = await agent('kill -TERM $$');
		assert.equal((await start(['--data', data, claude, '-p', 'go']).ended).code, 128 + 15);
	});

	for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
		it(`passes ${signal} on and waits for the agent to end`, async () => {
			const claude = await agent(
				`trap 'echo bye; exit 5' ${signal.slice(3)}; echo ready > ${folder}/ready; while :; do sleep 0.05; done`,
			);
			const run = start(['--data', data, claude, '-p', 'go']);
			await until(join(folder, 'ready'));
			run.process.kill(signal);
			const { code, stdout } = await run.ended;
			assert.deepEqual([code, stdout], [5, 'bye\n']);
			assert.deepEqual(await readdir(join(data, 'runs')), []);
		});
	}

	it('takes away what a run that was killed has left', async () => {
		await mkdir(join(data, 'runs', '4999999-old'), { recursive: true });
		await writeFile(join(data, 'runs', '4999999-old', 'mcp.json'), '{}');
		assert.equal((await start(['--data', data, await agent('exit 0'), '-p', 'go']).ended).code, 0);
		assert.deepEqual(await readdir(join(data, 'runs')), []);
	});

	it('does not start the agent where no host can be had, and says why', async () => {
		await writeFile(data, 'no folder');
		const claude = await agent(`echo started > ${folder}/ready`);
		const { code, stdout, stderr } = await start(['--data', data, claude, '-p', 'go']).ended;
		assert.deepEqual([code, stdout], [2, '']);
		assert.match(stderr, /^crosstalk: The data directory .+\n$/);
		await assert.rejects(readFile(join(folder, 'ready')));
		await rm(data);
	});

	for (const command of ['./claude', './codex', 'codex']) {
		it(`says that there is no such program, in one sentence, and starts no host for it: ${command}`, async () => {
			// What is wrong with the servers matters to nobody then.
			await writeFile(join(folder, '.mcp.json'), JSON.stringify({ mcpServers: { files: { command: 7 } } }));
			const { code, stdout, stderr } = await start(['--data', data, '--', command, 'go'], '', folder).ended;
			assert.equal(stderr, `crosstalk: "${command}" cannot be started: there is no such program.\n`);
			assert.deepEqual([code, stdout], [2, '']);
			await assert.rejects(stat(data));
		});
	}

	it('says that a file of that name is no program', async () => {
		await writeFile(join(folder, 'codex'), '');
		const { code, stderr } = await start(['--data', data, '--', './codex', 'exec', 'go']).ended;
		assert.equal(stderr, 'crosstalk: "./codex" cannot be started: it is no program that may be started.\n');
		assert.equal(code, 2);
	});

	it('leaves it to Codex to say that there is no such folder', async () => {
		await writeFile(join(folder, 'codex'), '#!/bin/sh\necho "no folder: $*" >&2\nexit 7\n');
		await chmod(join(folder, 'codex'), 0o755);
		const { code, stderr } = await start(['--data', data, '--', './codex', '-C', 'nowhere', 'exec', 'go']).ended;
		assert.equal(code, 7);
		assert.match(stderr, /^no folder: -C nowhere exec go$/m);
	});

	it('starts what begins no session as it is, and no host', async () => {
		const claude = await agent('echo "$@"');
		const { code, stdout } = await start(['--data', data, claude, 'mcp', 'list', '--help']).ended;
		assert.deepEqual([code, stdout], [0, 'mcp list --help\n']);
		await assert.rejects(stat(data));
	});

	it('takes the options before the command for its own, and those behind it for the agent’s', async () => {
		const { code, stdout } = await start(['--help', 'claude']).ended;
		assert.equal(code, 0);
		assert.match(stdout, /^Usage: crosstalk run /);
		const claude = await agent('echo "$@"');
		assert.equal(
			(await start(['--as', 'claude', '--', claude, '--version']).ended).stdout,
			'2.1.328 (Claude Code)\n',
		);
	});

	for (const [args, sentence] of [
		[[], 'The command of an agent is needed.'],
		[['bash'], '"bash" is neither claude nor codex; if it is one of them by another name, say so with --as.'],
		[['--as', 'cursor', 'x'], '--as is one of claude, codex; it cannot be "cursor".'],
		[['--env', 'NOT_SET', 'claude'], '--env: there is no variable "NOT_SET".'],
		[['--env'], 'The option --env needs a value.'],
		[['--fast', 'claude'], 'There is no option --fast.'],
	] as const) {
		it(`refuses: crosstalk run ${args.join(' ')}`, async () => {
			const { code, stderr } = await start(args).ended;
			assert.deepEqual([code, stderr], [2, `crosstalk: ${sentence}\nTry: crosstalk run --help\n`]);
		});
	}
});
