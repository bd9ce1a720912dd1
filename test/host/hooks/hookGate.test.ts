// What Claude Code 2.1.328 does with these answers was tried out: test/e2e/hooks.e2e.test.ts does so again.

import assert from 'node:assert/strict';
import type {
	AfterPassage,
	AgentFact,
	BeforePassage,
	DebugGate,
	GateCall,
	GateResult,
	Hold,
} from '../../../src/core/host/debug/debugGate.ts';
import { dialectOf } from '../../../src/core/host/hooks/agentHooks.ts';
import { readClaudeCodeHook } from '../../../src/core/host/hooks/claudeCodeHooks.ts';
import { holdAtHook, tellGate } from '../../../src/core/host/hooks/hookGate.ts';
import type { HookDialect } from '../../../src/core/host/hooks/hookGate.ts';
import type { HookFacts, Json } from '../../../src/core/host/hooks/hookFacts.ts';

function dialect(format: string): HookDialect {
	const known = dialectOf(format);
	assert.ok(known);
	return known;
}

const claude = dialect('claude-code');
const codex = dialect('codex');
const waiting = { heldUntil: 99, source: 'run-1' };

/** Stops every call, and lets it go as it is told. */
class Gate implements DebugGate {
	isActive = true;
	readonly calls: GateCall[] = [];
	readonly results: GateResult[] = [];
	readonly facts: AgentFact[] = [];
	readonly givenUp: string[] = [];
	passage: BeforePassage | AfterPassage = { action: 'continue' };

	before(call: GateCall): Hold<BeforePassage> {
		this.calls.push(call);
		return this.hold();
	}

	after(call: GateCall, result: GateResult): Hold<AfterPassage> {
		this.calls.push(call);
		this.results.push(result);
		return this.hold();
	}

	tell(fact: AgentFact): void {
		this.facts.push(fact);
	}

	gone(): void {
		assert.fail('a hook does not say so');
	}

	private hold<Passage>(): Hold<Passage> {
		// The tests put in what belongs to the place.
		const passage = Promise.resolve(this.passage as Passage);
		return { stopId: 'stop-1', reason: 'breakpoint', passage, giveUp: (reason) => this.givenUp.push(reason) };
	}
}

function factsOf(body: Json): HookFacts {
	const facts = readClaudeCodeHook({ session_id: 's', prompt_id: 'p', tool_use_id: 't', ...body });
	assert.ok(facts);
	return facts;
}

const bash = { tool_name: 'Bash', tool_input: { command: 'ls' } };
const echo = {
	tool_name: 'mcp__my_files__echo',
	mcp_server: { name: 'my files', source: 'local' },
	tool_input: { text: 'a' },
};
const bashResult = { stdout: 'a', stderr: 'b', interrupted: false };

async function answer(
	event: string,
	body: Json,
	passage: BeforePassage | AfterPassage,
	agent = claude,
): Promise<unknown> {
	const gate = new Gate();
	gate.passage = passage;
	const held = holdAtHook(gate, factsOf({ hook_event_name: event, ...body }), agent, waiting);
	assert.ok(held);
	return JSON.parse(await held.answer);
}

function before(more: Json): Json {
	return { hookSpecificOutput: { hookEventName: 'PreToolUse', ...more } };
}

function after(more: Json): Json {
	return { hookSpecificOutput: { hookEventName: 'PostToolUse', ...more } };
}

const asItWas = { action: 'continue' } as const;

describe('a call that is held at a hook', () => {
	it('is shown as what it is', () => {
		const gate = new Gate();
		holdAtHook(
			gate,
			factsOf({ hook_event_name: 'PreToolUse', agent_id: 'a1', agent_type: 'Explore', ...echo }),
			claude,
			waiting,
		);
		holdAtHook(gate, factsOf({ hook_event_name: 'PreToolUse', ...bash }), claude, waiting);
		const [one, other] = gate.calls.map(({ argumentsText, heldUntil, resultProblem, ...call }) => {
			assert.ok(resultProblem);
			return { ...call, arguments: argumentsText(), until: heldUntil() };
		});
		const common = {
			heldBy: 'hook',
			sessionId: 'claude-code:s',
			toolUseId: 't',
			callId: undefined,
			connectionId: undefined,
			source: 'run-1',
			until: 99,
			canEdit: true,
			canAnswer: true,
			canRepeat: false,
		};
		assert.deepEqual(one, {
			...common,
			agentId: 'a1',
			agentType: 'Explore',
			server: 'my files',
			tool: 'echo',
			agentsName: 'mcp__my_files__echo',
			arguments: '{"text":"a"}',
		});
		assert.deepEqual(other, {
			...common,
			agentId: 'main',
			agentType: undefined,
			server: undefined,
			tool: 'Bash',
			agentsName: undefined,
			arguments: '{"command":"ls"}',
		});
	});

	it('is not held where nobody debugs, nor at other events', () => {
		const gate = new Gate();
		for (const event of ['PermissionRequest', 'PostToolBatch', 'Stop', 'New'])
			assert.equal(holdAtHook(gate, factsOf({ hook_event_name: event, ...bash }), claude, waiting), undefined);
		assert.equal(holdAtHook(gate, factsOf({ hook_event_name: 'PreToolUse' }), claude, waiting), undefined);
		gate.isActive = false;
		assert.equal(holdAtHook(gate, factsOf({ hook_event_name: 'PreToolUse', ...bash }), claude, waiting), undefined);
		assert.deepEqual(gate.calls, []);
	});

	it('is given up with its agent', () => {
		const gate = new Gate();
		holdAtHook(gate, factsOf({ hook_event_name: 'PreToolUse', ...bash }), claude, waiting)?.abandon();
		assert.deepEqual(gate.givenUp, ['Its agent waits no longer.']);
	});

	it('goes on without a word on whether it may', async () => {
		assert.deepEqual(await answer('PreToolUse', bash, asItWas), {});
		assert.deepEqual(await answer('PostToolUse', { ...bash, tool_response: bashResult }, asItWas), {});
		assert.deepEqual(await answer('PostToolUseFailure', { ...bash, error: 'x' }, asItWas), {});
	});

	it('goes on with other arguments, and the person is asked as ever', async () => {
		const edit = { action: 'edit-arguments', arguments: '{"text":"b"}' } as const;
		assert.deepEqual(await answer('PreToolUse', echo, edit), before({ updatedInput: { text: 'b' } }));
		assert.deepEqual(
			await answer('PreToolUse', echo, edit, codex),
			before({ permissionDecision: 'allow', updatedInput: { text: 'b' } }),
		);
	});

	it('is not made where somebody has answered it, and its agent is told the words', async () => {
		const words: readonly (readonly [string, string])[] = [
			['{"content":[{"type":"text","text":"one"},{"type":"image"},{"type":"text","text":"two"}]}', 'one\ntwo'],
			['"plain"', 'plain'],
			['no JSON', 'no JSON'],
			['{"rows":[]}', '{"rows":[]}'],
			['""', 'The call was not made; somebody has answered it with nothing.'],
		];
		for (const [result, reason] of words) {
			assert.deepEqual(
				await answer('PreToolUse', bash, { action: 'answer', result, isError: false }),
				before({ permissionDecision: 'deny', permissionDecisionReason: reason }),
			);
		}
	});

	it('shows its result as that of an MCP tool where it is one', () => {
		const texts = (event: string, body: Json) => {
			const gate = new Gate();
			holdAtHook(gate, factsOf({ hook_event_name: event, ...body }), claude, waiting);
			return gate.results.map(({ text, isError }) => [JSON.parse(text()) as unknown, isError]);
		};
		const content = [{ type: 'text', text: 'a' }];
		assert.deepEqual(texts('PostToolUse', { ...echo, tool_response: content }), [[{ content }, false]]);
		assert.deepEqual(texts('PostToolUse', { ...echo, tool_response: 'a' }), [[{ content }, false]]);
		assert.deepEqual(texts('PostToolUseFailure', { ...echo, error: 'a' }), [[{ content, isError: true }, true]]);
		assert.deepEqual(texts('PostToolUse', { ...bash, tool_response: bashResult }), [[bashResult, false]]);
		assert.deepEqual(texts('PostToolUseFailure', { ...bash, error: 'a' }), [['a', true]]);
	});

	it('takes another result in the shape that its agent takes', async () => {
		const edited = async (body: Json, result: string) =>
			answer('PostToolUse', body, { action: 'edit-result', result });
		const content = [{ type: 'text', text: 'new' }];
		assert.deepEqual(
			await edited({ ...echo, tool_response: [] }, JSON.stringify({ content })),
			after({ updatedMCPToolOutput: content }),
		);
		assert.deepEqual(await edited({ ...echo, tool_response: [] }, 'new'), after({ updatedMCPToolOutput: 'new' }));
		const own: readonly (readonly [unknown, string, unknown])[] = [
			[bashResult, 'new', { stdout: 'new', stderr: '', interrupted: false }],
			[bashResult, '"new"', { stdout: 'new', stderr: '', interrupted: false }],
			[bashResult, '42', { stdout: '42', stderr: '', interrupted: false }],
			[bashResult, '{"stderr":"c"}', { stdout: 'a', stderr: 'c', interrupted: false }],
			[
				{ type: 'text', file: { filePath: '/x', content: 'a' } },
				'new',
				{ type: 'text', file: { filePath: '/x', content: 'new' } },
			],
			[{ result: 'a', code: 200 }, 'new', { result: 'new', code: 200 }],
			[
				{ content: [], status: 'completed' },
				'new',
				{ content: [{ type: 'text', text: 'new' }], status: 'completed' },
			],
			['a', 'new', 'new'],
		];
		for (const [response, result, output] of own)
			assert.deepEqual(
				await edited({ ...bash, tool_response: response }, result),
				after({ updatedToolOutput: output }),
			);
	});

	it('keeps the result that nothing else can be put in the place of, and says so beforehand', async () => {
		const gate = new Gate();
		const glob = { tool_name: 'Glob', tool_input: {}, tool_response: { filenames: [], numFiles: 0 } };
		holdAtHook(gate, factsOf({ hook_event_name: 'PostToolUse', ...glob }), claude, waiting);
		const sentence = 'Glob takes as another result only JSON with the members that its own has.';
		const problems = ['new', '[]', '{"other":1}', '{"numFiles":1}'].map((result) =>
			gate.calls[0]?.resultProblem?.(result),
		);
		assert.deepEqual(problems, [sentence, sentence, sentence, undefined]);
		assert.deepEqual(await answer('PostToolUse', glob, { action: 'edit-result', result: 'new' }), {});
	});

	it('goes on where its answer cannot be written', async () => {
		const passage = { action: 'edit-arguments', arguments: 'no JSON' } as const;
		assert.deepEqual(await answer('PreToolUse', bash, passage), {});
	});

	it('is shown and goes on however deeply it is nested', async () => {
		const depth = 200_000;
		const deep = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
		const call = {
			tool_name: 'Bash',
			tool_input: JSON.parse(deep) as Json,
			tool_response: JSON.parse(deep) as Json,
		};
		const gate = new Gate();
		for (const passage of [
			{ action: 'edit-arguments', arguments: deep },
			{ action: 'edit-result', result: deep },
		] as const) {
			gate.passage = passage;
			const event = passage.action === 'edit-arguments' ? 'PreToolUse' : 'PostToolUse';
			const held = holdAtHook(gate, factsOf({ hook_event_name: event, ...call }), claude, waiting);
			assert.ok((await held?.answer)?.includes(deep));
			assert.ok(gate.calls.at(-1)?.argumentsText() === deep);
		}
		assert.ok(gate.results[0]?.text() === deep);
	});

	it('cannot have another result where there is none', () => {
		const gate = new Gate();
		const call = { ...bash, tool_response: 'a' };
		holdAtHook(gate, factsOf({ hook_event_name: 'PostToolUse', ...call }), claude, waiting);
		holdAtHook(gate, factsOf({ hook_event_name: 'PostToolUseFailure', ...bash, error: 'x' }), claude, waiting);
		assert.deepEqual(
			gate.calls.map(({ canEdit, canAnswer }) => [canEdit, canAnswer]),
			[
				[true, false],
				[false, false],
			],
		);
	});

	it('takes another result as words where its agent is Codex', async () => {
		for (const result of ['new', '"new"', '{"content":[{"type":"text","text":"new"}]}'])
			assert.deepEqual(
				await answer('PostToolUse', { ...bash, tool_response: 'a' }, { action: 'edit-result', result }, codex),
				{ decision: 'block', reason: 'new' },
			);
	});
});

it('hooks tell whoever debugs of agents', () => {
	const gate = new Gate();
	const events: readonly Json[] = [
		{ hook_event_name: 'SubagentStart', agent_id: 'a1', agent_type: 'Explore' },
		{ hook_event_name: 'PostToolUse', tool_name: 'Agent', tool_use_id: 't1', tool_response: { agentId: 'a1' } },
		{ hook_event_name: 'PreCompact', trigger: 'auto' },
		{ hook_event_name: 'PostCompact', trigger: 'auto' },
		{ hook_event_name: 'PreCompact', trigger: 'manual' },
		{ hook_event_name: 'UserPromptSubmit', prompt: 'Go on.' },
		{ hook_event_name: 'SubagentStop', agent_id: 'a1' },
		{ hook_event_name: 'SessionEnd', reason: 'other' },
		{ hook_event_name: 'Stop' },
	];
	for (const event of events) tellGate(gate, factsOf(event));
	const sessionId = 'claude-code:s';
	assert.deepEqual(gate.facts, [
		{
			kind: 'agent-started',
			sessionId,
			agentId: 'a1',
			agentType: 'Explore',
			parentId: undefined,
			spawnedBy: undefined,
		},
		{ kind: 'agent-started', sessionId, agentId: 'a1', agentType: undefined, parentId: 'main', spawnedBy: 't1' },
		{ kind: 'compaction-began', sessionId, agentId: 'main' },
		{ kind: 'compaction-ended', sessionId, agentId: 'main' },
		{ kind: 'compaction-began', sessionId, agentId: 'main' },
		{ kind: 'compaction-ended', sessionId, agentId: 'main' },
		{ kind: 'agent-ended', sessionId, agentId: 'a1' },
		{ kind: 'session-ended', sessionId },
	]);
});
