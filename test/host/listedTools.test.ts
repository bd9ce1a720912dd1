import assert from 'node:assert/strict';
import { ListedTools } from '../../src/core/host/listedTools.ts';
import { createRig, answerHandshake, settled } from './rig.ts';
import type { FakeTransport, Json } from './rig.ts';

const always = () => true;
const list = (...tools: readonly unknown[]) => ({ tools });
const tool = (name: string, description = 'Says.') => ({ name, description, inputSchema: { type: 'object' } });

function told(changes: ReturnType<ListedTools['take']>): readonly string[] {
	return changes.map((change) =>
		change.isRemoved ? `-${change.tool}` : `${change.tool} ${change.description} ${change.inputSchema}`,
	);
}

describe('what a server lists of its tools', () => {
	it('is told once, and again when it has changed', () => {
		const tools = new ListedTools([]);
		const first = told(tools.take(list(tool('a'), tool('b')), undefined, 'all', always));
		assert.deepEqual(first, ['a Says. {"type":"object"}', 'b Says. {"type":"object"}']);
		assert.deepEqual(tools.take(list(tool('a'), tool('b')), undefined, 'all', always), []);
		const second = told(tools.take(list(tool('a', 'Other.'), tool('b')), undefined, 'all', always));
		assert.deepEqual(second, ['a Other. {"type":"object"}']);
	});

	it('misses a tool that a whole list does not have any more, under another name too', () => {
		const tools = new ListedTools([]);
		tools.take(list(tool('a'), tool('b')), undefined, 'all', always);
		const renamed = told(tools.take(list(tool('c'), tool('b')), undefined, 'all', always));
		assert.deepEqual(renamed, ['c Says. {"type":"object"}', '-a']);
		assert.deepEqual(tools.take(list(tool('c'), tool('b')), undefined, 'all', always), []);
		assert.deepEqual(told(tools.take(list(tool('c'), tool('b'), tool('a')), undefined, 'all', always)), [
			'a Says. {"type":"object"}',
		]);
	});

	it('misses nothing before the last of several pages, nor when their beginning was not seen', () => {
		const tools = new ListedTools([]);
		tools.take(list(tool('a'), tool('b'), tool('c')), undefined, 'all', always);
		assert.deepEqual(tools.take({ ...list(tool('a')), nextCursor: '2' }, undefined, 'all', always), []);
		assert.deepEqual(tools.take(list(tool('b')), 'unknown', 'all', always), []);
		assert.deepEqual(told(tools.take(list(tool('b')), '2', 'all', always)), ['-c']);
	});

	it('misses on one connection nothing that another one shows, as long as that is there', () => {
		const tools = new ListedTools([]);
		tools.take(list(tool('a'), tool('admin')), undefined, 'ada', always);
		assert.deepEqual(tools.take(list(tool('a')), undefined, 'grace', always), []);
		assert.deepEqual(told(tools.take(list(tool('a')), undefined, 'grace', (owner) => owner !== 'ada')), ['-admin']);
	});

	it('misses what a host before has known', () => {
		const tools = new ListedTools(['old', 'a']);
		assert.deepEqual(told(tools.take(list(tool('a')), undefined, 'all', always)), [
			'a Says. {"type":"object"}',
			'-old',
		]);
		assert.deepEqual(tools.take(list(tool('a')), undefined, 'all', always), []);
	});

	it('takes what is no list, no tool and no schema as far as it goes', () => {
		const tools = new ListedTools([]);
		assert.deepEqual(tools.take({}, undefined, 'all', always), []);
		assert.deepEqual(tools.take({ tools: 'many' }, undefined, 'all', always), []);
		const long = { name: 'long', inputSchema: { description: 'x'.repeat(70_000) } };
		const changes = tools.take(list(7, {}, { name: 'a', inputSchema: 'none' }, long), undefined, 'all', always);
		assert.deepEqual(told(changes), ['a undefined undefined', 'long undefined undefined']);
	});

	it('comes to the record from any agent, once, and never with a call', async () => {
		const answer = (transport: FakeTransport, message: Json) => {
			answerHandshake(transport, message);
			const { id, method } = message;
			if (method === 'tools/list')
				transport.say({ jsonrpc: '2.0', id, result: list(tool('read'), tool('write')) });
			if (method === 'tools/call') transport.say({ jsonrpc: '2.0', id, result: { content: [] } });
		};
		const rig = createRig({ answer });
		const one = await rig.initialized();
		const other = await rig.initialized();
		one.call('read');
		await settled();
		const described = () => rig.records.filter(({ name }) => name === 'toolDescribed');
		assert.equal(described().length, 0);
		one.ask('tools/list');
		other.ask('tools/list');
		await settled();
		assert.deepEqual(
			described().map(({ server, tool: name, isRemoved, pid }) => [server, name, isRemoved, pid]),
			[
				['files', 'read', false, rig.last.pid],
				['files', 'write', false, rig.last.pid],
			],
		);
		await rig.host.close();
	});
});
