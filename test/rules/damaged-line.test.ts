import rule from '../../src/core/rules/damaged-line.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'every line is whole, whatever its type',
			transcript: `
user: hi
assistant: done
record: cost-state
record: a-type-of-the-future
raw: {"type":"user","message":{"role":"user","content":"\\u00e9 \\" \\\\ 日本 🙂"},"uuid":"x","parentUuid":null}
raw: {"type":42,"nested":{"deep":[[[[[[[[1,2,3e5,-0.1,true,null]]]]]]]]}}`,
		},
		{
			name: 'the last line may still be written by a live session',
			transcript: `
assume: live
user: hi
assistant: done
damage: tail
^^^^^^ inconclusive`,
		},
	],
	invalid: [
		{
			name: 'a line is cut off',
			transcript: `
user: hi
damage: cut
^^^^^^ damaged warning
assistant: done`,
		},
		{
			name: 'a line is filled with NUL bytes',
			transcript: `
user: hi
damage: nul
^^^^^^ damaged
assistant: done`,
		},
		{
			name: 'two records run into each other',
			transcript: `
user: hi
damage: splice
^^^^^^ damaged
assistant: done`,
		},
		{
			name: 'a line is no JSON',
			transcript: `
user: hi
damage: garbage
^^^^^^ damaged
assistant: done`,
		},
		{
			name: 'the last line of a session that has ended is cut off',
			transcript: `
assume: ended
user: hi
assistant: done
damage: tail
^^^^^^ damaged`,
		},
		{
			name: 'a line of a live session is cut off in the middle of the file',
			transcript: `
assume: live
user: hi
damage: cut
^^^^^^ damaged
assistant: done`,
		},
		{
			name: 'a line of a subagent is cut off',
			transcript: `
client: codex 0.169.0
user: hi
assistant: call c1 spawn_agent
tool: result c1 agent kid
assistant: done
user [agent=kid]: your part
damage [agent=kid]: cut
^^^^^^ damaged
done [agent=kid]:`,
		},
	],
});
