import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { installedTool, toolCacheDirectory, ToolInstallError } from '../../tools/toolCache.ts';

describe('the tool cache', () => {
	let cache: string;
	let specifier: string;
	const previousCache = process.env.CROSSTALK_TOOL_CACHE;

	beforeEach(async () => {
		cache = await mkdtemp(join(tmpdir(), 'crosstalk-tools-'));
		process.env.CROSSTALK_TOOL_CACHE = cache;
		const source = join(cache, 'source');
		await mkdir(source);
		await writeFile(join(source, 'package.json'), JSON.stringify({ name: 'a-tool', version: '1.0.0' }));
		specifier = `file:${source}`;
	});

	afterEach(async () => {
		if (previousCache === undefined) delete process.env.CROSSTALK_TOOL_CACHE;
		else process.env.CROSSTALK_TOOL_CACHE = previousCache;
		await rm(cache, { recursive: true, force: true });
	});

	it('installs once and answers with the same folder afterwards', async () => {
		let installations = 0;
		const options = {
			name: 'a-tool',
			version: '1.0.0',
			packages: [specifier],
			after: async () => void installations++,
		};
		const directory = await installedTool(options);
		assert.equal(directory, join(cache, 'a-tool-1.0.0'));
		await access(join(directory, 'node_modules', 'a-tool', 'package.json'));
		assert.equal(await installedTool(options), directory);
		assert.equal(installations, 1);
	});

	it('installs once when several ask at the same time, and leaves nothing else behind', async () => {
		let installations = 0;
		const options = {
			name: 'a-tool',
			version: '1.0.0',
			packages: [specifier],
			after: async () => void installations++,
		};
		await Promise.all([installedTool(options), installedTool(options), installedTool(options)]);
		assert.equal(installations, 1);
		assert.deepEqual((await readdir(cache)).sort(), ['a-tool-1.0.0', 'source']);
	});

	it('takes over the lock of a process that died', async () => {
		const dead = spawn(process.execPath, ['-e', '']);
		await new Promise((resolve) => dead.once('close', resolve));
		const lock = join(cache, 'a-tool-1.0.0.lock');
		await mkdir(lock);
		await writeFile(join(lock, 'owner.json'), JSON.stringify({ pid: dead.pid, host: hostname(), token: 'x' }));
		await installedTool({ name: 'a-tool', version: '1.0.0', packages: [specifier] });
		assert.deepEqual((await readdir(cache)).sort(), ['a-tool-1.0.0', 'source']);
	});

	it('takes over a lock that nobody has touched for long', async () => {
		const lock = join(cache, 'a-tool-1.0.0.lock');
		await mkdir(lock);
		const longAgo = new Date(Date.now() - 10 * 60_000);
		await utimes(lock, longAgo, longAgo);
		await installedTool({ name: 'a-tool', version: '1.0.0', packages: [specifier] });
		assert.deepEqual((await readdir(cache)).sort(), ['a-tool-1.0.0', 'source']);
	});

	it('installs again where an earlier installation was not finished', async () => {
		await mkdir(join(cache, 'a-tool-1.0.0', 'node_modules', 'leftover'), { recursive: true });
		const directory = await installedTool({ name: 'a-tool', version: '1.0.0', packages: [specifier] });
		assert.deepEqual(
			(await readdir(join(directory, 'node_modules'))).filter((name) => !name.startsWith('.')),
			['a-tool'],
		);
	});

	it('says in one sentence what failed, and can be asked again', async () => {
		const failing = installedTool({
			name: 'a-tool',
			version: '1.0.0',
			packages: [specifier],
			after: () => Promise.reject(new Error('the compiler is missing')),
		});
		await assert.rejects(failing, new ToolInstallError('Cannot install a-tool 1.0.0: the compiler is missing.'));
		assert.deepEqual(await readdir(cache), ['source']);
		const directory = await installedTool({ name: 'a-tool', version: '1.0.0', packages: [specifier] });
		assert.match(await readFile(join(directory, '.crosstalk-installed.json'), 'utf8'), /"version":"1\.0\.0"/);
	});

	it('passes on what npm said', async () => {
		const failing = installedTool({
			name: 'a-tool',
			version: '1.0.0',
			packages: [`file:${join(cache, 'absent')}`],
		});
		await assert.rejects(failing, (error: Error) => {
			assert.match(error.message, /^Cannot install a-tool 1\.0\.0: .*absent.*\.$/);
			assert.doesNotMatch(error.message, /\n/);
			return true;
		});
	});

	it('refuses a package without an exact version', async () => {
		await assert.rejects(
			installedTool({ name: 'a-tool', version: '1.0.0', packages: ['a-tool@^1.0.0'] }),
			new ToolInstallError('Cannot install a-tool: "a-tool@^1.0.0" does not name an exact version.'),
		);
	});

	it('lives where CROSSTALK_TOOL_CACHE says', () => {
		assert.equal(toolCacheDirectory(), cache);
	});
});
