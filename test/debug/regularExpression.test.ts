import assert from 'node:assert/strict';
import fc from 'fast-check';
import { regularExpression } from '../../src/core/debug/regularExpression.ts';

function isIn(pattern: string, text: string): boolean | string {
	const compiled = regularExpression(pattern);
	return typeof compiled === 'string' ? compiled : compiled.isIn(text);
}

describe('a regular expression', () => {
	const cases: readonly (readonly [pattern: string, text: string, isIn: boolean])[] = [
		['', '', true],
		['a', 'bab', true],
		['^a', 'ba', false],
		['a$', 'ba', true],
		['^$', '', true],
		['a.c', 'a\nc', false],
		['(?s)a.c', 'a\nc', true],
		['(?m)^b$', 'a\nb\nc', true],
		['(?i)HELLO', 'say hello', true],
		['(?i:H)ello', 'hELLO', false],
		['colou?r', 'color', true],
		['ab{2,3}c', 'abc', false],
		['ab{2,3}c', 'abbbc', true],
		['ab{2,3}c', 'abbbbc', false],
		['a{2,}', 'ba', false],
		['x{', 'x{', true],
		['(one|two)+$', 'onetwoone', true],
		['[a-cx]+', 'bax', true],
		['[^a-c]', 'abc', false],
		['[]a]', ']', true],
		['[a-]', '-', true],
		['[[:digit:]]{3}', 'a123', true],
		['\\d+\\.\\d+', 'v1.20', true],
		['\\bcat\\b', 'a cat sat', true],
		['\\bcat\\b', 'concat', false],
		['\\x41\\u0042', 'AB', true],
		['😀+', 'a😀😀', true],
		['^.$', '😀', true],
		['a*?b', 'aaab', true],
		['(?:a|b)c', 'bc', true],
		['(?P<year>\\d{4})-(?<month>\\d\\d)', 'on 2026-11', true],
		['(a*)*', 'b', true],
		['(|a)+', '', true],
	];
	for (const [pattern, text, wanted] of cases)
		it(`${pattern} is ${wanted ? '' : 'not '}in ${JSON.stringify(text)}`, () =>
			assert.equal(isIn(pattern, text), wanted));

	for (const pattern of [
		'(',
		')',
		'*',
		'a**b(',
		'[b-a]',
		'(?=a)',
		'(?<=a)b',
		'(a)\\1',
		'\\',
		'[a',
		'a{3,2}',
		'a{1000}',
		'\\p{L}',
		'(?z)',
	])
		it(`${pattern} cannot be used, and says why`, () =>
			assert.match(String(isIn(pattern, 'a')), /^The regular expression .* cannot be used: .*\.$/));

	it('ends, whatever the pattern', () => {
		const began = process.cpuUsage();
		assert.equal(isIn('^(a+)+$', `${'a'.repeat(50_000)}b`), false);
		assert.equal(isIn('(.*)*(.*)*x', 'y'.repeat(50_000)), false);
		assert.throws(() => isIn('(a?){200}a{200}', 'a'.repeat(1_000_000)), /too long/);
		assert.ok(process.cpuUsage(began).user < 20e6);
	});

	it("finds what JavaScript's own find", () => {
		const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '(a|b)', '(ab)', 'c');
		const piece = fc.tuple(atom, fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,3}'));
		const pattern = fc
			.array(piece, { minLength: 1, maxLength: 6 })
			.map((pieces) => pieces.map(([one, times]) => one + times).join(''));
		const anchored = fc
			.tuple(fc.constantFrom('', '^'), pattern, fc.constantFrom('', '$'))
			.map((parts) => parts.join(''));
		const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1'), maxLength: 12 });
		fc.assert(
			fc.property(
				anchored,
				text,
				(source, subject) => isIn(source, subject) === new RegExp(source).test(subject),
			),
			{ numRuns: 500 },
		);
	});
});
