// What is recorded, followed while it happens: by nobody's leave but the follower's own pace.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import type { AppendedEvents } from '../../../../src/core/host/control.ts';
import { createHost } from '../../../../src/core/host/createHost.ts';
import type { EventLog } from '../../../../src/core/host/eventLog.ts';
import { EventRecorder } from '../../../../src/core/host/eventRecorder.ts';
import { LogReader } from '../../../../src/core/events/readLog.ts';
import type { SessionEvent } from '../../../../src/core/events/sessionEvent.ts';
import { connectControl } from '../../../../src/platform/node/host/controlClient.ts';
import { startControlServer } from '../../../../src/platform/node/host/controlServer.ts';
import { EventFeed, sessionIn } from '../../../../src/platform/node/host/eventFeed.ts';
import { nodeHostClock, nodeHostRandom } from '../../../../src/platform/node/host/hostPlatform.ts';
import { controlSocketPath } from '../../../../src/platform/node/host/localSocket.ts';
import { NodeUpstreams } from '../../../../src/platform/node/upstreams/nodeUpstreams.ts';
import { until } from '../../../mcp/waiting.ts';
import { Lab } from './hosts.ts';

const sink: EventLog = { append: () => true, maximumMessageBytes: 1_000_000 };
const nothing = async () => undefined;
const head = (seq: number, session: string) =>
	`{"version":1,"seq":${seq},"at":1,"sessionId":${JSON.stringify(session)}`;

describe('the feed of recorded events', () => {
	it('tells each follower of its own sessions, in the order of the log and as they stand in it', async () => {
		const feed = new EventFeed(sink, nothing);
		const [all, some]: [string[], string[]] = [[], []];
		const following = [
			feed.follow(undefined, async ({ lines }) => void all.push(...lines.split('\n'))),
			feed.follow(new Set(['claude-code:"2"']), async ({ lines }) => void some.push(...lines.split('\n'))),
		];
		feed.append(head(0, 'claude-code:1'), undefined);
		feed.append(head(1, 'claude-code:"2"'), Buffer.from('{"ü":1}'));
		await until('all are told', () => (all.length === 2 && some.length > 0 ? true : undefined));
		assert.deepEqual(some, [`${head(1, 'claude-code:"2"')},"message":{"ü":1}}`]);
		assert.equal(all[0], `${head(0, 'claude-code:1')}}`);
		assert.equal(sessionIn(head(1, 'claude-code:"2"')), 'claude-code:"2"');
		for (const follower of following) follower.dispose();
		feed.append(head(2, 'claude-code:1'), undefined);
		await new Promise((resolve) => setTimeout(resolve, 50));
		assert.equal(all.length, 2);
	});

	it('says nothing of what the log has not taken, and of a very long event its head alone', async () => {
		let isFull = true;
		const feed = new EventFeed({ append: () => !isFull, maximumMessageBytes: 1 }, nothing, { eventBytes: 100 });
		const told: string[] = [];
		const following = feed.follow(undefined, async ({ lines }) => void told.push(lines));
		feed.append(head(0, 's'), undefined);
		isFull = false;
		feed.append(head(1, 's'), Buffer.alloc(200, 0x20));
		await until('it is told', () => (told.length > 0 ? true : undefined));
		assert.deepEqual(told, [`${head(1, 's')},"omittedBytes":200}`]);
		following.dispose();
	});

	it('does not wait for who reads slowly, and tells how much it has lost', async () => {
		const feed = new EventFeed(sink, nothing, { waitingBytes: 2_000 });
		const told: AppendedEvents[] = [];
		let goOn: (() => void) | undefined;
		const following = feed.follow(undefined, async (appended) => {
			told.push(appended);
			await new Promise<void>((resolve) => (goOn = resolve));
		});
		feed.append(head(0, 's'), undefined);
		await until('the first is told', () => goOn);
		for (let seq = 1; seq <= 100; seq++) feed.append(head(seq, 's'), undefined);
		goOn?.();
		await until('the rest is told', () => (told.length === 2 ? true : undefined));
		const [, rest] = told;
		assert.ok(rest !== undefined);
		const lines = rest.lines.split('\n');
		assert.equal(rest.lost + lines.length, 100);
		assert.ok(rest.lost > 50 && lines.at(-1) === `${head(100, 's')}}`);
		following.dispose();
	});

	it('lets go of a follower that is gone', async () => {
		const feed = new EventFeed(sink, nothing);
		let told = 0;
		feed.follow(undefined, async () => {
			told++;
			throw new Error('It is gone.');
		});
		feed.append(head(0, 's'), undefined);
		await until('it was told', () => (told === 1 ? true : undefined));
		feed.append(head(1, 's'), undefined);
		await new Promise((resolve) => setTimeout(resolve, 50));
		assert.equal(told, 1);
	});

	it('reaches a client of the control socket before the store has anything', async () => {
		const lab = new Lab();
		mkdirSync(lab.data, { mode: 0o700 });
		let flushes = 0;
		const feed = new EventFeed(sink, async () => void flushes++);
		const host = createHost({
			platform: {
				clock: nodeHostClock,
				random: nodeHostRandom,
				upstreams: new NodeUpstreams(),
				seal: { of: (text) => text },
			},
			recorder: new EventRecorder(feed, nodeHostClock),
			version: '1',
			process: { pid: process.pid, generation: 1, startedAt: new Date().toISOString() },
			onError: (error) => assert.fail(String(error)),
		});
		const path = await controlSocketPath(lab.data);
		const address = { url: '', token: '', controlSocket: path, pid: 1, generation: 1, dataDir: lab.data };
		const options = {
			host,
			path,
			address: Promise.resolve(address),
			stop: () => undefined,
			onClients: () => undefined,
			log: () => undefined,
		};
		let server = await startControlServer({ ...options, events: feed });
		try {
			const client = await connectControl(path, { client: 'a test', timeoutMs: 20_000 });
			assert.ok(client);
			const events: SessionEvent[] = [];
			const times: number[] = [];
			const reader = new LogReader({
				event: (event) => events.push(event),
				problem: ({ message }) => assert.fail(message),
			});
			client.onDidAppend(({ lines }) => {
				times.push(performance.now());
				const bytes = Buffer.from(lines);
				reader.readLine(bytes, 0, bytes.length, { line: 1, offset: 0 }, true);
			});
			await client.request('events/follow', { sessions: null });
			assert.equal(flushes, 1);
			const hook = { hook_event_name: 'PreToolUse', session_id: '1', tool_name: 'Bash', tool_use_id: 'toolu_1' };
			const began = performance.now();
			host.hook('claude-code', Buffer.from(JSON.stringify(hook)), { holdMs: undefined, source: undefined });
			await until('it is told', () => (events.length === 1 ? true : undefined));
			const [event] = events;
			assert.ok(event?.type === 'hook');
			assert.deepEqual([event.sessionId, event.event, event.toolName], ['claude-code:1', 'PreToolUse', 'Bash']);
			assert.ok((times[0] ?? Infinity) - began < 20_000);
			await client.request('events/unfollow', {});
			host.hook('claude-code', Buffer.from(JSON.stringify(hook)), { holdMs: undefined, source: undefined });
			await client.request('host/status', {});
			client.dispose();
			await server.close();
			// Whoever records nothing, or is older than this, refuses: its client reads the store.
			server = await startControlServer(options);
			const other = await connectControl(path, { client: 'a test', timeoutMs: 20_000 });
			await assert.rejects(
				async () => other?.request('events/follow', { sessions: null }),
				/Nothing is recorded/,
			);
			other?.dispose();
		} finally {
			await server.close();
			await host.close();
			await lab.remove();
		}
	});
});
