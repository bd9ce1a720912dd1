import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { nodeObstacle } from '../../src/cli/nodeVersion.ts';

const told = (version: string) => `Crosstalk needs Node 22.13 or newer; this is Node ${version}.`;

describe('the version of Node', () => {
	for (const [version, obstacle] of [
		['22.13.0', undefined],
		['22.22.1', undefined],
		['24.0.0', undefined],
		['100.1.0-nightly', undefined],
		['22.12.9', told('22.12.9')],
		['20.20.2', told('20.20.2')],
		['9.0.0', told('9.0.0')],
	] as const) {
		it(`is told of in one sentence if it is too old: ${version}`, () => {
			assert.equal(nodeObstacle(version), obstacle);
		});
	}

	it('is that of the manifest', () => {
		const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
			engines: { node: string };
		};
		const [, oldest = ''] = />=([\d.]+)$/.exec(engines.node) ?? [];
		assert.equal(nodeObstacle(`${oldest}.0`), undefined);
		const [major = 0, minor = 0] = oldest.split('.').map(Number);
		assert.notEqual(nodeObstacle(`${major}.${minor - 1}.0`), undefined);
	});
});
