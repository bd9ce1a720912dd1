import assert from 'node:assert/strict';
import { didYouMean, nearest } from '../../src/core/base/nearest.ts';

describe('the nearest word', () => {
	const cases: readonly [written: string, candidates: readonly string[], meant: string | undefined][] = [
		['analtics', ['analytics', 'chat', 'orders'], 'analytics'],
		['anlaytics', ['analytics'], 'analytics'],
		['Analytics', ['analytics'], 'analytics'],
		['lnit', ['lint', 'run'], 'lint'],
		['ceck', ['chat', 'check'], 'check'],
		// Everything is like a word of one letter, and nothing is.
		['x', ['y', 'xy'], undefined],
		['ru', ['run', 'lint'], 'run'],
		['github', ['gitlab', 'chat'], 'gitlab'],
		['chat', ['mail', 'orders'], undefined],
		// Either may be meant.
		['serverc', ['servera', 'serverb'], undefined],
		// It is written as it should be; something else is wrong with it.
		['lint', ['lint', 'lints'], undefined],
		['orphaned-tool', ['orphaned-tool-use', 'orphaned-tool-result'], 'orphaned-tool-use'],
		['a'.repeat(5000), ['a'.repeat(4999)], undefined],
		['', ['a'], undefined],
		['any', [], undefined],
	];
	for (const [written, candidates, meant] of cases) {
		it(`of ${candidates.join(', ').slice(0, 40)} to "${written.slice(0, 20)}" is ${meant ?? 'none'}`, () => {
			assert.equal(nearest(written, candidates), meant);
		});
	}

	it('is put behind a sentence', () => {
		assert.equal(didYouMean('analtics', ['analytics']), ' Did you mean "analytics"?');
		assert.equal(didYouMean('x', ['analytics']), '');
	});
});
