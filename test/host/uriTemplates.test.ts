import assert from 'node:assert/strict';
import { fitOf } from '../../src/core/host/uriTemplates.ts';

describe('an address', () => {
	for (const [template, uri, fit] of [
		['notes://{id}', 'notes://5', 8],
		['notes://{id}', 'note://5', undefined],
		['notes://{id}/raw', 'notes://5/raw', 12],
		['notes://{id}/raw', 'notes://5', undefined],
		['file:///{+path}', 'file:///a/b', 8],
		['file:///{path}', 'file:///a/b', 8],
		['db://{table}/rows/{row}', 'db://people/rows/7', 11],
		['db://{table}/rows/{row}', 'db://people/columns/7', undefined],
		['search://all{?q,limit}', 'search://all', 12],
		['search://all{?q,limit}', 'search://all?q=x', 12],
		['{+uri}', 'anything', 0],
		['a{b}a', 'a', undefined],
		['a://fixed', 'a://fixed', 9],
		['a://fixed', 'a://fixed/more', undefined],
	] as const) {
		it(`${uri} ${fit === undefined ? 'does not fit' : 'fits'} ${template}`, () =>
			assert.equal(fitOf(template, uri), fit));
	}
});
