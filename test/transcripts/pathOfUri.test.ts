import assert from 'node:assert/strict';
import { pathOfUri } from '../../src/core/transcripts/files.ts';

describe('a path as it comes of a URI', () => {
	it('has backslashes and a small letter for the drive on Windows', () => {
		assert.equal(
			pathOfUri({ separator: '\\' }, 'C:\\Users\\Dev\\.claude\\projects'),
			'c:\\Users\\Dev\\.claude\\projects',
		);
		assert.equal(pathOfUri({ separator: '\\' }, 'D:/agents'), 'd:\\agents');
		assert.equal(pathOfUri({ separator: '\\' }, '\\\\files\\Dev\\.codex'), '\\\\files\\Dev\\.codex');
	});

	it('is the same elsewhere', () => {
		assert.equal(pathOfUri({ separator: '/' }, '/home/C:/a\\b'), '/home/C:/a\\b');
	});
});
