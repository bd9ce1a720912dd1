import rule from '../../src/core/rules/concurrent-writers.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'a person goes back and takes another way',
			transcript: `
user [id=u1]: build it
assistant [id=a1]: call t1 Bash
tool [id=r1]: result t1 ok
assistant [id=a2]: done
user [id=u2 on=r1]: not like that
assistant [id=a3]: call t2 Bash
tool [id=r2]: result t2 ok
assistant [id=a4]: done`,
		},
		{
			name: 'a program goes on from the ends of branches in turn, with a prompt each time',
			transcript: `
user [id=u1]: think
assistant [id=x1]: one way
user [id=u2 on=u1]: or
assistant [id=y1]: another way
user [id=u3 on=x1]: more of the first
assistant [id=x2]: more
user [id=u4 on=y1]: more of the second
assistant [id=y2]: more
user [id=u5 on=x2]: more of the first
assistant [id=x3]: more`,
		},
		{
			name: 'results of parallel calls hang on their own lines',
			transcript: `
user [id=u1]: build it
assistant [id=a1 message=m1]: call t1 Bash
assistant [id=a2 message=m1]: call t2 Bash
tool [id=r1 on=a1]: result t1 ok
tool [id=r2 on=a2]: result t2 ok
assistant [id=a3 on=r1 message=m2]: call t3 Bash
assistant [id=a4 message=m2]: call t4 Bash
tool [id=r3 on=a3]: result t3 ok
tool [id=r4 on=a4]: result t4 ok
assistant [id=a5 on=r3]: done`,
		},
		{
			name: 'a client begins anew, and what was on its way comes once',
			transcript: `
user [id=u1]: build it
assistant [id=x1]: call t1 Bash
tool [id=r1]: result t1 ok
assistant [id=y1 on=u1]: call t2 Bash
tool [id=r2]: result t2 ok
assistant [id=x2 on=r1]: on its way
assistant [id=y2 on=r2]: call t3 Bash
tool [id=r3]: result t3 ok
assistant [id=y3]: done`,
		},
		{
			name: 'a client begins anew again and again, and what was on its way each time comes once',
			transcript: `
user [id=u1]: build it
assistant [id=w1]: one
assistant [id=x1 on=u1]: two
assistant [id=y1 on=u1]: three
assistant [id=z1 on=u1]: four
assistant [id=w2 on=w1]: more of one
assistant [id=x2 on=x1]: more of two
assistant [id=y2 on=y1]: more of three`,
		},
		{
			name: 'only one of two branches is left in the middle of a turn, the other one goes on with a prompt each time',
			transcript: `
user [id=u1]: build it
assistant [id=x1]: one way
user [id=u2 on=u1]: or
assistant [id=y1]: another way
user [id=u3 on=x1]: more of the first
assistant [id=x2]: more
assistant [id=y2 on=y1]: more of the second
user [id=u4 on=x2]: more of the first
assistant [id=x3]: more
assistant [id=y3 on=y2]: more of the second
user [id=u5 on=x3]: more of the first
assistant [id=x4]: more`,
		},
		{
			name: 'subagents write side by side, each into a transcript of its own',
			transcript: `
user: ask twice
assistant: call a1 Agent "first" | call a2 Agent "second"
tool: result a1 async one
tool: result a2 async two
user [agent=one]: first
user [agent=two]: second
assistant [agent=one]: call o1 Read
assistant [agent=two]: call p1 Read
tool [agent=one]: result o1 ok
tool [agent=two]: result p1 ok
assistant [agent=one]: done
assistant [agent=two]: done
sidecar: one toolUseId=a1 finished=true
sidecar: two toolUseId=a2 finished=true
assistant: done`,
		},
	],
	invalid: [
		{
			name: 'a second process resumes the session while the first is at work',
			transcript: `
user [id=u1]: build it
assistant [id=x1]: call t1 Read
tool [id=r1]: result t1 ok
user [id=u2 on=r1]: go on
~~~~ left
assistant [id=x2 on=r1]: call t2 Edit
^^^^^^^^^ twoWriters error
tool [id=r2]: result t2 ok
assistant [id=y1 on=u2]: call t3 Read
~~~~~~~~~ goesOn
tool [id=s1]: result t3 ok
assistant [id=x3 on=r2]: call t4 Edit
~~~~~~~~~ otherGoesOn
tool [id=r3]: result t4 ok
assistant [id=y2 on=s1]: call t5 Edit
tool [id=s2]: result t5 ok
assistant [id=y3]: done`,
		},
	],
});
