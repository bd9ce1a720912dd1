import assert from 'node:assert/strict';
import { agentStart } from '../../../src/platform/node/agentStart.ts';

describe('starting an agent', () => {
	const files = { isFile: (path: string) => path === 'C:\\Users\\dev\\AppData\\Roaming\\npm\\claude.cmd' };
	const environment = { Path: 'C:\\Users\\dev\\AppData\\Roaming\\npm', SystemRoot: 'C:\\Windows', EMPTY: undefined };

	it('goes through cmd.exe on Windows where npm has made a batch file of it', () => {
		const agent = { command: 'claude', args: ['--settings=C:\\a b\\s.json', '100%'] };
		assert.deepEqual(agentStart(agent, environment, 'win32', files), {
			file: 'C:\\Windows\\System32\\cmd.exe',
			args: [
				...['/e:ON', '/v:OFF', '/d', '/s', '/c'],
				'""C:\\Users\\dev\\AppData\\Roaming\\npm\\claude.cmd" "--settings=C:\\a b\\s.json" "100%%cd:~,%""',
			],
			isVerbatim: true,
		});
	});

	it('says on Windows what is not there, and what a batch file cannot be given', () => {
		assert.equal(
			agentStart({ command: 'codex', args: [] }, environment, 'win32', files),
			'The command "codex" was not found on the PATH: install it, or configure its whole path.',
		);
		assert.equal(
			agentStart({ command: 'claude', args: ['-p', 'two\nlines'] }, environment, 'win32', files),
			'The arguments of "claude" have a line break, which a batch file cannot be given.',
		);
	});

	it('is left to the system elsewhere', () => {
		const agent = { command: 'claude', args: ['-p', 'two\nlines'] };
		for (const platform of ['linux', 'darwin'] as const)
			assert.deepEqual(agentStart(agent, environment, platform, files), {
				file: 'claude',
				args: agent.args,
				isVerbatim: false,
			});
	});
});
