import assert from 'node:assert/strict';
import { toolUseId } from '../../src/core/base/ids.ts';
import type { GivenArguments, ResultContent, SessionEvent } from '../../src/core/events/sessionEvent.ts';
import { claudeCode } from '../../src/core/transcripts/claudeCode.ts';
import { codex } from '../../src/core/transcripts/codex.ts';
import type { TranscriptFormat } from '../../src/core/transcripts/transcriptFormat.ts';

describe('the arguments of a call to an MCP server', () => {
	const cases: readonly {
		readonly given: unknown;
		readonly values: readonly string[];
		readonly isPartial?: boolean;
	}[] = [
		{ given: {}, values: [] },
		{ given: { context_id: 'all', limit: 3, deep: null }, values: ['context_id="all"', 'limit=3', 'deep=null'] },
		{
			given: { filter: { project: 'a', by: { name: 'b', more: {} } } },
			values: [
				'filter={"project":"a","by":{"name":"b","more":{}}}',
				'filter.project="a"',
				'filter.by={"name":"b","more":{}}',
				'filter.by.name="b"',
				'filter.by.more={}',
			],
		},
		{
			given: { queries: [{ repo: 'a' }, 1, { repo: 'b' }], empty: [] },
			values: ['queries=[{"repo":"a"},1,{"repo":"b"}]', 'queries[].repo="a"', 'queries[].repo="b"', 'empty=[]'],
		},
		{
			given: { a: { b: { c: { d: 1 } } } },
			values: ['a={"b":{"c":{"d":1}}}', 'a.b={"c":{"d":1}}', 'a.b.c={"d":1}'],
			isPartial: true,
		},
		{ given: { 'ein "Ort"': 'Zürich 🚲' }, values: ['ein "Ort"="Zürich 🚲"'] },
		{ given: 'no object', values: [], isPartial: true },
		{ given: [1], values: [], isPartial: true },
		{ given: '{"a": 1, "b" : [ ] }', values: ['a=1', 'b=[]'] },
		{ given: '', values: [] },
		{ given: '{"a": 1, "b": {', values: ['a=1'], isPartial: true },
	];
	for (const { given, values, isPartial = false } of cases) {
		for (const format of [claudeCode, codex]) {
			it(`are told by path: ${JSON.stringify(given)} in ${format.name}`, () => {
				const { line, found } = callOf(format, given);
				assert.deepEqual(
					found?.values.map(({ path, value }) => `${path}=${value}`),
					values,
				);
				assert.equal(found?.isPartial, isPartial);
				const written = line.slice((found?.range.column ?? 0) - 1, (found?.range.endColumn ?? 0) - 1);
				const read: unknown = JSON.parse(written);
				// Codex has them as text.
				assert.deepEqual(
					format === codex && typeof given !== 'string' ? JSON.parse(String(read)) : read,
					given,
				);
			});
		}
	}

	it('are known in part beyond 64 members, unless only the entries of a list go on', () => {
		const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`m${index}`, index]));
		const { found } = callOf(claudeCode, many);
		assert.equal(found?.values.length, 64);
		assert.equal(found.isPartial, true);
		const rows = Array.from({ length: 500 }, (_, index) => ({ id: index }));
		assert.equal(callOf(claudeCode, { rows }).found?.isPartial, false);
		assert.equal(callOf(claudeCode, { rows, context_id: 'late' }).found?.isPartial, true);
		assert.equal(callOf(claudeCode, { context_id: 'first', rows }).found?.isPartial, false);
	});

	it('are cut off after 200 characters, never in the middle of one', () => {
		const [value] = callOf(claudeCode, { text: 'ü'.repeat(1000) }).found?.values ?? [];
		assert.equal(value?.value, `"${'ü'.repeat(199)}`);
		const [pairs] = callOf(claudeCode, { text: '🚲'.repeat(1000) }).found?.values ?? [];
		assert.equal(pairs?.value, `"${'🚲'.repeat(99)}`);
	});

	it('are not looked for in a call of the agent itself', () => {
		const [event] = eventsOf(claudeCode, [claudeCall('Bash', { command: 'ls' }), claudeResult('[]')]).filter(
			({ type }) => type === 'tool-use',
		);
		assert.ok(event?.type === 'tool-use');
		assert.equal(event.given, undefined);
		const [result] = eventsOf(claudeCode, [claudeCall('Bash', {}), claudeResult('[]')]).filter(isResult);
		assert.equal(result?.content, undefined);
	});
});

describe('the result of a call to an MCP server', () => {
	const text = (value: string) => [{ type: 'text', text: value }];
	const wall = (value: string) => [
		{ type: 'input_text', text: 'Wall time: 0.0020 seconds\nOutput:' },
		{ type: 'input_text', text: value },
	];
	const echo = [{ path: 'context_id', value: '"c1"' }];
	const cases: readonly (readonly [TranscriptFormat, unknown, ResultContent | undefined])[] = [
		[claudeCode, [], { items: 0, values: [] }],
		[claudeCode, '', { items: 0, values: [] }],
		[claudeCode, text(''), { items: 0, values: [] }],
		// As Claude Code 2.1.328 writes a result without content.
		[claudeCode, '(mcp__chat__list completed with no output)', { items: 0, values: [] }],
		[claudeCode, text('[]'), { items: 0, values: [] }],
		[claudeCode, text('[1,{"a":[2,3]}]'), { items: 2, values: [] }],
		[claudeCode, text('{"context_id":"c1","messages":[]}'), { items: 0, values: echo }],
		[claudeCode, '{"context_id":"c1","messages":[1,2]}', { items: 2, values: echo }],
		[claudeCode, text('{"a":[],"b":[1]}'), { values: [] }],
		[
			claudeCode,
			text(
				'{"contexts":[{"context_id":"c1","text":"hi","id":7},{"context_id":"c2","at":{"projectKey":"p"}},{"context_id":"c1"},3],"b":[{"region":"eu"}]}',
			),
			{
				values: [],
				listed: [
					{ path: 'contexts[].context_id', value: '"c1"' },
					{ path: 'contexts[].context_id', value: '"c2"' },
					{ path: 'b[].region', value: '"eu"' },
				],
			},
		],
		[
			claudeCode,
			text('[{"repoName":"a"},{"id":"m1"}]'),
			{ items: 2, values: [], listed: [{ path: '[].repoName', value: '"a"' }] },
		],
		[
			claudeCode,
			text('{"data":{"project":"p","rows":[1]}}'),
			{ items: 1, values: [{ path: 'data.project', value: '"p"' }] },
		],
		[claudeCode, text('{"ok":true}'), { values: [{ path: 'ok', value: 'true' }] }],
		[claudeCode, text('No results.'), undefined],
		[claudeCode, text('[broken'), undefined],
		[claudeCode, text('[Resource link: a] file:///a'), undefined],
		[claudeCode, [...text('{"a":1}'), ...text('{"a":2}')], undefined],
		[claudeCode, [{ type: 'image', source: {} }], undefined],
		[claudeCode, text(`["${'x'.repeat(70_000)}"]`), undefined],
		[codex, wall('[1,2,3]'), { items: 3, values: [] }],
		[codex, wall(''), { items: 0, values: [] }],
		[codex, [{ type: 'input_text', text: 'Wall time: 0.1 seconds\nOutput:' }], { items: 0, values: [] }],
		[codex, wall('hello'), undefined],
		[codex, wall('["a","x…52732 tokens truncated…x","b"]'), undefined],
		// What a server gives as structured content.
		[codex, 'Wall time: 0.0132 seconds\nOutput:\n{"context_id":"c1","messages":[1,2]}', { items: 2, values: echo }],
		[codex, '[{"type":"text","text":"{\\"context_id\\":\\"c1\\",\\"messages\\":[]}"}]', { items: 0, values: echo }],
		[codex, '{"content":[{"type":"text","text":"[1]"}],"isError":false}', { items: 1, values: [] }],
		[codex, '{"content":[],"structuredContent":{"context_id":"c1","messages":[1]}}', { items: 1, values: echo }],
		[codex, '{"context_id":"c1","content":[1,2]}', { items: 2, values: echo }],
	];
	for (const [format, output, content] of cases) {
		it(`tells ${JSON.stringify(content)} of ${JSON.stringify(output).slice(0, 80)} in ${format.name}`, () => {
			const lines =
				format === codex
					? [codexCall({}), codexLine({ type: 'function_call_output', call_id: 'call_1', output })]
					: [claudeCall('mcp__chat__list', {}), claudeResult(output)];
			const [result] = eventsOf(format, lines).filter(isResult);
			assert.deepEqual(result?.content, content);
		});
	}

	it('names no more than 32 places of a list, none of them longer than 64 characters', () => {
		const entries = Array.from({ length: 40 }, (_, index) => ({
			tab_id: index === 0 ? 'x'.repeat(70) : `tab-${index}`,
		}));
		const content = [{ type: 'text', text: JSON.stringify(entries) }];
		const [result] = eventsOf(claudeCode, [claudeCall('mcp__chat__list', {}), claudeResult(content)]).filter(
			isResult,
		);
		assert.equal(result?.content?.items, 40);
		assert.deepEqual(
			result.content.listed?.map(({ value }) => value),
			Array.from({ length: 32 }, (_, index) => `"tab-${index + 1}"`),
		);
	});

	it('is taken from the structured content where its text is prose', () => {
		const line = {
			...claudeResult(text('Two messages.')),
			mcpMeta: { structuredContent: { context_id: 'c1', messages: [1, 2] } },
		};
		const [result] = eventsOf(claudeCode, [claudeCall('mcp__chat__list', {}), line]).filter(isResult);
		assert.deepEqual(result?.content, { items: 2, values: echo });
	});

	it('is not looked into when its call was not read', () => {
		const [result] = eventsOf(claudeCode, [claudeResult('[]')]).filter(isResult);
		assert.equal(result?.toolUseId, toolUseId('toolu_1'));
		assert.equal(result.content, undefined);
	});
});

describe('the origin of a prompt', () => {
	const user = (more: object, content: unknown = 'Look everywhere.') => ({
		type: 'user',
		uuid: 'u1',
		parentUuid: null,
		sessionId: 's',
		version: '2.1.328',
		entrypoint: 'cli',
		...more,
		message: { role: 'user', content },
	});
	const enqueue = { type: 'queue-operation', operation: 'enqueue', sessionId: 's', content: 'Look everywhere.' };
	const fire = {
		type: 'system',
		subtype: 'scheduled_task_fire',
		uuid: 'f',
		sessionId: 's',
		content: 'Running scheduled task',
	};
	const cases: readonly (readonly [string, readonly object[], string | undefined])[] = [
		['nothing is told', [user({})], 'prompt'],
		['typed', [user({ promptSource: 'typed' })], 'prompt typed'],
		['queued', [user({ promptSource: 'queued', origin: { kind: 'human' } })], 'prompt queued'],
		['a suggestion was taken', [user({ promptSource: 'suggestion_accepted' })], 'prompt typed'],
		['-p', [user({ promptSource: 'sdk', turnOrigin: 'sdk', entrypoint: 'sdk-cli' })], 'prompt program'],
		[
			'a person in an editor, which uses the interface for programs',
			[user({ promptSource: 'sdk', turnOrigin: 'human', entrypoint: 'claude-vscode' })],
			'prompt typed',
		],
		[
			'a scheduled prompt of 2.1.328',
			[user({ isMeta: true, promptSource: 'system', wakeupSource: 'schedule_wakeup', turnOrigin: 'scheduled' })],
			'prompt scheduled',
		],
		['a scheduled task', [user({ scheduledTaskId: 't1' })], 'prompt scheduled'],
		['a scheduled task that was told of before', [fire, user({ isMeta: true })], 'prompt scheduled'],
		[
			'a trigger',
			[user({ origin: { kind: 'task-notification', subkind: 'scheduled-trigger' }, turnOrigin: 'scheduled' })],
			'prompt scheduled',
		],
		['a task that has ended', [user({ origin: { kind: 'task-notification' } })], 'notification'],
		['another agent', [user({ origin: { kind: 'peer' } })], 'prompt agent'],
		['a channel', [user({ origin: { kind: 'channel', server: 'slack' }, turnOrigin: 'peer' })], 'prompt program'],
		['the client itself', [user({ isMeta: true, promptSource: 'system' })], 'prompt system'],
		['a side chain', [user({ isSidechain: true, agentId: 'a1' })], 'prompt agent'],
		['a queue of versions that say no more', [enqueue, user({})], 'prompt queued'],
		['-p, whose prompt waits in the queue too', [enqueue, user({ entrypoint: 'sdk-cli' })], 'prompt'],
		['another prompt than the queued one', [enqueue, user({}, 'Something else.')], 'prompt'],
		['a hook', [user({ isMeta: true }, 'Stop hook feedback:\nNot yet.')], 'meta hook'],
		['a hidden message', [user({ isMeta: true }, 'Caveat')], 'meta'],
	];
	for (const [name, lines, expected] of cases) {
		it(`is told as far as the lines tell it: ${name}`, () => {
			const message = eventsOf(claudeCode, lines).findLast((event) => event.type === 'message');
			assert.ok(message?.type === 'message');
			assert.equal([message.kind, message.origin].filter((part) => part !== undefined).join(' '), expected);
		});
	}

	const entrypoints: readonly (readonly [object, string])[] = [
		[{ entrypoint: 'cli' }, 'interactive'],
		[{ entrypoint: 'claude-vscode' }, 'interactive'],
		[{ entrypoint: 'sdk-py' }, 'headless'],
		[{ entrypoint: 'claude-code-github-action' }, 'headless'],
		[{ entrypoint: 'cli', sessionKind: 'bg' }, 'headless'],
		[{ entrypoint: 'remote_trigger' }, 'scheduled'],
		[{ entrypoint: undefined }, 'unknown'],
	];
	for (const [more, expected] of entrypoints) {
		it(`is apart from how the session was started: ${JSON.stringify(more)} is ${expected}`, () => {
			const started = eventsOf(claudeCode, [user(more)]).find((event) => event.type === 'session-started');
			assert.equal(started?.entrypoint, expected);
		});
	}

	for (const [source, expected] of [
		['cli', 'typed'],
		['exec', 'program'],
		['custom', undefined],
	] as const) {
		it(`is read off the header in Codex: ${source}`, () => {
			const header = { type: 'session_meta', payload: { id: 's', source } };
			const prompt = codexLine({ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Go' }] });
			const message = eventsOf(codex, [header, prompt]).find((event) => event.type === 'message');
			assert.equal(message?.origin, expected);
		});
	}
});

describe('what a transcript says of the tools of MCP servers', () => {
	const schema = { type: 'object', properties: { context_id: { type: 'string' } } };
	const list = { name: 'mcp__chat__list', description: 'Lists.', input_schema: schema };
	const shape = (...tools: object[]) => ({ type: 'api-request-shape', sessionId: 's', shape: { system: [], tools } });
	const attachment = (content: object) => ({ type: 'attachment', uuid: 'a', sessionId: 's', attachment: content });
	const snapshot = attachment({
		type: 'prompt_snapshot',
		tools: [{ name: list.name, description: list.description, schema: list, server: 'chat' }],
	});
	const found = attachment({ type: 'deferred_tools_record', entries: [{ ...list, defer_loading: true }] });
	const told = [`chat/list Lists. ${JSON.stringify(schema)}`];
	const cases: readonly (readonly [string, TranscriptFormat, readonly object[], readonly string[]])[] = [
		['with a request', claudeCode, [shape({ name: 'Bash', input_schema: {} }, list)], told],
		['in a snapshot', claudeCode, [snapshot], told],
		['where a search has found it', claudeCode, [found], told],
		['once, however often it is said', claudeCode, [shape(list), found, snapshot, shape(list)], told],
		[
			'again when it has changed',
			claudeCode,
			[shape(list), shape({ ...list, description: 'Other.' })],
			[...told, `chat/list Other. ${JSON.stringify(schema)}`],
		],
		['without a schema', claudeCode, [shape({ name: list.name })], ['chat/list undefined undefined']],
		[
			'with a schema that is none',
			claudeCode,
			[shape({ ...list, input_schema: 'x' })],
			['chat/list Lists. undefined'],
		],
		[
			'with a schema that is too long',
			claudeCode,
			[shape({ ...list, input_schema: { x: 'x'.repeat(70_000) } })],
			['chat/list Lists. undefined'],
		],
		[
			'in no list',
			claudeCode,
			[
				{ type: 'api-request-shape', sessionId: 's', shape: '(removed)' },
				shape(),
				attachment({ type: 'file', entries: [list] }),
			],
			[],
		],
		[
			'where a search has found it',
			codex,
			[
				codexLine({
					type: 'tool_search_output',
					call_id: 'c',
					tools: [
						{
							type: 'namespace',
							name: 'mcp__chat',
							tools: [{ type: 'function', name: 'list', description: 'Lists.', parameters: schema }],
						},
						{
							type: 'namespace',
							name: 'multi_agent_v1',
							tools: [{ type: 'function', name: 'spawn', parameters: {} }],
						},
						{ type: 'function', name: 'apply_patch', parameters: {} },
						7,
					],
				}),
			],
			told,
		],
	];
	for (const [name, format, lines, expected] of cases) {
		it(`is told ${name} in ${format.name}`, () => {
			assert.deepEqual(
				eventsOf(format, lines).flatMap((event) =>
					event.type === 'tool-described'
						? [`${event.server}/${event.tool} ${event.description} ${event.inputSchema}`]
						: [],
				),
				expected,
			);
		});
	}

	it('is cut off after 4,096 characters of description', () => {
		const event = eventsOf(claudeCode, [shape({ ...list, description: 'ü'.repeat(5000) })]).find(
			({ type }) => type === 'tool-described',
		);
		assert.equal(event?.type === 'tool-described' && event.description, 'ü'.repeat(4096));
	});
});

function callOf(
	format: TranscriptFormat,
	given: unknown,
): { readonly line: string; readonly found: GivenArguments | undefined } {
	const line = format === codex ? codexCall(given) : claudeCall('mcp__chat__list', given);
	const event = eventsOf(format, [line]).find(({ type }) => type === 'tool-use');
	assert.ok(event?.type === 'tool-use');
	return { line: JSON.stringify(line), found: event.given };
}

function claudeCall(name: string, input: unknown): object {
	const content = [{ type: 'tool_use', id: 'toolu_1', name, input }];
	// Columns count UTF-16 units, bytes do not.
	return {
		type: 'assistant',
		slug: 'Zürich 🚲',
		uuid: 'a',
		sessionId: 's',
		message: { role: 'assistant', id: 'm', content },
	};
}

function claudeResult(content: unknown): object {
	const message = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content }] };
	return { type: 'user', uuid: 'b', parentUuid: 'a', sessionId: 's', message };
}

function codexCall(given: unknown): object {
	const text = typeof given === 'string' ? given : JSON.stringify(given);
	return codexLine({
		type: 'function_call',
		namespace: 'mcp__chat',
		name: 'list',
		call_id: 'call_1',
		arguments: text,
	});
}

function codexLine(payload: object): object {
	return { timestamp: '2026-11-21T08:00:00.000Z', type: 'response_item', payload };
}

function isResult(event: SessionEvent): event is Extract<SessionEvent, { type: 'tool-result' }> {
	return event.type === 'tool-result';
}

function eventsOf(format: TranscriptFormat, lines: readonly object[]): readonly SessionEvent[] {
	const events: SessionEvent[] = [];
	const file = { path: 'a.jsonl', nativeSessionId: 's', agentId: null, withPreviews: true };
	const reader = format.createReader(file, (event) => void events.push(event));
	let offset = 0;
	for (const [index, line] of lines.entries()) {
		const bytes = Buffer.from(JSON.stringify(line));
		reader.readLine(bytes, 0, bytes.length, { line: index + 1, offset }, false);
		offset += bytes.length + 1;
	}
	return events;
}
