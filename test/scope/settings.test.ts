import assert from 'node:assert/strict';
import {
	checkScopeSettings,
	checkSettingsAgainst,
	scopeParametersOf,
	settingsFor,
} from '../../src/core/scope/index.ts';
import type { DescribedTool, ScopeSettings, ToolScopeSettings } from '../../src/core/scope/index.ts';

describe('what the settings say of a tool', () => {
	const settings: ScopeSettings = {
		'*': { '*': { policy: 'report', parameters: ['project'] }, list: { intended: { project: 'any' } } },
		'chat*': { 'list_*': { policy: { headless: 'require' }, values: { a: 1 } } },
		chat: {
			'*': { values: { a: 2, b: 2 } },
			'list_m*': { intended: { since: 'short' } },
			list_messages: { parameters: ['context_id'], values: { b: 3 } },
			send: { policy: 'off', parameters: [] },
		},
	};
	const cases: readonly (readonly [server: string, tool: string, own: ToolScopeSettings])[] = [
		['other', 'get', { policy: { interactive: 'report', headless: 'report' }, parameters: ['project'] }],
		[
			'other',
			'list',
			{
				policy: { interactive: 'report', headless: 'report' },
				parameters: ['project'],
				intended: { project: 'any' },
			},
		],
		[
			'chats',
			'list_all',
			{ policy: { interactive: 'report', headless: 'require' }, parameters: ['project'], values: { a: 1 } },
		],
		['chat', 'send', { policy: { interactive: 'off', headless: 'off' }, parameters: [], values: { a: 2, b: 2 } }],
		[
			'chat',
			'list_messages',
			{
				policy: { interactive: 'report', headless: 'require' },
				parameters: ['context_id'],
				intended: { since: 'short' },
				values: { a: 2, b: 3 },
			},
		],
	];
	for (const [server, tool, own] of cases) {
		it(`${server} ${tool}: of every entry that fits the most exact one, member by member`, () => {
			const found = settingsFor(settings, server, tool);
			assert.deepEqual(Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)), own);
		});
	}

	it('is nothing where nothing is said', () => {
		assert.deepEqual(
			Object.values(settingsFor({}, 'chat', 'send')).filter((value) => value !== undefined),
			[],
		);
	});

	it('takes everything but the star for itself', () => {
		assert.equal(settingsFor({ 'a.c': { '[x]': { policy: 'off' } } }, 'abc', 'x').policy, undefined);
		assert.notEqual(settingsFor({ 'a.c': { '[x]': { policy: 'off' } } }, 'a.c', '[x]').policy, undefined);
	});

	it('is found fast whatever the pattern', () => {
		assert.equal(
			settingsFor({ [`${'a*'.repeat(50)}b`]: { '*': { policy: 'off' } } }, 'a'.repeat(5_000), 'x').policy,
			undefined,
		);
	});
});

describe('the scopes that settings name', () => {
	const tool: DescribedTool = {
		server: 'chat',
		name: 'search',
		description: undefined,
		inputSchema:
			'{"properties":{"where":{"description":"Defaults to the current room."},"project":{},"more":{"type":"object"}}}',
	};
	const named = (parameters: readonly string[], inputSchema = tool.inputSchema) =>
		scopeParametersOf({ ...tool, inputSchema }, { chat: { search: { parameters } } });

	it('stand in place of those that would be found', () => {
		const found = named(['where']);
		assert.ok(!('reason' in found));
		assert.deepEqual(
			found.map(({ path, fallback, evidence }) => [path, fallback?.value, evidence[0]?.source]),
			[['where', 'current room', 'settings']],
		);
		assert.deepEqual(named([]), []);
	});

	it('are those of a tool whose schema is not known', () => {
		const found = scopeParametersOf(
			{ ...tool, inputSchema: undefined },
			{ chat: { search: { parameters: ['team_id'] } } },
		);
		assert.ok(!('reason' in found));
		assert.deepEqual(
			found.map(({ path, kind }) => [path, kind]),
			[['team_id', 'project']],
		);
	});

	it('are unknown where the tool has none of them, and left alone where it has others', () => {
		const found = named(['room']);
		assert.ok('reason' in found);
		assert.match(
			found.reason,
			/^The settings name `room` as a scope of `search`, and its input schema has no such parameter\.$/,
		);
		const others = named(['room', 'where', 'more.team']);
		assert.ok(!('reason' in others));
		assert.deepEqual(
			others.map(({ path }) => path),
			['where', 'more.team'],
		);
	});
});

describe('settings of scopes that are wrong', () => {
	const wrong: readonly (readonly [value: unknown, place: string, message: RegExp])[] = [
		['chat', '', /an object is needed here/],
		[[], '', /an object is needed here/],
		[{ chat: 1 }, 'chat', /must be an object, by their names/],
		[{ chat: { list: 'off' } }, 'chat list', /must be an object/],
		[{ chat: { list: { polcy: 'off' } } }, 'chat list polcy', /`polcy` is not known here/],
		[{ chat: { list: { policy: 'deny' } } }, 'chat list policy', /one of off, report, require and fill/],
		[{ chat: { list: { policy: null } } }, 'chat list policy', /one of off, report, require and fill/],
		[{ chat: { list: { policy: { cron: 'off' } } } }, 'chat list policy cron', /`cron` is no kind of caller/],
		[{ chat: { list: { policy: { headless: true } } } }, 'chat list policy headless', /one of off/],
		[{ chat: { list: { parameters: 'a' } } }, 'chat list parameters', /must be a list/],
		[{ chat: { list: { parameters: ['a', 1] } } }, 'chat list parameters 1', /is a text/],
		[{ chat: { list: { parameters: ['a', 'a'] } } }, 'chat list parameters 1', /named twice/],
		[{ chat: { list: { intended: ['a'] } } }, 'chat list intended', /a reason for each path/],
		[{ chat: { list: { intended: { a: ' ' } } } }, 'chat list intended a', /Say in words why/],
		[{ chat: { list: { values: ['a'] } } }, 'chat list values', /a value for each path/],
		// What cannot all be meant.
		[{ chat: { list: { policy: 'fill' } } }, 'chat list policy', /no value is given/],
		[{ chat: { list: { policy: { headless: 'fill' } } } }, 'chat list policy headless', /no value is given/],
		[{ chat: { list: { policy: 'require', parameters: [] } } }, 'chat list policy', /said to have no scope/],
		[
			{ chat: { list: { policy: 'require', intended: { a: 'why' } } } },
			'chat list intended a',
			/`require` refuses calls/,
		],
		[
			{ chat: { list: { policy: 'require', parameters: ['a'], intended: { a: 'why' } } } },
			'chat list intended a',
			/`require` refuses/,
		],
		[
			{ chat: { list: { policy: 'fill', values: { a: 1 }, intended: { a: 'why' } } } },
			'chat list intended a',
			/`fill` puts another/,
		],
		[{ chat: { list: { parameters: ['b'], intended: { a: 'why' } } } }, 'chat list intended a', /does not name it/],
		[
			{ chat: { list: { parameters: ['b'], policy: 'fill', values: { a: 1, b: 1 } } } },
			'chat list values a',
			/does not name it/,
		],
	];
	for (const [value, place, message] of wrong) {
		it(`are told of with their place: ${JSON.stringify(value)}`, () => {
			const { problems } = checkScopeSettings(value);
			assert.equal(problems.length, 1, JSON.stringify(problems));
			assert.equal(problems[0]?.path.join(' '), place);
			assert.match(problems[0]?.message ?? '', message);
			assert.match(problems[0]?.message ?? '', /\.$/);
		});
	}

	const right: readonly unknown[] = [
		undefined,
		null,
		{},
		{ chat: {} },
		{ chat: { list: {} } },
		{ chat: { list: { policy: 'require', parameters: ['a', 'b'], intended: { b: 'why' } } } },
		{ chat: { '*': { policy: 'fill' }, list: { values: { a: 1 } } } },
		{
			'*': { list: { values: { a: 1 } } },
			chat: { list: { policy: { headless: 'fill', interactive: 'report' } } },
		},
	];
	for (const value of right) {
		it(`are not these: ${JSON.stringify(value)}`, () => assert.deepEqual(checkScopeSettings(value).problems, []));
	}

	it('cost no more than themselves', () => {
		const { settings, problems } = checkScopeSettings({
			chat: { list: { policy: 'deny', parameters: ['a', 1], intended: { a: 'why', b: 1 } }, get: 1 },
			web: 1,
			git: { log: { policy: { headless: 'require', interactive: 1 } } },
		});
		assert.equal(problems.length, 6);
		assert.deepEqual(settings, {
			chat: { list: { parameters: ['a'], intended: { a: 'why' } } },
			git: { log: { policy: { headless: 'require' } } },
		});
	});

	it('do not come to say that there is no scope', () => {
		assert.deepEqual(checkScopeSettings({ chat: { list: { parameters: [1] } } }).settings, { chat: { list: {} } });
	});

	it('have names that JavaScript knows', () => {
		const value: unknown = JSON.parse(
			'{"__proto__":{"constructor":{"policy":"off","intended":{"__proto__":"why"}}}}',
		);
		const { settings, problems } = checkScopeSettings(value);
		assert.deepEqual(problems, []);
		assert.deepEqual(settingsFor(settings, '__proto__', 'constructor').policy, {
			interactive: 'off',
			headless: 'off',
		});
		assert.deepEqual(Object.keys(settingsFor(settings, '__proto__', 'constructor').intended ?? {}), ['__proto__']);
	});
});

describe('settings of scopes that the tools contradict', () => {
	const tools: readonly DescribedTool[] = [
		{
			server: 'chat',
			name: 'list',
			description: undefined,
			inputSchema:
				'{"properties":{"room":{"type":"string"},"stage":{"enum":["a","b"]},"more":{"type":"object"}}}',
		},
		{ server: 'chat', name: 'odd', description: undefined, inputSchema: '{' },
	];
	const cases: readonly (readonly [entries: ScopeSettings[string], place: string, message: RegExp])[] = [
		[{ get: {} }, 'get', /`chat` has no tool `get`/],
		[{ 'get_*': {} }, 'get_*', /no tool whose name is like/],
		[{ list: { parameters: ['room', 'rom'] } }, 'list parameters 1', /`list` has no parameter `rom`/],
		[{ list: { intended: { rom: 'why' } } }, 'list intended rom', /no parameter/],
		[{ list: { values: { rom: 'a' } } }, 'list values rom', /no parameter/],
		[{ list: { values: { room: 1 } } }, 'list values room', /must be of type string/],
		[{ list: { values: { stage: 'c' } } }, 'list values stage', /allows other values for `stage`: "a", "b"/],
	];
	for (const [entries, place, message] of cases) {
		it(`are told of with their place: ${JSON.stringify(entries)}`, () => {
			const problems = checkSettingsAgainst({ chat: entries }, 'chat', tools);
			assert.equal(problems.length, 1, JSON.stringify(problems));
			assert.equal(problems[0]?.path.join(' '), `chat ${place}`);
			assert.match(problems[0]?.message ?? '', message);
		});
	}
	for (const entries of [
		{ '*': { parameters: ['any'] } },
		{ 'l*': {} },
		{ odd: { parameters: ['any'] } },
		{ list: { parameters: ['more.x'], values: { stage: 'a', room: 'b' } } },
	]) {
		it(`are not these: ${JSON.stringify(entries)}`, () =>
			assert.deepEqual(checkSettingsAgainst({ chat: entries }, 'chat', tools), []));
	}
});
