// On Windows nobody can replace or remove a file while somebody else, such as a virus scanner, has it open; a moment later it goes.

import assert from 'node:assert/strict';
import promises from 'node:fs/promises';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunFolder } from '../../../src/cli/run/runFolder.ts';
import { removeBackup } from '../../../src/platform/node/host/config/importStore.ts';
import { PackedWriter } from '../../../src/platform/node/packed/packedWriter.ts';
import { StartedProcesses } from '../../../src/platform/node/upstreams/leftBehind.ts';

const real = { rename: promises.rename, rm: promises.rm };
const platform = Object.getOwnPropertyDescriptor(process, 'platform')!;

/** @param times How often it refuses. */
function hold(name: keyof typeof real, times: number): void {
	let left = times;
	Object.assign(promises, {
		async [name](...args: readonly never[]) {
			if (left-- > 0) throw Object.assign(new Error(`EPERM: ${name}`), { code: 'EPERM' });
			return (real[name] as (...all: readonly never[]) => Promise<void>)(...args);
		},
	});
	syncBuiltinESMExports();
}

describe('a file that is held on Windows for a moment', () => {
	let folder: string;

	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), 'xtalk-held-'));
		Object.defineProperty(process, 'platform', { ...platform, value: 'win32' });
	});

	afterEach(() => {
		Object.assign(promises, real);
		syncBuiltinESMExports();
		Object.defineProperty(process, 'platform', platform);
		rmSync(folder, { recursive: true });
	});

	it('is replaced by the session that is saved', async () => {
		const path = join(folder, 'a.crosstalk');
		writeFileSync(path, 'before');
		const writer = await PackedWriter.create(path, true);
		hold('rename', 3);
		await writer.finish();
		assert.notEqual(readFileSync(path, 'utf8'), 'before');
		assert.deepEqual(readdirSync(folder), ['a.crosstalk']);
	});

	for (const times of [3, Infinity])
		it(`costs a saved session nothing when it is its draft, held ${times} times`, async () => {
			const writer = await PackedWriter.create(join(folder, 'a.crosstalk'), false);
			hold('rm', times);
			await writer.finish();
			assert.ok(readdirSync(folder).includes('a.crosstalk'));
			assert.equal(readdirSync(folder).length, times === 3 ? 1 : 2);
		});

	it('is removed when it is the draft of a session that is not saved', async () => {
		const writer = await PackedWriter.create(join(folder, 'a.crosstalk'), false);
		hold('rm', 3);
		await writer.discard();
		assert.deepEqual(readdirSync(folder), []);
	});

	it('is removed when it is the list of processes of the host before', async () => {
		const path = join(folder, 'server-processes');
		writeFileSync(path, '');
		hold('rm', 3);
		await new StartedProcesses(path, assert.fail).endLeftBehind();
		assert.deepEqual(readdirSync(folder), []);
	});

	it('is removed when it is a backup that nobody needs', async () => {
		mkdirSync(join(folder, 'backups'));
		writeFileSync(join(folder, 'backups', 'abc'), '');
		hold('rm', 3);
		await removeBackup(folder, 'abc');
		assert.deepEqual(readdirSync(join(folder, 'backups')), []);
	});

	it('keeps no run from beginning or ending when it is what a run has left', async () => {
		mkdirSync(join(folder, 'runs', '1-left'), { recursive: true });
		hold('rm', Infinity);
		const run = await RunFolder.create(folder, () => false);
		await run.remove();
		Object.assign(promises, real);
		syncBuiltinESMExports();
		assert.equal(readdirSync(join(folder, 'runs')).length, 2);
		await (await RunFolder.create(folder, () => false)).remove();
		assert.deepEqual(readdirSync(join(folder, 'runs')), []);
	});
});
