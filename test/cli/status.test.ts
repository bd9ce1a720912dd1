import assert from 'node:assert/strict';
import { cpSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { HookedCallStatus, HostStatus } from '../../src/core/host/status.ts';
import { hostStatusText } from '../../src/cli/hostStatusText.ts';
import { Agent } from '../mcp/agent.ts';
import { until } from '../mcp/waiting.ts';
import { Lab } from '../platform/node/host/hosts.ts';
import { CallPlaces } from '../../src/cli/callPlaces.ts';
import { MemoryIo, run } from './memoryIo.ts';
import { main } from '../../src/cli/main.ts';

const status: HostStatus = {
	version: 1,
	host: { pid: 4100, generation: 3, startedAt: '2026-11-21T08:00:00.000Z' },
	servers: [
		{
			name: 'analytics',
			transport: 'stdio',
			state: 'connected',
			sharing: 'shared',
			pid: 4121,
			connections: [],
			inFlight: 1,
			queued: 0,
			calls: 120,
			errors: 2,
			timeouts: 1,
			cancelled: 0,
			reconnects: 1,
			p50Ms: 0.42,
			p99Ms: 1234,
			lastExit: {
				code: null,
				signal: 'SIGKILL',
				stderrTail: '',
				at: '2026-11-21T08:01:00.000Z',
				reason: 'It was killed.',
			},
		},
		{
			name: 'chat\u001b[2J',
			transport: 'http',
			state: 'failed',
			sharing: 'per-agent',
			sharingReason: 'It asks its agents questions.',
			pid: null,
			connections: [],
			inFlight: 0,
			queued: 2,
			calls: 0,
			errors: 0,
			timeouts: 0,
			cancelled: 0,
			reconnects: 0,
			p50Ms: null,
			p99Ms: null,
			lastExit: null,
			reason: 'There is no such\ncommand.',
		},
	],
	calls: [
		{
			id: 'call-1',
			server: 'analytics',
			tool: 'analytics_query',
			state: 'running',
			agentId: 'explore-api',
			sessionId: null,
			toolUseId: null,
			startedAt: '2026-11-21T08:02:00.000Z',
			ageMs: 41_000,
		},
	],
	sessions: [],
};

describe('crosstalk status', () => {
	it('says which tools have a policy for their scopes, and how often what was decided', () => {
		const none = { explicit: 0, reported: 0, refused: 0, filled: 0, inconclusive: 0 };
		const [first, ...others] = status.servers;
		const scopes = [
			{ tool: 'list_messages', interactive: 'report', headless: 'require', ...none, explicit: 7, refused: 2 },
			{ tool: 'query\u001b', source: 'run-1', interactive: 'fill', headless: 'off', ...none, filled: 12 },
		] as const;
		const text = hostStatusText({ ...status, servers: [{ ...first!, scopes }, ...others] }, '/home/dev');
		assert.ok(
			text.includes(`
SCOPES OF  TOOL            INTERACTIVE  HEADLESS  EXPLICIT  REPORTED  REFUSED  FILLED  UNCLEAR
analytics  list_messages   report       require   7         0         2        0       0
analytics  query\ufffd (run-1)  fill         off       0         0         0        12      0
`),
			text,
		);
	});

	it('is a table for people', () => {
		assert.equal(
			hostStatusText(status, '/home/dev/.local/state/crosstalk'),
			`host 4100 in /home/dev/.local/state/crosstalk, since 2026-11-21 08:00:00 UTC, generation 3

SERVER     STATE      SHARING    PID   IN FLIGHT  QUEUED  CALLS  ERRORS  TIMEOUTS  CANCELLED  RECONNECTS  P50     P99
analytics  connected  shared     4121  1          0       120    2       1         0          1           0.4 ms  1.2 s
chat\ufffd[2J   failed     per-agent        0          2       0      0       0         0          0

analytics: last exit 2026-11-21 08:01:00 UTC. It was killed.

chat\ufffd[2J: There is no such command.
chat\ufffd[2J: It asks its agents questions.

CALL    STATE    AGE     SERVER     TOOL             AGENT        SESSION  REASON
call-1  running  41.0 s  analytics  analytics_query  explore-api

1 call in flight.
`,
		);
	});

	describe('of a host that runs', () => {
		let lab: Lab;

		beforeEach(() => {
			lab = new Lab();
		});

		afterEach(async () => lab.remove());

		it('is what the host says, as JSON', async () => {
			const host = await lab.host('--config', lab.config());
			const { code, stdout, stderr } = await run(['status', '--json', '--data', lab.data]);
			assert.deepEqual([code, stderr], [0, '']);
			const current = JSON.parse(stdout) as HostStatus; // the contract's shape, some of which is compared
			assert.deepEqual([current.version, current.host.pid, current.host.generation], [1, host.pid, 1]);
			assert.deepEqual(Object.keys(current), ['version', 'host', 'servers', 'calls', 'sessions']);
			const [server] = current.servers;
			assert.deepEqual(
				[server?.name, server?.transport, server?.inFlight, server?.lastExit],
				['fault', 'stdio', 0, null],
			);
			const text = await run(['status', '--data', lab.data]);
			assert.match(text.stdout, /^host \d+ in .*\n\nSERVER .*\nfault .*\n\n0 calls in flight\.\n$/);
		});

		describe('with a call that its agent has written down', () => {
			const session = '5e551003-0000-4000-8000-000000000003';
			const projects = 'test/fixtures/transcripts/claude-code/subagents-2.1.200';
			/** A call of a subagent, and where it stands. */
			let toolUseId: string;
			let place: { readonly path: string; readonly line: number };
			let io: MemoryIo;
			let ending: AbortController;

			beforeEach(async () => {
				const home = join(lab.folder, '.claude', 'projects');
				const inHome = join(home, '-home-dev-shop', session, 'subagents', 'agent-a1ead.jsonl');
				const lines = readFileSync(
					join(projects, '-home-dev-shop', session, 'subagents', 'agent-a1ead.jsonl'),
					'utf8',
				);
				const line = lines.split('\n').findIndex((text) => text.includes('"type":"tool_use"'));
				toolUseId = /"type":"tool_use","id":"(\w+)"/.exec(lines.split('\n')[line]!)![1]!;
				place = { path: inHome, line: line + 1 };
				cpSync(projects, home, { recursive: true });
				io = new MemoryIo({ homeFolder: lab.folder });
				ending = new AbortController();
				const { address } = await lab.host('--config', lab.config());
				const agent = await Agent.connect(`${address.url}/${address.token}/mcp/fault`, {
					headers: { 'x-crosstalk-session': `claude-code:${session}` },
				});
				const meta = { 'claudecode/toolUseId': toolUseId };
				agent.call('hang', {}, { meta, signal: ending.signal }).catch(() => undefined);
				await until('the call', async () => {
					const { stdout } = await run(['status', '--json', '--data', lab.data]);
					return (JSON.parse(stdout) as HostStatus).calls.length > 0 || undefined;
				});
			});

			afterEach(() => ending.abort());

			it('names file and line', async () => {
				const { stdout } = await run(['status', '--json', '--data', lab.data], io);
				const [call] = (JSON.parse(stdout) as HostStatus).calls;
				assert.deepEqual([call?.toolUseId, call?.path, call?.line], [toolUseId, place.path, place.line]);
				const text = await run(['status', '--data', lab.data], new MemoryIo({ homeFolder: lab.folder }));
				// By its name, as everywhere else.
				assert.equal(call?.agentName, 'Review lead');
				assert.match(text.stdout, / {2}hang {2}Review lead {2}/);
				assert.match(text.stdout, /^call-\S+ is written at \S+agent-a1ead\.jsonl:\d+$/m);
			});

			it('names file, line and agent of a call that only hooks tell of', async () => {
				const status = JSON.parse((await run(['status', '--json', '--data', lab.data])).stdout) as HostStatus;
				const hooked: HookedCallStatus = {
					...{ toolUseId, tool: 'Bash', server: null, state: 'running' as const },
					...{ agentId: 'a1ead', agentType: null, sessionId: `claude-code:${session}` },
					...{ startedAt: status.host.startedAt, ageMs: 5000 },
				};
				const elsewhere = { ...hooked, toolUseId: 'toolu_elsewhere', tool: 'Read' };
				const places = new CallPlaces(io);
				const found = await places.added({ ...status, calls: [], hooked: [hooked, elsewhere] });
				assert.deepEqual(found.hooked, [{ ...hooked, ...place, agentName: 'Review lead' }, elsewhere]);
				assert.equal(places.isMissing(found), true);
				const text = hostStatusText(found, lab.data);
				assert.match(text, /^Bash +running +5\.0 s +Review lead +claude-code:/m);
				assert.match(text, /^Read +running +5\.0 s +a1ead +claude-code:/m);
				assert.ok(text.endsWith(`Bash is written at ${place.path}:${place.line}\n`), text);
			});

			it('tells them to whoever watches as soon as the agent has written them', async () => {
				const hidden = `${place.path}.later`;
				renameSync(place.path, hidden);
				const watching = main(['status', '--watch', '--data', lab.data], io);
				await io.stdout.until((text) => text.includes('"hang"'));
				assert.ok(!io.stdout.text.includes('"line"'));
				renameSync(hidden, place.path);
				await io.stdout.until((text) => text.includes(`"line":${place.line}`));
				io.stop.abort();
				assert.deepEqual([await watching, io.stderr.text], [0, '']);
			});
		});

		it('shows what a server has printed', async () => {
			const { address } = await lab.host('--config', lab.config());
			const agent = await Agent.connect(`${address.url}/${address.token}/mcp/fault`);
			await agent.call('stderr', { text: 'the disk is\u001b[2J full' });
			await agent.end();
			await until('the words', async () => {
				const { stdout } = await run(['status', '--output-of', 'fault', '--data', lab.data]);
				return stdout.includes('the disk is\u001b[2J full\n') || undefined;
			});
			const io = new MemoryIo();
			io.stdout.isTerminal = true;
			assert.match(
				(await run(['status', '--output-of', 'fault', '--data', lab.data], io)).stdout,
				/^the disk is\ufffd\[2J full$/m,
			);
			const unknown = await run(['status', '--output-of', 'none', '--data', lab.data]);
			assert.deepEqual([unknown.code, unknown.stderr], [2, 'crosstalk: There is no MCP server "none".\n']);
		});

		it('is told again with every change, one JSON a line, until the host ends', async () => {
			const host = await lab.host('--config', lab.config({}));
			const io = new MemoryIo();
			const watching = main(['status', '--watch', '--data', lab.data], io);
			await io.stdout.until((text) => text.includes('\n'));
			lab.config({ second: lab.fault() });
			await io.stdout.until((text) => text.includes('"second"'));
			const lines = io.stdout.text.trimEnd().split('\n');
			const servers = lines.map((line) => (JSON.parse(line) as HostStatus).servers.length); // written as such
			assert.deepEqual([servers[0], servers.at(-1)], [0, 1]);
			await host.end('SIGTERM');
			assert.equal(await watching, 2);
			assert.equal(io.stderr.text, 'crosstalk: The host has ended.\n');
		});

		it('is redrawn on a terminal, until the person ends it', async () => {
			await lab.host('--config', lab.config());
			const io = new MemoryIo();
			io.stdout.isTerminal = true;
			const watching = main(['status', '--watch', '--data', lab.data], io);
			await io.stdout.until((text) => text.includes('in flight'));
			assert.ok(io.stdout.text.startsWith('\u001b[2J\u001b[Hhost '), io.stdout.text);
			io.stop.abort();
			assert.deepEqual([await watching, io.stderr.text], [0, '']);
		});

		it('lets the ages of calls grow on a terminal, also of those that only hooks tell of', async () => {
			const { address } = await lab.host('--config', lab.config({}));
			const event = { session_id: 's', hook_event_name: 'PreToolUse', tool_use_id: 'toolu_1', tool_name: 'Bash' };
			const told = await fetch(`${address.url}/${address.token}/hooks/claude-code`, {
				method: 'POST',
				body: JSON.stringify({ ...event, prompt_id: 'p', tool_input: { command: 'make' } }),
			});
			assert.equal(told.status, 200);
			const io = new MemoryIo();
			io.stdout.isTerminal = true;
			const watching = main(['status', '--watch', '--data', lab.data], io);
			// Nothing is different meanwhile but the time.
			await io.stdout.until(
				(text) => new Set([...text.matchAll(/^Bash +running +(\S+ m?s) /gm)].map(([, age]) => age)).size > 1,
			);
			io.stop.abort();
			assert.deepEqual([await watching, io.stderr.text], [0, '']);
		});

		it('says so when no host runs, and starts none', async () => {
			const io = new MemoryIo({ homeFolder: lab.folder });
			const { code, stdout, stderr } = await run(['status', '--json', '--data', lab.data], io);
			assert.deepEqual([code, stdout], [2, '']);
			assert.equal(
				stderr,
				`crosstalk: No host is running in ${lab.data}. crosstalk host starts one, and so does the first agent that needs it.\n`,
			);
			const host = await lab.host();
			await host.end('SIGKILL');
			assert.equal((await run(['status', '--data', lab.data])).code, 2);
		});
	});
});
