// Files that grow, are cut, replaced, vanish or cannot be read.

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createCore } from '../../src/core/core.ts';
import type { Core, FollowedSession, OpenOptions } from '../../src/core/core.ts';
import type { SessionEvent } from '../../src/core/events/sessionEvent.ts';
import { TranscriptFollower, readSession } from '../../src/core/transcripts/readSession.ts';
import { pathsOf } from '../../src/core/transcripts/sessionFiles.ts';
import type { SessionFiles } from '../../src/core/transcripts/sessionFiles.ts';
import { outline } from '../conversation/outline.ts';
import { nodeFiles, readShape, shapes } from './fixtures.ts';
import { MemoryFiles } from './memoryFiles.ts';

const options: OpenOptions = { assume: 'ended', rules: {}, withPreviews: true };
const path = '/home/dev/session.jsonl';
const session: SessionFiles = { format: 'claude-code', nativeId: 'session', mainPath: path, agents: [] };

function line(id: string, parent: string | null, message: unknown, type = 'user'): string {
	return `${JSON.stringify({ parentUuid: parent, type, message, uuid: id, version: '2.1.150', sessionId: 'session' })}\n`;
}

const prompt = line('u', null, { role: 'user', content: 'hi' });
const call = line(
	'a',
	'u',
	{ id: 'm', role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'Read', input: {} }] },
	'assistant',
);
const result = line('r', 'a', { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: 'ok' }] });

function coreWith(files: MemoryFiles): Core {
	return createCore({
		files,
		liveness: { probe: async () => ({ state: 'ended', evidence: 'The test says so.' }) },
		clock: { now: () => 0 },
	});
}

function follow(files: MemoryFiles): FollowedSession {
	return coreWith(files).followSession(session, options);
}

function callsOf(followed: FollowedSession): readonly string[] {
	return [...followed.conversation.agents.values()].flatMap((agent) =>
		agent.toolCalls.map((toolCall) => `${toolCall.id} ${toolCall.result !== undefined}`),
	);
}

describe('a transcript that is followed', () => {
	it('gives the events of the whole, whatever the pieces in which its bytes come', async () => {
		for (const shape of shapes) {
			for (const { session: found } of await readShape(shape)) {
				for (const real of pathsOf(found)) {
					const bytes = readFileSync(real);
					// What follows the last line end is nobody's line yet.
					const whole = bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
					const agent = found.agents.find((candidate) => candidate.path === real);
					const expected = await followInPieces(
						found,
						agent,
						real,
						whole,
						[whole.length],
						Number.POSITIVE_INFINITY,
					);
					assert.ok(expected.length > 0);
					await fc.assert(
						fc.asyncProperty(
							fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 40 }),
							fc.integer({ min: 1, max: 4000 }),
							async (pieces, readLimit) => {
								assert.deepEqual(
									await followInPieces(found, agent, real, whole, pieces, readLimit),
									expected,
								);
							},
						),
						{ numRuns: 12 },
					);
				}
			}
		}
	});

	it('is as if it had been read at the end, its subagents and sidecars too', async () => {
		for (const shape of shapes) {
			for (const { session: found } of await readShape(shape)) {
				const files = new MemoryFiles();
				const followed = coreWith(files).followSession(found, options);
				const contents = [
					...pathsOf(found),
					...found.agents.flatMap(({ sidecarPath }) => sidecarPath ?? []),
				].flatMap((real) => {
					try {
						return [{ real, bytes: readFileSync(real) }];
					} catch {
						// Many agents have no sidecar.
						return [];
					}
				});
				const terminated = contents.map(({ real, bytes }) => ({
					real,
					bytes: real.endsWith('.json') ? bytes : bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1),
				}));
				for (const part of [0.2, 0.5, 0.51, 0.9, 1]) {
					for (const { real, bytes } of terminated) {
						const known = files.bytes(real).length;
						files.append(real, bytes.subarray(known, Math.floor(bytes.length * part)));
					}
					await followed.update();
				}
				const read = await coreWith(files).readSession(found, options);
				assert.equal(outline(followed.conversation), outline(read.conversation));
				assert.deepEqual(followed.diagnostics, read.diagnostics);
				assert.deepEqual(followed.inconclusive, read.inconclusive);
			}
		}
	});

	it('costs what was appended, however long it is', async () => {
		const files = new MemoryFiles();
		files.write(path, prompt + line('x', 'u', { role: 'user', content: 'x'.repeat(3_000_000) }));
		const followed = follow(files);
		await followed.update();
		const before = files.bytesRead;
		files.append(path, call);
		await followed.update();
		// And a look at the last bytes before it.
		assert.equal(files.bytesRead - before, 128 + call.length);
		await followed.update();
		assert.equal(files.bytesRead - before, 128 + call.length);
		assert.deepEqual(callsOf(followed), ['t1 false']);
	});

	it('is read again from the start when it was cut', async () => {
		const files = new MemoryFiles();
		files.write(path, prompt + call + result);
		const followed = follow(files);
		await followed.update();
		assert.deepEqual(callsOf(followed), ['t1 true']);
		files.truncate(path, (prompt + call).length);
		const update = await followed.update();
		assert.equal(update.isFresh, true);
		assert.deepEqual(callsOf(followed), ['t1 false']);
		assert.deepEqual(
			followed.diagnostics.map(({ ruleId }) => ruleId),
			['orphaned-tool-use'],
		);
	});

	it('is read again from the start when another file stands in its place, even a longer one', async () => {
		const files = new MemoryFiles();
		files.write(path, prompt + call);
		const followed = follow(files);
		await followed.update();
		files.write(path, prompt + call.replaceAll('t1', 't2') + result.replaceAll('t1', 't2'));
		assert.equal((await followed.update()).isFresh, true);
		assert.deepEqual(callsOf(followed), ['t2 true']);
	});

	it('is read again from the start when an editor has written it anew', async () => {
		const files = new MemoryFiles();
		files.write(path, prompt + call);
		const followed = follow(files);
		await followed.update();
		const findings = () =>
			followed.diagnostics.map(
				({ ruleId, place: { source } }) => `${ruleId} ${source.kind === 'transcript' ? source.line : ''}`,
			);
		assert.deepEqual(findings(), ['orphaned-tool-use 2']);
		// An empty line on top moves the rest.
		files.truncate(path, 0);
		files.append(path, `\n${prompt}${call}`);
		assert.equal((await followed.update()).isFresh, true);
		assert.deepEqual(findings(), ['orphaned-tool-use 3']);
		files.append(path, result);
		assert.equal((await followed.update()).isFresh, false);
		assert.deepEqual(callsOf(followed), ['t1 true']);
	});

	it('is read again from the start when it was changed in the middle, as long as before', async () => {
		const files = new MemoryFiles();
		files.write(path, prompt + call + result.replace('"t1"', '"t2"') + prompt);
		const followed = follow(files);
		await followed.update();
		assert.deepEqual(callsOf(followed), ['t1 false']);
		files.change(path, prompt + call + result + prompt);
		const before = files.bytesRead;
		// It may be the beginning of something that is appended.
		assert.equal((await followed.update()).isFresh, false);
		assert.equal(followed.isUnsettled, true);
		assert.equal((await followed.update()).isFresh, true);
		assert.equal(followed.isUnsettled, false);
		assert.deepEqual(callsOf(followed), ['t1 true']);
		assert.deepEqual(followed.diagnostics, []);
		assert.equal(files.bytesRead - before, files.bytes(path).length);
		files.append(path, prompt);
		for (let looks = 0; looks < 3; looks++) assert.equal((await followed.update()).isFresh, false);
		files.change(path, prompt + call + result.replace('"t1"', '"t3"') + prompt + prompt);
		await followed.update();
		assert.equal((await followed.update()).isFresh, true);
		assert.deepEqual(callsOf(followed), ['t1 false']);
		assert.equal((await followed.update()).isFresh, false);
	});

	it('is read on, and not anew, when the time of what is appended is there before its bytes or after them', async () => {
		const files = new MemoryFiles();
		files.write(path, prompt);
		const followed = follow(files);
		files.onRead = () => {
			files.onRead = () => undefined;
			files.append(path, prompt);
		};
		await followed.update();
		assert.equal((await followed.update()).isFresh, false);
		for (let index = 0; index < 3; index++) {
			files.touch(path);
			assert.equal((await followed.update()).isFresh, false);
			files.append(path, call);
			const before = files.bytesRead;
			assert.equal((await followed.update()).isFresh, false);
			assert.ok(files.bytesRead - before <= 128 + call.length);
			// Windows tells the time when the file is closed.
			files.touch(path);
			assert.equal((await followed.update()).isFresh, false);
		}
	});

	it('keeps what was read when it vanishes, and says so', async () => {
		const files = new MemoryFiles();
		files.write(path, prompt + call + result);
		const followed = follow(files);
		await followed.update();
		files.remove(path);
		await followed.update();
		assert.deepEqual(callsOf(followed), ['t1 true']);
		assert.deepEqual([...followed.fileProblems], [[path, 'The file is no longer there.']]);
	});

	it("is there once, with its findings, when a subagent's file gets another name or goes", async () => {
		for (const [name, to] of [
			['session/subagents/agent-b1.jsonl', 'session/subagents/agent-b2.jsonl'],
			['agent-b1.jsonl', 'session/subagents/agent-b1.jsonl'],
			['session/subagents/agent-b1.jsonl', undefined],
		] as const) {
			const files = new MemoryFiles();
			const core = coreWith(files);
			const find = async () => (await core.findSessions(path)).sessions[0]!;
			files.write(path, prompt);
			files.write(`/home/dev/${name}`, (prompt + call).replaceAll('t1', 't2'));
			const followed = core.followSession(await find(), options);
			await followed.update();
			assert.deepEqual(callsOf(followed), ['t2 false']);
			if (to === undefined) files.remove(`/home/dev/${name}`);
			else files.rename(`/home/dev/${name}`, `/home/dev/${to}`);
			// Whoever watches the folder says that the old file has changed, and searches then.
			await followed.update({ paths: new Set([`/home/dev/${name}`]), isProbing: false });
			followed.setFiles(await find());
			const update = await followed.update({ paths: new Set(), isProbing: false });
			assert.equal(update.isFresh, true, to);
			const read = await core.readSession(await find(), options);
			assert.equal(outline(followed.conversation), outline(read.conversation));
			assert.deepEqual(followed.diagnostics, read.diagnostics);
			assert.equal(followed.diagnostics.length, to === undefined ? 0 : 1);
			assert.deepEqual(followed.readings, read.readings);
			assert.deepEqual([...followed.fileProblems], []);
			assert.equal((await followed.update()).isFresh, false);
		}
	});

	it('is not read again when a search has passed over a file that is there', async () => {
		const files = new MemoryFiles();
		const core = coreWith(files);
		files.write(path, prompt);
		files.write('/home/dev/session/subagents/agent-b1.jsonl', prompt + call);
		const [found] = (await core.findSessions(path)).sessions;
		const followed = core.followSession(found!, options);
		await followed.update();
		followed.setFiles({ ...found!, agents: [] });
		assert.equal((await followed.update()).isFresh, false);
		followed.setFiles(found!);
		assert.equal((await followed.update()).isFresh, false);
		assert.deepEqual(callsOf(followed), ['t1 false']);
	});

	it('finds a line that was not finished at the look before', async () => {
		const files = new MemoryFiles();
		files.write(path, prompt + call.slice(0, 40));
		const followed = coreWith(files).followSession(session, { ...options, assume: 'live' });
		await followed.update();
		assert.deepEqual(callsOf(followed), []);
		assert.deepEqual(followed.diagnostics, []);
		files.append(path, call.slice(40));
		assert.equal((await followed.update()).isFresh, false);
		assert.deepEqual(callsOf(followed), ['t1 false']);
	});

	it('takes an unfinished last line for damage when nobody is left to finish it, until somebody does', async () => {
		const files = new MemoryFiles();
		files.write(path, prompt + call.slice(0, 40));
		const followed = follow(files);
		await followed.update();
		await followed.update();
		assert.deepEqual(
			followed.diagnostics.map(({ ruleId }) => ruleId),
			['damaged-line'],
		);
		files.append(path, call.slice(40) + result);
		assert.equal((await followed.update()).isFresh, true);
		assert.deepEqual(followed.diagnostics, []);
		assert.deepEqual(callsOf(followed), ['t1 true']);
	});

	it('may end without a line end', async () => {
		const files = new MemoryFiles();
		files.write(path, prompt + call + result.trimEnd());
		const followed = follow(files);
		await followed.update();
		assert.deepEqual(followed.diagnostics, []);
		assert.deepEqual(callsOf(followed), ['t1 true']);
	});

	it('waits its turn when it is asked twice at once', async () => {
		const files = new MemoryFiles();
		files.write(path, prompt + call + result);
		files.readLimit = 16;
		const followed = follow(files);
		await Promise.all([followed.update(), followed.update(), followed.update()]);
		assert.deepEqual(callsOf(followed), ['t1 true']);
		assert.deepEqual(followed.diagnostics, []);
	});
});

describe('a transcript that is hard to read', () => {
	it('costs its rest when it vanishes in mid-reading', async () => {
		const files = new MemoryFiles();
		files.write(path, prompt + call + result);
		files.readLimit = (prompt + call).length + 10;
		let reads = 0;
		files.onRead = () => {
			if (++reads === 2) files.refuse(path, 'The device could not read it.');
		};
		const read = await coreWith(files).readSession(session, options);
		assert.equal(read.readings[0]?.problem, 'The device could not read it.');
		assert.deepEqual(
			[...read.conversation.agents.values()].map((agent) => agent.toolCalls.length),
			[1],
		);
	});

	it('costs itself alone when it was never there', async () => {
		const files = new MemoryFiles();
		files.write(path, prompt);
		const gone = '/home/dev/session/subagents/agent-gone.jsonl';
		const agents = [{ path: gone, agentId: 'gone', sidecarPath: undefined, isWorkflow: false }];
		const read = await coreWith(files).readSession({ ...session, agents }, options);
		assert.deepEqual(
			read.readings.map(({ problem }) => problem),
			[undefined, 'The file is no longer there.'],
		);
		assert.equal(read.conversation.agents.size, 1);
	});

	it('is one problem when its folder may not be listed, and the others are found', async () => {
		const files = new MemoryFiles();
		files.write('/home/dev/open/5e551011-0000-4000-8000-000000000001.jsonl', prompt);
		files.write('/home/dev/shut/5e551011-0000-4000-8000-000000000002.jsonl', prompt);
		files.refuse('/home/dev/shut', 'There is no permission to read it.');
		const found = await coreWith(files).findSessions('/home/dev');
		assert.equal(found.sessions.length, 1);
		assert.deepEqual(found.problems, [{ path: '/home/dev/shut', message: 'There is no permission to read it.' }]);
	});

	it('is one problem on a real disk too', async function () {
		const folder = mkdtempSync(join(tmpdir(), 'crosstalk-'));
		try {
			const file = join(folder, 'session.jsonl');
			writeFileSync(file, prompt);
			chmodSync(file, 0);
			const found = await createCore({
				files: nodeFiles,
				liveness: { probe: async () => ({ state: 'unknown', evidence: '' }) },
				clock: { now: () => 0 },
			}).findSessions(file);
			// Permissions do not bind the superuser, and do not exist everywhere; then the file is read.
			const isBound = found.sessions.length === 0;
			assert.equal(
				isBound ? found.problems[0]?.message : found.sessions[0]?.mainPath,
				isBound ? 'There is no permission to read it.' : file,
			);
		} finally {
			rmSync(folder, { recursive: true });
		}
	});

	it('is a problem when it is no transcript at all', async () => {
		const files = new MemoryFiles();
		for (const [name, text] of [
			['empty', ''],
			['notes', 'buy milk\n'],
			['array', '[1,2,3]\n'],
			['other', '{"a":1}\n{"b":2}\n'],
			['nul', '\0'.repeat(100)],
		] as const) {
			files.write(`/home/dev/${name}.jsonl`, text);
			const found = await coreWith(files).findSessions(`/home/dev/${name}.jsonl`);
			assert.deepEqual([found.sessions.length, found.problems.length], [0, 1], name);
		}
		assert.deepEqual(await coreWith(files).findSessions('/home/dev'), { sessions: [], problems: [] });
		assert.equal((await coreWith(files).findSessions('/nowhere')).problems.length, 1);
	});

	it('is read whatever its version', async () => {
		for (const version of ['3.0.0', '2.1.99999', '0.0.1', 'next', '', '2', '2.1.150-beta.1', '…']) {
			const files = new MemoryFiles();
			files.write(path, (prompt + call + result).replaceAll('2.1.150', version));
			const read = await coreWith(files).readSession(session, options);
			assert.deepEqual(read.diagnostics, [], version);
			assert.equal(
				read.conversation.agents.get([...read.conversation.agents.keys()][0]!)?.toolCalls.length,
				1,
				version,
			);
		}
	});

	it('may begin with a byte order mark, have Windows line ends and empty lines', async () => {
		const files = new MemoryFiles();
		files.write(path, `\ufeff${prompt}\n\r\n  \n${call}${result}`.replaceAll('\n', '\r\n'));
		const read = await coreWith(files).readSession(session, options);
		assert.deepEqual(read.diagnostics, []);
		assert.deepEqual(
			[...read.conversation.agents.values()].map((agent) => agent.messages.length),
			[3],
		);
	});

	it('has a damaged line where NUL bytes fill a hole, be it in the middle of a text', async () => {
		const hole = '\0'.repeat(50);
		for (const [lines, damaged, kept] of [
			// In one string of one line, and from a string of one line to a string of another: such a line still looks like a record.
			[[prompt, call, result.replace('"uuid":"', `"uuid":"${hole}`)], 3, 1],
			[[prompt, `${call.slice(0, -5)}${hole}${result.slice(-5)}`], 2, 0],
			// The record before the hole is whole, and the one behind it.
			[[prompt, `${call.trimEnd()}${hole}\n`, result], 2, 1],
			[[prompt, `${hole}${call}`, result], 2, 1],
			[[prompt, `${prompt.slice(0, -20)}${hole}${call}`, result], 2, 1],
		] as const) {
			for (const readLimit of [7, Number.POSITIVE_INFINITY]) {
				const files = new MemoryFiles();
				files.readLimit = readLimit;
				files.write(path, lines.join(''));
				const read = await coreWith(files).readSession(session, options);
				assert.deepEqual(
					read.diagnostics
						.filter(({ ruleId }) => ruleId === 'damaged-line')
						.map(({ place, message }) => [
							place.source.kind === 'transcript' && place.source.line,
							message,
						]),
					[[damaged, 'The line is filled with NUL bytes, as a crash or a full disk leaves them.']],
				);
				const [agent] = read.conversation.agents.values();
				assert.equal(agent?.toolCalls.length, kept);
			}
		}
	});

	it('may have a line of 100 MB', async () => {
		const files = new MemoryFiles();
		const long = line('r', 'a', {
			role: 'user',
			content: [{ type: 'tool_result', tool_use_id: 't1', content: 'é'.repeat(50_000_000) }],
		});
		files.write(
			path,
			prompt +
				call +
				long +
				line('e', 'r', { id: 'n', role: 'assistant', content: [{ type: 'text', text: 'done' }] }, 'assistant'),
		);
		const read = await coreWith(files).readSession(session, options);
		const [agent] = read.conversation.agents.values();
		assert.equal(agent?.messages.length, 4);
		assert.equal(agent?.toolCalls[0]?.result?.body.length, 100_000_002);
		assert.deepEqual(read.diagnostics, []);
	});

	it('may be nested so deep that a recursive reader would fall', async () => {
		const files = new MemoryFiles();
		const depth = 200_000;
		const deep = `${'{"a":['.repeat(depth)}1${']}'.repeat(depth)}`;
		const nested = call.replace('"input":{}', `"input":${deep}`);
		files.write(path, prompt + nested + result + nested.slice(0, depth));
		const read = await coreWith(files).readSession(session, options);
		assert.deepEqual(
			read.diagnostics.map(({ ruleId }) => ruleId),
			['damaged-line'],
		);
		assert.equal([...read.conversation.agents.values()][0]?.toolCalls[0]?.arguments.length, deep.length);
	});

	it('may have parents that lead in a ring, or to themselves', async () => {
		const ring = [
			line('a', 'c', { role: 'user', content: 'one' }),
			line('b', 'a', { role: 'user', content: 'two' }),
			line('c', 'b', { role: 'user', content: 'three' }),
		];
		const files = new MemoryFiles();
		for (const lines of [
			ring,
			[...ring].reverse(),
			[...ring, ...ring],
			[line('s', 's', { role: 'user', content: 'me' }), call, result],
		]) {
			files.write(path, lines.join(''));
			const read = await coreWith(files).readSession(session, options);
			assert.equal(read.conversation.damage.length, 0);
			assert.ok([...read.conversation.agents.values()][0]!.messages.length >= 3);
		}
	});

	it('may come with sidecars that name each other, or themselves, for a parent', async () => {
		const files = new MemoryFiles();
		files.write(path, prompt);
		const agents = ['one', 'two', 'self', 'main'].map((agentId) => ({
			path: `/home/dev/session/subagents/agent-${agentId}.jsonl`,
			agentId,
			sidecarPath: `/home/dev/session/subagents/agent-${agentId}.meta.json`,
			isWorkflow: false,
		}));
		for (const { path: agentPath, sidecarPath, agentId } of agents) {
			files.write(agentPath, prompt);
			const parentAgentId = agentId === 'one' ? 'two' : agentId === 'two' ? 'one' : 'self';
			files.write(sidecarPath, JSON.stringify({ parentAgentId }));
		}
		const { conversation } = await coreWith(files).readSession({ ...session, agents }, options);
		for (const agent of conversation.agents.values()) {
			let steps = 0;
			for (let parentId = agent.parentId; parentId !== undefined && parentId !== null && steps < 9; steps++) {
				parentId = conversation.agents.get(parentId)?.parentId;
			}
			assert.ok(steps < 9, agent.id);
		}
	});

	it('stops when it is told to', async () => {
		const files = new MemoryFiles();
		files.write(path, prompt + call + result);
		const controller = new AbortController();
		files.readLimit = 10;
		files.onRead = () => controller.abort();
		await assert.rejects(
			readSession(files, session, () => undefined, { withPreviews: false, signal: controller.signal }),
			{ name: 'AbortError' },
		);
	});
});

async function followInPieces(
	found: SessionFiles,
	agent: SessionFiles['agents'][number] | undefined,
	real: string,
	bytes: Uint8Array,
	pieces: readonly number[],
	readLimit: number,
): Promise<readonly SessionEvent[]> {
	const files = new MemoryFiles();
	files.readLimit = readLimit;
	files.write(real, '');
	const follower = TranscriptFollower.ofAgent(files, found, agent, { withPreviews: true });
	const events: SessionEvent[] = [];
	for (let start = 0, index = 0; start < bytes.length; index++) {
		const end = start + pieces[index % pieces.length]! * (1 + Math.floor(index / pieces.length));
		files.append(real, bytes.subarray(start, end));
		start = end;
		assert.equal(await follower.readOn((batch) => void events.push(...batch)), 'read');
	}
	return events;
}
