// What is said of a result beside the one that was recorded, in whichever way an agent or a host has written that down.

import assert from 'node:assert/strict';
import { agentId } from '../../src/core/base/ids.ts';
import { callsInOrder } from '../../src/core/runs/callOrder.ts';
import { ignoredPath } from '../../src/core/runs/jsonDifference.ts';
import type { RecordedCall } from '../../src/core/runs/recordedCalls.ts';
import { replayCalls } from '../../src/core/runs/replayCalls.ts';
import type { MadeCall, ReplayVerdict } from '../../src/core/runs/replayCalls.ts';
import { MemoryFiles } from '../transcripts/memoryFiles.ts';

const text = (value: string) => [{ type: 'text', text: value }];
const rows = '{"rows":[1,2],"at":"10:00"}';

interface Case {
	readonly title: string;
	readonly from?: 'wire' | 'transcript';
	/** `undefined`: it was never answered. */
	readonly recorded: unknown;
	readonly isError?: boolean;
	/** A text: it failed with it. */
	readonly made: object | string;
	readonly ignore?: string;
	/** The verdict, and where the difference is. */
	readonly expected: string;
	readonly given?: unknown;
}

const cases: readonly Case[] = [
	{
		title: 'the same, on the wire',
		from: 'wire',
		recorded: { content: text(rows) },
		made: { content: text(rows) },
		expected: 'equal',
	},
	{
		title: 'what one side says beside it',
		from: 'wire',
		recorded: { content: text('a'), _meta: { a: 1 } },
		made: { content: text('a'), _meta: { a: 2 } },
		expected: 'equal',
	},
	{
		title: 'another row, on the wire',
		from: 'wire',
		recorded: { content: text(rows) },
		made: { content: text(rows.replace('2]', '3]')) },
		expected: 'differs content[0].text.rows[1]',
	},
	{
		title: 'another time, which is ignored',
		from: 'wire',
		recorded: { content: text(rows) },
		made: { content: text(rows.replace('10', '11')) },
		ignore: 'at',
		expected: 'equal',
	},
	{
		title: 'other structured content',
		from: 'wire',
		recorded: { content: [], structuredContent: { n: 1 } },
		made: { content: [], structuredContent: { n: 2 } },
		expected: 'differs structuredContent.n',
	},
	{
		title: 'a block more',
		from: 'wire',
		recorded: { content: text('a') },
		made: { content: [...text('a'), ...text('b')] },
		expected: 'differs content[1]',
	},
	{ title: 'the blocks of a transcript', recorded: text('a'), made: { content: text('a') }, expected: 'equal' },
	{
		title: 'blocks with marks of the client',
		recorded: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }],
		made: { content: [{ type: 'text', text: 'a', annotations: { audience: ['user'] } }] },
		expected: 'equal',
	},
	{
		title: 'a plain text in a transcript',
		recorded: 'a\nb',
		made: { content: [...text('a'), ...text('b')] },
		expected: 'equal',
	},
	{
		title: 'structured content as the text of a transcript',
		recorded: '{"n":1}',
		made: { content: text('one'), structuredContent: { n: 1 } },
		expected: 'equal',
	},
	{
		title: 'what Codex writes around it',
		recorded: [
			{ type: 'input_text', text: 'Wall time: 0.0020 seconds\nOutput:' },
			{ type: 'input_text', text: 'a' },
		],
		made: { content: text('a') },
		expected: 'equal',
	},
	{
		title: 'another text in a transcript',
		recorded: text(rows),
		made: { content: text(rows.replace('1,', '7,')) },
		expected: 'differs [0].text.rows[0]',
	},
	{
		title: 'a result that was too long for its transcript',
		recorded: '<persisted-output>\nOutput too large',
		made: { content: text('a') },
		expected: 'unrecorded',
	},
	{ title: 'a call without an answer', recorded: undefined, made: { content: text('a') }, expected: 'unrecorded' },
	{
		title: 'an error now',
		recorded: text('a'),
		made: 'The server has ended.',
		expected: 'failed The server has ended.',
	},
	{
		title: 'a result that is an error now',
		recorded: text('a'),
		made: { content: text('No such row'), isError: true },
		expected: 'failed No such row',
	},
	{
		title: 'an error then',
		recorded: text('No such row'),
		isError: true,
		made: { content: text('a') },
		expected: 'recovered error',
	},
	{
		title: 'the same error',
		from: 'wire',
		recorded: { code: -32000, message: 'No such row' },
		isError: true,
		made: 'No such row',
		expected: 'equal',
	},
	{
		title: 'the same error, in the words of a client',
		recorded: 'MCP error -32000: No such row',
		isError: true,
		made: 'No such row',
		expected: 'equal',
	},
	{
		title: 'another error',
		from: 'wire',
		recorded: { code: -32000, message: 'No such row' },
		isError: true,
		made: 'Too busy',
		expected: 'differs error',
	},
	{
		title: 'a result that was an error on the wire',
		from: 'wire',
		recorded: { content: text('No such row'), isError: true },
		made: { content: text('No such row'), isError: true },
		expected: 'equal',
	},
	{
		title: 'arguments with a secret',
		given: { token: '[redacted]' },
		recorded: text('a'),
		made: { content: text('a') },
		expected: 'skipped',
	},
	{
		title: 'arguments that are none',
		given: 'a text',
		recorded: text('a'),
		made: { content: text('a') },
		expected: 'skipped',
	},
];

describe('a call that is made again', () => {
	for (const one of cases) {
		it(`is "${one.expected}": ${one.title}`, async () => {
			assert.equal(words(await verdictOf(one)), one.expected);
		});
	}

	it('gets the arguments that were recorded, also where they are JSON within a text', async () => {
		const given: unknown[] = [];
		await verdictOf({ ...cases[0]!, given: JSON.stringify({ path: 'a' }) }, given);
		assert.deepEqual(given, [{ path: 'a' }]);
	});

	it('is not made when nobody waits any more', async () => {
		const stop = new AbortController();
		stop.abort();
		const given: unknown[] = [];
		await assert.rejects(verdictOf(cases[0]!, given, stop.signal), { name: 'AbortError' });
		assert.deepEqual(given, []);
	});
});

function words(verdict: ReplayVerdict | undefined): string {
	if (verdict === undefined) return 'nothing';
	if ('difference' in verdict) return `${verdict.kind} ${verdict.difference.path}`;
	return 'message' in verdict ? `${verdict.kind} ${verdict.message}` : verdict.kind;
}

async function verdictOf(
	{ from = 'transcript', recorded, isError = false, made, ignore, given = {} }: Case,
	sent: unknown[] = [],
	signal?: AbortSignal,
): Promise<ReplayVerdict | undefined> {
	const files = new MemoryFiles();
	const bodyOf = (path: string, value: unknown) => {
		const json = JSON.stringify(value);
		files.write(path, json);
		const length = Buffer.byteLength(json);
		const source = { kind: 'transcript', path, line: 1, offset: 0, length } as const;
		return { place: { source, range: undefined }, body: { offset: 0, length, preview: '' } };
	};
	const call: RecordedCall = {
		index: 0,
		id: 'toolu_1',
		server: 'notes',
		tool: 'read',
		agentId: agentId('main'),
		agentName: 'main',
		startedAt: 0,
		endedAt: 1,
		durationMs: 1,
		place: bodyOf('/line', {}).place,
		given: bodyOf('/given', given),
		outcome: recorded === undefined ? undefined : { ...bodyOf('/recorded', recorded), from, isError },
	};
	const path = ignore === undefined ? undefined : ignoredPath(ignore);
	const [replayed] = await replayCalls(
		files,
		callsInOrder([call], 'recorded'),
		{
			async make(_call, values): Promise<MadeCall> {
				sent.push(values);
				return typeof made === 'string'
					? { kind: 'error', message: made, durationMs: 1 }
					: { kind: 'result', result: { ...made }, durationMs: 1 };
			},
		},
		{ elapsed: () => 0, after: () => ({ dispose() {} }) },
		{ ignored: path === undefined ? [] : [path], speed: undefined, signal },
	);
	return replayed?.verdict;
}
