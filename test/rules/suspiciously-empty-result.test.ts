import rule from '../../src/core/rules/suspiciously-empty-result.ts';
import { ruleTester } from './ruleTester.ts';

const listMessages = `
describes: chat list_messages {"context_id": "Which chat. Defaults to the current context.", "query": "Words to look for.", "since": "From when on; from the first one if left out.", "limit": {"type": "integer", "default": 200}, "cursor": "From the answer before."} Lists messages.`;

const also = ['default-scope-query'];
const twelve = `{"messages": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}`;

ruleTester.run(rule, {
	valid: [
		{
			name: 'there is something',
			also,
			transcript: `${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "tab-2"}
tool: result t1 {"messages": [{"id": 1}]}
assistant: call t2 mcp__chat__list_messages {}
tool: result t2 {"messages": [{"id": 1}]}
assistant: done`,
		},
		{
			name: 'the caller asked for just this context',
			transcript: `${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "tab-2"}
tool: result t1 {"messages": [{"id": 1}]}
assistant: call t2 mcp__chat__list_messages {"context_id": "tab-3"}
tool: result t2 {"messages": []}
assistant: done`,
		},
		{
			name: 'nothing in sight shows that there was anything',
			also,
			transcript: `${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {}
                                            ^^ inconclusive
tool: result t1 {"messages": []}
assistant: call t2 mcp__chat__list_messages {}
tool: result t2 {"messages": []}
assistant: done`,
		},
		{
			name: 'the tool has no scope',
			transcript: `
describes: chat list_contexts {} Lists chats.
user: review the day
assistant: call t1 mcp__chat__list_contexts {}
tool: result t1 {"contexts": [1]}
assistant: call t2 mcp__chat__list_contexts {}
tool: result t2 {"contexts": []}
assistant: done`,
		},
		{
			name: 'without the scope it looks everywhere',
			transcript: `
describes: chat list_messages {"context_id": "Which chat. Defaults to all chats."} Lists messages.
user: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "tab-2"}
tool: result t1 {"messages": [{"id": 1}]}
assistant: call t2 mcp__chat__list_messages {}
tool: result t2 {"messages": []}
assistant: done`,
		},
		{
			name: 'the default is meant',
			transcript: `
scope: {"chat": {"*": {"intended": {"context_id": "Its own tab is what it is about."}}}}${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "tab-2"}
tool: result t1 {"messages": [{"id": 1}]}
assistant: call t2 mcp__chat__list_messages {}
tool: result t2 {"messages": []}
assistant: done`,
		},
		{
			name: 'it is the page behind the last one',
			transcript: `${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "tab-2"}
tool: result t1 {"messages": [{"id": 1}], "cursor": "c2"}
assistant: call t2 mcp__chat__list_messages {"cursor": "c2"}
tool: result t2 {"messages": []}
assistant: done`,
		},
		{
			name: 'it is a page with a number',
			also,
			transcript: `
describes: chat list_messages {"context_id": "Which chat. Defaults to the current context.", "page": {"type": "integer", "default": 1}} Lists messages.
user: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "tab-2"}
tool: result t1 {"messages": [{"id": 1}]}
assistant: call t2 mcp__chat__list_messages {"page": 2}
tool: result t2 {"messages": []}
assistant: done`,
		},
		{
			name: 'no entries were asked for',
			also,
			transcript: `${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "tab-2"}
tool: result t1 {"messages": [{"id": 1}]}
assistant: call t2 mcp__chat__list_messages {"limit": 0}
tool: result t2 {"messages": []}
assistant: done`,
		},
		{
			name: 'it asked for less than the call that found something',
			also,
			transcript: `${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "tab-2"}
tool: result t1 {"messages": [{"id": 1}]}
assistant: call t2 mcp__chat__list_messages {"query": "voucher"}
                                            ^^^^^^^^^^^^^^^^^^^^ inconclusive
tool: result t2 {"messages": []}
assistant: done`,
		},
		{
			name: 'it asked for another time',
			also,
			transcript: `${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "tab-2", "since": "2026-11-01"}
tool: result t1 {"messages": [{"id": 1}]}
assistant: call t2 mcp__chat__list_messages {"since": "2026-11-21"}
                                            ^^^^^^^^^^^^^^^^^^^^^^^ inconclusive
tool: result t2 {"messages": []}
assistant: done`,
		},
		{
			name: 'what others found an hour later may be new',
			also,
			transcript: `${listMessages}
user [at=0]: review the day
assistant [at=1]: call t1 mcp__chat__list_messages {}
                                                   ^^ inconclusive
tool [at=2]: result t1 {"messages": []}
assistant [at=3600]: call t2 mcp__chat__list_messages {"context_id": "tab-2"}
tool [at=3601]: result t2 {"messages": [{"id": 1}]}
assistant [at=3602]: done`,
		},
		{
			name: 'what others found was in the very context that was taken',
			also,
			transcript: `
describes: git log {"branch": {"type": "string", "default": "main"}} Lists commits.
user: review the day
assistant: call t1 mcp__git__log {"branch": "main"}
tool: result t1 {"commits": [{"id": 1}]}
assistant: call t2 mcp__git__log {}
                                 ^^ inconclusive
tool: result t2 {"commits": []}
assistant: done`,
		},
		{
			name: 'the agent may have done the few things that it had listed',
			also,
			transcript: `${listMessages}
user: work on the open points
assistant: call t1 mcp__chat__list_messages {}
tool: result t1 {"messages": [1, 2, 3]}
assistant: call t2 mcp__chat__list_messages {}
                                            ^^ inconclusive
tool: result t2 {"messages": []}
assistant: done`,
		},
		{
			name: 'a tenth of few is no sign',
			also,
			transcript: `${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "all"}
tool: result t1 {"messages": [1, 2, 3, 4, 5, 6, 7, 8, 9]}
assistant: call t2 mcp__chat__list_messages {}
tool: result t2 {"messages": [1]}
assistant: done`,
		},
		{
			name: 'the call failed',
			transcript: `${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "tab-2"}
tool: result t1 {"messages": [{"id": 1}]}
assistant: call t2 mcp__chat__list_messages {}
tool: result t2 error
assistant: done`,
		},
		{
			name: 'the answer is no list',
			also,
			transcript: `${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "tab-2"}
tool: result t1 {"messages": [{"id": 1}]}
assistant: call t2 mcp__chat__list_messages {}
tool: result t2 {"text": "no messages"}
assistant: done`,
		},
		{
			name: 'another server has what is looked for here',
			also,
			transcript: `${listMessages}
describes: mail list_messages {"context_id": "Which folder. Defaults to the current context."} Lists mails.
user: review the day
assistant: call t1 mcp__mail__list_messages {"context_id": "inbox"}
tool: result t1 {"messages": [{"id": 1}]}
assistant: call t2 mcp__chat__list_messages {}
                                            ^^ inconclusive
tool: result t2 {"messages": []}
assistant: done`,
		},
		{
			name: 'nothing is known of the tool, and nobody has passed a scope',
			transcript: `
user: review the day
assistant: call t1 mcp__chat__list_messages {}
tool: result t1 {"messages": []}
assistant: done`,
		},
		{
			name: 'what others found has been done since',
			transcript: `
describes: todo list_tasks {"project": "The project."} Lists tasks.
describes: todo close_tasks {"ids!": "Ids."} Closes tasks.
user: close what is open in web
assistant: call t1 mcp__todo__list_tasks {"project": "web"}
tool: result t1 {"tasks": [{"id": 1}, {"id": 2}]}
assistant: call t2 mcp__todo__close_tasks {"ids": [1, 2]}
tool: result t2 {"closed": 2}
assistant: call t3 mcp__todo__list_tasks {}
tool: result t3 {"tasks": []}
assistant: done`,
		},
	],
	invalid: [
		{
			name: 'another agent found something in another context',
			also,
			transcript: `${listMessages}
user [origin=scheduled]: review the day
assistant: call t1 Agent "look at tab 2"
tool: result t1 agent scout
user [agent=scout]: look at tab 2
assistant [agent=scout]: call s1 mcp__chat__list_messages {"context_id": "tab-2"}
                                                          ~~~~~~~~~~~~~~~~~~~~~~~ otherScope
tool [agent=scout]: result s1 ${twelve}
assistant [agent=scout]: done
assistant: call t2 mcp__chat__list_messages {}
                                            ^^ elsewhere note
tool: result t2 {"messages": []}
assistant: nothing to write about
sidecar: scout toolUseId=t1`,
		},
		{
			name: 'a call a little later shows what there was',
			also,
			transcript: `${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {}
                                            ^^ elsewhere note
tool: result t1 {"messages": []}
assistant: call t2 mcp__chat__list_messages {"context_id": "all"}
                                            ~~~~~~~~~~~~~~~~~~~~~ otherScope
tool: result t2 ${twelve}
assistant: done`,
		},
		{
			name: 'another tool of the server found something in another context',
			also,
			transcript: `${listMessages}
describes: chat search {"context_id": "Which chat. Defaults to the current context.", "words!": "What."} Searches.
user: review the day
assistant: call t1 Agent "look for vouchers"
tool: result t1 agent scout
user [agent=scout]: look for vouchers
assistant [agent=scout]: call s1 mcp__chat__search {"words": "voucher", "context_id": "tab-2"}
                                                   ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ otherScope
tool [agent=scout]: result s1 ${twelve}
assistant [agent=scout]: done
assistant: call t2 mcp__chat__list_messages {}
                                            ^^ elsewhere note
tool: result t2 {"messages": []}
assistant: done
sidecar: scout toolUseId=t1`,
		},
		{
			name: 'the answer to another agent says that it was in another context',
			also,
			transcript: `${listMessages}
user: review the day
assistant: call t1 Agent "look at yours"
tool: result t1 agent scout
user [agent=scout]: look at yours
assistant [agent=scout]: call s1 mcp__chat__list_messages {}
                                                          ~~ echoedScope
tool [agent=scout]: result s1 {"context_id": "tab-2", "messages": [1]}
assistant [agent=scout]: done
assistant: call t2 mcp__chat__list_messages {}
                                            ^^ elsewhere note
tool: result t2 {"context_id": "tab-review", "messages": []}
assistant: done
sidecar: scout toolUseId=t1`,
		},
		{
			name: 'the same query of another agent brought something',
			also,
			transcript: `${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {"query": "voucher"}
                                            ~~~~~~~~~~~~~~~~~~~~ sameQuery
tool: result t1 {"messages": [1]}
assistant: call t2 Agent "look for vouchers"
tool: result t2 agent scout
user [agent=scout]: look for vouchers
assistant [agent=scout]: call s1 mcp__chat__list_messages {"query": "voucher"}
                                                          ^^^^^^^^^^^^^^^^^^^^ before note
tool [agent=scout]: result s1 {"messages": []}
assistant [agent=scout]: done
assistant: done
sidecar: scout toolUseId=t2`,
		},
		{
			name: 'the same query of the same agent brought ten times as much',
			also,
			transcript: `${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {}
                                            ~~ sameQuery
tool: result t1 ${twelve}
assistant: call t2 mcp__chat__list_messages {}
                                            ^^ before note
tool: result t2 {"messages": [1]}
assistant: done`,
		},
		{
			name: 'it brought a tenth of what there is',
			also,
			transcript: `${listMessages}
user: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "all"}
                                            ~~~~~~~~~~~~~~~~~~~~~ otherScope
tool: result t1 ${twelve}
assistant: call t2 mcp__chat__list_messages {}
                                            ^^ elsewhere note
tool: result t2 {"messages": [1]}
assistant: done`,
		},
		{
			name: 'nothing was read of the tool, but what others passed shows that there is more',
			transcript: `
user: review the day
assistant: call t1 mcp__chat__list_messages {"context_id": "tab-2"}
                                            ~~~~~~~~~~~~~~~~~~~~~~~ otherScope
tool: result t1 ${twelve}
assistant: call t2 mcp__chat__list_messages {}
                                            ^^ elsewhere note
tool: result t2 {"messages": []}
assistant: call t3 mcp__chat__list_messages {}
tool: result t3 none
assistant: done`,
		},
	],
});
