// Counts of calls, results and compactions, against those of a count that knows nothing but JSON and ids. The fixtures have such an
// inventory; so may a collection of transcripts beside the project, or the folder that CROSSTALK_TRANSCRIPTS names.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { callState, fold } from '../../src/core/conversation/index.ts';
import type { Conversation, Place } from '../../src/core/conversation/index.ts';
import { FORMAT_VERSION } from '../../src/core/events/sessionEvent.ts';
import { Linter } from '../../src/core/rules/linter.ts';
import { findSessions, pathsOf } from '../../src/core/transcripts/sessionFiles.ts';
import { readSession } from '../../src/core/transcripts/readSession.ts';
import { emptyConversation, nodeFiles } from './fixtures.ts';

interface Entry {
	readonly file: string;
	readonly fmt: string;
	/** Distinct ids of calls, of results, and of those that lack the other. */
	readonly uses: number;
	readonly results: number;
	readonly orphan_use: number;
	readonly orphan_res: number;
	/** Lines that are not JSON. */
	readonly bad: number;
	readonly compact: number;
}

const fields = ['uses', 'results', 'orphan_use', 'orphan_res', 'bad', 'compact'] as const;
type Counts = Readonly<Record<(typeof fields)[number], number>>;

interface Difference extends Partial<Counts> {
	/** The end of the file's path. */
	readonly file: string;
	readonly why: string;
}

/** Where we count otherwise, and are right. */
const differences: readonly Difference[] = [
	{
		file: 'v2-forked-children/rollout-2026-11-21T08-28-53-01a1fd38-fdb9-7701-bf11-f09b1db89331.jsonl',
		uses: 3,
		orphan_use: 0,
		why: "The two calls more are the parent's own, in the copy of its history with which a forked child begins.",
	},
	{
		file: 'v2-forked-children/rollout-2026-11-21T08-28-53-01a1fd38-fdde-7493-8de8-0edd6fdb87d4.jsonl',
		uses: 3,
		results: 3,
		orphan_use: 0,
		why: "Two calls and a result more are the parent's own, in the copy of its history with which a forked child begins.",
	},
	{
		file: 'v2-forked-children-0.169.0/2026/11/21/rollout-2026-11-21T08-28-53-01a1fd38-fdb9-7701-bf11-f09b1db89331.jsonl',
		uses: 3,
		orphan_use: 0,
		why: 'As above: a cut of the same run.',
	},
	{
		file: 'v2-forked-children-0.169.0/2026/11/21/rollout-2026-11-21T08-28-53-01a1fd38-fdde-7493-8de8-0edd6fdb87d4.jsonl',
		uses: 3,
		results: 3,
		orphan_use: 0,
		why: 'As above: a cut of the same run.',
	},
];

/** Calls that the client makes for itself. */
const sideCall = /agent-a(compact|prompt_suggestion|side_question)-[^/]*$/;

const beside = '../shared/data';
const named = process.env['CROSSTALK_TRANSCRIPTS'];
const collection = named ?? (existsSync(`${beside}/inventory.json`) ? beside : undefined);

describe('the inventory of the fixtures', () => compareWith('test/fixtures/transcripts'));

if (collection === undefined) {
	describe('the inventory of a collection of transcripts', () => {
		it('is not compared: there is no collection beside the project, and CROSSTALK_TRANSCRIPTS names none', () => {
			assert.equal(existsSync(`${beside}/inventory.json`), false);
		});
	});
} else {
	describe(`the inventory of ${named === undefined ? 'the collection of transcripts beside the project' : 'the collection that CROSSTALK_TRANSCRIPTS names'}`, () =>
		compareWith(collection));
}

function compareWith(folder: string): void {
	// JSON.parse gives `any`; the file is ours or of the shape that is asked for.
	const listed = (JSON.parse(readFileSync(`${folder}/inventory.json`, 'utf8')) as Entry[]).filter(
		(entry) => entry.fmt === 'claude' || entry.fmt === 'codex',
	);

	const inventory = listed.filter(({ file }) => !sideCall.test(file));

	for (const { file } of listed.filter((entry) => sideCall.test(entry.file))) {
		it(`has ${file}, which is no agent's`, async () => {
			const { sessions, problems } = await findSessions(nodeFiles, resolve(folder, file));
			assert.deepEqual([sessions.length, problems.length], [0, 1]);
		});
	}

	it(`lists files (${inventory.length})`, () => {
		assert.ok(inventory.length > 0);
	});

	for (const entry of inventory) {
		it(`agrees on ${entry.file}`, async () => {
			const path = resolve(folder, entry.file);
			const conversation = await conversationOf(path);
			const known = differences.find(({ file }) => entry.file.endsWith(file));
			assert.deepEqual(
				countsOf(conversation, path),
				Object.fromEntries(fields.map((field) => [field, known?.[field] ?? entry[field] ?? 0])),
			);
		});
	}

	const clean = cleanSessions(folder, inventory);
	it('gives no diagnostic on any session in which the count finds nothing wrong', async () => {
		const diagnostics: string[] = [];
		let sessions = 0;
		for (const file of clean) {
			const conversation = await conversationOf(resolve(folder, file));
			// The whole session has to be clean, its subagents too.
			if (
				![...conversation.paths].every(
					(path) => clean.has(relativeTo(folder, path)) || path.endsWith('.meta.json'),
				)
			)
				continue;
			sessions++;
			fold(conversation, [
				{
					version: FORMAT_VERSION,
					seq: 0,
					sessionId: conversation.sessionId,
					agent: { unknown: 'A process is not an agent.' },
					source: { kind: 'process' },
					type: 'session-liveness',
					state: 'ended',
					evidence: 'It is long over.',
				},
			]);
			const linter = new Linter(conversation, {}, {});
			linter.lintAll();
			diagnostics.push(
				...linter.diagnostics.map((diagnostic) => `${file}: ${diagnostic.ruleId}: ${diagnostic.message}`),
			);
		}
		assert.ok(sessions > 0);
		assert.deepEqual(diagnostics, []);
	});

	it('takes every call that a compaction cut off for lost to it, and for nothing else', async () => {
		for (const entry of inventory.filter(({ compact }) => compact > 0)) {
			const conversation = await conversationOf(resolve(folder, entry.file));
			for (const agent of conversation.agents.values()) {
				for (const call of agent.toolCalls) {
					if (call.compactedBy === undefined || call.result !== undefined) continue;
					const state = callState(conversation, call);
					assert.equal(state.state === 'orphaned' && state.cause, 'lost-to-compaction');
					const linter = new Linter(conversation, {}, {});
					linter.lintAll();
					const rules = linter.diagnostics
						.filter(({ toolUseId }) => toolUseId === call.id)
						.map(({ ruleId }) => ruleId);
					assert.deepEqual(rules, ['result-lost-to-compaction']);
				}
			}
		}
	});
}

/** Files without anything unpaired or unreadable, our own reasons for a difference taken into account. */
function cleanSessions(folder: string, inventory: readonly Entry[]): ReadonlySet<string> {
	return new Set(
		inventory
			.filter((entry) => {
				const known = differences.find(({ file }) => entry.file.endsWith(file));
				return (
					(known?.orphan_use ?? entry.orphan_use) === 0 &&
					(known?.orphan_res ?? entry.orphan_res) === 0 &&
					entry.bad === 0
				);
			})
			.map(({ file }) => relativeTo(folder, resolve(folder, file))),
	);
}

function relativeTo(folder: string, path: string): string {
	return path.slice(resolve(folder).length + 1).replaceAll('\\', '/');
}

async function conversationOf(path: string): Promise<Conversation> {
	const { sessions, problems } = await findSessions(nodeFiles, path);
	assert.deepEqual(problems, []);
	const session = sessions.find((candidate) => pathsOf(candidate).includes(path));
	assert.ok(session, `No session has ${path}.`);
	const conversation = emptyConversation(session);
	await readSession(nodeFiles, session, (events) => void fold(conversation, events), { withPreviews: false });
	return conversation;
}

function countsOf(conversation: Conversation, path: string): Counts {
	const isHere = (place: Place) => place.source.kind === 'transcript' && place.source.path === path;
	const agents = [...conversation.agents.values()];
	const calls = agents.flatMap((agent) => agent.toolCalls).filter((call) => isHere(call.place));
	const stray = agents.flatMap((agent) => [...agent.strayResults]).filter((result) => isHere(result.place));
	const answered = calls.filter((call) => call.result !== undefined);
	const ids = (items: readonly { readonly id: string }[]) => new Set(items.map(({ id }) => id));
	const strayIds = new Set(stray.map((result) => result.toolUseId));
	return {
		uses: ids(calls).size,
		results: ids(answered).size + strayIds.size,
		orphan_use: ids(calls).size - ids(answered).size,
		orphan_res: strayIds.size,
		bad: conversation.damage.filter((damage) => isHere(damage.place)).length,
		compact: agents.flatMap((agent) => agent.compactions).filter((compaction) => isHere(compaction.place)).length,
	};
}
