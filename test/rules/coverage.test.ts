// Who looked where, by tiny transcripts in the notation of the rules' tests.

import assert from 'node:assert/strict';
import { agentName } from '../../src/core/conversation/index.ts';
import { createCore } from '../../src/core/core.ts';
import { coverageOf } from '../../src/core/rules/coverage.ts';
import { parseTranscript } from './notation.ts';

/** One line for each look and for each value that was missed. */
async function covered(notation: string): Promise<readonly string[]> {
	const { files, root, process, scope } = parseTranscript(notation);
	const core = createCore({ files, liveness: { probe: async () => process }, clock: { now: () => 0 } });
	const { sessions } = await core.findSessions(root);
	const { conversation } = await core.readSession(sessions[0]!, { assume: 'ended', rules: {}, withPreviews: false });
	return coverageOf(conversation, scope).flatMap(({ server, tool, calls, unknown, parameters }) => [
		`${server}/${tool} ${calls}${unknown === undefined ? '' : ' unknown'}`,
		...parameters.flatMap(({ parameter, looks, missed }) => [
			`  ${parameter.path}`,
			...looks.map(
				({ agent, value, taken, calls: made, items }) =>
					`    ${agentName(agent)}: ${value ?? `left out (${taken ?? 'nobody knows'})`} ${made.map(({ id }) => id).join()} ${items ?? '?'}`,
			),
			...missed.map(({ value, source }) => `    nobody: ${value} (${source})`),
		]),
	]);
}

const listMessages = `
describes: chat list_messages {"context_id": "Which chat. Defaults to the current context.", "limit": {"type": "integer", "default": 200}} Lists messages.`;

describe('the coverage of a session', () => {
	it('says who looked where, explicitly or by default, and what came back', async () => {
		assert.deepEqual(
			await covered(`${listMessages}
user: review the day
assistant: call t1 Agent "look at tab 2"
tool: result t1 agent scout
user [agent=scout]: look at tab 2
assistant [agent=scout]: call s1 mcp__chat__list_messages {"context_id": "tab-2", "limit": 5}
tool [agent=scout]: result s1 {"messages": [1, 2]}
assistant [agent=scout]: call s2 mcp__chat__list_messages {"context_id": "tab-2"}
tool [agent=scout]: result s2 {"messages": [1, 2, 3]}
assistant [agent=scout]: done
assistant: call t2 mcp__chat__list_messages {}
tool: result t2 {"messages": []}
assistant: call t3 mcp__chat__list_messages {"context_id": "tab-3"}
tool: result t3 {"text": "a long talk"}
assistant: done
sidecar: scout toolUseId=t1`),
			[
				'chat/list_messages 4',
				'  context_id',
				'    main: left out (current context) t2 0',
				'    main: "tab-3" t3 ?',
				'    look at tab 2: "tab-2" s1,s2 5',
			],
		);
	});

	it('says which values that are known nobody has looked at', async () => {
		assert.deepEqual(
			await covered(`
describes: ops list_alerts {"region": {"enum": ["eu", "us", "asia"], "default": "eu"}} Lists alerts.
describes: ops restart {"region!": {"type": "string"}, "job!": {"type": "string"}} Restarts a job.
user: review the day
assistant: call t1 mcp__ops__list_alerts {}
tool: result t1 {"alerts": []}
assistant: call t2 mcp__ops__restart {"region": "mars", "job": "billing"}
tool: result t2 {"region": "moon", "ok": true}
assistant: done`),
			[
				'ops/list_alerts 1',
				'  region',
				'    main: left out ("eu") t1 0',
				'    nobody: "us" (schema)',
				'    nobody: "asia" (schema)',
				'    nobody: "moon" (result)',
				'    nobody: "mars" (call)',
				'ops/restart 1',
				'  region',
				'    main: "mars" t2 ?',
				'    nobody: "moon" (result)',
			],
		);
	});

	it('misses nothing where somebody has looked everywhere', async () => {
		const describes = `
describes: ops list_alerts {"region": {"enum": ["all", "eu", "us"], "description": "Defaults to all."}} Lists alerts.`;
		assert.deepEqual(
			await covered(`${describes}
user: review the day
assistant: call t1 mcp__ops__list_alerts {}
tool: result t1 {"alerts": []}
assistant: done`),
			['ops/list_alerts 1', '  region', '    main: left out (all) t1 0'],
		);
		assert.deepEqual(
			await covered(`${describes}
user: review the day
assistant: call t1 mcp__ops__list_alerts {"region": "eu"}
tool: result t1 {"alerts": []}
assistant: call t2 mcp__ops__list_alerts {"region": "all"}
tool: result t2 {"alerts": []}
assistant: done`),
			['ops/list_alerts 2', '  region', '    main: "eu" t1 0', '    main: "all" t2 0'],
		);
	});

	it('takes a list of values for each of them', async () => {
		assert.deepEqual(
			await covered(`
describes: ops list_alerts {"regions": {"type": "array", "items": {"enum": ["eu", "us", "asia"]}, "description": "Defaults to the current region."}} Lists alerts.
user: review the day
assistant: call t1 mcp__ops__list_alerts {"regions": ["eu", "asia"]}
tool: result t1 {"alerts": [1]}
assistant: done`),
			['ops/list_alerts 1', '  regions', '    main: ["eu","asia"] t1 1', '    nobody: "us" (schema)'],
		);
	});

	it('takes the scope that an answer tells for the one that was taken', async () => {
		assert.deepEqual(
			await covered(`${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {}
tool: result t1 {"context_id": "tab-review", "messages": []}
assistant: done`),
			['chat/list_messages 1', '  context_id', '    main: left out ("tab-review") t1 0'],
		);
	});

	it('knows the places that a list of the server names', async () => {
		assert.deepEqual(
			await covered(`${listMessages}
describes: chat list_contexts {} Lists the chats.
user: review the day
assistant: call t1 mcp__chat__list_contexts {}
tool: result t1 {"contexts": [{"context_id": "tab-1", "messages": 5}, {"context_id": "tab-2"}, {"context_id": "tab-1"}]}
assistant: call t2 mcp__chat__list_messages {"context_id": "tab-2"}
tool: result t2 {"messages": [{"message_id": "m-1"}]}
assistant: done`),
			[
				'chat/list_contexts 1',
				'chat/list_messages 1',
				'  context_id',
				'    main: "tab-2" t2 1',
				'    nobody: "tab-1" (result)',
			],
		);
	});

	it('leaves out what failed, and knows names only where nothing was read of a tool', async () => {
		assert.deepEqual(
			await covered(`
user: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "tab-2"}
tool: result t1 error
assistant: call t2 mcp__chat__list_messages {}
tool: result t2 {"messages": [1]}
assistant: call t3 Read
tool: result t3 ok
assistant: done`),
			['chat/list_messages 1 unknown', '  context_id', '    main: left out (nobody knows) t2 1'],
		);
	});

	it('follows the settings', async () => {
		assert.deepEqual(
			await covered(`
scope: {"chat": {"*": {"parameters": ["where.room"]}}}
describes: chat list_messages {"where": {"type": "object"}, "context_id": "Which chat. Defaults to the current context."} Lists messages.
user: review the day
assistant: call t1 mcp__chat__list_messages {"where": {"room": "blue"}}
tool: result t1 {"messages": [1]}
assistant: done`),
			['chat/list_messages 1', '  where.room', '    main: "blue" t1 1'],
		);
	});
});
