import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
	closeSync,
	cpSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readFileSync,
	readdirSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MemoryIo, run } from './memoryIo.ts';

const bin = new URL('../../src/cli/bin.ts', import.meta.url).pathname;

describe('crosstalk', () => {
	it('tells its version', async () => {
		const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
		assert.deepEqual(await run(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
	});

	it('has help for itself and for every command', async () => {
		for (const args of [
			['--help'],
			['lint', '--help'],
			['show', 'x', '-h'],
			['sessions', '--help'],
			['help', 'lint'],
			['simulate', '-h'],
		]) {
			const { code, stdout, stderr } = await run(args);
			assert.deepEqual([code, stderr], [0, '']);
			assert.match(stdout, /^Usage: crosstalk .*\n[\s\S]*Exit code: 0 /);
			assert.ok(
				stdout.split('\n').every((line) => line.length <= 100),
				stdout,
			);
		}
	});

	for (const [args, sentence] of [
		[['frob'], 'There is no command "frob".'],
		[['help', 'frob'], 'There is no command "frob".'],
		[['constructor'], 'There is no command "constructor".'],
		[['--frob'], 'There is no option --frob.'],
		[['lnit'], 'There is no command "lnit". Did you mean "lint"?'],
		[['--verson'], 'There is no option --verson. Did you mean "--version"?'],
		[['lint', '--fromat', 'json'], 'There is no option --fromat. Did you mean "--format"?'],
		[
			['lint', '--rule', 'orphaned-tool-us=off'],
			'There is no rule "orphaned-tool-us". Did you mean "orphaned-tool-use"?',
		],
		[
			['lint', '--format', 'jsno'],
			'--format is one of text, json, sarif, junit, github; it cannot be "jsno". Did you mean "json"?',
		],
		[['lint', '--frob'], 'There is no option --frob.'],
		[['lint', '-x'], 'There is no option -x.'],
		[['lint', '--format'], 'The option --format needs a value.'],
		[['lint', '--format', '--watch'], 'The option --format needs a value.'],
		[['lint', '--watch=yes'], 'The option --watch takes no value.'],
		[['lint', '--format', 'xml'], '--format is one of text, json, sarif, junit, github; it cannot be "xml".'],
		[['lint', '--json', '--format', 'sarif'], '--json and --format sarif contradict each other.'],
		[['lint', '--fail-on', 'info'], '--fail-on is one of note, warning, error, never; it cannot be "info".'],
		[['lint', '--rule', 'nope=off'], 'There is no rule "nope".'],
		[
			['lint', '--rule', 'damaged-line'],
			'--rule needs a rule\'s id and a level, as in orphaned-tool-use=warning; it cannot be "damaged-line".',
		],
		[
			['lint', '--rule', 'damaged-line=loud'],
			'--rule damaged-line is one of off, note, warning, error; it cannot be "loud".',
		],
		[['lint', '--as', 'cursor'], '--as is one of claude-code, codex; it cannot be "cursor".'],
		[['lint', '--assume', 'dead'], '--assume is one of auto, live, ended; it cannot be "dead".'],
	] as const) {
		it(`refuses ${args.join(' ')} in one sentence`, async () => {
			const { code, stdout, stderr } = await run(args);
			const [first, hint, ...more] = stderr.split('\n');
			assert.deepEqual([code, stdout, first, more], [2, '', `crosstalk: ${sentence}`, ['']]);
			assert.match(hint ?? '', /^Try: crosstalk (lint )?--help$/);
		});
	}

	for (const [args, sentence] of [
		[
			['fault', 'preset', 'casade'],
			'The preset is one of cascade, compaction, scope; it cannot be "casade". Did you mean "cascade"?',
		],
		[['fault', 'amr'], '"amr" is none of arm, list, disarm, preset. Did you mean "arm"?'],
	] as const) {
		it(`says what may be meant by ${args.join(' ')}`, async () => {
			const { code, stderr } = await run(args);
			assert.deepEqual([code, stderr.split('\n')[0]], [2, `crosstalk: ${sentence}`]);
		});
	}

	it('shows its help where no command is given, and fails', async () => {
		const { code, stdout, stderr } = await run([]);
		assert.deepEqual([code, stdout], [2, '']);
		assert.match(stderr, /^Usage: crosstalk <command>/);
	});

	it('says what is wrong in words that move no cursor, whoever they come from', async () => {
		const { stderr } = await run(['lint', '--\u001b]0;x\u0007\u202e']);
		assert.match(stderr, /^crosstalk: There is no option --\ufffd\]0;x\ufffd\ufffd/);
	});

	it('shows a bug with its stack and says where to report it', async () => {
		const io = new MemoryIo();
		io.stdout.write = () => {
			throw new TypeError('This is broken.');
		};
		const { code, stderr } = await run(['lint', 'examples/recorded'], io);
		assert.equal(code, 2);
		assert.match(
			stderr,
			/^TypeError: This is broken\.\n {4}at [\s\S]*\n\nThis is a bug in Crosstalk\. Please report it, with the lines above and the version \d/,
		);
	});

	it('is still there to say so when its own manifest is what is broken', async () => {
		const io = new MemoryIo();
		Object.defineProperty(io, 'installation', { value: pathToFileURL('/nowhere/') });
		const { code, stderr } = await run(['--version'], io);
		assert.equal(code, 2);
		assert.match(stderr, /This is a bug in Crosstalk\./);
	});

	it('draws a progress bar for a person who waits, and leaves no trace of it', async () => {
		const folder = mkdtempSync(join(tmpdir(), 'crosstalk-progress-'));
		const line = `{"parentUuid":null,"isSidechain":false,"cwd":"/home/dev/shop","sessionId":"s","version":"2.1.150","type":"user","message":{"role":"user","content":"${'x'.repeat(60_000)}"},"uuid":"u","timestamp":"2026-11-20T10:00:00.000Z"}\n`;
		for (let number = 0; number < 8; number++)
			writeFileSync(join(folder, `5ca1ab1e-0000-4000-8000-00000000000${number}.jsonl`), line.repeat(20));
		const io = new MemoryIo({ environment: { TERM: 'xterm' } });
		io.stderr.isTerminal = true;
		// A slow disk: every file takes its time.
		const { files } = io.platform;
		const open = files.open.bind(files);
		files.open = async (path) => {
			await new Promise((resolve) => setTimeout(resolve, 200));
			return open(path);
		};
		const { stderr } = await run(['lint', folder], io);
		rmSync(folder, { recursive: true });
		const clear = '\r\u001b[K';
		assert.ok(stderr.startsWith(clear) && stderr.endsWith(clear), stderr);
		assert.match(stderr, /Reading █*░* \d+ % of \d+ MB/);
	});

	it('is silent when the reader of its output has seen enough', async () => {
		const child = spawn(process.execPath, [bin, 'show', 'examples/recorded/.codex', '--full', '--json'], {
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		child.stdout.destroy();
		let stderr = '';
		child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
		await once(child, 'close');
		assert.equal(stderr, '');
	});

	it('says in one sentence that its output cannot be written, and does not claim to have found something', () => {
		// Linux alone has a disk that is always full.
		if (process.platform !== 'linux') return;
		const full = openSync('/dev/full', 'w');
		try {
			const { status, stderr } = spawnSync(
				process.execPath,
				[bin, 'lint', 'test/fixtures/cli/projects', '--fail-on', 'warning'],
				{
					encoding: 'utf8',
					stdio: ['ignore', full, 'pipe'],
				},
			);
			assert.deepEqual([status, stderr], [2, 'crosstalk: The output cannot be written: the disk is full.\n']);
		} finally {
			closeSync(full);
		}
	});

	it('gives its exit code to the system', async () => {
		const codes: unknown[] = [];
		for (const args of [
			['lint', 'test/fixtures/cli/projects', '--fail-on', 'never'],
			['lint', 'test/fixtures/cli/projects', '--fail-on', 'warning'],
			['lint', 'nowhere'],
		]) {
			const child = spawn(process.execPath, [bin, ...args], { stdio: 'ignore' });
			// The event's first argument is the code.
			codes.push(((await once(child, 'close')) as unknown[])[0]);
		}
		assert.deepEqual(codes, [0, 1, 2]);
	});

	it('leaves no folder behind of a preset that was stopped', async () => {
		const out = mkdtempSync(join(tmpdir(), 'crosstalk-preset-'));
		try {
			const child = spawn(process.execPath, [bin, 'fault', 'preset', 'compaction', '--out', out], {
				stdio: ['ignore', 'ignore', 'pipe'],
			});
			child.stderr.once('data', () => child.kill('SIGINT'));
			// The event's first argument is the code.
			const [code] = (await once(child, 'close')) as unknown[];
			// Windows ends a process at once, whatever the signal.
			if (process.platform !== 'win32') assert.deepEqual([code, readdirSync(join(out, 'compaction'))], [2, []]);
		} finally {
			rmSync(out, { recursive: true, force: true });
		}
	});

	it('refuses a named pipe at once, where a plain open would wait for ever', () => {
		// Windows has no such files.
		if (process.platform === 'win32') return;
		const folder = mkdtempSync(join(tmpdir(), 'crosstalk-cli-'));
		const pipe = join(folder, 'pipe.jsonl');
		execFileSync('sh', ['-c', 'mkfifo "$0"', pipe]);
		try {
			for (const command of ['lint', 'show']) {
				const { status, stdout, stderr } = spawnSync(process.execPath, [bin, command, pipe], {
					encoding: 'utf8',
					timeout: 60_000,
					killSignal: 'SIGKILL',
				});
				assert.deepEqual([status, stdout, stderr], [2, '', `crosstalk: ${pipe}: It is no regular file.\n`]);
			}
		} finally {
			rmSync(folder, { recursive: true, force: true });
		}
	});

	it('refuses a configuration that is a named pipe or a device at once, and takes one that a shell hands over', () => {
		// Windows has no such files.
		if (process.platform === 'win32') return;
		const folder = mkdtempSync(join(tmpdir(), 'crosstalk-cli-'));
		const home = join(folder, 'home');
		cpSync('examples/recorded', home, { recursive: true });
		const pipes = [
			'c',
			'd/host.json',
			'home/.claude.json',
			'home/.claude/settings.json',
			'home/.claude/sessions/1.json',
		];
		for (const pipe of pipes) mkdirSync(join(folder, pipe, '..'), { recursive: true });
		execFileSync('sh', ['-c', 'mkfifo "$@"', 'sh', ...pipes], { cwd: folder });
		const at = (...args: readonly string[]) => {
			const { status, stderr } = spawnSync(process.execPath, [bin, ...args], {
				cwd: folder,
				env: { PATH: process.env['PATH'], HOME: home },
				encoding: 'utf8',
				timeout: 60_000,
				killSignal: 'SIGKILL',
			});
			return [status, stderr];
		};
		const refused = (sentence: string) => [2, `crosstalk: ${sentence}: it is no regular file.\n`];
		try {
			const killed = '4286b68e';
			assert.deepEqual(at('lint', '--config', 'c', home), refused('The configuration c cannot be read'));
			assert.deepEqual(
				at('lint', '--config', '/dev/zero', home),
				refused('The configuration /dev/zero cannot be read'),
			);
			const config = refused(`The configuration ${join(folder, 'c')} cannot be read`);
			assert.deepEqual(at('host', '--data', 'e', '--config', 'c'), config);
			assert.deepEqual(at('replay', killed, '--config', 'c'), config);
			assert.deepEqual(at('status', '--data', 'd'), refused(`${join(folder, 'd', 'host.json')} cannot be read`));
			assert.deepEqual(
				at('import', '--from', 'claude'),
				refused(`${join(home, '.claude.json')}: It cannot be read`),
			);
			assert.deepEqual(
				at('hooks', 'status', '--user'),
				refused(`${join(home, '.claude', 'settings.json')}: It cannot be read`),
			);
			// What an agent should have told of its processes is of no use: nothing else is lost.
			assert.deepEqual(at('sessions'), [0, '']);
			assert.deepEqual(at('show', killed), [0, '']);
			const { status, stdout } = spawnSync(
				'bash',
				[
					'-c',
					'"$0" "$1" lint --config <(echo "{ \\"failOn\\": \\"never\\" }") "$2"',
					process.execPath,
					bin,
					home,
				],
				{ encoding: 'utf8' },
			);
			assert.equal(status, 0, stdout);
			assert.match(stdout, /^3 errors\.$/m);
		} finally {
			rmSync(folder, { recursive: true, force: true });
		}
	});
});
