// What a launch configuration says of faults on purpose, and how it comes to the run that is started.

import assert from 'node:assert/strict';
import { faultWord, readFault } from '../../src/core/host/faults/index.ts';
import type { FaultDefinition } from '../../src/core/host/faults/index.ts';
import { configurationOf } from '../../src/debugAdapter/configurations.ts';

describe('faults of a launch configuration', () => {
	it('are taken as objects and as words', () => {
		const configuration = configurationOf('launch', {
			program: 'claude',
			faults: [{ kind: 'drop', tool: 'orders/*', every: 3 }, 'hang,tool=chat/*,times=2'],
		});
		assert.ok(configuration.kind === 'launch');
		assert.deepEqual(configuration.launch.faults, [
			{ kind: 'drop', tool: 'orders/*', every: 3 },
			{ kind: 'hang', tool: 'chat/*', times: 2 },
		]);
	});

	it('are refused with their place when they are none', () => {
		for (const [faults, sentence] of [
			['hang', /faults/],
			[
				[{ kind: 'drop' }, { kind: 'explode' }],
				'"faults[1]": "kind" is one of delay, hang, error, drop, kill, tear, evict, twice.',
			],
			[['hang,every=0'], '"faults[0]": "every" is a whole number from 1.'],
			[[7], '"faults[0]": A fault is an object with a "kind".'],
		] as const) {
			assert.throws(() => configurationOf('launch', { program: 'claude', faults }), {
				name: 'ExpectedError',
				message: sentence,
			});
		}
	});

	it('come through a command line as they are', () => {
		const faults: readonly (readonly [FaultDefinition, string | undefined])[] = [
			[{ kind: 'kill' }, 'kill'],
			[{ kind: 'delay', tool: 'chat/*', ms: 20, every: 3 }, 'delay,tool=chat/*,ms=20,every=3'],
			[{ kind: 'drop', probability: 0.25, seed: 4 }, 'drop,probability=0.25,seed=4'],
			[{ kind: 'error', message: 'No, "sorry"' }, undefined],
			[{ kind: 'error', message: 'a = b' }, 'error,message=a = b'],
			[{ kind: 'error', message: ' padded ' }, undefined],
		];
		for (const [fault, expected] of faults) {
			const word = faultWord(fault);
			assert.equal(word, expected ?? JSON.stringify(fault));
			assert.deepEqual(readFault(word), { fault });
		}
	});
});
