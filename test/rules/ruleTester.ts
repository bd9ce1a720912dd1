// Runs one rule over tables of tiny transcripts (see notation.ts). They go the whole way: written as the client writes them, found,
// read by the real reader, folded and linted, once as a whole and once line by line as they would grow.

import assert from 'node:assert/strict';
import { createCore } from '../../src/core/core.ts';
import type { Core, OpenOptions } from '../../src/core/core.ts';
import { callState, callsOf } from '../../src/core/conversation/index.ts';
import type { Conversation, Place } from '../../src/core/conversation/index.ts';
import type { Diagnostic, Inconclusive } from '../../src/core/rules/linter.ts';
import type { Rule } from '../../src/core/rules/rule.ts';
import type { SessionFiles } from '../../src/core/transcripts/sessionFiles.ts';
import { MemoryFiles } from '../transcripts/memoryFiles.ts';
import { parseTranscript } from './notation.ts';
import type { Expectation, Target, Transcript } from './notation.ts';

export interface RuleCase {
	readonly name: string;
	readonly transcript: string;
	/** Other rules that have something to say about it. */
	readonly also?: readonly string[];
	/** What its diagnostics say, each. */
	readonly says?: RegExp;
	/** And what none of them says. */
	readonly doesNotSay?: RegExp;
}

export interface RuleCases {
	/** Nothing at all is reported: not by this rule nor by any other. */
	readonly valid: readonly RuleCase[];
	/** Every mark is met, and nothing is reported that is not marked. */
	readonly invalid: readonly RuleCase[];
}

export const ruleTester = {
	run(rule: Rule, cases: RuleCases): void {
		describe(`the rule ${rule.id}`, () => {
			describe('is silent when', () => {
				for (const valid of cases.valid) {
					it(valid.name, async () => {
						const marks = await check(rule, valid);
						assert.ok(
							!marks.some((mark) => mark.kind === 'diagnostic'),
							'A valid transcript has no diagnostics to mark.',
						);
					});
				}
			});
			describe('reports when', () => {
				for (const invalid of cases.invalid) {
					it(invalid.name, async () => {
						const marks = await check(rule, invalid);
						assert.ok(
							marks.some((mark) => mark.kind === 'diagnostic'),
							'An invalid transcript marks a diagnostic.',
						);
					});
				}
			});
		});
	},
};

interface Found {
	readonly diagnostics: readonly Diagnostic[];
	readonly inconclusive: readonly Inconclusive[];
}

interface Read extends Found {
	readonly conversation: Conversation;
}

/** Checks one transcript against its marks and gives them back. */
export async function check(rule: Rule, ruleCase: Omit<RuleCase, 'name'>): Promise<readonly Expectation[]> {
	const transcript = parseTranscript(ruleCase.transcript);
	const found = await readWhole(transcript);
	const own = found.diagnostics.filter((diagnostic) => diagnostic.ruleId === rule.id);
	compare(
		'diagnostics',
		own.map((diagnostic) => told(rule, diagnostic)),
		ofKind(transcript, 'diagnostic').map((mark) => asked(mark, own, rule)),
	);
	for (const { message } of own) {
		if (ruleCase.says !== undefined) assert.match(message, ruleCase.says);
		if (ruleCase.doesNotSay !== undefined) assert.doesNotMatch(message, ruleCase.doesNotSay);
	}
	compare(
		'where nobody can know',
		found.inconclusive
			.filter((entry) => entry.ruleId === rule.id)
			.map((entry) => `inconclusive at ${where(entry.place)}`),
		ofKind(transcript, 'inconclusive').map((mark) => `inconclusive at ${target(mark.target)}`),
	);
	const related = ofKind(transcript, 'related');
	if (related.length > 0) {
		const places = own.flatMap((diagnostic) =>
			diagnostic.related
				.filter(({ isOnPurpose }) => isOnPurpose !== true)
				.map((place) => `${messageIdOf(rule, place.message)} at ${where(place.place)}`),
		);
		compare(
			'related places',
			places,
			related.map((mark) => `${mark.messageId} at ${target(mark.target)}`),
		);
	}
	const others = new Set(
		found.diagnostics.filter((diagnostic) => diagnostic.ruleId !== rule.id).map((diagnostic) => diagnostic.ruleId),
	);
	compare('other rules', [...others], ruleCase.also ?? []);
	assertOrphansAreTold(found);
	const grown = plain(await readGrowing(transcript));
	// Whoever follows a running session waits for the end of a line that whoever reads once sees as it stands.
	if (transcript.appends.at(-1)?.text.endsWith('\n') === false && transcript.process.state === 'live') {
		assert.deepEqual(grown.diagnostics, plain(found).diagnostics);
	} else {
		assert.deepEqual(
			grown,
			plain(found),
			'Following the transcript line by line gives something else than reading it whole.',
		);
	}
	return transcript.expected;
}

const options: OpenOptions = { assume: 'auto', rules: {}, withPreviews: false };

function optionsFor({ scope }: Transcript): OpenOptions {
	return { ...options, scope };
}

function coreFor(transcript: Transcript, files: MemoryFiles): Core {
	return createCore({
		files,
		liveness: { probe: async () => transcript.process },
		clock: { now: () => transcript.now },
	});
}

async function onlySession(core: Core, { root, recordingPath }: Transcript): Promise<SessionFiles> {
	const { sessions } = await core.findSessions(root);
	assert.equal(sessions.length, 1, `${sessions.length} sessions were found.`);
	return { ...sessions[0]!, recordingPath };
}

async function readWhole(transcript: Transcript): Promise<Read> {
	const core = coreFor(transcript, transcript.files);
	return core.readSession(await onlySession(core, transcript), optionsFor(transcript));
}

async function readGrowing(transcript: Transcript): Promise<Found> {
	const files = new MemoryFiles();
	const core = coreFor(transcript, files);
	// The session is followed before most of it is there, as a person would watch it.
	const session = await onlySession(coreFor(transcript, transcript.files), transcript);
	const followed = core.followSession(session, optionsFor(transcript));
	for (const { path, text } of transcript.appends) {
		files.append(path, text);
		await followed.update();
	}
	return followed;
}

/** Whoever counts orphans counts what a rule tells of: a session without a finding has none. */
function assertOrphansAreTold({ conversation, diagnostics, inconclusive }: Read): void {
	const told = new Set([
		...diagnostics.map(({ toolUseId }) => toolUseId),
		...inconclusive.map(({ place }) => where(place)),
	]);
	const untold = [...conversation.agents.values()]
		.flatMap((agent) => callsOf(agent))
		.filter((call) => !told.has(call.id) && !told.has(where(call.place)))
		.map((call) => ({ id: call.id, agent: call.agent.id, ...callState(conversation, call) }));
	assert.deepEqual(
		untold.filter(({ state }) => state === 'orphaned'),
		[],
		'A call counts as orphaned, and no rule says why.',
	);
}

function plain({ diagnostics, inconclusive }: Found) {
	return {
		diagnostics: diagnostics.map((diagnostic) => ({
			...diagnostic,
			place: where(diagnostic.place),
			related: diagnostic.related.map((place) => `${place.message} ${where(place.place)}`),
		})),
		inconclusive: inconclusive.map((entry) => ({ ...entry, place: where(entry.place) })),
	};
}

function ofKind(transcript: Transcript, kind: Expectation['kind']): readonly Expectation[] {
	return transcript.expected.filter((mark) => mark.kind === kind);
}

function compare(what: string, actual: readonly string[], expected: readonly string[]): void {
	assert.deepEqual([...actual].sort(), [...expected].sort(), `The ${what} are others than expected.`);
}

function told(rule: Rule, diagnostic: Diagnostic): string {
	return `${messageIdOf(rule, diagnostic.message)} ${diagnostic.cause ?? ''} ${diagnostic.severity} at ${where(diagnostic.place)}`;
}

/** What is marked, with what the mark leaves open taken from what was found. */
function asked(mark: Expectation, diagnostics: readonly Diagnostic[], rule: Rule): string {
	const same = diagnostics.find(
		(diagnostic) =>
			where(diagnostic.place) === target(mark.target) && messageIdOf(rule, diagnostic.message) === mark.messageId,
	);
	return `${mark.messageId} ${mark.cause ?? same?.cause ?? ''} ${mark.severity ?? same?.severity ?? rule.meta.severity} at ${target(mark.target)}`;
}

/** Which of the rule's templates a message was made of. */
function messageIdOf(rule: Rule, message: string): string {
	assert.ok(!message.includes('{{'), `A placeholder was not filled: ${message}`);
	const fitting = Object.entries(rule.meta.messages).filter(([, template]) =>
		templatePattern(template).test(message),
	);
	assert.equal(fitting.length, 1, `"${message}" fits ${fitting.length} templates.`);
	return fitting[0]![0];
}

function templatePattern(template: string): RegExp {
	const literal = template.split(/\{\{\w+\}\}/).map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
	return new RegExp(`^${literal.join('[^]*')}$`);
}

function where(place: Place): string {
	const { source, range } = place;
	assert.equal(source.kind, 'transcript');
	// What a host has recorded is a line, and has no blocks.
	const isLine = range === undefined || range.endColumn <= 1;
	return target({
		path: source.path,
		line: source.line,
		column: isLine ? undefined : range.column,
		endColumn: isLine ? undefined : range.endColumn,
	});
}

/** Ends of ranges are not compared here: of a result only the beginning is underlined. */
function target({ path, line, column }: Target): string {
	const file = path.slice(path.lastIndexOf('/') + 1);
	return column === undefined ? `${file}:${line}` : `${file}:${line}:${column}`;
}
