import rule from '../../src/core/rules/late-tool-result.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'the result follows its call',
			transcript: `
user: hi
assistant: call t1 Read
tool: result t1 ok
assistant: done`,
		},
		{
			name: 'further lines of the same message stand between them',
			transcript: `
user: hi
assistant: call t1 Read
assistant+: and
assistant+: call t2 Read
tool: result t2 ok
tool: result t1 ok
assistant: done`,
		},
		{
			name: 'a person typed in between: the client puts the result first',
			transcript: `
user: hi
assistant: call t1 Read
user: hurry
tool: result t1 ok
assistant: done`,
		},
		{
			name: 'the response in between lies on another branch',
			transcript: `
user [id=u]: hi
assistant [id=a on=u]: call t1 Read
user [id=v on=u]: meanwhile
assistant [id=b on=v]: busy
tool [id=r on=a]: result t1 ok
assistant [on=r]: done`,
		},
		{
			name: 'the results of a message come in another order than its calls',
			transcript: `
user: hi
assistant: call t1 Read
assistant+: call t2 Read
assistant+: call t3 Read
tool: result t3 ok
tool: result t1 ok
tool: result t2 ok
assistant: done`,
		},
		{
			name: 'an error that was only shown stands in between',
			transcript: `
user: hi
assistant: call t1 Read
error: API Error: overloaded
tool: result t1 ok
assistant: done`,
		},
		{
			name: 'the provider answers its tool in a later response',
			transcript: `
user: hi
assistant [stop=pause_turn]: server s1 web_search
assistant: result s1 web_search_result | found it
user: thanks
assistant: welcome`,
		},
		{
			name: 'two processes wrote into one file, each its own branch',
			transcript: `
user [id=u]: hi
assistant [id=a on=u]: call t1 Bash
user [id=v on=u]: continue
assistant [id=b on=v]: call t2 Bash
tool [id=s on=b]: result t2 ok
tool [id=r on=a]: result t1 ok
assistant [id=c on=r]: done
assistant [on=s]: done too`,
		},
		{
			name: 'Codex writes an output after the next response, and pairs it by its id',
			transcript: `
client: codex 0.169.0
user: hi
assistant: call c1 exec_command
assistant: I wait
tool: result c1 ok
assistant: done`,
		},
	],
	invalid: [
		{
			name: 'another response stands between call and result',
			transcript: `
user: hi
assistant: call t1 Read
           ~~~~~~~~~~~~ call
assistant: I go on without it
~~~~~~~~~ between
tool: result t1 ok
      ^^^^^^^^^^^^ late error
assistant: done`,
		},
		{
			name: 'another response and a prompt stand between them',
			transcript: `
user: hi
assistant: call t1 Read
assistant: I go on without it
user: and?
tool: result t1 ok
      ^^^^^^^^^^^^ late
assistant: done`,
		},
		{
			name: 'a subagent answers late',
			transcript: `
user: hi
assistant: call t1 Agent "look"
tool: result t1 agent scout
assistant: done
user [agent=scout]: look
assistant [agent=scout]: call s1 Read
assistant [agent=scout]: I go on
tool [agent=scout]: result s1 ok
                    ^^^^^^^^^^^^ late
assistant [agent=scout]: done
sidecar: scout toolUseId=t1 finished=true`,
		},
	],
});
