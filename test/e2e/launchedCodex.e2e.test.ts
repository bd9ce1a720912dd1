// A debugger that has launched a real Codex, while others run through the same host: it stops that one and its subagents, and no other.

import assert from 'node:assert/strict';
import { join } from 'node:path';

import type { DebugProtocol } from '@vscode/debugprotocol';
import { attach } from '../../src/platform/node/host/attach.ts';
import { AdapterClient } from '../debugAdapter/adapterClient.ts';
import { until } from './agentProcess.ts';
import { codexVersion, installationTimeoutMs, installedCodex } from './agents.ts';
import { Codex } from './codex.ts';
import { builtCommandLine, cli } from './crosstalk.ts';
import { call, codexWorkers, nextTurn, rootPrompt, text, workbenchCall } from './scripts.ts';
import { Workbench } from './workbench.ts';
import { list } from './written.ts';

const workers = 2;
const foreignPrompt = `${rootPrompt} of another`;

describe(`Codex ${codexVersion} that a debugger has launched beside others`, () => {
	let workbench: Workbench;
	let client: AdapterClient;

	before('is installed', async function () {
		this.timeout(installationTimeoutMs);
		await installedCodex();
	});
	before('and Crosstalk is built', builtCommandLine);
	after(async () => {
		await client?.close();
		await stopHost().catch(() => undefined); // its folder may be gone
		await workbench?.dispose();
	});

	async function stopHost(): Promise<void> {
		const control = await attach({ directory: join(workbench.folder, 'data'), client: 'test' });
		if (control === undefined) return;
		const closed = new Promise<void>((resolve) => control.onDidClose(resolve));
		// It may end before it answers.
		await control.request('host/stop', { isForced: true }).catch(() => undefined);
		await closed;
		control.dispose();
	}

	it('is stopped with its subagents, and the others go on', async () => {
		const own = codexWorkers('v1', {
			workers,
			secondCall: () => ({ name: 'echo', input: { text: 'again' } }),
		});
		workbench = await Workbench.create(
			() => (request) =>
				request.said.some((words) => words.startsWith(foreignPrompt))
					? nextTurn(request, 'another', [
							[call('foreign_bash', 'exec_command', { cmd: 'echo as it was' })],
							[workbenchCall('foreign_echo', 'echo', { text: 'as it was' })],
							[text('Done.')],
						])
					: own(request),
		);
		const codex = await Codex.create(workbench, 'v1');
		const data = join(workbench.folder, 'data');
		const { command: program, args, cwd, environment: env } = codex.command(`${rootPrompt}: go`);
		client = new AdapterClient();
		client.defaultTimeout = 60_000;
		const breakpoints = [{ name: '{Bash,workbench/echo}' }, { name: 'workbench/echo after' }];
		await client.open(
			{ program, as: 'codex', args, cwd, env, data },
			{ before: async () => client.ask('setFunctionBreakpoints', { breakpoints }) },
		);
		const stops: { readonly threadId: number; readonly description: string }[] = [];
		client.on('stopped', ({ body }: DebugProtocol.StoppedEvent) => {
			stops.push({ threadId: body.threadId ?? 0, description: body.description ?? '' });
		});
		const first = client.waitForEvent('stopped', 60_000);
		await client.ask('configurationDone');
		await first;

		// Each of its calls would be stopped, at its hook and on the wire.
		for (const options of [['--hooks'], []]) {
			const other = codex.command(`${foreignPrompt}: go`);
			const foreign = workbench.run({
				...other,
				command: process.execPath,
				args: [cli, 'run', ...options, '--data', data, '--', other.command, ...other.args],
			});
			assert.deepEqual(await foreign.exited, { code: 0, signal: null }, foreign.stderr());
		}
		const request = workbench.model.requests.findLast(({ said }) =>
			said.some((words) => words.startsWith(foreignPrompt)),
		);
		const outputs = list(request?.body['input']).filter(({ call_id: id }) => String(id).startsWith('foreign_'));
		assert.equal(outputs.filter(({ type }) => String(type).endsWith('_output')).length, 2, JSON.stringify(outputs));

		const names = new Map(
			((await client.ask('threads')) as DebugProtocol.ThreadsResponse['body']).threads.map(({ id, name }) => [
				id,
				name,
			]),
		);
		// The one that has started the two, and these.
		assert.ok(names.size <= 1 + workers, [...names.values()].join(', '));
		for (const { threadId } of stops) assert.ok(names.has(threadId));

		const exited = client.waitForEvent('exited', 120_000);
		client.on('stopped', ({ body }: DebugProtocol.StoppedEvent) => {
			void client.ask('continue', { threadId: body.threadId });
		});
		for (const { threadId } of stops.slice()) await client.ask('continue', { threadId });
		assert.equal(((await exited) as DebugProtocol.ExitedEvent).body.exitCode, 0, client.exchange.join('\n'));
		// Two calls of each subagent, each before it was made and with its result.
		assert.equal(stops.length, 4 * workers, stops.map(({ description }) => description).join('\n'));
		assert.equal(new Set(stops.map(({ threadId }) => threadId)).size, workers);
	});

	it('goes on to its end when the debugger that holds its call is killed, which has read its output, too', async () => {
		await client.close();
		await stopHost();
		await workbench.dispose();
		workbench = await Workbench.create(
			() => (request) =>
				nextTurn(request, 'main', [
					[call('held', 'exec_command', { cmd: 'echo as it was' })],
					[workbenchCall('next', 'echo', { text: 'as it was' })],
					[text('Done.')],
				]),
		);
		const codex = await Codex.create(workbench, 'v1');
		const { command: program, args, cwd, environment: env } = codex.command(`${rootPrompt}: go`);
		client = new AdapterClient();
		const data = join(workbench.folder, 'data');
		await client.open(
			{ program, as: 'codex', args, cwd, env, data },
			{ before: async () => client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'Bash' }] }) },
		);
		await client.stopAfter('configurationDone');
		client.process.kill('SIGKILL');
		await until('its last request', () =>
			workbench.model.requests.at(-1)?.asked.includes('next') === true ? true : undefined,
		);
		const notes = await workbench.notes();
		assert.deepEqual(
			notes.map(({ phase, tool }) => `${phase} ${tool}`),
			['started echo', 'ended echo'],
		);
	});
});
