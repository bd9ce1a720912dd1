// The bodies are those of Claude Code 2.1.328 and Codex 0.169.0, as their hooks and their `tools/call` requests bring them.

import assert from 'node:assert/strict';
import { agentId, sessionId } from '../../src/core/base/ids.ts';
import { nobodyKnown } from '../../src/core/host/agentIdentity.ts';
import type { ConnectionIdentity } from '../../src/core/host/agentIdentity.ts';
import { Attribution } from '../../src/core/host/attribution.ts';
import type { CallOrigin } from '../../src/core/host/attribution.ts';
import { readHook } from '../../src/core/host/hooks/agentHooks.ts';

type Json = Record<string, unknown>;

const claudeSession = '54852bf9-258e-428e-a3b8-d45302e7a635';
const otherSession = '0d2b9a3e-6f0f-4a53-9d3e-4b7f8a3f5c11';
const promptId = '223e9984-10f8-4422-8279-fe1b04af1b00';
const codexRoot = '01a1fd8e-f3fa-7040-8ede-45607bea8039';
const codexThread = '01a1fd8e-f527-7cf2-b3dd-b3acb9c62a3f';

const encoder = new TextEncoder();

class Scene {
	elapsedMs = 0;
	readonly attribution = new Attribution({ elapsed: () => this.elapsedMs });
	readonly learnt: CallOrigin[] = [];

	wire(meta: Json | undefined, identity: ConnectionIdentity = nobodyKnown): unknown[] {
		return brief(this.attribution.wire(meta, identity, (origin) => this.learnt.push(origin)).origin);
	}

	claude(toolUse: string, identity?: ConnectionIdentity): unknown[] {
		return this.wire({ progressToken: 2, 'claudecode/toolUseId': toolUse }, identity);
	}

	hook(more: Json) {
		const facts = readHook('claude-code', encoder.encode(JSON.stringify(hookBody(more))));
		assert.ok(facts);
		this.attribution.learn(facts);
	}
}

function hookBody(more: Json): Json {
	return {
		session_id: claudeSession,
		transcript_path: `/home/dev/.claude/projects/-home-dev-analytics/${claudeSession}.jsonl`,
		cwd: '/home/dev/analytics',
		prompt_id: promptId,
		permission_mode: 'default',
		effort: { level: 'medium' },
		hook_event_name: 'PreToolUse',
		tool_name: 'mcp__workbench__echo',
		tool_input: { text: 'hello from 2' },
		mcp_server: { name: 'workbench', source: 'dynamic' },
		...more,
	};
}

function brief(origin: CallOrigin): unknown[] {
	return [origin.sessionId, origin.agentId, origin.toolUseId];
}

function codexMeta(turn: Json, more: Json = {}): Json {
	return {
		progressToken: 1,
		callId: 'call_c2_1',
		'x-codex-turn-metadata': {
			session_id: codexRoot,
			reasoning_effort: 'medium',
			turn_id: '01a1fd8e-f52d-72e3-add7-ffb58d9dfbba',
			model: 'gpt-5.5',
			turn_started_at_unix_ms: 1795255366959,
			turn_trigger: 'exec',
			sandbox: 'none',
			sandbox_mode: 'danger-full-access',
			codex_version: '0.169.0',
			...turn,
		},
		threadId: turn['thread_id'],
		sessionId: codexRoot,
		windowId: `${String(turn['thread_id'])}:0`,
		itemId: 'fc_call_c2_1',
		...more,
	};
}

const connected: ConnectionIdentity = { sessionId: sessionId('claude-code', claudeSession), agentId: undefined };
const named: ConnectionIdentity = { sessionId: undefined, agentId: agentId('reviewer') };
const child = { thread_id: codexThread, parent_thread_id: codexRoot, subagent_kind: 'thread_spawn' };

describe('who called', () => {
	const onTheWire: [what: string, meta: Json | undefined, identity: ConnectionIdentity, expected: unknown[]][] = [
		['nobody says anything', undefined, nobodyKnown, [undefined, undefined, undefined]],
		['only a progress token', { progressToken: 1 }, nobodyKnown, [undefined, undefined, undefined]],
		['the connection has a session', undefined, connected, [`claude-code:${claudeSession}`, undefined, undefined]],
		['the address names an agent', undefined, named, [undefined, 'reviewer', undefined]],
		[
			'a Codex root',
			codexMeta({ thread_id: codexRoot, thread_source: 'user' }),
			nobodyKnown,
			[`codex:${codexRoot}`, 'main', 'call_c2_1'],
		],
		['a Codex subagent', codexMeta(child), nobodyKnown, [`codex:${codexRoot}`, codexThread, 'call_c2_1']],
		[
			'a Codex subagent without the short names',
			{ 'x-codex-turn-metadata': codexMeta(child)['x-codex-turn-metadata'], callId: 'call_c2_1' },
			nobodyKnown,
			[`codex:${codexRoot}`, codexThread, 'call_c2_1'],
		],
		[
			'a Codex subagent of a session that is not named',
			{ threadId: codexThread, 'x-codex-turn-metadata': { parent_thread_id: codexRoot } },
			nobodyKnown,
			[undefined, codexThread, undefined],
		],
		['a Codex thread and nothing else', { threadId: codexThread }, nobodyKnown, [undefined, undefined, undefined]],
		[
			'a Codex subagent at an address that names an agent',
			codexMeta(child),
			named,
			[`codex:${codexRoot}`, 'reviewer', 'call_c2_1'],
		],
		[
			'VS Code',
			{ progressToken: 'p', 'vscode.conversationId': 'c1', 'vscode.requestId': 'r1', traceparent: '00-1-2-01' },
			nobodyKnown,
			['vscode:c1', undefined, undefined],
		],
		['Claude Code alone', { 'claudecode/toolUseId': 'toolu_1' }, nobodyKnown, [undefined, undefined, 'toolu_1']],
		[
			'Claude Code over `connect`',
			{ 'claudecode/toolUseId': 'toolu_1' },
			connected,
			[`claude-code:${claudeSession}`, undefined, 'toolu_1'],
		],
		[
			'values of other types',
			{ threadId: 7, sessionId: {}, callId: [], 'x-codex-turn-metadata': 'x', 'claudecode/toolUseId': null },
			nobodyKnown,
			[undefined, undefined, undefined],
		],
		[
			'an id of a megabyte',
			{ 'claudecode/toolUseId': 'x'.repeat(1_000_000) },
			nobodyKnown,
			[undefined, undefined, undefined],
		],
	];
	for (const [what, meta, identity, expected] of onTheWire) {
		it(`by the wire: ${what}`, () => {
			assert.deepEqual(new Scene().wire(meta, identity), expected);
		});
	}

	it('a hook that came before the call says session and agent', () => {
		const scene = new Scene();
		scene.hook({ tool_use_id: 'toolu_worker_2_1', agent_id: 'a8cef654617e7d8c9', agent_type: 'general-purpose' });
		scene.hook({ tool_use_id: 'toolu_main' });
		const session = `claude-code:${claudeSession}`;
		assert.deepEqual(scene.claude('toolu_worker_2_1'), [session, 'a8cef654617e7d8c9', 'toolu_worker_2_1']);
		assert.deepEqual(scene.claude('toolu_main'), [session, 'main', 'toolu_main']);
		assert.deepEqual(scene.claude('toolu_other'), [undefined, undefined, 'toolu_other']);
	});

	it('a hook that comes after the call tells it, once, and only that call', () => {
		const scene = new Scene();
		assert.deepEqual(scene.claude('toolu_1', connected), [`claude-code:${claudeSession}`, undefined, 'toolu_1']);
		scene.claude('toolu_2', connected);
		scene.hook({ tool_use_id: 'toolu_1', agent_id: 'a1' });
		scene.hook({ hook_event_name: 'PostToolUse', tool_use_id: 'toolu_1', agent_id: 'a1', duration_ms: 3 });
		assert.deepEqual(scene.learnt.map(brief), [[`claude-code:${claudeSession}`, 'a1', 'toolu_1']]);
	});

	it('a call that nobody asks about any more is not told', () => {
		const scene = new Scene();
		const call = scene.attribution.wire({ 'claudecode/toolUseId': 'toolu_1' }, nobodyKnown, () =>
			assert.fail('told'),
		);
		call.dispose();
		scene.hook({ tool_use_id: 'toolu_1' });
	});

	it('does not take a subagent for the main agent where the version names neither', () => {
		const scene = new Scene();
		scene.hook({ tool_use_id: 'toolu_1', prompt_id: undefined, effort: undefined });
		assert.deepEqual(scene.claude('toolu_1'), [`claude-code:${claudeSession}`, undefined, 'toolu_1']);
	});

	describe('with one tool use id in two sessions', () => {
		const other: ConnectionIdentity = { sessionId: sessionId('claude-code', otherSession), agentId: undefined };

		it('the connection decides', () => {
			const scene = new Scene();
			scene.hook({ tool_use_id: 'toolu_1', agent_id: 'a1' });
			assert.deepEqual(scene.claude('toolu_1', other), [other.sessionId, undefined, 'toolu_1']);
			scene.hook({ tool_use_id: 'toolu_1', agent_id: 'a2', session_id: otherSession });
			assert.deepEqual(scene.learnt.map(brief), [[other.sessionId, 'a2', 'toolu_1']]);
			assert.deepEqual(scene.claude('toolu_1', connected), [connected.sessionId, 'a1', 'toolu_1']);
		});

		it('a connection that has no session is nobody’s', () => {
			const scene = new Scene();
			scene.hook({ tool_use_id: 'toolu_1', agent_id: 'a1' });
			scene.hook({ tool_use_id: 'toolu_1', agent_id: 'a2', session_id: otherSession });
			assert.deepEqual(scene.claude('toolu_1'), [undefined, undefined, 'toolu_1']);
		});
	});

	it('a connection outlives the session that it began in', () => {
		const scene = new Scene();
		scene.hook({ hook_event_name: 'SessionEnd', reason: 'clear' });
		// A subagent of the session that was left is still at work.
		scene.hook({ tool_use_id: 'toolu_old', agent_id: 'a1' });
		scene.hook({ tool_use_id: 'toolu_new', session_id: otherSession });
		assert.deepEqual(scene.claude('toolu_new', connected), [`claude-code:${otherSession}`, 'main', 'toolu_new']);
		assert.deepEqual(scene.claude('toolu_old', connected), [connected.sessionId, 'a1', 'toolu_old']);
		assert.deepEqual(scene.claude('toolu_unknown', connected), [undefined, undefined, 'toolu_unknown']);
		scene.hook({ hook_event_name: 'UserPromptSubmit', prompt: 'I am back' });
		assert.deepEqual(scene.claude('toolu_later', connected), [connected.sessionId, undefined, 'toolu_later']);
	});

	it('forgets what is old, and the oldest when there is too much', () => {
		const scene = new Scene();
		scene.hook({ tool_use_id: 'toolu_old', agent_id: 'a1' });
		scene.elapsedMs = 3 * 60 * 60 * 1000;
		assert.equal(scene.claude('toolu_old')[1], 'a1');
		scene.elapsedMs = 5 * 60 * 60 * 1000;
		assert.equal(scene.claude('toolu_old')[1], undefined);
		for (let index = 0; index <= 20_000; index++) scene.hook({ tool_use_id: `toolu_${index}`, agent_id: 'a1' });
		assert.equal(scene.claude('toolu_0')[1], undefined);
		assert.equal(scene.claude('toolu_20000')[1], 'a1');
	});
});
