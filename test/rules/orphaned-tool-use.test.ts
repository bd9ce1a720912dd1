import rule from '../../src/core/rules/orphaned-tool-use.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'the client has begun an agent only to warm a cache, and ended it in mid-call (2.0.x, 2.1.4)',
			transcript: `
client: claude-code 2.0.77
layout: beside
assume: ended
user: hi
assistant: done
user [agent=warm]: Warmup
assistant [agent=warm]: I look around
assistant+ [agent=warm]: call t1 Bash
assistant+ [agent=warm]: call t2 Glob`,
		},
		{
			name: 'so it is with one that went on after a call that nobody answered',
			transcript: `
client: claude-code 2.0.77
layout: beside
assume: ended
user: hi
assistant: done
user [agent=warm]: Warmup
assistant [agent=warm]: call t1 Bash | call t2 Glob
tool [agent=warm]: result t1 error
assistant [agent=warm]: let me try again`,
		},
		{
			name: 'a call has its result',
			transcript: `
user: hi
assistant: call t1 Read
tool: result t1 ok
assistant: done`,
		},
		{
			name: 'results stand between the lines of their own message',
			transcript: `
user: hi
assistant: text
assistant+: call t1 Read
tool: result t1 ok
assistant+: call t2 Grep
tool: result t2 ok
assistant: done`,
		},
		{
			name: 'parallel calls are siblings in the tree of lines (2.1.0 to 2.1.49)',
			transcript: `
client: claude-code 2.1.40
user [id=u]: hi
assistant [id=a1 on=u]: call t1 Read
assistant+ [id=a2 on=a1]: call t2 Grep
assistant+ [id=a3 on=a2]: call t3 Glob
tool [id=r1 on=a1]: result t1 ok
tool [id=r2 on=a2]: result t2 ok
tool [id=r3 on=a3]: result t3 ok
assistant [on=r3]: done`,
		},
		{
			name: 'a result hangs on the result before it (up to 2.0.x)',
			transcript: `
client: claude-code 2.0.76
user: hi
assistant: call t1 Read
assistant+: call t2 Read
tool [id=r1]: result t1 ok
tool [on=r1]: result t2 ok
assistant: done`,
		},
		{
			name: 'the result of a call was written before the call itself',
			transcript: `
user [id=u]: hi
tool [id=r on=a]: result t1 ok
attachment [on=r]: todo_reminder
assistant [id=a on=u]: call t1 Read
assistant [on=r]: done`,
		},
		{
			name: 'two processes append to one session, and each result lies on its own branch',
			transcript: `
user [id=u]: hi
assistant [id=a on=u]: call t1 Bash
user [id=u2 on=u]: and now?
assistant [id=b on=u2]: call t2 Bash
tool [id=ra on=a]: result t1 ok
tool [id=rb on=b]: result t2 ok
assistant [id=c on=ra]: first is done
assistant [id=d on=rb]: second is done`,
		},
		{
			name: 'the call lies on a branch that was left by a rewind',
			transcript: `
assume: ended
user [id=u]: hi
assistant [id=a on=u]: call t1 Bash
user [id=v on=u]: something else
assistant [on=v]: done`,
		},
		{
			name: 'a response was given up after an error and asked for again',
			transcript: `
assume: ended
user [id=u]: hi
assistant [id=a on=u]: call t1 Bash
system [on=a]: api_error
assistant [id=b on=u]: another answer`,
		},
		{
			name: 'an interrupt is answered',
			transcript: `
user: hi
assistant: call t1 Bash
tool: result t1 denied
interrupt:
user: something else
assistant: done`,
		},
		{
			name: 'the client itself wrote the answers of a session that was killed (2.1.328)',
			transcript: `
client: claude-code 2.1.328
user: hi
assistant: call t1 Bash
assistant+: call t2 Bash
tool: result t1 interrupted
tool: result t2 interrupted
error: No response requested.
user: go on
assistant: done`,
		},
		{
			name: 'a plan was accepted for a session of its own, and this one got no answer (2.1.14 to 2.1.29)',
			transcript: `
client: claude-code 2.1.19
assume: ended
user: make a plan
assistant: here it is
assistant+: call t1 ExitPlanMode
record: summary`,
		},
		{
			name: 'the process has gone on with a session for the plan',
			transcript: `
client: claude-code 2.1.19
assume: live since 100
user: make a plan
assistant: call t1 ExitPlanMode`,
		},
		{
			name: 'a hook has deferred the call until the session is resumed',
			transcript: `
client: claude-code 2.1.328
assume: ended
user: hi
assistant: call t1 mcp__bench__echo
attachment: hook_success t1
attachment: hook_deferred_tool t1
attachment: prompt_snapshot
record: last-prompt`,
		},
		{
			name: 'a hook has deferred the call, and nothing tells whether the session still runs',
			transcript: `
client: claude-code 2.1.328
user: hi
assistant: call t1 mcp__bench__echo
attachment: hook_deferred_tool t1`,
		},
		{
			name: 'an agent was launched in the background',
			transcript: `
user: hi
assistant: call t1 Agent "look around"
tool: result t1 async scout
assistant: it runs
notification: scout completed t1
assistant: done
user [agent=scout]: look around
assistant [agent=scout]: call s1 Read
tool [agent=scout]: result s1 ok
assistant [agent=scout]: nothing there
sidecar: scout toolUseId=t1 finished=true`,
		},
		{
			name: 'a command went to the background',
			transcript: `
user: hi
assistant: call t1 Bash
tool: result t1 background
assistant: done`,
		},
		{
			name: 'a subagent was killed in mid-call, and its parent woke it behind the last result',
			transcript: `
client: claude-code 2.1.328
assume: live
user: hi
assistant: call t1 Agent "look around"
tool: result t1 async scout
user [agent=scout]: look around
assistant [agent=scout]: call s1 Read
tool [agent=scout id=r]: result s1 ok
assistant [agent=scout id=x]: call s2 Read
coordinator [agent=scout on=r]: The coordinator sent a message while you were working
assistant [agent=scout]: done
sidecar: scout toolUseId=t1 finished=true`,
		},
		{
			name: 'a tool of the provider is answered in place',
			transcript: `
user: hi
assistant: server s1 web_search | result s1 web_search_result | found it
user: thanks
assistant: welcome`,
		},
		{
			name: 'a gateway answers its own tool with a plain result, in one line or in one line each',
			transcript: `
user: hi
assistant: server c1 webReader | result c1 ok
assistant: server c2 webReader
assistant+: result c2 ok
user: thanks
assistant: welcome`,
		},
		{
			name: 'the last call of a live session waits for its result',
			transcript: `
assume: live
user: hi
assistant: call t1 Bash
progress: t1 bash_progress
record: last-prompt`,
		},
		{
			name: 'nothing tells whether the session still runs',
			transcript: `
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ inconclusive
record: last-prompt`,
		},
		{
			name: 'a damaged line behind the call may have held its result',
			transcript: `
assume: ended
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ inconclusive
damage: cut`,
			also: ['damaged-line'],
		},
		{
			name: 'a resume wrote the last lines again with the same ids',
			transcript: `
user [id=u]: hi
assistant [id=a message=m1]: call t1 Read
tool [id=r]: result t1 ok
assistant [id=a message=m1 on=u]: call t1 Read
tool [id=r on=a]: result t1 ok
assistant: done`,
		},
		{
			name: 'a resume wrote the last lines again with new ids and the old message id (2.0.76, 2.1.12)',
			transcript: `
client: claude-code 2.1.12
user [id=u]: hi
assistant [id=a on=u message=m1]: text | call t1 Read
tool [id=r on=a]: result t1 ok
assistant [id=b1 on=u message=m1]: text
assistant [id=b2 on=b1 message=m1]: call t1 Read
tool [id=s on=b2]: result t1 ok
assistant [on=s]: done`,
		},
		{
			name: 'a meta line or a team mate speaks between call and result',
			transcript: `
user: hi
assistant: call t1 Skill
assistant+: call t2 Read
tool: result t1 ok
meta: Base directory for this skill: /home/dev
user: <teammate-message teammate_id="lead">how far are you?</teammate-message>
tool: result t2 ok
assistant: done`,
		},
		{
			name: 'a later result was cleared to save room',
			transcript: `
user: hi
assistant: call t1 Read
tool: result t1 ok
cleared: t1
assistant: done`,
		},
		{
			name: 'Codex writes a developer message between call and output',
			transcript: `
client: codex 0.146.0
user: hi
assistant: call c1 exec_command
developer: Approved command prefix saved
user: Warning: apply_patch was requested via exec_command
tool: result c1 ok
assistant: done
done:`,
		},
		{
			name: 'Codex was interrupted and closed its calls',
			transcript: `
client: codex 0.169.0
assume: ended
user: hi
assistant: call c1 wait_agent
tool: result c1 aborted
aborted:
user: go on
assistant: done`,
		},
		{
			name: 'a resumed Codex thread repeats its header',
			transcript: `
client: codex 0.146.0
user: hi
assistant: call c1 exec_command
header:
header:
tool: result c1 ok
assistant: done`,
		},
		{
			name: 'a Codex call was rolled back with its turn',
			transcript: `
client: codex 0.146.0
assume: ended
user: hi
assistant: hello
user: list it
assistant: call c1 exec_command
rewind: 1
user: something else
assistant: done`,
		},
		{
			name: "a forked Codex child begins with a copy of its parent's open calls",
			transcript: `
client: codex 0.169.0
user: hi
assistant: call c1 spawn_agent
tool: result c1 agent kid
assistant: done
user [agent=kid history=50]: hi
assistant [agent=kid]: call c1 spawn_agent
aborted [agent=kid]:
user [agent=kid ordinal=50]: your part
assistant [agent=kid ordinal=51]: call k1 exec_command
tool [agent=kid ordinal=52]: result k1 ok
done [agent=kid ordinal=53]:`,
		},
		{
			name: 'a child that was forked by an older Codex repeats the header of its parent and then its history',
			transcript: `
client: codex 0.120.0
user: hi
assistant: call c1 spawn_agent
tool: result c1 agent kid
assistant: done
header [agent=kid of=main]:
user [agent=kid]: hi
assistant [agent=kid]: call c1 spawn_agent
aborted [agent=kid]:
user [agent=kid]: your part
assistant [agent=kid]: call k1 exec_command
tool [agent=kid]: result k1 ok
done [agent=kid]:`,
		},
		{
			// Older Codex marks nowhere where the copy of its history ends: the call is the parent's own.
			name: 'a child that was forked by an older Codex goes on right behind the copy of an open call',
			transcript: `
client: codex 0.120.0
user: hi
assistant: call c1 spawn_agent
tool: result c1 agent kid
assistant: done
header [agent=kid of=main]:
user [agent=kid]: hi
assistant [agent=kid]: call c1 spawn_agent
user [agent=kid]: your part
assistant [agent=kid]: done
done [agent=kid]:`,
		},
	],
	invalid: [
		{
			name: 'a new prompt follows a call without a result',
			transcript: `
assistant: call t1 read
           ^^^^^^^^^^^^ killed error
user: hello?
~~~~ later`,
		},
		{
			name: 'the process has ended in mid-call',
			transcript: `
assume: ended
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ killed killed
record: last-prompt`,
		},
		{
			name: 'a plan was waited for when the process was killed, and the session was resumed',
			transcript: `
user: make a plan
assistant: call t1 ExitPlanMode
           ^^^^^^^^^^^^^^^^^^^^ killed
user: are you still there?`,
		},
		{
			name: 'a subagent and an MCP server have tools of the same name',
			transcript: `
assume: ended
user: make a plan
assistant: call t1 Agent "plan"
           ^^^^^^^^^^^^^^^^^^^^ killed
assistant+: call t2 mcp__plans__ExitPlanMode
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ killed
user [agent=planner]: plan
assistant [agent=planner]: call s1 ExitPlanMode
                           ^^^^^^^^^^^^^^^^^^^^ killed`,
		},
		{
			name: 'another call was deferred, and one that was is still out when somebody prompts again',
			transcript: `
client: claude-code 2.1.328
user: hi
assistant: call t1 mcp__bench__echo
           ^^^^^^^^^^^^^^^^^^^^^^^^ killed
assistant+: call t2 Bash
            ^^^^^^^^^^^^ killed
attachment: hook_deferred_tool t1
user: are you still there?`,
		},
		{
			name: 'all parallel calls were out when the process ended',
			transcript: `
assume: ended
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ killed
assistant+: call t2 Bash
            ^^^^^^^^^^^^ killed`,
		},
		{
			name: 'another process has resumed the session since',
			transcript: `
assume: live since 100
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ killed`,
		},
		{
			name: 'the turn was interrupted and nothing answers the call',
			transcript: `
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ interrupted
interrupt:
user: something else`,
		},
		{
			name: 'a prompt hangs on the very call',
			transcript: `
user: hi
assistant [id=a]: call t1 Bash
                  ^^^^^^^^^^^^ killed
progress [id=p on=a]: t1 bash_progress
user [on=p]: still there?
assistant: yes`,
		},
		{
			name: 'a gateway gave one response two ids and the first one never ran its call',
			transcript: `
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ unknown unknown
assistant: call t2 Bash
tool: result t2 ok
assistant: done`,
		},
		{
			name: 'a subagent was killed and its parent goes on',
			transcript: `
user: hi
assistant: call t1 Agent "look around"
tool: result t1 async scout
user [agent=scout]: look around
assistant [agent=scout]: call s1 Read
                         ^^^^^^^^^^^^ killed
notification: scout stopped
assistant: done
sidecar: scout toolUseId=t1`,
		},
		{
			name: 'a subagent was killed in mid-call and then resumed by its parent behind the call',
			transcript: `
client: claude-code 2.1.328
assume: live
user: hi
assistant: call t1 Agent "look around"
tool: result t1 async scout
user [agent=scout]: look around
assistant [agent=scout]: call s1 Read
tool [agent=scout id=r]: result s1 ok
assistant [agent=scout id=x]: call s2 Read
                              ^^^^^^^^^^^^ killed
coordinator [agent=scout on=x]: The coordinator sent a message while you were working
assistant [agent=scout]: done
sidecar: scout toolUseId=t1 finished=true`,
		},
		{
			name: 'a Codex thread was killed and resumed',
			transcript: `
client: codex 0.169.0
user: hi
assistant: call c1 exec_command
           ^^^^^^^^^^^^^^^^^^^^ killed
user: go on
assistant: done`,
		},
		{
			name: 'a Codex child was killed',
			transcript: `
client: codex 0.169.0
assume: ended
user: hi
assistant: call c1 spawn_agent
tool: result c1 agent kid
assistant: call c2 wait_agent
           ^^^^^^^^^^^^^^^^^^ killed
user [agent=kid]: your part
assistant [agent=kid]: call k1 mcp__bench__echo
                       ^^^^^^^^^^^^^^^^^^^^^^^^ killed`,
		},
		{
			name: 'the damage stands before the call and cannot have held its result',
			transcript: `
assume: ended
user: hi
damage: garbage
assistant: call t1 Bash
           ^^^^^^^^^^^^ killed`,
			also: ['damaged-line'],
		},
	],
});
