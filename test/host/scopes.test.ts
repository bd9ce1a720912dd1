import assert from 'node:assert/strict';
import { nobodyKnown } from '../../src/core/host/agentIdentity.ts';
import type { ConnectionIdentity } from '../../src/core/host/agentIdentity.ts';
import { MODERN } from '../../src/core/host/revisions.ts';
import type { ScopeSettings, ToolScopeSettings } from '../../src/core/scope/index.ts';
import { answerHandshake, createRig, settled } from './rig.ts';
import type { FakeAgent, FakeTransport, Json, Rig } from './rig.ts';

const contextId = {
	type: 'string',
	description: 'The context that is listed, or "all" for every context. Defaults to the current context.',
};

/** The tools of a server, by name: their input schemas. */
type Tools = Record<string, unknown>;

const chat: Tools = {
	list_messages: {
		type: 'object',
		properties: {
			context_id: contextId,
			since: { type: 'string', description: 'Only messages from then on.' },
			limit: { type: 'integer', default: 200 },
		},
	},
	list_contexts: { type: 'object', properties: {} },
	search: {
		type: 'object',
		properties: {
			filter: {
				type: 'object',
				properties: {
					project: { type: 'string', description: 'Defaults to the current project.' },
					text: { type: 'string' },
				},
			},
		},
	},
	batch: {
		type: 'object',
		properties: {
			queries: {
				type: 'array',
				items: {
					type: 'object',
					properties: {
						repo: { type: 'string', description: 'Defaults to the current repository.' },
						words: { type: 'string' },
					},
				},
			},
		},
	},
	posts: {
		type: 'object',
		properties: {
			channel_id: { type: 'string', description: 'Defaults to the current channel.' },
			channel_name: { type: 'string', description: 'In place of the id.' },
		},
	},
	forward: {
		type: 'object',
		properties: {
			posts: {
				type: 'array',
				items: {
					type: 'object',
					properties: {
						channel_id: { type: 'string', description: 'Defaults to the current channel.' },
						channel_name: { type: 'string', description: 'In place of the id.' },
					},
				},
			},
		},
	},
	deploy: {
		type: 'object',
		properties: { environment: { type: 'string', enum: ['staging', 'production'], default: 'staging' } },
	},
};

interface Server {
	tools: Tools;
	/** What a call is answered with. */
	result: Json;
	/** Says nothing to `tools/list`. */
	isSilent: boolean;
	/** Answers `tools/list` with an error. */
	isWithoutList: boolean;
}

function scoped(settings: ScopeSettings, server: Partial<Server> = {}): { readonly rig: Rig; readonly server: Server } {
	const said: Server = { tools: chat, result: {}, isSilent: false, isWithoutList: false, ...server };
	const rig = createRig({
		answer(transport, message) {
			answerHandshake(transport, message);
			answerTools(said, transport, message);
		},
	});
	rig.host.putScopes('test', settings, 'everybody');
	return { rig, server: said };
}

function answerTools(server: Server, transport: FakeTransport, { id, method }: Json): void {
	if (method === 'tools/call') transport.say({ jsonrpc: '2.0', id, result: { content: [], ...server.result } });
	if (method !== 'tools/list' || server.isSilent) return;
	if (server.isWithoutList) transport.say({ jsonrpc: '2.0', id, error: { code: -32_601, message: 'No list.' } });
	else
		transport.say({
			jsonrpc: '2.0',
			id,
			result: { tools: Object.entries(server.tools).map(([name, inputSchema]) => ({ name, inputSchema })) },
		});
}

const headless = { ...nobodyKnown, intent: 'headless' } as const;

async function called(agent: FakeAgent, tool: string, args: unknown): Promise<Json> {
	const call = agent.call(tool, { arguments: args });
	await settled();
	await settled();
	assert.equal(call.answers.length, 1, 'exactly one answer');
	return call.answer ?? {};
}

/** The text of a result that is a tool's error. */
function refusal(answer: Json): string {
	const { isError, content } = answer['result'] as { isError: boolean; content: { text: string }[] }; // the rig's
	assert.equal(isError, true, JSON.stringify(answer));
	return content[0]!.text;
}

/** Arguments of the calls that reached the server. */
function arrived(rig: Rig): unknown[] {
	return rig.transports.flatMap((transport) =>
		transport.requests('tools/call').map(({ params }) => (params as Json)['arguments']),
	);
}

function decisions(rig: Rig): unknown[] {
	return rig.records
		.filter(({ name }) => name === 'scopeDecision')
		.map(({ policy, intent, outcome, parameters }) => ({ policy, intent, outcome, parameters }));
}

function statusOf(rig: Rig) {
	return rig.host.status().servers[0]?.scopes;
}

describe('a policy for the scope of a tool', () => {
	const left = { list_messages: {}, search: { filter: { text: 'x' } }, batch: { queries: [{ words: 'x' }] } };
	const given = {
		list_messages: { context_id: 'all' },
		search: { filter: { project: 'web' } },
		batch: { queries: [{ repo: 'a' }, { repo: 'b' }] },
	};
	const paths = { list_messages: 'context_id', search: 'filter.project', batch: 'queries[].repo' };
	const filled = {
		list_messages: { context_id: 'v' },
		search: { filter: { project: 'v', text: 'x' } },
		batch: { queries: [{ repo: 'v', words: 'x' }] },
	};

	for (const tool of ['list_messages', 'search', 'batch'] as const) {
		for (const policy of ['off', 'report', 'require', 'fill'] as const) {
			for (const [intent, identity] of [
				['unknown', nobodyKnown],
				['interactive', { ...nobodyKnown, intent: 'interactive' }],
				['headless', headless],
				['scheduled', { ...nobodyKnown, intent: 'scheduled' }],
			] as const) {
				const isHeadless = intent === 'headless' || intent === 'scheduled';
				for (const other of ['off', 'require'] as const) {
					it(`${policy} for ${intent} callers of ${tool}, ${other} for others`, async () => {
						const own: ToolScopeSettings = {
							policy: isHeadless
								? { headless: policy, interactive: other }
								: { interactive: policy, headless: other },
							values: { [paths[tool]]: 'v' },
						};
						const { rig } = scoped({ files: { [tool]: own } });
						const agent = await rig.initialized({}, identity);
						const answer = await called(agent, tool, left[tool]);
						const path = paths[tool];
						const decision = (outcome: string, parameters: unknown) => ({
							policy,
							intent,
							outcome,
							parameters,
						});
						switch (policy) {
							case 'off':
								assert.deepEqual(arrived(rig), [left[tool]]);
								assert.deepEqual(decisions(rig), []);
								break;
							case 'report':
								assert.deepEqual(arrived(rig), [left[tool]]);
								assert.deepEqual(decisions(rig), [decision('reported', [{ path }])]);
								break;
							case 'require':
								assert.match(refusal(answer), new RegExp(`"${path.replaceAll(/[[\].]/g, '\\$&')}"`));
								assert.deepEqual(arrived(rig), []);
								assert.deepEqual(decisions(rig), [decision('refused', [{ path }])]);
								break;
							case 'fill':
								assert.deepEqual(arrived(rig), [filled[tool]]);
								assert.deepEqual(decisions(rig), [decision('filled', [{ path, value: '"v"' }])]);
						}
						const { length } = decisions(rig);
						const second = await called(agent, tool, given[tool]);
						assert.equal('error' in second || (second['result'] as Json)['isError'] === true, false);
						assert.deepEqual(arrived(rig).at(-1), given[tool]);
						assert.equal(decisions(rig).length, length, 'a call that says it all is not told of');
					});
				}
			}
		}
	}
});

describe('a refused call', () => {
	const required: ScopeSettings = { files: { list_messages: { policy: 'require' } } };

	it('is told to the model with what it has to pass, and ends as refused', async () => {
		const { rig } = scoped(required);
		const agent = await rig.initialized();
		const text = refusal(await called(agent, 'list_messages', {}));
		assert.equal(
			text,
			[
				'This call was not carried out, because it does not say where to look: it has to give "context_id". Nothing has been read or changed. Make the same call again with "context_id".',
				'"context_id":',
				'- In the tool\'s own words: The context that is listed, or "all" for every context. Defaults to the current context.',
				'- Without it the tool would have taken: current context.',
				'- To look everywhere give "all".',
			].join('\n'),
		);
		const ended = rig.records.find(({ name }) => name === 'callEnded');
		assert.equal(ended?.['ending'], 'refused');
		assert.equal(ended?.['reason'], 'The call does not say "context_id"; the tool takes current context for it.');
		const { calls, errors, inFlight, queued, p50Ms } = rig.host.status().servers[0]!;
		assert.deepEqual(
			{ calls, errors, inFlight, queued, p50Ms },
			{ calls: 1, errors: 1, inFlight: 0, queued: 0, p50Ms: null },
		);
		assert.deepEqual(
			rig.records.flatMap(({ name, kind, method }) =>
				name === 'message' && method === 'tools/call' ? [kind] : [],
			),
			['request', 'response'],
		);
	});

	it('names the values of the schema, of results and of other calls, each once and the latest first', async () => {
		const settings: ScopeSettings = { files: { '*': { policy: { headless: 'require' } } } };
		const tools = { ...chat, list_messages: { type: 'object', properties: { context_id: { type: 'string' } } } };
		const { rig, server } = scoped(settings, { tools });
		const agent = await rig.initialized({}, headless);
		agent.ask('tools/list');
		await settled();
		const contexts = [{ id: 'general' }, { id: 'random' }];
		server.result = { content: [{ type: 'text', text: JSON.stringify({ contexts }) }] };
		await called(agent, 'list_contexts', {});
		server.result = { structuredContent: { messages: [{ contextId: 'ops', text: 'context_id' }] } };
		await called(agent, 'list_messages', { context_id: 'random' });
		server.result = {};
		await called(agent, 'list_messages', { context_id: 'night' });
		server.result = { isError: true };
		await called(agent, 'list_messages', { context_id: 'wrong' });
		const text = refusal(await called(agent, 'list_messages', {}));
		assert.match(text, /^- This server has told of: "ops", "random", "general"\.$/m);
		assert.match(text, /^- Other calls to this server gave: "night"\.$/m);
		assert.match(refusal(await called(agent, 'deploy', {})), /^- The schema allows: "staging", "production"\.$/m);
	});

	it('names what was told before anything was known of the tools', async () => {
		const { rig, server } = scoped(required);
		const agent = await rig.initialized();
		server.result = { structuredContent: { contexts: [{ id: 'general' }] } };
		await called(agent, 'list_contexts', {});
		assert.equal(rig.last.requests('tools/list').length, 0);
		assert.match(refusal(await called(agent, 'list_messages', {})), /^- This server has told of: "general"\.$/m);
	});

	it('says that nothing is known where that is so', async () => {
		const tools = { list_messages: { type: 'object', properties: { context_id: { type: 'string' } } } };
		const { rig } = scoped(required, { tools });
		assert.match(refusal(await called(await rig.initialized(), 'list_messages', {})), /No values are known yet/);
	});

	it('is answered in the way of the revision that its agent speaks', async () => {
		const { rig } = scoped(required);
		const agent = rig.agent();
		const meta = {
			'io.modelcontextprotocol/protocolVersion': MODERN,
			'io.modelcontextprotocol/clientCapabilities': {},
			'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
		};
		const call = agent.call('list_messages', { _meta: meta });
		for (let round = 0; round < 5; round++) await settled();
		const result = call.answer?.['result'] as Json;
		assert.equal(result['isError'], true);
		assert.equal(result['resultType'], 'complete');
	});

	it('does not hold up others, and can be given up while the server is asked for its tools', async () => {
		const { rig, server } = scoped(required, { isSilent: true });
		const agent = await rig.initialized();
		const held = agent.call('list_messages');
		await settled();
		assert.deepEqual(
			rig.host.status().calls.map(({ state, reason }) => ({ state, reason })),
			[{ state: 'queued', reason: 'asking the server which parameters its tools have' }],
		);
		assert.deepEqual(rig.host.activity.calls, 1);
		await called(agent, 'list_contexts', {});
		agent.tell({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: held.id } });
		server.isSilent = false;
		await rig.pass(20_000);
		assert.deepEqual(held.answers, []);
		assert.deepEqual(arrived(rig), [{}]);
		assert.equal(rig.host.activity.calls, 0);
		assert.deepEqual(decisions(rig), []);
	});
});

describe('what is put in', () => {
	const settings = (values: Json): ScopeSettings => ({ files: { '*': { policy: 'fill', values } } });
	const answerOf = async (values: Json, tool: string, args: unknown) => {
		const { rig } = scoped(settings(values));
		await called(await rig.initialized(), tool, args);
		return { arrived: arrived(rig)[0], outcome: (decisions(rig)[0] as Json | undefined)?.['outcome'], rig };
	};
	const cases: readonly (readonly [
		tool: string,
		values: Json,
		args: unknown,
		expected: unknown,
		outcome: unknown,
	])[] = [
		['list_messages', { context_id: 'all' }, {}, { context_id: 'all' }, 'filled'],
		['list_messages', { context_id: 'all' }, undefined, { context_id: 'all' }, 'filled'],
		['list_messages', { context_id: 'all' }, null, { context_id: 'all' }, 'filled'],
		['list_messages', { context_id: 'all' }, { limit: 1 }, { context_id: 'all', limit: 1 }, 'filled'],
		['list_messages', { context_id: 'all' }, { context_id: 'me' }, { context_id: 'me' }, undefined],
		// What is given is not written over, even where it says nothing.
		['list_messages', { context_id: 'all' }, { context_id: null }, { context_id: null }, undefined],
		// Any parameter that the schema knows may be meant.
		[
			'list_messages',
			{ since: '2026-11-20', context_id: 'all' },
			{ since: 'x' },
			{ since: 'x', context_id: 'all' },
			'filled',
		],
		['list_messages', { limit: 5 }, {}, { limit: 5 }, 'filled'],
		['search', { 'filter.project': 'web' }, {}, { filter: { project: 'web' } }, 'filled'],
		[
			'search',
			{ 'filter.project': 'web', 'filter.text': 't' },
			{},
			{ filter: { project: 'web', text: 't' } },
			'filled',
		],
		['search', { 'filter.project': 'web' }, { filter: 'all' }, { filter: 'all' }, 'inconclusive'],
		['search', { 'filter.project': 'web' }, { filter: null }, { filter: null }, 'inconclusive'],
		[
			'batch',
			{ 'queries[].repo': 'a' },
			{ queries: [{}, { repo: 'b' }, { words: 'x' }] },
			{ queries: [{ repo: 'a' }, { repo: 'b' }, { repo: 'a', words: 'x' }] },
			'filled',
		],
		['batch', { 'queries[].repo': 'a' }, { queries: [] }, { queries: [] }, undefined],
		['batch', { 'queries[].repo': 'a' }, {}, {}, undefined],
		['batch', { 'queries[].repo': 'a' }, { queries: ['x', {}] }, { queries: ['x', { repo: 'a' }] }, 'filled'],
		['batch', { 'queries[].repo': 'a' }, { queries: 'x' }, { queries: 'x' }, 'inconclusive'],
		// The agent has said it in other words.
		['posts', { channel_id: 'all' }, { channel_name: 'ops' }, { channel_name: 'ops' }, undefined],
		['posts', { channel_id: 'all' }, {}, { channel_id: 'all' }, 'filled'],
		// Each element speaks for itself.
		[
			'forward',
			{ 'posts[].channel_id': 'all' },
			{ posts: [{ channel_name: 'ops' }, {}, { channel_id: 'web' }] },
			{ posts: [{ channel_name: 'ops' }, { channel_id: 'all' }, { channel_id: 'web' }] },
			'filled',
		],
		[
			'forward',
			{ 'posts[].channel_id': 'all' },
			{ posts: [{ channel_name: 'ops' }] },
			{ posts: [{ channel_name: 'ops' }] },
			undefined,
		],
		// The server would refuse these.
		['posts', { channel_id: 7 }, {}, {}, 'inconclusive'],
		['deploy', { environment: 'moon' }, {}, {}, 'inconclusive'],
		['deploy', { environment: 'production' }, {}, { environment: 'production' }, 'filled'],
		['deploy', { cluster: 'a' }, {}, {}, 'inconclusive'],
		['deploy', { environment: 'production' }, ['x'], ['x'], 'inconclusive'],
	];
	for (const [tool, values, args, expected, outcome] of cases) {
		it(`${JSON.stringify(values)} in ${tool} ${JSON.stringify(args)}`, async () => {
			const got = await answerOf(values, tool, args);
			assert.deepEqual(got.arrived, expected);
			assert.equal(got.outcome, outcome);
		});
	}

	it('leaves every other byte as it was', async () => {
		const { rig } = scoped(settings({ 'filter.project': 'web', 'queries[].repo': 'a' }));
		const agent = await rig.initialized();
		const heard: string[] = [];
		const text =
			'{ "jsonrpc":"2.0","id" : 77, "method":"tools/call","params":{"arguments":{"f\\u0069lter":{"text":1},"filter":{ "n": 12345678901234567890.10 }},"name":"search" ,"x":1e2} }';
		agent.endpoint.receive(
			new TextEncoder().encode(text),
			{
				deliver() {},
				answer: (bytes) => void heard.push(new TextDecoder().decode(bytes)),
				accepted() {},
				dropped() {},
				headers: undefined,
			},
			'',
		);
		await settled();
		await settled();
		assert.equal(heard.length, 1);
		const sent = rig.last.raw.find((line) => line.includes('tools/call'));
		assert.equal(
			sent,
			text
				.replace('"id" : 77', `"id" : ${String(rig.last.requests('tools/call')[0]!['id'])}`)
				.replace('{ "n"', '{"project":"web", "n"'),
		);
	});

	it('is in the headers that say the same, for servers that want such', async () => {
		const tools = {
			list: {
				type: 'object',
				properties: {
					region: {
						type: 'string',
						'x-mcp-header': 'Region',
						description: 'Defaults to the current region.',
					},
				},
			},
		};
		const { rig } = scoped(settings({ region: 'eu' }), { tools });
		await called(await rig.initialized(), 'list', {});
		assert.deepEqual(rig.last.headers.at(-1), { 'Mcp-Param-Region': 'eu' });
	});
});

describe('without what a decision needs', () => {
	const huge = { type: 'object', properties: { context_id: { type: 'string', description: 'x'.repeat(70_000) } } };
	const cyclic = { type: 'object', properties: { at: { $ref: '#' } }, $defs: { a: { $ref: '#/$defs/a' } } };
	const bad: readonly (readonly [what: string, server: Partial<Server>, reason: RegExp])[] = [
		['a tool that is gone', { tools: {} }, /lists no tool "list_messages"/],
		['no schema', { tools: { list_messages: undefined } }, /no input schema/],
		['a schema that is no object', { tools: { list_messages: true } }, /no input schema/],
		[
			'a schema that describes no object',
			{ tools: { list_messages: { type: 'array' } } },
			/does not describe an object/,
		],
		['a huge schema', { tools: { list_messages: huge } }, /more than 64 KB/],
		['a server without a list of tools', { isWithoutList: true }, /is not known|lists no tool/],
		['a server that does not answer', { isSilent: true }, /did not list its tools in 10 s/],
	];
	for (const [what, server, reason] of bad) {
		for (const [policy, tool] of [
			['report', 'list_messages'],
			['fill', 'list_messages'],
			// Demanded of whatever fits the pattern, and so of nothing in particular.
			['require', 'list_*'],
		] as const) {
			it(`${policy} lets a call through as it is: ${what}`, async () => {
				const { rig } = scoped({ files: { [tool]: { policy, values: { context_id: 'all' } } } }, server);
				const call = (await rig.initialized()).call('list_messages', { arguments: { a: 1 } });
				await rig.pass(11_000);
				assert.equal(call.answers.length, 1);
				assert.deepEqual(arrived(rig), [{ a: 1 }]);
				assert.deepEqual(decisions(rig), [
					{ policy, intent: 'unknown', outcome: 'inconclusive', parameters: [] },
				]);
				assert.match(String(rig.records.find(({ name }) => name === 'scopeDecision')?.['reason']), reason);
			});
		}

		it(`require of this very tool refuses what it cannot decide on: ${what}`, async () => {
			const { rig } = scoped({ files: { list_messages: { policy: 'require' } } }, server);
			const call = (await rig.initialized()).call('list_messages', { arguments: { a: 1 } });
			await rig.pass(11_000);
			const text = refusal(call.answer ?? {});
			assert.match(text, /calls to list_messages say where to look, and whether this one does cannot be told\./);
			assert.match(text, reason);
			assert.deepEqual(arrived(rig), []);
			assert.deepEqual(decisions(rig), [
				{ policy: 'require', intent: 'unknown', outcome: 'refused', parameters: [] },
			]);
		});

		it(`what is required by name is required all the same: ${what}`, async () => {
			const { rig } = scoped(
				{ files: { list_messages: { policy: 'require', parameters: ['context_id'] } } },
				server,
			);
			const agent = await rig.initialized();
			const call = agent.call('list_messages');
			await rig.pass(11_000);
			assert.match(refusal(call.answer ?? {}), /it has to give "context_id"/);
			assert.deepEqual(arrived(rig), []);
			const second = agent.call('list_messages', { arguments: { context_id: 'a' } });
			await rig.pass(11_000);
			assert.equal(second.answers.length, 1);
			assert.deepEqual(arrived(rig), [{ context_id: 'a' }]);
		});
	}

	it('a schema that leads back to itself is no trouble', async () => {
		const { rig } = scoped({ files: { walk: { policy: 'require' } } }, { tools: { walk: cyclic } });
		await called(await rig.initialized(), 'walk', {});
		assert.deepEqual(arrived(rig), [{}]);
	});

	it('a server that cannot be asked is not asked again for every call', async () => {
		const { rig } = scoped(
			{ files: { list_messages: { policy: 'fill', values: { context_id: 'a' } } } },
			{ isSilent: true },
		);
		const agent = await rig.initialized();
		agent.call('list_messages');
		await rig.pass(11_000);
		await called(agent, 'list_messages', {});
		assert.equal(rig.last.requests('tools/list').length, 1);
		assert.equal(arrived(rig).length, 2);
	});

	const contradictions: readonly (readonly [what: string, settings: ToolScopeSettings])[] = [
		['no scope at all', { parameters: [] }],
		[
			'a default that is meant, and a value',
			{ intended: { context_id: 'The own tab.' }, values: { context_id: 'all' } },
		],
		['a value for what is no scope', { parameters: ['since'], values: { context_id: 'all' } }],
		['nothing to put in', {}],
	];
	for (const [what, own] of contradictions) {
		it(`settings that contradict each other leave a call as it is: ${what}`, async () => {
			const { rig } = scoped({ files: { list_messages: { ...own, policy: 'fill' } } });
			await called(await rig.initialized(), 'list_messages', {});
			assert.deepEqual(arrived(rig), [{}]);
			assert.match(
				String(rig.records.find(({ name }) => name === 'scopeDecision')?.['reason']),
				/^The settings contradict each other: /,
			);
		});
		it(`but not one of which a scope is required: ${what}`, async () => {
			const { rig } = scoped({ files: { list_messages: { ...own, policy: 'require' } } });
			refusal(await called(await rig.initialized(), 'list_messages', {}));
			assert.deepEqual(arrived(rig), []);
		});
	}

	it('a default that is meant is not asked for where another scope is', async () => {
		const tools = {
			list: {
				type: 'object',
				properties: {
					project: { type: 'string' },
					branch: { type: 'string', description: 'Defaults to the current branch.' },
				},
			},
		};
		const own: ToolScopeSettings = { policy: 'require', intended: { branch: 'The own branch.' } };
		const { rig } = scoped({ files: { list: own } }, { tools });
		const agent = await rig.initialized();
		assert.doesNotMatch(refusal(await called(agent, 'list', {})), /branch/);
		await called(agent, 'list', { project: 'p' });
		assert.deepEqual(arrived(rig), [{ project: 'p' }]);
	});
});

describe('what holds', () => {
	const require: ScopeSettings = { files: { list_messages: { policy: 'require' } } };

	it('changes while the host runs', async () => {
		const { rig } = scoped({});
		const agent = await rig.initialized();
		await called(agent, 'list_messages', {});
		rig.host.putScopes('test', require, 'everybody');
		refusal(await called(agent, 'list_messages', {}));
		rig.host.putScopes('test', { files: { list_messages: { policy: 'report' } } }, 'everybody');
		await called(agent, 'list_messages', {});
		rig.host.putScopes('test', {}, 'everybody');
		await called(agent, 'list_messages', {});
		assert.equal(arrived(rig).length, 3);
		assert.deepEqual(
			decisions(rig).map((decision) => (decision as Json)['outcome']),
			['refused', 'reported'],
		);
	});

	it('follows a server that has other tools than before', async () => {
		const { rig, server } = scoped(require);
		const agent = await rig.initialized();
		refusal(await called(agent, 'list_messages', {}));
		refusal(await called(agent, 'list_messages', {}));
		assert.equal(rig.last.requests('tools/list').length, 1, 'asked once');
		server.tools = { messages: chat['list_messages'] };
		rig.last.say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
		assert.match(refusal(await called(agent, 'list_messages', {})), /lists no tool "list_messages"/);
		assert.deepEqual(arrived(rig), []);
		server.tools = { list_messages: { type: 'object', properties: { tab: { type: 'string' } } } };
		rig.last.say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
		assert.match(refusal(await called(agent, 'list_messages', {})), /"tab"/);
	});

	it('asks nothing of a server whose tools an agent has listed, nor of one without policies', async () => {
		const { rig } = scoped(require);
		const agent = await rig.initialized();
		await called(agent, 'list_contexts', {});
		assert.equal(rig.last.requests('tools/list').length, 0);
		agent.ask('tools/list');
		await settled();
		refusal(await called(agent, 'list_messages', {}));
		assert.equal(rig.last.requests('tools/list').length, 1);
	});

	it('of several sources is what the last of them says, and of a run what the run says', async () => {
		const { rig } = scoped({ files: { deploy: { policy: 'fill', values: { environment: 'production' } } } });
		rig.host.putScopes(
			'run',
			{ files: { list_messages: { policy: 'fill', values: { context_id: 'run' } } } },
			'own',
		);
		rig.host.putScopes('last', {}, 'everybody');
		const say = (source: string, id: string) =>
			rig.host.putScopes(
				source,
				{ files: { list_messages: { policy: 'fill', values: { context_id: id } } } },
				'everybody',
			);
		const filledIn = async (identity: ConnectionIdentity) => {
			await called(await rig.initialized({}, identity), 'list_messages', {});
			return (arrived(rig).at(-1) as Json)['context_id'];
		};
		say('last', 'b');
		// The first source says something of it later than the second, and counts less all the same.
		say('test', 'a');
		assert.equal(await filledIn(nobodyKnown), 'b');
		assert.equal(await filledIn({ ...nobodyKnown, scopeSource: 'run' }), 'run');
		rig.host.putScopes('last', {}, 'everybody');
		assert.equal(await filledIn(nobodyKnown), 'a');
		rig.host.putScopes('run', {}, 'own');
		assert.equal(await filledIn({ ...nobodyKnown, scopeSource: 'run' }), 'a');
	});

	it('of one run is for its callers alone', async () => {
		const { rig } = scoped({});
		rig.host.putScopes('run-1', require, 'own');
		const own = await rig.initialized({}, { ...nobodyKnown, scopeSource: 'run-1' });
		refusal(await called(own, 'list_messages', {}));
		const other = await rig.initialized({}, { ...nobodyKnown, scopeSource: 'run-2' });
		await called(other, 'list_messages', {});
		await called(await rig.initialized(), 'list_messages', {});
		assert.equal(arrived(rig).length, 2);
		assert.deepEqual(statusOf(rig), [
			{
				tool: 'list_messages',
				source: 'run-1',
				interactive: 'require',
				headless: 'require',
				explicit: 0,
				reported: 0,
				refused: 1,
				filled: 0,
				inconclusive: 0,
			},
		]);
	});

	it('is found by every name that somebody has for the server', async () => {
		const { rig } = scoped({ archive: { list_messages: { policy: 'require' } } });
		const agent = await rig.initialized();
		await called(agent, 'list_messages', {});
		const definition = {
			name: 'archive',
			transport: { kind: 'stdio', command: 'files', args: [], env: {} },
			sharing: 'auto',
			limits: {
				callMs: 1_000,
				callMsByTool: {},
				maximumCallMs: 1_000,
				connectMs: 1_000,
				probeMs: 1_000,
				queueMs: 1_000,
				queueLength: 10,
				connectAttempts: 1,
			},
			secrets: [],
			redactedArguments: [],
		} as const;
		rig.host.putServers('other', [definition]);
		assert.equal(arrived(rig).length, 1);
		const archived = rig.host.connectAgent({
			server: 'archive',
			identity: nobodyKnown,
			transport: 'http',
			isolationKey: undefined,
			output: () => true,
		});
		const answers: Json[] = [];
		const channel = {
			deliver() {},
			answer: (bytes: Uint8Array) => void answers.push(JSON.parse(new TextDecoder().decode(bytes)) as Json),
			accepted() {},
			dropped() {},
			headers: undefined,
		};
		archived.receive(
			new TextEncoder().encode(
				'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_messages"}}',
			),
			channel,
			'',
		);
		for (let round = 0; round < 4; round++) await settled();
		assert.match(refusal(answers[0] ?? {}), /context_id/);
	});

	it('holds for all servers together, under the names that tools have there', async () => {
		const { rig } = scoped(require);
		const heard: Json[] = [];
		const endpoint = rig.host.connectAgent({
			server: undefined,
			identity: headless,
			transport: 'http',
			isolationKey: undefined,
			output: () => true,
		});
		const channel = {
			deliver() {},
			answer: (bytes: Uint8Array) => void heard.push(JSON.parse(new TextDecoder().decode(bytes)) as Json),
			accepted() {},
			dropped() {},
			headers: undefined,
		};
		const say = async (message: Json) => {
			endpoint.receive(new TextEncoder().encode(JSON.stringify({ jsonrpc: '2.0', ...message })), channel, '');
			for (let round = 0; round < 4; round++) await settled();
		};
		await say({
			id: 1,
			method: 'initialize',
			params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } },
		});
		await say({ id: 2, method: 'tools/call', params: { name: 'files__list_messages', arguments: {} } });
		await say({
			id: 3,
			method: 'tools/call',
			params: { name: 'files__list_messages', arguments: { context_id: 'all' } },
		});
		assert.match(refusal(heard[1] ?? {}), /context_id/);
		assert.deepEqual(arrived(rig), [{ context_id: 'all' }]);
		assert.equal((decisions(rig)[0] as Json)['intent'], 'headless');
	});

	it('is told with what was decided', async () => {
		const { rig } = scoped({
			files: {
				'list_*': { policy: { headless: 'require', interactive: 'report' } },
				deploy: { policy: 'fill', values: { environment: 'production' } },
				gone: { policy: 'report' },
				search: { intended: { 'filter.project': 'The own one.' } },
			},
			other: { '*': { policy: 'require' } },
		});
		assert.deepEqual(
			statusOf(rig)?.map(({ tool }) => tool),
			['deploy', 'gone'],
		);
		const agent = await rig.initialized();
		const nightly = await rig.initialized({}, headless);
		await called(agent, 'list_messages', {});
		await called(nightly, 'list_messages', {});
		await called(nightly, 'list_messages', { context_id: 'a' });
		await called(nightly, 'deploy', {});
		await called(nightly, 'gone', {});
		const none = { explicit: 0, reported: 0, refused: 0, filled: 0, inconclusive: 0 };
		assert.deepEqual(statusOf(rig), [
			{ tool: 'deploy', interactive: 'fill', headless: 'fill', ...none, filled: 1 },
			{ tool: 'gone', interactive: 'report', headless: 'report', ...none, inconclusive: 1 },
			{ tool: 'list_contexts', interactive: 'report', headless: 'require', ...none },
			{
				tool: 'list_messages',
				interactive: 'report',
				headless: 'require',
				...none,
				explicit: 1,
				reported: 1,
				refused: 1,
			},
		]);
	});

	it('is nothing where nobody has set anything', async () => {
		const { rig } = scoped({});
		await called(await rig.initialized(), 'list_messages', {});
		assert.equal(statusOf(rig), undefined);
		assert.equal(rig.last.requests('tools/list').length, 0);
	});
});
