import rule from '../../src/core/rules/duplicate-execution.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'only a host has seen the calls, and not with which arguments',
			transcript: `
user: greet them
host [at=3]: sends s1 to chat post_message over c1
host [at=4]: ends s1 outcome-unknown Its process ended.
host [at=6]: sends s2 to chat post_message over c1
host [at=7]: passes on s2
host [at=7]: ends s2 completed
assistant [at=8]: done`,
			also: ['outcome-unknown'],
		},
		{
			name: 'two equal calls that were both answered were both meant',
			transcript: `
user: greet them twice
assistant: call t1 mcp__chat__post_message {"text": "hello"}
tool: result t1 ok
assistant: call t2 mcp__chat__post_message {"text": "hello"}
tool: result t2 ok
assistant: done`,
		},
		{
			name: 'the agent looked before it called again',
			transcript: `
user: greet them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
tool: result t1 says MCP error -32001: Request timed out
assistant: call t2 mcp__chat__list_messages {}
tool: result t2 []
assistant: call t3 mcp__chat__post_message {"text": "hello"}
tool: result t3 ok
assistant: done`,
			also: ['outcome-unknown'],
		},
		{
			name: 'the first call was refused, and the second is another',
			transcript: `
user: greet them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
tool: result t1 says Invalid arguments for tool post_message
assistant: call t2 mcp__chat__post_message {"text": "hello"}
tool: result t2 says MCP error -32000: Connection closed
assistant: call t3 mcp__chat__post_message {"text": "good morning"}
tool: result t3 ok
assistant: done`,
			also: ['outcome-unknown'],
		},
		{
			name: 'the tool only reads, or comes to the same',
			transcript: `
user: which are there
assistant: call t1 mcp__chat__list_messages {} | call t2 mcp__chat__delete_message {"id": 1}
tool: result t1 says MCP error -32001: Request timed out | result t2 says MCP error -32001: Request timed out
assistant: call t3 mcp__chat__list_messages {} | call t4 mcp__chat__delete_message {"id": 1}
tool: result t3 ok | result t4 ok
assistant: done`,
		},
		{
			name: 'the calls say by a key that they are one',
			transcript: `
user: pay it
assistant: call t1 mcp__bank__create_payment {"amount": 10, "idempotency_key": "k1"}
tool: result t1 says MCP error -32001: Request timed out
assistant: call t2 mcp__bank__create_payment {"amount": 10, "idempotency_key": "k1"}
tool: result t2 ok
assistant: done`,
			also: ['outcome-unknown'],
		},
		{
			name: 'of the arguments not all is known',
			transcript: `
user: order it
assistant: call t1 mcp__shop__create_order {"a": {"b": {"c": {"text": "${'x'.repeat(200)}", "id": 1}}}}
tool: result t1 says MCP error -32001: Request timed out
assistant: call t2 mcp__shop__create_order {"a": {"b": {"c": {"text": "${'x'.repeat(200)}", "id": 2}}}}
tool: result t2 ok
assistant: done`,
			also: ['outcome-unknown'],
		},
		{
			name: 'the server refuses the second call',
			transcript: `
user: create it
assistant: call t1 mcp__tracker__create_project {"name": "web"}
tool: result t1 says MCP error -32001: Request timed out
assistant: call t2 mcp__tracker__create_project {"name": "web"}
tool: result t2 says There is a project of that name.
assistant: done`,
			also: ['outcome-unknown'],
		},
		{
			name: 'the first call never reached its server',
			transcript: `
user: greet them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
tool: result t1 says MCP server "chat" connection closed before the tool call ran
assistant: call t2 mcp__chat__post_message {"text": "hello"}
tool: result t2 ok
assistant: done`,
		},
		{
			name: 'a call of a repeatable tool was sent again by the host, and one that was certainly not carried out',
			transcript: `
user: greet them
assistant: call t1 mcp__chat__post_message {"text": "hello"} | call t2 mcp__chat__post_message {"text": "hello"}
host [at=5]: sends t1 to chat post_message over c1 repeatable
host [at=5]: sends t2 to chat post_message over c2 unrepeatable
host [at=6]: c1 of chat is reconnecting SIGKILL
host [at=6]: c2 of chat is draining
host [at=7]: sends t1 to chat post_message over c1 again repeatable
host [at=7]: c2 of chat was reconnected lost
host [at=7]: sends t2 to chat post_message over c2 again unrepeatable
host [at=8]: ends t1 completed
host [at=8]: ends t2 completed
tool: result t1 ok | result t2 ok
assistant: done`,
		},
		{
			name: 'a call that had not been sent went through a second host',
			transcript: `
user: greet them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
host: lets t1 wait for chat post_message
host: ends t1 refused chat had no connection.
host: sends t1/2 to chat post_message over c1
host: ends t1/2 completed
tool: result t1 ok
assistant: done`,
		},
		{
			name: 'nobody knows whether the tool may be repeated',
			transcript: `
user: click it
assistant: call t1 mcp__browser__click {"ref": "e4"}
tool: result t1 says MCP error -32001: Request timed out
assistant: call t2 mcp__browser__click {"ref": "e4"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ inconclusive
tool: result t2 ok
assistant: done`,
		},
		{
			name: 'the same was asked for an hour later',
			transcript: `
user: greet them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
tool: result t1 says MCP error -32001: Request timed out
user [at=4000]: greet them
assistant [at=4001]: call t2 mcp__chat__post_message {"text": "hello"}
tool [at=4002]: result t2 ok
assistant [at=4003]: done`,
			also: ['outcome-unknown'],
		},
	],
	invalid: [
		{
			name: 'only a host has seen that the agent repeats a call that may have been carried out',
			transcript: `
user: greet them
host [at=2]: takes s1 for chat post_message {"text": "hello"}
~~~~ first
host [at=3]: sends s1 to chat post_message over c1
host [at=4]: ends s1 outcome-unknown Its process ended.
host [at=5]: takes s2 for chat post_message {"text": "hello"}
^^^^ repeated
host [at=6]: sends s2 to chat post_message over c1
host [at=7]: passes on s2
host [at=7]: ends s2 completed
assistant [at=8]: done`,
			also: ['outcome-unknown'],
		},
		{
			name: 'the agent repeats a call that may have been carried out',
			transcript: `
user: greet them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
           ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ first
tool: result t1 says MCP error -32001: Request timed out
assistant: call t2 mcp__chat__post_message {"text": "hello"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ repeated error
tool: result t2 ok
assistant: done`,
			also: ['outcome-unknown'],
		},
		{
			name: 'of the repetition nobody knows the outcome either',
			transcript: `
user: greet them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
host [at=3]: sends t1 to chat post_message over c1
host [at=4]: ends t1 outcome-unknown Its process ended.
tool [at=5]: result t1 error
assistant [at=6]: call t2 mcp__chat__post_message {"text": "hello"}
                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ repeated
host [at=7]: sends t2 to chat post_message over c1
host [at=8]: ends t2 timed-out It took too long.
tool [at=9]: result t2 error
assistant [at=10]: done`,
			also: ['outcome-unknown'],
		},
		{
			name: 'one call went through two hosts, and both servers had it',
			transcript: `
user: greet them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ twice
host [at=3]: sends t1 to chat post_message over c1
~~~~ delivery
host [at=4]: ends t1 outcome-unknown Its process ended.
host [at=5]: sends t1/2 to chat post_message over c2
~~~~ delivery
host [at=6]: ends t1/2 completed
tool [at=7]: result t1 ok
assistant [at=8]: done`,
		},
		{
			name: 'a fault on purpose delivered the call twice, and its name tells nothing',
			transcript: `
user: click it
assistant: call t1 mcp__browser__click {"ref": "e4"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ twice
host [at=3]: sends t1 to browser click over c1
host [at=3]: makes t1 go wrong: twice
~~~~ delivery
host [at=6]: ends t1 completed
tool [at=7]: result t1 ok
assistant [at=8]: done`,
		},
		{
			name: 'a call that is not to be repeated was sent again after its server had died',
			transcript: `
user: greet them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ resent
host [at=3]: sends t1 to chat post_message over c1 unrepeatable
~~~~ delivery
host [at=4]: c1 of chat is reconnecting SIGKILL
host [at=5]: sends t1 to chat post_message over c1 again unrepeatable
~~~~ delivery
host [at=6]: ends t1 completed
tool [at=7]: result t1 ok
assistant [at=8]: done`,
		},
		{
			name: 'a call that is not to be repeated was sent again after its server had ended with an exit code',
			transcript: `
user: greet them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ resent
host [at=3]: sends t1 to chat post_message over c1 unrepeatable
~~~~ delivery
host [at=4]: c1 of chat is reconnecting 1
host [at=5]: sends t1 to chat post_message over c1 again unrepeatable
~~~~ delivery
host [at=6]: ends t1 completed
tool [at=7]: result t1 ok
assistant [at=8]: done`,
		},
		{
			name: 'a call that is not to be repeated was sent again after its connection was made anew for a server that had ended',
			transcript: `
user: greet them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ resent
host [at=3]: sends t1 to chat post_message over c1 unrepeatable
~~~~ delivery
host [at=4]: c1 of chat was reconnected exited
host [at=5]: sends t1 to chat post_message over c1 again unrepeatable
~~~~ delivery
host [at=6]: ends t1 completed
tool [at=7]: result t1 ok
assistant [at=8]: done`,
		},
		{
			name: 'a call that is not to be repeated was sent again after its connection was made anew for a call that took too long',
			transcript: `
user: greet them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ resent
host [at=3]: sends t1 to chat post_message over c1 unrepeatable
~~~~ delivery
host [at=4]: c1 of chat was reconnected timed-out
host [at=5]: sends t1 to chat post_message over c1 again unrepeatable
~~~~ delivery
host [at=6]: ends t1 completed
tool [at=7]: result t1 ok
assistant [at=8]: done`,
		},
	],
});
