// Tiny transcripts in a notation of our own, made into what Claude Code or Codex would have written. One statement a line:
//
//   client: claude-code 2.1.150 | codex 0.169.0     which client wrote it; before anything else
//   entrypoint: cli | sdk-cli | …                   how Claude Code was started; not written unless told; before anything else
//   scope: {"chat": {"*": {…}}}                     what a person says of the scopes of tools
//   describes: chat list_messages {"context_id": "Defaults to …", "limit": {…}, "text!": {}} Lists messages.
//                                                   what a server says of a tool: its members (`!`: required), then its own words
//   host [agent=scout at=9]: sends s1 to chat post over c1 [again] [repeatable | unrepeatable]
//                                                                      what a host has recorded: a call is handed to its server
//   host: lets s1 wait for chat post                                   or waits for it,
//   host: takes s1 for chat post {"text": "hello"} | passes on s1      its agent asks for it with these arguments, its answer comes,
//   host: makes s1 go wrong: twice                                     (`s1/2`: its second way through the host), a fault on purpose,
//   host [agent=scout at=9]: ends s1 timed-out It took too long.       how it ends (`completed` and so on, with a sentence), what became
//   host: tells of s1 | asks back for s1                               what its server says meanwhile,
//   host: holds s1 | lets s1 go                                        a debugger, with its result
//   host [at=9]: c1 of chat is reconnecting [SIGKILL | 1]              of a connection, with how its process ended
//   host [at=9]: c1 of chat was reconnected [timed-out]                and why it was made anew
//   layout: subagents | beside | inline             where Claude Code keeps subagents; before anything else
//   now: 700                                        what time it is, in seconds
//   assume: live | live since 4 | ended | unknown   what the system tells of the process; `unknown` unless told
//   user: text            assistant: text           tool: result t1 ok
//   assistant: think | call t1 read                 several blocks on one line of the transcript
//   assistant+: call t2 grep                        a further line of the same message
//   assistant [id=a1 on=u1 agent=scout message=m1 at=9 version=2.1.0 stop=pause_turn]: …
//   user [origin=scheduled]: …                      who began the turn: typed, queued, scheduled, program, agent, system
//   hook: text                                      a hook makes the agent go on
//
// `id` and `on` (`root` for none) are the line's place in the tree; without them it follows the line before it. Blocks:
//   call ID TOOL ["prompt"]   call ID TOOL {…}   server ID TOOL   think   image   result ID WORD [AGENT]   result ID {…}
//   result ID says TEXT (an error in these words)   anything else is text
// with the words ok, none (nothing at all), error, denied, cancelled, interrupted, background, async AGENT, agent AGENT, and NAME_result for the provider's own.
//
// Carets under a block, or under the arguments of a call, or under the first word for the whole line, say that a diagnostic must be exactly there:
//   ^^^^ messageId [cause] [severity]     ^^^^ inconclusive     ~~~~ messageId of a related place

import assert from 'node:assert/strict';
import type { ProcessEvidence } from '../../src/core/platform.ts';
import { checkScopeSettings } from '../../src/core/scope/index.ts';
import type { ScopeSettings } from '../../src/core/scope/index.ts';
import { MemoryFiles } from '../transcripts/memoryFiles.ts';

export interface Transcript {
	readonly files: MemoryFiles;
	/** What to look for sessions in. */
	readonly root: string;
	readonly process: ProcessEvidence;
	readonly scope: ScopeSettings;
	/** Epoch milliseconds; 0: the test does not care. */
	readonly now: number;
	/** What a host has recorded of the session, when the notation says something of it. */
	readonly recordingPath: string | undefined;
	/** The lines in the order in which they were written, whatever file they went to. */
	readonly appends: readonly { readonly path: string; readonly text: string }[];
	readonly expected: readonly Expectation[];
}

export interface Expectation {
	readonly kind: 'diagnostic' | 'inconclusive' | 'related';
	readonly messageId: string;
	readonly cause: string | undefined;
	readonly severity: string | undefined;
	readonly target: Target;
	/** The line of the notation, for a person who looks at a failure. */
	readonly statement: string;
}

/** A block, or a whole line when it has no columns. */
export interface Target {
	readonly path: string;
	readonly line: number;
	readonly column: number | undefined;
	readonly endColumn: number | undefined;
	/** Of a call: where its arguments stand. */
	readonly argumentsColumn?: number | undefined;
}

interface Statement {
	readonly role: string;
	readonly isContinued: boolean;
	readonly attributes: ReadonlyMap<string, string>;
	readonly blocks: readonly BlockText[];
	readonly rest: string;
	readonly text: string;
	readonly index: number;
}

interface BlockText {
	readonly text: string;
	readonly start: number;
	readonly end: number;
	/** Where the arguments of a call begin. */
	readonly argumentsStart: number | undefined;
}

type Json = Readonly<Record<string, unknown>>;

const statementPattern = /^(\w+)(\+)?(?:\s*\[([^\]]*)\])?:\s?(.*)$/;
const markPattern = /^\s*(\^+|~+)\s+(.+)$/;

export function parseTranscript(notation: string): Transcript {
	const lines = notation.split('\n').filter((line) => line.trim() !== '');
	const statements = lines
		.filter((line) => !markPattern.test(line))
		.map((line, index) => parseStatement(line, index));
	const clientStatement = statements.find((statement) => statement.role === 'client');
	const [format = 'claude-code', version = '2.1.150'] = clientStatement?.rest.split(' ') ?? [];
	const layout = statements.find((statement) => statement.role === 'layout')?.rest ?? 'subagents';
	const entrypoint = statements.find((statement) => statement.role === 'entrypoint')?.rest;
	const writer = format === 'codex' ? new CodexWriter(version) : new ClaudeCodeWriter(version, layout, entrypoint);
	let scope: ScopeSettings = {};
	let now = 0;
	let process: ProcessEvidence = { state: 'unknown', evidence: 'Nobody knows.' };
	const expected: Expectation[] = [];
	let last: { readonly statement: Statement; readonly targets: readonly Target[] } | undefined;
	let next = 0;
	for (const line of lines) {
		const mark = markPattern.exec(line);
		if (mark !== null) {
			assert.ok(last, `Nothing stands above the marks "${line}".`);
			expected.push(expectationOf(line, mark, last.statement, last.targets));
			continue;
		}
		const statement = statements[next++]!;
		if (['client', 'layout', 'entrypoint'].includes(statement.role)) continue;
		if (statement.role === 'assume') process = processOf(statement.rest);
		else if (statement.role === 'now') now = timeOf(Number(statement.rest));
		else if (statement.role === 'scope') scope = scopeOf(statement.rest);
		else if (statement.role === 'host') last = { statement, targets: writer.record(statement) };
		else last = { statement, targets: writer.write(statement) };
	}
	const { files, root, appends } = writer;
	const recorded = appends.some(({ path }) => path === recordingPath) ? recordingPath : undefined;
	return { files, root, process, scope, now, recordingPath: recorded, appends, expected };
}

function parseStatement(text: string, index: number): Statement {
	const match = statementPattern.exec(text);
	assert.ok(match, `"${text}" is no statement.`);
	const [, role = '', plus, attributeText = '', rest = ''] = match;
	const attributes = new Map<string, string>();
	for (const attribute of attributeText.split(/\s+/).filter((part) => part !== '')) {
		const [key = '', value = ''] = attribute.split('=');
		attributes.set(key, value);
	}
	const blocks: BlockText[] = [];
	let start = text.length - rest.length;
	for (const block of rest.split(' | ')) {
		const given = /^call \S+ \S+ (?=\{)/.exec(block);
		const argumentsStart = given === null ? undefined : start + given[0].length;
		blocks.push({ text: block, start, end: start + block.length, argumentsStart });
		start += block.length + 3;
	}
	return { role, isContinued: plus === '+', attributes, blocks, rest, text, index };
}

function expectationOf(
	line: string,
	mark: RegExpExecArray,
	statement: Statement,
	targets: readonly Target[],
): Expectation {
	const [, marks = '', words = ''] = mark;
	const [messageId = '', ...further] = words.split(/\s+/);
	const start = line.indexOf(marks);
	const end = start + marks.length;
	let target: Target | undefined;
	if (start === 0 && end <= statement.role.length + 1) {
		assert.ok(targets[0], `"${statement.text}" writes no line.`);
		target = { ...targets[0], column: undefined, endColumn: undefined };
	} else {
		const index = statement.blocks.findIndex(
			(block) => (block.start === start || block.argumentsStart === start) && block.end === end,
		);
		assert.notEqual(index, -1, `The marks stand under no block:\n${statement.text}\n${line}`);
		target = targets[index];
		if (target !== undefined && statement.blocks[index]?.argumentsStart === start)
			target = { ...target, column: target.argumentsColumn };
	}
	assert.ok(target, `"${statement.text}" has no such block.`);
	return {
		kind: marks.startsWith('~') ? 'related' : messageId === 'inconclusive' ? 'inconclusive' : 'diagnostic',
		messageId,
		cause: further.find((word) => !severities.has(word)),
		severity: further.find((word) => severities.has(word)),
		target,
		statement: statement.text,
	};
}

const severities = new Set(['note', 'warning', 'error']);

function processOf(text: string): ProcessEvidence {
	const [state = '', , since] = text.split(' ');
	assert.ok(state === 'live' || state === 'ended' || state === 'unknown', text);
	return { state, evidence: 'The test says so.', since: since === undefined ? undefined : timeOf(Number(since)) };
}

function scopeOf(text: string): ScopeSettings {
	const { settings, problems } = checkScopeSettings(JSON.parse(text));
	assert.deepEqual(problems, []);
	return settings;
}

/** What a server says of a tool, as it is offered to the model. */
function describedTool(rest: string): Json {
	const [, server = '', name = '', members = '', description = ''] =
		/^(\S+) (\S+) (\{.*\})\s?([^}]*)$/.exec(rest) ?? [];
	assert.notEqual(server, '', `"${rest}" describes no tool.`);
	const entries = Object.entries(JSON.parse(members) as Json);
	const inputSchema = {
		type: 'object',
		properties: Object.fromEntries(
			entries.map(([member, schema]) => [
				member.replace(/!$/, ''),
				typeof schema === 'string' ? { type: 'string', description: schema } : schema,
			]),
		),
		required: entries.filter(([member]) => member.endsWith('!')).map(([member]) => member.slice(0, -1)),
	};
	return { name: `mcp__${server}__${name}`, description, input_schema: inputSchema };
}

const start = Date.UTC(2026, 10, 21, 8, 0, 0);

function timeOf(seconds: number): number {
	return start + seconds * 1000;
}

abstract class Writer {
	readonly files = new MemoryFiles();
	readonly appends: { path: string; text: string }[] = [];
	abstract readonly root: string;

	abstract write(statement: Statement): readonly Target[];
	private readonly recordedCalls = new Map<string, { readonly server: string; readonly tool: string }>();

	/** Appends an event of a host to what it has recorded. */
	record({ attributes, index, rest, text }: Statement): readonly Target[] {
		const agent = attributes.get('agent') ?? 'main';
		const at = timeOf(Number(attributes.get('at') ?? index));
		const envelope = { version: 1, seq: index, at, sessionId: 'recorded', source: { kind: 'process' } };
		const event = this.recorded(rest);
		assert.ok(event, `A host records nothing like "${text}".`);
		const isOfCall = 'callId' in event;
		const who = isOfCall ? { id: agent } : { unknown: 'A connection is nobody.' };
		return this.line(recordingPath, { ...envelope, agent: who, ...event }, []);
	}

	/** `t1`, or `t1/2` for its second way through the host. */
	private recordedCall(id: string): Json {
		return { callId: `call ${id}`, toolUseId: id.split('/')[0], ...this.recordedCalls.get(id) };
	}

	private recordedMessage(id: string, method: string, params: Json = {}): Json {
		return { type: 'wire-message', ...this.recordedCall(id), method, message: { jsonrpc: '2.0', method, params } };
	}

	private recorded(rest: string): Json | undefined {
		const sends = /^sends (\S+) to (\S+) (\S+) over (\S+)((?: \w+)*)$/.exec(rest);
		if (sends !== null) {
			const [, id = '', server = '', tool = '', upstreamId, words = ''] = sends;
			this.recordedCalls.set(id, { server, tool });
			const attempt = words.includes('again') ? 2 : 1;
			const says = /\b(?:un)?repeatable\b/.exec(words)?.[0];
			const repeatable = says === undefined ? {} : { isRepeatable: says === 'repeatable' };
			return { type: 'call-sent', ...this.recordedCall(id), upstreamId, attempt, ...repeatable };
		}
		const waits = /^lets (\S+) wait for (\S+) (\S+)$/.exec(rest);
		if (waits !== null) {
			const [, id = '', server = '', tool = ''] = waits;
			this.recordedCalls.set(id, { server, tool });
			return { type: 'call-queued', ...this.recordedCall(id), reason: 'connecting' };
		}
		const takes = /^takes (\S+) for (\S+) (\S+) (\{.*\})$/.exec(rest);
		if (takes !== null) {
			const [, id = '', server = '', tool = '', given = ''] = takes;
			this.recordedCalls.set(id, { server, tool });
			const params = { name: tool, arguments: JSON.parse(given) as Json };
			return { ...this.recordedMessage(id, 'tools/call', params), kind: 'request' };
		}
		const answered = /^passes on (\S+)$/.exec(rest);
		if (answered !== null) {
			const message = { jsonrpc: '2.0', result: { content: [{ type: 'text', text: 'ok' }] } };
			return { type: 'wire-message', ...this.recordedCall(answered[1] ?? ''), kind: 'response', message };
		}
		const fault = /^makes (\S+) go wrong: (\w+)$/.exec(rest);
		if (fault !== null) {
			const [, id = '', kind] = fault;
			return {
				type: 'fault-injected',
				...this.recordedCall(id),
				faultId: 'f1',
				kind,
				description: 'On purpose.',
			};
		}
		const ends = /^ends (\S+) (\S+) ?(.*)$/.exec(rest);
		if (ends !== null) {
			const [, id = '', ending, reason = ''] = ends;
			const told = reason === '' ? {} : { reason };
			return { type: 'call-ended', ...this.recordedCall(id), ending, durationMs: 1000, ...told };
		}
		const holds = /^(?:holds (\S+)|lets (\S+) go)$/.exec(rest);
		if (holds !== null) {
			const [, id, released = ''] = holds;
			const stop = { ...this.recordedCall(id ?? released), stopId: `stop ${id ?? released}` };
			return id === undefined
				? { type: 'call-released', ...stop, how: 'continued', reason: 'It was let go.', heldMs: 1000 }
				: { type: 'call-held', ...stop, point: 'after', heldBy: 'wire', cause: 'pause', reason: 'Paused.' };
		}
		const tells = /^tells of (\S+)$/.exec(rest);
		if (tells !== null)
			return { ...this.recordedMessage(tells[1] ?? '', 'notifications/progress'), kind: 'notification' };
		const asks = /^asks back for (\S+)$/.exec(rest);
		if (asks !== null) return { ...this.recordedMessage(asks[1] ?? '', 'elicitation/create'), kind: 'request' };
		const was = /^(\S+) of (\S+) was reconnected ?(\S*)$/.exec(rest);
		if (was !== null) {
			const [, upstreamId, server, cause] = was;
			const made = { reason: 'It had to be', callersWaiting: 0, drainedMs: 0, durationMs: 100, attempts: 1 };
			const why = cause === '' ? {} : { cause };
			return { type: 'reconnect', server, upstreamId, ...made, ...why, isSuccessful: true };
		}
		const is = /^(\S+) of (\S+) is (\w+) ?(\S*)$/.exec(rest);
		if (is === null) return undefined;
		const [, upstreamId, server, state, how = ''] = is;
		const ended = how === '' ? {} : /^\d+$/.test(how) ? { exitCode: Number(how) } : { signal: how };
		return { type: 'upstream-state', server, upstreamId, state, ...ended };
	}

	protected timestamp(statement: Statement): string {
		return new Date(timeOf(Number(statement.attributes.get('at') ?? statement.index))).toISOString();
	}

	/** Appends one line and finds the blocks in it. */
	protected line(path: string, record: Json | string, blocks: readonly Json[]): readonly Target[] {
		const text = typeof record === 'string' ? record : JSON.stringify(record);
		const line = Buffer.from(this.files.bytes(path)).toString().split('\n').length;
		this.append(path, `${text}\n`);
		let searchFrom = 0;
		const targets = blocks.map((block) => {
			const json = JSON.stringify(block);
			const index = text.indexOf(json, searchFrom);
			searchFrom = index + json.length;
			const given = /"(?:input|arguments)":/.exec(json);
			const argumentsColumn = given === null ? undefined : index + given.index + given[0].length + 1;
			return { path, line, column: index + 1, endColumn: searchFrom + 1, argumentsColumn };
		});
		return targets.length > 0 ? targets : [{ path, line, column: undefined, endColumn: undefined }];
	}

	protected append(path: string, text: string): void {
		this.files.append(path, text);
		this.appends.push({ path, text });
	}

	/** A line that is no record: cut off, filled with NUL bytes, not JSON, or at the very end without a line end. */
	protected damaged(path: string, kind: string): readonly Target[] {
		const cut = '{"type":"user","message":{"role":"user","content":[{"type":"tool_res';
		const line = Buffer.from(this.files.bytes(path)).toString().split('\n').length;
		switch (kind) {
			case 'cut':
				this.append(path, `${cut}\n`);
				break;
			case 'tail':
				this.append(path, cut);
				break;
			case 'nul':
				this.append(path, `${'\0'.repeat(64)}\n`);
				break;
			case 'splice':
				this.append(path, `${cut}${JSON.stringify({ type: 'mode', mode: 'normal', sessionId })}\n`);
				break;
			default:
				this.append(path, 'nothing that could be JSON\n');
		}
		return [{ path, line, column: undefined, endColumn: undefined }];
	}
}

const recordingPath = '/home/dev/.crosstalk/recorded.jsonl';

const sessionId = '5e551011-0000-4000-8000-000000000001';

interface ClaudeAgent {
	lastId: string | null;
	messageId: string;
}

class ClaudeCodeWriter extends Writer {
	readonly root = '/home/dev/.claude/projects/-home-dev-project';
	private readonly version: string;
	private readonly layout: string;
	private readonly entrypoint: string | undefined;
	private readonly agents = new Map<string, ClaudeAgent>();

	constructor(version: string, layout: string, entrypoint: string | undefined) {
		super();
		this.version = version;
		this.layout = layout;
		this.entrypoint = entrypoint;
	}

	write(statement: Statement): readonly Target[] {
		const name = statement.attributes.get('agent') ?? 'main';
		const path = this.path(name);
		let agent = this.agents.get(name);
		if (agent === undefined) this.agents.set(name, (agent = { lastId: null, messageId: '' }));
		switch (statement.role) {
			case 'user':
				return this.userText(statement, name, agent, statement.rest, originFields(statement));
			case 'hook':
				return this.userText(statement, name, agent, `Stop hook feedback:\n${statement.rest}`, {
					isMeta: true,
				});
			case 'describes':
				return this.line(
					path,
					{ type: 'api-request-shape', sessionId, shape: { tools: [describedTool(statement.rest)] } },
					[],
				);
			case 'meta':
				return this.userText(statement, name, agent, statement.rest, { isMeta: true });
			case 'coordinator':
				// What a parent tells a subagent that it wakes.
				return this.userText(statement, name, agent, statement.rest, {
					isMeta: true,
					origin: { kind: 'coordinator' },
				});
			case 'interrupt':
				return this.userText(statement, name, agent, '[Request interrupted by user for tool use]', {});
			case 'notification':
				return this.notification(statement, name, agent);
			case 'summary':
				return this.userText(statement, name, agent, statement.rest, { isCompactSummary: true });
			case 'tool':
				return this.tool(statement, name, agent);
			case 'assistant':
				return this.assistant(statement, name, agent, {});
			case 'error':
				return this.assistant(statement, name, agent, { isApiErrorMessage: true });
			case 'compaction':
				return this.compaction(statement, name, agent);
			case 'cleared':
				return this.chained(statement, name, agent, {
					type: 'system',
					subtype: 'microcompact_boundary',
					microcompactMetadata: {
						trigger: 'auto',
						preTokens: 90000,
						compactedToolIds: statement.rest.split(' '),
					},
				});
			case 'attachment': {
				const [type, toolUseID] = statement.rest.split(' ');
				return this.chained(statement, name, agent, {
					type: 'attachment',
					attachment: { type, toolUseID },
				});
			}
			case 'system':
				return this.chained(statement, name, agent, { type: 'system', subtype: statement.rest });
			case 'progress': {
				const [parentToolUseID = '', type = '', agentId] = statement.rest.split(' ');
				return this.chained(statement, name, agent, {
					type: 'progress',
					parentToolUseID,
					data: { type, agentId },
				});
			}
			case 'record':
				// A record without a place in the tree.
				return this.line(path, { type: statement.rest, sessionId }, []);
			case 'raw':
				return this.line(path, statement.rest, []);
			case 'damage':
				return this.damaged(path, statement.rest);
			case 'sidecar':
				return this.sidecar(statement);
			default:
				throw new Error(`Claude Code writes nothing like "${statement.text}".`);
		}
	}

	private path(name: string): string {
		if (name === 'main' || this.layout === 'inline') return `${this.root}/${sessionId}.jsonl`;
		return this.layout === 'beside'
			? `${this.root}/agent-${name}.jsonl`
			: `${this.root}/${sessionId}/subagents/agent-${name}.jsonl`;
	}

	private chained(
		statement: Statement,
		name: string,
		agent: ClaudeAgent,
		fields: Json,
		blocks: readonly Json[] = [],
	): readonly Target[] {
		const id = statement.attributes.get('id') ?? `line-${statement.index}`;
		const on = statement.attributes.get('on');
		const isBoundary = fields['subtype'] === 'compact_boundary';
		const parentUuid = isBoundary || on === 'root' ? null : (on ?? agent.lastId);
		const isSidechain = name !== 'main';
		const record: Json = {
			parentUuid,
			...(isBoundary ? { logicalParentUuid: agent.lastId } : {}),
			isSidechain,
			...(isSidechain && this.layout !== 'inline' ? { agentId: name } : {}),
			userType: 'external',
			...(this.entrypoint === undefined ? {} : { entrypoint: this.entrypoint }),
			cwd: '/home/dev/project',
			sessionId,
			version: statement.attributes.get('version') ?? this.version,
			...fields,
			uuid: id,
			timestamp: this.timestamp(statement),
		};
		agent.lastId = id;
		return this.line(this.path(name), record, blocks);
	}

	private userText(
		statement: Statement,
		name: string,
		agent: ClaudeAgent,
		text: string,
		fields: Json,
	): readonly Target[] {
		return this.chained(statement, name, agent, {
			type: 'user',
			message: { role: 'user', content: text },
			...fields,
		});
	}

	private notification(statement: Statement, name: string, agent: ClaudeAgent): readonly Target[] {
		const [task = '', status = '', call] = statement.rest.split(' ');
		const link = call === undefined ? '' : `<tool-use-id>${call}</tool-use-id>`;
		const text = `<task-notification>\n<task-id>${task}</task-id>${link}\n<status>${status}</status>\n<summary>It is over.</summary></task-notification>`;
		return this.userText(statement, name, agent, text, { origin: { kind: 'task-notification' } });
	}

	private tool(statement: Statement, name: string, agent: ClaudeAgent): readonly Target[] {
		const blocks = statement.blocks.map((block) => claudeBlock(block.text));
		return this.chained(
			statement,
			name,
			agent,
			{
				type: 'user',
				message: { role: 'user', content: blocks },
				...resultFields(statement.blocks[0]?.text ?? ''),
			},
			blocks,
		);
	}

	private assistant(statement: Statement, name: string, agent: ClaudeAgent, fields: Json): readonly Target[] {
		const blocks = statement.blocks.map((block) => claudeBlock(block.text));
		if (!statement.isContinued) agent.messageId = `msg_${statement.index}`;
		const id = statement.attributes.get('message') ?? agent.messageId;
		const model = fields['isApiErrorMessage'] === true ? '<synthetic>' : 'claude-sonnet-4-5';
		const message = {
			id,
			type: 'message',
			role: 'assistant',
			model,
			content: blocks,
			stop_reason: statement.attributes.get('stop') ?? null,
			usage: { input_tokens: 10, output_tokens: 5 },
		};
		return this.chained(statement, name, agent, { type: 'assistant', message, ...fields }, blocks);
	}

	/** `compaction: auto keeping HEAD..TAIL behind SUMMARY` */
	private compaction(statement: Statement, name: string, agent: ClaudeAgent): readonly Target[] {
		const match = /^(\w+)(?: keeping (\S+)\.\.(\S+) behind (\S+))?$/.exec(statement.rest);
		assert.ok(match, statement.text);
		const [, trigger, headUuid, tailUuid, anchorUuid] = match;
		const preserved = headUuid === undefined ? {} : { preservedSegment: { headUuid, anchorUuid, tailUuid } };
		return this.chained(statement, name, agent, {
			type: 'system',
			subtype: 'compact_boundary',
			content: 'Conversation compacted',
			compactMetadata: { trigger, preTokens: 150000, ...preserved },
		});
	}

	/** `sidecar: scout toolUseId=t1 finished=true`, or `sidecar: scout torn` */
	private sidecar(statement: Statement): readonly Target[] {
		const [name = '', ...fields] = statement.rest.split(' ');
		const path = this.path(name).replace(/\.jsonl$/, '.meta.json');
		const entries = fields
			.map((field) => field.split('='))
			.map(([key = '', value = '']) => [key, value === 'true' ? true : value]);
		const text = fields[0] === 'torn' ? '{"agentType":"general-pu' : JSON.stringify(Object.fromEntries(entries));
		this.append(path, text);
		return [];
	}
}

/** What Claude Code writes beside a prompt about where it came from. */
function originFields(statement: Statement): Json {
	const origin = statement.attributes.get('origin');
	switch (origin) {
		case undefined:
			return {};
		case 'typed':
			return { turnOrigin: 'human', promptSource: 'typed' };
		case 'queued':
			return { turnOrigin: 'human', promptSource: 'queued' };
		case 'scheduled':
			return { turnOrigin: 'scheduled', isMeta: true };
		case 'program':
			return { turnOrigin: 'sdk' };
		case 'agent':
			return { turnOrigin: 'peer' };
		case 'system':
			return { turnOrigin: 'system' };
		default:
			throw new Error(`Claude Code knows no prompt that is "${origin}".`);
	}
}

function claudeBlock(text: string): Json {
	const [verb = '', id = '', word = ''] = text.split(' ');
	switch (verb) {
		case 'call': {
			const given = givenIn(text);
			if (given !== undefined) return { type: 'tool_use', id, name: word, input: given };
			const prompt = /"([^"]*)"/.exec(text)?.[1];
			return {
				type: 'tool_use',
				id,
				name: word,
				input:
					prompt === undefined
						? { path: 'notes.txt' }
						: { description: prompt, prompt, subagent_type: 'general-purpose' },
			};
		}
		case 'server':
			return { type: 'server_tool_use', id, name: word, input: { query: 'crosstalk' } };
		case 'think':
			return { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' };
		case 'image':
			return { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0K' } };
		case 'result':
			return /^[[{]/.test(word) || word === 'none'
				? { tool_use_id: id, type: 'tool_result', content: claudeContent(text) }
				: claudeResult(id, word, text.slice(`result ${id} says `.length));
		default:
			return { type: 'text', text };
	}
}

/** The arguments that stand in the notation of a call. */
function givenIn(text: string): Json | undefined {
	const json = /^call \S+ \S+ (\{.*)$/.exec(text)?.[1];
	return json === undefined ? undefined : (JSON.parse(json) as Json);
}

/** What a server has answered: JSON in a text, or nothing. */
function claudeContent(text: string): readonly Json[] {
	const json = /^result \S+ ([[{].*)$/.exec(text)?.[1];
	if (json === undefined) return [];
	// It has to be JSON here too.
	return [{ type: 'text', text: JSON.stringify(JSON.parse(json)) }];
}

function claudeResult(id: string, word: string, said: string): Json {
	if (word === 'says') return { tool_use_id: id, type: 'tool_result', content: said, is_error: true };
	if (word.endsWith('_result'))
		return { type: `${word.slice(0, -'_result'.length)}_tool_result`, tool_use_id: id, content: [] };
	const isError = ['error', 'denied', 'cancelled', 'interrupted'].includes(word);
	return {
		tool_use_id: id,
		type: 'tool_result',
		content: `${word}, as it was asked for`,
		...(isError ? { is_error: true } : {}),
	};
}

/** What Claude Code writes beside the message about a result. */
function resultFields(block: string): Json {
	const [, , word = '', agentId] = block.split(' ');
	switch (word) {
		case 'denied':
			return { toolDenialKind: 'user-rejected', toolUseResult: 'Error: denied' };
		case 'cancelled':
		case 'interrupted':
			return { toolDenialKind: word, toolUseResult: `Error: ${word}` };
		case 'background':
			return { toolUseResult: { stdout: '', backgroundTaskId: 'b1' } };
		case 'async':
			return {
				toolUseResult: {
					isAsync: true,
					status: 'async_launched',
					agentId,
					description: 'work',
					prompt: 'work',
				},
			};
		case 'agent':
			return { toolUseResult: { status: 'completed', agentId, totalDurationMs: 1000, content: [] } };
		default:
			return {};
	}
}

class CodexWriter extends Writer {
	readonly root = '/home/dev/.codex/sessions/2026/11/21';
	private readonly version: string;
	private readonly started = new Set<string>();
	private readonly responding = new Set<string>();
	private ordinal = 0;

	constructor(version: string) {
		super();
		this.version = version;
	}

	write(statement: Statement): readonly Target[] {
		const name = statement.attributes.get('agent') ?? 'main';
		const path = this.path(name);
		if (!this.started.has(name)) {
			this.started.add(name);
			const history = statement.attributes.get('history');
			const base = statement.attributes.get('base');
			this.item(path, statement, 'session_meta', this.header(name, history, base));
		}
		const isResponse = statement.role === 'assistant';
		// The client counts the tokens of each response; that is where it ends.
		if (isResponse && !statement.isContinued && this.responding.has(name))
			this.event(path, statement, { type: 'token_count' });
		if (isResponse) this.responding.add(name);
		switch (statement.role) {
			case 'user':
			case 'developer':
				return this.item(path, statement, 'response_item', {
					type: 'message',
					role: statement.role,
					content: [{ type: 'input_text', text: statement.rest }],
				});
			case 'assistant':
			case 'tool':
				return statement.blocks.flatMap((block) => {
					const payload = codexItem(block.text);
					return this.item(path, statement, 'response_item', payload, [payload]);
				});
			case 'compaction':
				return this.item(path, statement, 'compacted', {
					message: 'So far, so good.',
					replacement_history: [],
				});
			case 'header':
				return this.item(
					path,
					statement,
					'session_meta',
					this.header(statement.attributes.get('of') ?? name, undefined, undefined),
				);
			case 'rewind':
				return this.event(path, statement, { type: 'thread_rolled_back', num_turns: Number(statement.rest) });
			case 'aborted':
				return this.event(path, statement, { type: 'turn_aborted', reason: 'interrupted' });
			case 'done':
				return this.event(path, statement, { type: 'task_complete' });
			case 'failed':
				return this.event(path, statement, {
					type: 'item_completed',
					item: { type: 'McpToolCall', id: statement.rest, status: 'failed' },
				});
			case 'record':
				return this.item(path, statement, statement.rest, {});
			case 'damage':
				return this.damaged(path, statement.rest);
			default:
				throw new Error(`Codex writes nothing like "${statement.text}".`);
		}
	}

	private path(name: string): string {
		return `${this.root}/rollout-2026-11-21T08-00-00-${threadId(name)}.jsonl`;
	}

	private header(name: string, history: string | undefined, base: string | undefined): Json {
		const spawn = { parent_thread_id: threadId('main'), depth: 1, agent_nickname: name, agent_role: 'default' };
		return {
			session_id: threadId('main'),
			id: threadId(name),
			cwd: '/home/dev/project',
			originator: 'codex_exec',
			cli_version: this.version,
			source: name === 'main' ? 'exec' : { subagent: { thread_spawn: spawn } },
			history_base:
				base === undefined
					? null
					: { thread_id: threadId('base'), end_ordinal_exclusive: Number(base), end_byte_offset: 4096 },
			...(history === undefined ? {} : { subagent_history_start_ordinal: Number(history) }),
		};
	}

	private event(path: string, statement: Statement, payload: Json): readonly Target[] {
		return this.item(path, statement, 'event_msg', payload);
	}

	private item(
		path: string,
		statement: Statement,
		type: string,
		payload: Json,
		blocks: readonly Json[] = [],
	): readonly Target[] {
		const ordinal = Number(statement.attributes.get('ordinal') ?? this.ordinal++);
		return this.line(path, { timestamp: this.timestamp(statement), ordinal, type, payload }, blocks);
	}
}

/** The native id of a Codex agent. */
function threadId(name: string): string {
	const digits = [...name].map((character) => character.charCodeAt(0).toString(16)).join('');
	return `01a1fd3b-0000-7000-8000-${digits.padStart(12, '0').slice(-12)}`;
}

function codexItem(text: string): Json {
	const [verb = '', id = '', word = '', agent = ''] = text.split(' ');
	switch (verb) {
		case 'call': {
			if (word === 'apply_patch')
				return { type: 'custom_tool_call', call_id: id, name: word, input: '*** Begin Patch' };
			if (word === 'local_shell')
				return { type: 'local_shell_call', call_id: id, action: { type: 'exec', command: ['ls'] } };
			const match = /^(mcp__\w+?)__(\w+)$/.exec(word);
			const name = match?.[2] ?? word;
			return {
				type: 'function_call',
				name,
				...(match === null ? {} : { namespace: match[1] }),
				arguments: JSON.stringify(givenIn(text) ?? { path: 'notes.txt' }),
				call_id: id,
			};
		}
		case 'result':
			if (word === 'agent')
				return {
					type: 'function_call_output',
					call_id: id,
					output: JSON.stringify({ agent_id: threadId(agent), nickname: agent }),
				};
			if (word === 'aborted')
				return { type: 'function_call_output', call_id: id, output: 'aborted by user after 1.6s' };
			if (word === 'says')
				return { type: 'function_call_output', call_id: id, output: text.slice(`result ${id} says `.length) };
			return {
				type: word === 'patched' ? 'custom_tool_call_output' : 'function_call_output',
				call_id: id,
				output: /^[[{]/.test(word) ? JSON.stringify(JSON.parse(text.slice(text.indexOf(word)))) : word,
			};
		case 'think':
			return { type: 'reasoning', summary: [], encrypted_content: 'Z0FB' };
		default:
			return { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] };
	}
}
