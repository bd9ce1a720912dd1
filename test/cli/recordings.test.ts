// Sessions that agents had through a host, on the command line: while it runs, after kill -9, and beside their transcripts.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent } from '../mcp/agent.ts';
import { until } from '../mcp/waiting.ts';
import { Lab } from '../platform/node/host/hosts.ts';

const native = '26f2dd86-1111-4222-8333-444455556666';

interface Shown {
	readonly session: {
		readonly id: string;
		readonly format: string;
		readonly live: boolean;
		readonly toolCalls: number;
	};
	readonly agents: readonly { readonly id: string; readonly toolCalls: number }[];
	readonly serverChanges?: readonly { readonly kind: string; readonly server: string }[];
	readonly toolCalls: readonly {
		readonly id: string;
		readonly name: string;
		readonly server?: string;
		readonly agentId: string;
		readonly state: string;
		readonly cause?: string;
		readonly path: string;
		readonly arguments?: unknown;
		readonly result?: unknown;
		readonly host?: readonly { readonly ending?: string }[];
	}[];
}

describe('a session that a host has recorded', () => {
	let lab: Lab;

	beforeEach(() => {
		lab = new Lab();
	});

	afterEach(async () => lab.remove());

	async function command(...args: readonly string[]): Promise<string> {
		const process = lab.run([...args, '--data', lab.data], { CLAUDE_CONFIG_DIR: join(lab.folder, '.claude') });
		const code = await process.ended;
		assert.equal(code, 0, process.stderr());
		assert.equal(process.stderr(), '');
		return process.stdout();
	}

	async function shown(id: string, ...args: readonly string[]): Promise<Shown> {
		return JSON.parse(await command('show', id, '--json', ...args)) as Shown; // the contract's shape
	}

	function meta(id: string, agent: string): { readonly meta: Readonly<Record<string, string>> } {
		return {
			meta: { 'claudecode/toolUseId': id, 'claudecode/sessionId': native, 'claudecode/agentId': agent },
		};
	}

	function summary({ toolCalls }: Shown): readonly string[] {
		return toolCalls.map((call) =>
			[call.agentId, call.id, `${call.server}/${call.name}`, call.state, call.cause ?? ''].join(' ').trim(),
		);
	}

	it('opens while the host runs, after kill -9 with all up to the last moment, and after a restart', async () => {
		const config = lab.config();
		const first = await lab.host('--config', config);
		const agent = await Agent.connect(`${first.address.url}/${first.address.token}/mcp/fault`);
		await agent.call('echo', { text: 'hello' }, meta('toolu_1', 'main'));
		await agent.call('no_such_tool', {}, meta('toolu_2', 'a1'));
		await agent.call('echo', { text: 'whose?' });
		const endless = agent.call('sleep', { ms: 60_000 }, meta('toolu_3', 'a1')).catch(() => undefined);
		const calls = ['a1 toolu_2 fault/no_such_tool failed', 'a1 toolu_3 fault/sleep'];
		const live = await until('the call that runs', async () => {
			const now = await shown(native).catch(() => undefined);
			return now?.toolCalls.length === 3 ? now : undefined;
		});
		assert.deepEqual(
			[live.session.id, live.session.format, live.session.live],
			[`claude-code:${native}`, 'host', true],
		);
		assert.deepEqual(summary(live), ['main toolu_1 fault/echo completed', calls[0], `${calls[1]} pending`]);
		await agent.call('echo', { text: 'the last word' }, meta('toolu_4', 'main'));
		await until('the last call', async () => (await shown(native)).toolCalls.length === 4 || undefined);
		// Longer than an event waits for the disk.
		await delay(1000);
		await first.end('SIGKILL');
		await endless;
		const afterKill = [
			'main toolu_1 fault/echo completed',
			'main toolu_4 fault/echo completed',
			calls[0],
			`${calls[1]} orphaned outcome-unknown`,
		];
		const killed = await shown(native, '--full');
		assert.deepEqual(summary(killed), afterKill);
		assert.equal(killed.session.live, false);
		const last = killed.toolCalls[1];
		assert.deepEqual(
			[last?.arguments, last?.result],
			[{ text: 'the last word' }, { content: [{ type: 'text', text: 'the last word' }] }],
		);
		assert.deepEqual(
			killed.serverChanges?.map(({ kind, server }) => `${server} ${kind}`),
			['fault connecting', 'fault connected'],
		);
		const second = await lab.host('--config', config);
		assert.deepEqual(summary(await shown(native)), afterKill);
		const sessions = JSON.parse(await command('sessions', '--json')) as readonly {
			id: string;
			format: string;
			toolCalls: number;
			orphaned: number;
		}[];
		const rows = sessions.map(({ id, format, toolCalls, orphaned }) =>
			[id.startsWith('mcp:agent-') ? 'mcp' : id, format, toolCalls, orphaned].join(' '),
		);
		assert.deepEqual(new Set(rows), new Set([`claude-code:${native} host 4 1`, 'mcp host 1 0']));
		assert.match(await command('show', native), /^├─ fault\/echo · completed · \d+ ms · line \d+$/m);
		assert.match(
			await command('show', native),
			/\nconnections to MCP servers\n└─ \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z fault: connected\n$/,
		);
		await second.end('SIGTERM');
	}).timeout(180_000);

	it('is one with its transcript: each call once, with what the host says beside it', async () => {
		const host = await lab.host('--config', lab.config());
		const agent = await Agent.connect(`${host.address.url}/${host.address.token}/mcp/fault`);
		for (const id of ['toolu_1', 'toolu_2', 'toolu_3']) await agent.call('echo', { text: id }, meta(id, 'main'));
		await delay(1500);
		await host.end('SIGKILL');
		const folder = join(lab.folder, '.claude', 'projects', '-work');
		mkdirSync(folder, { recursive: true });
		const line = (uuid: string, parentUuid: string | null, message: object, more: object = {}) =>
			JSON.stringify({
				parentUuid,
				isSidechain: false,
				userType: 'external',
				cwd: '/work',
				sessionId: native,
				version: '2.1.328',
				uuid,
				timestamp: '2026-11-21T10:00:00.000Z',
				...more,
				message,
			});
		const use = (id: string) => ({ type: 'tool_use', id, name: 'mcp__fault__echo', input: { text: id } });
		const path = join(folder, `${native}.jsonl`);
		writeFileSync(
			path,
			`${[
				line('u1', null, { role: 'user', content: 'Say it.' }, { type: 'user' }),
				line(
					'u2',
					'u1',
					{ id: 'msg_1', role: 'assistant', model: 'm', content: [use('toolu_1'), use('toolu_2')] },
					{ type: 'assistant' },
				),
				line(
					'u3',
					'u2',
					{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'toolu_1' }] },
					{ type: 'user' },
				),
			].join('\n')}\n`,
		);
		const read = await shown(native, '--assume', 'ended');
		assert.equal(read.session.format, 'claude-code');
		assert.deepEqual(
			read.toolCalls.map(({ id, server, state, path: written, host: passages }) => [
				id,
				server,
				state,
				written === path,
				passages?.map(({ ending }) => ending),
			]),
			[
				['toolu_1', 'fault', 'completed', true, ['completed']],
				['toolu_2', 'fault', 'orphaned', true, ['completed']],
				['toolu_3', 'fault', 'completed', false, ['completed']],
			],
		);
		assert.match(
			await command('show', path, '--assume', 'ended'),
			/fault\/echo · orphaned \(killed\).* · completed, says the host/,
		);
		const sessions = JSON.parse(await command('sessions', '--json')) as readonly { toolCalls: number }[];
		assert.deepEqual(
			sessions.map(({ toolCalls }) => toolCalls),
			[3],
		);
	}).timeout(300_000);
});
