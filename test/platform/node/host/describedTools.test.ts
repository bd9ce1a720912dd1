// What real servers say of their tools, on its way through a real host into its log, its catalogue, and a transcript that is read.

import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCore } from '../../../../src/core/core.ts';
import { readCatalogue } from '../../../../src/core/host/toolCatalogue.ts';
import { prepareDataDirectory } from '../../../../src/platform/node/host/dataDirectory.ts';
import { defaultDataDirectory } from '../../../../src/platform/node/host/defaultDataDirectory.ts';
import { createNodePlatform } from '../../../../src/platform/node/platform.ts';
import { Agent } from '../../../mcp/agent.ts';
import { until } from '../../../mcp/waiting.ts';
import { allEvents } from '../recordedEvents.ts';
import { Lab, isWindows } from './hosts.ts';

const secret = 'hunter2-and-more';

/** Lists the tools that a file has at that time, two on a page. */
const server = `
	const { readFileSync } = require('fs');
	require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
		const { id, method, params } = JSON.parse(line);
		if (id === undefined) return;
		const tools = JSON.parse(readFileSync(process.argv[1], 'utf8'));
		const from = Number(params?.cursor ?? 0);
		const result =
			method === 'initialize'
				? { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'chat', version: '1' } }
				: method === 'tools/list'
					? { tools: tools.slice(from, from + 2), ...(from + 2 < tools.length ? { nextCursor: String(from + 2) } : {}) }
					: { content: [{ type: 'text', text: '[]' }] };
		console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
	});
`;

describe('what servers say of their tools', () => {
	let lab: Lab;

	beforeEach(() => void (lab = new Lab()));
	afterEach(async () => lab.remove());

	const setTools = (names: readonly string[], description = `Lists, for the token ${secret}.`) => {
		const inputSchema = { type: 'object', properties: { context_id: { type: 'string', default: secret } } };
		writeFileSync(
			join(lab.folder, 'tools'),
			JSON.stringify(names.map((name) => ({ name, description, inputSchema }))),
		);
	};

	const described = async (): Promise<readonly string[]> => {
		const { events, problems } = await allEvents(lab.data);
		assert.deepEqual(problems, []);
		return events.flatMap((event) =>
			event.type === 'tool-described' ? [`${event.isRemoved === true ? '-' : ''}${event.tool}`] : [],
		);
	};

	const catalogued = (): readonly string[] => {
		const path = join(lab.data, 'tools.json');
		if (!existsSync(path)) return [];
		const found = readCatalogue(readFileSync(path, 'utf8'));
		return typeof found === 'string' ? [found] : found.map(({ tool }) => tool);
	};

	async function listAll(agent: Agent): Promise<void> {
		let cursor: string | undefined;
		do {
			const { result } = await agent.request('tools/list', cursor === undefined ? {} : { cursor });
			cursor = result?.['nextCursor'] as string | undefined; // the server above
		} while (cursor !== undefined);
	}

	it('is in the log once for each change, and in the catalogue as it is, without secrets', async () => {
		const args = ['-e', server, join(lab.folder, 'tools')];
		const chat = { command: process.execPath, args, env: { CHAT_TOKEN: secret } };
		const config = lab.config({ chat });
		setTools(['list', 'post', 'search']);
		const host = await lab.host('--config', config);
		const url = `${host.address.url}/${host.address.token}/mcp/chat`;
		const agents = [await Agent.connect(url), await Agent.connect(url)];
		for (const agent of agents) await listAll(agent);
		await until('the log', async () => (await described()).length >= 3 || undefined);
		await until('the catalogue', () => catalogued().length === 3 || undefined);
		setTools(['list', 'find', 'search']);
		for (const agent of agents) await listAll(agent);
		await until('the log', async () => (await described()).length >= 5 || undefined);
		assert.deepEqual(await described(), ['list', 'post', 'search', 'find', '-post']);
		await host.end('SIGTERM');
		assert.equal(host.stderr(), '');
		assert.deepEqual(catalogued(), ['list', 'search', 'find']);
		if (!isWindows) assert.equal(statSync(join(lab.data, 'tools.json')).mode & 0o777, 0o600);
		const written = readFileSync(join(lab.data, 'tools.json'), 'utf8');
		assert.ok(!written.includes(secret) && written.includes('[redacted]'), written);

		// A tool that goes while no host runs is missed by the next one.
		setTools(['list', 'find']);
		const next = await lab.host('--config', config);
		await listAll(await Agent.connect(`${next.address.url}/${next.address.token}/mcp/chat`));
		await until('the catalogue', () => catalogued().length === 2 || undefined);
		await until('the log', async () => (await described()).length >= 8 || undefined);
		assert.deepEqual((await described()).slice(5), ['list', 'find', '-search']);
		await next.end('SIGTERM');

		const path = join(lab.folder, 'session.jsonl');
		const call = [{ type: 'tool_use', id: 't', name: 'mcp__chat__list', input: {} }];
		const answer = [{ type: 'tool_result', tool_use_id: 't', content: '[]' }];
		const lines = [
			{ parentUuid: null, type: 'assistant', uuid: 'a', message: { id: 'm', role: 'assistant', content: call } },
			{ parentUuid: 'a', type: 'user', uuid: 'b', message: { role: 'user', content: answer } },
		];
		writeFileSync(path, lines.map((line) => `${JSON.stringify({ sessionId: 's', ...line })}\n`).join(''));
		const warnings: string[] = [];
		const warn = (sentence: string) => void warnings.push(sentence);
		const core = createCore(createNodePlatform(true, { directory: () => lab.data, warn }));
		const [session] = (await core.findSessions(path)).sessions;
		assert.ok(session !== undefined);
		const { conversation } = await core.readSession(session, { assume: 'ended', rules: {}, withPreviews: false });
		const tool = conversation.tools.get('chat')?.get('list');
		assert.equal(tool?.description, 'Lists, for the token [redacted].');
		assert.equal(
			tool.inputSchema,
			'{"type":"object","properties":{"context_id":{"type":"string","default":"[redacted]"}}}',
		);
		assert.deepEqual(warnings, []);

		// The command line looks where the user's own host keeps it.
		const environment = { XDG_STATE_HOME: lab.folder, LOCALAPPDATA: lab.folder };
		const own = defaultDataDirectory({ platform: process.platform, environment, homeFolder: lab.folder });
		await prepareDataDirectory(own);
		copyFileSync(join(lab.data, 'tools.json'), join(own, 'tools.json'));
		const lint = lab.run(['lint', path, '--assume', 'ended'], environment);
		assert.equal(await lint.ended, 0, lint.stderr());
		assert.match(lint.stdout(), /without context_id.*\[default-scope-query\]/);
	});

	it('is of no harm to the host where the catalogue is damaged', async () => {
		const host = await lab.host();
		await host.end('SIGTERM');
		writeFileSync(join(lab.data, 'tools.json'), '{"version":99,"tools":[]}');
		const next = await lab.host('--config', lab.config());
		const agent = await Agent.connect(`${next.address.url}/${next.address.token}/mcp/fault`);
		await listAll(agent);
		await until('the catalogue', () => catalogued().length > 1 || undefined);
		await next.end('SIGTERM');
		assert.equal(
			next.stderr(),
			`crosstalk: The catalogue of tools ${join(lab.data, 'tools.json')} cannot be used: A newer version of Crosstalk has written it. It will be written anew.\n`,
		);
	});
});
