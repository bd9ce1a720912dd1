// A debugger that has launched a real Claude Code goes on with it when a person begins another conversation in it.

import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { DebugProtocol } from '@vscode/debugprotocol';
import { attach } from '../../src/platform/node/host/attach.ts';
import { AdapterClient } from '../debugAdapter/adapterClient.ts';
import { claudeCodeVersion, installationTimeoutMs, installedClaudeCode } from './agents.ts';
import { ClaudeCode } from './claudeCode.ts';
import { builtCommandLine } from './crosstalk.ts';
import { call, text } from './scripts.ts';
import { Workbench } from './workbench.ts';

/** What the person types, one after the other. */
const said = ['CALL first', '/clear', 'CALL second', '/compact', 'CALL third'];

describe(`Claude Code ${claudeCodeVersion} that a debugger has launched`, () => {
	let workbench: Workbench;
	let client: AdapterClient;

	before('is installed', async function () {
		this.timeout(installationTimeoutMs);
		await installedClaudeCode();
	});
	before('and Crosstalk is built', builtCommandLine);
	afterEach(async () => {
		await client?.close();
		const control = await attach({ directory: join(workbench.folder, 'data'), client: 'test' });
		// It may end before it answers.
		await control?.request('host/stop', { isForced: true }).catch(() => undefined);
		control?.dispose();
		await workbench?.dispose();
	});

	for (const [what, options] of [
		['by its first session', []],
		['with a session that it chooses itself', ['--continue']],
	] as const) {
		it(`is stopped in every session that it begins, told ${what}`, async () => {
			workbench = await Workbench.create(() => ({ said: words, tools, answered }) => {
				const id = /CALL (\w+)/.exec(words.findLast((one) => /^CALL \w+$/.test(one)) ?? '')?.[1];
				const isAsked = id !== undefined && tools.includes('Bash') && !answered.includes(`toolu_${id}`);
				return {
					speaker: 'main',
					blocks: [isAsked ? call(`toolu_${id}`, 'Bash', { command: `echo ${id}` }) : text('Done.')],
				};
			});
			const claudeCode = await ClaudeCode.create(workbench);
			const real = claudeCode.command('', []);
			const person = join(workbench.folder, 'claude.mjs');
			await writeFile(person, typist(real.command));
			await chmod(person, 0o755);
			client = new AdapterClient();
			client.defaultTimeout = 60_000;
			const stops: (string | undefined)[] = [];
			client.on('stopped', ({ body }: DebugProtocol.StoppedEvent) => {
				void (async () => {
					const [frame] = await client.frames(body.threadId ?? 0);
					stops.push(frame?.name);
					await client.ask('continue', { threadId: body.threadId });
				})();
			});
			const exited = client.waitForEvent('exited', 120_000);
			await client.open(
				{
					program: person,
					as: 'claude',
					args: [
						...['-p', '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose'],
						...['--allowedTools', 'Bash', ...options],
					],
					cwd: real.cwd,
					env: real.environment,
					data: join(workbench.folder, 'data'),
				},
				{ before: async () => client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'Bash' }] }) },
			);
			await client.ask('configurationDone');
			const { exitCode } = ((await exited) as DebugProtocol.ExitedEvent).body;
			assert.equal(exitCode, 0, client.exchange.join('\n'));
			assert.equal(stops.length, 3, client.exchange.join('\n'));
		});
	}
});

/** Stands between: it says the next when the last was answered. */
function typist(command: string): string {
	return `#!${process.execPath}
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
const words = process.argv.slice(2);
const isSession = words.includes('-p');
const child = spawn(${JSON.stringify(command)}, words, { stdio: [isSession ? 'pipe' : 'ignore', isSession ? 'pipe' : 'inherit', 'inherit'] });
child.once('exit', (code) => process.exit(code ?? 1));
const said = ${JSON.stringify(said)};
const next = () => {
	const content = said.shift();
	if (content === undefined) child.stdin.end();
	else child.stdin.write(JSON.stringify({ type: 'user', message: { role: 'user', content } }) + '\\n');
};
if (isSession) {
	createInterface({ input: child.stdout }).on('line', (line) => {
		if (JSON.parse(line).type === 'result') next();
	});
	next();
}
`;
}
