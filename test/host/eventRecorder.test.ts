import assert from 'node:assert/strict';
import type { HeldCall } from '../../src/core/debug/index.ts';
import { agentId, sessionId, toolUseId } from '../../src/core/base/ids.ts';
import { LineSplitter } from '../../src/core/base/lineSplitter.ts';
import { LogReader } from '../../src/core/events/readLog.ts';
import type { LogProblem } from '../../src/core/events/readLog.ts';
import { FORMAT_VERSION } from '../../src/core/events/sessionEvent.ts';
import type { SessionEvent } from '../../src/core/events/sessionEvent.ts';
import type { EventLog } from '../../src/core/host/eventLog.ts';
import { EventRecorder } from '../../src/core/host/eventRecorder.ts';
import { readClaudeCodeHook } from '../../src/core/host/hooks/claudeCodeHooks.ts';
import type { HookFacts } from '../../src/core/host/hooks/hookFacts.ts';
import type { RecordedMessage, RecordOrigin } from '../../src/core/host/recorder.ts';

function hookFacts(body: Readonly<Record<string, unknown>>): HookFacts {
	const facts = readClaudeCodeHook({ session_id: 's', ...body });
	assert.ok(facts);
	return facts;
}

/** The log as a file in memory. */
class MemoryLog implements EventLog {
	maximumMessageBytes = 10_000;
	isFull = false;
	private readonly lines: Uint8Array[] = [];

	append(head: string, message: Uint8Array | undefined): boolean {
		if (this.isFull) return false;
		const member = message === undefined ? [] : [Buffer.from(',"message":'), message];
		this.lines.push(Buffer.concat([Buffer.from(head), ...member, Buffer.from('}\n')]));
		return true;
	}

	get bytes(): Buffer {
		return Buffer.concat(this.lines);
	}

	get text(): string {
		return this.bytes.toString();
	}

	read(): readonly SessionEvent[] {
		const events: SessionEvent[] = [];
		const problems: LogProblem[] = [];
		const reader = new LogReader({
			event: (event) => events.push(event),
			problem: (problem) => problems.push(problem),
		});
		const splitter = new LineSplitter(reader.readLine.bind(reader), 4096, (length) => new Uint8Array(length));
		splitter.push(this.bytes);
		splitter.finish();
		assert.deepEqual(problems, []);
		return events;
	}
}

const now = 1795250000000;
const nobody: RecordOrigin = { connectionId: 'c7', sessionId: undefined, agentId: undefined };
const somebody: RecordOrigin = {
	connectionId: 'c8',
	sessionId: sessionId('claude-code', '5e551011'),
	agentId: agentId('a "quoted"\nname'),
};

const request: RecordedMessage = {
	kind: 'request',
	direction: 'in',
	rpcId: 5,
	server: 'files',
	method: 'tools/call',
	tool: 'read',
	toolUseId: 'toolu_1',
	callId: 'call-1',
};

function recording(log = new MemoryLog()): { recorder: EventRecorder; log: MemoryLog } {
	return { recorder: new EventRecorder(log, { now: () => now }), log };
}

function bytesOf(value: unknown): Uint8Array {
	return Buffer.from(JSON.stringify(value));
}

/** What every event of the connection has that belongs to nobody. */
function envelope(seq: number) {
	return {
		version: FORMAT_VERSION,
		seq,
		at: now,
		sessionId: 'mcp:c7',
		agent: { unknown: 'The connection does not say which agent is behind it.' },
	};
}

describe('the recorder', () => {
	it('keeps a message as it is, at the place that its event names', () => {
		const { recorder, log } = recording();
		const message = bytesOf({
			jsonrpc: '2.0',
			id: 5,
			method: 'tools/call',
			params: { name: 'read', arguments: { ü: '😀' } },
		});
		recorder.message(nobody, { ...request, rpcId: 'é' }, message);
		recorder.message(nobody, request, message);
		const events = log.read();
		assert.equal(events.length, 2);
		for (const [seq, event] of events.entries()) {
			assert.ok(event.type === 'wire-message');
			const { body, content, ...rest } = event;
			assert.deepEqual(rest, {
				...envelope(seq),
				source: { kind: 'wire', connectionId: 'c7', direction: 'in', rpcId: seq === 0 ? 'é' : 5 },
				type: 'wire-message',
				kind: 'request',
				server: 'files',
				method: 'tools/call',
				tool: 'read',
				toolUseId: 'toolu_1',
				callId: 'call-1',
			});
			assert.deepEqual(log.bytes.subarray(body.offset, body.offset + body.length), message);
			assert.match(body.preview, /^\{"jsonrpc":"2\.0",.*…$/);
			// The arguments within it.
			assert.ok(content);
			assert.deepEqual(log.bytes.subarray(content.offset, content.offset + content.length), bytesOf({ ü: '😀' }));
		}
	});

	it('says who was behind a message when that is known', () => {
		const { recorder, log } = recording();
		recorder.message(
			somebody,
			{
				...request,
				method: undefined,
				tool: undefined,
				toolUseId: undefined,
				callId: undefined,
				rpcId: undefined,
			},
			bytesOf({}),
		);
		const [event] = log.read();
		assert.equal(event?.sessionId, 'claude-code:5e551011');
		assert.deepEqual(event?.agent, { id: 'a "quoted"\nname' });
		assert.deepEqual(event?.source, { kind: 'wire', connectionId: 'c8', direction: 'in' });
	});

	it('keeps every kind of event so that it is read back as it was', () => {
		const { recorder, log } = recording();
		const call = { callId: 'call-1', server: 'files', tool: 'read', toolUseId: 'toolu_1' };
		const bare = { callId: 'call-2', server: 'files', tool: undefined, toolUseId: undefined };
		recorder.callQueued(nobody, call, 'The server "files" reconnects.');
		recorder.callSent(nobody, call, { upstreamId: 'u1', pid: 42, attempt: 2 });
		recorder.callSent(nobody, bare, { upstreamId: 'u1', pid: undefined, attempt: 1 });
		recorder.callEnded(nobody, call, { ending: 'timed-out', durationMs: 150_000.12345, reason: 'Too slow.' });
		recorder.callEnded(nobody, bare, { ending: 'completed', durationMs: Number.NaN, reason: undefined });
		recorder.upstreamState({
			server: 'files',
			upstreamId: 'u1',
			state: 'failed',
			pid: 42,
			exitCode: 1,
			signal: 'SIGKILL',
			reason: 'It ended.',
			stderrTail: 'a\n"b"',
		});
		recorder.upstreamState({
			server: 'files',
			upstreamId: 'u2',
			state: 'connecting',
			pid: undefined,
			exitCode: undefined,
			signal: undefined,
			reason: undefined,
			stderrTail: undefined,
		});
		recorder.reconnect({
			server: 'files',
			upstreamId: 'u1',
			reason: 'It ended.',
			cause: 'exited',
			callersWaiting: 8,
			drainedMs: 0,
			durationMs: 88.00049,
			attempts: 1,
			isSuccessful: true,
		});
		recorder.hook(
			nobody,
			hookFacts({ hook_event_name: 'PreToolUse', tool_use_id: 'toolu_1', tool_name: 'mcp__files__read' }),
			bytesOf({ a: 1 }),
		);
		recorder.hook(
			nobody,
			hookFacts({
				hook_event_name: 'PostToolUseFailure',
				tool_use_id: 'toolu_1',
				tool_name: 'mcp__files__read',
				mcp_server: { name: 'files' },
				agent_type: 'Explore',
				error: 'It failed.',
				is_interrupt: false,
				duration_ms: 1.5,
				transcript_path: '/t.jsonl',
			}),
			bytesOf({ b: 1 }),
		);
		recorder.hook(
			nobody,
			hookFacts({
				hook_event_name: 'PostToolBatch',
				tool_calls: [{ tool_use_id: 'toolu_1' }, { tool_use_id: 'toolu_2' }],
			}),
			bytesOf({ c: 1 }),
		);
		recorder.hook(
			nobody,
			hookFacts({
				hook_event_name: 'PostToolUse',
				tool_name: 'Agent',
				tool_response: { agentId: 'a1' },
				agent_transcript_path: '/a1.jsonl',
				trigger: 'auto',
			}),
			bytesOf({ d: 1 }),
		);
		recorder.scopeDecision(somebody, call, {
			policy: 'fill',
			intent: 'headless',
			parameters: [{ path: 'queries[].repo', value: '"all"' }, { path: 'since' }],
			outcome: 'filled',
			reason: 'The call says nothing of "queries[].repo".',
		});
		const upstream = (seq: number, id: string) => ({
			...envelope(seq),
			sessionId: `mcp:${id}`,
			agent: { unknown: "A connection to a server is no agent's." },
		});
		const process = { kind: 'process' };
		const body = (text: string) => ({ offset: log.bytes.lastIndexOf(text), length: text.length, preview: text });
		const read = log.read();
		assert.deepEqual(read, [
			{
				...envelope(0),
				source: process,
				type: 'call-queued',
				callId: 'call-1',
				server: 'files',
				reason: 'The server "files" reconnects.',
			},
			{
				...envelope(1),
				source: { kind: 'process', pid: 42 },
				type: 'call-sent',
				...call,
				upstreamId: 'u1',
				pid: 42,
				attempt: 2,
			},
			{
				...envelope(2),
				source: process,
				type: 'call-sent',
				callId: 'call-2',
				server: 'files',
				upstreamId: 'u1',
				attempt: 1,
			},
			{
				...envelope(3),
				source: process,
				type: 'call-ended',
				...call,
				ending: 'timed-out',
				durationMs: 150_000.123,
				reason: 'Too slow.',
			},
			{
				...envelope(4),
				source: process,
				type: 'call-ended',
				callId: 'call-2',
				server: 'files',
				ending: 'completed',
				durationMs: 0,
			},
			{
				...upstream(5, 'u1'),
				source: { kind: 'process', pid: 42 },
				type: 'upstream-state',
				server: 'files',
				upstreamId: 'u1',
				state: 'failed',
				pid: 42,
				exitCode: 1,
				signal: 'SIGKILL',
				reason: 'It ended.',
				stderrTail: 'a\n"b"',
			},
			{
				...upstream(6, 'u2'),
				source: process,
				type: 'upstream-state',
				server: 'files',
				upstreamId: 'u2',
				state: 'connecting',
			},
			{
				...upstream(7, 'u1'),
				source: process,
				type: 'reconnect',
				server: 'files',
				upstreamId: 'u1',
				reason: 'It ended.',
				cause: 'exited',
				callersWaiting: 8,
				drainedMs: 0,
				durationMs: 88,
				attempts: 1,
				isSuccessful: true,
			},
			{
				...envelope(8),
				source: { kind: 'hook', event: 'PreToolUse' },
				type: 'hook',
				event: 'PreToolUse',
				toolUseId: 'toolu_1',
				toolName: 'mcp__files__read',
				body: body('{"a":1}'),
			},
			{
				...envelope(9),
				source: { kind: 'hook', event: 'PostToolUseFailure' },
				type: 'hook',
				event: 'PostToolUseFailure',
				toolUseId: 'toolu_1',
				toolName: 'mcp__files__read',
				agentType: 'Explore',
				mcpServer: 'files',
				durationMs: 1.5,
				error: 'It failed.',
				isInterrupt: false,
				transcriptPath: '/t.jsonl',
				body: body('{"b":1}'),
			},
			{
				...envelope(10),
				source: { kind: 'hook', event: 'PostToolBatch' },
				type: 'hook',
				event: 'PostToolBatch',
				batch: ['toolu_1', 'toolu_2'],
				body: body('{"c":1}'),
			},
			{
				...envelope(11),
				source: { kind: 'hook', event: 'PostToolUse' },
				type: 'hook',
				event: 'PostToolUse',
				toolName: 'Agent',
				spawnedAgentId: 'a1',
				agentTranscriptPath: '/a1.jsonl',
				trigger: 'auto',
				body: body('{"d":1}'),
			},
			{
				...envelope(12),
				sessionId: 'claude-code:5e551011',
				agent: { id: 'a "quoted"\nname' },
				source: process,
				type: 'scope-decision',
				callId: 'call-1',
				server: 'files',
				tool: 'read',
				toolUseId: 'toolu_1',
				policy: 'fill',
				intent: 'headless',
				parameters: [{ path: 'queries[].repo', value: '"all"' }, { path: 'since' }],
				outcome: 'filled',
				reason: 'The call says nothing of "queries[].repo".',
			},
		]);
	});

	it('puts a message of several lines on one', () => {
		const { recorder, log } = recording();
		recorder.message(nobody, request, Buffer.from('{\r\n  "id": 5\n}\n'));
		const [event] = log.read();
		assert.ok(event?.type === 'wire-message');
		assert.equal(
			log.bytes.subarray(event.body.offset, event.body.offset + event.body.length).toString(),
			'{    "id": 5 }',
		);
		assert.equal(log.text.split('\n').length, 2);
	});

	it('keeps what is no JSON as text', () => {
		const { recorder, log } = recording();
		for (const broken of ['{"a":', '', 'nonsense\n{}', '{}}', '\u0000'])
			recorder.message(nobody, request, Buffer.from(broken));
		const bodies = log.read().map((event) => {
			assert.ok(event.type === 'wire-message');
			const body: unknown = JSON.parse(
				log.bytes.subarray(event.body.offset, event.body.offset + event.body.length).toString(),
			);
			return body;
		});
		assert.deepEqual(bodies, ['{"a":', '', 'nonsense\n{}', '{}}', '\u0000']);
	});

	it('keeps only the length of a message that is too long', () => {
		const { recorder, log } = recording();
		recorder.message(nobody, request, bytesOf({ text: 'x'.repeat(20_000) }));
		const [event] = log.read();
		assert.ok(event?.type === 'wire-message');
		assert.deepEqual(event.body, { offset: 0, length: 0, preview: '(20011 bytes were not recorded)' });
	});

	it('writes no secret, wherever it stands', () => {
		const { recorder, log } = recording();
		const secret = 'sk-live-0123456789';
		recorder.setServers([{ name: 'files', secrets: [secret], redactedArguments: ['password'] }]);
		const call = { callId: 'call-1', server: 'files', tool: `read ${secret}`, toolUseId: secret };
		const message = bytesOf({ method: 'tools/call', params: { arguments: { password: 'hunter2', key: secret } } });
		recorder.message(nobody, { ...request, rpcId: secret, tool: secret, toolUseId: secret }, message);
		recorder.callQueued(nobody, call, secret);
		recorder.callSent(nobody, call, { upstreamId: secret, pid: 1, attempt: 1 });
		recorder.callEnded(nobody, call, { ending: 'failed', durationMs: 1, reason: `It said "${secret}".` });
		recorder.upstreamState({
			server: 'files',
			upstreamId: 'u1',
			state: 'failed',
			pid: 1,
			exitCode: 1,
			signal: undefined,
			reason: secret,
			stderrTail: `key=${secret}\n`,
		});
		recorder.reconnect({
			server: 'files',
			upstreamId: 'u1',
			reason: secret,
			cause: 'exited',
			callersWaiting: 0,
			drainedMs: 0,
			durationMs: 0,
			attempts: 1,
			isSuccessful: false,
		});
		recorder.hook(
			nobody,
			hookFacts({
				hook_event_name: 'PreToolUse',
				tool_name: 'mcp__files__x',
				agent_type: secret,
				error: `${'x'.repeat(495)}${secret}`,
				transcript_path: `/${secret}`,
				tool_calls: [{ tool_use_id: secret }],
			}),
			bytesOf({ tool_input: { password: 'hunter2' }, more: secret }),
		);
		recorder.message(nobody, request, Buffer.from(`no JSON ${secret}`));
		assert.equal(log.read().length, 8);
		assert.equal(log.text.includes(secret), false, log.text);
		assert.equal(log.text.includes('hunter2'), false, log.text);
	});

	it('writes no argument that was put in where it must not be written', () => {
		const { recorder, log } = recording();
		recorder.setServers([
			{ name: 'files', secrets: ['s3cret-tenant'], redactedArguments: ['auth.token', 'queries.*', 'key'] },
		]);
		const call = { callId: 'call-1', server: 'files', tool: 'read', toolUseId: undefined };
		const paths = ['auth.token', 'auth.token.part', 'auth.user', 'queries[].repo', 'tenant', 'keys'];
		const parameters = paths.map((path) => ({ path, value: path === 'tenant' ? '"s3cret-tenant"' : '"hunter2"' }));
		const decision = { policy: 'fill', intent: 'unknown', outcome: 'filled' } as const;
		recorder.scopeDecision(nobody, call, { ...decision, parameters, reason: 's3cret-tenant' });
		const [event] = log.read();
		assert.ok(event?.type === 'scope-decision');
		assert.deepEqual(
			event.parameters.map(({ value }) => value),
			['"[redacted]"', '"[redacted]"', '"hunter2"', '"[redacted]"', '"[redacted]"', '"hunter2"'],
		);
		assert.equal(event.reason, '[redacted]');
	});

	it('says of a fault on purpose that it was one', () => {
		const { recorder, log } = recording();
		const call = { callId: 'call-1', server: 'files', tool: 'read', toolUseId: 'toolu_1' };
		const description = 'A fault on purpose lost the answer of read on files.';
		recorder.faultInjected(nobody, call, { faultId: 'fault-1', kind: 'drop', description });
		const [event] = log.read();
		assert.partialDeepStrictEqual(event, {
			type: 'fault-injected',
			...call,
			faultId: 'fault-1',
			kind: 'drop',
			description,
		});
	});

	it('says who was held in a debugger and what was changed there, without secrets', () => {
		const { recorder, log } = recording();
		recorder.setServers([{ name: 'files', secrets: ['open-sesame'], redactedArguments: ['filter.key'] }]);
		const held: HeldCall = {
			stopId: 'stop-1',
			reason: 'breakpoint',
			description: 'main is about to call files/read: breakpoint "open-sesame".',
			breakpointIds: ['1'],
			at: 'before',
			heldBy: 'wire',
			sessionId: null,
			agentId: null,
			agentType: null,
			toolUseId: toolUseId('toolu_1'),
			callId: 'call-1',
			server: 'files',
			tool: 'read',
			arguments: '{}',
			result: null,
			isError: false,
			heldSince: 0,
			heldUntil: null,
			canEdit: true,
			canAnswer: true,
			isRepeatable: null,
		};
		const call = { stopId: 'stop-1', callId: 'call-1', server: 'files', tool: 'read', toolUseId: 'toolu_1' };
		recorder.callHeld(nobody, held);
		const change = '{"filter":{"key":"mine"},"path":"/open-sesame","page":12345678901234567890}';
		const edited = { how: 'arguments-edited', reason: 'Its arguments were changed.', heldMs: 1.5, change } as const;
		recorder.callReleased(nobody, held, edited);
		const result = '{"content":[{"type":"text","text":"open-sesame"}],"filter":{"key":"theirs"}}';
		recorder.callReleased(nobody, held, { ...edited, how: 'answered', change: result });
		recorder.callReleased(nobody, { ...held, server: null, callId: null, toolUseId: null, tool: 'Bash' }, edited);
		const [first, second, third, fourth] = log.read();
		assert.partialDeepStrictEqual(first, {
			type: 'call-held',
			...call,
			point: 'before',
			heldBy: 'wire',
			cause: 'breakpoint',
			reason: 'main is about to call files/read: breakpoint "[redacted]".',
		});
		assert.partialDeepStrictEqual(second, {
			type: 'call-released',
			...call,
			how: 'arguments-edited',
			heldMs: 1.5,
			change: '{"filter":{"key":"[redacted]"},"path":"/[redacted]","page":12345678901234567890}',
		});
		assert.partialDeepStrictEqual(third, {
			how: 'answered',
			change: '{"content":[{"type":"text","text":"[redacted]"}],"filter":{"key":"theirs"}}',
		});
		assert.partialDeepStrictEqual(fourth, {
			tool: 'Bash',
			change: '{"filter":{"key":"mine"},"path":"/[redacted]","page":12345678901234567890}',
		});
		assert.equal(fourth !== undefined && 'server' in fourth, false);
	});

	it('forgets what it knew to be clean when other secrets are named', () => {
		const { recorder, log } = recording();
		recorder.message(nobody, { ...request, tool: 'once-open' }, bytesOf({}));
		recorder.setServers([{ name: 'files', secrets: ['once-open'], redactedArguments: [] }]);
		recorder.message(nobody, { ...request, tool: 'once-open' }, bytesOf({}));
		assert.deepEqual(
			log.read().map((event) => event.type === 'wire-message' && event.tool),
			['once-open', '[redacted]'],
		);
	});

	it('keeps the secrets of servers that are gone, and those that were changed', () => {
		const { recorder, log } = recording();
		const server = (name: string, secret: string) => ({ name, secrets: [secret], redactedArguments: ['password'] });
		recorder.setServers([server('files', 'first-secret'), server('web', 'third-secret')]);
		recorder.setServers([server('files', 'second-secret')]);
		recorder.message(nobody, request, bytesOf(['first-secret', 'second-secret', 'third-secret']));
		recorder.message(
			nobody,
			{ ...request, server: 'web' },
			bytesOf({ params: { arguments: { password: 'hunter2' } } }),
		);
		assert.equal(log.read().length, 2);
		assert.doesNotMatch(log.text, /-secret|hunter2/);
	});

	it('leaves no gap for what the log does not take', () => {
		const { recorder, log } = recording();
		recorder.message(nobody, request, bytesOf({}));
		log.isFull = true;
		recorder.message(nobody, request, bytesOf({}));
		log.isFull = false;
		recorder.message(nobody, request, bytesOf({}));
		assert.deepEqual(
			log.read().map((event) => event.seq),
			[0, 1],
		);
	});

	it('goes on after more names than it remembers', () => {
		const { recorder, log } = recording();
		for (let index = 0; index < 5_000; index++)
			recorder.callQueued(
				nobody,
				{ callId: `call-${index}`, server: 'files', tool: undefined, toolUseId: undefined },
				'It waits.',
			);
		const events = log.read();
		assert.equal(events.length, 5_000);
		assert.equal(
			events.every((event, index) => event.type === 'call-queued' && event.callId === `call-${index}`),
			true,
		);
	});

	it('writes what a server says of a tool without secrets, and hands the same to the catalogue', () => {
		const log = new MemoryLog();
		const catalogued: unknown[] = [];
		const recorder = new EventRecorder(
			log,
			{ now: () => now },
			{
				toolsOf: () => [],
				put: (tool) => void catalogued.push(tool),
				remove: (server, tool) => void catalogued.push([server, tool]),
			},
		);
		recorder.setServers([{ name: 'chat', secrets: ['hunter2-"quoted"', 'abc'], redactedArguments: [] }]);
		const change = { server: 'chat', upstreamId: 'u1', pid: 7, tool: 'list', isRemoved: false };
		recorder.toolDescribed({
			...change,
			// The secret stands where the description is cut off.
			description: `${'x'.repeat(4090)}hunter2-"quoted" and more`,
			inputSchema: JSON.stringify({ default: 'hunter2-"quoted"', enum: ['abc', 'b'] }),
		});
		recorder.toolDescribed({ ...change, description: undefined, inputSchema: undefined, isRemoved: true });
		const description = `${'x'.repeat(4090)}[redac`;
		const inputSchema = '{"default":"[redacted]","enum":["[redacted]","b"]}';
		const described = { server: 'chat', tool: 'list', description, inputSchema };
		const process = { source: { kind: 'process', pid: 7 }, sessionId: 'mcp:u1' };
		const agent = { unknown: "A connection to a server is no agent's." };
		assert.deepEqual(log.read(), [
			{ ...envelope(0), ...process, agent, type: 'tool-described', ...described },
			{
				...envelope(1),
				...process,
				agent,
				type: 'tool-described',
				server: 'chat',
				tool: 'list',
				isRemoved: true,
			},
		]);
		assert.deepEqual(catalogued, [described, ['chat', 'list']]);
		assert.ok(!log.text.includes('hunter2'));
	});
});
