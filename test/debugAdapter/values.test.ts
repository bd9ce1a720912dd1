import assert from 'node:assert/strict';
import { ExpectedError } from '../../src/core/base/errors.ts';
import { assignmentOf, pathOf, typedValue, valueAt } from '../../src/debugAdapter/assignments.ts';
import { functionBreakpoint } from '../../src/debugAdapter/functionBreakpoints.ts';
import { callTitle, childrenOf, shown, variableOf } from '../../src/debugAdapter/valueTree.ts';
import type { ValueNode } from '../../src/debugAdapter/valueTree.ts';

/** A value as rows; the nodes behind their numbers can be opened. */
function tree(value: object) {
	const nodes: ValueNode[] = [];
	const add = (node: ValueNode) => nodes.push(node);
	const root: ValueNode = { value, keys: [], expression: 'result', isEditable: true };
	return {
		rows: (paging = {}, node = root) => childrenOf(node, paging, add),
		node: (reference: number) => nodes[reference - 1]!,
	};
}

describe('a value in the variables view', () => {
	it('is one line, however long it is', () => {
		assert.equal(shown('a\n"b"'), String.raw`"a\n\"b\""`);
		assert.equal(shown('x'.repeat(20_000)).length, 1_000 + 2 + ' (20,000 characters)'.length);
		assert.equal(shown(null), 'null');
		assert.equal(shown(undefined), '(none)');
		assert.equal(shown([]), '[]');
		assert.equal(shown([1, 'two', null]), '[3] [1, "two", null]');
		assert.equal(shown([{ a: 1 }]), '[1]');
		assert.equal(shown({ a: 1, b: { c: 2 }, d: [1], e: [{}] }), '{a: 1, b: {…}, d: [1], e: […]}');
		assert.equal(shown({ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 }), '{a: 1, b: 2, c: 3, d: 4, e: 5, …}');
	});

	it('is paged where it is a long list, as the client asks', () => {
		const { rows } = tree(Array.from({ length: 1_000 }, (_, index) => index * 2));
		const page = rows({ filter: 'indexed', start: 500, count: 3 });
		assert.deepEqual(
			page.map(({ name, value, evaluateName }) => [name, value, evaluateName]),
			[
				['500', '1000', 'result[500]'],
				['501', '1002', 'result[501]'],
				['502', '1004', 'result[502]'],
			],
		);
		assert.deepEqual(rows({ filter: 'named' }), []);
	});

	it('is put together where it is a wide object', () => {
		const { rows, node } = tree(
			Object.fromEntries(Array.from({ length: 450 }, (_, index) => [`key${index}`, index])),
		);
		const first = rows();
		assert.equal(first.length, 201);
		assert.deepEqual([first[200]?.name, first[200]?.value], ['…', '250 more']);
		const second = rows({}, node(first[200]?.variablesReference ?? 0));
		assert.deepEqual([second[0]?.name, second.length], ['key200', 201]);
		const third = rows({}, node(second[200]?.variablesReference ?? 0));
		assert.deepEqual([third[0]?.name, third.at(-1)?.name, third.length], ['key400', 'key449', 50]);
	});

	it('is named in expressions as the language has it, and looked into where a text is JSON', () => {
		const { rows, node } = tree({ 'a b': { in: 1 }, text: '{"rows": [1]}' });
		const [spaced, text] = rows();
		assert.equal(spaced?.evaluateName, 'result["a b"]');
		assert.equal(rows({}, node(spaced?.variablesReference ?? 0))[0]?.evaluateName, 'result["a b"]["in"]');
		assert.equal(text?.value, String.raw`"{\"rows\": [1]}"`);
		const [inner] = rows({}, node(text?.variablesReference ?? 0));
		assert.deepEqual([inner?.name, inner?.value, inner?.evaluateName], ['rows', '[1] [1]', undefined]);
		assert.deepEqual(inner?.presentationHint, { attributes: ['readOnly'] });
	});

	it('has no children where it is empty', () => {
		const place = { keys: [], expression: undefined, isEditable: false };
		assert.equal(variableOf('x', {}, place, () => 1).variablesReference, 0);
		assert.equal(variableOf('x', '{}', place, () => 1).variablesReference, 0);
		assert.equal(variableOf('x', { a: 1 }, place, () => 7).variablesReference, 7);
	});

	it('names a call by its first arguments', () => {
		assert.equal(callTitle('query', { page: 2, where: { a: 1 } }), 'query(page: 2, where: {…})');
		assert.equal(callTitle('query', undefined), 'query()');
		assert.ok(callTitle('query', { text: 'x'.repeat(500) }).length < 80);
	});
});

describe('what is typed in a value’s place', () => {
	it('is JSON, or a text where a text was', () => {
		assert.equal(typedValue('3', 2), 3);
		assert.deepEqual(typedValue('{"a": [1]}', 2), { a: [1] });
		assert.equal(typedValue('hello there', 'before'), 'hello there');
		assert.equal(typedValue('"3"', 'before'), '3');
		assert.throws(() => typedValue('hello', 2), ExpectedError);
		assert.throws(() => typedValue('"open', 'before'), ExpectedError);
	});

	it('names its target by a path', () => {
		assert.deepEqual(pathOf('arguments.filter["a b"][0]'), { name: 'arguments', keys: ['filter', 'a b', 0] });
		assert.deepEqual(pathOf(" arguments [ 'it\\'s' ] . x "), { name: 'arguments', keys: ["it's", 'x'] });
		assert.equal(pathOf('arguments.a + 1'), undefined);
		assert.equal(pathOf('3'), undefined);
		assert.equal(valueAt({ a: [{ b: 5 }] }, ['a', 0, 'b']), 5);
		assert.equal(valueAt({ a: 1 }, ['a', 'b']), undefined);
		assert.equal(valueAt({}, ['constructor']), undefined);
	});

	it('is an assignment when it has one equals sign behind a path', () => {
		assert.deepEqual(assignmentOf('arguments.page = 3'), { target: 'arguments.page', value: '3' });
		assert.deepEqual(assignmentOf('arguments.text="a = b"'), { target: 'arguments.text', value: '"a = b"' });
		for (const expression of ['arguments.page == 3', 'a >= b', 'a != b', 'tool', 'f(x) = 3', 'a =', '= 3'])
			assert.equal(assignmentOf(expression), undefined, expression);
	});

	it('is told from an assignment at once, however long it is', () => {
		assert.equal(assignmentOf(`a${' '.repeat(2 ** 20)}b`), undefined);
		assert.equal(assignmentOf(`a = 3${' '.repeat(2 ** 20)}`)?.value, '3');
	});
});

describe('the name of a function breakpoint', () => {
	for (const [name, tool, at] of [
		['analytics/*', 'analytics/*', 'before'],
		['Explore:Bash after', 'Explore:Bash', 'after'],
		['* on error', '*', 'error'],
		['Bash before ', 'Bash', 'before'],
		['after', 'after', 'before'],
	] as const)
		it(`"${name}" stops ${at === 'error' ? 'on an error of' : at} ${tool}`, () => {
			assert.deepEqual(functionBreakpoint(name), { tool, at });
		});
});
