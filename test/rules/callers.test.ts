// Who calls, by tiny transcripts in the notation of the rules' tests. Asked of the call `x`.

import assert from 'node:assert/strict';
import { createCore } from '../../src/core/core.ts';
import { callersOf } from '../../src/core/rules/callers.ts';
import { parseTranscript } from './notation.ts';

async function callerOf(notation: string) {
	const { files, root, process } = parseTranscript(notation);
	const core = createCore({ files, liveness: { probe: async () => process }, clock: { now: () => 0 } });
	const { sessions } = await core.findSessions(root);
	const { conversation } = await core.readSession(sessions[0]!, { assume: 'ended', rules: {}, withPreviews: false });
	const calls = [...conversation.agents.values()].flatMap((agent) => agent.toolCalls);
	const call = calls.find(({ id }) => id === 'x');
	assert.ok(call, 'There is a call x.');
	return callersOf(conversation)(call);
}

const cases: readonly (readonly [name: string, kind: string, evidence: RegExp, notation: string])[] = [
	[
		'nothing tells',
		'unknown',
		/^Nothing tells whether a person started the session\.$/,
		`
user: hi
assistant: call x mcp__a__b {}`,
	],
	[
		'a session that a person started',
		'interactive',
		/^The session was started by a person\.$/,
		`
entrypoint: cli
user: hi
assistant: call x mcp__a__b {}`,
	],
	[
		'a session of -p',
		'headless',
		/^The session was started to print an answer/,
		`
entrypoint: sdk-cli
user: hi
assistant: call x mcp__a__b {}`,
	],
	[
		'a session that a trigger started',
		'scheduled',
		/^The session was started by a timer\.$/,
		`
entrypoint: remote_trigger
user: hi
assistant: call x mcp__a__b {}`,
	],
	[
		'a person who types into a session that a program started',
		'interactive',
		/^A person typed the prompt/,
		`
entrypoint: sdk-ts
user [origin=typed]: hi
assistant: call x mcp__a__b {}`,
	],
	[
		'a prompt that a person typed ahead',
		'interactive',
		/^A person typed the prompt of this turn ahead/,
		`
user [origin=queued]: hi
assistant: call x mcp__a__b {}`,
	],
	[
		'a timer in a session that a person has open',
		'scheduled',
		/^A timer began this turn\.$/,
		`
entrypoint: cli
user [origin=typed]: hi
assistant: hello
user [origin=scheduled]: go on
assistant: call x mcp__a__b {}`,
	],
	[
		'the turn after that is the one that counts',
		'interactive',
		/^A person typed/,
		`
entrypoint: cli
user [origin=scheduled]: go on
assistant: done
user [origin=typed]: hi
assistant: call y mcp__a__b {}
tool: result y {"a": []}
assistant: call x mcp__a__b {}`,
	],
	[
		'a program',
		'headless',
		/^A program began this turn\.$/,
		`
entrypoint: cli
user [origin=program]: hi
assistant: call x mcp__a__b {}`,
	],
	[
		'what the client itself says goes on with how the session was started',
		'interactive',
		/^The session was started by a person\.$/,
		`
entrypoint: cli
user [origin=system]: go on
assistant: call x mcp__a__b {}`,
	],
	[
		'a call before a hook spoke is the one of the prompt',
		'interactive',
		/^A person typed/,
		`
user [origin=typed]: hi
assistant: call x mcp__a__b {}
tool: result x {"a": []}
assistant: done
hook: look again
assistant: done`,
	],
	[
		'a call after that is the one of the hook',
		'headless',
		/^A hook made the agent go on\.$/,
		`
user [origin=typed]: hi
assistant: done
hook: look again
assistant: call x mcp__a__b {}`,
	],
	[
		'a subagent of a subagent acts for who began the turn',
		'scheduled',
		/^deep was started by wide\. wide was started by main\. A timer began this turn\.$/,
		`
user [origin=scheduled]: hi
assistant: call t1 Agent "wide"
user [agent=w]: wide
assistant [agent=w]: call w1 Agent "deep"
user [agent=k]: deep
assistant [agent=k]: call x mcp__a__b {}
tool [agent=k]: result x {"a": []}
assistant [agent=k]: done
tool [agent=w]: result w1 agent k
assistant [agent=w]: done
tool: result t1 agent w
assistant: done
sidecar: w toolUseId=t1
sidecar: k toolUseId=w1 parentAgentId=w`,
	],
	[
		'what somebody calls in another turn does not matter',
		'interactive',
		/^look was started by main\. A person typed/,
		`
user [origin=typed]: hi
assistant: call t1 Agent "look"
user [agent=w]: look
assistant [agent=w]: call x mcp__a__b {}
tool [agent=w]: result x {"a": []}
assistant [agent=w]: done
tool: result t1 agent w
assistant: done
user [origin=scheduled]: go on
assistant: done
sidecar: w toolUseId=t1`,
	],
	[
		'an agent in the background',
		'headless',
		/^look works in the background: main went on without its answer\.$/,
		`
user [origin=typed]: hi
assistant: call t1 Agent "look"
tool: result t1 async w
assistant: I go on
user [agent=w]: look
assistant [agent=w]: call x mcp__a__b {}
sidecar: w toolUseId=t1`,
	],
	[
		'an agent in the background of what a timer began',
		'scheduled',
		/^look was started by main\. A timer/,
		`
user [origin=scheduled]: hi
assistant: call t1 Agent "look"
tool: result t1 async w
assistant: I go on
user [agent=w]: look
assistant [agent=w]: call x mcp__a__b {}
sidecar: w toolUseId=t1`,
	],
	[
		'a team mate, whom no call started, acts for the turn in which it began',
		'scheduled',
		/^mate was started by main\. A timer/,
		`
user [origin=typed]: hi
assistant: done
user [origin=scheduled]: go on
assistant: done
user [agent=mate]: <teammate-message teammate_id="lead">begin</teammate-message>
assistant [agent=mate]: call x mcp__a__b {}
sidecar: mate taskKind=in_process_teammate name=mate teamName=crew parentAgentId=main`,
	],
	[
		'an agent of which nothing is known in a session of -p',
		'headless',
		/^helper was started by the session\. The session was started to print an answer/,
		`
entrypoint: sdk-cli
user: hi
assistant: done
user [agent=helper]: summarise
assistant [agent=helper]: call x mcp__a__b {}`,
	],
	[
		'agents that claim each other for parents',
		'unknown',
		/\.$/,
		`
user [agent=one]: do it
assistant [agent=one]: call o1 Agent "two"
assistant [agent=one]: call x mcp__a__b {}
user [agent=two]: do it
assistant [agent=two]: call t1 Agent "one"
sidecar: one toolUseId=t1 parentAgentId=two
sidecar: two toolUseId=o1 parentAgentId=one`,
	],
	[
		'codex exec',
		'headless',
		/\.$/,
		`
client: codex 0.169.0
user: hi
assistant: call x mcp__a__b {}`,
	],
	[
		'a child of codex exec',
		'headless',
		/^kid was started by main\./,
		`
client: codex 0.169.0
user: hi
assistant: call c1 spawn_agent
tool: result c1 agent kid
assistant: done
user [agent=kid]: your part
assistant [agent=kid]: call x mcp__a__b {}`,
	],
];

describe('who calls', () => {
	for (const [name, kind, evidence, notation] of cases) {
		it(name, async () => {
			const caller = await callerOf(notation);
			assert.equal(caller.kind, kind, caller.evidence);
			assert.match(caller.evidence, evidence);
		});
	}
});
