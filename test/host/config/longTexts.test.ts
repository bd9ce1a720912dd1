// Configurations of servers come with repositories, and agents write them: one that is made for it must not keep anybody waiting.
// Whatever looks at such a text from each of its characters anew would take minutes here.

import assert from 'node:assert/strict';
import { masksOf } from '../../../src/core/host/config/masking.ts';
import type { ConfigValue } from '../../../src/core/host/config/configValue.ts';
import { secretsInAddress } from '../../../src/core/host/config/secretLooks.ts';
import { expandVariables } from '../../../src/core/host/config/variables.ts';
import type { VariableScope } from '../../../src/core/host/config/variables.ts';

const length = 2 ** 20;
const place = { offset: 0, end: 1 };

function object(name: string, value: ConfigValue): ConfigValue {
	return { kind: 'object', ...place, members: [{ name, offset: 0, value }] };
}

/** What is shown in the place of an argument; `undefined`: itself. */
function shownFor(argument: string): string | undefined {
	const args: ConfigValue = { kind: 'array', ...place, items: [{ kind: 'scalar', ...place, value: argument }] };
	const root = object('mcpServers', object('shop', object('args', args)));
	return masksOf('x', root, [['mcpServers']], [])[0]?.text;
}

describe('a text of a configuration that is a megabyte long', () => {
	for (const [name, argument, shown] of [
		['a query without end', '?'.repeat(length), undefined],
		['a query with a value at its end', `${'?'.repeat(length)}=secret`, `"${'?'.repeat(length)}=…"`],
		['an option that is none', `--${'pwd-'.repeat(length / 4)}!`, undefined],
		['an option with a value', `--${'pwd-'.repeat(length / 4)}=secret`, `"--${'pwd-'.repeat(length / 4)}=…"`],
	] as const)
		it(`is masked: ${name}`, () => assert.ok(shownFor(argument) === shown));

	it('is searched for secrets in its address', () => {
		assert.deepEqual(secretsInAddress(`a://${':'.repeat(length)}`), []);
		assert.equal(secretsInAddress(`a://me${':'.repeat(length)}@b`).length, 2);
	});

	it('is searched for variables', () => {
		const scope: VariableScope = {
			dialect: 'claude',
			environment: { NAME: 'value' },
			folder: '/project',
			homeFolder: '/home',
			separator: '/',
		};
		const open = '${'.repeat(length);
		assert.ok(expandVariables(`\${NAME}${open}`, scope).text === `value${open}`);
	});
});
