import assert from 'node:assert/strict';
import { checkFaults, faultText, readFault } from '../../../src/core/host/faults/index.ts';

describe('a definition of a fault', () => {
	it('is taken as it is written, and what is wrong is said with its place', () => {
		const good = { kind: 'delay', tool: 'chat/*', ms: 20, every: 2, times: 3 };
		const { faults, problems } = checkFaults([
			good,
			{ kind: 'explode' },
			{ tool: 'chat/*' },
			'hang',
			{ kind: 'hang', every: 0, colour: 'red' },
			{ kind: 'hang', ms: 5 },
			{ kind: 'error', probability: 0.5 },
			{ kind: 'error', probability: 0.5, seed: 1, every: 2 },
			{ kind: 'delay', reconnect: 'naive' },
		]);
		assert.deepEqual(faults, [good]);
		assert.deepEqual(
			problems.map(({ path, message }) => `${path}: ${message}`),
			[
				'faults[1].kind: "kind" is one of delay, hang, error, drop, kill, tear, evict, twice.',
				'faults[2]: A fault needs a "kind": delay, hang, error, drop, kill, tear, evict, twice.',
				'faults[3]: A fault is an object with a "kind".',
				'faults[4].every: "every" is a whole number from 1.',
				'faults[4].colour: A fault has no "colour".',
				'faults[5].ms: "ms" is for delay and kill and tear, not for hang.',
				'faults[6]: A "probability" needs a "seed": what happened is to happen again.',
				'faults[7]: "every" and "probability" exclude each other.',
				'faults[8].reconnect: "reconnect" is for hang and drop, not for delay.',
			],
		);
		assert.deepEqual(checkFaults({}).problems, [{ path: 'faults', message: 'It is a list of faults.' }]);
		assert.deepEqual(checkFaults(undefined), { faults: [], problems: [] });
	});

	it('can be said in the words of a command line', () => {
		for (const [text, fault, words] of [
			['kill', { kind: 'kill' }, 'kill of any tool, once'],
			['hang,once', { kind: 'hang', times: 1 }, 'hang of any tool, once'],
			[
				'delay, tool=chat/*, ms=20, every=3',
				{ kind: 'delay', tool: 'chat/*', ms: 20, every: 3 },
				'delay by 20 ms of chat/*, each 3. call',
			],
			[
				'{"kind":"error","message":"No, sorry","agent":"a*","times":2}',
				{ kind: 'error', message: 'No, sorry', agent: 'a*', times: 2 },
				'error of any tool by a*, at most 2 times',
			],
			[
				'drop,probability=0.25,seed=4',
				{ kind: 'drop', probability: 0.25, seed: 4 },
				'drop of any tool, 25 % of the calls (seed 4)',
			],
		] as const) {
			const read = readFault(text);
			assert.ok('fault' in read, JSON.stringify(read));
			assert.deepEqual(read.fault, fault);
			assert.equal(faultText(read.fault), words);
		}
		for (const [text, problem] of [
			['', '"kind" is one of delay, hang, error, drop, kill, tear, evict, twice.'],
			['hang,tool', '"tool" in a fault is to be NAME=VALUE.'],
			['hang,every=often', '"every" is a whole number from 1.'],
			['{"kind"', /^The fault is no JSON: /],
		] as const) {
			const read = readFault(text);
			assert.ok('problem' in read);
			if (typeof problem === 'string') assert.equal(read.problem, problem);
			else assert.match(read.problem, problem);
		}
	});
});
