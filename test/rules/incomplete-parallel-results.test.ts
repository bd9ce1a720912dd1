import rule from '../../src/core/rules/incomplete-parallel-results.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'the client has begun the agent only to warm a cache (2.0.x, 2.1.4)',
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
			name: 'all parallel calls are answered',
			transcript: `
user: hi
assistant: call t1 Read
assistant+: call t2 Read
tool: result t2 ok
tool: result t1 error
assistant: done`,
		},
		{
			name: 'results hang beside the path through the tree (2.1.0 to 2.1.49)',
			transcript: `
client: claude-code 2.1.49
user [id=u]: hi
assistant [id=a on=u]: call t1 Read
tool [id=r on=a]: result t1 ok
assistant+ [id=b on=a]: call t2 Read
tool [id=s on=b]: result t2 ok
assistant [on=s]: done`,
		},
		{
			name: 'an interrupt comes before the result of a sibling',
			transcript: `
user: hi
assistant: call t1 Read
assistant+: call t2 Read
tool: result t1 denied
interrupt:
tool: result t2 denied
user: something else
assistant: done`,
		},
		{
			name: 'the others may still be answered',
			transcript: `
assume: live
user: hi
assistant: call t1 Read
assistant+: call t2 Read
tool: result t1 ok`,
		},
		{
			name: 'a provider tool of the message is answered in place',
			transcript: `
user: hi
assistant: server s1 web_search | result s1 web_search_result | call t1 Read
tool: result t1 ok
assistant: done`,
		},
		{
			name: 'a damaged line may have held the other result',
			transcript: `
user: hi
assistant: call t1 Read
assistant+: call t2 Read
            ^^^^^^^^^^^^ inconclusive
tool: result t1 ok
damage: nul
assistant: done`,
			also: ['damaged-line'],
		},
		{
			name: 'the open sibling was lost to a compaction',
			transcript: `
user: hi
assistant: call t1 Read
assistant+: call t2 Read
tool: result t1 ok
compaction: auto
summary: We read.
assistant: done`,
			also: ['result-lost-to-compaction'],
		},
		{
			name: 'Codex answers one of two calls after the next response',
			transcript: `
client: codex 0.169.0
user: hi
assistant: call c1 exec_command
assistant+: call c2 exec_command
tool: result c1 ok
assistant: I wait
tool: result c2 ok
assistant: done`,
		},
	],
	invalid: [
		{
			name: 'the model goes on after one of two results',
			transcript: `
user: hi
assistant: call t1 Read
assistant+: call t2 Grep
            ^^^^^^^^^^^^ incomplete unknown error
tool: result t1 ok
      ~~~~~~~~~~~~ answered
assistant: done
~~~~~~~~~ later`,
		},
		{
			name: 'two of three calls in one line are open',
			transcript: `
user: hi
assistant: call t1 Read | call t2 Grep | call t3 Glob
           ^^^^^^^^^^^^ incomplete
                                         ^^^^^^^^^^^^ incomplete
tool: result t2 ok
assistant: done`,
		},
		{
			name: 'a Codex response goes on with one output missing',
			transcript: `
client: codex 0.169.0
user: hi
assistant: call c1 exec_command
           ^^^^^^^^^^^^^^^^^^^^ incomplete
assistant+: call c2 exec_command
tool: result c2 ok
assistant: done`,
		},
	],
});
