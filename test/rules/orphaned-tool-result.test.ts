import rule from '../../src/core/rules/orphaned-tool-result.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'the call stands before its result',
			transcript: `
user: hi
assistant: call t1 Read
tool: result t1 ok`,
		},
		{
			name: 'the call was written a few lines after its result',
			transcript: `
user [id=u]: hi
tool [id=r on=a]: result t1 ok
tool [id=s on=b]: result t2 ok
assistant [id=a on=u]: call t1 Read
assistant+ [id=b on=a]: call t2 Read
assistant [on=s]: done`,
		},
		{
			name: "a gateway's own result names a call that was never written",
			transcript: `
user: hi
assistant: result c1 ok | found it
user: thanks
assistant: welcome`,
		},
		{
			name: 'the result lies on a branch that was left',
			transcript: `
user [id=u]: hi
tool [id=r on=u]: result t9 ok
user [id=v on=u]: something else
assistant [on=v]: done`,
		},
		{
			name: 'a damaged line before it may have held the call',
			transcript: `
user: hi
damage: cut
tool: result t1 ok
      ^^^^^^^^^^^^ inconclusive
assistant: done`,
			also: ['damaged-line'],
		},
		{
			name: 'a damaged line close behind it may have held the call',
			transcript: `
user: hi
tool: result t1 ok
      ^^^^^^^^^^^^ inconclusive
damage: garbage
assistant: done`,
			also: ['damaged-line'],
		},
		{
			name: 'results were blanked by a microcompaction but are still there',
			transcript: `
user: hi
assistant: call t1 Read
tool: result t1 ok
cleared: t1 t7
user: go on
assistant: done`,
		},
		{
			name: 'it came before a compaction that replaced the whole of it',
			transcript: `
user: hi
tool: result t9 ok
compaction: manual
summary: We said hi.
user: go on
assistant: done`,
		},
		{
			name: 'a new session begins with the rejected call of the one before, and then anew',
			transcript: `
tool [on=gone]: result t1 denied
interrupt:
user [on=root]: carry out the plan
assistant: done`,
		},
		{
			name: 'Codex writes an output after other messages',
			transcript: `
client: codex 0.146.0
user: hi
assistant: call c1 exec_command
user: one more thing
tool: result c1 ok
assistant: done`,
		},
		{
			name: "a forked Codex child holds a copy of its parent's outputs",
			transcript: `
client: codex 0.169.0
user: hi
assistant: call c1 spawn_agent
tool: result c1 agent kid
tool [agent=kid history=50]: result c0 ok
user [agent=kid ordinal=50]: your part
assistant [agent=kid ordinal=51]: done`,
		},
		{
			name: 'a Codex rollout goes on where another one ends, in which the call stands',
			transcript: `
client: codex 0.169.0
tool [base=19]: result c1 ok
assistant: done
user: go on
assistant: call c2 exec_command
tool: result c2 ok
assistant: done`,
		},
	],
	invalid: [
		{
			name: 'a Codex rollout goes on where another one ends, and answers something later that was never called',
			transcript: `
client: codex 0.169.0
user [base=19]: go on
assistant: call c2 exec_command
tool: result c2 ok
tool: result c9 ok
      ^^^^^^^^^^^^ unknown unknown error
assistant: done`,
		},
		{
			name: 'no call has its id',
			transcript: `
user: hi
assistant: let me see
tool: result t9 ok
      ^^^^^^^^^^^^ unknown unknown error
assistant: done`,
		},
		{
			name: 'one of two results in a line has no call',
			transcript: `
user: hi
assistant: call t1 Read
tool: result t1 ok | result t9 ok
                     ^^^^^^^^^^^^ unknown
assistant: done`,
		},
		{
			name: 'the transcript begins with the answer to a call that is not there',
			transcript: `
tool [on=gone]: result t1 ok
                ^^^^^^^^^^^^ headCut head-cut note
assistant: done
user: go on
assistant: done again`,
		},
		{
			name: 'the transcript begins in the middle of a response with parallel calls',
			transcript: `
assistant [id=a on=gone]: call t3 Bash
assistant+ [id=b on=a]: call t4 Bash
tool [on=b]: result t1 ok
             ^^^^^^^^^^^^ headCut head-cut note
tool: result t3 ok
tool: result t2 ok
      ^^^^^^^^^^^^ headCut head-cut note
tool: result t4 ok
assistant: done
user: go on
assistant: done again`,
		},
		{
			name: 'the transcript begins in the middle, and a later response stands before the result',
			transcript: `
assistant [id=a on=gone]: call t3 Bash
tool: result t3 ok
assistant: one more
tool: result t1 ok
      ^^^^^^^^^^^^ unknown unknown error
assistant: done`,
		},
		{
			name: 'the call belongs to another agent',
			transcript: `
user: hi
assistant: call t1 Agent "look"
tool: result t1 agent scout
assistant: done
user [agent=scout]: look
assistant [agent=scout]: looking
tool [agent=scout]: result t1 ok
                    ^^^^^^^^^^^^ unknown
assistant [agent=scout]: done
sidecar: scout toolUseId=t1 finished=true`,
		},
		{
			name: 'a Codex output has no call',
			transcript: `
client: codex 0.169.0
user: hi
assistant: hello
tool: result c9 ok
      ^^^^^^^^^^^^ unknown unknown error
assistant: done`,
		},
		{
			name: 'the damage is far behind it',
			transcript: `
user: hi
tool: result t1 ok
      ^^^^^^^^^^^^ unknown
${Array.from({ length: 31 }, () => 'record: mode').join('\n')}
damage: garbage
assistant: done`,
			also: ['damaged-line'],
		},
	],
});
