import assert from 'node:assert/strict';
import { withReplaced } from '../../src/debugAdapter/editedJson.ts';

describe('an edited value', () => {
	const text = '{"id":12345678901234567890,"ratio":1.50,"list":[1,{"deep":true}],"__proto__":1}';

	it('takes the place of one, and leaves all others as they are written', () => {
		assert.equal(
			withReplaced(text, ['list', 1, 'deep'], 'no'),
			'{"id":12345678901234567890,"ratio":1.50,"list":[1,{"deep":"no"}],"__proto__":1}',
		);
	});

	it('is added where there was none', () => {
		assert.equal(withReplaced('{"a":1}', ['b'], null), '{"a":1,"b":null}');
		assert.equal(withReplaced('{"a":[1]}', ['a', 1], 2), '{"a":[1,2]}');
	});

	it('takes the place of everything', () => {
		assert.equal(withReplaced(text, [], { page: 1 }), '{"page":1}');
	});

	it('is refused where its keys lead nowhere', () => {
		assert.throws(() => withReplaced(text, ['list', 5], 1), { name: 'ExpectedError' });
		assert.throws(() => withReplaced(text, ['id', 'x'], 1), { name: 'ExpectedError' });
		assert.throws(() => withReplaced('only words', ['x'], 1), { name: 'ExpectedError' });
	});

	it('is refused within what is nested too deeply to be written anew, and takes the place of all of it', () => {
		const deep = `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`;
		assert.throws(() => withReplaced(deep, ['b'], 1), { name: 'ExpectedError', message: /nested too deeply/ });
		assert.equal(withReplaced('1', [], JSON.parse(deep)), deep);
	});
});
