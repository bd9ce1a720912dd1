import rule from '../../src/core/rules/duplicate-tool-use-id.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'every call has an id of its own',
			transcript: `
user: hi
assistant: call t1 Read
tool: result t1 ok
assistant: call t2 Read
tool: result t2 ok
assistant: done`,
		},
		{
			name: 'the same line is there twice',
			transcript: `
user [id=u]: hi
assistant [id=a message=m]: call t1 Read
tool [id=r]: result t1 ok
assistant [id=a on=elsewhere message=m]: call t1 Read
tool [id=r on=a]: result t1 ok
assistant: done`,
		},
		{
			name: 'a resume wrote the message again with new line ids, beside the old ones',
			transcript: `
user [id=u]: hi
assistant [id=a on=u message=m]: call t1 Read
tool [id=r on=a]: result t1 ok
assistant [id=b on=u message=m]: call t1 Read
tool [id=s on=b]: result t1 ok
assistant [on=s]: done`,
		},
		{
			name: 'a gateway gives parallel calls of one message one id',
			transcript: `
user: hi
assistant: call k1 Read | call k1 Read
tool: result k1 ok
tool: result k1 ok
assistant: done`,
		},
		{
			name: 'the same id lies on two branches',
			transcript: `
user [id=u]: hi
assistant [id=a on=u]: call t1 Read
tool [on=a]: result t1 ok
user [id=v on=u]: again
assistant [id=b on=v]: call t1 Read
tool [id=s on=b]: result t1 ok
assistant [on=s]: done`,
		},
		{
			name: 'two agents use the same id',
			transcript: `
user: hi
assistant: call t1 Agent "look"
tool: result t1 agent scout
assistant: done
user [agent=scout]: look
assistant [agent=scout]: call t1 Read
tool [agent=scout]: result t1 ok
assistant [agent=scout]: done
sidecar: scout toolUseId=t1 finished=true`,
		},
		{
			name: 'Codex sends both',
			transcript: `
client: codex 0.169.0
user: hi
assistant: call c1 exec_command
tool: result c1 ok
assistant: call c1 exec_command
tool: result c1 ok
assistant: done`,
		},
	],
	invalid: [
		{
			name: 'a later message repeats the id',
			transcript: `
user: hi
assistant: call t1 Read
           ~~~~~~~~~~~~ first
tool: result t1 ok
assistant: call t1 Read
           ^^^^^^^^^^^^ duplicate error
tool: result t1 ok
assistant: done`,
		},
		{
			name: 'two later messages repeat the id',
			transcript: `
user: hi
assistant: call t1 Read
tool: result t1 ok
assistant: call t1 Read
           ^^^^^^^^^^^^ duplicate
tool: result t1 ok
assistant: call t1 Read
           ^^^^^^^^^^^^ duplicate
tool: result t1 ok
assistant: done`,
		},
	],
});
