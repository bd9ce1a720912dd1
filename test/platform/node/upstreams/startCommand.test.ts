import assert from 'node:assert/strict';
import { serverEnvironment } from '../../../../src/platform/node/upstreams/environment.ts';
import { windowsStartCommand } from '../../../../src/platform/node/upstreams/startCommand.ts';

const files = new Set([
	'C:\\node\\npx.cmd',
	'C:\\node\\node.exe',
	'D:\\work\\tools\\run.bat',
	'C:\\Program Files\\uv\\uvx.exe',
]);
const isFile = (path: string): boolean => files.has(path);
const environment = {
	Path: 'relative;"C:\\Program Files\\uv";C:\\node',
	PATHEXT: '.COM;.EXE;.BAT;.CMD',
	SystemRoot: 'C:\\Windows',
};

describe('starting a server on Windows', () => {
	const start = (command: string, args: string[] = [], cwd?: string) =>
		windowsStartCommand({ command, args, cwd }, environment, { isFile });

	it('finds a program on the PATH, and hands its arguments over as they are', () => {
		assert.deepEqual(start('node', ['-e', '1 & 2']), {
			file: 'C:\\node\\node.exe',
			args: ['-e', '1 & 2'],
			isVerbatim: false,
		});
		assert.deepEqual(start('uvx.exe'), { file: 'C:\\Program Files\\uv\\uvx.exe', args: [], isVerbatim: false });
	});

	it('takes a path relative to the folder of the server, and no command from that folder', () => {
		assert.equal(typeof start('.\\tools\\run', [], 'D:\\work'), 'object');
		assert.equal(typeof start('run.bat', [], 'D:\\work\\tools'), 'string');
	});

	it('says what is not there', () => {
		assert.equal(
			start('missing'),
			'The command "missing" was not found on the PATH: install it, or configure its whole path.',
		);
		assert.equal(start('.\\missing'), 'There is no file ".\\missing" to start.');
	});

	const table: readonly [argument: string, written: string][] = [
		['-y', '-y'],
		['@scope/server@1.0.0', '@scope/server@1.0.0'],
		['', '""'],
		['two words', '"two words"'],
		['a&calc', '"a&calc"'],
		['a|b>c<d^e', '"a|b>c<d^e"'],
		['"&calc&"', '"""&calc&"""'],
		['a\\"b', '"a\\\\""b"'],
		['%PATH%', '"%%cd:~,%PATH%%cd:~,%"'],
		['C:\\folder\\', '"C:\\folder\\\\"'],
		['(x)!y!', '"(x)!y!"'],
		['é', 'é'],
	];
	for (const [argument, written] of table) {
		it(`writes ${JSON.stringify(argument)} for a batch file so that it is one argument and nothing else`, () => {
			assert.deepEqual(start('npx', [argument]), {
				file: 'C:\\Windows\\System32\\cmd.exe',
				args: ['/e:ON', '/v:OFF', '/d', '/s', '/c', `""C:\\node\\npx.cmd" ${written}"`],
				isVerbatim: true,
			});
		});
	}

	it('refuses line breaks for a batch file', () => {
		assert.equal(
			start('npx', ['a\nb']),
			'The arguments of "npx" have a line break, which a batch file cannot be given.',
		);
	});
});

describe('the environment of a server', () => {
	it('on Windows takes names in any case, and what the definition gives in place of the inherited', () => {
		const host = { Path: 'C:\\node', SystemRoot: 'C:\\Windows', SECRET: 'x', UserName: 'me' };
		assert.deepEqual(serverEnvironment({ path: 'D:\\own', Token: 't' }, host, true), {
			SYSTEMROOT: 'C:\\Windows',
			USERNAME: 'me',
			path: 'D:\\own',
			Token: 't',
		});
	});

	it('elsewhere takes names as they are, and no shell functions', () => {
		const host = { HOME: '/home/me', Path: 'no', PATH: '/bin', SHELL: '() { evil; }', SECRET: 'x' };
		assert.deepEqual(serverEnvironment({ path: 'own' }, host, false), {
			HOME: '/home/me',
			PATH: '/bin',
			path: 'own',
		});
	});
});
