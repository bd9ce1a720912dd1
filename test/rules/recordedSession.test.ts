// What rules say of what the host itself records: agents with calls to one server, a fault, and the recording read as whoever opens it reads it.

import assert from 'node:assert/strict';
import { agentId, sessionId as sessionIdOf, storedSessionId } from '../../src/core/base/ids.ts';
import { createConversation, fold } from '../../src/core/conversation/index.ts';
import type { SessionEvent } from '../../src/core/events/sessionEvent.ts';
import { EventRecorder } from '../../src/core/host/eventRecorder.ts';
import type { FaultDefinition } from '../../src/core/host/faults/index.ts';
import { Linter } from '../../src/core/rules/linter.ts';
import { createRecordingReader } from '../../src/core/transcripts/recording.ts';
import { answerHandshake, createRig } from '../host/rig.ts';
import type { FakeTransport, Json, Rig } from '../host/rig.ts';

const sessionId = 'claude-code:a';

interface Recorded {
	readonly rig: Rig;
	/** What the linter finds in all that was recorded until now. */
	findings(): readonly string[];
}

function recordedRig(limits: Json): Recorded {
	const lines: string[] = [];
	const log = {
		maximumMessageBytes: 10_000,
		append(head: string, message: Uint8Array | undefined) {
			const member = message === undefined ? '' : `,"message":${Buffer.from(message).toString()}`;
			lines.push(`${head}${member}}`);
			return true;
		},
	};
	const rig = createRig({
		sharing: 'shared',
		limits,
		recorder: (clock) => new EventRecorder(log, clock),
		answer(transport: FakeTransport, message: Json) {
			const answer = (result: Json) => transport.say({ jsonrpc: '2.0', id: message['id'], result });
			if (message['method'] === 'ping') answer({});
			else if (message['method'] === 'tools/call') {
				const { name } = message['params'] as Json; // as the agents below call
				if (name === 'begin') answer({ content: [{ type: 'text', text: '{"session_id":"s-1"}' }] });
				else if (name === 'go_on')
					answer({ content: [{ type: 'text', text: 'Unknown session s-1' }], isError: true });
			} else if (message['method'] === 'tools/list')
				answer({ tools: [{ name: 'say' }, { name: 'look', annotations: { readOnlyHint: true } }] });
			else answerHandshake(transport, message);
		},
	});
	return {
		rig,
		findings() {
			const events: SessionEvent[] = [];
			const file = { path: '/recorded.jsonl', format: 'claude-code', nativeSessionId: 'a' };
			const reader = createRecordingReader(file, (event) => void events.push(event));
			for (const [index, line] of lines.entries()) {
				const bytes = Buffer.from(line);
				reader.readLine(bytes, 0, bytes.length, { line: index + 1, offset: 0 }, false);
			}
			const conversation = createConversation(sessionIdOf('claude-code', 'a'));
			fold(conversation, events);
			const linter = new Linter(conversation, {}, {});
			linter.lintAll();
			return linter.diagnostics.map(
				({ ruleId, agentId: agent, related }) =>
					`${ruleId} at ${agent ?? ''}: ${related.map(({ message }) => message).join(' ')}`,
			);
		},
	};
}

async function agentsOf({ rig }: Recorded, names: readonly string[]) {
	const agents = [];
	for (const name of names)
		agents.push(await rig.initialized({}, { sessionId: storedSessionId(sessionId), agentId: agentId(name) }));
	return agents;
}

function arm({ rig }: Recorded, fault: FaultDefinition): void {
	rig.host.faults.arm([fault], { kind: 'session', sessionId: storedSessionId(sessionId) }, 'a test', undefined);
}

describe('the rules, on what a host has recorded', () => {
	it("find the cascade of a naive reconnect, and none in the host's own", async () => {
		for (const reconnect of ['naive', undefined] as const) {
			const recorded = recordedRig({ callMs: 2_000, callMsByTool: { list_all: 60_000 } });
			arm(recorded, { kind: 'hang', tool: 'files/read', reconnect });
			const [one, ...others] = await agentsOf(recorded, ['one', 'two', 'three']);
			one?.call('read');
			for (const other of others) other.call('list_all');
			await recorded.rig.pass(2_500);
			const cascades = recorded.findings().filter((finding) => finding.startsWith('reconnect-cascade'));
			if (reconnect === undefined) {
				assert.deepEqual(cascades, []);
				continue;
			}
			assert.equal(cascades.length, 1);
			assert.match(
				cascades[0] ?? '',
				/^reconnect-cascade at one: The call timed out here\. The connection to files was torn down here: .*naive reconnect, on purpose\. two's call to list_all .*lost\. three's call to list_all .*lost\. A fault on purpose kept read on files from its server, so that there is no answer\.$/,
			);
		}
	});

	it('find no cascade where the server dies by itself, while a call has just timed out', async () => {
		const recorded = recordedRig({ callMs: 2_000, callMsByTool: { list_all: 60_000 } });
		const [one, ...others] = await agentsOf(recorded, ['one', 'two', 'three']);
		one?.call('read');
		for (const other of others) other.call('list_all');
		await recorded.rig.pass(2_000);
		recorded.rig.last.die();
		await recorded.rig.pass(1_000);
		assert.deepEqual(
			recorded.findings().filter((finding) => finding.startsWith('reconnect-cascade')),
			[],
		);
	});

	it('know of a lost call whether it may be repeated, as its server has said', async () => {
		const recorded = recordedRig({});
		const [one] = await agentsOf(recorded, ['one']);
		one?.ask('tools/list');
		await recorded.rig.pass(0);
		for (const tool of ['say', 'look']) one?.call(tool);
		await recorded.rig.pass(0);
		recorded.rig.last.die();
		await recorded.rig.pass(1_000);
		const { transports } = recorded.rig;
		assert.equal(transports.at(-1)?.requests('tools/call').length, 1, 'what may be repeated is');
		assert.deepEqual(recorded.findings(), [
			'outcome-unknown at one: The host lost the call here: say on files may or may not have been carried out. The process was killed by SIGKILL.',
		]);
	});

	it('find a call that a fault on purpose has delivered twice', async () => {
		const recorded = recordedRig({});
		arm(recorded, { kind: 'twice', tool: 'files/say' });
		const [one] = await agentsOf(recorded, ['one']);
		one?.call('say');
		await recorded.rig.pass(0);
		assert.deepEqual(recorded.findings(), ['duplicate-execution at one: It went to its server here.']);
	});

	it('find that a server has forgotten what it has given, by its answers as the wire has them', async () => {
		const recorded = recordedRig({});
		const [one] = await agentsOf(recorded, ['one']);
		one?.call('begin');
		await recorded.rig.pass(10);
		recorded.rig.last.die();
		await recorded.rig.pass(1_000);
		one?.call('go_on', { arguments: { session_id: 's-1' } });
		await recorded.rig.pass(10);
		assert.deepEqual(recorded.findings(), [
			'session-context-lost at one: Here it gave "s-1". In between the connection to files was made anew: The process was killed by SIGKILL.',
		]);
	});
});
