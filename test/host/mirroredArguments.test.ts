import assert from 'node:assert/strict';
import { mirroredArguments, mirroredHeaders, mismatchOf } from '../../src/core/host/mirroredArguments.ts';

const mirrored = mirroredArguments({
	type: 'object',
	properties: {
		region: { type: 'string', 'x-mcp-header': 'Region' },
		limits: { type: 'object', properties: { rows: { type: 'integer', 'x-mcp-header': 'Rows' } } },
		list: { type: 'array', items: { properties: { no: { 'x-mcp-header': 'Unreachable' } } } },
		bad: { type: 'string', 'x-mcp-header': 'Not a name' },
	},
});

describe('arguments that are said in headers', () => {
	it('are found wherever a chain of properties leads to them, and nowhere else', () => {
		assert.deepEqual(mirrored, [
			{ header: 'Mcp-Param-Region', path: ['region'] },
			{ header: 'Mcp-Param-Rows', path: ['limits', 'rows'] },
		]);
	});

	// The examples of the specification.
	for (const [value, header] of [
		['us-west1', 'us-west1'],
		['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
		[' padded ', '=?base64?IHBhZGRlZCA=?='],
		['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
		['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
		['', '=?base64??='],
	] as const) {
		it(`say ${JSON.stringify(value)} as ${header}`, () => {
			assert.deepEqual(mirroredHeaders(mirrored, { region: value }), { 'Mcp-Param-Region': header });
			assert.equal(mismatchOf(mirrored, { 'mcp-param-region': header }, { region: value }), undefined);
		});
	}

	it('are left out where there is no value', () => {
		assert.deepEqual(mirroredHeaders(mirrored, { region: null, limits: { rows: 42 } }), { 'Mcp-Param-Rows': '42' });
		assert.equal(mismatchOf(mirrored, {}, { region: null }), undefined);
	});

	it('are compared as numbers where they are numbers', () => {
		assert.equal(mismatchOf(mirrored, { 'mcp-param-rows': '42.0' }, { limits: { rows: 42 } }), undefined);
	});

	for (const [what, headers, args, says] of [
		['another value', { 'mcp-param-region': 'eu' }, { region: 'us' }, /Mcp-Param-Region does not say/],
		['a broken encoding', { 'mcp-param-region': '=?base64?dXM?=' }, { region: 'us' }, /does not say/],
		['a value that had to be encoded', { 'mcp-param-region': ' us ' }, { region: ' us ' }, /does not say/],
		['no header', {}, { region: 'us' }, /Mcp-Param-Region is missing/],
		['a header too many', { 'mcp-param-region': 'us' }, {}, /the argument region is not/],
	] as const) {
		it(`are refused for ${what}`, () => {
			assert.match(String(mismatchOf(mirrored, headers, args)), says);
		});
	}
});
