// What the rows of the host's views say, and in which order.

import assert from 'node:assert/strict';
import type { CallStatus, HostStatus, ServerStatus } from '../../src/core/host/status.ts';
import { inFlightRows } from '../../src/extension/inFlightRows.ts';
import type { Row } from '../../src/extension/row.ts';
import { serverRows } from '../../src/extension/serverRows.ts';

const now = Date.parse('2026-11-21T14:00:00.000Z');

function server(name: string, further: Partial<ServerStatus> = {}): ServerStatus {
	return {
		name,
		transport: 'stdio',
		state: 'connected',
		sharing: 'shared',
		pid: 4121,
		connections: [],
		inFlight: 0,
		queued: 0,
		calls: 0,
		errors: 0,
		timeouts: 0,
		cancelled: 0,
		reconnects: 0,
		p50Ms: null,
		p99Ms: null,
		lastExit: null,
		...further,
	};
}

function call(id: string, seconds: number, further: Partial<CallStatus> = {}): CallStatus {
	return {
		id,
		server: 'analytics',
		tool: 'analytics_query',
		state: 'running',
		agentId: 'explore-api',
		sessionId: 'claude-code:1',
		toolUseId: null,
		startedAt: new Date(now - seconds * 1000).toISOString(),
		ageMs: 0,
		...further,
	};
}

function status(servers: readonly ServerStatus[], calls: readonly CallStatus[] = []): HostStatus {
	return { version: 1, host: { pid: 1, generation: 1, startedAt: '' }, servers, calls, sessions: [] };
}

function outline(rows: readonly Row[], depth = 0): readonly string[] {
	return rows.flatMap(({ icon, label, description, children }) => [
		`${'  '.repeat(depth)}${icon ?? '-'} ${label} — ${description}`,
		...outline(children, depth + 1),
	]);
}

const nobodyNamed = () => undefined;

describe('the rows of held calls', () => {
	const calls = [
		call('1', 8, {
			state: 'held',
			reason: 'breakpoint "analytics/*"',
			agentId: 'read-schema',
			heldUntil: new Date(now + 52_000).toISOString(),
		}),
		call('stop-1', 2, { server: '', tool: 'Bash', state: 'held', reason: 'paused' }),
		call('2', 41),
	];
	const rows = inFlightRows(status([server('analytics')], calls), nobodyNamed, now);

	it('say why, and how long their clients will wait; tools of the agents themselves stand apart', () => {
		assert.deepEqual(outline(rows), [
			"tools Agents' own tools — 1 in flight",
			'  debug-pause Bash — 2 s · explore-api · held: paused',
			'circle-filled analytics — 2 in flight · shared, stdio, pid 4121',
			'  play analytics_query — 41 s · explore-api · running',
			'  debug-pause analytics_query — 8 s · read-schema · held: breakpoint "analytics/*" · goes on in 52 s',
		]);
	});

	it('are sentences for a screen reader', () => {
		assert.equal(
			rows[1]?.children[1]?.spoken,
			'analytics_query of agent read-schema has been held for 8 seconds: breakpoint "analytics/*". It goes on in 52 s.',
		);
	});
});

describe('the rows of calls in flight', () => {
	it('stand below their servers, the oldest first, whatever the order of the host', () => {
		const rows = inFlightRows(
			status(
				[
					server('tickets'),
					server('analytics', { state: 'draining', inFlight: 2, queued: 1, p99Ms: 38.2 }),
					server('idle'),
				],
				[
					call('c', 2, { state: 'queued', agentId: 'main', reason: 'The server is draining.' }),
					call('b', 8, { state: 'held', agentId: 'read-schema', reason: 'Breakpoint "analytics/*".' }),
					call('a', 41),
					call('t', 0, { server: 'tickets', tool: 'list', agentId: null }),
				],
			),
			nobodyNamed,
			now,
		);
		assert.deepEqual(outline(rows), [
			'clock analytics — draining · 3 in flight, 1 waiting · p99 38 ms · shared, stdio, pid 4121',
			'  play analytics_query — 41 s · explore-api · running',
			'  debug-pause analytics_query — 8 s · read-schema · held: Breakpoint "analytics/*"',
			'  ellipsis analytics_query — 2 s · main · queued: The server is draining',
			'circle-filled tickets — 1 in flight · shared, stdio, pid 4121',
			'  play list — 1 s · unknown agent · running',
		]);
	});

	it('keep their ids whatever happens to them', () => {
		const before = inFlightRows(status([server('analytics')], [call('a', 1)]), nobodyNamed, now);
		const after = inFlightRows(
			status([server('analytics', { state: 'failed', pid: null })], [call('a', 90, { state: 'held' })]),
			() => 'explore',
			now,
		);
		const ids = (rows: readonly Row[]): readonly string[] =>
			rows.flatMap(({ id, children }) => [id, ...ids(children)]);
		assert.deepEqual(ids(after), ids(before));
	});

	it('say a sentence to whoever listens', () => {
		const [row] = inFlightRows(
			status(
				[server('analytics')],
				[
					call('a', 61, { agentId: 'a0beff' }),
					call('b', 8, { state: 'queued', agentId: null, reason: 'The server is draining.' }),
				],
			),
			({ agentId }) => (agentId === 'a0beff' ? 'worker 1' : undefined),
			now,
		);
		assert.equal(
			row?.spoken,
			'Server analytics, shared, stdio, pid 4121, is connected: 2 calls in flight, 1 of them waiting.',
		);
		assert.deepEqual(
			row.children.map(({ spoken }) => spoken),
			[
				'analytics_query of agent worker 1 has been running for 1 minute 1 second.',
				'analytics_query of an agent that is not known has been waiting for 8 seconds: The server is draining.',
			],
		);
	});

	it('are not lost when the host names no server of theirs', () => {
		const rows = inFlightRows(status([], [call('a', 1)]), nobodyNamed, now);
		assert.deepEqual(outline(rows), [
			'question analytics — 1 in flight',
			'  play analytics_query — 1 s · explore-api · running',
		]);
	});

	it('are the hundred oldest where there are thousands', () => {
		const calls = Array.from({ length: 1000 }, (_, index) => call(`c${index}`, index + 1));
		const [row] = inFlightRows(status([server('analytics')], calls), nobodyNamed, now);
		assert.equal(row?.description, '1000 in flight · shared, stdio, pid 4121');
		assert.equal(row.children.length, 101);
		assert.equal(row.children[0]?.id, 'call c999');
		assert.equal(row.children[100]?.label, '900 more');
	});

	it('age by the clock of this machine, and by what the host says when its time cannot be read', () => {
		const [row] = inFlightRows(
			status([server('analytics')], [call('a', 0, { startedAt: 'yesterday', ageMs: 125_000 })]),
			nobodyNamed,
			now,
		);
		assert.match(row?.children[0]?.description ?? '', /^2m 5s · /);
	});
});

describe('the rows of servers', () => {
	it('say how each is doing, by name', () => {
		const rows = serverRows(
			status([
				server('tickets', { state: 'failed', reason: 'Connection refused.' }),
				server('chat', {
					state: 'reconnecting',
					sharing: 'per-agent',
					pid: null,
					queued: 2,
					calls: 40,
					reconnects: 2,
					lastExit: { code: null, signal: 'SIGKILL', stderrTail: '', at: '2026-11-21T13:59:58Z', reason: '' },
				}),
				server('analytics', { inFlight: 3, calls: 200, errors: 1, timeouts: 2, reconnects: 1 }),
				server('idle', { state: 'stopped', pid: null }),
			]),
		);
		assert.deepEqual(
			rows.map(({ icon, label, description }) => `${icon} ${label} — ${description}`),
			[
				'circle-filled analytics — shared · 3 in flight · 1.5 % errors · 1 reconnect',
				'sync chat — reconnecting (2 waiting) · per agent · 0.0 % errors · 2 reconnects · last exit: SIGKILL',
				'circle-outline idle — not started · shared · 0 in flight · 0.0 % errors · 0 reconnects',
				'error tickets — failed · shared · 0.0 % errors · 0 reconnects',
			],
		);
		assert.equal(
			rows[1]?.spoken,
			'Server chat, per agent, is reconnecting (2 waiting). 0 calls in flight, 40 calls so far, 0.0 % errors, 2 reconnects. It last ended with SIGKILL.',
		);
	});

	it('hold why it is shared or not, its connections, and what it printed before its end', () => {
		const [row] = serverRows(
			status([
				server('chat', {
					sharing: 'per-agent',
					sharingReason: 'It asked an agent something.',
					connections: [
						{
							id: '1',
							state: 'connected',
							pid: 7,
							owner: 'explore',
							protocolVersion: '2025-11-25',
							inFlight: 1,
							queued: 0,
						},
						{
							id: '2',
							state: 'stopped',
							pid: null,
							owner: 'read-schema',
							protocolVersion: null,
							inFlight: 0,
							queued: 0,
						},
					],
					lastExit: {
						code: 1,
						signal: null,
						stderrTail: `${Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n')}\n`,
						at: '2026-11-21T13:59:58Z',
						reason: 'The process ended by itself.',
					},
				}),
			]),
		);
		const lines = outline(row?.children ?? []);
		assert.equal(lines[0], 'pulse State — connected');
		assert.match(
			lines[1] ?? '',
			/^debug-disconnect Last exit — code 1 at \d\d:\d\d:\d\d – The process ended by itself\.$/,
		);
		assert.deepEqual(
			lines.slice(2, 12),
			Array.from({ length: 10 }, (_, index) => `  - line ${index + 20} — `),
		);
		assert.equal(lines[12], 'organization Sharing — per agent – It asked an agent something.');
		assert.deepEqual(lines.slice(-3), [
			'git-branch Connections — 2',
			'  circle-filled explore — connected · 1 in flight · pid 7 · 2025-11-25',
			'  circle-outline read-schema — not started · 0 in flight',
		]);
	});

	it('have an id of their own each, also where two servers are alike', () => {
		const exit = { code: 1, signal: null, stderrTail: 'same\nsame\n', at: '2026-11-21T13:59:58Z', reason: '' };
		const rows = serverRows(
			status([
				server('a', { sharing: 'per-agent', lastExit: exit }),
				server('b', { sharing: 'per-agent', lastExit: exit }),
			]),
		);
		const ids = (all: readonly Row[]): readonly string[] =>
			all.flatMap(({ id, children }) => [id, ...ids(children)]);
		assert.equal(new Set(ids(rows)).size, ids(rows).length);
	});
});
