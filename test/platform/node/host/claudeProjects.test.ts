import assert from 'node:assert/strict';
import { claudeProjectKeys } from '../../../../src/platform/node/host/config/claudeProjects.ts';

describe('the names of a project in ~/.claude.json', () => {
	it('are those with slashes first on Windows, with the letter of the drive in either case', () => {
		assert.deepEqual(claudeProjectKeys('d:\\work\\shop', '\\'), [
			'd:/work/shop',
			'D:/work/shop',
			'd:\\work\\shop',
			'D:\\work\\shop',
		]);
	});

	it('are one elsewhere, where a backslash is a letter like others', () => {
		assert.deepEqual(claudeProjectKeys('/work/a\\b', '/'), ['/work/a\\b']);
	});
});
