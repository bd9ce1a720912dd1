// What the readers make of every shape of transcript that is supported, and what the conversation makes of that.
// `UPDATE_GOLDENS=1 npx mocha test/transcripts/goldens.test.ts` writes the goldens anew: read the diff.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fold } from '../../src/core/conversation/index.ts';
import { sessionEventSchema } from '../../src/core/events/schema.ts';
import type { SessionEvent } from '../../src/core/events/sessionEvent.ts';
import { outline } from '../conversation/outline.ts';
import { emptyConversation, readShape, shapes } from './fixtures.ts';

describe('the readers', () => {
	it('have a fixture of every shape, and no golden of a shape that is gone', () => {
		const goldens = ['claude-code', 'codex'].flatMap((format) =>
			readdirSync(`test/fixtures/transcripts/${format}`)
				.filter((name) => name.endsWith('.txt'))
				.map((name) => `${format}/${name}`),
		);
		assert.ok(shapes.length >= 24, shapes.join('\n'));
		assert.deepEqual(
			goldens.sort(),
			shapes.flatMap((shape) => [`${shape}.events.txt`, `${shape}.outline.txt`]).sort(),
		);
	});

	for (const shape of shapes) {
		describe(`on ${shape}`, () => {
			it('give the events of the golden', async () => {
				const fixtures = await readShape(shape);
				assert.ok(fixtures.some(({ events }) => events.length > 5));
				compareWithGolden(
					`${shape}.events.txt`,
					fixtures.map(({ events }) => events.map((event) => told(event, shape)).join('\n')).join('\n\n'),
				);
			});

			it('give the conversation of the golden', async () => {
				const fixtures = await readShape(shape);
				const outlines = fixtures.map(({ session, events }) => {
					const conversation = emptyConversation(session);
					fold(conversation, events);
					return outline(conversation);
				});
				compareWithGolden(`${shape}.outline.txt`, outlines.join('\n\n'));
			});

			it('give events that the schema takes as they are', async () => {
				for (const { events } of await readShape(shape)) {
					for (const event of events) assert.deepEqual(sessionEventSchema.parse(event), event);
				}
			});

			it('number the events of each file without a gap', async () => {
				for (const { events } of await readShape(shape)) {
					const next = new Map<string, number>();
					for (const event of events) {
						const log = event.source.kind === 'transcript' ? event.source.path : event.source.kind;
						assert.equal(event.seq, next.get(log) ?? 0);
						next.set(log, event.seq + 1);
					}
				}
			});

			it('say truly where each block and each body stands', async () => {
				for (const { events } of await readShape(shape)) for (const event of events) checkPlace(event);
			});
		});
	}
});

function compareWithGolden(name: string, text: string): void {
	const path = `test/fixtures/transcripts/${name}`;
	if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(path, `${text}\n`);
	assert.ok(existsSync(path), `There is no ${path}; UPDATE_GOLDENS=1 writes it.`);
	assert.equal(`${text}\n`, readFileSync(path, 'utf8').replaceAll('\r\n', '\n'));
}

const envelope = new Set(['version', 'seq', 'at', 'sessionId', 'agent', 'source', 'type']);

/** An event on one line, without what every event of the file has. */
function told(event: SessionEvent, shape: string): string {
	const { seq, at, agent, source, type } = event;
	const fields = Object.fromEntries(Object.entries(event).filter(([key]) => !envelope.has(key)));
	const path = source.kind === 'transcript' ? source.path.replaceAll('\\', '/') : '';
	const file = path.slice(path.indexOf(shape) + shape.length + 1).replace(/^.*\//, '');
	const place =
		source.kind === 'transcript' ? `${file}:${source.line} @${source.offset}+${source.length}` : source.kind;
	const actor = 'id' in agent ? agent.id : '?';
	return `${seq} ${place} ${at ?? '-'} ${actor} ${type} ${JSON.stringify(fields)}`;
}

/** Ranges and references are looked up in the file itself. */
function checkPlace(event: SessionEvent): void {
	if (event.source.kind !== 'transcript' || event.source.length === 0) return;
	const bytes = readFileSync(event.source.path);
	const { offset, length } = event.source;
	const line = bytes.subarray(offset, offset + length).toString();
	assert.ok(!line.includes('\n'));
	assert.equal(offset === 0 ? 0x0a : bytes[offset - 1], 0x0a);
	assert.equal(bytes.subarray(0, offset).toString().split('\n').length, event.source.line);
	if (event.type !== 'tool-use' && event.type !== 'tool-result') return;
	const { column, endColumn } = event.range;
	const block = line.slice(column - 1, endColumn - 1);
	assert.ok(block.startsWith('{') && block.includes(event.toolUseId), block);
	if (event.type === 'tool-use') assert.equal(typeof JSON.parse(block), 'object');
	if (event.type === 'tool-use' && event.given !== undefined) {
		const { range } = event.given;
		const written = bytes
			.subarray(event.arguments.offset, event.arguments.offset + event.arguments.length)
			.toString();
		assert.equal(line.slice(range.column - 1, range.endColumn - 1), written);
	}
	const body = event.type === 'tool-use' ? event.arguments : event.body;
	if (body.length > 0) JSON.parse(bytes.subarray(body.offset, body.offset + body.length).toString());
}
