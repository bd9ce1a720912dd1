// 100,000 mutations of real lines: nothing throws, nothing hangs, and what is told stays true.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { createCore } from '../../src/core/core.ts';
import type { OpenOptions } from '../../src/core/core.ts';
import { agentName, callState, isActiveResult, turnsBetween } from '../../src/core/conversation/index.ts';
import type { Conversation } from '../../src/core/conversation/index.ts';
import { sessionEventSchema } from '../../src/core/events/schema.ts';
import { TranscriptFollower } from '../../src/core/transcripts/readSession.ts';
import type { SessionFiles } from '../../src/core/transcripts/sessionFiles.ts';
import type { TranscriptFormatId } from '../../src/core/transcripts/transcriptFormat.ts';
import { MemoryFiles } from './memoryFiles.ts';

const mutationCount = 100_000;
const mutationsPerFile = 10;

const path = '/home/dev/session.jsonl';
const options: OpenOptions = { assume: 'ended', rules: {}, withPreviews: true };

const corpus = { 'claude-code': linesIn('.claude', 'claude-code'), codex: linesIn('.codex', 'codex') } satisfies Record<
	TranscriptFormatId,
	readonly Buffer[]
>;

/** One change to a file of lines; numbers are taken modulo what there is. */
type Mutation = readonly [kind: (typeof kinds)[number], line: number, place: number, amount: number];

const kinds = [
	'flip',
	'cut',
	'splice',
	'nul',
	'double',
	'move',
	'ring',
	'swap',
	'deepen',
	'erase',
	'insert',
	'type',
] as const;

const mutation: fc.Arbitrary<Mutation> = fc.tuple(fc.constantFrom(...kinds), fc.nat(), fc.nat(), fc.nat());

describe('mutated transcripts', function () {
	this.timeout(300_000);

	it(`are read, folded and linted without a throw, ${mutationCount.toLocaleString('en')} mutations long`, async () => {
		let mutated = 0;
		await fc.assert(
			fc.asyncProperty(
				fc.constantFrom<TranscriptFormatId>('claude-code', 'codex'),
				fc.nat(),
				fc.array(mutation, { minLength: mutationsPerFile, maxLength: mutationsPerFile, size: 'max' }),
				async (format, start, mutations) => {
					const lines = someLines(format, start);
					for (const change of mutations) apply(lines, change, format);
					mutated += mutations.length;
					const session: SessionFiles = { format, nativeId: 'session', mainPath: path, agents: [] };
					const files = new MemoryFiles();
					files.write(path, Buffer.concat(lines.flatMap((line) => [line, newline])));
					const read = await coreOver(files).readSession(session, options);
					lookAtEverything(read.conversation);
					assert.equal(read.readings[0]?.bytes, files.bytes(path).length);
					for (const diagnostic of read.diagnostics) {
						assert.ok(
							diagnostic.place.source.kind === 'transcript' &&
								diagnostic.place.source.line <= read.readings[0].lines,
						);
						assert.ok(!diagnostic.message.includes('{{'));
					}
				},
			),
			{ numRuns: mutationCount / mutationsPerFile },
		);
		assert.ok(mutated >= mutationCount, String(mutated));
	});

	it('give events that pass the schema, each about a line that is there', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.constantFrom<TranscriptFormatId>('claude-code', 'codex'),
				fc.nat(),
				fc.array(mutation, { minLength: 5, maxLength: 20 }),
				async (format, start, mutations) => {
					const lines = someLines(format, start);
					for (const change of mutations) apply(lines, change, format);
					const files = new MemoryFiles();
					const bytes = Buffer.concat(lines.flatMap((line) => [line, newline]));
					files.write(path, bytes);
					const follower = TranscriptFollower.ofAgent(
						files,
						{ format, nativeId: 'session', mainPath: path, agents: [] },
						undefined,
						options,
					);
					await follower.readOn((events) => {
						for (const event of events) {
							assert.deepEqual(sessionEventSchema.parse(event), event);
							if (event.source.kind !== 'transcript') continue;
							const { offset, length } = event.source;
							assert.ok(offset + length <= bytes.length);
							assert.ok(offset === 0 || bytes[offset - 1] === 0x0a);
							if (event.type === 'tool-use')
								assert.ok(
									event.arguments.offset >= offset &&
										event.arguments.offset + event.arguments.length <= offset + length,
								);
						}
					});
				},
			),
			{ numRuns: 500 },
		);
	});

	it('are followed in pieces with the same findings as when they are read whole', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.constantFrom<TranscriptFormatId>('claude-code', 'codex'),
				fc.nat(),
				fc.array(mutation, { minLength: 5, maxLength: 30 }),
				fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 8 }),
				async (format, start, mutations, pieces) => {
					const lines = someLines(format, start);
					for (const change of mutations) apply(lines, change, format);
					const bytes = Buffer.concat(lines.flatMap((line) => [line, newline]));
					const session: SessionFiles = { format, nativeId: 'session', mainPath: path, agents: [] };
					const files = new MemoryFiles();
					files.write(path, '');
					const followed = coreOver(files).followSession(session, options);
					for (let from = 0, index = 0; from < bytes.length; index++) {
						const to = from + pieces[index % pieces.length]! + index * 200;
						files.append(path, bytes.subarray(from, to));
						from = to;
						await followed.update();
					}
					const read = await coreOver(files).readSession(session, options);
					assert.deepEqual(followed.diagnostics, read.diagnostics);
					assert.deepEqual(followed.inconclusive, read.inconclusive);
				},
			),
			{ numRuns: 1500 },
		);
	});
});

const newline = Buffer.from('\n');

function coreOver(files: MemoryFiles) {
	return createCore({
		files,
		liveness: { probe: async () => ({ state: 'unknown', evidence: 'Nobody knows.' }) },
		clock: { now: () => 0 },
	});
}

/** Looks at all that a view would look at. */
function lookAtEverything(conversation: Conversation): void {
	for (const agent of conversation.agents.values()) {
		assert.equal(typeof agentName(agent), 'string');
		const seen = new Set([agent.id]);
		for (let parentId = agent.parentId; parentId !== undefined && parentId !== null;) {
			assert.ok(!seen.has(parentId), 'The agents form a ring.');
			seen.add(parentId);
			parentId = conversation.agents.get(parentId)?.parentId;
		}
		for (const call of agent.toolCalls) {
			callState(conversation, call);
			if (call.result === undefined) continue;
			isActiveResult(call, call.result);
			turnsBetween(call, call.result);
		}
	}
}

/** Some neighbouring lines, as many as a short file has. */
function someLines(format: TranscriptFormatId, start: number): Buffer[] {
	const lines = corpus[format];
	const from = start % lines.length;
	return lines.slice(from, from + 25).map((line) => Buffer.from(line));
}

function apply(lines: Buffer[], [kind, lineNumber, placeNumber, amount]: Mutation, format: TranscriptFormatId): void {
	if (lines.length === 0) return;
	const index = lineNumber % lines.length;
	const line = lines[index]!;
	const place = line.length === 0 ? 0 : placeNumber % line.length;
	const other = lines[amount % lines.length]!;
	switch (kind) {
		case 'flip':
			if (line.length > 0) line[place] = line[place]! ^ (1 << (amount % 8));
			break;
		case 'cut':
			lines[index] = line.subarray(0, place);
			break;
		case 'splice':
			lines[index] = Buffer.concat([line.subarray(0, place), other.subarray(amount % (other.length + 1))]);
			break;
		case 'nul':
			line.fill(0, place, Math.min(line.length, place + (amount % 40)));
			break;
		case 'double':
			if (lines.length < 200) lines.splice(amount % lines.length, 0, Buffer.from(line));
			break;
		case 'move':
			lines.splice(amount % lines.length, 0, ...lines.splice(index, 1));
			break;
		case 'ring': {
			// The line's parent becomes itself or another line's id.
			const id = /"(?:uuid|call_id)":"([^"]*)"/.exec(other.toString('latin1'))?.[1] ?? 'x';
			lines[index] = Buffer.from(
				line.toString('latin1').replace(/"parentUuid":(?:null|"[^"]*")/, `"parentUuid":"${id}"`),
				'latin1',
			);
			break;
		}
		case 'swap': {
			// Two ids of the line, whatever they are for, become one; or the other line's.
			const ids = [...other.toString('latin1').matchAll(/"(toolu_\w+|call_\w+|[0-9a-f-]{36})"/g)].map(
				(match) => match[1]!,
			);
			if (ids.length > 0)
				lines[index] = Buffer.from(
					line
						.toString('latin1')
						.replace(/"(?:toolu_\w+|call_\w+|[0-9a-f-]{36})"/, `"${ids[placeNumber % ids.length]}"`),
					'latin1',
				);
			break;
		}
		case 'deepen': {
			const depth = amount % 300;
			lines[index] = Buffer.concat([
				line.subarray(0, place),
				Buffer.from('[{"a":'.repeat(depth)),
				line.subarray(place),
			]);
			break;
		}
		case 'erase':
			lines[index] = Buffer.concat([line.subarray(0, place), line.subarray(place + (amount % 30))]);
			break;
		case 'insert':
			lines[index] = Buffer.concat([
				line.subarray(0, place),
				oddities[amount % oddities.length]!,
				line.subarray(place),
			]);
			break;
		case 'type': {
			const types = format === 'codex' ? codexTypes : claudeTypes;
			lines[index] = Buffer.from(
				line.toString('latin1').replace(/"type":"[^"]*"/, `"type":"${types[amount % types.length]}"`),
				'latin1',
			);
			break;
		}
	}
}

const oddities = [
	'"',
	'\\',
	'\\u',
	'\\ud800',
	'{',
	'}',
	'[',
	']',
	',',
	':',
	'null',
	'-',
	'1e999',
	'\r',
	'\u2028',
	'\ufeff',
	'{"type":',
	'\xff\xfe',
	'🙂',
	'"uuid":"x",',
	'"message":{"content":[',
].map((text) => Buffer.from(text, text === '\xff\xfe' ? 'latin1' : 'utf8'));
const claudeTypes = [
	'user',
	'assistant',
	'system',
	'tool_use',
	'tool_result',
	'server_tool_use',
	'web_search_tool_result',
	'progress',
	'attachment',
	'summary',
	'nothing',
];
const codexTypes = [
	'session_meta',
	'response_item',
	'event_msg',
	'compacted',
	'function_call',
	'function_call_output',
	'thread_rolled_back',
	'turn_aborted',
	'message',
	'nothing',
];

function linesIn(recorded: string, fixtures: string): readonly Buffer[] {
	const lines: Buffer[] = [];
	for (const folder of [join('test/fixtures/transcripts', fixtures), join('examples/recorded', recorded)]) {
		for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })
			.filter((entry) => entry.endsWith('.jsonl'))
			.sort()) {
			const bytes = readFileSync(join(folder, name));
			for (let start = 0; start < bytes.length;) {
				const end = bytes.indexOf(0x0a, start);
				const stop = end === -1 ? bytes.length : end;
				// Notifications hold whole reports; what is long says nothing that a short one does not.
				if (stop - start < 4000) lines.push(bytes.subarray(start, stop));
				start = stop + 1;
			}
		}
	}
	return lines;
}
