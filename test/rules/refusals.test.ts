// What a finding says of the next request where the transcript itself holds the provider's answer to it.

import duplicateToolUseId from '../../src/core/rules/duplicate-tool-use-id.ts';
import incompleteParallelResults from '../../src/core/rules/incomplete-parallel-results.ts';
import orphanedToolResult from '../../src/core/rules/orphaned-tool-result.ts';
import orphanedToolUse from '../../src/core/rules/orphaned-tool-use.ts';
import toolResultNotFirst from '../../src/core/rules/tool-result-not-first.ts';
import unresolvedServerToolUse from '../../src/core/rules/unresolved-server-tool-use.ts';
import { ruleTester } from './ruleTester.ts';

const wasRefused = /The API has refused the request that held it \(line \d+\): "/;
const wouldBeRefused = /would refuse it|refuses the next request/;

ruleTester.run(orphanedToolUse, {
	valid: [],
	invalid: [
		{
			name: 'the client says in its own words that the next request was refused',
			says: /The API has refused the request that held it \(line 4\): "API Error: 400 due to tool use concurrency issues\. Run \/rewind to recover the conversation\."$/,
			doesNotSay: wouldBeRefused,
			transcript: `
client: claude-code 2.1.150
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ killed
user: go on
error: API Error: 400 due to tool use concurrency issues. Run /rewind to recover the conversation.`,
		},
		{
			name: 'the provider itself names the call, of which only its sentence is shown',
			says: /has refused the request that held it \(line 4\): "messages\.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1\. Each `tool_use` block must have a corresponding `tool_result` block in the next message\."$/,
			doesNotSay: wouldBeRefused,
			transcript: `
client: claude-code 2.0.76
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ killed
user: go on
error: API Error: 400 {"type":"error","error":{"type":"invalid_request_error","message":"messages.1: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: t1. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message."},"request_id":"req_1"}`,
		},
		{
			name: 'it was refused again and again, and answered in between: the call is named',
			says: wasRefused,
			transcript: `
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ killed
user: go on
assistant: I do
user: and on
error: API Error: 400 messages.1: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: t0, t1.
user: and on
error: API Error: 400 messages.1: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: t0, t1.`,
		},
		{
			name: 'what was refused is another call',
			says: wouldBeRefused,
			doesNotSay: wasRefused,
			transcript: `
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ killed
user: go on
error: API Error: 400 messages.1: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: t11. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
		},
		{
			name: 'the refusal speaks of something else',
			says: wouldBeRefused,
			doesNotSay: wasRefused,
			transcript: `
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ killed
user: go on
error: API Error: 400 {"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 205000 tokens > 200000 maximum"}}`,
		},
		{
			name: 'the provider was overloaded',
			says: wouldBeRefused,
			doesNotSay: wasRefused,
			transcript: `
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ killed
user: go on
error: API Error: 529 tool use concurrency issues`,
		},
		{
			name: 'a request with the call was answered, and one later refused that does not say for what',
			says: wouldBeRefused,
			doesNotSay: wasRefused,
			transcript: `
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ killed
user: go on
assistant: I do
user: and on
error: API Error: 400 due to tool use concurrency issues.`,
		},
		{
			name: 'the refusal stands before the call',
			says: wouldBeRefused,
			doesNotSay: wasRefused,
			transcript: `
user: hi
error: API Error: 400 due to tool use concurrency issues.
user: again
assistant: call t1 Bash
           ^^^^^^^^^^^^ killed
user: go on`,
		},
		{
			name: 'another agent was refused',
			says: wouldBeRefused,
			doesNotSay: wasRefused,
			transcript: `
layout: subagents
assume: ended
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ killed
user: look at it
assistant: call t2 Agent "look"
user [agent=scout]: look
error [agent=scout]: API Error: 400 due to tool use concurrency issues.
tool: result t2 agent scout
assistant: done`,
		},
		{
			name: 'the model and people only speak of such an error',
			says: wouldBeRefused,
			doesNotSay: wasRefused,
			transcript: `
user: hi
assistant: call t1 Bash
           ^^^^^^^^^^^^ killed
user: API Error: 400 due to tool use concurrency issues.
assistant: API Error: 400 due to tool use concurrency issues.`,
		},
		{
			name: 'the refusal lies on a branch that was left, and names no call',
			says: wouldBeRefused,
			doesNotSay: wasRefused,
			transcript: `
user: hi
assistant [id=a]: call t1 Bash
                  ^^^^^^^^^^^^ killed
user [id=u on=a]: go on
error [on=u]: API Error: 400 due to tool use concurrency issues.
user [on=a]: something else
assistant: done`,
		},
	],
});

ruleTester.run(incompleteParallelResults, {
	valid: [],
	invalid: [
		{
			name: 'the request with the answers that there were was refused',
			says: wasRefused,
			doesNotSay: wouldBeRefused,
			transcript: `
user: hi
assistant: call t1 Read
assistant+: call t2 Grep
            ^^^^^^^^^^^^ incomplete
tool: result t1 ok
error: API Error: 400 due to tool use concurrency issues. Run /rewind to recover the conversation.
assistant: done`,
		},
	],
});

ruleTester.run(orphanedToolResult, {
	valid: [],
	invalid: [
		{
			name: 'the result was refused by its id',
			says: /\(line 4\): "messages\.2\.content\.0: unexpected `tool_use_id` found in `tool_result` blocks: t9\./,
			doesNotSay: wouldBeRefused,
			transcript: `
client: claude-code 2.1.150
user: hi
assistant: done
tool: result t9 ok
      ^^^^^^^^^^^^ unknown
error: API Error: 400 {"type":"error","error":{"type":"invalid_request_error","message":"messages.2.content.0: unexpected \`tool_use_id\` found in \`tool_result\` blocks: t9. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message."}}`,
		},
	],
});

ruleTester.run(toolResultNotFirst, {
	valid: [],
	invalid: [
		{
			name: 'the request was refused, and the finding about an earlier line is looked at again',
			says: wasRefused,
			doesNotSay: wouldBeRefused,
			transcript: `
user: hi
assistant: call t1 Read
tool: hurry up | result t1 ok
                 ^^^^^^^^^^^^ notFirst
error: API Error: 400 due to tool use concurrency issues.`,
		},
	],
});

ruleTester.run(duplicateToolUseId, {
	valid: [],
	invalid: [
		{
			name: 'the request was refused for it, in the words of the client',
			says: /has refused the request that held it \(line \d+\): "API Error: 400 duplicate tool_use ID in conversation history\./,
			doesNotSay: wouldBeRefused,
			transcript: `
client: claude-code 2.1.49
user: hi
assistant: call t1 Read
tool: result t1 ok
assistant: call t1 Read
           ^^^^^^^^^^^^ duplicate
tool: result t1 ok
error: API Error: 400 duplicate tool_use ID in conversation history. Run /rewind to recover the conversation.`,
		},
	],
});

ruleTester.run(unresolvedServerToolUse, {
	valid: [],
	invalid: [
		{
			name: 'the request was refused, which names it',
			says: wasRefused,
			doesNotSay: wouldBeRefused,
			transcript: `
user: hi
assistant: server s1 web_fetch
           ^^^^^^^^^^^^^^^^^^^ unresolved
user: go on
error: API Error: 400 messages.1: \`web_fetch\` tool use with id \`s1\` was found without a corresponding \`web_fetch_tool_result\` block`,
		},
	],
});
