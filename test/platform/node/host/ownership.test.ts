import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareDataDirectory, readAddress } from '../../../../src/platform/node/host/dataDirectory.ts';
import { defaultDataDirectory } from '../../../../src/platform/node/host/defaultDataDirectory.ts';
import { takeLock, takeOwnership } from '../../../../src/platform/node/host/ownership.ts';
import type { Ownership } from '../../../../src/platform/node/host/ownership.ts';
import { until } from '../../../mcp/waiting.ts';
import { Lab, isWindows } from './hosts.ts';

describe('the data directory', () => {
	for (const [platform, environment, expected] of [
		['linux', {}, '/home/dev/.local/state/crosstalk'],
		['linux', { XDG_STATE_HOME: '/state' }, '/state/crosstalk'],
		['linux', { XDG_STATE_HOME: 'state' }, '/home/dev/.local/state/crosstalk'],
		['linux', { XDG_STATE_HOME: '' }, '/home/dev/.local/state/crosstalk'],
		['darwin', { XDG_STATE_HOME: '/state' }, '/home/dev/Library/Application Support/crosstalk'],
		['win32', { LOCALAPPDATA: 'C:\\Users\\dev\\AppData\\Local' }, 'C:\\Users\\dev\\AppData\\Local\\crosstalk'],
		['win32', {}, 'C:\\Users\\dev\\AppData\\Local\\crosstalk'],
	] as const) {
		it(`is ${expected} on ${platform} with ${JSON.stringify(environment)}`, () => {
			const homeFolder = platform === 'win32' ? 'C:\\Users\\dev' : '/home/dev';
			assert.equal(defaultDataDirectory({ platform, environment, homeFolder }), expected);
		});
	}
});

describe('the ownership of a data directory', () => {
	let lab: Lab;
	const held: Ownership[] = [];

	beforeEach(() => {
		lab = new Lab();
	});

	afterEach(async () => {
		for (const ownership of held.splice(0)) ownership.dispose();
		await lab.remove();
	});

	async function take(directory = lab.data): Promise<Ownership> {
		const ownership = await takeOwnership(directory);
		assert.ok(ownership, 'It is owned already.');
		held.push(ownership);
		return ownership;
	}

	it('is one process’s at a time, and each owner has a greater generation', async () => {
		const first = await take();
		assert.equal(await takeOwnership(lab.data), undefined);
		first.dispose();
		const second = await take();
		assert.deepEqual([first.generation, second.generation], [1, 2]);
	});

	it('keeps token, seal and port over owners', async () => {
		const first = await take();
		assert.equal(first.previousPort, undefined);
		const address = await first.publish({ port: 4321, controlSocket: '/somewhere' });
		assert.deepEqual(await readAddress(lab.data), address);
		const seal = first.seal.of('agent-1');
		first.dispose();
		const second = await take();
		assert.deepEqual([second.token, second.seal.of('agent-1'), second.previousPort], [first.token, seal, 4321]);
		assert.match(first.token, /^[\w-]{32}$/);
		assert.match(seal, /^[\w-]{43}$/);
		assert.notEqual(seal, second.seal.of('agent-2'));
	});

	it('has a token and a seal of its own in every directory', async () => {
		const [one, other] = [await take(), await take(join(lab.folder, 'other'))];
		assert.notEqual(one.token, other.token);
		assert.notEqual(one.seal.of('x'), other.seal.of('x'));
	});

	it('is taken over from an owner that was killed', async () => {
		const module = new URL('../../../../src/platform/node/host/ownership.ts', import.meta.url).href;
		const owner = lab.spawn(process.execPath, [
			'--input-type=module',
			'-e',
			`const { takeOwnership } = await import(${JSON.stringify(module)});
			const owned = await takeOwnership(${JSON.stringify(lab.data)});
			console.log(owned.generation);
			setInterval(() => undefined, 1000);`,
		]);
		await until('an owner', () => (owner.stdout() === '1\n' ? true : undefined));
		assert.equal(await takeOwnership(lab.data), undefined);
		await owner.end('SIGKILL');
		assert.equal((await take()).generation, 2);
	});

	it('is open to its user alone', async function () {
		// Windows has access lists instead.
		if (isWindows) return;
		const owner = await take();
		await owner.publish({ port: 1, controlSocket: '/somewhere' });
		const modes = ['.', 'host.json', 'token', 'seal-key', 'owner.sqlite', 'owner.sqlite-journal'].map((name) =>
			(statSync(join(lab.data, name)).mode & 0o777).toString(8),
		);
		assert.deepEqual(modes, ['700', '600', '600', '600', '600', '600']);
	});

	it('closes a directory of its own that was open to others, and leaves one with other things in it as it is', async () => {
		if (isWindows) return;
		const foreign = join(lab.folder, 'foreign');
		for (const folder of [lab.data, foreign]) {
			mkdirSync(folder);
			chmodSync(folder, 0o755);
		}
		writeFileSync(join(foreign, 'letter.txt'), 'Dear reader');
		await take();
		await take(foreign);
		assert.deepEqual(
			[lab.data, foreign].map((folder) => (statSync(folder).mode & 0o777).toString(8)),
			['700', '755'],
		);
		assert.equal((statSync(join(foreign, 'token')).mode & 0o777).toString(8), '600');
	});

	it('leaves a directory read-only that is', async () => {
		if (isWindows) return;
		(await take()).dispose();
		chmodSync(lab.data, 0o555);
		try {
			await prepareDataDirectory(lab.data);
			assert.equal((statSync(lab.data).mode & 0o777).toString(8), '555');
		} finally {
			chmodSync(lab.data, 0o700);
		}
	});

	it('survives files that somebody has damaged, but not a damaged lock, which it names', async () => {
		const first = await take();
		await first.publish({ port: 4321, controlSocket: '/somewhere' });
		first.dispose();
		writeFileSync(join(lab.data, 'host.json'), '{"url":');
		writeFileSync(join(lab.data, 'token'), 'short');
		const second = await take();
		assert.match(second.token, /^[\w-]{32}$/);
		assert.equal(readFileSync(join(lab.data, 'token'), 'utf8').trim(), second.token);
		assert.equal(second.previousPort, undefined);
		second.dispose();
		writeFileSync(
			join(lab.data, 'owner.sqlite'),
			'This is no database, and it is long enough to be looked at. '.repeat(40),
		);
		await assert.rejects(takeOwnership(lab.data), {
			name: 'ExpectedError',
			message:
				/^The lock .*owner\.sqlite cannot be used: .*not a database\. If no host is running there, remove it\.$/,
		});
	});

	it('says what is in the way where a directory cannot be', async () => {
		writeFileSync(lab.data, '');
		await assert.rejects(takeOwnership(lab.data), {
			name: 'ExpectedError',
			message: `The data directory ${lab.data} cannot be used: a file is in the way. Name another with --data.`,
		});
		assert.ok(existsSync(lab.data));
		await assert.rejects(takeOwnership(join(lab.data, 'below')), {
			name: 'ExpectedError',
			message: /below cannot be used: a file is in the way\./,
		});
	});

	it('says so when the system has no room for folders there', async () => {
		// Elsewhere there is no such place.
		if (process.platform !== 'linux') return;
		await assert.rejects(takeOwnership('/proc/crosstalk/data'), {
			name: 'ExpectedError',
			message: 'The data directory /proc/crosstalk/data cannot be used (ENOENT). Name another with --data.',
		});
	});

	it('needs the SQLite of Node no more than the store does', async () => {
		const path = join(lab.folder, 'lock.sqlite');
		// Stands in as a package would.
		const substitute = join(import.meta.dirname, '..', 'store', 'failpointSqlite.ts');
		const lock = await takeLock(path, { contentionMs: 0, sqliteModules: ['node:nothing', substitute] });
		assert.equal(lock?.generation, 1);
		assert.equal(await takeLock(path, { contentionMs: 0 }), undefined);
		lock.dispose();
		await assert.rejects(takeLock(path, { contentionMs: 0, sqliteModules: ['node:nothing'] }), {
			name: 'ExpectedError',
			message: /^SQLite is needed \(node:sqlite\), .*install the package @photostructure\/sqlite/,
		});
	});

	it('needs a Node with SQLite, and says so in one line', async () => {
		const host = lab.spawn(process.execPath, [
			'--no-experimental-sqlite',
			new URL('../../../../src/cli/bin.ts', import.meta.url).pathname,
			'host',
			'--data',
			lab.data,
		]);
		assert.equal(await host.ended, 2);
		assert.equal(host.stdout(), '');
		assert.match(
			host.stderr(),
			/^crosstalk: SQLite is needed \(node:sqlite\), which Node has from 22\.13 on; this is Node \S+\. Use a newer one, or install the package @photostructure\/sqlite beside crosstalk\.\n$/,
		);
	});
});
