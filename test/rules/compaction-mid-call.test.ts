import rule from '../../src/core/rules/compaction-mid-call.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'no call is out when the conversation is compacted',
			transcript: `
user: hi
assistant: call t1 Read
tool: result t1 ok
compaction: auto
summary: We read.
user: go on
assistant: done`,
		},
		{
			name: 'the call of another agent is out',
			transcript: `
user: hi
assistant: call t1 Agent "look"
tool: result t1 async scout
user [agent=scout]: look
assistant [agent=scout]: call s1 Read
compaction: manual
summary: A scout is out.
tool [agent=scout]: result s1 ok
assistant [agent=scout]: done
sidecar: scout toolUseId=t1 finished=true`,
		},
		{
			name: 'call and result lie on the branch of another process that was not compacted',
			transcript: `
user [id=u]: hi
assistant [id=a on=u]: call t1 Bash
user [id=v on=u]: continue
assistant [id=b on=v]: busy
compaction: auto
summary [id=s]: We said hi.
tool [id=r on=a]: result t1 ok
assistant [on=s]: done`,
		},
	],
	invalid: [
		{
			name: 'the result comes after the compaction',
			transcript: `
user: hi
assistant [id=a]: call t1 Bash
                  ^^^^^^^^^^^^ midCall warning
compaction: auto
~~~~~~~~~~ compaction
summary [id=s]: We run it.
tool [id=r on=a]: result t1 ok
                  ~~~~~~~~~~~~ result
assistant [on=s]: done`,
		},
	],
});
