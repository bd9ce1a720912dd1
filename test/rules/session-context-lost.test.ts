import rule from '../../src/core/rules/session-context-lost.ts';
import { ruleTester } from './ruleTester.ts';

ruleTester.run(rule, {
	valid: [
		{
			name: 'the handle is one that nobody has given',
			transcript: `
user: go on
assistant: call t1 mcp__analytics__query {"session_id": "guess"}
tool: result t1 says Session not found: guess
assistant: done`,
		},
		{
			name: 'the session was closed on purpose',
			transcript: `
user: go on
assistant: call t1 mcp__analytics__open_session {}
tool: result t1 {"session_id": "s-17"}
assistant: call t2 mcp__analytics__close_session {"session_id": "s-17"}
tool: result t2 ok
assistant: call t3 mcp__analytics__query {"session_id": "s-17"}
tool: result t3 says Session s-17 not found
assistant: call t4 mcp__analytics__close_session {"session_id": "s-17"}
tool: result t4 says Session s-17 not found
assistant: done`,
		},
		{
			name: 'a cursor that was used before is used up',
			transcript: `
user: go on
assistant: call t1 mcp__analytics__query {}
tool: result t1 {"rows": [], "next_cursor": "c-1"}
assistant: call t2 mcp__analytics__query {"cursor": "c-1"}
tool: result t2 {"rows": [], "next_cursor": "c-2"}
assistant: call t3 mcp__analytics__query {"cursor": "c-1"}
tool: result t3 says Invalid cursor c-1
assistant: done`,
		},
		{
			name: 'what is not found is no session',
			transcript: `
user: go on
assistant: call t1 mcp__tracker__create_issue {"title": "x"}
tool: result t1 {"issue_id": "i-1"}
assistant: call t2 mcp__tracker__get_issue {"issue_id": "i-1"}
tool: result t2 says Issue i-1 not found
assistant: call t3 mcp__memory__add_note {"name": "Session-2026-01-01"}
tool: result t3 says Entity with name Session-2026-01-01 not found
assistant: done`,
		},
		{
			name: 'it is another server that gave the handle',
			transcript: `
user: go on
assistant: call t1 mcp__analytics__open_session {}
tool: result t1 {"session_id": "s-17"}
assistant: call t2 mcp__other__query {"session_id": "s-17"}
tool: result t2 says Unknown session s-17
assistant: done`,
		},
		{
			name: 'the parameter is of the wrong type',
			transcript: `
user: go on
assistant: call t1 mcp__analytics__query {}
tool: result t1 {"rows": [], "next_cursor": "c-1"}
assistant: call t2 mcp__analytics__query {"cursor": "c-1"}
tool: result t2 says Invalid cursor type: expected a number
assistant: done`,
		},
		{
			name: 'the first call of all finds no session',
			transcript: `
user: go on
assistant: call t1 mcp__analytics__query {}
tool: result t1 says Session not found
assistant: done`,
		},
	],
	invalid: [
		{
			name: 'a session that the server has given is unknown to it later',
			transcript: `
user: go on
assistant: call t1 mcp__analytics__open_session {}
tool: result t1 {"session_id": "s-17"}
      ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ given
assistant: call t2 mcp__analytics__query {"session_id": "s-17"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ handle error
tool: result t2 says Session not found: s-17
assistant: done`,
		},
		{
			name: 'a session that the server has answered in, for another agent, over a connection that was made anew',
			transcript: `
user: go on
assistant: call a1 Agent "go on"
tool: result a1 async one
assistant [at=4]: call t1 mcp__analytics__query {"sessionId": "sales"}
                  ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ taken
tool [at=5]: result t1 {"rows": []}
host [at=6]: c1 of analytics is reconnecting SIGKILL
host [at=7]: c1 of analytics was reconnected exited
~~~~ reconnect
user [agent=one at=8]: go on
assistant [agent=one at=9]: call t2 mcp__analytics__query {"sessionId": "sales"}
                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ handle
tool [agent=one at=10]: result t2 {"error": "session \\"sales\\" does not exist"}
assistant [agent=one at=11]: done
sidecar: one toolUseId=a1 finished=true
assistant [at=12]: done`,
		},
		{
			name: 'a cursor is refused that was never used',
			transcript: `
user: go on
assistant: call t1 mcp__analytics__query {}
tool: result t1 {"rows": [], "next_cursor": "c-1"}
      ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ given
assistant: call t2 mcp__analytics__query {"cursor": "c-1"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ handle
tool: result t2 says Cursor expired
assistant: done`,
		},
		{
			name: 'the session of the transport is gone',
			transcript: `
user: go on
assistant: call t1 mcp__analytics__query {}
tool: result t1 {"rows": []}
      ~~~~~~~~~~~~~~~~~~~~~~ answered
assistant: call t2 mcp__analytics__query {}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ transport
tool: result t2 says MCP error -32001: Session not found
assistant: done`,
		},
		{
			name: "it is the transport's session that is gone, whatever handle the call passed",
			transcript: `
user: go on
assistant: call t1 mcp__pipeline__sense {"session_id": "run-1"}
tool: result t1 {"found": 3}
      ~~~~~~~~~~~~~~~~~~~~~~ answered
assistant: call t2 mcp__pipeline__sense {"session_id": "run-1"}
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ transport
tool: result t2 says Streamable HTTP error: Error POSTing to endpoint: {"type":"error","error":{"type":"not_found_error","message":"MCP session has been terminated or no longer exists on the server."}}
assistant: done`,
		},
	],
});
