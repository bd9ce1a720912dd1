import assert from 'node:assert/strict';
import { completeJsonLines } from './jsonLines.ts';

describe('complete JSON lines', () => {
	const cases: readonly (readonly [title: string, text: string, values: readonly unknown[]])[] = [
		['are none in an empty file', '', []],
		['are none in half a line', '{"at":17', []],
		['leave out the half line at the end', '{"at":1}\n{"at":17', [{ at: 1 }]],
		['are all in a file that is at rest', '{"at":1}\n\n{"at":2}\n', [{ at: 1 }, { at: 2 }]],
	];
	for (const [title, text, values] of cases) {
		it(title, () => assert.deepEqual(completeJsonLines(text), values));
	}

	it('have to be JSON', () => {
		assert.throws(() => completeJsonLines('{"at":17\n'), SyntaxError);
	});
});
