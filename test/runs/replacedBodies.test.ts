// What is left of a session when what was said is taken out of it.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { z } from 'zod';
import { sessionEventSchema } from '../../src/core/events/schema.ts';
import { ReplacedBodies } from '../../src/core/runs/replacedBodies.ts';
import { pathsOf } from '../../src/core/transcripts/sessionFiles.ts';
import { everySession, nameOf } from './savedSessions.ts';

const sessions = await everySession();
const bodies = new ReplacedBodies((text) => createHmac('sha256', 'a test').update(text).digest());

describe('a line without what was said in it', () => {
	for (const session of sessions) {
		it(`has no text, no argument and no result any more: ${nameOf(session)}`, () => {
			for (const path of pathsOf(session)) {
				for (const line of readFileSync(path, 'utf8').split('\n')) {
					const replaced = bodies.line(line);
					const said = saidIn(line).filter((text) => text.trim().length >= 4 && !isWord.test(text));
					for (const text of said) {
						assert.ok(!replaced.includes(text), `${path}: ${text}\n${replaced}`);
						// Line by line as well: the first may be a client's own mark.
						for (const part of text
							.split('\n')
							.filter((piece) => piece.length >= 12 && !isWord.test(piece)))
							assert.ok(!replaced.includes(part), `${path}: ${part}\n${replaced}`);
					}
				}
			}
		});
	}

	const kept: readonly [title: string, line: string, expected: RegExp][] = [
		[
			'names of tools, ids and times',
			'{"type":"assistant","uuid":"u-1","timestamp":"2026-11-21T08:53:38.000Z","message":{"id":"msg_1","content":[{"type":"tool_use","id":"toolu_1","name":"mcp__notes__read","input":{"path":"/home/me","limit":250}}]}}',
			/^\{"type":"assistant","uuid":"u-1","timestamp":"2026-11-21T08:53:38\.000Z","message":\{"id":"msg_1","content":\[\{"type":"tool_use","id":"toolu_1","name":"mcp__notes__read","input":\{"path":"[a-z]{8}","limit":[1-9]\d\d\}\}\]\}\}$/,
		],
		[
			'the shape of a result, and no name in it',
			'{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"{\\"alice\\":[1,22,333],\\"bob\\":null}"}]}]}}',
			/"content":\[\{"type":"text","text":"\{\\"[a-z]{5}\\":\[1,\d\d,\d\d\d\],\\"[a-z]{3}\\":null\}"\}\]/,
		],
		[
			'what a client says of a task that has ended',
			JSON.stringify({
				type: 'user',
				message: {
					content:
						'<task-notification><task-id>a12</task-id><status>completed</status><summary>The secret plan</summary><result>all of it</result></task-notification>',
				},
			}),
			/<task-notification><task-id>a12<\/task-id><status>completed<\/status><summary>[a-z]{15}<\/summary><result>[a-z]+"/,
		],
		[
			'that a person stopped it',
			JSON.stringify({
				type: 'user',
				message: { content: '[Request interrupted by user for tool use] and more' },
			}),
			/"content":"\[Request interrupted by user[a-z]+"/,
		],
		[
			'what passed through a host, but for the contents',
			'{"version":1,"seq":3,"type":"wire-message","kind":"request","server":"notes","tool":"read","callId":"call-1","message":{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"read","arguments":{"path":"/home/me"}}}}',
			/"server":"notes","tool":"read","callId":"call-1","message":\{"jsonrpc":"2\.0","id":4,"method":"tools\/call","params":\{"name":"read","arguments":\{"path":"[a-z]{8}"\}\}\}\}$/,
		],
	];
	for (const [title, line, expected] of kept) {
		it(`keeps ${title}`, () => {
			const replaced = bodies.line(line);
			assert.match(replaced, expected);
			assert.equal(replaced.length, line.length);
		});
	}

	it('is still an event where a host has recorded it, whatever kind of thing it tells of', () => {
		const words = wordsOfEvents();
		assert.ok(words.length > 60, String(words.length));
		const lost = words.filter(([member, word]) => {
			const line = JSON.stringify({ type: 'reconnect', [member]: word });
			return bodies.line(line) !== line;
		});
		assert.deepEqual(lost, []);
		// Whatever else stands under such a name is said, and goes.
		assert.doesNotMatch(bodies.line('{"type":"user","cause":"secret","how":"secretly"}'), /secret/);
	});

	it('says the same of the same text, and of others something else', () => {
		const line = (text: string) => bodies.line(JSON.stringify({ type: 'user', message: { content: text } }));
		assert.equal(line('one text'), line('one text'));
		assert.notEqual(line('one text'), line('two text'));
	});

	it('stays JSON when it was JSON, whatever it holds, and as long in characters', () => {
		fc.assert(
			fc.property(
				fc.jsonValue(),
				fc.constantFrom('message', 'input', 'content', 'toolUseResult', 'x'),
				(value, name) => {
					const line = JSON.stringify({ type: 'user', [name]: value });
					const replaced = bodies.line(line);
					JSON.parse(replaced);
					assert.equal(replaced.length, line.length, `${line}\n${replaced}`);
				},
			),
			{ numRuns: 500 },
		);
	});

	it('is made in a moment, also of a notification that is nearly empty', () => {
		const text = `<task-notification>\n<status>${'\n'.repeat(200_000)}a b</status></task-notification>`;
		const line = JSON.stringify({ type: 'user', uuid: 'u', message: { role: 'user', content: text } });
		const start = performance.now();
		assert.equal(bodies.line(line).includes('a b'), false);
		assert.ok(performance.now() - start < 1_500);
	});

	it('never fails, whatever the line', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary' }), fc.nat(200), (text, at) => {
				bodies.line(text);
				const line = JSON.stringify({ type: 'assistant', message: { content: [{ type: 'text', text }] } });
				const cut = bodies.line(line.slice(0, at));
				assert.equal(cut.length, Math.min(at, line.length));
			}),
			{ numRuns: 500 },
		);
	});
});

/** Words of a protocol, ids and times are no secrets. */
const isWord = /^[\w.:-]*$|^<[a-z_-]+>$|^<(task-id|tool-use-id|status)>[\w.:-]*<\/\1>$/;

/** Every text that somebody has said, given or answered in a line. */
function saidIn(line: string): readonly string[] {
	let value: unknown;
	try {
		value = JSON.parse(line);
	} catch {
		return [];
	}
	const found: string[] = [];
	const walk = (inner: unknown, isSaid: boolean): void => {
		if (typeof inner === 'string') {
			if (isSaid) found.push(inner);
		} else if (Array.isArray(inner)) inner.forEach((element) => walk(element, isSaid));
		else if (typeof inner === 'object' && inner !== null) {
			for (const [name, member] of Object.entries(inner)) walk(member, isSaid || saidMembers.has(name));
		}
	};
	walk(value, false);
	return found;
}

const saidMembers: ReadonlySet<string> = new Set([
	...['text', 'thinking', 'input', 'arguments', 'output', 'content', 'prompt', 'toolUseResult', 'summary', 'cwd'],
	...['aiTitle', 'customTitle', 'title', 'gitBranch', 'instructions', 'description'],
]);

/** Every word of which an event's member may hold only some, as its schema has it. */
function wordsOfEvents(): [member: string, word: string][] {
	const found: [string, string][] = [];
	visit(z.toJSONSchema(sessionEventSchema, { io: 'input', unrepresentable: 'any' }), '');
	return found;

	function visit(schema: unknown, member: string): void {
		if (Array.isArray(schema)) return schema.forEach((part) => visit(part, member));
		if (!isRecord(schema)) return;
		for (const [key, value] of Object.entries(schema)) {
			if (key === 'enum' && Array.isArray(value)) for (const word of value) found.push([member, String(word)]);
			else if (key === 'properties' && isRecord(value))
				for (const name of Object.keys(value)) visit(value[name], name);
			else visit(value, member);
		}
	}
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null;
}
