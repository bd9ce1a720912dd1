import assert from 'node:assert/strict';
import { callsOf, fold } from '../../src/core/conversation/index.ts';
import { Replay } from '../../src/core/conversation/replay.ts';
import type { Conversation } from '../../src/core/conversation/index.ts';
import type { ReplayStep } from '../../src/core/conversation/replay.ts';
import type { SessionEvent } from '../../src/core/events/sessionEvent.ts';
import { emptyConversation, readFolder, readShape, shapes } from '../transcripts/fixtures.ts';
import type { ReadFixture } from '../transcripts/fixtures.ts';

async function sessions(): Promise<readonly { readonly name: string; readonly fixture: ReadFixture }[]> {
	const recorded = await readFolder('examples/recorded');
	const all = recorded.map((fixture) => ({ name: 'recorded', fixture }));
	for (const shape of shapes) {
		for (const fixture of await readShape(shape)) all.push({ name: shape, fixture });
	}
	return all;
}

function replayOf({ session, events }: ReadFixture): Replay {
	const conversation = emptyConversation(session);
	fold(conversation, events);
	return new Replay(conversation);
}

function placeOf({ place: { source } }: ReplayStep): { readonly path: string; readonly line: number } {
	assert.ok(source.kind === 'transcript');
	return source;
}

/** Whose calls there are, and which of them are answered. */
function outline(conversation: Conversation): readonly string[] {
	return [...conversation.agents.values()]
		.flatMap((agent) =>
			callsOf(agent).map(
				({ id, result }) => `${agent.id} ${id} ${result === undefined ? 'open' : result.isError}`,
			),
		)
		.sort();
}

function outlineAt(replay: Replay, index: number): readonly string[] {
	return [...replay.conversation.agents.values()]
		.flatMap((agent) =>
			replay
				.callsUpTo(agent, index)
				.map((call) => `${agent.id} ${call.id} ${replay.resultAt(call, index)?.isError ?? 'open'}`),
		)
		.sort();
}

describe('a replay', () => {
	it('has at every step what folding up to there gives', async () => {
		let compared = 0;
		for (const { name, fixture } of await sessions()) {
			const replay = replayOf(fixture);
			const reached = new Map<string, number>();
			for (const [index, step] of replay.steps.entries()) {
				const { path, line } = placeOf(step);
				reached.set(path, line);
				const next = replay.steps[index + 1];
				// Blocks of one line are steps of their own, and cannot be folded apart.
				if (next !== undefined && placeOf(next).path === path && placeOf(next).line === line) continue;
				const conversation = emptyConversation(fixture.session);
				fold(conversation, fixture.events.filter(isReached(reached)));
				assert.deepEqual(outlineAt(replay, index), outline(conversation), `${name}, step ${index}`);
				for (const agent of replay.conversation.agents.values()) {
					const states = outlineAt(replay, index).filter((call) => call.startsWith(`${agent.id} `));
					assert.deepEqual(replay.countsAt(agent, index), {
						calls: states.length,
						pending: states.filter((call) => call.endsWith(' open')).length,
						failed: states.filter((call) => call.endsWith(' true')).length,
					});
				}
				compared++;
			}
		}
		assert.ok(compared > 200, String(compared));
	});

	it('keeps the order of each file, and lets no agent begin before the call that starts it', async () => {
		let spawned = 0;
		for (const { name, fixture } of await sessions()) {
			const replay = replayOf(fixture);
			const last = new Map<string, number>();
			for (const step of replay.steps) {
				const { path, line } = placeOf(step);
				assert.ok(line >= (last.get(path) ?? 0), `${name}: ${path}:${line}`);
				last.set(path, line);
			}
			for (const { id, spawnCall } of replay.conversation.agents.values()) {
				const call = spawnCall === undefined ? undefined : replay.indexOfCall(spawnCall);
				const [first] = replay.indexesOf(id);
				if (call === undefined || first === undefined) continue;
				assert.ok(call < first, `${name}: ${id}`);
				spawned++;
			}
		}
		assert.ok(spawned > 10, String(spawned));
	});

	it('finds the steps of a line, or of the next one that has any', async () => {
		const [fixture] = await readShape('claude-code/subagents-2.1.200');
		assert.ok(fixture !== undefined);
		const replay = replayOf(fixture);
		const [path] = [...replay.paths].filter((candidate) => candidate.endsWith('003.jsonl'));
		assert.ok(path !== undefined);
		const lines = (line: number) => replay.placesAt(path, line).map((place) => place.line);
		assert.deepEqual(lines(2), [2]);
		// What stands in line 9 is no step, and nothing comes behind it.
		assert.deepEqual(lines(9), []);
		assert.deepEqual(lines(0), [1]);
		assert.deepEqual(replay.placesAt('/nowhere', 1), []);
	});
});

function isReached(reached: ReadonlyMap<string, number>) {
	return ({ source }: SessionEvent) => source.kind === 'transcript' && source.line <= (reached.get(source.path) ?? 0);
}
