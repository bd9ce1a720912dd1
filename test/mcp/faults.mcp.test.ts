// Things that go wrong on purpose, through the command line, a real host and a real server. What was executed is judged by the server's own log.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { FaultStatus } from '../../src/core/host/faults/index.ts';
import { openRecording, statRecording } from '../../src/platform/node/store/recordings.ts';
import { recordingPath } from '../../src/platform/node/store/recordingPaths.ts';
import { openSessionStore } from '../../src/platform/node/sessionStore.ts';
import { builtCommandLine } from '../e2e/crosstalk.ts';
import { Agent } from './agent.ts';
import { Executions } from './executions.ts';
import { cli, fault, faultServer, output, scratch, startHost, startHttpServer } from './gateways.ts';
import type { Host } from './gateways.ts';
import { until, within } from './waiting.ts';

const mine = 'claude-code:5e55-asked';
const theirs = 'claude-code:5e55-other';

describe('faults on purpose', () => {
	let folder: Awaited<ReturnType<typeof scratch>>;
	let executions: Executions;
	let host: Host;
	let asked: Agent;
	let other: Agent;
	const arming: ChildProcess[] = [];

	before(async function () {
		this.timeout(300_000);
		await builtCommandLine();
		folder = await scratch();
		executions = new Executions(join(folder.path, 'executions.ndjson'));
		host = await startHost({
			fault: { ...fault(executions.path), sharing: 'per-session', limits: { callMs: 6_000 } },
			shared: { ...fault(join(folder.path, 'shared.ndjson')), sharing: 'shared' },
		});
		asked = await agent('fault', mine);
		other = await agent('fault', theirs);
	});

	afterEach(async () => {
		for (const child of arming.splice(0)) {
			if (child.exitCode !== null || child.signalCode !== null) continue;
			child.kill('SIGKILL');
			await once(child, 'exit');
		}
		await until('nothing to be armed', async () => (await list()).length === 0 || undefined, 60_000);
	});

	after(async () => {
		for (const one of [asked, other]) one?.vanish();
		await host?.stop();
		await folder?.remove();
	});

	function agent(server: string, session: string): Promise<Agent> {
		return Agent.connect(host.addressOf(server), { headers: { 'x-crosstalk-session': session } });
	}

	async function list(): Promise<readonly FaultStatus[]> {
		const { stdout } = await output(process.execPath, [cli, 'fault', 'list', '--json', '--data', host.dataDir]);
		const { faults } = JSON.parse(stdout) as { faults: readonly FaultStatus[] }; // printed by ourselves
		return faults;
	}

	/** Armed for one session until the process is ended. */
	async function arm(...faults: readonly string[]): Promise<ChildProcess> {
		const child = spawn(
			process.execPath,
			[cli, 'fault', 'arm', ...faults, '--session', mine, '--json', '--data', host.dataDir],
			{ stdio: ['ignore', 'pipe', 'pipe'] },
		);
		arming.push(child);
		let said = '';
		child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
		await until('the faults to be armed', () => said.includes('Armed until') || undefined, 60_000);
		return child;
	}

	async function recordedKinds(): Promise<readonly string[]> {
		const path = recordingPath(host.dataDir, mine);
		const size = (await statRecording(path))?.size ?? 0;
		const bytes = Buffer.alloc(size);
		if (size > 0) await (await openRecording(path)).read(bytes, 0);
		return bytes
			.toString('utf8')
			.split('\n')
			.filter((line) => line.includes('"type":"fault-injected"'))
			.map((line) => (JSON.parse(line) as { kind: string }).kind); // written by ourselves
	}

	/** What the same call comes to for the session that asked and for another, at the same time. */
	async function both(tool: string, args: Readonly<Record<string, unknown>>) {
		return within(
			60_000,
			'both answers',
			Promise.all([
				asked.call(tool, { ...args, key: `asked ${String(args['key'])}` }),
				other.call(tool, { ...args, key: `other ${String(args['key'])}` }),
			]),
		);
	}

	it('delay, error, twice, hang and drop reach the session that asked, and no other', async () => {
		await arm(
			'delay,tool=fault/sleep,ms=700,times=1',
			'error,tool=fault/echo,message=No',
			'twice,tool=fault/sleep_idempotent',
			'hang,tool=fault/progress',
			'drop,tool=fault/sleep_readonly',
		);
		const [slow, fast] = await both('sleep', { ms: 10, key: 'delayed' });
		assert.deepEqual([slow.text, fast.text], ['slept 10 ms', 'slept 10 ms']);
		assert.ok(slow.milliseconds > 600, `${slow.milliseconds} ms`);

		const [refused, answered] = await both('echo', { text: 'hello', key: 'echo' });
		assert.deepEqual([refused.text, refused.result?.['isError']], ['No', true]);
		assert.equal(answered.text, 'hello');

		const [twice, once_] = await both('sleep_idempotent', { ms: 10, key: 'twice' });
		assert.deepEqual([twice.text, once_.text], ['slept 10 ms', 'slept 10 ms']);
		await until('both to have run', () => executions.of('end', 'asked twice').length === 2 || undefined);
		assert.equal(executions.of('start', 'other twice').length, 1);

		const [[hung, went], [lost, kept]] = await Promise.all([
			both('progress', { steps: 1, key: 'hung' }),
			both('sleep_readonly', { ms: 10, key: 'lost' }),
		]);
		assert.deepEqual([hung.error?.code, went.text], [-32001, '1 steps']);
		assert.equal(executions.of('start', 'asked hung').length, 0, 'the server never got it');
		assert.deepEqual([lost.error?.code, kept.text], [-32001, 'slept 10 ms']);
		assert.equal(executions.of('end', 'asked lost').length, 1, 'it was carried out');

		const armed = await list();
		assert.deepEqual(
			armed.map(({ definition, applied }) => `${definition.kind} ${applied}`),
			['delay 1', 'error 1', 'twice 1', 'hang 1', 'drop 1'],
		);
		await until('them to be recorded', async () => (await recordedKinds()).length === 5 || undefined, 60_000);
		assert.deepEqual((await recordedKinds()).toSorted(), ['delay', 'drop', 'error', 'hang', 'twice']);
	});

	it('kill and tear take the connection of the session that asked, and of no other', async () => {
		for (const kind of ['kill', 'tear'] as const) {
			await arm(`${kind},tool=fault/sleep`);
			const [broken, whole] = await both('sleep', { ms: 900, key: kind });
			assert.equal(broken.error?.code, -31001);
			assert.equal(whole.text, 'slept 900 ms');
			assert.equal((await asked.call('echo', { text: 'again' })).text, 'again');
		}
	});

	it('kill leaves a connection alone that others use, and says so', async () => {
		const [one, stranger] = await Promise.all([agent('shared', mine), agent('shared', theirs)]);
		await arm('kill,tool=shared/sleep');
		const calls = await within(
			60_000,
			'both',
			Promise.all([one, stranger].map((each) => each.call('sleep', { ms: 300 }))),
		);
		assert.deepEqual(
			calls.map(({ text }) => text),
			['slept 300 ms', 'slept 300 ms'],
		);
		const [armed] = await list();
		assert.equal(armed?.applied, 0);
		assert.match(armed.problem ?? '', /so it was left alone/);
		for (const each of [one, stranger]) each.vanish();
	});

	it('tear breaks the connection to a server on HTTP, too, and the next call finds another', async () => {
		const log = new Executions(join(folder.path, 'http.ndjson'));
		const server = await startHttpServer(faultServer, '--http', '--log', log.path);
		const own = await startHost({ far: { type: 'http', url: server.url, sharing: 'per-session' } });
		try {
			const armed = spawn(
				process.execPath,
				[
					cli,
					'fault',
					'arm',
					'tear,tool=far/sleep',
					'kill,tool=far/echo',
					'--session',
					mine,
					'--keep',
					'--data',
					own.dataDir,
				],
				{ stdio: 'ignore' },
			);
			assert.deepEqual(await once(armed, 'exit'), [0, null]);
			const one = await Agent.connect(own.addressOf('far'), { headers: { 'x-crosstalk-session': mine } });
			const broken = await within(60_000, 'the answer', one.call('sleep', { ms: 2_000, key: 'torn' }));
			assert.equal(broken.error?.code, -31001);
			assert.match(broken.error?.message ?? '', /on purpose broke the connection to far/);
			assert.equal((await within(60_000, 'the next', one.call('echo', { text: 'again' }))).text, 'again');
			const armedThere = async () => (await own.status()).faults ?? [];
			// It had answered before; either way a server that is no process of this host is not killed.
			await until('it to be said why not', async () => (await armedThere())[1]?.problem, 60_000);
			assert.deepEqual(
				(await armedThere()).map(({ applied }) => applied),
				[1, 0],
			);
			one.vanish();
		} finally {
			await own.stop();
			await server.stop();
		}
	});

	it('evict puts the session of the host’s own store out of memory before the call', async () => {
		const store = await openSessionStore({ directory: host.dataDir });
		try {
			const evicted: string[] = [];
			const session = store.session('sales');
			await session.call(
				{ key: undefined, tool: 'count', args: {} },
				(state: { count?: number }) => (state.count = 1),
			);
			store.onDidEvict(({ sessionId, reason }) => evicted.push(`${sessionId} ${reason}`));
			await arm('evict,tool=fault/echo');
			assert.equal((await asked.call('echo', { text: 'hi', session: 'sales' })).text, 'hi');
			await until('the session to be evicted', () => evicted[0]);
			assert.deepEqual(evicted, ['sales asked']);
			const count = await session.call(
				{ key: undefined, tool: 'count', args: {} },
				(state: { count?: number }) => state.count,
			);
			assert.equal(count, 1, 'nothing is lost');
		} finally {
			await store.close();
		}
	});

	it('what is armed goes with whoever has armed it, unless it is kept, and never outlives the host', async () => {
		const child = await arm('error,every=1');
		assert.equal((await asked.call('echo', { text: 'hi' })).result?.['isError'], true);
		child.kill('SIGKILL');
		await until('it to be disarmed', async () => (await list()).length === 0 || undefined, 60_000);
		assert.equal((await asked.call('echo', { text: 'hi' })).text, 'hi');

		// As "crosstalk sessions" shows a session: without the name of its format, and as short as it stays unique.
		const keep = [cli, 'fault', 'arm', 'error,every=1', '--session', '5e55-ask', '--keep', '--data', host.dataDir];
		const { code, stdout } = await output(process.execPath, keep);
		assert.equal(code, 0);
		assert.match(stdout, /error of any tool, each call +claude-code:5e55-asked +0 +0 +crosstalk fault, kept/);
		assert.equal((await asked.call('echo', { text: 'hi' })).result?.['isError'], true);
		const status = await host.status();
		assert.equal(status.faults?.[0]?.isKept, true);
		for (const [session, isListed] of [
			['claude-code:5e55-asked', true],
			['5e55-ask', true],
			['claude-code:5e55-other', false],
			['asked', false],
		] as const) {
			const listing = [cli, 'fault', 'list', '--session', session, '--data', host.dataDir];
			const listed = await output(process.execPath, listing);
			assert.equal(listed.code, 0);
			if (isListed) assert.match(listed.stdout, /error of any tool, each call +claude-code:5e55-asked /);
			else assert.equal(listed.stdout, `Nothing is armed for ${session}.\n`);
		}
		const disarmed = await output(process.execPath, [cli, 'fault', 'disarm', '--all', '--data', host.dataDir]);
		assert.deepEqual([disarmed.code, disarmed.stdout], [0, '1 fault disarmed.\n']);

		await output(process.execPath, keep);
		asked.vanish();
		other.vanish();
		await host.stop();
		host = await startHost({ fault: { ...fault(executions.path), sharing: 'per-session' } });
		assert.deepEqual(await list(), []);
	});

	it('says in a sentence what is wrong', async () => {
		for (const [args, sentence] of [
			[['arm', 'hang'], 'Say whose calls are meant, with --session ID'],
			[['arm', '--session', mine], 'Say what is to go wrong'],
			[['arm', 'hang,every=0', '--session', mine], 'hang,every=0: "every" is a whole number from 1.'],
			[
				['arm', 'hang', '--session', '5e55-nobody'],
				'There is no session "5e55-nobody"; crosstalk sessions shows',
			],
			[['arm', 'explode', '--session', mine], 'explode: "kind" is one of delay, hang, error'],
			[['disarm'], 'Say which faults are meant'],
			[['disarm', '--all', '--session', mine], 'fault disarm takes no --session'],
			[['preset', 'scope', '--session', mine], 'fault preset takes no --session'],
			[['list', '--session', ''], 'The option --session needs a value.'],
			[['disarm', 'fault-1'], 'fault-1 is not armed: crosstalk fault list shows what is.'],
			[['preset', 'chaos'], 'The preset is one of cascade, compaction, scope'],
			[['dance'], '"dance" is none of arm, list, disarm, preset.'],
		] as const) {
			const { code, stderr } = await output(process.execPath, [cli, 'fault', ...args, '--data', host.dataDir]);
			assert.equal(code, 2, stderr);
			assert.ok(stderr.includes(sentence), stderr);
		}
		const nowhere = [cli, 'fault', 'list', '--data', join(folder.path, 'nowhere')];
		const { code, stderr } = await output(process.execPath, nowhere);
		assert.equal(code, 2);
		assert.match(stderr, /No host is running in .*nowhere/);
	});
});
