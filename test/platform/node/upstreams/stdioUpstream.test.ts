import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Observed } from './observed.ts';

const node = process.execPath;
const isWindows = process.platform === 'win32';
const ping = (id: number) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`;

/** A server that is this script. */
function serve(script: string, env: Record<string, string> = {}): Observed {
	return new Observed({ kind: 'stdio', command: node, args: ['-e', script], env });
}

const echo = `process.stdin.on('data', (chunk) => process.stdout.write(chunk));`;

function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
	} catch {
		return false;
	}
	if (process.platform !== 'linux') return true;
	// What was killed and has no parent that waits for it is a zombie.
	const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : ') Z';
	return !/\) [ZX]/.test(stat);
}

async function untilGone(pid: number): Promise<void> {
	const deadline = Date.now() + 20_000;
	while (isRunning(pid)) {
		assert.ok(Date.now() < deadline, `${pid} still runs`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

describe('a server on stdio', () => {
	let folder: string;
	before(() => {
		folder = mkdtempSync(join(tmpdir(), 'crosstalk-stdio-'));
	});
	after(() => rmSync(folder, { recursive: true }));

	it('gets messages that were sent before it was there, each on one line and in order', async () => {
		const server = serve(echo);
		assert.deepEqual(server.told, []);
		for (let id = 1; id <= 3; id++) server.send(id, 'ping');
		await server.until(() => server.messages.length === 3);
		assert.deepEqual(server.told, ['opened', ...[1, 2, 3].map((id) => `message ${ping(id)}`)]);
		await server.transport.close();
		assert.equal(server.told.at(-1), 'closed 0: The connection was closed.');
	});

	it('gets and gives messages of any length, byte for byte', async () => {
		const server = serve(echo);
		const lengths = [1, 60_000, 65_536, 70_000, 1_000_000, 20_000_000];
		const sent = lengths.map((length) => JSON.stringify({ text: 'é'.repeat(length / 2), length }));
		for (const text of sent) server.transport.send(Buffer.from(text), undefined);
		await server.until(() => server.messages.length === sent.length, 60_000);
		for (const [index, message] of server.messages.entries())
			assert.ok(message.equals(Buffer.from(sent[index]!)), `message ${index}`);
		await server.transport.close();
	});

	it('has only the allowed part of the environment, and what its definition gives', async () => {
		process.env['CROSSTALK_TEST_SECRET'] = 'secret';
		const server = serve(`console.log(JSON.stringify(process.env))`, { OWN: 'yes', TERM: 'own' });
		await server.until(() => server.messages.length === 1);
		delete process.env['CROSSTALK_TEST_SECRET'];
		// JSON.parse gives `any`; an environment is a map of strings.
		const environment = JSON.parse(server.messages[0]!.toString()) as Record<string, string>;
		assert.equal(environment['OWN'], 'yes');
		assert.equal(environment['TERM'], 'own');
		assert.equal(environment['PATH'], process.env['PATH']);
		assert.equal(environment['CROSSTALK_TEST_SECRET'], undefined);
		await server.transport.close();
	});

	it('is never started through a shell', async () => {
		const server = new Observed({
			kind: 'stdio',
			command: node,
			args: [
				'-e',
				`console.log(JSON.stringify({ args: process.argv.slice(1) }))`,
				'$(exit 1); & | "%PATH%" `id` \n',
			],
			env: {},
		});
		await server.until(() => server.messages.length === 1);
		assert.deepEqual(JSON.parse(server.messages[0]!.toString()), { args: ['$(exit 1); & | "%PATH%" `id` \n'] });
		await server.transport.close();
	});

	const answer = `process.stdin.once('data', () => {`;
	const table: readonly [name: string, script: string, expected: (string | RegExp)[]][] = [
		[
			'prints noise, blank lines, Windows line ends and a byte order mark',
			`process.stdout.write('starting…\\n\\n \\r\\n{"a":1}\\r\\n\\ufeff{"b":2}\\n  {"c":3}\\n[1]\\n"x"\\n'); process.stdin.resume()`,
			['noise starting…', 'message {"a":1}', 'message {"b":2}', 'message {"c":3}', 'noise [1]', 'noise "x"'],
		],
		[
			'prints a long line that is no message',
			`process.stdout.write('x'.repeat(100000) + '\\n'); process.stdin.resume()`,
			[/^noise x{200}$/],
		],
		[
			'ends without a line end after its last message',
			`process.stdout.write('{"a":1}')`,
			['message {"a":1}', /^closed 0: The server's process \(.*\) ended with exit code 0\.$/],
		],
		[
			'ends in the middle of a message',
			`process.stdout.write('{"a":1}\\n{"b":')`,
			['message {"a":1}', 'noise {"b":', /^closed 0: /],
		],
		['ends with an error', `process.exit(3)`, [/^closed 3: .* ended with exit code 3\.$/]],
		[
			'prints much and ends at once: all of it counts',
			`process.stdout.write('{"a":1}\\n'.repeat(3000) + '{"last":1}\\n', () => process.exit(1))`,
			['message {"last":1}', /^closed 1: /],
		],
		...(isWindows
			? []
			: ([
					[
						'is killed',
						`process.kill(process.pid, 'SIGKILL')`,
						[/^closed SIGKILL: .* was ended by the signal SIGKILL\.$/],
					],
					[
						'closes its stdout and lives on',
						`require('fs').closeSync(1); process.stdin.resume(); setInterval(() => {}, 1000)`,
						[/^closed SIGTERM: .* closed its output without ending, so it was ended\.$/],
					],
				] as [string, string, RegExp[]][])),
		[
			'sends a message of 65 MB whose id comes first',
			`${answer} process.stdout.write('{"jsonrpc":"2.0","id":1,"result":{"x":"' + 'y'.repeat(65 << 20) + '"}}\\n{"b":2}\\n') })`,
			['failed 1 (may have run): The server sent a message of 65 MB; the limit is 64 MB.', 'message {"b":2}'],
		],
		[
			'sends a message of 65 MB whose id comes last',
			`${answer} process.stdout.write('{"result":{"x":"' + 'y'.repeat(65 << 20) + '","id":7},"id":1,"jsonrpc":"2.0"}\\n{"b":2}\\n') })`,
			['failed 1 (may have run): The server sent a message of 65 MB; the limit is 64 MB.', 'message {"b":2}'],
		],
		[
			'sends a request of 65 MB, which answers nothing',
			`${answer} process.stdout.write('{"jsonrpc":"2.0","id":1,"method":"x","params":"' + 'y'.repeat(65 << 20) + '"}\\n{"b":2}\\n') })`,
			[
				/^noise The server sent a message of 65 MB; the limit is 64 MB\. It begins with: \{"jsonrpc"/,
				'message {"b":2}',
			],
		],
	];
	for (const [name, script, expected] of table) {
		it(`that ${name} is told of as it is`, async () => {
			const server = serve(script);
			server.send(1, 'ping');
			const matches = (told: string, wanted: string | RegExp) =>
				typeof wanted === 'string' ? told === wanted : wanted.test(told);
			await server.until(() => server.told.some((told) => matches(told, expected.at(-1)!)));
			let from = 0;
			for (const wanted of expected) {
				const at = server.told.findIndex((told, index) => index >= from && matches(told, wanted));
				assert.notEqual(at, -1, `${String(wanted)} in\n${server.told.slice(0, 20).join('\n')}`);
				from = at + 1;
			}
			await server.transport.close();
			assert.equal(server.told.filter((told) => told.startsWith('closed')).length, 1);
			assert.match(server.told.at(-1)!, /^closed/);
		});
	}

	const hopeless: readonly [
		name: string,
		transport: { command: string; args?: string[]; cwd?: string },
		sentence: RegExp,
	][] = [
		[
			'a command that is not on the PATH',
			{ command: 'no-such-command-of-crosstalk' },
			/^The command "no-such-command-of-crosstalk" was not found on the PATH: install it, or configure its whole path\.$/,
		],
		[
			'a file that is not there',
			{ command: './no/such/file' },
			/^There is no file "\.\/no\/such\/file" to start\.$/,
		],
		[
			'a folder that is not there',
			{ command: node, cwd: join(tmpdir(), 'no-such-folder') },
			/^The folder ".*no-such-folder" to start it in does not exist\.$/,
		],
		['a null byte', { command: node, args: ['a\0b'] }, /has a null byte\.$/],
	];
	for (const [name, transport, sentence] of hopeless) {
		it(`that is configured with ${name} is hopeless, and its calls were not delivered`, async () => {
			const server = new Observed({ kind: 'stdio', args: [], env: {}, ...transport });
			server.send(1, 'ping');
			assert.deepEqual(server.told, []);
			await server.until(() => server.exit !== undefined);
			assert.match(server.exit!.reason, sentence);
			assert.ok(server.exit!.isHopeless);
			assert.deepEqual(
				[...server.failures].map(([id, failure]) => [id, failure.mayHaveRun]),
				[[1, false]],
			);
			assert.equal(server.told.length, 2, server.told.join('\n'));
			await server.transport.close();
		});
	}

	if (!isWindows) {
		it('that may not be executed, or lacks its interpreter, is hopeless', async () => {
			const script = join(folder, 'script');
			writeFileSync(script, '#!/no/such/interpreter\n');
			chmodSync(script, 0o600);
			const denied = new Observed({ kind: 'stdio', command: script, args: [], env: {} });
			await denied.until(() => denied.exit !== undefined);
			assert.equal(
				denied.told.at(-1),
				`closed (hopeless): "${script}" cannot be started: it is not executable, or permission is denied.`,
			);
			chmodSync(script, 0o700);
			const torn = new Observed({ kind: 'stdio', command: script, args: [], env: {} });
			await torn.until(() => torn.exit !== undefined);
			assert.match(torn.told.at(-1)!, /the interpreter that its first line names does not exist\.$/);
		});

		it('takes what it has started along when it is closed, though that ignores the end of stdin', async () => {
			const child = `process.on('SIGTERM', () => {}); console.error('ready'); setInterval(() => {}, 1000)`;
			const script = `
				const child = require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: ['ignore', 'ignore', 'inherit'] });
				console.log(JSON.stringify({ pid: child.pid }));
				process.stdin.resume().on('end', () => process.exit(0));`;
			const server = serve(script);
			await server.until(() => server.messages.length === 1 && server.stderr.includes('ready'));
			// JSON.parse gives `any`; this is what the script has just written.
			const { pid } = JSON.parse(server.messages[0]!.toString()) as { pid: number };
			assert.ok(isRunning(pid));
			await server.transport.close();
			assert.ok(!isRunning(pid));
			assert.equal(server.exit?.code, 0);
		});

		it('takes what it has started along when it is killed', async () => {
			const script = `
				const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
				console.log(JSON.stringify({ pid: child.pid }));
				setInterval(() => {}, 1000);`;
			const server = serve(script);
			await server.until(() => server.messages.length === 1);
			// JSON.parse gives `any`; this is what the script has just written.
			const { pid } = JSON.parse(server.messages[0]!.toString()) as { pid: number };
			process.kill(server.transport.pid!, 'SIGKILL');
			await server.until(() => server.exit !== undefined);
			assert.equal(server.exit?.signal, 'SIGKILL');
			await untilGone(pid);
		});

		it('is in a process group of its own, which no Ctrl-C reaches', async () => {
			const server = serve(echo);
			await server.until(() => server.told.includes('opened'));
			assert.doesNotThrow(() => process.kill(-server.transport.pid!, 0));
			await server.transport.close();
		});

		it('ends when the host is killed', async () => {
			const module = new URL('../../../../src/platform/node/upstreams/nodeUpstreams.ts', import.meta.url);
			const script = `
				const { NodeUpstreams } = await import(${JSON.stringify(pathToFileURL(module.pathname).href)});
				const nothing = () => {};
				const server = new NodeUpstreams().open(
					{ kind: 'stdio', command: process.execPath, args: ['-e', 'process.stdin.resume()'], env: {} },
					{ onOpened: nothing, onMessage: nothing, onNoise: nothing, onStderr: nothing, onRequestFailed: nothing, onClosed: nothing });
				console.log(server.pid);`;
			const host = spawn(node, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
			const pid = Number(
				await new Promise<string>((resolve) => host.stdout.once('data', (data) => resolve(String(data)))),
			);
			assert.ok(isRunning(pid));
			host.kill('SIGKILL');
			await untilGone(pid);
		});

		it('that closes its stdin was not delivered what is sent after that', async () => {
			const server = serve(
				`require('fs').closeSync(0); console.log('{"closed":1}'); setTimeout(() => {}, 60000)`,
			);
			await server.until(() => server.messages.length === 1);
			for (let id = 1; id <= 3; id++) server.send(id, 'ping');
			await server.until(() => server.exit !== undefined);
			assert.deepEqual(
				[...server.failures].map(([id, failure]) => [id, failure.mayHaveRun]),
				[
					[1, false],
					[2, false],
					[3, false],
				],
			);
			assert.match(server.exit!.reason, /closed its input without ending, so it was ended\.$/);
		});
	}

	it('that does not read is given a bounded amount of memory', async () => {
		const server = serve(`setInterval(() => {}, 1000)`);
		const text = 'x'.repeat(8 << 20);
		for (let id = 1; id <= 20; id++) server.send(id, 'big', { params: { text } });
		await server.until(() => server.failures.size > 0);
		const ids = [...server.failures.keys()];
		assert.ok(ids.length >= 9 && ids.length <= 12, ids.join());
		assert.match(
			server.failures.get(20)!.reason,
			/does not read its input: \d+ MB of messages wait for it already\.$/,
		);
		assert.ok([...server.failures.values()].every(({ mayHaveRun }) => !mayHaveRun));
		await server.transport.close();
	});

	it('that floods leaves the process its turns', async () => {
		const server = serve(`
			const lines = '{"jsonrpc":"2.0","method":"notifications/message","params":{"text":"flood"}}\\n'.repeat(1000);
			const flood = () => { while (process.stdout.write(lines)); process.stdout.once('drain', flood); };
			flood();`);
		await server.until(() => server.messages.length > 1000);
		let turns = 0;
		const count = (): void => {
			turns++;
			if (turns < 20) setTimeout(count, 1);
		};
		const before = server.messages.length;
		count();
		await server.until(() => turns === 20);
		// A turn is 64 KB, some 800 of these messages; two may have been read already.
		assert.ok(
			(server.messages.length - before) / turns < 3500,
			`${server.messages.length - before} in ${turns} turns`,
		);
		await server.transport.close();
	});

	it('has its stderr told as it comes, and its last lines at the end', async () => {
		const server = serve(`
			for (let line = 0; line < 1000; line++) console.error('line ' + line + ' é');
			process.exitCode = 2;`);
		await server.until(() => server.exit !== undefined);
		assert.equal(server.stderr.split('\n').length, 1001);
		const { stderrTail } = server.exit!;
		assert.ok(stderrTail.endsWith('line 999 é\n') && stderrTail.startsWith('line '), stderrTail.slice(0, 20));
		assert.ok(Buffer.byteLength(stderrTail) <= 4096 && Buffer.byteLength(stderrTail) > 4000);
	});

	it('that ends by itself when its stdin ends is sent no signal', async () => {
		const server = serve(`process.stdin.resume().on('end', () => setTimeout(() => process.exit(5), 300))`);
		await server.until(() => server.told.includes('opened'));
		await server.transport.close();
		assert.equal(server.exit?.code, 5);
		// Twice is once.
		await server.transport.close();
		server.send(9, 'ping');
		assert.equal(server.told.filter((told) => told.startsWith('closed')).length, 1);
	});
});
