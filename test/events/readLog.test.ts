import assert from 'node:assert/strict';
import fc from 'fast-check';
import { UnsupportedVersionError } from '../../src/core/base/errors.ts';
import { LineSplitter } from '../../src/core/base/lineSplitter.ts';
import { LogReader } from '../../src/core/events/readLog.ts';
import type { LogProblem } from '../../src/core/events/readLog.ts';
import { sessionEventSchema } from '../../src/core/events/schema.ts';
import { FORMAT_VERSION } from '../../src/core/events/sessionEvent.ts';
import type { SessionEvent } from '../../src/core/events/sessionEvent.ts';

const envelope = {
	version: FORMAT_VERSION,
	seq: 0,
	at: 1795250000000,
	sessionId: 'mcp:c1',
	agent: { unknown: 'Nobody says.' },
};

const queued = JSON.stringify({
	...envelope,
	source: { kind: 'process' },
	type: 'call-queued',
	callId: 'call-1',
	server: 'files',
	reason: 'It waits.',
});

const damaged = {
	...envelope,
	source: { kind: 'store', generation: 1 },
	type: 'damaged-line',
	kind: 'invalid-line',
	message: 'A sentence.',
	isAtEnd: false,
};

const wire = {
	...envelope,
	source: { kind: 'wire', connectionId: 'c1', direction: 'out' },
	type: 'wire-message',
	kind: 'response',
	server: 'files',
};

function read(content: string | Uint8Array, pieces = 64): { events: SessionEvent[]; problems: LogProblem[] } {
	const events: SessionEvent[] = [];
	const problems: LogProblem[] = [];
	const reader = new LogReader({
		event: (event) => events.push(event),
		problem: (problem) => problems.push(problem),
	});
	const splitter = new LineSplitter(reader.readLine.bind(reader), pieces, (length) => new Uint8Array(length));
	splitter.push(Buffer.from(content));
	splitter.finish();
	return { events, problems };
}

function withMessage(message: string): string {
	return `${JSON.stringify(wire).slice(0, -1)},"message":${message}}`;
}

describe('a log', () => {
	it('of nothing has no events', () => {
		assert.deepEqual(read(''), { events: [], problems: [] });
		assert.deepEqual(read('\n  \r\n'), { events: [], problems: [] });
	});

	it('is read line by line, whatever its line ends', () => {
		const { events, problems } = read(`${queued}\r\n\n${JSON.stringify(damaged)}\n`);
		assert.deepEqual(problems, []);
		assert.deepEqual(events, [JSON.parse(queued), damaged]);
	});

	it('gives a message as the place where it stands', () => {
		for (const message of ['{"a":[1,{"message":"x"}]}', '"text"', 'null', '[]', ' {"ü":"😀"} ']) {
			const content = `${queued}\n${withMessage(message)}\n`;
			const { events, problems } = read(content);
			assert.deepEqual(problems, []);
			const event = events[1];
			assert.ok(event?.type === 'wire-message');
			const bytes = Buffer.from(content).subarray(event.body.offset, event.body.offset + event.body.length);
			assert.equal(bytes.toString(), message.trim());
			assert.deepEqual({ ...event, body: undefined }, { ...wire, body: undefined });
		}
	});

	it('gives it also where somebody has written the line anew', () => {
		const line = JSON.stringify({ message: { a: 1 }, ...wire });
		const { events, problems } = read(line);
		assert.deepEqual(problems, []);
		assert.deepEqual(events, [
			{ ...wire, body: { offset: line.indexOf('{"a":1}'), length: 7, preview: '{"a":1}' } },
		]);
	});

	it('says of a message that was let go how long it was', () => {
		const { events, problems } = read(JSON.stringify({ ...wire, droppedBytes: 123 }));
		assert.deepEqual(problems, []);
		assert.deepEqual(events, [
			{ ...wire, body: { offset: 0, length: 0, preview: '(123 bytes were not recorded)' } },
		]);
	});

	it('loses of a torn last line only that line', () => {
		const whole = `${queued}\n${withMessage('{"a":"b"}')}`;
		const first = Buffer.byteLength(queued) + 1;
		for (let end = first + 1; end < Buffer.byteLength(whole); end++) {
			const { events, problems } = read(Buffer.from(whole).subarray(0, end));
			assert.deepEqual(events, [JSON.parse(queued)], String(end));
			assert.deepEqual(problems, [
				{ line: 2, kind: 'truncated-line', message: 'The line is cut off before its end.', isAtEnd: true },
			]);
		}
	});

	const bad: readonly (readonly [string, string, LogProblem['kind'], RegExp])[] = [
		['text', 'hello', 'invalid-line', /not an event/],
		['an array', '[]', 'invalid-line', /not an event/],
		['an object that is no event', '{}', 'invalid-line', /no version/],
		[
			'an event of a kind that does not exist',
			JSON.stringify({ ...damaged, type: 'nothing' }),
			'invalid-line',
			/type/,
		],
		['an event without its server', queued.replace('"server"', '"servant"'), 'invalid-line', /\(server\)/],
		['a message without its bytes', JSON.stringify(wire), 'invalid-line', /\(body\)/],
		['half of an event', queued.slice(0, 40), 'truncated-line', /cut off/],
		['an event and a half', `${queued}${queued.slice(0, 40)}`, 'invalid-line', /not an event/],
		['NUL bytes', '\u0000\u0000\u0000', 'nul-bytes', /NUL/],
		['nearly JSON', '{"version":01}', 'invalid-line', /not an event/],
	];
	for (const [what, line, kind, message] of bad) {
		it(`loses of ${what} only that line`, () => {
			const { events, problems } = read(`${queued}\n${line}\n${queued}\n`);
			assert.equal(events.length, 2);
			assert.equal(problems.length, 1);
			assert.equal(problems[0]?.line, 2);
			assert.equal(problems[0]?.kind, kind);
			assert.match(problems[0]?.message ?? '', message);
			assert.equal(problems[0]?.isAtEnd, false);
		});
	}

	it('of a newer version is refused', () => {
		assert.throws(
			() => read(queued.replace(`"version":${FORMAT_VERSION}`, `"version":${FORMAT_VERSION + 1}`)),
			UnsupportedVersionError,
		);
	});

	it('that is damaged anywhere costs the damaged lines and nothing is thrown', () => {
		const lines = [queued, withMessage('{"id":1,"result":{}}'), JSON.stringify(damaged)];
		const content = Buffer.from(`${lines.join('\n')}\n`);
		const edit = fc.record({ at: fc.nat(content.length - 1), byte: fc.integer({ min: 0, max: 255 }) });
		fc.assert(
			fc.property(
				fc.array(edit, { minLength: 1, maxLength: 3 }),
				fc.integer({ min: 1, max: 200 }),
				(edits, pieces) => {
					const bytes = Buffer.from(content);
					for (const { at, byte } of edits) bytes[at] = byte;
					let result: ReturnType<typeof read>;
					try {
						result = read(bytes, pieces);
					} catch (error) {
						return error instanceof UnsupportedVersionError;
					}
					for (const event of result.events) assert.deepEqual(sessionEventSchema.parse(event), event);
					return result.events.length + result.problems.length > 0;
				},
			),
			{ numRuns: 1000 },
		);
	});
});
