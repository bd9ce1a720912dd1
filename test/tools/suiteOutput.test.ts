import assert from 'node:assert/strict';
import { countsIn, failuresIn } from '../../tools/suiteOutput.ts';

const list = ['  1 failing', '', '  1) a host', '       starts:', '     Error: no'].join('\n');
const ofMocha = `  a host\n    \u001B[31m1) starts\u001B[0m\n\n\n\u001B[32m  12 passing\u001B[0m (3s)\n\u001B[31m${list}\u001B[0m\n`;
const manyLines = Array.from({ length: 500 }, (_, index) => `line ${index}`);

describe('what a suite has printed', () => {
	for (const { name, output, counts, failures } of [
		{ name: "Mocha's counts and list", output: ofMocha, counts: { passed: 12, failed: 1 }, failures: list },
		{
			name: 'our own sum after that of Mocha, which is not counted twice',
			output: `${ofMocha}\n12 passed, 1 failed\n`,
			counts: { passed: 12, failed: 1 },
			failures: `${list}\n\n12 passed, 1 failed`,
		},
		{ name: 'nothing', output: '', counts: undefined, failures: '' },
		{
			name: 'a crash before the first test: its end',
			output: manyLines.join('\n'),
			counts: undefined,
			failures: manyLines.slice(-60).join('\n'),
		},
		{
			name: 'a list that is too long: its beginning',
			output: ['  3 passing', '  9 failing', ...manyLines].join('\n'),
			counts: { passed: 3, failed: 9 },
			failures: ['  9 failing', ...manyLines.slice(0, 199), '… and 301 lines more, above'].join('\n'),
		},
	]) {
		it(`is read: ${name}`, () => {
			assert.deepEqual(countsIn(output), counts);
			assert.equal(failuresIn(output), failures);
		});
	}
});
