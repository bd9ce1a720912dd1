import rule from '../../src/core/rules/tool-result-not-first.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'text follows the result',
			transcript: `
user: hi
assistant: call t1 Read
tool: result t1 ok | and hurry
assistant: done`,
		},
		{
			name: 'several results come before the text',
			transcript: `
user: hi
assistant: call t1 Read | call t2 Read
tool: result t2 ok | result t1 ok | image | thanks
assistant: done`,
		},
		{
			name: 'text stands on a line of its own before the result: the client puts results first',
			transcript: `
user: hi
assistant: call t1 Read
user: hurry
tool: result t1 ok
assistant: done`,
		},
		{
			name: 'the provider answers behind text of its response',
			transcript: `
user: hi
assistant: let me look | server s1 web_search | found something | result s1 web_search_result
user: thanks
assistant: welcome`,
		},
		{
			name: 'the message lies on a branch that was left',
			transcript: `
user [id=u]: hi
assistant [id=a on=u]: call t1 Read
tool [id=r on=a]: hurry | result t1 ok
user [on=u]: something else
assistant: done`,
		},
	],
	invalid: [
		{
			name: 'text stands before the result in one message',
			transcript: `
user: hi
assistant: call t1 Read
           ~~~~~~~~~~~~ call
tool: hurry | result t1 ok
              ^^^^^^^^^^^^ notFirst error
assistant: done`,
		},
		{
			name: 'an image stands before the second of two results',
			transcript: `
user: hi
assistant: call t1 Read | call t2 Read
tool: result t1 ok | image | result t2 error
                             ^^^^^^^^^^^^^^^ notFirst
assistant: done`,
		},
	],
});
