import assert from 'node:assert/strict';
import { onceLetGo } from '../../../../src/platform/node/host/heldFile.ts';

describe('a file that somebody holds', () => {
	for (const { platform, codes, attempts, outcome } of [
		{ platform: 'win32', codes: [], attempts: 1, outcome: 'done' },
		{ platform: 'win32', codes: ['EPERM', 'EBUSY', 'EACCES'], attempts: 4, outcome: 'done' },
		{ platform: 'win32', codes: ['EBUSY', 'ENOENT'], attempts: 2, outcome: 'ENOENT' },
		{ platform: 'win32', codes: Array.from({ length: 20 }, () => 'EPERM'), attempts: 10, outcome: 'EPERM' },
		{ platform: 'linux', codes: ['EPERM'], attempts: 1, outcome: 'EPERM' },
		{ platform: 'darwin', codes: ['EBUSY'], attempts: 1, outcome: 'EBUSY' },
	] as const) {
		it(`is asked for ${attempts} times on ${platform} when it says ${codes.slice(0, 3).join(', ') || 'nothing'}: ${outcome}`, async () => {
			let made = 0;
			const found = await onceLetGo(() => {
				const code = codes[made++];
				return code === undefined
					? Promise.resolve('done')
					: Promise.reject(Object.assign(new Error(code), { code }));
			}, platform).catch((error: NodeJS.ErrnoException) => error.code);
			assert.deepEqual([found, made], [outcome, attempts]);
		});
	}
});
