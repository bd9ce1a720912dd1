// One address for all servers: which of them it is that a request is for.

import assert from 'node:assert/strict';
import { nobodyKnown } from '../../src/core/host/agentIdentity.ts';
import { FakeAgent, createRig, settled } from './rig.ts';
import type { FakeCall, FakeTransport, Json, Rig } from './rig.ts';

/** By server: what it lists. */
const listed: Readonly<
	Record<string, { readonly resources: readonly string[]; readonly templates: readonly string[] }>
> = {
	files: { resources: ['file:///a'], templates: ['file:///{path}', 'same://{id}', '{+uri}'] },
	notes: { resources: ['same://fixed'], templates: ['file:///notes/{id}', 'same://{id}'] },
};

async function allServers(): Promise<{ rig: Rig; agent: FakeAgent; of: (server: string) => FakeTransport }> {
	const of = (server: string) => rig.transports[rig.commands.indexOf(server)]!;
	const rig: Rig = createRig({
		answer(transport, { method, id }) {
			const server = rig.commands[rig.transports.indexOf(transport)] ?? '';
			const { resources, templates } = listed[server] ?? { resources: [], templates: [] };
			const results: Readonly<Record<string, Json>> = {
				initialize: {
					protocolVersion: '2025-11-25',
					capabilities: { resources: {}, completions: {}, tasks: { list: {} } },
					serverInfo: { name: server, version: '1' },
				},
				'resources/list': { resources: resources.map((uri) => ({ uri, name: uri })) },
				'resources/templates/list': {
					resourceTemplates: templates.map((uriTemplate) => ({ uriTemplate, name: uriTemplate })),
				},
			};
			const result = results[String(method)];
			if (result !== undefined) transport.say({ jsonrpc: '2.0', id, result });
		},
	});
	const { definition } = rig;
	const transport = { ...definition.transport, command: 'notes' };
	rig.host.putServers('test', [definition, { ...definition, name: 'notes', transport }]);
	const endpoint = rig.host.connectAgent({
		server: undefined,
		identity: nobodyKnown,
		transport: 'http',
		isolationKey: undefined,
		output: () => true,
	});
	const agent = new FakeAgent(endpoint, []);
	const call = agent.ask('initialize', {
		protocolVersion: '2025-11-25',
		capabilities: {},
		clientInfo: { name: 'test', version: '1' },
	});
	await settled();
	const { capabilities } = resultOf(call);
	assert.deepEqual(capabilities, { resources: {}, completions: {} }, 'what nobody would answer is not announced');
	return { rig, agent, of };
}

function resultOf(call: FakeCall): Json {
	return call.answer?.['result'] as Json;
}

function errorOf(call: FakeCall): { readonly code: number; readonly message: string } {
	return call.answer?.['error'] as { code: number; message: string };
}

function say(transport: FakeTransport, method: string, outcome: Json): void {
	transport.say({ jsonrpc: '2.0', id: transport.requests(method).at(-1)!['id'], ...outcome });
}

describe('all servers together', () => {
	for (const [uri, server] of [
		['file:///a', 'files'],
		['file:///b/c', 'files'],
		['file:///notes/5', 'notes'],
		['same://fixed', 'notes'],
		['anything', 'files'],
	] as const) {
		for (const method of ['resources/read', 'resources/subscribe', 'resources/unsubscribe'])
			it(`have ${method} of ${uri} done by ${server}`, async () => {
				const { agent, of } = await allServers();
				const call = agent.ask(method, { uri });
				await settled();
				assert.deepEqual(of(server).requests(method)[0]?.['params'], { uri });
				assert.deepEqual(of(server === 'files' ? 'notes' : 'files').requests(method), []);
				say(of(server), method, { result: { done: true } });
				assert.deepEqual(resultOf(call), { done: true });
			});
	}

	it('ask those with the same template one after the other, until one has the resource', async () => {
		const { agent, of } = await allServers();
		const method = 'resources/read';
		const no = { error: { code: -32_002, message: 'Not here.' } };
		const call = agent.ask(method, { uri: 'same://5' });
		await settled();
		assert.deepEqual(of('notes').requests(method), []);
		say(of('files'), method, no);
		assert.deepEqual(call.answers, []);
		say(of('notes'), method, { result: { contents: [] } });
		assert.deepEqual(resultOf(call), { contents: [] });

		const other = agent.ask(method, { uri: 'same://6' });
		say(of('files'), method, no);
		say(of('notes'), method, { error: { code: -32_002, message: 'Nor here.' } });
		assert.equal(errorOf(other).message, 'Nor here.');

		const left = agent.ask(method, { uri: 'same://7' });
		say(of('files'), method, no);
		left.leave();
		assert.equal(of('notes').sent.at(-1)?.['method'], 'notifications/cancelled');
		assert.deepEqual(left.answers, []);
	});

	it('forget a request whose agent leaves while they look for its server', async () => {
		const { agent, of } = await allServers();
		const call = agent.ask('resources/read', { uri: 'file:///notes/5' });
		call.leave();
		await settled();
		assert.deepEqual(of('notes').requests('resources/read'), []);
		assert.deepEqual(call.answers, []);
	});

	it('pass on what is asked for the completion of a prompt and of a template', async () => {
		const { agent, of } = await allServers();
		const method = 'completion/complete';
		const argument = { name: 'id', value: 'a' };
		const prompt = agent.ask(method, { ref: { type: 'ref/prompt', name: 'notes__greet' }, argument });
		assert.deepEqual(of('notes').requests(method)[0]?.['params'], {
			ref: { type: 'ref/prompt', name: 'greet' },
			argument,
		});
		say(of('notes'), method, { result: { completion: { values: ['ann'] } } });
		assert.deepEqual(resultOf(prompt), { completion: { values: ['ann'] } });

		const params = { ref: { type: 'ref/resource', uri: 'file:///notes/{id}' }, argument };
		const template = agent.ask(method, params);
		await settled();
		assert.deepEqual(of('notes').requests(method)[1]?.['params'], params);
		say(of('notes'), method, { result: { completion: { values: ['alpha'] } } });
		assert.deepEqual(resultOf(template), { completion: { values: ['alpha'] } });

		const unknown = agent.ask(method, { ref: { type: 'ref/prompt', name: 'greet' }, argument });
		assert.match(errorOf(unknown).message, /names begin with their server's/);
	});

	it('say that nobody has a resource', async () => {
		const { rig, agent } = await allServers();
		rig.host.putServers('test', [
			{ ...rig.definition, name: 'notes', transport: { ...rig.definition.transport, command: 'notes' } },
		]);
		const call = agent.ask('resources/read', { uri: 'nobody://5' });
		await settled();
		assert.deepEqual(errorOf(call), {
			code: -32_602,
			message: 'No server has told of a resource nobody://5, nor of a template for it.',
		});
	});
});
