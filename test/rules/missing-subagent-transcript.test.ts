import rule from '../../src/core/rules/missing-subagent-transcript.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'the transcript is there',
			transcript: `
user: hi
assistant: call t1 Agent "look"
tool: result t1 agent scout
assistant: done
user [agent=scout]: look
assistant [agent=scout]: done`,
		},
		{
			name: 'none of the subagents has a transcript, as in a copy of the main one alone',
			transcript: `
user: hi
assistant: call t1 Agent "look"
           ^^^^^^^^^^^^^^^^^^^^ inconclusive
tool: result t1 agent scout
assistant: done`,
		},
		{
			name: 'the agent has only just been started',
			transcript: `
assume: live
user: hi
assistant: call t1 Agent "look"
tool: result t1 async scout
assistant: call t2 Agent "look again"
           ^^^^^^^^^^^^^^^^^^^^^^^^^^ inconclusive
tool: result t2 async second
user [agent=scout]: look
assistant [agent=scout]: looking`,
		},
		{
			name: 'a background command is a task but no agent',
			transcript: `
user: hi
assistant: call t1 Agent "look"
tool: result t1 agent scout
assistant: call t2 Bash
tool: result t2 background
notification: b1 completed t2
assistant: done
user [agent=scout]: look
assistant [agent=scout]: done`,
		},
	],
	invalid: [
		{
			name: 'the transcripts of the others are there',
			transcript: `
user: hi
assistant: call t1 Agent "look"
tool: result t1 agent scout
assistant: call t2 Agent "look again"
           ^^^^^^^^^^^^^^^^^^^^^^^^^^ missing note
tool: result t2 agent second
assistant: done
user [agent=scout]: look
assistant [agent=scout]: done`,
		},
		{
			name: 'one of two Codex children is not there',
			transcript: `
client: codex 0.169.0
user: hi
assistant: call c1 spawn_agent
assistant+: call c2 spawn_agent
            ^^^^^^^^^^^^^^^^^^^ missing
tool: result c1 agent kid
tool: result c2 agent gone
assistant: done
user [agent=kid]: your part
assistant [agent=kid]: done
done [agent=kid]:`,
		},
	],
});
