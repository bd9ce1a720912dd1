import assert from 'node:assert/strict';
import { isLinearizable } from './linearizability.ts';
import { ObservedCall, emptyModel } from './sessionModel.ts';
import type { ModelCall, Outcome } from './sessionModel.ts';

const look: ModelCall = { key: undefined, tool: 'look', number: 0 };
const add = (number: number, key?: string): ModelCall => ({ key, tool: 'add', number });
const set = (number: number, key?: string): ModelCall => ({ key, tool: 'set', number });
const replied = (seq: number, register: number, count: number): Outcome => ({
	kind: 'replied',
	reply: { seq, register, count },
});
const read = (seq: number, register: number, count: number): Outcome => ({
	kind: 'read',
	found: { seq, register, count },
});
const unknown: Outcome = { kind: 'unknown' };
const reused: Outcome = { kind: 'reused' };

type Entry = readonly [call: ModelCall, outcome: Outcome, begunAt: number, answeredAt: number];

const histories: readonly { readonly title: string; readonly isRight: boolean; readonly entries: readonly Entry[] }[] =
	[
		{ title: 'nothing happened', isRight: true, entries: [] },
		{
			title: 'one after the other',
			isRight: true,
			entries: [
				[add(1), replied(0, 0, 1), 0, 1],
				[add(2), replied(1, 0, 3), 2, 3],
			],
		},
		{
			title: 'together, and the later one was first',
			isRight: true,
			entries: [
				[add(1), replied(1, 0, 3), 0, 5],
				[add(2), replied(0, 0, 2), 1, 4],
			],
		},
		{
			title: 'the later one was first though the other had been answered',
			isRight: false,
			entries: [
				[add(1), replied(1, 0, 3), 0, 1],
				[add(2), replied(0, 0, 2), 2, 3],
			],
		},
		{
			title: 'an update was lost',
			isRight: false,
			entries: [
				[add(1), replied(0, 0, 1), 0, 5],
				[add(1), replied(0, 0, 1), 1, 4],
			],
		},
		{
			title: 'a stale state was read',
			isRight: false,
			entries: [
				[set(7), replied(0, 7, 0), 0, 1],
				[look, read(0, 0, 0), 2, 3],
			],
		},
		{
			title: 'a state was read while it was changed',
			isRight: true,
			entries: [
				[set(7), replied(0, 7, 0), 0, 4],
				[look, read(0, 0, 0), 2, 3],
				[look, read(1, 7, 0), 2, 3],
			],
		},
		{
			title: 'a state was read, and later the one before it',
			isRight: false,
			entries: [
				[set(7), unknown, 0, 1],
				[look, read(1, 7, 0), 2, 3],
				[look, read(0, 0, 0), 4, 5],
			],
		},
		{
			title: 'what was acknowledged is gone',
			isRight: false,
			entries: [
				[add(1), replied(0, 0, 1), 0, 1],
				[add(1), replied(1, 0, 2), 2, 3],
				[look, replied(1, 0, 1), 4, 5],
			],
		},
		{
			title: 'one whose end is unknown took effect late',
			isRight: true,
			entries: [
				[add(5), unknown, 0, 1],
				[look, replied(0, 0, 0), 2, 3],
				[look, replied(2, 0, 5), 4, 5],
			],
		},
		{
			title: 'one whose end is unknown never took effect',
			isRight: true,
			entries: [
				[add(5), unknown, 0, 1],
				[look, replied(0, 0, 0), 2, 3],
			],
		},
		{
			title: 'one whose end is unknown took effect before it was begun',
			isRight: false,
			entries: [
				[look, replied(1, 0, 5), 0, 1],
				[add(5), unknown, 2, 3],
			],
		},
		{
			title: 'a call was repeated and got the first reply',
			isRight: true,
			entries: [
				[add(1, 'a'), replied(0, 0, 1), 0, 1],
				[add(1), replied(1, 0, 2), 2, 3],
				[add(1, 'a'), replied(0, 0, 1), 4, 5],
			],
		},
		{
			title: 'a call was repeated and ran again',
			isRight: false,
			entries: [
				[add(1, 'a'), replied(0, 0, 1), 0, 1],
				[add(1, 'a'), replied(1, 0, 2), 2, 3],
			],
		},
		{
			title: 'one whose end is unknown was repeated and had run twice',
			isRight: false,
			entries: [
				[add(1, 'a'), unknown, 0, 1],
				[add(1, 'a'), unknown, 2, 3],
				[look, read(2, 0, 2), 4, 5],
			],
		},
		{
			title: 'a key was used for another call',
			isRight: true,
			entries: [
				[add(1, 'a'), replied(0, 0, 1), 0, 1],
				[add(2, 'a'), reused, 2, 3],
			],
		},
		{
			title: 'a key was used for another call, which ran',
			isRight: false,
			entries: [
				[add(1, 'a'), replied(0, 0, 1), 0, 1],
				[add(2, 'a'), replied(1, 0, 3), 2, 3],
			],
		},
		{
			title: 'a key that nobody had used was refused',
			isRight: false,
			entries: [[add(2, 'a'), reused, 2, 3]],
		},
	];

describe('the checker of histories', () => {
	for (const { title, isRight, entries } of histories) {
		it(`says that it is ${isRight ? 'right' : 'wrong'}: ${title}`, () => {
			const history = entries.map((entry) => new ObservedCall(...entry));
			assert.equal(isLinearizable(history, emptyModel), isRight);
		});
	}

	it('is done soon with many who all met', () => {
		const history = Array.from(
			{ length: 14 },
			(_, index) => new ObservedCall(add(1), replied(index, 0, index + 1), 0, 99),
		);
		assert.equal(isLinearizable(history, emptyModel), true);
		const lost = [...history, new ObservedCall(add(1), replied(13, 0, 14), 0, 99)];
		assert.equal(isLinearizable(lost, emptyModel), false);
	});
});
