import rule from '../../src/core/rules/duplicate-tool-result.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'every call has one result',
			transcript: `
user: hi
assistant: call t1 Read
assistant+: call t2 Read
tool: result t1 ok
tool: result t2 ok
assistant: done`,
		},
		{
			name: 'the same line is there twice',
			transcript: `
user: hi
assistant [id=a]: call t1 Read
tool [id=r]: result t1 ok
tool [id=r]: result t1 ok
assistant: done`,
		},
		{
			name: 'a resume wrote the last turns again with new line ids, beside the old ones',
			transcript: `
user [id=u]: hi
assistant [id=a on=u message=m]: call t1 Read
tool [id=r on=a]: result t1 ok
assistant [id=b on=u message=m]: call t1 Read
tool [id=s on=b]: result t1 ok
assistant [on=s]: done`,
		},
		{
			name: 'a later message repeats both the call and the result',
			transcript: `
user: hi
assistant: call t1 Read
tool: result t1 ok
assistant: call t1 Read
tool: result t1 ok
assistant: done`,
			also: ['duplicate-tool-use-id'],
		},
		{
			name: 'an async agent that was woken notifies twice',
			transcript: `
user: hi
assistant: call t1 Agent "look"
tool: result t1 async scout
assistant: it runs
user [agent=scout]: look
assistant [agent=scout]: done
notification: scout completed t1
assistant: good
notification: scout completed t1
assistant: good again`,
		},
		{
			name: 'Codex sends both',
			transcript: `
client: codex 0.169.0
user: hi
assistant: call c1 exec_command
tool: result c1 ok
tool: result c1 ok
assistant: done`,
		},
	],
	invalid: [
		{
			name: 'a second result follows the first',
			transcript: `
user: hi
assistant: call t1 Read
           ~~~~~~~~~~~~ call
tool: result t1 ok
      ~~~~~~~~~~~~ first
tool: result t1 error
      ^^^^^^^^^^^^^^^ duplicate error
assistant: done`,
		},
		{
			name: 'two further results stand in one line',
			transcript: `
user: hi
assistant: call t1 Read
tool: result t1 ok
tool: result t1 ok | result t1 ok
      ^^^^^^^^^^^^ duplicate
                     ^^^^^^^^^^^^ duplicate
assistant: done`,
		},
		{
			name: 'both results hang on the call',
			transcript: `
user: hi
assistant [id=a]: call t1 Read
tool [id=r on=a]: result t1 ok
tool [id=s on=a]: result t1 ok
                  ^^^^^^^^^^^^ duplicate
assistant [on=s]: done`,
		},
	],
});
