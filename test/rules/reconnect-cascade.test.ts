import rule from '../../src/core/rules/reconnect-cascade.ts';
import { ruleTester } from './ruleTester.ts';

/** Three agents with a call each to one server. */
const calls = `
user: ask three times
assistant: call a1 Agent "first"
assistant+: call a2 Agent "second"
assistant+: call a3 Agent "third"
tool: result a1 async one
tool: result a2 async two
tool: result a3 async three
user [agent=one]: first
user [agent=two]: second
user [agent=three]: third
assistant [agent=one at=20]: call t1 mcp__analytics__query {"q": 1}
assistant [agent=two at=21]: call t2 mcp__analytics__query {"q": 2}
assistant [agent=three at=22]: call t3 mcp__analytics__query {"q": 3}
sidecar: one toolUseId=a1 finished=true
sidecar: two toolUseId=a2 finished=true
sidecar: three toolUseId=a3 finished=true`;

/** And handed to the server by a host, over one connection. */
const sent = `${calls}
host [agent=one at=20]: sends t1 to analytics query over c1
host [agent=two at=21]: sends t2 to analytics query over c1
host [agent=three at=22]: sends t3 to analytics query over c1`;

const answered = `
tool [agent=one at=100]: result t1 says MCP error -32001: Request timed out
tool [agent=two at=100]: result t2 error
tool [agent=three at=100]: result t3 error
assistant [agent=one]: done
assistant [agent=two]: done
assistant [agent=three]: done
assistant: done`;

ruleTester.run(rule, {
	valid: [
		{
			name: 'the call that timed out was cancelled alone',
			transcript: `${sent}
host [agent=one at=80]: ends t1 timed-out It took too long.
host [agent=two at=81]: ends t2 completed
host [agent=three at=82]: ends t3 completed${answered}`,
		},
		{
			name: 'the connection was made anew when nothing ran on it any more',
			transcript: `${sent}
host [agent=one at=80]: ends t1 timed-out It took too long.
host [at=85]: c1 of analytics is draining
host [agent=two at=90]: ends t2 completed
host [agent=three at=95]: ends t3 timed-out It took too long.
host [at=95]: c1 of analytics is reconnecting
host [at=96]: c1 of analytics was reconnected unresponsive${answered}`,
		},
		{
			name: "the server's process ended by itself while another call had just timed out",
			transcript: `${sent}
host [agent=one at=80]: ends t1 timed-out It took too long.
host [at=80.5]: c1 of analytics is reconnecting SIGSEGV
host [agent=two at=80.5]: ends t2 outcome-unknown Its process ended.
host [agent=three at=80.5]: ends t3 outcome-unknown Its process ended.
host [at=81]: c1 of analytics was reconnected exited${answered}`,
		},
		{
			name: 'the connection ended, as the reconnect says, without an exit to tell of',
			transcript: `${sent}
host [agent=one at=80]: ends t1 cancelled
host [at=80.5]: c1 of analytics is reconnecting
host [agent=two at=80.5]: ends t2 outcome-unknown The stream ended.
host [agent=three at=80.5]: ends t3 outcome-unknown The stream ended.
host [at=81]: c1 of analytics was reconnected exited${answered}`,
		},
		{
			name: 'the server died, its host says by which signal, and nobody says what came of the reconnect',
			transcript: `${sent}
host [agent=one at=80]: ends t1 timed-out It took too long.
host [at=80.5]: c1 of analytics is reconnecting SIGSEGV
host [agent=two at=80.5]: ends t2 outcome-unknown Its process ended.
host [agent=three at=80.5]: ends t3 outcome-unknown Its process ended.${answered}`,
		},
		{
			name: 'the connection was torn down long after the call had passed its limit',
			transcript: `${sent}
host [agent=one at=80]: ends t1 timed-out It took too long.
host [at=95.5]: c1 of analytics is reconnecting
host [agent=two at=95.5]: ends t2 outcome-unknown The connection was closed.
host [agent=three at=95.5]: ends t3 outcome-unknown The connection was closed.
host [at=96]: c1 of analytics was reconnected unresponsive${answered}`,
		},
		{
			name: 'the connection was torn down some seconds later, and nobody says what for',
			transcript: `${sent}
host [agent=one at=80]: ends t1 timed-out It took too long.
host [at=82]: c1 of analytics is reconnecting
host [agent=two at=82]: ends t2 outcome-unknown The connection was closed.
host [agent=three at=82]: ends t3 outcome-unknown The connection was closed.${answered}`,
		},
		{
			name: 'the others ran on a connection of their own',
			transcript: `${calls}
host [agent=one at=20]: sends t1 to analytics query over c1
host [agent=two at=21]: sends t2 to analytics query over c2
host [agent=three at=22]: sends t3 to analytics query over c2
host [agent=one at=80]: ends t1 timed-out It took too long.
host [at=80]: c1 of analytics is reconnecting
host [at=80]: c1 of analytics was reconnected timed-out
host [agent=two at=80]: ends t2 outcome-unknown The stream ended.
host [agent=three at=81]: ends t3 completed${answered}`,
		},
		{
			name: 'the agent lost nothing but calls of its own',
			transcript: `
user: ask twice
assistant: call t1 mcp__analytics__query {"q": 1} | call t2 mcp__analytics__query {"q": 2}
host [at=20]: sends t1 to analytics query over c1
host [at=20]: sends t2 to analytics query over c1
host [at=80]: ends t1 timed-out It took too long.
host [at=80]: c1 of analytics is reconnecting
host [at=80]: ends t2 outcome-unknown The stream ended.
host [at=81]: c1 of analytics was reconnected timed-out
tool: result t1 error | result t2 error
assistant: done`,
		},
		{
			name: 'tools of others report errors of their own at that moment',
			transcript: `${sent}
host [agent=one at=80]: ends t1 timed-out It took too long.
host [at=80]: c1 of analytics is reconnecting
host [agent=two at=80]: ends t2 failed
host [agent=three at=80]: ends t3 failed
host [at=81]: c1 of analytics was reconnected timed-out${answered}`,
		},
		{
			name: 'two lost connections without a time-out, in transcripts alone',
			transcript: `${calls}
tool [agent=one at=80]: result t1 says MCP error -32000: Connection closed
tool [agent=two at=80]: result t2 says MCP error -32000: Connection closed
tool [agent=three at=80]: result t3 says MCP error -32000: Connection closed
assistant [agent=one]: done
assistant [agent=two]: done
assistant [agent=three]: done
assistant: done`,
		},
		{
			name: 'others lost their connection long after a time-out, in transcripts alone',
			transcript: `${calls}
tool [agent=one at=80]: result t1 says MCP error -32001: Request timed out
tool [agent=two at=95]: result t2 says MCP error -32000: Connection closed
tool [agent=three at=95]: result t3 says MCP error -32000: Connection closed
assistant [agent=one]: done
assistant [agent=two]: done
assistant [agent=three]: done
assistant: done`,
		},
	],
	invalid: [
		{
			name: 'a naive host reconnects for one call and loses those of two other agents',
			transcript: `
user: ask three times
assistant: call a1 Agent "first"
assistant+: call a2 Agent "second"
assistant+: call a3 Agent "third"
tool: result a1 async one
tool: result a2 async two
tool: result a3 async three
user [agent=one]: first
user [agent=two]: second
user [agent=three]: third
assistant [agent=one at=20]: call t1 mcp__analytics__query {"q": 1}
                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ cascade error
assistant [agent=two at=21]: call t2 mcp__analytics__query {"q": 2}
                             ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ lost
assistant [agent=three at=22]: call t3 mcp__analytics__query {"q": 3}
                               ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ lost
sidecar: one toolUseId=a1 finished=true
sidecar: two toolUseId=a2 finished=true
sidecar: three toolUseId=a3 finished=true
host [agent=one at=20]: sends t1 to analytics query over c1
host [agent=two at=21]: sends t2 to analytics query over c1
host [agent=three at=22]: sends t3 to analytics query over c1
host [agent=one at=80]: ends t1 timed-out It took too long.
~~~~ ending
host [at=80]: c1 of analytics is reconnecting
~~~~ reconnect
host [agent=two at=80]: ends t2 outcome-unknown The connection was closed.
host [agent=three at=80]: ends t3 outcome-unknown The connection was closed.
host [at=81]: c1 of analytics was reconnected timed-out${answered}`,
		},
		{
			name: 'a call is cancelled, and nobody says what the connection was made anew for',
			says: /^first's call to query was cancelled, and analytics was reconnected for it/,
			transcript: `
user: ask three times
assistant: call a1 Agent "first"
assistant+: call a2 Agent "second"
assistant+: call a3 Agent "third"
tool: result a1 async one
tool: result a2 async two
tool: result a3 async three
user [agent=one]: first
user [agent=two]: second
user [agent=three]: third
assistant [agent=one at=20]: call t1 mcp__analytics__query {"q": 1}
                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ cascade
assistant [agent=two at=21]: call t2 mcp__analytics__query {"q": 2}
                             ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ lost
assistant [agent=three at=22]: call t3 mcp__analytics__query {"q": 3}
                               ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ lost
sidecar: one toolUseId=a1 finished=true
sidecar: two toolUseId=a2 finished=true
sidecar: three toolUseId=a3 finished=true
host [agent=one at=20]: sends t1 to analytics query over c1
host [agent=two at=21]: sends t2 to analytics query over c1
host [agent=three at=22]: sends t3 to analytics query over c1
host [agent=one at=80]: ends t1 cancelled
~~~~ ending
host [agent=two at=80.2]: ends t2 failed The connection was closed.
host [at=80.2]: c1 of analytics is reconnecting
~~~~ reconnect
host [agent=three at=80.3]: ends t3 failed The connection was closed.
host [at=81]: c1 of analytics was reconnected${answered}`,
		},
		{
			name: 'transcripts alone: two agents lose their connection at the moment of a time-out',
			transcript: `
user: ask three times
assistant: call a1 Agent "first"
assistant+: call a2 Agent "second"
assistant+: call a3 Agent "third"
tool: result a1 async one
tool: result a2 async two
tool: result a3 async three
user [agent=one]: first
user [agent=two]: second
user [agent=three]: third
assistant [agent=one at=20]: call t1 mcp__analytics__query {"q": 1}
                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ written
assistant [agent=two at=21]: call t2 mcp__analytics__query {"q": 2}
                             ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ lost
assistant [agent=three at=22]: call t3 mcp__analytics__query {"q": 3}
                               ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ lost
sidecar: one toolUseId=a1 finished=true
sidecar: two toolUseId=a2 finished=true
sidecar: three toolUseId=a3 finished=true
tool [agent=one at=80]: result t1 says MCP error -32001: Request timed out
                        ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ ending
tool [agent=two at=80.4]: result t2 says MCP error -32000: Connection closed
tool [agent=three at=80.5]: result t3 says MCP error -32000: Connection closed
assistant [agent=one]: done
assistant [agent=two]: done
assistant [agent=three]: done
assistant: done`,
		},
	],
});
