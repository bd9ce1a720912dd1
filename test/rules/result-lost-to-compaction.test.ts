import rule from '../../src/core/rules/result-lost-to-compaction.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'all calls were answered before the compaction',
			transcript: `
user: hi
assistant: call t1 Read
tool: result t1 ok
compaction: auto
summary: We read.
assistant: done`,
		},
		{
			name: 'the call lay on a branch that was left before the compaction',
			transcript: `
assume: ended
user [id=u]: hi
assistant [id=a on=u]: call t1 Bash
user [id=v on=u]: something else
assistant [on=v]: done
compaction: auto
summary: Something else.
user: go on
assistant: done`,
		},
		{
			name: 'a legacy title is no compaction',
			transcript: `
assume: live
user: hi
assistant: call t1 Read
record: summary`,
		},
		{
			name: 'a microcompaction only blanks old results',
			transcript: `
user: hi
assistant: call t1 Read
tool: result t1 ok
assistant: call t2 Read
cleared: t1
tool: result t2 ok
assistant: done`,
		},
		{
			name: 'what was preserved follows the summary, its results among it',
			transcript: `
client: claude-code 2.1.217
user: hi
assistant: old
user [id=h]: list it
assistant [id=a]: call t1 Bash
tool [id=t on=a]: result t1 ok
compaction: auto keeping h..t behind s
summary [id=s]: We said hi.
assistant [on=t]: done
user: thanks
assistant: welcome`,
		},
		{
			name: 'Codex compacts between turns',
			transcript: `
client: codex 0.169.0
user: hi
assistant: call c1 exec_command
tool: result c1 ok
compaction:
user: go on
assistant: done`,
		},
	],
	invalid: [
		{
			name: 'the conversation was compacted while the call was out',
			transcript: `
client: claude-code 2.1.40
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ lost lost-to-compaction error
progress: t1 hook_progress
compaction: auto
~~~~~~~~~~ compaction
summary: We ran it.
assistant: done`,
		},
		{
			name: 'one of three parallel calls lost its result',
			transcript: `
client: claude-code 2.0.76
user: hi
assistant: call t1 Bash
assistant+: call t2 Read
            ^^^^^^^^^^^^ lost
assistant+: call t3 Read
tool: result t1 ok
tool: result t3 ok
compaction: auto
summary: We ran it.
assistant: done`,
		},
		{
			name: 'the session is live and has long gone on',
			transcript: `
client: claude-code 2.1.30
assume: live
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ lost lost-to-compaction
compaction: manual
summary: We ran it.
user: go on
assistant: call t2 Bash`,
		},
		{
			name: 'a subagent compacts itself in mid-call',
			transcript: `
user: hi
assistant: call t1 Agent "look"
tool: result t1 agent scout
assistant: done
user [agent=scout]: look
assistant [agent=scout]: call s1 Read
                         ^^^^^^^^^^^^ lost
compaction [agent=scout]: auto
summary [agent=scout]: I looked.
assistant [agent=scout]: done
sidecar: scout toolUseId=t1 finished=true`,
		},
	],
});
