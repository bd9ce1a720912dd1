import assert from 'node:assert/strict';
import { misspeltServers, serverOfPattern } from '../../src/core/host/misspeltServers.ts';

describe('misspelt servers', () => {
	it('are told where there is one of nearly that name', () => {
		assert.deepEqual(misspeltServers(['analtics', 'chat', 'analtics'], ['analytics', 'chat']), [
			'There is no server "analtics"; did you mean "analytics"?',
		]);
	});

	it('are not taken for such where nothing is known, or a server may be still to come, or a pattern is meant', () => {
		assert.deepEqual(misspeltServers(['analtics'], []), []);
		assert.deepEqual(misspeltServers(['orders'], ['analytics', 'chat']), []);
		assert.deepEqual(misspeltServers(['analtic*', '{chta,x}'], ['analytics', 'chat']), []);
		assert.deepEqual(misspeltServers(['chat'], ['chat', 'chats']), []);
	});

	for (const [pattern, server] of [
		['analytics/*', 'analytics'],
		['*/query', '*'],
		['mcp__analytics__query', 'analytics'],
		['Bash', undefined],
		['*_query', undefined],
	] as const) {
		it(`in the pattern ${pattern}: ${String(server)}`, () => assert.equal(serverOfPattern(pattern), server));
	}
});
