import rule from '../../src/core/rules/unresolved-server-tool-use.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'the provider answers in the same response',
			transcript: `
user: hi
assistant: server s1 web_search | result s1 web_search_result | found it
user: thanks
assistant: welcome`,
		},
		{
			name: 'the answer comes on a further line of the response',
			transcript: `
user: hi
assistant: server s1 web_fetch
assistant+: result s1 web_fetch_result
assistant+: found it
user: thanks
assistant: welcome`,
		},
		{
			name: 'a paused turn is sent back as it is',
			transcript: `
user: hi
assistant [stop=pause_turn]: server s1 code_execution
user: go on
assistant: done`,
		},
		{
			name: 'the answer comes in a later response',
			transcript: `
user: hi
assistant: server s1 web_search
assistant: result s1 web_search_result
user: thanks
assistant: welcome`,
		},
		{
			name: 'the next response may still bring it',
			transcript: `
user: hi
assistant: server s1 web_search
assistant: I am still looking`,
		},
		{
			name: 'the session still runs',
			transcript: `
assume: live
user: hi
assistant: server s1 web_search`,
		},
		{
			name: 'nothing tells whether the session still runs',
			transcript: `
user: hi
assistant: server s1 web_search
           ^^^^^^^^^^^^^^^^^^^^ inconclusive`,
		},
		{
			name: 'the response was rewound',
			transcript: `
user [id=u]: hi
assistant [id=a on=u]: server s1 web_search
user [on=u]: something else
assistant: done`,
		},
		{
			name: 'a plain result of a gateway answers it',
			transcript: `
user: hi
assistant: server c1 webReader
assistant+: result c1 ok
user: thanks
assistant: welcome`,
		},
	],
	invalid: [
		{
			name: 'the next prompt comes without an answer',
			transcript: `
user: hi
assistant: server s1 web_fetch
           ^^^^^^^^^^^^^^^^^^^ unresolved error
user: and?
~~~~ later
assistant: hm`,
		},
		{
			name: 'one of two is open',
			transcript: `
user: hi
assistant: server s1 web_search | server s2 web_search | result s1 web_search_result
                                  ^^^^^^^^^^^^^^^^^^^^ unresolved
user: and?
assistant: hm`,
		},
	],
});
