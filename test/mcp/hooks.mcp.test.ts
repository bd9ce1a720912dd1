/* oxlint-disable unicorn/no-thenable -- what a debugger does then is a word, which nobody awaits */

// Hooks at a real host: whom it lets in, whom it answers when, and what becomes of those who wait.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { ClientRequest } from 'node:http';
import { join } from 'node:path';
import type { HeldCall } from '../../src/core/debug/index.ts';
import { connectControl } from '../../src/platform/node/host/controlClient.ts';
import type { ControlClient } from '../../src/platform/node/host/controlClient.ts';
import { builtCommandLine } from '../e2e/crosstalk.ts';
import { startHost } from './gateways.ts';
import type { Host } from './gateways.ts';
import { until, within } from './waiting.ts';

const patience = 60_000;
const hold = 'hold=600';

describe('hooks at the host', () => {
	let host: Host;
	let debug: ControlClient;
	let hookToken: string;
	const stops: HeldCall[] = [];
	const resumed: string[] = [];

	before(async function () {
		this.timeout(300_000);
		await builtCommandLine();
		host = await startHost({});
		hookToken = (await readFile(join(host.address.dataDir, 'hook-token'), 'utf8')).trim();
		const client = await connectControl(host.address.controlSocket, { client: 'a test', timeoutMs: 20_000 });
		assert.ok(client);
		debug = client;
		debug.onDebug('debug/didStop', (held) => void stops.push(held));
		debug.onDebug('debug/didResume', ({ stopId }) => void resumed.push(stopId));
		await debug.request('debug/attach', { client: 'a test', sessions: null });
		const breakpoints = [{ id: '1', tool: 'Bash' }];
		await debug.request('debug/set', { breakpoints, rules: [], onToolError: false });
	});

	beforeEach(() => {
		stops.length = 0;
		resumed.length = 0;
	});

	after(async () => {
		debug?.dispose();
		await host?.stop();
	});

	interface Posted {
		readonly request: ClientRequest;
		readonly answer: Promise<{ readonly status: number | undefined; readonly body: string }>;
	}

	function post(token: string, path: string, body: unknown): Posted {
		const { promise, resolve, reject } = Promise.withResolvers<Awaited<Posted['answer']>>();
		const posting = request(`${host.address.url}/${token}/${path}`, { method: 'POST' }, (response) => {
			let text = '';
			response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
			response.on('end', () => resolve({ status: response.statusCode, body: text }));
		});
		posting.on('error', reject);
		posting.end(JSON.stringify(body));
		// Who breaks off does not ask.
		promise.catch(() => undefined);
		return { request: posting, answer: within(patience, 'an answer', promise) };
	}

	function event(name: string, id: string, agent = 'a1') {
		return {
			...{ session_id: 's', prompt_id: 'p', hook_event_name: name, agent_id: agent, tool_use_id: id },
			...{ tool_name: 'Bash', tool_input: { command: id } },
		};
	}

	async function resume(held: HeldCall): Promise<void> {
		await debug.request('debug/resume', { stopId: held.stopId, action: 'continue', then: 'run' });
	}

	it('have a token that lets in to them and nowhere else', async () => {
		const told = event('Stop', 't');
		assert.equal((await post(hookToken, 'hooks/claude-code', told).answer).body, '{}');
		assert.equal((await post(host.address.token, 'hooks/claude-code', told).answer).body, '{}');
		for (const path of ['mcp', 'mcp/x', 'metrics', 'hooks', 'hooks/claude-code/x'])
			assert.equal((await post(hookToken, path, told).answer).status, 401, path);
	});

	it('are answered at once where their agent does not wait, and where nothing stops', async () => {
		const answers = [
			post(hookToken, 'hooks/claude-code', event('PreToolUse', 'told')),
			post(hookToken, `hooks/claude-code?hold=nonsense`, event('PreToolUse', 'nonsense')),
			post(hookToken, `hooks/claude-code?${hold}`, event('PostToolUse', 'after')),
			post(hookToken, `hooks/claude-code?${hold}`, { ...event('PreToolUse', 'other'), tool_name: 'Read' }),
		];
		for (const { answer } of answers) assert.equal((await answer).body, '{}');
		assert.deepEqual(stops, []);
	});

	it('hold 64 calls at once, let go in any order, none lost', async () => {
		const ids = Array.from({ length: 64 }, (_, index) => `many-${index}`);
		const ended: string[] = [];
		const posted = ids.map((id) => {
			const { answer } = post(hookToken, `hooks/claude-code?${hold}`, event('PreToolUse', id, `agent-${id}`));
			return answer.then(({ body }) => {
				ended.push(id);
				return body;
			});
		});
		await until('64 stops', () => (stops.length === ids.length ? true : undefined), patience);
		assert.deepEqual(ended, []);
		const { calls } = await debug.request('debug/held', {});
		assert.equal(calls.length, ids.length);
		const order = [...stops].reverse();
		for (const held of order) {
			await resume(held);
			await until('its answer', () => (ended.at(-1) === held.toolUseId ? true : undefined), patience);
		}
		assert.deepEqual(
			ended,
			order.map(({ toolUseId }) => toolUseId),
		);
		assert.deepEqual(new Set(await Promise.all(posted)), new Set(['{}']));
	});

	it('end their stop when the agent breaks off', async () => {
		const { request: posting } = post(hookToken, `hooks/claude-code?${hold}`, event('PreToolUse', 'broken'));
		const held = await until('the stop', () => stops[0], patience);
		posting.destroy();
		await until('its end', () => resumed.find((id) => id === held.stopId), patience);
		assert.deepEqual((await debug.request('debug/held', {})).calls, []);
	});

	it('hold nobody longer than an hour, whatever the address says', async () => {
		const { answer } = post(hookToken, 'hooks/claude-code?hold=99999999999', event('PreToolUse', 'endless'));
		const held = await until('the stop', () => stops[0], patience);
		const heldMs = (held.heldUntil ?? Number.POSITIVE_INFINITY) - held.heldSince;
		assert.ok(heldMs > 3_500_000 && heldMs <= 3_600_000, String(heldMs));
		assert.deepEqual(
			(await debug.request('debug/held', {})).calls.map(({ stopId }) => stopId),
			[held.stopId],
		);
		await resume(held);
		assert.equal((await answer).body, '{}');
	});

	it('let go when the time is up that their agent waits', async () => {
		const { answer } = post(hookToken, 'hooks/claude-code?hold=1', event('PreToolUse', 'short'));
		const held = await until('the stop', () => stops[0], patience);
		assert.ok((held.heldUntil ?? 0) <= held.heldSince + 1_000);
		assert.equal((await answer).body, '{}');
	});

	it('let go when the debugger goes, and when the host does', async () => {
		const { answer } = post(hookToken, `hooks/claude-code?${hold}`, event('PreToolUse', 'debugger'));
		await until('the stop', () => stops[0], patience);
		debug.dispose();
		assert.equal((await answer).body, '{}');

		const next = await connectControl(host.address.controlSocket, { client: 'a test', timeoutMs: 20_000 });
		assert.ok(next);
		const stopped = new Promise((resolve) => next.onDebug('debug/didStop', resolve));
		await next.request('debug/attach', { client: 'a test', sessions: null });
		const breakpoints = [{ id: '1', tool: 'Bash' }];
		await next.request('debug/set', { breakpoints, rules: [], onToolError: false });
		const last = post(hookToken, `hooks/claude-code?${hold}`, event('PreToolUse', 'host'));
		await within(patience, 'the stop', stopped);
		await next.request('host/stop', { isForced: true }).catch(() => undefined); // it may end before it answers
		assert.equal((await last.answer).body, '{}');
		next.dispose();
	});
});
