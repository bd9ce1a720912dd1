// What a host has recorded, read while it runs, after it was stopped, and after it was killed.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createHost } from '../../../src/core/host/createHost.ts';
import { sessionId as sessionIdFor } from '../../../src/core/base/ids.ts';
import { readHook } from '../../../src/core/host/hooks/agentHooks.ts';
import { EventRecorder } from '../../../src/core/host/eventRecorder.ts';
import type { SessionEvent } from '../../../src/core/events/sessionEvent.ts';
import { NodeEventLog } from '../../../src/platform/node/eventLog.ts';
import { startControlServer } from '../../../src/platform/node/host/controlServer.ts';
import { writeAddress } from '../../../src/platform/node/host/dataDirectory.ts';
import { nodeHostClock, nodeHostRandom } from '../../../src/platform/node/host/hostPlatform.ts';
import { controlSocketPath } from '../../../src/platform/node/host/localSocket.ts';
import { EventTable } from '../../../src/platform/node/store/eventTable.ts';
import { openNodeSqlite } from '../../../src/platform/node/store/nodeSqlite.ts';
import { recordingPath } from '../../../src/platform/node/store/recordingPaths.ts';
import { findRecordings, recordedLogs } from '../../../src/platform/node/store/recordings.ts';
import { NodeUpstreams } from '../../../src/platform/node/upstreams/nodeUpstreams.ts';
import { Agent } from '../../mcp/agent.ts';
import { until } from '../../mcp/waiting.ts';
import { Lab } from './host/hosts.ts';
import { eventsIn, TestStore } from './recordedEvents.ts';

const session = 'claude-code:26f2dd86-1111-4222-8333-444455556666';

describe('what a host has recorded', () => {
	let lab: Lab;

	beforeEach(() => {
		lab = new Lab();
	});

	afterEach(async () => lab.remove());

	async function ofSession(id: string): Promise<readonly SessionEvent[]> {
		const { events, problems } = await eventsIn(recordingPath(lab.data, id));
		assert.deepEqual(problems, []);
		return events;
	}

	function ended(events: readonly SessionEvent[]): readonly string[] {
		return events.flatMap((event) => (event.type === 'call-ended' ? [event.toolUseId ?? ''] : []));
	}

	it('is there while the host runs, after kill -9 up to the last moment, and after another host', async () => {
		const config = lab.config();
		const first = await lab.host('--config', config);
		const connect = async ({ url, token }: { url: string; token: string }) =>
			Agent.connect(`${url}/${token}/mcp/fault`);
		const call = async (agent: Agent, id: string) => {
			const meta = {
				'claudecode/toolUseId': id,
				'claudecode/sessionId': session.slice('claude-code:'.length),
				'claudecode/agentId': 'a1',
			};
			const { text } = await agent.call('echo', { text: id }, { meta });
			assert.equal(text, id);
		};
		let agent = await connect(first.address);
		for (const id of ['toolu_1', 'toolu_2']) await call(agent, id);
		await until('two calls', async () =>
			ended(await ofSession(session).catch(() => [])).length === 2 ? true : undefined,
		);
		for (const id of ['toolu_3', 'toolu_4']) await call(agent, id);
		await until('all four', async () => (ended(await ofSession(session)).length === 4 ? true : undefined));
		// More than the longest time that an event waits.
		await new Promise((resolve) => setTimeout(resolve, 1000));
		await first.end('SIGKILL');
		const afterKill = await ofSession(session);
		assert.deepEqual(ended(afterKill), ['toolu_1', 'toolu_2', 'toolu_3', 'toolu_4']);
		// The beginning of the connection that its calls went over is of interest to whoever made them.
		assert.ok(afterKill.some((event) => event.type === 'upstream-state' && event.state === 'connected'));
		assert.ok(afterKill.every((event) => event.type !== 'wire-message' || event.method === 'tools/call'));
		const second = await lab.host('--config', config);
		agent = await connect(second.address);
		await call(agent, 'toolu_5');
		await agent.end();
		await second.end('SIGTERM');
		assert.deepEqual(ended(await ofSession(session)), ['toolu_1', 'toolu_2', 'toolu_3', 'toolu_4', 'toolu_5']);
		assert.equal((await recordedLogs(lab.data)).length, 2);
		assert.deepEqual(
			(await findRecordings(lab.data)).map(({ id, calls }) => [id, calls]),
			[[session, 5]],
		);
		assert.equal(second.stderr(), '');
	});

	it('finds the beginnings of calls whose session was told later, and leaves out what is others’', async () => {
		const store = new TestStore(lab.data);
		const log = new NodeEventLog({ openStore: store.open, name: 'a log', warn: assert.fail });
		const recorder = new EventRecorder(log, { now: () => Date.now() });
		const unknown = { connectionId: 'agent-1', sessionId: undefined, agentId: undefined };
		const known = { ...unknown, ...{ sessionId: session, agentId: 'a1' } } as never; // ids are branded in types alone
		const of = (callId: string) => ({ callId, server: 's', tool: 't', toolUseId: `toolu_${callId}` });
		const request = {
			kind: 'request',
			direction: 'in',
			rpcId: 1,
			method: 'tools/call',
			server: 's',
			tool: 't',
		} as const;
		for (const callId of ['1', '2']) {
			recorder.message(unknown, { ...request, callId, toolUseId: `toolu_${callId}` }, Buffer.from('{}'));
			recorder.callSent(unknown, of(callId), { upstreamId: 'upstream-1', pid: 1, attempt: 1 });
			await log.flush();
		}
		const change = {
			server: 's',
			pid: 1,
			exitCode: undefined,
			signal: undefined,
			reason: undefined,
			stderrTail: undefined,
		};
		for (const upstreamId of ['upstream-1', 'upstream-2']) {
			recorder.upstreamState({ ...change, upstreamId, state: 'connected' });
		}
		await log.flush();
		const path = recordingPath(lab.data, 'mcp:agent-1');
		assert.equal((await eventsIn(path)).events.length, 5);
		const response = { ...request, kind: 'response', direction: 'out', callId: '2', toolUseId: 'toolu_2' } as const;
		recorder.message(known, response, Buffer.from('{}'));
		recorder.callEnded(known, of('2'), { ending: 'completed', durationMs: 1, reason: undefined });
		await log.close();
		await store.close();
		const events = await ofSession(session);
		assert.deepEqual(
			events.map(({ type, sessionId }) => `${type} ${sessionId}`).sort(),
			[
				`call-ended ${session}`,
				'call-sent mcp:agent-1',
				`wire-message ${session}`,
				'upstream-state mcp:upstream-1',
				'wire-message mcp:agent-1',
			].sort(),
		);
	});

	it('is a session of its own as soon as an agent’s hook has told of it', async () => {
		const store = new TestStore(lab.data);
		const log = new NodeEventLog({ openStore: store.open, name: 'a log', warn: assert.fail });
		const recorder = new EventRecorder(log, { now: () => Date.now() });
		const body = { hook_event_name: 'PreToolUse', session_id: 'hooked', tool_name: 'Bash', tool_use_id: 'toolu_1' };
		const bytes = Buffer.from(JSON.stringify(body));
		const facts = readHook('claude-code', bytes);
		assert.ok(facts !== undefined);
		recorder.hook({ connectionId: 'hooks', sessionId: facts.sessionId, agentId: facts.agentId }, facts, bytes);
		const connected = { connectionId: 'agent-1', sessionId: facts.sessionId, agentId: undefined };
		const hello = { kind: 'request', direction: 'in', rpcId: 1, method: 'initialize', server: 's' } as const;
		recorder.message(
			{ ...connected, sessionId: sessionIdFor('claude-code', 'only-connected') },
			{ ...hello, tool: undefined, toolUseId: undefined, callId: undefined },
			Buffer.from('{}'),
		);
		await log.close();
		await store.close();
		assert.deepEqual(
			(await findRecordings(lab.data)).map(({ id, calls }) => [id, calls]),
			[['claude-code:hooked', 0]],
		);
	});

	it('is asked of the process that lets nobody else at the file', async () => {
		mkdirSync(lab.data, { mode: 0o700 });
		// As every SQLite before 3.51.3 is opened: with a lock that keeps out readers too.
		const database = await openNodeSqlite({ directory: lab.data, isRemote: true });
		const generation = await database.claim();
		const log = new NodeEventLog({
			openStore: async () => EventTable.open(database, generation),
			name: 'a log',
			warn: assert.fail,
		});
		const head = `{"version":1,"seq":0,"at":${Date.now()},"sessionId":"${session}","agent":{"id":"main"},"source":{"kind":"hook","event":"x"},"type":"hook","event":"x","callId":"1"`;
		log.append(head, Buffer.from(JSON.stringify('x'.repeat(3_000_000))));
		await log.close();
		const path = await controlSocketPath(lab.data);
		const host = createHost({
			platform: {
				clock: nodeHostClock,
				random: nodeHostRandom,
				upstreams: new NodeUpstreams(() => undefined),
				seal: { of: (text) => text },
			},
			recorder: new EventRecorder(log, nodeHostClock),
			version: '1.0.0',
			process: { pid: process.pid, generation: 1, startedAt: '' },
			onError: (error) => assert.fail(String(error)),
		});
		const address = {
			url: 'http://127.0.0.1:1',
			token: 't',
			controlSocket: path,
			pid: process.pid,
			generation: 1,
			dataDir: lab.data,
		};
		const server = await startControlServer({
			host,
			store: {
				open: assert.fail,
				query: async (statement) => database.read(statement),
				onDidLose: () => ({ dispose: () => undefined }),
				yield: undefined,
			},
			path,
			address: Promise.resolve(address),
			stop: () => undefined,
			onClients: () => undefined,
			log: assert.fail,
		});
		try {
			await writeAddress(lab.data, address);
			const events = await ofSession(session);
			assert.deepEqual(
				events.map((event) => (event.type === 'hook' ? event.body.length : 0)),
				[3_000_002],
			);
		} finally {
			await server.close();
			await host.close();
			await database.close();
		}
	});

	it('tells of damage once, and goes on behind it', async () => {
		const store = new TestStore(lab.data);
		const log = new NodeEventLog({ openStore: store.open, name: 'a log', warn: assert.fail });
		for (const seq of [0, 1, 2]) {
			log.append(
				`{"version":1,"seq":${seq},"at":1,"sessionId":"${session}","agent":{"id":"main"},"source":{"kind":"hook","event":"x"},"type":"hook","event":"x"`,
				Buffer.from('{}'),
			);
			await log.flush();
		}
		await log.close();
		await store.close();
		const program = `
			const { DatabaseSync } = require('node:sqlite');
			const database = new DatabaseSync(require('node:worker_threads').workerData);
			database.exec("UPDATE event_bytes SET bytes = x'7b7d0a' WHERE number = 2");
			database.close();`;
		await once(new Worker(program, { eval: true, workerData: `${lab.data}/sessions.sqlite` }), 'exit');
		const { events, problems } = await eventsIn(recordingPath(lab.data, session));
		assert.deepEqual(
			events.map(({ seq }) => seq),
			[0, 2],
		);
		assert.deepEqual(
			problems.map(({ kind, line }) => [kind, line]),
			[['nul-bytes', 2]],
		);
	});

	it('goes on with what an earlier version has recorded, which was not packed', async () => {
		const append = async (text: string) => {
			const store = new TestStore(lab.data);
			const log = new NodeEventLog({ openStore: store.open, name: 'a log', warn: assert.fail });
			for (let count = 0; count < 100; count++) {
				log.append(
					`{"version":1,"seq":0,"at":${Date.now()},"sessionId":"${session}","agent":{"id":"main"},"source":{"kind":"hook","event":"${text}"},"type":"hook","event":"${text}"`,
					Buffer.from('{}'),
				);
			}
			await log.close();
			await store.close();
		};
		await append('Stop');
		const program = `
			const { DatabaseSync } = require('node:sqlite');
			const { zstdDecompressSync } = require('node:zlib');
			const database = new DatabaseSync(require('node:worker_threads').workerData);
			const { bytes } = database.prepare('SELECT bytes FROM event_bytes').get();
			database.prepare('UPDATE event_bytes SET bytes = ?').run(zstdDecompressSync(bytes));
			database.exec("UPDATE meta SET value = 1 WHERE name = 'events-schema'");
			database.close();`;
		await once(new Worker(program, { eval: true, workerData: `${lab.data}/sessions.sqlite` }), 'exit');
		await append('SessionEnd');
		const { events, problems } = await eventsIn(recordingPath(lab.data, session));
		assert.deepEqual(problems, []);
		assert.deepEqual(
			events.map((event) => (event.type === 'hook' ? event.event : event.type)),
			[...Array.from({ length: 100 }, () => 'Stop'), ...Array.from({ length: 100 }, () => 'SessionEnd')],
		);
	});

	it('says in one sentence that a newer version has recorded it', async () => {
		const store = new TestStore(lab.data);
		await (await store.open()).openLog('a log', 1);
		await store.close();
		const program = `
			const { DatabaseSync } = require('node:sqlite');
			const database = new DatabaseSync(require('node:worker_threads').workerData);
			database.exec("UPDATE meta SET value = 99 WHERE name = 'events-schema'");
			database.close();`;
		await once(new Worker(program, { eval: true, workerData: `${lab.data}/sessions.sqlite` }), 'exit');
		const sentence =
			/^The events in .*sessions\.sqlite were recorded by a newer version: their schema is 99, and this one knows 2\.$/;
		await assert.rejects(findRecordings(lab.data), { name: 'ExpectedError', message: sentence });
		const warnings: string[] = [];
		const log = new NodeEventLog({ openStore: store.open, name: 'b', warn: (sentence) => warnings.push(sentence) });
		log.append('{"version":1,"sessionId":"x"', undefined);
		await log.close();
		await store.close();
		assert.deepEqual(warnings, [
			'The event log cannot be written (its events are of a newer version: their schema is 99, and this one knows 2); agents are served without it.',
		]);
	});
});
