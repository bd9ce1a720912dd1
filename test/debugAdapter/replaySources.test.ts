// What can be replayed beside a transcript that has ended: what a host has recorded, a saved session, a transcript that is still written.

import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Place } from '../../src/core/conversation/index.ts';
import { createCore } from '../../src/core/core.ts';
import type { Stop } from '../../src/debugAdapter/debugTarget.ts';
import { ReplayTarget } from '../../src/debugAdapter/replay/replayTarget.ts';
import { createNodePlatform } from '../../src/platform/node/platform.ts';
import { openSessionStore } from '../../src/platform/node/sessionStore.ts';
import { Agent } from '../mcp/agent.ts';
import { until } from '../mcp/waiting.ts';
import { Lab } from '../platform/node/host/hosts.ts';
import { AdapterClient } from './adapterClient.ts';

const killed = resolve(
	'examples/recorded/.claude/projects/-home-dev-analytics/4286b68e-7bda-44a4-87ea-3c0f563e00a3.jsonl',
);
const native = '26f2dd86-1111-4222-8333-444455556666';

describe('a replay', () => {
	let lab: Lab;
	let client: AdapterClient | undefined;

	beforeEach(() => {
		lab = new Lab();
	});

	afterEach(async () => {
		await client?.close();
		client = undefined;
		await lab.remove();
	});

	it('of what a host has recorded shows its lines, which no editor could open', async () => {
		const { address } = await lab.host('--config', lab.config());
		const agent = await Agent.connect(`${address.url}/${address.token}/mcp/fault`);
		const meta = {
			'claudecode/toolUseId': 'toolu_1',
			'claudecode/sessionId': native,
			'claudecode/agentId': 'main',
		};
		await agent.call('echo', { text: 'hello' }, { meta });
		client = new AdapterClient(['--data', lab.data]);
		const opened = client;
		// The host writes what it has recorded when it comes to it.
		await opened.initialize();
		await until('the recorded call', async () => {
			const refusal = await opened.ask('launch', { transcript: native });
			return refusal === undefined ? true : undefined;
		});
		await opened.ask('setFunctionBreakpoints', {
			breakpoints: [{ name: 'fault/*', condition: 'arguments.text == "hello"' }],
		});
		await opened.stopAfter('configurationDone');
		const [frame] = await opened.frames(1);
		assert.equal(frame?.name, 'echo(text: "hello")');
		const { source } = frame;
		assert.ok(source?.path === undefined && (source?.sourceReference ?? 0) > 0, JSON.stringify(source));
		const text = (await opened.ask('source', { source, sourceReference: source?.sourceReference })) as {
			content: string;
		}; // as the protocol says
		const event = JSON.parse(text.content) as { readonly type: string; readonly tool: string }; // the line of an event
		assert.deepEqual([event.type, event.tool], ['wire-message', 'echo']);
		await opened.stopAfter('next', { threadId: 1 });
		const value = await opened.ask('evaluate', { expression: 'result.content[0].text' });
		assert.match((value as DebugProtocol.EvaluateResponse['body']).result, /hello/); // as the protocol says
	});

	it('shows the state of the session that a call has changed, and stops where it changes', async () => {
		const { address } = await lab.host('--config', lab.config());
		const agent = await Agent.connect(`${address.url}/${address.token}/mcp/fault`);
		const store = await openSessionStore({ directory: lab.data });
		for (const [id, cursor] of [
			['toolu_1', 50],
			['toolu_2', 50],
			['toolu_3', 100],
		] as const) {
			const meta = { 'claudecode/toolUseId': id, 'claudecode/sessionId': native, 'claudecode/agentId': 'main' };
			await agent.call('echo', { text: id }, { meta });
			// What the server would do.
			await store.session('review').call({ key: id, tool: 'echo', args: {} }, (state: { cursor?: number }) => {
				state.cursor = cursor;
			});
		}
		await store.close();
		client = new AdapterClient(['--data', lab.data]);
		const opened = client;
		await opened.initialize();
		await until('the recorded calls', async () => {
			const refusal = await opened.ask('launch', { transcript: native, stopOnEntry: false });
			return refusal === undefined ? true : undefined;
		});
		await opened.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'fault/echo after' }] });
		const { threadId = 0 } = await opened.stopAfter('configurationDone');
		const [call] = await opened.frames(threadId);
		const frameId = call?.id;
		const value = async (expression: string) =>
			((await opened.ask('evaluate', { expression, frameId })) as DebugProtocol.EvaluateResponse['body']).result; // as the protocol says
		assert.equal(await value('state.cursor'), '50');
		const info = await opened.ask('dataBreakpointInfo', { name: 'state.cursor', frameId });
		const { dataId } = info as { readonly dataId: string }; // as the protocol says
		assert.equal(dataId, 'state {"session":"review","keys":["cursor"]}');
		await opened.ask('setFunctionBreakpoints', { breakpoints: [] });
		await opened.ask('setDataBreakpoints', { breakpoints: [{ dataId }] });
		const { description } = await opened.stopAfter('continue', { threadId });
		assert.equal(description, 'Paused where state.cursor of session review changes: 50 → 100');
		const back = await opened.stopAfter('reverseContinue', { threadId });
		assert.equal(back.description, 'Paused where state.cursor of session review changes: (none) → 50');
	});

	it('of a saved session needs nothing but the file', async () => {
		const file = join(lab.folder, 'session.crosstalk');
		const save = lab.run(['save', killed, '--out', file, '--data', lab.data]);
		const code = await save.ended;
		assert.equal(code, 0, save.stderr());
		client = new AdapterClient(['--data', lab.data]);
		// A relative path starts from the configuration's own folder.
		await client.open({ transcript: 'session.crosstalk', cwd: lab.folder });
		await client.stopAfter('configurationDone');
		await client.ask('setExceptionBreakpoints', { filters: ['orphaned-tool-use'] });
		const { threadId = 0 } = await client.stopAfter('continue', { threadId: 1 });
		const frames = await client.frames(threadId);
		assert.deepEqual(
			frames.map(({ name }) => name),
			['trigger-long-running-operation(duration: 30, steps: 2)', 'Agent(worker 1)', 'main'],
		);
		assert.ok(frames.every(({ source }) => (source?.sourceReference ?? 0) > 0));
	});

	it('of a session that is still written says so, and goes as far as it goes', async () => {
		const platform = createNodePlatform(true);
		const core = createCore(platform);
		const [session] = (await core.findSessions(killed)).sessions;
		assert.ok(session !== undefined);
		const read = await core.readSession(session, { assume: 'live', rules: {}, withPreviews: true });
		const errors: unknown[] = [];
		const target = new ReplayTarget(read, {
			files: platform.files,
			stopOnEntry: true,
			onError: (error) => void errors.push(error),
		});
		const printed: string[] = [];
		target.onDidPrint(({ text }) => void printed.push(text));
		await target.start();
		assert.match(printed.join('\n'), /The session is still written: what stands there now is replayed/);
		// A call that may still be answered is no finding.
		assert.doesNotMatch(printed.join('\n'), /finding/);
		const stops: string[] = [];
		target.onDidStop(({ description }) => void stops.push(description));
		await target.resume('main', 'run');
		await until('the stop at the end', () => stops[0]);
		assert.deepEqual(stops, ['Paused at the end of the session.']);
		const [top] = await target.stackOf('main');
		assert.equal(await target.evaluate('calls.size()', top), 3);
		target.dispose();
		assert.deepEqual(errors, []);
	});

	it('stops at the call of a finding that is written down elsewhere, in what a host has recorded', async () => {
		const platform = createNodePlatform(true);
		const core = createCore(platform);
		const [session] = (await core.findSessions(killed)).sessions;
		assert.ok(session !== undefined);
		const read = await core.readSession(session, { assume: 'ended', rules: {}, withPreviews: true });
		const elsewhere: Place = {
			source: { kind: 'transcript', path: '/recorded.jsonl', line: 3, offset: 0, length: 9 },
			range: undefined,
		};
		const [first, second] = read.diagnostics;
		assert.ok(first !== undefined && second !== undefined);
		const moved = [
			{ ...second, place: elsewhere },
			// Of a connection: no call is its own, but some belong to it.
			{
				...first,
				place: elsewhere,
				toolUseId: undefined,
				related: [{ place: first.place, message: 'It was lost.' }],
			},
		];
		const target = new ReplayTarget(
			{ ...read, diagnostics: moved },
			{ files: platform.files, stopOnEntry: false, onError: (error) => assert.fail(String(error)) },
		);
		const stops: Stop[] = [];
		target.onDidStop((stop) => void stops.push(stop));
		const noOthers = { lines: [], tools: [], data: [], toolError: undefined };
		await target.setBreakpoints({ ...noOthers, rules: [{ id: 'b1', ruleId: 'orphaned-tool-use' }] });
		await target.start();
		await until('the first stop', () => stops[0]);
		await target.resume(null, 'run');
		await until('the second stop', () => stops[1]);
		assert.deepEqual(
			stops.map(({ kind, agent }) => `${kind} ${agent}`).toSorted(),
			[first, second].map(({ agentId }) => `rule ${agentId}`).toSorted(),
		);
		target.dispose();
	});
});
