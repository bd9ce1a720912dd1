// What must hold whatever the order in which logs come in, and however they are cut into batches.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fold } from '../../src/core/conversation/index.ts';
import type { Conversation } from '../../src/core/conversation/index.ts';
import { FORMAT_VERSION } from '../../src/core/events/sessionEvent.ts';
import type { SessionEvent } from '../../src/core/events/sessionEvent.ts';
import { Linter } from '../../src/core/rules/linter.ts';
import { emptyConversation, readFolder, readShape, shapes } from '../transcripts/fixtures.ts';
import type { ReadFixture } from '../transcripts/fixtures.ts';
import { outline } from './outline.ts';

describe('a conversation', () => {
	const fixtures: { readonly name: string; readonly fixture: ReadFixture }[] = [];

	before(async () => {
		for (const shape of shapes) {
			for (const fixture of await readShape(shape)) fixtures.push({ name: shape, fixture });
		}
		for (const fixture of await readFolder('examples/recorded'))
			fixtures.push({ name: 'a recorded session', fixture });
	});

	it('is the same for any interleaving of the logs of its session', () => {
		for (const { name, fixture } of fixtures) {
			const logs = logsOf(fixture.events);
			if (logs.length < 2) continue;
			const expected = outline(foldInBatches(fixture, fixture.events, []));
			fc.assert(
				fc.property(
					fc.array(fc.nat(), { minLength: 20, maxLength: 60 }),
					fc.array(fc.nat(12), { maxLength: 30 }),
					(choices, batches) => {
						const events = interleaved(logs, choices);
						assert.equal(outline(foldInBatches(fixture, events, batches)), expected, name);
					},
				),
				{ numRuns: 60 },
			);
		}
	});

	it('is the same however its events are cut into batches', () => {
		for (const { name, fixture } of fixtures) {
			const expected = outline(foldInBatches(fixture, fixture.events, []));
			fc.assert(
				fc.property(fc.array(fc.nat(9), { maxLength: 60 }), (batches) => {
					assert.equal(outline(foldInBatches(fixture, fixture.events, batches)), expected, name);
				}),
				{ numRuns: 30 },
			);
		}
	});

	it('is linted as it grows with the same findings as at the end', () => {
		for (const { name, fixture } of fixtures) {
			const logs = logsOf(fixture.events);
			fc.assert(
				fc.property(
					fc.array(fc.nat(), { minLength: 5, maxLength: 40 }),
					fc.array(fc.nat(9), { maxLength: 60 }),
					fc.constantFrom('live', 'ended', 'unknown'),
					(choices, batches, state) => {
						const conversation = emptyConversation(fixture.session);
						const growing = new Linter(conversation, {}, {});
						const events = [...interleaved(logs, choices), livenessEvent(conversation, state)];
						for (const batch of cut(events, batches)) growing.update(fold(conversation, batch));
						const whole = new Linter(conversation, {}, {});
						whole.lintAll();
						assert.deepEqual(findings(growing), findings(whole), name);
					},
				),
				{ numRuns: 40 },
			);
		}
	});

	it('says which items a fold may have changed, and no others are different', () => {
		for (const { name, fixture } of fixtures) {
			const conversation = emptyConversation(fixture.session);
			const before = new Map<string, string>();
			for (const batch of cut(fixture.events, [3, 1, 4, 1, 5, 9, 2, 6])) {
				const changes = fold(conversation, batch);
				for (const agent of conversation.agents.values()) {
					for (const message of agent.messages) {
						const key = `${agent.id} ${message.id} ${JSON.stringify(message.place.source)}`;
						const told = `${message.isActive} ${message.parts.join()} ${message.stopReason ?? ''}`;
						if (before.get(key) !== told) assert.ok(changes.messages.has(message), `${name}: ${key}`);
						before.set(key, told);
					}
					for (const call of agent.toolCalls) {
						const key = `${agent.id} ${call.id}`;
						const told = `${call.result?.place.source.kind} ${call.furtherResults.length} ${call.isDetached} ${call.outcome} ${call.spawnedAgentId} ${call.isResultCleared}`;
						if (before.get(key) !== told) assert.ok(changes.toolCalls.has(call), `${name}: ${key} ${told}`);
						before.set(key, told);
					}
				}
			}
		}
	});
});

/** The events of each log in their order. */
function logsOf(events: readonly SessionEvent[]): readonly (readonly SessionEvent[])[] {
	const logs = new Map<string, SessionEvent[]>();
	for (const event of events) {
		const log = event.source.kind === 'transcript' ? event.source.path : event.source.kind;
		const known = logs.get(log);
		if (known === undefined) logs.set(log, [event]);
		else known.push(event);
	}
	return [...logs.values()];
}

/** Takes from the logs in turn as the choices say, again and again, a few events at a time. */
function interleaved(logs: readonly (readonly SessionEvent[])[], choices: readonly number[]): SessionEvent[] {
	const positions = logs.map(() => 0);
	const events: SessionEvent[] = [];
	for (let turn = 0; ; turn++) {
		const open = logs.flatMap((log, index) => (positions[index]! < log.length ? [index] : []));
		if (open.length === 0) return events;
		const choice = choices[turn % choices.length]! + turn;
		const index = open[choice % open.length]!;
		const position = positions[index]!;
		const end = position + 1 + (choice % 7);
		events.push(...logs[index]!.slice(position, end));
		positions[index] = end;
	}
}

function cut(events: readonly SessionEvent[], lengths: readonly number[]): (readonly SessionEvent[])[] {
	const batches: (readonly SessionEvent[])[] = [];
	let start = 0;
	for (let index = 0; start < events.length; index++) {
		const end = lengths.length === 0 ? events.length : start + 1 + lengths[index % lengths.length]!;
		batches.push(events.slice(start, end));
		start = end;
	}
	return batches;
}

function foldInBatches(
	{ session }: ReadFixture,
	events: readonly SessionEvent[],
	lengths: readonly number[],
): Conversation {
	const conversation = emptyConversation(session);
	for (const batch of cut(events, lengths)) fold(conversation, batch);
	return conversation;
}

function findings(linter: Linter): unknown {
	const place = (entry: { readonly place: unknown }) => JSON.stringify(entry.place);
	return {
		diagnostics: linter.diagnostics
			.map(
				(diagnostic) =>
					`${diagnostic.ruleId} ${diagnostic.message} ${place(diagnostic)} ${diagnostic.related.map(place).join()}`,
			)
			.sort(),
		inconclusive: linter.inconclusive.map((entry) => `${entry.ruleId} ${entry.message} ${place(entry)}`).sort(),
	};
}

function livenessEvent(conversation: Conversation, state: 'live' | 'ended' | 'unknown'): SessionEvent {
	return {
		version: FORMAT_VERSION,
		seq: 0,
		sessionId: conversation.sessionId,
		agent: { unknown: 'A process is not an agent.' },
		source: { kind: 'process' },
		type: 'session-liveness',
		state,
		evidence: 'The test says so.',
	};
}
