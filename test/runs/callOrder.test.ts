// Calls that overlapped overlap again, and begin in the same order, however long they take this time.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { agentId } from '../../src/core/base/ids.ts';
import { callsInOrder } from '../../src/core/runs/callOrder.ts';
import type { RecordedCall } from '../../src/core/runs/recordedCalls.ts';
import { replayCalls } from '../../src/core/runs/replayCalls.ts';
import type { MadeCall } from '../../src/core/runs/replayCalls.ts';
import { MemoryFiles } from '../transcripts/memoryFiles.ts';

interface Spoken {
	readonly agent: string;
	readonly from: number;
	/** `undefined`: it was never answered. */
	readonly to: number | undefined;
}

const path = '/arguments.json';
const source = { kind: 'transcript', path, line: 1, offset: 0, length: 2 } as const;
const files = new MemoryFiles();
files.write(path, '{}');
const place = { source, range: undefined };

describe('the order of a replay', () => {
	it('makes what overlapped overlap again', () => {
		const calls = recorded([
			{ agent: 'main', from: 0, to: 10 },
			{ agent: 'a', from: 10, to: 30 },
			{ agent: 'b', from: 12, to: 20 },
			{ agent: 'b', from: 21, to: undefined },
			{ agent: 'main', from: 40, to: 41 },
		]);
		assert.deepEqual(
			callsInOrder(calls, 'recorded').map(({ after, beside }) => ({ after, beside })),
			[
				{ after: [], beside: [] },
				{ after: [0], beside: [] },
				{ after: [], beside: [1] },
				{ after: [2], beside: [1] },
				{ after: [1], beside: [3] },
			],
		);
		// By time only an agent's own answers are waited for.
		assert.deepEqual(
			callsInOrder(calls, 'timed').map(({ after }) => after),
			[[], [], [], [2], [0]],
		);
	});

	it('begins calls in one order, and none before those that had ended, whatever they take', async () => {
		const spoken = fc.record({
			agent: fc.constantFrom('main', 'a', 'b', 'c'),
			from: fc.nat(50),
			length: fc.option(fc.nat(30), { nil: undefined }),
		});
		await fc.assert(
			fc.asyncProperty(
				fc.array(spoken, { maxLength: 20 }),
				fc.array(fc.nat(5), { minLength: 20, maxLength: 20 }),
				async (some, delays) => {
					const calls = recorded(
						some.map(({ agent, from, length }) => ({
							agent,
							from,
							to: length === undefined ? undefined : from + length,
						})),
					);
					const begun: number[] = [];
					const ended = new Set<number>();
					const results = await replayCalls(
						files,
						callsInOrder(calls, 'recorded'),
						{
							async make(call): Promise<MadeCall> {
								for (const other of calls) {
									const hasEnded = (other.endedAt ?? Infinity) <= (call.startedAt ?? 0);
									if (other.index < call.index && hasEnded) assert.ok(ended.has(other.index));
								}
								begun.push(call.index);
								for (let turn = delays[call.index] ?? 0; turn > 0; turn--) await Promise.resolve();
								ended.add(call.index);
								return { kind: 'result', result: { content: [] }, durationMs: 1 };
							},
						},
						{ elapsed: () => 0, after: () => ({ dispose() {} }) },
						{ ignored: [], speed: undefined },
					);
					assert.deepEqual(
						begun,
						calls.map(({ index }) => index),
					);
					assert.equal(results.length, calls.length);
				},
			),
		);
	});

	it('keeps the times, faster', async () => {
		const calls = recorded([
			{ agent: 'main', from: 100, to: 110 },
			{ agent: 'a', from: 300, to: 310 },
			{ agent: 'b', from: 500, to: 510 },
		]);
		let now = 0;
		const begun: number[] = [];
		await replayCalls(
			files,
			callsInOrder(calls, 'timed'),
			{
				async make(): Promise<MadeCall> {
					begun.push(now);
					return { kind: 'error', message: 'no', durationMs: 1 };
				},
			},
			{
				elapsed: () => now,
				after(milliseconds, callback) {
					now += milliseconds;
					queueMicrotask(callback);
					return { dispose() {} };
				},
			},
			{ ignored: [], speed: 4 },
		);
		assert.deepEqual(begun, [0, 50, 100]);
	});
});

function recorded(spoken: readonly Spoken[]): readonly RecordedCall[] {
	return [...spoken]
		.sort((one, other) => one.from - other.from)
		.map(({ agent, from, to }, index) => ({
			index,
			id: `call ${index}`,
			server: 'notes',
			tool: 'read',
			agentId: agentId(agent),
			agentName: agent,
			startedAt: from,
			endedAt: to,
			durationMs: undefined,
			place,
			given: { place, body: { offset: 0, length: 2, preview: '' } },
			outcome: undefined,
		}));
}
