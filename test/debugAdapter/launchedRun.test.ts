// A run that a debugger has started: what the two say to each other, and that neither needs the other to live.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { connectDebugger } from '../../src/cli/run/debuggerLink.ts';
import { LaunchedRun } from '../../src/debugAdapter/launchedRun.ts';
import { sessionId } from '../../src/core/base/ids.ts';

const beginning = { dataDirectory: '/data', pid: 42, sessionId: sessionId('claude-code', 'abc'), source: 'run-1' };

describe('a run that a debugger has started', () => {
	let run: LaunchedRun;
	const sockets: Socket[] = [];

	beforeEach(async () => {
		run = await LaunchedRun.create();
	});
	afterEach(async () => {
		await run.dispose();
		for (const socket of sockets.splice(0)) socket.destroy();
	});

	it('tells of its session, waits for the debugger, and tells of its end', async () => {
		const link = await connectDebugger(run.address);
		assert.ok(link);
		let isBegun = false;
		const begun = link.begin(beginning).then(() => (isBegun = true));
		assert.deepEqual(await run.begun, { type: 'begin', ...beginning });
		assert.equal(isBegun, false);
		run.go();
		await begun;
		await link.end({ type: 'ended', exitCode: 3 });
		link.dispose();
		assert.deepEqual(await run.ended, { kind: 'ended', exitCode: 3 });
	});

	it('goes on when its debugger is gone', async () => {
		const link = await connectDebugger(run.address);
		assert.ok(link);
		const begun = link.begin(beginning);
		await run.begun;
		await run.dispose();
		await begun;
		await link.end({ type: 'ended', exitCode: 0 });
		assert.equal(link.terminated.aborted, false);
		link.dispose();
	});

	it('is a run without a debugger where nobody listens any more', async () => {
		await run.dispose();
		assert.equal(await connectDebugger(run.address), undefined);
	});

	it('is ended by its debugger', async () => {
		const link = await connectDebugger(run.address);
		assert.ok(link);
		void link.begin(beginning);
		await run.begun;
		run.terminate();
		if (!link.terminated.aborted) await once(link.terminated, 'abort');
		link.dispose();
		assert.deepEqual(await run.ended, { kind: 'lost' });
	});

	it('that fails says why, in one sentence', async () => {
		const link = await connectDebugger(run.address);
		assert.ok(link);
		await link.end({ type: 'failed', message: 'There is no such program.' });
		await assert.rejects(run.begun, { name: 'ExpectedError', message: 'There is no such program.' });
		assert.deepEqual(await run.ended, { kind: 'failed', message: 'There is no such program.' });
		link.dispose();
	});

	it('is not taken for anybody who finds its socket', async () => {
		const stranger = connect(run.address);
		sockets.push(stranger);
		await once(stranger, 'connect');
		stranger.write('GET / HTTP/1.1\r\n\r\n{"type":"unknown"}\nnull\n');
		stranger.end();
		assert.deepEqual(await run.ended, { kind: 'lost' });
	});
});
