// One session that three have seen: its transcript, the host that its MCP calls passed, and its agent's hooks.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { agentId, mainAgentId, sessionId, toolUseId } from '../../src/core/base/ids.ts';
import {
	agentsInOrder,
	callState,
	callsOf,
	conflictsOf,
	createConversation,
	fold,
	holdWords,
	hostCallWords,
	seenWords,
	serverOf,
} from '../../src/core/conversation/index.ts';
import type { Conversation } from '../../src/core/conversation/index.ts';
import type { EventLog } from '../../src/core/host/eventLog.ts';
import { EventRecorder } from '../../src/core/host/eventRecorder.ts';
import { readHook } from '../../src/core/host/hooks/agentHooks.ts';
import type { HeldCall } from '../../src/core/debug/debugControl.ts';
import type {
	BodyRef,
	CallEnding,
	CallReleased,
	GivenArguments,
	SessionEvent,
} from '../../src/core/events/sessionEvent.ts';
import { Linter } from '../../src/core/rules/linter.ts';
import { createRecordingReader, readLiveLines } from '../../src/core/transcripts/recording.ts';

const native = '11111111-2222-4333-8444-555555555555';
const session = sessionId('claude-code', native);
const range = { column: 1, endColumn: 2 };
const body: BodyRef = { offset: 0, length: 2, preview: '{}' };

/** What a host would have written down, by its own recorder. */
class Recording implements EventLog {
	readonly maximumMessageBytes = 1_000_000;
	readonly lines: string[] = [];
	private now = 0;
	private readonly recorder = new EventRecorder(this, { now: () => this.now });

	append(head: string, message: Uint8Array | undefined): boolean {
		this.lines.push(message === undefined ? `${head}}` : `${head},"message":${Buffer.from(message).toString()}}`);
		return true;
	}

	hook(at: number, event: string, agent: string | undefined, fields: object = {}): this {
		this.now = at;
		const about = {
			hook_event_name: event,
			session_id: native,
			prompt_id: 'p1',
			cwd: '/home/dev/project',
			transcript_path: `/home/dev/.claude/projects/-home-dev-project/${native}.jsonl`,
		};
		const bytes = Buffer.from(
			JSON.stringify({
				...about,
				...(agent === undefined ? {} : { agent_id: agent, agent_type: 'Explore' }),
				...fields,
			}),
		);
		const facts = readHook('claude-code', bytes);
		assert.ok(facts !== undefined);
		this.recorder.hook({ connectionId: 'hooks', sessionId: facts.sessionId, agentId: facts.agentId }, facts, bytes);
		return this;
	}

	call(at: number, agent: string, id: string, given: object, ending: CallEnding | undefined): this {
		this.now = at;
		const origin = { connectionId: 'agent-1', sessionId: session, agentId: agentId(agent) };
		const call = { callId: `call-${id}`, server: 'analytics', tool: 'query', toolUseId: id };
		const wire = { ...call, rpcId: 1, method: 'tools/call' } as const;
		const request = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'query', arguments: given } };
		this.recorder.message(
			origin,
			{ ...wire, kind: 'request', direction: 'in' },
			Buffer.from(JSON.stringify(request)),
		);
		this.recorder.scopeDecision(origin, call, {
			policy: 'report',
			intent: 'unknown',
			parameters: [],
			outcome: 'reported',
			reason: 'It was left out.',
		});
		this.now++;
		this.recorder.callSent(origin, call, { upstreamId: 'upstream-1', pid: 1, attempt: 1 });
		if (ending === undefined) return this;
		this.now += 9;
		this.recorder.callEnded(origin, call, { ending, durationMs: 9, reason: undefined });
		const response = { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'fine' }] } };
		this.recorder.message(
			origin,
			{ ...wire, kind: ending === 'completed' ? 'response' : 'error', direction: 'out' },
			Buffer.from(JSON.stringify(response)),
		);
		return this;
	}

	/** A debugger stops a call and lets it go after `heldMs`, if at all. */
	hold(
		at: number,
		id: string,
		heldBy: HeldCall['heldBy'],
		release?: { how: CallReleased['how']; heldMs: number },
	): this {
		this.now = at;
		const origin = { connectionId: 'debug', sessionId: session, agentId: undefined };
		const held: HeldCall = {
			stopId: `stop-${id}`,
			reason: 'breakpoint',
			description: 'Breakpoint on Bash.',
			breakpointIds: ['1'],
			at: 'before',
			heldBy,
			sessionId: session,
			agentId: null,
			agentType: null,
			toolUseId: toolUseId(id),
			callId: heldBy === 'wire' ? `call-${id}` : null,
			server: heldBy === 'wire' ? 'analytics' : null,
			tool: heldBy === 'wire' ? 'query' : 'Bash',
			arguments: '{}',
			result: null,
			isError: false,
			heldSince: at,
			heldUntil: null,
			canEdit: true,
			canAnswer: true,
			isRepeatable: null,
		};
		this.recorder.callHeld(origin, held);
		if (release === undefined) return this;
		this.now = at + release.heldMs;
		this.recorder.callReleased(origin, held, { ...release, reason: 'Somebody let it go.', change: '{"sql":"b"}' });
		return this;
	}

	stored(): SessionEvent[] {
		const events: SessionEvent[] = [];
		const file = { path: '/store/recording.jsonl', format: 'claude-code', nativeSessionId: native };
		const reader = createRecordingReader(file, (event) => void events.push(event));
		let offset = 0;
		for (const [index, line] of this.lines.entries()) {
			const bytes = Buffer.from(line);
			reader.readLine(bytes, 0, bytes.length, { line: index + 1, offset }, false);
			offset += bytes.length + 1;
		}
		return events;
	}

	live(): readonly SessionEvent[] {
		return readLiveLines(this.lines.join('\n'));
	}
}

function recording(): Recording {
	const bash = (id: string, command: string) => ({ tool_name: 'Bash', tool_use_id: id, tool_input: { command } });
	const mcp = { tool_name: 'mcp__analytics__query', mcp_server: { name: 'analytics' } };
	return (
		new Recording()
			.hook(900, 'SessionStart', undefined, { source: 'startup', prompt_id: undefined })
			.hook(950, 'UserPromptSubmit', undefined, { prompt: 'Look at the numbers' })
			.hook(1_110, 'PreToolUse', undefined, {
				...mcp,
				tool_use_id: 'toolu_mcp',
				tool_input: { sql: 'a', page: 1 },
			})
			// Somebody has changed the arguments, and added one.
			.call(1_120, 'main', 'toolu_mcp', { sql: 'b', page: 1, limit: 5 }, 'completed')
			.hook(1_140, 'PostToolUse', undefined, {
				...mcp,
				tool_use_id: 'toolu_mcp',
				tool_input: { sql: 'b', page: 1, limit: 5 },
				tool_response: 'fine',
				duration_ms: 11,
			})
			.hook(1_150, 'PreToolUse', undefined, bash('toolu_bash', 'make'))
			.hook(1_250, 'PostToolUseFailure', undefined, {
				...bash('toolu_bash', 'make'),
				error: 'Exit code 2',
				duration_ms: 99,
			})
			.hook(1_160, 'PreToolUse', undefined, bash('toolu_runs', 'sleep 60'))
			.hook(1_170, 'PreToolUse', undefined, {
				tool_name: 'Agent',
				tool_use_id: 'toolu_agent',
				tool_input: { subagent_type: 'Explore' },
			})
			.hook(1_172, 'SubagentStart', 'a1')
			.hook(1_175, 'PostToolUse', undefined, {
				tool_name: 'Agent',
				tool_use_id: 'toolu_agent',
				tool_input: { subagent_type: 'Explore' },
				tool_response: { isAsync: true, status: 'async_launched', agentId: 'a1' },
			})
			// In the transcript it is the main agent's.
			.hook(1_180, 'PreToolUse', 'a1', bash('toolu_whose', 'ls'))
			.hook(1_190, 'PreToolUse', 'a1', {
				tool_name: 'Read',
				tool_use_id: 'toolu_read',
				tool_input: { file_path: '/a' },
			})
			.hook(1_195, 'PostToolUse', 'a1', {
				tool_name: 'Read',
				tool_use_id: 'toolu_read',
				tool_input: { file_path: '/a' },
				tool_response: { content: 'text' },
				duration_ms: 4,
			})
			.call(1_300, 'a1', 'toolu_alone', { sql: 'c' }, 'timed-out')
			.hook(1_305, 'PreToolUse', 'a1', {
				tool_name: 'Write',
				tool_use_id: 'toolu_asked',
				tool_input: { file_path: '/b' },
			})
			.hook(1_306, 'PreToolUse', 'a1', {
				tool_name: 'Edit',
				tool_use_id: 'toolu_denied',
				tool_input: { file_path: '/b' },
			})
			.hook(1_310, 'PermissionRequest', 'a1', { tool_name: 'Write', tool_input: { file_path: '/b' } })
			.hook(1_320, 'PermissionDenied', 'a1', {
				tool_name: 'Edit',
				tool_use_id: 'toolu_denied',
				tool_input: { file_path: '/b' },
				reason: 'Not there.',
			})
			.hook(1_330, 'PreToolUse', 'a2', { tool_name: 'Grep', tool_use_id: 'toolu_grep', tool_input: {} })
			.hook(1_340, 'PostToolBatch', 'a2', { tool_calls: [{ tool_name: 'Grep', tool_use_id: 'toolu_grep' }] })
			.hook(1_350, 'SubagentStop', 'a2', { last_assistant_message: 'Nothing was found.' })
			.hold(1_121, 'toolu_mcp', 'wire', { how: 'arguments-edited', heldMs: 3 })
			.hold(1_181, 'toolu_whose', 'hook')
			.hold(1_151, 'toolu_bash', 'hook', { how: 'continued', heldMs: 50 })
			.hook(1_360, 'PreCompact', undefined, { trigger: 'auto' })
	);
}

function given(values: Readonly<Record<string, string>>): GivenArguments {
	return { range, values: Object.entries(values).map(([path, value]) => ({ path, value })), isPartial: false };
}

function transcript(): SessionEvent[] {
	let line = 0;
	const said = (at: number, event: object): SessionEvent => {
		line++;
		return {
			version: 1,
			seq: line,
			at,
			sessionId: session,
			agent: { id: mainAgentId },
			source: { kind: 'transcript', path: '/t.jsonl', line, offset: line * 100, length: 99 },
			...event,
		} as unknown as SessionEvent; // the list below gives each its members
	};
	const use = (id: string, name: string, more: object = {}) =>
		said(1_100, {
			type: 'tool-use',
			toolUseId: toolUseId(id),
			name,
			answeredBy: 'client',
			messageId: 'm2',
			range,
			arguments: body,
			...more,
		});
	const result = (id: string) =>
		said(1_900, {
			type: 'tool-result',
			toolUseId: toolUseId(id),
			isError: false,
			messageId: 'm3',
			range,
			body,
			isPrecededByOther: false,
			isInPlace: false,
			isInterruption: false,
		});
	const message = (at: number, messageId: string, role: string, kind: string) =>
		said(at, { type: 'message', messageId, role, kind, parts: ['text'] });
	return [
		said(990, { type: 'session-started', format: 'claude-code', nativeId: native, entrypoint: 'interactive' }),
		message(1_000, 'm1', 'user', 'prompt'),
		message(1_100, 'm2', 'assistant', 'response'),
		use('toolu_mcp', 'query', { server: 'analytics', given: given({ sql: '"a"', page: '1' }) }),
		use('toolu_bash', 'Bash'),
		use('toolu_runs', 'Bash'),
		use('toolu_agent', 'Agent', { spawn: { agentType: 'Explore' } }),
		use('toolu_whose', 'Bash'),
		message(1_900, 'm3', 'user', 'results'),
		result('toolu_mcp'),
		result('toolu_bash'),
		result('toolu_agent'),
	];
}

function liveness(state: 'live' | 'ended' | 'unknown'): SessionEvent {
	return {
		version: 1,
		seq: 0,
		sessionId: session,
		agent: { unknown: 'A process is not an agent.' },
		source: { kind: 'process' },
		type: 'session-liveness',
		state,
		evidence: 'So it is.',
	};
}

/** All that people are told. */
function told(conversation: Conversation): unknown {
	return {
		title: conversation.title,
		cwd: conversation.cwd,
		agents: agentsInOrder(conversation).map((agent) => [
			`${agent.id} ${agent.type ?? ''} of ${agent.parentId ?? 'nobody'} by ${agent.spawnCall?.id ?? agent.spawnToolUseId ?? 'nothing'}`,
			agent.report?.hasStopped === true ? `stopped: ${agent.report.stopped?.lastMessage ?? ''}` : '',
			agent.report?.compactingSince,
			callsOf(agent).map((call) => {
				const state = callState(conversation, call);
				return [
					`${call.id} ${serverOf(call) ?? ''}/${call.name}`,
					state.state === 'orphaned' ? state.cause : state.state,
					'evidence' in state ? state.evidence : '',
					hostCallWords(call, state).join(', '),
					seenWords(call),
					conflictsOf(call).join(' '),
					call.hostCalls.map(({ scopeDecisions }) => scopeDecisions.length).join(),
					...call.holds.map(holdWords),
				].join(' | ');
			}),
		]),
	};
}

const expected = {
	title: 'Look at the numbers',
	cwd: '/home/dev/project',
	agents: [
		[
			'main  of nobody by nothing',
			'',
			1_360,
			[
				'toolu_mcp analytics/query | completed |  | arguments edited by hand | Seen in the transcript, by the host and by hooks. | ' +
					'Its arguments are not those that the transcript has: the host was sent sql "b", limit 5. | 1 | Held for 3 ms. Breakpoint on Bash. Somebody let it go.',
				'toolu_bash /Bash | completed |  | failed, says a hook | Seen in the transcript and by hooks. | ' +
					'How it ended: completed, says the transcript; failed, says a hook. |  | Held for 50 ms. Breakpoint on Bash. Somebody let it go.',
				"toolu_runs /Bash | pending | Its agent's hook says that it has begun, and nothing says that it has ended. So it is. |  | " +
					'Seen in the transcript and by hooks. |  | ',
				'toolu_agent /Agent | completed |  |  | Seen in the transcript and by hooks. |  | ',
				'toolu_whose /Bash | pending | Held. Breakpoint on Bash. So it is. | made by a1, says a hook, held | ' +
					'Seen in the transcript and by hooks. | Who made it: main, says the transcript; a1, says a hook. |  | Held. Breakpoint on Bash.',
			],
		],
		[
			'a1 Explore of main by toolu_agent',
			'',
			undefined,
			[
				'toolu_read /Read | completed |  |  | Seen by hooks. |  | ',
				'toolu_alone analytics/query | failed |  | timed out | Seen by the host. |  | 1',
				'toolu_asked /Write | pending | It waits for a person to allow it. So it is. | waits for permission | Seen by hooks. |  | ',
				'toolu_denied /Edit | failed |  | denied | Seen by hooks. |  | ',
			],
		],
		[
			'a2 Explore of nobody by nothing',
			'stopped: Nothing was found.',
			undefined,
			[
				'toolu_grep /Grep | unknown' +
					' | All calls of its message have ended, says a hook, and nothing tells how this one did. |  | Seen by hooks. |  | ',
			],
		],
	],
};

describe('a session that three have seen', () => {
	it('is one session, each of its calls one call, and what they say against each other stands beside it', () => {
		const conversation = createConversation(session);
		fold(conversation, [...transcript(), ...recording().stored(), liveness('live')]);
		assert.deepEqual(told(conversation), expected);
	});

	it('is the same whoever is read first, in whatever pieces, and whether or not it was followed while it happened', () => {
		const written = transcript();
		const stored = recording().stored();
		const live = recording().live();
		assert.equal(live.length, stored.length);
		fc.assert(
			fc.property(
				fc.shuffledSubarray([...stored], { minLength: stored.length }),
				fc.shuffledSubarray([...live]),
				fc.array(fc.nat(9), { minLength: 40, maxLength: 200 }),
				fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 }),
				(host, followed, choices, lengths) => {
					// The transcript's lines come in their order; all else in any.
					const logs = [[...written], [...host], [...followed], [liveness('live')]];
					const events: SessionEvent[] = [];
					for (let turn = 0; logs.some((log) => log.length > 0); turn++) {
						const open = logs.filter((log) => log.length > 0);
						const next = open[(choices[turn % choices.length] ?? 0) % open.length]?.shift();
						if (next !== undefined) events.push(next);
					}
					const conversation = createConversation(session);
					for (let at = 0, turn = 0; at < events.length; turn++) {
						const length = lengths[turn % lengths.length] ?? 1;
						fold(conversation, events.slice(at, at + length));
						at += length;
					}
					assert.deepEqual(told(conversation), expected);
					// What is written somewhere is to be found there.
					for (const agent of conversation.agents.values()) {
						for (const call of callsOf(agent)) assert.equal(call.place.source.kind, 'transcript', call.id);
					}
				},
			),
			{ numRuns: 300 },
		);
	});

	it('is told of by each of them where the others are not there', () => {
		const hooksAlone = createConversation(session);
		fold(hooksAlone, [...recording().stored(), liveness('live')]);
		assert.deepEqual(
			[...hooksAlone.agents.values()].flatMap((agent) =>
				agent.hostCalls.map((call) => `${agent.id} ${call.id} ${callState(hooksAlone, call).state}`),
			),
			[
				'main toolu_mcp completed',
				'main toolu_bash failed',
				'main toolu_runs pending',
				'main toolu_agent completed',
				'a1 toolu_whose pending',
				'a1 toolu_read completed',
				'a1 toolu_alone failed',
				'a1 toolu_asked pending',
				'a1 toolu_denied failed',
				'a2 toolu_grep orphaned',
			],
		);
		assert.equal(hooksAlone.agents.get(agentId('a1'))?.parentId, mainAgentId);
		const [read] = hooksAlone.agents.get(agentId('a1'))?.hostCalls.slice(1) ?? [];
		assert.deepEqual(
			[read?.name, read?.arguments.preview, read?.result?.body.preview, read?.result?.durationMs],
			['Read', '{"file_path":"/a"}', '{"content":"text"}', 4],
		);
		// The agent itself says that it is over; nothing that it has left unanswered runs on.
		fold(hooksAlone, new Recording().hook(2_000, 'SessionEnd', undefined, { reason: 'other' }).stored());
		assert.equal(hooksAlone.liveness.state, 'ended');
		const [, , runs] = hooksAlone.agents.get(mainAgentId)?.hostCalls ?? [];
		assert.ok(runs !== undefined);
		assert.deepEqual(callState(hooksAlone, runs), {
			state: 'orphaned',
			cause: 'killed',
			evidence: 'Its hook says that it has ended (other).',
		});
	});

	it('has the findings of its transcript alone, live and ended', () => {
		for (const state of ['live', 'ended', 'unknown'] as const) {
			const findings = [transcript(), [...transcript(), ...recording().stored()]].map((events) => {
				const conversation = createConversation(session);
				fold(conversation, [...events, liveness(state)]);
				const linter = new Linter(conversation, {}, {});
				linter.lintAll();
				return linter.diagnostics.map(({ ruleId, toolUseId: id }) => `${ruleId} ${id ?? ''}`);
			});
			assert.deepEqual(findings[1], findings[0], state);
		}
	});

	it('knows which call waits for a person where the asking does not name it, and does not guess between two', () => {
		const bash = (id: string | undefined) => ({
			tool_name: 'Bash',
			tool_use_id: id,
			tool_input: { command: 'make' },
		});
		const events = new Recording()
			.hook(10, 'PreToolUse', undefined, bash('toolu_x'))
			.hook(15, 'PermissionRequest', undefined, bash(undefined))
			.hook(20, 'PreToolUse', undefined, bash('toolu_y'))
			.hook(25, 'PermissionRequest', undefined, bash(undefined))
			.hook(30, 'PostToolUse', undefined, bash('toolu_x'))
			.hook(40, 'PostToolBatch', undefined, { tool_calls: [{ tool_name: 'Bash', tool_use_id: 'toolu_y' }] });
		const stored = events.stored();
		fc.assert(
			fc.property(
				fc.shuffledSubarray(stored, { minLength: stored.length }),
				fc.shuffledSubarray([...events.live()]),
				(all, live) => {
					const conversation = createConversation(session);
					for (const event of [...live, ...all]) fold(conversation, [event]);
					const calls = conversation.agents.get(mainAgentId)?.hostCalls ?? [];
					assert.deepEqual(
						calls.map(({ id, hookCall }) => [id, hookCall?.asked?.at, hookCall?.asked?.place.source.kind]),
						[
							['toolu_x', 15, 'transcript'],
							['toolu_y', undefined, undefined],
						],
					);
				},
			),
			{ numRuns: 200 },
		);
	});

	it('knows of the end of a call before the transcript does', () => {
		const conversation = createConversation(session);
		const ended = new Recording()
			.hook(1_200, 'PreToolUse', undefined, { tool_name: 'Bash', tool_use_id: 'toolu_runs', tool_input: {} })
			.hook(1_300, 'PostToolUse', undefined, { tool_name: 'Bash', tool_use_id: 'toolu_runs', tool_input: {} });
		fold(conversation, [...transcript(), ...ended.live(), liveness('live')]);
		const call = conversation.agents.get(mainAgentId)?.toolCalls.find(({ id }) => id === 'toolu_runs');
		assert.ok(call !== undefined);
		assert.deepEqual(callState(conversation, call), {
			state: 'pending',
			isCertain: false,
			hasEnded: true,
			evidence: "Its agent's hook says that it has ended. The transcript has no result of it yet.",
		});
	});

	it('finds nothing different where a secret was kept out, or something is not told whole', () => {
		const differences = (asked: GivenArguments, sent: object) => {
			const conversation = createConversation(session);
			const events = transcript().map((event) =>
				event.type === 'tool-use' && event.toolUseId === 'toolu_mcp' ? { ...event, given: asked } : event,
			);
			fold(conversation, [
				...events,
				...new Recording().call(1_120, 'main', 'toolu_mcp', sent, 'completed').stored(),
			]);
			const call = conversation.agents.get(mainAgentId)?.toolCalls[0];
			return call === undefined ? [] : conflictsOf(call);
		};
		assert.deepEqual(differences(given({ key: '"secret"' }), { key: '[redacted]' }), []);
		assert.deepEqual(differences({ ...given({ a: '1' }), isPartial: true }, { a: 1, b: 2 }), []);
		assert.deepEqual(differences(given({ a: '{"b" : 1}', 'a.b': '1' }), { a: { b: 1 } }), []);
		assert.deepEqual(differences(given({ a: '[1, 2]' }), { a: [1, 2] }), []);
		assert.deepEqual(differences(given({ a: '"\\u00e9"' }), { a: 'é' }), []);
		const sent = 'Its arguments are not those that the transcript has: the host was sent';
		assert.deepEqual(differences(given({ a: '[1, 2]' }), { a: [1, 3] }), [`${sent} a [1,3].`]);
		assert.deepEqual(differences(given({ a: '1', b: '2' }), { a: 1 }), [`${sent} no b.`]);
		assert.deepEqual(differences(given({ a: '{"b":1}', 'a.b': '1' }), { a: { b: 2 } }), [`${sent} a.b 2.`]);
	});
});
