import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryIo, run } from '../../../cli/memoryIo.ts';
import { makeFolder } from '../../../../src/platform/node/host/makeFolder.ts';

describe('making a folder', () => {
	let folder: string;

	before(() => {
		folder = mkdtempSync(join(tmpdir(), 'crosstalk-folder-'));
	});

	after(() => rmSync(folder, { recursive: true, force: true }));

	it('makes those above it, and is content with one that is there', async () => {
		const path = join(folder, 'a', 'b', 'c');
		await Promise.all([makeFolder(path, 0o700), makeFolder(path, 0o700), makeFolder(join(path, 'd'), 0o700)]);
		await makeFolder(path, 0o700);
		assert.ok(statSync(join(path, 'd')).isDirectory());
		if (process.platform !== 'win32') assert.equal(statSync(join(folder, 'a')).mode & 0o777, 0o700);
	});

	it('says that a file is in the way', async () => {
		writeFileSync(join(folder, 'file'), '');
		mkdirSync(join(folder, 'there'), { recursive: true });
		await assert.rejects(makeFolder(join(folder, 'file'), 0o700), { code: 'EEXIST' });
		await assert.rejects(makeFolder(join(folder, 'file', 'below'), 0o700), (error: NodeJS.ErrnoException) =>
			['ENOTDIR', 'EEXIST', 'ENOENT'].includes(error.code ?? ''),
		);
	});

	if (process.platform === 'linux') {
		it('ends below /proc, where nothing can be made', async () => {
			await assert.rejects(makeFolder('/proc/x/y', 0o700), { code: 'ENOENT' });
		});

		for (const args of [
			['fault', 'preset', 'scope', '--out', '/proc/x'],
			['fault', 'preset', 'scope', '--data', '/proc/x'],
			['hooks', 'install', '--write', '--data', '/proc/x'],
			['host', '--data', '/proc/x'],
			['import', '--write', '--data', '/proc/x'],
			['run', '--data', '/proc/x', '--as', 'claude', '--', process.execPath],
			['connect', 'x', '--data', '/proc/x'],
		]) {
			it(`is told in one sentence by crosstalk ${args.slice(0, 4).join(' ')}`, async () => {
				const { code, stderr } = await run(args, new MemoryIo({ workingFolder: folder }));
				assert.match(stderr, /^(?:crosstalk: [^\n]*\.\n)?$/);
				if (code !== 0) assert.match(stderr, /\/proc\/x/);
			});
		}
	}

	it('is nowhere left to the way of Node that may never end', () => {
		const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
			name.endsWith('.ts'),
		);
		assert.ok(sources.length > 100);
		const wrong = sources.filter((name) =>
			/\bmkdir(?:Sync)?\([^)]*\)?[^)]*recursive: true/.test(readFileSync(join('src', name), 'utf8')),
		);
		assert.deepEqual(wrong, []);
	});
});
