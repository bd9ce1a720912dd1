import assert from 'node:assert/strict';
import type { SimulatedRow } from '../../src/core/simulate/simulate.ts';
import { MemoryIo, run } from './memoryIo.ts';

const quick = ['simulate', '--calls', '5000'];

describe('crosstalk simulate', () => {
	it('prints a row for each way and number of subagents, and what the model is worth', async () => {
		const { code, stdout } = await run([...quick, '--agents', '4,16']);
		assert.equal(code, 0);
		const lines = stdout.split('\n');
		assert.deepEqual(
			lines.slice(1, 9).map((line) => line.replaceAll(/ {2,}/g, '|').split('|').slice(0, 2).join(' ')),
			[
				'4 sticky-memory',
				'4 whole-context-kv',
				'4 actor-memory',
				'4 actor-checkpoint',
				'16 * sticky-memory',
				'16 * whole-context-kv',
				'16 * actor-memory',
				'16 * actor-checkpoint',
			],
		);
		assert.match(stdout, /calibrated on two points/);
		assert.match(stdout, /More than 8 subagents is extrapolation/);
		assert.match(stdout, /does not prove/);
	});

	it('stops between two rows when nobody wants it any more', async () => {
		const io = new MemoryIo();
		const ran = run(['simulate', '--calls', '1000000', '--agents', '1,2,4,8,16,32,64,64,64,64,64,64'], io);
		io.stop.abort();
		assert.deepEqual(await ran, { code: 2, stdout: '', stderr: '' });
	});

	it('draws a progress bar for a person who waits, also while it is at one row, and leaves no trace of it', async () => {
		const io = new MemoryIo({ environment: { TERM: 'xterm' } });
		io.stderr.isTerminal = true;
		const ran = run(['simulate', '--calls', '10000000', '--agents', '64'], io);
		await io.stderr.until((text) => text.includes('%'));
		io.stop.abort();
		const { code, stdout, stderr } = await ran;
		assert.deepEqual([code, stdout], [2, '']);
		const clear = '\r\u001b[K';
		assert.ok(stderr.startsWith(clear) && stderr.endsWith(clear), stderr);
		const [, share] = /Simulating █*░* (\d+) % of 40,000,000 calls/.exec(stderr) ?? [];
		assert.ok(Number(share) < 25, stderr);
	});

	it('tells nobody how far it is who does not wait for it', async () => {
		for (const [isTerminal, environment, calls] of [
			[false, { TERM: 'xterm' }, '200000'],
			[true, { TERM: 'dumb' }, '200000'],
			[true, { TERM: 'xterm' }, '1000'],
		] as const) {
			const io = new MemoryIo({ environment });
			io.stderr.isTerminal = isTerminal;
			const { code, stderr } = await run(['simulate', '--calls', calls, '--agents', '4'], io);
			assert.deepEqual([code, stderr], [0, '']);
		}
	});

	it('prints the same bytes for the same seed', async () => {
		const one = await run([...quick, '--agents', '8', '--seed', '7', '--json']);
		const other = await run([...quick, '--agents', '8', '--seed', '7', '--json']);
		const third = await run([...quick, '--agents', '8', '--seed', '8', '--json']);
		assert.equal(one.stdout, other.stdout);
		assert.notEqual(one.stdout, third.stdout);
	});

	it('says in JSON what it was asked, by what prices, and where it extrapolates', async () => {
		const { stdout } = await run([...quick, '--agents', '8,64', '--per-session', '1', '--hibernate', '--json']);
		// What the command has just printed.
		const printed = JSON.parse(stdout) as {
			version: number;
			seed: number;
			perSession: number;
			isHibernating: boolean;
			calibratedUpTo: number;
			prices: { readAt: string; sources: string[] };
			rows: SimulatedRow[];
		};
		const { version, seed, perSession, isHibernating, calibratedUpTo, prices, rows } = printed;
		assert.deepEqual([version, seed, perSession, isHibernating, calibratedUpTo], [1, 1, 1, true, 8]);
		assert.match(prices.readAt, /^\d{4}-\d\d-\d\d$/);
		assert.ok(prices.sources.every((source) => source.startsWith('https://')));
		assert.deepEqual(
			rows.map(({ isExtrapolated }) => isExtrapolated),
			[false, false, false, false, true, true, true, true],
		);
	});

	const refused: readonly [args: readonly string[], message: RegExp][] = [
		[['--agents', '0'], /--agents is a whole number from 1 to 64; it cannot be "0"/],
		[['--agents', '65'], /from 1 to 64/],
		[['--agents', '4,'], /it cannot be ""/],
		[['--agents', '1e1'], /it cannot be "1e1"/],
		[['--seed', '-1'], /--seed/],
		[['--seed', '1.5'], /--seed is a whole number/],
		[['--calls', '10'], /--calls is a whole number from 1000/],
		[['--per-session', 'two'], /--per-session/],
		[['now'], /"now" is one argument too many/],
	];
	for (const [args, message] of refused) {
		it(`refuses ${args.join(' ')}`, async () => {
			const { code, stdout, stderr } = await run(['simulate', ...args]);
			assert.equal(code, 2);
			assert.equal(stdout, '');
			assert.match(stderr, message);
		});
	}
});
