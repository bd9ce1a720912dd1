import assert from 'node:assert/strict';
import { readHook } from '../../../src/core/host/hooks/agentHooks.ts';
import { HookedCalls } from '../../../src/core/host/hooks/hookedCalls.ts';

describe('calls that hooks tell of', () => {
	let now: number;
	let calls: HookedCalls;

	beforeEach(() => {
		now = 1_000;
		calls = new HookedCalls({ now: () => now });
	});

	function hook(event: string, fields: object = {}): boolean {
		const body = { hook_event_name: event, session_id: '1', prompt_id: 'p', ...fields };
		const facts = readHook('claude-code', Buffer.from(JSON.stringify(body)));
		assert.ok(facts !== undefined);
		return calls.take(facts);
	}

	const bash = (id: string) => ({ tool_name: 'Bash', tool_use_id: id, tool_input: { command: id } });
	const shown = () => calls.list(new Set()).map(({ toolUseId, state, ageMs }) => `${toolUseId} ${state} ${ageMs}`);

	it('are in flight from the one hook to the other, with their time', () => {
		assert.equal(hook('PreToolUse', { ...bash('1'), agent_id: 'a1', agent_type: 'Explore' }), true);
		assert.equal(hook('PreToolUse', bash('1')), false);
		now += 500;
		hook('PreToolUse', { tool_name: 'mcp__chat__post', mcp_server: { name: 'chat' }, tool_use_id: '2' });
		assert.deepEqual(calls.list(new Set()), [
			{
				toolUseId: '1',
				tool: 'Bash',
				server: null,
				state: 'running',
				agentId: 'a1',
				agentType: 'Explore',
				sessionId: 'claude-code:1',
				startedAt: '1970-01-01T00:00:01.000Z',
				ageMs: 500,
			},
			{
				toolUseId: '2',
				tool: 'post',
				server: 'chat',
				state: 'running',
				agentId: 'main',
				agentType: null,
				sessionId: 'claude-code:1',
				startedAt: '1970-01-01T00:00:01.500Z',
				ageMs: 0,
			},
		]);
		// A call that passes the host itself is told of there.
		assert.deepEqual(
			calls.list(new Set(['2'])).map(({ toolUseId }) => toolUseId),
			['1'],
		);
		assert.equal(hook('PostToolUse', bash('1')), true);
		assert.equal(hook('PostToolUseFailure', { tool_use_id: '2' }), true);
		assert.deepEqual(shown(), []);
	});

	it('wait for a person when permission is asked for, by their id or by what is called', () => {
		for (const id of ['1', '2', '3']) hook('PreToolUse', bash(id));
		hook('PermissionRequest', { tool_name: 'Bash', tool_input: { command: '2' } });
		hook('PermissionRequest', bash('3'));
		assert.equal(hook('PermissionRequest', { tool_name: 'Bash', tool_input: { command: 'other' } }), false);
		assert.deepEqual(shown(), ['1 running 0', '2 asking 0', '3 asking 0']);
		hook('PermissionDenied', bash('3'));
		assert.deepEqual(shown(), ['1 running 0', '2 asking 0']);
	});

	it('are told apart however deeply their arguments are nested', () => {
		const deep = (id: string) => `{"a":${'['.repeat(10_000)}${id}${']'.repeat(10_000)}}`;
		const told = (event: string, id: string, use: string) =>
			Buffer.from(
				`{"hook_event_name":"${event}","session_id":"1","prompt_id":"p",${use}"tool_name":"Bash","tool_input":${deep(id)}}`,
			);
		for (const id of ['1', '2']) {
			const facts = readHook('claude-code', told('PreToolUse', id, `"tool_use_id":"${id}",`));
			assert.ok(facts !== undefined && calls.take(facts));
		}
		const asked = readHook('claude-code', told('PermissionRequest', '2', ''));
		assert.ok(asked !== undefined && calls.take(asked));
		assert.deepEqual(shown(), ['1 running 0', '2 asking 0']);
	});

	for (const [event, fields, left] of [
		['PostToolBatch', { tool_calls: [{ tool_use_id: '1' }, { tool_use_id: '9' }] }, ['2', '3']],
		['Stop', {}, ['2', '3']],
		['UserPromptSubmit', {}, ['2', '3']],
		['SubagentStop', { agent_id: 'a1' }, ['1', '3']],
		['SessionEnd', {}, ['3']],
		['Notification', {}, ['1', '2', '3']],
	] as const) {
		it(`are over with ${event}, where nothing else tells of their end`, () => {
			hook('PreToolUse', bash('1'));
			hook('PreToolUse', { ...bash('2'), agent_id: 'a1' });
			hook('PreToolUse', { ...bash('3'), session_id: '2' });
			assert.equal(hook(event, fields), left.length < 3);
			assert.deepEqual(
				calls.list(new Set()).map(({ toolUseId }) => toolUseId),
				left,
			);
		});
	}

	it('are forgotten when they are too many, the oldest first', () => {
		for (let id = 0; id < 4_200; id++) hook('PreToolUse', bash(String(id)));
		const all = calls.list(new Set());
		assert.deepEqual([all.length, all[0]?.toolUseId], [4_096, '104']);
	});
});
