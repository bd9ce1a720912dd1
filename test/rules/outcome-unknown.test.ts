import rule from '../../src/core/rules/outcome-unknown.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'the tool has answered with an error of its own that speaks of a time-out',
			transcript: `
user: open the page
assistant: call t1 mcp__browser__create_page {"url": "https://example.com"}
tool: result t1 says ### Error\\nTimeoutError: page.goto: Timeout 60000ms exceeded.
assistant: done`,
		},
		{
			name: 'the tool only reads, by its name',
			transcript: `
user: which issues are there
assistant: call t1 mcp__tracker__list_issues {}
tool: result t1 says MCP error -32001: Request timed out
assistant: done`,
		},
		{
			name: 'doing it again comes to the same, by its name',
			transcript: `
user: close it
assistant: call t1 mcp__tracker__update_issue {"id": 1, "state": "closed"}
tool: result t1 says MCP error -32000: Connection closed
assistant: done`,
		},
		{
			name: 'the server says that the tool may be repeated, whatever its name',
			transcript: `
user: write to them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
host: sends t1 to chat post_message over c1 repeatable
host: ends t1 outcome-unknown Its process ended.
tool: result t1 says post_message on chat may or may not have been carried out. Its process ended.
assistant: done`,
		},
		{
			name: 'the server says nothing of a tool that only reads by its name',
			transcript: `
user: what is there
assistant: call t1 mcp__chat__list_messages {}
host: sends t1 to chat list_messages over c1 unrepeatable
host: ends t1 outcome-unknown Its process ended.
tool: result t1 error
assistant: done`,
		},
		{
			name: 'the call never reached its server',
			transcript: `
user: write to them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
tool: result t1 says MCP server "chat" connection closed before the tool call ran
assistant: call t2 mcp__chat__post_message {"text": "hello"}
tool: result t2 says MCP server "chat" is not connected
assistant: call t3 mcp__chat__post_message {"text": "hello"}
host: lets t3 wait for chat post_message
host: ends t3 refused chat had no connection.
tool: result t3 error
assistant: done`,
		},
		{
			name: 'a person has cancelled the call',
			transcript: `
user: write to them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
host: sends t1 to chat post_message over c1
host: ends t1 cancelled Somebody cancelled it.
tool: result t1 cancelled
assistant: done`,
		},
		{
			name: 'the call was passed on again, and answered',
			transcript: `
user: write to them
assistant: call t1 mcp__chat__update_topic {"text": "hello"}
host: sends t1 to chat update_topic over c1
host: ends t1 outcome-unknown Its process ended.
host: sends t1/2 to chat update_topic over c1
host: ends t1/2 completed
tool: result t1 ok
assistant: done`,
		},
		{
			name: 'a tool of the client itself was interrupted: what the conversation lacks is told by other rules',
			transcript: `
user: clean up
assistant: call t1 Bash
tool: result t1 interrupted
assistant: done`,
		},
		{
			name: 'the call still runs',
			transcript: `
assume: live
user: write to them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
host: sends t1 to chat post_message over c1`,
		},
		{
			name: 'nothing tells whether the tool may be repeated',
			transcript: `
user: click it
assistant: call t1 mcp__browser__click {"ref": "e4"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ inconclusive
tool: result t1 says MCP server "browser" tool "click" timed out after 60s
assistant: done`,
		},
	],
	invalid: [
		{
			name: 'a server went away while the call ran',
			transcript: `
user: write to them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ unknown warning
host: sends t1 to chat post_message over c1
host: ends t1 outcome-unknown Its process ended.
~~~~ ending
tool: result t1 says post_message on chat may or may not have been carried out. Its process ended.
assistant: done`,
		},
		{
			name: 'the server says that the tool is not to be repeated, and the call passed its limit',
			transcript: `
user: click it
assistant: call t1 mcp__browser__click {"ref": "e4"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ unknown
host: sends t1 to browser click over c1 unrepeatable
host: ends t1 timed-out It took more than 60 s.
tool: result t1 error
assistant: done`,
		},
		{
			name: 'Claude Code says that the call was never answered',
			transcript: `
user: write to them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ unknown
tool: result t1 says MCP server "chat" never answered tool "post_message". The outcome is unknown: the call may have finished, may still be running, or may never have started. Check what it did before you repeat it.
      ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ answer
assistant: done`,
		},
		{
			name: 'a resume has answered for a process that was killed in mid-call',
			transcript: `
client: claude-code 2.1.328
user: write to them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ unknown
tool: result t1 interrupted
user: go on
assistant: done`,
		},
		{
			name: 'a client names the server before the words of the error',
			transcript: `
user: write to them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ unknown
tool: result t1 says MCP server 'chat': McpError: MCP error -32001: Request timed out
assistant: done`,
		},
		{
			name: 'Codex stopped waiting',
			transcript: `
client: codex 0.169.0
user: write to them
assistant: call t1 mcp__chat__post_message {"text": "hello"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ unknown
failed: t1
tool: result t1 says tool call error: tool call failed for chat/post_message: timed out awaiting tools/call after 60s
assistant: done
done:`,
		},
		{
			name: 'the host has ended in mid-call, and no transcript tells of the call',
			transcript: `
assume: ended
user: hi
assistant: done
host: sends t1 to chat post_message over c1
^^^^ unknown`,
		},
	],
});
