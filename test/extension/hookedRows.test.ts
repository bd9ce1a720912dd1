// What the rows of calls say that do not pass the host, and in which order.

import assert from 'node:assert/strict';
import type { HookedCallStatus, HostStatus, ServerStatus } from '../../src/core/host/status.ts';
import { hookedCallsOf, hookedRows } from '../../src/extension/hookedRows.ts';

const now = Date.parse('2026-11-21T14:00:00.000Z');

function call(toolUseId: string, seconds: number, further: Partial<HookedCallStatus> = {}): HookedCallStatus {
	return {
		toolUseId,
		tool: 'Bash',
		server: null,
		state: 'running',
		agentId: 'main',
		agentType: null,
		sessionId: 'claude-code:1',
		startedAt: new Date(now - seconds * 1000).toISOString(),
		ageMs: 0,
		...further,
	};
}

describe('the rows of calls that do not pass the host', () => {
	it('stand apart from those of servers, the oldest first, with how long and for whom', () => {
		const rows = hookedRows(
			[
				call('toolu_2', 2, { agentId: 'a1', agentType: 'Explore', state: 'asking' }),
				call('toolu_1', 75),
				call('toolu_3', 5, { server: 'tickets', tool: 'list', agentId: null }),
			],
			({ agentId }) => (agentId === 'a1' ? 'read-schema' : undefined),
			now,
		);
		assert.deepEqual(
			rows.map(({ label, description, icon, spoken, children }) => [
				`${icon} ${label} — ${description}`,
				spoken,
				...children.map((child) => `${child.icon} ${child.label} — ${child.description}`),
			]),
			[
				[
					'tools Built-in tools — 2 in flight, 1 waiting for permission · seen by hooks',
					"Built-in tools of agents: 2 calls in flight, 1 waiting for permission. Agents' hooks tell of them.",
					'play Bash — 1m 15s · main · running',
					'question Bash — 2 s · read-schema · waits for permission · Explore',
				],
				[
					'plug tickets — 1 in flight · not through the host, seen by hooks',
					"Server tickets, not through the host: 1 call in flight. Agents' hooks tell of them.",
					'play list — 5 s · unknown agent · running',
				],
			],
		);
		const spoken = rows[0]?.children.map((child) => child.spoken);
		assert.deepEqual(spoken, [
			'Bash of agent main has been running for 1 minute 15 seconds.',
			'Bash of agent read-schema has been waiting for permission for 2 seconds.',
		]);
		assert.deepEqual(rows[0]?.children[0]?.target, {
			server: '',
			toolUseId: 'toolu_1',
			sessionId: 'claude-code:1',
		});
	});

	it('are not made for a call that is about to arrive at its server, nor for one that is known to be over', () => {
		const server: Partial<ServerStatus> = { name: 'analytics' };
		const status = {
			servers: [server],
			hooked: [
				call('arrives', 0.2, { server: 'analytics' }),
				call('elsewhere', 30, { server: 'analytics' }),
				call('over', 30),
				call('runs', 0.1),
			],
		} as unknown as HostStatus; // no more of it is looked at
		const found = hookedCallsOf(status, ({ toolUseId }) => toolUseId === 'over', now);
		assert.deepEqual(
			found.map(({ toolUseId }) => toolUseId),
			['elsewhere', 'runs'],
		);
		assert.deepEqual(
			hookedCallsOf({ ...status, hooked: undefined }, () => false, now),
			[],
		);
	});

	it('are a hundred at most', () => {
		const many = Array.from({ length: 130 }, (_, index) => call(`toolu_${index}`, index));
		const [group] = hookedRows(many, () => undefined, now);
		assert.equal(group?.children.length, 100);
		assert.match(group.description, /^130 in flight · the oldest 100 are shown/);
	});
});
